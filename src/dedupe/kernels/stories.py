"""Marks the words that the copies of a story share, and counts those of the story in each."""

from typing import Any, NamedTuple

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.measures import COMMON, PARAGRAPH, PROSE
from dedupe.kernels.tables import EMPTY, find

U = np.uint64

__all__ = [
    "AGAIN",
    "FEW_OTHERS",
    "LOST_LINES",
    "MAX_BUCKETS",
    "OTHERS",
    "PASSAGE",
    "SHARED",
    "count_words_into",
    "mark_words_into",
]

SHARED, OTHERS, AGAIN = 1, 2, 4
"""Marks of a word: most copies have it, it is boilerplate, and most copies have it, but it stands
in a passage that its text has had before. A page that tells its story twice tells no more of it."""

PASSAGE = 10
"""Words in a row from which on they are a passage; fewer are a phrase, which a story may repeat.

Of 1, 10 and 20, mean F1 of the kept text on the development pages is .948, .947 and .945, and on
encyclopaedia articles, whose lists repeat phrases, .761, .764 and .764.
"""

LOST_LINES = 1.5
"""Lines of the shared text that are this many times as long as in the median copy say nothing
of prose: a page of which an extractor made one line has no lists to tell it by."""

FEW_OTHERS = 0.1
"""A copy tells the story at greater length if less of what it has beside it is in short lines.

And that must not be longer than the story: what follows on a page may be prose, too. On the
development pages both limits together keep a mean F1 of .94, where versions of a story that
grows reach .96; if nothing told at greater length counts, .96 and .80."""


CROWD = 16
"""Copies from which on buckets are weighed: of fewer, their shingles are counted sooner."""

BUCKETS = 16
"""Buckets for each shingle of a copy: one in so many of the others falls where most copies are."""

MAX_BUCKETS = 1 << 16
"""Copies of thousands of words are counted as they are: so many buckets stay in the cache."""


class Copies(NamedTuple):
    """The copies of one story."""

    documents: Any
    """Their different texts."""
    n_copies: Any
    """How many documents have each text."""
    n_all: int
    shingles: Any
    """Those of all texts, these and others."""
    shingle_offsets: Any
    slot_offsets: Any
    """Where the shingles of each text begin in `slots`."""
    slots: Any
    """Where each shingle was counted, EMPTY where it was not: to find it again would take as long
    as to count it."""


class Buckets(NamedTuple):
    """How many copies have a shingle in each bucket: as many as have any one of them."""

    mask: int
    weights: Any


class Counts(NamedTuple):
    """How many copies have each shingle: a table of those that most of them may have."""

    salt: Any
    mask: int
    keys: Any
    holders: Any
    last: Any
    """The last text that had it; EMPTY in a slot that holds no key."""


@compiled
def _mean_size(copies):
    """Return how many shingles a text has on average."""
    n_shingles = 0
    for d in copies.documents:
        n_shingles += copies.shingle_offsets[d + 1] - copies.shingle_offsets[d]
    return n_shingles // copies.documents.size


@compiled
def _bucket(shingle, mask):
    """Return the bucket of a shingle, of ``mask + 1``."""
    return (shingle >> U(40)) & U(mask)


@compiled
def _may_be_shared(shingle, buckets, n_all):
    """Return whether the bucket of a shingle lets it be in more than half of the copies."""
    return 2 * buckets.weights[_bucket(shingle, buckets.mask)] > n_all


@compiled
def _weighed(copies, n_mean, weights, last):
    """Weigh the buckets. Where there are few copies, there is one, which all of them are in."""
    mask = 0
    weights[0] = copies.n_all
    if copies.documents.size < CROWD:
        return Buckets(mask, weights)
    while mask + 1 < min(BUCKETS * n_mean, MAX_BUCKETS):
        mask = 2 * mask + 1
    weights[: mask + 1] = 0
    last[: mask + 1] = EMPTY
    for k in range(copies.documents.size):
        d = copies.documents[k]
        for i in range(U(copies.shingle_offsets[d]), U(copies.shingle_offsets[d + 1])):
            bucket = _bucket(copies.shingles[i], mask)
            if last[bucket] != k:
                weights[bucket] += copies.n_copies[k]
                last[bucket] = k
    return Buckets(mask, weights)


@compiled
def _fit_into(copies, buckets, counts):
    """Count the copies that have each shingle; return whether the table has slots enough.

    Half of them stay empty.
    """
    _, mask, keys, holders, last = counts
    last[: mask + 1] = EMPTY
    n_distinct = 0
    n_before = 0
    for k in range(copies.documents.size):
        d = copies.documents[k]
        first = copies.shingle_offsets[d]
        for i in range(U(first), U(copies.shingle_offsets[d + 1])):
            shingle = copies.shingles[i]
            place = U(copies.slot_offsets[k]) + (i - U(first))
            copies.slots[place] = EMPTY
            if not _may_be_shared(shingle, buckets, copies.n_all):
                continue
            slot = find(shingle, counts.salt, mask, keys, last)
            if last[slot] == EMPTY:
                # Not even all that follow would be most.
                if 2 * n_before >= copies.n_all:
                    continue
                n_distinct += 1
                if 2 * n_distinct > mask + 1:
                    return False
                keys[slot] = shingle
                holders[slot] = 0
            copies.slots[place] = slot
            if last[slot] != k:
                holders[slot] += copies.n_copies[k]
                last[slot] = k
        n_before += copies.n_copies[k]
    return True


@compiled
def _counted(copies, buckets, n_mean, salt, keys, holders, last):
    """Count the copies that have each shingle, in as few slots as will do."""
    # Copies have nearly the same shingles. To touch 200 MB for 6,000 of them for the first
    # time takes four times as long as to count them.
    mask = 1
    while mask + 1 < 4 * n_mean:
        mask = 2 * mask + 1
    mask = min(mask, keys.size - 1)
    while not _fit_into(copies, buckets, Counts(salt, mask, keys, holders, last)):
        mask = min(4 * mask + 3, keys.size - 1)
    return Counts(salt, mask, keys, holders, last)


@compiled
def _mark_into(slots, n_words, weights, ngram, counts, n_all, turn, marks):
    """Mark the words of one text, given where its shingles were counted.

    A slot that was met in this text has `turn` in place of the last text, which no other has.
    """
    shared_until = 0
    again_until = 0
    others_until = 0
    for w in range(n_words):
        if w < slots.size:
            slot = slots[w]
            if slot != EMPTY and 2 * counts.holders[slot] > n_all:
                if counts.last[slot] == turn:
                    again_until = w + ngram
                else:
                    shared_until = w + ngram
                    counts.last[slot] = turn
            if weights is not None and weights[w] < COMMON:
                others_until = w + ngram
        is_shared = w < shared_until
        is_again = w < again_until and not is_shared
        marks[w] = SHARED * is_shared + OTHERS * (w < others_until) + AGAIN * is_again


@compiled
def _take_phrases(marks):
    """Mark as shared what is said again in fewer words than make a passage."""
    n_again = 0
    for w in range(marks.size + 1):
        if w < marks.size and marks[w] & AGAIN:
            n_again += 1
            continue
        if n_again < PASSAGE:
            for before in range(w - n_again, w):
                marks[before] ^= AGAIN | SHARED
        n_again = 0


@compiled
def _mean_line(lines, marks):
    """Return how long the lines of shared words are on average."""
    n_lines = 0
    n_shared = 0
    for w in range(marks.size):
        is_shared = np.int64(marks[w] & SHARED)
        n_shared += is_shared
        n_lines += np.int64(lines[w]) * is_shared
    return n_lines / max(n_shared, 1)


@compiled
def mark_words_into(
    documents,
    n_copies,
    bounds,
    shingles,
    shingle_offsets,
    token_offsets,
    lines,
    weights,
    ngram,
    salt,
    keys,
    holders,
    last,
    weights_of_buckets,
    last_of_buckets,
    mark_offsets,
    slots,
    marks,
    mean_lines,
):
    """Mark the words of clusters of copies, and write how long the lines of shared words are.

    A word is marked with each shingle that it stands in. One that stands only in shared shingles
    that the text has had before is said again, and where `PASSAGE` such words follow each other
    they are neither the story nor beside it.

    Parameters
    ----------
    documents, n_copies : int64 [shape=(n,)]
        Different texts, and how many documents have each; those of a cluster in a row.
    bounds : int64 [shape=(n_clusters + 1,)]
        Where each cluster begins in `documents`.
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)]
    weights : float32 [shape=(n_tokens,)] or None
        What a word weighs is what the shingle does that begins with it.
    ngram : int
    salt : uint64, see `dedupe.kernels.tables`
    keys : uint64, holders : int64, last : int64 [shape=(a power of two,)], scratch
        At least twice as large as a cluster has shingles.
    weights_of_buckets, last_of_buckets : int64 [shape=(MAX_BUCKETS,)], scratch
    mark_offsets : int64 [shape=(n + 1,)]
        Where the words of each text begin in `slots` and `marks`.
    slots : int32 [shape=(words of all of them,)], scratch
    marks : uint8 [shape=(words of all of them,)], overwritten
    mean_lines : float64 [shape=(n,)], overwritten
        0 where a text has none of the words.
    """
    for c in range(bounds.size - 1):
        some = slice(bounds[c], bounds[c + 1])
        n_all = n_copies[some].sum()
        copies = Copies(
            documents[some],
            n_copies[some],
            n_all,
            shingles,
            shingle_offsets,
            mark_offsets[some],
            slots,
        )
        n_mean = _mean_size(copies)
        buckets = _weighed(copies, n_mean, weights_of_buckets, last_of_buckets)
        counts = _counted(copies, buckets, n_mean, salt, keys, holders, last)
        for k in range(bounds[c], bounds[c + 1]):
            d = documents[k]
            words = slice(token_offsets[d], token_offsets[d + 1])
            n_shingles = shingle_offsets[d + 1] - shingle_offsets[d]
            text_marks = marks[mark_offsets[k] : mark_offsets[k + 1]]
            _mark_into(
                slots[mark_offsets[k] : mark_offsets[k] + n_shingles],
                text_marks.size,
                None if weights is None else weights[words],
                ngram,
                counts,
                n_all,
                # No text was counted under such a number.
                documents.size + k,
                text_marks,
            )
            _take_phrases(text_marks)
            mean_lines[k] = _mean_line(lines[words], text_marks)


@compiled
def count_words_into(
    documents,
    token_offsets,
    lines,
    mark_offsets,
    marks,
    mean_lines,
    usual_lines,
    story,
    boilerplate,
):
    """Count the words of the story in each copy, and those of boilerplate.

    Parameters
    ----------
    documents, token_offsets, lines, mark_offsets, marks, mean_lines
        As `mark_words_into` takes and leaves them.
    usual_lines : float64 [shape=(n,)]
        Median of `mean_lines` over the copies of its cluster, its own among them.
    story, boilerplate : int64 [shape=(n,)], overwritten
    """
    for k in range(documents.size):
        line = mean_lines[k]
        # A text without lines to go by has no prose beside what it shares.
        has_lines = 0 < line <= LOST_LINES * usual_lines[k]
        shortest = min(PROSE * line, np.float64(PARAGRAPH)) if has_lines else np.inf
        first = token_offsets[documents[k]]
        n_shared = 0
        n_beside = 0
        n_prose = 0
        story[k] = 0
        boilerplate[k] = 0
        for w in range(mark_offsets[k + 1] - mark_offsets[k]):
            mark = marks[mark_offsets[k] + w]
            is_own = mark & OTHERS == 0
            boilerplate[k] += not is_own
            if mark & SHARED:
                n_shared += 1
                story[k] += is_own
            elif mark & AGAIN == 0:
                n_beside += 1
                n_prose += is_own and lines[first + w] >= shortest
        if n_beside - n_prose <= FEW_OTHERS * n_beside and n_prose <= n_shared:
            story[k] += n_prose

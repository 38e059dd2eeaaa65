"""Marks the words that the copies of a story share, and counts those of the story in each."""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.measures import COMMON, PARAGRAPH, PROSE
from dedupe.kernels.tables import EMPTY, find

U = np.uint64

__all__ = [
    "FEW_OTHERS",
    "LOST_LINES",
    "MAX_BUCKETS",
    "OTHERS",
    "SHARED",
    "count_words_into",
    "mark_words_into",
]

SHARED, OTHERS = 1, 2
"""Marks of a word: most copies have it, and it is boilerplate."""

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


@compiled
def _bucket(shingle, mask):
    """Return the bucket of a shingle, of ``mask + 1``."""
    return (shingle >> U(40)) & U(mask)


@compiled
def _mean_size(documents, shingle_offsets):
    """Return how many shingles a text has on average."""
    n_shingles = 0
    for d in documents:
        n_shingles += shingle_offsets[d + 1] - shingle_offsets[d]
    return n_shingles // documents.size


@compiled
def _weigh_buckets_into(
    documents, n_copies, n_all, shingles, shingle_offsets, n_mean, weights, last
):
    """Write how many copies have a shingle in each bucket: as many as have any one of them.

    Return the number of buckets less one. Where there are few copies it is 0: all of them have
    a shingle in the one bucket.
    """
    mask = 0
    weights[0] = n_all
    if documents.size < CROWD:
        return mask
    while mask + 1 < min(BUCKETS * n_mean, MAX_BUCKETS):
        mask = 2 * mask + 1
    weights[: mask + 1] = 0
    last[: mask + 1] = EMPTY
    for k in range(documents.size):
        d = documents[k]
        for i in range(U(shingle_offsets[d]), U(shingle_offsets[d + 1])):
            bucket = _bucket(shingles[i], mask)
            if last[bucket] != k:
                weights[bucket] += n_copies[k]
                last[bucket] = k
    return mask


@compiled
def _count_copies_into(
    documents,
    n_copies,
    n_all,
    shingles,
    shingle_offsets,
    bucket_mask,
    weights,
    salt,
    mask,
    keys,
    holders,
    last,
):
    """Write into the table how many copies have each shingle of a cluster that most may have.

    Return whether they fit in so many slots, half of which stay empty.
    """
    last[: mask + 1] = EMPTY
    n_distinct = 0
    n_before = 0
    for k in range(documents.size):
        d = documents[k]
        for i in range(U(shingle_offsets[d]), U(shingle_offsets[d + 1])):
            if 2 * weights[_bucket(shingles[i], bucket_mask)] <= n_all:
                continue
            slot = find(shingles[i], salt, mask, keys, last)
            if last[slot] == EMPTY:
                # Not even all that follow would be most.
                if 2 * n_before >= n_all:
                    continue
                n_distinct += 1
                if 2 * n_distinct > mask + 1:
                    return False
                keys[slot] = shingles[i]
                holders[slot] = 0
            if last[slot] != k:
                holders[slot] += n_copies[k]
                last[slot] = k
        n_before += n_copies[k]
    return True


@compiled
def _count_all_into(
    documents,
    n_copies,
    n_all,
    shingles,
    shingle_offsets,
    bucket_mask,
    weights,
    salt,
    n_mean,
    keys,
    holders,
    last,
):
    """Do as `_count_copies_into`, in as few slots as will do; return their number less one."""
    # Copies have nearly the same shingles. To touch 200 MB for 6,000 of them for the first
    # time takes four times as long as to count them.
    mask = 1
    while mask + 1 < 4 * n_mean:
        mask = 2 * mask + 1
    mask = min(mask, keys.size - 1)
    while not _count_copies_into(
        documents,
        n_copies,
        n_all,
        shingles,
        shingle_offsets,
        bucket_mask,
        weights,
        salt,
        mask,
        keys,
        holders,
        last,
    ):
        mask = min(4 * mask + 3, keys.size - 1)
    return mask


@compiled
def _mark_into(
    shingles,
    lines,
    weights,
    ngram,
    half,
    bucket_mask,
    weights_of_buckets,
    salt,
    mask,
    keys,
    holders,
    last,
    marks,
):
    """Mark the words of one text; return how long the lines of the shared ones are on average."""
    shared_until = 0
    others_until = 0
    n_lines = 0
    n_shared = 0
    for w in range(lines.size):
        if w < shingles.size:
            if weights_of_buckets[_bucket(shingles[w], bucket_mask)] > half:
                slot = find(shingles[w], salt, mask, keys, last)
                if last[slot] != EMPTY and holders[slot] > half:
                    shared_until = w + ngram
            if weights is not None and weights[w] < COMMON:
                others_until = w + ngram
        is_shared = w < shared_until
        n_shared += is_shared
        n_lines += lines[w] * is_shared
        marks[w] = SHARED * is_shared + OTHERS * (w < others_until)
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
    marks,
    mean_lines,
):
    """Mark the words of clusters of copies, and write how long the lines of shared words are.

    A word is marked with each shingle that it stands in.

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
        Where the words of each text begin in `marks`.
    marks : uint8 [shape=(words of all of them,)], overwritten
    mean_lines : float64 [shape=(n,)], overwritten
        0 where a text has none of the words.
    """
    for c in range(bounds.size - 1):
        some = slice(bounds[c], bounds[c + 1])
        n_all = n_copies[some].sum()
        # A shingle that more than half of the copies have is shared.
        half = n_all // 2
        n_mean = _mean_size(documents[some], shingle_offsets)
        bucket_mask = _weigh_buckets_into(
            documents[some],
            n_copies[some],
            n_all,
            shingles,
            shingle_offsets,
            n_mean,
            weights_of_buckets,
            last_of_buckets,
        )
        mask = _count_all_into(
            documents[some],
            n_copies[some],
            n_all,
            shingles,
            shingle_offsets,
            bucket_mask,
            weights_of_buckets,
            salt,
            n_mean,
            keys,
            holders,
            last,
        )
        for k in range(bounds[c], bounds[c + 1]):
            d = documents[k]
            words = slice(token_offsets[d], token_offsets[d + 1])
            mean_lines[k] = _mark_into(
                shingles[shingle_offsets[d] : shingle_offsets[d + 1]],
                lines[words],
                None if weights is None else weights[words],
                ngram,
                half,
                bucket_mask,
                weights_of_buckets,
                salt,
                mask,
                keys,
                holders,
                last,
                marks[mark_offsets[k] : mark_offsets[k + 1]],
            )


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
            else:
                n_beside += 1
                n_prose += is_own and lines[first + w] >= shortest
        if n_beside - n_prose <= FEW_OTHERS * n_beside and n_prose <= n_shared:
            story[k] += n_prose

"""Measures pairs of documents: what they share, and what each has in its place.

Seen from another document, the *story* of a document is what both share, and whatever
else of it is *prose*: its lines are nearly as long as those of the shared text. Menus,
headlines and buttons are not, however many there are.

Shared words are those of matched shingles (`dedupe.kernels.alignment`). What stands between
two neighbours of the chain is a *gap*. It is an *edit* if few words are replaced, or some
in the midst of it are shared; another story in the same place is a *hole*, and other
lines in the same place of a frame are the *entries* of a listing.
"""

from typing import Any, NamedTuple

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.alignment import (
    COVER_LARGER,
    COVER_SMALLER,
    FIRST,
    MATCH_LARGER,
    MATCH_LENGTH,
    MATCH_SMALLER,
    PREVIOUS,
    RUN_LARGER,
    RUN_LENGTH,
    RUN_SMALLER,
    SEEN,
    chain_into,
    match_pair_into,
    runs_into,
)

__all__ = [
    "BARE_SHARE",
    "BOX",
    "COMMON",
    "EDIT",
    "LIST",
    "LONG",
    "LONG_COST",
    "N_LINES",
    "N_OF_BOTH",
    "N_OF_SIDE",
    "PARAGRAPH",
    "PROSE",
    "measure_pairs_into",
    "prose_into",
]

U = np.uint64

PARAGRAPH = 25
"""Words from which a line is a paragraph. How much longer it is says nothing: the small
print of a press release is often one line of hundreds of words."""

N_LINES = PARAGRAPH + 1
"""Lengths of lines that are told apart, from none to a paragraph."""

PROSE = 0.6
"""Lines are prose if they are at least this long, in lines of the shared text.

Lists have lines of a fifth, other stories of about the same length.
"""

EDIT = 10
"""A gap of fewer words on both sides is an edit, and so is prose at an end."""

BARE_SHARE = 0.75
"""Share of a gap's words that must not be covered, or it is a text with many edits."""

LONG, LONG_COST = 1.5, 4.0
"""A hole whose lines are this many times as long as those of the shared text is a story
between lists, whatever else the two pages share, and counts so many times."""

LIST = 10
"""Words of shorter lines in a row that end the prose at an end of the match."""

BOX = 50
"""Words of any lines that differ in one place next to boilerplate, from which on they are the
entries of a listing, and so what the page is about. Fewer are a box."""

COMMON = 0.5
"""A word that weighs less is boilerplate to the eye: more than two clusters hold it. One
that weighs more is in one cluster alone."""

# What is measured on each side, of the larger document first.
COVERED, WEIGHT, PLAIN, BOILERPLATE, OWN, STORY, EDITED = range(7)
N_OF_SIDE = 7

# What is measured of both together.
SHARED, HOLE, HOLE_WEIGHT, END, EXCESS, GAP, ENTRIES = range(7)
N_OF_BOTH = 7


class Side(NamedTuple):
    """One document of a pair, as gaps are looked at."""

    cover: Any
    lines: Any
    weights: Any
    line: float
    """Mean length of the lines of its shared words."""


@compiled
def _weight(weights, w):
    """Return the weight of a word."""
    return 1.0 if weights is None else np.float64(weights[w])


@compiled
def _cover_into(
    starts, lengths, n_matches, ngram, cover, lines, weights, is_one_story, of_side, by_line
):
    """Mark the words of one side that stand in a match, and count what it has.

    If the two documents are of different stories, as far as is known, a word counts
    as if they were one: what both have and nobody else does is not boilerplate.

    Sums are kept in variables: what is added to in an array is stored and loaded for each word.
    """
    n_covered = 0
    n_boilerplate = 0
    n_own = 0
    total = 0.0
    plain = 0.0
    # The words of a line follow each other, and their sum is stored once; those that have no
    # weight are counted, since sums of whole numbers are faster.
    line = 0
    of_line = by_line[0]
    n_before = 0
    for m in range(n_matches):
        for w in range(U(starts[m]), U(min(starts[m] + lengths[m] - 1 + ngram, lines.size))):
            if cover[w]:
                continue
            cover[w] = 1
            if lines[w] != line:
                by_line[min(line, PARAGRAPH)] = of_line + (n_covered - n_before)
                line = lines[w]
                of_line = by_line[min(line, PARAGRAPH)]
                n_before = n_covered
            n_covered += 1
            if weights is None:
                continue
            n_before = n_covered
            weight = np.float64(weights[w])
            of_line += weight
            plain += weight
            n_boilerplate += weight < COMMON
            n_own += weight > COMMON
            total += weight if is_one_story or weight == 1 else min(1.0, weight / (1 - weight))
    by_line[min(line, PARAGRAPH)] = of_line + (n_covered - n_before)
    if weights is None:
        plain = total = np.float64(n_covered)
        n_own = n_covered
    of_side[COVERED] = n_covered
    of_side[WEIGHT] = total
    of_side[PLAIN] = plain
    of_side[BOILERPLATE] = n_boilerplate
    of_side[OWN] = n_own


@compiled
def _count_shared(n_matches, scratch):
    """Return how many distinct shingles of the larger document match."""
    n_shared = 0
    for m in range(n_matches):
        start = scratch[MATCH_LARGER, m]
        for j in range(U(start), U(start + scratch[MATCH_LENGTH, m])):
            first = U(scratch[FIRST, j])
            n_shared += 1 - scratch[SEEN, first]
            scratch[SEEN, first] = 1
    return n_shared


@compiled
def _uncover(words_larger, words_smaller, n_matches, ngram, scratch):
    """Take back what was marked in either document.

    Nothing goes through all of a document, of which little is shared as a rule; so
    all marks are 0 before and after.
    """
    for m in range(n_matches):
        i, j = scratch[MATCH_SMALLER, m], scratch[MATCH_LARGER, m]
        length = scratch[MATCH_LENGTH, m]
        for k in range(U(j), U(j + length)):
            scratch[SEEN, U(scratch[FIRST, k])] = 0
        scratch[COVER_LARGER, j : min(j + length - 1 + ngram, words_larger)] = 0
        scratch[COVER_SMALLER, i : min(i + length - 1 + ngram, words_smaller)] = 0


@compiled
def _line_of(by_line):
    """Return the mean length of the lines of the shared words, given their weights by it."""
    total = 0.0
    weight = 0.0
    for k in range(N_LINES):
        total += k * by_line[k]
        weight += by_line[k]
    return total / weight


@compiled
def _own_prose(by_line, line, prose):
    """Return what the words of a document weigh that are prose and not shared.

    `prose` holds what all its words weigh, in lines of at least so many.
    """
    shortest = min(PARAGRAPH, int(np.ceil(PROSE * line)))
    weight = np.float64(prose[shortest])
    for k in range(shortest, N_LINES):
        weight -= by_line[k]
    # What is left of a sum of thousands of words by rounding is nothing.
    return weight if weight > 1e-5 * prose[0] else 0.0


@compiled
def _gap(side, start, end):
    """Return how many words of a stretch are not shared, and how many of these are prose.

    Also what those of prose weigh, the mean of their lines, and what all of them weigh.
    """
    n_words = 0
    n_prose = 0
    lines = 0
    shortest = _shortest(side)
    # No branch, so that many words are counted at once.
    for w in range(U(start), U(end)):
        is_own = side.cover[w] == 0
        line = min(np.int64(side.lines[w]), PARAGRAPH)
        is_prose = is_own & (line >= shortest)
        n_words += is_own
        n_prose += is_prose
        lines += line * is_prose
    weight, weight_of_all = _weigh_gap(side.weights, side, start, end, n_prose, n_words)
    return n_words, n_prose, weight, lines / max(n_prose, 1), weight_of_all


@compiled
def _weigh_gap(weights, side, start, end, n_prose, n_words):
    """Return what the words of a stretch weigh that are not shared: those of prose, and all."""
    if weights is None:
        return np.float64(n_prose), np.float64(n_words)
    weight = 0.0
    weight_of_all = 0.0
    shortest = _shortest(side)
    for w in range(U(start), U(end)):
        if side.cover[w] == 0:
            weight_of_all += weights[w]
            if min(np.int64(side.lines[w]), PARAGRAPH) >= shortest:
                weight += weights[w]
    return weight, weight_of_all


@compiled
def _shortest(side):
    """Return how long the lines of prose are at least: their lengths are whole numbers."""
    return np.int64(np.ceil(PROSE * side.line))


@compiled
def _end(side, start, stop, step):
    """Return how much prose goes on where the chain ends, in words and in weight."""
    n_prose = 0
    weight = 0.0
    n_list = 0
    shortest = _shortest(side)
    for w in range(start, stop, step):
        if side.cover[U(w)]:
            continue
        if min(np.int64(side.lines[U(w)]), PARAGRAPH) >= shortest:
            n_prose += 1
            weight += _weight(side.weights, U(w))
            n_list = 0
        else:
            n_list += 1
            if n_list == LIST:
                break
    return n_prose, weight


@compiled
def _around(weights, start, end, ngram):
    """Return what the shared words before and behind a gap weigh."""
    return _weight(weights, max(0, start - ngram)), _weight(weights, end)


@compiled
def _gaps_into(last, larger, smaller, ngram, scratch, of_sides, of_both):
    """Write what both documents have within the chain without sharing it."""
    excess_larger = 0.0
    excess_smaller = 0.0
    x = last
    while scratch[PREVIOUS, x] >= 0:
        y = scratch[PREVIOUS, x]
        start_larger = scratch[RUN_LARGER, y] + scratch[RUN_LENGTH, y]
        start_smaller = scratch[RUN_SMALLER, y] + scratch[RUN_LENGTH, y]
        end_larger = scratch[RUN_LARGER, x]
        end_smaller = scratch[RUN_SMALLER, x]
        x = y
        one, prose_one, weight_one, line_one, all_one = _gap(larger, start_larger, end_larger)
        other, prose_other, weight_other, line_other, all_other = _gap(
            smaller, start_smaller, end_smaller
        )
        excess_larger += max(0.0, weight_one - weight_other)
        excess_smaller += max(0.0, weight_other - weight_one)
        if min(one, other) == 0:
            continue
        n_words = end_larger - start_larger + end_smaller - start_smaller
        is_bare = one + other >= BARE_SHARE * n_words
        n_prose = min(prose_one, prose_other)
        around_larger = _around(larger.weights, start_larger, end_larger, ngram)
        around_smaller = _around(smaller.weights, start_smaller, end_smaller, ngram)
        if not is_bare or max(one, other) < EDIT:
            of_sides[0, EDITED] += n_prose * (around_larger[0] + around_larger[1]) / 2
            of_sides[1, EDITED] += n_prose * (around_smaller[0] + around_smaller[1]) / 2
        if is_bare:
            of_both[GAP] = max(of_both[GAP], min(one, other))
            if min(one, other) >= BOX and max(min(around_larger), min(around_smaller)) < COMMON:
                of_both[ENTRIES] = max(of_both[ENTRIES], min(all_one, all_other))
        if is_bare and n_prose >= EDIT:
            # Not added up: versions of one text, each with 45 words of its own elsewhere,
            # would no longer be found (recall 0 in place of 1 at ten of them).
            weight = min(weight_one, weight_other)
            hole = weight
            if max(line_one / larger.line, line_other / smaller.line) >= LONG:
                hole *= LONG_COST
            if hole > of_both[HOLE]:
                of_both[HOLE] = hole
                of_both[HOLE_WEIGHT] = weight
    of_both[EXCESS] = min(excess_larger, excess_smaller)


@compiled
def _ends_into(last, larger, smaller, scratch, of_both):
    """Write how much prose both documents have at one end of the chain, whatever follows."""
    head = last
    while scratch[PREVIOUS, head] >= 0:
        head = scratch[PREVIOUS, head]
    start_larger = scratch[RUN_LARGER, head] - 1
    start_smaller = scratch[RUN_SMALLER, head] - 1
    before = _end(larger, start_larger, -1, -1), _end(smaller, start_smaller, -1, -1)
    end_larger = scratch[RUN_LARGER, last] + scratch[RUN_LENGTH, last]
    end_smaller = scratch[RUN_SMALLER, last] + scratch[RUN_LENGTH, last]
    behind = (
        _end(larger, end_larger, larger.lines.size, 1),
        _end(smaller, end_smaller, smaller.lines.size, 1),
    )
    for one, other in (before, behind):
        weight = min(one[1], other[1])
        if min(one[0], other[0]) >= EDIT and weight > of_both[END]:
            of_both[END] = weight


@compiled
def _measure_into(
    n_matches,
    lines,
    weights,
    prose,
    is_one,
    ngram,
    min_words,
    scratch,
    by_line,
    of_sides,
    of_both,
):
    """Write the measures of one pair that is matched, given what is known of either document."""
    lines_a, lines_b = lines
    weights_a, weights_b = weights
    prose_a, prose_b = prose
    by_line[:] = 0
    lengths = scratch[MATCH_LENGTH]
    _cover_into(
        scratch[MATCH_LARGER],
        lengths,
        n_matches,
        ngram,
        scratch[COVER_LARGER],
        lines_a,
        weights_a,
        is_one,
        of_sides[0],
        by_line[0],
    )
    _cover_into(
        scratch[MATCH_SMALLER],
        lengths,
        n_matches,
        ngram,
        scratch[COVER_SMALLER],
        lines_b,
        weights_b,
        is_one,
        of_sides[1],
        by_line[1],
    )
    of_both[SHARED] = _count_shared(n_matches, scratch)
    weight = min(of_sides[0, WEIGHT], of_sides[1, WEIGHT])
    if n_matches and weight >= min(min_words, min(prose_a[0], prose_b[0]) / 2):
        line_a, line_b = _line_of(by_line[0]), _line_of(by_line[1])
        of_sides[0, STORY] = _own_prose(by_line[0], line_a, prose_a)
        of_sides[1, STORY] = _own_prose(by_line[1], line_b, prose_b)
        n_runs = runs_into(n_matches, lines_a.size, lines_b.size, ngram, scratch)
        last = chain_into(n_runs, ngram, scratch)
        if last >= 0:
            one = Side(scratch[COVER_LARGER], lines_a, weights_a, line_a)
            other = Side(scratch[COVER_SMALLER], lines_b, weights_b, line_b)
            _gaps_into(last, one, other, ngram, scratch, of_sides, of_both)
            _ends_into(last, one, other, scratch, of_both)
    _uncover(lines_a.size, lines_b.size, n_matches, ngram, scratch)


@compiled
def measure_pairs_into(
    larger,
    smaller,
    shingles,
    shingle_offsets,
    token_offsets,
    lines,
    weights,
    prose,
    stories,
    ngram,
    min_words,
    slots,
    salt,
    sieve,
    scratch,
    by_line,
    of_sides,
    of_both,
):
    """Write the measures of each pair: the columns named at the top of this module.

    Parameters
    ----------
    larger, smaller : int64 [shape=(n_pairs,)]
        Documents. Equal values of `larger` that follow each other share one table.
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)], at least 1
    weights : float32 [shape=(n_tokens,)] or None
        Weight of each word; without it every word weighs 1.
    prose : float32 [shape=(n_docs, N_LINES)], as `prose_into` writes it
    stories : int64 [shape=(n_docs,)] or None
        The story of each document, as far as is known; without it all are one.
    ngram : int
    min_words : int
        What shared words must weigh on both sides for gaps to be looked at, unless they
        are half of a document; STORY, EDITED and what is measured of both are 0 below.
    slots, salt, sieve, scratch : as in `count_distinct_into`
    by_line : float64 [shape=(2, N_LINES)], scratch
    of_sides : float64 [shape=(n_pairs, 2, N_OF_SIDE)], overwritten
    of_both : float64 [shape=(n_pairs, N_OF_BOTH)], overwritten
    """
    of_sides[:] = 0
    of_both[:] = 0
    indexed = -1
    for p in range(larger.size):
        a, b = larger[p], smaller[p]
        n_matches = match_pair_into(
            a, b, indexed, shingles, shingle_offsets, slots, salt, sieve, scratch
        )
        indexed = a
        words_a = slice(token_offsets[a], token_offsets[a + 1])
        words_b = slice(token_offsets[b], token_offsets[b + 1])
        both = lines[words_a], lines[words_b]
        prose_of_both = prose[a], prose[b]
        # Most documents have no boilerplate: all words weigh 1, and none need be looked up.
        is_plain = prose[a, 0] == both[0].size and prose[b, 0] == both[1].size
        if weights is None or is_plain:
            _measure_into(
                n_matches,
                both,
                (None, None),
                prose_of_both,
                True,
                ngram,
                min_words,
                scratch,
                by_line,
                of_sides[p],
                of_both[p],
            )
        else:
            _measure_into(
                n_matches,
                both,
                (weights[words_a], weights[words_b]),
                prose_of_both,
                stories is None or stories[a] == stories[b],
                ngram,
                min_words,
                scratch,
                by_line,
                of_sides[p],
                of_both[p],
            )


@compiled
def prose_into(documents, lines, weights, offsets, by_line, prose):
    """Write what the words of some documents weigh that stand in lines of at least so many.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    lines : uint8 [shape=(n_tokens,)]
    weights : float32 [shape=(n_tokens,)] or None
    offsets : int64 [shape=(n_docs + 1,)]
    by_line : float64 [shape=(N_LINES,)], scratch
    prose : float32 [shape=(n_docs, N_LINES)], the rows of the documents overwritten
        Column 0 has all words.
    """
    for d in documents:
        by_line[:] = 0
        # What is added to in an array is stored and loaded for each word: that is done once
        # for each line.
        line, so_far = np.int64(0), 0.0
        for w in range(offsets[d], offsets[d + 1]):
            if min(lines[w], PARAGRAPH) != line:
                by_line[line] = so_far
                line = np.int64(min(lines[w], PARAGRAPH))
                so_far = by_line[line]
            so_far += _weight(weights, w)
        by_line[line] = so_far
        total = 0.0
        for k in range(PARAGRAPH, -1, -1):
            total += by_line[k]
            prose[d, k] = total

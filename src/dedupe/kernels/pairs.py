"""Measures pairs of documents: what they share, and what each has in its place.

What stands between two neighbours of the chain is a *gap*. It is an *edit* if few words are
replaced, or some in the midst of it are shared; another story in the same place is a *hole*,
and other lines in the same place of a frame are the *entries* of a listing. What each document
has by itself, and every constant, is in `dedupe.kernels.measures`.
"""

from typing import Any, NamedTuple

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.alignment import (
    COVER_LARGER,
    COVER_SMALLER,
    MATCH_LARGER,
    MATCH_LENGTH,
    MATCH_SMALLER,
    PREVIOUS,
    RUN_LARGER,
    RUN_LENGTH,
    RUN_SMALLER,
    chain_into,
    match_pair_into,
    runs_into,
)
from dedupe.kernels.measures import (
    BARE_SHARE,
    BOX,
    COMMON,
    EDIT,
    EDITED,
    END,
    ENTRIES,
    EXCESS,
    GAP,
    HOLE,
    HOLE_WEIGHT,
    LIST,
    LONG,
    LONG_COST,
    PARAGRAPH,
    PROSE,
    SHARED,
    STORY,
    WEIGHT,
    count_shared,
    cover_into,
    line_of,
    own_prose,
    uncover,
    weight_of,
)

__all__ = ["by_size_into", "measure_pairs_into"]

U = np.uint64


@compiled
def by_size_into(left, right, token_offsets, contents, larger, smaller, swap):
    """Write which document of each pair is the larger.

    Of two equally long it is the one with the greater content, so that nothing hangs on which of
    them is named first.

    Parameters
    ----------
    left, right : int64 [shape=(n_pairs,)]
        Documents.
    token_offsets : int64 [shape=(n_docs + 1,)]
    contents : uint64 [shape=(n_docs,)]
    larger, smaller : int64, swap : bool [shape=(n_pairs,)], overwritten
        `swap` says whether the larger one is the right one.
    """
    for p in range(left.size):
        one, other = left[p], right[p]
        n_one = token_offsets[one + 1] - token_offsets[one]
        n_other = token_offsets[other + 1] - token_offsets[other]
        is_less = contents[one] < contents[other]
        swap[p] = n_one < n_other or (n_one == n_other and is_less)
        larger[p], smaller[p] = (other, one) if swap[p] else (one, other)


class Side(NamedTuple):
    """One document of a pair, as gaps are looked at."""

    cover: Any
    lines: Any
    weights: Any
    line: float
    """Mean length of the lines of its shared words."""


class Gap(NamedTuple):
    """What stands in a stretch of one document and is not shared."""

    n_words: int
    n_prose: int
    weight: float
    """What its prose weighs."""
    line: float
    """Mean length of the lines of its prose."""
    weight_of_all: float


@compiled
def _gap(side, start, end):
    """Return what stands in a stretch of a document and is not shared."""
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
    return Gap(n_words, n_prose, weight, lines / max(n_prose, 1), weight_of_all)


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
            weight += weight_of(side.weights, U(w))
            n_list = 0
        else:
            n_list += 1
            if n_list == LIST:
                break
    return n_prose, weight


@compiled
def _around(weights, start, end, ngram):
    """Return what the shared words before and behind a gap weigh."""
    return weight_of(weights, max(0, start - ngram)), weight_of(weights, end)


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
        one = _gap(larger, start_larger, end_larger)
        other = _gap(smaller, start_smaller, end_smaller)
        excess_larger += max(0.0, one.weight - other.weight)
        excess_smaller += max(0.0, other.weight - one.weight)
        if min(one.n_words, other.n_words) == 0:
            continue
        n_words = end_larger - start_larger + end_smaller - start_smaller
        is_bare = one.n_words + other.n_words >= BARE_SHARE * n_words
        n_prose = min(one.n_prose, other.n_prose)
        around_larger = _around(larger.weights, start_larger, end_larger, ngram)
        around_smaller = _around(smaller.weights, start_smaller, end_smaller, ngram)
        if not is_bare or max(one.n_words, other.n_words) < EDIT:
            of_sides[0, EDITED] += n_prose * (around_larger[0] + around_larger[1]) / 2
            of_sides[1, EDITED] += n_prose * (around_smaller[0] + around_smaller[1]) / 2
        if is_bare:
            n_least = min(one.n_words, other.n_words)
            of_both[GAP] = max(of_both[GAP], n_least)
            if n_least >= BOX and max(min(around_larger), min(around_smaller)) < COMMON:
                all_words = min(one.weight_of_all, other.weight_of_all)
                of_both[ENTRIES] = max(of_both[ENTRIES], all_words)
        if is_bare and n_prose >= EDIT:
            # Not added up: versions of one text, each with 45 words of its own elsewhere,
            # would no longer be found (recall 0 in place of 1 at ten of them).
            weight = min(one.weight, other.weight)
            hole = weight
            if max(one.line / larger.line, other.line / smaller.line) >= LONG:
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
    cover_into(
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
    cover_into(
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
    of_both[SHARED] = count_shared(n_matches, scratch)
    weight = min(of_sides[0, WEIGHT], of_sides[1, WEIGHT])
    if n_matches and weight >= min(min_words, min(prose_a[0], prose_b[0]) / 2):
        line_a, line_b = line_of(by_line[0]), line_of(by_line[1])
        of_sides[0, STORY] = own_prose(by_line[0], line_a, prose_a)
        of_sides[1, STORY] = own_prose(by_line[1], line_b, prose_b)
        n_runs = runs_into(n_matches, lines_a.size, lines_b.size, ngram, scratch)
        last = chain_into(n_runs, ngram, scratch)
        if last >= 0:
            one = Side(scratch[COVER_LARGER], lines_a, weights_a, line_a)
            other = Side(scratch[COVER_SMALLER], lines_b, weights_b, line_b)
            _gaps_into(last, one, other, ngram, scratch, of_sides, of_both)
            _ends_into(last, one, other, scratch, of_both)
    uncover(lines_a.size, lines_b.size, n_matches, ngram, scratch)


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
    """Write the measures of each pair: the columns that `dedupe.kernels.measures` names.

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
        The story of each document, as far as is known; None where words have no weights.
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

"""Aligns the shingles of two documents: what they share, and in what order.

A pair is a *larger* document, whose shingles are put into a hash table once, and
a *smaller* one that is read through it. Shared shingles that follow each other in
both documents are a *match*, and the words of a long one a *run*; the heaviest sequence
of runs that keeps its order in both is the *chain* (collinear chaining; Abouelhoda &
Ohlebusch 2005). What stands between its runs is measured in `dedupe.kernels.pairs`.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.tables import SLOTS_PER_WORD, home, sieve_place

__all__ = [
    "AHEAD",
    "MIN_RUN",
    "N_SCRATCH",
    "chain_into",
    "count_distinct_into",
    "end_of",
    "extend_into",
    "index_into",
    "mask_of",
    "match_pair_into",
    "place_behind",
    "place_of",
    "runs_into",
    "runs_of_pair_into",
    "slot_of",
]

MIN_RUN = 8
"""Words of a run at least: shorter ones are idioms, and would cut holes in two."""

MAX_OCCURRENCES = 32
"""How many occurrences of a shingle in the larger document are tried at most, from the first."""

WINDOW = 256
"""Words behind the match before in which an occurrence is looked for where there are more."""

AHEAD = 200
"""How many runs the chain looks back, which bounds its cost on patchwork."""

U = np.uint64

# The rows of int32 scratch, each as long as the longest document.
NEXT, FIRST, COVER_LARGER, COVER_SMALLER, SEEN, BEST, PREVIOUS = range(7)
MATCH_LARGER, MATCH_SMALLER, MATCH_LENGTH, RUN_LARGER, RUN_SMALLER, RUN_LENGTH = range(7, 13)
HITS = 13
N_SCRATCH = 14


@compiled
def index_into(shingles, slots, salt, sieve, mask, scratch):
    """Put the positions of a document's shingles into a table; return how many are distinct.

    Linear probing. Of equal shingles the table holds the first; NEXT leads from
    each to the one behind it (-1 at the last), FIRST back to the first. The sieve
    has a bit for each shingle.
    """
    slots[: mask + 1] = -1
    sieve[: mask // SLOTS_PER_WORD + 1] = 0
    n_distinct = 0
    # From the end, so that each occurrence finds the one behind it.
    for i in range(shingles.size - 1, -1, -1):
        word, bit = sieve_place(shingles[i], mask)
        sieve[word] |= bit
        s = slot_of(shingles[i], shingles, slots, salt, mask)
        scratch[NEXT, i] = slots[s]
        n_distinct += slots[s] < 0
        slots[s] = i
    for i in range(shingles.size):
        scratch[FIRST, i] = i
    if n_distinct < shingles.size:
        for i in range(shingles.size):
            if scratch[NEXT, i] >= 0:
                scratch[FIRST, scratch[NEXT, i]] = scratch[FIRST, i]
    return n_distinct


@compiled
def count_distinct_into(
    documents, shingles, shingle_offsets, slots, salt, sieve, scratch, n_distinct
):
    """Write the number of distinct shingles of some documents.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    shingles : uint64 [shape=(total,)]
    shingle_offsets : int64 [shape=(n_docs + 1,)]
    slots : int32 [shape=(a power of two, at least twice the longest document)], scratch
    salt : uint64, see `dedupe.kernels.tables`
    sieve : uint64 [shape=(slots.size // SLOTS_PER_WORD + 1,)], scratch
    scratch : int32 [shape=(N_SCRATCH, longest document)], scratch
        The rows of marks, COVER_LARGER, COVER_SMALLER and SEEN, are 0 before and after.
    n_distinct : int64 [shape=(n,)], overwritten
    """
    for i in range(documents.size):
        d = documents[i]
        document = shingles[shingle_offsets[d] : shingle_offsets[d + 1]]
        mask = mask_of(document.size)
        n_distinct[i] = index_into(document, slots, salt, sieve, mask, scratch)


@compiled
def mask_of(n):
    """Return one less than the size of a table for `n` shingles: at most half of it is used."""
    size = 2
    while size < 2 * n:
        size *= 2
    return size - 1


@compiled
def place_of(shingle, larger, slots, salt, sieve, mask):
    """Return where a shingle stands first in the document that is in the table, -1 if nowhere."""
    word, bit = sieve_place(shingle, mask)
    if not sieve[word] & bit:
        return -1
    return slots[slot_of(shingle, larger, slots, salt, mask)]


@compiled
def slot_of(shingle, shingles, slots, salt, mask):
    """Return the slot of a shingle in the table of a document, or the free one where it belongs."""
    s = home(shingle, salt, mask)
    while slots[s] >= 0 and shingles[slots[s]] != shingle:
        s = (s + U(1)) & U(mask)
    return s


@compiled
def _occurrence(shingle, larger, first, end, scratch):
    """Return where a shingle stands from `end` on in the larger document, or else first of all."""
    found = first
    for _ in range(MAX_OCCURRENCES):
        if found >= end:
            return found
        found = scratch[NEXT, found]
        if found < 0:
            return first
    for j in range(end, min(end + WINDOW, larger.size)):
        if larger[j] == shingle:
            return j
    return first


@compiled
def place_behind(shingle, larger, end, distance):
    """Return where a shingle goes on from a match that ends at `end` in the larger document.

    That is at the distance that it has in the smaller one, or else at once; -1 if at neither.
    """
    # Before the first match there is nothing to go on from.
    if end > 0:
        j = end + distance
        if j < larger.size and larger[U(j)] == shingle:
            return j
        if end < larger.size and larger[U(end)] == shingle:
            return end
    return -1


@compiled
def extend_into(larger, j, smaller, i, n_matches, scratch):
    """Write the match that begins at two places, as long as it can be; return its length."""
    length = 1
    longest = min(smaller.size - i, larger.size - j)
    while length < longest and larger[U(j + length)] == smaller[U(i + length)]:
        length += 1
    scratch[MATCH_LARGER, n_matches] = j
    scratch[MATCH_SMALLER, n_matches] = i
    scratch[MATCH_LENGTH, n_matches] = length
    return length


@compiled
def _match_into(larger, smaller, slots, salt, sieve, mask, scratch):
    """Write which shingles of the smaller document stand where in the larger.

    Return how many matches there are: stretches of shingles that follow each other in both
    documents, as long as they can be. A shingle that stands as far behind the match before it
    in both, or next in the larger, begins another; any other takes its next occurrence behind
    that match, or its first.
    """
    n_matches = 0
    end_larger = 0
    end_smaller = 0
    i = 0
    while i < smaller.size:
        shingle = smaller[U(i)]
        j = place_behind(shingle, larger, end_larger, i - end_smaller)
        if j < 0:
            first = place_of(shingle, larger, slots, salt, sieve, mask)
            if first < 0:
                i += 1
                continue
            j = _occurrence(shingle, larger, first, end_larger, scratch)
        length = extend_into(larger, j, smaller, i, n_matches, scratch)
        n_matches += 1
        i += length
        end_larger, end_smaller = j + length, i
    return n_matches


@compiled
def match_pair_into(a, b, indexed, shingles, shingle_offsets, slots, salt, sieve, scratch):
    """Match document `b` with the larger document `a`, which is in the table from now on.

    `indexed` is the document that the table holds already, or -1. Return how many matches
    there are.
    """
    larger = shingles[shingle_offsets[a] : shingle_offsets[a + 1]]
    smaller = shingles[shingle_offsets[b] : shingle_offsets[b + 1]]
    mask = mask_of(larger.size)
    if indexed != a:
        index_into(larger, slots, salt, sieve, mask, scratch)
    return _match_into(larger, smaller, slots, salt, sieve, mask, scratch)


@compiled
def end_of(start, length, ngram, n_words):
    """Return where the words of a match end in a document, given its first shingle and how many.

    A text shorter than a shingle has one all the same, of as many words as there are.
    """
    return min(start + length - 1 + ngram, n_words)


@compiled
def runs_into(n_matches, words_larger, words_smaller, ngram, scratch):
    """Write the runs of at least MIN_RUN words in the order of the smaller document.

    A document shorter than that is a run of its own.
    """
    n_runs = 0
    for m in range(n_matches):
        start_larger, start_smaller = scratch[MATCH_LARGER, m], scratch[MATCH_SMALLER, m]
        length = min(
            scratch[MATCH_LENGTH, m] - 1 + ngram,
            words_larger - start_larger,
            words_smaller - start_smaller,
        )
        if length >= min(MIN_RUN, words_smaller):
            scratch[RUN_LARGER, n_runs] = start_larger
            scratch[RUN_SMALLER, n_runs] = start_smaller
            scratch[RUN_LENGTH, n_runs] = length
            n_runs += 1
    return n_runs


@compiled
def _follows(x, y, ngram, scratch):
    """Return whether a run stands behind another one in the larger document, too."""
    start, before = scratch[RUN_LARGER, x], scratch[RUN_LARGER, y]
    # Two runs may share the words of the shingles at their ends.
    return before < start and before + scratch[RUN_LENGTH, y] - ngram <= start


@compiled
def chain_into(n_runs, ngram, scratch):
    """Find the heaviest chain of runs; PREVIOUS leads back through it. Return its last run."""
    last = -1
    heaviest = 0
    for x in range(n_runs):
        best = 0
        scratch[PREVIOUS, x] = -1
        # The heaviest chain is heavier than any before it, and most runs go on with it.
        goes_on = last >= 0 and last == x - 1 and _follows(x, last, ngram, scratch)
        for y in range(last if goes_on else max(0, x - AHEAD), x):
            if scratch[BEST, y] > best and _follows(x, y, ngram, scratch):
                best = scratch[BEST, y]
                scratch[PREVIOUS, x] = y
        scratch[BEST, x] = best + scratch[RUN_LENGTH, x]
        if scratch[BEST, x] > heaviest:
            heaviest = scratch[BEST, x]
            last = x
    return last


@compiled
def runs_of_pair_into(
    larger, smaller, words_larger, words_smaller, ngram, slots, salt, sieve, scratch
):
    """Write the runs of one pair into `scratch`, ordered by the smaller document.

    Parameters
    ----------
    larger, smaller : uint64 [shape=(n_shingles,)]
    words_larger, words_smaller, ngram : int
    slots, salt, sieve, scratch : as in `count_distinct_into`

    Returns
    -------
    int
        How many columns of RUN_LARGER, RUN_SMALLER and RUN_LENGTH are valid.
    """
    mask = mask_of(larger.size)
    index_into(larger, slots, salt, sieve, mask, scratch)
    n_matches = _match_into(larger, smaller, slots, salt, sieve, mask, scratch)
    return runs_into(n_matches, words_larger, words_smaller, ngram, scratch)

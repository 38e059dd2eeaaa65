"""Aligns the shingles of two documents: what they share, and in what order.

A pair is a *larger* document, whose shingles are put into a hash table once, and
a *smaller* one that is read through it. Shared shingles that follow each other in
both documents are a *match*, and the words of a long one a *run*; the heaviest sequence
of runs that keeps its order in both is the *chain* (collinear chaining; Abouelhoda &
Ohlebusch 2005). What stands between its runs is measured in `dedupe.kernels.pairs`.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.tables import SLOTS_PER_WORD, home, is_in, sieve_place

__all__ = [
    "AHEAD",
    "FEW",
    "MIN_RUN",
    "N_SCRATCH",
    "SIEVE_SLOTS",
    "UNKNOWN",
    "chain_into",
    "count_distinct_into",
    "covered_by_few_into",
    "index_into",
    "mask_of",
    "match_pair_into",
    "place_of",
    "runs_into",
    "runs_of_pair_into",
    "shared_into",
]

MIN_RUN = 8
"""Words of a run at least: shorter ones are idioms, and would cut holes in two."""

MAX_OCCURRENCES = 32
"""How many occurrences of a shingle in the larger document are tried at most, from the first."""

WINDOW = 256
"""Words behind the match before in which an occurrence is looked for where there are more."""

SIEVE_SLOTS = 4
"""Slots of a table for each word of a fine sieve. With two bits for a shingle, one in some hundreds
that are in no table is taken for one that is."""

FEW = 24
"""Shingles for which a document is looked through, one after the other: more need a table of it."""

UNKNOWN = -1
"""What is said of a pair where more than a few shingles may be shared."""

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
        s = home(shingles[i], salt, mask)
        while slots[s] >= 0 and shingles[slots[s]] != shingles[i]:
            s = (s + U(1)) & U(mask)
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
    return _first_place(shingle, larger, slots, salt, mask)


@compiled
def _first_place(shingle, larger, slots, salt, mask):
    """Return what `place_of` does, without a look at the sieve."""
    s = home(shingle, salt, mask)
    while slots[s] >= 0 and larger[slots[s]] != shingle:
        s = (s + U(1)) & U(mask)
    return slots[s]


@compiled
def _occurrence(shingle, larger, first, last, scratch):
    """Return where a shingle stands behind `last` in the larger document, or else first of all."""
    found = first
    for _ in range(MAX_OCCURRENCES):
        if found > last:
            return found
        found = scratch[NEXT, found]
        if found < 0:
            return first
    for j in range(last + 1, min(last + 1 + WINDOW, larger.size)):
        if larger[j] == shingle:
            return j
    return first


@compiled
def _match_into(larger, smaller, slots, salt, sieve, mask, scratch):
    """Write which shingles of the smaller document stand where in the larger.

    Return how many matches there are: stretches of shingles that follow each other in both
    documents, as long as they can be. A shingle that stands as far behind the match before it
    in both, or next in the larger, begins another; any other takes its next occurrence behind
    that match, or its first.
    """
    n_matches = 0
    last = -1
    before = -1
    i = 0
    while i < smaller.size:
        shingle = smaller[U(i)]
        j = last + i - before
        if last < 0 or j >= larger.size or larger[U(j)] != shingle:
            j = last + 1
            if last < 0 or j >= larger.size or larger[U(j)] != shingle:
                first = place_of(shingle, larger, slots, salt, sieve, mask)
                if first < 0:
                    i += 1
                    continue
                j = _occurrence(shingle, larger, first, last, scratch)
        length = 1
        longest = min(smaller.size - i, larger.size - j)
        while length < longest and larger[U(j + length)] == smaller[U(i + length)]:
            length += 1
        scratch[MATCH_LARGER, n_matches] = j
        scratch[MATCH_SMALLER, n_matches] = i
        scratch[MATCH_LENGTH, n_matches] = length
        n_matches += 1
        i += length
        before = i - 1
        last = j + length - 1
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
def _marks(shingle, mask):
    """Return the word of a fine sieve for a shingle, and its two bits there.

    They come from bits of the shingle itself: what is let through in vain costs a look.
    """
    word = (shingle >> U(40)) & (U(mask) // U(SIEVE_SLOTS))
    return word, (U(1) << ((shingle >> U(34)) & U(63))) | (U(1) << ((shingle >> U(28)) & U(63)))


@compiled
def _sieve_into(shingles, sieve, mask):
    """Put the shingles of a document into a fine sieve, a fifth of the work of a table."""
    sieve[: mask // SIEVE_SLOTS + 1] = 0
    for i in range(U(shingles.size)):
        word, bits = _marks(shingles[i], mask)
        sieve[word] |= bits


@compiled
def _hits_into(shingles, sieve, mask, hits):
    """Write which shingles of a document a fine sieve lets through; return how many.

    Without a branch, which could not be foreseen.
    """
    # An unsigned index spares the check for a negative one.
    n_hits = U(0)
    for i in range(U(shingles.size)):
        word, bits = _marks(shingles[i], mask)
        hits[n_hits] = i
        n_hits += U(sieve[word] & bits == bits)
    return np.int64(n_hits)


@compiled
def _put_into(shingles, slots, salt, mask):
    """Put the shingles of a document into a table, to be found and no more."""
    slots[: mask + 1] = -1
    for i in range(U(shingles.size)):
        s = home(shingles[i], salt, mask)
        while slots[s] >= 0 and shingles[slots[s]] != shingles[i]:
            s = (s + U(1)) & U(mask)
        slots[s] = i


@compiled
def _is_among(shingle, shingles):
    """Return whether a document has a shingle. It is looked through, some at once."""
    found = False
    for i in range(U(shingles.size)):
        found |= shingles[i] == shingle
    return found


@compiled
def shared_into(
    larger,
    smaller,
    shingles,
    shingle_offsets,
    watched_sieve,
    watched,
    owners,
    slots,
    salt,
    sieve,
    scratch,
    shared,
):
    """Write which shingles of smaller documents their larger one has; return how many.

    Those that are watched are left out: many pairs share nothing else. What is left is a few
    shingles as a rule, for which it does not pay to put the larger document into a table.

    Parameters
    ----------
    larger, smaller, shingles, shingle_offsets : as in `align_pairs_into`
    watched_sieve : uint64, watched : uint64, owners : int32
        The table of those shingles; see `dedupe.kernels.boilerplate`.
    slots, salt, sieve, scratch : as in `count_distinct_into`
    shared : int64 [shape=(shingles of all smaller documents,)], overwritten
        Places among the shingles of all documents.
    """
    n_shared = 0
    sieved = -1
    indexed = -1
    hits = scratch[HITS]
    for p in range(larger.size):
        a, b = larger[p], smaller[p]
        of_larger = shingles[shingle_offsets[a] : shingle_offsets[a + 1]]
        of_smaller = shingles[shingle_offsets[b] : shingle_offsets[b + 1]]
        mask = mask_of(of_larger.size)
        if sieved != a:
            _sieve_into(of_larger, sieve, mask)
            sieved = a
        n_left = 0
        for hit in hits[: _hits_into(of_smaller, sieve, mask, hits)]:
            hits[n_left] = hit
            n_left += not is_in(of_smaller[U(hit)], salt, watched_sieve, watched, owners)
        if n_left > FEW and indexed != a:
            _put_into(of_larger, slots, salt, mask)
            indexed = a
        for hit in hits[:n_left]:
            shingle = of_smaller[U(hit)]
            if indexed == a:
                is_shared = _first_place(shingle, of_larger, slots, salt, mask) >= 0
            else:
                is_shared = _is_among(shingle, of_larger)
            shared[n_shared] = shingle_offsets[b] + hit
            n_shared += is_shared
    return n_shared


@compiled
def _places_of(shingle, shingles):
    """Return how often a document has a shingle, and the sum of the places where it stands."""
    n_places = 0
    places = 0
    for i in range(shingles.size):
        is_there = np.int64(shingles[i] == shingle)
        n_places += is_there
        places += is_there * i
    return n_places, places


@compiled
def _match_few_into(larger, smaller, n_hits, scratch):
    """Write what `_match_into` does, of a few HITS and without a table; return how many.

    It is UNKNOWN where the larger document has one of them more than once, as hardly any two
    strangers do.
    """
    n_matches = 0
    last = -1
    before = -1
    i = 0
    for hit in scratch[HITS, :n_hits]:
        if hit < i:
            continue
        i = np.int64(hit)
        shingle = smaller[U(i)]
        j = last + i - before
        if last < 0 or j >= larger.size or larger[U(j)] != shingle:
            j = last + 1
            if last < 0 or j >= larger.size or larger[U(j)] != shingle:
                n_places, j = _places_of(shingle, larger)
                if n_places == 0:
                    continue
                if n_places > 1:
                    return UNKNOWN
        length = 1
        longest = min(smaller.size - i, larger.size - j)
        while length < longest and larger[U(j + length)] == smaller[U(i + length)]:
            length += 1
        scratch[MATCH_LARGER, n_matches] = j
        scratch[MATCH_SMALLER, n_matches] = i
        scratch[MATCH_LENGTH, n_matches] = length
        n_matches += 1
        i += length
        before = i - 1
        last = j + length - 1
    return n_matches


@compiled
def _count_covered(starts, lengths, n_matches, ngram, n_words, cover):
    """Return how many words of one side stand in a match; all marks are 0 before and after."""
    n_covered = 0
    for m in range(n_matches):
        for w in range(U(starts[m]), U(min(starts[m] + lengths[m] - 1 + ngram, n_words))):
            n_covered += 1 - cover[w]
            cover[w] = 1
    for m in range(n_matches):
        cover[starts[m] : min(starts[m] + lengths[m] - 1 + ngram, n_words)] = 0
    return n_covered


@compiled
def covered_by_few_into(
    larger, smaller, shingles, shingle_offsets, token_offsets, ngram, sieve, scratch, covered
):
    """Write how many words pairs share, of which few shingles alone may be shared.

    Most pairs are strangers, and two fifths of the work of putting them side by side is to put the
    larger document into a table.

    Parameters
    ----------
    larger, smaller : int64 [shape=(n_pairs,)]
        Documents. Equal values of `larger` that follow each other share one sieve.
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    ngram : int
    sieve, scratch : as in `count_distinct_into`
    covered : int64 [shape=(n_pairs,)], overwritten
        On the side that has fewer, as `dedupe.kernels.measures` counts them; UNKNOWN of others.
    """
    sieved = -1
    for p in range(larger.size):
        a, b = larger[p], smaller[p]
        of_larger = shingles[shingle_offsets[a] : shingle_offsets[a + 1]]
        of_smaller = shingles[shingle_offsets[b] : shingle_offsets[b + 1]]
        mask = mask_of(of_larger.size)
        if sieved != a:
            _sieve_into(of_larger, sieve, mask)
            sieved = a
        covered[p] = UNKNOWN
        n_hits = _hits_into(of_smaller, sieve, mask, scratch[HITS])
        if n_hits > FEW:
            continue
        n_matches = _match_few_into(of_larger, of_smaller, n_hits, scratch)
        if n_matches != UNKNOWN:
            lengths = scratch[MATCH_LENGTH]
            n_larger = token_offsets[a + 1] - token_offsets[a]
            n_smaller = token_offsets[b + 1] - token_offsets[b]
            covers = scratch[COVER_LARGER], scratch[COVER_SMALLER]
            covered[p] = min(
                _count_covered(
                    scratch[MATCH_LARGER], lengths, n_matches, ngram, n_larger, covers[0]
                ),
                _count_covered(
                    scratch[MATCH_SMALLER], lengths, n_matches, ngram, n_smaller, covers[1]
                ),
            )


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

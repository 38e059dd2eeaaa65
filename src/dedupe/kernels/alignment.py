"""Aligns the shingles of two documents: what they share, in what order, and what is between.

A pair is a *larger* document, whose shingles are put into a hash table once, and
a *smaller* one that is read through it. Shared shingles that follow each other in
both documents form *runs*; the heaviest sequence of runs that keeps its order in
both is the *chain* (collinear chaining; Abouelhoda & Ohlebusch 2005); and the *hole*
is the most text that both documents have between two neighbours of the chain
without sharing it.
"""

from dedupe.kernels import compiled
from dedupe.kernels.tables import SLOTS_PER_WORD, home, sieve_place

__all__ = [
    "AHEAD",
    "COMMON",
    "MIN_RUN",
    "N_MEASURES",
    "N_SCRATCH",
    "PARAGRAPH",
    "PROSE",
    "align_pairs_into",
    "count_distinct_into",
    "runs_of_pair_into",
    "shared_into",
]

MIN_RUN = 8
"""Words of a run at least: shorter ones are idioms, and would cut holes in two."""

MAX_OCCURRENCES = 32
"""How many occurrences of a shingle in the larger document are tried at most, from the first."""

WINDOW = 256
"""Words behind the match before in which an occurrence is looked for where there are more."""

AHEAD = 200
"""How many runs the chain looks back, which bounds its cost on patchwork."""

BARE_SHARE = 0.75
"""Share of a gap's words that must not be covered, or it is a text with many edits."""

PARAGRAPH = 25
"""Words from which a line is a paragraph. How much longer it is says nothing: the small
print of a press release is often one line of hundreds of words."""

COMMON = 0.5
"""A word that weighs less is boilerplate to the eye: more than two clusters hold it. One
that weighs more is in one cluster alone."""

PROSE = 0.6
"""Text around the chain is prose if its lines are at least this long, in lines of the shared text.

Lists have lines of a fifth, other stories of about the same length.
"""

EDGE = 5
"""A chain that begins or ends within this many words of a document touches its edge."""

# The columns of a row of measures.
SHARED, COVERED_LARGER, COVERED_SMALLER = 0, 1, 2
WEIGHT_LARGER, WEIGHT_SMALLER, BOILERPLATE = 3, 4, 5
HOLE, EXCESS_LARGER, EXCESS_SMALLER = 6, 7, 8
END_LARGER, END_SMALLER = 9, 10
REPLACED, PLACES = 11, 12
OWN = 13
N_MEASURES = 14

# The rows of int32 scratch, each as long as the longest document.
NEXT, FIRST, HIT, MATCH, COVER_LARGER, COVER_SMALLER = 0, 1, 2, 3, 4, 5
RUN_LARGER, RUN_SMALLER, RUN_LENGTH, BEST, PREVIOUS, SEEN = 6, 7, 8, 9, 10, 11
N_SCRATCH = 12


@compiled
def _index_into(shingles, slots, salt, sieve, mask, scratch):
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
            s = (s + 1) & mask
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
        mask = _mask(document.size)
        n_distinct[i] = _index_into(document, slots, salt, sieve, mask, scratch)


@compiled
def _mask(n):
    """Return one less than the size of a table for `n` shingles: at most half of it is used."""
    size = 2
    while size < 2 * n:
        size *= 2
    return size - 1


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
    """Write which shingles of the smaller document, in HIT, stand where in the larger, in MATCH.

    A shingle that stands as far behind the match before it in both documents continues
    it, as one does that follows it in the larger; any other takes its next occurrence
    behind that match, or its first. Return how many they are.
    """
    n_hits = 0
    last = -1
    before = -1
    for i in range(smaller.size):
        shingle = smaller[i]
        if last >= 0:
            j = last + i - before
            if j >= larger.size or larger[j] != shingle:
                j = last + 1
            if j < larger.size and larger[j] == shingle:
                scratch[HIT, n_hits] = before = i
                scratch[MATCH, n_hits] = last = j
                n_hits += 1
                continue
        word, bit = sieve_place(shingle, mask)
        if not sieve[word] & bit:
            continue
        s = home(shingle, salt, mask)
        while slots[s] >= 0 and larger[slots[s]] != shingle:
            s = (s + 1) & mask
        if slots[s] < 0:
            continue
        scratch[HIT, n_hits] = before = i
        scratch[MATCH, n_hits] = last = _occurrence(shingle, larger, slots[s], last, scratch)
        n_hits += 1
    return n_hits


@compiled
def _match_pair_into(a, b, indexed, shingles, shingle_offsets, slots, salt, sieve, scratch):
    """Match document `b` with the larger document `a`, which is in the table from now on.

    `indexed` is the document that the table holds already, or -1. Return how many
    shingles of `b` match.
    """
    larger = shingles[shingle_offsets[a] : shingle_offsets[a + 1]]
    smaller = shingles[shingle_offsets[b] : shingle_offsets[b + 1]]
    mask = _mask(larger.size)
    if indexed != a:
        _index_into(larger, slots, salt, sieve, mask, scratch)
    return _match_into(larger, smaller, slots, salt, sieve, mask, scratch)


@compiled
def _cover_smaller_into(n_words, n_hits, ngram, weights, first_word, scratch):
    """Mark the words of the smaller document that stand in a matched shingle.

    Return how many they are, what they weigh, how many of them are boilerplate, and
    how many no other cluster holds.
    """
    n_covered = 0
    weight = 0.0
    n_boilerplate = 0
    n_own = 0
    done = 0
    for h in range(n_hits):
        i = scratch[HIT, h]
        for w in range(max(i, done), min(i + ngram, n_words)):
            scratch[COVER_SMALLER, w] = 1
            n_covered += 1
            if weights is not None:
                weight += weights[first_word + w]
                n_boilerplate += weights[first_word + w] < COMMON
                n_own += weights[first_word + w] > COMMON
        done = i + ngram
    return n_covered, weight, n_boilerplate, n_own


@compiled
def _cover_larger_into(n_words, n_hits, ngram, weights, first_word, scratch):
    """Mark the words of the larger document that stand in a matched shingle.

    Return how many they are, what they weigh, and how many distinct shingles match.
    """
    n_covered = 0
    weight = 0.0
    n_shared = 0
    done = -1
    for h in range(n_hits):
        j = scratch[MATCH, h]
        first = scratch[FIRST, j]
        n_shared += 1 - scratch[SEEN, first]
        scratch[SEEN, first] = 1
        # Inside a run all but the last word of the shingle are marked already.
        start = j + ngram - 1 if done == j + ngram - 1 else j
        for w in range(start, min(j + ngram, n_words)):
            if scratch[COVER_LARGER, w] == 0:
                scratch[COVER_LARGER, w] = 1
                n_covered += 1
                if weights is not None:
                    weight += weights[first_word + w]
        done = j + ngram
    return n_covered, weight, n_shared


@compiled
def _uncover(words_larger, words_smaller, n_hits, ngram, scratch):
    """Take back what was marked in either document.

    Nothing goes through all of a document, of which little is shared as a rule; so
    all marks are 0 before and after.
    """
    for h in range(n_hits):
        i, j = scratch[HIT, h], scratch[MATCH, h]
        scratch[SEEN, scratch[FIRST, j]] = 0
        for w in range(j, min(j + ngram, words_larger)):
            scratch[COVER_LARGER, w] = 0
        for w in range(i, min(i + ngram, words_smaller)):
            scratch[COVER_SMALLER, w] = 0


@compiled
def _runs_into(n_hits, words_larger, words_smaller, ngram, scratch):
    """Write the runs of at least MIN_RUN words in the order of the smaller document.

    A document shorter than that is a run of its own.
    """
    n_runs = 0
    first = 0
    for h in range(n_hits):
        i, j = scratch[HIT, h], scratch[MATCH, h]
        if h + 1 < n_hits and scratch[HIT, h + 1] == i + 1 and scratch[MATCH, h + 1] == j + 1:
            continue
        start, start_larger = scratch[HIT, first], scratch[MATCH, first]
        length = min(i - start + ngram, words_larger - start_larger, words_smaller - start)
        if length >= min(MIN_RUN, words_smaller):
            scratch[RUN_LARGER, n_runs] = start_larger
            scratch[RUN_SMALLER, n_runs] = start
            scratch[RUN_LENGTH, n_runs] = length
            n_runs += 1
        first = h + 1
    return n_runs


@compiled
def _chain_into(n_runs, ngram, scratch):
    """Find the heaviest chain of runs; PREVIOUS leads back through it. Return its last run."""
    last = -1
    heaviest = 0
    for x in range(n_runs):
        best = 0
        scratch[PREVIOUS, x] = -1
        for y in range(max(0, x - AHEAD), x):
            # Two runs may share the words of the shingles at their ends.
            behind = scratch[RUN_LARGER, y] + scratch[RUN_LENGTH, y] - ngram
            follows = scratch[RUN_LARGER, y] < scratch[RUN_LARGER, x] and (
                behind <= scratch[RUN_LARGER, x]
            )
            if follows and scratch[BEST, y] > best:
                best = scratch[BEST, y]
                scratch[PREVIOUS, x] = y
        scratch[BEST, x] = best + scratch[RUN_LENGTH, x]
        if scratch[BEST, x] > heaviest:
            heaviest = scratch[BEST, x]
            last = x
    return last


@compiled
def _uncovered(cover, start, end):
    """Count the words of a stretch that are not covered."""
    n = 0
    for w in range(start, end):
        n += 1 - cover[w]
    return n


@compiled
def _holes_into(last, scratch, measures):
    """Write what both documents have inside the chain without sharing it, in words.

    HOLE is the largest gap: the lesser of its two sides. A gap that is covered in
    part is an edited text and does not count. REPLACED are such words of all gaps, and
    PLACES how many gaps have any. EXCESS_LARGER and EXCESS_SMALLER are
    for text that stands at different places: what one side of each gap has in excess
    of the other, added up.
    """
    largest = 0
    replaced = 0
    n_places = 0
    excess_larger = 0
    excess_smaller = 0
    x = last
    while x >= 0 and scratch[PREVIOUS, x] >= 0:
        y = scratch[PREVIOUS, x]
        start_larger = scratch[RUN_LARGER, y] + scratch[RUN_LENGTH, y]
        start_smaller = scratch[RUN_SMALLER, y] + scratch[RUN_LENGTH, y]
        in_larger = _uncovered(scratch[COVER_LARGER], start_larger, scratch[RUN_LARGER, x])
        in_smaller = _uncovered(scratch[COVER_SMALLER], start_smaller, scratch[RUN_SMALLER, x])
        n_words = scratch[RUN_LARGER, x] - start_larger + scratch[RUN_SMALLER, x] - start_smaller
        if in_larger + in_smaller >= BARE_SHARE * n_words:
            # Not added up: versions of one text, each with 45 words of its own elsewhere,
            # would no longer be found (recall 0 in place of 1 at ten of them).
            largest = max(largest, min(in_larger, in_smaller))
        replaced += min(in_larger, in_smaller)
        n_places += min(in_larger, in_smaller) > 0
        excess_larger += max(0, in_larger - in_smaller)
        excess_smaller += max(0, in_smaller - in_larger)
        x = y
    measures[HOLE] = largest
    measures[REPLACED] = replaced
    measures[PLACES] = n_places
    measures[EXCESS_LARGER] = excess_larger
    measures[EXCESS_SMALLER] = excess_smaller


@compiled
def _prose(cover, lines, start, end):
    """Count the words of a stretch that are not covered and stand in lines of prose."""
    total = 0.0
    n_covered = 0
    for w in range(lines.size):
        total += cover[w] * min(lines[w], PARAGRAPH)
        n_covered += cover[w]
    shortest = PROSE * total / n_covered
    n = 0
    for w in range(start, end):
        n += (1 - cover[w]) * (min(lines[w], PARAGRAPH) >= shortest)
    return n


@compiled
def _ends_into(last, lines_larger, lines_smaller, scratch, measures):
    """Write how much prose either document has at the open end of the chain, in words.

    A chain that touches the start of both documents leaves an open end behind it,
    and the other way round. Prose has lines at least PROSE times as long as those of
    the words that the document shares.
    """
    measures[END_LARGER] = measures[END_SMALLER] = 0
    if last < 0:
        return
    head = last
    while scratch[PREVIOUS, head] >= 0:
        head = scratch[PREVIOUS, head]
    n_larger = lines_larger.size
    n_smaller = lines_smaller.size
    start_larger = scratch[RUN_LARGER, head]
    start_smaller = scratch[RUN_SMALLER, head]
    end_larger = scratch[RUN_LARGER, last] + scratch[RUN_LENGTH, last]
    end_smaller = scratch[RUN_SMALLER, last] + scratch[RUN_LENGTH, last]
    at_start = max(start_larger, start_smaller) <= EDGE
    at_end = max(n_larger - end_larger, n_smaller - end_smaller) <= EDGE
    if at_start == at_end:
        return
    # The open end is before the chain, unless that begins where the documents do.
    if at_start:
        start_larger, end_larger = end_larger, n_larger
        start_smaller, end_smaller = end_smaller, n_smaller
    else:
        start_larger, end_larger = 0, start_larger
        start_smaller, end_smaller = 0, start_smaller
    cover = scratch[COVER_LARGER]
    measures[END_LARGER] = _prose(cover, lines_larger, start_larger, end_larger)
    cover = scratch[COVER_SMALLER]
    measures[END_SMALLER] = _prose(cover, lines_smaller, start_smaller, end_smaller)


@compiled
def align_pairs_into(
    larger,
    smaller,
    shingles,
    shingle_offsets,
    token_offsets,
    lines,
    weights,
    ngram,
    min_words,
    slots,
    salt,
    sieve,
    scratch,
    measures,
):
    """Write the measures of each pair: a row of the columns named at the top of this module.

    Parameters
    ----------
    larger, smaller : int64 [shape=(n_pairs,)]
        Documents. Equal values of `larger` that follow each other share one table.
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)], at least 1
    weights : float32 [shape=(n_tokens,)] or None
        Weight of each word; without it the weighted columns count words.
    ngram : int
    min_words : int
        Shared words on both sides from which holes, excesses and ends are looked for;
        they are 0 below.
    slots, salt, sieve, scratch : as in `count_distinct_into`
    measures : float64 [shape=(n_pairs, N_MEASURES)], overwritten
    """
    indexed = -1
    for p in range(larger.size):
        a = larger[p]
        b = smaller[p]
        n_hits = _match_pair_into(
            a, b, indexed, shingles, shingle_offsets, slots, salt, sieve, scratch
        )
        indexed = a
        lines_a = lines[token_offsets[a] : token_offsets[a + 1]]
        lines_b = lines[token_offsets[b] : token_offsets[b + 1]]
        words_a, words_b = lines_a.size, lines_b.size
        covered_a, weight_a, n_shared = _cover_larger_into(
            words_a, n_hits, ngram, weights, token_offsets[a], scratch
        )
        covered_b, weight_b, n_boilerplate, n_own = _cover_smaller_into(
            words_b, n_hits, ngram, weights, token_offsets[b], scratch
        )
        measures[p, SHARED] = n_shared
        measures[p, COVERED_LARGER] = covered_a
        measures[p, COVERED_SMALLER] = covered_b
        measures[p, WEIGHT_LARGER] = covered_a if weights is None else weight_a
        measures[p, WEIGHT_SMALLER] = covered_b if weights is None else weight_b
        measures[p, BOILERPLATE] = n_boilerplate
        measures[p, OWN] = covered_b if weights is None else n_own
        measures[p, HOLE:OWN] = 0
        if min(covered_a, covered_b) >= min_words:
            n_runs = _runs_into(n_hits, words_a, words_b, ngram, scratch)
            last = _chain_into(n_runs, ngram, scratch)
            _holes_into(last, scratch, measures[p])
            _ends_into(last, lines_a, lines_b, scratch, measures[p])
        _uncover(words_a, words_b, n_hits, ngram, scratch)


@compiled
def shared_into(larger, smaller, shingles, shingle_offsets, slots, salt, sieve, scratch, shared):
    """Write the shingles of smaller documents that their larger one has; return how many.

    Parameters
    ----------
    larger, smaller, shingles, shingle_offsets : as in `align_pairs_into`
    slots, salt, sieve, scratch : as in `count_distinct_into`
    shared : uint64 [shape=(shingles of all smaller documents,)], overwritten
    """
    n_shared = 0
    indexed = -1
    for p in range(larger.size):
        a, b = larger[p], smaller[p]
        n_hits = _match_pair_into(
            a, b, indexed, shingles, shingle_offsets, slots, salt, sieve, scratch
        )
        indexed = a
        for h in range(n_hits):
            shared[n_shared] = shingles[shingle_offsets[b] + scratch[HIT, h]]
            n_shared += 1
    return n_shared


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
    mask = _mask(larger.size)
    _index_into(larger, slots, salt, sieve, mask, scratch)
    n_hits = _match_into(larger, smaller, slots, salt, sieve, mask, scratch)
    return _runs_into(n_hits, words_larger, words_smaller, ngram, scratch)

"""Finds what two documents share without putting either of them into a table.

Most pairs are *strangers*: they share a few shingles, or none but boilerplate. A *sieve* of the
larger document tells which shingles of the smaller one it may have, and for a few of those it is
looked through. Pairs that share more are left to `dedupe.kernels.alignment`.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.alignment import (
    COVER_LARGER,
    COVER_SMALLER,
    HITS,
    MATCH_LARGER,
    MATCH_LENGTH,
    MATCH_SMALLER,
    end_of,
    extend_into,
    mask_of,
    place_behind,
    slot_of,
)
from dedupe.kernels.tables import is_in

__all__ = ["FEW", "SIEVE_SLOTS", "UNKNOWN", "covered_by_few_into", "held_into", "shared_into"]

U = np.uint64

SIEVE_SLOTS = 4
"""Slots of a table for each word of a fine sieve. With two bits for a shingle, one in some hundreds
that are in no table is taken for one that is."""

FEW = 24
"""Shingles for which a document is looked through, one after the other: more need a table of it."""

AT_ONCE = 1 << 6
"""Shingles after which it is asked whether more than `FEW` were let through already: of pages that
share a menu it is known after a few of them."""

UNKNOWN = -1
"""What is said of a pair where more than a few shingles may be shared."""


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
def _hits_into(shingles, start, end, sieve, mask, hits, n_hits):
    """Write which shingles of a document a fine sieve lets through, behind those before `start`.

    Return how many they are together. Without a branch, which could not be foreseen.
    """
    # An unsigned index spares the check for a negative one.
    n_hits = U(n_hits)
    for i in range(U(start), U(end)):
        word, bits = _marks(shingles[i], mask)
        hits[n_hits] = i
        n_hits += U(sieve[word] & bits == bits)
    return np.int64(n_hits)


@compiled
def _hits_of_pair_into(larger, smaller, sieved, most, sieve, hits):
    """Write which shingles of the smaller document a fine sieve of the larger one lets through.

    Return how many; once they are more than `most`, not all of them. The sieve is filled, unless
    it is of the larger one already.
    """
    mask = mask_of(larger.size)
    if not sieved:
        _sieve_into(larger, sieve, mask)
    n_hits = 0
    for start in range(0, smaller.size, AT_ONCE):
        end = min(start + AT_ONCE, smaller.size)
        n_hits = _hits_into(smaller, start, end, sieve, mask, hits, n_hits)
        if n_hits > most:
            break
    return n_hits


@compiled
def _put_into(shingles, slots, salt, mask):
    """Put the shingles of a document into a table, to be found and no more."""
    slots[: mask + 1] = -1
    for i in range(U(shingles.size)):
        slots[slot_of(shingles[i], shingles, slots, salt, mask)] = i


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
    larger, smaller, shingles, shingle_offsets : as in `covered_by_few_into`
    watched_sieve : uint64, watched : uint64, owners : int8
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
        n_hits = _hits_of_pair_into(
            of_larger, of_smaller, sieved == a, of_smaller.size, sieve, hits
        )
        sieved = a
        n_left = 0
        for hit in hits[:n_hits]:
            hits[n_left] = hit
            n_left += not is_in(of_smaller[U(hit)], salt, watched_sieve, watched, owners)
        if n_left > FEW and indexed != a:
            _put_into(of_larger, slots, salt, mask)
            indexed = a
        for hit in hits[:n_left]:
            shingle = of_smaller[U(hit)]
            if indexed == a:
                is_shared = slots[slot_of(shingle, of_larger, slots, salt, mask)] >= 0
            else:
                is_shared = _is_among(shingle, of_larger)
            shared[n_shared] = shingle_offsets[b] + hit
            n_shared += is_shared
    return n_shared


@compiled
def held_into(
    holders,
    documents,
    enough,
    shingles,
    shingle_offsets,
    token_offsets,
    ngram,
    slots,
    salt,
    sieve,
    scratch,
    held,
):
    """Write how many words of each document stand in a shingle that its holder has, too.

    Where the shingles stand in the holder nobody looks, so these are as many as the two share, or
    more. One table serves all documents that are held against the same one, long or short.

    Parameters
    ----------
    holders, documents : int64 [shape=(n_pairs,)]
        Equal values of `holders` that follow each other share one table.
    enough : int
        No more words are counted once there are so many.
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    ngram : int
    slots, salt, sieve, scratch : as in `count_distinct_into`
    held : int64 [shape=(n_pairs,)], overwritten
    """
    indexed = -1
    hits = scratch[HITS]
    for p in range(holders.size):
        a, b = holders[p], documents[p]
        holder = shingles[shingle_offsets[a] : shingle_offsets[a + 1]]
        document = shingles[shingle_offsets[b] : shingle_offsets[b + 1]]
        n_words = token_offsets[b + 1] - token_offsets[b]
        mask = mask_of(holder.size)
        if indexed != a:
            _put_into(holder, slots, salt, mask)
        n_hits = _hits_of_pair_into(holder, document, indexed == a, document.size, sieve, hits)
        indexed = a
        n_held = 0
        end = 0
        for hit in hits[:n_hits]:
            if n_held >= enough:
                break
            if slots[slot_of(document[U(hit)], holder, slots, salt, mask)] >= 0:
                behind = min(np.int64(hit) + ngram, n_words)
                n_held += behind - max(np.int64(hit), end)
                end = behind
        held[p] = n_held


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
    """Write the matches that begin with one of a few HITS, without a table; return how many.

    They are those of `match_pair_into`, and UNKNOWN where the larger document has one of the
    HITS more than once, as hardly any two strangers do.
    """
    n_matches = 0
    end_larger = 0
    end_smaller = 0
    for hit in scratch[HITS, :n_hits]:
        i = np.int64(hit)
        if i < end_smaller:
            continue
        shingle = smaller[U(i)]
        j = place_behind(shingle, larger, end_larger, i - end_smaller)
        if j < 0:
            n_places, j = _places_of(shingle, larger)
            if n_places == 0:
                continue
            if n_places > 1:
                return UNKNOWN
        length = extend_into(larger, j, smaller, i, n_matches, scratch)
        n_matches += 1
        end_larger, end_smaller = j + length, i + length
    return n_matches


@compiled
def _count_covered(starts, lengths, n_matches, ngram, n_words, cover):
    """Return how many words of one side stand in a match; all marks are 0 before and after."""
    n_covered = 0
    for m in range(n_matches):
        for w in range(U(starts[m]), U(end_of(starts[m], lengths[m], ngram, n_words))):
            n_covered += 1 - cover[w]
            cover[w] = 1
    for m in range(n_matches):
        cover[starts[m] : end_of(starts[m], lengths[m], ngram, n_words)] = 0
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
        n_hits = _hits_of_pair_into(of_larger, of_smaller, sieved == a, FEW, sieve, scratch[HITS])
        sieved = a
        covered[p] = UNKNOWN
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

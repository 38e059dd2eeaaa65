"""Bounds what two documents share from above, which is cheaper than to align them.

Where most of a document is boilerplate, a few words make up nearly all that it weighs. If the
other document does not have those, it does not matter where the rest of them stand.
"""

from dedupe.kernels import compiled
from dedupe.kernels.alignment import index_into, mask_of, place_of

__all__ = ["HEAVY", "spare_into"]

HEAVY = 0.02
"""A word that weighs less is taken for shared: to look for it costs more than it can tell."""


@compiled
def spare_into(
    larger,
    smaller,
    spare,
    shingles,
    shingle_offsets,
    token_offsets,
    weights,
    ngram,
    slots,
    salt,
    sieve,
    scratch,
    is_spared,
):
    """Write whether the larger document of each pair has nearly all that the smaller one weighs.

    The first few heavy words tell as a rule that it has not.

    Parameters
    ----------
    larger, smaller : int64 [shape=(n_pairs,)]
        Documents. Equal values of `larger` that follow each other share one table.
    spare : float64 [shape=(n_pairs,)]
        What words may weigh at most that the smaller document has alone.
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    weights : float32 [shape=(n_tokens,)]
    ngram : int
    slots, salt, sieve, scratch
        As in `dedupe.kernels.alignment.count_distinct_into`.
    is_spared : bool [shape=(n_pairs,)], overwritten
    """
    indexed = -1
    for p in range(larger.size):
        a, b = larger[p], smaller[p]
        of_larger = shingles[shingle_offsets[a] : shingle_offsets[a + 1]]
        mask = mask_of(of_larger.size)
        if indexed != a:
            index_into(of_larger, slots, salt, sieve, mask, scratch)
            indexed = a
        of_smaller = shingles[shingle_offsets[b] : shingle_offsets[b + 1]]
        words = weights[token_offsets[b] : token_offsets[b + 1]]
        alone = 0.0
        shared_until = 0
        # The first shingle that was not looked for yet.
        i = 0
        for w in range(words.size):
            if words[w] < HEAVY:
                continue
            i = max(i, w - ngram + 1)
            while i < of_smaller.size and i <= w:
                if place_of(of_smaller[i], of_larger, slots, salt, sieve, mask) >= 0:
                    shared_until = i + ngram
                i += 1
            if w >= shared_until:
                alone += words[w]
                if alone > spare[p]:
                    break
        is_spared[p] = alone <= spare[p]

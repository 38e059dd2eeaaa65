"""Counts the clusters in which each shingle occurs, in a hash table."""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.tables import home, sieve_place

__all__ = [
    "EMPTY",
    "MAX_COUNT",
    "OF_FORM",
    "count_clusters_into",
    "insert_into",
    "word_weights_into",
]

# What `last_cluster` says of a slot that holds no shingle, or one not counted yet.
EMPTY, COUNTLESS = -1, -2

OF_FORM = 1 << 15
"""Added to the count of a shingle that is part of a form, or known to be boilerplate."""

MAX_COUNT = OF_FORM - 1


@compiled
def _find(shingle, salt, table, last_cluster):
    """Return the slot of a shingle, or the empty slot where it belongs."""
    mask = table.size - 1
    slot = home(shingle, salt, mask)
    while last_cluster[slot] != EMPTY and table[slot] != shingle:
        slot = (slot + 1) & mask
    return slot


@compiled
def insert_into(
    shingles, public, shingle_counts, salt, sieve, table, counts, last_cluster, table_public
):
    """Write shingles that are not in the table yet; return how many those were.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
    public : uint64 [shape=(n,)], what is kept beside each
    shingle_counts : uint16 [shape=(n,)], what each is to start with
    salt : uint64, see `dedupe.kernels.tables`
    sieve : uint64, table : uint64, counts : uint16, last_cluster : int32, table_public : uint64
        The table, of a power of two with room for all of them, and its sieve.
    """
    n_new = 0
    for i in range(shingles.size):
        slot = _find(shingles[i], salt, table, last_cluster)
        if last_cluster[slot] == EMPTY:
            word, bit = sieve_place(shingles[i], table.size - 1)
            sieve[word] |= bit
            table[slot] = shingles[i]
            table_public[slot] = public[i]
            counts[slot] = shingle_counts[i]
            last_cluster[slot] = COUNTLESS
            n_new += 1
    return n_new


@compiled
def count_clusters_into(
    shingles, offsets, order, clusters, salt, sieve, table, counts, last_cluster
):
    """Count, for the shingles in the table, the clusters of a block of documents.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]
    order : int64 [shape=(n,)]
        The documents to count, those of a cluster after each other, also across calls.
    clusters : int64 [shape=(n_docs,)], not negative
    salt, sieve, table, counts, last_cluster
        The table, as in `insert_into`.
    """
    for d in order:
        for i in range(offsets[d], offsets[d + 1]):
            word, bit = sieve_place(shingles[i], table.size - 1)
            if not sieve[word] & bit:
                continue
            slot = _find(shingles[i], salt, table, last_cluster)
            if last_cluster[slot] != EMPTY and last_cluster[slot] != clusters[d]:
                last_cluster[slot] = clusters[d]
                if counts[slot] & MAX_COUNT < MAX_COUNT:
                    counts[slot] += np.uint16(1)


@compiled
def word_weights_into(
    shingles, offsets, token_offsets, salt, sieve, table, counts, last_cluster, weights
):
    """Write the weight of each word: 1 over the number of clusters that hold its shingle.

    The shingle of a word is the one that starts with it; the last words of a
    document take its last shingle. In a form a slot can be one word, and then all
    shingles that end in it would be as rare as the word: of the shingles of a form
    that a word stands in, the commonest counts. So it does of those that are known to be
    boilerplate, or the last words in front of a story would be as rare as that.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    salt, sieve, table, counts, last_cluster
        The table, as in `insert_into`.
    weights : float32 [shape=(n_tokens,)], overwritten
    """
    for d in range(offsets.size - 1):
        n_shingles = offsets[d + 1] - offsets[d]
        first, n_words = token_offsets[d], token_offsets[d + 1] - token_offsets[d]
        weights[first : first + n_words] = 1
        weight = np.float32(1)
        for i in range(n_shingles):
            shingle = shingles[offsets[d] + i]
            word, bit = sieve_place(shingle, table.size - 1)
            count = 1
            if sieve[word] & bit:
                slot = _find(shingle, salt, table, last_cluster)
                count = counts[slot] if last_cluster[slot] != EMPTY else 1
            weight = np.float32(1) / np.float32(max(count & MAX_COUNT, 1))
            n_covered = n_words - n_shingles + 1 if count & OF_FORM else 1
            for w in range(first + i, first + i + n_covered):
                weights[w] = min(weights[w], weight)
        for w in range(n_shingles, n_words):
            weights[first + w] = min(weights[first + w], weight)

"""In how many clusters each shingle occurs: a hash table, filled and asked."""

import numpy as np
from numba import njit

__all__ = ["count_clusters_into", "move_into", "word_weights_into"]

U = np.uint64


@njit(cache=True, nogil=True)
def _find(shingle, keys, last_cluster):
    """Return the slot of a shingle, or the empty slot where it belongs."""
    mask = keys.size - 1
    # The sample is chosen by low bits, so the slot is taken from higher ones.
    slot = np.int64((shingle >> U(20)) & U(mask))
    while last_cluster[slot] >= 0 and keys[slot] != shingle:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def count_clusters_into(shingles, offsets, clusters, sample, keys, counts, last_cluster):
    """Add a block of documents to the table.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]
    clusters : int64 [shape=(n_docs,)], not negative
        All documents of a cluster must follow each other, also across calls.
    sample : uint64
        Only shingles whose bits under this mask are all 0 are counted.
    keys : uint64, counts : uint16, last_cluster : int32 [shape=(a power of two,)]
        The table, less than full; `last_cluster` is -1 in empty slots.

    Returns
    -------
    int
        How many shingles were new.
    """
    n_new = 0
    for d in range(offsets.size - 1):
        for i in range(offsets[d], offsets[d + 1]):
            if shingles[i] & sample != U(0):
                continue
            slot = _find(shingles[i], keys, last_cluster)
            if last_cluster[slot] == clusters[d]:
                continue
            if last_cluster[slot] < 0:
                keys[slot] = shingles[i]
                n_new += 1
            last_cluster[slot] = clusters[d]
            counts[slot] = min(counts[slot] + 1, 65535)
    return n_new


@njit(cache=True, nogil=True)
def move_into(old_keys, old_counts, old_last_cluster, keys, counts, last_cluster):
    """Write what a table holds into a larger, empty one; the arrays are as above."""
    for old in range(old_keys.size):
        if old_last_cluster[old] >= 0:
            slot = _find(old_keys[old], keys, last_cluster)
            keys[slot] = old_keys[old]
            counts[slot] = old_counts[old]
            last_cluster[slot] = old_last_cluster[old]


@njit(cache=True, nogil=True)
def word_weights_into(
    shingles, offsets, token_offsets, sample, keys, counts, last_cluster, weights
):
    """Write the weight of each word: 1 over the number of clusters that hold its shingle.

    The shingle of a word is the one that starts with it; the last words of a
    document take its last shingle. Where that is not in the sample, the sampled
    shingle before it counts.

    Parameters
    ----------
    shingles, sample, keys, counts, last_cluster
        As in `count_clusters_into`.
    offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    weights : float32 [shape=(n_tokens,)], overwritten
    """
    for d in range(offsets.size - 1):
        n_shingles = offsets[d + 1] - offsets[d]
        weight = np.float32(1)
        for w in range(token_offsets[d + 1] - token_offsets[d]):
            if w < n_shingles:
                shingle = shingles[offsets[d] + w]
                if shingle & sample == U(0):
                    slot = _find(shingle, keys, last_cluster)
                    n_clusters = counts[slot] if last_cluster[slot] >= 0 else 1
                    weight = np.float32(1) / np.float32(max(n_clusters, 1))
            weights[token_offsets[d] + w] = weight

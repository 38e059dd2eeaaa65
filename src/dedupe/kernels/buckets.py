"""Turns signatures into candidate pairs, a band at a time: emitted first, then estimated."""

import numpy as np

from dedupe.kernels import compiled

__all__ = [
    "N_ANCHORS",
    "count_emissions",
    "count_mixed",
    "emit_mixed_into",
    "emit_pairs_into",
    "keep_possible",
]

U = np.uint64
LOW_HALF = U(0xFFFFFFFF)

N_ANCHORS = 2
"""A bucket that is too large links each document to this many, its largest."""


@compiled
def _bucket_end(keys, start):
    """Return where the bucket that begins at `start` ends: keys agree in their high half."""
    end = start + 1
    while end < keys.size and keys[end] >> U(32) == keys[start] >> U(32):
        end += 1
    return end


@compiled
def count_emissions(keys, cap):
    """Return how many pairs the buckets of a band hold; see `emit_pairs_into`."""
    total = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        n = end - start
        total += n * (n - 1) // 2 if n <= cap else n * N_ANCHORS
        start = end
    return total


@compiled
def emit_pairs_into(keys, cap, pairs):
    """Write the pairs of the buckets of one band; return how many.

    A bucket of at most `cap` documents gives all its pairs. A larger one links
    each document to its anchors, the last documents in it.

    Parameters
    ----------
    keys : uint64 [shape=(n_docs,)], sorted
        The value of the band in the high half, the rank of the document in the low
        half: larger documents have greater ranks.
    cap : int
    pairs : uint64 [shape=(>= count_emissions(keys, cap),)], overwritten
        The lesser rank in the high half, the greater in the low half.
    """
    n_pairs = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        # Every document is linked to those behind it, or to the anchors alone.
        is_small = end - start <= cap
        for x in range(start, end):
            a = keys[x] & LOW_HALF
            first = x + 1 if is_small else max(x + 1, end - N_ANCHORS)
            for y in range(first, end):
                pairs[n_pairs] = (a << U(32)) | (keys[y] & LOW_HALF)
                n_pairs += 1
        start = end
    return n_pairs


@compiled
def _first_old(keys, start, end, n_new):
    """Return where the old documents of a bucket begin, whose ranks are `n_new` and more."""
    while end > start and keys[end - 1] & LOW_HALF >= U(n_new):
        end -= 1
    return end


@compiled
def count_mixed(keys, cap, n_new):
    """Return how many pairs of an old and a new document there are; see `emit_mixed_into`."""
    total = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        middle = _first_old(keys, start, end, n_new)
        n_old = end - middle
        total += (middle - start) * (n_old if n_old <= cap else N_ANCHORS)
        start = end
    return total


@compiled
def emit_mixed_into(keys, cap, n_new, pairs):
    """Write the pairs of a new and an old document in the buckets of one band; return how many.

    A new document is linked to each old one of its bucket, or to the largest of more than `cap`:
    other new documents in it change nothing.

    Parameters
    ----------
    keys : uint64 [shape=(n_docs,)], sorted
        As in `emit_pairs_into`.
    cap, n_new : int
        The ranks of old documents begin at `n_new`.
    pairs : uint64 [shape=(>= count_mixed(keys, cap, n_new),)], overwritten
        The rank of the new document in the high half, that of the old one in the low half.
    """
    n_pairs = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        middle = _first_old(keys, start, end, n_new)
        first = middle if end - middle <= cap else end - N_ANCHORS
        for x in range(start, middle):
            for y in range(first, end):
                pairs[n_pairs] = ((keys[x] & LOW_HALF) << U(32)) | (keys[y] & LOW_HALF)
                n_pairs += 1
        start = end
    return n_pairs


@compiled
def _is_possible(signatures, rows, sizes, a, b, floor, z):
    """Whether the cosine similarity of two sets of shingles may reach `floor`.

    The Jaccard similarity ``J`` is estimated from equal positions and raised by `z`
    standard errors; then ``J / (1 + J) * (|A| + |B|)`` shingles are shared.
    """
    equal = 0
    n_perm = signatures.shape[1]
    row_a, row_b = rows[a], rows[b]
    for i in range(n_perm):
        equal += signatures[row_a, i] == signatures[row_b, i]
    jaccard = equal / n_perm
    jaccard += z * np.sqrt(jaccard * (1 - jaccard) / n_perm)
    shared = jaccard / (1 + jaccard) * (sizes[a] + sizes[b])
    return shared >= floor * np.sqrt(sizes[a] * sizes[b])


@compiled
def keep_possible(pairs, signatures, rows, sizes, floor, z):
    """Move the pairs that may reach the floor to the front, in their order; return how many.

    Parameters
    ----------
    pairs : uint64 [shape=(n_pairs,)], overwritten
        As `emit_pairs_into` writes them.
    signatures : uint32 [shape=(n_rows, n_perm)]
    rows : int64 [shape=(n_docs,)], by rank
    sizes : int64 [shape=(n_docs,)], by rank, at least 1
    floor, z : float
        See `_is_possible`.
    """
    n_kept = 0
    for p in range(pairs.size):
        a, b = np.int64(pairs[p] >> U(32)), np.int64(pairs[p] & LOW_HALF)
        if _is_possible(signatures, rows, sizes, a, b, floor, z):
            pairs[n_kept] = pairs[p]
            n_kept += 1
    return n_kept

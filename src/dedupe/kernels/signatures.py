"""Turns shingle hashes into MinHash signatures, in datasketch's ``affine32`` scheme."""

import numpy as np

from dedupe.kernels import compiled

__all__ = ["BLOCK", "signatures_into"]

U32, U64 = np.uint32, np.uint64
EMPTY = U32(0xFFFFFFFF)

# Shingles are taken in blocks that stay in the first-level cache.
BLOCK = 1024


@compiled
def signatures_into(shingles, offsets, a, b, block, out):
    """Write the MinHash signature of each document into `out`.

    Document ``d`` owns ``shingles[offsets[d]:offsets[d + 1]]``. The low 32 bits of
    each hash go through the finaliser of MurmurHash3, then through ``a * h + b``
    modulo 2**32 for each permutation, and the least value stays (Broder 1997). An
    empty document has all values at their maximum.

    Parameters
    ----------
    shingles : uint64 [shape=(total,)]
    offsets : int64 [shape=(n_docs + 1,)], non-decreasing, not checked
    a, b : uint32 [shape=(n_perm,)], `a` odd
    block : uint32 [shape=(BLOCK,)], scratch
    out : uint32 [shape=(n_docs, n_perm)], overwritten
    """
    for d in range(offsets.size - 1):
        least = out[d]
        least[:] = EMPTY
        for start in range(offsets[d], offsets[d + 1], BLOCK):
            n = min(BLOCK, offsets[d + 1] - start)
            for i in range(n):
                # Every product wraps around to 32 bits on purpose.
                h = U32(shingles[start + i])
                h = U32((h ^ U32(h >> U32(16))) * U32(0x85EBCA6B))
                h = U32((h ^ U32(h >> U32(13))) * U32(0xC2B2AE35))
                block[i] = h ^ U32(h >> U32(16))
            # Four at a time halve what is read and written of `least`; one that is repeated
            # changes no minimum.
            while n % 4:
                block[n] = block[0]
                n += 1
            for i in range(0, n, 4):
                for p in range(U64(a.size)):
                    f, s = a[p], b[p]
                    first = min(_permuted(f, block[i], s), _permuted(f, block[i + 1], s))
                    last = min(_permuted(f, block[i + 2], s), _permuted(f, block[i + 3], s))
                    least[p] = min(least[p], first, last)


@compiled
def _permuted(factor, h, summand):
    """Permute a hash; both wrap around to 32 bits on purpose."""
    return U32(U32(factor * h) + summand)

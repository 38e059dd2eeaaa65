"""Turns shingle hashes into MinHash signatures, in datasketch's ``affine32`` scheme."""

import numpy as np

from dedupe.kernels import compiled

__all__ = ["BLOCK", "signatures_into"]

U32 = np.uint32
EMPTY = U32(0xFFFFFFFF)

# Shingles are taken in blocks that stay in the first-level cache, and some of them at once.
BLOCK = 1024
AT_ONCE = 8


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
        out[d, :] = EMPTY
        for start in range(offsets[d], offsets[d + 1], BLOCK):
            n = min(BLOCK, offsets[d + 1] - start)
            for i in range(n):
                # Every product wraps around to 32 bits on purpose.
                h = U32(shingles[start + i])
                h = U32((h ^ U32(h >> U32(16))) * U32(0x85EBCA6B))
                h = U32((h ^ U32(h >> U32(13))) * U32(0xC2B2AE35))
                block[i] = h ^ U32(h >> U32(16))
            # Repeated values change no minimum, and fill up the last of those taken at once.
            while n % AT_ONCE:
                block[n] = block[0]
                n += 1
            # Vector registers hold several permutations each, so that no minimum has to be
            # found across one; that took a quarter longer.
            for i in range(0, n, AT_ONCE):
                for p in range(a.size):
                    least = out[d, p]
                    for k in range(AT_ONCE):
                        least = min(least, U32(U32(a[p] * block[i + k]) + b[p]))
                    out[d, p] = least

"""Turns token hashes into shingle hashes, and seals these."""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.hashing import PRIME_1, avalanche

__all__ = ["seal_into", "shingles_into"]

U = np.uint64


@compiled
def shingles_into(hashes, token_offsets, ngram, shingles, shingle_offsets):
    """Write the hash of each shingle of each document, in the order of the text.

    The hash of the tokens ``t[0] ... t[k - 1]`` is the last step of XXH64 over the
    polynomial ``(..(t[0] * P + t[1]) * P + ..) * P + t[k - 1]`` modulo 2**64, where
    P is the first prime of XXH64. A document of fewer than `ngram` tokens is one
    shingle, one of no tokens is none.

    Parameters
    ----------
    hashes : uint64 [shape=(n_tokens,)]
    token_offsets : int64 [shape=(n_docs + 1,)], non-decreasing, not checked
    ngram : int, at least 1
    shingles : uint64 [shape=(>= n_tokens,)], overwritten
    shingle_offsets : int64 [shape=(n_docs + 1,)], overwritten
    """
    leaving = _leaving(ngram)
    n_shingles = 0
    shingle_offsets[0] = 0
    for d in range(token_offsets.size - 1):
        start = token_offsets[d]
        end = token_offsets[d + 1]
        first_end = min(start + ngram, end)
        rolling = U(0)
        for t in range(start, first_end):
            rolling = rolling * PRIME_1 + hashes[t]
        if first_end > start:
            shingles[n_shingles] = avalanche(rolling)
            n_shingles += 1
        for t in range(first_end, end):
            rolling = rolling * PRIME_1 + hashes[t] - hashes[t - ngram] * leaving
            shingles[n_shingles] = avalanche(rolling)
            n_shingles += 1
        shingle_offsets[d + 1] = n_shingles


@compiled
def seal_into(token_seals, token_offsets, ngram, salt, shingles, shingle_offsets, seals):
    """Write the seal of each shingle, and mix it into the shingle.

    Texts can be made whose shingles have the hashes of others, but nobody knows the
    seals of words beforehand (`dedupe.kernels.hashing.sealed`): a shingle that was made
    to agree with another does so with a probability of about 2**-32. As the seal is kept,
    the hash can be told from the mixture.

    Parameters
    ----------
    token_seals : uint32 [shape=(n_tokens,)]
    token_offsets : int64 [shape=(n_docs + 1,)]
    ngram : int, at least 1
    salt : uint64, odd and secret
    shingles : uint64 [shape=(n_shingles,)]
        As `shingles_into` writes them.
    shingle_offsets : int64 [shape=(n_docs + 1,)]
    seals : uint32 [shape=(n_shingles,)], overwritten
    """
    leaving = _leaving(ngram)
    for d in range(token_offsets.size - 1):
        start, end = token_offsets[d], token_offsets[d + 1]
        first_end = min(start + ngram, end)
        rolling = U(0)
        for t in range(start, first_end):
            rolling = rolling * PRIME_1 + U(token_seals[t])
        for s in range(shingle_offsets[d], shingle_offsets[d + 1]):
            seal = avalanche(rolling) >> U(32)
            seals[s] = seal
            shingles[s] ^= seal * salt
            t = first_end + s - shingle_offsets[d]
            if t < end:
                rolling = (
                    rolling * PRIME_1 + U(token_seals[t]) - U(token_seals[t - ngram]) * leaving
                )


@compiled
def _leaving(ngram):
    """Return what a token is multiplied by in a shingle that it leaves, `ngram` tokens on."""
    leaving = U(1)
    for _ in range(ngram):
        leaving *= PRIME_1
    return leaving

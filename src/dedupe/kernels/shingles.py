"""Turns token hashes into shingle hashes, and these into a number for each document."""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.hashing import PRIME_1, avalanche

__all__ = ["STRETCH", "contents_into", "sealed_into", "shingles_into"]

U = np.uint64

STRETCH = 1024
"""Shingles that are made together, so that they stay in the first-level cache."""


@compiled
def shingles_into(tokens, token_offsets, ngram, shingles, shingle_offsets):
    """Write the hash of each shingle of each document, in the order of the text.

    The hash of the tokens ``t[0] ... t[k - 1]`` is the last step of XXH64 over the
    polynomial ``(..(t[0] * P + t[1]) * P + ..) * P + t[k - 1]`` modulo 2**64, where
    P is the first prime of XXH64. A document of fewer than `ngram` tokens is one
    shingle, one of no tokens is none.

    Parameters
    ----------
    tokens : uint64 [shape=(n_tokens,)]
        Their hashes.
    token_offsets : int64 [shape=(n_docs + 1,)], non-decreasing, not checked
    ngram : int, at least 1
    shingles : uint64 [shape=(>= n_tokens,)], overwritten
    shingle_offsets : int64 [shape=(n_docs + 1,)], overwritten
    """
    n_shingles = 0
    shingle_offsets[0] = 0
    for d in range(token_offsets.size - 1):
        n_tokens = token_offsets[d + 1] - token_offsets[d]
        length = min(ngram, n_tokens)
        n_of_document = min(n_tokens, n_tokens - length + 1)
        for start in range(0, n_of_document, STRETCH):
            n = min(STRETCH, n_of_document - start)
            found = shingles[n_shingles : n_shingles + n]
            _hash_runs(tokens[token_offsets[d] + start :], length, found)
            n_shingles += n
        shingle_offsets[d + 1] = n_shingles


@compiled
def _hash_runs(tokens, length, found):
    """Write the hash of each `length` tokens in a row: Horner's rule, for all at a time."""
    found[:] = U(0)
    for k in range(U(length)):
        for s in range(U(found.size)):
            found[s] = found[s] * PRIME_1 + U(tokens[s + k])
    for s in range(U(found.size)):
        found[s] = avalanche(found[s])


@compiled
def contents_into(shingles, offsets, contents):
    """Write the sum of the shingles of each document, each times its place, modulo 2**64.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]
    contents : uint64 [shape=(n_docs,)], overwritten
    """
    for d in range(offsets.size - 1):
        contents[d] = _content(shingles[offsets[d] : offsets[d + 1]], 0)


@compiled
def _content(shingles, first):
    """Return the sum of some shingles of a document, each times its place.

    Products and sums wrap around on purpose: they only have to differ where texts do.
    """
    found = U(0)
    place = U(first) + U(1)
    for s in range(U(shingles.size)):
        found += shingles[s] * (place + s)
    return found


@compiled
def sealed_into(tokens, token_seals, token_offsets, ngram, salt, room, shingles, seals, contents):
    """Write the sealed shingles of each document, and the number that tells what it says.

    Shingles are those of `shingles_into`, and numbers those of `contents_into`, made before
    anything is sealed. The seal of a shingle is the upper half of what its tokens' seals make
    as hashes do.

    Parameters
    ----------
    tokens, token_offsets, ngram
        As in `shingles_into`.
    token_seals : uint32 [shape=(n_tokens,)]
    salt : uint64
    room : uint64 [shape=(STRETCH,)], scratch
    shingles : uint64, seals : uint32 [shape=(n_shingles,)], overwritten
    contents : uint64 [shape=(n_docs,)], overwritten
    """
    n_shingles = 0
    for d in range(token_offsets.size - 1):
        n_tokens = token_offsets[d + 1] - token_offsets[d]
        length = min(ngram, n_tokens)
        n_of_document = min(n_tokens, n_tokens - length + 1)
        contents[d] = U(0)
        for start in range(0, n_of_document, STRETCH):
            n = min(STRETCH, n_of_document - start)
            first = token_offsets[d] + start
            found = shingles[n_shingles : n_shingles + n]
            _hash_runs(tokens[first:], length, found)
            contents[d] += _content(found, start)
            of_seals = room[:n]
            _hash_runs(token_seals[first:], length, of_seals)
            told = seals[n_shingles : n_shingles + n]
            for s in range(U(n)):
                seal = of_seals[s] >> U(32)
                told[s] = seal
                found[s] ^= seal * salt
            n_shingles += n

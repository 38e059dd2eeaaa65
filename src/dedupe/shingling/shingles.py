"""Turns tokens into shingles: hashed n-grams.

A *shingle* is `ngram` tokens that follow each other, as one 64-bit hash:

1. the hash of a token is XXH64, seed 0, of its folded UTF-8 bytes;
2. a shingle of the token hashes ``t[0] ... t[n - 1]`` is ``sum(t[i] * P ** (n - 1 - i))``
   modulo 2**64 with ``P = 0x9E3779B185EBCA87``, the first prime of XXH64;
3. the last step of XXH64 (its avalanche) spreads the bits of that sum.

A text of fewer tokens than `ngram` is one shingle of them all, so that a short text
equals its copy and nothing else; a text without tokens has none. Which characters
make a token is said in `dedupe.shingling.tokens`. What to do with shingles is left to
`dedupe.minhash` and `dedupe.scoring.score`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe.errors import InvalidSetting
from dedupe.kernels.shingles import shingles_into
from dedupe.kernels.tables import SALT
from dedupe.settings import MAX_NGRAM
from dedupe.shingling.tokens import Tokens, hash_tokens

__all__ = ["Sealed", "Shingles", "digests", "hash_shingles", "seal_shingles", "shingle"]


@dataclass(frozen=True, slots=True)
class Shingles:
    """The shingles of a block of documents, in the order of the text.

    Document ``d`` owns ``hashes[offsets[d]:offsets[d + 1]]``.

    Attributes
    ----------
    hashes : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]
    """

    hashes: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]


class Sealed(NamedTuple):
    """Shingles whose hashes this process alone knows, for tables in its memory.

    The hashes that others can compute can be inverted with some patience, so that a text
    is made which has those of another.

    Attributes
    ----------
    hashes : uint64 [shape=(n_shingles,)]
        They agree with a probability of about 2**-32 where words do not, whatever those are.
    seals : uint32 [shape=(n_shingles,)]
        What is mixed into them.
    """

    hashes: npt.NDArray[np.uint64]
    seals: npt.NDArray[np.uint32]

    def public(self) -> npt.NDArray[np.uint64]:
        """Return the hashes that every process knows."""
        return self.hashes ^ (self.seals.astype(np.uint64) * SALT)


def shingle(text: str, ngram: int = 5) -> npt.NDArray[np.uint64]:
    r"""Return the hashed n-grams of a text, one for each place where one starts.

    Parameters
    ----------
    text : str
    ngram : int, in 1..64
        Words in a shingle.

    Raises
    ------
    InvalidSetting
        When `ngram` lies outside its range.

    Examples
    --------
    >>> len(shingle("one two three four five six"))
    2
    >>> curly, straight = shingle("“Don’t — go,” she said"), shingle('"Don\'t -- go," she said')
    >>> bool((curly == straight).all())
    True
    """
    return hash_shingles(hash_tokens([text]), ngram).hashes


def hash_shingles(tokens: Tokens, ngram: int = 5) -> Shingles:
    """Return the shingles of a block of documents from their tokens.

    >>> hash_shingles(hash_tokens(["a b c", "", "a b c d e f"])).offsets.tolist()
    [0, 1, 1, 3]
    """
    if not 1 <= ngram <= MAX_NGRAM:
        raise InvalidSetting(f"ngram must be in 1..{MAX_NGRAM}, got {ngram}")
    return _hash_runs(tokens.hashes, tokens.offsets, ngram)


def _hash_runs(
    tokens: npt.NDArray[np.uint64] | npt.NDArray[np.uint32],
    token_offsets: npt.NDArray[np.int64],
    ngram: int,
) -> Shingles:
    """Return the hash of each run of tokens, which are given by their hashes or seals."""
    hashes = np.empty(tokens.size, np.uint64)
    offsets = np.empty_like(token_offsets)
    shingles_into(tokens, token_offsets, ngram, hashes, offsets)
    return Shingles(hashes[: offsets[-1]], offsets)


def seal_shingles(shingles: Shingles, tokens: Tokens, ngram: int = 5) -> Sealed:
    """Return shingles that differ where their words do, even words made to have one hash.

    Texts can be made whose shingles have the hashes of others, but nobody knows the seals of
    words beforehand (`dedupe.kernels.hashing.sealed`): a shingle that was made to agree with
    another has its seal with a probability of about 2**-32.

    Parameters
    ----------
    shingles : Shingles
        As ``hash_shingles(tokens, ngram)`` returns them.
    tokens : Tokens
        Hashed with their seals: ``hash_tokens(texts, detail=True)``.
    ngram : int, in 1..64

    Examples
    --------
    >>> tokens = hash_tokens(["one two three", "One, two, three!"], detail=True)
    >>> shingles = hash_shingles(tokens)
    >>> sealed = seal_shingles(shingles, tokens)
    >>> bool(sealed.hashes[0] == sealed.hashes[1])
    True
    >>> bool((sealed.public() == shingles.hashes).all())
    True
    """
    assert tokens.seals is not None, "only tokens with seals can seal shingles"
    seals = _hash_runs(tokens.seals, tokens.offsets, ngram).hashes >> np.uint64(32)
    return Sealed(shingles.hashes ^ (seals * SALT), seals.astype(np.uint32))


def digests(tokens: Tokens) -> list[bytes]:
    """Return a 128-bit digest of each document, equal where all tokens are equal.

    It is XXH3 of the token hashes as little-endian 64-bit numbers, so that copies
    which differ in typography alone have the same. Among a billion documents the
    chance of one false match is below 1e-20.

    >>> one, other, empty = digests(hash_tokens(["It’s here!", "it's here", ""]))
    >>> one == other, one == empty
    (True, False)
    """
    raw = memoryview(tokens.hashes.astype("<u8", copy=False)).cast("B")  # type: ignore[arg-type]
    bounds: Sequence[int] = (tokens.offsets * 8).tolist()
    return [xxhash.xxh3_128_digest(raw[start:end]) for start, end in pairwise(bounds)]

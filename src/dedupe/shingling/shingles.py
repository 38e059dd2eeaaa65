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

from dedupe.arrays import Hashes, Ints, offsets_of
from dedupe.errors import InvalidSetting
from dedupe.kernels.shingles import STRETCH, sealed_into, shingles_into
from dedupe.kernels.tables import SALT
from dedupe.settings import MAX_NGRAM
from dedupe.shingling.tokens import Tokens, hash_tokens

__all__ = [
    "Sealed",
    "Shingles",
    "digests",
    "hash_shingles",
    "seal_into",
    "seal_shingles",
    "shingle",
    "shingle_offsets",
]


@dataclass(frozen=True, slots=True)
class Shingles:
    """The shingles of a block of documents, in the order of the text.

    Document ``d`` owns ``hashes[offsets[d]:offsets[d + 1]]``.

    Attributes
    ----------
    hashes : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]
    """

    hashes: Hashes
    offsets: Ints


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

    hashes: Hashes
    seals: npt.NDArray[np.uint32]

    def public(self) -> Hashes:
        """Return the hashes that every process knows."""
        return self.hashes ^ (self.seals.astype(np.uint64) * SALT)


def shingle(text: str, ngram: int = 5) -> Hashes:
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
    hashes = np.empty(tokens.hashes.size, np.uint64)
    offsets = np.empty_like(tokens.offsets)
    shingles_into(tokens.hashes, tokens.offsets, _checked(ngram), hashes, offsets)
    return Shingles(hashes[: offsets[-1]], offsets)


def _checked(ngram: int) -> int:
    """Return how many words make a shingle, or refuse what is out of range."""
    if not 1 <= ngram <= MAX_NGRAM:
        raise InvalidSetting(f"ngram must be in 1..{MAX_NGRAM}, got {ngram}")
    return ngram


def shingle_offsets(token_offsets: Ints, ngram: int) -> Ints:
    """Return where the shingles of each document begin, and where the last ones end.

    >>> shingle_offsets(np.array([0, 3, 3, 9]), 5).tolist()
    [0, 1, 1, 3]
    """
    n_tokens = np.diff(token_offsets)
    return offsets_of(np.minimum(n_tokens, np.maximum(1, n_tokens - _checked(ngram) + 1)))


def seal_shingles(tokens: Tokens, ngram: int = 5) -> Sealed:
    """Return shingles that differ where their words do, even words made to have one hash.

    Texts can be made whose shingles have the hashes of others, but nobody knows the seals of
    words beforehand (`dedupe.kernels.hashing.sealed`): a shingle that was made to agree with
    another has its seal with a probability of about 2**-32.

    Parameters
    ----------
    tokens : Tokens
        Hashed with their seals: ``hash_tokens(texts, detail=True)``.
    ngram : int, in 1..64

    Examples
    --------
    >>> tokens = hash_tokens(["one two three", "One, two, three!"], detail=True)
    >>> sealed = seal_shingles(tokens)
    >>> bool(sealed.hashes[0] == sealed.hashes[1])
    True
    >>> bool((sealed.public() == hash_shingles(tokens).hashes).all())
    True
    """
    n_shingles = int(shingle_offsets(tokens.offsets, ngram)[-1])
    sealed = Sealed(np.empty(n_shingles, np.uint64), np.empty(n_shingles, np.uint32))
    seal_into(tokens, ngram, sealed)
    return sealed


def seal_into(tokens: Tokens, ngram: int, sealed: Sealed) -> Hashes:
    """Write sealed shingles where they are to be kept, and return what each document says.

    That is a number; see `dedupe.scoring.block.contents_of`.

    Parameters
    ----------
    tokens, ngram
        As in `seal_shingles`.
    sealed : Sealed
        Overwritten, and exactly as long as there are shingles.
    """
    assert tokens.seals is not None, "only tokens with seals can seal shingles"
    n_shingles = shingle_offsets(tokens.offsets, ngram)[-1]
    if not sealed.hashes.size == sealed.seals.size == n_shingles:
        raise ValueError(f"there must be room for {n_shingles} shingles, got {sealed.hashes.size}")
    contents = np.empty(tokens.offsets.size - 1, np.uint64)
    room = np.empty(STRETCH, np.uint64)
    sealed_into(tokens.hashes, tokens.seals, tokens.offsets, ngram, SALT, room, *sealed, contents)
    return contents


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

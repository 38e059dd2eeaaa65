"""Turns shingles into MinHash signatures, equal bit for bit to datasketch's.

The scheme is datasketch's ``affine32``: 4 bytes a value, 512 bytes for the default
of 128. Signatures go to datasketch and back, so that its forests, ensembles and
the storages of its LSH work on ours. Which documents are worth comparing is left
to `dedupe.lsh`.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Floats, Hashes, Ints, part
from dedupe.errors import InvalidInput
from dedupe.kernels.signatures import BLOCK, signatures_into
from dedupe.settings import SCHEME, Settings
from dedupe.shingling import Shingles, Tokens, digests, hash_encoded, hash_shingles

if TYPE_CHECKING:
    from datasketch import MinHash

__all__ = [
    "Sketches",
    "estimate_jaccard",
    "from_datasketch",
    "permutations",
    "signatures",
    "sketch",
    "sketch_hashed",
    "to_datasketch",
]

Signature = npt.NDArray[np.uint32]


@lru_cache(maxsize=16)
def permutations(num_perm: int = 128, seed: int = 1) -> tuple[Signature, Signature]:
    """Return datasketch's factors and summands of the permutations ``a * h + b``.

    Drawn as datasketch draws them, because importing it, and SciPy with it, takes a
    third of a second. A test holds them against those of `datasketch.MinHash`.
    """
    draw = _twister(seed)
    drawn = np.array([draw.getrandbits(32) for _ in range(2 * num_perm)], np.uint32)
    factors, summands = drawn[:num_perm], drawn[num_perm:]
    return (factors & np.uint32(0x7FFFFFFF)) * np.uint32(2) + np.uint32(1), summands


def _twister(seed: int) -> Random:
    """Return the generator of numbers that `numpy.random.RandomState` is for a seed.

    Loading that takes a twentieth of the time in which a small search starts. Both are MT19937
    (Matsumoto & Nishimura 1998), which Python starts otherwise from a seed.
    """
    state = [seed]
    for i in range(1, 624):
        state.append((1812433253 * (state[-1] ^ (state[-1] >> 30)) + i) & 0xFFFFFFFF)
    generator = Random()
    generator.setstate((3, (*state, len(state)), None))
    return generator


def signatures(
    shingles: Hashes,
    offsets: Ints,
    *,
    num_perm: int = 128,
    seed: int = 1,
) -> Signature:
    """Return the MinHash signature of each document of a block.

    Two signatures agree at a position with a probability that is the Jaccard
    similarity of the shingle sets (Broder 1997). The signature of a union is the
    element-wise minimum; that of no shingles is all ones.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
        Only the low 32 bits are used. With ``N`` documents a random agreement of a
        value has probability 2**-32 a pair.
    offsets : int64 [shape=(n_docs + 1,)]
        Document ``d`` owns ``shingles[offsets[d]:offsets[d + 1]]``.
    num_perm, seed : int
        As in `datasketch.MinHash`.

    Returns
    -------
    uint32 [shape=(n_docs, num_perm)]

    Examples
    --------
    >>> from dedupe.shingling import shingle
    >>> hashes = shingle("one two three four five six seven")
    >>> signatures(hashes, np.array([0, hashes.size])).shape
    (1, 128)
    """
    factors, summands = permutations(num_perm, seed)
    out = np.empty((offsets.size - 1, num_perm), np.uint32)
    block = np.empty(BLOCK, np.uint32)
    signatures_into(shingles, offsets, factors, summands, block, out)
    return out


class Sketches(NamedTuple):
    """What is kept of a block of documents until pairs of them are compared.

    Attributes
    ----------
    digests : uint64 [shape=(n_docs, 2)]
        Equal where all tokens are equal; see `dedupe.shingling.digests`.
    n_words, n_shingles : int64 [shape=(n_docs,)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    """

    digests: Hashes
    n_words: Ints
    n_shingles: Ints
    signatures: Signature

    def take(self, places: npt.NDArray[np.int64 | np.bool_]) -> "Sketches":
        """Return those of some of the documents."""
        return Sketches._make(column[places] for column in self)


def sketch(encoded: Sequence[bytes], settings: Settings) -> Sketches:
    """Shingle texts in UTF-8, and return what is needed to find candidates among them.

    Of a text that repeats itself, each repetition of a shingle counts as another one.

    >>> sketch([b"one two three", b""], Settings()).n_words.tolist()
    [3, 0]
    """
    tokens = hash_encoded(encoded, borrowed=True)
    return sketch_hashed(tokens, hash_shingles(tokens, settings.ngram), settings)


def sketch_hashed(tokens: Tokens, shingles: Shingles, settings: Settings) -> Sketches:
    """Do as `sketch`, where texts are shingles already."""
    sign = partial(signatures, num_perm=settings.num_perm, seed=settings.seed)
    signed = sign(shingles.hashes, shingles.offsets)
    n_shingles = np.diff(shingles.offsets)
    for number in np.flatnonzero(_n_distinct(signed) < MOSTLY_NEW * n_shingles).tolist():
        numbered = _numbered(shingles.hashes[part(shingles.offsets, number)])
        signed[number] = sign(numbered, np.array([0, numbered.size]))[0]
    return Sketches(
        np.frombuffer(b"".join(digests(tokens)), np.uint64).reshape(-1, 2),
        np.diff(tokens.offsets),
        n_shingles,
        signed,
    )


MOSTLY_NEW = 0.5
"""Share of the shingles of a text that are no repetitions, under which it repeats itself.

Of two such texts, a set of shingles says little: that of one word written a hundred
thousand times has one element, and any other word added to it five. Where of two copies
one lies just above and is signed as a set, it is a subset of what the other is signed as,
and half of that at least; so they still meet.
"""


def _n_distinct(signed: Signature) -> Floats:
    """Estimate from signatures how many distinct shingles each document has.

    The least of ``n`` values out of ``2 ** 32`` is ``2 ** 32 / (n + 1)`` on average; over
    `num_perm` permutations, the estimate has a standard error of ``1 / sqrt(num_perm)``, which
    is 9 % for 128 of them (Cohen 1997).
    """
    estimates: Floats = 2.0**32 / (signed.mean(axis=1) + 1) - 1
    return estimates


ODD = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: its multiples are far from each other."""


def _numbered(shingles: Hashes) -> Hashes:
    """Return shingles of which each repetition is another value, the first the shingle itself."""
    order = np.argsort(shingles, kind="stable")
    ranked = shingles[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    nth = np.arange(ranked.size) - np.repeat(starts, np.diff(np.append(starts, ranked.size)))
    # The low half of each product differs, and only that is signed.
    return ranked ^ (nth.astype(np.uint64) * ODD)


def estimate_jaccard(left: Signature, right: Signature) -> float:
    """Return the share of positions where two signatures agree.

    It is an unbiased estimate of the Jaccard similarity ``J``, with a standard error
    of ``sqrt(J * (1 - J) / num_perm)``: at most 0.044 for 128 values.

    >>> estimate_jaccard(np.uint32([1, 2, 3, 4]), np.uint32([1, 2, 0, 4]))
    0.75
    """
    return float(np.mean(left == right))


def to_datasketch(signature: Signature, *, seed: int = 1) -> "MinHash":
    """Return a signature as a `datasketch.MinHash`, for everything datasketch can do.

    Parameters
    ----------
    signature : uint32 [shape=(num_perm,)]
    seed : int
        The seed it was made with; datasketch refuses to compare different ones.

    Examples
    --------
    >>> sketch = to_datasketch(np.uint32([1, 2, 3, 4]))
    >>> from_datasketch(sketch).tolist()
    [1, 2, 3, 4]
    """
    from datasketch import MinHash  # noqa: PLC0415

    permuted = np.stack(permutations(len(signature), seed))
    return MinHash(
        hashvalues=np.array(signature, np.uint32), permutations=permuted, seed=seed, scheme=SCHEME
    )


def from_datasketch(sketch: "MinHash") -> Signature:
    """Return the signature that a `datasketch.MinHash` holds.

    Raises
    ------
    InvalidInput
        When it was made with another scheme, whose values mean something else.
    """
    if sketch.scheme != SCHEME:
        raise InvalidInput(
            f"a MinHash must have scheme {SCHEME!r}, got {sketch.scheme!r}: "
            f"make it with datasketch.MinHash(scheme={SCHEME!r})"
        )
    return np.array(sketch.hashvalues, np.uint32)

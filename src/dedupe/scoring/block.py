"""Holds documents as arrays, a block at a time: made, cut, and weighed.

A block is all that the rules of this folder see of documents. Who makes one, and keeps
it in memory or elsewhere, is left to the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Floats, Hashes, Ints, Weights, offsets_of, part
from dedupe.kernels import alignment as kernel
from dedupe.kernels.tables import SALT, SLOTS_PER_WORD
from dedupe.lazy import cached_property
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import Tokens, hash_shingles, seal_shingles

__all__ = ["MAX_LINE", "Block", "contents_of", "totals_of"]

MAX_LINE = 255
"""Longer lines count as this long; a paragraph is far shorter."""


@dataclass(frozen=True)
class Block:
    """The documents that pairs are scored among, as arrays; for one thread at a time.

    Attributes
    ----------
    shingles : uint64 [shape=(n_shingles,)]
        Sealed, so that they tell words apart whose hashes agree; see `seal_shingles`.
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)]
        Words in the line of each token; a longer one counts as `MAX_LINE`.
    ngram : int
    contents : uint64 [shape=(n_docs,)]
        What each document says, as one number; see `contents_of`.
    totals : float64 [shape=(n_docs,)]
        Weight of all words of each document; see `totals_of`.
    weights : float32 [shape=(n_tokens,)] or None
        What each word counts, in (0, 1]; without it every word counts 1.
    """

    shingles: Hashes
    shingle_offsets: Ints
    token_offsets: Ints
    lines: npt.NDArray[np.uint8]
    ngram: int
    contents: Hashes
    totals: Floats
    weights: Weights | None = None

    @classmethod
    def of(cls, tokens: Tokens, ngram: int) -> Self:
        """Make a block of tokens that were hashed with their lines and seals.

        Parameters
        ----------
        tokens : Tokens
            As ``hash_tokens(texts, detail=True)`` returns them.
        ngram : int, in 1..64

        Examples
        --------
        >>> from dedupe.shingling import hash_tokens
        >>> Block.of(hash_tokens(["one two three", "four"], detail=True), 2).n_words.tolist()
        [3, 1]
        """
        assert tokens.lines is not None, "a block needs tokens with their lines"
        shingles = hash_shingles(tokens, ngram)
        return cls(
            seal_shingles(shingles, tokens, ngram),
            shingles.offsets,
            tokens.offsets,
            np.minimum(tokens.lines, MAX_LINE).astype(np.uint8),
            ngram,
            contents_of(shingles.hashes, shingles.offsets),
            np.diff(tokens.offsets).astype(np.float64),
        )

    @cached_property
    def n_words(self) -> Ints:
        """Words of each document."""
        return np.diff(self.token_offsets)

    @cached_property
    def scratch(self) -> tuple[npt.NDArray[np.int32], np.uint64, Hashes, npt.NDArray[np.int32]]:
        """The table, its salt, the sieve and the rows that the kernels work in."""
        longest = max(1, int(self.n_words.max(initial=0)))
        n_slots = 1 << int(2 * longest).bit_length()
        return (
            np.empty(n_slots, np.int32),
            SALT,
            np.empty(n_slots // SLOTS_PER_WORD + 1, np.uint64),
            # Nothing may go through all of it for each pair: the kernels leave their marks at 0.
            np.zeros((kernel.N_SCRATCH, longest), np.int32),
        )

    def weighed(self, boilerplate: Boilerplate) -> Self:
        """Return the block with what its words count where some of them are boilerplate."""
        weights = boilerplate.weights(self.shingles, self.shingle_offsets, self.token_offsets)
        return replace(self, weights=weights, totals=totals_of(weights, self.token_offsets))

    def cut(self, documents: Sequence[int] | Ints) -> Self:
        """Return some documents as a block of their own, every word counting 1."""
        chosen = np.asarray(documents, np.int64)
        return type(self)(
            np.concatenate([self.shingles[part(self.shingle_offsets, d)] for d in chosen]),
            offsets_of(np.diff(self.shingle_offsets)[chosen]),
            offsets_of(self.n_words[chosen]),
            np.concatenate([self.lines[part(self.token_offsets, d)] for d in chosen]),
            self.ngram,
            self.contents[chosen],
            self.n_words[chosen].astype(np.float64),
        )

    def another(self) -> Self:
        """Return the same documents with a scratch of their own, for another thread."""
        return replace(self)


def totals_of(weights: Weights, offsets: Ints) -> Floats:
    """Return the sum of the weights of each document of a block.

    Parameters
    ----------
    weights : float32 [shape=(n_tokens,)]
    offsets : int64 [shape=(n_docs + 1,)]
        No document is empty.
    """
    return np.add.reduceat(weights, offsets[:-1], dtype=np.float64)


def contents_of(shingles: Hashes, offsets: Ints) -> Hashes:
    """Return a number for each document that depends on its shingles and their order.

    It is made before they are sealed, and the same in every process.

    Of two documents equally long it tells which counts as the larger, so that the
    answer depends neither on which side is named first nor on the ids.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]

    Returns
    -------
    uint64 [shape=(n_docs,)]
    """
    # Products and sums wrap around on purpose: they only have to differ where texts do.
    places = np.arange(1, shingles.size + 1, dtype=np.uint64)
    places -= np.repeat(offsets[:-1], np.diff(offsets)).astype(np.uint64)
    sums = np.zeros(shingles.size + 1, np.uint64)
    np.cumsum(shingles * places, out=sums[1:])
    return sums[offsets[1:]] - sums[offsets[:-1]]

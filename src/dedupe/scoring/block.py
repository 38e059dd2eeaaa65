"""Holds documents as arrays, a block at a time: made, cut, and weighed.

A block is all that the rules of this folder see of documents. Who makes one, and keeps
it in memory or elsewhere, is left to the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Floats, Hashes, Ints, Weights, part, parts
from dedupe.kernels.alignment import N_SCRATCH
from dedupe.kernels.measures import N_LINES, prose_into
from dedupe.kernels.shingles import contents_into
from dedupe.kernels.strangers import SIEVE_SLOTS
from dedupe.kernels.tables import SALT
from dedupe.lazy import cached_property
from dedupe.scoring.boilerplate import Boilerplate, Words, weights_of
from dedupe.shingling import Sealed, Tokens, seal_into, shingle_offsets

__all__ = ["MAX_LINE", "Block", "contents_of", "prose_of"]

MAX_LINE = 255
"""Longer lines count as this long; a paragraph is far shorter."""


@dataclass(frozen=True)
class Block:
    """The documents that pairs are scored among, as arrays; for one thread at a time.

    Attributes
    ----------
    shingles : uint64 [shape=(n_shingles,)]
        Sealed, so that they differ where words do; see `dedupe.shingling.Sealed`.
    seals : uint32 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)]
        Words in the line of each token; a longer one counts as `MAX_LINE`.
    ngram : int
    contents : uint64 [shape=(n_docs,)]
        What each document says, as one number; see `contents_of`.
    prose : float32 [shape=(n_docs, N_LINES)]
        Weight of the words of each document in lines of at least so many; see `prose_of`.
    weights : float32 [shape=(n_tokens,)] or None
        What each word counts, in (0, 1]; without it every word counts 1.
    stories : int64 [shape=(n_docs,)] or None
        The story of each document, as far as is known; without it all may be one.
    """

    shingles: Hashes
    seals: npt.NDArray[np.uint32]
    shingle_offsets: Ints
    token_offsets: Ints
    lines: npt.NDArray[np.uint8]
    ngram: int
    contents: Hashes
    prose: Weights
    weights: Weights | None = None
    stories: Ints | None = None

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
        shingles = shingle_offsets(tokens.offsets, ngram)
        sealed = Sealed(np.empty(shingles[-1], np.uint64), np.empty(shingles[-1], np.uint32))
        contents = seal_into(tokens, ngram, sealed)
        lines = np.minimum(tokens.lines, MAX_LINE).astype(np.uint8)
        prose = prose_of(lines, None, tokens.offsets)
        return cls(*sealed, shingles, tokens.offsets, lines, ngram, contents, prose)

    @cached_property
    def n_words(self) -> Ints:
        """Words of each document."""
        return np.diff(self.token_offsets)

    @cached_property
    def n_distinct(self) -> npt.NDArray[np.int32]:
        """Distinct shingles of each document, once they were counted; -1 until then."""
        return np.full(self.n_words.size, -1, np.int32)

    @property
    def words(self) -> Words:
        """What boilerplate and copies are counted among."""
        return Words(
            self.shingles, self.shingle_offsets, self.token_offsets, self.lines, self.weights
        )

    def part(self, documents: slice) -> Self:
        """Return documents that follow each other as a block of the same arrays, and no copies."""
        words = part(self.token_offsets, documents)
        shingles = part(self.shingle_offsets, documents)
        ends = slice(documents.start, documents.stop + 1)
        return replace(
            self,
            shingles=self.shingles[shingles],
            seals=self.seals[shingles],
            shingle_offsets=self.shingle_offsets[ends] - shingles.start,
            token_offsets=self.token_offsets[ends] - words.start,
            lines=self.lines[words],
            contents=self.contents[documents],
            prose=self.prose[documents],
            weights=None if self.weights is None else self.weights[words],
            stories=None if self.stories is None else self.stories[documents],
        )

    def totals(self, documents: AnyInts | slice = slice(None)) -> Floats:
        """Return what the words of some documents weigh together, or those of all."""
        return self.prose[documents, 0].astype(np.float64)

    @cached_property
    def scratch(self) -> tuple[npt.NDArray[np.int32], np.uint64, Hashes, npt.NDArray[np.int32]]:
        """The table, its salt, the sieve and the rows that the kernels work in."""
        longest = max(1, int(self.n_words.max(initial=0)))
        n_slots = 1 << int(2 * longest).bit_length()
        return (
            np.empty(n_slots, np.int32),
            SALT,
            np.empty(n_slots // SIEVE_SLOTS + 1, np.uint64),
            # Nothing may go through all of it for each pair: the kernels leave their marks at 0.
            np.zeros((N_SCRATCH, longest), np.int32),
        )

    def weighed(self, boilerplate: Boilerplate, stories: Ints | None = None) -> Self:
        """Return the block with what its words count where some of them are boilerplate.

        Parameters
        ----------
        boilerplate : Boilerplate
        stories : int64 [shape=(n_docs,)], optional
            The story of each document, as far as is known.
        """
        shingles = self.known_to(boilerplate, slice(None))
        weights = boilerplate.weights(shingles, self.shingle_offsets, self.token_offsets)
        return self._with(weights, stories)

    def counted(self, counts: npt.NDArray[np.uint16], stories: Ints) -> Self:
        """Return the block with what its words count where each shingle is in so many clusters.

        Parameters
        ----------
        counts : uint16 [shape=(n_shingles,)]
            With the mark of forms; 0 for one that is not known.
        stories : int64 [shape=(n_docs,)]
            As in `weighed`.
        """
        weights = weights_of(counts, self.shingle_offsets, self.token_offsets)
        return self._with(weights, stories)

    def _with(self, weights: Weights, stories: Ints | None) -> Self:
        prose = prose_of(self.lines, weights, self.token_offsets)
        return replace(self, weights=weights, prose=prose, stories=stories)

    def weighs_otherwise(self, before: "Block") -> Bools:
        """Return which documents have words that weighed otherwise before."""
        weights = self.weights if self.weights is not None else np.float32(1)
        differs = weights != (before.weights if before.weights is not None else np.float32(1))
        if np.ndim(differs) == 0:
            return np.zeros(self.n_words.size, np.bool_)
        found: Bools = np.logical_or.reduceat(differs, self.token_offsets[:-1])
        return found

    def weigh_again(self, boilerplate: Boilerplate, changes: Boilerplate | None = None) -> Bools:
        """Weigh words in place; return which documents have words that weighed otherwise.

        Parameters
        ----------
        boilerplate : Boilerplate
        changes : Boilerplate, optional
            The shingles whose words may weigh otherwise now, or else all may.
        """
        assert self.weights is not None, "what is weighed again must have weights"
        shingles = self.known_to(boilerplate, slice(None))
        documents = np.arange(self.n_words.size)
        if changes is not None:
            documents = documents[changes.holders(shingles, self.shingle_offsets)]
        has_changed = np.zeros(self.n_words.size, np.bool_)
        has_changed[documents] = boilerplate.weigh(
            documents, self.words._replace(shingles=shingles)
        )
        prose_into(
            np.flatnonzero(has_changed),
            self.lines,
            self.weights,
            self.token_offsets,
            np.empty(N_LINES),
            self.prose,
        )
        return has_changed

    def known_to(self, boilerplate: Boilerplate, places: slice) -> Hashes:
        """Return some shingles as the boilerplate knows them."""
        some = Sealed(self.shingles[places], self.seals[places])
        return some.public() if boilerplate.is_public else some.hashes

    def cut(self, documents: Sequence[int] | Ints) -> Self:
        """Return some documents as a block of their own, without their stories and weights."""
        chosen = np.asarray(documents, np.int64)
        if self.weights is None and np.array_equal(chosen, np.arange(self.n_words.size)):
            return replace(self, stories=None)
        words = self.words._replace(weights=None).of(chosen)
        seals = [self.seals[one] for one in parts(self.shingle_offsets, chosen)]
        return type(self)(
            words.shingles,
            np.concatenate(seals),
            words.offsets,
            words.token_offsets,
            words.lines,
            self.ngram,
            self.contents[chosen],
            prose_of(words.lines, None, words.token_offsets),
        )

    def another(self) -> Self:
        """Return the same documents with a scratch of their own, for another thread."""
        return replace(self)


def prose_of(lines: npt.NDArray[np.uint8], weights: Weights | None, offsets: Ints) -> Weights:
    """Return what the words of each document weigh that stand in lines of at least so many.

    Parameters
    ----------
    lines : uint8 [shape=(n_tokens,)]
    weights : float32 [shape=(n_tokens,)] or None
    offsets : int64 [shape=(n_docs + 1,)]

    Returns
    -------
    float32 [shape=(n_docs, N_LINES)]
        Column 0 has all words; the last one has those of paragraphs.
    """
    n_docs = offsets.size - 1
    prose = np.empty((n_docs, N_LINES), np.float32)
    prose_into(np.arange(n_docs), lines, weights, offsets, np.empty(N_LINES), prose)
    return prose


def contents_of(shingles: Hashes, offsets: Ints) -> Hashes:
    """Return a number for each document that depends on its shingles and their order.

    Of two documents equally long it tells which counts as the larger, so that the
    answer depends neither on which side is named first nor on the ids.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
        Not sealed, so that the number is the same in every process.
    offsets : int64 [shape=(n_docs + 1,)]

    Returns
    -------
    uint64 [shape=(n_docs,)]
    """
    contents = np.empty(offsets.size - 1, np.uint64)
    contents_into(shingles, offsets, contents)
    return contents

"""Documents that are to be compared, hashed once and kept for every pass.

A document is compared with several others, in more than one pass, and to hash its
text each time would take longer than the comparison. So the hashes of all of them
make one large block, which lies in a file where it does not fit in memory.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dedupe.corpus import Corpus
from dedupe.furniture import Furniture
from dedupe.progress import Progress, ProgressCallback
from dedupe.scoring import Block, contents_of, totals_of
from dedupe.shingling import hash_shingles
from dedupe.spill import Rows, release
from dedupe.text import Tokens, hash_encoded
from dedupe.threads import map_in_order

__all__ = ["Hashed", "short_lines"]

BLOCK_WORDS = 1 << 18
"""Words in a block of documents: some megabytes, so that the cache holds much of it."""

MEMORY_SHARE = 1 / 16
"""Share of the memory of a run for hashes, until they go to disk."""

MAX_LINE = 255
"""Longer lines count as this long; a paragraph is far shorter."""

Whole = npt.NDArray[np.int64]


class Hashed:
    """Some documents of a corpus as one block.

    Attributes
    ----------
    numbers : int64 [shape=(n_docs,)], ascending
        The documents by their numbers in the corpus.
    ngram : int
    """

    def __init__(self, corpus: Corpus, numbers: Whole, ngram: int, memory: int) -> None:
        self.ngram = ngram
        self._corpus = corpus
        self.numbers = numbers
        self._limit = int(memory * MEMORY_SHARE)
        self._block: Block | None = None
        self._of_thread = threading.local()

    def hash(self, workers: int, progress: ProgressCallback) -> None:
        """Read and hash the documents."""
        n_words = self._corpus.n_words[self.numbers]
        shingles, lines = Rows(self._limit), Rows(self._limit // 8)
        contents = []
        n_done = 0
        for some_shingles, some_lines, some_contents in map_in_order(
            self._hash_block, _bounds(n_words), workers
        ):
            shingles.append(some_shingles)
            lines.append(some_lines)
            contents.append(some_contents)
            n_done += some_contents.size
            progress(Progress("shingles", n_done, self.numbers.size, "documents"))
        self._block = Block(
            shingles.finish(),
            _offsets(self._corpus.n_shingles[self._corpus.rows[self.numbers]]),
            _offsets(n_words),
            lines.finish(),
            self.ngram,
            np.concatenate(contents),
            n_words.astype(np.float64),
        )

    def weigh(self, furniture: Furniture, workers: int) -> None:
        """Look up what the words of each document count."""
        block = self.block()

        def weights_of(
            bounds: tuple[int, int],
        ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
            first, last = bounds
            shingle_offsets = block.shingle_offsets[first : last + 1]
            token_offsets = block.token_offsets[first : last + 1] - block.token_offsets[first]
            weights = furniture.weights(
                block.shingles[shingle_offsets[0] : shingle_offsets[-1]],
                shingle_offsets - shingle_offsets[0],
                token_offsets,
            )
            return weights, totals_of(weights, token_offsets)

        weights = Rows(self._limit // 2)
        totals = []
        for some, their_totals in map_in_order(weights_of, _bounds(block.n_words), workers):
            weights.append(some)
            totals.append(their_totals)
        self._block = replace(block, weights=weights.finish(), totals=np.concatenate(totals))

    def block(self) -> Block:
        """Return all documents as a block, one for each thread that asks."""
        assert self._block is not None, "documents must be hashed before they are compared"
        mine: tuple[Block, Block] | None = getattr(self._of_thread, "blocks", None)
        if mine is None or mine[0] is not self._block:
            mine = self._of_thread.blocks = (self._block, replace(self._block))
        return mine[1]

    def relax(self) -> None:
        """Let go of what is in memory and in a file as well; what is wanted comes back."""
        if self._block is not None:
            for rows in (self._block.shingles, self._block.lines, self._block.weights):
                if rows is not None:
                    release(rows)

    def places(self, numbers: Whole) -> Whole:
        """Return where some documents stand in the block, which has them all."""
        return np.searchsorted(self.numbers, numbers)

    def _hash_block(
        self, bounds: tuple[int, int]
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8], npt.NDArray[np.uint64]]:
        numbers = self.numbers[slice(*bounds)]
        tokens = hash_encoded(self._corpus.encoded(numbers), detail=True)
        shingles = hash_shingles(tokens, self.ngram)
        contents = contents_of(shingles.hashes, shingles.offsets)
        return shingles.hashes, short_lines(tokens), contents


def short_lines(tokens: Tokens) -> npt.NDArray[np.uint8]:
    """Return the lengths of lines of some tokens in a byte each, MAX_LINE at most."""
    assert tokens.lines is not None
    return np.minimum(tokens.lines, MAX_LINE).astype(np.uint8)


def _bounds(n_words: Whole) -> Iterator[tuple[int, int]]:
    """Cut documents of so many words into blocks of BLOCK_WORDS: the first, and past the last."""
    n_blocks = np.cumsum(n_words) // BLOCK_WORDS
    cuts = (np.flatnonzero(np.diff(n_blocks)) + 1).tolist()
    return pairwise([0, *cuts, n_words.size])


def _offsets(lengths: Whole) -> Whole:
    """Return where each of some stretches begins, and where the last ends."""
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets

"""Documents that are to be compared, hashed once and kept for every pass.

A document is compared with several others, in more than one pass, and to hash its
text each time would take longer than the comparison. So the hashes of all of them
make one large block, which lies in a file where it does not fit in memory.
"""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, starmap
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dedupe.engine.corpus import Corpus
from dedupe.engine.spill import allocate, release
from dedupe.progress import Progress, ProgressCallback
from dedupe.scoring.alignment import Block, contents_of, totals_of
from dedupe.scoring.boilerplate import Furniture
from dedupe.shingling import hash_shingles
from dedupe.shingling.tokens import Tokens, hash_encoded
from dedupe.threads import map_in_order

__all__ = ["Hashed", "short_lines"]

BLOCK_WORDS = 1 << 18
"""Words in a block of documents: some megabytes, so that the cache holds much of it."""

MEMORY_SHARE = 1 / 16
"""Share of the memory of a run for hashes, until they go to disk."""

REGION_WORDS = 1 << 26
"""Words of documents that are looked at in no order: 64 million take up to 800 MB."""

RELAX_AFTER = 32
"""Blocks after which documents may leave memory."""

MAX_LINE = 255
"""Longer lines count as this long; a paragraph is far shorter."""

Item = TypeVar("Item")
Whole = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int32]


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
        n_shingles = self._corpus.n_shingles[self._corpus.rows[self.numbers]]
        block = Block(
            allocate(int(n_shingles.sum()), np.uint64, self._limit),
            _offsets(n_shingles),
            _offsets(n_words),
            allocate(int(n_words.sum()), np.uint8, self._limit // 8),
            self.ngram,
            np.empty(n_words.size, np.uint64),
            n_words.astype(np.float64),
        )

        def hash_into(documents: slice) -> int:
            tokens = hash_encoded(self._corpus.encoded(self.numbers[documents]), detail=True)
            shingles = hash_shingles(tokens, self.ngram)
            block.shingles[_part(block.shingle_offsets, documents)] = shingles.hashes
            block.lines[_part(block.token_offsets, documents)] = short_lines(tokens)
            block.contents[documents] = contents_of(shingles.hashes, shingles.offsets)
            return int(documents.stop)

        self._block = block
        for n_done in map_in_order(hash_into, self.relaxed(_slices(n_words)), workers):
            progress(Progress("shingles", n_done, self.numbers.size, "documents"))

    def weigh(self, furniture: Furniture, workers: int, progress: ProgressCallback) -> None:
        """Look up what the words of each document count."""
        block = self.block()
        weights = allocate(int(block.token_offsets[-1]), np.float32, self._limit // 2)
        totals = np.empty(self.numbers.size)

        def weigh_into(documents: slice) -> int:
            words = _part(block.token_offsets, documents)
            ends = slice(documents.start, documents.stop + 1)
            offsets = block.token_offsets[ends] - words.start
            shingles = _part(block.shingle_offsets, documents)
            weights[words] = furniture.weights(
                block.shingles[shingles], block.shingle_offsets[ends] - shingles.start, offsets
            )
            totals[documents] = totals_of(weights[words], offsets)
            return int(documents.stop)

        self._block = replace(block, weights=weights, totals=totals)
        for n_done in map_in_order(weigh_into, self.relaxed(_slices(block.n_words)), workers):
            progress(Progress("weights", n_done, self.numbers.size, "documents"))

    def block(self) -> Block:
        """Return all documents as a block, one for each thread that asks."""
        assert self._block is not None, "documents must be hashed before they are compared"
        mine: tuple[Block, Block] | None = getattr(self._of_thread, "blocks", None)
        if mine is None or mine[0] is not self._block:
            mine = self._of_thread.blocks = (self._block, replace(self._block))
        return mine[1]

    def relaxed(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield slices of documents, or blocks of pairs, and let go of memory now and then."""
        for number, item in enumerate(items, start=1):
            yield item
            if number % RELAX_AFTER == 0:
                self.relax(self._region(item) if isinstance(item, np.ndarray) else slice(0, 0))
        self.relax()

    def relax(self, keep: slice = slice(0, 0)) -> None:
        """Let go of what is in memory and in a file as well, but for some documents.

        What is wanted comes back, at the price of a visit to the system.
        """
        block = self.block()
        words = _part(block.token_offsets, keep)
        release(block.shingles, _part(block.shingle_offsets, keep))
        release(block.lines, words)
        if block.weights is not None:
            release(block.weights, words)

    def _region(self, pairs: npt.NDArray[np.signedinteger[Any]]) -> slice:
        """Return the documents of the region that the last of some pairs is in."""
        offsets = self.block().shingle_offsets
        (start,) = offsets[self.places(pairs[-1:, 1])] // REGION_WORDS * REGION_WORDS
        first, last = np.searchsorted(offsets[:-1], [start, start + REGION_WORDS])
        return slice(int(first), int(last))

    def in_regions(self, pairs: Pairs) -> Pairs:
        """Return pairs in an order in which little memory is looked at at a time.

        The first documents of all pairs follow each other, the second ones of
        pairs that are near each other lie in one region.

        Parameters
        ----------
        pairs : int32 [shape=(n_pairs, 2)]
            Numbers of documents, ordered by the first.
        """
        regions = self.block().shingle_offsets[self.places(pairs[:, 1])] // REGION_WORDS
        return pairs[np.argsort(regions, kind="stable")] if regions.any() else pairs

    def places(self, numbers: npt.NDArray[np.signedinteger[Any]]) -> Whole:
        """Return where some documents stand in the block, which has them all."""
        return np.searchsorted(self.numbers, numbers)


def short_lines(tokens: Tokens) -> npt.NDArray[np.uint8]:
    """Return the lengths of lines of some tokens in a byte each, MAX_LINE at most."""
    assert tokens.lines is not None
    return np.minimum(tokens.lines, MAX_LINE).astype(np.uint8)


def _slices(n_words: Whole) -> Iterator[slice]:
    """Cut documents of so many words into blocks of BLOCK_WORDS."""
    n_blocks = np.cumsum(n_words) // BLOCK_WORDS
    cuts = (np.flatnonzero(np.diff(n_blocks)) + 1).tolist()
    return starmap(slice, pairwise([0, *cuts, n_words.size]))


def _part(offsets: Whole, documents: slice) -> slice:
    """Return where what some documents own stands."""
    return slice(int(offsets[documents.start]), int(offsets[documents.stop]))


def _offsets(lengths: Whole) -> Whole:
    """Return where each of some stretches begins, and where the last ends."""
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets

"""Keeps the documents to be compared, hashed once and used by every pass.

A document is compared with several others, in more than one pass, and to hash its
text each time would take longer than the comparison. So the hashes of all of them
make one large block, which lies in a file where it does not fit in memory.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, starmap
from typing import TypeVar

import numpy as np

from dedupe.arrays import AnyInts, Bools, Ints, offsets_of, part
from dedupe.engine.corpus import Corpus
from dedupe.engine.spill import allocate, put, release
from dedupe.kernels.boilerplate import TELLS_ALL
from dedupe.kernels.measures import N_LINES
from dedupe.progress import Progress
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate, Words
from dedupe.scoring.counting import Told, tell_into
from dedupe.settings import Resources
from dedupe.shingling import hash_encoded
from dedupe.threads import map_in_order

__all__ = ["HashedDocuments"]

SLICE_WORDS = 1 << 17
"""Words in a slice of documents: some megabytes, so that the cache holds much of it."""

MEMORY_SHARE = 1 / 8
"""Share of the memory of a run for hashes, until they go to disk."""

REGION_WORDS = 1 << 25
"""Words of documents that are looked at in no order: 32 million take up to 450 MB."""

RELAX_AFTER = 4
"""Slices or batches after which documents may leave memory.

A look at a document brings sixteen pages around it, too. Documents in no order, such as copies with
the one they follow, would fill gigabytes after 32 batches; those in order cost the same.
"""

GATHERED_WORDS = 1 << 19
"""Words of documents in no order that are looked at before others may leave memory."""

Item = TypeVar("Item")


class HashedDocuments:
    """Some documents of a corpus as one block.

    Attributes
    ----------
    numbers : int64 [shape=(n_docs,)], ascending
        The documents by their numbers in the corpus.
    ngram : int
    """

    def __init__(self, corpus: Corpus, numbers: Ints, ngram: int, resources: Resources) -> None:
        self.ngram = ngram
        self._corpus = corpus
        self.numbers = numbers
        self._resources = resources
        self._limit = int(resources.memory * MEMORY_SHARE)
        self._block: Block | None = None
        self._weighed_by: Boilerplate | None = None
        self._told = np.full(numbers.size, TELLS_ALL, np.uint32)
        self._is_told_anew = np.zeros(numbers.size, np.bool_)
        self._of_thread = threading.local()

    def hash(self) -> None:
        """Read and hash the documents."""
        n_words = self._corpus.n_words[self.numbers]
        n_shingles = self._corpus.n_shingles[self._corpus.rows[self.numbers]]
        block = Block(
            allocate(int(n_shingles.sum()), np.uint64, self._limit),
            allocate(int(n_shingles.sum()), np.uint32, self._limit // 2),
            offsets_of(n_shingles),
            offsets_of(n_words),
            allocate(int(n_words.sum()), np.uint8, self._limit // 8),
            self.ngram,
            np.empty(n_words.size, np.uint64),
            np.empty((n_words.size, N_LINES), np.float32),
        )

        def hash_into(documents: slice) -> int:
            encoded = self._corpus.encoded(self.numbers[documents])
            tokens = hash_encoded(encoded, detail=True, spans=False, borrowed=True)
            made = Block.of(tokens, self.ngram)
            first = int(block.shingle_offsets[documents.start])
            put(block.shingles, first, made.shingles)
            put(block.seals, first, made.seals)
            put(block.lines, int(block.token_offsets[documents.start]), made.lines)
            block.contents[documents] = made.contents
            block.prose[documents] = made.prose
            return int(documents.stop)

        self._block = block
        self._over(_slices(n_words), hash_into, "shingles")

    def weigh(self, boilerplate: Boilerplate, stories: Ints) -> Bools:
        """Look up what the words of each document count; their stories are known as well.

        Return which documents have words that counted something else before.
        """
        block, before = self.block(), self._weighed_by
        weights, is_first = block.weights, block.weights is None
        if weights is None:
            weights = allocate(int(block.token_offsets[-1]), np.float32, self._limit // 2)
        self._block = block = replace(block, weights=weights, stories=stories)
        self._weighed_by = boilerplate
        changes = None if before is None else boilerplate.changes(before)
        has_changed = np.zeros(self.numbers.size, np.bool_)

        def weigh_into(documents: slice) -> int:
            some = block.part(documents)
            if is_first:
                # Written at once, and not into pages of which each takes a fault.
                some = replace(some, weights=np.ones(some.lines.size, np.float32))
            has_changed[documents] = some.weigh_again(boilerplate, changes)
            if is_first and some.weights is not None:
                put(weights, int(block.token_offsets[documents.start]), some.weights)
            return int(documents.stop)

        self._over(_slices(block.n_words), weigh_into, "weights")
        self._is_told_anew |= has_changed
        return has_changed

    def told(self) -> Told:
        """Return what each document tells beside boilerplate; see `dedupe.scoring.counting`."""
        words = self.block().words

        def tell(documents: slice) -> None:
            tell_into(documents.start + np.flatnonzero(is_anew[documents]), words, self._told)

        is_anew, self._is_told_anew = self._is_told_anew, np.zeros_like(self._is_told_anew)
        slices = self.relaxed(_slices(np.diff(words.token_offsets)))
        deque(map_in_order(tell, slices, self._resources.workers), maxlen=0)
        return self._told.copy()

    def _over(self, slices: Iterable[slice], work: Callable[[slice], int], stage: str) -> None:
        """Work on slices of documents, on several threads."""
        for n_done in map_in_order(work, self.relaxed(slices), self._resources.workers):
            self._resources.progress(Progress(stage, n_done, self.numbers.size, "documents"))

    def block(self) -> Block:
        """Return all documents as a block, one for each thread that asks."""
        assert self._block is not None, "documents must be hashed before they are compared"
        mine: tuple[Block, Block] | None = getattr(self._of_thread, "blocks", None)
        if mine is None or mine[0] is not self._block:
            mine = self._of_thread.blocks = (self._block, self._block.another())
        return mine[1]

    def among(self, documents: Ints) -> tuple[Words, Ints]:
        """Return words that hold those of some documents, and their places among them.

        The words of a crowd, of tens of thousands far from one another, are copied, some documents
        at a time: if they were looked at where they are, gigabytes around them would be in memory.
        """
        block = self.block()
        words, n_words = block.words, np.cumsum(block.n_words[documents])
        pieces = np.split(documents, np.flatnonzero(np.diff(n_words // GATHERED_WORDS)) + 1)
        if len(pieces) == 1:
            return words, documents
        found = []
        for some in pieces:
            found.append(words.of(some))
            self.relax()
        return Words.joined(found), np.arange(documents.size)

    def relaxed(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield slices of documents, or batches of pairs, and let go of memory now and then."""
        for number, item in enumerate(items, start=1):
            yield item
            if number % RELAX_AFTER == 0:
                self.relax(self._region(item) if isinstance(item, np.ndarray) else slice(0, 0))
        self.relax()

    def relax(self, keep: slice = slice(0, 0)) -> None:
        """Release the memory of arrays that lie in a file, except that of some documents.

        Released pages are read back when they are needed, at the cost of a system call.
        """
        block = self.block()
        words = part(block.token_offsets, keep)
        shingles = part(block.shingle_offsets, keep)
        release(block.shingles, shingles)
        # Looked at for the few shingles that are taken up, and once as a rule.
        release(block.seals)
        release(block.lines, words)
        if block.weights is not None:
            release(block.weights, words)

    def _region(self, pairs: AnyInts) -> slice:
        """Return the documents of the region that the last of some pairs is in."""
        offsets = self.block().shingle_offsets
        (start,) = offsets[pairs[-1:, 1]] // REGION_WORDS * REGION_WORDS
        first, last = np.searchsorted(offsets[:-1], [start, start + REGION_WORDS])
        return slice(int(first), int(last))

    def in_regions(self, pairs: AnyInts) -> AnyInts:
        """Return pairs in an order in which little memory is looked at at a time.

        The first documents of all pairs follow each other, the second ones of
        pairs that are near each other lie in one region.

        Parameters
        ----------
        pairs : int [shape=(n_pairs, 2)]
            Places of documents, ordered by the first.
        """
        regions = self.block().shingle_offsets[pairs[:, 1]] // REGION_WORDS
        return pairs[np.argsort(regions, kind="stable")] if regions.any() else pairs


def _slices(n_words: Ints) -> Iterator[slice]:
    """Cut documents of so many words into slices of SLICE_WORDS."""
    n_blocks = np.cumsum(n_words) // SLICE_WORDS
    cuts = (np.flatnonzero(np.diff(n_blocks)) + 1).tolist()
    return starmap(slice, pairwise([0, *cuts, n_words.size]))

"""Documents that are to be compared, hashed once and kept for every pass.

A document is compared with several others, in more than one pass. To hash its text
each time would take longer than the comparison; to keep all hashes in memory would
take more than the texts. So they wait in `dedupe.spill`, and a block of documents
is put together when it is wanted.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dedupe.corpus import Corpus
from dedupe.furniture import Furniture
from dedupe.progress import Progress, ProgressCallback
from dedupe.scoring import Block, contents_of
from dedupe.shingling import hash_shingles
from dedupe.spill import Texts
from dedupe.text import Tokens, hash_encoded
from dedupe.threads import map_in_order

__all__ = ["Hashed", "short_lines"]

BLOCK_WORDS = 1 << 18
"""Words in a block of documents: some megabytes, so that the cache holds much of it."""

MEMORY_SHARE = 1 / 8
"""Share of the memory of a run for hashes, until they go to disk."""

MAX_LINE = 255
"""Longer lines count as this long; a paragraph is far shorter."""

Whole = npt.NDArray[np.int64]


class Hashed:
    """Some documents of a corpus, named in ascending order, as blocks to compare.

    Attributes
    ----------
    ngram : int
    """

    def __init__(self, corpus: Corpus, numbers: Whole, ngram: int, memory: int) -> None:
        self.ngram = ngram
        self._corpus = corpus
        self._numbers = numbers
        self._n_words = corpus.n_words[numbers]
        self._n_shingles = corpus.n_shingles[corpus.rows[numbers]]
        self._contents = np.empty(numbers.size, np.uint64)
        limit = int(memory * MEMORY_SHARE)
        self._shingles = Texts(limit)
        self._lines = Texts(limit // 8)
        self._weights = Texts(limit // 2)

    def hash(self, workers: int, progress: ProgressCallback) -> None:
        """Read and hash the documents."""
        n_done = 0
        blocks = _cut(self._numbers, self._n_words)
        for shingles, lines, contents in map_in_order(self._hash_block, blocks, workers):
            self._shingles.extend(shingles)
            self._lines.extend(lines)
            self._contents[n_done : n_done + len(contents)] = contents
            n_done += len(contents)
            progress(Progress("shingles", n_done, self._numbers.size, "documents"))

    def weigh(self, furniture: Furniture, workers: int) -> None:
        """Look up what the words of each document count, which is 1 for most."""

        def weights_of(numbers: Whole) -> list[bytes]:
            block = self.block(numbers)
            weights = furniture.weights(block.shingles, block.shingle_offsets, block.token_offsets)
            is_plain = np.logical_and.reduceat(weights == 1, block.token_offsets[:-1])
            pieces = _pieces(weights, block.token_offsets)
            return [b"" if plain else piece for piece, plain in zip(pieces, is_plain, strict=True)]

        blocks = _cut(self._numbers, self._n_words)
        for weights in map_in_order(weights_of, blocks, workers):
            self._weights.extend(weights)

    def block(self, numbers: Whole, *, weighted: bool = False) -> Block:
        """Return some documents, which must be among those that were hashed, as a block."""
        places = np.searchsorted(self._numbers, numbers)
        wanted = places.tolist()
        token_offsets = _offsets(self._n_words[places])
        # Kernels are compiled for arrays that may be written to, as all others are.
        weights = None
        if weighted:
            weights = np.ones(int(token_offsets[-1]), np.float32)
            for place, piece in enumerate(self._weights.read(wanted)):
                if piece:
                    start, end = token_offsets[place : place + 2]
                    weights[start:end] = np.frombuffer(piece, np.float32)
        return Block(
            np.frombuffer(bytearray().join(self._shingles.read(wanted)), np.uint64),
            _offsets(self._n_shingles[places]),
            token_offsets,
            np.frombuffer(bytearray().join(self._lines.read(wanted)), np.uint8),
            self.ngram,
            self._contents[places],
            weights,
        )

    def _hash_block(
        self, numbers: Whole
    ) -> tuple[list[bytes], list[bytes], npt.NDArray[np.uint64]]:
        tokens = hash_encoded(self._corpus.encoded(numbers), detail=True)
        shingles = hash_shingles(tokens, self.ngram)
        return (
            _pieces(shingles.hashes, shingles.offsets),
            _pieces(short_lines(tokens), tokens.offsets),
            contents_of(shingles.hashes, shingles.offsets),
        )


def short_lines(tokens: Tokens) -> npt.NDArray[np.uint8]:
    """Return the lengths of lines of some tokens in a byte each, MAX_LINE at most."""
    assert tokens.lines is not None
    return np.minimum(tokens.lines, MAX_LINE).astype(np.uint8)


def _cut(numbers: Whole, n_words: Whole) -> Iterator[Whole]:
    """Cut a list of documents of so many words into blocks of BLOCK_WORDS."""
    n_blocks = np.cumsum(n_words) // BLOCK_WORDS
    yield from np.split(numbers, np.flatnonzero(np.diff(n_blocks)) + 1)


def _pieces(values: npt.NDArray[np.generic], offsets: Whole) -> list[bytes]:
    """Return the bytes of each document of a block."""
    data = values.tobytes()
    bounds = (offsets * values.itemsize).tolist()
    return [data[start:end] for start, end in pairwise(bounds)]


def _offsets(lengths: Whole) -> Whole:
    """Return where each of some stretches begins, and where the last ends."""
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets

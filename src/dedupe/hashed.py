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
from dedupe.scoring import Block
from dedupe.shingling import hash_shingles
from dedupe.spill import Texts
from dedupe.text import Tokens, hash_encoded
from dedupe.threads import map_in_order

__all__ = ["Hashed", "hash_documents", "short_lines"]

BLOCK_WORDS = 1 << 18
"""Words in a block of documents: some megabytes, so that the cache holds much of it."""

MEMORY_SHARE = 1 / 8
"""Share of the memory of a run for hashes, until they go to disk."""

MAX_LINE = 255
"""Longer lines count as this long; a paragraph is far shorter."""

Whole = npt.NDArray[np.int64]


class Hashed:
    """Shingles and lengths of lines of some documents of a corpus."""

    def __init__(self, corpus: Corpus, numbers: Whole, ngram: int, limit: int) -> None:
        self.ngram = ngram
        self._numbers = numbers
        self._n_words = corpus.n_words[numbers]
        self._n_shingles = corpus.n_shingles[corpus.rows[numbers]]
        self._shingles = Texts(limit)
        self._lines = Texts(limit // 8)

    def add(self, shingles: list[bytes], lines: list[bytes]) -> None:
        """Keep the next documents."""
        self._shingles.extend(shingles)
        self._lines.extend(lines)

    def block(self, numbers: Whole, furniture: Furniture | None = None) -> Block:
        """Return some documents, which must be among those that were hashed, as a block."""
        places = np.searchsorted(self._numbers, numbers)
        wanted = places.tolist()
        # Kernels are compiled for arrays that may be written to, as all others are.
        shingles = np.frombuffer(bytearray().join(self._shingles.read(wanted)), np.uint64)
        lines = np.frombuffer(bytearray().join(self._lines.read(wanted)), np.uint8)
        shingle_offsets = _offsets(self._n_shingles[places])
        token_offsets = _offsets(self._n_words[places])
        weights = None
        if furniture is not None:
            weights = furniture.weights(shingles, shingle_offsets, token_offsets)
        return Block(shingles, shingle_offsets, token_offsets, lines, self.ngram, weights)


def hash_documents(
    corpus: Corpus,
    numbers: Whole,
    ngram: int,
    *,
    workers: int,
    memory: int,
    progress: ProgressCallback,
) -> Hashed:
    """Hash some documents of a corpus, named in ascending order."""
    hashed = Hashed(corpus, numbers, ngram, int(memory * MEMORY_SHARE))

    def hash_some(some: Whole) -> tuple[list[bytes], list[bytes]]:
        tokens = hash_encoded(corpus.encoded(some), detail=True)
        shingles = hash_shingles(tokens, ngram)
        return (
            _pieces(shingles.hashes, shingles.offsets),
            _pieces(short_lines(tokens), tokens.offsets),
        )

    n_done = 0
    for shingles, lines in map_in_order(hash_some, _cut(numbers, corpus.n_words), workers):
        hashed.add(shingles, lines)
        n_done += len(shingles)
        progress(Progress("shingles", n_done, len(numbers), "documents"))
    return hashed


def short_lines(tokens: Tokens) -> npt.NDArray[np.uint8]:
    """Return the lengths of lines of some tokens in a byte each, MAX_LINE at most."""
    assert tokens.lines is not None
    return np.minimum(tokens.lines, MAX_LINE).astype(np.uint8)


def _cut(numbers: Whole, n_words: Whole) -> Iterator[Whole]:
    """Cut a list of documents into blocks of BLOCK_WORDS words."""
    n_blocks = np.cumsum(n_words[numbers]) // BLOCK_WORDS
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

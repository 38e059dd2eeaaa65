"""Says where documents are that are numbered by size: in which chunk, and about how large.

The *rank* of a document is its place among all, the smallest first. Chunks of them are numbered
by partition and by place within it, so that nobody has to be asked for the chunk of a rank.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dedupe.arrays import Ints

__all__ = ["CHUNK", "FIRST_BAND", "Ranks"]

CHUNK = 1 << 11
"""Documents of a chunk: a megabyte of signatures."""

FIRST_BAND = (1 << 32) - 1
"""Stands for the first band where a rank is expected; the others count down from it."""

UNKNOWN = 1 << 40
"""No document has as many shingles."""


class Ranks(NamedTuple):
    """The ranks of all documents.

    Attributes
    ----------
    starts : int64 [shape=(n_parts + 1,)]
        The first rank of each partition, and how many documents there are.
    bounds, sizes : int64 [shape=(n,)]
        Some ranks, ascending, and the shingles in those documents.
    """

    starts: Ints
    bounds: Ints
    sizes: Ints

    @classmethod
    def of(cls, told: Mapping[int, tuple[int, Sequence[tuple[int, int]]]]) -> "Ranks":
        """Return the ranks of partitions, given their documents and some places with sizes.

        >>> ranks = Ranks.of({0: (3, [(0, 7)]), 2: (2, [(0, 9)])})
        >>> ranks.chunk_of(np.array([2, 3])).tolist() == [0, 2 << 32], ranks.n_docs
        (True, 5)
        """
        n_docs = np.zeros(max(told, default=-1) + 2, np.int64)
        for part, (n, _) in told.items():
            n_docs[part + 1] = n
        starts = np.cumsum(n_docs)
        bounds = [
            (int(starts[part]) + place * CHUNK, size)
            for part in sorted(told)
            for place, size in told[part][1]
        ]
        ranks, sizes = np.array(bounds, np.int64).reshape(-1, 2).T
        # Pairs of ranks are packed into one number each, beside numbers that stand for bands.
        assert starts[-1] < FIRST_BAND - (1 << 16), "there are fewer than four billion documents"
        return cls(starts, ranks, sizes)

    @property
    def n_docs(self) -> int:
        """How many documents there are."""
        return int(self.starts[-1])

    def chunk_of(self, ranks: Ints) -> Ints:
        """Return the chunk of each rank; greater ranks are in greater chunks."""
        parts = np.searchsorted(self.starts, ranks, side="right") - 1
        places = (ranks - self.starts[parts]) // CHUNK
        chunks: Ints = (parts << 32) | places
        return chunks

    def first_of(self, chunks: Ints) -> Ints:
        """Return the first rank of each chunk."""
        firsts: Ints = self.starts[chunks >> 32] + (chunks & 0xFFFFFFFF) * CHUNK
        return firsts

    def most_of(self, ranks: Ints) -> Ints:
        """Return how many shingles the document of each rank has at most, as far as is known.

        >>> Ranks.of({0: (9000, [(0, 7), (1, 9)])}).most_of(np.array([3, 3000])).tolist()[0]
        9
        """
        after = np.searchsorted(self.bounds, ranks, side="right")
        found: Ints = np.append(self.sizes, UNKNOWN)[after]
        return found

"""Keeps in order what may join next."""

import heapq
from collections.abc import Iterator, Sequence

import numpy as np

from dedupe.arrays import AnyFloats, Ints

__all__ = ["Links"]

Link = tuple[float, int, int]


class Links:
    """Yields links, the most alike first: the score of a pair, later the mean of two clusters.

    A link is the negative of that, and a document of either side, the lesser first.
    """

    def __init__(self, pairs: Ints, scores: AnyFloats) -> None:
        order = np.lexsort((pairs[:, 1], pairs[:, 0], -scores))
        columns = (-scores[order], *pairs[order].T)
        self._links = [*zip(*(column.tolist() for column in columns), strict=True)]
        self._n_taken = 0
        self._put_off: list[Link] = []

    def __iter__(self) -> Iterator[Link]:
        while True:
            waits = self._n_taken < len(self._links)
            if self._put_off and not (waits and self._links[self._n_taken] < self._put_off[0]):
                yield heapq.heappop(self._put_off)
            elif waits:
                self._n_taken += 1
                yield self._links[self._n_taken - 1]
            else:
                return

    def put_off(self, link: Link) -> None:
        """Let a link wait until its turn comes once more."""
        heapq.heappush(self._put_off, link)

    def coming(self, n: int) -> Sequence[Link]:
        """Return the next few links, as far as none is put off."""
        return self._links[self._n_taken : self._n_taken + n]

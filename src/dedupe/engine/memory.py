"""Keeps the few documents that are compared as one block in memory, and works in one thread."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Ints
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate, Learned, Words
from dedupe.scoring.counting import count

__all__ = ["BlockInMemory"]

Item = TypeVar("Item")
Found = TypeVar("Found")


class BlockInMemory:
    """One block, and rules applied to all of it at once: a `dedupe.engine.port.Blocks`.

    Attributes
    ----------
    numbers : int64 [shape=(n_docs,)], ascending
        The documents, by default numbered from 0.
    """

    def __init__(self, block: Block, numbers: Ints | None = None) -> None:
        self.numbers = np.arange(block.n_words.size) if numbers is None else numbers
        self._block = block

    def block(self) -> Block:
        """Return the block."""
        return self._block

    def places(self, numbers: AnyInts) -> AnyInts:
        """Return where documents stand among these, -1 for one that does not."""
        if not self.numbers.size:
            return np.full(numbers.shape, -1)
        nearest = np.minimum(np.searchsorted(self.numbers, numbers), self.numbers.size - 1)
        return np.where(self.numbers[nearest] == numbers, nearest, -1)

    def in_order(self, pairs: AnyInts) -> AnyInts:
        """Return pairs as they are: no order is faster."""
        return pairs

    def map(
        self,
        stage: str,  # noqa: ARG002  Nothing is told, and nothing kept.
        rule: Callable[[Block, AnyInts], tuple[npt.NDArray[Any], ...]],
        pairs: AnyInts,
    ) -> tuple[npt.NDArray[Any], ...]:
        """Apply a pass to all pairs, and return its columns."""
        return rule(self._block, pairs)

    def each(
        self,
        rule: Callable[[Block, AnyInts], Found],
        pairs: AnyInts,
        stage: str = "",  # noqa: ARG002
    ) -> Iterator[Found]:
        """Apply a rule to all pairs, if there are any."""
        if len(pairs):
            yield rule(self._block, pairs)

    def over(self, rule: Callable[[Block, Item], Found], items: Iterable[Item]) -> Iterator[Found]:
        """Apply a rule to other items than pairs."""
        return (rule(self._block, item) for item in items)

    def among(
        self, rule: Callable[[Words, Ints, Item], Found], items: Iterable[tuple[Ints, Item]]
    ) -> Iterator[Found]:
        """Apply a rule to other items, each with its documents."""
        return (rule(self._block.words, documents, item) for documents, item in items)

    def once(self, make: Callable[[], Learned], n_pairs: int, of: str = "") -> Learned:  # noqa: ARG002
        """Return what is learned."""
        return make()

    def count(self, boilerplate: Boilerplate, stories: Ints) -> None:
        """Count in how many stories each watched shingle stands."""
        count(boilerplate, self._block.words, stories)

    def weigh(self, boilerplate: Boilerplate, stories: Ints) -> Bools:
        """Weigh every word by this boilerplate, and return which documents that changes."""
        before, self._block = self._block, self._block.weighed(boilerplate, stories)
        return self._block.weighs_otherwise(before)

    def few(self, rule: Callable[[Block, AnyInts], Found], pairs: AnyInts) -> Found:
        """Apply a rule to a few pairs."""
        return rule(self._block, pairs)

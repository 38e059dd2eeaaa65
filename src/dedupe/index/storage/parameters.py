"""Cuts the values that a statement of SQLite looks for into as many as it may take."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

__all__ = ["AT_ONCE", "marks", "parted"]

AT_ONCE = 512
"""Parameters of a statement: SQLite may take no more than 999."""


def parted(values: Sequence[Any]) -> Iterator[tuple[Sequence[Any], str]]:
    """Yield values in parts for a statement that looks for them, and the marks in their places.

    One of them is repeated until they are a power of two: SQLite takes longer to understand a
    statement than to run it, and remembers few.

    >>> [*parted([7, 8, 9])]
    [([7, 8, 9, 9], '?, ?, ?, ?')]
    """
    for start in range(0, len(values), AT_ONCE):
        few = [*values[start : start + AT_ONCE]]
        few += few[-1:] * ((1 << (len(few) - 1).bit_length()) - len(few))
        yield few, marks(len(few))


@cache
def marks(n: int) -> str:
    """Return the places of some parameters in a statement."""
    return ", ".join("?" * n)

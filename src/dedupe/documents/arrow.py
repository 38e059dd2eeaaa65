"""Turns values of Arrow into values of Python, where there are any.

Arrow holds times that Python has none for, and strings that nobody has checked. What becomes
of such a value is left to `dedupe.documents.document`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dedupe.documents.streams import Unreadable
from dedupe.documents.values import Ticks

__all__ = ["Record", "time_or_none", "value_of"]


def value_of(scalar: Any) -> object:
    """Return a value of Arrow as one of Python.

    Raises
    ------
    Unreadable
        When a string is not UTF-8.
    """
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason}", "repair this row") from error
    except (ValueError, LookupError, ArithmeticError):
        if hasattr(scalar, "items"):  # Of several fields in one, a bad one costs itself alone.
            return {name: time_or_none(part) for name, part in scalar.items()}
        inner = getattr(scalar, "value", None)
        if inner is None or isinstance(inner, int):
            return None if inner is None else Ticks(inner)
        # In a dictionary or an extension type, the value is a scalar once more.
        return value_of(inner)


def time_or_none(scalar: Any) -> object:
    """Return a value of Arrow, or None for what is none: a bad time costs no more than itself."""
    try:
        return value_of(scalar)
    except Unreadable:
        return None


class Record(Mapping[str, object]):
    """A row of a table, whose values are made when they are asked for.

    So a column that nobody asks for may hold anything.

    Parameters
    ----------
    columns : dict from str to sequence
        Columns of Arrow, or values of Python.
    row : int
    """

    __slots__ = ("_columns", "_row")

    def __init__(self, columns: dict[str, Sequence[Any]], row: int) -> None:
        self._columns = columns
        self._row = row

    def __getitem__(self, name: str) -> object:
        value = self._columns[name][self._row]
        return value_of(value) if hasattr(value, "as_py") else value

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

"""Says what an id can be, and does with it what depends on its type.

A document goes by what its caller calls it: a number, a string, a date, the label of a row. An
answer that came back in another type would fit nothing there. So ids are kept as they came, and
wherever they are compared, written or read, that is done here.

Old documents, those that others are held against, have a space of ids of their own: what is
crawled again has the address that it had before. There an id is marked as `Old`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Annotated, Any
from uuid import UUID

__all__ = [
    "Id",
    "Ids",
    "Old",
    "checked_id",
    "find_id",
    "id_as_json",
    "id_from_json",
    "in_order",
    "order_of",
    "plain_id",
]

Id = Annotated[Any, "an id"]
"""str, int, float, Decimal, bytes, UUID, date, datetime or a tuple of these, maybe in `Old`."""

Ids = tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Old:
    """The id of a document of the old collection, in `Result` and all that is in it.

    Attributes
    ----------
    id : str, int, ...
        As it is in that collection.

    Examples
    --------
    >>> Old("a") == "a", str(Old("a")), Old("a").id
    (False, 'old a', 'a')
    """

    id: Id

    def __str__(self) -> str:
        return f"old {self.id}"


def plain_id(id_: Id) -> Id:
    """Return an id as it is in its collection.

    >>> plain_id(Old(7)), plain_id(7)
    (7, 7)
    """
    return id_.id if isinstance(id_, Old) else id_


def checked_id(value: object) -> Id:
    """Return a value as an id, scalars of numpy as what they are in Python.

    Raises
    ------
    TypeError
        When it cannot be one: it is of another type, or no number. The message says what it is.

    Examples
    --------
    >>> checked_id(("a", 7))
    ('a', 7)
    """
    if type(value) is str:
        return value
    if hasattr(value, "dtype") and hasattr(value, "item"):
        kind, value = type(value).__name__, value.item()
        if kind == "datetime64" and isinstance(value, int):
            raise TypeError("a time in nanoseconds")
    if isinstance(value, bool):
        raise TypeError("true or false")
    if isinstance(value, tuple):
        return tuple(map(checked_id, value))
    if getattr(value, "nanosecond", 0):
        raise TypeError("a time in nanoseconds")
    if isinstance(value, float | Decimal) and not isfinite(value):
        raise TypeError("no finite number")
    if isinstance(value, TYPES):
        return value
    raise TypeError(f"of type {type(value).__name__}")


TYPES = (str, int, float, Decimal, bytes, UUID, date)
"""What can be an id: values that never change, and that JSON can state."""


def order_of(id_: Id) -> tuple[Any, ...]:
    """Return what ids are ordered by, whatever their types: numbers, strings, the others.

    >>> sorted(["b", 10, 9, Old("a"), "a"], key=order_of)
    [9, 10, 'a', Old(id='a'), 'b']
    """
    value = plain_id(id_)
    is_old = value is not id_
    if isinstance(value, str):
        return 1, value, is_old
    if isinstance(value, int | float | Decimal):
        return 0, value, is_old
    if isinstance(value, tuple):
        return 3, tuple(map(order_of, value)), is_old
    # Times with a zone and without one cannot be compared.
    return 2, (_kind_of(value), str(value)), is_old


def find_id(name: Id, ids: Collection[Id]) -> Id | None:
    """Return the id that is meant, as it is or as text; of an old document also by its own id.

    >>> find_id("7", [7, 8]), find_id("a", [Old("a")]), find_id("old a", [Old("a")])
    (7, Old(id='a'), Old(id='a'))
    """
    for named in (name, Old(name)):
        if _is_hashable(named) and named in ids:
            return named
    found = [id_ for id_ in ids if str(id_) == str(name)]
    found += [id_ for id_ in ids if isinstance(id_, Old) and str(id_.id) == str(name)]
    return found[0] if found else None


def _is_hashable(value: object) -> bool:
    """Return whether a value can be looked up."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def in_order(ids: Sequence[Id], places: Iterable[int]) -> list[int]:
    """Return places of ids in the order of these.

    >>> in_order(["b", "a", 1], [0, 1])
    [1, 0]
    """
    # Strings alone, as most ids are, need no key that would be made for each of them.
    if {str}.issuperset(map(type, ids)):
        return sorted(places, key=ids.__getitem__)
    return sorted(places, key=lambda place: order_of(ids[place]))


def id_as_json(id_: Id) -> Any:
    """Return an id as JSON has it: strings and numbers as they are, others with their type.

    >>> id_as_json("a"), id_as_json((1, date(2024, 5, 1))), id_as_json(Old("a"))
    ('a', {'tuple': [1, {'date': '2024-05-01'}]}, {'old': 'a'})
    """
    if isinstance(id_, str | int | float):
        return id_
    if isinstance(id_, Old):
        return {"old": id_as_json(id_.id)}
    if isinstance(id_, tuple):
        return {"tuple": list(map(id_as_json, id_))}
    kind = _kind_of(id_)
    return {kind: _SAID[kind](id_)}


def id_from_json(value: Any) -> Id:
    """Return the id that `id_as_json` has written.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> id_from_json({"old": {"uuid": "00000000-0000-0000-0000-000000000007"}})
    Old(id=UUID('00000000-0000-0000-0000-000000000007'))
    """
    if isinstance(value, dict) and len(value) == 1 and "old" in value:
        return Old(_plain_from_json(value["old"]))
    return _plain_from_json(value)


def _plain_from_json(value: Any) -> Id:
    """Return an id that is not marked as old."""
    if type(value) in (str, int, float):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("no id")
    ((kind, said),) = value.items()
    if kind == "tuple" and isinstance(said, list):
        return tuple(map(_plain_from_json, said))
    if kind not in _READ or not isinstance(said, str):
        raise ValueError("no id")
    try:
        return checked_id(_READ[kind](said))
    except (ArithmeticError, TypeError) as error:
        raise ValueError("no id") from error


def _kind_of(value: Id) -> str:
    """Return the name that JSON has for a type; a subclass, as pandas has, goes by its base."""
    return next(kind for kind, type_ in _KINDS.items() if isinstance(value, type_))


_KINDS: dict[str, type] = {
    "datetime": datetime,
    "date": date,
    "uuid": UUID,
    "decimal": Decimal,
    "bytes": bytes,
}
"""The first that fits: a datetime is a date, too."""

_SAID: dict[str, Callable[[Any], str]] = {
    "datetime": datetime.isoformat,
    "date": date.isoformat,
    "uuid": str,
    "decimal": str,
    "bytes": bytes.hex,
}

_READ: dict[str, Callable[[str], Id]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "uuid": UUID,
    "decimal": Decimal,
    "bytes": bytes.fromhex,
}

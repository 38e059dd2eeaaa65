"""Says which ids are one and the same in an index, and writes them so that they keep their type."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from dedupe.documents.streams import Unreadable
from dedupe.documents.values import as_id
from dedupe.errors import InvalidIndex, InvalidInput
from dedupe.ids import Id, id_as_json, id_from_json

__all__ = ["checked_id", "id_from_row", "key_of", "name_of"]


def checked_id(id_: Any) -> Id:
    """Return an id, or raise `InvalidInput` where it is none.

    >>> checked_id(7)
    7
    """
    try:
        found = as_id(id_, None)
    except Unreadable as error:
        raise InvalidInput(
            "ids must be strings, numbers, dates, UUIDs or tuples of these, got "
            f"{id_!r}: {error.reason}; {error.remedy}"
        ) from error
    if found is None:
        raise InvalidInput(f"an id must name a document, got {id_!r}: give it another one")
    try:
        key_of(found)
    except ValueError as error:
        raise InvalidInput(
            f"an id must be a number that can be written, got one that cannot ({error}): turn it "
            "into a string"
        ) from error
    return found


def key_of(id_: Id) -> str:
    """Return what an id must be alone in: reports show ids as text, so 7 and "7" are one.

    >>> key_of(7), key_of(7.0), key_of("7"), key_of(Decimal("7.50")), key_of((7.0, "a"))
    ('7', '7', '7', '7.5', "(7, 'a')")
    """
    return id_ if isinstance(id_, str) else str(_plain(id_))


def _plain(id_: Id) -> Id:
    """Return one of all ids that are equal to one."""
    if isinstance(id_, tuple):
        return tuple(map(_plain, id_))
    if isinstance(id_, int | float | Decimal):
        if id_ == int(id_):
            return int(id_)
        return float(id_) if float(id_) == id_ else _reduced(id_)
    if isinstance(id_, datetime) and id_.tzinfo:
        # At either end of the calendar, where no other zone has that time, it stays as it is.
        with suppress(OverflowError):
            return id_.astimezone(UTC)
    return id_


def _reduced(number: Any) -> Decimal:
    """Return a decimal without zeros at its end, and with all other digits."""
    digits = len(number.as_tuple().digits)
    return Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX).normalize(Decimal(number))


def name_of(id_: Id) -> str | None:
    """Return an id as JSON, None where it is the string that its key is."""
    return None if isinstance(id_, str) else json.dumps(id_as_json(id_))


def id_from_row(key: str, name: str | None) -> Id:
    """Return the id that has a key and a name.

    Raises
    ------
    InvalidIndex
        When they say no id: a damaged database may hold anything.
    """
    if name is None and isinstance(key, str):
        return key
    try:
        return id_from_json(json.loads(name or ""))
    except (ValueError, TypeError) as error:
        raise InvalidIndex(
            f"an id of an index must be as it was written, got {name!r}: verify() says what is "
            "damaged; restore it from a backup"
        ) from error

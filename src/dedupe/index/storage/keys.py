"""Says which ids are one and the same in an index, and writes them so that they keep their type."""

import json
from datetime import UTC, datetime
from decimal import Decimal
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
    return found


def key_of(id_: Id) -> str:
    """Return what an id must be alone in: reports show ids as text, so 7 and "7" are one.

    >>> key_of(7), key_of(7.0), key_of("7"), key_of(Decimal("7.50"))
    ('7', '7', '7', '7.5')
    """
    if isinstance(id_, str):
        return id_
    if isinstance(id_, int | float | Decimal):
        if id_ == int(id_):
            return str(int(id_))
        return str(float(id_)) if float(id_) == id_ else str(id_.normalize())  # type: ignore[union-attr]
    if isinstance(id_, datetime) and id_.tzinfo:
        return str(id_.astimezone(UTC))
    return str(id_)


def name_of(id_: Id) -> str | None:
    """Return an id as JSON, None where it is the string that its key is."""
    return None if isinstance(id_, str) else json.dumps(id_as_json(id_))


def id_from_row(key: str, name: str | None) -> Id:
    """Return the id that has a key and a name.

    Raises
    ------
    InvalidIndex
        When the name says no id.
    """
    if name is None:
        return key
    try:
        return id_from_json(json.loads(name))
    except ValueError as error:
        raise InvalidIndex(
            f"an id of an index must be as it was written, got {name!r}: verify() says what is "
            "damaged; restore it from a backup"
        ) from error

"""Reads what is sound of a damaged database, wherever in it that is."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from dedupe.documents import Document
from dedupe.errors import InvalidIndex, Skipped
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.schema import has_views
from dedupe.index.storage.store import Store

__all__ = ["salvaged"]

UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError)
"""What SQLite raises where a page is damaged."""


def salvaged(store: Store) -> Iterator[Document | Skipped]:
    """Yield each document that is as it was stored, and the others as what is skipped."""
    if has_views(store.db):
        raise damaged(store.path, "its tables are others than those of an index")
    found = _numbers(store)
    n_lost = 0
    try:
        n_lost = store.state().n_documents - len(found)
    except (InvalidIndex, *UNREADABLE):
        if not found:
            raise
    if n_lost > 0:
        yield Skipped(f"{n_lost:,} unknown ids", "damaged", "add them again")
    for number, key in sorted(found.items()):
        try:
            row = store.by_numbers([number])[0]
            yield store.document(row)
        except (InvalidIndex, IndexError, *UNREADABLE):
            yield Skipped(key or f"document {number}", "damaged", "add it again")


def _numbers(store: Store) -> dict[int, str]:
    """Return the number and the key of each document, from wherever they can be read.

    The table and the index of its keys both have them; where a page of one is damaged, what lies
    behind it is read from the other end.
    """
    found: dict[int, str] = {}
    for order in ("number", "number desc", "key", "key desc"):
        hint = "not indexed" if order.startswith("number") else ""
        said = f"select number, key from documents {hint} order by {order}"
        with suppress(*UNREADABLE):
            # What came before an error is kept.
            found.update(store.db.execute(said))
    return found

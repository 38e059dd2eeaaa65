"""Reads what is sound of a damaged database, wherever in it that is."""

import os
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from dedupe.disk import storing
from dedupe.documents import Document
from dedupe.errors import InvalidIndex, Skipped
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.schema import has_views
from dedupe.index.storage.store import Store

__all__ = ["padded", "salvaged"]

MAGIC = b"SQLite format 3\0"

HEADER = struct.Struct(">16sH6xII60xI")
"""Magic, bytes of a page, number of its last change, pages, number of the change they are of."""

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


def padded(path: Path) -> TemporaryDirectory[str] | None:
    """Return a folder with a copy of a database that was cut off, None if it was not.

    SQLite refuses to read one that is shorter than it says of itself; where zeros stand for what
    is missing, it reads the rest. What a log still holds may be what is missing: then all is well.
    """
    log = path.with_name(f"{path.name}-wal")
    wanted = _bytes_wanted(path)
    if path.stat().st_size >= wanted or (log.exists() and log.stat().st_size):
        return None
    with storing():
        folder = TemporaryDirectory(prefix="dedupe-")
        copied = Path(shutil.copyfile(path, Path(folder.name, path.name)))
        os.truncate(copied, wanted)
    return folder


def _bytes_wanted(path: Path) -> int:
    """Return how long a database says that it is."""
    with path.open("rb") as file:
        head = file.read(HEADER.size)
    if len(head) < HEADER.size:
        return 0
    magic, page_bytes, changed, n_pages, counted = HEADER.unpack(head)
    # Where the two differ, SQLite goes by the length of the file.
    return page_bytes * n_pages if magic == MAGIC and changed == counted else 0


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
            found.update((number, key) for number, key in store.db.execute(said) if number > 0)
    return found

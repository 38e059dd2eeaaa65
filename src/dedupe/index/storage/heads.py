"""Finds documents by the digests of their tokens: all that have them, or the first of many.

A hundred thousand copies need not all be looked at to name a few of them.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from dedupe.ids import Id
from dedupe.index.storage.keys import id_from_row
from dedupe.index.storage.parameters import parted
from dedupe.index.storage.rows import KINDS, Row, other_type, seal_of_row

__all__ = ["COLUMNS", "Head", "find_heads", "heads_of"]

MANY_HEADS = 1 << 9
"""Documents with some digests from which SQLite picks those that may come first: as a rule there
are few, and to read all of them with their texts is quicker."""


class Head(NamedTuple):
    """A document as it is stored, with its text or without; see `Row`, whose fields come first.

    Attributes
    ----------
    text : bytes or None
        Packed; None where it was not read along.
    n_copies : int
        Documents that have the same text, itself among them.
    """

    number: int
    key: str
    name: str | None
    time: float | None
    low: int
    high: int
    original: int
    n_words: int
    n_shingles: int
    seal: int
    text: bytes | None
    n_copies: int

    @property
    def id(self) -> Id:
        """The id in its own type."""
        return id_from_row(self.key, self.name)

    @property
    def is_sound(self) -> bool:
        """Whether it is as it was stored, as far as it was read."""
        return self.text is None or self.seal == seal_of_row(self)


HEAD = Head._fields[:-1]
COLUMNS = ", ".join(HEAD)
WITHOUT_TEXT = COLUMNS.replace("text", "null")
ORIGINAL = HEAD.index("original")
HEAD_KINDS = (*(KINDS[Row._fields.index(name)] for name in HEAD[:-1]), (bytes, NoneType))


def heads_of(rows: Sequence[tuple[Any, ...]], path: Path | None) -> list[Head]:
    """Return values as documents with their texts or without; see `row_of`."""
    # A hundred rows have one or two combinations of types.
    for kinds in {tuple(map(type, row)) for row in rows}:
        if not all(map(issubclass, kinds, HEAD_KINDS)):
            raise other_type(path)
    return [*map(Head._make, rows)]


def find_heads(
    db: sqlite3.Connection, lows: Sequence[int], limit: int | None = None
) -> list[tuple[Any, ...]]:
    """Return the values of documents with the halves of some digests, the few with their texts.

    With a limit, of each text those alone that may come first among so many.
    """
    found: list[tuple[Any, ...]] = []
    for few, places in parted(lows):
        every = _all_of(db, few, places)
        found += _first_of(db, few, places, limit) if every is None else every
    return found


def _all_of(
    db: sqlite3.Connection, few: Sequence[int], places: str
) -> list[tuple[Any, ...]] | None:
    """Return all documents with the halves of some digests, and texts; None if many."""
    said = f"select {COLUMNS} from documents where low in ({places}) limit ?"
    rows = db.execute(said, (*few, MANY_HEADS)).fetchall()
    if len(rows) == MANY_HEADS:
        return None
    n_copies = Counter(map(itemgetter(ORIGINAL), rows))
    return [(*row, n_copies[row[ORIGINAL]]) for row in rows]


def _first_of(
    db: sqlite3.Connection, few: Sequence[int], places: str, limit: int | None
) -> list[tuple[Any, ...]]:
    """Return of each text those documents that may come first."""
    most = -1 if limit is None else limit
    # Ids that are no strings are few, and in no order that SQLite would know.
    said = f"""
        select {COLUMNS}, n_copies from (
            select {WITHOUT_TEXT} as text, count(*) over (partition by original) as n_copies,
                row_number() over (partition by original, name is null order by key) as place
            from documents where low in ({places})
        ) where {most} < 0 or place <= {most} or name is not null
    """
    return db.execute(said, few).fetchall()

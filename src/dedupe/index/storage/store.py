"""Keeps the documents of an index in SQLite, from which all else can be made anew.

`database` has the transactions, `schema` the tables, `rows` a document as it is stored and `heads`
one without its text, which is found by its digest.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import starmap
from pathlib import Path
from typing import Any, NamedTuple

from dedupe.documents import Document
from dedupe.errors import InvalidIndex
from dedupe.ids import Id, in_order
from dedupe.index.storage import schema
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.database import Database
from dedupe.index.storage.heads import COLUMNS, Head, find_heads, heads_of
from dedupe.index.storage.keys import id_from_row, key_of
from dedupe.index.storage.parameters import AT_ONCE, marks, parted
from dedupe.index.storage.rows import Row, other_type, row_of, seal_of, signed
from dedupe.index.storage.texts import InvalidText, Packer

__all__ = ["NO_DICTIONARY", "State", "Store"]

NO_DICTIONARY = "what its texts are packed with is not as it was written"


class State(NamedTuple):
    """What changes with each commit: one small row, so that a reader sees at once what is new.

    Attributes
    ----------
    next : int
        The number of the next document.
    n_documents, n_texts : int
    layout : int
        Rises when the segments are others.
    epoch : int
        How often something was learned.
    n_learned : int
        Documents that there were then.
    last_learned : int
        The greatest number of a document that was there then.
    """

    next: int = 1
    n_documents: int = 0
    n_texts: int = 0
    layout: int = 0
    epoch: int = 0
    n_learned: int = 0
    last_learned: int = 0


class Store(Database):
    """The database of an index.

    Parameters
    ----------
    path : path or None
        The file; None keeps everything in memory.
    writes : bool
    makes : bool
        Whether it is made if need be.
    """

    def __init__(self, path: Path | None, *, writes: bool, makes: bool = True) -> None:
        super().__init__(path, writes=writes)
        self._packer: Packer | None = None
        with self.translating():
            if schema.is_empty(self.db):
                self._make_tables(may_be_new=writes and makes)

    def _make_tables(self, *, may_be_new: bool) -> None:
        """Make the tables of an index that is new, and of no other."""
        if not may_be_new:
            raise InvalidIndex(
                f"an index must have its documents in tables, got {self.path} without any: restore "
                "the folder from a backup, since nothing else holds the texts"
            )
        with self.transaction():
            schema.make_tables(self.db)
            self.save(State())

    def check_schema(self) -> None:
        """Refuse triggers, views, and other tables than those of an index."""
        if not schema.has_own_tables(self.db):
            raise damaged(self.path, "its tables are others than those of an index")

    @contextmanager
    def snapshot(self) -> Iterator["Store"]:
        """Yield a store that stays as this one is now, for work that takes long."""
        if self.path is None:
            yield self
            return
        other = Store(self.path, writes=False)
        try:
            with other.reading():
                # SQLite takes the snapshot at the first read, not when it begins; this one reads
                # no more than must be sound for anything to be.
                schema.is_empty(other.db)
                yield other
        finally:
            other.close()

    # What is known of the index as a whole.

    def meta(self, key: str) -> Any:
        """Return a value that was kept, None where there is none."""
        found = self.db.execute("select value from meta where key = ?", (key,)).fetchone()
        try:
            return None if found is None else json.loads(found[0])
        except (ValueError, TypeError) as error:
            raise damaged(self.path, f"what it says of {key!r} is no JSON") from error

    def set_meta(self, key: str, value: Any) -> None:
        """Keep a value."""
        self.db.execute(
            "insert into meta values (?, ?) on conflict do update set value = excluded.value",
            (key, json.dumps(value, sort_keys=True)),
        )

    def drop_meta(self, key: str) -> None:
        """Forget a value."""
        self.db.execute("delete from meta where key = ?", (key,))

    def state(self) -> State:
        """Return what changes with each commit."""
        found = self.meta("state")
        if (
            not isinstance(found, list)
            or len(found) != len(State._fields)
            or not all(type(one) is int and 0 <= one < 1 << 32 for one in found)
        ):
            raise damaged(self.path, "its state is missing")
        return State(*found)

    def save(self, state: State) -> None:
        """Keep what has changed."""
        self.set_meta("state", list(state))

    # Texts and what they are packed with.

    @property
    def packer(self) -> Packer:
        """What packs and unpacks the texts."""
        if self._packer is None:
            said = "select data, seal from dictionaries order by number"
            found = self.db.execute(said).fetchall()
            # With another dictionary texts would be unpacked all the same, as others.
            sound = [data for data, seal in found if _is_sealed(data, seal)]
            if found and not sound:
                raise damaged(self.path, f"{NO_DICTIONARY}, nor is the copy of it")
            self._packer = Packer([*dict.fromkeys(sound)])
        return self._packer

    def has_sound_dictionaries(self) -> bool:
        """Return whether both copies of what texts are packed with are as they were written."""
        return all(starmap(_is_sealed, self.db.execute("select data, seal from dictionaries")))

    def restore_dictionary(self) -> None:
        """Write both copies of what texts are packed with anew, from one that is sound."""
        said = "select data, seal from dictionaries order by number"
        found = self.db.execute(said).fetchall()
        sound = dict.fromkeys(data for data, seal in found if _is_sealed(data, seal))
        if sound:
            self.db.execute("delete from dictionaries")
        for data in sound:
            self.add_dictionary(data)

    def reindex(self) -> None:
        """Make anew what SQLite looks documents up in, as it follows from them."""
        self.db.execute("reindex")

    def text(self, row: Row | Head) -> bytes:
        """Return the text of a document that was read along, in UTF-8.

        Raises
        ------
        InvalidIndex
            When anything of it is damaged; the message names the document.
        """
        assert row.text is not None
        if not row.is_sound:
            raise _unreadable(row.id, self.path)
        return self._text(row)

    def _text(self, row: Row | Head) -> bytes:
        """Return the text of a document that is known to be as it was stored."""
        assert row.text is not None
        try:
            text = self._unpacked(row.text)
            # Whoever hashes it relies on it to be UTF-8.
            if not text.isascii():
                text.decode()
        except (InvalidText, UnicodeDecodeError) as error:
            raise _unreadable(row.id, self.path) from error
        return text

    def _unpacked(self, text: bytes) -> bytes:
        try:
            return self.packer.unpack(text)
        except InvalidText:
            # Another program may have trained a dictionary meanwhile.
            self._packer = None
            return self.packer.unpack(text)

    def texts(self, heads: Sequence[Head]) -> list[bytes]:
        """Return the texts of some documents, as `heads` returns them, in UTF-8."""
        missing = [head.number for head in heads if head.text is None]
        known = {row.number: row for row in self.by_numbers(missing)}
        # What was read along is sound, or there would be no head.
        return [
            self.text(known[head.number]) if head.text is None else self._text(head)
            for head in heads
        ]

    def add_dictionary(self, data: bytes) -> None:
        """Pack texts with this from now on; it is kept twice, as no text can be read without."""
        said = "insert into dictionaries (data, seal) values (?, ?)"
        self.db.executemany(said, [(data, seal_of(data))] * 2)
        self._packer = None

    def forget_dictionary(self) -> None:
        """Look up anew which dictionaries there are, after one was rolled back."""
        self._packer = None

    def has_dictionary(self) -> bool:
        """Return whether texts are packed with a dictionary."""
        return self.db.execute("select 1 from dictionaries").fetchone() is not None

    # Documents.

    def insert(self, rows: Iterable[Row]) -> None:
        """Add documents."""
        self.db.executemany(f"insert into documents values ({marks(len(Row._fields))})", rows)

    def delete(self, numbers: Iterable[int]) -> None:
        """Remove documents."""
        self.db.executemany("delete from documents where number = ?", ((n,) for n in numbers))

    def bury(self, texts: Iterable[tuple[int, int, int]]) -> None:
        """Note texts, by number, size and content, as dead, and take them from the tail."""
        dead = [(number, size, signed(content)) for number, size, content in texts]
        self.db.executemany("insert into dead (number, n_shingles, low) values (?, ?, ?)", dead)
        self.db.executemany("delete from tail where number = ?", ((one[0],) for one in dead))

    def by_keys(self, keys: Sequence[str]) -> list[Row]:
        """Return the documents with some keys, in no order."""
        return self._where("key", keys)

    def by_texts(self, lows: Sequence[int]) -> list[Row]:
        """Return one document of each text with the halves of some digests, in no order.

        Of a text that a hundred thousand documents have, the index is read, and not all of them.
        """
        rows: list[Row] = []
        for few, places in parted(lows):
            said = (
                "select * from documents where number in (select min(number) from documents "
                f"where low in ({places}) group by low, high, original)"
            )
            rows.extend(map(self._row, self.db.execute(said, few)))
        return rows

    def by_numbers(self, numbers: Sequence[int]) -> list[Row]:
        """Return the documents with some numbers, in no order."""
        return self._where("number", numbers)

    def find(self, id_: Id) -> Row | None:
        """Return the document that an id names, None if there is none."""
        found = self.by_keys([key_of(id_)])
        return found[0] if found else None

    def names(self) -> Iterator[tuple[int, Id]]:
        """Yield the number and the id of each document."""
        for number, key, name in self.db.execute("select number, key, name from documents"):
            yield number, id_from_row(key, name)

    def originals(self) -> Iterator[tuple[Id, int, int]]:
        """Yield each id, the number of the first document with its tokens, and half their digest.

        That half is signed, as SQLite has it.
        """
        said = "select key, name, original, low from documents"
        for key, name, original, low in self.db.execute(said):
            if not isinstance(original, int) or not isinstance(low, int):
                raise other_type(self.path)
            yield id_from_row(key, name), original, low

    def documents(self) -> Iterator[Document]:
        """Yield all documents in the order of their ids."""
        for few in self._in_order():
            rows = {row.number: row for row in self.by_numbers(few)}
            yield from (self.document(rows[number]) for number in few)

    def entries(self) -> Iterator[tuple[Id, float | None, int]]:
        """Yield id, time and number of words of each document, in the order of the ids."""
        # A head has them, but for its copies, which nobody counts here.
        for few in self._in_order():
            said = f"select {COLUMNS}, 1 from documents where number in ({marks(len(few))})"
            rows = self.db.execute(said, few).fetchall()
            heads = {head.number: head for head in heads_of(rows, self.path)}
            for head in map(heads.__getitem__, few):
                yield head.id, head.time, head.n_words

    def _in_order(self) -> Iterator[list[int]]:
        """Yield the numbers of all documents in the order of their ids, some at a time."""
        numbers, ids = zip(*self.names(), strict=True) if self.state().n_documents else ((), ())
        order = in_order(ids, range(len(ids)))
        for start in range(0, len(order), AT_ONCE):
            yield [numbers[place] for place in order[start : start + AT_ONCE]]

    def document(self, row: Row) -> Document:
        """Return a row as a document."""
        text = self.text(row)
        return Document(row.id, text.decode(), row.time, is_dated=row.time is not None, utf8=text)

    def heads(self, lows: Sequence[int], limit: int | None = None) -> list[Head]:
        """Return the documents with the halves of some digests, the few with their texts.

        With a limit, of each text those alone that may come first among so many.

        Raises
        ------
        InvalidIndex
            When one whose text was read along is damaged: its id or time may be another one's.
        """
        heads = heads_of(find_heads(self.db, lows, limit), self.path)
        for head in heads:
            if not head.is_sound:
                raise _unreadable(head.id, self.path)
        return heads

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Yield all documents in the order in which they came, read a few at a time."""
        while True:
            said = "select * from documents where number > ? order by number limit ?"
            rows = self.db.execute(said, (after, AT_ONCE)).fetchall()
            yield from map(self._row, rows)
            if len(rows) < AT_ONCE:
                return
            after = rows[-1][0]

    def last_number(self) -> int:
        """Return the greatest number of a document, 0 if there is none."""
        (found,) = self.db.execute("select max(number) from documents").fetchone()
        return int(found or 0)

    def older(self, time: float) -> list[Row]:
        """Return the documents that came up before a time, in seconds since 1970."""
        found = self.db.execute("select * from documents where time < ?", (time,))
        return [*map(self._row, found)]

    def n_dated(self) -> int:
        """Return how many documents have a time."""
        said = "select count(*) from documents where time is not null"
        return int(self.db.execute(said).fetchone()[0])

    def n_after(self, number: int) -> int:
        """Return how many documents have a higher number: those added or changed since it."""
        (n_after,) = self.db.execute(
            "select count(*) from documents where number > ?", (number,)
        ).fetchone()
        return int(n_after)

    def _row(self, values: tuple[Any, ...]) -> Row:
        return row_of(values, self.path)

    def _where(self, column: str, values: Sequence[Any]) -> list[Row]:
        rows: list[Row] = []
        for few, places in parted(values):
            said = f"select * from documents where {column} in ({places})"
            rows.extend(map(self._row, self.db.execute(said, few)))
        return rows


def _unreadable(id_: Id, path: Path | None) -> InvalidIndex:
    """Return the error of a document that is damaged."""
    return InvalidIndex(
        f"a document must be as it was stored, got {id_!r} in {path}, which is damaged: add it "
        "again with the same text and time (dedupe index add), or remove it (dedupe index remove)"
    )


def _is_sealed(data: Any, seal: Any) -> bool:
    """Return whether bytes are as they were written."""
    return isinstance(data, bytes) and seal == seal_of(data)

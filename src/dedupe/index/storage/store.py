"""Keeps the documents of an index in SQLite, from which all else can be made anew.

A change is there as a whole or not at all, and once it is acknowledged it is on disk: the log of
SQLite is written through at each commit (``synchronous=FULL``). Whoever reads sees the documents
as they were when it began (``journal_mode=WAL``).
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from operator import itemgetter
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

import xxhash

from dedupe.documents import Document
from dedupe.errors import CannotStore, InvalidIndex
from dedupe.ids import Id, in_order
from dedupe.index.storage.files import no_room
from dedupe.index.storage.keys import id_from_row, key_of
from dedupe.index.storage.texts import Packer

__all__ = ["FORMAT", "Head", "Row", "State", "Store", "damaged", "signed", "unsigned"]

FORMAT = 1
"""Raised when an older version could not read what is written."""

PAGE_BYTES = 1 << 14
"""Texts of a kilobyte fill pages of 4 KB badly: these save an eighth of the file."""

AT_ONCE = 512
"""Parameters of a statement: SQLite may take no more than 999."""

MANY_HEADS = 1 << 9
"""Documents with some digests from which SQLite picks those that may come first: as a rule there
are few, and to read all of them with their texts is quicker."""

MAX_LOG = 1 << 22
"""Bytes of its log that SQLite keeps once all of it is in the database: a large addition leaves
no more behind, and small ones need not make the file grow each time. SQLite moves 15 MB of it at a
commit, which takes 10 to 20 ms; in a thread, beside other commits, it was not faster."""

PATIENCE = 60.0
"""Seconds to wait for another connection: a reader, while the log is put into the database."""

CACHE_KB = 16_384
"""Pages of the file that each connection holds in memory: those of a search, and not the file."""

CHECKPOINT_MS = 500
"""Milliseconds to wait for readers before the log is moved: it shrinks at closing, too."""

SCHEMA = """
create table meta (key text primary key, value text not null) without rowid;
create table dictionaries (
    number integer primary key, data blob not null, seal integer not null
);
create table documents (
    number integer primary key,
    key text not null unique,
    name text,
    time real,
    low integer not null,
    high integer not null,
    original integer not null,
    n_words integer not null,
    n_shingles integer not null,
    seal integer not null,
    text blob not null
);
create index by_digest on documents (low, high, original);
create index by_time on documents (time) where time is not null;
create table tail (
    number integer primary key, n_shingles integer not null, low integer not null,
    signature blob not null
);
create table dead (
    serial integer primary key autoincrement, number integer not null,
    n_shingles integer not null, low integer not null
);
create table segments (name text primary key, n_docs integer not null) without rowid;
"""


class Row(NamedTuple):
    """A document as it is stored.

    Attributes
    ----------
    number : int
        Unlike that of any document before; it means nothing else.
    key : str
        What its id must be alone in; see `dedupe.index.storage.keys`.
    name : str or None
        The id as JSON, where it is not the key.
    time : float or None
    low, high : int
        Digest of its tokens, signed as SQLite has it.
    original : int
        Number of the first document with these tokens, which may have been removed since.
    n_words, n_shingles : int
    seal : int
        Digest of all of this, to find damage.
    text : bytes
        Packed.
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
    text: bytes

    @property
    def id(self) -> Id:
        """The id in its own type."""
        return id_from_row(self.key, self.name)

    def sealed(self) -> "Row":
        """Return the row with the digest of what it says."""
        said = "\0".join(map(repr, self[:SEAL]))
        digest = xxhash.xxh3_64(said.encode("utf-8", "backslashreplace"))
        digest.update(self.text)
        return Row._make((*self[:SEAL], signed(digest.intdigest()), self.text))


class Head(NamedTuple):
    """A document as it is stored, with its text or without; see `Row`.

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
    high: int
    original: int
    n_words: int
    text: bytes | None
    n_copies: int

    @property
    def id(self) -> Id:
        """The id in its own type."""
        return id_from_row(self.key, self.name)


SEAL = Row._fields.index("seal")

# By column, since a damaged file may hold anything anywhere.
KINDS: tuple[Any, ...] = (
    int, str, (str, NoneType), (float, NoneType), int, int, int, int, int, int, bytes
)  # fmt: skip
HEAD = Head._fields[:-1]
HEAD_COLUMNS = ", ".join(HEAD)
WITHOUT_TEXT = HEAD_COLUMNS.replace("text", "null")
ORIGINAL = HEAD.index("original")
HEAD_KINDS = (*(KINDS[Row._fields.index(name)] for name in HEAD[:-1]), (bytes, NoneType))


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


class Store:
    """The database of an index.

    Parameters
    ----------
    path : path or None
        The file; None keeps everything in memory.
    writes : bool
    """

    def __init__(self, path: Path | None, *, writes: bool) -> None:
        self.path = path
        self.writes = writes
        self._seen = _stand(path, writes=writes)
        self._n_opened = 0
        self.db = _connect(path, writes=writes)
        self._packer: Packer | None = None
        if writes:
            with self.translating():
                if path is not None:
                    self.db.execute(f"pragma page_size = {PAGE_BYTES}")
                    self.db.execute("pragma journal_mode = wal")
                self.db.execute("pragma synchronous = full")
                self.db.execute(f"pragma journal_size_limit = {MAX_LOG}")
                if self.is_empty():
                    with self.transaction():
                        for statement in SCHEMA.split(";"):
                            self.db.execute(statement)
                        self.save(State())

    def close(self) -> None:
        """Close the database; its log goes unless somebody else has it open."""
        with suppress(sqlite3.Error):
            self.db.close()

    def is_empty(self) -> bool:
        """Return whether nothing was ever stored here."""
        (n_tables,) = self.db.execute("select count(*) from sqlite_master").fetchone()
        return not n_tables

    def check_schema(self) -> None:
        """Refuse triggers, views, and other tables than those of an index."""
        if _schema(self.db) != _own_schema():
            raise damaged(self.path, "its tables are others than those of an index")

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Translate errors of SQLite into ours, which say what can be done."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        except (UnicodeDecodeError, OverflowError) as error:
            raise damaged(self.path, "it holds what is no text or no number") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that is done within, or nothing of it."""
        with self.translating():
            self.db.execute("begin immediate")
            try:
                yield
                self.db.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):
                    self.db.execute("rollback")
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See one state of the database, whatever others write meanwhile."""
        if self.db.in_transaction:
            yield
            return
        if self._seen != (now := _stand(self.path, writes=self.writes)):
            self.db.close()
            self.db = _connect(self.path, writes=self.writes)
            self._seen = now
            self._n_opened += 1
        try:
            with self.translating():
                self.db.execute("begin")
                try:
                    yield
                finally:
                    # Nothing was written, so nothing is undone.
                    self.db.execute("rollback")
        finally:
            if self._seen and self._seen != _stand(self.path, writes=self.writes):
                raise InvalidIndex(
                    f"an index must stay as it is while it is read from a folder that cannot be "
                    f"written, got {self.path}, which somebody has begun to change: ask again"
                )

    @contextmanager
    def snapshot(self) -> Iterator["Store"]:
        """Yield a store that stays as this one is now, for work that takes long."""
        if self.path is None:
            yield self
            return
        other = Store(self.path, writes=False)
        try:
            with other.reading():
                # SQLite takes the snapshot at the first read, not when it begins.
                other.state()
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

    def version(self) -> int:
        """Return a number that changes when another connection has written."""
        (found,) = self.db.execute("pragma data_version").fetchone()
        return (self._n_opened << 32) + int(found)

    # Documents.

    @property
    def packer(self) -> Packer:
        """What packs and unpacks the texts."""
        if self._packer is None:
            said = "select data, seal from dictionaries order by number"
            found = self.db.execute(said).fetchall()
            # With another dictionary texts would be unpacked all the same, as others.
            if not all(isinstance(data, bytes) and seal == _seal(data) for data, seal in found):
                raise damaged(self.path, "what its texts are packed with is not as it was written")
            self._packer = Packer([data for data, _ in found])
        return self._packer

    def text(self, row: Row) -> bytes:
        """Return the text of a document in UTF-8."""
        return self.unpacked(row.text)

    def unpacked(self, text: bytes) -> bytes:
        """Return a text in UTF-8 that was packed."""
        try:
            return self.packer.unpack(text)
        except InvalidIndex:
            # Another program may have trained a dictionary meanwhile.
            self._packer = None
            return self.packer.unpack(text)

    def texts(self, heads: Sequence[Head]) -> list[bytes]:
        """Return the texts of some documents in UTF-8."""
        missing = [head.number for head in heads if head.text is None]
        known = {row.number: row.text for row in self.by_numbers(missing)}
        packed = (known[head.number] if head.text is None else head.text for head in heads)
        return [*map(self.unpacked, packed)]

    def add_dictionary(self, data: bytes) -> None:
        """Pack texts with this from now on."""
        said = "insert into dictionaries (data, seal) values (?, ?)"
        self.db.execute(said, (data, _seal(data)))
        self._packer = None

    def forget_dictionary(self) -> None:
        """Look up anew which dictionaries there are, after one was rolled back."""
        self._packer = None

    def has_dictionary(self) -> bool:
        """Return whether texts are packed with a dictionary."""
        return self.db.execute("select 1 from dictionaries").fetchone() is not None

    def checkpoint(self) -> None:
        """Move the log into the database, unless somebody still reads an earlier state."""
        self.db.execute(f"pragma busy_timeout = {CHECKPOINT_MS}")
        try:
            self.db.execute("pragma wal_checkpoint(truncate)")
        finally:
            self.db.execute(f"pragma busy_timeout = {round(1000 * PATIENCE)}")

    def insert(self, rows: Iterable[Row]) -> None:
        """Add documents."""
        self.db.executemany(f"insert into documents values ({_marks(len(Row._fields))})", rows)

    def delete(self, numbers: Iterable[int]) -> None:
        """Remove documents."""
        self.db.executemany("delete from documents where number = ?", ((n,) for n in numbers))

    def bury(self, rows: Iterable[Row]) -> None:
        """Note the texts of removed documents as dead, and take them from the tail."""
        dead = [(row.original, row.n_shingles, row.low) for row in rows]
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
        for few, marks in _few(lows):
            said = (
                "select * from documents where number in (select min(number) from documents "
                f"where low in ({marks}) group by low, high, original)"
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

    def originals(self) -> Iterator[tuple[Id, int]]:
        """Yield the id of each document, and the number of the first with its tokens."""
        said = "select key, name, original from documents"
        for key, name, original in self.db.execute(said):
            yield id_from_row(key, name), original

    def documents(self) -> Iterator[Document]:
        """Yield all documents in the order of their ids."""
        for few in self._in_order():
            rows = {row.number: row for row in self.by_numbers(few)}
            yield from (self.document(rows[number]) for number in few)

    def entries(self) -> Iterator[tuple[Id, float | None, int]]:
        """Yield id, time and number of words of each document, in the order of the ids."""
        # A head has them, but for its copies, which nobody counts here.
        columns = ", ".join(HEAD)
        for few in self._in_order():
            said = f"select {columns}, 1 from documents where number in ({_marks(len(few))})"
            heads = {row[0]: self._head(row) for row in self.db.execute(said, few)}
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

        With a limit, of each text those alone that may come first among so many: a hundred
        thousand copies need not all be looked at to name a few of them.
        """
        found: list[Head] = []
        for few, marks in _few(lows):
            heads = self._all_heads(few, marks)
            found += self._first_heads(few, marks, limit) if heads is None else heads
        return found

    def _all_heads(self, few: Sequence[int], marks: str) -> list[Head] | None:
        """Return all documents with the halves of some digests, and texts; None if many."""
        said = f"select {HEAD_COLUMNS} from documents where low in ({marks}) limit ?"
        rows = self.db.execute(said, (*few, MANY_HEADS)).fetchall()
        if len(rows) == MANY_HEADS:
            return None
        n_copies = Counter(map(itemgetter(ORIGINAL), rows))
        return [self._head((*row, n_copies[row[ORIGINAL]])) for row in rows]

    def _first_heads(self, few: Sequence[int], marks: str, limit: int | None) -> list[Head]:
        """Return of each text those documents that may come first."""
        most = -1 if limit is None else limit
        # Ids that are no strings are few, and in no order that SQLite would know.
        said = f"""
            select {HEAD_COLUMNS}, n_copies from (
                select {WITHOUT_TEXT} as text, count(*) over (partition by original) as n_copies,
                    row_number() over (partition by original, name is null order by key) as place
                from documents where low in ({marks})
            ) where {most} < 0 or place <= {most} or name is not null
        """
        return [*map(self._head, self.db.execute(said, few))]

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
        """Return values as a document; a damaged file may hold others than were written."""
        if not all(map(isinstance, values, KINDS)):
            raise damaged(self.path, "a document has a value of another type")
        return Row._make(values)

    def _head(self, values: tuple[Any, ...]) -> Head:
        """Return values as a document without its text."""
        if not all(map(isinstance, values, HEAD_KINDS)):
            raise damaged(self.path, "a document has a value of another type")
        return Head._make(values)

    def _where(self, column: str, values: Sequence[Any]) -> list[Row]:
        rows: list[Row] = []
        for few, marks in _few(values):
            said = f"select * from documents where {column} in ({marks})"
            rows.extend(map(self._row, self.db.execute(said, few)))
        return rows


class _Connection(sqlite3.Connection):
    """A connection that is closed with the last reference to it, as an index in a notebook is."""

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.close()


def _connect(path: Path | None, *, writes: bool) -> sqlite3.Connection:
    """Open a database; one that is only read is not written to in any way."""
    try:
        if path is None:
            return _tuned(
                sqlite3.connect(
                    ":memory:", isolation_level=None, check_same_thread=False, factory=_Connection
                )
            )
        place = f"{path.resolve().as_uri()}?mode={'rwc' if writes else 'ro'}"
        if _stand(path, writes=writes):
            place += "&immutable=1"
        return _tuned(
            sqlite3.connect(
                place,
                uri=True,
                isolation_level=None,
                timeout=PATIENCE,
                check_same_thread=False,
                factory=_Connection,
            )
        )
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    except UnicodeDecodeError as error:
        raise damaged(path, "its schema is no text") from error


def _stand(path: Path | None, *, writes: bool) -> tuple[int, ...]:
    """Return what tells whether a file has changed that is read as if it never did.

    That is so where this program may not write in the folder and nobody else has it open: SQLite
    could not put its log there. Empty where SQLite itself sees to it.
    """
    if path is None or writes or os.access(path.parent, os.W_OK) or _log(path).exists():
        return ()
    with suppress(OSError):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return (0,)


def _tuned(db: sqlite3.Connection) -> sqlite3.Connection:
    """Set up a connection to trust nothing that a damaged or hostile file says."""
    db.execute("pragma trusted_schema = off")
    db.execute("pragma cell_size_check = on")
    db.execute(f"pragma cache_size = -{CACHE_KB}")
    return db


def _schema(db: sqlite3.Connection) -> set[tuple[str, ...]]:
    """Return the tables, indexes, views and triggers of a database; what SQLite counted is none."""
    said = "select type, name, tbl_name, sql from sqlite_master where name not like 'sqlite_stat%'"
    return set(db.execute(said))


@cache
def _own_schema() -> set[tuple[str, ...]]:
    """Return those of an index."""
    db = sqlite3.connect(":memory:")
    db.executescript(SCHEMA)
    found = _schema(db)
    db.close()
    return found


def _seal(data: bytes) -> int:
    """Return a digest to find damage."""
    return signed(xxhash.xxh3_64_intdigest(data))


def _log(path: Path) -> Path:
    """Return where SQLite keeps what is not in the database yet."""
    return path.with_name(f"{path.name}-wal")


def _translated(error: sqlite3.Error, path: Path | None) -> Exception:
    """Return what is said in place of an error of SQLite."""
    said, code = str(error), getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return no_room(said, path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return CannotStore(
            f"an index must be in a folder that can be written, got {said} for {path}: change its "
            'permissions, or open it with mode="r"'
        )
    if isinstance(error, sqlite3.ProgrammingError):
        return error
    return damaged(path, said)


def damaged(path: Path | None, why: str) -> InvalidIndex:
    """Return the error of an index whose documents cannot be read."""
    return InvalidIndex(
        f"an index must be as it was written, got {path} ({why}): verify() says what is damaged; "
        "restore it from a backup, or make it anew"
    )


def _few(values: Sequence[Any]) -> Iterator[tuple[Sequence[Any], str]]:
    """Yield values in parts for a statement that looks for them, and the marks in their places.

    One of them is repeated until they are a power of two: SQLite takes longer to understand a
    statement than to run it, and remembers few.

    >>> [*_few([7, 8, 9])]
    [([7, 8, 9, 9], '?, ?, ?, ?')]
    """
    for start in range(0, len(values), AT_ONCE):
        few = [*values[start : start + AT_ONCE]]
        few += few[-1:] * ((1 << (len(few) - 1).bit_length()) - len(few))
        yield few, _marks(len(few))


@cache
def _marks(n: int) -> str:
    return ", ".join("?" * n)


def signed(value: int) -> int:
    """Return 64 bits as the signed number that SQLite can hold.

    >>> signed(2**64 - 1), unsigned(-1) == 2**64 - 1
    (-1, True)
    """
    return value - (1 << 64) if value >> 63 else value


def unsigned(value: int) -> int:
    """Return the 64 bits that `signed` was given."""
    return value & 0xFFFFFFFFFFFFFFFF

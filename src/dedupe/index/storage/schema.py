"""Holds the tables of an index, and tells them from others."""

import sqlite3
from functools import cache

__all__ = ["FORMAT", "has_own_tables", "has_views", "is_empty", "make_tables"]

FORMAT = 1
"""Raised when an older version could not read what is written."""

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


def is_empty(db: sqlite3.Connection) -> bool:
    """Return whether a database has no tables."""
    (n_tables,) = db.execute("select count(*) from sqlite_master").fetchone()
    return not n_tables


def make_tables(db: sqlite3.Connection) -> None:
    """Make the tables of an index."""
    for statement in SCHEMA.split(";"):
        db.execute(statement)


def has_own_tables(db: sqlite3.Connection) -> bool:
    """Return whether a database has the tables of an index, and no triggers, views or others."""
    return _schema(db) == _own_schema()


def has_views(db: sqlite3.Connection) -> bool:
    """Return whether what looks like a table may be something else, which runs what others wrote.

    Where no more is done than to read tables, nothing else of a schema is carried out.
    """
    said = "select 1 from sqlite_master where type = 'view' or sql like 'create virtual %'"
    return db.execute(said).fetchone() is not None


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

"""Connects with a database of SQLite, and says in our words what went wrong with it."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from dedupe.errors import InvalidIndex
from dedupe.index.storage.files import no_permission, no_room

__all__ = ["PATIENCE", "connect", "damaged", "stand", "translated"]

PATIENCE = 60.0
"""Seconds to wait for another connection: a reader, while the log is put into the database."""

CACHE_KB = 16_384
"""Pages of the file that each connection holds in memory: those of a search, and not the file."""


class _Connection(sqlite3.Connection):
    """A connection that is closed with the last reference to it, as an index in a notebook is."""

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.close()


def connect(path: Path | None, *, writes: bool) -> sqlite3.Connection:
    """Open a database; one that is only read is not written to in any way."""
    try:
        if path is None:
            return _tuned(
                sqlite3.connect(
                    ":memory:", isolation_level=None, check_same_thread=False, factory=_Connection
                )
            )
        place = f"{path.resolve().as_uri()}?mode={'rwc' if writes else 'ro'}"
        if stand(path, writes=writes):
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
        raise translated(error, path) from error
    except UnicodeDecodeError as error:
        raise damaged(path, "its schema is no text") from error


def stand(path: Path | None, *, writes: bool) -> tuple[int, ...]:
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


def _log(path: Path) -> Path:
    """Return where SQLite keeps what is not in the database yet."""
    return path.with_name(f"{path.name}-wal")


def translated(error: sqlite3.Error, path: Path | None) -> Exception:
    """Return what is said in place of an error of SQLite."""
    said, code = str(error), getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return no_room(said, path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return no_permission(said, path)
    if isinstance(error, sqlite3.ProgrammingError):
        return error
    return damaged(path, said)


def damaged(path: Path | None, why: str) -> InvalidIndex:
    """Return the error of an index whose documents cannot be read."""
    return InvalidIndex(
        f"an index must be as it was written, got {path} ({why}): verify(repair=True) (dedupe "
        "index verify --repair) makes anew what it can; merge() into a new index (dedupe index "
        "merge) takes over what is sound"
    )

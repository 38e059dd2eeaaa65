"""Reads and writes a database in transactions, whatever others do with it meanwhile.

A change is there as a whole or not at all, and once it is acknowledged it is on disk: the log of
SQLite is written through at each commit (``synchronous=FULL``). Whoever reads sees the database
as it was when it began (``journal_mode=WAL``).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dedupe.errors import InvalidIndex
from dedupe.index.storage.connection import PATIENCE, connect, damaged, stand, translated

__all__ = ["Database"]

PAGE_BYTES = 1 << 14
"""Texts of a kilobyte fill pages of 4 KB badly: these save an eighth of the file."""

MAX_LOG = 1 << 22
"""Bytes of its log from which SQLite moves it into the database at a commit, and which it keeps: a
large addition leaves no more behind, and small ones never make the file grow, which each commit
would wait for. With four times as much before it is moved, SQLite's default, additions to a
million documents took a third longer; in a thread, beside other commits, it was not faster."""

CHECKPOINT_MS = 500
"""Milliseconds to wait for readers before the log is moved: it shrinks at closing, too."""


class Database:
    """A database of SQLite.

    Parameters
    ----------
    path : path or None
        The file; None keeps everything in memory.
    writes : bool
    """

    def __init__(self, path: Path | None, *, writes: bool) -> None:
        self.path = path
        self.writes = writes
        self._seen = stand(path, writes=writes)
        self._n_opened = 0
        self._turn = 0
        self.db = connect(path, writes=writes)
        if writes:
            with self.translating():
                if path is not None:
                    self.db.execute(f"pragma page_size = {PAGE_BYTES}")
                    self.db.execute("pragma journal_mode = wal")
                self.db.execute("pragma synchronous = full")
                self.db.execute(f"pragma journal_size_limit = {MAX_LOG}")
                self.db.execute(f"pragma wal_autocheckpoint = {MAX_LOG // PAGE_BYTES}")

    def close(self) -> None:
        """Close the database; its log goes unless somebody else has it open."""
        with suppress(sqlite3.Error):
            self.db.close()

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Translate errors of SQLite into ours, which say what can be done."""
        try:
            yield
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        except (UnicodeDecodeError, OverflowError) as error:
            raise damaged(self.path, "it holds what is no text or no number") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that is done within, or nothing of it."""
        with self.translating():
            turn = self._take_turn()
            try:
                self.db.execute("begin immediate")
                yield
                self.db.execute("commit")
            finally:
                self._end_turn(turn)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See one state of the database, whatever others write meanwhile; never within another."""
        self.recover()
        if self._seen != (now := stand(self.path, writes=self.writes)):
            self.db.close()
            self.db = connect(self.path, writes=self.writes)
            self._seen = now
            self._n_opened += 1
        try:
            with self.translating():
                turn = self._take_turn()
                try:
                    self.db.execute("begin")
                    yield
                finally:
                    # Nothing was written, so nothing is undone.
                    self._end_turn(turn)
        finally:
            if self._seen and self._seen != stand(self.path, writes=self.writes):
                raise InvalidIndex(
                    f"an index must stay as it is while it is read from a folder that cannot be "
                    f"written, got {self.path}, which somebody has begun to change: ask again"
                )

    def recover(self) -> None:
        """Undo what was left open: Ctrl-C may come between any two steps, those of an end too."""
        if self.db.in_transaction:
            with self.translating():
                self.db.execute("rollback")

    def _take_turn(self) -> int:
        """Begin with nothing left open, and return the number of this turn."""
        self.recover()
        self._turn += 1
        return self._turn

    def _end_turn(self, turn: int) -> None:
        """Undo what was not committed, unless another turn has begun.

        An interrupted one may be held by its traceback, and end only when that is gone.
        """
        if turn == self._turn and self.db.in_transaction:
            with suppress(sqlite3.Error):
                self.db.execute("rollback")

    def version(self) -> int:
        """Return a number that changes when another connection has written."""
        (found,) = self.db.execute("pragma data_version").fetchone()
        return (self._n_opened << 32) + int(found)

    def checkpoint(self) -> None:
        """Move the log into the database, unless somebody still reads an earlier state."""
        self.db.execute(f"pragma busy_timeout = {CHECKPOINT_MS}")
        try:
            self.db.execute("pragma wal_checkpoint(truncate)")
        finally:
            self.db.execute(f"pragma busy_timeout = {round(1000 * PATIENCE)}")

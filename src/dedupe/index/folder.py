"""Tells the folder of an index from others, without opening it."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dedupe.errors import InvalidIndex, InvalidInput, NoSuchPath
from dedupe.index.storage.lock import NAME as LOCK

__all__ = [
    "FILE",
    "check_has_documents",
    "check_is_there",
    "check_no_index",
    "holds_what_follows",
    "is_index",
    "remove_empty",
]

FILE = "index.sqlite"
"""The database of an index, in its folder."""

LOG = f"{FILE}-wal"
"""What SQLite has not moved into the database yet: it begins once that has a page."""


def is_index(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is the folder of an index."""
    return Path(path, FILE).is_file()


def check_is_there(path: str | os.PathLike[str]) -> None:
    """Raise `NoSuchPath` where there is no index, `InvalidIndex` where its documents are gone."""
    check_has_documents(path)
    if not _n_bytes(path):
        raise NoSuchPath(
            f"there must be an index to read, got none in {os.fspath(path)}: add() "
            "(dedupe index add) makes it"
        )


def check_has_documents(path: str | os.PathLike[str]) -> None:
    """Raise `InvalidIndex` where the files of an index are left without its documents.

    SQLite would make an empty database of them, and remove its log.
    """
    log = Path(path, LOG)
    if not _n_bytes(path) and (holds_what_follows(path) or (log.is_file() and log.stat().st_size)):
        raise InvalidIndex(
            f"an index must have its documents in {FILE}, got {os.fspath(path)}, where that is "
            f"{'empty' if is_index(path) else 'missing'}: restore the folder from a backup, since "
            "nothing else holds the texts"
        )


def holds_what_follows(path: str | os.PathLike[str]) -> bool:
    """Return whether a folder has files that are written only once there are documents."""
    folder = Path(path)
    # Who may not list it can read an index in it all the same.
    if not (folder.is_dir() and os.access(folder, os.R_OK)):
        return False
    return any(one.suffix in (".segment", ".epoch") for one in folder.iterdir())


def remove_empty(path: str | os.PathLike[str]) -> None:
    """Remove an index without documents, which must be locked: others wait for it in vain."""
    # Windows removes no file that is open; then it stays, and is empty.
    with suppress(OSError):
        for name in (FILE, LOG, f"{FILE}-shm", LOCK):
            Path(path, name).unlink(missing_ok=True)
        Path(path).rmdir()


def _n_bytes(path: str | os.PathLike[str]) -> int:
    """Return the bytes of the database of an index, 0 where there is none."""
    return Path(path, FILE).stat().st_size if is_index(path) else 0


def check_no_index(paths: Iterable[str], remedy: str) -> None:
    """Raise `InvalidInput` where the files of an index would be read as documents."""
    for name in paths:
        if is_index(name):
            raise InvalidInput(
                f"paths must be files or folders of documents, got the index {name!r}: {remedy}"
            )

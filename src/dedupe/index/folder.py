"""Tells the folder of an index from others, without opening it."""

import os
from pathlib import Path

from dedupe.errors import NoSuchPath

__all__ = ["FILE", "check_is_there", "is_index"]

FILE = "index.sqlite"
"""The database of an index, in its folder."""


def is_index(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is the folder of an index."""
    return Path(path, FILE).is_file()


def check_is_there(path: str | os.PathLike[str]) -> None:
    """Raise `NoSuchPath` where there is no index."""
    if not is_index(path):
        raise NoSuchPath(
            f"there must be an index to read, got none in {os.fspath(path)}: add() "
            "(dedupe index add) makes it"
        )

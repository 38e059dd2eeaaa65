"""Tells the folder of an index from others, without opening it."""

import os
from collections.abc import Iterable
from pathlib import Path

from dedupe.errors import InvalidInput, NoSuchPath

__all__ = ["FILE", "check_is_there", "check_no_index", "is_index"]

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


def check_no_index(paths: Iterable[str], remedy: str) -> None:
    """Raise `InvalidInput` where the files of an index would be read as documents."""
    for name in paths:
        if is_index(name):
            raise InvalidInput(
                f"paths must be files or folders of documents, got the index {name!r}: {remedy}"
            )

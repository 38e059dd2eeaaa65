"""Opens temporary files, and says what can be done where there is no room for them."""

import errno
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from dedupe.errors import CannotStore

__all__ = ["OUT_OF_HANDLES", "storing", "temporary_file", "too_many_open"]

OUT_OF_HANDLES = (errno.EMFILE, errno.ENFILE)
"""Errors of a process, or of a machine, that has too many files open; its disk may be empty."""


def too_many_open(error: OSError) -> str | None:
    """Return what can be done where too many files are open, None where something else is wrong.

    >>> too_many_open(OSError(errno.EMFILE, "Too many open files"))[-34:]
    "raise it, as with 'ulimit -n 4096'"
    >>> too_many_open(OSError(errno.ENOSPC, "No space left on device"))
    """
    if error.errno not in OUT_OF_HANDLES:
        return None
    return (
        f"files must be within the limit of those open at once, got {error.strerror}: raise it, "
        "as with 'ulimit -n 4096'"
    )


def temporary_file(buffering: int = -1) -> IO[bytes]:
    """Open a file without a name, of which nothing is left when it is closed.

    Raises
    ------
    CannotStore
    """
    with storing():
        return tempfile.TemporaryFile(prefix="dedupe-", buffering=buffering)


@contextmanager
def storing() -> Iterator[None]:
    """Say what can be done where temporary files cannot be written."""
    try:
        yield
    except CannotStore:  # It has been said, and is an OSError too.
        raise
    except OSError as error:
        raise CannotStore(
            too_many_open(error)
            or f"temporary files must have room{_where()}, got {error.strerror or error}: free "
            "some, set TMPDIR to another folder, or give the search more memory= (--memory)"
        ) from error


def _where() -> str:
    """Say where temporary files go, if there is a place for them."""
    try:
        return f" in {tempfile.gettempdir()}"
    except OSError:
        return ""

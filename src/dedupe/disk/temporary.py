"""Opens temporary files, and says what can be done where there is no room for them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from dedupe.errors import CannotStore

__all__ = ["storing", "temporary_file"]


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
            f"temporary files must have room{_where()}, got {error.strerror or error}: free some, "
            "set TMPDIR to another folder, or give the search more memory= (--memory)"
        ) from error


def _where() -> str:
    """Say where temporary files go, if there is a place for them."""
    try:
        return f" in {tempfile.gettempdir()}"
    except OSError:
        return ""

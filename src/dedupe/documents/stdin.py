"""Reads what is piped in, more than once where that is needed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from dedupe import disk
from dedupe.documents.streams import CHUNK, Unreadable, pieces
from dedupe.errors import NothingToRead

__all__ = ["stdin_chunks", "stdin_kept"]

_kept: IO[bytes] | None = None
"""A copy of what was piped in, where it is read more than once."""


@contextmanager
def stdin_kept() -> Iterator[None]:
    """Let standard input be read from its beginning as often as need be.

    Meanwhile it is in a temporary file, of which nothing is left when the process ends.

    Raises
    ------
    CannotStore
    NothingToRead
        When it cannot be read to its end.
    """
    global _kept  # noqa: PLW0603  There is one standard input to a process, too.
    with disk.temporary_file() as copy:
        try:
            for chunk in stdin_chunks():
                with disk.storing():
                    copy.write(chunk)
        except Unreadable as error:
            raise NothingToRead(
                f"what is piped in must be readable to its end, got: {error.reason}; {error.remedy}"
            ) from error
        _kept = copy
        try:
            yield
        finally:
            _kept = None


def _kept_chunks(kept: IO[bytes]) -> Iterator[bytes]:
    """Yield what is piped in; several readers may be at several places of it."""
    place = 0
    while not kept.closed:
        kept.seek(place)
        chunk = kept.read(CHUNK)
        if not chunk:
            return
        place += len(chunk)
        yield chunk


def stdin_chunks() -> Iterator[bytes]:
    """Yield what is piped in, as far as it can be read."""
    if _kept is not None:
        yield from _kept_chunks(_kept)
        return
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise Unreadable("standard input is not open", "pipe something in")
    try:
        yield from pieces(stream)
    except (OSError, ValueError) as error:
        raise Unreadable(f"standard input cannot be read: {error}", "pipe something in") from error

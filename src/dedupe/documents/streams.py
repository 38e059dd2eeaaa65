"""From files to bytes: chunks, lines and the limit on size.

A file is an iterator of chunks. Nothing here holds more than the limit and a
chunk, however large the file is. Decompression is left to `dedupe.documents.packing`, and
how bytes are text to `dedupe.documents.formats.encoding`.
"""

import io
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

__all__ = [
    "CHUNK",
    "MAX_BYTES",
    "LongLine",
    "Source",
    "Unreadable",
    "Watched",
    "cut_off",
    "is_cut_off",
    "is_too_large",
    "lines",
    "open_file",
    "pieces",
    "read_small",
    "read_whole",
    "too_large",
]

MAX_BYTES = 64 * 2**20
"""The largest text that is read is one of 64 MiB, some twenty times War and Peace.

No article comes near it, while a stray disk image or a bomb does. Python holds
a text in up to four bytes a character, so that the limit stands for 256 MiB.
"""

CHUNK = 2**18
"""Bytes read at once: enough to hide the cost of a call, and it stays in the cache."""


class Unreadable(Exception):
    """Why a file, or the rest of it, cannot be read; it ends up as a `Skipped`."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def too_large(limit: int, remedy: str = "split it into articles") -> Unreadable:
    """Say that something is larger than the limit."""
    return Unreadable(f"{_LARGER} {limit:,} bytes, the limit", remedy)


_LARGER = "larger than"


def is_too_large(reason: str) -> bool:
    """Return whether something was skipped because it is above the limit."""
    return reason.startswith(_LARGER)


def cut_off(how: str, remedy: str = "fetch the file anew, or repair its end") -> Unreadable:
    """Say that a file ends in the midst of a record: what came behind it is not there."""
    return Unreadable(f"{_CUT_OFF}: {how}", remedy)


_CUT_OFF = "cut off"


def is_cut_off(reason: str) -> bool:
    """Return whether something was skipped because its file ends in the midst of it."""
    return reason.startswith(_CUT_OFF)


class Source(NamedTuple):
    """Bytes to read documents from.

    Attributes
    ----------
    id : str
        What its documents are named after.
    chunks : iterator of bytes
        Its content, decompressed. Nothing is opened before the first is asked for.
    time : float, optional
        When it was last changed.
    path : str, optional
        Where the same bytes stand in a file, if they do.
    """

    id: str
    chunks: Iterator[bytes]
    time: float | None = None
    path: str | None = None


def read_small(path: str) -> bytes | None:
    """Return the content of a file of at most `CHUNK` bytes, with as few calls as can be.

    It returns None for a file that is larger, empty, changing, of another kind or not to be
    read: `unpack` knows what to do, or to say, about these.
    """
    try:
        number = os.open(path, _TO_READ)
    except OSError:
        return None
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= CHUNK:
            return None
        # One byte more would come of a file that has grown.
        data = os.read(number, status.st_size + 1)
    except OSError:
        return None
    finally:
        os.close(number)
    return data if len(data) == status.st_size else None


def open_file(path: str) -> io.BufferedReader:
    """Open a regular file, and nothing that could keep one waiting for ever.

    Raises
    ------
    OSError
    Unreadable
        When something else has taken its place since the folder was listed.
    """
    stream = open(path, "rb", opener=_without_waiting)  # noqa: SIM115  A Path is slower.
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise Unreadable("no regular file any more", "check the file")
    return stream


_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
"""Flag so that neither a pipe without a writer nor a log of the system blocks."""

_TO_READ = os.O_RDONLY | _NO_WAITING | getattr(os, "O_BINARY", 0)
"""Flags to read the bytes of a file; without the last, Windows would change ends of lines."""


def _without_waiting(path: str, flags: int) -> int:
    """Open a file with the flags of `open`, and do not wait."""
    return os.open(path, flags | _NO_WAITING)


class _Readable(Protocol):
    """What can be read piece by piece."""

    def read1(self, size: int, /) -> bytes: ...


def pieces(stream: _Readable) -> Iterator[bytes]:
    """Yield the content of a stream."""
    # `read` would collect a full chunk, and lose it when the next byte is damaged.
    while chunk := stream.read1(CHUNK):
        yield chunk


def read_whole(
    chunks: Iterable[bytes], limit: int, remedy: str = "split it into articles"
) -> bytes:
    """Return everything, or raise `Unreadable` as soon as it is too large."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > limit:
            raise too_large(limit, remedy)
    return bytes(data)


class Watched:
    """Chunks of which is known whether they are over: `lines` has then none but the rest."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.is_over = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        self.is_over = True


@dataclass(frozen=True, slots=True)
class LongLine:
    """Stands for a line that was passed over, as it is longer than the limit."""

    n_quotes: int
    """How many double quotes it had; for CSV they decide where a record ends."""


def lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | LongLine]:
    r"""Yield each line without its ``\n``, which alone ends one.

    >>> list(lines([b"one\ntw", b"o\nthirteen\n"], limit=5))
    [b'one', b'two', LongLine(n_quotes=0)]
    """
    parts: list[bytes] = []
    size = n_quotes = 0
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            if size + len(part) > limit:
                yield LongLine(n_quotes + sum(one.count(b'"') for one in (*parts, part)))
            else:
                yield b"".join([*parts, part]) if parts else part
            if size:
                parts, size, n_quotes = [], 0, 0
        if rest:
            parts.append(rest)
            size += len(rest)
        if size > limit:
            n_quotes += sum(part.count(b'"') for part in parts)
            parts.clear()
    if size:
        yield b"".join(parts) if size <= limit else LongLine(n_quotes)

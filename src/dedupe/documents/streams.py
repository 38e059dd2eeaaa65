"""From files to bytes: decompression, lines and the limit on size.

A file is an iterator of chunks. Nothing here holds more than the limit and a
chunk, however large the file is or whatever it decompresses to. How bytes are
text is left to `dedupe.documents.encoding`.
"""

import bz2
import gzip
import io
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, NamedTuple, Protocol

from dedupe import disk
from dedupe.errors import MissingExtra, NothingToRead

__all__ = [
    "MAX_BYTES",
    "PACKINGS",
    "LongLine",
    "Source",
    "Unreadable",
    "Watched",
    "cut_off",
    "is_cut_off",
    "is_too_large",
    "lines",
    "open_file",
    "read_small",
    "read_whole",
    "stdin_chunks",
    "stdin_kept",
    "too_large",
    "unpack",
]

MAX_BYTES = 64 * 2**20
"""The largest text that is read is one of 64 MiB, some twenty times War and Peace.

No article comes near it, while a stray disk image or a bomb does. Python holds
a text in up to four bytes a character, so that the limit stands for 256 MiB.
"""

CHUNK = 2**18
"""Bytes read at once: enough to hide the cost of a call, and it stays in the cache."""

ZSTD_STEP = 128
"""Compressed bytes unpacked at once: at most 4 MiB, as a block of 4 may stand for 128 KiB.

Steps of 4096 are no more than 1.7 times as fast. The streaming reader of
zstandard keeps to a size by itself, but takes a truncated file for a whole one.
"""


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


class _Readable(Protocol):
    """What can be read piece by piece."""

    def read1(self, size: int, /) -> bytes: ...


def _pieces(stream: _Readable) -> Iterator[bytes]:
    """Yield the content of a stream."""
    # `read` would collect a full chunk, and lose it when the next byte is damaged.
    while chunk := stream.read1(CHUNK):
        yield chunk


def _zstd_pieces(stream: io.BufferedReader) -> Iterator[bytes]:
    """Yield what a Zstandard file unpacks to, frame after frame."""
    try:
        import zstandard  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a .zst file", "zstd") from error
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        while packed := stream.read(ZSTD_STEP):
            while packed:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(packed)
                packed = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise OSError(str(error)) from error
    if not frame.eof:
        raise EOFError("the file ended before the end of the frame")


def _xz_pieces(stream: io.BufferedReader) -> Iterator[bytes]:
    """Yield what an xz file unpacks to, stream after stream, in memory that is bounded."""
    one = None
    while packed := stream.read(CHUNK):
        while packed:
            if one is None or one.eof:
                # Zero bytes may stand between streams, to fill up a block.
                packed = packed.lstrip(b"\0") if one else packed
                if not packed:
                    break
                one = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
            yield one.decompress(packed, CHUNK)
            while not (one.eof or one.needs_input):
                yield one.decompress(b"", CHUNK)
            packed = one.unused_data if one.eof else b""
    if one is not None and not one.eof:
        raise EOFError("the file ended before the end of the stream")


XZ_MEMORY = 1 << 28
"""Bytes that unpacking an xz file may take: its head says how many, and ``xz -9`` needs 65 MiB."""

PACKINGS: dict[str, Callable[[io.BufferedReader], Iterator[bytes]]] = {
    "": _pieces,
    ".gz": lambda stream: _pieces(gzip.GzipFile(fileobj=stream)),
    ".xz": _xz_pieces,
    ".bz2": lambda stream: _pieces(bz2.BZ2File(stream)),
    ".zst": _zstd_pieces,
}
"""From the suffix of a compression to the function that undoes it."""


def unpack(path: str, packing: str) -> Iterator[bytes]:
    """Yield the decompressed content of a file, as far as it is sound."""
    try:
        with open_file(path) as stream:
            # A frame of Zstandard may unpack to nothing, which is not the end.
            yield from filter(None, PACKINGS[packing](stream))
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        raise _damaged(packing, str(error)) from error
    except MemoryError as error:
        raise Unreadable("does not fit into memory", "decompress it first") from error
    except OSError as error:
        # Decompressors raise it too, but then without a number.
        if packing and error.errno is None:
            raise _damaged(packing, str(error)) from error
        raise Unreadable(f"cannot be read: {error.strerror or error}", "check the file") from error


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


def _damaged(packing: str, problem: str) -> Unreadable:
    """Say that a compressed file is broken."""
    return Unreadable(f"damaged {packing} file: {problem}", "fetch it anew, or decompress it first")


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
        yield from _pieces(stream)
    except (OSError, ValueError) as error:
        raise Unreadable(f"standard input cannot be read: {error}", "pipe something in") from error


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
        for i, part in enumerate(chunk.split(b"\n")):
            if i:
                yield b"".join(parts) if size <= limit else LongLine(n_quotes)
                parts, size, n_quotes = [], 0, 0
            parts.append(part)
            size += len(part)
            if size > limit:
                n_quotes += sum(part.count(b'"') for part in parts)
                parts.clear()
    if size:
        yield b"".join(parts) if size <= limit else LongLine(n_quotes)

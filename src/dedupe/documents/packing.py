"""Compressed files: read in steps that are bounded whatever they unpack to, and written."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any

from dedupe.documents.streams import CHUNK, Unreadable, open_file, pieces
from dedupe.errors import MissingExtra

__all__ = ["PACKINGS", "packed", "unpack"]

ZSTD_STEP = 128
"""Compressed bytes unpacked at once: at most 4 MiB, as a block of 4 may stand for 128 KiB.

Steps of 4096 are no more than 1.7 times as fast. The streaming reader of
zstandard keeps to a size by itself, but takes a truncated file for a whole one.
"""


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
    "": pieces,
    ".gz": lambda stream: pieces(gzip.GzipFile(fileobj=stream)),
    ".xz": _xz_pieces,
    ".bz2": lambda stream: pieces(bz2.BZ2File(stream)),
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


def _damaged(packing: str, problem: str) -> Unreadable:
    """Say that a compressed file is broken."""
    return Unreadable(f"damaged {packing} file: {problem}", "fetch it anew, or decompress it first")


def packed(stream: IO[bytes], packing: str) -> AbstractContextManager[Any]:
    """Return what compresses whatever is written to it; the same input gives the same bytes."""
    return _PACKERS[packing](stream)


def _zstd(stream: IO[bytes]) -> Any:
    """Compress with Zstandard."""
    try:
        import zstandard  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a .zst file", "zstd") from error
    return zstandard.ZstdCompressor().stream_writer(stream, closefd=False)


_PACKERS: dict[str, Callable[[IO[bytes]], AbstractContextManager[Any]]] = {
    "": nullcontext,
    # A time or a name in its head would make each run differ.
    ".gz": lambda stream: gzip.GzipFile("", "wb", 6, stream, mtime=0),
    ".xz": lambda stream: lzma.LZMAFile(stream, "wb"),  # noqa: SIM115  Whoever writes closes it.
    ".bz2": lambda stream: bz2.BZ2File(stream, "wb"),
    ".zst": _zstd,
}
assert _PACKERS.keys() == PACKINGS.keys(), "what can be read can be written"

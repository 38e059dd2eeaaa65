"""Writes files that are mapped into memory, and tells whether they are as they were written.

Segments and epochs are such files. Each begins with a header of `HEADER_BYTES` that ends in two
digests, filled up with zeros: that of all bytes behind the header, and that of the header before
it. What else it says is for `dedupe.index.storage.segments` and `dedupe.index.storage.epochs` to
know.
"""

import mmap
import os
import stat
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import xxhash

from dedupe import disk
from dedupe.errors import CannotStore

__all__ = [
    "HEADER_BYTES",
    "Buffer",
    "is_sound",
    "map_file",
    "no_permission",
    "no_room",
    "not_stored",
    "pack_header",
    "read_back",
    "settle",
    "unpack_header",
    "write_file",
]

HEADER_BYTES = 64
"""Arrays that follow begin at a multiple of what a processor reads at once."""

Buffer = bytes | mmap.mmap


def write_file(folder: Path | None, name: str, write: Callable[[IO[bytes]], None]) -> Buffer:
    """Write a file for good, and map it; nothing is left of one that does not become whole.

    Parameters
    ----------
    folder : path or None
        None keeps it in memory.
    name : str
    write : callable
        Given a stream that can be sought in, it writes all that the file holds.

    Raises
    ------
    CannotStore
        When the disk is full.
    """
    if folder is None:
        stream = BytesIO()
        write(stream)
        return stream.getvalue()
    draft = folder / disk.draft_name(os.fsencode(name))
    try:
        with draft.open("w+b") as file:
            write(file)
            settle(file)
        draft.replace(folder / name)
        disk.sync(folder)
    except OSError as error:
        raise not_stored(error, folder) from error
    finally:
        draft.unlink(missing_ok=True)
    return map_file(folder, name)


def map_file(folder: Path, name: str) -> Buffer:
    """Map a file into memory.

    Raises
    ------
    FileNotFoundError
    """
    path = folder / name
    # A folder of this name has no bytes, and whoever opens a pipe waits for some.
    if not stat.S_ISREG(path.stat().st_mode):
        return b""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return b""  # Nothing of it can be mapped.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def read_back(stream: IO[bytes]) -> Buffer:
    """Return what was written to a stream so far; a file is mapped, and not read into memory."""
    if isinstance(stream, BytesIO):
        return stream.getvalue()
    stream.flush()
    return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def settle(stream: IO[bytes]) -> None:
    """See to it that what was written to a stream so far is on the disk, if it has one."""
    if not isinstance(stream, BytesIO):
        stream.flush()
        os.fsync(stream.fileno())


def pack_header(layout: struct.Struct, *values: Any) -> bytes:
    """Return a header, with its own digest behind the values.

    >>> layout = struct.Struct("<8sQQ")
    >>> unpack_header(layout, b"a format", pack_header(layout, b"a format", 7))
    (7,)
    """
    head = layout.pack(*values, 0)[:-8]
    return (head + struct.pack("<Q", xxhash.xxh3_64_intdigest(head))).ljust(HEADER_BYTES, b"\0")


def unpack_header(layout: struct.Struct, magic: bytes, buffer: Buffer) -> tuple[Any, ...] | None:
    """Return what a header says behind its magic, None where it is not as it was written."""
    if len(buffer) < HEADER_BYTES:
        return None
    head = bytes(buffer[: layout.size])
    found, *values, digest = layout.unpack(head)
    is_filled = not any(buffer[layout.size : HEADER_BYTES])
    if found != magic or digest != xxhash.xxh3_64_intdigest(head[:-8]) or not is_filled:
        return None
    return tuple(values)


def is_sound(buffer: Buffer, digest: int) -> bool:
    """Return whether all that follows the header is as it was written."""
    return bool(xxhash.xxh3_64_intdigest(memoryview(buffer)[HEADER_BYTES:]) == digest)


def not_stored(error: OSError, where: Path | None) -> CannotStore:
    """Return the error of an index whose files the system would not write."""
    if said := disk.too_many_open(error):
        return CannotStore(said)
    tell = no_room if disk.lacks_room(error) else no_permission
    return tell(error.strerror or str(error), where)


def no_room(said: str, where: Path | None) -> CannotStore:
    """Return the error of an index that could not be written."""
    return CannotStore(
        f"an index must have room on its disk, got {said} in {where}: free some and try again; "
        "what was acknowledged before is there"
    )


def no_permission(said: str, where: Path | None) -> CannotStore:
    """Return the error of an index that may not be written."""
    return CannotStore(
        f"an index must be in a folder that can be written, got {said} for {where}: change its "
        'permissions, name another, or open it with mode="r"'
    )

"""Writes blocks of arrays to a file one after the other, and reads those that are whole.

A run that was killed may have left half a block at the end; its digest tells, and it is cut
off. The digest of a block depends on its place, and on a seed that stands for the input, so
that no block is ever taken for another one.
"""

import io
import math
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe import disk

__all__ = ["Arrays", "append", "finished"]

PREFIX_BYTES = 16
"""In front of each block: its length and its digest, eight bytes each."""

Arrays = tuple[npt.NDArray[Any], ...]


def append(file: IO[bytes], arrays: Arrays, seed: int, place: int) -> None:
    """Write the arrays of a block behind the `place` blocks before it."""
    block = io.BytesIO()
    block.write(bytes([len(arrays)]))
    for array in arrays:
        np.lib.format.write_array(block, np.ascontiguousarray(array), allow_pickle=False)
    data = block.getbuffer()
    prefix = np.array([len(data), _digest(data, seed, place)], "<u8").tobytes()
    for part in (prefix, data):
        disk.write_all(file, part)


def _digest(data: memoryview | bytearray, seed: int, place: int) -> int:
    """Return the digest of a block at its place among those of a stage."""
    return xxhash.xxh3_64_intdigest(data, (seed + place) % (1 << 64))


def finished(file: IO[bytes], seed: int) -> Iterator[Arrays]:
    """Yield the blocks of a file, and cut off what is not whole at its end."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    place = end = 0
    while (data := _block(file, size - end, seed, place)) is not None:
        place, end = place + 1, end + PREFIX_BYTES + len(data)
        yield _arrays(data)
    file.truncate(end)
    file.seek(end)


def _block(file: IO[bytes], n_left: int, seed: int, place: int) -> bytes | None:
    """Return the next block of a file as bytes, or None where there is no whole one."""
    prefix = _read(file, PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        return None
    n_bytes, digest = np.frombuffer(prefix, "<u8").tolist()
    if n_bytes > n_left - PREFIX_BYTES:
        return None
    data = _read(file, n_bytes)
    return bytes(data) if _digest(data, seed, place) == digest else None


def _read(file: IO[bytes], n_bytes: int) -> bytearray:
    """Return so many bytes of a file, or what is left; one read may return less."""
    data = bytearray()
    while len(data) < n_bytes and (part := file.read(min(n_bytes - len(data), 1 << 24))):
        data += part
    return data


def _arrays(data: bytes) -> Arrays:
    """Return the arrays of a block.

    Raises
    ------
    ValueError
        When it is not one that was written here: its digest is no secret.
    """
    block = io.BytesIO(data)
    n_arrays = block.read(1)
    if not n_arrays:
        raise ValueError("an empty block")
    return tuple(_array(block) for _ in range(n_arrays[0]))


def _array(block: io.BytesIO) -> npt.NDArray[Any]:
    """Read an array, which takes no more memory than the block does."""
    if np.lib.format.read_magic(block) != (1, 0):
        raise ValueError("an array of another version")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(block)
    n_bytes = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or is_fortran or n_bytes > len(block.getbuffer()) - block.tell():
        raise ValueError("an array that is not all there")
    return np.frombuffer(block.read(n_bytes), dtype).reshape(shape).copy()

"""Stores what may not fit in memory: texts, and rows of numbers.

Up to a limit everything stays in memory. Past it, it goes to temporary files that
have no name from the start, so that nothing is left of them whatever ends the
program (on Windows they are removed when they are closed).
"""

import mmap
import os
import threading
import weakref
from array import array
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from dedupe import disk

__all__ = ["Rows", "Texts", "allocate", "put", "release"]

WRITTEN_AT_ONCE = 1 << 16
"""Bytes of an array that are written to its file at once.

What is written together is mapped together when any of it is looked at: a megabyte would be half
as fast again to write, and take five times the memory to look at a thousand documents.
"""

BETWEEN = 1 << 14
"""Bytes between two texts of a file that are read along with them: that takes no longer than
another call of the system, after which a thread waits for the lock of the interpreter."""

TOGETHER = 1 << 18
"""Bytes of texts that are read at once, as many as a cache holds."""


class Texts:
    """Texts in UTF-8, by number, in the order in which they were added.

    Parameters
    ----------
    limit : int
        Bytes of text that may stay in memory.

    Examples
    --------
    >>> texts = Texts(limit=10)
    >>> texts.extend([b"one", b"two"])
    >>> texts.extend([b"three", b"four"])
    >>> texts.read([3, 0])
    [b'four', b'one']
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # One stretch of memory, which goes back to the system as a whole: of a million texts
        # apart, what is left between others stays with the process.
        self._kept = bytearray()
        self._ends = array("q", [0])
        self._file: IO[bytes] | None = None
        # Where there is no `os.pread`, one seek and read at a time.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def n_bytes(self) -> int:
        """Bytes of all texts together."""
        return self._ends[-1]

    def extend(self, encoded: Iterable[bytes]) -> None:
        """Add texts; not while another thread reads."""
        texts = list(encoded)
        self._ends.extend(accumulate(map(len, texts), initial=self._ends.pop()))
        if self._file is None and self.n_bytes > self._limit:
            self._file = _nameless(self)
            _write(self._file, self._kept)
            self._kept = bytearray()
        if self._file is None:
            self._kept += b"".join(texts)
        else:
            _write(self._file, b"".join(texts))

    def read(self, numbers: Iterable[int]) -> list[bytes]:
        """Return some of the texts."""
        return [*self.each(numbers)]

    def each(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """Yield some of the texts; few of them are in memory at a time."""
        ends = self._ends
        for some in self._near(numbers):
            # Of texts near each other one call of the system reads all.
            start = ends[some[0]]
            data = self._at(start, ends[some[-1] + 1])
            for n in some:
                yield data[ends[n] - start : ends[n + 1] - start]

    def _near(self, numbers: Iterable[int]) -> Iterator[list[int]]:
        """Cut numbers of texts into those that are read at once."""
        ends, between = self._ends, 0 if self._file is None else BETWEEN
        some: list[int] = []
        for number in numbers:
            if some and not (
                some[-1] < number
                and ends[number] - ends[some[-1] + 1] <= between
                and ends[number + 1] - ends[some[0]] <= TOGETHER
            ):
                yield some
                some = []
            some.append(number)
        if some:
            yield some

    def _at(self, start: int, end: int) -> bytes:
        """Return what stands from one byte to another."""
        if self._file is None:
            return bytes(memoryview(self._kept)[start:end])
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), end - start, start)
        with self._lock:
            self._file.seek(start)
            return self._file.read(end - start)


class Rows:
    """Rows of numbers that come in blocks and end as one array.

    Parameters
    ----------
    limit : int
        Bytes that may stay in memory.

    Examples
    --------
    >>> rows = Rows(limit=8)
    >>> for block in ([[1, 2]], [[3, 4], [5, 6]]):
    ...     rows.append(np.uint32(block))
    >>> rows.finish().tolist()
    [[1, 2], [3, 4], [5, 6]]
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._blocks: list[npt.NDArray[Any]] = []
        self._n_bytes = 0
        self._n_rows = 0
        self._file: IO[bytes] | None = None

    def append(self, block: npt.NDArray[Any]) -> None:
        """Add some rows, which have the type and the width of all others."""
        self._blocks.append(block)
        self._n_rows += len(block)
        self._n_bytes += block.nbytes
        if self._file is None and self._n_bytes > self._limit:
            self._file = _nameless(self)
        if self._file is not None:
            for waiting in self._blocks:
                _write(self._file, waiting.tobytes())
            self._blocks = [block[:0]]

    def finish(self) -> npt.NDArray[Any]:
        """Return all rows; a file is mapped into memory where it is looked at."""
        shape = (self._n_rows, *self._blocks[0].shape[1:])
        dtype = self._blocks[0].dtype
        if self._file is not None:
            # The map outlives the file it was made from, and goes with the array.
            with self._file:
                mapped = mmap.mmap(self._file.fileno(), 0)
            return np.frombuffer(mapped, dtype).reshape(shape)
        rows = np.empty(shape, dtype)
        start = 0
        # Each block is let go as soon as it is copied, so that no row is there twice.
        for block in _emptied(self._blocks):
            rows[start : start + len(block)] = block
            start += len(block)
        return rows


class _Map(mmap.mmap):
    """A temporary file in memory, with the file to write to."""

    file: IO[bytes]


def allocate(n: int, dtype: npt.DTypeLike, limit: int) -> npt.NDArray[Any]:
    """Return an array of `n` numbers to be filled, in a file if it takes more than the limit.

    Room on the disk is only taken by `put`, and what it has filled may be written to from then on.

    Parameters
    ----------
    n : int
    dtype : data type
    limit : int
        Bytes that it may take of memory.

    Raises
    ------
    CannotStore
        When there is no place for the file.

    Examples
    --------
    >>> numbers = allocate(3, np.int32, limit=1)
    >>> put(numbers, 0, np.int32([7, 8, 9]))
    >>> numbers.tolist()
    [7, 8, 9]
    """
    n_bytes = n * np.dtype(dtype).itemsize
    if n_bytes <= limit:
        return np.empty(n, dtype)
    file = disk.temporary_file(buffering=0)
    with disk.storing():
        file.truncate(n_bytes)
        mapped = _Map(file.fileno(), n_bytes)
    mapped.file = file
    weakref.finalize(mapped, file.close)
    if hasattr(mmap, "MADV_RANDOM"):
        # Or a look at one document would bring a megabyte around it into memory.
        mapped.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(mapped, dtype)


def put(rows: npt.NDArray[Any], first: int, values: npt.NDArray[Any]) -> None:
    """Write values into an array that `allocate` returned, from place `first` on.

    They go into the file, if it lies in one: to write to its pages in memory takes a fault for
    each, and four times as long. A full disk is an error here; there it would end the program.

    Raises
    ------
    CannotStore
        When the disk has not enough room.
    """
    owner = _owner(rows)
    if not isinstance(owner, _Map) or not hasattr(os, "pwrite"):
        rows[first : first + len(values)] = values
        return
    left = np.ascontiguousarray(values, rows.dtype).view(np.uint8).data
    place = first * rows.itemsize
    with disk.storing():
        while left:
            n_written = os.pwrite(owner.file.fileno(), left[:WRITTEN_AT_ONCE], place)
            left, place = left[n_written:], place + n_written


def _owner(rows: npt.NDArray[Any]) -> Any:
    """Return what the memory of an array belongs to."""
    owner: Any = rows
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    return owner


def release(rows: npt.NDArray[Any], keep: slice = slice(0, 0)) -> None:
    """Take rows that lie in a file out of the memory of this process, as long as it sees fit.

    Nothing is lost: what is looked at again is mapped again, from the cache of the
    system as a rule.

    Parameters
    ----------
    rows : array of one dimension, or of whole rows
        All of what lies in the file.
    keep : slice
        Rows that will be looked at again soon, and stay.
    """
    owner = _owner(rows)
    if isinstance(owner, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        row_bytes = rows.nbytes // max(1, len(rows))
        before = keep.start * row_bytes // mmap.PAGESIZE * mmap.PAGESIZE
        behind = -(-keep.stop * row_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
        for start, end in ((0, before), (behind, len(owner))):
            if start < end:
                owner.madvise(mmap.MADV_DONTNEED, start, end - start)


def _emptied(blocks: list[npt.NDArray[Any]]) -> Iterable[npt.NDArray[Any]]:
    """Yield the blocks of a list in order and take them out of it."""
    blocks.reverse()
    while blocks:
        yield blocks.pop()


def _nameless(owner: object) -> IO[bytes]:
    """Open a temporary file that goes when its owner does."""
    file = disk.temporary_file(buffering=0)
    weakref.finalize(owner, file.close)
    return file


def _write(file: IO[bytes], data: bytes | bytearray) -> None:
    """Write bytes to a temporary file."""
    with disk.storing():
        disk.write_all(file, data)

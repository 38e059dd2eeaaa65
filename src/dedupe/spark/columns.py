"""Turns arrays into columns of Arrow and back: how stages see the rows of a frame."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe.arrays import Hashes, Ints

__all__ = [
    "array_of",
    "batch",
    "bytes_of",
    "groups_of",
    "in_groups",
    "of_kind",
    "packed",
    "signed",
    "unsigned",
]

TOP_BIT = np.uint64(1 << 63)


def signed(hashes: Hashes) -> Ints:
    """Return unsigned numbers as signed ones that sort alike: Spark has no others.

    >>> signed(np.uint64([0, 2**64 - 1])).tolist()
    [-9223372036854775808, 9223372036854775807]
    """
    found: Ints = (hashes ^ TOP_BIT).view(np.int64)
    return found


def unsigned(numbers: Ints) -> Hashes:
    """Return what `signed` was given."""
    found: Hashes = numbers.view(np.uint64) ^ TOP_BIT
    return found


def batch(**columns: Any) -> pa.RecordBatch:
    """Return columns as a batch of Arrow.

    >>> batch(n=np.array([1, 2]), name=["a", "b"]).num_rows
    2
    """
    return pa.RecordBatch.from_arrays([*map(pa.array, columns.values())], [*columns])


def array_of(column: Any) -> npt.NDArray[Any]:
    """Return a column without nulls as an array."""
    found: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return found


def bytes_of(data: bytes, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array that was written as bytes. It can be written to, as kernels expect it.

    >>> bytes_of(np.array([1, 2]).tobytes(), np.int64).tolist()
    [1, 2]
    """
    return np.frombuffer(data, dtype).copy()


def packed(*arrays: npt.NDArray[Any]) -> pa.Array:
    """Return a column with the bytes of each array.

    >>> bytes_of(packed(np.array([1, 2])).to_pylist()[0], np.int64).tolist()
    [1, 2]
    """
    return pa.array([one.tobytes() for one in arrays], pa.binary())


def in_groups(
    batches: Iterable[pa.RecordBatch], key: str, n_bytes: int = 1 << 26
) -> Iterator[pa.RecordBatch]:
    """Yield rows that are sorted by a key in batches of whole groups, about `n_bytes` each.

    Only a group that is larger itself makes a larger batch.
    """
    waiting: list[pa.RecordBatch] = []
    held = 0
    for some in batches:
        if not some.num_rows:
            continue
        waiting.append(some)
        held += some.nbytes
        if held < n_bytes or _first(waiting[0], key) == _last(some, key):
            continue
        together = _joined(waiting)
        end = _start_of_last(together.column(key))
        yield together.slice(0, end)
        waiting, held = [together.slice(end)], together.slice(end).nbytes
    if waiting:
        yield _joined(waiting)


def groups_of(batches: Iterable[pa.RecordBatch], key: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of each group, which follow each other, with its key, a whole number.

    >>> rows = [batch(block=np.array([1, 1, 2])), batch(block=np.array([2]))]
    >>> [(number, some.num_rows) for number, some in groups_of(rows, "block")]
    [(1, 2), (2, 2)]
    """
    for some in in_groups(batches, key):
        keys = array_of(some.column(key))
        bounds = [*np.flatnonzero(np.diff(keys, prepend=keys[0] - 1)).tolist(), keys.size]
        for start, end in pairwise(bounds):
            yield int(keys[start]), some.slice(start, end - start)


def of_kind(some: pa.RecordBatch, kind: int, *keys: str) -> pa.RecordBatch:
    """Return the rows of a kind, sorted by some columns of numbers.

    Spark sorts by one number without comparing rows, and takes long to compare by more.

    >>> rows = batch(kind=np.array([1, 0, 1]), a=np.array([2, 3, 1]))
    >>> of_kind(rows, 1, "a").column("a").to_pylist()
    [1, 2]
    """
    chosen = np.flatnonzero(array_of(some.column("kind")) == kind)
    columns = [array_of(some.column(key))[chosen] for key in reversed(keys)]
    return some.take(pa.array(chosen[np.lexsort(columns)]))


def _first(some: pa.RecordBatch, key: str) -> Any:
    return some.column(key)[0].as_py()


def _last(some: pa.RecordBatch, key: str) -> Any:
    return some.column(key)[-1].as_py()


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return several batches as one."""
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _start_of_last(keys: Any) -> int:
    """Return where the last group begins."""
    values = array_of(keys)
    return int(np.flatnonzero(np.append(True, values[1:] != values[:-1]))[-1])

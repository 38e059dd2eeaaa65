"""Array types that all rooms share, and the few things that are done with any array.

Documents of a block stand one after the other in one long array; *offsets* say where
each begins, and where the last one ends.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = [
    "HALF",
    "LOW_HALF",
    "AnyFloats",
    "AnyInts",
    "Bools",
    "Floats",
    "Hashes",
    "Ints",
    "Weights",
    "distinct",
    "keys_of",
    "offsets_of",
    "pairs_of",
    "part",
    "parts",
]

Number = TypeVar("Number", bound=np.generic)

Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
AnyInts = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]
AnyFloats = npt.NDArray[np.floating[Any]]
Weights = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

HALF, LOW_HALF = np.uint64(32), np.uint64(0xFFFFFFFF)
"""How two numbers are packed into one, which sorts as both of them would: the first is shifted by
so many bits, and the second is what this mask leaves."""


def offsets_of(lengths: AnyInts) -> Ints:
    """Return where stretches of these lengths begin, and where the last ends.

    >>> offsets_of(np.array([3, 0, 2])).tolist()
    [0, 3, 3, 5]
    """
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def distinct(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return the distinct values of an array in ascending order, as `numpy.unique` does.

    That would load `numpy.ma` to ask whether the array is masked, a tenth of the time in
    which a small search starts.

    >>> distinct(np.array([[3, 1], [1, 2]])).tolist()
    [1, 2, 3]
    """
    ordered = np.sort(values, axis=None)
    is_first = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


def part(offsets: Ints, documents: slice | int) -> slice:
    """Return where what one document owns stands, or several that follow each other.

    >>> part(np.array([0, 3, 3, 5]), 2), part(np.array([0, 3, 3, 5]), slice(0, 2))
    (slice(3, 5, None), slice(0, 3, None))
    """
    if isinstance(documents, slice):
        return slice(int(offsets[documents.start]), int(offsets[documents.stop]))
    return slice(int(offsets[documents]), int(offsets[documents + 1]))


def parts(offsets: Ints, documents: Ints) -> list[slice]:
    """Return where what each of some documents owns stands.

    >>> parts(np.array([0, 3, 3, 5]), np.array([2, 0]))
    [slice(3, 5, None), slice(0, 3, None)]
    """
    return [*map(slice, offsets[documents].tolist(), offsets[documents + 1].tolist())]


def pairs_of(numbers: Any) -> Ints:
    """Return pairs of numbers as an array of two columns, also if there are none.

    >>> pairs_of([]).shape
    (0, 2)
    """
    return np.array(numbers, np.int64).reshape(-1, 2)


def keys_of(pairs: AnyInts) -> Hashes:
    """Return pairs of documents as single numbers, the same for both directions.

    >>> keys_of(np.array([[0, 1], [1, 0]])).tolist()
    [1, 1]
    """
    low, high = np.sort(pairs, axis=1).T.astype(np.uint64)
    keys: Hashes = (low << HALF) | high
    return keys

"""The scored pairs of a result: arrays, of which single pairs are made when they are looked at.

A crawl of a million articles has a million pairs that score; as objects they would
take a gigabyte, and few are ever looked at.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from dedupe.results.records import Pair

__all__ = ["ScoredPairs", "keys_of", "pairs_of"]

Whole = npt.NDArray[np.signedinteger[Any]]
Real = npt.NDArray[np.float64]


class ScoredPairs(Sequence[Pair]):
    """A sequence of `Pair` over arrays.

    Slices are such sequences too, and two are equal if their pairs are.

    Attributes
    ----------
    ids : sequence of str, in order
    numbers : int [shape=(n_pairs, 2)]
        Places of both sides among the ids, the lesser first.
    scores, jaccards, containments : float64 [shape=(n_pairs,)]
        The fields of the pairs, for whoever asks for those of all of them.
    is_identical : bool [shape=(n_pairs,)]
        Whether the documents are exact copies.

    Examples
    --------
    >>> pair = Pair("a", "b", 0.9, 0.5, 1.0, 1.0, 0.5, "contained", "", 40, 0, 0)
    >>> scored = ScoredPairs.of([pair], ["a", "b"])
    >>> scored[0] is pair, scored[1:], scored.places([[0, 1]]).tolist()
    (True, <0 scored pairs>, [0])
    """

    def __init__(
        self,
        ids: Sequence[str],
        numbers: Whole,
        *,
        scores: Real,
        jaccards: Real,
        containments: Real,
        is_identical: npt.NDArray[np.bool_],
        make: Callable[[int], Pair],
    ) -> None:
        self.ids = ids
        self.numbers = numbers
        self.scores = scores
        self.jaccards = jaccards
        self.containments = containments
        self.is_identical = is_identical
        self._make = make

    @classmethod
    def of(cls, pairs: Sequence[Pair], ids: Sequence[str]) -> "ScoredPairs":
        """Put some pairs of documents with these ids into arrays.

        Raises
        ------
        KeyError
            When a pair names another document.
        """
        if isinstance(pairs, ScoredPairs) and list(pairs.ids) == list(ids):
            return pairs
        index = {name: number for number, name in enumerate(ids)}
        return cls(
            ids,
            pairs_of([(index[pair.left], index[pair.right]) for pair in pairs]),
            scores=np.array([pair.score for pair in pairs], np.float64),
            jaccards=np.array([pair.jaccard for pair in pairs], np.float64),
            containments=np.array([pair.containment for pair in pairs], np.float64),
            is_identical=np.array([pair.verdict == "identical" for pair in pairs], np.bool_),
            make=pairs.__getitem__,
        )

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, place: int) -> Pair: ...
    @overload
    def __getitem__(self, place: slice) -> "ScoredPairs": ...
    def __getitem__(self, place: int | slice) -> "Pair | ScoredPairs":
        """Return a pair, or those of a slice."""
        if isinstance(place, slice):
            return self.take(np.arange(len(self))[place])
        return self._make(range(len(self))[place])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            one == another for one, another in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # Equal to lists of pairs, which have none.

    def __repr__(self) -> str:
        return f"<{len(self):,} scored pairs>"

    def __reduce__(self) -> tuple[Any, ...]:
        # What pairs are made from may be files of this process, so they are made now.
        return ScoredPairs.of, (list(self), self.ids)

    def take(self, places: Whole) -> "ScoredPairs":
        """Return some of the pairs, in the order of their places."""
        return ScoredPairs(
            self.ids,
            self.numbers[places],
            scores=self.scores[places],
            jaccards=self.jaccards[places],
            containments=self.containments[places],
            is_identical=self.is_identical[places],
            make=lambda place: self._make(int(places[place])),
        )

    def places(self, numbers: Any) -> npt.NDArray[np.int64]:
        """Return where some pairs stand, -1 for those that are not here.

        Parameters
        ----------
        numbers : int [shape=(n, 2)]
            Documents, in any order.
        """
        keys, order = self._by_key
        return _find(keys, order, keys_of(pairs_of(numbers)))

    @cached_property
    def _by_key(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """The pairs as numbers in order, and where each stands."""
        keys = keys_of(self.numbers)
        order = np.argsort(keys)
        return keys[order], order


def keys_of(numbers: Whole) -> npt.NDArray[np.uint64]:
    """Return pairs of documents as single numbers, the same for both directions.

    >>> keys_of(np.array([[0, 1], [1, 0]])).tolist()
    [1, 1]
    """
    low, high = np.sort(numbers, axis=1).T.astype(np.uint64)
    keys: npt.NDArray[np.uint64] = (low << np.uint64(32)) | high
    return keys


def pairs_of(numbers: Any) -> npt.NDArray[np.int64]:
    """Return pairs of numbers as an array of two columns, also if there are none."""
    return np.array(numbers, np.int64).reshape(-1, 2)


def _find(
    keys: npt.NDArray[np.uint64], order: npt.NDArray[np.int64], wanted: npt.NDArray[np.uint64]
) -> npt.NDArray[np.int64]:
    """Return where some keys stand, -1 for those that do not."""
    if not keys.size:
        return np.full(wanted.size, -1)
    nearest = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[nearest] == wanted, order[nearest], -1)

"""Stores the scored pairs of a result as arrays; a `Pair` is built on access.

A crawl of a million articles has a million pairs that score; as objects they would
take a gigabyte, and few are ever looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Floats, Hashes, Ints, keys_of, pairs_of
from dedupe.clustering import components
from dedupe.ids import Id
from dedupe.lazy import cached_property
from dedupe.results.records import Evidence, Pair
from dedupe.scoring.relations import DECISIVE, are_near, reason, relation

__all__ = ["ScoredPairs", "scored_pairs"]

FindEvidence = Callable[[int, int], Evidence]

Make = Callable[[AnyInts], list[Pair]]
"""Builds the pairs of some places: many together take a third of what each takes alone."""

N_AT_ONCE = 1000
"""Pairs that are built together where all are looked at, which take a megabyte."""


class ScoredPairs(Sequence[Pair]):
    """A sequence of `Pair` over arrays.

    Slices are such sequences too, and two are equal if their pairs are.

    Attributes
    ----------
    ids : sequence of ids, in order
    numbers : int [shape=(n_pairs, 2)]
        Places of both sides among the ids, the lesser first.
    scores, jaccards, containments : float64 [shape=(n_pairs,)]
        The fields of the pairs, for whoever asks for those of all of them.
    is_identical, is_near : bool [shape=(n_pairs,)]
        Whether the documents are exact copies, and near-copies.
    is_candidate : bool [shape=(n_pairs,)]
        Which pairs join clusters; see `Pair`.

    Examples
    --------
    >>> shares = (0.9, 0.5, 1.0, 1.0, 0.5, 0.9, 1.0, 0.5)
    >>> pair = Pair("a", "b", *shares, "contained", "", 40, 40, 0, 0)
    >>> scored = ScoredPairs.of([pair], ["a", "b"])
    >>> scored[0] is pair, scored[1:], scored.places([[0, 1]]).tolist()
    (True, <0 scored pairs>, [0])
    """

    def __init__(
        self,
        ids: Sequence[Id],
        numbers: AnyInts,
        *,
        scores: Floats,
        jaccards: Floats,
        containments: Floats,
        is_identical: Bools,
        is_near: Bools,
        is_candidate: Bools,
        make: Make,
        tell: Callable[[AnyInts], list[str]] | None = None,
    ) -> None:
        self.ids = ids
        self.numbers = numbers
        self.scores = scores
        self.jaccards = jaccards
        self.containments = containments
        self.is_identical = is_identical
        self.is_near = is_near
        self.is_candidate = is_candidate
        self._make = make
        self._tell = tell

    @classmethod
    def of(cls, pairs: Sequence[Pair], ids: Sequence[Id]) -> "ScoredPairs":
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
            is_identical=np.array([pair.relation == "identical" for pair in pairs], np.bool_),
            is_near=are_near(
                np.array([pair.share_left for pair in pairs], np.float64),
                np.array([pair.share_right for pair in pairs], np.float64),
            ),
            is_candidate=np.array([pair.is_candidate for pair in pairs], np.bool_),
            make=lambda places: [pairs[place] for place in places.tolist()],
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
        return self._make(np.array([range(len(self))[place]]))[0]

    def __iter__(self) -> Iterator[Pair]:
        for start in range(0, len(self), N_AT_ONCE):
            yield from self._make(np.arange(start, min(start + N_AT_ONCE, len(self))))

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

    def take(self, places: AnyInts) -> "ScoredPairs":
        """Return some of the pairs, in the order of their places."""
        return ScoredPairs(
            self.ids,
            self.numbers[places],
            scores=self.scores[places],
            jaccards=self.jaccards[places],
            containments=self.containments[places],
            is_identical=self.is_identical[places],
            is_near=self.is_near[places],
            is_candidate=self.is_candidate[places],
            make=lambda some: self._make(places[some]),
            tell=lambda some: self.reasons(places[some]),
        )

    def at(self, threshold: float) -> "ScoredPairs":
        """Return the pairs with the relations that they have at another threshold."""
        return ScoredPairs(
            self.ids,
            self.numbers,
            scores=self.scores,
            jaccards=self.jaccards,
            containments=self.containments,
            is_identical=self.is_identical,
            is_near=self.is_near,
            is_candidate=self.is_candidate,
            make=lambda places: [_at(pair, threshold) for pair in self._make(places)],
            tell=self.reasons,
        )

    def built(self, places: AnyInts) -> list[Pair]:
        """Return some of the pairs, built together, in the order of their places."""
        return self._make(places)

    def reasons(self, places: AnyInts) -> list[str]:
        """Return the reasons of some of the pairs; rows need not become pairs for it."""
        if self._tell is None:
            return [pair.reason for pair in self._make(places)]
        return self._tell(places)

    def places(self, numbers: Any) -> Ints:
        """Return where some pairs stand, -1 for those that are not here.

        Parameters
        ----------
        numbers : int [shape=(n, 2)]
            Documents, in any order.
        """
        keys, order = self._by_key
        return _find(keys, order, keys_of(pairs_of(numbers)))

    def places_through_copies(self, numbers: Any) -> Ints:
        """Do as `places`, and where a pair is not here find that of identical copies.

        Of identical copies, only the pairs of the first are known as a rule. Of two copies
        of one text, it is the pair of that text with one of them.
        """
        sides = pairs_of(numbers)
        originals = self.first_copy[sides]
        is_copy = originals[:, 0] == originals[:, 1]
        later = np.where(sides[:, 0] == originals[:, 0], sides[:, 1], sides[:, 0])
        same = np.stack([originals[:, 0], later], axis=1)
        found = self.places(sides)
        return np.where(found < 0, self.places(np.where(is_copy[:, None], same, originals)), found)

    @cached_property
    def first_copy(self) -> Ints:
        """The first document that is identical to each, often itself."""
        return components(len(self.ids), self.numbers[self.is_identical])

    @cached_property
    def _by_key(self) -> tuple[Hashes, Ints]:
        """The pairs as numbers in order, and where each stands."""
        keys = keys_of(self.numbers)
        order = np.argsort(keys)
        return keys[order], order


def scored_pairs(
    rows: npt.NDArray[np.void],
    ids: Sequence[Id],
    threshold: float,
    find_evidence: FindEvidence | None = None,
) -> ScoredPairs:
    """Return rows as a sequence of `Pair`.

    Parameters
    ----------
    rows : dedupe.scoring.passes.ROW [shape=(n_pairs,)]
        Their documents are places among the ids.
    ids : sequence of ids, in order
    threshold : float
        The score from which two documents are the same story.
    find_evidence : callable, optional
        Gives the evidence of two documents, by number.
    """
    return ScoredPairs(
        ids,
        np.stack([rows["left"], rows["right"]], axis=1),
        scores=rows["score"],
        jaccards=rows["jaccard"],
        containments=np.maximum(rows["containment_left"], rows["containment_right"]),
        is_identical=rows["is_identical"],
        is_near=are_near(rows["share_left"], rows["share_right"]),
        is_candidate=rows["is_candidate"],
        make=lambda places: _pairs(rows[places], ids, threshold, find_evidence),
        tell=lambda places: _reasons(rows[places]),
    )


def _pairs(
    rows: npt.NDArray[np.void],
    ids: Sequence[Id],
    threshold: float,
    find_evidence: FindEvidence | None,
) -> list[Pair]:
    """Return rows as pairs, each with a relation and a reason.

    A column that bears the name of a field of `Pair` fills that field.
    """
    columns = rows.dtype.names or ()
    known = [(name, place) for place, name in enumerate(columns) if name in SAME_FIELDS]
    found = []
    for values, why in zip(rows.tolist(), _reasons(rows), strict=True):
        row = dict(zip(columns, values, strict=True))
        left, right = row["left"], row["right"]
        find = None
        if find_evidence is not None and row["has_evidence"]:
            find = partial(find_evidence, left, right)
        found.append(
            Pair(
                left=ids[left],
                right=ids[right],
                containment=max(row["containment_left"], row["containment_right"]),
                relation="identical" if row["is_identical"] else _relation(row, threshold),
                reason=why,
                find_evidence=find,
                **{name: values[place] for name, place in known},
            )
        )
    return found


def _reasons(rows: npt.NDArray[np.void]) -> list[str]:
    """Return the reasons of some rows; of near-copies many have the same."""
    columns = [rows[name].tolist() for name in DECISIVE]
    told: dict[tuple[Any, ...], str] = {}
    found = []
    for row in zip(*columns, strict=True):
        if row not in told:
            told[row] = reason(dict(zip(DECISIVE, row, strict=True)))
        found.append(told[row])
    return found


def _at(pair: Pair, threshold: float) -> Pair:
    """Return a pair with the relation that it has at a threshold."""
    if pair.relation == "identical":
        return pair
    found = _relation({name: getattr(pair, name) for name in DECIDING}, threshold)
    # Evidence is found once, wherever it is asked for.
    return replace(pair, relation=found, find_evidence=partial(getattr, pair, "evidence"))


def _relation(row: Mapping[str, Any], threshold: float) -> str:
    """Return the relation of two documents by the columns that decide it."""
    return relation(threshold=threshold, **{name: row[name] for name in DECIDING})


DECIDING = ("score", "story_share", "share_left", "share_right")
"""Fields of a pair from which its relation follows."""

SAME_FIELDS = {field.name for field in fields(Pair)} - {"left", "right"}
"""Fields of a pair that a column of their name fills as it is."""


def _find(keys: Hashes, order: Ints, wanted: Hashes) -> Ints:
    """Return where some keys stand, -1 for those that do not."""
    if not keys.size:
        return np.full(wanted.size, -1)
    nearest = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
    return np.where(keys[nearest] == wanted, order[nearest], -1)

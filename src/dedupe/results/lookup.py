"""Finds the documents and scored pairs of a result by the ids that people name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dedupe.ids import Id, Ids, find_id, order_of, plain_id
from dedupe.lazy import cached_property
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import Pair

__all__ = ["Lookup", "from_left"]


class Lookup:
    """Looks up ids, which may be named as text, or those of old documents without `Old`.

    Parameters
    ----------
    scored : ScoredPairs
    others : tuple of ids
        Documents that are in no scored pair.

    Examples
    --------
    >>> lookup = Lookup(ScoredPairs.of([], [7, 8]), others=(9,))
    >>> lookup.id("8"), lookup.number(8), lookup.number(9), lookup.pair(7, 8)
    (8, 1, -1, None)
    """

    def __init__(self, scored: ScoredPairs, others: Ids) -> None:
        self._scored = scored
        self._others = others

    @cached_property
    def _numbers(self) -> dict[Id, int]:
        return {name: number for number, name in enumerate(self._scored.ids)}

    def id(self, name: Id) -> Id:
        """Return the id that is meant, or the name itself where no document has it."""
        if name in self._numbers:
            return name
        found = find_id(name, self._numbers)
        if found is None:
            found = find_id(name, self._others)
        return name if found is None else found

    def number(self, name: Id) -> int:
        """Return the place of a document among those in scored pairs, or -1."""
        return self._numbers.get(self.id(name), -1)

    def place(self, one: Id, other: Id) -> int:
        """Return the place of the scored pair of two documents, or of their copies, or -1."""
        numbers = [self.number(one), self.number(other)]
        if min(numbers) < 0:
            return -1
        place = int(self._scored.places([numbers])[0])
        # Nearly every pair is there itself, and to look for its copies takes three times as long.
        return place if place >= 0 else int(self._scored.places_through_copies([numbers])[0])

    def pair(self, one: Id, other: Id) -> Pair | None:
        """Return the scored pair of two documents, if there is one, or that of their copies."""
        one, other = self.id(one), self.id(other)
        place = self.place(one, other)
        if place < 0:
            return None
        found = self._scored[place]
        if {found.left, found.right} == {one, other}:
            return found
        first = self._scored.ids[self._scored.first_copy[self.number(one)]]
        same = replace(from_left(first, found), left=one, right=other)
        return from_left(min(one, other, key=order_of), same)

    def text(self, texts: Mapping[Any, str], document: Id) -> str | None:
        """Return the text of a document, or None where `texts` has none."""
        if document in texts:
            return texts[document]
        id_ = self.id(document)
        return texts.get(id_, texts.get(plain_id(id_)))


def from_left(left: Id, pair: Pair) -> Pair:
    """Return a pair with the document `left` on the left."""
    if pair.left == left:
        return pair
    return replace(
        pair,
        left=left,
        right=pair.left,
        containment_left=pair.containment_right,
        containment_right=pair.containment_left,
        share_left=pair.share_right,
        share_right=pair.share_left,
    )

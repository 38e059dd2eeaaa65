"""Defines what a query is answered with."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, overload

from dedupe.ids import Id, id_as_json
from dedupe.lazy import cached_property
from dedupe.results.records import Evidence, Share

__all__ = ["Match", "Matches", "Outcome"]

Outcome = Literal["added", "updated", "unchanged"]
"""What becomes of a document that is added."""


@dataclass(frozen=True)
class Match:
    """A document of an index that has something of the story that was asked for.

    Attributes
    ----------
    id : str, int, ...
    score : float, in [0, 1]
        How sure it is that both hold the same story.
    relation, reason : str
        As in `dedupe.Pair`.
    epoch : int
        What was known of boilerplate: how often the index had learned.
    jaccard, containment : float, in [0, 1]
        As in `dedupe.Pair`.
    shared_words : int
        Words of the shared text, counted on the side that has fewer.
    time : float or None
        When the document came up, in seconds since 1970.
    """

    id: Id
    score: Share
    relation: str
    reason: str
    epoch: int
    jaccard: Share
    containment: Share
    shared_words: int
    time: float | None = None
    find_evidence: Callable[[], Evidence] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def evidence(self) -> Evidence | None:
        """The shared passages, found on first access; the text that was asked for is the left."""
        return None if self.find_evidence is None else self.find_evidence()

    def as_json(self, *, evidence: bool = False) -> dict[str, Any]:
        """Return what is known of it as JSON has it, its evidence where that is asked for."""
        found = {"evidence": asdict(self.evidence)} if evidence and self.evidence else {}
        return {
            "id": id_as_json(self.id),
            "score": self.score,
            "relation": self.relation,
            "reason": self.reason,
            "epoch": self.epoch,
            "jaccard": self.jaccard,
            "containment": self.containment,
            "shared_words": self.shared_words,
            "time": self.time,
            **found,
        }


@dataclass(frozen=True)
class Matches(Sequence[Match]):
    """The matches of a query, the best first; ties go to identical copies, then by id.

    Attributes
    ----------
    matches : tuple of Match
    epoch : int
        As in `Match`.
    n_found : int
        How many matches there were, though `limit` may have left some out.
    truncated : bool
        Whether more texts were worth comparing than were allowed, so that matches may be missing.
    outcome : str or None
        What became of the document that was added: ``"added"``, ``"updated"``, or ``"unchanged"``
        where it was there with the same text; None for a query.
    """

    matches: tuple[Match, ...]
    epoch: int
    n_found: int
    truncated: bool = False
    outcome: Outcome | None = None

    def __len__(self) -> int:
        return len(self.matches)

    @overload
    def __getitem__(self, place: int) -> Match: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Match, ...]: ...

    def __getitem__(self, place: int | slice) -> Match | tuple[Match, ...]:
        return self.matches[place]

    def __iter__(self) -> Iterator[Match]:
        """Yield the matches, the best first."""
        return iter(self.matches)

    def as_json(self, *, evidence: bool = False) -> dict[str, Any]:
        """Return all of it as JSON has it; see `Match.as_json`."""
        return {
            "matches": [match.as_json(evidence=evidence) for match in self.matches],
            "n_found": self.n_found,
            "truncated": self.truncated,
            "epoch": self.epoch,
            **({} if self.outcome is None else {"outcome": self.outcome}),
        }

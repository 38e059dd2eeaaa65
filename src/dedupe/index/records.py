"""Defines what an index says of itself and of what was done to it."""

from dataclasses import dataclass
from typing import Any

from dedupe.errors import Skipped
from dedupe.ids import Id, id_as_json

__all__ = ["Added", "Entry", "Stats", "Verification"]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of documents that were added.

    Attributes
    ----------
    n_added, n_updated, n_unchanged : int
        New ids; known ids that have another text now; known ids with the text they had.
    skipped : tuple of Skipped
        Documents that could not be read, and why.
    n_undated : int
        New ids that have no time, or one that could not be read: these never expire.
    """

    n_added: int = 0
    n_updated: int = 0
    n_unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()
    n_undated: int = 0

    def __add__(self, other: "Added") -> "Added":
        return Added(
            self.n_added + other.n_added,
            self.n_updated + other.n_updated,
            self.n_unchanged + other.n_unchanged,
            self.skipped + other.skipped,
            self.n_undated + other.n_undated,
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of an index, but for its text.

    Attributes
    ----------
    id : str, int, ...
    time : float or None
        When it came up, in seconds since 1970.
    n_words : int
    """

    id: Id
    time: float | None
    n_words: int

    def as_json(self) -> dict[str, Any]:
        """Return what is known of it as JSON has it."""
        return {"id": id_as_json(self.id), "time": self.time, "n_words": self.n_words}


@dataclass(frozen=True, slots=True)
class Stats:
    """What an index holds.

    Attributes
    ----------
    n_documents, n_texts : int
        All documents, and different texts among them: identical copies count once.
    n_undated : int
        Documents without a time, which never expire.
    n_tail : int
        Texts that are in no segment yet.
    n_segments : int
    n_dead : int
        Removed texts that segments still hold.
    n_bytes : int
        Of all files together; 0 in memory.
    epoch : int
        How often it has learned what is boilerplate.
    n_learned : int
        Documents that there were when it learned last.
    n_new : int
        Documents that were added or changed since then.
    """

    n_documents: int
    n_texts: int
    n_undated: int
    n_tail: int
    n_segments: int
    n_dead: int
    n_bytes: int
    epoch: int
    n_learned: int
    n_new: int

    @property
    def growth(self) -> float:
        """How much has changed, as a share of what it learned from; see `Index.learn`.

        That is what came since then or what went, whichever is more: a document that was updated,
        and a new one in place of one that has expired, count once. 1.0 where it never learned, 0.0
        where it is empty.

        >>> stats = Stats(8, 8, 0, 8, 0, 0, 0, epoch=1, n_learned=10, n_new=3)
        >>> stats.n_gone, stats.growth
        (5, 0.5)
        """
        if not self.n_learned:
            return float(self.n_new > 0)
        return max(self.n_new, self.n_gone) / self.n_learned

    @property
    def n_gone(self) -> int:
        """Documents that it learned from, and that were removed or changed since then."""
        return self.n_learned - (self.n_documents - self.n_new)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found when all of an index was read.

    Attributes
    ----------
    problems : tuple of str
        What is wrong, a line each; empty where all is sound.
    repaired : bool
        Whether what follows from the documents was made anew.
    """

    problems: tuple[str, ...]
    repaired: bool = False

    def __bool__(self) -> bool:
        return not self.problems

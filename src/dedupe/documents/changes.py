"""Says what is to become of the records of a file that is written anew."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dedupe.documents.document import Document
from dedupe.errors import InvalidSetting, Skipped
from dedupe.ids import Id

__all__ = ["FIELDS", "STORY_FIELDS", "Changes", "Marks", "check_fields"]

FIELDS = ("cluster", "duplicate_of", "score", "reason")
"""What is added to a record, where it is to say what became of it."""

STORY_FIELDS = ("story", "cut")
"""What is added to a record that is to have its story: that, and the spans that went."""

Marks = tuple[int | None, Id | None, float | None, str | None]

NO_MARKS: Marks = (None, None, None, None)


class Changes(NamedTuple):
    """What is to be done to records.

    Attributes
    ----------
    dropped : frozenset of ids
        Ids of those that are left out.
    marks : dict of ids to tuple, or None
        Values of `FIELDS` by id, where they are to be added to every record.
    tell : callable, optional
        Gives the values of `STORY_FIELDS` for a text, where they are to be added.
    """

    dropped: frozenset[Id]
    marks: dict[Id, Marks] | None
    tell: Callable[[str], tuple[str, str]] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are added to every record that stays."""
        return (FIELDS if self.marks is not None else ()) + (STORY_FIELDS if self.tell else ())

    def goes(self, item: Document | Skipped) -> bool:
        """Return whether what was read is left out."""
        return isinstance(item, Document) and item.id in self.dropped

    def added_to(self, item: Document | Skipped) -> tuple[Any, ...]:
        """Return the values that are added to a record, nothing where it could not be read."""
        document = item if isinstance(item, Document) else None
        told: tuple[str | None, ...] = ()
        if self.tell:
            told = (None, None) if document is None else self.tell(document.text)
        marks = self.marks_of(document.id if document else None) if self.marks is not None else ()
        return marks + told

    def marks_of(self, document: Id | None) -> Marks:
        """Return what is added to a record: nothing where it is unread, or in no cluster."""
        return NO_MARKS if document is None else (self.marks or {}).get(document, NO_MARKS)


def check_fields(added: Iterable[str], names: Iterable[str], place: str) -> None:
    """Refuse to add fields that are there already.

    Raises
    ------
    InvalidSetting
    """
    taken = [name for name in added if name in names]
    if taken:
        raise InvalidSetting(
            f"{'story' if {*taken} <= {*STORY_FIELDS} else 'annotate'} adds {', '.join(added)}, "
            f"and {place} has {', '.join(taken)} already: rename what is there, or clean without it"
        )

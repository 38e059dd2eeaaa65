"""Says what is to become of the records of a file that is written anew."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from dedupe.documents.document import Document
from dedupe.errors import InvalidSetting, Skipped
from dedupe.ids import Id

__all__ = ["FIELDS", "STORY_FIELDS", "Change", "Changes", "Marks", "check_fields", "check_replaced"]

FIELDS = ("cluster", "duplicate_of", "score", "relation", "reason")
"""What is added to a record, where it is to say what became of it, as `Result.annotate` does."""

STORY_FIELDS = ("story", "cut")
"""What is added to a record that is to have its story: that, and the spans that went."""

Marks = tuple[int | None, Id | None, float | None, str | None, str | None]

NO_MARKS: Marks = (None, None, None, None, None)


class Changes(NamedTuple):
    """What is to be done to records.

    Attributes
    ----------
    dropped : frozenset of ids
        Ids of those that are left out.
    marks : dict of ids to tuple, or None
        Values of `FIELDS` by id, where they are to be added to every record.
    tell : callable, optional
        Gives the values of `STORY_FIELDS` for a document, where they are to be added.
    replaces : str, optional
        Field of the text that the story takes the place of; otherwise it gets one of its own.
    """

    dropped: frozenset[Id]
    marks: dict[Id, Marks] | None
    tell: Callable[[Document], tuple[str, str]] | None = None
    replaces: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are added to every record that stays."""
        told = STORY_FIELDS if self.replaces is None else STORY_FIELDS[1:]
        return (FIELDS if self.marks is not None else ()) + (told if self.tell else ())

    def goes(self, item: Document | Skipped) -> bool:
        """Return whether what was read is left out."""
        return isinstance(item, Document) and item.id in self.dropped

    def made_to(self, item: Document | Skipped) -> "Change":
        """Return what becomes of a record that stays: nothing is told of one that is unread."""
        document = item if isinstance(item, Document) else None
        text = None
        told: tuple[str | None, ...] = ()
        if self.tell:
            told = (None, None) if document is None else self.tell(document)
        if self.replaces is not None:
            # What loses nothing keeps its bytes.
            text = told[0] if told[1] else None
            told = told[1:]
        marks = self.marks_of(document.id if document else None) if self.marks is not None else ()
        return Change(marks + told, text)

    def marks_of(self, document: Id | None) -> Marks:
        """Return what is added to a record: nothing where it is unread."""
        return NO_MARKS if document is None else (self.marks or {}).get(document, NO_MARKS)


class Change(NamedTuple):
    """What becomes of a record.

    Attributes
    ----------
    added : tuple
        The values of `Changes.names`.
    text : str, optional
        What is written in place of its text.
    """

    added: tuple[Any, ...]
    text: str | None


def check_replaced(changes: Changes, names: Iterable[str], place: str) -> None:
    """Refuse to replace a text that is no field of its record.

    Raises
    ------
    InvalidSetting
    """
    if changes.replaces is not None and changes.replaces not in names:
        raise InvalidSetting(
            "replace_text (--replace-text) needs the text in one field of its record, got "
            f"{changes.replaces!r}, which {place} does not have: leave it out, and the story gets "
            "a field of its own"
        )


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

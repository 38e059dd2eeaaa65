"""Says what is to become of the records of a file that is written anew."""

from collections.abc import Iterable
from typing import NamedTuple

from dedupe.errors import InvalidSetting

__all__ = ["FIELDS", "Changes", "Marks", "check_fields"]

FIELDS = ("cluster", "duplicate_of", "score", "reason")
"""What is added to a record, where it is to say what became of it."""

Marks = tuple[int | None, str | None, float | None, str | None]

NO_MARKS: Marks = (None, None, None, None)


class Changes(NamedTuple):
    """What is to be done to records.

    Attributes
    ----------
    dropped : frozenset of str
        Ids of those that are left out.
    marks : dict of str to tuple, or None
        Values of `FIELDS` by id, where they are to be added to every record.
    """

    dropped: frozenset[str]
    marks: dict[str, Marks] | None

    def marks_of(self, document: str | None) -> Marks:
        """Return what is added to a record: nothing where it is unread, or in no cluster."""
        return NO_MARKS if document is None else (self.marks or {}).get(document, NO_MARKS)


def check_fields(names: Iterable[str], place: str) -> None:
    """Refuse to add fields that are there already.

    Raises
    ------
    InvalidSetting
    """
    taken = [name for name in FIELDS if name in names]
    if taken:
        raise InvalidSetting(
            f"annotate adds {', '.join(FIELDS)}, and {place} has {', '.join(taken)} already: "
            "rename what is there, or clean without annotate"
        )

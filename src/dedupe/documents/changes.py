"""Says what is to become of the records of a file that is written anew."""

from collections.abc import Iterable
from typing import NamedTuple

from dedupe.errors import InvalidSetting

__all__ = ["FIELDS", "Changes", "Marks", "check_fields"]

FIELDS = ("cluster", "duplicate_of", "score", "reason")
"""What is added to a record, where it is to say what became of it."""

Marks = tuple[int | None, str | None, float | None, str | None]


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

    def marks_of(self, document: str) -> Marks:
        """Return what is added to a record; one that is in no cluster has nothing to say."""
        return (self.marks or {}).get(document, (None, None, None, None))


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

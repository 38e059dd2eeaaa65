"""Accepts documents from whatever reads them, or refuses the collection as a whole.

A bad document is skipped by its reader. Here are the faults that no single document has: an
id that is there twice, nothing to read, nothing old, a field that no record has.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import xxhash

from dedupe.documents.document import (
    EMPTY,
    NO_FIELD,
    NO_STRING,
    Document,
    Placed,
    holds_nothing,
    shown,
)
from dedupe.documents.options import ID_FIELD
from dedupe.documents.paths import STDIN
from dedupe.errors import DuplicateId, InvalidInput, InvalidSetting, NothingToRead, Skipped
from dedupe.ids import Id, Old, plain_id

__all__ = ["RENAME", "Remedies", "accepted"]

LOG = logging.getLogger("dedupe")

RENAME = "rename one, or name another field with id_field="
"""What to do where an id is there twice."""


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to do about an id that is there twice.

    Attributes
    ----------
    any : str
        Wherever it is.
    same_file : str
        Where both are in one file, if that differs.
    old : str
        Where it belongs to the old collection, if that differs.
    """

    any: str = RENAME
    same_file: str = ""
    old: str = ""


def accepted(
    items: Iterable[Placed],
    where: str,
    *,
    old: str | None = None,
    stored: Iterable[Placed] = (),
    time_field: str | None = None,
    id_field: str = ID_FIELD,
    remedies: Remedies = Remedies(),
    may_be_empty: bool = False,
    is_part: bool = False,
    must_name: bool = False,
) -> Iterator[Document | Skipped]:
    """Yield what was placed, and refuse a collection that cannot be meant.

    Parameters
    ----------
    items : iterable of Placed
    where, old : str
        What they come from, to name should there be nothing; `old` is None where no old
        collection was asked for. It may be empty, as an archive is before its first night: then
        a warning is logged. But where none of it can be read, nothing goes on: compared with
        nothing, new documents would seem unique.
    stored : iterable of Placed
        Old documents that come first, and were accepted when they were stored.
    time_field, id_field : str
        A field that was named must be in some record: it may be misspelt. So must each field
        that is a part of the text.
    remedies : Remedies
    may_be_empty : bool
        Whether there need not be a document.
    is_part : bool
        Whether the rest of the collection is kept elsewhere, as in an index. Then a field that
        holds no time is warned of alone, what may be empty may also be all unreadable, and any
        other may be without a document as long as all that is there holds no text.
    must_name : bool
        Whether none may go by its line or number, in a file or in what is piped in.

    Raises
    ------
    InvalidInput
        As soon as one that must name itself does not.
    DuplicateId
        As soon as an id comes again; in a part, with another text or time.
    NothingToRead, InvalidSetting
        At the end.
    """
    ids = _Ids(remedies, may_come_again=is_part)
    seen = _Seen()
    for placed in stored:
        seen.note(placed, ids)
        yield placed.item
    # Fields are named for what is read; what is stored has its ids and times anyway.
    lacks_id, lacks_time = id_field != ID_FIELD, time_field is not None
    for placed in items:
        if must_name:
            _check_name(placed)
        seen.note(placed, ids)
        lacks_id = lacks_id and not placed.has_id
        lacks_time = lacks_time and not _is_timed(placed.item)
        yield placed.item
    _check_parts(seen)
    if not ids.places:
        if _may_be_empty(seen, may_be_empty=may_be_empty, is_part=is_part):
            return
        found = f"none in {where}" if seen.first is None else _told_of(seen.n_skipped, seen.first)
        raise NothingToRead(f"there must be at least one document, got {found}")
    if old is not None and not seen.has_old:
        _check_lost(seen, old)
    _check_fields(
        id_field if lacks_id else None, time_field if lacks_time else None, is_part=is_part
    )


def _may_be_empty(seen: "_Seen", *, may_be_empty: bool, is_part: bool) -> bool:
    """Return whether a collection without a document can be meant.

    A part may be empty, as on a night without news; but where texts are there that cannot be
    read, as by a wrong name of their field, all would be lost in silence.
    """
    if may_be_empty:
        return seen.first is None or is_part
    return is_part and not seen.has_fault


def _check_name(placed: Placed) -> None:
    """Refuse a record that goes by its line or number, as one of the next file of that name does.

    A file that is one document has its path, unless it is piped in.
    """
    is_numbered = bool(placed.rows) or placed.place == STDIN
    if placed.has_id or not is_numbered or isinstance(placed.item, Skipped):
        return
    raise InvalidInput(
        f"documents that an index keeps must have ids of their own, got none at {placed.place}: "
        "give records a field 'id', or name another one with id_field= (--id-field)"
    )


class _Ids:
    """The ids that have come, and where each stands.

    In a part of an index a document may come again as it was, as it may on another day.
    """

    def __init__(self, remedies: Remedies, *, may_come_again: bool) -> None:
        self.places: dict[Id, str] = {}
        self._digests: dict[Id, int] | None = {} if may_come_again else None
        self._remedies = remedies

    def add(self, document: Document, place: str) -> None:
        """Take an id, or refuse one that is there."""
        id_, places = document.id, self.places
        if self._digests is not None:
            digest = _digest(document)
            if id_ in places and self._digests.get(id_) == digest:
                return
            self._digests[id_] = digest
        if type(id_) is str and id_ not in places:
            places[id_] = place
            return
        # A report shows ids as text, and 1 and 1.0 are one key: neither may stand twice.
        for name in dict.fromkeys((str(id_), id_)):
            if name in places:
                raise self._twice(document, place, places[name])
            places[name] = place

    def _twice(self, document: Document, place: str, before: str) -> DuplicateId:
        """Say where an id stands twice, and what to do."""
        remedies = self._remedies
        told = (_file_of(place) == _file_of(before) and remedies.same_file) or (
            document.is_old and remedies.old
        )
        return DuplicateId(
            f"ids must be unique, got {plain_id(document.id)!r} at {before} and at "
            f"{place}: {told or remedies.any}"
        )


def _digest(document: Document) -> int:
    """Return the digest of all that an index keeps of a document."""
    digest = xxhash.xxh3_64(f"{document.id!r} {document.time!r} ".encode("utf-8", "replace"))
    digest.update(document.encoded)
    return digest.intdigest()


@dataclass(slots=True)
class _Seen:
    """What has come, as far as it decides whether the collection as a whole can be meant."""

    n_skipped: int = 0
    first: Skipped | None = None
    has_fault: bool = False
    n_lost: int = 0
    first_lost: Skipped | None = None
    has_old: bool = False
    lacking: frozenset[str] | None = None
    n_of_parts: int = 0

    def note(self, placed: Placed, ids: _Ids) -> None:
        """Take one more."""
        item = placed.item
        if isinstance(item, Document):
            ids.add(item, placed.place)
            if item.is_old:
                self.has_old = True
            if item.lacks is not None:
                self.n_of_parts += 1
                self.lacking = item.lacks if self.lacking is None else self.lacking & item.lacks
            return
        if item.reason.startswith(NO_STRING):
            # Its record has the field, and is told of by itself.
            self.lacking = frozenset()
        self.n_skipped += 1
        self.first = self.first or item
        self.has_fault = self.has_fault or not holds_nothing(item)
        is_empty_file = item.reason == EMPTY and plain_id(item.id) == placed.place
        if isinstance(item.id, Old) and not is_empty_file:
            self.n_lost += 1
            self.first_lost = self.first_lost or item


def _is_timed(item: Document | Skipped) -> bool:
    return isinstance(item, Document) and item.time is not None


def _check_lost(seen: _Seen, old: str) -> None:
    """Refuse an old collection of which nothing could be read; warn where nothing is there."""
    first = seen.first_lost
    if first is None:
        LOG.warning("there is nothing old in %s: new documents are compared among themselves", old)
        return
    hint = "; where records differ, --text-field body,text" if NO_FIELD in first.reason else ""
    raise NothingToRead(
        "an old collection must hold a document that can be read, or nothing at all, got "
        f"{_told_of(seen.n_lost, first, f' in {old}')}{hint}"
    )


def _check_fields(id_field: str | None, time_field: str | None, *, is_part: bool) -> None:
    """Refuse fields that were named, and that no record has; warn of times that a part lacks."""
    if id_field is not None:
        raise InvalidSetting(
            f"id_field (--id-field) must name a field that some record has, got {id_field!r}, "
            f"which none has: leave it out to go by {ID_FIELD!r}, and by file and line where "
            "there is none"
        )
    if time_field is not None:
        told = (
            f"time_field (--time-field) must name a field that holds a time, got {time_field!r}, "
            "which holds none anywhere: a time is seconds since 1970, or ISO 8601"
        )
        if not is_part:
            raise InvalidSetting(told)
        LOG.warning("%s", told)


def _check_parts(seen: _Seen) -> None:
    """Refuse a field that is a part of the text, and that no record has.

    With a wrong name, titles alone would decide. A single record, as of two that are compared,
    may lack what others have.
    """
    if seen.lacking and seen.n_of_parts > 1:
        raise InvalidSetting(
            "text_field (--text-field) must name fields that some record has, got "
            f"{shown(map(repr, sorted(seen.lacking)))}, which none has: correct it, or leave it out"
        )


def _file_of(place: str) -> str:
    """Return the file that a place is in: the place itself, where that is all of it."""
    return place.rpartition(":")[0] or place


def _told_of(n_skipped: int, first: Skipped, where: str = "") -> str:
    """Say how many could not be read, and why the first of them could not."""
    name = plain_id(first.id)
    return f"{n_skipped:,} skipped{where}; the first, {name}: {first.reason}; {first.remedy}"

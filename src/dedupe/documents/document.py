"""What a document is, and how a value or a record becomes one.

The rules for ids, texts and times are the same for a line of JSON, a row of a
table and a pair in memory, and stand here alone. How the values come out of a
file is left to the modules of the formats.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from reprlib import repr as short
from typing import NamedTuple, Self

from dedupe.documents.fields import ABSENT, value_at
from dedupe.documents.options import Options, Tapped
from dedupe.documents.streams import Unreadable
from dedupe.documents.values import as_id, as_time, encoded, is_missing, kind_of
from dedupe.errors import Skipped
from dedupe.ids import Id, Old

__all__ = [
    "EMPTY",
    "NO_FIELD",
    "NO_STRING",
    "NO_WORD",
    "Document",
    "Placed",
    "check_once",
    "digest_of",
    "fault_of",
    "from_record",
    "from_value",
    "holds_nothing",
    "missing_field",
    "shown",
    "without_word",
]


@dataclass(slots=True)
class Document:
    """A text, and what to call it.

    Nobody changes one, but a frozen dataclass takes three times as long to make.

    Attributes
    ----------
    id : str, int, ...
        In the type in which it came, `dedupe.Old` for an old document; unique among the documents
        that are read together. See `dedupe.ids`.
    text : str
        As it was written: nothing is normalised, but lone surrogates, which no
        encoding can hold, are U+FFFD.
    time : float, optional
        Seconds since 1970: when its file was last changed, or its time field.
    is_old : bool
        Whether it belongs to the collection that others are held against.
    is_dated : bool
        Whether a window goes by its time, which that of a file may not deserve.
    lacks : frozenset of str, optional
        The fields that its record does not have, where several make a text.
    utf8 : bytes, optional
        The same text in UTF-8, where it was read so: most are not encoded again.
    """

    id: Id
    text: str
    time: float | None = None
    is_old: bool = field(default=False, repr=False)
    is_dated: bool = field(default=False, repr=False)
    lacks: frozenset[str] | None = field(default=None, repr=False, compare=False)
    utf8: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def encoded(self) -> bytes:
        """The text in UTF-8."""
        return self.text.encode("utf-8", "replace") if self.utf8 is None else self.utf8

    @property
    def digest(self) -> str:
        """Digest of the text, in hexadecimal, which tells whether it is still the same."""
        return digest_of(self.encoded)


def digest_of(data: bytes) -> str:
    """Return 128 bits of BLAKE2b in hexadecimal.

    What is deleted rests on it, and of faster hashes others can make a text that has the
    digest of this one.

    >>> digest_of(b"text")
    'd732c6be860e019351f99173fa6ae612'
    """
    return hashlib.blake2b(data, digest_size=16).hexdigest()


class Placed(NamedTuple):
    """Something that was found, and where.

    Attributes
    ----------
    place : str
        Where it stands, as a person would say it.
    item : Document or Skipped
    rows : range
        The lines of its file that it takes, in JSON and Parquet its number, from 1.
        None of them where it is the file as a whole.
    """

    place: str
    item: Document | Skipped
    rows: range = range(0)

    @property
    def has_id(self) -> bool:
        """Whether it says an id itself, and does not go by its place."""
        name = self.item.id.id if isinstance(self.item.id, Old) else self.item.id
        return bool(name != self.place)

    def qualified(self, file: str) -> Self:
        """Put the name of its file before an id that a record says."""
        if not self.has_id:
            return self
        return self._replace(item=replace(self.item, id=f"{file}#{self.item.id}"))

    def as_old(self) -> Self:
        """Mark a document, or what could not be read, as of the collection that others meet."""
        if isinstance(self.item, Skipped):
            return self._replace(item=replace(self.item, id=Old(self.item.id)))
        return self._replace(item=replace(self.item, id=Old(self.item.id), is_old=True))

    def as_dated(self) -> Self:
        """Let a window go by the time of a document, if it has one, wherever that is from."""
        if isinstance(self.item, Skipped):
            return self
        return self._replace(item=replace(self.item, is_dated=self.item.time is not None))


def from_record(
    record: Mapping[str, object], place: Id, when: float | None, options: Options
) -> Document | Skipped:
    """Make a document of a record; `place` and `when` fill in what it does not say."""
    if isinstance(options, Tapped) and options.tap is not None:
        options.tap(record)
    try:
        id_ = as_id(_present(record, options.id_field), place)
    except Unreadable as error:
        return Skipped(place, error.reason, error.remedy)
    try:
        return _made(record, id_, when, options)
    except Unreadable as error:
        return Skipped(id_, error.reason, error.remedy)


def _made(
    record: Mapping[str, object], id_: Id, when: float | None, options: Options
) -> Document | Skipped:
    """Make a document of a record that goes by an id."""
    is_dated = False
    if options.time_field is not None:
        when = _time_in(record, options.time_field)
        is_dated = when is not None
    if options.html_field is None and options.text_field in record:  # As in most records.
        return from_value(id_, record[options.text_field], when, is_dated=is_dated)
    values = {name: value_at(record, name) for name in options.text_names(record)}
    found = {name: value for name, value in values.items() if value is not ABSENT}
    if not found:
        return missing_field(id_, record, options)
    parts = [_part(id_, name, value, options) for name, value in found.items()]
    item = parts[0] if len(parts) == 1 else _joined(id_, parts)
    if isinstance(item, Skipped):
        return item
    lacks = frozenset(values.keys() - found.keys()) if len(values) > 1 else None
    return replace(item, time=when, is_dated=is_dated, lacks=lacks)


def _present(record: Mapping[str, object], name: str) -> object:
    """Return the value of a field, or None where there is none."""
    value = value_at(record, name)
    return None if value is ABSENT else value


def _time_in(record: Mapping[str, object], name: str) -> float | None:
    """Return the time in a field, or None: a bad one costs no more than itself."""
    try:
        return as_time(_present(record, name))
    except Unreadable:
        return None


def _part(id_: Id, name: str, value: object, options: Options) -> Document | Skipped:
    """Make a document of one field of a record, of which there may be more."""
    if name == options.html_field and isinstance(value, str) and value.strip():
        from dedupe.documents.markup import text_of_page  # noqa: PLC0415  lxml loads slowly.

        try:
            value = text_of_page(value)
        except Unreadable as error:
            return Skipped(id_, error.reason, error.remedy)
    return from_value(id_, value)


def _joined(id_: Id, parts: list[Document | Skipped]) -> Document | Skipped:
    """Make one document of several fields; one that holds nothing is left out."""
    skipped = [part for part in parts if isinstance(part, Skipped)]
    faults = [part for part in skipped if part.reason not in (NO_TEXT, EMPTY)]
    if faults or len(skipped) == len(parts):
        return (faults or skipped)[0]
    texts = [part.text for part in parts if isinstance(part, Document)]
    return Document(id_, "\n\n".join(texts))


NO_TEXT, EMPTY = "no text", "empty"
"""Why a value that holds nothing is no text."""

NO_STRING = "the text is"
"""What is said of a value of another type, before its type."""


NO_FIELD = "no field "
"""What the reason begins with where a record has no text at all."""


def holds_nothing(skipped: Skipped) -> bool:
    """Return whether nothing is missing by what was skipped: it is there, and has no text.

    >>> holds_nothing(Skipped("a", "empty", "leave it out"))
    True
    """
    return skipped.reason in (NO_TEXT, EMPTY, NO_WORD)


NO_WORD = "no word in it"
"""Why a text is skipped that has only signs."""


def without_word(id_: Id) -> Skipped:
    """Return what is said of a document that has only signs."""
    return Skipped(id_, NO_WORD, "nothing to do, unless it should hold text")


def missing_field(id_: Id, fields: Iterable[str], options: Options) -> Skipped:
    """Say that the text field is not there, and what is."""
    fields = list(fields)
    there = shown(map(short, fields)) or "no fields"
    wanted = options.text_names(fields)
    flag = "text_field= (--text-field)"
    if options.html_field is not None:
        flag = "html_field= (--html-field)"
    return Skipped(
        id_,
        f"{NO_FIELD}{' or '.join(map(repr, wanted))}",
        f"it has {there}: name the one of the text with {flag}",
    )


def check_once(names: Sequence[str], options: Options) -> None:
    """Refuse a table that has a field twice which is asked for: nobody can tell which is meant.

    Raises
    ------
    Unreadable
    """
    if (name := options.asked_twice(names)) is not None:
        raise Unreadable(f"it has two columns {short(name)}", "give one of them another name")


def shown(names: Iterable[str]) -> str:
    """Return names for a message, ten of many.

    >>> shown("abc"), shown(map(str, range(12)))[-12:]
    ('a, b, c', '9 and 2 more')
    """
    names = list(names)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def from_value(
    id_: Id,
    value: object,
    when: float | None = None,
    *,
    is_dated: bool = False,
    utf8: bytes | None = None,
) -> Document | Skipped:
    """Make a document of a text, or say why it is none; `utf8` is the text as it was read."""
    if not isinstance(value, str):
        if is_missing(value):
            return Skipped(id_, NO_TEXT, "give it a text, or leave it out")
        return Skipped(id_, f"{NO_STRING} {kind_of(value)}", "turn it into a string")
    if not value or value.isspace():
        return Skipped(id_, EMPTY, "give it a text, or leave it out")
    if utf8 is None:
        value, utf8 = encoded(value)
    return Document(id_, value, when, False, is_dated, None, utf8)


def fault_of(error: Exception) -> str:
    """Say what is wrong with JSON that could not be read.

    Python names whatever it was about to read when its stack was full, which differs from
    one call to the next.

    >>> fault_of(RecursionError("maximum recursion depth exceeded"))
    'nested too deep'
    """
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, UnicodeDecodeError):
        return f"{error.reason} at byte {error.start}"
    if "utf-8-sig" in str(error):
        return "a byte order mark before it"
    if "set_int_max_str_digits" in str(error):
        return f"an integer of more than {sys.get_int_max_str_digits():,} digits"
    return str(error)

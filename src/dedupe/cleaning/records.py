"""JSON and delimited tables: the same file without some of its records.

What stays is not parsed and written again: its bytes are passed on, with its line
ends, quotes and encoding. A record that could not be read is passed on too. Where
fields are added, they stand at the end of a record, and the rest keeps its bytes.
"""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from dedupe.documents import Document
from dedupe.documents.document import Placed
from dedupe.documents.encoding import transcoded, unmarked
from dedupe.documents.json import decode_json, json_values
from dedupe.documents.streams import Source, Unreadable, read_whole
from dedupe.errors import InvalidSetting
from dedupe.results.result import Result

__all__ = ["FIELDS", "Changes", "check_fields", "clean_csv", "clean_json", "clean_json_lines"]

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

    @classmethod
    def of(cls, result: Result, *, annotate: bool) -> "Changes":
        """Return what a result asks for."""
        if not annotate:
            return cls(frozenset(duplicate.id for duplicate in result.duplicates), None)
        marks: dict[str, Marks] = {
            row["id"]: (
                row["cluster"],
                row["duplicate_of"] or None,
                row["score"],
                row["reason"] or None,
            )
            for row in result.rows()
        }
        return cls(frozenset(), marks)

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


Edit = Callable[[bytes], bytes]
"""What becomes of the bytes of a record."""


def clean_json_lines(source: Source, placed: Iterable[Placed], changes: Changes) -> Iterator[bytes]:
    """Yield the lines of a file that stay."""
    edits = _drop(placed, changes) if changes.marks is None else _add_keys(placed, changes)
    return _edited(source, edits)


def clean_json(
    source: Source, placed: Iterable[Placed], changes: Changes, limit: int
) -> Iterator[bytes]:
    """Yield a file of JSON with those of its values that stay, and what stood before each."""
    mark, encoding, chunks = unmarked(source.chunks)
    text = decode_json(read_whole(transcoded(chunks, encoding), limit))
    edits = _drop(placed, changes) if changes.marks is None else _add_keys(placed, changes)
    edit_of = {rows.start: edit for rows, edit in edits}
    head, end = "", 0
    pieces: list[str] = []
    for value in json_values(text):
        between = text[end : value.start]
        if value.number == 1:
            head, between = between, ""
        stays = edit_of.get(value.number, bytes)(text[value.start : value.end].encode()).decode()
        if stays:
            # What stood before a value goes with it, but for the first that stays.
            pieces += [between, stays] if pieces else [stays]
        end = value.end
    yield mark + "".join([head, *pieces, text[end:]]).encode(encoding)


def clean_csv(
    source: Source,
    rows: Iterator[tuple[range, list[str] | Unreadable]],
    placed: Iterable[Placed],
    changes: Changes,
    delimiter: str,
) -> Iterator[bytes]:
    """Yield the rows of a table that stay; `rows` is what `csv_rows` reads of it."""
    if changes.marks is None:
        return _edited(source, _drop(placed, changes))
    return _edited(source, _add_cells(source.id, rows, placed, changes, delimiter))


def _drop(placed: Iterable[Placed], changes: Changes) -> Iterator[tuple[range, Edit]]:
    """Yield the records that are left out."""
    for _, item, rows in placed:
        if isinstance(item, Document) and item.id in changes.dropped:
            yield rows, lambda _: b""


def _add_keys(placed: Iterable[Placed], changes: Changes) -> Iterator[tuple[range, Edit]]:
    """Yield what is added to each line of JSON that could be read."""
    for place, item, rows in placed:
        if isinstance(item, Document):
            marks = dict(zip(FIELDS, changes.marks_of(item.id), strict=True))
            added = json.dumps(marks, ensure_ascii=False)[1:]
            yield rows, partial(_with_keys, place=place, added=added.encode())


def _with_keys(line: bytes, *, place: str, added: bytes) -> bytes:
    r"""Return a line with more keys before its last brace.

    >>> _with_keys(b'{"text": "x"}\r\n', place="f:1", added=b'"score": 1.0}')
    b'{"text": "x", "score": 1.0}\r\n'
    """
    check_fields(json.loads(line), place)
    body = line.rstrip()
    # A document has a text, so there is a key before these.
    return body[:-1].rstrip() + b", " + added + line[len(body) :]


def _add_cells(
    place: str,
    rows: Iterator[tuple[range, list[str] | Unreadable]],
    placed: Iterable[Placed],
    changes: Changes,
    delimiter: str,
) -> Iterator[tuple[range, Edit]]:
    """Yield what is added to the header, and to each row that is one."""
    span, header = next(rows)
    if isinstance(header, Unreadable):
        raise header
    check_fields([name.strip() for name in header], place)
    yield span, partial(_with_cells, added=_cells(FIELDS, delimiter))
    for (span, row), (_, item, _) in zip(rows, placed, strict=False):
        # Of a row that is none, nobody knows where its last cell ends.
        if not isinstance(row, Unreadable):
            known = isinstance(item, Document)
            marks = changes.marks_of(item.id) if known else (None, None, None, None)
            padding = [""] * (len(header) - len(row))
            yield span, partial(_with_cells, added=_cells((*padding, *marks), delimiter))


def _cells(values: Iterable[Any], delimiter: str) -> bytes:
    """Return cells with a delimiter before each of them."""
    row = io.StringIO()
    csv.writer(row, delimiter=delimiter, lineterminator="").writerow(["", *values])
    return row.getvalue().encode()


def _with_cells(row: bytes, *, added: bytes) -> bytes:
    """Return a row with more cells before the end of its last line."""
    end = b"\r\n" if row.endswith(b"\r\n") else b"\n" if row.endswith(b"\n") else b""
    return row[: len(row) - len(end)] + added + end


def _edited(source: Source, edits: Iterator[tuple[range, Edit]]) -> Iterator[bytes]:
    """Yield a file in its own encoding, with some of its lines edited.

    Edits come in the order of the lines. Only lines that are edited are ever held as
    a whole, and these are no longer than the limit on records.
    """
    mark, encoding, chunks = unmarked(source.chunks)
    yield mark
    if encoding == "utf-8":
        yield from _edited_lines(_pieces(chunks), edits)
        return
    for line in _edited_lines(_pieces(transcoded(chunks, encoding)), edits):
        yield line.decode().encode(encoding)


def _edited_lines(
    pieces: Iterator[tuple[int, bytes]], edits: Iterator[tuple[range, Edit]]
) -> Iterator[bytes]:
    """Yield pieces of lines, those of edited lines together."""
    last = range(sys.maxsize, sys.maxsize), bytes
    rows, edit = next(edits, last)
    held: list[bytes] = []
    for number, piece in pieces:
        if number >= rows.stop:
            yield edit(b"".join(held))
            held.clear()
            rows, edit = next(edits, last)
        if number in rows:
            held.append(piece)
        else:
            yield piece
    if held:
        yield edit(b"".join(held))
    # What is wrong with the end of a file shows when it is reached.
    for _ in edits:
        raise Unreadable("it has become shorter while it was read", "clean it again")


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    r"""Yield the lines of a file with their ends, long ones in pieces, each with its number.

    >>> list(_pieces([b"a\nb", b"b\r\n"]))
    [(1, b'a\n'), (2, b'b'), (2, b'b\r\n')]
    """
    number = 1
    for chunk in chunks:
        lines = chunk.split(b"\n")
        for line in lines[:-1]:
            yield number, line + b"\n"
            number += 1
        if lines[-1]:
            yield number, lines[-1]

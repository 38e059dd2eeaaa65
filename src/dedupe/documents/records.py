"""JSON Lines and delimited tables: one document a record.

A bad record costs that record. What becomes of a good one is decided in
`dedupe.documents.document`.
"""

import csv
import json
import threading
from collections.abc import Iterator
from typing import Self

from dedupe.documents.document import Document, Options, Placed, from_record, missing_field
from dedupe.documents.encoding import decode_line, text_chunks
from dedupe.documents.streams import (
    LongLine,
    Source,
    Unreadable,
    lines,
    too_large,
)
from dedupe.errors import Skipped

__all__ = ["csv_rows", "read_csv", "read_json_lines"]


def read_json_lines(source: Source, options: Options) -> Iterator[Placed]:
    """Read a file with a JSON object in each line; blank lines do not count."""
    for number, line in enumerate(lines(text_chunks(source.chunks), options.max_chars), start=1):
        place = f"{source.id}:{number}"
        item: Document | Skipped
        try:
            record = _parse_line(line, options.max_chars)
            if record is None:
                continue
            item = from_record(record, place, source.time, options)
        except Unreadable as error:
            item = Skipped(place, error.reason, error.remedy)
        yield Placed(place, item, range(number, number + 1))


def _parse_line(line: bytes | LongLine, limit: int) -> dict[str, object] | None:
    """Return the record in a line, or None for a blank one."""
    if isinstance(line, LongLine):
        raise too_large(limit)
    if not line or line.isspace():
        return None
    try:
        # Given bytes, `json` would let through surrogates that are no UTF-8.
        record = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason} at byte {error.start}", REPAIR) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}", REPAIR) from error
    if not isinstance(record, dict):
        raise Unreadable(f"a JSON {type(record).__name__}, not an object", REPAIR)
    return record


REPAIR = "repair this line, or leave it out"


def read_csv(source: Source, options: Options, delimiter: str = ",") -> Iterator[Placed]:
    """Read a table in the dialect of Excel, whose first row names the fields."""
    rows = csv_rows(source, options, delimiter)
    _, header = next(rows, (range(1, 2), []))
    if isinstance(header, Unreadable):
        raise Unreadable(f"the header cannot be read: {header.reason}", header.remedy)
    names = [name.strip() for name in header]
    if names and options.text_field not in names:
        yield Placed(source.id, missing_field(source.id, names, options))
        return
    for span, row in rows:
        place = f"{source.id}:{span.start}"
        item: Document | Skipped
        try:
            item = from_record(_record(names, row), place, source.time, options)
        except Unreadable as error:
            item = Skipped(place, error.reason, error.remedy)
        yield Placed(place, item, span)


def csv_rows(
    source: Source, options: Options, delimiter: str = ","
) -> Iterator[tuple[range, list[str] | Unreadable]]:
    """Yield each row that is not blank, its header too, with the lines that it takes."""
    feed = _Feed(lines(text_chunks(source.chunks), options.max_chars), options.max_chars)
    return _rows(feed, delimiter)


def _record(names: list[str], row: list[str] | Unreadable) -> dict[str, object]:
    """Return a row by the names of its fields."""
    if isinstance(row, Unreadable):
        raise row
    # A text with a bare delimiter in it would be cut there without a word.
    if any(row[len(names) :]):
        raise Unreadable(
            f"{len(row)} fields where the header has {len(names)}",
            "put fields that hold the delimiter in double quotes",
        )
    return dict(zip(names, row, strict=False))


class _Feed:
    """The lines that `csv` asks for: several to a record while a quoted field is open.

    Of lines that make a record too large, only the quotes are passed on: these
    decide where it ends, and nothing more has to be held.
    """

    def __init__(self, numbered: Iterator[bytes | LongLine], limit: int) -> None:
        self._lines = numbered
        self.limit = limit
        self.size = 0
        """Bytes of the record so far; who reads the records sets it back to 0."""
        self.is_cut = False
        """Whether the file ended inside a record."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.is_cut = self.size > 0
            raise StopIteration
        if isinstance(line, LongLine):
            self.size = self.limit + 1
            return '"' * (line.n_quotes % 2)
        self.size += len(line) + bool(self.size)
        if self.size > self.limit:
            return '"' * (line.count(b'"') % 2)
        return decode_line(line) + "\n"


def _rows(feed: _Feed, delimiter: str) -> Iterator[tuple[range, list[str] | Unreadable]]:
    """Yield each row that is not blank, or what is wrong with it, with its lines."""
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        number = reader.line_num + 1
        feed.size = 0
        row: list[str] | Unreadable | None
        try:
            row = _next_row(reader, feed.limit)
        except csv.Error as error:
            row = Unreadable(f"not CSV: {error}", "repair this row, or leave it out")
        if row is None:
            return
        if feed.size > feed.limit:
            row = too_large(feed.limit)
        elif feed.is_cut:
            row = Unreadable("a quoted field is never closed", "add its closing quote")
        if row:
            yield range(number, reader.line_num + 1), row


def _next_row(reader: Iterator[list[str]], limit: int) -> list[str] | None:
    """Return the next row, whose fields may be as long as the limit on records.

    The limit of `csv` itself is one for the whole process, and other code may
    rely on it. So it is back in place before anybody else gets to run.
    """
    with _FIELD_SIZE:
        before = csv.field_size_limit()
        csv.field_size_limit(max(before, min(limit + 2, 2**31 - 1)))  # A C long on Windows.
        try:
            return next(reader, None)
        finally:
            csv.field_size_limit(before)


_FIELD_SIZE = threading.Lock()

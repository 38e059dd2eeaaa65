"""Delimited tables: reads one document a row, and writes a table anew without some of them.

A bad row costs that row. What becomes of a good one is decided in
`dedupe.documents.document`. Where columns are added, they stand at the end of a row, and
the rest keeps its bytes.
"""

import csv
import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any, Self

from dedupe.documents.document import (
    Document,
    Placed,
    check_once,
    from_record,
    missing_field,
)
from dedupe.documents.formats.changes import Changes, check_fields, check_replaced
from dedupe.documents.formats.edits import Edit, dropped, edited, left_out
from dedupe.documents.formats.encoding import decode_line, encode_like, text_chunks
from dedupe.documents.options import Options
from dedupe.documents.streams import LongLine, Source, Unreadable, cut_off, lines, too_large
from dedupe.errors import Skipped

__all__ = ["cell_span", "looks_like_csv", "read_csv", "rewrite_csv"]


DELIMITERS = (",", ";", "\t", "|")
"""What is looked for in a header; the first of them where several do equally well."""


def read_csv(source: Source, options: Options, delimiter: str | None = None) -> Iterator[Placed]:
    """Read a table in the dialect of Excel, whose first row names the fields.

    Where neither the format nor the options say a delimiter, the header does.
    """
    _, rows = _csv_rows(source, options, delimiter)
    _, header = next(rows, (range(1, 2), []))
    if isinstance(header, Unreadable):
        raise Unreadable(f"the header cannot be read: {header.reason}", header.remedy)
    names = [name.strip() for name in header]
    check_once(names, options)
    if names and not set(options.text_names(names)) & {*names}:
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


Rows = Iterator[tuple[range, list[str] | Unreadable]]


def _csv_rows(source: Source, options: Options, delimiter: str | None) -> tuple[str, Rows]:
    """Return the delimiter, and each row that is not blank, its header too, with its lines."""
    numbered = lines(text_chunks(source.chunks), options.max_bytes)
    said = options.delimiter or delimiter
    if said is None:
        before: list[bytes | LongLine] = []
        for line in numbered:
            before.append(line)
            if isinstance(line, LongLine) or line.strip():
                break
        header = before[-1] if before else b""
        said = "," if isinstance(header, LongLine) else delimiter_of(decode_line(header), options)
        numbered = chain(before, numbered)
    return said, _rows(_Feed(numbered, options.max_bytes), said)


def looks_like_csv(head: bytes, options: Options) -> bool:
    r"""Return whether a text begins with the header of a table: several names, one the text's.

    >>> looks_like_csv(b"id;text\n1;Bridge closed", Options()), looks_like_csv(b"text\n", Options())
    (True, False)
    """
    header = decode_line(head.lstrip(b"\r\n").partition(b"\n")[0])
    names = names_in(header, options.delimiter or delimiter_of(header, options))
    return len(names) > 1 and bool(set(options.text_names(names)) & {*names})


def delimiter_of(header: str, options: Options) -> str:
    """Return the delimiter under which a header names the text, else the one that cuts it most.

    Of a header that takes several lines, the first is enough.

    >>> delimiter_of("id;text", Options()), delimiter_of("url|page, title|body", Options())
    (';', '|')
    """

    def rank(delimiter: str) -> tuple[bool, int]:
        names = names_in(header, delimiter)
        return bool(set(options.text_names(names)) & {*names}), len(names)

    # A single column is named whatever the delimiter; then the first of them holds.
    return max(DELIMITERS, key=rank)


def names_in(header: str, delimiter: str) -> list[str]:
    """Return the names of the fields that the first line of a table has.

    >>> names_in('id;"the text"', ";")
    ['id', 'the text']
    """
    try:
        row = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:  # It is too long, or has a bare CR, which is said when it is read.
        row = []
    return [name.strip() for name in row]


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


def _rows(feed: _Feed, delimiter: str) -> Rows:
    """Yield each row that is not blank, or what is wrong with it, with its lines."""
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        number = reader.line_num + 1
        feed.size = 0
        row: list[str] | Unreadable | None
        try:
            row = _next_row(reader, feed.limit)
        except csv.Error:
            # In this dialect there is nothing else that `csv` refuses.
            row = Unreadable(
                "not CSV: a carriage return (CR) alone, outside of quotes",
                "end rows with LF or CRLF, not with CR as old Macs did, or quote the field",
            )
        if row is None:
            return
        # Where a quote is missing further up, all that is behind it is gone as well.
        if feed.is_cut:
            row = cut_off(
                "a quoted field is never closed", "add its closing quote, or fetch it anew"
            )
        elif feed.size > feed.limit:
            row = too_large(feed.limit)
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


def rewrite_csv(
    reopen: Callable[[], Source],
    placed: Iterable[Placed],
    changes: Changes,
    options: Options,
    delimiter: str | None = None,
) -> Iterator[bytes]:
    """Yield the rows of a table that stay, with more columns if they are to be marked."""
    if not changes.names:
        return edited(reopen(), dropped(placed, changes))
    source = reopen()
    said, rows = _csv_rows(source, options, delimiter)
    return edited(reopen(), _add_cells(source.id, rows, placed, changes, said))


def _add_cells(
    place: str,
    rows: Rows,
    placed: Iterable[Placed],
    changes: Changes,
    delimiter: str,
) -> Iterator[tuple[range, Edit]]:
    """Yield what is added to the header, and to each row that is one."""
    span, header = next(rows, (range(0), []))
    if not header:  # There is nothing, not even a header.
        return
    if isinstance(header, Unreadable):
        raise header
    names = [name.strip() for name in header]
    check_fields(changes.names, names, place)
    check_replaced(changes, names, place)
    n_cells = len(header)
    edit = partial(_with_cells, n_cells=n_cells, delimiter=delimiter)
    yield span, partial(edit, row=header, added=changes.names)
    for (span, row), (_, item, _) in zip(rows, placed, strict=False):
        if changes.goes(item):
            yield span, left_out
        # Of a row that is none, nobody knows where its last cell ends.
        elif not isinstance(row, Unreadable):
            change = changes.made_to(item)
            number = 0
            if change.text is not None:
                # Of two columns of one name, the last is read.
                number = len(names) - 1 - names[::-1].index(str(changes.replaces))
            yield span, partial(edit, row=row, added=change.added, number=number, text=change.text)


def _cells(values: Iterable[Any], delimiter: str) -> str:
    """Return cells with a delimiter before each of them."""
    row = io.StringIO()
    # A cell is quoted for a character that ends a line only if lines end in that.
    csv.writer(row, delimiter=delimiter, lineterminator="\r\n").writerow(["", *values])
    return row.getvalue().removesuffix("\r\n")


def _with_cells(
    line: bytes,
    *,
    row: Sequence[str],
    n_cells: int,
    added: Iterable[Any],
    delimiter: str,
    number: int = 0,
    text: str | None = None,
) -> bytes:
    """Return a row with more cells before the end of its last line.

    Where a text is given, it takes the place of the cell of that number. A row that is short
    is filled up, and empty cells behind those of the header go, so that what is added stands
    in its column.
    """
    end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
    body = line[: len(line) - len(end)]
    mark = encode_like(delimiter, line)
    if len(row) > n_cells and not any(row[n_cells:]):
        body = body[: cell_span(body, n_cells - 1, mark)[1]]
    if text is not None:
        start, stop = cell_span(body, number, mark)
        cell = _cells([text], delimiter)[len(delimiter) :]
        body = body[:start] + encode_like(cell, line) + body[stop:]
    padding = [""] * (n_cells - len(row))
    return body + encode_like(_cells([*padding, *added], delimiter), line) + end


def cell_span(row: bytes, number: int, mark: bytes) -> tuple[int, int]:
    """Return where a cell of a row stands, its quotes included; `mark` is the delimiter.

    >>> row = b'7,"Bridge, closed",x'
    >>> row[slice(*cell_span(row, 1, b","))]
    b'"Bridge, closed"'
    """
    start = 0
    while True:
        opened = _QUOTED.match(row, start)
        # Behind the closing quote, and in a cell that does not open with one, quotes mean nothing.
        end = row.find(mark, opened.end() if opened else start)
        if number == 0 or end < 0:
            return start, end if end >= 0 else len(row)
        start, number = end + len(mark), number - 1


# Possessive: what could be taken back would need a hundred times the memory of the cell.
_QUOTED = re.compile(rb'"(?:[^"]++|"")*+"?')

"""JSON Lines: reads one document a line, and writes a file anew without some of its lines.

A bad line costs that line. What becomes of a good one is decided in
`dedupe.documents.document`. Where fields are added, they stand at the end of a record,
and the rest keeps its bytes.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from dedupe.documents.document import Document, Placed, fault_of, from_record
from dedupe.documents.formats.changes import Changes, check_fields, check_replaced
from dedupe.documents.formats.edits import Edit, dropped, edited, left_out
from dedupe.documents.formats.encoding import text_chunks
from dedupe.documents.options import Options
from dedupe.documents.streams import (
    LongLine,
    Source,
    Unreadable,
    Watched,
    cut_off,
    is_too_large,
    lines,
    too_large,
)
from dedupe.documents.values import kind_of
from dedupe.errors import Skipped
from dedupe.ids import id_as_json

__all__ = ["past_space", "read_json_lines", "rewrite_json_lines", "value_span", "with_marks"]


def read_json_lines(source: Source, options: Options) -> Iterator[Placed]:
    """Read a file with a JSON object in each line; blank lines do not count."""
    chunks = Watched(text_chunks(source.chunks))
    for number, line in enumerate(lines(chunks, options.max_bytes), start=1):
        place = f"{source.id}:{number}"
        item: Document | Skipped
        try:
            record = _parse_line(line, options.max_bytes, is_last=chunks.is_over)
            if record is None:
                continue
            item = from_record(record, place, source.time, options)
        except Unreadable as error:
            item = Skipped(place, error.reason, error.remedy)
        yield Placed(place, item, range(number, number + 1))


def _parse_line(line: bytes | LongLine, limit: int, *, is_last: bool) -> dict[str, object] | None:
    """Return the record in a line, or None for a blank one; the last has no end of a line."""
    if isinstance(line, LongLine):
        raise too_large(limit)
    if not line or line.isspace():
        return None
    try:
        # Given bytes, `json` would let through surrogates that are no UTF-8.
        record = _value_in(line.decode())
    except UnicodeDecodeError as error:
        why = f"not UTF-8: {error.reason} at byte {error.start}"
        raise (cut_off(why) if is_last else Unreadable(why, REPAIR)) from error
    except (ValueError, RecursionError) as error:
        why = f"not JSON: {fault_of(error)}"
        raise (cut_off(why) if is_last else Unreadable(why, REPAIR)) from error
    if not isinstance(record, dict):
        raise Unreadable(f"{kind_of(record)}, not an object", REPAIR)
    return record


def _value_in(text: str) -> object:
    """Return what `json.loads` returns, which takes a sixth longer for an object."""
    if not text.startswith("{"):
        return json.loads(text)
    value, end = _DECODER.raw_decode(text)
    if past_space(text, end) != len(text):
        return json.loads(text)  # It says what is wrong with the rest.
    return value


REPAIR = "repair this line, or leave it out"


def rewrite_json_lines(
    reopen: Callable[[], Source],
    placed: Iterable[Placed],
    changes: Changes,
    options: Options,  # noqa: ARG001  Every format is given them.
) -> Iterator[bytes]:
    """Yield the lines of a file that stay, with more fields if they are to be marked."""
    edits = dropped(placed, changes) if not changes.names else with_marks(placed, changes)
    return edited(reopen(), edits)


def with_marks(placed: Iterable[Placed], changes: Changes) -> Iterator[tuple[range, Edit]]:
    """Yield what is added to each line of JSON; nothing to one that may not be held."""
    for place, item, rows in placed:
        if changes.goes(item):
            yield rows, left_out
        elif isinstance(item, Document):
            yield rows, partial(_with_keys, place=place, changes=changes, item=item)
        elif rows and not is_too_large(item.reason):
            yield rows, partial(_with_nulls, place=place, changes=changes, item=item)


def _with_nulls(line: bytes, *, place: str, changes: Changes, item: Skipped) -> bytes:
    """Return a line whose record has no text with more keys, and any other as it is."""
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError):
        return line
    if not isinstance(record, dict):
        return line
    check_fields(changes.names, record, place)
    return _with_added(line, changes, changes.made_to(item).added, is_first=not record)


def _with_keys(line: bytes, *, place: str, changes: Changes, item: Document) -> bytes:
    """Return a line with more keys before its last brace, and another text where it gets one."""
    record = json.loads(line)
    check_fields(changes.names, record, place)
    check_replaced(changes, record, place)
    change = changes.made_to(item)
    if change.text is not None:
        said = line.decode()
        start, end = value_span(said, changes.replaces)
        text = json.dumps(change.text, ensure_ascii=False)
        line = (said[:start] + text + said[end:]).encode()
    # A document has a text, so there is a key before these.
    return _with_added(line, changes, change.added, is_first=False)


def _with_added(line: bytes, changes: Changes, values: Iterable[Any], *, is_first: bool) -> bytes:
    """Return a line with the fields that are added before its last brace."""
    marks = dict(zip(changes.names, values, strict=True))
    added = json.dumps(marks, ensure_ascii=False, default=id_as_json)[1:].encode()
    body = line.rstrip()
    return body[:-1].rstrip() + (b"" if is_first else b", ") + added + line[len(body) :]


def value_span(line: str, name: str | None) -> tuple[int, int]:
    """Return where the value of a field stands in an object; of one that is there twice, the last.

    >>> line = '{"id": 7, "text": "x"}'
    >>> line[slice(*value_span(line, "text"))]
    '"x"'
    """
    found, end = (0, 0), line.index("{")
    while line[end] != "}":
        key, end = _DECODER.raw_decode(line, past_space(line, end + 1))
        start = past_space(line, past_space(line, end) + 1)
        end = _DECODER.raw_decode(line, start)[1]
        if key == name:
            found = start, end
        end = past_space(line, end)
    return found


_DECODER = json.JSONDecoder()


def past_space(text: str, start: int) -> int:
    """Return where white space ends."""
    if start == len(text):
        return start
    found = _SPACE.match(text, start)
    return found.end() if found else start


_SPACE = re.compile(r"[ \t\n\r]*")

"""Makes a line of JSON of each document, whatever it was read from.

So texts, pages and records of all formats can stand in one file. A record keeps its other
fields, under their names; a text or a page has two, which are called as those of records are.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, time
from math import isfinite
from typing import Any

from dedupe.documents import Document, read_file
from dedupe.documents.document import holds_nothing
from dedupe.documents.fields import value_at
from dedupe.documents.formats.changes import Changes, check_fields, check_replaced
from dedupe.documents.options import Options, Tapped
from dedupe.documents.walk import File
from dedupe.errors import Skipped
from dedupe.ids import Id

__all__ = ["lines_of"]


def lines_of(
    file: File, options: Options, changes: Changes
) -> Iterator[tuple[Document | Skipped, bytes]]:
    """Yield what is in a file, each with its line: an empty one where it is not written.

    That is what goes, and what may hold a text that could not be read. What holds none is
    written, as it is kept.
    """
    records: list[Mapping[str, object]] = []
    for place, item, _ in read_file(file, Tapped.of(options, records.append)):
        # A record is made a document just before that is yielded, and a text is none.
        record = records.pop() if records else None
        if changes.goes(item) or (isinstance(item, Skipped) and not holds_nothing(item)):
            yield item, b""
        else:
            yield item, _line(_fields(item, record, place, options, changes))


def _fields(
    item: Document | Skipped,
    record: Mapping[str, object] | None,
    place: str,
    options: Options,
    changes: Changes,
) -> dict[str, Any]:
    """Return the fields that are written of a document."""
    id_, text = _names(options)
    change = changes.made_to(item)
    if record is None:
        whole = item.text if isinstance(item, Document) else None
        found: dict[str, Any] = {id_: item.id, text: whole}
    else:
        found = dict(record)
        check_fields(changes.names, found, place)
        if isinstance(item, Document):
            check_replaced(changes, found, place)
        if value_at(found, id_) != item.id:
            found = {id_: item.id} | found | {id_: item.id}
    if change.text is not None:
        found[changes.replaces or text] = change.text
    return found | dict(zip(changes.names, change.added, strict=True))


def _names(options: Options) -> tuple[str, str]:
    """Return what the id and the text of a file are called: so that they can be read again.

    >>> _names(Options()), _names(Options("url", "title,body"))
    (('id', 'text'), ('url', 'body'))
    """
    return options.id_field, options.text_field.rpartition(",")[2].strip() or options.text_field


def _line(fields: dict[str, Any]) -> bytes:
    """Return fields as a line of JSON, in UTF-8 as far as they can be."""
    try:
        said = json.dumps(fields, ensure_ascii=False, default=_said, allow_nan=False)
    except ValueError:  # JSON has no NaN, which tables have where nothing is.
        said = json.dumps(_finite(fields), ensure_ascii=False, default=_said)
    try:
        return said.encode() + b"\n"
    except UnicodeEncodeError:  # A lone surrogate, which only an escape can say.
        return json.dumps(json.loads(said)).encode() + b"\n"


def _said(value: Any) -> Id:
    """Return a value that JSON has no type for as text: a date in ISO 8601, bytes as hex.

    >>> _said(date(2024, 5, 1)), _said(b"ab")
    ('2024-05-01', '6162')
    """
    if isinstance(value, date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    """Return a value with null for each number that is none."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not isfinite(value) else value

"""From a file to its format: the table of suffixes, plain text, standard input.

Here an unreadable file becomes a `Skipped`, whatever its format.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

from dedupe.documents.document import Options, Placed, from_value
from dedupe.documents.encoding import decode, text_chunks
from dedupe.documents.html import read_html
from dedupe.documents.json import read_json
from dedupe.documents.parquet import read_parquet
from dedupe.documents.records import read_csv, read_json_lines
from dedupe.documents.streams import (
    CHUNK,
    PACKINGS,
    Source,
    Unreadable,
    read_whole,
    stdin_chunks,
    unpack,
)
from dedupe.documents.walk import STDIN, File
from dedupe.errors import Skipped

__all__ = ["FORMATS", "RECORDS", "read_file", "suffixes"]

Reader = Callable[[Source, Options], Iterator[Placed]]


def read_plain(source: Source, options: Options) -> Iterator[Placed]:
    """Read a whole file as one text."""
    data = read_whole(text_chunks(source.chunks), options.max_chars)
    yield Placed(source.id, from_value(source.id, decode(data), source.time))


FORMATS: dict[str, Reader] = {
    "": read_plain,
    ".txt": read_plain,
    ".text": read_plain,
    ".md": read_plain,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".csv": read_csv,
    ".tsv": partial(read_csv, delimiter="\t"),
    ".parquet": read_parquet,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
}
"""From the suffix of a file to the function that reads it."""

RECORDS = frozenset((".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"))
"""The suffixes of files that hold many documents. One of JSON may hold one alone."""


PACKED = (b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd")
"""What files compressed by gzip, xz, bzip2 and zstd begin with."""


def read_file(file: File, options: Options) -> Iterator[Placed]:
    """Read a file in the format that its suffix tells."""
    if file.path == STDIN:
        return _read(Source(file.id, stdin_chunks()), read_sniffed, options)
    suffix, packing = suffixes(file.path)
    reader = FORMATS.get(suffix, read_plain if file.named else None)
    if reader is None:
        skipped = Skipped(
            file.id, f"unknown format {suffix}", "name the file itself to read it as plain text"
        )
        return iter([Placed(file.id, skipped)])
    path = None if packing else file.path
    return _read(Source(file.id, unpack(file.path, packing), file.time, path), reader, options)


def suffixes(path: str) -> tuple[str, str]:
    """Return the suffixes of the format and of the compression, "" where there is none.

    >>> suffixes("news/Monday.JSONL.gz"), suffixes("St. Louis"), suffixes(".txt")
    (('.jsonl', '.gz'), ('', ''), ('', ''))
    """
    stem, suffix = _split(path.lower())
    return (_split(stem)[1], suffix) if suffix and suffix in PACKINGS else (suffix, "")


def _split(path: str) -> tuple[str, str]:
    """Split off the last suffix; what a title has after a full stop is none."""
    found = _SUFFIX.search(path)
    return (path[: found.start()], found[0]) if found else (path, "")


_SUFFIX = re.compile(r"(?<=[^/\\])\.[^./\\\s]+$")


def _read(source: Source, reader: Reader, options: Options) -> Iterator[Placed]:
    """Read a source, and tell of what could not be read of it."""
    n_items = 0
    try:
        for item in reader(source, options):
            n_items += 1
            yield item
        if not n_items:
            raise Unreadable("empty", "leave it out")
    except Unreadable as error:
        yield Placed(source.id, Skipped(source.id, error.reason, error.remedy))


def read_sniffed(source: Source, options: Options) -> Iterator[Placed]:
    """Read JSON where it begins as one does, and else one plain text."""
    first = next(source.chunks, b"")
    if first.startswith(PACKED):
        raise Unreadable("compressed", "unpack it on the way in: gzip -dc FILE | dedupe find -")
    chunks = text_chunks(chain([first], source.chunks))
    head = b""
    while not head.strip() and len(head) < CHUNK and (chunk := next(chunks, b"")):
        head += chunk
    starts = ((rb"\s*\{", read_json_lines), (rb"\s*\[\s*\{", read_json))
    reader = next((reader for start, reader in starts if re.match(start, head)), read_plain)
    yield from reader(replace(source, chunks=chain([head], chunks)), options)

"""Finds the format of a file: the table of formats, plain text, standard input.

Here an unreadable file becomes a `Skipped`, whatever its format.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain

from dedupe.documents.document import Placed, from_value
from dedupe.documents.formats.changes import Changes
from dedupe.documents.formats.csv import looks_like_csv, read_csv, rewrite_csv
from dedupe.documents.formats.encoding import decoded, text_chunks, whole_text
from dedupe.documents.formats.html import read_html
from dedupe.documents.formats.json import read_json, rewrite_json
from dedupe.documents.formats.jsonl import read_json_lines, rewrite_json_lines
from dedupe.documents.formats.parquet import read_parquet, rewrite_parquet
from dedupe.documents.options import Options
from dedupe.documents.packing import PACKINGS, unpack
from dedupe.documents.paths import STDIN
from dedupe.documents.stdin import stdin_chunks
from dedupe.documents.streams import CHUNK, Source, Unreadable
from dedupe.documents.walk import File
from dedupe.errors import Skipped
from dedupe.ids import Id

__all__ = [
    "FORMATS",
    "JSON_LINES",
    "Format",
    "format_of",
    "format_of_file",
    "holds_records",
    "id_of_single",
    "is_of_no_format",
    "read_file",
    "source_of",
    "suffixes",
]

Reader = Callable[[Source, Options], Iterable[Placed]]
"""Reads the documents of a file, one after the other, or the only one."""

Rewriter = Callable[[Callable[[], Source], Iterator[Placed], Changes, Options], Iterator[bytes]]
"""Yields a file anew, of which some records are left out or marked.

The first parameter opens the file from its beginning, each time it is called; the second
has its documents, as the reader of the format reads them.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files: how it is known, read, and written anew.

    Attributes
    ----------
    name : str
    suffixes : tuple of str
        In lower case, with their dot.
    read : Reader
    rewrite : Rewriter, optional
        Of files that hold many documents. Without it a file is one document.
    may_be_one : bool
        Whether a file may be one document all the same.
    starts : bytes, optional
        A pattern that standard input of this format begins with.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Reader
    rewrite: Rewriter | None = None
    may_be_one: bool = False
    starts: bytes | None = None


def read_plain(source: Source, options: Options) -> list[Placed]:
    """Read a whole file as one text."""
    text, utf8 = decoded(whole_text(source, options.max_bytes))
    return [Placed(source.id, from_value(source.id, text, source.time, utf8=utf8))]


PLAIN = Format("text", ("", ".txt", ".text", ".md"), read_plain)
CSV = Format("CSV", (".csv",), read_csv, rewrite_csv)
JSON_LINES = Format(
    "JSON Lines", (".jsonl", ".ndjson"), read_json_lines, rewrite_json_lines, starts=rb"\s*\{"
)

FORMATS: tuple[Format, ...] = (
    PLAIN,
    Format("HTML", (".html", ".htm", ".xhtml"), read_html),
    JSON_LINES,
    Format("JSON", (".json",), read_json, rewrite_json, may_be_one=True, starts=rb"\s*\[\s*\{"),
    CSV,
    Format(
        "TSV",
        (".tsv",),
        partial(read_csv, delimiter="\t"),
        partial(rewrite_csv, delimiter="\t"),
    ),
    Format("Parquet", (".parquet",), read_parquet, rewrite_parquet),
)
"""Every format there is. Whatever depends on one asks this table."""


PACKED = (b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd")
"""What files compressed by gzip, xz, bzip2 and zstd begin with."""


def read_file(file: File, options: Options) -> Iterator[Placed]:
    """Read a file in the format that its suffix tells."""
    if file.path == STDIN:
        return _read(source_of(file), read_sniffed, options)
    suffix, packing = suffixes(file.path)
    format_ = _format_with(suffix) or (PLAIN if file.named else None)
    if format_ is None:
        skipped = Skipped(
            file.id,
            f"{_NO_FORMAT} {suffix}",
            "name the file itself to read it as plain text",
        )
        return iter([Placed(file.id, skipped)])
    return _read(_source(file, packing), format_.read, options)


_NO_FORMAT = "unknown format"
"""What the reason begins with where a file is none of ours."""


def is_of_no_format(skipped: Skipped) -> bool:
    """Return whether a file was skipped because it is of none of our formats."""
    return skipped.reason.startswith(_NO_FORMAT)


def source_of(file: File) -> Source:
    """Return the content of a file from its beginning, unpacked."""
    if file.path == STDIN:
        return Source(file.id, stdin_chunks())
    return _source(file, suffixes(file.path)[1])


def _source(file: File, packing: str) -> Source:
    """Return the content of a file that is compressed in this way."""
    path = None if packing else file.path
    return Source(file.id, unpack(file.path, packing), file.time, path)


def format_of_file(file: File, options: Options) -> Format | None:
    """Return the format of a file, or of standard input, as far as it is one of ours."""
    if file.path != STDIN:
        return format_of(file.path)
    try:
        return _sniffed(source_of(file), options)[0]
    except Unreadable:  # Which is said when its documents are read.
        return PLAIN


def format_of(path: str) -> Format | None:
    """Return the format that the suffix of a path tells, if it is one of ours.

    >>> format_of("news.csv.gz").name, format_of("picture.png")
    ('CSV', None)
    """
    return _format_with(suffixes(path)[0])


def _format_with(suffix: str) -> Format | None:
    """Return the format of a suffix, if there is one."""
    for format_ in FORMATS:
        if suffix in format_.suffixes:
            return format_
    return None


def holds_records(file: File, format_: Format | None) -> bool:
    """Return whether a file of a format holds many documents, by its content where need be."""
    if format_ is None or format_.rewrite is None:
        return False
    # What is all of a file has no number in it; what is broken is best copied as it is.
    if not format_.may_be_one:
        return True
    first = next(read_file(file, Options()), None)
    return first is None or bool(first.rows)


def id_of_single(file: File, options: Options) -> Id:
    """Return the id of a file that is one document: its name, unless it says another."""
    format_ = format_of(file.path)
    if format_ is None or not format_.may_be_one:
        return file.id
    found: Id = next(read_file(file, options)).item.id
    return found


def suffixes(path: str) -> tuple[str, str]:
    """Return the suffixes of the format and of the compression, "" where there is none.

    >>> suffixes("news/Monday.JSONL.gz"), suffixes("St. Louis"), suffixes(".txt")
    (('.jsonl', '.gz'), ('', ''), ('', ''))
    """
    suffix = _suffix(path)
    if suffix and suffix in PACKINGS:
        return _suffix(path[: -len(suffix)]), suffix
    return suffix, ""


def _suffix(path: str) -> str:
    """Return the last suffix in lower case; what a title has after a full stop is none."""
    dot = path.rfind(".")
    return _lowered(path[dot - 1 :]) if dot > 0 else ""


@lru_cache(maxsize=1 << 10)
def _lowered(end: str) -> str:
    """Return the suffix that a path ends with, given with the character before it."""
    found = _SUFFIX.match(end, 1)
    return found[0].lower() if found else ""


_SUFFIX = re.compile(r"(?<=[^/\\])\.[^./\\\s]+$")


def _read(source: Source, reader: Reader, options: Options) -> Iterator[Placed]:
    """Read a source, and tell of what could not be read of it."""
    try:
        found = reader(source, options)
    except Unreadable as error:
        return iter([_unreadable(source, error)])
    # What is one document has been read by now, and goes by its place.
    return iter(found) if isinstance(found, list) else _each(source, found, options)


def _each(source: Source, found: Iterable[Placed], options: Options) -> Iterator[Placed]:
    """Yield the documents of a source, as far as they can be read."""
    try:
        for item in found:
            yield item.qualified(source.id) if options.qualify_ids else item
    except Unreadable as error:
        yield _unreadable(source, error)


def _unreadable(source: Source, error: Unreadable) -> Placed:
    return Placed(source.id, Skipped(source.id, error.reason, error.remedy))


def read_sniffed(source: Source, options: Options) -> Iterator[Placed]:
    """Read JSON or CSV where it begins as one does, and else one plain text."""
    format_, source = _sniffed(source, options)
    yield from format_.read(source, options)


def _sniffed(source: Source, options: Options) -> tuple[Format, Source]:
    """Return the format that a source begins as, and the source from its beginning."""
    first = next(source.chunks, b"")
    if first.startswith(PACKED):
        raise Unreadable("compressed", "unpack it on the way in: gzip -dc FILE | dedupe find -")
    chunks = text_chunks(chain([first], source.chunks))
    head = b""
    # A pipe may be cut anywhere, and of a table the whole first line tells.
    while b"\n" not in head.lstrip() and len(head) < CHUNK and (chunk := next(chunks, b"")):
        head += chunk
    found = (one for one in FORMATS if one.starts is not None and re.match(one.starts, head))
    is_table = options.delimiter is not None or looks_like_csv(head, options)
    format_ = next(found, CSV if is_table else PLAIN)
    return format_, source._replace(chunks=chain([head], chunks))

"""Reads Parquet files, one document a row.

pyarrow decodes; the columns that hold no document are not read. What becomes of
a row is decided in `dedupe.documents.document`.
"""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from dedupe.documents.arrow import time_or_none, value_of
from dedupe.documents.document import (
    Document,
    Placed,
    check_once,
    from_record,
    missing_field,
)
from dedupe.documents.fields import splits
from dedupe.documents.options import Options, Tapped
from dedupe.documents.streams import Source, Unreadable, open_file, read_whole, too_large
from dedupe.errors import MissingExtra, Skipped

__all__ = ["FAULTS", "READING", "batch_rows", "opened", "read_parquet", "unreadable"]

BATCH = 256
BATCH_BYTES = 2**26
"""Rows decoded at once, and how large they may be on average: of long articles a few megabytes."""

READING: dict[str, Any] = {
    "buffer_size": 2**20,
    "pre_buffer": False,
    "page_checksum_verification": True,
}
"""A megabyte of a column is read at once; pyarrow would load those of a whole row group.

Checksums are held against what is read, where the file has them.
"""


def read_parquet(source: Source, options: Options) -> Iterator[Placed]:
    """Read a Parquet file.

    Its table of contents stands at the end. So one that is compressed as a
    whole, which is unusual, has to be unpacked first and fit the limit.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  An optional dependency.
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("a Parquet file", "parquet") from error
    try:
        with (
            opened(source, options.max_bytes) as stream,
            parquet.ParquetFile(stream, **READING) as file,
        ):
            check_once(file.schema_arrow.names, options)
            if shared := _shared(file.schema_arrow, options):
                # A value that many rows share is decoded once, or few bytes would fill the memory.
                file = parquet.ParquetFile(  # noqa: PLW2901  The same, seen otherwise.
                    stream, metadata=file.metadata, read_dictionary=shared, **READING
                )
            yield from _rows(file, source, options)
    except (*FAULTS, pa.ArrowException) as error:
        raise unreadable(error) from error


FAULTS = (OSError, ValueError, LookupError, ArithmeticError, MemoryError)
"""What damage can raise in pyarrow beside its own exceptions: it believes sizes and numbers."""


def unreadable(error: Exception) -> Unreadable:
    """Say why a table cannot be read: the disk is at fault, or the table."""
    if isinstance(error, OSError) and error.errno is not None:
        return Unreadable(f"cannot be read: {error.strerror or error}", "check the file")
    if isinstance(error, MemoryError):
        return Unreadable(f"does not fit into memory: {error}", "write it with smaller row groups")
    # Damage can make names no UTF-8 and columns disappear, too.
    problem = str(error).partition("\n")[0].rstrip(".")
    return Unreadable(f"not sound Parquet: {problem}", "write the file anew")


def opened(source: Source, limit: int) -> BinaryIO:
    """Return a file in which pyarrow can jump about."""
    if source.path is None:
        return io.BytesIO(read_whole(source.chunks, limit, "decompress it first"))
    # pyarrow itself would refuse a name that is not UTF-8.
    return open_file(source.path)


def _rows(file: Any, source: Source, options: Options) -> Iterator[Placed]:
    """Read an open file."""
    schema = file.schema_arrow
    texts = [name for name in options.text_names(schema.names) if _type_at(schema, name)]
    if not texts:
        yield Placed(source.id, missing_field(source.id, schema.names, options))
        return
    wanted = dict.fromkeys([options.id_field, *texts, options.time_field])
    if isinstance(options, Tapped):
        wanted |= dict.fromkeys(schema.names)
    # A bad value costs the record only where it is its id or its text.
    may_be_bad = {*wanted} - {options.id_field, *texts}
    columns = [name for name in wanted if name is not None and _type_at(schema, name)]
    for number, batch in _batches(file, columns):
        if isinstance(batch, Unreadable):
            yield Placed(source.id, Skipped(source.id, batch.reason, batch.remedy))
            continue
        for row, values in enumerate(zip(*batch.columns, strict=True), start=number + 1):
            place = f"{source.id}:{row}"
            item: Document | Skipped
            try:
                record = {
                    name: time_or_none(value) if name in may_be_bad else value_of(value)
                    for name, value in zip(batch.schema.names, values, strict=True)
                }
                item = from_record(record, place, source.time, options)
                if isinstance(item, Document):
                    _check_size(item.text, options.max_bytes)
            except Unreadable as error:
                item = Skipped(place, error.reason, error.remedy)
            yield Placed(place, item, range(row, row + 1))


def _batches(file: Any, columns: list[str]) -> Iterator[tuple[int, Any]]:
    """Yield rows in batches, or why the rest of a row group cannot be read.

    Before each stands how many rows come before it. A row group stands by itself, so damage
    in one says nothing about the next.
    """
    import pyarrow as pa  # noqa: PLC0415

    size, number = batch_rows(file), 0
    for group in range(file.num_row_groups):
        end = number + file.metadata.row_group(group).num_rows
        try:
            for batch in file.iter_batches(
                batch_size=size, row_groups=[group], columns=columns, use_threads=False
            ):
                yield number, batch
                number += batch.num_rows
        except (*FAULTS, pa.ArrowException) as error:
            why = unreadable(error)
            where = f"in row group {group + 1} of {file.num_row_groups}, from row {number + 1} on"
            yield number, Unreadable(f"{why.reason}, {where}", why.remedy)
            # What it says of its rows may be damaged, too, and no number may stand twice.
            number = max(number, end)


def _shared(schema: Any, options: Options) -> list[str]:
    """Return the columns of texts that are there once, and hold strings."""
    import pyarrow as pa  # noqa: PLC0415

    return [
        name
        for name in options.text_names(schema.names)
        if schema.names.count(name) < 2
        and _type_at(schema, name) in (pa.string(), pa.large_string())
    ]


def _type_at(schema: Any, name: str) -> Any:
    """Return the type of a column, or of a field inside one, or None where there is none."""
    import pyarrow as pa  # noqa: PLC0415

    if name in schema.names:
        return schema.field(schema.names.index(name)).type
    for head, rest in splits(name):
        outer = _type_at(schema, head)
        inner = outer is not None and pa.types.is_struct(outer) and _type_at(pa.schema(outer), rest)
        if inner:
            return inner
    return None


def batch_rows(file: Any) -> int:
    """Return how many rows are decoded at once, by what the table says of their size."""
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    largest = max((one.total_byte_size / max(1, one.num_rows) for one in groups), default=0)
    return int(min(BATCH, max(1, BATCH_BYTES // max(1, largest))))


def _check_size(text: str, limit: int) -> None:
    """Refuse a text above the limit: here as everywhere, though it is decoded by now."""
    # No character takes more than four bytes, so most texts need not be encoded.
    if 4 * len(text) > limit and len(text.encode()) > limit:
        raise too_large(limit)

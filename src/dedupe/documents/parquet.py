"""Parquet files: reads one document a row, and writes a table anew without some of them.

pyarrow decodes; the columns that hold no document are not read. What becomes of
a row is decided in `dedupe.documents.document`. Schema, metadata, order, compression
and, as far as they hold rows, row groups of a table that is written anew are those of
the input. One row group is held at a time, a large one in parts.
"""

import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from dedupe.documents.changes import Changes, check_fields, check_replaced
from dedupe.documents.document import Document, Placed, from_record, missing_field
from dedupe.documents.fields import splits
from dedupe.documents.options import Options, Tapped
from dedupe.documents.streams import Source, Unreadable, open_file, read_whole, too_large
from dedupe.documents.values import Ticks
from dedupe.errors import InvalidSetting, MissingExtra, Skipped

__all__ = ["read_parquet", "rewrite_parquet"]

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
            _opened(source, options.max_bytes) as stream,
            parquet.ParquetFile(stream, **READING) as file,
        ):
            if shared := _shared(file.schema_arrow, options):
                # A value that many rows share is decoded once, or few bytes would fill the memory.
                file = parquet.ParquetFile(  # noqa: PLW2901  The same, seen otherwise.
                    stream, metadata=file.metadata, read_dictionary=shared, **READING
                )
            yield from _rows(file, source, options)
    except (*FAULTS, pa.ArrowException) as error:
        raise _unreadable(error) from error


FAULTS = (OSError, ValueError, LookupError, ArithmeticError, MemoryError)
"""What damage can raise in pyarrow beside its own exceptions: it believes sizes and numbers."""


def _unreadable(error: Exception) -> Unreadable:
    """Say why a table cannot be read: the disk is at fault, or the table."""
    if isinstance(error, OSError) and error.errno is not None:
        return Unreadable(f"cannot be read: {error.strerror or error}", "check the file")
    if isinstance(error, MemoryError):
        return Unreadable(f"does not fit into memory: {error}", "write it with smaller row groups")
    # Damage can make names no UTF-8 and columns disappear, too.
    problem = str(error).partition("\n")[0].rstrip(".")
    return Unreadable(f"not sound Parquet: {problem}", "write the file anew")


def _opened(source: Source, limit: int) -> BinaryIO:
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
                    name: _time(value) if name in may_be_bad else _value(value)
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

    size, number = _batch_rows(file), 0
    for group in range(file.num_row_groups):
        end = number + file.metadata.row_group(group).num_rows
        try:
            for batch in file.iter_batches(
                batch_size=size, row_groups=[group], columns=columns, use_threads=False
            ):
                yield number, batch
                number += batch.num_rows
        except (*FAULTS, pa.ArrowException) as error:
            why = _unreadable(error)
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


def _batch_rows(file: Any) -> int:
    """Return how many rows are decoded at once, by what the table says of their size."""
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    largest = max((one.total_byte_size / max(1, one.num_rows) for one in groups), default=0)
    return int(min(BATCH, max(1, BATCH_BYTES // max(1, largest))))


def _value(scalar: Any) -> object:
    """Return a value of Arrow as one of Python."""
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason}", "repair this row") from error
    except (ValueError, LookupError, ArithmeticError):
        if hasattr(scalar, "items"):  # Of several fields in one, a bad one costs itself alone.
            return {name: _time(part) for name, part in scalar.items()}
        inner = getattr(scalar, "value", None)
        if inner is None or isinstance(inner, int):
            return None if inner is None else Ticks(inner)
        # In a dictionary or an extension type, the value is a scalar once more.
        return _value(inner)


def _time(scalar: Any) -> object:
    """Return a value of Arrow, or None for what is none: a bad time costs no more than itself."""
    try:
        return _value(scalar)
    except Unreadable:
        return None


def _check_size(text: str, limit: int) -> None:
    """Refuse a text above the limit: here as everywhere, though it is decoded by now."""
    # No character takes more than four bytes, so most texts need not be encoded.
    if 4 * len(text) > limit and len(text.encode()) > limit:
        raise too_large(limit)


GROUP_BYTES = 2**27
"""Bytes of a row group that are held until they are written: 128 MiB, as others choose."""


def rewrite_parquet(
    reopen: Callable[[], Source],
    placed: Iterator[Placed],
    changes: Changes,
    options: Options,
) -> Iterator[bytes]:
    """Yield a table with the rows that stay, with more columns if they are to be marked.

    Raises
    ------
    Unreadable
        When the table is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415  An optional dependency, which has read the table.
    from pyarrow import parquet  # noqa: PLC0415

    source = reopen()
    sink = _Sink()
    try:
        with (
            _opened(source, options.max_bytes) as stream,
            parquet.ParquetFile(stream, **READING) as file,
        ):
            schema = file.schema_arrow
            if changes.names:
                check_fields(changes.names, schema.names, source.id)
                check_replaced(changes, schema.names, source.id)
                schema = _marked(schema, changes)
            with parquet.ParquetWriter(sink, schema, **_ways(file)) as writer:
                for batches in _groups(file, placed, changes, schema):
                    table = pa.Table.from_batches(batches, schema)
                    writer.write_table(table, row_group_size=max(1, table.num_rows))
                    yield sink.taken()
        yield sink.taken()
    except InvalidSetting:  # A ValueError, too.
        raise
    except (*FAULTS, pa.ArrowException) as error:
        raise _unreadable(error) from error


class _Sink(io.RawIOBase):
    """Takes what a writer writes until it is passed on; a writer only asks where it is."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._place = 0

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def tell(self) -> int:
        """Return how many bytes have been written."""
        return self._place

    def write(self, data: Any) -> int:
        """Take some bytes."""
        self._written.append(bytes(data))
        self._place += len(self._written[-1])
        return len(self._written[-1])

    def taken(self) -> bytes:
        """Return what has been written since it was last asked for."""
        data = b"".join(self._written)
        self._written.clear()
        return data


def _marked(schema: Any, changes: Changes) -> Any:
    """Return a schema with the columns that are added."""
    import pyarrow as pa  # noqa: PLC0415

    types = {"cluster": pa.int64(), "score": pa.float64()}
    kept = [mark[1] for mark in (changes.marks or {}).values() if mark[1] is not None]
    if kept and {int}.issuperset(map(type, kept)):
        types["duplicate_of"] = pa.int64()
    for name in changes.names:
        schema = schema.append(pa.field(name, types.get(name, pa.string())))
    return schema


def _ways(file: Any) -> dict[str, Any]:
    """Return how a file is written, for a writer to do the same."""
    facts = file.metadata
    ways: dict[str, Any] = {"version": facts.format_version}
    if facts.num_row_groups:
        first = facts.row_group(0)
        columns = [first.column(i) for i in range(first.num_columns)]
        ways["compression"] = {
            column.path_in_schema: _CODECS.get(column.compression, column.compression)
            for column in columns
        }
        ways["use_deprecated_int96_timestamps"] = any(
            column.physical_type == "INT96" for column in columns
        )
    return ways


_CODECS = {"UNCOMPRESSED": "NONE", "LZ4_RAW": "LZ4"}
"""Names of compressions that differ between what a file says and what a writer is told."""


def _groups(
    file: Any, placed: Iterator[Placed], changes: Changes, schema: Any
) -> Iterator[list[Any]]:
    """Yield what stays of each row group, in parts where it is large."""
    for group in range(file.num_row_groups):
        held: list[Any] = []
        n_bytes = 0
        for batch in file.iter_batches(
            batch_size=_batch_rows(file), row_groups=[group], use_threads=False
        ):
            rows = list(islice(placed, batch.num_rows))
            held.append(_changed(batch, rows, changes, schema))
            n_bytes += held[-1].nbytes
            if n_bytes > GROUP_BYTES:
                yield held
                held, n_bytes = [], 0
        if any(part.num_rows for part in held):
            yield held


def _changed(batch: Any, rows: list[Placed], changes: Changes, schema: Any) -> Any:
    """Return a batch without the rows that are dropped, or with the columns that mark them."""
    import pyarrow as pa  # noqa: PLC0415

    items = [item for _, item, _ in rows if not changes.goes(item)]
    if len(items) < len(rows):
        batch = batch.filter(pa.array([not changes.goes(item) for _, item, _ in rows], pa.bool_()))
    if not changes.names:
        return batch
    made = [changes.made_to(item) for item in items]
    added = [
        _column([change.added[place] for change in made], schema.field(name).type)
        for place, name in enumerate(changes.names)
    ]
    columns = batch.columns
    if any(change.text is not None for change in made):
        place = batch.schema.names.index(changes.replaces)
        columns[place] = _replaced(columns[place], [change.text for change in made])
    return pa.RecordBatch.from_arrays([*columns, *added], schema=schema)


def _replaced(column: Any, texts: list[str | None]) -> Any:
    """Return a column of texts with those that are given in place of its own."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import compute  # noqa: PLC0415

    plain = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    # Where nothing is given, what is there stays, though it may be no UTF-8.
    found = compute.if_else(
        pa.array([text is None for text in texts]), column.cast(plain), pa.array(texts, plain)
    )
    return found.cast(column.type)


def _column(values: Any, type_: Any) -> Any:
    """Return values as a column; ids that are no numbers are written as text."""
    import pyarrow as pa  # noqa: PLC0415

    if type_ == pa.string():
        values = [None if value is None else str(value) for value in values]
    return pa.array(values, type_)

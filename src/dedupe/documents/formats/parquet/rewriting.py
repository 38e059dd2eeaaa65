"""Writes Parquet files anew, without some of their rows or with more columns.

Schema, metadata, order, compression and, as far as they hold rows, row groups are those of
the input. One row group is held at a time, a large one in parts.
"""

import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from dedupe.documents.document import Placed
from dedupe.documents.formats.changes import Changes, check_fields, check_replaced
from dedupe.documents.formats.parquet.reading import (
    FAULTS,
    READING,
    batch_rows,
    opened,
    unreadable,
)
from dedupe.documents.options import Options
from dedupe.documents.streams import Source
from dedupe.errors import InvalidSetting

__all__ = ["rewrite_parquet"]

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
            opened(source, options.max_bytes) as stream,
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
        raise unreadable(error) from error


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
            batch_size=batch_rows(file), row_groups=[group], use_threads=False
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

"""Parquet: the same table without some of its rows, or with columns that mark them.

Schema, metadata, order, compression and, as far as they hold rows, row groups are
those of the input. One row group is held at a time, a large one in parts.
"""

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, BinaryIO

from dedupe.cleaning.records import FIELDS, Changes, check_fields
from dedupe.documents import Document
from dedupe.documents.document import Placed
from dedupe.documents.parquet import BATCH, BUFFER
from dedupe.documents.streams import Unreadable
from dedupe.errors import InvalidSetting

__all__ = ["clean_parquet"]

GROUP_BYTES = 2**27
"""Bytes of a row group that are held until they are written: 128 MiB, as others choose."""


def clean_parquet(
    stream: IO[bytes] | BinaryIO,
    place: str,
    placed: Iterator[Placed],
    changes: Changes,
    sink: IO[bytes],
) -> None:
    """Write the rows of a table that stay.

    Raises
    ------
    Unreadable
        When the table is damaged.
    """
    import pyarrow as pa  # noqa: PLC0415  An optional dependency, which has read the table.
    from pyarrow import parquet  # noqa: PLC0415

    try:
        with parquet.ParquetFile(stream, buffer_size=BUFFER, pre_buffer=False) as file:
            schema = file.schema_arrow
            if changes.marks is not None:
                check_fields(schema.names, place)
                schema = _marked(schema)
            with parquet.ParquetWriter(sink, schema, **_ways(file)) as writer:
                for batches in _groups(file, placed, changes, schema):
                    table = pa.Table.from_batches(batches, schema)
                    writer.write_table(table, row_group_size=max(1, table.num_rows))
    except InvalidSetting:  # A ValueError, too.
        raise
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # Not the table is at fault, but a disk, most often one that is full.
        problem = str(error).partition("\n")[0]
        raise Unreadable(f"not sound Parquet: {problem}", "write the file anew") from error


def _marked(schema: Any) -> Any:
    """Return a schema with the columns that are added."""
    import pyarrow as pa  # noqa: PLC0415

    types = (pa.int64(), pa.string(), pa.float64(), pa.string())
    for name, type_ in zip(FIELDS, types, strict=True):
        schema = schema.append(pa.field(name, type_))
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
        for batch in file.iter_batches(batch_size=BATCH, row_groups=[group], use_threads=False):
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

    ids = [item.id if isinstance(item, Document) else None for _, item, _ in rows]
    if changes.marks is None:
        return batch.filter(pa.array([id_ not in changes.dropped for id_ in ids], pa.bool_()))
    empty = (None,) * len(FIELDS)
    marks = [empty if id_ is None else changes.marks_of(id_) for id_ in ids]
    added = [
        pa.array(column, schema.field(name).type)
        for name, column in zip(FIELDS, zip(*marks, strict=True), strict=True)
    ]
    return pa.RecordBatch.from_arrays([*batch.columns, *added], schema=schema)

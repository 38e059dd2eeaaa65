"""Parquet files: one document a row.

pyarrow decodes; the columns that hold no document are not read. What becomes of
a row is decided in `dedupe.documents.document`.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from dedupe.documents.document import Document, Options, Placed, from_record, missing_field
from dedupe.documents.streams import Source, Unreadable, read_whole, too_large
from dedupe.errors import MissingExtra, Skipped

__all__ = ["read_parquet"]

BATCH = 256
"""Rows decoded at once: of long articles a few megabytes."""

BUFFER = 2**20
"""Bytes read of a column at once; without it pyarrow loads those of a whole row group."""


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
            _opened(source, options.max_chars) as stream,
            parquet.ParquetFile(stream, buffer_size=BUFFER, pre_buffer=False) as file,
        ):
            yield from _rows(file, source, options)
    except (OSError, ValueError, LookupError, pa.ArrowException) as error:
        # Damage can make names no UTF-8 and columns disappear, too.
        problem = str(error).partition("\n")[0]
        raise Unreadable(f"not sound Parquet: {problem}", "write the file anew") from error


def _opened(source: Source, limit: int) -> BinaryIO:
    """Return a file in which pyarrow can jump about."""
    if source.path is None:
        return BytesIO(read_whole(source.chunks, limit))
    # pyarrow itself would refuse a name that is not UTF-8.
    return Path(source.path).open("rb")


def _rows(file: Any, source: Source, options: Options) -> Iterator[Placed]:
    """Read an open file."""
    names = file.schema_arrow.names
    if options.text_field not in names:
        yield Placed(source.id, missing_field(source.id, names, options))
        return
    wanted = {options.id_field, options.text_field, options.time_field}
    columns = [name for name in names if name in wanted]
    number = 0
    for batch in file.iter_batches(batch_size=BATCH, columns=columns, use_threads=False):
        for values in zip(*batch.columns, strict=True):
            number += 1
            place = f"{source.id}:{number}"
            item: Document | Skipped
            try:
                record = dict(zip(batch.schema.names, map(_value, values), strict=True))
                _check_size(record[options.text_field], options.max_chars)
                item = from_record(record, place, source.time, options)
            except Unreadable as error:
                item = Skipped(place, error.reason, error.remedy)
            yield Placed(place, item, range(number, number + 1))


def _value(scalar: Any) -> object:
    """Return a value of Arrow as one of Python."""
    try:
        return scalar.as_py()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason}", "repair this row") from error
    except ValueError:
        return None  # A time in nanoseconds, which takes pandas.


def _check_size(text: object, limit: int) -> None:
    """Refuse a text above the limit: here as everywhere, though it is decoded by now."""
    if isinstance(text, str) and len(text) > limit:
        raise too_large(limit)

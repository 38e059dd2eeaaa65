"""Takes what is in memory apart: a row for each text, record or pair of a collection.

Columns and frames of other libraries are known by what they can do, so that
none of them is imported here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dedupe.documents.arrow import Record
from dedupe.documents.fields import splits
from dedupe.documents.options import ID_FIELD, Options
from dedupe.documents.values import Ticks

__all__ = ["Row", "rows_of"]


class Row(NamedTuple):
    """What a collection holds, one for each document.

    Attributes
    ----------
    id : object
        What it goes by, unless it is a record that says an id: a key, a label or a position.
    value : object
    is_text : bool
        Whether it can be nothing but a text.
    is_numbered : bool
        Whether `id` is its position.
    is_of_frame : bool
        Whether it is the row of a table, all of which have the same fields.
    """

    id: Any
    value: Any
    is_text: bool = False
    is_numbered: bool = True
    is_of_frame: bool = False


def rows_of(texts: Any, options: Options) -> Iterable[Row]:  # noqa: PLR0911  One for each kind.
    """Return what a collection holds, one row a document."""
    if isinstance(texts, str | bytes):
        raise TypeError("a single text")
    if isinstance(texts, Mapping):
        return (Row(key, value, is_text=True, is_numbered=False) for key, value in texts.items())
    if hasattr(texts, "collect_schema") and hasattr(texts, "collect"):  # Polars, not read yet
        texts = texts.collect()
    if hasattr(texts, "with_format") and hasattr(texts, "features"):  # Hugging Face
        texts = texts.with_format(None)  # It may give tensors or frames for its rows.
    # A frame would yield its columns, or their names.
    if hasattr(texts, "iter_rows"):  # Polars
        return _of_frame(_records_of_polars(texts, options))
    if hasattr(texts, "itertuples"):  # pandas
        records = _records_of_pandas(texts)
        if options.id_field in texts.columns:
            return _of_frame(records)
        is_numbered = _is_default(texts.index) or options.id_field not in {
            ID_FIELD,
            *texts.index.names,
        }
        return (
            Row(label, record, is_numbered=is_numbered, is_of_frame=True)
            for label, record in zip(texts.index, records, strict=True)
        )
    if hasattr(texts, "index") and hasattr(texts, "items"):  # A column of pandas
        is_numbered = _is_default(texts.index)
        values = _arrow_of(texts) if _is_arrow(texts) else texts
        return (
            Row(label, value, is_numbered=is_numbered)
            for label, value in zip(texts.index, values, strict=True)
        )
    if hasattr(texts, "to_batches") and hasattr(texts, "schema"):  # Arrow
        return _of_frame(_records_of_batches(texts.to_batches()))
    if hasattr(texts, "to_pylist") and hasattr(texts, "schema"):  # A batch of Arrow
        return _of_frame(_records_of_batches([texts]))
    if hasattr(texts, "read_next_batch"):  # A reader of Arrow
        return _of_frame(_records_of_batches(texts))
    return (Row(number, value) for number, value in enumerate(texts))


def _is_default(index: Any) -> bool:
    """Return whether an index of pandas is the one that nobody gave, which counts from 0."""
    return type(index).__name__ == "RangeIndex" and (index.start, index.step, index.name) == (
        0,
        1,
        None,
    )


def _records_of_batches(batches: Iterable[Any]) -> Iterator[Record]:
    """Yield the records of batches of Arrow."""
    for batch in batches:
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        yield from (Record(columns, row) for row in range(batch.num_rows))


def _records_of_pandas(frame: Any) -> Iterable[Mapping[str, Any]]:
    """Return the records of a frame of pandas, whose columns may be Arrow's."""
    n_columns = len(frame.columns)
    is_arrow = [_is_arrow(frame.iloc[:, number]) for number in range(n_columns)]
    if not any(is_arrow):
        records: list[Mapping[str, Any]] = frame.to_dict("records")
        return records
    ours = [number for number in range(n_columns) if not is_arrow[number]]
    columns: dict[Any, Sequence[Any]] = frame.iloc[:, ours].to_dict("list")
    values = {
        name: _arrow_of(frame.iloc[:, number]) if is_arrow[number] else columns[name]
        for number, name in enumerate(frame.columns)
    }
    return (Record(values, row) for row in range(len(frame)))


def _is_arrow(column: Any) -> bool:
    """Return whether a column of pandas has its values in Arrow."""
    dtype = column.dtype
    return hasattr(dtype, "pyarrow_dtype") or getattr(dtype, "storage", None) == "pyarrow"


def _arrow_of(column: Any) -> Any:
    """Return the values of such a column, as Arrow has them."""
    values = column.array.__arrow_array__()
    return values.combine_chunks() if hasattr(values, "combine_chunks") else values


def _records_of_polars(frame: Any, options: Options) -> Iterator[dict[str, Any]]:
    """Yield the records of a frame of Polars: of columns that nobody asks for, the names alone.

    Ids keep nanoseconds, which no time of Python has, and the numbers of times past its years.
    """
    names = frame.columns
    asked = _asked(names, options)
    ids = _column_of_polars(frame, options.id_field)
    unit = _unit(ids)
    times = ids.to_physical() if unit is not None else None
    known = frame.select(asked).with_columns(
        [_in_years(frame.get_column(name)) for name in asked if _unit(frame.get_column(name))]
    )
    id_field = options.id_field
    for number, row in enumerate(known.iter_rows(named=True)):
        record = dict.fromkeys(names) | row
        if times is not None and (time := times[number]) is not None:
            if unit == "ns" and time % 1000:
                record[id_field] = np.datetime64(time, "ns")
            elif record.get(id_field) is None and id_field in row:
                record[id_field] = Ticks(time)
        yield record


def _asked(names: Sequence[str], options: Options) -> list[str]:
    """Return the columns in which the fields stand that are asked for."""
    fields = (options.id_field, *options.text_names(names), options.time_field or "")
    heads = {head for name in fields for head in (name, *(head for head, _ in splits(name)))}
    return [name for name in names if name in heads]


YEARS = {"d": 1, "ms": 86_400_000, "us": 86_400_000_000}
"""How many of a unit of time are a day, of those in which Python's years can be left."""

FIRST_DAY, END = -719_162, 2_932_897
"""Days from 1970 to the first that Python has, and to the first that it has no more."""


def _unit(column: Any) -> str | None:
    """Return the unit in which a column of Polars counts points in time, if it does."""
    dtype = getattr(column, "dtype", None)
    kind = str(dtype)
    if kind == "Date":
        return "d"
    return dtype.time_unit if dtype is not None and kind.startswith("Datetime") else None


def _in_years(column: Any) -> Any:
    """Return a column of times with nothing in place of those that Python has none for."""
    day = YEARS.get(_unit(column) or "")
    if day is None:  # Nanoseconds of 64 bits do not reach so far.
        return column
    number = column.to_physical()
    return column.set((number < FIRST_DAY * day) | (number >= END * day), None)


def _column_of_polars(frame: Any, name: str) -> Any:
    """Return the column that `value_at` reads, None where there is none."""
    if name in frame.columns:
        return frame.get_column(name)
    for head, rest in splits(name):
        if head in frame.columns and hasattr(frame.schema[head], "fields"):
            return _column_of_polars(frame.get_column(head).struct.unnest(), rest)
    return None


def _of_frame(records: Iterable[Any]) -> Iterator[Row]:
    """Return the records of a table that goes by a column or by position."""
    return (Row(number, record, is_of_frame=True) for number, record in enumerate(records))

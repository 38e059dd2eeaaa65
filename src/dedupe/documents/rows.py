"""Takes what is in memory apart: a row for each text, record or pair of a collection.

Columns and frames of other libraries are known by what they can do, so that
none of them is imported here.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from dedupe.documents.fields import splits
from dedupe.documents.options import ID_FIELD

__all__ = ["Row", "rows_of"]

BLOCK = 1000
"""Rows of an Arrow table that are turned into Python objects at once."""


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


def rows_of(texts: Any, id_field: str) -> Iterable[Row]:  # noqa: PLR0911  One for each kind.
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
        return _of_frame(_records_of_polars(texts, id_field))
    if hasattr(texts, "itertuples"):  # pandas
        records = texts.to_dict("records")
        if id_field in texts.columns:
            return _of_frame(records)
        is_numbered = _is_default(texts.index) or id_field not in {ID_FIELD, *texts.index.names}
        return (
            Row(label, record, is_numbered=is_numbered, is_of_frame=True)
            for label, record in zip(texts.index, records, strict=True)
        )
    if hasattr(texts, "index") and hasattr(texts, "items"):  # A column of pandas
        is_numbered = _is_default(texts.index)
        return (Row(label, value, is_numbered=is_numbered) for label, value in texts.items())
    if hasattr(texts, "to_pylist") and hasattr(texts, "schema"):  # Arrow
        blocks = (texts.slice(i, BLOCK) for i in range(0, texts.num_rows, BLOCK))
        return _of_frame(chain.from_iterable(block.to_pylist() for block in blocks))
    if hasattr(texts, "read_next_batch"):  # A reader of Arrow
        return _of_frame(chain.from_iterable(batch.to_pylist() for batch in texts))
    return (Row(number, value) for number, value in enumerate(texts))


def _is_default(index: Any) -> bool:
    """Return whether an index of pandas is the one that nobody gave, which counts from 0."""
    return type(index).__name__ == "RangeIndex" and (index.start, index.step, index.name) == (
        0,
        1,
        None,
    )


def _records_of_polars(frame: Any, id_field: str) -> Iterator[dict[str, Any]]:
    """Yield the records of a frame of Polars; ids keep nanoseconds, which no time of Python has."""
    column = _column_of_polars(frame, id_field)
    unit = getattr(getattr(column, "dtype", None), "time_unit", None)
    times = column.to_physical() if unit == "ns" else None
    for number, record in enumerate(frame.iter_rows(named=True)):
        if times is not None and (time := times[number]) is not None and time % 1000:
            record[id_field] = np.datetime64(time, "ns")
        yield record


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

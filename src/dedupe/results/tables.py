"""Gives an answer back as rows of the caller's own collection, or as a table of all documents.

Columns and frames of other libraries are known by what they can do, so that none of them is
imported unless a new table is to be made.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe.documents.document import Document, Options
from dedupe.documents.memory import placed
from dedupe.errors import InvalidInput, InvalidSetting, MissingExtra
from dedupe.ids import Id, plain_id

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from dedupe.results.result import Result

__all__ = ["MARKS", "annotate", "as_arrow", "as_pandas", "as_polars", "integer_type", "kept"]

MARKS = ("cluster", "duplicate_of", "score", "relation", "reason")
"""What is said of each row. Where there is an old collection, also ``of_old``."""

Marks = dict[str, list[Any]]


def kept(
    result: "Result", data: Any, id_field: str, text_field: str, html_field: str | None
) -> Any:
    """Return the rows of a collection that are no duplicates; see `Result.kept`."""
    options = Options(id_field, text_field, html_field)
    data = _collected(data)
    gone = {duplicate.id for duplicate in result.duplicates}
    ids = _ids(result, data, options)
    return _taken(data, [place for place, id_ in enumerate(ids) if id_ not in gone])


def annotate(
    result: "Result", data: Any, id_field: str, text_field: str, html_field: str | None
) -> Any:
    """Return all rows of a collection with what became of them; see `Result.annotate`."""
    options = Options(id_field, text_field, html_field)
    data = _collected(data)
    said = _said(result)
    rows = [said[id_] for id_ in _ids(result, data, options)]
    names = (*MARKS, "of_old") if result.n_old else MARKS
    marks = {name: [getattr(row, name) for row in rows] for name in names}
    return _marked(data, marks, options, list(map(plain_id, said)))


def as_pandas(result: "Result") -> "pd.DataFrame":
    """Return a line for each document; see `Result.to_pandas`."""
    try:
        import pandas as pd  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a data frame", "pandas") from error
    columns = _of_all(result)
    index = pd.RangeIndex(len(columns["id"]))
    ids = columns["id"]
    return pd.DataFrame(
        {name: _pandas(name, values, ids, index) for name, values in columns.items()}
    )


def as_polars(result: "Result") -> "pl.DataFrame":
    """Return a line for each document; see `Result.to_polars`."""
    try:
        import polars as pl  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a data frame of Polars", "polars") from error
    columns = _of_all(result)
    return pl.DataFrame([_polars(name, values, columns["id"]) for name, values in columns.items()])


def as_arrow(result: "Result") -> "pa.Table":
    """Return a line for each document; see `Result.to_arrow`."""
    try:
        import pyarrow as pa  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a table of Arrow", "parquet") from error
    columns = _of_all(result)
    return pa.table({name: _arrow(name, values, columns["id"]) for name, values in columns.items()})


def _of_all(result: "Result") -> Marks:
    """Return the columns of a table of all documents: clusters first, then those that are alone."""
    said = _said(result)
    ids = [member for cluster in result.clusters for member in cluster]
    # They were put in by number.
    ids += [id_ for id_, row in said.items() if row.is_alone]
    rows = [said[id_] for id_ in ids]
    columns = {name: [getattr(row, name) for row in rows] for name in MARKS}
    return {
        "cluster": columns.pop("cluster"),
        "id": list(map(plain_id, ids)),
        **columns,
        "is_old": [plain_id(id_) is not id_ for id_ in ids],
    }


class _Said(NamedTuple):
    """What is said of one document."""

    cluster: int | None
    duplicate_of: Id | None = None
    score: float | None = 1.0
    relation: str | None = None
    reason: str | None = None
    of_old: bool = False
    is_alone: bool = False


def _said(result: "Result") -> dict[Id, _Said]:
    """Return what is said of each document; those that are alone are clusters behind the others."""
    said = {}
    for row, member in zip(result.rows(), _members(result), strict=True):
        target = None if row["duplicate_of"] == "" else row["duplicate_of"]
        of_old = target is not None and _is_old(result.clusters[row["cluster"] - 1].representative)
        said[member] = _Said(
            row["cluster"],
            target,
            row["score"],
            row["relation"] or None,
            row["reason"] or None,
            of_old,
        )
    alone = [one.id for one in result.documents if one.id not in said and not one.is_old]
    for number, id_ in enumerate([*alone, *result.others], start=len(result.clusters) + 1):
        said[id_] = _Said(number, is_alone=True)
    for skipped in result.skipped:
        said.setdefault(skipped.id, _Said(None, score=None, reason=f"skipped: {skipped.reason}"))
    return said


def _is_old(id_: Id) -> bool:
    return plain_id(id_) is not id_


def _members(result: "Result") -> Iterator[Id]:
    """Yield the members of clusters in the order of `Result.rows`."""
    for cluster in result.clusters:
        yield cluster.representative
        yield from (member for member in cluster if member != cluster.representative)


def _collected(data: Any) -> Any:
    """Return a collection whose rows can be taken, or say why this one is none."""
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):  # Polars, not read yet
        data = data.collect()
    if hasattr(data, "read_next_batch") or not hasattr(data, "__len__"):
        raise InvalidInput(
            f"data must be a collection that can be read again, got {type(data).__name__}: "
            "keep it in a list or a table, and search that"
        )
    return data


def _ids(result: "Result", data: Any, options: Options) -> list[Id]:
    """Return the ids of all rows, which must be those that were searched."""
    digests = {document.id: document.digest for document in result.documents}
    known = {*digests, *result.others, *(skipped.id for skipped in result.skipped)}
    ids = []
    for place, item, _ in placed(data, options, "data"):
        ids.append(item.id)
        is_other = isinstance(item, Document) and digests.get(item.id, item.digest) != item.digest
        if item.id not in known or is_other:
            what = "another text" if item.id in known else "no document"
            raise InvalidInput(
                f"data must be what was searched, got {what} {str(item.id)!r} at {place}: hand "
                "over the same collection, with the same index and fields"
            )
    if missing := {one.id for one in result.duplicates}.difference(ids):
        raise InvalidInput(
            f"data must be what was searched, got none of {len(missing):,} duplicates, such as "
            f"{short(min(missing, key=str))}: hand over all of the collection"
        )
    return ids


def _taken(data: Any, places: list[int]) -> Any:
    """Return some rows of a collection, as a collection of the same kind."""
    if isinstance(data, Mapping):
        items = list(data.items())
        return {items[place][0]: items[place][1] for place in places}
    if hasattr(data, "iloc"):  # pandas
        return data.iloc[places]
    if hasattr(data, "select") and hasattr(data, "column_names") and hasattr(data, "features"):
        return data.select(places)  # Hugging Face
    # Of a list without a place in it, nobody knows that it holds whole numbers.
    rows = np.array(places, np.intp)
    if hasattr(data, "to_pylist"):  # Arrow
        return data.take(rows)
    if hasattr(data, "dtype") or hasattr(data, "with_columns"):  # numpy, Polars
        return data[rows]
    # What cannot be asked for a place, such as the values of a mapping, can be gone through.
    items = list(data)
    chosen = [items[place] for place in places]
    return tuple(chosen) if type(data) is tuple else chosen


def _marked(data: Any, marks: Marks, options: Options, ids: list[Id]) -> Any:
    """Return a collection with more columns; what may be in them decides the type of ids."""
    if hasattr(data, "iloc"):  # pandas
        frame = data if hasattr(data, "columns") else data.to_frame(data.name or options.text_field)
        _check(frame.columns, marks)
        columns = {name: _pandas(name, values, ids, frame.index) for name, values in marks.items()}
        return frame.assign(**columns)
    if hasattr(data, "with_columns") or type(data).__module__.startswith("polars"):
        frame = data if hasattr(data, "columns") else data.to_frame(data.name or options.text_field)
        _check(frame.columns, marks)
        return frame.with_columns(_polars(name, values, ids) for name, values in marks.items())
    if hasattr(data, "append_column"):  # Arrow
        _check(data.column_names, marks)
        for name, values in marks.items():
            data = data.append_column(name, _arrow(name, values, ids))
        return data
    if hasattr(data, "add_column"):  # Hugging Face
        _check(data.column_names, marks)
        for name, values in marks.items():
            # A list would lose its type where nothing is in it.
            data = data.add_column(name, _arrow(name, values, ids))
        return data
    return list(_records(data, marks, options))


def _records(data: Any, marks: Marks, options: Options) -> Iterator[dict[str, Any]]:
    """Yield a record for each item of a list or a mapping."""
    items = data.items() if isinstance(data, Mapping) else data
    rows = (dict(zip(marks, values, strict=True)) for values in zip(*marks.values(), strict=True))
    for found, row in zip(items, rows, strict=True):
        item = found.as_py() if hasattr(found, "as_py") else found  # Of Arrow.
        if isinstance(item, Mapping):
            _check(item, marks)
            yield {**item, **row}
        elif isinstance(item, tuple | list) and len(item) == 2:
            yield {options.id_field: item[0], options.text_field: item[1], **row}
        else:
            yield {options.text_field: item, **row}


def _check(names: Iterable[Any], marks: Iterable[str]) -> None:
    """Refuse to add columns that are there already."""
    there = set(names)
    if taken := [name for name in marks if name in there]:
        raise InvalidSetting(
            f"annotate adds {', '.join(marks)}, and the data have {', '.join(taken)} already: "
            "rename what is there"
        )


def integer_type(values: Sequence[Any]) -> str | None:
    """Return the type that holds all values, as far as they are there, if they are whole numbers.

    >>> [integer_type(values) for values in ([1, None], [1, 2**63], [-1, 2**63], [1, "a"])]
    ['Int64', 'UInt64', 'Int128', None]
    """
    there = [value for value in values if value is not None]
    if {*map(type, there)} != {int}:
        return None
    least, greatest = min(there), max(there)
    sizes = {"Int64": (-(2**63), 2**63), "UInt64": (0, 2**64), "Int128": (-(2**127), 2**127)}
    return next(
        (name for name, (low, end) in sizes.items() if low <= least <= greatest < end), None
    )


def _deciding(name: str, values: list[Any], ids: list[Id]) -> list[Any]:
    """Return the values that decide the type of a column: all ids have one type."""
    return ids if name in {"id", "duplicate_of"} else values


def _pandas(name: str, values: list[Any], ids: list[Id], index: Any) -> Any:
    """Return a column of pandas; whole numbers stay so where some are missing."""
    import pandas as pd  # noqa: PLC0415  An optional dependency.

    deciding = _deciding(name, values, ids)
    integers = integer_type(deciding)
    if integers in {"Int64", "UInt64"}:
        return pd.Series(values, index, dtype=integers)
    is_other = integers or any(not isinstance(one, int | float | bool) for one in deciding + values)
    return pd.Series(values, index, dtype=object if is_other else None)


def _polars(name: str, values: list[Any], ids: list[Id]) -> Any:
    """Return a column of Polars."""
    import polars as pl  # noqa: PLC0415  An optional dependency.

    deciding = _deciding(name, values, ids)
    integers = getattr(pl, integer_type(deciding) or "", None)
    kept = values if integers or _is_of_one_kind(deciding) else _as_text(values)
    return pl.Series(name, kept, dtype=_TYPES(pl).get(name, integers), strict=True)


def _arrow(name: str, values: list[Any], ids: list[Id]) -> Any:
    """Return a column of Arrow."""
    import pyarrow as pa  # noqa: PLC0415  An optional dependency.

    types = {"score": pa.float64(), "cluster": pa.int64()}
    texts = dict.fromkeys(("relation", "reason"), pa.string())
    deciding = _deciding(name, values, ids)
    integers = {"Int64": pa.int64(), "UInt64": pa.uint64()}.get(integer_type(deciding) or "")
    kept = values if integers or _is_of_one_kind(deciding) else _as_text(values)
    return pa.array(kept, (types | texts).get(name, integers))


def _TYPES(pl: Any) -> dict[str, Any]:  # noqa: N802
    """Return the types of columns that may hold nothing at all."""
    texts = dict.fromkeys(("relation", "reason"), pl.String)
    return {"score": pl.Float64, "cluster": pl.Int64, **texts}


def _is_of_one_kind(values: list[Any]) -> bool:
    """Return whether one column can hold values that are no whole numbers."""
    there = [value for value in values if value is not None]
    kinds = {*map(type, there)}
    if len(kinds) <= 1 and kinds <= _STORABLE:
        return True
    # A column has one time zone, or none.
    are_times = all(isinstance(value, datetime) for value in there)
    return are_times and len({value.tzinfo for value in there}) == 1


def _as_text(values: list[Any]) -> list[Any]:
    """Return ids of several types, or of rare ones, as text."""
    return [None if value is None else str(value) for value in values]


_STORABLE = {str, float, bool, bytes, date}

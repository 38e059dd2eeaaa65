"""Gives an answer back as rows of the caller's own collection, or as a table of all documents.

Columns and frames of other libraries are known by what they can do, so that none of them is
imported unless a new table is to be made.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dedupe.documents.document import Document
from dedupe.documents.memory import placed
from dedupe.documents.options import Options
from dedupe.errors import InvalidInput, InvalidSetting, MissingExtra
from dedupe.ids import Id, Old, plain_id
from dedupe.results.columns import Columns, of_arrow, of_pandas, of_polars

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from dedupe.results.result import Result

__all__ = ["MARKS", "annotate", "as_arrow", "as_pandas", "as_polars", "kept", "said_of", "texts_of"]

MARKS = ("cluster", "duplicate_of", "score", "relation", "reason", "of_old")
"""What is said of each row, whether there is an old collection or not."""

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
    said = said_of(result)
    ids = _ids(result, data, options)
    rows = [said[id_] for id_ in ids]
    marks = {name: [getattr(row, name) for row in rows] for name in MARKS}
    return _marked(data, marks, ids, options)


def texts_of(
    result: "Result", data: Any, id_field: str, text_field: str, html_field: str | None
) -> Mapping[Any, str]:
    """Return the texts of a collection by their ids; see `Result.to_html`."""
    if isinstance(data, Mapping):
        texts: Mapping[Any, str] = data
    else:
        items = (one.item for one in placed(data, Options(id_field, text_field, html_field)))
        texts = {item.id: item.text for item in items if isinstance(item, Document)}
    # Whoever hands over texts has old ones by their own ids.
    ids = [*(document.id for document in result.documents), *result.others]
    if ids and texts and {*ids, *map(plain_id, ids)}.isdisjoint(texts):
        raise InvalidInput(
            f"texts must be of documents that were searched, such as {short(ids[0])}, got those of "
            f"{short(next(iter(texts)))} and others: hand over the same collection, with the same "
            "index and fields, or a mapping from ids to texts"
        )
    return texts


def as_pandas(result: "Result") -> "pd.DataFrame":
    """Return a line for each document; see `Result.to_pandas`."""
    try:
        import pandas as pd  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a data frame", "pandas") from error
    columns = _of_all(result)
    index = pd.RangeIndex(len(columns["id"]))
    return pd.DataFrame(dict(_columns(of_pandas(index), columns)), index)


def as_polars(result: "Result") -> "pl.DataFrame":
    """Return a line for each document; see `Result.to_polars`."""
    try:
        import polars as pl  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a data frame of Polars", "polars") from error
    return pl.DataFrame(dict(_columns(of_polars(), _of_all(result))))


def as_arrow(result: "Result") -> "pa.Table":
    """Return a line for each document; see `Result.to_arrow`."""
    try:
        import pyarrow as pa  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a table of Arrow", "parquet") from error
    return pa.table(dict(_columns(of_arrow(), _of_all(result))))


def _columns(library: Columns, values: Marks) -> Iterator[tuple[str, Any]]:
    """Yield the columns of a table of all documents, whose ids say what type they have."""
    type_ = library.type_of(values["id"])
    for name, column in values.items():
        is_id = name in ("id", "duplicate_of")
        yield name, library.ids(name, column, type_) if is_id else library.mark(name, column)


def _of_all(result: "Result") -> Marks:
    """Return the columns of a table of all documents: clusters first, then those that are alone."""
    said = said_of(result)
    ids = [member for cluster in result.clusters for member in cluster]
    # They were put in by number.
    ids += [id_ for id_, row in said.items() if row.is_alone]
    rows = [said[id_] for id_ in ids]
    columns = {name: [getattr(row, name) for row in rows] for name in MARKS}
    return {
        "cluster": columns.pop("cluster"),
        "id": list(map(plain_id, ids)),
        **columns,
        "is_old": list(map(_is_old, ids)),
    }


class Said(NamedTuple):
    """What is said of one document."""

    cluster: int | None
    duplicate_of: Id | None = None
    score: float | None = 1.0
    relation: str | None = None
    reason: str | None = None
    of_old: bool = False
    is_alone: bool = False


def said_of(result: "Result") -> dict[Id, Said]:
    """Return what is said of each document; those that are alone are clusters behind the others."""
    said = {}
    for row, member in zip(result.rows(), _members(result), strict=True):
        target = None if row["duplicate_of"] == "" else row["duplicate_of"]
        of_old = target is not None and _is_old(result.clusters[row["cluster"] - 1].representative)
        said[member] = Said(
            row["cluster"],
            target,
            row["score"],
            row["relation"] or None,
            row["reason"] or None,
            of_old,
        )
    alone = [one.id for one in result.documents if one.id not in said and not one.is_old]
    for number, id_ in enumerate([*alone, *result.others], start=len(result.clusters) + 1):
        said[id_] = Said(number, is_alone=True)
    for skipped in result.skipped:
        said.setdefault(skipped.id, Said(None, score=None, reason=f"skipped: {skipped.reason}"))
    return said


def _is_old(id_: Id) -> bool:
    return isinstance(id_, Old)


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
        if item.id not in known:
            known_ids = ", ".join(map(short, islice(_new(result), 3))) or "none"
            told = f"{short(item.id)} at {place}, which was not (ids that were: {known_ids})"
            raise _not_searched(result, data, options, told)
        if isinstance(item, Document) and digests.get(item.id, item.digest) != item.digest:
            told = f"another text of {short(item.id)} at {place}"
            raise _not_searched(result, data, options, told)
    if missing := {one.id for one in result.duplicates}.difference(ids):
        told = f"none of {len(missing):,} duplicates, such as {short(min(missing, key=str))}"
        raise _not_searched(result, data, options, told)
    return ids


def _new(result: "Result") -> Iterator[Id]:
    """Yield the ids of documents that were searched, and not old."""
    yield from (document.id for document in result.documents if not document.is_old)
    yield from result.others


def _not_searched(result: "Result", data: Any, options: Options, got: str) -> InvalidInput:
    """Say that a collection is not what was searched, or that it is the old one."""
    old = {document.id: document.digest for document in result.documents if document.is_old}
    items = (item for _, item, _ in placed(data, options, "data") if isinstance(item, Document))
    if old and any(old.get(Old(item.id)) == item.digest for item in items):
        return InvalidInput(
            "data must be the new collection, got the old one, of which nothing is a duplicate: "
            "hand over what was searched against it; what it is like there says duplicate_of"
        )
    return InvalidInput(
        f"data must be what was searched, got {got}: hand over all of the same collection, with "
        "the same index and fields"
    )


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


def _marked(data: Any, marks: Marks, ids: list[Id], options: Options) -> Any:
    """Return a collection with more columns."""
    if hasattr(data, "iloc"):  # pandas
        frame = data if hasattr(data, "columns") else data.to_frame(data.name or options.text_field)
        _check(frame.columns, marks)
        has_ids = options.id_field in frame.columns
        source = frame[options.id_field] if has_ids else frame.index
        return frame.assign(**dict(_added(of_pandas(frame.index), marks, ids, source.dtype)))
    if hasattr(data, "with_columns") or type(data).__module__.startswith("polars"):
        frame = data if hasattr(data, "columns") else data.to_frame(data.name or options.text_field)
        _check(frame.columns, marks)
        return frame.with_columns(
            **dict(_added(of_polars(), marks, ids, frame.schema.get(options.id_field)))
        )
    if hasattr(data, "append_column"):  # Arrow
        _check(data.column_names, marks)
        for name, column in _added(of_arrow(), marks, ids, _field(data.schema, options)):
            data = data.append_column(name, column)
        return data
    if hasattr(data, "add_column"):  # Hugging Face
        _check(data.column_names, marks)
        source = _field(data.features.arrow_schema, options)
        for name, column in _added(of_arrow(), marks, ids, source):
            data = data.add_column(name, column)
        return data
    return list(_records(data, marks, options))


def _field(schema: Any, options: Options) -> Any:
    """Return the type of the column of ids in a schema of Arrow, or None where there is none."""
    return schema.field(options.id_field).type if options.id_field in schema.names else None


def _added(library: Columns, marks: Marks, ids: list[Id], source: Any) -> Iterator[tuple[str, Any]]:
    """Yield the columns to add; ids are as in their source, if those that they name fit there.

    Old ones may not. Where none is named, one of the data says what they would be.
    """
    type_ = library.type_of([*ids[:1], *marks["duplicate_of"]], source)
    for name, values in marks.items():
        is_id = name == "duplicate_of"
        yield name, library.ids(name, values, type_) if is_id else library.mark(name, values)


def _records(data: Any, marks: Marks, options: Options) -> Iterator[dict[str, Any]]:
    """Yield a record for each item of a list or a mapping."""
    items = data.items() if isinstance(data, Mapping) else data
    if hasattr(items, "to_pylist"):  # Arrow
        items = items.to_pylist()
    rows = (dict(zip(marks, values, strict=True)) for values in zip(*marks.values(), strict=True))
    for item, row in zip(items, rows, strict=True):
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

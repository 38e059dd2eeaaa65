"""Makes columns of pandas, Polars and Arrow, in which ids are of the type that they came in.

An id of another type fits nothing: it joins no frame and finds no row. So a column of ids has
the type of the column or index that they came from, where that is at hand, and else the one
that its library has for such values. Either is taken only if the ids come back from it as they
were: pandas reads the number 1 as a time, and drops what is in no category, without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from dedupe.ids import Id

__all__ = ["Columns", "of_arrow", "of_pandas", "of_polars", "storable"]


class Columns(NamedTuple):
    """The columns of one library.

    Attributes
    ----------
    made : callable
        Makes a column of a name, values and a type.
    read : callable
        Returns the values of a column, without those that are missing.
    marks : mapping from names to types
        Types of what is said of a row; the same whether there is anything to say or not.
    kinds : mapping from names to types
        Types of ids.
    times : callable
        Makes the type of ids that are times, of the name of their time zone or None.
    other : type
        Of ids of several kinds, or of one that no column holds.
    holds_anything : bool
        Whether that one takes ids as they are, or as text.
    faults : tuple of exceptions
        What `made` raises where values do not fit.
    """

    made: Callable[[str, Sequence[Any], Any], Any]
    read: Callable[[Any], list[Any]]
    marks: Mapping[str, Any]
    kinds: Mapping[str, Any]
    times: Callable[[str | None], Any]
    other: Any
    holds_anything: bool = False
    faults: tuple[type[Exception], ...] = (TypeError, ValueError, ArithmeticError)

    def mark(self, name: str, values: Sequence[Any]) -> Any:
        """Return a column of what is said of each row, other than ids."""
        return self.made(name, values, self.marks[name])

    def ids(self, name: str, ids: Sequence[Id | None], type_: Any) -> Any:
        """Return a column of ids, None where a row has none, of a type from `type_of`."""
        if type_ is self.other and not self.holds_anything:
            ids = [None if id_ is None else storable(id_) for id_ in ids]
        return self.made(name, ids, type_)

    def type_of(self, ids: Sequence[Id | None], likely: Any = None) -> Any:
        """Return the type of a column of ids: the likely one if they fit it, else by their kind."""
        there = [id_ for id_ in ids if id_ is not None]
        for type_ in (likely, self._by_kind(there)):
            if type_ is not None and self._fit(there, type_):
                return type_
        return self.other

    def _by_kind(self, ids: list[Id]) -> Any:
        """Return the type for ids of one kind, or None."""
        # Where there is no id at all, positions are what they would be.
        kinds = {_kind_of(id_) for id_ in ids} or {"int64"}
        if kinds == {"int64", "uint64"}:
            kinds = {"uint64"}
        if len(kinds) != 1:
            return None
        (kind,) = kinds
        return self.times(_zone_of(ids)) if kind == "datetime" else self.kinds.get(kind)

    def _fit(self, ids: list[Id], type_: Any) -> bool:
        """Return whether ids come back from a column as they were."""
        try:
            return self.read(self.made("", ids, type_)) == ids
        except self.faults:
            return False


def storable(value: object) -> str:
    r"""Return a value as text that a column can hold: the escape of what is no UTF-8.

    >>> storable("a\udcff"), storable(1)
    ('a\\udcff', '1')
    """
    return str(value).encode("utf-8", "backslashreplace").decode()


def _kind_of(id_: Id) -> str:
    """Return the name of the type that a column needs for an id.

    >>> _kind_of(7), _kind_of(2**63), _kind_of(datetime(2024, 5, 1)), _kind_of(("a", 7))
    ('int64', 'uint64', 'datetime', 'tuple')
    """
    if isinstance(id_, int):
        return "int64" if id_ < 2**63 else "uint64"
    # A subclass, as pandas has one of times, goes by its base; a datetime is a date, too.
    bases: tuple[type, ...] = (datetime, date)
    return next((base.__name__ for base in bases if isinstance(id_, base)), type(id_).__name__)


def _zone_of(times: Sequence[datetime]) -> str | None:
    """Return the name of the time zone of times: that of all of them, or UTC; None without one."""
    if all(time.tzinfo is None for time in times):
        return None
    # Zones of pytz have the second name. An offset has none, and may be one of several.
    zones = {getattr(time.tzinfo, "key", getattr(time.tzinfo, "zone", None)) for time in times}
    name = zones.pop()
    return name if name and not zones else "UTC"


def of_pandas(index: Any) -> Columns:
    """Return the columns of pandas, for the rows of an index; numbers may be missing in them."""
    import pandas as pd  # noqa: PLC0415  An optional dependency.

    def made(_: str, values: Sequence[Any], type_: Any) -> Any:
        # What is tried for its type has not as many values as there are rows.
        rows = index if len(index) == len(values) else None
        if hasattr(type_, "categories") and not {*values} <= {None, *type_.categories}:
            raise ValueError("an id in no category")
        return pd.Series(values, rows, dtype=_nullable(type_))

    def times(zone: str | None) -> Any:
        return "datetime64[us]" if zone is None else pd.DatetimeTZDtype("us", zone)

    numbers = {"int64": "Int64", "uint64": "UInt64", "float": "float64"}
    texts = {"str": pd.Index(["a"]).dtype, "bytes": object, "date": object}
    return Columns(
        made=made,
        read=lambda column: column.dropna().tolist(),
        marks={
            "cluster": "Int64",
            "score": "float64",
            **dict.fromkeys(("relation", "reason"), object),
            **dict.fromkeys(("of_old", "is_old"), "bool"),
        },
        kinds=numbers | texts,
        times=times,
        other=object,
        holds_anything=True,
    )


def _nullable(type_: Any) -> Any:
    """Return the type of pandas whose whole numbers may be missing."""
    if getattr(type_, "kind", "") in ("i", "u") and type(type_).__module__.startswith("numpy"):
        return f"{'U' if type_.kind == 'u' else ''}Int{8 * type_.itemsize}"
    return type_


def of_polars() -> Columns:
    """Return the columns of Polars."""
    import polars as pl  # noqa: PLC0415  An optional dependency.

    return Columns(
        made=lambda name, values, type_: pl.Series(name, values, dtype=type_, strict=True),
        read=lambda column: column.drop_nulls().to_list(),
        marks={
            "cluster": pl.Int64,
            "score": pl.Float64,
            **dict.fromkeys(("relation", "reason"), pl.String),
            **dict.fromkeys(("of_old", "is_old"), pl.Boolean),
        },
        kinds={
            "int64": pl.Int64,
            "uint64": pl.UInt64,
            "float": pl.Float64,
            "str": pl.String,
            "bytes": pl.Binary,
            "date": pl.Date,
        },
        times=lambda zone: pl.Datetime("us", zone),
        other=pl.String,
        faults=(*Columns._field_defaults["faults"], pl.exceptions.PolarsError),
    )


def of_arrow() -> Columns:
    """Return the columns of Arrow."""
    import pyarrow as pa  # noqa: PLC0415  An optional dependency.

    return Columns(
        made=lambda _, values, type_: pa.array(values, type_),
        read=lambda column: column.drop_null().to_pylist(),
        marks={
            "cluster": pa.int64(),
            "score": pa.float64(),
            **dict.fromkeys(("relation", "reason"), pa.string()),
            **dict.fromkeys(("of_old", "is_old"), pa.bool_()),
        },
        kinds={
            "int64": pa.int64(),
            "uint64": pa.uint64(),
            "float": pa.float64(),
            "str": pa.string(),
            "bytes": pa.binary(),
            "date": pa.date32(),
        },
        times=lambda zone: pa.timestamp("us", zone),
        other=pa.string(),
        faults=(*Columns._field_defaults["faults"], pa.ArrowException),
    )

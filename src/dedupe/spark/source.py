"""Chooses the columns of the caller's frames that are searched, and refuses what is none."""

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import (
    DataType,
    DateType,
    DoubleType,
    IntegralType,
    NumericType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from dedupe.documents.values import YEAR_10000, as_time
from dedupe.errors import InvalidInput, InvalidSetting

__all__ = ["Columns", "source_of"]


class Columns(NamedTuple):
    """The names of the columns that are searched; `time` may be none."""

    id: str
    text: str
    time: str | None


def source_of(frame: DataFrame, against: "DataFrame | None", columns: Columns) -> DataFrame:
    """Return the rows of both collections, as ``id``, ``text``, ``time`` and ``is_old``.

    A time is seconds since 1970, or null.

    Raises
    ------
    InvalidSetting, InvalidInput
        As `_columns_of` does; also when ids are strings in one and numbers in the other.
    """
    new = _columns_of(frame, columns).withColumn("is_old", F.lit(False))
    if against is None:
        return new
    old = _columns_of(against, columns).withColumn("is_old", F.lit(True))
    kinds = [one.schema["id"].dataType for one in (new, old)]
    if isinstance(kinds[0], StringType) != isinstance(kinds[1], StringType):
        told = " and ".join(kind.simpleString() for kind in kinds)
        raise InvalidInput(
            f"ids must be of one kind in both collections, got {told} in {columns.id!r}: cast one, "
            f"as in df.withColumn({columns.id!r}, df[{columns.id!r}].cast('string'))"
        )
    return new.union(old)


def _columns_of(frame: DataFrame, columns: Columns) -> DataFrame:
    """Return the columns that are searched, as ``id``, ``text`` and ``time``.

    Raises
    ------
    InvalidSetting
        When there is no such column, or several.
    InvalidInput
        When ids are neither strings nor whole numbers, texts no strings, or times no times.
    """
    time = F.lit(None).cast("double")
    if columns.time is not None:
        time = _time_of(_field(frame, "time", columns.time))
    # By place: a name may hold a dot, which would mean a field within another, or a backtick.
    return frame.toDF(*(f"_{place}" for place in range(len(frame.columns)))).select(
        _id_of(_field(frame, "id", columns.id)).alias("id"),
        _text_of(_field(frame, "text", columns.text)).alias("text"),
        time.alias("time"),
    )


class _Field(NamedTuple):
    """A column that is searched, the type of what is in it, and its name."""

    column: Column
    kind: DataType
    name: str

    @property
    def told(self) -> str:
        """What it holds, as messages say it."""
        return f"{self.kind.simpleString()} in {self.name!r}"


def _field(frame: DataFrame, what: str, name: str) -> _Field:
    """Return the column of a name, by its place in the frame."""
    places = [place for place, one in enumerate(frame.columns) if one == name]
    if len(places) != 1:
        many = f"of which there are {len(places)}"
        told = many if places else f"and they are {', '.join(frame.columns)}"
        raise InvalidSetting(
            f"{what} must name a column, got {name!r}, {told}: name one with {what}= "
            f"(--{what}-field)"
        )
    return _Field(F.col(f"_{places[0]}"), frame.schema.fields[places[0]].dataType, name)


def _id_of(field: _Field) -> Column:
    """Return a column of ids, which sort by their bytes, not by the rules of a language."""
    if isinstance(field.kind, IntegralType):
        return field.column
    if isinstance(field.kind, StringType):
        return F.collate(field.column, "UTF8_BINARY")
    raise InvalidInput(
        f"ids must be strings or whole numbers, got {field.told}: cast them, as in "
        f"df.withColumn({field.name!r}, df[{field.name!r}].cast('string'))"
    )


def _text_of(field: _Field) -> Column:
    """Return a column of texts. What was cast from bytes may be no UTF-8 before."""
    if isinstance(field.kind, StringType):
        return F.make_valid_utf8(field.column)
    raise InvalidInput(
        f"texts must be strings, got {field.told}: name the column that holds them with text= "
        "(--text-field)"
    )


def _time_of(field: _Field) -> Column:
    """Return a column of times in seconds since 1970, as `dedupe.documents.values.as_time` does."""
    if isinstance(field.kind, NumericType | TimestampType):
        seconds = field.column.cast("double")
        return F.when(~F.isnan(seconds) & (F.abs(seconds) < YEAR_10000), seconds)
    if isinstance(field.kind, StringType | DateType | TimestampNTZType):
        # Days and times without a zone are taken for those of UTC, as they are elsewhere.
        return F.udf(as_time, DoubleType(), useArrow=False)(field.column.cast("string"))
    raise InvalidInput(
        f"times must be timestamps, dates, seconds since 1970 or ISO 8601, got {field.told}: name "
        "another column with time= (--time-field)"
    )

"""Reports for data frames as Parquet."""

import io

from dedupe.errors import MissingExtra
from dedupe.results.result import ROW_FIELDS, Result
from dedupe.results.tables import integer_type

__all__ = ["check", "rows"]


def check() -> None:
    """Raise `MissingExtra` where Parquet cannot be written, which is better said before the work.

    Raises
    ------
    MissingExtra
    """
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a Parquet file", "parquet") from error


def rows(result: Result) -> bytes:
    """Return `Result.rows` as a file of Parquet, with the columns that CSV has.

    Ids are numbers where all of them are, of at most 64 bits, and else text.

    Raises
    ------
    MissingExtra
        When pyarrow is not installed.
    """
    check()
    import pyarrow as pa  # noqa: PLC0415  An optional dependency.
    from pyarrow import parquet  # noqa: PLC0415

    types = {"cluster": pa.int64(), "score": pa.float64(), "is_old": pa.bool_()}
    records = list(result.rows())
    integers = {"Int64": pa.int64(), "UInt64": pa.uint64()}
    number = integers.get(integer_type([record["id"] for record in records]) or "")
    if number is not None:
        types |= {"id": number, "duplicate_of": number}
    columns = []
    for name in ROW_FIELDS:
        values = [record[name] for record in records]
        if name == "duplicate_of" and number is not None:
            values = [None if value == "" else value for value in values]
        elif name not in types:
            values = list(map(_storable, values))
        columns.append(pa.array(values, types.get(name, pa.string())))
    file = io.BytesIO()
    parquet.write_table(pa.table(columns, list(ROW_FIELDS)), file)
    return file.getvalue()


def _storable(value: object) -> str:
    r"""Return a value as text that Parquet can hold: the escape of what is no UTF-8.

    >>> _storable("a\udcff"), _storable(1)
    ('a\\udcff', '1')
    """
    return str(value).encode("utf-8", "backslashreplace").decode()

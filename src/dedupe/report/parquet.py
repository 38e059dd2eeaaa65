"""Reports for data frames as Parquet."""

import io

from dedupe.errors import MissingExtra
from dedupe.results.result import ROW_FIELDS, Result

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

    Raises
    ------
    MissingExtra
        When pyarrow is not installed.
    """
    check()
    import pyarrow as pa  # noqa: PLC0415  An optional dependency.
    from pyarrow import parquet  # noqa: PLC0415

    types = {"cluster": pa.int64(), "score": pa.float64()}
    records = list(result.rows())
    columns = [
        pa.array([_storable(record[name]) for record in records], types.get(name, pa.string()))
        for name in ROW_FIELDS
    ]
    file = io.BytesIO()
    parquet.write_table(pa.table(columns, list(ROW_FIELDS)), file)
    return file.getvalue()


def _storable(value: object) -> object:
    r"""Return a value that Parquet can hold: the escape of what is no UTF-8 in the name of a file.

    >>> _storable("a\udcff"), _storable(1)
    ('a\\udcff', 1)
    """
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value

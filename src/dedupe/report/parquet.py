"""Reports for data frames as Parquet."""

import io

from dedupe.errors import MissingExtra
from dedupe.results.columns import of_arrow, storable
from dedupe.results.result import Result
from dedupe.results.rows import ROW_FIELDS

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

    Ids are text where they are of several types, or of one that a column cannot hold.

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
    type_ = of_arrow().type_of([record["id"] for record in records])
    if type_ != pa.string():
        types |= {"id": type_, "duplicate_of": type_}
    columns = []
    for name in ROW_FIELDS:
        values = [record[name] for record in records]
        if name not in types:
            values = list(map(storable, values))
        elif name == "duplicate_of":
            values = [None if value == "" else value for value in values]
        columns.append(pa.array(values, types.get(name, pa.string())))
    file = io.BytesIO()
    parquet.write_table(pa.table(columns, list(ROW_FIELDS)), file)
    return file.getvalue()

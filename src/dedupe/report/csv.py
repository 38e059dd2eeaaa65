"""Reports for spreadsheets and data frames as CSV."""

import csv
import io
from collections.abc import Sequence

from dedupe.results.result import Result
from dedupe.results.rows import ROW_FIELDS

__all__ = ["as_line", "rows"]


def rows(result: Result, delimiter: str = ",") -> str:
    """Return `Result.rows` as CSV with a header, one record for each member of each cluster.

    Lines end in a line feed alone, which every reader of CSV accepts and line tools
    need. Values are written as they are: a spreadsheet may take an id that begins with
    ``=`` for a formula.
    """
    records = [ROW_FIELDS, *([row[name] for name in ROW_FIELDS] for row in result.rows())]
    return "".join(f"{as_line(record, delimiter)}\n" for record in records)


def as_line(values: Sequence[object], delimiter: str) -> str:
    r"""Return cells as a line without its end.

    >>> as_line(["a\rb", 1, None], ",")
    '"a\rb",1,'
    """
    line = io.StringIO()
    # A cell is quoted for a character that ends a line only if lines end in that.
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(values)
    return line.getvalue().removesuffix("\r\n")

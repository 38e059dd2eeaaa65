"""Reports for spreadsheets and data frames as CSV."""

import csv
import io

from dedupe.results.result import ROW_FIELDS, Result

__all__ = ["rows"]


def rows(result: Result, delimiter: str = ",") -> str:
    """Return `Result.rows` as CSV with a header, one record for each member of each cluster.

    Lines end in a line feed alone, which every reader of CSV accepts and line tools
    need. Values are written as they are: a spreadsheet may take an id that begins with
    ``=`` for a formula.
    """
    table = io.StringIO()
    writer = csv.DictWriter(table, ROW_FIELDS, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(result.rows())
    return table.getvalue()

"""A result, or a comparison, as one HTML file that needs nothing else.

`gathering` finds the `facts` to tell, `sides` and `rows` put two texts side by side,
`plots` draws, `texts` fetches what a result does not hold, `payload` fits it all into a
few megabytes, and `pages` fills in the templates. Only those know what HTML is.
"""

from pathlib import Path

from dedupe.records import Comparison
from dedupe.report import files
from dedupe.report.html.pages import comparison_page, result_page
from dedupe.report.html.texts import Stream
from dedupe.results import Result

__all__ = ["Stream", "comparison_page", "result_page", "write"]


def write(said: Result | Comparison, path: Path, stream: Stream | None = None) -> None:
    """Write the page of a result or of a comparison, in one step.

    Parameters
    ----------
    said : Result or Comparison
    path : Path
    stream : mapping from ids to texts, or iterable of documents, optional
        Where the texts of a result's pairs are; a comparison holds its own.
    """
    page = result_page(said, stream) if isinstance(said, Result) else comparison_page(said)
    files.replace(path, page.encode())

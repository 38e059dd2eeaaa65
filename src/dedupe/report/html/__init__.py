"""A result, or a comparison, as one HTML file that needs nothing else.

`gathering` chooses what is `shown` of a result, `rows` and `sides` put two texts side by
side, and `plots` draws. `payload` packs rows into a few megabytes, `opened` the pairs that
a reader can open, and `tables` chooses what readers without the script see. `pages` fills
in the templates of the `environment`. All that a page says comes from a result or a
comparison: nothing here reads a document or scores a pair.
"""

from collections.abc import Mapping
from pathlib import Path

from dedupe import disk
from dedupe.report.html.pages import comparison_page, result_page
from dedupe.results.records import Comparison
from dedupe.results.result import Result

__all__ = ["comparison_page", "result_page", "write"]


def write(said: Result | Comparison, path: Path, texts: Mapping[str, str] | None = None) -> None:
    """Write the page of a result or of a comparison, in one step.

    Parameters
    ----------
    said : Result or Comparison
    path : Path
    texts : mapping from ids to texts, optional
        Those of a result's documents; a comparison holds its own.
    """
    page = result_page(said, texts) if isinstance(said, Result) else comparison_page(said)
    disk.replace(path, page.encode())

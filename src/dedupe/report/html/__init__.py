"""A result, or a comparison, as one HTML file that needs nothing else.

`gathering` finds the `facts` to tell, `sides` and `rows` put two texts side by side,
`plots` draws, `texts` aligns those of a pair, `payload` packs rows and `opened` the pairs
that can be opened into a few megabytes, `tables` chooses what stands in the page itself,
and `pages` fills in the templates of the `environment`. Only those know what HTML is.
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

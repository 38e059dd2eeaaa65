"""Both texts of a pair that a page shows, aligned, if they are still what was searched."""

from collections.abc import Mapping

from dedupe.documents import Document
from dedupe.errors import NothingToRead
from dedupe.report.html.facts import ShownPair
from dedupe.results.records import Comparison
from dedupe.results.result import Result

__all__ = ["compared"]

MAX_CHARS = 200_000
"""Characters of a text that is shown whole: a short novel. Longer ones are shown by excerpts."""


def compared(result: Result, shown: ShownPair, texts: Mapping[str, str]) -> Comparison | None:
    """Return both texts of a pair aligned, or None where one of them is not what it was.

    A file may have changed since the search; a score of other texts would be a lie.
    """
    left, right = (texts.get(name) for name in (shown.left, shown.right))
    if left is None or right is None or max(len(left), len(right)) > MAX_CHARS:
        return None
    # The kernels take half a second to load, and a page without texts needs none.
    from dedupe.comparison import compare_documents  # noqa: PLC0415

    documents = Document(shown.left, left), Document(shown.right, right)
    try:
        found = compare_documents(*documents, result.settings, result)
    except NothingToRead:  # The file has been emptied.
        return None
    return found if abs(found.pair.score - shown.pair.score) < 1e-6 else None

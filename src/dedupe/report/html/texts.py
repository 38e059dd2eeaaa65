"""The texts of the pairs that a page shows, from where they were read before.

A result holds no text. A second look at the documents fetches the few that are
shown, and counts all characters on the way, so that the page can say what share of
the text its duplicates are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dedupe.documents import Document
from dedupe.errors import NothingToRead, Skipped
from dedupe.records import Comparison
from dedupe.report.html.facts import ShownPair
from dedupe.results import Result

__all__ = ["Stream", "Texts", "compared", "fetch", "wanted"]

MAX_PAIRS = 2000
"""Pairs whose texts are fetched: more than a page of five megabytes holds."""

MAX_WORDS = 2_000_000
"""Words that are fetched for them, by what the result knows: some twelve megabytes."""

MAX_CHARS = 200_000
"""Characters of a text that is shown whole: a short novel. Longer ones are shown by excerpts."""

Stream = Mapping[str, str] | Iterable[Document | Skipped]
"""Texts by id, or documents as `dedupe.documents.read_paths` yields them."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts that were fetched, by id, and what share of all text the duplicates are.

    `saved_share` is None where not all documents of the result were seen.
    """

    by_id: Mapping[str, str]
    saved_share: float | None


NO_TEXTS = Texts({}, None)


def wanted(result: Result, pairs: Iterable[ShownPair]) -> set[str]:
    """Return the ids whose texts are worth fetching for pairs, the first of which matter most."""
    n_words = {document.id: document.n_words for document in result.documents}
    chosen: set[str] = set()
    room = MAX_WORDS
    for _, shown in zip(range(MAX_PAIRS), pairs, strict=False):
        new = {shown.left, shown.right} - chosen
        room -= sum(n_words[name] for name in new)
        if room < 0:
            break
        chosen |= new
    return chosen


def fetch(result: Result, stream: Stream, names: set[str]) -> Texts:
    """Return the texts of some documents, and measure all of them on the way."""
    duplicates = {duplicate.id for duplicate in result.duplicates}
    chosen: dict[str, str] = {}
    n_documents = n_chars = n_saved = 0
    for name, text in _items(stream):
        n_documents += 1
        n_chars += len(text)
        if name in duplicates:
            n_saved += len(text)
        if name in names and len(text) <= MAX_CHARS:
            chosen[name] = text
    # Documents without a word are read and then skipped.
    saw_all = n_documents >= result.n_documents
    return Texts(chosen, n_saved / n_chars if saw_all and n_chars else None)


def compared(result: Result, shown: ShownPair, texts: Texts) -> Comparison | None:
    """Return both texts of a pair aligned, or None where one of them is not what it was.

    A file may have changed since the search; a score of other texts would be a lie.
    """
    left, right = (texts.by_id.get(name) for name in (shown.left, shown.right))
    if left is None or right is None:
        return None
    # The kernels take half a second to load, and a page without texts needs none.
    from dedupe.comparing import compare_documents  # noqa: PLC0415

    documents = Document(shown.left, left), Document(shown.right, right)
    try:
        found = compare_documents(*documents, result.settings, result)
    except NothingToRead:  # The file has been emptied.
        return None
    return found if abs(found.pair.score - shown.pair.score) < 1e-6 else None


def _items(stream: Stream) -> Iterator[tuple[str, str]]:
    """Yield ids and texts."""
    if isinstance(stream, Mapping):
        yield from stream.items()
        return
    yield from ((item.id, item.text) for item in stream if isinstance(item, Document))

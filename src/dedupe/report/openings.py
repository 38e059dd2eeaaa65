"""The first words of each story, by which a reader knows it where ids are addresses or numbers.

They are those of the copy to keep, which may have a menu above its story. So a *guide* is
taken, the copy of fewest words, which has the least besides the story: the story begins
with the first line of the guide that stands in the copy to keep and at the top of no
other cluster's guide.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dedupe.ids import order_of
from dedupe.report.lines import squeezed, visible
from dedupe.results.records import Cluster
from dedupe.results.result import Result

__all__ = ["first_words", "openings"]

OPENING_CHARS = 110
"""Characters of an opening: a line of the page."""

HEAD_CHARS = 2_000
"""Characters of a guide in which its story is looked for; long menus take as many."""

LINE_CHARS, SAME_CHARS = 20, 40
"""Characters of the shortest line that begins a story, and of a part by which it is found.

Items of a menu are shorter than the first number. Most headlines are longer; of a short
one the first sentence is shown. Lines of copies are hardly shorter than the second, and
the next part is tried as well, since copies differ in their dashes and quotes.
"""


def first_words(
    result: Result, clusters: Sequence[Cluster], texts: Mapping[Any, str]
) -> Iterator[str]:
    """Yield the first words of the story of each cluster.

    A text that is missing, or is no longer what was searched, gives none.
    """
    n_words = {document.id: document.n_words for document in result.documents}
    copies = {duplicate.id for duplicate in result.duplicates}
    guides = (
        min(
            (one for one in cluster if one in copies or one == cluster.representative),
            key=lambda one: (n_words[one], order_of(one)),
        )
        for cluster in clusters
    )
    return openings(
        (result.unchanged(guide, texts) or "" for guide in guides),
        (result.unchanged(cluster.representative, texts) or "" for cluster in clusters),
    )


def openings(guides: Iterable[str], kept: Iterable[str]) -> Iterator[str]:
    r"""Yield the first words of each story in the copy to keep, on one line.

    Parameters
    ----------
    guides, kept : iterable of str
        Two texts of each story, of which only the first ones are all read before the first
        words come.

    >>> menu = "Open from nine to five on weekdays\n"
    >>> guides = [menu + "The council closed the bridge.", menu + "The library opens again."]
    >>> list(openings(guides, ["Home\n" + guide for guide in guides]))
    ['The council closed the bridge.', 'The library opens again.']
    """
    heads = [[line.strip() for line in text[:HEAD_CHARS].splitlines()] for text in guides]
    n_heads = Counter(line for head in heads for line in set(head))
    for head, text in zip(heads, kept, strict=True):
        own = (line for line in head if len(line) >= LINE_CHARS and n_heads[line] == 1)
        places = (_place(line, text) for line in own)
        start = next((place for place in places if place is not None), 0)
        yield _cut(text[start : start + 2 * OPENING_CHARS])


def _place(line: str, text: str) -> int | None:
    """Return where the words of a line begin in a text, by their start or by what follows it.

    >>> _place("June 16 (UPI) — President Xi Jinping has told Kremlin leader Vladimir Putin",
    ...     "Menu June 16 (UPI) -- President Xi Jinping has told Kremlin leader Vladimir Putin")
    5
    """
    for offset in (0, SAME_CHARS):
        part = line[offset : offset + SAME_CHARS]
        place = text.find(part) if len(part) >= LINE_CHARS else -1
        if place >= 0:
            start = text.rfind(" ", 0, max(0, place - offset) + 1) + 1
            return max(start, text.rfind("\n", 0, place) + 1)
    return None


def _cut(text: str) -> str:
    """Return the beginning of a text on one line, cut at a word."""
    seen = visible(squeezed(text))
    if len(seen) <= OPENING_CHARS:
        return seen
    # Some scripts have no spaces, and then hardly one in the second half.
    end = seen.rfind(" ", OPENING_CHARS // 2, OPENING_CHARS + 1)
    return f"{seen[: end if end > 0 else OPENING_CHARS]} …"

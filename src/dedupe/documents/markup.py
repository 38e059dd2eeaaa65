"""From HTML to text: the article where trafilatura is there to find it, or all visible text.

Which parts of a page belong to its story is not decided here: `dedupe` is made
to see through what stands around it.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from dedupe.documents.streams import Unreadable

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["VisibleText", "parsed", "text_of_page"]

MAX_DEPTH = 2000
"""Elements within each other, beyond which a page is refused.

An end tag that ends nothing is compared with every open element: without a limit a page
of such tags would take time that grows with the square of its size. Browsers stop at 512.
"""

MAX_ELEMENTS, MAX_ATTRIBUTES = 10_000, 200
"""Elements of a page, and attributes of one, beyond which nobody looks for an article in it.

trafilatura takes up to a tenth of a millisecond an element, and time that grows with the
square of the attributes.
"""


def text_of_page(page: str) -> str:
    """Return the article of a page, or all that it shows where none is found.

    Raises
    ------
    Unreadable
        When elements are nested deeper than `MAX_DEPTH`.

    Examples
    --------
    >>> text_of_page("<p>Bridge &amp; road</p>")
    'Bridge & road'
    """
    shown = parsed(page)
    return (_article(page) if shown.is_simple else None) or shown.text()


def _article(page: str) -> str | None:
    """Return what trafilatura takes for the article, if it is there and finds one."""
    extract = _extractor()
    try:
        return extract(page) if extract else None
    except Exception:  # A page that it stumbles over still has its visible text.
        return None


@cache
def _extractor() -> Callable[[str], str | None] | None:
    """Return what asks trafilatura; a failed import is not tried for every page."""
    try:
        from trafilatura import extract, load_html  # noqa: PLC0415  An optional dependency.
    except ImportError:
        return None

    def article(page: str) -> str | None:
        tree = load_html(page)
        if tree is None:
            return None
        _collapse_space(tree)
        return extract(tree, include_comments=False)

    return article


def _collapse_space(tree: "_Element") -> None:
    """Let all white space of a tree be one space, but not where a browser shows it as it is.

    trafilatura takes a newline in the source of a paragraph for one of the text, and the
    length of a line tells prose from a list.
    """
    from lxml import etree  # noqa: PLC0415  Few collections have pages.

    n_pre = 0
    for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        if event == "start":
            n_pre += element.tag in _AS_IT_IS
            if element.text and not n_pre:
                element.text = _SPACE.sub(" ", element.text)
            continue
        n_pre -= element.tag in _AS_IT_IS
        if element.tail and not n_pre:
            element.tail = _SPACE.sub(" ", element.tail)


def parsed(page: str) -> "VisibleText":
    r"""Return what a browser shows of a page; no tree is built.

    It takes time linear in the length of the page, whatever that holds.

    Raises
    ------
    Unreadable
        When elements are nested deeper than `MAX_DEPTH`.

    Examples
    --------
    >>> page = "<title>News</title><h1>Bridge &amp; road</h1><p>Closed<br>on <b>Monday</b>"
    >>> parsed(page).text()
    'Bridge & road\nClosed\non Monday'
    """
    shown = VisibleText()
    from lxml import etree  # noqa: PLC0415  Few collections have pages.

    parser = etree.HTMLParser(target=shown, huge_tree=True)
    parser.feed(page)
    parser.close()
    return shown


_AS_IT_IS = frozenset(("pre", "textarea"))
_UNSEEN = frozenset(("script", "style", "noscript", "template", "title"))
_CELLS = frozenset(("td", "th"))
_BLOCKS = frozenset(
    "address article aside blockquote body br caption center"  # noqa: SIM905  Not sixty lines.
    " dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head"
    " header hgroup hr html legend li main menu nav ol optgroup option p pre search section select"
    " summary table tbody textarea tfoot thead tr ul".split()
)


class VisibleText:
    """Collects text: blocks end lines, cells are set apart, white space is one space.

    The parser ends every element that has begun, at the latest with the page.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._n_unseen = 0
        self._n_pre = 0
        self._depth = 0
        self._n_elements = 0
        self._most_attributes = 0

    @property
    def is_simple(self) -> bool:
        """Whether an article can be looked for at a price that is bounded."""
        return self._n_elements <= MAX_ELEMENTS and self._most_attributes <= MAX_ATTRIBUTES

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Begin a line, a cell or what is not shown."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable(
                f"HTML must be nested at most {MAX_DEPTH} elements deep", "save it as text"
            )
        self._n_elements += 1
        self._most_attributes = max(self._most_attributes, len(attributes))
        self._n_unseen += tag in _UNSEEN
        self._n_pre += tag in _AS_IT_IS
        self._separate(tag)

    def end(self, tag: str) -> None:
        """End what has begun."""
        self._depth -= 1
        self._n_unseen -= tag in _UNSEEN
        self._n_pre -= tag in _AS_IT_IS
        self._separate(tag)

    def data(self, data: str) -> None:
        """Keep text that is shown."""
        if not self._n_unseen:
            self._parts.append(data if self._n_pre else _SPACE.sub(" ", data))

    def close(self) -> None:
        """Do nothing at the end of the page, which the parser asks for."""

    def _separate(self, tag: str) -> None:
        """Keep apart what stands apart on the page."""
        if tag in _BLOCKS:
            self._parts.append("\n")
        elif tag in _CELLS:
            self._parts.append(" ")

    def text(self) -> str:
        """Return the lines that are not blank, a line for each block."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line)


_SPACE = re.compile(r"\s+")

"""Web pages: the article where trafilatura is there to find it, or all visible text.

Which parts of a page belong to its story is not decided here: `dedupe` is made
to see through what stands around it.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser

from dedupe.documents.document import Options, Placed, from_value
from dedupe.documents.encoding import decode, text_chunks
from dedupe.documents.streams import Source, Unreadable, read_whole

__all__ = ["read_html", "visible_text"]


def read_html(source: Source, options: Options) -> Iterator[Placed]:
    """Read a page as one document."""
    data = read_whole(text_chunks(source.chunks), options.max_bytes)
    declared = _CHARSET.search(data, 0, 1024)
    page = decode(data, declared[1].decode("ascii") if declared else "")
    text = _article(page) or visible_text(page)
    yield Placed(source.id, from_value(source.id, text, source.time))


_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.ASCII | re.IGNORECASE)


def _article(page: str) -> str | None:
    """Return what trafilatura takes for the article, if it is there and finds one."""
    extract = _extractor()
    try:
        return extract(page) if extract else None
    except Exception:  # A page that it stumbles over still has its visible text.
        return None


@cache
def _extractor() -> Callable[[str], str | None] | None:
    """Return the function of trafilatura; a failed import is not tried for every page."""
    try:
        from trafilatura import extract  # noqa: PLC0415  An optional dependency.
    except ImportError:
        return None
    return lambda page: extract(page, include_comments=False)


def visible_text(page: str) -> str:
    r"""Return the text that a browser shows, a line for each block.

    >>> visible_text("<title>News</title><h1>Bridge &amp; road</h1><p>Closed<br>on <b>Monday</b>")
    'Bridge & road\nClosed\non Monday'
    """
    parser = _VisibleText()
    # The parser fails on such declarations, which browsers take for comments.
    try:
        parser.feed(_MARKED_SECTION.sub("<!-- -->", page))
        parser.close()
    except AssertionError as error:  # Which is how the parser says that it gives up.
        raise Unreadable(f"HTML that cannot be parsed: {error}", "save it as text") from error
    return parser.text()


_MARKED_SECTION = re.compile(r"<!\[[^>]*>?")

_UNSEEN = frozenset(("script", "style", "noscript", "template", "title"))
_CELLS = frozenset(("td", "th"))
_BLOCKS = frozenset(
    "address article aside blockquote body br caption center"  # noqa: SIM905  Not sixty lines.
    " dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head"
    " header hgroup hr html legend li main menu nav ol optgroup option p pre search section select"
    " summary table tbody textarea tfoot thead tr ul".split()
)


class _VisibleText(HTMLParser):
    """Collects text: blocks end lines, cells are set apart, white space is one space."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._unseen: list[str] = []
        self._n_pre = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        """Begin a line, a cell or what is not shown."""
        if tag in _UNSEEN:
            self._unseen.append(tag)
        self._n_pre += tag == "pre"
        self._separate(tag)

    def handle_endtag(self, tag: str) -> None:
        """End what has begun; an end tag without a beginning does nothing."""
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        self._n_pre -= tag == "pre" and self._n_pre > 0
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        """Keep text that is shown."""
        if not self._unseen:
            self._parts.append(data if self._n_pre else _SPACE.sub(" ", data))

    def _separate(self, tag: str) -> None:
        """Keep apart what stands apart on the page."""
        if tag in _BLOCKS:
            self._parts.append("\n")
        elif tag in _CELLS:
            self._parts.append(" ")

    def text(self) -> str:
        """Return the lines that are not blank."""
        lines = (" ".join(line.split()) for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line)


_SPACE = re.compile(r"\s+")

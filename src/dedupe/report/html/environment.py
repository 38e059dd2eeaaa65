"""The templates, which escape everything and reject undefined names."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from dedupe.report.html import payload, plots, tables
from dedupe.report.html.rows import Piece, Row
from dedupe.report.lines import counted, squeezed, visible

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["PACKAGE", "environment"]

PACKAGE = "dedupe.report.html"


@cache
def environment() -> "Environment":
    """Return the environment that the templates run in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    found = Environment(
        autoescape=True,
        loader=PackageLoader(PACKAGE),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters |= {
        "counted": counted,
        "line": lambda text: visible(squeezed(text)),
        "caption": _caption,
        "cell": _cell,
        "share": _share,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "short": payload.short,
        "reason": lambda text: payload.short(text, tables.REASON_CHARS),
    }
    found.globals["plots"] = plots
    return found


def _caption(row: Row) -> "Markup":
    """Return what a row is and how many words it has; `_cell` says why this is no template."""
    from markupsafe import Markup  # noqa: PLC0415

    kind: str = row.kind
    if kind == "only":
        kind = "different" if row.left and row.right else f"only {'left' if row.left else 'right'}"
    amount = counted(row.left_words or row.right_words, "word")
    if row.left and row.right and row.left_words != row.right_words:
        amount = f"{row.left_words:,} and {counted(row.right_words, 'word')}"
    moved = ' <span class="moved">elsewhere on the right</span>' if row.moved else ""
    return Markup(f'<span class="kind">{kind}</span> <span class="amount">{amount}</span>{moved}')


def _cell(pieces: Iterable[Piece], side: str) -> "Markup":
    """Return the cell of one side in a row, with what differs marked.

    A page has 30,000 of them, for which the engine of the templates would take half of its time.
    """
    from markupsafe import Markup, escape  # noqa: PLC0415

    # Text is escaped as a whole: line by line it takes three times as long.
    texts = ((_with_gaps(str(escape(piece.text))), piece.differs) for piece in pieces)
    shown = "".join(f"<mark>{text}</mark>" if differs else text for text, differs in texts)
    return Markup(f'<div class="cell {side}">{shown}</div>\n')


def _with_gaps(text: str) -> str:
    """Break the lines of a text that is escaped, and set its paragraphs apart."""
    if "\n" not in text:
        return text
    line, wide = (f'<span class="gap{kind}">\n</span>' for kind in ("", " wide"))
    return wide.join(line.join(paragraph.split("\n")) for paragraph in text.split("\n\n"))


def _share(share: float) -> str:
    """Return a share in per cent; one too small to round is not called zero.

    >>> _share(0.416), _share(0.002), _share(0.0)
    ('42%', 'under 1%', '0%')
    """
    return "under 1%" if 0 < share < 0.005 else f"{share:.0%}"

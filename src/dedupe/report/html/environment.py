"""The templates, which escape everything and reject undefined names."""

from functools import cache
from typing import TYPE_CHECKING

from dedupe.report.html import payload, plots, tables
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
        "paragraphs": _paragraphs,
        "share": _share,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "short": payload.short,
        "reason": lambda text: payload.short(text, tables.REASON_CHARS),
    }
    found.globals["plots"] = plots
    return found


def _paragraphs(text: str) -> "Markup":
    """Escape a text, break its lines, and set its paragraphs apart."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    # The whole text is escaped at once: line by line it takes three times as long.
    paragraphs = str(escape(text)).split("\n\n")
    line, wide = (f'<span class="gap{kind}">\n</span>' for kind in ("", " wide"))
    return Markup(wide.join(line.join(paragraph.split("\n")) for paragraph in paragraphs))


def _share(share: float) -> str:
    """Return a share in per cent; one too small to round is not called zero.

    >>> _share(0.416), _share(0.002), _share(0.0)
    ('42%', 'under 1%', '0%')
    """
    return "under 1%" if 0 < share < 0.005 else f"{share:.0%}"

"""The lines of a report: what each says, and the role of each of its parts.

A report is written once, as lines whose parts carry a role ("this is an id"), and
rendered twice: as plain text for ``grep``, and in colour, wrapped to the terminal.
Both renderings escape what they show, so no report has to remember that ids and
excerpts come from strangers.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from rich.console import Group

from dedupe.ids import Id

__all__ = ["BLANK", "Line", "Part", "counted", "plain", "squeezed", "styled", "visible"]

Role = Literal["", "heading", "id", "keep", "drop", "relation", "boilerplate", "dim"]

Part = tuple[Role, Id]

STYLES: dict[Role, str] = {
    "": "",
    "heading": "bold cyan",
    "id": "bold",
    "keep": "bold green",
    "drop": "bold yellow",
    "relation": "magenta",
    "boilerplate": "yellow",
    "dim": "dim",
}

INDENT = 2

# Soft hyphens, zero-width spaces and joiners stand in ordinary German, Thai or
# Persian text. They neither move the cursor nor turn the direction of writing.
HARMLESS = frozenset("\u00ad\u200b\u200c\u200d")


class Line(NamedTuple):
    """One line of a report.

    Attributes
    ----------
    depth : int
        Its indent, in steps.
    parts : tuple of (role, text)
        What it says, from left to right.
    """

    depth: int
    parts: tuple[Part, ...]


BLANK = Line(0, ())


def visible(text: str) -> str:
    r"""Return text with everything that could act on a terminal escaped.

    Control characters, ANSI sequences, marks that turn the direction of writing,
    lone surrogates and unassigned code points are shown the way Python writes
    them. Backslashes are left alone, so escaping twice is escaping once.

    >>> visible("red\x1b[31m alert\n\u202etxt.exe")
    'red\\x1b[31m alert\\n\\u202etxt.exe'
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in HARMLESS
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def squeezed(text: str) -> str:
    r"""Return text with each run of white space replaced by one space.

    >>> squeezed("two\n\n  paragraphs ")
    'two paragraphs'
    """
    return " ".join(text.split())


def counted(n: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural.

    >>> counted(1, "word"), counted(12000, "document")
    ('1 word', '12,000 documents')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def plain(lines: Iterable[Line]) -> str:
    r"""Return lines as text without colour, whatever the width of the terminal.

    >>> plain([Line(0, (("heading", "cluster 1"),)), Line(1, (("keep", "keep"), ("", " a")))])
    'cluster 1\n  keep a\n'
    """
    return "".join(
        (" " * INDENT * depth + "".join(visible(str(text)) for _, text in parts)).rstrip() + "\n"
        for depth, parts in lines
    )


def styled(lines: Iterable[Line]) -> "Group":
    """Return lines in colour, each wrapped within its own indent."""
    # rich takes a tenth of a second to import, and only a terminal needs it.
    from rich.console import Group  # noqa: PLC0415
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    def render(line: Line) -> Padding | Text:
        # `Text` takes its content literally: no markup, no emoji codes, no highlighting.
        text = Text.assemble(*((visible(str(said)), STYLES[role]) for role, said in line.parts))
        # Padding around nothing takes no line at all.
        return Padding(text, (0, 0, 0, INDENT * line.depth), expand=False) if text else text

    return Group(*map(render, lines))

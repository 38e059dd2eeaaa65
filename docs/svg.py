"""The pieces that the pictures of the documentation are made of, as SVG.

Colours follow the reader's setting, light or dark, and nothing is told by colour
alone: shared text is solid, other text striped, boilerplate dotted. What is drawn is
measured in `draw.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

import numpy as np

WIDTH, MARGIN, BAR = 520, 16, 36
"""Pixels of a picture, of the empty space at its sides, and of the height of a bar."""

STYLE = """
.paper { fill: #fff } .ink { fill: #1a1a1a } .dim { fill: #57606a }
.edge { fill: none; stroke: #57606a } .link { fill: #2f6f4f; fill-opacity: .16 }
.shared { fill: #2f6f4f } .on { fill: #fff } .line { stroke: #57606a } .plain { fill: #fff }
.stripe { stroke: #b5542b } .dot { fill: #8b949e } .thick { stroke: #2f6f4f; stroke-width: 4 }
.picture { font: 15px system-ui, sans-serif } .strong { font-weight: 600 }
@media (prefers-color-scheme: dark) {
.paper { fill: #161b22 } .ink { fill: #e6edf3 } .dim { fill: #9da7b3 }
.edge { stroke: #9da7b3 } .link { fill: #58b98a; fill-opacity: .2 }
.shared { fill: #58b98a } .on { fill: #10161d } .line { stroke: #9da7b3 } .plain { fill: #161b22 }
.stripe { stroke: #e08a5f } .dot { fill: #6e7681 } .thick { stroke: #58b98a }
}
"""

FILLS = """<defs>
<pattern id="own" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<path d="M0 0V7" class="stripe" stroke-width="3"/></pattern>
<pattern id="boilerplate" width="7" height="7" patternUnits="userSpaceOnUse">
<circle cx="2" cy="2" r="1.5" class="dot"/></pattern>
</defs>"""

KINDS = {
    "shared": 'class="shared"',
    "own": 'fill="url(#own)"',
    "boilerplate": 'fill="url(#boilerplate)"',
}


class Stretch(NamedTuple):
    """Words of a document that follow each other and have one thing in common."""

    kind: str
    n_words: int
    label: str = ""


class Bar(NamedTuple):
    """A document drawn to scale: its stretches from left to right, and where they begin."""

    y: float
    scale: float
    stretches: Sequence[Stretch]
    height: float = BAR
    x: float = MARGIN

    def places(self) -> list[tuple[float, float, Stretch]]:
        """Return each stretch between the pixels that it takes."""
        edges = (
            np.cumsum([0, *(stretch.n_words for stretch in self.stretches)]) * self.scale + self.x
        )
        return [(a, b, one) for (a, b), one in zip(pairwise(edges), self.stretches, strict=True)]


def bar(one: Bar) -> Iterator[str]:
    """Draw a document."""
    for x, to, stretch in one.places():
        yield rect(x, one.y, to - x, one.height, KINDS[stretch.kind])
        if stretch.label:
            yield from _label(stretch, (x + to) / 2, one.y + one.height / 2 + 5)


def _label(stretch: Stretch, x: float, y: float) -> Iterator[str]:
    """Write on a stretch; patterns get a plate under the words."""
    if stretch.kind == "shared":
        yield text(stretch.label, x, y, "on strong", "middle")
        return
    half = 4.4 * len(stretch.label)
    size = f'width="{2 * half:.1f}" height="22"'
    yield f'<rect x="{x - half:.1f}" y="{y - 16:.1f}" {size} class="paper"/>'
    yield text(stretch.label, x, y, "ink", "middle")


def links(upper: Bar, lower: Bar) -> Iterator[str]:
    """Draw what both documents share as bands between them."""
    pairs = zip(
        (place for place in upper.places() if place[2].kind == "shared"),
        (place for place in lower.places() if place[2].kind == "shared"),
        strict=True,
    )
    top, bottom = upper.y + upper.height, lower.y
    for (a, b, _), (c, d, _) in pairs:
        yield f'<path d="M{a:.1f} {top:g}H{b:.1f}L{d:.1f} {bottom:g}H{c:.1f}Z" class="link"/>'


def rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Draw a box with an edge."""
    where = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {where} {fill}/><rect {where} class="edge"/>'


def text(words: str, x: float, y: float, kind: str = "ink", anchor: str = "start") -> str:
    """Write a line."""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{where}>{escape(words)}</text>'


def picture(title: str, height: int, body: Iterable[str]) -> str:
    """Return a picture that needs nothing else."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" class="picture" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        FILLS,
        f'<rect width="{WIDTH}" height="{height}" rx="6" class="paper"/>',
        *body,
        "</svg>\n",
    ]
    return "\n".join(lines)

"""Line charts as SVG that needs nothing else.

Nothing here knows what is measured: a chart is named lines of points in the unit
square. All text is escaped.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

COLOURS = ("#d1495b", "#3b82c4", "#3f9142", "#9d6bc0", "#b7791f", "#6b7785", "#16888c", "#c0508f")
"""Each has a contrast of 3.6 or more with the paper in light and in dark."""

DASHES = ("none", "7 4", "2 3", "9 3 2 3", "14 4", "4 2", "12 3 2 3 2 3", "1 4")
MARKS = (
    "M-4 0A4 4 0 0 1 4 0A4 4 0 0 1 -4 0Z",
    "M-4 -4H4V4H-4Z",
    "M0 -5L5 4H-5Z",
    "M0 -5L5 0L0 5L-5 0Z",
    "M0 5L5 -4H-5Z",
    "M-5 -2H5V2H-5Z",
    "M-5 -1H-1V-5H1V-1H5V1H1V5H-1V1H-5Z",
    "M-2 -5H2V5H-2Z",
)
"""What tells lines apart without colour, beside their names."""

WIDTH, HEIGHT, LEFT, TOP, SIDE = 640, 400, 64, 36, 320
"""Size of a chart, and where its square plot of `SIDE` pixels begins."""

LABEL_HEIGHT, LETTER = 15, 7
"""Pixels that a name takes: its height, and the width of a letter, roughly."""

N_STEPS = 50

INK = """
.paper { fill: #fff } .grid { stroke: #ddd } .ink { fill: #1a1a1a }
.chart { font: 12px system-ui, sans-serif }
.name { paint-order: stroke; stroke: #fff; stroke-width: 4px; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
.paper { fill: #161b22 } .grid { stroke: #30363d } .ink { fill: #e6edf3 } .name { stroke: #161b22 }
}
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis is called, and which values stand where on it, from 0 to 1."""

    name: str
    ticks: Sequence[tuple[float, str]] = tuple((n / 5, f"{n / 5:g}") for n in range(6))


@dataclass(frozen=True, slots=True)
class Decades:
    """A logarithmic scale from one power of ten to another.

    >>> scale = Decades.around([3, 40, 500])
    >>> scale, scale.place(10.0)
    (Decades(first=0, last=3), 0.3333333333333333)
    """

    first: int
    last: int

    @classmethod
    def around(cls, values: Iterable[float]) -> "Decades":
        """Return the least scale that holds some values, of one decade or more."""
        powers = sorted(math.log10(value) for value in values)
        first = math.floor(powers[0])
        return cls(first, max(first + 1, math.ceil(powers[-1])))

    def place(self, value: float) -> float:
        """Return where a value stands, from 0 to 1."""
        return (math.log10(value) - self.first) / (self.last - self.first)

    def axis(self, name: str) -> Axis:
        """Return an axis with its powers of ten.

        >>> Decades(-1, 3).axis("seconds").ticks
        ((0.0, '0.1'), (0.25, '1'), (0.5, '10'), (0.75, '100'), (1.0, '1,000'))
        """
        powers = [10.0**power for power in range(self.first, self.last + 1)]
        return Axis(name, tuple((self.place(n), f"{n:,.10g}") for n in powers))


@dataclass(frozen=True, slots=True)
class Line:
    """A named line of points ``(x, y, label)`` in the unit square."""

    name: str
    points: Sequence[tuple[float, float, str]]


def chart(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """Return a line chart over the unit square as SVG; hovering a point shows its label.

    Each line has its name at its right end, and a dash and a mark of its own, so that
    no colour is needed; light and dark follow the reader's setting.
    """
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" class="chart" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(title)}">',
            f"<style>{INK}</style>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" class="paper"/>',
            _text(title, LEFT, 20, ' font-weight="bold"'),
            *_axes(x, y),
            *(part for number, line in enumerate(lines) for part in _line(line, number)),
            *_names(lines),
            "</svg>\n",
        ]
    )


def _text(text: str, x: float, y: float, attributes: str = "", kind: str = "ink") -> str:
    """Write a text; the attributes are ours."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}"{attributes}>{escape(text)}</text>'


def _axes(x: Axis, y: Axis) -> Iterator[str]:
    """Draw a grid with ticks, and the names of both axes."""
    right, bottom, middle = LEFT + SIDE, TOP + SIDE, TOP + SIDE / 2
    for place, label in x.ticks:
        at, _ = _at(place, 0)
        yield f'<path d="M{at:g} {TOP}V{bottom}" class="grid"/>'
        yield _text(label, at, bottom + 16, ' text-anchor="middle"')
    for place, label in y.ticks:
        _, at = _at(0, place)
        yield f'<path d="M{LEFT} {at:g}H{right}" class="grid"/>'
        yield _text(label, LEFT - 6, at + 4, ' text-anchor="end"')
    yield _text(x.name, LEFT + SIDE / 2, bottom + 34, ' text-anchor="middle"')
    yield _text(y.name, 14, middle, f' text-anchor="middle" transform="rotate(-90 14 {middle:g})"')


def _line(line: Line, number: int) -> Iterator[str]:
    """Draw a line with a mark at each of its points."""
    path = " ".join("{:.1f},{:.1f}".format(*_at(x, y)) for x, y, _ in line.points)
    style = number % len(COLOURS)
    yield (
        f'<polyline points="{path}" fill="none" stroke="{COLOURS[style]}" stroke-width="2" '
        f'stroke-dasharray="{DASHES[style]}"/>'
    )
    for x, y, label in line.points:
        yield _mark(number, *_at(x, y), f"{line.name}, {label}")


def _mark(number: int, x: float, y: float, title: str = "") -> str:
    """Draw the mark of a line."""
    style = number % len(COLOURS)
    return (
        f'<path d="{MARKS[style]}" transform="translate({x:.1f} {y:.1f})" '
        f'fill="{COLOURS[style]}"><title>{escape(title)}</title></path>'
    )


def _names(lines: Sequence[Line]) -> Iterator[str]:
    """Write the name of each line at its right end.

    It stands above the end where that is inside the plot and nothing else is there;
    otherwise beside the plot, with the mark of its line, below any other name.
    """
    ends = [(n, *_at(*max(line.points)[:2])) for n, line in enumerate(lines) if line.points]
    drawn = [place for line in lines for place in _along(line)]
    free = float(TOP)
    for number, x, y in sorted(ends, key=lambda end: end[2]):
        name = lines[number].name
        left, right = x - LETTER * len(name), x - 4
        above, below = y - 8 - LABEL_HEIGHT, y - 4
        is_taken = any(left < at_x < right and above < at_y < below for at_x, at_y in drawn)
        if left > LEFT and above > TOP and x < LEFT + SIDE and not is_taken:
            drawn += [(left, y - 8), ((left + right) / 2, y - 8), (right, y - 8)]
            yield _text(name, right, y - 8, ' text-anchor="end"', kind="ink name")
            continue
        at = max(y, free)
        free = at + LABEL_HEIGHT
        yield _mark(number, LEFT + SIDE + 20, at, name)
        yield _text(name, LEFT + SIDE + 30, at + 4, kind="ink name")


def _along(line: Line) -> Iterator[tuple[float, float]]:
    """Yield pixels along a line, close enough that no name fits between them."""
    yield from (_at(x, y) for x, y, _ in line.points)
    for one, other in pairwise(line.points):
        (x, y), (to_x, to_y) = _at(*one[:2]), _at(*other[:2])
        for step in range(N_STEPS + 1):
            share = step / N_STEPS
            yield x + (to_x - x) * share, y + (to_y - y) * share


def _at(x: float, y: float) -> tuple[float, float]:
    """Return the pixels of a point of the unit square."""
    return LEFT + SIDE * x, TOP + SIDE * (1 - y)

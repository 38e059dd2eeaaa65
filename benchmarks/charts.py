"""Figures as Markdown tables and as one self-contained HTML page with SVG charts.

Nothing here knows what is measured: a table is rows of strings, a chart is named
lines of points in the unit square. All text is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

BEGIN, END = "<!-- {name}:begin -->", "<!-- {name}:end -->"

COLOURS = ("#c0392b", "#2563a8", "#3c8d40", "#8e5ba8", "#b7791f", "#4b5563")
WIDTH, HEIGHT, LEFT, TOP, SIDE = 640, 400, 56, 36, 320
"""Size of a chart, and where its square plot of `SIDE` pixels begins."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid #ddd; padding: .2rem .7rem; text-align: right }
th:first-child, td:first-child { text-align: left }
svg { max-width: 100%; height: auto }
svg text { font: 12px system-ui, sans-serif; fill: #1a1a1a }
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of strings under a head; `caption` says what they are and how they came about."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str

    def markdown(self) -> str:
        r"""Return the table in Markdown, first column to the left, the caption behind it.

        >>> print(Table(("a", "b"), [("x | y", "1")], "What it is.").markdown())
        | a | b |
        |---|--:|
        | x \| y | 1 |
        <BLANKLINE>
        What it is.
        """
        rule = "|---|" + "--:|" * (len(self.head) - 1)
        lines = [_row(self.head), rule, *(_row(row) for row in self.rows)]
        return "\n".join([*lines, "", self.caption])

    def html(self) -> str:
        """Return the table in HTML."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        rows = "\n".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows
        )
        return (
            f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
            f"<p>{escape(self.caption)}</p>"
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A named line of points ``(x, y, label)`` in the unit square."""

    name: str
    points: Sequence[tuple[float, float, str]]


def chart(title: str, x_name: str, y_name: str, lines: Iterable[Line]) -> str:
    """Return a line chart over the unit square as SVG; hovering a point shows its label."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<text x="{LEFT}" y="20" font-weight="bold">{escape(title)}</text>',
        *_axes(x_name, y_name),
    ]
    for number, line in enumerate(lines):
        parts += _line(line, COLOURS[number % len(COLOURS)], number)
    return "\n".join([*parts, "</svg>"])


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page of HTML that needs nothing else.

    >>> "<script" in page("<script>", [])
    False
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def update(paths: Sequence[Path], parts: Mapping[str, str]) -> None:
    """Replace what stands between the markers of named parts in files, in all of them or none.

    A file must hold the markers of one part at least.
    """
    updated = []
    for path in paths:
        text = path.read_text("utf-8")
        found = 0
        for name, markdown in parts.items():
            begin, end = BEGIN.format(name=name), END.format(name=name)
            before, first, rest = text.partition(begin)
            _, last, after = rest.partition(end)
            if first and last:
                text = f"{before}{begin}\n{markdown}\n{end}{after}"
                found += 1
        if not found:
            wanted = " or ".join(BEGIN.format(name=name) for name in parts)
            raise SystemExit(f"{path} must hold the lines {wanted}, and those that end them")
        updated.append((path, text))
    for path, text in updated:
        path.write_text(text, "utf-8", newline="\n")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _axes(x_name: str, y_name: str) -> list[str]:
    """Draw a grid with ticks at every fifth."""
    right, bottom = LEFT + SIDE, TOP + SIDE
    parts = []
    for step in range(6):
        x, y = LEFT + SIDE * step / 5, TOP + SIDE * (5 - step) / 5
        parts += [
            f'<path d="M{x:g} {TOP}V{bottom}M{LEFT} {y:g}H{right}" stroke="#ddd"/>',
            f'<text x="{x:g}" y="{bottom + 16}" text-anchor="middle">{step / 5:g}</text>',
            f'<text x="{LEFT - 6}" y="{y + 4:g}" text-anchor="end">{step / 5:g}</text>',
        ]
    middle = TOP + SIDE / 2
    return [
        *parts,
        f'<text x="{LEFT + SIDE / 2:g}" y="{bottom + 34}" text-anchor="middle">'
        f"{escape(x_name)}</text>",
        f'<text x="14" y="{middle:g}" text-anchor="middle" '
        f'transform="rotate(-90 14 {middle:g})">{escape(y_name)}</text>',
    ]


def _line(line: Line, colour: str, number: int) -> list[str]:
    """Draw a line with its points, and its name in the legend."""
    places = [
        (LEFT + SIDE * x, TOP + SIDE * (1 - y), f"{line.name}, {label}: {x:.3f}, {y:.3f}")
        for x, y, label in line.points
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
    y = TOP + 12 + 20 * number
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">'
            f"<title>{escape(label)}</title></circle>"
            for x, y, label in places
        ),
        f'<circle cx="{LEFT + SIDE + 22}" cy="{y - 4}" r="4" fill="{colour}"/>',
        f'<text x="{LEFT + SIDE + 32}" y="{y}">{escape(line.name)}</text>',
    ]

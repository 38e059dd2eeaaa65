"""The three plots of the overview, as paths and ticks in the units of one small chart.

Counts are on a logarithmic scale, so that one doubtful pair can be seen beside a million
certain ones. The SVG around them is in ``templates/plot.html``.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Floats
from dedupe.report.lines import counted
from dedupe.settings import SCORE_FLOOR

__all__ = ["BOTTOM", "HEIGHT", "LEFT", "RIGHT", "TOP", "WIDTH", "Chart", "Shape", "Tick"]
__all__ += ["scores", "similarities", "sizes"]

WIDTH, HEIGHT = 380, 252
LEFT, TOP, RIGHT, BOTTOM = 46, 34, 368, 204
"""The size of a chart, and the edges of the plot within it."""

STEP = 0.05
"""Width of a bar of scores."""

N_CELLS = 32
"""Cells in either direction of the plot of similarities; they bound its bytes."""

TICK_GAP = 14
"""The least distance of two labels of an axis, which are 11.5 high."""

LEVELS = 4
"""Sizes of square: for one pair, up to ten, up to a hundred, and more."""

CELL_SIDES = (4.5, 5.5, 6.5, 7.5)
"""The sides of these squares; a cell measures ten by five."""

FEW = 100
"""The most pairs whose squares are drawn larger, as there is room for it."""

WHOLE_TEXT = 0.5
"""The Jaccard similarity at which tools that compare whole texts usually see a duplicate."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A path, its class, and the tooltip it shows."""

    path: str
    style: str
    says: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, in the units of the chart, and its label."""

    place: float
    says: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, with a sentence that sums it up."""

    title: str
    says: str
    x_name: str
    y_name: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    shapes: tuple[Shape, ...]
    rule: Tick | None = None


def scores(values: npt.ArrayLike, threshold: float) -> Chart:
    """Draw how many pairs have each score, and where the threshold lies among them."""
    edges = _edges(threshold)
    found = np.asarray(values, np.float64)
    recorded = found[found >= SCORE_FLOOR]
    counts = np.histogram(recorded, edges)[0].tolist()
    bars = [
        _bar(
            (_score_x(low), _score_x(high)),
            n,
            max(counts),
            "yes" if low >= threshold else "no",
            f"{low:.2f} to {high:.2f}: {counted(n, 'pair')}",
        )
        for (low, high), n in zip(pairwise(edges), counts, strict=True)
        if n
    ]
    confirmed = int(np.count_nonzero(recorded >= threshold))
    return Chart(
        "Scores",
        f"{counted(confirmed, 'pair')} at or above the threshold {threshold:g}, "
        f"{len(recorded) - confirmed:,} below it.",
        "score",
        "pairs, log scale",
        tuple(Tick(_score_x(k / 10), f"{k / 10:g}") for k in range(1, 11)),
        _count_ticks(max(counts)),
        tuple(bars),
        Tick(_score_x(threshold), f"threshold {threshold:g}"),
    )


def sizes(values: Sequence[int]) -> Chart:
    """Draw how many clusters there are of each size, in bars that double their range."""
    steps = Counter(max(0, (value - 1).bit_length() - 1) for value in values)
    n_bars = max(4, max(steps, default=0) + 1)
    tallest = max(steps.values(), default=1)
    width = 1 / n_bars
    bars = [
        _bar(
            (_x(k * width), _x((k + 1) * width)),
            steps[k],
            tallest,
            "yes",
            f"{_doubling(k)} documents: {counted(steps[k], 'cluster')}",
        )
        for k in sorted(steps)
    ]
    shown = range(0, n_bars, 1 + n_bars // 8)
    return Chart(
        "Cluster sizes",
        _sizes_say(values),
        "documents in a cluster",
        "clusters, log scale",
        tuple(Tick(_x((k + 0.5) * width), _doubling(k)) for k in shown),
        _count_ticks(tallest),
        tuple(bars),
    )


def similarities(values: npt.ArrayLike) -> Chart:
    """Draw containment against Jaccard similarity; `values` has a row for each confirmed pair."""
    found = np.asarray(values, np.float64).reshape(-1, 2)
    cells = _cells(found)
    missed = int(np.count_nonzero(found[:, 0] < WHOLE_TEXT))
    share = f" ({missed / len(found):.0%})" if len(found) else ""
    return Chart(
        "Containment and Jaccard similarity",
        f"Under a Jaccard similarity of {WHOLE_TEXT:g}, where comparing whole texts misses them: "
        f"{missed:,} of {counted(len(found), 'confirmed pair')}{share}.",
        "Jaccard similarity",
        "containment",
        tuple(Tick(_x(k / 5), f"{k / 5:g}") for k in range(6)),
        tuple(Tick(_y(k / 5), f"{k / 5:g}") for k in range(6)),
        tuple(_level(cells, level, 3.5 * (len(found) <= FEW)) for level in range(LEVELS)),
        Tick(_x(WHOLE_TEXT), f"Jaccard {WHOLE_TEXT:g}"),
    )


def _sizes_say(values: Sequence[int]) -> str:
    """Say how large the clusters are."""
    if not values:
        return "There is no cluster."
    largest = counted(max(values), "document")
    if len(values) == 1:
        return f"The only cluster has {largest}."
    middle = sorted(values)[(len(values) - 1) // 2]
    return f"The largest has {largest}; at least half of the clusters have {middle:,} or fewer."


def _edges(threshold: float) -> list[float]:
    """Return the edges of the bars of scores; the threshold is one of them."""
    inner = (threshold + k * STEP for k in range(-20, 21))
    # An edge next to an end would leave a bar without width. Scores that reach a threshold
    # of 1 still get a bar of their own, a mere line.
    edges = {edge for edge in inner if SCORE_FLOOR + 1e-9 < edge < 1 - 1e-9}
    return [*sorted({SCORE_FLOOR, threshold} | edges), 1.0]


def _cells(values: Floats) -> Counter[tuple[int, int]]:
    """Return how many of some points in the unit square lie in each cell."""
    places = np.minimum(N_CELLS - 1, (values * N_CELLS).astype(np.int64))
    cells, counts = np.unique(places, axis=0, return_counts=True)
    return Counter({(x, y): n for (x, y), n in zip(cells.tolist(), counts.tolist(), strict=True)})


def _bar(sides: tuple[float, float], n: int, tallest: int, style: str, says: str) -> Shape:
    """Draw a bar with a small gap on either side."""
    left, right = sides[0] + 1, sides[1] - 1
    top = _y(_height(n, tallest))
    return Shape(f"M{left:.1f} {BOTTOM}V{top:.1f}H{right:.1f}V{BOTTOM}Z", style, says)


def _level(cells: Counter[tuple[int, int]], level: int, larger: float) -> Shape:
    """Draw the cells that hold about ten to the power of `level` pairs."""
    side = CELL_SIDES[level] + larger
    squares = [
        f"M{_x((x + 0.5) / N_CELLS) - side / 2:.1f} {_y((y + 0.5) / N_CELLS) - side / 2:.1f}"
        f"h{side:g}v{side:g}h-{side:g}z"
        for (x, y), n in sorted(cells.items())
        if min(LEVELS - 1, math.ceil(math.log10(n))) == level
    ]
    return Shape("".join(squares), f"level{level}")


def _count_ticks(tallest: int) -> tuple[Tick, ...]:
    """Return the tallest bar, and the powers of ten that stand clear of it."""
    top = max(1, tallest)
    powers = [10**k for k in range(len(str(top)))]
    below = [n for n in powers if _y(_height(n, top)) - _y(1) >= TICK_GAP]
    return tuple(Tick(_y(_height(n, top)), _count(n)) for n in (*below, top))


def _count(n: int) -> str:
    """Return a count in the six characters that an axis has room for.

    >>> _count(99_999), _count(123_456), _count(1_000_000)
    ('99,999', '123k', '1M')
    """
    if n < 100_000:
        return f"{n:,}"
    return f"{n // 1000}k" if n < 1_000_000 else f"{n / 1_000_000:.3g}M"


def _height(n: int, tallest: int) -> float:
    """Return the height of a bar as a share of the plot; even a count of one is visible."""
    return math.log(n + 1) / math.log(max(1, tallest) + 1)


def _doubling(step: int) -> str:
    """Name the sizes of a bar: 2, 3-4, 5-8, and so on."""
    low, high = 2**step + 1, 2 ** (step + 1)
    return f"{high:,}" if low >= high else f"{low:,}–{high:,}"


def _score_x(score: float) -> float:
    """Return the place of a score on its axis, which begins at the lowest recorded score."""
    return _x((score - SCORE_FLOOR) / (1 - SCORE_FLOOR))


def _x(share: float) -> float:
    return LEFT + share * (RIGHT - LEFT)


def _y(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)

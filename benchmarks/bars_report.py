"""How fast this library is to be, beside what was measured.

A bar is reached or missed by wall time, as users meet it. Beside it stands the same
figure by processor time, which a busy machine disturbs less.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scale_report import OURS, Run, Runs, sketching
from tables import Table

__all__ = ["BARS", "Bar", "Figure", "Measured", "table"]

Row = Mapping[str, Any]

N_ARTICLES, N_CRAWL, N_LARGE = 6000, 100_000, 1_000_000
"""Documents of each comparison: articles, a made crawl, and one that needs an hour."""

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured.

    Attributes
    ----------
    wall : float
        By wall time; or gigabytes, which have no time.
    cpu : float, optional
        The same by processor time.
    recall, n_false : optional
        The share of the planted pairs that was found, and pairs of two stories.
    """

    wall: float
    cpu: float | None = None
    recall: float | None = None
    n_false: int | None = None


class Measured:
    """Finds what was measured, by size and by the names of stages and rows."""

    def __init__(self, runs: Runs, rows: Iterable[Row]) -> None:
        self.runs = runs
        self.rows = {(row["group"], row["extra_info"]["label"]): row for row in rows}

    def run(self, size: int, system: str = OURS, workers: int = 2) -> Run | None:
        """Return a run on a crawl in JSON Lines."""
        return self.runs.find(size, system, "lines", workers)

    def row(self, group: str, label: str) -> Row | None:
        """Return a row of the table of times."""
        return self.rows.get((group, label))


@dataclass(frozen=True, slots=True)
class Bar:
    """Something to reach: `bar` at least, or at most if `is_most`, and `goal` at best.

    One that is `on_request` needs a million documents, which take an hour.
    """

    what: str
    bar: float
    goal: float
    figure: Callable[[Measured], Figure | None]
    is_most: bool = False
    unit: str = ""
    on_request: bool = False

    def cells(self, measured: Measured) -> list[str]:
        """Return the row of the table."""
        sign = "≤" if self.is_most else "≥"
        head = [self.what, f"{sign} {self._says(self.bar)}", self._says(self.goal)]
        found = self.figure(measured)
        if found is None:
            return [*head, "", "", "", "", "not measured"]
        is_reached = found.wall <= self.bar if self.is_most else found.wall >= self.bar
        return [
            *head,
            f"{found.wall:.2f}{self.unit}",
            "" if found.cpu is None else f"{found.cpu:.2f}{self.unit}",
            "" if found.recall is None else f"{found.recall:.4f}",
            "" if found.n_false is None else f"{found.n_false:,}",
            "reached" if is_reached else "short",
        ]

    def _says(self, value: float) -> str:
        return f"{value:g}{self.unit}"


def table(runs: Runs, rows: Iterable[Row]) -> Table:
    """Return every bar, its goal, and what was measured."""
    measured = Measured(runs, rows)
    head = ["what", "bar", "goal", "measured", "by processor time"]
    head += ["planted pairs found", "false pairs", "verdict"]
    caption = (
        "× another library: how many times as fast in the same run; theirs have one thread. "
        "Crowds are compared with a crawl of as many documents, searched in turn with them. "
        "Reached or short by wall time; false pairs are not known of real articles."
    )
    return Table(head, [bar.cells(measured) for bar in BARS], caption)


def is_measured(runs: Runs, rows: Iterable[Row]) -> bool:
    """Return whether there is a figure for any bar."""
    measured = Measured(runs, rows)
    return any(bar.figure(measured) is not None for bar in BARS)


def is_whole(runs: Runs, rows: Iterable[Row]) -> bool:
    """Return whether there is a figure for every bar that is not on request."""
    measured = Measured(runs, rows)
    return all(bar.figure(measured) is not None for bar in BARS if not bar.on_request)


def _articles_over(peer: str) -> Callable[[Measured], Figure | None]:
    """Return how many times as fast as another library articles are clustered."""

    def figure(measured: Measured) -> Figure | None:
        ours = measured.row("files to clusters", "**dedupe**, 2 threads")
        other = measured.row("files to clusters", peer)
        if not ours or not other or ours["extra_info"]["n_documents"] != N_ARTICLES:
            return None
        return Figure(*_ratio(other, ours), ours["extra_info"]["found"])

    return figure


def _crawl_over(peer: str) -> Callable[[Measured], Figure | None]:
    """Return how many times as fast as another library a made crawl is clustered."""

    def figure(measured: Measured) -> Figure | None:
        ours, other = measured.run(N_CRAWL), measured.run(N_CRAWL, peer, 1)
        return _run_ratio(other, ours) if ours and other else None

    return figure


def _threads(measured: Measured) -> Figure | None:
    one, two = (measured.run(N_CRAWL, workers=workers) for workers in (1, 2))
    return _run_ratio(one, two) if one and two else None


def _run_ratio(slow: Run, fast: Run) -> Figure:
    cpu = slow["cpu"] / fast["cpu"]
    return Figure(slow["seconds"] / fast["seconds"], cpu, fast["recall"], fast["n_false"])


def _signatures_over(label: str) -> Callable[[Measured], Figure | None]:
    """Return how many times as fast as another library signatures are made."""

    def figure(measured: Measured) -> Figure | None:
        ours = measured.row("text to signatures", "**dedupe**")
        other = measured.row("text to signatures", label)
        return Figure(*_ratio(other, ours)) if ours and other else None

    return figure


def _crowd(kind: str, n_docs: int) -> Callable[[Measured], Figure | None]:
    """Return how much more a crowd costs for each byte than an ordinary crawl."""

    def figure(measured: Measured) -> Figure | None:
        group = f"crowds, {n_docs:,} documents: {kind}"
        crowd, crawl = measured.row(group, kind), measured.row(group, "ordinary")
        if not crowd or not crawl:
            return None
        facts = crowd["extra_info"]
        return Figure(*_ratio(crowd, crawl), facts.get("found"), facts["n_false"])

    return figure


def _second_start(measured: Measured) -> Figure | None:
    row = measured.row("start-up", "`dedupe find seeds/`, from then on")
    return Figure(row["stats"]["median"], row["extra_info"]["cpu"]) if row else None


def _report(measured: Measured) -> Figure | None:
    run = measured.run(N_CRAWL)
    if not run or "report" not in run:
        return None
    report = run["report"]
    return Figure(report["seconds"] / run["seconds"], report["cpu"] / run["cpu"])


def _over_sketching(measured: Measured) -> Figure | None:
    run = measured.run(N_LARGE)
    if not run:
        return None
    wall, cpu = run["seconds"] / sketching(run["stages"]), run["cpu"] / sketching(run["stages_cpu"])
    return Figure(wall, cpu, run["recall"], run["n_false"])


def _peak(measured: Measured) -> Figure | None:
    run = measured.run(N_LARGE)
    return Figure(run["peak_mb"] * MIB / 1e9) if run else None


def _rate(measured: Measured) -> Figure | None:
    """Return the documents a second of the large crawl over those of the smaller one."""
    large, small = measured.run(N_LARGE), measured.run(N_CRAWL)
    if not large or not small:
        return None
    n_times = large["n_documents"] / small["n_documents"]
    wall, cpu = (n_times * small[time] / large[time] for time in ("seconds", "cpu"))
    return Figure(wall, cpu)


def _ratio(one: Row, other: Row) -> tuple[float, float]:
    """Return how much longer one takes than another for the same work, by either clock."""
    work = _work(other) / _work(one)
    wall = one["stats"]["median"] / other["stats"]["median"]
    return wall * work, one["extra_info"]["cpu"] / other["extra_info"]["cpu"] * work


def _work(row: Row) -> int:
    facts = row["extra_info"]
    return next(facts[unit] for unit in ("n_bytes", "n_documents") if unit in facts)


def _bars() -> tuple[Bar, ...]:
    files, crawl = f"{N_ARTICLES:,} articles", f"{N_CRAWL:,} made documents"
    large, crowd = f"{N_LARGE:,} documents", "time per MB over a crawl"
    clusters = "to clusters, 2 threads: ×"
    signatures = "text to signatures, one thread: ×"
    batch = "datasketch, `update_batch` with xxh32"
    return (
        Bar(f"{files} {clusters} datasketch", 12, 25, _articles_over("datasketch")),
        Bar(f"{files} {clusters} rensa", 6, 12, _articles_over("rensa")),
        Bar(f"{crawl} {clusters} datasketch", 12, 25, _crawl_over("datasketch")),
        Bar(f"{crawl} {clusters} rensa", 6, 12, _crawl_over("rensa")),
        Bar(f"{crawl}: 2 threads over one", 1.7, 1.85, _threads),
        Bar(f"{signatures} datasketch", 40, 60, _signatures_over(batch)),
        Bar(f"{signatures} rensa", 18, 27, _signatures_over("rensa `RMinHash`")),
        *(
            Bar(f"{n:,} near-copies: {crowd}", 3, 1.5, _crowd("near-copies", n), is_most=True)
            for n in (6000, 20_000)
        ),
        Bar(
            f"6,000 pages of one template: {crowd}",
            2.5,
            1.5,
            _crowd("one template", 6000),
            is_most=True,
        ),
        Bar(f"6,000 patched pages: {crowd}", 10, 3, _crowd("patched", 6000), is_most=True),
        Bar("second `dedupe find seeds/`", 0.5, 0.3, _second_start, is_most=True, unit=" s"),
        Bar(f"{crawl}: report over search", 0.5, 0.2, _report, is_most=True),
        Bar(
            f"{large}: total over the sketching pass",
            4,
            3,
            _over_sketching,
            is_most=True,
            on_request=True,
        ),
        Bar(f"{large}: peak of memory", 2.5, 1.5, _peak, is_most=True, unit=" GB", on_request=True),
        Bar(
            f"{large}: documents a second over those of {N_CRAWL:,}",
            0.6,
            0.8,
            _rate,
            on_request=True,
        ),
    )


BARS = _bars()

"""What `test_scale` measured: tables, and plots of growth.

Given what `scale.measure` returned of each run, with the system, the crawl and the
limit that were asked for; a run without seconds took longer than its limit.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import charts
from charts import Decades, Line
from tables import Table

Run = dict[str, Any]

OURS = "dedupe"
PEERS = ("datasketch", "rensa")
"""Other libraries that ours is compared with at every size."""

CRAWLS = {"lines": "JSON Lines", "files": "separate files", "hostile": "hostile"}
AFTER_SKETCHES = "candidates"
"""The first stage that is no part of the sketching pass."""


class Runs:
    """Finds what was measured.

    Attributes
    ----------
    all, done : list of runs
        By size and crawl; those that were not ended by their limit.
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        kinds = list(CRAWLS)
        self.all = sorted(runs, key=lambda run: (run["size"], kinds.index(run["kind"])))
        self.done = [run for run in self.all if "seconds" in run]

    def find(self, size: int, system: str, kind: str, workers: int) -> Run | None:
        """Return a run, if it was done."""
        asked = {"size": size, "system": system, "kind": kind, "workers": workers}
        return next((run for run in self.done if asked.items() <= run.items()), None)


def growth(runs: Runs) -> Table:
    """Return a row for each run."""
    head = [
        "documents",
        "crawl",
        "system",
        "seconds",
        "CPU",
        "documents a second",
        "MB/s",
        "peak MB",
    ]
    head += ["planted pairs found", "false pairs", *(f"× {peer}" for peer in PEERS), "others"]
    rows = [_growth_row(run, runs) for run in runs.all]
    caption = (
        "Each once, in a process of its own; MB of text. CPU: seconds of processor time. A "
        "planted pair is a copy with the document that it was made from; a false pair has two "
        "different stories. × says how many times as fast a run is as another library on the "
        "same crawl in the same session. Others: how much of one core other programs took "
        "meanwhile."
    )
    return Table(head, rows, caption)


def _growth_row(run: Run, runs: Runs) -> list[str]:
    cells = [f"{run.get('n_documents', run['size']):,}", CRAWLS[run["kind"]], label(run)]
    others = f"{run['others']:.0%}"
    if "seconds" not in run:
        return [*cells, f"over {run['limit']:,.0f}", *["–"] * (6 + len(PEERS)), others]
    seconds = run["seconds"]
    cells += [f"{seconds:,.1f}", f"{run['cpu']:,.1f}", f"{run['n_documents'] / seconds:,.0f}"]
    cells += [f"{run['n_bytes'] / 1e6 / seconds:.1f}", f"{run['peak_mb']:,.0f}"]
    cells += [f"{run['recall']:.4f}", f"{run['n_false']:,}"]
    peers = (runs.find(run["size"], peer, run["kind"], 1) for peer in PEERS)
    cells += [_ratio(run, peer) if run["system"] == OURS else "" for peer in peers]
    return [*cells, others]


def label(run: Run) -> str:
    """Return what a run is called, the same at every size.

    >>> label({"system": "dedupe", "workers": 1}), label({"system": "rensa", "workers": 1})
    ('dedupe, 1 thread', 'rensa')
    """
    threads = f", {run['workers']} thread{'s' * (run['workers'] > 1)}"
    return run["system"] + threads * (run["system"] == OURS)


def _ratio(run: Run, other: Run | None) -> str:
    return f"{other['seconds'] / run['seconds']:.1f}" if other else "–"


def stages(runs: Runs) -> Table:
    """Return the seconds of each stage of ours, and its share."""
    ours = [run for run in runs.done if run["system"] == OURS]
    names = list(dict.fromkeys(name for run in ours for name in run["stages"]))
    rows = [
        [f"{run['n_documents']:,}", CRAWLS[run["kind"]], f"{run['workers']}"]
        + [_share(run, name) for name in names]
        for run in ours
    ]
    caption = "Seconds of wall time and of processor time, and their share. Start: the import."
    return Table(["documents", "crawl", "threads", *names], rows, caption)


def _share(run: Run, stage: str) -> str:
    seconds, cpu = run["stages"].get(stage, 0.0), run["stages_cpu"].get(stage, 0.0)
    return f"{seconds:.1f}, {cpu:.1f} ({seconds / run['seconds']:.0%})"


def plot(runs: Runs) -> str:
    """Return seconds against documents, both logarithmic, of every system on ordinary crawls."""
    lines = [run for run in runs.done if run["kind"] in ("lines", "files")]
    title = "Files to clusters: seconds against documents"
    return _plot(lines, title, "seconds", "s", lambda run: float(run["seconds"]))


def plot_cost(runs: Runs) -> str:
    """Return what a document costs, against documents, of every system on JSON Lines."""
    lines = [run for run in runs.done if run["kind"] == "lines"]
    title = "Files to clusters: microseconds a document"
    return _plot(lines, title, "µs a document", "µs a document", _cost)


def _cost(run: Run) -> float:
    return float(1e6 * run["seconds"] / run["n_documents"])


def _plot(
    runs: Iterable[Run], title: str, name: str, unit: str, value: Callable[[Run], float]
) -> str:
    """Return a value of each run against its documents, a line for each system."""
    shown = sorted(runs, key=lambda run: run["n_documents"])
    across = Decades.around(run["n_documents"] for run in shown)
    up = Decades.around(value(run) for run in shown)
    points: dict[str, list[tuple[float, float, str]]] = {}
    for run in shown:
        system = label(run) + ", separate files" * (run["kind"] == "files")
        figures = f"{run['n_documents']:,} documents: {value(run):,.1f} {unit}"
        place = across.place(run["n_documents"]), up.place(value(run))
        points.setdefault(system, []).append((*place, figures))
    lines = [Line(system, found) for system, found in points.items()]
    return charts.chart(title, across.axis("documents"), up.axis(name), lines)


def sketching(stages: Mapping[str, float]) -> float:
    """Return the time until all documents have their signatures.

    >>> sketching({"start": 0.5, "signatures": 2.0, "candidates": 1.0, "scoring": 3})
    2.5
    """
    names = list(stages)
    until = names.index(AFTER_SKETCHES) if AFTER_SKETCHES in names else len(names)
    return float(sum(stages[name] for name in names[:until]))

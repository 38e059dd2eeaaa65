"""What `test_scale` measured: tables, the plot of growth, and each bar beside its figure.

Given what `scale.measure` returned of each run, with the system, the crawl and the
limit that were asked for; a run without seconds took longer than its limit.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import charts
from charts import Decades, Line
from tables import Table

Run = dict[str, Any]

OURS = "dedupe"
PEERS = {"datasketch": (10, 20), "rensa": (6, 12)}
"""Other libraries, and how many times as fast as each ours is to be, at least and at best."""

CANDIDATES = {
    "candidate": "candidates",
    "linked": "candidates, or both of one other document of their story",
}
LEAST_RECALL = 0.9995
"""Share of the planted pairs of containment 0.5 or more that are to become candidates."""

CRAWLS = {"lines": "JSON Lines", "files": "separate files", "hostile": "hostile"}
AFTER_SKETCHES = "candidates"
"""The first stage that is no part of the sketching pass."""

MIB = 1 << 20


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

    def sizes(self, system: str, kind: str, workers: int) -> list[int]:
        """Return the sizes that a system got through, the least first."""
        asked = {"system": system, "kind": kind, "workers": workers}
        return sorted(run["size"] for run in self.done if asked.items() <= run.items())

    def find(self, size: int, system: str, kind: str, workers: int) -> Run | None:
        """Return a run, if it was done."""
        asked = {"size": size, "system": system, "kind": kind, "workers": workers}
        return next((run for run in self.done if asked.items() <= run.items()), None)


def growth(runs: Runs) -> Table:
    """Return a row for each run."""
    head = ["documents", "crawl", "system", "seconds", "documents a second", "MB/s", "peak MB"]
    head += ["planted pairs found", "false pairs", *(f"× {peer}" for peer in PEERS), "others"]
    rows = [_growth_row(run, runs) for run in runs.all]
    caption = (
        "Each once, in a process of its own; MB of text. A planted pair is a copy with the "
        "document that it was made from; a false pair has two different stories. × says how many "
        "times as fast a run is as another library on the same crawl in the same session. Others: "
        "how much of one core other programs took meanwhile."
    )
    return Table(head, rows, caption)


def _growth_row(run: Run, runs: Runs) -> list[str]:
    cells = [f"{run.get('n_documents', run['size']):,}", CRAWLS[run["kind"]], label(run)]
    others = f"{run['others']:.0%}"
    if "seconds" not in run:
        return [*cells, f"over {run['limit']:,.0f}", *["–"] * (5 + len(PEERS)), others]
    seconds = run["seconds"]
    cells += [f"{seconds:,.1f}", f"{run['n_documents'] / seconds:,.0f}"]
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
        + [_share(run["stages"].get(name, 0.0), run["seconds"]) for name in names]
        for run in ours
    ]
    caption = "Seconds, and their share. Start: importing the library."
    return Table(["documents", "crawl", "threads", *names], rows, caption)


def _share(seconds: float, total: float) -> str:
    return f"{seconds:.1f} ({seconds / total:.0%})"


def plot(runs: Runs) -> str:
    """Return seconds against documents, both logarithmic, of every system on ordinary crawls."""
    lines = [run for run in runs.done if run["kind"] in ("lines", "files")]
    across = Decades.around(run["n_documents"] for run in lines)
    up = Decades.around(run["seconds"] for run in lines)
    points: dict[str, list[tuple[float, float, str]]] = {}
    for run in sorted(lines, key=lambda run: run["n_documents"]):
        name = label(run) + ", separate files" * (run["kind"] == "files")
        figures = f"{run['n_documents']:,} documents: {run['seconds']:,.1f} s"
        place = across.place(run["n_documents"]), up.place(run["seconds"])
        points.setdefault(name, []).append((*place, figures))
    return charts.chart(
        "Files to clusters: seconds against documents",
        across.axis("documents"),
        up.axis("seconds"),
        [Line(name, found) for name, found in points.items()],
    )


def bars(runs: Runs, recalls: Sequence[dict[str, Any]]) -> Table:
    """Return what this library is to reach, beside what was measured."""
    rows = [*_peer_bars(runs), *_own_bars(runs), *_hostile_bars(runs)]
    for facts in recalls[-1:]:
        what = f"planted pairs of containment 0.5 or more, {facts['size']:,} documents"
        for name, how in CANDIDATES.items():
            share = facts["ordinary"][name]
            rows.append(
                (f"{what}: {how}", f"{LEAST_RECALL}", f"{share:.5f}", share >= LEAST_RECALL)
            )
    cells = [[*texts, "yes" if reached else "no"] for *texts, reached in rows]
    return Table(["what", "bar", "measured", "reached"], cells, "At the greatest sizes measured.")


Row = tuple[str, str, str, bool]


def _peer_bars(runs: Runs) -> Iterator[Row]:
    """Yield the ratios to other libraries at the greatest size that they got through."""
    for peer, (least, goal) in PEERS.items():
        for size in runs.sizes(peer, "lines", 1)[-1:]:
            other = runs.find(size, peer, "lines", 1)
            one, two = (runs.find(size, OURS, "lines", workers) for workers in (1, 2))
            if other and one and two:
                what = f"{size:,} documents, × {peer}, on 2 threads and on 1"
                ratios = f"{_ratio(two, other)} and {_ratio(one, other)}"
                reached = other["seconds"] / two["seconds"] >= least
                yield what, f"{least}, goal {goal}", ratios, reached
                what = f"{size:,} documents, planted pairs found"
                bar = f"more than {peer}: {other['recall']:.4f}"
                yield what, bar, f"{two['recall']:.4f}", two["recall"] > other["recall"]


def _own_bars(runs: Runs) -> Iterator[Row]:
    """Yield what concerns this library alone, at the greatest size that it got through."""
    for size in runs.sizes(OURS, "lines", 2)[-1:]:
        one, two = (runs.find(size, OURS, "lines", workers) for workers in (1, 2))
        if one and two:
            ratio = one["seconds"] / two["seconds"]
            yield f"{size:,} documents, 2 threads over 1", "1.6", f"{ratio:.3f}", ratio >= 1.6
    for kind in ("lines", "files"):
        yield from _growth_bars(runs, kind)


def _growth_bars(runs: Runs, kind: str) -> Iterator[Row]:
    """Yield how much the greatest crawl of a kind took, and how much more than a tenth of it."""
    sizes = runs.sizes(OURS, kind, 2)
    for run in (runs.find(size, OURS, kind, 2) for size in sizes[-1:]):
        if run:
            what = f"{run['size']:,} documents, {CRAWLS[kind]}"
            times, peak = run["seconds"] / sketching(run), run["peak_mb"] * MIB / 1e9
            yield f"{what}: total over the sketching pass", "4 at most", f"{times:.1f}", times <= 4
            yield f"{what}: peak", "under 2.5 GB", f"{peak:.2f} GB", peak < 2.5
    for size in [size for size in sizes if size * 10 in sizes][-1:]:
        less, more = (runs.find(n, OURS, kind, 2) for n in (size, size * 10))
        if less and more:
            what = f"documents a second, {CRAWLS[kind]}: {size * 10:,} over {size:,}"
            share = _rate(more) / _rate(less)
            yield what, "0.5", f"{share:.2f}", share >= 0.5


def _hostile_bars(runs: Runs) -> Iterator[Row]:
    """Yield how a hostile crawl compares with an ordinary one."""
    for size in runs.sizes(OURS, "hostile", 2)[-1:]:
        hostile = runs.find(size, OURS, "hostile", 2)
        ordinary = runs.find(size, OURS, "lines", 2)
        if hostile and ordinary:
            what = f"{size:,} documents and the hostile ones"
            costs = [run["seconds"] / run["n_bytes"] for run in (hostile, ordinary)]
            times = costs[0] / costs[1]
            yield f"{what}: time per MB over ordinary", "2 at most", f"{times:.2f}", times <= 2
            worst = min(hostile["recall_by_kind"].values())
            what_found = f"{what}: planted pairs found, of the worst kind"
            yield what_found, "all", f"{worst:.4f}", worst == 1
            n_false = hostile["n_false"]
            yield f"{what}: pairs of two stories merged", "none", f"{n_false:,}", not n_false


def sketching(run: Run) -> float:
    """Return the seconds until all documents have their signatures.

    >>> sketching({"stages": {"start": 0.5, "signatures": 2.0, "candidates": 1.0, "scoring": 3}})
    2.5
    """
    names = list(run["stages"])
    until = names.index(AFTER_SKETCHES) if AFTER_SKETCHES in names else len(names)
    return float(sum(run["stages"][name] for name in names[:until]))


def _rate(run: Run) -> float:
    return float(run["n_documents"] / run["seconds"])

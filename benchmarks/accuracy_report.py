"""What was found as tables and charts: the words and numbers of the accuracy report.

A table has a row for each system, or ours for each trap; charts show precision
against recall, and recall along whatever share a series of traps varies. Markdown
and SVG themselves are made by `charts`.
"""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from statistics import fmean

import charts
from charts import Axis, Line
from judging import Judged
from metrics import Clusters, PairCounts, are_joined, count_pairs
from systems import OURS
from tables import Table

PACKAGES = ("datasketch", "rensa", "numpy", "numba")

CHARTED = ("datasketch LSH 0.5", "datasketch LSH 0.5, verified", "rensa LSH 0.5")
"""Peers that are drawn beside ours where the share of something varies."""


def summary(names: Sequence[str], one: Judged | None, traps: Sequence[Judged]) -> Table:
    """Return a row for each system: on a collection, or as means over the traps."""
    head = ["system", "precision", "recall", "F1", "ARI", "hard positives found"]
    head += ["false pairs (traps)"] * bool(traps) + ["seconds", "peak MB"]
    measured = [one] if one else traps
    rows = []
    for name in names:
        row = [name, *_means(name, measured)]
        row += [_n_false(name, traps)] * bool(traps) + _cost(name, measured)
        rows.append(row)
    n_hard = sum(len(each.hard) for each in measured)
    if one is None:
        return Table(head, rows, f"Means over {len(traps)} traps; {n_hard:,} hard positives.")
    caption = (
        f"{one.collection.name}; {n_hard:,} hard positives, "
        f"and {one.n_apart:,} pairs of one story without a 5-gram in common."
    )
    return Table(head, rows, caption + (_intrusion(one) if one.collection.mixed_in else ""))


def by_trap(traps: Sequence[Judged], source: str) -> Table:
    """Return a row for each trap: ours in full, and the best of the peers on it."""
    head = (
        "trap",
        "documents",
        "precision",
        "recall",
        "F1",
        "ARI",
        "false pairs",
        "best peer's F1",
    )
    rows = [
        (
            one.collection.name,
            f"{len(one.collection.texts):,}",
            *_means(OURS, [one])[:4],
            _n_false(OURS, [one]),
            _best_peer(one),
        )
        for one in traps
    ]
    return Table(head, rows, f"{OURS} on each trap. Stories: {source}.")


def drawn(main_ones: Iterable[Judged], traps: Sequence[Judged]) -> Iterator[str]:
    """Yield charts: precision against recall, and recall along each series of traps."""
    for one in main_ones:
        title = f"Precision and recall: {one.collection.name}"
        yield _precision_and_recall(title, [one])
    if traps:
        title = "Precision and recall: all pairs of all traps"
        yield _precision_and_recall(title, traps)
    series = dict.fromkeys(one.collection.series for one in traps if one.collection.series)
    for name in series:
        points = [one for one in traps if one.collection.series == name]
        for what in ("recall", "precision"):
            title = f"{what.capitalize()} against the share of {name}"
            lines = list(_along(points, what))
            yield charts.chart(title, Axis(f"share of {name}"), Axis(what), lines)


def machine() -> str:
    """Say where and with what figures were measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"One thread of {os.cpu_count()} ({platform.machine()}, {platform.system()}); "
        f"Python {platform.python_version()}, {packages}."
    )


def _precision_and_recall(title: str, judged: Sequence[Judged]) -> str:
    """Return a chart of one against the other."""
    return charts.chart(title, Axis("recall"), Axis("precision"), list(_curves(judged)))


def _curves(judged: Sequence[Judged]) -> Iterator[Line]:
    """Yield ours at every threshold, and each family of peers at the thresholds it was run at."""

    def point(label: str, found: Sequence[Clusters]) -> tuple[float, float, str]:
        counts = (one.counts(clusters) for one, clusters in zip(judged, found, strict=True))
        total = sum(counts, start=PairCounts())
        figures = f"recall {total.recall:.3f}, precision {total.precision:.3f}"
        return total.recall, total.precision, f"{label}: {figures}"

    ran = set.intersection(*(set(one.outcomes) for one in judged))
    if OURS in ran:
        thresholds = sorted(set.intersection(*(set(one.outcomes[OURS].curve) for one in judged)))
        yield Line(
            OURS,
            [
                point(f"at {t:g}", [one.outcomes[OURS].curve[t] for one in judged])
                for t in thresholds
            ],
        )
    families: dict[str, list[tuple[float, float, str]]] = {}
    for name in judged[0].outcomes:
        if name in ran - {OURS}:
            family, threshold = _family(name)
            found = [one.outcomes[name].clusters for one in judged]
            families.setdefault(family, []).append(point(f"at {threshold}", found))
    for family, points in families.items():
        yield Line(family, points)


def _family(name: str) -> tuple[str, str]:
    """Return the name of a peer without its threshold, and the threshold.

    >>> _family("datasketch LSH 0.5, verified")
    ('datasketch LSH, verified', '0.5')
    """
    before, comma, after = name.partition(",")
    family, _, threshold = before.rpartition(" ")
    return family + comma + after, threshold


def _along(points: Sequence[Judged], what: str) -> Iterator[Line]:
    """Yield a line for ours and for some peers along a series of traps."""

    def point(one: Judged, name: str) -> tuple[float, float, str]:
        at, value = one.collection.at, getattr(one.counts(one.outcomes[name].clusters), what)
        return at, value, f"{at:.0%}: {what} {value:.3f}"

    for name in (OURS, *CHARTED):
        if ran := [one for one in points if name in one.outcomes]:
            yield Line(name, [point(one, name) for one in ran])


def _intrusion(one: Judged) -> str:
    """Say whether mixed-in articles stand in clusters of pages, and what false pairs they make."""
    found = {name: one.n_intruders(outcome.clusters) for name, outcome in one.outcomes.items()}
    named = "; ".join(f"{name} {n}" for name, n in found.items() if n) or "none, for any system"
    text = f" Mixed-in articles in a page's cluster: {named}."
    if OURS in one.outcomes:
        clusters = one.outcomes[OURS].clusters
        mixed = {d: s for d, s in one.collection.stories.items() if d in one.collection.mixed_in}
        n_theirs = count_pairs(mixed, [[d for d in c if d in mixed] for c in clusters]).n_false
        text += (
            f" Of the {one.n_false(clusters):,} false pairs of {OURS}, {n_theirs:,} join mixed-in "
            "articles with one another; those have near-copies that the gold does not know."
        )
    return text


def _means(name: str, judged: Sequence[Judged]) -> list[str]:
    """Return precision, recall, F1 and ARI as means, and hard positives found as a share."""
    ran = [one for one in judged if name in one.outcomes]
    if len(ran) < len(judged):
        return ["too slow"] + ["–"] * 4
    counts = [one.counts(one.outcomes[name].clusters) for one in ran]
    n_hard = sum(len(one.hard) for one in ran)
    n_found = sum(sum(are_joined(one.hard, one.outcomes[name].clusters)) for one in ran)
    figures = (
        [c.precision for c in counts],
        [c.recall for c in counts],
        [c.f1 for c in counts],
        [c.adjusted_rand for c in counts],
    )
    shares = [f"{fmean(values):.4f}" for values in figures]
    return [*shares, f"{n_found / n_hard:.4f}" if n_hard else "–"]


def _n_false(name: str, judged: Sequence[Judged]) -> str:
    """Return how many false pairs there are together."""
    if any(name not in one.outcomes for one in judged):
        return "–"
    return f"{sum(one.n_false(one.outcomes[name].clusters) for one in judged):,}"


def _cost(name: str, judged: Sequence[Judged]) -> list[str]:
    """Return the seconds together and the highest peak."""
    ran = [one.outcomes[name] for one in judged if name in one.outcomes]
    if len(ran) < len(judged):
        return ["–", "–"]
    return [f"{sum(o.seconds for o in ran):.1f}", f"{max(o.peak_mb for o in ran):,.0f}"]


def _best_peer(one: Judged) -> str:
    """Return the best F1 of a peer and whose it is."""
    peers = {
        name: one.counts(outcome.clusters).f1
        for name, outcome in one.outcomes.items()
        if name != OURS
    }
    if not peers:
        return "–"
    name = max(peers, key=peers.__getitem__)
    return f"{peers[name]:.4f} {name}"

"""How right this library and its peers are: one table, made by one command.

    python benchmarks/accuracy.py                      all that can be run here
    python benchmarks/accuracy.py --pages FILE --mix FILE --traps
    python benchmarks/accuracy.py texts.jsonl --gold page
    python benchmarks/accuracy.py FOLDER               texts beside a gold.csv

Clusters are judged by the pairs they induce; a document in no cluster stands alone.
*Hard positives* are pairs of one story with an exact word-5-gram Jaccard similarity
below 0.3. *False pairs* are joined documents of different stories. Every system runs
in a process of its own on one thread; its peak of memory includes its libraries and
the texts.
"""

import argparse
import itertools
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import charts
import systems
from charts import Line, Table
from collection import Collection, read_collection, read_pages
from material import Material, invented_material, read_material
from metrics import (
    Clusters,
    PairCounts,
    count_joined,
    count_labelled,
    count_pairs,
    gold_pairs,
    hard_pairs,
)
from systems import OURS, Outcome
from traps import TRAPS, make_traps

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PAGES, ARTICLES = SHARED / "pages.jsonl.xz", SHARED / "distractors.jsonl.xz"
PACKAGES = ("datasketch", "rensa", "numpy", "numba")

CHARTED = ("datasketch LSH 0.5", "datasketch LSH 0.5, verified", "rensa LSH 0.5")
"""Peers that are drawn beside ours where the share of something varies."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection, the pairs of it that are hard, and what each system made of it."""

    collection: Collection
    hard: list[tuple[str, str]]
    outcomes: dict[str, Outcome]

    def counts(self, clusters: Clusters) -> PairCounts:
        """Count pairs by stories, or among the labelled pairs where there are any."""
        if self.collection.labelled:
            return count_labelled(self.collection.labelled, clusters)
        return count_pairs(self.collection.stories, clusters)

    def n_false(self, clusters: Clusters) -> int:
        """Count joined pairs of different stories, and those that are forbidden."""
        return self.counts(clusters).n_false + count_joined(self.collection.forbidden, clusters)

    def n_intruders(self, clusters: Clusters) -> int:
        """Count mixed-in documents that stand in one cluster with any other document."""
        mixed = self.collection.mixed_in
        return sum(
            len(mixed.intersection(cluster))
            for cluster in clusters
            if not mixed.issuperset(cluster)
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for and write the tables."""
    options = _parse(arguments)
    names = _systems(options)
    collections = _collections(options)
    judged = judge(collections, names, curve=bool(options.html), limit=options.limit)
    main_ones = [one for one in judged if one.collection.name not in options.trap_names]
    trapped = [one for one in judged if one.collection.name in options.trap_names]
    source = options.material.name if options.material else ""
    tables = [summary(names, one, trapped if one is main_ones[0] else []) for one in main_ones]
    if trapped:
        tables += [] if main_ones else [summary(names, None, trapped)]
        tables.append(by_trap(trapped, source))
    markdown = "\n\n".join([*(table.markdown() for table in tables), machine()])
    if options.html:
        parts = [table.html() for table in tables] + list(drawn(main_ones, trapped))
        parts.append(f"<p>{machine()}</p>")
        options.html.write_text(charts.page("Accuracy", parts), "utf-8")
    if options.update:
        charts.update(options.update, "accuracy", markdown)
    else:
        print(markdown)
    for one in judged if options.errors else ():
        _print_errors(one, options.errors)


def judge(
    collections: Sequence[Collection],
    names: Iterable[str],
    *,
    curve: bool = False,
    limit: float = systems.LIMIT,
) -> list[Judged]:
    """Run systems on collections; one that ran out of time has no outcome for the rest."""
    judged = [Judged(one, _hard(one), {}) for one in collections]
    for name in names:
        print(f"running {name}", file=sys.stderr)
        texts = (one.texts for one in collections)
        outcomes = systems.run(name, texts, curve=curve and name == OURS, limit=limit)
        for one, outcome in zip(judged, outcomes, strict=False):
            one.outcomes[name] = outcome
    return judged


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
    caption = f"{one.collection.name}; {n_hard:,} hard positives."
    if one.collection.mixed_in:
        found = (
            f"{name} {one.n_intruders(outcome.clusters)}" for name, outcome in one.outcomes.items()
        )
        caption += f" Mixed-in articles in a page's cluster: {'; '.join(found)}."
    return Table(head, rows, caption)


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
        yield charts.chart(title, "recall", "precision", _curves([one]))
    if traps:
        title = "Precision and recall: all pairs of all traps"
        yield charts.chart(title, "recall", "precision", _curves(traps))
    series = dict.fromkeys(one.collection.series for one in traps if one.collection.series)
    for name in series:
        points = [one for one in traps if one.collection.series == name]
        for what in ("recall", "precision"):
            title = f"{what.capitalize()} against the share of {name}"
            yield charts.chart(title, f"share of {name}", what, _along(points, what))


def machine() -> str:
    """Say where and with what figures were measured."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"One thread of {os.cpu_count()} ({platform.machine()}, {platform.system()}); "
        f"Python {platform.python_version()}, {packages}."
    )


def _curves(judged: Sequence[Judged]) -> Iterator[Line]:
    """Yield ours at every threshold, and each family of peers at the thresholds it was run at."""

    def point(label: str, found: Sequence[Clusters]) -> tuple[float, float, str]:
        counts = [one.counts(clusters) for one, clusters in zip(judged, found, strict=True)]
        total = PairCounts(
            sum(c.n_true for c in counts),
            sum(c.n_found for c in counts),
            sum(c.n_gold for c in counts),
            sum(c.n_pairs for c in counts),
        )
        return total.recall, total.precision, label

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
    for name in (OURS, *CHARTED):
        ran = [one for one in points if name in one.outcomes]
        if ran:
            yield Line(
                name,
                [
                    (
                        one.collection.at,
                        getattr(one.counts(one.outcomes[name].clusters), what),
                        f"{one.collection.at:.0%}",
                    )
                    for one in ran
                ],
            )


def _means(name: str, judged: Sequence[Judged]) -> list[str]:
    """Return precision, recall, F1 and ARI as means, and hard positives found as a share."""
    ran = [one for one in judged if name in one.outcomes]
    if len(ran) < len(judged):
        return ["too slow"] + ["–"] * 4
    counts = [one.counts(one.outcomes[name].clusters) for one in ran]
    n_hard = sum(len(one.hard) for one in ran)
    n_found = sum(count_joined(one.hard, one.outcomes[name].clusters) for one in ran)
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


def _hard(collection: Collection) -> list[tuple[str, str]]:
    """Return the hard positives of a collection."""
    labelled = collection.labelled
    pairs: Iterable[tuple[str, str]] = (
        [(a, b) for a, b, same in labelled if same] if labelled else gold_pairs(collection.stories)
    )
    return hard_pairs(collection.texts, pairs)


def errors(one: Judged) -> Iterator[tuple[str, str, str]]:
    """Yield the pairs that ours has wrong: false or missed, left, right."""
    clusters = one.outcomes[OURS].clusters
    stories = one.collection.stories
    for cluster in clusters:
        for left, right in itertools.combinations(cluster, 2):
            if None not in (stories[left], stories[right]) and stories[left] != stories[right]:
                yield "false", left, right
    for left, right in one.collection.forbidden:
        if count_joined([(left, right)], clusters):
            yield "false", left, right
    missed = _missed(stories, clusters)
    yield from (("missed", left, right) for left, right in missed)


def _missed(stories: Mapping[str, str | None], clusters: Clusters) -> Iterator[tuple[str, str]]:
    """Yield pairs of one story in different clusters."""
    cluster_of = {d: n for n, cluster in enumerate(clusters) for d in cluster}
    for left, right in gold_pairs(stories):
        if cluster_of.get(left, left) != cluster_of.get(right, right):
            yield left, right


def _print_errors(one: Judged, n_shown: int) -> None:
    """Print some pairs that ours has wrong, with what the two texts alone say."""
    import dedupe  # noqa: PLC0415  It starts slowly, and is needed for this alone.

    shown: dict[str, int] = {}
    for kind, left, right in errors(one):
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= n_shown:
            texts = one.collection.texts
            pair = dedupe.compare_texts(texts[left], texts[right]).pair
            print(
                f"{one.collection.name}: {kind}: {left} | {right}: "
                f"{pair.score:.2f} alone, {pair.reason}",
                file=sys.stderr,
            )


def _systems(options: argparse.Namespace) -> list[str]:
    """Return the systems to run, ours first."""
    if options.no_peers:
        return [OURS]
    from accuracy_peers import PEERS  # noqa: PLC0415  They may not be installed.

    wanted = [name for name in PEERS if not options.only or any(w in name for w in options.only)]
    return [OURS, *wanted]


def _collections(options: argparse.Namespace) -> list[Collection]:
    """Read and make what is asked for; note the names of the traps in the options."""
    found = []
    if options.path:
        names = {"id_field": options.id_field, "text_field": options.text_field}
        found.append(read_collection(options.path, options.gold, **names))
    if options.pages:
        found.append(read_pages(options.pages, options.mix))
    options.material = _material(options) if options.traps is not None else None
    options.trap_names = set()
    if options.material:
        traps = list(make_traps(options.material, full=options.full, only=options.traps))
        options.trap_names = {trap.name for trap in traps}
        found += traps
    return found


def _material(options: argparse.Namespace) -> Material:
    """Return what traps are made of."""
    if options.source == "invented" or (options.source is None and not ARTICLES.exists()):
        return invented_material()
    return read_material(Path(options.source or ARTICLES), PAGES if PAGES.exists() else None)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; without anything to run, run all that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("path", type=Path, nargs="?", help="folder of .txt, or JSON Lines (.xz, .gz)")
    add("--gold", help="field with the story, or a file with the gold")
    add("--id-field", default="id")
    add("--text-field", default="text")
    add("--pages", type=Path, help="the development pages")
    add("--mix", type=Path, help="unrelated articles to mix in with the pages")
    add("--traps", nargs="*", choices=[*TRAPS, []], help="generated traps: all, or some")
    add("--source", help="articles that traps are made of, or 'invented'")
    add("--full", action="store_true", help="20,000 near-copies and pages of one template")
    add("--no-peers", action="store_true", help="run this library alone")
    add("--only", nargs="+", help="peers whose name has one of these")
    add("--limit", type=float, default=systems.LIMIT, help="seconds for one system")
    add("--errors", type=int, default=0, metavar="N", help="show N wrong pairs of each kind")
    add("--html", type=Path, help="write the tables and charts as a page")
    add("--update", type=Path, nargs="+", help="write the tables into these files")
    options = parser.parse_args(arguments)
    if not options.path and not options.pages and options.traps is None:
        options.traps = []
        if PAGES.exists():
            options.pages, options.mix = PAGES, ARTICLES
    return options


if __name__ == "__main__":
    main()

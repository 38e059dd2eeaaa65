"""How right this library is on everything that its rule may be tuned on: one table.

    python benchmarks/development.py
    python benchmarks/development.py --only greek "whole pages" --errors 5
    python benchmarks/development.py --only laws
    python benchmarks/development.py --update docs/accuracy.md

Natural collections come from ``../shared/data``, where they are there; made ones need
nothing. A rule is tuned on all of them together, and accepted on none of them.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import dedupe
import tables
from accuracy import ARTICLES, PAGES, SHARED
from collection import Collection, read_lines, read_pages
from judging import Judged, errors
from kinds import SCALES, make_kinds
from laws import LAWS, Grown
from listings import SEEDS, make_listings
from material import Material, invented_material, read_material
from metrics import PairCounts
from systems import OURS, Outcome
from traps import make_traps
from whole_pages import make_whole_pages

LANGUAGES = ("greek", "polish")
"""Collections of whole pages and of their bodies, which are judged apart, too."""

HEAD = ("F1", "prec.", "recall", "false", "missed", "right", "CPU s")


@dataclass(frozen=True, slots=True)
class Group:
    """Collections of which the pairs are counted together.

    Attributes
    ----------
    section : str
        What the group belongs to; one figure for each is enough in a sweep.
    name : str
    collections : tuple of Collection
    """

    section: str
    name: str
    collections: tuple[Collection, ...]


Made = dict[str, list[Collection]]
"""Collections by the name of their group."""


@dataclass(frozen=True, slots=True)
class Row:
    """How right we are on some collections, of which `n_right` have no wrong pair."""

    name: str
    counts: PairCounts = PairCounts()  # noqa: RUF009  It is frozen.
    n_right: int = 0
    n_all: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Row") -> "Row":
        """Return the figures of both under the name of the first."""
        return Row(
            self.name,
            self.counts + other.counts,
            self.n_right + other.n_right,
            self.n_all + other.n_all,
            self.seconds + other.seconds,
        )

    def cells(self) -> list[str]:
        """Return the row as it stands in a table, without its time."""
        found = self.counts
        figures = [f"{figure:.3f}" for figure in (found.f1, found.precision, found.recall)]
        wrong = [f"{n:,}" for n in (found.n_false, found.n_missed)]
        return [self.name, *figures, *wrong, f"{self.n_right} of {self.n_all}"]

    def __str__(self) -> str:
        """Return the row as it is printed."""
        found = self.counts
        figures = f"{found.f1:6.3f} {found.precision:6.3f} {found.recall:6.3f}"
        right = f"{self.n_right}/{self.n_all}"
        wrong = f"{found.n_false:7} {found.n_missed:7}"
        return f"{self.name:42} {figures} {wrong} {right:>7} {self.seconds:7.2f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each group, one for sections of several, and a table for each law."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], help="names, or their beginnings")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="wrong pairs to print")
    parser.add_argument(
        "--update", type=Path, nargs="+", default=[], help="write the tables into these files"
    )
    options = parser.parse_args(arguments)
    if options.update and options.only:
        parser.error("--update must have all tables: leave --only out")
    print(f"{'':42} {HEAD[0]:>6} {HEAD[1]:>6} {HEAD[2]:>6}", *(f"{name:>7}" for name in HEAD[3:]))
    rows: dict[str, list[Row]] = {}
    for group in groups(options.only):
        row = _judge(group, options.errors)
        print(row, flush=True)
        rows.setdefault(group.section, []).append(row)
    for section, parts in rows.items():
        if len(parts) > 1:
            print(sum(parts, start=Row(f"all of {section}")))
    shown = [_table(rows)]
    for law, (figure, sizes, grow) in LAWS.items():
        if is_wanted("laws", options.only):
            print(f"\nlaws: {law}")
            print(f"{'recall and precision at':42} {'':6} ", *(f"{n:<12}" for n in sizes))
            lines = []
            for grown in zip(*(grow(seed) for seed in SEEDS), strict=True):
                lines.append(_law(figure, grown))
                print(f"{lines[-1][0]:42} {lines[-1][1]:6} ", "  ".join(lines[-1][2:]), flush=True)
            shown.append(tables.Table((law, "", *map(str, sizes)), lines, LAW_CAPTION))
    if options.update:
        markdown = "\n\n".join(table.markdown() for table in shown)
        tables.update(options.update, {"development": markdown})


CAPTION = (
    "*Right* counts the collections without a wrong pair: of traps and of kinds of complaint there "
    "are many small ones, the latter also at half and at twice the number of words. Pairs that no "
    "gold judges do not count."
)
LAW_CAPTION = "Recall and precision at each size; what must not fall *holds* or *falls*."


def _table(rows: Mapping[str, Sequence[Row]]) -> tables.Table:
    """Return the figures of all groups; of traps, which have a table of their own, those of all."""
    told = [
        row
        for section, parts in rows.items()
        for row in ([sum(parts, start=Row("all traps"))] if section == "trap" else parts)
    ]
    return tables.Table(("collections", *HEAD[:-1]), [row.cells() for row in told], CAPTION)


def is_wanted(name: str, only: Sequence[str]) -> bool:
    """Return whether a name begins with one of those that are asked for, if any are."""
    return not only or any(name.startswith(one) for one in only)


def groups(only: Sequence[str] = ()) -> Iterator[Group]:
    """Yield natural collections and made ones; no section is made of which none is wanted."""
    for section, make in SECTIONS.items():
        if not only or any(section.startswith(one) or one.startswith(section) for one in only):
            for name, collections in make(section).items():
                if is_wanted(name, only):
                    yield Group(section, name, tuple(collections))


def _pages(name: str) -> Made:
    return {name: [read_pages(PAGES, ARTICLES)]}


def _bodies_and_pages(name: str) -> Made:
    return {name: [_read(name)], f"{name}, pages alone": [_read(name, only="page")]}


def _natural(name: str) -> Made:
    return {name: [_read(name)]}


def _versions(name: str) -> Made:
    rows = {row["id"]: row["text"] for row in read_lines(SHARED / f"{name}.jsonl.xz")}
    pairs = json.loads((SHARED / f"{name}.gold.json").read_text("utf-8"))["pairs"]
    labelled = tuple((pair["a"], pair["b"], bool(pair["same"])) for pair in pairs)
    return {name: [Collection(name, rows, dict.fromkeys(rows), labelled=labelled)]}


def _whole_pages(_: str) -> Made:
    return {found.name: [found] for found in make_whole_pages(_material())}


def _traps(name: str) -> Made:
    return {f"{name}: {found.name}": [found] for found in make_traps(_material())}


def _kinds(name: str) -> Made:
    return {
        f"{name} at {scale:g} times the words": [found for _, found in make_kinds(scale)]
        for scale in SCALES
    }


def _listings(name: str) -> Made:
    made: Made = {}
    for kind, found in make_listings():
        made.setdefault(f"{name}: {kind}", []).append(found)
    return made


NATURAL: dict[str, Callable[[str], Made]] = {
    "pages": _pages,
    "greek": _bodies_and_pages,
    "polish": _bodies_and_pages,
    "readability": _natural,
    "advisories": _natural,
    "versions": _versions,
}

SECTIONS: dict[str, Callable[[str], Made]] = {
    **(NATURAL if SHARED.exists() else {}),
    "whole pages": _whole_pages,
    "trap": _traps,
    "kinds": _kinds,
    "listings": _listings,
}
"""What there is: a name with which those of its groups begin, and what makes these."""


@cache
def _material() -> Material:
    return read_material(ARTICLES, PAGES) if ARTICLES.exists() else invented_material()


def _read(name: str, only: str = "") -> Collection:
    """Read a collection with its stories, and the pairs of stories that are not judged."""
    rows = [
        row for row in read_lines(SHARED / f"{name}.jsonl.xz") if not only or row["type"] == only
    ]
    gold = json.loads((SHARED / f"{name}.gold.json").read_text("utf-8"))
    return Collection(
        name,
        {row["id"]: row["text"] for row in rows},
        {row["id"]: row["story"] for row in rows},
        unjudged=frozenset(frozenset(pair) for pair in gold["ignore"]),
    )


def _answered(found: Collection) -> tuple[Judged, float]:
    """Return our answer to a collection, and the seconds of processor time it took."""
    start = time.process_time()
    result = dedupe.find_duplicate_texts(found.texts, workers=1)
    seconds = time.process_time() - start
    clusters = [[*cluster.members] for cluster in result.clusters]
    return Judged(found, [], outcomes={OURS: Outcome(clusters, seconds, 0.0)}), seconds


def _judge(group: Group, n_errors: int) -> Row:
    """Return the row of a group, and print pairs that are wrong, `n_errors` of each kind."""
    row = Row(group.name)
    shown: Counter[str] = Counter()
    for found in group.collections:
        judged, seconds = _answered(found)
        counts = judged.counts(judged.outcomes[OURS].clusters)
        row += Row("", counts, int(counts.f1 == 1), 1, seconds)
        for kind, left, right in errors(judged) if n_errors else ():
            shown[kind] += 1
            if shown[kind] <= n_errors:
                pair = dedupe.compare_texts(found.texts[left], found.texts[right]).pair
                where = f"{found.name}: " if len(group.collections) > 1 else ""
                print(f"    {where}{kind}: {left} | {right}: {pair.score:.2f} alone, {pair.reason}")
    return row


def _law(figure: str, grown: Sequence[Grown]) -> list[str]:
    """Return the line of a law: whether what must not fall does, and the figures at each size."""
    cells, figures = [], []
    for found in zip(*(one.collections for one in grown), strict=True):
        judged = [_answered(one)[0] for one in found]
        counts = (one.counts(one.outcomes[OURS].clusters) for one in judged)
        total = sum(counts, start=PairCounts())
        figures.append(getattr(total, figure))
        cells.append(f"{total.recall:.3f} {total.precision:.3f}")
    said = "falls" if any(right < left for left, right in pairwise(figures)) else "holds"
    return [grown[0].name, said, *cells]


if __name__ == "__main__":
    main()

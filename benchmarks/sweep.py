"""Each constant of the rule at other values, to show how far its region is flat.

    python benchmarks/sweep.py                                     all of `CONSTANTS`
    python benchmarks/sweep.py threshold dedupe.scoring.rule.HOLE_COST  some of them
    python benchmarks/sweep.py dedupe.scoring.rule.MIN_WORDS=10,20,40   other values

A name is an attribute of a module or a parameter of `dedupe.find_duplicate_texts`.
One constant is varied at a time. A value is *flat* when neither figure falls more
than `TIE` below its best: a rule that is only right in one spot was made for its data.
"""

import argparse
import ast
import importlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from types import ModuleType
from typing import Any, NoReturn

import systems
from accuracy import ARTICLES, PAGES
from collection import Collection, read_pages
from judging import Judged
from material import invented_material, read_material
from tables import Table
from traps import TRAPS, make_traps

TIE = 0.002

BEYOND = ("20% of words edited",)
"""Traps past what is promised, whose figure would drown the others."""

CONSTANTS: dict[str, tuple[Any, ...]] = {
    "threshold": (0.3, 0.35, 0.4, 0.45, 0.5),
    "ngram": (3, 4, 5, 6, 8),
    "dedupe.scoring.rule.MIN_WORDS": (10, 15, 20, 25, 30),
    "dedupe.scoring.rule.HOLE_COST": (1.0, 1.5, 2.0, 2.5, 3.0),
    "dedupe.scoring.rule.END_COST": (0.5, 0.7, 1.0, 1.5),
    "dedupe.scoring.rule.LEARNED_SCORE": (0.4, 0.45, 0.5, 0.6),
    "dedupe.scoring.rule.STRICT_CONTAINMENT": (0.25, 0.3, 0.4, 0.5),
    "dedupe.scoring.rule.STRICT_HOLE": (0.1, 0.15, 0.2, 0.25),
    "dedupe.scoring.rule.MAX_STRICT_HOLE": (30, 40, 50, 60, 80),
    "dedupe.scoring.rule.EXCESS_COST": (0.0, 0.5, 1.0, 1.5, 2.0),
    "dedupe.scoring.rule.STRICT_EXCESS": (0.15, 0.25, 0.35, 0.5),
    "dedupe.scoring.rule.MAX_STRICT_EXCESS": (50, 100, 150, 200, 300),
    "dedupe.scoring.rule.SHORT_SHARE": (0.8, 0.85, 0.9, 0.95),
    "dedupe.clustering.MEAN_SHARE": (0.6, 0.7, 0.8, 0.9, 1.0),
    "dedupe.clustering.SLACK": (0.0, 0.05, 0.1, 0.2),
    "dedupe.clustering.SAMPLE": (4, 8, 16),
    "dedupe.lsh.COSINE_FLOOR": (0.05, 0.075, 0.1, 0.15, 0.2),
    "dedupe.lsh.Z": (2.0, 3.0, 4.0),
    "dedupe.kernels.alignment.MIN_RUN": (5, 6, 8, 10, 12),
    "dedupe.kernels.measures.PARAGRAPH": (15, 20, 25, 30, 40),
    "dedupe.kernels.measures.PROSE": (0.5, 0.6, 0.7),
    "dedupe.kernels.measures.EDIT": (7, 10, 14),
    "dedupe.kernels.measures.LIST": (5, 10, 20),
    "dedupe.kernels.measures.LONG": (1.3, 1.5, 1.75),
    "dedupe.kernels.measures.LONG_COST": (2.0, 4.0, 8.0),
    "dedupe.kernels.measures.BARE_SHARE": (0.6, 0.75, 0.9),
    "dedupe.kernels.tokens.LETTERS_PER_WORD": (2, 3, 4),
    "dedupe.scoring.forms.FRAME_PER_SLOT": (30, 40, 60),
}
"""What is swept by default. Those of kernels are compiled anew, which takes a while."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a constant and how right the library is with it."""

    value: Any
    pages_f1: float
    traps_f1: float
    worst: str
    n_false: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each constant."""
    options = _parse(arguments)
    pages = [read_pages(PAGES, ARTICLES)] if PAGES.exists() and not options.no_pages else []
    material = read_material(ARTICLES, PAGES) if PAGES.exists() else invented_material()
    made = make_traps(material, only=options.traps)
    traps = [trap for trap in made if trap.name not in BEYOND]
    for name, values in _wanted(options.constants):
        current = current_value(name)
        points = [measure(name, value, pages, traps) for value in sorted({*values, current})]
        print(table(name, current, points).markdown(), end="\n\n", flush=True)


def measure(
    name: str, value: Any, pages: Sequence[Collection], traps: Sequence[Collection]
) -> Point:
    """Run the library with a constant changed."""
    collections = [*pages, *traps]
    texts = (one.texts for one in collections)
    outcomes = systems.run(systems.OURS, texts, constants={name: value})
    judged = [Judged(one, []) for one in collections]
    f1 = [one.counts(outcome.clusters).f1 for one, outcome in zip(judged, outcomes, strict=True)]
    n_false = [one.n_false(outcome.clusters) for one, outcome in zip(judged, outcomes, strict=True)]
    n_pages = len(pages)
    worst = min(range(n_pages, len(f1)), key=f1.__getitem__)
    return Point(
        value,
        fmean(f1[:n_pages] or [1.0]),
        fmean(f1[n_pages:]),
        f"{f1[worst]:.3f} {collections[worst].name}",
        sum(n_false[n_pages:]),
    )


def table(name: str, current: Any, points: Sequence[Point]) -> Table:
    """Return a row for each value, and where the region of the current one is flat."""
    flat = flat_region(points, current)
    rows = [
        (
            f"{point.value}" + (" (now)" if point.value == current else ""),
            f"{point.pages_f1:.4f}",
            f"{point.traps_f1:.4f}",
            f"{point.n_false:,}",
            point.worst,
            "yes" if point in flat else "",
        )
        for point in points
    ]
    where = f"flat from {flat[0].value} to {flat[-1].value}" if flat else "not at its best now"
    head = (name, "pages F1", "traps F1", "false pairs (traps)", "worst trap", "flat")
    return Table(head, rows, f"{name}: {where}.")


def flat_region(points: Sequence[Point], current: Any) -> list[Point]:
    """Return the values around the current one, without a gap, that are as good as the best.

    >>> points = [Point(v, f1, 1.0, "", 0) for v, f1 in ((1, 0.9), (2, 0.99), (3, 0.991))]
    >>> [point.value for point in flat_region(points, 2)]
    [2, 3]
    """
    best_pages = max(point.pages_f1 for point in points)
    best_traps = max(point.traps_f1 for point in points)
    good = [
        point.pages_f1 >= best_pages - TIE and point.traps_f1 >= best_traps - TIE
        for point in points
    ]
    start = end = place = [point.value for point in points].index(current)
    while start > 0 and good[start - 1]:
        start -= 1
    while end + 1 < len(points) and good[end + 1]:
        end += 1
    return list(points[start : end + 1]) if good[place] else []


def current_value(name: str) -> Any:
    """Return the value that a constant has now; leave if nothing reads one of this name.

    >>> current_value("ngram"), current_value("dedupe.scoring.rule.MIN_WORDS")
    (5, 20)
    """
    module, _, attribute = name.rpartition(".")
    if not module:
        parameters = inspect.signature(
            importlib.import_module("dedupe.api").find_duplicates
        ).parameters
        if attribute not in parameters:
            _refuse(name, "there is no parameter of the name")
        return parameters[attribute].default
    try:
        home = importlib.import_module(module)
    except ModuleNotFoundError:
        _refuse(name, f"there is no module {module}")
    if attribute not in _assigned(home):
        _refuse(name, f"{module} does not define it")
    if attribute not in _read():
        _refuse(name, "nothing reads it")
    return getattr(home, attribute)


def _assigned(module: ModuleType) -> set[str]:
    """Return the constants that a module defines itself, and does not import."""
    nodes = ast.parse(inspect.getsource(module)).body
    targets = [target for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
    named = (node for target in targets for node in ast.walk(target))
    return {node.id for node in named if isinstance(node, ast.Name)}


@cache
def _read() -> frozenset[str]:
    """Return every name that some module of the library reads."""
    package = Path(importlib.import_module("dedupe").__file__ or "").parent
    nodes = (
        node
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )
    return frozenset(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in nodes
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
    )


def _refuse(name: str, why: str) -> NoReturn:
    raise SystemExit(
        f"a constant to sweep must be one that the rule reads, got {name!r}: {why}; "
        "name a parameter of find_duplicates, or module.CONSTANT where it is defined"
    )


def _wanted(names: Sequence[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield constants with their values: those that are named, or all."""
    for name in names or CONSTANTS:
        constant, _, values = name.partition("=")
        if values:
            yield constant, tuple(ast.literal_eval(value) for value in values.split(","))
        else:
            yield constant, CONSTANTS[constant]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("constants", nargs="*", metavar="NAME[=VALUE,...]", help="; ".join(CONSTANTS))
    add("--no-pages", action="store_true", help="leave the development pages out")
    add("--traps", nargs="+", choices=TRAPS, default=(), help="some of the traps")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()

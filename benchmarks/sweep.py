"""Each constant of the rule at other values, to show how far its region is flat.

    python benchmarks/sweep.py --keep measured.jsonl              all of them, in about an hour
    python benchmarks/sweep.py --only threshold rule.HOLE_COST    some of them
    python benchmarks/sweep.py --only MIN_WORDS=10,20,40          other values
    python benchmarks/sweep.py --collections greek kinds          on some collections
    python benchmarks/sweep.py --keep measured.jsonl --minutes 35 --update docs/accuracy.md

A name is an attribute of a module, of which the end is enough, or a parameter of
`dedupe.find_duplicate_texts`. One constant is varied at a time, on all that
`development.py` runs: a lower value, a higher one, and one that takes the constant out of
the rule, where there is one. A value is *flat* when the F1 of no section falls more than `TIE`
below what it is now: a rule that is only right in one spot was made for its data, and a
constant that can be taken out is one too many.

After ``--minutes`` nothing more is measured, and the tables say so. With ``--keep`` a sweep that
was interrupted goes on where it was, also on fewer collections than before. What the file holds
is taken for the same rule as long as `dedupe.settings.RULE_VERSION` is the same: write into a
new one after a change.
"""

import argparse
import ast
import importlib
import inspect
import json
import math
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from types import ModuleType
from typing import Any, NoReturn

import systems
from dedupe.settings import RULE_VERSION
from development import SECTIONS, Group, groups
from judging import Judged
from tables import Table, update

TIE = 0.002

MAX_PROCESSES = 2
LIMIT = 4 * 3600.0
"""Seconds for one value on everything."""

MODULES = ("dedupe.scoring.rule", "dedupe.kernels.measures", "dedupe.scoring.forms")
"""Modules of which every constant is swept."""

FACTORS = (0.8, 1.25)
"""What these are multiplied by."""

OTHERS: dict[str, tuple[Any, ...]] = {
    "threshold": (0.4, 0.5),
    "ngram": (4, 6),
    "dedupe.clustering.MEAN_SHARE": (0.7, 0.9),
    "dedupe.clustering.SLACK": (0.05, 0.2),
    "dedupe.linkage.means.SAMPLE": (4, 16),
    "dedupe.lsh.COSINE_FLOOR": (0.075, 0.15),
    "dedupe.lsh.Z": (1.5, 3.0),
    "dedupe.kernels.alignment.MIN_RUN": (6, 10),
    "dedupe.kernels.boilerplate.OWN": (0.24, 0.375),
    "dedupe.kernels.tokens.LETTERS_PER_WORD": (2, 4),
}
"""What else is swept by default. Constants of kernels are compiled anew, which takes a while."""

MANY = 10**6
WITHOUT: dict[str, Any] = {
    "dedupe.clustering.MEAN_SHARE": 1.0,
    "dedupe.clustering.SLACK": 0.0,
    "dedupe.kernels.measures.BARE_SHARE": 0.0,
    "dedupe.kernels.measures.BOX": MANY,
    "dedupe.kernels.measures.EDIT": 0,
    "dedupe.kernels.measures.LIST": MANY,
    "dedupe.kernels.measures.LONG_COST": 1.0,
    "dedupe.kernels.measures.PROSE": 0.0,
    "dedupe.scoring.forms.FRAME_PER_SLOT": MANY,
    "dedupe.scoring.forms.MIN_FRAME": 0.0,
    "dedupe.scoring.forms.MIN_SLOTS": 1,
    "dedupe.scoring.forms.OWN_OF_FRAME": 0.0,
    "dedupe.scoring.forms.OWN_OF_REST": 0.0,
    "dedupe.scoring.rule.END_COST": 0.0,
    "dedupe.scoring.rule.ENTRY_COST": 0.0,
    "dedupe.scoring.rule.EXCESS_COST": 0.0,
    "dedupe.scoring.rule.HOLE_COST": 1.0,
    "dedupe.scoring.rule.LEARNED_SCORE": 0.45,
    "dedupe.scoring.rule.LEARNED_WORDS": 0,
    "dedupe.scoring.rule.MAX_NEAR_GAP": MANY,
    "dedupe.scoring.rule.MAX_STRICT_EXCESS": MANY,
    "dedupe.scoring.rule.MAX_STRICT_GAP": MANY,
    "dedupe.scoring.rule.MAX_STRICT_HOLE": MANY,
    "dedupe.scoring.rule.MIN_OWN": 0,
    "dedupe.scoring.rule.MIN_WORDS": 0,
    "dedupe.scoring.rule.NEAR": 1.01,
    "dedupe.scoring.rule.STRICT_CONTAINMENT": 0.01,
    "dedupe.scoring.rule.STRICT_EXCESS": float(MANY),
    "dedupe.scoring.rule.STRICT_HOLE": float(MANY),
}
"""The value with which a constant decides nothing, or nothing that another one does not: a limit
out of reach, a cost of nothing, or of a hole that of an end. Others have none."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How right the library is on a section: mean F1, and pairs that are wrong."""

    f1: float
    n_wrong: int

    def against(self, other: "Figures") -> str:
        """Return how many more pairs are wrong, and what F1 gains; nothing if neither changes.

        >>> Figures(0.99, 5).against(Figures(0.995, 3))
        '+2 (-0.0050)'
        """
        if self == other:
            return ""
        return f"{self.n_wrong - other.n_wrong:+,} ({self.f1 - other.f1:+.4f})"


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a constant and how right the library is with it, section by section."""

    value: Any
    sections: dict[str, Figures]

    @property
    def all(self) -> Figures:
        """Return the mean of the sections, and the sum of what is wrong."""
        return self.of(self.sections)

    def of(self, sections: Collection[str]) -> Figures:
        """Return the mean of some sections, and the sum of what is wrong in them."""
        found = [self.sections[name] for name in sections]
        return Figures(fmean(one.f1 for one in found), sum(one.n_wrong for one in found))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for each constant."""
    options = _parse(arguments)
    wanted = list(_wanted(options.only))
    measured = tuple(groups(options.collections))
    if not measured:
        raise SystemExit(
            f"--collections must begin the names of some, got {options.collections}; "
            f"there are {', '.join(SECTIONS)}"
        )
    end = math.inf if options.minutes is None else time.monotonic() + 60 * options.minutes
    kept = Kept(options.keep, sorted(group.name for group in measured), end)
    rows = []
    with ThreadPoolExecutor(options.processes) as pool:
        now = pool.submit(kept.measure, measured, {})
        asked = [
            (name, {v: pool.submit(kept.measure, measured, {name: v}) for v in others})
            for name, values in wanted
            for others in [sorted({*values} - {current_value(name)})]
        ]
        for name, found in asked:
            current = current_value(name)
            points = {value: one.result() for value, one in found.items()}
            points |= {current: now.result()}
            swept = [Point(value, points[value]) for value in sorted(points)]
            rows.append(row(name, current, swept))
            print(table(name, current, swept).markdown(), end="\n\n", flush=True)
    summary = Table(HEAD, rows, CAPTION)
    print(summary.markdown())
    if options.update:
        update(options.update, {"sweep": summary.markdown()})


class Kept:
    """Measurements in a file, a line for each, so that none is made twice.

    One counts for the same rule, on the same collections or more.
    """

    def __init__(
        self, path: Path | None, collections: Sequence[str], end: float = math.inf
    ) -> None:
        self._path = path
        self._end = end
        self._of: dict[str, Any] = {"rule": RULE_VERSION, "collections": [*collections]}
        self._writing = threading.Lock()
        self._sections: dict[str, dict[str, Figures]] = {}
        for line in path.read_text("utf-8").splitlines() if path and path.exists() else ():
            kept = json.loads(line)
            is_enough = {*collections} <= {*kept["of"]["collections"]}
            if is_enough and kept["of"]["rule"] == RULE_VERSION:
                sections = {name: Figures(*figures) for name, figures in kept["sections"].items()}
                self._sections.setdefault(json.dumps(kept["constants"]), sections)

    def measure(
        self, measured: Sequence[Group], constants: Mapping[str, Any]
    ) -> dict[str, Figures]:
        """Return what is kept of some constants, or measure and keep it; nothing past the end."""
        key = json.dumps(constants)
        if key not in self._sections:
            if constants and time.monotonic() >= self._end:
                return {}
            self._sections[key] = sections = measure(measured, constants)
            figures = {name: (one.f1, one.n_wrong) for name, one in sections.items()}
            line = json.dumps({"of": self._of, "constants": constants, "sections": figures})
            if self._path:
                with self._writing, self._path.open("a", encoding="utf-8") as lines:
                    lines.write(line + "\n")
        return self._sections[key]


def measure(measured: Sequence[Group], constants: Mapping[str, Any]) -> dict[str, Figures]:
    """Run the library in a process of its own with constants changed."""
    collections = [(group.section, one) for group in measured for one in group.collections]
    texts = (one.texts for _, one in collections)
    outcomes = systems.run(systems.OURS, texts, constants=constants, limit=LIMIT)
    if len(outcomes) < len(collections):
        raise SystemExit(f"{constants} did not end within {LIMIT:,.0f} seconds; use --collections")
    found: dict[str, list[Figures]] = {}
    for (section, one), outcome in zip(collections, outcomes, strict=True):
        judged = Judged(one, [])
        counts, n_false = judged.counts(outcome.clusters), judged.n_false(outcome.clusters)
        found.setdefault(section, []).append(Figures(counts.f1, n_false + counts.n_missed))
    return {section: Point(None, dict(enumerate(parts))).all for section, parts in found.items()}


def table(name: str, current: Any, points: Sequence[Point]) -> Table:
    """Return a row for each value, and where the region of the current one is flat."""
    flat = flat_region(points, current)
    now = next(point for point in points if point.value == current)
    rows = []
    for point in points:
        if point is now:
            cells = [f"{one.n_wrong:,} ({one.f1:.4f})" for one in (*now.sections.values(), now.all)]
        else:
            cells = [
                point.sections[section].against(one) if section in point.sections else "not run"
                for section, one in now.sections.items()
            ]
            cells.append(point.all.against(now.of(point.sections)) if point.sections else "not run")
        label = f"{point.value}" + (" (now)" if point is now else "")
        rows.append((label, *cells, "yes" if point in flat else ""))
    head = (name, *now.sections, "all", "flat")
    return Table(
        head,
        rows,
        f"{name}: flat from {flat[0].value} to {flat[-1].value}. Pairs that are wrong, false and "
        "missed, and mean F1; beside other values than now, how these change.",
    )


HEAD = ("constant", "now", "lower", "higher", "without", "not run")
CAPTION = (
    "Each value with the section of the table above whose mean F1 falls most, and by how much; "
    f"with nothing where none falls by more than {TIE}, which is flat. *Without*: a value with "
    "which the constant decides nothing. *Not run*: sections on which this constant was not tried."
)


def row(name: str, current: Any, points: Sequence[Point]) -> tuple[str, ...]:
    """Return the line of a constant in the table of all: what other values cost.

    >>> at = [Point(v, {"x": Figures(f1, 0)}) for v, f1 in ((1, 0.9), (2, 0.99), (3, 0.989))]
    >>> row("dedupe.lsh.Z", 2, at)
    ('lsh.Z', '2', '1: -0.090 x', '3', '', '')
    """
    now = next(point for point in points if point.value == current)
    without = [point for point in points if point.value == WITHOUT.get(name)]
    others = [point for point in points if point not in (now, *without)]
    lower = (point for point in others if point.value < current)
    higher = (point for point in others if point.value > current)
    cells = ("; ".join(_cost(point, now) for point in some) for some in (lower, higher, without))
    tried = [one.sections for one in points if one.sections]
    left_out = [name for name in now.sections if any(name not in one for one in tried)]
    return name.removeprefix("dedupe."), f"{current}", *cells, ", ".join(left_out)


def _cost(point: Point, now: Point) -> str:
    """Return a value and where it costs most, if it costs anything."""
    value = f"{point.value:,}" if isinstance(point.value, int) else f"{point.value}"
    if not point.sections:
        return f"{value}: not run"
    falls = {name: one.f1 - now.sections[name].f1 for name, one in point.sections.items()}
    worst = min(falls, key=lambda name: falls[name])
    return value if falls[worst] >= -TIE else f"{value}: {falls[worst]:.3f} {worst}"


def flat_region(points: Sequence[Point], current: Any) -> list[Point]:
    """Return the values around the current one, without a gap, that are as good in each section.

    >>> points = [Point(v, {"x": Figures(f1, 0)}) for v, f1 in ((1, 0.9), (2, 0.99), (3, 0.989))]
    >>> [point.value for point in flat_region(points, 2)]
    [2, 3]
    """
    start = end = place = [point.value for point in points].index(current)
    now = points[place].sections
    good = [
        bool(point.sections)
        and all(one.f1 >= now[section].f1 - TIE for section, one in point.sections.items())
        for point in points
    ]
    while start > 0 and good[start - 1]:
        start -= 1
    while end + 1 < len(points) and good[end + 1]:
        end += 1
    return list(points[start : end + 1])


@cache
def constants() -> dict[str, tuple[Any, ...]]:
    """Return what is swept by default, with its values.

    >>> constants()["dedupe.scoring.rule.MIN_WORDS"]
    (16, 25, 0)
    """
    found = dict(OTHERS)
    for module in MODULES:
        for name, value in _numbers(importlib.import_module(module)):
            found[f"{module}.{name}"] = tuple(dict.fromkeys(_around(value)))
    for name, value in WITHOUT.items():
        found[name] = tuple(dict.fromkeys((*found[name], value)))
    return found


def _numbers(module: ModuleType) -> Iterator[tuple[str, float]]:
    """Yield the numbers that a module states, but not how many columns a table has."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.Assign):
            for name in (one.id for one in ast.walk(node) if isinstance(one, ast.Name)):
                value = getattr(module, name, None)
                if _is_stated(node.value) and not name.startswith("N_"):
                    yield name, value


def _is_stated(node: ast.expr) -> bool:
    """Return whether an expression is a number, or several."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(
        isinstance(one, ast.Constant) and isinstance(one.value, int | float) for one in parts
    )


def _around(value: float) -> Iterator[float]:
    """Yield other values: of a count whole ones, of a large share by what it is short of 1.

    >>> [*_around(5)], [*_around(0.2)], [*_around(0.8)]
    ([4, 6], [0.16, 0.25], [0.84, 0.75])
    """
    for factor in FACTORS:
        if isinstance(value, int):
            yield round(value * factor)
        else:
            near_1 = 0.5 < value < 1
            yield round(1 - (1 - value) * factor if near_1 else value * factor, 4)


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
    for name in names or constants():
        asked, _, values = name.partition("=")
        ends = [one for one in constants() if f".{one}".endswith(f".{asked}")]
        if len(ends) > 1:
            _refuse(asked, f"it may be any of {', '.join(ends)}")
        constant = ends[0] if ends else asked
        if values:
            yield constant, tuple(ast.literal_eval(value) for value in values.split(","))
        elif ends:
            yield constant, constants()[constant]
        else:
            current_value(constant)
            _refuse(asked, f"it has no values by default, so give some: {asked}=1,2")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", nargs="+", default=[], metavar="NAME[=VALUE,...]", help="some constants")
    add("--collections", nargs="+", default=[], help="names, or their beginnings")
    add("--minutes", type=float, help="when to measure no more")
    add("--keep", type=Path, metavar="FILE", help="where measurements are, and new ones go")
    add("--update", type=Path, nargs="+", default=[], help="write the last table into these files")
    add(
        "--processes",
        type=int,
        choices=range(1, MAX_PROCESSES + 1),
        default=MAX_PROCESSES,
        help="values that are measured at once",
    )
    options = parser.parse_args(arguments)
    if options.update and options.only:
        parser.error("--update must have all constants: leave --only out")
    return options


if __name__ == "__main__":
    main()

"""Tables in Markdown and a plot from the JSON of pytest-benchmark.

    python benchmarks/summary.py FILE.json ...
    python benchmarks/summary.py FILE.json ... --update docs/speed.md --plot docs/growth.svg

The first prints them. The second writes them into files, between the lines
``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``, and draws two plots: seconds, and beside
it, with ``-cost`` in its name, what a document costs. The parts are *bars* (what is to be
reached), *speed* (beside other libraries), *speed-summary* (a few rows of it), *crowds*
(near-copies and templates), *stages* (each by itself), *index* (one that is kept), *scale*
(crawls of several sizes), *growth* (the plots, beside the file that shows them) and *recall*
(candidates).
What the reports have no figures for stays as it is. Ratios are of medians for the same
amount of work, within one run on one machine.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import bars_report
import scale_report
import tables
from recall_report import by_kind, by_similarity
from scale_report import Runs

Row = dict[str, Any]
Report = dict[str, Any]

TIMED = {
    "speed": "test_speed.py",
    "speed-summary": "test_speed.py",
    "crowds": "test_crowd_costs.py",
    "stages": "test_stages.py",
    "index": "test_indexing.py",
}
"""Parts that are one table of times, and the file whose benchmarks are in it."""

SUMMARY = ("text to signatures", "files to clusters", "start-up")
"""The stages in the *speed-summary*, which is for a first look."""

DETAILS = ("tokens alone", "tokens and shingles", "datasketch, `update` with SHA-1", "Python alone")
"""Rows of these stages that it leaves out."""

PLOTTED = "Seconds from files to clusters against the number of documents, for each system"
PLOTTED_COST = "Microseconds a document against the number of documents, for each system"

NOTE = (
    " CPU: median of the processor time. Spread: distance of the quartiles over the median. "
    "Others: how much of one core other programs took meanwhile; where it nears 100 %, threads "
    "had no second core."
)

UNITS: dict[str, Callable[[float], str]] = {
    "n_bytes": lambda time: f"{_digits(1e-6 / time)} MB/s",
    "n_shingles": lambda time: f"{_digits(time * 1e9)} ns a shingle",
    "n_pairs": lambda time: f"{_digits(time * 1e6)} µs a pair",
    "n_documents": lambda time: f"{_digits(time * 1e6)} µs a document",
}
"""Amounts of work by name, and how to say the seconds that one of it takes."""


def table(rows: Sequence[Row]) -> str:
    """Return the table of some benchmarks."""
    lines = [
        "| stage | what | rate | median | CPU | spread | others | in comparison |",
        "|---|---|--:|--:|--:|--:|--:|---|",
    ]
    last = None
    for row in rows:
        stage = row["group"] if row["group"] != last else ""
        last = row["group"]
        peers = [other for other in rows if other["group"] == last]
        cells = [
            stage,
            row["extra_info"].get("label", row["name"]),
            rate(row),
            seconds(row["stats"]["median"]),
            seconds(row["extra_info"]["cpu"]),
            spread(row["stats"]),
            f"{100 * row['extra_info'].get('others', 0):.0f} %",
            "; ".join(comparisons(row, peers)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def rate(row: Row) -> str:
    """Return what a benchmark got through in its time, in the unit of its work."""
    says = (say for name, say in UNITS.items() if name in row["extra_info"])
    return next((say(_time_of_one(row)) for say in says), "")


def seconds(time: float) -> str:
    """Return a time in a unit that suits it.

    >>> seconds(0.0281), seconds(12.34)
    ('28.1 ms', '12.3 s')
    """
    return f"{_digits(time)} s" if time >= 1 else f"{_digits(time * 1e3)} ms"


def spread(stats: dict[str, float]) -> str:
    """Return the distance between the quartiles, in percent of the median."""
    return f"{100 * stats['iqr'] / stats['median']:.0f} %" if stats["rounds"] > 2 else ""


def comparisons(row: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Yield how many times faster a benchmark is than each reference of its group."""
    if not row["extra_info"].get("reference"):
        for other in rows:
            if reference := other["extra_info"].get("reference"):
                ratio = _time_of_one(other) / _time_of_one(row)
                digits = f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"
                yield f"{digits} × {reference}"
    if "note" in row["extra_info"]:
        yield row["extra_info"]["note"]


def caption(report: Report) -> str:
    """Say where, with what and on what the figures were measured."""
    machine = report["machine_info"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    commit = report["commit_info"]
    state = commit["id"][:10] if len(commit["id"]) == 40 else "unknown"
    state += " with changes" if commit["dirty"] else ""
    missing = ", ".join(machine.get("missing", ()))
    left_out = f" Not installed: {missing}." if missing else ""
    return (
        f"{machine['cpu'].get('brand_raw', machine['processor'])}, {machine['cores']} cores, "
        f"{machine['system']}; Python {machine['python_version']}, {packages}; "
        f"commit {state}, {report['datetime'][:10]}. "
        f"Texts: {machine['texts']}. Word 5-grams, 128 permutations.{left_out}"
    )


def parts_of(
    reports: Sequence[Report], plot: Path | None, *, for_update: bool = False
) -> dict[str, str]:
    """Return the parts of a document that some reports have figures for, in Markdown.

    Writes the plots as well, if they are asked for and there is anything to draw. For an
    update the bars are left out unless all have figures, but for those of a million
    documents, so that what is measured by itself does not take the others' figures away.
    """
    parts = {}
    for part, file in TIMED.items():
        timed = _rows(reports, lambda row, file=file: file in row["fullname"])
        if part == "speed-summary":
            timed = [row for row in timed if _is_for_a_first_look(row)]
        if timed:
            parts[part] = table(timed) + _captions(reports, timed, NOTE)
    timed = _rows(reports, lambda row: row["extra_info"].get("label") is not None)
    measured = _rows(reports, lambda row: "scale" in row["extra_info"])
    counted = _rows(reports, lambda row: "recall" in row["extra_info"])
    runs = Runs(row["extra_info"]["scale"] for row in measured)
    recalls = sorted((row["extra_info"]["recall"] for row in counted), key=lambda one: one["size"])
    has_bars = bars_report.is_whole if for_update else bars_report.is_measured
    if has_bars(runs, timed):
        shown = [bars_report.table(runs, timed)]
        parts = {"bars": _joined(shown) + _captions(reports, timed)} | parts
    if runs.done:
        shown = [scale_report.growth(runs), scale_report.stages(runs)]
        parts["scale"] = _joined(shown) + _captions(reports, measured)
        if plot:
            cost = plot.with_stem(f"{plot.stem}-cost")
            plot.write_text(scale_report.plot(runs), "utf-8", newline="\n")
            cost.write_text(scale_report.plot_cost(runs), "utf-8", newline="\n")
            parts["growth"] = f"![{PLOTTED}]({plot.name})\n\n![{PLOTTED_COST}]({cost.name})"
    if recalls:
        shown = [by_similarity(recalls[-1]), by_kind(recalls[-1])]
        parts["recall"] = _joined(shown) + _captions(reports, counted)
    return parts


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, or update files with them."""
    parser = argparse.ArgumentParser(
        prog="summary",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "reports", type=Path, nargs="+", metavar="FILE", help="JSON written by --benchmark-json"
    )
    parser.add_argument("--update", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="where to draw how time grows")
    options = parser.parse_args(arguments)
    reports = []
    for path in options.reports:
        try:
            reports.append(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            parser.error(f"cannot read {path}: {error}")
    parts = parts_of(reports, options.plot, for_update=bool(options.update))
    if options.update:
        tables.update(options.update, parts)
    else:
        parts.pop("speed-summary", None)  # All of it stands in *speed*.
        print("\n\n".join(parts.values()))


def _is_for_a_first_look(row: Row) -> bool:
    """Return whether a row belongs in the *speed-summary*."""
    return row["group"] in SUMMARY and row["extra_info"].get("label") not in DETAILS


def _rows(reports: Sequence[Report], is_wanted: Callable[[Row], bool]) -> list[Row]:
    """Return the rows of all reports that are wanted."""
    return [row for report in reports for row in _rows_of(report) if is_wanted(row)]


def _rows_of(report: Report) -> Iterator[Row]:
    """Yield the benchmarks of a report; of one that was of several in turn, a row for each."""
    for one in report["benchmarks"]:
        facts = one["extra_info"]
        if "turns" not in facts:
            yield one
        for turn in facts.get("turns", ()):
            times = turn["seconds"]
            stats = {"median": median(times), "iqr": _quartiles(times), "rounds": len(times)}
            yield one | {"stats": stats, "extra_info": turn | {"others": facts["others"]}}


def _quartiles(times: Sequence[float]) -> float:
    """Return the distance between the quartiles."""
    first, _, third = quantiles(times, method="inclusive") if len(times) > 1 else (0.0, 0.0, 0.0)
    return third - first


def _joined(shown: Sequence[tables.Table]) -> str:
    return "\n\n".join(one.markdown() for one in shown)


def _captions(reports: Sequence[Report], rows: Sequence[Row], note: str = "") -> str:
    """Return a paragraph for each run that some of the rows are from."""
    wanted = [one for one in reports if any(row in rows for row in _rows_of(one))]
    return "".join(f"\n\n{one}" for one in dict.fromkeys(caption(one) + note for one in wanted))


def _time_of_one(row: Row) -> float:
    """Return the time for one byte, shingle, pair or document."""
    facts = row["extra_info"]
    amount = next((facts[name] for name in UNITS if name in facts), 1)
    return float(row["stats"]["median"] / amount)


def _digits(number: float) -> str:
    """Return three digits, without an exponent.

    >>> _digits(0.0532), _digits(6.04), _digits(166.7), _digits(1234.5)
    ('0.0532', '6.04', '167', '1,234')
    """
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


if __name__ == "__main__":
    main()

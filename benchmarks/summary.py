"""A table of speeds in Markdown from the JSON of pytest-benchmark.

``python benchmarks/summary.py FILE.json`` prints it, of several files one after the other;
``--update README.md docs/speed.md`` writes it into those files instead, between
the lines ``<!-- speed:begin -->`` and ``<!-- speed:end -->``, all of them or none.
Ratios are of medians for the same amount of work, within one run on one machine.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["main", "replace_between", "table"]

BEGIN = "<!-- speed:begin -->"
END = "<!-- speed:end -->"

Row = dict[str, Any]


def table(report: dict[str, Any]) -> str:
    """Return the table of a run, with where and with what it was measured."""
    rows: list[Row] = report["benchmarks"]
    lines = [
        "| stage | what | rate | median | spread | others | in comparison |",
        "|---|---|--:|--:|--:|--:|---|",
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
            spread(row["stats"]),
            f"{100 * row['extra_info'].get('others', 0):.0f} %",
            "; ".join(comparisons(row, peers)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", caption(report)])


def rate(row: Row) -> str:
    """Return what a benchmark got through in its time, in the unit of its work."""
    median = row["stats"]["median"]
    facts = row["extra_info"]
    if "n_bytes" in facts:
        return f"{_digits(facts['n_bytes'] / median / 1e6)} MB/s"
    if "n_pairs" in facts:
        return f"{_digits(median / facts['n_pairs'] * 1e6)} µs a pair"
    if "n_documents" in facts:
        return f"{_digits(median / facts['n_documents'] * 1e6)} µs a document"
    return ""


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


def caption(report: dict[str, Any]) -> str:
    """Say where, with what and on what the figures were measured."""
    machine = report["machine_info"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    commit = report["commit_info"]
    state = commit["id"][:10] if len(commit["id"]) == 40 else "unknown"
    state += " with changes" if commit["dirty"] else ""
    return (
        f"{machine['cpu'].get('brand_raw', machine['processor'])}, {machine['cores']} cores, "
        f"{machine['system']}; Python {machine['python_version']}, {packages}; "
        f"commit {state}, {report['datetime'][:10]}. "
        f"English: {machine['texts']}. Word 5-grams, 128 permutations. "
        "Spread: distance of the quartiles over the median. Others: how much of one core "
        "other programs took meanwhile; where it nears 100 %, threads had no second core."
    )


def replace_between(text: str, new: str, where: str) -> str:
    r"""Return a text with what stands between the two markers replaced.

    >>> replace_between(f"a\n{BEGIN}\nold\n{END}\nz", "new", "README.md").split("\n")
    ['a', '<!-- speed:begin -->', 'new', '<!-- speed:end -->', 'z']
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(
            f"summary: {where} must hold the lines {BEGIN} and {END}, in this order: "
            "put them where the table belongs"
        )
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or update files with it."""
    parser = argparse.ArgumentParser(prog="summary", description=__doc__)
    parser.add_argument(
        "reports", type=Path, nargs="+", metavar="FILE", help="JSON written by --benchmark-json"
    )
    parser.add_argument("--update", type=Path, nargs="+", default=[], metavar="FILE")
    options = parser.parse_args(arguments)
    reports = []
    for path in options.reports:
        try:
            reports.append(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError) as error:
            parser.error(f"cannot read {path}: {error}")
    rows = [row for report in reports for row in report["benchmarks"]]
    markdown = table({**reports[0], "benchmarks": rows})
    if not options.update:
        print(markdown)
    updated = {
        path: replace_between(path.read_text("utf-8"), markdown, str(path))
        for path in options.update
    }
    for path, text in updated.items():
        path.write_text(text, "utf-8", newline="\n")


def _time_of_one(row: Row) -> float:
    """Return the time for one byte, pair or document."""
    facts = row["extra_info"]
    amount = next((facts[key] for key in ("n_bytes", "n_pairs", "n_documents") if key in facts), 1)
    return float(row["stats"]["median"] / amount)


def _digits(number: float) -> str:
    """Return three digits, without an exponent.

    >>> _digits(0.0532), _digits(6.04), _digits(166.7), _digits(1234.5)
    ('0.0532', '6.04', '167', '1,234')
    """
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


if __name__ == "__main__":
    main()

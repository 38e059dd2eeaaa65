"""Measure whatever has a bar, and print every bar, its goal, what was measured, and a verdict.

    python benchmarks/bars.py                              about ten minutes
    python benchmarks/bars.py --sizes 100000,1000000       and a million documents: an hour
    python benchmarks/bars.py --source FOLDER --keep bars.json

Figures count on a quiet machine alone. The docs get this table with all others, from a
whole report: see `summary`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import summary

HERE = Path(__file__).parent
NEEDED = (
    "test_speed.py::test_sketches",
    "test_speed.py::test_files",
    "test_speed.py::test_start",
    "test_scale.py::test_lines",
    "test_crowd_costs.py::test_crowd",
)
"""The benchmarks that have figures for a bar."""

# Start-ups other than the second have no bar, nor have crawls that no ratio is made of.
NOT_NEEDED = "not help and not import and not alone and not gaoya and not FastSketchLSH"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="bars", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--sizes", default="100000", help="documents of each crawl, with commas (%(default)s)")
    add("--crowds", default="6000,20000", help="documents of each crowd (%(default)s)")
    add("--source", type=Path, help="articles: JSON Lines with text, or a folder of .txt")
    add("--keep", type=Path, metavar="JSON", help="where to keep the report of pytest-benchmark")
    options = parser.parse_args(arguments)
    if options.source and not options.source.exists():
        parser.error(f"--source must be a file or folder that exists, got {options.source}")
    with tempfile.TemporaryDirectory() as folder:
        path = (options.keep or Path(folder) / "bars.json").resolve()
        command = [sys.executable, "-m", "pytest", *(f"{HERE / one}" for one in NEEDED)]
        command += ["-q", "-k", NOT_NEEDED, "--benchmark-only", f"--benchmark-json={path}"]
        command += ["--sizes", options.sizes, "--crowds", options.crowds]
        command += ["--source", str(options.source.resolve())] if options.source else []
        # What pytest says goes where it does not get into the table.
        if subprocess.run(command, cwd=HERE.parent, stdout=sys.stderr, check=False).returncode:
            raise SystemExit("a benchmark failed, as said above, so there is no table")
        report = json.loads(path.read_text("utf-8"))
    print(summary.parts_of([report], None)["bars"])


if __name__ == "__main__":
    main()

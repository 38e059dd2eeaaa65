"""One system on one crawl, in a process of its own: time, memory, and what it found.

    python benchmarks/scale.py dedupe crawl.jsonl
    python benchmarks/scale.py datasketch crawl.jsonl

Prints a line of JSON. ``crawl.gold.csv`` must lie beside the crawl, as `crawl`
writes it. A *planted pair* is a copy with the document that it was made from.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import comb
from pathlib import Path
from typing import Any

from collection import read_lines

Clusters = Iterable[Sequence[str]]
Facts = dict[str, Any]


def measure(system: str, path: Path, limit: float, workers: int) -> Facts | None:
    """Run a system on a crawl in another process; None if it takes longer than the limit."""
    command = [sys.executable, __file__, system, str(path), "--workers", str(workers)]
    try:
        ran = subprocess.run(
            command, check=True, capture_output=True, timeout=limit, encoding="utf-8"
        )
    except subprocess.TimeoutExpired:
        return None
    facts: Facts = json.loads(ran.stdout)
    return facts


def run_dedupe(path: Path, workers: int) -> tuple[Clusters, Facts]:
    """Run this library, and take the time of each stage."""
    import dedupe  # noqa: PLC0415  Others must not pay for it.

    stages: Counter[str] = Counter()
    last = ["reading", time.perf_counter()]

    def note(step: dedupe.Progress) -> None:
        now = time.perf_counter()
        stages[str(last[0])] += now - float(last[1])
        last[:] = [step.stage, now]

    result = dedupe.find_duplicates(path, workers=workers, progress=note)
    stages[str(last[0])] += time.perf_counter() - float(last[1])
    shares = {stage: round(seconds, 2) for stage, seconds in stages.items()}
    return [cluster.members for cluster in result.clusters], {"stages": shares}


def run_peer(find: Callable[[Iterable[str]], list[int]], path: Path) -> tuple[Clusters, Facts]:
    """Run one of the other libraries on the texts of a file."""
    rows = list(read_lines(path))
    labels = find(row["text"] for row in rows)
    groups: dict[int, list[str]] = {}
    for row, label in zip(rows, labels, strict=True):
        groups.setdefault(label, []).append(row["id"])
    return [group for group in groups.values() if len(group) > 1], {}


def judge(clusters: Clusters, gold: Path) -> Facts:
    """Return which share of the planted pairs is found, by kind, and how many pairs are wrong."""
    with gold.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    cluster_of = {name: n for n, cluster in enumerate(clusters) for name in cluster}
    found: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    for row in rows:
        if row["made_from"] not in ("", row["id"]):
            planted[row["kind"]] += 1
            place = cluster_of.get(row["id"])
            found[row["kind"]] += place is not None and place == cluster_of.get(row["made_from"])
    stories: dict[int, Counter[str]] = {}
    for row in rows:
        if row["id"] in cluster_of:
            stories.setdefault(cluster_of[row["id"]], Counter())[row["story"]] += 1
    n_false = sum(
        comb(counts.total(), 2) - sum(comb(n, 2) for n in counts.values())
        for counts in stories.values()
    )
    return {
        "n_documents": len(rows),
        "recall": found.total() / planted.total(),
        "recall_by_kind": {kind: found[kind] / n for kind, n in planted.items()},
        "n_false": n_false,
    }


def main() -> None:
    """Run a system and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("system", choices=("dedupe", "datasketch", "rensa"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    started = time.perf_counter()
    if options.system == "dedupe":
        clusters, facts = run_dedupe(options.path, options.workers)
    else:
        import peers  # noqa: PLC0415  They may not be installed.

        find = peers.datasketch_clusters if options.system == "datasketch" else peers.rensa_clusters
        clusters, facts = run_peer(find, options.path)
    facts["seconds"] = time.perf_counter() - started
    facts["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    facts["n_bytes"] = options.path.stat().st_size
    facts |= judge(clusters, options.path.with_name(f"{options.path.stem}.gold.csv"))
    print(json.dumps(facts))


if __name__ == "__main__":
    main()

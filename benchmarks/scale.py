"""One system on one crawl, in a process of its own: time, memory, and what it found.

    python benchmarks/scale.py dedupe crawl.jsonl
    python benchmarks/scale.py dedupe FOLDER --workers 2
    python benchmarks/scale.py datasketch crawl.jsonl

Prints a line of JSON; beside each time stands the processor time. The crawl is one that
`crawl` wrote, with its gold beside it. A *planted pair* is a copy with the document that
it was made from. The time is that from before the library is imported until it has said
what belongs together.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import comb
from pathlib import Path
from typing import Any

from storage import Gold, name_of, read_gold, read_texts
from systems import peak_mb

Clusters = Iterable[Sequence[str]]
Facts = dict[str, Any]
Report = Callable[[Path], None]

OURS = "dedupe"
SYSTEMS = (OURS, "datasketch", "rensa", "gaoya", "FastSketchLSH", "dedup-rs", "minhashlib")
"""Ours, and those in `peers.CLUSTERS`, which is not imported for ours."""

GROWN = ("datasketch", "rensa", "gaoya", "FastSketchLSH")
"""Other libraries that are tried at every size; the rest take longer than datasketch or as long."""

N_THREADS = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Other libraries have one thread."""


def measure(
    system: str, path: Path, limit: float, workers: int, *, report: bool = False
) -> Facts | None:
    """Run a system on a crawl in another process; None if it takes longer than the limit."""
    command = [sys.executable, __file__, system, str(path), "--workers", str(workers)]
    command += ["--report"] * report
    environment = os.environ | N_THREADS
    try:
        ran = subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            timeout=limit,
            encoding="utf-8",
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return None
    facts: Facts = json.loads(ran.stdout)
    return facts


def run_dedupe(path: Path, workers: int) -> tuple[Clusters, Facts, Report]:
    """Run this library, take the times of each stage, and return what writes its report."""
    stages: Counter[str] = Counter()
    cpu: Counter[str] = Counter()
    began = now()

    from dedupe import Progress, find_duplicates  # noqa: PLC0415  Others must not pay for it.

    last = now()
    stages["start"], cpu["start"] = (b - a for a, b in zip(began, last, strict=True))
    stage, was_done = "", True

    def add(name: str) -> None:
        nonlocal last
        last, before = now(), last
        stages[name] += last[0] - before[0]
        cpu[name] += last[1] - before[1]

    def note(step: Progress) -> None:
        nonlocal stage, was_done
        # Who says that something is done did it since the last word, unless that was of
        # another stage that had only begun.
        is_new = step.stage != stage and not was_done
        add(step.stage if step.done and not is_new else stage)
        stage, was_done = step.stage, step.done > 0

    result = find_duplicates(path, workers=workers, progress=note)
    clusters = [[name_of(member) for member in cluster.members] for cluster in result.clusters]
    add(stage)
    facts = {
        "stages": {name: round(seconds, 3) for name, seconds in stages.items()},
        "stages_cpu": {name: round(seconds, 3) for name, seconds in cpu.items()},
    }
    return clusters, facts, result.to_html


def run_peer(system: str, path: Path) -> tuple[Clusters, Facts]:
    """Run one of the other libraries on the texts of a crawl."""
    import peers  # noqa: PLC0415  Ours must not pay for them.

    find = peers.CLUSTERS[system]
    names: list[str] = []

    def texts() -> Iterable[str]:
        for name, text in read_texts(path):
            names.append(name)
            yield text

    labels = find(texts())
    return peers.grouped(names, labels), {}


def now() -> tuple[float, float]:
    """Return wall time and processor time."""
    return time.perf_counter(), time.process_time()


def since(began: tuple[float, float]) -> Facts:
    """Return the wall time and the processor time that have passed."""
    seconds, cpu = (b - a for a, b in zip(began, now(), strict=True))
    return {"seconds": seconds, "cpu": cpu}


def judge(clusters: Clusters, gold: Iterable[Gold]) -> Facts:
    """Return which share of the planted pairs is found, by kind, and how many pairs are wrong.

    >>> row = Gold("a", "a", "own", "", 9)
    >>> copies = [row._replace(id=name, kind="same", made_from="a") for name in "bc"]
    >>> facts = judge([["a", "b", "x"]], [row, *copies, row._replace(id="x", story="x")])
    >>> facts["recall"], facts["n_false"]
    (0.5, 2)
    """
    cluster_of = {name: n for n, cluster in enumerate(clusters) for name in cluster}
    found: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    stories: dict[int, Counter[str]] = {}
    n_documents = n_bytes = 0
    for row in gold:
        n_documents += 1
        n_bytes += row.n_bytes
        place = cluster_of.get(row.id)
        if row.is_planted:
            planted[row.kind] += 1
            found[row.kind] += place is not None and place == cluster_of.get(row.made_from)
        if place is not None:
            stories.setdefault(place, Counter())[row.story] += 1
    n_false = sum(
        comb(counts.total(), 2) - sum(comb(n, 2) for n in counts.values())
        for counts in stories.values()
    )
    return {
        "n_documents": n_documents,
        "n_bytes": n_bytes,
        "recall": found.total() / planted.total(),
        "recall_by_kind": {kind: found[kind] / n for kind, n in planted.items()},
        "n_false": n_false,
    }


def main() -> None:
    """Run a system and print what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("path", type=Path, help="a .jsonl file, or a folder")
    parser.add_argument("--workers", type=int, default=1, help="threads of ours")
    parser.add_argument("--report", action="store_true", help="time a page of HTML, too")
    options = parser.parse_args()
    write_report: Report | None = None
    started = now()
    if options.system == OURS:
        clusters, facts, write_report = run_dedupe(options.path, options.workers)
    else:
        clusters, facts = run_peer(options.system, options.path)
    facts |= since(started)
    facts["peak_mb"] = peak_mb()
    if write_report and options.report:
        with tempfile.TemporaryDirectory() as folder:
            started = now()
            write_report(Path(folder) / "report.html")
            facts["report"] = since(started)
    print(json.dumps(facts | judge(clusters, read_gold(options.path))))


if __name__ == "__main__":
    main()

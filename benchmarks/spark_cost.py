"""What a search on Spark costs beside one machine, and what it would cost of a billion articles.

    python benchmarks/spark_cost.py measure -n 20000 --json cost.json
    python benchmarks/spark_cost.py model cost.json
    python benchmarks/spark_cost.py hostile -n 20000

`measure` searches a made crawl with one thread and with ``local[2]``, and says for each stage how
much of the processor's time it takes, of Java and Python together, and how many bytes a document
it shuffles. `model` makes of that core-hours, shuffle and money; what it takes for granted stands
in `ASSUMED`, and what others have published in `PUBLISHED`. `hostile` searches near-copies and
pages of one template among ordinary documents, as many of each, and fails where one task holds up
the search, by `Tasks.is_uneven`, or the driver is sent more than `MAX_COLLECTED` bytes a document.
Needs Java and the extra ``spark``.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crawl import Crawl
from crowds import make
from material import invented_material

ASSUMED = {
    "dollars a core-hour": 0.05,
    "growth of candidates for each tenfold": 1.35,
    "growth of all else for each tenfold": 1.1,
}
"""A vCPU of a large cloud on demand, with its share of memory and disk; and how much more an
article of a collection ten times as large costs. Candidates grew so on the made crawl."""

PUBLISHED = {
    "datatrove, 8 TB on 2,400 tasks in 61 minutes": (8.0, 2400 * 61 / 60, "core"),
    "SlimPajama, 1.21 T tokens on 64 cores in 2.5 days": (1.21 * 4, 64 * 2.5 * 24, "core"),
    "SEDD, 1.2 T tokens on 32 GPUs in 3 hours": (1.2 * 4, 32 * 3.0, "GPU"),
}
"""What others say of theirs: terabytes of text, hours, and of what. A token is taken for four
bytes, and a task for one core that works all the time."""

MAX_SKEW, MIN_SHARE = 4, 0.01
"""A stage may wait for its longest task so many times as long as if it were cut evenly; and a task
with less than such a share of all work is too short for anybody to notice. A median says neither:
beside empty tasks of 10 ms a second is a hundred medians."""

WARM_UP = 600
"""Documents that are searched before a search of crowds is measured."""

MAX_COLLECTED, STATUS_BYTES = 50, 8192
"""Bytes a document that the driver may be sent, and those that a task sends to say how it went."""

SIZES = (10_000_000, 100_000_000, 1_000_000_000)


def cpu_of_all() -> float:
    """Return the seconds of processor time of this process and all that it started."""
    parents, seconds = {}, {}
    ticks = os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It has ended meanwhile.
        parents[int(folder.name)] = int(told[1])
        seconds[int(folder.name)] = sum(map(int, told[11:15])) / ticks
    ours, found = {os.getpid()}, set()
    while ours != found:
        found = set(ours)
        ours |= {pid for pid, parent in parents.items() if parent in ours}
    return sum(seconds[pid] for pid in ours if pid in seconds)


def shuffled(folder: Path) -> dict[str, int]:
    """Return the bytes that each stage has shuffled, by Spark's log of events."""
    stage_of, found = {}, defaultdict(int)
    for path in sorted(folder.rglob("events_*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerJobStart":
                name = (event.get("Properties") or {}).get("spark.job.description", "")
                stage_of |= dict.fromkeys(event["Stage IDs"], name.removeprefix("dedupe: "))
            elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                written = event["Task Metrics"]["Shuffle Write Metrics"]
                found[stage_of[event["Stage ID"]]] += written["Shuffle Bytes Written"]
    return dict(found)


def logged(folder: Path, texts: dict[str, str]) -> tuple[Any, Any]:
    """Return a session that logs its events to a folder, and a frame of some texts."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from dedupe.spark.session import LOCAL  # noqa: PLC0415

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]")
    # Java as `dedupe spark find` starts it.
    for name, value in {
        **LOCAL,
        "spark.ui.enabled": "false",
        "spark.local.dir": str(folder),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": str(folder),
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    # Through Spark all texts would be in the memory of the driver.
    path = folder / "texts.parquet"
    pq.write_table(pa.table({"id": [*texts], "text": [*texts.values()]}), path)
    return session, session.read.parquet(str(path))


@dataclass
class Tasks:
    """The tasks of one stage of Spark.

    Attributes
    ----------
    name : str
        Of the stage of the search.
    seconds : list of float
        What each task took.
    collected : int
        Bytes that they sent to the driver.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    collected: int = 0

    @property
    def longest(self) -> float:
        """Seconds of the longest task."""
        return max(self.seconds, default=0.0)

    def skew(self, partitions: int) -> float:
        """Return how many times a partition's even share of the stage its longest task took.

        It is at most `partitions`, where one task does everything.

        >>> Tasks("hashing", [3.0, 1.0, 0.0, 0.0]).skew(4)
        3.0
        """
        return self.longest * partitions / (sum(self.seconds) or 1.0)

    def is_uneven(self, partitions: int, work: float) -> bool:
        """Return whether the longest task holds up a search that takes `work` seconds of tasks."""
        return self.longest >= MIN_SHARE * work and self.skew(partitions) > MAX_SKEW


def tasks_of(folder: Path) -> list[Tasks]:
    """Return the tasks of each stage, by Spark's log of events.

    A task says with its result how it went, some kilobytes; of that nothing is counted.
    """
    found: dict[int, Tasks] = {}
    results: dict[int, list[int]] = defaultdict(list)
    for path in sorted(folder.rglob("events_*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            if event["Event"] == "SparkListenerJobStart":
                name = (event.get("Properties") or {}).get("spark.job.description", "")
                for stage in event["Stage IDs"]:
                    found.setdefault(stage, Tasks(name.removeprefix("dedupe: ")))
            elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
                facts, stage = event["Task Metrics"], found[event["Stage ID"]]
                stage.seconds.append(facts["Executor Run Time"] / 1000)
                if event["Task Type"] == "ResultTask":
                    results[event["Stage ID"]].append(facts["Result Size"])
    for stage, sizes in results.items():
        found[stage].collected = sum(max(0, size - STATUS_BYTES) for size in sizes)
    return [*found.values()]


def hostile(n_docs: int, partitions: int) -> bool:
    """Search crowds among ordinary documents; print how evenly the work was cut."""
    from dedupe.spark import find_duplicates  # noqa: PLC0415

    material = invented_material()
    texts = {item.id: item.text for item in Crawl(material, n_docs)}
    for kind in ("near-copies", "one template"):
        texts |= {f"{kind}/{id_}": text for id_, text in make(kind, material, n_docs).texts.items()}
    folder = Path(tempfile.mkdtemp())
    session, frame = logged(folder, texts)
    # Some of each kind, or the first task with a crowd would load or compile what only crowds need.
    some = [*texts][:: max(1, len(texts) // WARM_UP)]
    find_duplicates(frame.where(frame["id"].isin(some)), partitions=partitions)
    n_before = len(tasks_of(folder))
    began, cpu = time.perf_counter(), cpu_of_all()
    answer = find_duplicates(frame, partitions=partitions)
    cpu = cpu_of_all() - cpu
    n_kept = answer.documents.where("duplicate_of is null").count()
    seconds = time.perf_counter() - began
    session.stop()
    stages = tasks_of(folder)[n_before:]
    collected = sum(stage.collected for stage in stages) / len(texts)
    print(
        f"{len(texts):,} documents, {n_kept:,} kept, {cpu:,.0f} s of the processor "
        f"in {seconds:,.0f} s"
    )
    work = sum(sum(stage.seconds) for stage in stages)
    print(f"{work:,.0f} s of tasks; the longest tasks:\n")
    print("| stage | tasks | all s | longest s | of all work | times its share |")
    print("|---|--:|--:|--:|--:|--:|")
    for stage in sorted(stages, key=lambda one: -one.longest)[:12]:
        columns = f"{sum(stage.seconds):.1f} | {stage.longest:.1f} | {stage.longest / work:.1%}"
        skew = stage.skew(partitions)
        print(f"| {stage.name} | {len(stage.seconds)} | {columns} | {skew:.1f} |")
    print(f"\n{collected:.1f} bytes a document collected to the driver")
    for stage in sorted(stages, key=lambda one: -one.collected)[:4]:
        print(f"  {stage.collected:,} bytes in {stage.name}")
    is_even = not any(stage.is_uneven(partitions, work) for stage in stages)
    return collected <= MAX_COLLECTED and is_even


def alone(texts: dict[Any, str]) -> tuple[int, float, float]:
    """Search texts with one thread; return the pairs, and the CPU time of all and of candidates."""
    from dedupe import find_duplicate_texts  # noqa: PLC0415
    from dedupe.engine import local  # noqa: PLC0415
    from dedupe.lsh import candidate_pairs  # noqa: PLC0415

    find_duplicate_texts(dict([*texts.items()][:100]), workers=1)
    of_candidates = 0.0

    def timed(*inputs: Any, **settings: Any) -> Any:
        nonlocal of_candidates
        start = time.process_time()
        found = candidate_pairs(*inputs, **settings)
        of_candidates += time.process_time() - start
        return found

    local.candidate_pairs = timed  # type: ignore[attr-defined]
    start = cpu_of_all()
    result = find_duplicate_texts(texts, workers=1)
    return len(result.scored), cpu_of_all() - start, of_candidates


def marked() -> list[tuple[str, float]]:
    """Return a list that grows by each stage a job tells, with the CPU time until then."""
    from dedupe.spark.job import Job  # noqa: PLC0415

    marks: list[tuple[str, float]] = []
    plain = Job.tell

    def tell(job: Job, stage: str) -> None:
        marks.append((stage, cpu_of_all()))
        plain(job, stage)

    Job.tell = tell  # type: ignore[method-assign]
    return marks


def measure(n_docs: int, partitions: int | None) -> dict[str, object]:
    """Search a made crawl both ways."""
    from dedupe.spark import find_duplicates  # noqa: PLC0415

    texts = {item.id: item.text for item in Crawl(invented_material(), n_docs)}
    n_pairs, cpu, of_candidates = alone(texts)
    folder = Path(tempfile.mkdtemp())
    session, frame = logged(folder, texts)
    find_duplicates(frame.limit(50), partitions=partitions)
    marks = marked()
    of_warm_up, began = shuffled(folder), time.perf_counter()
    answer = find_duplicates(frame, partitions=partitions)
    marks.append(("end", cpu_of_all()))
    seconds = time.perf_counter() - began
    n_same = answer.pairs.count() == n_pairs
    session.stop()
    stages: dict[str, dict[str, float]] = {}
    for (name, one), (_, other) in pairwise(marks):
        stages[name] = {"cpu": stages.get(name, {"cpu": 0.0})["cpu"] + other - one}
    written = shuffled(folder)
    for name, facts in stages.items():
        n_bytes = written.get(name, 0) - of_warm_up.get(name, 0)
        facts["shuffle"] = n_bytes / n_docs
    return {
        "documents": n_docs,
        "bytes": sum(len(text.encode()) for text in texts.values()),
        "cpu of one thread": cpu,
        "of which candidates": of_candidates,
        "seconds": seconds,
        "same number of pairs": n_same,
        "stages": stages,
    }


def model(found: dict[str, object]) -> None:
    """Print what larger collections would cost, beside what others say of theirs."""
    stages, size = found["stages"], found["bytes"] / found["documents"]
    beside = []
    print("| documents | TB of text | core-hours | TB shuffled | dollars |\n|--:|--:|--:|--:|--:|")
    for n_docs in SIZES:
        tenfolds = log10(n_docs / found["documents"])
        cpu = shuffle = 0.0
        for name, facts in stages.items():
            kind = "candidates" if name == "candidates" else "all else"
            growth = ASSUMED[f"growth of {kind} for each tenfold"] ** tenfolds
            cpu += facts["cpu"] / found["documents"] * growth
            shuffle += facts["shuffle"] * growth
        hours = cpu * n_docs / 3600
        dollars = hours * ASSUMED["dollars a core-hour"]
        text, moved = size * n_docs / 1e12, shuffle * n_docs / 1e12
        print(f"| {n_docs:,} | {text:,.2f} | {hours:,.0f} | {moved:,.2f} | {dollars:,.0f} |")
        beside.append((f"this, {n_docs:,} documents", text, hours, "core"))
    print("\n| what | TB of text | hours | hours a TB |\n|---|--:|--:|--:|")
    told = [(name, *facts) for name, facts in PUBLISHED.items()]
    for name, text, hours, of_what in [*beside, *told]:
        print(f"| {name} | {text:,.2f} | {hours:,.0f} {of_what} | {hours / text:,.0f} {of_what} |")


def main() -> None:
    """Measure, or make a model of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("-n", type=int, default=20_000)
    measuring.add_argument("--partitions", type=int)
    measuring.add_argument("--json", type=Path, required=True)
    commands.add_parser("model").add_argument("json", type=Path)
    crowding = commands.add_parser("hostile")
    crowding.add_argument("-n", type=int, default=20_000)
    crowding.add_argument("--partitions", type=int, default=8)
    options = parser.parse_args()
    if options.command == "hostile":
        sys.exit(not hostile(options.n, options.partitions))
    if options.command == "model":
        model(json.loads(options.json.read_text(encoding="utf-8")))
        return
    found = measure(options.n, options.partitions)
    options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    total = sum(facts["cpu"] for facts in found["stages"].values())
    print("| stage | CPU s | bytes a document shuffled |\n|---|--:|--:|")
    for name, facts in found["stages"].items():
        print(f"| {name} | {facts['cpu']:.1f} | {facts['shuffle']:,.0f} |")
    alone, candidates = found["cpu of one thread"], found["of which candidates"]
    times = found["stages"]["candidates"]["cpu"] / candidates
    n_bytes = sum(facts["shuffle"] for facts in found["stages"].values())
    print(f"\n{total:.1f} s, {total / alone:.1f} times one thread, {alone:.1f} s")
    print(f"candidates {times:.1f} times {candidates:.2f} s; {n_bytes:,.0f} bytes shuffled in all")


if __name__ == "__main__":
    main()

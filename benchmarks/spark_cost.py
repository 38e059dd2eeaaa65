"""What a search on Spark costs beside one machine, and what it would cost of a billion articles.

    python benchmarks/spark_cost.py measure -n 20000 --json cost.json
    python benchmarks/spark_cost.py model cost.json

`measure` searches a made crawl with one thread and with ``local[2]``, and says for each stage how
much of the processor's time it takes, of Java and Python together, and how many bytes a document
it shuffles. `model` makes of that core-hours, shuffle and money; what it takes for granted stands
in `ASSUMED`. Needs Java and the extra ``spark``.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from crawl import Crawl
from material import invented_material

ASSUMED = {
    "dollars a core-hour": 0.05,
    "growth of candidates for each tenfold": 1.35,
    "growth of all else for each tenfold": 1.1,
}
"""A vCPU of a large cloud on demand, with its share of memory and disk; and how much more an
article of a collection ten times as large costs. Candidates grew so on the made crawl."""

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


def measure(n_docs: int, partitions: int) -> dict[str, object]:
    """Search a made crawl both ways."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from dedupe import find_duplicate_texts  # noqa: PLC0415
    from dedupe.spark import find_duplicates  # noqa: PLC0415
    from dedupe.spark.job import Job  # noqa: PLC0415

    texts = {item.id: item.text for item in Crawl(invented_material(), n_docs)}
    find_duplicate_texts(dict([*texts.items()][:100]), workers=1)
    start = cpu_of_all()
    result = find_duplicate_texts(texts, workers=1)
    alone = cpu_of_all() - start
    folder = Path(tempfile.mkdtemp())
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "2g",
        "spark.local.dir": str(folder),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": str(folder),
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.createDataFrame([*texts.items()], "id string, text string").write.parquet(
        str(folder / "texts")
    )
    frame = session.read.parquet(str(folder / "texts"))
    find_duplicates(frame.limit(50), partitions=partitions)
    marks: list[tuple[str, float]] = []
    plain = Job.tell

    def tell(job: Job, stage: str) -> None:
        marks.append((stage, cpu_of_all()))
        plain(job, stage)

    Job.tell = tell  # type: ignore[method-assign]
    of_warm_up, began = shuffled(folder), time.perf_counter()
    answer = find_duplicates(frame, partitions=partitions)
    marks.append(("end", cpu_of_all()))
    seconds = time.perf_counter() - began
    n_same = answer.pairs.count() == len(result.scored)
    session.stop()
    stages: dict[str, dict[str, float]] = {}
    for (name, one), (_, other) in pairwise(marks):
        cpu = stages.get(name, {"cpu": 0.0})["cpu"] + other - one
        stages[name] = {"cpu": cpu}
    written = shuffled(folder)
    for name, facts in stages.items():
        n_bytes = written.get(name, 0) - of_warm_up.get(name, 0)
        facts["shuffle"] = n_bytes / n_docs
    return {
        "documents": n_docs,
        "cpu of one thread": alone,
        "seconds": seconds,
        "same number of pairs": n_same,
        "stages": stages,
    }


def model(found: dict[str, object]) -> None:
    """Print what larger collections would cost."""
    stages = found["stages"]
    print("| documents | core-hours | TB shuffled | dollars |\n|--:|--:|--:|--:|")
    for n_docs in SIZES:
        tenfolds = len(str(n_docs // int(found["documents"]))) - 1
        cpu = shuffle = 0.0
        for name, facts in stages.items():
            kind = "candidates" if name == "candidates" else "all else"
            growth = ASSUMED[f"growth of {kind} for each tenfold"] ** tenfolds
            cpu += facts["cpu"] / found["documents"] * growth
            shuffle += facts["shuffle"] * growth
        hours = cpu * n_docs / 3600
        dollars = hours * ASSUMED["dollars a core-hour"]
        print(f"| {n_docs:,} | {hours:,.0f} | {shuffle * n_docs / 1e12:,.2f} | {dollars:,.0f} |")


def main() -> None:
    """Measure, or make a model of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("-n", type=int, default=20_000)
    measuring.add_argument("--partitions", type=int, default=4)
    measuring.add_argument("--json", type=Path, required=True)
    commands.add_parser("model").add_argument("json", type=Path)
    options = parser.parse_args()
    if options.command == "model":
        model(json.loads(options.json.read_text(encoding="utf-8")))
        return
    found = measure(options.n, options.partitions)
    options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    total = sum(facts["cpu"] for facts in found["stages"].values())
    print("| stage | CPU s | bytes a document shuffled |\n|---|--:|--:|")
    for name, facts in found["stages"].items():
        print(f"| {name} | {facts['cpu']:.1f} | {facts['shuffle']:,.0f} |")
    print(f"\n{total:.1f} s, {total / found['cpu of one thread']:.1f} times one thread")


if __name__ == "__main__":
    main()

"""Measures an index beside the table of what it should reach.

    python benchmarks/crawl.py crawl.jsonl -n 100000
    python benchmarks/indexing.py crawl.jsonl
    python benchmarks/indexing.py crawl.jsonl -n 10000 --growth
    python benchmarks/indexing.py million.jsonl --index FOLDER

Figures are of processor time, which busy neighbours disturb less than the clock; durable additions
wait for the disk, so there the clock counts. What waits while a thread of its own seals and merges
is measured by both. Queries among half a million documents or more have the bars of a million, and
a copy of an index that was filled before is measured where one is given: to fill it takes minutes.
Other ways to keep an index are in `test_indexing`.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

import dedupe

N_QUERIES, N_DURABLE = 2000, 500
"""Queries and single additions that are timed: the 99th percentile is that of the slowest five
of 500. Of fewer than 2,500 documents a fifth are added, and the others asked for."""

MIN_DOCUMENTS = 100
"""Of fewer, a 99th percentile would be the slowest alone."""

N_FED = 1500
"""Texts that are added at once until a tail is full: few enough to be put into it."""

MOST_FED = 40
"""Times that they are, until a tail was sealed and segments were merged."""

MERGER = "dedupe-index"
"""Name of the thread that does so."""

READER = """
import sys, time
from dedupe import Index
start = time.perf_counter()
index = Index(sys.argv[1], mode="r")
opened = time.perf_counter() - start
for text in sys.stdin.read().split("\\0"):
    index.query(text)
print(opened)
for line in open("/proc/self/status"):
    if line.startswith("RssAnon"):
        print(int(line.split()[1]) / 1024)
"""


class Bar(NamedTuple):
    """What something should reach, and whether more of it is better."""

    bar: float
    goal: float
    unit: str
    more_is_better: bool = False


BARS = {
    "adding in bulk": Bar(8000, 20000, "documents/s", more_is_better=True),
    "add one, durable, p50": Bar(3, 1, "ms"),
    "add one, durable, p99": Bar(30, 8, "ms"),
    "query, p50": Bar(2, 0.7, "ms"),
    "query, p99": Bar(8, 3, "ms"),
    "bytes a document": Bar(3800, 2500, "bytes"),
    "memory of a reader": Bar(300, 100, "MB"),
    "opening": Bar(0.3, 0.1, "s"),
    "longest add while merging, by processor": Bar(50, 20, "ms"),
    "longest query while merging, by processor": Bar(50, 20, "ms"),
    "longest add while merging, by the clock": Bar(50, 20, "ms"),
    "longest query while merging, by the clock": Bar(50, 20, "ms"),
}
"""Those of a query are for 100,000 documents."""

OF_A_MILLION = {"query, p50": Bar(5, 1.5, "ms"), "query, p99": Bar(25, 8, "ms")}
"""What queries should reach of ten times as many: more pages have something of any story."""

MANY_DOCUMENTS = 500_000
"""From which on they should reach that."""


def judged(name: str, found: float, n_documents: int = 0) -> str:
    """Return a row of the table, by the bars of so many documents.

    >>> judged("query, p50", 1.5), judged("query, p50", 1.5, 1_000_000)
    ('| query, p50, ms | 2 | 0.7 | 1.5 | reached |',
     '| query, p50, ms | 5 | 1.5 | 1.5 | goal |')
    >>> judged("adding in bulk", 7000)
    '| adding in bulk, documents/s | 8000 | 20000 | 7,000 | short |'
    """
    bar = BARS[name]
    if n_documents >= MANY_DOCUMENTS:
        bar = OF_A_MILLION.get(name, bar)
    sign = 1 if bar.more_is_better else -1
    reached = "goal" if sign * found >= sign * bar.goal else "reached"
    if sign * found < sign * bar.bar:
        reached = "short"
    return f"| {name}, {bar.unit} | {bar.bar:g} | {bar.goal:g} | {found:,.4g} | {reached} |"


def documents(path: Path, n: int | None) -> Iterator[tuple[str, str]]:
    """Yield the documents of a crawl."""
    with path.open(encoding="utf-8") as lines:
        for line in islice(lines, n):
            record = json.loads(line)
            yield record["id"], record["text"]


def took(work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the seconds that something takes."""
    start = clock()
    work()
    return clock() - start


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile, in milliseconds."""
    p50, p99 = np.percentile(np.array(seconds) * 1e3, [50, 99]).tolist()
    return p50, p99


def ours(path: Path, folder: Path, n: int | None, filled: Path | None = None) -> Iterator[str]:
    """Measure our index, or a copy of one that is filled; yield the rows of the table."""
    dedupe.find_duplicate_texts(["a text to compile with " * 9] * 2)
    texts = dict(documents(path, n))
    if filled is not None:
        shutil.copytree(filled, folder)
    with dedupe.Index(folder) as index:
        if filled is None:
            yield judged("adding in bulk", len(texts) / took(lambda: index.add_texts(texts)))
            index.learn()
        names = random.Random(1).sample([*texts], min(N_DURABLE + N_QUERIES, len(texts)))
        n_durable = min(N_DURABLE, len(names) // 5)
        asked = [texts[name] for name in names[n_durable:]]
        new = [edited(texts[name], seed) for seed, name in enumerate(names[:n_durable])]
        yield from latencies(index, new, asked, len(texts))
        index.compact()
    stats = dedupe.Index(folder, mode="r").stats()
    yield judged("bytes a document", stats.n_bytes / stats.n_documents)
    given = "\0".join(asked[:200])
    said = subprocess.run(
        [sys.executable, "-c", READER, str(folder)],
        input=given,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    yield judged("memory of a reader", float(said[1]))
    yield judged("opening", float(said[0]))
    with dedupe.Index(folder) as index:
        yield from stalls(index, texts)


def latencies(
    index: dedupe.Index, new: list[str], asked: list[str], n_documents: int
) -> Iterator[str]:
    """Measure additions of new texts, and queries; yield the rows of the table."""
    for warm in new[:50]:
        index.query(warm)
    added = [
        took(partial(index.add, f"new {i}", text), time.perf_counter) for i, text in enumerate(new)
    ]
    for place, found in zip(("p50", "p99"), percentiles(added), strict=True):
        yield judged(f"add one, durable, {place}", found)
    spent = [took(partial(index.query, text)) for text in asked]
    for place, found in zip(("p50", "p99"), percentiles(spent), strict=True):
        yield judged(f"query, {place}", found, n_documents)


class Spent(NamedTuple):
    """Milliseconds that a thread takes for an addition or a query, and those that go by."""

    by_processor: float
    by_clock: float

    @classmethod
    def on(cls, work: Callable[[], object]) -> "Spent":
        """Return what something takes."""
        begun, start = time.thread_time(), time.perf_counter()
        work()
        return cls(1e3 * (time.thread_time() - begun), 1e3 * (time.perf_counter() - start))


def stalls(index: dedupe.Index, texts: dict[str, str]) -> Iterator[str]:
    """Measure the longest addition and query while a tail is sealed, and segments are merged.

    Beside each stands the longest of as many at rest: what the disk and other programs are to
    blame for.
    """
    names = random.Random(2).sample([*texts], len(texts))
    new = ((f"newer {n}", edited(texts[name], n)) for n, name in enumerate(cycle(names)))
    spent: dict[tuple[str, bool], list[Spent]] = defaultdict(list)

    def measure(*, is_merging: bool) -> None:
        name, text = next(new)
        spent["query", is_merging].append(Spent.on(partial(index.query, text)))
        spent["add", is_merging].append(Spent.on(partial(index.add, name, text)))

    for _ in range(MOST_FED):
        n_segments = index.stats().n_segments
        index.add_texts(dict(islice(new, N_FED)))
        while any(thread.name == MERGER for thread in threading.enumerate()):
            measure(is_merging=True)
        if index.stats().n_segments < n_segments:
            break
    for _ in spent["add", True]:
        measure(is_merging=False)
    for (does, is_merging), figures in sorted(spent.items()):
        longest = Spent(*map(max, zip(*figures, strict=True)))
        for unit, found in zip(("by processor", "by the clock"), longest, strict=True):
            if is_merging:
                yield judged(f"longest {does} while merging, {unit}", found)
            else:
                yield f"| longest {does} at rest, {unit}, ms | | | {found:,.4g} | |"


def edited(text: str, seed: int) -> str:
    """Return a text with a few words exchanged."""
    words = text.split(" ")
    for place in random.Random(seed).sample(range(len(words)), len(words) // 30):
        words[place] = "exchanged"
    return " ".join(words)


def growth(path: Path, n: int | None, share: float = 0.1) -> str:
    """Return a row of how many verdicts on new documents differ from those of a full batch.

    The index has learned from all others; new ones are asked for once all are there.
    """
    texts = dict(documents(path, n))
    names = random.Random(1).sample([*texts], len(texts))
    new = {*names[: round(share * len(names))]}
    with dedupe.Index() as index:
        index.add_texts({name: texts[name] for name in names if name not in new})
        index.learn()
        index.add_texts({name: texts[name] for name in new})
        found = verdicts(index, texts, new)
        batch = index.find_duplicates()
        index.learn()
        learned = verdicts(index, texts, new)
    threshold = batch.settings.threshold
    scored = (pair for pair in batch.scored if pair.score >= threshold and pair.is_candidate)
    wanted = {(pair.left, pair.right) for pair in scored if new & {pair.left, pair.right}}
    told = f"{len(found - learned)} more, {len(learned - found)} fewer"
    return (
        f"{len(learned):,} verdicts for {len(new):,} of {len(texts):,} documents; before learning "
        f"{told}; of {len(wanted):,} of the batch, {len(wanted - learned)} are not found"
    )


def verdicts(index: dedupe.Index, texts: dict[str, str], names: set[str]) -> set[tuple[str, ...]]:
    """Return the pairs of ids that queries for some texts match."""
    return {
        tuple(sorted((name, str(match.id))))
        for name in names
        for match in index.query(texts[name], limit=None, max_compared=None)
        if match.id != name
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("crawl", type=Path)
    parser.add_argument("-n", type=int, help="Documents; all by default.")
    parser.add_argument(
        "--index", type=Path, help="One that holds them and has learned: a copy is measured."
    )
    parser.add_argument("--growth", action="store_true", help="What differs when a tenth is new.")
    args = parser.parse_args()
    n_documents = sum(1 for _ in documents(args.crawl, MIN_DOCUMENTS if args.n is None else args.n))
    if n_documents < MIN_DOCUMENTS:
        parser.error(f"a table needs {MIN_DOCUMENTS} documents or more, got {n_documents}")
    if args.growth:
        print(growth(args.crawl, args.n))
        return
    print("| | bar | goal | found | |\n|---|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder:
        for row in ours(args.crawl, Path(folder) / "index", args.n, args.index):
            print(row, flush=True)


if __name__ == "__main__":
    main()

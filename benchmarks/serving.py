"""What it costs to ask an index: in the process, over HTTP, and datasketch's in Redis beside it.

    python benchmarks/serving.py -n 20000
    python benchmarks/serving.py -n 20000 --update docs/serving.md docs/datasketch.md

Each is given the same made crawl and asked for the same documents. Times of a busy machine say
little: beside them stands the processor time of all processes that take part, but for those
that only ask.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np

import redis_server
from crawl import Crawl, Item, read_source
from dedupe import Index
from dedupe.minhash import sketch, to_datasketch
from dedupe.settings import Settings
from tables import Table, update

N_CLIENTS = 4

THRESHOLD = 0.5
"""Of datasketch's index, on the Jaccard similarity, as in its documentation."""

HEAD = (
    "system",
    "added a second",
    "CPU to add, µs",
    "bytes a document",
    "query p50, ms",
    "p99, ms",
    "CPU a query, ms",
    "queries a second, 4 clients",
    "copies found",
)

Find = Callable[[Item], Sequence[str]]
"""Asks for a document; returns the ids of what is found."""


@dataclass
class Measured:
    """What was measured of a system; times in seconds."""

    name: str
    added: float = 0.0
    cpu_to_add: float = 0.0
    n_bytes: float = 0.0
    times: Sequence[float] = ()
    cpu: float = 0.0
    rate: float = 0.0
    found: float = 0.0

    def row(self, n_docs: int) -> list[str]:
        """Return the cells of a table."""
        p50, p99 = np.percentile(self.times, [50, 99]) * 1e3
        return [
            self.name,
            f"{n_docs / self.added:,.0f}" if self.added else "",
            f"{self.cpu_to_add / n_docs * 1e6:,.0f}" if self.added else "",
            f"{self.n_bytes / n_docs:,.0f}" if self.n_bytes else "",
            f"{p50:.1f}",
            f"{p99:.1f}",
            f"{self.cpu * 1e3:.2f}",
            f"{self.rate:,.0f}" if self.rate else "",
            f"{self.found:.1%}",
        ]


def in_process(items: Sequence[Item], asked: Sequence[Item], folder: Path) -> Measured:
    """Measure an index in the process that asks."""
    measured = Measured("dedupe, an index in the process")
    texts = [(item.id, item.text) for item in items]
    with Index(folder) as index:
        started, cpu = time.perf_counter(), time.process_time()
        index.add_texts(texts)
        measured.added = time.perf_counter() - started
        measured.cpu_to_add = time.process_time() - cpu
        index.learn()
        measured.n_bytes = index.stats().n_bytes

        def find(item: Item) -> Sequence[str]:
            return [match.id for match in index.query(item.text)]

        _ask(measured, asked, find, time.process_time)
    return measured


def over_http(asked: Sequence[Item], folder: Path) -> Measured:
    """Measure an index that a server owns."""
    measured = Measured("dedupe, `dedupe index serve`")
    with _serving(folder) as (port, process):
        find = partial(_post, HTTPConnection("127.0.0.1", port))
        _ask(measured, asked, find, partial(_cpu_of, process))
        measured.rate = _rate_of_clients(asked, port)
    return measured


def in_redis(items: Sequence[Item], asked: Sequence[Item]) -> Measured:
    """Measure our signatures in datasketch's index, whose storage is Redis; texts are not kept."""
    import redis  # noqa: PLC0415
    from datasketch import MinHashLSH  # noqa: PLC0415

    measured = Measured(f"datasketch, Redis, threshold {THRESHOLD}")
    with redis_server.running() as port:
        database = redis.Redis(port=port)

        def server() -> float:
            told = database.info("cpu")
            return float(told["used_cpu_sys"] + told["used_cpu_user"])

        def cpu() -> float:
            return time.process_time() + server()

        before = database.info("memory")["used_memory"]
        storage = {"type": "redis", "redis": {"host": "127.0.0.1", "port": port}}
        index = MinHashLSH(THRESHOLD, storage_config=storage)
        started, spent = time.perf_counter(), cpu()
        signed = sketch([item.text.encode() for item in items], Settings()).signatures
        with index.insertion_session() as session:
            for item, signature in zip(items, signed, strict=True):
                session.insert(item.id, to_datasketch(signature))
        measured.added, measured.cpu_to_add = time.perf_counter() - started, cpu() - spent
        measured.n_bytes = database.info("memory")["used_memory"] - before

        def find(item: Item) -> Sequence[str]:
            (signature,) = sketch([item.text.encode()], Settings()).signatures
            found: Sequence[str] = index.query(to_datasketch(signature))
            return found

        _ask(measured, asked, find, cpu)
    return measured


def _ask(measured: Measured, asked: Sequence[Item], find: Find, cpu: Callable[[], float]) -> None:
    """Ask for documents one after the other; those made from others should find these."""
    times, hits = [], []
    find(asked[0])  # The first loads what the others use.
    before = cpu()
    for item in asked:
        started = time.perf_counter()
        found = find(item)
        times.append(time.perf_counter() - started)
        if item.made_from not in ("", item.id):
            hits.append(item.made_from in found)
    measured.cpu = (cpu() - before) / len(asked)
    measured.times = times
    measured.found = float(np.mean(hits))


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a server; yield its port and the number of its process."""
    command = [sys.executable, "-m", "dedupe", "index", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield int(process.stderr.readline().rpartition(":")[2]), process.pid
        finally:
            process.terminate()


def _cpu_of(process: int) -> float:
    """Return the processor time of a process, in steps of a clock of Linux."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _post(connection: HTTPConnection, item: Item) -> Sequence[str]:
    body = json.dumps({"text": item.text})
    connection.request("POST", "/query", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    facts = json.loads(answer.read())
    assert answer.status == 200, facts
    return [match["id"] for match in facts["matches"]]


CLIENT = """
import json, sys
from http.client import HTTPConnection
connection = HTTPConnection("127.0.0.1", int(sys.argv[1]))
for line in sys.stdin:
    connection.request("POST", "/query", line, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
"""


def _rate_of_clients(asked: Sequence[Item], port: int) -> float:
    """Return how many queries a second are answered to clients that ask at the same time."""
    bodies = [json.dumps({"text": item.text}) + "\n" for item in asked]

    def client(number: int) -> None:
        command = [sys.executable, "-c", CLIENT, str(port)]
        given = "".join(islice(bodies, number, None, N_CLIENTS))
        subprocess.run(command, input=given, text=True, check=True)

    started = time.perf_counter()
    with ThreadPoolExecutor(N_CLIENTS) as clients:
        list(clients.map(client, range(N_CLIENTS)))
    return len(bodies) / (time.perf_counter() - started)


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("-n", type=int, default=20_000, dest="n_docs", help="documents of the made crawl")
    add("--queries", type=int, default=2000)
    add("--update", nargs="*", type=Path, default=[], help="write the table into these files")
    options = parser.parse_args()
    items = list(Crawl(read_source(None), options.n_docs, 1))
    step = max(1, len(items) // options.queries)
    asked = items[::step][: options.queries]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder, "news.dedupe")
        found = [in_process(items, asked, index), over_http(asked, index)]
    found.append(in_redis(items, asked))
    caption = (
        f"{len(items):,} documents of a made crawl, of which ours keep the texts; {len(asked):,} "
        "queries, one after the other but in the column of four clients. CPU: of the process that "
        "asks and of Redis, or of the server alone, which says what one core could answer. "
        f"{os.cpu_count()} cores, on which {os.getloadavg()[0]:.0f} programs ran meanwhile; "
        f"dedupe {version('dedupe-articles')}, datasketch {version('datasketch')}, uvicorn "
        f"{version('uvicorn')}."
    )
    table = Table(HEAD, [one.row(len(items)) for one in found], caption)
    print(table.markdown())
    update(options.update, {"serving": table.markdown()})


if __name__ == "__main__":
    main()

"""What an index takes to add and to be asked, beside other ways to keep signatures.

    pytest benchmarks/test_indexing.py --benchmark-only --benchmark-json=index.json --sizes 10000

Each is given the same made crawl, on one thread, and asked for the same documents, one a round, so
that the median is that of a query. Ours keeps the texts and compares them; the others keep rows of
signatures and answer with ids: datasketch in memory and in Redis, and SQLite with a row for each
value. `indexing` has the 99th percentiles, and what an index should reach.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pytest
from datasketch import MinHashLSH
from pytest_benchmark.fixture import BenchmarkFixture

import crowds
import dedupe
import peers
import redis_server
from dedupe.minhash import sketch
from dedupe.settings import Settings
from material import Material
from timing import Turn, measure_in_turn

OURS = "**dedupe**, an index in a folder"
N_QUERIES = 200
SOME = 100
"""Documents that compile the kernels, and that each is tried with before the clock starts."""

Texts = dict[str, str]


class Kept(NamedTuple):
    """A way to keep documents: what asks it for a text, and what adds one that is new."""

    ask: Callable[[str], object]
    add: Callable[[str, str], object]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every size that was asked for."""
    sizes = sorted(int(size) for size in metafunc.config.getoption("--sizes").split(","))
    if "n_docs" in metafunc.fixturenames:
        metafunc.parametrize("n_docs", sizes)


def ours(texts: Texts, folder: Path, held: ExitStack) -> Kept:
    """Return an index, filled; it has learned nothing."""
    index = held.enter_context(dedupe.Index(folder / "index"))
    index.add_texts(texts, workers=1)
    return Kept(index.query, index.add)


def in_datasketch(texts: Texts, folder: Path, held: ExitStack) -> Kept:  # noqa: ARG001
    """Return datasketch's index in memory."""
    return _kept(MinHashLSH(threshold=peers.THRESHOLD, num_perm=peers.N_PERM), texts)


def in_redis(texts: Texts, folder: Path, held: ExitStack) -> Kept:  # noqa: ARG001
    """Return datasketch's index in a Redis of its own."""
    port = held.enter_context(redis_server.running())
    storage = {"type": "redis", "redis": {"host": "127.0.0.1", "port": port}}
    lsh = MinHashLSH(peers.THRESHOLD, num_perm=peers.N_PERM, storage_config=storage)
    return _kept(lsh, texts)


def _kept(lsh: MinHashLSH, texts: Texts) -> Kept:
    """Fill an index of datasketch."""

    def add(name: str, text: str) -> None:
        lsh.insert(name, peers.datasketch_sketches([text])[0])

    with lsh.insertion_session() as session:
        for name, made in zip(texts, peers.datasketch_sketches(texts.values()), strict=True):
            session.insert(name, made)
    return Kept(lambda text: lsh.query(peers.datasketch_sketches([text])[0]), add)


def in_rows(texts: Texts, folder: Path, held: ExitStack) -> Kept:
    """Return a table of SQLite with a row for each value of our signatures."""
    db = sqlite3.connect(folder / "rows.sqlite")
    held.callback(db.close)
    db.execute("pragma journal_mode = wal")
    db.execute("create table rows (band, value, document, primary key (band, value, document)) "
               "without rowid")  # fmt: skip

    def signed(some: Sequence[str]) -> list[list[int]]:
        found = sketch([text.encode() for text in some], Settings())
        return found.signatures.tolist()  # type: ignore[no-any-return]

    def insert(names: Sequence[str], signatures: list[list[int]]) -> None:
        for name, values in zip(names, signatures, strict=True):
            rows = [(band, value, name) for band, value in enumerate(values)]
            db.executemany("insert into rows values (?, ?, ?)", rows)
        db.commit()

    def ask(text: str) -> None:
        for band, value in enumerate(signed([text])[0]):
            said = "select document from rows where band = ? and value = ? limit 31"
            db.execute(said, (band, value)).fetchall()

    insert([*texts], signed([*texts.values()]))
    return Kept(ask, lambda name, text: insert([name], signed([text])))


SYSTEMS = {
    OURS: ours,
    "datasketch in memory": in_datasketch,
    "SQLite, a row for each value": in_rows,
    "datasketch in Redis": in_redis,
}


def systems() -> Iterator[str]:
    """Yield those that can be measured here."""
    for label, make in SYSTEMS.items():
        if make is not in_redis or redis_server.COMMAND is not None:
            yield label


def reference(label: str) -> str:
    """Return the name by which ours is compared with another one."""
    return "" if label == OURS else label


def test_bulk(benchmark: BenchmarkFixture, material: Material, tmp_path: Path, n_docs: int) -> None:
    """Measure how long it takes to keep all documents of a crawl."""
    benchmark.group = f"an index of {n_docs:,} documents: all added at once"
    texts = crowds.ordinary(material, n_docs).texts
    numbers = iter(range(1000))

    def fill(label: str, some: Texts) -> None:
        folder = tmp_path / f"{next(numbers)}"
        folder.mkdir()
        with ExitStack() as held:
            SYSTEMS[label](some, folder, held)

    for label in systems():
        fill(label, dict([*texts.items()][:SOME]))
    amount = {"n_documents": n_docs}
    turns = [
        Turn(label, partial(fill, label, texts), amount, reference(label)) for label in systems()
    ]
    measure_in_turn(benchmark, turns, rounds=3, warmup_rounds=0)


@pytest.mark.parametrize("does", ["query", "add"])
def test_one(
    benchmark: BenchmarkFixture, material: Material, tmp_path: Path, n_docs: int, does: str
) -> None:
    """Measure one query, and one document added and answered, for good where there is a disk."""
    benchmark.group = f"an index of {n_docs:,} documents: {does} one"
    texts = crowds.ordinary(material, n_docs).texts
    names = random.Random(1).sample([*texts], min(N_QUERIES, n_docs))
    with ExitStack() as held:
        turns = []
        for label in systems():
            kept = SYSTEMS[label](texts, tmp_path, held)
            given = cycle(names)
            turns.append(
                Turn(label, partial(step, does, kept, texts, given), ONE, reference(label))
            )
        measure_in_turn(benchmark, turns, rounds=len(names), warmup_rounds=20)


ONE = {"n_documents": 1}


def step(does: str, kept: Kept, texts: Texts, given: Iterator[str]) -> object:
    """Ask for the next document, or add it with one more word."""
    name = next(given)
    if does == "query":
        return kept.ask(texts[name])
    return kept.add(f"{name} {next(NEW)}", f"{texts[name]} again")


NEW = iter(range(1 << 30))


@pytest.mark.skipif(redis_server.COMMAND is not None, reason="Redis is in the tables")
def test_redis_is_there() -> None:
    """Say under the tables of pytest why a row is missing."""
    pytest.skip("no redis-server here: apt-get install redis-server")

"""Files to clusters on made crawls of several sizes, beside other libraries.

    pytest benchmarks/test_scale.py --benchmark-only --benchmark-json=scale.json \
        --sizes 10000,100000,1000000

Each system runs once, in a process of its own; the others are given ten minutes.
Which planted pairs become candidates is counted here too, since it needs a crawl.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import crawl
import peers
import recall
import scale
import storage
from material import Material
from timing import measure, with_threads

LIMIT, OUR_LIMIT = 600.0, 3600.0
"""Seconds for another library and for ours."""

SYSTEMS = (("dedupe", 1), ("dedupe", 2), *((peer, 1) for peer in scale.GROWN))

MOST_HOSTILE = 100_000
"""Documents of the greatest hostile crawl: 20,000 near-copies are enough."""

MakeCrawl = Callable[[int, str], Path]


@pytest.fixture(scope="session")
def crawl_of(material: Material) -> Iterator[MakeCrawl]:
    """Return a function that makes a crawl of a size and a kind once, and says where it is."""
    # Not in pytest's folder, which would keep gigabytes of three runs.
    with tempfile.TemporaryDirectory() as folder:
        yield lambda size, kind: _made(Path(folder), material, size, kind)


def _made(folder: Path, material: Material, size: int, kind: str) -> Path:
    path = folder / f"{size}-{kind}{'' if kind == 'files' else '.jsonl'}"
    if path.exists():
        return path
    if kind == "files":
        storage.unpack(_made(folder, material, size, "lines"), path)
        return path
    made = crawl.Crawl(material, size, hostile=kind == "hostile", deep=kind == "deep")
    storage.write(made, path)
    return path


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory, material: Material) -> None:
    """Compile the kernels before any clock starts."""
    path = tmp_path_factory.mktemp("small") / "crawl.jsonl"
    storage.write(crawl.Crawl(material, 300), path)
    for workers in (1, 2):
        scale.measure("dedupe", path, OUR_LIMIT, workers)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every size that was asked for."""
    if "size" in metafunc.fixturenames:
        sizes = [int(size) for size in metafunc.config.getoption("--sizes").split(",")]
        if metafunc.function is test_hostile:
            sizes = [size for size in sizes if size <= MOST_HOSTILE]
        metafunc.parametrize("size", sizes, scope="session")


@pytest.mark.parametrize(("system", "workers"), SYSTEMS)
def test_lines(
    benchmark: BenchmarkFixture, crawl_of: MakeCrawl, size: int, system: str, workers: int
) -> None:
    """Measure an ordinary crawl in one file of JSON Lines."""
    if system != "dedupe" and not peers.is_installed(system):
        pytest.skip(f"{system} is not installed: pip install '.[bench]'")
    _run(benchmark, crawl_of, (size, "lines"), (system, workers), report=workers == 2)


def test_files(benchmark: BenchmarkFixture, crawl_of: MakeCrawl, size: int) -> None:
    """Measure the same crawl with a file for each document."""
    _run(benchmark, crawl_of, (size, "files"), ("dedupe", 2))


def test_hostile(benchmark: BenchmarkFixture, crawl_of: MakeCrawl, size: int) -> None:
    """Measure one with mass copies, pages of one template, and stories in long pages."""
    _run(benchmark, crawl_of, (size, "hostile"), ("dedupe", 2))


def test_recall(benchmark: BenchmarkFixture, crawl_of: MakeCrawl, size: int) -> None:
    """Count the planted pairs that become candidates, also in pages 100 times their size."""
    path = crawl_of(size, "deep")
    benchmark.group = f"candidates of planted pairs, {size:,} documents"
    rounds = {"rounds": 1, "warmup_rounds": 0}
    facts = measure(benchmark, "candidate recall", recall.measure, path, **rounds)
    benchmark.extra_info["recall"] = facts | {"size": size}


def _run(
    benchmark: BenchmarkFixture,
    crawl_of: MakeCrawl,
    corpus: tuple[int, str],
    system: tuple[str, int],
    *,
    report: bool = False,
) -> None:
    """Run a system once and keep what it found, or that it took too long."""
    (size, kind), (name, workers) = corpus, system
    label = f"{name}, {with_threads(workers)}" if name == "dedupe" else name
    benchmark.group = f"files to clusters, {size:,} documents, {kind}"
    limit = OUR_LIMIT if name == "dedupe" else LIMIT
    arguments = name, crawl_of(size, kind), limit, workers
    run = partial(scale.measure, report=report)
    facts = measure(benchmark, label, run, *arguments, rounds=1, warmup_rounds=0)
    asked = {"system": name, "workers": workers, "size": size, "kind": kind, "limit": limit}
    asked["others"] = benchmark.extra_info["others"]
    benchmark.extra_info["scale"] = asked | (facts or {})

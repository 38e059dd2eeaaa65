"""Files to clusters on made crawls of several sizes, beside other libraries.

    pytest benchmarks/test_scale.py --benchmark-only --benchmark-json=scale.json
    pytest benchmarks/test_scale.py --benchmark-only --benchmark-json=scale.json \
        --sizes 10000,100000,1000000

Each system runs once, in a process of its own, and is given ten minutes.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import crawl
import scale

LIMIT = 600.0

SYSTEMS = (("dedupe", 1), ("dedupe", 2), ("datasketch", 1), ("rensa", 1))


@pytest.fixture(scope="session")
def crawl_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, bool], Path]:
    """Return a function that makes a crawl of a size once, and says where it is."""
    folder = tmp_path_factory.mktemp("crawls")

    def make(size: int, hostile: bool) -> Path:
        path = folder / f"{size}{'-hostile' if hostile else ''}.jsonl"
        if not path.exists():
            material = crawl.read_source(None)
            crawl.write(crawl.Crawl(material, size, hostile=hostile), path)
        return path

    return make


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every size that was asked for."""
    if "size" in metafunc.fixturenames:
        sizes = [int(size) for size in metafunc.config.getoption("--sizes").split(",")]
        metafunc.parametrize("size", sizes)


@pytest.mark.parametrize(("system", "workers"), SYSTEMS)
def test_files_to_clusters(
    benchmark: BenchmarkFixture,
    crawl_of: Callable[[int, bool], Path],
    size: int,
    system: str,
    workers: int,
) -> None:
    """Measure an ordinary crawl."""
    _measure(benchmark, crawl_of(size, False), size, system, workers)


def test_hostile_crawl(
    benchmark: BenchmarkFixture, crawl_of: Callable[[int, bool], Path], size: int
) -> None:
    """Measure one with mass copies, pages of one template, and stories in long pages."""
    _measure(benchmark, crawl_of(size, True), size, "dedupe", 2)


def _measure(benchmark: BenchmarkFixture, path: Path, size: int, system: str, workers: int) -> None:
    """Run a system once and keep what it found."""
    benchmark.group = f"files to clusters, {path.stem} documents"
    found = benchmark.pedantic(
        scale.measure, (system, path, LIMIT, workers), rounds=1, iterations=1
    )
    if found is None:
        pytest.skip(f"{system} takes more than {LIMIT:.0f} s for {size:,} documents")
    label = f"**dedupe**, {workers} thread{'s' * (workers > 1)}" if system == "dedupe" else system
    note = (
        f"{found['peak_mb']:,.0f} MB at most; {found['recall']:.4f} of the planted pairs found, "
        f"{found['n_false']:,} false pairs"
    )
    if "stages" in found:
        stages = (f"{stage} {seconds:.1f}" for stage, seconds in found["stages"].items())
        note += f"; {', '.join(stages)} s"
    facts = {"label": label, "note": note, **found}
    if system != "dedupe":
        facts["reference"] = system
    benchmark.extra_info.update(facts)

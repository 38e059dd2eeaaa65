"""What near-copies, pages of one template and patched pages cost, beside an ordinary crawl.

    pytest benchmarks/test_crowd_costs.py --benchmark-only --benchmark-json=crowds.json \
        --crowds 6000,20000

Each is searched in turn with a crawl of as many documents, on two threads. The summary
has the time for each MB of text over that of the crawl.
"""

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import corpora
import crowds
import dedupe
import metrics
from material import Material
from timing import Turn, measure_in_turn

WORKERS = 2


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try every kind at the least size that was asked for, and near-copies at all of them."""
    sizes = sorted(int(size) for size in metafunc.config.getoption("--crowds").split(","))
    cases = [(kind, sizes[0]) for kind in crowds.KINDS]
    metafunc.parametrize(("kind", "n_docs"), cases + [("near-copies", size) for size in sizes[1:]])


def test_crowd(benchmark: BenchmarkFixture, material: Material, kind: str, n_docs: int) -> None:
    """Measure a crowd and a crawl in turn; patched pages take so long that once is enough."""
    benchmark.group = f"crowds, {n_docs:,} documents: {kind}"
    crawl, crowd = crowds.ordinary(material, n_docs), crowds.make(kind, material, n_docs)
    # The kernels are compiled, and the caches of the processor hold neither of the two.
    search(crowds.ordinary(material, 100))
    turns = [turn("ordinary", crawl, "ordinary"), turn(kind, crowd)]
    rounds = 1 if kind == "patched" else 3
    measure_in_turn(benchmark, turns, rounds=rounds, warmup_rounds=0)


def search(crowd: crowds.Crowd) -> dedupe.Result:
    """Search a collection."""
    return dedupe.find_duplicate_texts(crowd.texts, workers=WORKERS)


def turn(label: str, crowd: crowds.Crowd, reference: str = "") -> Turn:
    """Return the search of a collection, whose pairs are counted afterwards."""
    return Turn(
        label,
        lambda: search(crowd),
        {"n_bytes": corpora.n_bytes([*crowd.texts.values()])},
        reference,
        judge=pairs_found(crowd),
    )


def pairs_found(crowd: crowds.Crowd) -> Callable[[dedupe.Result], dict[str, float]]:
    """Return what counts the pairs of one story that are together, and those of two stories."""

    def judge(result: dedupe.Result) -> dict[str, float]:
        clusters = [cluster.members for cluster in result.clusters]
        counts = metrics.count_pairs(crowd.stories, clusters)
        found = {"found": counts.recall} if counts.n_gold else {}
        return found | {"n_false": counts.n_false}

    return judge

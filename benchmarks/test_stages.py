"""How fast each stage is by itself, on one thread and, where it can use them, on two.

A stage is given what the one before it leaves, in the blocks that the library cuts;
all of that is made before the clock starts. Each has the unit that it grows with.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import corpora
from dedupe.clustering import Ask, average_linkage
from dedupe.engine.intake import BATCH_BYTES
from dedupe.lsh import candidate_pairs
from dedupe.minhash import signatures
from dedupe.scoring.alignment import align
from dedupe.scoring.block import Block
from dedupe.scoring.score import score
from dedupe.shingling import Shingles, hash_shingles
from dedupe.shingling.tokens import Tokens, hash_encoded, hash_tokens
from dedupe.threads import map_in_order
from timing import measure, stage, with_threads

NGRAM = 5
REPEATS = 4
"""How often the articles are gone through, so that each of two threads has some blocks."""

N_PAIR_WORDS, N_PAIRS, PAIRS_AT_ONCE = 500, 4000, 250
PAIRS = {
    "copies, one word in 50 replaced": (10, 0.02),
    "copies, another larger document each": (1, 0.02),
    "strangers": (10, 1.0),
}
"""How many pairs that share a document follow each other, and what share of words differs."""

N_STORIES, N_COPIES = 5000, 4
N_MASS = 5000

on_threads = pytest.mark.parametrize("workers", [1, 2])


def run_all(function: Callable[[Any], Any], items: Iterable[Any], workers: int) -> None:
    """Apply a function to each item on some threads, as the library does."""
    for _ in map_in_order(function, items, workers):
        pass


def measure_blocks(
    benchmark: BenchmarkFixture,
    function: Callable[[Any], Any],
    blocks: Sequence[Any],
    workers: int,
    **amount: int,
) -> None:
    """Time a stage over its blocks; two threads are compared with one."""
    label = with_threads(workers)
    reference = label if workers == 1 else ""
    arguments = function, blocks, workers
    measure(benchmark, label, run_all, *arguments, rounds=9, reference=reference, **amount)


@pytest.fixture(scope="module")
def encoded(articles: list[str]) -> list[list[bytes]]:
    """Return blocks of articles in UTF-8."""
    blocks = corpora.blocks(articles, BATCH_BYTES)
    return [[text.encode() for text in block] for block in blocks] * REPEATS


@pytest.fixture(scope="module")
def tokens(encoded: list[list[bytes]]) -> list[Tokens]:
    """Return the tokens of each block."""
    return [hash_encoded(block) for block in encoded]


@pytest.fixture(scope="module")
def shingles(tokens: list[Tokens]) -> list[Shingles]:
    """Return the shingles of each block."""
    return [hash_shingles(block, NGRAM) for block in tokens]


@stage("tokens")
@on_threads
def test_tokens(benchmark: BenchmarkFixture, encoded: list[list[bytes]], workers: int) -> None:
    """Measure what every document goes through."""
    n_bytes = sum(len(text) for block in encoded for text in block)
    measure_blocks(benchmark, hash_encoded, encoded, workers, n_bytes=n_bytes)


@stage("tokens, with their places and lines")
@on_threads
def test_detailed_tokens(
    benchmark: BenchmarkFixture, encoded: list[list[bytes]], workers: int
) -> None:
    """Measure what documents go through that are compared."""
    n_bytes = sum(len(text) for block in encoded for text in block)

    def hash_in_detail(block: list[bytes]) -> Tokens:
        return hash_encoded(block, detail=True)

    measure_blocks(benchmark, hash_in_detail, encoded, workers, n_bytes=n_bytes)


@stage("tokens to shingles")
@on_threads
def test_shingles(benchmark: BenchmarkFixture, tokens: list[Tokens], workers: int) -> None:
    """Measure how tokens are joined five by five."""
    n_shingles = sum(hash_shingles(block, NGRAM).hashes.size for block in tokens)
    measure_blocks(benchmark, hash_shingles, tokens, workers, n_shingles=n_shingles)


@stage("shingles to signatures")
@on_threads
def test_signatures(benchmark: BenchmarkFixture, shingles: list[Shingles], workers: int) -> None:
    """Measure the minima of 128 permutations."""
    n_shingles = sum(block.hashes.size for block in shingles)

    def sign(block: Shingles) -> npt.NDArray[np.uint32]:
        return signatures(block.hashes, block.offsets)

    measure_blocks(benchmark, sign, shingles, workers, n_shingles=n_shingles)


@stage("signatures to candidates, 10,000 documents")
@on_threads
def test_join(benchmark: BenchmarkFixture, articles: list[str], workers: int) -> None:
    """Measure documents of which each overlaps two others."""
    block = hash_shingles(hash_tokens(corpora.windows(articles, 10_000)), NGRAM)
    sketches = signatures(block.hashes, block.offsets)
    sizes = np.diff(block.offsets)

    def join() -> npt.NDArray[np.int32]:
        return candidate_pairs(sketches, sizes, workers=workers)

    label = with_threads(workers)
    reference = label if workers == 1 else ""
    pairs = measure(benchmark, label, join, reference=reference, n_documents=sizes.size)
    benchmark.extra_info["note"] = f"{len(pairs) / sizes.size:.1f} pairs a document"


Job = tuple[Block, npt.NDArray[np.int64], npt.NDArray[np.int64]]


def make_block(texts: Sequence[str]) -> Block:
    """Return documents as the scorer wants them, every word of which counts 1."""
    return Block.of(hash_tokens(texts, detail=True), NGRAM)


def score_job(job: Job) -> npt.NDArray[np.float64]:
    """Align and score the pairs of a block."""
    return score(align(*job))


def make_jobs(articles: list[str], group_size: int, share: float) -> list[Job]:
    """Return blocks of pairs, of which `group_size` that share a document follow each other."""
    draw = random.Random(corpora.SEED)
    larger = corpora.passages(articles, N_PAIR_WORDS, N_PAIRS // group_size)
    jobs = []
    for first in range(0, len(larger), PAIRS_AT_ONCE // group_size):
        some = larger[first : first + PAIRS_AT_ONCE // group_size]
        left = np.repeat(np.arange(len(some)), group_size)
        smaller = [corpora.edited(some[place], draw, share) for place in left.tolist()]
        jobs.append((make_block(some + smaller), left, np.arange(left.size) + len(some)))
    return jobs


@on_threads
@pytest.mark.parametrize("kind", PAIRS)
def test_scoring(benchmark: BenchmarkFixture, articles: list[str], kind: str, workers: int) -> None:
    """Measure pairs of 500 words each."""
    benchmark.group = f"scoring pairs of 500 words: {kind}"
    jobs = make_jobs(articles, *PAIRS[kind])
    measure_blocks(benchmark, score_job, jobs, workers, n_pairs=N_PAIRS)


Edges = list[tuple[int, int, float]]


def few_copies() -> Edges:
    """Return stories of four copies each, and a weak link from each copy to another story."""
    draw = random.Random(corpora.SEED)
    n_docs = N_STORIES * N_COPIES
    edges = []
    for first in range(0, n_docs, N_COPIES):
        copies = range(first, first + N_COPIES)
        edges += [(a, b, draw.uniform(0.6, 1)) for a, b in combinations(copies, 2)]
    for copy in range(n_docs - N_COPIES):
        edges.append((copy, draw.randrange(copy + N_COPIES, n_docs), draw.uniform(0.1, 0.4)))
    return edges


def mass_copies() -> Edges:
    """Return one story as the candidates have it: each copy is linked to the two largest."""
    draw = random.Random(corpora.SEED)
    return [(hub, copy, draw.uniform(0.8, 1)) for copy in range(2, N_MASS) for hub in (0, 1)]


def all_alike(pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Answer for the pairs that are not among the edges."""
    return np.full(len(pairs), 0.9)


@stage("pairs to clusters")
@pytest.mark.parametrize(
    ("label", "n_docs", "make", "ask"),
    [
        ("stories of four copies, with weak links", N_STORIES * N_COPIES, few_copies, None),
        ("5,000 copies of one story", N_MASS, mass_copies, all_alike),
    ],
)
def test_clustering(
    benchmark: BenchmarkFixture,
    label: str,
    n_docs: int,
    make: Callable[[], Edges],
    ask: Ask | None,
) -> None:
    """Measure what is done on one thread."""
    edges = make()
    pairs = np.array([edge[:2] for edge in edges])
    scores = np.array([edge[2] for edge in edges])

    def join() -> npt.NDArray[np.int64]:
        return average_linkage(n_docs, pairs, scores, threshold=0.4, ask=ask)

    labels = measure(benchmark, label, join, rounds=7, n_pairs=len(edges))
    benchmark.extra_info["note"] = f"{n_docs:,} documents, clusters: {np.unique(labels).size:,}"

"""How fast text becomes signatures and clusters, beside the peers in the same run.

``pytest benchmarks/test_speed.py --benchmark-only --benchmark-json=FILE`` measures, and
``python benchmarks/summary.py FILE`` makes the table. Nothing here says how long
anything may take: figures are for people to read. Every call is made once before
the clock starts, so that kernels are compiled and tables are built. Each stage by
itself is measured by `test_stages`, growth by `test_scale`.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import corpora
import dedupe
import peers
from dedupe.engine.corpus import BATCH_BYTES
from dedupe.minhash import signatures
from dedupe.shingling import digests, hash_shingles
from dedupe.shingling.tokens import hash_tokens
from timing import measure, stage, with_threads

N_FOR_PEERS = 500
"""Articles that a slow pipeline is measured on; rates are for each byte."""

SKETCHES = "text to signatures"
BY_LANGUAGE = "text to signatures, by language"
TEXTS = "texts to clusters"
FILES = "files to clusters"
START = "start-up"


def sketch(texts: Sequence[str]) -> npt.NDArray[np.uint32]:
    """Do with a block of texts what the library does with it."""
    tokens = hash_tokens(texts)
    shingles = hash_shingles(tokens)
    digests(tokens)
    return signatures(shingles.hashes, shingles.offsets)


def tokens_alone(blocks: Iterable[Sequence[str]]) -> None:
    """Hash the tokens of each block."""
    for block in blocks:
        hash_tokens(block)


def tokens_and_shingles(blocks: Iterable[Sequence[str]]) -> None:
    """Hash the tokens and shingles of each block."""
    for block in blocks:
        hash_shingles(hash_tokens(block))


def sketch_all(blocks: Iterable[Sequence[str]]) -> None:
    """Sketch each block."""
    for block in blocks:
        sketch(block)


@stage(SKETCHES)
@pytest.mark.parametrize(
    ("label", "pipeline"),
    [
        ("tokens alone", tokens_alone),
        ("tokens and shingles", tokens_and_shingles),
        ("**dedupe**", sketch_all),
    ],
)
def test_sketches(
    benchmark: BenchmarkFixture, articles: list[str], label: str, pipeline: Callable[..., None]
) -> None:
    """Measure our stages, on one thread."""
    blocks = corpora.blocks(articles, BATCH_BYTES)
    measure(benchmark, label, pipeline, blocks, n_bytes=corpora.n_bytes(articles))


@stage(SKETCHES)
@pytest.mark.parametrize(
    ("reference", "label", "pipeline"),
    [
        ("datasketch", "datasketch, `update_batch` with xxh32", peers.datasketch_sketches),
        ("", "datasketch, `update` with SHA-1", peers.datasketch_sketches_one_by_one),
        ("rensa", "rensa `RMinHash`", peers.rensa_sketches),
    ],
)
def test_sketches_of_peers(
    benchmark: BenchmarkFixture,
    articles: list[str],
    reference: str,
    label: str,
    pipeline: Callable[..., Any],
) -> None:
    """Measure the same work of the peers, on one thread."""
    texts = articles[:N_FOR_PEERS]
    # The loop is seven times slower than the batch, so it gets fewer.
    few, rounds = (texts, 7) if reference else (texts[:50], 3)
    amount = {"n_bytes": corpora.n_bytes(few)}
    measure(benchmark, label, pipeline, few, rounds=rounds, reference=reference, **amount)


@stage(BY_LANGUAGE)
def test_english(benchmark: BenchmarkFixture, articles: list[str]) -> None:
    """Measure what the languages are compared with."""
    blocks = corpora.blocks(articles, BATCH_BYTES)
    n_bytes = corpora.n_bytes(articles)
    measure(benchmark, "English", sketch_all, blocks, n_bytes=n_bytes, reference="English")


@stage(BY_LANGUAGE)
@pytest.mark.parametrize("language", corpora.LANGUAGES)
def test_languages(benchmark: BenchmarkFixture, language: str) -> None:
    """Measure made texts; made English shows what of a difference is due to their making."""
    texts = corpora.generate(language, 2_000_000)
    blocks = corpora.blocks(texts, BATCH_BYTES)
    label = f"{language}, made"
    measure(benchmark, label, sketch_all, blocks, n_bytes=corpora.n_bytes(texts))


@stage(BY_LANGUAGE)
@pytest.mark.skipif(not corpora.PAGES.exists(), reason="needs ../shared/data/pages.jsonl.xz")
def test_pages(benchmark: BenchmarkFixture) -> None:
    """Measure English as it stands on the web."""
    texts = corpora.pages()
    blocks = corpora.blocks(texts, BATCH_BYTES)
    label = "English, web pages"
    measure(benchmark, label, sketch_all, blocks, n_bytes=corpora.n_bytes(texts))


def clusters_of(result: dedupe.Result, names: Sequence[str]) -> list[int]:
    """Return a cluster number for each document, as the peers do."""
    number = {name: place for place, name in enumerate(names)}
    labels = list(range(len(names)))
    for cluster in result.clusters:
        for member in cluster.members:
            labels[number[member]] = number[cluster.members[0]]
    return labels


def say_found(benchmark: BenchmarkFixture, planted: corpora.Planted, labels: list[int]) -> None:
    """Note how many copies are with their originals, since speed alone is cheap."""
    copies = planted.original_of.items()
    n_found = sum(labels[copy] == labels[original] for copy, original in copies)
    benchmark.extra_info["note"] = f"{n_found} of {len(copies)} copies found"


@stage(TEXTS)
@pytest.mark.parametrize("workers", [1, 2])
def test_texts(benchmark: BenchmarkFixture, planted: corpora.Planted, workers: int) -> None:
    """Measure the whole way from texts, with scores and evidence."""

    def find() -> dedupe.Result:
        return dedupe.find_duplicate_texts(planted.texts, workers=workers)

    n_docs = len(planted.texts)
    result = measure(benchmark, _ours(workers), find, rounds=7, n_documents=n_docs)
    names = [str(number) for number in range(n_docs)]
    say_found(benchmark, planted, clusters_of(result, names))


@stage(TEXTS)
@pytest.mark.parametrize("peer", ["datasketch", "rensa"])
def test_texts_of_peers(benchmark: BenchmarkFixture, planted: corpora.Planted, peer: str) -> None:
    """Measure the peers' way: unverified, without scores or evidence."""
    find = _find_of(peer)
    n_docs = len(planted.texts)
    label = f"{peer}, LSH and union-find"
    labels = measure(
        benchmark, label, find, planted.texts, rounds=3, n_documents=n_docs, reference=peer
    )
    say_found(benchmark, planted, labels)


@stage(FILES)
@pytest.mark.parametrize("workers", [1, 2])
def test_files(
    benchmark: BenchmarkFixture, planted: corpora.Planted, folder: Path, workers: int
) -> None:
    """Measure the whole way from a folder of text files."""

    def find() -> dedupe.Result:
        return dedupe.find_duplicates(folder, workers=workers)

    n_docs = len(planted.texts)
    result = measure(benchmark, _ours(workers), find, rounds=7, n_documents=n_docs)
    names = [str(path) for path in sorted(folder.iterdir())]
    say_found(benchmark, planted, clusters_of(result, names))


@stage(FILES)
@pytest.mark.parametrize("peer", ["datasketch", "rensa"])
def test_files_of_peers(
    benchmark: BenchmarkFixture, planted: corpora.Planted, folder: Path, peer: str
) -> None:
    """Measure the peers' way from the same folder."""

    def find() -> list[int]:
        return _find_of(peer)(path.read_text("utf-8") for path in sorted(folder.iterdir()))

    n_docs = len(planted.texts)
    label = f"{peer}, LSH and union-find"
    labels = measure(benchmark, label, find, rounds=3, n_documents=n_docs, reference=peer)
    say_found(benchmark, planted, labels)


def _ours(workers: int) -> str:
    return f"**dedupe**, {with_threads(workers)}"


def _find_of(peer: str) -> Callable[[Iterable[str]], list[int]]:
    return peers.datasketch_clusters if peer == "datasketch" else peers.rensa_clusters


def run_python(numba_cache: Path, *arguments: str) -> None:
    """Run an interpreter of its own to the end."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(numba_cache)}
    subprocess.run(
        [sys.executable, *arguments],
        cwd=corpora.CHECKOUT,
        env=environment,
        check=True,
        capture_output=True,
    )


@stage(START)
def test_first_find(benchmark: BenchmarkFixture, numba_cache: Path) -> None:
    """Measure the first run of all, which compiles the kernels; there is but one."""
    arguments = numba_cache, "-m", "dedupe", "find", "seeds"
    label = "`dedupe find seeds/`, the first time"
    measure(benchmark, label, run_python, *arguments, rounds=1, warmup_rounds=0)


@stage(START)
@pytest.mark.parametrize(
    ("label", "arguments"),
    [
        ("`dedupe find seeds/`, from then on", ("-m", "dedupe", "find", "seeds")),
        ("`dedupe --help`", ("-m", "dedupe", "--help")),
        ("`import dedupe`", ("-c", "import dedupe")),
        ("Python alone", ("-c", "pass")),
    ],
)
def test_start(
    benchmark: BenchmarkFixture, numba_cache: Path, label: str, arguments: tuple[str, ...]
) -> None:
    """Measure an interpreter with everything compiled."""
    measure(benchmark, label, run_python, numba_cache, *arguments, rounds=7)

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
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import corpora
import dedupe
import peers
from dedupe.engine.intake import BATCH_BYTES
from dedupe.ids import Id
from dedupe.minhash import signatures
from dedupe.shingling import digests, hash_shingles
from dedupe.shingling.tokens import hash_tokens
from timing import Turn, measure, measure_in_turn, stage, with_threads

N_FOR_PEERS = 200
"""Articles that a slow pipeline is measured on; rates are for each byte."""

OURS = "**dedupe**"
BY_LOOP = "datasketch, `update` with SHA-1"
SKETCHES_OF_PEERS = (
    ("datasketch", "datasketch, `update_batch` with xxh32", peers.datasketch_sketches),
    ("datasketch", BY_LOOP, peers.datasketch_sketches_one_by_one),
    ("rensa", "rensa `RMinHash`", peers.rensa_sketches),
    ("FastSketchLSH", "FastSketchLSH", peers.fastsketch_sketches),
    ("minhashlib", "minhashlib, of three characters", peers.minhashlib_sketches),
)
"""Libraries that give signatures to Python. The loop is not what others are compared with."""

Clusters = Callable[[Iterable[str]], list[int]]

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
def test_sketches(benchmark: BenchmarkFixture, articles: list[str]) -> None:
    """Measure our stages and the peers' signatures, on one thread."""
    blocks = corpora.blocks(articles, BATCH_BYTES)
    amount = {"n_bytes": corpora.n_bytes(articles)}
    ours = {
        "tokens alone": tokens_alone,
        "tokens and shingles": tokens_and_shingles,
        OURS: sketch_all,
    }
    turns = [Turn(label, partial(ours[label], blocks), amount) for label in ours]
    few = articles[:N_FOR_PEERS]
    amount = {"n_bytes": corpora.n_bytes(few)}
    for peer, label, pipeline in SKETCHES_OF_PEERS:
        if peers.is_installed(peer):
            reference = peer if label != BY_LOOP else ""
            turns.append(Turn(label, partial(pipeline, few), amount, reference))
    measure_in_turn(benchmark, turns, rounds=9)


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


def clusters_of(result: dedupe.Result, names: Sequence[Id]) -> list[int]:
    """Return a cluster number for each text, as the peers do."""
    number = {name: place for place, name in enumerate(names)}
    labels = list(range(len(names)))
    for cluster in result.clusters:
        for member in cluster.members:
            labels[number[member]] = number[cluster.members[0]]
    return labels


def copies_found(planted: corpora.Planted, labels: Sequence[int]) -> dict[str, Any]:
    """Say how many copies are with their originals, since speed alone is cheap."""
    copies = planted.original_of.items()
    n_found = sum(labels[copy] == labels[original] for copy, original in copies)
    note = f"{n_found} of {len(copies)} copies found"
    return {"note": note, "found": n_found / len(copies)}


@stage(TEXTS)
def test_texts(benchmark: BenchmarkFixture, planted: corpora.Planted) -> None:
    """Measure the whole way from texts: ours scores and explains pairs, which no peer does."""
    names = range(len(planted.texts))

    def find(workers: int) -> dedupe.Result:
        return dedupe.find_duplicate_texts(planted.texts, workers=workers)

    _measure_all(benchmark, planted, names, find, lambda: planted.texts)


@stage(FILES)
def test_files(benchmark: BenchmarkFixture, planted: corpora.Planted, folder: Path) -> None:
    """Measure the whole way from a folder of text files."""
    names = [str(path) for path in sorted(folder.iterdir())]

    def find(workers: int) -> dedupe.Result:
        return dedupe.find_duplicates(folder, workers=workers)

    def read() -> Iterable[str]:
        return (path.read_text("utf-8") for path in sorted(folder.iterdir()))

    _measure_all(benchmark, planted, names, find, read)


def _measure_all(
    benchmark: BenchmarkFixture,
    planted: corpora.Planted,
    names: Sequence[Id],
    find: Callable[[int], dedupe.Result],
    read: Callable[[], Iterable[str]],
) -> None:
    """Measure ours on one thread and on two, and the peers on the texts that they read."""
    amount = {"n_documents": len(names)}

    def judge_ours(result: dedupe.Result) -> dict[str, Any]:
        return copies_found(planted, clusters_of(result, names))

    turns = [
        Turn(f"{OURS}, {with_threads(n)}", partial(find, n), amount, judge=judge_ours)
        for n in (1, 2)
    ]
    for peer, clusters in peers.CLUSTERS.items():
        if peers.is_installed(peer):

            def find_of_peer(clusters: Clusters = clusters) -> list[int]:
                return clusters(read())

            turns.append(Turn(peer, find_of_peer, amount, peer, partial(copies_found, planted)))
    measure_in_turn(benchmark, turns, rounds=3)


def run_python(installed: Path, *arguments: str) -> None:
    """Run an interpreter of its own to the end, with a package that is installed in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment |= {"NUMBA_CACHE_DIR": str(installed / "cache")}
    # Where packages are installed, their modules are kept as bytecode.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(
        [sys.executable, *arguments],
        cwd=corpora.CHECKOUT,
        env=environment,
        check=True,
        capture_output=True,
    )


@stage(START)
def test_first_find(benchmark: BenchmarkFixture, installed: Path) -> None:
    """Measure the first run of all, which compiles the kernels; there is but one."""
    arguments = installed, "-m", "dedupe", "find", "seeds"
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
    benchmark: BenchmarkFixture, installed: Path, label: str, arguments: tuple[str, ...]
) -> None:
    """Measure an interpreter with everything compiled."""
    measure(benchmark, label, run_python, installed, *arguments, rounds=7)

"""What the benchmarks share: the articles, and what is written down about the machine."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import corpora

PACKAGES = ("numpy", "numba", "xxhash", "datasketch", "rensa")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the sizes of the crawls be chosen."""
    parser.addoption("--sizes", default="10000", help="documents of each crawl, with commas")


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Add what a figure depends on and pytest-benchmark does not know."""
    machine_info["cores"] = os.cpu_count()
    machine_info["packages"] = {name: version(name) for name in PACKAGES}
    machine_info["texts"] = corpora.source()


@pytest.fixture(scope="session")
def articles() -> list[str]:
    """Return English articles."""
    return corpora.english()


@pytest.fixture(scope="session")
def planted(articles: list[str]) -> corpora.Planted:
    """Return 2,000 articles of which 200 are copies of others in a new frame."""
    return corpora.plant_copies(articles, 2000)


@pytest.fixture(scope="session")
def folder(planted: corpora.Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the planted articles as files."""
    where = tmp_path_factory.mktemp("articles")
    for number, text in enumerate(planted.texts):
        (where / f"{number:04}.txt").write_text(text, "utf-8")
    return where


@pytest.fixture(scope="session")
def numba_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for compiled kernels, empty at first."""
    return tmp_path_factory.mktemp("numba")

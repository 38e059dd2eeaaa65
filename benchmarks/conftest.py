"""What the benchmarks share: the articles, and what is written down about the machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

import corpora
import crawl
import dedupe
import peers
from material import Material

PACKAGES = ("numpy", "numba", "xxhash")

N_ARTICLES = 6000
"""Documents of `planted`."""

# Other libraries have one thread, as ours has where nothing else is said. They look when
# they are used for the first time.
os.environ |= {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the sizes of crawls and crowds be chosen, and the articles."""
    add = parser.addoption
    add("--sizes", default="10000", help="documents of each crawl, with commas")
    add("--crowds", default="6000,20000", help="documents of each crowd, with commas")
    add("--source", type=Path, help="articles: JSON Lines with text, or a folder of .txt")


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """Add what a figure depends on and pytest-benchmark does not know."""
    machine_info["cores"] = os.cpu_count()
    machine_info["packages"] = dict(_versions(*PACKAGES, *peers.PACKAGES))
    machine_info["missing"] = [name for name in peers.PACKAGES if not peers.is_installed(name)]
    machine_info["texts"] = corpora.source(config.getoption("--source"))


def _versions(*packages: str) -> Iterator[tuple[str, str]]:
    for name in packages:
        with suppress(PackageNotFoundError):
            yield name, version(name)


@pytest.fixture(scope="session")
def articles(pytestconfig: pytest.Config) -> list[str]:
    """Return English articles."""
    return corpora.english(pytestconfig.getoption("--source"))


@pytest.fixture(scope="session")
def material(pytestconfig: pytest.Config) -> Material:
    """Return what crawls and crowds are made of."""
    return crawl.read_source(pytestconfig.getoption("--source"))


@pytest.fixture(scope="session")
def planted(articles: list[str]) -> corpora.Planted:
    """Return 6,000 articles of which 600 are copies of others in a new frame."""
    return corpora.plant_copies(corpora.parts(articles, N_ARTICLES), N_ARTICLES)


@pytest.fixture(scope="session")
def folder(planted: corpora.Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the planted articles as files."""
    where = tmp_path_factory.mktemp("articles")
    for number, text in enumerate(planted.texts):
        (where / f"{number:04}.txt").write_text(text, "utf-8")
    return where


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package as it is installed, before its first run."""
    where = tmp_path_factory.mktemp("installed")
    package = Path(dedupe.__file__).parent
    shutil.copytree(package, where / "dedupe", ignore=shutil.ignore_patterns("__pycache__"))
    return where

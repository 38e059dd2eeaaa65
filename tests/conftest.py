"""What all tests share: how far property tests search, and kernels that are compiled once."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from numba import config

from dedupe.kernels import are_compiled, are_kept

SEEDS = Path(__file__).parent.parent / "seeds"

# The same examples on every machine; `--hypothesis-profile=thorough` looks further.
settings.register_profile("core", derandomize=True, deadline=None, database=None, max_examples=40)
settings.register_profile("quick", settings.get_profile("core"), max_examples=10)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
# Inputs for all of test_fuzzing.py, where each test says its share of them.
settings.register_profile(
    "fuzz", deadline=None, max_examples=100_000, suppress_health_check=[*HealthCheck]
)
settings.load_profile("quick" if config.DISABLE_JIT else "core")


COMPILERS = pytest.StashKey[list[subprocess.Popen[bytes]]]()
"""The process that compiles what is not, if one does."""


def pytest_sessionstart(session):
    """Start to compile what is not, while tests are collected; workers leave it to their parent."""
    is_worker = hasattr(session.config, "workerinput")
    is_needed = not (is_worker or session.config.option.collectonly or are_compiled(of_index=True))
    warm_up = [sys.executable, "-c", "import dedupe; dedupe.warm_up()"]
    compilers = [subprocess.Popen(warm_up)] if is_needed and are_kept() else []
    session.config.stash[COMPILERS] = compilers


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Wait for the kernels, which no two workers need to compile then."""
    codes = [compiler.wait() for compiler in session.config.stash.get(COMPILERS, [])]
    if any(codes):
        pytest.exit("the kernels could not be compiled before the tests", returncode=1)


def pytest_collection_modifyitems(items):
    """Let hashes wrap around in kernels that are not compiled, where numpy warns of it."""
    if config.DISABLE_JIT:
        for item in items:
            item.add_marker(pytest.mark.filterwarnings("ignore:overflow encountered"))


@pytest.fixture(scope="session")
def seeds():
    """Return the two texts of the seeds: the body of an article, and a page with it inside."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(SEEDS.iterdir()))

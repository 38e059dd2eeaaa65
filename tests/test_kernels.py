"""Kernels: each has a slow twin, is compiled once, and works without a cache on disk."""

import errno
import importlib
import os
import pkgutil
import re
import subprocess
import sys

import pytest
from numba.core import caching

import reference
from dedupe import kernels
from dedupe.kernels import compiler, machine
from loading import loading

SOURCE = """
from dedupe.kernels import compiled

@compiled
def twice(n):
    return 2 * n
"""

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled"
)


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Return a function that loads a kernel as a new process would that has numba alone."""
    monkeypatch.setattr(machine, "is_possible", lambda: False)
    monkeypatch.setattr(compiler.Cache, "has_failed", False)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    with loading(tmp_path / "some_kernels.py", SOURCE) as load:
        yield lambda: load().twice


def test_each_kernel_has_a_slow_twin():
    modules = {
        one.name: importlib.import_module(f"dedupe.kernels.{one.name}")
        for one in pkgutil.iter_modules(kernels.__path__)
    }
    found = {
        f"{module}.{name}"
        for module, names in modules.items()
        if hasattr(names, "compiled")
        for name in names.__all__
        if callable(getattr(names, name))
    }
    assert found == {*reference.TWINS}


def hits(kernel) -> int:
    """Return how often a kernel was found in the cache."""
    return sum(kernel.stats.cache_hits.values())


def test_a_kernel_is_compiled_once(fresh):
    assert [fresh()(3) for _ in range(2)] == [6, 6]
    kernel = fresh()
    assert (kernel(3), hits(kernel)) == (6, 1)


def test_a_full_disk_is_told_once_and_the_kernels_work(fresh, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    assert [fresh()(3) for _ in range(2)] == [6, 6]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("dedupe", "WARNING")
    said = record.getMessage()
    assert re.search("cannot be kept in .*No space left.*NUMBA_CACHE_DIR", said)


def test_a_cache_that_cannot_be_read_is_none(fresh, monkeypatch, caplog):
    fresh()(3)

    def locked(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_load_index", locked)
    assert fresh()(3) == 6
    assert "Permission denied" in caplog.text


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x80\x05K\x00."])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_cache_is_made_anew(fresh, tmp_path, suffix, data):
    fresh()(3)
    (damaged,) = (tmp_path / "cache").rglob(f"*.{suffix}")
    damaged.write_bytes(data)
    assert fresh()(3) == 6
    kernel = fresh()
    assert (kernel(3), hits(kernel)) == (6, 1)


def test_where_no_folder_can_be_written_there_is_no_cache(fresh, monkeypatch):
    def refuse(_):
        raise OSError

    monkeypatch.setattr(caching._CacheLocator, "ensure_cache_path", refuse)
    kernel = fresh()
    assert (kernel(3), kernel.stats.cache_path) == (6, None)


PROGRAM = """
from numba.core import caching

def refuse(_):
    raise OSError

caching._CacheLocator.ensure_cache_path = refuse
import dedupe.cache
dedupe.cache.folders = lambda source: ()

def stop(step):
    raise SystemExit(step.note)

dedupe.find_duplicate_texts(["one", "two"], progress=stop)
"""


def test_who_compiles_at_each_start_is_told_how_to_do_so_but_once():
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert ran.stderr.startswith("compiling the kernels, which no folder can keep: set NUMBA_CACHE")

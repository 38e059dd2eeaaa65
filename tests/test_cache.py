"""What is kept for the next process: found where it was put, and never taken for something else."""

from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import FunctionCache

from dedupe import cache
from dedupe.shingling import folding


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Return a source file whose folder can be written, while no other is."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    path = tmp_path / "package" / "module.py"
    path.parent.mkdir()
    path.write_text("")
    return path


def test_what_is_kept_is_loaded_for_the_same_purpose_alone(source):
    cache.keep(source, "name", "this", b"data\n\0")
    assert cache.load(source, "name", "this") == b"data\n\0"
    assert cache.load(source, "name", "that") is None
    assert cache.load(source, "other", "this") is None
    assert (cache.has_any(source, "na", "this"), cache.has_any(source, "na", "that")) == (
        True,
        False,
    )
    assert [path.name for path in (source.parent / "__pycache__").iterdir()] == ["name"]


def test_a_chosen_folder_comes_first(source, tmp_path, monkeypatch):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "chosen"))
    cache.keep(source, "name", "this", b"data")
    assert [path.name for path in (tmp_path / "chosen").rglob("name")] == ["name"]
    assert not (source.parent / "__pycache__").exists()


def test_the_users_folder_stands_in_for_one_that_cannot_be_written(source, tmp_path):
    (source.parent / "__pycache__").write_text("no folder")
    cache.keep(source, "name", "this", b"data")
    assert cache.load(source, "name", "this") == b"data"
    assert [path.name for path in (tmp_path / "home").rglob("name")] == ["name"]


def test_where_nothing_can_be_written_nothing_is_kept(source, monkeypatch):
    (source.parent / "__pycache__").write_text("no folder")
    (source.parent.parent / "home").write_text("no folder")
    cache.keep(source, "name", "this", b"data")
    assert cache.load(source, "name", "this") is None


@pytest.mark.parametrize("chosen", [True, False])
def test_folders_are_those_of_numba(source, tmp_path, monkeypatch, chosen):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "chosen") if chosen else "")
    source.write_text("def f(): pass\n")
    names = {}
    exec(compile(source.read_text(), str(source), "exec"), names)
    found = FunctionCache(names["f"]).cache_path
    assert Path(found) == next(cache.folders(source))


def test_tables_that_were_kept_are_those_that_are_built(source, monkeypatch):
    built = folding._build()
    kept = folding._unpacked(folding._packed(built))
    for name in ("entries", "expansions", "classes"):
        one, other = getattr(kept, name), getattr(built, name)
        assert one.dtype == other.dtype
        assert one.flags.writeable
        assert np.array_equal(one, other)

"""The package from outside: its names, what importing it costs, what its errors are."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import dedupe
from dedupe import errors
from dedupe.errors import DedupeError, MissingExtra, Skipped
from dedupe.settings import FALLBACK_MEMORY, KEEP, SCORE_FLOOR, Resources, Settings, identity

PUBLIC = [name for name in dedupe.__all__ if not name.startswith("__")]
OF_EXTRAS = {"dedupe.spark": "pyspark", "dedupe.serve.connections": "uvicorn"}
"""Modules that can be imported where an extra is installed, and what that brings."""

MISSING = tuple(module for module, needed in OF_EXTRAS.items() if find_spec(needed) is None)
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(dedupe.__path__, "dedupe.")
    if module.name != "dedupe.__main__" and not module.name.startswith(MISSING)
)


def run(code):
    """Return what a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


# --- names ---


def test_names_are_listed_once_and_in_order():
    assert dedupe.__all__ == sorted(set(dedupe.__all__))
    assert dir(dedupe) == dedupe.__all__


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_exists_and_has_a_docstring(name):
    value = getattr(dedupe, name)
    assert inspect.getdoc(value)
    assert value.__name__ == name
    assert value.__module__.startswith("dedupe.")


def test_all_names_are_what_type_checkers_see():
    """They read the imports under TYPE_CHECKING, which nothing executes."""
    tree = ast.parse(Path(dedupe.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: statement.module for statement in block.body for alias in statement.names}
    assert sorted(seen) == sorted(PUBLIC)
    for name, module in seen.items():
        assert getattr(importlib.import_module(module), name) is getattr(dedupe, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'dedupe' has no attribute 'find'"):
        _ = dedupe.find


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_for_and_what_it_exports(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public)


# --- what importing costs ---


@pytest.mark.parametrize("code", ["import dedupe", "import dedupe; dir(dedupe); dedupe.__all__"])
def test_importing_loads_next_to_nothing(code):
    loaded = run(
        f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    )
    tops = {name.partition(".")[0] for name in loaded.split()}
    assert not tops & {"numpy", "numba", "scipy", "datasketch", "xxhash", "click", "rich", "jinja2"}
    assert {name for name in loaded.split() if name.startswith("dedupe.")} == set()


def test_errors_and_settings_load_without_numba():
    loaded = run("import sys, dedupe; dedupe.DedupeError, dedupe.Settings(); print(*sys.modules)")
    assert not {"numpy", "numba"} & set(loaded.split())


def test_results_load_without_numba():
    """So that a saved result is reported without waiting for a compiler."""
    assert "numba" not in run("import sys, dedupe; dedupe.Result; print(*sys.modules)").split()


def test_importing_prints_and_writes_nothing(tmp_path):
    code = f"import os; os.chdir({str(tmp_path)!r}); from dedupe import *"
    assert run(code) == ""
    assert list(tmp_path.iterdir()) == []


# --- errors ---


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("InvalidSetting", ValueError),
        ("CannotStore", OSError),
        ("InvalidCheckpoint", ValueError),
        ("InvalidInput", TypeError),
        ("NoSuchPath", FileNotFoundError),
        ("NothingToRead", ValueError),
        ("DuplicateId", ValueError),
        ("UnknownDocument", LookupError),
        ("InvalidResult", ValueError),
        ("InvalidLabels", ValueError),
        ("MissingExtra", ImportError),
        ("MissingJava", RuntimeError),
        ("CannotClean", OSError),
    ],
)
def test_an_error_is_also_what_a_caller_would_expect(name, builtin):
    error = getattr(dedupe, name)
    assert issubclass(error, DedupeError)
    assert issubclass(error, builtin)


def test_every_error_is_public_and_of_one_tree():
    found = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert all(issubclass(getattr(errors, name), DedupeError) for name in found)
    assert found | {"Skipped"} == set(errors.__all__) <= set(dedupe.__all__)


def test_a_message_of_a_key_error_is_not_quoted():
    """A KeyError would show its message in quotes."""
    assert str(dedupe.UnknownDocument("no such pair")) == "no such pair"


def test_a_missing_extra_says_what_to_install():
    error = MissingExtra("Parquet", "parquet")
    assert str(error) == (
        "Parquet needs an optional dependency: "
        "install it with `pip install 'dedupe-articles[parquet]'`"
    )
    assert error.extra == "parquet"


def test_skipped_is_a_record_not_an_error():
    assert Skipped("a", "empty", "give it a text") == Skipped("a", "empty", "give it a text")
    assert not isinstance(Skipped("a", "b", "c"), Exception)


# --- settings ---


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "threshold",
            [SCORE_FLOOR, 0.1, 0.4, 1, 1.0],
            [0, 0.0999, 1.0001, float("nan"), "0.4", None],
        ),
        ("ngram", [1, 5, 64], [0, 65, 5.0, "5", None, True]),
        ("num_perm", [16, 4096], [15, 4097, 128.0]),
        ("seed", [0, 2**32 - 1], [-1, 2**32, 1.5]),
        ("bucket_cap", [2, 30, 2**20], [1, 2**20 + 1, None]),
        ("keep", [*KEEP, max, lambda documents: documents[0]], ["best", None, 3, ""]),
    ],
)
def test_settings_know_their_ranges(name, good, bad):
    for value in good:
        assert getattr(Settings(**{name: value}), name) == value
    for value in bad:
        with pytest.raises(dedupe.InvalidSetting, match=f"^{name} must be .*, got "):
            Settings(**{name: value})


@pytest.mark.parametrize("jaccard", [0.0, 0.02, 0.05, 0.5, 1.0])
def test_expected_recall_is_the_curve_of_one_row(jaccard):
    settings = Settings(num_perm=64)
    assert settings.expected_recall(jaccard) == pytest.approx(1 - (1 - jaccard) ** 64)
    assert (settings.bands, settings.rows) == (64, 1)


def test_the_arithmetic_beside_the_defaults():
    """What the docstrings of `Settings` say of 64 and 128 values, and of rows of two."""
    assert Settings().expected_recall(0.05) == pytest.approx(0.9986, abs=5e-5)
    assert 1 / (1 - Settings(num_perm=64).expected_recall(0.05)) == pytest.approx(27, abs=0.5)
    assert Settings().expected_recall(0.1) == pytest.approx(0.999999, abs=5e-7)
    of_two_rows = 1 - (1 - 0.1**2) ** 64
    assert of_two_rows == pytest.approx(0.47, abs=0.005)


def test_the_memory_of_the_machine_is_known_or_guessed(monkeypatch):
    assert Resources.of().memory > 1 << 24
    monkeypatch.delattr("os.sysconf", raising=False)
    assert Resources.of().memory == FALLBACK_MEMORY // 4


@pytest.mark.parametrize("name", ["workers", "memory"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, np.True_, np.float64(2)])
def test_resources_are_whole_numbers(name, value):
    with pytest.raises(dedupe.InvalidSetting, match=f"^{name} must be a whole number .*, got "):
        Resources.of(**{name: value})


@pytest.mark.parametrize("name", ["workers", "memory"])
def test_a_number_of_numpy_is_one(name):
    value = getattr(Resources.of(**{name: np.int64(3)}), name)
    assert (value, type(value)) == (3, int)


@pytest.mark.parametrize(
    ("size", "n"),
    [
        ("1", 1),
        ("4096", 4096),
        ("1k", 1024),
        (" 500MiB ", 500 << 20),
        ("2G", 2 << 30),
        ("1TB", 1 << 40),
    ],
)
def test_memory_may_be_a_size(size, n):
    assert Resources.of(memory=size).memory == n


@pytest.mark.parametrize("size", ["", "0", "0G", "-1", "1.5G", "2 G", "G", "2X", "２G"])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(dedupe.InvalidSetting, match=r"^memory must be a size such as .*, got"):
        Resources.of(memory=size)


def test_settings_of_numpy_are_those_of_python():
    of_numpy = Settings(np.float64(0.5), np.int64(4), np.int32(64), np.uint32(7), np.int8(9))
    assert of_numpy == Settings(0.5, 4, 64, 7, 9)
    assert {type(value) for value in (of_numpy.threshold, of_numpy.ngram)} == {float, int}


@pytest.mark.parametrize("changed", [{"ngram": 4}, {"num_perm": 64}, {"seed": 2}])
def test_what_changes_signatures_changes_the_identity(changed):
    assert identity(Settings(**changed)) != identity(Settings())


@pytest.mark.parametrize("changed", [{"threshold": 0.5}, {"keep": "first"}, {"bucket_cap": 9}])
def test_what_changes_neither_signatures_nor_scores_does_not(changed):
    assert identity(Settings(**changed)) == identity(Settings())

"""Machine code of kernels: what it computes, and that numba takes over wherever it is not sure."""

import errno
import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dedupe import cache, kernels
from dedupe.kernels import compiler, entry, machine, parts
from loading import loading

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled"
)

SOURCE = """
import numpy as np
from dedupe.kernels import apart, compiled

@compiled
def square(x):
    return x * x

@compiled
def squares_into(values, factor, found):
    for i in range(values.shape[0]):
        found[i] = np.sqrt(square(values[i])) * factor

@compiled
def total(values):
    n = 0
    for row in values:
        for one in row[1:]:
            n += one
    return n

@compiled
def quotient(a, b):
    return a // b

@compiled
def allocated(n):
    return np.zeros(n, np.int64).size

@compiled
def half(x):
    return x / 2

@compiled
def times(n, x):
    return n * x

@compiled
def three(x):
    return times(3, x) + times(6, x)

@compiled
def four(x):
    return times(4, x) + times(8, x)

@apart
def apart_times(n, x):
    return n * x

@compiled
def threefold(x):
    return apart_times(3, x) + apart_times(6, x)
"""


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Return a function that loads kernels as a new process would."""
    monkeypatch.setattr(machine, "is_possible", lambda: True)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    with loading(tmp_path / "other_kernels.py", SOURCE) as load:
        yield load


@pytest.fixture
def alone(monkeypatch):
    """Return a function after which numba must not be asked for anything."""

    def refuse(_):
        raise AssertionError("numba was asked")

    return lambda: monkeypatch.setattr(kernels, "_by_numba", refuse)


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*.machine"))


def test_what_was_compiled_is_called_without_numba(fresh, alone):
    values, found = np.array([3.0, -2.0]), np.empty(2)
    fresh().squares_into(values, 2.0, found)
    alone()
    again = np.empty(2)
    fresh().squares_into(values, 2.0, again)
    assert again.tolist() == found.tolist() == [6, 4]


def layouts():
    """Return one table in all the ways that an array can hold it."""
    table = np.arange(12).reshape(3, 4)
    wide = np.zeros((3, 8), np.int64)
    wide[:, ::2] = table
    locked = table.copy()
    locked.flags.writeable = False
    shifted = np.frombuffer(b"\0" + table.tobytes(), np.int64, offset=1)
    return [table, wide[:, ::2], locked, shifted.reshape(3, 4), np.asfortranarray(table)]


def test_an_array_of_any_layout_is_read_as_numba_reads_it(fresh):
    for _ in range(2):
        module = fresh()
        assert [module.total(table) for table in layouts()] == [54] * 5
        assert [module.total(table[:0]) for table in layouts()] == [0] * 5


@pytest.mark.parametrize(
    "values", [(7, 2), (-7, 2), (np.uint64(2**64 - 1), np.uint64(3)), (np.int64(7), 2)]
)
def test_whole_numbers_keep_their_sign_and_size(fresh, values):
    expected = values[0] // values[1]
    assert [fresh().quotient(*values) for _ in range(2)] == [expected] * 2


def test_what_does_not_fit_or_is_not_known_is_left_to_numba(fresh):
    for _ in range(2):
        assert fresh().half(2**63) == 2.0**62
        assert fresh().quotient(np.int32(7), True) == 7
        assert fresh().half(3) == 1.5


def test_an_exception_is_numbas_own(fresh):
    assert fresh().quotient(4, 2) == 2
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fresh().quotient(4, 0)


def test_what_needs_more_than_itself_is_not_kept(fresh, tmp_path):
    assert [fresh().allocated(3) for _ in range(2)] == [3, 3]
    assert [fresh().half(3.0) for _ in range(2)] == [1.5, 1.5]
    assert files(tmp_path) == []


@pytest.mark.parametrize("position", [0, 20, 40, 90, 200, -1])
def test_a_damaged_file_is_none_and_made_anew(fresh, tmp_path, position, alone):
    fresh().quotient(4, 2)
    (path,) = files(tmp_path)
    sound = path.read_bytes()
    for damaged in (b"", sound[:position], bytearray(sound)):
        if isinstance(damaged, bytearray):
            damaged[position] ^= 1
        path.write_bytes(damaged)
        assert fresh().quotient(4, 2) == 2
        assert path.read_bytes() == sound
    alone()
    assert fresh().quotient(4, 2) == 2


def test_code_of_another_version_or_processor_is_not_run(fresh, tmp_path, monkeypatch):
    fresh().quotient(4, 2)
    function, kinds = fresh().quotient.function, (machine.kind(4),) * 2
    assert machine.load(function, kinds) is not None
    assert machine.has_any(function)
    with monkeypatch.context() as other:
        other.setattr(machine, "_surroundings", lambda: "another numba")
        assert machine.load(function, kinds) is None
        assert not machine.has_any(function)
    with monkeypatch.context() as other:
        other.setattr(machine._llvm(), "get_host_cpu_name", lambda: "another")
        assert machine.load(function, kinds) is None
    source = tmp_path / "other_kernels.py"
    source.write_text(SOURCE + "\n")
    assert machine.load(function, kinds) is None


@pytest.mark.parametrize("changed", ["version", "processor", "features"])
def test_what_surrounds_a_kernel_is_told_apart(monkeypatch, tmp_path, changed):
    before = machine._surroundings.__wrapped__()
    if changed == "version":
        (tmp_path / "_version.py").write_text("another")
        spec = importlib.util.spec_from_file_location("numba", tmp_path / "__init__.py")
        monkeypatch.setattr(machine, "find_spec", lambda _: spec)
    else:
        name = "get_host_cpu_name" if changed == "processor" else "get_host_cpu_features"
        nothing = type(machine._llvm().get_host_cpu_features())()
        told = "another" if changed == "processor" else nothing
        monkeypatch.setattr(machine._llvm(), name, lambda: told)
    assert machine._surroundings.__wrapped__() != before


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners of files here")
@pytest.mark.parametrize("mode", [0o666, 0o664])
def test_a_file_that_others_may_write_is_not_run(fresh, tmp_path, mode):
    fresh().quotient(4, 2)
    (path,) = files(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(mode)
    assert machine.load(fresh().quotient.function, (machine.kind(4),) * 2) is None


def test_a_file_of_another_user_is_not_run(fresh, monkeypatch):
    fresh().quotient(4, 2)
    real = os.fstat

    def foreign(number):
        status = list(real(number))
        status[4] += 1
        return os.stat_result(status)

    monkeypatch.setattr("dedupe.cache.os.fstat", foreign)
    assert machine.load(fresh().quotient.function, (machine.kind(4),) * 2) is None


def test_threads_that_come_at_once_all_get_the_result(fresh, monkeypatch):
    made = []
    monkeypatch.setattr(
        parts, "machine_code", lambda *of, do=parts.machine_code: made.append(of) or do(*of)
    )
    for _ in range(2):
        module = fresh()
        tables = [np.full((3, 4), n) for n in range(64)]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(module.total, tables)) == [9 * n for n in range(64)]
    # However many asked for it, it was compiled once, and in the first round.
    assert len(made) == 1


def test_what_is_called_is_compiled_once_for_all_that_call_it(fresh, alone):
    """Not by numba with its ways into it from Python, and not for each number in a call."""
    module = fresh()
    alone()
    values, found = np.array([3.0, -2.0]), np.empty(2)
    module.squares_into(values, 2.0, found)
    assert [module.three(5), module.four(5)] == [45, 60]
    assert [len(one.part.overloads) for one in (module.square, module.times)] == [1, 1]
    assert not module.square._ready


def test_what_stays_apart_says_the_same(fresh, alone):
    module = fresh()
    alone()
    kinds = (machine.kind(5),)
    code = {
        name: parts.machine_code(getattr(module, name).part, kinds, (5,))
        for name in ("three", "threefold")
    }
    assert module.three(5) == module.threefold(5) == 45
    # There it is called, and here it is only multiplied.
    assert len(code["threefold"]) > len(code["three"])


def refuse(*_, **__):
    raise TypeError("there must be one argument more")


@pytest.mark.parametrize(
    "broken",
    [
        (parts.Library, "copied", None),
        (parts.Pipeline, "__init__", refuse),
        (parts.Part, "get_call_template", refuse),
        (parts, "unliteral", refuse),
        (sys.modules, "dedupe.kernels.parts", None),
    ],
)
def test_a_numba_that_nobody_has_tried_compiles_by_itself(
    fresh, tmp_path, monkeypatch, caplog, broken
):
    """Its own names may be gone, or ask for something else, wherever they are used."""
    module = fresh()
    monkeypatch.setattr(kernels.Kernel, "has_parts", True)
    place, name, other = broken
    if place is sys.modules:
        monkeypatch.setitem(place, name, other)
        monkeypatch.delattr(kernels, "parts")
    else:
        monkeypatch.setattr(place, name, other)
    values, found = np.array([3.0, -2.0]), np.empty(2)
    module.squares_into(values, 2.0, found)
    assert (found.tolist(), module.threefold(5)) == ([6, 4], 45)
    assert files(tmp_path) == []
    (record,) = caplog.records
    assert re.search("numba .* otherwise than dedupe knows", record.getMessage())


def test_a_full_disk_is_told_once(fresh, monkeypatch, caplog):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(compiler.Cache, "has_failed", False)
    monkeypatch.setattr(cache, "_write", full)
    module = fresh()
    assert (module.quotient(9, 2), module.three(5)) == (4, 45)
    (record,) = caplog.records
    assert re.search("cannot be kept in .*No space left.*NUMBA_CACHE_DIR", record.getMessage())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_uses_code_of_its_parent_and_loads_its_own(fresh):
    fresh().quotient(4, 2)
    fresh().total(np.ones((2, 2), np.int64))
    module = fresh()
    module.quotient(4, 2)
    child = os.fork()
    if child == 0:
        right = module.quotient(9, 3) == 3 and module.total(np.ones((2, 2), np.int64)) == 2
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_kernel_that_is_called_often_does_without_numba(fresh, alone):
    fresh().quotient(4, 2)
    alone()
    kernel = fresh().quotient
    assert {kernel(n, 2) for n in range(5000)} == {*range(2500)}


def odd_arrays():
    """Return one table as arrays that are not laid out, or not named, as others are."""
    table = np.arange(12).reshape(3, 4)
    # NumPy makes it anew with a type of its own.
    other = np.empty(0, np.dtype(np.int64, metadata={"of": "another"}))
    renamed = table.view(other.dtype)
    assert renamed.dtype is not table.dtype
    return [table, table.view(np.memmap), renamed, table[::-1][::-1], *layouts()]


def test_arrays_of_another_class_or_with_a_type_of_their_own_are_read_without_numba(fresh, alone):
    odd = [one for one in odd_arrays() if not np.isfortran(one)]
    assert [fresh().total(one) for one in odd] == [54] * len(odd)
    alone()
    module = fresh()
    for _ in range(2):
        assert [module.total(one) for one in odd] == [54] * len(odd)


@pytest.mark.parametrize("other", [7, None, "7", 2.5, [1], np.int64(7)])
def test_what_is_no_array_is_refused_before_it_is_read(fresh, other):
    fresh().total(np.ones((2, 2), np.int64))
    module = fresh()
    assert module.total(np.ones((2, 2), np.int64)) == 2
    (code,) = module.total._ready
    refused = [other, np.ones((2, 2)), np.ones(4, np.int64), np.ones((2, 2, 2), np.int64)]
    assert [code(one) for one in refused] == [NotImplemented] * 4
    assert code() is code(np.ones((2, 2), np.int64), other) is NotImplemented


@pytest.mark.parametrize("other", [2.0, None, True, 2**63, np.float64(2), np.ones(2)])
def test_a_scalar_of_another_type_is_refused(fresh, other):
    fresh().quotient(4, 2)
    module = fresh()
    assert module.quotient(4, 2) == 2
    (code,) = module.quotient._ready
    assert code(4, other) is code(other, 2) is NotImplemented
    assert code(np.int64(4), 2) == 2


def test_an_interpreter_that_lays_out_arrays_otherwise_gets_numba(monkeypatch):
    assert entry.is_possible()
    with monkeypatch.context() as other:
        other.setattr(entry, "DTYPE", entry.DATA)
        assert not entry.is_possible.__wrapped__()
    with monkeypatch.context() as other:
        other.setattr(entry, "FLAGS", entry.N_DIMENSIONS)
        assert not entry.is_possible.__wrapped__()
    with monkeypatch.context() as other:
        other.setattr(entry.sys.implementation, "name", "another")
        assert not entry.is_possible.__wrapped__()
    machine.is_possible.cache_clear()
    monkeypatch.setattr(entry, "is_possible", lambda: False)
    try:
        assert not machine.is_possible()
    finally:
        machine.is_possible.cache_clear()


# --- whole processes ---


def run(code: str, folder: Path, **environment: str) -> str:
    """Return what a program prints."""
    told = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    cache = os.environ.get("NUMBA_CACHE_DIR")
    given = {"NUMBA_CACHE_DIR": cache} if cache else {}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=told | given | environment,
    )
    return ran.stdout


SEARCH = """
import sys, dedupe
story = "the council voted on monday to close the old bridge for repairs until next spring " * 3
result = dedupe.find_duplicate_texts({"agency": story, "page": "home news sport " + story})
slow = {"numba", "numpy.ma", "numpy.random"}
print([one.members for one in result.clusters], slow & {*sys.modules})
"""


def test_a_second_search_does_without_numba(tmp_path):
    run(SEARCH, tmp_path)
    assert run(SEARCH, tmp_path) == "[('agency', 'page')] set()\n"


KEEPING = """
import sys, dedupe
story = "the council voted on monday to close the old bridge for repairs until next spring " * 3
with dedupe.Index() as index:
    index.add_texts({"agency": story, "page": "home news sport " + story})
    index.learn()
    print([match.id for match in index.query(story)], "numba" in sys.modules)
"""


def test_a_second_index_does_without_numba(tmp_path):
    run(KEEPING, tmp_path)
    assert run(KEEPING, tmp_path) == "['agency', 'page'] False\n"


def test_who_tunes_numba_gets_numba(tmp_path):
    code = "import dedupe.kernels.hashing as h; print(type(h.avalanche).__name__)"
    assert run(code, tmp_path) == "Kernel\n"
    assert run(code, tmp_path, NUMBA_NUM_THREADS="1") == "Kernel\n"
    assert run(code, tmp_path, NUMBA_OPT="2") == "CPUDispatcher\n"
    assert run(code, tmp_path, NUMBA_DISABLE_JIT="1") == "function\n"
    (tmp_path / ".numba_config.yaml").write_text("disable_jit: 1\n")
    # Without PyYAML numba warns that it cannot read the file; it is numba that is asked.
    code = f"import warnings; warnings.simplefilter('ignore'); {code}"
    assert run(code, tmp_path) in ("function\n", "CPUDispatcher\n")


def test_a_numba_without_what_everything_needs_is_told_with_its_version(tmp_path):
    code = """
import numba.core.caching, sys
del numba.core.caching.FunctionCache
try:
    import dedupe.kernels.compiler
except ImportError as error:
    print(error)
"""
    assert re.match("numba [0-9.]+ cannot compile .*FunctionCache.*install", run(code, tmp_path))

"""What does not fit in memory: the same comes out of a file as out of memory."""

import errno
import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dedupe.engine import spill
from dedupe.engine.spill import Rows, Texts, release
from dedupe.errors import CannotStore

limits = st.integers(0, 40)
text_blocks = st.lists(st.lists(st.binary(max_size=9), max_size=4), min_size=1, max_size=6)


@given(text_blocks, limits, st.data())
def test_texts_come_back_whether_they_fit_or_not(blocks, limit, data):
    texts = Texts(limit)
    for block in blocks:
        texts.extend(block)
    everything = [text for block in blocks for text in block]
    assert len(texts) == len(everything)
    assert texts.n_bytes == sum(map(len, everything))
    numbers = data.draw(st.lists(st.sampled_from(range(len(everything))))) if everything else []
    assert texts.read(numbers) == [everything[number] for number in numbers]


@given(text_blocks, limits, st.integers(0, 9), st.integers(0, 30), st.data())
def test_texts_near_each_other_are_read_at_once(blocks, limit, between, together, data):
    texts = Texts(limit)
    everything = [text for block in blocks for text in block]
    texts.extend(everything)
    assume(everything)
    numbers = data.draw(st.lists(st.sampled_from(range(len(everything)))))
    read, at = [], Texts._at

    def noted(self, start, end):
        read.append(end - start)
        return at(self, start, end)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spill, "BETWEEN", between)
        patched.setattr(spill, "TOGETHER", together)
        patched.setattr(Texts, "_at", noted)
        assert texts.read(numbers) == [everything[number] for number in numbers]
    longest = max(map(len, everything))
    assert all(n_bytes <= max(together, longest) for n_bytes in read)
    # What was between them is all that is read in vain, and of texts in memory nothing is.
    most = between if texts.n_bytes > limit else 0
    assert sum(read) <= sum(len(everything[n]) for n in numbers) + most * len(numbers)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), limits)
def test_rows_come_back_whether_they_fit_or_not(lengths, limit):
    assume(sum(lengths) > 0)
    blocks = [np.full((n, 3), i, np.uint32) for i, n in enumerate(lengths)]
    rows = Rows(limit)
    for block in blocks:
        rows.append(block)
    found = rows.finish()
    assert found.dtype == np.uint32
    assert found.tolist() == np.concatenate(blocks).tolist()
    release(found)
    assert found.tolist() == np.concatenate(blocks).tolist()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes the file when it is closed")
def test_nothing_is_left_of_a_program_that_is_killed(tmp_path):
    program = """
import os, signal
from dedupe.engine.spill import Texts
texts = Texts(limit=1)
texts.extend([b"more than fits"])
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert ended.returncode == -9
    assert not list(tmp_path.iterdir())


@given(st.integers(0, 1 << 16), st.lists(st.integers(0, 1 << 16)), st.sampled_from([0, 1 << 20]))
def test_what_is_put_is_there_whether_it_fits_or_not(n, cuts, limit):
    numbers = spill.allocate(n, np.uint16, limit)
    expected = np.arange(n, dtype=np.uint16)
    bounds = sorted({0, n, *(cut for cut in cuts if cut < n)})
    for start, end in pairwise(bounds):
        spill.put(numbers, start, expected[start:end])
        release(numbers)
    assert numbers.tolist() == expected.tolist()
    # From then on it may be written to in place.
    numbers[:1] = 7
    release(numbers)
    assert numbers[:1].tolist() == [7][:n]


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="files are written to in memory here")
def test_a_disk_without_room_is_an_error_and_no_crash(monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "no space left")

    numbers = spill.allocate(1000, np.uint16, limit=0)
    monkeypatch.setattr("os.pwrite", refuse)
    with pytest.raises(CannotStore, match=r"must have room in .*no space left: free some"):
        spill.put(numbers, 0, np.arange(1000, dtype=np.uint16))


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="files are written to in memory here")
def test_a_write_that_ends_early_is_taken_up_again(monkeypatch):
    written = os.pwrite
    monkeypatch.setattr("os.pwrite", lambda file, data, place: written(file, data[:7], place))
    numbers = spill.allocate(100, np.uint16, limit=0)
    spill.put(numbers, 3, np.arange(97, dtype=np.uint16))
    assert numbers[3:].tolist() == list(range(97))


def test_a_platform_without_such_writes_writes_to_memory(monkeypatch):
    monkeypatch.delattr("os.pwrite", raising=False)
    numbers = spill.allocate(9, np.uint16, limit=0)
    spill.put(numbers, 0, np.arange(9, dtype=np.uint16))
    assert numbers.tolist() == list(range(9))


def test_where_there_is_no_temporary_folder_the_error_says_what_to_do(monkeypatch):
    def none(*_, **__):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/']")

    monkeypatch.setattr("tempfile.gettempdir", none)
    monkeypatch.setattr("tempfile.TemporaryFile", none)
    expected = "^temporary files must have room, got No usable temporary directory found .* TMPDIR"
    with pytest.raises(CannotStore, match=expected):
        spill.allocate(100, np.int32, limit=1)


def test_no_place_for_temporary_files_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(CannotStore, match="set TMPDIR"):
        Texts(limit=1).extend([b"more than fits"])


@given(st.integers(0, 9000), st.integers(0, 9000))
def test_what_is_kept_or_let_go_is_the_same(one, other):
    numbers = spill.allocate(9000, np.uint16, limit=0)
    spill.put(numbers, 0, np.arange(9000, dtype=np.uint16))
    release(numbers, slice(min(one, other), max(one, other)))
    assert (numbers == np.arange(9000)).all()

"""Files that are whole or not there, and places that one run uses at a time."""

import io
import os
import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe import disk
from dedupe.disk import files, trees


class Short(io.RawIOBase):
    """Takes a few bytes at a time, and sometimes none, as a pipe without a buffer does."""

    def __init__(self, takes):
        self.takes = takes
        self.got = bytearray()

    def write(self, data):
        """Take what the next of `takes` says."""
        n = self.takes.pop() if self.takes else len(data)
        self.got += data[: n or 0]
        return n if n is None else min(n, len(data))


@given(st.binary(), st.lists(st.none() | st.integers(0, 9)))
def test_all_is_written_whatever_a_stream_takes(data, takes):
    stream = Short(takes)
    disk.write_all(stream, data)
    assert bytes(stream.got) == data


def test_replacing_a_file_is_all_or_nothing(tmp_path, monkeypatch):
    place = tmp_path / "report.csv"
    place.write_text("before")
    link = tmp_path / "link.csv"
    link.symlink_to(place)
    disk.replace(link, b"after")
    assert link.is_symlink()
    assert place.read_text() == "after"

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        disk.replace(place, b"never")
    assert place.read_text() == "after"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "report.csv"]


KILLED = """
import os, signal, sys
from pathlib import Path
from dedupe import disk
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
disk.replace(Path(sys.argv[1]), b"of a killed run")
"""


def leave_draft(place):
    """Write to a file in a process that is killed before the file is in its place."""
    subprocess.run([sys.executable, "-c", KILLED, place], check=False)
    (left,) = place.parent.glob(".dedupe-*")
    return left


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is killed so on Windows")
def test_the_next_run_clears_what_a_killed_one_left(tmp_path):
    place = tmp_path / ("é" * 127)  # As long as a name may be.
    leave_draft(place)
    disk.replace(place, b"whole")
    assert [*tmp_path.iterdir()] == [place]
    leave_draft(place)
    disk.clear_draft(place)
    disk.clear_draft(place)
    assert [*tmp_path.iterdir()] == [place]
    assert place.read_bytes() == b"whole"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")
@pytest.mark.parametrize("kind", ["symlink", "hard link", "pipe"])
def test_a_draft_that_somebody_else_has_put_there_does_no_harm(tmp_path, kind):
    place, other = tmp_path / "report.csv", tmp_path / "other"
    draft = leave_draft(place)
    draft.unlink()
    other.write_text("of somebody else")
    if kind == "symlink":
        draft.symlink_to(other)
    elif kind == "hard link":
        draft.hardlink_to(other)
    else:
        os.mkfifo(draft)
    disk.replace(place, b"ours")
    assert place.read_text() == "ours"
    assert other.read_text() == "of somebody else"
    assert sorted(tmp_path.iterdir()) == [other, place]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows locks otherwise")
def test_two_who_write_the_same_file_wait_for_each_other(tmp_path, monkeypatch):
    place = tmp_path / "report.csv"
    draft = leave_draft(place)
    with draft.open("rb") as held:
        assert disk.try_lock(held)
        disk.clear_draft(place)
        assert draft.exists()
        with monkeypatch.context() as patch:
            patch.setattr(files, "PATIENCE", 0)
            with pytest.raises(FileExistsError):
                disk.replace(place, b"late")
    with ThreadPoolExecutor(8) as pool:
        datas = [bytes([65 + i]) * 10**5 for i in range(40)]
        [*pool.map(disk.replace, [place] * len(datas), datas)]
    assert place.read_bytes() in datas
    assert [*tmp_path.iterdir()] == [place]


def test_windows_gets_the_same_bytes(tmp_path, monkeypatch):
    """It locks the byte where a file stands, which must not be where writing begins."""
    windows = types.SimpleNamespace(LK_NBLCK=2, locking=lambda *_: None)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)
    monkeypatch.setattr(sys, "platform", "win32")
    place, other = tmp_path / "report.csv", tmp_path / "new.csv"
    place.write_bytes(b"before")
    disk.replace(place, b"whole")
    disk.create(other, b"new")
    assert (place.read_bytes(), other.read_bytes()) == (b"whole", b"new")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.replace(place, b"too much")
    assert sorted(tmp_path.iterdir()) == [other, place]
    assert place.read_bytes() == b"whole"


def deep(folder: Path) -> Path:
    """Return a folder far below another, but not further than names of files may be long."""
    return folder.joinpath(*["d"] * 1500)


def test_folders_are_made_and_removed_however_deep_they_are(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("not in the tree")
    top = tmp_path / "top"
    for folder in (deep(top), top / "beside" / "x", top / "d" / "d2"):
        disk.make_folders(folder)
        disk.make_folders(folder)
        (folder / "file").write_text("goes")
    (top / "d" / "link").symlink_to(tmp_path)
    disk.remove_tree(top)
    assert [*tmp_path.iterdir()] == [kept]


@pytest.mark.skipif(sys.platform == "win32", reason="shutil.rmtree does it on Windows")
def test_a_tree_that_changes_while_it_is_removed_takes_nothing_else_with_it(tmp_path, monkeypatch):
    top, other = tmp_path / "top", tmp_path / "other"
    disk.make_folders(top / "a" / "b")
    disk.make_folders(other / "c")
    (other / "precious").write_text("stays")
    (top / "link").symlink_to(other)
    unlinked = trees._unlinked

    def moved_meanwhile(handle):
        found = unlinked(handle)
        if found == ["b"]:
            (top / "a" / "b").rename(other / "c" / "b")
            (top / "a" / "b").symlink_to(other)
        return found

    monkeypatch.setattr(trees, "_unlinked", moved_meanwhile)
    with pytest.raises(OSError, match="Not a directory"):
        disk.remove_tree(top)
    assert (other / "precious").read_text() == "stays"


def test_what_cannot_be_written_is_said_before(tmp_path):
    disk.check(tmp_path / "new.txt")
    with pytest.raises(FileNotFoundError):
        disk.check(tmp_path / "missing" / "new.txt")


def test_a_device_is_written_to_as_it_is():
    disk.check(Path(os.devnull))
    disk.replace(Path(os.devnull), b"gone")
    assert not Path(os.devnull).is_file()
    assert Path(os.devnull).read_bytes() == b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no folder as a file")
def test_a_folder_is_for_one_run_at_a_time(tmp_path):
    program = (
        "import sys, pathlib; from dedupe import disk\n"
        "with disk.try_lock_folders([sys.argv[1]]) as is_ours: print(is_ours)"
    )

    def other():
        command = [sys.executable, "-c", program, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with disk.try_lock_folders([tmp_path]) as is_ours:
        assert is_ours
        assert other() == "False\n"
    assert other() == "True\n"

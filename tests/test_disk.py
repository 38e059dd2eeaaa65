"""Files that are whole or not there, and places that one run uses at a time."""

import io
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe import disk


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


def test_what_cannot_be_written_is_said_before(tmp_path):
    disk.check(tmp_path / "new.txt")
    with pytest.raises(FileNotFoundError):
        disk.check(tmp_path / "missing" / "new.txt")


def test_a_device_is_written_to_as_it_is():
    disk.check(disk.Path(os.devnull))
    disk.replace(disk.Path(os.devnull), b"gone")


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

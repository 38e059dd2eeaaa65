"""Interrupted runs: they go on where they were, end with the same bytes, and leave nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dedupe import find_duplicates
from dedupe.cli import cli
from dedupe.engine import finished, intake, local
from dedupe.engine.checkpoint import Checkpoint
from dedupe.errors import CannotStore, InvalidCheckpoint

SETTINGS = {"version": "1", "threshold": 0.4}


def squared(n):
    return np.array([n * n]), np.array([[n], [n]], np.float32)


def values(blocks):
    return [(one.tolist(), other.tolist()) for one, other in blocks]


def made(folder, items, function=squared):
    """Return the blocks of a stage."""
    with Checkpoint(folder, SETTINGS) as checkpoint:
        return values(checkpoint.map("squares", function, items, workers=1))


class Interrupted(Exception):
    """Stands for Ctrl-C, at a known place."""


# --- laws of the file ---


@given(st.integers(0, 5), st.data())
def test_wherever_a_file_ends_the_blocks_are_the_same(tmp_path_factory, n_items, data):
    folder = tmp_path_factory.mktemp("cut") / "checkpoint"
    expected = made(folder, range(n_items))
    whole = (folder / ".squares.blocks").read_bytes()
    (folder / ".squares.blocks").write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    assert made(folder, range(n_items)) == expected
    assert (folder / ".squares.blocks").read_bytes() == whole


@given(st.data())
def test_a_damaged_block_is_made_again(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged") / "checkpoint"
    expected = made(folder, range(3))
    whole = bytearray((folder / ".squares.blocks").read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / ".squares.blocks").write_bytes(bytes(whole))
    assert made(folder, range(3)) == expected


def test_what_is_finished_is_not_done_again(tmp_path):
    asked = []

    def note(n):
        if len(asked) == 2:
            raise Interrupted
        asked.append(n)
        return squared(n)

    with pytest.raises(Interrupted):
        made(tmp_path / "new", range(4), note)
    assert asked == [0, 1]
    assert made(tmp_path / "new", range(4), lambda n: squared(asked.append(n) or n))
    assert asked == [0, 1, 2, 3]


# --- whose checkpoint it is ---


def test_other_settings_are_refused_and_named(tmp_path):
    made(tmp_path, [1])
    with pytest.raises(InvalidCheckpoint, match=r"version and settings, got threshold 0\.4: use"):
        Checkpoint(tmp_path, {**SETTINGS, "threshold": 0.5})


def test_a_folder_with_other_files_is_refused_and_not_touched(tmp_path):
    (tmp_path / "novel.txt").write_text("It was a dark night.")
    with pytest.raises(InvalidCheckpoint, match=r"hold nothing else, got 'novel\.txt'"):
        Checkpoint(tmp_path, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["novel.txt"]


def test_a_header_that_was_cut_short_is_written_again(tmp_path):
    (tmp_path / ".dedupe-checkpoint.json").write_text('{"form')
    assert made(tmp_path, [2]) == values([squared(2)])


@pytest.mark.parametrize("content", [b"[]", b"\xff", b'{"weights": 1}'])
def test_a_file_of_that_name_which_is_no_header_is_left_alone(tmp_path, content):
    header = tmp_path / ".dedupe-checkpoint.json"
    header.write_bytes(content)
    with pytest.raises(InvalidCheckpoint, match="hold a checkpoint or nothing"):
        Checkpoint(tmp_path, SETTINGS)
    assert header.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CannotStore, match="must have room and be writable"):
        Checkpoint(tmp_path / "file" / "folder", SETTINGS)


def test_blocks_of_another_input_are_made_again(tmp_path):
    for key, function in (("one", squared), ("other", lambda n: squared(n + 1))):
        with Checkpoint(tmp_path, SETTINGS) as checkpoint:
            checkpoint.bind(key)
            found = values(checkpoint.map("squares", function, [1, 2], 1))
            assert found == values(map(function, [1, 2]))


def test_more_blocks_than_items_are_refused(tmp_path):
    made(tmp_path, [1, 2])
    with pytest.raises(InvalidCheckpoint, match="of the same documents"):
        made(tmp_path, [1])


def test_what_is_done_once_is_not_done_again(tmp_path):
    for make in (lambda: squared(3), None):
        with Checkpoint(tmp_path, SETTINGS) as checkpoint:
            one, _ = checkpoint.once("square", make, lambda arrays: len(arrays) == 2)
            assert one.tolist() == [9]
    with Checkpoint(tmp_path, SETTINGS) as checkpoint, pytest.raises(InvalidCheckpoint):
        checkpoint.once("square", make, lambda arrays: len(arrays) == 3)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_two_runs_at_once_are_refused(tmp_path):
    with Checkpoint(tmp_path, SETTINGS) as first:
        with pytest.raises(InvalidCheckpoint, match="one run at a time"):
            Checkpoint(tmp_path, SETTINGS)
        first.clear()
    assert not tmp_path.exists()


# --- whole runs ---

WORDS = [f"w{i}" for i in range(3000)]


@pytest.fixture
def collection(tmp_path, monkeypatch):
    """Return a folder of articles, copies and templates, in many small blocks."""
    monkeypatch.setattr(intake, "BATCH_BYTES", 4000)
    monkeypatch.setattr(local, "BATCH_WORDS", 5000)
    folder = tmp_path / "articles"
    folder.mkdir()
    write_articles(folder, 60)
    return folder


def write_articles(folder, n):
    draw = random.Random(1)
    menu = " ".join(draw.choices(WORDS, k=30))
    for i in range(n):
        story = " ".join(draw.choices(WORDS, k=100))
        (folder / f"{i:04}.txt").write_text(f"{menu}\n{story}")
        if i % 3 == 0:
            (folder / f"{i:04}-copy.txt").write_text(f"{story}\nread more\n{menu}")


def test_a_run_interrupted_anywhere_ends_with_the_same_bytes(collection, tmp_path):
    expected = find_duplicates(collection).to_json()
    steps = []
    find_duplicates(collection, progress=steps.append)
    n_blocks = Counter(step.stage for step in steps)
    assert min(n_blocks[stage] for stage in ("signatures", "boilerplate", "scoring")) > 1
    for last in range(0, len(steps), max(1, len(steps) // 12)):
        seen = []

        def stop(step, seen=seen, last=last):
            seen.append(step)
            if len(seen) > last:
                raise Interrupted

        folder = tmp_path / "checkpoint"
        with pytest.raises(Interrupted):
            find_duplicates(collection, checkpoint=folder, progress=stop)
        assert folder.exists()
        workers, memory = 1 + last % 3, [None, 1][last % 2]
        resumed = find_duplicates(collection, checkpoint=folder, workers=workers, memory=memory)
        assert resumed.to_json() == expected
        assert not folder.exists()


def stopped(collection, folder):
    """Interrupt a run after its signatures."""

    def stop(step):
        if step.stage == "shingles":
            raise Interrupted

    with pytest.raises(Interrupted):
        find_duplicates(collection, checkpoint=folder, progress=stop)


@pytest.mark.parametrize("change", ["text", "name", "more", "fewer"])
def test_another_input_is_refused(collection, tmp_path, change):
    stopped(collection, tmp_path / "checkpoint")
    last = collection / "0058.txt"
    if change == "text":
        last.write_text(last.read_text() + "!")
    elif change == "name":
        last.rename(collection / "0058b.txt")
    elif change == "more":
        (collection / "9999.txt").write_text("one more")
    else:
        last.unlink()
    with pytest.raises(InvalidCheckpoint, match="of the same documents in the same order"):
        find_duplicates(collection, checkpoint=tmp_path / "checkpoint")


def test_a_folder_that_lost_a_part_does_not_mix_inputs(collection, tmp_path):
    """As may be left of a run that was killed while it removed its files."""
    folder = tmp_path / "checkpoint"

    def stop(step):
        if step.stage == "clustering":
            raise Interrupted

    with pytest.raises(Interrupted):
        find_duplicates(collection, checkpoint=folder, progress=stop)
    (folder / ".signatures.blocks").unlink()
    (collection / "0058.txt").write_text("another text " * 30)
    expected = find_duplicates(collection).to_json()
    assert find_duplicates(collection, checkpoint=folder).to_json() == expected


def test_a_checkpoint_among_the_documents_is_not_read(collection):
    expected = find_duplicates(collection).to_json()
    stopped(collection, collection / "checkpoint")
    resumed = find_duplicates(collection, checkpoint=collection / "checkpoint")
    assert resumed.to_json() == expected


def test_a_file_that_was_only_touched_is_the_same_input(collection, tmp_path):
    stopped(collection, tmp_path / "checkpoint")
    os.utime(collection / "0058.txt", (1, 1))
    expected = find_duplicates(collection).to_json()
    assert find_duplicates(collection, checkpoint=tmp_path / "checkpoint").to_json() == expected


def test_other_settings_of_a_run_are_refused(collection, tmp_path):
    stopped(collection, tmp_path / "checkpoint")
    with pytest.raises(InvalidCheckpoint, match="got ngram 5, num_perm 128"):
        find_duplicates(collection, checkpoint=tmp_path / "checkpoint", ngram=4, num_perm=64)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_goes_on_and_leaves_nothing(tmp_path):
    (tmp_path / "articles").mkdir()
    write_articles(tmp_path / "articles", 1500)
    (tmp_path / "tmp").mkdir()
    arguments = ["find", str(tmp_path / "articles"), "--format", "json", "--workers", "2"]
    plain = CliRunner().invoke(cli, arguments)
    command = [sys.executable, "-m", "dedupe", *arguments]
    command += ["--checkpoint", str(tmp_path / "checkpoint")]
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    for stage in ("signatures", "boilerplate", "scoring"):
        run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        blocks = tmp_path / "checkpoint" / f".{stage}.blocks"
        while not (blocks.exists() and blocks.stat().st_size):
            assert run.poll() is None
            time.sleep(0.001)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert blocks.exists()
    ended = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert ended.stdout == plain.stdout_bytes
    assert not (tmp_path / "checkpoint").exists()
    assert not list((tmp_path / "tmp").iterdir())


def test_who_stops_a_run_is_told_that_it_can_go_on(tmp_path):
    folder = tmp_path / "unfinished"
    with pytest.raises(KeyboardInterrupt) as stopped, Checkpoint(folder):
        raise KeyboardInterrupt
    assert stopped.value.__notes__ == [f"the same command goes on from {folder}"]
    with pytest.raises(KeyboardInterrupt) as stopped, Checkpoint():
        raise KeyboardInterrupt
    assert not hasattr(stopped.value, "__notes__")


def test_a_place_that_is_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidCheckpoint, match=r"must be a folder, got a file: name another"):
        Checkpoint(tmp_path / "file", {"format": "x"})


def test_something_more_in_a_header_is_named(tmp_path):
    with Checkpoint(tmp_path / "point", {"format": "x", "more": 7}):
        pass
    with pytest.raises(InvalidCheckpoint, match="got more 7"):
        Checkpoint(tmp_path / "point", {"format": "x"})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and named pipes")
@pytest.mark.parametrize("name", [".dedupe-checkpoint.json", ".signatures.blocks"])
@pytest.mark.parametrize("kind", ["link", "broken link", "hard link", "pipe", "folder"])
def test_a_folder_that_came_from_elsewhere_harms_nothing(tmp_path, name, kind):
    folder, precious = tmp_path / "point", tmp_path / "precious"
    folder.mkdir()
    precious.write_text("not ours")
    if kind == "pipe":
        os.mkfifo(folder / name)
    elif kind == "folder":
        (folder / name).mkdir()
    elif kind == "hard link":
        (folder / name).hardlink_to(precious)
    else:
        (folder / name).symlink_to(precious if kind == "link" else tmp_path / "made")
    with pytest.raises((InvalidCheckpoint, CannotStore), match="point"):
        find_duplicates(_two_files(tmp_path), checkpoint=folder)
    assert precious.read_text() == "not ours"
    assert not (tmp_path / "made").exists()


def _two_files(folder):
    """Write two texts, and return their paths."""
    paths = [folder / "a.txt", folder / "b.txt"]
    for path in paths:
        path.write_text(path.name)
    return paths


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x01garbage",
        b"\x01\x93NUMPY\x01\x00v\x00{'descr': '<u8', 'fortran_order': False, "
        b"'shape': (10000000000000,), }".ljust(130)
        + b"\n",
    ],
    ids=["empty", "garbage", "huge"],
)
def test_a_block_that_nobody_here_has_written_is_refused(tmp_path, block):
    """Its digest is right, since that is no secret."""
    with Checkpoint(tmp_path / "point", SETTINGS) as checkpoint:
        checkpoint.bind("key")
        list(checkpoint.map("stage", lambda n: (np.array([n]),), [1], 1))
        digest = finished._digest(bytearray(block), checkpoint._seed, 0)
    prefix = np.array([len(block), digest], "<u8").tobytes()
    (path,) = (tmp_path / "point").glob("*.blocks")
    path.write_bytes(prefix + block)
    with Checkpoint(tmp_path / "point", SETTINGS) as checkpoint:
        checkpoint.bind("key")
        with pytest.raises(InvalidCheckpoint, match="hold blocks as they are written"):
            list(checkpoint.map("stage", lambda n: (np.array([n]),), [1], 1))

"""Duplicates that are files: what goes, what stays and why, and runs that are cut off."""

import errno
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cleaned import SAME, WAYS, left, made, other_disk, rewrite, three, tree, write
from dedupe import CannotClean, InvalidSetting, Result, clean


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# What goes.


def test_by_default_nothing_is_touched(here):
    result = three()
    before = tree()
    done = clean("in", result=result)
    assert done.dropped == ("in/b.txt", "in/deep/c.txt")
    assert (done.left, done.written, done.result) == ((), (), result)
    assert tree() == before


def test_delete(here):
    done = clean("in", delete=True, result=three())
    assert done.dropped == ("in/b.txt", "in/deep/c.txt")
    assert sorted(tree()) == ["in/a.txt", "in/other.txt"]


def test_move_keeps_paths_and_times(here):
    result = three()
    then = Path("in/deep/c.txt").stat().st_mtime_ns
    done = clean("in", move="gone", result=result)
    assert done.dropped == ("in/b.txt", "in/deep/c.txt")
    assert sorted(tree()) == ["gone/b.txt", "gone/deep/c.txt", "in/a.txt", "in/other.txt"]
    assert Path("gone/deep/c.txt").stat().st_mtime_ns == then


def test_hardlink_only_where_no_byte_is_lost(here):
    done = clean("in", hardlink=True, result=three())
    assert done.dropped == ("in/b.txt",)
    assert [(item.id, item.reason) for item in done.left] == [
        ("in/deep/c.txt", "not byte for byte the same as in/a.txt")
    ]
    assert Path("in/a.txt").samefile("in/b.txt")
    assert Path("in/deep/c.txt").read_text() == "one story, other words"
    assert sorted(tree()) == ["in/a.txt", "in/b.txt", "in/deep/c.txt", "in/other.txt"]


@pytest.mark.parametrize("way", WAYS)
def test_files_from_several_folders(here, way):
    write(x__a=SAME, y__a=SAME, y__b=SAME)
    done = clean(
        ["x", "y/a.txt"], result=made(["x", "y/a.txt"], ["x/a.txt", "y/a.txt"]), **WAYS[way]
    )
    assert done.dropped == ("y/a.txt",)
    assert Path("x/a.txt").read_text() == Path("y/b.txt").read_text() == SAME
    assert way != "move" or Path("gone/y/a.txt").read_text() == SAME


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["-rf", "two\nlines", " ", "*", "é\u2028\u202e", "$(reboot)"])
def test_names_are_only_names(here, way, name):
    write(**{f"in__{name}": SAME, "in__~": SAME, "in__*z": SAME})
    id_ = f"in/{name}.txt"
    done = clean("in", result=made("in", ["in/~.txt", id_]), **WAYS[way])
    assert done.dropped == (id_,)
    assert Path("in/*z.txt").exists()
    assert Path(id_).exists() == (way == "hardlink")


@pytest.mark.parametrize("way", WAYS)
def test_names_that_are_no_utf8(here, way):
    Path("in").mkdir()
    names = [os.fsdecode(b"in/a\xff.txt"), os.fsdecode(b"in/b\xff.txt")]
    for name in names:
        Path(name).write_text(SAME)
    done = clean("in", result=made("in", ["in/a\\xff.txt", "in/b\\xff.txt"]), **WAYS[way])
    assert done.dropped == ("in/b\\xff.txt",)
    assert Path(names[0]).read_text() == SAME
    assert Path(names[1]).exists() == (way == "hardlink")


def test_paths_with_dots(here):
    write(in__a=SAME, in__b=SAME)
    Path("in/sub").mkdir()
    paths = ["in/sub/../a.txt", "./in/b.txt"]
    done = clean(paths, move="gone", result=made(paths, paths))
    assert done.dropped == ("./in/b.txt",)
    assert sorted(tree()) == ["gone/b.txt", "in/a.txt"]


# What stays.


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_has_changed_since_the_result_stays(here, way):
    write(in__a=SAME, in__b=SAME)
    result = made("in", ["in/a.txt", "in/b.txt"])
    then = Path("in/b.txt").stat()
    Path("in/b.txt").write_text(SAME.upper())
    os.utime("in/b.txt", ns=(then.st_atime_ns, then.st_mtime_ns))
    done = clean("in", result=result, **WAYS[way])
    assert left(done) == {"in/b.txt": "in/b.txt has changed since it was read"}
    assert sorted(tree()) == ["in/a.txt", "in/b.txt"]


def searching(monkeypatch, result: Result, meanwhile) -> None:
    """Let something happen between the look at the files and what is done to them."""

    def search(*_, **__):
        meanwhile()
        return result

    monkeypatch.setattr("dedupe.api.find_duplicates", search)


def overwrite(path: str) -> None:
    """Write over a file in its place, and set its time as before."""
    info = Path(path).stat()
    Path(path).write_text(Path(path).read_text().upper())
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def lengthen(path: str) -> None:
    info = Path(path).stat()
    Path(path).write_text(Path(path).read_text() + "!")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


MEANWHILE = {
    "rewritten": (rewrite, "has changed since it was read"),
    "overwritten": (overwrite, "has changed since it was read"),
    "lengthened": (lengthen, "has changed since it was read"),
    "touched": (lambda path: os.utime(path, (0, 0)), "has changed since it was read"),
    "gone": (lambda path: Path(path).unlink(), "is gone"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", MEANWHILE)
@pytest.mark.parametrize("which", ["in/a.txt", "in/b.txt"])
def test_a_file_goes_only_while_both_are_what_was_read(here, monkeypatch, way, what, which):
    write(in__a=SAME, in__b=SAME)
    happens, reason = MEANWHILE[what]
    searching(monkeypatch, made("in", ["in/a.txt", "in/b.txt"]), lambda: happens(which))
    (said,) = left(clean("in", **WAYS[way])).values()
    assert said == (f"its kept copy in/a.txt {reason}" if which == "in/a.txt" else f"it {reason}")
    wanted = {"in/a.txt", "in/b.txt"} - ({which} if what == "gone" else set())
    assert set(tree()) == wanted


@pytest.mark.parametrize("way", WAYS)
def test_links_stay_and_what_they_point_to(here, way):
    write(in__a=SAME, outside=SAME)
    Path("in/b.txt").symlink_to("../outside.txt")
    paths = ["in", "in/b.txt"]  # In the folder alone, the link would not be followed.
    done = clean(paths, result=made(paths, ["in/a.txt", "in/b.txt"]), **WAYS[way])
    assert left(done) == {"in/b.txt": "it is a symbolic link"}
    assert tree() == {
        "in/a.txt": SAME.encode(), "in/b.txt": b"../outside.txt", "outside.txt": SAME.encode()
    }  # fmt: skip


def test_no_link_is_made_to_what_a_link_points_to(here):
    write(in__b=SAME, outside=SAME)
    Path("in/a.txt").symlink_to("../outside.txt")
    paths = ["in", "in/a.txt"]
    done = clean(paths, hardlink=True, result=made(paths, ["in/a.txt", "in/b.txt"]))
    assert left(done) == {"in/b.txt": "its kept copy in/a.txt is a symbolic link"}


def test_a_file_becomes_a_link_meanwhile(here, monkeypatch):
    write(in__a=SAME, in__b=SAME, precious=SAME)

    def swap():
        Path("in/b.txt").unlink()
        Path("in/b.txt").symlink_to("../precious.txt")

    searching(monkeypatch, made("in", ["in/a.txt", "in/b.txt"]), swap)
    assert left(clean("in", delete=True)) == {"in/b.txt": "it is a symbolic link"}
    assert Path("precious.txt").read_text() == SAME


@pytest.mark.parametrize("way", WAYS)
def test_a_record_that_has_the_name_of_an_unread_file(here, way):
    write(in__empty="", in__a=SAME)
    record = {"id": "in/empty.txt", "text": SAME}
    Path("in/r.jsonl").write_text(json.dumps(record))
    result = made("in", ["in/a.txt", "in/empty.txt"])
    assert result.skipped[0].id == "in/empty.txt"
    before = tree()
    done = clean("in", result=result, **WAYS[way])
    assert left(done) == {"in/empty.txt": "in/empty.txt is not a file of its own"}
    assert tree() == before


def in_one_file(ids: str, text: str = SAME) -> None:
    """Write records with these ids to a file."""
    Path("in").mkdir(exist_ok=True)
    rows = [json.dumps({"id": id_, "text": text}) for id_ in ids]
    Path("in/r.jsonl").write_text("\n".join(rows))


@pytest.mark.parametrize("way", WAYS)
def test_a_record_never_goes_from_its_file(here, way):
    write(in__a=SAME)
    in_one_file("xy")
    before = tree()
    done = clean("in", result=made("in", ["x", "y"], ["in/a.txt"]), **WAYS[way])
    assert left(done) == {"y": "y is not a file of its own"}
    assert tree() == before


@pytest.mark.parametrize("fields", [{}, {"time_field": "day"}])
def test_an_object_that_is_a_whole_file_goes_as_one(here, fields):
    write(in__a=SAME)
    for name, head in {"b": '"id": "seven", ', "c": "", "d": '"id": "in/x.txt", '}.items():
        Path(f"in/{name}.json").write_text(f'{{{head}"text": "{SAME}", "day": 9}}')
    Path("in/broken.json").write_text('{"text": ')
    result = made("in", ["seven", "in/c.json", "in/x.txt"], **fields)
    done = clean("in", move="gone", result=result, **fields)
    assert done.dropped == ("in/c.json", "in/x.txt")
    assert sorted(tree()) == [
        "gone/c.json", "gone/d.json", "in/a.txt", "in/b.json", "in/broken.json"
    ]  # fmt: skip


def test_an_object_that_is_a_whole_file_is_not_written(here):
    write(in__a=SAME)
    Path("in/b.json").write_text(f'{{"id": "b", "text": "{SAME}"}}')
    Path("in/list.json").write_text(
        f'[{{"id": "c", "text": "{SAME}"}}, {{"id": "d", "text": "x"}}]'
    )
    done = clean("in", output="out", result=made("in", ["in/a.txt", "b", "c"]))
    assert done.dropped == ("b", "c")
    assert tree("out") == {"a.txt": SAME.encode(), "list.json": b'[{"id": "d", "text": "x"}]'}


def test_a_file_may_go_for_a_record(here):
    write(in__a=SAME)
    in_one_file("xy")
    result = made("in", ["x", "in/a.txt"])
    assert left(clean("in", hardlink=True, result=result)) == {
        "in/a.txt": "not byte for byte the same as x"
    }
    assert clean("in", move="gone", result=result).dropped == ("in/a.txt",)
    assert sorted(tree()) == ["gone/a.txt", "in/r.jsonl"]


def test_a_file_stays_when_that_of_the_record_has_changed(here):
    write(in__a=SAME)
    in_one_file("xy")
    result = made("in", ["x", "in/a.txt"])
    in_one_file("xyz", "another")
    result = replace(result, n_documents=4)
    assert left(clean("in", move="gone", result=result)) == {
        "in/a.txt": "x has changed since it was read"
    }


def test_what_stands_in_the_way_is_never_replaced(here):
    result = three()
    write(gone__b="precious")
    Path("gone/deep").write_text("a file where a folder should be")
    done = clean("in", move="gone", result=result)
    assert set(left(done)) == {"in/b.txt", "in/deep/c.txt"}
    assert left(done)["in/b.txt"].endswith("gone/b.txt is there already")
    assert Path("gone/b.txt").read_text() == "precious"
    assert Path("in/b.txt").read_text() == SAME


def test_a_link_in_the_way_is_not_followed(here):
    result = three()
    write(precious=SAME)
    Path("gone").mkdir()
    Path("elsewhere").mkdir()
    Path("gone/b.txt").symlink_to("../precious.txt")
    Path("gone/deep").symlink_to("../elsewhere")
    done = clean("in", move="gone", result=result)
    assert left(done)["in/deep/c.txt"].startswith(f"{here}/gone/deep is a link out of")
    assert tree("elsewhere") == {}
    assert Path("precious.txt").read_text() == SAME
    assert Path("in/b.txt").exists()


@pytest.mark.parametrize("folder", ["in", "in/gone", "link/gone", "link", "./in/../in/x"])
def test_nothing_is_moved_within_what_is_cleaned(here, folder):
    result = three()
    Path("link").symlink_to("in")
    before = tree()
    with pytest.raises(InvalidSetting, match="must be moved out of the folders that are read"):
        clean("in", move=folder, result=result)
    with pytest.raises(InvalidSetting, match="must be moved out of"):
        clean("in/*.txt", move="in")
    assert tree() == before


def test_a_file_is_not_moved_onto_itself(here):
    write(in__a=SAME, in__deep__b=SAME)
    Path("gone").mkdir()
    paths = ["in/a.txt", "in/deep/b.txt"]
    result = made(paths, paths)
    done = clean(paths, move="in/../gone", result=result, confirm=lambda _: None)
    assert done.dropped == ("in/deep/b.txt",)
    shutil.rmtree("gone")
    write(in__deep__b=SAME)
    Path("gone").mkdir()
    Path("gone/deep").symlink_to("../in/deep")
    done = clean(paths, move="gone", result=made(paths, paths))
    assert "is a link out of" in left(done)["in/deep/b.txt"]
    assert Path("in/deep/b.txt").read_text() == SAME


def test_a_folder_to_move_to_that_is_a_file(here):
    result = three()
    Path("gone").touch()
    with pytest.raises(InvalidSetting, match="moved to a folder, got the file"):
        clean("in", move="gone", result=result)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"move": "x", "delete": True},
            "only one thing can be done to duplicates, got move, delete",
        ),
        ({"output": "x", "hardlink": True}, "got output, hardlink"),
        ({"annotate": True}, "annotate must come with output"),
        ({"annotate": True, "move": "x"}, "annotate must come with output"),
    ],
)
def test_what_does_not_go_together(here, options, said):
    with pytest.raises(InvalidSetting, match=said):
        clean("in", **options)


def test_confirm_is_asked_before_anything_is_touched(here):
    result = three()
    before = tree()
    asked = []

    def refuse(n_files):
        asked.append((n_files, tree() == before))
        raise InterruptedError("no")

    for way in WAYS.values():
        with pytest.raises((InterruptedError, CannotClean)):
            clean("in", result=result, confirm=refuse, **way)
    assert asked == [(2, True)] * 3
    assert tree() == before


def test_an_action_that_fails_is_said_and_the_others_are_taken(here, monkeypatch):
    result = three()
    real = os.unlink

    def unlink(path, **more):
        if os.fspath(path).endswith("b.txt"):
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, **more)

    monkeypatch.setattr(os, "unlink", unlink)
    done = clean("in", delete=True, result=result)
    assert done.dropped == ("in/deep/c.txt",)
    assert [item.reason for item in done.left] == ["cannot delete: Permission denied"]


@pytest.mark.parametrize("is_far", [False, True])
def test_what_cannot_be_moved_leaves_no_second_name(here, monkeypatch, is_far):
    result = three()
    before = tree()
    if is_far:
        other_disk(monkeypatch, "gone")
    real = os.unlink

    def unlink(path, **more):
        if "in" in Path(path).parts and Path(path).suffix == ".txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        real(path, **more)

    monkeypatch.setattr(os, "unlink", unlink)
    done = clean("in", move="gone", result=result)
    assert set(left(done).values()) == {"cannot move: Permission denied"}
    assert tree() == before
    # What stood there before is not taken back.
    write(gone__b=SAME)
    assert set(left(clean("in", move="gone", result=result))) == {"in/b.txt", "in/deep/c.txt"}
    assert tree() == {**before, "gone/b.txt": SAME.encode()}


# Across disks.


def test_move_across_disks(here, monkeypatch):
    result = three()
    other_disk(monkeypatch, "gone")
    Path("in/b.txt").chmod(0o640)
    then = Path("in/b.txt").stat()
    done = clean("in", move="gone", result=result)
    assert done.dropped == ("in/b.txt", "in/deep/c.txt")
    assert sorted(tree()) == ["gone/b.txt", "gone/deep/c.txt", "in/a.txt", "in/other.txt"]
    now = Path("gone/b.txt").stat()
    assert (now.st_mtime_ns, now.st_mode) == (then.st_mtime_ns, then.st_mode)


def test_move_to_a_disk_that_is_one(here):
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == here.stat().st_dev:
        pytest.skip("there is no other file system here")
    folder = shared / f"dedupe-{os.getpid()}-{time.time_ns()}"
    try:
        assert clean("in", move=folder, result=three()).left == ()
        assert sorted(tree(folder)) == ["b.txt", "deep/c.txt"]
        assert sorted(tree()) == ["in/a.txt", "in/other.txt"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_disk_without_links(here, monkeypatch):
    def link(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    assert clean("in", move="gone", result=three()).left == ()
    assert sorted(tree("gone")) == ["b.txt", "deep/c.txt"]
    write(in__x=SAME)
    done = clean("in", hardlink=True, result=made("in", ["in/a.txt", "in/x.txt"]))
    assert left(done) == {"in/x.txt": "cannot hardlink: Operation not permitted"}


def test_a_full_disk_leaves_the_file_and_no_half_of_it(here, monkeypatch):
    result = three()
    other_disk(monkeypatch, "gone")

    def full(source, target):
        target.write(source.read()[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    done = clean("in", move="gone", result=result)
    assert set(left(done).values()) == {"cannot move: No space left on device"}
    assert tree("gone") == {}


def test_a_file_that_changes_while_it_is_copied_stays(here, monkeypatch):
    result = three()
    other_disk(monkeypatch, "gone")
    real = shutil.copyfileobj

    def slow(source, target):
        real(source, target)
        lengthen(source.name)

    monkeypatch.setattr(shutil, "copyfileobj", slow)
    done = clean("in", move="gone", result=result)
    assert left(done)["in/b.txt"] == "it has changed since it was read"
    assert tree("gone") == {}
    assert Path("in/b.txt").read_text() == f"{SAME}!"


def test_no_link_across_disks(here, monkeypatch):
    write(in__a=SAME, in__far__b=SAME)
    other_disk(monkeypatch, "far")
    done = clean("in", hardlink=True, result=made("in", ["in/a.txt", "in/far/b.txt"]))
    assert left(done) == {"in/far/b.txt": "on another disk than in/a.txt"}
    assert sorted(tree()) == ["in/a.txt", "in/far/b.txt"]

"""Runs that are cut off: the journal says what was done, and the next run finishes it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cleaned import SAME, WAYS, left, made, rewrite, three, tree, write
from dedupe import CannotClean, InvalidSetting, NoSuchPath, clean, disk
from dedupe.cleaning import actions, journal
from dedupe.cleaning.actions import carry_out


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


DRIVER = """
import errno, itertools, json, os, shutil, signal, sys
from pathlib import Path
import dedupe.cleaning as cleaning
from dedupe import Result

work, way, far = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "far"
result = Result.from_json(Path(sys.argv[4]).read_bytes())
CALLS = ("link", "unlink", "replace", "rename", "fsync", "mkdir")

def run(n):
    pid = os.fork()
    if pid == 0:
        os.chdir(work)
        counter = itertools.count(1)
        def dying(call, is_link):
            def wrapped(*args, **more):
                if is_link and far and len({"gone" in Path(arg).parts for arg in args}) > 1:
                    raise OSError(errno.EXDEV, "far")
                value = call(*args, **more)
                if next(counter) == n:
                    os.kill(os.getpid(), signal.SIGKILL)
                return value
            return wrapped
        for name in CALLS:
            setattr(os, name, dying(getattr(os, name), name == "link"))
        try:
            cleaning.clean("in", result=result, **way)
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def state():
    return {
        str(path.relative_to(work)): (path.read_bytes(), path.stat().st_nlink)
        for path in sorted(work.rglob("*")) if path.is_file()
    }

spare = work.with_name("spare")
shutil.copytree(work, spare)
def restore():
    shutil.rmtree(work)
    shutil.copytree(spare, work)
    for path in work.rglob("*.txt"):
        os.utime(path, ns=(10**18, 10**18))

restore()
assert run(0) == 0
wanted = state()
kills = 0
for n in itertools.count(1):
    restore()
    code = run(n)
    if code == 0:
        break
    assert code == -signal.SIGKILL, code
    kills += 1
    # Where the journal is gone, all is done, and the result does not fit any more.
    done = state() == wanted
    # Cut off once more, in the middle of what is left.
    code = run(n // 2 + 1)
    assert code in (0, -signal.SIGKILL, 3 * done), code
    if code == -signal.SIGKILL:
        assert run(0) in (0, 3 * (state() == wanted))
    got = state()
    assert got == wanted, (n, set(got.items()) ^ set(wanted.items()))
print(kills)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.parametrize("disk", ["near", "far"])
@pytest.mark.parametrize("way", WAYS)
def test_killed_anywhere_and_run_again_ends_the_same(here, way, disk):
    write(in__a=SAME, in__b=SAME, in__deep__c=SAME, in__d=SAME, in__x="two", in__y="two", in__z="3")
    for path in Path("in").rglob("*.txt"):
        os.utime(path, ns=(10**18, 10**18))
    # The kept copies stand before, between and after what goes.
    result = made(
        "in", ["in/b.txt", "in/a.txt", "in/deep/c.txt", "in/d.txt"], ["in/y.txt", "in/x.txt"]
    )
    Path("work").mkdir()
    Path("in").rename("work/in")
    Path("result.json").write_text(result.to_json())
    arguments = [str(here / "work"), json.dumps(WAYS[way]), disk, str(here / "result.json")]
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, *arguments], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) >= 8


def test_the_command_killed_and_run_again(here):
    n = 400
    Path("in").mkdir()
    for i in range(n):
        Path(f"in/{i:03}.txt").write_text(SAME)
    result = made("in", [f"in/{i:03}.txt" for i in range(n)])
    Path("result.json").write_text(result.to_json())
    command = [sys.executable, "-m", "dedupe", "clean", "in", "--move", "gone"]
    with subprocess.Popen([*command, "--result", "result.json"]) as running:
        while running.poll() is None and not Path("gone/100.txt").exists():
            time.sleep(0.001)
        running.kill()
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    if running.returncode == -signal.SIGKILL:
        assert ran.stderr.startswith("finished what was cut off, without a search: 399 files moved")
    assert sorted(tree()) == [
        *(f"gone/{i:03}.txt" for i in range(1, n)), "in/000.txt", "result.json"
    ]  # fmt: skip


def cut_off(here, way: str = "move") -> Path:
    """Stop a run just after it has written its journal, and return that."""
    result = three()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedupe.cleaning.run.carry_out", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clean("in", result=result, **WAYS[way])
    return here / "in" / journal.NAME


def test_who_stops_a_run_is_told_what_finishes_it(here, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dedupe.cleaning.run.carry_out", stop)
    with pytest.raises(KeyboardInterrupt) as stopped:
        clean("in", delete=True, result=three())
    assert stopped.value.__notes__ == ["the same command finishes what it has begun"]


def test_another_command_does_not_finish_it(here):
    note = cut_off(here)
    before = tree()
    for way in ({"move": "elsewhere"}, {"delete": True}, {"hardlink": True}):
        with pytest.raises(CannotClean, match=r"must be finished first, got .* of 'move /"):
            clean("in", **way)
    assert tree() == before
    note.unlink()
    assert clean("in", delete=True, result=made("in")).dropped == ()


def test_other_paths_do_not_finish_it(here):
    note = cut_off(here, "delete")
    before = tree()
    for paths in (["in/a.txt", "in/other.txt"], ["in", "in/a.txt"]):
        with pytest.raises(CannotClean, match=r"must be finished first, got .* of 'delete /"):
            clean(paths, delete=True, journal=note)
    write(elsewhere__b="b")
    with pytest.raises(CannotClean, match="must be finished first"):
        clean("elsewhere", delete=True, journal=note)
    assert tree("in") == {name.removeprefix("in/"): data for name, data in before.items()}


@pytest.mark.parametrize("setting", [{"threshold": 0.9}, {"keep": "first"}, {"id_field": "url"}])
def test_other_settings_do_not_finish_it(here, setting):
    cut_off(here, "delete")
    before = tree()
    (name,) = setting
    with pytest.raises(CannotClean, match=f"must be finished first, got .* {name}="):
        clean("in", delete=True, **setting)
    assert tree() == before
    assert clean("in", delete=True, workers=1, memory=10**6).dropped


SPELLINGS = [
    ("", "./in"),
    ("", "in/"),
    ("", "in/."),
    ("", "in/deep/../../in"),
    ("", "{here}/in"),
    ("in", "."),
    ("in/deep", ".."),
    ("elsewhere", "../in"),
    ("elsewhere", "{here}/in"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("cwd", "path"), SPELLINGS)
def test_the_same_folder_spelled_in_another_way_finishes_it(here, monkeypatch, way, cwd, path):
    cut_off(here, way)
    Path("elsewhere").mkdir()
    monkeypatch.chdir(here / cwd)
    folder = {"move": os.path.relpath(here / "gone")} if way == "move" else WAYS[way]
    done = clean(path.format(here=here), **folder)
    monkeypatch.chdir(here)
    stays = ["in/deep/c.txt"] if way == "hardlink" else []  # Of other bytes.
    assert (done.result, [item.id for item in done.left]) == (None, stays)
    assert done.dropped == ("in/b.txt", "in/deep/c.txt")[: 2 - len(stays)]
    assert not Path("in", journal.NAME).exists()


def test_a_copy_in_a_record_is_known_by_its_text_and_not_by_its_path(here):
    write(in__a=SAME)
    Path("in/r.jsonl").write_text(json.dumps({"text": SAME}) + "\n")
    result = made("in", ["in/r.jsonl:1", "in/a.txt"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedupe.cleaning.run.carry_out", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clean("in", delete=True, result=result)
    assert clean(here / "in", delete=True).dropped == ("in/a.txt",)


def test_a_link_to_the_folder_does_not_finish_it(here):
    cut_off(here, "delete")
    Path("link").symlink_to("in")
    before = tree("in")
    with pytest.raises(CannotClean, match="must be finished first"):
        clean("link", delete=True)
    assert tree("in") == before


def test_a_way_through_a_link_and_back_is_another_folder(here):
    cut_off(here)
    write(far__in__a=SAME, far__in__b=SAME, far__deep__x="x")
    Path("link").symlink_to("far/deep")
    before = tree()
    for paths, move in (("link/../in", "gone"), ("in", "link/../gone")):
        with pytest.raises(InvalidSetting, match=r"through a link and back, got 'link/\.\./"):
            clean(paths, move=move)
    assert tree() == before


def test_a_path_that_no_file_can_have_is_refused(here):
    with pytest.raises(NoSuchPath):
        clean("a\0b", delete=True)


def test_a_file_that_holds_more_than_its_text_by_now_stays(here):
    write(in__a=SAME)
    text = json.dumps({"text": SAME})
    more = f'[{text}, {{"text": "precious"}}]'
    Path("in/b.json").write_text(text.ljust(len(more)))

    def overwrite_with_more(_):
        info = Path("in/b.json").stat()
        Path("in/b.json").write_text(more)
        os.utime("in/b.json", ns=(info.st_atime_ns, info.st_mtime_ns))

    result = made("in", ["in/a.txt", "in/b.json"])
    done = clean("in", delete=True, result=result, confirm=overwrite_with_more)
    assert left(done) == {"in/b.json": "it has changed since it was read"}
    assert Path("in/b.json").read_text() == more


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no folder as a file")
def test_one_run_at_a_time(here, monkeypatch):
    def meanwhile(plan, inputs, options):
        monkeypatch.undo()
        monkeypatch.chdir(here)
        with pytest.raises(CannotClean, match="by one run at a time, got another"):
            clean("in", delete=True)
        return carry_out(plan, inputs, options)

    monkeypatch.setattr("dedupe.cleaning.run.carry_out", meanwhile)
    assert clean("in", delete=True, result=three()).dropped == ("in/b.txt", "in/deep/c.txt")


def test_a_copy_stays_when_the_file_goes_meanwhile(here, monkeypatch):
    result = three()
    place = actions._place

    def slow(path, target, draft):
        place(path, target, draft)
        path.unlink()

    monkeypatch.setattr(actions, "_place", slow)
    done = clean("in", move="gone", result=result)
    assert {item.reason for item in done.left} == {"it is gone"}
    assert sorted(tree("gone")) == ["b.txt", "deep/c.txt"]


def test_a_finished_run_says_so_and_does_not_search(here, monkeypatch):
    cut_off(here)
    monkeypatch.setattr("dedupe.api.find_duplicates", lambda *_, **__: 1 / 0)
    done = clean("in", move="gone")
    assert (done.dropped, done.result) == (("in/b.txt", "in/deep/c.txt"), None)
    assert sorted(tree()) == ["gone/b.txt", "gone/deep/c.txt", "in/a.txt", "in/other.txt"]


def test_a_run_over_named_files_finds_its_journal_when_they_are_gone(here):
    result = three()
    paths = ["in/a.txt", "in/b.txt", "in/deep/*"]
    result = replace(result, n_documents=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedupe.cleaning.journal.remove", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clean(paths, move="gone", result=result)
    assert sorted(tree("in")) == [journal.NAME, "a.txt", "other.txt"]
    assert clean(paths, move="gone").left == ()
    assert sorted(tree()) == ["gone/b.txt", "gone/deep/c.txt", "in/a.txt", "in/other.txt"]


def test_new_files_under_old_names_are_left_alone(here):
    cut_off(here, "delete")
    rewrite("in/b.txt")
    done = clean("in", delete=True)
    assert done.dropped == ("in/deep/c.txt",)
    assert [item.reason for item in done.left] == ["it has changed since it was read"]
    assert Path("in/b.txt").read_text() == SAME.upper()


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_journal_reaches_nothing_outside(here, way):
    write(precious=SAME, kept=SAME)
    note = cut_off(here, way)
    head, row, *_ = map(json.loads, note.read_text().splitlines())
    stamps = {
        name: [info.st_size, info.st_mtime_ns, info.st_ino]
        for name, info in (("a", Path("kept.txt").stat()), ("b", Path("precious.txt").stat()))
    }
    row |= {"stamp": stamps["b"], "kept_stamp": stamps["a"]}
    before = {name: data for name, data in tree().items() if "journal" not in name}
    for place in ("../precious.txt", str(here / "precious.txt")):
        rows = [head, row | {"place": place, "kept": "../kept.txt"}]
        note.write_text("".join(json.dumps(one) + "\n" for one in rows))
        with pytest.raises(CannotClean, match="a place outside of what is cleaned"):
            clean("in", **WAYS[way])
    # Through a link that came with the folder.
    Path("in/link").symlink_to("..")
    rows = [head, row | {"place": "link/precious.txt", "kept": "link/kept.txt"}]
    note.write_text("".join(json.dumps(one) + "\n" for one in rows))
    clean("in", **WAYS[way])
    Path("in/link").unlink()
    assert tree() == before


HEAD = {"format": "dedupe-journal", "version": 3, "action": "delete", "folder": "", "paths": [],
        "against": [], "settings": {}, "draft": ".dedupe-0123456789abcdef.tmp"}  # fmt: skip


NOT_JSON, BAD_VALUE = "a line that is not JSON", "a line with a value that cannot be"


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "an empty file"), ("no journal", NOT_JSON), ("[]", BAD_VALUE), ("é" * 999, NOT_JSON),
     ("[" * 100_000, NOT_JSON), ('{"n": ' + "9" * 5000 + "}", BAD_VALUE),
     ('{"format": "dedupe-journal"}', "a line without 'version'"),
     *((json.dumps({**HEAD, **change}) + "\n{}", why) for change, why in (
         ({"version": 1}, "format 'dedupe-journal', version 1"),
         ({"action": "burn"}, "action 'burn'"), ({"draft": "../x"}, "draft '../x'"),
         ({"draft": 1}, BAD_VALUE), ({"paths": 1}, BAD_VALUE),
         ({"folder": None}, "a path that is none, None"), ({"settings": 1}, BAD_VALUE),
         ({"against": [1]}, "a path that is none, 1"), ({"format": "x" * 999}, "format 'xxxxxxx"),
     )),
     (json.dumps(HEAD), "no steps"),
     (json.dumps(HEAD) + '\n{"id": 1}', "a line without 'stamp'")],
)  # fmt: skip
def test_a_damaged_journal_is_refused(here, text, why):
    result = three()
    Path("in", journal.NAME).write_text(text, encoding="utf-8")
    before = tree()
    rule = "a journal must be one that this version has written, got "
    with pytest.raises(CannotClean) as told:
        clean("in", delete=True, result=result)
    before_name, _, said = str(told.value).partition(str(here.joinpath("in", journal.NAME)))
    assert before_name == rule
    assert said.startswith(f": {why}")
    assert said.endswith("; remove it to search anew")
    assert len(said) < 120
    assert tree() == before


@pytest.mark.parametrize(
    "change",
    [{name: f"in/{bad}"} for name in ("place", "kept") for bad in ("\ud800", "\0", "\udfff")]
    + [
        {"place": 1},
        {"kept": None},
        {"stamp": [1, 2]},
        {"stamp": ["a", 2, 3]},
        {"digest": 5},
        {"kept_stamp": [float("inf"), 2, 3]},
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_a_journal_with_what_no_file_can_be_named_is_refused(here, way, change):
    note = cut_off(here, way)
    head, row, *_ = map(json.loads, note.read_text().splitlines())
    note.write_text(json.dumps(head) + "\n" + json.dumps(row | change))
    before = tree()
    with pytest.raises(CannotClean, match=r"a journal must be one .*in/.dedupe-journal.jsonl"):
        clean("in", **WAYS[way])
    assert tree() == before


def test_names_in_the_head_of_a_journal_are_held_to_the_same(here):
    note = cut_off(here, "move")
    head, *rows = map(json.loads, note.read_text().splitlines())
    for change in ({"folder": "\ud800"}, {"paths": ["a\0"]}, {"against": ["\udfff"]}):
        note.write_text("\n".join(map(json.dumps, [head | change, *rows])))
        with pytest.raises(CannotClean, match="a journal must be one"):
            clean("in", move="gone")


@pytest.mark.parametrize("way", WAYS)
def test_files_far_down_go_and_what_cannot_stays(here, monkeypatch, way):
    deep = "/".join(["in", *["d"] * 1100])
    # Somewhat further down, the place under the other folder is longer than names may be.
    too_deep = "/".join(["in", *["e" * 200] * 19])
    disk.make_folders(Path(deep))
    monkeypatch.chdir("in")
    for _ in range(19):
        Path("e" * 200).mkdir()
        os.chdir("e" * 200)
    monkeypatch.chdir(here)
    write(in__a=SAME, **{deep.replace("/", "__") + "__b": SAME})
    Path(too_deep, "c.txt").write_text(SAME)
    ids = [f"{deep}/b.txt", f"{too_deep}/c.txt"]
    folder = {"move": here / ("g" * 250)} if way == "move" else WAYS[way]
    done = clean("in", **folder, result=made("in", ["in/a.txt", *ids]))
    if way == "move":
        assert done.dropped == (ids[0],)
        assert [item.reason for item in done.left] == ["cannot move: File name too long"]
        assert Path(too_deep, "c.txt").read_text() == SAME
    else:
        assert sorted(done.dropped) == sorted(ids)
    for top in here.iterdir():
        disk.remove_tree(top)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_journal_that_is_no_file_keeps_nobody_waiting(here):
    result = three()
    os.mkfifo(Path("in", journal.NAME))
    with pytest.raises(CannotClean, match="not a regular file"):
        clean("in", delete=True, result=result)


@pytest.mark.parametrize("way", ["move", "hardlink"])
def test_a_planted_journal_removes_no_draft_elsewhere(here, way):
    note = cut_off(here, way)
    head, row, *_ = map(json.loads, note.read_text().splitlines())
    write(elsewhere__x="x")
    draft = Path("elsewhere", head["draft"])
    draft.write_text("the draft of another")
    Path("in/link").symlink_to("../elsewhere")
    Path("gone").mkdir()
    Path("gone/link").symlink_to("../elsewhere")
    rows = [head, row | {"place": "link/x.txt"}]
    note.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert clean("in", **WAYS[way]).dropped == ()
    assert draft.read_text() == "the draft of another"


def test_a_journal_elsewhere(here):
    result = three()
    with pytest.raises(CannotClean, match="a journal must be written before files are touched"):
        clean("in", delete=True, result=result, journal="missing/journal.jsonl")
    assert len(tree()) == 4
    clean("in", delete=True, result=result, journal="journal.jsonl")
    assert sorted(tree()) == ["in/a.txt", "in/other.txt"]

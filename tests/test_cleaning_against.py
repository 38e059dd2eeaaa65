"""Duplicates of an old collection: what is new goes, what is old is never touched."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cleaned import made, tree
from dedupe import CannotClean, InvalidResult, InvalidSetting, Result, clean

SAME = "one story"
WAYS = {"move": {"move": "gone"}, "delete": {"delete": True}, "hardlink": {"hardlink": True}}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("new/a", "new/b", "new/deep/c", "old/x", "old/a"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(f"{name}.txt").write_text(SAME)
    return tmp_path


def found(*groups: list[str]) -> Result:
    return made("new", *groups, against="old")


COPIES = ["old/x.txt", "new/a.txt", "new/deep/c.txt"]
"""What goes for a file of the old collection."""


@pytest.mark.parametrize("way", WAYS)
def test_what_is_new_goes_for_what_is_old(here, way):
    done = clean("new", against="old", result=found(COPIES), **WAYS[way])
    assert (done.dropped, done.left) == (("new/a.txt", "new/deep/c.txt"), ())
    gone = {"move": ["gone/a.txt", "gone/deep/c.txt"], "delete": [], "hardlink": [*COPIES[1:]]}[way]
    assert sorted(tree()) == sorted([*gone, "new/b.txt", "old/a.txt", "old/x.txt"])
    if way == "hardlink":
        assert Path("new/a.txt").samefile("old/x.txt")


@pytest.mark.parametrize("way", WAYS)
def test_the_same_path_in_either_collection(here, way):
    result = found(["old/a.txt", "new/a.txt"])
    done = clean("new", against="old", result=result, **WAYS[way])
    assert done.dropped == ("new/a.txt",)
    assert Path("old/a.txt").read_text() == SAME


def test_an_old_file_that_has_changed_keeps_its_copies(here):
    result = found(COPIES)
    Path("old/x.txt").write_text("another")
    before = tree()
    done = clean("new", against="old", result=result, delete=True)
    assert {item.reason for item in done.left} == {"old/x.txt has changed since it was read"}
    assert tree() == before


def test_an_old_record_is_kept_in_its_file(here):
    rows = [json.dumps({"id": id_, "text": SAME}) for id_ in "xy"]
    Path("archive.jsonl").write_text("\n".join(rows))
    result = made("new", ["y", "new/a.txt"], against="archive.jsonl")
    done = clean("new", against="archive.jsonl", result=result, move="gone")
    assert done.dropped == ("new/a.txt",)
    assert sorted(tree("gone")) == ["a.txt"]


def test_a_file_that_is_in_both_is_old(here):
    result = made(".", ["old/x.txt", "./new/b.txt"], against="old")
    done = clean(".", against="old", result=result, delete=True)
    assert done.dropped == ("./new/b.txt",)
    assert sorted(tree()) == ["new/a.txt", "new/deep/c.txt", "old/a.txt", "old/x.txt"]


def test_written_without_copies_of_what_is_old(here):
    done = clean("new", against="old", result=found(COPIES), output="out")
    assert done.dropped == ("new/a.txt", "new/deep/c.txt")
    assert sorted(tree("out")) == ["b.txt"]


def test_nothing_old_is_written_over(here):
    before = tree()
    with pytest.raises(InvalidSetting, match="must not be one of the inputs"):
        clean("new", against="old", result=found(COPIES), output="old")
    with pytest.raises(InvalidSetting, match="must be moved out of the folders that are read"):
        clean("new", against="old", result=found(COPIES), move="old/gone")
    assert tree() == before


def test_what_is_new_may_be_added_to_what_is_old(here):
    clean("new", against="old", result=found(COPIES), output="old/today")
    assert sorted(tree("old")) == ["a.txt", "today/b.txt", "x.txt"]


@pytest.mark.parametrize(
    ("paths", "against"),
    [("new", None), ("old", "new"), ("new", "old/a.txt")],
)
def test_a_result_against_another_collection_is_refused(here, paths, against):
    before = tree()
    with pytest.raises(InvalidResult, match="must be of the documents that are cleaned"):
        clean(paths, against=against, result=found(COPIES), delete=True)
    assert tree() == before


def test_a_result_without_an_old_collection_is_refused_with_one(here):
    result = made(["new", "old"], ["new/a.txt", "new/b.txt"])
    with pytest.raises(InvalidResult, match=r"and not 'new/a\.txt'"):
        clean("new", against="old", result=result, delete=True)


def test_the_same_command_finishes_it_and_no_other(here):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedupe.cleaning.run.carry_out", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            clean("new", against="old", result=found(COPIES), delete=True)
    before = tree()
    for against in (None, "new/deep"):
        with pytest.raises(CannotClean, match=r"of 'delete /.*new against /.*old': do that again"):
            clean("new", against=against, delete=True)
    assert tree() == before
    assert clean("new", against="old", delete=True).dropped == ("new/a.txt", "new/deep/c.txt")
    assert sorted(tree()) == ["new/b.txt", "old/a.txt", "old/x.txt"]


def test_one_search_and_a_second_run_with_nothing_to_do(here):
    story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    Path("old/x.txt").write_text(story)
    Path("new/b.txt").write_text(f"home news sport {story}")
    done = clean("new", against="old", delete=True)
    assert set(done.dropped) == {"new/a.txt", "new/b.txt", "new/deep/c.txt"}
    Path("new/d.txt").write_text("another story altogether, told once")
    again = clean("new", against="old", delete=True)
    assert again.dropped == ()
    assert again.result == replace(again.result, n_documents=3, n_old=2)


def test_paths_may_come_from_iterators(here):
    done = clean(iter(["new"]), against=iter(["old"]), result=found(COPIES), delete=True)
    assert done.dropped == ("new/a.txt", "new/deep/c.txt")


def test_nothing_is_written_when_what_is_old_changes_meanwhile(here, monkeypatch):
    result = found(COPIES)

    def search(*_, **__):
        Path("old/x.txt").write_text("another story, and a longer one")
        return result

    monkeypatch.setattr("dedupe.api.find_duplicates", search)
    with pytest.raises(CannotClean, match=r"must not change .* got old/x\.txt"):
        clean("new", against="old", output="out")
    assert not Path("out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no folder as a file")
@pytest.mark.parametrize(
    ("paths", "against"), [("old", "new"), ("new/deep", None), (".", None), ("old", None)]
)
def test_no_other_run_is_at_work_on_either_collection(here, monkeypatch, paths, against):
    result = found(COPIES)

    def meanwhile(plan, inputs, options):
        monkeypatch.undo()
        monkeypatch.chdir(here)
        with pytest.raises(CannotClean, match="by one run at a time"):
            clean(paths, against=against, delete=True)
        return (), ()

    monkeypatch.setattr("dedupe.cleaning.run.carry_out", meanwhile)
    clean("new", against="old", result=result, delete=True)

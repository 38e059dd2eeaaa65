"""An index as the old collection: searches and cleaning take it where they take a folder."""

import json
from pathlib import Path

import pytest

import dedupe
from dedupe import (
    CannotClean,
    Index,
    InvalidInput,
    InvalidSetting,
    Old,
    UnknownDocument,
    clean,
    find_duplicates,
)
from dedupe.cleaning import rewriting
from strategies import article

OLD = {f"old{i}": article(f"story {i}", 120) for i in range(6)}
NEW = {
    "copy": "home news sport weather\n" + OLD["old1"],
    "same": OLD["old2"],
    "own": article("own", 120),
    "own too": "another page\n" + article("own", 120),
    "old3": article("another text under a known id", 120),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Stand in a folder with the same old collection twice, and new documents as records."""
    monkeypatch.chdir(tmp_path)
    with Index("old.dedupe") as index:
        index.add_texts(OLD)
    Path("old.jsonl").write_text(lines(OLD))
    Path("new.jsonl").write_text(lines(NEW))
    return tmp_path


def lines(texts):
    return "".join(json.dumps({"id": id_, "text": text}) + "\n" for id_, text in texts.items())


def as_files(texts, folder):
    Path(folder).mkdir()
    for id_, text in texts.items():
        Path(folder, f"{id_}.txt").write_text(text)


def test_two_documents_of_an_index_are_compared_as_those_of_a_file(here):
    with Index("old.dedupe") as index:
        index.add(7, NEW["copy"])
    for texts, within in ((OLD, "old.dedupe"), (NEW, ["old.dedupe", "new.jsonl"])):
        other = "7" if texts is OLD else "copy"
        found = dedupe.compare("old1", other, within=within)
        known = dedupe.compare_texts(OLD["old1"], NEW["copy"])
        assert (found.left_text, found.right_text) == (OLD["old1"], NEW["copy"])
        assert (found.pair.score, found.pair.reason) == (known.pair.score, known.pair.reason)
    with pytest.raises(UnknownDocument, match="no document 'nobody'"):
        dedupe.compare("old1", "nobody", within="old.dedupe")


def test_an_index_answers_as_a_file_of_the_same_documents(here):
    for name, texts in (("old", OLD), ("new", NEW)):
        records = [{"id": id_, "text": text, "date": 5} for id_, text in texts.items()]
        Path(f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    with Index("dated.dedupe") as index:
        index.add_paths("old.jsonl", time_field="date")
    by_index, by_file = (
        find_duplicates("new.jsonl", against=f"{name}", time_field="date", window="1d")
        for name in ("dated.dedupe", "old.jsonl")
    )
    assert by_index.to_json() == by_file.to_json()
    assert {one.id: one.duplicate_of for one in by_index.duplicates} == {
        "copy": Old("old1"),
        "same": Old("old2"),
        "own too": "own",
    }
    assert by_index.n_old == len(OLD)


def test_an_index_beside_files_and_by_a_pattern(here):
    Path("more.jsonl").write_text(lines({"more": NEW["own"]}))
    found = find_duplicates("new.jsonl", against=["*.dedupe", "more.jsonl"])
    assert found.n_old == len(OLD) + 1
    assert Old("more") in {one.duplicate_of for one in found.duplicates}


def test_an_index_can_be_searched_while_another_program_writes(here):
    with Index("old.dedupe") as writer:
        writer.add("late", NEW["own"])
        found = find_duplicates("new.jsonl", against="old.dedupe")
    assert found.n_old == len(OLD) + 1


def test_an_id_that_is_old_twice_is_refused(here):
    with pytest.raises(
        dedupe.DuplicateId, match=r"got 'old0' at old\.dedupe#old0 and at old\.jsonl:1"
    ):
        find_duplicates("new.jsonl", against=["old.dedupe", "old.jsonl"])


def test_an_empty_index_is_one_in_which_nothing_is_old(here, caplog):
    Index("empty.dedupe").close()
    found = find_duplicates("new.jsonl", against="empty.dedupe")
    assert [one.id for one in found.duplicates] == ["own too"]
    assert "there is nothing old in 'empty.dedupe'" in caplog.text


def test_an_index_is_no_folder_of_documents(here):
    with pytest.raises(InvalidInput, match="dedupe index find"):
        find_duplicates("old.dedupe")


@pytest.mark.parametrize("wrong", ["id_field", "time_field"])
def test_what_is_stored_hides_no_wrong_name_of_a_field(here, wrong):
    with Index("old.dedupe") as index:
        index.add("dated", article("dated", 50), time=5)
    with pytest.raises(InvalidSetting, match=wrong):
        find_duplicates("new.jsonl", against="old.dedupe", **{wrong: "nope"})


def test_records_are_written_without_what_an_index_has(here):
    done = clean("new.jsonl", against="old.dedupe", output="once.jsonl")
    kept = [json.loads(line)["id"] for line in Path("once.jsonl").read_text().splitlines()]
    assert kept == ["own", "old3"]
    assert done.dropped == ("copy", "same", "own too")


def test_a_result_that_was_saved_fits_the_index_it_was_made_of(here):
    result = find_duplicates("new.jsonl", against="old.dedupe")
    done = clean("new.jsonl", against="old.dedupe", result=result, output="once.jsonl")
    assert done.dropped == ("copy", "same", "own too")
    with Index("old.dedupe") as index:
        index.update("old1", article("changed", 50))
    with pytest.raises(dedupe.InvalidResult, match="old1', which has changed"):
        clean("new.jsonl", against="old.dedupe", result=result, output="once.jsonl")
    with Index("old.dedupe") as index:
        index.remove("old1")
    with pytest.raises(dedupe.InvalidResult, match="must be of the documents"):
        clean("new.jsonl", against="old.dedupe", result=result, output="once.jsonl")


@pytest.mark.parametrize("change", ["remove", "update"])
def test_a_copy_that_leaves_the_index_meanwhile_stops_the_cleaning(here, monkeypatch, change):
    check = rewriting.check_stored

    def meanwhile(*arguments):
        with Index("old.dedupe") as index:
            index.remove("old1") if change == "remove" else index.update("old1", "another text")
        check(*arguments)

    monkeypatch.setattr(rewriting, "check_stored", meanwhile)
    with pytest.raises(CannotClean, match="got old old1"):
        clean("new.jsonl", against="old.dedupe", output="once.jsonl")
    assert not Path("once.jsonl").exists()


def test_repeated_passages_of_an_index_are_cut(here):
    notice = "subscribe now to read on for one pound a month wherever you are in the country"
    texts = {f"n{i}": f"{article(f'n{i}', 60)}\n{notice}\n" for i in range(3)}
    with Index("notices.dedupe") as index:
        index.add_texts({id_: texts[id_] for id_ in ("n0", "n1")})
    Path("late.jsonl").write_text(lines({"n2": texts["n2"]}))
    clean("late.jsonl", against="notices.dedupe", output="cut.jsonl", cut_repeated=True)
    assert notice not in json.loads(Path("cut.jsonl").read_text())["story"]


@pytest.mark.parametrize("way", [{"delete": True}, {"move": "gone"}])
def test_files_go_for_what_an_index_has(here, way):
    as_files(NEW, "new")
    done = clean("new", against="old.dedupe", **way)
    assert done.dropped == ("new/copy.txt", "new/own too.txt", "new/same.txt")
    assert not done.left
    assert sorted(path.name for path in Path("new").iterdir()) == ["old3.txt", "own.txt"]


def test_a_file_stays_whose_copy_is_not_in_the_index_any_more(here):
    as_files({"copy": NEW["copy"], "same": NEW["same"]}, "new")

    def meanwhile(_):
        with Index("old.dedupe") as index:
            index.remove("old1")

    done = clean("new", against="old.dedupe", delete=True, confirm=meanwhile)
    assert done.dropped == ("new/same.txt",)
    assert [one.reason for one in done.left] == ["its kept copy old1 has changed since it was read"]


def test_nothing_is_linked_to_what_is_in_an_index(here):
    as_files({"same": NEW["same"]}, "new")
    done = clean("new", against="old.dedupe", hardlink=True)
    assert done.dropped == ()
    assert [one.reason for one in done.left] == ["its kept copy old2 is in an index"]

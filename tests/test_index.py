"""An index from outside: the batch's answers, whatever the order, and what it refuses."""

import copy
import errno
import json
import os
import pickle
import re
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import get_args

import pandas as pd
import polars as pl
import pytest

import dedupe
from dedupe import Index
from dedupe.errors import (
    CannotStore,
    DuplicateId,
    InvalidIndex,
    InvalidInput,
    InvalidSetting,
    NoSuchPath,
    NothingToRead,
    UnknownDocument,
)
from dedupe.index import merging
from dedupe.index.matches import Outcome
from dedupe.index.records import Added
from dedupe.index.storage import heads, parameters
from dedupe.index.storage import store as storage
from dedupe.index.storage.database import MAX_LOG
from strategies import article, edited

FRAME = "home news sport weather traffic subscribe now for one pound a month and read on"


def collection(n=60):
    """Return stories, copies of them with edits, frames and other line breaks, and templates."""
    texts = {}
    for i in range(n):
        story = article(f"story {i // 3}", 150)
        kind = i % 3
        if kind == 1:
            story = f"{FRAME}\n{edited(story, 0.05, i)}\n{article(f'site {i % 5}', 40)}"
        if kind == 2 and i % 2:
            story = story.replace("\n", " ").upper()
        texts[f"d{i:03d}"] = story
    return texts


TEXTS = collection()


@pytest.fixture
def small(monkeypatch):
    """Let segments be sealed and merged all the time."""
    monkeypatch.setattr(merging, "TAIL", 8)
    monkeypatch.setattr(merging, "FANOUT", 2)


def scores_of(index, texts):
    """Return the score of each pair that queries find, by their ids."""
    found = {}
    for name, text in texts.items():
        for match in index.query(text, threshold=0.1, limit=None, max_compared=None):
            if match.id != name:
                found[tuple(sorted((name, match.id)))] = match.score
    return found


# --- the answers of the batch ---


@pytest.mark.parametrize("folder", [True, False])
def test_what_was_learned_gives_the_answers_of_the_batch(tmp_path, small, folder):
    batch = dedupe.find_duplicate_texts(TEXTS)
    with Index(tmp_path / "i" if folder else None) as index:
        for name, text in TEXTS.items():
            index.add(name, text)
        index.learn()
        assert index.find_duplicates().to_json() == batch.to_json()
        found = scores_of(index, TEXTS)
    wanted = {(p.left, p.right): p.score for p in batch.scored if p.is_candidate}
    assert len(wanted) > 30
    assert {pair: found[pair] for pair in wanted} == wanted


def test_times_and_typed_ids_come_to_the_batch_as_they_were(tmp_path):
    records = [
        {"id": 10 - i, "text": article(f"{i // 2}"), "time": 1.7e9 + i * 86400} for i in range(8)
    ]
    with Index(tmp_path / "i") as index:
        index.add_texts(records, time_field="time")
        found = index.find_duplicates(window="3d", keep="newest")
        assert [*index] == [*range(3, 11)]
        assert index.document(3).time == 1.7e9 + 7 * 86400
    batch = dedupe.find_duplicate_texts(records, time_field="time", window="3d", keep="newest")
    assert found.to_json() == batch.to_json()


def test_a_match_says_what_a_pair_says():
    with Index() as index:
        index.add_texts(TEXTS)
        index.learn()
        (match, *_) = index.query(TEXTS["d001"], threshold=0.1)[1:]
        batch = index.find_duplicates()
        pair = batch.pair("d001", match.id)
    assert (match.relation, match.reason) == (pair.relation, pair.reason)
    assert (match.jaccard, match.containment) == (pair.jaccard, pair.containment)
    assert match.epoch == 1
    assert match.evidence.passages[0].n_words >= 5
    assert json.dumps(match.as_json())


def test_to_ask_for_one_alone_or_in_company_is_the_same():
    with Index() as index:
        index.add_texts(dict(list(TEXTS.items())[:40]))
        index.learn()
        new = [*TEXTS.values()][40:]
        together = [index.query(text) for text in new]
        Random(1).shuffle(new)
        alone = {text: index.query(text) for text in new}
    assert [alone[text] for text in [*TEXTS.values()][40:]] == together


def test_a_story_that_is_known_teaches_no_boilerplate_when_a_copy_comes():
    story = article("a story", 200)
    with Index() as index:
        index.add_texts({f"c{i}": edited(story, 0.02, i) for i in range(8)})
        index.learn()
        found = index.query(edited(story, 0.02, 99))
    assert len(found) == 8
    assert all(match.score > 0.95 for match in found)


# --- any order ---


def test_neither_order_nor_batches_matter(tmp_path, small):
    answers = []
    for seed in range(3):
        random = Random(seed)
        with Index(tmp_path / str(seed)) as index:
            todo = [*TEXTS.items(), *((f"gone{i}", article(f"gone {i}")) for i in range(9))]
            random.shuffle(todo)
            while todo:
                some, todo = todo[: random.randint(1, 9)], todo[random.randint(1, 9) :]
                index.add_texts(some, on_conflict="error")
                todo = [one for one in todo if one[0] not in index]
                if random.random() < 0.3:
                    index.remove(some[0][0])
                    todo.append(some[0])
            for name, text in TEXTS.items():
                if name not in index:
                    index.add(name, text)
            index.remove([name for name in index if name.startswith("gone")])
            index.learn()
            queries = [
                [match.as_json() for match in index.query(text, threshold=0.1)]
                for text in TEXTS.values()
            ]
            exported = [(one.id, one.text, one.time) for one in index.documents()]
            answers.append(json.dumps([exported, queries, index.find_duplicates().to_json()]))
    assert answers[0] == answers[1] == answers[2]


# --- adding, changing, removing ---


def test_adding_says_what_was_seen_before():
    story = article("a story")
    with Index() as index:
        assert not index.add("a", story)
        assert [match.id for match in index.add("b", f"{FRAME} {story}")] == ["a"]
        assert [(match.id, match.relation) for match in index.add("c", story)] == [
            ("a", "identical"),
            ("b", "contained"),
        ]
        assert len(index) == 3


def test_the_same_again_is_no_change_and_another_text_is_an_error():
    with Index() as index:
        index.add("a", article("one"))
        assert not index.add("a", article("one"))
        assert len(index) == 1
        with pytest.raises(DuplicateId, match="update"):
            index.add("a", article("two"))
        with pytest.raises(DuplicateId, match="update"):
            index.add_texts({"b": article("b"), "a": article("two")})
        assert [*index] == ["a"]
        index.add("a", article("two"), on_conflict="update")
        assert index["a"] == article("two")
        assert not index.query(article("one"))
        index.update("a", article("three"))
        assert index.add_texts({"a": article("four")}, on_conflict="update").n_updated == 1
        assert index["a"] == article("four")
        with pytest.raises(UnknownDocument, match="'z'"):
            index.update("z", article("two"))


def outcome_of_many(index, record, on_conflict):
    """Return what became of a document that is added as one of many."""
    time_field = None if record["time"] is None else "time"
    added = index.add_texts([record], time_field=time_field, on_conflict=on_conflict)
    (outcome,) = [one for one in get_args(Outcome) if getattr(added, f"n_{one}")]
    return outcome


ADDED = [
    ("a", "one two", None, "added", "added"),
    ("a", "one two", None, "unchanged", "unchanged"),
    ("a", "one two", 5, "unchanged", "updated"),
    ("a", "One two", 5, None, "updated"),
    (7, "one two", 5, "added", "added"),
    ("7", "one two", None, None, "updated"),
    ("a", "three", 6, None, "updated"),
]
"""What is added, and its outcome for either choice of what to do with conflicts."""


@pytest.mark.parametrize("on_conflict", ["error", "update"])
def test_adding_one_says_what_became_of_it_as_adding_many_does(on_conflict):
    with Index() as index, Index() as other:
        for id_, text, when, *outcomes in ADDED:
            wanted = outcomes[on_conflict == "update"]
            record = {"id": id_, "text": text, "time": when}
            if wanted is None:
                with pytest.raises(DuplicateId):
                    index.add(**record, on_conflict=on_conflict)
                continue
            assert index.add(**record, on_conflict=on_conflict).outcome == wanted
            assert outcome_of_many(other, record, on_conflict) == wanted
        assert index.query("three").outcome is None
        assert index.update("a", "four").outcome == "updated"
        assert index.update("a", "four").outcome == "unchanged"


def test_what_was_added_last_gets_the_same_answer_again():
    """Whoever was killed before it could act upon an answer asks again."""
    with Index() as index:
        for id_, text in TEXTS.items():
            told = index.add(id_, text)
            again = index.add(id_, text)
            assert (again.matches, again.n_found) == (told.matches, told.n_found)
            assert (told.outcome, again.outcome) == ("added", "unchanged")


def test_ids_keep_their_type_and_those_shown_alike_are_one():
    ids = [7, "a", ("a", 1), date(2024, 5, 1), datetime(2024, 5, 1, tzinfo=UTC), b"x"]
    with Index() as index:
        for id_ in ids:
            index.add(id_, article(str(id_)))
        assert {*index} == {*ids}
        assert all(id_ in index for id_ in ids)
        assert index.query(article("7"))[0].id == 7
        assert "b" not in index
        with pytest.raises(DuplicateId):
            index.add("7", article("another"))
        with pytest.raises(InvalidInput, match="ids must be"):
            index.add(object(), article("another"))


def test_what_was_removed_is_not_found_and_its_copies_are(small, tmp_path):
    story = article("a story")
    with Index(tmp_path / "i") as index:
        index.add_texts({"a": story, "b": story.upper(), "c": f"{FRAME} {story}"})
        index.add_texts({f"x{i}": article(f"other {i}") for i in range(30)})
        assert index.remove("a") == 1
        assert [match.id for match in index.query(story)] == ["b", "c"]
        assert index.remove(["b"]) == 1
        assert [match.id for match in index.query(story)] == ["c"]
        index.add("a", story)
        assert [match.id for match in index.query(story)] == ["a", "c"]
        with pytest.raises(UnknownDocument, match="'nobody'"):
            index.remove(["c", "nobody"])
        assert "c" in index


def test_what_is_old_expires_and_what_has_no_time_stays():
    with Index() as index:
        index.add("old", article("old"), "2024-01-01")
        index.add("new", article("new"), datetime(2024, 6, 1, tzinfo=UTC))
        index.add("ever", article("ever"))
        assert index.expire(date(2024, 3, 1)) == 1
        assert {*index} == {"new", "ever"}


@pytest.mark.parametrize("age", ["2h", "120m", "7200s", timedelta(hours=2)])
def test_an_age_is_counted_from_now(age):
    with Index() as index:
        index.add("old", article("old"), time.time() - 7300)
        index.add("new", article("new"), time.time() - 7100)
        assert index.expire(before=age) == 1
        assert {*index} == {"new"}


@pytest.mark.parametrize("age", ["999999d", "999999w"])
def test_an_age_may_reach_back_beyond_all_dates(age):
    with Index() as index:
        index.add("old", article("old"), "0001-01-01")
        assert index.expire(before=age) == 0


@pytest.mark.parametrize("before", [None, "June", "0d", "-3d", "90 days", "3D", "", True])
def test_what_is_no_time_and_no_age_is_refused(before):
    with Index() as index, pytest.raises(InvalidSetting) as refused:
        index.expire(before=before)
    assert "before must be a time (seconds since 1970, a date or ISO 8601" in str(refused.value)
    assert "such as 90m, 12h, 3d or 2w" in str(refused.value)
    assert f"got {before!r}" in str(refused.value)


def test_an_update_changes_the_time_only_if_one_is_given():
    with Index() as index:
        index.add("a", article("a"), "2024-01-01")
        before = index.document("a").time
        index.update("a", article("b"))
        assert index.document("a").time == before
        index.add("a", article("b"), "2025-01-01")
        assert index.document("a").time == before
        index.update("a", article("b"), "2025-01-01")
        assert index.document("a").time > before
        assert index.verify()
        assert index.stats().n_texts == 1


def test_files_expire_by_when_they_were_changed_only_if_asked_to(tmp_path):
    (tmp_path / "a.txt").write_text(article("a"))
    for time_from, n in ((None, 0), ("mtime", 1)):
        with Index() as index:
            index.add_paths(tmp_path, time_from=time_from)
            assert index.expire("9999-01-01") == n


def test_what_cannot_be_read_is_skipped():
    with Index() as index:
        added = index.add_texts([("a", article("a")), ("b", ""), ("c", "...")])
        assert (added.n_added, [one.id for one in added.skipped]) == (1, ["b", "c"])
        for text in ("", "  ", "..."):
            with pytest.raises(NothingToRead, match="word"):
                index.add("d", text)
            with pytest.raises(NothingToRead, match="word"):
                index.query(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"words in bytes", "got bytes: decode it"),
        (bytearray(b"words"), "got bytearray: decode it"),
        (None, "got NoneType: turn it into one"),
        (float("nan"), "got float: turn it into one"),
        (["words"], "got list: turn it into one"),
    ],
)
def test_what_is_no_string_is_no_empty_article(text, told):
    """Whoever passes over articles without a word must not pass over a mistake."""
    with Index() as index:
        index.add("a", article("a"))
        for ask in (
            lambda: index.add("b", text),
            lambda: index.update("a", text),
            lambda: index.query(text),
        ):
            with pytest.raises(InvalidInput, match=f"a text must be a string, {told}"):
                ask()
        assert [*index] == ["a"]


@pytest.mark.parametrize(
    "unnamed",
    [
        [article("a"), article("b")],
        iter([article("a")]),
        [{"text": article("a")}],
        [{"id": None, "text": article("a")}],
        [{"id": " ", "text": article("a")}],
        [(None, article("a"))],
        [("a", article("a")), article("b")],
    ],
)
def test_what_goes_by_its_position_is_refused(unnamed):
    """The first text of the next list would have the same id."""
    with Index() as index:
        with pytest.raises(InvalidInput, match=r"ids of their own, got none at position .*pairs"):
            index.add_texts(unnamed)
        assert len(index) == 0


FRAME = {"text": [article("a"), article("b")]}


@pytest.mark.parametrize(
    "unnamed",
    [
        pd.DataFrame(FRAME),
        pd.DataFrame(FRAME | {"id": ["a", None]}).drop(columns="id"),
        pd.DataFrame(FRAME)["text"],
        pl.DataFrame(FRAME),
    ],
)
def test_a_frame_that_counts_from_0_is_refused(unnamed):
    with Index() as index:
        with pytest.raises(InvalidInput, match=r"ids(,| of their own,) got"):
            index.add_texts(unnamed, on_conflict="update")
        assert not len(index)


@pytest.mark.parametrize(
    ("named", "ids"),
    [
        (pd.DataFrame(FRAME | {"id": ["x", "y"]}), ["x", "y"]),
        (pd.DataFrame(FRAME, index=["x", "y"]), ["x", "y"]),
        (pd.DataFrame(FRAME | {"id": [0, 1]}).set_index("id"), [0, 1]),
        (pd.DataFrame(FRAME, index=pd.RangeIndex(2, name="id")), [0, 1]),
        (pd.DataFrame(FRAME, index=pd.RangeIndex(5, 7)), [5, 6]),
        (pd.DataFrame(FRAME, index=pd.RangeIndex(5, 7))["text"], [5, 6]),
    ],
)
def test_a_frame_with_ids_is_added(named, ids):
    with Index() as index:
        assert index.add_texts(named).n_added == 2
        assert [*index] == ids


@pytest.mark.parametrize("more", [(), ("2024-06-11",), (None, None)])
def test_a_pair_has_two_members(more):
    with Index() as index:
        if not more:
            assert index.add_texts([("a", article("a"))]).n_added == 1
            return
        told = f"a pair must be .id, text., got {2 + len(more)} members at position 1: .*time_field"
        with pytest.raises(InvalidInput, match=told):
            index.add_texts([("a", article("a")), ("b", article("b"), *more)])


def without_ids(path):
    """Write two records without ids in the format of a name."""
    texts = [article("a"), article("b")]
    if path.suffix == ".parquet":
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        pandas.DataFrame({"text": texts}).to_parquet(path)
        return
    path.write_text(
        {
            ".jsonl": "".join(json.dumps({"text": text}) + "\n" for text in texts),
            ".json": json.dumps([{"text": text} for text in texts]),
            ".csv": "\n".join(["text,note", *(f"{text},x" for text in texts)]),
            ".tsv": "\n".join(["text\tnote", *(f"{text}\tx" for text in texts)]),
        }[path.suffix]
    )


@pytest.mark.parametrize("qualify_ids", [False, True])
@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_records_that_go_by_their_line_are_refused(tmp_path, suffix, qualify_ids):
    """Line 1 of the next file of that name would go by the same."""
    path = tmp_path / f"noid.{suffix}"
    without_ids(path)
    with Index() as index:
        told = rf"ids of their own, got none at .*noid\.{suffix}:\d: .*--id-field"
        with pytest.raises(InvalidInput, match=told):
            index.add_paths(path, qualify_ids=qualify_ids)
        assert len(index) == 0


def test_a_file_that_is_one_document_goes_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"a.txt", "b.md", "c.json"}
    for name in names:
        said = article(name)
        Path(name).write_text(json.dumps({"text": said}) if name == "c.json" else said)
    with Index() as index:
        assert index.add_paths([*names]).n_added == 3
        assert {*index} == names


@pytest.mark.parametrize("said", ["", "\n", '{"id": "a", "text": ""}\n{"id": "b", "text": null}\n'])
def test_a_night_without_news_adds_nothing(tmp_path, said):
    path = tmp_path / "new.jsonl"
    path.write_text(said)
    with Index() as index:
        added = index.add_paths(path)
        assert (added.n_added, len(added.skipped)) == (0, said.count("id"))
        folder = tmp_path / "folder"
        folder.mkdir()
        assert index.add_paths(folder) == Added()


@pytest.mark.parametrize("said", ['{"id": "a", "words": "news"}', '{"id": "a", "text": [1]}', "{"])
def test_nothing_but_faults_is_no_night_without_news(tmp_path, said):
    path = tmp_path / "new.jsonl"
    path.write_text(said + '\n{"id": "b", "text": ""}\n')
    with Index() as index, pytest.raises(NothingToRead, match="got 2 skipped; the first"):
        index.add_paths(path)


def test_texts_are_numbered_on():
    with Index() as index:
        for batch in (["a b", "c d"], ["e f"]):
            index.add_texts(enumerate(batch, len(index)))
        assert [*index] == [0, 1, 2]
        assert index.add_texts([["a", "g h"], {"id": 3, "text": "i j"}]).n_added == 2


def test_frames_go_by_their_index_and_columns_by_theirs():
    pandas = pytest.importorskip("pandas")
    with Index() as index:
        index.add_texts(pandas.Series(["a b", "c d"], index=[0, 2]))
        index.add_texts(pandas.DataFrame({"text": ["e f"]}, index=[7]))
        assert [*index] == [0, 2, 7]


def test_a_batch_may_have_nothing_that_can_be_read_and_no_time(caplog):
    """However a crawl is cut into batches, what is stored is the same."""
    records = [
        {"id": "a", "text": article("a"), "date": "2024-06-11"},
        {"id": "b", "text": article("b"), "date": None},
        {"id": "c", "text": article("c")},
        {"id": "video", "text": "", "date": "2024-06-11"},
    ]
    with Index() as index, Index() as other:
        assert index.add_texts(records, time_field="date").n_added == 3
        assert not caplog.records
        done = [other.add_texts([one], time_field="date") for one in records]
        assert [(one.n_added, len(one.skipped)) for one in done] == [(1, 0)] * 3 + [(0, 1)]
        assert [*other.entries()] == [*index.entries()]
    assert [one.levelname for one in caplog.records] == ["WARNING"] * 2
    assert "must name a field that holds a time, got 'date'" in caplog.text


def test_a_query_that_may_compare_few_says_so():
    story = article("a story", 300)
    texts = {f"c{i:02d}": edited(story, 0.02 * i, i) for i in range(12)}
    with Index() as index:
        index.add_texts(texts)
        whole = index.query(story, limit=None)
        few = index.query(story, max_compared=3)
        assert not whole.truncated
        assert few.truncated
        assert len(few) <= 4
        assert few[0].id == "c00"
        for limit in range(1, len(whole) + 2):
            cut = index.query(story, limit=limit)
            assert cut.matches == whole.matches[:limit]
            assert (cut.n_found, cut.truncated) == (len(whole), False)


@pytest.mark.parametrize("many", [100, 500])
def test_of_many_copies_few_are_looked_at_and_all_are_counted(monkeypatch, many):
    monkeypatch.setattr(heads, "MANY_HEADS", many)
    text = article("a story")
    near = text + " and some more words at its end"
    ids = [*range(20), *(f"d{i:03d}" for i in range(200)), ("a", 1)]
    with Index() as index:
        index.add_texts((id_, text) for id_ in ids)
        index.add_texts((f"near {id_}", near) for id_ in ids)
        for asked in (text, near, text + " again"):
            every = index.query(asked, limit=None)
            assert every.n_found == len(every) == 2 * len(ids)
            for limit in (1, 5, 30, 250):
                found = index.query(asked, limit=limit)
                assert found.matches == every.matches[:limit]
                assert found.n_found == every.n_found
        lows = [row.low for row in index._store.rows()][:1]
        assert len(index._store.heads(lows, 3)) == (24 if many < len(ids) else len(ids))
        assert len(index._store.by_texts(lows)) == 1
        again = index.add("d000", text, limit=22)
        assert again.n_found == 2 * len(ids) - 1
        assert [match.id for match in again][18:] == [18, 19, "d001", "d002"]


def test_indexes_are_merged(tmp_path):
    half = len(TEXTS) // 2
    with Index(tmp_path / "a") as one, Index(tmp_path / "b", ngram=3) as other:
        one.add_texts(dict([*TEXTS.items()][: half + 5]))
        other.add_texts(dict([*TEXTS.items()][half:]))
        other.close()
        added = one.merge(tmp_path / "b")
        assert (added.n_added, added.n_unchanged) == (len(TEXTS) - half - 5, 5)
        assert [*one] == [*TEXTS]


@pytest.mark.parametrize("folder", ["i", None])
def test_entries_are_the_documents_without_their_texts(tmp_path, monkeypatch, folder):
    for module in (parameters, storage):
        monkeypatch.setattr(module, "AT_ONCE", 3)
    with Index(folder and tmp_path / folder) as index:
        for number in range(8):
            index.add(number if number % 2 else f"d{number}", article(f"{number}", 20 + number))
        index.update("d2", article("again", 9), "2024-06-11")
        told = [(one.id, one.text, one.time) for one in index.documents()]
        n_words = {id_: len(text.split()) for id_, text, _ in told}
        entries = [*index.entries()]
        assert [(one.id, one.time) for one in entries] == [(id_, time) for id_, _, time in told]
        assert {one.id: one.n_words for one in entries} == n_words
        assert [one.id for one in entries] == [*index] == sorted(index, key=dedupe.ids.order_of)


# --- what is refused ---


@pytest.mark.parametrize(("name", "value"), [("ngram", 4), ("num_perm", 64), ("seed", 2)])
@pytest.mark.parametrize("is_open", [True, False])
def test_other_settings_are_refused_until_it_is_rebuilt(tmp_path, name, value, is_open):
    with Index(tmp_path / "i") as index:
        index.add_texts(TEXTS)
        index.learn()
    for how in ({}, {"mode": "r", "rebuild": True}):
        with pytest.raises(InvalidIndex, match=f"{name} must be that of the index.*rebuild=True"):
            Index(tmp_path / "i", **{name: value}, **how)
    chosen = {} if is_open else {"rebuild": True, name: value}
    with Index(tmp_path / "i", **chosen) as index:
        if is_open:
            index.rebuild(**{name: value})
        assert index.was_rebuilt
        batch = dedupe.find_duplicate_texts(TEXTS, **{name: value})
        assert index.find_duplicates().to_json() == batch.to_json()
        found = scores_of(index, TEXTS)
        assert index.verify()
    wanted = {(p.left, p.right): p.score for p in batch.scored if p.is_candidate}
    assert {pair: found[pair] for pair in wanted} == wanted
    with Index(tmp_path / "i", mode="r", **{name: value}) as index:
        assert len(index) == len(TEXTS)
    with Index(tmp_path / "i", rebuild=True, **{name: value}) as index:
        assert not index.was_rebuilt


def test_a_new_index_has_the_settings_given_and_is_not_rebuilt(tmp_path):
    with Index(tmp_path / "i", rebuild=True, ngram=4) as index:
        assert (index.settings.ngram, index.was_rebuilt) == (4, False)


@pytest.mark.parametrize("name", ["SHINGLES_VERSION", "RULE_VERSION"])
def test_another_version_is_refused_until_it_is_rebuilt(tmp_path, monkeypatch, name):
    with Index(tmp_path / "i") as index:
        index.add_texts(TEXTS)
    monkeypatch.setattr(f"dedupe.settings.{name}", 99)
    for mode in ("a", "r"):
        with pytest.raises(InvalidIndex, match=r"instead of 99.*rebuild=True"):
            Index(tmp_path / "i", mode=mode)
    with Index(tmp_path / "i", rebuild=True) as index:
        assert index.query(TEXTS["d000"])[0].id == "d000"
    Index(tmp_path / "i").close()


def test_a_newer_format_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("dedupe.index.opening.FORMAT", 99)
    Index(tmp_path / "i").close()
    monkeypatch.undo()
    with pytest.raises(InvalidIndex, match="format 1, got 99"):
        Index(tmp_path / "i", rebuild=True)


def test_folders_that_are_none_are_refused(tmp_path):
    with pytest.raises(NoSuchPath, match="none in"):
        Index(tmp_path / "nowhere", mode="r")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidIndex, match="must be a folder"):
        Index(tmp_path / "file")
    with pytest.raises(InvalidIndex, match="something else"):
        Index(tmp_path)
    with pytest.raises(InvalidSetting, match="mode"):
        Index(tmp_path / "i", mode="w")
    with pytest.raises(InvalidSetting, match="path"):
        Index(mode="r")


@pytest.mark.parametrize(
    ("method", "number", "said"),
    [
        ("mkdir", errno.EACCES, "be in a folder that can be written, got Permission denied for"),
        ("mkdir", errno.EROFS, "be in a folder that can be written, got Read-only file system for"),
        ("mkdir", errno.ENOSPC, "have room on its disk, got No space left on device in"),
        ("open", errno.EACCES, "be in a folder that can be written, got Permission denied for"),
    ],
)
def test_what_cannot_be_written_is_an_error_that_says_so(
    tmp_path, monkeypatch, method, number, said
):
    def refuse(self, *_, **__):
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(CannotStore, match=f"an index must {said} {re.escape(str(tmp_path / 'i'))}"):
        Index(tmp_path / "i")


def test_one_that_would_lie_in_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStore, match=r"can be written, got Not a directory .* name another"):
        Index(tmp_path / "file" / "i")


def test_one_that_is_read_is_not_written(tmp_path):
    with Index(tmp_path / "i") as index:
        index.add_texts(TEXTS)
        index.learn()
    before = {path.name: path.read_bytes() for path in (tmp_path / "i").iterdir()}
    with Index(tmp_path / "i", mode="r") as index:
        assert index.query(TEXTS["d000"])
        assert index.find_duplicates().clusters
        assert index.verify()
        for change in (
            lambda: index.add("x", "a text"),
            lambda: index.add_texts({"a": "x"}),
            lambda: index.remove("d000"),
            index.learn,
            index.compact,
            index.rebuild,
        ):
            with pytest.raises(InvalidSetting, match=r"open for writing .* leave out mode='r'"):
                change()
    after = {path.name: path.read_bytes() for path in (tmp_path / "i").iterdir()}
    assert {name: data for name, data in after.items() if name in before} == before
    assert {name for name in after if name not in before} <= {
        "index.sqlite-wal",
        "index.sqlite-shm",
    }


@pytest.mark.parametrize("timeout", [None, "1", -1, float("nan"), True])
def test_a_timeout_is_a_number_of_seconds(tmp_path, timeout):
    with pytest.raises(InvalidSetting, match="at least 0"):
        Index(tmp_path / "i", timeout=timeout)


def test_a_closed_one_says_so(tmp_path):
    index = Index(tmp_path / "i")
    index.close()
    index.close()
    for asked in (lambda: index.query("a text"), index.rebuild):
        with pytest.raises(InvalidIndex, match="closed"):
            asked()


# --- what it says of itself ---


def test_stats_tell_how_much_is_new():
    with Index() as index:
        assert index.stats().growth == 0
        index.add_texts({"a": article("a"), "b": article("a").upper(), "c": article("c")})
        assert index.stats().growth == 1
        index.learn()
        assert index.stats().growth == 0
        index.add("d", article("d"))
        stats = index.stats()
    assert (stats.n_documents, stats.n_texts, stats.epoch, stats.n_learned) == (4, 3, 1, 3)
    assert (stats.n_new, stats.growth) == (1, pytest.approx(1 / 3))


def test_it_learns_only_if_it_has_grown_by_more():
    with Index() as index:
        assert index.learn(if_grown=0) is None
        index.add_texts({f"d{number}": article(f"d{number}") for number in range(10)})
        assert index.learn(if_grown=5) == 1, "it has never learned from a document"
        assert index.learn(if_grown=0) is None
        index.add("new", article("new"))
        assert index.stats().growth == 0.1
        assert index.learn(if_grown=0.1) is None
        index.update("new", article("newer"))
        index.remove("d0")
        assert index.learn(if_grown=0.1) is None
        index.update("d1", article("another"))
        assert index.learn(if_grown=0.1) == 2
        assert index.learn() == 3


@pytest.mark.parametrize("share", [-0.1, float("nan"), True, "0.1"])
def test_growth_is_a_share(share):
    with Index() as index, pytest.raises(InvalidSetting, match="if_grown must be a share"):
        index.learn(if_grown=share)


def test_stats_tell_how_many_documents_never_expire(small):
    with Index() as index:
        for number in range(30):
            index.add(number, article(f"a{number}"), number if number % 3 else None)
        assert index.stats().n_undated == sum(one.time is None for one in index.documents()) == 10
        index.update(0, article("again"), 5)
        assert index.expire(before="90d") == 21
        stats = index.stats()
        assert stats.n_undated == stats.n_documents == 9


def test_what_goes_does_not_make_up_for_what_comes():
    """Where as many expire as are added, an index still has to learn."""
    with Index() as index:
        index.add_texts([(n, article(f"{n}")) for n in range(6)])
        index.learn()
        index.add_texts([(n, article(f"{n}")) for n in range(6, 9)])
        index.remove([0, 1, 2])
        index.update(5, article("another"))
        assert index.stats().growth == pytest.approx(4 / 6)


def test_what_went_is_a_change_too():
    with Index() as index:
        index.add_texts(
            [{"id": n, "text": article(f"{n}"), "time": n} for n in range(10)], time_field="time"
        )
        index.learn()
        assert index.expire(before=1.0) == 1
        assert (index.stats().n_gone, index.learn(if_grown=0.1)) == (1, None)
        assert index.expire(before=5.0) == 4
        assert (index.stats().n_gone, index.stats().growth) == (5, 0.5)
        assert index.learn(if_grown=0.1) == 2
        index.remove([*index])
        assert (index.stats().growth, index.learn(if_grown=0.1)) == (1.0, 3)
        assert index.stats().growth == 0.0


def test_the_log_of_single_additions_stays_short(tmp_path):
    random, log = Random(1), tmp_path / "index" / "index.sqlite-wal"
    with Index(tmp_path / "index") as index:
        for n in range(100):
            index.add(n, " ".join(random.randbytes(4).hex() for _ in range(20_000)))
            assert log.stat().st_size < 1.25 * MAX_LOG


def test_sizes_after_expiry_stay_those_of_one_filling(tmp_path, small):
    sizes = []
    with Index(tmp_path / "i") as index:
        for cycle in range(20):
            index.add_texts(
                [
                    {"id": f"{cycle}-{i}", "text": article(f"{cycle} {i}", 300), "time": cycle}
                    for i in range(150)
                ],
                time_field="time",
            )
            index.expire(cycle)
            index._merger.wait()
            index._store.checkpoint()
            sizes.append(index.stats().n_bytes)
        assert len(index) == 150
        stats, files = index.stats(), {*(tmp_path / "i").glob("*.segment")}
        assert len(files) == stats.n_segments
        index.compact()
        # What died is forgotten as soon as nothing holds it.
        assert index._store.db.execute("select count(*) from dead").fetchone() == (0,)
    assert max(sizes[1:]) <= 1.3 * sizes[1]


@pytest.mark.parametrize("path", ["a\0b", "\ud800", b"x", 3], ids=repr)
def test_a_path_that_no_folder_can_have_is_refused(path):
    with pytest.raises(InvalidSetting, match="an index must have the path of a folder, got"):
        Index(path)


@pytest.mark.parametrize("target", ["loop", "nowhere"])
def test_a_link_that_leads_nowhere_is_no_folder(tmp_path, target):
    (tmp_path / "loop").symlink_to(tmp_path / target)
    for mode in ("a", "r"):
        with pytest.raises(InvalidIndex, match=r"loop, a link that leads nowhere: make the folder"):
            Index(tmp_path / "loop", mode=mode)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_index_is_not_copied(copied):
    with Index() as index, pytest.raises(InvalidInput, match="open its path again"):
        copied(index)


@pytest.mark.parametrize("asked", [{"limit": True}, {"max_compared": True}])
def test_true_is_no_number_of_matches(asked):
    with Index() as index, pytest.raises(InvalidSetting, match="must be a whole number"):
        index.query("some text", **asked)

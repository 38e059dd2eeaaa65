"""Any mix of inputs written to one file of JSON Lines: a record for each document that stays."""

import csv
import datetime
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from cleaned import made, tree
from dedupe import InvalidSetting, clean
from dedupe.documents.formats.changes import FIELDS

STORY = "The bridge is closed until spring, the council said."
PAGE = f"<html><body><article><p>{STORY}</p></article></body></html>"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in/deep").mkdir(parents=True)
    Path("in/a.txt").write_text(STORY)
    Path("in/b.html").write_text(PAGE)
    Path("in/deep/c.jsonl").write_text(
        '{"id": "c1", "text": "one", "tags": ["x"]}\n\n{"text": "two é"}\n{"id": 3, "text": ""}'
    )
    return tmp_path


def rows(path="all.jsonl"):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_texts_pages_and_records_are_lines(here):
    done = clean("in", output="all.jsonl", result=made("in"))
    assert rows() == [
        {"id": "in/a.txt", "text": STORY},
        {"id": "in/b.html", "text": STORY},
        {"id": "c1", "text": "one", "tags": ["x"]},
        {"id": "in/deep/c.jsonl:3", "text": "two é"},
        {"id": 3, "text": ""},
    ]
    assert (done.n_kept, done.left, done.written) == (4, (), (here / "all.jsonl",))
    assert b"\xc3\xa9" in Path("all.jsonl").read_bytes()


def test_duplicates_go_whatever_they_stood_in(here):
    result = made("in", ["in/b.html", "in/a.txt", "c1"])
    done = clean("in", output="all.jsonl", result=result)
    assert sorted(done.dropped) == ["c1", "in/a.txt"]
    assert [row["id"] for row in rows()] == ["in/b.html", "in/deep/c.jsonl:3", 3]


def test_marks_and_stories_of_everything(here):
    Path("n.txt").write_text(STORY)
    result = made("in", ["in/b.html", "in/a.txt"])
    clean("in", output="all.jsonl", result=result, annotate=True, story=True)
    found = {row["id"]: row for row in rows()}
    assert found["in/a.txt"]["duplicate_of"] == "in/b.html"
    assert found["in/b.html"] == {
        "id": "in/b.html", "text": STORY, "cluster": 1, "duplicate_of": None, "score": 1.0,
        "relation": None, "reason": None, "story": STORY, "cut": "",
    }  # fmt: skip
    nothing = dict.fromkeys((*FIELDS, "story", "cut"))
    assert found[3] == {"id": 3, "text": ""} | nothing


def test_the_story_of_a_page_can_take_the_place_of_its_text(here):
    notice = "All rights reserved. No part may be copied without our written permission."
    Path("in/b.html").write_text(PAGE.replace("</p>", f"</p><p>{notice}</p>"))
    Path("notice.txt").write_text(notice)
    clean("in", output="all.jsonl", story=True, replace_text=True, boilerplate="notice.txt")
    (page,) = [row for row in rows() if row["id"] == "in/b.html"]
    assert page["text"].strip() == STORY
    assert page["cut"] != ""


def test_a_file_that_names_its_fields_can_be_read_again(here):
    Path("r.jsonl").write_text('{"url": "u", "head": "Bridge", "body": "closed"}')
    names = {"id_field": "url", "text_field": "head,body"}
    paths = ["in/a.txt", "r.jsonl"]
    clean(paths, output="all.jsonl", result=made(paths, **names), **names)
    assert rows() == [
        {"url": "in/a.txt", "body": STORY},
        {"url": "u", "head": "Bridge", "body": "closed"},
    ]
    assert made("all.jsonl", **names).n_documents == 2


def test_ids_with_their_file_stay_unique(here):
    for name in ("x", "y"):
        Path(f"{name}.jsonl").write_text(json.dumps({"id": 1, "text": name}))
    options = {"qualify_ids": True}
    paths = ["x.jsonl", "y.jsonl"]
    clean(paths, output="all.jsonl", result=made(paths, **options), **options)
    assert [row["id"] for row in rows()] == ["x.jsonl#1", "y.jsonl#1"]


def test_tables_keep_their_columns(here):
    with Path("t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", "by"], ["c", "one", "é;"]])
    day = datetime.date(2024, 5, 1)
    table = [
        {"id": day, "text": "two", "day": day, "score": float("nan"), "raw": b"ab", "more": [1.5]}
    ]
    parquet.write_table(pa.Table.from_pylist(table), "t.parquet")
    paths = ["t.csv", "t.parquet"]
    clean(paths, output="all.jsonl", result=made(paths))
    assert rows() == [
        {"id": "c", "text": "one", "by": "é;"},
        {
            "id": "2024-05-01", "text": "two", "day": "2024-05-01", "score": None, "raw": "6162",
            "more": [1.5],
        },
    ]  # fmt: skip


def test_a_lone_surrogate_is_written_as_json_can(here):
    Path("s.jsonl").write_text('{"id": "s", "text": "x", "by": "\\ud800"}')
    paths = ["in/a.txt", "s.jsonl"]
    clean(paths, output="all.jsonl", result=made(paths))
    assert '"\\ud800"' in Path("all.jsonl").read_text()


def test_what_cannot_be_read_is_not_written_and_is_named(here):
    Path("in/bad.jsonl").write_text('{"id": "x", "text": "sound"}\nbroken\n')
    Path("in/cut.txt.gz").write_bytes(gzip.compress(STORY.encode() * 9)[:20])
    Path("in/empty.html").touch()
    Path("in/picture.png").write_bytes(b"\x00")
    done = clean("in", output="all.jsonl", result=made("in"))
    assert [item.id for item in done.left] == ["in/bad.jsonl:2", "in/cut.txt.gz"]
    assert all(item.reason.startswith("not written: ") for item in done.left)
    assert [item.id for item in done.not_copied] == ["in/picture.png"]
    there = {row["id"]: row["text"] for row in rows()}
    assert there["x"] == "sound"
    assert there["in/empty.html"] is None
    assert not {"in/bad.jsonl:2", "in/cut.txt.gz", "in/picture.png"} & there.keys()


def test_one_file_of_another_format_becomes_lines(here):
    Path("l.json").write_text('[{"id": "a", "text": "x"}, {"id": "b", "text": "y"}]')
    clean("l.json", output="l.jsonl.gz", result=made("l.json"))
    lines = gzip.decompress(Path("l.jsonl.gz").read_bytes()).decode().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a", "b"]


def test_fields_that_are_there_already_are_not_replaced(here):
    Path("s.jsonl").write_text('{"id": "s", "text": "x", "cut": "mine"}')
    paths = ["in/a.txt", "s.jsonl"]
    before = tree()
    with pytest.raises(InvalidSetting, match=r"and s\.jsonl:1 has cut already"):
        clean(paths, output="all.jsonl", result=made(paths), story=True)
    assert tree() == before


def test_a_page_is_told_the_way_out(here):
    for more in ({}, {"replace_text": True}):
        with pytest.raises(InvalidSetting, match=r"write records, to one file such as all\.jsonl$"):
            clean("in/b.html", output="out.html", result=made("in/b.html"), story=True, **more)


def test_the_order_of_files_is_that_of_their_names(here):
    clean(["in/deep", "in/b.html"], output="all.jsonl", result=made(["in/deep", "in/b.html"]))
    assert [row["id"] for row in rows()][-1] == "in/b.html"

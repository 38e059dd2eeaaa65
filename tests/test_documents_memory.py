"""Collections in memory: their shapes, ids, and what stands for nothing."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.documents import Document, Skipped, read_texts
from dedupe.errors import DuplicateId, InvalidInput, NothingToRead

TEXTS = ["Bridge closed", "Road open"]
RECORDS = [{"id": "a", "text": TEXTS[0]}, {"id": "b", "text": TEXTS[1]}]
FRAME = {"id": ["a", "b"], "text": TEXTS}


class Rows:
    """Yields items, and can do nothing else, like a dataset that streams."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1))
def test_a_list_goes_by_position(texts):
    documents = list(read_texts(texts))
    assert [document.id for document in documents] == [str(i) for i in range(len(texts))]
    assert [document.text for document in documents] == texts


@pytest.mark.parametrize(
    "column",
    [
        TEXTS,
        tuple(TEXTS),
        iter(TEXTS),
        Rows(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object),
        pd.Series(TEXTS, index=[5, 5]),
        pl.Series(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
    ],
    ids=lambda column: type(column).__module__ + "." + type(column).__name__,
)
def test_a_column_of_any_library_is_read(column):
    documents = list(read_texts(column))
    assert documents == [Document("0", TEXTS[0]), Document("1", TEXTS[1])]
    assert {type(document.text) for document in documents} == {str}


@pytest.mark.parametrize(
    "collection",
    [
        {"a": TEXTS[0], "b": TEXTS[1]},
        [("a", TEXTS[0]), ("b", TEXTS[1])],
        [["a", TEXTS[0]], ["b", TEXTS[1]]],
        zip("ab", TEXTS, strict=True),
        RECORDS,
        Rows(RECORDS),
        pd.DataFrame(FRAME),
        pl.DataFrame(FRAME),
        pl.LazyFrame(FRAME),
        pl.LazyFrame(FRAME).filter(pl.col("id") != "c").sort("id"),
        pa.table(FRAME),
        pa.RecordBatch.from_pydict(FRAME),
        pa.table(FRAME).to_reader(max_chunksize=1),
    ],
    ids=lambda collection: type(collection).__module__ + "." + type(collection).__name__,
)
def test_whatever_has_ids_goes_by_them(collection):
    assert list(read_texts(collection)) == [Document("a", TEXTS[0]), Document("b", TEXTS[1])]


def test_fields_may_have_other_names():
    records = [{"url": 7, "body": "a", "when": "1970-01-02"}, {"body": "b"}]
    documents = read_texts(records, id_field="url", text_field="body", time_field="when")
    dated = Document("7", "a", 86400.0, is_dated=True)
    assert list(documents) == [dated, Document("1", "b", None)]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_last_second_of_the_year_9999_is_a_time_and_the_next_is_none(sign):
    """Milliseconds, which many databases keep, are no seconds."""
    last = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
    records = [{"text": "a", "time": sign * last}, {"text": "b", "time": sign * (last + 1)}]
    documents = read_texts(records, time_field="time")
    assert [document.time for document in documents] == [sign * last, None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no text"),
        (float("nan"), "no text"),
        (np.float32("nan"), "no text"),
        (pd.NA, "no text"),
        (pd.NaT, "no text"),
        ("", "empty"),
        (" \n", "empty"),
        (5, "the text is a number"),
        (datetime(2024, 1, 1), "the text is a date or time"),
        (np.datetime64(0, "s"), "the text is of type datetime64"),
        (b"bytes", "the text is bytes"),
        ({"body": "x"}, "no field 'text'"),
        (("a", "b", "c"), "the text is a list"),
        (("a", ["b"]), "the text is a list"),
    ],
)
def test_what_is_no_text_is_skipped_with_a_reason(text, reason):
    skipped, document = read_texts([text, "sound"])
    assert skipped == Skipped(
        "a" if type(text) is tuple and len(text) == 2 else "0", reason, skipped.remedy
    )
    assert document == Document("1", "sound")


@pytest.mark.parametrize(
    ("id_", "expected"), [(7, "7"), (None, "0"), ("", "0"), (" ", "0"), (1.5, "1.5")]
)
def test_ids_are_strings(id_, expected):
    assert [document.id for document in read_texts([(id_, "text")])] == [expected]


def test_lone_surrogates_are_replaced():
    (document,) = read_texts({"\udc80": "a\ud800b \ud83d\ude00"})
    assert document == Document("�", "a�b 😀")


@pytest.mark.parametrize("texts", ["text", b"text", None, 5, object()])
def test_what_holds_no_texts_is_told_at_once(texts):
    with pytest.raises(
        InvalidInput,
        match=r"texts must be a collection of texts, got .*put a single text in a list",
    ):
        read_texts(texts)


@pytest.mark.parametrize(
    "texts", ["a.txt", ["a.txt"], ("a.txt", "b"), Path("a.txt"), Path("missing"), [Path("missing")]]
)
def test_paths_in_the_place_of_texts_are_shown_the_way(tmp_path, monkeypatch, texts):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b"):
        Path(name).touch()
    with pytest.raises(InvalidInput, match=r"got .*: files are for find_duplicates$"):
        read_texts(texts)


@pytest.mark.parametrize("texts", [["a.txt", "a text"], ["a.txt", "missing"], {"x": "a.txt"}, []])
def test_a_text_that_happens_to_be_the_name_of_a_file_is_one(tmp_path, monkeypatch, texts):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    Path("a text").touch()
    read_texts(texts)


def test_a_path_among_texts_is_told_where_it_stands():
    with pytest.raises(InvalidInput, match="files are for find_duplicates"):
        list(read_texts(iter(["a text", Path("a.txt")])))


def test_one_id_twice_is_told_with_both_places():
    with pytest.raises(DuplicateId, match="'1' at position 0 and at position 1: rename"):
        list(read_texts([("1", "a"), "its position is 1 too"]))


def test_nothing_to_read_is_told_at_the_end():
    with pytest.raises(NothingToRead, match=r"one document, got none in the collection$"):
        list(read_texts([]))
    with pytest.raises(NothingToRead, match="got 1 skipped; the first, 0: no text; give it"):
        list(read_texts([None]))

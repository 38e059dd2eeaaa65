"""Collections in memory: their shapes, ids, and what stands for nothing."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.documents import Document, Skipped, read_texts
from dedupe.errors import DuplicateId, InvalidInput, InvalidSetting, NothingToRead
from dedupe.ids import Old

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
    assert [document.id for document in documents] == list(range(len(texts)))
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
        pd.Series(TEXTS),
        pl.Series(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
    ],
    ids=lambda column: type(column).__module__ + "." + type(column).__name__,
)
def test_a_column_of_any_library_is_read(column):
    documents = list(read_texts(column))
    assert documents == [Document(0, TEXTS[0]), Document(1, TEXTS[1])]
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
    dated = Document(7, "a", 86400.0, is_dated=True)
    assert list(documents) == [dated, Document(1, "b", None)]


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
        "a" if type(text) is tuple and len(text) == 2 else 0, reason, skipped.remedy
    )
    assert document == Document(1, "sound")


Site = Enum("Site", {"WIRE": "wire"}, type=str)


UUID_7 = UUID(int=7)
DAY = date(2024, 5, 1)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        (7, 7),
        (np.int64(7), 7),
        (1.5, 1.5),
        ("x", "x"),
        (np.str_("x"), "x"),
        (Site.WIRE, "wire"),
        (("a", 7), ("a", 7)),
        (UUID_7, UUID_7),
        (DAY, DAY),
        (pd.Timestamp("2024-05-01"), datetime(2024, 5, 1)),
        (Decimal("1.50"), Decimal("1.50")),
        (b"x", b"x"),
        (None, 0),
        ("", 0),
        (" ", 0),
    ],
)
def test_ids_keep_their_type(id_, expected):
    (document,) = read_texts([(id_, "text")])
    assert document.id == expected
    assert isinstance(document.id, type(expected))


@pytest.mark.parametrize("id_", [[1], {}, True, object(), float("inf"), np.datetime64(1, "ns")])
def test_what_can_be_no_id_is_told(id_):
    with pytest.raises(InvalidInput, match=r"ids must be strings, numbers, .* at position 0"):
        list(read_texts([(id_, "text")]))


@pytest.mark.parametrize(
    ("frame", "ids"),
    [
        (pd.Series(TEXTS, index=[3, 1]), [3, 1]),
        (pd.Series(TEXTS, index=["x", "y"]), ["x", "y"]),
        (pd.DataFrame({"text": TEXTS}), [0, 1]),
        (pd.DataFrame({"text": [*TEXTS, "a"]})[1:], [1, 2]),
        (pd.DataFrame({"text": TEXTS}, index=pd.date_range("2024-05-01", periods=2)), None),
        (
            pd.DataFrame({"text": TEXTS}, index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
            None,
        ),
        (pd.DataFrame({"id": [9, 8], "text": TEXTS}, index=[5, 5]), [9, 8]),
        (pd.DataFrame({"id": ["9", "8"], "text": TEXTS}).set_index("id"), ["9", "8"]),
        (pl.DataFrame({"id": [9, 8], "text": TEXTS}), [9, 8]),
        (pa.table({"text": TEXTS}), [0, 1]),
    ],
    ids=str,
)
def test_a_frame_goes_by_its_column_of_ids_or_its_index(frame, ids):
    assert [one.id for one in read_texts(frame)] == (list(frame.index) if ids is None else ids)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            pd.Series(TEXTS, index=[5, 5]),
            r"got 5 at position 0 and at position 1: data = data.reset_index\(name='text'\) makes",
        ),
        (pd.DataFrame({"text": TEXTS}, index=[5, 5]), r": data = data.reset_index\(\) makes"),
        (
            pd.DataFrame({"text": TEXTS}, index=pd.Index([5, 5], name="id")),
            r": data = data.rename_axis\('label'\).reset_index\(\) makes",
        ),
        (pd.DataFrame({"id": [5, 5], "text": TEXTS}), r"position 1: rename one, or name another"),
        (pl.DataFrame({"id": [5, 5], "text": TEXTS}), r"position 1: rename one, or name another"),
        ([(1, "a"), (1.0, "b")], "got 1.0 at position 0 and at position 1: rename one"),
        ([(1, "a"), ("1", "b")], "got '1' at position 0 and at position 1"),
    ],
)
def test_ids_are_unique_as_values_and_as_text(texts, said):
    with pytest.raises(DuplicateId, match=said):
        list(read_texts(texts))


@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.Table])
def test_ids_in_nanoseconds_are_refused_alike_by_all_libraries(kind, is_nested):
    """And no id loses its own without a word, as rows of Polars would."""
    times = pl.Series([1_000, 2_001]).cast(pl.Datetime("ns"))
    frame = pl.DataFrame({"id": times, "text": TEXTS})
    if is_nested:
        frame = frame.select(pl.struct("id").alias("meta"), "text")
    data = {
        pl.DataFrame: lambda: frame,
        pl.LazyFrame: frame.lazy,
        pd.DataFrame: frame.to_pandas,
        pa.Table: frame.to_arrow,
    }[kind]()
    if is_nested and kind is pd.DataFrame:
        data = data.assign(meta=[{"id": pd.Timestamp(n)} for n in (1_000, 2_001)])
    kept, skipped = read_texts(data, id_field="meta.id" if is_nested else "id")
    assert kept.id == datetime(1970, 1, 1, microsecond=1)
    assert skipped == Skipped(1, "the id is a time in nanoseconds", "turn it into a string")


@pytest.mark.parametrize("name", [None, "day", "id"])
@pytest.mark.parametrize("kind", [pd.DataFrame, pd.Series])
def test_the_remedy_for_labels_that_are_there_twice_works(kind, name):
    """And keeps the index as a column."""
    index = pd.DatetimeIndex(["2024-05-01"] * 2, name=name)
    texts = {"text": TEXTS} if kind is pd.DataFrame else TEXTS
    data, old = kind(texts, index=index), kind(texts, index=index)
    for asked, options in ((data, {}), (TEXTS, {"against": old})):
        with pytest.raises(DuplicateId, match="reset_index") as caught:
            list(read_texts(asked, **options))
        names = {"data": data, "old": old}
        exec(re.search(r"\w+ = .*\)", str(caught.value))[0], names)
        found = names["data" if asked is data else "old"]
        assert [one.id for one in read_texts(found)] == [0, 1]
        assert index[0] in found.iloc[0].tolist()


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series(TEXTS, index=[1.0, float("nan")]),
        pd.DataFrame({"id": [1, None], "text": TEXTS}),
        pd.DataFrame({"id": ["a", None], "text": TEXTS}),
        pl.DataFrame({"id": ["a", None], "text": TEXTS}),
        pa.table({"id": [1, None], "text": TEXTS}),
        [{"id": float("nan"), "text": "a"}],
        {float("nan"): "a"},
        {None: "a"},
        {"a": "a", " ": "b"},
        pd.Series(TEXTS, index=pd.Index(["a", None], dtype=object)),
        pd.DataFrame({"text": TEXTS}, index=["a", ""]),
        pd.DataFrame({"id": ["a", ""], "text": TEXTS}),
        pl.DataFrame({"id": ["a", " "], "text": TEXTS}),
    ],
    ids=str,
)
def test_a_hole_among_ids_is_told_with_its_place_and_a_way_out(texts):
    with pytest.raises(
        InvalidInput, match=r"at position [01]: (fill it in|data = data.reset_index)"
    ):
        list(read_texts(texts))


def test_a_field_of_ids_that_no_record_has_is_refused():
    with pytest.raises(
        InvalidSetting,
        match="got 'url', and they have 'id', 'text': leave it out to go by 'id', and by index",
    ):
        list(read_texts(RECORDS, id_field="url"))
    # What the message promises.
    assert [one.id for one in read_texts([{"text": "a"}, {"id": "b", "text": "b"}])] == [0, "b"]
    named = pd.DataFrame({"text": TEXTS}, index=pd.Index(["x", "y"], name="url"))
    assert [one.id for one in read_texts(named, id_field="url")] == ["x", "y"]
    some = [{"text": "a"}, {"url": "b", "text": "b"}]
    assert [one.id for one in read_texts(some, id_field="url")] == [0, "b"]


def test_old_documents_have_ids_of_their_own():
    items = list(read_texts(["a"], against=["b", None]))
    assert [one.id for one in items] == [Old(0), Old(1), 0]
    assert str(items[0].id) == "old 0"


def test_lone_surrogates_are_replaced():
    (document,) = read_texts({"\ud83d\ude00": "a\ud800b \ud83d\ude00"})
    assert document == Document("😀", "a�b 😀")


def test_an_id_with_a_lone_surrogate_is_refused_since_another_would_be_the_same():
    with pytest.raises(InvalidInput, match="the id has a lone surrogate"):
        list(read_texts({"a\udc80": "a text"}))
    skipped, document = read_texts([{"id": "\ud800", "text": "a"}, {"id": "\ufffd", "text": "b"}])
    assert (skipped.id, document.id) == (0, "\ufffd")
    assert skipped.reason == "the id has a lone surrogate, which UTF-8 cannot hold"


@pytest.mark.parametrize("kind", [set, frozenset])
def test_a_set_is_refused_since_its_positions_name_nothing(kind):
    with pytest.raises(InvalidInput, match=f"got {kind.__name__}: its order is another"):
        read_texts(kind({"one text", "another text"}))


@pytest.mark.parametrize("name", ["text", "id", "day"])
@pytest.mark.parametrize("form", ["pandas", "table", "reader"])
def test_a_column_that_is_asked_for_and_there_twice_is_refused(form, name):
    names, values = ["id", "text", "day", "note", "note", name], [["1"]] * 6
    table = pa.Table.from_arrays([pa.array(value) for value in values], names=names)
    frame = {"pandas": table.to_pandas, "table": lambda: table, "reader": table.to_reader}[form]()
    with pytest.raises(InvalidInput, match=f"must be there once, got '{name}' twice: give one"):
        read_texts(frame, time_field="day")


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
    found = [one.text for one in read_texts(texts)]
    assert found == [*(texts.values() if isinstance(texts, dict) else texts)]


def test_a_path_among_texts_is_told_where_it_stands():
    with pytest.raises(InvalidInput, match="files are for find_duplicates"):
        list(read_texts(iter(["a text", Path("a.txt")])))


def test_one_id_twice_is_told_with_both_places():
    with pytest.raises(DuplicateId, match="got 1 at position 0 and at position 1: rename"):
        list(read_texts([("1", "a"), "its position is 1 too"]))


def test_nothing_to_read_is_told_at_the_end():
    assert list(read_texts([])) == []
    with pytest.raises(NothingToRead, match="got 1 skipped; the first, 0: no text; give it"):
        list(read_texts([None]))


def unchecked(*values):
    """Return strings of Arrow whose bytes nobody has looked at."""
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(values))
    )


KINDS = {
    "table": lambda table: table,
    "batch": lambda table: table.to_batches()[0],
    "reader": lambda table: table.to_reader(),
    "chunks": lambda table: pa.concat_tables([table.slice(0, 1), table.slice(1)]),
    "pandas": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_time_that_python_has_none_for_costs_no_more_than_itself(kind):
    late = pa.array([2**61, 60_000_000], pa.timestamp("us"))
    table = pa.table({"id": [7, 8], "text": TEXTS, "when": late})
    assert [*read_texts(KINDS[kind](table))] == [Document(7, TEXTS[0]), Document(8, TEXTS[1])]
    times = [one.time for one in read_texts(KINDS[kind](table), time_field="when")]
    assert times == [None, 60]
    ids = [str(one.id) for one in read_texts(KINDS[kind](table), id_field="when")]
    assert ids[0] == str(2**61)
    assert ids[1].startswith("1970-01-01 00:01")


def test_a_date_that_python_has_none_for_is_no_time():
    days = [2**31 - 1, 1, 2_932_897, 2_932_896, -719_162, -719_163]
    column = pl.Series(days, dtype=pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({"text": list("abcdef"), "day": column})
    there = {1, 2_932_896, -719_162}
    times = [day * 86_400 if day in there else None for day in days]
    assert [one.time for one in read_texts(frame, time_field="day")] == times


GARBLED = unchecked(TEXTS[0].encode(), b"Road \xff")
NOT_UTF_8 = "not UTF-8: invalid start byte", "repair this row"


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind != "polars"]
)  # It checks what it takes.
def test_bytes_that_are_no_text_cost_the_row_that_asks_for_them(kind):
    make = KINDS[kind]
    first = Document(7, TEXTS[0])
    texts = pa.table({"id": [7, 8], "text": GARBLED})
    assert [*read_texts(make(texts))] == [first, Skipped(8, *NOT_UTF_8)]
    notes = pa.table({"id": [7, 8], "text": TEXTS, "note": GARBLED})
    assert [*read_texts(make(notes))] == [first, Document(8, TEXTS[1])]
    ids = pa.table({"name": GARBLED, "text": TEXTS})
    found = [*read_texts(make(ids), id_field="name")]
    assert found == [Document(TEXTS[0], TEXTS[0]), Skipped(1, *NOT_UTF_8)]


@pytest.mark.parametrize(
    "make", [list, pa.chunked_array, pd.Series], ids=lambda make: make.__name__
)
def test_bytes_that_are_no_text_are_none_in_a_column(make):
    column = [GARBLED] if make is pa.chunked_array else GARBLED
    if make is pd.Series:
        column = pd.arrays.ArrowExtensionArray(GARBLED)
    assert [*read_texts(make(column))] == [Document(0, TEXTS[0]), Skipped(1, *NOT_UTF_8)]

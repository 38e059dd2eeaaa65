"""A result as the caller's own rows: whatever the collection, its index and the type of its ids."""

import io
import re
from collections import deque, namedtuple
from datetime import datetime
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from dedupe import Result, find_duplicate_texts
from dedupe.errors import InvalidInput, InvalidSetting
from dedupe.report.openings import first_words
from dedupe.report.parquet import rows as as_parquet

STORY = "the council voted on monday to close the old bridge for repairs until spring " * 3
OTHER = "nobody expected that so many boats would come to the harbour in the first week of may " * 3
TEXTS = [STORY, OTHER, f"home news sport {STORY}", None]
KEPT = [OTHER, f"home news sport {STORY}", None]
DAYS = pd.date_range("2024-05-01", periods=4)


def texts_of(data):
    if isinstance(data, dict):
        return [*data.values()]
    if isinstance(data, list | tuple):
        return [row["text"] if isinstance(row, dict) else row for row in data]
    if isinstance(data, pd.DataFrame | pl.DataFrame):
        return [text if isinstance(text, str) else None for text in data["text"].to_list()]
    if isinstance(data, pa.Table):
        return data["text"].to_pylist()
    return [text if isinstance(text, str) else None for text in data]


@pytest.mark.parametrize(
    "data",
    [
        TEXTS,
        tuple(TEXTS),
        dict(zip("abcd", TEXTS, strict=True)),
        dict(zip([3, 1, 7, 2], TEXTS, strict=True)),
        [{"id": n, "text": text} for n, text in enumerate(TEXTS, start=5)],
        np.array(TEXTS, object),
        pd.Series(TEXTS, index=[3, 1, 7, 2]),
        pd.DataFrame({"text": TEXTS}),
        pd.DataFrame({"text": ["gone", *TEXTS]})[1:],
        pd.DataFrame({"text": TEXTS}, index=DAYS),
        pd.DataFrame({"id": [4, 3, 2, 1], "text": TEXTS}, index=[0, 0, 0, 0]),
        pl.DataFrame({"id": [4, 3, 2, 1], "text": TEXTS}),
        pl.DataFrame({"text": TEXTS}),
        pa.table({"id": ["d", "c", "b", "a"], "text": TEXTS}),
    ],
    ids=lambda data: f"{type(data).__module__}.{type(data).__name__}",
)
def test_the_rows_that_stay_come_back_as_they_came(data):
    result = find_duplicate_texts(data)
    kept = result.kept(data)
    assert type(kept) is type(data)
    assert texts_of(kept) == KEPT
    rows = result.annotate(data)
    column = rows.__getitem__ if not isinstance(rows, list) else lambda n: [r[n] for r in rows]
    clusters = pd.Series(column("cluster")).tolist()
    assert clusters[:3] == [1, 2, 1]
    assert pd.isna(clusters[3])
    assert [not pd.isna(kept) for kept in pd.Series(column("duplicate_of")).tolist()] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    "index", [range(1, 11), list("abcdefghij"), pd.date_range("2024", periods=10)]
)
def test_the_first_line_that_one_writes_drops_the_right_rows(index):
    frame = pd.DataFrame({"text": [STORY, *(f"{n} {OTHER}" for n in range(8)), STORY]}, index=index)
    result = find_duplicate_texts(frame)
    gone = [one.id for one in result.duplicates]
    assert frame.drop(gone).equals(frame[~frame.index.isin(gone)])
    assert frame.drop(gone).equals(result.kept(frame))
    assert len(result.kept(frame)) == 2


def test_a_table_has_all_documents_and_ids_of_their_own_type():
    data = {7: STORY, 8: OTHER, 9: f"home {STORY}"}
    result = find_duplicate_texts(data)
    frame = result.to_pandas()
    assert frame.id.tolist() == [9, 7, 8] or sorted(frame.id) == [7, 8, 9]
    assert str(frame.id.dtype) == str(frame.duplicate_of.dtype) == "Int64"
    assert sorted(result.to_polars()["id"]) == [7, 8, 9]
    assert sorted(result.to_arrow()["id"].to_pylist()) == [7, 8, 9]
    assert [list(cluster) for cluster in result] == [[7, 9]]


ALIKE = [STORY, f"home news sport {STORY}"]


@pytest.mark.parametrize(
    "made",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        pl.Series,
        pa.array,
        lambda texts: pa.chunked_array([texts]),
        lambda texts: pd.Series(texts).array,
        lambda texts: pd.DataFrame({"text": texts}),
        lambda texts: pl.DataFrame({"text": texts}),
        lambda texts: pa.table({"text": texts}),
        lambda texts: pa.record_batch({"text": texts}),
    ],
)
def test_nothing_stays_where_all_is_old(made):
    data = made(ALIKE)
    kept = find_duplicate_texts(data, against=[STORY]).kept(data)
    assert type(kept) is type(data)
    assert len(kept) == 0


Two = namedtuple("Two", ["first", "second"])


@pytest.mark.parametrize(
    "data", [deque(ALIKE), dict(enumerate(ALIKE)).values(), Two(*ALIKE)], ids=type
)
def test_what_has_no_kind_that_can_be_made_comes_back_as_a_list(data):
    result = find_duplicate_texts(data)
    assert result.kept(data) == [ALIKE[1 - result.duplicates[0].id]]


def test_texts_of_arrow_are_texts_in_records():
    data = pa.array(ALIKE)
    assert [row["text"] for row in find_duplicate_texts(data).annotate(data)] == ALIKE


# --- ids in the type of their source ---

ZONE = "Europe/Berlin"
HUGE = [2**63 + n for n in range(4)]
INDEXES = [
    pd.RangeIndex(4),
    pd.Index([7, 8, 9, 10], dtype="int32"),
    pd.Index(HUGE, dtype="uint64"),
    pd.Index([7, 8, 9, 10], dtype="Int64"),
    pd.Index([0.5, 1.5, 2.5, 3.5]),
    pd.Index(list("abcd")),
    pd.Index(list("abcd"), dtype=object),
    pd.CategoricalIndex(list("abcd")),
    pd.Index(DAYS.date),
    DAYS,
    DAYS.as_unit("s"),
    DAYS.as_unit("ns").tz_localize(ZONE),
]


@pytest.mark.parametrize("texts", [TEXTS, [STORY, OTHER, None, None]])
@pytest.mark.parametrize("index", INDEXES, ids=lambda index: str(index.dtype))
def test_marks_of_pandas_join_the_index_that_they_name(index, texts):
    frame = pd.DataFrame({"text": texts}, index=index)
    marked = find_duplicate_texts(frame).annotate(frame)
    assert str(marked.duplicate_of.dtype).lower() == str(index.dtype).lower()
    joined = marked.merge(frame, left_on="duplicate_of", right_index=True)
    assert joined.text_y.tolist() == ([TEXTS[2]] if texts is TEXTS else [])
    assert str(marked.score.dtype) == "float64"
    assert str(marked.cluster.dtype) == "Int64"
    by_column = frame.rename_axis("id").reset_index()
    column = find_duplicate_texts(by_column).annotate(by_column).duplicate_of
    assert str(column.dtype).lower() == str(by_column.id.dtype).lower()
    assert column.dropna().tolist() == ([index[2]] if texts is TEXTS else [])


COLUMNS = [
    pl.Series([7, 8, 9, 10], dtype=pl.Int32),
    pl.Series(HUGE, dtype=pl.UInt64),
    pl.Series([0.5, 1.5, 2.5, 3.5], dtype=pl.Float32),
    pl.Series(list("abcd")),
    pl.Series(list("abcd"), dtype=pl.Categorical),
    pl.Series([b"a", b"b", b"c", b"d"]),
    pl.Series(["1.50", "2.50", "3.50", "4.50"]).cast(pl.Decimal(10, 2)),
    pl.Series(list(DAYS.date)),
    pl.Series(list(DAYS.to_pydatetime()), dtype=pl.Datetime("ms")),
    pl.Series(list(DAYS.to_pydatetime())).dt.replace_time_zone(ZONE),
]


@pytest.mark.parametrize("texts", [TEXTS, [STORY, OTHER, None, None]])
@pytest.mark.parametrize("ids", COLUMNS, ids=lambda ids: str(ids.dtype))
def test_marks_of_polars_and_arrow_have_the_type_of_the_ids(ids, texts):
    frame = pl.DataFrame({"id": ids, "text": texts})
    result = find_duplicate_texts(frame)
    expected = [ids[2], None, None, None] if texts is TEXTS else [None] * 4
    column = result.annotate(frame)["duplicate_of"]
    assert column.dtype == ids.dtype
    assert column.to_list() == expected
    table = frame.to_arrow()
    column = result.annotate(table)["duplicate_of"]
    assert column.type == table["id"].type
    assert column.to_pylist() == expected


@pytest.mark.parametrize(
    ("ids", "pandas", "polars", "arrow"),
    [
        ([1, 2, 3], "Int64", pl.Int64, pa.int64()),
        ([1, 2**63, 3], "UInt64", pl.UInt64, pa.uint64()),
        ([1, 2**64, -1], "object", pl.String, pa.string()),
        ([1, 2**63, -1], "object", pl.String, pa.string()),
        ([1.5, 2.5, 3.5], "float64", pl.Float64, pa.float64()),
        ([1, "b", 3], "object", pl.String, pa.string()),
        (["a", "b", "c"], str(pd.Index(["a"]).dtype), pl.String, pa.string()),
        (list(DAYS[:3].date), "object", pl.Date, pa.date32()),
        (list(DAYS[:3]), "datetime64[us]", pl.Datetime("us"), pa.timestamp("us")),
        (
            list(DAYS[:3].tz_localize(ZONE)),
            f"datetime64[us, {ZONE}]",
            pl.Datetime("us", ZONE),
            pa.timestamp("us", ZONE),
        ),
        (
            [datetime.fromisoformat(f"2024-0{n}-01T00:00+0{n}:00") for n in (1, 2, 3)],
            "datetime64[us, UTC]",
            pl.Datetime("us", "UTC"),
            pa.timestamp("us", "UTC"),
        ),
        ([UUID(int=1), UUID(int=2), UUID(int=3)], "object", pl.String, pa.string()),
        ([("a", 1), ("a", 2), ("a", 3)], "object", pl.String, pa.string()),
    ],
)
@pytest.mark.parametrize("is_copied", [True, False])
def test_a_table_of_all_documents_has_ids_of_one_type(ids, pandas, polars, arrow, is_copied):
    texts = [STORY, OTHER, f"home news sport {STORY}" if is_copied else "a word alone"]
    result = find_duplicate_texts(dict(zip(ids, texts, strict=True)))
    frames = result.to_pandas(), result.to_polars(), result.to_arrow()
    for frame, expected in zip(frames, (pandas, polars, arrow), strict=True):
        types = frame.schema if isinstance(frame, pa.Table) else frame.dtypes
        if isinstance(frame, pa.Table):
            found = [types.field(name).type for name in ("id", "duplicate_of")]
        else:
            found = [frame[name].dtype for name in ("id", "duplicate_of")]
        assert [str(type_) for type_ in found] == [str(expected)] * 2
    as_they_are = isinstance(ids[0], int | float) or pandas != "object"
    if as_they_are and polars != pl.String:
        assert set(frames[1]["id"]) == set(frames[2]["id"].to_pylist()) == set(ids)
    assert set(frames[0]["id"]) == set(ids)


@pytest.mark.parametrize("n", [0, 2])
def test_a_day_without_anything_has_columns_of_the_same_types(n):
    """Those of positions where there is no column of ids, and so no type that could be known."""
    frame = pl.DataFrame({"text": [STORY] * n}, schema={"text": pl.String})
    result = find_duplicate_texts(frame)
    assert result.annotate(frame).schema["duplicate_of"] == pl.Int64
    assert result.annotate(frame["text"]).schema["duplicate_of"] == pl.Int64
    assert result.annotate(frame.to_arrow()).schema.field("duplicate_of").type == pa.int64()
    dated = frame.with_columns(id=pl.Series([*DAYS[:n].date], dtype=pl.Date))
    marked = find_duplicate_texts(dated).annotate(dated)
    assert marked.schema["duplicate_of"] == pl.Date
    for name in ("id", "duplicate_of"):
        assert str(result.to_pandas()[name].dtype) == "Int64"
        assert result.to_polars().schema[name] == pl.Int64
        assert result.to_arrow().schema.field(name).type == pa.int64()


def test_old_ids_that_do_not_fit_the_type_of_the_new_ones_are_not_bent():
    """Of pandas, 1 is a time, and what is in no category is nothing."""
    for index in (DAYS[:1], pd.CategoricalIndex(["a"]), pd.Index([0.5])):
        frame = pd.DataFrame({"text": [STORY]}, index=index)
        for old in ({2**53 + 1: STORY}, {"b": STORY}):
            marked = find_duplicate_texts(frame, against=old).annotate(frame)
            assert marked.duplicate_of.tolist() == list(old)
            assert marked.of_old.tolist() == [True]


@pytest.mark.parametrize("ids", [[2**63, 1], [1.5, 2.5], list(DAYS[:2].date), list(DAYS[:2])])
def test_a_file_of_parquet_has_ids_of_their_type(ids):
    result = find_duplicate_texts(dict.fromkeys(ids, STORY))
    table = parquet.read_table(io.BytesIO(as_parquet(result)))
    assert set(table["id"].to_pylist()) == set(ids)
    assert table["duplicate_of"].to_pylist() == [None, result.duplicates[0].duplicate_of]


def test_a_table_in_which_nothing_stays_is_empty():
    for data in (pa.table({"text": [STORY]}), np.array([STORY]), pl.DataFrame({"text": [STORY]})):
        kept = find_duplicate_texts(data, against=[STORY]).kept(data)
        assert len(kept) == 0
        assert type(kept) is type(data)


def test_other_data_are_refused():
    frame = pd.DataFrame({"text": TEXTS}, index=[1, 2, 3, 4])
    result = find_duplicate_texts(frame)
    with pytest.raises(InvalidInput, match="must be what was searched, got another text"):
        result.kept(frame.set_axis([3, 2, 1, 4]))
    with pytest.raises(
        InvalidInput, match=r"got 0 at position 0, which was not \(ids that were: 1, 3, 2\)"
    ):
        result.kept(frame.reset_index(drop=True))
    with pytest.raises(InvalidInput, match="got none of 1 duplicates, such as 1"):
        result.kept(frame[1:])
    with pytest.raises(InvalidInput, match="that can be read again, got generator"):
        result.kept(text for text in TEXTS)


def test_columns_that_are_there_are_not_written_over():
    frame = pd.DataFrame({"text": TEXTS, "score": 1})
    with pytest.raises(InvalidSetting, match="the data have score already"):
        find_duplicate_texts(frame).annotate(frame)


def test_what_is_old_is_told():
    result = find_duplicate_texts([STORY, OTHER], against=[STORY])
    rows = result.annotate([STORY, OTHER])
    assert [(row["duplicate_of"], row["of_old"]) for row in rows] == [(0, True), (None, False)]
    assert repr(result).startswith("<Result: documents=3, old=1, clusters=1, duplicates=1, ")
    assert "old" not in repr(find_duplicate_texts([STORY]))
    columns = result.to_polars().select("id", "duplicate_of", "of_old", "is_old").rows()
    assert columns == [(0, 0, True, False), (0, None, False, True), (1, None, False, False)]


@pytest.mark.parametrize("is_saved", [False, True])
def test_marks_are_the_same_on_the_first_day_on_which_nothing_is_old(is_saved):
    """So what one writes of `of_old` works on every day, with a result that was saved too."""
    frame = pd.DataFrame({"text": [STORY, STORY]})
    for options in ({}, {"against": frame[:0]}, {"against": frame[:1]}):
        result = find_duplicate_texts(frame, **options)
        result = Result.from_json(result.to_json()) if is_saved else result
        marked = result.annotate(frame)
        assert list(marked) == [
            "text",
            "cluster",
            "duplicate_of",
            "score",
            "relation",
            "reason",
            "of_old",
        ]
        assert marked[marked.of_old].index.tolist() == ([0, 1] if result.n_old else [])


@pytest.mark.parametrize("index", [range(3), range(5, 8)])
def test_the_old_collection_in_place_of_the_new_one_is_told(index):
    old = pd.DataFrame({"text": [OTHER[::-1], OTHER, STORY]}, index=index)
    new = pd.DataFrame({"text": [STORY, f"home {STORY}", "a word alone"]})
    result = find_duplicate_texts(new, against=old)
    with pytest.raises(InvalidInput, match="must be the new collection, got the old one"):
        result.annotate(old)
    with pytest.raises(InvalidInput, match="must be what was searched, got another text of 1 at"):
        result.annotate(new.replace(f"home {STORY}", OTHER))


# --- a report of a result that was loaded ---

NAMED = {f"n{n}": text for n, text in enumerate(TEXTS)}


@pytest.mark.parametrize(
    "data",
    [
        NAMED,
        list(NAMED.items()),
        [{"id": id_, "text": text} for id_, text in NAMED.items()],
        pd.Series(NAMED),
        pd.DataFrame({"id": [*NAMED], "text": TEXTS}),
        pd.DataFrame({"text": TEXTS}, index=[*NAMED]),
        pl.DataFrame({"id": [*NAMED], "text": TEXTS}),
        pl.LazyFrame({"id": [*NAMED], "text": TEXTS}),
        pa.table({"id": [*NAMED], "text": TEXTS}),
    ],
    ids=lambda data: f"{type(data).__module__}.{type(data).__name__}",
)
def test_a_report_takes_texts_in_all_forms_that_are_searched(data, tmp_path):
    result = find_duplicate_texts(NAMED)
    result.to_html(tmp_path / "kept.html")
    loaded = Result.from_json(result.to_json())
    loaded.to_html(tmp_path / "given.html", texts=data)
    assert (tmp_path / "given.html").read_bytes() == (tmp_path / "kept.html").read_bytes()


def test_a_report_goes_by_the_fields_that_are_named(tmp_path):
    frame = pd.DataFrame({"url": [*NAMED], "body": TEXTS})
    fields = {"id_field": "url", "text_field": "body"}
    result = find_duplicate_texts(frame, **fields)
    result.to_html(tmp_path / "kept.html")
    result.to_html(tmp_path / "given.html", texts=frame, **fields)
    assert (tmp_path / "given.html").read_bytes() == (tmp_path / "kept.html").read_bytes()


def test_texts_of_other_ids_are_refused_by_a_report(tmp_path):
    result = find_duplicate_texts(NAMED)
    page = tmp_path / "page.html"
    for data in (pd.Series(TEXTS), pl.Series("text", TEXTS), TEXTS, dict(enumerate(TEXTS))):
        with pytest.raises(InvalidInput, match="such as 'n0', got those of 0 and others: hand"):
            result.to_html(page, texts=data)
    with pytest.raises(InvalidInput, match="a single text in a list"):
        result.to_html(page, texts=STORY)
    assert not page.exists()
    for data in ({}, {"n0": STORY}, {"n1": OTHER}):
        result.to_html(page, texts=data)
    find_duplicate_texts({"new": STORY}, against=NAMED).to_html(page, texts={"n0": STORY})


# --- a notebook ---


def rows_of(result):
    """Return the cells of the table, a list for each row of its body."""
    rows = re.findall("<tr>(.*?)</tr>", result._repr_html_())[1:]
    return [re.findall("<td>(.*?)</td>", row) for row in rows]


def test_a_notebook_shows_ids_and_texts_escaped():
    shared = f"<script> {STORY}"
    result = find_duplicate_texts({"<b>": f"{shared} and more", "b": f"menu {shared}"})
    page = result._repr_html_()
    assert "&lt;b&gt;" in page
    assert "&lt;script&gt; the council" in page
    assert "<script>" not in page
    assert "2 documents, 1 cluster, 1 duplicate, 0 skipped" in page


def test_a_notebook_says_why_others_go():
    texts = {"a": f"news home sport {STORY}", "b": f"home news sport {STORY} and more of it"}
    result = find_duplicate_texts(texts, keep="longest")
    kept, gone = rows_of(result)
    assert kept[:4] == ["1", "keep", "b", ""]
    score = f"{result.duplicates[0].score:.2f}"
    assert gone[1:] == ["drop", "a", score, result.duplicates[0].reason]


def test_a_story_opens_in_a_notebook_as_in_a_report():
    """Past the menu of its site, and not behind an edit of another copy."""
    site = "Open from nine to five on weekdays\n"
    texts = {"a": f"{site}Update: {STORY}", "b": f"{site}Note: {STORY}"}
    texts |= {"c": f"{site}Also {OTHER}", "d": f"{site}Also {OTHER}", "e": f"{site}Also {OTHER}"}
    result = find_duplicate_texts(texts)
    assert [len(cluster) for cluster in result] == [3, 2]
    stories = [row[4] for row in rows_of(result) if row[1] == "keep"]
    expected = first_words(result, result.clusters, texts)
    assert stories == list(expected)
    assert stories[0].startswith("Also nobody")
    assert re.match("(Update|Note): the council", stories[1])


def test_a_notebook_shows_what_is_shared_where_the_texts_are_gone():
    texts = {"a": f"news home sport {STORY}", "b": f"home news sport {STORY} and more of it"}
    loaded = Result.from_json(find_duplicate_texts(texts).to_json())
    assert STORY.startswith(rows_of(loaded)[0][4][:30].removeprefix("sport "))


@pytest.mark.parametrize(("n", "last"), [(5, "drop"), (6, "and 2 more")])
def test_a_notebook_says_how_many_more_there_are_where_that_is_shorter(n, last):
    rows = rows_of(find_duplicate_texts([f"{n} {STORY}" for n in range(n)]))
    assert len(rows) == 5
    assert last in rows[-1]


def test_a_notebook_names_what_was_skipped_and_what_is_old():
    result = find_duplicate_texts([STORY, *[None] * 5], against=[STORY])
    page = result._repr_html_()
    assert "2 documents (1 of them old), 1 cluster, 1 duplicate, 5 skipped" in page
    assert page.endswith(
        "<p>skipped: 1: no text</p><p>skipped: 2: no text</p><p>skipped: 3: no text</p>"
        "<p>skipped: 2 more</p>"
    )
    assert find_duplicate_texts([STORY])._repr_html_() == (
        "<p>1 document, 0 clusters, 0 duplicates, 0 skipped</p>"
    )


# --- Hugging Face datasets ---


def dataset_of(**columns):
    return pytest.importorskip("datasets").Dataset.from_dict(columns)


@pytest.mark.parametrize("format_", [None, "numpy", "pandas", "arrow"])
@pytest.mark.parametrize("columns", [{}, {"id": [4, 3, 2, 1]}])
def test_rows_of_a_dataset_come_back_whatever_it_gives_for_them(columns, format_):
    data = dataset_of(text=TEXTS, **columns).with_format(format_)
    result = find_duplicate_texts(data, workers=1)
    kept, rows = result.kept(data), result.annotate(data)
    assert type(kept) is type(rows) is type(data)
    assert kept.format["type"] == rows.format["type"] == format_
    assert kept.with_format(None)["text"][:] == KEPT
    plain = rows.with_format(None)
    assert plain["text"][:] == TEXTS
    assert plain["duplicate_of"][:] == [2, None, None, None]
    assert plain["relation"][:] == ["same text", None, None, None]


def test_columns_of_a_dataset_have_their_types_where_nothing_is_in_them():
    data = dataset_of(text=[STORY, OTHER])
    features = find_duplicate_texts(data, workers=1).annotate(data).features
    assert {name: features[name].dtype for name in ("cluster", "score", "relation", "reason")} == {
        "cluster": "int64",
        "score": "float64",
        "relation": "string",
        "reason": "string",
    }


def test_one_split_of_several_is_asked_for():
    several = pytest.importorskip("datasets").DatasetDict(train=dataset_of(text=TEXTS))
    with pytest.raises(InvalidInput, match=r"got DatasetDict: name a split, such as 'train'"):
        find_duplicate_texts(several)

"""A result as the caller's own rows: whatever the collection, its index and the type of its ids."""

import io
from collections import deque, namedtuple
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from dedupe import find_duplicate_texts
from dedupe.errors import InvalidInput, InvalidSetting
from dedupe.report.parquet import rows

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


UTC_DAYS = [datetime(2024, 5, 1 + n, tzinfo=UTC) for n in range(3)]


@pytest.mark.parametrize(
    ("ids", "of_pandas", "of_polars", "of_arrow"),
    [
        ([-1, 2**63 - 1, 5], "Int64", pl.Int64, pa.int64()),
        ([0, 2**63, 2**64 - 1], "UInt64", pl.UInt64, pa.uint64()),
        ([-1, 2**63, 5], "object", pl.Int128, pa.string()),
        ([1, 2**64, 5], "object", pl.Int128, pa.string()),
        ([1, 2**127, 5], "object", pl.String, pa.string()),
        ([day.date() for day in UTC_DAYS], "object", pl.Date, pa.date32()),
        (UTC_DAYS, "object", pl.Datetime("us", "UTC"), pa.timestamp("us", "UTC")),
        ([*UTC_DAYS[:2], datetime(2024, 5, 3)], "object", pl.String, pa.string()),
        ([1, "a", 2], "object", pl.String, pa.string()),
    ],
)
def test_ids_have_a_column_of_their_type_if_there_is_one(ids, of_pandas, of_polars, of_arrow):
    result = find_duplicate_texts(zip(ids, [*ALIKE, OTHER], strict=True))
    marked = result.annotate(pd.DataFrame({"text": [*ALIKE, OTHER]}, ids))
    frame = result.to_pandas()
    columns = frame["id"], frame["duplicate_of"], marked["duplicate_of"]
    assert {str(column.dtype) for column in columns} == {of_pandas}
    assert {*frame["id"]} == {*ids}
    schema, table = result.to_polars().schema, result.to_arrow()
    assert schema["id"] == schema["duplicate_of"] == of_polars
    assert table.schema.field("id").type == table.schema.field("duplicate_of").type == of_arrow
    told = [str(id_) for id_ in ids] if of_arrow == pa.string() else ids
    assert {*table["id"].to_pylist()} == {*told}
    written = parquet.read_table(io.BytesIO(rows(result)))
    is_whole = of_arrow in {pa.int64(), pa.uint64()}
    assert written.schema.field("id").type == (of_arrow if is_whole else pa.string())


def test_other_data_are_refused():
    frame = pd.DataFrame({"text": TEXTS}, index=[1, 2, 3, 4])
    result = find_duplicate_texts(frame)
    with pytest.raises(InvalidInput, match="must be what was searched, got another text"):
        result.kept(frame.set_axis([3, 2, 1, 4]))
    with pytest.raises(InvalidInput, match="got no document '0' at position 0"):
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
    rows = find_duplicate_texts([STORY, OTHER], against=[STORY]).annotate([STORY, OTHER])
    assert [(row["duplicate_of"], row["of_old"]) for row in rows] == [(0, True), (None, False)]


def test_a_notebook_shows_texts_escaped():
    page = find_duplicate_texts({"<b>": f"<script> {STORY}", "b": STORY})._repr_html_()
    assert "&lt;b&gt;" in page
    assert "&lt;script&gt; the council" in page
    assert "<script>" not in page
    many = find_duplicate_texts([f"{n} {STORY}" for n in range(9)])
    assert "and 5 more" in many._repr_html_()
    assert replace(many, clusters=()).clusters == ()


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

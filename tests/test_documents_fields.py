"""Fields of records: dots, several in one, HTML; and what separates the cells of a table."""

import io
import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from dedupe import clean, find_duplicate_texts, find_duplicates
from dedupe.documents import Document, Skipped, read_paths, read_texts
from dedupe.documents.fields import ABSENT, value_at
from dedupe.documents.formats.csv import DELIMITERS, delimiter_of
from dedupe.documents.options import Options
from dedupe.errors import InvalidSetting, NothingToRead

NAMES = st.text("ab.", min_size=1, max_size=5)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_trafilatura(monkeypatch):
    """Take the visible text of pages, which is the same everywhere."""
    monkeypatch.setattr("dedupe.documents.markup._extractor", lambda: None)


def write(name, records):
    """Write records in the format that the suffix of a file tells."""
    if name.endswith(".parquet"):
        parquet.write_table(pa.Table.from_pylist(records), name)
    elif name.endswith(".csv"):
        pd.DataFrame(records).to_csv(name, index=False)
    elif name.endswith(".json"):
        Path(name).write_text(json.dumps(records))
    else:
        Path(name).write_text("".join(json.dumps(record) + "\n" for record in records))


def texts(items):
    return [item.text if isinstance(item, Document) else item.reason for item in items]


# --- dots ---


@given(st.dictionaries(NAMES, st.integers()), NAMES)
def test_a_field_that_is_called_so_always_wins(record, name):
    record["a"] = {"b": -1}
    expected = record.get(name, -1 if name == "a.b" else ABSENT)
    assert value_at(record, name) == expected


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_a_value_is_found_as_deep_as_it_lies(names):
    record = value = object()
    for name in reversed(names):
        record = {name: record}
    assert value_at(record, ".".join(names)) is value


NESTED = [
    {"meta": {"key": "x", "text": "Bridge closed", "date": 60}},
    {"meta": {"key": "y", "text": None, "date": 60}},
    {"meta": None},
]
FIELDS = {"id_field": "meta.key", "text_field": "meta.text", "time_field": "meta.date"}


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_a_field_inside_another_is_read_from_every_format_that_has_them(here, suffix):
    write(f"a.{suffix}", NESTED)
    found = list(read_paths(f"a.{suffix}", **FIELDS))
    assert found[0] == Document("x", "Bridge closed", 60.0, is_dated=True)
    # A row of Parquet has all fields, be they empty.
    assert texts(found[1:]) == ["no text", "no field 'meta.text'"]
    assert next(iter(read_texts(NESTED, **FIELDS))) == found[0]


def test_a_column_with_a_dot_in_its_name_wins_in_tables_too(here):
    records = [{"meta": {"text": "inner"}, "meta.text": "outer"}]
    write("a.parquet", records)
    Path("a.csv").write_text("meta.text,n\nouter,1\n")
    for name in ("a.parquet", "a.csv"):
        assert texts(read_paths(name, text_field="meta.text")) == ["outer"]


def test_a_column_that_has_no_such_field_costs_the_file(here):
    write("a.parquet", NESTED)
    with pytest.raises(NothingToRead, match=r"no field 'meta.body'; it has 'meta': name the one"):
        list(read_paths("a.parquet", text_field="meta.body"))


def test_a_bad_date_beside_a_text_in_one_field_costs_the_date_alone(here):
    day = pa.array([2**31 - 1], pa.date32())
    column = pa.StructArray.from_arrays([pa.array(["Bridge closed"]), day], ["text", "date"])
    parquet.write_table(pa.table({"meta": column}), "a.parquet")
    (document,) = find_duplicates("a.parquet", text_field="meta.text").skipped or [None]
    assert document is None
    with pytest.raises(InvalidSetting, match="time_field"):
        list(read_paths("a.parquet", text_field="meta.text", time_field="meta.date"))


# --- several fields ---

JOINED = [
    {"id": "both", "title": "Bridge", "body": "It closes."},
    {"id": "one", "title": "Road", "body": None},
    {"id": "blank", "title": " ", "body": "It opens."},
    {"id": "none", "title": None, "body": ""},
]


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet", "csv"])
@pytest.mark.parametrize("field", ["title,body", " title , body,"])
def test_several_fields_are_joined_by_an_empty_line(here, suffix, field):
    write(f"a.{suffix}", JOINED)
    found = list(read_paths(f"a.{suffix}", text_field=field))
    assert texts(found)[:3] == ["Bridge\n\nIt closes.", "Road", "It opens."]
    assert isinstance(found[3], Skipped)
    assert found[3].reason in ("no text", "empty")


def test_a_record_that_has_none_of_several_fields_is_skipped():
    records = [{"text": "a"}, {"body": "b"}, {"title": "c"}]
    skipped, document, _ = read_texts(records, text_field="title,body")
    assert (skipped.reason, document.text) == ("no field 'title' or 'body'", "b")
    assert skipped.remedy.startswith("it has 'text': name the one of the text with text_field=")


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet", "csv", "memory"])
@pytest.mark.parametrize("with_page", [False, True])
def test_a_part_of_the_text_that_no_record_has_is_an_error(here, suffix, with_page):
    """A wrong name would let titles alone decide what is deleted."""
    fields = {"text_field": "title,boddy", "html_field": "boddy" if with_page else None}
    Path("plain.txt").write_text("has no fields")
    write(f"a.{suffix.replace('memory', 'json')}", JOINED)
    found = (
        read_texts(JOINED, **fields)
        if suffix == "memory"
        else read_paths([f"a.{suffix}", "plain.txt"], **fields)
    )
    with pytest.raises(InvalidSetting, match=r"text_field .* got 'boddy', which none has"):
        list(found)


def test_a_part_of_the_text_that_one_record_has_is_enough():
    records = [{"title": "a"}, {"title": "b", "body": ""}]
    assert texts(read_texts(records, text_field="title,body")) == ["a", "b"]
    assert texts(read_texts(records[:1], text_field="title,body")) == ["a"]


def test_a_value_that_is_no_text_is_not_passed_over_in_silence():
    (skipped, _) = read_texts([{"title": "a", "body": 5}, {"title": "b"}], text_field="title,body")
    assert skipped.reason == "the text is a number"


def test_a_field_that_has_the_comma_in_its_name_wins(here):
    assert texts(read_texts([{"a,b": "one", "a": "two"}], text_field="a,b")) == ["one"]
    Path("a.csv").write_text('a,"a,b"\ntwo,one\n')
    assert texts(read_paths("a.csv", text_field="a,b")) == ["one"]


@pytest.mark.parametrize("field", ["", ",", " , "])
def test_a_text_field_names_a_field(field):
    with pytest.raises(InvalidSetting, match=r"^text_field must name a field, got"):
        read_texts(["a"], text_field=field)


# --- HTML ---

PAGE = "<nav>Home</nav><p>Bridge &amp; road<br>closed"


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet", "csv"])
def test_html_in_a_field_is_read_as_a_page_is(here, no_trafilatura, suffix):
    write(f"a.{suffix}", [{"id": "a", "page": PAGE, "text": "teaser"}])
    Path("b.html").write_text(PAGE)
    found = [*read_paths(f"a.{suffix}", html_field="page"), *read_paths("b.html")]
    assert texts(found) == ["Home\nBridge & road\nclosed"] * 2


def test_html_may_be_a_part_of_the_text(no_trafilatura):
    records = [{"title": "R&amp;D <b>", "page": "<p>Bridge <b>closed"}, {"title": "Road"}]
    found = read_texts(records, text_field="title,page", html_field="page")
    assert texts(found) == ["R&amp;D <b>\n\nBridge closed", "Road"]


FULL = {"title": "Road", "text": "Bridge closed", "page": "<p>Bridge closed", "day": 60}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"html_field": "page"},
        {"text_field": "title,text"},
        {"html_field": "page", "text_field": "title,page"},
    ],
)
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_window_goes_by_the_time_of_whatever_fields_make_the_text(
    here, no_trafilatura, suffix, fields
):
    write(f"a.{suffix}", [FULL, FULL | {"day": None}])
    dated, undated = read_paths(f"a.{suffix}", time_field="day", **fields)
    assert (dated.time, dated.is_dated, undated.time, undated.is_dated) == (60, True, None, False)
    by_file = next(iter(read_paths(f"a.{suffix}", **fields)))
    assert by_file.time == Path(f"a.{suffix}").stat().st_mtime
    assert not by_file.is_dated
    assert next(iter(read_paths(f"a.{suffix}", time_from="mtime", **fields))).is_dated
    assert next(iter(read_texts([FULL], time_field="day", **fields))).is_dated
    assert not next(iter(read_texts([FULL], **fields))).is_dated


def test_the_article_is_looked_for_in_a_field_too(monkeypatch):
    monkeypatch.setattr("dedupe.documents.markup._extractor", lambda: lambda page: f"of {page}")
    assert texts(read_texts([{"page": "<p>x"}], html_field="page")) == ["of <p>x"]


def test_a_field_of_html_that_holds_nothing_is_told_by_its_name(no_trafilatura):
    records = [{"text": "a"}, {"page": "<p>"}, {"page": ""}, {"page": 1}, {"page": "<p>b"}]
    found = list(read_texts(records, html_field="page"))
    assert texts(found) == ["no field 'page'", "empty", "empty", "the text is a number", "b"]
    assert found[0].remedy.endswith("html_field= (--html-field)")


def test_html_that_is_nested_too_deep_costs_its_record(no_trafilatura):
    found = read_texts([{"page": "<div>" * 3000 + "x"}, {"page": "b"}], html_field="page")
    assert texts(found) == ["HTML must be nested at most 2000 elements deep", "b"]


def test_boilerplate_in_records_is_read_by_the_same_fields(no_trafilatura):
    words = "all rights reserved by the herald and its partners in the valley"
    records = [{"page": f"<p>{words}"}, {"page": f"<p>{words}<p>more"}]
    known = find_duplicate_texts(records, boilerplate=records[:1], html_field="page")
    assert known.settings.boilerplate


# --- delimiters ---


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_a_delimiter_is_recognised_in_the_header(here, delimiter):
    rows = [["id", "title, long", "text"], ["a", "x", 'one; two, three | "four"']]
    table = pd.DataFrame(rows[1:], columns=rows[0])
    table.to_csv("a.csv", sep=delimiter, index=False)
    assert texts(read_paths("a.csv")) == ['one; two, three | "four"']
    assert texts(read_paths("a.csv", delimiter=delimiter)) == ['one; two, three | "four"']


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("text", ","),
        ("", ","),
        ("id;text", ";"),
        ("id,title;text", ";"),
        ('"id";"the;text";"text"', ";"),
        ("a|b|c;d", "|"),
        ("a;b,c", ","),
        ("a;b;c,d", ";"),
        ("a\rb;text", ","),
    ],
)
def test_the_text_decides_and_then_the_number_of_columns(header, delimiter):
    assert delimiter_of(header, Options()) == delimiter


def test_fields_that_are_not_there_are_named_as_the_table_cuts_them(here):
    Path("a.csv").write_text("\nurl;headline\n1;x\n")
    with pytest.raises(NothingToRead, match="it has 'url', 'headline'"):
        list(read_paths("a.csv"))


def test_a_delimiter_that_is_said_holds_for_tsv_too(here):
    Path("a.tsv").write_text("id^text\na^b\tc\n")
    assert texts(read_paths("a.tsv", delimiter="^")) == ["b\tc"]
    Path("b.tsv").write_text("id;x\ttext\na\tb\n")
    assert texts(read_paths("b.tsv")) == ["b"]


@pytest.mark.parametrize("delimiter", ["", ";;", "\n", '"', " ", "\0", 5])
def test_a_delimiter_is_one_character(here, delimiter):
    Path("a.csv").write_text("text\na\n")
    with pytest.raises(InvalidSetting, match=r"^delimiter must be one character"):
        read_paths("a.csv", delimiter=delimiter)


STORY = "the council voted on monday to close the old bridge for repairs until next spring " * 3


def test_a_cleaned_table_keeps_its_delimiter(here):
    rows = f"id;text\r\na;{STORY}\r\nb;{STORY}\r\n"
    Path("a.csv").write_bytes(rows.encode())
    clean("a.csv", output="kept.csv")
    assert Path("kept.csv").read_bytes() == rows.encode()[: rows.index("b;")]
    clean("a.csv", output="marked.csv", annotate=True)
    header, first, second = Path("marked.csv").read_text().splitlines()
    assert header == "id;text;cluster;duplicate_of;score;relation;reason"
    assert first == f"a;{STORY};1;;1.0;;"
    assert second.startswith(f"b;{STORY};1;a;1.0;identical;")


# --- standard input ---


class Piped(io.RawIOBase):
    """Gives what is piped in piece by piece, and once."""

    def __init__(self, data, size):
        self.data, self.size = data, size

    def read1(self, _):
        piece, self.data = self.data[: self.size], self.data[self.size :]
        return piece


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("id;text\na;Bridge closed\n", ["Bridge closed"]),
        ("\n\nid,text\na,Bridge closed\n", ["Bridge closed"]),
        ("text\nRoad open\n", ["text\nRoad open\n"]),
        ("A title, and more\nid;text\n", ["A title, and more\nid;text\n"]),
        ('{"text": "a"}\n', ["a"]),
        ('[\n{"text": "a"}]', ["a"]),
    ],
)
def test_what_is_piped_in_is_a_table_where_its_header_names_the_text(
    monkeypatch, data, expected, size
):
    class Stdin:
        buffer = Piped(data.encode(), size)

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert texts(read_paths("-")) == expected


def test_a_delimiter_that_is_said_tells_that_a_table_is_piped_in(monkeypatch):
    class Stdin:
        buffer = Piped(b"text\na;b\n", 3)

    monkeypatch.setattr(sys, "stdin", Stdin)
    assert texts(read_paths("-", delimiter="^")) == ["a;b"]

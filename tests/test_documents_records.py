"""JSON Lines, CSV, TSV and Parquet: a record is a document, a bad one costs itself."""

import csv
import gzip
import io
import json
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyarrow import parquet

from dedupe import clean, find_duplicates
from dedupe.documents import Document, Skipped, formats, read_paths
from dedupe.documents.document import Placed
from dedupe.documents.formats import Format
from dedupe.documents.formats.csv import read_csv
from dedupe.documents.formats.edits import dropped, edited
from dedupe.documents.formats.json import read_json
from dedupe.documents.formats.jsonl import read_json_lines
from dedupe.documents.formats.parquet import read_parquet
from dedupe.documents.options import Options
from dedupe.documents.streams import Source, Unreadable
from dedupe.errors import InvalidSetting, MissingExtra, NothingToRead

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a new working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(name: str, data: str | bytes | None = None, **options) -> list[Document | Skipped]:
    """Read a file, which is written first where there are data, though it may hold nothing."""
    if data is not None:
        Path(name).write_bytes(data.encode() if isinstance(data, str) else data)
    items = []
    with suppress(NothingToRead):
        for item in read_paths(name, **options):
            items.append(item)  # noqa: PERF402  They are kept when the end raises.
    return items


def brief(items) -> list[tuple[str, str]]:
    """Return ids with texts or reasons."""
    return [(item.id, getattr(item, "text", None) or item.reason) for item in items]


# Laws


@given(st.lists(TEXTS, min_size=1), st.booleans())
def test_json_lines_give_back_what_was_written(texts, ascii_only):
    data = "\n".join(json.dumps({"text": text}, ensure_ascii=ascii_only) for text in texts)
    found = read_json_lines(Source("x", iter([data.encode()])), Options())
    items = [placed.item for placed in found]
    assert [item.text for item in items] == texts
    assert [item.id for item in items] == [f"x:{i + 1}" for i in range(len(texts))]


AROUND = st.text(alphabet='{}[]",: \t\r\v\xa0', max_size=3)
"""What stands around an object, space or not."""


@given(TEXTS, AROUND, AROUND, st.data())
def test_a_line_of_json_is_read_as_python_reads_it(text, before, behind, data):
    whole = before + json.dumps({"id": 7, "text": text}) + behind
    line = whole[: data.draw(st.integers(0, len(whole)))]
    assume(line.encode().strip())
    try:
        record = json.loads(line)
        assume(isinstance(record, dict) and "text" in record)
        told = record["text"]
    except ValueError as error:
        told = f"not JSON: {error}"
    source = Source("x", iter([f"{line}\n".encode()]))
    (item,) = (placed.item for placed in read_json_lines(source, Options()))
    assert (item.text if isinstance(item, Document) else item.reason) == told


JSON_WAYS = {
    "a list": json.dumps,
    "a list with room": lambda rows: f" \n{json.dumps(rows, indent=1)}\n\n",
    "in a row": lambda rows: " ".join(map(json.dumps, rows)),
    "in lines": lambda rows: "".join(json.dumps(row) + "\r\n" for row in rows),
}


@given(st.lists(TEXTS, min_size=2), st.sampled_from(sorted(JSON_WAYS)))
def test_json_gives_back_what_was_written(texts, way):
    data = JSON_WAYS[way]([{"text": text} for text in texts])
    found = list(read_json(Source("x", iter([data.encode()])), Options()))
    assert [placed.item.text for placed in found] == texts
    assert [placed.item.id for placed in found] == [f"x:{i + 1}" for i in range(len(texts))]
    assert [placed.rows for placed in found] == [range(i + 1, i + 2) for i in range(len(texts))]


@given(st.lists(TEXTS, min_size=2), st.sampled_from(sorted(JSON_WAYS)), st.data())
def test_json_that_breaks_off_keeps_what_came_before(texts, way, data):
    whole = JSON_WAYS[way]([{"text": text} for text in texts])
    cut = data.draw(st.integers(0, len(whole.rstrip()) - 1))
    found = []
    with suppress(Unreadable):
        found += read_json(Source("x", iter([whole[:cut].encode()])), Options())
    texts_ = [placed.item.text for placed in found if isinstance(placed.item, Document)]
    assert texts_ == texts[: len(texts_)]


@given(st.lists(st.tuples(TEXTS, st.text(st.characters(exclude_categories=["Cs"])))))
def test_csv_gives_back_what_was_written(rows):
    items = [placed.item for placed in read_csv(Source("x", iter([written(rows)])), Options())]
    assert [item.text for item in items] == [text for text, _ in rows]


@given(
    st.lists(st.tuples(TEXTS, st.text(alphabet='",\nab'))),
    st.integers(0, 50),
    st.text(alphabet='",\nab', min_size=60),
    st.sampled_from([3, 17, 1000]),
)
def test_a_large_row_changes_nothing_about_the_others(rows, position, large, size):
    rows = [(text[:4], other[:4]) for text, other in rows if text[:4].strip()]
    position = min(position, len(rows))
    mixed = written([*rows[:position], ("large", large), *rows[position:]])
    chunks = (mixed[i : i + size] for i in range(0, len(mixed), size))
    items = [placed.item for placed in read_csv(Source("x", chunks), Options(max_bytes=50))]
    assert items.pop(position).reason == "larger than 50 bytes, the limit"
    assert [item.text for item in items] == [text for text, _ in rows]


def written(rows) -> bytes:
    """Return a table of two columns as the csv module writes it."""
    table = io.StringIO(newline="")
    csv.writer(table).writerows([("text", "other"), *rows])
    return table.getvalue().encode()


# JSON Lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"text": "a", "id": "x"}', ("x", "a")),
        (b'{"text": "a", "id": 7}', (7, "a")),
        (b'{"text": "a", "id": null}', ("f.jsonl:1", "a")),
        (b'{"text": "a", "id": ""}', ("f.jsonl:1", "a")),
        (b'{"text": "a", "id": " \\u3000\\n"}', ("f.jsonl:1", "a")),
        (b'{"text": "a", "id": " x "}', (" x ", "a")),
        (
            b'{"text": "a", "id": "\\udc00"}',
            ("f.jsonl:1", "the id has a lone surrogate, which UTF-8 cannot hold"),
        ),
        (b'{"text": "a\\ud800b"}', ("f.jsonl:1", "a�b")),
        (b'{"text": "\\ud83d\\ude00"}', ("f.jsonl:1", "😀")),
        (b'{"text": "a"}\r', ("f.jsonl:1", "a")),
        (b'{"text": "\xe2\x80\xa8"}', ("f.jsonl:1", "empty")),
        (b'{"text": "\xe2\x80\xa8a"}', ("f.jsonl:1", "\u2028a")),
        (b'{"text": ""}', ("f.jsonl:1", "empty")),
        (b'{"text": null, "id": 3}', (3, "no text")),
        (b'{"text": 5}', ("f.jsonl:1", "the text is a number")),
        (b'{"body": "a"}', ("f.jsonl:1", "no field 'text'")),
        (b"[1, 2]", ("f.jsonl:1", "a list, not an object")),
        (b"7", ("f.jsonl:1", "a number, not an object")),
        (b'"str"', ("f.jsonl:1", "a string, not an object")),
        (b"true", ("f.jsonl:1", "true or false, not an object")),
        (b'{"text": {"a": "b"}}', ("f.jsonl:1", "the text is an object")),
        (b"null", ("f.jsonl:1", "null, not an object")),
        (b"\xef\xbf", ("f.jsonl:1", "not UTF-8: unexpected end of data at byte 0")),
        (b'{"text": "\xe9"}', ("f.jsonl:1", "not UTF-8: invalid continuation byte at byte 10")),
        (b'{"text": "\xed\xa0\x80"}', ("f.jsonl:1", "not UTF-8: invalid continuation byte at ")),
        (b'{"text": "a"', ("f.jsonl:1", "not JSON: Expecting ',' delimiter: line 1 column 13")),
        (b'{"text": "a"} x', ("f.jsonl:1", "not JSON: Extra data")),
        (b"[" * 100_000, ("f.jsonl:1", "not JSON: nested too deep")),
        (2 * b"\xef\xbb\xbf" + b"{}", ("f.jsonl:1", "not JSON: a byte order mark before it")),
        (b'{"n": ' + b"9" * 5000 + b"}", ("f.jsonl:1", "not JSON: an integer of more than 4,300")),
    ],
)
def test_a_line_is_a_document_or_costs_itself(here, line, expected):
    (id_, outcome), *rest = brief(read("f.jsonl", line + b'\n \n{"text": "good"}\n'))
    assert (id_, outcome[: len(expected[1])]) == expected
    assert rest == [("f.jsonl:3", "good")]


def test_zeros_in_the_middle_cost_a_line(here):
    data = b'{"text": "a"}\n\0\0\0\n{"text": "b"}'
    assert [id_ for id_, _ in brief(read("f.jsonl", data))] == [f"f.jsonl:{i}" for i in (1, 2, 3)]


def test_a_file_of_another_kind_is_one_skipped(here):
    for name in ("f.jsonl", "f.csv", "f.html", "f.txt"):
        found = brief(read(name, b"PAR1\x15\0\x15" + b"\n" * 99))
        assert found == [(name, "binary, not text: it has a zero byte")]


@pytest.mark.parametrize("name", ["f.html", "f.json"])
def test_an_empty_page_is_one_skipped(here, name):
    assert brief(read(name, b"")) == brief(read(name, b"\n\n")) == [(name, "empty")]


@pytest.mark.parametrize("name", ["f.jsonl", "f.ndjson", "f.csv", "f.tsv"])
def test_an_empty_file_of_records_holds_no_document(here, name):
    assert read(name, b"") == read(name, b"\n\n") == []
    assert read("f.json", b" [ ] ") == read("f.csv", b"id,text\n") == []


def test_utf_16_is_read_by_its_mark(here):
    assert brief(read("f.jsonl", '{"text": "é"}\n'.encode("utf-16"))) == [("f.jsonl:1", "é")]
    table = "id\ttext\n1\té\n".encode("utf-16")
    assert brief(read("f.tsv", table)) == [("1", "é")]


def test_the_fields_that_are_there_are_named(here):
    record = {"headline": 1, "body": "x"}
    table = pa.table({name: [value] for name, value in record.items()})
    parquet.write_table(table, "made.parquet")
    for name, data in {
        "f.jsonl": json.dumps(record),
        "f.csv": "headline,body\n1,x\n2,y\n",
        "f.parquet": Path("made.parquet").read_bytes(),
    }.items():
        (skipped,) = read(name, data)
        assert skipped.reason == "no field 'text'"
        assert skipped.remedy == (
            "it has 'headline', 'body': name the one of the text with text_field= (--text-field)"
        )
        assert read(name, data, text_field="body")[0].text == "x"


def test_of_many_fields_ten_are_named(here):
    (skipped,) = read("f.jsonl", json.dumps({str(i): 0 for i in range(12)}))
    assert "'9' and 2 more:" in skipped.remedy
    (skipped,) = read("f.jsonl", "{}\n")
    assert "it has no fields" in skipped.remedy


# Times


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (0, 0.0),
        (1655373600.5, 1655373600.5),
        ("1655373600", 1655373600.0),
        ("2022-06-16", 1655337600.0),
        ("20220616", 1655337600.0),
        ("2022-06-16T10:00:00", 1655373600.0),
        (" 2022-06-16T12:00:00+02:00 ", 1655373600.0),
        ("2022-06-16T10:00:00Z", 1655373600.0),
        ("1583-01-01T00:00:00Z", -12212553600.0),
        ("June 16", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
        (1655373600000, None),
        (float("nan"), None),
        ("inf", None),
        (10**400, None),
    ],
)
def test_a_time_is_seconds_or_iso_8601(here, value, time):
    rows = [{"text": "a", "t": value}, {"text": "b", "t": 1}]
    document, _ = read("f.jsonl", "\n".join(map(json.dumps, rows)), time_field="t")
    assert document.time == time


def test_a_record_without_a_named_time_is_as_old_as_its_file(here):
    (document,) = read("f.jsonl", '{"text": "a", "t": 5}')
    assert document.time == Path("f.jsonl").stat().st_mtime
    document, _ = read("f.jsonl", '{"text": "a"}\n{"text": "b", "t": 1}', time_field="t")
    assert document.time is None


def test_a_field_that_holds_no_time_anywhere_is_refused(here):
    Path("f.jsonl").write_text('{"text": "a", "date": 5}\n{"text": "b", "day": "yesterday"}')
    for field in ("Date", "day"):
        with pytest.raises(
            InvalidSetting, match=f"must name a field that holds a time, got '{field}'"
        ):
            list(read_paths("f.jsonl", time_field=field))


# CSV and TSV


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("id,text\n1,a\n2,b", [("1", "a"), ("2", "b")]),
        ("text\na\n\nb\n", [("f.csv:2", "a"), ("f.csv:4", "b")]),
        ('text\n"a\n\nb"\n"c"', [("f.csv:2", "a\n\nb"), ("f.csv:5", "c")]),
        ('text\r\n"a ""b"", c"\r\n', [("f.csv:2", 'a "b", c')]),
        ("\n\n text , id \na,1\n", [("1", "a")]),
        ("\ufefftext\na", [("f.csv:2", "a")]),
        ("id,text\n1\n2,b", [("1", "no field 'text'"), ("2", "b")]),
        ("id,text\n,a\n  ,b", [("f.csv:2", "a"), ("f.csv:3", "b")]),
        ("id,text\n1,\n2, ", [("1", "empty"), ("2", "empty")]),
        ("id,text\n1,a, b\n2,c,\n", [("f.csv:2", "3 fields where the header has 2"), ("2", "c")]),
        (
            'text\na\n"b\nc',
            [("f.csv:2", "a"), ("f.csv:3", "cut off: a quoted field is never closed")],
        ),
        ('text\n5" pipe\nb', [("f.csv:2", '5" pipe'), ("f.csv:3", "b")]),
        ("text\n\na\rb\nc", [("f.csv:3", "not CSV: a carriage return"), ("f.csv:4", "c")]),
        (b"text\ncaf\xe9\ncaf\xc3\xa9", [("f.csv:2", "café"), ("f.csv:3", "café")]),
        ("text\rold Mac\r", [("f.csv", "the header cannot be read: not CSV: a carriage")]),
        ("text\n", []),
    ],
)
def test_a_row_is_a_document_or_costs_itself(here, data, expected):
    found = brief(read("f.csv", data))
    assert [id_ for id_, _ in found] == [id_ for id_, _ in expected]
    for (_, outcome), (_, start) in zip(found, expected, strict=True):
        assert outcome.startswith(start)


def test_tabs_separate_in_tsv(here):
    assert brief(read("f.TSV", "id\ttext\n1\ta, b\n")) == [("1", "a, b")]


@pytest.mark.parametrize("name", ["text", "id", "day"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_that_is_asked_for_and_there_twice_costs_the_file(here, suffix, name):
    names = ["id", "text", "day", "note", "note", name]
    if suffix == "csv":
        Path("a.csv").write_text(",".join(names) + "\n1,2,3,4,5,6\n")
    else:
        table = pa.Table.from_arrays([pa.array(["1"])] * 6, names=names)
        parquet.write_table(table, "a.parquet")
    expected = Skipped(
        f"a.{suffix}", f"it has two columns '{name}'", "give one of them another name"
    )
    assert read(f"a.{suffix}", time_field="day") == [expected]


def test_a_column_that_is_there_twice_and_not_asked_for_does_no_harm(here):
    assert brief(read("a.csv", "id,text,note,note\n1,Bridge closed,a,b\n")) == [
        ("1", "Bridge closed")
    ]


def test_a_field_may_be_longer_than_the_csv_module_allows(here):
    before = csv.field_size_limit(1000)
    try:
        text = "x" * 200_000
        Path("f.csv").write_text(f'text\n"{text}"\n')
        items = read_paths("f.csv")
        assert next(items).text == text
        # Other code goes on with the limit it has set.
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("chunk", [1, 64, 10_000])
def test_a_large_row_is_skipped_wherever_it_ends(chunk):
    long = "x" * 70
    rows = ["text,a", "1,", f"{long},", "2,", f'"{long}",', f'"{long}\n",', "3,"]
    rows += [
        f'"a\n{long}",',
        '4,"\n"',
        '"' + "y,\n" * 40 + '",',
        "5,",
        '"' + f'{long}""' * 9 + '",',
        "6,",
    ]
    data = "\n".join(rows)
    chunks = (data[i : i + chunk].encode() for i in range(0, len(data), chunk))
    items = [placed.item for placed in read_csv(Source("f", chunks), Options(max_bytes=60))]
    assert [item.text for item in items if isinstance(item, Document)] == list("123456")
    assert {item.reason for item in items if isinstance(item, Skipped)} == {
        "larger than 60 bytes, the limit"
    }
    assert len(items) == 12


def test_a_large_header_ends_the_file(here):
    (skipped,) = read("f.csv", "text," * 50 + "\na\n", max_bytes=100)
    assert skipped.reason == "the header cannot be read: larger than 100 bytes, the limit"


def test_a_row_knows_its_lines():
    data = b'text\n\n"a\nb"\nc\n"open\n\nto the end'
    found = read_csv(Source("f", iter([data])), Options())
    assert [placed.rows for placed in found] == [range(3, 5), range(5, 6), range(6, 9)]
    found = read_json_lines(Source("f", iter([b'\n{"text": "a"}\n\nbad'])), Options())
    assert [placed.rows for placed in found] == [range(2, 3), range(4, 5)]


# Parquet


def write(table: dict, name: str = "f.parquet", **options) -> str:
    """Write columns to a Parquet file."""
    parquet.write_table(pa.table(table), name, **options)
    return name


def test_a_row_of_parquet_is_a_document(here):
    name = write({"id": [7, None], "text": ["a", "b"], "unread": [1, 2]})
    assert brief(read_paths(name)) == [(7, "a"), ("f.parquet:2", "b")]
    name = write({"id": [" ", ""], "text": ["a", "b"]})
    assert brief(read_paths(name)) == [("f.parquet:1", "a"), ("f.parquet:2", "b")]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, " "]),
        pa.array(["a", None, " "], pa.large_string()),
        pa.array(["a", None, " "]).dictionary_encode(),
    ],
)
def test_every_kind_of_string_column_is_read(here, column):
    expected = ["a", "no text", "empty"]
    assert [outcome for _, outcome in brief(read_paths(write({"text": column})))] == expected


def test_rows_are_counted_across_batches_and_row_groups(here):
    name = write({"text": [str(i) for i in range(1000)]}, row_group_size=300)
    assert brief(read_paths(name)) == [(f"{name}:{i + 1}", str(i)) for i in range(1000)]


def test_a_bad_value_costs_its_row(here):
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xe9a")]
    )
    name = write({"text": broken})
    assert brief(read_paths(name)) == [
        ("f.parquet:1", "not UTF-8: unexpected end of data"),
        ("f.parquet:2", "a"),
    ]
    name = write({"text": ["x" * 11, "a"]})
    assert brief(read_paths(name, max_bytes=10)) == [
        ("f.parquet:1", "larger than 10 bytes, the limit"),
        ("f.parquet:2", "a"),
    ]
    (skipped,) = read(write({"text": [5]}))
    assert skipped.reason == "the text is a number"


def test_times_of_parquet_are_read(here):
    day = pa.array([1655337600], pa.timestamp("s"))
    for column in (day, day.cast(pa.timestamp("ns", "UTC")), day.cast(pa.date32()), [1655337600]):
        name = write({"text": ["a"], "t": column})
        assert [item.time for item in read_paths(name, time_field="t")] == [1655337600.0]


def test_a_value_that_all_rows_share_is_in_memory_once(here):
    """A few kilobytes of Parquet may stand for gigabytes of text."""
    text = "word and more " * 100_000
    name = write({"text": [text] * 200, "n": [*range(200)]}, compression="zstd")
    assert Path(name).stat().st_size < 100_000
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    most = 0
    for document in read_paths(name):
        assert document.text == text
        most = max(most, pa.total_allocated_bytes() - before)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30 * len(text)
    assert peak < 30 * len(text)


def of_numbers(numbers: list[int], type_: pa.DataType) -> pa.Array:
    """Make a column of dates or times of their numbers, which Python may have none for."""
    plain = pa.array(numbers, pa.int32() if type_.bit_width == 32 else pa.int64())
    return pa.Array.from_buffers(type_, len(plain), [None, plain.buffers()[1]])


@pytest.mark.parametrize("is_dictionary", [False, True], ids=["plain", "dictionary"])
@pytest.mark.parametrize(
    ("type_", "number"),
    [
        (pa.date32(), 3_000_000),
        (pa.date32(), -1_000_000),
        (pa.timestamp("ms", "UTC"), 10**16),
        (pa.timestamp("us"), -(2**62)),
    ],
)
def test_a_date_that_python_does_not_have_is_no_time_and_a_number_as_id(
    here, type_, number, is_dictionary
):
    column = of_numbers([number, 1], type_)
    name = write(
        {"when": column.dictionary_encode() if is_dictionary else column, "text": ["a", "b"]}
    )
    assert next(items_of(name, id_field="when")).id == str(number)
    assert next(items_of(name, time_field="when")).time is None
    assert next(items_of(name, text_field="when")).reason == "the text is a date or time"


def test_a_bad_time_costs_no_more_than_itself(here):
    """Whatever kind of column it stands in."""
    offsets = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0")
    for column in (
        pa.array([5, None], pa.timestamp("us", "Nowhere/Bogus")),
        pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xe91")]),
        pa.array([2**62, 1], pa.duration("s")),
        pa.array([[2**62], None], pa.list_(pa.timestamp("us"))),
        pa.array([{"a": 1}, None]),
    ):
        name = write({"text": ["a", "b"], "t": column})
        items = list(items_of(name, time_field="t"))
        assert [item.text for item in items] == ["a", "b"]
        assert items[0].time is None


@pytest.mark.parametrize("zone", ["Nowhere/Bogus", "+99:99", "\0"])
def test_a_time_in_an_unknown_zone_is_no_time_and_a_number_as_id(here, zone):
    name = write({"when": pa.array([5], pa.timestamp("us", zone)), "text": ["a"]})
    assert next(items_of(name, id_field="when")).id == "5"
    assert next(items_of(name, time_field="when")).time is None


def items_of(name: str, **options: str) -> Iterator[Document | Skipped]:
    """Read a table row by row, whatever becomes of the others."""
    placed = read_parquet(Source(name, iter(()), path=name), Options(**options))
    return (item for _, item, _ in placed)


def test_damaged_parquet_is_one_skipped(here):
    data = Path(write({"text": ["a"]})).read_bytes()
    renamed = data.replace(b"text", b"t\x83xt")
    for damaged in (b"", b"PAR1", data[:-20], data[:40] + bytes(20) + data[60:], renamed):
        (skipped,) = read("g.parquet", damaged)
        assert skipped.reason.startswith("not sound Parquet: ")


def test_checksums_of_parquet_tell_of_letters_that_changed(here):
    """Nothing else would: a page that is not compressed can hold any letters."""
    texts = [f"story {i} of the old bridge" for i in range(40)]
    options = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    data = Path(write({"text": texts}, **options)).read_bytes()
    assert len(read("f.parquet", data)) == 40
    (skipped,) = read("f.parquet", data.replace(b"story 7 of", b"storm 7 of"))
    assert skipped.reason.startswith("not sound Parquet: ")


def test_damage_in_a_row_group_costs_what_is_behind_it_there(here):
    """Groups before and after it are read, under the numbers that they always have."""
    texts = [str(i) for i in range(1500)]
    name = write({"text": texts}, row_group_size=500, compression="gzip")
    data = bytearray(Path(name).read_bytes())
    expected = [(f"f.parquet:{i + 1}", text) for i, text in enumerate(texts)]
    groups = parquet.read_metadata("f.parquet")
    for damaged, gone in ((1, slice(500, 1000)), (0, slice(0, 1000)), (2, slice(0, 1500))):
        start = groups.row_group(damaged).column(0).data_page_offset
        data[start : start + 40] = bytes(40)
        found = read("f.parquet", bytes(data))
        assert [item for item in brief(found) if item in expected] == (
            expected[: gone.start] + expected[gone.stop :]
        )
        rest = [item for item in found if isinstance(item, Skipped)]
        assert len(rest) == (gone.stop - gone.start) // 500
        assert {item.id for item in rest} == {"f.parquet"}
        assert f"in row group {damaged + 1} of 3, from row {500 * damaged + 1} on" in (
            "".join(item.reason for item in rest)
        )


def test_parquet_without_rows_holds_no_document(here):
    assert read(write({"text": pa.array([], pa.string())})) == []


def test_compressed_parquet_has_to_fit_the_limit(here):
    data = gzip.compress(Path(write({"text": ["a"]})).read_bytes())
    assert brief(read("f.parquet.gz", data)) == [("f.parquet.gz:1", "a")]
    (skipped,) = read("f.parquet.gz", data, max_bytes=100)
    assert skipped.reason == "larger than 100 bytes, the limit"


def test_without_pyarrow_the_extra_is_named(here, monkeypatch):
    name = write({"text": ["a"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"dedupe-articles\[parquet\]"):
        list(read_paths(name))


# JSON that is no JSON Lines


def test_an_object_that_is_a_whole_file_has_its_path(here):
    assert brief(read("a.json", '{"text": "one"}')) == [("a.json", "one")]
    assert brief(read("a.json", ' {"text": "one",\n "id": 7}\n')) == [(7, "one")]
    assert brief(read("a.json", '[{"text": "one"}]')) == [("a.json:1", "one")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('{"text": ', "not JSON: Expecting value, in line 1"),
        ('[{"text": "a"}, ]', "not JSON: no comma between values, or one too many, in line 1"),
        ('[{"text": "a"} {"text": "b"}]', "not JSON: no comma between values, or one too many"),
        ('[{"text": "a"},\n', "not JSON: the list does not end, in line 2"),
        ('[{"text": "a"}\n', "not JSON: the list does not end, in line 2"),
        ('[{"text": "a"}] x', "not JSON: more behind the list, in line 1"),
        ('{"text": "a"} x', "not JSON: Expecting value, in line 1"),
        ("[" * 100_000, "not JSON: "),
        (b'{"text": "\xff"}', "not UTF-8: invalid start byte at byte 10"),
        ("[" + "9" * 5000 + "]", "not JSON: an integer of more than 4,300 digits, in line 1"),
        ("", "empty"),
        ("[1]", "a number, not an object"),
        ('{"body": "a"}', "no field 'text'"),
    ],
)
def test_json_that_is_not_as_it_should_be(here, data, reason):
    *found, last = read("a.json", data)
    assert last.reason.startswith(reason)
    assert [(item.id, item.text) for item in found] in (
        [],
        [("a.json:1", "a")],
        [("a.json:1", "a"), ("a.json:2", "b")],
    )


def test_json_in_utf16_and_compressed(here):
    rows = json.dumps([{"text": "é"}, {"text": "\U0001f600"}], ensure_ascii=False)
    expected = [("a.json:1", "é"), ("a.json:2", "\U0001f600")]
    assert brief(read("a.json", rows.encode("utf-16"))) == expected
    packed = gzip.compress(rows.encode())
    assert brief(read("a.json.gz", packed)) == [
        (f"a.json.gz:{n}", text) for n, text in enumerate("é\U0001f600", 1)
    ]


def test_a_file_of_json_is_no_larger_than_the_limit(here):
    (item,) = read("a.json", json.dumps([{"text": "a"}] * 9), max_bytes=50)
    assert item.reason == "larger than 50 bytes, the limit"


# --- limits in bytes, and the table of formats ---

CHINESE = "京" * 80
"""80 characters that take 240 bytes."""


def file_holding(suffix, text):
    """Return a file of a format that holds one text, and the bytes around that text."""
    if suffix == ".parquet":
        stream = io.BytesIO()
        parquet.write_table(pa.table({"id": ["a"], "text": [text]}), stream)
        return stream.getvalue(), 0
    around = {
        ".txt": "{}",
        ".html": "<p>{}",
        ".csv": "id,text\na,{}\n",
        ".tsv": "id\ttext\na\t{}\n",
        ".jsonl": '{{"id": "a", "text": "{}"}}\n',
        ".json": '{{"id": "a", "text": "{}"}}',
    }[suffix]
    # A limit on records counts the line that the text stands in, without its end.
    line = around.format("").removesuffix("\n").rpartition("\n")[2]
    return around.format(text).encode(), len(line.encode())


@pytest.mark.parametrize("suffix", [".txt", ".html", ".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_the_limit_is_one_of_bytes_in_every_format(suffix, tmp_path):
    data, n_around = file_holding(suffix, CHINESE)
    path = tmp_path / f"f{suffix}"
    path.write_bytes(data)
    n_bytes = len(CHINESE.encode()) + n_around
    (document,) = read_paths(path, max_bytes=n_bytes)
    assert isinstance(document, Document)
    assert document.text == CHINESE
    stream = read_paths(path, max_bytes=n_bytes - 1)
    assert next(stream).reason == f"larger than {n_bytes - 1} bytes, the limit"


def test_a_format_is_one_entry_in_the_table(tmp_path, monkeypatch):
    """Lines of text, one document each: read by a search, and written anew by cleaning."""

    def read(source, options):
        for number, line in enumerate(b"".join(source.chunks).decode().splitlines(), start=1):
            place = f"{source.id}:{number}"
            yield Placed(place, Document(place, line), range(number, number + 1))

    def rewrite(reopen, placed, changes, options):
        return edited(reopen(), dropped(placed, changes))

    lines = Format("lines", (".ll",), read, rewrite)
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, lines))
    story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    path = tmp_path / "news.ll"
    path.write_text(f"{story}\nsomething else\nhome news sport {story}\n")
    assert [len(cluster) for cluster in find_duplicates(path).clusters] == [2]
    done = clean(path, output=tmp_path / "once.ll")
    assert len(done.dropped) == 1
    kept = (tmp_path / "once.ll").read_text()
    assert kept == f"something else\nhome news sport {story}\n"


def test_a_parquet_file_that_cannot_be_opened_is_not_called_damaged(tmp_path):
    source = Source("f.parquet", iter(()), path=str(tmp_path / "gone.parquet"))
    with pytest.raises(Unreadable, match=r"^cannot be read: No such file or directory"):
        list(read_parquet(source, Options()))


@pytest.mark.parametrize("lines", [[], [1], [1, 2], [2], [2, 3]])
def test_a_file_that_has_become_shorter_is_noticed(lines):
    """Whether one edit or several are left when its only line has been passed on."""
    edits = iter([(range(n, n + 1), bytes) for n in lines])
    passed_on = edited(Source("f", iter([b"a\n"])), edits)
    if max(lines, default=0) > 1:
        with pytest.raises(Unreadable, match="it has become shorter"):
            list(passed_on)
    else:
        assert b"".join(passed_on) == b"a\n"

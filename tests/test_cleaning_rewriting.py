"""Collections without their duplicates: what stays keeps its bytes, and nothing else goes."""

import bz2
import contextlib
import csv
import errno
import gzip
import io
import json
import lzma
import os
import socket
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from cleaned import BEFORE, UNPACK, cleaned, line, made, tree
from dedupe import CannotClean, InvalidSetting, NothingToRead, clean
from dedupe.cleaning import inventory
from dedupe.documents.formats.changes import FIELDS
from dedupe.documents.formats.json import json_values
from dedupe.documents.options import Options

PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Laws. Hypothesis runs many examples in one folder, which is what `here` is for.

ODD = ["", "  ", "not json", "[1]", '{"id": "x"}', '{"text": ""}', '{"text": "\\u2028"}']
ENDS = ["\n", "\r\n"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@st.composite
def json_lines(draw):
    """Draw lines of all sorts, and which of them go."""
    n = draw(st.integers(2, 6))
    lines, goes = [], []
    for i in range(n):
        odd = draw(st.lists(st.sampled_from(ODD), max_size=2))
        text = draw(st.text(st.sampled_from('a é\u2028\x85"\\漢😀'), min_size=1)) + "x"
        style = draw(st.sampled_from([{}, {"separators": (",", ":")}, {"ensure_ascii": False}]))
        lines += [*odd, json.dumps({"n": [i], "id": str(i), "text": text}, **style) + " " * (i % 2)]
        goes += [*(None for _ in odd), (i > 0 and draw(st.booleans())) or None]
    ends = [draw(st.sampled_from(ENDS)) for _ in lines]
    if draw(st.booleans()):
        ends[-1] = ""
    ids = [json.loads(one)["id"] if gone else None for one, gone in zip(lines, goes, strict=True)]
    return [one + end for one, end in zip(lines, ends, strict=True)], ids


@given(json_lines(), st.sampled_from(ENCODINGS), st.sampled_from(sorted(UNPACK)))
def test_lines_that_stay_keep_their_bytes(tmp_path_factory, drawn, encoding, packing):
    lines, goes = drawn
    folder = tmp_path_factory.mktemp("law")
    path, out = str(folder / f"in.jsonl{packing}"), str(folder / f"out.jsonl{packing}")
    Path(path).write_bytes(PACK[packing]("".join(lines).encode(encoding)))
    result = made(path, ["0", *filter(None, goes)]) if any(goes) else made(path)
    done = clean(path, output=out, result=result)
    assert sorted(done.dropped) == sorted(filter(None, goes))
    stays = "".join(one for one, gone in zip(lines, goes, strict=True) if not gone)
    got = UNPACK[packing](Path(out).read_bytes())
    assert got == stays.encode(encoding)
    # Clean again, without anything to drop, and again the same.
    again = str(folder / f"again.jsonl{packing}")
    clean(out, output=again, result=made(out))
    assert Path(again).read_bytes() == Path(out).read_bytes()


JSON_WAYS = {"list": ("[", ",", "]"), "row": ("", "", "")}


@given(st.lists(st.booleans(), min_size=2), st.sampled_from(sorted(JSON_WAYS)), st.data())
def test_values_of_json_that_stay_keep_their_bytes(tmp_path_factory, gone, way, data):
    folder = tmp_path_factory.mktemp("law")
    gone = [False, *gone]
    start, comma, end = JSON_WAYS[way]
    style = data.draw(st.sampled_from([{}, {"indent": 2}, {"ensure_ascii": False}]))
    space = data.draw(st.sampled_from(["", " ", "\r\n", "\n\t"]))
    values = [json.dumps({"id": str(i), "text": f"é {i}"}, **style) for i in range(len(gone))]
    encoding = data.draw(st.sampled_from(ENCODINGS))

    def written(values):
        return f"{space}{start}{space}{f'{comma}{space}'.join(values)}{space}{end}\n".encode(
            encoding
        )

    path, out = str(folder / "in.json"), str(folder / "out.json")
    Path(path).write_bytes(written(values))
    goes = [str(i) for i, one in enumerate(gone) if one]
    result = made(path, ["0", *goes]) if goes else made(path)
    assert sorted(clean(path, output=out, result=result).dropped) == sorted(goes)
    stay = [value for value, one in zip(values, gone, strict=True) if not one]
    assert Path(out).read_bytes() == written(stay)
    clean(path, output=str(folder / "marked.json"), result=result, annotate=True)
    marked = (folder / "marked.json").read_text(encoding=encoding)
    rows = json.loads(marked) if way == "list" else [v.content for v in json_values(marked)]
    assert [row["duplicate_of"] for row in rows] == ["0" if one else None for one in gone]
    for row, value in zip(rows, values, strict=True):
        assert {key: row[key] for key in ("id", "text")} == json.loads(value)


@st.composite
def tables(draw):
    """Draw rows of a table, each as it is written, and which of them go."""
    # The writer of Python 3.11 does not quote a bare carriage return, which then is no CSV.
    parts = st.sampled_from(["a", ",", ";", '"', "\n", "\r\n", " ", "é", "\u2028", "\t"])
    cell = st.lists(parts, max_size=5).map("".join)
    width = draw(st.integers(2, 4))
    rows = [["id", "text", "c", "d"][:width]]
    for i in range(draw(st.integers(2, 6))):
        rest = draw(st.lists(cell, min_size=width - 2, max_size=width - 2))
        rows.append([str(i), draw(cell) + "x", *rest])
    written = []
    for row in rows:
        quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        text = io.StringIO()
        csv.writer(text, lineterminator=draw(st.sampled_from(ENDS)), quoting=quoting).writerow(row)
        written.append(draw(st.sampled_from(["", "\n"])) + text.getvalue())
    if draw(st.booleans()):
        written[-1] = written[-1].rstrip("\r\n")
    return rows, written, [i for i in range(1, len(rows) - 1) if draw(st.booleans())]


def searched(tmp_path_factory, written, goes, encoding):
    """Return a table on disk, a place to write it anew, and a result by which some rows go."""
    folder = tmp_path_factory.mktemp("law")
    path, out = str(folder / "in.csv"), str(folder / "out.csv")
    Path(path).write_bytes("".join(written).encode(encoding))
    return path, out, made(path, ["0", *map(str, goes)]) if goes else made(path)


@given(tables(), st.sampled_from(ENCODINGS))
def test_rows_that_stay_keep_their_bytes(tmp_path_factory, drawn, encoding):
    _, written, goes = drawn
    path, out, result = searched(tmp_path_factory, written, goes, encoding)
    done = clean(path, output=out, result=result)
    assert done.dropped == tuple(map(str, goes))
    # What goes takes its own lines with it, and not the blank ones before it.
    stays = [
        text[: len(text) - len(text.lstrip("\n"))] if i - 1 in goes else text
        for i, text in enumerate(written)
    ]
    assert Path(out).read_bytes() == "".join(stays).encode(encoding)


@given(tables(), st.sampled_from(ENCODINGS))
def test_a_table_with_marks_has_every_row_and_every_cell(tmp_path_factory, drawn, encoding):
    rows, written, goes = drawn
    path, out, result = searched(tmp_path_factory, written, goes, encoding)
    done = clean(path, output=out, result=result, annotate=True)
    assert done.dropped == ()
    text = Path(out).read_bytes().decode(encoding)
    found = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    assert [row[:-5] for row in found] == rows
    assert found[0][-5:] == [*FIELDS]
    numbers = iter(range(2 if goes else 1, len(found) + 1))
    for i, row in enumerate(found[1:]):
        number = 1 if goes and i == 0 else next(numbers) if i not in goes else 1
        kept = [str(number), "", "1.0", "", ""]
        assert row[-5:] == (
            ["1", "0", "0.9", "contained", "7 words, shared"] if i in goes else kept
        )


@given(json_lines())
def test_lines_with_marks_are_the_lines_and_marks(tmp_path_factory, drawn):
    lines, goes = drawn
    folder = tmp_path_factory.mktemp("law")
    path, out = str(folder / "in.jsonl"), str(folder / "out.jsonl")
    Path(path).write_bytes("".join(lines).encode())
    result = made(path, ["0", *filter(None, goes)]) if any(goes) else made(path)
    clean(path, output=out, result=result, annotate=True)
    for before, after in zip(lines, Path(out).read_bytes().decode().split("\n"), strict=False):
        before = before.rstrip("\n")  # noqa: PLW2901
        if before == after:
            assert '"n"' not in before
            continue
        body = before.rstrip()[:-1]
        assert after.startswith(body + (", " if json.loads(before) else ""))
        assert after.endswith(before[len(before.rstrip()) :])
        record, marked = json.loads(before), json.loads(after)
        assert list(marked) == [*record, *FIELDS]
        assert marked["duplicate_of"] == ("0" if record.get("id") in filter(None, goes) else None)


# Lines.


def test_order_and_blank_lines_stay(here):
    data = "\n".join([line("b"), "", line("a"), " ", line("c"), ""]).encode()
    expected = "\n".join(["", line("a"), " ", line("c"), ""]).encode()
    assert cleaned(data, ["a", "b"]) == expected


def test_the_last_line_needs_no_end(here):
    data = "\n".join([line("a"), line("b")]).encode()
    assert cleaned(data, ["a", "b"]) == line("a").encode() + b"\n"
    assert cleaned(data, ["b", "a"]) == line("b").encode()


def test_a_byte_order_mark_outlives_its_line(here):
    data = b"\xef\xbb\xbf" + "\n".join([line("a"), line("b")]).encode()
    assert cleaned(data, ["b", "a"]) == b"\xef\xbb\xbf" + line("b").encode()


def test_a_line_over_the_limit_stays(here, monkeypatch):
    long = json.dumps({"id": "b", "text": "x" * 500})
    data = "\n".join([line("a"), long, line("c")]).encode()
    monkeypatch.setattr("dedupe.cleaning.Options", lambda *_, **__: Options(max_bytes=100))
    Path("in.jsonl").write_bytes(data)
    result = made("in.jsonl", ["a", "c"], max_bytes=100)
    assert [skipped.id for skipped in result.skipped] == ["in.jsonl:2"]
    clean("in.jsonl", output="out.jsonl", result=result)
    assert Path("out.jsonl").read_text() == f"{line('a')}\n{long}\n"


def test_a_skipped_record_stays_whatever_its_name(here):
    data = "\n".join([line("a"), line("b"), '{"id": "b"}', '{"id": "b", "text": 1}']).encode()
    assert cleaned(data, ["a", "b"]) == b"\n".join(
        [line("a").encode(), b'{"id": "b"}', b'{"id": "b", "text": 1}']
    )


def test_records_without_an_id_go_by_their_place(here):
    data = b'{"text": "x"}\n\n{"text": "y"}\n{"text": "z"}\n'
    assert cleaned(data, ["in.jsonl:1", "in.jsonl:3"]) == b'{"text": "x"}\n\n{"text": "z"}\n'


def test_fields_have_the_names_that_are_given(here):
    data = b'{"url": "a", "body": "x"}\n{"url": "b", "body": "y"}\n'
    Path("in.jsonl").write_bytes(data)
    names = {"id_field": "url", "text_field": "body"}
    result = made("in.jsonl", ["a", "b"], **names)
    clean("in.jsonl", output="out.jsonl", result=result, **names)
    assert Path("out.jsonl").read_bytes() == b'{"url": "a", "body": "x"}\n'


def test_marks_of_what_is_in_no_cluster_and_of_what_cannot_be_read(here):
    data = "\n".join([line("a"), "bad", line("b"), line("c"), '{"id": 1}']).encode()
    rows = cleaned(data, ["a", "b"], annotate=True).decode().split("\n")
    alone = {"duplicate_of": None, "score": 1.0, "relation": None, "reason": None}
    assert rows[0] == line("a", cluster=1, **alone)
    assert rows[1] == "bad"
    marks = {"score": 0.9, "relation": "contained", "reason": "7 words, shared"}
    assert rows[2] == line("b", cluster=1, duplicate_of="a", **marks)
    assert rows[3] == line("c", cluster=2, **alone)
    assert rows[4] == json.dumps({"id": 1, **dict.fromkeys(FIELDS)})


@pytest.mark.parametrize("name", ["in.jsonl", "in.csv", "in.parquet"])
def test_marks_do_not_overwrite_a_field(here, name):
    write = {
        "in.jsonl": lambda: Path(name).write_text(line("a", score=3)),
        "in.csv": lambda: Path(name).write_text("id,text,score\na,x,3\n"),
        "in.parquet": lambda: parquet.write_table(
            pa.table({"id": ["a"], "text": ["x"], "score": [3]}), name
        ),
    }
    write[name]()
    out = Path(name.replace("in", "out"))
    out.write_text(BEFORE)
    with pytest.raises(InvalidSetting, match=r"has score already: rename what is there"):
        clean(name, output=out, annotate=True, result=made(name))
    assert tree() == {name: Path(name).read_bytes(), out.name: BEFORE.encode()}


# Tables.


def test_a_quoted_newline_belongs_to_its_row(here):
    data = b'id,text\r\na,"x\r\ny"\r\nb,"x\n\ny"\r\n"c","z"\r\n'
    assert cleaned(data, ["a", "b"], name="in.csv") == b'id,text\r\na,"x\r\ny"\r\n"c","z"\r\n'


def test_a_row_that_is_none_stays(here):
    data = b'id,text\na,x\nb,y,too many\nc,z\nd,"never closed\nc,"\n'
    expected = b'id,text\na,x\nb,y,too many\nd,"never closed\nc,"\n'
    assert cleaned(data, ["a", "c"], name="in.csv") == expected


def test_marks_never_slip_under_another_name(here):
    data = b'id,text,n\na,x\nb,y,1,2\nc,z,1\nd,"open\n'
    assert cleaned(data, ["a", "c"], name="in.csv", annotate=True) == (
        b"id,text,n,cluster,duplicate_of,score,relation,reason\n"
        b"a,x,,1,,1.0,,\n"
        b"b,y,1,2,,,,,\n"
        b'c,z,1,1,a,0.9,contained,"7 words, shared"\n'
        b'd,"open\n'
    )


@pytest.mark.parametrize("behind", [b",", b',,""'])
def test_empty_cells_behind_those_of_the_header_give_way_to_marks(here, behind):
    data = b"id,text\r\na,x" + behind + b"\r\nb,y\r\nc,z" + behind
    assert cleaned(data, ["a", "c"], name="in.csv", annotate=True) == (
        b"id,text,cluster,duplicate_of,score,relation,reason\r\n"
        b"a,x,1,,1.0,,\r\n"
        b"b,y,2,,1.0,,\r\n"
        b'c,z,1,a,0.9,contained,"7 words, shared"'
    )


def test_tabs_and_windows_1252(here):
    data = "id\ttext\na\tcafé “x”\nb\ty\nc\tété\n".encode("cp1252")
    assert cleaned(data, ["a", "b"], name="in.tsv") == data.replace(b"b\ty\n", b"")
    marked = cleaned(data, ["a", "b"], name="in.tsv", annotate=True)
    assert marked.split(b"\n")[1] == "a\tcafé “x”\t1\t\t1.0\t\t".encode("cp1252")


# Parquet.


def table(**more) -> pa.Table:
    """Make a table of six rows with types and metadata of many kinds."""
    schema = pa.schema(
        [
            pa.field("id", pa.int32(), nullable=False),
            pa.field("text", pa.large_string(), metadata={b"what": b"the text"}),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("when", pa.timestamp("ms", "UTC")),
            pa.field("site", pa.dictionary(pa.int8(), pa.string())),
            pa.field("more", pa.struct([("a", pa.decimal128(5, 2)), ("b", pa.binary())])),
        ],
        metadata={b"origin": b"a crawl", b"pandas": b"{}"},
    )
    rows = [
        {"id": i, "text": f"text {i}" if i != 4 else None, "tags": [str(i)] * i, "when": i,
         "site": "ab"[i % 2], "more": {"a": i, "b": b"\xff"}}
        for i in range(6)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema)


@pytest.mark.parametrize("compression", ["NONE", "snappy", "zstd", "gzip"])
@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_parquet_keeps_schema_metadata_and_ways(here, compression, version):
    before = table()
    parquet.write_table(
        before, "in.parquet", compression=compression, version=version, row_group_size=4
    )
    before = parquet.read_table("in.parquet")
    result = made("in.parquet", ["0", "1", "5"])
    assert [skipped.id for skipped in result.skipped] == [4]
    done = clean("in.parquet", output="out.parquet", result=result)
    assert done.dropped == (1, 5)
    after = parquet.read_table("out.parquet")
    assert after.schema.equals(before.schema, check_metadata=True)
    assert after == before.take([0, 2, 3, 4])
    old, new = (parquet.read_metadata(name) for name in ("in.parquet", "out.parquet"))
    assert new.metadata.keys() == old.metadata.keys()
    for name in (b"origin", b"pandas"):
        assert new.metadata[name] == old.metadata[name]
    assert [new.row_group(i).num_rows for i in range(new.num_row_groups)] == [3, 1]
    for i in range(old.num_columns):
        assert new.row_group(0).column(i).compression == old.row_group(0).column(i).compression
    assert new.format_version == old.format_version


def test_parquet_again_gives_the_same_bytes(here):
    parquet.write_table(table(), "in.parquet")
    clean("in.parquet", output="1.parquet", result=made("in.parquet", ["0", "1"]))
    clean("1.parquet", output="2.parquet", result=made("1.parquet"))
    assert Path("1.parquet").read_bytes() == Path("2.parquet").read_bytes()


def test_parquet_with_marks(here):
    parquet.write_table(table(), "in.parquet", row_group_size=4)
    clean("in.parquet", output="out.parquet", annotate=True, result=made("in.parquet", ["0", "5"]))
    before, after = parquet.read_table("in.parquet"), parquet.read_table("out.parquet")
    assert after.drop_columns([*FIELDS]) == before
    assert after.schema.metadata == before.schema.metadata
    # The fifth has no text.
    assert after["cluster"].to_pylist() == [1, 2, 3, 4, None, 1]
    assert after["duplicate_of"].to_pylist() == [None] * 5 + [0]
    assert after["score"].to_pylist() == [1.0, 1.0, 1.0, 1.0, None, 0.9]
    assert after["relation"].to_pylist() == [None] * 5 + ["contained"]
    assert after["reason"].to_pylist() == [None] * 5 + ["7 words, shared"]


def test_times_of_spark_stay_what_they_are(here):
    times = pa.table(
        {"id": ["a", "b"], "text": ["x", "y"], "when": pa.array([1, 2], "timestamp[ns]")}
    )
    parquet.write_table(times, "in.parquet", use_deprecated_int96_timestamps=True)
    clean("in.parquet", output="out.parquet", result=made("in.parquet", ["a", "b"]))
    column = parquet.read_metadata("out.parquet").row_group(0).column(2)
    assert column.physical_type == "INT96"


def test_a_large_row_group_is_written_in_parts(here, monkeypatch):
    monkeypatch.setattr("dedupe.documents.formats.parquet.rewriting.GROUP_BYTES", 10)
    n = 600
    parquet.write_table(pa.table({"id": range(n), "text": ["x"] * n}), "in.parquet")
    clean("in.parquet", output="out.parquet", result=made("in.parquet", ["0", "599"]))
    assert parquet.read_table("out.parquet")["id"].to_pylist() == list(range(n - 1))
    assert parquet.read_metadata("out.parquet").num_row_groups == 3


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_parquet_that_is_compressed_as_a_whole(here, packing):
    parquet.write_table(table(), "plain.parquet")
    Path(f"in.parquet{packing}").write_bytes(PACK[packing](Path("plain.parquet").read_bytes()))
    result = made(f"in.parquet{packing}", ["0", "1"])
    clean(f"in.parquet{packing}", output=f"out.parquet{packing}", result=result)
    data = UNPACK[packing](Path(f"out.parquet{packing}").read_bytes())
    assert parquet.read_table(io.BytesIO(data))["id"].to_pylist() == [0, 2, 3, 4, 5]


# Files that cannot be read.


def test_what_is_damaged_is_copied_as_it_is(here):
    data = gzip.compress("\n".join(line(str(i)) for i in range(50)).encode())[:-30]
    Path("in").mkdir()
    Path("in/a.jsonl.gz").write_bytes(data)
    Path("in/b.jsonl").write_text(f"{line('x')}\n{line('y')}\n")
    result = made("in", ["x", "0", "y"])
    done = clean("in", output="out", result=result)
    assert done.dropped == ("y",)
    assert [item.id for item in done.left] == ["0"]
    assert done.left[0].reason.startswith("in/a.jsonl.gz is copied as it is: damaged .gz file")
    assert tree("out") == {"a.jsonl.gz": data, "b.jsonl": f"{line('x')}\n".encode()}
    with pytest.raises(CannotClean, match="only be copied under the same compression"):
        clean("in/a.jsonl.gz", output="out.jsonl", result=made("in/a.jsonl.gz", ["0", "1"]))
    assert not Path("out.jsonl").exists()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails")
@pytest.mark.parametrize("name", ["mem.txt", "mem.jsonl", "mem.csv", "mem.json", "mem.parquet"])
def test_a_file_that_the_disk_does_not_give_is_named_and_the_others_are_written(here, name):
    Path("a.txt").write_text("one")
    Path("b.jsonl").write_text('{"text": "two"}\n{"text": "two"}\n')
    Path(name).symlink_to("/proc/self/mem")
    paths = ["a.txt", "b.jsonl", name]
    result = made(paths, ["b.jsonl:1", "b.jsonl:2"])
    done = clean(paths, output="out", result=result)
    assert tree("out") == {"a.txt": b"one", "b.jsonl": b'{"text": "two"}\n'}
    (left,) = done.left
    assert (left.id, left.remedy) == (name, "check the file")
    assert left.reason.startswith("not written: cannot be read: ")
    assert (done.dropped, done.n_kept) == (("b.jsonl:2",), 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("annotate", [False, True])
def test_links_and_what_is_no_file_are_said_not_to_be_copied(here, annotate):
    Path("in/deep").mkdir(parents=True)
    Path("in/a.jsonl").write_text(f"{line('x')}\n{line('y')}\n")
    Path("precious.txt").write_text("precious")
    for name, target in {"broken": "missing", "out": "../precious.txt", "to": "deep"}.items():
        Path("in", name).symlink_to(target)
    os.mkfifo("in/pipe")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind("in/socket")
    done = clean("in", output="out", annotate=annotate, result=made("in", ["x", "y"]))
    assert sorted(tree("out")) == ["a.jsonl"]
    assert done.left == ()
    assert [item.id for item in done.not_copied] == [
        f"in/{name}" for name in ("broken", "out", "pipe", "socket", "to")
    ]
    assert set(done.not_copied) == set(done.result.skipped)


def locked(monkeypatch, call: str, *paths: str) -> None:
    """Let a call of the system fail for some paths, as it does for who is not root."""
    real = getattr(os, call)

    def refuse(path, *args, **more):
        if path in paths:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *args, **more)

    monkeypatch.setattr(os, call, refuse)


@pytest.mark.parametrize(
    ("call", "path", "reason"),
    [
        ("scandir", "in/deep", "not written: the folder cannot be listed: Permission denied"),
        ("stat", "in/deep/b.txt", "not written: cannot be reached: Permission denied"),
    ],
)
def test_texts_that_cannot_be_reached_are_left(here, monkeypatch, call, path, reason):
    Path("in/deep").mkdir(parents=True)
    Path("in/a.txt").write_text("one")
    Path("in/deep/b.txt").write_text("two")
    locked(monkeypatch, call, path)
    done = clean("in", output="out", result=made("in"))
    assert tree("out") == {"a.txt": b"one"}
    assert [(item.id, item.reason) for item in done.left] == [(path, reason)]
    assert (done.not_copied, done.n_kept) == ((), 1)


def test_a_file_that_is_gone_after_it_was_listed_is_left(here, monkeypatch):
    Path("in").mkdir()
    for name in "ab":
        Path(f"in/{name}.txt").write_text(name)
    result = replace(made("in"), n_documents=2)
    walk = inventory.walk

    def vanishing(paths):
        for found in walk(paths):
            if found.id == "in/b.txt":
                Path("in/b.txt").unlink()
            yield found

    monkeypatch.setattr(inventory, "walk", vanishing)
    done = clean("in", output="out", result=result)
    assert tree("out") == {"a.txt": b"a"}
    assert [(item.id, item.reason) for item in done.left] == [
        ("in/b.txt", "not written: cannot be reached: No such file or directory")
    ]


def test_what_of_an_old_collection_cannot_be_reached_is_not_to_be_written(here, monkeypatch):
    for name in ("new/a.txt", "old/b.txt", "old/deep/c.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    locked(monkeypatch, "scandir", "old/deep")
    done = clean("new", against="old", output="out", result=made("new", against="old"))
    assert (done.left, done.not_copied, list(tree("out"))) == ((), (), ["a.txt"])


def test_marks_that_a_damaged_file_cannot_bear_are_said(here):
    data = gzip.compress("\n".join(line(str(i)) for i in range(50)).encode())[:-30]
    Path("in").mkdir()
    Path("in/a.jsonl.gz").write_bytes(data)
    Path("in/empty.jsonl").touch()
    Path("in/r.jsonl").write_text(f"{line('x')}\n")
    done = clean("in", output="out", annotate=True, result=made("in", ["x", "0"]))
    assert (done.dropped, [item.id for item in done.left]) == ((), ["0"])
    assert tree("out")["a.jsonl.gz"] == data
    assert json.loads(tree("out")["r.jsonl"])["cluster"] == 1


def test_a_damaged_table_is_copied_as_it_is(here):
    rows = pa.table({"id": range(1000), "text": [f"text {i}" for i in range(1000)]})
    parquet.write_table(rows, "in.parquet", row_group_size=512, compression="gzip")
    data = bytearray(Path("in.parquet").read_bytes())
    second = parquet.read_metadata("in.parquet").row_group(1).column(1).data_page_offset
    data[second : second + 40] = bytes(40)
    Path("in.parquet").write_bytes(data)
    result = made("in.parquet", ["0", "1"])
    done = clean("in.parquet", output="out.parquet", result=result)
    assert (done.dropped, [item.id for item in done.left]) == ((), [1])
    assert Path("out.parquet").read_bytes() == data


@pytest.mark.parametrize("column", [0, 1, 2], ids=["id", "text", "another"])
def test_what_stands_behind_the_damage_of_a_table_is_left_too(here, column):
    rows = {"id": range(90), "text": [f"text {i}" for i in range(90)], "n": range(90)}
    parquet.write_table(pa.table(rows), "in.parquet", row_group_size=30, compression="gzip")
    data = bytearray(Path("in.parquet").read_bytes())
    place = parquet.read_metadata("in.parquet").row_group(1).column(column).data_page_offset
    data[place : place + 20] = bytes(20)
    Path("in.parquet").write_bytes(data)
    done = clean("in.parquet", output="out.parquet", result=made("in.parquet", ["0", "1", "89"]))
    assert (done.dropped, [item.id for item in done.left]) == ((), [1, 89])
    assert "in.parquet is copied as it is: not sound Parquet" in done.left[1].reason
    assert Path("out.parquet").read_bytes() == data


def test_empty_files_and_files_without_texts_are_copied(here):
    Path("in/deep").mkdir(parents=True)
    Path("in/a.jsonl").write_text(f"{line('x')}\n{line('y')}\n")
    Path("in/deep/empty.csv").touch()
    Path("in/deep/other.csv").write_text("a,b\n1,2\n")
    Path("in/photo.jpg").write_bytes(b"\xff\xd8\0")
    done = clean("in", output="out", result=made("in", ["x", "y"]))
    assert done.left == ()
    assert tree("out") == {**tree("in"), "a.jsonl": f"{line('x')}\n".encode()}


def test_single_texts_are_copied_unless_they_go(here):
    Path("in").mkdir()
    for name in ("a.txt", "b.txt", "c.html"):
        Path("in", name).write_text(name)
    Path("in/d.jsonl").write_text(line("d"))
    done = clean("in", output="out", result=made("in", ["d", "in/b.txt"]))
    assert done.dropped == ("in/b.txt",)
    assert sorted(tree("out")) == ["a.txt", "c.html", "d.jsonl"]
    with pytest.raises(InvalidSetting, match=r"got 'in/a.txt', which is one text"):
        clean("in", output="out", annotate=True, result=made("in"))


def test_a_folder_must_not_hold_what_goes(here):
    for name in ("in/a.txt", "in/b.txt", "out/b.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)
    with pytest.raises(CannotClean, match=r"must not hold what goes, got 'out/b\.txt'"):
        clean("in", output="out", result=made("in", ["in/a.txt", "in/b.txt"]))
    assert sorted(tree("out")) == ["b.txt"]


def test_a_link_that_leads_nowhere_holds_nothing(here):
    Path("in.jsonl").symlink_to("missing")
    with pytest.raises(NothingToRead):
        clean("in.jsonl", output="out.jsonl")

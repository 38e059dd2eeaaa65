"""Files that are sound but for a few places: each gets an answer, or an error that is ours.

An input begins as what its format allows, however odd, and most of the damage leaves
the rest of it in order, so that it gets further than the first line of a reader.
CONTRIBUTING.md has the command that draws 100,000 of them.
"""

import bz2
import csv
import gzip
import html
import io
import json
import lzma
import math
import os
import re
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from functools import reduce
from operator import getitem
from unittest import mock

import pyarrow as pa
import pytest
import zstandard
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from cleaned import made, tree
from dedupe import calibrate, clean, find_duplicate_texts, find_duplicates
from dedupe.cleaning import journal
from dedupe.cleaning.inventory import Stamp
from dedupe.documents import Document, Skipped, read_file, read_paths
from dedupe.documents.formats import source_of
from dedupe.documents.formats.encoding import text_chunks
from dedupe.documents.options import Options
from dedupe.documents.walk import walk
from dedupe.engine import intake, local
from dedupe.errors import (
    CannotClean,
    CannotStore,
    DedupeError,
    DuplicateId,
    InvalidCheckpoint,
    InvalidLabels,
    InvalidResult,
)
from dedupe.results.result import Result
from strategies import article, texts

PACKINGS = {
    "": bytes,
    ".gz": lambda data: gzip.compress(data, 1, mtime=0),
    ".xz": lambda data: lzma.compress(data, preset=0),
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}

SECONDS_A_BYTE = 1e-5
"""Of processor time that reading may take: far above what it does, and far below a square."""


def at_most(n):
    """Give a test its share of the 100,000 inputs of the profile "fuzz", and others no more."""
    return settings(max_examples=min(n, settings.default.max_examples))


# --- damage ---

where = st.builds(lambda high, low: high * 256 + low, st.integers(0, 255), st.integers(0, 255))
"""Places in anything, however long it is; of a single integer most would be near the start."""

HUGE = (b"9223372036854775808", b"9" * 400, b"9" * 5000)
NUMBERS = (b"0", b"-1", b"1e999", b"1e-400", b"NaN", *HUGE)

PIECES = (
    *(b"\0", b'"', b"\n", b"\r", b",", b"\t", b"{", b"}", b"[", b"]", b"</", b"<!--", b"null"),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\\ud800", b'"":', b"<table><a>", b"&#x110000;"),
    *(b"[" * 900 + b"]" * 900, b'{"":' * 900 + b"0" + b"}" * 900, b"[" * 100_000, b""),
)

IN_PLACE = ("flip", "overwrite", "swap")
WAYS = (
    *("replace", "delete", "repeat", "insert", "swap lines", "repeat line"),
    *("number", "number", "cut", "multiply", *IN_PLACE),
)


def damages(ways=WAYS):
    """Draw what is done to bytes, most of which keeps what stands around it."""
    pieces = st.sampled_from(PIECES + NUMBERS)
    steps = st.tuples(st.sampled_from(ways), where, where, st.integers(0, 12), pieces)
    return st.lists(steps, min_size=1, max_size=2)


def damaged(data, steps):
    """Return bytes with a few places changed."""
    return reduce(_changed, steps, data)


def _changed(data, step):
    """Return bytes with one change."""
    way, place, other, size, piece = step
    start, last = sorted((_scaled(place, len(data)), _scaled(other, len(data))))
    if way == "cut":
        return data[:last]
    if way in ("swap lines", "repeat line"):
        lines = data.splitlines(keepends=True) or [b""]
        i, j = (_scaled(one, len(lines) - 1) for one in (place, other))
        lines[i], lines[j] = lines[j], lines[i if way == "swap lines" else j]
        return b"".join(lines)
    if way == "number" and (found := [*re.finditer(rb"-?\d[\d.]*", data)]):
        start, end = found[_scaled(place, len(found) - 1)].span()
        return data[:start] + NUMBERS[size % len(NUMBERS)] + data[end:]
    part, after = data[start : start + size], data[last : last + size]
    if way == "swap":
        return data[:start] + after + data[start + size : last] + part + data[last + size :]
    new = {
        "delete": b"",
        "repeat": part * 2,
        "insert": piece + part,
        "overwrite": (piece * size)[: len(part)],
        "flip": bytes(255 - one for one in part[:1]) + part[1:],
        "multiply": (part + piece) * (50_000 // max(1, len(part + piece))),
    }
    return data[:start] + new.get(way, piece) + data[start + size :]


def _scaled(place, n):
    """Return a place as one of n + 1."""
    return place * n >> 16


DEEP = reduce(lambda inner, _: [inner], range(300), 0)

# The names are for journals: a place there must not lead out of what is cleaned.
JUNK = (
    *(None, True, 0, -1, 1.5, 2**63, 10**400, 1e-320, float("nan"), float("inf")),
    *([], {}, [[]], DEEP, "", "junk", "\ud800", "\0", "x" * 5000),
    *("..", "/", "a.txt", "../precious.txt"),
)

rewritings = st.lists(
    st.tuples(
        st.sampled_from(("junk", "junk", "delete", "repeat", "swap", "copy")),
        where,
        where,
        st.sampled_from(JUNK),
    ),
    max_size=2,
)
"""What is done to values of JSON, so that the text is JSON still."""


def rewritten(facts, steps):
    """Return values of JSON with a few of them changed."""
    facts = _copied(facts)
    for way, place, other, junk in steps:
        paths = [*_places(facts)]
        if not paths:
            break
        (inside, last), (beside, key) = (
            (reduce(getitem, above, facts), last)
            for *above, last in (paths[_scaled(one, len(paths) - 1)] for one in (place, other))
        )
        value, another = _copied(inside[last]), _copied(beside[key])
        if way == "delete":
            del inside[last]
        elif way == "repeat" and isinstance(inside, list):
            inside.insert(last, value)
        elif way == "swap":
            inside[last], beside[key] = another, value
        else:
            inside[last] = another if way == "copy" else _copied(junk)
    return facts


def _copied(value):
    return json.loads(json.dumps(value))


def _places(facts, path=()):
    """Yield the path of everything inside a value of JSON."""
    for key in range(len(facts)) if isinstance(facts, list) else facts:
        yield (*path, key)
        if isinstance(facts[key], dict | list) and len(path) < 9:
            yield from _places(facts[key], (*path, key))


# --- sound files ---

WESTERN = 'abc xyz\n,;"éèüßñÀÖ'
"""Letters whose bytes in Windows-1252 are never UTF-8."""

bodies = texts | st.text(st.sampled_from(WESTERN)) | st.sampled_from([article("a"), article("b")])
odd = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
values = st.recursive(
    odd,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(texts, one, max_size=3),
    max_leaves=4,
)
times = odd | st.sampled_from(["2022-06-16T10:00:00Z", "20220616", "1e9", 10**12, "1_0"])
records = st.lists(
    st.fixed_dictionaries(
        {"id": odd, "text": bodies | bodies | values},
        optional={"time": times, "note": values},
    ),
    min_size=1,
    max_size=4,
)
options = st.builds(Options, time_field=st.sampled_from([None, "time"]))


def text_of(value):
    """Return the text that is to be read of a value, or None where it is to be skipped."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain(text):
    """Return a text without what only JSON can hold."""
    return text.encode("utf-8", "replace").decode().lstrip("\ufeff")


def encoded(draw, text, *, is_json=False):
    """Return a text in an encoding that is told by its mark, or needs none."""
    names = [*["utf-8"] * 6, "utf-8-sig", "utf-16", "utf-32"]
    if set(text) <= {*WESTERN, *map(chr, range(128))} and not is_json:
        names.append("cp1252")
    return text.encode(draw(st.sampled_from(names)))


def text_file(draw, _, start=""):
    text = plain(start + draw(bodies))
    # Whether control characters make it binary is for others to test.
    is_text = not re.search(r"[\0-\x08\x0e-\x1f\x7f]", text)
    return encoded(draw, text), [text_of(text) if is_text else ...]


TAGS = (
    *("p", "div", "b", "br", "table", "tr", "td", "a", "article", "script", "pre", "title"),
    *("xyz:w", "template", "h1", "li", "svg", "math"),
)
INSIDE = (article("a"), "&nbsp;", "<!-- x -->", "</p>", "<![CDATA[x]]>", "&#0;", "<br/>")

pages = st.recursive(
    texts.map(plain).map(html.escape) | st.sampled_from(INSIDE),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)).map(
        lambda one: f'<{one[0]} id="x" {one[0]}=1>{"".join(one[1])}</{one[0]}>'
    ),
    max_leaves=12,
)


def html_file(draw, _):
    heads = ["", "<!doctype html>", '<meta charset="shift_jis">', "<html><body>"]
    return encoded(draw, draw(st.sampled_from(heads)) + draw(pages)), [...]


def jsonl_file(draw, rows):
    end = draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    text = "".join(_dumped(draw, row) + end for row in rows)
    return encoded(draw, text, is_json=True), [*map(_expected, rows)]


def json_file(draw, rows, shapes=("list", "each")):
    if draw(st.sampled_from(shapes)) == "list":
        text = "[" + ",\n ".join(_dumped(draw, row) for row in rows) + "]\n"
    else:
        text = " ".join(_dumped(draw, row) for row in rows)
        assume(not text.startswith("["))  # That would be the list.
    return encoded(draw, text, is_json=True), [*map(_expected, rows)]


def _dumped(draw, value):
    """Return a value as JSON, in which half a character must be escaped."""
    text = json.dumps(value, ensure_ascii=False)
    is_whole = plain(text) == text
    return text if is_whole and draw(st.booleans()) else json.dumps(value)


def _expected(row):
    """Return the text of a record: nothing where its id is none, which is for others to test."""
    if not isinstance(row, dict) or isinstance(row.get("id"), bool | list | dict):
        return None
    id_ = row.get("id")
    is_id = math.isfinite(id_) if isinstance(id_, float) else plain(str(id_)) == str(id_)
    return text_of(row.get("text")) if is_id else ...


def csv_file(draw, rows, delimiter=","):
    names = ["id", "text", *draw(st.sampled_from([[], ["time"], ["note", "time"]]))]
    cells = [[plain(str(row.get(name, ""))) for name in names] for row in _objects(rows)]
    # Before Python 3.13, the writer puts no quotes around a bare carriage return.
    has_return = any("\r" in cell for row in cells for cell in row)
    quoting = csv.QUOTE_ALL if has_return or draw(st.booleans()) else csv.QUOTE_MINIMAL
    text = io.StringIO()
    ways = {"quoting": quoting, "lineterminator": draw(st.sampled_from(["\n", "\r\n"]))}
    csv.writer(text, delimiter=delimiter, **ways).writerows([names, *cells])
    return encoded(draw, text.getvalue()), [text_of(row[1]) for row in cells]


def _objects(rows):
    return [row for row in rows if isinstance(row, dict)]


TYPES = (
    *(pa.string(), pa.large_string(), pa.binary(), pa.int64(), pa.uint64(), pa.float32()),
    *(pa.bool_(), pa.date32(), pa.timestamp("ns", "UTC"), pa.timestamp("us"), pa.time64("ns")),
    *(pa.duration("ns"), pa.decimal128(38, 2), pa.list_(pa.int64()), pa.null()),
    *(pa.dictionary(pa.int32(), pa.string()), pa.struct({"x": pa.int64()})),
)
TEXT_TYPES = (TYPES[0], TYPES[1], TYPES[-2])
CODECS = ("none", "none", "none", "snappy", "gzip", "zstd", "lz4", "brotli")

types = st.sampled_from(TYPES)
numbers = st.none() | st.integers(-99, 99) | st.integers(-(2**63), 2**63 - 1)


def parquet_file(draw, rows):
    # Of a few rows, most of a file would be its table of contents.
    rows = _objects(rows) * draw(st.sampled_from([1, 40, 40]))
    kind = draw(st.sampled_from(TEXT_TYPES) | types)
    bodies = [plain(one) if isinstance(one := row.get("text"), str) else None for row in rows]
    columns = {"text": _column(bodies, kind)}
    kinds = {"id": draw(types), "time": draw(types)}
    for name, type_ in kinds.items():
        column = draw(st.lists(numbers, min_size=1, max_size=5)) * len(rows)
        columns[name] = _column(column[: len(rows)], type_)
    sink = io.BytesIO()
    parquet.write_table(
        pa.table(columns),
        sink,
        compression=draw(st.sampled_from(CODECS)),
        row_group_size=draw(st.sampled_from([None, 1, 2])),
        use_dictionary=draw(st.booleans()),
        data_page_version=draw(st.sampled_from(["1.0", "2.0"])),
        write_page_checksum=draw(st.booleans()),
    )
    # What other types hold may be no id.
    if not (pa.types.is_integer(kinds["id"]) or kinds["id"] in TEXT_TYPES):
        return sink.getvalue(), [...] * len(bodies)
    return sink.getvalue(), [text_of(body) if kind in TEXT_TYPES else None for body in bodies]


def _column(values, kind):
    """Return values as a column of some type, or nothing where it cannot hold them."""
    for between in (None, pa.int32(), pa.string()):
        with suppress(pa.ArrowException):
            column = pa.array(values)
            column = column if between is None else column.cast(between, safe=False)
            return column.cast(kind, safe=False)
    return pa.nulls(len(values), kind)


def piped_file(draw, rows):
    """Return what is known by its first bytes, as standard input is."""
    rows = _objects(rows) or [{}]
    match draw(st.sampled_from(["text", "list", "lines"])):
        case "text":
            return text_file(draw, rows, start="x")
        case "list":
            return json_file(draw, rows, ["list"])
    return jsonl_file(draw, rows)


BUILDERS = {
    "txt": text_file,
    "html": html_file,
    "jsonl": jsonl_file,
    "json": json_file,
    "csv": csv_file,
    "tsv": lambda draw, rows: csv_file(draw, rows, "\t"),
    "parquet": parquet_file,
    "-": piped_file,
}
"""From the suffix of a file to what makes one of records; "-" is standard input."""


@st.composite
def sound_files(draw, suffix):
    """Draw a file, and what is to be read of it: a text, None if skipped, or ... for either."""
    content, expected = BUILDERS[suffix](draw, rewritten(draw(records), draw(rewritings)))
    # No record is nothing to read, but a file of JSON without a list in it is broken.
    is_broken = suffix == "json" and b"[" not in content
    return content, expected or [None] * is_broken


@st.composite
def damaged_files(draw, suffix):
    """Draw a file that is damaged, most often before it is packed; return its suffixes too."""
    packing = "" if suffix == "-" else draw(st.sampled_from([*PACKINGS, "", ""]))
    content, _ = draw(sound_files(suffix))
    # Parquet says where its parts begin, and whatever moves them costs the whole file.
    ways = IN_PLACE if suffix == "parquet" and draw(st.integers(0, 3)) else WAYS
    steps, pack = draw(damages(ways)), PACKINGS[packing]
    if packing and draw(st.integers(0, 7)) == 7:
        return suffix + packing, damaged(pack(content), steps)
    return suffix + packing, pack(damaged(content, steps))


# --- reading ---


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder that all examples use: to make one for each takes longer than the rest."""
    folder = tmp_path_factory.mktemp("fuzzing")
    for suffix in ("html", "parquet"):  # What they import must not be on the clock.
        with on_file(folder, suffix, b"<p>a") as file:
            list(read_file(file, Options()))
    return folder


@contextmanager
def on_file(place, suffix, data):
    """Put a file where it can be read from; yield it as a walk finds it."""
    path = place / f"file.{suffix}"
    if suffix == "-":
        with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(data))):
            yield next(walk(["-"]))
    else:
        path.write_bytes(data)
        os.utime(path, (7, 7))
        yield next(walk([str(path)]))


def read_in_time(place, suffix, data, options):
    """Return what is read of a file, which may take time in proportion to its size."""
    least = max(1, len(data) * SECONDS_A_BYTE)
    # Once in some thousand files the collector of memory, or another process, takes the time.
    for _ in range(3):
        with on_file(place, suffix, data) as file:
            start = time.process_time()
            found = list(read_file(file, options))
            if time.process_time() - start < least:
                return found
    raise AssertionError(f"{len(data)} bytes take more than {least} seconds")


def taken(items):
    """Return what an iterator yields until it ends, or raises what is documented."""
    found = []
    with suppress(DedupeError):
        for item in items:
            found.append(item)  # noqa: PERF402  They are kept when the end raises.
    return found


@pytest.mark.parametrize("suffix", BUILDERS)
@at_most(1_000)
@given(data=st.data())
def test_each_record_of_a_sound_file_is_read_or_named(place, suffix, data):
    content, expected = data.draw(sound_files(suffix))
    packing = "" if suffix == "-" else data.draw(st.sampled_from([*PACKINGS]))
    packed = PACKINGS[packing](content)
    found = read_in_time(place, suffix + packing, packed, data.draw(options))
    assert len(found) == len(expected)
    for (_, item, _), text in zip(found, expected, strict=True):
        assert text is ... or getattr(item, "text", None) == text


@pytest.mark.parametrize("suffix", BUILDERS)
@at_most(8_000)
@given(data=st.data())
def test_a_damaged_file_is_read_as_far_as_it_goes(place, suffix, data):
    name, content = data.draw(damaged_files(suffix))
    how = data.draw(options)
    found = read_in_time(place, name, content, how)
    note_past(any(one.rows or isinstance(one.item, Document) for one in found))
    with on_file(place, name, content) as file:
        again = taken(read_paths(file.path, time_field=how.time_field))
        assert again == [item for _, item, _ in found][: len(again)]
        assert found or holds_no_record(file, suffix)


def holds_no_record(file, suffix):
    """Return whether there is nothing in a file but what may stand around records."""
    if suffix == "parquet":
        whole = io.BytesIO(b"".join(source_of(file).chunks))
        return parquet.read_metadata(whole).num_rows == 0
    data = b"".join(text_chunks(source_of(file).chunks)).strip()
    match suffix:
        case "jsonl":
            return not data
        case "json":
            return data[:1] + data[1:].strip() == b"[]"
        case "csv" | "tsv":
            return sum(map(bool, csv.reader(io.StringIO(data.decode("latin-1"))))) <= 1
    return False


def note_past(is_past):
    """Count for the statistics whether an input got past the first error of the whole file."""
    event("past the first error" if is_past else "refused as a whole")


@at_most(2_000)
@given(st.lists(st.sampled_from([*BUILDERS][:-1]).flatmap(damaged_files), min_size=1, max_size=4))
def test_a_search_accounts_for_all_that_is_read(place, files):
    folder = emptied(place / "folder")
    (folder / "a.txt").write_text("the bridge is closed")
    for number, (suffix, content) in enumerate(files):
        (folder / f"{number}.{suffix}").write_bytes(content)
    items = taken(read_paths(folder))
    try:
        found = find_duplicates(folder, workers=1)
    except DuplicateId:
        note_past(is_past=False)
        return
    note_past(is_past=True)
    assert found.n_documents + len(found.skipped) == len(items)
    # What has no word in it is skipped by the search alone.
    assert {*found.skipped} >= {item for item in items if isinstance(item, Skipped)}


def emptied(folder):
    """Return a folder with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


# --- results and labels ---


@pytest.fixture(scope="module")
def saved():
    """Return the JSON of a result that has some of everything."""
    menu, story, other = (article(name) for name in ("menu", "story", "other"))
    collection = {
        "home": f"{menu}\n{story}",
        "copy \u2028": f"{story}\n{other}",
        "same": f"{menu}\n{story}",
        "template": f"{menu}\n{article('else')}",
        "alone": article("alone"),
        "empty": "",
    }
    old = {"old": f"{other}\n{story}"}
    found = find_duplicate_texts(collection, against=old, workers=1)
    assert found.duplicates
    assert found.skipped
    return found.to_json()


@st.composite
def damaged_json(draw, *lines):
    """Draw lines of JSON with other values in them, and now and then damaged as a text."""
    facts = rewritten([json.loads(line) for line in lines], draw(rewritings))
    data = "\n".join(map(json.dumps, facts)).encode()
    return damaged(data, draw(damages())) if draw(st.integers(0, 3)) == 3 else data


OTHER_FORMAT = re.compile("must be JSON|must say format|DecodeError|format '")
"""What is said of a text that is not looked into any further."""


@at_most(7_000)
@given(data=st.data())
def test_a_damaged_result_is_refused_or_can_be_used(place, saved, data):
    text = data.draw(damaged_json(saved))
    try:
        result = Result.from_json(text)
    except InvalidResult as error:
        note_past(not OTHER_FORMAT.search(str(error)))
        return
    note_past(is_past=True)
    for use in (
        lambda: list(result.rows()),
        lambda: result.at(0.5),
        lambda: result.to_html(place / "report.html"),
    ):
        with suppress(DedupeError):
            use()
    assert Result.from_json(result.to_json()) == result


LABELS = json.dumps(
    {
        "format": "dedupe-labels",
        "version": 1,
        "labels": [
            {"left": "home", "right": "same", "same_story": True},
            {"left": "old", "right": "home", "same_story": True},
            {"left": "home", "right": "template", "same_story": False},
            {"left": "alone", "right": "same", "same_story": False},
        ],
    }
)


@at_most(7_000)
@given(data=damaged_json(LABELS))
def test_damaged_labels_are_refused_or_used(place, saved, data):
    result = Result.from_json(saved)
    path = place / "labels.json"
    path.write_bytes(data)
    try:
        found = calibrate(path, result)
    except InvalidLabels as error:
        note_past(not OTHER_FORMAT.search(str(error)))
        return
    note_past(is_past=True)
    assert found.low <= found.best.threshold <= found.high


# --- journals ---

ACTS = {"delete": {"delete": True}, "move": {"move": "gone"}, "hardlink": {"hardlink": True}}
STORY = "the council voted to close the old bridge"
INSIDE_NAMES = ("a.txt", "b.txt", "deep/c.txt", "other.txt")


def laid_out(place):
    """Make a folder with copies in it, and a file beside it that is nobody's business."""
    here = emptied(place / "cleaning")
    (here / "in" / "deep").mkdir(parents=True)
    for name in (*(f"in/{inside}" for inside in INSIDE_NAMES), "precious.txt"):
        (here / name).write_text(STORY)
        os.utime(here / name, (7, 7))
    return here


@pytest.fixture(scope="module")
def journals(place):
    """Return what a run of each kind that was cut off has left, as lines of JSON."""
    left = {}
    for name, how in ACTS.items():
        here = laid_out(place)
        result = made(here / "in", [str(here / "in" / inside) for inside in INSIDE_NAMES[:3]])
        stopped = mock.patch("dedupe.cleaning.run.carry_out", side_effect=KeyboardInterrupt)
        with suppress(KeyboardInterrupt), stopped:
            clean(here / "in", result=result, **_in(here, how))
        left[name] = (here / "in" / journal.NAME).read_text().splitlines()
    return left


def stamped(lines, here):
    """Return the lines of a journal as if it were about the files that are there now."""
    head, *steps = map(json.loads, lines)
    for step in steps:
        step["stamp"] = Stamp.of((here / "in" / step["place"]).stat())
        step["kept_stamp"] = Stamp.of((here / "in" / step["kept"]).stat())
    return map(json.dumps, (head, *steps))


def _in(here, how):
    return {way: here / value if way == "move" else value for way, value in how.items()}


@at_most(9_000)
@given(data=st.data())
def test_a_damaged_journal_reaches_nothing_outside(place, journals, data):
    here = laid_out(place)
    name = data.draw(st.sampled_from([*ACTS]))
    (here / "in" / journal.NAME).write_bytes(
        data.draw(damaged_json(*stamped(journals[name], here)))
    )
    before = tree(here)
    try:
        clean(here / "in", **_in(here, ACTS[name]))
    except CannotClean as error:
        note_past(not OTHER_FORMAT.search(str(error)))
        assert tree(here) == before
    else:
        note_past(is_past=True)
        assert not (here / "in" / journal.NAME).exists()
    allowed = ("in/", "gone/") if name == "move" else ("in/",)
    outside = {path for path in tree(here) if not path.startswith(allowed)}
    assert outside == {"precious.txt"}
    assert (here / "precious.txt").read_text() == STORY
    assert (here / "precious.txt").stat().st_nlink == 1


# --- checkpoints ---


class Interrupted(Exception):
    """Stands for Ctrl-C, at a known place."""


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """Yield a collection, what a search of it finds, and what one that was cut off has left."""
    folder = tmp_path_factory.mktemp("unfinished")
    (folder / "articles").mkdir()
    for number in range(12):
        text = f"{article('menu', 30)}\n{article(str(number % 9))}"
        (folder / "articles" / f"{number}.txt").write_text(text)

    def stop(step):
        if step.stage == "clustering":
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "BATCH_BYTES", 3000)
        patch.setattr(local, "BATCH_WORDS", 500)
        expected = find_duplicates(folder / "articles", workers=1).to_json()
        with suppress(Interrupted):
            found = folder / "left"
            find_duplicates(folder / "articles", workers=1, checkpoint=found, progress=stop)
        yield folder, expected, tree(folder / "left")


@at_most(3_000)
@given(data=st.data())
def test_a_damaged_checkpoint_changes_no_result(unfinished, data):
    folder, expected, left = unfinished
    checkpoint = emptied(folder / "checkpoint")
    one, other = (data.draw(st.sampled_from(sorted(left))) for _ in range(2))
    if data.draw(st.integers(0, 9)) == 9:
        left = {**left, one: left[other]}
    else:
        left = {**left, one: damaged(left[one], data.draw(damages()))}
    for name, content in left.items():
        (checkpoint / name).write_bytes(content)
    try:
        found = find_duplicates(folder / "articles", workers=1, checkpoint=checkpoint)
    except (InvalidCheckpoint, CannotStore):
        note_past(is_past=False)
        return
    note_past(is_past=True)
    assert found.to_json() == expected

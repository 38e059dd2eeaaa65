"""Passages that several stories share: what counts as one, who keeps it, and what never goes."""

import csv
import io
import json
import tracemalloc
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dedupe import InvalidSetting, Old, clean
from dedupe.cleaning.passages import PASSAGE, STORIES, Passages
from dedupe.cli import cli
from dedupe.documents import Document
from dedupe.documents.formats.csv import cell_span
from dedupe.documents.formats.jsonl import value_span
from dedupe.results.stories import Lines
from dedupe.shingling import tokenize

NOTICE = "The views in this piece are those of its author and not of the paper"
MENU = [f"entry{n}" for n in range(PASSAGE)]


def prose(name, n_lines=30):
    """Return long text of which no line stands in another, so that a notice makes no pair."""
    return "\n".join(" ".join(f"{name}{line}x{n}" for n in range(20)) for line in range(n_lines))


def with_notice(name, notice=NOTICE):
    return f"{prose(name)}\n{notice}\n{prose(name.upper())}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(rows, name="in.jsonl", **how):
    """Clean rows of JSON Lines; return what is written by id."""
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    clean(name, output="out.jsonl", workers=1, **{"cut_repeated": True, **how})
    lines = Path("out.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def rows_of(texts):
    return [{"id": name, "text": text} for name, text in texts.items()]


# --- what goes ---


def test_a_notice_of_long_documents_goes_from_all_but_the_first(here):
    texts = {name: with_notice(name) for name in "abcd"}
    found = written(rows_of(texts))
    assert found["a"]["story"] == texts["a"]
    assert found["a"]["cut"] == ""
    for name in "bcd":
        assert found[name]["story"] == texts[name].replace(f"{NOTICE}\n", "")
        start, end = map(int, found[name]["cut"].split("-"))
        assert texts[name][start:end] == f"{NOTICE}\n"
    # Their boilerplate cannot be learned, since nothing else is alike.
    assert {
        row["cut"] for row in written(rows_of(texts), cut_repeated=False, story=True).values()
    } == {""}


@pytest.mark.parametrize("n_stories", [STORIES - 1, STORIES])
def test_enough_stories_must_have_it(here, n_stories):
    found = written(rows_of({name: with_notice(name) for name in "abcd"[:n_stories]}))
    assert [bool(row["cut"]) for row in found.values()] == (
        [False, True, True] if n_stories == STORIES else [False] * n_stories
    )


@pytest.mark.parametrize("n_words", [PASSAGE - 1, PASSAGE])
def test_a_short_line_counts_with_those_behind_it(here, n_words):
    line = " ".join(MENU[:n_words])
    assert any(
        row["cut"]
        for row in written(rows_of({name: with_notice(name, line) for name in "abc"})).values()
    ) == (n_words == PASSAGE)
    menu = {name: with_notice(name, "\n".join(MENU[:n_words])) for name in "abc"}
    assert any(row["cut"] for row in written(rows_of(menu)).values()) == (n_words == PASSAGE)


def test_half_a_line_stays_whoever_has_it(here):
    texts = {name: with_notice(name, f"{NOTICE}, says {name}") for name in "abc"}
    assert {row["cut"] for row in written(rows_of(texts)).values()} == {""}


def test_copies_of_a_story_count_once(here):
    copies = {f"copy {n}": f"{with_notice('s')}another end {n}\n" for n in range(4)}
    found = written(rows_of(copies | {"z": with_notice("z")}), annotate=True)
    assert len({row["cluster"] for name, row in found.items() if name != "z"}) == 1
    assert {row["cut"] for row in found.values()} == {""}


@pytest.mark.parametrize(("others", "cut"), [("bc", []), ("bcd", ["c", "d"])])
def test_what_goes_as_a_duplicate_neither_counts_nor_keeps(here, others, cut):
    copies = {"a": with_notice("s"), "z": prose("s") + "\n" + prose("S") + "\n" + prose("end", 2)}
    texts = copies | {name: with_notice(name) for name in others}
    found = written(rows_of(texts), keep="longest")
    assert {*found} == {*others, "z"}
    assert [name for name, row in found.items() if row["cut"]] == cut


def test_old_documents_keep_what_they_have(here):
    Path("old.jsonl").write_text(json.dumps({"id": "z", "text": with_notice("old")}) + "\n")
    found = written(rows_of({name: with_notice(name) for name in "ab"}), against="old.jsonl")
    assert all(row["cut"] for row in found.values())


def test_stories_and_passages_go_together(here):
    frame = "Read more of our stories in the morning paper or on this site"
    texts = {name: f"{frame}\n{prose(name, 3)}\n" for name in "abcd"}
    assert [row["cut"] for row in written(rows_of(texts), story=True).values()] == ["0-62"] * 4
    assert [row["cut"] for row in written(rows_of(texts)).values()] == ["", *["0-62"] * 3]


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--cut-repeated"], "--cut-repeated needs -o"),
        (["--cut-repeated", "--replace-text"], "--cut-repeated needs -o"),
        (["--replace-text", "-o", "out.jsonl"], "--replace-text needs --story or --cut-repeated"),
    ],
)
def test_flags_that_lack_another_are_refused(here, flags, why):
    Path("in.jsonl").write_text(json.dumps({"text": NOTICE}))
    told = CliRunner().invoke(cli, ["clean", "in.jsonl", *flags], prog_name="dedupe")
    assert told.exit_code == 2
    assert why in told.output


def test_counting_takes_the_memory_that_the_docs_say():
    n_docs, n_lines = 400, 50
    documents = [Document(n, prose(f"d{n}w", n_lines)) for n in range(n_docs)]
    Passages.of(documents, ())  # Compiles and imports.
    tracemalloc.start()
    try:
        Passages.of(iter(documents), ())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / (n_docs * n_lines) == pytest.approx(120, rel=0.25)


# --- laws ---


def slowly(pages):
    """Return which lines of pages go, by the words of each passage; the twin of `Passages`."""
    having = defaultdict(set)
    passages = {}
    for name, lines in enumerate(pages):
        for start in range(len(lines)):
            words = []
            for end in range(start, len(lines)):
                words += tokenize(lines[end])
                if len(words) >= PASSAGE:
                    break
            if tokenize(lines[start]) and len(words) >= PASSAGE:
                having[tuple(words)].add(name)
                passages[name, start] = end, tuple(words)
    goes = [[False] * len(lines) for lines in pages]
    for (name, start), (end, words) in passages.items():
        if len(having[words]) >= STORIES and name != min(having[words]):
            goes[name][start : end + 1] = [True] * (end + 1 - start)
    return goes


some_lines = st.lists(
    st.sampled_from([NOTICE, *MENU, "a b c", "", "own one two", prose("p", 1)]), max_size=12
)
"""Without words that are divided at the end of a line, which belong to two."""


@given(st.lists(some_lines, min_size=1, max_size=5), st.randoms())
def test_every_line_stays_somewhere_whatever_the_order(pages, random):
    documents = [Document(f"d{n}", "\n".join(lines)) for n, lines in enumerate(pages)]
    found = Passages.of(documents, ())
    assert found == Passages.of(random.sample(documents, len(documents)), ())
    kept = set()
    expected = slowly(pages)
    for number, document in enumerate(documents):
        lines = Lines.of(document.text)
        goes = found.repeated(document, lines)
        has_words = lines.n_words > 0
        assert (
            goes[has_words].tolist()
            == np.array(expected[number][: len(goes)], np.bool_)[has_words].tolist()
        )
        kept |= {line.strip() for line, is_cut in zip(lines.texts, goes, strict=True) if not is_cut}
    assert kept >= {line.strip() for page in pages for line in page if line}


def test_an_old_document_comes_before_all_others():
    documents = [Document(id_, NOTICE) for id_ in ("b", Old("c"), 1)]
    assert {*Passages.of(documents, ()).keepers.values()} == {Old("c")}
    assert {*Passages.of([*documents[::2], Document("a", NOTICE)], ()).keepers.values()} == {1}


# --- in place of the text ---

cells = st.lists(st.text('a",;\r\n \u00e9', max_size=6), min_size=1, max_size=4)


@given(cells, st.sampled_from([",", ";", "\u00a6"]), st.integers(0, 3), st.sampled_from([0, 1]))
def test_a_cell_stands_where_csv_reads_it(row, delimiter, number, quoting):
    number %= len(row)
    stream = _Lines()
    csv.writer(stream, delimiter=delimiter, lineterminator="\r\n", quoting=quoting).writerow(row)
    said = stream.said.removesuffix("\r\n").encode()
    start, end = cell_span(said, number, delimiter.encode())
    found = said[:start].decode(), said[start:end].decode(), said[end:].decode()
    assert next(csv.reader([found[1]], delimiter=delimiter), []) == (
        [row[number]] if found[1] else []
    )
    assert found[1] or not row[number]
    assert (found[0] == "") == (number == 0)
    assert found[0] == "" or found[0].endswith(delimiter)
    assert found[2] == "" or found[2].startswith(delimiter)
    assert (found[2] == "") == (number == len(row) - 1)


class _Lines:
    said = ""

    def write(self, text):
        self.said += text


def test_quotes_inside_an_open_cell_are_as_any_other_character():
    row = b'a"b,"c"d"e,f'
    assert [row[slice(*cell_span(row, n, b","))] for n in range(3)] == [b'a"b', b'"c"d"e', b"f"]
    assert next(csv.reader([row.decode()])) == ['a"b', 'cd"e', "f"]


@pytest.mark.parametrize("cell", [b'"' + b'a""' * 300_000 + b'"', b"a" * 900_000])
def test_a_long_cell_is_found_in_next_to_no_memory(cell):
    row = cell + b",b"
    tracemalloc.start()
    try:
        assert cell_span(row, 0, b",") == (0, len(cell))
        assert tracemalloc.get_traced_memory()[1] < len(cell)
    finally:
        tracemalloc.stop()


json_values = st.recursive(
    st.none() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(st.text(max_size=3), json_values, min_size=1, max_size=4),
    st.sampled_from([(",", ":"), (" ,\t", " :\r\n ")]),
    st.booleans(),
)
def test_a_value_stands_where_json_reads_it(record, separators, is_ascii):
    line = f" {json.dumps(record, separators=separators, ensure_ascii=is_ascii)} "
    for name, value in record.items():
        start, end = value_span(line, name)
        assert json.loads(line[start:end]) == value
        assert json.loads(line[:start] + '"new"' + line[end:]) == record | {name: "new"}


def test_of_two_values_of_one_name_the_last_counts():
    line = '{"text": "first", "text": "last"}'
    assert line[slice(*value_span(line, "text"))] == '"last"'


def test_the_text_of_a_line_is_replaced_and_the_rest_keeps_its_bytes(here):
    texts = {name: with_notice(name) for name in "abc"}
    lines = [
        f'{{"n":1.50, "text" : {json.dumps(text)},"id":"{name}"}}' for name, text in texts.items()
    ]
    Path("in.jsonl").write_text("\n".join(lines))
    clean("in.jsonl", output="out.jsonl", cut_repeated=True, replace_text=True, workers=1)
    after = Path("out.jsonl").read_text().split("\n")
    start = texts["b"].index(NOTICE)
    span = f"{start}-{start + len(NOTICE) + 1}"
    assert after[0] == lines[0][:-1] + ', "cut": ""}'
    assert after[1] == lines[1][:-1].replace(f"{NOTICE}\\n", "") + f', "cut": "{span}"}}'


@pytest.mark.parametrize("suffix", ["json", "csv", "tsv", "parquet"])
def test_it_is_replaced_in_every_format(here, suffix):
    texts = {name: with_notice(name) for name in "abc"}
    rows = [{"id": name, "text": text, "more": 'x "y", z'} for name, text in texts.items()]
    _write(f"in.{suffix}", rows)
    clean(f"in.{suffix}", output=f"out.{suffix}", cut_repeated=True, replace_text=True, workers=1)
    after = _read(f"out.{suffix}")
    assert [row["text"] for row in after] == [texts["a"]] + [
        texts[name].replace(f"{NOTICE}\n", "") for name in "bc"
    ]
    assert [row["more"] for row in after] == ['x "y", z'] * 3
    assert [bool(row["cut"]) for row in after] == [False, True, True]
    assert "story" not in after[0]


def _write(name, rows):
    if name.endswith(".json"):
        Path(name).write_text(json.dumps(rows))
    elif name.endswith(".parquet"):
        pa = pytest.importorskip("pyarrow")
        table = pa.Table.from_pylist(rows)
        # Texts that are shared come as a dictionary.
        column = table["text"].dictionary_encode()
        pytest.importorskip("pyarrow.parquet").write_table(
            table.set_column(1, "text", column), name
        )
    else:
        with Path(name).open("w", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0]], delimiter="\t" if name[-3] == "t" else ",")
            writer.writeheader()
            writer.writerows(rows)


def _read(name):
    if name.endswith(".json"):
        return json.loads(Path(name).read_text())
    if name.endswith(".parquet"):
        return pytest.importorskip("pyarrow.parquet").read_table(name).to_pylist()
    with Path(name).open(newline="") as file:
        return [*csv.DictReader(file, delimiter="\t" if name[-3] == "t" else ",")]


def test_files_of_one_text_get_what_is_left_of_it(here):
    Path("in").mkdir()
    texts = {name: with_notice(name).replace("\n", "\r\n") for name in "abcd"}
    for name, encoding in zip("abc", ["utf-8", "utf-16", "utf-8-sig"], strict=True):
        Path(f"in/{name}.txt").write_bytes(texts[name].encode(encoding))
    Path("in/d.json").write_text(json.dumps({"n": 1.5, "text": texts["d"]}))
    clean("in", output="out", cut_repeated=True, replace_text=True, workers=1)
    assert Path("out/a.txt").read_bytes() == Path("in/a.txt").read_bytes()
    left = [text.replace(f"{NOTICE}\r\n", "") for text in texts.values()]
    for place, name, encoding in zip([1, 2], "bc", ["utf-16", "utf-8-sig"], strict=True):
        assert Path(f"out/{name}.txt").read_bytes() == left[place].encode(encoding)
    assert json.loads(Path("out/d.json").read_text())["text"] == left[3]


def test_what_is_left_is_encoded_as_what_was_there(here):
    Path("in").mkdir()
    texts = [f"“déjà” {with_notice(name)}" for name in "abcd"]
    left = [texts[0], *(text.replace(f"{NOTICE}\n", "") for text in texts[1:])]
    for number, text in enumerate(texts[:2]):
        Path(f"in/{number}.txt").write_bytes(text.encode("cp1252"))
    rows = "".join(f'Müller;"{text}"\n' for text in texts[2:])
    Path("in/all.csv").write_bytes(f"by;text\n{rows}".encode("cp1252"))
    clean("in", output="out", cut_repeated=True, replace_text=True, workers=1)
    assert [Path(f"out/{n}.txt").read_bytes().decode("cp1252") for n in range(2)] == left[:2]
    read = csv.DictReader(
        io.StringIO(Path("out/all.csv").read_bytes().decode("cp1252")), delimiter=";"
    )
    assert [(row["by"], row["text"]) for row in read] == [("Müller", text) for text in left[2:]]


def test_what_cannot_be_replaced_is_refused(here):
    Path("in.jsonl").write_text(json.dumps({"title": prose("t", 1), "body": prose("b", 1)}))
    Path("page.html").write_text(f"<p>{prose('p', 1)}</p>")
    how = {"output": "out", "cut_repeated": True, "replace_text": True, "workers": 1}
    with pytest.raises(
        InvalidSetting, match=r"in one field of its record, got 'title,body', which"
    ):
        clean("in.jsonl", text_field="title,body", **how)
    with pytest.raises(
        InvalidSetting, match=r"must be for texts, got 'page.html', which is a page"
    ):
        clean("page.html", **how)
    with pytest.raises(InvalidSetting, match=r"must be for texts, got html_field='body'"):
        clean("in.jsonl", html_field="body", **how)
    with pytest.raises(InvalidSetting, match="replace_text must come with story or cut_repeated"):
        clean("in.jsonl", output="out", replace_text=True)
    with pytest.raises(InvalidSetting, match="cut_repeated must come with output"):
        clean("in.jsonl", cut_repeated=True)
    assert not Path("out").exists()

"""The command line: what it asks of the library, where its output goes, how it exits."""

import gzip
import json
import logging
import shlex
import signal
import subprocess
import sys
import types
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyarrow import parquet

from dedupe import find_duplicates
from dedupe.cli import Terminated, cli
from dedupe.errors import InvalidSetting, NoSuchPath, NothingToRead, Skipped
from dedupe.progress import Progress
from dedupe.results.records import (
    Cluster,
    Comparison,
    DocumentInfo,
    Duplicate,
    Evidence,
    Pair,
    Passage,
    Span,
    evidence_of,
)
from dedupe.results.result import Result
from dedupe.settings import Settings
from found import make_result

SEEDS = Path(__file__).parents[1] / "seeds"
STORY = "The council voted to close the bridge."


def pair(left, right):
    evidence = Evidence((Passage(Span(0, 38), Span(0, 38), 7, STORY),), (), (), 1.0, 1.0)
    facts = (0.9, 0.5, 1.0, 1.0, 0.5, 0.9, 1.0, 0.5, "contained", "7 words shared", 7, 7, 0, 0)
    return Pair(left, right, *facts, find_evidence=evidence_of(evidence))


def found(n_clusters=1):
    """Make a result of so many clusters of two."""
    pairs = [pair(f"a{i:02}", f"b{i:02}") for i in range(n_clusters)]
    return Result(
        clusters=tuple(Cluster(one.left, (one.left, one.right)) for one in pairs),
        duplicates=tuple(
            Duplicate(one.right, one.left, one.score, one.left, one.score, one.reason)
            for one in pairs
        ),
        scored=tuple(pairs),
        skipped=(Skipped("empty.txt", "0 words", "leave it out"),),
        n_documents=2 * n_clusters,
        n_words=14 * n_clusters,
        settings=Settings(),
        documents=tuple(
            DocumentInfo(id_, 7, 0)
            for id_ in sorted(id_ for one in pairs for id_ in (one.left, one.right))
        ),
    )


class Library(types.ModuleType):
    """Stands in for `dedupe.api` and remembers what was asked of it."""

    def __init__(self):
        super().__init__("dedupe.api")
        self.asked = None
        self.answer = found()
        self.error = None
        self.steps = ()

    def find_duplicates(self, paths, *, progress, **settings):
        """Report the steps, then fail or answer as the test says."""
        self.asked = (paths, settings)
        for step in self.steps:
            progress(step)
        if self.error is not None:
            raise self.error
        return self.answer

    def compare(self, left, right, **settings):
        """Fail as the test says, or find one passage in two equal texts."""
        self.asked = (left, right, settings)
        if self.error is not None:
            raise self.error
        return Comparison(pair(left, right), STORY, STORY, settings["threshold"])


@pytest.fixture
def library(monkeypatch):
    stand_in = Library()
    monkeypatch.setitem(sys.modules, "dedupe.api", stand_in)
    monkeypatch.setattr("dedupe.api", stand_in, raising=False)
    return stand_in


def run(*arguments):
    return CliRunner().invoke(cli, arguments, prog_name="dedupe")


TABLE = """\
cluster 1: 2 documents
  keep  a00  7 words, the typical copy
  drop  b00  score 0.90  containment 1.00  Jaccard 0.50  contained
    7 words shared
    shared, 7 words: The council voted to close the bridge.

skipped: 1 document
  to do: leave it out
    empty.txt  0 words

2 documents, 1 cluster, 1 duplicate, 1 skipped
"""


# Arguments.


def test_find_asks_with_the_defaults_of_the_library(library):
    ran = run("find", "x", "-")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, TABLE, "")
    assert library.asked == (
        ["x", "-"],
        {
            "against": None,
            "boilerplate": None,
            "threshold": 0.45,
            "ngram": 5,
            "num_perm": 128,
            "seed": 1,
            "keep": "typical",
            "prefer": (),
            "id_field": "id",
            "text_field": "text",
            "html_field": None,
            "time_field": None,
            "window": None,
            "time_from": None,
            "delimiter": None,
            "qualify_ids": False,
            "workers": None,
            "memory": None,
            "checkpoint": None,
            "explain": None,
            "reuse": False,
        },
    )


def test_flags_are_the_keyword_names(library):
    wanted = {
        "threshold": 0.5,
        "ngram": 4,
        "num_perm": 64,
        "seed": 9,
        "keep": "newest",
        "id_field": "url",
        "text_field": "body",
        "html_field": "page",
        "time_field": "date",
        "window": "3d",
        "time_from": "mtime",
        "delimiter": ";",
        "workers": 2,
        "memory": 4096,
        "checkpoint": Path("half-done"),
    }
    flags = [part for k, v in wanted.items() for part in (f"--{k.replace('_', '-')}", str(v))]
    assert run("find", "x", *flags).exit_code == 0
    others = {
        "prefer": (),
        "against": None,
        "boilerplate": None,
        "explain": None,
        "qualify_ids": False,
        "reuse": False,
    }
    assert library.asked == (["x"], {**wanted, **others})


def test_explain_asks_for_all_candidates_of_a_document(library):
    run("find", "x", "--explain", "a")
    assert library.asked[1]["explain"] == "a"


def test_compare(library):
    ran = run("compare", "l", "r", "--threshold", "0.95", "--ngram", "3")
    settings = {"corpus": None, "threshold": 0.95, "ngram": 3, "within": None, "boilerplate": None}
    fields = {"id_field": "id", "text_field": "text", "html_field": None, "delimiter": None}
    assert library.asked == ("l", "r", {**settings, **fields})
    assert ran.exit_code == 0
    assert ran.stdout.startswith("not the same story  score 0.90")
    assert f"    {STORY}\n" in ran.stdout
    assert json.loads(run("compare", "l", "r", "--format", "json").stdout)["same_story"] is True


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version(flag):
    assert run(flag).stdout == "dedupe 0.1.0\n"


@pytest.mark.parametrize(
    ("said", "meant"), [("tab", "\t"), (r"\t", "\t"), ("\t", "\t"), (";", ";")]
)
def test_a_tab_has_a_name_for_the_shell(library, said, meant):
    run("find", "x", "--delimiter", said)
    assert library.asked[1]["delimiter"] == meant


def test_memory_is_a_size(library):
    run("find", "x", "--memory", "2G")
    assert library.asked[1]["memory"] == 2 << 30
    assert run("find", "x", "--memory", "2 Gigs").stderr == (
        "dedupe: error: memory must be a size such as 500M or 2G, got '2 Gigs'\n"
    )


@pytest.mark.parametrize("command", [[], ["find"], ["compare"], ["clean"], ["calibrate"]])
def test_help(command):
    ran = run(*command, "--help")
    assert ran.exit_code == 0
    assert ran.stdout.startswith(" ".join(["Usage: dedupe", *command]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["find", "--help"], ["clean", "--help"], ["--version"]]
)
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys; from dedupe.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        "print('loaded', sorted({'numpy', 'numba', 'rich', 'dedupe.results'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert ran.stdout.endswith("loaded []\n")


# Where output goes.


def test_formats(library):
    assert Result.from_json(run("find", "x", "--format", "json").stdout) == library.answer
    lines = run("find", "x", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a00", "b00"]
    assert run("find", "x", "--format", "csv").stdout == (
        "cluster,id,duplicate_of,score,relation,reason,is_old\n"
        "1,a00,,1.0,,,False\n"
        "1,b00,a00,0.9,contained,7 words shared,False\n"
    )
    assert run("find", "x", "--format", "tsv").stdout.splitlines()[2] == (
        "1\tb00\ta00\t0.9\tcontained\t7 words shared\tFalse"
    )


SKIPPED = "skipped: empty.txt: 0 words; leave it out\n"
SUMMARY = "2 documents, 1 cluster, 1 duplicate, 1 skipped\n"


@pytest.mark.parametrize(
    ("format_", "said"),
    [
        ("csv", SKIPPED),
        ("tsv", SKIPPED),
        ("jsonl", SKIPPED),
        ("parquet", SKIPPED),
        ("json", ""),
        ("html", ""),
    ],
)
def test_what_has_no_row_is_named_beside_the_rows(library, tmp_path, format_, said):
    page = ["--report", str(tmp_path / "page")]
    for more in ([], page):
        ran = run("find", "x", "--format", format_, *more)
        assert (ran.exit_code, ran.stderr) == (0, f"{said}standard output: {SUMMARY}")
    rows = str(tmp_path / "rows")
    assert run("find", "x", "--format", format_, "-o", rows).stderr == f"{said}{rows}: {SUMMARY}"
    assert run("find", "x", "--format", format_, "-q").stderr == ""


def test_a_table_on_standard_output_ends_in_its_summary_and_has_no_other(library):
    ran = run("find", "x")
    assert (ran.stdout.endswith(SUMMARY), ran.stderr) == (True, "")


def test_a_terminal_has_one_summary_and_no_other(library, monkeypatch):
    monkeypatch.setattr("dedupe.report.progress._is_terminal", lambda: True)
    said = run("find", "x", "--format", "json").stderr
    assert said.startswith("read 2 documents")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.json", "json"),
        ("a.JSONL", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.csv", "csv"),
        ("a.tsv", "tsv"),
        ("a.html", "html"),
        ("a.htm", "html"),
        ("a.parquet", "parquet"),
        ("a.txt", "table"),
        ("a", "table"),
        ("json", "table"),
        ("a.jsonl.gz", "jsonl"),
    ],
)
def test_the_suffix_decides_the_format(library, tmp_path, name, format_):
    named, asked = tmp_path / name, tmp_path / "asked"
    assert run("find", "x", "-o", str(named)).exit_code == 0
    run("find", "x", "--format", format_, "-o", str(asked))
    data = named.read_bytes()
    assert (gzip.decompress(data) if name.endswith(".gz") else data) == asked.read_bytes()
    named.unlink()
    assert run("find", "x", "--format", format_, "-o", str(named)).exit_code == 0


def test_a_suffix_that_says_another_format_is_refused(library, tmp_path):
    ran = run("find", "x", "--format", "csv", "-o", str(tmp_path / "a.json"))
    assert (ran.exit_code, library.asked) == (2, None)
    assert "--format and the suffix of -o must agree, got csv and .json" in ran.stderr
    for flags in (["--explain", "a"], ["--borderline", "1"], ["--relation", "contained"]):
        assert run("find", "x", *flags, "-o", str(tmp_path / "a.json")).exit_code == 2
        assert run("find", "x", *flags, "-o", str(tmp_path / flags[0])).exit_code == 0


def test_parquet_has_the_rows_of_csv(library, tmp_path):
    run("find", "x", "-o", str(tmp_path / "a.parquet"))
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == [*library.answer.rows()]
    ran = CliRunner().invoke(cli, ["find", "x", "--format", "parquet"])
    assert ran.stdout_bytes == (tmp_path / "a.parquet").read_bytes()


def test_parquet_is_not_for_a_terminal(library, monkeypatch):
    on_a_terminal(monkeypatch)
    ran = run("find", "x", "--format", "parquet")
    assert (ran.exit_code, library.asked) == (2, None)
    assert "name a file with -o" in ran.stderr


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("pyarrow.parquet", "a.parquet", "parquet"), ("zstandard", "a.json.zst", "zstd")],
)
def test_an_extra_that_is_missing_is_told_before_the_work(
    library, monkeypatch, module, name, extra
):
    monkeypatch.setitem(sys.modules, module, None)
    ran = run("find", "x", "-o", name)
    assert (ran.exit_code, library.asked) == (1, None)
    assert f"dedupe-articles[{extra}]" in ran.stderr


def test_duplicates_fail_only_where_that_is_asked_for(library):
    for flags in ([], ["--format", "json"], ["--explain", "a00"]):
        assert run("find", "x", *flags).exit_code == 0
        assert run("find", "x", *flags, "--fail-on-duplicates").exit_code == 3
    library.answer = found(0)
    assert run("find", "x", "--fail-on-duplicates").exit_code == 0


def test_what_the_library_warns_of_is_one_line(library):
    def search(*_, **__):
        log = logging.getLogger("dedupe")
        log.info("not said")
        log.warning("kernels cannot be kept in %s", "x")
        return library.answer

    library.find_duplicates = search
    for _ in range(2):
        assert run("find", "x").stderr == "dedupe: warning: kernels cannot be kept in x\n"


def test_of_many_skipped_documents_twenty_are_named(library):
    for n, last in ((20, SKIPPED), (21, "skipped: 1 more\n")):
        object.__setattr__(library.answer, "skipped", found().skipped * n)
        said = run("find", "x", "--format", "csv").stderr.splitlines(keepends=True)
        assert said[:-1] == [SKIPPED] * 20 + [last] * (n > 20)


def test_explain_and_borderline(library):
    assert run("find", "x", "--explain", "a00").stdout.startswith("a00 is in cluster 1")
    assert run("find", "x", "--borderline", "3").stdout.startswith("1 pair nearest")
    assert run("find", "x", "--relation", "contained").stdout.startswith("1 pair: contained\n")
    assert run("find", "x", "--relation", "partial").stdout == "no pair: partial reuse\n"


@pytest.mark.parametrize(
    ("relation", "reuse"), [("version", False), ("partial", True), ("template", True)]
)
def test_pairs_that_score_nothing_are_recorded_for_the_relations_that_they_have(
    library, relation, reuse
):
    run("find", "x", "--relation", relation)
    assert library.asked[1]["reuse"] == reuse


def on_a_terminal(monkeypatch):
    for room in ("dedupe.cli.found", "dedupe.cli.output"):
        monkeypatch.setattr(f"{room}.is_terminal", lambda output=None: output is None)


def test_a_terminal_is_shown_twenty_clusters_and_a_pipe_all(library, monkeypatch):
    library.answer = found(23)
    assert run("find", "x").stdout.count("cluster ") == 23
    on_a_terminal(monkeypatch)
    shown = run("find", "x").stdout
    assert shown.count("cluster ") == 20
    assert "\nand 3 more clusters\n" in shown


@pytest.mark.parametrize(("ids", "more"), [("abcd", ""), ("abcde", "and 1 more duplicate")])
def test_a_terminal_is_shown_three_duplicates_of_a_cluster(library, monkeypatch, ids, more):
    library.answer = make_result({f"{a}{b}": 0.9 for a, b in combinations(ids, 2)})
    assert run("find", "x").stdout.count("  drop ") == len(ids) - 1
    on_a_terminal(monkeypatch)
    shown = run("find", "x").stdout
    assert shown.count("  drop ") == 3
    assert ("more" in shown) == bool(more)
    assert more in shown


def test_a_terminal_gets_no_raw_control_characters(library, monkeypatch):
    library.answer = Result.from_json(library.answer.to_json().replace("b00", r"b\u009b\u202e"))
    on_a_terminal(monkeypatch)
    for format_ in ("table", "json", "jsonl", "csv"):
        shown = run("find", "x", "--format", format_).stdout
        assert r"b\x9b\u202e" in shown
        assert not set(shown) & set("\x9b\u202e")


def test_names_that_are_no_utf8_reach_json_as_they_are(library):
    library.answer = Result.from_json(library.answer.to_json().replace("b00", r"b\udcff"))
    assert Result.from_json(run("find", "x", "--format", "json").stdout) == library.answer
    assert r"drop  b\udcff  score" in run("find", "x").stdout


def test_output_to_a_file(library, tmp_path):
    place = tmp_path / "report.txt"
    place.write_text("before")
    other = tmp_path / "other"
    other.mkdir()
    ran = run("find", str(other), "-o", str(place))
    assert (ran.exit_code, ran.output) == (0, f"{place}: {SUMMARY}")
    assert place.read_text(encoding="utf-8") == TABLE
    assert sorted(tmp_path.iterdir()) == [other, place]
    assert run("find", "x", "-o", "-").stdout == TABLE


@pytest.mark.parametrize(
    "command",
    [
        ("find", "{}", "-o", "{}/a.txt"),
        ("find", "{}/a.txt", "--report", "{}/link.txt"),
        ("find", "{}/*.txt", "-o", "{}/../{name}/a.txt"),
        ("find", "{}", "-o", "{}/missing/../a.txt"),
        ("find", "x", "--against", "{}", "-o", "{}/a.txt"),
        ("compare", "{}/a.txt", "x", "--html", "{}/a.txt"),
        ("compare", "x", "x", "--corpus", "{}/a.txt", "--html", "{}/link.txt"),
    ],
)
def test_nothing_is_written_over_what_is_read(library, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    Path("x").write_text("else")
    Path("a.txt").write_text("an article")
    Path("link.txt").hardlink_to("a.txt")
    ran = run(*(part.format(tmp_path, name=tmp_path.name) for part in command))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "a report must not be written over what is read" in ran.stderr
    assert Path("a.txt").read_text() == "an article"
    assert library.asked is None


def test_two_reports_are_two_files(library, tmp_path):
    (tmp_path / "deep").mkdir()
    one, other = f"{tmp_path}/r", f"{tmp_path}/deep/../r"
    ran = run("find", "x", "-o", one, "--report", other)
    assert ran.exit_code == 2
    assert "each report must have a file of its own" in ran.stderr
    ran = run("find", "x", "--report", "-")
    assert (ran.exit_code, ran.stderr) == (
        2, "dedupe: error: a page must have a file, got -: name one\n"
    )  # fmt: skip


def test_a_closed_standard_output_is_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("a story that is told once")
    command = f"{shlex.quote(sys.executable)} -m dedupe find {shlex.quote(str(tmp_path))} -q >&-"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "dedupe: error: cannot write to standard output: it is closed\n"


def test_a_file_that_cannot_be_written_is_refused_before_the_work(library, tmp_path):
    place = tmp_path / "missing" / "report.txt"
    ran = run("find", "x", "-o", str(place))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == f"dedupe: error: cannot write to {place}: No such file or directory\n"
    assert library.asked is None


def test_a_file_that_fails_later_is_one_line(library, tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    ran = run("find", "x", "-o", str(tmp_path / "report.txt"))
    assert ran.exit_code == 1
    assert ran.stderr.endswith("report.txt: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


def test_a_report_stands_beside_the_usual_output(tmp_path, seeds):
    for name, text in zip(("body.txt", "page.txt"), seeds, strict=True):
        (tmp_path / name).write_text(text, encoding="utf-8")
    place = tmp_path / "report.html"
    ran = run("find", str(tmp_path / "*.txt"), "--report", str(place))
    assert ran.exit_code == 0
    assert ran.stdout.startswith("cluster 1: 2 documents\n")
    page = place.read_text(encoding="utf-8")
    assert "1 of 2 documents is a copy of another" in page
    assert "1 pair can be read in full" in page
    assert "71% of all text" in " ".join(page.split())


def test_a_report_on_standard_input_has_its_texts_too(tmp_path, seeds):
    place = tmp_path / "report.html"
    records = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(seeds))
    found = CliRunner().invoke(cli, ["find", "-", "--report", str(place), "-q"], input=records)
    assert found.exit_code == 0
    assert "1 pair can be read in full" in place.read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_is_refused_before_the_work(library, tmp_path):
    place = tmp_path / "missing" / "report.html"
    ran = run("find", "x", "--report", str(place))
    assert ran.stderr == f"dedupe: error: cannot write to {place}: No such file or directory\n"
    assert library.asked is None


def test_compare_writes_a_page(tmp_path, library):
    place = tmp_path / "pair.html"
    ran = run("compare", "l<b>", "r", "--html", str(place))
    assert ran.stdout.startswith("same story")
    page = place.read_text(encoding="utf-8")
    assert "The same story" in page
    assert "l&lt;b&gt;" in page


def test_calibrate(tmp_path, library):
    result, labels = tmp_path / "result.json", tmp_path / "labels.json"
    result.write_text(found(2).to_json(), encoding="utf-8")
    rows = [
        {"left": "a00", "right": "b00", "same_story": True},
        {"left": "a00", "right": "a01", "same_story": False},
    ]
    facts = {"format": "dedupe-labels", "version": 1, "labels": rows}
    labels.write_text(json.dumps(facts), encoding="utf-8")
    ran = run("calibrate", str(labels), str(result))
    assert ran.exit_code == 0
    assert "best  threshold 0.45  precision 1.00  recall 1.00" in ran.stdout
    labels.write_text("{}", encoding="utf-8")
    ran = run("calibrate", str(labels), str(result))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("dedupe: error: labels must say format 'dedupe-labels'")
    assert run("calibrate", str(tmp_path / "none.json"), str(result)).exit_code == 2


def test_a_device_is_written_to_and_not_replaced(library):
    device = Path("/dev/null")
    if not device.is_char_device():
        pytest.skip("there is no /dev/null here")
    assert run("find", "x", "-o", str(device)).exit_code == 0
    assert device.is_char_device()


def test_a_reader_who_leaves_is_no_error(library, monkeypatch):
    def gone(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("dedupe.cli.output.send", gone)
    ran = run("find", "x")
    assert (ran.exit_code, ran.output) == (1, "")


def test_progress_reaches_the_display(library):
    library.steps = [Progress("compiling", 0, None, "", note="compiling")] * 2
    told = "compiling\n"
    assert run("find", "x").stderr == told
    assert run("find", "x", "--quiet").stderr == ""


# How it exits.


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidSetting("threshold must be in [0.1, 1], got 2"), 2),
        (NoSuchPath("no such path: 'x'"), 2),
        (NothingToRead("no document in 'x'"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
@pytest.mark.parametrize("command", [["find", "x"], ["compare", "x", "y"]])
def test_exit_codes(library, error, code, command):
    library.error = error
    ran = run(*command)
    said = "interrupted" if code == 130 else f"error: {error}"
    assert (ran.exit_code, ran.stdout, ran.stderr) == (code, "", f"dedupe: {said}\n")


def test_an_interruption_says_what_becomes_of_the_work(library):
    library.error = KeyboardInterrupt()
    library.error.add_note("the same command goes on from DIR")
    assert run("find", "x").stderr == "dedupe: interrupted; the same command goes on from DIR\n"


@pytest.mark.parametrize(
    ("cause", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "dedupe: interrupted\n"),
        (Terminated(signal.SIGTERM), 143, "dedupe: terminated\n"),
        (ValueError(), 1, ""),
    ],
)
def test_an_interruption_that_became_another_error_is_still_one(library, cause, code, said):
    """Python 3.11 makes it a RuntimeError where a class is being made, as while modules load."""
    library.error = RuntimeError("Error calling __set_name__")
    library.error.__cause__ = cause
    ran = run("find", "x")
    assert (ran.exit_code, ran.stderr) == (code, said)
    assert (ran.exception is library.error) == (code == 1)


def test_when_memory_runs_out_one_line_says_what_to_do(library):
    library.error = MemoryError()
    ran = run("find", "x")
    assert ran.exit_code == 1
    assert ran.stderr == (
        "dedupe: error: there must be memory enough: give the search less with --memory\n"
    )


def dedupe(arguments: str, redirected: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a shell, with some of its streams redirected."""
    command = f"exec {shlex.quote(sys.executable)} -m dedupe {arguments} {redirected}"
    return subprocess.run(
        command, shell=True, input="", capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
@pytest.mark.parametrize("redirected", ["2>&-", "<&- 2>&-"])
def test_without_standard_error_the_work_is_done_all_the_same(tmp_path, redirected):
    one, other = map(shlex.quote, map(str, sorted(SEEDS.iterdir())))
    # A search takes long to start; which streams are closed is tested by itself below.
    work = {
        "2>&-": (f"find {one} {other}", 0, "cluster 1: 2 documents"),
        "<&- 2>&-": (f"clean {one} {other} -o {tmp_path}", 0, ""),
    }
    for arguments, code, printed in (
        work[redirected],
        (f"clean {one} {other} --delete", 2, ""),
        (f"find {tmp_path}/nothing", 2, ""),
        ("find --no-such-flag", 2, ""),
    ):
        ran = dedupe(arguments, redirected)
        assert (ran.returncode, ran.stdout.startswith(printed), ran.stderr) == (code, True, "")
        assert printed or not ran.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", ">&- 2>&-", ">&-", "2>&-"])
def test_no_file_takes_the_place_of_a_stream_that_is_closed(closed):
    program = (
        "import os, sys\n"
        "from dedupe import cli\n"
        "cli._open_closed_streams()\n"
        "sys.exit(os.open(os.devnull, os.O_RDONLY) < 3)"
    )
    command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(program)} {closed}"
    subprocess.run(command, shell=True, check=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_of_standard_error_stops_nothing():
    ran = dedupe(f"find {shlex.quote(str(SEEDS))}", "2>/dev/full")
    assert (ran.returncode, ran.stdout[:9]) == (0, "cluster 1")
    assert dedupe("find nothing", "2>/dev/full").returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("asked", ["--help", "--version", "index --help"])
def test_help_on_a_full_disk_is_an_error_of_one_line(asked):
    ran = dedupe(asked, ">/dev/full")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert ran.stderr.startswith("dedupe: error: there must be room where it is written to: ")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
def test_standard_input_that_is_closed_is_not_an_empty_one(tmp_path):
    Path(tmp_path, "a.txt").write_text("a text")
    index = f"{tmp_path}/x.dedupe"
    assert dedupe(f"index add {index} {tmp_path}/a.txt", "").returncode == 0
    commands = ("find -", f"find {tmp_path}/a.txt -", f"clean {tmp_path}/a.txt - -o {tmp_path}/out")
    commands += (f"index add {index} -", f"index add {index} {tmp_path}/a.txt -")
    for command in (*commands, f"index query {index} -", f"index remove {index} -"):
        ran = dedupe(command, "<&-")
        assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), command
        assert "standard input must be open to be read" in ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_who_is_told_to_stop_leaves_nothing(tmp_path, name, code):
    texts, saved = tmp_path / "texts.jsonl", tmp_path / "result.json"
    texts.write_text("".join(f'{{"text": "{i} {"word " * 50}"}}\n' for i in range(10)))
    saved.write_text(find_duplicates(texts).to_json())
    # It waits with a lock and drafts on disk.
    program = (
        "import signal, sys, time\n"
        # Whoever runs the tests may ignore signals, as `nohup` does.
        "for name in ('SIGTERM', 'SIGHUP'): signal.signal(getattr(signal, name), signal.SIG_DFL)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from dedupe.cleaning import rewriting\n"
        "rewriting.check_same = lambda _: (print(flush=True), time.sleep(60))\n"
        "from dedupe.cli import main\n"
        "main()"
    )
    arguments = ["clean", texts, "--result", saved, "-o", tmp_path / "out"]
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        running.stdout.readline()
        running.send_signal(getattr(signal, name))
        _, said = running.communicate()
    assert running.returncode == code
    word = "interrupted" if name == "SIGINT" else "terminated"
    assert said.splitlines()[-1] == f"dedupe: {word}"
    assert {path.name for path in tmp_path.iterdir()} == {"texts.jsonl", "result.json"}


def run_python(program):
    """Run a program in a Python of its own, and return what it said and how it ended."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_who_is_told_to_stop_while_it_reads_its_arguments_says_so(name, code):
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from dedupe.cli import cli, main\n"
        f"cli.parse_args = lambda *_: os.kill(os.getpid(), signal.{name})\n"
        "main()"
    )
    ran = run_python(program)
    word = "interrupted" if name == "SIGINT" else "terminated"
    assert (ran.returncode, ran.stderr) == (code, f"dedupe: {word}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_who_is_interrupted_while_the_command_loads_is_told_so():
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'dedupe.cli': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from dedupe.__main__ import main\n"
        "main()"
    )
    ran = run_python(program)
    assert (ran.returncode, ran.stderr) == (130, "dedupe: interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_who_ignores_a_signal_is_not_stopped_by_it():
    program = (
        "import signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from dedupe import cli\n"
        "cli._stop_in_order()\n"
        "assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_error_cannot_act_on_the_terminal(library):
    library.error = NothingToRead("nothing in \x1b[2J\n")
    assert run("find", "x").stderr == "dedupe: error: nothing in \\x1b[2J\\n\n"


def test_a_bug_keeps_its_traceback(library):
    library.error = ZeroDivisionError()
    assert isinstance(run("find", "x").exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["find"],
        ["find", "x", "--format", "xml"],
        ["find", "x", "--keep", "best"],
        ["find", "x", "--threshold", "high"],
        ["find", "x", "--borderline", "0"],
        ["find", "x", "--explain", "a", "--borderline", "1"],
        ["find", "x", "--relation", "partial", "--borderline", "1"],
        ["find", "x", "--relation", "overlapping"],
        ["find", "x", "--explain", "a", "--format", "json"],
        ["find", "x", "--report", "same", "--output", "same"],
        ["find", "-", "--against", "-"],
        ["find", "x", "--against", "-", "--boilerplate", "-"],
        ["compare", "-", "-"],
        ["compare", "x", "-", "--boilerplate", "-"],
        ["compare", "x"],
        ["calibrate", "x"],
    ],
)
def test_bad_use(library, arguments):
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert library.asked is None
    if arguments:
        assert ran.stderr.startswith("dedupe: error: ")
        assert ran.stderr.count("\n") == 1
    else:
        assert ran.stderr.startswith("Usage: dedupe")


def test_an_error_of_use_names_the_help_of_its_command(library):
    assert run("find", "x", "--keep").stderr == (
        "dedupe: error: option '--keep' requires an argument; see 'dedupe find --help'\n"
    )
    assert run("search").stderr == "dedupe: error: no such command 'search'; see 'dedupe --help'\n"

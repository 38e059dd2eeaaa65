"""The documentation says what is true: its examples are run, and nothing is left out of it.

Three kinds of blocks stand in the pages. ``pycon`` is a session of Python, ``console``
one of a shell, and both must print what is shown; a page is one session of each, in a
folder that has what a clone has. ``json`` must be JSON. Links between pages are checked
when the pages are built, in ``.ci/run``.
"""

import ast
import doctest
import importlib
import importlib.util
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest
from click.testing import CliRunner

import dedupe
from dedupe import clustering, errors
from dedupe.cli import cli
from dedupe.cli.found import N_EACH
from dedupe.cli.output import N_SHOWN
from dedupe.documents import MAX_BYTES, read_paths
from dedupe.kernels.measures import BOX, EDIT, LONG, LONG_COST
from dedupe.report import json as json_report
from dedupe.results.evidence import N_LISTED
from dedupe.scoring import forms, rule
from dedupe.serve.app import Limits
from dedupe.serve.server import GRACE
from dedupe.settings import SCORE_FLOOR

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
README = (ROOT / "README.md").read_text(encoding="utf-8")
WRITTEN = {name: text for name, text in PAGES.items() if name not in ("library", "command")}
"""Pages that somebody wrote, and that are not made from docstrings or the help."""

NEEDS = {
    "cluster": pytest.mark.skipif(
        not (shutil.which("java") and importlib.util.find_spec("pyspark")),
        reason="needs Java and PySpark",
    )
}
"""Pages whose examples need what may be missing."""

PROSE = "\n".join(WRITTEN.values())
SCHEMA = json.loads((DOCS / "schema.json").read_text(encoding="utf-8"))
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PARTS = ("shingling", "minhash", "lsh", "documents")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the blocks of a page, each with its kind."""
    return BLOCK.findall(PAGES[page])


# --- examples ---


@pytest.fixture(scope="module")
def compiled() -> None:
    """Compile, so that no example is told to wait for it."""
    dedupe.compare_texts("one two three", "one two four")
    dedupe.find_duplicate_texts(["one two three", "one two three"])


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder that has what the examples need of a clone."""
    (tmp_path / "docs").mkdir()
    shutil.copy(DOCS / "news.jsonl", tmp_path / "docs")
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands(session: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a session, and what each of them prints."""
    assert session.startswith("$ ")
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def run(command: str) -> str:
    """Return all that a command prints; our own is run in this process, for speed."""
    ours, _, rest = command.partition(" | ")
    if ours.startswith("dedupe ") and not re.search(r"[<>;&$|]|dedupe.* dedupe", f"{ours} {rest}"):
        ran = CliRunner().invoke(cli, shlex.split(ours)[1:], prog_name="dedupe")
        return ran.stderr + run_in_shell(rest, ran.stdout) if rest else ran.output
    return run_in_shell(command)


def run_in_shell(command: str, given: str = "") -> str:
    """Return all that a command prints in a shell, by what it is given on standard input."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PATH": path},
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(name, marks=NEEDS.get(name, ()))
        for name in PAGES
        if ">>> " in PAGES[name] or "\n$ " in PAGES[name]
    ],
)
def test_a_page_prints_what_it_shows(page: str, clone: Path, compiled: None) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    names: dict[str, object] = {"__name__": page}
    told: list[str] = []
    for kind, text in blocks(page):
        if kind == "pycon":
            session = doctest.DocTestParser().get_doctest(text, names, page, None, 0)
            runner.run(session, out=told.append, clear_globs=False)
            names = session.globs
        elif kind == "console":
            for command, output in commands(text):
                assert run(command) == output, f"{page}: {command}"
    assert not told, "".join(told)


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_of_a_kind_that_nobody_runs(page: str) -> None:
    first = README[README.index("```sh\n") + 6 :].splitlines()[0]
    for kind, text in blocks(page):
        assert kind in ("pycon", "console", "json", "sh", "") or kind.startswith("{")
        if kind == "json":
            json.loads(text)
        if kind == "sh":
            assert text == f"{first}\n"  # Which `.ci/run` runs.
        if kind == "":
            assert page in ("speed", "accuracy"), "how a generated page is made"


@pytest.mark.parametrize("page", WRITTEN)
def test_nothing_is_indented_that_could_be_run(page: str) -> None:
    """Units of systemd, images and what needs a server elsewhere are not for every machine."""
    # Without an empty line above it, an indented line goes on with a list.
    indented = re.findall(r"\n\n {4}\S.*", BLOCK.sub("", PAGES[page]))
    assert page in ("daily", "datasketch", "serving") or indented == []


def test_the_pictures_are_drawn_from_the_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    drawn = runpy.run_path(str(DOCS / "draw.py"))["PICTURES_BY_NAME"]
    assert {path.stem for path in (DOCS / "pictures").iterdir()} == set(drawn)
    for name, draw in drawn.items():
        assert draw() == (DOCS / "pictures" / f"{name}.svg").read_text(encoding="utf-8"), name


# --- nothing is left out ---

COMMANDS = {
    f"{name} {part}".strip(): command
    for name, whole in cli.commands.items()
    for part, command in (getattr(whole, "commands", None) or {"": whole}).items()
}
"""All commands, those of a group with its name: ``"index add"``."""


def flags(command: click.Command) -> list[str]:
    """Return the flags of a command by their long names."""
    found = [option for option in command.params if isinstance(option, click.Option)]
    return [max(option.opts, key=len) for option in found]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented(name: str) -> None:
    assert f"dedupe {name}" in PROSE
    assert ".. click:: dedupe.cli:cli" in PAGES["command"]
    assert ":nested: full" in PAGES["command"]


SECTIONS = [
    f"{top}\n{section}"
    for top, *sections in (re.split(r"^##(?=#* )", page, flags=re.M) for page in WRITTEN.values())
    for section in ("", *sections)
]
"""Parts of pages, each with the top of its page, which may say what command all of it is about."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_of_a_command_is_explained(name: str) -> None:
    """It stands in a section about the command, or it is a setting that is explained for `find`."""
    shared = {flag: help_ for flag, help_ in helps("find").items() if name != "find"}
    missing = [
        flag
        for flag, help_ in helps(name).items()
        if not is_explained(flag, name)
        and not (shared.get(flag) == help_ and is_explained(flag, "find"))
    ]
    assert missing == []
    assert all(helps(name).values())


def helps(name: str) -> dict[str, str | None]:
    """Return what the help says of the flags of a command."""
    found = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    return {max(option.opts, key=len): option.help for option in found}


def is_explained(flag: str, name: str) -> bool:
    """Return whether a section names both a flag and its command."""
    return any(
        re.search(rf"(?<![\w-]){flag}(?![\w-])", text) and re.search(rf"\bdedupe\s+{name}\b", text)
        for text in SECTIONS
    )


def test_a_flag_that_no_section_about_its_command_names_is_not_explained() -> None:
    assert is_explained("--annotate", "clean")
    assert not is_explained("--annotate", "calibrate")
    assert not is_explained("--an", "clean")
    assert not is_explained("--journal", "compare")


@pytest.mark.parametrize("name", [*errors.__all__, *dedupe.__all__])
def test_a_public_name_is_in_the_reference_once(name: str) -> None:
    if name.startswith("__"):
        assert f"`dedupe.{name}`" in PAGES["library"]
        return
    made = re.findall(rf"^\.\. auto\w+:: dedupe\.{name}$", PAGES["library"], re.MULTILINE)
    assert len(made) == 1


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_in_the_reference_with_all_its_names(name: str) -> None:
    found = re.search(
        rf"^\.\. automodule:: dedupe\.{name}\n((?:   .*\n)*)", PAGES["library"], re.MULTILINE
    )
    assert found
    assert ":members:" in found[1]
    excluded = re.search(r":exclude-members: (.*)", found[1])
    for left_out in excluded[1].split(", ") if excluded else ():
        elsewhere = rf"^\.\. auto\w+:: dedupe\.(?:[\w.]+\.)?{left_out}$"
        assert re.search(elsewhere, PAGES["library"], re.MULTILINE), left_out
    module = importlib.import_module(f"dedupe.{name}")
    for public in module.__all__:
        value = getattr(module, public)
        assert not callable(value) or value.__doc__, public


@pytest.mark.parametrize("page", WRITTEN)
def test_names_of_the_library_in_a_page_exist(page: str) -> None:
    known = {*dir(dedupe.Result), *dedupe.Result.__dataclass_fields__}
    for name in re.findall(r"`result\.(\w+)", PAGES[page]):
        assert name in known, name
    for home, name in re.findall(r"`dedupe\.((?:\w+\.)*)(\w+)", PAGES[page]):
        module = (
            importlib.import_module(f"dedupe.{home}".rstrip("."))
            if home != "Result."
            else dedupe.Result
        )
        assert hasattr(module, name), f"dedupe.{home}{name}"


@pytest.mark.parametrize("page", WRITTEN)
def test_flags_in_a_page_exist(page: str) -> None:
    known = {option for command in COMMANDS.values() for option in flags(command)}
    known |= {"--help", "--version", "--list", "--master", "--conf"}  # Two of spark-submit.
    text = re.sub(r"```(?!console|pycon).*?```", "", WRITTEN[page], flags=re.DOTALL)
    lines = [line for line in text.splitlines() if "benchmark" not in line and "pip " not in line]
    for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(lines)):
        assert page in ("benchmarks", "speed", "accuracy") or flag in known, flag


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_reached(page: str) -> None:
    listed = {
        name
        for text in PAGES.values()
        for kind, names in BLOCK.findall(text)
        if kind == "{toctree}"
        for name in names.split()
    }
    assert page == "index" or page in listed


CONSTANTS = [
    ("decides", "fewer than 20 shared words", rule.MIN_WORDS, 20),
    ("decides", "fewer than ten words is an edit", EDIT, 10),
    ("decides", "1 − 2 × hole", rule.HOLE_COST, 2),
    ("decides", "costs half as much as a hole, too", rule.EXCESS_COST * 2, rule.HOLE_COST),
    ("decides", "costs half as much as a hole, and ends", rule.END_COST * 2, rule.HOLE_COST),
    ("decides", "one and a half times as long", LONG, 1.5),
    ("decides", "It counts four times", LONG_COST, 4),
    ("decides", "fifty words of the list or more differ", BOX, 50),
    ("decides", "It takes as much of the score as it is long", rule.ENTRY_COST, 1),
    ("decides", "share four tenths of the smaller story", rule.STRICT_CONTAINMENT, 0.4),
    ("decides", "those that reach one half are joined", rule.LEARNED_SCORE, 0.5),
    ("decides", "one for each 40 words of the frame", forms.FRAME_PER_SLOT, 40),
    ("decides", "*signature* of 128 values", dedupe.Settings.num_perm, 128),
    ("decides", "five words that follow each other", dedupe.Settings.ngram, 5),
    ("decides", "must reach 0.8 of the threshold", clustering.MEAN_SHARE, 0.8),
    ("decides", "nine words in ten", rule.SHORT_SHARE, 0.9),
    ("decides", "from ten documents at most", forms.SAMPLE, 10),
    ("decides", "more than three quarters of them hold", forms.FRAME_SHARE, 0.75),
    ("decides", "at least three slots", forms.MIN_SLOTS, 3),
    ("decides", "one for each 20 words of the frame", 1 / forms.OWN_OF_FRAME, 20),
    ("decides", "one for every two other words in gaps", 1 / forms.OWN_OF_REST, 2),
    ("decides", "one and a quarter", forms.MIN_FRAME, 1.25),
    ("decides", "share half of what stands in their slots", forms.FILLING_SHARE, 0.5),
    ("decides", "at least three of the shared words must be in no other story", rule.MIN_OWN, 3),
    ("limits", "less than one changing word in twenty", forms.OWN_OF_FRAME, 1 / 20),
    ("threshold", "*threshold*, 0.45 by default", dedupe.Settings.threshold, 0.45),
    ("threshold", "0.1 is the lowest threshold", SCORE_FLOOR, 0.1),
    ("limits", "no more than about 50 words", rule.MAX_STRICT_HOLE, 50),
    ("decides", "at least 20 words without the boilerplate", rule.MIN_WORDS, 20),
    ("decides", "a tenth of the smaller story", SCORE_FLOOR, 0.1),
    ("limits", "above 64 MiB", MAX_BYTES, 64 * 2**20),
    ("formats", "up to 64 MiB", MAX_BYTES, 64 * 2**20),
    ("formats", "on a terminal 20 clusters", N_SHOWN, 20),
    ("formats", "and 3 duplicates of each", N_EACH, 3),
    ("serving", "16 MB by default", Limits().max_bytes, 16 << 20),
    ("serving", "30 seconds by default", Limits().timeout, 30),
    ("serving", "up to 30 seconds to finish", GRACE, 30),
    ("serving", "at a time, to 64 by default", Limits().max_waiting, 64),
    ("formats", "the longest eight stretches", N_LISTED, 8),
]


@pytest.mark.parametrize(("page", "phrase", "value", "told"), CONSTANTS)
def test_a_number_of_the_rule_is_told_as_it_is(
    page: str, phrase: str, value: float, told: float
) -> None:
    assert value == told
    assert phrase in " ".join(PAGES[page].split())


@pytest.mark.parametrize(
    ("is_at_the_end", "threshold", "percent"),
    [(False, 0.45, 18), (True, 0.45, 27), (False, 0.3, 23), (True, 0.3, 35)],
)
def test_what_may_be_rewritten_in_one_piece_is_as_the_daily_job_says(
    is_at_the_end: bool, threshold: float, percent: int
) -> None:
    page = PAGES["daily"]
    assert f"{percent} %" in page

    def score(n_new: int) -> float:
        start = 400 - n_new if is_at_the_end else 200 - n_new // 2
        words = [f"word{i}" for i in range(400)]
        rewritten = [f"other{i}" if start <= i < start + n_new else words[i] for i in range(400)]
        return dedupe.compare_texts(" ".join(words), " ".join(rewritten)).pair.score

    # A point of a percentage more is too much.
    assert score(4 * percent - 2) >= threshold > score(4 * percent + 4)


def test_what_a_hundred_thousand_articles_cost_is_what_was_measured() -> None:
    words = " ".join(PAGES["speed"].partition("Tables and plots")[0].split())
    row = r"^\| ([\d,]+) \| (\w[\w ]+) \| dedupe, (\d) threads? \| (.*) \|$"
    (head,) = re.findall(r"^\| documents \| crawl \| system \| (.*) \|$", PAGES["speed"], re.M)
    cells = {
        (size, kind, threads): dict(zip(head.split(" | "), figures.split(" | "), strict=True))
        for size, kind, threads, figures in re.findall(row, PAGES["speed"], re.M)
    }
    seconds = {key: float(figures["seconds"]) for key, figures in cells.items()}
    lines, files = (("100,000", kind) for kind in ("JSON Lines", "separate files"))
    assert f"take {seconds[*lines, '2']:.0f} seconds with two threads" in words
    assert f"and {seconds[*lines, '1']:.0f} with one" in words
    assert f"as a hundred thousand files, {seconds[*files, '2']:.0f} seconds" in words
    assert round(seconds["10,000", "JSON Lines", "2"]) == 1
    assert "ten thousand take one second" in words
    rate, megabytes, peak = (
        cells[*lines, "2"][name] for name in ("documents a second", "MB/s", "peak MB")
    )
    assert f"{float(peak.replace(',', '')) / 1000:.1f} GB of memory at most" in words
    assert f"articles of {1000 * float(megabytes) / float(rate.replace(',', '')):.1f} kB" in words


# --- what is written for programs ---


def check(facts: object, name: str) -> None:
    """Hold facts against a part of the schema."""
    schema = {**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{name}"}]}
    jsonschema.validate(facts, schema, jsonschema.Draft202012Validator)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        check({"format": "dedupe-result"}, "result")


def test_a_result_and_its_rows_are_of_the_schema() -> None:
    result = dedupe.find_duplicates(DOCS / "news.jsonl")
    assert result.skipped
    assert any(pair.evidence for pair in result.pairs)
    check(json.loads(result.to_json()), "result")
    chosen = dedupe.find_duplicates(DOCS / "news.jsonl", keep=max_by_id)
    check(json.loads(chosen.to_json()), "result")
    known = dedupe.find_duplicates(DOCS / "news.jsonl", boilerplate=DOCS / "index.md")
    assert known.settings.boilerplate
    check(json.loads(known.to_json()), "result")
    for line in json_report.rows(result).splitlines():
        check(json.loads(line), "row")


def max_by_id(documents: tuple[dedupe.DocumentInfo, ...]) -> dedupe.DocumentInfo:
    return max(documents, key=lambda one: one.id)


def test_a_comparison_is_of_the_schema(seeds: tuple[str, str]) -> None:
    check(json.loads(json_report.compared(dedupe.compare_texts(*seeds))), "comparison")


def test_labels_of_the_page_are_of_the_schema() -> None:
    ((_, text),) = [block for block in blocks("formats") if block[0] == "json"]
    check(json.loads(text), "labels")
    from dedupe.results.labels import read_labels  # noqa: PLC0415

    assert len(read_labels(text)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "result",
        "row",
        "pair",
        "evidence",
        "comparison",
        "labels",
        "document",
        "duplicate",
        "settings",
    ],
)
def test_every_key_of_the_schema_is_explained(name: str) -> None:
    for key in SCHEMA["$defs"][name]["properties"]:
        assert re.search(rf'[`"]{key}[`"]', PAGES["formats"]), key


def test_the_examples_are_read() -> None:
    items = list(read_paths(DOCS / "news.jsonl"))
    assert [type(item).__name__ for item in items].count("Skipped") == 1


# --- the page for contributors ---


def test_the_function_that_contributing_shows_is_in_the_library() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for path, code in shown:
        assert code.strip() in (ROOT / path).read_text(encoding="utf-8"), path
        ast.parse(code)


def test_the_case_that_contributing_shows_is_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ((path, case),) = re.findall(
        r"^In `(\S+)`:\n\n```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    assert json.loads(case) in json.loads((ROOT / path).read_text(encoding="utf-8"))


def test_the_changelog_line_that_contributing_shows_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^```markdown\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

"""What was warmed up is not compiled again, whatever is asked for next, of an index too."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba import config

import dedupe
from dedupe import warming
from dedupe.progress import Progress
from strategies import article

SOURCE = Path(dedupe.__file__).parent


def test_how_far_it_is_comes_stage_by_stage(monkeypatch):
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda **_: False)
    steps = []
    warming.compile_for_search(steps.append)
    assert steps[0].note.startswith("compiling the kernels")
    assert [step.done for step in steps] == [0, *range(10)]
    assert {(step.stage, step.total, step.unit) for step in steps} == {("compiling", 9, "stages")}


def test_what_is_compiled_already_needs_no_word(monkeypatch):
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda **_: True)
    steps: list[Progress] = []
    dedupe.warm_up(progress=steps.append)
    assert not any(step.note for step in steps)


def test_progress_is_checked():
    with pytest.raises(dedupe.InvalidSetting, match="progress must be a function"):
        dedupe.warm_up(progress=3)


def test_an_index_after_searches_alone_says_that_it_compiles(monkeypatch):
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda of_index=False: not of_index)
    steps: list[Progress] = []
    warming.compile_for_search(steps.append)
    assert not any(step.note for step in steps)
    warming.warm_up_once(steps.append)
    assert [step.note for step in steps if step.note] == [warming._note()]


@pytest.fixture
def started(monkeypatch):
    """Return the processes that are started to compile, none of which compiles anything."""
    processes = []

    class Process(subprocess.Popen):
        def __init__(self, command, **how):
            super().__init__([*command[:2], "import time; time.sleep(60)"], **how)
            processes.append((self, command))

    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda **_: False)
    monkeypatch.setattr("dedupe.kernels.are_kept", lambda: True)
    monkeypatch.setattr("dedupe.kernels.machine.is_possible", lambda: True)
    monkeypatch.setattr(warming, "n_processors", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", Process)
    return processes


def test_another_process_compiles_from_the_end_and_ends_with_the_search(started):
    warming.compile_for_search(lambda _: None)
    ((process, command),) = started
    assert process.returncode is not None
    assert command[0] == sys.executable
    # It finds the same package, wherever it is.
    assert repr(sys.path) in command[2]
    assert "compile_from_the_end()" in command[2]


def test_it_ends_with_a_search_that_fails(started):
    def stop(step: Progress) -> None:
        if step.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        warming.compile_for_search(stop)
    ((process, _),) = started
    assert process.returncode is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dedupe.kernels.are_compiled", lambda **_: True),
        ("dedupe.kernels.are_kept", lambda: False),
        ("dedupe.kernels.machine.is_possible", lambda: False),
        ("dedupe.warming.n_processors", lambda: 1),
        ("sys.executable", "/usr/bin/uwsgi"),
        ("sys.executable", None),
        ("sys.executable", ""),
    ],
)
def test_nothing_is_started_where_it_is_of_no_use_or_no_python(started, monkeypatch, name, value):
    monkeypatch.setattr(name, value)
    warming.compile_for_search(lambda _: None)
    assert started == []


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.skipif(
    os.environ.get("DEDUPE_WARMING") != "required", reason="compiles all anew: a minute or two"
)
def test_after_it_nothing_is_compiled(tmp_path):
    """Kernels are kept beside the source, and another command leaves no new ones there."""
    shutil.copytree(SOURCE, tmp_path / "dedupe", ignore=shutil.ignore_patterns("__pycache__"))
    seeds = [os.fspath(path) for path in sorted((SOURCE.parents[1] / "seeds").glob("*.txt"))]

    def start(*arguments: str) -> None:
        environment = {
            name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"
        }
        subprocess.run(
            [sys.executable, *arguments],
            env=environment | {"PYTHONPATH": os.fspath(tmp_path)},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def run(*arguments: str) -> None:
        start("-m", "dedupe", *arguments)

    def kept() -> set[str]:
        return {path.name for path in tmp_path.rglob("*.machine")}

    # Alone, so that all of it is what a search and an index asked for.
    alone = "import dedupe, dedupe.warming as w; w.n_processors = lambda: 1; dedupe.warm_up()"
    start("-c", alone)
    warmed = kept()
    # No search of the seeds has pairs enough for it.
    assert any(name.startswith("linkage.join_into") for name in warmed)
    start("-c", "from dedupe.warming import compile_from_the_end as c; c()")
    assert kept() == warmed
    run("find", *seeds)
    run("find", *seeds, "--format", "html", "-o", os.fspath(tmp_path / "report.html"))
    run("find", seeds[0], "--against", seeds[1])
    run("compare", *seeds, "--boilerplate", seeds[0])
    run("clean", *seeds, "--story", "--replace-text", "-o", os.fspath(tmp_path / "cleaned"))
    assert kept() == warmed
    for command in commands_of_an_index(seeds, tmp_path):
        run(*command)
        assert kept() == warmed, command


def commands_of_an_index(seeds: list[str], folder: Path) -> list[list[str]]:
    """Return commands that use an index in all ways, of a few documents and of thousands."""
    index, other, many = (os.fspath(folder / name) for name in ("a", "b", "many.jsonl"))
    records = [{"id": f"{n}", "text": f"{article(f'{n // 2}')} {n}"} for n in range(5000)]
    Path(many).write_text("".join(f"{json.dumps(one)}\n" for one in records))
    alone = [
        ["add", index, seeds[0]],
        ["add", index, *seeds[1:], "--matches"],
        ["query", index, *seeds, "--format", "jsonl", "--evidence"],
        ["learn", index],
        ["query", index, seeds[0]],
        ["add", other, many],
        ["learn", other],
        ["add", other, *seeds, "--matches"],
        ["query", other, seeds[0], "--max-compared", "5"],
        ["merge", index, other],
        ["find", index],
        ["ids", index],
        ["remove", other, *map(str, range(2000))],
        ["expire", index, "--before", "90d"],
        ["compact", other],
        ["verify", other],
        ["query", other, *seeds],
        ["rebuild", other, "--seed", "3"],
        ["learn", other],
        ["stats", index],
    ]
    return [*(["index", *one] for one in alone), ["find", *seeds, "--against", index]]

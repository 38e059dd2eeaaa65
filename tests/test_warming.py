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
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda: False)
    steps = []
    warming.compile_for_search(steps.append)
    assert steps[0].note.startswith("compiling the kernels")
    assert [step.done for step in steps] == [0, *range(10)]
    assert {(step.stage, step.total, step.unit) for step in steps} == {("compiling", 9, "stages")}


def test_what_is_compiled_already_needs_no_word(monkeypatch):
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda: True)
    steps: list[Progress] = []
    dedupe.warm_up(progress=steps.append)
    assert not any(step.note for step in steps)


def test_progress_is_checked():
    with pytest.raises(dedupe.InvalidSetting, match="progress must be a function"):
        dedupe.warm_up(progress=3)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
@pytest.mark.skipif(
    os.environ.get("DEDUPE_WARMING") != "required", reason="compiles all anew: half a minute"
)
def test_after_it_nothing_is_compiled(tmp_path):
    """Kernels are kept beside the source, and another command leaves no new ones there."""
    shutil.copytree(SOURCE, tmp_path / "dedupe", ignore=shutil.ignore_patterns("__pycache__"))
    seeds = [os.fspath(path) for path in sorted((SOURCE.parents[1] / "seeds").glob("*.txt"))]

    def run(*arguments: str) -> None:
        environment = {
            name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"
        }
        subprocess.run(
            [sys.executable, "-m", "dedupe", *arguments],
            env=environment | {"PYTHONPATH": os.fspath(tmp_path)},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def kept() -> set[str]:
        return {path.name for path in tmp_path.rglob("*.machine")}

    run("warm-up", "-q")
    warmed = kept()
    assert warmed
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

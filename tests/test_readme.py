"""The README says what is true: its commands, its outputs and its program are run."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from dedupe.cli import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run(*arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return finished.stdout


def test_the_first_command_prints_what_the_readme_shows() -> None:
    command = blocks("sh")[0].splitlines()[0]
    assert command.endswith("&& .venv/bin/dedupe find seeds/")
    assert run("-m", "dedupe", "find", "seeds/") == blocks("text")[0]


def test_the_second_command_runs_these_tests() -> None:
    commands = blocks("sh")[0].splitlines()
    assert len(commands) == 2
    assert commands[1].endswith("&& .venv/bin/pytest -q -n auto")


def test_the_commands_that_clean_do_what_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = sorted((ROOT / "seeds").iterdir())
    rows = [{"id": path.name, "text": path.read_text(encoding="utf-8")} for path in seeds]
    lines = [json.dumps(row) + "\n" for row in rows]
    (tmp_path / "news.jsonl").write_text("".join(lines), encoding="utf-8")
    shutil.copytree(ROOT / "seeds", tmp_path / "pages")
    monkeypatch.chdir(tmp_path)
    outputs = []
    for command in blocks("sh")[1].splitlines():
        program, *arguments = command.split()
        assert program == "dedupe"
        ran = CliRunner().invoke(cli, arguments, prog_name="dedupe")
        assert ran.exit_code == 0, ran.output
        outputs.append(ran.stdout)
    dropped = f"pages/{seeds[1].name}\n"
    assert outputs == ["", "", "", dropped, dropped]
    assert (tmp_path / "once.jsonl").read_text(encoding="utf-8") == lines[0]
    marked = (tmp_path / "marked.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["duplicate_of"] for line in marked] == [None, seeds[0].name]
    assert [path.name for path in (tmp_path / "pages").iterdir()] == [seeds[0].name]
    assert [path.name for path in (tmp_path / "pages-gone").iterdir()] == [seeds[1].name]


def test_the_program_prints_what_the_readme_shows() -> None:
    assert run("-c", blocks("python")[0]) == blocks("text")[1]


def test_rows_in_memory_come_back_as_the_readme_says() -> None:
    import pandas as pd  # noqa: PLC0415

    import dedupe  # noqa: PLC0415

    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "seeds").iterdir())]
    names = {"dedupe": dedupe, "frame": pd.DataFrame({"text": texts})}
    exec(blocks("python")[1], names)
    assert names["once"].equals(names["frame"][:1])
    assert names["marked"]["duplicate_of"].tolist() == [pd.NA, 0]


def test_an_index_says_what_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import dedupe  # noqa: PLC0415

    body, page = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "seeds").iterdir()))
    monkeypatch.chdir(tmp_path)
    with dedupe.Index("news.dedupe") as index:
        index.add("body", body)
    exec(blocks("python")[2], {"dedupe": dedupe, "page": page})
    said = capsys.readouterr().out
    assert said == "seen before: body, all 391 words of the smaller story shared\n"


def test_what_is_said_of_accuracy_is_what_the_table_has() -> None:
    rows = re.findall(
        r"^\| (dedupe|datasketch|rensa)\b.*?\| [\d.]+ \| [\d.]+ \| ([\d.]+) ", README, re.M
    )
    ours = [float(f1) for name, f1 in rows if name == "dedupe"]
    others = [float(f1) for name, f1 in rows if name != "dedupe"]
    assert len(ours) == 1
    assert len(others) > 1
    words = " ".join(README.split())
    assert (
        f"its F1 is {ours[0]:.2f}, where the best setting of datasketch or rensa reaches "
        f"{max(others):.2f}"
    ) in words


@pytest.mark.parametrize("extra", ["html", "parquet", "zstd", "pandas", "polars"])
def test_the_extras_that_the_readme_names_exist(extra: str) -> None:
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert extra in project["optional-dependencies"]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(?:dedupe|result)\.(\w+)", README))))
def test_the_names_in_the_readme_exist(name: str) -> None:
    import dedupe  # noqa: PLC0415

    known = {*dedupe.__all__, *dir(dedupe.Result), *dedupe.Result.__dataclass_fields__}
    assert name in known or (ROOT / "src" / "dedupe" / f"{name}.py").exists()

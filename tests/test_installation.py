"""PyPI's ``dedupe`` in the same environment: it is noticed, and said in one line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dedupe
from dedupe import installation
from dedupe.installation import OPENINGS, check, foreign

OURS = Path(dedupe.__file__).parent
THEIRS = {
    "__init__.py": "\nfrom dedupe.api import Dedupe\n",
    "api.py": "#!/usr/bin/python\nfrom dedupe.clustering import cluster\nclass Dedupe: ...\n",
    "clustering.py": "#!/usr/bin/python\ndef cluster(): ...\n",
}
"""What PyPI's ``dedupe`` 3 puts over our files: the names that it has as well."""


@pytest.fixture
def site(tmp_path):
    """Return a folder with our package."""
    shutil.copytree(OURS, tmp_path / "dedupe", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(site, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        env={"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def overwrite(site, names):
    for name in names:
        (site / "dedupe" / name).write_text(THEIRS[name])


def test_our_files_are_ours():
    assert OPENINGS.keys() == THEIRS.keys()
    assert foreign(OURS) == []
    check()


@pytest.mark.parametrize("names", [[*THEIRS], ["api.py"], ["clustering.py"]])
def test_the_command_says_in_one_line_which_files_are_not_ours(site, names):
    overwrite(site, names)
    for arguments in (["--version"], ["find", "x"]):
        ran = run(site, "-m", "dedupe", *arguments)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert ran.stderr.startswith("dedupe: error: the files of dedupe-articles must be its own")
        assert ran.stderr.count("\n") == 1
        assert [name for name in THEIRS if f"dedupe/{name}" in ran.stderr] == names
        assert "uninstall dedupe, and reinstall dedupe-articles" in ran.stderr


def test_files_that_went_with_the_other_project_are_missed(site):
    for name in THEIRS:
        (site / "dedupe" / name).unlink()
    # Without what is installed, where there may be another copy of ours.
    ran = run(site, "-S", "-m", "dedupe", "--help")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("name", ["api.py", "clustering.py"])
def test_a_program_is_told_when_it_asks_for_what_is_not_ours(site, name):
    overwrite(site, [name])
    ran = run(site, "-c", "import dedupe; dedupe.find_duplicates")
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("ImportError: the files of dedupe-articles must be its own, but not")
    assert f"dedupe/{name}" in last


def test_where_nothing_is_overwritten_an_error_is_what_it_was(monkeypatch):
    monkeypatch.setitem(dedupe._HOME_OF, "missing", "dedupe.errors")
    with pytest.raises(AttributeError, match="missing"):
        _ = dedupe.missing


def test_in_an_archive_or_a_frozen_program_nothing_is_missed(tmp_path, monkeypatch):
    assert foreign(tmp_path) == []
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "installation.pyc"))
    check()


def test_files_of_the_other_project_beside_ours_do_no_harm(site):
    """It was installed first, so that ours won."""
    (site / "dedupe/core.py").write_text("import nothing\n")
    assert run(site, "-m", "dedupe", "--version").stdout == f"dedupe {dedupe.__version__}\n"


def test_importing_looks_at_no_file():
    loaded = run(
        OURS.parent, "-c", "import sys, dedupe; print('dedupe.installation' in sys.modules)"
    )
    assert loaded.stdout == "False\n"

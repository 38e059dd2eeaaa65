"""``dedupe clean``: what it asks of the library, what it prints, how it exits; completion."""

import errno
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from cleaned import made, tree
from dedupe import NothingToRead, Skipped, clean
from dedupe.cleaning import Cleaning
from dedupe.cli import cli
from dedupe.documents import stdin, streams


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name in ("a", "b", "two\nlines"):
        Path(f"in/{name}.txt").write_text("one story")
    Path("in/empty.txt").touch()
    result = made("in", ["in/a.txt", "in/b.txt", "in/two\nlines.txt"])
    Path("result.json").write_text(result.to_json())
    return tmp_path


def run(*arguments, **options):
    return CliRunner().invoke(cli, ["clean", *arguments], prog_name="dedupe", **options)


UNREAD = "kept, since it could not be read: in/empty.txt: empty; give it a text, or leave it out\n"


@pytest.mark.parametrize("flags", [[], ["--list"]])
def test_it_prints_what_can_go(here, flags):
    before = tree()
    ran = run("in", "--result", "result.json", *flags)
    assert (ran.exit_code, ran.stdout) == (0, "in/b.txt\nin/two\\nlines.txt\n")
    assert ran.stderr == UNREAD + "2 of 3 documents can go, nothing was changed\n"
    assert tree() == before


def test_ids_before_zero_bytes_are_exact(here):
    ran = run("in", "--result", "result.json", "-0")
    assert ran.stdout == "in/b.txt\0in/two\nlines.txt\0"


def test_move(here):
    ran = run("in", "--result", "result.json", "--move", "gone")
    assert (ran.exit_code, ran.stdout) == (0, "in/b.txt\nin/two\\nlines.txt\n")
    assert ran.stderr == UNREAD + "2 files moved, 0 left\n"
    assert sorted(tree("gone")) == ["b.txt", "two\nlines.txt"]


def test_what_had_to_stay_is_said_and_is_no_success(here):
    Path("gone").mkdir()
    Path("gone/b.txt").touch()
    ran = run("in", "--result", "result.json", "--move", "gone")
    assert (ran.exit_code, ran.stdout) == (1, "in/two\\nlines.txt\n")
    assert ran.stderr == (
        f"left: in/b.txt: {here}/gone/b.txt is there already; name another folder\n"
        f"{UNREAD}1 file moved, 1 left\n"
    )


def test_delete_needs_a_yes_where_nobody_can_be_asked(here):
    before = tree()
    ran = run("in", "--result", "result.json", "--delete")
    assert ran.exit_code == 2
    assert "--delete needs --yes where there is no terminal to ask on" in ran.stderr
    assert tree() == before
    assert run("in", "--result", "result.json", "--delete", "--yes").exit_code == 0
    assert sorted(tree("in")) == ["a.txt", "empty.txt"]


@pytest.mark.parametrize(("answer", "code", "n_files"), [("n", 1, 4), ("\n", 1, 4), ("y", 0, 2)])
def test_delete_asks_on_a_terminal(here, answer, code, n_files):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode() + b"\n")
    ran = subprocess.run(
        [sys.executable, "-m", "dedupe", "clean", "in", "--delete", "--result", "result.json"],
        stdin=theirs, capture_output=True, check=False, text=True,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    assert ran.returncode == code, ran.stderr
    assert "Delete 2 files? [y/N]:" in ran.stderr
    # Until click 8.4, the space behind the question went there.
    assert ran.stdout.removeprefix(" ") == ("in/b.txt\nin/two\\nlines.txt\n" if code == 0 else "")
    assert len(tree("in")) == n_files


def test_hardlink(here):
    ran = run("in", "--result", "result.json", "--hardlink")
    assert ran.exit_code == 0
    assert ran.stderr.endswith("2 files linked, 0 left\n")
    assert Path("in/b.txt").samefile("in/a.txt")


def write_records() -> None:
    rows = [{"id": id_, "text": "one story"} for id_ in "ab"]
    Path("r.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("r.json").write_text(made("r.jsonl", "ab").to_json())


def test_output(here):
    write_records()
    ran = run("r.jsonl", "--result", "r.json", "-o", "out.jsonl")
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert ran.stderr == "out.jsonl: 1 document kept, 1 dropped\n"
    assert json.loads(Path("out.jsonl").read_text())["id"] == "a"
    ran = run("r.jsonl", "--result", "r.json", "-o", "out.jsonl", "--annotate")
    assert ran.stderr == "out.jsonl: 2 documents, all of them marked\n"
    assert len(Path("out.jsonl").read_text().splitlines()) == 2


def test_what_is_not_in_the_output_is_not_said_to_be_kept(here, monkeypatch):
    Path("in/locked").mkdir()
    Path("in/link").symlink_to("../result.json")
    real = os.scandir

    def refuse(path):
        if path == "in/locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    Path("result.json").write_text(made("in", ["in/a.txt", "in/b.txt"]).to_json())
    ran = run("in", "--result", "result.json", "-o", "out")
    assert ran.exit_code == 1
    assert ran.stderr == (
        "left: in/locked: not written: the folder cannot be listed: Permission denied; "
        "check its permissions\n"
        "not copied: in/link: a link out of the folder, which is not followed; "
        "name the file itself\n"
        f"{UNREAD}out: 3 documents kept (1 of them unreadable), 1 dropped, 1 left, 1 not copied\n"
    )
    assert sorted(tree("out")) == ["a.txt", "empty.txt", "two\nlines.txt"]


def test_what_is_only_not_copied_is_a_success(here):
    Path("in/link").symlink_to("missing")
    Path("result.json").write_text(made("in").to_json())
    ran = run("in", "--result", "result.json", "-o", "out")
    assert ran.exit_code == 0
    assert ran.stderr.startswith("not copied: in/link: a link that leads nowhere: No such file")
    assert ran.stderr.endswith(
        "out: 4 documents kept (1 of them unreadable), 0 dropped, 1 not copied\n"
    )


def test_marks_are_not_said_of_what_is_left(here, monkeypatch):
    write_records()
    left = (Skipped("in/locked", "not written: the folder cannot be listed", "check it"),)
    done = Cleaning((), left, (), made("r.jsonl", "ab"), 2, left)
    monkeypatch.setattr("dedupe.cleaning.clean", lambda *_, **__: done)
    ran = run("in", "-o", "out", "--annotate")
    assert ran.exit_code == 1
    assert ran.stderr.endswith("out: 2 documents, marked except for 1 left, 1 not copied\n")


def test_records_on_standard_output(here):
    write_records()
    command = [sys.executable, "-m", "dedupe", "clean", "r.jsonl", "--result", "r.json", "-o", "-"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == {"id": "a", "text": "one story"}
    assert ran.stderr == "standard output: 1 document kept, 1 dropped\n"


def test_a_bad_output_is_bad_use(here):
    write_records()
    for output in ("r.jsonl", "out.csv"):
        ran = run("r.jsonl", "--result", "r.json", "-o", output)
        assert (ran.exit_code, ran.stdout) == (2, "")
        assert ran.stderr.startswith("dedupe: error: output must")
    ran = run("in", "--result", "r.json", "-o", "out")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("dedupe: error: a result must be of the documents")


def test_a_search_has_the_options_of_find(here, monkeypatch):
    asked = {}

    def clean(paths, **settings):
        asked.update(paths=paths, **settings)
        return Cleaning((), (), (), None)

    monkeypatch.setattr("dedupe.cleaning.clean", clean)
    flags = ["--threshold", "0.5", "--keep", "first", "--id-field", "url", "--workers", "2"]
    assert run("in", "-q", *flags, "--memory", "1K", "--journal", "j").exit_code == 0
    for name in ("confirm", "progress"):
        assert callable(asked.pop(name))
    assert asked == {
        "paths": ["in"], "output": None, "annotate": False, "story": False,
        "cut_repeated": False, "replace_text": False, "move": None, "delete": False,
        "hardlink": False, "journal": "j", "threshold": 0.5, "ngram": 5, "num_perm": 128,
        "seed": 1, "keep": "first", "prefer": (),
        "id_field": "url", "text_field": "text", "time_field": None,
        "html_field": None, "delimiter": None, "qualify_ids": False,
        "boilerplate": None, "window": None, "time_from": None,
        "workers": 2, "memory": 1024, "against": None,
        "checkpoint": None,
    }  # fmt: skip


def test_many_unread_documents_are_counted(here, monkeypatch):
    result = made("in")
    skipped = tuple(Skipped(f"{i}\x1b", "empty", "leave it out") for i in range(23))
    object.__setattr__(result, "skipped", skipped)
    monkeypatch.setattr("dedupe.cleaning.clean", lambda *_, **__: Cleaning((), (), (), result))
    said = run("in").stderr.splitlines()
    assert said[0] == "kept, since it could not be read: 0\\x1b: empty; leave it out"
    assert said[20:] == [
        "kept, since it could not be read: 3 more", "0 of 3 documents can go, nothing was changed"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["in", "-o", "x", "--delete", "--yes"],
        ["in", "--move", "x", "--hardlink"],
        ["in", "--list", "--move", "x"],
        ["in", "--annotate"],
        ["in", "--annotate", "--move", "x"],
        ["in", "--yes"],
        ["in", "--result", "missing.json"],
        ["in", "--result", "result.json", "--threshold", "0.5"],
        ["in", "--result", "result.json", "--workers", "2"],
        ["missing", "--move", "x"],
        ["in", "--move", "in/x"],
        ["-", "-o", "out.csv"],
    ],
)
def test_bad_use(here, arguments):
    before = tree()
    ran = run(*arguments)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert tree() == before


# Completion, which click generates; what is tested is that our commands are in it.


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_generated(shell):
    if shell == "bash" and not shutil.which("bash"):
        pytest.skip("click asks bash for its version")
    ran = subprocess.run(
        [sys.executable, "-m", "dedupe"],
        env=os.environ | {"_DEDUPE_COMPLETE": f"{shell}_source"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"_DEDUPE_COMPLETE={shell}_complete" in ran.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dedupe ", {"plain,clean", "plain,compare", "plain,find"}),
        ("dedupe clean --ha", {"plain,--hardlink"}),
        ("dedupe clean --keep ne", {"plain,newest"}),
        ("dedupe clean ar", {"file,ar"}),
        ("dedupe find --format js", {"plain,json", "plain,jsonl"}),
    ],
)
def test_completion_offers(typed, offered):
    words = typed.split(" ")
    ran = subprocess.run(
        [sys.executable, "-m", "dedupe"],
        env=os.environ
        | {
            "_DEDUPE_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(ran.stdout.split()) >= offered
    if len(words) > 2:
        assert set(ran.stdout.split()) == offered


def test_against_an_old_collection(here):
    Path("old").mkdir()
    story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    Path("old/x.txt").write_text(story)
    Path("in/b.txt").write_text(f"home news sport {story}")
    ran = run("in", "--against", "old", "--move", "gone", "-q")
    # A copy of one that is new goes, too.
    assert (ran.exit_code, ran.stdout) == (0, "in/two\\nlines.txt\nin/b.txt\n")
    assert sorted(tree("gone")) == ["b.txt", "two\nlines.txt"]
    # Of the documents in the folder, not of all that were read.
    assert "0 of 1 document can go" in run("in", "--against", "old", "-q").stderr


@pytest.mark.parametrize("flag", ["-o", "--move", "--journal"])
def test_an_empty_name_is_bad_use(here, flag):
    before = tree()
    ran = run("in", "--result", "result.json", flag, "")
    assert ran.exit_code == 2
    assert "must name a place, got an empty string" in ran.stderr
    assert tree() == before
    assert run("in", "--move", "", "--delete", "--yes").exit_code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line(here):
    command = [sys.executable, "-m", "dedupe", "clean", "in", "--result", "result.json", "-q"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == (
        "dedupe: error: cannot write to standard output: No space left on device\n"
    )


def test_who_stops_at_the_question_has_interrupted_it(here, monkeypatch):
    def stop(*_, **__):
        raise click.Abort

    monkeypatch.setattr("click.confirm", stop)
    monkeypatch.setattr(sys.modules["dedupe.cli.clean"], "_check", lambda *_, **__: None)
    ran = run("in", "--result", "result.json", "--delete")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (130, "", "dedupe: interrupted\n")


def test_the_result_that_is_acted_on_is_not_written_over(here):
    before = tree()
    ran = run("in", "--result", "result.json", "-o", "in/../result.json")
    assert ran.exit_code == 2
    assert "--output must not be the result that is acted on" in ran.stderr
    assert tree() == before


# --- standard input ---

STORY = "the council voted on monday to close the old bridge for repairs until next spring " * 3
LINES = [json.dumps({"id": id_, "text": STORY, "n": id_}) + "\n" for id_ in "ab"]
TABLE = f"id;text\na;{STORY}\nb;{STORY}\n"


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ("".join(LINES), LINES[0]),
        (f"[\n{LINES[0]},{LINES[1]}]", f"[\n{LINES[0]}]"),
        (TABLE, TABLE[: TABLE.index("b;")]),
        (STORY, STORY),
    ],
)
def test_what_is_piped_in_is_piped_on_without_duplicates(here, data, kept):
    ran = run("-", "-o", "-", "-q", input=data)
    assert (ran.exit_code, ran.stdout) == (0, kept)
    assert ran.stderr.startswith("standard output: 1 document kept, ")
    assert run("-", "-o", "kept", input=data).exit_code == 0
    assert Path("kept").read_text() == kept
    assert run("-", input=data).stdout == ("" if data == STORY else "b\n")


def test_what_is_piped_in_may_be_marked(here):
    rows = run("-", "-o", "-", "--annotate", input="".join(LINES)).stdout.splitlines()
    assert [json.loads(row)["duplicate_of"] for row in rows] == [None, "a"]
    assert run("-", "-o", "-", "--annotate", input=TABLE).stdout.startswith(
        "id;text;cluster;duplicate_of;score;relation;reason\n"
    )


def test_what_is_piped_in_can_be_held_against_files(here):
    Path("old.jsonl").write_text(LINES[0])
    new = json.dumps({"id": "c", "text": STORY}) + "\n"
    assert run("-", "--against", "old.jsonl", input=new).stdout == "c\n"


def test_a_saved_result_holds_for_what_is_piped_in(here):
    data = "".join(LINES)
    found = CliRunner().invoke(cli, ["find", "-", "--format", "json", "-q"], input=data)
    Path("found.json").write_text(found.stdout)
    ran = run("-", "-o", "-", "--result", "found.json", input=data)
    assert (ran.exit_code, ran.stdout) == (0, LINES[0])


@pytest.mark.parametrize("flags", [["--move", "gone"], ["--delete", "--yes"], ["--hardlink"]])
def test_what_is_piped_in_is_no_file_to_act_on(here, flags):
    ran = run("-", *flags, input="".join(LINES))
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "dedupe: error: paths must be files or folders here, got '-': "
        "save what is piped in to a file\n"
    )
    ran = run("in", "--against", "-", input="".join(LINES))
    assert "against must be files or folders here, got '-'" in ran.stderr


def test_the_name_of_the_output_must_suit_what_is_piped_in(here):
    ran = run("-", "-o", "kept.csv", input="".join(LINES))
    assert (ran.exit_code, Path("kept.csv").exists()) == (2, False)
    assert "output must be of the format of the input, JSON Lines" in ran.stderr


def test_standard_input_that_breaks_off_is_not_taken_for_whole(here, monkeypatch):
    class Broken(io.RawIOBase):
        def read1(self, _):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(stdin, "sys", SimpleNamespace(stdin=SimpleNamespace(buffer=Broken())))
    with pytest.raises(NothingToRead, match="what is piped in must be readable to its end"):
        clean("-", output="kept.jsonl")
    assert not Path("kept.jsonl").exists()
    assert stdin._kept is None


# An old collection of which something could not be read.

NEWS = " ".join(f"word{i}" for i in range(60))


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("old").mkdir()
    Path("old/a.jsonl").write_text(json.dumps({"id": "a", "text": NEWS}))
    Path("new.jsonl").write_text(
        "".join(json.dumps({"id": id_, "text": NEWS + id_}) + "\n" for id_ in "xy")
        + json.dumps({"id": "z", "text": " ".join(f"other{i}" for i in range(60))})
        + '\n{"id": "e", "text": ""}'
    )
    return tmp_path


LOST = {
    "cut.jsonl.gz": gzip.compress(json.dumps({"id": "c", "text": NEWS}).encode() * 9)[:-9],
    "legacy.csv": b"id,body\n1,text\n",
    "legacy.jsonl": b'{"id": "l", "body": "text"}\n',
    "bad.parquet": b"PAR1",
}
TO_BE_PASSED_OVER = {
    "empty.txt": b"",
    "picture.png": b"x",
    "some.jsonl": b'{"id": "s", "text": "sound"}\nbroken\n{"id": "t", "text": ""}',
}


@pytest.mark.parametrize("name", LOST)
@pytest.mark.parametrize("command", [["clean", "-o", "n.jsonl"], ["find", "--format", "csv"]])
def test_an_old_file_that_is_lost_is_said_and_is_no_success(archive, command, name):
    Path("old", name).write_bytes(LOST[name])
    arguments = [command[0], "new.jsonl", "--against", "old", *command[1:]]
    for more in ([], ["-q"], ["-q", "--fail-on-duplicates"][: 1 + (command[0] == "find")]):
        ran = CliRunner().invoke(cli, [*arguments, *more], prog_name="dedupe")
        assert ran.exit_code == 1
        assert f"old, not compared: old/{name}: " in ran.stderr
    assert "kept, since it could not be read: old" not in ran.stderr


QUIET = {"feed.jsonl": "", "feed.csv": "id,text\n", "feed.json": "[]", "none.csv": ""}


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("output", ["n.jsonl", "same"])
def test_a_night_without_news(archive, name, output):
    Path("crawl").mkdir()
    Path("crawl", name).write_text(QUIET[name])
    output = name if output == "same" else output
    ran = run(f"crawl/{name}", "--against", "old", "-o", output)
    assert (ran.exit_code, ran.stderr) == (0, f"{output}: 0 documents kept, 0 dropped\n")
    assert Path(output).read_text() == (QUIET[name] if output == name else "")
    # The next night it is a part of the archive.
    Path(output).rename(Path("old", output))
    ran = run("new.jsonl", "--against", "old", "-o", "n.jsonl", "-q")
    assert (ran.exit_code, ran.stderr.count("not compared")) == (0, 0)


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("flag", ["--annotate", "--story"])
def test_fields_are_added_where_there_is_no_record(archive, name, flag):
    Path("crawl").mkdir()
    Path("crawl", name).write_text(QUIET[name])
    ran = run("crawl", "--against", "old", "-o", "marked", flag)
    assert ran.exit_code == 0
    said = Path("marked", name).read_text()
    assert said == QUIET[name] or (name == "feed.csv" and said.startswith("id,text,"))


CUT_OFF = {
    "cut.jsonl": b'{"id": "c", "text": "sound"}\n{"id": "d", "te',
    "cut-in-a-letter.jsonl": '{"id": "c", "text": "sound"}\n{"id": "ü'.encode()[:-1],
    "cut.csv": b'id,text\nc,sound\nd,"A bridge\nis clo',
    "cut.tsv": b'id\ttext\nc\tsound\nd\t"A bridge',
}


@pytest.mark.parametrize("name", CUT_OFF)
@pytest.mark.parametrize("command", [["clean", "-o", "n.jsonl"], ["find", "--format", "csv"]])
def test_an_old_file_that_ends_in_the_midst_of_a_record_is_no_success(archive, command, name):
    Path("old", name).write_bytes(CUT_OFF[name])
    arguments = [command[0], "new.jsonl", "--against", "old", *command[1:], "-q"]
    ran = CliRunner().invoke(cli, arguments, prog_name="dedupe")
    assert ran.exit_code == 1
    number = 3 if name[-3:] in ("csv", "tsv") else 2
    assert ran.stderr.startswith(f"old, not compared: old/{name}:{number}: cut off: ")


LOST_LINKS = {
    "gone.jsonl": ("nowhere.jsonl", "a link that leads nowhere"),
    "out.jsonl": ("../elsewhere/b.jsonl", "a link out of the folder"),
    "2023": ("../elsewhere", "a link to a folder"),
    "2022": (".hidden", "a link to a folder"),
}


@pytest.mark.parametrize("name", LOST_LINKS)
@pytest.mark.parametrize("command", [["clean", "-o", "n.jsonl"], ["find", "--format", "csv"]])
def test_an_old_link_whose_target_is_not_read_is_said_and_is_no_success(archive, command, name):
    Path("elsewhere").mkdir()
    Path("old/.hidden").mkdir()
    Path("elsewhere/b.jsonl").write_text(json.dumps({"id": "b", "text": NEWS}))
    target, reason = LOST_LINKS[name]
    Path("old", name).symlink_to(target)
    arguments = [command[0], "new.jsonl", "--against", "old", *command[1:], "-q"]
    ran = CliRunner().invoke(cli, arguments, prog_name="dedupe")
    assert ran.exit_code == 1
    assert ran.stderr.startswith(f"old, not compared: old/{name}: {reason}")


def test_an_old_file_that_cannot_be_opened_is_no_success(archive, monkeypatch):
    def refused(path, *more):
        if str(path).endswith("shut.jsonl"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *more)

    opened = os.open
    Path("old/shut.jsonl").write_text(json.dumps({"id": "s", "text": NEWS}))
    monkeypatch.setattr(streams.os, "open", refused)
    ran = run("new.jsonl", "--against", "old", "-o", "n.jsonl", "-q")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("old, not compared: old/shut.jsonl: cannot be read: Permission")


def test_an_old_link_to_what_is_read_anyway_is_a_success(archive):
    Path("old/2024").mkdir()
    Path("old/2024/b.jsonl").write_text(json.dumps({"id": "b", "text": "sound"}))
    Path("old/latest").symlink_to("2024")
    Path("old/latest.jsonl").symlink_to("2024/b.jsonl")
    ran = run("new.jsonl", "--against", "old", "-o", "n.jsonl", "-q")
    assert ran.exit_code == 0
    assert "old, not compared" not in ran.stderr


@pytest.mark.parametrize("name", TO_BE_PASSED_OVER)
def test_an_old_file_of_which_nothing_is_lost_is_a_success(archive, name):
    Path("old", name).write_bytes(TO_BE_PASSED_OVER[name])
    ran = run("new.jsonl", "--against", "old", "-o", "n.jsonl", "-q")
    assert (ran.exit_code, ran.stderr) == (
        0,
        "n.jsonl: 2 documents kept (1 of them unreadable), 2 dropped: 2 copies of old documents, "
        f"0 of one another, {2 if name == 'some.jsonl' else 1} old not compared\n",
    )
    ran = run("new.jsonl", "--against", "old", "-o", "n.jsonl")
    assert "old, not compared: " in ran.stderr


def test_a_saved_result_says_so_too(archive):
    Path("old/legacy.csv").write_bytes(LOST["legacy.csv"])
    arguments = ["find", "new.jsonl", "--against", "old", "-o", "r.json"]
    ran = CliRunner().invoke(cli, arguments, prog_name="dedupe")
    assert ran.exit_code == 1
    assert ran.stderr.endswith("2 skipped (1 of them old)\n")
    ran = run("new.jsonl", "--against", "old", "--result", "r.json", "-o", "n.jsonl", "-q")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("old, not compared: old/legacy.csv: no field 'text'")


def test_a_first_night(archive):
    Path("none").mkdir()
    CliRunner().invoke(cli, ["find", "new.jsonl", "--against", "none", "-o", "r.json"])
    for more in ([], ["--result", "r.json"]):
        ran = run("new.jsonl", "--against", "none", "-o", "n.jsonl", "-q", *more)
        assert (ran.exit_code, ran.stderr.splitlines()[-1]) == (
            0, "n.jsonl: 3 documents kept (1 of them unreadable), 1 dropped"
        )  # fmt: skip


@pytest.mark.parametrize("command", ["find", "clean"])
def test_a_place_to_prefer_where_nothing_is_is_said(archive, command):
    more = ["--prefer", "wire/", "--prefer", "./new.jsonl", "--qualify-ids", "-q"]
    ran = CliRunner().invoke(cli, [command, "new.jsonl", *more], prog_name="dedupe")
    assert ran.exit_code == 0
    said = "dedupe: warning: prefer (--prefer) wire/ matches no document; ids are as new.jsonl#x\n"
    assert ran.stderr.startswith(said)
    assert ran.stderr.count("warning") == 1

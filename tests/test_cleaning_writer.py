"""What is written in place of an input: where to, in one step, and nothing when it fails."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cleaned import BEFORE, UNPACK, line, made, tree
from dedupe import CannotClean, Index, InvalidResult, InvalidSetting, clean


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Where it is written to.


@pytest.mark.parametrize("alias", ["in.jsonl", "./in.jsonl", "hard.jsonl", "link.jsonl"])
def test_an_input_is_never_written_over(here, alias):
    Path("in.jsonl").write_text(line("a"))
    Path("hard.jsonl").hardlink_to("in.jsonl")
    Path("link.jsonl").symlink_to("in.jsonl")
    with pytest.raises(InvalidSetting, match="must not be one of the inputs"):
        clean("in.jsonl", output=alias, result=made("in.jsonl"))
    assert Path("in.jsonl").read_text() == line("a")


def test_a_file_that_is_there_is_replaced_in_one_step(here):
    Path("real.jsonl").write_text(BEFORE)
    Path("out.jsonl").symlink_to("real.jsonl")
    Path("in.jsonl").write_text(f"{line('a')}\n")
    clean("in.jsonl", output="out.jsonl", result=made("in.jsonl"))
    assert Path("out.jsonl").is_symlink()
    assert Path("real.jsonl").read_text() == f"{line('a')}\n"
    assert sorted(tree()) == ["in.jsonl", "out.jsonl", "real.jsonl"]


@pytest.mark.parametrize(
    ("paths", "output", "said"),
    [
        ("in/a.jsonl", "out.csv", "must be of the format of the input, .jsonl"),
        ("in/a.jsonl", "out.txt", "must be of the format of the input, .jsonl"),
        ("in", "out.csv", "must be a folder, or a file of JSON Lines such as all.jsonl, where"),
        ("in", "in/out.jsonl", "must stand outside the folders that are cleaned"),
        (["in/a.jsonl", "in/b.jsonl"], "out.gz", "must be a folder"),
        ("in", "file", "must be a folder"),
        ("in", "-", "must be a folder"),
        ("in", "in/out", "must stand outside the folders that are cleaned"),
        ("in", "in", "must stand outside"),
        ("in", "link/x", "must stand outside"),
        ("in/a.jsonl", "/dev/null", "which is neither"),
    ],
)
def test_output_that_does_not_fit_is_refused_before_the_search(here, paths, output, said):
    Path("in").mkdir()
    Path("link").symlink_to("in")
    Path("in/a.jsonl").write_text(line("a"))
    Path("in/b.jsonl").write_text(line("b"))
    Path("file").touch()
    before = tree()
    with pytest.raises(InvalidSetting, match=said):
        clean(paths, output=output)
    assert tree() == before


def test_a_file_goes_into_a_folder_under_its_name(here):
    Path("out").mkdir()
    Path("in.jsonl").write_text(line("a"))
    clean("in.jsonl", output="out", result=made("in.jsonl"))
    assert sorted(tree("out")) == ["in.jsonl"]


def test_several_files_keep_their_paths_under_the_folder(here):
    for name in ("x/a.jsonl", "x/deep/a.jsonl", "y/a.jsonl"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(line(name))
    clean(["x", "y/a.jsonl"], output="out", result=made(["x", "y/a.jsonl"]))
    assert sorted(tree("out")) == ["x/a.jsonl", "x/deep/a.jsonl", "y/a.jsonl"]
    clean("x/**/*.jsonl", output="out2", result=made("x/**/*.jsonl"))
    assert sorted(tree("out2")) == ["a.jsonl", "deep/a.jsonl"]


def test_no_link_is_followed_out_of_the_folder(here):
    Path("in/deep").mkdir(parents=True)
    Path("in/deep/a.jsonl").write_text(line("a"))
    Path("out").mkdir()
    Path("elsewhere").mkdir()
    Path("out/deep").symlink_to("../elsewhere")
    with pytest.raises(CannotClean, match=r"is a link out of /.*out"):
        clean("in", output="out", result=made("in"))
    assert tree("elsewhere") == {}


def test_compression_follows_the_name_and_bytes_are_the_same_each_time(here):
    Path("in.jsonl").write_text(f"{line('a')}\n")
    for packing, unpack in UNPACK.items():
        outs = [Path(f"{i}.jsonl{packing}") for i in range(2)]
        for out in outs:
            clean("in.jsonl", output=out, result=made("in.jsonl"))
        assert outs[0].read_bytes() == outs[1].read_bytes()
        assert unpack(outs[0].read_bytes()) == Path("in.jsonl").read_bytes()
    clean("0.jsonl.xz", output="plain", result=made("0.jsonl.xz"))
    assert Path("plain").read_bytes() == Path("in.jsonl").read_bytes()


def test_nothing_is_written_when_an_input_changes_meanwhile(here, monkeypatch):
    Path("in.jsonl").write_text(f"{line('a')}\n{line('b')}\n")
    Path("out.jsonl").write_text(BEFORE)
    result = made("in.jsonl", ["a", "b"])

    def search(*_, **__):
        Path("in.jsonl").write_text(f"{line('a')}\n{line('b')}\n{line('new')}\n")
        return result

    monkeypatch.setattr("dedupe.api.find_duplicates", search)
    with pytest.raises(CannotClean, match=r"must not change while they are cleaned, got in.jsonl"):
        clean("in.jsonl", output="out.jsonl")
    assert Path("out.jsonl").read_text() == BEFORE
    assert sorted(tree()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("name", ["in/a.txt", "in/more.jsonl"])
def test_a_text_that_was_overwritten_in_place_is_not_taken_for_what_was_compared(
    here, monkeypatch, name
):
    """Size and time are as before, and so is the other copy, which would be left out."""
    Path("in").mkdir()
    Path("in/a.txt").write_text("one story")
    Path("in/b.txt").write_text("one story")
    Path("in/more.jsonl").write_text(
        '{"id": "c", "text": "a story"}\n{"id": "d", "text": "a story"}'
    )
    result = made("in", ["in/a.txt", "in/b.txt"], ["c", "d"])

    def search(*_, **__):
        info = Path(name).stat()
        Path(name).write_text(Path(name).read_text().replace("story", "STORY", 1))
        os.utime(name, ns=(info.st_atime_ns, info.st_mtime_ns))
        return result

    monkeypatch.setattr("dedupe.api.find_duplicates", search)
    with pytest.raises(CannotClean, match="must not change while they are cleaned"):
        clean("in", output="out")
    assert not Path("out").exists()


def test_a_full_disk_leaves_nothing(here, monkeypatch):
    Path("in").mkdir()
    for name in "ab":
        Path(f"in/{name}.jsonl").write_text(line(name))

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CannotClean, match="No space left on device"):
        clean("in", output="out", result=made("in"))
    assert tree("out") == {}


# Results that are given.


def test_a_result_of_other_documents_is_refused(here):
    Path("in.jsonl").write_text("\n".join(map(line, "abc")))
    result = made("in.jsonl", ["a", "b"])
    Path("in.jsonl").write_text("\n".join(map(line, "abcd")))
    with pytest.raises(InvalidResult, match="it has 3, the paths have 4"):
        clean("in.jsonl", output="out.jsonl", result=result)
    Path("in.jsonl").write_text("\n".join(map(line, "acd")))
    with pytest.raises(InvalidResult, match="the paths have 3, and not 'b'; name the same paths"):
        clean("in.jsonl", output="out.jsonl", result=result)
    with pytest.raises(InvalidResult):
        clean("in.jsonl", result=result, id_field="no such field")


def test_a_result_that_drops_what_it_keeps_is_refused(here):
    Path("in.jsonl").write_text("\n".join(map(line, "abc")))
    for groups in (["a", "b"], ["b", "a"]), (["a", "c"], ["b", "c"]):
        with pytest.raises(InvalidResult, match="must not drop what it keeps"):
            clean("in.jsonl", output="out.jsonl", result=made("in.jsonl", *groups))


def test_a_result_comes_without_settings_of_a_search(here):
    Path("in.jsonl").write_text(line("a"))
    with pytest.raises(InvalidSetting, match="got threshold"):
        clean("in.jsonl", result=made("in.jsonl"), threshold=0.5)


# The whole way.


def test_search_and_clean_and_clean_again(here, seeds):
    rows = [{"id": "page", "text": seeds[1]}, {"id": "body", "text": seeds[0]}]
    rows.append({"id": "other", "text": "an article about something else entirely " * 9})
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = clean("in.jsonl", output="1.jsonl", workers=1)
    assert done.dropped == ("page",)
    assert (done.result.n_documents, len(Path("1.jsonl").read_bytes().splitlines())) == (3, 2)
    clean("1.jsonl", output="2.jsonl")
    assert Path("2.jsonl").read_bytes() == Path("1.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["output", "move", "journal"])
def test_an_empty_name_is_refused(here, name):
    Path("in.jsonl").write_text(line("a"))
    with pytest.raises(InvalidSetting, match=f"{name} must name a place, got an empty string"):
        clean("in.jsonl", **{name: ""})


@pytest.mark.parametrize("name", ["output", "move"])
def test_nothing_is_written_among_the_files_of_an_index(here, name):
    Path("in.jsonl").write_text(line("a"))
    Index("news.dedupe").close()
    before = sorted(Path("news.dedupe").iterdir())
    with pytest.raises(InvalidSetting, match=f"{name} must be a place for files, got the index"):
        clean("in.jsonl", **{name: "news.dedupe"})
    assert sorted(Path("news.dedupe").iterdir()) == before


def test_what_has_changed_since_the_result_is_not_dropped(here):
    Path("in.jsonl").write_text(f"{line('a')}\n{line('b')}\n")
    result = made("in.jsonl", ["a", "b"])
    rows = [json.dumps({"id": id_, "text": "another"}) for id_ in "ab"]
    Path("in.jsonl").write_text("\n".join(rows))
    for way in ({"output": "out.jsonl"}, {}):
        with pytest.raises(InvalidResult, match="got 'a', which has changed since: search again"):
            clean("in.jsonl", result=result, **way)
    assert sorted(tree()) == ["in.jsonl"]


def test_what_cannot_be_written_is_said_before_the_search(here, monkeypatch):
    Path("in.jsonl").write_text(line("a"))
    monkeypatch.setattr("dedupe.api.find_duplicates", lambda *_, **__: 1 / 0)
    with pytest.raises(CannotClean, match="No such file or directory"):
        clean("in.jsonl", output="missing/out.jsonl")


def test_permissions_are_kept_and_the_times_of_copies(here):
    Path("in").mkdir()
    for name, text in {"in/a.txt": "text", "in/r.jsonl": f"{line('a')}\n{line('b')}"}.items():
        Path(name).write_text(text)
        os.utime(name, ns=(10**18, 10**18))
        Path(name).chmod(0o600)
    clean("in", output="out", result=made("in", ["a", "b"]))
    for name in ("out/a.txt", "out/r.jsonl"):
        assert Path(name).stat().st_mode & 0o777 == 0o600
    assert Path("out/a.txt").stat().st_mtime_ns == 10**18
    assert Path("out/r.jsonl").stat().st_mtime_ns != 10**18


def test_links_between_outputs_are_replaced_one_by_one(here):
    Path("in").mkdir()
    Path("out").mkdir()
    for name in "ab":
        Path(f"in/{name}.jsonl").write_text(line(name))
    Path("out/a.jsonl").write_text("before")
    Path("out/b.jsonl").symlink_to("a.jsonl")
    clean("in", output="out", result=made("in"))
    assert [Path(f"out/{name}.jsonl").read_text() for name in "ab"] == [line("a"), line("b")]


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_leaves_what_the_next_one_clears(here):
    Path("in").mkdir()
    for i in range(5):
        Path(f"in/{i}.jsonl").write_text(line(str(i)))
    Path("result.json").write_text(made("in").to_json())
    program = (
        "import os, signal, dedupe.cleaning.drafts as drafts; from dedupe import Result, clean\n"
        "drafts.Drafts.commit = lambda self: os.kill(os.getpid(), signal.SIGKILL)\n"
        "clean('in', output='out', result=Result.from_json(open('result.json').read()))"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert [path.name for path in Path("out").iterdir()] == [".dedupe-drafts"]
    assert len(tree("out/.dedupe-drafts/drafts")) == 5
    clean("in", output="out", result=made("in"))
    assert sorted(tree("out")) == [f"{i}.jsonl" for i in range(5)]


@pytest.mark.parametrize("n_folders", [0, 1, 2])
def test_a_run_killed_while_it_clears_up_leaves_what_the_next_one_clears(
    here, monkeypatch, n_folders
):
    Path("in/deep").mkdir(parents=True)
    Path("in/deep/a.jsonl").write_text(line("a"))
    rmdir, left = os.rmdir, iter(range(n_folders))

    def stopping(path, **more):
        if next(left, None) is None:
            raise OSError("as if it was killed here")
        rmdir(path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", stopping)
        clean("in", output="out", result=made("in"))
    assert Path("out/.dedupe-drafts").is_dir()
    clean("in", output="out", result=made("in"))
    assert [path.name for path in Path("out").iterdir()] == ["deep"]


def test_nothing_is_left_of_a_run_that_fails(here, monkeypatch):
    Path("in").mkdir()
    Path("in/a.jsonl").write_text(line("a"))
    monkeypatch.setattr("dedupe.cleaning.drafts.Drafts.commit", lambda _: 1 / 0)
    for output in ("new/deep/out", "new.jsonl"):
        with pytest.raises(ZeroDivisionError):
            clean("in" if "deep" in output else "in/a.jsonl", output=output, result=made("in"))
    assert [path.name for path in Path().iterdir()] == ["in"]


def test_one_run_at_a_time_writes_to_a_place(here, monkeypatch):
    Path("in").mkdir()
    Path("in/a.jsonl").write_text(line("a"))

    def meanwhile(self):
        monkeypatch.undo()
        monkeypatch.chdir(here)
        with pytest.raises(CannotClean, match="written to by one run at a time"):
            clean("in", output="out", result=made("in"))
        return self.commit()

    monkeypatch.setattr("dedupe.cleaning.drafts.Drafts.commit", meanwhile)
    clean("in", output="out", result=made("in"))
    assert sorted(tree("out")) == ["a.jsonl"]


def test_a_way_through_a_missing_folder_and_back_leads_to_the_input_too(here):
    Path("in.jsonl").write_text(line("a"))
    with pytest.raises(InvalidSetting, match="must not be one of the inputs"):
        clean("in.jsonl", output="missing/../in.jsonl", result=made("in.jsonl"))


def test_a_result_that_is_none_is_refused(here):
    with pytest.raises(InvalidSetting, match=r"result must be a Result, got 'r\.json'"):
        clean("in.jsonl", result="r.json")


def test_a_folder_of_the_name_that_drafts_have_is_left_alone(here):
    Path("in.jsonl").write_text(line("a"))
    Path(".dedupe-drafts-out.jsonl").mkdir()
    Path(".dedupe-drafts-out.jsonl/mine").write_text("precious")
    with pytest.raises(CannotClean, match="must hold nothing else"):
        clean("in.jsonl", output="out.jsonl", result=made("in.jsonl"))
    assert Path(".dedupe-drafts-out.jsonl/mine").read_text() == "precious"


def test_nothing_is_replaced_where_not_all_can_be(here):
    Path("in/sub").mkdir(parents=True)
    Path("out").mkdir()
    for name in ("in/a.jsonl", "in/sub/b.jsonl"):
        Path(name).write_text(line(Path(name).stem))
    Path("out/a.jsonl").write_text("before")
    Path("out/sub").write_text("a file where a folder should be")
    with pytest.raises(CannotClean):
        clean("in", output="out", result=made("in"))
    assert sorted(tree("out").items()) == [
        ("a.jsonl", b"before"), ("sub", b"a file where a folder should be")
    ]  # fmt: skip

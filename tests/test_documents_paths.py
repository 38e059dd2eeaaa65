"""Paths: folders, patterns, links, what is no file, ids."""

import io
import json
import os
import socket
import sys
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dedupe.documents import Document, Skipped, read_file, read_paths, streams
from dedupe.documents.options import Options
from dedupe.documents.walk import File, walk
from dedupe.errors import DuplicateId, InvalidInput, InvalidSetting, NoSuchPath, NothingToRead
from dedupe.ids import Old


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a new working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plant(*names: str) -> None:
    """Create text files that hold their own name."""
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")


def ids(paths, **options) -> list[str]:
    """Return the ids that were read."""
    return [item.id for item in read_paths(paths, **options) if isinstance(item, Document)]


def skipped(paths) -> dict[str, str]:
    """Return what was skipped beside a sound file, and why."""
    plant("sound")
    items = read_paths([*paths, "sound"])
    return {item.id: item.reason for item in items if isinstance(item, Skipped)}


# Folders


def test_a_folder_is_walked_in_the_order_of_its_names(here):
    plant("news/b.txt", "news/a/z.md", "news/a/deep/x", "news/c.text", "news/B.txt")
    expected = ["news/B.txt", "news/a/deep/x", "news/a/z.md", "news/b.txt", "news/c.text"]
    assert ids("news") == ids("news/") == ids(Path("news")) == ids(["news"]) == expected
    assert ids("./news")[0] == "./news/B.txt"
    assert ids(".")[0] == "./news/B.txt"
    assert ids(here)[0] == f"{here}/news/B.txt"


def test_a_document_has_the_time_of_its_file(here):
    plant("a.txt")
    os.utime("a.txt", (0, 1234.5))
    assert list(read_paths("a.txt")) == [Document("a.txt", "text of a.txt", 1234.5)]


def test_hidden_names_are_passed_over_unless_they_are_given(here):
    plant("news/.hidden.txt", "news/.git/config", "news/a.txt")
    assert ids("news") == ids("news/*") == ids("**/*") == ["news/a.txt"]
    assert ids("news/.git") == ["news/.git/config"]
    assert ids("news/.h*") == ids("news/.hidden.txt") == ["news/.hidden.txt"]


def test_an_unknown_format_is_read_where_it_is_named_and_skipped_in_a_folder(here):
    plant("news/a.log", "news/b.txt")
    assert ids("news/a.log") == ids("news/*.log") == ["news/a.log"]
    items = list(read_paths("news"))
    assert [item.id for item in items] == ["news/a.log", "news/b.txt"]
    assert items[0] == Skipped(
        "news/a.log", "unknown format .log", "name the file itself to read it as plain text"
    )
    assert ids(["news", "news/a.log"]) == ["news/a.log", "news/b.txt"]


def test_a_folder_deeper_than_python_calls_is_walked(here):
    levels = [Path("d/" * depth) for depth in range(1, 1101)]
    for level in levels:
        level.mkdir()
    bottom = levels[-1] / "bottom"
    bottom.write_text("text")
    try:
        assert ids("d") == ids("**/bottom") == [bottom.as_posix()]
    finally:
        bottom.unlink()
        for level in reversed(levels):  # `shutil.rmtree` cannot.
            level.rmdir()


def test_a_folder_that_cannot_be_listed_costs_itself_alone(here, monkeypatch):
    plant("news/a.txt", "news/locked/x.txt")
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert skipped(["news"]) == {"news/locked": "the folder cannot be listed: Permission denied"}
    assert ids("news/**/*.txt") == ["news/a.txt"]


def test_a_file_that_cannot_be_opened_costs_itself_alone(here, monkeypatch):
    plant("a.txt", "b.txt")

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(streams.os, "open", refuse)
    with pytest.raises(NothingToRead, match=r"2 skipped; the first, a\.txt: cannot be read: Perm"):
        list(read_paths(["a.txt", "b.txt"]))


def test_what_must_not_be_seen_costs_itself_alone(here, monkeypatch):
    plant("news/a.txt", "news/locked.txt")
    Path("link").symlink_to("news/locked.txt")
    stat = os.stat

    def guarded(path, **kwargs):
        if str(path).endswith(("locked.txt", "link")):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, **kwargs)

    monkeypatch.setattr(os, "stat", guarded)
    assert skipped(["news", "link"]) == {
        "news/locked.txt": "cannot be reached: Permission denied",
        "link": "a link that leads nowhere: Permission denied",
    }


def test_a_file_that_vanishes_costs_itself_alone(here):
    plant("a.txt", "b.txt")
    items = read_paths(["a.txt", "b.txt"])
    assert next(items).id == "a.txt"
    Path("b.txt").unlink()
    assert next(items).reason == "cannot be reached: No such file or directory"


# Links, and what is no file


def test_a_file_is_read_once_whatever_leads_to_it(here):
    plant("news/a.txt", "news/b.txt")
    Path("news/link.txt").symlink_to("a.txt")
    os.link("news/b.txt", "news/twin.txt")
    assert ids(["news/b.txt", "news", "./news/../news", here / "news", "news/*"]) == [
        "news/b.txt",
        "news/a.txt",
    ]


def test_a_file_of_a_folder_is_looked_at_once_and_a_named_one_twice(here, monkeypatch):
    """Of millions of files on a disk far away, each look is a wait."""
    plant("news/a.txt", "news/deep/b.txt", "c.txt")
    Path("news/link.txt").symlink_to("a.txt")
    looks: list[str] = []
    stat = os.stat

    def noted(path, **kwargs):
        looks.append(str(path))
        return stat(path, **kwargs)

    monkeypatch.setattr(os, "stat", noted)
    found = list(walk(["news", "c.txt"]))
    assert [file.path for file in found] == ["news/a.txt", "news/deep/b.txt", "c.txt"]
    assert sorted(looks) == sorted(
        ["news", "news/a.txt", "news/deep/b.txt", "news/link.txt", "c.txt", "c.txt"]
    )


def test_links_to_folders_are_followed_only_when_they_are_given(here):
    plant("real/a.txt", "news/b.txt")
    Path("news/link").symlink_to("../real")
    assert skipped(["news"]) == {"news/link": "a link to a folder, which is not followed"}
    assert ids(["news/link", "news"]) == ["news/link/a.txt", "news/b.txt"]


def test_a_link_out_of_the_folder_is_followed_only_when_it_is_given(here):
    plant("news/a.txt", "elsewhere/b.txt", "newsroom/c.txt")
    for name, target in {"b": "../elsewhere/b.txt", "c": "../newsroom/c.txt", "d": "a.txt"}.items():
        Path(f"news/{name}.txt").symlink_to(target)
    reason = "a link out of the folder, which is not followed"
    assert skipped(["news"]) == {"news/b.txt": reason, "news/c.txt": reason}
    assert ids(["news"]) == ["news/a.txt"]
    # Folders that overlap tell it once.
    found = [item.id for item in walk(["news", "news/"]) if isinstance(item, Skipped)]
    assert found == ["news/b.txt", "news/c.txt"]
    # It may lead into another folder that is named, or be a file that is named.
    assert ids(["news", "elsewhere"]) == ["news/a.txt", "news/b.txt"]
    assert ids(["news", "elsewhere/b.txt"]) == ["news/a.txt", "news/b.txt"]
    assert ids(["news/b.txt"]) == ids("news/b*") == ["news/b.txt"]
    # What a folder is called does not matter.
    Path("alias").symlink_to("news")
    assert ids("alias/") == ["alias/a.txt"]


def test_a_pipe_that_has_taken_the_place_of_a_file_keeps_nobody_waiting(here):
    os.mkfifo("pipe.txt")
    for name in ("pipe.txt", "pipe.parquet"):
        file = File(name, name, None, (0, 0))
        Path("pipe.txt").rename(name)
        ((_, item, _),) = read_file(file, Options())
        assert item.reason == "no regular file any more"
        Path(name).rename("pipe.txt")


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="needs the log of a Linux kernel")
def test_a_log_that_waits_for_more_ends(here):
    assert list(read_file(File("/proc/kmsg", "kmsg", None, (0, 0), named=True), Options()))


def test_loops_and_broken_links_do_no_harm(here):
    plant("news/a.txt")
    Path("news/one").symlink_to(".")
    Path("news/two").symlink_to(".")
    Path("news/self").symlink_to("self")
    Path("news/broken").symlink_to("nowhere")
    assert skipped(["news", "news/**"]) == {
        "news/broken": "a link that leads nowhere: No such file or directory",
        "news/one": "a link to a folder that is read under its own name",
        "news/self": "a link that leads nowhere: Too many levels of symbolic links",
        "news/two": "a link to a folder that is read under its own name",
    }
    assert ids("news/**/*.txt") == ["news/a.txt"]
    assert list(skipped(["news/broken"])) == ["news/broken"]


def test_pipes_sockets_and_devices_are_never_opened(here):
    plant("news/a.txt")
    os.mkfifo("news/pipe.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("news/socket")
        found = skipped(["news", "/dev/zero"])
    assert found == {
        "news/pipe.txt": "a named pipe, not a regular file",
        "news/socket": "a socket, not a regular file",
        "/dev/zero": "a device, not a regular file",
    }


# Patterns


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("news/?.txt", ["news/c.txt"]),
        ("./news/*.txt", ["./news/c.txt"]),
        ("*/deep/*", ["news/deep/d.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "news/c.txt", "news/deep/d.txt"]),
        ("news/**", ["news/c.txt", "news/deep/d.txt"]),
        ("news/**/d.txt", ["news/deep/d.txt"]),
        ("n*", ["news/c.txt", "news/deep/d.txt"]),
        ("[ab].txt", ["[ab].txt"]),
        ("[a]*.txt", ["a.txt"]),
        ("{here}/*.txt", ["{here}/[ab].txt", "{here}/a.txt", "{here}/b.txt"]),
    ],
)
def test_a_pattern_stands_for_what_it_matches(here, pattern, expected):
    plant("a.txt", "b.txt", "news/c.txt", "news/deep/d.txt")
    if "[ab].txt" in "".join(expected):
        plant("[ab].txt")
    assert ids(pattern.format(here=here)) == [name.format(here=here) for name in expected]


def test_a_file_named_like_standard_input_is_no_standard_input(here, monkeypatch):
    plant("-")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text")))
    assert ids("./-") == ids("*") == ids("?") == ids(["-", "./-"])[1:] == ["./-"]


@pytest.mark.parametrize(
    "path", ["missing.txt", "missing/*.txt", "*.pdf", "a.txt/*", "", "nul\0", "\ud800"]
)
def test_what_does_not_exist_is_told_before_anything_is_read(here, path):
    plant("a.txt")
    with pytest.raises(NoSuchPath, match="must"):
        read_paths(["a.txt", path])


@pytest.mark.parametrize("paths", [None, 3, b"a.txt", [b"a.txt"], ["a.txt", None]])
def test_what_is_no_path_is_told_at_once(here, paths):
    plant("a.txt")
    with pytest.raises(InvalidInput, match="paths must be strings or Path objects"):
        read_paths(paths)


STORY = "The council voted on Monday.\nThe bridge closes."


@pytest.mark.parametrize(
    "paths",
    [
        STORY,
        [STORY, "other"],
        "word " * 60,
        {"a": STORY},
        [{"text": STORY}],
        pd.DataFrame({"text": [STORY]}),
        pd.Series([STORY]),
        pl.DataFrame({"text": [STORY]}),
        pl.LazyFrame({"text": [STORY]}),
        pa.table({"text": [STORY]}),
        pa.table({"text": [STORY]}).to_reader(),
    ],
    ids=lambda paths: type(paths).__name__,
)
def test_texts_in_the_place_of_paths_are_shown_the_way(here, paths):
    with pytest.raises(
        InvalidInput, match=r"^paths must be .*, got .*find_duplicate_texts"
    ) as told:
        read_paths(paths)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("name", ["have you seen this?", "three short words"])
def test_a_name_that_may_be_a_text_is_shown_both_ways(here, name):
    with pytest.raises(
        NoSuchPath, match=r"check it.*; texts in memory are for find_duplicate_texts"
    ):
        read_paths(name)
    with pytest.raises(NoSuchPath, match=r"check it; this is [^;]*$"):
        read_paths("my file.txt")


@pytest.mark.parametrize(("n", "error"), [(255, NoSuchPath), (256, InvalidInput)])
def test_what_is_longer_than_a_name_can_be_is_a_text(here, n, error):
    with pytest.raises(error):
        read_paths(f"{'x' * 200}/{'x' * n}")


def test_a_file_may_have_a_strange_name(here):
    plant("two\nlines.txt", "three short words")
    assert len(list(read_paths(["two\nlines.txt", "three short words"]))) == 2


def test_a_column_of_paths_is_one_of_paths(here):
    plant("a.txt")
    assert len(list(read_paths(pd.Series(["a.txt"])))) == 1


# Ids


def test_a_name_that_is_no_utf_8_is_readable(here):
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("text")
    document, *_ = read_paths(".")
    assert document.id == r"./caf\xe9.txt"


@pytest.mark.skipif(os.sep != "/", reason="a backslash parts folders here")
def test_names_that_look_alike_have_ids_of_their_own(here):
    for name in (b"a\xff.txt", rb"a\xff.txt"):
        Path(os.fsdecode(name)).write_text(repr(name))
    assert sorted(ids(".")) == ["./a\\\\xff.txt", "./a\\xff.txt"]


def test_one_id_twice_is_told_with_both_places(here):
    Path("one.jsonl").write_text('{"id": 1, "text": "a"}\n')
    Path("two.jsonl").write_text('\n{"id": "1", "text": "b"}\n')
    items = read_paths(["one.jsonl", "two.jsonl"])
    assert next(items).id == 1
    with pytest.raises(DuplicateId, match=r"'1' at one\.jsonl:1 and at two\.jsonl:2.*--id-field"):
        next(items)
    both = ["one.jsonl", "two.jsonl"]
    assert ids(both, qualify_ids=True) == ["one.jsonl#1", "two.jsonl#1"]


@pytest.mark.parametrize("qualify_ids", [False, True])
def test_one_id_twice_in_one_file_is_not_told_to_be_qualified(here, qualify_ids):
    records = [{"id": "a", "url": f"a?{i}", "text": f"text {i}"} for i in range(2)]
    Path("one.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    plant("two.txt")
    remedy = "leave one out, rename it, or name a field that tells them apart with id_field="
    told = rf"a' at one\.jsonl:1 and at one\.jsonl:2: {remedy} \(--id-field\)$"
    with pytest.raises(DuplicateId, match=told):
        ids(["one.jsonl", "two.txt"], qualify_ids=qualify_ids)
    assert ids("one.jsonl", qualify_ids=qualify_ids, id_field="url")[0].endswith("a?0")


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet"])
def test_qualified_ids_have_their_file_and_others_stay_as_they_are(here, suffix):
    Path("a").mkdir()
    records = [{"id": "1", "text": "one"}, {"id": "", "text": "two"}, {"id": "3", "text": ""}]
    name = f"a/x.{suffix}"
    if suffix == "csv":
        rows = [record.values() for record in records]
        Path(name).write_text("id,text\n" + "".join(",".join(row) + "\n" for row in rows))
    elif suffix == "parquet":
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(records), name)
    else:
        lines = [json.dumps(record) for record in records]
        Path(name).write_text(f"[{','.join(lines)}]" if suffix == "json" else "\n".join(lines))
    plant("b.txt")
    place = 3 if suffix == "csv" else 2
    items = [*read_paths([name, "b.txt"], qualify_ids=True)]
    assert [item.id for item in items] == [f"{name}#1", f"{name}:{place}", f"{name}#3", "b.txt"]
    assert next(read_paths([name, "b.txt"])).id == "1"


def test_qualified_ids_do_not_change_with_the_files_beside_theirs(here):
    for number, name in enumerate(["one", "two", "three"]):
        Path(f"{name}.jsonl").write_text(json.dumps({"id": number % 2, "text": name}))
    alone = ids("one.jsonl", qualify_ids=True)
    assert alone == ["one.jsonl#0"]
    assert {*alone} < {*ids(["three.jsonl", "one.jsonl", "two.jsonl"], qualify_ids=True)}
    old = [*read_paths("one.jsonl", against="three.jsonl", qualify_ids=True)]
    assert [one.id for one in old] == [Old("three.jsonl#0"), "one.jsonl#0"]


@pytest.mark.parametrize("name", ["in.jsonl", "in.json", "in.csv"])
def test_a_field_of_ids_that_no_record_has_is_refused(here, name):
    """But one that some record has is none; the others go by their place."""
    texts = {
        "in.jsonl": '{"id": 7, "text": "a"}\n{"text": "b"}',
        "in.json": '[{"id": 7, "text": "a"}, {"text": "b"}]',
        "in.csv": "id,text\n7,a\n,b",
    }
    Path(name).write_text(texts[name])
    with pytest.raises(
        InvalidSetting, match=r"got 'url', which none has: .* go by 'id', and by file"
    ):
        ids(name, id_field="url")
    # What the message promises.
    assert [str(id_) for id_ in ids(name)] == ["7", f"{name}:{3 if name == 'in.csv' else 2}"]
    Path("more.jsonl").write_text('{"url": "u", "text": "c"}')
    assert ids([name, "more.jsonl"], id_field="url")[-1] == "u"
    assert ids(name, id_field="id") == ids(name)


# Nothing


def test_nothing_to_read_is_told_at_the_end(here):
    Path("empty").mkdir()
    Path("empty/.hidden.txt").write_text("passed over")
    for paths, said in (
        ("empty", "'empty'"),
        (iter(["empty", Path("empty/")]), "'empty', 'empty'"),
        ([], "no paths"),
    ):
        told = f"at least one document, got none in {said}: name files that hold some, or folders"
        with pytest.raises(NothingToRead, match=told):
            list(read_paths(paths))
    Path("empty/a.txt").touch()
    Path("empty/b.pdf").touch()
    items = read_paths("empty")
    assert [next(items).reason, next(items).reason] == ["empty", "unknown format .pdf"]
    with pytest.raises(NothingToRead, match=r"2 skipped; the first, empty/a\.txt: empty; give"):
        next(items)


def test_reading_may_stop_anywhere(here):
    Path("a.jsonl.gz").write_bytes(b"")
    plant("b.txt")
    Path("c.jsonl").write_text('{"text": "x"}\n' * 10)
    items = read_paths(["b.txt", "c.jsonl"])
    assert [next(items).id, next(items).id] == ["b.txt", "c.jsonl:1"]
    del items  # pytest would turn a file left open into an error.

"""What can be done about a damaged index, and that it never answers what nobody wrote."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from random import Random

import pytest

from dedupe import Index
from dedupe.errors import DedupeError, InvalidIndex, InvalidSetting
from dedupe.index import bulk
from dedupe.index.inspected import Inspected
from strategies import article, edited

RECORDS = {
    f"d{i:02d}": {"text": edited(article(f"{i // 2}"), 0.1 * (i % 2), i), "time": 1e9 + i}
    for i in range(60)
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return an index with a dictionary, times, two segments, a tail and an epoch, closed."""
    path = tmp_path_factory.mktemp("index") / "sound"
    records = [{"id": name, **one} for name, one in RECORDS.items()]
    with pytest.MonkeyPatch.context() as patch, Index(path) as index:
        patch.setattr(bulk, "SEGMENT", 8)
        patch.setattr(bulk, "SAMPLES", 20)
        for few in (records[:25], records[25:50]):
            index.add_texts(few, time_field="time")
        index.learn()
        for one in records[50:]:
            index.add(**one)
        assert index._store.has_dictionary()
        assert index.verify()
    return path


@pytest.fixture
def folder(sound, tmp_path):
    """Return a copy of it, to be damaged."""
    return shutil.copytree(sound, tmp_path / "damaged")


def flip(path, place, bit=0):
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def change(folder, said, *values):
    with sqlite3.connect(folder / "index.sqlite") as db:
        assert db.execute(said, values).rowcount
    db.close()


def flip_stored(folder, said, place=-20):
    """Flip a bit of a value where it stands in the file, so that SQLite knows nothing of it."""
    with sqlite3.connect(folder / "index.sqlite") as db:
        (value,) = db.execute(said).fetchone()
    db.close()
    file = folder / "index.sqlite"
    start = file.read_bytes().index(value[place:] if len(value) > 4000 else value)
    flip(file, start if len(value) > 4000 else start + len(value) + place)


def is_right(document):
    wanted = RECORDS[document.id]
    return (document.text, document.time) == (wanted["text"], wanted["time"])


def ask(folder):
    """Ask a damaged index all that it knows: whatever it answers must be right."""
    with Index(folder, mode="r") as index:
        for name, one in RECORDS.items():
            with suppress(DedupeError):
                assert is_right(index.document(name)), name
            try:
                found = index.query(one["text"], limit=4)
            except DedupeError:
                continue
            for match in found:
                assert match.time == RECORDS[match.id]["time"]
        documents = index.documents()
        while (document := next_of(documents)) is not None:
            assert is_right(document)


def next_of(documents):
    try:
        return next(documents, None)
    except DedupeError:
        return None


def salvage(folder, other):
    """Take over what is sound of an index; return how much that is, and what is named as lost."""
    with Index(other) as index:
        lost = index.merge(folder).skipped
        assert all(map(is_right, index.documents()))
        assert index.verify()
        return len(index), len(lost)


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_bit_of_the_database_is_answered_by_an_error_or_rightly(folder, seed, tmp_path):
    random, file = Random(seed), folder / "index.sqlite"
    size = file.stat().st_size
    flip(file, random.randrange(4096, size), random.randrange(8))
    with suppress(DedupeError):
        ask(folder)
    n_kept, n_lost = salvage(folder, tmp_path / "new")
    assert n_kept >= len(RECORDS) - 20  # A page is lost at most.
    assert n_kept + n_lost >= len(RECORDS) or not n_lost
    with suppress(DedupeError), Inspected(folder) as index:
        if index.verify(repair=True).repaired:
            assert index.verify()
            assert all(map(is_right, index.documents()))
            assert len([*index]) == len(RECORDS)


@pytest.mark.parametrize("suffix", [".segment", ".epoch"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_flipped_beside_the_database_no_document_is_lost(
    folder, suffix, seed, tmp_path
):
    random = Random(seed)
    for path in folder.glob(f"*{suffix}"):
        flip(path, random.randrange(path.stat().st_size), random.randrange(8))
    assert salvage(folder, tmp_path / "new") == (len(RECORDS), 0)
    with Inspected(folder) as index:
        assert index.verify(repair=True).repaired
        assert index.verify()


TEXT = "select text from documents where key = 'd07'"


def test_a_damaged_text_is_told_by_all_that_read_it_and_stops_no_other(folder, tmp_path):
    flip_stored(folder, TEXT)
    with Index(folder) as index:
        for read in (index.rebuild, index.find_duplicates, lambda: index["d07"]):
            with pytest.raises(InvalidIndex, match=r"'d07' .* add it again"):
                read()
        assert len([*index]) == len(RECORDS)
        assert index["d08"] == RECORDS["d08"]["text"]
        assert not index.verify(repair=True)
    with Index(tmp_path / "other") as other:
        assert [one.id for one in other.merge(folder).skipped] == ["d07"]
    with Index(folder) as index:
        index.add("d07", **RECORDS["d07"])
        assert is_right(index.document("d07"))
        index.rebuild()
        assert index.verify()


@pytest.mark.parametrize("name", ["d07", "d55"])
def test_a_damaged_text_is_told_once(folder, name):
    flip_stored(folder, TEXT.replace("d07", name))
    with Index(folder, mode="r") as index:
        assert len(index.verify().problems) == 1


@pytest.mark.parametrize("with_time", [True, False])
def test_a_damaged_text_that_is_added_again_keeps_its_time(folder, with_time):
    flip_stored(folder, TEXT)
    record = RECORDS["d07"] if with_time else {"text": RECORDS["d07"]["text"]}
    with Index(folder) as index:
        assert index.add("d07", **record).outcome == "unchanged"
        assert is_right(index.document("d07"))
        assert index.verify()


COLUMNS = ["time = 5.0", "low = low + 1", "high = 7", "n_words = 3", "n_shingles = 3",
           "name = '7'", "original = 1", "seal = seal + 1"]  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("how", ["add", "add_texts", "remove"])
def test_any_damaged_value_is_mended_by_adding_the_document_again(folder, column, how):
    change(folder, f"update documents set {column} where key = 'd07'")
    with Index(folder) as index:
        with pytest.raises(InvalidIndex, match="damaged"):
            index.document("d07")
        if how == "remove":
            index.remove("d07")
        if how == "add_texts":
            index.add_texts([{"id": "d07", **RECORDS["d07"]}], time_field="time")
        else:
            index.add("d07", **RECORDS["d07"])
        assert all(map(is_right, index.documents()))
        assert index.verify()


def test_a_damaged_time_that_is_not_given_is_not_guessed(folder):
    change(folder, "update documents set time = 5.0 where key = 'd07'")
    with Index(folder) as index:
        with pytest.raises(InvalidIndex, match="same text and time"):
            index.add_texts({"d07": article("another")})
        # The seal tells which time it was, or that it cannot be known.
        with pytest.raises(InvalidIndex, match="same text and time"):
            index.add("d07", RECORDS["d07"]["text"])


def test_what_sqlite_looks_up_is_made_anew(folder):
    with sqlite3.connect(folder / "index.sqlite") as db:
        db.execute("pragma writable_schema = on")
        said = "select sql from sqlite_master where name = 'by_time'"
        (kept,) = db.execute(said).fetchone()
        db.execute("update sqlite_master set sql = ? where name = 'by_time'",
                   (kept.replace("is not null", "> 1000000010"),))  # fmt: skip
    db.close()
    with sqlite3.connect(folder / "index.sqlite") as db:
        db.execute("reindex by_time")
        db.execute("pragma writable_schema = on")
        db.execute("update sqlite_master set sql = ? where name = 'by_time'", (kept,))
    db.close()
    with Index(folder) as index:
        found = index.verify(repair=True)
        assert "missing from index by_time" in found.problems[0]
        assert found.repaired
        assert index.verify()
        assert index.expire(1e9 + 5) == 5
        assert index.verify()


def test_what_texts_are_packed_with_is_there_twice(folder):
    said = "update dictionaries set data = zeroblob(1000) where number = 1"
    change(folder, said)
    with Index(folder) as index:
        assert all(map(is_right, index.documents()))
        assert "packed with" in index.verify(repair=True).problems[0]
        assert index.verify()
    change(folder, said)
    change(folder, said.replace("= 1", "= 2"))
    with Index(folder) as index, pytest.raises(InvalidIndex, match="nor is the copy"):
        index["d07"]


def test_an_interrupted_rebuild_loses_nothing_to_a_later_damage(folder, tmp_path):
    with Index(folder) as index:
        index._store.set_meta("rebuilding", {"identity": {}, "done": 0, "learns": True})
    flip_stored(folder, TEXT)
    with pytest.raises(InvalidIndex, match="interrupted"):
        Index(folder)
    assert salvage(folder, tmp_path / "new") == (len(RECORDS) - 1, 1)


@pytest.mark.parametrize("value", ["no JSON", "[1, 2]"])
def test_documents_are_taken_over_whatever_the_index_says_of_itself(folder, value, tmp_path):
    change(folder, "update meta set value = ?", value)
    with pytest.raises(InvalidIndex):
        Index(folder)
    assert salvage(folder, tmp_path / "new") == (len(RECORDS), 0)


def test_nothing_is_taken_over_from_what_is_no_index(folder, tmp_path):
    change(folder, "delete from documents where key <> 'd07'")
    with Index(tmp_path / "new") as index:
        assert "59 unknown ids" in index.merge(folder).skipped[0].id
    with sqlite3.connect(folder / "index.sqlite") as db:
        db.execute("alter table documents rename to d")
        db.execute("create view documents as select * from d")
    db.close()
    with Index(tmp_path / "other") as index, pytest.raises(InvalidIndex, match="tables are others"):
        index.merge(folder)


# --- a database without documents ---

OPENED = {
    "to add": Index,
    "to read": lambda folder: Index(folder, mode="r"),
    "to verify": lambda folder: Inspected(folder, mode="r"),
    "to repair": Inspected,
    "to rebuild": lambda folder: Index(folder, rebuild=True),
    "to merge": lambda folder: Index().merge(folder),
}


def without_tables(folder):
    (folder / "index.sqlite").unlink()
    with sqlite3.connect(folder / "index.sqlite") as db:
        db.execute("create table t (n)")
        db.execute("drop table t")
    db.close()


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("how", ["empty", "missing", "no tables"])
def test_an_index_without_its_documents_is_not_taken_for_a_new_one(folder, opened, how):
    file = folder / "index.sqlite"
    if how == "no tables":
        without_tables(folder)
    elif how == "empty":
        file.write_bytes(b"")
    else:
        file.unlink()
    there = {*folder.iterdir()}
    assert there
    with pytest.raises(InvalidIndex, match=r"got .*damaged.*: restore the folder from a backup"):
        OPENED[opened](folder)
    assert {*folder.iterdir()} >= there


def test_a_log_is_not_removed_where_the_database_is_empty(folder):
    for one in folder.iterdir():
        if one.name != "lock":
            one.unlink()
    (folder / "index.sqlite").write_bytes(b"")
    (folder / "index.sqlite-wal").write_bytes(b"the latest documents")
    for opened in OPENED.values():
        with pytest.raises(InvalidIndex, match="where that is empty"):
            opened(folder)
    assert (folder / "index.sqlite-wal").exists()


@pytest.mark.parametrize("begun", ["lock", "empty", "no tables"])
def test_an_index_that_was_begun_and_is_empty_is_a_new_one(folder, begun):
    for one in folder.iterdir():
        one.unlink()
    (folder / "lock").touch()
    if begun == "no tables":
        without_tables((folder / "index.sqlite").touch() or folder)
    elif begun == "empty":
        (folder / "index.sqlite").touch()
    with Index(folder) as index:
        index.add("a", "a story")
        assert [*index] == ["a"]


# --- interruptions ---

STORY = "the council voted on monday to close the old bridge for repairs until spring " * 3


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("said", ["begin", "begin immediate", "commit", "rollback"])
@pytest.mark.parametrize("call", ["query", "add"])
def test_what_an_interruption_leaves_open_is_undone(tmp_path, monkeypatch, call, said, is_after):
    with Index(tmp_path / "i") as index, Index(tmp_path / "i", mode="r") as reader:
        index.add("a", STORY)
        asked = index if call == "add" else reader
        database = asked._store.db
        execute = database.execute

        def interrupted(statement, *values):
            if statement != said:
                return execute(statement, *values)
            monkeypatch.undo()
            if is_after:
                execute(statement, *values)
            raise KeyboardInterrupt

        monkeypatch.setattr(database, "execute", interrupted)
        with suppress(KeyboardInterrupt):
            asked.query(STORY) if call == "query" else index.add("b", STORY)
        monkeypatch.undo()
        kept = {*index}
        assert kept in ({"a"}, {"a", "b"})
        index.add("c", STORY)
        for one in (index, reader):
            assert {*one} == {match.id for match in one.query(STORY)} == kept | {"c"}
        assert index.verify()


@pytest.mark.parametrize("step", ["state", "_read_tail", "_read_dead", "bury", "extend"])
def test_a_look_that_is_interrupted_is_begun_anew(tmp_path, monkeypatch, step):
    with Index(tmp_path / "i") as index, Index(tmp_path / "i", mode="r") as reader:
        index.add_texts({"a": STORY, "b": STORY, "c": article("c"), "d": article("d")})
        assert len(reader) == 4
        index.remove("c")
        index.add("e", article("e"))
        postings = reader._layout.postings
        owner = {"state": reader._store, "bury": postings, "extend": postings.tail}
        target = owner.get(step, reader._layout)
        done = getattr(target, step)

        def interrupted(*values):
            done(*values)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(target, step, interrupted)
            reader.query(STORY)
        for text in (STORY, article("c"), article("d"), article("e")):
            assert reader.query(text) == index.query(text)
        living = [one._layout.postings.living().numbers.tolist() for one in (index, reader)]
        assert sorted(living[0]) == sorted(living[1])


# --- torn pages ---

PAGE = 1 << 14

TORN = {
    "all": lambda page: bytes(len(page)),
    "half": lambda page: page[: PAGE // 2] + bytes(PAGE // 2),
    "first 4 KB": lambda page: bytes(4096) + page[4096:],
    "last 4 KB": lambda page: page[:-4096] + bytes(4096),
}

READERS = {
    "ids": lambda index: [*index],
    "entries": lambda index: [*index.entries()],
    "documents": lambda index: [*index.documents()],
    "find": lambda index: index.find_duplicates(),
    "stats": lambda index: index.stats(),
    "verify": lambda index: index.verify(),
}

WRITERS = {
    "learn": lambda index: index.learn(),
    "compact": lambda index: index.compact(),
    "rebuild": lambda index: index.rebuild(),
    "add": lambda index: index.add("new", "a new story"),
}


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_page_is_an_error_and_never_a_crash_or_another_answer(folder, torn, tmp_path):
    file = folder / "index.sqlite"
    data = file.read_bytes()
    wanted = {name: one["text"] for name, one in RECORDS.items()}
    for start in range(0, len(data), PAGE):
        file.write_bytes(
            data[:start] + TORN[torn](data[start : start + PAGE]) + data[start + PAGE :]
        )
        for opened, calls in ((Index, READERS), (Inspected, {"verify": READERS["verify"]})):
            for name, call in calls.items():
                with suppress(DedupeError), opened(folder, mode="r") as index:
                    found = call(index)
                    if name == "ids":
                        assert {*found} == {*RECORDS}
        for call in WRITERS.values():
            copy = shutil.copytree(folder, tmp_path / "copy", dirs_exist_ok=True)
            with suppress(DedupeError), Index(copy) as index:
                call(index)
                assert {one.id: one.text for one in index.documents()}.items() >= wanted.items()
            shutil.rmtree(copy)


def test_what_lacks_a_document_is_not_written_anew(folder):
    file = folder / "index.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("delete from documents where key = 'd07'")
    db.close()
    for call in ("compact", "rebuild"):
        with Index(folder) as index, pytest.raises(InvalidIndex, match="not all of its 60 doc"):
            getattr(index, call)()


@pytest.mark.parametrize("n_pages", [1, 2])
def test_all_that_is_left_of_a_database_that_was_cut_off_is_taken_over(tmp_path, n_pages):
    wanted = {f"d{i:03d}": article(f"{i}", 400) for i in range(200)}
    with Index(tmp_path / "i") as index:
        index.add_texts(wanted)
    file = tmp_path / "i" / "index.sqlite"
    size = file.stat().st_size
    os.truncate(file, size - n_pages * PAGE)
    cut = file.read_bytes()
    with pytest.raises(InvalidIndex):
        Index(tmp_path / "i")
    taken = []
    for _ in range(2):
        with Index() as other:
            lost = other.merge(tmp_path / "i").skipped
            assert {one: other[one] for one in other}.items() <= wanted.items()
            assert len(other) > 50
            assert {*other} | {one.id for one in lost} == {*wanted}
            taken.append([*other])
        # It is what is read where zeros are written behind it.
        os.truncate(file, size)
    assert taken[0] == taken[1]
    assert file.read_bytes() == cut + bytes(n_pages * PAGE)


def test_no_copy_is_left_of_what_was_cut_off(folder, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    file = folder / "index.sqlite"
    os.truncate(file, file.stat().st_size - 1)
    salvage(folder, tmp_path / "new")
    os.truncate(file, 200)
    with pytest.raises(InvalidIndex):
        Index().merge(folder)
    assert not [*(tmp_path / "temporary").iterdir()]


def root_of(folder, table):
    """Return where the first page of a table stands in the file."""
    with sqlite3.connect(folder / "index.sqlite") as db:
        said = "select rootpage from sqlite_master where name = ?"
        ((page,),) = db.execute(said, (table,))
    db.close()
    return (page - 1) * PAGE


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize("table", ["tail", "dead", "segments", "by_digest"])
def test_what_is_healed_by_opening_an_index_is_healed_by_a_repair(folder, table, torn, tmp_path):
    file, start = folder / "index.sqlite", root_of(folder, table)
    data = file.read_bytes()
    page = data[start : start + PAGE]
    file.write_bytes(data[:start] + TORN[torn](page) + data[start + PAGE :])
    opened = shutil.copytree(folder, tmp_path / "opened")
    is_healed = False
    with suppress(DedupeError), Index(opened) as index:
        is_healed = bool(index.verify())
    with Inspected(folder, mode="r") as index:
        assert torn != "all" or not index.verify()
    with Inspected(folder) as index:
        found = index.verify(repair=True)
        assert found.repaired or found or not is_healed
        assert bool(index.verify()) == (found.repaired or bool(found))


@pytest.mark.parametrize("page", ["by_time"])
def test_what_is_looked_up_by_a_torn_page_is_never_said_to_be_less_than_nothing(folder, page):
    file, start = folder / "index.sqlite", root_of(folder, page)
    data = file.read_bytes()
    for size in (64, 128, 512, 4096):
        for place in range(0, PAGE, max(size, 1024)):
            at = start + place
            file.write_bytes(data[:at] + bytes(size) + data[at + size :])
            with suppress(DedupeError), Index(folder) as index:
                index.expire(1e9 + 20)
                assert index.stats().n_undated >= 0
                assert {*index} >= {f"d{i:02d}" for i in range(20, 60)}
            file.write_bytes(data)


def test_no_document_is_named_as_lost_that_never_was(folder, tmp_path):
    file = folder / "index.sqlite"
    data = file.read_bytes()
    for start in range(PAGE, len(data), PAGE):
        file.write_bytes(data[: start + 4096] + bytes(PAGE - 4096) + data[start + PAGE :])
        with suppress(DedupeError), Index() as other:
            assert "document 0" not in {one.id for one in other.merge(folder).skipped}


def test_an_index_must_have_a_name():
    with pytest.raises(InvalidSetting, match="path of a folder, got ''"):
        Index("")

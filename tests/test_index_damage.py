"""What an index survives: damage, full disks, other writers, and whoever kills it."""

import errno
import os
import shutil
import sqlite3
import threading
import time
from random import Random

import pytest

import index_crashes
from dedupe import Index, minhash
from dedupe.errors import (
    CannotStore,
    DedupeError,
    IndexInUse,
    InvalidIndex,
    InvalidInput,
    InvalidSetting,
    NoSuchPath,
)
from dedupe.index import bulk, layout, merging, rebuilding
from dedupe.index.storage import connection, files, store
from dedupe.index.storage import texts as packing
from dedupe.index.storage.store import Store
from dedupe.index.storage.texts import InvalidText, Packer
from strategies import article, edited

TEXTS = {f"d{i:02d}": edited(article(f"{i // 2}"), 0.1 * (i % 2), i) for i in range(40)}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return an index with two segments, a tail, dead texts and an epoch, closed."""
    path = tmp_path_factory.mktemp("index") / "sound"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "SEGMENT", 8)
        with Index(path) as index:
            for part in range(2):
                index.add_texts(dict([*TEXTS.items()][part * 15 : part * 15 + 15]))
            index.learn()
            for name, text in [*TEXTS.items()][30:]:
                index.add(name, text)
            index.add("gone", article("gone"))
            index.remove("gone")
            assert index.stats().n_segments == 2
            assert index.verify()
    return path


@pytest.fixture
def damaged(sound, tmp_path):
    """Return a copy of it, to be damaged."""
    return shutil.copytree(sound, tmp_path / "damaged")


def only(path, suffix):
    return sorted(one for one in path.iterdir() if one.suffix == suffix)[0]


def answers(path):
    with Index(path, mode="r") as index:
        return [index.query(text, threshold=0.1) for text in TEXTS.values()]


# --- damage ---


@pytest.mark.parametrize("suffix", [".segment", ".epoch"])
def test_a_flipped_byte_of_a_file_is_found_and_mended(sound, damaged, suffix):
    path = only(damaged, suffix)
    data = path.read_bytes()
    for place in [*range(64), *Random(1).sample(range(64, len(data)), 20)]:
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            index = Index(damaged, mode="r")
        except InvalidIndex:
            continue
        with index:
            assert not index.verify(), place
    with Index(damaged, rebuild=True) as index:
        index.verify(repair=True)
        assert index.verify()
        assert {*index} == {*TEXTS}
        index.learn()
    with Index(sound, mode="r") as index:
        assert index.verify()


def test_a_flipped_byte_of_a_document_is_found(damaged):
    file = damaged / "index.sqlite"
    data = file.read_bytes()
    with sqlite3.connect(file) as db:
        blobs = [text for (text,) in db.execute("select text from documents")]
    db.close()
    for blob in blobs[:5]:
        place = data.index(blob) + len(blob) // 2
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with Index(damaged, mode="r") as index:
            found = index.verify()
        assert not found
        assert "not as it was stored" in found.problems[0]


def spoil(folder, key, spoiled):
    """Change one stored text, as a disk may, and what SQLite knows of it stays."""
    with sqlite3.connect(folder / "index.sqlite") as db:
        (text,) = db.execute("select text from documents where key = ?", (key,)).fetchone()
        db.execute("update documents set text = ? where key = ?", (spoiled(text), key))
    db.close()


SPOILED = {
    "no frame": lambda text: b"\0" + text[1:],
    "no text": lambda _: Packer([]).pack(b"\xff\xfe"),
    "other text": lambda _: Packer([]).pack(b"quite another text"),
}


@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize("how", ["add", "add_texts", "update", "remove"])
def test_a_damaged_text_is_healed_by_adding_it_again(sound, damaged, spoiled, how):
    spoil(damaged, "d07", SPOILED[spoiled])
    with Index(damaged) as index:
        assert "'d07'" in index.verify().problems[0]
        if spoiled != "other text":
            with pytest.raises(InvalidIndex, match=r"'d07' .* add it again .* index remove"):
                index["d07"]
            with pytest.raises(InvalidIndex, match=r"'d07' .* add it again .* index remove"):
                index.find_duplicates()
        if how == "remove":
            index.remove("d07")
        if how == "add_texts":
            assert index.add_texts({"d07": TEXTS["d07"]}).n_unchanged == 1
        else:
            getattr(index, "update" if how == "update" else "add")("d07", TEXTS["d07"])
        assert index["d07"] == TEXTS["d07"]
        assert index.verify()
        index.learn()
    if how == "add":
        with Index(sound, mode="r") as one, Index(damaged, mode="r") as other:
            assert one.find_duplicates() == other.find_duplicates()


def test_a_damaged_text_is_not_taken_for_another_one(damaged):
    spoil(damaged, "d07", SPOILED["no frame"])
    with Index(damaged) as index:
        with pytest.raises(InvalidIndex, match=r"'d07' .* add it again"):
            index.add("d07", article("another"))
        assert "'d07'" in index.verify().problems[0]
        index.update("d07", article("another"))
        assert index["d07"] == article("another")
        assert index.verify()


@pytest.mark.parametrize("place", [18, 24, 27, *range(48, 96)])
def test_a_header_that_nobody_wrote_so_is_found(damaged, place):
    file = damaged / "index.sqlite"
    data = file.read_bytes()
    file.write_bytes(data[:place] + bytes([data[place] ^ 8]) + data[place + 1 :])
    with Index(damaged, mode="r") as index:
        assert "header" in index.verify().problems[0]


@pytest.mark.parametrize("column", ["time = 5", "words", "low = low + 1", "name = '7'"])
def test_another_value_in_the_database_is_found(damaged, column):
    said = "n_words = n_words + 1" if column == "words" else column
    with sqlite3.connect(damaged / "index.sqlite") as db:
        db.execute(f"update documents set {said} where key = 'd07'")
    db.close()
    with Index(damaged) as index:
        found = index.verify(repair=True)
        assert "'d07'" in found.problems[0]
        assert not found.repaired


def test_a_flipped_byte_of_what_texts_are_packed_with_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "SAMPLES", 20)
    with Index(tmp_path / "i") as index:
        index.add_texts(TEXTS)
        assert index._store.has_dictionary()
    with sqlite3.connect(tmp_path / "i" / "index.sqlite") as db:
        (data,) = db.execute("select data from dictionaries").fetchone()
        other = data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]
        db.execute("update dictionaries set data = ?", (other,))
    db.close()
    with Index(tmp_path / "i") as index:
        assert "packed with" in index.verify().problems[0]
        with pytest.raises(InvalidIndex, match="packed with"):
            index["d00"]


@pytest.mark.parametrize(
    "said",
    [
        "create trigger t after insert on documents begin delete from documents; end",
        "alter table documents rename to d; create view documents as select * from d",
        "alter table documents add column more",
        "drop index by_digest",
    ],
)
def test_other_tables_than_those_of_an_index_are_refused(damaged, said):
    with sqlite3.connect(damaged / "index.sqlite") as db:
        db.executescript(said)
    db.close()
    for mode in ("a", "r"):
        with pytest.raises(InvalidIndex, match="tables are others"):
            Index(damaged, mode=mode)


@pytest.mark.parametrize(
    "said",
    [
        "update tail set low = low + 1",
        "update tail set n_shingles = n_shingles + 1",
        "update tail set signature = zeroblob(length(signature))",
        "update meta set value = '[41, 40, 4, 3, 1, 30, 30]' where key = 'state'",
        "update meta set value = '[7, 40, 40, 3, 1, 30, 30]' where key = 'state'",
    ],
)
def test_other_values_of_what_follows_from_texts_are_found_and_mended(sound, damaged, said):
    with sqlite3.connect(damaged / "index.sqlite") as db:
        assert db.execute(said).rowcount
    db.close()
    with Index(damaged) as index:
        assert index.verify(repair=True).repaired
        assert index.verify()
        index.add("new", article("new"))
        index.remove("new")
    assert answers(damaged) == answers(sound)


@pytest.mark.parametrize(
    "said",
    [
        "update tail set n_shingles = 'x'",
        "update tail set low = 1.5",
        "update tail set signature = 'x'",
        "update tail set number = 5000000000 where number = (select max(number) from tail)",
        "insert into dead values (1000, 1, 1, 'x')",
        "insert into dead values (1000, -1, 1, 1)",
        "insert into segments values (x'00', 1)",
    ],
)
def test_values_of_other_types_are_damage(sound, damaged, said):
    with sqlite3.connect(damaged / "index.sqlite") as db:
        assert db.execute(said).rowcount
    db.close()
    with pytest.raises(InvalidIndex):
        Index(damaged, mode="r")
    with Index(damaged) as index:
        assert index.verify()
    assert answers(damaged) == answers(sound)


@pytest.mark.parametrize("end", [0, 10, 70, 2000, None])
def test_a_missing_or_torn_segment_is_made_anew(sound, damaged, end):
    path = only(damaged, ".segment")
    if end is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(InvalidIndex, match=r"verify\(repair=True\)|for writing"):
        Index(damaged, mode="r")
    Index(damaged).close()
    assert answers(damaged) == answers(sound)
    with Index(damaged) as index:
        assert index.verify()


def test_a_missing_epoch_is_learned_anew(damaged):
    only(damaged, ".epoch").unlink()
    with pytest.raises(InvalidIndex, match="epoch"):
        Index(damaged)
    with pytest.raises(InvalidIndex, match="rebuild=True"):
        Index(damaged, mode="r")
    with Index(damaged, rebuild=True) as index:
        assert index.verify()
        assert index.stats().epoch >= 1


def test_orders_that_name_other_documents_are_no_crash(damaged):
    path = only(damaged, ".segment")
    data = bytearray(path.read_bytes())
    data[-len(data) // 2 :] = b"\xff" * (len(data) // 2 + len(data) % 2)
    path.write_bytes(data)
    with Index(damaged, mode="r") as index, pytest.raises(InvalidIndex, match="repair=True"):
        index.query(TEXTS["d00"])


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_database_gives_an_error_or_an_answer(damaged, seed):
    file, random = damaged / "index.sqlite", Random(seed)
    data = bytearray(file.read_bytes())
    for _ in range(random.choice([1, 20, 400])):
        data[random.randrange(len(data))] = random.randrange(256)
    file.write_bytes(data)
    try:
        with Index(damaged) as index:
            for text in TEXTS.values():
                index.query(text)
            index.verify(repair=True)
            index.learn()
    except DedupeError:
        pass


@pytest.mark.parametrize("name", ["../other.segment", "/etc/passwd", "x"])
def test_files_elsewhere_are_not_read(damaged, name):
    with sqlite3.connect(damaged / "index.sqlite") as db:
        said = "update segments set name = ? where name = (select min(name) from segments)"
        db.execute(said, (name,))
    db.close()
    with pytest.raises(InvalidIndex, match="no file of an index"):
        Index(damaged, mode="r")


def test_a_text_that_claims_to_be_huge_is_refused():
    packed = bytearray(Packer([]).pack(b"a text " * 100))
    with pytest.raises(InvalidText):
        Packer([]).unpack(b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + bytes(packed[6:]))
    with pytest.raises(InvalidText):
        Packer([]).unpack(b"no text")


def test_what_is_packed_can_be_unpacked_however_long_it_is(monkeypatch):
    long = b"words " * (11 << 20)
    packer = Packer([])
    assert packer.unpack(packer.pack(long)) == long
    monkeypatch.setattr(packing, "MOST_BYTES", 100)
    with pytest.raises(InvalidInput, match="at most 100 bytes, got 101"):
        packer.pack(bytes(101))
    assert packer.unpack(packer.pack(bytes(100))) == bytes(100)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("mode", ["a", "r"])
@pytest.mark.parametrize("name", ["*.sqlite", "*.segment", "*.epoch"])
def test_a_pipe_in_place_of_a_file_is_damage_and_is_not_waited_for(damaged, name, mode):
    (path,) = damaged.glob(name) if name != "*.segment" else [only(damaged, ".segment")]
    path.unlink()
    os.mkfifo(path)
    if (name, mode) == ("*.segment", "a"):
        with Index(damaged) as index:
            assert index.verify()
        return
    with pytest.raises((InvalidIndex, NoSuchPath)):
        Index(damaged, mode=mode)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_lock_that_is_a_link_or_a_pipe_is_left_alone(damaged, tmp_path):
    other = tmp_path / "other"
    other.write_text("precious")
    lock = damaged / "lock"
    for make in (lambda: lock.symlink_to(other), lambda: os.mkfifo(lock)):
        lock.unlink()
        make()
        with pytest.raises(InvalidIndex, match="must be a file"):
            Index(damaged)
    assert other.read_text() == "precious"


# --- full disks ---


def test_where_the_database_is_full_nothing_is_added(tmp_path):
    with Index(tmp_path / "i") as index:
        index.add("a", article("a"))
        (pages,) = index._store.db.execute("pragma page_count").fetchone()
        index._store.db.execute(f"pragma max_page_count = {pages}")
        many = {f"m{i}": article(f"{i}", 400) for i in range(60)}
        with pytest.raises(CannotStore, match="must have room"):
            index.add_texts(many)
        assert [*index] == ["a"]
        index._store.db.execute("pragma max_page_count = 1000000")
        index.add_texts(many)
        assert len(index) == 61
        assert index.query(many["m7"])[0].id == "m7"


def test_where_no_segment_can_be_written_nothing_is_added(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "SEGMENT", 8)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Index(tmp_path / "i") as index:
        index.add("a", article("a"))
        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(CannotStore, match="No space left"):
            index.add_texts(TEXTS)
        monkeypatch.undo()
        assert [*index] == ["a"]
        index.add_texts(TEXTS)
        assert index.verify()
    assert not [*(tmp_path / "i").glob("*.tmp")]


def test_a_tail_that_cannot_be_sealed_is_kept(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(merging, "TAIL", 8)

    def full(*_):
        raise CannotStore("no room")

    with Index(tmp_path / "i") as index:
        with monkeypatch.context() as patch:
            patch.setattr(layout, "write_segment", full)
            for name, text in TEXTS.items():
                index.add(name, text)
            index._merger.wait()
        assert "no room" in caplog.text
        assert index.stats().n_tail == len(TEXTS)
        index.add("last", article("last"))
        index._merger.wait()
        assert index.stats().n_tail < 8
        assert index.verify()


def test_what_cannot_be_committed_leaves_no_files(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(merging, "TAIL", 8)

    def full(*_):
        raise CannotStore("no room")

    with Index(tmp_path / "i") as index:
        with monkeypatch.context() as patch:
            patch.setattr(layout.Layout, "swap", full)
            for name, text in TEXTS.items():
                index.add(name, text)
                index._merger.wait()
            patch.setattr(Store, "set_meta", full)
            with pytest.raises(CannotStore):
                index.learn()
            with pytest.raises(CannotStore):
                index.rebuild()
        assert "no room" in caplog.text
        assert {path.name.partition("-")[0] for path in (tmp_path / "i").iterdir()} == {
            "index.sqlite",
            "lock",
        }
    with Index(tmp_path / "i") as index:
        assert index.verify()


def test_what_was_committed_before_an_interruption_is_seen(tmp_path, monkeypatch):
    with Index(tmp_path / "i") as index:
        with monkeypatch.context() as patch:
            patch.setattr(bulk, "SEGMENT", 8)
            patch.setattr(index._layout, "refresh", _interrupted(index._layout.refresh))
            with pytest.raises(KeyboardInterrupt):
                index.add_texts(TEXTS)
        assert index.query(TEXTS["d00"])[0].id == "d00"
        assert index.verify()


def _interrupted(refresh):
    def refreshed(*, own=False):
        if own:
            raise KeyboardInterrupt
        refresh()

    return refreshed


def test_to_compact_forgets_all_that_died(tmp_path):
    for version in range(3):
        with Index(tmp_path / "i") as index:
            index.add("a", article(f"{version}"), on_conflict="update")
    with Index(tmp_path / "i") as index:
        index.compact()
        assert index._store.db.execute("select count(*) from dead").fetchone() == (0,)
        assert index.verify()


# --- company ---


def test_a_second_writer_waits_and_is_told_who_holds_it(tmp_path):
    first = Index(tmp_path / "i")
    with pytest.raises(IndexInUse, match=f"process {os.getpid()} on"):
        Index(tmp_path / "i", timeout=0.1)
    timer = threading.Timer(0.2, first.close)
    timer.start()
    with Index(tmp_path / "i", timeout=30) as index:
        index.add("a", article("a"))
    timer.join()


def test_a_disk_that_locks_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("dedupe.index.storage.lock.try_lock", lambda _: True)
    with pytest.raises(InvalidIndex, match="can lock files"):
        Index(tmp_path / "i")


def test_a_reader_sees_what_another_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(merging, "TAIL", 4)
    monkeypatch.setattr(merging, "FANOUT", 2)
    story = article("a story")
    with Index(tmp_path / "i") as index, Index(tmp_path / "i", mode="r") as reader:
        assert not reader.query(story)
        index.add("a", story)
        assert [match.id for match in reader.query(story)] == ["a"]
        for i in range(20):
            index.add(f"x{i}", article(f"x{i}"))
            assert reader.query(article(f"x{i}"))[0].id == f"x{i}"
        index.remove("a")
        assert not reader.query(story)
        assert index.learn() == 1
        assert reader.query(article("x3"))[0].epoch == 1
        index.compact()
        assert len(reader) == 20
        assert reader.query(article("x3"))[0].id == "x3"


def test_texts_that_died_are_buried_in_all_segments(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "SEGMENT", 8)
    first, second = dict([*TEXTS.items()][:20]), dict([*TEXTS.items()][20:])
    with Index(tmp_path / "i") as index:
        index.add_texts(first)
        with Index(tmp_path / "i", mode="r") as reader:
            assert len(reader) == 20
            index.remove("d07")
            index.add_texts(second)
            assert len(reader) == 39
            assert reader._layout.postings.n_dead == index._layout.postings.n_dead == 1


def test_a_reader_that_may_not_write_sees_what_another_has_changed(damaged, monkeypatch):
    # Who reads alone may have left a log behind, which SQLite would see to.
    Index(damaged).close()
    with monkeypatch.context() as patch:
        patch.setattr(connection.os, "access", lambda *_: False)
        with Index(damaged, mode="r") as reader:
            assert len(reader) == 40
            with pytest.raises(InvalidIndex, match="ask again"), reader._reading():
                writer = Index(damaged)
            with writer:
                writer.remove([*TEXTS][:20])
                assert len(reader) == 20
                writer.compact()
                assert reader.query(TEXTS["d30"])[0].id == "d30"
            assert len(reader) == 20
            assert not reader.query(TEXTS["d00"])
            assert reader.verify()
        # Those that were let go.
        Index(damaged, mode="r").close()
        with Index(damaged) as writer:
            writer.add("d00", TEXTS["d00"])
        with Index(damaged, mode="r") as reader:
            assert reader.query(TEXTS["d00"])[0].id == "d00"


def test_a_reader_notices_that_everything_was_made_anew(tmp_path):
    with Index(tmp_path / "i") as index, Index(tmp_path / "i", mode="r") as reader:
        index.add_texts(TEXTS)
        index.learn()
        assert reader.query(TEXTS["d00"])[0].epoch == 1
        before = reader._layout.epoch.name
        index.rebuild()
        assert reader.query(TEXTS["d00"])[0].epoch == 1
        assert reader._layout.epoch.name == index._layout.epoch.name != before
        index.rebuild(ngram=index.settings.ngram - 1)
        for _ in range(2):
            with pytest.raises(InvalidIndex, match="has made anew: open it again"):
                reader.query(TEXTS["d00"])


def test_an_index_whose_rebuild_was_interrupted_is_refused_until_it_is_whole(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with Index(tmp_path / "i") as index, Index(tmp_path / "i", mode="r") as reader:
        index.add_texts(TEXTS)
        with monkeypatch.context() as patch:
            patch.setattr(index, "_derive", interrupted)
            with pytest.raises(KeyboardInterrupt):
                index.rebuild(seed=7)
        with pytest.raises(InvalidIndex, match="call rebuild"):
            index.query(TEXTS["d00"])
        with pytest.raises(InvalidIndex, match="is making anew"):
            reader.query(TEXTS["d00"])
        index.rebuild()
        assert index.query(TEXTS["d00"])[0].id == "d00"
        assert index.verify()


def test_a_rebuild_with_other_settings_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(rebuilding, "AT_ONCE", 2)
    with Index(tmp_path / "i") as index:
        index.add_texts(TEXTS)
    hashed, n_left = [], 3

    def sketch(texts, settings):
        if len(hashed) == n_left:
            raise KeyboardInterrupt
        hashed.append(len(texts))
        return minhash.sketch(texts, settings)

    with monkeypatch.context() as patch:
        patch.setattr(rebuilding, "sketch", sketch)
        with pytest.raises(KeyboardInterrupt):
            Index(tmp_path / "i", rebuild=True, seed=7)
        with pytest.raises(InvalidIndex, match="interrupted"):
            Index(tmp_path / "i")
        hashed.clear()
        n_left = None
        with Index(tmp_path / "i", rebuild=True, seed=7) as index:
            assert index.settings.seed == 7
            assert index.verify()
    # Segments are made of all texts, once.
    assert sum(hashed) == (len(TEXTS) - 6) + len(TEXTS)


@pytest.mark.parametrize("folder", ["i", None])
def test_documents_are_those_of_the_moment_when_they_are_asked_for(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(store, "AT_ONCE", 2)
    with Index(folder and tmp_path / folder) as index:
        index.add_texts(TEXTS)
        documents = index.documents()
        first = next(documents)
        index.remove("d07")
        index.add("d99", article("99"))
        assert [first.id, *(one.id for one in documents)] == [*TEXTS]


def test_a_generator_that_is_left_open_stops_nobody():
    with Index() as index:
        index.add_texts(TEXTS)
        documents = index.documents()
        next(documents)
        thread = threading.Thread(target=index.query, args=(TEXTS["d00"],), daemon=True)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()


def test_compact_does_not_wait_for_who_reads_for_long(tmp_path):
    with Index(tmp_path / "i") as index:
        index.add_texts(TEXTS)
        documents = index.documents()
        next(documents)
        index.remove("d07")
        begun = time.monotonic()
        index.compact()
        assert time.monotonic() - begun < 20
        assert len([*documents]) == len(TEXTS) - 1


def test_threads_take_turns(tmp_path):
    errors = []

    def work(number):
        try:
            for i in range(10):
                name = f"{number}-{i}"
                index.add(name, article(name))
                assert index.query(article(name))[0].id == name
        except Exception as error:
            errors.append(error)

    with Index(tmp_path / "i") as index:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert len(index) == 40


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_may_not_use_the_index_of_its_parent(tmp_path):
    with Index(tmp_path / "i") as index:
        index.add("a", article("a"))
        child = os.fork()
        if child == 0:
            asked = [lambda: index.query(TEXTS["d00"]), lambda: index.remove("a"), index.learn]
            n_refused = sum(_is_refused(one) for one in asked)
            index.close()
            os._exit(n_refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        index.add("b", article("b"))
        assert {*index} == {"a", "b"}


def _is_refused(asked):
    try:
        asked()
    except InvalidIndex as error:
        return "before a fork" in str(error)
    return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_whoever_is_killed_loses_nothing():
    assert not index_crashes.kill(50)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_readers_beside_a_writer_see_no_half_answers():
    counts = index_crashes.soak(6)
    assert counts["queries"] > 20
    assert (counts["wrong"], counts["halves"], counts["failed"]) == (0, 0, 0)


def test_a_repair_needs_a_writer(damaged):
    path = only(damaged, ".segment")
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with Index(damaged, mode="r") as index, pytest.raises(InvalidSetting, match="mode"):
        index.verify(repair=True)

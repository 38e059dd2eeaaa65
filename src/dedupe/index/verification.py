"""Finds what is damaged in an index, in its database and in what follows from the documents."""

import sqlite3
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from dedupe.errors import InvalidIndex
from dedupe.index.layout import Layout
from dedupe.index.storage.epochs import Epoch
from dedupe.index.storage.segments import Documents, Segment
from dedupe.index.storage.store import NO_DICTIONARY, Store
from dedupe.minhash import sketch
from dedupe.settings import Settings

__all__ = ["in_database", "in_files"]

MOST = 100
"""Problems of the database that are listed; when there are more, nobody reads them."""

HEADER_BYTES = 100

LOGGED = b"\2\2"
"""That is with a log. With any other number SQLite reads all the same, and no longer writes."""

CONSTANT = {bytes(48), struct.pack(">4I32x", 4, 0, 0, 1)}
"""What stands behind the number of its schema: nothing as long as its tables are in the log, then
format 4, UTF-8, and all else as it is by default. What stands before, SQLite looks at."""


def in_database(store: Store) -> Iterator[str]:
    """Yield what is wrong with the database, a line each."""
    try:
        if store.path is not None and not _has_own_header(store.path):
            yield f"{store.path}: its header is not as it was written"
        for (said,) in store.db.execute(f"pragma integrity_check({MOST})").fetchall():
            if said != "ok":
                yield f"{store.path}: {said}"
        if not store.has_sound_dictionaries():
            yield f"{store.path}: {NO_DICTIONARY}"
        n_documents = 0
        for row in store.rows():
            n_documents += 1
            if not row.is_sound:
                yield f"document {row.key!r}: it is not as it was stored"
                continue
            store.text(row)
        state = store.state()
        if state.n_documents != n_documents:
            yield f"it should hold {state.n_documents:,} documents, got {n_documents:,}"
    except (OSError, sqlite3.Error, InvalidIndex, UnicodeDecodeError, OverflowError) as error:
        yield f"{store.path}: {error}"


def _has_own_header(path: Path) -> bool:
    """Return whether the header of a database is as an index has it.

    How often it was changed stands there twice. The number of its schema, which says nothing of
    an index, may be any.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    return head[18:20] == LOGGED and head[44:92] in CONSTANT and head[24:28] == head[92:96]


def in_files(store: Store, layout: Layout, settings: Settings) -> Iterator[str]:
    """Yield what is wrong with what follows from the documents, a line each."""
    try:
        problems = [*_of_files(layout)]
        yield from problems
        if problems:
            return
        found = np.sort(layout.read_anew().living().numbers)
        wanted = np.unique([original for _, original, _ in store.originals()]).astype(np.uint32)
        if not np.array_equal(found, wanted):
            yield (
                f"segments and tail should hold {wanted.size:,} texts, got {found.size:,}, of "
                f"which {np.isin(found, wanted).sum():,} are stored"
            )
        if not _is_sound(layout.read_anew().tail.living(), store, settings):
            yield "the newest texts are not looked up by what they say"
        state = store.state()
        if state.n_texts != wanted.size:
            yield f"it should hold {state.n_texts:,} texts, got {wanted.size:,}"
        if state.next <= store.last_number():
            yield f"the next document should come after all others, got number {state.next}"
    except (OSError, sqlite3.Error, InvalidIndex) as error:
        yield str(error)


def _of_files(layout: Layout) -> Iterator[str]:
    """Yield which files are missing or damaged, or hold values that nobody wrote."""
    for name in layout.segment_names():
        yield from _of_file(name, partial(layout.segment, name))
    yield from _of_file(layout.epoch_name() or "no epoch", layout.current_epoch)
    try:
        is_sound = layout.has_sound_tables()
    except sqlite3.Error:
        is_sound = False
    if not is_sound:
        yield "the newest texts are not as they were written"


def _of_file(name: str, read: Callable[[], Segment | Epoch]) -> Iterator[str]:
    """Yield what is wrong with a file, nothing if it is sound."""
    try:
        if not read().is_sound():
            yield f"{name}: it is not as it was written"
    except FileNotFoundError:
        yield f"{name}: it is missing"
    except (OSError, InvalidIndex) as error:
        yield f"{name}: {error}"


def _is_sound(tail: Documents, store: Store, settings: Settings) -> bool:
    """Return whether texts that are in no file yet are looked up by what follows from them."""
    rows = {row.original: row for row in store.by_texts(tail.contents.view(np.int64).tolist())}
    if not rows.keys() >= set(tail.numbers.tolist()):
        return False
    # What is damaged itself has been told, and says nothing.
    tail = tail.take(
        np.array([rows[number].is_sound for number in tail.numbers.tolist()], np.bool_)
    )
    texts = [store.text(rows[number]) for number in tail.numbers.tolist()]
    if not texts:
        return True
    wanted = Documents.of(tail.numbers, sketch(texts, settings))
    return (
        np.array_equal(tail.sizes, wanted.sizes)
        and np.array_equal(tail.contents, wanted.contents)
        and np.array_equal(tail.signatures, wanted.signatures)
    )

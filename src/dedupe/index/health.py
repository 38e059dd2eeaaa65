"""Finds what is damaged in an index, and makes anew what follows from its documents."""

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from dedupe.errors import InvalidIndex
from dedupe.index.intake import Originals
from dedupe.index.layout import Layout
from dedupe.index.segments import Documents, Segment
from dedupe.index.store import Row, Store
from dedupe.minhash import Sketches, sketch
from dedupe.settings import Settings

__all__ = ["derive", "in_database", "in_files", "rebuild"]

AT_ONCE = 8192
"""Documents whose texts are in memory at once."""

MOST = 100
"""Problems that are listed; when there are more, nobody reads them."""


def in_database(store: Store) -> Iterator[str]:
    """Yield what is wrong with the database, a line each."""
    try:
        for (said,) in store.db.execute(f"pragma integrity_check({MOST})").fetchall():
            if said != "ok":
                yield f"{store.path}: {said}"
        n_documents = 0
        for row in store.rows():
            n_documents += 1
            if row.sealed().seal != row.seal:
                yield f"document {row.key!r}: it is not as it was stored"
                continue
            store.text(row)
        state = store.state()
        if state.n_documents != n_documents:
            yield f"it should hold {state.n_documents:,} documents, got {n_documents:,}"
    except (sqlite3.Error, InvalidIndex, UnicodeDecodeError, OverflowError) as error:
        yield f"{store.path}: {error}"


def in_files(store: Store, layout: Layout) -> Iterator[str]:
    """Yield what is wrong with what follows from the documents, a line each."""
    try:
        names = [name for (name,) in store.db.execute("select name from segments")]
        segments = [layout.segment(name) for name in names]
        for segment in segments:
            if not segment.is_sound():
                yield f"{segment.name}: it is not as it was written"
        if not layout.current_epoch().is_sound():
            yield f"{layout.epoch.name}: it is not as it was written"
        found = np.sort(layout.anew().living().numbers)
        wanted = np.unique([original for _, original in store.originals()]).astype(np.uint32)
        if not np.array_equal(found, wanted):
            yield (
                f"segments and tail should hold {wanted.size:,} texts, got {found.size:,}, of "
                f"which {np.isin(found, wanted).sum():,} are stored"
            )
    except (OSError, sqlite3.Error, InvalidIndex) as error:
        yield str(error)


def derive(store: Store, layout: Layout, settings: Settings) -> None:
    """Make all segments anew from the texts, and let them take the place of what was there."""
    segments: list[Segment] = []
    seen: set[int] = set()
    for rows in _batches(store):
        firsts = [row for row in rows if row.original not in seen]
        firsts = [*{row.original: row for row in reversed(firsts)}.values()]
        seen.update(row.original for row in firsts)
        if firsts:
            sketches = sketch([store.text(row) for row in firsts], settings)
            numbers = np.array([row.original for row in firsts], np.uint32)
            segments.append(layout.write(Documents.of(numbers, sketches)))
    with store.transaction():
        for table in ("segments", "tail", "dead"):
            store.db.execute(f"delete from {table}")
        for segment in segments:
            layout.swap(segment, [])
        layout.touch()
        store.save(store.state()._replace(n_texts=len(seen)))


def rebuild(store: Store, wanted: dict[str, Any], settings: Settings) -> bool:
    """Store anew all that follows from the texts, from where an interrupted run has come.

    Return whether the index had learned, and is to learn anew.
    """
    begun = store.meta("rebuilding")
    if begun is None or begun["identity"] != wanted:
        learns = store.state().epoch > 0 or bool(begun and begun["learns"])
        begun = {"identity": wanted, "done": 0, "learns": learns}
        with store.transaction():
            store.set_meta("rebuilding", begun)
            store.save(store.state()._replace(epoch=0, n_learned=0, last_learned=0))
    for done in _sketched_anew(store, settings, begun["done"]):
        store.set_meta("rebuilding", begun | {"done": done})
    with store.transaction():
        store.set_meta("identity", wanted)
    return bool(begun["learns"])


def _sketched_anew(store: Store, settings: Settings, after: int) -> Iterator[int]:
    """Hash the texts of documents that come after a number, and store what follows from them.

    Yield the greatest number that is done, each time within a transaction that has to end before
    the next is begun.
    """
    while True:
        rows = [*islice(store.rows(after), AT_ONCE)]
        if not rows:
            return
        texts = [store.text(row) for row in rows]
        sketches = sketch(texts, settings)
        with store.transaction():
            _update(store, rows, texts, sketches)
            after = rows[-1].number
            yield after


def _update(store: Store, rows: list[Row], texts: list[bytes], sketches: Sketches) -> None:
    """Store what follows from the texts of documents; those before them have been done."""
    halves = sketches.digests.view(np.int64).tolist()
    # What comes later still has the digest that it had.
    originals = Originals(store, halves, texts, before=rows[0].number)
    n_words, n_shingles = sketches.n_words.tolist(), sketches.n_shingles.tolist()
    changed = [
        row._replace(
            low=halves[place][0],
            high=halves[place][1],
            original=originals.of(place, row.number),
            n_words=n_words[place],
            n_shingles=n_shingles[place],
        ).sealed()
        for place, row in enumerate(rows)
    ]
    store.delete(row.number for row in rows)
    store.insert(changed)


def _batches(store: Store) -> Iterator[list[Row]]:
    rows = store.rows()
    while few := [*islice(rows, AT_ONCE)]:
        yield few

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
"""Documents whose texts are in memory at once, 30 MB, and which become a segment: fewer would
leave many small ones."""

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
        for segment in [layout.segment(name) for name in layout.names()]:
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
        # Copies have the same tokens, so that any of them stands for its text.
        new = {row.original: row for row in rows if row.original not in seen}
        seen.update(new)
        if new:
            sketches = sketch([store.text(row) for row in new.values()], settings)
            numbers = np.array([*new], np.uint32)
            segments.append(layout.write(Documents.of(numbers, sketches)))
    with store.transaction():
        layout.replace_all(segments)
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
    while rows := [*islice(store.rows(begun["done"]), AT_ONCE)]:
        texts = [store.text(row) for row in rows]
        sketches = sketch(texts, settings)
        begun = begun | {"done": rows[-1].number}
        with store.transaction():
            _update(store, rows, texts, sketches)
            store.set_meta("rebuilding", begun)
    with store.transaction():
        store.set_meta("identity", wanted)
    return bool(begun["learns"])


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

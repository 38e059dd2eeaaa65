"""Makes anew what follows from the texts of an index: its segments, or whatever is stored."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from dedupe.index.intake import Originals
from dedupe.index.layout import Layout
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.rows import Row
from dedupe.index.storage.segments import Documents, Segment
from dedupe.index.storage.store import Store
from dedupe.minhash import Sketches, sketch
from dedupe.settings import Settings

__all__ = ["check_documents", "derive", "rebuild"]

AT_ONCE = 8192
"""Documents whose texts are in memory at once, 30 MB, and which become a segment: fewer would
leave many small ones."""


def derive(store: Store, layout: Layout, settings: Settings) -> None:
    """Make all segments anew from the texts, and let them take the place of what was there."""
    segments: list[Segment] = []
    try:
        seen = _write_all(store, layout, settings, segments)
        with store.transaction():
            layout.replace_all(segments)
            state = store.state()
            after = max(state.next, store.last_number() + 1)
            store.save(state._replace(n_texts=len(seen), next=after))
    except BaseException:
        for segment in segments:
            layout.abandon(segment.name)
        raise


def _write_all(
    store: Store, layout: Layout, settings: Settings, segments: list[Segment]
) -> set[int]:
    """Write all texts into new segments, which are added to a list; return their numbers."""
    seen: set[int] = set()
    for rows in _batches(store):
        # Copies have the same tokens, so that any of them stands for its text.
        new = {row.original: row for row in rows if row.original not in seen}
        seen.update(new)
        if new:
            sketches = sketch([store.text(row) for row in new.values()], settings)
            numbers = np.array([*new], np.uint32)
            segments.append(layout.write_segment(Documents.of(numbers, sketches)))
    return seen


def rebuild(store: Store, wanted: dict[str, Any], settings: Settings) -> bool:
    """Store anew all that follows from the texts, from where an interrupted run has come.

    Return whether the index had learned, and is to learn anew.
    """
    begun = store.meta("rebuilding")
    is_new = begun is None or begun["identity"] != wanted
    check_documents(store, 0 if is_new else begun["done"])
    if is_new:
        learns = store.state().epoch > 0 or bool(begun and begun["learns"])
        begun = {"identity": wanted, "done": 0, "learns": learns}
        with store.transaction():
            store.reindex()
            store.restore_dictionary()
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


def check_documents(store: Store, after: int = 0) -> None:
    """Raise `InvalidIndex` for a damaged or missing document, before anything is made anew of it.

    Else an index would be left half made, in which that document can be neither added nor removed.
    """
    for row in store.rows(after):
        store.text(row)
    if store.n_after(0) != (wanted := store.state().n_documents):
        raise damaged(store.path, f"not all of its {wanted:,} documents can be found")


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

"""Takes documents into the store: which are new, which are known, and which texts are identical."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Literal, NamedTuple

import numpy as np

from dedupe.documents import Document
from dedupe.errors import DuplicateId, InvalidIndex, InvalidSetting
from dedupe.index.records import Added
from dedupe.index.storage.keys import key_of, name_of
from dedupe.index.storage.rows import Row, seal_of_row, unsigned
from dedupe.index.storage.segments import Dead, Documents
from dedupe.index.storage.store import Store
from dedupe.minhash import Sketches
from dedupe.shingling import hash_encoded

__all__ = ["OnConflict", "Originals", "Taken", "are_same", "check_conflict", "drop", "mend", "take"]

OnConflict = Literal["error", "update"]

Orphans = Callable[[], list[Dead]]
"""Tells which texts are looked up though no document has them any more."""


class Taken(NamedTuple):
    """What became of some documents, and the texts among them that were not there before."""

    added: Added
    texts: Documents


def check_conflict(on_conflict: str) -> None:
    """Raise `InvalidSetting` where it is not said what to do with ids that are there already."""
    if on_conflict not in ("error", "update"):
        raise InvalidSetting(f"on_conflict must be 'error' or 'update', got {on_conflict!r}")


def take(
    store: Store,
    orphans: Orphans,
    documents: Sequence[Document],
    texts: Sequence[bytes],
    sketches: Sketches,
    *,
    on_conflict: OnConflict,
) -> Taken:
    """Store documents that hold a word each, with their texts in UTF-8, within a transaction.

    Raises
    ------
    DuplicateId
        When an id is there with another text, and `on_conflict` is ``"error"``.
    """
    keys = [key_of(document.id) for document in documents]
    halves = sketches.digests.view(np.int64).tolist()
    known = store.by_keys(keys)
    if mend(store, known, documents, texts, sketches):
        known = store.by_keys(keys)
    chosen, gone = _changed(store, known, documents, keys, texts, on_conflict=on_conflict)
    if gone:
        drop(store, orphans, gone)
    state = store.state()
    originals = Originals(store, halves, texts)
    n_words, n_shingles = sketches.n_words.tolist(), sketches.n_shingles.tolist()
    pack = store.packer.pack
    times = {row.key: row.time for row in gone}
    rows = [
        Row(
            number=number,
            key=keys[place],
            name=name_of(documents[place].id),
            # An update without a time keeps the one that was there.
            time=times.get(keys[place]) if (time := documents[place].time) is None else time,
            low=halves[place][0],
            high=halves[place][1],
            original=originals.of(place, number),
            n_words=n_words[place],
            n_shingles=n_shingles[place],
            seal=0,
            text=pack(texts[place]),
        ).sealed()
        for number, place in enumerate(chosen, start=state.next)
    ]
    store.insert(rows)
    is_new = np.array([row.number == row.original for row in rows], np.bool_)
    store.save(
        state._replace(
            next=state.next + len(rows),
            n_documents=state.n_documents + len(rows),
            n_texts=state.n_texts + int(is_new.sum()),
        )
    )
    n_undated = sum(row.time is None and row.key not in times for row in rows)
    n_unchanged = len(documents) - len(rows)
    added = Added(len(rows) - len(gone), len(gone), n_unchanged, n_undated=n_undated)
    numbers = np.arange(state.next, state.next + len(rows), dtype=np.uint32)
    new = sketches.take(np.array(chosen, np.int64)[is_new])
    return Taken(added, Documents.of(numbers[is_new], new))


def mend(
    store: Store,
    known: Sequence[Row],
    documents: Sequence[Document],
    texts: Sequence[bytes],
    sketches: Sketches,
) -> bool:
    """Store anew what was damaged of documents, within a transaction; return whether any was.

    Of what the store has under their keys, they come again with what was stored.
    """
    damaged = [row for row in known if not row.is_sound]
    if not damaged:
        return False
    places = {key_of(document.id): place for place, document in enumerate(documents)}
    # By a value that is damaged, SQLite would not find what is to be changed.
    store.reindex()
    mended = []
    for row in damaged:
        place = places[row.key]
        few = sketches.take(np.array([place]))
        found = _restored(store, row, documents[place], texts[place], few)
        if found is not None:
            mended.append(found)
    store.delete(row.number for row in mended)
    store.insert(mended)
    return bool(mended)


def _restored(
    store: Store, row: Row, document: Document, text: bytes, sketches: Sketches
) -> Row | None:
    """Return a damaged row as it was stored, by a document with its key; None if it is another."""
    low, high = sketches.digests.view(np.int64)[0].tolist()
    packed = store.packer.packed_ever(text)
    like = row._replace(
        name=name_of(document.id),
        low=low,
        high=high,
        n_words=int(sketches.n_words[0]),
        n_shingles=int(sketches.n_shingles[0]),
    )
    others = [other.original for other in store.by_texts([low])]
    for original, time, data in product(
        {row.original, row.number, *others}, {row.time, document.time}, (row.text, *packed)
    ):
        tried = like._replace(original=original, time=time, text=data)
        if seal_of_row(tried) == row.seal:
            return tried
    # Another version of zstandard packs otherwise, or the seal itself is damaged: then nothing
    # says whether the time is right.
    if (low, high) != (row.low, row.high) or (document.time is None and row.time is not None):
        return None
    return like._replace(time=document.time, text=packed[0]).sealed()


def _readable(store: Store, row: Row) -> bytes | None:
    """Return the text of a document in UTF-8, None where it is damaged."""
    try:
        return store.text(row)
    except InvalidIndex:
        return None


def _changed(
    store: Store,
    known: Sequence[Row],
    documents: Sequence[Document],
    keys: Sequence[str],
    texts: Sequence[bytes],
    *,
    on_conflict: OnConflict,
) -> tuple[list[int], list[Row]]:
    """Return which documents are new or have another text, and what they replace."""
    row_of = {row.key: row for row in known}
    seen: dict[str, int] = {}
    gone = []
    for place, key in enumerate(keys):
        row, before = row_of.get(key), seen.get(key)
        if row is None and before is None:
            seen[key] = place
            continue
        if before is not None:
            text: bytes | None = texts[before]
            id_ = documents[before].id
        else:
            assert row is not None
            # What is replaced need not be readable.
            text = _readable(store, row) if on_conflict == "update" else store.text(row)
            id_ = row.id
        is_same = text == texts[place] and id_ == documents[place].id
        time = documents[place].time
        has_moved = before is None and row is not None and time not in (None, row.time)
        if is_same and not (has_moved and on_conflict == "update"):
            continue
        if on_conflict == "error" or before is not None:
            raise DuplicateId(
                f"ids must be unique, got {documents[place].id!r} with another text than before: "
                "give it another one, or replace the text with update() or on_conflict='update' "
                "(--on-conflict update)"
            )
        assert row is not None
        gone.append(row)
        seen[key] = place
    return [*seen.values()], gone


class Originals:
    """Finds the first document with the tokens of another one, in the store and among new ones.

    Parameters
    ----------
    store : Store
    halves : sequence of two int each
        The digests of new documents, as the store has them.
    texts : sequence of bytes
    before : int, optional
        Documents of the store with this number or a greater one are not looked at.
    """

    def __init__(
        self,
        store: Store,
        halves: Sequence[Sequence[int]],
        texts: Sequence[bytes],
        before: int | None = None,
    ) -> None:
        self._halves = halves
        self._texts = texts
        self._known: dict[tuple[int, ...], list[tuple[int, bytes]]] = {}
        seen = set()
        for row in store.by_texts([*{low for low, _ in halves}]):
            if row.original not in seen and (before is None or row.number < before):
                seen.add(row.original)
                known = self._known.setdefault((row.low, row.high), [])
                known.append((row.original, store.text(row)))

    def of(self, place: int, number: int) -> int:
        """Return the number of the first, which is its own where nothing is identical."""
        known = self._known.setdefault(tuple(self._halves[place]), [])
        text = self._texts[place]
        for original, other in known:
            if are_same(text, other):
                return original
        known.append((number, text))
        return number


def are_same(text: bytes, other: bytes) -> bool:
    """Return whether two texts of one digest have the same tokens: digests can be forged."""
    if text == other:
        return True
    tokens = hash_encoded([text, other], detail=True)
    assert tokens.seals is not None
    one, two = np.split(tokens.seals, tokens.offsets[1:2])
    return bool(np.array_equal(one, two))


def drop(store: Store, orphans: Orphans, rows: Iterable[Row]) -> None:
    """Remove documents, and note the texts that no document has any more; in a transaction."""
    rows = list(rows)
    # What a damaged document says of itself may be another one's.
    is_damaged = not all(row.is_sound for row in rows)
    if is_damaged:
        store.reindex()
    store.delete(row.number for row in rows)
    if is_damaged:
        dead = orphans()
    else:
        left = {row.original for row in store.by_texts([*{row.low for row in rows}])}
        gone = {row.original: row for row in rows if row.original not in left}
        dead = [Dead(n, row.n_shingles, unsigned(row.low)) for n, row in gone.items()]
    store.bury(dead)
    state = store.state()
    store.save(
        state._replace(n_documents=state.n_documents - len(rows), n_texts=state.n_texts - len(dead))
    )

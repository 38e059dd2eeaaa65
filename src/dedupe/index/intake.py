"""Takes documents into the store: which are new, which are known, and which texts are identical."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.documents import Document
from dedupe.errors import DuplicateId, InvalidSetting
from dedupe.index.names import key_of, name_of
from dedupe.index.postings import Dead
from dedupe.index.records import Added
from dedupe.index.segments import Documents
from dedupe.index.store import Row, Store, signed, unsigned
from dedupe.minhash import Sketches
from dedupe.shingling import hash_encoded

__all__ = ["OnConflict", "Taken", "check_conflict", "drop", "original_of", "take"]

OnConflict = Literal["error", "update"]


class Taken(NamedTuple):
    """What became of some documents, and the texts among them that were not there before."""

    added: Added
    texts: Documents


def check_conflict(on_conflict: str) -> None:
    """Refuse what says nothing about ids that are there already."""
    if on_conflict not in ("error", "update"):
        raise InvalidSetting(f"on_conflict must be 'error' or 'update', got {on_conflict!r}")


def take(
    store: Store, documents: Sequence[Document], sketches: Sketches, on_conflict: OnConflict
) -> Taken:
    """Store documents that hold a word each, within a transaction.

    Raises
    ------
    DuplicateId
        When an id is there with another text, and `on_conflict` is ``"error"``.
    """
    known = {row.key: row for row in store.by_keys([key_of(one.id) for one in documents])}
    chosen, gone = [], []
    n_unchanged = 0
    seen: dict[str, int] = {}
    for place, document in enumerate(documents):
        key = key_of(document.id)
        row, before = known.get(key), seen.get(key)
        text = None if row is None else store.text(row)
        if before is not None:
            text = documents[before].encoded
        if text == document.encoded and (row is None or row.id == document.id):
            n_unchanged += 1
            continue
        if text is not None and (on_conflict == "error" or before is not None):
            raise DuplicateId(
                f"ids must be unique, got {document.id!r} with another text than before: give it "
                "another one, or replace the text with update() or on_conflict='update' "
                "(--on-conflict update)"
            )
        if row is not None:
            gone.append(row)
        seen[key] = place
        chosen.append(place)
    if gone:
        drop(store, gone)
    state = store.state()
    originals = _Originals(store, sketches, documents)
    rows, is_new = [], np.zeros(len(chosen), np.bool_)
    numbers = np.arange(state.next, state.next + len(chosen))
    for i, place in enumerate(chosen):
        document, number = documents[place], int(numbers[i])
        original = originals.of(place, number)
        is_new[i] = original == number
        low, high = map(int, sketches.digests[place])
        rows.append(
            Row(
                number,
                key_of(document.id),
                name_of(document.id),
                document.time,
                signed(low),
                signed(high),
                original,
                int(sketches.n_words[place]),
                int(sketches.n_shingles[place]),
                0,
                store.packer.pack(document.encoded),
            ).sealed()
        )
    store.insert(rows)
    places = np.array(chosen, np.int64)[is_new]
    texts = Documents(
        numbers[is_new].astype(np.uint32),
        sketches.n_shingles[places],
        sketches.digests[places, 0],
        sketches.signatures[places],
    )
    store.save(
        state._replace(
            next=state.next + len(chosen),
            n_documents=state.n_documents + len(chosen),
            n_texts=state.n_texts + int(is_new.sum()),
        )
    )
    added = Added(len(chosen) - len(gone), len(gone), n_unchanged)
    return Taken(added, texts)


class _Originals:
    """Finds the first document with the tokens of another one, in the store and among new ones."""

    def __init__(self, store: Store, sketches: Sketches, documents: Sequence[Document]) -> None:
        self._store = store
        self._digests = sketches.digests
        self._documents = documents
        self._here: dict[tuple[int, int], list[tuple[int, bytes]]] = defaultdict(list)
        lows = [signed(low) for low in dict.fromkeys(sketches.digests[:, 0].tolist())]
        seen = set()
        for row in store.by_digests(lows):
            if row.original not in seen:
                seen.add(row.original)
                key = unsigned(row.low), unsigned(row.high)
                self._here[key].append((row.original, store.text(row)))

    def of(self, place: int, number: int) -> int:
        """Return the number of the first, which is its own where nothing is identical."""
        low, high = map(int, self._digests[place])
        text = self._documents[place].encoded
        for original, other in self._here[low, high]:
            if are_same(text, other):
                return original
        self._here[low, high].append((number, text))
        return number


def are_same(text: bytes, other: bytes) -> bool:
    """Return whether two texts of one digest have the same tokens: digests can be forged."""
    if text == other:
        return True
    tokens = hash_encoded([text, other], detail=True)
    assert tokens.seals is not None
    one, two = np.split(tokens.seals, tokens.offsets[1:2])
    return bool(np.array_equal(one, two))


def original_of(store: Store, digest: npt.NDArray[np.uint64], text: bytes) -> int | None:
    """Return the number of the first document with the tokens of a text, None without any."""
    low, high = map(int, digest)
    for row in store.by_digests([signed(low)]):
        if unsigned(row.high) == high and are_same(text, store.text(row)):
            return row.original
    return None


def drop(store: Store, rows: Iterable[Row]) -> None:
    """Remove documents, within a transaction, and note the texts that nobody has any more."""
    rows = list(rows)
    store.delete(row.number for row in rows)
    left = {row.original for row in store.by_digests([*{row.low for row in rows}])}
    dead = {row.original: row for row in rows if row.original not in left}
    bury = [Dead(number, row.n_shingles, row.low) for number, row in dead.items()]
    store.db.executemany("insert into dead (number, n_shingles, low) values (?, ?, ?)", bury)
    store.db.executemany("delete from tail where number = ?", ((one.number,) for one in bury))
    state = store.state()
    store.save(
        state._replace(n_documents=state.n_documents - len(rows), n_texts=state.n_texts - len(dead))
    )

"""Adds many documents at once: hashed on several threads, and stored some thousands at a time."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from dedupe.documents import Document
from dedupe.documents.document import NO_WORD
from dedupe.errors import Skipped
from dedupe.index.intake import OnConflict, take
from dedupe.index.layout import Layout
from dedupe.index.records import Added
from dedupe.index.store import Store
from dedupe.index.texts import SAMPLES, train
from dedupe.minhash import Sketches, sketch
from dedupe.settings import Settings
from dedupe.threads import map_in_order

__all__ = ["Batch", "batches", "store"]

MOST, MOST_BYTES = 8192, 1 << 26
"""Documents, and bytes of their texts, that are stored at once at most."""

PART = 256
"""Documents that a thread hashes at once."""

SEGMENT = 2048
"""New texts from which those of a batch are a segment of their own, and not put in the tail."""


class Batch(NamedTuple):
    """Documents that are stored at once, and what could not be read among them."""

    documents: list[Document]
    sketches: Sketches
    skipped: list[Skipped]

    @property
    def n_bytes(self) -> int:
        """Bytes of the texts."""
        return sum(len(one.encoded) for one in self.documents)


def batches(
    stream: Iterable[Document | Skipped], settings: Settings, workers: int
) -> Iterator[Batch]:
    """Cut a stream into batches, hashed."""

    def hashed(part: list[Document | Skipped]) -> tuple[list[Document | Skipped], Sketches]:
        documents = [one for one in part if isinstance(one, Document)]
        return part, sketch([one.encoded for one in documents], settings)

    items: list[Document | Skipped] = []
    found: list[Sketches] = []
    n_bytes = 0
    for part, sketches in map_in_order(hashed, _parts(stream), workers):
        items.extend(part)
        found.append(sketches)
        n_bytes += sum(len(one.encoded) for one in part if isinstance(one, Document))
        if len(items) + PART > MOST or n_bytes > MOST_BYTES:
            yield _batch(items, found)
            items, found, n_bytes = [], [], 0
    if items:
        yield _batch(items, found)


def _parts(stream: Iterable[Document | Skipped]) -> Iterator[list[Document | Skipped]]:
    part: list[Document | Skipped] = []
    n_bytes = 0
    for item in stream:
        part.append(item)
        n_bytes += len(item.encoded) if isinstance(item, Document) else 0
        if len(part) == PART or n_bytes > MOST_BYTES // 8:
            yield part
            part, n_bytes = [], 0
    if part:
        yield part


def _batch(items: list[Document | Skipped], found: list[Sketches]) -> Batch:
    """Put what was hashed together, without the documents that hold no word."""
    sketches = Sketches._make(np.concatenate(columns) for columns in zip(*found, strict=True))
    documents = [one for one in items if isinstance(one, Document)]
    skipped = [one for one in items if isinstance(one, Skipped)]
    has_words = sketches.n_words > 0
    remedy = "nothing to do, unless it should hold text"
    skipped += [
        Skipped(documents[place].id, NO_WORD, remedy)
        for place in np.flatnonzero(~has_words).tolist()
    ]
    kept = [documents[place] for place in np.flatnonzero(has_words).tolist()]
    return Batch(kept, Sketches._make(column[has_words] for column in sketches), skipped)


def store(store: Store, layout: Layout, batch: Batch, on_conflict: OnConflict) -> Added:
    """Store a batch, all of it or nothing."""
    segment = None
    try:
        with store.transaction():
            if len(batch.documents) >= SAMPLES and not store.has_dictionary():
                data = train([one.encoded for one in batch.documents])
                if data is not None:
                    store.add_dictionary(data)
            added, texts = take(store, batch.documents, batch.sketches, on_conflict)
            if len(texts.numbers) >= SEGMENT:
                segment = layout.write(texts)
                layout.swap(segment, [])
            elif len(texts.numbers):
                layout.keep_tail(texts)
    except BaseException:
        store.forget_dictionary()
        if segment is not None:
            layout.abandon(segment.name)
        raise
    return added

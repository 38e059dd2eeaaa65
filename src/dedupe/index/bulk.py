"""Adds many documents at once: hashed on several threads, and stored some thousands at a time."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from dedupe.documents import Document
from dedupe.documents.document import without_word
from dedupe.errors import Skipped
from dedupe.index.intake import OnConflict, take
from dedupe.index.layout import Layout
from dedupe.index.records import Added
from dedupe.index.storage.store import Store
from dedupe.index.storage.texts import SAMPLES, train
from dedupe.minhash import Sketches, sketch
from dedupe.settings import Settings
from dedupe.threads import map_in_order

__all__ = ["Batch", "add_batch", "batches"]

MOST, MOST_BYTES = 8192, 1 << 26
"""Documents, and bytes of their texts, that are stored at once at most: others wait for the
store meanwhile, and what is not stored yet is in memory, 64 MB and its signatures."""

PART = 256
"""Documents that a thread hashes at once: a megabyte of articles, so that all threads have work."""

SEGMENT = 2048
"""New texts from which those of a batch are a segment of their own, and not put in the tail."""


class Batch(NamedTuple):
    """Documents that are stored at once, and what could not be read among them."""

    documents: list[Document]
    texts: list[bytes]
    sketches: Sketches
    skipped: list[Skipped]

    @property
    def n_bytes(self) -> int:
        """Bytes of the texts."""
        return sum(map(len, self.texts))


def batches(
    stream: Iterable[Document | Skipped], settings: Settings, workers: int
) -> Iterator[Batch]:
    """Cut a stream into batches, hashed."""

    def hashed(part: Batch) -> Batch:
        return _with_words(part._replace(sketches=sketch(part.texts, settings)))

    parts: list[Batch] = []
    for part in map_in_order(hashed, _parts(stream), workers):
        parts.append(part)
        n_documents = sum(len(one.documents) for one in parts)
        if n_documents + PART > MOST or sum(one.n_bytes for one in parts) > MOST_BYTES:
            yield _joined(parts)
            parts = []
    if parts:
        yield _joined(parts)


def _parts(stream: Iterable[Document | Skipped]) -> Iterator[Batch]:
    """Cut a stream into what a thread hashes at once; nothing is hashed yet."""
    nothing = Sketches._make(np.empty(0) for _ in Sketches._fields)
    part = Batch([], [], nothing, [])
    n_bytes = 0
    for item in stream:
        if isinstance(item, Skipped):
            part.skipped.append(item)
            continue
        part.documents.append(item)
        part.texts.append(item.encoded)
        n_bytes += len(part.texts[-1])
        if len(part.texts) == PART or n_bytes > MOST_BYTES // 8:
            yield part
            part, n_bytes = Batch([], [], nothing, []), 0
    yield part


def _with_words(part: Batch) -> Batch:
    """Return a part without the documents that hold no word."""
    has_words = part.sketches.n_words > 0
    if has_words.all():
        return part
    empty = [part.documents[place].id for place in np.flatnonzero(~has_words).tolist()]
    kept = np.flatnonzero(has_words).tolist()
    return Batch(
        [part.documents[place] for place in kept],
        [part.texts[place] for place in kept],
        part.sketches.take(has_words),
        [*part.skipped, *map(without_word, empty)],
    )


def _joined(parts: list[Batch]) -> Batch:
    """Put what was hashed together."""
    columns = zip(*(part.sketches for part in parts), strict=True)
    return Batch(
        [one for part in parts for one in part.documents],
        [one for part in parts for one in part.texts],
        Sketches._make(map(np.concatenate, columns)),
        [one for part in parts for one in part.skipped],
    )


def add_batch(store: Store, layout: Layout, batch: Batch, on_conflict: OnConflict) -> Added:
    """Store a batch, all of it or nothing."""
    segment = None
    try:
        with store.transaction():
            if len(batch.documents) >= SAMPLES and not store.has_dictionary():
                data = train(batch.texts)
                if data is not None:
                    store.add_dictionary(data)
            given = batch.documents, batch.texts, batch.sketches
            added, texts = take(store, layout.orphans, *given, on_conflict=on_conflict)
            if len(texts.numbers) >= SEGMENT:
                segment = layout.write_segment(texts)
                layout.swap(segment, [])
            elif len(texts.numbers):
                layout.keep_tail(texts)
    except BaseException:
        store.forget_dictionary()
        if segment is not None:
            layout.abandon(segment.name)
        raise
    return added

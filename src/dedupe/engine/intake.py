"""Takes documents in one after the other, and numbers them in the order of their ids."""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator
from datetime import timedelta
from math import nan
from typing import Any, NamedTuple

import numpy as np

from dedupe.documents import Document
from dedupe.documents.document import NO_WORD
from dedupe.engine.copies import first_copies
from dedupe.engine.corpus import Corpus
from dedupe.engine.spill import Texts
from dedupe.errors import NothingToRead, Skipped
from dedupe.ids import Id, id_as_json, in_order, order_of
from dedupe.minhash import Sketches
from dedupe.spans import Spans

__all__ = ["BATCH_BYTES", "Batch", "Intake"]

BATCH_BYTES = 1 << 20
"""Bytes in a batch: enough that threads seldom wait for one another."""


class Batch(NamedTuple):
    """Some documents of the input.

    Attributes
    ----------
    texts : list of bytes
    key : str
        Digest of all ids and texts that were taken in, up to the end of the batch.
    """

    texts: list[bytes]
    key: str


class Intake:
    """Collects incoming documents and yields them in batches.

    Parameters
    ----------
    texts : Texts
        Where texts are kept.
    has_key : bool
        Whether someone will ask for the key, which is a digest of all of them.
    has_window : bool
        Whether their times are part of it.
    """

    def __init__(self, texts: Texts, *, has_key: bool = False, has_window: bool = False) -> None:
        self.ids: list[Id] = []
        self.times = array("d")
        self.is_old = bytearray()
        self.is_dated = bytearray()
        self.texts = texts
        self.skipped: list[Skipped] = []
        self._has_window = has_window
        self._digest = hashlib.blake2b(digest_size=16) if has_key else None

    def batches(self, stream: Iterable[Document | Skipped]) -> Iterator[Batch]:
        """Take everything in; yield a few documents at a time."""
        texts: list[bytes] = []
        n_bytes = 0
        for item in stream:
            if isinstance(item, Skipped):
                self.skipped.append(item)
                continue
            self.ids.append(item.id)
            self.times.append(nan if item.time is None else item.time)
            self.is_old.append(item.is_old)
            self.is_dated.append(item.is_dated)
            text = item.encoded
            texts.append(text)
            n_bytes += len(text)
            if n_bytes >= BATCH_BYTES:
                yield self._batch(texts)
                texts, n_bytes = [], 0
        yield self._batch(texts)

    def _batch(self, texts: list[bytes]) -> Batch:
        """Keep some texts and return them as a batch."""
        self.texts.extend(texts)
        if self._digest is not None:
            self._take_into(self._digest, texts)
        return Batch(texts, self.key)

    def _take_into(self, digest: Any, texts: list[bytes]) -> None:
        """Take the last documents, of which these are the texts, into the digest."""
        first = len(self.ids) - len(texts)
        names = [json.dumps(id_as_json(name)).encode() for name in self.ids[first:]]
        lengths = np.array([len(part) for part in (*names, *texts)], np.int64).tobytes()
        # What was skipped is read anew, and nothing that is kept depends on it; nor on times,
        # as long as no window cuts candidates by them.
        if self._has_window:
            times = np.array(self.times[first:])
            times[np.frombuffer(self.is_dated, np.bool_)[first:] == 0] = np.nan
            names.append(times.tobytes())
        for piece in (lengths, *names, bytes(self.is_old[first:]), *texts):
            digest.update(piece)

    @property
    def key(self) -> str:
        """Digest of all ids and texts that were taken in; empty where nobody asked for one."""
        return "" if self._digest is None else self._digest.hexdigest()

    def numbered(
        self, sketches: Sketches, *, keeps_order: bool, window: timedelta | None
    ) -> Corpus:
        """Return the documents that were taken in, numbered in the order of their ids.

        Those without a word are skipped.
        """
        self._skip_empty(np.flatnonzero(sketches.n_words == 0).tolist())
        rows = np.array(in_order(self.ids, np.flatnonzero(sketches.n_words).tolist()), np.int64)
        if self.ids and not rows.size:
            raise NothingToRead(
                f"at least one document must hold a word, got {len(self.ids)} without: "
                "check the paths and the text field"
            )
        is_old, is_dated = (np.array(column, np.bool_) for column in (self.is_old, self.is_dated))
        times = np.array(self.times)
        dates = np.where(is_dated, times, np.nan)[rows]
        first_copy = first_copies(
            sketches.digests[rows], rows, self.texts, is_old[rows], dates=dates, window=window
        )
        return Corpus(
            ids=tuple(self.ids[row] for row in rows.tolist()),
            n_words=sketches.n_words[rows],
            contents=sketches.digests[rows, 0],
            rows=rows,
            times=times,
            is_old=is_old,
            n_shingles=sketches.n_shingles,
            signatures=sketches.signatures,
            stored=self.texts,
            first_copy=first_copy,
            skipped=tuple(sorted(self.skipped, key=lambda item: (order_of(item.id), item.reason))),
            keeps_order=keeps_order,
            is_dated=is_dated,
            spans=None if window is None else Spans.of(first_copy, dates, window),
        )

    def _skip_empty(self, rows: Iterable[int]) -> None:
        """Skip some documents, since they hold no word."""
        remedy = "nothing to do, unless it should hold text"
        self.skipped.extend(Skipped(self.ids[row], NO_WORD, remedy) for row in rows)

"""Keeps the documents of one run, by number, once they have been read.

Documents are read one after the other, hashed in batches on several threads, and then
numbered in the order of their ids, so that neither the order of the input nor the
number of threads can change an answer. Arrays hold what is kept of them; their texts
wait in `dedupe.engine.spill` until they are compared, and until their evidence is
asked for.
"""

import hashlib
import json
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe.arrays import AnyInts, Bools, Floats, Hashes, Ints, part
from dedupe.documents import Document
from dedupe.documents.document import NO_WORD, digest_of
from dedupe.engine.checkpoint import Arrays, Checkpoint
from dedupe.engine.spill import Rows, Texts
from dedupe.errors import NothingToRead, Skipped, UnknownDocument
from dedupe.ids import Id, Ids, find_id, id_as_json, in_order, order_of
from dedupe.lazy import cached_property
from dedupe.minhash import Sketches, sketch
from dedupe.progress import Progress
from dedupe.results.records import DocumentInfo
from dedupe.settings import Resources, Settings
from dedupe.shingling import hash_encoded
from dedupe.shingling.folding import tables
from dedupe.spans import Spans, split_copies

__all__ = ["Corpus", "KeptTexts", "read_corpus"]

BATCH_BYTES = 1 << 20
"""Bytes in a batch: enough that threads seldom wait for one another."""

TEXT_SHARE, SIGNATURE_SHARE = 1 / 16, 1 / 32
"""Shares of the memory of a run for texts and for signatures, until they go to disk."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents in the order of their ids; a number is a place in that order.

    Attributes
    ----------
    ids : tuple of ids
    n_words : int64 [shape=(n_docs,)]
    contents : uint64 [shape=(n_docs,)]
        Half of the digest of the tokens, which breaks ties where numbers must not.
    rows : int64 [shape=(n_docs,)]
        Place of each document in the input, which is its row in what follows.
    times : float64 [shape=(n_read,)]
        NaN where a document has none.
    is_old : bool [shape=(n_read,)]
        Whether it belongs to the collection that others are held against.
    n_shingles : int64 [shape=(n_read,)]
    signatures : uint32 [shape=(n_read, num_perm)], or none once candidates are found
    stored : Texts
    first_copy : int64 [shape=(n_docs,)]
        The first document with the same tokens, an old one if there is one: itself,
        where it has no copy before it.
    skipped : tuple of Skipped
    keeps_order : bool
        Whether places in the input are to be remembered.
    is_dated : bool [shape=(n_read,)]
        Whether a window goes by its time.
    spans : Spans or None
        When each document came up, where there is a window; its identical copies are one
        document only as long as they follow each other within it.
    """

    ids: Ids
    n_words: Ints
    contents: Hashes
    rows: Ints
    times: Floats
    is_old: Bools
    n_shingles: Ints
    signatures: npt.NDArray[np.uint32]
    stored: Texts
    first_copy: Ints
    skipped: tuple[Skipped, ...]
    keeps_order: bool
    is_dated: Bools
    spans: Spans | None

    @classmethod
    def of(
        cls,
        documents: Iterable[Document],
        sketches: Sketches,
        skipped: Iterable[Skipped] = (),
        window: timedelta | None = None,
    ) -> "Corpus":
        """Return numbered documents whose sketches are there already, all of it in memory.

        Parameters
        ----------
        documents : iterable of Document
        sketches : Sketches
            Of their texts, in the same order.
        skipped : iterable of Skipped
        window : timedelta, optional
        """
        intake = _Intake(Texts(sys.maxsize))
        intake.skipped.extend(skipped)
        intake.texts.extend([intake.take(document) for document in documents])
        return intake.numbered(sketches, keeps_order=False, window=window)

    def __len__(self) -> int:
        return len(self.ids)

    def info(self, number: int, story_words: int = 0, boilerplate_words: int = 0) -> DocumentInfo:
        """Return what a result says of a document, with what it has of its story."""
        row = int(self.rows[number])
        time = float(self.times[row])
        return DocumentInfo(
            self.ids[number],
            int(self.n_words[number]),
            row if self.keeps_order else 0,
            None if np.isnan(time) else time,
            bool(self.is_old[row]),
            digest_of(self.stored.read([row])[0]),
            bool(self.is_dated[row]),
            story_words,
            boilerplate_words,
        )

    def encoded(self, numbers: Ints) -> list[bytes]:
        """Return the texts of some documents in UTF-8."""
        return self.stored.read(self.rows[numbers].tolist())

    def texts(self, numbers: AnyInts) -> "KeptTexts":
        """Return some of the texts as a mapping from ids."""
        return KeptTexts(self, numbers)

    def without_signatures(self) -> Self:
        """Let go of the signatures, half a kilobyte a document; a slice would keep them all."""
        return replace(self, signatures=self.signatures[:0].copy())

    @property
    def n_undated(self) -> int:
        """How many documents have no time that a window goes by."""
        return int(np.count_nonzero(~self.is_dated[self.rows]))

    def originals(self) -> Ints:
        """Return the documents that are the first with their tokens."""
        return np.flatnonzero(self.first_copy == np.arange(len(self)))

    def named(self, document: Id) -> Id:
        """Return the id that a document or what was skipped has, be it named as text.

        Raises
        ------
        UnknownDocument
            When nothing has it.
        """
        skipped = [one.id for one in self.skipped]
        found = find_id(document, [*self.ids, *skipped])
        if found is None:
            raise UnknownDocument(
                f"no document {str(document)!r} to explain in what was read: "
                "use ids as the report prints them"
            )
        return found


class _Batch(NamedTuple):
    """Some documents of the input.

    Attributes
    ----------
    texts : list of bytes
    key : str
        Digest of all ids and texts that were taken in, up to the end of the batch.
    """

    texts: list[bytes]
    key: str


class _Intake:
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

    def batches(self, stream: Iterable[Document | Skipped]) -> Iterator[_Batch]:
        """Take everything in; yield a few documents at a time."""
        texts: list[bytes] = []
        n_bytes = 0
        for item in stream:
            if isinstance(item, Skipped):
                self.skipped.append(item)
                continue
            texts.append(self.take(item))
            n_bytes += len(texts[-1])
            if n_bytes >= BATCH_BYTES:
                yield self._batch(texts)
                texts, n_bytes = [], 0
        yield self._batch(texts)

    def take(self, document: Document) -> bytes:
        """Take in all of a document but its text, and return that in UTF-8."""
        self.ids.append(document.id)
        self.times.append(np.nan if document.time is None else document.time)
        self.is_old.append(document.is_old)
        self.is_dated.append(document.is_dated)
        return document.encoded

    def _batch(self, texts: list[bytes]) -> _Batch:
        """Keep some texts and return them as a batch."""
        self.texts.extend(texts)
        if self._digest is not None:
            self._take_into(self._digest, texts)
        return _Batch(texts, self.key)

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
        """Return the documents that were taken in, numbered in the order of their ids."""
        for row in np.flatnonzero(sketches.n_words == 0).tolist():
            remedy = "nothing to do, unless it should hold text"
            self.skipped.append(Skipped(self.ids[row], NO_WORD, remedy))
        order = in_order(self.ids, np.flatnonzero(sketches.n_words).tolist())
        if self.ids and not order:
            raise NothingToRead(
                f"at least one document must hold a word, got {len(self.ids)} without: "
                "check the paths and the text field"
            )
        is_old = np.array(self.is_old, np.bool_)
        is_dated, times = np.array(self.is_dated, np.bool_), np.array(self.times)
        keys = _told_apart(sketches.digests[order], np.array(order), self.texts)
        dates = np.where(is_dated, times, np.nan)[order]
        if window is not None:
            copies = _first_copies(keys, np.zeros(len(order), np.bool_))
            keys = split_copies(copies, dates, window).astype(np.uint64)[:, None]
        first_copy = _first_copies(keys, is_old[order])
        return Corpus(
            ids=tuple(self.ids[row] for row in order),
            n_words=sketches.n_words[order],
            contents=sketches.digests[order, 0],
            rows=np.array(order, np.int64),
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


class KeptTexts(Mapping[Id, str]):
    """Texts of a corpus by id, read from where they are kept when they are asked for.

    Parameters
    ----------
    corpus : Corpus
    numbers : int64 [shape=(n,)]
        The documents that may be asked for.
    """

    def __init__(self, corpus: Corpus, numbers: AnyInts) -> None:
        self._stored, self._rows = corpus.stored, corpus.rows[numbers]
        self._ids = [corpus.ids[number] for number in numbers.tolist()]

    def __getitem__(self, document: Id) -> str:
        return self.at([self._places[document]])[0]

    def __iter__(self) -> Iterator[Id]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<{len(self):,} kept texts>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Texts are kept by this process, and another one does without them.
        return dict, ()

    def at(self, places: Sequence[int]) -> list[str]:
        """Return some of the texts by their places."""
        return [text.decode() for text in self._stored.read(self._rows[places].tolist())]

    @cached_property
    def _places(self) -> dict[Id, int]:
        return {name: place for place, name in enumerate(self._ids)}


def read_corpus(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    resources: Resources,
    checkpoint: Checkpoint,
) -> Corpus:
    """Read all documents and hash them.

    Raises
    ------
    InvalidCheckpoint
        When the checkpoint is of another input.
    NothingToRead
        When no document has a word in it.
    """
    # Built here once, where each thread would build them anew.
    tables()
    intake = _Intake(
        Texts(int(resources.memory * TEXT_SHARE)),
        has_key=checkpoint.folder is not None,
        has_window=settings.window is not None,
    )
    rows = Rows(int(resources.memory * SIGNATURE_SHARE))
    columns: list[tuple[Hashes, Ints, Ints]] = []
    n_done = 0
    batches = checkpoint.map(
        "signatures",
        lambda batch: (np.array([batch.key.encode()]), *sketch(batch.texts, settings)),
        intake.batches(stream),
        resources.workers,
        lambda batch, arrays: _fits(batch, arrays, settings.num_perm),
    )
    for _, digests, n_words, n_shingles, signatures in batches:
        rows.append(signatures)
        columns.append((digests, n_words, n_shingles))
        n_done += len(n_words)
        resources.progress(Progress("signatures", n_done, None, "documents", intake.texts.n_bytes))
    checkpoint.bind(intake.key)
    digests, n_words, n_shingles = (np.concatenate(column) for column in zip(*columns, strict=True))
    return intake.numbered(
        Sketches(digests, n_words, n_shingles, rows.finish()),
        keeps_order=settings.keep == "first" or callable(settings.keep),
        window=settings.window,
    )


def _fits(batch: _Batch, arrays: Arrays, num_perm: int) -> bool:
    """Return whether arrays can be the sketches of a batch; they come from a file."""
    if len(arrays) != 1 + len(Sketches._fields) or arrays[0].tolist() != [batch.key.encode()]:
        return False
    found = Sketches._make(arrays[1:])
    n_docs = len(batch.texts)
    expected = (
        (found.digests, "uint64", (n_docs, 2)),
        (found.n_words, "int64", (n_docs,)),
        (found.n_shingles, "int64", (n_docs,)),
        (found.signatures, "uint32", (n_docs, num_perm)),
    )
    if any((array.dtype.name, array.shape) != (dtype, shape) for array, dtype, shape in expected):
        return False
    n_words, n_shingles = found.n_words, found.n_shingles
    in_range = (n_shingles >= 0) & (n_shingles <= n_words) & ((n_shingles == 0) == (n_words == 0))
    return bool(in_range.all())


def _told_apart(digests: Hashes, rows: Ints, texts: Texts) -> Hashes:
    """Return digests that differ where words do, though texts were made to have equal ones.

    Parameters
    ----------
    digests : uint64 [shape=(n_docs, 2)]
        Of the public hashes of their tokens.
    rows : int64 [shape=(n_docs,)]
        Where their texts are kept.
    texts : Texts

    Returns
    -------
    uint64 [shape=(n_docs, 2)]
        To be compared within this process alone.
    """
    first = _first_copies(digests, np.zeros(rows.size, np.bool_))
    # What is the same byte for byte needs no closer look.
    odd = first[_differing(first, rows, texts)]
    told = digests.copy() if odd.size else digests
    numbers = np.flatnonzero(np.isin(first, odd))
    done = 0
    for encoded in _in_batches(texts.read([row])[0] for row in rows[numbers].tolist()):
        some = numbers[done : done + len(encoded)]
        # Seals are short, and only tell apart what has equal digests.
        told[some, 1] ^= _digests_of_seals(encoded)
        done += len(encoded)
    return told


def _in_batches(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield texts in lists of BATCH_BYTES each."""
    batch: list[bytes] = []
    n_bytes = 0
    for text in texts:
        batch.append(text)
        n_bytes += len(text)
        if n_bytes >= BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _digests_of_seals(encoded: Sequence[bytes]) -> Hashes:
    """Return a number for each text, equal in this process where all tokens are equal."""
    tokens = hash_encoded(encoded, detail=True)
    assert tokens.seals is not None
    seals = [tokens.seals[part(tokens.offsets, d)] for d in range(len(encoded))]
    return np.array([xxhash.xxh3_64_intdigest(some.tobytes()) for some in seals], np.uint64)


def _differing(first: Ints, rows: Ints, texts: Texts) -> Ints:
    """Return the copies that are not the same as the first of them, byte for byte."""
    copies = np.flatnonzero(first != np.arange(first.size))
    copies = copies[np.argsort(first[copies], kind="stable")]
    differing = []
    held, original = -1, b""
    for copy, earlier in zip(copies.tolist(), first[copies].tolist(), strict=True):
        if earlier != held:
            held, (original,) = earlier, texts.read([int(rows[earlier])])
        (text,) = texts.read([int(rows[copy])])
        if text != original:
            differing.append(copy)
    return np.array(differing, np.int64)


def _first_copies(digests: Hashes, is_old: Bools) -> Ints:
    """Return, for each row, the first row that is equal to it, old ones before others."""
    order = np.lexsort((~is_old, *digests.T[::-1]))
    ranked = digests[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    # The sort is stable, so the first of a group is the least.
    first = np.empty(len(order), np.int64)
    first[order] = order[is_new][np.cumsum(is_new) - 1]
    return first

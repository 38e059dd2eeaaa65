"""The documents of one run, by number: what is kept of each once it has been read.

Documents are read one after the other, hashed in blocks on several threads, and
then numbered in the order of their ids, so that neither the order of the input nor
the number of threads can change an answer. Arrays hold what is kept of them; their
texts wait in `dedupe.engine.spill` until they are compared, and until their evidence is
asked for.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe import kernels
from dedupe.documents import Document
from dedupe.engine.checkpoint import Arrays, Checkpoint
from dedupe.engine.spill import Rows, Texts
from dedupe.errors import NothingToRead, Skipped, UnknownDocument
from dedupe.minhash import signatures
from dedupe.progress import Progress, ProgressCallback
from dedupe.results.records import DocumentInfo
from dedupe.settings import Settings
from dedupe.shingling import digests, hash_shingles
from dedupe.shingling.folding import tables
from dedupe.shingling.tokens import hash_encoded

__all__ = ["Corpus", "read_corpus"]

BLOCK_BYTES = 1 << 22
"""Bytes in a block: enough that threads seldom wait for one another."""

TEXT_SHARE, SIGNATURE_SHARE = 1 / 16, 1 / 32
"""Shares of the memory of a run for texts and for signatures, until they go to disk."""

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents in the order of their ids; a number is a place in that order.

    Attributes
    ----------
    ids : tuple of str
    n_words : int64 [shape=(n_docs,)]
    rows : int64 [shape=(n_docs,)]
        Place of each document in the input, which is its row in what follows.
    times : float64 [shape=(n_read,)]
        NaN where a document has none.
    is_old : bool [shape=(n_read,)]
        Whether it belongs to the collection that others are held against.
    text_digests : array of uint64
        XXH3 of each text.
    n_shingles : int64 [shape=(n_read,)]
    signatures : uint32 [shape=(n_read, num_perm)], or none once candidates are found
    stored : Texts
    first_copy : int64 [shape=(n_docs,)]
        The first document with the same tokens, an old one if there is one: itself,
        where it has no copy before it.
    skipped : tuple of Skipped
    keeps_order : bool
        Whether places in the input are to be remembered.
    """

    ids: tuple[str, ...]
    n_words: Whole
    rows: Whole
    times: npt.NDArray[np.float64]
    is_old: npt.NDArray[np.bool_]
    text_digests: "array[int]"
    n_shingles: Whole
    signatures: npt.NDArray[np.uint32]
    stored: Texts
    first_copy: Whole
    skipped: tuple[Skipped, ...]
    keeps_order: bool

    def __len__(self) -> int:
        return len(self.ids)

    def info(self, number: int) -> DocumentInfo:
        """Return what a result says of a document."""
        row = int(self.rows[number])
        time = float(self.times[row])
        return DocumentInfo(
            self.ids[number],
            int(self.n_words[number]),
            row if self.keeps_order else 0,
            None if np.isnan(time) else time,
            bool(self.is_old[row]),
            f"{self.text_digests[row]:016x}",
        )

    def encoded(self, numbers: Whole) -> list[bytes]:
        """Return the texts of some documents in UTF-8."""
        return self.stored.read(self.rows[numbers].tolist())

    def originals(self) -> Whole:
        """Return the documents that are the first with their tokens."""
        return np.flatnonzero(self.first_copy == np.arange(len(self)))

    def check_id(self, document: str) -> None:
        """Refuse an id that no document and nothing that was skipped has.

        Raises
        ------
        UnknownDocument
        """
        if document not in self.ids and all(one.id != document for one in self.skipped):
            raise UnknownDocument(
                f"a document to explain must have been read, got {document!r}: "
                "ids are as the report shows them"
            )


class _Sketches(NamedTuple):
    """What is kept of a block of documents.

    Attributes
    ----------
    key : bytes [shape=(1,)]
        See `_Block`.
    digests : uint64 [shape=(n_docs, 2)]
    n_words, n_shingles : int64 [shape=(n_docs,)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    """

    key: npt.NDArray[np.bytes_]
    digests: npt.NDArray[np.uint64]
    n_words: Whole
    n_shingles: Whole
    signatures: npt.NDArray[np.uint32]


class _Block(NamedTuple):
    """Some documents of the input.

    Attributes
    ----------
    texts : list of bytes
    key : str
        Digest of all ids and texts that were taken in, up to the end of the block.
    """

    texts: list[bytes]
    key: str


class _Intake:
    """What comes in, in the order of the input, and is handed on in blocks."""

    def __init__(self, texts: Texts) -> None:
        self.ids: list[str] = []
        self.times = array("d")
        self.is_old = bytearray()
        self.text_digests = array("Q")
        self.texts = texts
        self.skipped: list[Skipped] = []
        self._digest = xxhash.xxh3_128()

    def blocks(self, stream: Iterable[Document | Skipped]) -> Iterator[_Block]:
        """Take everything in; yield a few documents at a time."""
        texts: list[bytes] = []
        n_bytes = 0
        for item in stream:
            if isinstance(item, Skipped):
                self.skipped.append(item)
                continue
            self.ids.append(item.id)
            self.times.append(np.nan if item.time is None else item.time)
            self.is_old.append(item.is_old)
            texts.append(item.text.encode("utf-8", "replace"))
            self.text_digests.append(xxhash.xxh3_64_intdigest(texts[-1]))
            n_bytes += len(texts[-1])
            if n_bytes >= BLOCK_BYTES:
                yield self._block(texts)
                texts, n_bytes = [], 0
        yield self._block(texts)

    def _block(self, texts: list[bytes]) -> _Block:
        """Keep some texts and return them as a block."""
        self.texts.extend(texts)
        first = len(self.ids) - len(texts)
        names = [name.encode() for name in self.ids[first:]]
        lengths = np.array([len(part) for part in (*names, *texts)], np.int64).tobytes()
        # Times and what was skipped are read anew, and nothing that is kept depends on them.
        for part in (lengths, *names, bytes(self.is_old[first:]), *texts):
            self._digest.update(part)
        return _Block(texts, self.key)

    @property
    def key(self) -> str:
        """Digest of all ids and texts that were taken in."""
        return self._digest.hexdigest()


def read_corpus(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    *,
    workers: int,
    memory: int,
    checkpoint: Checkpoint,
    progress: ProgressCallback,
) -> Corpus:
    """Read all documents and hash them.

    Raises
    ------
    InvalidCheckpoint
        When the checkpoint is of another input.
    NothingToRead
        When no document has a word in it.
    """
    if not kernels.are_compiled():
        progress(Progress("compiling", 0, None, "kernels"))
    # Built here once, where each thread would build them anew.
    tables()
    intake = _Intake(Texts(int(memory * TEXT_SHARE)))
    rows = Rows(int(memory * SIGNATURE_SHARE))
    facts: list[tuple[npt.NDArray[np.uint64], Whole, Whole]] = []
    n_done = 0
    blocks = checkpoint.map(
        "signatures",
        lambda block: _sketch(block, settings),
        intake.blocks(stream),
        workers,
        lambda block, arrays: _fits(block, arrays, settings.num_perm),
    )
    for sketch in starmap(_Sketches, blocks):
        rows.append(sketch.signatures)
        facts.append((sketch.digests, sketch.n_words, sketch.n_shingles))
        n_done += len(sketch.n_words)
        progress(Progress("signatures", n_done, None, "documents", intake.texts.n_bytes))
    checkpoint.bind(intake.key)
    all_digests, n_words, n_shingles = (
        np.concatenate(column) for column in zip(*facts, strict=True)
    )
    for row in np.flatnonzero(n_words == 0).tolist():
        remedy = "nothing to do, unless it should hold text"
        intake.skipped.append(Skipped(intake.ids[row], "no word in it", remedy))
    order = sorted(np.flatnonzero(n_words).tolist(), key=intake.ids.__getitem__)
    if not order:
        raise NothingToRead(
            f"at least one document must hold a word, got {len(intake.ids)} without: "
            "check the paths and the text field"
        )
    is_old = np.array(intake.is_old, np.bool_)
    return Corpus(
        ids=tuple(intake.ids[row] for row in order),
        n_words=n_words[order],
        rows=np.array(order, np.int64),
        times=np.array(intake.times),
        is_old=is_old,
        text_digests=intake.text_digests,
        n_shingles=n_shingles,
        signatures=rows.finish(),
        stored=intake.texts,
        first_copy=_first_copies(all_digests[order], is_old[order]),
        skipped=tuple(sorted(intake.skipped, key=lambda item: (item.id, item.reason))),
        keeps_order=settings.keep == "first" or callable(settings.keep),
    )


def _sketch(block: _Block, settings: Settings) -> _Sketches:
    """Hash one block of documents."""
    tokens = hash_encoded(block.texts)
    shingles = hash_shingles(tokens, settings.ngram)
    return _Sketches(
        np.array([block.key.encode()]),
        np.frombuffer(b"".join(digests(tokens)), np.uint64).reshape(-1, 2),
        np.diff(tokens.offsets),
        np.diff(shingles.offsets),
        signatures(
            shingles.hashes, shingles.offsets, num_perm=settings.num_perm, seed=settings.seed
        ),
    )


def _fits(block: _Block, arrays: Arrays, num_perm: int) -> bool:
    """Return whether arrays can be the sketches of a block; they come from a file."""
    if len(arrays) != len(_Sketches._fields) or arrays[0].tolist() != [block.key.encode()]:
        return False
    sketch = _Sketches(*arrays)
    n_docs = len(block.texts)
    expected = (
        (sketch.digests, "uint64", (n_docs, 2)),
        (sketch.n_words, "int64", (n_docs,)),
        (sketch.n_shingles, "int64", (n_docs,)),
        (sketch.signatures, "uint32", (n_docs, num_perm)),
    )
    if any((array.dtype.name, array.shape) != (dtype, shape) for array, dtype, shape in expected):
        return False
    n_words, n_shingles = sketch.n_words, sketch.n_shingles
    in_range = (n_shingles >= 0) & (n_shingles <= n_words) & ((n_shingles == 0) == (n_words == 0))
    return bool(in_range.all())


def _first_copies(digests: npt.NDArray[np.uint64], is_old: npt.NDArray[np.bool_]) -> Whole:
    """Return, for each row, the first row that is equal to it, old ones before others."""
    order = np.lexsort((~is_old, digests[:, 1], digests[:, 0]))
    ranked = digests[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    # The sort is stable, so the first of a group is the least.
    first = np.empty(len(order), np.int64)
    first[order] = order[is_new][np.cumsum(is_new) - 1]
    return first

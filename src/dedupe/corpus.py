"""The documents of one run, by number: what is kept of each once it has been read.

Documents are read one after the other, hashed in blocks on several threads, and
then numbered in the order of their ids, so that neither the order of the input nor
the number of threads can change an answer.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from dedupe import kernels
from dedupe.documents import Document
from dedupe.errors import NothingToRead, Skipped, UnknownDocument
from dedupe.minhash import signatures
from dedupe.records import DocumentInfo
from dedupe.settings import Settings
from dedupe.shingling import digests, hash_shingles
from dedupe.text import hash_tokens
from dedupe.unicode import tables

__all__ = ["Corpus", "Progress", "ProgressCallback", "map_in_order", "read_corpus"]

BLOCK_CHARS = 1 << 20
"""Characters in a block: enough to hide the cost of a call, few enough for the cache."""

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work has come.

    Attributes
    ----------
    stage : str
        ``"compiling"``, ``"signatures"``, ``"candidates"``, ``"furniture"``,
        ``"scoring"``, ``"clustering"`` or ``"evidence"``.
    done : int
    total : int or None
        None while it is not known.
    unit : str
        What is counted.
    """

    stage: str
    done: int
    total: int | None
    unit: str


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents in the order of their ids; a number is a place in that order.

    Attributes
    ----------
    infos : tuple of DocumentInfo
    encoded : tuple of bytes
        The texts in UTF-8, which is half the size of a Python string with one
        curly quote in it.
    first_copy : int64 [shape=(n_docs,)]
        The first document with the same tokens: itself, where it has no copy
        before it.
    n_shingles : int64 [shape=(n_docs,)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    skipped : tuple of Skipped
    """

    infos: tuple[DocumentInfo, ...]
    encoded: tuple[bytes, ...]
    first_copy: npt.NDArray[np.int64]
    n_shingles: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint32]
    skipped: tuple[Skipped, ...]

    def check_id(self, document: str) -> None:
        """Refuse an id that no document and nothing that was skipped has.

        Raises
        ------
        UnknownDocument
        """
        known = (info.id for info in self.infos), (one.id for one in self.skipped)
        if document not in chain.from_iterable(known):
            raise UnknownDocument(
                f"a document to explain must have been read, got {document!r}: "
                "ids are as the report shows them"
            )

    def texts(self, numbers: Iterable[int]) -> list[str]:
        """Return the original texts of some documents."""
        return [self.encoded[number].decode() for number in numbers]


@dataclass(frozen=True, slots=True)
class _Sketches:
    """What is kept of a block of documents."""

    digests: list[bytes]
    n_words: npt.NDArray[np.int64]
    n_shingles: npt.NDArray[np.int64]
    signatures: npt.NDArray[np.uint32]


def read_corpus(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    workers: int,
    progress: ProgressCallback,
) -> Corpus:
    """Read all documents and hash them.

    Raises
    ------
    NothingToRead
        When no document has a word in it.
    """
    if not kernels.are_compiled():
        progress(Progress("compiling", 0, None, "kernels"))
    # Built here once, where each thread would build them anew.
    tables()
    infos: list[DocumentInfo] = []
    encoded: list[bytes] = []
    skipped: list[Skipped] = []

    def blocks() -> Iterator[list[str]]:
        texts: list[str] = []
        n_chars = 0
        for item in stream:
            if isinstance(item, Skipped):
                skipped.append(item)
                continue
            infos.append(DocumentInfo(item.id, 0, len(infos), item.time))
            encoded.append(item.text.encode("utf-8", "replace"))
            texts.append(item.text)
            n_chars += len(item.text)
            if n_chars >= BLOCK_CHARS:
                yield texts
                texts, n_chars = [], 0
        yield texts

    sketches = []
    n_done = 0
    for sketch in map_in_order(lambda texts: _sketch(texts, settings), blocks(), workers):
        sketches.append(sketch)
        n_done += len(sketch.digests)
        progress(Progress("signatures", n_done, None, "documents"))
    return _by_id(infos, encoded, skipped, sketches, settings)


def map_in_order(
    function: Callable[[Given], Found], items: Iterable[Given], workers: int
) -> Iterator[Found]:
    """Apply a function on several threads; yield its values in the order of the items.

    Only a few items are taken ahead of the one that is waited for, so that a stream
    of any length passes through bounded memory.
    """
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[Future[Found]] = deque()
        try:
            for item in items:
                waiting.append(executor.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _sketch(texts: Sequence[str], settings: Settings) -> _Sketches:
    """Hash one block of documents."""
    tokens = hash_tokens(texts)
    shingles = hash_shingles(tokens, settings.ngram)
    return _Sketches(
        digests(tokens),
        np.diff(tokens.offsets),
        np.diff(shingles.offsets),
        signatures(
            shingles.hashes, shingles.offsets, num_perm=settings.num_perm, seed=settings.seed
        ),
    )


def _by_id(
    infos: list[DocumentInfo],
    encoded: list[bytes],
    skipped: list[Skipped],
    sketches: Sequence[_Sketches],
    settings: Settings,
) -> Corpus:
    """Put everything into the order of the ids, and leave out documents without a word."""
    n_words = np.concatenate([sketch.n_words for sketch in sketches])
    for number in np.flatnonzero(n_words == 0).tolist():
        remedy = "nothing to do, unless it should hold text"
        skipped.append(Skipped(infos[number].id, "no word in it", remedy))
    order = sorted(np.flatnonzero(n_words).tolist(), key=lambda number: infos[number].id)
    if not order:
        raise NothingToRead(
            f"at least one document must hold a word, got {len(infos)} without: "
            "check the paths and the text field"
        )
    all_digests = [digest for sketch in sketches for digest in sketch.digests]
    first_of: dict[bytes, int] = {}
    first_copy = [
        first_of.setdefault(all_digests[number], place) for place, number in enumerate(order)
    ]
    # The order of the input is remembered only where the answer is to depend on it.
    keeps_order = settings.keep == "first" or callable(settings.keep)
    return Corpus(
        infos=tuple(
            DocumentInfo(
                infos[n].id,
                int(n_words[n]),
                infos[n].position if keeps_order else 0,
                infos[n].time,
            )
            for n in order
        ),
        encoded=tuple(encoded[number] for number in order),
        first_copy=np.array(first_copy, np.int64),
        n_shingles=np.concatenate([sketch.n_shingles for sketch in sketches])[order],
        signatures=np.concatenate([sketch.signatures for sketch in sketches])[order],
        skipped=tuple(sorted(skipped, key=lambda item: (item.id, item.reason))),
    )

"""Does the work of a search on one machine: on threads, within memory, with checkpoints.

`dedupe.pipeline` says what is done, and `dedupe.scoring` how a pair is judged. Only this
module knows the batches, where documents are kept meanwhile, and what an interrupted run
can reuse.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Ints, keys_of
from dedupe.documents import Document
from dedupe.engine.blocks import HashedDocuments
from dedupe.engine.checkpoint import Checkpoint
from dedupe.engine.corpus import Corpus
from dedupe.engine.finished import Arrays
from dedupe.engine.reading import read_corpus
from dedupe.errors import InvalidSetting, Skipped
from dedupe.lsh import candidate_pairs
from dedupe.progress import Progress
from dedupe.scoring import passes
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate, Learned, Words
from dedupe.scoring.counting import Counted, Tally, count_after, counted_in_order, parted
from dedupe.settings import Resources, Settings
from dedupe.shortlist import shortlisted
from dedupe.threads import map_in_order

__all__ = ["LocalBlocks", "LocalEngine"]

BATCH_WORDS = 1 << 18
"""Words in the documents of a batch of pairs: more would not stay in the cache."""

SLAB = 1 << 20
"""Pairs that are cut into batches at once."""

COUNTED_AT_ONCE = 1 << 14
"""Documents that a thread counts before they may leave memory: some hundred megabytes."""

ASKED_AT_ONCE = 1 << 10
"""Pairs compared on demand before their documents may leave memory."""

Item = TypeVar("Item")
Found = TypeVar("Found")


class LocalEngine:
    """Reads, hashes and compares documents on this machine; what `dedupe.pipeline.find` drives.

    Parameters
    ----------
    resources : Resources
    checkpoint : path, optional
        A folder for what is finished; see `dedupe.engine.checkpoint`.
    identity : mapping, optional
        What a checkpoint must have been made with.

    Examples
    --------
    >>> from dedupe.pipeline import find
    >>> story = "the council voted to close the old bridge for repairs until spring " * 3
    >>> documents = [Document("a", story), Document("b", "home news " + story)]
    >>> find(documents, Settings(), LocalEngine(Resources.of())).clusters[0].members
    ('a', 'b')
    """

    def __init__(
        self,
        resources: Resources,
        checkpoint: str | os.PathLike[str] | None = None,
        identity: dict[str, Any] | None = None,
    ) -> None:
        self.resources = resources
        if checkpoint is not None and not isinstance(checkpoint, str | os.PathLike):
            raise InvalidSetting(f"checkpoint must be the path of a folder, got {checkpoint!r}")
        self.checkpoint = Checkpoint(None if checkpoint is None else Path(checkpoint), identity)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Let other runs use the checkpoint; remove it if all is done."""
        if error is None:
            self.checkpoint.clear()
        self.checkpoint.__exit__(kind, error, trace)

    def progress(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Tell how far a stage has come."""
        self.resources.progress(Progress(stage, done, total, unit))

    def read(self, stream: Iterable[Document | Skipped], settings: Settings) -> Corpus:
        """Read and number the documents of a stream, and make their signatures."""
        return read_corpus(stream, settings, self.resources, self.checkpoint)

    def candidates(self, corpus: Corpus, settings: Settings) -> AnyInts:
        """Return the pairs worth scoring, by their numbers in the corpus."""
        self.progress("candidates", 0, None, "pairs")
        (pairs,) = self.checkpoint.once(
            "candidates",
            lambda: (find_candidates(corpus, settings, self.resources.workers),),
            lambda arrays: _are_pairs(arrays, len(corpus)),
        )
        self.progress("candidates", len(pairs), None, "pairs")
        return pairs

    def hash(self, corpus: Corpus, candidates: AnyInts, ngram: int) -> "LocalBlocks":
        """Hash the documents of some pairs, to be compared."""
        is_in_pair = np.zeros(len(corpus), np.bool_)
        is_in_pair[candidates] = True
        documents = HashedDocuments(corpus, np.flatnonzero(is_in_pair), ngram, self.resources)
        documents.hash()
        return LocalBlocks(documents, len(corpus), self)


class LocalBlocks:
    """Hashed documents, and rules applied to them on threads: a `dedupe.engine.port.Blocks`."""

    def __init__(self, documents: HashedDocuments, n_numbered: int, engine: LocalEngine) -> None:
        self.numbers = documents.numbers
        self._documents = documents
        self._engine = engine
        self._workers = engine.resources.workers
        self._n_asked = 0
        self._counted: Counted | None = None
        # A table, since to search for the numbers of millions of pairs takes seconds.
        self._place_of = np.full(n_numbered, -1, np.int32)
        self._place_of[self.numbers] = np.arange(self.numbers.size)

    def block(self) -> Block:
        """Return all documents as a block, one for each thread that asks."""
        return self._documents.block()

    def places(self, numbers: AnyInts) -> npt.NDArray[np.int32]:
        """Return where documents stand among these, -1 for one that does not."""
        places: npt.NDArray[np.int32] = self._place_of[numbers]
        return places

    def in_order(self, pairs: AnyInts) -> AnyInts:
        """Return pairs in the order in which they are compared fastest."""
        return self._documents.in_regions(pairs)

    def map(self, stage: str, rule: Callable[[Block, AnyInts], Arrays], pairs: AnyInts) -> Arrays:
        """Apply a pass to all pairs, and return its columns; the checkpoint keeps what is done."""
        columns = [rule(self.block(), pairs[:0])]
        n_done = 0
        found = self._engine.checkpoint.map(
            stage,
            lambda few: (*rule(self.block(), few), np.array([len(few)])),
            self._batches(pairs),
            self._workers,
            lambda few, arrays: _FITS[rule](few, arrays[:-1]) and arrays[-1].tolist() == [len(few)],
        )
        for *few_columns, n_pairs in found:
            columns.append(tuple(few_columns))
            n_done += n_pairs.item()
            self._engine.progress(stage, n_done, len(pairs), "pairs")
        return tuple(np.concatenate(parts) for parts in zip(*columns, strict=True))

    def each(
        self, rule: Callable[[Block, AnyInts], Found], pairs: AnyInts, stage: str = ""
    ) -> Iterator[Found]:
        """Apply a rule to batches of pairs; yield what it finds, in order."""
        n_done = 0
        for found, n_pairs in map_in_order(
            lambda few: (rule(self.block(), few), len(few)), self._batches(pairs), self._workers
        ):
            yield found
            n_done += n_pairs
            if stage:
                self._engine.progress(stage, n_done, len(pairs), "pairs")

    def over(self, rule: Callable[[Block, Item], Found], items: Iterable[Item]) -> Iterator[Found]:
        """Apply a rule to other items than pairs; yield what it finds, in order."""
        yield from map_in_order(
            lambda item: rule(self.block(), item), self._documents.relaxed(items), self._workers
        )

    def among(
        self, rule: Callable[[Words, Ints, Item], Found], items: Iterable[tuple[Ints, Item]]
    ) -> Iterator[Found]:
        """Apply a rule to other items, each with its documents; yield what it finds, in order."""
        yield from map_in_order(
            lambda item: rule(*self._documents.among(item[0]), item[1]),
            self._documents.relaxed(items),
            self._workers,
        )

    def once(self, make: Callable[[], Learned], n_pairs: int, of: str = "") -> Learned:
        """Return what is learned, or what the checkpoint has of it."""
        made: list[Learned] = []

        def kept() -> Arrays:
            made.append(make())
            boilerplate, stories, may_score = made[0]
            return np.frombuffer(boilerplate.to_bytes(), np.uint8), stories, may_score

        known, stories, may_score = self._engine.checkpoint.once(
            f"{of} learned".strip(), kept, lambda arrays: self._are_learned(arrays, n_pairs)
        )
        if made:
            return made[0]
        boilerplate = Boilerplate.from_bytes(known.tobytes())
        self.weigh(boilerplate, stories)
        return Learned(boilerplate, stories, may_score)

    def _are_learned(self, arrays: Arrays, n_pairs: int) -> bool:
        """Return whether arrays from a file can be what `once` keeps."""
        kinds = [(array.dtype.name, array.ndim) for array in arrays]
        if kinds != [("uint8", 1), ("int64", 1), ("bool", 1)]:
            return False
        known, stories, may_score = arrays
        sizes = stories.size, may_score.size
        return known.size % Boilerplate.BYTES == 0 and sizes == (self.numbers.size, n_pairs)

    def count(self, boilerplate: Boilerplate, stories: Ints) -> None:
        """Count in how many stories each watched shingle stands, a part on each thread."""
        before, self._counted = self._counted, Counted(boilerplate, self._documents.told(), stories)
        count_after(before, self._counted, self._n_clusters)

    def _n_clusters(self, counted: Counted) -> npt.NDArray[np.int32]:
        """Return in how many stories the shingle in each slot of a boilerplate stands."""
        boilerplate, told, stories = counted

        def tallied(order: Ints) -> Tally:
            tally, words = Tally(boilerplate), self.block().words
            for start in range(0, order.size, COUNTED_AT_ONCE):
                tally.count(words, told, stories, order[start : start + COUNTED_AT_ONCE])
                self._documents.relax()
            return tally

        found = Tally(boilerplate).n_clusters
        parts = parted(counted_in_order(stories), stories, self._workers)
        for tally in map_in_order(tallied, parts, self._workers):
            found += tally.n_clusters
        return found

    def weigh(self, boilerplate: Boilerplate, stories: Ints) -> Bools:
        """Weigh every word by this boilerplate, and return which documents that changes."""
        return self._documents.weigh(boilerplate, stories)

    def few(self, rule: Callable[[Block, AnyInts], Found], pairs: AnyInts) -> Found:
        """Apply a rule to a few pairs, sooner than threads would begin with them."""
        self._n_asked += len(pairs)
        if self._n_asked > ASKED_AT_ONCE:
            self._documents.relax()
            self._n_asked = 0
        return rule(self.block(), pairs)

    def _batches(self, pairs: AnyInts) -> Iterator[AnyInts]:
        """Cut a list of pairs where its documents have BATCH_WORDS together, or less.

        A first document that several pairs share counts once, or a very long one
        would be read anew for each of them.
        """
        n_words = self.block().n_words
        for start in range(0, len(pairs), SLAB):
            some = pairs[start : start + SLAB]
            is_new = np.ones(len(some), np.bool_)
            is_new[1:] = some[1:, 0] != some[:-1, 0]
            held = np.cumsum(n_words[some[:, 1]] + np.where(is_new, n_words[some[:, 0]], 0))
            batches = np.split(some, np.flatnonzero(np.diff(held // BATCH_WORDS)) + 1)
            yield from self._documents.relaxed(batches)


def find_candidates(corpus: Corpus, settings: Settings, workers: int) -> npt.NDArray[np.int32]:
    """Return the pairs worth scoring; of identical copies only the first takes part."""
    originals = corpus.originals()
    rows = corpus.rows[originals]
    sizes, contents = corpus.n_shingles[rows], corpus.contents[originals]
    pairs = candidate_pairs(
        corpus.signatures,
        sizes,
        contents=contents,
        rows=rows,
        is_old=corpus.is_old[rows] if corpus.is_old.any() else None,
        spans=None if corpus.spans is None else corpus.spans.take(originals),
        bucket_cap=settings.bucket_cap,
        workers=workers,
    )
    if corpus.are_all_comparable:
        pairs = shortlisted(pairs, corpus.signatures, rows, sizes, contents)
    return originals.astype(np.int32)[pairs]


def _are_pairs(arrays: Arrays, n_docs: int) -> bool:
    """Return whether arrays from a file can be what `find_candidates` gives."""
    if [(array.dtype.name, array.shape[1:]) for array in arrays] != [("int32", (2,))]:
        return False
    (pairs,) = arrays
    return bool((pairs >= 0).all() and (pairs < n_docs).all())


def _fits_first(pairs: AnyInts, arrays: Arrays) -> bool:
    """Return whether arrays from a file can be what `passes.first` gives."""
    expected = [(dtype, (len(pairs),)) for dtype in ("float32", "float32", "bool", "bool")]
    return [(array.dtype.name, array.shape) for array in arrays] == expected


def _fits_scores(pairs: AnyInts, arrays: Arrays) -> bool:
    """Return whether arrays from a file can be what `passes.again` gives."""
    return [(array.dtype.name, array.shape) for array in arrays] == [("float32", (len(pairs),))]


def _fits_second(pairs: AnyInts, arrays: Arrays) -> bool:
    """Return whether arrays from a file can be what `passes.second` gives."""
    if len(arrays) != 1 or arrays[0].dtype != passes.ROW:
        return False
    return bool(np.isin(keys_of(passes.pairs_in(arrays[0])), keys_of(pairs)).all())


_FITS: dict[Callable[..., Any], Callable[[AnyInts, Arrays], bool]] = {
    passes.first: _fits_first,
    passes.again: _fits_scores,
    passes.second: _fits_second,
}

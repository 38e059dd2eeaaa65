"""Defines what a search asks of an engine, so that others may be built.

`dedupe.pipeline.find` drives an `Engine`. `dedupe.engine.local` is the one for a single
machine; ``tests/test_pipeline.py`` has the smallest, in memory and without an old collection.

Sealed shingles (`dedupe.shingling.Sealed`) are known to the process that made them. Blocks
that are compared, shingles that are known, watched or marked, and boilerplate that is counted,
must come from one process, or from processes that share its secret, as those of `dedupe.spark` do
through `dedupe.kernels.tables.SECRET`; what goes from one to another is `Boilerplate.to_bytes`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Ints
from dedupe.documents import Document
from dedupe.engine.corpus import Corpus
from dedupe.errors import Skipped
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate, Learned, Words
from dedupe.settings import Settings

__all__ = ["Blocks", "Engine"]

Item = TypeVar("Item")
Found = TypeVar("Found")


class Blocks(Protocol):
    """The hashed documents of some pairs, and rules applied to them.

    Pairs are places among these documents, which are in the order of their numbers.

    Attributes
    ----------
    numbers : int64 [shape=(n_docs,)], ascending
        The documents by their numbers in the corpus.
    """

    numbers: Ints

    def block(self) -> Block:
        """Return all documents as a block, one for each thread that asks."""

    def places(self, numbers: AnyInts) -> AnyInts:
        """Return where documents stand among these, -1 for one that does not."""

    def in_order(self, pairs: AnyInts) -> AnyInts:
        """Return pairs in the order in which they are compared fastest."""

    def map(
        self,
        stage: str,
        rule: Callable[[Block, AnyInts], tuple[npt.NDArray[Any], ...]],
        pairs: AnyInts,
    ) -> tuple[npt.NDArray[Any], ...]:
        """Apply a pass of `dedupe.scoring.passes` to all pairs, and return its columns.

        The name of the stage is told as progress, and what is finished may be kept.
        """

    def each(
        self, rule: Callable[[Block, AnyInts], Found], pairs: AnyInts, stage: str = ""
    ) -> Iterator[Found]:
        """Apply a rule to pairs, a batch at a time; yield what it finds in each, in order.

        `stage`, if given, is told as progress.
        """

    def over(self, rule: Callable[[Block, Item], Found], items: Iterable[Item]) -> Iterator[Found]:
        """Apply a rule to other items than pairs; yield what it finds, in order."""

    def among(
        self, rule: Callable[[Words, Ints, Item], Found], items: Iterable[tuple[Ints, Item]]
    ) -> Iterator[Found]:
        """Apply a rule to other items, each with its documents; yield what it finds, in order.

        The rule is given words, and the places of those documents among them. Where documents are
        many, these may be the words of them alone.
        """

    def once(self, make: Callable[[], Learned], n_pairs: int, of: str = "") -> Learned:
        """Return what is learned, or what an interrupted run has learned.

        Documents weigh by it from then on. `n_pairs` is the number of pairs it is learned from,
        and `of` says which, where it is not all of them.
        """

    def count(self, boilerplate: Boilerplate, stories: Ints) -> None:
        """Count in how many stories each watched shingle stands.

        Parameters
        ----------
        boilerplate : Boilerplate
        stories : int64 [shape=(n_docs,)]
            The story of each document, -1 for one that does not count.
        """

    def weigh(self, boilerplate: Boilerplate, stories: Ints) -> Bools:
        """Weigh every word by this boilerplate, from now on.

        Parameters
        ----------
        boilerplate : Boilerplate
            Stays as it is: next time it may tell what has changed.
        stories : int64 [shape=(n_docs,)]
            The story of each document, as far as is known.

        Returns
        -------
        bool [shape=(n_docs,)]
            Which documents have words that weigh otherwise than before.
        """

    def few(self, rule: Callable[[Block, AnyInts], Found], pairs: AnyInts) -> Found:
        """Apply a rule to a few pairs, and return what it finds."""


class Engine(Protocol):
    """What reads and hashes documents, and finds the pairs worth scoring."""

    def read(self, stream: Iterable[Document | Skipped], settings: Settings) -> Corpus:
        """Read and number the documents of a stream, and make their signatures."""

    def candidates(self, corpus: Corpus, settings: Settings) -> AnyInts:
        """Return the pairs worth scoring, by their numbers in the corpus.

        With a window, those are near each other, as `Corpus.spans` tells.
        """

    def hash(self, corpus: Corpus, candidates: AnyInts, ngram: int) -> Blocks:
        """Hash the documents of some pairs, to be compared."""

    def progress(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Tell how far a stage has come."""

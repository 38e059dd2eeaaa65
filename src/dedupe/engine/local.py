"""Candidates to scored pairs, in blocks on several threads.

There are two passes: the first learns which text is furniture, the second weighs it
lightly. What a pair shares, in words, is found by `dedupe.results.finder`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe import clustering
from dedupe.engine.blocks import Hashed
from dedupe.engine.checkpoint import Arrays, Checkpoint
from dedupe.engine.corpus import Corpus
from dedupe.progress import Progress, ProgressCallback
from dedupe.results.pairs import keys_of
from dedupe.scoring import alignment, forms
from dedupe.scoring import score as scoring
from dedupe.scoring.boilerplate import Furniture
from dedupe.scoring.passes import (
    FACTS,
    Facts,
    identical_facts,
    make_facts,
    numbers_of,
    scored_pairs,
)
from dedupe.settings import SCORE_FLOOR
from dedupe.threads import map_in_order

__all__ = ["Matcher"]

BLOCK_WORDS = 1 << 18
"""Words in the documents of a block of pairs: more would not stay in the cache."""

SLAB = 1 << 20
"""Pairs that are cut into blocks at once."""

COUNTED_AT_ONCE = 1 << 14
"""Documents that are counted before they may leave memory: some hundred megabytes."""

ASKED_AT_ONCE = 1 << 10
"""Pairs that are asked for a few at a time before their documents may leave memory."""

Whole = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.floating[Any]]
Marks = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Matcher:
    """Scores the pairs of a corpus.

    Attributes
    ----------
    corpus : Corpus
    hashed : Hashed
        The documents that are in any pair.
    workers : int
    checkpoint : Checkpoint
    furniture : Furniture
        What is known of it so far.
    n_asked : int
        Pairs that were asked for since documents last left memory.
    """

    corpus: Corpus
    hashed: Hashed
    workers: int
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    furniture: Furniture = field(default_factory=Furniture)
    n_asked: int = 0

    def find_furniture(self, pairs: Whole, progress: ProgressCallback) -> Whole:
        """Learn which text is furniture, from the clusters of the pairs beyond doubt.

        Furniture is text that different clusters hold, so only the text that pairs
        of two clusters share is counted.

        Parameters
        ----------
        pairs : int32 [shape=(n_pairs, 2)]
            Numbers of documents, ordered by the first.
        progress : callable

        Returns
        -------
        int32 [shape=(n, 2)]
            The pairs that may score the floor, whatever is furniture, in another order.
        """
        pairs = self.hashed.in_regions(pairs)
        strict = np.empty(len(pairs), np.float32)
        may_score = np.empty(len(pairs), np.bool_)
        is_long = np.empty(len(pairs), np.bool_)
        n_done = 0
        blocks = self.checkpoint.map(
            "furniture", self._first_pass, self._blocks(pairs), self.workers, _fits_first_pass
        )
        for found in blocks:
            done = slice(n_done, n_done + len(found[0]))
            strict[done], may_score[done], is_long[done] = found
            n_done = done.stop
            progress(Progress("furniture", n_done, len(pairs), "pairs"))
        (known,) = self.checkpoint.once(
            "counts",
            lambda: self._count(pairs, strict, is_long, progress),
            lambda arrays: [(array.dtype.name, array.ndim) for array in arrays] == [("uint8", 1)],
        )
        self.furniture = Furniture.from_bytes(known.tobytes())
        self.hashed.weigh(self.furniture, self.workers, progress)
        return pairs[may_score]

    def score(self, pairs: Whole, progress: ProgressCallback) -> Facts:
        """Return the pairs that score at least the floor, furniture weighed lightly.

        Parameters
        ----------
        pairs : int32 [shape=(n_pairs, 2)]
            As `find_furniture` returned them.
        progress : callable
        """
        found = [np.empty(0, FACTS)]
        n_done = 0
        blocks = self.checkpoint.map(
            "scoring", self._score_block, self._blocks(pairs), self.workers, self._fits_scores
        )
        for facts, n_pairs in blocks:
            found.append(facts)
            n_done += n_pairs.item()
            progress(Progress("scoring", n_done, len(pairs), "pairs"))
        return np.concatenate(found)

    def scores_of(self, pairs: Whole) -> npt.NDArray[np.float64]:
        """Return the scores of a few pairs, lesser document first; 0 below the floor."""
        self.n_asked += len(pairs)
        if self.n_asked > ASKED_AT_ONCE:
            self.hashed.relax()
            self.n_asked = 0
        aligned = alignment.align(self.hashed.block(), *self.hashed.places(pairs).T)
        scores = scoring.score(aligned)
        return np.where(scores >= SCORE_FLOOR, scores, 0.0)

    def facts_of(self, pairs: Whole) -> Facts:
        """Return pairs in their order, whatever they score."""
        found = map_in_order(lambda few: self._facts(few, 0.0), self._blocks(pairs), self.workers)
        return np.concatenate([np.empty(0, FACTS), *found])

    def copies(self) -> Facts:
        """Return each identical copy with the first document that has its tokens."""
        first_copy = self.corpus.first_copy
        copies = np.flatnonzero(first_copy != np.arange(len(first_copy)))
        return self._identical(np.stack([first_copy[copies], copies], axis=1))

    def candidates_of(self, number: int, pairs: Whole) -> Facts:
        """Return all pairs of one document, whatever they score."""
        # Of identical copies only the first was compared.
        original = self.corpus.first_copy[number]
        return self.facts_of(pairs[(pairs == original).any(axis=1)])

    def explain(self, facts: Facts, pairs: Whole) -> Facts:
        """Return facts with those of some more pairs, which can tell their evidence.

        Copies score what their originals do: the line breaks of a copy may differ,
        and with them what counts as prose.

        Parameters
        ----------
        facts : FACTS [shape=(n_facts,)]
        pairs : int [shape=(n_pairs, 2)]
            Documents by number.
        """
        pairs = np.sort(pairs, axis=1)
        originals = self.corpus.first_copy[pairs]
        is_copy = originals[:, 0] == originals[:, 1]
        known = scored_pairs(facts, self.corpus.ids)
        asked = self.facts_of(originals[~is_copy & (known.places(originals) < 0)])
        explained = np.empty(len(pairs), FACTS)
        explained[is_copy] = self._identical(pairs[is_copy])
        everything = np.concatenate([facts, asked])
        known = scored_pairs(everything, self.corpus.ids)
        explained[~is_copy] = everything[known.places(originals[~is_copy])]
        is_mirrored = ~is_copy & (originals[:, 0] > originals[:, 1])
        left, right = (explained[f"containment_{side}"].copy() for side in ("left", "right"))
        explained["containment_left"] = np.where(is_mirrored, right, left)
        explained["containment_right"] = np.where(is_mirrored, left, right)
        explained["left"], explained["right"] = pairs.T
        explained["has_evidence"] = True
        is_other = ~np.isin(keys_of(known.numbers[: len(facts)]), keys_of(pairs))
        return np.concatenate([facts[is_other], explained])

    def _identical(self, pairs: Whole) -> Facts:
        """Return pairs of documents with the same tokens."""
        return identical_facts(pairs, self.corpus.n_words[pairs[:, 0]])

    def _blocks(self, pairs: Whole) -> Iterator[Whole]:
        """Cut a list of pairs where its documents have BLOCK_WORDS together, or less.

        A first document that several pairs share counts once, or a very long one
        would be read anew for each of them.
        """
        n_words = self.corpus.n_words
        for start in range(0, len(pairs), SLAB):
            some = pairs[start : start + SLAB]
            is_new = np.ones(len(some), np.bool_)
            is_new[1:] = some[1:, 0] != some[:-1, 0]
            held = np.cumsum(n_words[some[:, 1]] + np.where(is_new, n_words[some[:, 0]], 0))
            blocks = np.split(some, np.flatnonzero(np.diff(held // BLOCK_WORDS)) + 1)
            yield from self.hashed.relaxed(blocks)

    def _first_pass(self, pairs: Whole) -> tuple[Floats, Marks, Marks]:
        """Return the strict scores of a block of pairs, which may score, and which share much."""
        found = alignment.align(
            self.hashed.block(), *self.hashed.places(pairs).T, min_words=scoring.MIN_WORDS
        )
        return (
            scoring.strict_score(found).astype(np.float32),
            scoring.most(found) >= SCORE_FLOOR,
            found.covered >= scoring.MIN_WORDS,
        )

    def _count(
        self, pairs: Whole, strict: Floats, is_long: Marks, progress: ProgressCallback
    ) -> tuple[npt.NDArray[np.uint8]]:
        """Return in how many clusters the text stands that pairs of different ones share.

        As bytes. A phrase is no furniture, and there are many phrases: of pairs that
        share no more nothing is counted.
        """
        labels = _provisional_clusters(pairs, strict, len(self.corpus))
        labels, texts = forms.part_forms(
            self.hashed, labels, pairs, strict, self._blocks, workers=self.workers
        )
        pairs = pairs[is_long & (labels[pairs[:, 0]] != labels[pairs[:, 1]])]
        furniture = Furniture()
        n_done = 0
        for shared, n_pairs in map_in_order(self._shared, self._blocks(pairs), self.workers):
            furniture.watch(shared)
            n_done += n_pairs
            progress(Progress("counts", n_done, len(pairs), "pairs"))
        block = self.hashed.block()
        clusters = labels[self.hashed.numbers]
        order = np.argsort(clusters, kind="stable")
        for start in range(0, order.size, COUNTED_AT_ONCE):
            some = order[start : start + COUNTED_AT_ONCE]
            furniture.count(block.shingles, block.shingle_offsets, clusters, some)
            self.hashed.relax()
        furniture.mark(texts)
        return (np.frombuffer(furniture.to_bytes(), np.uint8),)

    def _shared(self, pairs: Whole) -> tuple[npt.NDArray[np.uint64], int]:
        """Return the shingles that the pairs of a block share, and how many pairs those are."""
        places = self.hashed.places(pairs)
        return alignment.shared_shingles(self.hashed.block(), *places.T), len(pairs)

    def _score_block(self, pairs: Whole) -> tuple[Facts, Whole]:
        return self._facts(pairs, SCORE_FLOOR), np.array([len(pairs)])

    def _fits_scores(self, pairs: Whole, arrays: Arrays) -> bool:
        """Return whether arrays from a file can be what `_score_block` gives."""
        if len(arrays) != 2 or arrays[0].dtype != FACTS or arrays[1].tolist() != [len(pairs)]:
            return False
        known = keys_of(pairs)
        return bool(np.isin(keys_of(numbers_of(arrays[0])), known).all())

    def _facts(self, pairs: Whole, floor: float) -> Facts:
        """Score a block of pairs; keep those of at least `floor`."""
        # Lesser numbers, which are lesser ids, go left.
        places = self.hashed.places(np.sort(pairs, axis=1))
        block = self.hashed.block()
        facts = make_facts(block, alignment.align(block, *places.T), floor)
        for side in ("left", "right"):
            facts[side] = self.hashed.numbers[facts[side]]
        return facts


def _fits_first_pass(pairs: Whole, arrays: Arrays) -> bool:
    """Return whether arrays from a file can be what `Matcher._first_pass` gives."""
    expected = [(dtype, (len(pairs),)) for dtype in ("float32", "bool", "bool")]
    return [(array.dtype.name, array.shape) for array in arrays] == expected


def _provisional_clusters(pairs: Whole, strict: Floats, n_docs: int) -> Whole:
    """Return the cluster of each document of a corpus by the pairs beyond doubt."""
    return clustering.average_linkage(
        n_docs,
        pairs,
        strict,
        threshold=scoring.STRICT_CONTAINMENT,
        mean_share=1.0,
        # The copies of a story are linked to few of one another; see `dedupe.lsh`.
        missing=None,
    )

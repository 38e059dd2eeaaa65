"""Candidates to scored pairs, in blocks on several threads.

There are two passes: the first learns which text is furniture, the second weighs it
lightly. The evidence for duplicates comes last, and takes their texts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe import clustering, evidence, scoring
from dedupe.corpus import Corpus
from dedupe.furniture import Furniture
from dedupe.hashed import Hashed, short_lines
from dedupe.progress import Progress, ProgressCallback
from dedupe.records import Cluster, Evidence, Pair
from dedupe.settings import SCORE_FLOOR
from dedupe.shingling import hash_shingles
from dedupe.text import Tokens, hash_tokens
from dedupe.threads import map_in_order

__all__ = ["EvidenceFinder", "Matcher", "identical_pair", "make_block", "make_pairs"]

BLOCK_WORDS = 1 << 18
"""Words in the documents of a block of pairs: more would not stay in the cache."""

SLAB = 1 << 20
"""Pairs that are cut into blocks at once."""

RELAX_AFTER = 64
"""Blocks after which their documents may leave memory: some hundred megabytes at most."""

N_LISTED = 8
"""Passages, and remainders of either side, that are kept of each duplicate of a search."""

Pairs = dict[tuple[str, str], Pair]
Whole = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Scores the pairs of a corpus.

    Attributes
    ----------
    corpus : Corpus
    hashed : Hashed
        The documents that are in any pair.
    workers : int
    furniture : Furniture
        What is known of it so far.
    """

    corpus: Corpus
    hashed: Hashed
    workers: int
    furniture: Furniture = field(default_factory=Furniture)

    def find_furniture(self, pairs: Whole, progress: ProgressCallback) -> None:
        """Learn which text is furniture, from the clusters of the pairs beyond doubt.

        Furniture is text that different clusters hold, so only the text that pairs
        of two clusters share is counted.

        Parameters
        ----------
        pairs : int32 [shape=(n_pairs, 2)]
            Numbers of documents, pairs with the same first document together.
        progress : callable
        """
        strict = np.empty(len(pairs), np.float32)
        n_done = 0
        for found, shared in map_in_order(self._first_pass, self._blocks(pairs), self.workers):
            strict[n_done : n_done + len(found)] = found
            self.furniture.watch(shared)
            n_done += len(found)
            progress(Progress("furniture", n_done, len(pairs), "pairs"))
        labels = _provisional_clusters(pairs, strict, len(self.corpus))
        is_apart = (strict > 0) & (labels[pairs[:, 0]] != labels[pairs[:, 1]])
        for shared in map_in_order(self._shared, self._blocks(pairs[is_apart]), self.workers):
            self.furniture.watch(shared)
        block = self.hashed.block()
        clusters = labels[self.hashed.numbers]
        self.furniture.count(block.shingles, block.shingle_offsets, clusters)
        self.hashed.weigh(self.furniture, self.workers)

    def score(self, pairs: Whole, progress: ProgressCallback) -> Iterator[Pair]:
        """Yield the pairs that score at least the floor, furniture weighed lightly.

        Parameters
        ----------
        pairs : int32 [shape=(n_pairs, 2)]
            As in `find_furniture`.
        progress : callable
        """
        n_done = 0
        for found, n_pairs in map_in_order(self._score_block, self._blocks(pairs), self.workers):
            yield from found
            n_done += n_pairs
            progress(Progress("scoring", n_done, len(pairs), "pairs"))

    def candidates_of(self, document: str, pairs: Whole) -> Pairs:
        """Return all pairs of one document, whatever they score; none if it was skipped."""
        if document not in self.corpus.ids:
            return {}
        # Of identical copies only the first was compared.
        original = self.corpus.first_copy[self.corpus.ids.index(document)]
        mine = pairs[(pairs == original).any(axis=1)]
        found = self._pairs(mine, floor=0.0) if len(mine) else []
        return {(pair.left, pair.right): pair for pair in found}

    def copies(self) -> Iterator[Pair]:
        """Yield each identical copy with the first document that has its tokens."""
        first_copy = self.corpus.first_copy
        for copy in np.flatnonzero(first_copy != np.arange(len(first_copy))).tolist():
            yield self._identical(int(first_copy[copy]), copy)

    def ask(
        self, numbers: Mapping[str, int], scored: Pairs
    ) -> Callable[[list[tuple[str, str]]], list[float]]:
        """Return a function that scores pairs which were no candidates, and records them."""

        def score_missing(names: list[tuple[str, str]]) -> list[float]:
            pairs = np.array([(numbers[left], numbers[right]) for left, right in names])
            found = self._pairs(pairs, floor=0.0)
            # Recorded whatever they score, so that `Result.at` knows that they were compared.
            scored.update({(pair.left, pair.right): pair for pair in found})
            return [pair.score if pair.score >= SCORE_FLOOR else 0.0 for pair in found]

        return score_missing

    def explain(
        self,
        clusters: Sequence[Cluster],
        numbers: Mapping[str, int],
        scored: Pairs,
        report: ProgressCallback,
    ) -> None:
        """Give each duplicate a pair with its representative that carries its evidence."""
        jobs = np.array(
            [
                sorted((numbers[member], numbers[cluster.representative]))
                for cluster in clusters
                for member in cluster.members
                if member != cluster.representative
            ],
            np.int64,
        ).reshape(-1, 2)
        n_done = 0
        # Nearly all of it is Python, of which several threads would get in each other's way.
        for pairs in self._blocks(jobs):
            found = self._explained(scored, pairs)
            scored.update({(pair.left, pair.right): pair for pair in found})
            n_done += len(found)
            report(Progress("evidence", n_done, len(jobs), "documents"))

    def _explained(self, scored: Pairs, pairs: Whole) -> list[Pair]:
        """Return pairs of documents with evidence, whatever they score."""
        numbers = np.unique(pairs)
        finder = EvidenceFinder(self.corpus.texts(numbers), self.hashed.ngram, self.furniture)
        places = np.searchsorted(numbers, pairs).tolist()
        return [
            replace(pair, evidence=finder.find(left, right, N_LISTED))
            for pair, (left, right) in zip(
                self._through_originals(scored, pairs), places, strict=True
            )
        ]

    def _through_originals(self, scored: Pairs, pairs: Whole) -> Iterator[Pair]:
        """Yield pairs of documents whatever they score; copies score what their originals do.

        The line breaks of a copy may differ, and with them what counts as prose.
        """
        ids = self.corpus.ids
        originals = self.corpus.first_copy[pairs]
        names = [(ids[min(row)], ids[max(row)]) for row in originals.tolist()]
        missing = [
            row
            for row, (name, (one, other)) in enumerate(zip(names, originals.tolist(), strict=True))
            if one != other and name not in scored
        ]
        found = self._pairs(originals[missing], floor=0.0) if missing else []
        known = {(pair.left, pair.right): pair for pair in found}
        for name, (one, other), (left, right) in zip(
            names, originals.tolist(), pairs.tolist(), strict=True
        ):
            if one == other:
                yield self._identical(left, right)
                continue
            pair = known.get(name) or scored[name]
            yield pair.named(ids[left], ids[right], mirrored=one > other)

    def _identical(self, left: int, right: int) -> Pair:
        """Return two documents with the same tokens as a pair."""
        ids = self.corpus.ids
        return identical_pair(ids[left], ids[right], int(self.corpus.n_words[left]))

    def _blocks(self, pairs: Whole) -> Iterator[Whole]:
        """Cut a list of pairs where its documents have BLOCK_WORDS together, or less.

        A first document that several pairs share counts once, or a very long one
        would be read anew for each of them.
        """
        n_words = self.corpus.n_words
        n_blocks = 0
        for start in range(0, len(pairs), SLAB):
            some = pairs[start : start + SLAB]
            is_new = np.ones(len(some), np.bool_)
            is_new[1:] = some[1:, 0] != some[:-1, 0]
            held = np.cumsum(n_words[some[:, 1]] + np.where(is_new, n_words[some[:, 0]], 0))
            for block in np.split(some, np.flatnonzero(np.diff(held // BLOCK_WORDS)) + 1):
                yield block
                n_blocks += 1
                if n_blocks % RELAX_AFTER == 0:
                    self.hashed.relax()

    def _first_pass(self, pairs: Whole) -> tuple[Floats, npt.NDArray[np.uint64]]:
        """Return the strict scores of a block of pairs, and what those share that have none."""
        block, places = self.hashed.block(), self.hashed.places(pairs)
        alignment = scoring.align(block, *places.T)
        strict = scoring.strict_score(alignment)
        # A phrase is no furniture, and there are many phrases.
        is_apart = (strict == 0) & (alignment.covered >= scoring.MIN_WORDS)
        return strict, scoring.shared_shingles(block, *places[is_apart].T)

    def _shared(self, pairs: Whole) -> npt.NDArray[np.uint64]:
        """Return the shingles that the pairs of a block share."""
        return scoring.shared_shingles(self.hashed.block(), *self.hashed.places(pairs).T)

    def _score_block(self, pairs: Whole) -> tuple[list[Pair], int]:
        return self._pairs(pairs, SCORE_FLOOR), len(pairs)

    def _pairs(self, pairs: Whole, floor: float) -> list[Pair]:
        """Score a block of pairs; keep those of at least `floor`."""
        # Lesser numbers, which are lesser ids, go left.
        places = self.hashed.places(np.sort(pairs, axis=1))
        block = self.hashed.block()
        alignment = scoring.align(block, *places.T)
        return make_pairs(self._name, block, alignment, floor)

    def _name(self, place: int) -> str:
        """Return the id of a document by its place in the block."""
        return self.corpus.ids[int(self.hashed.numbers[place])]


def _provisional_clusters(pairs: Whole, strict: Floats, n_docs: int) -> Whole:
    """Return the cluster of each document of a corpus by the pairs beyond doubt."""
    # Only what such pairs connect can become one, and what else scored 0 says no more.
    components = clustering.components(n_docs, pairs[strict > 0])
    is_inside = components[pairs[:, 0]] == components[pairs[:, 1]]
    edges, scores = pairs[is_inside], strict[is_inside]
    linked = np.unique(edges)
    labels = np.arange(n_docs)
    labels[linked] = linked[
        clustering.average_linkage(
            linked.size,
            zip(*np.searchsorted(linked, edges.T).tolist(), scores.tolist(), strict=True),
            threshold=scoring.STRICT_CONTAINMENT,
            mean_share=1.0,
            # The copies of a story are linked to few of one another; see `dedupe.lsh`.
            missing=None,
        )
    ]
    return labels


class EvidenceFinder:
    """Finds what documents of a few texts share, word by word."""

    def __init__(self, texts: Sequence[str], ngram: int, furniture: Furniture) -> None:
        self.texts = texts
        self.block, self.tokens = make_block(texts, ngram, furniture)

    def find(self, left: int, right: int, limit: int | None = None) -> Evidence:
        """Return the passages that two of the texts share and what only one of them says."""
        runs, is_furniture = scoring.shared_runs(self.block, left, right)
        return evidence.gather(
            (self.texts[left], self.texts[right]),
            (self._spans(left), self._spans(right)),
            runs,
            is_furniture,
            limit,
        )

    def _spans(self, number: int) -> npt.NDArray[np.int32]:
        assert self.tokens.spans is not None
        return self.tokens.spans[self.tokens.offsets[number] : self.tokens.offsets[number + 1]]


def make_block(
    texts: Sequence[str], ngram: int, furniture: Furniture | None = None
) -> tuple[scoring.Block, Tokens]:
    """Hash some texts for comparison; also return where their tokens stand."""
    tokens = hash_tokens(texts, detail=True)
    shingles = hash_shingles(tokens, ngram)
    weights = None
    if furniture is not None:
        weights = furniture.weights(shingles.hashes, shingles.offsets, tokens.offsets)
    block = scoring.Block(
        shingles.hashes,
        shingles.offsets,
        tokens.offsets,
        short_lines(tokens),
        ngram,
        scoring.contents_of(shingles.hashes, shingles.offsets),
        np.diff(tokens.offsets).astype(np.float64)
        if weights is None
        else scoring.totals_of(weights, tokens.offsets),
        weights,
    )
    return block, tokens


def make_pairs(
    name: Callable[[int], str], block: scoring.Block, alignment: scoring.Alignment, floor: float
) -> list[Pair]:
    """Return the pairs of an alignment that score at least `floor`, with their verdicts.

    `name` gives the id of a document by its place in the block.
    """
    scores = scoring.score(alignment)
    rows = np.flatnonzero(scores >= floor)
    columns = (
        alignment.left[rows],
        alignment.right[rows],
        scores[rows],
        *scoring.similarities(block, alignment, rows),
        alignment.covered[rows],
        alignment.hole[rows],
        alignment.excess[rows],
        alignment.furniture[rows],
        alignment.matched[rows],
        alignment.cost[rows],
        (alignment.covered_left / alignment.words_left)[rows],
        (alignment.covered_right / alignment.words_right)[rows],
    )
    return [_pair(name, row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _pair(name: Callable[[int], str], facts: tuple[Any, ...]) -> Pair:
    """Return a row of `make_pairs` as a pair with a verdict and a reason."""
    left, right, score, jaccard, in_left, in_right, *words = facts
    shared, hole, excess, furniture, matched, cost, *shares = words
    verdict = scoring.verdict(score, cost, matched, *shares)
    return Pair(
        left=name(left),
        right=name(right),
        score=score,
        jaccard=jaccard,
        containment=max(in_left, in_right),
        containment_left=in_left,
        containment_right=in_right,
        verdict=verdict,
        reason=scoring.reason(
            verdict, shared, matched=matched, hole=hole, excess=excess, furniture=furniture
        ),
        shared_words=shared,
        hole_words=hole,
        furniture_words=furniture,
    )


def identical_pair(left: str, right: str, n_words: int) -> Pair:
    """Return two documents with the same tokens as a pair."""
    reason = scoring.reason("identical", n_words, matched=n_words)
    return Pair(left, right, 1.0, 1.0, 1.0, 1.0, 1.0, "identical", reason, n_words, 0, 0)

"""Numbers of documents to scored pairs: texts are hashed again where they are compared.

Shingles of all documents at once would take more memory than their texts, so pairs
go through in blocks of documents, each hashed anew, on several threads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from dedupe import clustering, evidence, scoring
from dedupe.corpus import Corpus, Progress, ProgressCallback, map_in_order
from dedupe.documents import Document
from dedupe.errors import NothingToRead
from dedupe.furniture import Furniture
from dedupe.results import Cluster, Comparison, Evidence, Pair
from dedupe.settings import SCORE_FLOOR, Settings
from dedupe.shingling import digests, hash_shingles
from dedupe.text import Tokens, hash_tokens

__all__ = ["EvidenceFinder", "Matcher", "compare_documents", "make_block", "make_pair"]

BLOCK_DOCUMENTS = 1 << 9
"""Documents whose shingles are counted at a time."""

BLOCK_WORDS = 1 << 21
"""Words in a block of documents to compare: about 50 MB of hashes and places."""

Pairs = dict[tuple[str, str], Pair]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Scores the pairs of a corpus."""

    corpus: Corpus
    ngram: int
    workers: int
    furniture: Furniture = field(default_factory=Furniture.empty)

    def find_furniture(self, pairs: Whole, progress: ProgressCallback) -> None:
        """Learn which text is furniture, from the clusters of the pairs beyond doubt.

        Parameters
        ----------
        pairs : int64 [shape=(n_pairs, 2)]
            Numbers of documents, pairs with the same first document together.
        progress : callable
        """
        numbers = np.unique(pairs)
        places = np.searchsorted(numbers, pairs)
        edges: list[tuple[int, int, float]] = []
        n_done = 0
        for found in map_in_order(self._strict_scores, self._blocks(pairs), self.workers):
            block = places[n_done : n_done + len(found)]
            sure = np.flatnonzero(found >= scoring.STRICT_CONTAINMENT)
            edges += zip(*block[sure].T.tolist(), found[sure].tolist(), strict=True)
            n_done += len(found)
            progress(Progress("furniture", n_done, len(pairs), "pairs"))
        labels = clustering.average_linkage(
            len(numbers), edges, threshold=scoring.STRICT_CONTAINMENT, mean_share=1.0
        )
        order = np.argsort(labels, kind="stable")
        for start in range(0, len(order), BLOCK_DOCUMENTS):
            some = order[start : start + BLOCK_DOCUMENTS]
            tokens = hash_tokens(self.corpus.texts(numbers[some].tolist()))
            shingles = hash_shingles(tokens, self.ngram)
            self.furniture.add(shingles.hashes, shingles.offsets, labels[some])

    def score(self, pairs: Whole, progress: ProgressCallback) -> Iterator[Pair]:
        """Yield the pairs that score at least the floor, furniture weighed lightly.

        Parameters
        ----------
        pairs : int64 [shape=(n_pairs, 2)]
            As in `find_furniture`.
        progress : callable
        """
        n_done = 0
        for found, n_pairs in map_in_order(self._score_block, self._blocks(pairs), self.workers):
            yield from found
            n_done += n_pairs
            progress(Progress("scoring", n_done, len(pairs), "pairs"))

    def copies(self) -> Iterator[Pair]:
        """Yield each identical copy with the first document that has its tokens."""
        for copy, first in enumerate(self.corpus.first_copy.tolist()):
            if copy != first:
                info = self.corpus.infos[first]
                yield identical_pair(info.id, self.corpus.infos[copy].id, info.n_words)

    def ask(self, scored: Pairs) -> Callable[[list[tuple[str, str]]], list[float]]:
        """Return a function that scores pairs which were no candidates, and records them."""
        number = {info.id: n for n, info in enumerate(self.corpus.infos)}

        def score_missing(names: list[tuple[str, str]]) -> list[float]:
            numbers = np.array([(number[left], number[right]) for left, right in names])
            pairs = self._pairs(numbers, floor=0.0)
            scored.update(
                {(pair.left, pair.right): pair for pair in pairs if pair.score >= SCORE_FLOOR}
            )
            return [pair.score if pair.score >= SCORE_FLOOR else 0.0 for pair in pairs]

        return score_missing

    def explain(self, clusters: Sequence[Cluster], scored: Pairs, report: ProgressCallback) -> None:
        """Give each duplicate a pair with its representative that carries its evidence."""
        number = {info.id: n for n, info in enumerate(self.corpus.infos)}
        total = sum(len(cluster) - 1 for cluster in clusters)
        n_done = 0
        for cluster in clusters:
            kept = number[cluster.representative]
            members = [number[member] for member in cluster.members]
            members.remove(kept)
            for start in range(0, len(members), BLOCK_DOCUMENTS):
                some = members[start : start + BLOCK_DOCUMENTS]
                self._explain_some(kept, some, scored)
                n_done += len(some)
                report(Progress("evidence", n_done, total, "documents"))

    def _explain_some(self, kept: int, members: Sequence[int], scored: Pairs) -> None:
        """Give the pairs of a few documents with their representative their evidence."""
        texts = self.corpus.texts([kept, *members])
        finder = EvidenceFinder(texts, self.ngram, self.furniture)
        for place, member in enumerate(members, start=1):
            left, right = sorted((kept, member))
            names = self.corpus.infos[left].id, self.corpus.infos[right].id
            pair = scored.get(names) or self._pair(left, right)
            sides = (0, place) if left == kept else (place, 0)
            scored[names] = replace(pair, evidence=finder.find(*sides))

    def _pair(self, left: int, right: int) -> Pair:
        """Return two documents as a pair, whatever they score."""
        first = self.corpus.first_copy
        if first[left] == first[right]:
            info = self.corpus.infos[left]
            return identical_pair(info.id, self.corpus.infos[right].id, info.n_words)
        return self._pairs(np.array([[left, right]]), floor=0.0)[0]

    def _blocks(self, pairs: Whole) -> Iterator[Whole]:
        """Cut a list of pairs where its documents have BLOCK_WORDS together."""
        words = [info.n_words for info in self.corpus.infos]
        start = 0
        held: set[int] = set()
        n_words = 0
        for row, numbers in enumerate(pairs.tolist()):
            for number in numbers:
                if number not in held:
                    held.add(number)
                    n_words += words[number]
            if n_words >= BLOCK_WORDS:
                yield pairs[start : row + 1]
                start, n_words = row + 1, 0
                held.clear()
        if start < len(pairs):
            yield pairs[start:]

    def _strict_scores(self, pairs: Whole) -> npt.NDArray[np.float64]:
        return scoring.strict_score(self._align(pairs, weighted=False)[3])

    def _align(
        self, pairs: Whole, *, weighted: bool
    ) -> tuple[Whole, Whole, Whole, scoring.Alignment]:
        """Hash the documents of some pairs and align them; ids of lesser numbers go left."""
        numbers = np.unique(pairs)
        places = np.searchsorted(numbers, pairs)
        texts = self.corpus.texts(numbers.tolist())
        block, _ = make_block(texts, self.ngram, self.furniture if weighted else None)
        left, right = places.min(axis=1), places.max(axis=1)
        return numbers, left, right, scoring.align(block, left, right)

    def _score_block(self, pairs: Whole) -> tuple[list[Pair], int]:
        return self._pairs(pairs, SCORE_FLOOR), len(pairs)

    def _pairs(self, pairs: Whole, floor: float) -> list[Pair]:
        """Score a block of pairs; keep those of at least `floor`."""
        numbers, left, right, alignment = self._align(pairs, weighted=True)
        scores = scoring.score(alignment)
        infos = self.corpus.infos
        return [
            make_pair(
                infos[numbers[left[row]]].id, infos[numbers[right[row]]].id, alignment, scores, row
            )
            for row in np.flatnonzero(scores >= floor).tolist()
        ]


class EvidenceFinder:
    """Finds what documents of a few texts share, word by word."""

    def __init__(self, texts: Sequence[str], ngram: int, furniture: Furniture) -> None:
        self.texts = texts
        self.block, self.tokens = make_block(texts, ngram, furniture)

    def find(self, left: int, right: int) -> Evidence:
        """Return the passages that two of the texts share and what only one of them says."""
        runs, is_furniture = scoring.shared_runs(self.block, left, right)
        return evidence.gather(
            (self.texts[left], self.texts[right]),
            (self._spans(left), self._spans(right)),
            runs,
            is_furniture,
        )

    def _spans(self, number: int) -> npt.NDArray[np.int32]:
        assert self.tokens.spans is not None
        return self.tokens.spans[self.tokens.offsets[number] : self.tokens.offsets[number + 1]]


def compare_documents(left: Document, right: Document, settings: Settings) -> Comparison:
    """Compare two documents that belong to no corpus."""
    block, tokens = make_block([left.text, right.text], settings.ngram)
    for document, n_words in zip((left, right), block.n_words, strict=True):
        if n_words == 0:
            raise NothingToRead(f"a text to compare must hold a word, got none in {document.id}")
    one, other = digests(tokens)
    if one == other:
        pair = identical_pair(left.id, right.id, int(block.n_words[0]))
    else:
        alignment = scoring.align(block, np.array([0]), np.array([1]))
        pair = make_pair(left.id, right.id, alignment, scoring.score(alignment), 0)
    found = EvidenceFinder([left.text, right.text], settings.ngram, Furniture.empty()).find(0, 1)
    return Comparison(replace(pair, evidence=found), left.text, right.text, settings.threshold)


def make_block(
    texts: Sequence[str], ngram: int, furniture: Furniture | None = None
) -> tuple[scoring.Block, Tokens]:
    """Hash some texts for comparison; also return where their tokens stand."""
    tokens = hash_tokens(texts, detail=True)
    assert tokens.lines is not None
    shingles = hash_shingles(tokens, ngram)
    weights = None
    if furniture is not None:
        weights = furniture.weights(shingles.hashes, shingles.offsets, tokens.offsets)
    return scoring.Block(
        shingles.hashes, shingles.offsets, tokens.offsets, tokens.lines, ngram, weights
    ), tokens


def make_pair(
    left: str, right: str, alignment: scoring.Alignment, scores: npt.NDArray[np.float64], row: int
) -> Pair:
    """Return one row of an alignment as a pair with a verdict and a reason."""
    shared = int(alignment.covered[row])
    hole = int(alignment.hole[row])
    furniture = int(alignment.furniture[row])
    containments = (
        float(alignment.containment_left[row]),
        float(alignment.containment_right[row]),
    )
    score = float(scores[row])
    verdict = scoring.verdict(
        score,
        hole,
        shared,
        alignment.covered_left[row] / alignment.words_left[row],
        alignment.covered_right[row] / alignment.words_right[row],
    )
    return Pair(
        left=left,
        right=right,
        score=score,
        jaccard=float(alignment.jaccard[row]),
        containment=max(containments),
        containment_left=containments[0],
        containment_right=containments[1],
        verdict=verdict,
        reason=scoring.reason(verdict, shared, hole, furniture),
        shared_words=shared,
        hole_words=hole,
        furniture_words=furniture,
    )


def identical_pair(left: str, right: str, n_words: int) -> Pair:
    """Return two documents with the same tokens as a pair."""
    reason = scoring.reason("identical", n_words, 0, 0)
    return Pair(left, right, 1.0, 1.0, 1.0, 1.0, 1.0, "identical", reason, n_words, 0, 0)

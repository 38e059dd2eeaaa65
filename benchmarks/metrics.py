"""Clusters against gold: which pairs of documents are joined, and which should be.

A clustering says of every pair of documents whether they belong together, so it is
judged by its pairs: precision, recall, F1, and the adjusted Rand index, which is
what is left of their agreement once chance is taken off. A document whose story is
None belongs nowhere in particular and is not counted.

Everything here is counting; running a system is left to `systems`.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedupe.shingling import shingle

Clusters = Iterable[Sequence[str]]
Pair = tuple[str, str]
Hashes = npt.NDArray[np.generic]

MAX_PAIRS = 2000
"""Gold pairs of one story that are looked at for hard ones; more are sampled."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many pairs are found, how many are right, how many there are.

    Those of several collections add up.

    Attributes
    ----------
    n_true : int
        Pairs that are found and are of one story.
    n_found, n_gold, n_pairs : int
        Pairs that are found; that are of one story; that exist.
    """

    n_true: int = 0
    n_found: int = 0
    n_gold: int = 0
    n_pairs: int = 0

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Return the counts of two collections together."""
        return PairCounts(
            self.n_true + other.n_true,
            self.n_found + other.n_found,
            self.n_gold + other.n_gold,
            self.n_pairs + other.n_pairs,
        )

    @property
    def n_false(self) -> int:
        """Pairs that are found and should not be."""
        return self.n_found - self.n_true

    @property
    def n_missed(self) -> int:
        """Pairs of one story that are not found."""
        return self.n_gold - self.n_true

    @property
    def precision(self) -> float:
        """Share of the found pairs that are right; 1 when none is found."""
        return self.n_true / self.n_found if self.n_found else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold pairs that are found; 1 when there are none."""
        return self.n_true / self.n_gold if self.n_gold else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.n_found + self.n_gold
        return 2 * self.n_true / both if both else 1.0

    @property
    def adjusted_rand(self) -> float:
        """Adjusted Rand index (Hubert & Arabie 1985); over labelled pairs, Cohen's kappa."""
        expected = self.n_found * self.n_gold / self.n_pairs if self.n_pairs else 0.0
        best = (self.n_found + self.n_gold) / 2
        return (self.n_true - expected) / (best - expected) if best != expected else 1.0


def count_pairs(
    stories: Mapping[str, str | None],
    clusters: Clusters,
    unjudged: Iterable[frozenset[str]] = (),
) -> PairCounts:
    """Count the pairs that clusters induce against those that stories induce.

    Parameters
    ----------
    stories : mapping from id to story or None
        Every document; None leaves it out of the count.
    clusters : iterable of sequences of ids
        Documents in no cluster stand alone.
    unjudged : iterable of sets of two stories, optional
        Pairs between these are not counted.

    Examples
    --------
    >>> counts = count_pairs({"a": "x", "b": "x", "c": "y"}, [["a", "b", "c"]])
    >>> counts.n_true, counts.n_found, counts.n_gold, counts.n_pairs
    (1, 3, 1, 3)
    >>> count_pairs({"a": "x", "b": "x", "c": "y"}, [["a", "b", "c"]], [{"x", "y"}]).precision
    1.0
    """
    cells: Counter[tuple[int, str]] = Counter()
    for number, cluster in enumerate(clusters):
        cells.update((number, story) for d in cluster if (story := stories[d]) is not None)
    found: Counter[int] = Counter()
    for (number, _), n in cells.items():
        found[number] += n
    gold = Counter(story for story in stories.values() if story is not None)
    apart = [sorted(pair) for pair in unjudged]
    return PairCounts(
        n_true=_pairs_within(cells),
        n_found=_pairs_within(found)
        - sum(cells[number, x] * cells[number, y] for number in found for x, y in apart),
        n_gold=_pairs_within(gold),
        n_pairs=_pairs_of(gold.total()) - sum(gold[x] * gold[y] for x, y in apart),
    )


def count_labelled(labelled: Iterable[tuple[str, str, bool]], clusters: Clusters) -> PairCounts:
    """Count among pairs that a person has labelled, where stories as a whole are unknown.

    >>> count_labelled([("a", "b", True), ("a", "c", False)], [["a", "b", "c"]]).precision
    0.5
    """
    cluster_of = _cluster_of(clusters)
    cells = Counter((same, _joined(cluster_of, a, b)) for a, b, same in labelled)
    return PairCounts(
        n_true=cells[True, True],
        n_found=cells[True, True] + cells[False, True],
        n_gold=cells[True, True] + cells[True, False],
        n_pairs=cells.total(),
    )


def are_joined(pairs: Iterable[Pair], clusters: Clusters) -> list[bool]:
    """Return which of some pairs stand in one cluster.

    >>> are_joined([("a", "b"), ("a", "c")], [["a", "b"]])
    [True, False]
    """
    cluster_of = _cluster_of(clusters)
    return [_joined(cluster_of, a, b) for a, b in pairs]


def gold_pairs(stories: Mapping[str, str | None], seed: int = 1) -> Iterator[Pair]:
    """Yield the pairs of one story, at most `MAX_PAIRS` of any, which are then a sample.

    >>> list(gold_pairs({"a": "x", "b": "x", "c": "y", "d": None, "e": None}))
    [('a', 'b')]
    """
    members: dict[str, list[str]] = {}
    for document, story in stories.items():
        if story is not None:
            members.setdefault(story, []).append(document)
    draw = random.Random(seed)
    for documents in members.values():
        if _pairs_of(len(documents)) <= MAX_PAIRS:
            yield from itertools.combinations(documents, 2)
        else:
            for _ in range(MAX_PAIRS):
                left, right = draw.sample(documents, 2)
                yield left, right


def similarities(texts: Mapping[str, str], pairs: Sequence[Pair]) -> list[float]:
    """Return the exact word-5-gram Jaccard similarity of each pair.

    >>> similarities({"1": "a b c d e f", "2": "b c d e f"}, [("1", "2"), ("2", "2")])
    [0.5, 1.0]
    """
    sets = {d: np.unique(shingle(texts[d])) for d in {d for pair in pairs for d in pair}}
    return [jaccard(sets[a], sets[b]) for a, b in pairs]


def jaccard(left: Hashes, right: Hashes) -> float:
    """Return the Jaccard similarity of two sets, each an array without repeats.

    >>> jaccard(np.array([1, 2, 3]), np.array([2, 3, 4]))
    0.5
    """
    return overlap(left, right)[0]


def overlap(left: Hashes, right: Hashes) -> tuple[float, float]:
    """Return the Jaccard similarity of two sets, and the share of the smaller in the larger.

    >>> overlap(np.array([1, 2]), np.array([2, 3, 4]))
    (0.25, 0.5)
    """
    n_shared = np.intersect1d(left, right, assume_unique=True).size
    n_all, n_least = left.size + right.size - n_shared, min(left.size, right.size)
    return n_shared / n_all if n_all else 0.0, n_shared / n_least if n_least else 0.0


def _cluster_of(clusters: Clusters) -> dict[str, int]:
    """Return the number of the cluster of each document that is in one."""
    return {document: n for n, cluster in enumerate(clusters) for document in cluster}


def _joined(cluster_of: Mapping[str, int], left: str, right: str) -> bool:
    """Return whether two documents are in one cluster."""
    return left in cluster_of and cluster_of[left] == cluster_of.get(right)


def _pairs_within(sizes: Counter) -> int:  # type: ignore[type-arg]
    """Return how many pairs groups of these sizes hold."""
    return sum(_pairs_of(n) for n in sizes.values())


def _pairs_of(n: int) -> int:
    """Return how many pairs `n` documents make."""
    return n * (n - 1) // 2

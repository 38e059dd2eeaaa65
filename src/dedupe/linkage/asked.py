"""Says how alike two clusters are on average, and asks for scores that are not known.

A story that was copied 20,000 times asks for a few scores for each copy. So that many of them
can be asked for at once, it is foreseen what will join next.
"""

from collections.abc import Callable, Iterable

import numpy as np

from dedupe.arrays import Ints
from dedupe.linkage.clusters import Clusters, Members
from dedupe.linkage.links import Links
from dedupe.linkage.means import SAMPLE, Scores, sampled_pairs

__all__ = ["AHEAD", "Ask", "AskedMeans"]

AHEAD = 1 << 9
"""Pairs asked for at once at most, those of the next links among them.

A question costs as much as fifty pairs, and a story copied 20,000 times asks one for each
copy, of eight pairs.
"""

Ask = Callable[[Ints], Iterable[float]]


class AskedMeans:
    """Mean scores of a sample of the cross pairs of two clusters, asked for where unknown.

    A question costs more than its pairs, so the next links are foreseen, as if each joined;
    fewer of them once one did not.

    Attributes
    ----------
    needed : list
        The pairs that were asked for and are in a mean, each once.
    """

    def __init__(self, scores: Scores, clusters: Clusters, links: Links, ask: Ask) -> None:
        self.needed: list[tuple[int, int]] = []
        self._scores = scores
        self._clusters = clusters
        self._links = links
        self._ask = ask
        self._n_ahead = SAMPLE * SAMPLE
        # Answers that no mean has needed yet, and how many were left at the last question.
        self._answers: Scores = {}
        self._n_left = 0
        self._found: dict[tuple[int, int, int, int], float] = {}

    def between(self, one: int, other: int) -> float:
        """Return the mean of two clusters, which stands until one of them has grown."""
        sides = self._clusters.members[one], self._clusters.members[other]
        state = (one, len(sides[0]), other, len(sides[1]))
        if state not in self._found:
            self._found[state] = self._mean(one, other)
        return self._found[state]

    def join(self, one: int, other: int) -> None:
        """Note that two clusters become one; there is nothing to do."""

    def _mean(self, one: int, other: int) -> float:
        members = self._clusters.members
        pairs = sampled_pairs(members[one], members[other])
        needed = [pair for pair in pairs if pair not in self._scores]
        if any(pair not in self._answers for pair in needed):
            self._ask_for(needed, one, other)
        for pair in needed:
            self._scores[pair] = self._answers.pop(pair)
        self.needed += needed
        return sum(self._scores[pair] for pair in pairs) / len(pairs)

    def _ask_for(self, needed: Iterable[tuple[int, int]], one: int, other: int) -> None:
        """Ask for some pairs, and for those of the next links as if these two clusters joined."""
        was_right = len(self._answers) <= self._n_left
        self._n_left = len(self._answers)
        self._n_ahead = min(2 * self._n_ahead, AHEAD) if was_right else max(1, self._n_ahead // 2)
        foreseen = _Foreseen(self._clusters)
        foreseen.join(one, other)
        unknown = self._unknown(needed)
        for _, a, b in self._links.coming(AHEAD):
            if len(unknown) >= self._n_ahead:
                break
            one, other = foreseen.sides(a, b)
            if one != other:
                # No pair comes twice: its sides are in one cluster from now on.
                unknown += self._unknown(foreseen.pairs(one, other))
                foreseen.join(one, other)
        self._answers.update(zip(unknown, self._ask(np.array(unknown, np.int64)), strict=True))

    def _unknown(self, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        return [pair for pair in pairs if pair not in self._scores and pair not in self._answers]


class _Foreseen:
    """Clusters as they will be if some links join; those they start from stay as they are."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters
        self._into: dict[int, int] = {}
        self._grown: Members = {}

    def sides(self, a: int, b: int) -> tuple[int, int]:
        """Return the clusters of two documents, the larger first."""
        one, other = self._cluster_of(a), self._cluster_of(b)
        if len(self._members(one)) < len(self._members(other)):
            return other, one
        return one, other

    def pairs(self, one: int, other: int) -> list[tuple[int, int]]:
        """Return the cross pairs that two clusters will be compared by."""
        return sampled_pairs(self._members(one), self._members(other))

    def join(self, one: int, other: int) -> None:
        """Let the documents of the other cluster follow those of the one."""
        if one not in self._grown:
            self._grown[one] = [*self._members(one)]
        self._grown[one] += self._members(other)
        self._into[other] = one

    def _cluster_of(self, document: int) -> int:
        cluster = self._clusters.of[document]
        while cluster in self._into:
            cluster = self._into[cluster]
        return cluster

    def _members(self, cluster: int) -> list[int]:
        return self._grown.get(cluster) or self._clusters.members[cluster]

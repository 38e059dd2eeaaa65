"""Says how alike two clusters are on average, by scores that are known."""

from collections.abc import Sequence

from dedupe.linkage.clusters import Members

__all__ = ["SAMPLE", "KnownMeans", "SampledMeans", "Scores", "sampled_pairs"]

SAMPLE = 8
"""Documents of either cluster whose pairs make up the average: 64 pairs at most."""

Scores = dict[tuple[int, int], float]


class KnownMeans:
    """Mean scores of all cross pairs of two clusters, as far as they are known."""

    def __init__(self, scores: Scores, members: Members) -> None:
        # The sum and the number of known scores between two clusters, one list for both.
        self._sums: dict[int, dict[int, list[float]]] = {document: {} for document in members}
        for (a, b), score in scores.items():
            self._sums[a][b] = self._sums[b][a] = [score, 1]

    def between(self, one: int, other: int) -> float:
        """Return the mean of two clusters that have a known pair."""
        total, n_known = self._sums[one][other]
        return total / n_known

    def join(self, one: int, other: int) -> None:
        """Add up what is known of two clusters that become one."""
        kept = self._sums[one]
        for third, known in self._sums.pop(other).items():
            del self._sums[third][other]
            if third == one:
                continue
            if third in kept:
                kept[third][0] += known[0]
                kept[third][1] += known[1]
            else:
                kept[third] = self._sums[third][one] = known


class SampledMeans(KnownMeans):
    """Mean scores of those pairs that would be asked for, as far as they are known.

    See `dedupe.linkage.asked`. Where none of them is known, all others that are known count.
    """

    def __init__(self, scores: Scores, members: Members) -> None:
        super().__init__(scores, members)
        self._scores = scores
        self._members = members

    def between(self, one: int, other: int) -> float:
        """Return the mean of two clusters that have a known pair."""
        pairs = sampled_pairs(self._members[one], self._members[other])
        found = [self._scores[pair] for pair in pairs if pair in self._scores]
        return sum(found) / len(found) if found else super().between(one, other)


def sampled_pairs(one: Sequence[int], other: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of a sample of either side, the lesser document first."""
    those = _sample(other)
    return [(a, b) if a < b else (b, a) for a in _sample(one) for b in those]


def _sample(members: Sequence[int]) -> Sequence[int]:
    """Return at most SAMPLE members, evenly spaced in the order in which they joined."""
    return members[:: -(-len(members) // SAMPLE)]

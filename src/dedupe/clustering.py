"""Joins scored pairs into clusters, without chains.

Joining everything that is linked turns a few wrong pairs into giant clusters: A
resembles B and B resembles C, yet A and C share nothing. Here two clusters join
only if their documents are alike *on average* (average linkage; Sokal & Michener
1958). Pairs are taken best first. Where unknown scores can be asked for, the average
is over a fixed sample of cross pairs at most, so that a story copied 20,000 times
costs linear work.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["average_linkage", "components"]

SAMPLE = 8
"""Documents of either cluster whose pairs make up the average: 64 pairs at most."""

SLACK = 0.1
"""How far the mean of two clusters may be below what it was last and they still join now.

Waiting for the exact order would compare each of 20,000 near-copies again
whenever another has joined.
"""

MEAN_SHARE = 0.8
"""Share of the threshold that the average must reach.

Within a true cluster the weakest cross pairs lie under the threshold; they must
not split it. On development pages shares from 0.8 to 1 do equally well.
"""

AHEAD = 1 << 9
"""Pairs asked for at once at most, those of the next links among them.

A question costs as much as fifty pairs, and a story copied 20,000 times asks one for each
copy, of eight pairs.
"""

Whole = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.floating[Any]]
Ask = Callable[[npt.NDArray[np.int64]], Iterable[float]]
Note = Callable[[npt.NDArray[np.int64]], None]
Scores = dict[tuple[int, int], float]
Members = dict[int, list[int]]
Link = tuple[float, int, int]


def average_linkage(
    n_docs: int,
    pairs: Whole,
    scores: Floats,
    *,
    threshold: float,
    mean_share: float | None = None,
    ask: Ask | None = None,
    note: Note | None = None,
    missing: float | None = 0.0,
    sampled: bool = False,
    may_join: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.int64]:
    """Return the cluster of each document.

    Parameters
    ----------
    n_docs : int
    pairs : int [shape=(n_pairs, 2)]
        Documents, each pair once, in any order.
    scores : float [shape=(n_pairs,)], in [0, 1]
        Only scores that reach `threshold` join clusters; lower ones count in the
        averages.
    threshold : float, in [0, 1]
    mean_share : float, in [0, 1], optional
        Share of the threshold that the average must reach, MEAN_SHARE by default.
    ask : callable, optional
        Gives the scores of an array of pairs, lesser document first, that are not
        among `pairs`. Some may turn out not to be needed: those of many links are asked for
        at once, as if all of them joined.
    note : callable, optional
        Is given the pairs that were asked for and needed, in the end.
    missing : float or None
        What those pairs count without `ask`; None leaves them out of the average.
    sampled : bool
        Whether the average is over the pairs that would be asked for, as far as they are
        among `pairs`: so the clusters are those that `ask` gave, once what it told is there.
    may_join : bool [shape=(n_pairs,)], optional
        Which pairs join clusters if their scores are high; the others count in the averages
        alone. All of them by default.

    Returns
    -------
    int64 [shape=(n_docs,)]
        The least document of the cluster. Equal scores are taken in the order of
        document numbers, so the numbers should not depend on the order of input.

    Examples
    --------
    >>> chain, scores = [[0, 1], [1, 2]], [0.9, 0.8]
    >>> average_linkage(3, np.array(chain), np.array(scores), threshold=0.6).tolist()
    [0, 0, 2]
    >>> triangle, scores = [[0, 1], [1, 2], [0, 2]], [0.9, 0.8, 0.7]
    >>> average_linkage(3, np.array(triangle), np.array(scores), threshold=0.6).tolist()
    [0, 0, 0]
    """
    # A cluster lies within a component, and nearly all of those are one cluster at once.
    is_link = scores >= threshold
    if may_join is not None:
        is_link &= may_join
    labels = components(n_docs, pairs[is_link])
    is_inside = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    pairs, scores, is_link = pairs[is_inside], scores[is_inside], is_link[is_inside]
    is_doubtful = _are_doubtful(labels, pairs, is_link, ask is None and missing is None)
    documents = np.flatnonzero(is_doubtful[labels])
    among = is_doubtful[labels[pairs[:, 0]]]
    labels[documents] = documents[
        _join_best_first(
            documents.size,
            np.searchsorted(documents, pairs[among]),
            scores[among],
            is_link[among],
            least_mean=threshold * (MEAN_SHARE if mean_share is None else mean_share),
            ask=None if ask is None else lambda few: ask(documents[few]),
            note=None if note is None else lambda few: note(documents[few]),
            missing=missing,
            sampled=sampled,
        )
    ]
    return labels


def _are_doubtful(
    labels: npt.NDArray[np.int64], pairs: Whole, is_high: npt.NDArray[np.bool_], only_known: bool
) -> npt.NDArray[np.bool_]:
    """Return, by label, in which components an average may lie below the threshold.

    In all others no pair does: none that is known, if only those count. `pairs` are
    those within components, and `is_high` tells which reach the threshold and may join.
    """
    of_pairs = labels[pairs[:, 0]]
    if only_known:
        n_low: npt.NDArray[np.int64] = np.bincount(of_pairs[~is_high], minlength=labels.size)
        return n_low > 0
    n_members = np.bincount(labels, minlength=labels.size)
    n_high = np.bincount(of_pairs[is_high], minlength=labels.size)
    is_short: npt.NDArray[np.bool_] = n_high < n_members * (n_members - 1) // 2
    return is_short


def _join_best_first(
    n_docs: int,
    pairs: npt.NDArray[np.int64],
    scores: Floats,
    is_link: npt.NDArray[np.bool_],
    *,
    least_mean: float,
    ask: Ask | None,
    note: Note | None,
    missing: float | None,
    sampled: bool,
) -> list[int]:
    """Return the cluster of each document, one join after the other."""
    pairs = np.sort(pairs, axis=1)
    known = dict(zip(map(tuple, pairs.tolist()), scores.tolist(), strict=True))
    clusters = _Clusters(n_docs)
    links = _Links(pairs[is_link], scores[is_link])
    means: _KnownMeans | _AskedMeans
    if ask is not None:
        means = _AskedMeans(known, clusters, links, ask)
    else:
        means = (_SampledMeans if sampled else _KnownMeans)(known, clusters.members, missing)
    for key, a, b in links:
        one, other = clusters.sides(a, b)
        if one == other:
            continue
        mean = means.between(one, other)
        if mean < least_mean:
            continue
        # Not compared with what waits next, which may have nothing to do with these two.
        if mean < -key - SLACK:
            links.put_off((-mean, a, b))
            continue
        means.join(one, other)
        clusters.join(one, other)
    if note is not None and isinstance(means, _AskedMeans):
        note(np.array(means.needed, np.int64).reshape(-1, 2))
    least = {cluster: min(documents) for cluster, documents in clusters.members.items()}
    return [least[cluster] for cluster in clusters.of]


class _Clusters:
    """Documents in clusters that join, at first one in each.

    Attributes
    ----------
    of : list of int
        The cluster of each document.
    members : mapping
        The documents of each cluster, in the order in which they joined.
    """

    def __init__(self, n_docs: int) -> None:
        self.of = list(range(n_docs))
        self.members: Members = {document: [document] for document in range(n_docs)}

    def sides(self, a: int, b: int) -> tuple[int, int]:
        """Return the clusters of two documents, the larger first."""
        one, other = self.of[a], self.of[b]
        if len(self.members[one]) < len(self.members[other]):
            return other, one
        return one, other

    def join(self, one: int, other: int) -> None:
        """Let the documents of the other cluster follow those of the one."""
        joining = self.members.pop(other)
        for document in joining:
            self.of[document] = one
        self.members[one] += joining


class _Foreseen:
    """Clusters as they will be if some links join; those they start from stay as they are."""

    def __init__(self, clusters: _Clusters) -> None:
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
        return _sampled_pairs(self._members(one), self._members(other))

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


class _Links:
    """Yields links, the most alike first: the score of a pair, later the mean of two clusters.

    A link is the negative of that, and a document of either side, the lesser first.
    """

    def __init__(self, pairs: npt.NDArray[np.int64], scores: Floats) -> None:
        order = np.lexsort((pairs[:, 1], pairs[:, 0], -scores))
        columns = (-scores[order], *pairs[order].T)
        self._links = [*zip(*(column.tolist() for column in columns), strict=True)]
        self._n_taken = 0
        self._put_off: list[Link] = []

    def __iter__(self) -> Iterator[Link]:
        while True:
            waits = self._n_taken < len(self._links)
            if self._put_off and not (waits and self._links[self._n_taken] < self._put_off[0]):
                yield heapq.heappop(self._put_off)
            elif waits:
                self._n_taken += 1
                yield self._links[self._n_taken - 1]
            else:
                return

    def put_off(self, link: Link) -> None:
        """Let a link wait until its turn comes once more."""
        heapq.heappush(self._put_off, link)

    def coming(self) -> Sequence[Link]:
        """Return the next AHEAD links, as far as none is put off."""
        return self._links[self._n_taken : self._n_taken + AHEAD]


def components(n_docs: int, pairs: Whole) -> npt.NDArray[np.int64]:
    """Return the least document that each document is connected with by any number of pairs.

    What is in two components can never be in one cluster. Labels spread along all
    pairs at once, and jump along what they lead to (Shiloach & Vishkin 1982).

    Parameters
    ----------
    n_docs : int
    pairs : int [shape=(n_pairs, 2)]

    Examples
    --------
    >>> components(5, np.array([[3, 1], [4, 3]])).tolist()
    [0, 1, 2, 1, 1]
    """
    least = np.arange(n_docs)
    while True:
        labels = least[pairs]
        lower = labels.min(axis=1)
        found = least.copy()
        for side in (0, 1):
            # The label of a document falls too, and with it all that carry it: labels
            # that spread along pairs alone would take a round for each link of a chain.
            np.minimum.at(found, labels[:, side], lower)
            np.minimum.at(found, pairs[:, side], lower)
        found = found[found]
        if (found == least).all():
            return least
        least = found


class _AskedMeans:
    """Mean scores of a sample of the cross pairs of two clusters, asked for where unknown.

    A question costs more than its pairs, so the next links are foreseen, as if each joined;
    fewer of them once one did not.

    Attributes
    ----------
    needed : list
        The pairs that were asked for and are in a mean, each once.
    """

    def __init__(self, scores: Scores, clusters: _Clusters, links: _Links, ask: Ask) -> None:
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
        pairs = _sampled_pairs(members[one], members[other])
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
        for _, a, b in self._links.coming():
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


class _KnownMeans:
    """Mean scores of all cross pairs of two clusters, as far as they are known."""

    def __init__(self, scores: Scores, members: Members, missing: float | None) -> None:
        self._members = members
        self._missing = missing
        # The sum and the number of known scores between two clusters, one list for both.
        self._sums: dict[int, dict[int, list[float]]] = {document: {} for document in members}
        for (a, b), score in scores.items():
            self._sums[a][b] = self._sums[b][a] = [score, 1]

    def between(self, one: int, other: int) -> float:
        """Return the mean of two clusters that have a known pair."""
        total, n_known = self._sums[one][other]
        if self._missing is None:
            return total / n_known
        n_pairs = len(self._members[one]) * len(self._members[other])
        return (total + self._missing * (n_pairs - n_known)) / n_pairs

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


class _SampledMeans(_KnownMeans):
    """Mean scores of the pairs that `_AskedMeans` asks for, as far as they are known.

    Where none of them is, all that are known count.
    """

    def __init__(self, scores: Scores, members: Members, missing: float | None) -> None:
        super().__init__(scores, members, missing)
        self._scores = scores

    def between(self, one: int, other: int) -> float:
        """Return the mean of two clusters that have a known pair."""
        pairs = _sampled_pairs(self._members[one], self._members[other])
        found = [self._scores[pair] for pair in pairs if pair in self._scores]
        return sum(found) / len(found) if found else super().between(one, other)


def _sampled_pairs(one: Sequence[int], other: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of a sample of either side, the lesser document first."""
    those = _sample(other)
    return [(a, b) if a < b else (b, a) for a in _sample(one) for b in those]


def _sample(members: Sequence[int]) -> Sequence[int]:
    """Return at most SAMPLE members, evenly spaced in the order in which they joined."""
    return members[:: -(-len(members) // SAMPLE)]

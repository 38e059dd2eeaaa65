"""Scored pairs to clusters, without chains.

Joining everything that is linked turns a few wrong pairs into giant clusters: A
resembles B and B resembles C, yet A and C share nothing. Here two clusters join
only if their documents are alike *on average* (average linkage; Sokal & Michener
1958). Pairs are taken best first, and the average is over a fixed sample of cross
pairs at most, so that a story copied 20,000 times costs linear work.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["average_linkage"]

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
not split it. On development pages shares from 0.5 to 1 differ by 0.002 in F1.
"""

Ask = Callable[[list[tuple[int, int]]], list[float]]


def average_linkage(
    n_docs: int,
    edges: Iterable[tuple[int, int, float]],
    *,
    threshold: float,
    mean_share: float | None = None,
    ask: Ask | None = None,
    missing: float | None = 0.0,
) -> npt.NDArray[np.int64]:
    """Return the cluster of each document.

    Parameters
    ----------
    n_docs : int
    edges : iterable of (document, document, score)
        Each pair once, in any order. Only scores that reach `threshold` join
        clusters; lower ones count in the averages.
    threshold : float, in [0, 1]
    mean_share : float, in [0, 1], optional
        Share of the threshold that the average must reach, MEAN_SHARE by default.
    ask : callable, optional
        Gives the scores of a list of pairs, lesser document first, that are not
        among the edges.
    missing : float or None
        What those pairs count without `ask`; None leaves them out of the average.

    Returns
    -------
    int64 [shape=(n_docs,)]
        The least document of the cluster. Equal scores are taken in the order of
        document numbers, so the numbers should not depend on the order of input.

    Examples
    --------
    >>> chain = [(0, 1, 0.9), (1, 2, 0.8)]
    >>> average_linkage(3, chain, threshold=0.6).tolist()
    [0, 0, 2]
    >>> average_linkage(3, [*chain, (0, 2, 0.7)], threshold=0.6).tolist()
    [0, 0, 0]
    """
    least_mean = threshold * (MEAN_SHARE if mean_share is None else mean_share)
    scores = {(min(a, b), max(a, b)): score for a, b, score in edges}
    # The most alike come first: the score of a pair, later the mean of two clusters.
    waiting = [(-score, *pair) for pair, score in scores.items() if score >= threshold]
    heapq.heapify(waiting)
    cluster_of = list(range(n_docs))
    members = {document: [document] for document in range(n_docs)}
    means: dict[tuple[int, int, int, int], float] = {}
    while waiting:
        key, a, b = heapq.heappop(waiting)
        one, other = cluster_of[a], cluster_of[b]
        if one == other:
            continue
        if len(members[one]) < len(members[other]):
            one, other = other, one
        # The mean of two clusters stands until one of them has grown.
        state = (one, len(members[one]), other, len(members[other]))
        if state not in means:
            means[state] = _mean_score(members[one], members[other], scores, ask, missing)
        mean = means[state]
        if mean < least_mean:
            continue
        # Not compared with what waits next, which may have nothing to do with these two.
        if mean < -key - SLACK:
            heapq.heappush(waiting, (-mean, a, b))
            continue
        for document in members[other]:
            cluster_of[document] = one
        members[one] += members.pop(other)
    least = {cluster: min(documents) for cluster, documents in members.items()}
    return np.array([least[cluster] for cluster in cluster_of], np.int64)


def _mean_score(
    one: Sequence[int],
    other: Sequence[int],
    scores: dict[tuple[int, int], float],
    ask: Ask | None,
    missing: float | None,
) -> float:
    """Return the mean score of a sample of the cross pairs of two clusters."""
    pairs = [(min(a, b), max(a, b)) for a in _sample(one) for b in _sample(other)]
    if ask is not None and (unknown := [pair for pair in pairs if pair not in scores]):
        scores.update(zip(unknown, ask(unknown), strict=True))
    found = [score for pair in pairs if (score := scores.get(pair, missing)) is not None]
    # The sample may have missed the one pair that brought the two clusters together.
    return sum(found) / len(found) if found else 1.0


def _sample(members: Sequence[int]) -> Sequence[int]:
    """Return at most SAMPLE members, evenly spaced in the order in which they joined."""
    return members[:: -(-len(members) // SAMPLE)]

"""Joins scored pairs into clusters, without chains.

Joining everything that is linked turns a few wrong pairs into giant clusters: A
resembles B and B resembles C, yet A and C share nothing. Here two clusters join
only if their documents are alike *on average* (average linkage; Sokal & Michener
1958). Pairs are taken best first. Where unknown scores can be asked for, the average
is over a fixed sample of cross pairs at most, so that a story copied 20,000 times
costs linear work.
"""

from collections.abc import Callable

import numpy as np

from dedupe.arrays import AnyFloats, AnyInts, Bools, Ints
from dedupe.kernels.components import components_into
from dedupe.kernels.linkage import join_into
from dedupe.linkage.asked import Ask, AskedMeans
from dedupe.linkage.clusters import Clusters
from dedupe.linkage.links import Links
from dedupe.linkage.means import KnownMeans, SampledMeans

__all__ = ["Ask", "Note", "attached", "average_linkage", "components"]

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

FEW, MANY = 512, 1000
"""Documents up to which, and pairs from which on, tables hold what is known of each two: 4 MB at
most. A query among two hundred copies has 20,000 pairs, which took a tenth of a second."""

Note = Callable[[Ints], None]


def average_linkage(
    n_docs: int,
    pairs: AnyInts,
    scores: AnyFloats,
    *,
    threshold: float,
    mean_share: float | None = None,
    ask: Ask | None = None,
    note: Note | None = None,
    sampled: bool = False,
    may_join: Bools | None = None,
) -> Ints:
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
        at once, as if all of them joined. Without it, the average leaves such pairs out.
    note : callable, optional
        Is given the pairs that were asked for and needed, in the end.
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
    >>> pairs = np.array([[0, 1], [1, 2], [0, 2]])
    >>> average_linkage(3, pairs, np.array([0.9, 0.8, 0.7]), threshold=0.6).tolist()
    [0, 0, 0]
    >>> average_linkage(3, pairs, np.array([0.9, 0.8, 0.0]), threshold=0.6).tolist()
    [0, 0, 2]
    """
    # A cluster lies within a component, and nearly all of those are one cluster at once.
    is_link = scores >= threshold
    if may_join is not None:
        is_link &= may_join
    if note is None and not is_link.any():
        return np.arange(n_docs)
    labels = components(n_docs, pairs[is_link])
    is_inside = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    pairs, scores, is_link = pairs[is_inside], scores[is_inside], is_link[is_inside]
    is_doubtful = _are_doubtful(labels, pairs, is_link, only_known=ask is None)
    if note is None and not is_doubtful.any():
        return labels
    documents = np.flatnonzero(is_doubtful[labels])
    among = is_doubtful[labels[pairs[:, 0]]]
    labels[documents] = documents[
        _joined(
            documents.size,
            np.searchsorted(documents, pairs[among]),
            scores[among],
            is_link[among],
            least_mean=threshold * (MEAN_SHARE if mean_share is None else mean_share),
            ask=None if ask is None else lambda few: ask(documents[few]),
            note=None if note is None else lambda few: note(documents[few]),
            sampled=sampled,
        )
    ]
    return labels


def _are_doubtful(labels: Ints, pairs: AnyInts, is_high: Bools, *, only_known: bool) -> Bools:
    """Return, by label, in which components an average may lie below the threshold.

    In all others no pair does: none that is known, if only those count. `pairs` are
    those within components, and `is_high` tells which reach the threshold and may join.
    """
    of_pairs = labels[pairs[:, 0]]
    if only_known:
        n_low: Ints = np.bincount(of_pairs[~is_high], minlength=labels.size)
        return n_low > 0
    n_members = np.bincount(labels, minlength=labels.size)
    n_high = np.bincount(of_pairs[is_high], minlength=labels.size)
    is_short: Bools = n_high < n_members * (n_members - 1) // 2
    return is_short


def _joined(
    n_docs: int,
    pairs: Ints,
    scores: AnyFloats,
    is_link: Bools,
    *,
    least_mean: float,
    ask: Ask | None,
    note: Note | None,
    sampled: bool,
) -> list[int]:
    """Return the cluster of each document of some components."""
    pairs = np.sort(pairs, axis=1)
    if ask is None and not sampled and n_docs <= FEW and len(pairs) >= MANY:
        return _few_joined(n_docs, pairs, scores, is_link, least_mean)
    known = dict(zip(zip(*pairs.T.tolist(), strict=True), scores.tolist(), strict=True))
    clusters = Clusters(n_docs)
    links = Links(pairs[is_link], scores[is_link])
    if ask is None:
        kind = SampledMeans if sampled else KnownMeans
        _join_best_first(clusters, links, kind(known, clusters.members), least_mean)
    else:
        means = AskedMeans(known, clusters, links, ask)
        _join_best_first(clusters, links, means, least_mean)
        if note is not None:
            note(np.array(means.needed, np.int64).reshape(-1, 2))
    return clusters.labels()


def _few_joined(
    n_docs: int, pairs: Ints, scores: AnyFloats, is_link: Bools, least_mean: float
) -> list[int]:
    """Return the cluster of each of a few documents, by known pairs, the lesser document first."""
    sums, n_known = np.zeros((2, n_docs, n_docs))
    lesser, greater = pairs.T
    sums[lesser, greater] = sums[greater, lesser] = scores
    n_known[lesser, greater] = n_known[greater, lesser] = 1
    keys, ones, others = -scores[is_link].astype(np.float64), lesser[is_link], greater[is_link]
    order = np.lexsort((others, ones, keys))
    least, labels = np.empty((2, n_docs), np.int64)
    join_into(
        keys[order],
        ones[order],
        others[order],
        sums,
        n_known,
        least_mean,
        SLACK,
        np.empty(order.size),
        np.empty(order.size, np.int64),
        least,
        labels,
    )
    found: list[int] = labels.tolist()
    return found


def _join_best_first(
    clusters: Clusters, links: Links, means: KnownMeans | AskedMeans, least_mean: float
) -> None:
    """Join the clusters of links that are alike on average, one after the other."""
    of = clusters.of
    for key, a, b in links:
        # Most links of a large cluster are within it by the time they come.
        if of[a] == of[b]:
            continue
        one, other = clusters.sides(a, b)
        mean = means.between(one, other)
        if mean < least_mean:
            continue
        # Not compared with what waits next, which may have nothing to do with these two.
        if mean < -key - SLACK:
            links.put_off((-mean, a, b))
            continue
        means.join(one, other)
        clusters.join(one, other)


def attached(
    n_docs: int,
    pairs: AnyInts,
    is_link: Bools,
    is_near: Bools,
    *,
    least: int,
) -> Ints:
    """Return the document that each near-copy goes with, being one of a crowd and of that alone.

    Whoever joins that one joins its near-copies: they need not be compared, and however many
    there are, they have no weight in an average.

    Parameters
    ----------
    n_docs : int
    pairs : int [shape=(n_pairs, 2)]
        Pairs of documents that may join.
    is_link, is_near : bool [shape=(n_pairs,)]
        Which of them do, and which are of near-copies.
    least : int, at least 2
        Near-copies of a document that have no other pair: fewer are not attached to it.

    Returns
    -------
    int64 [shape=(n_docs,)]
        For all other documents themselves.

    Examples
    --------
    >>> pairs, is_near = np.array([[0, 1], [0, 2], [0, 3]]), np.array([True, True, False])
    >>> attached(4, pairs, np.ones(3, np.bool_), is_near, least=2).tolist()
    [0, 0, 0, 3]
    """
    labels = components(n_docs, pairs[is_link])
    # What is in another component may be elsewhere, and is never joined.
    inside = pairs[labels[pairs[:, 0]] == labels[pairs[:, 1]]]
    n_pairs = np.bincount(inside.ravel(), minlength=n_docs)
    near = pairs[is_link & is_near]
    near = np.concatenate([near, near[:, ::-1]])
    near = near[n_pairs[near[:, 1]] == 1]
    n_alone = np.bincount(near[:, 0], minlength=n_docs)
    near = near[n_alone[near[:, 0]] >= least]
    found = np.arange(n_docs)
    found[near[:, 1]] = near[:, 0]
    return found


def components(n_docs: int, pairs: AnyInts) -> Ints:
    """Return the least document that each document is connected with by any number of pairs.

    What is in two components can never be in one cluster.

    Parameters
    ----------
    n_docs : int
    pairs : int [shape=(n_pairs, 2)]

    Examples
    --------
    >>> components(5, np.array([[3, 1], [4, 3]])).tolist()
    [0, 1, 2, 1, 1]
    """
    least = np.empty(n_docs, np.int64)
    components_into(np.ascontiguousarray(pairs, np.int64).reshape(-1, 2), least)
    return least

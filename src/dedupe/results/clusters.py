"""Turns scored pairs into clusters, and says of each copy that can go what stands in for it.

Which copy stands for a cluster is left to `dedupe.results.representatives`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from dedupe import clustering
from dedupe.arrays import AnyInts, Bools, Floats, Ints, pairs_of
from dedupe.ids import Id, in_order
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import Cluster, DocumentInfo, Duplicate
from dedupe.results.representatives import as_copies, representatives, starts_of
from dedupe.scoring import rule
from dedupe.settings import SCORE_FLOOR, Settings

__all__ = ["cluster_labels", "make_clusters", "make_duplicates", "members_and_kept"]


def cluster_labels(
    n_docs: int,
    pairs: AnyInts,
    scores: Floats,
    is_identical: Bools,
    is_old: Bools,
    *,
    threshold: float,
    is_near: Bools,
    ask: clustering.Ask | None = None,
    may_join: Bools | None = None,
    note: clustering.Note | None = None,
) -> Ints:
    """Return the cluster of each document, by average linkage over the scored pairs.

    Identical copies stand for one document, and so do the near-copies in a crowd that were
    compared with one of them alone (`is_near` tells which pairs are such), so that the number of
    copies has no weight. `ask` gives the scores of pairs that are not among `pairs`, and `note`
    is given those of them that were needed; without `ask` they are left out, and once those that
    were needed are among `pairs` the clusters are the same without it.
    `may_join` tells which pairs join clusters, if some do not: such a pair was scored after
    others had joined its sides, or lies outside the window.
    Where some documents are old, each other one goes with the old document that it matches
    best; of those that match none, clusters are made as of any documents.
    """
    labels = _best_old(pairs, scores, is_identical, is_old, threshold)
    is_open = ~is_old & (labels == np.arange(n_docs))
    pairs_open = is_open[pairs].all(axis=1)
    first_copy = clustering.components(n_docs, pairs[is_identical & pairs_open])
    # The pairs of copies say what those of their originals do.
    is_original = pairs_open & (first_copy[pairs] == pairs).all(axis=1)
    may_join = np.ones(len(pairs), np.bool_) if may_join is None else may_join
    among = is_original & may_join
    heads = clustering.attached(
        n_docs,
        pairs[among],
        scores[among] >= threshold,
        is_near[among],
        least=rule.MIN_CROWD,
    )
    among = is_original & (heads[pairs] == pairs).all(axis=1)
    joined = clustering.average_linkage(
        n_docs,
        pairs[among],
        np.where(scores >= SCORE_FLOOR, scores, 0)[among],
        threshold=threshold,
        ask=ask,
        note=note,
        sampled=True,
        may_join=may_join[among],
    )
    joined = joined[heads[first_copy]]
    least = np.full(n_docs, n_docs)
    np.minimum.at(least, joined, np.arange(n_docs))
    return np.where(is_open, least[joined], labels)


def _best_old(
    pairs: AnyInts,
    scores: Floats,
    is_identical: Bools,
    is_old: Bools,
    threshold: float,
) -> Ints:
    """Return the old document that each document matches best, or else itself."""
    labels = np.arange(is_old.size)
    is_match = (is_old[pairs].sum(axis=1) == 1) & (scores >= threshold)
    # Each pair as the document that is not old, then the old one.
    matches = np.where(is_old[pairs[is_match, :1]], pairs[is_match, ::-1], pairs[is_match])
    order = np.lexsort((matches[:, 1], -scores[is_match], matches[:, 0]))
    found, first = np.unique(matches[order, 0], return_index=True)
    labels[found] = matches[order[first], 1]
    # Copies match what their originals do, and only those were compared.
    first_copy = clustering.components(
        is_old.size, pairs[is_identical & ~is_old[pairs].any(axis=1)]
    )
    followed = labels[first_copy]
    # Where the original matches nothing old, its copies do not either, and none may go.
    is_missing = (labels == np.arange(labels.size)) & ~is_old & is_old[followed]
    labels[is_missing] = followed[is_missing]
    return labels


def make_clusters(
    documents: Sequence[DocumentInfo],
    labels: Ints,
    settings: Settings,
    *,
    pairs: AnyInts | None = None,
    scores: Floats | None = None,
    texts: Mapping[Id, str] | None = None,
) -> tuple[Cluster, ...]:
    """Gather documents by label and choose the representative of each group.

    Parameters
    ----------
    documents : sequence of DocumentInfo
    labels : int64 [shape=(n_docs,)]
    settings : Settings
        `keep` and `prefer` of them.
    pairs, scores : int [shape=(n_pairs, 2)], float64 [shape=(n_pairs,)], optional
        Places among the documents, and how alike they are, for a `keep` that is a function.
    texts : mapping from ids to texts, optional
        For the same.
    """
    if callable(settings.keep):
        means = _mean_scores(labels, pairs_of([]) if pairs is None else pairs, scores)
        documents = as_copies(documents, means, {} if texts is None else texts)
    ids = [one.id for one in documents]
    ranks = np.empty(len(ids), np.int64)
    ranks[in_order(ids, range(len(ids)))] = np.arange(len(ids))
    members = np.flatnonzero(np.bincount(labels)[labels] > 1)
    members = members[np.argsort(labels[members], kind="stable")]
    starts = starts_of(labels[members])
    sizes = np.diff(np.append(starts, members.size))
    kept = representatives(
        [documents[n] for n in members.tolist()], starts, ranks[members], settings
    )
    groups = np.split(members, starts[1:])
    # The largest first, then by the ids of their members, of which the first alone decide.
    return tuple(
        Cluster(ids[members[kept[number]]], tuple(map(ids.__getitem__, groups[number].tolist())))
        for number in np.lexsort((ranks[members[starts]], -sizes)).tolist()
    )


def _mean_scores(
    labels: Ints,
    pairs: AnyInts,
    scores: Floats | None,
) -> Floats:
    """Return the mean of the scores that each document has within its cluster, as far as known."""
    inside = labels[pairs[:, 0]] == labels[pairs[:, 1]]
    sides = pairs[inside].T.ravel()
    known = np.zeros(0) if scores is None else np.tile(scores[inside], 2)
    n_known = np.bincount(sides, minlength=labels.size)
    sums = np.bincount(sides, known, minlength=labels.size)
    return sums / np.maximum(n_known, 1)


def make_duplicates(
    clusters: Sequence[Cluster], scored: ScoredPairs, threshold: float
) -> tuple[Duplicate, ...]:
    """Say of each member that can go what stands in for it, and why.

    A member that does not score with the representative stays: it came to the cluster
    by what it shares with others, and its own text would be lost.
    """
    sides = members_and_kept(clusters, {name: number for number, name in enumerate(scored.ids)})
    cluster_of = np.full(len(scored.ids), -1)
    cluster_of[sides[:, 0]] = np.repeat(np.arange(len(clusters)), [*map(len, clusters)])
    best = _best_matches(cluster_of, scored)
    sides = sides[sides[:, 0] != sides[:, 1]]
    places = scored.places_through_copies(sides)
    is_copy = scored.first_copy[sides[:, 0]] == scored.first_copy[sides[:, 1]]
    scores = np.where(is_copy, 1.0, scored.scores[places]) if len(scored) else np.ones(0)
    stands_in = is_copy | (places >= 0) & (scores >= SCORE_FLOOR)
    sides, places, scores = sides[stands_in], places[stands_in], scores[stands_in]
    bests = best[sides[:, 0]]
    others = scored.numbers[bests].sum(axis=1) - sides[:, 0]
    is_direct = (places >= 0) & (scores >= threshold)
    reasons = scored.reasons(np.where(is_direct, places, bests))
    id_of, best_matches = scored.ids.__getitem__, [scored.ids[other] for other in others.tolist()]
    return tuple(
        map(
            Duplicate,
            map(id_of, sides[:, 0].tolist()),
            map(id_of, sides[:, 1].tolist()),
            scores.tolist(),
            best_matches,
            scored.scores[bests].tolist(),
            (
                reason if direct else f"matches {match}: {reason}"
                for reason, direct, match in zip(
                    reasons, is_direct.tolist(), best_matches, strict=True
                )
            ),
        )
    )


def members_and_kept(clusters: Sequence[Cluster], number_of: Mapping[Id, int]) -> Ints:
    """Return each member of the clusters with the copy that is kept, by number."""
    members = [number_of[member] for cluster in clusters for member in cluster.members]
    kept = [number_of[cluster.representative] for cluster in clusters]
    sizes = [*map(len, clusters)]
    return np.stack(
        [np.array(members, np.int64), np.repeat(np.array(kept, np.int64), sizes)], axis=1
    )


def _best_matches(cluster_of: Ints, scored: ScoredPairs) -> Ints:
    """Return the place of the best pair that each document has within its cluster, or -1."""
    sides = cluster_of[scored.numbers]
    inside = np.flatnonzero((sides[:, 0] == sides[:, 1]) & (sides[:, 0] >= 0))
    members = scored.numbers[inside].T.ravel()
    others = scored.numbers[inside][:, ::-1].T.ravel()
    places = np.concatenate([inside, inside])
    order = np.lexsort((others, -scored.scores[places], members))
    best = np.full(len(scored.ids), -1)
    # The last that is written stays.
    best[members[order[::-1]]] = places[order[::-1]]
    return best

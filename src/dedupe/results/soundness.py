"""Refuses the records of a saved result that do not belong together.

Every id must name a document that is listed, everything must be listed once and in order, and
no count may be less than what it counts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from reprlib import repr as short
from typing import Any

from dedupe.ids import Id, Ids, Old, order_of
from dedupe.results.kinds import refuse, refuse_any
from dedupe.results.records import Cluster, DocumentInfo, Duplicate, Pair
from dedupe.scoring.relations import RELATIONS

__all__ = ["check_sound"]


def check_sound(facts: dict[str, Any]) -> None:
    """Refuse the parts of a result, each read as its type says, that contradict each other.

    Raises
    ------
    InvalidResult
    """
    documents, clusters, pairs = facts["documents"], facts["clusters"], facts["pairs"]
    _check_counts(facts)
    _check_pairs(documents, pairs)
    _check_others(documents, facts["others"])
    _check_clusters(documents, clusters)
    _check_duplicates(documents, clusters, facts["duplicates"], pairs)


def _check_counts(facts: dict[str, Any]) -> None:
    """Refuse numbers of all documents that are less than those of what is listed."""
    listed = facts["documents"]
    n_old = sum(document.is_old for document in listed)
    n_words = sum(document.n_words for document in listed)
    refuse_any(
        "words of the story and of boilerplate must be among those of their document",
        (
            [one.story_words, one.boilerplate_words, one.n_words]
            for one in listed
            if max(one.story_words, one.boilerplate_words) > one.n_words
        ),
    )
    if (
        facts["n_documents"]
        < max(len(listed) + len(facts["others"]), facts["n_old"], facts["n_undated"])
        or facts["n_old"] < n_old
        or facts["n_words"] < n_words
    ):
        numbers = {name: value for name, value in facts.items() if name.startswith("n_")}
        refuse("the documents that are listed must be part of all", short(numbers))


def _check_pairs(documents: Sequence[DocumentInfo], pairs: Sequence[Pair]) -> None:
    """Refuse documents and pairs that are listed twice or out of order, and pairs of others."""
    ids = [document.id for document in documents]
    orders = list(map(order_of, ids))
    refuse_any(
        "the id of an old document must be marked as old, and no other",
        (str(one.id) for one in documents if one.is_old != isinstance(one.id, Old)),
    )
    refuse_any(
        "documents must be listed once, in the order of their ids",
        (str(ids[number + 1]) for number, _ in _disordered(orders)),
    )
    order = dict(zip(ids, orders, strict=True))
    ranks = [(-one.score, order.get(one.left, ()), order.get(one.right, ())) for one in pairs]
    refuse_any(
        "pairs must be listed once, the best first",
        ([str(pairs[n + 1].left), str(pairs[n + 1].right)] for n, _ in _disordered(ranks)),
    )
    refuse_any(
        "a relation must be one of those there are",
        (one.relation for one in pairs if one.relation not in RELATIONS),
    )
    refuse_any(
        "both documents of a pair must be listed, the one whose id comes first on the left",
        (
            [str(one.left), str(one.right)]
            for one in pairs
            if one.left not in order
            or one.right not in order
            or order[one.left] >= order[one.right]
        ),
    )


def _check_others(documents: Sequence[DocumentInfo], others: Ids) -> None:
    """Refuse other documents that are listed twice, out of order, or as something else, too."""
    refuse_any(
        "other documents must be listed once, in order",
        (str(others[number + 1]) for number, _ in _disordered(list(map(order_of, others)))),
    )
    known = {document.id for document in documents}
    refuse_any(
        "other documents must be in no pair, and not old",
        (str(one) for one in others if one in known or isinstance(one, Old)),
    )


def _check_clusters(documents: Sequence[DocumentInfo], clusters: Sequence[Cluster]) -> None:
    """Refuse clusters that cannot be."""
    known = {document.id for document in documents}
    members = [member for cluster in clusters for member in cluster.members]
    refuse_any("a document must be in one cluster", _repeated(members))
    refuse_any("members of a cluster must be listed", (m for m in members if m not in known))
    refuse_any(
        "a representative must be a member of its cluster",
        (one.representative for one in clusters if one.representative not in one.members),
    )


def _check_duplicates(
    documents: Sequence[DocumentInfo],
    clusters: Sequence[Cluster],
    duplicates: Sequence[Duplicate],
    pairs: Sequence[Pair],
) -> None:
    """Refuse duplicates that are not the members of clusters, or of which no pair tells."""
    old = {document.id for document in documents if document.is_old}
    refuse_any("an old document must not be a duplicate", (d.id for d in duplicates if d.id in old))
    expected = {m: one.representative for one in clusters for m in one.members}
    for cluster in clusters:
        del expected[cluster.representative]
    refuse_any(
        "a duplicate must be a member of the cluster of what it is a duplicate of, listed once",
        (one.id for one in duplicates if expected.pop(one.id, None) != one.duplicate_of),
    )
    best = {frozenset((d.id, d.best_match)): d.id for d in duplicates}
    for pair in pairs:
        best.pop(frozenset((pair.left, pair.right)), None)
    refuse_any("a duplicate must have a pair with its best match", best.values())


def _disordered(values: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the number of each value that the next one does not come after, and that one."""
    sides = enumerate(pairwise(values))
    return ((number, after) for number, (before, after) in sides if before >= after)


def _repeated(names: Iterable[Id]) -> list[Id]:
    return [name for name, n in Counter(names).items() if n > 1]

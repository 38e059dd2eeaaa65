"""Systems run on collections, and their clusters set against the gold.

What a system found stays beside what is right, so that every table and chart asks
here. Counting is `metrics`, running is `systems`.
"""

import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import systems
from collection import Collection
from metrics import (
    Clusters,
    Pair,
    PairCounts,
    are_joined,
    count_labelled,
    count_pairs,
    gold_pairs,
    similarities,
)
from systems import OURS, Outcome

HARD = 0.3
"""Pairs of one story of less similarity are hard: other text outweighs the story."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection with what each system made of it.

    Attributes
    ----------
    collection : Collection
    hard : list of (id, id)
        Pairs of one story that are hard to find.
    n_apart : int
        Pairs of one story that have no 5-gram in common.
    outcomes : dict from system to Outcome
    """

    collection: Collection
    hard: list[Pair]
    n_apart: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def counts(self, clusters: Clusters) -> PairCounts:
        """Count pairs by stories, or among the labelled pairs where there are any."""
        if self.collection.labelled:
            return count_labelled(self.collection.labelled, clusters)
        return count_pairs(self.collection.stories, clusters, self.collection.unjudged)

    def n_false(self, clusters: Clusters) -> int:
        """Count joined pairs of different stories, and those that are forbidden."""
        return self.counts(clusters).n_false + sum(are_joined(self.collection.forbidden, clusters))

    def n_intruders(self, clusters: Clusters) -> int:
        """Count mixed-in documents that stand in one cluster with any other document."""
        mixed = self.collection.mixed_in
        return sum(
            len(mixed.intersection(cluster))
            for cluster in clusters
            if not mixed.issuperset(cluster)
        )


def judge(
    collections: Sequence[Collection],
    names: Iterable[str],
    *,
    curve: bool = False,
    limit: float = systems.LIMIT,
) -> list[Judged]:
    """Run systems on collections; one that ran out of time has no outcome for the rest."""
    judged = [Judged(one, *_hard(one)) for one in collections]
    for name in names:
        print(f"running {name}", file=sys.stderr)
        texts = (one.texts for one in collections)
        outcomes = systems.run(name, texts, curve=curve and name == OURS, limit=limit)
        for one, outcome in zip(judged, outcomes, strict=False):
            one.outcomes[name] = outcome
    return judged


def errors(one: Judged) -> Iterator[tuple[str, str, str]]:
    """Yield the pairs that ours has wrong: false or missed, left, right."""
    clusters = one.outcomes[OURS].clusters
    stories = one.collection.stories
    apart = list(one.collection.forbidden)
    if one.collection.labelled:
        apart += [(left, right) for left, right, same in one.collection.labelled if not same]
        together = [(left, right) for left, right, same in one.collection.labelled if same]
    else:
        together = list(gold_pairs(stories))
        apart += [
            (left, right)
            for cluster in clusters
            for left, right in itertools.combinations(cluster, 2)
            if None not in (pair := frozenset((stories[left], stories[right])))
            and len(pair) > 1
            and pair not in one.collection.unjudged
        ]
    for kind, pairs in ("false", apart), ("missed", together):
        for pair, joined in zip(pairs, are_joined(pairs, clusters), strict=True):
            if joined == (kind == "false"):
                yield kind, *pair


def _hard(collection: Collection) -> tuple[list[Pair], int]:
    """Return the hard positives of a collection, and how many pairs have nothing in common."""
    pairs = [(left, right) for left, right, same in collection.labelled if same]
    pairs = pairs if collection.labelled else list(gold_pairs(collection.stories))
    found = similarities(collection.texts, pairs)
    hard = [pair for pair, jaccard in zip(pairs, found, strict=True) if 0 < jaccard < HARD]
    return hard, found.count(0.0)

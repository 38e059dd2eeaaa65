"""Chooses what a page shows of a result.

It needs a `Result` alone, so that a page can be rebuilt from saved JSON. Here a large
result is cut down by numbers of documents; `dedupe.report.html.payload` does so by bytes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from dedupe.ages import spelled
from dedupe.errors import Skipped
from dedupe.ids import Id, order_of
from dedupe.report.html.shown import (
    Overview,
    Remedy,
    Shown,
    ShownCluster,
    ShownDuplicate,
    ShownPair,
)
from dedupe.report.lines import counted
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import Cluster, Duplicate, Pair
from dedupe.results.result import Result

__all__ = ["BORDER", "gather", "shown_pairs"]

N_BORDERLINE = 50
"""Pairs near the threshold that are shown: half an hour of reading."""

BORDER = 0.2
"""The largest distance from the threshold that counts as near. No sensible threshold would
decide otherwise on pairs further off, and a page full of them would hide those that count."""

N_DUPLICATES = 500
"""Duplicates listed of one cluster; nobody reads more."""

N_LISTED = 200_000
"""Documents listed of all clusters together, which bounds the memory that a page takes."""

N_STAY = 20
"""Members of a cluster that are named although they are not duplicates; few have any."""

N_SKIPPED, N_REMEDIES = 20, 20
"""Skipped documents listed for each remedy, and remedies."""

FIRST_DUPLICATES = 5
"""Duplicates of each cluster whose texts come before the sixth of any other cluster."""


def gather(result: Result) -> Shown:
    """Return what a page shows of a result."""
    scored = ScoredPairs.of(result.scored, [document.id for document in result.documents])
    is_confirmed = scored.scores >= result.settings.threshold
    n_words = {document.id: document.n_words for document in result.documents}
    return Shown(
        _overview(result, sum(n_words[duplicate.id] for duplicate in result.duplicates)),
        tuple(_borderline(result)),
        tuple(_shown_clusters(result, scored, n_words)),
        tuple(_remedies(result.skipped)),
        scored.scores,
        np.column_stack([scored.jaccards, scored.containments])[is_confirmed],
        tuple(map(len, result.clusters)),
    )


def shown_pairs(shown: Shown) -> Iterator[ShownPair]:
    """Yield every pair that a reader may open, once each, the most important first.

    A page that has too little room cuts off the end. Every cluster gets its turn before
    the larger ones show all of their duplicates.
    """
    seen: set[tuple[Id, Id]] = set()
    clusters = shown.clusters
    firsts = (one.shown for found in clusters for one in found.duplicates[:FIRST_DUPLICATES])
    others = (one.shown for found in clusters for one in found.duplicates[FIRST_DUPLICATES:])
    for source in (shown.borderline, firsts, others):
        for one in source:
            if one.sides not in seen:
                seen.add(one.sides)
                yield one


def _overview(result: Result, saved_words: int) -> Overview:
    """Return the numbers at the top of the page."""
    settings = result.settings
    keep = settings.keep if isinstance(settings.keep, str) else ""
    return Overview(
        result.n_documents - result.n_old,
        result.n_old,
        len(result.clusters),
        len(result.duplicates),
        len(result.skipped),
        saved_words,
        saved_words / max(1, result.n_words),
        keep,
        settings.threshold,
        (
            ("threshold", f"{settings.threshold:g}", "score from which two are the same story"),
            ("keep", keep or "a function", "what chose the copy to keep of each cluster"),
            ("ngram", str(settings.ngram), "words in a shingle, the unit of comparison"),
            ("num_perm", str(settings.num_perm), "values in a signature"),
            ("seed", str(settings.seed), "seed of the permutations"),
            ("bucket_cap", str(settings.bucket_cap), "documents of a bucket that are all paired"),
            *_window(result),
        ),
    )


def _window(result: Result) -> Iterator[tuple[str, str, str]]:
    """Yield the row of the window, if there is one."""
    if result.settings.window is not None:
        undated = f"{counted(result.n_undated, 'document')} without a time"
        said = f"longest time between two documents of a story; {undated}"
        yield "window", spelled(result.settings.window), said


def _listed(clusters: Sequence[Cluster]) -> Iterator[Cluster]:
    """Yield the clusters that there is room for."""
    room = N_LISTED
    for cluster in clusters:
        room -= min(len(cluster), N_DUPLICATES)
        if room < 0:
            return
        yield cluster


def _shown_clusters(
    result: Result, scored: ScoredPairs, n_words: dict[Id, int]
) -> Iterator[ShownCluster]:
    """Yield the clusters that are listed, with the pairs that explain their duplicates."""
    duplicates = {duplicate.id: duplicate for duplicate in result.duplicates}
    listed = [(cluster, _dropped(cluster, duplicates)) for cluster in _listed(result.clusters)]
    explained = {one.id: _sides(one) for _, dropped in listed for one in dropped[:N_DUPLICATES]}
    pairs = _found(scored, [one for sides in explained.values() for one in sides])
    for number, (cluster, dropped) in enumerate(listed, start=1):
        yield ShownCluster(
            number,
            cluster.representative,
            n_words[cluster.representative],
            len(cluster),
            tuple(
                ShownDuplicate(one.id, n_words[one.id], reason)
                for one in dropped[:N_DUPLICATES]
                for reason in _reasons(one, explained[one.id], pairs, result.settings.threshold)
            ),
            sum(n_words[one.id] for one in dropped),
            len(dropped),
            tuple(islice(_staying(cluster, duplicates), N_STAY)),
        )


def _staying(cluster: Cluster, duplicates: dict[Id, Duplicate]) -> Iterator[Id]:
    """Yield the members that are neither the representative nor a duplicate of it."""
    for member in cluster.members:
        if member != cluster.representative and member not in duplicates:
            yield member


def _dropped(cluster: Cluster, duplicates: dict[Id, Duplicate]) -> list[Duplicate]:
    """Return the duplicates of a cluster, the least certain first."""
    dropped = [duplicates[member] for member in cluster.members if member in duplicates]
    return sorted(dropped, key=lambda one: (one.score, order_of(one.id)))


def _sides(duplicate: Duplicate) -> list[tuple[Id, Id]]:
    """Return the ids of the pairs that can explain a duplicate, ordered as in a `Pair`.

    The pair with its representative comes first.
    """
    others = dict.fromkeys((duplicate.duplicate_of, duplicate.best_match))
    sides = (sorted((duplicate.id, other), key=order_of) for other in others)
    return [(left, right) for left, right in sides]


def _found(scored: ScoredPairs, sides: Sequence[tuple[Id, Id]]) -> dict[tuple[Id, Id], Pair]:
    """Return those of some pairs that were scored, without building any other pair."""
    numbers = {name: number for number, name in enumerate(scored.ids)}
    places = scored.places([(numbers[left], numbers[right]) for left, right in sides])
    known = [one for one, place in zip(sides, places.tolist(), strict=True) if place >= 0]
    return dict(zip(known, scored.built(places[places >= 0]), strict=True))


def _reasons(
    duplicate: Duplicate,
    explained: Iterable[tuple[Id, Id]],
    pairs: dict[tuple[Id, Id], Pair],
    threshold: float,
) -> list[ShownPair]:
    """Return the pair that explains a duplicate, and a second if the first is far off."""
    found = [pairs[sides] for sides in explained if sides in pairs]
    kept = found if found[0].score < threshold else found[:1]
    return [ShownPair(p.other(duplicate.id), duplicate.id, p, together=True) for p in kept]


def _borderline(result: Result) -> Iterator[ShownPair]:
    """Yield the pairs near the threshold, nearest first."""
    threshold = result.settings.threshold
    near = [p for p in result.borderline(N_BORDERLINE) if abs(p.score - threshold) <= BORDER]
    involved = {name for pair in near for name in (pair.left, pair.right)}
    cluster_of = {
        member: cluster
        for cluster in result.clusters
        for member in cluster.members
        if member in involved
    }
    for pair in near:
        cluster = cluster_of.get(pair.left)
        together = cluster is not None and cluster is cluster_of.get(pair.right)
        mirror = together and cluster is not None and cluster.representative == pair.right
        sides = (pair.right, pair.left) if mirror else (pair.left, pair.right)
        yield ShownPair(*sides, pair, together)


def _remedies(skipped: Iterable[Skipped]) -> Iterator[Remedy]:
    """Yield the skipped documents, grouped by what can be done about them."""
    counts: Counter[str] = Counter()
    groups: dict[str, list[Skipped]] = {}
    for document in skipped:
        counts[document.remedy] += 1
        group = groups.setdefault(document.remedy, [])
        if len(group) < N_SKIPPED:
            group.append(document)
    for remedy, group in list(groups.items())[:N_REMEDIES]:
        yield Remedy(remedy, tuple(group), counts[remedy])

"""Finds the threshold that agrees best with a person's labels.

The report lets a reader say of pairs whether they are one story. Here those labels
meet the clusters that one threshold after the other gives, which is what the reader
saw: a pair is taken for one story if both documents are in one cluster, whatever its
own score. How scores and clusters come about is not touched: only where the line is
drawn.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import attrgetter

import numpy as np

from dedupe import clustering
from dedupe.arrays import AnyInts, Bools, Floats, Ints, pairs_of
from dedupe.errors import InvalidLabels
from dedupe.ids import Id, Ids, order_of
from dedupe.results.labels import Labels, labels_by_pair
from dedupe.results.pairs import ScoredPairs
from dedupe.results.result import Result
from dedupe.settings import SCORE_FLOOR

__all__ = ["Calibration", "Trial", "calibrate"]

STEPS = tuple(step / 20 for step in range(2, 21))
"""Thresholds that are tried whatever the labels are."""

MOST_BETWEEN = 100
"""How many thresholds between scores of labelled pairs are tried: each clusters anew."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How the clusters of one threshold agree with labels.

    Attributes
    ----------
    threshold : float, in [0.1, 1]
    precision : float, in [0, 1]
        Which share of the labelled pairs within a cluster are one story; 1 where none is.
    recall : float, in [0, 1]
        Which share of the pairs labelled one story are within a cluster.
    f1 : float, in [0, 1]
        Their harmonic mean: 2 x right / (2 x right + false + missed).
    false, missed : int
        Labelled pairs that it gets wrong: two stories taken for one, and the reverse.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    false: int
    missed: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Which threshold agrees best with labels, of those that were tried.

    Attributes
    ----------
    best : Trial
        The threshold of the result, if none does better. Otherwise the nearest to the
        middle of `low` and `high`.
    low, high : float, in [0.1, 1]
        Every threshold that was tried from `low` to `high` agrees as well as `best`,
        which is one of them. Between two of them a pair without a label may still
        change the clusters.
    now : Trial
        The threshold and the clusters of the result.
    trials : tuple of Trial
        Steps of 0.05 from 0.1 to 1.
    n_same, n_different : int
        Labels of either kind.
    unpaired : tuple of ids
        Labelled documents that are in no scored pair, in order: they are in no cluster.
        The result does not tell those from ids that are misspelt.
    """

    best: Trial
    low: float
    high: float
    now: Trial
    trials: tuple[Trial, ...]
    n_same: int
    n_different: int
    unpaired: Ids


def calibrate(labels: str | os.PathLike[str] | Labels, result: Result) -> Calibration:
    """Say which threshold gives the clusters that a person's labels of some pairs agree with best.

    What agrees best has the highest F1. Tried are steps of 0.05, the threshold of the
    result, and one between each two scores of labelled pairs, 100 of those at most. The
    clusters are those of `Result.at`, and at the threshold of the result its own: whoever
    labels as it decided is told to keep it. Of several ranges that agree equally well
    the one with that threshold is chosen, then the widest, then the lowest. Labels of
    pairs near the threshold tell most, and a threshold that a few of them chose is no
    better than those few.

    Parameters
    ----------
    labels : path or mapping
        A file that the report exported, or a mapping of (id, id) to bool: whether
        both are one story.
    result : Result

    Raises
    ------
    NoSuchPath
        When there is no such file.
    InvalidLabels
        When the labels cannot be read, contradict each other, are all of one kind, name
        documents that the result cannot know, or when no threshold finds a pair of one
        story.

    Examples
    --------
    >>> import dedupe
    >>> story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    >>> result = dedupe.find_duplicate_texts({"a": story, "b": "home " + story, "c": "no more"})
    >>> found = calibrate({("a", "b"): True, ("a", "c"): False}, result)
    >>> found.best.threshold, found.best.f1, found.unpaired
    (0.45, 1.0, ('c',))
    """
    names = _named(result)
    known = {
        (names(left), names(right)): same for (left, right), same in labels_by_pair(labels).items()
    }
    n_same = sum(known.values())
    n_different = len(known) - n_same
    if not n_same or not n_different:
        raise InvalidLabels(
            "there must be labels of both kinds, "
            f"got {n_same} of one story and {n_different} of two stories: "
            "label more pairs, the nearest to the threshold first"
        )
    unpaired = _unpaired(known, result)
    tried = {trial.threshold: trial for trial in _trials(known, unpaired, result)}
    now = tried[result.settings.threshold]
    alike = _alike(list(tried.values()), now)
    return Calibration(
        best=now if now in alike else _middlemost(alike),
        low=alike[0].threshold,
        high=alike[-1].threshold,
        now=now,
        trials=tuple(tried[step] for step in STEPS),
        n_same=n_same,
        n_different=n_different,
        unpaired=unpaired,
    )


def _named(result: Result) -> Callable[[Id], Id]:
    """Return what turns the text of an id, as the report shows it, into the id."""
    ids = [*(document.id for document in result.documents), *result.others]
    known = set(ids)
    of_text = {str(id_): id_ for id_ in ids}
    return lambda name: name if name in known else of_text.get(str(name), name)


def _unpaired(known: Labels, result: Result) -> Ids:
    """Return which labelled documents are in no scored pair.

    A result counts such documents and does not name them. More than there are, or no
    other document at all, means that the labels belong to another result.
    """
    named = {name for sides in known for name in sides}
    unpaired = sorted(named - {document.id for document in result.documents}, key=order_of)
    n_alone = result.n_documents - len(result.documents)
    if unpaired and (len(unpaired) > n_alone or len(unpaired) == len(named)):
        raise InvalidLabels(
            f"labels must name documents of the result, got {str(unpaired[0])!r} among "
            f"{len(unpaired)} of {len(named)} that it has no pair of: "
            "take the result of the search whose report was labelled"
        )
    return tuple(unpaired)


def _trials(known: Labels, unpaired: Sequence[Id], result: Result) -> Iterator[Trial]:
    """Try thresholds in order."""
    names = [*(document.id for document in result.documents), *unpaired]
    places = {name: place for place, name in enumerate(names)}
    sides = pairs_of([(places[left], places[right]) for left, right in known])
    same = np.array(list(known.values()), np.bool_)
    scored = ScoredPairs.of(result.scored, names[: len(result.documents)])
    found = scored.places(sides)
    thresholds = _thresholds(scored.scores[found[found >= 0]], result.settings.threshold)
    for threshold in thresholds:
        if threshold == result.settings.threshold:
            labels = _own_labels(result, places)
        else:
            scored = _around(sides[(sides < len(scored.ids)).all(axis=1)], scored, threshold)
            labels = replace(result, scored=scored)._labels_at(threshold)
            # What is in no scored pair is a cluster of its own.
            labels = np.append(labels, np.arange(labels.size, len(names)))
        yield _trial(threshold, labels[sides[:, 0]] == labels[sides[:, 1]], same)


def _thresholds(scores: Floats, present: float) -> list[float]:
    """Return which thresholds to try, in order: those whose clusters labels may tell apart."""
    edges = sorted({SCORE_FLOOR, 1.0, *scores[scores > SCORE_FLOOR].tolist()})
    between = [_middle(low, high) for low, high in pairwise(edges)]
    every = -(-len(between) // MOST_BETWEEN)
    return sorted({*STEPS, present, *between[::every]})


def _own_labels(result: Result, places: Mapping[Id, int]) -> Ints:
    """Return the cluster of each document in the result as it is.

    `Result.at` may differ from it at the same threshold, and this is what was labelled.
    """
    labels = np.arange(len(places))
    for cluster in result.clusters:
        labels[[places[member] for member in cluster.members]] = places[cluster.members[0]]
    return labels


def _around(sides: AnyInts, scored: ScoredPairs, threshold: float) -> ScoredPairs:
    """Return the pairs that can bear on whether `sides` are in one cluster, from a threshold up.

    Clusters lie within what pairs at the threshold connect; the rest of a large
    collection need not be clustered again and again.
    """
    is_link = (scored.scores >= threshold) | scored.is_identical
    parts = clustering.components(len(scored.ids), scored.numbers[is_link])
    is_wanted = np.zeros(len(scored.ids), np.bool_)
    is_wanted[parts[sides]] = True
    of_pairs = parts[scored.numbers]
    return scored.take(
        np.flatnonzero((of_pairs[:, 0] == of_pairs[:, 1]) & is_wanted[of_pairs[:, 0]])
    )


def _alike(trials: Sequence[Trial], now: Trial) -> list[Trial]:
    """Return neighbours with the highest F1: those around `now`, else the widest range."""
    most = max(trial.f1 for trial in trials)
    if most == 0:
        raise InvalidLabels(
            "some pair labelled one story must be in one cluster at some threshold, got none: "
            "label pairs that are in a cluster, too"
        )
    ranges = [list(alike) for f1, alike in groupby(trials, key=attrgetter("f1")) if f1 == most]
    # The first of equal ones is the lowest.
    return max(ranges, key=lambda one: (now in one, one[-1].threshold - one[0].threshold))


def _middlemost(trials: Sequence[Trial]) -> Trial:
    """Return the trial whose threshold is the nearest to the middle of all."""
    middle = (trials[0].threshold + trials[-1].threshold) / 2
    return min(trials, key=lambda trial: abs(trial.threshold - middle))


def _middle(low: float, high: float) -> float:
    """Return the middle of a range, with no more digits than keep it inside.

    >>> _middle(0.31, 0.52), _middle(0.4012, 0.4013)
    (0.42, 0.40125)
    """
    middle = (low + high) / 2
    quarter = (high - low) / 4
    candidates = (round(middle, digits) for digits in range(2, 18))
    # Between two numbers that follow each other there is none, and the upper one is inside.
    return next((one for one in candidates if low < one and abs(one - middle) <= quarter), high)


def _trial(threshold: float, together: Bools, same: Bools) -> Trial:
    """Count how the clusters of a threshold decide labelled pairs."""
    right = int(np.count_nonzero(together & same))
    false = int(np.count_nonzero(together & ~same))
    missed = int(np.count_nonzero(~together & same))
    return Trial(
        threshold,
        precision=right / (right + false) if right + false else 1.0,
        recall=right / (right + missed),
        f1=2 * right / (2 * right + false + missed),
        false=false,
        missed=missed,
    )

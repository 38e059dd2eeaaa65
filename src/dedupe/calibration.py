"""From a person's labels to the threshold that agrees with them best.

The report lets a reader say of pairs whether they are one story. Here those labels
meet the scores of the pairs. How a score comes about is not touched: only where the
line is drawn.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from dedupe.errors import InvalidLabels, NoSuchPath
from dedupe.results import Result
from dedupe.settings import SCORE_FLOOR

__all__ = ["Calibration", "Trial", "calibrate", "read_labels"]

FORMAT = "dedupe-labels"
FORMAT_VERSION = 1

Labels = Mapping[tuple[str, str], bool]


@dataclass(frozen=True, slots=True)
class Trial:
    """How one threshold agrees with labels.

    Attributes
    ----------
    threshold : float, in [0.1, 1]
    precision : float, in [0, 1]
        Which share of the pairs that reach it are one story; 1 where none does.
    recall : float, in [0, 1]
        Which share of the pairs of one story reach it.
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
    """Which threshold agrees best with labels.

    Attributes
    ----------
    best : Trial
        At the middle of the widest range of thresholds that agree equally well.
    low, high : float, in [0.1, 1]
        That range: above `low`, up to and including `high`. The two are equal only
        where 0.1, the lowest threshold, alone agrees best.
    now : Trial
        The threshold of the result.
    trials : tuple of Trial
        Steps of 0.05 from 0.1 to 1.
    n_same, n_different : int
        Labels of either kind.
    n_unscored : int
        Labels of pairs that the result has no score of: they count as 0.
    """

    best: Trial
    low: float
    high: float
    now: Trial
    trials: tuple[Trial, ...]
    n_same: int
    n_different: int
    n_unscored: int


def calibrate(labels: str | os.PathLike[str] | Labels, result: Result) -> Calibration:
    """Say which threshold would have agreed best with what a person says of some pairs.

    What agrees best has the highest F1. Labels of pairs near the threshold tell most,
    and a threshold that a few of them chose is no better than those few.

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
        When the labels cannot be read, contradict each other, are all of one kind, or
        when no pair of one story has a score.

    Examples
    --------
    >>> import dedupe
    >>> story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    >>> result = dedupe.find_duplicate_texts({"a": story, "b": "home " + story, "c": "no more"})
    >>> found = calibrate({("a", "b"): True, ("a", "c"): False}, result)
    >>> found.best.threshold, found.best.f1
    (0.55, 1.0)
    """
    if not isinstance(labels, Mapping):
        labels = read_labels(_read(Path(labels)))
    known = _joined((left, right, same) for (left, right), same in labels.items())
    n_same = sum(known.values())
    n_different = len(known) - n_same
    if not n_same or not n_different:
        raise InvalidLabels(
            "there must be labels of both kinds, "
            f"got {n_same} of one story and {n_different} of two stories: "
            "label more pairs, the nearest to the threshold first"
        )
    scores = {
        (pair.left, pair.right): pair.score
        for pair in result.scored
        if (pair.left, pair.right) in known
    }
    judged = sorted((scores.get(sides, 0.0), same) for sides, same in known.items())
    low, high = _best_range(judged)
    return Calibration(
        best=_trial(judged, _middle(low, high)),
        low=low,
        high=high,
        now=_trial(judged, result.settings.threshold),
        trials=tuple(_trial(judged, step / 20) for step in range(2, 21)),
        n_same=n_same,
        n_different=n_different,
        n_unscored=len(known) - len(scores),
    )


def read_labels(text: str | bytes) -> dict[tuple[str, str], bool]:
    """Read what the report exported: whether two documents are one story, by their ids.

    >>> label = '{"left": "a", "right": "b", "same_story": true}'
    >>> read_labels('{"format": "dedupe-labels", "version": 1, "labels": [%s]}' % label)
    {('a', 'b'): True}
    """
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidLabels(f"labels must be JSON, got {error}") from error
    found = (facts.get("format"), facts.get("version")) if isinstance(facts, dict) else None
    if found != (FORMAT, FORMAT_VERSION):
        raise InvalidLabels(
            f"labels must say format {FORMAT!r} and version {FORMAT_VERSION}, "
            f"got {found}: export them from the report of this version of dedupe"
        )
    rows = facts.get("labels")
    if not isinstance(rows, list):
        raise InvalidLabels(f"labels must be a list, got {type(rows).__name__}")
    return _joined(_label(number, row) for number, row in enumerate(rows, start=1))


def _read(path: Path) -> bytes:
    """Read a file of labels."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NoSuchPath(f"labels must be in a file, got {str(path)!r}: check it") from error
    except OSError as error:
        raise InvalidLabels(f"labels must be in a file that can be read: {error}") from error


def _label(number: int, row: Any) -> tuple[str, str, bool]:
    """Read one label."""
    match row:
        case {"left": str(left), "right": str(right), "same_story": bool(same)}:
            return left, right, same
    raise InvalidLabels(
        "a label must have strings 'left' and 'right' and a truth value 'same_story', "
        f"got {row!r:.200} at place {number}: export them again"
    )


def _joined(labels: Iterator[tuple[str, str, bool]]) -> dict[tuple[str, str], bool]:
    """Return labels by pair, in whichever order its sides were named; once where they agree."""
    joined: dict[tuple[str, str], bool] = {}
    for left, right, same in labels:
        sides = (min(left, right), max(left, right))
        if left == right:
            raise InvalidLabels(f"a label must name two documents, got {left!r} twice: remove it")
        if joined.setdefault(sides, same) != same:
            raise InvalidLabels(
                "a pair must have one label, "
                f"got both for {sides[0]!r} and {sides[1]!r}: remove one"
            )
    return joined


def _best_range(judged: Sequence[tuple[float, bool]]) -> tuple[float, float]:
    """Return the widest range of thresholds with the highest F1; of equal ones the lowest.

    Between two scores that follow each other every threshold decides alike.
    """
    ranges: list[tuple[float, float, float]] = []
    for score, f1 in _steps(judged):
        if ranges:
            last_f1, _, high = ranges[-1]
            ranges[-1] = (last_f1, score, high)
        if ranges and ranges[-1][0] == f1:
            ranges[-1] = (f1, SCORE_FLOOR, ranges[-1][2])
        else:
            ranges.append((f1, SCORE_FLOOR, score))
    best, low, high = max(
        ranges, key=lambda one: (one[0], one[2] - one[1], -one[2]), default=(0.0, 0.0, 0.0)
    )
    if best == 0:
        raise InvalidLabels(
            f"a labelled pair of one story must score {SCORE_FLOOR:g} or more, got none: "
            "no threshold finds them"
        )
    return low, high


def _steps(judged: Sequence[tuple[float, bool]]) -> Iterator[tuple[float, float]]:
    """Yield each score that a threshold may have, highest first, and the F1 there."""
    n_same = sum(same for _, same in judged)
    reaching = right = 0
    for score, group in groupby(reversed(judged), key=itemgetter(0)):
        if score < SCORE_FLOOR:
            return
        decided = [same for _, same in group]
        reaching += len(decided)
        right += sum(decided)
        yield score, 2 * right / (reaching + n_same)


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


def _trial(judged: Sequence[tuple[float, bool]], threshold: float) -> Trial:
    """Count how a threshold decides labelled pairs, given as score and label."""
    right = sum(score >= threshold and same for score, same in judged)
    false = sum(score >= threshold and not same for score, same in judged)
    missed = sum(score < threshold and same for score, same in judged)
    reaching = right + false
    return Trial(
        threshold,
        precision=right / reaching if reaching else 1.0,
        recall=right / (right + missed) if right + missed else 1.0,
        f1=2 * right / (2 * right + false + missed) if right + false + missed else 1.0,
        false=false,
        missed=missed,
    )

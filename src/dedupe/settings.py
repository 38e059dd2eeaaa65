"""Every default of the library, with its reason.

The constants of the scoring rule are not settings: they belong to the rule and
stand beside it in `dedupe.scoring.score`, `dedupe.scoring.alignment` and its kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dedupe.errors import InvalidSetting

__all__ = ["KEEP", "MAX_NGRAM", "SCORE_FLOOR", "Settings"]

KEEP = ("longest", "shortest", "first", "newest")
"""The named ways to choose the representative of a cluster."""

MAX_NGRAM = 64
"""Longer shingles find only copies that an exact digest finds."""

SCORE_FLOOR = 0.1
"""Scores below this count as 0 and are not recorded.

It is a quarter of the default threshold: low enough for a person to look at
what was nearly matched, and high enough that a result stays small.
"""


@dataclass(frozen=True)
class Settings:
    """How duplicates were looked for.

    Attributes
    ----------
    threshold : float, in [0.1, 1]
        Two documents are the same story when their score reaches it. On
        development pages every value from 0.4 to 0.5 does equally well; below 0.4
        a page with two stories begins to join them.
    ngram : int, in 1..64
        Words in a shingle. Accuracy is flat from 3 to 8; 5 is the usual choice.
    num_perm : int, in 16..4096
        Values in a signature. 128 find a pair of Jaccard similarity 0.05 with
        probability 0.9986 (see `expected_recall`); 64 would miss one in 27.
    seed : int, in 0..2**32 - 1
        Seed of the permutations, as in `datasketch.MinHash`.
    bucket_cap : int, at least 2
        A bucket of more documents than this links each of them to its two
        largest only, so that a phrase that everybody uses costs linear work.
    keep : str or callable
        Which document represents a cluster: ``"longest"``, ``"shortest"``,
        ``"first"`` in the order of the input, ``"newest"``, or a function from
        the sequence of `dedupe.results.records.DocumentInfo` to the one to keep.

    Raises
    ------
    InvalidSetting
        When a value lies outside its range.

    Examples
    --------
    >>> Settings().threshold
    0.4
    >>> Settings(threshold=1.5)
    Traceback (most recent call last):
    dedupe.errors.InvalidSetting: threshold must be in [0.1, 1], got 1.5
    """

    threshold: float = 0.4
    ngram: int = 5
    num_perm: int = 128
    seed: int = 1
    bucket_cap: int = 30
    keep: str | Callable[..., Any] = "longest"

    def __post_init__(self) -> None:
        _check_range("threshold", self.threshold, SCORE_FLOOR, 1)
        _check_whole("ngram", self.ngram, 1, MAX_NGRAM)
        _check_whole("num_perm", self.num_perm, 16, 4096)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_whole("bucket_cap", self.bucket_cap, 2, 2**20)
        if not callable(self.keep) and self.keep not in KEEP:
            raise InvalidSetting(
                f"keep must be one of {', '.join(KEEP)} or a function, got {self.keep!r}"
            )

    @property
    def bands(self) -> int:
        """How many bands the MinHash index has, one for each value of the signature."""
        return self.num_perm

    @property
    def rows(self) -> int:
        """How many values a band has, always one.

        A story inside a page ten times its size has a Jaccard similarity below
        0.1. At 0.1, 64 bands of two rows find it with probability 0.47, 128
        bands of one row with 0.999999.
        """
        return 1

    def expected_recall(self, jaccard: float) -> float:
        """Return the probability that a pair of this similarity becomes a candidate.

        Two signatures agree at a position with probability `jaccard`, and one
        agreement among `bands` is enough: ``1 - (1 - jaccard) ** bands`` (Broder
        1997; Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, 3.4).

        >>> round(Settings().expected_recall(0.05), 4)
        0.9986
        """
        return float(1 - (1 - jaccard**self.rows) ** self.bands)


def _check_range(name: str, value: object, low: float, high: float) -> None:
    """Refuse a number outside [low, high], a NaN, and anything that is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidSetting(f"{name} must be in [{low:g}, {high:g}], got {value!r}")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    """Refuse anything but a whole number in low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidSetting(f"{name} must be a whole number in {low}..{high}, got {value!r}")

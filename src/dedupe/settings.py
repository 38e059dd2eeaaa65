"""Holds what decides a search, how its work is done, and what makes two answers comparable.

`Settings` decide; `Resources` do not. Every default stands here with its reason. The
constants of the scoring rule are no settings: they belong to the rule, and stand beside
it in `dedupe.scoring.rule`, `dedupe.scoring.forms`, `dedupe.kernels.alignment`
and `dedupe.kernels.measures`.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from numbers import Integral, Real
from typing import Any, Self

from dedupe.ages import as_window
from dedupe.errors import InvalidSetting
from dedupe.progress import Progress, ProgressCallback

__all__ = [
    "KEEP",
    "MAX_NGRAM",
    "SCHEME",
    "SCORE_FLOOR",
    "Resources",
    "Settings",
    "identity",
    "n_bytes",
]

SCHEME = "affine32"
"""How permutations are drawn and applied: a scheme of datasketch's."""

SHINGLES_VERSION = 3
"""Rises when the same text gives other tokens, shingles or signatures."""

RULE_VERSION = 11
"""Rises when the same signatures give other candidates, or the same shingles other scores
or rows."""

FALLBACK_MEMORY = 8 << 30
"""Bytes of a machine that does not tell how many it has."""

KEEP = ("typical", "longest", "shortest", "first", "newest", "oldest")
"""The named ways to choose the representative of a cluster."""

DIGEST = re.compile("([0-9a-f]{32})?")
"""A digest of texts, as `dedupe.documents.document.digest_of` makes it, or none."""

MAX_NGRAM = 64
"""Longer shingles find only copies that an exact digest finds."""

SCORE_FLOOR = 0.1
"""Scores below this count as 0 when clusters are joined.

Such a pair is recorded only where it was asked for: between clusters, between a member
and its representative, or by `explain`.

It is a quarter of the default threshold: low enough for a person to look at
what was nearly matched, and high enough that a result stays small.
"""


@dataclass(frozen=True)
class Settings:
    """How duplicates were looked for.

    Attributes
    ----------
    threshold : float, in [0.1, 1]
        Two documents are the same story when their score reaches it. On development data
        every value from 0.4 to 0.5 does about equally well. Below, a page with two stories
        begins to join them; above, heavy edits are missed.
    ngram : int, in 1..64
        Words in a shingle. Accuracy is flat from 3 to 8; 5 is the usual choice.
    num_perm : int, in 16..4096
        Values in a signature. 128 find a pair of Jaccard similarity 0.05 with
        probability 0.9986 (see `expected_recall`); 64 would miss one in 27.
    seed : int, in 0..2**32 - 1
        Seed of the permutations, as in `datasketch.MinHash`.
    bucket_cap : int, at least 2
        In a bucket of more documents than this each is linked only to the two largest, so
        that a phrase that everybody uses costs linear work.
    keep : str or callable
        Which document represents a cluster: ``"typical"``, the one with the most of the
        story and the least besides, which on development pages comes nearest to the article
        (see `benchmarks/keep.py`), ``"longest"``, ``"shortest"``, ``"first"`` in the order of
        the input, ``"newest"``, ``"oldest"``, or a function from the sequence of
        `dedupe.results.records.Copy` to the one to keep.
    prefer : sequence of str
        Where the copy to keep should come from, the best place first: an id, a folder or the
        beginning of an address (``"wire/"``), or a pattern (``"*/wire/*.txt"``). `keep` decides
        among the documents of the first place that has any, or among all if none has. Paths
        are relative to the current folder (``"./wire"``), and an id with its file before it,
        ``file#id``, may be named without the file.
    boilerplate : str
        Digest of the texts that were known to be boilerplate, in hexadecimal; empty
        where there were none.
    window : timedelta, optional
        Two documents whose times lie further apart are never matched with each other. Also a
        string such as ``"90m"``, ``"12h"``, ``"3d"`` or ``"2w"``. None by default: most copies
        come with no time, or with that of their download.

    Raises
    ------
    InvalidSetting
        When a value lies outside its range.

    Examples
    --------
    >>> Settings().threshold
    0.45
    >>> Settings(threshold=1.5)
    Traceback (most recent call last):
    dedupe.errors.InvalidSetting: threshold must be in [0.1, 1], got 1.5
    """

    threshold: float = 0.45
    ngram: int = 5
    num_perm: int = 128
    seed: int = 1
    bucket_cap: int = 30
    keep: str | Callable[..., Any] = "typical"
    boilerplate: str = ""
    window: timedelta | None = None
    prefer: Sequence[str] = ()

    def __post_init__(self) -> None:
        # Numbers of numpy are as good, but JSON does not know them.
        for name in ("threshold", "ngram", "num_perm", "seed", "bucket_cap"):
            value = getattr(self, name)
            if not isinstance(value, int) and isinstance(value, Real):
                plain = int(value) if isinstance(value, Integral) else float(value)
                object.__setattr__(self, name, plain)
        _check_range("threshold", self.threshold, SCORE_FLOOR, 1)
        _check_whole("ngram", self.ngram, 1, MAX_NGRAM)
        _check_whole("num_perm", self.num_perm, 16, 4096)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_whole("bucket_cap", self.bucket_cap, 2, 2**20)
        object.__setattr__(self, "window", as_window(self.window))
        if not callable(self.keep) and self.keep not in KEEP:
            raise InvalidSetting(
                f"keep must be one of {', '.join(KEEP)} or a function, got {self.keep!r}"
            )
        object.__setattr__(self, "prefer", _as_places(self.prefer))
        if not isinstance(self.boilerplate, str) or not DIGEST.fullmatch(self.boilerplate):
            raise InvalidSetting(
                "boilerplate must be a digest in hexadecimal or empty, got "
                f"{self.boilerplate!r}: texts and files are for the functions that search"
            )

    @property
    def bands(self) -> int:
        """How many bands `dedupe.lsh` makes of a signature: each of its values is one."""
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


def identity(settings: Settings) -> dict[str, Any]:
    """Return what two signatures or scores must have in common to be comparable, as JSON has it.

    Whatever is kept from one run for another (a checkpoint, an index) bears it, and is
    refused where it differs.

    >>> sorted(identity(Settings()))
    ['boilerplate', 'ngram', 'num_perm', 'rule', 'scheme', 'seed', 'shingles', 'unicode']
    """
    return {
        "shingles": SHINGLES_VERSION,
        "rule": RULE_VERSION,
        "unicode": unicodedata.unidata_version,
        "scheme": SCHEME,
        "ngram": settings.ngram,
        "num_perm": settings.num_perm,
        "seed": settings.seed,
        "boilerplate": settings.boilerplate,
    }


@dataclass(frozen=True, slots=True)
class Resources:
    """How a search goes about its work; the result is the same for any.

    Attributes
    ----------
    workers : int, at least 1
        Threads.
    memory : int, at least 1
        Bytes that decide when texts, signatures and hashes go to temporary files.
    progress : callable
        Is given a `dedupe.Progress` now and then.
    """

    workers: int
    memory: int
    progress: ProgressCallback

    @classmethod
    def of(
        cls,
        workers: int | None = None,
        memory: int | str | None = None,
        progress: ProgressCallback | None = None,
    ) -> Self:
        """Check what was asked for, and fill in what was not.

        Raises
        ------
        InvalidSetting

        Examples
        --------
        >>> Resources.of(workers=2).workers
        2
        """
        n_workers = _count("workers", workers, "a whole number of at least 1")
        if isinstance(memory, str):
            memory = n_bytes(memory)
        n_memory = _count("memory", memory, "a whole number of bytes or a size such as '2G'")
        return cls(
            n_workers or n_processors(), n_memory or _default_memory(), progress or _say_nothing
        )


def n_bytes(size: str) -> int:
    """Read a size in bytes, or in units of 1024.

    >>> n_bytes("2G"), n_bytes("500MiB"), n_bytes("4096")
    (2147483648, 524288000, 4096)
    """
    found = re.fullmatch(r"([1-9]\d*)([KMGT]?)(?:I?B)?", size.strip().upper(), re.ASCII)
    if not found:
        raise InvalidSetting(f"memory must be a size such as 500M or 2G, got {size!r}")
    return int(found[1]) << (10 * " KMGT".index(found[2] or " "))


def n_processors() -> int:
    """Return how many processors this process may use."""
    # A container or a scheduler may allow fewer than there are.
    can_tell = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if can_tell else os.cpu_count() or 1


def _default_memory() -> int:
    """Return a quarter of the memory of this machine, in bytes."""
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        n_bytes = FALLBACK_MEMORY  # Windows has no sysconf.
    return n_bytes // 4


def _say_nothing(_: Progress) -> None:
    """Take the place of a progress callback."""


def _as_places(prefer: object) -> tuple[str, ...]:
    """Return the places to prefer, one of them as a tuple of one."""
    places = (prefer,) if isinstance(prefer, str) else prefer
    if not isinstance(places, Sequence) or not all(isinstance(one, str) and one for one in places):
        raise InvalidSetting(
            f"prefer must be ids, folders or patterns, the best first, got {prefer!r}"
        )
    return tuple(places)


def _count(name: str, value: object, what: str) -> int | None:
    """Return a positive whole number, also one of numpy, or None, and refuse anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 1:
        raise InvalidSetting(f"{name} must be {what}, got {value!r}")
    return int(value)


def _check_range(name: str, value: object, low: float, high: float) -> None:
    """Refuse a number outside [low, high], a NaN, and anything that is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidSetting(f"{name} must be in [{low:g}, {high:g}], got {value!r}")


def _check_whole(name: str, value: object, low: int, high: int) -> None:
    """Refuse anything but a whole number in low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidSetting(f"{name} must be a whole number in {low}..{high}, got {value!r}")

"""Says which documents are close enough in time to be the same story.

A window is a condition on pairs, not on clusters: a story that is printed again each day is
one cluster, however long it goes on. A document without a time is in the window of every other.

Identical copies stand for one document long before pairs are scored, so they are cut
apart first: wherever more time than the window passes between two of them that follow each
other. What stands together is a *run*; it lasts from its first copy to its last. As no gap in
it is wider than the window, two runs have copies in each other's window exactly if the time
between the runs is no longer.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np

from dedupe.arrays import AnyInts, Bools, Floats, Ints

__all__ = ["Spans", "split_copies"]


@dataclass(frozen=True, slots=True)
class Spans:
    """The time that each document takes with its identical copies.

    Attributes
    ----------
    starts, ends : float64 [shape=(n_docs,)]
        Seconds since 1970 of the first copy of its run and of the last; infinite where
        one of them has no time.
    window : float
        In seconds.
    """

    starts: Floats
    ends: Floats
    window: float

    @classmethod
    def of(cls, runs: Ints, times: Floats, window: timedelta) -> Self:
        """Return the span of each document.

        Parameters
        ----------
        runs : int64 [shape=(n_docs,)]
            A document of its run for each, the same for all of a run.
        times : float64 [shape=(n_docs,)]
            NaN where a document has none.
        window : timedelta

        Examples
        --------
        >>> spans = Spans.of(np.array([0, 0, 2]), np.array([5.0, 9, 12]), timedelta(seconds=3))
        >>> spans.starts.tolist(), spans.ends.tolist(), spans.in_window(np.array([[1, 2]])).tolist()
        ([5.0, 5.0, 12.0], [9.0, 9.0, 12.0], [True])
        """
        starts, ends = np.full(runs.size, np.inf), np.full(runs.size, -np.inf)
        np.minimum.at(starts, runs, np.where(np.isnan(times), -np.inf, times))
        np.maximum.at(ends, runs, np.where(np.isnan(times), np.inf, times))
        return cls(starts[runs], ends[runs], window.total_seconds())

    def take(self, documents: AnyInts) -> "Spans":
        """Return those of some documents."""
        return Spans(self.starts[documents], self.ends[documents], self.window)

    def in_window(self, pairs: AnyInts) -> Bools:
        """Return which pairs of documents have copies in each other's window."""
        left, right = pairs[:, 0], pairs[:, 1]
        gap = np.maximum(self.starts[right] - self.ends[left], self.starts[left] - self.ends[right])
        found: Bools = gap <= self.window
        return found


def split_copies(copies: Ints, times: Floats, window: timedelta) -> Ints:
    """Cut groups of identical copies into runs.

    A group with a copy that has no time stays whole, since that one is in the window of all.

    Parameters
    ----------
    copies : int64 [shape=(n_docs,)]
        A document of its group for each, the same for all of a group.
    times : float64 [shape=(n_docs,)]
        NaN where a document has none.
    window : timedelta

    Returns
    -------
    int64 [shape=(n_docs,)]
        A document of its run for each, the same for all of a run.

    Examples
    --------
    >>> split_copies(np.zeros(3, np.int64), np.array([1.0, 9, 3]), timedelta(seconds=3)).tolist()
    [0, 1, 0]
    """
    order = np.lexsort((times, copies))
    groups, ordered = copies[order], times[order]
    is_whole = np.zeros(copies.size, np.bool_)
    is_whole[copies[np.isnan(times)]] = True
    is_late = (np.diff(ordered) > window.total_seconds()) & ~is_whole[groups[1:]]
    is_first = np.ones(copies.size, np.bool_)
    is_first[1:] = (groups[1:] != groups[:-1]) | is_late
    runs = np.empty(copies.size, np.int64)
    runs[order] = order[is_first][np.cumsum(is_first) - 1]
    return runs

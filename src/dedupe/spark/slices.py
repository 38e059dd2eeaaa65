"""Cuts crowded buckets into slices of time, as `dedupe.lsh` does where there is a window.

The anchors of a crowded bucket may be of another year than most of it. So each document in one
is also linked to the largest of its time.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.spark.columns import array_of, batch
from dedupe.spark.job import Job
from dedupe.spark.workers import mapped

__all__ = ["EMITTED", "Emit", "Slices", "near", "renumbered"]

EMITTED = "lesser long, greater long"
"""Pairs of ranks."""

Emit = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]

N_WAYS = 8
"""Numbers of ways to cut time, of which there are five: slices of two lengths, each cut twice, and
all together."""

OLD, UNDATED = 1 << 41, 1 << 40
"""What puts a document behind others in the slice of all: it is old, or has no time."""


class Slices(NamedTuple):
    """How crowded buckets are cut.

    Attributes
    ----------
    crowded : DataFrame
        key: of buckets.
    seconds : float
        The window.
    has_undated : bool
        Whether a document has no time. All are in one slice then, which those anchor.
    n_new : int
        The rank from which on documents are old.
    """

    crowded: DataFrame
    seconds: float
    has_undated: bool
    n_new: int

    @classmethod
    def of(cls, job: Job, ranked: DataFrame, postings: DataFrame, has_old: bool) -> "Slices":
        """Return how the buckets of some documents are cut.

        Parameters
        ----------
        job : Job
        ranked : DataFrame
            rank, is_old, start.
        postings : DataFrame
            key, rank.
        has_old : bool
        """
        assert job.settings.window is not None, "slices are made where there is a window"
        sizes = postings.groupBy("key").agg(F.count("*").alias("n"))
        crowded = job.keep(sizes.where(F.col("n") > job.settings.bucket_cap).select("key"))
        n_new = ranked.where("not is_old").count() if has_old else UNDATED
        has_undated = not ranked.where(F.col("start") == -np.inf).isEmpty()
        return cls(crowded, job.settings.window.total_seconds(), has_undated, n_new)

    def streamed(self, job: Job, postings: DataFrame, emit: Emit) -> DataFrame:
        """Return what is emitted of the slices of crowded buckets.

        Parameters
        ----------
        job : Job
        postings : DataFrame
            key, rank, start.
        emit : callable
            What emits pairs of buckets that stream by.
        """
        slices = F.filter(F.array(*self._slices()), lambda one: one["slice"].isNotNull())
        sliced = postings.join(self.crowded, "key").select(
            "key", "rank", F.explode(slices).alias("one")
        )
        return (
            mapped(
                sliced.select("key", "one.slice", "one.place", "rank")
                .repartition(job.partitions, "key", "slice")
                .sortWithinPartitions("key", "slice", F.desc("place")),
                partial(_emitted, emit),
                EMITTED,
            )
            # What has no time comes behind what is larger.
            .select(
                F.least("lesser", "greater").alias("lesser"),
                F.greatest("lesser", "greater").alias("greater"),
            )
        )

    def _slices(self) -> Iterator[Column]:
        """Yield the slices that a document is in, and its place in each; null where in none."""
        start, rank = F.col("start"), F.col("rank")
        is_undated = start == -np.inf
        ways = [(length, shift) for length in (1, 2) for shift in (0.0, 0.5)]
        for way, (length, shift) in enumerate(ways):
            slice_ = F.floor(start / (length * self.seconds) + shift) * N_WAYS + way
            yield F.struct(F.when(~is_undated, slice_).alias("slice"), rank.alias("place"))
        if self.has_undated:
            behind = F.when(is_undated, UNDATED).otherwise(0)
            behind += F.when(rank >= self.n_new, OLD).otherwise(0)
            whole = F.lit(len(ways)).cast("long")
            yield F.struct(whole.alias("slice"), (rank + behind).alias("place"))


def near(pairs: DataFrame, window: timedelta) -> DataFrame:
    """Return the pairs whose documents have copies in each other's window."""
    gap = F.greatest(
        F.col("start_greater") - F.col("end_lesser"), F.col("start_lesser") - F.col("end_greater")
    )
    return pairs.where(gap <= window.total_seconds())


def _emitted(emit: Emit, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what is emitted of slices that stream by."""
    return emit(renumbered(batches))


def renumbered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield postings whose key is the number of their bucket and slice, of those that stream by."""
    last, n_before = np.empty(0, np.int64), -1
    for some in batches:
        if not some.num_rows:
            continue
        names = np.stack([array_of(some.column(name)) for name in ("key", "slice")])
        is_new = np.ones(some.num_rows, np.bool_)
        is_new[1:] = (np.diff(names) != 0).any(axis=0)
        is_new[0] = not np.array_equal(last, names[:, 0])
        keys = n_before + np.cumsum(is_new)
        last, n_before = names[:, -1], int(keys[-1])
        yield batch(key=keys, rank=some.column("rank"))

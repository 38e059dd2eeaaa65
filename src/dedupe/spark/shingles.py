"""Holds numbers of shingles, which blocks look up: broadcast where few, sent around where many.

Shingles are dealt to *buckets* by their hashes. Those of a bucket travel packed, as a row for each
place they come from, and are sorted, counted and looked up there as arrays.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import HALF, LOW_HALF, AnyInts, Bools, Hashes, Ints, distinct
from dedupe.kernels.boilerplate import MAX_COUNT, OF_FORM
from dedupe.spark.columns import array_of, batch, groups_of, packed
from dedupe.spark.job import Job
from dedupe.spark.workers import mapped

__all__ = [
    "COUNTS",
    "DEALT",
    "KNOWN",
    "Deal",
    "Entries",
    "dealt",
    "dealt_rows",
    "entries_of",
    "stories_counted",
]

DEALT = "bucket int, shingles binary, told binary"
"""Some shingles of a bucket, with a number for each, or null."""

KNOWN = -1
"""The story of shingles that are boilerplate whatever is counted."""

ENTRIES = "bucket int, n int, shingles binary, counts binary"
"""The entries of a bucket, sorted."""

ASKED = "bucket int, block long, shingles binary, counts binary"
"""The entries of a bucket, or the shingles of a block that are in it."""

COUNTS = np.dtype("<u2")
"""What is told of a shingle: MAX_COUNT and OF_FORM, of `dedupe.kernels.boilerplate`, fit."""

BUCKETS_PER_PART = 4
"""Buckets for each partition, so that partitions are of about one size."""

AT_ONCE = 1 << 22
"""Shingles of a bucket that wait until they are made fewer."""

SIEVE_BITS = 8
"""Bits of a sieve for each entry: one shingle in nine that is none goes through."""

Deal = Callable[..., pa.RecordBatch]
"""Deals shingles, and a number for each where there is one, as rows of DEALT."""


class Entries(NamedTuple):
    """Shingles with a number each.

    Attributes
    ----------
    frame : DataFrame or None
        See ENTRIES; sealed shingles, each once.
    broadcast : Broadcast or None
        The same as two arrays, where they are few.
    n : int
        How many there are.
    """

    frame: "DataFrame | None"
    broadcast: Any
    n: int

    @classmethod
    def none(cls, job: Job) -> "Entries":
        """Return no entries."""
        return cls(None, job.send((np.empty(0, np.uint64), np.empty(0, COUNTS))), 0)

    @classmethod
    def distinct(cls, job: Job, shingles: DataFrame) -> "Entries":
        """Return shingles that were dealt, each with a 0."""
        return cls._of(job, shingles, _distinct)

    @classmethod
    def counted(cls, job: Job, stories: DataFrame) -> "Entries":
        """Return in how many stories each shingle stands that was dealt with some, if in two.

        Those that were dealt without a story, too, are marked as part of a form; those dealt with
        KNOWN are in as many as can be counted.
        """
        return cls._of(job, stories, stories_counted)

    @classmethod
    def _of(cls, job: Job, rows: DataFrame, rule: Callable[[Any], Any]) -> "Entries":
        """Keep entries, and send them to all executors where they are at most `Job.small`."""
        made = mapped(_by_bucket(job, rows), partial(_each, rule), ENTRIES)
        frame = job.keep(made)
        (n,) = frame.agg(F.coalesce(F.sum("n"), F.lit(0))).first() or (0,)
        if n > job.small:
            return cls(frame, None, n)
        # What is only distinct has zeros, which need not be sent.
        names = ["shingles"] if rule is _distinct else ["shingles", "counts"]
        data = [b"".join(column.to_pylist()) for column in frame.select(*names).toArrow().columns]
        shingles = np.frombuffer(data[0], np.uint64)
        counts = np.frombuffer(data[1] if len(data) > 1 else bytes(2 * shingles.size), COUNTS)
        return cls(frame, job.send((shingles, counts)), n)

    def rows(self) -> DataFrame:
        """Return the entries as rows of ``shingle``, ``n``."""
        assert self.frame is not None, "entries that are few are looked up where blocks are"
        return mapped(self.frame.select("shingles", "counts"), _rows, "shingle long, n long")

    def dealt(self) -> DataFrame:
        """Return the shingles as they are dealt, without their numbers."""
        assert self.frame is not None, "entries that are none were not dealt"
        told = F.lit(None).cast("binary").alias("told")
        return self.frame.select("bucket", "shingles", told)

    def held(self, job: Job, blocks: DataFrame) -> DataFrame:
        """Return the entries that blocks hold, as rows of ``block``, ``shingles``, ``counts``.

        Parameters
        ----------
        job : Job
        blocks : DataFrame
            block, shingles.
        """
        assert self.frame is not None, "entries that are few are looked up where blocks are"
        asked = mapped(blocks, partial(_asked, _n_buckets(job), self._sieves(job)), ASKED)
        known = self.frame.select(
            "bucket", F.lit(None).cast("long").alias("block"), "shingles", "counts"
        )
        # Entries come first, since null does.
        return mapped(
            _by_bucket(job, known.union(asked), "block"),
            _looked_up,
            "block long, shingles binary, counts binary",
        )

    def _sieves(self, job: Job) -> Any:
        """Send a sieve of each bucket to all executors, a byte for each entry.

        Without them all shingles of all blocks would travel, most of which are no entries.
        """
        assert self.frame is not None, "entries that are few are looked up where blocks are"
        made = mapped(self.frame.select("bucket", "shingles"), _sieved, "bucket int, sieve binary")
        found = made.toArrow()
        sieves = (np.frombuffer(one, np.uint8) for one in found.column("sieve").to_pylist())
        return job.send(dict(zip(found.column("bucket").to_pylist(), sieves, strict=True)))


def _sieved(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the sieve of each bucket: a bit for each entry, at the place of its hash."""
    for row in (row for some in batches for row in some.to_pylist()):
        shingles = np.frombuffer(row["shingles"], np.uint64)
        is_there = np.zeros(max(8, SIEVE_BITS * shingles.size), np.bool_)
        is_there[_in_sieve(shingles, is_there.size)] = True
        sieve = np.packbits(is_there).tobytes()
        yield batch(bucket=pa.array([row["bucket"]], pa.int32()), sieve=pa.array([sieve]))


def _in_sieve(shingles: Hashes, n_bits: int) -> Ints:
    """Return the places of shingles in a sieve; buckets go by the other half of their bits."""
    places: Ints = ((shingles & LOW_HALF) % np.uint64(n_bits)).astype(np.int64)
    return places


def _may_be_in(sieve: npt.NDArray[np.uint8] | None, shingles: Hashes) -> Bools:
    """Return which shingles of a bucket may be entries; none where it has none."""
    if sieve is None:
        return np.zeros(shingles.size, np.bool_)
    places = _in_sieve(shingles, 8 * sieve.size)
    found: Bools = sieve[places >> 3] >> (7 - (places & 7)) & 1 > 0
    return found


def _n_buckets(job: Job) -> int:
    return job.partitions * BUCKETS_PER_PART


def _by_bucket(job: Job, rows: DataFrame, *more: str) -> DataFrame:
    """Return rows with those of a bucket after each other."""
    return rows.repartition(job.partitions, "bucket").sortWithinPartitions("bucket", *more)


def _split(n_buckets: int, shingles: Hashes) -> Iterator[tuple[int, Ints]]:
    """Yield the buckets of some shingles, and the places of those in each."""
    buckets = ((shingles >> HALF) % np.uint64(n_buckets)).astype(np.int64)
    order = np.argsort(buckets, kind="stable")
    starts = np.flatnonzero(np.diff(buckets[order], prepend=-1))
    for places in np.split(order, starts[1:]) if starts.size else ():
        yield int(buckets[places[0]]), places


def dealt(job: Job) -> Deal:
    """Return what deals shingles to the buckets of a job."""
    return partial(_dealt, _n_buckets(job))


def _dealt(n_buckets: int, shingles: Hashes, told: Ints | None = None) -> pa.RecordBatch:
    parts = [*_split(n_buckets, shingles)]
    numbers = [None if told is None else told[places].tobytes() for _, places in parts]
    return batch(
        bucket=pa.array([bucket for bucket, _ in parts], pa.int32()),
        shingles=packed(*(shingles[places] for _, places in parts)),
        told=pa.array(numbers, pa.binary()),
    )


def dealt_rows(job: Job, shingles: DataFrame, story: int | None = None) -> DataFrame:
    """Return a column of shingles as rows of DEALT, all with one story or without."""
    return mapped(shingles.select("shingle"), partial(_rows_dealt, dealt(job), story), DEALT)


def _rows_dealt(
    deal: Deal, story: int | None, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for some in batches:
        shingles = array_of(some.column("shingle")).view(np.uint64)
        yield deal(shingles, None if story is None else np.full(shingles.size, story))


def _each(
    rule: Callable[[Iterator[dict[str, Any]]], tuple[Hashes, Ints]],
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Yield what a rule makes of the rows of each bucket."""
    rows = (row for some in batches for row in some.to_pylist())
    for bucket, of_bucket in groupby(rows, itemgetter("bucket")):
        shingles, counts = rule(of_bucket)
        yield batch(
            bucket=pa.array([bucket], pa.int32()),
            n=pa.array([shingles.size], pa.int32()),
            shingles=packed(shingles),
            counts=packed(counts.astype(COUNTS)),
        )


def _distinct(rows: Iterator[dict[str, Any]]) -> tuple[Hashes, Ints]:
    """Return the shingles of a bucket, each once."""
    found = np.empty(0, np.uint64)
    waiting, n_waiting = [found], 0
    for row in rows:
        waiting.append(np.frombuffer(row["shingles"], np.uint64))
        n_waiting += waiting[-1].size
        if n_waiting > max(AT_ONCE, waiting[0].size):
            waiting, n_waiting = [distinct(np.concatenate(waiting))], 0
    found = distinct(np.concatenate(waiting))
    return found, np.zeros(found.size, np.int64)


def stories_counted(rows: Iterator[dict[str, Any]], at_once: int = AT_ONCE) -> tuple[Hashes, Ints]:
    """Return the shingles of a bucket that stand in two stories, with the number of them.

    Parameters
    ----------
    rows : iterable of rows of DEALT
        With the stories that hold shingles, or without if those are of forms.
    at_once : int
        Shingles that wait until they are made fewer.
    """
    of_forms = [np.empty(0, np.uint64)]
    waiting, n_waiting = [(np.empty(0, np.uint64), np.empty(0, np.int64))], 0
    for row in rows:
        shingles = np.frombuffer(row["shingles"], np.uint64)
        if row["told"] is None:
            of_forms.append(shingles)
            continue
        waiting.append((shingles, np.frombuffer(row["told"], np.int64)))
        n_waiting += shingles.size
        if n_waiting > max(at_once, waiting[0][0].size):
            waiting, n_waiting = [_stories_of(waiting)], 0
    shingles, stories = _stories_of(waiting)
    found, starts, counts = np.unique(shingles, return_index=True, return_counts=True)
    # The stories of a shingle are in order.
    is_known = stories[starts] == KNOWN
    is_of_form = np.isin(found, np.concatenate(of_forms)) | is_known
    counts = np.where(is_known, MAX_COUNT, counts) + np.where(is_of_form, OF_FORM, 0)
    is_kept = (counts & MAX_COUNT) > 1
    return found[is_kept], counts[is_kept].astype(np.int64)


def _stories_of(waiting: list[tuple[Hashes, Ints]]) -> tuple[Hashes, Ints]:
    """Return shingles with the stories of each, of which no more are told apart than count."""
    shingles, stories = (np.concatenate(column) for column in zip(*waiting, strict=True))
    order = np.lexsort((stories, shingles))
    shingles, stories = shingles[order], stories[order]
    is_new = np.ones(shingles.size, np.bool_)
    is_new[1:] = (shingles[1:] != shingles[:-1]) | (stories[1:] != stories[:-1])
    shingles, stories = shingles[is_new], stories[is_new]
    starts = np.flatnonzero(np.append(True, shingles[1:] != shingles[:-1])[: shingles.size])
    sizes = np.diff(np.append(starts, shingles.size))
    is_kept = np.arange(shingles.size) - np.repeat(starts, sizes) < MAX_COUNT
    return shingles[is_kept], stories[is_kept]


def _asked(
    n_buckets: int, sieves: Any, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the shingles of blocks that may be entries, each once in a block, by bucket."""
    for number, rows in groups_of(batches, "block"):
        found = distinct(np.frombuffer(b"".join(rows.column("shingles").to_pylist()), np.uint64))
        parts = [
            (bucket, places[_may_be_in(sieves.value.get(bucket), found[places])])
            for bucket, places in _split(n_buckets, found)
        ]
        parts = [(bucket, places) for bucket, places in parts if places.size]
        yield batch(
            bucket=pa.array([bucket for bucket, _ in parts], pa.int32()),
            block=np.full(len(parts), number),
            shingles=packed(*(found[places] for _, places in parts)),
            counts=pa.array([None] * len(parts), pa.binary()),
        )


def _looked_up(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the entries that blocks hold; those of a bucket come before its blocks."""
    bucket, known, counts = None, np.empty(0, np.uint64), np.empty(0, COUNTS)
    for row in (row for some in batches for row in some.to_pylist()):
        shingles = np.frombuffer(row["shingles"], np.uint64)
        if row["block"] is None:
            bucket, known, counts = row["bucket"], shingles, np.frombuffer(row["counts"], COUNTS)
        elif row["bucket"] == bucket and known.size:
            places = np.minimum(np.searchsorted(known, shingles), known.size - 1)
            places = places[known[places] == shingles]
            yield batch(
                block=np.array([row["block"]]),
                shingles=packed(known[places]),
                counts=packed(counts[places]),
            )


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield entries one by one."""
    for some in batches:
        for shingles, counts in zip(*(one.to_pylist() for one in some.columns), strict=True):
            yield batch(
                shingle=np.frombuffer(shingles, np.int64),
                n=np.frombuffer(counts, COUNTS).astype(np.int64),
            )


def entries_of(found: Any) -> tuple[Hashes, AnyInts]:
    """Return entries as arrays, be they so already or rows of `Entries.held`."""
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], np.ndarray):
        return found[0], found[1]
    columns: list[npt.NDArray[Any]] = [
        np.frombuffer(b"".join(one[name] for one in found), kind)
        for name, kind in (("shingles", np.uint64), ("counts", COUNTS))
    ]
    return columns[0], columns[1]

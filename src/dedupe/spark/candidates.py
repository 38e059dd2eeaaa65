"""Finds candidate pairs: what `dedupe.lsh` does on one machine, as a sort and two joins.

Where there is neither an old collection nor a window, `dedupe.spark.chunks` does it for less.

Each value of a signature is a *posting*: the band with the value, and the rank of the document
by size. Postings are sorted, and buckets stream by: of a crowded one only its anchors are
remembered. Where pairs meet the signatures of both sides the estimate drops most of them.
"""

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import HALF, LOW_HALF, Hashes, Ints
from dedupe.kernels.buckets import BANDS_AT_ONCE, N_ANCHORS, keep_possible
from dedupe.lsh import COSINE_FLOOR, TEACHERS, likely_shares, within_buckets
from dedupe.spark.chunks import met_in_chunks
from dedupe.spark.columns import array_of, batch
from dedupe.spark.documents import Documents, numbered
from dedupe.spark.job import Job
from dedupe.spark.slices import EMITTED, Emit, Slices, near
from dedupe.spark.workers import mapped

__all__ = ["buckets", "candidates", "mixed_buckets"]

SIDES = ("lesser", "greater")
"""The documents of a pair, by rank."""


def candidates(job: Job, documents: Documents) -> DataFrame:
    """Return the pairs of documents worth scoring, the larger as `a`, the other as `b`.

    Of a new document and an old one, the old one counts as the larger.
    """
    originals = documents.sketches.where(
        (F.col("doc") == F.col("first")) & (F.col("n_shingles") > 0)
    )
    if not documents.has_old and job.settings.window is None:
        return met_in_chunks(job, originals)
    order = ("is_old", "n_shingles", "digest", "doc")
    spans = ("start", "end") if job.settings.window is not None else ()
    in_order = job.keep(originals.select(*order, "signature", *spans).sort(*order))
    ranked = job.keep(numbered(in_order, "rank"))
    parts = _beside_old(job, ranked) if documents.has_old else [_within(job, ranked)]
    streams = [part.streamed(job) for part in parts]
    window = job.settings.window
    if window is not None:
        slices = Slices.of(job, ranked, _postings_of(ranked), documents.has_old)
        streams += [
            slices.streamed(job, _postings_of(part.documents, "start"), part.emit) for part in parts
        ]
    emitted = _with_sides(reduce(DataFrame.union, streams).distinct(), ranked, spans)
    if window is not None:
        emitted = near(emitted, window)
    needed = [f"{name}_{side}" for side in SIDES for name in ("doc", "size", "signature")]
    return mapped(
        emitted.select(*needed), partial(_possible, job.settings.num_perm), "a long, b long"
    )


def _with_sides(pairs: DataFrame, ranked: DataFrame, spans: Sequence[str]) -> DataFrame:
    """Return pairs of ranks with what is known of both documents."""
    names = {"doc": "doc", "n_shingles": "size", "signature": "signature"}
    names |= {one: one for one in spans}
    for side in SIDES:
        told = (F.col(column).alias(f"{name}_{side}") for column, name in names.items())
        pairs = pairs.join(ranked.select(F.col("rank").alias(side), *told), side)
    return pairs


class _Part(NamedTuple):
    """Documents whose buckets are gone through, by themselves, and what is emitted of them."""

    documents: DataFrame
    emit: Emit

    def streamed(self, job: Job) -> DataFrame:
        """Return what is emitted of whole buckets, which stream by."""
        return mapped(
            _postings_of(self.documents)
            .repartition(job.partitions, "key")
            .sortWithinPartitions("key", F.desc("rank")),
            self.emit,
            EMITTED,
        )


def _within(job: Job, ranked: DataFrame) -> _Part:
    """Return documents that are paired with one another."""
    return _Part(ranked, partial(buckets, job.settings.bucket_cap))


def _beside_old(job: Job, ranked: DataFrame) -> list[_Part]:
    """Return new documents, some old ones to learn from, and all to pair one of each.

    Those old ones are drawn by what they say, as on one machine.
    """
    new, old = ranked.where("not is_old"), ranked.where("is_old")
    drawn = F.struct("digest", "rank")
    (last,) = old.sort("digest", "rank").limit(TEACHERS).agg(F.max(drawn)).first() or (None,)
    assert last is not None, "there is something old"
    limit = F.struct(*(F.lit(last[name]).cast("long").alias(name) for name in ("digest", "rank")))
    taught = old.where(drawn <= limit)
    mixed = partial(mixed_buckets, job.settings.bucket_cap, new.count())
    return [_within(job, new), _within(job, taught), _Part(ranked, mixed)]


def _postings_of(ranked: DataFrame, *more: str) -> DataFrame:
    """Return a row for each value of each signature, with more columns of doubles."""
    schema = ", ".join(["key long", "rank long", *(f"{name} double" for name in more)])
    return mapped(ranked.select("rank", "signature", *more), _postings, schema)


def _postings(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield a row for each value of each signature."""
    for some in batches:
        if not some.num_rows:
            continue
        values = _signatures(some.column("signature"))
        n_perm = values.shape[1]
        keys = values.astype(np.int64) | (np.arange(n_perm, dtype=np.int64) << 32)
        others = {
            name: np.repeat(array_of(some.column(name)), n_perm)
            for name in some.schema.names
            if name != "signature"
        }
        yield batch(key=keys.ravel(), **others)


def _signatures(column: pa.Array) -> "np.ndarray[tuple[int, int], np.dtype[np.uint32]]":
    """Return a column of signatures, of which there is one at least, as rows of an array."""
    data = b"".join(column.to_pylist())
    return np.frombuffer(data, np.uint32).reshape(len(column), -1).copy()


def buckets(cap: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of buckets that stream by, as `dedupe.lsh.emit` makes them of a band.

    Parameters
    ----------
    cap : int, at least 2
    batches : iterable of RecordBatch
        key, rank: sorted by key, and within a bucket from the greatest rank down, so that the
        anchors come first. A bucket may go on in any number of batches.
    """
    keys, ranks = np.empty(0, np.int64), np.empty(0, np.int64)
    # The bucket that crowds the end of what was read, by its key, and its anchors.
    crowded: int | None = None
    anchors = ranks
    for some in batches:
        if not some.num_rows:
            continue
        more_keys, more_ranks = array_of(some.column("key")), array_of(some.column("rank"))
        if crowded is not None:
            n_crowded = int(np.searchsorted(more_keys, crowded, side="right"))
            yield _linked(more_ranks[:n_crowded], anchors)
            more_keys, more_ranks = more_keys[n_crowded:], more_ranks[n_crowded:]
            if not more_keys.size:
                continue
            crowded = None
        keys, ranks = np.concatenate([keys, more_keys]), np.concatenate([ranks, more_ranks])
        # The last bucket may go on.
        start = int(np.searchsorted(keys, keys[-1]))
        yield _emitted(keys[:start], ranks[:start], cap)
        keys, ranks = keys[start:], ranks[start:]
        if keys.size > cap:
            yield _emitted(keys, ranks, cap)
            crowded, anchors = int(keys[0]), ranks[:N_ANCHORS]
            keys, ranks = keys[:0], ranks[:0]
    yield _emitted(keys, ranks, cap)


def mixed_buckets(
    cap: int, n_new: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of a new and an old document in buckets that stream by.

    Parameters
    ----------
    cap : int, at least 2
    n_new : int
        The rank from which on documents are old.
    batches : iterable of RecordBatch
        As for `buckets`: the old documents of a bucket come first, the largest of them before
        all. More than `cap` of them need not be remembered.
    """
    keys, ranks = np.empty(0, np.int64), np.empty(0, np.int64)
    for some in batches:
        if not some.num_rows:
            continue
        keys = np.concatenate([keys, array_of(some.column("key"))])
        ranks = np.concatenate([ranks, array_of(some.column("rank"))])
        starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
        sizes = np.diff(np.append(starts, keys.size))
        n_old = np.add.reduceat(ranks >= n_new, starts)
        n_linked = np.repeat(np.where(n_old > cap, N_ANCHORS, n_old), sizes)
        new = np.flatnonzero(ranks < n_new)
        n_linked = n_linked[new]
        # Each new document with the first so many of its bucket.
        within = np.arange(n_linked.sum()) - np.repeat(np.cumsum(n_linked) - n_linked, n_linked)
        firsts = np.repeat(np.repeat(starts, sizes)[new], n_linked)
        yield _distinct(np.repeat(ranks[new], n_linked), ranks[firsts + within])
        # The last bucket may go on.
        kept = slice(starts[-1], starts[-1] + min(int(n_old[-1]), cap + 1))
        keys, ranks = keys[kept], ranks[kept]


def _emitted(keys: Ints, ranks: Ints, cap: int) -> pa.RecordBatch:
    """Return the pairs of whole buckets, each once."""
    # The kernel wants the greatest rank of a bucket at its end, and packs places, not ranks.
    ranks = ranks[::-1]
    is_new = np.diff(keys[::-1], prepend=-1) != 0
    packed = (np.cumsum(is_new).astype(np.uint64) << HALF) | np.arange(ranks.size, dtype=np.uint64)
    pairs = within_buckets(packed, cap)
    lesser = ranks[(pairs >> HALF).astype(np.int64)]
    greater = ranks[(pairs & LOW_HALF).astype(np.int64)]
    return _distinct(lesser, greater)


def _linked(ranks: Ints, anchors: Ints) -> pa.RecordBatch:
    """Return more documents of a crowded bucket with its anchors."""
    return _distinct(np.repeat(ranks, anchors.size), np.tile(anchors, ranks.size))


def _distinct(lesser: Ints, greater: Ints) -> pa.RecordBatch:
    """Return pairs of ranks, each once: bands repeat each other."""
    order = np.lexsort((greater, lesser))
    lesser, greater = lesser[order], greater[order]
    is_new = (np.diff(lesser, prepend=-1) != 0) | (np.diff(greater, prepend=-1) != 0)
    return batch(lesser=lesser[is_new], greater=greater[is_new])


def _possible(n_perm: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs whose signatures say that they may reach the floor."""
    shares = likely_shares(n_perm)
    for some in batches:
        n = some.num_rows
        if not n:
            continue
        sides = [_signatures(some.column(f"signature_{name}")) for name in SIDES]
        sizes = [array_of(some.column(f"size_{name}")) for name in SIDES]
        places = np.arange(n, dtype=np.uint64)
        pairs: Hashes = (places << HALF) | (places + np.uint64(n))
        n_kept = keep_possible(
            pairs,
            np.concatenate(sides),
            np.arange(2 * n),
            np.concatenate(sizes).astype(np.int64),
            # As on one machine, other documents may not decide who is held against whom.
            np.zeros((2 * n, -(-n_perm // BANDS_AT_ONCE)), np.uint8),
            shares,
            COSINE_FLOOR,
        )
        kept = (pairs[:n_kept] >> HALF).astype(np.int64)
        yield batch(
            a=array_of(some.column("doc_greater"))[kept],
            b=array_of(some.column("doc_lesser"))[kept],
        )

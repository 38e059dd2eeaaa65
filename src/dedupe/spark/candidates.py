"""Finds candidate pairs: what `dedupe.lsh` does on one machine, as a sort and two joins.

Each value of a signature is a *posting*: the band with the value, and the rank of the document
by size. Postings are sorted, and buckets stream by: of a crowded one only its anchors are
remembered. Where pairs meet the signatures of both sides the estimate drops most of them.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import Hashes, Ints
from dedupe.kernels.buckets import N_ANCHORS, keep_possible
from dedupe.lsh import COSINE_FLOOR, likely_shares, within_buckets
from dedupe.spark.columns import array_of, batch
from dedupe.spark.documents import numbered
from dedupe.spark.job import Job

__all__ = ["buckets", "candidates"]


def candidates(job: Job, sketches: DataFrame) -> DataFrame:
    """Return the pairs of documents worth scoring, the larger as `a`, the other as `b`."""
    originals = sketches.where((F.col("doc") == F.col("first")) & (F.col("n_shingles") > 0))
    in_order = job.keep(
        originals.select("n_shingles", "digest", "doc", "signature").sort(
            "n_shingles", "digest", "doc"
        )
    )
    ranked = job.keep(numbered(in_order, "rank"))
    postings = ranked.select("rank", "signature").mapInArrow(_postings, "key long, rank long")
    emitted = (
        postings.repartition(job.partitions, "key")
        .sortWithinPartitions("key", F.desc("rank"))
        .mapInArrow(partial(buckets, job.settings.bucket_cap), "lesser long, greater long")
        .distinct()
    )
    for name in ("lesser", "greater"):
        side = ranked.select(
            F.col("rank").alias(name),
            F.col("doc").alias(f"doc_{name}"),
            F.col("n_shingles").alias(f"size_{name}"),
            F.col("signature").alias(f"signature_{name}"),
        )
        emitted = emitted.join(side, name)
    n_perm = job.settings.num_perm
    return emitted.drop("lesser", "greater").mapInArrow(
        partial(_possible, n_perm), "a long, b long"
    )


def _postings(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield a row for each value of each signature."""
    for some in batches:
        if not some.num_rows:
            continue
        values = _signatures(some.column("signature"))
        n_perm = values.shape[1]
        keys = values.astype(np.int64) | (np.arange(n_perm, dtype=np.int64) << 32)
        ranks = np.repeat(array_of(some.column("rank")), n_perm)
        yield batch(key=keys.ravel(), rank=ranks)


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


def _emitted(keys: Ints, ranks: Ints, cap: int) -> pa.RecordBatch:
    """Return the pairs of whole buckets, each once."""
    # The kernel wants the greatest rank of a bucket at its end, and packs places, not ranks.
    ranks = ranks[::-1]
    is_new = np.diff(keys[::-1], prepend=-1) != 0
    packed = (np.cumsum(is_new).astype(np.uint64) << np.uint64(32)) | np.arange(
        ranks.size, dtype=np.uint64
    )
    pairs = within_buckets(packed, cap)
    lesser = ranks[(pairs >> np.uint64(32)).astype(np.int64)]
    greater = ranks[(pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)]
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
        sides = [_signatures(some.column(f"signature_{name}")) for name in ("lesser", "greater")]
        sizes = [array_of(some.column(f"size_{name}")) for name in ("lesser", "greater")]
        places = np.arange(n, dtype=np.uint64)
        pairs: Hashes = (places << np.uint64(32)) | (places + np.uint64(n))
        n_kept = keep_possible(
            pairs,
            np.concatenate(sides),
            np.arange(2 * n),
            np.concatenate(sizes).astype(np.int64),
            shares,
            COSINE_FLOOR,
        )
        kept = (pairs[:n_kept] >> np.uint64(32)).astype(np.int64)
        yield batch(
            a=array_of(some.column("doc_greater"))[kept],
            b=array_of(some.column("doc_lesser"))[kept],
        )

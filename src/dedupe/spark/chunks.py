"""Finds candidate pairs: what `dedupe.lsh` does on one machine, in three turns of small rows.

Documents are sorted by size and packed, some thousands to a row, and so is all that is said of
them on the way: Spark moves few and large rows, and arrays are sorted as arrays. Buckets say how
often each pair meets (`dedupe.spark.postings`); where the documents of a pair are, it is decided
whether that is enough (`dedupe.spark.estimates`).
"""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from dedupe import shortlist
from dedupe.lsh import COSINE_FLOOR
from dedupe.spark.columns import array_of, batch, packed
from dedupe.spark.estimates import MET, SIDE, at_greater, at_lesser
from dedupe.spark.job import Job
from dedupe.spark.postings import TALLY, UNIT, postings, range_bits, tallied
from dedupe.spark.ranks import CHUNK, Ranks
from dedupe.spark.workers import mapped

__all__ = ["met_in_chunks"]

PACKED = "part int, place int, n int, least int, docs binary, sizes binary, signatures binary"
"""A chunk of documents; `least` is the size of its first."""

BOUNDS = 32
"""Sizes that are told of each partition at most."""


def met_in_chunks(job: Job, originals: DataFrame) -> DataFrame:
    """Return the pairs of documents worth scoring, the larger as `a`, the other as `b`."""
    in_order = originals.select("n_shingles", "digest", "doc", "signature").sort(
        "n_shingles", "digest", "doc"
    )
    chunks = job.keep(mapped(in_order.withColumn("part", F.spark_partition_id()), _packed, PACKED))
    ranks = _ranks(chunks)
    n_perm, cap = job.settings.num_perm, job.settings.bucket_cap
    bits = range_bits(ranks.n_docs, n_perm, job.partitions)
    tallies = mapped(
        mapped(chunks, partial(postings, ranks, bits), UNIT)
        .repartition(job.partitions, "unit")
        .sortWithinPartitions("unit", F.desc("first")),
        partial(tallied, cap, ranks, bits),
        TALLY,
    )
    sides = chunks.select(
        # As `Ranks.chunk_of` numbers them.
        (F.shiftleft(F.col("part").cast("long"), 32) + F.col("place")).alias("chunk"),
        F.lit(0).alias("kind"),
        "docs",
        "sizes",
        "signatures",
    )
    met = mapped(
        _by_chunk(job, sides.unionByName(tallies, allowMissingColumns=True)),
        partial(at_lesser, ranks, n_perm, COSINE_FLOOR),
        SIDE,
    )
    found = mapped(_by_chunk(job, met), partial(at_greater, n_perm, COSINE_FLOOR), MET)
    return _shortlisted(job.keep(found))


def _shortlisted(pairs: DataFrame) -> DataFrame:
    """Return pairs without those that are too many, as `dedupe.shortlist` chooses."""
    weak = pairs.where(F.col("likeness") < shortlist.WEAK)
    many = weak.groupBy("b").count().where(F.col("count") > shortlist.MANY).select("b")
    if many.isEmpty():
        return pairs.select("a", "b")
    best_first = Window.partitionBy("b").orderBy(F.desc("likeness"), "rank")
    left_out = (
        weak.join(many, "b", "left_semi")
        .withColumn("place", F.row_number().over(best_first))
        .where(F.col("place") > shortlist.BEST)
    )
    return pairs.select("a", "b").join(left_out.select("a", "b"), ["a", "b"], "left_anti")


def _by_chunk(job: Job, rows: DataFrame) -> DataFrame:
    """Return rows with those of a chunk after each other, its documents first."""
    return rows.repartition(job.partitions, "chunk").sortWithinPartitions("chunk", "kind")


def _ranks(chunks: DataFrame) -> Ranks:
    """Return where ranks are. The driver is told some sizes of each partition."""
    every = f"filter(bounds, (one, nth) -> nth % ceil(size(bounds) / {BOUNDS}) = 0)"
    told = (
        chunks.groupBy("part")
        .agg(F.sum("n").alias("n"), F.sort_array(F.collect_list(F.struct("place", "least"))))
        .toDF("part", "n", "bounds")
        .select("part", "n", F.expr(every).alias("bounds"))
        .collect()
    )
    return Ranks.of({one.part: (one.n, [*map(tuple, one.bounds)]) for one in told})


def _packed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the documents of a sorted partition, some thousands to a row."""
    for place, some in enumerate(_in_chunks(batches)):
        sizes = array_of(some.column("n_shingles"))
        yield batch(
            part=some.column("part").slice(0, 1),
            place=pa.array([place], pa.int32()),
            n=pa.array([some.num_rows], pa.int32()),
            least=pa.array([sizes[0]], pa.int32()),
            docs=packed(array_of(some.column("doc"))),
            sizes=packed(sizes),
            signatures=pa.array([b"".join(some.column("signature").to_pylist())], pa.binary()),
        )


def _in_chunks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield rows in batches of CHUNK, and what is left at the end."""
    left = None
    for more in batches:
        some = more if left is None else pa.concat_batches([left, more])
        n_whole = some.num_rows - some.num_rows % CHUNK
        for start in range(0, n_whole, CHUNK):
            yield some.slice(start, CHUNK)
        left = some.slice(n_whole)
    if left is not None and left.num_rows:
        yield left

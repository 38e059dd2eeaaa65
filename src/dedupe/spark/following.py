"""Lets near-copies follow one of them: what `dedupe.crowds` does, a crowd in a task."""

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.crowds import followers
from dedupe.engine.memory import BlockInMemory
from dedupe.scoring import rule
from dedupe.scoring.alignment import by_size
from dedupe.spark.blocks import Blocks, Held
from dedupe.spark.columns import batch
from dedupe.spark.components import components
from dedupe.spark.documents import Documents
from dedupe.spark.job import Job

__all__ = ["follow"]


def follow(job: Job, documents: Documents, pairs: DataFrame) -> DataFrame:
    """Return the candidates with a leader in place of the near-copies that follow it.

    Who is old, or comes at another time, may not decide who is held against whom: beside old
    documents, and in a window, nobody follows.

    Parameters
    ----------
    job : Job
    documents : Documents
    pairs : DataFrame
        a, b: the larger document first.
    """
    if documents.has_old or job.settings.window is not None:
        return pairs
    job.tell("following")
    sides = pairs.select(F.explode(F.array("a", "b")).alias("doc"))
    counts = job.keep(sides.groupBy("doc").agg(F.count("*").alias("n")))
    if counts.where(F.col("n") >= rule.MIN_CROWD).isEmpty():
        return pairs
    links = job.keep(_with_popular(documents, pairs, counts))
    crowds = components(job, links)
    placed = links.join(crowds.withColumnRenamed("doc", "a"), "a").select(
        F.col("least").alias("block"), "a", "b"
    )
    members = placed.select("block", F.explode(F.array("a", "b")).alias("doc"))
    blocks = Blocks.of(job, documents, members, placed)
    led = job.keep(blocks.over(job, _led, "leader long, doc long, larger long, smaller long"))
    blocks.let_go(job)
    if led.isEmpty():
        return pairs
    found = pairs
    for side in "ab":
        leader = led.select(F.col("doc").alias(side), F.col("leader").alias(f"leader_{side}"))
        found = found.join(leader, side, "left")
    follows = F.col("leader_a").isNotNull() | F.col("leader_b").isNotNull()
    kept = found.where(~follows).select("a", "b").union(led.select("larger", "smaller"))
    moved = found.where(follows).select(*(F.coalesce(f"leader_{side}", side) for side in "ab"))
    return kept.union(_larger_first(documents, moved.toDF("a", "b"))).distinct()


def _larger_first(documents: Documents, pairs: DataFrame) -> DataFrame:
    """Return pairs of two documents, each once, the larger one first."""
    size = F.struct("n_words", "content", "doc").alias("size")
    sizes = documents.sketches.select("doc", size)
    found = pairs.where("a != b").distinct()
    for side in "ab":
        of_side = sizes.select(F.col("doc").alias(side), F.col("size").alias(f"size_{side}"))
        found = found.join(of_side, side)
    larger, smaller = F.greatest("size_a", "size_b"), F.least("size_a", "size_b")
    return found.select(larger["doc"].alias("a"), smaller["doc"].alias("b"))


def _with_popular(documents: Documents, pairs: DataFrame, counts: DataFrame) -> DataFrame:
    """Return each document with the most popular of its candidates, if that is popular enough.

    It comes first, as `a`; see `dedupe.crowds`.
    """
    known = counts.join(documents.sketches.select("doc", "content", "n_words"), "doc").select(
        "doc", "n", F.struct(F.col("n") / F.sqrt("n_words"), "content", "doc").alias("rank")
    )
    found = pairs
    for side in "ab":
        of_side = [F.col(name).alias(f"{name}_{side}") for name in ("n", "rank")]
        found = found.join(known.select(F.col("doc").alias(side), *of_side), side)
    is_first = F.col("rank_a") > F.col("rank_b")
    both = [
        F.when(is_first, F.col(f"{name}_{one}"))
        .otherwise(F.col(f"{name}_{other}"))
        .alias(f"its_{name}")
        for name in ("n", "rank")
        for one, other in (("a", "b"),)
    ]
    link = found.select(
        F.when(is_first, F.col("a")).otherwise(F.col("b")).alias("popular"),
        F.when(is_first, F.col("b")).otherwise(F.col("a")).alias("follower"),
        *both,
    ).where(F.col("its_n") >= rule.MIN_CROWD)
    best = link.groupBy("follower").agg(F.max_by("popular", "its_rank").alias("a"))
    return best.select("a", F.col("follower").alias("b"))


def _led(held: Held) -> pa.RecordBatch:
    """Return who follows whom in some crowds."""
    items = held.items[np.lexsort(held.items.T[::-1])]
    links = followers(BlockInMemory(held.block), items)
    larger, smaller, _ = by_size(held.block, *links.T)
    return batch(
        leader=held.numbers[links[:, 0]],
        doc=held.numbers[links[:, 1]],
        larger=held.numbers[larger],
        smaller=held.numbers[smaller],
    )

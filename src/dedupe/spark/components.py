"""Finds connected components of a graph whose edges are the rows of a frame.

Large-star and small-star by turns (Kiveris et al. 2014): each document links its neighbours to
the least document it knows of, until nothing changes. A chain of a million links takes some
twenty turns, and no task ever holds a component.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.clustering import components as components_of
from dedupe.spark.columns import array_of, batch
from dedupe.spark.job import Job
from dedupe.spark.workers import mapped

__all__ = ["components"]


def components(job: Job, edges: DataFrame) -> DataFrame:
    """Return the least document that each document of some edges is connected with.

    Parameters
    ----------
    job : Job
    edges : DataFrame
        a, b: pairs of documents, in any order. They are kept, or cheap to make again.

    Returns
    -------
    DataFrame
        doc, least.
    """
    edges = edges.select("a", "b")
    if edges.count() <= job.small:
        # Few edges are a job for one task: a turn of stars takes as long as all of it.
        return job.keep(mapped(edges.coalesce(1), _in_one_task, "doc long, least long"))
    larger = F.greatest("a", "b").alias("a")
    stars = job.keep(edges.where("a != b").select(larger, F.least("a", "b").alias("b")).distinct())
    while True:
        turned = job.keep(_small_star(job.keep(_large_star(stars))))
        changed = turned.join(stars, ["a", "b"], "left_anti")
        changed = changed.union(stars.join(turned, ["a", "b"], "left_anti"))
        stars = turned
        if changed.isEmpty():
            break
    roots = stars.select(F.col("b").alias("doc"), F.col("b").alias("least")).distinct()
    return job.keep(stars.select(F.col("a").alias("doc"), F.col("b").alias("least")).union(roots))


def _large_star(edges: DataFrame) -> DataFrame:
    """Link the greater neighbours of each document to the least document around it."""
    both = edges.union(edges.select(F.col("b").alias("a"), F.col("a").alias("b")))
    least = both.groupBy("a").agg(F.least(F.min("b"), F.col("a")).alias("least"))
    found = both.where("b > a").join(least, "a")
    return found.select(F.col("b").alias("a"), F.col("least").alias("b")).distinct()


def _small_star(edges: DataFrame) -> DataFrame:
    """Link each document and its lesser neighbours to the least of them."""
    least = edges.groupBy("a").agg(F.min("b").alias("least"))
    found = edges.join(least, "a")
    linked = found.select(F.col("b").alias("a"), F.col("least").alias("b"))
    own = least.select("a", F.col("least").alias("b"))
    return linked.union(own).where("a != b").distinct()


def _in_one_task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the components of a few edges."""
    parts = [np.stack([array_of(some.column(name)) for name in "ab"], axis=1) for some in batches]
    if not parts:
        return
    documents, places = np.unique(np.concatenate(parts), return_inverse=True)
    least = components_of(documents.size, places.reshape(-1, 2))
    yield batch(doc=documents, least=documents[least])

"""Joins documents by the scores of pairs, a component at a time."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.clustering import average_linkage
from dedupe.spark.columns import array_of, batch, in_groups
from dedupe.spark.components import components
from dedupe.spark.job import Job

__all__ = ["PAIRS", "linked", "stay_together"]

PAIRS = "a long, b long, score float, is_link boolean"
"""What pairs that are joined have; scores may be of more bits."""


def linked(job: Job, pairs: DataFrame, threshold: float) -> DataFrame:
    """Return the story of each document that has a link, by `dedupe.clustering.average_linkage`.

    Pairs that nobody has scored are left out of the averages.

    Parameters
    ----------
    job : Job
    pairs : DataFrame
        See PAIRS. `is_link` says which reach the threshold, as their scores are compared.
    threshold : float

    Returns
    -------
    DataFrame
        doc, story: the first document of its story.
    """
    pairs = job.keep(pairs)
    least = components(job, pairs.where("is_link"))
    inside = stay_together(pairs, least)
    found = (
        inside.repartition(job.partitions, "least")
        .sortWithinPartitions("least")
        .mapInArrow(partial(_joined, threshold), "doc long, story long")
    )
    return job.keep(found)


def stay_together(pairs: DataFrame, least: DataFrame) -> DataFrame:
    """Return the pairs whose documents are in one component, with its least document."""
    sides = [
        least.select(F.col("doc").alias(side), F.col("least").alias(f"least_{side}"))
        for side in "ab"
    ]
    found = pairs.join(sides[0], "a").join(sides[1], "b").where("least_a = least_b")
    return found.withColumnRenamed("least_a", "least").drop("least_b")


def _joined(threshold: float, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the stories of whole components."""
    for some in in_groups(batches, "least"):
        sides = np.stack([array_of(some.column(side)) for side in "ab"], axis=1)
        documents, places = np.unique(sides, return_inverse=True)
        stories = average_linkage(
            documents.size,
            places.reshape(-1, 2),
            array_of(some.column("score")),
            threshold=threshold,
            mean_share=1.0,
            # The copies of a story are linked to few of one another; see `dedupe.lsh`.
            missing=None,
        )
        yield batch(doc=documents, story=documents[stories])

"""Joins documents by the scores of pairs, a component at a time."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import Ints
from dedupe.clustering import average_linkage
from dedupe.clustering import components as components_of
from dedupe.spark.columns import array_of, batch, in_groups
from dedupe.spark.components import components
from dedupe.spark.job import Job
from dedupe.spark.workers import mapped

__all__ = ["PAIRS", "Stories", "linked", "stay_together"]

PAIRS = "a long, b long, score float, is_link boolean"
"""What pairs that are joined have; scores may be of more bits."""


class Stories(NamedTuple):
    """The stories of documents.

    Attributes
    ----------
    frame : DataFrame
        doc, story, in_form: of the documents whose story is another document's, or a form.
    broadcast : Broadcast or None
        The same as arrays, ordered by document, where they are few.
    """

    frame: DataFrame
    broadcast: Any

    @classmethod
    def of(cls, job: Job, frame: DataFrame) -> "Stories":
        """Keep stories, and send them to all executors where they are at most `Job.small`."""
        kept = job.keep(frame.select("doc", "story", "in_form"))
        n, last = kept.agg(F.count("*"), F.max("doc")).first() or (0, None)
        if n > job.small:
            return cls(kept, None)
        # A story has the number of its first document. Half of the bytes do for nearly all numbers.
        kind = "int" if last is None or last < 1 << 31 else "long"
        numbers = (F.col(name).cast(kind) for name in ("doc", "story"))
        doc, story, in_form = (
            column.to_numpy() for column in kept.select(*numbers, "in_form").toArrow().columns
        )
        order = np.argsort(doc)
        told = [doc[order].astype(np.int64), story[order].astype(np.int64), in_form[order]]
        return cls(kept, job.send(told))

    def are(self, others: "Stories") -> bool:
        """Return whether others say the same."""
        if self.broadcast is not None and others.broadcast is not None:
            both = zip(self.broadcast.value, others.broadcast.value, strict=True)
            return all(np.array_equal(one, other) for one, other in both)
        named = others.frame.select("doc", F.col("story").alias("other"))
        both = self.frame.join(named, "doc", "full")
        return bool(both.where("not (story <=> other)").isEmpty())


def linked(job: Job, pairs: DataFrame, threshold: float, n_pairs: int) -> DataFrame:
    """Return the story of each document that has a link, by `dedupe.clustering.average_linkage`.

    Pairs that nobody has scored are left out of the averages.

    Parameters
    ----------
    job : Job
    pairs : DataFrame
        See PAIRS. `is_link` says which reach the threshold, as their scores are compared.
    threshold : float
    n_pairs : int
        How many there are, or more.

    Returns
    -------
    DataFrame
        doc, story: the first document of its story.
    """
    told = "doc long, story long"
    if n_pairs <= job.small:
        # One task is done before several have found out which pairs belong to it.
        return job.keep(mapped(pairs.coalesce(1), partial(_linked, threshold), told))
    pairs = job.keep(pairs)
    least = components(job, pairs.where("is_link"))
    inside = stay_together(pairs, least)
    found = mapped(
        inside.repartition(job.partitions, "least").sortWithinPartitions("least"),
        partial(_joined, threshold),
        told,
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


def _linked(threshold: float, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the stories of all pairs there are."""
    parts = [some for some in batches if some.num_rows]
    if not parts:
        return
    some = pa.concat_batches(parts)
    documents, places = _numbered(some)
    least = components_of(documents.size, places[array_of(some.column("is_link"))])
    is_inside = least[places[:, 0]] == least[places[:, 1]]
    yield _stories(threshold, some.filter(pa.array(is_inside)))


def _joined(threshold: float, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the stories of whole components, which follow each other."""
    for some in in_groups(batches, "least"):
        yield _stories(threshold, some)


def _stories(threshold: float, some: pa.RecordBatch) -> pa.RecordBatch:
    """Return the stories of the documents of whole components."""
    documents, places = _numbered(some)
    stories = average_linkage(
        documents.size,
        places,
        array_of(some.column("score")),
        threshold=threshold,
        mean_share=1.0,
    )
    return batch(doc=documents, story=documents[stories])


def _numbered(some: pa.RecordBatch) -> tuple[Ints, Ints]:
    """Return the documents of some pairs, and the places of both sides among them."""
    sides = np.stack([array_of(some.column(side)) for side in "ab"], axis=1)
    documents, places = np.unique(sides, return_inverse=True)
    return documents, places.reshape(-1, 2)

"""Finds near-duplicates on Spark, with the answers of one machine.

Needs ``pip install 'dedupe-articles[spark]'`` and Java. The rules are those of
`dedupe.find_duplicates`, applied to parts of a frame; nothing but the place of the work differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from dedupe.settings import Settings
from dedupe.spark import candidates, clusters, following, learning
from dedupe.spark.documents import read, source_of
from dedupe.spark.job import Job

__all__ = ["Answer", "find_duplicates"]


@dataclass(frozen=True)
class Answer:
    """What a search on Spark says, as frames.

    Attributes
    ----------
    documents : DataFrame
        id, cluster, representative, duplicate_of, score, relation, reason: a row for each
        document. `cluster` counts from 1, the largest first; `representative` is the id of the
        document to keep, and `duplicate_of` is null for what nothing stands in for.
    pairs : DataFrame
        The fields of `dedupe.Pair`: every pair that scores.
    skipped : DataFrame
        id, reason: rows that hold no text.
    """

    documents: DataFrame
    pairs: DataFrame
    skipped: DataFrame


def find_duplicates(
    frame: DataFrame,
    *,
    id: str = "id",  # noqa: A002  As frames call it.
    text: str = "text",
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: str = Settings.keep,  # type: ignore[assignment]
    prefer: str | Sequence[str] = (),
    partitions: int | None = None,
    checkpoint: str | None = None,
    _small: int = 1 << 16,
) -> Answer:
    """Find the rows of a frame that are the same story under different boilerplate."""
    settings = Settings(threshold, ngram, num_perm, seed, keep=keep, prefer=prefer)
    session = SparkSession.active()
    n_parts = partitions or session.sparkContext.defaultParallelism
    job = Job(session, settings, n_parts, checkpoint, _small)
    with job.running():
        source = source_of(frame, id, text)
        job.bind(source)
        documents = read(job, source)
        pairs = job.stage(
            "candidates",
            lambda: following.follow(
                job, documents, job.keep(candidates.candidates(job, documents.sketches))
            ),
        )
        found = clusters.gathered(job, documents, learning.learn(job, documents, pairs))
        answer = [found.documents, found.pairs, documents.skipped]
        for one in answer:
            one.count()
    return Answer(*answer)

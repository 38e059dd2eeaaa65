"""A search on Spark on one screen: what `dedupe.pipeline` is for one machine."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from dedupe.errors import InvalidInput, InvalidSetting
from dedupe.settings import Settings
from dedupe.spark import candidates, clusters, following, learning
from dedupe.spark.documents import read, source_of
from dedupe.spark.job import SMALL, Job

__all__ = ["Answer", "find_duplicates"]

KEEP = ("typical", "longest", "shortest")
"""The rules for the copy to keep that need neither times nor an order of rows."""


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
    id: str = "id",  # noqa: A002  As the column is called.
    text: str = "text",
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: str = "typical",
    prefer: str | Sequence[str] = (),
    partitions: int | None = None,
    checkpoint: str | None = None,
    small: int = SMALL,
) -> Answer:
    """Find the rows of a frame that are the same story under different boilerplate.

    The answer is that of `dedupe.find_duplicate_texts`, however the frame is cut and sorted. The
    work is done at once, and what comes back is kept by the executors as long as it is used.

    Parameters
    ----------
    frame : DataFrame
        Of a classic session, not of Spark Connect: stages are planned in its own process.
    id : str
        A column of strings or whole numbers, each different.
    text : str
        A column of strings.
    threshold, ngram, num_perm, seed, prefer
        See `dedupe.Settings`.
    keep : str
        ``"typical"``, ``"longest"`` or ``"shortest"``.
    partitions : int, at least 1, optional
        How many parts the work is cut into; as many as Spark does by default. The answer is
        the same for any.
    checkpoint : str, optional
        A folder in any file system that all executors see. Stages that are finished are
        written there as Parquet, and a search that is started again in the same way goes on
        behind them. It is not removed.
    small : int, at least 0
        Rows that one task may join, or the driver send to all executors, where a frame has no
        more of them. It bounds what is collected: at most 16 bytes for each, some ten times. The
        answer is the same for any.

    Returns
    -------
    Answer

    Raises
    ------
    InvalidInput
        When the frame has no ids to go by, or is of Spark Connect.
    InvalidSetting, InvalidCheckpoint, DuplicateId, NothingToRead
        As in `dedupe.find_duplicates`.
    """
    if not hasattr(frame, "_jdf"):
        raise InvalidInput(
            f"frame must be a DataFrame of a classic Spark session, got {type(frame).__name__}: "
            "submit the search as a job, where the session is its own"
        )
    if keep not in KEEP:
        raise InvalidSetting(f"keep must be one of {', '.join(KEEP)} on Spark, got {keep!r}")
    settings = Settings(threshold, ngram, num_perm, seed, keep=keep, prefer=prefer)
    session = frame.sparkSession
    n_parts = _whole("partitions", partitions, session.sparkContext.defaultParallelism, 1)
    job = Job(session, settings, n_parts, checkpoint, _whole("small", small, SMALL, 0))
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
        learned = learning.learn(job, documents, pairs)
        found = clusters.gathered(job, documents, learned)
        answer = Answer(found.documents, found.pairs, documents.skipped)
        job.finish([answer.documents, answer.pairs, answer.skipped])
    return answer


def _whole(name: str, value: int | None, default: int, least: int) -> int:
    """Return a whole number, or refuse what is none or too small."""
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidSetting(f"{name} must be a whole number of at least {least}, got {value!r}")
    return value

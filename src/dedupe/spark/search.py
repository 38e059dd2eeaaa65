"""A search on Spark on one screen: what `dedupe.pipeline` is for one machine."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pyspark.sql import DataFrame

from dedupe.ages import as_window
from dedupe.documents.boilerplate import boilerplate_in, digest_of_boilerplate
from dedupe.errors import InvalidInput, InvalidSetting
from dedupe.learning import known_shingles
from dedupe.progress import ProgressCallback
from dedupe.report.progress import shown
from dedupe.settings import Settings
from dedupe.spark import candidates, clusters, following, learning
from dedupe.spark.documents import read
from dedupe.spark.evidence import Sources
from dedupe.spark.job import SMALL, Job, release
from dedupe.spark.source import Columns, source_of

__all__ = ["Answer", "find_duplicates"]

LOG = logging.getLogger("dedupe")

KEEP = ("typical", "longest", "shortest", "newest", "oldest")
"""The rules for the copy to keep that need no order of rows."""


@dataclass(frozen=True)
class Answer:
    """What a search on Spark says, as frames.

    Attributes
    ----------
    documents : DataFrame
        id, cluster, representative, duplicate_of, score, relation, reason, of_old: a row for each
        document that is not old. `cluster` counts from 1, the largest first; `representative` is
        the id of the document to keep, which `of_old` says to be of the old collection, and
        `duplicate_of` is null for what nothing stands in for.
    pairs : DataFrame
        The fields of `dedupe.Pair`: every pair that scores. `left_is_old` and `right_is_old` say
        which ids are of the old collection.
    skipped : DataFrame
        id, reason, is_old: rows that hold no text.
    """

    documents: DataFrame
    pairs: DataFrame
    skipped: DataFrame
    sources: Sources = field(repr=False)

    def evidence(self, pairs: DataFrame) -> DataFrame:
        """Return where the documents of some pairs agree, and what only one of them says.

        Their texts are read from the frames that were searched. As in `dedupe.Pair.evidence`, the
        longest eight passages and remainders are listed.

        Parameters
        ----------
        pairs : DataFrame
            left, right: ids, such as rows of `pairs` that somebody wants to look at; `left_is_old`
            and `right_is_old` as there, if there is an old collection.

        Returns
        -------
        DataFrame
            left, right, left_is_old, right_is_old and the fields of
            `dedupe.results.records.Evidence`: a row for each pair, found when it is used.

        Raises
        ------
        UnknownDocument
            When a document is none that was searched.
        """
        return self.sources.evidence(pairs)

    @property
    def kept(self) -> tuple[Any, ...]:
        """What executors keep of it."""
        entries = self.sources.boilerplate
        return self.documents, self.pairs, self.skipped, entries.frame, entries.broadcast

    def release(self) -> None:
        """Let executors forget the frames, none of which can be used any more, nor can `evidence`.

        They are kept until then, or until the session stops. To release an answer again does
        nothing, and at the end of a ``with`` block it is released.
        """
        for one in self.kept:
            if one is not None:
                release(one)

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def find_duplicates(
    frame: DataFrame,
    *,
    against: "DataFrame | None" = None,
    id: str = "id",  # noqa: A002  As the column is called.
    text: str = "text",
    time: str | None = None,
    boilerplate: Any = None,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: str = "typical",
    prefer: str | Sequence[str] = (),
    window: timedelta | str | None = None,
    partitions: int | None = None,
    checkpoint: str | None = None,
    small: int = SMALL,
    progress: ProgressCallback | bool | None = None,
) -> Answer:
    """Find the rows of a frame that are the same story under different boilerplate.

    The answer is that of `dedupe.find_duplicate_texts`, however the frame is cut and sorted. The
    work is done at once, and executors keep what comes back until `Answer.release`.
    Searches of one process take turns, since each changes settings of the session for a while.

    Parameters
    ----------
    frame : DataFrame
        Of a classic session, not of Spark Connect: stages are planned in its own process.
    against : DataFrame, optional
        An old collection with the same columns, of which nothing is a duplicate. Each document of
        `frame` goes with the old one that it matches best, whatever else is in `frame`; those
        that match none are compared with one another as ever. It may be empty, and ids may be
        the same in both.
    id : str
        A column of strings or whole numbers, each different.
    text : str
        A column of strings.
    time : str, optional
        A column of timestamps, dates, seconds since 1970 or ISO 8601, which `window` and the rules
        ``"newest"`` and ``"oldest"`` go by. What is no time is none.
    boilerplate : optional
        Texts that are known to be boilerplate, one or a list, on the driver; see
        `dedupe.find_duplicate_texts`.
    threshold, ngram, num_perm, seed, prefer
        See `dedupe.Settings`.
    keep : str
        ``"typical"``, ``"longest"``, ``"shortest"``, ``"newest"`` or ``"oldest"``.
    window : timedelta or str, optional
        As in `dedupe.find_duplicates`: ``"90m"``, ``"12h"``, ``"3d"``, ``"2w"``.
    partitions : int, at least 1, optional
        How many parts the work is cut into; by default one for each 32 MB of texts, and at least
        as many as Spark has tasks at a time. The answer is the same for any.
    checkpoint : str, optional
        A folder in any file system that all executors see. Stages that are finished are
        written there as Parquet, and a search that is started again in the same way goes on
        behind them. It is not removed.
    small : int, at least 0
        Rows that one task may join, or the driver send to all executors, where a frame has no
        more of them. It bounds what is collected: at most 17 bytes for each, some ten times. The
        answer is the same for any.
    progress : callable or bool, optional
        Called with a `Progress` where a stage begins, of which Spark's own pages show more. True
        shows its name on standard error.

    Returns
    -------
    Answer

    Raises
    ------
    InvalidInput
        When a frame has no ids to go by, is of Spark Connect, or is a stream.
    InvalidSetting, InvalidCheckpoint, DuplicateId, NothingToRead
        As in `dedupe.find_duplicates`.
    """
    _check_frame("frame", frame)
    if against is not None:
        _check_frame("against", against)
    known = () if boilerplate is None else boilerplate_in(boilerplate)
    settings = Settings(
        threshold,
        ngram,
        num_perm,
        seed,
        keep=keep,
        boilerplate=digest_of_boilerplate(known),
        window=as_window(window),
        prefer=prefer,
    )
    _check_rules(settings, time)
    shingles = known_shingles(known, ngram)
    session = frame.sparkSession
    n_parts = _whole("partitions", partitions, session.sparkContext.defaultParallelism, 1)
    is_cut = partitions is not None
    job = Job(session, settings, n_parts, is_cut, checkpoint, _whole("small", small, SMALL, 0))
    with shown(progress) as job.progress, job.running():
        columns = Columns(id, text, time)
        source = source_of(frame, against, columns)
        job.bind(source)
        documents = read(job, source, columns)
        if against is not None and not documents.has_old:
            LOG.warning("there is nothing old: new documents are compared among themselves")
        pairs = job.stage(
            "candidates",
            lambda: following.follow(
                job, documents, job.keep(candidates.candidates(job, documents))
            ),
        )
        learned = learning.learn(job, documents, pairs, shingles)
        found = clusters.gathered(job, documents, learned)
        searched = source.join(documents.skipped, ["id", "is_old"], "left_anti")
        sources = Sources(searched, learned.boilerplate, settings.ngram)
        answer = Answer(found.documents, found.pairs, documents.skipped, sources)
        job.finish(answer.kept)
    return answer


def _check_frame(name: str, frame: Any) -> None:
    """Refuse what is no frame of a classic session."""
    if not hasattr(frame, "_jdf"):
        kind = type(frame)
        remedy = "make one with spark.createDataFrame, or search it with find_duplicate_texts"
        if kind.__module__.startswith("pyspark."):
            remedy = "submit the search as a job, where the session is its own"
        raise InvalidInput(
            f"{name} must be a DataFrame of a classic Spark session, got {kind.__module__}."
            f"{kind.__name__}: {remedy}"
        )
    if frame.isStreaming:
        raise InvalidInput(
            f"{name} must be a DataFrame with an end, got a stream: search each batch of it, with "
            "foreachBatch"
        )


def _check_rules(settings: Settings, time: str | None) -> None:
    """Refuse a rule that needs an order of rows, or times where there are none."""
    keep, has_window = settings.keep, settings.window is not None
    if keep not in KEEP:
        raise InvalidSetting(f"keep must be one of {', '.join(KEEP)} on Spark, got {keep!r}")
    if time is None and (has_window or keep in ("newest", "oldest")):
        needs = "window" if has_window else f"keep={keep!r}"
        raise InvalidSetting(
            f"{needs} must have a time to go by, got no column: name that of the times with time= "
            "(--time-field)"
        )


def _whole(name: str, value: int | None, default: int, least: int) -> int:
    """Return a whole number, or refuse what is none or too small."""
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidSetting(f"{name} must be a whole number of at least {least}, got {value!r}")
    return value

"""Holds numbers of shingles, which blocks look up: broadcast where few, joined where many."""

from typing import Any, NamedTuple

import numpy as np
from pyspark.sql import DataFrame

from dedupe.spark.job import Job

__all__ = ["Entries"]


class Entries(NamedTuple):
    """Shingles with a number each.

    Attributes
    ----------
    frame : DataFrame
        shingle, n: sealed shingles, each once.
    broadcast : Broadcast or None
        The same as two arrays, where they are few.
    """

    frame: DataFrame
    broadcast: Any

    @classmethod
    def of(cls, job: Job, frame: DataFrame) -> "Entries":
        """Keep entries, and send them to all executors where they are at most `Job.small`."""
        frame = job.keep(frame.select("shingle", "n"))
        if frame.limit(job.small + 1).count() > job.small:
            return cls(frame, None)
        found = frame.toArrow()
        shingles = found.column("shingle").to_numpy().view(np.uint64)
        counts = found.column("n").to_numpy().astype(np.int64)
        return cls(frame, job.session.sparkContext.broadcast((shingles, counts)))

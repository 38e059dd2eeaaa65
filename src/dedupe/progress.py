"""Describes how far a run has come, for whoever wants to show it."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "ProgressCallback"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work has come.

    Attributes
    ----------
    stage : str
        ``"compiling"``, ``"signatures"``, ``"candidates"``, ``"shingles"``,
        ``"boilerplate"``, ``"counts"``, ``"weights"``, ``"learning"``, ``"relearning"``,
        ``"scoring"``, ``"clustering"`` or ``"report"``; counts and weights come again after
        each round of learning. On Spark, the name that the jobs of a stage bear.
    done : int
        0 on Spark, where nothing is counted.
    total : int or None
        None while it is not known.
    unit : str
        What is counted; empty where nothing is.
    n_bytes : int
        Text that was read so far, in bytes of UTF-8; 0 where none is read.
    note : str
        What somebody who waits should know.
    """

    stage: str
    done: int = 0
    total: int | None = None
    unit: str = ""
    n_bytes: int = 0
    note: str = ""


ProgressCallback = Callable[[Progress], None]

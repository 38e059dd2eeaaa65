"""Runs functions of arrays in the Pythons that Spark starts on its executors.

Such a Python stays for the next task, and between two of them Spark lets it look for garbage
among all objects there are. Most of these are the modules that it has imported, a hundred
thousand objects: to go through them takes longer than many a task.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

__all__ = ["mapped", "run"]

SEEN: set[int] = set()
"""How many modules there were when objects were set aside: some are imported by later tasks."""

Stage = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def mapped(frame: DataFrame, stage: Stage, schema: "str | StructType") -> DataFrame:
    """Return what a stage makes of the rows of each partition, as `DataFrame.mapInArrow` does."""
    return frame.mapInArrow(partial(run, stage), schema)


def run(stage: Stage, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what a stage makes of some batches; what is imported by now is never garbage."""
    # Not for each task: what is here for one alone should be found when it is over.
    if len(sys.modules) not in SEEN:
        SEEN.add(len(sys.modules))
        gc.freeze()
    yield from stage(batches)

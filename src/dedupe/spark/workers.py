"""Runs functions of arrays in the Pythons that Spark starts on its executors.

Such a Python stays for the next task, and between two of them Spark lets it look for garbage
among all objects there are. Most of these are the modules that it has imported, a hundred
thousand objects: to go through them takes longer than many a task.
"""

import gc
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

__all__ = ["mapped"]

Stage = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def mapped(frame: DataFrame, stage: Stage, schema: str | StructType) -> DataFrame:
    """Return what a stage makes of the rows of each partition, as `DataFrame.mapInArrow` does."""
    return frame.mapInArrow(partial(_run, stage), schema)


def _run(stage: Stage, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what a stage makes of some batches; what is imported by now is never garbage."""
    # Only once: what is here for this task alone should be found when it is over.
    if not gc.get_freeze_count():
        gc.freeze()
    yield from stage(batches)

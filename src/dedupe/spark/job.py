"""Holds what all stages of one search share: the session, the settings, what is kept.

A stage is a frame that is made once and used several times. It stays with the executors,
in memory or on their disks, or is written as Parquet where the caller names a folder; a
search that is started again goes on behind the last stage that was written.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JError
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  As everybody calls it.

from dedupe.errors import InvalidCheckpoint
from dedupe.kernels.tables import SALT, SECRET
from dedupe.settings import Settings, identity

__all__ = ["Job"]

BATCH_ROWS, BATCH_BYTES = 1 << 16, 1 << 24
"""Rows and bytes that go to Python at once. Spark's 10,000 rows would be a gigabyte of blocks."""

CONF = {
    # Every frame is cut as the caller says. Frames that Spark would send to all executors go
    # through the driver, which may have no room for them.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
}


@dataclass
class Job:
    """One search on a session.

    Attributes
    ----------
    session : SparkSession
    settings : Settings
    partitions : int
        How many parts each frame is cut into.
    folder : str, optional
        Where stages are written.
    small : int
        Rows of a frame that one task, or the driver where it says so, may take at once.
    """

    session: SparkSession
    settings: Settings
    partitions: int
    folder: str | None = None
    small: int = 1 << 16
    _kept: list[DataFrame] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Plan what is inside as a search needs it, and leave the session as it was."""
        conf = CONF | {"spark.sql.shuffle.partitions": str(self.partitions)}
        before = {name: self.session.conf.get(name, None) for name in conf}
        # Workers of this environment seal shingles as this process does, and no others.
        self.session.sparkContext.environment[SECRET] = f"{int(SALT):x}"
        for name, value in conf.items():
            self.session.conf.set(name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    self.session.conf.unset(name)
                else:
                    self.session.conf.set(name, value)
            self.session.sparkContext.setJobDescription(None)  # type: ignore[arg-type]

    def tell(self, stage: str) -> None:
        """Name the jobs that follow, as Spark's own pages show them."""
        self.session.sparkContext.setJobDescription(f"dedupe: {stage}")

    def keep(self, frame: DataFrame) -> DataFrame:
        """Return a frame that is made once, whatever it is used for."""
        kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(kept)
        return DataFrame(_alone(kept._jdf, self.session), self.session)  # noqa: SLF001

    def stage(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """Return what a stage makes, or what an interrupted search has written of it."""
        self.tell(name)
        if self.folder is None:
            return self.keep(make())
        path = f"{self.folder}/{name}"
        if not self._exists(f"{path}/_SUCCESS"):
            make().write.mode("overwrite").parquet(path)
        return self.session.read.parquet(path)

    def bind(self, source: DataFrame) -> None:
        """Refuse a folder with stages of another input or other settings.

        Raises
        ------
        InvalidCheckpoint
        """
        if self.folder is None:
            return
        self.tell("checking the checkpoint")
        told = source.select(F.xxhash64(*source.columns).cast("decimal(38,0)").alias("row"))
        n, total = told.agg(F.count("*"), F.sum("row")).first() or (0, 0)
        facts = identity(self.settings) | {
            "bucket_cap": self.settings.bucket_cap,
            "rows": n,
            "digest": str(total),
        }
        mine = json.dumps(facts, sort_keys=True)
        path = f"{self.folder}/identity"
        if not self._exists(f"{path}/_SUCCESS"):
            self.session.createDataFrame([(mine,)], "value string").coalesce(1).write.mode(
                "overwrite"
            ).text(path)
            return
        (row,) = self.session.read.text(path).collect()
        if row.value != mine:
            raise InvalidCheckpoint(
                f"checkpoint must be of the same input and settings, got {self.folder!r} with "
                f"{row.value}, not {mine}: name another folder, or delete it"
            )

    def release(self) -> None:
        """Let go of all that was kept so far."""
        while self._kept:
            self._kept.pop().unpersist()

    def _exists(self, path: str) -> bool:
        """Return whether there is a file, in whatever file system the path names."""
        context: Any = self.session.sparkContext
        place = context._jvm.org.apache.hadoop.fs.Path(path)  # noqa: SLF001
        system = place.getFileSystem(context._jsc.hadoopConfiguration())  # noqa: SLF001
        return bool(system.exists(place))


def _alone(java: Any, session: SparkSession) -> Any:
    """Return a frame of Java that is planned without all that it was made from.

    Otherwise plans double with each join of two frames that have a forebear in common. It is
    what checkpoints of Spark do, but what an executor takes with it can be made anew.
    """
    machine: Any = session.sparkContext._jvm  # noqa: SLF001
    rows = java.queryExecution().toRdd()
    companion = getattr(machine.org.apache.spark.sql.execution, "LogicalRDD$")
    try:
        plan = getattr(companion, "MODULE$").fromDataset(rows, java, False, False)
    except Py4JError:
        # Other versions of Spark: it forgets how the frame is cut, and cuts it once more.
        return java.sparkSession().internalCreateDataFrame(rows, java.schema(), False)
    return machine.org.apache.spark.sql.classic.Dataset.ofRows(java.sparkSession(), plan)

"""Holds what all stages of one search share: the session, the settings, what is kept.

A stage is a frame that is made once and used several times. It stays with the executors,
in memory or on their disks, or is written as Parquet where the caller names a folder; a
search that is started again goes on behind the last stage that was written.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JError
from pyspark import Broadcast, StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  As everybody calls it.

from dedupe.errors import InvalidCheckpoint
from dedupe.kernels.tables import SALT, SECRET
from dedupe.lazy import cached_property
from dedupe.progress import Progress, ProgressCallback
from dedupe.results.saved import settings_as_json
from dedupe.settings import Settings, identity

__all__ = ["Job", "exists", "release"]

BATCH_ROWS, BATCH_BYTES = 1 << 16, 1 << 24
"""Rows and bytes that go to Python at once. Spark's 10,000 rows would be a gigabyte of blocks."""

SMALL = 1 << 20
"""Rows that are handled at once rather than distributed: some sixteen megabytes."""

PART_BYTES = 1 << 25
"""Bytes of texts in a part, unless the caller has said how many parts there are: hashed, and in all
blocks that they are in, they are eight times as many."""

SHUFFLED = "spark.sql.shuffle.partitions"

CONF = {
    # Every frame is cut as the caller says. Frames that Spark would send to all executors go
    # through the driver, which may have no room for them.
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
    # Batches are too small for columns of more than 2 GB, whose types stages do not yield.
    "spark.sql.execution.arrow.useLargeVarTypes": "false",
    # Each plan is run once, over few and large rows: to compile it takes longer than to run it.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    # What an expression has in common with another one costs less than to remember it for a row.
    "spark.sql.subexpressionElimination.enabled": "false",
    # A few lists for each document fit into the memory of a task; sorts take several times as long.
    "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": str(1 << 16),
    # Of each plan Spark's own pages show the tree, and not the details of each step.
    "spark.sql.ui.explainMode": "simple",
    # Three times as many keys of each partition go to the driver before a sort. Its parts are
    # uneven by a seventh.
    "spark.sql.execution.rangeExchange.sampleSizePerPartition": "16",
}

SHORT_NAMES = ("functions", "PythonUtils", "PythonSQLUtils", "PythonRDD", "SimplePythonFunction")
"""Classes that PySpark asks Java for by these names, whenever it makes a column."""

SQL = "org.apache.spark.sql"

LOG = logging.getLogger("dedupe")

MARK = "_SUCCESS"
"""What Spark writes beside files of which none is missing."""

DESCRIPTION = "spark.job.description"

TURN = threading.Lock()
"""Held by a search while the session has its settings, which another one would take for yours."""


@dataclass
class Job:
    """One search on a session.

    Attributes
    ----------
    session : SparkSession
    settings : Settings
    partitions : int
        How many parts each frame is cut into.
    is_cut : bool
        Whether that was chosen by the caller.
    folder : str, optional
        Where stages are written.
    small : int
        Rows of a frame that one task, or the driver where it says so, may take at once.
    progress : callable, optional
        Called with each stage that begins.
    """

    session: SparkSession
    settings: Settings
    partitions: int
    is_cut: bool = True
    folder: str | None = None
    small: int = SMALL
    progress: ProgressCallback | None = None
    _kept: list[DataFrame] = field(default_factory=list)
    _sent: list[Any] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Plan what is inside as a search needs it, and leave the session as it was.

        Another search waits until this one is over. Whatever happens, nothing stays kept but
        what `finish` has left to the caller.
        """
        context = self.session.sparkContext
        _look_up_once(context)
        conf = CONF | {
            SHUFFLED: str(self.partitions),
            # Whether a frame is empty is asked of all parts at once: as a rule it is.
            "spark.sql.limit.initialNumPartitions": str(self.partitions),
        }
        with TURN, _configured(self.session, conf):
            # Workers of this environment seal shingles as this process does, and no others.
            context.environment[SECRET] = f"{int(SALT):x}"
            description = context.getLocalProperty(DESCRIPTION)
            try:
                yield
            finally:
                self.finish()
                context.setLocalProperty(DESCRIPTION, description)

    def cut_for(self, n_bytes: int) -> None:
        """Cut all that follows into parts that have room for so many bytes of texts."""
        if not self.is_cut:
            self.partitions = max(self.partitions, -(-n_bytes // PART_BYTES))
            self.session.conf.set(SHUFFLED, str(self.partitions))

    def tell(self, stage: str) -> None:
        """Name the jobs that follow, as Spark's own pages and the caller's progress show them."""
        self.session.sparkContext.setJobDescription(f"dedupe: {stage}")
        if self.progress is not None:
            self.progress(Progress(stage))

    def keep(self, frame: DataFrame, *, in_memory: bool = True) -> DataFrame:
        """Make a frame once, whatever it is used for; it forgets what it was made from.

        Otherwise plans double with each join of two frames that have a forebear in common, and
        each task is sent the plans of all stages before. Where there are several executors,
        each row is with two of them, so that one may be lost.

        In memory they are rows, since to write and read them takes a third of all work; what does
        not fit goes to disk, and all of it does that is not to be in memory. Rows of megabytes
        would leave no room there for what is done with them.
        """
        level = StorageLevel(True, in_memory, False, in_memory, self._replicas)
        kept = frame.localCheckpoint(eager=True, storageLevel=level)
        self._kept.append(kept)
        return kept

    @cached_property
    def _replicas(self) -> int:
        """How many executors keep each row."""
        is_alone = str(self.session.sparkContext.master).split("[")[0] == "local"
        return 1 if is_alone else 2

    def has_room(self, n_bytes: int) -> bool:
        """Return whether executors can keep so many bytes in half of the memory for frames."""
        context: Any = self.session.sparkContext
        sizes = context._jsc.sc().getExecutorMemoryStatus().values().iterator()
        room = 0
        while sizes.hasNext():
            room += sizes.next()._1()
        return n_bytes * self._replicas < room // 2

    def keep_cut(
        self, frame: DataFrame, key: str, *, is_sorted: bool = False, in_memory: bool = True
    ) -> DataFrame:
        """Keep what Python made of the rows of a frame that is cut by a key, each where that was.

        Spark cannot see what Python leaves in place, and would move all rows before each join, and
        sort them if they are sorted by the key already.
        """
        kept = self.keep(frame, in_memory=in_memory)
        assert kept.rdd.getNumPartitions() == self.partitions, "rows are where they were cut to"
        cut = kept.repartition(self.partitions, key)
        told = _told_cut(kept, cut.sortWithinPartitions(key) if is_sorted else cut)
        self._kept[-1] = told
        return told

    def empty(self, schema: str) -> DataFrame:
        """Return a frame without rows. Of an empty list, more Pythons would be started."""
        columns = (column.split() for column in schema.split(", "))
        nothing = self.session.range(0, numPartitions=1)
        return nothing.select(*(F.lit(None).cast(kind).alias(name) for name, kind in columns))

    def send(self, value: Any) -> Any:
        """Send a value to all executors."""
        sent = self.session.sparkContext.broadcast(value)
        self._sent.append(sent)
        return sent

    def let_go(self, *frames: DataFrame) -> None:
        """Let go of frames that were kept, and are not used any more."""
        for frame in frames:
            release(frame)
            self._kept = [one for one in self._kept if one is not frame]

    def stage(self, name: str, make: Callable[[], DataFrame], key: str | None = None) -> DataFrame:
        """Return what a stage makes, or what an interrupted search has written of it.

        With a key it is made as `keep_cut` says.
        """
        self.tell(name)
        if self.folder is None:
            return self.keep(make()) if key is None else self.keep_cut(make(), key)
        path = f"{self.folder}/{name}"
        if not exists(self.session, f"{path}/{MARK}"):
            if exists(self.session, path):
                LOG.warning("%s: no %s, so it may be cut short, and is made anew", path, MARK)
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
        rows = source.select(F.xxhash64(*source.columns).cast("decimal(38,0)").alias("row"))
        n, total = rows.agg(F.count("*"), F.sum("row")).first() or (0, 0)
        # Which pairs are links, and stay in one task, is written, too: that is up to all settings.
        facts = identity(self.settings) | settings_as_json(self.settings)
        facts |= {"rows": n, "digest": str(total)}
        path = f"{self.folder}/identity"
        if not exists(self.session, f"{path}/{MARK}"):
            told = json.dumps(facts, sort_keys=True)
            row = self.session.range(1, numPartitions=1).select(F.lit(told).alias("value"))
            row.write.mode("overwrite").text(path)
            self._check_mark(path)
            return
        (row,) = self.session.read.text(path).collect()
        theirs = json.loads(row.value)
        differ = [name for name, mine in facts.items() if theirs.get(name) != mine]
        if differ:
            told = ", ".join(f"{name} {theirs.get(name)!r}, not {facts[name]!r}" for name in differ)
            raise InvalidCheckpoint(
                f"checkpoint must be of the same input and settings, got {self.folder!r} with "
                f"{told}: name another folder, or delete it"
            )

    def _check_mark(self, path: str) -> None:
        """Refuse a folder in which nothing says that it was finished."""
        if not exists(self.session, f"{path}/{MARK}"):
            raise InvalidCheckpoint(
                f"checkpoint must be where Spark marks what is finished with {MARK}, which was not "
                f"written in {self.folder!r}, so nothing would ever be taken up: set "
                "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs to true"
            )

    def finish(self, but: Sequence[Any] = ()) -> None:
        """Let go of all that was kept or sent, but for some frames and broadcasts."""
        for one in (*self._kept, *self._sent):
            if not any(one is other for other in but):
                release(one)
        self._kept, self._sent = [], []


def _look_up_once(context: Any) -> None:
    """Remember the classes that PySpark knows by short names.

    Java looks for such a name in every jar of Spark before it tries what was imported, and
    PySpark asks some thousand times in a search, for a twentieth of all that Java does. They stay
    remembered when the search is over, and mean the same.
    """
    for name in SHORT_NAMES:
        setattr(context._jvm, name, getattr(context._jvm, name))


@contextmanager
def _configured(session: SparkSession, conf: dict[str, str]) -> Iterator[None]:
    """Change settings of a session for what is inside."""
    before = {name: session.conf.get(name, None) for name in conf}
    for name, value in conf.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, former in before.items():
            if former is None:
                session.conf.unset(name)
            else:
                session.conf.set(name, former)


def exists(session: SparkSession, path: str) -> bool:
    """Return whether there is a file, in whatever file system the path names."""
    context: Any = session.sparkContext
    place = getattr(context._jvm, "org.apache.hadoop.fs.Path")(path)
    system = place.getFileSystem(context._jsc.hadoopConfiguration())
    return bool(system.exists(place))


def _told_cut(kept: DataFrame, cut: DataFrame) -> DataFrame:
    """Return a frame that is kept, said to be cut and sorted as another; nothing moves."""
    session: Any = kept.sparkSession
    # By whole names: of each shorter one Java would look for a class in every jar.
    companion = getattr(getattr(session._jvm, f"{SQL}.execution.LogicalRDD$"), "MODULE$")
    rows = kept._jdf.queryExecution().logical().rdd()
    try:
        plan = companion.fromDataset(rows, cut._jdf, False, False)
    except Py4JError:
        # Before Spark 4.3 nobody asked whether rows are a checkpoint that others may read.
        plan = companion.fromDataset(rows, cut._jdf, False)
    dataset = getattr(session._jvm, f"{SQL}.classic.Dataset")
    return DataFrame(dataset.ofRows(session._jsparkSession, plan), session)


def release(one: Any) -> None:
    """Let go of a frame that was kept, as `unpersist` knows only what is cached; or a broadcast."""
    if isinstance(one, Broadcast):
        one.unpersist(blocking=False)
    else:
        one._jdf.queryExecution().logical().rdd().unpersist(False)

"""Starts Spark for the command, which has no session of its own."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import DataFrame, SparkSession

from dedupe.errors import InvalidSetting, MissingJava, NoSuchPath
from dedupe.spark.job import exists

__all__ = ["FRAMES", "check_free", "located", "read_frame", "start"]

FRAMES = ("documents", "pairs", "skipped")
"""What a search writes, each as a folder."""

SUFFIXES = {".parquet": "parquet", ".jsonl": "json", ".ndjson": "json", ".json": "json"}

LOGGING = Path(__file__).with_name("log4j2.properties").resolve()
"""What a Java that is started here says on standard error."""

LOCAL = {
    "spark.ui.showConsoleProgress": "false",
    # Of each column PySpark would tell Java the line that made it, which is one of ours.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # What Java does here is over before its second compiler has paid for itself.
    # G1 took twice as much of the processor for 20,000 articles, 6.1 seconds and not 3.1.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseParallelGC "
    f'"-Dlog4j2.configurationFile={LOGGING.as_uri()}"',
}
"""Settings of a Java that is started here; ``spark-submit`` has started it by those of its
caller."""


def start() -> SparkSession:
    """Return the session of ``spark-submit``, or a new one on this machine.

    Raises
    ------
    MissingJava
        When there is no Java to start it with, or one with which it does not start.
    """
    java = _java()
    if java is None:
        raise MissingJava(
            "Spark needs Java 17 or later, found none on the path or in JAVA_HOME: install it, on "
            "Debian with `apt-get install openjdk-17-jre-headless`"
        )
    # Another Python would have no dedupe, or one of another version.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder: SparkSession.Builder = SparkSession.builder.appName("dedupe")
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        for name, value in LOCAL.items():
            builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        raise MissingJava(
            f"Spark needs Java 17 or later, and did not start with {java}: see what it said above, "
            "and set JAVA_HOME to another one"
        ) from error


def _java() -> str | None:
    """Return the Java that Spark takes: that of JAVA_HOME, whatever is on the path."""
    home = os.environ.get("JAVA_HOME")
    if home:
        java = Path(home) / "bin" / "java"
        return str(java) if java.exists() else None
    return shutil.which("java")


def check_free(session: SparkSession, folder: str) -> None:
    """Refuse a folder in which something is that a search would write, before it is done.

    Raises
    ------
    InvalidSetting
    """
    for name in FRAMES:
        if exists(session, f"{folder}/{name}"):
            raise InvalidSetting(
                f"output must be a folder without {', '.join(FRAMES)}, got {folder!r} with {name}: "
                "name another one with --output, or remove them"
            )


def located(path: str) -> str:
    """Return a path from the root: Java stays in the folder in which it was started.

    >>> located("s3a://bucket/found"), located("/found")
    ('s3a://bucket/found', '/found')
    """
    return path if ":/" in path else os.path.abspath(path)  # noqa: PTH100  It may be a pattern.


def read_frame(session: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Return the records of Parquet or JSON Lines, from wherever the cluster reads.

    Raises
    ------
    InvalidSetting
        When suffixes say no format, or several.
    NoSuchPath
        When there is nothing to read.
    """
    from pyspark.errors import AnalysisException  # noqa: PLC0415  Slow to load.

    names = {
        Path(path.rstrip("/").removesuffix(".gz").removesuffix(".zst")).suffix for path in paths
    }
    formats = {SUFFIXES.get(name) for name in names}
    if len(formats) != 1 or None in formats:
        raise InvalidSetting(
            f"paths must end in one of {', '.join(SUFFIXES)}, and all be of one format, got "
            f"{', '.join(sorted(paths))}: name the files with a pattern, such as 'folder/*.parquet'"
        )
    try:
        return session.read.format(str(formats.pop())).load([*map(located, paths)])
    except AnalysisException as error:
        raise NoSuchPath(f"no such path for Spark: {str(error).splitlines()[0]}") from error

"""Turns the rows of a frame into numbered documents with their sketches, and skipped ones.

Documents are numbered in the order of their ids, so that neither partitions nor the order
of rows can change an answer. What is known of a document by number is small; texts go along
only where documents are compared.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import xxhash
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import part
from dedupe.documents import MAX_BYTES
from dedupe.documents.document import NO_WORD, from_value
from dedupe.errors import DuplicateId, InvalidInput, InvalidSetting, NothingToRead, Skipped
from dedupe.minhash import sketch_hashed
from dedupe.scoring.block import contents_of
from dedupe.settings import Settings
from dedupe.shingling import hash_encoded, hash_shingles
from dedupe.spark.columns import batch, signed
from dedupe.spark.job import Job
from dedupe.spark.source import Columns
from dedupe.spark.workers import mapped

__all__ = ["Documents", "numbered", "read"]

SKETCH = (
    "doc long, is_old boolean, time double, reason string, n_words int, n_shingles int, "
    "digest long, content long, fold binary, signature binary"
)

BLANK = r"(?U)^[\s\x1C-\x1F]*$"
"""What `str.strip` leaves nothing of, as Java says it."""


class Documents(NamedTuple):
    """The documents of a search.

    Attributes
    ----------
    texts : DataFrame
        doc, id, text, is_old, time: of each row, numbered in the order of ids, new ones before old
        ones; cut by `doc`, so that joins move what is said of documents and not the texts.
    sketches : DataFrame
        doc, is_old, time, n_words, n_shingles, digest, content, signature, first: of each document;
        `first` is the first that has the same words, an old one if there is one. Where there is a
        window, also start and end, as `dedupe.spans.Spans` has them.
    skipped : DataFrame
        id, reason, is_old.
    has_old : bool
        Whether there is an old collection with a document in it.
    n_bytes : int
        Bytes of all texts.
    """

    texts: DataFrame
    sketches: DataFrame
    skipped: DataFrame
    has_old: bool
    n_bytes: int


def read(job: Job, source: DataFrame, columns: Columns) -> Documents:
    """Return the documents of what `source_of` returns, numbered.

    Raises
    ------
    InvalidInput, InvalidSetting, DuplicateId, NothingToRead
    """
    job.tell("numbering")
    in_order = job.keep(source.sort("id", "is_old"))
    _check_ids(in_order)
    (n_bytes,) = in_order.agg(F.coalesce(F.sum(F.octet_length("text")), F.lit(0))).first() or (0,)
    job.cut_for(n_bytes)
    cut = numbered(in_order, "doc").repartition(job.partitions, "doc")
    texts = job.keep(cut, in_memory=job.has_room(n_bytes))
    job.let_go(in_order)
    sketched = job.stage(
        "sketches",
        lambda: mapped(
            texts.select("doc", "text", "is_old", "time"), partial(_sketched, job.settings), SKETCH
        ),
        "doc",
    )
    found = sketched.where("reason is null").drop("reason")
    counts = _counts(sketched)
    _check_words(counts)
    _check_times(job.settings, columns, counts)
    sketches = job.keep(_with_first_copies(found, job.settings.window))
    skipped = (
        sketched.where("reason is not null")
        .select("doc", "reason")
        .join(texts.select("doc", "id", "is_old"), "doc")
        .select("id", "reason", "is_old")
    )
    return Documents(texts, sketches, job.keep(skipped), counts["n_found_old"] > 0, n_bytes)


def _counts(sketched: DataFrame) -> dict[str, int]:
    """Return how many rows there are, how many are documents, and how many of those have what."""
    is_found, is_new = F.col("reason").isNull(), ~F.col("is_old")
    is_timed = is_found & F.col("time").isNotNull()
    may_be_read = is_found | (F.col("reason") == NO_WORD)
    kinds = {
        "n_rows": F.lit(True),
        "n_old": ~is_new,
        "n_readable_old": may_be_read & ~is_new,
        "n_found": is_found,
        "n_found_old": is_found & ~is_new,
        "n_timed": is_timed,
        "n_timed_new": is_timed & is_new,
    }
    row = sketched.agg(*(F.count_if(kind).alias(name) for name, kind in kinds.items())).first()
    assert row is not None, "there is a row of counts, whatever is counted"
    return {name: row[name] for name in kinds}


def _check_words(counts: dict[str, int]) -> None:
    """Refuse a collection in which no document holds a word.

    An old collection may be empty, as on the first night; where nothing in it can be read, new
    documents would seem unique.
    """
    if counts["n_old"] and not counts["n_readable_old"]:
        raise NothingToRead(
            "an old collection must hold a document that can be read, or nothing at all, got "
            f"{counts['n_old']} skipped: check the column of texts in what against= (--against) "
            "names"
        )
    if counts["n_rows"] and not counts["n_found"]:
        raise NothingToRead(
            f"at least one document must hold a word, got {counts['n_rows']} without: check the "
            "column of texts"
        )


def _check_times(settings: Settings, columns: Columns, counts: dict[str, int]) -> None:
    """Refuse a window, or to keep the newest, where no document has a time to go by."""
    if columns.time is None or not counts["n_found"]:
        return
    needs_new = settings.keep in ("newest", "oldest")
    has_new = counts["n_found"] > counts["n_found_old"]
    lacks_new = needs_new and has_new and not counts["n_timed_new"]
    if not counts["n_timed"] or lacks_new:
        whose = " of a new document" if counts["n_timed"] else ""
        raise InvalidSetting(
            f"time must name a column that holds a time, got {columns.time!r}, which holds none"
            f"{whose}: a time is a timestamp, seconds since 1970, or ISO 8601; name one with time= "
            "(--time-field)"
        )


def _with_first_copies(found: DataFrame, window: timedelta | None) -> DataFrame:
    """Return documents with the first that has the same words, and in a window with their spans.

    There, only copies that follow each other within it are one document: see `dedupe.spans`.
    """
    folds = found.select("doc", "fold", "is_old", "time")
    first = F.min_by("doc", F.struct(~F.col("is_old"), "doc"))
    if window is None:
        copies = folds.select("doc", first.over(Window.partitionBy("fold")).alias("first"))
    else:
        copies = _in_runs(folds, window, first.alias("first"))
    # Signatures stay where they are.
    return found.drop("fold").join(copies.hint("shuffle_hash"), "doc")


def _in_runs(folds: DataFrame, window: timedelta, first: Column) -> DataFrame:
    """Return the first of each run of copies that follow each other within a window, its span."""
    copies = Window.partitionBy("fold")
    in_time = copies.orderBy("time", "doc")
    is_late = F.col("time") - F.lag("time").over(in_time) > window.total_seconds()
    is_whole = F.max(F.col("time").isNull()).over(copies)
    late = folds.withColumn("late", F.coalesce(is_late & ~is_whole, F.lit(False)).cast("long"))
    in_runs = late.withColumn("run", F.sum("late").over(in_time)).drop("late")
    infinity = F.lit(float("inf"))
    runs = in_runs.groupBy("fold", "run").agg(
        first,
        F.min(F.coalesce("time", -infinity)).alias("start"),
        F.max(F.coalesce("time", infinity)).alias("end"),
    )
    found = in_runs.select("doc", "fold", "run").join(runs, ["fold", "run"])
    return found.select("doc", "first", "start", "end")


def _check_ids(texts: DataFrame) -> None:
    """Refuse ids that are missing, blank, no UTF-8 or there twice; equal ones follow each other."""
    as_text = F.col("id").cast("string")
    is_blank, is_binary = as_text.isNull() | as_text.rlike(BLANK), ~F.is_valid_utf8(as_text)
    counts = texts.groupBy("id", "is_old").count()
    if counts.where((F.col("count") > 1) | is_blank | is_binary).isEmpty():
        return
    if n_blank := texts.where(is_blank).count():
        raise InvalidInput(
            f"a column of ids must have one for each document, got {n_blank} rows without: "
            "fill it in, or name another column with id="
        )
    if n_binary := texts.where(is_binary).count():
        raise InvalidInput(
            f"ids must be UTF-8, got {n_binary} rows that are not: write bytes as text with hex, "
            "or name another column with id="
        )
    twice = counts.where("count > 1").sort("id").first()
    if twice is not None:
        raise DuplicateId(
            f"ids must differ, got {twice['id']!r} for {twice['count']} rows: rename one, or name "
            "another column with id="
        )


def numbered(in_order: DataFrame, name: str) -> DataFrame:
    """Return a sorted frame that is kept with a column of numbers, from 0.

    The driver is told how many rows each partition has.
    """
    counts = in_order.groupBy(F.spark_partition_id().alias("part")).agg(F.count("*").alias("n"))
    n_rows = np.zeros(in_order.rdd.getNumPartitions() + 1, np.int64)
    for row in counts.collect():
        n_rows[row.part + 1] = row.n
    starts = F.lit(np.cumsum(n_rows).tolist())
    # Spark numbers the rows of each partition from a place of its own.
    place = F.monotonically_increasing_id() % (1 << 33)
    return in_order.withColumn(name, starts[F.spark_partition_id()] + place)


def _sketched(settings: Settings, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the sketches of documents, or why there are none."""
    for some in batches:
        encoded, reasons = _taken(some)
        tokens = hash_encoded(encoded, detail=True)
        assert tokens.seals is not None
        shingles = hash_shingles(tokens, settings.ngram)
        found = sketch_hashed(tokens, shingles, settings)
        for place in np.flatnonzero(found.n_words == 0).tolist():
            reasons[place] = reasons[place] or NO_WORD
        # Whoever makes two texts of one digest does not know the seals of their words.
        folds = [
            digest.tobytes()
            + xxhash.xxh3_64_digest(tokens.seals[part(tokens.offsets, d)].tobytes())
            for d, digest in enumerate(found.digests)
        ]
        yield batch(
            doc=some.column("doc"),
            is_old=some.column("is_old"),
            time=some.column("time"),
            reason=pa.array(reasons, pa.string()),
            n_words=found.n_words.astype(np.int32),
            n_shingles=found.n_shingles.astype(np.int32),
            digest=signed(found.digests[:, 0]),
            content=signed(contents_of(shingles.hashes, shingles.offsets)),
            fold=pa.array(folds, pa.binary()),
            signature=pa.array([row.tobytes() for row in found.signatures], pa.binary()),
        )


def _taken(some: pa.RecordBatch) -> tuple[list[bytes], list[str | None]]:
    """Return the texts of rows in UTF-8, empty where there is a reason to skip one."""
    encoded: list[bytes] = []
    reasons: list[str | None] = []
    texts: Sequence[str | None] = some.column("text").to_pylist()
    for text in texts:
        item = from_value(0, text)
        reason = item.reason if isinstance(item, Skipped) else None
        data = b"" if isinstance(item, Skipped) else item.encoded
        if len(data) > MAX_BYTES:
            reason, data = f"{len(data):,} bytes, more than {MAX_BYTES:,}", b""
        encoded.append(data)
        reasons.append(reason)
    return encoded, reasons

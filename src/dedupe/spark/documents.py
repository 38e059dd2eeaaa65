"""Turns the rows of a frame into numbered documents with their sketches, and skipped ones.

Documents are numbered in the order of their ids, so that neither partitions nor the order
of rows can change an answer. What is known of a document by number is small; texts go along
only where documents are compared.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import xxhash
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import IntegralType, StringType

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

__all__ = ["Documents", "numbered", "read", "source_of"]

SKETCH = (
    "doc long, reason string, n_words int, n_shingles int, digest long, content long, "
    "fold binary, signature binary"
)


class Documents(NamedTuple):
    """The documents of a search.

    Attributes
    ----------
    texts : DataFrame
        doc, id, text: of each row, in the order of ids.
    sketches : DataFrame
        doc, n_words, n_shingles, digest, content, signature, first: of each document; `first` is
        the first that has the same words.
    skipped : DataFrame
        id, reason.
    """

    texts: DataFrame
    sketches: DataFrame
    skipped: DataFrame


def source_of(frame: DataFrame, id_field: str, text_field: str) -> DataFrame:
    """Return the two columns that are searched, as ``id`` and ``text``.

    Raises
    ------
    InvalidSetting
        When there is no such column.
    InvalidInput
        When ids are neither strings nor whole numbers, or texts no strings.
    """
    for name, column in (("id", id_field), ("text", text_field)):
        if column not in frame.columns:
            raise InvalidSetting(
                f"{name} must name a column, got {column!r}, and they are "
                f"{', '.join(frame.columns)}"
            )
    kind = frame.schema[id_field].dataType
    if not isinstance(kind, StringType | IntegralType):
        raise InvalidInput(
            f"ids must be strings or whole numbers, got {kind.simpleString()} in {id_field!r}: "
            f"cast them, as in df.withColumn({id_field!r}, df[{id_field!r}].cast('string'))"
        )
    kind = frame.schema[text_field].dataType
    if not isinstance(kind, StringType):
        raise InvalidInput(
            f"texts must be strings, got {kind.simpleString()} in {text_field!r}: name the column "
            "that holds them with text="
        )
    return frame.select(F.col(id_field).alias("id"), F.col(text_field).alias("text"))


def read(job: Job, source: DataFrame) -> Documents:
    """Return the documents of a frame with the columns ``id`` and ``text``, numbered.

    Raises
    ------
    InvalidInput, DuplicateId, NothingToRead
    """
    job.tell("numbering")
    in_order = job.keep(source.sort("id"))
    texts = job.keep(numbered(in_order, "doc"))
    _check_ids(texts)
    sketched = job.stage(
        "sketches",
        lambda: texts.select("doc", "text").mapInArrow(partial(_sketched, job.settings), SKETCH),
    )
    found = sketched.where("reason is null").drop("reason")
    if found.isEmpty() and (n := texts.count()):
        raise NothingToRead(
            f"at least one document must hold a word, got {n} without: check the column of texts"
        )
    firsts = found.groupBy("fold").agg(F.min("doc").alias("first"))
    sketches = job.keep(found.join(firsts, "fold").drop("fold"))
    skipped = (
        sketched.where("reason is not null")
        .select("doc", "reason")
        .join(texts.select("doc", "id"), "doc")
        .select("id", "reason")
    )
    return Documents(texts, sketches, job.keep(skipped))


def _check_ids(texts: DataFrame) -> None:
    """Refuse ids that are missing, blank or there twice; equal ones follow each other."""
    blank = texts.where(F.col("id").isNull() | F.col("id").cast("string").rlike(r"^\s*$"))
    if not blank.isEmpty():
        raise InvalidInput(
            f"a column of ids must have one for each document, got {blank.count()} rows without: "
            "fill it in, or name another column with id="
        )
    twice = texts.groupBy("id").count().where("count > 1").sort("id").first()
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

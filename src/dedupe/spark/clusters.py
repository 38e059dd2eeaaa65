"""Makes clusters of scored pairs, and says of each document what became of it.

Whole components go to a task, with the texts of their documents, and `dedupe.pipeline` makes
of them what it makes of a collection. Pairs between components need no text.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple, get_type_hints

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from dedupe.arrays import Ints
from dedupe.assembly import gather
from dedupe.engine.corpus import Corpus
from dedupe.engine.memory import BlockInMemory
from dedupe.engine.spill import Texts
from dedupe.ids import Id, Old, plain_id
from dedupe.results.pairs import scored_pairs
from dedupe.results.records import Cluster, Pair
from dedupe.results.result import Result
from dedupe.results.tables import said_of
from dedupe.scoring import passes
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.settings import Settings
from dedupe.shingling import hash_encoded
from dedupe.spark.blocks import boilerplate_of
from dedupe.spark.columns import array_of, in_groups, of_kind
from dedupe.spark.components import components
from dedupe.spark.documents import Documents, numbered
from dedupe.spark.job import Job
from dedupe.spark.learning import Learned
from dedupe.spark.shingles import COUNTS

__all__ = ["Found", "gathered"]

PAIR_COLUMNS = tuple(one.name for one in fields(Pair))
SIDES_OLD = ("left_is_old", "right_is_old")
OF_DOCUMENT = {
    "size": IntegerType(),
    "head": LongType(),
    "doc": LongType(),
    "representative": None,
    "duplicate_of": None,
    "score": DoubleType(),
    "relation": StringType(),
    "reason": StringType(),
    "of_old": BooleanType(),
}
"""The columns of what is said of a document; ids are of the type that they come in."""

SAID = ("duplicate_of", "score", "relation", "reason")
"""Those of `dedupe.results.tables.Said`."""


class Found(NamedTuple):
    """What became of documents, and the pairs that score; see `dedupe.spark`."""

    documents: DataFrame
    pairs: DataFrame


def gathered(job: Job, documents: Documents, learned: Learned) -> Found:
    """Join what was scored, a component at a time."""
    kind = documents.texts.schema["id"].dataType
    rows = job.stage("scored", lambda: learned.rows)
    job.tell("clustering")
    least = components(job, rows.where("is_link"))
    inside, outside = _parted(rows, least)
    members = job.keep(_members(documents, least))
    gathered_rows = _to_components(job, documents, learned, members, inside)
    schema = to_arrow_schema(_schema(kind))
    found = job.keep(
        gathered_rows.mapInArrow(partial(_gathered, job.settings, schema), _schema(kind))
    )
    apart = outside
    for side, name in (("a", "left"), ("b", "right")):
        of_side = documents.texts.select(
            F.col("doc").alias(side),
            F.col("id").alias(f"{name}_id"),
            F.col("is_old").alias(f"{name}_is_old"),
        )
        apart = apart.join(of_side, side)
    told = partial(_told, job.settings.threshold, to_arrow_schema(_pair_schema(kind)))
    apart = apart.mapInArrow(told, _pair_schema(kind))
    pairs = found.where("doc is null").select("pair.*").union(apart)
    return Found(_of_all(job, documents, rows, found), job.keep(pairs))


def _parted(rows: DataFrame, least: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return the rows within components, and all others."""
    sides = [
        least.select(F.col("doc").alias(side), F.col("least").alias(f"least_{side}"))
        for side in "ab"
    ]
    both = rows.join(sides[0], "a", "left").join(sides[1], "b", "left")
    inside = both.where("least_a = least_b").select(
        F.col("least_a").alias("least"), "a", "b", "row"
    )
    return inside, both.where("not (least_a <=> least_b) or least_a is null").select(
        "a", "b", "row"
    )


def _members(documents: Documents, least: DataFrame) -> DataFrame:
    """Return the documents of components and of identical copies, with the first of each."""
    known = documents.sketches.select("doc", "first", "n_words", "time")
    placed = known.join(least.withColumnRenamed("doc", "first"), "first", "left")
    n_copies = F.count("*").over(Window.partitionBy("first"))
    placed = placed.withColumn("n", n_copies).where("least is not null or n > 1")
    least = F.coalesce("least", "first").alias("least")
    return placed.select("doc", "first", "n_words", "time", least)


def _to_components(
    job: Job, documents: Documents, learned: Learned, members: DataFrame, inside: DataFrame
) -> DataFrame:
    """Return documents and rows, those of a component after each other.

    The text of a copy stays where it is, as does that of a document that has only copies.
    """
    # Texts stay where they are until they go to their components.
    said = members.join(learned.stories.frame.select("doc", "story"), "doc", "left").join(
        learned.weights, "doc", "left"
    )
    known = said.hint("shuffle_hash").join(documents.texts.drop("time"), "doc")
    text = F.when(F.col("doc") == F.col("first"), F.col("text"))
    of_documents = known.select(
        "least",
        F.lit(0).alias("kind"),
        F.col("doc").alias("a"),
        F.col("first").alias("b"),
        "n_words",
        "id",
        "is_old",
        "time",
        text.alias("text"),
        F.coalesce("story", "doc").alias("story"),
        "shingles",
        "counts",
        F.lit(None).cast("binary").alias("row"),
    )
    nulls = [
        F.lit(None).cast(of_documents.schema[name].dataType).alias(name)
        for name in ("n_words", "id", "is_old", "time", "text", "story", "shingles", "counts")
    ]
    of_rows = inside.select("least", F.lit(1).alias("kind"), "a", "b", *nulls, "row")
    return (
        of_documents.union(of_rows)
        .repartition(job.partitions, "least")
        .sortWithinPartitions("least")
    )


def _pair_schema(kind: DataType) -> StructType:
    """Return the columns of pairs, whose ids are of a kind."""
    types = {float: DoubleType(), int: IntegerType(), bool: BooleanType(), str: StringType()}
    hints = get_type_hints(Pair)
    columns = [StructField(name, types.get(hints[name], kind)) for name in PAIR_COLUMNS]
    return StructType([*columns, *(StructField(name, BooleanType()) for name in SIDES_OLD)])


def _schema(kind: DataType) -> StructType:
    """Return the columns of what becomes of components: of documents, or one with a pair."""
    columns = [StructField(name, type_ or kind) for name, type_ in OF_DOCUMENT.items()]
    return StructType([*columns, StructField("pair", _pair_schema(kind))])


def _gathered(
    settings: Settings, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield what became of the documents of whole components, and their pairs."""
    for some in in_groups(batches, "least"):
        documents, rows = of_kind(some, 0, "a"), of_kind(some, 1, "a", "b")
        numbers = array_of(documents.column("a"))
        corpus = _corpus(documents, numbers)
        result = gather(
            corpus,
            _blocks(documents, corpus, settings.ngram),
            _rows(rows, numbers),
            settings,
            Boilerplate(),
        )
        number_of = dict(zip(corpus.ids, numbers.tolist(), strict=True))
        columns = _of_documents(result, number_of)
        blank = [None] * len(columns["doc"])
        yield pa.RecordBatch.from_pydict({**columns, "pair": blank}, schema)
        pairs = _of_pairs(result.scored)
        rows_of_pairs = [
            dict(zip(pairs, row, strict=True)) for row in zip(*pairs.values(), strict=True)
        ]
        blank = [None] * len(rows_of_pairs)
        yield pa.RecordBatch.from_pydict(
            {**dict.fromkeys(OF_DOCUMENT, blank), "pair": rows_of_pairs}, schema
        )


def _ids(some: pa.RecordBatch, id_: str, is_old: str) -> Iterator[Id]:
    """Yield the ids of a column, marked as one machine marks those of old documents."""
    columns = (some.column(name).to_pylist() for name in (id_, is_old))
    return (Old(one) if old else one for one, old in zip(*columns, strict=True))


def _corpus(documents: pa.RecordBatch, numbers: Ints) -> Corpus:
    """Return the documents of some components as a collection of their own."""
    n = numbers.size
    # What is a copy needs no text here.
    texts = [
        (text or "").encode("utf-8", "replace") for text in documents.column("text").to_pylist()
    ]
    stored = Texts(sys.maxsize)
    stored.extend(texts)
    times = array_of(documents.column("time")).astype(np.float64)
    return Corpus(
        ids=tuple(_ids(documents, "id", "is_old")),
        n_words=array_of(documents.column("n_words")).astype(np.int64),
        contents=np.empty(0, np.uint64),
        rows=np.arange(n),
        times=times,
        is_old=array_of(documents.column("is_old")).astype(np.bool_),
        n_shingles=np.empty(0, np.int64),
        signatures=np.empty((0, 0), np.uint32),
        stored=stored,
        first_copy=np.searchsorted(numbers, array_of(documents.column("b"))),
        skipped=(),
        keeps_order=False,
        is_dated=~np.isnan(times),
        spans=None,
    )


def _blocks(documents: pa.RecordBatch, corpus: Corpus, ngram: int) -> BlockInMemory:
    """Return the documents that others were compared with, weighed as they were scored."""
    originals = corpus.originals()
    block = Block.of(hash_encoded(corpus.encoded(originals), detail=True, spans=False), ngram)
    known: dict[str, npt.NDArray[Any]] = {}
    for name, dtype in (("shingles", np.uint64), ("counts", COUNTS)):
        data = b"".join(one for one in documents.column(name).to_pylist() if one is not None)
        known[name] = np.frombuffer(data, dtype).copy()
    boilerplate = boilerplate_of(known["shingles"], known["counts"])
    stories = array_of(documents.column("story"))[originals]
    return BlockInMemory(block.weighed(boilerplate, stories), originals)


def _rows(some: pa.RecordBatch, numbers: Ints) -> passes.Rows:
    """Return scored pairs, their documents by number within some components."""
    rows = np.frombuffer(b"".join(some.column("row").to_pylist()), passes.ROW).copy()
    for side, name in (("a", "left"), ("b", "right")):
        rows[name] = np.searchsorted(numbers, array_of(some.column(side)))
    return rows


def _of_documents(result: Result, number_of: dict[Id, int]) -> dict[str, Any]:
    """Return what became of each document, with the first of its cluster, as columns."""
    clusters = {member: cluster for cluster in result.clusters for member in cluster}
    said = said_of(result)
    ids = sorted(said, key=number_of.__getitem__)
    of_ids = [clusters.get(id_, Cluster(id_, (id_,))) for id_ in ids]
    told = [said[id_] for id_ in ids]
    return {
        "size": [len(cluster) for cluster in of_ids],
        "head": [number_of[cluster.members[0]] for cluster in of_ids],
        "doc": [number_of[id_] for id_ in ids],
        "representative": [plain_id(cluster.representative) for cluster in of_ids],
        **{name: [getattr(one, name) for one in told] for name in SAID},
        "of_old": [isinstance(cluster.representative, Old) for cluster in of_ids],
    }


def _of_pairs(scored: Sequence[Pair]) -> dict[str, Any]:
    """Return pairs as columns."""
    pairs = list(scored)
    columns = {name: [getattr(pair, name) for pair in pairs] for name in PAIR_COLUMNS}
    for side in ("left", "right"):
        ids = columns[side]
        columns[side] = [*map(plain_id, ids)]
        columns[f"{side}_is_old"] = [isinstance(id_, Old) for id_ in ids]
    return columns


def _told(
    threshold: float, schema: Any, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the pairs whose documents are in different components."""
    for some in batches:
        n = some.num_rows
        rows = np.frombuffer(b"".join(some.column("row").to_pylist()), passes.ROW).copy()
        rows["left"], rows["right"] = np.arange(n), np.arange(n, 2 * n)
        ids = [*_ids(some, "left_id", "left_is_old"), *_ids(some, "right_id", "right_is_old")]
        columns = _of_pairs(scored_pairs(rows, ids, threshold))
        yield pa.RecordBatch.from_pydict(columns, schema)


def _of_all(job: Job, documents: Documents, rows: DataFrame, found: DataFrame) -> DataFrame:
    """Return a row for each new document; the largest clusters come first, then what has a pair."""
    told = found.where("doc is not null").drop("pair")
    paired = rows.select(F.explode(F.array("a", "b")).alias("doc")).distinct()
    ids = documents.texts.select("doc", "id")
    known = (
        documents.sketches.select("doc", "is_old")
        .join(ids, "doc")
        .join(told, "doc", "left")
        .join(paired.withColumn("is_paired", F.lit(True)), "doc", "left")
        # An old document counts only as a member of a cluster.
        .where("not is_old or size is not null")
        .select(
            "id",
            F.coalesce("representative", "id").alias("representative"),
            "duplicate_of",
            F.coalesce("score", F.lit(1.0)).alias("score"),
            "relation",
            "reason",
            F.coalesce("of_old", F.lit(False)).alias("of_old"),
            "doc",
            "is_old",
            F.coalesce("head", "doc").alias("head"),
            F.coalesce("size", F.lit(1)).alias("size"),
            (F.col("is_paired").isNotNull() | F.col("size").isNotNull()).alias("is_paired"),
        )
    )
    known = job.keep(known)
    heads = known.where("doc = head").select("head", "size", "is_paired")
    in_order = job.keep(heads.sort(F.desc("size"), F.desc("is_paired"), "head"))
    number = (F.col("place") + 1).alias("cluster")
    numbers = numbered(in_order, "place").select("head", number)
    told = known.where("not is_old").join(numbers, "head")
    return job.keep(told.select("id", "cluster", *known.columns[1:7]))

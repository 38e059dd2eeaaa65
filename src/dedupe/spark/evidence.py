"""Finds the passages that chosen pairs share, from the texts that were searched."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from dedupe.arrays import distinct
from dedupe.errors import InvalidInput, UnknownDocument
from dedupe.ids import Id, Old
from dedupe.results.evidence import N_LISTED, EvidenceFinder
from dedupe.results.records import Evidence, Passage, Remainder, Span, Unlisted
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import hash_tokens
from dedupe.spark.blocks import boilerplate_of
from dedupe.spark.columns import batch
from dedupe.spark.shingles import Entries
from dedupe.spark.workers import mapped

__all__ = ["Sources"]

SIDES = ("left", "right", "left_is_old", "right_is_old")
"""What names a pair."""

SPAN = "struct<start: int, end: int>"
REMAINDERS = f"array<struct<span: {SPAN}, n_words: int, excerpt: string>>"
UNLISTED = "struct<n: int, n_words: int>"
EVIDENCE = (
    f"passages array<struct<left: {SPAN}, right: {SPAN}, n_words: int, excerpt: string, "
    f"boilerplate: boolean>>, only_left {REMAINDERS}, only_right {REMAINDERS}, "
    f"covered_left double, covered_right double, more_passages {UNLISTED}, "
    f"more_left {UNLISTED}, more_right {UNLISTED}"
)
"""The fields of `dedupe.results.records.Evidence`."""


class Sources(NamedTuple):
    """What evidence is found in.

    Attributes
    ----------
    texts : DataFrame
        id, text, is_old: of what was searched, to be read again where the caller has it.
    boilerplate : Entries
        What the search has learned.
    ngram : int
    """

    texts: DataFrame
    boilerplate: Entries
    ngram: int

    def evidence(self, pairs: DataFrame) -> DataFrame:
        """Return the evidence of some pairs, each once."""
        found = _named(pairs)
        self._check(found)
        for side in ("left", "right"):
            of_side = self.texts.select(
                F.col("id").alias(side),
                F.col("text").alias(f"{side}_text"),
                F.col("is_old").alias(f"{side}_is_old"),
            )
            found = found.join(of_side, [side, f"{side}_is_old"])
        kind = pairs.schema["left"].dataType.simpleString()
        names = f"`left` {kind}, `right` {kind}, left_is_old boolean, right_is_old boolean"
        broadcast = self.boilerplate.broadcast
        if broadcast is None:
            found = found.join(self._held(found), [*SIDES], "left")
        schema = f"{names}, {EVIDENCE}"
        of_arrow = to_arrow_schema(StructType.fromDDL(schema))
        return mapped(found, partial(_found, self.ngram, broadcast, of_arrow), schema)

    def _check(self, chosen: DataFrame) -> None:
        """Refuse pairs of documents that were not searched."""
        sides = [
            chosen.select(F.col(side).alias("id"), F.col(f"{side}_is_old").alias("is_old"))
            for side in ("left", "right")
        ]
        named = sides[0].union(sides[1])
        missing = named.join(self.texts, ["id", "is_old"], "left_anti").first()
        if missing is not None:
            name: Id = Old(missing["id"]) if missing["is_old"] else missing["id"]
            raise UnknownDocument(
                f"no document {str(name)!r} in what was searched: take pairs from answer.pairs"
            )

    def _held(self, found: DataFrame) -> DataFrame:
        """Return the boilerplate that some pairs hold, gathered by pair."""
        names = ", ".join(
            f"`{name}` {found.schema[name].dataType.simpleString()}" for name in SIDES
        )
        schema = f"{names}, shingle long"
        held = mapped(
            found,
            partial(_shingles, self.ngram, to_arrow_schema(StructType.fromDDL(schema))),
            schema,
        )
        rows = held.join(self.boilerplate.rows(), "shingle")
        return rows.groupBy(*SIDES).agg(F.collect_list(F.struct("shingle", "n")).alias("known"))


def _named(pairs: DataFrame) -> DataFrame:
    """Return what names some pairs, each once; without an old collection ids are enough."""
    for name in ("left", "right"):
        if name not in pairs.columns:
            raise InvalidInput(
                f"pairs must have the columns left and right, got {', '.join(pairs.columns)}: take "
                "rows of answer.pairs"
            )
    flags = [
        F.col(name) if name in pairs.columns else F.lit(False).alias(name) for name in SIDES[2:]
    ]
    return pairs.select("left", "right", *flags).distinct()


def _shingles(
    ngram: int, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the shingles of pairs, each once in a pair."""
    for some in batches:
        for row in some.to_pylist():
            block = Block.of(hash_tokens([row["left_text"], row["right_text"]], detail=True), ngram)
            shingles = distinct(block.shingles.view("int64"))
            of_pair = {name: [row[name]] * shingles.size for name in SIDES}
            yield batch(**of_pair, shingle=shingles).cast(schema)


def _found(
    ngram: int, broadcast: Any, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the evidence of pairs that come with their texts."""
    everything = None if broadcast is None else boilerplate_of(*broadcast.value)
    for some in batches:
        rows = []
        for row in some.to_pylist():
            known = everything or _boilerplate(row["known"] or ())
            texts = (row["left_text"], row["right_text"])
            evidence = EvidenceFinder.of(texts, ngram, known).find(0, 1, N_LISTED)
            rows.append({name: row[name] for name in SIDES} | _as_row(evidence))
        yield pa.RecordBatch.from_pylist(rows, schema)


def _boilerplate(known: Sequence[dict[str, int]]) -> Boilerplate:
    """Return the boilerplate that a pair holds, which came as rows."""
    shingles = np.array([one["shingle"] for one in known], np.int64).view(np.uint64)
    return boilerplate_of(shingles, np.array([one["n"] for one in known], np.int64))


def _as_row(value: Any) -> Any:
    """Return evidence, or what is in it, as nested rows."""
    if isinstance(value, tuple) and not isinstance(value, Span):
        return [*map(_as_row, value)]
    if isinstance(value, Span):
        return value._asdict()
    if isinstance(value, Evidence | Passage | Remainder | Unlisted):
        return {name: _as_row(getattr(value, name)) for name in value.__dataclass_fields__}
    return value

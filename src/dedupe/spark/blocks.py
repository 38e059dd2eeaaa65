"""Brings documents together with what is to be done to them, in blocks that stay.

A *block* holds some pairs, or other items, and the hashed texts of all documents in them, so
that a task can apply the rules of `dedupe.scoring`. It is hashed and kept once; afterwards
only small things travel to it: the stories of its documents, and the counts of its shingles.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import AnyInts, Bools, Hashes, Ints
from dedupe.kernels.measures import N_LINES
from dedupe.lazy import cached_property
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import hash_encoded
from dedupe.spark.columns import array_of, batch, bytes_of, groups_of, of_kind
from dedupe.spark.documents import Documents
from dedupe.spark.job import Job
from dedupe.spark.linkage import Stories
from dedupe.spark.places import part_of
from dedupe.spark.shingles import Entries, entries_of
from dedupe.spark.workers import mapped

__all__ = [
    "THIN",
    "Blocks",
    "Held",
    "Judge",
    "boilerplate_of",
    "in_neighbourhoods",
    "pair_blocks",
    "stories_told",
]

PAIRS = 1 << 13
"""Pairs of a block: its documents take some 50 MB, and each is in few blocks."""

STAR, STARS = 1 << 11, 4
"""Pairs of one neighbourhood that stay in one block at most; and how many such stars it holds at
least, of whatever size."""

HASHED = 8
"""Bytes of blocks for each of texts, which are hashed to twice as many and are in three or four."""

EVEN = 16
"""Blocks for each partition at most, of which each gets as many. More are even by themselves."""


ARRAYS = {
    "shingles": np.uint64,
    "shingle_offsets": np.int64,
    "token_offsets": np.int64,
    "lines": np.uint8,
    "contents": np.uint64,
    "prose": np.float32,
}
"""The arrays of a `dedupe.scoring.block.Block` that are kept. Seals tell others what a shingle is
called outside of this search, and a third of all bytes would be theirs."""

THIN = ("numbers", "owned", "old", "left", "right")
"""What else a block stores; frames made of blocks carry it, too."""

STORED = (*THIN, *ARRAYS)
SCHEMA = ", ".join(("block long, part int", *(f"{name} binary" for name in STORED)))
"""A block in several rows: each has a part of the bytes of ARRAYS, in the order of `part`. All else
stands in the first."""

ROW_BYTES = 1 << 20
"""Bytes of ARRAYS in a row, of which Spark copies each several times, and keeps a hundred in memory
as it writes them to disk. The first row has all else besides."""


@dataclass(frozen=True)
class Known:
    """Shingles with a number each, which a task looks up in all of its blocks."""

    shingles: Hashes
    counts: AnyInts

    @cached_property
    def boilerplate(self) -> Boilerplate:
        """The same as boilerplate that is counted already."""
        return boilerplate_of(self.shingles, self.counts)


@dataclass
class Held:
    """A block as a task sees it.

    Attributes
    ----------
    number : int
    row : dict
        The bytes of its arrays, and what an earlier stage has left here, by name.
    ngram : int
    numbers : int64 [shape=(n_docs,)], ascending
        Its documents.
    stories : int64 [shape=(n_docs,)]
        The story of each document by the number of its first; itself by default.
    in_form : bool [shape=(n_docs,)]
        Whether the story is a form.
    known : dict
        The entries of each `Entries` that the block was given, at least as far as it holds them.
    """

    number: int
    row: dict[str, Any]
    ngram: int
    numbers: Ints
    stories: Ints
    in_form: Bools
    known: dict[str, Known]

    @classmethod
    def of(cls, row: dict[str, Any], ngram: int, sent: dict[str, Any]) -> "Held":
        """Rebuild a block from what `_whole` made of its rows, and from what all blocks are told.

        Parameters
        ----------
        row : dict
        ngram : int
        sent : dict
            ``stories``, as arrays, and what is `Known`; None for what stands in the row.
        """
        numbers = bytes_of(row["numbers"], np.int64)
        known = dict(sent)
        told = known.pop("stories", ())
        stories, in_form = stories_told(numbers, row.get("stories") if told is None else told)
        for name in [name for name, entries in known.items() if entries is None]:
            known[name] = Known(*entries_of(row.get(name) or ()))
        return cls(row["block"], row, ngram, numbers, stories, in_form, known)

    def array(self, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return one of its arrays, or of those that an earlier stage has left here."""
        return bytes_of(self.row[name], dtype)

    @property
    def owned(self) -> Bools:
        """Which documents no other block counts: each is owned once."""
        return self.array("owned", np.bool_)

    @cached_property
    def items(self) -> Ints:
        """Pairs, as places among its documents; or what it was made with, the first side as is."""
        return np.stack([self.array(side, np.int64) for side in ("left", "right")], axis=1)

    @cached_property
    def block(self) -> Block:
        """The documents, weighed by nothing, and with blank seals."""
        arrays: dict[str, Any] = {
            name: np.frombuffer(self.row[name], kind) for name, kind in ARRAYS.items()
        }
        arrays["prose"] = arrays["prose"].reshape(-1, N_LINES)
        seals = np.broadcast_to(np.uint32(0), arrays["shingles"].shape)
        return Block(ngram=self.ngram, seals=seals, **arrays)

    @property
    def n_old(self) -> AnyInts:
        """How many documents of each pair are old."""
        found: AnyInts = self.array("old", np.bool_)[self.items].sum(axis=1)
        return found

    def weighed(self, name: str) -> Block:
        """Return the block weighed by some boilerplate that it was given, by its stories."""
        return self.block.weighed(self.known[name].boilerplate, self.stories)


def stories_told(numbers: Ints, told: Any) -> tuple[Ints, Bools]:
    """Return the story of each document, and whether that is a form.

    Parameters
    ----------
    numbers : int64 [shape=(n_docs,)]
    told : arrays ``doc``, ``story``, ``in_form``, by document; or rows; or nothing
        Of documents whose story is another one, or a form, here and elsewhere.
    """
    if not told or isinstance(told[0], dict):
        names = {"doc": np.int64, "story": np.int64, "in_form": np.bool_}
        told = [np.array([row[name] for row in told or ()], kind) for name, kind in names.items()]
    documents, stories, in_form = told
    if not documents.size:
        return numbers, np.zeros(numbers.size, np.bool_)
    places = np.minimum(np.searchsorted(documents, numbers), documents.size - 1)
    is_told = documents[places] == numbers
    return np.where(is_told, stories[places], numbers), is_told & in_form[places]


def boilerplate_of(shingles: Hashes, counts: AnyInts) -> Boilerplate:
    """Return boilerplate that is counted already."""
    boilerplate = Boilerplate()
    boilerplate.watch(shingles, counts=counts.astype(np.uint16))
    return boilerplate


class Judge(NamedTuple):
    """What says something of each block as soon as it is hashed, which spares a look at all blocks.

    Attributes
    ----------
    rule : callable
        From `Held` to bytes by the names of columns.
    schema : str
        Of these.
    known : dict of Broadcast
        Shingles with a number each, as `Held` has them in `known`.
    """

    rule: Callable[[Held], dict[str, bytes]]
    schema: str
    known: dict[str, Any]


class Blocks(NamedTuple):
    """Blocks that are kept.

    Attributes
    ----------
    kept : DataFrame
        See SCHEMA; cut and sorted by `block`. The first row of each has what a `Judge` said.
    members : DataFrame
        doc, blocks: where each document is, those that own it first.
    n_items : int
        How many pairs there are, where somebody has counted them.
    """

    kept: DataFrame
    members: DataFrame
    n_items: int = 0

    @property
    def frame(self) -> DataFrame:
        """Blocks without what is said of them."""
        return self.kept.select("block", "part", *STORED)

    def said(self, job: Job) -> DataFrame:
        """Keep and return what a `Judge` has said of each block, with what is in THIN."""
        said = [name for name in self.kept.columns if name not in ARRAYS]
        return job.keep_cut(self.kept.where("part = 0").select(*said), "block", is_sorted=True)

    @classmethod
    def of(
        cls,
        job: Job,
        documents: Documents,
        members: DataFrame,
        items: DataFrame,
        judge: Judge | None = None,
    ) -> "Blocks":
        """Hash the documents of some blocks.

        Parameters
        ----------
        job : Job
        documents : Documents
        members : DataFrame
            block, doc: the documents of each block, each once or more.
        items : DataFrame
            block, a, b: what is to be done there; `b`, and `a` if it is a member, become places.
        judge : Judge, optional
        """
        gathered = job.keep(
            members.groupBy("doc").agg(F.sort_array(F.collect_set("block")).alias("blocks"))
        )
        placed = (
            gathered.hint("shuffle_hash")
            .join(documents.texts, "doc")
            .select(
                F.explode("blocks").alias("block"),
                F.lit(0).alias("kind"),
                F.col("doc").alias("a"),
                F.lit(0).cast("long").alias("b"),
                "text",
                (F.col("block") == F.col("blocks")[0]).alias("owned"),
                "is_old",
            )
        )
        others = items.select(
            "block",
            F.lit(1).alias("kind"),
            "a",
            "b",
            F.lit(None).cast("string").alias("text"),
            F.lit(False).alias("owned"),
            F.lit(False).alias("is_old"),
        )
        made = mapped(
            placed.union(others).repartition(job.partitions, "block").sortWithinPartitions("block"),
            partial(_made, job.settings.ngram, judge),
            SCHEMA if judge is None else f"{SCHEMA}, {judge.schema}",
        )
        is_small = job.has_room(HASHED * documents.n_bytes)
        kept = job.keep_cut(made, "block", is_sorted=True, in_memory=is_small)
        return cls(kept, gathered)

    def let_go(self, job: Job) -> None:
        """Let go of blocks that are not used any more."""
        job.let_go(self.kept, self.members)

    def over(
        self,
        job: Job,
        rule: Callable[[Held], pa.RecordBatch],
        schema: str,
        *,
        of: "DataFrame | None" = None,
        stories: "Stories | None" = None,
        state: "DataFrame | None" = None,
        known: dict[str, Entries] | None = None,
    ) -> DataFrame:
        """Return what a rule says of each block.

        Parameters
        ----------
        job : Job
        rule : callable
            From `Held` to a batch of rows.
        schema : str
            Of those rows.
        of : DataFrame, optional
            What the rule goes through instead of all blocks: some of them, or what an earlier
            stage said of them, which has block, part and numbers.
        stories : Stories, optional
        state : DataFrame, optional
            block and columns of bytes called ``state_`` and more: what a stage has left there.
        known : mapping of Entries, optional
            Shingles with a number each.
        """
        small = []
        if state is not None:
            names = [name for name in state.columns if name.startswith("state_")]
            small.append(state.select("block", *names))
        sent: dict[str, Any] = {}
        if stories is not None:
            sent["stories"] = stories.broadcast
            if stories.broadcast is None:
                small.append(self._told(stories.frame))
        for name, entries in (known or {}).items():
            sent[name] = entries.broadcast
            if entries.broadcast is None:
                small.append(self._held_of(job, entries, name))
        frame = _with(self.frame if of is None else of, small)
        return mapped(frame, partial(_apply, rule, job.settings.ngram, sent), schema)

    def _told(self, stories: DataFrame) -> DataFrame:
        """Return the stories of documents, gathered by block."""
        row = F.struct("doc", "story", "in_form").alias("row")
        rows = stories.join(self.members, "doc").select(F.explode("blocks").alias("block"), row)
        return rows.groupBy("block").agg(F.sort_array(F.collect_list("row")).alias("stories"))

    def _held_of(self, job: Job, entries: Entries, name: str) -> DataFrame:
        """Return entries gathered by the blocks that hold their shingles."""
        found = entries.held(job, self.frame.select("block", "shingles"))
        rows = F.collect_list(F.struct("shingles", "counts"))
        return found.groupBy("block").agg(rows.alias(name))


def _with(frame: DataFrame, small: Sequence[DataFrame]) -> DataFrame:
    """Return blocks with what several frames say of them, in the first row of each.

    Those are joined with one another first: each join copies the rows of both its sides. All
    are sorted, so that a task holds a row of each, and not a table of all that is said.
    """
    if not small:
        return frame
    told = reduce(lambda one, other: one.join(other.hint("merge"), "block", "full"), small)
    told = told.withColumnRenamed("block", "told_of").hint("merge")
    return frame.join(told, F.expr("block = told_of and part = 0"), "left").drop("told_of")


def pair_blocks(job: Job, documents: Documents, pairs: DataFrame, judge: Judge) -> Blocks:
    """Return blocks of candidate pairs, the larger document first."""
    n_pairs = pairs.count()
    placed = job.keep(in_neighbourhoods(job, pairs, n_pairs))
    members = placed.select("block", F.explode(F.array("a", "b")).alias("doc"))
    blocks = Blocks.of(job, documents, members, placed, judge)
    return blocks._replace(n_items=n_pairs)


def in_neighbourhoods(job: Job, pairs: DataFrame, n_pairs: int) -> DataFrame:
    """Return pairs with a block for each, the same for those of one neighbourhood.

    Larger documents are neighbours if, of the smaller ones that are held against them, the same one
    has the greatest hash: as with MinHash, so they are the sooner the more of these they have in
    common, and texts travel to fewer blocks. There are as many blocks for each partition, and
    of a large neighbourhood only as many pairs go to one as leave room for others: otherwise a
    crowd would make it too large.
    """
    per_part = max(1, -(-n_pairs // (PAIRS * job.partitions)))
    n_blocks = per_part * job.partitions
    room = max(1, min(STAR, n_pairs // (n_blocks * STARS)))
    near = pairs.withColumn("near", F.max(F.xxhash64("b")).over(Window.partitionBy("a")))
    n_rays = F.ceil(F.count("*").over(Window.partitionBy("near")) / room)
    ray = F.pmod(F.xxhash64("b"), n_rays)
    place = F.pmod(F.xxhash64("near", ray), F.lit(n_blocks))
    return near.select(_spread(job, place, n_blocks).alias("block"), "a", "b")


def _spread(job: Job, place: Column, n_blocks: int) -> Column:
    """Return the number of a block, of which each partition gets as many, if they are few.

    Spark cuts frames by the hashes of numbers. By those of a few that follow each other, one
    partition would have three blocks, and another one none.
    """
    if n_blocks > EVEN * job.partitions:
        return place
    found: dict[int, list[int]] = {part: [] for part in range(job.partitions)}
    per_part = n_blocks // job.partitions
    number = 0
    while any(len(some) < per_part for some in found.values()):
        found[part_of(number, job.partitions)].append(number)
        number += 1
    numbers = [number for some in found.values() for number in some[:per_part]]
    return F.element_at(F.lit(numbers), place.cast("int") + 1).cast("long")


def _made(
    ngram: int, judge: Judge | None, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield blocks, given the rows of their documents and items."""
    known = {} if judge is None else _looked_up(judge.known)
    for number, rows in groups_of(batches, "block"):
        stored = _stored(ngram, rows)
        said = {}
        if judge is not None:
            said = judge.rule(Held.of({"block": number, **stored}, ngram, known))
        yield _in_parts(number, stored, said)


def _stored(ngram: int, rows: pa.RecordBatch) -> dict[str, bytes]:
    """Return the arrays of one block, given the rows of its documents and items."""
    documents, items = of_kind(rows, 0, "a"), of_kind(rows, 1, "a", "b")
    numbers = array_of(documents.column("a"))
    encoded = [text.encode("utf-8", "replace") for text in documents.column("text").to_pylist()]
    block = Block.of(hash_encoded(encoded, detail=True, spans=False), ngram)
    left, right = (array_of(items.column(side)) for side in "ab")
    columns = {
        "numbers": numbers,
        "owned": array_of(documents.column("owned")),
        "old": array_of(documents.column("is_old")),
        "left": np.searchsorted(numbers, left),
        "right": np.searchsorted(numbers, right),
        **{name: getattr(block, name) for name in ARRAYS},
    }
    return {name: array.tobytes() for name, array in columns.items()}


def _in_parts(number: int, stored: dict[str, bytes], said: dict[str, bytes]) -> pa.RecordBatch:
    """Return a block in as many rows as its bytes make."""
    n_rows = max(1, -(-sum(len(stored[name]) for name in ARRAYS) // ROW_BYTES))
    parts = {name: [stored[name]] + [b""] * (n_rows - 1) for name in THIN}
    for name in ARRAYS:
        ends = [len(stored[name]) * row // n_rows for row in range(n_rows + 1)]
        parts[name] = [stored[name][start:end] for start, end in pairwise(ends)]
    parts |= {name: [data] + [b""] * (n_rows - 1) for name, data in said.items()}
    columns = {name: pa.array(data, pa.binary()) for name, data in parts.items()}
    return batch(block=[number] * n_rows, part=pa.array(range(n_rows), pa.int32()), **columns)


def _looked_up(sent: dict[str, Any]) -> dict[str, Known]:
    """Return shingles that all executors were sent, with a number each."""
    return {name: Known(*one.value) for name, one in sent.items()}


def _apply(
    rule: Callable[[Held], pa.RecordBatch],
    ngram: int,
    sent: dict[str, Any],
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Yield what a rule says of the blocks of a partition."""
    told: dict[str, Any] = dict.fromkeys(name for name, one in sent.items() if one is None)
    there = {name: one for name, one in sent.items() if one is not None}
    if "stories" in there:
        told["stories"] = there.pop("stories").value
    told |= _looked_up(there)
    for number, rows in groups_of(batches, "block"):
        yield rule(Held.of(_whole(number, rows), ngram, told))


def _whole(number: int, rows: pa.RecordBatch) -> dict[str, Any]:
    """Return what the rows of a block say: its arrays in one piece, and what it is told."""
    row: dict[str, Any] = {"block": number}
    for name in {*rows.schema.names} - {"block", "part"}:
        values = rows.column(name)
        if name in STORED:
            row[name] = bytearray().join([one.as_buffer() for one in values])
        elif isinstance(values[0], pa.BinaryScalar):
            row[name] = values[0].as_buffer()
        else:
            row[name] = values[0].as_py()
    return row

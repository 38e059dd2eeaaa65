"""Learns what is boilerplate and what is one story: `dedupe.learning` over many machines.

The rounds are the same. Blocks score their pairs, components of pairs become stories, and
what shingles different stories share is counted as the number of distinct stories of each.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import Bools, Hashes, distinct
from dedupe.learning import LAST, ROUNDS
from dedupe.scoring import forms, passes, rule
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import NOTHING
from dedupe.settings import SCORE_FLOOR
from dedupe.shingling import Sealed
from dedupe.spark.blocks import Blocks, Held, boilerplate_of, pair_blocks
from dedupe.spark.columns import batch, bytes_of
from dedupe.spark.components import components
from dedupe.spark.documents import Documents
from dedupe.spark.job import Job
from dedupe.spark.linkage import PAIRS, linked
from dedupe.spark.shingles import DEALT, KNOWN, Deal, Entries, dealt, dealt_rows

__all__ = ["Learned", "learn"]

ROWS = "a long, b long, is_link boolean, row binary"

FIRST = (
    "block long, left binary, right binary, strict binary, score binary, may_score binary, "
    "is_long binary, together binary"
)
"""What is known of the pairs of a block, with the documents of each."""

NUMBERS = ("left", "right")
"""The columns of those documents, which the block itself knows."""


class Learned(NamedTuple):
    """What is known once all rounds are over.

    Attributes
    ----------
    rows : DataFrame
        a, b, is_link, row: pairs that score, as `dedupe.scoring.passes.ROW` in bytes.
    stories : DataFrame
        doc, story, in_form: of each document whose story is another's.
    weights : DataFrame
        doc, shingles, counts: the boilerplate in each document that holds some.
    boilerplate : Entries
        All that is boilerplate.
    """

    rows: DataFrame
    stories: DataFrame
    weights: DataFrame
    boilerplate: Entries


class _Judged(NamedTuple):
    """Blocks, and what they know of their pairs; see FIRST."""

    blocks: Blocks
    state: DataFrame


class _Known(NamedTuple):
    """What is boilerplate whatever is counted: as it was dealt, and as it is looked up."""

    rows: DataFrame
    entries: Entries


class _Lesson(NamedTuple):
    """What was learned from some pairs.

    Attributes
    ----------
    boilerplate, before : Entries
        What is known, and what was known in the round before.
    stories : DataFrame
        See `Learned`.
    state : DataFrame
        What blocks know of their pairs after the last round; see FIRST.
    is_settled : bool
        Whether the scores there are those by what is known.
    """

    boilerplate: Entries
    before: Entries
    stories: DataFrame
    state: DataFrame
    is_settled: bool


class _Collection(NamedTuple):
    """What all rounds learn from.

    Attributes
    ----------
    job : Job
    documents : Documents
    blocks : Blocks
    copies : DataFrame
        doc: documents so like another one that they cannot be two reports of a form.
    known : DataFrame
        What is boilerplate whatever is counted, as it was dealt.
    """

    job: Job
    documents: Documents
    blocks: Blocks
    copies: DataFrame
    known: DataFrame


def learn(
    job: Job, documents: Documents, pairs: DataFrame, boilerplate: Sealed = NOTHING
) -> Learned:
    """Learn from candidate pairs, and score them by what was learned.

    A new document is scored beside old ones by what those alone teach, so that its answer is
    the same whatever else is asked about with it. `boilerplate` is what is known to be some.
    """
    job.tell("hashing")
    blocks = pair_blocks(job, documents.texts, pairs)
    job.tell("boilerplate")
    known = _known(job, boilerplate)
    judged = _judged(job, blocks, known)
    beside_old, lesson = None, None
    if documents.has_old:
        beside_old, lesson = _beside_old(job, documents, pairs, judged, known)
    if lesson is not None:
        found = beside_old
    else:
        lesson = _learned(job, documents, judged, known)
        job.tell("scoring")
        rule_ = partial(_finished, job.settings.threshold, lesson.is_settled)
        weights = {"boilerplate": lesson.boilerplate, "before": lesson.before}
        found = _scored_by(job, blocks, rule_, lesson, state=lesson.state, known=weights)
        found = found if beside_old is None else found.union(beside_old)
    weights = blocks.over(
        job,
        _weights,
        "doc long, shingles binary, counts binary",
        known={"boilerplate": lesson.boilerplate},
    )
    return Learned(found, lesson.stories, weights, lesson.boilerplate)


def _beside_old(
    job: Job, documents: Documents, pairs: DataFrame, judged: _Judged, known: _Known
) -> "tuple[DataFrame | None, _Lesson | None]":
    """Score each new document with the old ones, by what the old ones alone teach.

    The lesson is returned where nothing more is to be learned: no two new documents are a pair.
    """
    blocks, state = judged.blocks, judged.state.drop(*NUMBERS)
    counts = job.keep(blocks.over(job, _kinds, "n_mixed long, n_new long", state=state))
    n_mixed, n_new = counts.agg(F.sum("n_mixed"), F.sum("n_new")).first() or (0, 0)
    if not n_mixed:
        return None, None
    old = documents.sketches.where("is_old").select("doc")
    taught = pairs
    for side in "ab":
        taught = taught.join(old.withColumnRenamed("doc", side), side, "left_semi")
    old_blocks = pair_blocks(job, documents.texts, job.keep(taught))
    job.tell("learning from old documents")
    lesson = _learned(job, documents, _judged(job, old_blocks, known), known)
    rule_ = partial(_mixed, job.settings.threshold)
    weights = {"boilerplate": lesson.boilerplate}
    rows = job.keep(_scored_by(job, blocks, rule_, lesson, state=state, known=weights))
    return rows, None if n_new else lesson


def _scored_by(
    job: Job, blocks: Blocks, rule_: Callable[[Held], pa.RecordBatch], lesson: _Lesson, **more: Any
) -> DataFrame:
    """Return the rows of pairs that score by what was learned."""
    return blocks.over(job, rule_, ROWS, stories=lesson.stories, **more)


def _known(job: Job, boilerplate: Sealed) -> _Known:
    """Return shingles that are boilerplate whatever is counted."""
    shingles = distinct(boilerplate.hashes).view(np.int64)
    if not shingles.size:
        return _Known(job.empty(DEALT), Entries.none(job))
    # Of a list another Python would make the rows.
    frame = job.session.createDataFrame(pa.table({"shingle": shingles}))
    rows = dealt_rows(job, frame, KNOWN)
    return _Known(rows, Entries.counted(job, rows))


def _judged(job: Job, blocks: Blocks, known: _Known) -> _Judged:
    """Return blocks with what the first pass says of their pairs."""
    judged = blocks.over(job, _first, FIRST, known={"known": known.entries})
    return _Judged(blocks, job.keep(judged))


def _learned(job: Job, documents: Documents, judged: _Judged, known: _Known) -> _Lesson:
    """Learn in rounds from all pairs of some blocks."""
    blocks, state = judged.blocks, judged.state.drop(*NUMBERS)
    strict = job.keep(_pairs(judged.state, "strict", rule.STRICT_CONTAINMENT))
    collection = _Collection(job, documents, blocks, _copies(job, strict), known.rows)
    joined = linked(job, strict, rule.STRICT_CONTAINMENT, blocks.n_items)
    boilerplate, watched = known.entries, Entries.none(job)
    texts = job.empty("shingle long")
    is_settled = False
    for stage in (*ROUNDS, LAST):
        job.tell(stage)
        stories, more = _part_forms(collection, joined)
        texts = job.keep(texts.union(more).distinct())
        before = boilerplate
        watched = _watched(collection, state, stories, watched)
        boilerplate = _counted(collection, stories, watched, before, texts)
        if stage == LAST:
            break
        entries = {"boilerplate": boilerplate, "before": before}
        rescored = job.keep(
            blocks.over(job, _rescored, FIRST, stories=stories, state=state, known=entries)
        )
        were_joined = joined
        scored = _pairs(rescored, "score", rule.LEARNED_SCORE)
        joined = linked(job, scored, rule.LEARNED_SCORE, blocks.n_items)
        state = rescored.drop(*NUMBERS)
        is_settled = _are_same(joined, were_joined)
        if is_settled:
            # Another round would learn the same.
            break
    return _Lesson(boilerplate, before, stories, state, is_settled)


def _copies(job: Job, strict: DataFrame) -> DataFrame:
    """Return all but one of documents too alike to be two reports of a form."""
    is_alike = F.col("score") > np.float32(1 - forms.OWN_OF_FRAME).item()
    alike = components(job, strict.where(is_alike))
    return job.keep(alike.where("doc != least").select("doc"))


def _are_same(joined: DataFrame, before: DataFrame) -> bool:
    """Return whether two frames say the same of the stories of all documents."""
    one, other = (frame.where("doc != story").select("doc", "story") for frame in (joined, before))
    both = one.join(other.withColumnRenamed("story", "before"), "doc", "full")
    return bool(both.where("not (story <=> before)").isEmpty())


def _first(held: Held) -> pa.RecordBatch:
    """Return what the first pass says of the pairs of a block."""
    block, (shingles, counts) = held.block, held.known["known"]
    if shingles.size:
        # As far as is known, all documents may be one story.
        one_story = np.zeros(held.numbers.size, np.int64)
        block = block.weighed(boilerplate_of(shingles, counts), one_story)
    return _state(held, passes.first(block, held.items), np.ones(len(held.items), np.bool_))


def _state(held: Held, first: passes.First, together: Bools) -> pa.RecordBatch:
    """Return what is known of pairs as a row."""
    left, right = held.numbers[held.items].T
    columns = {"left": left, "right": right, **first._asdict(), "together": together}
    data = {name: pa.array([column.tobytes()], pa.binary()) for name, column in columns.items()}
    return batch(block=[held.number], **data)


def _known_first(held: Held) -> passes.First:
    """Return what a round has left of the first pass, its scores those of that round."""
    return passes.First(
        bytes_of(held.state["strict"], np.float32),
        bytes_of(held.state["score"], np.float32),
        bytes_of(held.state["may_score"], np.bool_),
        bytes_of(held.state["is_long"], np.bool_),
    )


def _pairs(state: DataFrame, name: str, threshold: float) -> DataFrame:
    """Return all pairs with one of their scores. Blocks themselves stay where they are."""
    told = state.select("left", "right", name)
    return told.mapInArrow(partial(_scored, threshold), PAIRS)


def _scored(threshold: float, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of blocks with their scores."""
    for some in batches:
        for left, right, score in zip(*(one.to_pylist() for one in some.columns), strict=True):
            scores = bytes_of(score, np.float32)
            a, b = (bytes_of(side, np.int64) for side in (left, right))
            yield batch(a=a, b=b, score=scores, is_link=scores >= threshold)


def _part_forms(collection: _Collection, joined: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Take apart the clusters that are forms; see `dedupe.learning.part_forms`."""
    job, blocks = collection.job, collection.blocks
    found = _forms_of(collection, joined)
    texts = found.where("shingle is not null").select("shingle").distinct()
    documents = found.where("doc is not null").select("doc")
    if documents.isEmpty():
        plain = joined.select("doc", "story", F.lit(False).alias("in_form"))
        return plain.where("doc != story"), texts
    of_forms = documents.join(joined, "doc").select("story").distinct()
    told = job.keep(
        joined.join(of_forms.withColumn("found", F.lit(True)), "story", "left").select(
            "doc", "story", F.coalesce("found", F.lit(False)).alias("in_form")
        )
    )
    inside = blocks.over(
        job,
        _fillings,
        "a long, b long, score double, is_link boolean",
        stories=told.where("in_form or doc != story"),
        known={
            "texts": Entries.distinct(job, dealt_rows(job, texts).union(collection.known)),
        },
    )
    # Blocks are gone through where they are, however few pairs there are.
    apart = linked(job, job.keep(inside), forms.FILLING_SHARE, blocks.n_items)
    of_stories = told.where("not in_form and doc != story")
    of_parts = apart.where("doc != story").select("doc", "story", F.lit(False).alias("in_form"))
    return job.keep(of_stories.union(of_parts)), texts


def _forms_of(collection: _Collection, joined: DataFrame) -> DataFrame:
    """Return a document of each form, and the shingles that forms have in common.

    A sample of each story goes to one task. What is returned is kept.
    """
    job, documents = collection.job, collection.documents
    known = joined.join(collection.copies, "doc", "left_anti").join(
        documents.sketches.select("doc", "content"), "doc"
    )
    of_story = Window.partitionBy("story")
    drawn = (
        known.withColumn("n", F.count("*").over(of_story))
        .where(F.col("n") >= forms.MIN_DOCUMENTS)
        .withColumn("nth", F.row_number().over(of_story.orderBy("content", "doc")))
        .where(F.col("nth") <= forms.SAMPLE)
        .withColumn("a", F.min("doc").over(of_story))
        .select(
            F.pmod(F.xxhash64("a"), F.lit(job.partitions * 8)).alias("block"),
            "a",
            F.col("doc").alias("b"),
        )
    )
    drawn = job.keep(drawn)
    if drawn.isEmpty():
        return job.empty("doc long, shingle long")
    samples = Blocks.of(job, documents.texts, drawn.select("block", F.col("b").alias("doc")), drawn)
    found = job.keep(samples.over(job, _forms, "doc long, shingle long"))
    samples.let_go(job)
    return found


def _forms(held: Held) -> pa.RecordBatch:
    """Return what forms there are among the samples of a block."""
    order = np.lexsort((held.block.contents[held.items[:, 1]], held.items[:, 0]))
    labels, chosen = held.items[order].T
    bounds = np.append(np.flatnonzero(np.diff(labels, prepend=-1)), labels.size)
    samples = forms.Samples(chosen, bounds)
    found = [forms.Forms.none(), *(forms.find(held.block, part) for part in samples.in_parts())]
    documents = held.numbers[np.concatenate([form.documents for form in found])]
    texts = distinct(np.concatenate([form.texts for form in found])).view(np.int64)
    blank = [None]
    return batch(
        doc=pa.array([*documents.tolist(), *blank * texts.size], pa.int64()),
        shingle=pa.array([*blank * documents.size, *texts.tolist()], pa.int64()),
    )


def _fillings(held: Held) -> pa.RecordBatch:
    """Return how much of what stands in slots the pairs within forms share."""
    left, right = held.items.T
    is_inside = held.in_form[left] & (held.stories[left] == held.stories[right])
    inside = held.items[is_inside]
    shares = np.empty(0)
    if len(inside):
        shares = forms.fillings_shared(held.block, inside, held.known["texts"][0])
    a, b = held.numbers[inside].T
    return batch(a=a, b=b, score=shares, is_link=shares >= forms.FILLING_SHARE)


def _watched(
    collection: _Collection, state: DataFrame, stories: DataFrame, before: Entries
) -> Entries:
    """Return the shingles that are counted: those of rounds before, and those shared now."""
    job = collection.job
    rule_ = partial(_shared_anew, dealt(job))
    shared = job.keep(collection.blocks.over(job, rule_, DEALT, stories=stories, state=state))
    if before.frame is None:
        return Entries.distinct(job, shared)
    # Few pairs come apart after the first round, as a rule none.
    return before if shared.isEmpty() else Entries.distinct(job, before.dealt().union(shared))


def _counted(
    collection: _Collection, stories: DataFrame, watched: Entries, before: Entries, texts: DataFrame
) -> Entries:
    """Return in how many stories each of those shingles stands, if in two."""
    job = collection.job
    held = collection.blocks.over(
        job,
        partial(_of_stories, dealt(job)),
        DEALT,
        stories=stories,
        known={"watched": watched, "before": before},
    )
    of_forms = dealt_rows(job, texts)
    return Entries.counted(job, held.union(of_forms).union(collection.known))


def _shared_anew(deal: Deal, held: Held) -> pa.RecordBatch:
    """Return the shingles that pairs share whose documents are two stories since this round."""
    left, right = held.items.T
    was_together = bytes_of(held.state["together"], np.bool_)
    is_apart = was_together & (held.stories[left] != held.stories[right])
    apart = held.items[_known_first(held).is_long & is_apart]
    shingles = np.empty(0, np.uint64)
    if len(apart):
        shingles = distinct(passes.shared(held.block, apart).hashes)
    return deal(shingles)


def _of_stories(deal: Deal, held: Held) -> pa.RecordBatch:
    """Return watched shingles with the stories that hold them, of the documents owned here."""
    watched = boilerplate_of(*held.known["watched"])
    words = held.weighed("before").words
    clusters = np.where(held.owned, held.stories, -1)
    shingles, stories = watched.counted(words, clusters)
    return deal(shingles, stories)


def _stale(held: Held) -> tuple[Block, passes.First, Bools, Bools]:
    """Weigh a block; return it, its pairs, which are together, and which score otherwise now."""
    first = _known_first(held)
    before, block = held.weighed("before"), held.weighed("boilerplate")
    left, right = held.items.T
    was_together = bytes_of(held.state["together"], np.bool_)
    together = held.stories[left] == held.stories[right]
    has_changed = block.weighs_otherwise(before)[held.items].any(axis=1)
    is_weighed = (block.totals() < block.n_words)[held.items].all(axis=1)
    is_stale = first.may_score & (has_changed | ((together != was_together) & is_weighed))
    return block, first, together, is_stale


def _rescored(held: Held) -> pa.RecordBatch:
    """Return what is known of pairs after a round."""
    block, first, together, is_stale = _stale(held)
    (first.score[is_stale],) = passes.again(block, held.items[is_stale])
    return _state(held, first, together)


def _finished(threshold: float, is_settled: bool, held: Held) -> pa.RecordBatch:
    """Return the rows of the pairs that score by what was learned."""
    if is_settled:
        block, first = held.weighed("boilerplate"), _known_first(held)
        may_score = first.score >= SCORE_FLOOR
    else:
        block, first, _, is_stale = _stale(held)
        may_score = is_stale | (first.score >= SCORE_FLOOR)
    return _rows(held, block, may_score & (held.n_old == 0), threshold)


def _kinds(held: Held) -> pa.RecordBatch:
    """Return how many pairs of a new and an old document may score, and how many are new."""
    n_mixed = np.count_nonzero(_known_first(held).may_score & (held.n_old == 1))
    return batch(n_mixed=[n_mixed], n_new=[np.count_nonzero(held.n_old == 0)])


def _mixed(threshold: float, held: Held) -> pa.RecordBatch:
    """Return the rows of the pairs of a new and an old document, by what the old ones teach."""
    chosen = _known_first(held).may_score & (held.n_old == 1)
    return _rows(held, held.weighed("boilerplate"), chosen, threshold)


def _rows(held: Held, block: Block, chosen: Bools, threshold: float) -> pa.RecordBatch:
    """Return the rows of the chosen pairs that score."""
    (rows,) = passes.second(block, held.items[chosen])
    numbers = held.numbers[passes.pairs_in(rows)]
    return batch(
        a=numbers[:, 0],
        b=numbers[:, 1],
        is_link=rows["score"] >= threshold,
        row=pa.array([row.tobytes() for row in rows], pa.binary()),
    )


def _weights(held: Held) -> pa.RecordBatch:
    """Return the boilerplate in each document that is owned here and holds some."""
    shingles, counts = held.known["boilerplate"]
    order = np.argsort(shingles)
    shingles, counts = shingles[order], counts[order]
    documents, found, numbers = [], [], []
    for place in np.flatnonzero(held.owned).tolist() if shingles.size else ():
        start, end = held.block.shingle_offsets[place : place + 2]
        own: Hashes = distinct(held.block.shingles[start:end])
        at = np.minimum(np.searchsorted(shingles, own), shingles.size - 1)
        at = at[shingles[at] == own]
        if at.size:
            documents.append(int(held.numbers[place]))
            found.append(shingles[at].tobytes())
            numbers.append(counts[at].astype(np.int64).tobytes())
    return batch(
        doc=pa.array(documents, pa.int64()),
        shingles=pa.array(found, pa.binary()),
        counts=pa.array(numbers, pa.binary()),
    )

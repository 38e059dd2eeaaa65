"""Learns what is boilerplate and what is one story: `dedupe.learning` over many machines.

The rounds are the same. Blocks score their pairs, components of pairs become stories, and
what shingles different stories share is counted as the number of distinct stories of each.
What a block is asked in them stands in `dedupe.spark.judgement`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import distinct
from dedupe.learning import LAST, ROUNDS
from dedupe.scoring import forms, rule
from dedupe.scoring.boilerplate import NOTHING
from dedupe.shingling import Sealed
from dedupe.spark import judgement
from dedupe.spark.blocks import Blocks, Held, pair_blocks
from dedupe.spark.components import components
from dedupe.spark.documents import Documents
from dedupe.spark.job import Job
from dedupe.spark.linkage import PAIRS, linked
from dedupe.spark.shingles import DEALT, KNOWN, Entries, dealt, dealt_rows
from dedupe.spark.workers import mapped

__all__ = ["Learned", "learn"]

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
    """Blocks, and what they know of their pairs; see `judgement.FIRST`."""

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
        What blocks know of their pairs after the last round; see `judgement.FIRST`.
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
    blocks = pair_blocks(job, documents, pairs)
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
        rule_ = partial(judgement.finished, job.settings.threshold, lesson.is_settled)
        weights = {"boilerplate": lesson.boilerplate, "before": lesson.before}
        found = _scored_by(job, blocks, rule_, lesson, state=lesson.state, known=weights)
        found = found if beside_old is None else found.union(beside_old)
    weights = blocks.over(
        job,
        judgement.weights,
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
    counts = job.keep(blocks.over(job, judgement.kinds, "n_mixed long, n_new long", state=state))
    n_mixed, n_new = counts.agg(F.sum("n_mixed"), F.sum("n_new")).first() or (0, 0)
    if not n_mixed:
        return None, None
    old = documents.sketches.where("is_old").select("doc")
    taught = pairs
    for side in "ab":
        taught = taught.join(old.withColumnRenamed("doc", side), side, "left_semi")
    old_blocks = pair_blocks(job, documents, job.keep(taught))
    job.tell("learning from old documents")
    lesson = _learned(job, documents, _judged(job, old_blocks, known), known)
    rule_ = partial(judgement.mixed, job.settings.threshold)
    weights = {"boilerplate": lesson.boilerplate}
    rows = job.keep(_scored_by(job, blocks, rule_, lesson, state=state, known=weights))
    return rows, None if n_new else lesson


def _scored_by(
    job: Job, blocks: Blocks, rule_: Callable[[Held], pa.RecordBatch], lesson: _Lesson, **more: Any
) -> DataFrame:
    """Return the rows of pairs that score by what was learned."""
    return blocks.over(job, rule_, judgement.ROWS, stories=lesson.stories, **more)


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
    judged = blocks.over(job, judgement.first, judgement.FIRST, known={"known": known.entries})
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
            blocks.over(
                job,
                judgement.rescored,
                judgement.FIRST,
                stories=stories,
                state=state,
                known=entries,
            )
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


def _pairs(state: DataFrame, name: str, threshold: float) -> DataFrame:
    """Return all pairs with one of their scores. Blocks themselves stay where they are."""
    told = state.select("left", "right", name)
    return mapped(told, partial(judgement.scored, threshold), PAIRS)


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
        judgement.fillings,
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
    samples = Blocks.of(job, documents, drawn.select("block", F.col("b").alias("doc")), drawn)
    found = job.keep(samples.over(job, judgement.forms_in, "doc long, shingle long"))
    samples.let_go(job)
    return found


def _watched(
    collection: _Collection, state: DataFrame, stories: DataFrame, before: Entries
) -> Entries:
    """Return the shingles that are counted: those of rounds before, and those shared now."""
    job = collection.job
    rule_ = partial(judgement.shared_anew, dealt(job))
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
        partial(judgement.of_stories, dealt(job)),
        DEALT,
        stories=stories,
        known={"watched": watched, "before": before},
    )
    of_forms = dealt_rows(job, texts)
    return Entries.counted(job, held.union(of_forms).union(collection.known))

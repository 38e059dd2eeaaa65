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
from dedupe.kernels.boilerplate import MAX_COUNT, OF_FORM
from dedupe.learning import LAST, ROUNDS
from dedupe.scoring import forms, rule
from dedupe.scoring.boilerplate import NOTHING
from dedupe.shingling import Sealed
from dedupe.spark import judgement
from dedupe.spark.blocks import Blocks, Held, Judge, pair_blocks
from dedupe.spark.components import components
from dedupe.spark.documents import Documents
from dedupe.spark.job import Job
from dedupe.spark.linkage import PAIRS, Stories, linked
from dedupe.spark.shingles import COUNTS, DEALT, KNOWN, Entries, dealt, dealt_rows

__all__ = ["Learned", "learn"]


class Learned(NamedTuple):
    """What is known once all rounds are over.

    Attributes
    ----------
    rows : DataFrame
        a, b, is_link, row: pairs that score, as `dedupe.scoring.passes.ROW` in bytes.
    stories : Stories
    weights : DataFrame
        doc, shingles, counts: the boilerplate in each document that holds some.
    boilerplate : Entries
        All that is boilerplate.
    """

    rows: DataFrame
    stories: Stories
    weights: DataFrame
    boilerplate: Entries


class _Judged(NamedTuple):
    """Blocks, and what they know of their pairs; see `judgement.FIRST`."""

    blocks: Blocks
    state: DataFrame


class _Known(NamedTuple):
    """What is boilerplate whatever is counted: as it was dealt, as it is looked up, and as sent."""

    rows: DataFrame
    entries: Entries
    sent: Any


class _Watched(NamedTuple):
    """What is watched for.

    Attributes
    ----------
    entries : Entries
    frame : DataFrame or None
        Where blocks hold it, as `judgement.HELD` has it; None as long as nothing is.
    """

    entries: Entries
    frame: "DataFrame | None"


class _Lesson(NamedTuple):
    """What was learned from some pairs.

    Attributes
    ----------
    boilerplate, before : Entries
        What is known, and what was known in the round before.
    stories : Stories
    watched : _Watched
    state : DataFrame
        What blocks know of their pairs after the last round; see `judgement.FIRST`.
    is_settled : bool
        Whether the scores there are those by what is known.
    """

    boilerplate: Entries
    before: Entries
    stories: Stories
    watched: _Watched
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
    known : _Known
    """

    job: Job
    documents: Documents
    blocks: Blocks
    copies: DataFrame
    known: _Known


def learn(
    job: Job, documents: Documents, pairs: DataFrame, boilerplate: Sealed = NOTHING
) -> Learned:
    """Learn from candidate pairs, and score them by what was learned.

    A new document is scored beside old ones by what those alone teach, so that its answer is
    the same whatever else is asked about with it. `boilerplate` is what is known to be some.
    """
    job.tell("hashing")
    known = _known(job, boilerplate)
    judged = _judged(job, documents, pairs, known)
    blocks = judged.blocks
    beside_old, lesson = None, None
    if documents.has_old:
        beside_old, lesson = _beside_old(job, documents, pairs, judged, known)
    if lesson is not None:
        found, watched = beside_old, _holding(job, blocks, lesson.boilerplate)
    else:
        lesson = _learned(job, documents, judged, known)
        job.tell("scoring")
        rule_ = partial(judgement.finished, job.settings.threshold, lesson.is_settled)
        weights = {"boilerplate": lesson.boilerplate, "before": lesson.before}
        found = _scored_by(job, blocks, rule_, lesson, state=lesson.state, known=weights)
        found = found if beside_old is None else found.union(beside_old)
        watched = lesson.watched
    schema = "doc long, shingles binary, counts binary"
    weights = job.empty(schema)
    if watched.frame is not None:
        told = {"boilerplate": lesson.boilerplate}
        weights = blocks.over(job, judgement.weights, schema, of=watched.frame, known=told)
    return Learned(found, lesson.stories, weights, lesson.boilerplate)


def _beside_old(
    job: Job, documents: Documents, pairs: DataFrame, judged: _Judged, known: _Known
) -> "tuple[DataFrame | None, _Lesson | None]":
    """Score each new document with the old ones, by what the old ones alone teach.

    The lesson is returned where nothing more is to be learned: no two new documents are a pair.
    """
    blocks, state = judged
    counts = job.keep(blocks.over(job, judgement.kinds, "n_mixed long, n_new long", of=state))
    n_mixed, n_new = counts.agg(F.sum("n_mixed"), F.sum("n_new")).first() or (0, 0)
    if not n_mixed:
        return None, None
    old = documents.sketches.where("is_old").select("doc")
    taught = pairs
    for side in "ab":
        taught = taught.join(old.withColumnRenamed("doc", side), side, "left_semi")
    of_old = _judged(job, documents, job.keep(taught), known)
    job.tell("learning from old documents")
    lesson = _learned(job, documents, of_old, known)
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
    shingles = distinct(boilerplate.hashes)
    sent = job.send((shingles, np.full(shingles.size, MAX_COUNT + OF_FORM, COUNTS)))
    if not shingles.size:
        return _Known(job.empty(DEALT), Entries.none(job), sent)
    # Of a list another Python would make the rows.
    frame = job.session.createDataFrame(pa.table({"shingle": shingles.view(np.int64)}))
    rows = dealt_rows(job, frame, KNOWN)
    return _Known(rows, Entries.counted(job, rows), sent)


def _judged(job: Job, documents: Documents, pairs: DataFrame, known: _Known) -> _Judged:
    """Return blocks of pairs with what the first pass says of them."""
    judge = Judge(judgement.first, judgement.STATE, {"known": known.sent})
    blocks = pair_blocks(job, documents, pairs, judge)
    return _Judged(blocks, blocks.said(job))


def _learned(job: Job, documents: Documents, judged: _Judged, known: _Known) -> _Lesson:
    """Learn in rounds from all pairs of some blocks."""
    blocks, state = judged
    strict = job.keep(_pairs(job, judged, "strict", rule.STRICT_CONTAINMENT))
    collection = _Collection(job, documents, blocks, _copies(job, strict), known)
    joined = linked(job, strict, rule.STRICT_CONTAINMENT, blocks.n_items)
    plain = _plain(job, joined)
    boilerplate, watched = known.entries, _Watched(known.entries, None)
    texts = job.empty("shingle long")
    is_settled = False
    for stage in (*ROUNDS, LAST):
        job.tell(stage)
        stories, more = _part_forms(collection, joined, plain)
        texts = job.keep(texts.union(more).distinct())
        before = boilerplate
        watched = _watched(collection, state, stories, watched)
        boilerplate = _counted(collection, state, stories, watched, texts)
        if stage == LAST:
            break
        rescored = blocks.over(
            job,
            judgement.rescored,
            judgement.FIRST,
            stories=stories,
            state=state,
            known={"boilerplate": boilerplate, "before": before},
        )
        state, were_plain = job.keep_cut(rescored, "block", is_sorted=True), plain
        scored = _pairs(job, _Judged(blocks, state), "score", rule.LEARNED_SCORE)
        joined = linked(job, scored, rule.LEARNED_SCORE, blocks.n_items)
        plain = _plain(job, joined)
        is_settled = plain.are(were_plain)
        if is_settled:
            # Another round would learn the same.
            break
    return _Lesson(boilerplate, before, stories, watched, state, is_settled)


def _plain(job: Job, joined: DataFrame) -> Stories:
    """Return stories none of which is a form."""
    return Stories.of(job, joined.where("doc != story").withColumn("in_form", F.lit(False)))


def _copies(job: Job, strict: DataFrame) -> DataFrame:
    """Return all but one of documents too alike to be two reports of a form."""
    is_alike = F.col("score") > np.float32(1 - forms.OWN_OF_FRAME).item()
    alike = components(job, strict.where(is_alike))
    return job.keep(alike.where("doc != least").select("doc"))


def _pairs(job: Job, judged: _Judged, name: str, threshold: float) -> DataFrame:
    """Return all pairs with one of their scores. Blocks themselves stay where they are."""
    told = judged.state.select("block", "part", "numbers", "left", "right", f"state_{name}")
    return judged.blocks.over(job, partial(judgement.scored, name, threshold), PAIRS, of=told)


def _part_forms(
    collection: _Collection, joined: DataFrame, plain: Stories
) -> tuple[Stories, DataFrame]:
    """Take apart the clusters that are forms; see `dedupe.learning.part_forms`.

    What is joined is also given as the stories that there are if none of them is a form.
    """
    job, blocks = collection.job, collection.blocks
    found = _forms_of(collection, joined)
    texts = found.where("shingle is not null").select("shingle").distinct()
    documents = found.where("doc is not null").select("doc")
    if documents.isEmpty():
        return plain, texts
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
        stories=Stories.of(job, told.where("in_form or doc != story")),
        known={
            "texts": Entries.distinct(job, dealt_rows(job, texts).union(collection.known.rows)),
        },
    )
    # Blocks are gone through where they are, however few pairs there are.
    apart = linked(job, job.keep(inside), forms.FILLING_SHARE, blocks.n_items)
    of_stories = told.where("not in_form and doc != story")
    of_parts = apart.where("doc != story").select("doc", "story", F.lit(False).alias("in_form"))
    return Stories.of(job, of_stories.union(of_parts)), texts


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
    collection: _Collection, state: DataFrame, stories: Stories, before: _Watched
) -> _Watched:
    """Return what is watched for: what was in rounds before, and what is shared now."""
    job, blocks = collection.job, collection.blocks
    told = blocks.over(job, judgement.with_apart, "block long", of=state, stories=stories)
    apart = job.keep_cut(told, "block", is_sorted=True)
    if apart.isEmpty():
        # Few pairs come apart after the first round, as a rule none.
        return before if before.frame is not None else _holding(job, blocks, before.entries)
    shared = job.keep(
        blocks.over(
            job,
            partial(judgement.shared_anew, dealt(job)),
            DEALT,
            of=blocks.frame.join(apart.hint("merge"), "block", "left_semi"),
            stories=stories,
            state=state,
        )
    )
    if before.entries.frame is not None:
        shared = shared.union(before.entries.dealt())
    entries = Entries.distinct(job, shared)
    if before.frame is not None and entries.n == before.entries.n:
        return before
    return _holding(job, blocks, entries)


def _holding(job: Job, blocks: Blocks, entries: Entries) -> _Watched:
    """Return what is watched for, with where blocks hold it."""
    if not entries.n:
        return _Watched(entries, None)
    found = blocks.over(job, judgement.watched, judgement.HELD, known={"watched": entries})
    return _Watched(entries, job.keep_cut(found, "block", is_sorted=True))


def _counted(
    collection: _Collection,
    state: DataFrame,
    stories: Stories,
    watched: _Watched,
    texts: DataFrame,
) -> Entries:
    """Return in how many stories each of those shingles stands, if in two."""
    job = collection.job
    counted = dealt_rows(job, texts).union(collection.known.rows)
    if watched.frame is not None:
        told = state.select("block", "state_told")
        rule_ = partial(judgement.of_stories, dealt(job))
        held = collection.blocks.over(
            job, rule_, DEALT, of=watched.frame, stories=stories, state=told
        )
        counted = held.union(counted)
    return Entries.counted(job, counted)

"""Learns what is boilerplate and what is one story: `dedupe.learning` over many machines.

The rounds are the same. Blocks score their pairs, components of pairs become stories, and
what shingles different stories share is counted as the number of distinct stories of each.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from dedupe.arrays import Bools, Hashes, distinct
from dedupe.kernels.boilerplate import MAX_COUNT, OF_FORM
from dedupe.learning import LAST, ROUNDS
from dedupe.scoring import forms, passes, rule
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import NOTHING
from dedupe.settings import SCORE_FLOOR
from dedupe.shingling import Sealed
from dedupe.spark.blocks import Blocks, Held, boilerplate_of, pair_blocks
from dedupe.spark.columns import batch
from dedupe.spark.components import components
from dedupe.spark.documents import Documents
from dedupe.spark.job import Job
from dedupe.spark.linkage import PAIRS, linked
from dedupe.spark.shingles import Entries

__all__ = ["Learned", "learn"]

ROWS = "a long, b long, is_link boolean, row binary"

FIRST = "block long, strict binary, score binary, may_score binary, is_long binary, together binary"


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
    known : Entries
        What is boilerplate whatever is counted.
    """

    job: Job
    documents: Documents
    blocks: Blocks
    copies: DataFrame
    known: Entries


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
    job: Job, documents: Documents, pairs: DataFrame, judged: _Judged, known: Entries
) -> tuple[DataFrame | None, _Lesson | None]:
    """Score each new document with the old ones, by what the old ones alone teach.

    The lesson is returned where nothing more is to be learned: no two new documents are a pair.
    """
    blocks, state = judged
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


def _known(job: Job, boilerplate: Sealed) -> Entries:
    """Return shingles that are boilerplate whatever is counted, with the count that makes them."""
    shingles = distinct(boilerplate.hashes).view(np.int64).tolist()
    rows = [(shingle, MAX_COUNT | OF_FORM) for shingle in shingles]
    return Entries.of(job, job.session.createDataFrame(rows, "shingle long, n long"))


def _judged(job: Job, blocks: Blocks, known: Entries) -> _Judged:
    """Return blocks with what the first pass says of their pairs."""
    return _Judged(blocks, job.keep(blocks.over(job, _first, FIRST, known={"known": known})))


def _learned(job: Job, documents: Documents, judged: _Judged, known: Entries) -> _Lesson:
    """Learn in rounds from all pairs of some blocks."""
    blocks, state = judged
    strict = job.keep(
        blocks.over(job, partial(_scored, "strict", rule.STRICT_CONTAINMENT), PAIRS, state=state)
    )
    alike = components(
        job, strict.where(F.col("score") > np.float32(1 - forms.OWN_OF_FRAME).item())
    )
    copies = job.keep(alike.where("doc != least").select("doc"))
    collection = _Collection(job, documents, blocks, copies, known)
    joined = linked(job, strict, rule.STRICT_CONTAINMENT)
    boilerplate = known
    texts = job.session.createDataFrame([], "shingle long, n long")
    for stage in (*ROUNDS, LAST):
        job.tell(stage)
        stories, more = _part_forms(collection, joined)
        texts = job.keep(texts.union(more).distinct())
        before = boilerplate
        boilerplate = _counted(collection, state, stories, before, texts)
        if stage == LAST:
            is_settled = False
            break
        rescored = job.keep(
            blocks.over(
                job,
                _rescored,
                FIRST,
                stories=stories,
                state=state,
                known={"boilerplate": boilerplate, "before": before},
            )
        )
        were_joined, joined = (
            joined,
            linked(
                job,
                blocks.over(
                    job, partial(_scored, "score", rule.LEARNED_SCORE), PAIRS, state=rescored
                ),
                rule.LEARNED_SCORE,
            ),
        )
        state = rescored
        if _are_same(joined, were_joined):
            # Another round would learn the same.
            is_settled = True
            break
    return _Lesson(boilerplate, before, stories, state, is_settled)


def _are_same(joined: DataFrame, before: DataFrame) -> bool:
    """Return whether two frames say the same of the stories of all documents."""
    changed = [frame.where("doc != story").select("doc", "story") for frame in (joined, before)]
    one, other = changed
    differing = one.exceptAll(other).union(other.exceptAll(one))
    return bool(differing.isEmpty())


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
    columns = {**first._asdict(), "together": together}
    data = {name: pa.array([column.tobytes()], pa.binary()) for name, column in columns.items()}
    return batch(block=[held.number], **data)


def _known_first(held: Held) -> passes.First:
    """Return what a round has left of the first pass, its scores those of that round."""
    return passes.First(
        np.frombuffer(held.state["strict"], np.float32),
        np.frombuffer(held.state["score"], np.float32).copy(),
        np.frombuffer(held.state["may_score"], np.bool_),
        np.frombuffer(held.state["is_long"], np.bool_),
    )


def _scored(name: str, threshold: float, held: Held) -> pa.RecordBatch:
    """Return pairs with one of their scores."""
    scores = getattr(_known_first(held), name)
    left, right = held.numbers[held.items].T
    return batch(a=left, b=right, score=scores, is_link=scores >= threshold)


def _part_forms(collection: _Collection, joined: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Take apart the clusters that are forms; see `dedupe.learning.part_forms`."""
    job, blocks = collection.job, collection.blocks
    found = job.keep(_forms_of(collection, joined))
    plain = joined.select("doc", "story", F.lit(False).alias("in_form"))
    texts = found.where("shingle is not null").select(
        "shingle", F.lit(MAX_COUNT).cast("long").alias("n")
    )
    texts = job.keep(texts.distinct())
    of_forms = (
        found.where("doc is not null").select("doc").join(joined, "doc").select("story").distinct()
    )
    of_forms = job.keep(of_forms)
    if of_forms.isEmpty():
        return job.keep(plain.where("doc != story")), texts
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
        known={"texts": Entries.of(job, texts.union(collection.known.frame).distinct())},
    )
    apart = linked(job, inside, forms.FILLING_SHARE)
    of_stories = told.where("not in_form and doc != story")
    of_parts = apart.where("doc != story").select("doc", "story", F.lit(False).alias("in_form"))
    return job.keep(of_stories.union(of_parts)), texts


def _forms_of(collection: _Collection, joined: DataFrame) -> DataFrame:
    """Return a document of each form, and the shingles that forms have in common.

    A sample of each story goes to one task.
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
        return job.session.createDataFrame([], "doc long, shingle long")
    samples = Blocks.of(job, documents.texts, drawn.select("block", F.col("b").alias("doc")), drawn)
    return samples.over(job, _forms, "doc long, shingle long")


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


def _counted(
    collection: _Collection, state: DataFrame, stories: DataFrame, before: Entries, texts: DataFrame
) -> Entries:
    """Return in how many stories each shingle stands that different stories share."""
    job, blocks = collection.job, collection.blocks
    watched = blocks.over(job, _watched, "shingle long", stories=stories, state=state)
    watched = Entries.of(
        job, watched.distinct().select("shingle", F.lit(0).cast("long").alias("n"))
    )
    held = blocks.over(
        job,
        _of_stories,
        "shingle long, story long",
        stories=stories,
        known={"watched": watched, "before": before},
    )
    counts = held.distinct().groupBy("shingle").agg(F.count("*").alias("n")).where("n > 1")
    in_forms = texts.select("shingle", F.lit(OF_FORM).alias("form")).distinct()
    n = F.least("n", F.lit(MAX_COUNT)) + F.coalesce("form", F.lit(0))
    flagged = counts.join(in_forms, "shingle", "left").select("shingle", n.cast("long").alias("n"))
    known = collection.known.frame
    return Entries.of(job, flagged.join(known, "shingle", "left_anti").union(known))


def _watched(held: Held) -> pa.RecordBatch:
    """Return the shingles that pairs of different stories share."""
    left, right = held.items.T
    first = _known_first(held)
    apart = held.items[first.is_long & (held.stories[left] != held.stories[right])]
    shingles = np.empty(0, np.uint64)
    if len(apart):
        shingles = distinct(passes.shared(held.block, apart).hashes)
    return batch(shingle=shingles.view(np.int64))


def _of_stories(held: Held) -> pa.RecordBatch:
    """Return watched shingles with the stories that hold them, of the documents owned here."""
    watched = boilerplate_of(*held.known["watched"])
    words = held.weighed("before").words
    clusters = np.where(held.owned, held.stories, -1)
    shingles, stories = watched.counted(words, clusters)
    return batch(shingle=shingles.view(np.int64), story=stories)


def _stale(held: Held) -> tuple[Block, passes.First, Bools, Bools]:
    """Weigh a block; return it, its pairs, which are together, and which score otherwise now."""
    first = _known_first(held)
    before, block = held.weighed("before"), held.weighed("boilerplate")
    left, right = held.items.T
    was_together = np.frombuffer(held.state["together"], np.bool_)
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

"""Says of one block what a round of `dedupe.spark.learning` asks: rules that tasks apply.

Each takes a `Held` block, with what was sent to it, and returns rows of what it found. Rows of
other blocks, and what all of them come to, are none of its business.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from dedupe.arrays import Bools, Hashes, distinct
from dedupe.scoring import forms, passes
from dedupe.scoring.block import Block
from dedupe.scoring.counting import counted
from dedupe.settings import SCORE_FLOOR
from dedupe.spark.blocks import Held, boilerplate_of
from dedupe.spark.columns import batch, bytes_of
from dedupe.spark.shingles import Deal

__all__ = [
    "FIRST",
    "ROWS",
    "fillings",
    "finished",
    "first",
    "forms_in",
    "kinds",
    "mixed",
    "of_stories",
    "rescored",
    "scored",
    "shared_anew",
    "weights",
]

ROWS = "a long, b long, is_link boolean, row binary"

FIRST = (
    "block long, left binary, right binary, strict binary, score binary, may_score binary, "
    "is_long binary, together binary"
)
"""What is known of the pairs of a block, with the documents of each."""


def first(held: Held) -> pa.RecordBatch:
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


def scored(threshold: float, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the pairs of blocks with their scores."""
    for some in batches:
        for left, right, score in zip(*(one.to_pylist() for one in some.columns), strict=True):
            scores = bytes_of(score, np.float32)
            a, b = (bytes_of(side, np.int64) for side in (left, right))
            yield batch(a=a, b=b, score=scores, is_link=scores >= threshold)


def forms_in(held: Held) -> pa.RecordBatch:
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


def fillings(held: Held) -> pa.RecordBatch:
    """Return how much of what stands in slots the pairs within forms share."""
    left, right = held.items.T
    is_inside = held.in_form[left] & (held.stories[left] == held.stories[right])
    inside = held.items[is_inside]
    shares = np.empty(0)
    if len(inside):
        shares = forms.fillings_shared(held.block, inside, held.known["texts"][0])
    a, b = held.numbers[inside].T
    return batch(a=a, b=b, score=shares, is_link=shares >= forms.FILLING_SHARE)


def shared_anew(deal: Deal, held: Held) -> pa.RecordBatch:
    """Return the shingles that pairs share whose documents are two stories since this round."""
    left, right = held.items.T
    was_together = bytes_of(held.state["together"], np.bool_)
    is_apart = was_together & (held.stories[left] != held.stories[right])
    apart = held.items[_known_first(held).is_long & is_apart]
    shingles = np.empty(0, np.uint64)
    if len(apart):
        shingles = distinct(passes.shared(held.block, apart).hashes)
    return deal(shingles)


def of_stories(deal: Deal, held: Held) -> pa.RecordBatch:
    """Return watched shingles with the stories that hold them, of the documents owned here."""
    watched = boilerplate_of(*held.known["watched"])
    words = held.weighed("before").words
    clusters = np.where(held.owned, held.stories, -1)
    shingles, stories = counted(watched, words, clusters)
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


def rescored(held: Held) -> pa.RecordBatch:
    """Return what is known of pairs after a round."""
    block, first, together, is_stale = _stale(held)
    (first.score[is_stale],) = passes.again(block, held.items[is_stale])
    return _state(held, first, together)


def finished(threshold: float, is_settled: bool, held: Held) -> pa.RecordBatch:
    """Return the rows of the pairs that score by what was learned."""
    if is_settled:
        block, first = held.weighed("boilerplate"), _known_first(held)
        may_score = first.score >= SCORE_FLOOR
    else:
        block, first, _, is_stale = _stale(held)
        may_score = is_stale | (first.score >= SCORE_FLOOR)
    return _rows(held, block, may_score & (held.n_old == 0), threshold)


def kinds(held: Held) -> pa.RecordBatch:
    """Return how many pairs of a new and an old document may score, and how many are new."""
    n_mixed = np.count_nonzero(_known_first(held).may_score & (held.n_old == 1))
    return batch(n_mixed=[n_mixed], n_new=[np.count_nonzero(held.n_old == 0)])


def mixed(threshold: float, held: Held) -> pa.RecordBatch:
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


def weights(held: Held) -> pa.RecordBatch:
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

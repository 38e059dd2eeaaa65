"""Says of one block what a round of `dedupe.spark.learning` asks: rules that tasks apply.

Each takes a `Held` block, with what was sent to it, and returns rows of what it found. Rows of
other blocks, and what all of them come to, are none of its business.
"""

import numpy as np
import pyarrow as pa

from dedupe.arrays import HALF, LOW_HALF, Bools, Ints, distinct
from dedupe.scoring import forms, passes
from dedupe.scoring.block import Block
from dedupe.scoring.counting import Watched, counted, told_by, watched_in
from dedupe.settings import SCORE_FLOOR
from dedupe.spark.blocks import THIN, Held
from dedupe.spark.columns import batch, packed
from dedupe.spark.shingles import COUNTS, Deal

__all__ = [
    "FIRST",
    "HELD",
    "ROWS",
    "STATE",
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
    "watched",
    "weights",
    "with_apart",
]

ROWS = "a long, b long, is_link boolean, row binary"

STATE = (
    "state_strict binary, state_score binary, state_may_score binary, state_is_long binary, "
    "state_together binary, state_told binary"
)
"""What is known of the pairs of a block, and what its documents tell."""

FIRST = (
    "block long, part int, numbers binary, owned binary, old binary, left binary, right binary, "
    + STATE
)
"""The same with the pairs and the documents."""

HELD = (
    "block long, part int, numbers binary, owned binary, watched_shingles binary, "
    "watched_documents binary, watched_bits binary"
)
"""Where the documents that a block owns hold what is watched for."""


def first(held: Held) -> dict[str, bytes]:
    """Return what the first pass says of the pairs of a block, as columns of STATE."""
    block, known = held.block, held.known["known"]
    if known.shingles.size:
        # As far as is known, all documents may be one story.
        block = block.weighed(known.boilerplate, np.zeros(held.numbers.size, np.int64))
    return _state(block, passes.first(block, held.items), np.ones(len(held.items), np.bool_))


def _state(block: Block, first: passes.First, together: Bools) -> dict[str, bytes]:
    """Return what is known of a block, whose words weigh what they do by now."""
    state = {**first._asdict(), "together": together, "told": told_by(block.words)}
    return {f"state_{name}": column.tobytes() for name, column in state.items()}


def _row(held: Held, columns: dict[str, bytes]) -> pa.RecordBatch:
    """Return what is said of a block as a row."""
    data = {name: pa.array([column], pa.binary()) for name, column in columns.items()}
    return batch(block=[held.number], part=pa.array([0], pa.int32()), **data)


def _known_first(held: Held) -> passes.First:
    """Return what a round has left of the first pass, its scores those of that round."""
    return passes.First(
        held.array("state_strict", np.float32),
        held.array("state_score", np.float32),
        held.array("state_may_score", np.bool_),
        held.array("state_is_long", np.bool_),
    )


def scored(name: str, threshold: float, held: Held) -> pa.RecordBatch:
    """Return the pairs of a block with one of their scores."""
    scores = held.array(f"state_{name}", np.float32)
    a, b = held.numbers[held.items].T
    return batch(a=a, b=b, score=scores, is_link=scores >= threshold)


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
        shares = forms.fillings_shared(held.block, inside, held.known["texts"].shingles)
    a, b = held.numbers[inside].T
    return batch(a=a, b=b, score=shares, is_link=shares >= forms.FILLING_SHARE)


def _apart(held: Held) -> Ints:
    """Return the pairs that share more than a phrase and are two stories since this round."""
    left, right = held.items.T
    is_apart = held.array("state_together", np.bool_)
    is_apart &= held.stories[left] != held.stories[right]
    found: Ints = held.items[_known_first(held).is_long & is_apart]
    return found


def with_apart(held: Held) -> pa.RecordBatch:
    """Return the number of a block in which a pair is two stories since this round."""
    return batch(block=np.full(min(1, len(_apart(held))), held.number))


def shared_anew(deal: Deal, held: Held) -> pa.RecordBatch:
    """Return the shingles that pairs share whose documents are two stories since this round."""
    apart, shingles = _apart(held), np.empty(0, np.uint64)
    if len(apart):
        shingles = distinct(passes.shared(held.block, apart).hashes)
    return deal(shingles)


def watched(held: Held) -> pa.RecordBatch:
    """Return where the documents owned here hold what is watched for."""
    found = watched_in(
        held.known["watched"].boilerplate, held.block.words, np.flatnonzero(held.owned)
    )
    columns = {f"watched_{name}": column.tobytes() for name, column in found._asdict().items()}
    return _row(held, {name: held.row[name] for name in THIN[:2]} | columns)


def _watched(held: Held) -> Watched:
    """Return what `watched` has said of a block."""
    return Watched(
        held.array("watched_shingles", np.uint64),
        held.array("watched_documents", np.int32),
        held.array("watched_bits", np.uint8),
    )


def of_stories(deal: Deal, held: Held) -> pa.RecordBatch:
    """Return watched shingles with the stories that hold them, of the documents owned here."""
    clusters = np.where(held.owned, held.stories, -1)
    return deal(*counted(_watched(held), held.array("state_told", np.uint32), clusters))


def _stale(held: Held) -> tuple[Block, passes.First, Bools, Bools]:
    """Weigh a block; return it, its pairs, which are together, and which score otherwise now."""
    first = _known_first(held)
    # As a rule nothing is known before the first round, and every word counts 1.
    before = held.weighed("before") if held.known["before"].shingles.size else held.block
    block = held.weighed("boilerplate")
    left, right = held.items.T
    was_together = held.array("state_together", np.bool_)
    together = held.stories[left] == held.stories[right]
    has_changed = block.weighs_otherwise(before)[held.items].any(axis=1)
    is_weighed = (block.totals() < block.n_words)[held.items].all(axis=1)
    is_stale = first.may_score & (has_changed | ((together != was_together) & is_weighed))
    return block, first, together, is_stale


def rescored(held: Held) -> pa.RecordBatch:
    """Return what is known of pairs after a round."""
    block, first, together, is_stale = _stale(held)
    (first.score[is_stale],) = passes.again(block, held.items[is_stale])
    thin = {name: held.row[name] for name in THIN}
    return _row(held, thin | _state(block, first, together))


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
    known, found = held.known["boilerplate"], _watched(held)
    order = np.argsort(known.shingles)
    at = np.searchsorted(known.shingles, found.shingles, sorter=order)
    at = order[np.minimum(at, max(order.size - 1, 0))] if order.size else at[:0]
    documents = found.documents[: at.size]
    is_known = known.shingles[at] == found.shingles[: at.size]
    keys = distinct(
        (documents[is_known].astype(np.uint64) << HALF) | at[is_known].astype(np.uint64)
    )
    documents, at = (keys >> HALF).astype(np.int64), (keys & LOW_HALF).astype(np.int64)
    starts = np.flatnonzero(np.diff(documents, prepend=-1))
    parts = [*(np.split(at, starts[1:]) if starts.size else ())]
    return batch(
        doc=held.numbers[documents[starts]],
        shingles=packed(*(known.shingles[part] for part in parts)),
        counts=packed(*(known.counts[part].astype(COUNTS) for part in parts)),
    )

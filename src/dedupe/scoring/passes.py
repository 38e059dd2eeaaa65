"""Runs the two passes over pairs, and defines the columns that are known of a scored pair.

The first pass admits what is beyond doubt, from which boilerplate is learned. The second
gives boilerplate little weight, and returns a row for each pair that scores: `COLUMNS`
says what stands in one. Pairs are places within the block; who holds blocks, and goes
through the pairs on threads or machines, is left to the engine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Floats
from dedupe.lazy import cached_property
from dedupe.scoring import rule
from dedupe.scoring.alignment import (
    Alignment,
    align,
    by_size,
    is_spared,
    shared_by_strangers,
    shared_shingles,
    similarities,
    words_held,
)
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.scoring.score import (
    edited_words,
    excess_words,
    listing_words,
    may_be_phrase,
    may_score,
    score,
    story_share,
    story_words,
    strict_score,
)
from dedupe.settings import SCORE_FLOOR
from dedupe.shingling import Sealed

__all__ = [
    "COLUMNS",
    "ROW",
    "First",
    "Rows",
    "Worth",
    "again",
    "first",
    "identical",
    "is_identical",
    "may_tell",
    "near_share",
    "pairs_in",
    "reused",
    "second",
    "shared",
    "worth",
]

Rows = npt.NDArray[np.void]

ROUNDING = 1e-6
"""Share of a sum of weights that may be lost, since it is kept in 32 bits."""


@dataclass(frozen=True)
class Scored:
    """Some pairs of a block with their scores: what a row is made of."""

    block: Block
    alignment: Alignment
    scores: Floats

    @cached_property
    def similarities(self) -> tuple[Floats, Floats, Floats]:
        """The Jaccard similarities, and the containments of either side."""
        return similarities(self.block, self.alignment)

    @cached_property
    def shares(self) -> Floats:
        """The shares of the words of either side that the other has too, a row for each side."""
        return _shares(self.alignment)


COLUMNS: dict[str, tuple[npt.DTypeLike, Callable[[Scored], npt.NDArray[Any]]]] = {
    "left": (np.int32, lambda pairs: pairs.alignment.left),
    "right": (np.int32, lambda pairs: pairs.alignment.right),
    "score": (np.float64, lambda pairs: pairs.scores),
    "jaccard": (np.float64, lambda pairs: pairs.similarities[0]),
    "containment_left": (np.float64, lambda pairs: pairs.similarities[1]),
    "containment_right": (np.float64, lambda pairs: pairs.similarities[2]),
    "story_share": (np.float64, lambda pairs: story_share(pairs.alignment)),
    "share_left": (np.float64, lambda pairs: pairs.shares[0]),
    "share_right": (np.float64, lambda pairs: pairs.shares[1]),
    "is_identical": (np.bool_, lambda pairs: np.zeros(pairs.scores.size, np.bool_)),
    "shared_words": (np.int32, lambda pairs: pairs.alignment.covered),
    "story_words": (np.int32, lambda pairs: story_words(pairs.alignment)),
    "edited_words": (np.int32, lambda pairs: edited_words(pairs.alignment)),
    "hole_words": (np.int32, lambda pairs: np.rint(pairs.alignment.replaced)),
    "is_at_end": (np.bool_, lambda pairs: pairs.alignment.is_at_end),
    "excess_words": (np.int32, lambda pairs: excess_words(pairs.alignment)),
    "listing_words": (np.int32, lambda pairs: listing_words(pairs.alignment)),
    "may_be_phrase": (np.bool_, lambda pairs: may_be_phrase(pairs.alignment)),
    "boilerplate_words": (np.int32, lambda pairs: pairs.alignment.boilerplate),
    "is_candidate": (np.bool_, lambda pairs: np.ones(pairs.scores.size, np.bool_)),
    "has_evidence": (np.bool_, lambda pairs: np.zeros(pairs.scores.size, np.bool_)),
}
"""What is known of a scored pair: the type of each column, and how it is found.

A row takes 97 bytes, a `Pair` ten times as many. A column named like a field of
`dedupe.Pair` fills it; documents and their relation are put into words first. What a new one is
for identical documents stands in `identical`; JSON has it in a schema and a version.
"""

ROW = np.dtype([(name, dtype) for name, (dtype, _) in COLUMNS.items()])


class First(NamedTuple):
    """What the first pass says of pairs.

    Attributes
    ----------
    strict : float32 [shape=(n_pairs,)], in [0, 1]
        Containment of those that are one story beyond doubt, 0 for all others.
    score : float32 [shape=(n_pairs,)], in [0, 1]
        What each scores as long as nothing is boilerplate.
    may_score : bool [shape=(n_pairs,)]
        Which may score the floor, whatever is boilerplate.
    is_long : bool [shape=(n_pairs,)]
        Which share more than a phrase. A phrase is not boilerplate, and there are many.
    """

    strict: npt.NDArray[np.float32]
    score: npt.NDArray[np.float32]
    may_score: Bools
    is_long: Bools


def first(block: Block, pairs: AnyInts) -> First:
    """Judge pairs strictly, before anything is known of boilerplate.

    Parameters
    ----------
    block : Block
    pairs : int [shape=(n_pairs, 2)]
        Fast where pairs with the same larger document follow each other.
    """
    covered = shared_by_strangers(block, *pairs.T)
    longer = block.n_words[pairs].max(axis=1)
    strict, scores = np.zeros((2, len(pairs)), np.float32)
    # Who cannot score needs no alignment.
    is_open = (covered < 0) | may_score(covered, longer)
    found = align(block, *pairs[is_open].T)
    strict[is_open], scores[is_open], covered[is_open] = (
        strict_score(found),
        score(found),
        found.covered,
    )
    return First(strict, scores, may_score(covered, longer), covered >= rule.LEARNED_WORDS)


class Worth(NamedTuple):
    """Which pairs may pass: true wherever the columns of `First` are, and for a few pairs more."""

    may_score: Bools
    is_long: Bools


def worth(block: Block, pairs: AnyInts) -> Worth:
    """Return which pairs need be looked at, in a fraction of the time that `first` takes.

    Parameters
    ----------
    block : Block
    pairs : int [shape=(n_pairs, 2)]
        Fast where pairs with the same left document follow each other.
    """
    held = words_held(block, *pairs.T, enough=rule.MIN_WORDS)
    longer = block.n_words[pairs].max(axis=1)
    return Worth(may_score(held, longer), held >= rule.LEARNED_WORDS)


def again(block: Block, pairs: AnyInts) -> tuple[npt.NDArray[np.float32]]:
    """Score pairs of a block that knows some boilerplate, to learn it once more.

    Parameters
    ----------
    block, pairs
        As in `first`.

    Returns
    -------
    float32 [shape=(n_pairs,)], in [0, 1]
    """
    found = np.zeros(len(pairs), np.float32)
    tells = may_tell(block, pairs)
    found[tells] = scores(block, pairs[tells], with_listings=False)
    return (found,)


def may_tell(block: Block, pairs: AnyInts) -> Bools:
    """Return which pairs may score more than 0 by what their words weigh.

    Not those that share next to nothing but boilerplate, as far as a look at the other words
    tells. Pages put together of what others have, too, have hundreds of candidates.
    """
    found = np.ones(len(pairs), np.bool_)
    if block.weights is None:
        return found
    larger, smaller, _ = by_size(block, *pairs.T)
    totals, n_words = block.totals(smaller), block.n_words[smaller]
    # Documents of which less is boilerplate are aligned as fast, and short ones need no story.
    chosen = np.flatnonzero((2 * totals < n_words) & (n_words * rule.SHORT_SHARE > rule.MIN_WORDS))
    if not chosen.size:
        return found
    larger, smaller, totals = larger[chosen], smaller[chosen], totals[chosen]
    # Where two documents count as one story, a word counts twice what it weighs at most.
    least = np.minimum(
        rule.MIN_WORDS / 2, rule.NEARLY_ALL * np.minimum(totals, block.totals(larger))
    )
    spare = (1 + ROUNDING) * totals - (1 - ROUNDING) * least
    found[chosen] = is_spared(block, larger, smaller, spare)
    return found


def near_share(block: Block, pairs: AnyInts) -> Floats:
    """Return how much of either document of each pair the other has, at least.

    It is 0 where much of what differs stands in one place, or is there on one side alone: that
    may be another story, or a box. So it is where the larger document is so large that they are
    no one story beyond doubt; the most popular documents are the largest as a rule.
    """
    larger, smaller, _ = by_size(block, *pairs.T)
    n_shingles = block.shingle_offsets[smaller + 1] - block.shingle_offsets[smaller]
    # Each shingle of the smaller one is found in one place of the larger, if at all.
    is_open = block.ngram * n_shingles >= rule.STRICT_CONTAINMENT * block.n_words[larger]
    shares = np.zeros(len(pairs))
    shares[is_open] = _near_share(align(block, *pairs[is_open].T))
    return shares


def _near_share(found: Alignment) -> Floats:
    """Return how much of either document of aligned pairs the other has, at least."""
    shares = np.minimum(*_shares(found))
    most = np.max([found.hole, found.end, found.gap, found.excess], axis=0)
    return np.where(most <= rule.MAX_NEAR_GAP, shares, 0.0)


def _shares(found: Alignment) -> Floats:
    shares: Floats = found.coverage / found.words
    return shares


def shared(block: Block, pairs: AnyInts, beside: Boilerplate | None = None) -> Sealed:
    """Return the shingles that any of some pairs share, some more than once.

    Those that are known already may be left out; see `shared_shingles`.
    """
    return shared_shingles(block, *pairs.T, beside=beside)


def second(block: Block, pairs: AnyInts, floor: float = SCORE_FLOOR) -> tuple[Rows]:
    """Score pairs of a block that knows its boilerplate.

    Parameters
    ----------
    block : Block
    pairs : int [shape=(n_pairs, 2)]
        The lesser place of each goes left.
    floor : float, in [0, 1]

    Returns
    -------
    ROW [shape=(n,)]
        The pairs that score at least `floor`, in their order.
    """
    if floor > 0:
        pairs = pairs[may_tell(block, pairs)]
    if not len(pairs):
        return (np.empty(0, ROW),)
    found = align(block, *np.sort(pairs, axis=1).T)
    found_scores = score(found)
    return (_rows(block, found, found_scores, found_scores >= floor),)


def reused(block: Block, pairs: AnyInts) -> Rows:
    """Return the rows of pairs that score under the floor, but share a passage of their own.

    Where both have prose before the passage, or both behind it, they are not one story and score
    nothing, however much one of them took from the other. Most of what is shared, and as much
    as makes a story, must not be boilerplate, or all pages of a site would be here.
    """
    found = align(block, *np.sort(pairs, axis=1).T)
    found_scores = score(found)
    own = found.covered - found.boilerplate
    is_passage = (own >= rule.MIN_WORDS) & (own > found.boilerplate)
    is_passage &= story_share(found) >= SCORE_FLOOR
    return _rows(block, found, found_scores, is_passage & (found_scores < SCORE_FLOOR))


def _rows(block: Block, found: Alignment, found_scores: Floats, is_recorded: Bools) -> Rows:
    """Return the rows of those pairs that are to be recorded."""
    if not is_recorded.all():
        places = np.flatnonzero(is_recorded)
        found, found_scores = found.take(places), found_scores[places]
    scored = Scored(block, found, found_scores)
    rows = np.empty(found_scores.size, ROW)
    for name, (_, measure) in COLUMNS.items():
        rows[name] = measure(scored)
    return rows


def scores(block: Block, pairs: AnyInts, *, with_listings: bool = True) -> Floats:
    """Return the scores of some pairs, whichever place stands first; 0 below the floor."""
    found = score(align(block, *np.sort(pairs, axis=1).T), with_listings=with_listings)
    return np.where(found >= SCORE_FLOOR, found, 0.0)


def identical(pairs: AnyInts, n_words: AnyInts) -> Rows:
    """Return the rows of identical pairs, each of `n_words` words."""
    rows = np.zeros(len(pairs), ROW)
    rows["left"], rows["right"] = pairs.T
    for name, (kind, _) in COLUMNS.items():
        if kind is np.float64:
            rows[name] = 1.0
    rows["is_identical"] = rows["is_candidate"] = True
    rows["shared_words"] = n_words
    rows["story_words"] = n_words
    return rows


def pairs_in(rows: Rows) -> npt.NDArray[np.int32]:
    """Return both documents of each row."""
    return np.stack([rows["left"], rows["right"]], axis=1)


def is_identical(rows: Rows) -> Bools:
    """Return which rows are of exact copies."""
    found: Bools = rows["is_identical"]
    return found

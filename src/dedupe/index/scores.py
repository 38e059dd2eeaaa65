"""Scores a text with its candidates, by what is known of boilerplate and what they teach at once.

What was learned last (`dedupe.index.storage.epochs`) says which stories there were, and which text
many of them carry. A text that came later teaches what it can: it is compared with its candidates
in the rounds of `dedupe.learning`, in which those of known stories keep them. So right after an
epoch stored texts score with one another what they score in the batch.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Ints
from dedupe.engine.memory import BlockInMemory
from dedupe.index.storage.epochs import Epoch
from dedupe.learning import learn
from dedupe.results.evidence import EvidenceOfTexts
from dedupe.results.pairs import FindEvidence, ScoredPairs, scored_pairs
from dedupe.results.records import Evidence
from dedupe.scoring import passes
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.scoring.passes import First
from dedupe.settings import Settings
from dedupe.shingling import Sealed, hash_encoded, seal_shingles

__all__ = ["evidence_of_two", "score"]

TOGETHER = 0.5
"""Score of two texts of one known story in the strict pass: enough to stay together, which takes
`STRICT_CONTAINMENT`, but less than ``1 - OWN_OF_FRAME``, above which `dedupe.learning` takes two
texts for copies that tell nothing of a form."""


MOST_PAIRS, N_LIKELIEST = 2000, 60
"""Pairs besides its own that are compared to weigh a text; of more, those of so many texts. Two
hundred copies that came since the epoch make 20,000, which takes 150 ms."""


class _Known(NamedTuple):
    """What an epoch knows of some shingles; some may be there more than once."""

    sealed: Sealed
    counts: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, sealed: Sealed, counts: npt.NDArray[np.uint16]) -> "_Known":
        """Return the shingles that have a count."""
        known = np.flatnonzero(counts)
        return cls(Sealed(sealed.hashes[known], sealed.seals[known]), counts[known])


class _BlockOfIndex(BlockInMemory):
    """A block that is weighed by what an epoch knows, whatever else is learned from it.

    Attributes
    ----------
    teaches : bool [shape=(n_docs,)]
        Texts that are learned from.
    """

    def __init__(self, block: Block, known: _Known) -> None:
        super().__init__(block)
        self.teaches = np.ones(block.n_words.size, np.bool_)
        self._known = known

    def count(self, boilerplate: Boilerplate, stories: Ints) -> None:
        """Count in how many stories of those that teach each watched shingle stands."""
        super().count(boilerplate, np.where(self.teaches, stories, -1))

    def weigh(self, boilerplate: Boilerplate, stories: Ints) -> Bools:
        """Weigh every word by this boilerplate and by that of the epoch."""
        boilerplate.raise_to(self._known.sealed, self._known.counts)
        return super().weigh(boilerplate, stories)


def score(
    texts: Sequence[bytes],
    numbers: Ints,
    epoch: Epoch,
    settings: Settings,
    *,
    floor: float,
    shown: bytes,
    ranks: Ints,
) -> ScoredPairs | None:
    """Score the first of some texts with the others, if any may score; sides are their places.

    Parameters
    ----------
    texts : sequence of bytes
        In UTF-8; the first is asked for, the others are its candidates in the order of their ids.
    numbers : int64 [shape=(n_texts,)]
        By which the epoch knows them, -1 for one that is not stored.
    epoch : Epoch
    settings : Settings
    floor : float, in [SCORE_FLOOR, 1]
        What pairs score at least.
    shown : bytes
        What evidence points into in place of the first: its words are the same.
    ranks : int64 [shape=(n_texts,)]
        How likely each is to match: 0 for the first, 1 for the likeliest.
    """
    block = Block.of(hash_encoded(texts, detail=True, spans=False, borrowed=True), settings.ngram)
    pairs = np.stack([np.zeros(len(texts) - 1, np.int64), np.arange(1, len(texts))], axis=1)
    stories = np.where(numbers < 0, -1, epoch.stories(numbers))
    told = passes.worth(block, pairs)
    if not told.may_score.any():
        return None
    find = partial(_decoded, [shown, *texts[1:]])
    # A text that shares only a phrase teaches nothing, so it does not matter whether it is known.
    may_teach = told.may_score | told.is_long
    if stories[0] >= 0 and (stories[1:][may_teach] >= 0).all():
        weighed = _weighed(block, pairs, told.may_score, stories, epoch)
        evidence: FindEvidence = partial(_evidence, find, settings.ngram, epoch)
    else:
        weighed, boilerplate = _weighed_anew(block, pairs[may_teach], stories, epoch, ranks)
        evidence = partial(_evidence_anew, find, settings.ngram, boilerplate)
    (rows,) = passes.second(weighed.block, weighed.pairs, floor)
    if not rows.size:
        return None
    rows["has_evidence"] = True
    rows["right"] = weighed.places[rows["right"]]
    return scored_pairs(rows, range(len(texts)), settings.threshold, evidence)


class _Weighed(NamedTuple):
    """Those of some texts that matter, weighed.

    Attributes
    ----------
    block : Block
    places : int64 [shape=(n_docs,)]
        Where they stand among all, the one that is asked for first.
    pairs : int64 [shape=(n_pairs, 2)]
        Those of them that may score, within the block.
    """

    block: Block
    places: Ints
    pairs: AnyInts


def _weighed(
    block: Block, pairs: AnyInts, may_score: Bools, stories: Ints, epoch: Epoch
) -> _Weighed:
    """Weigh texts whose stories are known by what an epoch counts."""
    is_needed = may_score
    if 2 * np.count_nonzero(is_needed) > is_needed.size:
        # To leave out a few costs more than to weigh them.
        is_needed = np.ones_like(is_needed)
    places = np.append(0, pairs[is_needed, 1])
    block = block.cut(places)
    counts = epoch.counts(Sealed(block.shingles, block.seals))
    found = np.searchsorted(places, pairs[may_score])
    return _Weighed(block.counted(counts, stories[places]), places, found)


def _weighed_anew(
    block: Block, pairs: AnyInts, stories: Ints, epoch: Epoch, ranks: Ints
) -> tuple[_Weighed, Boilerplate]:
    """Weigh texts of which some have no story yet; also return what they teach."""
    own = passes.first(block, pairs)
    is_needed = own.may_score | own.is_long
    places = np.append(0, pairs[is_needed, 1])
    block = block.cut(places)
    sealed = Sealed(block.shingles, block.seals)
    blocks = _BlockOfIndex(block, _Known.of(sealed, epoch.counts(sealed)))
    own_needed = First._make(column[is_needed] for column in own)
    boilerplate = _learn(blocks, stories[places], ranks[places], own_needed)
    found = np.searchsorted(places, pairs[own.may_score])
    return _Weighed(blocks.block(), places, found), boilerplate


def evidence_of_two(left: bytes, right: bytes, ngram: int) -> Callable[[], Evidence]:
    """Return what finds the evidence of two texts of which nothing is boilerplate."""
    return partial(EvidenceOfTexts(partial(_decoded, [left, right]), ngram, b""), 0, 1)


def _evidence(
    find: Callable[[Sequence[int]], list[str]], ngram: int, epoch: Epoch, left: int, right: int
) -> Evidence:
    """Return the evidence of two texts, by what an epoch knows of them."""
    tokens = hash_encoded([text.encode() for text in find([left, right])], detail=True, spans=False)
    sealed = seal_shingles(tokens, ngram)
    known = Boilerplate()
    known.watch(sealed.public(), counts=epoch.counts(sealed))
    return EvidenceOfTexts(find, ngram, known.to_bytes())(left, right)


def _evidence_anew(
    find: Callable[[Sequence[int]], list[str]],
    ngram: int,
    boilerplate: Boilerplate,
    left: int,
    right: int,
) -> Evidence:
    """Return the evidence of two texts, by what they and others have taught."""
    return EvidenceOfTexts(find, ngram, boilerplate.to_bytes())(left, right)


def _decoded(texts: Sequence[bytes], places: Sequence[int]) -> list[str]:
    return [texts[place].decode() for place in places]


def _learn(blocks: _BlockOfIndex, stories: Ints, ranks: Ints, own: First) -> Boilerplate:
    """Learn from texts of which some have no story yet, and weigh them by it.

    Pairs of known stories are not compared again: what they teach the epoch has. What the first
    pass says of the first text with each of the others, it has said before.
    """
    pairs, blocks.teaches = _teaching(stories, ranks)
    is_known: Bools = stories[pairs].min(axis=1) >= 0
    together = np.where(stories[pairs[:, 0]] == stories[pairs[:, 1]], TOGETHER, 0.0)
    first = First(
        together.astype(np.float32),
        np.where(together > 0, np.float32(1), np.float32(0)),
        np.zeros(len(pairs), np.bool_),
        np.zeros(len(pairs), np.bool_),
    )
    is_own = pairs[:, 0] == 0
    open_ = ~is_known & ~is_own
    for column, told in zip(first, own, strict=True):
        column[~is_known & is_own] = told[~is_known[is_own]]
    if open_.any():
        for column, told in zip(first, passes.first(blocks.block(), pairs[open_]), strict=True):
            column[open_] = told
    return learn(blocks, pairs, first).boilerplate


def _teaching(stories: Ints, ranks: Ints) -> tuple[AnyInts, Bools]:
    """Return the pairs to learn from, and the texts: all, or of too many the likeliest.

    The first text goes with each, since all that are one story with it weigh the same.
    """
    pairs = np.argwhere(~np.tri(stories.size, dtype=np.bool_))
    is_known, is_own = (stories[pairs] >= 0).all(axis=1), pairs[:, 0] == 0
    if np.count_nonzero(~is_known & ~is_own) <= MOST_PAIRS:
        return pairs, np.ones(stories.size, np.bool_)
    # The first ranks before all.
    is_likely = np.argsort(np.argsort(ranks)) <= N_LIKELIEST
    return pairs[is_known | is_own | is_likely[pairs].all(axis=1)], is_likely

"""Candidate pairs to scores: whether the story of one document is in the other.

Containment alone is nearly right and is wrong on templates: two stories in one
frame share most of their words. What separates them is where the differing text
stands. A copy has it around the shared text; a template has it inside, in one
place, on both sides: the *hole*.

``score = C * max(0, 1 - HOLE_COST * hole / matched)``, where ``C`` is the share of
the smaller document's words that are shared, ``matched`` counts the shared words on
the side that has fewer, and words may be weighted by how rare they are. What either
document has at places of its own costs as well, but less. Shared words are those of
shared shingles, so both texts are compared word by word, not by their signatures.

What is shared, and where it stands, is found in `dedupe.scoring.alignment`.
"""

from typing import TYPE_CHECKING

import numpy as np

from dedupe.arrays import Bools, Floats

if TYPE_CHECKING:
    # What is only named here must not load numba, which a saved result does without.
    from dedupe.scoring.alignment import Alignment

__all__ = [
    "EXCESS_COST",
    "HOLE_COST",
    "MIN_HOLE",
    "MIN_WORDS",
    "NEARLY_ALL",
    "STRICT_CONTAINMENT",
    "TEMPLATE_SHARE",
    "cost",
    "most",
    "score",
    "strict_score",
    "template_cost",
]

MIN_HOLE = 10
"""A gap of fewer words is an edit, not another story."""

MIN_WORDS = 20
"""Shared words below which two documents have no story in common, only a phrase."""

MIN_OWN = 3
"""Words that no third story has, of a text that weighs less than MIN_WORDS: one more
than a date or a name."""

HOLE_COST = 2.0
"""How much of the score a hole takes: all of it when it is half as long as the match."""

STRICT_CONTAINMENT = 0.25
"""Containment from which a pair without a hole is beyond doubt."""

STRICT_HOLE = 0.2
MAX_STRICT_HOLE = 50
"""A hole of this share of the match, and of this many words, is still an edit or a box.

Copies with boxes of their own and notices in one template look the same; only the
length of what differs tells them apart.
"""

EXCESS_COST = 1.0
"""How much of the score text takes that each document has at a place of its own.

Copies that leave out different paragraphs have it, and so have stories that stand at
different places in a template.
"""

STRICT_EXCESS = 0.5
"""Such text of this share of the match, and of MAX_STRICT_HOLE words, is still an edit."""

SHORT_SHARE = 0.9
"""Share of the words of *both* sides that two short texts must share."""

TEMPLATE_SHARE = 0.6
"""Share of the score that a hole takes between two stories in one template."""

NEARLY_ALL = 0.9
"""Share of a document's words that make it contained in another."""


def cost(alignment: "Alignment") -> Floats:
    """Return how many shared words of each pair must make up for the text that differs."""
    found: Floats = np.maximum(HOLE_COST * alignment.hole, EXCESS_COST * alignment.excess)
    return found


def template_cost(alignment: "Alignment") -> Floats:
    """Return `cost` where what differs may be the stories in a template, elsewhere 0.

    In a template most of it stands in one place; noise is everywhere.
    """
    excess, hole = EXCESS_COST * alignment.excess, HOLE_COST * alignment.hole
    in_one_place = (excess > hole) | (2 * alignment.hole >= alignment.replaced)
    return np.where(in_one_place, cost(alignment), 0.0)


def score(alignment: "Alignment") -> Floats:
    """Return how sure it is that the two documents of each pair hold the same story.

    Under `MIN_WORDS` shared words it is 0, except between two texts that are hardly
    longer: they must share `SHORT_SHARE` of the words of both. Where words weigh little,
    a document that is wholly in the other needs only `MIN_OWN` of its own.
    """
    matched = alignment.matched
    shares = (
        alignment.weight_left / alignment.total_left,
        alignment.weight_right / alignment.total_right,
    )
    longer_side = np.sign(alignment.words_right - alignment.words_left)
    # Of two texts equally long the lesser share counts, whichever is named first.
    contained = np.select([longer_side > 0, longer_side < 0], shares, np.minimum(*shares))
    scores = contained * np.maximum(0, 1 - cost(alignment) / np.maximum(matched, 1))
    is_story = (matched >= MIN_WORDS) | _is_all_there(alignment)
    scores = np.where(is_story, np.minimum(scores, 1), 0)
    return np.where(alignment.covered < MIN_WORDS, _short_score(alignment), scores)


def _is_all_there(alignment: "Alignment") -> Bools:
    """Return for which pairs all that counts in one document is in the other.

    A form filled in has little that counts. But some of it must be nobody else's: a
    teaser is wholly in the pages that carry it, whichever story they tell.
    """
    whole = np.minimum(alignment.total_left, alignment.total_right)
    return (alignment.matched >= NEARLY_ALL * whole) & (alignment.own >= MIN_OWN)


def _short_score(alignment: "Alignment") -> Floats:
    """Return the share of both texts that is shared, 0 where it is not nearly all."""
    share = alignment.covered / np.maximum(alignment.words_left, alignment.words_right)
    return np.where(share >= SHORT_SHARE, share, 0)


def most(alignment: "Alignment") -> Floats:
    """Return the most that each pair can score, whatever its words weigh.

    Weights only take from the shared words that must make up for text that differs.
    """
    bound = np.maximum(0, 1 - cost(alignment) / np.maximum(alignment.covered, 1))
    return np.where(alignment.covered < MIN_WORDS, _short_score(alignment), bound)


def strict_score(alignment: "Alignment") -> Floats:
    """Return the containment of the pairs that are the same story beyond doubt, 0 for others.

    The first of two passes: it needs no weights, because it admits no hole worth
    the name. Its clusters tell which text is furniture.
    """
    smaller = np.minimum(alignment.words_left, alignment.words_right)
    covered = alignment.covered
    hole_limit = np.minimum(STRICT_HOLE * covered, MAX_STRICT_HOLE)
    excess_limit = np.minimum(STRICT_EXCESS * covered, MAX_STRICT_HOLE)
    is_strict = (
        (covered >= MIN_WORDS)
        & (alignment.hole <= np.maximum(MIN_HOLE, hole_limit))
        & (alignment.excess <= np.maximum(MIN_HOLE, excess_limit))
    )
    return np.where(is_strict, np.minimum(1, covered / smaller), 0)

"""Scores pairs: whether the story of one document is in the other.

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

import numpy as np

from dedupe.arrays import Bools, Floats
from dedupe.scoring import rule
from dedupe.scoring.alignment import Alignment

__all__ = ["cost", "most", "score", "strict_score", "template_cost"]


def cost(alignment: Alignment) -> Floats:
    """Return how many shared words of each pair must make up for the text that differs."""
    found: Floats = np.maximum(rule.HOLE_COST * alignment.hole, rule.EXCESS_COST * alignment.excess)
    return found


def template_cost(alignment: Alignment) -> Floats:
    """Return `cost` where what differs may be the stories in a template, elsewhere 0.

    In a template most of it stands in one place; noise is everywhere.
    """
    excess, hole = rule.EXCESS_COST * alignment.excess, rule.HOLE_COST * alignment.hole
    in_one_place = (excess > hole) | (2 * alignment.hole >= alignment.replaced)
    return np.where(in_one_place, cost(alignment), 0.0)


def score(alignment: Alignment) -> Floats:
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
    is_story = (matched >= rule.MIN_WORDS) | _is_all_there(alignment)
    scores = np.where(is_story, np.minimum(scores, 1), 0)
    return np.where(alignment.covered < rule.MIN_WORDS, _short_score(alignment), scores)


def _is_all_there(alignment: Alignment) -> Bools:
    """Return for which pairs all that counts in one document is in the other.

    A form filled in has little that counts. But some of it must be nobody else's: a
    teaser is wholly in the pages that carry it, whichever story they tell.
    """
    whole = np.minimum(alignment.total_left, alignment.total_right)
    return (alignment.matched >= rule.NEARLY_ALL * whole) & (alignment.own >= rule.MIN_OWN)


def _short_score(alignment: Alignment) -> Floats:
    """Return the share of both texts that is shared, 0 where it is not nearly all."""
    share = alignment.covered / np.maximum(alignment.words_left, alignment.words_right)
    return np.where(share >= rule.SHORT_SHARE, share, 0)


def most(alignment: Alignment) -> Floats:
    """Return the most that each pair can score, whatever its words weigh.

    Weights only take from the shared words that must make up for text that differs.
    """
    bound = np.maximum(0, 1 - cost(alignment) / np.maximum(alignment.covered, 1))
    return np.where(alignment.covered < rule.MIN_WORDS, _short_score(alignment), bound)


def strict_score(alignment: Alignment) -> Floats:
    """Return the containment of the pairs that are the same story beyond doubt, 0 for others.

    The first of two passes: it needs no weights, because it admits no hole worth
    the name. Its clusters tell which text is boilerplate.
    """
    smaller = np.minimum(alignment.words_left, alignment.words_right)
    covered = alignment.covered
    hole_limit = np.minimum(rule.STRICT_HOLE * covered, rule.MAX_STRICT_HOLE)
    excess_limit = np.minimum(rule.STRICT_EXCESS * covered, rule.MAX_STRICT_HOLE)
    is_strict = (
        (covered >= rule.MIN_WORDS)
        & (alignment.hole <= np.maximum(rule.MIN_HOLE, hole_limit))
        & (alignment.excess <= np.maximum(rule.MIN_HOLE, excess_limit))
    )
    return np.where(is_strict, np.minimum(1, covered / smaller), 0)

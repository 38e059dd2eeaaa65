"""Scores pairs: whether the story of one document is in the other.

The score is the share of the smaller story that is in the other document, less what other
text in its place takes. Not of the document: in a whole page the article may be an eighth
of the words. What stands *around* the shared text says nothing, and what stands *inside*,
in one place on both sides, is another story in the same template: the *hole*.

``score = C * max(0, 1 - cost / matched)``, where ``C`` is that share, ``matched`` is what
the shared words weigh, and the cost is that of a hole, of prose at one end of the match,
or of text at places of its own, whichever takes most. All of it is weighed by what the
collection knows of boilerplate.

What is shared, and where it stands, is found in `dedupe.scoring.alignment`.
"""

import numpy as np

from dedupe.arrays import Bools, Floats
from dedupe.kernels.measures import EDIT
from dedupe.scoring import rule
from dedupe.scoring.alignment import Alignment

__all__ = ["cost", "may_score", "score", "story_share", "strict_score"]


def cost(alignment: Alignment) -> Floats:
    """Return how many shared words of each pair must make up for the text that differs."""
    inside = np.maximum(rule.HOLE_COST * alignment.hole, rule.END_COST * alignment.end)
    found: Floats = np.maximum(inside, rule.EXCESS_COST * alignment.excess)
    return found


def score(alignment: Alignment) -> Floats:
    """Return how sure it is that the two documents of each pair hold the same story.

    It is `story_share`, less what other text in place of the story takes; and 0 where so
    little that is shared is known to be of no other story that it may be a phrase.
    """
    left = np.maximum(0, 1 - cost(alignment) / np.maximum(alignment.matched, 1))
    is_known = (alignment.known >= rule.MIN_WORDS) | _is_all_there(alignment)
    is_short = alignment.covered < rule.MIN_WORDS
    return story_share(alignment) * np.where(is_short, 1, left * is_known)


def story_share(alignment: Alignment) -> Floats:
    """Return the share of the smaller story of each pair that is in the other document.

    Under `MIN_WORDS` shared words it is 0, except between two texts that are hardly
    longer: they must share `SHORT_SHARE` of the words of both. Where words weigh little,
    a document that is wholly in the other needs only `MIN_OWN` of its own.
    """
    is_story = (alignment.matched >= rule.MIN_WORDS) | _is_all_there(alignment)
    shares = np.where(is_story, _containment(alignment), 0)
    return np.where(alignment.covered < rule.MIN_WORDS, _short_share(alignment), shares)


def _containment(alignment: Alignment, *, with_edits: bool = True) -> Floats:
    """Return the share of the smaller story of each pair that is in the other document.

    Of two equally large the lesser share counts, whichever is named first.
    """
    stories = (
        alignment.weight_left + alignment.story_left,
        alignment.weight_right + alignment.story_right,
    )
    found = (
        alignment.weight_left + with_edits * alignment.edited_left,
        alignment.weight_right + with_edits * alignment.edited_right,
    )
    left, right = (
        np.divide(some, whole, out=np.zeros_like(whole), where=whole > 0)
        for some, whole in zip(found, stories, strict=True)
    )
    longer_side = np.sign(stories[1] - stories[0])
    share = np.select([longer_side > 0, longer_side < 0], [left, right], np.minimum(left, right))
    capped: Floats = np.minimum(1, share)
    return capped


def _is_all_there(alignment: Alignment) -> Bools:
    """Return for which pairs all that counts in one document is in the other.

    A form filled in has little that counts. But some of it must be nobody else's: a
    teaser is wholly in the pages that carry it, whichever story they tell.
    """
    whole = np.minimum(alignment.total_left, alignment.total_right)
    return (alignment.known >= rule.NEARLY_ALL * whole) & (alignment.own >= rule.MIN_OWN)


def _short_share(alignment: Alignment) -> Floats:
    """Return the share of both texts that is shared, 0 where it is not nearly all."""
    share = alignment.covered / np.maximum(alignment.words_left, alignment.words_right)
    return np.where(share >= rule.SHORT_SHARE, share, 0)


def may_score(alignment: Alignment) -> Bools:
    """Return which pairs may score more than 0, whatever their words weigh."""
    return (alignment.covered >= rule.MIN_WORDS) | (_short_share(alignment) > 0)


def strict_score(alignment: Alignment) -> Floats:
    """Return the containment of the pairs that are the same story beyond doubt, 0 for others.

    The first pass needs no weights, because it admits no hole worth the name. Its clusters
    tell which text is boilerplate; what is known to be it before makes no story.
    """
    matched = alignment.matched
    hole = np.maximum(alignment.hole, rule.END_COST / rule.HOLE_COST * alignment.end)
    hole_limit = np.minimum(rule.STRICT_HOLE * matched, rule.MAX_STRICT_HOLE)
    excess_limit = np.minimum(rule.STRICT_EXCESS * matched, rule.MAX_STRICT_EXCESS)
    is_strict = (
        (matched >= rule.MIN_WORDS)
        & (hole <= np.maximum(EDIT, hole_limit))
        & (alignment.excess <= np.maximum(EDIT, excess_limit))
        & (alignment.gap <= rule.MAX_STRICT_GAP)
    )
    return np.where(is_strict, _containment(alignment, with_edits=False), 0)

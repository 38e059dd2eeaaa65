"""Scores pairs: whether the story of one document is in the other.

The score is the share of the smaller story that is in the other document, less what other
text in its place takes. Not of the document: in a whole page the article may be an eighth
of the words. What stands *around* the shared text says nothing, and what stands *inside*,
in one place on both sides, is another story in the same template: the *hole*.

``score = C * max(0, 1 - cost / matched)``, where ``C`` is that share, ``matched`` is what
the shared words weigh, and the cost is that of a hole, of prose at one end of the match,
of text at places of its own, or of the entries of a listing, whichever takes most. All of
it is weighed by what the collection knows of boilerplate.

What is shared, and where it stands, is found in `dedupe.scoring.alignment`.
"""

import numpy as np

from dedupe.arrays import Bools, Floats, Ints
from dedupe.kernels.measures import EDIT
from dedupe.scoring import rule
from dedupe.scoring.alignment import Alignment, Story

__all__ = [
    "cost",
    "edited_words",
    "excess_words",
    "listing_words",
    "may_be_phrase",
    "may_score",
    "score",
    "story_share",
    "story_words",
    "strict_score",
]


def cost(alignment: Alignment) -> Floats:
    """Return how many shared words of each pair must make up for the prose that differs."""
    return np.maximum(_replacing(alignment), rule.EXCESS_COST * alignment.excess)


def _replacing(alignment: Alignment) -> Floats:
    """Return the cost of what stands in place of the shared text, or at an end of it."""
    found: Floats = np.maximum(rule.HOLE_COST * alignment.hole, rule.END_COST * alignment.end)
    return found


def score(alignment: Alignment, *, with_listings: bool = True) -> Floats:
    """Return how sure it is that the two documents of each pair hold the same story.

    It is `story_share`, less what other text in place of the story takes; and 0 where so
    little that is shared is known to be of no other story that it may be a phrase.

    Parameters
    ----------
    alignment : Alignment
    with_listings : bool
        Whether the entries of a listing take from the score. As long as boilerplate is still
        being learned, a story on forty sites may be taken for a frame, and the boxes in it
        would part its copies.
    """
    entries = with_listings * rule.ENTRY_COST * alignment.entries
    costs = np.maximum(cost(alignment), entries)
    left = np.maximum(0, 1 - costs / np.maximum(alignment.matched, 1))
    is_short = alignment.covered < rule.MIN_WORDS
    return story_share(alignment) * np.where(is_short, 1, left * ~may_be_phrase(alignment))


def may_be_phrase(alignment: Alignment) -> Bools:
    """Return for which pairs too little of what they share is known to be of no other story."""
    is_known = (alignment.known >= rule.MIN_WORDS) | _is_all_there(alignment)
    found: Bools = ~is_known & (alignment.covered >= rule.MIN_WORDS)
    return found


def story_share(alignment: Alignment) -> Floats:
    """Return the share of the smaller story of each pair that is in the other document.

    Under `MIN_WORDS` shared words it is 0, except between two texts that are hardly
    longer: they must share `SHORT_SHARE` of the words of both. Where words weigh little,
    a document that is wholly in the other needs only `MIN_OWN` of its own.
    """
    is_story = (alignment.matched >= rule.MIN_WORDS) | _is_all_there(alignment)
    shares = np.where(is_story, _containment(alignment.smaller), 0)
    short = _short_share(alignment.covered, alignment.longer)
    return np.where(alignment.covered < rule.MIN_WORDS, short, shares)


def story_words(alignment: Alignment, shares: Floats) -> Ints:
    """Return how many words the smaller story of each pair has; 0 where none is shared.

    They are words of prose, as `story_share` weighs them: its `shares` are of so many. Of two
    short texts it is a share of the longer one.
    """
    story = np.maximum(1, np.rint(alignment.smaller.whole))
    words = np.where(alignment.covered < rule.MIN_WORDS, alignment.longer, story)
    return np.where(shares > 0, words, 0).astype(np.int64)


def edited_words(alignment: Alignment, shares: Floats) -> Ints:
    """Return how many words of the smaller story count as shared, being edits.

    Words and shares as in `story_words`: some are shared, some edited, and the rest its own.
    """
    story = alignment.smaller
    edited = np.rint(np.minimum(story.edited, story.whole - story.shared))
    is_told = (alignment.covered >= rule.MIN_WORDS) & (shares > 0)
    return np.where(is_told, edited, 0).astype(np.int64)


def excess_words(alignment: Alignment) -> Ints:
    """Return how many words each side has at places of its own, 0 where a hole or an end decides.

    Words as in `story_words`.
    """
    is_deciding = rule.EXCESS_COST * alignment.excess > _replacing(alignment)
    return np.where(is_deciding, np.rint(alignment.excess), 0).astype(np.int64)


def listing_words(alignment: Alignment) -> Ints:
    """Return how many words of a listing differ, 0 where other prose decides."""
    is_deciding = rule.ENTRY_COST * alignment.entries > cost(alignment)
    return np.where(is_deciding, np.rint(alignment.entries), 0).astype(np.int64)


def _containment(story: Story) -> Floats:
    """Return the share of the smaller story of each pair that is in the other document."""
    found = story.shared + story.edited
    share = np.divide(found, story.whole, out=np.zeros_like(found), where=story.whole > 0)
    capped: Floats = np.minimum(1, share)
    return capped


def _is_all_there(alignment: Alignment) -> Bools:
    """Return for which pairs all that counts in one document is in the other.

    A form filled in has little that counts. But some of it must be nobody else's: a
    teaser is wholly in the pages that carry it, whichever story they tell.
    """
    whole: Floats = np.minimum(*alignment.totals)
    return (alignment.known >= rule.NEARLY_ALL * whole) & (alignment.own >= rule.MIN_OWN)


def _short_share(covered: Ints, longer: Ints) -> Floats:
    """Return the share of both texts that is shared, 0 where it is not nearly all."""
    share = covered / longer
    return np.where(share >= rule.SHORT_SHARE, share, 0)


def may_score(covered: Ints, longer: Ints) -> Bools:
    """Return which pairs may score more than 0, whatever their words weigh.

    Parameters
    ----------
    covered : int64 [shape=(n_pairs,)]
        Shared words, as `Alignment.covered` has them.
    longer : int64 [shape=(n_pairs,)]
        Words of the longer text of each.
    """
    return (covered >= rule.MIN_WORDS) | (_short_share(covered, longer) > 0)


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
    without_edits = alignment.smaller_with(np.zeros_like(alignment.edited))
    return np.where(is_strict, _containment(without_edits), 0)

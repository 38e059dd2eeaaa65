"""Scores pairs: whether the story of one document is in the other.

The score is the share of the smaller story that is in the other document, less what other
text in its place takes. Not of the document: in a whole page the article may be an eighth
of the words. What stands *around* the shared text says nothing, and what stands *inside*,
in one place on both sides, is another story in the same template: the *hole*.

``score = C * max(0, 1 - cost / matched)``, where ``C`` is that share, ``matched`` is what
the shared words weigh, and the cost is that of a hole, of prose at one end of the match,
of text at places of its own, or of the entries of a listing, whichever takes most. All of
it is weighed by what the collection knows of boilerplate.

What is shared, and where it stands, is found in `dedupe.scoring.alignment`; all of this is
reckoned for a pair at a time, in `dedupe.kernels.judging`.
"""

import numpy as np

from dedupe.arrays import Bools, Floats, Ints
from dedupe.kernels import judging
from dedupe.scoring import rule
from dedupe.scoring.alignment import Alignment

__all__ = [
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
    column = judging.SCORE if with_listings else judging.SCORE_WITHOUT_LISTINGS
    return _judged(alignment, column)


def may_be_phrase(alignment: Alignment) -> Bools:
    """Return for which pairs too little of what they share is known to be of no other story.

    It is where less than `MIN_WORDS` is, unless all that counts in one document is in the other.
    A form filled in has little that counts. But some of it must be nobody else's, `MIN_OWN`: a
    teaser is wholly in the pages that carry it, whichever story they tell.
    """
    found: Bools = _judged(alignment, judging.IS_PHRASE) > 0
    return found


def story_share(alignment: Alignment) -> Floats:
    """Return the share of the smaller story of each pair that is in the other document.

    Under `MIN_WORDS` shared words it is 0, except between two texts that are hardly
    longer: they must share `SHORT_SHARE` of the words of both. Where words weigh little,
    a document that is wholly in the other needs only `MIN_OWN` of its own.
    """
    return _judged(alignment, judging.SHARE)


def story_words(alignment: Alignment) -> Ints:
    """Return how many words the smaller story of each pair has; 0 where none is shared.

    They are words of prose, as `story_share` weighs them, which is of so many. Of two
    short texts it is a share of the longer one.
    """
    return _words(alignment, judging.STORY_WORDS)


def edited_words(alignment: Alignment) -> Ints:
    """Return how many words of the smaller story count as shared, being edits.

    Words as in `story_words`: some are shared, some edited, and the rest its own.
    """
    return _words(alignment, judging.EDITED_WORDS)


def excess_words(alignment: Alignment) -> Ints:
    """Return how many words each side has at places of its own, 0 where a hole or an end decides.

    Words as in `story_words`.
    """
    return _words(alignment, judging.EXCESS_WORDS)


def listing_words(alignment: Alignment) -> Ints:
    """Return how many words of a listing differ, 0 where other prose decides."""
    return _words(alignment, judging.LISTING_WORDS)


def may_score(covered: Ints, longer: Ints) -> Bools:
    """Return which pairs may score more than 0, whatever their words weigh.

    Parameters
    ----------
    covered : int64 [shape=(n_pairs,)]
        Shared words, as `Alignment.covered` has them.
    longer : int64 [shape=(n_pairs,)]
        Words of the longer text of each.
    """
    found: Bools = (covered >= rule.MIN_WORDS) | (covered / longer >= rule.SHORT_SHARE)
    return found


def strict_score(alignment: Alignment) -> Floats:
    """Return the containment of the pairs that are the same story beyond doubt, 0 for others.

    The first pass needs no weights, because it admits no hole worth the name. Its clusters
    tell which text is boilerplate; what is known to be it before makes no story.
    """
    return _judged(alignment, judging.STRICT)


def _judged(alignment: Alignment, column: int) -> Floats:
    found: Floats = alignment.judged[column]
    return found


def _words(alignment: Alignment, column: int) -> Ints:
    found: Ints = alignment.judged[column].astype(np.int64)
    return found

"""Says what two documents are to each other, in one word and in one line.

The numbers come from `dedupe.scoring.alignment` and `dedupe.scoring.score`; nothing
here looks at documents, so a saved result can be put into words without numba.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from dedupe.scoring import rule

__all__ = ["RELATIONS", "Relation", "reason", "relation"]

Relation = Literal[
    "identical", "same text", "contained", "version", "partial reuse", "same template", "different"
]
"""What two documents can be to each other; the first four are the same story."""

RELATIONS: tuple[Relation, ...] = get_args(Relation)


def relation(
    *, threshold: float, score: float, story_share: float, share_left: float, share_right: float
) -> Relation:
    """Name the relation of two documents that are not identical.

    Parameters
    ----------
    threshold : float, in [0.1, 1]
        The score from which two documents are the same story.
    score : float, in [0, 1]
    story_share : float, in [0, 1]
        Share of the smaller story that is in the other document; see
        `dedupe.scoring.score.story_share`.
    share_left, share_right : float, in [0, 1]
        Share of either document's words that the other has too.

    Returns
    -------
    str
        Where the score reaches the threshold, ``"same text"`` if nearly all of both
        documents is shared, ``"contained"`` if nearly all of one document or of the
        smaller story is, and else ``"version"``. Below it, ``"same template"`` if so much
        of the story is shared that only text in its place decides otherwise,
        ``"partial reuse"`` if a lesser part is, and ``"different"`` if there is no story in
        what they share.

    Examples
    --------
    >>> relation(threshold=0.45, score=0.95, story_share=0.95, share_left=1, share_right=0.4)
    'contained'
    >>> relation(threshold=0.45, score=0.3, story_share=0.3, share_left=0.3, share_right=0.2)
    'partial reuse'
    """
    if score >= threshold:
        if min(share_left, share_right) >= rule.NEARLY_ALL:
            return "same text"
        is_contained = max(share_left, share_right, story_share) >= rule.NEARLY_ALL
        return "contained" if is_contained else "version"
    if story_share >= threshold:
        return "same template"
    return "partial reuse" if story_share > 0 else "different"


def reason(row: Mapping[str, float]) -> str:
    """Say in one line what decided about two documents.

    Parameters
    ----------
    row : mapping from str to number
        What is known of the pair, by the names of `dedupe.scoring.passes.COLUMNS`; what
        is not there is 0.

    Examples
    --------
    >>> reason({"shared_words": 391, "story_share": 1})
    '391 words shared, no passage replaced'
    >>> row = {"shared_words": 59, "replaced_words": 21, "replaced_places": 9}
    >>> reason(row | {"story_share": 0.7})
    '59 words shared, 21 replaced in 9 places'
    """
    shared, excess, hole, boilerplate = (
        row.get(f"{name}_words", 0) for name in ("shared", "excess", "hole", "boilerplate")
    )
    if row.get("is_identical"):
        return f"all {shared} words are the same"
    is_excess = rule.EXCESS_COST * excess > rule.HOLE_COST * hole
    differing = (
        f"{excess} more in each at places where the other has none"
        if is_excess
        else _replaced(hole, row.get("replaced_words", 0), row.get("replaced_places", 0))
    )
    parts = f"{shared} words shared, {differing}"
    if boilerplate:
        parts += f"; {boilerplate} shared {_words_are(boilerplate)} boilerplate"
    if row.get("story_share", 0):
        return parts
    weighed = "" if shared < rule.MIN_WORDS else ", weighed by how many stories have them,"
    return f"{parts}: they are{weighed} fewer than the {rule.MIN_WORDS} that make a story"


def _words_are(n: float) -> str:
    """Return the noun and verb for a number of words."""
    return "word is" if n == 1 else "words are"


def _replaced(hole: float, replaced: float, places: float) -> str:
    """Say how many words are replaced, and where."""
    if not replaced:
        return "no passage replaced"
    if places == 1:
        return f"{replaced} replaced in one place"
    largest = f", {hole} of them in one" if hole else ""
    return f"{replaced} replaced in {places} places{largest}"

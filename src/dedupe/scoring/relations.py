"""Says what two documents are to each other, in one word and in one line.

The numbers come from `dedupe.scoring.alignment` and `dedupe.scoring.score`; nothing
here looks at documents, so a saved result can be put into words without numba.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from dedupe.arrays import Bools, Floats
from dedupe.scoring import rule

__all__ = ["DECISIVE", "RELATIONS", "Relation", "are_near", "reason", "relation"]

Relation = Literal[
    "identical", "same text", "contained", "version", "partial reuse", "same template", "different"
]
"""What two documents can be to each other; the first four are the same story."""

RELATIONS: tuple[Relation, ...] = get_args(Relation)


DECISIVE = (
    "is_identical",
    "story_share",
    "story_words",
    "shared_words",
    "edited_words",
    "hole_words",
    "is_at_end",
    "excess_words",
    "listing_words",
    "may_be_phrase",
    "boilerplate_words",
)
"""The columns of `dedupe.scoring.passes.COLUMNS` that `reason` goes by."""


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


def are_near(share_left: Floats, share_right: Floats) -> Bools:
    """Return which pairs are of near-copies, given the shares of `relation`."""
    return (share_left >= rule.NEAR) & (share_right >= rule.NEAR)


def reason(row: Mapping[str, float]) -> str:
    """Say in one line what decided about two documents.

    Where they share a story, its words are those that the score goes by: prose of the
    smaller story, boilerplate at what little it weighs. Those shared and those edited
    together are the share `story_share` of them, and where no text stands in place of others,
    that is the score; the rest is missing from the other document.

    Parameters
    ----------
    row : mapping from str to number
        What is known of the pair, by the names of `dedupe.scoring.passes.COLUMNS`; what
        is not there is 0.

    Examples
    --------
    >>> row = {"score": 1, "story_share": 1, "story_words": 391, "shared_words": 391}
    >>> reason(row)
    'all 391 words of the smaller story shared'
    >>> row = {"score": 0.38, "story_share": 0.7, "story_words": 97, "shared_words": 59}
    >>> reason(row | {"edited_words": 9, "hole_words": 21})
    '59 of 97 words of the smaller story shared, 9 edited, 21 replaced in one place'
    """
    shared, boilerplate = row.get("shared_words", 0), row.get("boilerplate_words", 0)
    if row.get("is_identical"):
        return f"{_all(shared)} {_are(shared)} the same"
    if not row.get("story_share"):
        return _too_few(shared, boilerplate)
    found = _n_found(row)
    parts = [_shared(row, found), *(_differing(row) or _missing(row, found))]
    if row.get("may_be_phrase"):
        parts.insert(1, "which may be a phrase")
    known = f"; {_boilerplate(shared, boilerplate)}" if boilerplate else ""
    return ", ".join(parts) + known


def _n_found(row: Mapping[str, float]) -> float:
    """Return how many words of the smaller story are in the other document, edits included."""
    share, whole = row["story_share"], row["story_words"]
    found: float = round(share * whole)
    # Part of a word that is missing is no reason to say that all are there.
    return found if round(share, 6) == 1 else min(found, whole - 1)


def _shared(row: Mapping[str, float], found: float) -> str:
    """Say how many of the words that were found are shared, and how many edited."""
    whole = row["story_words"]
    edited = min(row.get("edited_words", 0), found)
    is_short = row["shared_words"] < rule.MIN_WORDS
    text = "longer text" if is_short else "smaller story"
    shared = found - edited
    count = _all(whole) if shared == whole else f"{shared} of {whole} words"
    return f"{count} of the {text} shared" + (f", {edited} edited" if edited else "")


def _missing(row: Mapping[str, float], found: float) -> list[str]:
    """Say how many words were not found, where nothing else takes from the score.

    The other document may have some of its own there, all over the text or at other places
    than these: then nothing tells which stand in place of which.
    """
    missing = row["story_words"] - found
    return [f"{missing} missing from the other"] if missing else []


def _differing(row: Mapping[str, float]) -> list[str]:
    """Say what of the smaller story differs where the other document has a text, too."""
    hole, excess = row.get("hole_words", 0), row.get("excess_words", 0)
    entries = row.get("listing_words", 0)
    if entries:
        return [f"but {entries} words of a listing differ"]
    if excess:
        place = "a place" if excess == 1 else "places"
        return [f"{excess} more in each at {place} where the other has none"]
    if hole:
        return [f"{hole} replaced {'at one end' if row.get('is_at_end') else 'in one place'}"]
    return []


def _boilerplate(shared: float, boilerplate: float) -> str:
    """Say how many shared words are boilerplate, and what follows."""
    if shared == 1:
        return "the only shared word is boilerplate and counts less"
    count = "all" if boilerplate == shared else f"{boilerplate} of"
    less = "counts less" if boilerplate == 1 else "count less"
    return f"{count} {shared} shared words {_are(boilerplate)} boilerplate and {less}"


def _too_few(shared: float, boilerplate: float) -> str:
    """Say that what two documents share is no story."""
    if not shared:
        return "no words shared"
    told = f"{shared} {_words(shared)} shared"
    if shared < rule.MIN_WORDS:
        return f"{told}, fewer than the {rule.MIN_WORDS} that make a story"
    count = "all" if boilerplate == shared else boilerplate
    whose = f"{count} of them boilerplate" if boilerplate else "which other stories have, too"
    return f"{told}, {whose}: they count as fewer than the {rule.MIN_WORDS} that make a story"


def _all(n: float) -> str:
    """Return the phrase for all of a number of words."""
    return "the only word" if n == 1 else f"all {n} words"


def _words(n: float) -> str:
    """Return the noun for a number of words."""
    return "word" if n == 1 else "words"


def _are(n: float) -> str:
    """Return the verb for a number of words."""
    return "is" if n == 1 else "are"

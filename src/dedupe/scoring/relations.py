"""Says what two documents are to each other, in one word and in one line.

The numbers come from `dedupe.scoring.alignment` and `dedupe.scoring.score`; nothing
here looks at documents, so a saved result can be put into words without numba.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Floats
from dedupe.scoring import rule

__all__ = ["VERDICTS", "reason", "verdicts"]

VERDICTS = ("different", "overlapping", "contained", "same text", "same template", "identical")
"""What two documents can be to each other."""


def verdicts(
    scores: Floats, costs: Floats, matched: Floats, share_left: Floats, share_right: Floats
) -> npt.NDArray[np.uint8]:
    """Name the relation of the documents of some pairs, none of them identical.

    Parameters
    ----------
    scores : float64 [shape=(n_pairs,)], in [0, 1]
    costs : float64 [shape=(n_pairs,)]
        Shared words that must make up for the stories in a template; see `template_cost`.
    matched : float64 [shape=(n_pairs,)]
        Shared words, weighted.
    share_left, share_right : float64 [shape=(n_pairs,)], in [0, 1]
        Share of either document's words that the other has too.

    Returns
    -------
    uint8 [shape=(n_pairs,)], places in VERDICTS
        ``"same template"`` when text that differs in one place takes so much of the
        score that the rest is under the default threshold;
        ``"same text"`` when nearly all of both is shared, ``"contained"`` when
        nearly all of one is; ``"overlapping"`` when the score is above 0 all the
        same; otherwise ``"different"``.

    Examples
    --------
    >>> facts = np.array([[0.95, 0, 400, 1.0, 0.4], [0.0, 200, 150, 0.6, 0.6]])
    >>> [VERDICTS[place] for place in verdicts(*facts.T)]
    ['contained', 'same template']
    """
    conditions = {
        "same template": (costs > rule.TEMPLATE_SHARE * matched) & (matched > 0),
        "different": scores == 0,
        "same text": np.minimum(share_left, share_right) >= rule.NEARLY_ALL,
        "contained": np.maximum(share_left, share_right) >= rule.NEARLY_ALL,
    }
    places = [VERDICTS.index(name) for name in conditions]
    found = np.select([*conditions.values()], places, VERDICTS.index("overlapping"))
    return found.astype(np.uint8)


def reason(verdict: str, row: Mapping[str, float]) -> str:
    """Say in one line what decided about two documents.

    Parameters
    ----------
    verdict : str
    row : mapping from str to number
        What is known of the pair, by the names of `dedupe.scoring.passes.COLUMNS`; what
        is not there is 0.

    Examples
    --------
    >>> reason("contained", {"shared_words": 391, "matched": 391})
    '391 words shared, no passage replaced'
    >>> row = {"shared_words": 59, "matched": 59, "replaced_words": 21, "replaced_places": 9}
    >>> reason("overlapping", row)
    '59 words shared, 21 replaced in 9 places'
    >>> row = {"shared_words": 512, "matched": 256, "hole_words": 97}
    >>> reason("same template", row | {"replaced_words": 97, "replaced_places": 1})
    '512 words shared, 97 replaced in one place: same template, different story'
    """
    shared, excess, hole, boilerplate = (
        row.get(f"{name}_words", 0) for name in ("shared", "excess", "hole", "boilerplate")
    )
    if verdict == "identical":
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
    if verdict == "same template":
        return f"{parts}: same template, different story"
    if verdict != "different" or row.get("matched", 0) >= rule.MIN_WORDS:
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

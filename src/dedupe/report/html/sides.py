"""Two texts side by side, built from the evidence of a pair.

`of_texts` shows both texts in full; `of_excerpts` makes do with what a saved result
holds, the longest passages, shortened. The rows are made in `dedupe.report.html.rows`.
"""

from dataclasses import dataclass, replace

from dedupe.ids import Id
from dedupe.report.html.rows import Row, Side, make_rows, tidied
from dedupe.results.records import Comparison, Evidence

__all__ = ["Sides", "mirrored", "of_excerpts", "of_texts"]


@dataclass(frozen=True, slots=True)
class Sides:
    """Two texts side by side.

    Attributes
    ----------
    left, right : str
        The ids, with control characters visible.
    rows : tuple of Row
    is_full : bool
        Whether the rows hold both texts in full. Otherwise they are excerpts, and
        shared passages appear on the left only.
    left_out : tuple of str
        Sentences that say what the excerpts leave out.
    """

    left: str
    right: str
    rows: tuple[Row, ...]
    is_full: bool
    left_out: tuple[str, ...] = ()


def of_texts(comparison: Comparison) -> Sides:
    """Return both texts of a comparison in full, aligned."""
    pair, found = comparison.pair, comparison.pair.evidence
    assert found is not None, "a comparison always has evidence"
    left = Side(comparison.left_text, [p.left for p in found.passages], found.only_left)
    right = Side(comparison.right_text, [p.right for p in found.passages], found.only_right)
    rows = tuple(make_rows(found.passages, left, right))
    return Sides(tidied(str(pair.left)), tidied(str(pair.right)), rows, is_full=True)


def of_excerpts(left: Id, right: Id, found: Evidence) -> Sides:
    """Return the excerpts that the evidence of a pair holds; `left` and `right` are ids."""
    one = Side(None, [p.left for p in found.passages], found.only_left)
    other = Side(None, [p.right for p in found.passages], found.only_right)
    rows = tuple(make_rows(found.passages, one, other))
    sides = ("shared", found.more_passages), ("only left", found.more_left)
    left_out = tuple(
        f"{what}: {more.n:,} shorter, {more.n_words:,} words"
        for what, more in (*sides, ("only right", found.more_right))
        if more.n
    )
    return Sides(tidied(str(left)), tidied(str(right)), rows, is_full=False, left_out=left_out)


def mirrored(found: Evidence) -> Evidence:
    """Return evidence with its sides swapped, in the order of the new left side."""
    passages = sorted(
        (replace(p, left=p.right, right=p.left) for p in found.passages), key=lambda p: p.left
    )
    return replace(
        found,
        passages=tuple(passages),
        only_left=found.only_right,
        only_right=found.only_left,
        covered_left=found.covered_right,
        covered_right=found.covered_left,
        more_left=found.more_right,
        more_right=found.more_left,
    )

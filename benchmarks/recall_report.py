"""What `recall` counted, as tables: by similarity, beside the S-curve, and by kind."""

from collections.abc import Sequence
from typing import Any

from tables import Table

RATES = {
    "expected": "expected",
    "agree": "agree somewhere",
    "possible": "above the floor",
    "candidate": "candidates",
    "linked": "linked",
}
"""Steps that a pair passes, and the heading of each."""

HEAD = ("pairs", *RATES.values())
N_LISTED = 50

Facts = dict[str, Any]


def by_similarity(facts: Facts) -> Table:
    """Return a row for each range of similarities that has a pair."""
    rows = [
        [f"{one['low']:g} to {one['high']:g}", *_cells(one)] for one in facts["bins"] if one["n"]
    ]
    caption = (
        f"{facts['n_documents']:,} documents, {facts['n_candidates']:,} candidates; "
        f"{facts['n_identical']:,} planted pairs that are identical are not counted. Expected: "
        "the mean of 1 - (1 - J)^128 over the exact similarities J of the pairs. Linked: "
        "candidates, or both candidates of one other document of their story."
    )
    return Table(["Jaccard similarity", *HEAD], rows, caption)


def by_kind(facts: Facts) -> Table:
    """Return a row for each kind of pair, of those that are contained by half or more."""
    rows = [[one["kind"], *_cells(one)] for one in facts["kinds"] if one["n"]]
    rows.append(["all but the deep ones", *_cells(facts["ordinary"])])
    caption = (
        f"Pairs with a containment of {facts['containment']:g} or more; deep ones are there to "
        f"show where candidates begin to be missed. {_losses(facts['missed'])}"
    )
    return Table(["kind", *HEAD], rows, caption)


def _losses(lost: Sequence[Facts]) -> str:
    """Say which pairs that should be linked are not."""
    if not lost:
        return "Of the others every pair is linked."
    listed = "; ".join(
        f"{one['kind']} {one['id']}, {one['n_shingles'][0]:,} and {one['n_shingles'][1]:,} "
        f"shingles, J {one['jaccard']:.3f}, {one['why']}"
        for one in lost[:N_LISTED]
    )
    return f"Of the others {len(lost):,} are not linked: {listed}."


def _cells(one: Facts) -> list[str]:
    return [f"{one['n']:,}", *(f"{one[name]:.4f}" if name in one else "–" for name in RATES)]

"""What a search knows of scored pairs: rows of numbers, and the records made of them.

A row takes 74 bytes, a `Pair` ten times as many. What a row means is decided in
`dedupe.scoring.score`; the sequence that makes records when they are looked at is
`dedupe.results.pairs.ScoredPairs`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import Evidence, Pair
from dedupe.scoring import score as scoring
from dedupe.scoring.alignment import Alignment, Block, similarities

__all__ = [
    "FACTS",
    "Facts",
    "identical_facts",
    "is_identical",
    "make_facts",
    "numbers_of",
    "scored_pairs",
]

FACTS = np.dtype(
    [
        ("left", np.int32),
        ("right", np.int32),
        ("score", np.float64),
        ("jaccard", np.float64),
        ("containment_left", np.float64),
        ("containment_right", np.float64),
        ("verdict", np.uint8),
        ("shared_words", np.int32),
        ("matched", np.float64),
        ("hole_words", np.int32),
        ("replaced_words", np.int32),
        ("replaced_places", np.int32),
        ("excess_words", np.int32),
        ("furniture_words", np.int32),
        ("has_evidence", np.bool_),
    ]
)
"""What is known of a scored pair: the documents by number, and the fields of `Pair` or what
they follow from."""

IDENTICAL = scoring.VERDICTS.index("identical")

Facts = npt.NDArray[np.void]
Whole = npt.NDArray[np.signedinteger[Any]]
FindEvidence = Callable[[int, int], Evidence]


def make_facts(block: Block, alignment: Alignment, floor: float) -> Facts:
    """Return the pairs of an alignment that score at least `floor`, by places in the block."""
    scores = scoring.score(alignment)
    rows = np.flatnonzero(scores >= floor)
    facts = np.zeros(rows.size, FACTS)
    facts["left"], facts["right"] = alignment.left[rows], alignment.right[rows]
    facts["score"] = scores[rows]
    facts["jaccard"], facts["containment_left"], facts["containment_right"] = similarities(
        block, alignment, rows
    )
    facts["verdict"] = scoring.verdicts(
        scores[rows],
        scoring.template_cost(alignment)[rows],
        alignment.matched[rows],
        (alignment.covered_left / alignment.words_left)[rows],
        (alignment.covered_right / alignment.words_right)[rows],
    )
    facts["shared_words"] = alignment.covered[rows]
    facts["matched"] = alignment.matched[rows]
    facts["hole_words"] = alignment.hole[rows]
    facts["replaced_words"] = alignment.replaced[rows]
    facts["replaced_places"] = alignment.places[rows]
    facts["excess_words"] = alignment.excess[rows]
    facts["furniture_words"] = alignment.furniture[rows]
    return facts


def identical_facts(pairs: Whole, n_words: Whole) -> Facts:
    """Return pairs of documents with the same tokens, and so many of them."""
    facts = np.zeros(len(pairs), FACTS)
    facts["left"], facts["right"] = pairs.T
    for name in ("score", "jaccard", "containment_left", "containment_right"):
        facts[name] = 1.0
    facts["verdict"] = IDENTICAL
    facts["shared_words"] = facts["matched"] = n_words
    return facts


def numbers_of(facts: Facts) -> npt.NDArray[np.int32]:
    """Return both documents of some pairs."""
    return np.stack([facts["left"], facts["right"]], axis=1)


def is_identical(facts: Facts) -> npt.NDArray[np.bool_]:
    """Return which pairs are exact copies."""
    found: npt.NDArray[np.bool_] = facts["verdict"] == IDENTICAL
    return found


def scored_pairs(
    facts: Facts, ids: Sequence[str], find_evidence: FindEvidence | None = None
) -> ScoredPairs:
    """Return the facts of some pairs as a sequence of `Pair`.

    Parameters
    ----------
    facts : FACTS [shape=(n_pairs,)]
        The numbers of documents are places among the ids.
    ids : sequence of str, in order
    find_evidence : callable, optional
        Gives the evidence of two documents, by number.
    """
    return ScoredPairs(
        ids,
        numbers_of(facts),
        scores=facts["score"],
        jaccards=facts["jaccard"],
        containments=np.maximum(facts["containment_left"], facts["containment_right"]),
        is_identical=is_identical(facts),
        make=partial(_pair, facts, ids, find_evidence),
    )


def _pair(facts: Facts, ids: Sequence[str], find_evidence: FindEvidence | None, place: int) -> Pair:
    """Return a row of facts as a pair with a verdict and a reason."""
    row = dict(zip(FACTS.names or (), facts[place].item(), strict=True))
    verdict = scoring.VERDICTS[row["verdict"]]
    left, right = row["left"], row["right"]
    return Pair(
        left=ids[left],
        right=ids[right],
        score=row["score"],
        jaccard=row["jaccard"],
        containment=max(row["containment_left"], row["containment_right"]),
        containment_left=row["containment_left"],
        containment_right=row["containment_right"],
        verdict=verdict,
        reason=scoring.reason(
            verdict,
            row["shared_words"],
            matched=row["matched"],
            hole=row["hole_words"],
            replaced=row["replaced_words"],
            places=row["replaced_places"],
            excess=row["excess_words"],
            furniture=row["furniture_words"],
        ),
        shared_words=row["shared_words"],
        hole_words=row["hole_words"],
        furniture_words=row["furniture_words"],
        find_evidence=partial(find_evidence, left, right)
        if find_evidence and row["has_evidence"]
        else None,
    )

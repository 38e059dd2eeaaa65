"""Rows of numbers about pairs, and the records that are made of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blocks import documents, make_block, ngrams
from dedupe.results.pairs import pairs_of
from dedupe.results.records import Evidence
from dedupe.scoring import score
from dedupe.scoring.alignment import align, similarities
from dedupe.scoring.passes import (
    FACTS,
    identical_facts,
    is_identical,
    make_facts,
    numbers_of,
    scored_pairs,
)

# --- laws ---


@given(documents, documents, ngrams, st.sampled_from([0.0, 0.1, 0.5]))
def test_a_pair_says_what_was_measured(one, other, ngram, floor):
    block = make_block([one, other], ngram)
    alignment = align(block, np.array([0]), np.array([1]))
    facts = make_facts(block, alignment, floor)
    assert len(facts) == (score(alignment)[0] >= floor)
    for pair in scored_pairs(facts, ["a", "b"]):
        jaccard, left, right = (
            float(shares[0]) for shares in similarities(block, alignment, np.array([0]))
        )
        assert (pair.left, pair.right, pair.score) == ("a", "b", score(alignment)[0])
        assert (pair.jaccard, pair.containment_left, pair.containment_right) == (
            jaccard,
            left,
            right,
        )
        assert pair.containment == max(left, right)
        assert pair.shared_words == alignment.covered[0]
        assert pair.hole_words == alignment.hole[0]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9), st.integers(1, 99)), max_size=5))
def test_identical_pairs_share_every_word(rows):
    pairs = pairs_of([row[:2] for row in rows])
    facts = identical_facts(pairs, np.array([row[2] for row in rows], np.int64))
    assert numbers_of(facts).tolist() == pairs.tolist()
    assert is_identical(facts).all()
    found = list(scored_pairs(facts, "abcdefghij"))
    assert [(pair.verdict, pair.score, pair.jaccard) for pair in found] == [
        ("identical", 1.0, 1.0)
    ] * len(rows)
    assert [pair.shared_words for pair in found] == [row[2] for row in rows]


# --- edges ---


def test_no_facts_are_no_pairs():
    nothing = np.empty(0, FACTS)
    assert numbers_of(nothing).shape == (0, 2)
    assert list(scored_pairs(nothing, [])) == []


def test_evidence_is_found_only_where_there_is_some():
    facts = identical_facts(pairs_of([[0, 1], [0, 2]]), np.array([7, 7]))
    facts["has_evidence"] = [True, False]
    nothing = Evidence((), (), (), 1.0, 1.0)
    asked = []
    pairs = scored_pairs(facts, "abc", lambda *sides: asked.append(sides) or nothing)
    assert [pair.evidence for pair in pairs] == [nothing, None]
    assert asked == [(0, 1)]

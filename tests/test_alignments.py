"""Texts aligned several at once: what each pair alone would say, and no more work than it saves."""

from itertools import chain, combinations

import pytest

import dedupe
from dedupe.results import evidence
from dedupe.results.alignments import N_TOGETHER, align, find_together, together
from dedupe.results.lookup import from_left
from dedupe.results.result import Result
from strategies import article

STORY, FRAME = article("story", 60), article("frame", 30)
PARTS = ("first", "second", "third", "fourth")
TEXTS = {part: f"{FRAME}\n{STORY}\n{article(part, 20)}" for part in PARTS}
TEXTS |= {f"other {part}": f"{FRAME}\n{article(f'other {part}', 80)}" for part in PARTS}


@pytest.fixture
def made(monkeypatch):
    """Note how many texts are hashed together for evidence."""
    sizes = []
    hash_tokens = evidence.hash_tokens
    monkeypatch.setattr(
        evidence,
        "hash_tokens",
        lambda texts, **detail: sizes.append(len(texts)) or hash_tokens(texts, **detail),
    )
    return sizes


def test_pairs_aligned_together_are_those_aligned_alone(made):
    found = dedupe.find_duplicate_texts(TEXTS)
    sides = [*combinations(PARTS, 2), ("second", "first")]
    alone = [found.aligned(*one) for one in sides]
    pairs = [from_left(left, found.pair(left, right)) for left, right in sides]
    made.clear()
    some = align(pairs, TEXTS, found.settings, found.boilerplate)
    assert made == [len(PARTS)]
    assert some == alone
    assert [one.pair.evidence for one in some] == [one.pair.evidence for one in alone]


def test_evidence_found_together_is_that_found_alone(made):
    found = dedupe.find_duplicate_texts(TEXTS)
    alone = [pair.evidence for pair in found.scored]
    assert len(list(filter(None, alone))) > 1
    pairs = list(found.scored)
    made.clear()
    find_together(pairs)
    assert [pair.evidence for pair in pairs] == alone
    assert len(made) == 1


def test_long_texts_are_hashed_a_few_at_a_time(made, monkeypatch):
    found = dedupe.find_duplicate_texts(TEXTS)
    alone = [pair.evidence for pair in found.scored]
    pairs = list(found.scored)
    made.clear()
    monkeypatch.setattr(evidence, "CHARS_TOGETHER", 1)
    find_together(pairs)
    assert [pair.evidence for pair in pairs] == alone
    assert set(made) == {2}


def test_evidence_that_is_known_is_not_found_again(made):
    found = dedupe.find_duplicate_texts(TEXTS)
    (pair, *_) = found.scored
    known = pair.evidence
    saved = Result.from_json(found.to_json()).scored
    made.clear()
    for pairs in ([pair], list(saved), []):
        find_together(pairs)
    assert pair.evidence is known
    assert not made


def test_nothing_to_align_is_nothing_to_hash(made):
    found = dedupe.find_duplicate_texts(TEXTS)
    assert align([], {}, found.settings, found.boilerplate) == []
    assert not made


@pytest.mark.parametrize("n", [0, 1, N_TOGETHER, N_TOGETHER + 1, 3 * N_TOGETHER])
def test_groups_hold_all_items_in_order_and_only_the_last_is_small(n):
    groups = list(together(range(n)))
    assert list(chain.from_iterable(groups)) == list(range(n))
    assert all(len(group) == N_TOGETHER for group in groups[:-1])
    assert all(groups)

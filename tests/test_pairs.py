"""Pairs as arrays: a sequence like any other, found by its documents, and fit to travel."""

import pickle
from dataclasses import asdict, replace
from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe import Result, find_duplicate_texts, find_duplicates
from dedupe.arrays import keys_of, pairs_of
from dedupe.results import pairs
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import Evidence, Pair

IDS = ["a", "b", "c", "d", "e"]
STORY = "the council voted on monday to close the old bridge for repairs until next spring " * 3
TEXTS = {"agency": STORY, "page": "home news sport " + STORY, "twin": STORY}


FACTS = (0.5, 0.5, 1.0, 1.0, 0.5, 0.5, 1.0, 0.5, "contained", "why", 40, 40, 0, 0)


def make_pair(left, right):
    return Pair(IDS[left], IDS[right], *FACTS)


chosen = st.lists(st.sampled_from([*combinations(range(5), 2)]), unique=True)


# --- laws ---


@given(chosen, st.integers(-6, 6), st.integers(-6, 6), st.sampled_from([None, 1, 2, -1]))
def test_it_is_a_sequence_as_a_list_is(numbers, start, end, step):
    pairs = [make_pair(*sides) for sides in numbers]
    scored = ScoredPairs.of(pairs, IDS)
    assert scored == pairs
    assert list(scored) == pairs
    assert list(scored[start:end:step]) == pairs[start:end:step]
    assert scored[start:end:step].numbers.tolist() == [[*s] for s in numbers[start:end:step]]
    assert (scored[-1] is pairs[-1]) if pairs else not scored


@given(chosen, st.data(), st.integers(1, 3))
def test_pairs_built_together_are_those_built_alone(numbers, data, n_at_once):
    scored = ScoredPairs.of([make_pair(*sides) for sides in numbers], IDS)
    places = data.draw(st.lists(st.sampled_from(range(len(numbers))) if numbers else st.nothing()))
    built = scored.built(np.array(places, np.int64))
    assert all(one is scored[place] for one, place in zip(built, places, strict=True))
    with patch.object(pairs, "N_AT_ONCE", n_at_once):
        assert list(scored) == [scored[place] for place in range(len(scored))]


def test_its_arrays_say_what_its_pairs_do():
    found = find_duplicate_texts(TEXTS | {"long": STORY + "and other words " * 9})
    loaded = Result.from_json(found.to_json())
    ids = [document.id for document in found.documents]
    for scored in (found.scored, found.scored[1:], ScoredPairs.of(loaded.scored, ids)):
        rows = [scored.scores, scored.jaccards, scored.containments]
        assert np.transpose(rows).tolist() == [[p.score, p.jaccard, p.containment] for p in scored]
        assert len(scored) > 2
        backwards = np.arange(len(scored))[::-1]
        assert scored.reasons(backwards) == [pair.reason for pair in reversed(scored)]
        assert scored.at(0.9).reasons(backwards) == scored.reasons(backwards)


@given(chosen, chosen)
def test_pairs_are_found_from_either_side(numbers, wanted):
    scored = ScoredPairs.of([make_pair(*sides) for sides in numbers], IDS)
    expected = [numbers.index(sides) if sides in numbers else -1 for sides in wanted]
    assert scored.places(wanted).tolist() == expected
    assert scored.places([sides[::-1] for sides in wanted]).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))))
def test_keys_tell_pairs_apart_and_not_their_sides(numbers):
    keys = keys_of(pairs_of(numbers)).tolist()
    assert keys == keys_of(pairs_of(numbers)[:, ::-1]).tolist()
    assert len(set(keys)) == len({frozenset(sides) for sides in numbers})


# --- edges ---


def test_what_lies_outside():
    scored = ScoredPairs.of([make_pair(0, 1)], IDS)
    for place in (1, -2):
        with pytest.raises(IndexError):
            scored[place]
    with pytest.raises(KeyError):
        ScoredPairs.of([make_pair(0, 1)], ["a", "z"])
    assert scored != "a pair"
    assert scored != 1


def test_no_pairs_have_no_keys():
    assert pairs_of([]).shape == (0, 2)
    assert keys_of(pairs_of([])).size == 0


# --- evidence ---


def test_evidence_is_found_when_it_is_asked_for_and_once():
    asked = []
    nothing = Evidence((), (), (), 0.0, 0.0)
    pair = Pair("a", "b", *FACTS, find_evidence=lambda: asked.append(1) or nothing)
    assert not asked
    assert pair.evidence is pair.evidence is nothing
    assert asked == [1]
    assert asdict(pair) == asdict(replace(pair)) == asdict(make_pair(0, 1))


@pytest.mark.parametrize("memory", [None, 1])
def test_a_pickled_result_takes_its_evidence_along(memory):
    result = find_duplicate_texts(TEXTS, memory=memory)
    loaded = pickle.loads(pickle.dumps(result))
    expected = result.to_json()
    del result
    assert loaded.to_json() == expected


@pytest.mark.parametrize("memory", [None, 1])
def test_the_texts_of_a_result_stay_with_this_process(memory):
    result = find_duplicate_texts(TEXTS, memory=memory)
    assert result.texts == {document.id: TEXTS[document.id] for document in result.documents}
    assert result.at(0.9).texts is result.texts
    assert "unknown" not in result.texts
    assert pickle.loads(pickle.dumps(result)).texts == {}
    assert Result.from_json(result.to_json()).texts == {}


def test_evidence_outlives_the_files_it_came_from(tmp_path):
    for name, text in TEXTS.items():
        (tmp_path / name).with_suffix(".txt").write_text(text)
    result = find_duplicates(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    assert result.pairs[0].evidence.passages

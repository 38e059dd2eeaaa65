"""What was found: the questions people ask of it."""

from dataclasses import FrozenInstanceError, asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedupe
from dedupe.errors import (
    DedupeError,
    InvalidResult,
    InvalidSetting,
    MissingExtra,
    Skipped,
    UnknownDocument,
)
from dedupe.results.records import Cluster, Comparison
from dedupe.results.result import Result
from dedupe.results.rows import STAYS
from dedupe.scoring.relations import RELATIONS
from found import make_pair, make_result, members, scores, thresholds

# --- laws ---


@given(scores, thresholds, thresholds)
def test_another_threshold_and_back_is_the_identity(found, threshold, other):
    result = make_result(found, threshold=threshold)
    assert result.at(other).at(threshold) == result


@given(scores, thresholds, thresholds)
def test_raising_the_threshold_only_removes_pairs(found, one, other):
    result = make_result(found)
    low, high = (
        {(pair.left, pair.right) for pair in result.at(x).pairs} for x in sorted([one, other])
    )
    assert high <= low
    for before, after in zip(result.scored, result.at(one).scored, strict=True):
        assert replace(after, relation=before.relation) == before
        assert (after.relation in RELATIONS[:4]) == (after.score >= one)


@given(scores)
def test_a_row_for_each_member(found):
    result = make_result(found)
    rows = list(result.rows())
    assert sorted(row["id"] for row in rows) == sorted(name for c in members(result) for name in c)
    for number, cluster in enumerate(result.clusters, start=1):
        first, *others = [row for row in rows if row["cluster"] == number]
        assert (first["id"], first["duplicate_of"]) == (cluster.representative, "")
        dropped = {duplicate.id for duplicate in result.duplicates}
        for row in others:
            assert row["duplicate_of"] == (cluster.representative if row["id"] in dropped else "")
            assert (row["reason"] == STAYS) == (row["id"] not in dropped)


@given(scores)
def test_a_pair_that_was_no_candidate_joins_nothing(found):
    result = make_result(found)
    scored = tuple(replace(one, is_candidate=one.relation == "identical") for one in result.scored)
    apart = replace(result, scored=scored).at(0.1)
    alike = {pair: score for pair, score in found.items() if score == 1}
    assert members(apart) == members(make_result(alike))


@given(scores, st.integers(0, 9))
def test_borderline_pairs_are_the_nearest(found, n):
    result = make_result(found)
    distances = sorted(abs(pair.score - 0.4) for pair in result.scored)
    assert [abs(pair.score - 0.4) for pair in result.borderline(n)] == distances[:n]


# --- questions ---

FOUND = make_result({"ab": 0.9, "ac": 0.6, "bc": 0.3, "cd": 0.35, "de": 0.1})


def test_confirmed_pairs_are_those_that_reach_the_threshold():
    assert [(pair.left, pair.right) for pair in FOUND.pairs] == [("a", "b"), ("a", "c")]
    assert len(FOUND.scored) == 5


def test_a_pair_by_its_documents_in_any_order():
    assert FOUND.pair("c", "a") == FOUND.pair("a", "c") == FOUND.scored[1]


@given(scores, thresholds)
def test_every_scored_pair_has_one_relation(found, threshold):
    result = make_result(found).at(threshold)
    apart = [pair for relation in RELATIONS for pair in result.related(relation)]
    assert sorted(apart, key=lambda pair: (-pair.score, pair.left, pair.right)) == [*result.scored]


def test_of_pairs_that_score_the_same_those_that_share_more_come_first():
    rows = {"ab": 0.0, "ac": 0.0, "bc": 0.2}
    found = make_result(rows)
    shares = {("a", "b"): 0.2, ("a", "c"): 0.4, ("b", "c"): 0.2}
    scored = [replace(pair, story_share=shares[pair.left, pair.right]) for pair in found.scored]
    result = replace(found, scored=[replace(pair, relation="partial reuse") for pair in scored])
    told = [(pair.left, pair.right) for pair in result.related("partial reuse")]
    assert told == [("b", "c"), ("a", "c"), ("a", "b")]


def test_a_relation_that_there_is_none_of():
    with pytest.raises(InvalidSetting, match=r"must be one of identical, same text, .* got 'near'"):
        FOUND.related("near")


def test_a_pair_that_was_not_scored():
    with pytest.raises(UnknownDocument, match="'a' and 'x' must have been scored together"):
        FOUND.pair("x", "a")


STORY = " ".join(f"word{i}" for i in range(60))
TEXTS = {"a": f"Menu and more. {STORY}", "b": f"{STORY} The end.", "c": STORY}


@pytest.mark.parametrize("sides", [("a", "b"), ("b", "a"), ("c", "a")])
def test_a_pair_aligned_is_what_a_comparison_within_the_corpus_says(sides):
    found = dedupe.find_duplicate_texts(TEXTS)
    aligned = found.aligned(*sides)
    left, right = (TEXTS[side] for side in sides)
    compared = dedupe.compare_texts(left, right, corpus=found)
    assert (aligned.left_text, aligned.right_text) == (left, right)
    assert (aligned.pair.left, aligned.pair.right) == sides
    assert aligned.pair == replace(compared.pair, left=sides[0], right=sides[1])
    assert aligned.pair.evidence == compared.pair.evidence
    assert (aligned.threshold, aligned.knows_boilerplate) == (0.45, True)


def test_the_pair_is_not_scored_again_when_it_is_aligned():
    found = dedupe.find_duplicate_texts(TEXTS)
    low = replace(found, scored=tuple(replace(pair, score=0.123) for pair in found.scored))
    assert low.aligned("a", "b").pair.score == 0.123


def test_a_loaded_result_takes_the_texts_to_align():
    found = dedupe.find_duplicate_texts(TEXTS)
    loaded = Result.from_json(found.to_json())
    assert loaded.aligned("a", "b") is None
    assert loaded.aligned("a", "b", TEXTS) == found.aligned("a", "b")
    assert loaded.aligned("a", "b", TEXTS).pair.evidence == found.aligned("a", "b").pair.evidence


def test_only_texts_from_elsewhere_are_held_against_their_digests(monkeypatch):
    found = dedupe.find_duplicate_texts(TEXTS)
    monkeypatch.setattr("dedupe.documents.document.digest_of", lambda _: "of another text")
    assert found.unchanged("a", found.texts) == TEXTS["a"]
    assert found.unchanged("a", TEXTS) is None


def test_of_a_document_that_is_like_no_other_nobody_knows_whether_it_is_unchanged():
    texts = TEXTS | {"c": "of something else entirely, and of nothing that the others say"}
    found = dedupe.find_duplicate_texts(texts)
    assert found.others == ("c",)
    with pytest.raises(UnknownDocument, match="'c' must be in a scored pair"):
        found.unchanged("c", texts)
    assert found.unchanged("d", texts) is None


@pytest.mark.parametrize(
    "change", ["", " ", "...", "another text", TEXTS["a"].upper(), TEXTS["a"] + " ", None]
)
def test_a_text_that_is_not_what_was_searched_is_not_aligned(change):
    found = dedupe.find_duplicate_texts(TEXTS)
    assert found.aligned("a", "b", TEXTS | {"a": change}) is None
    assert found.aligned("b", "a", TEXTS | {"a": change}) is None
    assert found.aligned("b", "c", TEXTS | {"a": change}) is not None


def test_a_text_that_is_not_there_is_not_aligned():
    found = dedupe.find_duplicate_texts(TEXTS)
    assert found.aligned("a", "b", {"a": TEXTS["a"]}) is None
    assert found.aligned("a", "b", {}) is None
    with pytest.raises(UnknownDocument):
        found.aligned("a", "z", TEXTS)


def test_a_text_with_a_lone_surrogate_is_what_was_searched():
    texts = TEXTS | {"a": f"\ud800 {TEXTS['a']}"}
    found = dedupe.find_duplicate_texts(texts)
    assert found.aligned("a", "b", texts) == found.aligned("a", "b")
    assert found.aligned("a", "b", texts).left_text == f"\ufffd {TEXTS['a']}"


def test_pairs_of_a_document():
    assert [pair.other("c") for pair in FOUND.pairs_of("c")] == ["a", "d", "b"]
    assert FOUND.pairs_of("x") == ()


def test_another_threshold():
    assert members(FOUND) == [("a", "b", "c")]
    assert members(FOUND.at(0.3)) != members(FOUND.at(0.95)) == []
    assert FOUND.at(0.5).settings.threshold == 0.5
    assert FOUND.settings.threshold == 0.4


@pytest.mark.parametrize("threshold", [0, 0.09, 1.01, float("nan"), "0.4", True, None])
def test_a_threshold_out_of_range(threshold):
    with pytest.raises(InvalidSetting, match=r"threshold must be in \[0.1, 1\], got"):
        FOUND.at(threshold)


def test_repr_says_what_a_person_wants_to_know():
    result = replace(FOUND, skipped=(Skipped("z", "empty", "give it a text"),))
    assert repr(result) == "<Result: documents=10, clusters=1, duplicates=2, skipped=1>"


def test_a_result_does_not_change():
    with pytest.raises(FrozenInstanceError):
        FOUND.clusters = ()


def test_a_comparison_confirms_at_its_threshold():
    pair = make_pair("a", "b", 0.4)
    assert Comparison(pair, "", "", 0.4).same_story
    assert not Comparison(pair, "", "", 0.41).same_story


# --- pandas ---


def test_rows_as_a_data_frame():
    frame = FOUND.to_pandas()
    names = ["cluster", "id", "duplicate_of", "score", "relation", "reason", "of_old", "is_old"]
    assert list(frame.columns) == names
    assert frame.pop("of_old").tolist() == [False] * 5
    frame["duplicate_of"] = frame["duplicate_of"].fillna("")
    assert frame.to_dict("records")[:3] == [
        {
            name: value or None if name in {"relation", "reason"} else value
            for name, value in row.items()
        }
        for row in FOUND.rows()
    ]
    assert list(frame.id[3:]) == ["d", "e"]


def test_an_empty_data_frame_has_the_same_columns():
    empty = make_result({})
    assert list(empty.to_pandas().columns) == list(FOUND.to_pandas().columns)
    assert len(empty.to_pandas()) == 0


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"pip install 'dedupe-articles\[pandas\]'"):
        FOUND.to_pandas()


def test_records_are_plain_values():
    assert asdict(Cluster("a", ("a", "b"))) == {"representative": "a", "members": ("a", "b")}
    assert issubclass(InvalidResult, DedupeError)


@given(scores, thresholds)
def test_a_duplicate_is_matched_by_its_id_too(found, threshold):
    result = make_result(found, threshold=threshold)
    for duplicate in result.duplicates:
        assert result.match(duplicate.id) == result.match(duplicate)
    for kept in (one.representative for one in result.clusters):
        with pytest.raises(UnknownDocument, match="is no duplicate: pairs_of has all"):
            result.match(kept)


@pytest.mark.parametrize("keep", ["longest", "shortest", "first"])
def test_copies_have_the_pairs_of_their_original_at_another_threshold_too(keep):
    common = " ".join(f"c{i}" for i in range(100))
    texts = {
        "a": common + " " + " ".join(f"s{i}" for i in range(10)),
        "long": " ".join(f"l{i}" for i in range(15)) + " " + common,
    }
    texts |= {"b": texts["a"], "c": texts["a"]}
    loose = dedupe.find_duplicate_texts(texts, threshold=0.4, keep=keep)
    again = dedupe.find_duplicate_texts(texts, threshold=0.95, keep=keep).at(0.4)
    assert list(again.rows()) == list(loose.rows())
    for duplicate in again.duplicates:
        found, expected = again.match(duplicate), loose.match(duplicate)
        assert (found, found.left < found.right) == (expected, True)
        aligned = again.aligned(duplicate.duplicate_of, duplicate.id)
        assert aligned.left_text == texts[duplicate.duplicate_of]
        assert aligned.pair.evidence.covered_right > 0.8

"""New documents held against an old collection: only they can go, and only for what is old."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe import Result, find_duplicate_texts, find_duplicates
from dedupe.errors import DuplicateId, NothingToRead
from dedupe.lsh import candidate_pairs
from strategies import edited

WORDS = [f"w{i}" for i in range(2000)]
STORIES = [" ".join(random.Random(n).choices(WORDS, k=80)) for n in range(4)]

documents = st.tuples(st.integers(0, 3), st.sampled_from(["", "menu home news sport", "the end"]))
collections = st.lists(documents, min_size=1, max_size=6)


def named(prefix, chosen):
    """Return texts by id: a story each, with something before it."""
    return {f"{prefix}{i}": f"{frame} {STORIES[n]}" for i, (n, frame) in enumerate(chosen)}


def story_of(name, old, new):
    text = {**old, **new}[name]
    return next(n for n, story in enumerate(STORIES) if story in text)


# --- laws ---


@settings(max_examples=40, deadline=None)
@given(collections, collections)
def test_only_new_documents_go_and_each_for_an_old_one(chosen_old, chosen_new):
    old, new = named("o", chosen_old), named("n", chosen_new)
    result = find_duplicate_texts(new, against=old)
    copied = {n for n, _ in chosen_old}
    expected = {name for name in new if story_of(name, old, new) in copied}
    assert {duplicate.id for duplicate in result.duplicates} == expected
    for duplicate in result.duplicates:
        assert duplicate.duplicate_of in old
        assert story_of(duplicate.id, old, new) == story_of(duplicate.duplicate_of, old, new)
        assert duplicate.score == duplicate.best_score
    for cluster in result.clusters:
        assert [name for name in cluster.members if name in old] == [cluster.representative]
    assert result.n_documents == len(old) + len(new)


@settings(max_examples=20, deadline=None)
@given(collections, collections, st.randoms())
def test_order_and_json_and_threshold_change_nothing(chosen_old, chosen_new, random):
    old, new = named("o", chosen_old), named("n", chosen_new)
    result = find_duplicate_texts(new, against=old)
    shuffled = [dict(random.sample([*texts.items()], len(texts))) for texts in (new, old)]
    assert find_duplicate_texts(shuffled[0], against=shuffled[1]).to_json() == result.to_json()
    loaded = Result.from_json(result.to_json())
    assert loaded == result
    assert loaded.at(0.9).at(result.settings.threshold).duplicates == result.duplicates


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), max_size=7), st.data())
def test_candidates_are_pairs_of_an_old_document_and_another(signatures, data):
    array = np.array(signatures, np.uint32).reshape(-1, 4)
    sizes = np.array(
        data.draw(st.lists(st.integers(1, 3), min_size=len(array), max_size=len(array)))
    )
    is_old = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(array), max_size=len(array))), np.bool_
    )
    found = candidate_pairs(array, sizes.astype(np.int64), is_old=is_old, bucket_cap=99, floor=0.0)
    everything = candidate_pairs(array, sizes.astype(np.int64), bucket_cap=99, floor=0.0)
    expected = {frozenset(pair) for pair in everything.tolist() if is_old[pair].sum() == 1}
    assert {frozenset(pair) for pair in found.tolist()} == expected
    assert is_old[found[:, 0]].all()


# --- edges ---


def test_a_story_copied_by_hundreds_is_found_in_the_one_old_document():
    old = {"old": STORIES[0]}
    new = {f"n{i}": f"{STORIES[0]} {WORDS[i]} {WORDS[i + 1]}" for i in range(200)}
    result = find_duplicate_texts(new, against=old)
    assert len(result.duplicates) == 200
    assert {duplicate.duplicate_of for duplicate in result.duplicates} == {"old"}


def test_copies_among_the_new_and_among_the_old_are_no_business_of_it():
    result = find_duplicate_texts(
        {"a": STORIES[0], "b": STORIES[0]}, against={"c": STORIES[1], "d": STORIES[1]}
    )
    assert result.duplicates == ()


def test_copies_of_what_an_old_document_nearly_matches_stay():
    old, new = {"c": edited(STORIES[0], 0.1)}, {"a": STORIES[0], "b": STORIES[0]}
    result = find_duplicate_texts(new, against=old)
    (score,) = {pair.score for pair in result.scored if pair.right == "c"}
    assert [one.id for one in result.duplicates] == ["a", "b"]
    assert result.at((1 + score) / 2).duplicates == ()
    assert find_duplicate_texts(new, against=old, threshold=(1 + score) / 2).duplicates == ()


def test_an_exact_copy_of_an_exact_copy():
    old, new = {"c": f"menu {STORIES[0]}"}, {"a": STORIES[0], "b": STORIES[0]}
    result = find_duplicate_texts(new, against=old)
    assert [(one.id, one.duplicate_of) for one in result.duplicates] == [("a", "c"), ("b", "c")]
    assert all(result.match(one).evidence.passages for one in result.duplicates)


def test_the_same_id_on_both_sides_is_refused():
    with pytest.raises(DuplicateId, match="'a' at position old 0 and at position 0"):
        find_duplicate_texts({"a": STORIES[0]}, against={"a": STORIES[0]})


def test_texts_without_ids_are_told_apart():
    (duplicate,) = find_duplicate_texts([STORIES[0]], against=[STORIES[0]]).duplicates
    assert (duplicate.id, duplicate.duplicate_of) == ("0", "old 0")


def test_a_file_in_both_collections_is_old(tmp_path):
    for folder, name, story in (("all", "new", 0), ("all/old", "one", 0), ("all/old", "two", 1)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.txt").write_text(STORIES[story])
    result = find_duplicates(tmp_path / "all", against=tmp_path / "all" / "old")
    (duplicate,) = result.duplicates
    assert duplicate.id.endswith("new.txt")
    assert duplicate.duplicate_of.endswith("one.txt")
    assert [document.is_old for document in result.documents] == [False, True]


@pytest.mark.parametrize("nothing", [[], {}, [""], {"a": None}])
def test_an_old_collection_without_a_document_is_refused(nothing):
    with pytest.raises(NothingToRead, match="at least one document, got none in it: check"):
        find_duplicate_texts({"x": STORIES[0], "y": STORIES[0]}, against=nothing)


def test_an_old_folder_without_a_document_is_refused(tmp_path):
    (tmp_path / "new.txt").write_text(STORIES[0])
    (tmp_path / "old").mkdir()
    with pytest.raises(NothingToRead, match=r"one document, got none in '.*old': check"):
        find_duplicates(tmp_path / "new.txt", against=tmp_path / "old")

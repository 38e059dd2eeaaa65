"""Evidence of texts when it is asked for, and texts that are read where they are kept."""

import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe import find_duplicate_texts
from dedupe.results.finder import EvidenceFinder, make_block
from dedupe.scoring.boilerplate import Furniture
from strategies import article

STORIES = [article(name, 40) for name in "abc"]
texts = st.lists(
    st.sampled_from([*STORIES, "Read more.", "京都市 - Menü"]), min_size=1, max_size=4
).map("\n".join)


def words(text, span):
    return reference.tokens(text[span.start : span.end])


# --- laws ---


@given(st.lists(texts, min_size=2, max_size=3), st.data())
def test_spans_point_to_equal_words(found, data):
    finder = EvidenceFinder(found, 5, Furniture.from_bytes(b""))
    one, other = data.draw(st.permutations(range(len(found))))[:2]
    evidence = finder.find(one, other)
    for passage in evidence.passages:
        assert words(found[one], passage.left) == words(found[other], passage.right)
        assert len(words(found[one], passage.left)) == passage.n_words
    assert finder.find(one, other) == evidence


@given(texts, texts)
def test_both_sides_have_the_same_passages(one, other):
    finder = EvidenceFinder([one, other], 5, Furniture.from_bytes(b""))
    ahead, back = finder.find(0, 1), finder.find(1, 0)
    assert (ahead.covered_left, ahead.covered_right) == (back.covered_right, back.covered_left)
    assert (ahead.only_left, ahead.only_right) == (back.only_right, back.only_left)


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_block_has_the_words_of_its_texts(found):
    block, tokens = make_block(found, 5)
    lengths = [len(reference.tokens(text)) for text in found]
    assert block.n_words.tolist() == block.totals.tolist() == lengths
    assert len(tokens.spans) == sum(lengths)


# --- texts that are kept ---


@pytest.mark.parametrize("memory", [None, 1])
def test_kept_texts_are_a_mapping(memory):
    given_texts = {"b": STORIES[0], "a": f"menu {STORIES[0]}", "alone": STORIES[2]}
    kept = find_duplicate_texts(given_texts, memory=memory).texts
    expected = {name: given_texts[name] for name in ("a", "b")}
    assert isinstance(kept, Mapping)
    assert (len(kept), list(kept), dict(kept)) == (2, ["a", "b"], expected)
    assert kept == expected
    assert kept.at([1, 0]) == [expected["b"], expected["a"]]
    assert "alone" not in kept
    assert kept.get("alone") is None
    with pytest.raises(KeyError):
        kept["alone"]
    assert repr(kept) == "<2 kept texts>"
    assert pickle.loads(pickle.dumps(kept)) == {}

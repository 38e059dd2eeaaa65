"""Shared runs of words to passages: spans that a person can look up, excerpts that fit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe.results.evidence import HEAD, TAIL, excerpt, gather
from dedupe.results.records import Span
from dedupe.scoring.block import Block
from dedupe.scoring.runs import shared_runs
from dedupe.shingling.tokens import hash_tokens

SENTENCES = (
    "“The bridge is closed,” said the mayor; it won’t open before the first of May.",
    "Traffic (some 4,000 cars a day) will have to take the ferry – or the long way round!",
    "Der Fluß führt Hochwasser: »so hoch wie nie«, hieß es im Café an der Brücke…",
    "東京の橋は五月まで閉鎖される。",
    "Read more",
    "\n\n* * *\n",
)
texts = st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=8).map(" ".join)


def evidence_of(left, right, limit=None):
    """Return the evidence of two texts."""
    tokens = hash_tokens([left, right], detail=True)
    runs, boilerplate = shared_runs(Block.of(tokens, 5), 0, 1)
    middle = tokens.offsets[1]
    spans = tokens.spans[:middle], tokens.spans[middle:]
    return gather((left, right), spans, runs, boilerplate, limit)


def cut(text, span):
    return text[span.start : span.end]


# --- laws ---


@given(texts, texts)
def test_both_sides_of_a_passage_hold_the_same_words(left, right):
    for passage in evidence_of(left, right).passages:
        words = reference.tokens(cut(left, passage.left))
        assert words == reference.tokens(cut(right, passage.right))
        assert len(words) == passage.n_words


@given(texts, texts, st.integers(1, 4))
def test_a_limit_keeps_the_longest_and_counts_the_rest(left, right, limit):
    everything, some = evidence_of(left, right), evidence_of(left, right, limit)
    for name, more in (
        ("passages", some.more_passages),
        ("only_left", some.more_left),
        ("only_right", some.more_right),
    ):
        listed, all_of_them = getattr(some, name), getattr(everything, name)
        assert len(listed) == min(limit, len(all_of_them))
        assert [one for one in all_of_them if one in listed] == list(listed)
        lengths = sorted((one.n_words for one in all_of_them), reverse=True)
        assert sorted((one.n_words for one in listed), reverse=True) == lengths[:limit]
        assert (more.n, more.n_words) == (len(lengths[limit:]), sum(lengths[limit:]))
    assert some.covered_left == everything.covered_left


@given(texts, texts)
def test_passages_and_the_rest_are_the_whole_text(left, right):
    found = evidence_of(left, right)
    for text, shared, rest in (
        (left, [passage.left for passage in found.passages], found.only_left),
        (right, [passage.right for passage in found.passages], found.only_right),
    ):
        spans = sorted([*shared, *(remainder.span for remainder in rest)])
        words = [word for span in spans for word in reference.tokens(cut(text, span))]
        assert words == reference.tokens(text)
        assert all(one.end <= other.start for one, other in pairwise(spans))


@given(texts, texts)
def test_how_much_is_covered(left, right):
    found = evidence_of(left, right)
    shared = sum(passage.n_words for passage in found.passages)
    for text, rest, covered in (
        (left, found.only_left, found.covered_left),
        (right, found.only_right, found.covered_right),
    ):
        n_words = len(reference.tokens(text))
        assert shared + sum(remainder.n_words for remainder in rest) == n_words
        assert covered == (shared / n_words if n_words else 0)


@given(
    st.text(st.sampled_from("ab \n\u00a0,é"), max_size=2000), st.integers(0, 9), st.integers(0, 9)
)
def test_an_excerpt_fits_on_a_line_and_comes_from_the_text(text, before, behind):
    span = Span(min(before, len(text)), max(min(before, len(text)), len(text) - behind))
    found = excerpt(text, span)
    assert len(found) <= HEAD + len(" … ") + TAIL
    assert len(found.splitlines()) <= 1
    flat = " ".join(cut(text, span).split())
    head, ellipsis, tail = found.partition(" … ")
    assert (flat.startswith(head) and flat.endswith(tail)) if ellipsis else found == flat


# --- edges ---


def test_passages_follow_the_left_text():
    first, second = SENTENCES[:2]
    found = evidence_of(f"{first} {second}", f"{second} {first}")
    assert [passage.excerpt for passage in found.passages] == [first, second]
    assert found.passages[0].right.start > found.passages[1].right.start


def test_what_only_one_side_says():
    story = " ".join(SENTENCES[:2])
    found = evidence_of(f"Home News. {story} Read more", story)
    assert [remainder.excerpt for remainder in found.only_left] == ["Home News.", "Read more"]
    assert found.only_right == ()
    assert (found.covered_right, found.covered_left) == (1, 33 / 37)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("so “(word)”, he", "“(word)”,"),
        ("so — word — he", "word"),
        ("so-word-he", "word-"),
        ("“word”", "“word”"),
        ("so\n\u00a0“word …”\nhe", "“word"),
    ],
)
def test_punctuation_clings_to_its_word(text, span):
    tokens = hash_tokens([text], detail=True)
    place = reference.tokens(text).index("word")
    found = gather((text, text), (tokens.spans, tokens.spans), np.array([[place, place, 1]]))
    assert cut(text, found.passages[0].left) == cut(text, found.passages[0].right) == span


def test_a_long_excerpt_is_cut_between_words():
    text = "beginning " + "of the middle " * 100 + "and the end"
    found = excerpt(text, Span(0, len(text)))
    assert found.startswith("beginning of the middle")
    assert found.endswith("middle and the end")
    assert {*found.split()} == {*text.split(), "…"}


def test_a_long_excerpt_without_spaces_is_cut_all_the_same():
    found = excerpt("京" * 1000, Span(0, 1000))
    assert found == "京" * HEAD + " … " + "京" * TAIL


def test_an_excerpt_has_two_lines_of_the_beginning_and_one_of_the_end():
    """Lines of eighty characters; what is no longer than both and the ellipsis is whole."""
    line = 80
    whole = "京" * (3 * line + len(" … "))
    assert excerpt(whole, Span(0, len(whole))) == whole
    assert excerpt(whole + "京", Span(0, len(whole) + 1)) == "京" * 2 * line + " … " + "京" * line


def test_nothing_shared():
    found = evidence_of(SENTENCES[0], SENTENCES[1])
    assert found.passages == ()
    assert [remainder.excerpt for remainder in found.only_left] == [SENTENCES[0]]
    assert [remainder.excerpt for remainder in found.only_right] == [SENTENCES[1]]


def test_an_expansion_cut_in_two_is_shown_twice():
    """The two halves of a fraction are two words at one place."""
    text = "½ cup"
    tokens = hash_tokens([text], detail=True)
    found = gather((text, text), (tokens.spans, tokens.spans), np.array([[0, 0, 1]]))
    assert cut(text, found.passages[0].left) == "½"
    assert cut(text, found.only_left[0].span) == "½ cup"

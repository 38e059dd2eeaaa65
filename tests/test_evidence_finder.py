"""Evidence of texts when it is asked for: its spans, and its two sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe import find_duplicate_texts
from dedupe.results.evidence import EvidenceFinder
from dedupe.results.records import Unlisted
from dedupe.scoring.boilerplate import Boilerplate
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
    finder = EvidenceFinder.of(found, 5, Boilerplate.from_bytes(b""))
    one, other = data.draw(st.permutations(range(len(found))))[:2]
    evidence = finder.find(one, other)
    for passage in evidence.passages:
        assert words(found[one], passage.left) == words(found[other], passage.right)
        assert len(words(found[one], passage.left)) == passage.n_words
    assert finder.find(one, other) == evidence


@given(texts, texts)
def test_both_sides_have_the_same_passages(one, other):
    finder = EvidenceFinder.of([one, other], 5, Boilerplate.from_bytes(b""))
    ahead, back = finder.find(0, 1), finder.find(1, 0)
    assert (ahead.covered_left, ahead.covered_right) == (back.covered_right, back.covered_left)
    assert (ahead.only_left, ahead.only_right) == (back.only_right, back.only_left)


# --- how much is listed ---


@pytest.mark.parametrize(("n_passages", "n_more"), [(8, 0), (9, 1)])
def test_of_a_duplicate_the_longest_eight_passages_are_listed(n_passages, n_more):
    """Copies with a word of their own behind each passage, of which the last is the shortest."""
    passages = [article(f"passage {i}", 40 - i) for i in range(n_passages)]
    one, other = (
        "\n".join(f"{part} {side}{i}" for i, part in enumerate(passages)) for side in "xy"
    )
    evidence = find_duplicate_texts([one, other]).pair("0", "1").evidence
    listed = [passage.n_words for passage in evidence.passages]
    assert listed == [40 - i for i in range(n_passages - n_more)]
    assert evidence.more_passages == Unlisted(n_more, n_more and 40 - 8)
    for rest, more in (
        (evidence.only_left, evidence.more_left),
        (evidence.only_right, evidence.more_right),
    ):
        assert (len(rest), more) == (8, Unlisted(n_more, n_more))

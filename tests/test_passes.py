"""Rules from a block and pairs to rows of numbers: what stands in a row, and for whom."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks import documents, make_block, ngrams, pairs_of_documents, per_word
from dedupe import find_duplicate_texts
from dedupe.arrays import pairs_of
from dedupe.results.pairs import scored_pairs
from dedupe.results.records import Evidence, Pair
from dedupe.scoring import passes
from dedupe.scoring.alignment import align, similarities
from dedupe.scoring.score import may_score, score, story_words, strict_score
from dedupe.settings import SCORE_FLOOR

PAIR = pairs_of([[0, 1]])

# --- laws ---


@given(documents, documents, ngrams, st.sampled_from([0.0, 0.1, 0.5]))
def test_a_row_says_what_was_measured(one, other, ngram, floor):
    block = make_block([one, other], ngram)
    found = align(block, *PAIR.T)
    (rows,) = passes.second(block, PAIR, floor)
    assert len(rows) == (score(found)[0] >= floor)
    for pair in scored_pairs(rows, ["a", "b"], 0.45):
        jaccard, left, right = (float(shares[0]) for shares in similarities(block, found))
        assert (pair.left, pair.right, pair.score) == ("a", "b", score(found)[0])
        assert (pair.jaccard, pair.containment_left, pair.containment_right) == (
            jaccard,
            left,
            right,
        )
        assert pair.containment == max(left, right)
        assert pair.shared_words == found.covered[0]
        assert pair.story_words == story_words(found)[0]
        assert pair.hole_words == round(found.replaced[0])


@given(documents, documents, ngrams)
def test_the_first_pass_lets_through_what_may_score(one, other, ngram):
    block = make_block([one, other], ngram)
    found = align(block, *PAIR.T)
    first = passes.first(block, PAIR)
    assert first.strict[0] == np.float32(strict_score(found)[0])
    longer = found.longer
    assert first.may_score[0] == may_score(found.covered, longer)[0]
    assert first.may_score[0] or not len(passes.second(block, PAIR)[0])


FEW_STORIES = st.sampled_from([1.0, 1 / 2, 1 / 3, 1 / 40, 1 / 400])


@given(pairs_of_documents(), ngrams, st.data())
def test_pairs_that_cannot_tell_score_nothing(pair, ngram, data):
    weights = [per_word(data, document, FEW_STORIES) for document in pair]
    stories = data.draw(st.sampled_from([[1, 1], [1, 2]]))
    block = make_block(pair, ngram, weights=weights, stories=stories)
    found = score(align(block, *PAIR.T), with_listings=False)
    assert passes.may_tell(block, PAIR)[0] or found[0] == 0
    assert passes.again(block, PAIR)[0] == np.float32(np.where(found >= SCORE_FLOOR, found, 0))


@pytest.mark.parametrize(("n_own", "may_tell"), [(9, False), (10, True)])
def test_pairs_that_share_boilerplate_and_a_few_words_cannot_tell(n_own, may_tell):
    """What both have and nobody else may count twice."""
    frame, own = [*range(200)], [*range(1000, 1000 + n_own)]
    block = make_block(
        [[*frame, *own, *range(2000, 2030)], [*frame, *own, *range(3000, 3040)]],
        weights=[[1 / 1000] * 200 + [1.0] * (n_own + n) for n in (30, 40)],
    )
    assert passes.may_tell(block, PAIR).tolist() == [may_tell]
    assert not len(passes.second(block, PAIR)[0])


@given(st.lists(documents, min_size=2, max_size=5), ngrams, st.randoms())
def test_pairs_that_the_first_pass_lets_through_are_worth_a_look(several, ngram, random):
    block = make_block(several, ngram)
    pairs = np.stack(np.triu_indices(len(several), 1), axis=1)
    pairs = pairs[random.sample(range(len(pairs)), len(pairs))]
    first = passes.first(block, pairs)
    for some in (pairs, pairs[:, ::-1]):
        told = passes.worth(block, some)
        assert not (first.may_score & ~told.may_score).any()
        assert not (first.is_long & ~told.is_long).any()


@pytest.mark.parametrize("n", [9, 10, 19, 20])
def test_a_pair_is_worth_a_look_by_the_words_that_it_shares(n):
    block = make_block([[*range(n), *range(100, 200)], [*range(n), *range(200, 240)]])
    told = passes.worth(block, PAIR)
    assert (*told.is_long.tolist(), *told.may_score.tolist()) == (n >= 10, n >= 20)


@pytest.mark.parametrize(("n", "may_score"), [(8, False), (9, True)])
def test_short_documents_are_worth_a_look_that_share_nine_tenths(n, may_score):
    block = make_block([[*range(10)], [*range(n), *range(100, 110 - n)]])
    assert passes.worth(block, PAIR).may_score.tolist() == [may_score]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(5, 9), st.integers(1, 99)), max_size=5))
def test_identical_pairs_share_every_word(found):
    pairs = pairs_of([row[:2] for row in found])
    rows = passes.identical(pairs, np.array([row[2] for row in found], np.int64))
    assert passes.pairs_in(rows).tolist() == pairs.tolist()
    assert passes.is_identical(rows).all()
    made = list(scored_pairs(rows, "abcdefghij", 0.45))
    assert [(pair.relation, pair.score, pair.jaccard) for pair in made] == [
        ("identical", 1.0, 1.0)
    ] * len(found)
    n_words = [row[2] for row in found]
    assert [pair.shared_words for pair in made] == n_words
    assert [pair.story_words for pair in made] == n_words


# --- edges ---


def test_a_pair_has_every_column_or_what_follows_from_it():
    put_into_words = {"left", "right", "containment", "relation", "reason"}
    assert {field.name for field in fields(Pair)} <= set(passes.COLUMNS) | put_into_words


def test_a_row_takes_what_its_docstring_says():
    assert passes.ROW.itemsize == 97


def test_no_pairs_are_no_rows():
    block = make_block([[1, 2, 3], [4, 5, 6]])
    assert [column.size for column in passes.first(block, PAIR[:0])] == [0, 0, 0, 0]
    (rows,) = passes.second(block, PAIR[:0])
    assert passes.pairs_in(rows).shape == (0, 2)
    assert list(scored_pairs(rows, [], 0.45)) == []


def test_only_pairs_that_share_more_than_a_phrase_are_long():
    words = [*range(100, 140)]
    block = make_block([words, [*words[:9], *range(200, 250)], [*words[:10], *range(300, 350)]])
    assert passes.first(block, pairs_of([[0, 1], [0, 2]])).is_long.tolist() == [False, True]


def test_evidence_is_found_only_where_there_is_some():
    rows = passes.identical(pairs_of([[0, 1], [0, 2]]), np.array([7, 7]))
    rows["has_evidence"] = [True, False]
    nothing = Evidence((), (), (), 1.0, 1.0)
    asked = []
    pairs = scored_pairs(rows, "abc", 0.45, lambda *sides: asked.append(sides) or nothing)
    assert [pair.evidence for pair in pairs] == [nothing, None]
    assert asked == [(0, 1)]


# --- constants, from texts to clusters ---


def words(name, n):
    """Return as many words, which no text of another name has."""
    return " ".join(f"{name}{i}x" for i in range(n))


def ending_and_beginning(name, n_shared, n_own):
    """Return two texts of which one ends with what the other begins with."""
    shared = words(f"{name}shared", n_shared)
    return f"{words(f'{name}one', n_own)} {shared}", f"{shared} {words(f'{name}other', n_own)}"


@pytest.mark.parametrize(("n_own", "is_boilerplate"), [(95, False), (105, True)])
def test_half_of_a_story_makes_it_one_and_less_may_be_boilerplate(n_own, is_boilerplate):
    """What two copies and another story have is in two stories; else it is in three."""
    copies = ending_and_beginning("", 100, n_own)
    another = f"{words('shared', 100)} {words('another', 400)}"
    found = find_duplicate_texts([*copies, another]).pair("0", "1")
    assert (found.boilerplate_words > 0) == is_boilerplate


@pytest.mark.parametrize(("n_words", "is_boilerplate"), [(9, False), (10, True)])
def test_a_phrase_of_other_stories_is_no_boilerplate_and_a_sentence_is(n_words, is_boilerplate):
    """Two copies of a story end with words that three other stories begin with."""
    story, ending = words("story", 100), words("ending", n_words)
    others = [f"{ending} {words(name, 90)}" for name in ("this", "that", "other")]
    found = find_duplicate_texts([f"{story} {ending}", f"a {story} {ending}", *others])
    assert found.pair("0", "1").boilerplate_words == (n_words if is_boilerplate else 0)


def test_a_score_over_the_threshold_makes_a_duplicate_and_a_tenth_is_listed():
    """Pairs that share less and less: of neighbours one is in, and one is out."""
    texts = {}
    for n_own in (60, 63, 440, 460):
        for side, text in zip("ab", ending_and_beginning(f"s{n_own}", 50, n_own), strict=True):
            texts[f"{n_own}{side}"] = text
    found = find_duplicate_texts(texts)
    together = {cluster.members for cluster in found.clusters}
    is_in = {pair.score: (pair.left, pair.right) in together for pair in found.scored}
    least = min(score for score in is_in if is_in[score])
    most_out = max(score for score in is_in if not is_in[score])
    assert 0.43 < most_out < 0.45 <= least < 0.47
    assert 0.1 <= min(is_in) < 0.105
    assert len(is_in) < len(texts) // 2

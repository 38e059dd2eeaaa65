"""Candidate pairs to scores: what two documents share, in what order, and what stands between."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from blocks import (
    EIGHTHS,
    align_pair,
    documents,
    make_block,
    ngrams,
    pairs_of_documents,
    per_word,
    story,
)
from dedupe.kernels.measures import EDIT, LIST, LONG_COST, N_OF_BOTH, N_OF_SIDE
from dedupe.scoring import passes
from dedupe.scoring.alignment import Alignment, align
from dedupe.scoring.relations import RELATIONS, reason, relation
from dedupe.scoring.score import (
    edited_words,
    excess_words,
    listing_words,
    may_score,
    score,
    story_share,
    story_words,
    strict_score,
)


def score_pair(one, other, **options):
    return float(score(align_pair(one, other, **options))[0])


# --- laws of the score ---


WORDS = st.integers(0, 60) | st.integers(0, 480).map(lambda n: n / 8)
SIDES = st.builds(reference.Side, st.integers(0, 60), *[WORDS] * 6)
BETWEEN = st.builds(reference.Both, st.integers(0, 60), *[WORDS] * 6)


@given(
    st.lists(st.tuples(SIDES, SIDES, BETWEEN, st.booleans(), st.tuples(WORDS, WORDS)), max_size=4)
)
def test_pairs_are_judged_as_the_rule_says(measured):
    """Whatever is measured, and whichever side is larger."""
    words = [(int(one.covered) + 3, int(other.covered) + 1) for one, other, *_ in measured]
    swap = np.array([is_right for *_, is_right, _ in measured], np.bool_)
    of_sides = [
        (other, one) if is_right else (one, other) for one, other, _, is_right, _ in measured
    ]
    found = Alignment(
        *np.zeros((2, len(measured)), np.int64),
        np.array(words, np.int64).reshape(-1, 2).T,
        np.array([totals for *_, totals in measured], np.float64).reshape(-1, 2).T,
        np.array(of_sides, np.float64).reshape(-1, 2, N_OF_SIDE),
        swap,
        np.array([both for _, _, both, *_ in measured], np.float64).reshape(-1, N_OF_BOTH),
    )
    expected = [
        reference.judged((one, other), both, of_sides[i][1], words[i], min(totals))
        for i, (one, other, both, _, totals) in enumerate(measured)
    ]
    assert found.judged.T.tolist() == [[*map(float, one)] for one in expected]


@given(pairs_of_documents(), ngrams)
def test_similarity_is_symmetric(pair, ngram):
    one, other = pair
    block = make_block([one, other], ngram)
    both = align(block, np.array([0, 1]), np.array([1, 0]))
    assert score(both)[0] == score(both)[1]
    for name in (
        "n_shared_shingles",
        "covered",
        "boilerplate",
        "hole",
        "end",
        "replaced",
        "excess",
        "entries",
    ):
        assert getattr(both, name)[0] == getattr(both, name)[1]
    for name in ("words", "coverage", "weight", "totals", "story", "edited"):
        left, right = getattr(both, name)
        assert (left[0], right[0]) == (right[1], left[1])


@given(documents, documents, ngrams, st.data())
def test_every_score_lies_between_0_and_1(one, other, ngram, data):
    weights = [per_word(data, document, EIGHTHS) for document in (one, other)]
    found = align_pair(one, other, ngram=ngram, weights=weights)
    for share in (score(found), strict_score(found)):
        assert 0 <= share[0] <= 1


@given(pairs_of_documents(), ngrams, st.data())
def test_no_weights_make_a_pair_score_that_may_not(pair, ngram, data):
    weights = [per_word(data, document, EIGHTHS) for document in pair]
    stories = data.draw(st.sampled_from([[1, 1], [1, 2]]))
    found = align_pair(*pair, ngram=ngram, weights=weights, stories=stories)
    longer = found.longer
    assert may_score(found.covered, longer)[0] or score(found)[0] == 0


@given(pairs_of_documents(), ngrams, st.integers(0, 40))
def test_lists_around_a_pair_do_not_change_its_score(pair, ngram, n):
    """However long they are: what stands in short lines is no story.

    Texts under twenty words must share nearly all. Which of two equally long ones counts as the
    larger is another matter, and where both repeat themselves it decides what is matched.
    """
    pair = [[*story(20 + side, 20_000), *document] for side, document in enumerate(pair)]
    assume(len(pair[0]) != len(pair[1]))
    lines = [[20] * len(document) for document in pair]
    wrapped = [[*document, *story(n, 5000 * side)] for side, document in enumerate(pair, start=1)]
    with_lists = [[*one, *[2] * n] for one in lines]
    alone = align_pair(*pair, ngram=ngram, lines=lines)
    found = align_pair(*wrapped, ngram=ngram, lines=with_lists)
    assert score(found)[0] == pytest.approx(score(alone)[0])


@given(documents, ngrams)
def test_a_document_is_all_of_itself(document, ngram):
    found = align_pair(document, document, ngram=ngram)
    assert (found.n_shared_shingles[0], found.hole[0], score(found)[0]) == (
        len({*reference.shingles(document, ngram)}),
        0,
        1,
    )
    assert found.covered[0] == len(document)


@given(
    st.integers(20, 60), st.lists(st.integers(0, 9), max_size=30), st.lists(st.just(7), max_size=30)
)
def test_a_story_between_other_words_is_found(n, before, behind):
    found = align_pair(story(n), before + story(n) + behind)
    assert score(found)[0] == 1
    assert (found.covered[0], found.hole[0]) == (n, 0)


# --- holes ---

TEMPLATE = story(60), story(60, 2000)
"""What stands before a story, and what stands behind it."""


@pytest.mark.parametrize("n", [1, 9, 10, 50, 200])
def test_another_story_in_the_same_template_is_a_hole(n):
    before, behind = TEMPLATE
    found = align_pair(before + story(n, 3000) + behind, before + story(n + 5, 4000) + behind)
    assert (found.hole[0], found.replaced[0]) == ((n, n) if n >= EDIT else (0, 0))
    assert found.covered[0] == 120


@pytest.mark.parametrize(("n", "share"), [(8, 1), (9, 1), (10, 120 / 130)])
def test_an_edit_counts_as_shared_and_another_story_does_not(n, share):
    before, behind = TEMPLATE
    found = align_pair(before + story(n, 3000) + behind, before + story(n, 4000) + behind)
    assert found.edited[0, 0] == found.edited[1, 0] == (n if n < EDIT else 0)
    assert score(found)[0] == pytest.approx(share * (1 - 2 * found.hole[0] / 120))


@pytest.mark.parametrize(("length", "n_words"), [(11, 0), (12, 30)])
def test_only_prose_is_a_hole(length, n_words):
    """Lines are prose from six tenths of the length of the lines of what is shared."""
    before, behind = TEMPLATE
    lines = [[20] * 60 + [length] * 30 + [20] * 60] * 2
    found = align_pair(
        before + story(30, 3000) + behind, before + story(30, 4000) + behind, lines=lines
    )
    assert found.hole[0] == n_words
    assert (found.story[0, 0], found.story[1, 0]) == (n_words, n_words)


@pytest.mark.parametrize(("length", "factor"), [(14, 1), (15, LONG_COST)])
def test_a_story_between_lists_costs_more(length, factor):
    before, behind = TEMPLATE
    lines = [[10] * 60 + [length] * 30 + [10] * 60] * 2
    found = align_pair(
        before + story(30, 3000) + behind, before + story(30, 4000) + behind, lines=lines
    )
    assert (found.hole[0], found.replaced[0]) == (30 * factor, 30)


@pytest.mark.parametrize("weight", [1.0, 0.5, 0.25])
def test_boilerplate_in_a_hole_weighs_what_it_does_anywhere(weight):
    before, behind = TEMPLATE
    weights = [[1.0] * 60 + [weight] * 40 + [1.0] * 60] * 2
    found = align_pair(
        before + story(40, 3000) + behind, before + story(40, 4000) + behind, weights=weights
    )
    assert (found.hole[0], found.replaced[0]) == (40 * weight, 40 * weight)


@pytest.mark.parametrize("n", [1, 10, 200])
def test_text_that_only_one_side_has_is_no_hole(n):
    before, behind = TEMPLATE
    found = align_pair(before + story(n, 3000) + behind, before + behind)
    assert (found.hole[0], score(found)[0]) == (0, 1)


def test_the_largest_of_several_holes_counts():
    parts = [story(30, 1000 * p) for p in range(1, 5)]
    one, other = (
        [*parts[0], *story(12, a), *parts[1], *story(40, a + 50), *parts[2]] for a in (8000, 9000)
    )
    assert align_pair(one, other).hole[0] == 40


def test_a_score_falls_with_the_hole():
    before, behind = TEMPLATE
    scores = [
        score_pair(before + story(n, 3000) + behind, before + story(n, 4000) + behind)
        for n in (0, 5, 10, 20, 40, 60, 100)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1
    assert scores[-2:] == [0, 0]
    # 120 of 140 words are shared; a hole of 20 words takes a third.
    assert scores[3] == pytest.approx(120 / 140 * (1 - 2 * 20 / 120))


def test_paragraphs_in_another_order_are_no_hole():
    first, second, third = (story(50, 1000 * p) for p in range(1, 4))
    found = align_pair(first + second + third, third + first + second)
    assert (found.hole[0], score(found)[0]) == (0, 1)


def test_two_stories_at_different_places_of_a_template_count_too():
    first, second, third = (story(30, 1000 * p) for p in range(1, 4))
    one = first + story(40, 8000) + second + third
    other = first + second + story(50, 9000) + third
    found = align_pair(one, other)
    assert (found.hole[0], found.excess[0]) == (0, 40)
    assert score(found)[0] == pytest.approx(90 / 130 * (1 - 40 / 90))


@pytest.mark.parametrize(("n_own", "hole"), [(10, 0), (20, 60)])
def test_a_paragraph_edited_here_and_there_is_no_hole(n_own, hole):
    """Seven words in a row stay, too few for a run, enough to tell that it is the same."""
    before, behind = TEMPLATE
    stays = story(7, 7000), story(7, 7100)

    def edited(first):
        own = [story(n_own, first + 100 * i) for i in range(3)]
        return [*before, *own[0], *stays[0], *own[1], *stays[1], *own[2], *behind]

    assert align_pair(edited(3000), edited(4000)).hole[0] == hole


def test_the_shared_text_of_a_hole_is_not_counted_in_it():
    """A paragraph that was moved is shared, wherever it stands."""
    before, behind = TEMPLATE
    moved = story(30, 5000)
    found = align_pair(before + moved + behind, before + story(40, 6000) + behind + moved)
    assert found.hole[0] == 0


# --- the end rule ---


def with_line(*stretches):
    """Return documents and line lengths from stretches of (words, words in a line)."""
    words = [word for stretch, _ in stretches for word in stretch]
    return words, [n for stretch, length in stretches for n in [length] * len(stretch)]


def end_of(one, other):
    """Return how much prose two documents have at an end of what they share, and where."""
    (left, left_lines), (right, right_lines) = one, other
    found = align_pair(left, right, lines=[left_lines, right_lines])
    return found.end[0]


LISTED = story(60), 6
ONE_STORY, OTHER_STORY = (story(80, 3000), 40), (story(90, 4000), 40)


def test_a_list_before_two_stories_leaves_prose_behind_it():
    assert end_of(with_line(LISTED, ONE_STORY), with_line(LISTED, OTHER_STORY)) == 80


def test_a_list_behind_two_stories_leaves_prose_before_it():
    assert end_of(with_line(ONE_STORY, LISTED), with_line(OTHER_STORY, LISTED)) == 80


def test_whatever_follows_on_either_page_changes_nothing():
    """The footer of each site stands below its story."""
    footers = (story(50, 7000), 3), (story(70, 8000), 3)
    one, other = (
        with_line(LISTED, ONE_STORY, footers[0]),
        with_line(LISTED, OTHER_STORY, footers[1]),
    )
    assert end_of(one, other) == 80


def test_a_story_before_two_lists_leaves_none():
    lists = (story(80, 3000), 6), (story(90, 4000), 6)
    shared = story(60), 40
    assert end_of(*(with_line(shared, one) for one in lists)) == 0


def test_prose_on_one_side_leaves_none():
    assert end_of(with_line(LISTED, ONE_STORY), with_line(LISTED)) == 0


def test_prose_at_opposite_ends_leaves_none():
    """One text ends with what the other begins with: both are parts of a longer one."""
    assert end_of(with_line(ONE_STORY, LISTED), with_line(LISTED, OTHER_STORY)) == 0


@pytest.mark.parametrize(("n_words", "end"), [(9, 0), (10, 10)])
def test_a_few_words_at_an_end_are_an_edit(n_words, end):
    one, other = ((story(n_words, first), 40) for first in (3000, 4000))
    assert end_of(with_line(LISTED, one), with_line(LISTED, other)) == end


@pytest.mark.parametrize(("n_words", "end"), [(LIST - 1, 60), (LIST, 20)])
def test_a_list_ends_the_prose_at_an_end(n_words, end):
    """Behind it may stand other articles of the site."""
    shared = story(60), 20
    one, other = (
        with_line(
            shared,
            (story(20, first), 20),
            (story(n_words, first + 50), 2),
            (story(40, first + 90), 20),
        )
        for first in (3000, 4000)
    )
    assert end_of(one, other) == end


def test_prose_at_an_end_costs_half_of_what_a_hole_does():
    one, other = with_line(LISTED, (story(30, 3000), 6)), with_line(LISTED, (story(30, 4000), 6))
    found = align_pair(one[0], other[0], lines=[one[1], other[1]])
    assert (found.hole[0], found.end[0], found.replaced[0], found.is_at_end[0]) == (
        0,
        30,
        30,
        True,
    )
    assert score(found)[0] == pytest.approx(60 / 90 * (1 - 30 / 60))


# --- what is one story ---


@pytest.mark.parametrize(("n_stories", "weight"), [(1, 1), (2, 1), (3, 1 / 2), (5, 1 / 4)])
def test_two_documents_that_share_a_word_count_as_one_story(n_stories, weight):
    """As far as was learned they are two of those that hold it."""
    text = story(40)
    weights = [[1 / n_stories] * 40] * 2
    found = align_pair(text, text, weights=weights, stories=[1, 2])
    assert found.weight[0, 0] == pytest.approx(40 * weight)
    together = align_pair(text, text, weights=weights, stories=[1, 1])
    assert together.weight[0, 0] == pytest.approx(40 / n_stories)


# --- short texts ---


@pytest.mark.parametrize("n", [1, 4, 5, 19, 20, 21])
def test_a_text_equals_its_copy_however_short(n):
    assert score_pair(story(n), story(n)) == 1


@pytest.mark.parametrize(
    ("n_shared", "n_extra", "same"),
    [(4, 1, False), (8, 1, False), (9, 1, True), (19, 1, True), (19, 2, True), (19, 3, False)],
)
def test_short_texts_must_share_nearly_all(n_shared, n_extra, same):
    found = score_pair(story(n_shared), story(n_shared + n_extra))
    assert found == (pytest.approx(n_shared / (n_shared + n_extra)) if same else 0)


def test_nineteen_words_of_two_long_texts_are_a_phrase():
    for n, same in ((19, False), (20, True)):
        one, other = story(10, 3000) + story(n), story(n) + story(10, 4000)
        assert (score_pair(one, other) > 0) == same


# --- weights ---


def test_boilerplate_counts_less():
    footer = story(100, 5000)
    one, other = story(100) + footer, story(100, 3000) + footer
    weights = [[1.0] * 100 + [0.125] * 100] * 2
    # Short lines, so that the open end is no prose.
    lines = [[5] * 100 + [10] * 100] * 2
    plain = align_pair(one, other, lines=lines)
    weighted = align_pair(one, other, lines=lines, weights=weights)
    assert plain.covered[0] == weighted.covered[0] == 100
    assert (plain.boilerplate[0], weighted.boilerplate[0]) == (0, 100)
    assert weighted.weight[0, 0] == weighted.weight[1, 0] == 12.5
    assert weighted.totals[0, 0] == 112.5
    # Fewer than 20 words that count are no story.
    assert (score(plain)[0], score(weighted)[0]) == (1, 0)


def test_a_text_that_weighs_little_must_be_all_there_and_have_words_of_its_own():
    form, filling, page = story(40, 5000), story(6), story(60, 3000)
    one, copy, other = filling + form, page + filling + form, story(6, 9000) + form

    def scored(other, own=1.0, inside=1.0):
        weights = [[inside] * 6 + [0.125] * 40, [own] * (len(other) - 40) + [0.125] * 40]
        # Short lines, so that the open end is no prose.
        return score_pair(one, other, weights=weights, lines=[[5] * 46, [5] * len(other)])

    assert scored(copy) == 1
    assert scored(other) == 0
    # Of a teaser nothing is its own: two stories have its words.
    assert scored(copy, inside=0.5) == 0


@pytest.mark.parametrize(("n_own", "expected"), [(2, 0), (3, 1)])
def test_a_date_of_its_own_makes_no_story_and_a_sentence_does(n_own, expected):
    """A form with so many words that no third story has, and the same form on a page."""
    form = story(n_own) + story(40, 5000)
    weights = [1.0] * n_own + [0.125] * 40
    page = story(60, 3000)
    found = score_pair(
        form,
        page + form,
        weights=[weights, [1.0] * len(page) + weights],
        # Short lines, so that the open end is no prose.
        lines=[[5] * len(form), [5] * (len(page) + len(form))],
    )
    assert found == expected


# --- what a person reads ---


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((1.0, 1.0, 1.0, 1.0), "same text"),
        ((1.0, 1.0, 0.9, 0.9), "same text"),
        ((1.0, 1.0, 1.0, 0.2), "contained"),
        ((1.0, 1.0, 0.2, 0.9), "contained"),
        # A story that both pages have, each in a frame of its own.
        ((0.95, 0.95, 0.3, 0.2), "contained"),
        ((0.9, 0.89, 0.3, 0.2), "version"),
        ((0.45, 0.5, 0.5, 0.5), "version"),
        ((0.449, 0.45, 0.5, 0.5), "same template"),
        ((0.0, 0.9, 0.9, 0.9), "same template"),
        ((0.0, 0.449, 0.9, 0.9), "partial reuse"),
        ((0.3, 0.3, 0.5, 0.5), "partial reuse"),
        ((0.0, 0.0, 0.5, 0.5), "different"),
        ((0.0, 0.0, 0.0, 0.0), "different"),
    ],
)
def test_relation(facts, expected):
    names = ("score", "story_share", "share_left", "share_right")
    assert relation(threshold=0.45, **dict(zip(names, facts, strict=True))) == expected
    assert expected in RELATIONS


SHARES = st.floats(0, 1)


@given(SHARES, SHARES, SHARES, SHARES, st.floats(0.1, 1))
def test_the_score_and_the_threshold_decide_what_is_one_story(score, story, left, right, threshold):
    named = relation(
        threshold=threshold, score=score, story_share=story, share_left=left, share_right=right
    )
    assert (named in RELATIONS[1:4]) == (score >= threshold)


def test_noise_is_no_template():
    one = story(400)
    noisy = [word if i % 100 < 70 else -word for i, word in enumerate(one)]
    template = [word if not 100 <= i < 250 else -word for i, word in enumerate(one)]
    for other, is_same in ((noisy, True), (template, False)):
        found = align_pair(one, [word % 10_000_000 for word in other])
        assert found.replaced[0] > 0
        assert (score(found)[0] >= 0.45) == is_same
        assert story_share(found)[0] >= 0.45


NAMES = ("story_share", "story_words", "edited_words", "hole_words", "excess_words")
STORY = "of the smaller story shared"
A_STORY = "the 20 that make a story"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((1, 391, 0, 0, 0), f"all 391 words {STORY}"),
        ((0.5, 120, 0, 0, 0), f"60 of 120 words {STORY}, 60 missing from the other"),
        ((0.95, 100, 35, 0, 0), f"60 of 100 words {STORY}, 35 edited, 5 missing from the other"),
        ((0.5, 120, 1, 21, 0), f"59 of 120 words {STORY}, 1 edited, 21 replaced in one place"),
        ((1, 60, 5, 0, 0), f"55 of 60 words {STORY}, 5 edited"),
        ((0.9, 100, 0, 0, 10), f"90 of 100 words {STORY}, 10 more in each at places where the"),
        ((0.9, 100, 0, 0, 1), f"90 of 100 words {STORY}, 1 more in each at a place where the"),
        # What is left of a story by its weight is not nothing, and not all.
        ((0.999, 100, 0, 0, 0), f"99 of 100 words {STORY}, 1 missing from the other"),
        ((1 - 1e-9, 100, 0, 0, 0), f"all 100 words {STORY}"),
        ((1, 1, 0, 0, 0), f"the only word {STORY}"),
    ],
)
def test_the_reason_of_a_story(facts, expected):
    row = {"score": 0.5, "shared_words": 400, **dict(zip(NAMES, facts, strict=True))}
    for known in (row, {name: value for name, value in row.items() if value}):
        assert reason(known).startswith(expected)
        assert not reason(known).removeprefix(expected).strip("abcdefghijklmnopqrstuvwxyz ")


@given(whole=st.integers(1, 400), share=st.floats(0.01, 1), edited=st.integers(0, 400))
def test_the_words_of_a_reason_make_up_the_story(whole, share, edited):
    row = {"story_share": share, "story_words": whole, "edited_words": edited}
    said = reason(row | {"score": share, "shared_words": 400})
    assume(not said.startswith(("all ", "the only ")))
    told = re.findall(r"(\d+) (?:of \d+ words|edited|missing)", said)
    assert sum(map(int, told)) == whole


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"hole_words": 30, "is_at_end": True}, "shared, 30 replaced at one end"),
        ({"boilerplate_words": 40}, "; 40 of 70 shared words are boilerplate and count less"),
        ({"boilerplate_words": 1}, "; 1 of 70 shared words is boilerplate and counts less"),
        (
            {"shared_words": 1, "boilerplate_words": 1},
            "; the only shared word is boilerplate and counts less",
        ),
        ({"boilerplate_words": 70}, "; all 70 shared words are boilerplate and count less"),
        ({"shared_words": 19, "story_words": 20, "story_share": 0.95}, "19 of 20 words of the l"),
        (
            {"shared_words": 19, "story_words": 19, "story_share": 1},
            "all 19 words of the longer te",
        ),
        ({"may_be_phrase": True}, "shared, which may be a phrase, 70 missing from the other"),
        ({"listing_words": 84}, "shared, but 84 words of a listing differ"),
        ({"listing_words": 84, "hole_words": 9}, "shared, but 84 words of a listing differ"),
        ({"may_be_phrase": True, "hole_words": 9}, "shared, which may be a phrase, 9 replaced in"),
    ],
)
def test_what_else_the_reason_of_a_story_says(facts, expected):
    row = {"score": 0.5, "story_share": 0.5, "story_words": 140, "shared_words": 70}
    assert expected in reason(row | facts)


@pytest.mark.parametrize(
    ("shared", "boilerplate", "expected"),
    [
        (0, 0, "no words shared"),
        (1, 0, f"1 word shared, fewer than {A_STORY}"),
        (19, 3, f"19 words shared, fewer than {A_STORY}"),
        (
            30,
            0,
            f"30 words shared, which other stories have, too: they count as fewer than {A_STORY}",
        ),
        (
            50,
            50,
            f"50 words shared, all of them boilerplate: they count as fewer than {A_STORY}",
        ),
        (
            112,
            100,
            f"112 words shared, 100 of them boilerplate: they count as fewer than {A_STORY}",
        ),
    ],
)
def test_the_reason_of_what_is_no_story(shared, boilerplate, expected):
    assert reason({"shared_words": shared, "boilerplate_words": boilerplate}) == expected


@pytest.mark.parametrize(
    ("n", "expected"), [(12, "all 12 words are the same"), (1, "the only word is the same")]
)
def test_the_reason_of_identical_documents(n, expected):
    assert reason({"shared_words": n, "is_identical": True}) == expected


@given(pairs_of_documents(), ngrams)
def test_the_words_of_a_story_add_up(pair, ngram):
    """Without weights to the word: shared, edited and different are no more than there are."""
    found = align_pair(*pair, ngram=ngram)
    whole, edited, excess = (
        int(words[0])
        for words in (
            story_words(found),
            edited_words(found),
            excess_words(found),
        )
    )
    share = story_share(found)[0]
    assert (whole > 0) == (share > 0)
    part = share * whole
    assert part == pytest.approx(round(part))
    assert 0 <= edited < max(1, part)
    if share and found.covered[0] >= 20:
        shared = part - edited
        assert shared in (
            pytest.approx(found.coverage[0, 0]),
            pytest.approx(found.coverage[1, 0]),
        )
        assert shared + edited + max(excess, found.replaced[0]) <= whole + 1e-6
        assert whole <= max(map(len, pair))


@given(pairs_of_documents(), ngrams, st.data())
def test_weights_leave_a_story_of_at_least_one_word(pair, ngram, data):
    weights = [per_word(data, document, EIGHTHS) for document in pair]
    stories = data.draw(st.sampled_from([[1, 1], [1, 2]]))
    block = make_block(pair, ngram, weights=weights, stories=stories)
    (row,) = passes.second(block, np.array([[0, 1]]), floor=0.0)[0]
    share, whole, shared = row["story_share"], int(row["story_words"]), int(row["shared_words"])
    said = reason(dict(zip(row.dtype.names, row.item(), strict=True)))
    assert "of 0 " not in said
    assert (whole > 0) == (share > 0)
    if share:
        said = said.replace("the only word", "all 1 words")
        found = re.match(
            r"(?:all )?(?:(\d+) of )?(\d+) words of .*? shared(?:, (\d+) edited)?", said
        )
        part, of, edited = (int(n) if n else None for n in found.groups())
        part = of if part is None else part + (edited or 0)
        assert 0 < part <= of == whole
        assert part / of == pytest.approx(share, abs=1 / of)
        assert row["boilerplate_words"] <= shared


@pytest.mark.parametrize(("n_own", "n_page"), [(40, 300), (300, 40)])
def test_the_smaller_story_is_that_of_either_document(n_own, n_page):
    """The longer document has the smaller story where the rest of it is a list."""
    one, other = story(60) + story(n_own, 3000), story(n_page, 4000) + story(60)
    found = align_pair(one, other, lines=[[20] * len(one), [20] * len(other)])
    assert story_words(found)[0] == 100
    listed = align_pair(one, other, lines=[[20] * len(one), [2] * n_page + [20] * 60])
    assert story_words(listed)[0] == 60


def test_identical_documents_are_told_by_all_their_words():
    (row,) = passes.identical(np.array([[0, 1]]), np.array([12]))
    assert row["story_words"] == row["shared_words"] == 12


@pytest.mark.parametrize(("n_own", "n_hole", "expected"), [(30, 0, 30), (30, 15, 0), (31, 15, 31)])
def test_text_at_places_of_its_own_is_said_where_it_decides(n_own, n_hole, expected):
    """A hole costs twice as much, so that of half its length it decides as well."""
    parts = [story(60, 1000 * i) for i in range(1, 5)]
    one = parts[0] + story(n_own, 5000) + parts[1] + story(n_hole, 6000) + parts[2] + parts[3]
    other = parts[0] + parts[1] + story(n_hole, 7000) + parts[2] + story(n_own, 8000) + parts[3]
    found = align_pair(one, other)
    assert (found.excess[0], found.hole[0]) == (n_own, n_hole)
    assert excess_words(found)[0] == expected


@pytest.mark.parametrize(
    ("n_entries", "frame", "expected"),
    [
        (49, 0.125, 0),  # A box.
        (50, 0.125, 50),
        (300, 0.125, 300),
        (300, 0.4, 300),
        (300, 0.5, 0),  # Two stories hold what stands around it: it may be a story, too.
        (300, 1.0, 0),
    ],
)
def test_entries_of_a_listing_stand_next_to_boilerplate(n_entries, frame, expected):
    """Short lines that differ are a box in a story, and in a frame what the page is about."""
    head, own, foot = story(30, 1000), story(60, 2000), story(30, 3000)
    pages = [own + head + story(n_entries, start) + foot for start in (4000, 5000)]
    weights = [1.0] * 60 + [frame] * 30 + [1.0] * n_entries + [frame] * 30
    lines = [20] * 60 + [10] * 30 + [3] * n_entries + [10] * 30
    found = align_pair(*pages, weights=[weights] * 2, lines=[lines] * 2)
    assert (found.hole[0], found.entries[0]) == (0, expected)
    assert listing_words(found)[0] == expected
    assert (score(found)[0] < 0.45) == (expected > 0)
    # As long as boilerplate is being learned, nobody knows which frame is whose.
    assert score(found, with_listings=False)[0] == 1


def test_one_side_of_a_gap_that_is_boilerplate_is_enough():
    """A label of the page stands between its frame and its listing."""
    head, label, foot = story(40, 1000), story(20, 2000), story(40, 3000)
    pages = [head + label + story(200, start) + foot for start in (4000, 5000)]
    for behind, expected in ((0.125, 200), (1.0, 0)):
        weights = [0.125] * 40 + [1.0] * 20 + [1.0] * 200 + [behind] * 40
        lines = [10] * 60 + [3] * 200 + [10] * 40
        found = align_pair(*pages, weights=[weights] * 2, lines=[lines] * 2)
        assert found.entries[0] == expected


def test_edits_are_no_more_words_than_are_left_of_the_story():
    """An edit counts as what is around it does, whatever its own words weigh."""
    before, behind = TEMPLATE
    weights = [[1.0] * 60 + [0.125] * 8 + [1.0] * 60] * 2
    found = align_pair(
        before + story(8, 3000) + behind, before + story(8, 4000) + behind, weights=weights
    )
    assert (story_share(found)[0], found.edited[0, 0]) == (1, 8)
    assert (story_words(found)[0], edited_words(found)[0]) == (121, 1)


def test_a_story_that_weighs_next_to_nothing_has_a_word():
    """The longer document is known boilerplate, and all of it is in the other."""
    words = story(30)
    found = align_pair(words, [*words, 1], weights=[[1.0] * 30, [1 / 128] * 31])
    assert story_share(found)[0] > 0
    assert story_words(found)[0] == 1

"""Runs of words that two documents share: equal on both sides, none counted twice."""

from itertools import pairwise

from hypothesis import given

from blocks import documents, make_block, ngrams, patchwork, repetitive, story
from dedupe.scoring.alignment import shared_runs

# --- laws ---


@given(repetitive, patchwork)
def test_runs_of_the_other_side_cover_as_many_words(one, other):
    block = make_block([one, other])
    runs, swapped = shared_runs(block, 0, 1)[0], shared_runs(block, 1, 0)[0]
    assert sorted(swapped[:, [1, 0, 2]].tolist()) == runs.tolist()


@given(documents, documents, ngrams)
def test_words_of_runs_are_equal_and_in_one_run_only(one, other, ngram):
    runs, _ = shared_runs(make_block([one, other], ngram), 0, 1)
    left = [w for start, _, n in runs.tolist() for w in range(start, start + n)]
    right = [w for _, start, n in runs.tolist() for w in range(start, start + n)]
    assert [one[w] for w in left] == [other[w] for w in right]
    assert left == sorted(set(left))
    assert len(right) == len(set(right))


@given(patchwork, patchwork)
def test_runs_follow_the_left_document(one, other):
    starts = shared_runs(make_block([one, other]), 0, 1)[0][:, 0].tolist()
    assert all(before < after for before, after in pairwise(starts))


# --- edges ---


def test_runs_of_documents_that_share_nothing():
    runs, marks = shared_runs(make_block([story(30), story(30, 3000)]), 0, 1)
    assert runs.shape == (0, 3)
    assert marks.size == 0


def test_runs_of_little_weight_are_marked_as_boilerplate():
    footer, gap = story(40, 5000), story(10, 7000)
    one, other = story(40) + gap + footer, story(40) + footer
    weights = [[1.0] * 50 + [0.25] * 40, [1.0] * 40 + [0.25] * 40]
    runs, marks = shared_runs(make_block([one, other], weights=weights), 0, 1)
    assert runs.tolist() == [[0, 0, 40], [50, 40, 40]]
    assert marks.tolist() == [False, True]

"""Runs of words that two documents share: equal on both sides, none counted twice."""

from itertools import pairwise

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

import reference
from blocks import EIGHTHS, documents, make_block, ngrams, patchwork, per_word, repetitive, story
from dedupe.scoring.alignment import by_size
from dedupe.scoring.runs import _cut_boilerplate, _without_overlap, shared_runs
from reference import Run

# --- laws ---


@given(documents, documents, ngrams, st.data())
def test_runs_equal_reference(left, right, ngram, data):
    weights = [per_word(data, document, EIGHTHS) for document in (left, right)]
    block = make_block([left, right], ngram, weights=weights)
    shingles = [reference.shingles(document, ngram) for document in (left, right)]
    sizes = len(left), len(right)
    if is_right := bool(by_size(block, np.array([0]), np.array([1]))[2][0]):
        shingles, sizes = shingles[::-1], sizes[::-1]
    found = reference.runs(reference.match(*shingles), *sizes, ngram)
    runs = [Run(one.smaller, one.larger, one.length) if is_right else one for one in found]
    is_common = [weight < reference.COMMON for weight in weights[0]]
    pieces = [
        piece
        for run in reference.trimmed(runs)
        for piece in reference.cut_where_boilerplate_turns(run, is_common)
    ]
    runs, marks = shared_runs(block, 0, 1)
    assert [*map(tuple, runs.tolist())] == [piece for piece, _ in pieces]
    assert marks.tolist() == [is_boilerplate for _, is_boilerplate in pieces]


places = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 12))


@given(st.lists(places, max_size=6))
def test_runs_are_trimmed_as_reference_does(found):
    runs = _without_overlap(np.array(found, np.int64).reshape(-1, 3), 42, 42)
    assert [*map(tuple, runs.tolist())] == reference.trimmed([*map(Run._make, found)])


# About as long as a piece is at least.
lengths = st.sampled_from([1, 4, 7, 8, 9, 12])


@given(
    st.lists(st.tuples(lengths, lengths, st.integers(14, 60)), max_size=3),
    st.lists(st.tuples(st.booleans(), lengths), min_size=3),
)
@example([(0, 0, 14)], [(True, 7), (False, 7)])
def test_runs_are_cut_where_boilerplate_turns_as_reference_does(found, stretches):
    marks = [is_common for is_common, n in stretches for _ in range(n)]
    is_common = [*marks, *[False] * 90][:90]
    runs, are_boilerplate = _cut_boilerplate(
        np.array(found, np.int64).reshape(-1, 3), np.array(is_common)
    )
    assert [*zip(map(tuple, runs.tolist()), are_boilerplate.tolist(), strict=True)] == [
        piece
        for run in map(Run._make, found)
        for piece in reference.cut_where_boilerplate_turns(run, is_common)
    ]


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

"""A query in a crowd of near-copies: what it learns from them, and what it finds among them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedupe
from dedupe import Index
from dedupe.index import scores
from strategies import article, edited

FRAME = "home news sport weather traffic subscribe now for one pound a month and read on"

stories = st.lists(st.integers(-1, 3), min_size=1, max_size=12)


def crowd(n, share=0.02):
    """Return near-copies of a story, some in a frame that other stories stand in, too."""
    story = article("copied", 150)
    texts = {f"c{i:03d}": f"{FRAME if i % 3 else ''}\n{edited(story, share, i)}" for i in range(n)}
    return texts | {f"x{i}": f"{FRAME}\n{article(f'other {i}', 80)}" for i in range(12)}


@given(stories, st.randoms(use_true_random=False), st.integers(0, 9), st.integers(1, 5))
def test_of_too_many_pairs_those_of_the_likeliest_teach(found, random, most, n_likeliest):
    ranks = [0, *random.sample(range(1, 99), len(found) - 1)]
    every = [*itertools.combinations(range(len(found)), 2)]
    is_open = [found[a] < 0 or found[b] < 0 for a, b in every]
    likeliest = {*sorted(range(len(found)), key=ranks.__getitem__)[: n_likeliest + 1]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "MOST_PAIRS", most)
        patch.setattr(scores, "N_LIKELIEST", n_likeliest)
        pairs, teaches = scores._teaching(np.array(found), np.array(ranks))
    wanted = [
        pair
        for pair, is_compared in zip(every, is_open, strict=True)
        if not is_compared or pair[0] == 0 or likeliest.issuperset(pair)
    ]
    n_open = sum(is_compared and a > 0 for (a, _), is_compared in zip(every, is_open, strict=True))
    is_all = n_open <= most
    assert [*map(tuple, pairs.tolist())] == (every if is_all else wanted)
    assert {*np.flatnonzero(teaches).tolist()} == ({*range(len(found))} if is_all else likeliest)


def test_copies_that_came_since_the_epoch_score_as_if_all_of_them_taught(monkeypatch):
    texts = crowd(90)
    with Index() as index:
        index.add_texts({name: text for name, text in texts.items() if name > "c080"})
        index.learn()
        index.add_texts(texts)
        answers = []
        for most in (10**6, 100):
            monkeypatch.setattr(scores, "MOST_PAIRS", most)
            monkeypatch.setattr(scores, "N_LIKELIEST", 20)
            answers.append([index.query(text, limit=None) for text in texts.values()])
    assert answers[0] == answers[1]


def test_every_copy_finds_others_that_score_as_in_a_search():
    texts = crowd(130)
    with Index() as index:
        index.add_texts(texts)
        index.learn()
        batch = index.find_duplicates()
        (copies,) = batch.clusters
        of_pairs = {frozenset((pair.left, pair.right)): pair.score for pair in batch.scored}
        for name in copies.members:
            matches = [one for one in index.query(texts[name], limit=None) if one.id != name]
            assert len(matches) > 20
            assert {one.id for one in matches} <= {*copies.members}
            for match in matches:
                assert of_pairs.get(frozenset((name, match.id)), match.score) == match.score
    assert dedupe.find_duplicate_texts(texts).clusters == batch.clusters


@pytest.mark.parametrize("max_compared", [200, None])
def test_a_copy_in_a_crowd_finds_whatever_a_search_pairs_it_with(max_compared):
    texts = crowd(260)
    with Index() as index:
        index.add_texts(texts)
        index.learn()
        found = {
            name: index.query(text, limit=None, max_compared=max_compared)
            for name, text in texts.items()
        }
        batch = index.find_duplicates()
        index.remove("c007")
        left = index.query(texts["c008"], limit=None, max_compared=max_compared)
        assert {one.id for one in left} == {one.id for one in found["c008"]} - {"c007"}
    matches = [*batch.pairs]
    assert sum(not pair.is_candidate for pair in matches) > 20
    assert sum(pair.is_candidate for pair in matches) > 250
    for pair in matches:
        for name, other in ((pair.left, pair.right), (pair.right, pair.left)):
            scores_of = {match.id: match.score for match in found[name]}
            # The one whom all others follow has more of them than are compared, and so has the
            # one that is kept.
            is_leader = sum(name in (one.left, one.right) for one in matches) > 200
            assert scores_of.get(other) == pair.score or (max_compared and is_leader)
            assert found[name].truncated == bool(max_compared) or not is_leader


def test_a_copy_finds_what_a_search_pairs_it_with_only_in_clustering():
    texts = crowd(90)
    texts |= {f"copy of {name}": text for name, text in [*texts.items()][::7]}
    with Index() as index:
        index.add_texts(texts)
        index.learn()
        batch = index.find_duplicates()
        assert sum(not pair.is_candidate for pair in batch.pairs) > 20
        found = {
            name: {one.id: one.score for one in index.query(text, limit=None, max_compared=None)}
            for name, text in texts.items()
        }
    for pair in batch.pairs:
        assert found[pair.left].get(pair.right) == pair.score
        assert found[pair.right].get(pair.left) == pair.score

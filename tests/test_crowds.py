"""Near-copies of a crowd follow one of them: who does, who does not, and what stays the same."""

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks import make_block
from dedupe import crowds, find_duplicate_texts
from dedupe.arrays import pairs_of
from dedupe.crowds import follow
from dedupe.engine.memory import BlockInMemory
from dedupe.scoring import passes, rule
from dedupe.scoring.alignment import align
from dedupe.scoring.rule import MIN_CROWD
from reference import least_edited, most_popular

N_WORDS = 300
STORY = [*range(N_WORDS)]
LEADER = 5
"""The copy without edits."""


def edited(number, places):
    """Return the story with words of its own at some places."""
    document = STORY[:]
    for place in places:
        document[place] = 1_000_000 + 1_000 * number + place
    return document


def copies(n_docs, n_edits=3):
    """Return copies of the story, each but LEADER with its own edits."""
    places = random.Random(1)
    return [edited(n, places.sample(STORY, n_edits * (n != LEADER))) for n in range(n_docs)]


def star(n_docs, *anchors):
    """Return the pairs that link every document with some of them, as a crowded bucket does."""
    found = {frozenset((anchor, d)) for anchor in anchors for d in range(n_docs) if d != anchor}
    return pairs_of(sorted(map(sorted, found)))


def followed(documents, pairs):
    """Return the pairs that are left, the lesser document first."""
    left = follow(BlockInMemory(make_block(documents)), pairs).pairs
    return sorted(map(sorted, left.tolist()))


# --- laws ---


graphs = st.sets(st.sampled_from([*combinations(range(12), 2)]), min_size=1)
sizes = st.lists(st.integers(5, 8), min_size=12, max_size=12)


@given(graphs, sizes, st.integers(1, 6), st.lists(st.integers(4, 10), min_size=12, max_size=12))
def test_leaders_are_those_of_the_slow_twins(graph, sizes, least, tenths):
    block = make_block([[*range(100 * d, 100 * d + size)] for d, size in enumerate(sizes)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "MIN_CROWD", least)
        links = crowds._with_popular(BlockInMemory(block), pairs_of(sorted(graph)))
    popular = most_popular(sorted(graph), block.n_words, block.contents, least)
    assert {member: leader for leader, member in links.tolist()} == popular
    shares = np.array(tenths) / 10
    led = crowds._with_least_edited(block, links, shares[links[:, 1]])
    expected = least_edited(popular, shares, block.contents)
    assert sorted(led.tolist()) == sorted([leader, d] for d, leader in expected.items())


def test_a_crowd_is_one_cluster_in_any_order_and_takes_linear_work():
    texts = {f"{n:04}": " ".join(f"w{word}" for word in d) for n, d in enumerate(copies(400))}
    result = find_duplicate_texts(texts)
    assert [len(cluster.members) for cluster in result.clusters] == [400]
    # A link each, and the pair with the copy that is kept; clustering asks for nothing.
    assert len(result.scored) < 2 * len(texts)
    assert result.at(result.settings.threshold) == result
    shuffled = random.Random(2).sample([*texts.items()], len(texts))
    assert find_duplicate_texts(dict(shuffled)).to_json() == result.to_json()


# --- who follows ---


N_DOCS = MIN_CROWD + 20


@given(st.integers(0, N_WORDS), st.integers(0, 400), st.integers(0, N_WORDS), st.integers(0, 400))
def test_no_near_copy_goes_unaligned(start, n_more, end, n_others):
    one = [*STORY, *range(1000, 1000 + n_more)]
    other = [*range(2000, 2000 + n_others), *STORY[start:end]] or [1]
    block, pairs = make_block([one, other]), pairs_of([[0, 1]])
    (share,), (expected,) = (
        passes.near_share(block, pairs),
        passes._near_share(align(block, *pairs.T)),
    )
    assert share == expected or share == 0 <= expected < rule.STRICT_CONTAINMENT


@pytest.mark.parametrize("at_once", [1, 7, crowds.AT_ONCE])
def test_near_copies_are_compared_with_the_least_edited_alone(at_once, monkeypatch):
    """However many candidates are looked up at once."""
    monkeypatch.setattr(crowds, "AT_ONCE", at_once)
    pairs = star(N_DOCS, 0, 1, 2)
    assert followed(copies(N_DOCS), pairs) == star(N_DOCS, LEADER).tolist()


@pytest.mark.parametrize("others", [[0, 3, LEADER], [0, 3], [7]])
def test_what_copies_have_to_do_with_others_is_asked_of_their_leader(others):
    page = [*range(10_000, 10_400), *STORY]
    pairs = pairs_of([*star(N_DOCS, 0, 1).tolist(), *([d, N_DOCS] for d in others)])
    left = followed([*copies(N_DOCS), page], pairs)
    assert left == sorted([*star(N_DOCS, LEADER).tolist(), [LEADER, N_DOCS]])


@pytest.mark.parametrize(("n_followers", "follow"), [(MIN_CROWD, True), (MIN_CROWD - 1, False)])
def test_a_small_crowd_is_compared_as_any_documents_are(n_followers, follow):
    """However many others its leader has among its candidates."""
    others = [[*range(10_000 * n, 10_000 * n + 300)] for n in range(1, 50)]
    documents = [*copies(n_followers + 1), *others]
    pairs = pairs_of([*star(len(documents), 0).tolist(), [1, 2]])
    assert ([1, 2] in followed(documents, pairs)) != follow


SPREAD = range(8, N_WORDS, 12)
N_NEAR = round((1 - rule.NEAR) * N_WORDS)


@pytest.mark.parametrize(
    ("places", "follows"),
    [
        (SPREAD[:N_NEAR], True),
        (SPREAD[: N_NEAR + 1], False),
        (range(100, 100 + rule.MAX_NEAR_GAP), True),
        (range(100, 101 + rule.MAX_NEAR_GAP), False),
        (range(rule.MAX_NEAR_GAP), True),
        (range(1 + rule.MAX_NEAR_GAP), False),
    ],
)
def test_copies_follow_that_share_nearly_all_and_have_no_other_text_in_one_place(places, follows):
    block = make_block([edited(0, []), edited(1, places)])
    (share,) = passes.near_share(block, pairs_of([[0, 1]]))
    assert (share >= rule.NEAR) == follows


@pytest.mark.parametrize(
    ("n_own", "follows"), [(rule.MAX_NEAR_GAP, True), (rule.MAX_NEAR_GAP + 1, False)]
)
def test_copies_with_text_at_places_of_their_own_do_not_follow(n_own, follows):
    left, right = ([*STORY[:at], *range(99 * at, 99 * at + n_own), *STORY[at:]] for at in (90, 200))
    block = make_block([STORY, left, right])
    one_side, both_sides = passes.near_share(block, pairs_of([[0, 1], [1, 2]]))
    assert one_side >= rule.NEAR
    assert (both_sides >= rule.NEAR) == follows


def report(number, n_slots=6, n_filled=3):
    """Return a form with words of its own in its slots: .925 of it is in any other report."""
    segments = (range(100 * slot, 100 * slot + 37) for slot in range(n_slots))
    fillings = (range(10**6 + 1_000 * number + 10 * slot, 10**9) for slot in range(n_slots))
    filled = zip(segments, fillings, strict=True)
    return [word for segment, own in filled for word in (*segment, *own[:n_filled])] + [
        *range(900, 910)
    ]


def test_reports_in_a_form_follow_nobody():
    reports = [report(n) for n in range(N_DOCS)]
    pairs = star(N_DOCS, 0, 1)
    assert (passes.near_share(make_block(reports), pairs) >= rule.NEAR).all()
    assert followed(reports, pairs) == pairs.tolist()


def test_leaders_are_compared_for_those_who_follow_them():
    documents = copies(N_DOCS)
    documents += [[word + 10**8 for word in document] for document in documents]
    one, between = star(N_DOCS, 0, 1), [[0, N_DOCS], [5, N_DOCS + 7]]
    left = followed(documents, np.concatenate([one, one + N_DOCS, between]))
    led = star(N_DOCS, LEADER)
    leaders = [LEADER, LEADER + N_DOCS]
    assert left == sorted([*led.tolist(), *(led + N_DOCS).tolist(), leaders])


# --- what stays true ---


def test_a_follower_is_explained_with_all_its_candidates():
    texts = {f"{n:04}": " ".join(f"w{word}" for word in d) for n, d in enumerate(copies(200))}
    plain, explained = find_duplicate_texts(texts), find_duplicate_texts(texts, explain="0007")
    assert explained.clusters == plain.clusters
    of_one = [
        [pair for pair in found.scored if "0007" in (pair.left, pair.right)]
        for found in (plain, explained)
    ]
    assert len(of_one[0]) < len(of_one[1])


@pytest.mark.parametrize("options", [{"window": "3d", "time_field": "day"}, {"against": "old"}])
def test_nobody_follows_where_old_documents_or_times_part_them(options, monkeypatch):
    monkeypatch.setattr("dedupe.pipeline.follow", None)
    texts = [{"text": " ".join(f"w{word}" for word in d), "day": "2024-05-01"} for d in copies(4)]
    if "against" in options:
        options = {"against": {"old": texts.pop()["text"]}}
        texts = [row["text"] for row in texts]
    assert len(find_duplicate_texts(texts, **options).clusters) == 1

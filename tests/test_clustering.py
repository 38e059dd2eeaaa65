"""Scored pairs to clusters: what may join, what must not, and what may not matter."""

from itertools import combinations
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe import clustering
from dedupe.clustering import MANY, MEAN_SHARE, attached, average_linkage, components
from dedupe.linkage import asked as asking
from dedupe.linkage.asked import AHEAD
from dedupe.linkage.means import SAMPLE

N_DOCS = 7
THRESHOLD = 0.4

pairs = st.sampled_from([*combinations(range(N_DOCS), 2)])
edge_lists = st.dictionaries(pairs, st.integers(10, 100), max_size=15).map(
    lambda scores: [(a, b, score / 100) for (a, b), score in scores.items()]
)


def label(n_docs, edges, ask=None, note=None, **options):
    """Return the cluster of each document; edges, what is asked for and needed are lists."""
    columns = np.array(edges, np.float64).reshape(-1, 3)

    def listed(pairs):
        return [tuple(pair) for pair in pairs.tolist()]

    def ask_of_list(pairs):
        return ask(listed(pairs))

    def note_of_list(pairs):
        note(listed(pairs))

    return average_linkage(
        n_docs,
        columns[:, :2].astype(np.int64),
        columns[:, 2],
        ask=ask and ask_of_list,
        note=note and note_of_list,
        **options,
    )


def clusters(edges, n_docs=N_DOCS, threshold=THRESHOLD, **options):
    """Return the members of each cluster of two or more."""
    labels = label(n_docs, edges, threshold=threshold, **options).tolist()
    groups = ([d for d in range(n_docs) if labels[d] == label] for label in sorted(set(labels)))
    return [group for group in groups if len(group) > 1]


def chain(n, score=0.9):
    """Return edges that lead from each document to the next and nowhere else."""
    return [(i, i + 1, score) for i in range(n - 1)]


def unlike(edges, n_docs=N_DOCS):
    """Return edges, and one without any likeness for each other pair."""
    known = {(a, b) for a, b, _ in edges}
    others = (pair for pair in combinations(range(n_docs), 2) if pair not in known)
    return [*edges, *((*pair, 0.0) for pair in others)]


# --- laws ---


@given(
    # Sums of such scores are exact, in whichever order.
    st.dictionaries(pairs, st.integers(7, 64).map(lambda n: n / 64), max_size=18),
    st.sampled_from([0.25, 0.4, 0.5]),
    st.sampled_from([0.5, 0.8, 1.0]),
    st.data(),
)
def test_clusters_equal_reference(scores, threshold, mean_share, data):
    may_join = {pair: data.draw(st.integers(0, 4)) > 0 for pair in scores}
    with patch.object(clustering, "MANY", data.draw(st.sampled_from([0, MANY]))):
        found = average_linkage(
            N_DOCS,
            np.array([*scores], np.int64).reshape(-1, 2),
            np.array([*scores.values()]),
            threshold=threshold,
            mean_share=mean_share,
            may_join=np.array([*may_join.values()], np.bool_),
        )
    links = [pair for pair in scores if scores[pair] >= threshold and may_join[pair]]
    assert found.tolist() == reference.average_linkage(
        N_DOCS, scores, links, threshold * mean_share
    )


@given(
    st.integers(20, 40),
    st.floats(0, 1),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([1, 16]),
    st.integers(0, 2**32 - 1),
)
def test_of_few_documents_tables_tell_what_mappings_tell(n_docs, share, dtype, digits, seed):
    """They add up the same numbers, and take those that are equal in the same order."""
    random = np.random.default_rng(seed)
    sides = np.array([*combinations(range(n_docs), 2)])
    sides = sides[random.random(len(sides)) < share]
    stories = random.integers(0, 8, n_docs)
    alike = np.where(stories[sides[:, 0]] == stories[sides[:, 1]], 0.5, 0.2)
    scores = np.clip(alike + random.normal(0, 0.3, len(sides)), 0, 1).round(digits).astype(dtype)
    found = []
    for many in (0, MANY):
        with patch.object(clustering, "MANY", many):
            found.append(
                average_linkage(n_docs, sides, scores, threshold=THRESHOLD, mean_share=1.0).tolist()
            )
    assert found[0] == found[1]


@given(edge_lists, st.randoms())
def test_neither_the_order_of_pairs_nor_that_of_their_sides_counts(edges, random):
    shuffled = [(b, a, score) if random.random() < 0.5 else (a, b, score) for a, b, score in edges]
    random.shuffle(shuffled)
    assert clusters(shuffled) == clusters(edges)


@given(edge_lists)
def test_a_label_is_the_least_document_of_its_cluster(edges):
    labels = label(N_DOCS, edges, threshold=THRESHOLD)
    assert (labels <= np.arange(N_DOCS)).all()
    assert (labels[labels] == labels).all()


@given(st.lists(pairs, max_size=8), st.sampled_from([np.int32, np.int64]))
def test_components_are_what_can_be_reached(connected, dtype):
    found = components(N_DOCS, np.array(connected, dtype).reshape(-1, 2))
    assert found.tolist() == reference.components(N_DOCS, connected)


@pytest.mark.parametrize("numbering", ["down", "up", "shuffled"])
def test_a_long_chain_is_one_component(numbering):
    """An attacker chooses ids, and with them how far a label has to travel."""
    n_docs = 200_000
    path = np.arange(n_docs)[:: 1 if numbering == "up" else -1]
    if numbering == "shuffled":
        path = np.random.default_rng(1).permutation(n_docs)
    assert (components(n_docs, np.stack([path[:-1], path[1:]], axis=1)) == 0).all()


@given(edge_lists, st.data(), st.integers(2, 4))
def test_who_is_a_near_copy_of_one_document_alone_goes_with_it(edges, data, least):
    nears = data.draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    columns = np.array(edges, np.float64).reshape(-1, 3)
    among, is_link = columns[:, :2].astype(np.int64), columns[:, 2] >= THRESHOLD
    inside = components(N_DOCS, among[is_link])
    pairs_of = {d: [] for d in range(N_DOCS)}
    for (a, b), link, near in zip(among.tolist(), is_link.tolist(), nears, strict=True):
        if inside[a] == inside[b]:
            pairs_of[a].append((b, link and near))
            pairs_of[b].append((a, link and near))
    alone = {d: found[0][0] for d, found in pairs_of.items() if len(found) == 1 and found[0][1]}
    crowds = {head for head in alone.values() if [*alone.values()].count(head) >= least}
    expected = [alone[d] if alone.get(d) in crowds else d for d in range(N_DOCS)]
    found = attached(N_DOCS, among, is_link, np.array(nears, np.bool_), least=least)
    assert found.tolist() == expected
    assert (found[found] == found).all()


@given(edge_lists)
def test_confirmed_pairs_hold_each_cluster_together(edges):
    confirmed = {frozenset((a, b)) for a, b, score in edges if score >= THRESHOLD}
    for members in clusters(edges):
        reached = {members[0]}
        for _ in members:
            reached |= {d for d in members if any({d, r} in confirmed for r in reached)}
        assert reached == set(members)


@given(edge_lists, edge_lists)
def test_unrelated_documents_change_nothing(edges, others):
    apart = [(a + N_DOCS, b + N_DOCS, score) for a, b, score in others]
    expected = clusters(edges) + [[d + N_DOCS for d in members] for members in clusters(others)]
    assert clusters(edges + apart, 2 * N_DOCS) == sorted(expected)


@given(st.integers(10, 100), st.integers(10, 100))
def test_two_documents_are_joined_where_their_score_reaches_the_threshold(score, threshold):
    labels = label(2, [(0, 1, score / 100)], threshold=threshold / 100)
    assert (labels[0] == labels[1]) == (score >= threshold)


def test_the_mean_is_over_all_known_pairs_however_large_the_clusters():
    """A chance pair does not join two stories that were found to differ twenty times."""
    n = 20
    stories = [(a, b, 0.9) for start in (0, n) for a, b in combinations(range(start, start + n), 2)]
    differ = [(a, n + a, 0.0) for a in range(1, n)]
    assert len(clusters([*stories, *differ, (0, n, 0.5)], 2 * n)) == 2


def test_the_most_alike_join_first():
    """0 and 1 are joined, although 2 was alike enough to each while they were apart."""
    edges = [(0, 1, 0.9), (0, 2, 0.6), (1, 2, 0.1), (2, 3, 0.55)]
    assert clusters(edges, 4, threshold=0.5) == [[0, 1], [2, 3]]


@given(st.lists(st.integers(0, 2), min_size=N_DOCS, max_size=N_DOCS), st.data())
def test_clear_groups_are_found(groups, data):
    """Pairs within a group score high, pairs between groups low: any sane method agrees."""
    edges = [
        (
            a,
            b,
            data.draw(st.integers(50, 100) if groups[a] == groups[b] else st.integers(10, 19))
            / 100,
        )
        for a, b in combinations(range(N_DOCS), 2)
    ]
    together = [[d for d in range(N_DOCS) if groups[d] == group] for group in (0, 1, 2)]
    assert clusters(edges) == sorted(group for group in together if len(group) > 1)


many = st.sampled_from([*combinations(range(30), 2)])
edges_of_many = st.dictionaries(many, st.integers(10, 100), min_size=20, max_size=120).map(
    lambda scores: [(a, b, score / 100) for (a, b), score in scores.items()]
)


@given(edges_of_many, st.dictionaries(many, st.integers(0, 100).map(lambda score: score / 100)))
def test_what_was_asked_for_gives_the_same_clusters_again(edges, answers):
    """More documents than a sample has, so that not all cross pairs are asked for."""
    needed = []

    def ask(missing):
        return [answers.get(pair, 0.6) for pair in missing]

    found = clusters(edges, 30, ask=ask, note=needed.extend)
    told = [(*pair, answers.get(pair, 0.6)) for pair in needed]
    assert clusters_again(edges, told, 30) == found


@given(st.randoms(use_true_random=False), st.integers(4, 12))
def test_an_answer_above_the_threshold_joins_nothing_again(random, n_docs):
    """Few documents of which many are alike, and of which few pairs are candidates."""
    every = [*combinations(range(n_docs), 2)]
    scores = {pair: random.randint(0, 100) / 100 for pair in every}
    edges = [(*pair, scores[pair]) for pair in random.sample(every, len(every) // 2)]
    needed = []

    def ask(missing):
        return [scores[pair] for pair in missing]

    found = clusters(edges, n_docs, ask=ask, note=needed.extend)
    assert clusters_again(edges, [(*pair, scores[pair]) for pair in needed], n_docs) == found


def clusters_again(edges, told, n_docs):
    """Return the clusters once what was told is known."""
    may_join = np.array([True] * len(edges) + [False] * len(told), np.bool_)
    everything = [*edges, *told]
    return clusters(everything, n_docs, sampled=True, may_join=may_join)


@given(edges_of_many, st.dictionaries(many, st.integers(0, 100).map(lambda score: score / 100)))
def test_what_is_foreseen_changes_neither_clusters_nor_what_is_needed(edges, answers):
    def found(n_ahead):
        asked, needed = [], []

        def ask(missing):
            asked.extend(missing)
            return [answers.get(pair, 0.3) for pair in missing]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "AHEAD", n_ahead)
            joined = clusters(edges, 30, ask=ask, note=needed.extend)
        return joined, needed, asked

    joined, needed, asked = found(1)
    assert needed == asked
    foreseen = found(AHEAD)
    assert foreseen[:2] == (joined, needed)
    assert {*foreseen[2]} >= {*asked}


@given(edge_lists, st.dictionaries(pairs, st.integers(0, 100)))
def test_each_missing_pair_is_asked_for_once_at_most(edges, answers):
    asked = []

    def ask(missing):
        asked.extend(missing)
        return [answers.get(pair, 0) / 100 for pair in missing]

    clusters(edges, ask=ask)
    assert len(asked) == len(set(asked))
    assert all(a < b for a, b in asked)
    assert not {*asked} & {(a, b) for a, b, _ in edges}


@given(edge_lists, st.dictionaries(pairs, st.integers(0, 99)))
def test_an_answer_is_worth_as_much_as_an_edge_below_the_threshold(edges, answers):
    known = {(a, b) for a, b, _ in edges}
    few = {pair: score / 250 for pair, score in answers.items() if pair not in known}
    asking = clusters(edges, ask=lambda missing: [few.get(pair, 0.0) for pair in missing])
    given_all = [*edges, *((*pair, score) for pair, score in few.items())]
    assert asking == clusters(unlike(given_all))


# --- edges ---


def test_no_documents_and_no_pairs():
    assert label(0, [], threshold=0.4).tolist() == []
    assert label(3, [], threshold=0.4).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("score", "expected"), [(0.4, [[0, 1]]), (0.39, [])])
def test_a_pair_joins_when_its_score_reaches_the_threshold(score, expected):
    assert clusters([(0, 1, score)]) == expected


@pytest.mark.parametrize("mean_share", [MEAN_SHARE, 1.0])
@pytest.mark.parametrize("score", [0.4, 0.6, 0.8, 1.0])
def test_a_long_chain_falls_apart(score, mean_share):
    """One pair of score s among a * b joins two clusters only if s / (a * b) is enough."""
    found = clusters(unlike(chain(100, score), 100), 100, mean_share=mean_share)
    assert max(map(len, found)) <= 1 + score / (THRESHOLD * mean_share)


def test_a_chain_whose_ends_are_alike_is_one_cluster():
    assert clusters(chain(3), ask=lambda missing: [0.5] * len(missing)) == [[0, 1, 2]]


def test_weak_pairs_within_a_cluster_do_not_split_it():
    edges = [(0, 1, 0.9), (0, 2, 0.9), (1, 2, 0.3), (0, 3, 0.9), (1, 3, 0.3), (2, 3, 0.3)]
    assert clusters(edges) == [[0, 1, 2, 3]]


def test_one_wrong_pair_does_not_join_two_clusters():
    group = [(a, b, 0.95) for a, b in combinations(range(4), 2)]
    other = [(a + 4, b + 4, 0.95) for a, b in combinations(range(4), 2)]
    assert clusters(unlike([*group, *other, (0, 4, 0.9)], 8), 8) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_better_pair_comes_first():
    assert clusters(unlike([(0, 1, 0.5), (1, 2, 0.6)]), mean_share=1.0) == [[1, 2]]


def test_of_equal_pairs_that_of_the_lesser_documents_comes_first():
    assert clusters(unlike(chain(3, 0.6)), mean_share=1.0) == [[0, 1]]


def test_a_story_copied_20_000_times_takes_linear_work_and_few_questions():
    n_docs, asked = 20_000, []

    def ask(missing):
        asked.append(len(missing))
        return [0.95] * len(missing)

    star = [(0, i, 0.95) for i in range(1, n_docs)]
    assert len(clusters(star, n_docs, ask=ask)) == 1
    assert sum(asked) <= SAMPLE * n_docs
    assert len(asked) <= 2 * sum(asked) / AHEAD
    assert max(asked) < AHEAD + SAMPLE * SAMPLE


def test_two_anchors_of_20_000_copies_take_linear_work():
    n_docs, n_asked = 20_000, 0

    def ask(missing):
        nonlocal n_asked
        n_asked += len(missing)
        return [0.9 + 0.01 * ((a + b) % 7) for a, b in missing]

    stars = [(anchor, i, 0.9 + 0.01 * (i % 7)) for i in range(2, n_docs) for anchor in (0, 1)]
    assert len(clusters(stars, n_docs, ask=ask)) == 1
    assert n_asked <= 2 * SAMPLE * n_docs


def test_where_links_do_not_join_little_is_asked_for_in_vain():
    """Copies of a part each are like the whole, and not like each other."""
    asked, needed = [], []

    def ask(missing):
        asked.extend(missing)
        return [0.0] * len(missing)

    star = [(0, i, 0.9) for i in range(1, 2_000)]
    assert clusters(star, 2_000, ask=ask, note=needed.extend) == [[0, 1, 2]]
    assert len(asked) <= 1.25 * len(needed)


# --- where the line is drawn ---


@pytest.mark.parametrize(("weak", "expected"), [(0.64, [[0, 1, 2]]), (0.56, [[0, 1], [2, 3]])])
def test_a_mean_that_fell_a_little_joins_and_one_that_fell_further_waits(weak, expected):
    """2 scores 0.8 with 0, and 0.72 or 0.68 with it and its copy; 3 lies between, with 0.75."""
    edges = [(0, 1, 0.95), (0, 2, 0.8), (1, 2, weak), (2, 3, 0.75)]
    assert clusters(unlike(edges, 4), 4, threshold=0.5) == expected


@pytest.mark.parametrize(("weak", "expected"), [(0.32, [[0, 1, 2]]), (0.28, [[0, 1]])])
def test_an_average_somewhat_under_the_threshold_joins(weak, expected):
    """The averages of 2 with both others are 0.41 and 0.39, of which 0.4 is wanted."""
    assert clusters([(0, 1, 0.9), (0, 2, 0.5), (1, 2, weak)], 3, threshold=0.5) == expected


@pytest.mark.parametrize(("size", "n_pairs"), [(8, 64), (9, 25)])
def test_of_two_small_clusters_all_pairs_count_and_of_larger_ones_some(size, n_pairs):
    """Every one of eight documents, and every other one of nine."""
    asked = []

    def ask(missing):
        asked.extend(missing)
        return [0.9] * len(missing)

    sides = range(size), range(size, 2 * size)
    inside = [(a, b, 0.95) for side in sides for a, b in combinations(side, 2)]
    assert len(clusters([*inside, (0, size, 0.9)], 2 * size, ask=ask)) == 1
    assert len(asked) + 1 == n_pairs


# --- regressions ---


def test_a_waiting_pair_elsewhere_does_not_change_the_order():
    edges = [(0, 4, 0.61), (0, 5, 0.62), (2, 5, 0.61)]
    assert clusters(unlike([*edges, (7, 8, 0.4)], 9), 9) == [*clusters(unlike(edges)), [7, 8]]

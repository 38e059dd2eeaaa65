"""What a page shows of a result: which pairs, in which order, and how many."""

from dataclasses import replace

import pytest

from dedupe.errors import Skipped
from dedupe.report import html
from dedupe.report.html import gathering
from dedupe.results.pairs import ScoredPairs
from paged import pair, result


def test_the_copy_to_keep_stands_on_the_left():
    found = gathering.gather(
        result([pair("a", "b", 0.9), pair("a", "c", 0.5)], [["b", "a"], ["c"]])
    )
    (one,) = found.clusters[0].duplicates
    assert (one.shown.left, one.shown.right, one.shown.is_mirrored) == ("b", "a", True)


def test_near_pairs_come_nearest_first_and_know_the_decision():
    scored = [pair("a", "b", 1.0), pair("a", "c", 0.6), pair("a", "d", 0.35), pair("b", "c", 0.39)]
    found = gathering.gather(result(scored, [["a", "b", "c"]]))
    assert [(p.left, p.right, p.together) for p in found.borderline] == [
        ("b", "c", True),
        ("a", "d", False),
        ("a", "c", True),
    ]


def test_a_copy_far_from_the_kept_one_also_shows_its_best_match():
    scored = [pair("a", "b", 0.9), pair("b", "c", 0.8), pair("a", "c", 0.05)]
    (cluster,) = gathering.gather(result(scored, [["a", "b", "c"]])).clusters
    assert [(one.id, one.shown.left, one.shown.pair.score) for one in cluster.duplicates] == [
        ("c", "a", 0.05),
        ("c", "b", 0.8),
        ("b", "a", 0.9),
    ]
    assert (cluster.size, cluster.saved_words, cluster.n_more) == (3, 101 + 102, 0)


def test_pairs_that_are_not_shown_are_never_made(monkeypatch):
    names = [f"{i:02}" for i in range(40)]
    scored = ScoredPairs.of([pair("00", other, 0.9) for other in names[1:]], names)
    made = []
    make = scored._make
    scored._make = lambda places: made.extend(places.tolist()) or make(places)
    found = result(list(scored), [names])
    made.clear()
    monkeypatch.setattr(gathering, "N_BORDERLINE", 2)
    monkeypatch.setattr(gathering, "N_DUPLICATES", 4)
    facts = gathering.gather(replace(found, scored=scored))
    assert set(made) == {0, 1, 2, 3}
    assert (len(facts.scores), facts.similarities.shape) == (39, (39, 2))


def test_every_cluster_has_its_turn_before_the_sixth_duplicate_of_one(monkeypatch):
    names = [f"{i:02}" for i in range(20)]
    groups = [names[:12], names[12:15]]
    scored = [pair(kept, other, 0.9) for kept, *rest in groups for other in rest]
    found = gathering.gather(result([*scored, pair("05", "13", 0.4)], groups))
    order = [shown.right for shown in gathering.shown_pairs(found)]
    assert order == ["13", *names[1:6], "13", "14", *names[6:12]]
    monkeypatch.setattr(gathering, "N_DUPLICATES", 4)
    cluster = gathering.gather(result(scored, groups)).clusters[0]
    assert (len(cluster.duplicates), cluster.n_more, cluster.saved_words) == (
        4,
        7,
        sum(range(101, 112)),
    )
    monkeypatch.setattr(gathering, "N_LISTED", 6)
    assert len(gathering.gather(result(scored, groups)).clusters) == 1


@pytest.mark.parametrize(
    ("score", "is_shown"), [(0.21, True), (0.19, False), (0.59, True), (0.61, False)]
)
def test_a_score_is_near_the_threshold_within_a_fifth(score, is_shown):
    found = gathering.gather(result([pair("a", "b", score)], threshold=0.4))
    assert len(found.borderline) == is_shown


def test_fifty_pairs_near_the_threshold_are_shown_and_the_nearest_of_more():
    scored = [pair("a", f"b{i:02}", 0.5 - i / 1000) for i in range(51)]
    for n in (49, 50, 51):
        shown = gathering.gather(result(scored[-n:])).borderline
        assert [one.pair.right for one in shown] == [f"b{i:02}" for i in range(50, 0, -1)][:n]


@pytest.mark.parametrize(("n", "n_more"), [(500, 0), (501, 1)])
def test_five_hundred_duplicates_of_a_cluster_are_listed(n, n_more):
    names = ["kept", *(f"{i:03}" for i in range(n))]
    found = result([pair(name, "kept", 0.9) for name in names[1:]], [names])
    (cluster,) = gathering.gather(found).clusters
    assert (len(cluster.duplicates), cluster.n_more) == (500, n_more)


def test_twenty_documents_are_listed_of_twenty_remedies():
    skipped = [Skipped(f"s{i}", "empty", f"remedy {i}") for i in range(21)]
    skipped += [Skipped(f"t{i}", "empty", "remedy 0") for i in range(20)]
    remedies = gathering.gather(result([], skipped=skipped)).remedies
    assert [one.remedy for one in remedies] == [f"remedy {i}" for i in range(20)]
    assert [(len(one.skipped), one.n_more) for one in remedies[:2]] == [(20, 1), (1, 0)]


def test_skipped_documents_are_gathered_by_remedy(monkeypatch):
    monkeypatch.setattr(gathering, "N_SKIPPED", 2)
    skipped = [Skipped(f"s{i}", "empty", "leave it out" if i else "repair it") for i in range(4)]
    found = result([], skipped=skipped)
    groups = gathering.gather(found).remedies
    assert [(g.remedy, [s.id for s in g.skipped], g.n_more) for g in groups] == [
        ("repair it", ["s0"], 0),
        ("leave it out", ["s1", "s2"], 1),
    ]
    monkeypatch.setattr(gathering, "N_REMEDIES", 1)
    assert "and 3 documents with other things to do" in html.result_page(found)

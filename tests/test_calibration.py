"""Labels against clusters: laws over all labels, then what a person may hand over."""

import re
from dataclasses import replace
from math import nextafter

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from dedupe.errors import InvalidLabels
from dedupe.report import calibration as report
from dedupe.report.lines import plain
from dedupe.results.calibration import MOST_BETWEEN, calibrate
from dedupe.results.records import Cluster
from dedupe.settings import SCORE_FLOOR
from found import make_result, scores, thresholds

IDS = "abcdef"
"""The ids of `scores` and "f", which is in no pair."""

sides = st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)).filter(lambda pair: pair[0] < pair[1])
judgements = st.dictionaries(sides, st.booleans(), min_size=2)


@st.composite
def results(draw):
    """Draw results, among them such with identical copies and with an old collection."""
    found = make_result(draw(scores), threshold=draw(thresholds))
    if draw(st.booleans()):
        old = draw(st.sets(st.sampled_from(IDS)))
        documents = tuple(replace(one, is_old=one.id in old) for one in found.documents)
        found = replace(found, documents=documents).at(found.settings.threshold)
    return found


def labels(*same):
    """Label the pairs ``a0 b0``, ``a1 b1``, ... of `result`."""
    return {(f"a{i}", f"b{i}"): one for i, one in enumerate(same)}


def result(*scores, threshold=0.4):
    """Make a result of pairs ``a0 b0``, ``a1 b1``, ... with these scores."""
    found = {(f"a{i}", f"b{i}"): score for i, score in enumerate(scores)}
    return replace(make_result(found, threshold=threshold), n_documents=100)


def is_together(found, pair):
    return any(set(pair) <= set(cluster.members) for cluster in found.clusters)


def counts(found, known):
    """Return what a result gets right, takes for one story, and misses."""
    decided = [(is_together(found, pair), same) for pair, same in known.items()]
    return [decided.count(what) for what in ((True, True), (True, False), (False, True))]


def f1(found, known):
    """Return F1 by its definition."""
    right, false, missed = counts(found, known)
    if not right:
        return 0.0
    precision, recall = right / (right + false), right / (right + missed)
    return 2 * precision * recall / (precision + recall)


def calibration_of(known, found):
    """Calibrate, where the labels are of both kinds and some threshold finds a story."""
    try:
        return calibrate(known, found)
    except InvalidLabels:
        reject()


# --- laws ---


@given(results(), st.integers(0, 31), st.booleans())
def test_who_agrees_with_every_decision_is_told_to_keep_the_threshold(found, chosen, is_own):
    if is_own and found.documents:
        # As `at` cannot know all that a search asked for, the clusters may be others.
        ids = sorted(document.id for document in found.documents)
        few = tuple(name for place, name in enumerate(ids) if chosen >> place & 1)
        found = replace(found, clusters=(Cluster(few[0], few),) if few else ())
    known = {
        (left, right): is_together(found, (left, right))
        for left in IDS
        for right in IDS
        if left < right
    }
    assume(len(found.documents) >= 2 and any(known.values()) and not all(known.values()))
    outcome = calibrate(known, found)
    assert outcome.now.threshold == found.settings.threshold
    assert (outcome.now.f1, outcome.now.false, outcome.now.missed) == (1, 0, 0)
    assert outcome.best == outcome.now
    assert outcome.low <= outcome.best.threshold <= outcome.high


@given(results(), judgements)
def test_trials_count_the_decisions_of_another_threshold(found, known):
    outcome = calibration_of(known, found)
    for trial in (*outcome.trials, outcome.now, outcome.best):
        other = found.at(trial.threshold)
        assert [trial.false, trial.missed] == counts(other, known)[1:]
        assert trial.f1 == pytest.approx(f1(other, known))
    same = sum(known.values())
    assert (outcome.n_same, outcome.n_different) == (same, len(known) - same)


@given(results(), judgements)
def test_nothing_that_was_tried_agrees_better_and_the_range_agrees_alike(found, known):
    outcome = calibration_of(known, found)
    best = outcome.best.f1
    assert max(trial.f1 for trial in (*outcome.trials, outcome.now)) <= best
    assert outcome.low <= outcome.best.threshold <= outcome.high
    for trial in outcome.trials:
        assert trial.f1 == best or not outcome.low <= trial.threshold <= outcome.high
    for threshold in (outcome.low, outcome.high):
        assert f1(found.at(threshold), known) == pytest.approx(best)
    assert (outcome.now.f1 == best) == (outcome.best == outcome.now)


@given(results(), judgements, st.randoms())
def test_the_order_of_labels_and_of_ids_changes_nothing(found, known, random):
    shuffled = list(known.items())
    random.shuffle(shuffled)
    turned = {pair[:: random.choice((1, -1))]: same for pair, same in shuffled}
    outcomes = []
    for one in (known, turned):
        try:
            outcomes.append(calibrate(one, found))
        except InvalidLabels as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@given(results(), judgements)
def test_what_is_said_of_thresholds_is_true(found, known):
    outcome = calibration_of(known, found)
    said = plain(report.describe(outcome))
    best, now = (float(number) for number in re.findall(r"threshold ([\d.e-]+) ", said))
    assert (best, now) == (outcome.best.threshold, outcome.now.threshold)
    ranges = re.findall(r"every threshold that was tried from ([\d.]+) to ([\d.]+)\n", said)
    is_alone = outcome.low == outcome.high
    assert ("the nearest thresholds that were tried do worse" in said) == is_alone
    assert [(float(low), float(high)) for low, high in ranges] == (
        [] if is_alone else [(outcome.low, outcome.high)]
    )


# --- the choice ---


def test_clusters_decide_and_not_the_score_of_the_pair():
    # b and c score 0.3, and are one story by way of a; d is kept out by its averages.
    found = make_result({"ab": 0.9, "ac": 0.8, "bc": 0.3, "cd": 0.41, "ad": 0.1, "bd": 0.1})
    assert [cluster.members for cluster in found.clusters] == [("a", "b", "c")]
    outcome = calibrate({("b", "c"): True, ("c", "d"): False}, found)
    assert (outcome.best, outcome.now.f1) == (outcome.now, 1.0)


def test_the_present_threshold_is_kept_if_none_does_better():
    # It stands at the edge of a range, and a wider one agrees as well.
    found = result(0.9, 0.8, 0.3, threshold=0.31)
    outcome = calibrate(labels(True, True, False), found)
    assert outcome.best == outcome.now
    assert (outcome.low, outcome.high) == (0.31, 0.8)
    found = result(0.95, 0.9, 0.2, 0.15, threshold=0.92)
    outcome = calibrate(labels(True, False, False, True), found)
    assert (outcome.best.threshold, outcome.low, outcome.high) == (0.92, 0.92, 0.95)


def test_else_the_middle_of_the_widest_range_is_chosen():
    outcome = calibrate(labels(True, True, False), result(0.9, 0.6, 0.45))
    assert (outcome.low, outcome.high) == (0.5, 0.6)
    assert (outcome.best.threshold, outcome.best.f1) == (0.55, 1.0)
    assert (outcome.now.threshold, outcome.now.f1) == (0.4, 0.8)


def test_of_ranges_of_one_width_the_lowest_is_chosen():
    # Above 0.82 one story of two is missed; up to 0.22 two strangers are taken in.
    found = result(0.98, 0.82, 0.72, 0.22, threshold=0.5)
    outcome = calibrate(labels(True, False, False, True), found)
    assert outcome.best.f1 == pytest.approx(2 / 3)
    assert (outcome.low, outcome.high) == (SCORE_FLOOR, 0.2)


def test_a_document_in_no_pair_is_always_apart():
    outcome = calibrate({("a0", "b0"): True, ("a0", "x"): False, ("x", "y"): True}, result(0.5))
    assert outcome.unpaired == ("x", "y")
    assert {trial.missed for trial in outcome.trials} == {1, 2}
    assert {trial.false for trial in outcome.trials} == {0}


@pytest.mark.parametrize(
    ("scores", "middle"),
    [
        ((0.41001, 0.41), 0.410005),
        ((0.4000003, 0.4000001), 0.4000002),
        ((nextafter(0.51, 1), 0.51), nextafter(0.51, 1)),
        ((0.51, nextafter(0.51, 0)), 0.51),
    ],
)
def test_a_narrow_range_gets_the_digits_it_needs(scores, middle):
    outcome = calibrate(labels(True, False), result(*scores))
    assert (outcome.best.threshold, outcome.best.f1) == (middle, 1)
    said = plain(report.describe(outcome))
    assert f"best  threshold {middle}  precision 1.00  recall 1.00  F1 1.00  wrong 0" in said
    assert "now   threshold 0.4  precision 0.50  recall 1.00  F1 0.67  wrong 1" in said
    assert "the nearest thresholds that were tried do worse" in said


def test_many_labels_do_not_take_many_clusterings(monkeypatch):
    n = 5 * MOST_BETWEEN
    found = result(*(0.2 + 0.6 * i / n for i in range(n)))
    tried = []
    at = type(found)._labels_at
    monkeypatch.setattr(
        type(found), "_labels_at", lambda self, t: tried.append(len(self.scored)) or at(self, t)
    )
    found = replace(found, n_documents=2 * n)
    calibrate(labels(*(i >= n // 2 for i in range(n))), found)
    assert len(tried) <= MOST_BETWEEN + 19
    # Nothing is clustered that no label asks about.
    tried.clear()
    calibrate({("a0", "b0"): False, (f"a{n - 1}", f"b{n - 1}"): True}, found)
    assert max(tried) == 2


def test_steps_of_a_twentieth_are_tried_from_the_lowest_threshold_to_1():
    outcome = calibrate(labels(True, False), result(0.9, 0.3))
    assert [trial.threshold for trial in outcome.trials] == [n / 100 for n in range(10, 101, 5)]


@pytest.mark.parametrize(("n_scores", "n_wrong"), [(99, 0), (100, 1)])
def test_a_hundred_gaps_between_scores_are_all_tried_and_of_more_every_other(n_scores, n_wrong):
    """Labels agree with one gap alone: the second, which is not in every other one."""
    scores = [0.41 + 0.03 * place / n_scores for place in range(n_scores)]
    outcome = calibrate(labels(*(place >= 1 for place in range(n_scores))), result(*scores))
    assert outcome.best.false + outcome.best.missed == n_wrong


# --- what is refused ---


@pytest.mark.parametrize(
    ("given_labels", "why"),
    [
        ({}, "got 0 of one story and 0 of two stories"),
        (labels(True, True), "got 2 of one story and 0 of two stories: label more pairs"),
        (labels(False), "got 0 of one story and 1 of two stories"),
        ({("x", "y"): True, ("a0", "b0"): False}, "got none: label pairs that are in a cluster"),
        ({("a0", "a1"): True, ("a0", "b0"): False}, "at some threshold, got none"),
        ({("x", "y"): True, ("x", "w"): False}, "got 'w' among 3 of 3 that it has no pair of"),
        (5, "must be a path or a mapping"),
    ],
)
def test_labels_that_say_too_little(given_labels, why):
    with pytest.raises(InvalidLabels, match=why):
        calibrate(given_labels, result(0.5, 0.6))


def test_more_strangers_than_the_result_has_documents_without_a_pair():
    known = {("a0", "b0"): True, ("x", "y"): False}
    found = result(0.5)
    with pytest.raises(InvalidLabels, match=r"got 'x' among 2 of 4 .*: take the result of the"):
        calibrate(known, replace(found, n_documents=3))
    assert calibrate(known, replace(found, n_documents=4)).best.f1 == 1


# --- what is said ---


def test_report():
    known = {**labels(True, True, False), ("x\x1b", "y"): False}
    outcome = calibrate(known, result(0.9, 0.6, 0.45))
    said = plain(report.describe(outcome))
    assert said.startswith(
        "4 labels: 2 one story, 2 two stories\n"
        "  2 documents are in no scored pair, so in no cluster: x\\x1b, y\n"
        "\n"
        "best  threshold 0.55  precision 1.00  recall 1.00  F1 1.00  wrong 0\n"
        "  so does every threshold that was tried from 0.5 to 0.6\n"
        "now   threshold 0.4  precision 0.67  recall 1.00  F1 0.80  wrong 1\n"
        "\n"
        "threshold  precision  recall    F1  false  missed\n"
        "     0.10       0.67    1.00  0.80      1       0\n"
    )
    assert said.endswith("     1.00       1.00    0.00  0.00      0       2\n")
    assert "no scored pair" not in plain(report.describe(replace(outcome, unpaired=())))
    many = plain(report.describe(replace(outcome, unpaired=tuple("abcde"))))
    assert "5 documents are in no scored pair, so in no cluster: a, b, c and 2 more" in many

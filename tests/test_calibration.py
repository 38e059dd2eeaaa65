"""Labels against scores: laws over all labels, then what a person may hand over."""

import json
import re
from dataclasses import replace
from math import nextafter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dedupe.calibration import calibrate, read_labels
from dedupe.errors import InvalidLabels, NoSuchPath
from dedupe.records import Pair
from dedupe.report import calibration as report
from dedupe.report.lines import plain
from dedupe.results import Result
from dedupe.settings import SCORE_FLOOR, Settings

SCORES = st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.4, 0.4000001, 0.4000003, 0.5, 1.0])
judgements = st.lists(st.tuples(SCORES, st.booleans()), min_size=2, max_size=12)


def result(scores):
    """Make a result of pairs ``a0 b0``, ``a1 b1``, ... with these scores."""
    return Result(
        clusters=(),
        duplicates=(),
        scored=tuple(
            Pair(f"a{i}", f"b{i}", score, 0.5, 1, 1, 0.5, "contained", "", 9, 0, 0)
            for i, score in enumerate(scores)
        ),
        skipped=(),
        n_documents=2 * len(scores),
        n_words=18 * len(scores),
        settings=Settings(),
        documents=(),
    )


def labels(*same):
    return {(f"a{i}", f"b{i}"): one for i, one in enumerate(same)}


def exported(*rows, **changes):
    return json.dumps({"format": "dedupe-labels", "version": 1, "labels": rows} | changes)


def f1(judged, threshold):
    """Return F1 by its definition."""
    confirmed = [same for score, same in judged if score >= threshold]
    if not any(confirmed):
        return 0.0
    precision = sum(confirmed) / len(confirmed)
    recall = sum(confirmed) / sum(same for _, same in judged)
    return 2 * precision * recall / (precision + recall)


def tells_something(judged):
    """Return whether labels are of both kinds, and some threshold finds a story."""
    return {same for _, same in judged} == {True, False} and any(
        same and score >= SCORE_FLOOR for score, same in judged
    )


def calibration_of(judged):
    return calibrate(labels(*(same for _, same in judged)), result([s for s, _ in judged]))


# --- laws ---


@given(judgements)
def test_no_threshold_agrees_better_and_the_range_agrees_alike(judged):
    assume(tells_something(judged))
    found = calibration_of(judged)
    is_inside = found.low < found.best.threshold <= found.high
    assert is_inside or found.low == found.best.threshold == found.high == SCORE_FLOOR
    assert found.best.f1 == pytest.approx(f1(judged, found.best.threshold))
    assert found.best.f1 == pytest.approx(f1(judged, found.high))
    every = [*(score for score, _ in judged), *(step / 100 for step in range(10, 101))]
    assert all(f1(judged, t) <= found.best.f1 + 1e-9 for t in every if t >= SCORE_FLOOR)


@given(judgements, st.randoms())
def test_the_order_of_labels_and_of_ids_changes_nothing(judged, random):
    found = result([score for score, _ in judged])
    given_labels = labels(*(same for _, same in judged))
    shuffled = list(given_labels.items())
    random.shuffle(shuffled)
    turned = {sides[:: random.choice((1, -1))]: same for sides, same in shuffled}
    outcomes = []
    for one in (given_labels, turned):
        try:
            outcomes.append(calibrate(one, found))
        except InvalidLabels as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@given(judgements)
def test_trials_count_what_they_say(judged):
    assume(tells_something(judged))
    found = calibration_of(judged)
    for trial in (*found.trials, found.now, found.best):
        assert trial.false == sum(s >= trial.threshold and not same for s, same in judged)
        assert trial.missed == sum(s < trial.threshold and same for s, same in judged)
    assert (found.n_same, found.n_different) == (
        sum(same for _, same in judged),
        sum(not same for _, same in judged),
    )


@given(judgements)
def test_what_is_said_of_thresholds_is_true(judged):
    assume(tells_something(judged))
    found = calibration_of(judged)
    said = plain(report.describe(found))
    best, now = (float(number) for number in re.findall(r"threshold ([\d.e-]+) ", said))
    assert (best, now) == (found.best.threshold, found.now.threshold)
    if found.low == found.high:
        assert "no other threshold does as well" in said
        return
    ((low, high),) = re.findall(r"above ([\d.e-]+), up to ([\d.e-]+), does", said)
    assert found.low <= float(low) < best <= float(high) <= found.high


# --- the choice ---


def test_the_middle_of_the_flat_region_is_chosen():
    found = calibrate(labels(True, True, False), result([0.9, 0.6, 0.3]))
    assert (found.low, found.high) == (0.3, 0.6)
    assert (found.best.threshold, found.best.f1) == (0.45, 1.0)
    assert (found.now.threshold, found.now.f1) == (0.4, 1.0)


def test_of_ranges_that_agree_alike_the_widest_is_chosen():
    # Above 0.8 one story of two is missed; up to 0.7 two strangers are taken in.
    found = calibrate(labels(True, False, False, True), result([0.9, 0.8, 0.75, 0.7]))
    assert found.best.f1 == pytest.approx(2 / 3)
    assert (found.low, found.high) == (SCORE_FLOOR, 0.7)


def test_a_pair_without_a_score_counts_as_zero():
    found = calibrate({("a0", "b0"): True, ("a0", "x"): False}, result([0.5]))
    assert (found.n_unscored, found.best.f1, found.low, found.high) == (1, 1.0, SCORE_FLOOR, 0.5)


@pytest.mark.parametrize(
    ("scores", "middle"),
    [
        ((0.40001, 0.4), 0.400005),
        ((0.4000003, 0.4000001), 0.4000002),
        ((nextafter(0.5, 1), 0.5), nextafter(0.5, 1)),
        ((0.5, nextafter(0.5, 0)), 0.5),
    ],
)
def test_a_narrow_range_gets_the_digits_it_needs(scores, middle):
    found = calibrate(labels(True, False), result(scores))
    assert (found.best.threshold, found.best.f1) == (middle, 1)


def test_a_threshold_that_is_nearly_the_best_is_told_apart():
    found = calibrate(labels(True, False), result([0.4000003, 0.4000001]))
    said = plain(report.describe(found))
    assert "best  threshold 0.4000002  precision 1.00  recall 1.00  F1 1.00  wrong 0" in said
    assert "above 0.4000001, up to 0.4000003, does as well" in said
    assert "now   threshold 0.4  precision 0.50  recall 1.00  F1 0.67  wrong 1" in said


def test_the_lowest_threshold_may_be_the_best():
    found = calibrate(labels(True, False), result([0.1, 0.05]))
    assert found.low == found.best.threshold == found.high == SCORE_FLOOR


# --- what is refused ---


@pytest.mark.parametrize(
    ("given_labels", "why"),
    [
        ({}, "got 0 of one story and 0 of two stories"),
        (labels(True, True), "got 2 of one story and 0 of two stories: label more pairs"),
        (labels(False), "got 0 of one story and 1 of two stories"),
        ({("x", "y"): True, ("a0", "b0"): False}, "got none: no threshold finds them"),
        ({("a0", "b0"): True, ("b0", "a0"): False}, "got both for 'a0' and 'b0'"),
        ({("a0", "a0"): True}, "must name two documents, got 'a0' twice"),
    ],
)
def test_labels_that_say_too_little(given_labels, why):
    with pytest.raises(InvalidLabels, match=why):
        calibrate(given_labels, result([0.5, 0.6]))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("[]", "must say format 'dedupe-labels' and version 1, got None"),
        (exported(version=2), r"got \('dedupe-labels', 2\): export them"),
        (exported(labels={}), "must be a list, got dict"),
        (exported({"left": "a", "right": "b"}), "a label must have .* at place 1"),
        (exported({"left": "a", "right": 1, "same_story": True}), "a label must have"),
        (exported({"left": "a", "right": "b", "same_story": 1}), "a label must have"),
        (exported("a"), "a label must have .*, got 'a' at place 1"),
        (
            exported(*({"left": "a", "right": "b", "same_story": s} for s in (True, False))),
            "got both for 'a' and 'b'",
        ),
    ],
)
def test_files_that_are_no_labels(text, why):
    with pytest.raises(InvalidLabels, match=why):
        read_labels(text)


def test_a_file_is_read(tmp_path):
    place = tmp_path / "labels.json"
    rows = [
        {"left": "b0", "right": "a0", "same_story": True},
        {"left": "a1", "right": "b1", "same_story": False},
    ]
    place.write_text(exported(*rows), encoding="utf-8")
    found = calibrate(place, result([0.5, 0.3]))
    assert found == calibrate(labels(True, False), result([0.5, 0.3]))
    with pytest.raises(NoSuchPath, match=r"got '.*none.json'"):
        calibrate(tmp_path / "none.json", result([0.5]))
    with pytest.raises(InvalidLabels, match="that can be read"):
        calibrate(tmp_path, result([0.5]))


# --- what is said ---


def test_report():
    found = calibrate({**labels(True, True, False), ("x", "y"): False}, result([0.9, 0.6, 0.45]))
    said = plain(report.describe(found))
    assert said.startswith(
        "4 labels: 2 one story, 2 two stories\n"
        "  1 of pairs without a score count as 0\n"
        "\n"
        "best  threshold 0.53  precision 1.00  recall 1.00  F1 1.00  wrong 0\n"
        "  any threshold above 0.45, up to 0.6, does as well\n"
        "now   threshold 0.4  precision 0.67  recall 1.00  F1 0.80  wrong 1\n"
        "\n"
        "threshold  precision  recall    F1  false  missed\n"
        "     0.10       0.67    1.00  0.80      1       0\n"
    )
    assert said.endswith("     1.00       1.00    0.00  0.00      0       2\n")
    same = replace(found, n_unscored=0, now=found.best)
    assert "without a score" not in plain(report.describe(same))

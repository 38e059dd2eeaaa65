"""The plots of a page: every value is in a bar, and what is said of them is true."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dedupe.report.html import plots


@given(st.lists(st.floats(0, 1), max_size=50), st.floats(0.1, 1))
def test_bars_are_of_one_side_of_the_threshold(values, threshold):
    chart = plots.scores(values, threshold)
    counts = {
        style: sum(int(m.says.split(": ")[1].split()[0]) for m in chart.shapes if m.style == style)
        for style in ("yes", "no")
    }
    assert counts["yes"] == sum(value >= max(threshold, 0.1) for value in values)
    assert counts["no"] == sum(0.1 <= value < threshold for value in values)


@given(st.lists(st.sampled_from([0.1, 0.3999, 0.4, 0.95, 1.0])), st.sampled_from([0.1, 0.4, 1.0]))
def test_bars_of_scores_at_the_ends_are_of_one_side_too(values, threshold):
    shapes = plots.scores(values, threshold).shapes
    counts = dict.fromkeys(("yes", "no"), 0)
    for shape in shapes:
        counts[shape.style] += int(shape.says.split(": ")[1].split()[0])
    assert counts["yes"] == sum(value >= threshold for value in values)
    assert sum(counts.values()) == len(values)


@given(st.lists(st.integers(2, 10_000), min_size=2, max_size=30))
def test_what_is_said_of_sizes_is_true(sizes):
    said = plots.sizes(sizes).says.replace(",", "")
    largest, middle = map(int, re.findall(r"[0-9]+", said))
    assert said.endswith(f"at least half of the clusters have {middle} or fewer.")
    assert largest == max(sizes)
    assert middle in sizes
    assert 2 * sum(size <= middle for size in sizes) >= len(sizes)
    assert 2 * sum(size < middle for size in sizes) < len(sizes)


@given(st.integers(1, 10**7))
def test_the_tallest_bar_has_a_tick_and_no_two_labels_touch(tallest):
    ticks = plots._count_ticks(tallest)
    assert ticks[-1] == plots.Tick(plots.TOP, plots._count(tallest))
    places = [tick.place for tick in ticks]
    assert all(low - high >= plots.TICK_GAP for low, high in pairwise(places))
    assert all(len(tick.says) <= 6 for tick in ticks)


def test_a_tick_too_near_to_the_tallest_bar_is_left_out():
    said = {n: [tick.says for tick in plots._count_ticks(n)] for n in (1, 12, 20, 30, 12_444)}
    assert said == {
        1: ["1"],
        12: ["1", "12"],
        20: ["1", "10", "20"],
        30: ["1", "10", "30"],
        12_444: ["1", "10", "100", "1,000", "12,444"],
    }


@given(st.lists(st.integers(2, 10_000), max_size=30))
def test_bars_of_sizes_hold_every_cluster(sizes):
    chart = plots.sizes(sizes)
    assert sum(int(shape.says.split(": ")[1].split()[0]) for shape in chart.shapes) == len(sizes)


def test_plots_of_nothing_and_of_one():
    assert plots.scores([], 0.4).says == "0 pairs at or above the threshold 0.4, 0 below it."
    assert plots.sizes([]).says == "There is no cluster."
    assert plots.sizes([3]).says == "The only cluster has 3 documents."
    assert plots.similarities([]).says.endswith("misses them: 0 of 0 confirmed pairs.")
    assert plots.similarities([(0.4, 1), (1, 1)]).says.endswith("1 of 2 confirmed pairs (50%).")
    (shape,) = [shape for shape in plots.similarities([(1.0, 1.0)]).shapes if shape.path]
    assert shape.style == "level0"

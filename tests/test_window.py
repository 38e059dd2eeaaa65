"""A window: two documents whose times lie further apart are never the same story."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import reference
from dedupe import Old, Result, Settings, clean, find_duplicate_texts, find_duplicates
from dedupe.ages import as_window, spelled
from dedupe.cli import cli
from dedupe.clustering import components
from dedupe.errors import InvalidCheckpoint, InvalidResult, InvalidSetting
from dedupe.lsh import candidate_pairs
from dedupe.results.records import DocumentInfo
from dedupe.spans import Spans, split_copies
from found import make_result, members
from reference import in_window
from strategies import article, edited

DAY = 86400
STORIES = [article(f"story {n}") for n in range(3)]

times = st.none() | st.integers(0, 9)
groups = st.lists(st.tuples(st.integers(0, 2), times), min_size=1, max_size=9)


def first_of(labels):
    return np.array([labels.index(label) for label in labels])


def as_array(values):
    return np.array([np.nan if value is None else value for value in values], np.float64)


def records(*found):
    """Return records of pairs of a text and a day, or None."""
    return [
        {"id": f"{i:02}", "text": text, "day": None if day is None else day * DAY}
        for i, (text, day) in enumerate(found)
    ]


def search(found, window="3d", **more):
    return find_duplicate_texts(records(*found), time_field="day", window=window, **more)


def clusters_of(found, window="3d", **more):
    return sorted(tuple(map(int, one)) for one in members(search(found, window, **more)))


# --- laws ---


@given(groups, st.integers(1, 4))
def test_copies_are_together_that_a_chain_of_near_ones_joins(found, window):
    labels = first_of([label for label, _ in found])
    dates = [date for _, date in found]
    links = [
        (i, j)
        for j in range(len(found))
        for i in range(j)
        if labels[i] == labels[j] and in_window(dates[i], dates[j], window)
    ]
    expected = components(len(found), np.array(links, np.int64).reshape(-1, 2))
    runs = split_copies(labels, as_array(dates), timedelta(seconds=window))
    assert ((runs[:, None] == runs) == (expected[:, None] == expected)).all()


@given(groups, st.integers(1, 4))
def test_runs_are_near_exactly_if_two_of_their_copies_are(found, window):
    dates = [date for _, date in found]
    span = timedelta(seconds=window)
    runs = split_copies(first_of([label for label, _ in found]), as_array(dates), span)
    spans = Spans.of(runs, as_array(dates), span)
    for i in range(len(found)):
        for j in range(len(found)):
            expected = any(
                in_window(dates[a], dates[b], window)
                for a in np.flatnonzero(runs == runs[i]).tolist()
                for b in np.flatnonzero(runs == runs[j]).tolist()
            )
            assert spans.in_window(np.array([[i, j]])).item() == expected


@given(
    st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=12),
    st.integers(2, 20),
    st.data(),
)
def test_candidates_are_those_within_the_window_and_more_in_crowded_buckets(rows, cap, data):
    signatures, n = np.array(rows, np.uint32), len(rows)
    sizes = np.array(data.draw(st.lists(st.integers(1, 3), min_size=n, max_size=n)), np.int64)
    dates = data.draw(st.lists(times, min_size=n, max_size=n))
    is_old = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
    old = data.draw(st.sampled_from([None, is_old]))
    spans = Spans.of(np.arange(n), as_array(dates), timedelta(seconds=2))
    found, plain, every = (
        {
            frozenset(pair)
            for pair in candidate_pairs(
                signatures, sizes, is_old=old, bucket_cap=most, floor=0.0, spans=times_of
            ).tolist()
        }
        for most, times_of in ((cap, spans), (cap, None), (99, None))
    )
    within = {pair for pair in every if in_window(*(dates[document] for document in pair), 2)}
    assert plain & within <= found <= within
    if cap >= n:
        assert found == within
    # What has anything near in a crowded bucket is linked to something.
    if old is None:
        assert set().union(*found) == set().union(*within)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 3), times), max_size=14
    ),
    st.integers(2, 4),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.4]),
)
def test_candidates_within_a_window_equal_reference(found, cap, window, floor):
    rows, sizes = [row[:2] for row in found], [row[2] for row in found]
    dates = [row[3] for row in found]
    contents = [n * n % 7 for n in range(len(found))]
    pairs = candidate_pairs(
        np.array(rows, np.uint32).reshape(-1, 2),
        np.array(sizes, np.int64),
        contents=np.array(contents, np.uint64),
        bucket_cap=cap,
        floor=floor,
        spans=Spans.of(np.arange(len(found)), as_array(dates), timedelta(seconds=window)),
    )
    assert list(map(tuple, pairs.tolist())) == reference.candidates_within(
        reference.Signed(rows, sizes, contents), dates, window, cap, floor
    )


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.booleans(), times), min_size=2, max_size=7),
    st.randoms(),
)
def test_order_json_and_threshold_change_nothing(drawn, random):
    found = [(STORIES[n] + " menu home news" * is_page, day) for n, is_page, day in drawn]
    if all(day is None for _, day in found):
        found[0] = (found[0][0], 0)
    result = search(found, keep="newest")
    rows = records(*found)
    shuffled = find_duplicate_texts(
        random.sample(rows, len(rows)), time_field="day", window="72h", keep="newest", workers=3
    )
    assert shuffled.to_json() == result.to_json()
    loaded = Result.from_json(result.to_json())
    assert loaded == result
    assert loaded.at(0.9).at(result.settings.threshold) == result
    # A cluster is what pairs of a story within the window join, one after the other.
    links = [
        (i, j)
        for j in range(len(drawn))
        for i in range(j)
        if drawn[i][0] == drawn[j][0] and in_window(found[i][1], found[j][1], 3)
    ]
    labels = components(len(drawn), np.array(links, np.int64).reshape(-1, 2)).tolist()
    expected = {tuple(i for i, one in enumerate(labels) if one == label) for label in labels}
    assert clusters_of(found) == sorted(group for group in expected if len(group) > 1)


# --- what decides ---


@pytest.mark.parametrize("texts", [(STORIES[0],) * 2, (STORIES[0], edited(STORIES[0], 0.05))])
@pytest.mark.parametrize(
    ("days", "joined"), [((0, 3), True), ((0, 3.01), False), ((0, None), True)]
)
def test_two_documents_are_a_story_within_the_window(texts, days, joined):
    found = list(zip(texts, days, strict=True))
    assert clusters_of(found) == [(0, 1)] * joined
    assert clusters_of(found, window=None) == [(0, 1)]
    result = search(found)
    assert len(result.pairs) == joined
    assert result.n_copies == (joined and texts[0] == texts[1])


@pytest.mark.parametrize("share", [0, 0.02])
def test_a_story_that_trickles_is_one_cluster_and_goes(share):
    found = [(edited(STORIES[0], share, seed=day), day) for day in range(0, 20, 2)]
    result = search(found)
    assert len(result.clusters[0]) == 10
    assert len(result.duplicates) == 9
    # Only the pairs within the window are confirmed, though others were scored.
    days = {f"{i:02}": day for i, (_, day) in enumerate(found)}
    if share:
        assert all(abs(days[one.left] - days[one.right]) <= 3 for one in result.pairs)
        far = [one for one in result.scored if not result.in_window(one)]
        assert far
        assert all(abs(days[one.left] - days[one.right]) > 3 for one in far)
    assert result.at(result.settings.threshold) == result


def test_what_changes_along_a_chain_is_averaged_over_all_of_it():
    words = article("drift", 400).split()
    drift = [(" ".join(words[25 * i : 25 * i + 100]), 2 * i) for i in range(12)]
    assert max(map(len, clusters_of(drift))) < 6


def test_a_crowded_bucket_links_documents_to_those_of_their_time():
    # The largest stand for all others, and they are years away.
    large = [(f"{STORIES[0]} {article(f'page {i}', 60)}", 400 * i) for i in range(2)]
    small = [(edited(STORIES[0], 0.04, seed=i), 3000 + 400 * (i // 2)) for i in range(80)]
    found = clusters_of([*large, *small], window="1d")
    assert found == [(2 + i, 3 + i) for i in range(0, 80, 2)]


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ((1.0, 1.0, 1.0), (-1.9, -1.9, 3.5, 3.5)),  # Slices twice as long have far anchors.
        ((3.9, 4.1), (90, 90)),  # On either side of where both lengths are cut at first.
        ((0.6, 2.4), (90, 90)),  # In no slice of the length of the window together.
    ],
)
def test_a_crowded_bucket_is_cut_in_several_ways(small, large):
    n = len(small) + len(large)
    spans = Spans.of(np.arange(n), np.array([*small, *large]), timedelta(seconds=2))
    sizes = np.array([1] * len(small) + [2] * len(large))
    signatures = np.zeros((n, 3), np.uint32)
    found = candidate_pairs(signatures, sizes, bucket_cap=2, floor=0.0, spans=spans)
    linked = {document for pair in found.tolist() for document in pair}
    assert linked >= set(range(len(small)))


def test_what_was_scored_outside_the_window_joins_nothing():
    documents = [DocumentInfo(name, 9, 0, day, is_dated=True) for name, day in (("a", 0), ("b", 9))]
    result = make_result({"ab": 0.9}, documents=documents)
    assert result.clusters
    for seconds, joined in ((9, True), (8, False)):
        window = timedelta(seconds=seconds)
        there = replace(result, settings=replace(result.settings, window=window)).at(0.5)
        assert bool(there.clusters) == bool(there.pairs) == joined


def test_a_document_without_a_time_is_near_all_in_a_crowded_bucket():
    dated = [(f"{edited(STORIES[0], 0.04, seed=i)}", 400 * i) for i in range(60)]
    undated = [(edited(STORIES[0], 0.04, seed=99), None)]
    result = search([*dated, *undated], window="1d")
    assert len(result.pairs_of("60")) == 60
    assert result.n_undated == 1


# --- an old collection ---


def against(old, new, **more):
    rows = [{**row, "id": f"old {row['id']}"} for row in records(*old)]
    return find_duplicate_texts(records(*new), against=rows, time_field="day", window="3d", **more)


@pytest.mark.parametrize("share", [0, 0.05])
def test_new_documents_go_for_old_ones_within_the_window(share):
    old = [(STORIES[0], 0), (STORIES[0], 100), (STORIES[1], None)]
    new = [(edited(STORIES[n], share), day) for n, day in ((0, 2), (0, 99), (0, 50), (1, 7))]
    result = against(old, new)
    goes = {one.id: one.duplicate_of for one in result.duplicates}
    assert goes == {"00": Old("old 00"), "01": Old("old 01"), "03": Old("old 02")}
    assert result.at(result.settings.threshold) == result


# --- where times come from ---


def files(tmp_path, *days):
    for i, day in enumerate(days):
        path = tmp_path / f"{i}.txt"
        path.write_text(STORIES[0])
        os.utime(path, (day * DAY, day * DAY))
    return tmp_path


def test_files_have_no_time_unless_that_is_asked_for(tmp_path):
    folder = files(tmp_path, 1, 100)
    with pytest.raises(InvalidSetting, match=r"got none among 2: name .*--time-field.*mtime"):
        find_duplicates(folder, window="3d")
    assert find_duplicates(folder, window="3d", time_from="mtime").clusters == ()
    assert len(find_duplicates(folder, window="99d", time_from="mtime").clusters) == 1


def test_files_beside_records_keep_their_time_for_the_newest(tmp_path):
    folder = files(tmp_path, 1, 100)
    (folder / "r.jsonl").write_text(json.dumps({"id": "r", "text": STORIES[0], "day": 50 * DAY}))
    result = find_duplicates(folder, window="3d", time_field="day", keep="newest")
    assert [one.representative for one in result.clusters] == [str(folder / "1.txt")]
    assert [one.is_dated for one in result.documents] == [False, False, True]
    assert result.n_undated == 2
    result = find_duplicates(folder, window="3d", time_field="day", time_from="mtime")
    assert (result.clusters, result.n_undated) == ((), 0)


def test_how_many_have_no_time_is_said(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, records((STORIES[0], 0), (STORIES[1], None)))))
    flags = ["--time-field", "day"]
    said = CliRunner().invoke(cli, ["find", str(path), *flags, "--window", "3d"]).stdout
    assert said.endswith(", 0 skipped, 1 without a time\n")
    assert "without" not in CliRunner().invoke(cli, ["find", str(path), *flags]).stdout
    ran = CliRunner().invoke(cli, ["clean", str(path), *flags, "--window", "3d"])
    assert "in the window of 3d of every other: 1 document\n" in ran.stderr


def test_a_page_says_the_window(tmp_path):
    search([(STORIES[0], 0), (STORIES[0], None)]).to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "longest time between two documents of a story; 1 document without a time" in page


def test_cleaning_takes_a_window(tmp_path):
    folder = files(tmp_path, 1, 2, 100)
    search = {"window": timedelta(days=3), "time_from": "mtime"}
    assert clean(folder, **search).dropped == (str(folder / "1.txt"),)
    assert clean(folder, delete=True, **search).dropped == (str(folder / "1.txt"),)


def test_why_a_document_is_apart_is_said(tmp_path):
    path = tmp_path / "r.jsonl"
    trickle = [(edited(STORIES[0], 0.02, seed=day), day) for day in (0, 2, 4, 90)]
    path.write_text("\n".join(map(json.dumps, records(*trickle))))
    flags = [str(path), "--time-field", "day", "--window", "3d", "--explain"]
    said = CliRunner().invoke(cli, ["find", *flags, "00"]).stdout
    assert "compared within the window of 3d alone" in said
    assert "yet outside the window: together by others between them" in said
    assert "no other document scored" in CliRunner().invoke(cli, ["find", *flags, "03"]).stdout


# --- what is kept ---


def test_a_checkpoint_is_of_its_window_and_its_times(tmp_path):
    path, folder = tmp_path / "r.jsonl", tmp_path / "half"

    def run(day, **more):
        rows = records((STORIES[0], 0), (edited(STORIES[0], 0.05), day))
        path.write_text("\n".join(map(json.dumps, rows)))
        more = {"time_field": "day", "window": "3d", "checkpoint": folder, **more}
        return find_duplicates(path, **more)

    def stop(step):
        if step.stage == "clustering":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(90, progress=stop)
    with pytest.raises(InvalidCheckpoint, match="window"):
        run(90, window="4d")
    with pytest.raises(InvalidCheckpoint, match="the same documents"):
        run(1)
    assert run(90).clusters == ()


@pytest.mark.parametrize("window", [0, -1, "3d", True, 1e300])
def test_a_saved_window_is_a_number_of_seconds(window):
    text = search([(STORIES[0], 0), (STORIES[0], 1)]).to_json()
    assert json.loads(text)["settings"]["window"] == 3 * DAY
    facts = json.loads(text)
    facts["settings"]["window"] = window
    with pytest.raises(InvalidResult, match="window"):
        Result.from_json(json.dumps(facts))


# --- its spelling ---


def whole_seconds(time):
    return time - timedelta(microseconds=time.microseconds)


@given(st.timedeltas(timedelta(seconds=1)).map(whole_seconds))
def test_what_is_spelled_is_read_again(window):
    if window.total_seconds() < 10**9:
        assert as_window(spelled(window)) == window


@pytest.mark.parametrize(
    "window",
    ["", "3", "d", "3 days", "-3d", "0d", "1.5d", "3D", "999999999w", "٣d", 3, 3.0, True,
     timedelta(), timedelta(days=-1)],
)  # fmt: skip
def test_a_window_that_is_none_is_refused(window):
    with pytest.raises(InvalidSetting, match="window must be a positive number of minutes"):
        Settings(window=window)


def test_a_window_is_a_time_however_it_was_given():
    assert Settings(window="2w") == Settings(window=timedelta(days=14))
    assert replace(Settings(window="90m"), threshold=0.5).window == timedelta(minutes=90)


def test_only_the_last_change_of_files_can_be_asked_for(tmp_path):
    with pytest.raises(InvalidSetting, match="time_from must be 'mtime' or None, got 'ctime'"):
        find_duplicates(files(tmp_path, 1), time_from="ctime")


def test_bad_use_ends_with_2(tmp_path):
    folder = str(files(tmp_path, 1, 2))
    for flags in (["--window", "3x"], ["--window", "3d"], ["--time-from", "ctime"]):
        assert CliRunner().invoke(cli, ["find", folder, *flags]).exit_code == 2


def test_far_documents_are_not_compared():
    random = Random(1)
    found = [(edited(STORIES[0], 0.03, seed=i), random.choice([0, 500])) for i in range(12)]
    result = search(found)
    days = {f"{i:02}": day for i, (_, day) in enumerate(found)}
    assert all(days[one.left] == days[one.right] for one in result.scored)

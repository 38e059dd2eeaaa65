"""The benches of speed and growth: made crawls, counted candidates, and what reports say."""

import doctest
import json
import random
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import bars
import bars_report
import charts
import corpora
import crawl
import crowds
import material
import peers
import recall
import recall_report
import scale
import scale_report
import spark_cost
import storage
import summary
import tables
import timing
from dedupe.lsh import candidate_pairs

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"

MODULES = (
    bars_report,
    charts,
    corpora,
    crowds,
    peers,
    recall,
    recall_report,
    scale,
    scale_report,
    spark_cost,
    storage,
    summary,
    tables,
    timing,
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_run(module):
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.mark.parametrize(
    ("seconds", "work", "is_uneven"),
    [
        ([5.0, 1.0, 0, 0, 0, 0, 0, 0], 100, True),
        ([4.0, 4.0, 0, 0, 0, 0, 0, 0], 100, False),  # Four times its share, and no more.
        ([1.0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], 100, True),
        ([1.0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01], 101, False),  # Nobody waits for it.
        ([2.0], 100, True),  # Seven partitions have nothing to do.
        ([], 100, False),
    ],
)
def test_a_stage_is_uneven_where_a_search_waits_for_one_task(seconds, work, is_uneven):
    assert spark_cost.Tasks("some", seconds).is_uneven(8, work) == is_uneven


# Crawls.


@pytest.fixture(scope="module")
def made():
    return crawl.Crawl(material.invented_material(n_stories=60), 400)


@pytest.fixture(scope="module")
def lines(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("crawl") / "crawl.jsonl"
    storage.write(made, path)
    return path


def test_a_crawl_is_the_same_in_every_run_and_any_document_by_itself(made):
    again = crawl.Crawl(made.material, 400)
    assert again.item(317) == list(made)[317]
    assert crawl.Crawl(made.material, 400, seed=2).item(317) != made.item(317)


def test_every_kind_of_copy_is_planted(made):
    items = list(made)
    assert {item.kind for item in items} == set(crawl.KINDS)
    stories = {item.id: item.story for item in items}
    copies = [item for item in items if item.made_from]
    assert all(item.story == stories[item.made_from] for item in copies)
    assert all(item.made_from < item.id for item in copies)


def test_a_hostile_crawl_adds_stories_in_pages_ten_times_their_size(made):
    items = list(crawl.Crawl(made.material, 100, hostile=True))[100:]
    assert {item.kind for item in items} == set(crawl.N_HOSTILE)
    story, page = (item.text for item in items if item.id.startswith("long-page-000000"))
    assert story in page
    assert len(page.split()) == pytest.approx(11 * len(story.split()), rel=0.1)


def test_a_deep_crawl_adds_pages_that_quote_all_or_a_part(made, monkeypatch):
    monkeypatch.setattr(crawl, "N_DEEP", 20)
    items = list(crawl.Crawl(made.material, 10, deep=True))[10:]
    assert len(items) == 2 * 2 * 20
    for story, page in zip(items[::2], items[1::2], strict=True):
        assert (story.text in page.text) == (story.kind == "deep")
        assert story.text[: len(story.text) // 2] in page.text
        assert page.made_from == story.id


def test_lines_and_files_hold_the_same(made, lines, tmp_path):
    storage.write(made, tmp_path / "made")
    storage.unpack(lines, tmp_path / "unpacked")
    texts = list(storage.read_texts(lines))
    assert texts == [(item.id, item.text) for item in made]
    assert list(storage.read_texts(tmp_path / "made")) == texts
    assert list(storage.read_texts(tmp_path / "unpacked")) == texts
    gold = storage.read_gold(lines)
    assert gold == storage.read_gold(tmp_path / "made") == storage.read_gold(tmp_path / "unpacked")
    assert [row.n_bytes for row in gold] == [len(text.encode()) for _, text in texts]


def test_files_are_a_thousand_to_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "CHUNK", 3)
    items = [crawl.Item(f"{n}", "text", "", "own", "") for n in range(7)]
    storage.write(items, tmp_path / "files")
    names = {f.name: sorted(p.stem for p in f.iterdir()) for f in (tmp_path / "files").iterdir()}
    assert names == {"0000": ["0", "1", "2"], "0001": ["3", "4", "5"], "0002": ["6"]}


# Systems on a crawl.


@pytest.mark.parametrize("kind", ["lines", "files"])
def test_ours_finds_the_planted_pairs_of_lines_and_of_files(kind, lines, tmp_path):
    path = lines
    if kind == "files":
        path = tmp_path / "files"
        storage.unpack(lines, path)
    facts = scale.measure("dedupe", path, 600, 2)
    gold = storage.read_gold(lines)
    assert (facts["recall"], facts["n_false"], facts["n_documents"]) == (1, 0, len(gold))
    assert facts["n_bytes"] == sum(row.n_bytes for row in gold)
    assert sum(facts["stages"].values()) == pytest.approx(facts["seconds"], rel=0.05)
    assert {"start", "signatures", "candidates", "clustering"} <= facts["stages"].keys()


def test_a_report_is_timed_behind_the_search(lines):
    facts = scale.measure("dedupe", lines, 600, 1, report=True)
    assert facts["report"].keys() == {"seconds", "cpu"}
    assert facts["report"]["cpu"] > 0
    assert sum(facts["stages"].values()) == pytest.approx(facts["seconds"], rel=0.05)
    assert sum(facts["stages_cpu"].values()) == pytest.approx(facts["cpu"], rel=0.05)


def test_every_line_of_the_plot_has_a_style_of_its_own():
    # Ours is drawn three times: on one thread and on two, and on separate files.
    n_lines = 3 + len(scale.GROWN)
    for styles in (charts.COLOURS, charts.DASHES, charts.MARKS):
        assert len({*styles}) == len(charts.COLOURS) >= n_lines


def test_every_peer_can_be_measured():
    assert {*scale.GROWN} < {*scale.SYSTEMS}
    assert (scale.OURS, *peers.PACKAGES) == scale.SYSTEMS


@pytest.mark.parametrize("peer", peers.PACKAGES)
def test_peers_find_some_of_them(peer, lines):
    if not peers.is_installed(peer):
        pytest.skip(f"{peer} is not installed")
    facts = scale.measure(peer, lines, 600, 1)
    assert facts["recall_by_kind"]["same"] == 1
    assert facts["recall_by_kind"]["embedded"] < 1


# Crowds, and articles.


@pytest.fixture(scope="module")
def invented():
    return material.invented_material(n_stories=60)


@pytest.mark.parametrize("kind", crowds.KINDS)
def test_a_crowd_is_the_same_in_every_run(kind, invented):
    crowd = crowds.make(kind, invented, 20)
    assert crowd == crowds.make(kind, invented, 20)
    assert crowd.texts.keys() == crowd.stories.keys()
    assert len({*crowd.texts.values()}) == 20
    assert len({*crowd.stories.values()}) == (1 if kind == "near-copies" else 20)


def test_near_copies_differ_in_one_word_of_fifty(invented):
    one, *others = (
        text.split() for text in crowds.make("near-copies", invented, 50).texts.values()
    )
    n_other = [sum(a != b for a, b in zip(one, words, strict=True)) for words in others]
    assert len(one) == crowds.N_STORY_WORDS
    # Either of the two has its own.
    assert np.mean(n_other) == pytest.approx(2 * crowds.EDITED * len(one), rel=0.25)


def test_pages_of_a_template_share_what_stands_around_their_own_words(invented):
    pages = [text.split() for text in crowds.make("one template", invented, 3).texts.values()]
    n = crowds.N_FRAME_WORDS
    assert {len(page) for page in pages} == {2 * n + crowds.N_OWN_WORDS}
    assert len({(*page[:n], *page[-n:]) for page in pages}) == 1
    assert len({tuple(page[n:-n]) for page in pages}) == 3


def test_patched_pages_have_their_phrases_in_one_order(invented):
    texts = crowds.make("patched", invented, 60).texts.values()
    n = crowds.N_PHRASE_WORDS
    pages = [
        [tuple(words[at : at + n]) for at in range(0, len(words), n)]
        for words in (text.split() for text in texts)
    ]
    assert {len(page) for page in pages} == {crowds.N_PATCHES}
    assert len({phrase for page in pages for phrase in page}) == crowds.N_PHRASES
    for one, other in pairwise(pages):
        shared = {*one} & {*other}
        assert shared
        assert [p for p in one if p in shared] == [p for p in other if p in shared]


def test_an_ordinary_crawl_is_that_of_the_other_benches(invented):
    assert [*crowds.ordinary(invented, 9).texts.values()] == [
        item.text for item in crawl.Crawl(invented, 9)
    ]


def test_few_articles_are_cut_and_none_is_there_twice():
    texts = [f"one {n} two\nthree {n} four five" for n in range(4)]
    assert corpora.parts(texts, 3) == texts
    found = corpora.parts(texts, 7)
    assert [" ".join(pair) for pair in zip(found[::2], found[1::2], strict=True)] == texts
    assert len({*found}) == 8


def test_articles_come_from_a_file_or_a_folder(tmp_path):
    (tmp_path / "a.txt").write_text("from a folder")
    (tmp_path / "a.jsonl").write_text('{"text": "from a file"}\n')
    assert corpora.english(tmp_path) == ["from a folder"]
    assert corpora.english(tmp_path / "a.jsonl") == ["from a file"]
    assert corpora.source(tmp_path) == "1 news articles, 0.0 MB"


def test_functions_are_timed_in_turn():
    """A stand-in calls what it is given as the fixture of pytest-benchmark does."""

    class Benchmark:
        def __init__(self):
            self.extra_info = {}

        def pedantic(self, function, arguments, rounds, warmup_rounds, iterations):
            for _ in range(rounds + warmup_rounds):
                value = function(*arguments)
            return value

    calls, benchmark = [], Benchmark()
    turns = [
        timing.Turn("a", lambda: calls.append("a"), {"n_bytes": 3}, "a"),
        timing.Turn("b", lambda: len(calls), {}, judge=lambda value: {"note": f"{value} calls"}),
    ]
    timing.measure_in_turn(benchmark, turns, rounds=2)
    assert calls == ["a", "a", "a"]
    one, other = benchmark.extra_info["turns"]
    assert (one["label"], one["reference"], one["n_bytes"], other["note"]) == (
        "a",
        "a",
        3,
        "3 calls",
    )
    assert [len(turn["seconds"]) for turn in (one, other)] == [2, 2]
    assert benchmark.extra_info["cpu"] >= 0 <= one["cpu"]


def test_a_system_that_takes_too_long_has_no_facts(lines):
    assert scale.measure("datasketch", lines, 0.01, 1) is None


# Candidates of planted pairs.


def test_the_floor_is_that_of_the_candidates():
    draw = np.random.default_rng(1)
    equal = draw.integers(1, 8, 300)
    sizes = draw.integers(1, 3000, (300, 2))
    signatures = np.zeros((2, 128), np.uint32)
    found = []
    for n_equal, pair in zip(equal.tolist(), sizes, strict=True):
        signatures[1] = np.arange(128) >= n_equal
        found.append(len(candidate_pairs(signatures, pair)) == 1)
    assert 50 < sum(found) < 250
    assert recall.is_possible(equal, sizes, 128).tolist() == found


def test_planted_pairs_are_followed_to_where_they_are_lost(tmp_path):
    draw = random.Random(1)
    words = [f"w{n}" for n in range(5000)]

    def story(n_words):
        return " ".join(draw.choices(words, k=n_words))

    # The first and the second are identical; the last two share no five words.
    original, stranger = story(100), story(100)
    half = " ".join(original.split()[:50])
    texts = {"0": original, "1": original.title(), "2": f"{half} {story(900)}", "3": stranger}
    items = [crawl.Item("0", texts["0"], "0", "own", "")]
    items += [crawl.Item(n, texts[n], "0", kind, "0") for n, kind in zip("123", "abc", strict=True)]
    storage.write(items, tmp_path / "crawl.jsonl")
    facts = recall.measure(tmp_path / "crawl.jsonl")
    assert facts["n_identical"] == 1
    kinds = {one["kind"]: one["n"] for one in facts["kinds"]}
    # Of 96 shingles 46 are contained: less than a half.
    assert kinds == {"b": 0, "c": 0}
    (bin_of_half,) = (one for one in facts["bins"] if one["low"] == 0.02)
    jaccard = 46 / (96 + 946 - 46)
    assert bin_of_half["n"] == 1
    assert bin_of_half["expected"] == pytest.approx(1 - (1 - jaccard) ** 128)
    (bin_of_none,) = (one for one in facts["bins"] if one["low"] == 0)
    assert bin_of_none == {
        "low": 0,
        "high": 0.02,
        "n": 1,
        "expected": 0,
        "agree": 0,
        "possible": 0,
        "candidate": 0,
        "linked": 0,
    }


def test_copies_by_hundreds_are_linked_and_few_are_candidates(tmp_path):
    draw = random.Random(1)
    story = " ".join(f"w{draw.randrange(5000)}" for _ in range(300))
    items = [crawl.Item("000", story, "000", "own", "")]
    for n in range(1, 120):
        page = f"{story} {' '.join(f'x{draw.randrange(10**6)}' for _ in range(n))}"
        items.append(crawl.Item(f"{n:03}", page, "000", "mass", "000"))
    storage.write(items, tmp_path / "crawl.jsonl")
    facts = recall.measure(tmp_path / "crawl.jsonl")
    assert facts["ordinary"]["n"] == 119
    assert facts["ordinary"]["agree"] == facts["ordinary"]["possible"] == 1
    assert facts["ordinary"]["candidate"] < 0.2
    assert facts["ordinary"]["linked"] == 1
    assert facts["missed"] == []


def test_a_missed_pair_is_named_with_its_reason(lines, monkeypatch):
    monkeypatch.setattr(recall, "candidate_pairs", lambda *_, **__: np.empty((0, 2), np.int32))
    facts = recall.measure(lines)
    assert facts["ordinary"]["linked"] == 0
    assert {one["why"] for one in facts["missed"]} == {"in crowded buckets alone"}
    caption = recall_report.by_kind(facts).caption
    assert f"{len(facts['missed']):,} are not linked" in caption
    assert facts["missed"][0]["id"] in caption


# Reports.


def run(system="dedupe", workers=1, size=1000, kind="lines", **facts):
    """Return a run as `test_scale` keeps it."""
    found = {
        "seconds": size / 1000,
        "cpu": size / 1000,
        "peak_mb": 100,
        "n_documents": size,
        "n_bytes": 1000 * size,
        "recall": 1.0,
        "recall_by_kind": {"mass": 1.0},
        "n_false": 0,
        "stages": {"start": 0.1, "signatures": 0.4, "candidates": 0.5},
        "stages_cpu": {"start": 0.1, "signatures": 0.3, "candidates": 0.6},
    }
    asked = {"system": system, "workers": workers, "size": size, "kind": kind}
    return asked | {"limit": 600, "others": 0.0} | found | facts


RUNS = [
    run(),
    run(workers=2, seconds=0.5),
    run("datasketch", seconds=8, recall=0.8),
    run("rensa", seconds=2, recall=0.9),
    run(workers=2, size=10_000, seconds=20, peak_mb=3000),
    run(workers=2, size=1000, kind="files", seconds=1),
    run(workers=2, size=1000, kind="hostile", seconds=1.1, n_false=3),
]
LATE = {"system": "rensa", "workers": 1, "size": 10_000, "kind": "lines", "limit": 600, "others": 0}


def test_who_takes_too_long_is_said_to():
    runs = scale_report.Runs([*RUNS, LATE])
    table = scale_report.growth(runs).markdown()
    assert "| 10,000 | JSON Lines | rensa | over 600 | – |" in table
    assert all(len(row) == len(scale_report.growth(runs).head) for row in runs_of(table))


def runs_of(table):
    return [line[2:-2].split(" | ") for line in table.splitlines()[2:] if line.startswith("|")]


def test_stages_have_wall_time_processor_time_and_share():
    assert (
        "| 1,000 | JSON Lines | 1 | 0.1, 0.1 (10%) | 0.4, 0.3 (40%) |"
        in scale_report.stages(scale_report.Runs(RUNS)).markdown()
    )


def test_the_plot_of_cost_is_of_lines_alone_and_by_the_document():
    svg = scale_report.plot_cost(scale_report.Runs([*RUNS, LATE]))
    texts = [text.text for text in ElementTree.fromstring(svg).iter() if text.tag.endswith("text")]
    assert {"dedupe, 1 thread", "dedupe, 2 threads", "datasketch", "rensa"} <= set(texts)
    assert not any("separate files" in text for text in texts)
    assert "<title>dedupe, 2 threads, 10,000 documents: 2,000.0 µs a document</title>" in svg


def test_the_plot_is_a_picture_that_names_each_line():
    svg = scale_report.plot(scale_report.Runs([*RUNS, LATE]))
    texts = [text.text for text in ElementTree.fromstring(svg).iter() if text.tag.endswith("text")]
    names = ["dedupe, 1 thread", "dedupe, 2 threads", "datasketch", "rensa"]
    assert {*names, "dedupe, 2 threads, separate files"} <= set(texts)
    assert texts[1:3] == ["1,000", "10,000"]
    assert "prefers-color-scheme: dark" in svg


def test_names_beside_a_chart_do_not_overlap_and_are_escaped():
    lines = [charts.Line(f"<{n}>", [(0, 0, ""), (1, 0.5, "")]) for n in range(5)]
    svg = charts.chart("<i>", charts.Axis("x"), charts.Axis("y"), lines)
    texts = [one for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("text")]
    names = sorted(float(one.get("y", 0)) for one in texts if one.get("class") == "ink name")
    assert len(names) == 5
    assert all(b - a >= charts.LABEL_HEIGHT for a, b in pairwise(names))
    assert "<0>" not in svg


def test_a_name_stands_inside_a_chart_where_nothing_else_is():
    ends_early = charts.Line("early", [(0, 0.2, ""), (0.5, 0.5, "")])
    crosses = charts.Line("crosses", [(0, 0.6, ""), (1, 0.5, "")])
    passes_below = charts.Line("below", [(0, 0.1, ""), (1, 0.1, "")])
    for other, place in ((crosses, "beside"), (passes_below, "inside")):
        svg = charts.chart("", charts.Axis("x"), charts.Axis("y"), [ends_early, other])
        texts = [one for one in ElementTree.fromstring(svg).iter() if one.tag.endswith("text")]
        (name,) = (one for one in texts if one.text == "early")
        is_inside = float(name.get("x", 0)) < charts.LEFT + charts.SIDE
        assert is_inside == (place == "inside")


REPORT = {
    "machine_info": {
        "processor": "x86_64",
        "cpu": {"brand_raw": "a processor"},
        "cores": 2,
        "system": "Linux",
        "python_version": "3.11",
        "packages": {"numpy": "2"},
        "texts": "some articles",
    },
    "commit_info": {"id": "unknown", "dirty": False},
    "datetime": "2026-01-01T00:00:00",
}


def benchmark(file, median=1.0, group="", **facts):
    facts = {"cpu": median} | facts
    stats = {"median": median, "iqr": 0.1, "rounds": 5}
    name = f"benchmarks/{file}.py::test"
    group = group or file
    return {"group": group, "name": "", "fullname": name, "stats": stats, "extra_info": facts}


@pytest.mark.parametrize(
    ("amount", "rate"),
    [
        ({"n_bytes": 2_000_000}, "4 MB/s"),
        ({"n_shingles": 1_000_000}, "500 ns a shingle"),
        ({"n_pairs": 1000}, "500 µs a pair"),
        ({"n_documents": 1000}, "500 µs a document"),
        ({}, ""),
    ],
)
def test_each_stage_has_its_unit(amount, rate):
    assert summary.rate(benchmark("stage", 0.5, **amount)) == rate


@pytest.fixture
def documents(tmp_path):
    """Return a report of all kinds, a file with every part and one with a summary alone."""
    rows = [
        benchmark("test_stages", 1.0, label="one", reference="one thread", n_bytes=10**6),
        benchmark("test_stages", 0.5, label="2 threads", n_bytes=10**6),
        benchmark("test_speed", label="all", n_pairs=10),
        benchmark("test_speed", group=summary.SUMMARY[0], label="first", n_pairs=10),
        benchmark("test_speed", group=summary.SUMMARY[0], label=summary.DETAILS[0], n_pairs=10),
        *TIMED,
        *(benchmark("test_scale", label="", scale=one) for one in [*RUNS, LATE, *MEASURED]),
        benchmark("test_scale", label="", recall=RECALL),
    ]
    (tmp_path / "all.json").write_text(json.dumps(REPORT | {"benchmarks": rows}))
    (tmp_path / "stages.json").write_text(json.dumps(REPORT | {"benchmarks": rows[:2]}))
    (tmp_path / "speed.json").write_text(json.dumps(REPORT | {"benchmarks": TIMED}))
    parts = [f"<!-- {n}:begin -->\nold {n}\n<!-- {n}:end -->\n" for n in PARTS]
    (tmp_path / "speed.md").write_text("".join(parts), "utf-8")
    readme = parts[1].replace("speed", "speed-summary")
    (tmp_path / "README.md").write_text(f"a\n{readme}z\n", "utf-8")
    return tmp_path


PARTS = ("bars", "speed", "crowds", "stages", "growth", "scale", "recall")
SHARES = {"n": 2, "expected": 0.9, "agree": 0.9, "possible": 0.8, "candidate": 0.7, "linked": 0.75}
RECALL = {
    "size": 1000,
    "n_documents": 1000,
    "n_candidates": 10,
    "n_identical": 1,
    "bins": [{"low": 0, "high": 0.02, "n": 0}, {"low": 0.02, "high": 0.05} | SHARES],
    "kinds": [{"kind": "mass"} | SHARES],
    "containment": 0.5,
    "ordinary": SHARES,
    "missed": [],
}


LARGE = {"size": 1_000_000, "workers": 2}
MEASURED = [
    run(size=100_000, seconds=17, cpu=17),
    run(size=100_000, workers=2, seconds=10, cpu=20, report={"seconds": 5, "cpu": 4}),
    run("datasketch", size=100_000, seconds=119, cpu=119, recall=0.8),
    run("rensa", size=100_000, seconds=60, cpu=58, recall=0.9),
    run(
        **LARGE,
        seconds=166,
        cpu=300,
        peak_mb=2400,
        stages={"start": 10, "signatures": 73, "candidates": 83},
        stages_cpu={"start": 10, "signatures": 50, "candidates": 240},
    ),
]


def turn(label, *seconds, **facts):
    return {"label": label, "reference": "", "seconds": [*seconds], "cpu": min(seconds)} | facts


def timed(group, *turns, file="test_speed"):
    return benchmark(file, group=group, others=0.0, turns=[*turns])


def crowd(kind, n_docs, seconds, **found):
    ordinary = turn("ordinary", 1.0, n_bytes=200, n_false=0)
    other = turn(kind, seconds / 2, n_bytes=100, **found)
    return timed(f"crowds, {n_docs:,} documents: {kind}", ordinary, other, file="test_crowd_costs")


BATCH = "datasketch, `update_batch` with xxh32"
TIMED = [
    timed(
        "files to clusters",
        turn("**dedupe**, 2 threads", 1.0, 2.0, 9.0, n_documents=6000, found=0.99),
        turn("datasketch", 24.0, 30.0, 24.0, n_documents=6000, found=0.7, reference="datasketch"),
        turn("rensa", 12.0, 12.0, 11.0, n_documents=6000, found=0.8),
    ),
    timed(
        "text to signatures",
        turn("**dedupe**", 1.0, n_bytes=100),
        turn(BATCH, 4.0, n_bytes=10),
        turn("rensa `RMinHash`", 1.7, n_bytes=10),
    ),
    crowd("near-copies", 6000, 3.0, found=1.0, n_false=0),
    crowd("near-copies", 20_000, 3.02, found=1.0, n_false=0),
    crowd("one template", 6000, 2.5, n_false=0),
    crowd("patched", 6000, 10.5, n_false=3),
    benchmark("test_speed", 0.4, "start-up", label="`dedupe find seeds/`, from then on", cpu=0.3),
]


def verdicts(reports):
    """Return the last cells of each row of the bars that was measured."""
    cells = [
        line[2:-2].split(" | ") for line in summary.parts_of(reports, None)["bars"].split("\n")
    ]
    return {row[0]: row[3:] for row in cells[2:] if len(row) > 3 and row[-1] != "not measured"}


def test_every_bar_is_reached_or_short_by_wall_time():
    scaled = [benchmark("test_scale", label=f"{n}", scale=one) for n, one in enumerate(MEASURED)]
    made, large = "100,000 made documents", "1,000,000 documents"
    over, reached, short = "time per MB over a crawl", "reached", "short"
    assert verdicts([REPORT | {"benchmarks": TIMED}, REPORT | {"benchmarks": scaled}]) == {
        "6,000 articles to clusters, 2 threads: × datasketch": [
            *("12.00", "24.00", "0.9900", "", reached)
        ],
        "6,000 articles to clusters, 2 threads: × rensa": ["6.00", "11.00", "0.9900", "", reached],
        f"{made} to clusters, 2 threads: × datasketch": ["11.90", "5.95", "1.0000", "0", short],
        f"{made} to clusters, 2 threads: × rensa": ["6.00", "2.90", "1.0000", "0", reached],
        f"{made}: 2 threads over one": ["1.70", "0.85", "1.0000", "0", reached],
        "text to signatures, one thread: × datasketch": ["40.00", "40.00", "", "", reached],
        "text to signatures, one thread: × rensa": ["17.00", "17.00", "", "", short],
        f"6,000 near-copies: {over}": ["3.00", "3.00", "1.0000", "0", reached],
        f"20,000 near-copies: {over}": ["3.02", "3.02", "1.0000", "0", short],
        f"6,000 pages of one template: {over}": ["2.50", "2.50", "", "0", reached],
        f"6,000 patched pages: {over}": ["10.50", "10.50", "", "3", short],
        "second `dedupe find seeds/`": ["0.40 s", "0.30 s", "", "", reached],
        f"{made}: report over search": ["0.50", "0.20", "", "", reached],
        f"{large}: total over the sketching pass": ["2.00", "5.00", "1.0000", "0", reached],
        f"{large}: peak of memory": ["2.52 GB", "", "", "", short],
        f"{large}: documents a second over those of 100,000": ["0.60", "0.67", "", "", reached],
    }


def test_bars_and_goals_are_those_that_were_agreed():
    over_peers = [(12, 25), (6, 12)]
    assert [(bar.bar, bar.goal) for bar in bars_report.BARS] == [
        *(*over_peers, *over_peers, (1.7, 1.85), (40, 60), (18, 27)),
        *((3, 1.5), (3, 1.5), (2.5, 1.5), (10, 3), (0.5, 0.3), (0.5, 0.2)),
        *((4, 3), (2.5, 1.5), (0.6, 0.8)),
    ]
    for bar in bars_report.BARS:
        assert (bar.goal < bar.bar) == bar.is_most


def test_articles_of_another_number_are_not_those_of_the_bar():
    few = [
        turn(label, 1.0, n_documents=2000, found=1.0)
        for label in ("**dedupe**, 2 threads", "rensa")
    ]
    report = REPORT | {"benchmarks": [timed("files to clusters", *few), TIMED[-1]]}
    assert [*verdicts([report])] == ["second `dedupe find seeds/`"]


def test_no_bar_is_shown_where_none_was_measured():
    assert "bars" not in summary.parts_of(
        [REPORT | {"benchmarks": [benchmark("a", label="a")]}], None
    )


def test_rows_that_were_timed_in_turn_are_rows_of_the_table():
    table = summary.parts_of([REPORT | {"benchmarks": TIMED[:1]}], None)["speed"]
    assert (
        "| files to clusters | **dedupe**, 2 threads | 333 µs a document | 2 s | 1 s | 200 % | 0 % "
        "| 12 × datasketch |"
    ) in table
    assert "|  | datasketch | " in table


def test_what_is_not_installed_is_said():
    machine = REPORT["machine_info"] | {"missing": ["one", "other"]}
    report = REPORT | {"machine_info": machine, "benchmarks": TIMED}
    assert summary.caption(report).endswith("128 permutations. Not installed: one, other.")


def test_one_command_measures_what_has_a_bar_and_prints_the_table(monkeypatch, capsys, tmp_path):
    asked = []

    def pytest_run(command, **_):
        asked.extend(command)
        path = next(one.partition("=")[2] for one in command if one.startswith("--benchmark-json="))
        Path(path).write_text(json.dumps(REPORT | {"benchmarks": TIMED}))
        return bars.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(bars.subprocess, "run", pytest_run)
    bars.main(["--sizes", "100000,1000000", "--keep", str(tmp_path / "kept.json")])
    assert capsys.readouterr().out.startswith("| what | bar | goal | measured |")
    assert json.loads((tmp_path / "kept.json").read_text())["benchmarks"]
    assert asked[asked.index("--sizes") + 1] == "100000,1000000"
    for one in bars.NEEDED:
        file, _, name = one.partition("::")
        assert f"def {name}(" in (BENCHMARKS / file).read_text("utf-8")
        assert str(BENCHMARKS / one) in asked


def test_a_source_that_is_not_there_is_refused_before_anything_is_measured(tmp_path, capsys):
    with pytest.raises(SystemExit):
        bars.main(["--source", str(tmp_path / "none")])
    assert "--source must be a file or folder that exists, got" in capsys.readouterr().err


def test_a_failed_benchmark_gives_no_table(monkeypatch, capsys):
    failed = bars.subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(bars.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SystemExit, match="a benchmark failed"):
        bars.main([])
    assert not capsys.readouterr().out


def test_all_parts_are_written_with_the_plot(documents):
    files = [str(documents / name) for name in ("README.md", "speed.md")]
    plot = documents / "growth.svg"
    summary.main([str(documents / "all.json"), "--update", *files, "--plot", str(plot)])
    speed = (documents / "speed.md").read_text("utf-8")
    assert "old" not in speed
    assert "| 2 threads | 2 MB/s | 500 ms | 500 ms | 20 % | 0 % | 2 × one thread |" in speed
    assert "](growth.svg)" in speed
    assert "](growth-cost.svg)" in speed
    assert "| 0.02 to 0.05 | 2 | 0.9000 | 0.9000 | 0.8000 | 0.7000 | 0.7500 |" in speed
    assert "0 to 0.02" not in speed
    assert speed.count("a processor, 2 cores") == 6
    for path in (plot, documents / "growth-cost.svg"):
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    readme = (documents / "README.md").read_text("utf-8")
    assert readme.startswith("a\n<!-- speed-summary:begin -->\n| stage |")
    assert readme.endswith("<!-- speed-summary:end -->\nz\n")
    assert "| first |" in readme
    assert "| all |" not in readme
    assert f"| {summary.DETAILS[0]} |" not in readme
    assert "| first |" in speed
    assert f"| {summary.DETAILS[0]} |" in speed
    assert "| all |" in speed


def test_what_a_summary_leaves_out_is_measured():
    source = Path(summary.__file__).with_name("test_speed.py").read_text("utf-8")
    assert all(f'"{label}"' in source for label in summary.DETAILS)


def test_what_has_no_figures_stays(documents):
    summary.main([str(documents / "stages.json"), "--update", str(documents / "speed.md")])
    speed = (documents / "speed.md").read_text("utf-8")
    assert "old stages" not in speed
    assert all(f"old {name}" in speed for name in PARTS if name != "stages")


def test_bars_stay_unless_all_but_those_of_a_million_were_measured(documents):
    page, report = str(documents / "speed.md"), json.loads((documents / "all.json").read_text())
    summary.main([str(documents / "speed.json"), "--update", page])
    speed = (documents / "speed.md").read_text("utf-8")
    assert "old bars" in speed
    assert "old speed" not in speed
    rows = report["benchmarks"]
    rows = [row for row in rows if row["extra_info"].get("scale", {}).get("size") != 1_000_000]
    (documents / "all.json").write_text(json.dumps(report | {"benchmarks": rows}))
    summary.main([str(documents / "all.json"), "--update", page])
    speed = (documents / "speed.md").read_text("utf-8")
    assert "old bars" not in speed
    assert speed.count("| not measured |") == 3


def test_a_report_that_cannot_be_read_is_refused(tmp_path, capsys):
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(SystemExit):
        summary.main([str(tmp_path / "broken.json")])
    assert "cannot read" in capsys.readouterr().err

"""The accuracy bench: figures against hand-counted ones, and traps that are what they say."""

import doctest
import importlib
import itertools
import json
import random
from dataclasses import replace

import pytest

import accuracy
import accuracy_peers
import alterations
import charts
import collection
import development
import indexing
import invented
import judging
import kinds
import laws
import listings
import material
import metrics
import sweep
import systems
import tables
import traps
import whole_pages

MODULES = (
    accuracy,
    alterations,
    charts,
    collection,
    invented,
    indexing,
    kinds,
    material,
    metrics,
    sweep,
    traps,
)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_run(module):
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


# Figures. Two stories of three and two documents, found as {1, 2, 4} and {3, 5}:
#
#            story x   story y
# {1, 2, 4}     2         1       3 pairs found, 1 of them right
# {3, 5}        1         1       1 pair found, none right
#
# 10 pairs, 4 of one story, 4 found, 1 right: expected 4 * 4 / 10 = 1.6 right by chance.
STORIES = {"1": "x", "2": "x", "3": "x", "4": "y", "5": "y"}
CLUSTERS = [["1", "2", "4"], ["3", "5"]]


def test_figures_of_a_small_clustering():
    counts = metrics.count_pairs(STORIES, CLUSTERS)
    assert counts == metrics.PairCounts(n_true=1, n_found=4, n_gold=4, n_pairs=10)
    assert (counts.precision, counts.recall, counts.f1) == (0.25, 0.25, 0.25)
    assert counts.n_false == 3
    assert counts.adjusted_rand == pytest.approx((1 - 1.6) / (4 - 1.6))


def test_the_right_clusters_have_full_marks():
    counts = metrics.count_pairs(STORIES, [["1", "2", "3"], ["4", "5"]])
    assert (counts.precision, counts.recall, counts.f1, counts.adjusted_rand) == (1, 1, 1, 1)


def test_documents_in_no_cluster_stand_alone():
    counts = metrics.count_pairs(STORIES, [])
    assert (counts.precision, counts.recall, counts.f1, counts.adjusted_rand) == (1, 0, 0, 0)


def test_one_cluster_of_all_is_worth_nothing():
    counts = metrics.count_pairs(STORIES, [list(STORIES)])
    assert (counts.precision, counts.recall, counts.adjusted_rand) == (0.4, 1, 0)


def test_a_document_of_no_story_is_not_counted():
    stories = STORIES | {"6": None}
    assert metrics.count_pairs(stories, [["1", "2", "4", "6"], ["3", "5"]]) == metrics.count_pairs(
        STORIES, CLUSTERS
    )


def test_pairs_are_counted_as_they_are_enumerated():
    draw = random.Random(1)
    stories = {f"{n}": draw.choice(("x", "y", "z", None)) for n in range(40)}
    groups: dict[int, list[str]] = {}
    for document in stories:
        groups.setdefault(draw.randrange(12), []).append(document)
    judged = [d for d in stories if stories[d] is not None]
    together = {frozenset(p) for g in groups.values() for p in itertools.combinations(g, 2)}
    pairs = [frozenset(p) for p in itertools.combinations(judged, 2)]
    gold = {p for p in pairs if len({stories[d] for d in p}) == 1}
    found = together.intersection(pairs)
    assert metrics.count_pairs(stories, groups.values()) == metrics.PairCounts(
        len(gold & found), len(found), len(gold), len(pairs)
    )


def test_labelled_pairs_are_judged_alone():
    labelled = [("1", "2", True), ("1", "3", True), ("1", "4", False), ("2", "5", False)]
    counts = metrics.count_labelled(labelled, CLUSTERS)
    assert counts == metrics.PairCounts(n_true=1, n_found=2, n_gold=2, n_pairs=4)


def test_gold_pairs_of_a_large_story_are_a_sample():
    pairs = list(metrics.gold_pairs({f"{n}": "x" for n in range(100)}))
    assert len(pairs) == metrics.MAX_PAIRS < 100 * 99 / 2
    assert all(left != right for left, right in pairs)


def test_hard_positives_share_something_and_less_than_the_limit():
    words = [f"w{n}" for n in range(60)]
    texts = {
        "all": " ".join(words),
        "some": " ".join(words[:16]),
        "most": " ".join(words[:40]),
        "none": "entirely other words stand in this one",
    }
    one = collection.Collection("", texts, dict.fromkeys(texts, "x"))
    judged = judging.judge([one], [])[0]
    # Five-grams: 56, 12, 36, 3. The similarity of all and some is 12 / 56, of some and
    # most 12 / 36, of all and most 36 / 56.
    assert judged.hard == [("all", "some")]
    assert judged.n_apart == 3


def test_false_pairs_are_those_of_two_stories_and_the_forbidden_ones():
    stories = {"1": "x", "2": "x", "3": "y", "4": None}
    texts = dict.fromkeys(stories, "")
    one = collection.Collection("", texts, stories, forbidden=(("1", "4"), ("3", "4")))
    assert judging.Judged(one, []).n_false([["1", "2", "3", "4"]]) == 4


def test_a_mixed_in_document_intrudes_where_a_page_is():
    texts = dict.fromkeys("abcd", "")
    one = collection.Collection("", texts, dict(texts), mixed_in=frozenset("cd"))
    assert judging.Judged(one, []).n_intruders([["a", "c"], ["b"]]) == 1
    assert judging.Judged(one, []).n_intruders([["a", "b"], ["c", "d"]]) == 0


# Reading.


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("a.txt", "b.txt", "deep/c.txt"):
        (tmp_path / name).write_text(f"text of {name}", "utf-8")
    return tmp_path


def test_a_folder_is_read_with_its_stories(folder):
    (folder / "gold.csv").write_text("id,story\na.txt,x\ndeep/c.txt,x\n", "utf-8")
    found = collection.read_collection(folder)
    assert found.texts["deep/c.txt"] == "text of deep/c.txt"
    assert found.stories == {"a.txt": "x", "b.txt": None, "deep/c.txt": "x"}


def test_a_folder_is_read_with_labelled_pairs(folder):
    (folder / "pairs.csv").write_text("left,right,same\na.txt,b.txt,1\na.txt,deep/c.txt,0\n")
    found = collection.read_collection(folder, str(folder / "pairs.csv"))
    assert found.labelled == (("a.txt", "b.txt", True), ("a.txt", "deep/c.txt", False))


def test_gold_of_a_missing_document_is_refused(folder):
    (folder / "gold.json").write_text('{"z.txt": "x"}')
    with pytest.raises(SystemExit, match=r"z\.txt"):
        collection.read_collection(folder)


def test_a_folder_without_gold_is_refused(folder):
    with pytest.raises(SystemExit, match="gold"):
        collection.read_collection(folder)


def test_json_lines_hold_their_own_gold(tmp_path):
    path = tmp_path / "texts.jsonl"
    path.write_text(
        '{"id": "1", "text": "a", "page": "x"}\n{"id": "2", "text": "b", "page": "y"}\n'
    )
    found = collection.read_collection(path, "page")
    assert (found.texts, found.stories) == ({"1": "a", "2": "b"}, {"1": "x", "2": "y"})


def test_mixed_in_articles_are_stories_of_their_own_unless_exact_copies(tmp_path):
    (tmp_path / "pages.jsonl").write_text('{"id": "p", "text": "page", "page": "x"}\n')
    rows = ('{"id": "1", "text": "One  two"}', '{"id": "2", "text": "one two"}')
    (tmp_path / "mix.jsonl").write_text("\n".join((*rows, '{"id": "3", "text": "three"}')))
    found = collection.read_pages(tmp_path / "pages.jsonl", tmp_path / "mix.jsonl")
    stories = found.stories
    assert stories["1"] == stories["2"] != stories["3"] != stories["p"]
    assert found.mixed_in == {"1", "2", "3"}
    assert not found.unjudged


def test_mixed_in_articles_that_are_one_text_are_not_judged(tmp_path, monkeypatch):
    (tmp_path / "unjudged.json").write_text('{"pairs": [["1", "2"], ["1", "gone"]]}')
    monkeypatch.setattr(collection, "UNJUDGED", tmp_path / "unjudged.json")
    (tmp_path / "pages.jsonl").write_text('{"id": "p", "text": "page", "page": "x"}\n')
    rows = ('{"id": "1", "text": "One two"}', '{"id": "2", "text": "one two more"}')
    (tmp_path / "mix.jsonl").write_text("\n".join(rows))
    found = collection.read_pages(tmp_path / "pages.jsonl", tmp_path / "mix.jsonl")
    assert found.unjudged == {frozenset({"one two", "one two more"})}
    clusters = [["1", "2", "p"]]
    one = judging.Judged(found, [], outcomes={systems.OURS: systems.Outcome(clusters, 0, 0)})
    assert one.counts(clusters).n_false == 2
    assert {*judging.errors(one)} == {("false", "1", "p"), ("false", "2", "p")}


@pytest.mark.skipif(not accuracy.PAGES.exists(), reason="no development data")
def test_every_pair_that_is_not_judged_is_in_the_collection():
    found = collection.read_pages(accuracy.PAGES, accuracy.ARTICLES)
    pairs = json.loads(collection.UNJUDGED.read_text("utf-8"))["pairs"]
    assert len(found.unjudged) == len(pairs)
    assert not any(len(pair) == 1 for pair in found.unjudged)


# Material and traps.


@pytest.fixture(scope="module")
def made():
    return material.invented_material()


@pytest.fixture(scope="module")
def collections(made):
    return {trap.name: trap for trap in traps.make_traps(made)}


def test_invented_stories_share_hardly_a_five_gram(made):
    grams = [material.five_grams(story) for story in made.stories[:60]]
    shared = [len(a & b) / min(len(a), len(b)) for a, b in itertools.combinations(grams, 2)]
    assert max(shared) < 0.02
    assert len(tuple(material.distinct(made.stories))) > 0.95 * len(made.stories)


def test_invented_stories_share_their_common_words(made):
    words = [set(story.casefold().split()) for story in made.stories[:20]]
    assert all(len(a & b) > 30 for a, b in itertools.combinations(words, 2))


def test_articles_that_repeat_others_are_left_out(made):
    story, other = made.stories[:2]
    assert list(material.distinct([story, f"Headline\n\n{story}", other])) == [story, other]


def test_traps_are_the_same_in_every_run(made, collections):
    again = {trap.name: trap for trap in traps.make_traps(made, only=["teaser", "wrapped"])}
    assert again == {name: collections[name] for name in again}
    others = traps.make_traps(made, seed=2, only=["teaser"])
    assert next(others).texts != again["teaser of 40 words"].texts


def test_every_trap_has_documents_and_gold_for_each(collections):
    assert len(collections) >= len(traps.TRAPS)
    for one in collections.values():
        assert one.texts.keys() == one.stories.keys()
        assert {d for pair in one.forbidden for d in pair} <= one.texts.keys()
        assert len(set(one.stories.values())) >= 3


def test_pages_of_the_template_trap_are_mostly_template(collections):
    one = collections["template"]
    assert len(one.texts) == 400
    pages = [set(one.texts[f"{i}/one"].splitlines()) for i in range(2)]
    n_words = sum(alterations.count_words(line) for line in pages[0] & pages[1])
    assert n_words == pytest.approx(traps.TEMPLATE_WORDS, abs=10)


@pytest.mark.parametrize("share", traps.BOILERPLATE)
def test_wrapped_stories_have_their_share_of_boilerplate(collections, share):
    texts = collections[f"{share:.0%} boilerplate"].texts
    for i in range(40):
        bare, page = texts[f"{i}/bare"], texts[f"{i}/site0"]
        assert bare in page
        n_bare, n_page = alterations.count_words(bare), alterations.count_words(page)
        assert 1 - n_bare / n_page == pytest.approx(share, abs=0.02)


def test_short_stories_on_long_pages_are_hard(collections):
    one = collections["short story, long page"]
    pairs = [(f"{i}/bare", f"{i}/page") for i in range(20)]
    assert max(metrics.similarities(one.texts, pairs)) < 0.05


def test_a_chain_has_no_ends_in_common(collections):
    texts = collections["chain A~B~C"].texts
    pairs = [(f"{i}/{a}", f"{i}/{b}") for i in range(5) for a, b in ("AC", "AB", "BC")]
    found = metrics.similarities(texts, pairs)
    assert max(found[::3]) < 0.01
    assert min(found[1::3] + found[2::3]) > 0.2


def test_texts_without_newlines_have_none(collections):
    flat = [one for name, one in collections.items() if name.endswith("no newlines")]
    assert len(flat) == 3
    assert not any("\n" in text for one in flat for text in one.texts.values())


@pytest.mark.parametrize("share", traps.EDITS)
def test_edits_change_their_share_of_the_words(share):
    text = " ".join(f"w{n}" for n in range(1000))
    words = alterations.edit(text, random.Random(1), share).split()
    kept = len(set(words) & set(text.split()))
    # A quarter of the edits adds a word and keeps the one before it.
    assert kept == pytest.approx(1000 * (1 - share * 0.75), abs=20)


# Running and reporting.


@pytest.mark.parametrize("name", sweep.constants())
def test_a_constant_of_the_sweep_is_one_that_the_rule_reads(name):
    values = {sweep.current_value(name), *sweep.constants()[name]}
    assert len(values) > 2
    assert len({type(value) for value in values}) == 1


def test_every_number_of_the_rule_is_swept():
    names = [name.rpartition(".")[2] for name in sweep.constants()]
    assert {"MIN_WORDS", "STRICT_HOLE", "PARAGRAPH", "LONG", "LONG_COST"} <= {*names}
    assert not {"N_LINES", "N_OF_SIDE", "HOLE", "RELATIONS"} & {*names}


def test_a_constant_of_the_sweep_may_be_named_by_its_end():
    home = "dedupe.scoring.rule.MIN_WORDS"
    asked = [*sweep._wanted(["MIN_WORDS", "rule.MIN_WORDS=1,2", "threshold=0.3"])]
    assert asked == [(home, sweep.constants()[home]), (home, (1, 2)), ("threshold", (0.3,))]
    with pytest.raises(SystemExit, match="got 'AHEAD': there is no parameter of the name"):
        [*sweep._wanted(["AHEAD"])]
    with pytest.raises(SystemExit, match="no values by default, so give some: dedupe"):
        [*sweep._wanted(["dedupe.kernels.alignment.AHEAD"])]


def test_a_sweep_says_what_changes_and_where_it_is_flat():
    now = {"a": sweep.Figures(0.95, 10), "b": sweep.Figures(1.0, 0)}
    worse = now | {"b": sweep.Figures(0.99, 3)}
    points = [sweep.Point(value, found) for value, found in ((1, worse), (2, now), (3, now))]
    assert sweep.table("x", 2, points).markdown().splitlines()[2:7] == [
        "| 1 |  | +3 (-0.0100) | +3 (-0.0050) |  |",
        "| 2 (now) | 10 (0.9500) | 0 (1.0000) | 10 (0.9750) | yes |",
        "| 3 |  |  |  | yes |",
        "",
        "x: flat from 2 to 3. Pairs that are wrong, false and missed, and mean F1; beside other "
        "values than now, how these change.",
    ]


def test_a_sweep_prints_a_table_for_a_constant(capsys, monkeypatch):
    story = " ".join(f"word{n}" for n in range(60))
    texts = {"a": story, "b": " ".join(f"menu{n}" for n in range(100)) + f" {story}"}
    found = collection.Collection("x", texts, dict.fromkeys(texts, "one"))
    monkeypatch.setattr(sweep, "groups", lambda _: [development.Group("x", "x", (found,))])
    sweep.main(["--only", "MIN_WORDS=20,100"])
    assert "| 20 (now) | 0 (1.0000) | 0 (1.0000) | yes |" in (printed := capsys.readouterr().out)
    assert "| 100 | +1 (-1.0000) | +1 (-1.0000) |  |" in printed
    monkeypatch.setattr(sweep, "groups", lambda _: [])
    with pytest.raises(SystemExit, match="--collections must begin the names of some"):
        sweep.main(["--only", "MIN_WORDS", "--collections", "nothing"])
    with pytest.raises(SystemExit):
        sweep.main(["--only", "MIN_WORDS", "--update", "docs/accuracy.md"])
    assert "--update must have all constants" in capsys.readouterr().err


def test_what_a_sweep_has_measured_is_kept(tmp_path, monkeypatch):
    asked = []

    def measure(groups, constants):
        asked.append(dict(constants))
        return {group.section: sweep.Figures(0.5 + len(constants), 3) for group in groups}

    monkeypatch.setattr(sweep, "measure", measure)
    groups = [development.Group(name, name, ()) for name in "ab"]
    path, constants = tmp_path / "kept", {"x.Y": 2}
    first = sweep.Kept(path, ["a", "b"]).measure(groups, constants)
    assert first == {name: sweep.Figures(1.5, 3) for name in "ab"}
    # Also for fewer collections, but not for more, nor for another rule.
    for collections, is_kept in ((["a", "b"], True), (["a"], True), (["a", "c"], False)):
        asked.clear()
        assert sweep.Kept(path, collections).measure(groups, constants) == first
        assert asked == ([] if is_kept else [constants])
    late = sweep.Kept(path, ["a"], end=0.0)
    assert (late.measure(groups, constants), late.measure(groups, {"x.Y": 3})) == (first, {})
    monkeypatch.setattr(sweep, "RULE_VERSION", 0)
    sweep.Kept(path, ["a"]).measure(groups, constants)
    assert asked == [constants, constants]


def test_a_line_of_a_sweep_says_what_was_not_run():
    now = sweep.Point(20, {"a": sweep.Figures(0.9, 3), "b": sweep.Figures(1.0, 0)})
    late = sweep.Point(25, {})
    points = [
        sweep.Point(0, {"a": sweep.Figures(0.5, 9)}),
        sweep.Point(16, now.sections),
        now,
        late,
    ]
    name = "dedupe.scoring.rule.MIN_WORDS"
    assert sweep.row(name, 20, points) == (
        "scoring.rule.MIN_WORDS", "20", "16", "25: not run", "0: -0.400 a", "b",
    )  # fmt: skip
    told = sweep.table(name, 20, points).markdown()
    assert "| 0 | +6 (-0.4000) | not run |" in told
    assert "| 25 | not run | not run | not run |  |" in told
    assert "flat from 16 to 20" in told


def test_no_machine_code_is_taken_that_has_a_constant_inside(monkeypatch):
    machine = importlib.import_module("dedupe.kernels.machine")
    monkeypatch.setattr(machine, "load", lambda function, _: function.__name__)
    systems._forget_machine_code("dedupe.kernels.measures")
    for module, name, expected in (
        ("pairs", "measure_pairs_into", None),
        ("boilerplate", "count_clusters_into", None),
        ("signatures", "signatures_into", "signatures_into"),
    ):
        kernel = getattr(importlib.import_module(f"dedupe.kernels.{module}"), name)
        assert machine.load(kernel, ()) == expected


def test_constants_that_follow_from_another_are_set_with_it(monkeypatch):
    home = "dedupe.kernels.measures"
    for name in ("PARAGRAPH", "N_LINES"):
        for holder in systems.holders_of(home, name):
            monkeypatch.setattr(holder, name, getattr(holder, name))
    systems._set_constants({f"{home}.PARAGRAPH": 40})
    assert {holder.N_LINES for holder in systems.holders_of(home, "N_LINES")} == {41}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", "there is no parameter of the name"),
        ("dedupe.scoring.nowhere.MIN_WORDS", "there is no module dedupe.scoring.nowhere"),
        ("dedupe.scoring.rule.NOTHING", "dedupe.scoring.rule does not define it"),
        # A name that is only imported there would change a part of the rule.
        ("dedupe.scoring.passes.SCORE_FLOOR", "dedupe.scoring.passes does not define it"),
    ],
)
def test_a_constant_that_nothing_reads_is_not_swept(name, why):
    with pytest.raises(SystemExit, match=f"must be one that the rule reads, got .*: {why}"):
        sweep.current_value(name)


def test_a_constant_is_set_wherever_it_was_imported(monkeypatch):
    holders = systems.holders_of("dedupe.settings", "SCORE_FLOOR")
    assert {"dedupe.settings", "dedupe.scoring.passes"} <= {one.__name__ for one in holders}
    for holder in holders:  # So that they are as they were afterwards.
        monkeypatch.setattr(holder, "SCORE_FLOOR", 0.1)
    constants = {"dedupe.settings.SCORE_FLOOR": 0.2, "threshold": 0.3}
    assert systems._set_constants(constants) == {"threshold": 0.3}
    assert {holder.SCORE_FLOOR for holder in holders} == {0.2}


def test_another_constant_of_the_same_name_is_left_alone():
    one, other = (
        systems.holders_of(f"dedupe.{name}", "SAMPLE")
        for name in ("linkage.means", "scoring.forms")
    )
    assert not {holder.__name__ for holder in one} & {holder.__name__ for holder in other}


SIXTY_WORDS = " ".join(f"word{n}" for n in range(60))
UNDER_A_MENU = {"a": SIXTY_WORDS, "b": " ".join(f"menu{n}" for n in range(100)) + SIXTY_WORDS}


def test_a_system_runs_in_a_process_of_its_own():
    texts = UNDER_A_MENU | {"c": "something else"}
    outcome, nothing = systems.run(systems.OURS, [texts, {"c": "one text"}], curve=True)
    assert outcome.clusters == [["a", "b"]]
    assert outcome.seconds > 0
    assert outcome.peak_mb > 1
    assert outcome.curve.keys() == set(systems.CURVE)
    assert nothing.clusters == []


def test_constants_reach_the_child():
    """Which would find the pair without them, as above."""
    constants = {"dedupe.scoring.rule.MIN_WORDS": 100}
    (outcome,) = systems.run(systems.OURS, [UNDER_A_MENU], constants=constants)
    assert outcome.clusters == []


def test_a_system_that_takes_too_long_has_no_outcome():
    assert systems.run(systems.OURS, [{"a": "one"}], limit=0.01) == []


@pytest.mark.parametrize(
    "name", ["datasketch LSH 0.5", "datasketch LSH 0.5, verified", "rensa deduplicator 0.5"]
)
def test_peers_find_what_they_are_made_for(name, made):
    story, other = made.stories[:2]
    texts = {"a": story, "b": f"{story} the end", "c": other}
    assert accuracy_peers.PEERS[name](texts) == [["a", "b"]]


def test_reports_escape_and_replace(tmp_path, collections):
    one = judging.Judged(replace(collections["typography"], name="<b>&"), [])
    clusters = [[f"{i}/first", f"{i}/set-anew"] for i in range(100)]
    one.outcomes[systems.OURS] = systems.Outcome(clusters, 1.0, 100.0, {0.4: clusters})
    one.outcomes["datasketch LSH 0.5"] = systems.Outcome([], 1.0, 100.0)
    page = tables.page("<i>", accuracy.drawn([one], []))
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "<polyline" in page
    table = accuracy.by_trap([one], "invented").markdown()
    assert "| <b>& | 200 | 1.0000 | 1.0000 | 1.0000 | 1.0000 | 0 | 0.0000 datasketch" in table
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- accuracy:begin -->\nold\n<!-- accuracy:end -->\nz\n", "utf-8")
    tables.update([readme], {"accuracy": table, "other": ""})
    assert readme.read_text("utf-8").startswith("a\n<!-- accuracy:begin -->\n| trap |")
    assert readme.read_text("utf-8").endswith("\n<!-- accuracy:end -->\nz\n")


def test_files_without_markers_are_refused(tmp_path):
    (tmp_path / "a.md").write_text("text")
    with pytest.raises(SystemExit, match="accuracy:begin"):
        tables.update([tmp_path / "a.md"], {"accuracy": "table"})


def test_the_command_prints_a_table(capsys):
    accuracy.main(["--no-peers", "--traps", "short", "--source", "invented"])
    printed = capsys.readouterr().out
    assert printed.startswith("| system | precision | recall | F1 | ARI |")
    assert "| short texts | " in printed


# Kinds of questions.


def test_kinds_are_the_same_in_every_run_and_grow_with_the_scale():
    one, again, larger = ([found for _, found in kinds.make_kinds(n)] for n in (0.5, 0.5, 1))
    assert one == again
    words = [[sum(map(len, found.texts.values())) for found in made] for made in (one, larger)]
    assert all(small < large for small, large in zip(*words, strict=True))


def test_a_kind_that_is_answered_wrongly_is_told():
    texts = {"a": "one two three", "b": "four five"}
    right = collection.Collection("x", texts, {"a": "a", "b": "b"})
    assert kinds.wrong(right) == ""
    assert kinds.wrong(replace(right, stories={"a": "a", "b": "a"})) == "clusters of []"


def test_whole_pages_hold_their_story_and_no_clean_body():
    made = material.invented_material(n_stories=300)
    for found, (least, most) in zip(
        whole_pages.make_whole_pages(made), whole_pages.SHARES.values(), strict=True
    ):
        told = [*found.stories.values()]
        assert sorted(map(told.count, {*told}), reverse=True)[: len(whole_pages.COPIES)] == sorted(
            whole_pages.COPIES, reverse=True
        )
        for text in found.texts.values():
            assert text not in made.stories
            assert alterations.count_words(text) >= whole_pages.SHORTEST / most
        assert least < most
        assert found in [*whole_pages.make_whole_pages(made)]


# Listings, and laws.


def told_apart_by(kind, item):
    """Return what tells an item from others; of a weekly event and a topic, not the date."""
    return item[1:3] if kind == "calendars" else item[:2]


@pytest.mark.parametrize("kind", listings.KINDS)
@pytest.mark.parametrize("n", [3, 20])
def test_a_listing_keeps_most_of_its_items_or_is_another_page(kind, n):
    draw = random.Random(f"{kind} {n}")
    pages = listings.KINDS[kind](draw, listings.Site(draw), n)
    assert len(pages) == n
    versions = [
        [{told_apart_by(kind, item) for item in items} for items in (page.items, *page.later)]
        for page in pages
    ]
    for page in versions:
        for one, other in itertools.permutations(page, 2):
            assert len(one & other) >= 0.8 * len(one)
    if kind == "jobs":  # Its lines are a form, of which some are the same in every advert.
        return
    for page, stranger in itertools.permutations(versions, 2):
        for one, other in itertools.product(page, stranger):
            assert len(one & other) < len(one) / 3


def test_listings_are_the_same_in_every_run_and_some_pages_are_there_again():
    made = [found for _, found in listings.make_listings(seeds=[1])]
    assert made == [found for _, found in listings.make_listings(seeds=[1])]
    assert len(made) == len(listings.KINDS) * len(listings.SIZES)
    for found, (n_pages, n_sites) in zip(made, itertools.cycle(listings.SIZES)):
        told = [*found.stories.values()]
        assert len({*told}) == n_pages
        assert len({story.split(".")[0] for story in told}) == n_sites
        n_again = sum(told.count(story) > 1 for story in {*told})
        assert n_sites <= n_again < n_pages
        assert len({*found.texts.values()}) == len(told)


@pytest.mark.parametrize("law", laws.LAWS)
def test_what_grows_keeps_what_it_had(law):
    _, sizes, grow = laws.LAWS[law]
    for grown in grow(1):
        assert len(grown.collections) == len(sizes)
        for small, large in itertools.pairwise(grown.collections):
            assert small.texts.items() < large.texts.items()
            assert small.stories.items() < large.stories.items()


def test_copies_with_boxes_of_their_own_are_found_however_many_there_are():
    for grown in itertools.islice(laws.copies_added(), len(laws.BOXES)):
        for found in grown.collections:
            assert kinds.wrong(found) == "", found.name


def test_groups_of_the_development_bench_are_made_by_their_names(monkeypatch):
    monkeypatch.setattr(development, "make_listings", lambda: listings.make_listings(seeds=[1]))
    names = [group.name for group in development.groups(["listings: g", "listings: jobs"])]
    assert names == ["listings: guides", "listings: jobs"]
    assert {group.section for group in development.groups(["list"])} == {"listings"}


def test_tables_of_the_development_bench_are_written(monkeypatch, tmp_path, capsys):
    found = collection.Collection("x", {"a": "one two", "b": "three"}, {"a": "1", "b": "2"})
    groups = [development.Group(name, f"{name}: x", (found,)) for name in ("trap", "trap", "y")]
    grown = [laws.Grown("law of x", (found, found))]
    monkeypatch.setattr(development, "groups", lambda _: groups)
    monkeypatch.setattr(development, "LAWS", {"what grows": ("recall", (2, 3), lambda _: grown)})
    page = tmp_path / "page.md"
    page.write_text("<!-- development:begin -->\n<!-- development:end -->\n")
    development.main(["--update", str(page)])
    told = page.read_text()
    assert "| all traps | 1.000 | 1.000 | 1.000 | 0 | 0 | 2 of 2 |" in told
    assert "| y: x | 1.000 | 1.000 | 1.000 | 0 | 0 | 1 of 1 |" in told
    assert "| law of x | holds | 1.000 1.000 | 1.000 1.000 |" in told
    assert "law of x" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        development.main(["--only", "y", "--update", str(page)])


def test_rows_of_the_development_bench_add_up():
    counts = metrics.PairCounts(n_true=1, n_found=4, n_gold=2, n_pairs=10)
    both = development.Row("both", counts, 0, 1, 2.0) + development.Row("", counts, 1, 1, 1.0)
    assert (both.counts.n_false, both.counts.n_missed, both.n_right, both.n_all) == (6, 2, 1, 2)
    assert f"{both}".split() == ["both", "0.333", "0.250", "0.500", "6", "2", "1/2", "3.00"]


def test_pairs_of_stories_that_are_not_judged_are_not_counted():
    unjudged = frozenset([frozenset("xy")])
    counts = metrics.count_pairs(STORIES, CLUSTERS, unjudged)
    assert counts == metrics.PairCounts(n_true=1, n_found=1, n_gold=4, n_pairs=4)

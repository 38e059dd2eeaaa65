"""What was found: records that survive JSON, and the questions people ask of them."""

import json
from contextlib import suppress
from dataclasses import FrozenInstanceError, asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.errors import (
    DedupeError,
    InvalidResult,
    InvalidSetting,
    MissingExtra,
    Skipped,
    UnknownDocument,
)
from dedupe.records import (
    Cluster,
    Comparison,
    DocumentInfo,
    Evidence,
    Pair,
    Passage,
    Remainder,
    Span,
    evidence_of,
)
from dedupe.results import STAYS, Result
from dedupe.settings import SCORE_FLOOR, Settings


def make_pair(left, right, score, verdict="contained", evidence=None):
    facts = (score, score / 2, 1.0, score, 1.0, verdict, "why", 40, 0, 3)
    return Pair(left, right, *facts, evidence_of(evidence))


def make_result(scores, *, documents=None, skipped=(), threshold=0.4, keep="longest"):
    """Return the result of some scores, given as a mapping from "ab" to a score."""
    pairs = [
        make_pair(left, right, score, "identical" if score == 1 else "contained")
        for (left, right), score in scores.items()
    ]
    scored = tuple(sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right)))
    if documents is None:
        ids = sorted({name for pair in pairs for name in (pair.left, pair.right)})
        documents = [DocumentInfo(name, 100 - i, i, None) for i, name in enumerate(ids)]
    settings = Settings(threshold=threshold, keep=keep)
    return Result((), (), scored, skipped, 10, 700, settings, tuple(documents)).at(threshold)


def members(result):
    return [cluster.members for cluster in result.clusters]


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
shares = st.floats(0, 1)
spans = st.tuples(st.integers(0, 9), st.integers(10, 99)).map(lambda pair: Span(*pair))
remainders = st.lists(st.builds(Remainder, spans, st.integers(1, 9), ids), max_size=2).map(tuple)
passages = st.builds(Passage, spans, spans, st.integers(8, 99), ids, st.booleans())
evidences = st.builds(
    Evidence, st.lists(passages, max_size=2).map(tuple), remainders, remainders, shares, shares
)


@st.composite
def results(draw):
    """Draw results with everything in them that a result can hold."""
    names = sorted(draw(st.sets(ids, min_size=1, max_size=5)))
    pairs = {}
    for right in names[1:]:
        left = draw(st.sampled_from(names[: names.index(right)]))
        score = draw(st.floats(SCORE_FLOOR, 1))
        evidence = draw(st.none() | evidences)
        pairs[left, right] = make_pair(left, right, score, "identical", evidence)
    documents = tuple(
        DocumentInfo(name, draw(st.integers(1, 999)), position, draw(st.none() | st.floats(0, 9e9)))
        for position, name in enumerate(names)
    )
    skipped = tuple(draw(st.lists(st.builds(Skipped, ids, ids, ids), max_size=2)))
    settings = Settings(
        threshold=draw(st.floats(SCORE_FLOOR, 1)),
        seed=draw(st.integers(0, 2**32 - 1)),
        keep=draw(st.sampled_from(["longest", "shortest", "first", "newest"])),
    )
    bare = Result((), (), tuple(pairs.values()), skipped, len(names), 99, settings, documents)
    return bare.at(settings.threshold)


scores = st.dictionaries(
    st.sampled_from(["ab", "ac", "ad", "bc", "bd", "cd", "de"]), st.integers(10, 100), max_size=7
).map(lambda found: {pair: score / 100 for pair, score in found.items()})
thresholds = st.integers(10, 100).map(lambda n: n / 100)


# --- laws ---


@given(results())
def test_json_and_back_is_the_identity(result):
    loaded = Result.from_json(result.to_json())
    assert loaded == result
    assert loaded.to_json() == result.to_json()
    assert Result.from_json(result.to_json().encode()) == result


@given(scores, thresholds, thresholds)
def test_another_threshold_and_back_is_the_identity(found, threshold, other):
    result = make_result(found, threshold=threshold)
    assert result.at(other).at(threshold) == result


@given(scores, thresholds, thresholds)
def test_raising_the_threshold_only_removes_pairs(found, one, other):
    result = make_result(found)
    low, high = (set(result.at(x).pairs) for x in sorted([one, other]))
    assert high <= low
    assert result.at(one).scored == result.scored


@given(scores.filter(lambda found: 1 not in found.values()))
def test_a_duplicate_scores_with_the_copy_that_is_kept_and_nothing_else_goes(found):
    result = make_result(found)
    expected = [
        (member, cluster.representative, score)
        for cluster in result.clusters
        for member in cluster.members
        for pair, score in found.items()
        if set(pair) == {member, cluster.representative} and score >= SCORE_FLOOR
    ]
    expected = [row for row in expected if row[0] != row[1]]
    assert [(row.id, row.duplicate_of, row.score) for row in result.duplicates] == expected
    assert all(row.best_score >= row.score for row in result.duplicates)


@given(scores)
def test_clusters_are_disjoint_and_the_largest_comes_first(found):
    result = make_result(found)
    names = [name for cluster in result.clusters for name in cluster.members]
    assert len(names) == len(set(names))
    sizes = [len(cluster) for cluster in result.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert min(sizes, default=2) >= 2


@given(scores)
def test_a_row_for_each_member(found):
    result = make_result(found)
    rows = list(result.rows())
    assert sorted(row["id"] for row in rows) == sorted(name for c in members(result) for name in c)
    for number, cluster in enumerate(result.clusters, start=1):
        first, *others = [row for row in rows if row["cluster"] == number]
        assert (first["id"], first["duplicate_of"]) == (cluster.representative, "")
        dropped = {duplicate.id for duplicate in result.duplicates}
        for row in others:
            assert row["duplicate_of"] == (cluster.representative if row["id"] in dropped else "")
            assert (row["reason"] == STAYS) == (row["id"] not in dropped)


@given(scores, st.integers(0, 9))
def test_borderline_pairs_are_the_nearest(found, n):
    result = make_result(found)
    distances = sorted(abs(pair.score - 0.4) for pair in result.scored)
    assert [abs(pair.score - 0.4) for pair in result.borderline(n)] == distances[:n]


# --- questions ---

FOUND = make_result({"ab": 0.9, "ac": 0.6, "bc": 0.3, "cd": 0.35, "de": 0.1})


def test_confirmed_pairs_are_those_that_reach_the_threshold():
    assert [(pair.left, pair.right) for pair in FOUND.pairs] == [("a", "b"), ("a", "c")]
    assert len(FOUND.scored) == 5


def test_a_pair_by_its_documents_in_any_order():
    assert FOUND.pair("c", "a") is FOUND.pair("a", "c") is FOUND.scored[1]


def test_a_pair_that_was_not_scored():
    with pytest.raises(UnknownDocument, match="'a' and 'x' must have been scored together"):
        FOUND.pair("x", "a")


def test_pairs_of_a_document():
    assert [pair.other("c") for pair in FOUND.pairs_of("c")] == ["a", "d", "b"]
    assert FOUND.pairs_of("x") == ()


def test_another_threshold():
    assert members(FOUND) == [("a", "b", "c")]
    assert members(FOUND.at(0.3)) != members(FOUND.at(0.95)) == []
    assert FOUND.at(0.5).settings.threshold == 0.5
    assert FOUND.settings.threshold == 0.4


@pytest.mark.parametrize("threshold", [0, 0.09, 1.01, float("nan"), "0.4", True, None])
def test_a_threshold_out_of_range(threshold):
    with pytest.raises(InvalidSetting, match=r"threshold must be in \[0.1, 1\], got"):
        FOUND.at(threshold)


def test_repr_says_what_a_person_wants_to_know():
    result = replace(FOUND, skipped=(Skipped("z", "empty", "give it a text"),))
    assert repr(result) == "<Result: documents=10, clusters=1, duplicates=2, skipped=1>"


def test_a_result_does_not_change():
    with pytest.raises(FrozenInstanceError):
        FOUND.clusters = ()


def kept_last(found):
    """Return a result in which the last document is the longest."""
    names = sorted({name for pair in found for name in pair})
    documents = [DocumentInfo(name, 9 if name < names[-1] else 99, 0) for name in names]
    return make_result(found, documents=documents)


def test_what_does_not_match_the_copy_to_keep_stays():
    result = kept_last({"ab": 0.9, "bc": 0.9})
    assert members(result) == [("a", "b", "c")]
    (b,) = result.duplicates
    assert (b.id, b.duplicate_of, b.score, b.best_match, b.reason) == ("b", "c", 0.9, "a", "why")
    rows = [(row["id"], row["duplicate_of"], row["score"]) for row in result.rows()]
    assert rows == [("c", "", 1.0), ("a", "", 0.0), ("b", "c", 0.9)]


def test_a_copy_goes_where_its_original_does():
    """Of identical copies only the pairs of one are known: here of a, and d is the same."""
    result = kept_last({"ad": 1.0, "ae": 0.7})
    assert members(result) == [("a", "d", "e")]
    a, d = result.duplicates
    assert (a.id, a.score, d.id, d.score) == ("a", 0.7, "d", 0.7)
    assert d.reason == "matches a: why"
    (a,) = kept_last({"ab": 1.0}).duplicates
    assert (a.id, a.score) == ("a", 1.0)


def test_copies_count_as_one_document():
    """Nine copies of one side do not outvote the other side of a chain."""
    found = {"ab": 0.45, **{"a" + copy: 1.0 for copy in "cdefghijk"}}
    result = make_result(found)
    assert members(result) == [tuple("abcdefghijk")]


def test_a_comparison_confirms_at_its_threshold():
    pair = make_pair("a", "b", 0.4)
    assert Comparison(pair, "", "", 0.4).same_story
    assert not Comparison(pair, "", "", 0.41).same_story


# --- which document to keep ---

DOCUMENTS = (
    DocumentInfo("a", n_words=50, position=3, time=None),
    DocumentInfo("b", n_words=80, position=2, time=100.0),
    DocumentInfo("c", n_words=80, position=1, time=300.0),
    DocumentInfo("d", n_words=50, position=0, time=300.0),
)


def kept(keep, documents=DOCUMENTS):
    (cluster,) = make_result({"ab": 1, "ac": 1, "ad": 1}, documents=documents, keep=keep).clusters
    return cluster.representative


@pytest.mark.parametrize(
    ("keep", "expected"), [("longest", "b"), ("shortest", "a"), ("first", "d"), ("newest", "c")]
)
def test_keep_by_name_and_the_first_id_of_equals(keep, expected):
    assert kept(keep) == expected


def test_a_document_without_a_time_is_the_oldest():
    ages = (None, -5.0, None, None)
    documents = [replace(d, time=t) for d, t in zip(DOCUMENTS, ages, strict=True)]
    assert kept("newest", documents) == "b"
    assert kept("newest", [replace(d, time=None) for d in documents]) == "a"


def test_keep_by_a_function_of_the_documents():
    seen = []

    def last(documents):
        seen.append(documents)
        return documents[-1]

    assert kept(last) == "d"
    assert set(seen) == {DOCUMENTS}


@pytest.mark.parametrize("answer", [None, "a", DocumentInfo("z", 1, 1)])
def test_a_function_must_choose_one_of_them(answer):
    with pytest.raises(InvalidSetting, match="keep must return one of the documents given, got"):
        kept(lambda _: answer)


def test_a_saved_result_has_lost_its_function():
    result = make_result({"ab": 0.9}, keep=lambda documents: documents[0])
    loaded = Result.from_json(result.to_json())
    assert json.loads(result.to_json())["settings"]["keep"] == "custom"
    assert loaded.to_json() == result.to_json()
    assert loaded.clusters == result.clusters
    with pytest.raises(InvalidSetting, match="keep was a function, which JSON cannot hold"):
        loaded.at(0.5)
    again = replace(loaded, settings=replace(loaded.settings, keep="longest"))
    assert again.at(0.4).clusters == result.clusters


# --- JSON ---


def test_what_json_says():
    facts = json.loads(FOUND.to_json())
    assert list(facts) == [
        "format",
        "version",
        "n_documents",
        "n_words",
        "n_old",
        "settings",
        "clusters",
        "duplicates",
        "pairs",
        "skipped",
        "documents",
        "furniture",
    ]
    assert facts["clusters"] == [{"representative": "a", "members": ["a", "b", "c"]}]
    assert facts["settings"]["bands"] == 128
    assert facts["settings"]["expected_recall"]["0.05"] == pytest.approx(0.9986, abs=1e-4)
    assert [pair["left"] + pair["right"] for pair in facts["pairs"]] == [
        "ab",
        "ac",
        "cd",
        "bc",
        "de",
    ]


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff\xfe\x00", "[1, 2", "\x00"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(InvalidResult, match="a result must be JSON, got"):
        Result.from_json(text)


@pytest.mark.parametrize(
    "facts",
    ["[]", "null", "3", '"dedupe-result"', "{}", '{"format": "dedupe-result", "version": 2}'],
)
def test_json_of_another_kind_or_version_is_refused(facts):
    with pytest.raises(InvalidResult, match="must say format 'dedupe-result' and version 1, got"):
        Result.from_json(facts)


EVIDENCE = Evidence(
    (Passage(Span(0, 9), Span(0, 9), 9, "x"),), (), (Remainder(Span(0, 9), 9, "x"),), 1, 1
)
RICH = replace(
    make_result({"ab": 0.9}, skipped=(Skipped("z", "empty", "give it a text"),)),
    scored=(make_pair("a", "b", 0.9, evidence=EVIDENCE),),
)


def places(facts, path=()):
    """Yield the path of everything inside a JSON value."""
    for key in facts if isinstance(facts, dict) else range(len(facts)):
        yield (*path, key)
        if isinstance(facts[key], dict | list):
            yield from places(facts[key], (*path, key))


PLACES = [
    path
    for path in places(json.loads(RICH.to_json()))
    # These follow from the other settings and are not read.
    if not {"bands", "rows", "expected_recall"} & {*path}
]


def damaged(path, *values):
    """Return JSON of the rich result with another value at a place, or with none."""
    facts = json.loads(RICH.to_json())
    inside = facts
    for key in path[:-1]:
        inside = inside[key]
    del inside[path[-1]]
    for value in values:
        inside.update({path[-1]: value}) if isinstance(inside, dict) else inside.append(value)
    return json.dumps(facts)


@pytest.mark.parametrize("path", [path for path in PLACES if isinstance(path[-1], str)], ids=str)
def test_a_result_with_a_part_missing_is_refused(path):
    # These have defaults.
    if path[-1] in ("time", "is_old") or (path[-1] == "furniture" and len(path) > 1):
        assert Result.from_json(damaged(path)).scored
        return
    with pytest.raises(InvalidResult):
        Result.from_json(damaged(path))


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_a_damaged_result_is_refused_or_taken_as_it_is(path):
    """Whatever stands in a file, a caller who catches InvalidResult has caught everything."""
    for junk in (None, 17, -1.5, "junk", [], {}, [[]]):
        with suppress(InvalidResult):
            Result.from_json(damaged(path, junk))


def test_settings_out_of_range_make_a_damaged_result():
    facts = json.loads(RICH.to_json())
    facts["settings"]["threshold"] = 7
    with pytest.raises(InvalidResult, match="threshold must be"):
        Result.from_json(json.dumps(facts))


def test_additions_of_a_later_version_are_refused_not_lost():
    facts = json.loads(RICH.to_json())
    facts["pairs"][0]["mood"] = "good"
    with pytest.raises(InvalidResult):
        Result.from_json(json.dumps(facts))


# --- pandas ---


def test_rows_as_a_data_frame():
    frame = FOUND.to_pandas()
    assert list(frame.columns) == ["cluster", "id", "duplicate_of", "score", "verdict", "reason"]
    assert frame.to_dict("records") == list(FOUND.rows())


def test_an_empty_data_frame_has_the_same_columns():
    empty = make_result({})
    assert list(empty.to_pandas().columns) == list(FOUND.to_pandas().columns)
    assert len(empty.to_pandas()) == 0


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"pip install 'dedupe-articles\[pandas\]'"):
        FOUND.to_pandas()


def test_records_are_plain_values():
    assert asdict(Cluster("a", ("a", "b"))) == {"representative": "a", "members": ("a", "b")}
    assert issubclass(InvalidResult, DedupeError)

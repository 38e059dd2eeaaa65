"""Results as JSON: they come back as they were, and what was not saved so is refused."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import getitem
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe import find_duplicate_texts
from dedupe.errors import InvalidInput, InvalidResult, InvalidSetting, Skipped
from dedupe.results.records import DocumentInfo, Evidence, Passage, Remainder, Span
from dedupe.results.result import Result
from dedupe.results.saved import pair_as_json, settings_as_json
from dedupe.settings import Settings
from found import make_pair, make_result, results
from test_docs import SCHEMA

EVIDENCE = Evidence(
    (Passage(Span(0, 9), Span(0, 9), 9, "x"),), (), (Remainder(Span(0, 9), 9, "x"),), 1, 1
)
FOUND = make_result({"ab": 0.9, "ac": 0.6, "bc": 0.3, "cd": 0.35, "de": 0.1})
RICH = replace(
    make_result({"ab": 0.9}, skipped=(Skipped("z", "empty", "give it a text"),)),
    scored=(make_pair("a", "b", 0.9, evidence=EVIDENCE),),
)

# NaN and the infinite are no JSON, but Python writes and reads them.
JUNK = (None, True, 17, -1.5, float("nan"), float("inf"), "junk", [], {}, [[]], ["a"])
FOLLOWING = {"bands", "rows", "expected_recall"}
"""Settings that follow from the others, and are not read."""


def places(facts, path=()):
    """Yield the path of everything inside a JSON value that is read."""
    for key in facts if isinstance(facts, dict) else range(len(facts)):
        if key not in FOLLOWING:
            yield (*path, key)
            if isinstance(facts[key], dict | list):
                yield from places(facts[key], (*path, key))


def damaged(result, path, *values):
    """Return JSON of a result with another value at a place, or with none."""
    facts = json.loads(result.to_json())
    *above, last = path
    inside = reduce(getitem, above, facts)
    if values:
        (inside[last],) = values
    else:
        del inside[last]
    return json.dumps(facts)


def use(result, folder):
    """Ask a result for everything that it can tell."""
    list(result.rows())
    list(result.borderline())
    result.at(0.5)
    result.to_html(folder / "report.html")
    assert all(result.match(duplicate) for duplicate in result.duplicates)
    assert result.n_copies >= 0
    assert Result.from_json(result.to_json()) == result


HEADER = ("format",), ("version",)
PLACES = [*places(json.loads(RICH.to_json()))]


# --- laws ---


@given(results())
def test_json_and_back_is_the_identity(result):
    loaded = Result.from_json(result.to_json())
    assert loaded == result
    assert loaded.to_json() == result.to_json()
    assert Result.from_json(result.to_json().encode()) == result


@given(results(), st.data())
def test_what_is_damaged_is_refused_or_can_be_used(tmp_path_factory, result, data):
    path = data.draw(st.sampled_from([*places(json.loads(result.to_json()))]))
    values = data.draw(st.just(()) | st.tuples(st.sampled_from(JUNK)))
    with suppress(InvalidResult):
        loaded = Result.from_json(damaged(result, path, *values))
        use(loaded, tmp_path_factory.getbasetemp())
        jsonschema.validate(json.loads(loaded.to_json()), SCHEMA)


@pytest.mark.parametrize("path", PLACES, ids=str)
def test_wherever_it_is_damaged_it_is_refused_or_can_be_used(path, tmp_path):
    for junk in JUNK:
        with suppress(InvalidResult):
            loaded = Result.from_json(damaged(RICH, path, junk))
            use(loaded, tmp_path)


@pytest.mark.parametrize("path", [path for path in PLACES if isinstance(path[-1], str)], ids=str)
def test_a_result_with_a_part_missing_is_refused(path):
    why = f"'{path[-1]}'.*: save it again"
    with pytest.raises(InvalidResult, match="must say format" if path in HEADER else why):
        Result.from_json(damaged(RICH, path))


def test_a_path_is_not_taken_for_its_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("res.json").write_text(FOUND.to_json(), encoding="utf-8")
    for path in ("res.json", Path("res.json"), Path("missing.json")):
        with pytest.raises(InvalidResult, match=r"\.json'.*, which is a path: give the text"):
            Result.from_json(path)
    with pytest.raises(InvalidResult, match=r"must be JSON, got .*: save it again"):
        Result.from_json("missing.json")


@pytest.mark.parametrize("junk", [5, None, {"format": "dedupe-result"}, [b"{}"]], ids=repr)
def test_what_is_no_text_is_not_read(junk):
    with pytest.raises(InvalidInput, match=r"as str or bytes, got .*: give what to_json\(\)"):
        Result.from_json(junk)


@pytest.mark.parametrize("keep", ["longest", "newest"])
def test_settings_and_pairs_are_plain_values(keep):
    settings = settings_as_json(Settings(keep=keep, seed=7))
    assert (settings["keep"], settings["seed"]) == (keep, 7)
    assert settings_as_json(Settings(keep=max))["keep"] == "custom"
    pair = pair_as_json(make_pair("a", "b", 0.5, evidence=EVIDENCE))
    assert pair["evidence"]["passages"][0]["left"] == (0, 9)
    assert pair_as_json(make_pair("a", "b", 0.5))["evidence"] is None


# --- what is refused, and what is said of it ---


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (
            ("pairs", 0, "score"),
            "0.5",
            r"score of pairs .* must be a number in \[0, 1\], got '0.5'",
        ),
        (("pairs", 0, "score"), 1.5, r"score of pairs .* must be a number in \[0, 1\], got 1.5"),
        (("pairs", 0, "score"), True, r"score of pairs .* must be a number in \[0, 1\], got True"),
        (("pairs", 0, "reason"), 7, "reason of pairs .* must be a string, got 7"),
        (("pairs", 0, "shared_words"), 1.5, "must be a whole number from 0 to .*, got 1.5"),
        (("pairs", 0, "shared_words"), 2**63, "must be a whole number from 0 to .*, got 9223"),
        (("pairs", 0, "mood"), "good", r"pairs .* must have left, .* a difference in {'mood'}"),
        (
            ("pairs", 0, "evidence", "passages", 0, "left"),
            [9, 0],
            r"a start and an end .* \[9, 0\]",
        ),
        (("pairs", 0, "evidence", "passages", 0, "left"), [9], r"a start and an end .* \[9\]"),
        (("pairs", 0, "evidence", "passages"), 3, "passages of evidence .* must be a list, got 3"),
        (("pairs", 0, "evidence", "passages"), [], r"stretches of both texts, got \[0, 1\]"),
        (("pairs", 0, "left"), "x", r"both documents of a pair must be listed, .* \['x', 'b'\]"),
        (("pairs", 0, "right"), "a", r"the one whose id comes first .* got \['a', 'a'\]"),
        (("pairs",), [], "a duplicate must have a pair with its best match, got 'b'"),
        (("documents", 0, "n_words"), "many", "n_words of documents .* a whole number .* 'many'"),
        (("documents", 0, "is_old"), 1, "is_old of documents .* must be true or false, got 1"),
        (
            ("documents", 0, "id"),
            "b",
            "documents must be .* order of their ids, got 'b'",
        ),
        (
            ("documents", 0, "id"),
            "c",
            "documents must be .* order of their ids, got 'b'",
        ),
        (("pairs", 0, "relation"), "sure", "a relation must be one of those there are, got 'sure'"),
        (("duplicates", 0, "id"), ["x"], r"id of duplicates .* must be an id, got \[\['x'\]\]"),
        (("duplicates", 0, "id"), "x", "must be a member of the cluster .* once, got 'x'"),
        (("clusters", 0, "members"), ["a", "x"], "members of a cluster must be listed, got 'x'"),
        (("clusters", 0, "members"), ["a", "a"], "a document must be in one cluster, got 'a'"),
        (("clusters", 0, "representative"), "x", "must be a member of its cluster, got 'x'"),
        (("settings",), None, "settings of a result must be an object, got None"),
        (("settings", "threshold"), 7, r"threshold must be in \[0.1, 1\], got 7"),
        (("settings", "keep"), ["longest"], "keep must be one of"),
        (("boilerplate",), "AAAA", "boilerplate must have 10 bytes a shingle, got 3 bytes"),
        (("boilerplate",), "é", "should contain only ASCII"),
    ],
)
def test_what_is_said_of_damage(path, value, why):
    with pytest.raises(InvalidResult, match=rf"a result is damaged: .*{why}.*: save it again"):
        Result.from_json(damaged(RICH, path, value))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(number):
    text = RICH.to_json()
    assert text.count('"score": 0.9,') == 2
    with pytest.raises(InvalidResult, match="save it again"):
        Result.from_json(text.replace('"score": 0.9,', f'"score": {number},'))


def test_a_value_however_deep_is_shown_on_a_line():
    deep = "[" * 900 + "]" * 900
    for text in (
        RICH.to_json().replace('"version": 7', f'"version": {deep}'),
        RICH.to_json().replace('"n_words": 700', f'"n_words": {deep}'),
    ):
        with pytest.raises(InvalidResult, match="save it again") as refused:
            Result.from_json(text)
        assert len(str(refused.value)) < 200


def test_an_old_document_is_no_duplicate():
    facts = json.loads(RICH.to_json()) | {"n_old": 1}
    facts["documents"][1]["is_old"] = True
    with pytest.raises(InvalidResult, match=r"id of an old document must be marked as old.* 'b'"):
        Result.from_json(json.dumps(facts))
    text = json.dumps(facts).replace('"b"', '{"old": "b"}')
    with pytest.raises(InvalidResult, match="an old document must not be a duplicate, got"):
        Result.from_json(text)


IDS = ["a", 7, 1.5, ("a", 7), UUID(int=7), date(2024, 5, 1), Decimal("2.50"), b"x"]


def test_ids_come_back_in_their_types():
    story = " ".join(f"w{n}" for n in range(80))
    result = find_duplicate_texts({id_: f"{id_} {story}" for id_ in IDS})
    loaded = Result.from_json(result.to_json())
    assert loaded == result
    assert {type(id_) for id_ in loaded.clusters[0]} == set(map(type, IDS))
    alone = find_duplicate_texts(dict.fromkeys(IDS[:1], story) | {8: "quite another", 9: "thing"})
    assert Result.from_json(alone.to_json()).others == (8, 9, "a")


def test_of_many_records_the_one_that_is_damaged_is_found():
    documents = [DocumentInfo(f"{i:04}", 7, 0) for i in range(3001)]
    scores = {("0000", document.id): 0.3 for document in documents[1:]}
    result = make_result(scores, documents=documents)
    result = replace(result, n_documents=3001, n_words=7 * 3001)
    assert Result.from_json(result.to_json()) == result
    with pytest.raises(InvalidResult, match="got 'x'"):
        Result.from_json(damaged(result, ("pairs", 2999, "score"), "x"))


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff\xfe\x00", "[1, 2", "\x00"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(InvalidResult, match="a result must be JSON, got"):
        Result.from_json(text)


@pytest.mark.parametrize(
    "facts",
    [
        "[]",
        "null",
        "3",
        '"dedupe-result"',
        "{}",
        '{"format": "dedupe-result", "version": 1}',
        '{"format": "dedupe-result", "version": 2}',
        '{"format": "dedupe-result", "version": 3}',
    ],
)
def test_json_of_another_kind_or_version_is_refused(facts):
    with pytest.raises(InvalidResult, match="must say format 'dedupe-result' and version 7, got"):
        Result.from_json(facts)


# --- what is saved ---


def test_what_json_says():
    facts = json.loads(FOUND.to_json())
    assert list(facts) == [
        "format",
        "version",
        "n_documents",
        "n_words",
        "n_old",
        "n_undated",
        "settings",
        "clusters",
        "duplicates",
        "pairs",
        "skipped",
        "documents",
        "others",
        "boilerplate",
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


def test_a_saved_result_has_lost_its_function():
    result = make_result({"ab": 0.9}, keep=lambda documents: documents[0])
    loaded = Result.from_json(result.to_json())
    assert json.loads(result.to_json())["settings"]["keep"] == "custom"
    assert loaded.to_json() == result.to_json()
    assert loaded.clusters == result.clusters
    with pytest.raises(
        InvalidSetting, match="keep was a function, which JSON cannot hold"
    ) as error:
        loaded.at(0.5)
    # What it says to write can be copied.
    names = {"result": loaded, "function": lambda documents: documents[0]}
    exec(re.search("from dataclasses .*", str(error.value))[0], names)
    assert names["result"].at(0.4).clusters == result.clusters


@pytest.mark.parametrize("change", [{"n_documents": 1}, {"n_old": 99}, {"n_words": 1}])
def test_numbers_of_all_documents_are_not_less_than_those_of_some(change):
    facts = json.loads(make_result({"ab": 0.9}).to_json())
    assert Result.from_json(json.dumps(facts))
    with pytest.raises(InvalidResult, match="must be part of all, got"):
        Result.from_json(json.dumps(facts | change))

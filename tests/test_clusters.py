"""Scored pairs to clusters: who belongs together, who is kept, and what is said of the others."""

import glob
import json
import logging
import os
from dataclasses import fields, replace
from datetime import date
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import dedupe
import reference
from dedupe.errors import InvalidSetting, UnknownDocument
from dedupe.results.clusters import cluster_labels, make_clusters
from dedupe.results.records import DocumentInfo
from dedupe.results.representatives import KEYS, is_in
from dedupe.scoring import rule
from dedupe.scoring.block import Block
from dedupe.scoring.stories import Copies, words_of_stories
from dedupe.settings import KEEP, SCORE_FLOOR, Settings
from dedupe.shingling import hash_tokens
from found import make_result, members, scores, thresholds

infos = st.lists(
    st.builds(
        DocumentInfo,
        st.text("abcdef", min_size=1, max_size=2),
        st.integers(1, 3),
        st.integers(0, 9),
        st.none() | st.integers(0, 3),
        st.booleans(),
        story_words=st.integers(0, 3),
    ),
    min_size=2,
    max_size=6,
    unique_by=(lambda one: one.id, lambda one: one.position),
)


def kept_of(documents, keep):
    """Return which of some documents of one cluster is kept."""
    (cluster,) = make_clusters(documents, np.zeros(len(documents), np.int64), Settings(keep=keep))
    assert cluster.members == tuple(one.id for one in documents)
    return next(one for one in documents if one.id == cluster.representative)


def f1(document, fullest):
    """Return how like a copy is to a story of so many words: the mean of precision and recall."""
    if not document.story_words:
        return 0
    precision, recall = document.story_words / document.n_words, document.story_words / fullest
    return Fraction(2) / (1 / Fraction(precision) + 1 / Fraction(recall))


# --- laws ---


@given(infos, st.sampled_from(KEEP))
def test_nothing_is_better_by_the_rule_than_what_is_kept(documents, keep):
    assert {*KEYS, "typical"} == {*KEEP}
    documents = [replace(one, is_old=False) for one in documents]
    kept = kept_of(documents, keep)
    fullest = max(one.story_words for one in documents)
    better = {
        "typical": lambda one: f1(one, fullest) > f1(kept, fullest),
        "longest": lambda one: one.n_words > kept.n_words,
        "shortest": lambda one: one.n_words < kept.n_words,
        "first": lambda one: one.position < kept.position,
        "newest": lambda one: one.time is not None and (kept.time is None or one.time > kept.time),
        "oldest": lambda one: one.time is not None and (kept.time is None or one.time < kept.time),
    }[keep]
    assert not any(map(better, documents))


preferred = st.lists(st.sampled_from(["a*", "?", "bc", "*f", "nowhere"]), max_size=3, unique=True)


@given(infos, st.sampled_from(KEEP), preferred, st.data())
def test_clusters_are_those_of_the_slow_twin(documents, keep, prefer, data):
    n = len(documents)
    labels = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    found = make_clusters(documents, np.array(labels), Settings(keep=keep, prefer=prefer))
    expected = reference.clusters(documents, labels, keep, prefer)
    assert [(one.representative, one.members) for one in found] == expected


@given(infos, st.sampled_from(KEEP), st.randoms())
def test_the_order_of_documents_does_not_choose(documents, keep, random):
    documents = [replace(one, is_old=False) for one in documents]
    shuffled = random.sample(documents, len(documents))
    assert kept_of(documents, keep) == kept_of(shuffled, keep)


@given(infos, st.sampled_from([*KEEP, lambda documents: documents[-1]]))
def test_an_old_document_is_always_kept(documents, keep):
    assume(any(one.is_old for one in documents))
    assert kept_of(documents, keep).is_old


@given(scores, thresholds, st.sets(st.sampled_from("abcde")))
def test_against_old_documents_a_cluster_is_one_of_them_with_what_matches_it(found, least, old):
    result = make_result(found)
    documents = [replace(one, is_old=one.id in old) for one in result.documents]
    result = replace(result, documents=tuple(documents)).at(least)
    assume(any(one.is_old for one in documents))
    assert all(len(old.intersection(cluster.members)) <= 1 for cluster in result.clusters)
    for duplicate in result.duplicates:
        assert duplicate.id not in old
        if duplicate.duplicate_of not in old:
            pairs = result.pairs_of(duplicate.id)
            assert not any(p.other(duplicate.id) in old and p.score >= least for p in pairs)
            continue
        # Of identical copies, only one may have been compared with what is old.
        assert duplicate.score >= least or result.pair(duplicate.id, duplicate.best_match)
        if 1 not in found.values():
            pairs = result.pairs_of(duplicate.id)
            assert duplicate.score == max(p.score for p in pairs if p.other(duplicate.id) in old)


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


everything = st.dictionaries(
    st.sampled_from([*combinations(range(9), 2)]),
    st.tuples(st.integers(0, 20), st.sampled_from(["candidate", "near", "asked"])),
    max_size=30,
)


@given(everything, st.integers(2, 4))
def test_near_copies_that_one_stands_for_are_with_it_again(told, least):
    """What was asked for is known by then."""
    candidates = {pair: of for pair, of in told.items() if of[1] != "asked"}
    needed = []

    def score_of(pair):
        return told.get(pair, (9, ""))[0] / 20

    def labels(pairs, **options):
        sides = np.array([*pairs], np.int64).reshape(-1, 2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rule, "MIN_CROWD", least)
            return cluster_labels(
                9,
                sides,
                np.array([score_of(pair) for pair in pairs]),
                np.zeros(len(pairs), np.bool_),
                np.zeros(9, np.bool_),
                threshold=0.45,
                is_near=np.array([told.get(pair, "-")[-1] == "near" for pair in pairs], np.bool_),
                **options,
            ).tolist()

    found = labels(
        [*candidates],
        ask=lambda few: [score_of(pair) for pair in map(tuple, few.tolist())],
        note=lambda few: needed.extend(map(tuple, few.tolist())),
    )
    assert all(label <= d and found[label] == label for d, label in enumerate(found))
    known = [*candidates, *needed]
    may_join = np.arange(len(known)) < len(candidates)
    assert labels(known, may_join=may_join) == found


# --- edges ---


def test_no_documents_are_no_clusters():
    nothing = np.empty(0, np.bool_)
    labels = cluster_labels(
        0, np.empty((0, 2), np.int64), np.empty(0), nothing, nothing, threshold=0.4, is_near=nothing
    )
    assert labels.size == 0
    assert make_clusters([], labels, Settings()) == ()
    assert members(make_result({})) == []


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
    assert d.reason == "why"
    (a,) = kept_last({"ab": 1.0}).duplicates
    assert (a.id, a.score) == ("a", 1.0)


def test_copies_count_as_one_document():
    """Nine copies of one side do not outvote the other side of a chain."""
    found = {"ab": 0.45, **{"a" + copy: 1.0 for copy in "cdefghijk"}}
    result = make_result(found)
    assert members(result) == [tuple("abcdefghijk")]


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
    ("keep", "expected"),
    [("longest", "b"), ("shortest", "a"), ("first", "d"), ("newest", "c"), ("oldest", "b")],
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
    (copies,) = {*seen}
    for copy, document in zip(copies, DOCUMENTS, strict=True):
        assert all(getattr(copy, f.name) == getattr(document, f.name) for f in fields(document))


def test_a_function_sees_scores_and_shares_and_the_text_if_there_is_one():
    seen = []

    def first(copies):
        seen[:] = copies
        return copies[0]

    documents = [replace(one, story_words=40, boilerplate_words=5) for one in DOCUMENTS[:3]]
    result = make_result({"ab": 0.9, "ac": 0.7}, documents=documents, keep=first)
    assert [round(copy.score, 9) for copy in seen] == [0.8, 0.9, 0.7]
    assert (seen[0].story_share, seen[0].boilerplate_share) == (0.8, 0.1)
    with pytest.raises(UnknownDocument, match="texts must be there for keep to see them"):
        seen[0].text  # noqa: B018
    replace(result, texts={"a": "its text"}).at(0.4)
    assert seen[0].text == "its text"


# --- the typical copy, and places that are preferred ---


def words_of(*texts, copies=None):
    block = Block.of(hash_tokens([*texts], detail=True), 5)
    n_copies = np.array(copies or [1] * len(texts))
    clusters = np.zeros(len(texts))
    found = words_of_stories(
        block.words, 5, Copies.of(np.arange(len(texts)), n_copies, clusters=clusters)
    )
    return found.story.tolist()


def kept_text(*texts):
    """Return the copy that is kept of some that are one story."""
    found = dedupe.find_duplicate_texts(texts, workers=1)
    (cluster,) = found.clusters
    assert len(cluster.members) == len(texts)
    return texts[cluster.representative]


def prose(start, n):
    """Return `n` words, no two alike, in lines of twenty."""
    told = [f"w{number}" for number in range(start, start + n)]
    return "\n".join(" ".join(told[line : line + 20]) for line in range(0, n, 20))


STORY = prose(0, 100)


@pytest.mark.parametrize(
    ("beside", "n_counted"),
    [
        (prose(200, 60), 160),  # What goes on in prose is the story, told at greater length.
        (prose(200, 100), 200),
        (prose(200, 120), 100),  # More than the story again is not.
        ("\n".join(prose(200, 60).split()), 100),  # Nor is a list,
        (prose(200, 80) + "\nx1\nx2", 180),  # but few short lines do no harm,
        (prose(200, 80) + "\n" + "\n".join(prose(400, 9).split()), 100),  # unless they are more.
        (" ".join(prose(200, 60).split()), 160),
    ],
)
def test_prose_beside_the_story_counts_and_the_page_does_not(beside, n_counted):
    assert words_of(STORY, STORY + "\n" + beside) == [100, n_counted]


@pytest.mark.parametrize("again", [STORY, prose(0, 40), prose(60, 40), STORY + "\n" + STORY])
def test_what_a_copy_says_twice_counts_once_and_it_is_not_kept(again):
    """As a page does that shows its lead above itself, or an extractor that meets a text twice."""
    twice = again + "\n" + STORY
    once, more = words_of(STORY, twice)
    # At the seam four words stand in a shingle of either time.
    assert once == 100 <= more <= 104
    assert kept_text(STORY, twice) == kept_text(STORY, "Home\nNews\n" + STORY, twice) == STORY


@pytest.mark.parametrize(("n_words", "n_counted"), [(9, 109), (10, 100)])
def test_a_phrase_that_recurs_is_the_story_and_a_passage_is_not(n_words, n_counted):
    once, more = words_of(STORY, STORY + "\nand\n" + prose(0, n_words))
    assert (once, more) == (100, n_counted)


def test_what_every_copy_says_twice_costs_none_of_them():
    refrain = prose(0, 20)
    song = "\n".join([refrain, prose(20, 40), refrain, prose(60, 40), refrain])
    assert kept_text(song, "Home\nNews\nSport\n" + song) == song
    assert kept_text(song, song.removesuffix(refrain)) == song.removesuffix(refrain)


def test_prose_is_not_told_where_lines_are_lost():
    page = STORY + "\n" + prose(200, 60)
    assert words_of(STORY, STORY, " ".join(page.split())) == [100, 100, 100]


def test_what_most_copies_have_is_the_story():
    tail = "\n".join(prose(500, 30).split())
    assert words_of(STORY, STORY, STORY + "\n" + tail) == [100, 100, 100]
    assert words_of(STORY, STORY + "\n" + tail, STORY + "\n" + tail) == [100, 130, 130]
    assert words_of(STORY, STORY + "\n" + tail) == [100, 100]


def test_identical_copies_count_each():
    tail = "\n".join(prose(500, 30).split())
    assert words_of(STORY, STORY + "\n" + tail, copies=[1, 3]) == [100, 130]


PLACED = [DocumentInfo(name, n, 0) for name, n in (("wire/a", 9), ("wires/b", 8), ("c.txt:2", 7))]


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ((), "wire/a"),
        (("wires",), "wires/b"),
        (("wire/",), "wire/a"),
        ("c.txt", "c.txt:2"),
        (("nowhere", "*/b", "wire"), "wires/b"),
        (("nowhere",), "wire/a"),
    ],
)
def test_the_first_place_that_has_a_copy_is_preferred(prefer, expected):
    settings = Settings(keep="longest", prefer=prefer)
    (cluster,) = make_clusters(PLACED, np.zeros(3, np.int64), settings)
    assert cluster.representative == expected


def test_among_several_in_a_place_keep_decides():
    settings = Settings(keep="shortest", prefer=["wire*"])
    (cluster,) = make_clusters(PLACED, np.zeros(3, np.int64), settings)
    assert cluster.representative == "wires/b"


@pytest.mark.parametrize(
    ("id_", "place"), [(7, "7"), (("wire", 7), "*wire*"), (date(2024, 5, 1), "2024-05-*")]
)
def test_a_place_is_found_in_ids_that_are_no_text(id_, place):
    story = "the council voted to close the old bridge for repairs until spring " * 3
    found = dedupe.find_duplicate_texts({0: story, "a": story, id_: story}, prefer=place)
    assert found.clusters[0].representative == id_


def test_a_function_that_chooses_is_given_ids_of_their_own_type_and_texts():
    story = "the council voted to close the old bridge for repairs until spring " * 3
    texts = {1: story, "a": story + "and after", (1,): story + "and before"}

    def keep(copies):
        assert {copy.id: copy.text for copy in copies} == texts
        return max(copies, key=lambda copy: str(type(copy.id)))

    assert dedupe.find_duplicate_texts(texts, keep=keep).clusters[0].representative == (1,)


@pytest.mark.parametrize("prefer", [3, None, [""], [None], {"a": 1}])
def test_places_must_be_named(prefer):
    with pytest.raises(InvalidSetting, match=r"^prefer must be ids, folders or patterns"):
        Settings(prefer=prefer)


@pytest.mark.parametrize("answer", [None, "z", DocumentInfo("z", 1, 1)])
def test_a_function_must_choose_one_of_them(answer):
    said = r"keep must return one of the documents given, got [^:]*$"
    with pytest.raises(InvalidSetting, match=said):
        kept(lambda _: answer)


def test_a_function_that_returns_an_id_is_told_what_to_return():
    with pytest.raises(InvalidSetting, match="got 'a': return the copy, not its id"):
        kept(lambda _: "a")


@pytest.mark.parametrize("keep", ["newest", "oldest"])
def test_of_records_that_have_the_time_of_their_file_none_is_the_newest(tmp_path, keep):
    rows = [json.dumps({"text": STORY, "day": f"2024-05-0{n}"}) + "\n" for n in (1, 2)]
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text("".join(rows))
    said = f"^keep='{keep}' must have .*, got that of their files, the same for all 2: name"
    with pytest.raises(InvalidSetting, match=said):
        dedupe.find_duplicates(one, keep=keep)
    # A field decides even if all are of one day, and so do files of other times; one is no choice.
    kept = {"newest": f"{one}:2", "oldest": f"{one}:1"}[keep]
    (cluster,) = dedupe.find_duplicates(one, keep=keep, time_field="day").clusters
    assert cluster.representative == kept
    one.write_text(rows[0] * 2)
    assert dedupe.find_duplicates(one, keep=keep, time_field="day").clusters
    one.write_text(rows[0])
    assert dedupe.find_duplicates(one, keep=keep).n_documents == 1
    other.write_text(rows[0])
    os.utime(other, (10**9, 10**9))
    assert dedupe.find_duplicates([one, other], keep=keep).clusters


@pytest.mark.parametrize("keep", ["newest", "oldest"])
def test_without_a_time_none_is_the_newest(keep):
    texts, dated = [STORY, STORY], [{"text": STORY, "day": "2024-05-01"}]
    said = rf"^keep='{keep}' must have a document with a time to go by, got none among 2: name"
    for more in ({}, {"against": dated, "time_field": "day"}):
        with pytest.raises(InvalidSetting, match=said):
            dedupe.find_duplicate_texts(texts, keep=keep, **more)
    some = [*dated, {"text": STORY, "day": None}]
    assert dedupe.find_duplicate_texts(some, keep=keep, time_field="day").duplicates[0].id == 1


@pytest.mark.parametrize("more", ["something else", STORY])
def test_a_place_that_is_preferred_in_vain_is_told(more, caplog):
    texts = {"wire/1": STORY, "crawl/2": more}
    dedupe.find_duplicate_texts(texts, prefer=["wire/", "crawl"])
    assert caplog.messages == []
    dedupe.find_duplicate_texts([], prefer="wires/")
    assert caplog.messages == []
    dedupe.find_duplicate_texts(texts, prefer=["wires/", "crawl"], against={"wires/1": STORY})
    ((_, level, said),) = caplog.record_tuples
    assert level == logging.WARNING
    assert said.startswith("prefer (--prefer) wires/ matches no document; ids are as ")
    assert said.endswith("; to go by a column, give keep= a function")


@pytest.mark.parametrize(
    ("place", "name", "is_there"),
    [
        ("./wire", "wire/1.txt", True),
        ("wire/", "./wire/1.txt", True),
        ("{here}/wire/", "wire/1.txt", True),
        ("wire", "{here}/wire/1.txt", True),
        ("{here}/wire/*.txt", "wire/1.txt", True),
        ("./w*", "{here}/wire/1.txt", True),
        ("{here}/wire", "wires/1.txt", False),
        ("wire/1", "feed.jsonl#wire/1", True),
        ("wire/", "feed.jsonl#wire/1", True),
        ("w*1", "feed.jsonl#wire/1", True),
        ("feed.jsonl", "feed.jsonl#wire/1", True),
        ("ire/", "feed.jsonl#wire/1", False),
        ("/", "wire/1", True),
    ],
)
def test_a_place_is_the_same_however_it_is_spelled(tmp_path, monkeypatch, place, name, is_there):
    # A pattern must not take what stands in the name of the folder for one.
    here = tmp_path / "in [here]"
    here.mkdir()
    monkeypatch.chdir(here)
    told = glob.escape(str(here)) if "*" in place else str(here)
    assert is_in(place.replace("{here}", told), name.replace("{here}", str(here))) is is_there

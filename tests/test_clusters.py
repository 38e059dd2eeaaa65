"""Scored pairs to clusters: who belongs together, who is kept, and what is said of the others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dedupe.errors import InvalidSetting
from dedupe.results.clusters import KEYS, cluster_labels, make_clusters
from dedupe.results.records import DocumentInfo
from dedupe.settings import KEEP, SCORE_FLOOR
from found import make_result, members, scores, thresholds

infos = st.lists(
    st.builds(
        DocumentInfo,
        st.text("abcdef", min_size=1, max_size=2),
        st.integers(0, 3),
        st.integers(0, 9),
        st.none() | st.integers(0, 3),
        st.booleans(),
    ),
    min_size=2,
    max_size=6,
    unique_by=(lambda one: one.id, lambda one: one.position),
)


def kept_of(documents, keep):
    """Return which of some documents of one cluster is kept."""
    (cluster,) = make_clusters(documents, np.zeros(len(documents), np.int64), keep)
    assert cluster.members == tuple(one.id for one in documents)
    return next(one for one in documents if one.id == cluster.representative)


# --- laws ---


@given(infos, st.sampled_from(KEEP))
def test_nothing_is_better_by_the_rule_than_what_is_kept(documents, keep):
    assert set(KEYS) == set(KEEP)
    documents = [replace(one, is_old=False) for one in documents]
    kept = kept_of(documents, keep)
    better = {
        "longest": lambda one: one.n_words > kept.n_words,
        "shortest": lambda one: one.n_words < kept.n_words,
        "first": lambda one: one.position < kept.position,
        "newest": lambda one: one.time is not None and (kept.time is None or one.time > kept.time),
    }[keep]
    assert not any(map(better, documents))


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
    assert all(len(old.intersection(cluster.members)) == 1 for cluster in result.clusters)
    for duplicate in result.duplicates:
        assert duplicate.duplicate_of in old
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


# --- edges ---


def test_no_documents_are_no_clusters():
    nothing = np.empty(0, np.bool_)
    labels = cluster_labels(
        0, np.empty((0, 2), np.int64), np.empty(0), nothing, nothing, threshold=0.4
    )
    assert labels.size == 0
    assert make_clusters([], labels, "longest") == ()
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

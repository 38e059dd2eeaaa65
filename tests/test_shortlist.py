"""Of very many candidates that are little alike the best stay: which those are, and when."""

import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from dedupe import find_duplicate_texts, shortlist
from dedupe.lsh import candidate_pairs
from dedupe.shortlist import likeness, shortlisted

N_PERM = 128


@st.composite
def corpora(draw):
    """Draw signatures of few values, sizes, and what documents say, no two the same."""
    n_docs, n_perm = draw(st.integers(0, 14)), draw(st.integers(1, 8))
    row = st.lists(st.integers(0, 2), min_size=n_perm, max_size=n_perm)
    rows = draw(st.lists(row, min_size=n_docs, max_size=n_docs))
    sizes = draw(st.lists(st.integers(1, 9), min_size=n_docs, max_size=n_docs))
    contents = draw(st.permutations(range(n_docs)))
    return (
        np.array(rows, np.uint32).reshape(n_docs, n_perm),
        np.array(sizes, np.int64),
        np.array(contents, np.uint64),
    )


def found_among(signatures, sizes, contents):
    """Return the candidates of some documents, and those that stay."""
    pairs = candidate_pairs(signatures, sizes, contents=contents)
    return pairs, shortlisted(pairs, signatures, np.arange(len(signatures)), sizes, contents)


# --- laws ---


@given(corpora(), st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.2, 0.4, 0.9]))
def test_who_stays_is_as_the_slow_twin_says(corpus, many, best, weak):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("MANY", many), ("BEST", best), ("WEAK", weak)):
            patch.setattr(shortlist, name, value)
        pairs, found = found_among(*corpus)
    everything = [tuple(pair) for pair in pairs.tolist()]
    columns = (column.tolist() for column in corpus)
    expected = reference.shortlisted(everything, *columns, weak=weak, many=many, best=best)
    assert [tuple(pair) for pair in found.tolist()] == expected


@given(corpora(), st.randoms())
def test_the_order_of_documents_changes_nothing(corpus, chance):
    assume(len(corpus[0]))
    order = np.array(chance.sample(range(len(corpus[0])), len(corpus[0])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortlist, "MANY", 3)
        patch.setattr(shortlist, "BEST", 2)
        _, found = found_among(*corpus)
        _, shuffled = found_among(*(column[order] for column in corpus))
    assert {*map(tuple, found.tolist())} == {*map(tuple, order[shuffled].tolist())}


# --- both sides of each constant ---


def with_larger(n, n_equal):
    """Return how many pairs stay of `n` with larger documents that agree in so many values."""
    signatures = np.arange(1, n + 2, dtype=np.uint32)[:, None].repeat(N_PERM, axis=1)
    signatures[:, :n_equal] = 0
    pairs = np.stack([np.arange(1, n + 1), np.zeros(n)], axis=1).astype(np.int32)
    sizes = np.full(n + 1, 500)
    kept = shortlisted(
        pairs, signatures, np.arange(n + 1), sizes, np.arange(n + 1, dtype=np.uint64)
    )
    return len(kept)


@pytest.mark.parametrize(("n", "n_kept"), [(0, 0), (100, 100), (101, 32), (400, 32)])
def test_a_document_with_more_than_many_keeps_the_best(n, n_kept):
    assert with_larger(n, 16) == n_kept


@pytest.mark.parametrize(("n_equal", "n_kept"), [(18, 32), (19, 200), (128, 200)])
def test_what_is_more_alike_stays(n_equal, n_kept):
    assert with_larger(200, n_equal) == n_kept


def test_likeness_of_sizes_that_differ():
    sizes = np.array([[100, 10_000], [100, 100]])
    found = likeness(np.array([1, 1]), 128, *sizes.T)
    assert found == pytest.approx([1 / 129 * 101 / 10, 2 / 129])


# --- a search ---


def patched_pages(n_docs, n_phrases=40, n_patches=10):
    """Return pages put together of the same phrases, two of which tell one story besides."""
    chance = random.Random(1)
    phrases = [" ".join(f"p{i}w{k}" for k in range(8)) for i in range(n_phrases)]
    texts = {
        str(number): [phrases[i] for i in sorted(chance.sample(range(n_phrases), n_patches))]
        for number in range(n_docs)
    }
    story = " ".join(f"told{k}" for k in range(80))
    for number in ("3", "8"):
        texts[number].insert(n_patches // 2, story)
    return {id_: " ".join(parts) for id_, parts in texts.items()}


def test_a_story_in_patched_pages_is_found_with_a_few_of_their_candidates(monkeypatch):
    monkeypatch.setattr(shortlist, "MANY", 20)
    monkeypatch.setattr(shortlist, "BEST", 5)
    left_out = []

    def counted(pairs, *rest):
        found = shortlisted(pairs, *rest)
        left_out.append(len(pairs) - len(found))
        return found

    monkeypatch.setattr("dedupe.engine.local.shortlisted", counted)
    result = find_duplicate_texts(patched_pages(200))
    assert left_out[0] > 1000
    assert [cluster.members for cluster in result.clusters] == [("3", "8")]

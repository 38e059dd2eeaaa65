"""Signatures to candidate pairs: which pairs there are, and how many at most."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config

import reference
from dedupe import lsh
from dedupe.kernels import buckets
from dedupe.kernels.buckets import N_ANCHORS
from dedupe.lsh import candidate_pairs
from dedupe.minhash import signatures
from dedupe.settings import Settings


@st.composite
def corpora(draw, least=0, n_values=5):
    """Draw signatures of few values, so that buckets fill up, and the sizes of documents."""
    n_docs, n_perm = draw(st.integers(least, 12)), draw(st.integers(1, 6))
    row = st.lists(st.integers(0, n_values - 1), min_size=n_perm, max_size=n_perm)
    rows = draw(st.lists(row, min_size=n_docs, max_size=n_docs))
    sizes = draw(st.lists(st.integers(0, 9), min_size=n_docs, max_size=n_docs))
    return np.array(rows, np.uint32).reshape(n_docs, n_perm), np.array(sizes, np.int64)


# Half of them differ in their high bytes alone.
values = st.sampled_from([0, 1, 2, 2**8, 2**11, 2**11 + 1, 2**22, 2**22 + 1, 2**32 - 1])


# --- laws ---


@given(st.lists(values, max_size=40))
def test_a_band_is_sorted_by_value_and_then_by_rank(band):
    counts = np.full((buckets.DIGITS, 1 << buckets.DIGIT_BITS), 7)
    keys, scratch = np.full((2, len(band)), 7, np.uint64)
    buckets.sort_into(np.array(band, np.uint32), counts, scratch, keys)
    found = [divmod(key, 1 << 32) for key in keys.tolist()]
    assert found == reference.by_value(band)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60))
def test_pairs_come_in_order_and_each_once(pairs):
    packed = np.array([(a << 32) | b for a, b in pairs], np.uint64)
    scratch = np.full_like(packed, 7)
    n_distinct = buckets.distinct_into(packed, np.full(10, 7), scratch)
    found = [divmod(pair, 1 << 32) for pair in packed[:n_distinct].tolist()]
    assert found == reference.distinct(pairs)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=60),
    st.integers(1, 12),
)
def test_pairs_are_dealt_by_ranges_in_their_order(pairs, n_ranges):
    packed = np.array([(a << 32) | b for a, b in pairs], np.uint64)
    dealt, ends = np.full_like(packed, 7), np.full(n_ranges, 7)
    buckets.deal_into(packed, 10, ends, dealt)
    found = [[divmod(pair, 1 << 32) for pair in part.tolist()] for part in np.split(dealt, ends)]
    assert found == [*reference.dealt(pairs, 10, n_ranges), []]


@given(
    st.integers(1, 20).flatmap(
        lambda n: st.lists(st.tuples(*[values] * n), min_size=1, max_size=40)
    )
)
def test_columns_are_those_of_the_rows(rows):
    signatures = np.array(rows, np.uint32)
    order = np.arange(len(rows))[::-1].copy()
    found = [column.tolist() for _, bands in lsh._bands(signatures, order) for column in bands]
    assert found == reference.columns(rows[::-1])


@given(st.integers(1, 20), st.integers(1, 9), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.data())
def test_by_bytes_stay_the_pairs_whose_bytes_say_that_they_may_reach(n_perm, size, floor, data):
    left, right = data.draw(st.tuples(*[st.tuples(*[values] * n_perm)] * 2))
    signatures, sizes = np.array([left, right], np.uint32), np.array([1, size])
    low_bytes = np.full((2, -(-n_perm // 8)), 7, np.uint64)
    buckets.low_bytes_into(signatures, np.arange(2), low_bytes)
    shares = lsh.likely_shares(n_perm)
    kept = buckets.keep_possible_by_bytes(np.uint64([1]), low_bytes, sizes, shares, floor)
    bytes_of = [[value % 256 for value in row] for row in (left, right)]
    assert kept == reference.may_reach(*bytes_of, (1, size), floor)
    # None is lost that would stay by all of its values, whichever are common.
    common = data.draw(st.sets(st.integers(0, n_perm - 1)))
    marks = np.zeros((2, -(-n_perm // buckets.BANDS_AT_ONCE)), np.uint8)
    for band in common:
        buckets.mark_common_into(np.uint64([0, 1]), 1, band, marks)
    known = signatures, np.arange(2), sizes, marks, shares
    may_reach = buckets.keep_possible(np.uint64([1]), *known, floor)
    assert may_reach == reference.may_reach(left, right, (1, size), floor, common)
    assert may_reach <= kept


@given(corpora(), st.integers(2, 12), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
def test_pairs_equal_reference(corpus, cap, floor):
    found = candidate_pairs(*corpus, bucket_cap=cap, floor=floor)
    rows, sizes = (array.tolist() for array in corpus)
    expected = reference.candidate_pairs(
        reference.Signed(rows, sizes, [0] * len(sizes)), cap, floor
    )
    assert list(map(tuple, found.tolist())) == expected


@given(corpora(), st.integers(2, 12), st.data())
def test_pairs_of_equal_sizes_equal_reference(corpus, cap, data):
    rows, sizes = corpus
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(sizes), max_size=len(sizes)))
    contents = np.array(drawn, np.uint64)
    found = candidate_pairs(rows, sizes, contents=contents, bucket_cap=cap, floor=0.2)
    assert list(map(tuple, found.tolist())) == reference.candidate_pairs(
        reference.Signed(rows.tolist(), sizes.tolist(), drawn), cap, 0.2
    )


@given(
    corpora() | corpora(8, 2),
    st.integers(2, 4),
    st.integers(0, 4),
    st.sampled_from([0.0, 0.2, 0.5]),
    st.data(),
)
def test_pairs_with_old_documents_equal_reference(corpus, cap, n_teachers, floor, data):
    rows, sizes = corpus
    drawn = data.draw(st.lists(st.integers(0, 3), min_size=len(sizes), max_size=len(sizes)))
    is_old = data.draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lsh, "TEACHERS", n_teachers)
        found = candidate_pairs(
            rows,
            sizes,
            contents=np.array(drawn, np.uint64),
            is_old=np.array(is_old, np.bool_),
            bucket_cap=cap,
            floor=floor,
        )
    assert list(map(tuple, found.tolist())) == reference.candidates_against(
        reference.Signed(rows.tolist(), sizes.tolist(), drawn), is_old, n_teachers, cap, floor
    )


@given(corpora())
def test_uncapped_pairs_are_all_that_share_a_value(corpus):
    rows, sizes = corpus
    found = candidate_pairs(rows, sizes, bucket_cap=12, floor=0.0)
    assert {tuple(sorted(pair)) for pair in found.tolist()} == {
        (a, b)
        for a, b in combinations(np.flatnonzero(sizes).tolist(), 2)
        if (rows[a] == rows[b]).any()
    }


@given(corpora(), st.integers(2, 12))
def test_pairs_are_unique_and_in_order_and_the_larger_comes_first(corpus, cap):
    pairs = candidate_pairs(*corpus, bucket_cap=cap).tolist()
    assert pairs == sorted(pairs)
    assert len(pairs) == len(set(map(frozenset, pairs)))
    sizes = corpus[1].tolist()
    assert all((sizes[a], a) > (sizes[b], b) for a, b in pairs)


@given(corpora(), st.integers(2, 12), st.data())
def test_the_order_of_documents_only_renumbers(corpus, cap, data):
    rows, sizes = corpus
    # Many are of equal size, and no two say the same.
    contents = np.arange(len(sizes), dtype=np.uint64)
    order = np.array(data.draw(st.permutations(range(len(sizes)))), np.int64)
    found = candidate_pairs(rows, sizes, contents=contents, bucket_cap=cap)
    shuffled = candidate_pairs(rows[order], sizes[order], contents=contents[order], bucket_cap=cap)
    renumbered = [[order[a], order[b]] for a, b in shuffled.tolist()]
    assert sorted(renumbered) == found.tolist()


@given(corpora(), st.integers(2, 12))
def test_a_lower_floor_only_adds_pairs(corpus, cap):
    few, many = (candidate_pairs(*corpus, bucket_cap=cap, floor=x).tolist() for x in (0.5, 0.2))
    assert set(map(tuple, few)) <= set(map(tuple, many))


@pytest.mark.parametrize(("num_perm", "jaccard"), [(16, 0.02), (16, 0.1), (32, 0.05), (128, 0.02)])
def test_recall_follows_its_curve(num_perm, jaccard):
    """The default finds 0.9986 of the pairs at 0.05, which would take too many to see."""
    n_pairs, n_union = 20 if config.DISABLE_JIT else 1000, 100
    shared = round(jaccard * n_union)
    half = (n_union - shared) // 2
    union = np.random.default_rng(3).integers(2**64, size=(n_pairs, n_union), dtype=np.uint64)
    one, other = union[:, : shared + half], union[:, np.r_[:shared, shared + half : n_union]]
    sizes = np.repeat([one.shape[1], other.shape[1]], n_pairs)
    rows = signatures(
        np.concatenate([one.ravel(), other.ravel()]),
        np.concatenate([[0], np.cumsum(sizes)]),
        num_perm=num_perm,
    )
    pairs = {tuple(sorted(pair)) for pair in candidate_pairs(rows, sizes, floor=0.0).tolist()}
    observed = np.mean([(i, i + n_pairs) in pairs for i in range(n_pairs)])
    expected = Settings(num_perm=num_perm).expected_recall(jaccard)
    assert abs(observed - expected) <= 4 * np.sqrt(expected * (1 - expected) / n_pairs)


# --- edges ---


@pytest.mark.parametrize("n_copies", [2, 30, 31, 1000])
def test_a_mass_copy_costs_linear_work(n_copies):
    rows = np.ones((n_copies, 16), np.uint32)
    pairs = candidate_pairs(rows, np.arange(1, n_copies + 1), bucket_cap=30)
    every = n_copies * (n_copies - 1) // 2
    assert len(pairs) == (every if n_copies <= 30 else 2 * n_copies - 3)


def test_a_large_bucket_links_each_document_to_its_largest():
    pairs = candidate_pairs(np.ones((5, 1), np.uint32), np.array([9, 1, 8, 2, 3]), bucket_cap=4)
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3], [0, 4], [2, 1], [2, 3], [2, 4]]
    assert N_ANCHORS == 2


def test_documents_without_shingles_are_in_no_pair():
    empty = np.full((2, 4), 2**32 - 1, np.uint32)
    assert candidate_pairs(empty, np.array([0, 0])).tolist() == []
    assert candidate_pairs(empty[:0], np.array([], np.int64)).shape == (0, 2)


def test_a_story_in_a_page_twenty_times_its_size_is_kept():
    """Six of 128 values agree: as a Jaccard similarity next to nothing, as a containment all."""
    rows = np.arange(256, dtype=np.uint32).reshape(2, 128)
    rows[1, :6] = rows[0, :6]
    assert candidate_pairs(rows, np.array([100, 2000]), floor=0.25).tolist() == [[1, 0]]
    # Of two texts equally long it is a phrase.
    assert candidate_pairs(rows, np.array([2000, 2000]), floor=0.25).tolist() == []


def agreeing(n_equal, n_perm=128):
    """Return two signatures that agree in some of their values."""
    rows = np.arange(2 * n_perm, dtype=np.uint32).reshape(2, n_perm)
    rows[1, :n_equal] = rows[0, :n_equal]
    return rows


@pytest.mark.parametrize(("share", "kept"), [(0.08, False), (0.1, True)])
def test_a_story_that_is_a_tenth_of_two_pages_is_kept(share, kept):
    """So many values leave little doubt about what the pages share."""
    rows = agreeing(round(4096 * share / (2 - share)), 4096)
    assert candidate_pairs(rows, np.array([1000, 1000])).tolist() == [[1, 0]] * kept


@pytest.mark.parametrize(("size", "kept"), [(1600, False), (1800, True)])
def test_one_value_of_many_may_stand_for_two_standard_errors_more(size, kept):
    """It says a Jaccard similarity of 0.008, and allows for 0.023.

    Then a text of 100 shingles and another of 1700 share 41, a tenth of the geometric
    mean. With one standard error it would take a text of 4000, with three one of 900.
    """
    assert candidate_pairs(agreeing(1), np.array([100, size])).tolist() == [[1, 0]] * kept


def with_phrase(n_equal, n_with_phrase, n_common):
    """Return two signatures that agree, and those of strangers with some of these values."""
    rows = np.arange(128 * n_with_phrase, dtype=np.uint32).reshape(n_with_phrase, 128)
    rows[1, :n_equal] = rows[0, :n_equal]
    rows[2:, :n_common] = rows[0, :n_common]
    return rows


@pytest.mark.parametrize(
    ("n_with_phrase", "n_common", "kept"),
    [(60, 4, True), (61, 4, False), (61, 1, True), (61, 0, True)],
)
def test_doubt_is_in_favour_of_a_pair_only_by_values_that_few_documents_have(
    n_with_phrase, n_common, kept
):
    """By four of 128 values two texts of one size may share a tenth, as by nothing but a phrase.

    Three others are enough where one text has twice as many shingles as the other.
    """
    sizes = np.full(n_with_phrase, 10)
    sizes[:2] = 2400, 1000
    pairs = candidate_pairs(with_phrase(4, n_with_phrase, n_common), sizes)
    assert ([0, 1] in pairs.tolist()) == kept


@pytest.mark.parametrize(("n_equal", "kept"), [(4, False), (6, True)])
def test_what_needs_little_doubt_may_be_common(n_equal, kept):
    """A frame that two pages of one size have a tenth of is boilerplate to be learned."""
    sizes = np.full(61, 10)
    sizes[:2] = 1000
    pairs = candidate_pairs(with_phrase(n_equal, 61, n_equal), sizes).tolist()
    assert ([1, 0] in pairs) == kept


@pytest.mark.parametrize(("size", "kept"), [(2000, False), (2200, True)])
def test_a_story_that_may_be_half_in_a_page_may_be_common(size, kept):
    """One value is enough to share 48 or 53 of a hundred shingles."""
    sizes = np.full(61, 10)
    sizes[:2] = size, 100
    assert ([0, 1] in candidate_pairs(with_phrase(1, 61, 1), sizes).tolist()) == kept


def test_beside_old_documents_no_value_is_common():
    """A new document may not decide what another one is held against."""
    sizes = np.full(61, 10)
    sizes[:2] = 2400, 1000
    is_old = np.arange(61) == 0
    pairs = candidate_pairs(with_phrase(4, 61, 4), sizes, is_old=is_old).tolist()
    assert [0, 1] in pairs


@pytest.mark.parametrize("options", [{}, {"bucket_cap": Settings().bucket_cap}])
@pytest.mark.parametrize(("n_copies", "n_pairs"), [(30, 30 * 29 // 2), (31, 30 + 29)])
def test_of_thirty_copies_all_are_compared_and_of_more_each_with_two(n_copies, n_pairs, options):
    rows = np.ones((n_copies, 16), np.uint32)
    assert len(candidate_pairs(rows, np.arange(1, n_copies + 1), **options)) == n_pairs


def test_pairs_made_unique_on_the_way_are_the_same(monkeypatch):
    rows = np.random.default_rng(5).integers(50, size=(200, 16), dtype=np.uint32)
    sizes = np.arange(1, 201)
    at_once = candidate_pairs(rows, sizes)
    monkeypatch.setattr(lsh, "MERGE_AT", 10)
    monkeypatch.setattr(lsh, "RANGES", 7)
    assert (candidate_pairs(rows, sizes) == at_once).all()

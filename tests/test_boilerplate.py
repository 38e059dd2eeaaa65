"""Counts of clusters: laws against a dictionary, growth of the table, bytes and back."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.kernels.boilerplate import MAX_COUNT
from dedupe.scoring.boilerplate import MIN_TABLE, Boilerplate, Words, counted_in_order, parted

# Few different shingles, of which some share a slot of the smallest table.
shingles = st.sampled_from([0, 1, 2, 4096, 8192, 2**64 - 1])
documents = st.lists(
    st.tuples(st.lists(shingles, min_size=1, max_size=8), st.integers(0, 3)), min_size=1, max_size=8
)


def block_of(texts):
    offsets = np.cumsum([0, *map(len, texts)])
    return np.array([shingle for text in texts for shingle in text], np.uint64), offsets


def counted(block):
    """Return the boilerplate of documents given with their clusters."""
    ordered = sorted(block, key=lambda document: document[1])
    hashes, offsets = block_of([text for text, _ in ordered])
    boilerplate = Boilerplate()
    boilerplate.watch(hashes)
    boilerplate.count(words(hashes, offsets), np.array([cluster for _, cluster in ordered]))
    return boilerplate


def words(hashes, offsets, weights=None):
    """Return documents of one shingle a word, in lines of twelve words."""
    return Words(hashes, offsets, offsets, np.full(hashes.size, 12, np.uint8), weights)


@given(documents)
def test_a_word_weighs_one_over_its_clusters(block):
    clusters = defaultdict(set)
    for text, cluster in block:
        for shingle in text:
            clusters[shingle].add(cluster)
    hashes, offsets = block_of([text for text, _ in block])
    weights = counted(block).weights(hashes, offsets, offsets)
    expected = [1 / len(clusters[shingle]) for text, _ in block for shingle in text]
    assert weights.tolist() == pytest.approx(expected)


@given(documents, st.sets(shingles), st.integers(1, 4))
def test_parts_of_whole_clusters_count_together_what_all_of_them_do(block, of_form, n_parts):
    hashes, offsets = block_of([text for text, _ in block])
    clusters = np.array([cluster for _, cluster in block])
    everything, in_parts = Boilerplate(), Boilerplate()
    for boilerplate in (everything, in_parts):
        boilerplate.watch(hashes)
        boilerplate.mark(np.array([*of_form], np.uint64))
    everything.count(words(hashes, offsets), clusters)
    parts = parted(counted_in_order(clusters), clusters, n_parts)
    assert len(parts) <= n_parts
    assert np.concatenate(parts).tolist() == counted_in_order(clusters).tolist()
    for part in parts:
        another = in_parts.another()
        another.count(words(hashes, offsets), clusters, part)
        in_parts.add(another)
    assert in_parts.to_bytes() == everything.to_bytes()


def test_a_count_stops_at_the_most_it_can_be_in_parts_too():
    hashes = np.uint64([7])
    boilerplate = Boilerplate()
    boilerplate.watch(hashes, counts=np.array([MAX_COUNT], np.uint16))
    another = boilerplate.another()
    another.count(words(hashes, np.array([0, 1])), np.array([0]))
    before = boilerplate.to_bytes()
    boilerplate.add(another)
    assert boilerplate.to_bytes() == before


@given(documents)
def test_bytes_keep_what_is_boilerplate(block):
    boilerplate = counted(block)
    hashes, offsets = block_of([text for text, _ in block])
    again = Boilerplate.from_bytes(boilerplate.to_bytes())
    assert again.to_bytes() == boilerplate.to_bytes()
    assert (
        again.weights(hashes, offsets, offsets).tolist()
        == boilerplate.weights(hashes, offsets, offsets).tolist()
    )


@given(documents, st.sets(shingles), st.integers(1, 4))
def test_of_forms_all_words_that_a_shingle_has_weigh_what_it_does(block, of_form, ngram):
    hashes, offsets = block_of([text for text, _ in block])
    boilerplate = counted(block)
    of_shingles = boilerplate.weights(hashes, offsets, offsets)
    boilerplate.mark(np.array([*of_form], np.uint64))
    again = Boilerplate.from_bytes(boilerplate.to_bytes())
    token_offsets = offsets + (ngram - 1) * np.arange(offsets.size)
    expected = []
    for start, end in pairwise(offsets):
        words = [*of_shingles[start:end], *[of_shingles[end - 1]] * (ngram - 1)]
        for i in range(end - start):
            if hashes[start + i] in of_form:
                for w in range(i, i + ngram):
                    words[w] = min(words[w], of_shingles[start + i])
        expected += words
    assert boilerplate.weights(hashes, offsets, token_offsets).tolist() == expected
    assert again.weights(hashes, offsets, token_offsets).tolist() == expected


def test_what_nobody_watches_weighs_1():
    boilerplate = Boilerplate()
    hashes, offsets = block_of([[1, 2], [1, 2]])
    boilerplate.watch(hashes[:1])
    boilerplate.count(words(hashes, offsets), np.array([0, 1]))
    assert boilerplate.weights(hashes, offsets, offsets).tolist() == [0.5, 1, 0.5, 1]


def test_the_last_words_take_the_last_shingle():
    boilerplate = counted([([5], 0), ([5], 1)])
    hashes, offsets = block_of([[6, 5]])
    assert boilerplate.weights(hashes, offsets, np.array([0, 6])).tolist() == [1] + [0.5] * 5


@pytest.mark.parametrize(
    ("n_own", "line", "n_counted"),
    [(10, 12, 3), (9, 12, 2), (29, 7, 2), (29, 8, 3), (30, 7, 3)],
)
def test_a_document_counts_beside_something_of_its_own(n_own, line, n_counted):
    # Two documents tell much beside a shared passage of 30 words. The third has this much, in
    # such lines. To a line of twelve words one of seven is no prose, as .6 of twelve are 7.2,
    # and counts only where there is more of it than of the passage.
    shared = list(range(100, 130))
    texts = [shared + list(range(start, start + n)) for start, n in ((0, 50), (50, 50))]
    texts.append(shared + list(range(200, 200 + n_own)))
    hashes, offsets = block_of(texts)
    lines = np.full(hashes.size, 12, np.uint8)
    lines[offsets[2] + 30 :] = line
    weights = np.where((hashes >= 100) & (hashes < 130), 0.25, 1).astype(np.float32)
    boilerplate = Boilerplate()
    boilerplate.watch(hashes[:30])
    boilerplate.count(Words(hashes, offsets, offsets, lines, weights), np.arange(3))
    one = np.array([0, 1])
    (weight,) = boilerplate.weights(hashes[:1], one, one).tolist()
    assert weight == pytest.approx(1 / n_counted)
    told, stories = boilerplate.counted(
        Words(hashes, offsets, offsets, lines, weights), np.arange(3)
    )
    assert stories[told == 100].tolist() == [*range(n_counted)]


@given(documents)
def test_what_counts_is_told_as_it_is_counted(block):
    hashes, offsets = block_of([text for text, _ in block])
    clusters = np.array([cluster - 1 for _, cluster in block])
    boilerplate = Boilerplate()
    boilerplate.watch(hashes[: hashes.size // 2])
    told = boilerplate.counted(words(hashes, offsets), clusters)
    watched = set(hashes[: hashes.size // 2].tolist())
    expected = {
        (shingle, cluster - 1)
        for text, cluster in block
        for shingle in text
        if shingle in watched and cluster
    }
    assert sorted(zip(*(column.tolist() for column in told), strict=True)) == sorted(expected)


def test_a_document_that_does_not_count_changes_nothing():
    hashes, offsets = block_of([[1, 2], [1, 2], [1, 2]])
    boilerplate = Boilerplate()
    boilerplate.watch(hashes[:1])
    boilerplate.count(words(hashes, offsets), np.array([0, -1, 1]))
    assert boilerplate.weights(hashes, offsets, offsets).tolist() == [0.5, 1] * 3


def test_growing_loses_no_count():
    hashes = np.arange(100_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    boilerplate = Boilerplate()
    boilerplate.watch(hashes[:10])
    boilerplate.count(words(hashes[:10], np.array([0, 10])), np.array([0]))
    boilerplate.count(words(hashes[:10], np.array([0, 10])), np.array([1]))
    boilerplate.watch(hashes)
    offsets = np.array([0, hashes.size])
    weights = boilerplate.weights(hashes, offsets, offsets)
    assert (weights[:10] == 0.5).all()
    assert (weights[10:] == 1).all()


def test_what_is_taken_up_again_takes_no_more_room():
    boilerplate = Boilerplate()
    boilerplate.watch(np.tile(np.arange(1000, dtype=np.uint64), 100))
    assert boilerplate._shingles.size <= 4 * MIN_TABLE


@pytest.mark.parametrize("length", [1, 9, 11])
def test_bytes_of_another_length_are_refused(length):
    with pytest.raises(ValueError, match="10 bytes a shingle"):
        Boilerplate.from_bytes(bytes(length))

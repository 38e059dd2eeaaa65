"""Counts of clusters: laws against the slow twin, growth of the table, bytes and back."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from blocks import EIGHTHS
from dedupe.kernels.boilerplate import MAX_COUNT, OF_FORM
from dedupe.kernels.tables import EMPTY
from dedupe.scoring.boilerplate import MIN_TABLE, Boilerplate, Words, weights_of
from dedupe.scoring.counting import (
    Counted,
    Tally,
    count,
    count_after,
    counted,
    counted_in_order,
    parted,
    tell_into,
    told_by,
    watched_in,
)
from dedupe.shingling import Sealed

# Few different shingles, of which some share a slot of the smallest table.
shingles = st.sampled_from([0, 1, 2, 4096, 8192, 2**64 - 1])
documents = st.lists(
    st.tuples(st.lists(shingles, min_size=1, max_size=8), st.integers(0, 3)), min_size=1, max_size=8
)


def block_of(texts):
    offsets = np.cumsum([0, *map(len, texts)])
    return np.array([shingle for text in texts for shingle in text], np.uint64), offsets


def words(hashes, offsets, weights=None):
    """Return documents of one shingle a word, in lines of twelve words."""
    return Words(hashes, offsets, offsets, np.full(hashes.size, 12, np.uint8), weights)


# --- laws ---


@st.composite
def collections(draw):
    """Draw documents of some words, their lines and weights, and the cluster of each."""
    ngram, have_weights = draw(st.integers(1, 4)), draw(st.booleans())
    found = []
    for _ in range(draw(st.integers(0, 5))):
        text = draw(st.lists(shingles, max_size=30))
        n_words = len(text) + ngram - 1 if text else 0
        kinds = draw(st.lists(st.tuples(st.integers(1, 40), EIGHTHS), min_size=1, max_size=4))
        of_words = [kinds[w * len(kinds) // n_words] for w in range(n_words)]
        lines, weights = ([kind[side] for kind in of_words] for side in (0, 1))
        found.append(reference.Document(text, lines, weights if have_weights else None))
    return found, [draw(st.integers(-1, 3)) for _ in found]


def words_of(twins):
    """Return documents of the twin as the kernels take them."""
    hashes, offsets = block_of([twin.shingles for twin in twins])
    lines, token_offsets = block_of([twin.lines for twin in twins])
    weights = None
    if any(twin.weights is not None for twin in twins):
        weights = np.array([w for twin in twins for w in twin.weights], np.float32)
    return Words(hashes, offsets, token_offsets, lines.astype(np.uint8), weights)


def told_of(held):
    """Return what documents tell."""
    told = np.empty(held.offsets.size - 1, np.uint32)
    tell_into(np.arange(told.size), held, told)
    return told


def known_to(boilerplate):
    """Return what a boilerplate keeps, as the twin does."""
    data = boilerplate.to_bytes()
    n = len(data) // Boilerplate.BYTES
    counts = np.frombuffer(data, "<u2", n, 8 * n).tolist()
    found = zip(np.frombuffer(data, "<u8", n).tolist(), counts, strict=True)
    return {shingle: (count & MAX_COUNT, count >= OF_FORM) for shingle, count in found}


@given(collections(), st.sets(shingles))
def test_what_counts_is_told_as_the_twin_does(collection, watched):
    twins, clusters = collection
    boilerplate = Boilerplate()
    boilerplate.watch(np.array([*watched], np.uint64))
    held = words_of(twins)
    found = watched_in(boilerplate, held, np.flatnonzero(np.array(clusters) >= 0))
    told = counted(found, told_by(held), np.array(clusters, np.int64))
    assert sorted(zip(*(column.tolist() for column in told), strict=True)) == sorted(
        (shingle, cluster)
        for shingle, held in reference.clusters_of(twins, clusters, watched).items()
        for cluster in held
    )


steps = st.one_of(
    st.tuples(st.just("watch"), st.lists(shingles), st.sampled_from([0, 2, MAX_COUNT - 1])),
    st.tuples(st.just("count"), collections(), st.none()),
    st.tuples(st.just("mark"), st.sets(shingles), st.none()),
    st.tuples(st.just("raise to"), st.dictionaries(shingles, st.integers(1, MAX_COUNT)), st.none()),
    st.tuples(st.just("bytes"), st.none(), st.none()),
)


def take(step, number, boilerplate, twin):
    """Take a step with a boilerplate and its twin; return the former, which may be another."""
    name, given_, n = step
    if name == "watch":
        counts = np.full(len(given_), n, np.uint16)
        boilerplate.watch(np.array(given_, np.uint64), counts=counts)
        twin.watch(given_, n)
    elif name == "count":
        twins, clusters = given_
        # Those of one step are not those of another.
        numbers = [cluster + 10 * number if cluster >= 0 else -1 for cluster in clusters]
        count(boilerplate, words_of(twins), np.array(numbers, np.int64))
        twin.count(twins, numbers)
    elif name == "mark":
        boilerplate.mark(np.array([*given_], np.uint64))
        twin.mark(given_)
    elif name == "raise to":
        known = Sealed(np.array([*given_], np.uint64), np.zeros(len(given_), np.uint32))
        boilerplate.raise_to(known, np.array([*given_.values()], np.uint16))
        twin.raise_to(given_)
    else:
        boilerplate = Boilerplate.from_bytes(boilerplate.to_bytes())
        twin.counts = {shingle: n for shingle, (n, _) in twin.kept().items()}
        twin.forms &= {*twin.counts}
    return boilerplate


@given(st.lists(steps, max_size=8), collections())
def test_boilerplate_knows_and_weighs_what_the_twin_does(taken, collection):
    boilerplate, twin = Boilerplate(), reference.Boilerplate()
    for number, step in enumerate(taken):
        boilerplate = take(step, number, boilerplate, twin)
        assert known_to(boilerplate) == twin.kept()
    found = [document for document in collection[0] if document.shingles]
    shingles, *offsets = words_of(found)[:3]
    weights = boilerplate.weights(shingles, *offsets)
    expected = [weight for document in found for weight in twin.weights(document)]
    assert weights.tolist() == np.array(expected, np.float32).tolist()
    # Whoever has the counts beside the shingles needs no table.
    counts = np.array([twin.counts.get(one, 0) for one in shingles.tolist()], np.uint16)
    counts |= np.array([one in twin.forms for one in shingles.tolist()], np.uint16) * OF_FORM
    assert weights_of(counts, *offsets).tolist() == weights.tolist()


@given(
    st.lists(steps.filter(lambda step: step[0] != "bytes"), max_size=8),
    st.integers(0, 8),
    collections(),
)
def test_what_weighs_otherwise_is_told_and_which_documents_hold_some(taken, n_before, collection):
    boilerplate, twin = Boilerplate(), reference.Boilerplate()
    before, twin_before = boilerplate, copy.deepcopy(twin)
    for number, step in enumerate(taken):
        boilerplate = take(step, number, boilerplate.to_count(), twin)
        if number < n_before:
            before, twin_before = boilerplate, copy.deepcopy(twin)
    found, expected = boilerplate.changes(before), twin.changes(twin_before)
    assert {*found._shingles[found._owners != EMPTY].tolist()} == expected
    twins, _ = collection
    held = words_of(twins)
    assert found.holders(held.shingles, held.offsets).tolist() == [
        not expected.isdisjoint(document.shingles) for document in twins
    ]


def test_of_what_knows_shingles_by_other_hashes_all_may_weigh_otherwise():
    public = Boilerplate.from_bytes(b"")
    assert Boilerplate().changes(public) is public.changes(Boilerplate()) is None


@given(documents, st.sets(shingles), st.integers(1, 4))
def test_parts_of_whole_clusters_count_together_what_all_of_them_do(block, of_form, n_parts):
    hashes, offsets = block_of([text for text, _ in block])
    clusters = np.array([cluster for _, cluster in block])
    everything, in_parts = Boilerplate(), Boilerplate()
    for boilerplate in (everything, in_parts):
        boilerplate.watch(hashes)
        boilerplate.mark(np.array([*of_form], np.uint64))
    count(everything, words(hashes, offsets), clusters)
    told = told_of(words(hashes, offsets))
    parts = parted(counted_in_order(clusters), clusters, n_parts)
    assert len(parts) <= n_parts
    assert np.concatenate(parts).tolist() == counted_in_order(clusters).tolist()
    for part in parts:
        tally = Tally(in_parts)
        tally.count(words(hashes, offsets), told, clusters, part)
        in_parts.add(tally.n_clusters)
    assert in_parts.to_bytes() == everything.to_bytes()


@given(documents)
def test_rounds_count_the_same_shingles_from_nothing(block):
    hashes, offsets = block_of([text for text, _ in block])
    clusters = np.array([cluster for _, cluster in block])
    watched, once = Boilerplate(), Boilerplate()
    watched.watch(hashes)
    once.watch(hashes)
    count(once, words(hashes, offsets), clusters)
    expected = once.to_bytes()
    for _ in range(2):
        boilerplate = watched.to_count()
        count(boilerplate, words(hashes, offsets), clusters)
        assert boilerplate.to_bytes() == expected
        boilerplate.mark(hashes)
    assert not watched.to_bytes()


def test_what_is_known_is_so_in_every_round():
    hashes = np.uint64([7, 8])
    watched = Boilerplate.knowing(Sealed(hashes[:1], np.zeros(1, np.uint32)))
    before = watched.to_bytes()
    assert before
    for _ in range(2):
        boilerplate = watched.to_count()
        count(boilerplate, words(hashes, np.array([0, 2])), np.array([0]))
        assert boilerplate.to_bytes() == before


@st.composite
def rounds(draw):
    """Draw documents as each of some rounds sees them, their clusters, and what is watched."""
    (twins, clusters), (more, others) = draw(collections()), draw(collections())
    twins, clusters = twins + more, clusters + others
    watched, found = draw(st.sets(shingles)), []
    for _ in range(draw(st.integers(1, 4))):
        for d in draw(st.sets(st.sampled_from(range(len(twins))), max_size=2)) if twins else ():
            n_words = len(twins[d].lines)
            weights = st.lists(EIGHTHS, min_size=n_words, max_size=n_words)
            twins[d] = twins[d]._replace(weights=draw(weights))
            clusters[d] = draw(st.integers(-1, 3))
        watched |= draw(st.sets(shingles, max_size=1))
        found.append(([*twins], [*clusters], {*watched}))
    return found


@given(rounds(), st.sampled_from([0, MAX_COUNT - 2, MAX_COUNT]))
def test_a_round_counts_after_another_what_it_counts_from_nothing(taken, n_known):
    watched, before = Boilerplate(), None
    known = np.uint64([1, 4096])
    watched.watch(known, counts=np.full(2, n_known, np.uint16))
    for twins, clusters, found in taken:
        # Either has a weight for each word, or none has.
        weights = [twin.weights or [1.0] * len(twin.lines) for twin in twins]
        held = words_of([twin._replace(weights=w) for twin, w in zip(twins, weights, strict=True)])
        stories, told = np.array(clusters, np.int64), told_of(held)
        watched.watch(np.array([*found], np.uint64))
        anew, now = watched.to_count(), Counted(watched.to_count(), told, stories)

        def tally_of(asked, held=held):
            tally = Tally(asked.boilerplate)
            order = counted_in_order(asked.stories)
            tally.count(held, asked.told, asked.stories, order)
            return tally.n_clusters

        count(anew, held, stories)
        count_after(before, now, tally_of)
        assert now.boilerplate.to_bytes() == anew.to_bytes()
        before = now


def test_of_documents_a_round_counts_those_that_are_otherwise_and_their_stories():
    # The third leaves the story of the first two for that of the fourth.
    before, stories = np.array([[0, 0, 0, 3, 4, 5, 6, 7], [0, 0, 3, 3, 4, 5, 6, 7]])
    told = np.zeros(8, np.uint32)
    boilerplate = Boilerplate()
    boilerplate.watch(np.uint64([7]), counts=np.uint16([9]))
    asked = []

    def tally_of(taken):
        asked.append(taken.stories.tolist())
        return Tally(taken.boilerplate).n_clusters

    count_after(
        Counted(boilerplate, told, before), Counted(boilerplate.to_count(), told, stories), tally_of
    )
    assert asked == [[0, 0, 3, 3, *[-1] * 4], [0, 0, 0, 3, *[-1] * 4]]


# --- edges ---


def test_a_count_stops_at_the_most_it_can_be():
    hashes = np.uint64([7])
    boilerplate = Boilerplate()
    boilerplate.watch(hashes, counts=np.array([MAX_COUNT], np.uint16))
    before = boilerplate.to_bytes()
    count(boilerplate, words(hashes, np.array([0, 1])), np.array([0]))
    assert boilerplate.to_bytes() == before


def test_what_nobody_watches_weighs_1():
    boilerplate = Boilerplate()
    hashes, offsets = block_of([[1, 2], [1, 2]])
    boilerplate.watch(hashes[:1])
    count(boilerplate, words(hashes, offsets), np.array([0, 1]))
    assert boilerplate.weights(hashes, offsets, offsets).tolist() == [0.5, 1, 0.5, 1]


def test_the_last_words_take_the_last_shingle():
    boilerplate = Boilerplate()
    boilerplate.watch(np.uint64([5]), counts=np.uint16([2]))
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
    count(boilerplate, Words(hashes, offsets, offsets, lines, weights), np.arange(3))
    one = np.array([0, 1])
    (weight,) = boilerplate.weights(hashes[:1], one, one).tolist()
    assert weight == pytest.approx(1 / n_counted)
    held = Words(hashes, offsets, offsets, lines, weights)
    watched = watched_in(boilerplate, held, np.arange(3))
    told, stories = counted(watched, told_by(held), np.arange(3))
    assert stories[told == 100].tolist() == [*range(n_counted)]


def test_a_document_that_does_not_count_changes_nothing():
    hashes, offsets = block_of([[1, 2], [1, 2], [1, 2]])
    boilerplate = Boilerplate()
    boilerplate.watch(hashes[:1])
    count(boilerplate, words(hashes, offsets), np.array([0, -1, 1]))
    assert boilerplate.weights(hashes, offsets, offsets).tolist() == [0.5, 1] * 3


def test_growing_loses_no_count():
    hashes = np.arange(100_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    boilerplate = Boilerplate()
    boilerplate.watch(hashes[:10])
    count(boilerplate, words(hashes[:10], np.array([0, 10])), np.array([0]))
    count(boilerplate, words(hashes[:10], np.array([0, 10])), np.array([1]))
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

"""Forms filled in: laws of the kernel, and what a form is and is not."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe import find_duplicate_texts
from dedupe.kernels import forms as kernel
from dedupe.kernels.tables import SALT
from dedupe.scoring.block import Block, contents_of, prose_of
from dedupe.scoring.forms import MIN_DOCUMENTS, SAMPLE, Samples, are_forms, draw_samples

# Few different shingles, of which some share a place in the smallest table.
documents = st.lists(
    st.lists(st.sampled_from([0, 1, 2, 3, 16, 32, 2**64 - 1]), min_size=1, max_size=30),
    min_size=1,
    max_size=5,
)
limits = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3))

NAMES = [f"{first}{last}" for first in ("Al", "Bir", "Cor", "Dun") for last in ("by", "ley", "ton")]


def block_of(texts, ngram=5):
    """Return documents, given as shingles, as a block."""
    shingles = np.array([shingle for text in texts for shingle in text], np.uint64)
    offsets = np.cumsum([0, *map(len, texts)])
    lengths = np.array([len(text) + ngram - 1 for text in texts])
    lines, token_offsets = np.full(lengths.sum(), 10, np.uint8), np.cumsum([0, *lengths])
    return Block(
        shingles,
        np.zeros(shingles.size, np.uint32),
        offsets,
        token_offsets,
        lines,
        ngram,
        contents_of(shingles, offsets),
        prose_of(lines, None, token_offsets),
    )


def measures_of(clusters, limits, ngram, longest=100, salt=SALT):
    """Run the kernel on some clusters, with what it works in full of what must not matter."""
    block = block_of([document for cluster in clusters for document in cluster], ngram)
    n_documents = block.shingle_offsets.size - 1
    facts = np.full((n_documents, kernel.N_MEASURES), 7)
    kernel.count_slots_into(
        np.arange(n_documents),
        np.cumsum([0, *map(len, clusters)]),
        np.array([limits] * len(clusters)),
        block.shingles,
        block.shingle_offsets,
        ngram,
        longest,
        salt,
        np.full(512, 7, np.uint64),
        np.full(512, 7, np.int32),
        np.full(512, 7, np.int64),
        np.full(512, 7, np.uint8),
        np.full(256, 7, np.int64),
        facts,
    )
    return [reference.Slots(*row) for row in facts.tolist()]


# --- laws of the kernel ---


@given(st.lists(documents, min_size=1, max_size=3), limits, st.integers(0, 2**63 - 1))
def test_slots_do_not_depend_on_the_salt(clusters, limits, salt):
    assert measures_of(clusters, limits, 2, salt=np.uint64(2 * salt + 1)) == measures_of(
        clusters, limits, 2
    )


@given(st.lists(documents, min_size=1, max_size=3), limits, st.integers(1, 6))
def test_slots_equal_reference(clusters, limits, ngram):
    frame, common, few = max(limits[:2]), min(limits[:2]), limits[2]
    expected = [
        facts
        for cluster in clusters
        for facts in reference.slots(cluster, (frame, common, few), ngram)
    ]
    assert measures_of(clusters, (frame, common, few), ngram) == expected


@given(documents, st.integers(1, 40))
def test_of_long_documents_the_beginning_counts(cluster, longest):
    cut = [document[:longest] for document in cluster]
    assert measures_of([cluster], (3, 2, 1), 5, longest) == measures_of([cut], (3, 2, 1), 5)


# --- samples ---


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_samples_are_of_one_cluster_and_as_many_as_there_are(labels):
    labels = np.array(labels)
    samples = draw_samples(block_of([[i, i * i] for i in range(labels.size)]), labels, labels >= 0)
    sizes = np.bincount(labels)
    assert samples.sizes.tolist() == [min(n, SAMPLE) for n in sizes if n >= MIN_DOCUMENTS]
    for c in range(samples.sizes.size):
        chosen = samples.some(slice(c, c + 1)).documents
        assert np.unique(labels[chosen]).size == 1
        assert np.unique(chosen).size == chosen.size


@given(st.permutations(range(30)))
def test_samples_do_not_depend_on_the_numbers_of_documents(order):
    texts = [[i + 1, 7 * i + 2, i * i] for i in range(30)]

    def sampled(texts):
        return {
            tuple(texts[d])
            for d in draw_samples(block_of(texts), np.zeros(30, int), np.ones(30, bool)).documents
        }

    assert sampled([texts[i] for i in order]) == sampled(texts)


# --- what is a form ---


def words_of(n):
    return [f"word{i}" for i in range(n)]


def filled(draw, n_slots, words):
    """Return a text with as many slots, evenly spaced, filled with names and figures."""
    every = len(words) // n_slots
    parts = [
        [*words[k * every : (k + 1) * every], draw.choice(NAMES), f"{draw.uniform(1, 999):.1f}"]
        for k in range(n_slots)
    ]
    return " ".join(word for part in parts for word in part) + " the end of it"


def notices(n, n_slots=8, n_words=120):
    draw = random.Random(f"{n} {n_slots}")
    words = words_of(n_words)
    return {f"{i:03}": filled(draw, n_slots, words) for i in range(n)}


def edited(draw, words, share):
    """Return a text of which some words are others."""
    return " ".join(word if draw.random() > share else draw.choice(NAMES) for word in words)


def groups(texts, **options):
    return sorted(cluster.members for cluster in find_duplicate_texts(texts, **options).clusters)


@pytest.mark.parametrize("n", [8, 30, 200])
def test_forms_filled_in_are_different_stories(n):
    assert groups(notices(n)) == []


@pytest.mark.parametrize("n", [8, 30, 120])
def test_copies_of_a_form_on_other_pages_are_found(n):
    texts = notices(n)
    for name in [*texts][::4]:
        texts[f"{name} copy"] = f"Home News Sport\n\n{texts[name]}\n\nAll rights reserved."
    assert groups(texts) == [(name, f"{name} copy") for name in [*texts] if f"{name} copy" in texts]


@pytest.mark.parametrize("n_copies", [3, 4, 5, 8, 12])
def test_copies_with_edits_are_no_form(n_copies):
    draw = random.Random(n_copies)
    texts = {f"{k:02}": edited(draw, words_of(300), 0.04) for k in range(n_copies)}
    assert groups(texts) == [tuple(sorted(texts))]


@pytest.mark.parametrize("n_slots", [1, 2])
def test_a_date_and_a_name_are_no_form(n_slots):
    texts = notices(12, n_slots)
    assert groups(texts) == [tuple(sorted(texts))]


def test_a_few_words_in_a_long_text_are_no_form():
    # Eight words in 400 are a byline, a date and a place.
    texts = notices(12, n_slots=4, n_words=400)
    assert groups(texts) == [tuple(sorted(texts))]


def test_another_order_and_other_workers_change_nothing():
    texts = notices(40)
    texts |= {f"{name} copy": f"{text}\n\nThe same elsewhere." for name, text in texts.items()}
    shuffled = [*texts.items()]
    random.Random(1).shuffle(shuffled)
    first = find_duplicate_texts(texts, workers=1)
    again = find_duplicate_texts(dict(shuffled), workers=2)
    assert len(first.clusters) == 40
    assert first.to_json() == again.to_json()


def test_clusters_are_judged_apart():
    draw = random.Random(1)
    story = [draw.getrandbits(63) for _ in range(80)]

    def in_form():
        # Each slot changes the five shingles that its word is part of.
        return [draw.getrandbits(63) if i % 16 < 5 else shingle for i, shingle in enumerate(story)]

    texts = [*(in_form() for _ in range(4)), *([*story, k] for k in range(4))]
    samples = Samples(np.arange(8), np.array([0, 4, 8]))
    assert are_forms(block_of(texts), samples).tolist() == [True, False]


@pytest.mark.parametrize(("n_words", "is_form"), [(32, True), (33, False)])
def test_a_form_has_a_slot_for_every_forty_words_of_its_frame(n_words, is_form):
    """Copies with a box of their own after each long paragraph are none."""
    draw = random.Random(1)

    def stretch(n):
        return [draw.getrandbits(62) for _ in range(n)]

    # Five paragraphs of so many words, and a box of twelve after four of them.
    parts = [stretch(n_words - 4) for _ in range(5)]
    texts = [
        [*(s for part in parts[:4] for s in (*part, *stretch(16))), *parts[4]] for _ in range(8)
    ]
    assert are_forms(block_of(texts), Samples(np.arange(8), np.array([0, 8]))).tolist() == [is_form]


@pytest.mark.parametrize(("n_other", "is_form"), [(30, True), (34, False)])
def test_a_form_has_one_word_of_its_own_for_every_two_other_words_in_gaps(n_other, is_form):
    """Eight documents with four words of their own in four slots, and a gap of two versions."""
    draw = random.Random(1)

    def stretch(n):
        return [draw.getrandbits(62) for _ in range(n)]

    # A gap of n words changes n + 4 shingles.
    parts, versions = [stretch(20) for _ in range(6)], [stretch(n_other + 4) for _ in range(2)]
    texts = [
        [*(s for part in parts[:4] for s in (*part, *stretch(8))), *parts[4], *gap, *parts[5]]
        for gap in versions * 4
    ]
    samples = Samples(np.arange(8), np.array([0, 8]))
    assert are_forms(block_of(texts), samples).tolist() == [is_form]


@pytest.mark.parametrize("n", [12, 40, 100])
def test_copies_of_one_report_do_not_hide_that_it_is_one_of_a_form(n):
    texts = notices(n)
    name = min(texts)
    copies = {f"{name} copy {k:03}": f"{texts[name]} Seen by reader{k}." for k in range(n)}
    assert groups(texts | copies) == [tuple(sorted([name, *copies]))]

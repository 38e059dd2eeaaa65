"""Documents hashed once: the same block in memory and in a file, in slices of any size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.arrays import part
from dedupe.documents import Document
from dedupe.engine import blocks as hashed
from dedupe.engine.blocks import HashedDocuments
from dedupe.engine.checkpoint import Checkpoint
from dedupe.engine.reading import read_corpus
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate, Words
from dedupe.scoring.counting import count, tell_into
from dedupe.settings import Resources, Settings
from dedupe.shingling import Sealed, hash_tokens
from strategies import article

TEXTS = [
    article(name, n_words) for name, n_words in zip("abcdef", (3, 40, 7, 300, 5, 60), strict=True)
]
NUMBERS = np.array([0, 1, 3, 5])


@pytest.fixture(scope="module")
def corpus():
    stream = (Document(f"d{i}", text) for i, text in enumerate(TEXTS))
    return read_corpus(stream, Settings(), Resources.of(1, 1 << 30), Checkpoint())


# --- laws ---


@pytest.mark.parametrize("size", [1, 50, 1 << 18])
@pytest.mark.parametrize("memory", [1, 1 << 30])
@pytest.mark.parametrize("workers", [1, 3])
def test_hashed_apart_is_hashed_together(corpus, size, memory, workers, monkeypatch):
    monkeypatch.setattr(hashed, "SLICE_WORDS", size)
    tokens = hash_tokens([TEXTS[number] for number in NUMBERS], detail=True)
    expected = Block.of(tokens, 5).weighed(Boilerplate())
    steps = []
    documents = HashedDocuments(corpus, NUMBERS, 5, Resources.of(workers, memory, steps.append))
    documents.hash()
    assert not documents.weigh(Boilerplate(), np.arange(NUMBERS.size)).any()
    documents.relax()  # What has left memory comes back.
    for name in ("shingles", "shingle_offsets", "token_offsets", "lines", "contents", "prose"):
        assert (getattr(documents.block(), name) == getattr(expected, name)).all(), name
    assert (documents.block().weights == expected.weights).all()
    for stage in ("shingles", "weights"):
        assert [step.done for step in steps if step.stage == stage][-1] == NUMBERS.size


@given(st.lists(st.integers(1, 90), min_size=1, max_size=9))
def test_slices_have_every_document_once_and_in_order(n_words):
    whole = np.array(n_words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashed, "SLICE_WORDS", 100)
        slices = list(hashed._slices(whole))
    assert [n for part in slices for n in range(len(n_words))[part]] == [*range(len(n_words))]
    assert all(sum(n_words[part]) < 2 * 100 for part in slices)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=9), st.integers(1, 500))
def test_pairs_in_regions_are_the_same_pairs(corpus, pairs, words):
    documents = HashedDocuments(corpus, np.arange(6), 5, Resources.of(1, 1 << 30))
    documents.hash()
    pairs = np.array(sorted(pairs), np.int32).reshape(-1, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashed, "REGION_WORDS", words)
        found = documents.in_regions(pairs)
    assert sorted(found.tolist()) == pairs.tolist()
    regions = documents.block().shingle_offsets[found[:, 1]] // words
    assert (np.diff(regions) >= 0).all()


# --- edges ---


@given(st.permutations(range(NUMBERS.size)), st.integers(1, 500))
def test_documents_alone_are_what_they_are_among_others(corpus, chosen, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashed, "GATHERED_WORDS", words)
        documents = HashedDocuments(corpus, NUMBERS, 5, Resources.of(1, 1))
        documents.hash()
        documents.weigh(Boilerplate(), np.arange(NUMBERS.size))
        some, places = documents.among(np.array(chosen))
    found, expected = some.of(places), documents.block().words.of(np.array(chosen))
    for name in Words._fields:
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


def test_a_block_is_one_for_each_thread_that_asks(corpus):
    documents = HashedDocuments(corpus, NUMBERS, 5, Resources.of(1, 1 << 30))
    with pytest.raises(AssertionError, match="must be hashed before"):
        documents.block()
    documents.hash()
    assert documents.block() is documents.block()


def test_what_weighs_otherwise_is_told(corpus):
    """Both engines tell the same, of a document whose shingles come to be boilerplate and back."""
    documents = HashedDocuments(corpus, NUMBERS, 5, Resources.of(1))
    documents.hash()
    block = documents.block()
    boilerplate = Boilerplate()
    own = part(block.shingle_offsets, 1)
    shingles = Sealed(block.shingles[own], block.seals[own])
    boilerplate.watch(shingles.hashes, shingles.public())
    count(boilerplate, block.words, np.arange(NUMBERS.size))
    count(boilerplate, block.words, np.arange(NUMBERS.size) + 9)
    stories = np.zeros(NUMBERS.size, np.int64)
    public = Boilerplate.from_bytes(boilerplate.to_bytes())
    steps = [(boilerplate, True), (boilerplate, False), (Boilerplate(), True), (public, True)]
    for known, is_other in [*steps, (boilerplate, False)]:
        weighed = block.weighed(known, stories)
        expected = weighed.weighs_otherwise(block)
        assert documents.weigh(known, stories).tolist() == expected.tolist()
        assert expected[1] == is_other
        assert (documents.block().weights == weighed.weights).all()
        assert (documents.block().prose == weighed.prose).all()
        told = np.empty(NUMBERS.size, np.uint32)
        tell_into(np.arange(NUMBERS.size), weighed.words, told)
        assert documents.told().tolist() == told.tolist()
        block = weighed

"""Documents hashed once: the same block in memory and in a file, in slices of any size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.documents import Document
from dedupe.engine import blocks as hashed
from dedupe.engine.blocks import MAX_LINE, Hashed, short_lines
from dedupe.engine.checkpoint import Checkpoint
from dedupe.engine.corpus import read_corpus
from dedupe.results.finder import make_block
from dedupe.scoring.boilerplate import Furniture
from dedupe.settings import Settings
from dedupe.shingling.tokens import hash_tokens
from strategies import article

TEXTS = [
    article(name, n_words) for name, n_words in zip("abcdef", (3, 40, 7, 300, 5, 60), strict=True)
]
NUMBERS = np.array([0, 1, 3, 5])


def told_nothing(_):
    pass


@pytest.fixture(scope="module")
def corpus():
    stream = (Document(f"d{i}", text) for i, text in enumerate(TEXTS))
    options = {"workers": 1, "memory": 1 << 30, "progress": told_nothing}
    return read_corpus(stream, Settings(), checkpoint=Checkpoint(), **options)


# --- laws ---


@pytest.mark.parametrize("size", [1, 50, 1 << 18])
@pytest.mark.parametrize("memory", [1, 1 << 30])
@pytest.mark.parametrize("workers", [1, 3])
def test_hashed_apart_is_hashed_together(corpus, size, memory, workers, monkeypatch):
    monkeypatch.setattr(hashed, "BLOCK_WORDS", size)
    expected, _ = make_block([TEXTS[number] for number in NUMBERS], 5, Furniture.from_bytes(b""))
    documents = Hashed(corpus, NUMBERS, 5, memory)
    steps = []
    documents.hash(workers, steps.append)
    documents.weigh(Furniture.from_bytes(b""), workers, steps.append)
    documents.relax()  # What has left memory comes back.
    for name in ("shingles", "shingle_offsets", "token_offsets", "lines", "contents", "totals"):
        assert (getattr(documents.block(), name) == getattr(expected, name)).all(), name
    assert (documents.block().weights == expected.weights).all()
    for stage in ("shingles", "weights"):
        assert [step.done for step in steps if step.stage == stage][-1] == NUMBERS.size


@given(st.lists(st.integers(1, 90), min_size=1, max_size=9))
def test_slices_have_every_document_once_and_in_order(n_words):
    whole = np.array(n_words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashed, "BLOCK_WORDS", 100)
        slices = list(hashed._slices(whole))
    assert [n for part in slices for n in range(len(n_words))[part]] == [*range(len(n_words))]
    assert all(sum(n_words[part]) < 2 * 100 for part in slices)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=9), st.integers(1, 500))
def test_pairs_in_regions_are_the_same_pairs(corpus, pairs, words):
    documents = Hashed(corpus, np.arange(6), 5, 1 << 30)
    documents.hash(1, told_nothing)
    pairs = np.array(sorted(pairs), np.int32).reshape(-1, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashed, "REGION_WORDS", words)
        found = documents.in_regions(pairs)
    assert sorted(found.tolist()) == pairs.tolist()
    regions = documents.block().shingle_offsets[found[:, 1]] // words
    assert (np.diff(regions) >= 0).all()


# --- edges ---


def test_documents_are_found_by_their_numbers(corpus):
    documents = Hashed(corpus, NUMBERS, 5, 1 << 30)
    assert documents.places(NUMBERS[::-1]).tolist() == [3, 2, 1, 0]


def test_a_block_is_one_for_each_thread_that_asks(corpus):
    documents = Hashed(corpus, NUMBERS, 5, 1 << 30)
    with pytest.raises(AssertionError, match="must be hashed before"):
        documents.block()
    documents.hash(1, told_nothing)
    assert documents.block() is documents.block()


def test_long_lines_count_as_long_as_a_byte_can_say():
    tokens = hash_tokens(["word " * 300 + "\nword " * 2], detail=True)
    assert short_lines(tokens).tolist() == [MAX_LINE] * 300 + [1, 1]

"""Tokens to hashed n-grams, and the digests of exact copies."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from dedupe.arrays import offsets_of, part
from dedupe.kernels.shingles import STRETCH
from dedupe.kernels.tables import SALT
from dedupe.shingling import (
    Sealed,
    digests,
    hash_shingles,
    seal_into,
    seal_shingles,
    shingle,
    shingle_offsets,
)
from dedupe.shingling.tokens import Tokens, hash_tokens, normalize
from strategies import texts

ngrams = st.integers(1, 64)
hashes = st.integers(0, 2**64 - 1)
blocks = st.lists(st.lists(hashes, max_size=80), max_size=4)


def tokens_of(block):
    """Return documents, given as lists of token hashes, as a block."""
    offsets = np.cumsum([0, *map(len, block)])
    return Tokens(np.array([h for document in block for h in document], np.uint64), offsets)


# --- laws ---


@given(blocks, ngrams)
def test_shingles_equal_reference(block, ngram):
    found = hash_shingles(tokens_of(block), ngram)
    expected = [reference.shingles(document, ngram) for document in block]
    assert found.hashes.tolist() == [h for document in expected for h in document]
    assert found.offsets.tolist() == np.cumsum([0, *map(len, expected)]).tolist()


@given(texts, ngrams)
def test_a_text_has_the_shingles_of_its_normal_form(text, ngram):
    assert shingle(text, ngram).tolist() == shingle(normalize(text), ngram).tolist()


@given(texts, ngrams)
def test_how_many_shingles_there_are(text, ngram):
    n_tokens = len(reference.tokens(text))
    assert shingle(text, ngram).size == min(n_tokens, max(1, n_tokens - ngram + 1))


@given(st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=8), st.data())
def test_a_shingle_knows_the_order_of_its_words(words, data):
    other = data.draw(st.permutations(words))
    same = shingle(" ".join(words), 8).tolist() == shingle(" ".join(other), 8).tolist()
    assert same == (words == other)


@given(st.lists(texts, max_size=5))
def test_digests_are_equal_where_all_tokens_are(block):
    found = digests(hash_tokens(block))
    spelled = [reference.tokens(text) for text in block]
    for i, j in np.ndindex(len(block), len(block)):
        assert (found[i] == found[j]) == (spelled[i] == spelled[j])


@given(st.lists(texts, max_size=5), st.integers(1, 7))
def test_sealed_shingles_agree_where_their_words_do(block, ngram):
    tokens = hash_tokens(block, detail=True)
    plain = hash_shingles(tokens, ngram)
    sealed = seal_shingles(tokens, ngram)
    assert sealed.public().tolist() == plain.hashes.tolist()
    of_plain = {}
    for one, other in zip(plain.hashes.tolist(), sealed.hashes.tolist(), strict=True):
        assert of_plain.setdefault(one, other) == other
    assert len({*of_plain.values()}) == len(of_plain)


@given(
    st.lists(st.sampled_from([0, 1, 4, 5, 80, STRETCH + 4, 2 * STRETCH + 9]), max_size=4),
    ngrams,
    st.integers(0, 2**32 - 1),
)
def test_sealed_shingles_equal_reference(lengths, ngram, seed):
    draw = np.random.default_rng(seed)
    hashes = draw.integers(0, 2**64, sum(lengths), np.uint64)
    seals = draw.integers(0, 2**32, sum(lengths), np.uint32)
    tokens = Tokens(hashes, offsets_of(np.array(lengths, np.int64)), seals=seals)
    sealed = seal_shingles(tokens, ngram)
    contents = seal_into(tokens, ngram, sealed)
    documents = [part(tokens.offsets, d) for d in range(len(lengths))]
    found = [reference.shingles(hashes[some].tolist(), ngram) for some in documents]
    of_seals = [reference.shingles(seals[some].tolist(), ngram) for some in documents]
    expected = [
        reference.sealed_shingles(hashes[some].tolist(), seals[some].tolist(), ngram, int(SALT))
        for some in documents
    ]
    assert sealed.hashes.tolist() == [h for document in expected for h in document]
    assert sealed.public().tolist() == [h for document in found for h in document]
    assert sealed.seals.tolist() == [h >> 32 for document in of_seals for h in document]
    assert contents.tolist() == list(map(reference.content, found))
    sizes = list(map(len, found))
    assert np.diff(shingle_offsets(tokens.offsets, ngram)).tolist() == sizes


def test_shingles_are_sealed_only_where_there_is_room_for_all():
    tokens = hash_tokens(["one two three"], detail=True)
    with pytest.raises(ValueError, match="room for 2 shingles, got 3"):
        seal_into(tokens, 2, Sealed(np.empty(3, np.uint64), np.empty(3, np.uint32)))


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30), st.integers(1, 7), st.data())
def test_a_seal_depends_on_each_word(seals, ngram, data):
    """A word with another seal changes the shingles that it stands in, and no other."""
    hashes = np.zeros(len(seals), np.uint64)
    place = data.draw(st.integers(0, len(seals) - 1))
    changed = [*seals]
    changed[place] = data.draw(st.integers(0, 2**32 - 1))
    blocks = [
        Tokens(hashes, np.array([0, len(seals)]), seals=np.array(some, np.uint32))
        for some in (seals, changed)
    ]
    one, other = (seal_shingles(block, ngram).hashes for block in blocks)
    holds = [i <= place < i + ngram or len(seals) < ngram for i in range(one.size)]
    expected = [held and changed[place] != seals[place] for held in holds]
    assert (one != other).tolist() == expected


@given(st.permutations(range(5)))
def test_a_seal_depends_on_the_order_of_words(order):
    seals = np.arange(5, dtype=np.uint32)[list(order)]
    tokens = Tokens(np.zeros(5, np.uint64), np.array([0, 5]), seals=seals)
    plain = replace(tokens, seals=np.arange(5, dtype=np.uint32))
    one, other = (seal_shingles(some).hashes[0] for some in (tokens, plain))
    assert (one == other) == (list(order) == [0, 1, 2, 3, 4])


# --- edges ---


@pytest.mark.parametrize(("n_tokens", "n_shingles"), [(0, 0), (1, 1), (4, 1), (5, 1), (6, 2)])
def test_texts_about_as_long_as_a_shingle(n_tokens, n_shingles):
    assert shingle(" ".join(map(str, range(n_tokens)))).size == n_shingles


def test_a_short_text_shares_nothing_with_a_longer_one():
    assert shingle("one two three four")[0] != shingle("one two three four five")[0]


def test_an_empty_block():
    found = hash_shingles(hash_tokens([]))
    assert found.hashes.size == 0
    assert found.offsets.tolist() == [0]
    assert digests(hash_tokens([])) == []


@given(st.lists(st.sampled_from(["ab", "a b", "b a", "ba", "a", "b"]), min_size=2, max_size=2))
def test_where_words_end_matters(pair):
    one, other = pair
    assume(one != other)
    assert digests(hash_tokens([one])) != digests(hash_tokens([other]))


def test_the_scheme_is_fixed():
    """Signatures that somebody keeps are worth nothing once these values change."""
    assert shingle("one two three", 2).tolist() == [0x4B35A459463E3EDF, 0xF8DB7398725B677A]
    assert digests(hash_tokens(["one two three"])) == [
        bytes.fromhex("4f284853c689884032e54bae583f153f")
    ]

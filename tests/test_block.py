"""A block of documents as rules see it: made, cut and weighed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import reference
from blocks import EIGHTHS
from dedupe.scoring.block import MAX_LINE, Block, contents_of
from dedupe.scoring.boilerplate import Boilerplate, Words
from dedupe.shingling import hash_shingles, hash_tokens
from strategies import article

STORIES = [article(name, 40) for name in "abc"]
texts = st.lists(
    st.sampled_from([*STORIES, "Read more.", "京都市 - Menü"]), min_size=1, max_size=4
).map("\n".join)


def block_of(found, ngram=5):
    return Block.of(hash_tokens(found, detail=True), ngram)


# --- laws ---


@given(st.lists(texts, min_size=1, max_size=4))
def test_a_block_has_the_words_of_its_texts(found):
    block = block_of(found)
    lengths = [len(reference.tokens(text)) for text in found]
    assert block.n_words.tolist() == block.totals().tolist() == lengths
    assert block.lines.size == sum(lengths)


@given(st.lists(texts, min_size=1, max_size=5), st.data())
def test_what_is_cut_is_a_block_of_those_documents(found, data):
    chosen = data.draw(st.lists(st.integers(0, len(found) - 1), min_size=1, unique=True))
    cut, made = block_of(found).cut(chosen), block_of([found[i] for i in chosen])
    for name in (
        "shingles",
        "seals",
        "shingle_offsets",
        "token_offsets",
        "lines",
        "contents",
        "prose",
    ):
        assert (getattr(cut, name) == getattr(made, name)).all(), name


@given(st.lists(texts, min_size=1, max_size=5), st.data())
def test_words_that_are_taken_in_pieces_and_joined_are_those_taken_at_once(found, data):
    block = block_of(found)
    weights = data.draw(st.lists(EIGHTHS, min_size=block.lines.size, max_size=block.lines.size))
    block = replace(block, weights=np.array(weights, np.float32))
    chosen = data.draw(st.permutations(range(len(found))))
    split = data.draw(st.integers(1, len(found)))
    pieces = [some for some in (chosen[:split], chosen[split:]) if some]
    joined = Words.joined([block.words.of(np.array(some)) for some in pieces])
    cut = block.words.of(np.array(chosen))
    for name in Words._fields:
        assert np.array_equal(getattr(joined, name), getattr(cut, name)), name
    alone = block_of([found[i] for i in chosen])
    assert cut.shingles.tolist() == alone.shingles.tolist()
    assert cut.offsets.tolist() == alone.shingle_offsets.tolist()
    assert cut.lines.tolist() == alone.lines.tolist()
    bounds = block.token_offsets
    assert cut.weights.tolist() == [w for d in chosen for w in weights[bounds[d] : bounds[d + 1]]]


@given(st.lists(texts, min_size=1, max_size=4), st.integers(1, 7))
def test_what_a_text_says_is_a_number_of_its_shingles_and_their_order(found, ngram):
    shingles = hash_shingles(hash_tokens(found), ngram)
    wanted = [reference.content(shingles.hashes[start:end].tolist())
              for start, end in pairwise(shingles.offsets.tolist())]  # fmt: skip
    assert contents_of(shingles.hashes, shingles.offsets).tolist() == wanted


@given(st.lists(texts, min_size=1, max_size=4))
def test_what_knows_no_boilerplate_weighs_every_word_alike(found):
    block = block_of(found)
    weighed = block.weighed(Boilerplate())
    assert (weighed.weights == 1).all()
    assert weighed.totals().tolist() == block.totals().tolist()


# --- edges ---


def test_what_tells_equal_documents_apart_does_not_depend_on_the_secret(monkeypatch):
    made = []
    for salt in (3, 2**63 + 5):
        monkeypatch.setattr("dedupe.shingling.tokens.SALT", np.uint64(salt))
        made.append(block_of(STORIES))
    one, other = made
    assert one.contents.tolist() == other.contents.tolist()
    assert not set(one.shingles.tolist()) & set(other.shingles.tolist())


def test_long_lines_count_as_long_as_a_byte_can_say():
    block = block_of(["word " * 300 + "\nword " * 2])
    assert block.lines.tolist() == [MAX_LINE] * 300 + [1, 1]


def test_threads_share_documents_and_not_their_scratch():
    block = block_of(STORIES)
    other = block.another()
    assert other.shingles is block.shingles
    assert not any(
        np.shares_memory(*pair) for pair in zip(block.scratch, other.scratch, strict=True)
    )

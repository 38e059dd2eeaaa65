"""Pairs of documents word by word: the kernel against its slow twin, and what follows from it."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config

import reference
from blocks import (
    EIGHTHS,
    documents,
    make_block,
    ngrams,
    pairs_of_documents,
    per_word,
    story,
)
from dedupe.arrays import part
from dedupe.kernels import alignment as kernel
from dedupe.kernels import bounds, measures, strangers
from dedupe.kernels.pairs import measure_pairs_into
from dedupe.kernels.tables import SALT, SLOTS_PER_WORD
from dedupe.scoring.alignment import (
    align,
    by_size,
    shared_by_strangers,
    shared_shingles,
    similarities,
    words_held,
)
from dedupe.scoring.block import prose_of
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.scoring.runs import shared_runs

salts = st.integers(0, 2**63 - 1).map(lambda n: np.uint64(2 * n + 1))


def measures_of(block, larger, smaller, salt=SALT, min_words=0):
    """Run the kernel on some pairs of a block; return what the slow twin does of each."""
    of_sides = np.full((len(larger), 2, measures.N_OF_SIDE), 7.0)
    of_both = np.full((len(larger), measures.N_OF_BOTH), 7.0)
    measure_pairs_into(
        np.array(larger),
        np.array(smaller),
        block.shingles,
        block.shingle_offsets,
        block.token_offsets,
        block.lines,
        block.weights,
        block.prose,
        block.stories,
        block.ngram,
        min_words,
        *scratch_of(block, salt),
        np.full((2, measures.N_LINES), 7.0),
        of_sides,
        of_both,
    )
    return [
        (reference.Side(*one), reference.Side(*other), reference.Both(*both))
        for (one, other), both in zip(of_sides.tolist(), of_both.tolist(), strict=True)
    ]


def assert_same(found, expected):
    """Hold what is measured to be the same, but for how sums are rounded."""
    for rows in zip(found, expected, strict=True):
        for one, other in zip(*rows, strict=True):
            assert one._asdict() == pytest.approx(other._asdict(), rel=1e-6, abs=1e-6)


def scratch_of(block, salt=SALT):
    """Return what the kernels work in, full of what must not matter, but for their marks."""
    longest = int(np.diff(block.token_offsets).max())
    n_slots = 1 << (2 * longest).bit_length()
    n_words = n_slots // SLOTS_PER_WORD + 1
    rows = np.full((kernel.N_SCRATCH, longest), 7, np.int32)
    rows[[kernel.COVER_LARGER, kernel.COVER_SMALLER, kernel.SEEN]] = 0
    return np.full(n_slots, 7, np.int32), salt, np.full(n_words, 7, np.uint64), rows


# --- laws of the kernel ---


@given(documents, documents, ngrams, st.data())
def test_measures_equal_reference(larger, smaller, ngram, data):
    block = [larger, smaller]
    lines = [per_word(data, document, st.integers(1, 40)) for document in block]
    weights = data.draw(
        st.none() | st.just([per_word(data, document, EIGHTHS) for document in block])
    )
    is_one, min_words = data.draw(st.booleans()), data.draw(st.sampled_from([0, 10, 20, 40]))
    twins = [
        reference.Document(reference.shingles(document, ngram), of_words, weight)
        for document, of_words, weight in zip(block, lines, weights or [None, None], strict=True)
    ]
    made = make_block(block, ngram, lines, weights, stories=[5, 5 if is_one else 6])
    assert_same(
        measures_of(made, [0], [1], min_words=min_words),
        [reference.measures(*twins, ngram, min_words, is_one=is_one)],
    )


@given(st.lists(documents, min_size=2, max_size=4), ngrams, st.data())
def test_many_pairs_at_once_are_each_pair_alone(block, ngram, data):
    numbers = st.integers(0, len(block) - 1)
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
    made = make_block(block, ngram)
    together = measures_of(made, *map(list, zip(*pairs, strict=True)))
    assert together == [measures_of(made, [a], [b])[0] for a, b in pairs]


@given(documents, documents, ngrams, salts)
def test_measures_do_not_depend_on_the_salt(larger, smaller, ngram, salt):
    block = make_block([larger, smaller], ngram)
    assert measures_of(block, [0], [1], salt) == measures_of(block, [0], [1])


@given(st.lists(documents, min_size=1, max_size=4), ngrams, st.data())
def test_distinct_shingles_are_counted(block, ngram, data):
    numbers = data.draw(st.lists(st.integers(0, len(block) - 1), min_size=1, max_size=5))
    made = make_block(block, ngram)
    found = np.empty(len(numbers), np.int64)
    kernel.count_distinct_into(
        np.array(numbers),
        made.shingles,
        made.shingle_offsets,
        *scratch_of(made),
        found,
    )
    assert found.tolist() == [reference.n_distinct(sides_of(made)[d]) for d in numbers]


@pytest.mark.skipif(config.DISABLE_JIT, reason="takes a minute without compilation")
@pytest.mark.parametrize("seed", range(3))
def test_a_patchwork_of_more_runs_than_the_chain_looks_back(seed):
    paragraphs = [story(kernel.MIN_RUN, 100 * p) for p in range(2 * kernel.AHEAD)]
    order = np.random.default_rng(seed).permutation(len(paragraphs))
    if seed == 0:  # The best neighbour is always just too far away.
        order = np.roll(np.arange(len(paragraphs)), kernel.AHEAD)
    block = [[word for p in places for word in paragraphs[p]] for places in (sorted(order), order)]
    twins = [reference.Document(reference.shingles(words, 5), [10] * len(words)) for words in block]
    assert_same(measures_of(make_block(block), [0], [1]), [reference.measures(*twins, 5)])


# --- laws of pairs ---


@given(pairs_of_documents(), ngrams, st.integers(0, 30))
def test_few_shared_words_are_not_looked_into(pair, ngram, min_words):
    block = make_block(pair, ngram)
    everything, found = (
        align(block, np.array([0]), np.array([1]), min_words=least) for least in (0, min_words)
    )
    half = min(map(len, pair)) / 2
    if everything.covered[0] < min(min_words, half):
        assert found.replaced[0] == found.story[0, 0] == found.story[1, 0] == 0
    else:
        assert [*map(np.ndarray.tolist, astuple(found))] == [
            *map(np.ndarray.tolist, astuple(everything))
        ]


@given(st.lists(documents, min_size=2, max_size=4), ngrams, st.data())
def test_jaccard_and_containment_are_exact(block, ngram, data):
    sets = [set(reference.shingles(document, ngram)) for document in block]
    numbers = st.integers(0, len(block) - 1)
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.integers(0, len(pairs) - 1), min_size=1, max_size=4))
    made = make_block(block, ngram)
    found = align(made, *np.array(pairs).T)
    chosen = [(sets[pairs[row][0]], sets[pairs[row][1]]) for row in rows]
    jaccard, in_left, in_right = similarities(made, found.take(np.array(rows, np.int64)))
    assert jaccard.tolist() == [len(a & b) / len(a | b) for a, b in chosen]
    assert in_left.tolist() == [len(a & b) / len(a) for a, b in chosen]
    assert in_right.tolist() == [len(a & b) / len(b) for a, b in chosen]


@given(st.lists(documents, min_size=1, max_size=5), st.data())
def test_the_longer_document_of_a_pair_is_the_larger(block, data):
    made = make_block(block)
    numbers = st.integers(0, len(block) - 1)
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), max_size=5))
    columns = np.array(pairs, data.draw(st.sampled_from([np.int32, np.int64]))).reshape(-1, 2).T
    larger, smaller, swap = by_size(made, *columns)
    n_words, contents = made.n_words.tolist(), made.contents.tolist()
    expected = [reference.by_size(pair, n_words, contents) for pair in pairs]
    assert [*zip(larger.tolist(), smaller.tolist(), strict=True)] == expected
    assert np.where(swap, *columns[::-1]).tolist() == larger.tolist()


@given(pairs_of_documents(), ngrams)
def test_which_document_is_the_larger_does_not_depend_on_the_sides(pair, ngram):
    block = make_block(pair, ngram)
    larger, smaller, swap = by_size(block, np.array([0, 1]), np.array([1, 0]))
    sizes = [len(document) for document in pair]
    assert sizes[larger[0]] == max(sizes)
    assert {larger[0], smaller[0]} == {0, 1}
    assert swap.tolist() == (larger == [1, 0]).tolist()
    assert larger[0] == larger[1] or block.contents[0] == block.contents[1]


def sides_of(block):
    """Return the documents of a block as the twin sees them: their shingles are sealed."""
    return [
        reference.Document(block.shingles[part(block.shingle_offsets, d)].tolist(), [])
        for d in range(block.n_words.size)
    ]


@given(st.lists(documents, min_size=2, max_size=4), ngrams, st.data())
def test_what_strangers_share_is_what_an_alignment_says(block, ngram, data):
    made = make_block(block, ngram)
    numbers = st.integers(0, len(block) - 1)
    pairs = np.array(data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6)))
    found, sides = shared_by_strangers(made, *pairs.T), sides_of(made)
    for (one, other), told in zip(pairs, found.tolist(), strict=True):
        (a,), (b,), _ = by_size(made, np.array([one]), np.array([other]))
        twins = [reference.Document(sides[d].shingles, [10] * len(block[d])) for d in (a, b)]
        larger, smaller = reference.measures(*twins, ngram)[:2]
        assert told in {strangers.UNKNOWN, min(larger.covered, smaller.covered)}
        # Nothing is left open but where much may be shared, or stands there twice.
        hits = [shingle for shingle in twins[1].shingles if shingle in twins[0].shingles]
        is_open = any(twins[0].shingles.count(shingle) > 1 for shingle in hits)
        assert told != strangers.UNKNOWN or is_open or len(hits) > strangers.FEW - SIEVED_IN_VAIN


SIEVED_IN_VAIN = 8
"""Shingles of a short document that the sieve may let through by chance: one does, as a rule."""


@pytest.mark.parametrize(("n", "is_told"), [(strangers.FEW, True), (strangers.FEW + 1, False)])
@pytest.mark.parametrize("n_before", [0, strangers.AT_ONCE - 9, 3 * strangers.AT_ONCE])
def test_of_strangers_only_a_few_shingles_are_looked_for(n, is_told, n_before):
    own, others = range(500, 560 + n_before), range(2000, 2000 + n_before)
    block = make_block([[*own, *range(n + 4)], [*others, *range(n + 4), 700]])
    (told,) = shared_by_strangers(block, np.array([0]), np.array([1]))
    assert told in {strangers.UNKNOWN, n + 4}
    assert (told >= 0) <= is_told


def test_strangers_that_repeat_what_they_share_are_left_open():
    block = make_block([[*range(10), *range(20, 60), *range(10)], [*range(10), 80, 81]])
    assert shared_by_strangers(block, np.array([0]), np.array([1])).tolist() == [strangers.UNKNOWN]


@given(documents, documents, documents, ngrams)
def test_shared_shingles_equal_reference(one, other, known, ngram):
    """Those that are taken up already are left out."""
    block = make_block([one, other, known], ngram)
    left, right, beside = sides_of(block)
    boilerplate = Boilerplate()
    found = []
    for _ in range(2):
        found.append(shared_shingles(block, np.array([0]), np.array([1]), beside=boilerplate))
        boilerplate.watch(np.array(beside.shingles, np.uint64))
    assert set(found[0].hashes.tolist()) == reference.shared(left, right)
    assert set(found[1].hashes.tolist()) == reference.shared(left, right, beside.shingles)


@given(st.lists(documents, min_size=2, max_size=4), ngrams, st.integers(1, 60))
def test_words_held_equal_reference(block, ngram, enough):
    made = make_block(block, ngram)
    left, right = np.array([(a, b) for a in range(len(block)) for b in range(len(block))]).T
    held = words_held(made, left, right, enough=enough)
    twins = [reference.Document(reference.shingles(words, ngram), words) for words in block]
    told = [reference.held(twins[a], twins[b], ngram) for a, b in zip(left, right, strict=True)]
    assert np.minimum(held, enough).tolist() == np.minimum(told, enough).tolist()
    assert (np.minimum(align(made, left, right).covered, enough) <= held).all()


@given(st.lists(documents, min_size=2, max_size=4), ngrams, salts, st.data())
def test_what_a_document_has_alone_equals_reference(block, ngram, salt, data):
    values = EIGHTHS | st.just(bounds.HEAVY / 2)
    weights = [per_word(data, document, values) for document in block]
    made = make_block(block, ngram, weights=weights)
    pairs = [(a, b) for a in range(len(block)) for b in range(len(block))]
    larger, smaller = np.array(pairs).T
    spare = np.array([data.draw(st.integers(0, 80)) / 8 for _ in pairs])
    found = np.full(len(pairs), data.draw(st.booleans()))
    bounds.spare_into(
        larger,
        smaller,
        spare,
        made.shingles,
        made.shingle_offsets,
        made.token_offsets,
        made.weights,
        ngram,
        *scratch_of(made, salt),
        found,
    )
    twins = [
        reference.Document(reference.shingles(document, ngram), document, weight)
        for document, weight in zip(block, weights, strict=True)
    ]
    alone = [reference.alone(twins[a], twins[b], ngram, np.float32(bounds.HEAVY)) for a, b in pairs]
    assert found.tolist() == [one <= most for one, most in zip(alone, spare, strict=True)]


@given(st.lists(documents, min_size=2, max_size=4), ngrams, st.data())
def test_shared_shingles_of_many_pairs_are_those_of_each(block, ngram, data):
    made = make_block(block, ngram)
    numbers = st.integers(0, len(block) - 1)
    pairs = data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
    sides = sides_of(made)
    told = shared_shingles(made, *np.array(pairs).T).hashes.tolist()
    assert set(told) == set.union(*(reference.shared(sides[a], sides[b]) for a, b in pairs))


@pytest.mark.parametrize("n", [strangers.FEW, strangers.FEW + 1])
def test_few_shingles_are_looked_for_and_many_looked_up(n):
    """Both find the same: what the larger document has, in whichever order and how often."""
    words = [*range(n + 4)]
    block = make_block(
        [[*range(500, 560), *words, *words], words, [*words, 700], [*range(800, 805)]]
    )
    sides = sides_of(block)
    for b in range(1, 4):
        told = shared_shingles(block, np.array([0]), np.array([b])).hashes.tolist()
        assert set(told) == reference.shared(sides[0], sides[b])
    together = shared_shingles(block, np.zeros(3, np.int64), np.array([1, 2, 3])).hashes
    assert set(together.tolist()) == reference.shared(sides[0], sides[1])


@given(
    st.lists(st.lists(st.tuples(st.integers(1, 255), EIGHTHS), max_size=80), max_size=4),
    st.booleans(),
)
def test_prose_equals_reference(block, has_weights):
    lines, weights = ([[word[side] for word in document] for document in block] for side in (0, 1))
    found = prose_of(
        np.array([n for document in lines for n in document], np.uint8),
        np.array([w for document in weights for w in document], np.float32)
        if has_weights
        else None,
        np.cumsum([0, *map(len, block)]),
    )
    twins = [
        reference.Document([], *columns)
        for columns in zip(lines, weights if has_weights else [None] * len(block), strict=True)
    ]
    assert found.tolist() == [reference.prose_by_line(twin) for twin in twins]


@pytest.mark.parametrize(
    ("gap", "is_found"), [(kernel.WINDOW - 20, True), (kernel.WINDOW + 20, False)]
)
def test_a_word_that_is_everywhere_is_looked_for_nearby(gap, is_found):
    """Its first occurrences are all before the match, and the right one stands behind it."""
    common = story(10, 1)
    head = [word for i in range(kernel.MAX_OCCURRENCES + 5) for word in (*common, 500 + i)]
    middle, between = story(40, 2000), story(gap, 3000)
    larger = [*head, *middle, *between, *common, *story(30, 5000)]
    smaller = [*middle, *story(7, 9000), *common, *story(30, 5000)]
    runs, _ = shared_runs(make_block([larger, smaller]), 0, 1)
    # Where it stands behind the match, it goes on without a break.
    assert runs[:, 2].sum() == 80
    assert len(runs) == (2 if is_found else 3)

"""Shingles to signatures: datasketch bit for bit, and how far an estimate may be off."""

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st
from numba import config

import reference
from dedupe import minhash
from dedupe.errors import InvalidInput
from dedupe.kernels.signatures import BLOCK
from dedupe.minhash import (
    estimate_jaccard,
    from_datasketch,
    permutations,
    signatures,
    to_datasketch,
)
from dedupe.settings import Settings
from dedupe.shingling import shingle

EMPTY = 2**32 - 1

documents = st.lists(st.integers(0, 2**64 - 1), max_size=20)


def sign(block, **options):
    """Return the signatures of documents that are lists of shingles."""
    flat = np.array([h for document in block for h in document], np.uint64)
    return signatures(flat, np.cumsum([0, *map(len, block)]), **options)


def sketch(document, num_perm=128, seed=1):
    """Return the signature that datasketch makes of the low halves of some shingles."""
    minhash = MinHash(num_perm, seed=seed, scheme="affine32", hashfunc=lambda h: h % 2**32)
    minhash.update_batch(document)
    return minhash


# --- laws ---


@given(
    st.lists(documents, max_size=4),
    st.sampled_from([1, 7, 8, 16, 100, 128, 131]),
    st.sampled_from([0, 1, 42, 2**32 - 1]),
)
def test_signatures_equal_those_of_datasketch(block, num_perm, seed):
    found = sign(block, num_perm=num_perm, seed=seed)
    assert found.shape == (len(block), num_perm)
    for document, signature in zip(block, found, strict=True):
        assert (signature == sketch(document, num_perm, seed).hashvalues).all()


@given(st.lists(documents, max_size=4), st.sampled_from([1, 7, 16]))
def test_signatures_equal_reference(block, num_perm):
    columns = [column.tolist() for column in permutations(num_perm, 3)]
    expected = [reference.signature(document, *columns) for document in block]
    assert sign(block, num_perm=num_perm, seed=3).tolist() == expected


@pytest.mark.parametrize("n_shingles", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
def test_long_documents_equal_datasketch(n_shingles):
    document = np.random.default_rng(n_shingles).integers(2**64, size=n_shingles, dtype=np.uint64)
    found = sign([document, [], document[:3]], num_perm=16)
    assert (found[0] == sketch(document.tolist(), 16).hashvalues).all()
    assert (found[1] == EMPTY).all()
    assert (found[2] == sketch(document[:3].tolist(), 16).hashvalues).all()


@given(documents, documents)
def test_the_signature_of_a_union_is_the_elementwise_minimum(one, other):
    left, right, union = sign([one, other, one + other], num_perm=32)
    assert (union == np.minimum(left, right)).all()


@given(documents, st.randoms())
def test_neither_order_nor_repetition_counts(document, random):
    shuffled = document + document[:3]
    random.shuffle(shuffled)
    one, other = sign([document, shuffled], num_perm=32)
    assert (one == other).all()


@given(documents)
def test_datasketch_and_back_is_the_identity(document):
    (signature,) = sign([document])
    assert (from_datasketch(to_datasketch(signature)) == signature).all()
    assert to_datasketch(signature) == sketch(document)


@pytest.mark.parametrize("jaccard", [0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
def test_an_estimate_lies_within_four_standard_errors(jaccard):
    n_pairs, n_union, num_perm = (5, 100, 128) if config.DISABLE_JIT else (200, 400, 128)
    error = np.sqrt(jaccard * (1 - jaccard) / num_perm)
    estimates = []
    for union in random_shingles(n_pairs, n_union):
        n_shared = round(jaccard * n_union)
        middle = (n_union - n_shared) // 2
        one, other = union[: n_shared + middle], [*union[:n_shared], *union[n_shared + middle :]]
        assert reference.jaccard(one, other) == pytest.approx(jaccard)
        estimates.append(estimate_jaccard(*sign([one, other], num_perm=num_perm)))
    assert np.abs(np.array(estimates) - jaccard).max() <= 4 * error
    # The mean of many has a smaller error, so that a bias would show.
    assert abs(np.mean(estimates) - jaccard) <= 4 * error / np.sqrt(n_pairs)


def random_shingles(*shape):
    """Return seeded shingles, all different."""
    return np.random.default_rng(7).integers(2**64, size=shape, dtype=np.uint64).tolist()


# --- edges ---


def test_no_documents():
    assert sign([]).shape == (0, 128)


def test_only_the_low_half_of_a_shingle_counts():
    one, other = sign([[5], [5 + (9 << 32)]])
    assert (one == other).all()


def test_datasketch_works_on_our_signatures(seeds):
    body, page = (to_datasketch(sign([shingle(text)])[0]) for text in seeds)
    assert body.jaccard(page) == pytest.approx(0.42, abs=4 * 0.044)
    index = MinHashLSH(params=(64, 2), num_perm=128)
    index.insert("body", body)
    assert index.query(page) == ["body"]


def test_datasketch_refuses_to_compare_seeds():
    (signature,) = sign([[1, 2, 3]])
    with pytest.raises(ValueError, match="seed"):
        to_datasketch(signature, seed=1).jaccard(to_datasketch(signature, seed=2))


@pytest.mark.parametrize("scheme", ["affine64", "legacy"])
def test_signatures_of_another_scheme_are_refused(scheme):
    with pytest.raises(InvalidInput, match=f"must have scheme 'affine32', got '{scheme}'"):
        from_datasketch(MinHash(scheme=scheme))


def test_a_signature_from_datasketch_is_a_copy():
    minhash = sketch([1, 2, 3])
    signature = from_datasketch(minhash)
    minhash.update(4)
    assert (signature == sketch([1, 2, 3]).hashvalues).all()


@pytest.mark.parametrize("num_perm", [16, 64, 128])
def test_repetitions_are_signed_as_other_values(num_perm):
    settings = Settings(num_perm=num_perm)
    varied = " ".join(f"w{i}" for i in range(300))
    repeated, longer = "ab cd " * 300, "ab cd " * 400
    texts = [text.encode() for text in (varied, repeated, longer, "ab cd ab cd ab cd", "")]
    found = minhash.sketch(texts, settings)
    plain = signatures(shingle(varied), np.array([0, 296]), num_perm=num_perm, seed=1)
    assert (found.signatures[0] == plain[0]).all()
    # Of 596 and 796 values, all of the fewer are shared; of sets, two of two would be.
    shared = estimate_jaccard(found.signatures[1], found.signatures[2])
    assert abs(shared - 596 / 796) < 4 * (0.75 * 0.25 / num_perm) ** 0.5
    assert estimate_jaccard(found.signatures[0], found.signatures[1]) < 0.2
    # Alone or in company, and on whatever rows, a text has the same signature.
    for number, text in enumerate(texts):
        assert (minhash.sketch([text], settings).signatures[0] == found.signatures[number]).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=300))
def test_repetitions_are_numbered(values):
    hashes = np.array(values, np.uint64)
    numbered = minhash._numbered(hashes)
    assert np.unique(numbered & np.uint64(2**32 - 1)).size == len(values)
    assert set(values) <= set(numbered.tolist())


@pytest.mark.parametrize(("share", "has_repetitions"), [(0.35, True), (0.65, False)])
def test_a_text_repeats_itself_where_less_than_half_of_it_is_new(share, has_repetitions):
    """As far as the estimate from 128 values tells, which may be off by a tenth."""
    n_new = round(1000 * share)
    words = [f"w{i}" for i in range(n_new)] + ["same"] * (1000 - n_new)
    text = " ".join(words)
    hashes = shingle(text)
    as_set = signatures(hashes, np.array([0, hashes.size]))
    found = minhash.sketch([text.encode()], Settings()).signatures
    assert (found != as_set).any() == has_repetitions

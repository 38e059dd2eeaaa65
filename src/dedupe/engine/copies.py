"""Finds identical copies: documents with the same tokens, which are compared once.

Digests of tokens are public, and texts can be made to have equal ones. So what is not the same
byte for byte is looked at more closely, by hashes that only this process knows.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import numpy as np
import xxhash

from dedupe.arrays import Bools, Floats, Hashes, Ints, part
from dedupe.engine.spill import Texts
from dedupe.shingling import hash_encoded
from dedupe.spans import split_copies

__all__ = ["first_copies"]

SEALED_AT_ONCE = 1 << 20
"""Bytes of text whose tokens are hashed again at once."""


def first_copies(
    digests: Hashes,
    rows: Ints,
    texts: Texts,
    is_old: Bools,
    *,
    dates: Floats,
    window: timedelta | None,
) -> Ints:
    """Return, for each document, the first with the same tokens, old ones before others.

    Parameters
    ----------
    digests : uint64 [shape=(n_docs, 2)]
        Of the public hashes of their tokens.
    rows : int64 [shape=(n_docs,)]
        Where their texts are kept.
    texts : Texts
    is_old : bool [shape=(n_docs,)]
    dates : float64 [shape=(n_docs,)]
        The times that a window goes by, NaN where there is none.
    window : timedelta, optional
        Copies are one document only as long as they follow each other within it.
    """
    keys = _told_apart(digests, rows, texts)
    if window is not None:
        copies = _first_equal(keys, np.zeros(len(rows), np.bool_))
        keys = split_copies(copies, dates, window).astype(np.uint64)[:, None]
    return _first_equal(keys, is_old)


def _told_apart(digests: Hashes, rows: Ints, texts: Texts) -> Hashes:
    """Return digests that differ where words do, though texts were made to have equal ones.

    They are to be compared within this process alone. Parameters are those of `first_copies`.
    """
    first = _first_equal(digests, np.zeros(rows.size, np.bool_))
    # What is the same byte for byte needs no closer look.
    odd = first[_differing(first, rows, texts)]
    told = digests.copy() if odd.size else digests
    numbers = np.flatnonzero(np.isin(first, odd))
    done = 0
    for encoded in _in_batches(texts.read([row])[0] for row in rows[numbers].tolist()):
        some = numbers[done : done + len(encoded)]
        # Seals are short, and only tell apart what has equal digests.
        told[some, 1] ^= _digests_of_seals(encoded)
        done += len(encoded)
    return told


def _in_batches(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield texts in lists of SEALED_AT_ONCE each."""
    batch: list[bytes] = []
    n_bytes = 0
    for text in texts:
        batch.append(text)
        n_bytes += len(text)
        if n_bytes >= SEALED_AT_ONCE:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _digests_of_seals(encoded: Sequence[bytes]) -> Hashes:
    """Return a number for each text, equal in this process where all tokens are equal."""
    tokens = hash_encoded(encoded, detail=True, spans=False)
    assert tokens.seals is not None
    seals = [tokens.seals[part(tokens.offsets, d)] for d in range(len(encoded))]
    return np.array([xxhash.xxh3_64_intdigest(some.tobytes()) for some in seals], np.uint64)


def _differing(first: Ints, rows: Ints, texts: Texts) -> Ints:
    """Return the copies that are not the same as the first of them, byte for byte."""
    copies = np.flatnonzero(first != np.arange(first.size))
    copies = copies[np.argsort(first[copies], kind="stable")]
    differing = []
    held, original = -1, b""
    for copy, earlier in zip(copies.tolist(), first[copies].tolist(), strict=True):
        if earlier != held:
            held, (original,) = earlier, texts.read([int(rows[earlier])])
        (text,) = texts.read([int(rows[copy])])
        if text != original:
            differing.append(copy)
    return np.array(differing, np.int64)


def _first_equal(digests: Hashes, is_old: Bools) -> Ints:
    """Return, for each row, the first row that is equal to it, old ones before others."""
    order = np.lexsort((~is_old, *digests.T[::-1]))
    ranked = digests[order]
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    # The sort is stable, so the first of a group is the least.
    first = np.empty(len(order), np.int64)
    first[order] = order[is_new][np.cumsum(is_new) - 1]
    return first

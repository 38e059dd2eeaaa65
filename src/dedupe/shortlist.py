"""Leaves a document that resembles very many others a little with the best of those.

Pages put together of phrases that hundreds of others have too share a fifth of their shingles
with nearly all of them. Each of their crowded buckets has anchors of its own (`dedupe.lsh`), and
so a page has up to two candidates for each value of its signature, none of which tells more of
the shared phrases than the next. A copy among them agrees in more values than a stranger does.

Which pairs stay hangs on the two documents and the other candidates of the smaller one alone.
Pairs that are not *weak* always stay; of the copies of a story `dedupe.crowds` takes care.
"""

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Floats, Hashes, Ints

__all__ = ["BEST", "MANY", "WEAK", "likeness", "shortlisted"]

WEAK = 0.25
"""Estimated cosine similarity below which a pair may be left out.

Near-copies of a crowd have two thirds and more. With 0.3 or 0.4 three pairs of advisories more are
taken for one story than with 0.25 or 0.2.
"""

MANY, BEST = 100, 32
"""A document with more than MANY weak pairs with larger ones keeps the BEST of these.

Of 100,000 documents of the made crawl 48 have as many candidates at all, of 6,000 pages put
together of the same phrases 5,476.
"""

AT_ONCE = 1 << 14
"""Pairs of signatures that are compared at once, 16 MB."""


def likeness(n_equal: Ints, n_perm: int, a: Ints, b: Ints) -> Floats:
    """Return the cosine similarity of sets of shingles, as signatures tell it.

    Where ``n_equal`` of ``n_perm`` values agree, ``J / (1 + J)`` of the sum of both sizes, `a` and
    `b`, is shared.

    >>> likeness(np.array([32]), 128, np.array([500]), np.array([500])).tolist()
    [0.4]
    """
    found: Floats = n_equal / (n_perm + n_equal) * (a + b) / np.sqrt(a * b)
    return found


def shortlisted(
    pairs: npt.NDArray[np.int32],
    signatures: npt.NDArray[np.uint32],
    rows: Ints,
    sizes: Ints,
    contents: Hashes,
) -> npt.NDArray[np.int32]:
    """Return candidates without those that are too many.

    Parameters
    ----------
    pairs : int32 [shape=(n_pairs, 2)]
        As `dedupe.lsh.candidate_pairs` returns them, none of an old document.
    signatures, rows, sizes, contents
        As that takes them. Of pairs equally alike those with the smaller document stay.
    """
    has_many = np.bincount(pairs[:, 1], minlength=sizes.size) > MANY
    if not has_many.any():
        return pairs
    places = np.flatnonzero(has_many[pairs[:, 1]])
    likenesses = _likenesses(pairs[places], signatures, rows, sizes)
    is_weak = likenesses < WEAK
    places, likenesses = places[is_weak], likenesses[is_weak]
    ranks = np.empty(sizes.size, np.int64)
    ranks[np.lexsort((contents, sizes))] = np.arange(sizes.size)
    larger, smaller = pairs[places].T
    is_kept = np.ones(len(pairs), np.bool_)
    is_kept[places] = _stay(smaller, likenesses, ranks[larger])
    return pairs[is_kept]


def _stay(smaller: AnyInts, likenesses: Floats, ranks: Ints) -> Bools:
    """Return which weak pairs stay, given the rank by size of the larger documents."""
    order = np.lexsort((ranks, -likenesses, smaller))
    starts = np.flatnonzero(np.diff(smaller[order], prepend=-1))
    counts = np.diff(np.append(starts, order.size))
    places = np.arange(order.size) - np.repeat(starts, counts)
    found = np.empty(order.size, np.bool_)
    found[order] = (places < BEST) | (np.repeat(counts, counts) <= MANY)
    return found


def _likenesses(
    pairs: AnyInts, signatures: npt.NDArray[np.uint32], rows: Ints, sizes: Ints
) -> Floats:
    """Return how alike pairs are, a few signatures at a time."""
    n_equal = np.empty(len(pairs), np.int64)
    for start in range(0, len(pairs), AT_ONCE):
        few = slice(start, start + AT_ONCE)
        left, right = (signatures[rows[side]] for side in pairs[few].T)
        n_equal[few] = np.count_nonzero(left == right, axis=1)
    a, b = sizes[pairs].T
    return likeness(n_equal, signatures.shape[1], a, b)

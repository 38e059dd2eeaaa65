"""Turns signatures into candidate pairs: a MinHash index banded for recall.

The scorer wants pairs of high *containment*, whose Jaccard similarity may be as low
as 0.05, so a band is a single value: rows of two would already miss half of the
pairs at 0.1. What keeps this from comparing everything with everything:

- a bucket of more than `bucket_cap` documents links each of them to its two largest
  only, so that a phrase in every document, or a mass copy, costs linear work;
- a pair is dropped when its signatures say that its cosine similarity cannot reach
  `COSINE_FLOOR`, even if the estimate is two standard errors too low: nearly always by
  a byte of each value, as soon as it turns up, and else when all pairs are known.

Indyk & Motwani 1998; Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, 3.4.
Whether a candidate is a duplicate is left to `dedupe.scoring.score`.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Floats, Hashes, Ints, keys_of
from dedupe.kernels.buckets import (
    DIGIT_BITS,
    DIGITS,
    LINE,
    columns_into,
    count_emissions,
    count_mixed,
    distinct_into,
    emit_mixed_into,
    emit_pairs_into,
    keep_possible,
    keep_possible_by_bytes,
    low_bytes_into,
    sort_into,
)
from dedupe.spans import Spans
from dedupe.threads import map_in_order

__all__ = [
    "COSINE_FLOOR",
    "candidate_pairs",
    "emit",
    "likely_shares",
    "within_buckets",
]

COSINE_FLOOR = 0.1
"""Shared shingles over the geometric mean of both sizes that make a pair worth scoring.

A story that is a tenth of two pages of one size reaches it, and so does a bare
story in a page up to a hundred times its size. A floor on
containment would let a phrase in a short text pass for a part of any long page.
"""

Z = 2.0
"""Standard errors of doubt in favour of a pair; with three there are twice as many pairs."""

MERGE_AT = 1 << 23
"""Pairs that may wait, with repetitions, until they are made unique: 64 MB."""

ESTIMATED_AT_ONCE = 1 << 16
"""Pairs that a thread looks up the signatures of, which takes some milliseconds."""

TEACHERS = 1 << 12
"""Old documents that are paired with one another, to learn boilerplate from.

They are drawn by what they say, so that new ones do not change the choice. What a thousandth
of the old collection carries stands in four of them. To pair all of 20,000 old pages takes ten
times as long as to hold 500 new ones against them.
"""


def candidate_pairs(
    signatures: npt.NDArray[np.uint32],
    sizes: Ints,
    *,
    contents: Hashes | None = None,
    rows: Ints | None = None,
    is_old: Bools | None = None,
    bucket_cap: int = 30,
    floor: float | None = None,
    spans: Spans | None = None,
    workers: int = 1,
) -> npt.NDArray[np.int32]:
    """Return the pairs of documents that share a value of their signatures.

    Parameters
    ----------
    signatures : uint32 [shape=(n_rows, num_perm)]
    sizes : int64 [shape=(n_docs,)]
        Shingles in each document. Documents without any are in no pair.
    contents : uint64 [shape=(n_docs,)], optional
        What each document says, as one number. Of two documents of equal size the one
        with the greater number counts as the larger; without it, the later one does,
        and then the order of documents may matter.
    rows : int64 [shape=(n_docs,)], optional
        Row of each document among the signatures; all rows in order by default.
    is_old : bool [shape=(n_docs,)], optional
        Documents of an old collection, which others are held against. Buckets then link
        the new among themselves, TEACHERS of the old among themselves, and each new document to
        the old ones, so that no pair with an old document depends on which others are new. Of
        such a pair the old one comes first.
    bucket_cap : int, at least 2
    floor : float, in [0, 1], optional
        Cosine similarity below which a pair is of no interest, COSINE_FLOOR by default.
    spans : Spans, optional
        When each document came up: only pairs within the window are returned. Large buckets
        also link documents to the largest of their time, or a text that comes back each
        year would be linked to those of another year alone.
    workers : int
        Threads.

    Returns
    -------
    int32 [shape=(n_pairs, 2)]
        Document numbers, the larger document first, ordered by it.

    Examples
    --------
    >>> signatures = np.uint32([[1, 2, 3], [1, 2, 4], [7, 8, 9]])
    >>> candidate_pairs(signatures, np.array([10, 20, 10])).tolist()
    [[1, 0]]
    """
    floor = COSINE_FLOOR if floor is None else floor
    rows = np.arange(len(signatures)) if rows is None else rows
    # Ranks by size put the largest documents of a bucket at its end, the old ones behind all.
    by_rank = (
        np.argsort(sizes, kind="stable") if contents is None else np.lexsort((contents, sizes))
    )
    if is_old is not None:
        by_rank = by_rank[np.argsort(is_old[by_rank], kind="stable")]
    by_rank = by_rank[sizes[by_rank] > 0]
    n_new = None if is_old is None else int(np.count_nonzero(~is_old[by_rank]))
    teaches = None if n_new is None else _teachers(by_rank, n_new, contents)
    ranked_rows, ranked_sizes = rows[by_rank], sizes[by_rank]
    shares = likely_shares(signatures.shape[1])
    low_bytes = np.empty((by_rank.size, -(-signatures.shape[1] // 8)), np.uint64)
    low_bytes_into(signatures, ranked_rows, low_bytes)
    ranked_spans = None if spans is None else spans.take(by_rank)
    slices = [] if ranked_spans is None else _slices(ranked_spans, n_new)

    def pairs_of(values: npt.NDArray[np.uint32]) -> Hashes:
        """Return the pairs of one band, whose values are given by rank, and few that fall later."""
        emitted = emit(values, bucket_cap, n_new, teaches)
        if ranked_spans is not None:
            more = _emit_in_slices(values, bucket_cap, slices, n_new, teaches)
            near = (part[ranked_spans.are_near(_ranks(part))] for part in (emitted, *more))
            emitted = _distinct([*near], by_rank.size)
        n_kept = keep_possible_by_bytes(emitted, low_bytes, ranked_sizes, shares, floor)
        return emitted[:n_kept].copy()

    def possible(pairs: Hashes) -> Hashes:
        """Return those of some pairs whose signatures say that they may reach the floor."""
        return pairs[: keep_possible(pairs, signatures, ranked_rows, ranked_sizes, shares, floor)]

    found = np.empty(0, np.uint64)
    waiting: list[Hashes] = []
    n_waiting = 0
    for pairs in map_in_order(pairs_of, _bands(signatures, ranked_rows), workers):
        waiting.append(pairs)
        n_waiting += pairs.size
        if n_waiting > max(MERGE_AT, found.size):
            found, waiting, n_waiting = _distinct([found, *waiting], by_rank.size), [], 0
    packed = _distinct([found, *waiting], by_rank.size)
    parts = np.array_split(packed, packed.size // ESTIMATED_AT_ONCE + 1)
    packed = np.concatenate([*map_in_order(possible, parts, workers)])
    numbers = np.empty((packed.size, 2), np.int32)
    numbers[:, 0] = by_rank[packed & np.uint64(0xFFFFFFFF)]
    numbers[:, 1] = by_rank[packed >> np.uint64(32)]
    # Both halves are of equal width, so that the pairs sort as single numbers.
    in_order = (numbers[:, 0].astype(np.uint64) << np.uint64(32)) | numbers[:, 1].astype(np.uint64)
    return numbers[np.argsort(in_order)]


def _teachers(by_rank: Ints, n_new: int, contents: Hashes | None) -> Bools:
    """Return, by rank, which documents may be paired with others of their kind."""
    teaches = np.ones(by_rank.size, np.bool_)
    old = by_rank[n_new:]
    drawn = np.argsort(old if contents is None else contents[old], kind="stable")
    teaches[n_new + drawn[TEACHERS:]] = False
    return teaches


def emit(
    values: npt.NDArray[np.uint32],
    bucket_cap: int,
    n_new: int | None = None,
    teaches: Bools | None = None,
) -> Hashes:
    """Return the pairs of documents that share a value of one band.

    It takes no signatures: those may be elsewhere.

    Parameters
    ----------
    values : uint32 [shape=(n_docs,)]
        By rank; the greatest ranks of a crowded bucket are its anchors.
    bucket_cap : int, at least 2
    n_new : int, optional
        The rank from which on documents are old. New and old ones are then in buckets
        of their own, and each new document is linked to the old ones besides.
    teaches : bool [shape=(n_docs,)], optional
        By rank; old documents that are in such buckets of their own, all by default.

    Returns
    -------
    uint64 [shape=(n_pairs,)]
        The lesser rank in the high half, the greater in the low half.

    Examples
    --------
    >>> [divmod(pair, 1 << 32) for pair in emit(np.uint32([7, 8, 7]), 30).tolist()]
    [(0, 2)]
    """
    keys, scratch = np.empty((2, values.size), np.uint64)
    sort_into(values, np.empty((DIGITS, 1 << DIGIT_BITS), np.int64), scratch, keys)
    if n_new is None:
        return within_buckets(keys, bucket_cap)
    ranks = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    is_old = ranks >= n_new
    is_taught = is_old if teaches is None else is_old & teaches[ranks]
    mixed = np.empty(count_mixed(keys, bucket_cap, n_new), np.uint64)
    emit_mixed_into(keys, bucket_cap, n_new, mixed)
    alike = (within_buckets(keys[chosen], bucket_cap) for chosen in (~is_old, is_taught))
    return np.concatenate([mixed, *alike])


def within_buckets(keys: Hashes, bucket_cap: int) -> Hashes:
    """Return the pairs of buckets whose documents are all new, or all old.

    Parameters
    ----------
    keys : uint64 [shape=(n_docs,)], sorted
        The bucket in the high half, the rank of the document in the low half.
    bucket_cap : int, at least 2

    Returns
    -------
    uint64 [shape=(n_pairs,)]
        As `emit` returns them.
    """
    pairs = np.empty(count_emissions(keys, bucket_cap), np.uint64)
    return pairs[: emit_pairs_into(keys, bucket_cap, pairs)]


def _slices(spans: Spans, n_new: int | None) -> list[tuple[Ints, Ints]]:
    """Return ranks of documents, and the slice of time of each, for several ways to cut time.

    Two documents within the window share a slice of twice its length, and in a slice of its
    own length all are within it. Either is cut a second time, half a slice later: nothing near
    is parted by both. What has no time comes last in a slice of all, and of old documents, so
    that it anchors it.
    """
    is_undated = np.isinf(spans.starts)
    dated = np.flatnonzero(~is_undated)
    found = []
    for length in (spans.window, 2 * spans.window):
        for shift in (0, 0.5):
            _, slice_of = np.unique(
                np.floor(spans.starts[dated] / length + shift), return_inverse=True
            )
            found.append((dated, slice_of))
    if is_undated.any():
        ranks = np.arange(is_undated.size)
        sides = (is_undated,) if n_new is None else (is_undated, ranks >= n_new)
        everything = np.lexsort(sides)
        found.append((everything, np.zeros(everything.size, np.int64)))
    return found


def _emit_in_slices(
    values: npt.NDArray[np.uint32],
    bucket_cap: int,
    slices: Sequence[tuple[Ints, Ints]],
    n_new: int | None,
    teaches: Bools | None,
) -> Iterator[Hashes]:
    """Yield, as `emit` does, the pairs of crowded buckets that are cut into slices of time."""
    _, bucket_of, sizes = np.unique(values, return_inverse=True, return_counts=True)
    is_crowded = sizes[bucket_of] > bucket_cap
    for documents, slice_of in slices:
        chosen = is_crowded[documents]
        ranks = documents[chosen]
        keys = bucket_of[ranks].astype(np.uint64) << np.uint64(32)
        keys |= slice_of[chosen].astype(np.uint64)
        _, part_of = np.unique(keys, return_inverse=True)
        # The old ones come last in each slice, as they do among all ranks.
        n_new_here = None if n_new is None else int(np.count_nonzero(ranks < n_new))
        taught = None if teaches is None else teaches[ranks]
        pairs = emit(part_of.astype(np.uint32), bucket_cap, n_new_here, taught)
        yield keys_of(ranks[_ranks(pairs)])


def _ranks(pairs: Hashes) -> Ints:
    """Return pairs of ranks that are packed into one number each."""
    sides = np.stack([pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)], axis=1)
    return sides.astype(np.int64)


@lru_cache(maxsize=4)
def likely_shares(n_perm: int) -> Floats:
    """Return what share of both sizes may be shared, by how many values of signatures agree.

    The Jaccard similarity ``J`` is estimated from them and raised by `Z` standard errors;
    then ``J / (1 + J)`` of the sum of both sizes is shared.

    >>> likely_shares(128)[[0, 1, 128]].round(3).tolist()
    [0.0, 0.023, 0.5]
    """
    jaccard = np.arange(n_perm + 1) / n_perm
    jaccard += Z * np.sqrt(jaccard * (1 - jaccard) / n_perm)
    shares: Floats = jaccard / (1 + jaccard)
    return shares


def _distinct(parts: Sequence[Hashes], n_docs: int) -> Hashes:
    """Return the pairs of some arrays in order, each once."""
    pairs = np.concatenate(parts)
    n_distinct = distinct_into(pairs, np.empty(n_docs, np.int64), np.empty_like(pairs))
    return pairs[:n_distinct].copy()


def _bands(signatures: npt.NDArray[np.uint32], rows: Ints) -> Iterator[npt.NDArray[np.uint32]]:
    """Yield the columns of some rows, a cache line of them read at once."""
    n_perm = signatures.shape[1]
    for first in range(0, n_perm, LINE):
        columns = np.empty((min(LINE, n_perm - first), rows.size), np.uint32)
        columns_into(signatures, rows, first, columns)
        yield from columns

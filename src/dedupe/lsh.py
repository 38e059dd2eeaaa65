"""Turns signatures into candidate pairs: a MinHash index banded for recall.

The scorer wants pairs of high *containment*, whose Jaccard similarity may be as low
as 0.05, so a band is a single value: rows of two would already miss half of the
pairs at 0.1. What keeps this from comparing everything with everything:

- a bucket of more than `bucket_cap` documents links each of them to its two largest
  only, so that a phrase in every document, or a mass copy, costs linear work;
- a pair is dropped when its signatures say that its cosine similarity cannot reach
  `COSINE_FLOOR`, even if the estimate is two standard errors too low: nearly always by
  a byte of each value, as soon as it turns up, and else when all pairs are known;
- *common* values, which more than twice `bucket_cap` documents have, leave a quarter of that
  doubt, unless half of the smaller document may be shared. They are phrases as a rule, and the
  larger a collection, the more strangers share some: half of the candidates of a million.

Indyk & Motwani 1998; Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, 3.4.
Whether a candidate is a duplicate is left to `dedupe.scoring.score`.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import HALF, LOW_HALF, Bools, Floats, Hashes, Ints, keys_of
from dedupe.kernels.buckets import (
    BANDS_AT_ONCE,
    DIGIT_BITS,
    DIGITS,
    LINE,
    columns_into,
    count_emissions,
    count_mixed,
    deal_into,
    distinct_into,
    emit_mixed_into,
    emit_pairs_into,
    keep_possible,
    keep_possible_by_bytes,
    low_bytes_into,
    mark_common_into,
    sort_into,
)
from dedupe.spans import Spans
from dedupe.threads import map_in_order

__all__ = [
    "COMMON",
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

Z, LITTLE = 2.0, 0.5
"""Standard errors of doubt in favour of a pair by rare values, and by those that are common.

With three by all of them there are twice as many pairs. With two by common ones, too, there are
twice as many among a million documents of the made crawl, and as many clusters among 300,000.
"""

COMMON = 2
"""A value is common that more than so many times `bucket_cap` documents have.

A phrase of two stories of thirty copies each is not: that both have it teaches that it belongs to
neither, and with 1 the two are mixed up in one of the development collections.
"""

MERGE_AT = 1 << 23
"""Pairs that may wait, with repetitions, until they are made unique: 64 MB."""

RANGES = 16
"""Pairs are made unique by so many ranges of their lesser document, each in a thread."""

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
    documents, n_new, teaches = _ranked(sizes, contents, is_old)
    estimate = _Estimate.of(signatures, rows[documents], sizes[documents], floor)
    spans = None if spans is None else spans.take(documents)
    slices = [] if spans is None else _slices(spans, n_new)

    def pairs_of(first: int, columns: npt.NDArray[np.uint32]) -> list[Hashes]:
        """Return the pairs of some bands, of which the first is given by its number, by ranges."""
        bands = range(first, first + len(columns))
        return _dealt(np.concatenate([*map(pairs_of_band, bands, columns)]), documents.size)

    def pairs_of_band(band: int, values: npt.NDArray[np.uint32]) -> Hashes:
        """Return the pairs of one band, whose values are given by rank, and few that fall later."""
        keys = _keys_of_band(values)
        # Who is old, or comes at another time, may not decide who is held against whom.
        if n_new is None and spans is None:
            mark_common_into(keys, COMMON * bucket_cap, band, estimate.common)
        emitted = _emitted(keys, bucket_cap, n_new, teaches)
        if spans is not None:
            more = _emit_in_slices(values, bucket_cap, slices, n_new, teaches)
            near = (part[spans.in_window(_ranks(part))] for part in (emitted, *more))
            emitted = _distinct([*near], documents.size)
        return estimate.possible_by_bytes(emitted)

    found = map_in_order(lambda few: pairs_of(*few), _bands(signatures, estimate.rows), workers)
    ranges = _merged(found, documents.size, workers)
    packed = np.concatenate([*map_in_order(estimate.possible, ranges, workers)])
    return _numbers(packed, documents)


class _Ranked(NamedTuple):
    """Documents by rank.

    Attributes
    ----------
    documents : int64 [shape=(n_ranks,)]
        Those with a shingle: the largest come at the end of each bucket, the old ones behind all.
    n_new : int or None
        The rank from which on they are old; None where there are no old ones.
    teaches : bool [shape=(n_ranks,)] or None
        Which may be paired with others of their kind; None where there are no old ones.
    """

    documents: Ints
    n_new: int | None
    teaches: Bools | None


def _ranked(sizes: Ints, contents: Hashes | None, is_old: Bools | None) -> _Ranked:
    """Return documents by rank; parameters are those of `candidate_pairs`."""
    by_rank = (
        np.argsort(sizes, kind="stable") if contents is None else np.lexsort((contents, sizes))
    )
    if is_old is None:
        return _Ranked(by_rank[sizes[by_rank] > 0], None, None)
    by_rank = by_rank[np.argsort(is_old[by_rank], kind="stable")]
    by_rank = by_rank[sizes[by_rank] > 0]
    n_new = int(np.count_nonzero(~is_old[by_rank]))
    return _Ranked(by_rank, n_new, _teachers(by_rank, n_new, contents))


class _Estimate(NamedTuple):
    """What signatures say of pairs, given as ranks: whether they may reach the floor.

    Attributes
    ----------
    signatures : uint32 [shape=(n_rows, num_perm)]
    rows, sizes : int64 [shape=(n_ranks,)]
        Row of each document among the signatures, and its shingles.
    floor : float
    shares : float64 [shape=(2, num_perm + 1)]
        See `likely_shares`.
    low_bytes : uint64 [shape=(n_ranks, n)]
        The low byte of each value, eight in a number.
    common : uint8 [shape=(n_ranks, n)]
        Which values are common, as far as bands are done; see `mark_common_into`.
    """

    signatures: npt.NDArray[np.uint32]
    rows: Ints
    sizes: Ints
    floor: float
    shares: Floats
    low_bytes: Hashes
    common: npt.NDArray[np.uint8]

    @classmethod
    def of(
        cls, signatures: npt.NDArray[np.uint32], rows: Ints, sizes: Ints, floor: float
    ) -> "_Estimate":
        """Take up the low bytes of all values."""
        n_perm = signatures.shape[1]
        low_bytes = np.empty((rows.size, -(-n_perm // 8)), np.uint64)
        low_bytes_into(signatures, rows, low_bytes)
        common = np.zeros((rows.size, -(-n_perm // BANDS_AT_ONCE)), np.uint8)
        return cls(signatures, rows, sizes, floor, likely_shares(n_perm), low_bytes, common)

    def possible_by_bytes(self, pairs: Hashes) -> Hashes:
        """Return those of some pairs that may reach the floor, by the low bytes alone."""
        n_kept = keep_possible_by_bytes(pairs, self.low_bytes, self.sizes, self.shares, self.floor)
        return pairs[:n_kept].copy()

    def possible(self, pairs: Hashes) -> Hashes:
        """Return those of some pairs that may reach the floor, once all bands are done."""
        known = self.signatures, self.rows, self.sizes, self.common, self.shares
        return pairs[: keep_possible(pairs, *known, self.floor)]


def _dealt(pairs: Hashes, n_docs: int) -> list[Hashes]:
    """Return pairs of ranks by ranges of the lesser one."""
    dealt, ends = np.empty_like(pairs), np.empty(RANGES, np.int64)
    deal_into(pairs, n_docs, ends, dealt)
    return np.split(dealt, ends[:-1])


def _merged(found: Iterable[list[Hashes]], n_docs: int, workers: int) -> Iterator[Hashes]:
    """Yield the pairs of all bands in order, each once, a range after the other."""
    waiting = [[np.empty(0, np.uint64)] for _ in range(RANGES)]
    n_waiting = n_merged = 0
    for dealt in found:
        for parts, part in zip(waiting, dealt, strict=True):
            parts.append(part)
        n_waiting += sum(part.size for part in dealt)
        if n_waiting > max(MERGE_AT, n_merged):
            # Few wait to be made unique.
            waiting = [[pairs] for pairs in _each_distinct(waiting, n_docs, workers)]
            n_waiting, n_merged = 0, sum(pairs.size for (pairs,) in waiting)
    yield from _each_distinct(waiting, n_docs, workers)


def _each_distinct(ranges: list[list[Hashes]], n_docs: int, workers: int) -> Iterator[Hashes]:
    """Yield the pairs of each range in order, each once."""
    yield from map_in_order(lambda parts: _distinct(parts, n_docs), ranges, workers)


def _numbers(packed: Hashes, documents: Ints) -> npt.NDArray[np.int32]:
    """Return pairs of ranks as document numbers, the larger document first, ordered by it."""
    # Both halves are of equal width, so that the pairs sort as single numbers.
    documents = documents.astype(np.uint64)
    in_order = documents[packed & LOW_HALF]
    in_order <<= HALF
    in_order |= documents[packed >> HALF]
    in_order.sort()
    numbers = np.empty((packed.size, 2), np.int32)
    numbers[:, 0] = in_order >> HALF
    numbers[:, 1] = in_order & LOW_HALF
    return numbers


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
    return _emitted(_keys_of_band(values), bucket_cap, n_new, teaches)


def _keys_of_band(values: npt.NDArray[np.uint32]) -> Hashes:
    """Return the values of a band in the high half, sorted, and their ranks in the low half."""
    keys, scratch = np.empty((2, values.size), np.uint64)
    sort_into(values, np.empty((DIGITS, 1 << DIGIT_BITS), np.int64), scratch, keys)
    return keys


def _emitted(keys: Hashes, bucket_cap: int, n_new: int | None, teaches: Bools | None) -> Hashes:
    """Return what `emit` does, given the keys of a band."""
    if n_new is None:
        return within_buckets(keys, bucket_cap)
    ranks = (keys & LOW_HALF).astype(np.int64)
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
        keys = bucket_of[ranks].astype(np.uint64) << HALF
        keys |= slice_of[chosen].astype(np.uint64)
        _, part_of = np.unique(keys, return_inverse=True)
        # The old ones come last in each slice, as they do among all ranks.
        n_new_here = None if n_new is None else int(np.count_nonzero(ranks < n_new))
        taught = None if teaches is None else teaches[ranks]
        pairs = emit(part_of.astype(np.uint32), bucket_cap, n_new_here, taught)
        yield keys_of(ranks[_ranks(pairs)])


def _ranks(pairs: Hashes) -> Ints:
    """Return pairs of ranks that are packed into one number each."""
    sides = np.stack([pairs >> HALF, pairs & LOW_HALF], axis=1)
    return sides.astype(np.int64)


@lru_cache(maxsize=4)
def likely_shares(n_perm: int) -> Floats:
    """Return what share of both sizes may be shared, by how many values of signatures agree.

    The Jaccard similarity ``J`` is estimated from them and raised, in the first row by LITTLE
    standard errors and in the second by `Z`; then ``J / (1 + J)`` of the sum of both sizes is
    shared.

    >>> likely_shares(128)[:, [0, 1, 128]].round(3).tolist()
    [[0.0, 0.012, 0.5], [0.0, 0.023, 0.5]]
    """
    jaccard = np.arange(n_perm + 1) / n_perm
    errors = np.sqrt(jaccard * (1 - jaccard) / n_perm)
    jaccard = jaccard + np.multiply.outer([LITTLE, Z], errors)
    shares: Floats = jaccard / (1 + jaccard)
    return shares


def _distinct(parts: Sequence[Hashes], n_docs: int) -> Hashes:
    """Return the pairs of some arrays in order, each once."""
    pairs = np.concatenate(parts)
    n_distinct = distinct_into(pairs, np.empty(n_docs, np.int64), np.empty_like(pairs))
    return pairs[:n_distinct].copy()


def _bands(
    signatures: npt.NDArray[np.uint32], rows: Ints
) -> Iterator[tuple[int, npt.NDArray[np.uint32]]]:
    """Yield a few columns of some rows at a time, with the number of the first of them.

    A cache line of them is read at once.
    """
    n_perm = signatures.shape[1]
    for first in range(0, n_perm, LINE):
        columns = np.empty((min(LINE, n_perm - first), rows.size), np.uint32)
        columns_into(signatures, rows, first, columns)
        for start in range(0, len(columns), BANDS_AT_ONCE):
            yield first + start, columns[start : start + BANDS_AT_ONCE]

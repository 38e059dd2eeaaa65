"""Counts how often two documents meet in a bucket: the first turn of `dedupe.spark.chunks`.

A *posting* says that a document has a value in a band. Those of one band, or of a range of its
values, are a *unit*, which is sorted in memory at once. Of a bucket whose value is common only the
anchors are remembered, as soon as that is known.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe.arrays import HALF, LOW_HALF, Hashes, Ints, distinct
from dedupe.kernels.buckets import N_ANCHORS
from dedupe.lsh import COMMON, within_buckets
from dedupe.spark.columns import batch, packed
from dedupe.spark.ranks import FIRST_BAND, Ranks

__all__ = ["TALLY", "UNIT", "counts_of", "met", "postings", "range_bits", "tallied"]

UNIT = "unit long, first long, values binary, gaps binary"
"""Postings of a unit, in the order of ranks; the first rank, and how far it is to each from the
one before."""

TALLY = "chunk long, kind int, gaps binary, greater binary, counts binary"
"""Pairs of ranks whose lesser is in a chunk, and how often each was counted."""

IN_UNIT = 1 << 21
"""Postings that a unit has on average, at most: 50 MB while they are sorted."""

UNITS_PER_PART = 8
"""Units for each partition, at least, so that partitions are of about one size."""

AT_ONCE = 1 << 22
"""Postings of a unit, or pairs of a task, that wait until they are made fewer."""

GAPS = np.dtype("<u2")


def range_bits(n_docs: int, n_perm: int, n_parts: int) -> int:
    """Return the bits of a value that tell its range: each band has two to that many.

    >>> range_bits(20_000, 128, 4), range_bits(10**9, 128, 2000)
    (0, 9)
    """
    n_ranges = max(n_docs / IN_UNIT, UNITS_PER_PART * n_parts / n_perm)
    return min(16, max(0, int(np.ceil(np.log2(max(n_ranges, 1))))))


def postings(
    ranks: Ranks, bits: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the postings of documents, those of a unit in a row."""
    for some in batches:
        if not some.num_rows:
            continue
        columns = some.select(["part", "place", "n", "signatures"]).to_pydict()
        n_docs = sum(columns["n"])
        data = b"".join(columns["signatures"])
        values = np.frombuffer(data, np.uint32).reshape(n_docs, -1).T.copy()
        chunk = np.int64(columns["part"][0]) << 32 | columns["place"][0]
        first = int(ranks.first_of(chunk))
        units = [
            (band << bits | number, first + places[0], values[band, places], places)
            for band in range(len(values))
            for number, places in _ranges(values[band], bits)
        ]
        yield batch(
            unit=pa.array([unit for unit, *_ in units], pa.int64()),
            first=pa.array([rank for _, rank, *_ in units], pa.int64()),
            values=packed(*(found for *_, found, _ in units)),
            # A batch has no more rows than two bytes can tell.
            gaps=packed(
                *(np.diff(places, prepend=places[0]).astype("<u2") for *_, places in units)
            ),
        )


def _ranges(values: npt.NDArray[np.uint32], bits: int) -> Iterator[tuple[int, Ints]]:
    """Yield the ranges of values that there are, and the places of those in each."""
    numbers = values.astype(np.int64) >> (32 - bits)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    for places in np.split(order, starts[1:]):
        yield int(numbers[places[0]]), places


def _gaps(numbers: Ints, before: int) -> npt.NDArray[np.uint16]:
    """Return how far it is from each of some ascending numbers to the one before it."""
    return np.diff(numbers, prepend=before).astype(GAPS)


class Met(NamedTuple):
    """What buckets say.

    Attributes
    ----------
    counted : uint64 [shape=(n,)]
        Pairs that share a bucket which is not crowded, once for each, as `dedupe.lsh.emit`
        packs them.
    linked : uint64 [shape=(n,)]
        Pairs of a document in a crowded bucket and one of its anchors.
    crowded : uint64 [shape=(n,)]
        Documents in crowded buckets, once for each.
    common : uint64 [shape=(n,)]
        Those of them whose value is common, once for each.
    """

    counted: Hashes
    linked: Hashes
    crowded: Hashes
    common: Hashes


NOBODY = np.empty(0, np.uint64)


def met(
    cap: int, some: Iterable[tuple[npt.NDArray[np.uint32], Ints]], at_once: int = AT_ONCE
) -> Iterator[Met]:
    """Yield who meets in the buckets of a unit that streams by.

    Parameters
    ----------
    cap : int, at least 2
    some : iterable of (values, ranks)
        Those of greater ranks come first, so that anchors do.
    at_once : int
        Postings that are remembered beside anchors, as long as no value of them is common.
    """
    waiting, n_waiting = [NOBODY], 0
    # The common values so far, and the anchors of the bucket of each.
    crowds, anchors = NOBODY, np.empty((0, N_ANCHORS), np.uint64)
    for values, ranks in some:
        keys = (values.astype(np.uint64) << HALF) | ranks.astype(np.uint64)
        if crowds.size:
            place = np.minimum(np.searchsorted(crowds, keys >> HALF), crowds.size - 1)
            is_known = crowds[place] == keys >> HALF
            late, keys = keys[is_known] & LOW_HALF, keys[~is_known]
            links = (late[:, np.newaxis] << HALF) | anchors[place[is_known]]
            yield Met(NOBODY, links.ravel(), late, late)
        waiting.append(keys)
        n_waiting += keys.size
        if n_waiting > at_once:
            left, common = _parted(waiting, COMMON * cap)
            yield _within([common], cap)
            more, its_anchors = _anchors(common)
            crowds, anchors = np.append(crowds, more), np.concatenate([anchors, its_anchors])
            order = np.argsort(crowds)
            crowds, anchors = crowds[order], anchors[order]
            waiting, n_waiting = [left], left.size
            at_once = max(at_once, 2 * left.size)
    yield _within(waiting, cap)


def _parted(waiting: Sequence[Hashes], most: int) -> tuple[Hashes, Hashes]:
    """Return the postings of buckets that have so many at most, and of those with more, sorted."""
    keys = np.concatenate(waiting)
    keys.sort()
    starts = _starts(keys)
    sizes = np.diff(np.append(starts, keys.size))
    is_large = np.repeat(sizes > most, sizes)
    return keys[~is_large], keys[is_large]


def _starts(keys: Hashes) -> Ints:
    """Return where buckets begin."""
    is_new = np.ones(keys.size, np.bool_)
    is_new[1:] = keys[1:] >> HALF != keys[:-1] >> HALF
    return np.flatnonzero(is_new)


def _anchors(crowded: Hashes) -> tuple[Hashes, Hashes]:
    """Return the values of some crowded buckets, and the anchors of each."""
    starts = _starts(crowded)
    ends = np.append(starts[1:], crowded.size) if starts.size else starts
    last = crowded[ends[:, np.newaxis] - np.arange(N_ANCHORS, 0, -1)]
    return crowded[starts] >> HALF, last & LOW_HALF


def _within(waiting: Sequence[Hashes], cap: int) -> Met:
    """Return who meets in whole buckets."""
    small, crowded = _parted(waiting, cap)
    _, common = _parted([crowded], COMMON * cap)
    links = within_buckets(crowded, cap)
    return Met(within_buckets(small, cap), links, crowded & LOW_HALF, common & LOW_HALF)


def tallied(
    cap: int, ranks: Ranks, bits: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield how often pairs met in the units of a partition.

    That a document is in a crowded bucket is told as if it met itself there, and that its value
    in a band is common as if it met what stands for that band; see `FIRST_BAND`.

    Parameters
    ----------
    cap : int, at least 2
    ranks : Ranks
    bits : int
        As `range_bits` returns them.
    batches : iterable of RecordBatch
        Postings; those of a unit follow each other, the greatest ranks first.
    """
    waiting: list[Met] = []
    n_waiting = 0
    rows = (row for some in batches for row in some.to_pylist())
    for number, unit in groupby(rows, itemgetter("unit")):
        band = np.uint64(FIRST_BAND - (number >> bits))
        for found in met(cap, map(_read, unit)):
            waiting.append(found._replace(common=(found.common << HALF) | band))
            n_waiting += sum(column.size for column in found)
            if n_waiting > AT_ONCE:
                yield _tally(waiting, ranks)
                waiting, n_waiting = [], 0
    if waiting:
        yield _tally(waiting, ranks)


def _read(row: dict[str, Any]) -> tuple[npt.NDArray[np.uint32], Ints]:
    """Return the values of a row of postings, and the ranks of their documents."""
    gaps = np.frombuffer(row["gaps"], GAPS)
    return np.frombuffer(row["values"], np.uint32), row["first"] + np.cumsum(gaps, dtype=np.int64)


def _tally(waiting: Sequence[Met], ranks: Ranks) -> pa.RecordBatch:
    """Return pairs with their counts, those whose lesser is in one chunk as a row."""
    counted, linked, crowded, common = map(np.concatenate, zip(*waiting, strict=True))
    linked, itself = distinct(linked), (crowded << HALF) | crowded
    tallies = [
        counts_of(counted),
        (linked, np.zeros(linked.size, np.int64)),
        counts_of(itself),
        (common, np.ones(common.size, np.int64)),
    ]
    keys, counts = (np.concatenate(column) for column in zip(*tallies, strict=True))
    order = np.argsort(keys)
    keys, counts = keys[order], counts[order].astype(np.uint16)
    lesser = (keys >> HALF).astype(np.int64)
    chunks = ranks.chunk_of(lesser)
    starts = np.flatnonzero(np.diff(chunks, prepend=-1))
    firsts = ranks.first_of(chunks[starts])
    parts = [
        [_gaps(some, first), greater, tally]
        for first, some, greater, tally in zip(
            firsts,
            *(np.split(one, starts[1:]) for one in (lesser, keys.astype("<u4"), counts)),
            strict=starts.size > 0,
        )
    ]
    gaps, greater, tally = zip(*parts, strict=True) if starts.size else ((), (), ())
    return batch(
        chunk=chunks[starts],
        kind=np.ones(starts.size, np.int32),
        gaps=packed(*gaps),
        greater=packed(*greater),
        counts=packed(*tally),
    )


def counts_of(keys: Hashes) -> tuple[Hashes, Ints]:
    """Return numbers in order, each once, and how often each was there.

    >>> [column.tolist() for column in counts_of(np.uint64([7, 5, 7]))]
    [[5, 7], [1, 2]]
    """
    ordered = np.sort(keys)
    is_first = np.ones(ordered.size, np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(is_first)
    return ordered[starts], np.diff(np.append(starts, ordered.size))

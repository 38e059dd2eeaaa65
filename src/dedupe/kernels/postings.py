"""Looks up the values of one signature among many documents that are kept, a band at a time.

A *segment* has its documents by rank, the largest last, and for each band their order by value
and rank. Of these values every sixteenth is kept beside, as a *fence*; those between are read
from the signatures. The *tail* is in no order, and all of it is looked at.
"""

import numpy as np

from dedupe.kernels import compiled

__all__ = ["STEP", "collect_into", "find_into", "mark_into", "scan_into"]

STEP = 16
"""Documents for each fence: two bytes a document in all bands, and four probes between."""

DAMAGED = -1
"""What is returned where an order names a document that is not there."""


@compiled
def _lower_bound(order, fences, signatures, band, value):
    """Return how many documents have a lesser value in a band, or DAMAGED."""
    low, high = 0, fences.size
    while low < high:
        middle = (low + high) // 2
        if fences[middle] < value:
            low = middle + 1
        else:
            high = middle
    first, end = max(0, (low - 1) * STEP), min(order.size, low * STEP)
    while first < end:
        middle = (first + end) // 2
        document = order[middle]
        if document >= signatures.shape[0]:
            return DAMAGED
        if signatures[document, band] < value:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def find_into(orders, fences, signatures, is_alive, values, cap, starts, ends, counts, largest):
    """Write, for each band, the bucket of a value; return 0, or DAMAGED.

    Parameters
    ----------
    orders : uint32 [shape=(num_perm, n_docs)]
    fences : uint32 [shape=(num_perm, n_docs / STEP, rounded up)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    is_alive : bool [shape=(n_docs,)]
    values : uint32 [shape=(num_perm,)]
    cap : int
    starts, ends : int64 [shape=(num_perm,)], overwritten
        The bucket of band ``b`` is ``orders[b, starts[b]:ends[b]]``.
    counts : int64 [shape=(num_perm,)], overwritten
        How many in it are alive; no more than ``cap + 1`` are counted.
    largest : int64 [shape=(num_perm, 2)], overwritten
        The largest that is alive, and the next; -1 where there is none.
    """
    n_docs = signatures.shape[0]
    for band in range(values.size):
        order = orders[band]
        value = values[band]
        start = _lower_bound(order, fences[band], signatures, band, value)
        if start == DAMAGED:
            return DAMAGED
        end = start
        if start < n_docs and order[start] < n_docs and signatures[order[start], band] == value:
            end = n_docs
            if value < np.uint32(0xFFFFFFFF):
                end = _lower_bound(
                    order, fences[band], signatures, band, np.uint32(value + np.uint32(1))
                )
        if end == DAMAGED:
            return DAMAGED
        starts[band] = start
        ends[band] = end
        counts[band] = 0
        largest[band, 0] = -1
        largest[band, 1] = -1
        for i in range(start, end):
            if order[i] >= n_docs:
                return DAMAGED
            counts[band] += np.int64(is_alive[order[i]])
            if counts[band] > cap:
                break
        n_found = 0
        i = end - 1
        while i >= start and n_found < 2:
            if order[i] >= n_docs:
                return DAMAGED
            if is_alive[order[i]]:
                largest[band, n_found] = order[i]
                n_found += 1
            i -= 1
    return 0


@compiled
def collect_into(orders, starts, ends, is_wanted, marks):
    """Mark the documents in the buckets of some bands; return 0, or DAMAGED.

    Parameters
    ----------
    orders : uint32 [shape=(num_perm, n_docs)]
    starts, ends : int64 [shape=(num_perm,)]
        As `find_into` writes them.
    is_wanted : bool [shape=(num_perm,)]
    marks : bool [shape=(n_docs,)], written to
    """
    for band in range(starts.size):
        if is_wanted[band]:
            for i in range(starts[band], ends[band]):
                if orders[band, i] >= marks.size:
                    return DAMAGED
                marks[orders[band, i]] = True
    return 0


@compiled
def scan_into(signatures, is_alive, sizes, contents, values, counts, largest):
    """Write, for each band, the bucket of a value among documents in no order.

    Parameters
    ----------
    signatures : uint32 [shape=(n_docs, num_perm)]
    is_alive : bool [shape=(n_docs,)]
    sizes : int64 [shape=(n_docs,)], contents : uint64 [shape=(n_docs,)]
        What they rank by.
    values : uint32 [shape=(num_perm,)]
    counts : int64 [shape=(num_perm,)], overwritten
    largest : int64 [shape=(num_perm, 2)], overwritten
        As in `find_into`.
    """
    counts[:] = 0
    largest[:] = -1
    for d in range(signatures.shape[0]):
        if not is_alive[d]:
            continue
        for band in range(values.size):
            if signatures[d, band] != values[band]:
                continue
            counts[band] += 1
            for place in range(2):
                other = largest[band, place]
                if (
                    other < 0
                    or sizes[d] > sizes[other]
                    or (sizes[d] == sizes[other] and contents[d] > contents[other])
                ):
                    if place == 0:
                        largest[band, 1] = other
                    largest[band, place] = d
                    break


@compiled
def mark_into(signatures, values, is_wanted, marks):
    """Mark the documents that have the value of any of some bands.

    Parameters
    ----------
    signatures : uint32 [shape=(n_docs, num_perm)]
    values : uint32 [shape=(num_perm,)]
    is_wanted : bool [shape=(num_perm,)]
    marks : bool [shape=(n_docs,)], written to
    """
    for d in range(signatures.shape[0]):
        found = False
        for band in range(values.size):
            found |= is_wanted[band] & (signatures[d, band] == values[band])
        marks[d] |= found

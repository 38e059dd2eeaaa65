"""Looks up the values of one signature among many documents that are kept, a band at a time.

A *segment* has its documents by rank, the largest last, and for each band their order by value
and rank. Of these values every sixteenth is kept beside, as a *fence*; those between are read
from the signatures. The *tail* is in no order, and all of it is looked at.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.buckets import may_reach

__all__ = [
    "PART_BITS",
    "STEP",
    "collect_into",
    "find_into",
    "look_up_into",
    "pick_into",
    "scan_into",
    "sift_into",
]

U = np.uint64

STEP = 16
"""Documents for each fence: two bytes a document in all bands, and four probes between."""

PART_BITS = 32
"""A place within a part, in a number that names the part, too."""

DAMAGED = -1
"""What is returned where an order names a document that is not there."""


@compiled
def _lower_bounds_into(orders, fences, signatures, values, bounds):
    """Write how many documents have a lesser value in each band; return 0, or DAMAGED.

    All bands take a step of their search together, so that many of them wait for memory at once:
    one after the other takes half as long again.
    """
    n_bands, n_fences = fences.shape
    n_docs = signatures.shape[0]
    bounds[:] = 0
    length = n_fences
    while length > 1:
        half = length // 2
        for band in range(n_bands):
            if fences[band, bounds[band] + half - 1] < values[band]:
                bounds[band] += half
        length -= half
    for band in range(n_bands):
        if n_fences > 0 and fences[band, bounds[band]] < values[band]:
            bounds[band] += 1
        # Between the last fence that is less, and the first that is not.
        bounds[band] = max(0, (bounds[band] - 1) * STEP)
    half = STEP // 2
    while half > 0:
        for band in range(n_bands):
            place = bounds[band] + half - 1
            if place < n_docs:
                document = orders[band, place]
                if document >= n_docs:
                    return DAMAGED
                if signatures[document, band] < values[band]:
                    bounds[band] += half
        half //= 2
    for band in range(n_bands):
        if bounds[band] < n_docs:
            document = orders[band, bounds[band]]
            if document >= n_docs:
                return DAMAGED
            if signatures[document, band] < values[band]:
                bounds[band] += 1
    return 0


@compiled
def _upper_bound(order, signatures, band, first, value):
    """Return where the values of a band that are not greater than one end, or DAMAGED."""
    end = order.size
    while first < end:
        middle = (first + end) // 2
        document = order[middle]
        if document >= signatures.shape[0]:
            return DAMAGED
        if signatures[document, band] <= value:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def _bucket_end(order, signatures, band, start):
    """Return where the bucket that begins at `start` ends, or DAMAGED."""
    n_docs = signatures.shape[0]
    value = signatures[order[start], band]
    # Most buckets are small, and it is quicker to look than to search.
    for end in range(start + 1, min(start + STEP, n_docs)):
        if order[end] >= n_docs:
            return DAMAGED
        if signatures[order[end], band] != value:
            return end
    return _upper_bound(order, signatures, band, start, value)


@compiled
def _rank_in(band, size, content, part, place, largest, contents, places):
    """Take a document for one of the largest of its bucket, if it is; return whether it is."""
    for i in range(largest.shape[1]):
        if size > largest[band, i] or (size == largest[band, i] and content > contents[band, i]):
            for k in range(largest.shape[1] - 1, i, -1):
                largest[band, k] = largest[band, k - 1]
                contents[band, k] = contents[band, k - 1]
                places[band, k] = places[band, k - 1]
            largest[band, i] = size
            contents[band, i] = content
            places[band, i] = (part << PART_BITS) | place
            return True
    return False


@compiled
def find_into(
    orders,
    fences,
    signatures,
    is_alive,
    sizes,
    contents,
    values,
    cap,
    part,
    ends,
    counts,
    largest,
    largest_contents,
    largest_places,
):
    """Find, for each band, the bucket of a value in a segment; return 0, or DAMAGED.

    Parameters
    ----------
    orders : uint32 [shape=(num_perm, n_docs)]
    fences : uint32 [shape=(num_perm, n_docs / STEP, rounded up)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    is_alive : bool [shape=(n_docs,)]
    sizes : int64 [shape=(n_docs,)], contents : uint64 [shape=(n_docs,)]
        What documents rank by.
    values : uint32 [shape=(num_perm,)]
    cap, part : int
        The number of the segment is what others know its documents by.
    ends : int64 [shape=(2, num_perm)], overwritten
        The bucket of band ``b`` is ``orders[b, ends[0, b]:ends[1, b]]``.
    counts : int64 [shape=(num_perm,)], added to
        How many in it are alive; no more than ``cap + 1`` are counted.
    largest : int64, largest_contents : uint64 [shape=(num_perm, n_anchors)], updated
        Sizes and contents of the largest in the buckets of all parts, the largest first.
    largest_places : int64 [shape=(num_perm, n_anchors)], updated
        Their parts, and their places there in the low PART_BITS.
    """
    n_docs = signatures.shape[0]
    if _lower_bounds_into(orders, fences, signatures, values, ends[0]) == DAMAGED:
        return DAMAGED
    for band in range(values.size):
        order = orders[band]
        value = values[band]
        start = ends[0, band]
        end = start
        if start < n_docs and order[start] >= n_docs:
            return DAMAGED
        if start < n_docs and signatures[order[start], band] == value:
            end = _bucket_end(order, signatures, band, start)
        if end == DAMAGED:
            return DAMAGED
        ends[1, band] = end
        n_alive = 0
        for i in range(start, end):
            if order[i] >= n_docs:
                return DAMAGED
            n_alive += np.int64(is_alive[order[i]])
            if n_alive > cap:
                break
        counts[band] += n_alive
        # The largest stand at the end, and who is behind one that is none is none either.
        for i in range(end - 1, start - 1, -1):
            if order[i] >= n_docs:
                return DAMAGED
            d = np.int64(order[i])
            if is_alive[d] and not _rank_in(
                band, sizes[d], contents[d], part, d, largest, largest_contents, largest_places
            ):
                break
    return 0


@compiled
def _equal_values(signatures, d, values):
    """Return how many values of a document are equal to these."""
    n_equal = 0
    for band in range(values.size):
        n_equal += signatures[d, band] == values[band]
    return n_equal


@compiled
def _rare_values(signatures, d, values, is_common):
    """Return how many values of a document are equal to these that are not common."""
    n_rare = 0
    for band in range(values.size):
        n_rare += (signatures[d, band] == values[band]) & (not is_common[band])
    return n_rare


@compiled
def _has_wanted(signatures, d, values, is_wanted, end):
    """Return whether a document has the value of any of the wanted bands before one."""
    found = False
    for band in range(end):
        found |= is_wanted[band] & (signatures[d, band] == values[band])
    return found


@compiled
def _take(d, n, sizes, signatures, values, is_common, size, shares, floor, places, n_equal):
    """Write a document behind `n` others if it may reach the floor; return whether it may."""
    places[n] = d
    n_equal[n] = _equal_values(signatures, d, values)
    n_rare = _rare_values(signatures, d, values, is_common)
    return may_reach(n_equal[n], n_rare, shares, size, sizes[d], floor)


@compiled
def collect_into(
    orders,
    ends,
    is_wanted,
    is_alive,
    sizes,
    signatures,
    anchors,
    values,
    is_common,
    size,
    shares,
    floor,
    places,
    n_equal,
):
    """Write the documents in the buckets of some bands that may reach a floor with one.

    Parameters
    ----------
    orders : uint32 [shape=(num_perm, n_docs)]
    ends : int64 [shape=(2, num_perm)]
        As `find_into` writes them.
    is_wanted : bool [shape=(num_perm,)]
    is_alive : bool [shape=(n_docs,)], sizes : int64 [shape=(n_docs,)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    anchors : int64 [shape=(n_anchors,)], not checked
        Documents that are taken, too, whichever buckets they are in; each once.
    values : uint32 [shape=(num_perm,)]
        The signature of the one document.
    is_common : bool [shape=(num_perm,)]
        Which of its values very many documents have; see `dedupe.kernels.buckets.may_reach`.
    size : int, shares : float64 [shape=(2, num_perm + 1)], floor : float
        Its shingles; the others as in `dedupe.kernels.buckets.keep_possible`.
    places, n_equal : int64 [shape=(n,)], overwritten
        The documents, each once, and how many values they share. There is room for all of
        these buckets and the anchors.

    Returns
    -------
    int
        How many, or DAMAGED.
    """
    n = 0
    told = values, is_common, size, shares, floor
    for band in range(is_wanted.size):
        if not is_wanted[band]:
            continue
        for i in range(ends[0, band], ends[1, band]):
            d = np.int64(orders[band, i])
            if d >= is_alive.size:
                return DAMAGED
            if is_alive[d] and not _has_wanted(signatures, d, values, is_wanted, band):
                n += _take(d, n, sizes, signatures, *told, places, n_equal)
    for d in anchors:
        if not _has_wanted(signatures, d, values, is_wanted, values.size):
            n += _take(d, n, sizes, signatures, *told, places, n_equal)
    return n


@compiled
def scan_into(
    signatures,
    is_alive,
    sizes,
    contents,
    values,
    part,
    counts,
    largest,
    largest_contents,
    largest_places,
    hits,
):
    """Find, for each band, the bucket of a value among documents in no order.

    Parameters
    ----------
    signatures : uint32 [shape=(n_docs, num_perm)]
    is_alive, sizes, contents, values, part, largest, largest_contents, largest_places
        As in `find_into`.
    counts : int64 [shape=(num_perm,)], added to
    hits : int64 [shape=(n_docs,)], overwritten
        The living documents that are in any of these buckets.

    Returns
    -------
    int
        How many those are.
    """
    n = 0
    for d in range(signatures.shape[0]):
        # Nearly all have no value in common, and that is seen eight values at a time.
        if _equal_values(signatures, d, values) == 0 or not is_alive[d]:
            continue
        hits[n] = d
        n += 1
        for band in range(values.size):
            if signatures[d, band] == values[band]:
                counts[band] += 1
                _rank_in(
                    band, sizes[d], contents[d], part, d, largest, largest_contents, largest_places
                )
    return n


@compiled
def pick_into(
    hits,
    sizes,
    signatures,
    is_wanted,
    anchors,
    values,
    is_common,
    size,
    shares,
    floor,
    places,
    n_equal,
):
    """Write which of some documents are in the buckets of some bands, as `collect_into` does.

    Parameters
    ----------
    hits : int64 [shape=(n_hits,)], not checked
        As `scan_into` writes them, the anchors among them.
    sizes, signatures, is_wanted, anchors, values, is_common, size, shares, floor
        As in `collect_into`.
    places, n_equal : int64 [shape=(n_hits,)], overwritten
    """
    n = 0
    told = values, is_common, size, shares, floor
    for d in hits:
        is_chosen = _has_wanted(signatures, d, values, is_wanted, values.size)
        for anchor in anchors:
            is_chosen |= d == anchor
        if is_chosen:
            n += _take(d, n, sizes, signatures, *told, places, n_equal)
    return n


@compiled
def _bits_of(n):
    """Return the binary logarithm of a number, rounded up."""
    bits = 0
    while (1 << bits) < n:
        bits += 1
    return bits


@compiled
def sift_into(hashes, sieve):
    """Mark hashes in a sieve: the bit that their leading bits number.

    Parameters
    ----------
    hashes : uint64 [shape=(n_hashes,)]
    sieve : uint64 [shape=(2 ** bits,)], all 0
    """
    shift = U(64 - 6 - _bits_of(sieve.size))
    for i in range(hashes.size):
        place = hashes[i] >> shift
        sieve[place >> U(6)] |= U(1) << (place & U(63))


@compiled
def _n_ones(bits):
    """Return how many bits of 64 are set, summed up by twos, fours and bytes."""
    bits = bits - ((bits >> U(1)) & U(0x5555555555555555))
    bits = (bits & U(0x3333333333333333)) + ((bits >> U(2)) & U(0x3333333333333333))
    bits = (bits + (bits >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    # The product wraps around: its highest byte is the sum of all bytes.
    return np.int64((bits * U(0x0101010101010101)) >> U(56))


@compiled
def look_up_into(hashes, counts, firsts, sieve, wanted, seals, salt, found):
    """Write what is counted of sealed hashes among others that are in order, 0 for all else.

    The marks of a sieve are in order, too: those before that of a hash are nearly as many as there
    are lesser hashes, so that it is found within a step or two. A binary search among those with
    the same leading bits took half as long again.

    Parameters
    ----------
    hashes : uint64 [shape=(n_hashes,)], ascending
    counts : uint16 [shape=(n_hashes,)]
    firsts : uint32 [shape=(2 ** bits + 1,)]
        How many of them are less than each number of so many leading bits, and all; one bit or
        more.
    sieve : uint64 [shape=(2 ** (bits + 1),)]
        As `sift_into` marks them there: most of what is looked for is not among them.
    wanted : uint64, seals : uint32 [shape=(n,)], salt : uint64
        As in `dedupe.shingling.Sealed`.
    found : uint16 [shape=(n,)], overwritten
    """
    shift = U(64 - 6 - _bits_of(sieve.size))
    for i in range(wanted.size):
        found[i] = 0
        public = wanted[i] ^ (U(seals[i]) * salt)
        mark = public >> shift
        word, bit = mark >> U(6), U(1) << (mark & U(63))
        if sieve[word] & bit == 0:
            continue
        head = np.int64(word >> U(1))
        place = np.int64(firsts[head]) + _n_ones(sieve[word] & (bit - U(1)))
        if word & U(1):
            place += _n_ones(sieve[word - U(1)])
        end = min(np.int64(firsts[head + 1]), hashes.size)
        # Longer steps where many have one mark, as hashes can be made to.
        step = 1
        while place < end and hashes[place] < public:
            if place + step < end and hashes[place + step] < public:
                place += step
                step *= 2
            else:
                place += 1
                step = max(1, step // 2)
        if place < end and hashes[place] == public:
            found[i] = counts[place]

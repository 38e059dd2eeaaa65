"""Turns signatures into candidate pairs, a band at a time: sorted, emitted, then estimated."""

import numpy as np

from dedupe.kernels import compiled

__all__ = [
    "BANDS_AT_ONCE",
    "DIGITS",
    "DIGIT_BITS",
    "LINE",
    "N_ANCHORS",
    "columns_into",
    "count_emissions",
    "count_mixed",
    "deal_into",
    "distinct_into",
    "emit_mixed_into",
    "emit_pairs_into",
    "keep_possible",
    "keep_possible_by_bytes",
    "low_bytes_into",
    "mark_common_into",
    "may_reach",
    "sort_into",
]

U = np.uint64
LOW_HALF = U(0xFFFFFFFF)

N_ANCHORS = 2
"""A bucket that is too large links each document to this many, its largest."""

BANDS_AT_ONCE = 4
"""Bands that a thread is given together: of few documents one is done as soon as handed over.
They share a byte of marks for each document, so that no two threads write the same one."""

CONTAINED = 0.5
"""Share of the smaller document from which on a pair gets all doubt by common values, too.

Without it, 1.2 % of the stories that stand in pages of six to a hundred times their length are no
candidates any more among a million documents; with it, at most 0.2 %.
"""

LINE = 16
"""Values of a signature that lie in one line of the cache."""

DIGITS, DIGIT_BITS = 3, 11
"""A value has so many digits to sort by, and their counts fit in the first-level cache."""

LOW_BITS = U(0x7F7F7F7F7F7F7F7F)
ONES = U(0x0101010101010101)


@compiled
def columns_into(signatures, rows, first, columns):
    """Write some columns of some signatures, each as a row.

    Parameters
    ----------
    signatures : uint32 [shape=(n_rows, n_perm)]
    rows : int64 [shape=(n_docs,)]
    first : int
        The first of the columns, which follow each other.
    columns : uint32 [shape=(n_columns, n_docs)], overwritten
    """
    # A few documents at a time, so that each column gets a whole line of the cache.
    for start in range(0, rows.size, LINE):
        for k in range(columns.shape[0]):
            for d in range(start, min(start + LINE, rows.size)):
                columns[k, d] = signatures[rows[d], first + k]


@compiled
def sort_into(values, counts, scratch, keys):
    """Write the values of a band with their ranks, sorted: first by value, then by rank.

    A radix sort from the last digit on (Knuth, The Art of Computer Programming, 5.2.5). It
    keeps the order of equals, so that ranks, which ascend to begin with, need no sorting.

    Parameters
    ----------
    values : uint32 [shape=(n_docs,)], by rank
    counts : int64 [shape=(DIGITS, 1 << DIGIT_BITS)], scratch
    scratch : uint64 [shape=(n_docs,)], scratch
    keys : uint64 [shape=(n_docs,)], overwritten
        The value in the high half, the rank in the low half.
    """
    mask = U((1 << DIGIT_BITS) - 1)
    counts[:] = 0
    for rank in range(values.size):
        value = U(values[rank])
        for digit in range(DIGITS):
            counts[digit, (value >> U(DIGIT_BITS * digit)) & mask] += 1
    for digit in range(DIGITS):
        start = 0
        for k in range(counts.shape[1]):
            start, counts[digit, k] = start + counts[digit, k], start
    for rank in range(values.size):
        value = U(values[rank])
        k = value & mask
        keys[counts[0, k]] = (value << U(32)) | U(rank)
        counts[0, k] += 1
    source, target = keys, scratch
    for digit in range(1, DIGITS):
        shift = U(32 + DIGIT_BITS * digit)
        for i in range(values.size):
            k = (source[i] >> shift) & mask
            target[counts[digit, k]] = source[i]
            counts[digit, k] += 1
        source, target = target, source


@compiled
def _bucket_end(keys, start):
    """Return where the bucket that begins at `start` ends: keys agree in their high half."""
    end = start + 1
    while end < keys.size and keys[end] >> U(32) == keys[start] >> U(32):
        end += 1
    return end


@compiled
def count_emissions(keys, cap):
    """Return how many pairs the buckets of a band hold; see `emit_pairs_into`."""
    total = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        n = end - start
        total += n * (n - 1) // 2 if n <= cap else n * N_ANCHORS
        start = end
    return total


@compiled
def emit_pairs_into(keys, cap, pairs):
    """Write the pairs of the buckets of one band; return how many.

    A bucket of at most `cap` documents gives all its pairs. A larger one links
    each document to its anchors, the last documents in it.

    Parameters
    ----------
    keys : uint64 [shape=(n_docs,)], sorted
        The value of the band in the high half, the rank of the document in the low
        half: larger documents have greater ranks.
    cap : int
    pairs : uint64 [shape=(>= count_emissions(keys, cap),)], overwritten
        The lesser rank in the high half, the greater in the low half.
    """
    n_pairs = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        # Every document is linked to those behind it, or to the anchors alone.
        is_small = end - start <= cap
        for x in range(start, end):
            a = keys[x] & LOW_HALF
            first = x + 1 if is_small else max(x + 1, end - N_ANCHORS)
            for y in range(first, end):
                pairs[n_pairs] = (a << U(32)) | (keys[y] & LOW_HALF)
                n_pairs += 1
        start = end
    return n_pairs


@compiled
def mark_common_into(keys, most, band, common):
    """Mark the documents in those buckets of one band that hold more than `most`.

    Parameters
    ----------
    keys
        As in `emit_pairs_into`.
    most, band : int
    common : uint8 [shape=(n_docs, n_bands / BANDS_AT_ONCE, rounded up)], by rank, updated
    """
    byte, bit = band // BANDS_AT_ONCE, np.uint8(1 << (band % BANDS_AT_ONCE))
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        if end - start > most:
            for x in range(start, end):
                common[keys[x] & LOW_HALF, byte] |= bit
        start = end


@compiled
def _first_old(keys, start, end, n_new):
    """Return where the old documents of a bucket begin, whose ranks are `n_new` and more."""
    while end > start and keys[end - 1] & LOW_HALF >= U(n_new):
        end -= 1
    return end


@compiled
def count_mixed(keys, cap, n_new):
    """Return how many pairs of an old and a new document there are; see `emit_mixed_into`."""
    total = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        middle = _first_old(keys, start, end, n_new)
        n_old = end - middle
        total += (middle - start) * (n_old if n_old <= cap else N_ANCHORS)
        start = end
    return total


@compiled
def emit_mixed_into(keys, cap, n_new, pairs):
    """Write the pairs of a new and an old document in the buckets of one band; return how many.

    A new document is linked to each old one of its bucket, or to the largest of more than `cap`:
    other new documents in it change nothing.

    Parameters
    ----------
    keys : uint64 [shape=(n_docs,)], sorted
        As in `emit_pairs_into`.
    cap, n_new : int
        The ranks of old documents begin at `n_new`.
    pairs : uint64 [shape=(>= count_mixed(keys, cap, n_new),)], overwritten
        The rank of the new document in the high half, that of the old one in the low half.
    """
    n_pairs = 0
    start = 0
    while start < keys.size:
        end = _bucket_end(keys, start)
        middle = _first_old(keys, start, end, n_new)
        first = middle if end - middle <= cap else end - N_ANCHORS
        for x in range(start, middle):
            for y in range(first, end):
                pairs[n_pairs] = ((keys[x] & LOW_HALF) << U(32)) | (keys[y] & LOW_HALF)
                n_pairs += 1
        start = end
    return n_pairs


@compiled
def deal_into(pairs, n_docs, ends, dealt):
    """Write pairs by ranges of their first document, in their order within each.

    Parameters
    ----------
    pairs : uint64 [shape=(n_pairs,)]
        As `emit_pairs_into` writes them.
    n_docs : int
        All ranks are less.
    ends : int64 [shape=(n_ranges,)], overwritten
        Where each range ends; they are of about as many documents.
    dealt : uint64 [shape=(n_pairs,)], overwritten
    """
    n_ranges = U(ends.size)
    ends[:] = 0
    for p in range(pairs.size):
        ends[(pairs[p] >> U(32)) * n_ranges // U(n_docs)] += 1
    start = 0
    for k in range(ends.size):
        start, ends[k] = start + ends[k], start
    for p in range(pairs.size):
        k = (pairs[p] >> U(32)) * n_ranges // U(n_docs)
        dealt[ends[k]] = pairs[p]
        ends[k] += 1


@compiled
def distinct_into(pairs, starts, scratch):
    """Move each of some pairs to the front once, in order; return how many those are.

    They are counted by the second document, and then by the first, which keeps the order of
    equals (Knuth, The Art of Computer Programming, 5.2). To sort them as numbers takes two to
    five times as long.

    Parameters
    ----------
    pairs : uint64 [shape=(n_pairs,)], overwritten
        As `emit_pairs_into` writes them.
    starts : int64 [shape=(n_docs,)], scratch
    scratch : uint64 [shape=(n_pairs,)], scratch
    """
    source, target = pairs, scratch
    for shift in (U(0), U(32)):
        starts[:] = 0
        for p in range(source.size):
            starts[(source[p] >> shift) & LOW_HALF] += 1
        start = 0
        for d in range(starts.size):
            start, starts[d] = start + starts[d], start
        for p in range(source.size):
            d = (source[p] >> shift) & LOW_HALF
            target[starts[d]] = source[p]
            starts[d] += 1
        source, target = target, source
    n_distinct = 0
    for p in range(pairs.size):
        if n_distinct == 0 or pairs[p] != pairs[n_distinct - 1]:
            pairs[n_distinct] = pairs[p]
            n_distinct += 1
    return n_distinct


@compiled
def low_bytes_into(signatures, rows, low_bytes):
    """Write the low byte of each value of some signatures, eight to a word.

    Parameters
    ----------
    signatures : uint32 [shape=(n_rows, n_perm)]
    rows : int64 [shape=(n_docs,)]
    low_bytes : uint64 [shape=(n_docs, n_perm / 8, rounded up)], overwritten
        What the last word has no value for is 0.
    """
    for d in range(rows.size):
        low_bytes[d] = 0
        for i in range(signatures.shape[1]):
            byte = U(signatures[rows[d], i]) & U(0xFF)
            low_bytes[d, i // 8] |= byte << U(8 * (i % 8))


@compiled
def _equal_bytes(left, right):
    """Return how many bytes of two rows of words are equal."""
    n_equal = 0
    for i in range(left.size):
        differ = left[i] ^ right[i]
        # The top bit of each byte that is not 0: sums of seven bits stay within their byte.
        differ |= (differ & LOW_BITS) + LOW_BITS
        # Of these bits the product adds up all in its top byte, and wraps around on purpose.
        n_equal += 8 - np.int64((((differ >> U(7)) & ONES) * ONES) >> U(56))
    return n_equal


@compiled
def may_reach(n_equal, n_rare, shares, a, b, floor):
    """Whether the cosine similarity of two sets of shingles may reach `floor`.

    `n_equal` values of their signatures agree, of which `n_rare` are not common, and `shares` says
    how much is shared then, with little doubt in favour of the pair and with much. It gets much by
    rare values alone, or if so half of the smaller set may be shared.
    """
    least = floor * np.sqrt(a * b)
    most = shares[1, n_equal] * (a + b)
    return most >= least and (
        shares[1, n_rare] * (a + b) >= least
        or shares[0, n_equal] * (a + b) >= least
        or most >= CONTAINED * min(a, b)
    )


@compiled
def _n_rare(left, right, common):
    """Return how many values of two signatures agree that are not common."""
    n_rare = 0
    for i in range(left.size):
        if left[i] == right[i]:
            n_rare += 1 - ((common[i // BANDS_AT_ONCE] >> (i % BANDS_AT_ONCE)) & 1)
    return n_rare


@compiled
def keep_possible_by_bytes(pairs, low_bytes, sizes, shares, floor):
    """Do what `keep_possible` does by a byte of each value, so that a few pairs too many stay.

    Where values are equal, so are their low bytes (b-bit minwise hashing; Li & König 2010).
    Nearly all pairs are strangers, and to read a fourth of their signatures is enough. Which
    values are common is not known yet.

    Parameters
    ----------
    pairs, sizes, shares, floor
        As in `keep_possible`.
    low_bytes : uint64 [shape=(n_docs, n_words)], by rank
        As `low_bytes_into` writes them.
    """
    n_kept = 0
    n_unused = 8 * low_bytes.shape[1] - (shares.shape[1] - 1)
    for p in range(pairs.size):
        a, b = np.int64(pairs[p] >> U(32)), np.int64(pairs[p] & LOW_HALF)
        n_equal = _equal_bytes(low_bytes[a], low_bytes[b]) - n_unused
        if may_reach(n_equal, n_equal, shares, sizes[a], sizes[b], floor):
            pairs[n_kept] = pairs[p]
            n_kept += 1
    return n_kept


@compiled
def keep_possible(pairs, signatures, rows, sizes, common, shares, floor):
    """Move the pairs that may reach the floor to the front, in their order; return how many.

    Parameters
    ----------
    pairs : uint64 [shape=(n_pairs,)], overwritten
        As `emit_pairs_into` writes them.
    signatures : uint32 [shape=(n_rows, n_perm)]
    rows : int64 [shape=(n_docs,)], by rank
    sizes : int64 [shape=(n_docs,)], by rank, at least 1
    common : uint8 [shape=(n_docs, n_perm / BANDS_AT_ONCE, rounded up)], by rank
        As `mark_common_into` writes it.
    shares : float64 [shape=(2, n_perm + 1)]
        What share of the sum of both sizes may be shared where so many values are equal, with
        little doubt in favour and with much.
    floor : float
    """
    n_kept = 0
    for p in range(pairs.size):
        a, b = np.int64(pairs[p] >> U(32)), np.int64(pairs[p] & LOW_HALF)
        row_a, row_b = rows[a], rows[b]
        n_equal = 0
        for i in range(signatures.shape[1]):
            n_equal += signatures[row_a, i] == signatures[row_b, i]
        n_rare = n_equal
        # Of pairs that are alike that is known already.
        if not may_reach(n_equal, 0, shares, sizes[a], sizes[b], floor):
            n_rare = _n_rare(signatures[row_a], signatures[row_b], common[b])
        if may_reach(n_equal, n_rare, shares, sizes[a], sizes[b], floor):
            pairs[n_kept] = pairs[p]
            n_kept += 1
    return n_kept

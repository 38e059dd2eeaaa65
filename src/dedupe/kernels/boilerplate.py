"""Counts the clusters in which each shingle occurs, in a hash table."""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.measures import EDIT, N_LINES, PARAGRAPH, PROSE
from dedupe.kernels.tables import EMPTY, find, sieve_place

__all__ = [
    "MAX_COUNT",
    "OF_FORM",
    "TAKEN",
    "TELLS_ALL",
    "count_clusters_into",
    "counts_into",
    "holders_into",
    "insert_into",
    "mark_watched_into",
    "raise_into",
    "tells_into",
    "weigh_counted_into",
    "weigh_into",
]

TAKEN = EMPTY + 1
"""What `owners` says of a slot that holds a shingle, of any other `EMPTY`."""

TELLS_ALL = (1 << N_LINES) - 1
"""What is written of a document that tells something beside words in lines of any length."""

OF_FORM = 1 << 15
"""Added to the count of a shingle that is part of a form, or known to be boilerplate."""

MAX_COUNT = OF_FORM - 1

U = np.uint64

OWN = 0.3
"""A word that weighs more is a document's own, as far as is known: its story may have been
taken for two or three."""


@compiled
def insert_into(shingles, public, shingle_counts, salt, sieve, table, counts, owners, table_public):
    """Write shingles that are not in the table yet; return how many those were.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
    public : uint64 [shape=(n,)], what is kept beside each
    shingle_counts : uint16 [shape=(n,)], what each is to start with
    salt : uint64, see `dedupe.kernels.tables`
    sieve : uint64, table : uint64, counts : uint16, owners : int8, table_public : uint64
        The table, of a power of two with room for all of them, and its sieve.
    """
    n_new = 0
    for i in range(shingles.size):
        slot = find(shingles[i], salt, table.size - 1, table, owners)
        if owners[slot] == EMPTY:
            word, bit = sieve_place(shingles[i], table.size - 1)
            sieve[word] |= bit
            table[slot] = shingles[i]
            table_public[slot] = public[i]
            counts[slot] = shingle_counts[i]
            owners[slot] = TAKEN
            n_new += 1
    return n_new


@compiled
def raise_into(shingles, least, salt, table, counts, owners):
    """Raise the counts of shingles that are in the table, and mark those of forms.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
        Others are left out.
    least : uint16 [shape=(n,)]
        What each is to count at least, with the mark of forms.
    salt : uint64, see `dedupe.kernels.tables`
    table : uint64, counts : uint16, owners : int8
        The table.
    """
    for i in range(U(shingles.size)):
        slot = find(shingles[i], salt, table.size - 1, table, owners)
        if owners[slot] != EMPTY:
            count, other = np.int64(counts[slot]), np.int64(least[i])
            most = max(count & MAX_COUNT, other & MAX_COUNT)
            counts[slot] = most | ((count | other) & OF_FORM)


@compiled
def tells_into(documents, lines, weights, token_offsets, by_line, told):
    """Write whether documents tell something else beside words in lines of each length.

    One does if a passage of its own is prose to them, or if more of it is its own, in lines
    however short, than others have of what is prose to them.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    lines : uint8, weights : float32 [shape=(n_tokens,)]
    token_offsets : int64 [shape=(n_docs + 1,)]
    by_line : int64 [shape=(2, N_LINES)], overwritten
    told : uint32 [shape=(n_docs,)], those of the documents overwritten
        A bit for each length of lines.
    """
    for d in documents:
        first, end = token_offsets[d], token_offsets[d + 1]
        told[d] = _told(lines[first:end], weights[first:end], by_line)


@compiled
def _told(lines, weights, by_line):
    """Return what `tells_into` writes of one document."""
    # As a rule a few paragraphs are enough to know that it does, in lines of any length.
    n_own = 0
    for w in range(lines.size):
        n_own += (lines[w] >= PARAGRAPH) & (weights[w] > OWN)
        if n_own >= EDIT:
            return TELLS_ALL
    by_line[:] = 0
    for w in range(lines.size):
        by_line[np.int64(weights[w] > OWN), min(lines[w], PARAGRAPH)] += 1
    n_own = by_line[1].sum()
    n_long = 0
    n_others_long = 0
    found = 0
    for k in range(PARAGRAPH, -1, -1):
        n_long += by_line[1, k]
        n_others_long += by_line[0, k]
        found |= np.int64(n_long >= EDIT or n_own >= n_others_long) << k
    return found


@compiled
def _hits_into(shingles, start, end, sieve, mask, hits):
    """Write which of some shingles may be in the table, as far as its sieve tells; say how many.

    Written without a branch, which could not be foreseen, and apart from the search: so
    the processor waits for several slots at a time. Both together spare two fifths.
    """
    # An unsigned index spares the check for a negative one.
    n_hits = U(0)
    for i in range(U(start), U(end)):
        word, bit = sieve_place(shingles[i], mask)
        hits[n_hits] = i
        n_hits += U(sieve[word] & bit != U(0))
    return np.int64(n_hits)


@compiled
def count_clusters_into(
    shingles,
    offsets,
    token_offsets,
    lines,
    told,
    order,
    clusters,
    salt,
    sieve,
    table,
    owners,
    hits,
    tally,
):
    """Count, for the shingles in the table, the clusters of a block of documents.

    A document counts only if it tells something else beside the shingle; if it does not, the
    shingle may be all it tells.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)]
    told : uint32 [shape=(n_docs,)], as `tells_into` writes it
    order : int64 [shape=(n,)]
        The documents to count, those of a cluster after each other, also across calls.
    clusters : int64 [shape=(n_docs,)], not negative
    salt, sieve, table, owners
        The table, as in `insert_into`.
    hits : int64 [shape=(2, shingles of the longest document + 1)], overwritten
    tally : int32 [shape=(n_slots, 2)], updated
        The last cluster that each shingle was counted in, and in how many it was.
    """
    for d in order:
        n_hits = _hits_into(shingles, offsets[d], offsets[d + 1], sieve, table.size - 1, hits[0])
        first = token_offsets[d] - offsets[d]
        # Apart from the tally, so that the processor waits for several slots at a time.
        for h in range(U(n_hits)):
            i = U(hits[0, h])
            is_told = told[d] == TELLS_ALL or _is_told(told[d], lines[U(first + hits[0, h])])
            hits[1, h] = _slot(shingles[i], salt, table, owners) if is_told else EMPTY
        for h in range(U(n_hits)):
            if hits[1, h] != EMPTY:
                slot = U(hits[1, h])
                tally[slot, 1] += tally[slot, 0] != clusters[d]
                tally[slot, 0] = clusters[d]


@compiled
def _is_told(told, line):
    """Return whether a document tells something beside words in a line of so many."""
    return told >> int(np.ceil(PROSE * min(line, PARAGRAPH))) & 1


@compiled
def _slot(shingle, salt, table, owners):
    """Return the slot of a shingle, EMPTY where it is not in the table."""
    slot = find(shingle, salt, table.size - 1, table, owners)
    return np.int64(slot) if owners[slot] != EMPTY else EMPTY


@compiled
def mark_watched_into(shingles, offsets, documents, salt, sieve, table, owners, hits, marks):
    """Mark the shingles of some documents that are in the table.

    Parameters
    ----------
    shingles, offsets, salt, sieve, table, owners, hits
        As in `count_clusters_into`.
    documents : int64 [shape=(n,)]
    marks : bool [shape=(n_shingles,)], those of the documents overwritten
    """
    for d in documents:
        marks[offsets[d] : offsets[d + 1]] = False
        n_hits = _hits_into(shingles, offsets[d], offsets[d + 1], sieve, table.size - 1, hits[0])
        for i in hits[0, :n_hits]:
            marks[U(i)] = _slot(shingles[U(i)], salt, table, owners) != EMPTY


@compiled
def _weigh_document(shingles, start, end, salt, sieve, table, counts, owners, hits, weights):
    """Write what the words of a document weigh, whose shingles are those from `start` to `end`."""
    n_hits = _hits_into(shingles, start, end, sieve, table.size - 1, hits[0])
    # Apart from what is made of them, so that the processor waits for several slots at a time.
    for h in range(U(n_hits)):
        # An empty slot counts nothing.
        slot = find(shingles[U(hits[0, h])], salt, table.size - 1, table, owners)
        hits[1, h] = counts[slot]
    _weigh_by_hits(hits, n_hits, start, end, weights)


@compiled
def _weigh_by_hits(hits, n_hits, start, end, weights):
    """Write what the words of a document weigh, given the count of each shingle that has one."""
    weights[:] = 1
    n_of_shingle = weights.size - (end - start) + 1
    for h in range(U(n_hits)):
        i, count = hits[0, h], hits[1, h]
        weight = np.float32(1) / np.float32(max(count & MAX_COUNT, 1))
        n_covered = n_of_shingle if count & OF_FORM or i == end - 1 else 1
        for w in range(U(i - start), U(i - start + n_covered)):
            weights[w] = min(weights[w], weight)


@compiled
def weigh_into(
    documents,
    shingles,
    offsets,
    token_offsets,
    salt,
    sieve,
    table,
    counts,
    owners,
    hits,
    found,
    weights,
    has_changed,
):
    """Write the weight of each word: 1 over the number of clusters that hold its shingle.

    The shingle of a word is the one that starts with it; the last words of a
    document take its last shingle. In a form a slot can be one word, and then all
    shingles that end in it would be as rare as the word: of the shingles of a form
    that a word stands in, the commonest counts. So it does of those that are known to be
    boilerplate, or the last words in front of a story would be as rare as that.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    shingles : uint64 [shape=(n_shingles,)]
    offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    salt, sieve, table, counts, owners
        The table, as in `insert_into`.
    hits : int64 [shape=(2, shingles of the longest document + 1)], overwritten
    found : float32 [shape=(words of the longest document,)], overwritten
    weights : float32 [shape=(n_tokens,)], those of the documents overwritten
    has_changed : bool [shape=(n,)], overwritten
        Which documents have words that weighed otherwise before.
    """
    for i in range(documents.size):
        d = documents[i]
        before = weights[token_offsets[d] : token_offsets[d + 1]]
        now = found[: before.size]
        start, end = offsets[d], offsets[d + 1]
        _weigh_document(shingles, start, end, salt, sieve, table, counts, owners, hits, now)
        n_others = 0
        for w in range(U(before.size)):
            n_others += before[w] != now[w]
            before[w] = now[w]
        has_changed[i] = n_others > 0


@compiled
def weigh_counted_into(counts, offsets, token_offsets, hits, weights):
    """Write the weight of each word as `weigh_into` does, where each shingle brings its count.

    Parameters
    ----------
    counts : uint16 [shape=(n_shingles,)]
        With the mark of forms; 0 for most.
    offsets, token_offsets, hits
        As in `weigh_into`.
    weights : float32 [shape=(n_tokens,)], overwritten
    """
    for d in range(offsets.size - 1):
        start, end = offsets[d], offsets[d + 1]
        n_hits = U(0)
        for i in range(U(start), U(end)):
            hits[0, n_hits] = i
            hits[1, n_hits] = counts[i]
            n_hits += U(counts[i] != 0)
        now = weights[token_offsets[d] : token_offsets[d + 1]]
        _weigh_by_hits(hits, np.int64(n_hits), start, end, now)


@compiled
def holders_into(shingles, offsets, salt, sieve, table, owners, hits, is_holder):
    """Write which documents have a shingle that is in the table.

    Parameters
    ----------
    shingles, offsets, salt, sieve, table, owners, hits
        As in `weigh_into`.
    is_holder : bool [shape=(n_docs,)], overwritten
    """
    for d in range(offsets.size - 1):
        is_holder[d] = False
        n_hits = _hits_into(shingles, offsets[d], offsets[d + 1], sieve, table.size - 1, hits[0])
        for i in hits[0, :n_hits]:
            slot = find(shingles[U(i)], salt, table.size - 1, table, owners)
            if owners[slot] != EMPTY:
                is_holder[d] = True
                break


@compiled
def counts_into(shingles, salt, table, counts, owners, found):
    """Write the counts of some shingles, 0 for those that are not in the table.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
    salt, table, counts, owners
        As in `weigh_into`.
    found : uint16 [shape=(n,)], overwritten
    """
    for i in range(shingles.size):
        # An empty slot counts nothing.
        found[i] = counts[find(shingles[i], salt, table.size - 1, table, owners)]

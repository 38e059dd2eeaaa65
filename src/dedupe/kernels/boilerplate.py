"""Counts the clusters in which each shingle occurs, in a hash table."""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.measures import EDIT, PARAGRAPH, PROSE
from dedupe.kernels.tables import EMPTY, find, sieve_place

__all__ = [
    "COUNTLESS",
    "MAX_COUNT",
    "OF_FORM",
    "count_clusters_into",
    "counts_into",
    "holders_into",
    "insert_into",
    "mark_counted_into",
    "raise_into",
    "weigh_into",
]

COUNTLESS = -2
"""What `last_cluster` says of a shingle that is not counted yet."""

OF_FORM = 1 << 15
"""Added to the count of a shingle that is part of a form, or known to be boilerplate."""

MAX_COUNT = OF_FORM - 1

U = np.uint64

OWN = 0.3
"""A word that weighs more is a document's own, as far as is known: its story may have been
taken for two or three."""


@compiled
def insert_into(
    shingles, public, shingle_counts, salt, sieve, table, counts, last_cluster, table_public
):
    """Write shingles that are not in the table yet; return how many those were.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
    public : uint64 [shape=(n,)], what is kept beside each
    shingle_counts : uint16 [shape=(n,)], what each is to start with
    salt : uint64, see `dedupe.kernels.tables`
    sieve : uint64, table : uint64, counts : uint16, last_cluster : int32, table_public : uint64
        The table, of a power of two with room for all of them, and its sieve.
    """
    n_new = 0
    for i in range(shingles.size):
        slot = find(shingles[i], salt, table.size - 1, table, last_cluster)
        if last_cluster[slot] == EMPTY:
            word, bit = sieve_place(shingles[i], table.size - 1)
            sieve[word] |= bit
            table[slot] = shingles[i]
            table_public[slot] = public[i]
            counts[slot] = shingle_counts[i]
            last_cluster[slot] = COUNTLESS
            n_new += 1
    return n_new


@compiled
def raise_into(shingles, least, salt, table, counts, last_cluster):
    """Raise the counts of shingles that are in the table, and mark those of forms.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
        Others are left out.
    least : uint16 [shape=(n,)]
        What each is to count at least, with the mark of forms.
    salt : uint64, see `dedupe.kernels.tables`
    table : uint64, counts : uint16, last_cluster : int32
        The table.
    """
    for i in range(U(shingles.size)):
        slot = find(shingles[i], salt, table.size - 1, table, last_cluster)
        if last_cluster[slot] != EMPTY:
            count, other = np.int64(counts[slot]), np.int64(least[i])
            most = max(count & MAX_COUNT, other & MAX_COUNT)
            counts[slot] = most | ((count | other) & OF_FORM)


@compiled
def _tells_into(lines, weights, by_line, tells):
    """Write whether a document tells something else beside words in lines of each length.

    It does if a passage of its own is prose to them, or if more of it is its own, in lines
    however short, than others have of what is prose to them.
    """
    # As a rule a few paragraphs are enough to know that it does, in lines of any length.
    n_own = 0
    for w in range(lines.size):
        n_own += (lines[w] >= PARAGRAPH) & (weights[w] > OWN)
        if n_own >= EDIT:
            tells[:] = True
            return
    by_line[:] = 0
    for w in range(lines.size):
        by_line[np.int64(weights[w] > OWN), min(lines[w], PARAGRAPH)] += 1
    n_own = by_line[1].sum()
    n_long = 0
    n_others_long = 0
    for k in range(PARAGRAPH, -1, -1):
        n_long += by_line[1, k]
        n_others_long += by_line[0, k]
        tells[k] = n_long >= EDIT or n_own >= n_others_long


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
    weights,
    order,
    clusters,
    salt,
    sieve,
    table,
    counts,
    last_cluster,
    by_line,
    tells,
    hits,
):
    """Count, for the shingles in the table, the clusters of a block of documents.

    A document whose words are weighed counts only if it tells something else beside the
    shingle; if it does not, the shingle may be all it tells.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)]
    weights : float32 [shape=(n_tokens,)] or None
    order : int64 [shape=(n,)]
        The documents to count, those of a cluster after each other, also across calls.
    clusters : int64 [shape=(n_docs,)], not negative
    salt, sieve, table, counts, last_cluster
        The table, as in `insert_into`.
    by_line : int64 [shape=(2, N_LINES)], overwritten
    tells : bool [shape=(N_LINES,)], overwritten
    hits : int64 [shape=(2, shingles of the longest document + 1)], overwritten
    """
    tells[:] = True
    for d in order:
        first = token_offsets[d]
        if weights is not None:
            end = token_offsets[d + 1]
            _tells_into(lines[first:end], weights[first:end], by_line, tells)
        n_hits = _hits_into(shingles, offsets[d], offsets[d + 1], sieve, table.size - 1, hits[0])
        for i in hits[0, :n_hits]:
            line = lines[U(first + i - offsets[d])]
            slot = _counted_slot(shingles[U(i)], line, tells, salt, table, last_cluster)
            if slot != EMPTY and last_cluster[slot] != clusters[d]:
                last_cluster[slot] = clusters[d]
                if counts[slot] & MAX_COUNT < MAX_COUNT:
                    counts[slot] += np.uint16(1)


@compiled
def _counted_slot(shingle, line, tells, salt, table, last_cluster):
    """Return the slot of a shingle in a line of so many words, EMPTY where it does not count."""
    if not tells[int(np.ceil(PROSE * min(line, PARAGRAPH)))]:
        return EMPTY
    slot = find(shingle, salt, table.size - 1, table, last_cluster)
    return np.int64(slot) if last_cluster[slot] != EMPTY else EMPTY


@compiled
def mark_counted_into(
    shingles,
    offsets,
    token_offsets,
    lines,
    weights,
    order,
    salt,
    sieve,
    table,
    last_cluster,
    by_line,
    tells,
    hits,
    marks,
):
    """Mark the shingles that `count_clusters_into` would count, which another place adds up.

    Parameters
    ----------
    shingles, offsets, token_offsets, lines, weights, order, by_line, tells, hits
        As there.
    salt, sieve, table, last_cluster
        The table, as in `insert_into`.
    marks : bool [shape=(n_shingles,)], those of the documents in `order` overwritten
    """
    tells[:] = True
    for d in order:
        first = token_offsets[d]
        if weights is not None:
            end = token_offsets[d + 1]
            _tells_into(lines[first:end], weights[first:end], by_line, tells)
        marks[offsets[d] : offsets[d + 1]] = False
        n_hits = _hits_into(shingles, offsets[d], offsets[d + 1], sieve, table.size - 1, hits[0])
        for i in hits[0, :n_hits]:
            line = lines[U(first + i - offsets[d])]
            slot = _counted_slot(shingles[U(i)], line, tells, salt, table, last_cluster)
            marks[U(i)] = slot != EMPTY


@compiled
def _weigh_document(shingles, start, end, salt, sieve, table, counts, last_cluster, hits, weights):
    """Write what the words of a document weigh, whose shingles are those from `start` to `end`."""
    weights[:] = 1
    n_of_shingle = weights.size - (end - start) + 1
    n_hits = _hits_into(shingles, start, end, sieve, table.size - 1, hits[0])
    # Apart from what is made of them, so that the processor waits for several slots at a time.
    for h in range(U(n_hits)):
        # An empty slot counts nothing.
        slot = find(shingles[U(hits[0, h])], salt, table.size - 1, table, last_cluster)
        hits[1, h] = counts[slot]
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
    last_cluster,
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
    salt, sieve, table, counts, last_cluster
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
        _weigh_document(shingles, start, end, salt, sieve, table, counts, last_cluster, hits, now)
        n_others = 0
        for w in range(U(before.size)):
            n_others += before[w] != now[w]
            before[w] = now[w]
        has_changed[i] = n_others > 0


@compiled
def holders_into(shingles, offsets, salt, sieve, table, last_cluster, hits, is_holder):
    """Write which documents have a shingle that is in the table.

    Parameters
    ----------
    shingles, offsets, salt, sieve, table, last_cluster, hits
        As in `weigh_into`.
    is_holder : bool [shape=(n_docs,)], overwritten
    """
    for d in range(offsets.size - 1):
        is_holder[d] = False
        n_hits = _hits_into(shingles, offsets[d], offsets[d + 1], sieve, table.size - 1, hits[0])
        for i in hits[0, :n_hits]:
            slot = find(shingles[U(i)], salt, table.size - 1, table, last_cluster)
            if last_cluster[slot] != EMPTY:
                is_holder[d] = True
                break


@compiled
def counts_into(shingles, salt, table, counts, last_cluster, found):
    """Write the counts of some shingles, 0 for those that are not in the table.

    Parameters
    ----------
    shingles : uint64 [shape=(n,)]
    salt, table, counts, last_cluster
        As in `weigh_into`.
    found : uint16 [shape=(n,)], overwritten
    """
    for i in range(shingles.size):
        # An empty slot counts nothing.
        found[i] = counts[find(shingles[i], salt, table.size - 1, table, last_cluster)]

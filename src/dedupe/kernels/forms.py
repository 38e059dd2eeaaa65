"""Counts the places in which all documents of a sample differ.

Shingles that most of the documents hold are the *frame*. Between two of them that
follow each other there may be a gap. Where more than half of the documents say the
same in it, the gap is an edit of the others. Otherwise it is a *slot*.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.tables import home

__all__ = ["FRAME", "N_MEASURES", "OTHER", "OWN", "SLOTS", "count_slots_into"]

U = np.uint64

# The columns of a row of measures.
FRAME, SLOTS, OWN, OTHER = 0, 1, 2, 3
N_MEASURES = 4


@compiled
def _count_into(documents, shingles, offsets, longest, salt, mask, keys, counts, last, homes):
    """Count in how many documents each shingle stands; HOMES are their slots in the table."""
    counts[: mask + 1] = 0
    last[: mask + 1] = -1
    n = 0
    for d in documents:
        for i in range(offsets[d], min(offsets[d + 1], offsets[d] + longest)):
            slot = home(shingles[i], salt, mask)
            while counts[slot] > 0 and keys[slot] != shingles[i]:
                slot = (slot + U(1)) & U(mask)
            keys[slot] = shingles[i]
            if last[slot] != d:
                last[slot] = d
                counts[slot] += 1
            homes[n] = slot
            n += 1


@compiled
def _follow_into(homes, counts, common, leads_on):
    """Mark the shingles of a document that most have, and that lead to another such."""
    for i in range(homes.size - 1):
        if counts[homes[i]] >= common and counts[homes[i + 1]] >= common:
            leads_on[homes[i]] = 1


@compiled
def _is_slot(homes, counts, common, leads_on, start, end):
    """Return whether what most documents say breaks off between two shingles of the frame."""
    i = start
    while i < end and counts[homes[i + 1]] >= common:
        i += 1
    return i < end and leads_on[homes[i]] == 0


@compiled
def _count_own(homes, counts, few, ngram, start, end):
    """Count the words of a gap that stand only in shingles that few documents hold."""
    n_own = 0
    free = start + ngram
    for i in range(start + 1, end):
        if counts[homes[i]] > few:
            n_own += max(0, i - free)
            free = i + ngram
    return n_own + max(0, end - free)


@compiled
def _slots_into(homes, counts, frame, common, few, ngram, leads_on, measures):
    """Write the measures of one document."""
    measures[:] = 0
    last = -1
    for i in range(homes.size):
        if counts[homes[i]] < frame:
            continue
        n_words = i - last - ngram if last >= 0 else 0
        measures[FRAME] += ngram if last < 0 else min(ngram, i - last)
        if n_words > 0 and _is_slot(homes, counts, common, leads_on, last, i):
            n_own = _count_own(homes, counts, few, ngram, last, i)
            measures[SLOTS] += 1
            measures[OWN] += n_own
            measures[OTHER] += n_words - n_own
        elif n_words > 0:
            measures[OTHER] += n_words
        last = i


@compiled
def count_slots_into(
    documents,
    bounds,
    limits,
    shingles,
    offsets,
    ngram,
    longest,
    salt,
    keys,
    counts,
    last,
    leads_on,
    homes,
    measures,
):
    """Write the measures of each document: a row of the columns named at the top of this module.

    FRAME and SLOTS are the words of the frame and the number of slots; OWN are the
    words in slots that stand in no shingle which more than a few of the documents
    hold, OTHER all other words inside the frame.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    bounds : int64 [shape=(n_clusters + 1,)]
        Cluster ``c`` owns ``documents[bounds[c]:bounds[c + 1]]``, different documents.
    limits : int64 [shape=(n_clusters, 3)]
        How many of them must hold a shingle that it belongs to the frame, that it is
        common, and how many may hold one that is still a document's own.
    shingles : uint64 [shape=(total,)]
    offsets : int64 [shape=(n_docs + 1,)]
    ngram : int
    longest : int
        Shingles of a document that are looked at, from its beginning.
    salt : uint64, see `dedupe.kernels.tables`
    keys : uint64, counts : int32, last : int64, leads_on : uint8 [shape=(a power of two,)]
        Scratch, at least twice as long as any cluster has such shingles.
    homes : int64 [shape=(such shingles of a cluster,)], scratch
    measures : int64 [shape=(n, N_MEASURES)], overwritten
    """
    for c in range(bounds.size - 1):
        some = documents[bounds[c] : bounds[c + 1]]
        n = 0
        for d in some:
            n += min(offsets[d + 1] - offsets[d], longest)
        mask = 1
        while mask < 2 * n:
            mask *= 2
        mask -= 1
        leads_on[: mask + 1] = 0
        _count_into(some, shingles, offsets, longest, salt, mask, keys, counts, last, homes)
        frame, common, few = limits[c]
        first = 0
        for d in some:
            end = first + min(offsets[d + 1] - offsets[d], longest)
            _follow_into(homes[first:end], counts, common, leads_on)
            first = end
        first = 0
        for k in range(some.size):
            end = first + min(offsets[some[k] + 1] - offsets[some[k]], longest)
            _slots_into(
                homes[first:end],
                counts,
                frame,
                common,
                few,
                ngram,
                leads_on,
                measures[bounds[c] + k],
            )
            first = end

"""Joins a few documents into clusters, best pairs first, by what is known of nearly all pairs.

`dedupe.clustering` says by which rule; this is the same with tables in place of mappings, which
have room for a few hundred documents.
"""

from dedupe.kernels import compiled

__all__ = ["join_into"]


@compiled
def _is_before(key, a, b, other_key, other_a, other_b):
    """Return whether a link has its turn before another one: by key, then by documents."""
    if key != other_key:
        return key < other_key
    return a < other_a or (a == other_a and b < other_b)


@compiled
def _comes_first(i, j, keys, places, ones, others):
    """Return whether what waits at place `i` of a heap has its turn before what waits at `j`."""
    p, q = places[i], places[j]
    return _is_before(keys[i], ones[p], others[p], keys[j], ones[q], others[q])


@compiled
def _swap(i, j, keys, places):
    """Exchange two places of a heap."""
    keys[i], keys[j] = keys[j], keys[i]
    places[i], places[j] = places[j], places[i]


@compiled
def _push(key, place, n, keys, places, ones, others):
    """Put a link into a heap of `n`."""
    keys[n] = key
    places[n] = place
    while n > 0 and _comes_first(n, (n - 1) // 2, keys, places, ones, others):
        _swap(n, (n - 1) // 2, keys, places)
        n = (n - 1) // 2


@compiled
def _pop(n, keys, places, ones, others):
    """Take the first link out of a heap of `n`: it stands behind the others then."""
    n -= 1
    _swap(0, n, keys, places)
    i = 0
    while 2 * i + 1 < n:
        child = 2 * i + 1
        if child + 1 < n and _comes_first(child + 1, child, keys, places, ones, others):
            child += 1
        if not _comes_first(child, i, keys, places, ones, others):
            break
        _swap(i, child, keys, places)
        i = child


@compiled
def _join(one, other, labels, sums, n_known):
    """Let a cluster be part of another, with what is known of it and all others."""
    for d in range(labels.size):
        if labels[d] == other:
            labels[d] = one
        sums[one, d] += sums[other, d]
        n_known[one, d] += n_known[other, d]
    for d in range(labels.size):
        sums[d, one] = sums[one, d]
        n_known[d, one] = n_known[one, d]


@compiled
def join_into(
    keys,
    ones,
    others,
    sums,
    n_known,
    least_mean,
    slack,
    waiting_keys,
    waiting,
    least,
    labels,
):
    """Write the cluster of each document: its least document.

    Parameters
    ----------
    keys : float64 [shape=(n_links,)], ascending
        The negative of the score of each link.
    ones, others : int64 [shape=(n_links,)]
        Its documents, the lesser first; those of equal keys are in order, each pair once.
    sums, n_known : float64 [shape=(n_docs, n_docs)], symmetric, overwritten
        The scores of known pairs, 0 for others, and 1 for known pairs, 0 for others.
    least_mean, slack : float
        The mean score that two clusters must reach, and how far it may have fallen since the link
        was last looked at.
    waiting_keys : float64, waiting : int64 [shape=(n_links,)], scratch
    least : int64 [shape=(n_docs,)], scratch
    labels : int64 [shape=(n_docs,)], overwritten
    """
    n_docs = labels.size
    for d in range(n_docs):
        labels[d] = d
    heap = waiting_keys, waiting, ones, others
    n_waiting = 0
    n_taken = 0
    while n_taken < keys.size or n_waiting > 0:
        place = n_taken
        is_next = n_taken < keys.size
        if is_next and n_waiting > 0:
            p = waiting[0]
            link = keys[place], ones[place], others[place]
            is_next = _is_before(*link, waiting_keys[0], ones[p], others[p])
        if is_next:
            key = keys[place]
            n_taken += 1
        else:
            key = waiting_keys[0]
            place = waiting[0]
            _pop(n_waiting, *heap)
            n_waiting -= 1
        one, other = labels[ones[place]], labels[others[place]]
        if one == other:
            continue
        mean = sums[one, other] / n_known[one, other]
        if mean < least_mean:
            continue
        if mean < -key - slack:
            _push(-mean, place, n_waiting, *heap)
            n_waiting += 1
        else:
            _join(one, other, labels, sums, n_known)
    # Until here a label was any document of the cluster; now it becomes the least.
    least[:] = -1
    for d in range(n_docs):
        if least[labels[d]] < 0:
            least[labels[d]] = d
        labels[d] = least[labels[d]]

"""Signatures to candidate pairs: a MinHash index banded for recall.

The scorer wants pairs of high *containment*, whose Jaccard similarity may be as low
as 0.05, so a band is a single value: rows of two would already miss half of the
pairs at 0.1. What keeps this from comparing everything with everything:

- a bucket of more than `bucket_cap` documents links each of them to its two largest
  only, so that a phrase in every document, or a mass copy, costs linear work;
- a pair is dropped unstored when its signatures say that its containment cannot
  reach the floor, even if the estimate is three standard errors too low.

Indyk & Motwani 1998; Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, 3.4.
Whether a candidate is a duplicate is left to `dedupe.scoring`.
"""

import numpy as np
import numpy.typing as npt

from dedupe.kernels.buckets import count_emissions, emit_pairs_into

__all__ = ["CONTAINMENT_FLOOR", "candidate_pairs"]

CONTAINMENT_FLOOR = 0.1
"""Pairs below this containment are not worth scoring: a story that is a tenth of both pages."""

Z = 3.0
"""Standard errors of doubt in favour of a pair; at the floor itself a few in a hundred are lost."""

MERGE_AT = 1 << 24
"""Pairs that may wait, with repetitions, until they are made unique: 128 MB."""


def candidate_pairs(
    signatures: npt.NDArray[np.uint32],
    sizes: npt.NDArray[np.int64],
    *,
    bucket_cap: int = 30,
    floor: float | None = None,
) -> npt.NDArray[np.int64]:
    """Return the pairs of documents that share a value of their signatures.

    Parameters
    ----------
    signatures : uint32 [shape=(n_docs, num_perm)]
    sizes : int64 [shape=(n_docs,)]
        Shingles in each document. Documents without any are in no pair.
    bucket_cap : int, at least 2
    floor : float, in [0, 1], optional
        Containment below which a pair is of no interest, CONTAINMENT_FLOOR by default.

    Returns
    -------
    int64 [shape=(n_pairs, 2)]
        Document numbers, the larger document first, ordered by it. At equal size
        the later document counts as the larger.

    Examples
    --------
    >>> signatures = np.uint32([[1, 2, 3], [1, 2, 4], [7, 8, 9]])
    >>> candidate_pairs(signatures, np.array([10, 20, 10])).tolist()
    [[1, 0]]
    """
    floor = CONTAINMENT_FLOOR if floor is None else floor
    # Ranks by size put the largest documents of a bucket at its end.
    by_rank = np.argsort(sizes, kind="stable")
    by_rank = by_rank[np.searchsorted(sizes[by_rank], 1) :]
    ranked = signatures[by_rank]
    ranked_sizes = sizes[by_rank]
    ranks = np.arange(by_rank.size, dtype=np.uint64)
    waiting: list[npt.NDArray[np.uint64]] = []
    n_waiting = 0
    for band in range(signatures.shape[1]):
        keys = (ranked[:, band].astype(np.uint64) << np.uint64(32)) | ranks
        keys.sort()
        pairs = np.empty(count_emissions(keys, bucket_cap), np.uint64)
        n_pairs = emit_pairs_into(keys, bucket_cap, ranked, ranked_sizes, floor, Z, pairs)
        waiting.append(pairs[:n_pairs].copy())
        n_waiting += n_pairs
        if n_waiting > MERGE_AT:
            waiting = [np.unique(np.concatenate(waiting))]
            n_waiting = waiting[0].size
    packed = np.unique(np.concatenate(waiting)) if waiting else np.empty(0, np.uint64)
    smaller = by_rank[(packed >> np.uint64(32)).astype(np.int64)]
    larger = by_rank[(packed & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    order = np.lexsort((smaller, larger))
    return np.stack([larger[order], smaller[order]], axis=1)

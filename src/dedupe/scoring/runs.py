"""Finds the runs of words that two documents share, each word in one of them, as evidence."""

from bisect import bisect_left
from itertools import pairwise

import numpy as np

from dedupe.arrays import Bools, Ints, part
from dedupe.kernels import alignment as chains
from dedupe.kernels.measures import COMMON
from dedupe.scoring.alignment import by_size
from dedupe.scoring.block import Block

__all__ = ["shared_runs"]


def shared_runs(block: Block, left: int, right: int) -> tuple[Ints, Bools]:
    """Return the runs of words that two documents of a block share.

    Returns
    -------
    runs : int64 [shape=(n_runs, 3)]
        First word on the left, first word on the right, and number of words, in
        the order of the left document. No word is in two runs.
    is_boilerplate : bool [shape=(n_runs,)]
        Which runs are boilerplate; a run that is so in part is cut in two.
    """
    n_words = block.n_words
    both = by_size(block, np.array([left]), np.array([right]))
    larger, smaller, swap = (int(side[0]) for side in both)
    slots, salt, sieve, scratch = block.scratch
    n_runs = chains.runs_of_pair_into(
        block.shingles[part(block.shingle_offsets, larger)],
        block.shingles[part(block.shingle_offsets, smaller)],
        n_words[larger],
        n_words[smaller],
        block.ngram,
        slots,
        salt,
        sieve,
        scratch,
    )
    rows = scratch[[chains.RUN_LARGER, chains.RUN_SMALLER, chains.RUN_LENGTH], :n_runs]
    found = (rows[[1, 0, 2]] if swap else rows).T.astype(np.int64)
    runs = _without_overlap(found, n_words[left], n_words[right])
    if block.weights is None:
        return runs, np.zeros(len(runs), np.bool_)
    first_word = block.token_offsets[left]
    is_common = block.weights[first_word : first_word + n_words[left]] < COMMON
    if not is_common.any():
        return runs, np.zeros(len(runs), np.bool_)
    return _cut_boilerplate(runs, is_common)


def _without_overlap(runs: Ints, n_left: int, n_right: int) -> Ints:
    """Trim runs, longest first, so that each word of either side is in one at most."""
    taken_left, taken_right = bytearray(n_left), bytearray(n_right)
    kept = []
    for left, right, length in runs[np.lexsort((runs[:, 0], -runs[:, 2]))].tolist():
        first, n_free = 0, length
        if 1 in taken_left[left : left + length] or 1 in taken_right[right : right + length]:
            first, n_free = _free(
                taken_left[left : left + length], taken_right[right : right + length]
            )
        if n_free == 0:
            continue
        taken_left[left + first : left + first + n_free] = b"\x01" * n_free
        taken_right[right + first : right + first + n_free] = b"\x01" * n_free
        kept.append((left + first, right + first, n_free))
    return np.array(sorted(kept), np.int64).reshape(-1, 3)


def _free(taken_left: bytearray, taken_right: bytearray) -> tuple[int, int]:
    """Return where the words of a run begin that neither side has taken, and how many follow."""
    taken = np.frombuffer(taken_left, np.bool_) | np.frombuffer(taken_right, np.bool_)
    # Runs overlap at their ends, so what is free is one stretch as a rule.
    first = int(taken.argmin())
    rest = taken[first:]
    return first, int(rest.argmax()) if rest.any() else rest.size


def _cut_boilerplate(runs: Ints, is_common: Bools) -> tuple[Ints, Bools]:
    """Cut runs where story turns to boilerplate, into pieces of `chains.MIN_RUN` words or more."""
    pieces = []
    marks = []
    n_common = np.concatenate([[0], np.cumsum(is_common)]).tolist()
    turns = (np.flatnonzero(np.diff(is_common)) + 1).tolist()
    for left, right, length in runs.tolist():
        cuts = [left]
        for turn in turns[bisect_left(turns, left) : bisect_left(turns, left + length)]:
            if min(turn - cuts[-1], left + length - turn) >= chains.MIN_RUN:
                cuts.append(turn)
        for start, end in pairwise([*cuts, left + length]):
            pieces.append((start, right + start - left, end - start))
            marks.append(2 * (n_common[end] - n_common[start]) > end - start)
    return np.array(pieces, np.int64).reshape(-1, 3), np.array(marks, np.bool_)

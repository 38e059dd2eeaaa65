"""Counts how much of its story each copy has, from what all copies of a cluster hold.

A word is the story where most copies have it. What a single copy has beside that is its
page, unless it is prose: then it tells the story at greater length. Which copy is kept is
left to `dedupe.results.clusters`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from dedupe.arrays import Bools, Ints, part
from dedupe.kernels.measures import COMMON, PARAGRAPH, PROSE
from dedupe.scoring.block import Block

__all__ = ["covered", "is_own", "words_of_story"]

LOST_LINES = 1.5
"""Lines of the shared text that are this many times as long as in the other copies say nothing
of prose: a page of which an extractor made one line has no lists to tell it by."""

FEW_OTHERS = 0.1
"""A copy tells the story at greater length if less of what it has beside it is in short lines.

And that must not be longer than the story: what follows on a page may be prose, too. On the
development pages both limits together keep a mean F1 of .94, where versions of a story that
grows reach .96; if nothing told at greater length counts, .96 and .80."""


def words_of_story(block: Block, copies: Mapping[int, int]) -> Ints:
    r"""Return how many words of its story each document of a cluster has, without boilerplate.

    Parameters
    ----------
    block : Block
    copies : mapping from documents to numbers
        The cluster, each different text once, and how many identical copies of it there are.

    Returns
    -------
    int64 [shape=(n,)]

    Examples
    --------
    >>> from dedupe.shingling import hash_tokens
    >>> story = "the council voted to close the bridge for repairs until spring"
    >>> texts = [story, "home\nnews\n" + story, story + "\nsport"]
    >>> block = Block.of(hash_tokens(texts, detail=True), 5)
    >>> words_of_story(block, {0: 1, 1: 1, 2: 1}).tolist()
    [11, 11, 11]
    """
    documents, n_copies = [*copies], [*copies.values()]
    is_shared = _held_by_most(block, documents, n_copies)
    lengths = np.array(
        [_line(block, one, shared) for one, shared in zip(documents, is_shared, strict=True)]
    )
    known = np.repeat(lengths, n_copies)[np.repeat(lengths, n_copies) > 0]
    usual = np.median(known) if known.size else 0.0
    found = np.empty(len(documents), np.int64)
    for place, (document, shared) in enumerate(zip(documents, is_shared, strict=True)):
        is_story = shared
        if 0 < lengths[place] <= LOST_LINES * usual:
            is_story = shared | _told_at_length(block, document, shared, lengths[place])
        found[place] = np.count_nonzero(is_story & is_own(block, document))
    return found


def covered(is_held: Bools, n_words: int, ngram: int) -> Bools:
    """Return which words of a document stand in any of some of its shingles.

    Parameters
    ----------
    is_held : bool [shape=(n_shingles,)]
    n_words : int
    ngram : int

    Examples
    --------
    >>> covered(np.array([True, False, False, False]), 5, 2).tolist()
    [True, True, False, False, False]
    """
    starts = np.flatnonzero(is_held)
    steps = np.zeros(n_words + 1, np.int64)
    steps[starts] += 1
    np.subtract.at(steps, np.minimum(starts + ngram, n_words), 1)
    found: Bools = np.cumsum(steps)[:-1] > 0
    return found


def _held_by_most(block: Block, documents: Sequence[int], n_copies: Sequence[int]) -> list[Bools]:
    """Return, of each document, which words stand in shingles that most copies have."""
    parts = [block.shingles[part(block.shingle_offsets, one)] for one in documents]
    distinct = [np.unique(shingles) for shingles in parts]
    shingles, places = np.unique(np.concatenate(distinct), return_inverse=True)
    holders = np.repeat(n_copies, [some.size for some in distinct])
    is_most = np.bincount(places, holders) > sum(n_copies) / 2
    return [
        covered(is_most[np.searchsorted(shingles, some)], int(block.n_words[document]), block.ngram)
        for document, some in zip(documents, parts, strict=True)
    ]


def _line(block: Block, document: int, is_shared: Bools) -> float:
    """Return the mean length of the lines of shared words, 0 where there are none."""
    lines = block.lines[part(block.token_offsets, document)][is_shared]
    return float(lines.mean()) if lines.size else 0.0


def is_own(block: Block, document: int) -> Bools:
    """Return which words of a document are no boilerplate."""
    place = part(block.token_offsets, document)
    if block.weights is None:
        return np.ones(place.stop - place.start, np.bool_)
    shingles = part(block.shingle_offsets, document)
    # A word weighs what the shingle does that starts with it, and stands in others, too.
    is_common = block.weights[place][: shingles.stop - shingles.start] < COMMON
    return ~covered(is_common, place.stop - place.start, block.ngram)


def _told_at_length(block: Block, document: int, is_shared: Bools, line: float) -> Bools:
    """Return which words beside the shared text tell the story at greater length, if any do."""
    lines = block.lines[part(block.token_offsets, document)]
    is_prose = ~is_shared & (lines >= min(PROSE * line, PARAGRAPH)) & is_own(block, document)
    n_beside, n_prose = np.count_nonzero(~is_shared), np.count_nonzero(is_prose)
    is_longer = n_beside - n_prose <= FEW_OTHERS * n_beside
    is_fitting = n_prose <= np.count_nonzero(is_shared)
    return is_prose if is_longer and is_fitting else np.zeros_like(is_prose)

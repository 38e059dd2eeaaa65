"""Counts how much of its story each copy has, from what all copies of a cluster hold.

A word is the story where most copies have it. What a single copy has beside that is its
page, unless it is prose: then it tells the story at greater length. Which copy is kept is
left to `dedupe.results.representatives`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np

from dedupe.arrays import AnyInts, Bools, Floats, Ints, distinct
from dedupe.kernels import stories as kernel
from dedupe.kernels.tables import SALT
from dedupe.scoring.boilerplate import Words

__all__ = ["Copies", "StoryWords", "covered", "words_of_stories"]

BATCH = 1 << 17
"""Words that are counted at once: their marks stay in the cache, and a call costs little."""


class Copies(NamedTuple):
    """Clusters of copies, each different text once.

    Attributes
    ----------
    documents : int64 [shape=(n,)]
        Documents by their places among the words, those of a cluster in a row.
    n_copies : int64 [shape=(n,)], positive
        How many documents have that text.
    bounds : int64 [shape=(n_clusters + 1,)]
        Where each cluster begins, and where the last one ends.
    """

    documents: Ints
    n_copies: Ints
    bounds: Ints

    @classmethod
    def of(cls, documents: AnyInts, n_copies: AnyInts, *, clusters: AnyInts) -> Self:
        """Make them of texts that each name their cluster, those of one in a row."""
        ends = np.flatnonzero(np.diff(clusters)) + 1
        bounds = distinct(np.array([0, *ends, len(clusters)]))
        return cls(documents.astype(np.int64), n_copies.astype(np.int64), bounds)

    def in_batches(self, n_words: AnyInts) -> "Iterator[Copies]":
        """Yield whole clusters of about `BATCH` words, given those of each text."""
        before = np.concatenate([[0], np.cumsum(n_words)])[self.bounds[:-1]]
        firsts = np.flatnonzero(np.diff(before // BATCH, prepend=-1))
        for first, last in pairwise([*firsts.tolist(), self.bounds.size - 1]):
            bounds = self.bounds[first : last + 1]
            texts = slice(bounds[0], bounds[-1])
            yield Copies(self.documents[texts], self.n_copies[texts], bounds - bounds[0])


class StoryWords(NamedTuple):
    """How many words of some documents are their story, and how many are boilerplate.

    Attributes
    ----------
    story, boilerplate : int64 [shape=(n,)]
    """

    story: Ints
    boilerplate: Ints


def words_of_stories(words: Words, ngram: int, copies: Copies) -> StoryWords:
    r"""Count the words of its story in each text, without boilerplate, and those of boilerplate.

    Examples
    --------
    >>> from dedupe.scoring.block import Block
    >>> from dedupe.shingling import hash_tokens
    >>> story = "the council voted to close the bridge for repairs until spring"
    >>> texts = [story, "home\nnews\n" + story, story + "\nsport"]
    >>> words = Block.of(hash_tokens(texts, detail=True), 5).words
    >>> copies = Copies(np.arange(3), np.ones(3, np.int64), np.array([0, 3]))
    >>> words_of_stories(words, 5, copies).story.tolist()
    [11, 11, 11]
    """
    documents, n_copies, bounds = copies
    n_shingles = np.diff(words.offsets)[documents]
    largest = int(np.add.reduceat(n_shingles, bounds[:-1]).max(initial=1))
    n_slots = 1 << (2 * largest).bit_length()
    mark_offsets = np.concatenate([[0], np.cumsum(np.diff(words.token_offsets)[documents])])
    marks = np.empty(mark_offsets[-1], np.uint8)
    mean_lines = np.empty(documents.size)
    kernel.mark_words_into(
        documents,
        n_copies,
        bounds,
        *words,
        ngram,
        SALT,
        np.empty(n_slots, np.uint64),
        np.empty(n_slots, np.int64),
        np.empty(n_slots, np.int64),
        *np.empty((2, kernel.MAX_BUCKETS), np.int64),
        mark_offsets,
        np.empty(mark_offsets[-1], np.int32),
        marks,
        mean_lines,
    )
    clusters = np.repeat(np.arange(bounds.size - 1), np.diff(bounds))
    usual = _medians(mean_lines, n_copies * (mean_lines > 0), clusters, bounds.size - 1)[clusters]
    story, boilerplate = np.empty((2, documents.size), np.int64)
    kernel.count_words_into(
        documents,
        words.token_offsets,
        words.lines,
        mark_offsets,
        marks,
        mean_lines,
        usual,
        story,
        boilerplate,
    )
    return StoryWords(story, boilerplate)


def _medians(values: Floats, counts: Ints, groups: Ints, n_groups: int) -> Floats:
    """Return the median of each group of values, each as often as it counts; 0 of none."""
    order = np.lexsort((values, groups))
    values = np.repeat(values[order], counts[order])
    groups = np.repeat(groups[order], counts[order])
    ends = np.searchsorted(groups, np.arange(n_groups), side="right")
    starts = np.searchsorted(groups, np.arange(n_groups))
    medians = np.zeros(n_groups)
    some = np.flatnonzero(starts < ends)
    low, high = (starts[some] + ends[some] - 1) // 2, (starts[some] + ends[some]) // 2
    medians[some] = (values[low] + values[high]) / 2
    return medians


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

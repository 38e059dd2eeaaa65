"""Counts in how many stories the shingles stand that `dedupe.scoring.boilerplate` watches.

Where words were weighed before, a document counts only for what stands beside something of
its own: a story is not boilerplate of the pages that tell nothing else. What it *tells* so is
a number for each document, and all else that counting needs to know of its weights.

From one round of learning to the next few documents change their story, or what they tell, and
only the stories of those are counted again. Who goes through documents, on threads or
elsewhere, is left to the engine.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Hashes, Ints, distinct
from dedupe.kernels.boilerplate import (
    TELLS_ALL,
    count_clusters_into,
    mark_watched_into,
    tells_into,
)
from dedupe.kernels.measures import N_LINES, PARAGRAPH, PROSE
from dedupe.scoring.boilerplate import Boilerplate, Words, room_for_hits

__all__ = [
    "Counted",
    "Tally",
    "Told",
    "Watched",
    "count",
    "count_after",
    "counted",
    "counted_in_order",
    "parted",
    "tell_into",
    "told_by",
    "watched_in",
]

Told = npt.NDArray[np.uint32]


class Tally:
    """In how many clusters the shingles of a boilerplate stand, as one thread counts them.

    Attributes
    ----------
    n_clusters : int32 [shape=(n_slots,)]
        By the slots of the boilerplate, which takes up nothing meanwhile; see `Boilerplate.add`.
    """

    def __init__(self, boilerplate: Boilerplate) -> None:
        self._salt, self._sieve, self._shingles, _, self._owners = boilerplate.table
        # Side by side, so that one look at memory brings both.
        self._tally = np.zeros((self._shingles.size, 2), np.int32)
        self._tally[:, 0] = -1

    @property
    def n_clusters(self) -> npt.NDArray[np.int32]:
        """In how many clusters each was counted."""
        return self._tally[:, 1]

    def count(self, words: Words, told: Told, clusters: Ints, order: Ints) -> None:
        """Count the clusters of some documents of a block.

        Parameters
        ----------
        words : Words
        told : uint32 [shape=(n_docs,)]
            As `tell_into` writes it.
        clusters : int64 [shape=(n_docs,)]
        order : int64 [shape=(n,)]
            Some of what `counted_in_order` returns, or all of it. A cluster may go on in the
            next call.
        """
        hits = room_for_hits(words.offsets)
        table = self._salt, self._sieve, self._shingles, self._owners
        count_clusters_into(*words[:4], told, order, clusters, *table, hits, self._tally)


def tell_into(documents: Ints, words: Words, told: Told) -> None:
    """Write what some documents tell, a bit for each length of lines.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    words : Words
    told : uint32 [shape=(n_docs,)]
    """
    if words.weights is None:
        told[documents] = TELLS_ALL
        return
    by_line = np.empty((2, N_LINES), np.int64)
    tells_into(documents, words.lines, words.weights, words.token_offsets, by_line, told)


def told_by(words: Words) -> Told:
    """Return what all documents of a block tell; see `tell_into`."""
    told = np.empty(words.offsets.size - 1, np.uint32)
    tell_into(np.arange(told.size), words, told)
    return told


def count(boilerplate: Boilerplate, words: Words, clusters: Ints) -> None:
    """Count the clusters of a block of documents.

    Parameters
    ----------
    boilerplate : Boilerplate
    words : Words
    clusters : int64 [shape=(n_docs,)]
        -1 for a document that does not count.

    Examples
    --------
    >>> shingles, offsets = np.uint64([7, 8, 7]), np.array([0, 2, 3])
    >>> boilerplate = Boilerplate()
    >>> boilerplate.watch(shingles)
    >>> words = Words(shingles, offsets, offsets, np.full(3, 12, np.uint8))
    >>> count(boilerplate, words, np.array([0, 1]))
    >>> boilerplate.weights(shingles, offsets, offsets).tolist()
    [0.5, 1.0, 0.5]
    """
    if not boilerplate.n_watched:
        return
    tally = Tally(boilerplate)
    tally.count(words, told_by(words), clusters, counted_in_order(clusters))
    boilerplate.add(tally.n_clusters)


class Counted(NamedTuple):
    """What a round counts, or has counted.

    Attributes
    ----------
    boilerplate : Boilerplate
    told : uint32 [shape=(n_docs,)]
        What each document tells; see `tell_into`.
    stories : int64 [shape=(n_docs,)]
        -1 for a document that does not count.
    """

    boilerplate: Boilerplate
    told: Told
    stories: Ints


TallyOf = Callable[[Counted], AnyInts]
"""Counts from nothing, and returns in how many clusters the shingle in each slot stands."""


def count_after(before: Counted | None, now: Counted, tally_of: TallyOf) -> None:
    """Count what a round is to count, and only what is otherwise than in the round before.

    Parameters
    ----------
    before, now : Counted
        Of the same documents; the boilerplate of `now` has counted nothing.
    tally_of : callable
    """
    if before is None:
        now.boilerplate.add(tally_of(now))
        return
    gone, come = _otherwise(before, now)
    n_touched = sum(np.count_nonzero(one.stories >= 0) for one in (gone, come))
    if n_touched > now.stories.size:
        now.boilerplate.add(tally_of(now))
        return
    slots = now.boilerplate.go_on_from(before.boilerplate)
    anew = now.boilerplate.some(slots)
    gone = gone._replace(boilerplate=now.boilerplate)
    now.boilerplate.add(tally_of(come) - tally_of(gone))
    if slots.size:
        anew.add(tally_of(now._replace(boilerplate=anew)))
        now.boilerplate.replace(slots, anew)


def _otherwise(before: Counted, now: Counted) -> tuple[Counted, Counted]:
    """Return both with those stories alone of which a document is otherwise, in either."""
    is_other = (before.stories != now.stories) | (before.told != now.told)
    both = np.stack([before.stories, now.stories])
    # What is in no story goes last.
    is_touched = np.zeros(int(both.max(initial=-1)) + 2, np.bool_)
    is_touched[both[:, is_other]] = True
    is_touched[-1] = False
    gone, come = np.where(is_touched[both], both, -1)
    return before._replace(stories=gone), now._replace(stories=come)


class Watched(NamedTuple):
    """The shingles of documents that are watched for: all of them that counting looks at.

    Attributes
    ----------
    shingles : uint64 [shape=(n,)]
    documents : int32 [shape=(n,)]
        Where each stands, which may be several times in one.
    bits : uint8 [shape=(n,)]
        The bit of `tell_into` for the line it stands in.
    """

    shingles: Hashes
    documents: npt.NDArray[np.int32]
    bits: npt.NDArray[np.uint8]


BITS = np.ceil(PROSE * np.minimum(np.arange(256), PARAGRAPH)).astype(np.uint8)
"""The bit for each length of lines, as the kernels have it."""


def watched_in(boilerplate: Boilerplate, words: Words, documents: Ints) -> Watched:
    """Return where some documents of a block hold what is watched for."""
    marks = np.zeros(words.shingles.size, np.bool_)
    salt, sieve, table, _, owners = boilerplate.table
    kernel_table = salt, sieve, table, owners
    hits = room_for_hits(words.offsets)
    mark_watched_into(words.shingles, words.offsets, documents, *kernel_table, hits, marks)
    places = np.flatnonzero(marks)
    holders = np.searchsorted(words.offsets, places, side="right") - 1
    # Of the last words of a document no shingle begins with one.
    lines = words.lines[places - words.offsets[holders] + words.token_offsets[holders]]
    return Watched(words.shingles[places], holders.astype(np.int32), BITS[lines])


def counted(watched: Watched, told: Told, clusters: Ints) -> tuple[Hashes, Ints]:
    """Return what `count` would count, each shingle with a cluster, and count nothing.

    Whoever has documents in several places adds up there how many clusters a shingle
    stands in. Each shingle comes once with a cluster.

    Parameters
    ----------
    watched : Watched
    told : uint32 [shape=(n_docs,)]
        As `tell_into` writes it.
    clusters : int64 [shape=(n_docs,)]
        -1 for a document that does not count.

    Examples
    --------
    >>> shingles, offsets = np.uint64([7, 8, 7, 8]), np.array([0, 2, 4])
    >>> boilerplate = Boilerplate()
    >>> boilerplate.watch(np.uint64([7]))
    >>> words = Words(shingles, offsets, offsets, np.full(4, 12, np.uint8))
    >>> watched = watched_in(boilerplate, words, np.arange(2))
    >>> [column.tolist() for column in counted(watched, told_by(words), np.array([3, 5]))]
    [[7, 7], [3, 5]]
    """
    of_shingles = clusters[watched.documents]
    marks = (told[watched.documents] >> watched.bits) & 1 > 0
    marks &= of_shingles >= 0
    shingles, of_shingles = watched.shingles[marks], of_shingles[marks]
    ranked = np.lexsort((of_shingles, shingles))
    shingles, of_shingles = shingles[ranked], of_shingles[ranked]
    is_new = np.ones(shingles.size, np.bool_)
    is_new[1:] = (np.diff(shingles) != 0) | (np.diff(of_shingles) != 0)
    return shingles[is_new], of_shingles[is_new]


def counted_in_order(clusters: Ints) -> Ints:
    """Return the documents that count, those of a cluster after each other.

    >>> counted_in_order(np.array([1, -1, 0, 1])).tolist()
    [2, 0, 3]
    """
    order = np.argsort(clusters, kind="stable")
    return order[np.searchsorted(clusters[order], 0) :]


def parted(order: Ints, clusters: Ints, n_parts: int) -> list[Ints]:
    """Cut what `counted_in_order` returns into so many parts of about equal size, or fewer.

    No cluster is in two of them.

    >>> clusters = np.array([0, 0, 1, 1, 2])
    >>> [part.tolist() for part in parted(counted_in_order(clusters), clusters, 2)]
    [[0, 1], [2, 3, 4]]
    """
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    wanted = order.size * np.arange(1, n_parts) // n_parts
    places = np.searchsorted(starts, wanted)
    cuts = distinct(starts[places[places < starts.size]])
    return [part for part in np.split(order, cuts) if part.size]

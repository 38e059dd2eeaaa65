"""Counts what many different stories carry: menus, teasers, footers.

A shingle that occurs in many clusters of documents says little about any of them.
Counting clusters, not documents, keeps a story that was syndicated five hundred
times at its full weight: its copies are one cluster. No list of words, languages or
sites is needed, and none would know the next site.

Only shingles that pairs of different stories share are counted. All others weigh 1
anyway, and they are nearly all there are. Which stories those are is decided in
`dedupe.learning`.

What is known to be boilerplate before anything is counted stands in as many clusters as
can be counted, from the start and to the end.
"""

from copy import copy
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Hashes, Ints, Weights, distinct
from dedupe.kernels.boilerplate import (
    COUNTLESS,
    MAX_COUNT,
    OF_FORM,
    count_clusters_into,
    counts_into,
    holders_into,
    insert_into,
    mark_counted_into,
    raise_into,
    weigh_into,
)
from dedupe.kernels.measures import N_LINES
from dedupe.kernels.tables import EMPTY, SALT, SLOTS_PER_WORD
from dedupe.shingling import Sealed

__all__ = [
    "NOTHING",
    "Boilerplate",
    "Learned",
    "Words",
    "counted_in_order",
    "load_boilerplate",
    "parted",
]

NOTHING = Sealed(np.empty(0, np.uint64), np.empty(0, np.uint32))
"""The shingles that are known to be boilerplate where nobody named any."""

MIN_TABLE = 1 << 12
MAX_LOAD = 0.5


class Words(NamedTuple):
    """The words of a block of documents, as boilerplate is counted among them.

    Attributes
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets, token_offsets : int64 [shape=(n_docs + 1,)]
        Document ``d`` owns ``shingles[offsets[d]:offsets[d + 1]]``, and its words likewise.
    lines : uint8 [shape=(n_tokens,)]
        Words in the line of each word.
    weights : float32 [shape=(n_tokens,)], optional
        What each counts by what was learned before, if anything was.
    """

    shingles: Hashes
    offsets: Ints
    token_offsets: Ints
    lines: npt.NDArray[np.uint8]
    weights: Weights | None = None


class Boilerplate:
    """In how many clusters the shingles of a corpus occur.

    A new one knows nothing, and every word weighs 1.

    Attributes
    ----------
    is_public : bool
        Whether it knows shingles by the hashes that every process has; see
        `dedupe.shingling.Sealed`.

    Examples
    --------
    >>> shingles, offsets = np.uint64([7, 8, 7]), np.array([0, 2, 3])
    >>> boilerplate = Boilerplate()
    >>> boilerplate.watch(shingles)
    >>> lines = np.full(3, 12, np.uint8)
    >>> boilerplate.count(Words(shingles, offsets, offsets, lines), np.array([0, 1]))
    >>> boilerplate.weights(shingles, offsets, offsets).tolist()
    [0.5, 1.0, 0.5]
    """

    BYTES = 10
    """Bytes that `to_bytes` takes for a shingle."""

    def __init__(self) -> None:
        self.is_public = False
        self._n_watched = 0
        self._make_slots(MIN_TABLE)

    @classmethod
    def knowing(cls, known: Sealed) -> Self:
        """Return one to which all words of some shingles are boilerplate, whatever is counted."""
        boilerplate = cls()
        boilerplate.watch(known.hashes, known.public(), _most(known.hashes.size))
        return boilerplate

    def watch(
        self,
        shingles: Hashes,
        public: Hashes | None = None,
        counts: npt.NDArray[np.uint16] | None = None,
    ) -> None:
        """Take up shingles to count; those taken up before stay as they are.

        Parameters
        ----------
        shingles : uint64 [shape=(n,)]
        public : uint64 [shape=(n,)], optional
            Where they are sealed, the hashes that other processes know them by.
        counts : uint16 [shape=(n,)], optional
            What each is to start with, 0 by default.
        """
        if counts is None:
            counts = np.zeros(shingles.size, np.uint16)
        public = shingles if public is None else public
        # Pairs share the same shingles again and again: a table with room for all of them at
        # once would be several times as large, and no cache would hold its sieve.
        for start in range(0, shingles.size, MIN_TABLE):
            few = slice(start, start + MIN_TABLE)
            self._make_room(shingles[few].size)
            self._n_watched += insert_into(
                shingles[few], public[few], counts[few], *self.table, self._public
            )

    def count(self, words: "Words", clusters: Ints, order: Ints | None = None) -> None:
        """Count the clusters of a block of documents.

        Where words were weighed before, a document counts only for what stands beside
        something of its own: a story is not boilerplate of the pages that tell nothing else.

        Parameters
        ----------
        words : Words
        clusters : int64 [shape=(n_docs,)]
            -1 for a document that does not count.
        order : int64 [shape=(n,)], optional
            Some of what `counted_in_order` returns, or all of it by default. A cluster may
            go on in the next call.
        """
        if order is None:
            order = counted_in_order(clusters)
        by_line, tells = np.empty((2, N_LINES), np.int64), np.empty(N_LINES, np.bool_)
        hits = _room_for_hits(words.offsets)
        count_clusters_into(*words, order, clusters, *self.table, by_line, tells, hits)

    def to_count(self) -> Self:
        """Return one that watches the same shingles, and counts apart from this one.

        It begins with what this one has counted, so nothing but what is known as a rule.
        """
        other = copy(self)
        other._counts, other._last_cluster = self._counts.copy(), self._last_cluster.copy()
        return other

    def another(self) -> Self:
        """Return one that watches the same shingles, and has counted nothing.

        It is for clusters that this one does not count, on another thread; see `add`.
        """
        other = copy(self)
        other._counts = np.zeros_like(self._counts)
        other._last_cluster = np.where(self._last_cluster == EMPTY, EMPTY, COUNTLESS).astype(
            np.int32
        )
        return other

    def add(self, other: Self) -> None:
        """Add what `another` has counted of other clusters."""
        counted = np.minimum((self._counts & MAX_COUNT) + other._counts, MAX_COUNT)
        self._counts[:] = counted | (self._counts & OF_FORM)

    def raise_to(self, known: Sealed, counts: npt.NDArray[np.uint16]) -> None:
        """Let shingles stand in so many clusters at least; those that are new are taken up.

        Parameters
        ----------
        known : Sealed
        counts : uint16 [shape=(n,)]
            With the mark of forms, as in `to_bytes`.
        """
        self.watch(known.hashes, known.public(), counts)
        salt, _, *table = self.table
        raise_into(known.hashes, counts, salt, *table)

    def counted(self, words: "Words", clusters: Ints) -> tuple[Hashes, Ints]:
        """Return what `count` would count, each shingle with a cluster, and count nothing.

        Whoever has documents in several places adds up there how many clusters a shingle
        stands in. Each shingle comes once with a cluster.

        Parameters
        ----------
        words, clusters
            As in `count`.

        Examples
        --------
        >>> shingles, offsets = np.uint64([7, 8, 7, 8]), np.array([0, 2, 4])
        >>> boilerplate = Boilerplate()
        >>> boilerplate.watch(np.uint64([7]))
        >>> words = Words(shingles, offsets, offsets, np.full(4, 12, np.uint8))
        >>> [column.tolist() for column in boilerplate.counted(words, np.array([3, 5]))]
        [[7, 7], [3, 5]]
        """
        order = counted_in_order(clusters)
        by_line, tells = np.empty((2, N_LINES), np.int64), np.empty(N_LINES, np.bool_)
        marks = np.zeros(words.shingles.size, np.bool_)
        salt, sieve, table, _, last_cluster = self.table
        kernel_table = salt, sieve, table, last_cluster
        hits = _room_for_hits(words.offsets)
        mark_counted_into(*words, order, *kernel_table, by_line, tells, hits, marks)
        shingles = words.shingles[marks]
        of_shingles = np.repeat(clusters, np.diff(words.offsets))[marks]
        ranked = np.lexsort((of_shingles, shingles))
        shingles, of_shingles = shingles[ranked], of_shingles[ranked]
        is_new = np.ones(shingles.size, np.bool_)
        is_new[1:] = (np.diff(shingles) != 0) | (np.diff(of_shingles) != 0)
        return shingles[is_new], of_shingles[is_new]

    def mark(self, shingles: Hashes) -> None:
        """Note of some shingles, as far as they were taken up, that they are part of a form.

        All words of such a shingle weigh what it does, not only the first.
        """
        if shingles.size:
            is_marked = np.isin(self._shingles, shingles) & (self._last_cluster != EMPTY)
            self._counts[is_marked] |= OF_FORM

    def weights(self, shingles: Hashes, offsets: Ints, token_offsets: Ints) -> Weights:
        """Return the weight of each word of a block of documents, in (0, 1].

        Parameters
        ----------
        shingles, offsets, token_offsets
            As in `Words`.
        """
        lines, weights = np.empty(0, np.uint8), np.ones(int(token_offsets[-1]), np.float32)
        documents = np.arange(offsets.size - 1)
        self.weigh(documents, Words(shingles, offsets, token_offsets, lines, weights))
        return weights

    def weigh(self, documents: Ints, words: Words) -> Bools:
        """Write what the words of some documents weigh; return which had other weights before.

        Parameters
        ----------
        documents : int64 [shape=(n,)]
        words : Words
            Of which the weights of these documents are overwritten.
        """
        has_changed = np.empty(documents.size, np.bool_)
        longest = int(np.diff(words.token_offsets).max(initial=0))
        weigh_into(
            documents,
            words.shingles,
            words.offsets,
            words.token_offsets,
            *self.table,
            _room_for_hits(words.offsets),
            np.empty(longest, np.float32),
            words.weights,
            has_changed,
        )
        return has_changed

    def changes(self, before: Self) -> Self | None:
        """Return what has taken up all shingles whose words may weigh otherwise than `before`.

        None where the two know shingles by other hashes, so that all may.
        """
        if self.is_public != before.is_public:
            return None
        found = type(self)()
        found.is_public = self.is_public
        for one, other in ((self, before), (before, self)):
            rows = np.flatnonzero(one._last_cluster != EMPTY)
            shingles = one._shingles[rows]
            is_other = _told(one._counts[rows]) != _told(other._counts_of(shingles))
            found.watch(shingles[is_other])
        return found

    def holders(self, shingles: Hashes, offsets: Ints) -> Bools:
        """Return which of some documents have a shingle that was taken up.

        Parameters
        ----------
        shingles, offsets
            As in `Words`.
        """
        salt, sieve, table, _, last_cluster = self.table
        found = np.empty(offsets.size - 1, np.bool_)
        hits = _room_for_hits(offsets)
        holders_into(shingles, offsets, salt, sieve, table, last_cluster, hits, found)
        return found

    def _counts_of(self, shingles: Hashes) -> npt.NDArray[np.uint16]:
        """Return the counts of some shingles, 0 for those that were not taken up."""
        salt, _, table, counts, last_cluster = self.table
        found = np.empty(shingles.size, np.uint16)
        counts_into(shingles, salt, table, counts, last_cluster, found)
        return found

    def to_bytes(self) -> bytes:
        """Return what is known as bytes: the shingles of two clusters or more, and their counts.

        They are what other processes know them by. Of those that have one hash and other
        words the commonest is kept.
        """
        rows = np.flatnonzero((self._counts & MAX_COUNT) > 1)
        counts, public = self._counts[rows], self._public[rows]
        order = np.lexsort((counts, counts & MAX_COUNT, public))
        counts, public = counts[order], public[order]
        last = np.flatnonzero(np.append(public[1:] != public[:-1], True)[: rows.size])
        return bytes(public[last].astype("<u8").tobytes() + counts[last].astype("<u2").tobytes())

    @classmethod
    def from_bytes(cls, data: bytes, known: Sealed = NOTHING) -> Self:
        """Rebuild from `to_bytes`, for documents whose shingles are not sealed.

        Parameters
        ----------
        data : bytes
        known : Sealed
            Shingles that are boilerplate, whatever the bytes say of them.

        Raises
        ------
        ValueError
            When the length is that of no such bytes.
        """
        n_shingles, rest = divmod(len(data), cls.BYTES)
        if rest:
            raise ValueError(
                f"boilerplate must have {cls.BYTES} bytes a shingle, got {len(data)} bytes"
            )
        boilerplate = cls()
        boilerplate.watch(known.public(), counts=_most(known.hashes.size))
        boilerplate.watch(
            np.frombuffer(data, "<u8", n_shingles).astype(np.uint64),
            counts=np.frombuffer(data, "<u2", n_shingles, 8 * n_shingles).astype(np.uint16),
        )
        boilerplate.is_public = True
        return boilerplate

    @property
    def table(
        self,
    ) -> tuple[np.uint64, Hashes, Hashes, npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
        """What the kernels take for the table."""
        return SALT, self._sieve, self._shingles, self._counts, self._last_cluster

    def _make_slots(self, n_slots: int) -> None:
        """Replace the table by an empty one."""
        self._sieve = np.zeros(n_slots // SLOTS_PER_WORD, np.uint64)
        self._public = np.zeros(n_slots, np.uint64)
        self._shingles = np.zeros(n_slots, np.uint64)
        self._counts = np.zeros(n_slots, np.uint16)
        self._last_cluster = np.full(n_slots, EMPTY, np.int32)

    def _make_room(self, n_more: int) -> None:
        """Enlarge the table until so many more shingles fit in without crowding."""
        n_slots = self._shingles.size
        while n_slots * MAX_LOAD < self._n_watched + n_more:
            n_slots *= 2
        if n_slots == self._shingles.size:
            return
        used = np.flatnonzero(self._last_cluster != EMPTY)
        shingles, public, counts = self._shingles[used], self._public[used], self._counts[used]
        self._make_slots(n_slots)
        insert_into(shingles, public, counts, *self.table, self._public)


def _room_for_hits(offsets: Ints) -> Ints:
    """Return room for what is looked up of any of some documents, and written behind it."""
    return np.empty((2, int(np.diff(offsets).max(initial=0)) + 1), np.int64)


def _told(counts: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return counts as far as weights tell them apart: what is in one cluster is in none."""
    return np.where(counts & MAX_COUNT > 1, counts, np.uint16(0))


def _most(n: int) -> npt.NDArray[np.uint16]:
    """Return the counts of shingles that are known to be boilerplate."""
    return np.full(n, MAX_COUNT | OF_FORM, np.uint16)


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


class Learned(NamedTuple):
    """What a collection tells of itself.

    Attributes
    ----------
    boilerplate : Boilerplate
    stories : int64 [shape=(n_docs,)]
        The story of each document that is compared, as far as boilerplate was learned from it.
    may_score : bool [shape=(n_pairs,)]
        Which pairs may score the floor by it.
    """

    boilerplate: Boilerplate
    stories: Ints
    may_score: Bools


@lru_cache(maxsize=1)
def load_boilerplate(data: bytes) -> Boilerplate:
    """Return `Boilerplate.from_bytes`, made once for the many pairs of one result.

    It is shared: weigh with it, and count into another.
    """
    return Boilerplate.from_bytes(data)

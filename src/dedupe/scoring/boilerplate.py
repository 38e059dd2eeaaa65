"""Knows what many different stories carry, menus, teasers, footers, and weighs words by it.

A shingle that occurs in many clusters of documents says little about any of them.
Counting clusters, not documents, keeps a story that was syndicated five hundred
times at its full weight: its copies are one cluster. No list of words, languages or
sites is needed, and none would know the next site.

Only shingles that pairs of different stories share are counted. All others weigh 1
anyway, and they are nearly all there are. How they are counted is said in
`dedupe.scoring.counting`, and which stories those are is decided in `dedupe.learning`.

What is known to be boilerplate before anything is counted stands in as many clusters as
can be counted, from the start and to the end.
"""

from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Hashes, Ints, Weights, offsets_of, parts
from dedupe.kernels.boilerplate import (
    MAX_COUNT,
    OF_FORM,
    counts_into,
    holders_into,
    insert_into,
    raise_into,
    weigh_counted_into,
    weigh_into,
)
from dedupe.kernels.tables import EMPTY, SALT, SLOTS_PER_WORD
from dedupe.shingling import Sealed

__all__ = [
    "NOTHING",
    "Boilerplate",
    "Learned",
    "Words",
    "load_boilerplate",
    "room_for_hits",
    "weights_of",
]

NOTHING = Sealed(np.empty(0, np.uint64), np.empty(0, np.uint32))
"""The shingles that are known to be boilerplate where nobody named any."""

MIN_TABLE = 1 << 12
MAX_LOAD = 0.5


class Words(NamedTuple):
    """The words of a block of documents, as boilerplate and copies are counted among them.

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

    def of(self, documents: Ints) -> Self:
        """Return the words of some documents alone, in the order given."""
        words = parts(self.token_offsets, documents)
        weights = self.weights
        return self._replace(
            shingles=np.concatenate([self.shingles[one] for one in parts(self.offsets, documents)]),
            offsets=offsets_of(np.diff(self.offsets)[documents]),
            token_offsets=offsets_of(np.diff(self.token_offsets)[documents]),
            lines=np.concatenate([self.lines[one] for one in words]),
            weights=None if weights is None else np.concatenate([weights[one] for one in words]),
        )

    @classmethod
    def joined(cls, some: Sequence[Self]) -> Self:
        """Return the words of several blocks, all of them weighed or none, as those of one."""
        weights = [words.weights for words in some if words.weights is not None]
        return cls(
            np.concatenate([words.shingles for words in some]),
            offsets_of(np.concatenate([np.diff(words.offsets) for words in some])),
            offsets_of(np.concatenate([np.diff(words.token_offsets) for words in some])),
            np.concatenate([words.lines for words in some]),
            np.concatenate(weights) if weights else None,
        )


class Boilerplate:
    """In how many clusters the shingles of a corpus occur.

    A new one knows nothing, and every word weighs 1.

    Attributes
    ----------
    is_public : bool
        Whether it knows shingles by the hashes that every process has; see
        `dedupe.shingling.Sealed`.
    n_watched : int
        Shingles that it has taken up.

    Examples
    --------
    >>> shingles, offsets = np.uint64([7, 8, 7]), np.array([0, 2, 3])
    >>> boilerplate = Boilerplate()
    >>> boilerplate.watch(np.uint64([7]), counts=np.uint16([2]))
    >>> boilerplate.weights(shingles, offsets, offsets).tolist()
    [0.5, 1.0, 0.5]
    """

    BYTES = 10
    """Bytes that `to_bytes` takes for a shingle."""

    def __init__(self) -> None:
        self.is_public = False
        self.n_watched = 0
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
            self.n_watched += insert_into(
                shingles[few], public[few], counts[few], *self.table, self._public
            )

    def to_count(self) -> Self:
        """Return one that watches the same shingles, and counts apart from this one.

        It begins with what this one has counted, so nothing but what is known as a rule.
        """
        other = copy(self)
        other._counts, other._owners = self._counts.copy(), self._owners.copy()
        return other

    def add(self, n_clusters: AnyInts) -> None:
        """Count so many more clusters of each slot, or fewer; see `dedupe.scoring.counting`."""
        counted = np.clip((self._counts & MAX_COUNT) + n_clusters, 0, MAX_COUNT)
        self._counts[:] = counted | (self._counts & OF_FORM)

    def go_on_from(self, before: Self) -> Ints:
        """Take over what was counted before; return the slots of which that says nothing.

        These are of shingles that were not counted yet, or too often to know how often.
        """
        slots = np.flatnonzero(self._owners != EMPTY)
        counts = before._counts_of(self._shingles[slots]) & MAX_COUNT
        says = (counts > 0) & (counts < MAX_COUNT)
        self._counts[slots[says]] = counts[says]
        return slots[~says]

    def some(self, slots: Ints) -> Self:
        """Return what watches the shingles in some slots, with what was counted of them."""
        found = type(self)()
        found.watch(self._shingles[slots], self._public[slots], self._counts[slots])
        return found

    def replace(self, slots: Ints, some: Self) -> None:
        """Let what stands in some slots count what `some` says, which watches all of it."""
        self._counts[slots] = some._counts_of(self._shingles[slots])

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

    def mark(self, shingles: Hashes) -> None:
        """Note of some shingles, as far as they were taken up, that they are part of a form.

        All words of such a shingle weigh what it does, not only the first.
        """
        if shingles.size:
            is_marked = np.isin(self._shingles, shingles) & (self._owners != EMPTY)
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
            room_for_hits(words.offsets),
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
            rows = np.flatnonzero(one._owners != EMPTY)
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
        salt, sieve, table, _, owners = self.table
        found = np.empty(offsets.size - 1, np.bool_)
        hits = room_for_hits(offsets)
        holders_into(shingles, offsets, salt, sieve, table, owners, hits, found)
        return found

    def _counts_of(self, shingles: Hashes) -> npt.NDArray[np.uint16]:
        """Return the counts of some shingles, 0 for those that were not taken up."""
        salt, _, table, counts, owners = self.table
        found = np.empty(shingles.size, np.uint16)
        counts_into(shingles, salt, table, counts, owners, found)
        return found

    def to_bytes(self) -> bytes:
        """Return what is known as bytes: the shingles of two clusters or more, and their counts.

        They are what other processes know them by. Of those that have one hash and other
        words the commonest is kept.
        """
        rows = np.flatnonzero((self._counts & MAX_COUNT) > 1)
        if not rows.size:
            return b""
        counts, public = self._counts[rows], self._public[rows]
        order = np.lexsort((counts, counts & MAX_COUNT, public))
        counts, public = counts[order], public[order]
        last = np.flatnonzero(np.append(public[1:] != public[:-1], True))
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
    ) -> tuple[np.uint64, Hashes, Hashes, npt.NDArray[np.uint16], npt.NDArray[np.int8]]:
        """What the kernels take for the table."""
        return SALT, self._sieve, self._shingles, self._counts, self._owners

    def _make_slots(self, n_slots: int) -> None:
        """Replace the table by an empty one."""
        self._sieve = np.zeros(n_slots // SLOTS_PER_WORD, np.uint64)
        self._public = np.zeros(n_slots, np.uint64)
        self._shingles = np.zeros(n_slots, np.uint64)
        self._counts = np.zeros(n_slots, np.uint16)
        self._owners = np.full(n_slots, EMPTY, np.int8)

    def _make_room(self, n_more: int) -> None:
        """Enlarge the table until so many more shingles fit in without crowding."""
        n_slots = self._shingles.size
        while n_slots * MAX_LOAD < self.n_watched + n_more:
            n_slots *= 2
        if n_slots == self._shingles.size:
            return
        used = np.flatnonzero(self._owners != EMPTY)
        shingles, public, counts = self._shingles[used], self._public[used], self._counts[used]
        self._make_slots(n_slots)
        insert_into(shingles, public, counts, *self.table, self._public)


def weights_of(counts: npt.NDArray[np.uint16], offsets: Ints, token_offsets: Ints) -> Weights:
    """Return what `Boilerplate.weights` does, given in how many clusters each shingle stands.

    >>> counts, offsets = np.uint16([2, 0, 2]), np.array([0, 2, 3])
    >>> weights_of(counts, offsets, offsets).tolist()
    [0.5, 1.0, 0.5]
    """
    weights = np.empty(int(token_offsets[-1]), np.float32)
    weigh_counted_into(counts, offsets, token_offsets, room_for_hits(offsets), weights)
    return weights


def room_for_hits(offsets: Ints) -> Ints:
    """Return room for what is looked up of any of some documents, and written behind it."""
    return np.empty((2, int(np.diff(offsets).max(initial=0)) + 1), np.int64)


def _told(counts: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return counts as far as weights tell them apart: what is in one cluster is in none."""
    return np.where(counts & MAX_COUNT > 1, counts, np.uint16(0))


def _most(n: int) -> npt.NDArray[np.uint16]:
    """Return the counts of shingles that are known to be boilerplate."""
    return np.full(n, MAX_COUNT | OF_FORM, np.uint16)


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

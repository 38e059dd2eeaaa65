"""Finds the candidates of a document among those of an index, as `dedupe.lsh` does among all.

Buckets lie in several segments and in the tail, the newest documents, which are in no order yet.
Whether a bucket is crowded, and which documents are its anchors, is decided for all of them
together, as if they were in one.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Hashes, Ints, distinct
from dedupe.index.storage.segments import Dead, Documents, Segment, damaged, joined
from dedupe.kernels.buckets import N_ANCHORS
from dedupe.kernels.postings import PART_BITS, collect_into, find_into, pick_into, scan_into
from dedupe.lsh import COMMON, COSINE_FLOOR, likely_shares

__all__ = ["Candidates", "Postings", "Sketch", "Tail"]

MIN_ROOM = 64
"""Texts that a tail has room for at first; from then on it doubles."""


class Sketch(NamedTuple):
    """What a document is looked up by.

    Attributes
    ----------
    signature : uint32 [shape=(num_perm,)]
    size : int
        Its shingles.
    content : int
        Half of the digest of its tokens.
    number : int or None
        Its own, where an identical text is in the index.
    """

    signature: npt.NDArray[np.uint32]
    size: int
    content: int
    number: int | None = None


class Candidates(NamedTuple):
    """Texts worth scoring, the likeliest first.

    Attributes
    ----------
    numbers : int64 [shape=(n,)]
    contents : uint64 [shape=(n,)]
    n_equal : int64 [shape=(n,)]
        How many values of their signatures are equal.
    """

    numbers: Ints
    contents: Hashes
    n_equal: Ints


class Tail:
    """The newest texts, in the order in which they came."""

    def __init__(self, num_perm: int) -> None:
        self._all = Documents(
            np.empty(MIN_ROOM, np.uint32),
            np.empty(MIN_ROOM, np.int64),
            np.empty(MIN_ROOM, np.uint64),
            np.empty((MIN_ROOM, num_perm), np.uint32),
        )
        self._is_alive = np.zeros(MIN_ROOM, np.bool_)
        self.n = 0
        self.place_of: dict[int, int] = {}

    def __len__(self) -> int:
        return self.n

    @property
    def documents(self) -> Documents:
        """The texts, dead ones too."""
        return Documents._make(column[: self.n] for column in self._all)

    @property
    def is_alive(self) -> Bools:
        """Which of them are alive."""
        return self._is_alive[: self.n]

    def living(self) -> Documents:
        """Return the texts that are alive."""
        return self.documents.take(self.is_alive)

    def extend(self, documents: Documents) -> None:
        """Add texts."""
        end = self.n + len(documents.numbers)
        if end > self._is_alive.size:
            room = max(end, 2 * self._is_alive.size)
            self._all = Documents._make(_enlarged(column, room) for column in self._all)
            self._is_alive = _enlarged(self._is_alive, room)
        columns: tuple[npt.NDArray[Any], ...] = self._all
        for column, more in zip(columns, documents, strict=True):
            column[self.n : end] = more
        self._is_alive[self.n : end] = True
        self.place_of.update(zip(documents.numbers.tolist(), range(self.n, end), strict=True))
        self.n = end

    def bury(self, number: int) -> bool:
        """Mark a text as dead; return whether it was here."""
        place = self.place_of.pop(number, None)
        if place is not None:
            self._is_alive[place] = False
        return place is not None


def _enlarged(array: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    larger = np.empty((room, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class Postings:
    """The segments and the tail of an index, as one.

    Attributes
    ----------
    segments : list of Segment
    tail : Tail
    """

    def __init__(self, segments: list[Segment], tail: Tail, bucket_cap: int) -> None:
        self.segments = segments
        self.tail = tail
        self._cap = bucket_cap

    def bury(self, dead: Iterable[Dead]) -> None:
        """Mark texts as dead, wherever they are."""
        for number, size, content in dead:
            if not self.tail.bury(number):
                any(one.bury(number, size, content) for one in self.segments)

    def candidates(self, sketch: Sketch) -> Candidates:
        """Return the texts that `dedupe.lsh.candidate_pairs` would pair with one.

        Raises
        ------
        InvalidIndex
            When a segment is damaged.
        """
        buckets = _Buckets(sketch, self._cap)
        for number, segment in enumerate(self.segments):
            buckets.find_in_segment(number, segment)
        buckets.find_in_tail(len(self.segments), self.tail)
        found = buckets.members(self.segments, self.tail)
        if sketch.number is not None:
            is_other = found.numbers != sketch.number
            found = Candidates._make(column[is_other] for column in found)
        # Ties are broken by what texts say, as nothing may hang on the order of adding.
        order = np.lexsort((found.contents, -found.n_equal))
        return Candidates._make(column[order] for column in found)

    @property
    def n_dead(self) -> int:
        """How many dead texts segments hold."""
        return sum(one.n_dead for one in self.segments)

    def living(self) -> Documents:
        """Return all texts that are alive."""
        parts = [*(segment.living() for segment in self.segments), self.tail.living()]
        return joined(parts)


class _Buckets:
    """The buckets that one document is in, in all parts of an index.

    A part is a segment, by its number, or the tail, which comes last.
    """

    def __init__(self, sketch: Sketch, cap: int) -> None:
        self._sketch = sketch
        self._cap = cap
        n_bands = sketch.signature.size
        self._counts = np.full(n_bands, sketch.number is None, np.int64)
        self._largest = np.full((n_bands, N_ANCHORS), -1)
        self._contents = np.zeros((n_bands, N_ANCHORS), np.uint64)
        self._places = np.full((n_bands, N_ANCHORS), -1)
        self._ends: list[Ints] = []
        self._hits = np.empty(0, np.int64)

    @property
    def _largest_of_all(self) -> tuple[Ints, Hashes, Ints]:
        return self._largest, self._contents, self._places

    def find_in_segment(self, number: int, segment: Segment) -> None:
        """Find the buckets of a segment."""
        _, sizes, contents, signatures = segment.documents
        ends = np.empty((2, self._counts.size), np.int64)
        code = find_into(
            segment.orders,
            segment.fences,
            signatures,
            segment.is_alive,
            sizes,
            contents,
            self._sketch.signature,
            COMMON * self._cap,
            number,
            ends,
            self._counts,
            *self._largest_of_all,
        )
        if code:
            raise damaged(segment.name, NO_DOCUMENT)
        self._ends.append(ends)

    def find_in_tail(self, number: int, tail: Tail) -> None:
        """Find the buckets of the tail."""
        _, sizes, contents, signatures = tail.documents
        hits = np.empty(len(tail), np.int64)
        n = scan_into(
            signatures,
            tail.is_alive,
            sizes,
            contents,
            self._sketch.signature,
            number,
            self._counts,
            *self._largest_of_all,
            hits,
        )
        self._hits = hits[:n]

    def members(self, segments: Sequence[Segment], tail: Tail) -> Candidates:
        """Return those that the document is paired with, part by part."""
        size, content = self._sketch.size, np.uint64(self._sketch.content)
        is_larger = (self._largest > size) | ((self._largest == size) & (self._contents > content))
        is_crowded = self._counts > self._cap
        # In a crowded bucket the document is paired with all others only if it is an anchor.
        is_wanted = ~is_crowded | (is_larger.sum(axis=1) < N_ANCHORS)
        anchors = distinct(self._places[is_crowded])
        shares = likely_shares(self._sketch.signature.size)
        is_common = self._counts > COMMON * self._cap
        told = (self._sketch.signature, is_common, size, shares, COSINE_FLOOR)
        found = []
        for number, (segment, ends) in enumerate(zip(segments, self._ends, strict=True)):
            here = _in_part(anchors, number)
            room = int((ends[1] - ends[0])[is_wanted].sum()) + here.size
            places, n_equal = np.empty((2, room), np.int64)
            _, sizes, _, signatures = segment.documents
            known = (segment.orders, ends, is_wanted, segment.is_alive, sizes, signatures, here)
            n = collect_into(*known, *told, places, n_equal)
            if n < 0:
                raise damaged(segment.name, NO_DOCUMENT)
            found.append(_chosen(segment.documents, places[:n], n_equal[:n]))
        places, n_equal = np.empty((2, self._hits.size), np.int64)
        _, sizes, _, signatures = tail.documents
        here = _in_part(anchors, len(segments))
        n = pick_into(self._hits, sizes, signatures, is_wanted, here, *told, places, n_equal)
        found.append(_chosen(tail.documents, places[:n], n_equal[:n]))
        return Candidates._make(map(np.concatenate, zip(*found, strict=True)))


NO_DOCUMENT = "it names documents that it does not hold"


def _in_part(anchors: Ints, number: int) -> Ints:
    """Return the places in a part of those anchors that are there."""
    places: Ints = anchors[anchors >> PART_BITS == number] & ((1 << PART_BITS) - 1)
    return places


def _chosen(documents: Documents, places: Ints, n_equal: Ints) -> Candidates:
    """Return some documents of a part as candidates."""
    numbers = documents.numbers[places].astype(np.int64)
    return Candidates(numbers, documents.contents[places], n_equal)

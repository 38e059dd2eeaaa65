"""Finds the candidates of a document among those of an index, as `dedupe.lsh` does among all.

Buckets lie in several segments and in the tail, the newest documents, which are in no order yet.
Whether a bucket is crowded, and which documents are its anchors, is decided for all of them
together, as if they were in one.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Hashes, Ints
from dedupe.index.segments import Documents, Segment, damaged, joined
from dedupe.kernels.postings import collect_into, find_into, mark_into, scan_into
from dedupe.lsh import worth_scoring

__all__ = ["Candidates", "Dead", "Postings", "Sketch", "Tail"]

N_ANCHORS = 2
"""As `dedupe.kernels.buckets` has it."""

MIN_ROOM = 64


class Dead(NamedTuple):
    """A text that was removed, and what it is found by."""

    number: int
    n_shingles: int
    content: int


class Sketch(NamedTuple):
    """What of a document is looked up.

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
        """Take a text for dead; return whether it was here."""
        place = self.place_of.pop(number, None)
        if place is not None:
            self._is_alive[place] = False
        return place is not None


def _enlarged(array: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    larger = np.empty((room, *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class _Found(NamedTuple):
    """The buckets of one document in a segment or in the tail; see `find_into`."""

    part: "Segment | Tail"
    starts: Ints
    ends: Ints
    counts: Ints
    largest: Ints


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
        """Take texts for dead, wherever they are."""
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
        found = [*map(self._in_segment, self.segments, [sketch] * len(self.segments))]
        found.append(self._in_tail(sketch))
        counts = np.sum([one.counts for one in found], axis=0)
        if sketch.number is None:
            counts += 1
        is_crowded = counts > self._cap
        anchors, is_anchor = self._anchors(found, sketch, np.flatnonzero(is_crowded))
        is_wanted = ~is_crowded
        is_wanted[is_crowded] = is_anchor
        chosen = [_chosen(one, sketch, is_wanted) for one in found]
        for part, place in anchors:
            chosen[part][place] = True
        numbers, contents, n_equal = [], [], []
        for one, marks in zip(found, chosen, strict=True):
            places = np.flatnonzero(marks & one.part.is_alive)
            documents = one.part.documents
            signatures = documents.signatures[places]
            kept = worth_scoring(sketch.signature, sketch.size, signatures, documents.sizes[places])
            numbers.append(documents.numbers[places[kept]].astype(np.int64))
            contents.append(documents.contents[places[kept]])
            n_equal.append((signatures[kept] == sketch.signature).sum(axis=1))
        all_numbers = np.concatenate(numbers)
        others = all_numbers != (-1 if sketch.number is None else sketch.number)
        all_contents, all_equal = np.concatenate(contents), np.concatenate(n_equal)
        order = np.flatnonzero(others)
        # Ties are broken by what texts say, as nothing may hang on the order of adding.
        order = order[np.lexsort((all_contents[order], -all_equal[order]))]
        return Candidates(all_numbers[order], all_contents[order], all_equal[order])

    def _in_segment(self, segment: Segment, sketch: Sketch) -> _Found:
        starts, ends, counts = np.empty((3, sketch.signature.size), np.int64)
        largest = np.empty((sketch.signature.size, N_ANCHORS), np.int64)
        code = find_into(
            segment.orders,
            segment.fences,
            segment.documents.signatures,
            segment.is_alive,
            sketch.signature,
            self._cap,
            starts,
            ends,
            counts,
            largest,
        )
        if code:
            raise damaged(segment.name, "it names documents that it does not hold")
        return _Found(segment, starts, ends, counts, largest)

    def _in_tail(self, sketch: Sketch) -> _Found:
        n_bands = sketch.signature.size
        counts, largest = np.empty(n_bands, np.int64), np.empty((n_bands, N_ANCHORS), np.int64)
        _, sizes, contents, signatures = self.tail.documents
        scan_into(
            signatures, self.tail.is_alive, sizes, contents, sketch.signature, counts, largest
        )
        nowhere = np.empty(0, np.int64)
        return _Found(self.tail, nowhere, nowhere, counts, largest)

    def _anchors(
        self, found: Sequence[_Found], sketch: Sketch, bands: Ints
    ) -> tuple[set[tuple[int, int]], Bools]:
        """Return the anchors of crowded buckets, and where the document itself is one.

        An anchor is given by its part and its place there.
        """
        anchors: set[tuple[int, int]] = set()
        is_anchor = np.zeros(bands.size, np.bool_)
        own = sketch.size, sketch.content
        for i, band in enumerate(bands.tolist()):
            ranked = sorted(
                (
                    int(one.part.documents.sizes[place]),
                    int(one.part.documents.contents[place]),
                    part,
                    place,
                )
                for part, one in enumerate(found)
                for place in one.largest[band].tolist()
                if place >= 0
            )[-N_ANCHORS:]
            is_anchor[i] = sum(rank[:2] > own for rank in ranked) < N_ANCHORS
            anchors.update(rank[2:] for rank in ranked)
        return anchors, is_anchor

    def layout(self) -> Iterable[str]:
        """Return the names of the segments."""
        return (one.name for one in self.segments)

    @property
    def n_dead(self) -> int:
        """How many dead texts segments hold."""
        return sum(one.n_dead for one in self.segments)

    def living(self) -> Documents:
        """Return all texts that are alive."""
        parts = [*(segment.living() for segment in self.segments), self.tail.living()]
        return joined(parts)


def _chosen(found: _Found, sketch: Sketch, is_wanted: Bools) -> Bools:
    """Mark the members of some buckets in a segment or in the tail."""
    marks = np.zeros(len(found.part), np.bool_)
    if isinstance(found.part, Tail):
        mark_into(found.part.documents.signatures, sketch.signature, is_wanted, marks)
    elif collect_into(found.part.orders, found.starts, found.ends, is_wanted, marks):
        raise damaged(found.part.name, "it names documents that it does not hold")
    return marks

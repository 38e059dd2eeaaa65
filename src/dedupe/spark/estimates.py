"""Decides which pairs are worth scoring: the other turns of `dedupe.spark.chunks`.

Wherever the values of two documents agree they are in one bucket. So a pair that was counted often
enough needs no look at its signatures, and neither does one that cannot have met more often than
it was counted. Only where both documents are in crowded buckets are signatures compared; one of
them travels to the other.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe.arrays import AnyInts, Bools, Floats, Ints, distinct
from dedupe.lsh import likely_shares
from dedupe.shortlist import likeness
from dedupe.spark.columns import batch, in_groups, packed
from dedupe.spark.ranks import CHUNK, Ranks

__all__ = ["MET", "SIDE", "at_greater", "at_lesser", "may_reach"]

SIDE = (
    "chunk long, kind int, docs binary, sizes binary, signatures binary, crowded binary, "
    "greater binary, counts binary, places binary"
)
"""The documents of a chunk, or pairs whose greater document is in it.

Signatures are those of documents in crowded buckets, in order. `places` says which of them is
that of a pair, -1 for none.
"""

MET = "a long, b long, likeness double, rank long"
"""The larger document of a pair and the other, how alike they are, and what sorts as the rank of
the larger one does."""

AT_ONCE = 1 << 14
"""Pairs of signatures that are compared at once, 16 MB."""

COUNTS = np.dtype("<u2")


class _Documents(NamedTuple):
    """The documents of a chunk as arrays, the smallest first.

    Attributes
    ----------
    docs, sizes, crowded : int64 [shape=(n,)]
        Their numbers, their shingles, and in how many crowded buckets each is.
    signatures : uint32 [shape=(n_crowded, n_perm)]
        Of those that are in one at all.
    """

    docs: Ints
    sizes: Ints
    crowded: Ints
    signatures: npt.NDArray[np.uint32]

    @property
    def places(self) -> Ints:
        """The row of each document among the signatures, -1 for none."""
        is_crowded = self.crowded > 0
        return np.where(is_crowded, np.cumsum(is_crowded) - 1, -1)

    def take(self, chosen: Ints) -> "_Documents":
        """Return some of the documents, each once or more, with each signature once."""
        places = self.places[chosen]
        rows = distinct(places[places >= 0])
        return _Documents(
            self.docs[chosen], self.sizes[chosen], self.crowded[chosen], self.signatures[rows]
        )

    def columns(self) -> dict[str, pa.Array]:
        """Return them as columns of one row."""
        return {
            "docs": packed(self.docs),
            "sizes": packed(self.sizes),
            "signatures": packed(self.signatures),
            "crowded": packed(self.crowded.astype(COUNTS)),
        }

    @classmethod
    def of(cls, row: dict[str, Any], n_perm: int) -> "_Documents":
        """Return the documents of a row."""
        return cls(
            np.frombuffer(row["docs"], np.int64),
            np.frombuffer(row["sizes"], np.int64),
            np.frombuffer(row["crowded"], COUNTS).astype(np.int64),
            np.frombuffer(row["signatures"], np.uint32).reshape(-1, n_perm),
        )


class _Pairs(NamedTuple):
    """Pairs whose lesser document is in a chunk.

    Attributes
    ----------
    lesser : int64 [shape=(n,)]
        Places within the chunk.
    greater : int64 [shape=(n,)]
        Ranks.
    counts : int64 [shape=(n,)]
        In how many buckets each is known to meet.
    """

    lesser: Ints
    greater: Ints
    counts: Ints

    def take(self, chosen: Bools) -> "_Pairs":
        """Return some of the pairs."""
        return _Pairs._make(column[chosen] for column in self)


def at_lesser(
    ranks: Ranks, n_perm: int, floor: float, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield documents, and to where the greater ones are the pairs that may meet often enough.

    Parameters
    ----------
    ranks : Ranks
    n_perm : int
    floor : float, in [0, 1]
    batches : iterable of RecordBatch
        Chunks and tallies; those of a chunk follow each other, its documents first.
    """
    # What is not known yet can only add to what is.
    shares = np.maximum.accumulate(likely_shares(n_perm))
    for some in in_groups(batches, "chunk", 1):
        for chunk, rows in groupby(some.to_pylist(), itemgetter("chunk")):
            side, *tallies = rows
            pairs = _added(tallies)
            is_itself = pairs.greater == ranks.first_of(np.array([chunk])) + pairs.lesser
            documents = _documents(side, pairs.take(is_itself), n_perm)
            pairs = pairs.take(~is_itself)
            sizes = documents.sizes[pairs.lesser]
            n_most = np.minimum(pairs.counts + documents.crowded[pairs.lesser], n_perm)
            most = np.maximum(ranks.most_of(pairs.greater), sizes)
            pairs = pairs.take(may_reach(shares[n_most], sizes, most, floor))
            yield _side(chunk, 0, documents.columns())
            yield from _sent(ranks, pairs, documents)


def _added(tallies: Sequence[dict[str, Any]]) -> _Pairs:
    """Return the pairs of all tallies, each once."""
    keys, counts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for one in tallies:
        lesser = np.cumsum(np.frombuffer(one["gaps"], COUNTS), dtype=np.uint64)
        keys.append((lesser << np.uint64(32)) | np.frombuffer(one["greater"], "<u4"))
        counts.append(np.frombuffer(one["counts"], COUNTS).astype(np.int64))
    together, tally = np.concatenate(keys), np.concatenate(counts)
    order = np.argsort(together)
    together, tally = together[order], tally[order]
    is_first = np.ones(together.size, np.bool_)
    is_first[1:] = together[1:] != together[:-1]
    starts = np.flatnonzero(is_first)
    return _Pairs(
        (together[starts] >> np.uint64(32)).astype(np.int64),
        (together[starts] & np.uint64(0xFFFFFFFF)).astype(np.int64),
        np.add.reduceat(tally, starts) if starts.size else tally,
    )


def _documents(side: dict[str, Any], itself: _Pairs, n_perm: int) -> _Documents:
    """Return the documents of a chunk, given which of them are in crowded buckets."""
    sizes = np.frombuffer(side["sizes"], np.int32).astype(np.int64)
    crowded = np.zeros(sizes.size, np.int64)
    crowded[itself.lesser] = itself.counts
    signatures = np.frombuffer(side["signatures"], np.uint32).reshape(-1, n_perm)
    return _Documents(
        np.frombuffer(side["docs"], np.int64), sizes, crowded, signatures[crowded > 0]
    )


def _sent(ranks: Ranks, pairs: _Pairs, documents: _Documents) -> Iterator[pa.RecordBatch]:
    """Yield pairs by the chunk of the greater document, with what is known of the lesser."""
    chunks = ranks.chunk_of(pairs.greater)
    order = np.argsort(chunks, kind="stable")
    starts = np.flatnonzero(np.diff(chunks[order], prepend=-1))
    for chosen in np.split(order, starts[1:]) if starts.size else ():
        chunk = chunks[chosen[0]]
        lesser = documents.take(pairs.lesser[chosen])
        # As `_Documents.take` keeps signatures: of each document once.
        places = documents.places[pairs.lesser[chosen]]
        rows = np.where(places < 0, -1, np.searchsorted(distinct(places[places >= 0]), places))
        greater = pairs.greater[chosen] - ranks.first_of(chunks[chosen[:1]])
        yield _side(
            int(chunk),
            1,
            lesser.columns()
            | {
                "greater": packed(greater.astype(COUNTS)),
                "counts": packed(pairs.counts[chosen].astype(COUNTS)),
                "places": packed(rows.astype(np.int32)),
            },
        )


def _side(chunk: int, kind: int, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return a row of SIDE."""
    names = [column.split()[0] for column in SIDE.split(", ")[2:]]
    blank = {name: pa.array([None], pa.binary()) for name in names}
    # Spark goes by the order of columns.
    return batch(chunk=[chunk], kind=np.array([kind], np.int32), **(blank | columns))


def at_greater(
    n_perm: int, floor: float, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield pairs as MET has them: those worth scoring, unless one document has very many.

    Parameters
    ----------
    n_perm : int
    floor : float, in [0, 1]
    batches : iterable of RecordBatch
        Rows of SIDE; those of a chunk follow each other, its documents first.
    """
    shares = likely_shares(n_perm)
    here = None
    for row in (row for some in batches for row in some.to_pylist()):
        documents = _Documents.of(row, n_perm)
        if row["kind"] == 0:
            here = documents
            continue
        assert here is not None, "the documents of a chunk come first"
        greater = np.frombuffer(row["greater"], COUNTS).astype(np.int64)
        n_equal = np.frombuffer(row["counts"], COUNTS).astype(np.int64)
        n_most = np.minimum(n_equal + np.minimum(documents.crowded, here.crowded[greater]), n_perm)
        # Elsewhere each value in which they agree was counted.
        is_open = n_most > n_equal
        is_open &= may_reach(
            np.maximum.accumulate(shares)[n_most], documents.sizes, here.sizes[greater], floor
        )
        places = np.frombuffer(row["places"], np.int32)[is_open], here.places[greater[is_open]]
        n_equal[is_open] = _n_equal(documents.signatures, here.signatures, *places)
        is_kept = may_reach(shares[n_equal], documents.sizes, here.sizes[greater], floor)
        greater, n_equal = greater[is_kept], n_equal[is_kept]
        yield batch(
            a=here.docs[greater],
            b=documents.docs[is_kept],
            likeness=likeness(n_equal, n_perm, documents.sizes[is_kept], here.sizes[greater]),
            rank=row["chunk"] * CHUNK + greater,
        )


def _n_equal(
    left: npt.NDArray[np.uint32],
    right: npt.NDArray[np.uint32],
    left_places: AnyInts,
    right_places: AnyInts,
) -> Ints:
    """Return in how many values pairs of signatures agree."""
    found = np.empty(left_places.size, np.int64)
    for start in range(0, found.size, AT_ONCE):
        few = slice(start, start + AT_ONCE)
        found[few] = (left[left_places[few]] == right[right_places[few]]).sum(axis=1)
    return found


def may_reach(shares: Floats, a: Ints, b: Ints, floor: float) -> Bools:
    """Return which pairs of these sizes may reach a floor, as `dedupe.kernels.buckets` decides.

    >>> may_reach(np.array([0.05]), np.array([100]), np.array([100]), 0.1).tolist()
    [True]
    """
    found: Bools = shares * (a + b) >= floor * np.sqrt(a * b)
    return found

"""Decides which pairs are worth scoring: the other turns of `dedupe.spark.chunks`.

Wherever the values of two documents agree they are in one bucket. So a pair that was counted often
enough needs no look at its signatures, and neither does one that cannot have met more often than
it was counted. Only where both documents are in crowded buckets are signatures compared; one of
them travels to the other, with the bands in which its value is common.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe.arrays import HALF, LOW_HALF, AnyInts, Bools, Floats, Ints, distinct
from dedupe.kernels.buckets import CONTAINED
from dedupe.lsh import likely_shares
from dedupe.shortlist import likeness
from dedupe.spark.columns import batch, in_groups, packed
from dedupe.spark.ranks import CHUNK, FIRST_BAND, Ranks

__all__ = ["MET", "SIDE", "at_greater", "at_lesser", "may_reach"]

SIDE = (
    "chunk long, kind int, docs binary, sizes binary, signatures binary, common binary, "
    "crowded binary, uncommon binary, greater binary, counts binary, places binary"
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
    docs, sizes, crowded, uncommon : int64 [shape=(n,)]
        Their numbers, their shingles, in how many crowded buckets each is, and in how many of
        those the value is not common.
    signatures : uint32 [shape=(n_crowded, n_perm)]
        Of those that are in one at all.
    common : uint8 [shape=(n_crowded, n_perm / 8, rounded up)]
        Which of their values are common, as `np.packbits` writes it.
    """

    docs: Ints
    sizes: Ints
    crowded: Ints
    uncommon: Ints
    signatures: npt.NDArray[np.uint32]
    common: npt.NDArray[np.uint8]

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
            self.docs[chosen],
            self.sizes[chosen],
            self.crowded[chosen],
            self.uncommon[chosen],
            self.signatures[rows],
            self.common[rows],
        )

    def columns(self) -> dict[str, pa.Array]:
        """Return them as columns of one row."""
        return {
            "docs": packed(self.docs),
            "sizes": packed(self.sizes),
            "signatures": packed(self.signatures),
            "common": packed(self.common),
            "crowded": packed(self.crowded.astype(COUNTS)),
            "uncommon": packed(self.uncommon.astype(COUNTS)),
        }

    @classmethod
    def of(cls, row: dict[str, Any], n_perm: int) -> "_Documents":
        """Return the documents of a row."""
        return cls(
            np.frombuffer(row["docs"], np.int64),
            np.frombuffer(row["sizes"], np.int64),
            np.frombuffer(row["crowded"], COUNTS).astype(np.int64),
            np.frombuffer(row["uncommon"], COUNTS).astype(np.int64),
            np.frombuffer(row["signatures"], np.uint32).reshape(-1, n_perm),
            np.frombuffer(row["common"], np.uint8).reshape(-1, -(-n_perm // 8)),
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
    shares = np.maximum.accumulate(likely_shares(n_perm), axis=1)
    for some in in_groups(batches, "chunk", 1):
        for chunk, rows in groupby(some.to_pylist(), itemgetter("chunk")):
            side, *tallies = rows
            pairs = _added(tallies)
            is_itself = pairs.greater == ranks.first_of(np.array([chunk])) + pairs.lesser
            is_band = pairs.greater > FIRST_BAND - n_perm
            documents = _documents(side, pairs.take(is_itself), pairs.take(is_band), n_perm)
            pairs = pairs.take(~(is_itself | is_band))
            sizes = documents.sizes[pairs.lesser]
            n_most, n_rare = (
                np.minimum(pairs.counts + more[pairs.lesser], n_perm)
                for more in (documents.crowded, documents.uncommon)
            )
            most = np.maximum(ranks.most_of(pairs.greater), sizes)
            pairs = pairs.take(may_reach(shares, n_most, n_rare, (sizes, most), floor))
            yield _side(chunk, 0, documents.columns())
            yield from _sent(ranks, pairs, documents)


def _added(tallies: Sequence[dict[str, Any]]) -> _Pairs:
    """Return the pairs of all tallies, each once."""
    keys, counts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for one in tallies:
        lesser = np.cumsum(np.frombuffer(one["gaps"], COUNTS), dtype=np.uint64)
        keys.append((lesser << HALF) | np.frombuffer(one["greater"], "<u4"))
        counts.append(np.frombuffer(one["counts"], COUNTS).astype(np.int64))
    together, tally = np.concatenate(keys), np.concatenate(counts)
    order = np.argsort(together)
    together, tally = together[order], tally[order]
    is_first = np.ones(together.size, np.bool_)
    is_first[1:] = together[1:] != together[:-1]
    starts = np.flatnonzero(is_first)
    return _Pairs(
        (together[starts] >> HALF).astype(np.int64),
        (together[starts] & LOW_HALF).astype(np.int64),
        np.add.reduceat(tally, starts) if starts.size else tally,
    )


def _documents(side: dict[str, Any], itself: _Pairs, bands: _Pairs, n_perm: int) -> _Documents:
    """Return the documents of a chunk.

    It is told which of them are in crowded buckets, and in which bands their values are common.
    """
    sizes = np.frombuffer(side["sizes"], np.int32).astype(np.int64)
    crowded = np.zeros(sizes.size, np.int64)
    crowded[itself.lesser] = itself.counts
    is_common = np.zeros((sizes.size, n_perm), np.bool_)
    is_common[bands.lesser, FIRST_BAND - bands.greater] = True
    signatures = np.frombuffer(side["signatures"], np.uint32).reshape(-1, n_perm)
    is_crowded = crowded > 0
    return _Documents(
        np.frombuffer(side["docs"], np.int64),
        sizes,
        crowded,
        crowded - is_common.sum(axis=1),
        signatures[is_crowded],
        np.packbits(is_common[is_crowded], axis=1),
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
        n_most, n_rare = (
            np.minimum(n_equal + np.minimum(one, other[greater]), n_perm)
            for one, other in (
                (documents.crowded, here.crowded),
                (documents.uncommon, here.uncommon),
            )
        )
        sizes = documents.sizes, here.sizes[greater]
        # Elsewhere each value in which they agree was counted.
        is_open = n_most > n_equal
        is_open &= may_reach(np.maximum.accumulate(shares, axis=1), n_most, n_rare, sizes, floor)
        n_rare = n_equal.copy()
        places = np.frombuffer(row["places"], np.int32)[is_open], here.places[greater[is_open]]
        n_equal[is_open], n_rare[is_open] = _n_equal(documents, here.signatures, *places)
        is_kept = may_reach(shares, n_equal, n_rare, sizes, floor)
        greater, n_equal = greater[is_kept], n_equal[is_kept]
        yield batch(
            a=here.docs[greater],
            b=documents.docs[is_kept],
            likeness=likeness(n_equal, n_perm, documents.sizes[is_kept], here.sizes[greater]),
            rank=row["chunk"] * CHUNK + greater,
        )


def _n_equal(
    left: _Documents,
    right: npt.NDArray[np.uint32],
    left_places: AnyInts,
    right_places: AnyInts,
) -> tuple[Ints, Ints]:
    """Return in how many values pairs of signatures agree, and in how many that are not common."""
    n_equal, n_rare = np.empty((2, left_places.size), np.int64)
    for start in range(0, n_equal.size, AT_ONCE):
        few = slice(start, start + AT_ONCE)
        chosen = left_places[few]
        is_equal = left.signatures[chosen] == right[right_places[few]]
        n_equal[few] = is_equal.sum(axis=1)
        is_equal &= np.unpackbits(left.common[chosen], axis=1, count=is_equal.shape[1]) == 0
        n_rare[few] = is_equal.sum(axis=1)
    return n_equal, n_rare


def may_reach(
    shares: Floats, n_equal: Ints, n_rare: Ints, sizes: tuple[Ints, Ints], floor: float
) -> Bools:
    """Return which pairs may reach a floor, as `dedupe.kernels.buckets.may_reach` decides.

    >>> sizes = np.array([100]), np.array([100])
    >>> may_reach(likely_shares(128), np.array([4]), np.array([3]), sizes, 0.1).tolist()
    [False]
    """
    a, b = sizes
    least = floor * np.sqrt(a * b)
    likely, most = shares[0][n_equal] * (a + b), shares[1][n_equal] * (a + b)
    is_sure = (shares[1][n_rare] * (a + b) >= least) | (likely >= least)
    found: Bools = (most >= least) & (is_sure | (most >= CONTAINED * np.minimum(a, b)))
    return found

"""Documents word by word: what pairs of them share, where it stands, and what is between.

Everything here works on arrays of a block of documents; `dedupe.shingling.tokens` and
`dedupe.shingling` make them. What it means for the story is left to `dedupe.scoring.score`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dedupe.kernels import alignment as kernel

__all__ = [
    "Alignment",
    "Block",
    "align",
    "by_size",
    "contents_of",
    "shared_shingles",
    "similarities",
    "totals_of",
]

MIN_HOLE = 10
"""A gap of fewer words is an edit, not another story."""

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """The documents that pairs are scored among, as arrays; for one thread at a time.

    Attributes
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    shingle_offsets, token_offsets : int64 [shape=(n_docs + 1,)]
    lines : uint8 [shape=(n_tokens,)]
        Words in the line of each token; a longer one counts as 255.
    ngram : int
    contents : uint64 [shape=(n_docs,)]
        What each document says, as one number; see `contents_of`.
    totals : float64 [shape=(n_docs,)]
        Weight of all words of each document; see `totals_of`.
    weights : float32 [shape=(n_tokens,)] or None
        What each word counts, in (0, 1]; without it every word counts 1.
    """

    shingles: npt.NDArray[np.uint64]
    shingle_offsets: Whole
    token_offsets: Whole
    lines: npt.NDArray[np.uint8]
    ngram: int
    contents: npt.NDArray[np.uint64]
    totals: Floats
    weights: npt.NDArray[np.float32] | None = None

    @cached_property
    def n_words(self) -> Whole:
        """Words of each document."""
        return np.diff(self.token_offsets)

    @cached_property
    def scratch(
        self,
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
        """The table, the sieve and the rows that the kernels work in."""
        longest = max(1, int(self.n_words.max(initial=0)))
        n_slots = 1 << int(2 * longest).bit_length()
        return (
            np.empty(n_slots, np.int32),
            np.empty(n_slots // kernel.SLOTS_PER_WORD + 1, np.uint64),
            # Nothing may go through all of it for each pair: the kernels leave their marks at 0.
            np.zeros((kernel.N_SCRATCH, longest), np.int32),
        )


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the pairs of a block share; each array has an entry for each pair.

    Attributes
    ----------
    left, right : int64
        Document numbers within the block.
    n_shared_shingles : int64
        Distinct ones.
    words_left, words_right : int64
        Length of the documents.
    covered_left, covered_right : int64
        Words of either side that stand in shared shingles.
    weight_left, weight_right : float64
        The same, weighted.
    total_left, total_right : float64
        All words of either side, weighted.
    furniture : int64
        Shared words of the shorter document that more than two clusters hold.
    own : int64
        Shared words of the shorter document that no other cluster holds.
    hole : int64
        Words that stand in one place and differ; 0 under `MIN_HOLE`.
    replaced, places : int64
        All words that differ inside the chain, or at an open end as the hole may, and in
        how many places they stand.
    excess : int64
        Words that each side has at places where the other has none; 0 under `MIN_HOLE`.
    """

    left: Whole
    right: Whole
    n_shared_shingles: Whole
    words_left: Whole
    words_right: Whole
    covered_left: Whole
    covered_right: Whole
    weight_left: Floats
    weight_right: Floats
    total_left: Floats
    total_right: Floats
    furniture: Whole
    own: Whole
    hole: Whole
    replaced: Whole
    places: Whole
    excess: Whole

    @property
    def covered(self) -> Whole:
        """Shared words, on the side that has fewer."""
        return np.minimum(self.covered_left, self.covered_right)

    @property
    def matched(self) -> Floats:
        """Shared words, on the side that has fewer, weighted."""
        return np.minimum(self.weight_left, self.weight_right)


def align(block: Block, left: Whole, right: Whole, *, min_words: int = 0) -> Alignment:
    """Compare the documents of each pair word by word.

    Fast when pairs with the same larger document follow each other, since its
    shingles are put into a table once.

    Parameters
    ----------
    block : Block
    left, right : int64 [shape=(n_pairs,)]
        Document numbers within the block; no document is empty.
    min_words : int
        Shared words below which it is not told where those stand: a hole and an
        excess are 0. It takes a third of the time.
    """
    n_words = block.n_words
    larger, smaller, swap = by_size(block, left, right)
    slots, sieve, scratch = block.scratch
    facts = np.empty((left.size, kernel.N_FACTS))
    kernel.align_pairs_into(
        larger,
        smaller,
        block.shingles,
        block.shingle_offsets,
        block.token_offsets,
        block.lines,
        block.weights,
        block.ngram,
        min_words,
        slots,
        sieve,
        scratch,
        facts,
    )
    totals = block.totals

    def sided(of_larger: int, of_smaller: int) -> tuple[Floats, Floats]:
        columns = facts[:, of_larger], facts[:, of_smaller]
        return np.where(swap, columns[1], columns[0]), np.where(swap, columns[0], columns[1])

    covered = sided(kernel.COVERED_LARGER, kernel.COVERED_SMALLER)
    weight = sided(kernel.WEIGHT_LARGER, kernel.WEIGHT_SMALLER)
    ends = facts[:, [kernel.END_LARGER, kernel.END_SMALLER]]
    end_hole = ends.min(axis=1)
    hole = np.maximum(facts[:, kernel.HOLE], end_hole)
    excesses = facts[:, [kernel.EXCESS_LARGER, kernel.EXCESS_SMALLER]] + ends
    excess = excesses.min(axis=1) - end_hole
    is_end_replaced = end_hole >= MIN_HOLE
    replaced = facts[:, kernel.REPLACED] + is_end_replaced * end_hole
    return Alignment(
        left=left,
        right=right,
        n_shared_shingles=facts[:, kernel.SHARED].astype(np.int64),
        words_left=n_words[left],
        words_right=n_words[right],
        covered_left=covered[0].astype(np.int64),
        covered_right=covered[1].astype(np.int64),
        weight_left=weight[0],
        weight_right=weight[1],
        total_left=totals[left],
        total_right=totals[right],
        furniture=np.minimum(facts[:, kernel.FURNITURE], np.minimum(*covered)).astype(np.int64),
        own=facts[:, kernel.OWN].astype(np.int64),
        hole=np.where(hole >= MIN_HOLE, hole, 0).astype(np.int64),
        replaced=replaced.astype(np.int64),
        places=(facts[:, kernel.PLACES] + is_end_replaced).astype(np.int64),
        excess=np.where(excess >= MIN_HOLE, excess, 0).astype(np.int64),
    )


def shared_shingles(block: Block, left: Whole, right: Whole) -> npt.NDArray[np.uint64]:
    """Return the shingles that any of some pairs of a block shares.

    Parameters
    ----------
    block, left, right
        As in `align`.

    Returns
    -------
    uint64 [shape=(n,)], some of them more than once
    """
    larger, smaller, _ = by_size(block, left, right)
    shared = np.empty(
        int((block.shingle_offsets[smaller + 1] - block.shingle_offsets[smaller]).sum()), np.uint64
    )
    n_shared = kernel.shared_into(
        larger, smaller, block.shingles, block.shingle_offsets, *block.scratch, shared
    )
    return shared[:n_shared]


def similarities(block: Block, alignment: Alignment, rows: Whole) -> tuple[Floats, Floats, Floats]:
    """Return the similarities of the sets of shingles of some pairs.

    Apart from `align`, because the distinct shingles of a document take as long to
    count as a pair to align, and most pairs are strangers.

    Parameters
    ----------
    block, alignment
        As given to and returned by `align`.
    rows : int64 [shape=(n,)]
        The pairs.

    Returns
    -------
    jaccard, containment_left, containment_right : float64 [shape=(n,)], in [0, 1]
    """
    left, right, shared = (
        alignment.left[rows],
        alignment.right[rows],
        alignment.n_shared_shingles[rows],
    )
    documents = np.unique([left, right])
    slots, sieve, scratch = block.scratch
    counts = np.empty(documents.size, np.int64)
    kernel.count_distinct_into(
        documents, block.shingles, block.shingle_offsets, slots, sieve, scratch, counts
    )
    in_left = counts[np.searchsorted(documents, left)]
    in_right = counts[np.searchsorted(documents, right)]
    return shared / (in_left + in_right - shared), shared / in_left, shared / in_right


def totals_of(weights: npt.NDArray[np.float32], offsets: Whole) -> Floats:
    """Return the sum of the weights of each document of a block.

    Parameters
    ----------
    weights : float32 [shape=(n_tokens,)]
    offsets : int64 [shape=(n_docs + 1,)]
        No document is empty.
    """
    return np.add.reduceat(weights, offsets[:-1], dtype=np.float64)


def contents_of(shingles: npt.NDArray[np.uint64], offsets: Whole) -> npt.NDArray[np.uint64]:
    """Return a number for each document that depends on its shingles and their order.

    Of two documents equally long it tells which counts as the larger, so that the
    answer depends neither on which side is named first nor on the ids.

    Parameters
    ----------
    shingles : uint64 [shape=(n_shingles,)]
    offsets : int64 [shape=(n_docs + 1,)]

    Returns
    -------
    uint64 [shape=(n_docs,)]
    """
    # Products and sums wrap around on purpose: they only have to differ where texts do.
    places = np.arange(1, shingles.size + 1, dtype=np.uint64)
    places -= np.repeat(offsets[:-1], np.diff(offsets)).astype(np.uint64)
    sums = np.zeros(shingles.size + 1, np.uint64)
    np.cumsum(shingles * places, out=sums[1:])
    return sums[offsets[1:]] - sums[offsets[:-1]]


def by_size(block: Block, left: Whole, right: Whole) -> tuple[Whole, Whole, npt.NDArray[np.bool_]]:
    """Return the larger document of each pair, the smaller, and whether the larger is right."""
    n_left, n_right = block.n_words[left], block.n_words[right]
    is_less = block.contents[left] < block.contents[right]
    swap = (n_left < n_right) | ((n_left == n_right) & is_less)
    return np.where(swap, right, left), np.where(swap, left, right), swap

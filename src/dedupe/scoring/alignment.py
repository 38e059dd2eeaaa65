"""Aligns documents word by word: what two share, where it stands, and what is between.

Everything here works on arrays of a block of documents; `dedupe.shingling.tokens` and
`dedupe.shingling` make them. What it means for the story is left to `dedupe.scoring.score`.
"""

from dataclasses import dataclass

import numpy as np

from dedupe.arrays import AnyInts, Bools, Floats, Ints, distinct
from dedupe.kernels import alignment as chains
from dedupe.kernels import bounds, judging, pairs, strangers
from dedupe.kernels import measures as kernel
from dedupe.lazy import cached_property
from dedupe.scoring import rule
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import Sealed

__all__ = [
    "Alignment",
    "align",
    "by_size",
    "is_spared",
    "shared_by_strangers",
    "shared_shingles",
    "similarities",
    "words_held",
]


@dataclass(frozen=True)
class Alignment:
    """What the pairs of a block share; each array has an entry for each pair.

    What follows from the measures is found when it is asked for: most pairs are strangers, of
    which next to nothing is asked. Where little is shared nobody looks at what is between, and
    all of that is 0; see `align`.

    Attributes
    ----------
    left, right : int64
        Document numbers within the block.
    words : int64 [shape=(2, n_pairs)]
        Length of the documents: a row for the left ones, and one for the right ones.
    totals : float64 [shape=(2, n_pairs)]
        All words of either side, weighted.
    of_sides : float64 [shape=(n_pairs, 2, N_OF_SIDE)]
        What `dedupe.kernels.pairs` measures of either side, the larger document first.
    swap : bool
        Whether the larger document is the right one.
    of_both : float64 [shape=(n_pairs, N_OF_BOTH)]
        What it measures of both together.
    """

    left: Ints
    right: Ints
    words: Ints
    totals: Floats
    of_sides: Floats
    swap: Bools
    of_both: Floats

    def take(self, places: Ints) -> "Alignment":
        """Return some of the pairs."""
        return Alignment(
            self.left[places],
            self.right[places],
            self.words[:, places],
            self.totals[:, places],
            self.of_sides[places],
            self.swap[places],
            self.of_both[places],
        )

    @cached_property
    def judged(self) -> Floats:
        """What the rule says of the pairs, a row for each column of `dedupe.kernels.judging`."""
        found = np.empty((judging.N_JUDGED, self.left.size))
        judging.judge_into(
            np.ascontiguousarray(self.words),
            np.ascontiguousarray(self.totals),
            self.of_sides,
            self.swap,
            self.of_both,
            np.array([getattr(rule, name) for name in judging.CONSTANTS], np.float64),
            found,
        )
        return found

    @cached_property
    def sides(self) -> Floats:
        """What is measured of the left documents and of the right ones, a row for each measure."""
        found: Floats = np.where(self.swap, self.of_sides[:, ::-1].T, self.of_sides.T)
        return found

    @property
    def n_shared_shingles(self) -> Ints:
        """Distinct shingles that both have."""
        return _whole(self.of_both[:, kernel.SHARED])

    @cached_property
    def coverage(self) -> Ints:
        """Words of either side that stand in shared shingles, a row for each side."""
        return _whole(self.sides[kernel.COVERED, ...])

    @cached_property
    def covered(self) -> Ints:
        """Shared words, on the side that has fewer."""
        return _whole(self.of_sides[..., kernel.COVERED].min(axis=1))

    @cached_property
    def longer(self) -> Ints:
        """Words of the longer document."""
        longer: Ints = np.maximum(*self.words)
        return longer

    @cached_property
    def weight(self) -> Floats:
        """Shared words, weighted as if the two documents were one story, a row for each side."""
        return self.sides[kernel.WEIGHT, ...]

    @cached_property
    def story(self) -> Floats:
        """Words that are prose and not shared, weighted, a row for each side."""
        return self.sides[kernel.STORY, ...]

    @cached_property
    def edited(self) -> Floats:
        """Those of them that stand in edits, at the weight of what is around them."""
        return self.sides[kernel.EDITED, ...]

    @cached_property
    def known(self) -> Floats:
        """Shared words, on the side that has fewer, weighted by what is known of them."""
        known: Floats = self.of_sides[..., kernel.PLAIN].min(axis=1)
        return known

    @property
    def boilerplate(self) -> Ints:
        """Shared words of the shorter document that more than two clusters hold."""
        return _whole(np.minimum(self.of_sides[:, 1, kernel.BOILERPLATE], self.covered))

    @cached_property
    def hole(self) -> Floats:
        """What stands in one place within the shared text and differs, weighted.

        More where that is a story between lists.
        """
        return self.of_both[:, kernel.HOLE]

    @cached_property
    def end(self) -> Floats:
        """The same at an end of the shared text."""
        return self.of_both[:, kernel.END]

    @cached_property
    def is_at_end(self) -> Bools:
        """Whether what stands at an end takes more of the score than the hole."""
        return rule.END_COST * self.end > rule.HOLE_COST * self.hole

    @property
    def replaced(self) -> Floats:
        """Whichever of both takes more, a hole as if it were no story between lists."""
        return np.where(self.is_at_end, self.end, self.of_both[:, kernel.HOLE_WEIGHT])

    @cached_property
    def excess(self) -> Floats:
        """What each side has at places where the other has none, weighted."""
        return self.of_both[:, kernel.EXCESS]

    @property
    def gap(self) -> Floats:
        """Words of any lines, prose or not, that each side has in one place in the shared text."""
        return self.of_both[:, kernel.GAP]

    @cached_property
    def entries(self) -> Floats:
        """What stands in one place next to boilerplate and differs, of any lines, weighted.

        These are the entries of a listing. A box is none.
        """
        return self.of_both[:, kernel.ENTRIES]


def _whole(column: Floats) -> Ints:
    return column.astype(np.int64)


def align(
    block: Block, left: AnyInts, right: AnyInts, *, min_words: int = rule.MIN_WORDS
) -> Alignment:
    """Compare the documents of each pair word by word.

    Fast when pairs with the same larger document follow each other, since its
    shingles are put into a table once.

    Parameters
    ----------
    block : Block
    left, right : int64 [shape=(n_pairs,)]
        Document numbers within the block; no document is empty.
    min_words : int
        What shared words must weigh for gaps to be looked at, unless they are half of a
        document.
    """
    larger, smaller, swap = by_size(block, left, right)
    of_sides, of_both = _measured(block, larger, smaller, min_words)
    documents = np.array([left, right], np.int64)
    return Alignment(
        left=left,
        right=right,
        words=block.n_words[documents],
        totals=block.totals(documents),
        of_sides=of_sides,
        swap=swap,
        of_both=of_both,
    )


def _stories_of(block: Block) -> Ints | None:
    """Return the story of each document as kernels take it: only where words have weights."""
    if block.weights is None:
        return None
    return np.zeros(block.n_words.size, np.int64) if block.stories is None else block.stories


def shared_by_strangers(block: Block, left: AnyInts, right: AnyInts) -> Ints:
    """Return what `Alignment.covered` says of pairs that share next to nothing, -1 of others.

    Parameters
    ----------
    block, left, right
        As in `align`.
    """
    larger, smaller, _ = by_size(block, left, right)
    _, _, sieve, scratch = block.scratch
    covered = np.empty(left.size, np.int64)
    strangers.covered_by_few_into(
        larger,
        smaller,
        block.shingles,
        block.shingle_offsets,
        block.token_offsets,
        block.ngram,
        sieve,
        scratch,
        covered,
    )
    return covered


def words_held(block: Block, left: AnyInts, right: AnyInts, *, enough: int) -> Ints:
    """Return how many words of the right document of each pair stand in shingles of the left.

    Up to `enough` they are never fewer than `Alignment.covered`, and found in a fraction of the
    time.

    Parameters
    ----------
    block : Block
    left, right : int [shape=(n_pairs,)]
        Fast where pairs with the same left document follow each other.
    enough : int
        No more words are counted once there are so many.
    """
    held = np.empty(left.size, np.int64)
    strangers.held_into(
        np.ascontiguousarray(left, np.int64),
        np.ascontiguousarray(right, np.int64),
        enough,
        block.shingles,
        block.shingle_offsets,
        block.token_offsets,
        block.ngram,
        *block.scratch,
        held,
    )
    return held


def _measured(block: Block, larger: Ints, smaller: Ints, min_words: int) -> tuple[Floats, Floats]:
    """Return what `dedupe.kernels.pairs` measures of each side, and of both together."""
    of_sides = np.empty((larger.size, 2, kernel.N_OF_SIDE))
    of_both = np.empty((larger.size, kernel.N_OF_BOTH))
    pairs.measure_pairs_into(
        larger,
        smaller,
        block.shingles,
        block.shingle_offsets,
        block.token_offsets,
        block.lines,
        block.weights,
        block.prose,
        _stories_of(block),
        block.ngram,
        min_words,
        *block.scratch,
        np.empty((2, kernel.N_LINES)),
        of_sides,
        of_both,
    )
    return of_sides, of_both


def shared_shingles(
    block: Block, left: AnyInts, right: AnyInts, *, beside: Boilerplate | None = None
) -> Sealed:
    """Return the shingles that any of some pairs of a block shares, some more than once.

    Parameters
    ----------
    block, left, right
        As in `align`.
    beside : Boilerplate, optional
        Shingles that are left out: those it has taken up. If it takes up more of them meanwhile,
        these may be left out or not.
    """
    _, sieve, table, _, owners = (beside or Boilerplate()).table
    larger, smaller, _ = by_size(block, left, right)
    n_most = int((block.shingle_offsets[smaller + 1] - block.shingle_offsets[smaller]).sum())
    shared = np.empty(n_most, np.int64)
    n_shared = strangers.shared_into(
        larger,
        smaller,
        block.shingles,
        block.shingle_offsets,
        sieve,
        table,
        owners,
        *block.scratch,
        shared,
    )
    places = shared[:n_shared]
    return Sealed(block.shingles[places], block.seals[places])


def is_spared(block: Block, larger: Ints, smaller: Ints, spare: Floats) -> Bools:
    """Return for which pairs the words that the smaller document has alone may weigh so little.

    Parameters
    ----------
    block : Block
        With weights.
    larger, smaller : int64 [shape=(n_pairs,)]
        As `by_size` returns them.
    spare : float64 [shape=(n_pairs,)]
    """
    found = np.empty(larger.size, np.bool_)
    bounds.spare_into(
        larger,
        smaller,
        spare,
        block.shingles,
        block.shingle_offsets,
        block.token_offsets,
        block.weights,
        block.ngram,
        *block.scratch,
        found,
    )
    return found


def similarities(block: Block, alignment: Alignment) -> tuple[Floats, Floats, Floats]:
    """Return the similarities of the sets of shingles of some pairs.

    Apart from `align`, because the distinct shingles of a document take as long to
    count as a pair to align, and most pairs are strangers.

    Parameters
    ----------
    block, alignment
        As given to and returned by `align`.

    Returns
    -------
    jaccard, containment_left, containment_right : float64 [shape=(n_pairs,)], in [0, 1]
    """
    left, right, shared = alignment.left, alignment.right, alignment.n_shared_shingles
    counts = block.n_distinct
    documents = distinct(np.array([left, right], np.int64))
    documents = documents[counts[documents] < 0]
    found = np.empty(documents.size, np.int64)
    chains.count_distinct_into(
        documents, block.shingles, block.shingle_offsets, *block.scratch, found
    )
    counts[documents] = found
    in_left, in_right = counts[left], counts[right]
    return shared / (in_left + in_right - shared), shared / in_left, shared / in_right


def by_size(block: Block, left: AnyInts, right: AnyInts) -> tuple[Ints, Ints, Bools]:
    """Return the larger document of each pair, the smaller, and whether the larger is right."""
    swap = np.empty(left.size, np.bool_)
    larger, smaller = np.empty((2, left.size), np.int64)
    # One type, whatever the numbers come in: a kernel is compiled for each.
    sides = (np.ascontiguousarray(left, np.int64), np.ascontiguousarray(right, np.int64))
    pairs.by_size_into(*sides, block.token_offsets, block.contents, larger, smaller, swap)
    return larger, smaller, swap

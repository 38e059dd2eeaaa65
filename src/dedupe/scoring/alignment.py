"""Aligns documents word by word: what two share, where it stands, and what is between.

Everything here works on arrays of a block of documents; `dedupe.shingling.tokens` and
`dedupe.shingling` make them. What it means for the story is left to `dedupe.scoring.score`.
"""

from dataclasses import dataclass, fields

import numpy as np

from dedupe.arrays import AnyInts, Bools, Floats, Ints, Weights, distinct
from dedupe.kernels import alignment as chains
from dedupe.kernels import bounds, pairs, strangers
from dedupe.kernels import measures as kernel
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
    "shared_words",
    "similarities",
]


@dataclass(frozen=True, slots=True)
class Alignment:
    """What the pairs of a block share; each array has an entry for each pair.

    Where little is shared nobody looks at what is between, and all of that is 0; see `align`.

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
        The same, weighted as if the two documents were one story.
    total_left, total_right : float64
        All words of either side, weighted.
    story_left, story_right : float64
        Words of either side that are prose and not shared, weighted.
    edited_left, edited_right : float64
        Those of them that stand in edits, at the weight of what is around them.
    known : float64
        Shared words, on the side that has fewer, weighted by what is known of them.
    boilerplate : int64
        Shared words of the shorter document that more than two clusters hold.
    own : int64
        Shared words of the shorter document that no other cluster holds.
    hole : float64
        What stands in one place within the shared text and differs, weighted; more where
        that is a story between lists.
    end : float64
        The same at an end of the shared text.
    replaced : float64
        Whichever of both takes more of the score, a hole as if it were no story between lists.
    is_at_end : bool
        Whether it is what stands at an end.
    excess : float64
        What each side has at places where the other has none, weighted.
    gap : int64
        Words of any lines, prose or not, that each side has in one place within the
        shared text.
    entries : float64
        What stands in one place next to boilerplate and differs, of any lines, weighted: the
        entries of a listing. A box is none.
    """

    left: Ints
    right: Ints
    n_shared_shingles: Ints
    words_left: Ints
    words_right: Ints
    covered_left: Ints
    covered_right: Ints
    weight_left: Floats
    weight_right: Floats
    total_left: Floats
    total_right: Floats
    story_left: Floats
    story_right: Floats
    edited_left: Floats
    edited_right: Floats
    known: Floats
    boilerplate: Ints
    own: Ints
    hole: Floats
    end: Floats
    replaced: Floats
    is_at_end: Bools
    excess: Floats
    gap: Ints
    entries: Floats

    @property
    def covered(self) -> Ints:
        """Shared words, on the side that has fewer."""
        return np.minimum(self.covered_left, self.covered_right)

    @property
    def matched(self) -> Floats:
        """Shared words, on the side that has fewer, weighted."""
        return np.minimum(self.weight_left, self.weight_right)

    def take(self, places: Ints) -> "Alignment":
        """Return some of the pairs."""
        return Alignment(*(getattr(self, column.name)[places] for column in fields(self)))


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
    of_sides, of_both = _measured(
        block,
        larger,
        smaller,
        weights=block.weights,
        stories=_stories_of(block),
        min_words=min_words,
    )
    sides = np.where(swap[:, np.newaxis, np.newaxis], of_sides[:, ::-1], of_sides)
    covered, weight, story, edited = (
        sides[:, :, column].T
        for column in (kernel.COVERED, kernel.WEIGHT, kernel.STORY, kernel.EDITED)
    )
    end = of_both[:, kernel.END]
    is_at_end = rule.END_COST * end > rule.HOLE_COST * of_both[:, kernel.HOLE]

    def whole(column: Floats) -> Ints:
        return column.astype(np.int64)

    return Alignment(
        left=left,
        right=right,
        n_shared_shingles=whole(of_both[:, kernel.SHARED]),
        words_left=block.n_words[left],
        words_right=block.n_words[right],
        covered_left=whole(covered[0]),
        covered_right=whole(covered[1]),
        weight_left=weight[0],
        weight_right=weight[1],
        total_left=block.totals(left),
        total_right=block.totals(right),
        story_left=story[0],
        story_right=story[1],
        edited_left=edited[0],
        edited_right=edited[1],
        known=of_sides[:, :, kernel.PLAIN].min(axis=1),
        boilerplate=whole(np.minimum(of_sides[:, 1, kernel.BOILERPLATE], np.minimum(*covered))),
        own=whole(of_sides[:, 1, kernel.OWN]),
        hole=of_both[:, kernel.HOLE],
        end=end,
        replaced=np.where(is_at_end, end, of_both[:, kernel.HOLE_WEIGHT]),
        is_at_end=is_at_end,
        excess=of_both[:, kernel.EXCESS],
        gap=whole(of_both[:, kernel.GAP]),
        entries=of_both[:, kernel.ENTRIES],
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


def shared_words(block: Block, left: AnyInts, right: AnyInts) -> Ints:
    """Return what `Alignment.covered` says of some pairs, and nothing else, in less time.

    Parameters
    ----------
    block, left, right
        As in `align`, in any order.
    """
    larger, smaller, _ = by_size(block, left, right)
    order = np.argsort(larger, kind="stable")
    of_sides, _ = _measured(
        block, larger[order], smaller[order], weights=None, stories=None, min_words=ANY_WORDS
    )
    covered = np.empty(left.size, np.int64)
    covered[order] = of_sides[:, :, kernel.COVERED].min(axis=1)
    return covered


ANY_WORDS = 1 << 31
"""More words than a document has: what is between the shared ones is not looked at."""


def _measured(
    block: Block,
    larger: Ints,
    smaller: Ints,
    *,
    weights: Weights | None,
    stories: Ints | None,
    min_words: int,
) -> tuple[Floats, Floats]:
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
        weights,
        block.prose,
        stories,
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
    n_left, n_right = block.n_words[left], block.n_words[right]
    is_less = block.contents[left] < block.contents[right]
    swap = (n_left < n_right) | ((n_left == n_right) & is_less)
    larger, smaller = np.where(swap, right, left), np.where(swap, left, right)
    # One type, whatever the numbers come in: the kernels are compiled for each.
    return larger.astype(np.int64), smaller.astype(np.int64), swap

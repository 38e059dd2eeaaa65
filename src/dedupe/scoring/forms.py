"""Clusters that are one form filled in many times, and the stories in them.

Weather, prices, results, notices: names and figures change in many small places, of
which none is long enough to be a hole. What tells a form from copies with edits is a
statistic of the cluster. Where one copy was edited the others agree; in a *slot* of a
form they do not. Two documents of a form are one story if they share what stands in
the slots; then the rest is in many clusters, and is furniture like any other.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe.clustering import average_linkage, components
from dedupe.engine.blocks import Hashed
from dedupe.kernels import forms as kernel
from dedupe.kernels.furniture import MAX_COUNT
from dedupe.scoring.alignment import Block, align, totals_of
from dedupe.scoring.boilerplate import Furniture
from dedupe.threads import map_in_order

__all__ = ["Samples", "are_forms", "draw_samples", "part_forms"]

SAMPLE = 10
"""Documents of a cluster that are looked at; more would tell no more."""

MIN_DOCUMENTS = 3
"""Of two documents that differ nobody can say with which of them a third would agree."""

LONGEST = 1 << 13
"""Words of a document that are looked at: forms are short, and documents need not be."""

FRAME_SHARE = 0.75
"""Share of the documents that more than hold a shingle of the frame: some have edits."""

OWN_SHARE = 0.25
"""Share of the documents that may hold what still counts as a document's own."""

MIN_SLOTS = 3
"""Fewer are edits of one text, or a hole, which the score sees."""

MIN_OWN = 0.05
"""Words of its own in slots that a document has for each word of the frame: a date
alone makes no form."""

OWN_OF_REST = 0.5
"""The same for each other word inside the frame: between the frame of copies with noise
is mostly what other copies have too."""

MIN_FRAME = 1.25
"""Words of the frame for each other word inside it: noise leaves less standing."""

FILLING_SHARE = 0.5
"""Share of what stands in the slots of one document that makes another the same story."""

CLUSTERS = 1 << 8
"""Clusters that a thread looks at at once."""

Whole = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[np.floating[Any]]
Marks = npt.NDArray[np.bool_]
Shingles = npt.NDArray[np.uint64]
Cut = Callable[[Pairs], Iterable[Pairs]]


@dataclass(frozen=True, slots=True)
class Samples:
    """A few documents of each cluster that has enough of them.

    Attributes
    ----------
    documents : int64 [shape=(n,)]
        Places within a block.
    bounds : int64 [shape=(n_clusters + 1,)]
        Cluster ``c`` owns ``documents[bounds[c]:bounds[c + 1]]``.
    """

    documents: Whole
    bounds: Whole

    @property
    def sizes(self) -> Whole:
        """Documents of each cluster."""
        return np.diff(self.bounds)

    @property
    def few(self) -> Whole:
        """How many documents of each may hold what still counts as a document's own."""
        few: Whole = np.maximum(1, OWN_SHARE * self.sizes).astype(np.int64)
        return few

    def some(self, clusters: slice) -> "Samples":
        """Return those of some clusters that follow each other."""
        bounds = self.bounds[clusters.start : clusters.stop + 1]
        return Samples(self.documents[bounds[0] : bounds[-1]], bounds - bounds[0])


def part_forms(
    hashed: Hashed, labels: Whole, pairs: Pairs, strict: Scores, cut: Cut, *, workers: int
) -> tuple[Whole, Shingles]:
    """Take the clusters apart that are forms; the stories in them stay together.

    Parameters
    ----------
    hashed : Hashed
    labels : int64 [shape=(n_docs of the corpus,)]
        The least document of each cluster.
    pairs : int [shape=(n_pairs, 2)]
        Candidates, by their numbers in the corpus; only these can stay together.
    strict : float [shape=(n_pairs,)]
        Their scores in the first pass.
    cut : callable
        Cuts pairs into blocks.
    workers : int

    Returns
    -------
    labels : int64
        As given, but for the documents of forms.
    texts : uint64 [shape=(n,)]
        The shingles that more than a few documents of a form have, in order.
    """
    first = components(labels.size, pairs[strict > 1 - MIN_OWN])[hashed.numbers]
    samples = draw_samples(hashed.block(), labels[hashed.numbers], first == hashed.numbers)
    found = map_in_order(
        lambda clusters: _of_forms(hashed.block(), samples.some(clusters)),
        hashed.relaxed(_slices(samples.sizes.size)),
        workers,
    )
    documents, texts = zip((np.empty(0, np.int64), np.empty(0, np.uint64)), *found, strict=True)
    in_form = np.isin(labels, labels[hashed.numbers[np.concatenate(documents)]])
    common = np.unique(np.concatenate(texts))
    inside = pairs[in_form[pairs[:, 0]] & (labels[pairs[:, 0]] == labels[pairs[:, 1]])]
    shares = map_in_order(lambda some: _fillings_shared(hashed, some, common), cut(inside), workers)
    apart = average_linkage(
        labels.size,
        inside,
        np.concatenate([np.empty(0), *shares]),
        threshold=FILLING_SHARE,
        mean_share=1.0,
        missing=None,
    )
    return np.where(in_form, apart, labels), common


def draw_samples(block: Block, labels: Whole, is_distinct: Marks) -> Samples:
    """Choose at most `SAMPLE` documents of each cluster of at least `MIN_DOCUMENTS`.

    They are chosen by what they say, which is as good as by chance: those whose ids
    follow each other may be copies. Of documents so alike that they cannot be two
    reports of a form only one is distinct, or many copies of one would be the sample.

    Parameters
    ----------
    block : Block
    labels : int64 [shape=(n_docs,)], not negative
        The cluster of each document of the block.
    is_distinct : bool [shape=(n_docs,)]
        The documents that may be chosen, and count.
    """
    n_distinct = np.bincount(labels[is_distinct], minlength=int(labels.max(initial=0)) + 1)
    documents = np.flatnonzero(is_distinct & (n_distinct[labels] >= MIN_DOCUMENTS))
    order = documents[np.lexsort((block.contents[documents], labels[documents]))]
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    ranks = np.arange(order.size) - np.repeat(starts, sizes)
    return Samples(order[ranks < SAMPLE], _offsets(np.minimum(sizes, SAMPLE)))


def are_forms(block: Block, samples: Samples) -> Marks:
    """Return which clusters are forms: those of which most documents look like one."""
    frame, n_slots, own, other = _slots(block, samples).T
    looks_so = (
        (n_slots >= MIN_SLOTS)
        & (own >= MIN_OWN * frame)
        & (own >= OWN_OF_REST * other)
        & (frame >= MIN_FRAME * (own + other))
    )
    n_looking = np.add.reduceat(looks_so, samples.bounds[:-1], dtype=np.int64)
    found: Marks = 2 * n_looking > samples.sizes
    return found


def _of_forms(block: Block, samples: Samples) -> tuple[Whole, Shingles]:
    """Return a document of each form, and the shingles that more than a few of it have.

    Those are not the frame alone: of prices that rise or fall half say the same.
    """
    chosen = np.flatnonzero(are_forms(block, samples))
    texts = [np.empty(0, np.uint64)]
    for c in chosen.tolist():
        documents = samples.some(slice(c, c + 1)).documents
        held = [np.unique(block.shingles[_part(block.shingle_offsets, d)]) for d in documents]
        shingles, counts = np.unique(np.concatenate(held), return_counts=True)
        texts.append(shingles[counts > samples.few[c]])
    return samples.documents[samples.bounds[chosen]], np.concatenate(texts)


def _slots(block: Block, samples: Samples) -> Whole:
    """Return the facts of each document; see `dedupe.kernels.forms`."""
    documents, bounds, sizes = samples.documents, samples.bounds, samples.sizes
    lengths = np.minimum(np.diff(block.shingle_offsets)[documents], LONGEST)
    longest = int(np.add.reduceat(lengths, bounds[:-1]).max())
    n_places = 1 << (2 * longest).bit_length()
    frame = np.floor(FRAME_SHARE * sizes).astype(np.int64) + 1
    facts = np.empty((documents.size, kernel.N_FACTS), np.int64)
    kernel.count_slots_into(
        documents,
        bounds,
        np.stack([frame, sizes // 2 + 1, samples.few], axis=1),
        block.shingles,
        block.shingle_offsets,
        block.ngram,
        LONGEST,
        np.empty(n_places, np.uint64),
        np.empty(n_places, np.int32),
        np.empty(n_places, np.int64),
        np.empty(n_places, np.uint8),
        np.empty(longest, np.int64),
        facts,
    )
    return facts


def _fillings_shared(hashed: Hashed, pairs: Pairs, texts: Shingles) -> Floats:
    """Return how much of what one document of each pair has in slots the other has too.

    The lesser of the two counts: around the other may stand a page.
    """
    documents, places = np.unique(hashed.places(pairs), return_inverse=True)
    block = _only(hashed.block(), documents)
    furniture = Furniture()
    furniture.watch(texts, np.full(texts.size, MAX_COUNT, np.uint16))
    furniture.mark(texts)
    weights = furniture.weights(block.shingles, block.shingle_offsets, block.token_offsets)
    block = replace(block, weights=weights, totals=totals_of(weights, block.token_offsets))
    # Where it stands does not matter, and would take most of the time.
    found = align(block, *places.reshape(-1, 2).T, min_words=int(block.n_words.max()) + 1)
    shares: Floats = found.matched / np.minimum(found.total_left, found.total_right)
    return np.minimum(1, shares)


def _only(block: Block, documents: Whole) -> Block:
    """Return some documents of a block as a block of their own."""
    return Block(
        np.concatenate([block.shingles[_part(block.shingle_offsets, d)] for d in documents]),
        _offsets(np.diff(block.shingle_offsets)[documents]),
        _offsets(block.n_words[documents]),
        np.concatenate([block.lines[_part(block.token_offsets, d)] for d in documents]),
        block.ngram,
        block.contents[documents],
        block.totals[documents],
    )


def _slices(n_clusters: int) -> Iterator[slice]:
    """Cut so many clusters into slices of CLUSTERS."""
    for start in range(0, n_clusters, CLUSTERS):
        yield slice(start, min(start + CLUSTERS, n_clusters))


def _part(offsets: Whole, document: int) -> slice:
    """Return where what a document owns stands."""
    return slice(int(offsets[document]), int(offsets[document + 1]))


def _offsets(lengths: Whole) -> Whole:
    """Return where each of some stretches begins, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])

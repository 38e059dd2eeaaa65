"""Finds clusters that are one form filled in many times, and the stories in them.

Weather, prices, results, notices: names and figures change in many small places, of
which none is long enough to be a hole. What tells a form from copies with edits is a
statistic of the cluster. Where one copy was edited the others agree; in a *slot* of a
form they do not. Two documents of a form are one story if they share what stands in
the slots; then the rest is in many clusters, and is boilerplate like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dedupe.arrays import (
    AnyFloats,
    AnyInts,
    Bools,
    Floats,
    Hashes,
    Ints,
    distinct,
    offsets_of,
    part,
)
from dedupe.clustering import average_linkage
from dedupe.kernels import forms as kernel
from dedupe.kernels.boilerplate import MAX_COUNT
from dedupe.kernels.tables import SALT
from dedupe.scoring.alignment import align
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate

__all__ = ["Forms", "Samples", "are_forms", "draw_samples", "fillings_shared", "find", "take_apart"]

SAMPLE = 10
"""Documents of a cluster that are looked at; more would tell no more."""

MIN_DOCUMENTS = 3
"""Of two documents that differ nobody can say with which of them a third would agree."""

LONGEST = 1 << 13
"""Words of a document that are looked at: forms are short, and documents need not be."""

FRAME_SHARE = 0.75
"""A shingle of the frame is in more than this share of the documents: some have edits."""

OWN_SHARE = 0.25
"""Share of the documents that may hold what still counts as a document's own."""

MIN_SLOTS = 3
"""Fewer are edits of one text, or a hole, which the score sees."""

OWN_OF_FRAME = 0.05
"""Words of its own in slots that a document has for each word of the frame: a date
alone makes no form."""

OWN_OF_REST = 0.5
"""The same for each other word inside the frame: between the frame of copies with noise
is mostly what other copies have too."""

MIN_FRAME = 1.25
"""Words of the frame for each other word inside it: noise leaves less standing."""

FRAME_PER_SLOT = 40
"""Words of the frame for each slot at most: copies with boxes of their own between the
paragraphs look like a form of few slots."""

FILLING_SHARE = 0.5
"""Share of what stands in the slots of one document that makes another the same story."""

AT_ONCE = 1 << 8
"""Clusters that are looked at together, which bounds the memory that it takes."""


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

    documents: Ints
    bounds: Ints

    @property
    def sizes(self) -> Ints:
        """Documents of each cluster."""
        return np.diff(self.bounds)

    @property
    def few(self) -> Ints:
        """How many documents of each may hold what still counts as a document's own."""
        few: Ints = np.maximum(1, OWN_SHARE * self.sizes).astype(np.int64)
        return few

    def in_parts(self) -> "Iterator[Samples]":
        """Yield those of a few clusters at a time."""
        for start in range(0, self.sizes.size, AT_ONCE):
            yield self.some(slice(start, min(start + AT_ONCE, self.sizes.size)))

    def some(self, clusters: slice) -> "Samples":
        """Return those of some clusters that follow each other."""
        bounds = self.bounds[clusters.start : clusters.stop + 1]
        return Samples(self.documents[bounds[0] : bounds[-1]], bounds - bounds[0])


def draw_samples(block: Block, labels: Ints, is_distinct: Bools) -> Samples:
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
    return Samples(order[ranks < SAMPLE], offsets_of(np.minimum(sizes, SAMPLE)))


def are_forms(block: Block, samples: Samples) -> Bools:
    """Return which clusters are forms: those of which most documents look like one."""
    frame, n_slots, own, other = _slots(block, samples).T
    looks_so = (
        (n_slots >= MIN_SLOTS)
        & (frame <= FRAME_PER_SLOT * n_slots)
        & (own >= OWN_OF_FRAME * frame)
        & (own >= OWN_OF_REST * other)
        & (frame >= MIN_FRAME * (own + other))
    )
    n_looking = np.add.reduceat(looks_so, samples.bounds[:-1], dtype=np.int64)
    found: Bools = 2 * n_looking > samples.sizes
    return found


class Forms(NamedTuple):
    """The forms among some clusters.

    Attributes
    ----------
    documents : int64 [shape=(n_forms,)]
        A document of each.
    texts : uint64 [shape=(n,)]
        The shingles that more than a few documents of a form have. Those are not the
        frame alone: of prices that rise or fall half say the same.
    """

    documents: Ints
    texts: Hashes

    @classmethod
    def none(cls) -> "Forms":
        """Return what is found where there is no form."""
        return cls(np.empty(0, np.int64), np.empty(0, np.uint64))


def find(block: Block, samples: Samples) -> Forms:
    """Return which clusters are forms, and what their documents have in common."""
    chosen = np.flatnonzero(are_forms(block, samples))
    texts = [np.empty(0, np.uint64)]
    for c in chosen.tolist():
        documents = samples.some(slice(c, c + 1)).documents
        held = [distinct(block.shingles[part(block.shingle_offsets, d)]) for d in documents]
        shingles, counts = np.unique(np.concatenate(held), return_counts=True)
        texts.append(shingles[counts > samples.few[c]])
    return Forms(samples.documents[samples.bounds[chosen]], np.concatenate(texts))


def _slots(block: Block, samples: Samples) -> Ints:
    """Return the measures of each document; see `dedupe.kernels.forms`."""
    documents, bounds, sizes = samples.documents, samples.bounds, samples.sizes
    lengths = np.minimum(np.diff(block.shingle_offsets)[documents], LONGEST)
    longest = int(np.add.reduceat(lengths, bounds[:-1]).max())
    n_places = 1 << (2 * longest).bit_length()
    frame = np.floor(FRAME_SHARE * sizes).astype(np.int64) + 1
    measures = np.empty((documents.size, kernel.N_MEASURES), np.int64)
    kernel.count_slots_into(
        documents,
        bounds,
        np.stack([frame, sizes // 2 + 1, samples.few], axis=1),
        block.shingles,
        block.shingle_offsets,
        block.ngram,
        LONGEST,
        SALT,
        np.empty(n_places, np.uint64),
        np.empty(n_places, np.int32),
        np.empty(n_places, np.int64),
        np.empty(n_places, np.uint8),
        np.empty(longest, np.int64),
        measures,
    )
    return measures


def fillings_shared(block: Block, pairs: AnyInts, texts: Hashes) -> Floats:
    """Return how much of what one document of each pair has in slots the other has too.

    The lesser of the two counts: around the other may stand a page.

    Parameters
    ----------
    block : Block
    pairs : int [shape=(n_pairs, 2)]
    texts : uint64 [shape=(n,)]
        What forms have in common, or is known to be boilerplate; everything else stands in
        slots.
    """
    documents, places = np.unique(pairs, return_inverse=True)
    common = Boilerplate()
    common.watch(texts, counts=np.full(texts.size, MAX_COUNT, np.uint16))
    common.mark(texts)
    block = block.cut(documents).weighed(common)
    found = align(block, *places.reshape(-1, 2).T)
    shares: Floats = found.known / np.minimum(*found.totals)
    return np.minimum(1, shares)


def take_apart(labels: Ints, in_form: Bools, inside: AnyInts, shares: AnyFloats) -> Ints:
    """Take apart the clusters that are forms; the stories in them stay together.

    Parameters
    ----------
    labels : int64 [shape=(n_docs,)]
        The cluster of each document.
    in_form : bool [shape=(n_docs,)]
        Whether that is a form.
    inside : int [shape=(n_pairs, 2)]
        The candidates within forms; only these can stay together.
    shares : float [shape=(n_pairs,)]
        What `fillings_shared` says of them.
    """
    apart = average_linkage(
        labels.size,
        inside,
        shares,
        threshold=FILLING_SHARE,
        mean_share=1.0,
    )
    return np.where(in_form, apart, labels)

"""Lets near-copies follow one of them, so that a crowd of copies costs linear work.

A story that 6,000 sites carry has an anchor in every crowded bucket, each another one (see
`dedupe.lsh`), and so thirty candidates a copy. All but one of them say what the first has
said already. So each copy in a crowd is held against its *leader*, the least edited of them;
those in which hardly anything differs follow it, and it stands for them: whatever was to be
compared with one of them is compared with it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dedupe.arrays import HALF, LOW_HALF, AnyInts, Bools, Floats, Hashes, distinct
from dedupe.engine.port import Blocks
from dedupe.scoring import forms, passes, rule
from dedupe.scoring.alignment import by_size
from dedupe.scoring.block import Block

__all__ = ["Followed", "follow", "followers"]

AT_ONCE = 1 << 20
"""Pairs that are looked up at once, each in a dozen arrays: a hundred megabytes."""


class Followed(NamedTuple):
    """Candidates among which a leader stands for those that follow it.

    Attributes
    ----------
    pairs : int [shape=(n, 2)]
        The larger document first, ordered by it.
    is_in_crowd : bool [shape=(n_docs,)]
        Who leads others, or follows one.
    """

    pairs: AnyInts
    is_in_crowd: Bools


def follow(blocks: Blocks, pairs: AnyInts) -> Followed:
    """Return the candidates with a leader in place of the near-copies that follow it.

    Each of these has its leader alone for a candidate. Where what was copied is a form nobody
    follows: its reports are compared with one another.

    Parameters
    ----------
    blocks : Blocks
    pairs : int [shape=(n_pairs, 2)]
        Candidates, each once, the larger document first and ordered by it.
    """
    links = followers(blocks, _with_popular(blocks, pairs))
    is_in_crowd = np.zeros(blocks.numbers.size, np.bool_)
    is_in_crowd[links] = True
    if not len(links):
        return Followed(pairs, is_in_crowd)
    leaders = np.arange(blocks.numbers.size, dtype=pairs.dtype)
    leaders[links[:, 1]] = links[:, 0]
    block = blocks.block()
    led = (leaders[pairs[few]] for few in _in_turn(len(pairs)))
    keys = distinct(np.concatenate([_packed(block, links), *(_packed(block, few) for few in led)]))
    found = np.empty((keys.size, 2), pairs.dtype)
    found[:, 0] = keys >> HALF
    found[:, 1] = keys & LOW_HALF
    return Followed(found, is_in_crowd)


def _in_turn(n: int) -> Iterator[slice]:
    """Cut so many pairs into slices of a few.

    Of ten million pairs, an array of 64-bit numbers takes as much memory as the pairs themselves.
    """
    return (slice(start, start + AT_ONCE) for start in range(0, n, AT_ONCE))


def _packed(block: Block, pairs: AnyInts) -> Hashes:
    """Return pairs of two documents as numbers that sort as pairs do, the larger one first."""
    larger, smaller, _ = by_size(block, *pairs[pairs[:, 0] != pairs[:, 1]].T)
    return (larger.astype(np.uint64) << HALF) | smaller.astype(np.uint64)


def followers(blocks: Blocks, links: AnyInts) -> AnyInts:
    """Return each document that follows a leader, that one first.

    Parameters
    ----------
    blocks : Blocks
    links : int [shape=(n_links, 2)]
        Documents of crowds, each with the most popular of its candidates, that one first
        and ordered by it. What crowds have no document in common can be asked for apart.
    """
    if not len(links):
        return links
    shares = _near_shares(blocks, links)
    is_one_text = shares >= rule.STRICT_CONTAINMENT
    links, shares = _of_crowds(links[is_one_text], shares[is_one_text])
    if not len(links):
        return links
    links = _with_least_edited(blocks.block(), links, shares)
    shares = _near_shares(blocks, links)
    is_followed = (shares >= rule.NEAR) & ~_are_of_forms(blocks, links, shares)
    links, _ = _of_crowds(links[is_followed], shares[is_followed])
    return links


def _near_shares(blocks: Blocks, links: AnyInts) -> Floats:
    return np.concatenate([*blocks.each(passes.near_share, links)])


def _of_crowds(links: AnyInts, shares: Floats) -> tuple[AnyInts, Floats]:
    """Return the links to documents that at least `MIN_CROWD` are linked to, and their shares."""
    _, crowds, sizes = np.unique(links[:, 0], return_inverse=True, return_counts=True)
    is_of_crowd = sizes[crowds] >= rule.MIN_CROWD
    return links[is_of_crowd], shares[is_of_crowd]


def _with_popular(blocks: Blocks, pairs: AnyInts) -> AnyInts:
    """Return each document with the most popular of its candidates, that one first.

    Popular is who has many candidates for its size: not a page around the story.
    """
    block = blocks.block()
    n_candidates = np.bincount(pairs.ravel(), minlength=blocks.numbers.size)
    order = np.lexsort((block.contents, n_candidates / np.sqrt(block.n_words)))
    rank_of = np.empty_like(order)
    rank_of[order] = np.arange(order.size)
    most = np.full(order.size, -1)
    for few in _in_turn(len(pairs)):
        ranks = rank_of[pairs[few]]
        popular, other = ranks.max(axis=1), ranks.min(axis=1)
        is_of_crowd = n_candidates[order[popular]] >= rule.MIN_CROWD
        np.maximum.at(most, order[other[is_of_crowd]], popular[is_of_crowd])
    documents = np.flatnonzero(most >= 0)
    links = np.stack([order[most[documents]], documents], axis=1).astype(pairs.dtype)
    # Alignment is fast where one document is held against many.
    found: AnyInts = links[np.argsort(links[:, 0], kind="stable")]
    return found


def _with_least_edited(block: Block, links: AnyInts, shares: Floats) -> AnyInts:
    """Return each document of a crowd with the one that is nearest to the most popular.

    That one need not be near the others: it is an anchor, and those are the largest documents.
    """
    popular, members = links.T
    order = np.lexsort((block.contents[members], -shares, popular))
    firsts = order[np.diff(popular[order], prepend=-1) != 0]
    nearest, crowd_of = np.arange(block.n_words.size), np.arange(block.n_words.size)
    nearest[popular[firsts]] = members[firsts]
    crowd_of[members] = popular
    documents = np.unique(links)
    found = np.stack([nearest[crowd_of[documents]], documents], axis=1)
    found = found[found[:, 0] != found[:, 1]]
    ordered: AnyInts = found[np.argsort(found[:, 0], kind="stable")]
    return ordered


def _are_of_forms(blocks: Blocks, links: AnyInts, shares: Floats) -> Bools:
    """Return which links are to the leader of a form.

    All that may be a report of it are looked at: the nearest alone do not look like one.
    """
    crowd_of = np.arange(blocks.numbers.size)
    is_one_text = shares >= rule.STRICT_CONTAINMENT
    crowd_of[links[is_one_text, 1]] = links[is_one_text, 0]
    # Documents this alike differ in too few words to be two reports of a form.
    is_distinct = np.ones(crowd_of.size, np.bool_)
    is_distinct[links[shares > 1 - forms.OWN_OF_FRAME, 1]] = False
    samples = forms.draw_samples(blocks.block(), crowd_of, is_distinct)
    found = [forms.Forms.none(), *blocks.over(forms.find, samples.in_parts())]
    documents = np.concatenate([form.documents for form in found])
    return np.isin(links[:, 0], crowd_of[documents])

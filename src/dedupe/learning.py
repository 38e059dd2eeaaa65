"""Learns what a collection knows of itself: which text is boilerplate, and what is one story.

Nobody lists menus, teasers and footers: what many different stories carry says little about
any of them. But to count stories one must know them, and a frame that many pages share
makes them look like one. So boilerplate is learned in rounds, each from stories that are told
apart by what was learned before. What was watched for in one round is watched for in all later
ones, so that a round goes only through pairs that have come apart since the last.

Somebody may list some all the same. What is *known* weighs next to nothing from the first
pass on, and is part of what was learned.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from dedupe.arrays import AnyFloats, AnyInts, Hashes, Ints, distinct
from dedupe.clustering import average_linkage, components
from dedupe.documents import Document
from dedupe.engine.port import Blocks
from dedupe.errors import NothingToRead
from dedupe.scoring import forms, passes, rule
from dedupe.scoring.boilerplate import NOTHING, Boilerplate, Learned
from dedupe.scoring.passes import First
from dedupe.settings import SCORE_FLOOR
from dedupe.shingling import Sealed, hash_tokens, seal_shingles

__all__ = ["forget", "known_shingles", "learn", "weigh_known"]


def known_shingles(documents: Sequence[Document], ngram: int) -> Sealed:
    """Return the shingles of texts that are known to be boilerplate, as this process seals them.

    Raises
    ------
    NothingToRead
        When a text is too short to be found in another one.
    """
    if not documents:
        # A search without them starts faster: nothing is compiled to hash them.
        return NOTHING
    tokens = hash_tokens([one.text for one in documents], detail=True)
    for one, n_words in zip(documents, np.diff(tokens.offsets).tolist(), strict=True):
        if n_words < ngram:
            raise NothingToRead(
                f"boilerplate must have as many words as a shingle, {ngram}, got {n_words} in "
                f"{one.id!r}: give it with what stands around it, or leave it out"
            )
    return seal_shingles(tokens, ngram)


def weigh_known(blocks: Blocks, known: Sealed) -> None:
    """Weigh every word by what is known to be boilerplate, before anything is learned."""
    if known.hashes.size:
        forget(blocks, known)


def forget(blocks: Blocks, known: Sealed) -> None:
    """Weigh every word as if nothing had been learned but what is known to be boilerplate."""
    # As far as is known, all documents may be one story.
    blocks.weigh(Boilerplate.knowing(known), np.zeros(blocks.numbers.size, np.int64))


ROUNDS, LAST = ("learning", "relearning"), "learned"
"""Rounds in which pairs are scored by what is known so far, named as stages, and the last."""


def learn(
    blocks: Blocks, pairs: AnyInts, first: First, known: Sealed = NOTHING, of: str = ""
) -> Learned:
    """Learn which text is boilerplate, and which documents are one story, in a few rounds.

    At first nothing is known but the pairs beyond doubt, and the boilerplate that was named.
    A frame that many of those share is known after it; each round scores all pairs by that,
    and learns once more.

    Documents weigh by what was learned from then on. Where the pairs are those `of` some
    documents, others teach nothing.
    """
    teaches = np.full(blocks.numbers.size, not of)
    teaches[pairs] = True
    watched = Boilerplate.knowing(known)
    scores, texts = first.score.copy(), np.empty(0, np.uint64)
    joined = _stories(blocks, pairs, first.strict, rule.STRICT_CONTAINMENT)
    together = np.ones(len(pairs), np.bool_)
    for stage in (*ROUNDS, LAST):
        stories, more = part_forms(blocks, joined, pairs, first.strict, known)
        # What was a form stays one, though its documents are apart by now.
        texts = distinct(np.concatenate([texts, more]))
        was_together, together = together, stories[pairs[:, 0]] == stories[pairs[:, 1]]
        _watch(blocks, pairs[first.is_long & was_together & ~together], watched)
        boilerplate = watched.to_count()
        blocks.count(boilerplate, np.where(teaches, stories, -1))
        boilerplate.mark(texts)
        has_changed = blocks.weigh(boilerplate, stories)[pairs].any(axis=1)
        # Only what is scored otherwise is scored again: most documents have no boilerplate.
        block = blocks.block()
        is_weighed = (block.totals() < block.n_words)[pairs].all(axis=1)
        is_stale = first.may_score & (has_changed | ((together != was_together) & is_weighed))
        if stage == LAST:
            break
        (scores[is_stale],) = blocks.map(f"{of} {stage}".strip(), passes.again, pairs[is_stale])
        were_joined, joined = joined, _stories(blocks, pairs, scores, rule.LEARNED_SCORE)
        if np.array_equal(joined, were_joined):
            # Another round would learn the same.
            is_stale = np.zeros(len(pairs), np.bool_)
            break
    return Learned(boilerplate, stories, is_stale | (scores >= SCORE_FLOOR))


def _stories(blocks: Blocks, pairs: AnyInts, scores: AnyFloats, threshold: float) -> Ints:
    """Return the story of each document, by the scores of pairs."""
    return average_linkage(
        blocks.numbers.size,
        pairs,
        scores,
        threshold=threshold,
        mean_share=1.0,
    )


def _watch(blocks: Blocks, pairs: AnyInts, watched: Boilerplate) -> None:
    """Take up the shingles that pairs share whose documents are two stories since this round.

    What was watched stays watched, though its documents are one story by now: a shingle of one
    story counts nothing.
    """
    rule = partial(passes.shared, beside=watched)
    for shared in blocks.each(rule, pairs, "counts"):
        watched.watch(shared.hashes, shared.public())


def part_forms(
    blocks: Blocks, stories: Ints, pairs: AnyInts, strict: AnyFloats, known: Sealed = NOTHING
) -> tuple[Ints, Hashes]:
    """Take apart the clusters that are forms; also return the shingles they have in common.

    Parameters
    ----------
    blocks : Blocks
    stories : int64 [shape=(n_docs,)]
    pairs : int [shape=(n_pairs, 2)]
    strict : float [shape=(n_pairs,)]
        Their scores in the first pass.
    known : Sealed
        Boilerplate, which fills no slot.
    """
    if np.bincount(stories, minlength=1).max() < forms.MIN_DOCUMENTS:
        return stories, np.empty(0, np.uint64)
    # Documents this alike differ in too few words to be two reports of a form.
    alike = components(stories.size, pairs[strict > 1 - forms.OWN_OF_FRAME])
    samples = forms.draw_samples(blocks.block(), stories, alike == np.arange(alike.size))
    found = [forms.Forms.none(), *blocks.over(forms.find, samples.in_parts())]
    documents, texts = (np.concatenate(column) for column in zip(*found, strict=True))
    if not documents.size:
        return stories, texts
    in_form = np.isin(stories, stories[documents])
    common = distinct(texts)
    inside = pairs[in_form[pairs[:, 0]] & (stories[pairs[:, 0]] == stories[pairs[:, 1]])]
    aside = distinct(np.concatenate([common, known.hashes]))
    shares = blocks.each(partial(forms.fillings_shared, texts=aside), inside)
    apart = forms.take_apart(stories, in_form, inside, np.concatenate([np.empty(0), *shares]))
    return apart, common

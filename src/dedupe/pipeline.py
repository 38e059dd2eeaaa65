"""Turns a stream of documents into a result: the whole search on one screen.

Shingling turns text into hashed n-grams, the MinHash/LSH index finds candidate pairs, the
scorer confirms them in passes, and clusters come out. Each step is a rule in a module
of its own; an *engine* applies the rules, on one machine or elsewhere. Documents are
numbered in the order of their ids, so that the order of the input changes nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from dedupe.arrays import AnyInts, Bools
from dedupe.assembly import (
    NO_ROWS,
    as_asked,
    asked_for,
    gather,
    n_old_in,
    numbered,
    rows_of,
    with_others,
)
from dedupe.crowds import follow
from dedupe.documents import Document
from dedupe.engine.corpus import Corpus
from dedupe.engine.port import Blocks, Engine
from dedupe.errors import InvalidSetting, Skipped
from dedupe.ids import Id
from dedupe.learning import forget, learn, weigh_known
from dedupe.results.result import Result
from dedupe.scoring import passes
from dedupe.scoring.boilerplate import NOTHING, Learned
from dedupe.scoring.passes import First, Rows
from dedupe.settings import Settings
from dedupe.shingling import Sealed

__all__ = ["Taught", "find", "teach"]

OLD = "old"
"""Names the stages of what is learned from old documents alone."""


def find(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    engine: Engine,
    explain: Id | None = None,
    known: Sealed = NOTHING,
    *,
    reuse: bool = False,
) -> Result:
    """Find the documents of a stream that are the same story.

    Parameters
    ----------
    stream : iterable of Document or Skipped
    settings : Settings
    engine : Engine
    explain : str, int, ..., optional
        Id of a document; the result then holds all its candidates, whatever they score.
    known : Sealed
        The shingles of what is known to be boilerplate; `settings` has the digest of its texts.
    reuse : bool
        Whether the result also holds pairs that score less, but share a passage; see
        `dedupe.scoring.passes.reused`.
    """
    # Shingles become signatures, and signatures candidates.
    corpus = engine.read(stream, settings)
    _check_times(corpus, settings)
    explain = None if explain is None else corpus.named(explain)
    candidates = engine.candidates(corpus, settings)
    corpus = corpus.without_signatures()
    # A first pass admits what is beyond doubt, and so tells what is boilerplate; a second gives
    # that little weight.
    blocks, pairs, first, _ = _compared(corpus, candidates, settings, engine, known)
    rows, learned = _scored(corpus, blocks, pairs, first, known)
    others = NO_ROWS
    if explain in corpus.ids:
        others = _explained(corpus, blocks, candidates, explain)
    if reuse:
        others = with_others(others, _reused(corpus, blocks, pairs[first.may_score]))
    engine.progress("clustering", 0, None, "clusters")
    result = gather(corpus, blocks, rows, settings, learned.boilerplate, others=others)
    engine.progress("clustering", len(result.clusters), len(result.clusters), "clusters")
    return result


class Taught(NamedTuple):
    """What a collection tells of itself, and the documents that are compared in it.

    Attributes
    ----------
    corpus : Corpus
    blocks : Blocks
    learned : Learned
    certain : int [shape=(n_pairs, 2)]
        Pairs, by place in the blocks, that are compared whether or not a bucket holds both: those
        of crowds, and those that clustering asks for. Some come twice.
    """

    corpus: Corpus
    blocks: Blocks
    learned: Learned
    certain: AnyInts


def teach(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    engine: Engine,
) -> Taught:
    """Learn what `find` learns from the documents of a stream none of which is old.

    Which pairs it compares besides its candidates only its clusters tell, so they are made, too.
    """
    corpus = engine.read(stream, settings)
    candidates = engine.candidates(corpus, settings)
    corpus = corpus.without_signatures()
    blocks, pairs, first, is_in_crowd = _compared(corpus, candidates, settings, engine, NOTHING)
    rows, learned = _scored(corpus, blocks, pairs, first, NOTHING)
    of_crowds = pairs[is_in_crowd[pairs].any(axis=1)]
    asked = asked_for(corpus, blocks, rows, settings)
    return Taught(corpus, blocks, learned, np.concatenate([of_crowds, asked]))


class _Compared(NamedTuple):
    """Documents, the pairs of them that are compared, and what the first pass says of these."""

    blocks: Blocks
    pairs: AnyInts
    first: First
    is_in_crowd: Bools


def _compared(
    corpus: Corpus, candidates: AnyInts, settings: Settings, engine: Engine, known: Sealed
) -> _Compared:
    """Hash the documents of some candidates, and admit what is beyond doubt.

    From that is learned what is boilerplate.
    """
    blocks = engine.hash(corpus, candidates, settings.ngram)
    pairs = blocks.places(candidates)
    if corpus.are_all_comparable:
        pairs, is_in_crowd = follow(blocks, pairs)
    else:
        is_in_crowd = np.zeros(blocks.numbers.size, np.bool_)
    pairs = blocks.in_order(pairs)
    weigh_known(blocks, known)
    first = First(*blocks.map("boilerplate", passes.first, pairs))
    return _Compared(blocks, pairs, first, is_in_crowd)


def _scored(
    corpus: Corpus, blocks: Blocks, pairs: AnyInts, first: First, known: Sealed
) -> tuple[Rows, Learned]:
    """Score pairs by what all of them teach; return their rows, and what was learned."""
    n_old = n_old_in(corpus, blocks.numbers[pairs])
    beside_old, learned = _beside_old(blocks, pairs, first, n_old, known)
    if learned is None:
        learned = blocks.once(lambda: learn(blocks, pairs, first, known), len(pairs))
    (rows,) = blocks.map("scoring", passes.second, pairs[learned.may_score & (n_old == 0)])
    return numbered(blocks, np.concatenate([beside_old, rows])), learned


def _beside_old(
    blocks: Blocks, pairs: AnyInts, first: First, n_old: AnyInts, known: Sealed
) -> tuple[Rows, Learned | None]:
    """Score each new document with the old ones, by what the old ones alone teach.

    So the answer for a document is the same whatever else is asked about with it. What was
    learned is returned where nothing more is to be: no two documents are left to be scored
    by what all of them teach, and evidence then weighs words as the scores did.
    """
    is_taught = n_old == 2
    taught, mixed = pairs[is_taught], pairs[(n_old == 1) & first.may_score]
    if not mixed.size:
        return NO_ROWS, None
    of_taught = First(*(column[is_taught] for column in first))
    learned = blocks.once(lambda: learn(blocks, taught, of_taught, known, OLD), len(taught), OLD)
    (rows,) = blocks.map(f"{OLD} scoring", passes.second, mixed)
    if not (n_old == 0).any():
        return rows, learned._replace(may_score=np.zeros(len(pairs), np.bool_))
    # The first pass, from which all documents teach next, knew nothing of it.
    forget(blocks, known)
    return rows, None


def _explained(corpus: Corpus, blocks: Blocks, candidates: AnyInts, document: Id) -> Rows:
    """Return the rows of all candidates of a document, or of the first with its tokens."""
    number = corpus.first_copy[corpus.ids.index(document)]
    pairs = candidates[(candidates == number).any(axis=1)]
    return as_asked(rows_of(blocks, pairs))


def _reused(corpus: Corpus, blocks: Blocks, pairs: AnyInts) -> Rows:
    """Return the rows of those pairs, given by place, that share a passage."""
    is_asked = n_old_in(corpus, blocks.numbers[pairs]) < 2
    found = blocks.each(passes.reused, pairs[is_asked])
    return as_asked(numbered(blocks, np.concatenate([NO_ROWS, *found])))


def _check_times(corpus: Corpus, settings: Settings) -> None:
    """Refuse a window, or to keep the newest, where no document has a time to go by.

    Records of one file have its time, where they have none of their own, and none is newer.
    """
    new = corpus.rows[~corpus.is_old[corpus.rows]]
    if settings.keep in ("newest", "oldest") and new.size:
        times = corpus.times[new]
        got = None
        if np.isnan(times).all():
            got = f"none among {new.size:,}"
        elif new.size > 1 and not corpus.is_dated[new].any() and (times == times[0]).all():
            got = f"that of their files, the same for all {new.size:,}"
        if got is not None:
            raise InvalidSetting(
                f"keep={settings.keep!r} must have a document with a time to go by, got {got}: "
                "name the field of the time with time_field= (--time-field)"
            )
    if settings.window is not None and corpus.n_undated == len(corpus) > 0:
        raise InvalidSetting(
            f"window must have a document with a time to go by, got none among {len(corpus):,}: "
            "name the field of the time with time_field= (--time-field), or let files have that of "
            "their last change with time_from='mtime' (--time-from mtime)"
        )

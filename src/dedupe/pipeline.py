"""Turns a stream of documents into a result: the whole search on one screen.

Shingling turns text into hashed n-grams, the MinHash/LSH index finds candidate pairs, the
scorer confirms them in passes, and clusters come out. Each step is a rule in a module
of its own; an *engine* applies the rules, on one machine or elsewhere. Documents are
numbered in the order of their ids, so that the order of the input changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from dedupe.arrays import AnyInts, Floats, Ints, distinct, keys_of, pairs_of
from dedupe.crowds import follow
from dedupe.documents import Document
from dedupe.engine.corpus import Corpus
from dedupe.engine.port import Blocks, Engine
from dedupe.errors import InvalidSetting, Skipped
from dedupe.ids import Id, Ids
from dedupe.learning import forget, learn, weigh_known
from dedupe.results import clusters as clustered
from dedupe.results.evidence import EvidenceOfTexts
from dedupe.results.pairs import scored_pairs
from dedupe.results.records import Cluster, DocumentInfo
from dedupe.results.result import Result
from dedupe.scoring import passes
from dedupe.scoring.boilerplate import NOTHING, Boilerplate, Learned
from dedupe.scoring.passes import First, Rows
from dedupe.scoring.stories import Copies, StoryWords, words_of_stories
from dedupe.settings import SCORE_FLOOR, Settings
from dedupe.shingling import Sealed

__all__ = ["Taught", "find", "gather", "teach"]

NO_ROWS = np.empty(0, passes.ROW)


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
    if explain is not None:
        explain = corpus.named(explain)
    candidates = engine.candidates(corpus, settings)
    corpus, blocks, pairs, first = _compared(corpus, candidates, settings, engine, known)
    n_old = _n_old(corpus, blocks.numbers[pairs])
    beside_old, learned = _beside_old(blocks, pairs, first, n_old, known)
    if learned is None:
        learned = blocks.once(lambda: learn(blocks, pairs, first, known), len(pairs))
    # The last gives boilerplate little weight.
    (rows,) = blocks.map("scoring", passes.second, pairs[learned.may_score & (n_old == 0)])
    rows = _numbered(blocks, np.concatenate([beside_old, rows]))
    others = NO_ROWS
    if explain in corpus.ids:
        number = corpus.first_copy[corpus.ids.index(explain)]
        others = _asked(_rows_of(blocks, _pairs_of(candidates, number)))
    if reuse:
        reused = _reused(blocks, pairs[first.may_score & (n_old < 2)])
        others = _with_others(others, _asked(reused))
    engine.progress("clustering", 0, None, "clusters")
    result = gather(corpus, blocks, rows, settings, learned.boilerplate, others=others)
    engine.progress("clustering", len(result.clusters), len(result.clusters), "clusters")
    return result


def gather(
    corpus: Corpus,
    blocks: Blocks,
    rows: Rows,
    settings: Settings,
    boilerplate: Boilerplate,
    *,
    others: Rows = NO_ROWS,
) -> Result:
    """Return the result that scored pairs come to; `others` are told of, and join nothing."""
    rows = np.concatenate([_copies(corpus), rows])
    rows = rows[_n_old(corpus, passes.pairs_in(rows)) < 2]
    rows, clusters, infos = _cluster(corpus, blocks, rows, settings)
    rows = _with_others(rows, others)
    shared = _most_shared(rows, len(corpus))
    paired = distinct(passes.pairs_in(rows).astype(np.int64))
    alone = paired[~np.isin(paired, [*infos])]
    words = _words_of_stories(corpus, blocks, alone, labels=alone)
    infos |= _infos(corpus, alone, words._replace(story=shared[alone]))
    return _assemble(
        corpus, rows, clusters, infos=infos, boilerplate=boilerplate, settings=settings
    )


class Taught(NamedTuple):
    """What a collection tells of itself, and the documents that are compared in it."""

    corpus: Corpus
    blocks: Blocks
    learned: Learned


def teach(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    engine: Engine,
    known: Sealed = NOTHING,
) -> Taught:
    """Learn what `find` learns from the documents of a stream none of which is old."""
    corpus = engine.read(stream, settings)
    candidates = engine.candidates(corpus, settings)
    corpus, blocks, pairs, first = _compared(corpus, candidates, settings, engine, known)
    return Taught(
        corpus, blocks, blocks.once(lambda: learn(blocks, pairs, first, known), len(pairs))
    )


def _compared(
    corpus: Corpus, candidates: AnyInts, settings: Settings, engine: Engine, known: Sealed
) -> tuple[Corpus, Blocks, AnyInts, First]:
    """Hash the documents of some candidates, and admit what is beyond doubt.

    From that is learned what is boilerplate.
    """
    corpus = corpus.without_signatures()
    blocks = engine.hash(corpus, candidates, settings.ngram)
    pairs = blocks.places(candidates)
    # Who is old, or comes at another time, may not decide who is held against whom.
    if corpus.spans is None and not corpus.is_old.any():
        pairs = follow(blocks, pairs)
    pairs = blocks.in_order(pairs)
    weigh_known(blocks, known)
    return corpus, blocks, pairs, First(*blocks.map("boilerplate", passes.first, pairs))


def _check_times(corpus: Corpus, settings: Settings) -> None:
    """Refuse a window, or to keep the newest, where no document has a time to go by."""
    new = corpus.rows[~corpus.is_old[corpus.rows]]
    if settings.keep in ("newest", "oldest") and new.size and np.isnan(corpus.times[new]).all():
        raise InvalidSetting(
            f"keep={settings.keep!r} must have a document with a time to go by, got none among "
            f"{new.size:,}: name the field of the time with time_field= (--time-field)"
        )
    if settings.window is not None and corpus.n_undated == len(corpus) > 0:
        raise InvalidSetting(
            f"window must have a document with a time to go by, got none among {len(corpus):,}: "
            "name the field of the time with time_field= (--time-field), or let files have that of "
            "their last change with time_from='mtime' (--time-from mtime)"
        )


def _copies(corpus: Corpus) -> Rows:
    """Return each identical copy with the first document that has its tokens."""
    copies = np.flatnonzero(corpus.first_copy != np.arange(len(corpus)))
    pairs = np.stack([corpus.first_copy[copies], copies], axis=1)
    return passes.identical(pairs, corpus.n_words[pairs[:, 0]])


def _numbered(blocks: Blocks, rows: Rows) -> Rows:
    """Return rows with the numbers of documents in the corpus, in place of their places."""
    for side in ("left", "right"):
        rows[side] = blocks.numbers[rows[side]]
    return rows


def _n_old(corpus: Corpus, pairs: AnyInts) -> AnyInts:
    """Return how many documents of each pair are old."""
    n_old: AnyInts = corpus.is_old[corpus.rows][pairs].sum(axis=1)
    return n_old


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
        return np.empty(0, passes.ROW), None
    of_taught = First(*(column[is_taught] for column in first))
    learned = blocks.once(lambda: learn(blocks, taught, of_taught, known, OLD), len(taught), OLD)
    (rows,) = blocks.map(f"{OLD} scoring", passes.second, mixed)
    if not (n_old == 0).any():
        return rows, learned._replace(may_score=np.zeros(len(pairs), np.bool_))
    # The first pass, from which all documents teach next, knew nothing of it.
    forget(blocks, known)
    return rows, None


WHATEVER_THEY_SCORE = partial(passes.second, floor=0.0)
"""Makes a row of every pair."""

OLD = "old"
"""Names the stages of what is learned from old documents alone."""


def _rows_of(blocks: Blocks, pairs: AnyInts) -> Rows:
    """Return the rows of some pairs, given by number, in their order and whatever they score."""
    found = blocks.each(WHATEVER_THEY_SCORE, blocks.places(pairs))
    return _numbered(
        blocks, np.concatenate([np.empty(0, passes.ROW), *(rows for (rows,) in found)])
    )


def _reused(blocks: Blocks, pairs: AnyInts) -> Rows:
    """Return the rows of those pairs, given by place, that share a passage."""
    found = blocks.each(passes.reused, pairs)
    return _numbered(blocks, np.concatenate([np.empty(0, passes.ROW), *found]))


def _pairs_of(candidates: AnyInts, number: int) -> AnyInts:
    """Return the candidates of one document, by number."""
    found: AnyInts = candidates[(candidates == number).any(axis=1)]
    return found


def _cluster(
    corpus: Corpus, blocks: Blocks, rows: Rows, settings: Settings
) -> tuple[Rows, tuple[Cluster, ...], dict[int, DocumentInfo]]:
    """Join what was scored; return the rows with those that it took, the clusters, and members."""
    numbers, places = np.unique(passes.pairs_in(rows).astype(np.int64), return_inverse=True)
    told, needed = [np.empty(0, passes.ROW)], [pairs_of([])]

    def ask(pairs: Ints) -> Floats:
        told.extend(blocks.few(WHATEVER_THEY_SCORE, blocks.places(numbers[pairs])))
        scores = told[-1]["score"]
        return np.where(scores >= SCORE_FLOOR, scores, 0.0)

    labels = clustered.cluster_labels(
        numbers.size,
        places.reshape(-1, 2),
        rows["score"],
        passes.is_identical(rows),
        corpus.is_old[corpus.rows[numbers]],
        threshold=settings.threshold,
        ask=ask,
        note=needed.append,
    )
    joined = np.flatnonzero(np.bincount(labels, minlength=numbers.size)[labels] > 1)
    words = _words_of_stories(corpus, blocks, numbers[joined], labels[joined])
    infos = _infos(corpus, numbers[joined], words)
    place_of = np.full(numbers.size, -1)
    place_of[joined] = np.arange(joined.size)
    sides = place_of[places.reshape(-1, 2)]
    is_inside = (sides >= 0).all(axis=1)
    clusters = clustered.make_clusters(
        [*infos.values()],
        labels[joined],
        settings,
        pairs=sides[is_inside],
        scores=rows["score"][is_inside],
        texts=corpus.texts(numbers[joined]),
    )
    number_of = {info.id: number for number, info in infos.items()}
    kept = [
        (number_of[member], number_of[cluster.representative])
        for cluster in clusters
        for member in cluster.members
        if member != cluster.representative
    ]
    asked = _numbered(blocks, np.concatenate(told))
    is_needed = np.isin(keys_of(passes.pairs_in(asked)), keys_of(numbers[np.concatenate(needed)]))
    rows = np.concatenate([rows, _asked(asked[is_needed])])
    return _with_evidence(corpus, blocks, rows, pairs_of(kept), settings.threshold), clusters, infos


def _asked(rows: Rows) -> Rows:
    """Return rows of pairs that were asked for when clusters were there, and so join nothing."""
    rows["is_candidate"] = False
    return rows


def _words_of_stories(corpus: Corpus, blocks: Blocks, numbers: Ints, labels: Ints) -> StoryWords:
    """Count the words of the story, and those of boilerplate, in each document of some clusters.

    What was compared with nothing has only identical copies, and is the story.
    """
    story: Ints = corpus.n_words[numbers].astype(np.int64)
    boilerplate = np.zeros_like(story)
    places = blocks.places(corpus.first_copy[numbers])
    order = np.lexsort((places, labels))
    order = order[places[order] >= 0]
    places, labels = places[order], labels[order]
    # Identical copies follow each other.
    is_first = (np.diff(places, prepend=-1) != 0) | (np.diff(labels, prepend=-1) != 0)
    firsts = np.flatnonzero(is_first)
    n_copies = np.diff(np.append(firsts, order.size))
    copies = Copies.of(places[firsts], n_copies, clusters=labels[firsts])
    n_words = corpus.n_words[numbers[order[firsts]]]
    found = [*blocks.over(words_of_stories, copies.in_batches(n_words))]
    if found:
        text_of = np.cumsum(is_first) - 1
        for column, told in zip((story, boilerplate), zip(*found, strict=True), strict=True):
            column[order] = np.concatenate(told)[text_of]
    return StoryWords(story, boilerplate)


def _infos(corpus: Corpus, numbers: AnyInts, words: StoryWords) -> dict[int, DocumentInfo]:
    """Return what a result says of documents, by number, with what each has of its story."""
    return {
        number: corpus.info(number, story, boilerplate)
        for number, story, boilerplate in zip(
            numbers.tolist(), words.story.tolist(), words.boilerplate.tolist(), strict=True
        )
    }


def _with_evidence(
    corpus: Corpus, blocks: Blocks, rows: Rows, pairs: Ints, threshold: float
) -> Rows:
    """Return rows with those of some more pairs, which can tell their evidence.

    Copies score what their originals do: the line breaks of a copy may differ,
    and with them what counts as prose.

    Parameters
    ----------
    corpus, blocks, rows
    pairs : int64 [shape=(n_pairs, 2)]
        Documents by number.
    threshold : float
    """
    pairs = np.sort(pairs, axis=1)
    originals = corpus.first_copy[pairs]
    is_copy = originals[:, 0] == originals[:, 1]
    known = scored_pairs(rows, corpus.ids, threshold)
    asked = _asked(_rows_of(blocks, originals[~is_copy & (known.places(originals) < 0)]))
    told = np.empty(len(pairs), passes.ROW)
    told[is_copy] = passes.identical(pairs[is_copy], corpus.n_words[pairs[is_copy, 0]])
    everything = np.concatenate([rows, asked])
    known = scored_pairs(everything, corpus.ids, threshold)
    told[~is_copy] = everything[known.places(originals[~is_copy])]
    is_mirrored = ~is_copy & (originals[:, 0] > originals[:, 1])
    for name in ("containment", "share"):
        left, right = (told[f"{name}_{side}"].copy() for side in ("left", "right"))
        told[f"{name}_left"] = np.where(is_mirrored, right, left)
        told[f"{name}_right"] = np.where(is_mirrored, left, right)
    told["left"], told["right"] = pairs.T
    told["has_evidence"] = True
    is_other = ~np.isin(keys_of(passes.pairs_in(rows)), keys_of(pairs))
    return np.concatenate([rows[is_other], told])


def _most_shared(rows: Rows, n_docs: int) -> Ints:
    """Return the most words that each document shares with another one."""
    most = np.zeros(n_docs, np.int64)
    for side in ("left", "right"):
        np.maximum.at(most, rows[side], rows["shared_words"])
    return most


def _with_others(rows: Rows, others: Rows) -> Rows:
    """Return rows, and those of the others that are not among them."""
    is_new = ~np.isin(keys_of(passes.pairs_in(others)), keys_of(passes.pairs_in(rows)))
    return np.concatenate([rows, others[is_new]])


def _assemble(
    corpus: Corpus,
    rows: Rows,
    clusters: Sequence[Cluster],
    *,
    infos: Mapping[int, DocumentInfo],
    boilerplate: Boilerplate,
    settings: Settings,
) -> Result:
    """Put everything that was found together, best pairs first."""
    rows = rows[np.lexsort((rows["right"], rows["left"], -rows["score"]))]
    numbers, places = np.unique(passes.pairs_in(rows), return_inverse=True)
    rows["left"], rows["right"] = places.reshape(-1, 2).T
    numbers = numbers.astype(np.int64)
    documents = tuple(map(infos.__getitem__, numbers.tolist()))
    texts, known = corpus.texts(numbers), boilerplate.to_bytes()
    evidence = EvidenceOfTexts(texts.at, settings.ngram, known)
    ids = [document.id for document in documents]
    scored = scored_pairs(rows, ids, settings.threshold, evidence)
    return Result(
        clusters=tuple(clusters),
        duplicates=clustered.make_duplicates(clusters, scored, settings.threshold),
        scored=scored,
        skipped=corpus.skipped,
        n_documents=len(corpus),
        n_words=int(corpus.n_words.sum()),
        settings=settings,
        documents=documents,
        boilerplate=known,
        n_old=int(corpus.is_old[corpus.rows].sum()),
        texts=texts,
        n_undated=0 if settings.window is None else corpus.n_undated,
        others=_others(corpus, numbers),
    )


def _others(corpus: Corpus, numbers: AnyInts) -> Ids:
    """Return the ids of documents that are in no scored pair, and not old."""
    is_other = np.ones(len(corpus), np.bool_)
    is_other[numbers] = False
    is_other &= ~corpus.is_old[corpus.rows]
    return tuple(corpus.ids[number] for number in np.flatnonzero(is_other).tolist())

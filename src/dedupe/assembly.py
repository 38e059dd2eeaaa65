"""Puts together what a search has found: scored pairs become clusters, and these a result.

What a result also tells is looked up here: the scores of pairs that only clustering asks for,
how much of each document is its story, and the evidence of each copy with the one that is kept.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from dedupe.arrays import AnyInts, Floats, Ints, distinct, keys_of, pairs_of
from dedupe.engine.corpus import Corpus
from dedupe.engine.port import Blocks
from dedupe.ids import Ids
from dedupe.results import clusters as clustered
from dedupe.results.evidence import EvidenceOfTexts
from dedupe.results.pairs import scored_pairs
from dedupe.results.records import Cluster, DocumentInfo
from dedupe.results.result import Result
from dedupe.scoring import passes
from dedupe.scoring.boilerplate import Boilerplate, Words
from dedupe.scoring.passes import Rows
from dedupe.scoring.relations import are_near
from dedupe.scoring.stories import Copies, StoryWords, words_of_stories
from dedupe.settings import SCORE_FLOOR, Settings

__all__ = [
    "NO_ROWS",
    "as_asked",
    "asked_for",
    "gather",
    "n_old_in",
    "numbered",
    "rows_of",
    "with_others",
]

NO_ROWS = np.empty(0, passes.ROW)

WHATEVER_THEY_SCORE = partial(passes.second, floor=0.0)
"""Makes a row of every pair."""

DIGESTED_AT_ONCE = 1 << 9
"""Texts whose digests a thread makes at once, a megabyte or two."""


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
    rows = rows[n_old_in(corpus, passes.pairs_in(rows)) < 2]
    rows, clusters, infos = _cluster(corpus, blocks, rows, settings)
    rows = with_others(rows, others)
    shared = _most_shared(rows, len(corpus))
    paired = distinct(passes.pairs_in(rows).astype(np.int64))
    alone = paired[~np.isin(paired, [*infos])]
    words = _words_of_stories(corpus, blocks, alone, alone, ngram=settings.ngram)
    infos |= _infos(corpus, blocks, alone, words._replace(story=shared[alone]))
    return _assemble(
        corpus, rows, clusters, infos=infos, boilerplate=boilerplate, settings=settings
    )


def asked_for(corpus: Corpus, blocks: Blocks, rows: Rows, settings: Settings) -> AnyInts:
    """Return the pairs that only clustering asked for, as far as they score; no document is old.

    They are given by place in the blocks, copies by their originals.
    """
    rows, _, _ = _cluster(corpus, blocks, np.concatenate([_copies(corpus), rows]), settings)
    is_asked = ~rows["is_candidate"] & (rows["score"] >= SCORE_FLOOR)
    pairs = corpus.first_copy[passes.pairs_in(rows[is_asked])]
    return blocks.places(pairs[pairs[:, 0] != pairs[:, 1]])


def n_old_in(corpus: Corpus, pairs: AnyInts) -> AnyInts:
    """Return how many documents of each pair are old."""
    n_old: AnyInts = corpus.is_old[corpus.rows][pairs].sum(axis=1)
    return n_old


def numbered(blocks: Blocks, rows: Rows) -> Rows:
    """Return rows with the numbers of documents in the corpus, in place of their places."""
    for side in ("left", "right"):
        rows[side] = blocks.numbers[rows[side]]
    return rows


def rows_of(blocks: Blocks, pairs: AnyInts) -> Rows:
    """Return the rows of some pairs, given by number, in their order and whatever they score."""
    found = blocks.each(WHATEVER_THEY_SCORE, blocks.places(pairs))
    return numbered(blocks, np.concatenate([NO_ROWS, *(rows for (rows,) in found)]))


def as_asked(rows: Rows) -> Rows:
    """Return rows of pairs that were asked for when clusters were there, and so join nothing."""
    rows["is_candidate"] = False
    return rows


def with_others(rows: Rows, others: Rows) -> Rows:
    """Return rows, and those of the others that are not among them."""
    is_new = ~np.isin(keys_of(passes.pairs_in(others)), keys_of(passes.pairs_in(rows)))
    return np.concatenate([rows, others[is_new]])


def _copies(corpus: Corpus) -> Rows:
    """Return each identical copy with the first document that has its tokens."""
    copies = np.flatnonzero(corpus.first_copy != np.arange(len(corpus)))
    pairs = np.stack([corpus.first_copy[copies], copies], axis=1)
    return passes.identical(pairs, corpus.n_words[pairs[:, 0]])


def _cluster(
    corpus: Corpus, blocks: Blocks, rows: Rows, settings: Settings
) -> tuple[Rows, tuple[Cluster, ...], dict[int, DocumentInfo]]:
    """Join what was scored; return the rows with those that it took, the clusters, and members."""
    numbers, places = np.unique(passes.pairs_in(rows).astype(np.int64), return_inverse=True)
    sides = places.reshape(-1, 2)
    labels, asked = _labels(corpus, blocks, rows, numbers, sides, threshold=settings.threshold)
    joined = np.flatnonzero(np.bincount(labels, minlength=numbers.size)[labels] > 1)
    words = _words_of_stories(corpus, blocks, numbers[joined], labels[joined], ngram=settings.ngram)
    infos = _infos(corpus, blocks, numbers[joined], words)
    place_of = np.full(numbers.size, -1)
    place_of[joined] = np.arange(joined.size)
    sides = place_of[sides]
    is_inside = (sides >= 0).all(axis=1)
    clusters = clustered.make_clusters(
        [*infos.values()],
        labels[joined],
        settings,
        pairs=sides[is_inside],
        scores=rows["score"][is_inside],
        texts=corpus.texts(numbers[joined]),
    )
    rows = np.concatenate([rows, asked])
    number_of = {info.id: number for number, info in infos.items()}
    kept = clustered.members_and_kept(clusters, number_of)
    kept = kept[kept[:, 0] != kept[:, 1]]
    return _with_evidence(corpus, blocks, rows, kept, settings.threshold), clusters, infos


def _labels(
    corpus: Corpus, blocks: Blocks, rows: Rows, numbers: Ints, sides: Ints, *, threshold: float
) -> tuple[Ints, Rows]:
    """Return the cluster of each document, and the rows of pairs that were asked for.

    Parameters
    ----------
    corpus, blocks, rows
    numbers : int64 [shape=(n_docs,)], ascending
        The documents of the rows.
    sides : int64 [shape=(n_rows, 2)]
        Of each row, the places of its documents among them.
    threshold : float
    """
    told, needed = [NO_ROWS], [pairs_of([])]

    def ask(pairs: Ints) -> Floats:
        told.extend(blocks.few(WHATEVER_THEY_SCORE, blocks.places(numbers[pairs])))
        scores = told[-1]["score"]
        return np.where(scores >= SCORE_FLOOR, scores, 0.0)

    labels = clustered.cluster_labels(
        numbers.size,
        sides,
        rows["score"],
        passes.is_identical(rows),
        corpus.is_old[corpus.rows[numbers]],
        threshold=threshold,
        is_near=are_near(rows["share_left"], rows["share_right"]),
        ask=ask,
        note=needed.append,
    )
    asked = numbered(blocks, np.concatenate(told))
    is_needed = np.isin(keys_of(passes.pairs_in(asked)), keys_of(numbers[np.concatenate(needed)]))
    return labels, as_asked(asked[is_needed])


def _words_of_stories(
    corpus: Corpus, blocks: Blocks, numbers: Ints, labels: Ints, *, ngram: int
) -> StoryWords:
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
    batches = ((some.documents, some) for some in copies.in_batches(n_words))
    found = [*blocks.among(partial(_words_among, ngram), batches)]
    if found:
        text_of = np.cumsum(is_first) - 1
        for column, told in zip((story, boilerplate), zip(*found, strict=True), strict=True):
            column[order] = np.concatenate(told)[text_of]
    return StoryWords(story, boilerplate)


def _words_among(ngram: int, words: Words, documents: Ints, copies: Copies) -> StoryWords:
    """Count the words of stories where the documents have these places among the words."""
    return words_of_stories(words, ngram, copies._replace(documents=documents))


def _infos(
    corpus: Corpus, blocks: Blocks, numbers: AnyInts, words: StoryWords
) -> dict[int, DocumentInfo]:
    """Return what a result says of documents, by number, with what each has of its story."""
    starts = range(0, numbers.size, DIGESTED_AT_ONCE)
    parts = (slice(start, start + DIGESTED_AT_ONCE) for start in starts)
    digests = chain.from_iterable(blocks.over(lambda _, some: corpus.digests(numbers[some]), parts))
    return dict(zip(numbers.tolist(), corpus.infos(numbers, words, digests), strict=True))


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
    asked = as_asked(rows_of(blocks, originals[~is_copy & (known.places(originals) < 0)]))
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
    rows, numbers = _best_first(rows)
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


def _best_first(rows: Rows) -> tuple[Rows, Ints]:
    """Return rows, best first, with places in place of numbers; and the numbers in those places."""
    rows = rows[np.lexsort((rows["right"], rows["left"], -rows["score"]))]
    numbers, places = np.unique(passes.pairs_in(rows), return_inverse=True)
    rows["left"], rows["right"] = places.reshape(-1, 2).T
    return rows, numbers.astype(np.int64)


def _others(corpus: Corpus, numbers: AnyInts) -> Ids:
    """Return the ids of documents that are in no scored pair, and not old."""
    is_other = np.ones(len(corpus), np.bool_)
    is_other[numbers] = False
    is_other &= ~corpus.is_old[corpus.rows]
    return tuple(corpus.ids[number] for number in np.flatnonzero(is_other).tolist())

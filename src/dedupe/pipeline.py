"""From a stream of documents to a result: the whole pipeline on one screen.

Each step belongs to a module of its own; this one carries what a step returns to
the next. Documents are numbered in the order of their ids, so that the order of the
input changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dedupe.documents import Document
from dedupe.engine.blocks import Hashed
from dedupe.engine.checkpoint import Arrays, Checkpoint
from dedupe.engine.corpus import Corpus, read_corpus
from dedupe.engine.local import Matcher
from dedupe.errors import Skipped
from dedupe.lsh import candidate_pairs
from dedupe.progress import Progress, ProgressCallback
from dedupe.results import clusters as groups
from dedupe.results.finder import EvidenceOfCorpus, KeptTexts
from dedupe.results.pairs import keys_of, pairs_of
from dedupe.results.records import Cluster
from dedupe.results.result import Result
from dedupe.scoring.passes import Facts, is_identical, numbers_of, scored_pairs
from dedupe.settings import Settings

__all__ = ["Run", "find_candidates", "search"]

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Run:
    """How a search goes about its work; see `dedupe.find_duplicates`."""

    workers: int
    memory: int
    explain: str | None
    progress: ProgressCallback
    checkpoint: Checkpoint


def search(stream: Iterable[Document | Skipped], settings: Settings, run: Run) -> Result:
    """Find the documents of a stream that are the same story."""
    corpus = read_corpus(
        stream,
        settings,
        workers=run.workers,
        memory=run.memory,
        checkpoint=run.checkpoint,
        progress=run.progress,
    )
    if run.explain is not None:
        corpus.check_id(run.explain)
    run.progress(Progress("candidates", 0, None, "pairs"))
    (candidates,) = run.checkpoint.once(
        "candidates",
        lambda: (find_candidates(corpus, settings, run.workers),),
        lambda arrays: _are_pairs(arrays, len(corpus)),
    )
    run.progress(Progress("candidates", len(candidates), None, "pairs"))
    # Half a kilobyte a document; a slice of them would keep them all.
    corpus = replace(corpus, signatures=np.empty((0, settings.num_perm), np.uint32))
    compared = np.zeros(len(corpus), np.bool_)
    compared[candidates] = True
    hashed = Hashed(corpus, np.flatnonzero(compared), settings.ngram, run.memory)
    hashed.hash(run.workers, run.progress)
    matcher = Matcher(corpus, hashed, run.workers, run.checkpoint)
    worth_scoring = matcher.find_furniture(candidates, run.progress)
    facts = np.concatenate([matcher.copies(), matcher.score(worth_scoring, run.progress)])
    if corpus.is_old.any():
        facts = _beside_old(facts, corpus.is_old[corpus.rows])
    run.progress(Progress("clustering", 0, None, "clusters"))
    facts, clusters = _cluster(matcher, facts, settings)
    run.progress(Progress("clustering", len(clusters), len(clusters), "clusters"))
    if run.explain in corpus.ids:
        facts = _with_others(
            facts, matcher.candidates_of(corpus.ids.index(run.explain), candidates)
        )
    return _result(matcher, facts, clusters, settings)


def find_candidates(corpus: Corpus, settings: Settings, workers: int) -> npt.NDArray[np.int32]:
    """Return the pairs worth scoring; of identical copies only the first takes part."""
    originals = corpus.originals()
    rows = corpus.rows[originals]
    pairs = candidate_pairs(
        corpus.signatures,
        corpus.n_shingles[rows],
        rows=rows,
        is_old=corpus.is_old[rows] if corpus.is_old.any() else None,
        bucket_cap=settings.bucket_cap,
        workers=workers,
    )
    return originals.astype(np.int32)[pairs]


def _are_pairs(arrays: Arrays, n_docs: int) -> bool:
    """Return whether arrays from a file can be what `find_candidates` gives."""
    if [(array.dtype.name, array.shape[1:]) for array in arrays] != [("int32", (2,))]:
        return False
    (pairs,) = arrays
    return bool((pairs >= 0).all() and (pairs < n_docs).all())


def _beside_old(facts: Facts, is_old: npt.NDArray[np.bool_]) -> Facts:
    """Return the pairs with an old document, and the copies of what is in them."""
    sides = numbers_of(facts)
    n_old = is_old[sides].sum(axis=1)
    matched = sides[n_old == 1]
    is_copy = (n_old == 0) & np.isin(sides, matched).any(axis=1)
    kept: Facts = facts[(n_old == 1) | is_copy]
    return kept


def _cluster(
    matcher: Matcher, facts: Facts, settings: Settings
) -> tuple[Facts, tuple[Cluster, ...]]:
    """Join what was scored; return the facts with those that it took, and the clusters."""
    numbers, places = np.unique(numbers_of(facts).astype(np.int64), return_inverse=True)
    asked = [pairs_of([])]

    def ask(pairs: Whole) -> npt.NDArray[np.float64]:
        # Scores alone: the other facts are found for all pairs together, which is faster.
        asked.append(numbers[pairs])
        return matcher.scores_of(asked[-1])

    is_old = matcher.corpus.is_old[matcher.corpus.rows[numbers]]
    labels = groups.cluster_labels(
        numbers.size,
        places.reshape(-1, 2),
        facts["score"],
        is_identical(facts),
        is_old,
        threshold=settings.threshold,
        ask=ask,
    )
    joined = np.flatnonzero(np.bincount(labels, minlength=numbers.size)[labels] > 1)
    infos = [matcher.corpus.info(number) for number in numbers[joined].tolist()]
    clusters = groups.make_clusters(infos, labels[joined], settings.keep)
    number_of = dict(zip((info.id for info in infos), numbers[joined].tolist(), strict=True))
    kept = [
        (number_of[member], number_of[cluster.representative])
        for cluster in clusters
        for member in cluster.members
        if member != cluster.representative
    ]
    facts = np.concatenate([facts, matcher.facts_of(np.concatenate(asked))])
    return matcher.explain(facts, pairs_of(kept)), clusters


def _with_others(facts: Facts, others: Facts) -> Facts:
    """Return facts, and those of the others that are not among them."""
    is_new = ~np.isin(keys_of(numbers_of(others)), keys_of(numbers_of(facts)))
    return np.concatenate([facts, others[is_new]])


def _result(
    matcher: Matcher, facts: Facts, clusters: tuple[Cluster, ...], settings: Settings
) -> Result:
    """Put everything that was found together, best pairs first."""
    corpus, furniture = matcher.corpus, matcher.furniture.to_bytes()
    facts = facts[np.lexsort((facts["right"], facts["left"], -facts["score"]))]
    numbers, places = np.unique(numbers_of(facts), return_inverse=True)
    facts["left"], facts["right"] = places.reshape(-1, 2).T
    documents = tuple(corpus.info(number) for number in numbers.tolist())
    ids = [document.id for document in documents]
    texts = KeptTexts(corpus, numbers, ids)
    scored = scored_pairs(facts, ids, EvidenceOfCorpus(texts, settings.ngram, furniture))
    return Result(
        clusters=clusters,
        duplicates=groups.make_duplicates(clusters, scored, settings.threshold),
        scored=scored,
        skipped=corpus.skipped,
        n_documents=len(corpus),
        n_words=int(corpus.n_words.sum()),
        settings=settings,
        documents=documents,
        furniture=furniture,
        n_old=int(corpus.is_old[corpus.rows].sum()),
        texts=texts,
    )

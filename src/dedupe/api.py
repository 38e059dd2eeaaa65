"""From paths to a result: the whole pipeline on one screen.

Each step belongs to a module of its own; this one carries what a step returns to
the next. Documents are numbered in the order of their ids, so that the order of the
input changes nothing.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe import results
from dedupe.corpus import Corpus, Progress, ProgressCallback, read_corpus
from dedupe.documents import Document, read_paths, read_texts
from dedupe.errors import InvalidInput, InvalidSetting, Skipped
from dedupe.lsh import candidate_pairs
from dedupe.matching import Matcher, compare_documents
from dedupe.records import Comparison
from dedupe.results import Result
from dedupe.settings import Settings

__all__ = ["Progress", "compare", "compare_texts", "find_duplicate_texts", "find_duplicates"]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Keep = str | Callable[..., Any]


def find_duplicates(
    paths: Paths,
    *,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: Keep = Settings.keep,
    id_field: str = "id",
    text_field: str = "text",
    time_field: str | None = None,
    workers: int | None = None,
    explain: str | None = None,
    progress: ProgressCallback | None = None,
) -> Result:
    """Find the articles that are the same story under different boilerplate.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, folders, glob patterns; see `dedupe.documents.read_paths` for the
        formats.
    threshold, ngram, num_perm, seed, keep
        See `dedupe.Settings`.
    id_field, text_field : str
        Fields of JSON Lines, CSV and Parquet that hold the id and the text.
    time_field : str, optional
        Field with the time of a record, for ``keep="newest"``; the time of the
        file, if there is none.
    workers : int, at least 1, optional
        Threads. One for each processor by default; the result is the same for any.
    explain : str, optional
        Id of a document all of whose candidates are recorded in `Result.scored`,
        whatever they score: what tells why it was not matched.
    progress : callable, optional
        Is given a `Progress` now and then, always from the calling thread.

    Returns
    -------
    Result

    Raises
    ------
    InvalidSetting
        When a setting is out of range.
    NoSuchPath, NothingToRead, DuplicateId
        When the input as a whole cannot be used. A document that cannot be read
        is listed in `Result.skipped` instead.

    Examples
    --------
    >>> result = find_duplicates("seeds")
    >>> [cluster.members for cluster in result.clusters]
    [('seeds/000_4e74bd628e7d00ce.txt', 'seeds/001_d440027a7659fb1c.txt')]
    >>> round(result.pairs[0].jaccard, 2), result.pairs[0].containment
    (0.42, 1.0)
    """
    settings = Settings(threshold, ngram, num_perm, seed, keep=keep)
    stream = read_paths(paths, id_field=id_field, text_field=text_field, time_field=time_field)
    return _find(stream, settings, workers, explain, progress)


def find_duplicate_texts(
    texts: Any,
    *,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: Keep = Settings.keep,
    id_field: str = "id",
    text_field: str = "text",
    time_field: str | None = None,
    workers: int | None = None,
    explain: str | None = None,
    progress: ProgressCallback | None = None,
) -> Result:
    """Find the same story among texts in memory: the twin of `find_duplicates`.

    Parameters
    ----------
    texts
        Pairs of id and text, a mapping from ids to texts, a column of texts (list,
        pandas, polars, pyarrow, Hugging Face) whose ids are then ``"0"``, ``"1"``,
        ..., or records with `id_field` and `text_field`.

    Other parameters, returns and errors are those of `find_duplicates`.

    Examples
    --------
    >>> story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    >>> find_duplicate_texts([story, "home news sport " + story, "something else entirely"])
    <Result: documents=3, clusters=1, duplicates=1, skipped=0>
    """
    settings = Settings(threshold, ngram, num_perm, seed, keep=keep)
    stream = read_texts(texts, id_field=id_field, text_field=text_field, time_field=time_field)
    return _find(stream, settings, workers, explain, progress)


def compare(
    left: str | os.PathLike[str],
    right: str | os.PathLike[str],
    *,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    corpus: Result | None = None,
) -> Comparison:
    """Compare two files: say whether they are the same story, and what only one of them says.

    Parameters
    ----------
    left, right : path
        Files of one document each.
    threshold, ngram
        See `dedupe.Settings`.
    corpus : Result, optional
        Where to learn which text is furniture. Two documents alone tell little: what
        they share counts half where something between it is replaced.

    Raises
    ------
    InvalidSetting, NoSuchPath
        As in `find_duplicates`; also when the corpus has another `ngram`.
    NothingToRead
        When a file holds no document that can be read, or no word.
    InvalidInput
        When a path holds more than one document.

    Examples
    --------
    >>> from pathlib import Path
    >>> body, page = sorted(Path("seeds").iterdir())
    >>> comparison = compare(body, page)
    >>> comparison.same_story, comparison.pair.verdict, comparison.pair.reason
    (True, 'contained', '391 words shared, no passage replaced')
    """
    documents = (_one_document(left), _one_document(right))
    return compare_documents(*documents, Settings(threshold, ngram), corpus)


def compare_texts(
    left: str,
    right: str,
    *,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    corpus: Result | None = None,
) -> Comparison:
    """Compare two texts in memory: the twin of `compare`.

    >>> compare_texts("one two three", "One, two, three!").pair.verdict
    'identical'
    """
    documents = (Document("left", left), Document("right", right))
    return compare_documents(*documents, Settings(threshold, ngram), corpus)


def _find(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    workers: int | None,
    explain: str | None,
    progress: ProgressCallback | None,
) -> Result:
    """Run the pipeline over a stream of documents."""
    workers = _check_workers(workers)
    report = progress or _say_nothing
    corpus = read_corpus(stream, settings, workers, report)
    if explain is not None:
        corpus.check_id(explain)
    report(Progress("candidates", 0, None, "pairs"))
    candidates = find_candidates(corpus, settings)
    matcher = Matcher(corpus, settings.ngram, workers)
    matcher.find_furniture(candidates, report)
    scored = {(p.left, p.right): p for p in (*matcher.copies(), *matcher.score(candidates, report))}
    report(Progress("clustering", 0, None, "pairs"))
    labels = results.cluster_labels(corpus.infos, scored, settings.threshold, matcher.ask(scored))
    clusters = results.make_clusters(corpus.infos, labels, settings.keep)
    matcher.explain(clusters, scored, report)
    if explain is not None:
        scored = matcher.candidates_of(explain, candidates) | scored
    involved = {name for pair in scored for name in pair}
    return Result(
        clusters=clusters,
        duplicates=results.make_duplicates(clusters, scored),
        scored=tuple(sorted(scored.values(), key=lambda p: (-p.score, p.left, p.right))),
        skipped=corpus.skipped,
        n_documents=len(corpus.infos),
        settings=settings,
        documents=tuple(info for info in corpus.infos if info.id in involved),
        furniture=matcher.furniture.to_bytes(),
    )


def find_candidates(corpus: Corpus, settings: Settings) -> npt.NDArray[np.int64]:
    """Return the pairs worth scoring; of identical copies only the first takes part."""
    originals = np.flatnonzero(corpus.first_copy == np.arange(len(corpus.infos)))
    pairs = candidate_pairs(
        corpus.signatures[originals],
        corpus.n_shingles[originals],
        bucket_cap=settings.bucket_cap,
    )
    return originals[pairs]


def _one_document(path: str | os.PathLike[str]) -> Document:
    """Read a file that must hold one document."""
    documents = [item for item in read_paths(path) if isinstance(item, Document)]
    if len(documents) != 1:
        raise InvalidInput(
            f"a path to compare must hold one document, got {len(documents)} in {os.fspath(path)}: "
            "use find_duplicates for more"
        )
    return documents[0]


def _check_workers(workers: int | None) -> int:
    """Return how many threads to use."""
    if workers is None:
        return os.cpu_count() or 1
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InvalidSetting(f"workers must be a whole number of at least 1, got {workers!r}")
    return workers


def _say_nothing(_: Progress) -> None:
    """Take the place of a progress callback."""

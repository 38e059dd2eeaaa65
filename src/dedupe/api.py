"""What one calls: find duplicates among many documents, or compare two.

Settings are checked here; the work is done in `dedupe.pipeline` and `dedupe.comparison`.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dedupe import __version__
from dedupe.comparison import compare_documents
from dedupe.documents import Document, read_paths, read_texts
from dedupe.documents.walk import Paths
from dedupe.engine.checkpoint import Checkpoint
from dedupe.engine.spill import default_memory
from dedupe.errors import InvalidInput, InvalidSetting, NothingToRead, Skipped, UnknownDocument
from dedupe.pipeline import Run, search
from dedupe.progress import Progress, ProgressCallback
from dedupe.results.records import Comparison
from dedupe.results.result import Result
from dedupe.results.saved import settings_as_json
from dedupe.settings import Settings

__all__ = ["Progress", "compare", "compare_texts", "find_duplicate_texts", "find_duplicates"]

Keep = str | Callable[..., Any]


def find_duplicates(
    paths: Paths,
    *,
    against: Paths | None = None,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: Keep = Settings.keep,
    id_field: str = "id",
    text_field: str = "text",
    time_field: str | None = None,
    workers: int | None = None,
    memory: int | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    explain: str | None = None,
    progress: ProgressCallback | None = None,
) -> Result:
    """Find the articles that are the same story under different boilerplate.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, folders, glob patterns; see `dedupe.documents.read_paths` for the
        formats.
    against : path or iterable of paths
        An old collection, which must hold a document. Each other document is compared
        with it alone and goes with the old document that it matches best; nothing old
        is a duplicate, and `keep` does not matter.
    threshold, ngram, num_perm, seed, keep
        See `dedupe.Settings`.
    id_field, text_field : str
        Fields of JSON, CSV and Parquet that hold the id and the text.
    time_field : str, optional
        Field with the time of a record, for ``keep="newest"``; the time of the
        file, if there is none.
    workers : int, at least 1, optional
        Threads. One for each processor that may be used by default; the result is the same for any.
    memory : int, optional
        Bytes, at least 1, that decide when texts, signatures and hashes go to
        temporary files, as each takes a certain share of it. Of these files nothing
        is left when the process ends, however it ends; those of the texts go with the
        result, which finds its evidence in them. A quarter of the machine by default;
        the result is the same for any. Ids and pairs stay in memory: some 200 bytes a
        document, and 20 for each of its candidates.
    checkpoint : path, optional
        A folder, made if need be, that takes up what is finished; a run that was
        interrupted goes on from there when it is started again in the same way, and
        its result is the same. It is removed when the search is done. A document
        takes half a kilobyte of it, a candidate pair 14 bytes, one that scores 75.
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
    InvalidCheckpoint
        When the folder is of another input, settings or version, holds other files,
        or is used by another run.
    CannotStore
        When temporary files or the checkpoint do not fit on their disk.
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
    stream = read_paths(
        paths, id_field=id_field, text_field=text_field, time_field=time_field, against=against
    )
    return _find(
        stream,
        settings,
        workers=workers,
        memory=memory,
        checkpoint=checkpoint,
        explain=explain,
        progress=progress,
    )


def find_duplicate_texts(
    texts: Any,
    *,
    against: Any = None,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: Keep = Settings.keep,
    id_field: str = "id",
    text_field: str = "text",
    time_field: str | None = None,
    workers: int | None = None,
    memory: int | None = None,
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
    against
        An old collection, in any of these forms.

    Notes
    -----
    All else is as in `find_duplicates`: the other parameters, what is returned, errors.

    Examples
    --------
    >>> story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    >>> find_duplicate_texts([story, "home news sport " + story, "something else entirely"])
    <Result: documents=3, clusters=1, duplicates=1, skipped=0>
    """
    settings = Settings(threshold, ngram, num_perm, seed, keep=keep)
    stream = read_texts(
        texts, id_field=id_field, text_field=text_field, time_field=time_field, against=against
    )
    return _find(
        stream, settings, workers=workers, memory=memory, explain=explain, progress=progress
    )


def compare(
    left: str | os.PathLike[str],
    right: str | os.PathLike[str],
    *,
    within: Paths | None = None,
    id_field: str = "id",
    text_field: str = "text",
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    corpus: Result | None = None,
) -> Comparison:
    """Compare two documents: say whether they are the same story, and what only one of them says.

    Parameters
    ----------
    left, right : path
        Files of one document each; or, with `within`, ids of documents.
    within : path or iterable of paths, optional
        Where the documents of these ids are, as in `find_duplicates`.
    id_field, text_field : str
        See `find_duplicates`.
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
    UnknownDocument
        When no document has one of the ids.

    Examples
    --------
    >>> from pathlib import Path
    >>> body, page = sorted(Path("seeds").iterdir())
    >>> comparison = compare(body, page)
    >>> comparison.same_story, comparison.pair.verdict, comparison.pair.reason
    (True, 'contained', '391 words shared, no passage replaced')
    """
    settings = Settings(threshold, ngram)
    if within is None:
        one, other = (_one_document(path, id_field, text_field) for path in (left, right))
    else:
        stream = read_paths(within, id_field=id_field, text_field=text_field)
        one, other = _named(os.fspath(left), os.fspath(right), stream)
    return compare_documents(one, other, settings, corpus)


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
    *,
    workers: int | None,
    memory: int | None,
    explain: str | None,
    progress: ProgressCallback | None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Result:
    """Check how a search is to go about its work, and search."""
    n_workers, n_bytes = _check_workers(workers), _check_memory(memory)
    with _open_checkpoint(checkpoint, settings) as opened:
        run = Run(n_workers, n_bytes, explain, progress or _say_nothing, opened)
        result = search(stream, settings, run)
        opened.clear()
    return result


def _open_checkpoint(folder: str | os.PathLike[str] | None, settings: Settings) -> Checkpoint:
    """Open the checkpoint that was asked for, if one was."""
    if folder is None:
        return Checkpoint()
    return Checkpoint(Path(folder), {"version": __version__, **settings_as_json(settings)})


def _one_document(path: str | os.PathLike[str], id_field: str, text_field: str) -> Document:
    """Read a file that must hold one document."""
    stream = read_paths(path, id_field=id_field, text_field=text_field)
    documents = [item for item in stream if isinstance(item, Document)]
    if len(documents) != 1:
        raise InvalidInput(
            f"a path to compare must hold one document, got {len(documents)} in {os.fspath(path)}: "
            "name two of them by their ids, and the path as within= (--within)"
        )
    return documents[0]


def _named(
    left: str, right: str, stream: Iterable[Document | Skipped]
) -> tuple[Document, Document]:
    """Find two documents by their ids."""
    found: dict[str, Document] = {}
    skipped: dict[str, Skipped] = {}
    for item in stream:
        if item.id in (left, right):
            if isinstance(item, Document):
                found[item.id] = item
            else:
                skipped[item.id] = item
    for name in (left, right):
        if name in found:
            continue
        if why := skipped.get(name):
            raise NothingToRead(
                f"a document to compare must be readable, got {name!r}: {why.reason}; {why.remedy}"
            )
        raise UnknownDocument(
            f"a document to compare must be within what is named, got {name!r}: "
            "ids are as the report shows them"
        )
    return found[left], found[right]


def _check_workers(workers: int | None) -> int:
    """Return how many threads to use."""
    if workers is None:
        # A container or a scheduler may allow fewer processors than there are.
        can_tell = hasattr(os, "sched_getaffinity")
        return len(os.sched_getaffinity(0)) if can_tell else os.cpu_count() or 1
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InvalidSetting(f"workers must be a whole number of at least 1, got {workers!r}")
    return workers


def _check_memory(memory: int | None) -> int:
    """Return how many bytes a run may keep in memory."""
    if memory is None:
        return default_memory()
    if isinstance(memory, bool) or not isinstance(memory, int) or memory < 1:
        raise InvalidSetting(f"memory must be a whole number of bytes, got {memory!r}")
    return memory


def _say_nothing(_: Progress) -> None:
    """Take the place of a progress callback."""

"""Finds duplicates among many documents, or compares two: the functions that callers use.

Settings are checked here; the work is done in `dedupe.pipeline` and `dedupe.comparison`.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from reprlib import repr as short
from typing import TYPE_CHECKING, Any

from dedupe import kernels
from dedupe.ages import as_window
from dedupe.comparison import compare_documents
from dedupe.documents import Document, read_paths, read_texts
from dedupe.documents.boilerplate import boilerplate_in, digest_of_boilerplate, read_boilerplate
from dedupe.documents.document import from_value
from dedupe.documents.paths import Paths, is_path, named, resolve
from dedupe.engine.local import LocalEngine
from dedupe.errors import InvalidInput, NothingToRead, Skipped, UnknownDocument
from dedupe.ids import Id
from dedupe.index.folder import check_no_index, is_index
from dedupe.learning import known_shingles
from dedupe.pipeline import find
from dedupe.progress import Progress, ProgressCallback
from dedupe.report.progress import shown
from dedupe.report.text import summary
from dedupe.results.records import Comparison
from dedupe.results.representatives import is_in
from dedupe.results.result import Result
from dedupe.results.saved import settings_as_json
from dedupe.settings import Resources, Settings, identity
from dedupe.warming import compile_for_search

if TYPE_CHECKING:
    from dedupe.index.index import Index

__all__ = ["Progress", "compare", "compare_texts", "find_duplicate_texts", "find_duplicates"]

Keep = str | Callable[..., Any]

LOG = logging.getLogger("dedupe")

BY_COLUMN = "; to go by a column, give keep= a function"
"""What those may have meant who preferred what is in no id of a frame."""


def find_duplicates(
    paths: Paths,
    *,
    against: Paths | None = None,
    boilerplate: Paths | None = None,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: Keep = Settings.keep,
    prefer: str | Sequence[str] = (),
    window: timedelta | str | None = None,
    id_field: str = "id",
    qualify_ids: bool = False,
    text_field: str = "text",
    html_field: str | None = None,
    time_field: str | None = None,
    time_from: str | None = None,
    delimiter: str | None = None,
    workers: int | None = None,
    memory: int | str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    explain: Id | None = None,
    reuse: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> Result:
    """Find the articles that are the same story under different boilerplate.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, folders, glob patterns; see `dedupe.documents.read_paths` for the
        formats.
    against : path or iterable of paths
        An old collection, of which nothing is a duplicate; or the folder of a `dedupe.Index`,
        for the documents that it holds. Each new document goes with the old one that it
        matches best, whatever else is new. New documents that match nothing old are compared
        with one another as usual. Old ids are marked with `dedupe.Old`, so they may be the
        same as new ones. What cannot be read of it is in `Result.skipped`, with an `Old` id.
        An empty collection is logged as a warning; one of which nothing can be read is an
        error.
    boilerplate : path or iterable of paths
        Texts that are known to be boilerplate: the frame of a site, a licence, a
        subscription notice. Their words count next to nothing, like boilerplate that is
        learned from the collection; so a document that holds nothing else matches only its
        exact copies. Each text must be readable, and have as many words as a shingle. Their
        order does not matter.
    threshold, ngram, num_perm, seed, keep, prefer
        See `dedupe.Settings`.
    window : timedelta or str, optional
        Two documents whose times lie further apart are never matched with each other:
        ``"90m"``, ``"12h"``, ``"3d"``, ``"2w"``. A document without a time is in the window of
        every other; `Result.n_undated` says how many have none.
    id_field, text_field : str
        Fields of JSON, CSV and Parquet that hold the id and the text: ``meta.text`` is a
        field inside another, ``title,body`` are two that are joined.
    qualify_ids : bool
        Put its file before the id of each record, ``file#id``, so that several files may have
        the same ids.
    html_field : str, optional
        Field that holds HTML, from which the article is taken as from a web page. It stands in
        place of `text_field`, or is a part of the text where that names it, too.
    time_field : str, optional
        Field with the time of a record, for `window` and for ``keep="newest"`` and
        ``"oldest"``; these two go by the time of the file where there is no such field.
    time_from : str, optional
        ``"mtime"`` makes `window` go by the last change of a file, too, and not by `time_field`
        alone.
    delimiter : str, optional
        What stands between the cells of CSV. By default it is recognised in the header.
    workers : int, at least 1, optional
        Threads, by default one for each processor that may be used. The result does not
        depend on it.
    memory : int or str, optional
        Bytes, at least 1, or a size such as ``"500M"`` or ``"2G"``, in units of 1024; by
        default a quarter of the machine's memory. It decides when texts, signatures and
        hashes go to temporary files. Nothing is left of these when the process ends, however
        it ends; those of the texts live as long as the result, which finds its evidence in
        them. Ids and pairs stay in memory: some 200 bytes a document, and 20 for each of its
        candidates. The result does not depend on it.
    checkpoint : path, optional
        A folder, made if need be, to save finished work in. A run that was interrupted goes on
        from there when it is started again in the same way, with the same result. The folder
        is removed when the search is done. It takes half a kilobyte for a document, up to 30
        bytes for a candidate pair, and 100 for one that scores.
    explain : str, int, ..., optional
        Id of a document whose candidates are all recorded in `Result.scored`, whatever they
        score, to tell why it was not matched.
    reuse : bool
        Also record in `Result.scored` the pairs that share a passage of a tenth of the smaller
        story, of which most is not boilerplate, whatever they score. They join nothing;
        ``result.related("partial reuse")`` lists them.
    progress : callable or bool, optional
        Called with a `Progress` now and then, always from the calling thread. True shows a bar
        on standard error, or a line for each stage where that is no terminal.

    Returns
    -------
    Result

    Raises
    ------
    InvalidSetting
        When a setting is out of range, or no document has a time that a window or `keep` needs.
    InvalidCheckpoint
        When the folder is of another input, settings or version, holds other files,
        or is used by another run.
    CannotStore
        When temporary files or the checkpoint do not fit on their disk.
    NoSuchPath, NothingToRead, DuplicateId
        When the input as a whole cannot be used, or a text of `boilerplate` cannot. A
        document that cannot be read is listed in `Result.skipped` instead.

    Examples
    --------
    >>> result = find_duplicates("seeds")
    >>> [cluster.members for cluster in result.clusters]
    [('seeds/000_4e74bd628e7d00ce.txt', 'seeds/001_d440027a7659fb1c.txt')]
    >>> round(result.pairs[0].jaccard, 2), result.pairs[0].containment
    (0.42, 1.0)
    """
    settings = Settings(
        threshold, ngram, num_perm, seed, keep=keep, window=as_window(window), prefer=prefer
    )
    known = read_boilerplate(
        boilerplate,
        id_field=id_field,
        text_field=text_field,
        html_field=html_field,
        delimiter=delimiter,
    )
    paths = named(paths)
    check_no_index(paths, "Index(path).find_duplicates() (dedupe index find) searches in one")
    with ExitStack() as held:
        files, indexes = (None, {}) if against is None else _split(against, held)
        stream = read_paths(
            paths,
            id_field=id_field,
            text_field=text_field,
            html_field=html_field,
            time_field=time_field,
            time_from=time_from,
            delimiter=delimiter,
            against=files,
            stored={name: index.documents() for name, index in indexes.items()} or None,
            qualify_ids=qualify_ids,
        )
        callback = held.enter_context(shown(progress))
        resources = Resources.of(workers, memory, callback)
        return _find(
            stream,
            settings,
            resources,
            explain,
            known=known,
            reuse=reuse,
            checkpoint=checkpoint,
        )


def find_duplicate_texts(
    texts: Any,
    *,
    against: Any = None,
    boilerplate: Any = None,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    num_perm: int = Settings.num_perm,
    seed: int = Settings.seed,
    keep: Keep = Settings.keep,
    prefer: str | Sequence[str] = (),
    window: timedelta | str | None = None,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    time_field: str | None = None,
    workers: int | None = None,
    memory: int | str | None = None,
    explain: Id | None = None,
    reuse: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> Result:
    """Find the same story among texts in memory: the twin of `find_duplicates`.

    Parameters
    ----------
    texts
        Pairs of id and text, a mapping from ids to texts, a column of texts (list,
        pandas, polars, pyarrow, Hugging Face), or records with `id_field` and `text_field`.
        Without such ids documents go by the index of pandas, or else by their position, an
        integer from 0. Ids keep their type, see `dedupe.ids`.
    against
        An old collection, in any of these forms. It may be empty, and so may `texts`: on the
        first day of a job nothing is old, on a quiet day nothing is new.
    boilerplate
        Texts that are known to be boilerplate: one, or a list or any other of these forms.

    Notes
    -----
    The other parameters, the result and errors are those of `find_duplicates`.

    Examples
    --------
    >>> story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    >>> find_duplicate_texts([story, "home news sport " + story, "something else entirely"])
    <Result: documents=3, clusters=1, duplicates=1, skipped=0>
    """
    settings = Settings(
        threshold, ngram, num_perm, seed, keep=keep, window=as_window(window), prefer=prefer
    )
    known = boilerplate_in(
        boilerplate, id_field=id_field, text_field=text_field, html_field=html_field
    )
    stream = read_texts(
        texts,
        id_field=id_field,
        text_field=text_field,
        html_field=html_field,
        time_field=time_field,
        against=against,
    )
    with shown(progress) as callback:
        resources = Resources.of(workers, memory, callback)
        return _find(
            stream, settings, resources, explain, known=known, reuse=reuse, remedy=BY_COLUMN
        )


def compare(
    left: str | os.PathLike[str],
    right: str | os.PathLike[str],
    *,
    within: Paths | None = None,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    delimiter: str | None = None,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    corpus: Result | None = None,
    boilerplate: Paths | None = None,
) -> Comparison:
    """Compare two documents: say whether they are the same story, and what only one of them says.

    Parameters
    ----------
    left, right : path
        Files of one document each; or, with `within`, ids of documents.
    within : path or iterable of paths, optional
        Where the documents of these ids are, as in `find_duplicates`; also the folder of an
        `Index`.
    id_field, text_field, html_field, delimiter
        See `find_duplicates`.
    threshold, ngram
        See `dedupe.Settings`.
    corpus : Result, optional
        A result to learn from which text is boilerplate. Two documents alone tell little: what
        they share counts half where something between it is replaced.
    boilerplate : path or iterable of paths, optional
        Texts that are known to be boilerplate, as in `find_duplicates`. A corpus knows those
        that it was searched with anyway.

    Raises
    ------
    InvalidSetting, NoSuchPath
        As in `find_duplicates`; also when the corpus has another `ngram`.
    NothingToRead
        When a file holds no document that can be read, or no word; or as in
        `find_duplicates`.
    InvalidInput
        When a path holds more than one document.
    UnknownDocument
        When no document has one of the ids.

    Examples
    --------
    >>> from pathlib import Path
    >>> body, page = sorted(Path("seeds").iterdir())
    >>> comparison = compare(body, page)
    >>> comparison.same_story, comparison.pair.relation, comparison.pair.reason
    (True, 'contained', 'all 391 words of the smaller story shared')
    """
    settings = Settings(threshold, ngram)
    known = read_boilerplate(
        boilerplate,
        id_field=id_field,
        text_field=text_field,
        html_field=html_field,
        delimiter=delimiter,
    )
    read = partial(
        read_paths,
        id_field=id_field,
        text_field=text_field,
        html_field=html_field,
        delimiter=delimiter,
    )
    if within is None:
        one, other = (_one_document(path, read(path)) for path in (left, right))
    else:
        ids = (os.fspath(left), os.fspath(right))
        with ExitStack() as held:
            files, indexes = _split(within, held)
            stored = (
                index.document(name) for index in indexes.values() for name in ids if name in index
            )
            one, other = _named(*ids, chain(stored, () if files is None else read(files)))
    return compare_documents(one, other, settings, corpus, known_shingles(known, ngram))


def compare_texts(
    left: str,
    right: str,
    *,
    threshold: float = Settings.threshold,
    ngram: int = Settings.ngram,
    corpus: Result | None = None,
    boilerplate: Any = None,
) -> Comparison:
    """Compare two texts in memory: the twin of `compare`.

    >>> compare_texts("one two three", "One, two, three!").pair.relation
    'identical'
    """
    # A word may happen to be the name of a file, two of them hardly.
    if (
        isinstance(left, os.PathLike)
        or isinstance(right, os.PathLike)
        or (is_path(left) and is_path(right))
    ):
        raise InvalidInput(
            f"texts to compare must be texts, got {short(left)} and {short(right)}: "
            "files are for compare"
        )
    documents = (_of_text("left", left), _of_text("right", right))
    settings = Settings(threshold, ngram)
    known = known_shingles(boilerplate_in(boilerplate), ngram)
    return compare_documents(*documents, settings, corpus, known)


def _of_text(name: str, text: str) -> Document:
    """Return a text to compare as a document, or raise `NothingToRead` where it holds none."""
    found = from_value(name, text)
    if isinstance(found, Skipped):
        raise NothingToRead(
            f"a text to compare must hold a word, got none in {name} ({found.reason})"
        )
    return found


def _split(paths: Paths, held: ExitStack) -> tuple[list[str] | None, dict[str, "Index"]]:
    """Tell indexes from files, and open them for as long as they are read."""
    paths = named(paths)
    names = resolve(paths)
    indexes = [name for name in names if is_index(name)]
    if not indexes:
        return paths, {}
    from dedupe.index.index import Index  # noqa: PLC0415  SQLite is of no use to other searches.

    opened = {name: held.enter_context(Index(name, mode="r")) for name in indexes}
    files = [name for name in names if name not in opened]
    return files or None, opened


def _find(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    resources: Resources,
    explain: Id | None,
    *,
    known: Sequence[Document],
    reuse: bool,
    checkpoint: str | os.PathLike[str] | None = None,
    remedy: str = "",
) -> Result:
    """Search on this machine; `remedy` says what to do about a place that matches nothing."""
    settings = replace(settings, boilerplate=digest_of_boilerplate(known))
    shingles = known_shingles(known, settings.ngram)
    made_with = identity(settings) | settings_as_json(settings)
    started = time.monotonic()
    if not kernels.are_compiled():
        compile_for_search(resources.progress)
    with LocalEngine(resources, checkpoint, made_with) as engine:
        result = find(stream, settings, engine, explain, shingles, reuse=reuse)
    _warn_of_places(result, remedy)
    if result.skipped:
        first = result.skipped[0]
        LOG.info("skipped %s: %s; %s", first.id, first.reason, first.remedy)
    LOG.info("%s in %.1f s", summary(result), time.monotonic() - started)
    return result


def _warn_of_places(result: Result, remedy: str) -> None:
    """Warn of each place to prefer that no new document is in."""
    if not result.settings.prefer:
        return
    ids = [*(one.id for one in result.documents if not one.is_old), *result.others]
    for place in result.settings.prefer:
        if ids and not any(is_in(place, id_) for id_ in ids):
            said = "prefer (--prefer) %s matches no document; ids are as %s%s"
            LOG.warning(said, place, ids[0], remedy)


def _one_document(path: str | os.PathLike[str], stream: Iterable[Document | Skipped]) -> Document:
    """Return the document of a file that must hold one."""
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
        if (name := str(item.id)) in (left, right):
            if isinstance(item, Document):
                found[name] = item
            else:
                skipped[name] = item
    for name in (left, right):
        if name in found:
            continue
        if why := skipped.get(name):
            raise NothingToRead(
                f"a document to compare must be readable, got {name!r}: {why.reason}; {why.remedy}"
            )
        raise UnknownDocument(
            f"no document {name!r} in what within= (--within) names: "
            "use ids as the report prints them"
        )
    return found[left], found[right]

"""Acting on what was found: collections written without duplicates, files moved or deleted.

Nothing is decided here: a result says what can be dropped, and what stands in for
it. What could not be read is no duplicate, and stays.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dedupe import disk
from dedupe.cleaning import journal as journals
from dedupe.cleaning.drafts import targets
from dedupe.cleaning.inventory import base_of
from dedupe.cleaning.request import (
    Extras,
    Request,
    absolute,
    action_of,
    check_names,
    without_stdin,
)
from dedupe.cleaning.rewriting import write_cleaned
from dedupe.cleaning.run import act
from dedupe.documents.options import Options
from dedupe.documents.paths import STDIN, Paths, check_stdin
from dedupe.documents.stdin import stdin_kept
from dedupe.errors import CannotClean, DedupeError, Skipped
from dedupe.ids import Ids
from dedupe.results.result import Result

__all__ = ["Cleaning", "clean"]


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What `dedupe.clean` has done.

    Attributes
    ----------
    dropped : tuple of str
        Ids of the duplicates that are gone, or where nothing was to be done, of those that can
        go.
    left : tuple of Skipped
        Duplicates that had to stay, each with its reason. Where a collection was written, also
        the files and folders that are missing there because they could not be read.
    written : tuple of Path
        The files that were written.
    result : Result or None
        What was acted on. None where a run that was cut off has been finished, which acts on
        what the first run had found.
    n_kept : int
        How many documents were written.
    not_copied : tuple of Skipped
        What is never copied: links that are not followed or lead nowhere, pipes, sockets and
        devices.
    """

    dropped: Ids
    left: tuple[Skipped, ...]
    written: tuple[Path, ...]
    result: Result | None
    n_kept: int = 0
    not_copied: tuple[Skipped, ...] = ()


def clean(
    paths: Paths,
    *,
    against: Paths | None = None,
    boilerplate: Paths | None = None,
    output: str | os.PathLike[str] | None = None,
    annotate: bool = False,
    story: bool = False,
    cut_repeated: bool = False,
    replace_text: bool = False,
    move: str | os.PathLike[str] | None = None,
    delete: bool = False,
    hardlink: bool = False,
    journal: str | os.PathLike[str] | None = None,
    confirm: Callable[[int], object] | None = None,
    result: Result | None = None,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    time_field: str | None = None,
    time_from: str | None = None,
    delimiter: str | None = None,
    qualify_ids: bool = False,
    **search: Any,
) -> Cleaning:
    """Drop the duplicates among files and records, and keep everything else as it is.

    One of `output`, `move`, `delete` and `hardlink` says how. Without any of them nothing is
    touched, and the answer says what can go.

    Parameters
    ----------
    paths : path or iterable of paths
        As in `find_duplicates`. Standard input is kept in a temporary file, to be read twice;
        it can be written anew, but not moved or deleted.
    against : path or iterable of paths, optional
        An old collection, as in `find_duplicates`. It is read, and never changed.
    boilerplate : path or iterable of paths, optional
        Texts that are known to be boilerplate, as in `find_duplicates`, but not standard
        input.
    output : path, optional
        Where to write the collection without its duplicates: a file for a single file,
        otherwise a folder, where each file that is read keeps its path. What is there under
        such a name is replaced. Formats stay, and so do the bytes of what is kept: lines of
        JSON, rows of CSV, schema, metadata and row groups of Parquet. Only the compression
        follows the name. A file of JSON Lines (``"all.jsonl"``) takes any mix of inputs, texts
        and pages too: it gets a record for each document that stays, with the other fields of
        what was a record. ``"-"`` is standard output.
    annotate : bool
        Write every record, with five more fields: ``cluster``, ``duplicate_of``, ``score``,
        ``relation`` and ``reason``, as in `Result.annotate`.
    story : bool
        With `output`: give every record two more fields, ``story``, its text without
        boilerplate as `Result.story` has it, and ``cut``, the characters that went, as in
        ``"0-62 310-400"``; both are None for what could not be read.
    cut_repeated : bool
        With `output`: cut the passages that three stories or more have. The first document in
        the order of ids keeps each of them, or an old one. A passage is a line of at least ten
        words, or short lines that follow each other and together have as many. What is left
        is in ``story``, too.
    replace_text : bool
        With `story` or `cut_repeated`: write what is left in place of the text, and ``cut``
        beside it. In files of plain text it is all they hold.
    move : path, optional
        Folder to move duplicates that are files to. Each keeps its path under it, and nothing
        there is replaced.
    delete : bool
        Delete them.
    hardlink : bool
        Replace those that have the same bytes as the kept copy by hard links to it.
    journal : path, optional
        Where to note what is going to be done to files, until it is done; by default in the
        folder of the paths. If a run is cut off, the same call finishes it, without another
        search.
    confirm : callable, optional
        Called with the number of files just before the first of them is touched; it may raise
        to prevent that.
    result : Result, optional
        What to act on, instead of a search.
    id_field, text_field, html_field, time_field, time_from, delimiter, qualify_ids, **search
        As in `find_duplicates`.

    Returns
    -------
    Cleaning

    Raises
    ------
    InvalidSetting
        When the arguments do not go together, or would harm an input.
    InvalidResult
        When the result is not one of these paths.
    CannotClean
        When a file changes meanwhile or cannot be written, when another run is at work, or
        when one of another kind was cut off. Then nothing is written, and no file that was to
        be moved or deleted has been touched.

    Notes
    -----
    Whatever `find_duplicates` raises, this raises, too.

    A file is moved, deleted or replaced only while it and the kept copy are still what was
    read, and never if it is a symbolic link.

    Examples
    --------
    >>> clean("seeds").dropped
    ('seeds/001_d440027a7659fb1c.txt',)
    """
    options = Options(
        id_field,
        text_field,
        html_field=html_field,
        time_field=time_field,
        time_from=time_from,
        delimiter=delimiter,
        qualify_ids=qualify_ids,
    )
    request = Request.of(paths, against, boilerplate, options=options, result=result, search=search)
    check_names(output=output, move=move, journal=journal)
    extras = Extras(annotate, story, cut_repeated, replace_text)
    extras.check(output, html_field)
    action = action_of(output, move, delete, hardlink)
    with _faults_told():
        if action is None:
            return _write(request, output, extras)
        without_stdin("paths", request.paths)
        order = request.order(action, "" if move is None else absolute(os.fspath(move)))
        note = Path(base_of(request.paths), journals.NAME) if journal is None else Path(journal)
        with journals.only_run(request.folders):
            done = act(request, order, note, confirm)
        return Cleaning(done.gone, done.left, (), done.result)


@contextmanager
def _faults_told() -> Iterator[None]:
    """Say of what the disk refuses that nothing can be cleaned."""
    try:
        yield
    except (DedupeError, BrokenPipeError):  # A reader who leaves has seen enough.
        raise
    except OSError as error:
        if said := disk.too_many_open(error):
            raise CannotClean(said) from error
        if disk.lacks_room(error):
            raise CannotClean(f"there must be room on the disk: {error}; free some") from error
        raise CannotClean(f"files must be there to be read and written: {error}") from error


def _write(request: Request, output: str | os.PathLike[str] | None, extras: Extras) -> Cleaning:
    """Write what stays, or everything with more fields; without an output, say what can go."""
    reads_stdin = STDIN in request.paths
    if reads_stdin:
        check_stdin()
    with stdin_kept() if reads_stdin else nullcontext():
        inputs = request.take_stock()
        if output is None:
            found = request.find_unchanged(inputs)
            return Cleaning(tuple(one.id for one in found.duplicates), (), (), found)
        target = os.fspath(output)
        # What cannot be written is said before the search.
        targets(inputs, target, request.also_read())
        found = request.find_unchanged(inputs)
        written = write_cleaned(inputs, found, target, request.options, **asdict(extras))
    return Cleaning(
        written.dropped, written.left, written.paths, found, written.n_kept, written.not_copied
    )

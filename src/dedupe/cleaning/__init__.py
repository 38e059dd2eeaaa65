"""Acting on what was found: collections written without duplicates, files moved or deleted.

Nothing is decided here: a result says what can be dropped, and what stands in for
it. What could not be read is no duplicate, and stays.
"""

import errno
import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from dedupe import disk
from dedupe.cleaning import journal as journals
from dedupe.cleaning.actions import carry_out, check_folder, plan_steps
from dedupe.cleaning.drafts import targets
from dedupe.cleaning.fitting import check_matches
from dedupe.cleaning.inventory import Inputs, base_of, take_stock
from dedupe.cleaning.journal import NAME, Action, Order, Plan
from dedupe.cleaning.rewriting import write_cleaned
from dedupe.documents.boilerplate import digest_of_boilerplate, read_boilerplate
from dedupe.documents.options import OPTIONS, Options
from dedupe.documents.streams import stdin_kept
from dedupe.documents.walk import STDIN, File, Paths, named, resolve, walk
from dedupe.errors import CannotClean, DedupeError, InvalidResult, InvalidSetting, Skipped
from dedupe.ids import Id, Ids, order_of
from dedupe.results.result import Result
from dedupe.results.saved import settings_as_json
from dedupe.settings import Settings

__all__ = ["Cleaning", "clean"]

SETTINGS = frozenset(field.name for field in fields(Settings)) - {"boilerplate"}
"""The settings of a search that decide, as they are given; others say how it goes about its
work, and what is known to be boilerplate is given as paths."""


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What `dedupe.clean` has done.

    Attributes
    ----------
    dropped : tuple of str
        Ids of the duplicates that are gone; where nothing was to be done, of those
        that can go.
    left : tuple of Skipped
        Duplicates that had to stay, each with its reason; of a collection that was
        written, also files and folders that could not be read and are missing there.
    written : tuple of Path
        The files that were written.
    result : Result or None
        What was acted on. None where a run that was cut off has been finished: it
        acts on what that run had found.
    n_kept : int
        Documents that stand in what was written.
    not_copied : tuple of Skipped
        What never stands in what was written: links that are not followed or lead
        nowhere, pipes, sockets and devices.
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

    One of `output`, `move`, `delete` and `hardlink` says how. Without any of them
    nothing is touched, and the answer says what can go.

    Parameters
    ----------
    paths : path or iterable of paths
        As in `find_duplicates`. What is piped in is kept in a temporary file, to be read
        twice; it can be written anew, and not moved or deleted.
    against : path or iterable of paths, optional
        An old collection: what has a copy there is a duplicate, and nothing else is.
        It is read, and never changed.
    boilerplate : path or iterable of paths, optional
        Texts that are known to be boilerplate, as in `find_duplicates`, but not standard
        input.
    output : path, optional
        Where to write the collection without its duplicates: a file for a single
        file, otherwise a folder, where each file that a search comes upon keeps its
        path. What is there under such a name is replaced. Formats stay, and
        so do the bytes of what is kept: lines of JSON, rows of CSV, schema, metadata
        and row groups of Parquet. Only the compression follows the name. A file of JSON
        Lines (``"all.jsonl"``) takes any mix of inputs, texts and pages too: a record for
        each document that stays, with the other fields of what was a record. ``"-"`` is
        standard output.
    annotate : bool
        Write every record, with four more fields: ``cluster``, ``duplicate_of``,
        ``score`` and ``reason``, as in `Result.rows`.
    story : bool
        With `output`: give every record two more fields, ``story``, its text without
        boilerplate as `Result.story` has it, and ``cut``, the characters that went, as in
        ``"0-62 310-400"``; both are None for what could not be read.
    cut_repeated : bool
        With `output`: cut the passages that three stories or more have, of which the first
        document in the order of ids keeps each, an old one before all others. A passage is a
        line of at least ten words, or short ones that follow each other and have as many.
        What is left is ``story``, too.
    replace_text : bool
        With `story` or `cut_repeated`: write what is left in place of the text, and ``cut``
        beside it. Files of plain text get it as their text.
    move : path, optional
        Folder to move duplicates to that are files; each keeps its path under it,
        and nothing there is replaced.
    delete : bool
        Delete them.
    hardlink : bool
        Replace each that has the same bytes as the kept copy by a hard link to it.
    journal : path, optional
        Where to note what is going to be done to files, until it is done. In the
        folder of the paths by default. A run that was cut off is finished by the
        same call, which then does not search.
    confirm : callable, optional
        Is given the number of files just before the first of them is touched, and
        raises to prevent it.
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
        When a file changes meanwhile or cannot be written, when another run is at
        work, or when one of another kind was cut off. Then nothing is written, and of
        files that were to be moved or deleted, none has been touched.

    Notes
    -----
    What `find_duplicates` raises is raised here, too.

    A file is moved, deleted or replaced only while it and the copy that is kept are
    still what was read, and never if it is a symbolic link.

    Examples
    --------
    >>> clean("seeds").dropped
    ('seeds/001_d440027a7659fb1c.txt',)
    """
    paths = named(paths)
    against = None if against is None else _without_stdin("against", against)
    if boilerplate is not None:
        search["boilerplate"] = _without_stdin("boilerplate", boilerplate)
    if result is not None and not isinstance(result, Result):
        raise InvalidSetting(
            f"result must be a Result, got {result!r}: load a saved one with Result.from_json"
        )
    _check_names(output=output, move=move, journal=journal)
    what = _Wanted(annotate, story, cut_repeated, replace_text)
    what.check(output, html_field)
    action = _action(output, move, delete, hardlink)
    if action is not None:
        _without_stdin("paths", paths)
    options = Options(
        id_field,
        text_field,
        html_field=html_field,
        time_field=time_field,
        time_from=time_from,
        delimiter=delimiter,
        qualify_ids=qualify_ids,
    )
    request = _Request(paths, against, options, result, search)
    try:
        if action is not None:
            folder = "" if move is None else _absolute(os.fspath(move))
            note = Path(base_of(paths), NAME) if journal is None else Path(journal)
            bases = [base_of(some) for some in (paths, against) if some is not None]
            with journals.only_run(bases):
                return _act(request, request.order(action, folder), note, confirm)
        with stdin_kept() if STDIN in paths else nullcontext():
            inputs = request.take_stock()
            if output is not None:
                return _write(request, inputs, os.fspath(output), what)
            found = request.find_unchanged(inputs)
            return Cleaning(tuple(one.id for one in found.duplicates), (), (), found)
    except (DedupeError, BrokenPipeError):  # A reader who leaves has seen enough.
        raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise CannotClean(f"there must be room on the disk: {error}; free some") from error
        raise CannotClean(f"files must be there to be read and written: {error}") from error


def _absolute(name: str) -> str:
    """Return the one spelling of a path that a journal has, whatever folder one is in."""
    path = os.path.abspath(name)  # noqa: PTH100
    # Where a link is followed and then "..", that is another place. No file has a zero byte.
    if "\0" not in name and os.path.realpath(name) != os.path.realpath(path):
        raise InvalidSetting(
            f"paths must not lead through a link and back, got {name!r}: "
            f"name {os.path.realpath(name)!r} itself"
        )
    return path


def _without_stdin(what: str, paths: Paths) -> list[str]:
    """Return paths, but refuse standard input, of which nothing but records can be written."""
    names = named(paths)
    if STDIN in names:
        raise InvalidSetting(
            f"{what} must be files or folders here, got '-': save what is piped in to a file"
        )
    return names


def _check_names(**named: str | os.PathLike[str] | None) -> None:
    """Refuse empty names, which a variable of a shell that is not set leaves."""
    for name, value in named.items():
        if value is not None and not os.fspath(value):
            raise InvalidSetting(f"{name} must name a place, got an empty string")


def _action(output: object, move: object, delete: bool, hardlink: bool) -> Action | None:
    """Return what is to be done to files, if anything."""
    asked = {"output": output, "move": move, "delete": delete, "hardlink": hardlink}
    given = [name for name, value in asked.items() if value is not None and value is not False]
    if len(given) > 1:
        raise InvalidSetting(f"only one thing can be done to duplicates, got {', '.join(given)}")
    actions: dict[str, Action] = {"move": "move", "delete": "delete", "hardlink": "hardlink"}
    return actions.get(given[0]) if given else None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is written beside or in place of what stays."""

    annotate: bool
    story: bool
    cut_repeated: bool
    replace_text: bool

    def check(self, output: object, html_field: str | None) -> None:
        """Refuse what does not go together."""
        for name, is_asked in asdict(self).items():
            if is_asked and output is None:
                raise InvalidSetting(f"{name} must come with output, which says where to write")
        if not self.replace_text:
            return
        if not (self.story or self.cut_repeated):
            raise InvalidSetting(
                "replace_text must come with story or cut_repeated, which says what is cut"
            )
        if html_field is not None:
            raise InvalidSetting(
                f"replace_text must be for texts, got html_field={html_field!r}: leave it out, and "
                "the story gets a field of its own"
            )


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be cleaned, and by which result."""

    paths: list[str]
    against: Paths | None
    options: Options
    result: Result | None
    search: dict[str, Any]

    def order(self, action: Action, folder: str) -> Order:
        """Return what is to be done to files, in a form that can be compared."""
        read, old = (
            tuple(sorted(map(_absolute, named(some))))
            for some in (self.paths, () if self.against is None else self.against)
        )
        return Order(action, folder, read, old, self._settings())

    def _settings(self) -> dict[str, Any]:
        """Return what decides, as JSON has it."""
        if self.result is None:
            given = {name: self.search[name] for name in self.search.keys() & SETTINGS}
            settings = Settings(**given, boilerplate=self._boilerplate())
        else:
            settings = self.result.settings
        said = settings_as_json(settings) | asdict(self.options)
        # Values in a journal are plain.
        return said | {"prefer": ", ".join(settings.prefer)}

    def _boilerplate(self) -> str:
        """Return the digest of what is known to be boilerplate."""
        paths = self.search.get("boilerplate")
        if paths is None:
            return ""
        names = [one for one in OPTIONS if one not in {"time_field", "time_from", "qualify_ids"}]
        fields = {name: getattr(self.options, name) for name in names}
        return digest_of_boilerplate(read_boilerplate(paths, **fields))

    def also_read(self) -> frozenset[tuple[int, int | str]]:
        """Return device and number of the files that hold boilerplate."""
        names = resolve(self.search.get("boilerplate") or [])
        return frozenset(found.key for found in walk(names) if isinstance(found, File))

    def take_stock(self, *, gone: bool = False) -> Inputs:
        """Look at every file; pass over those that are gone, if some may be."""
        return take_stock(self.paths, self.against, self.options, gone=gone)

    def find(self, inputs: Inputs) -> tuple[Result, frozenset[Id]]:
        """Return the result that was given, if it is of these files, or search.

        Also return the ids of what has changed since, where it was given.
        """
        if self.result is None:
            from dedupe.api import find_duplicates  # noqa: PLC0415  numba takes a while to load.

            fields = {name: getattr(self.options, name) for name in OPTIONS}
            found = find_duplicates(self.paths, against=self.against, **fields, **self.search)
            return found, frozenset()
        if self.search:
            raise InvalidSetting(
                "a result must come without settings of a search, got "
                f"{', '.join(sorted(self.search))}: result.at gives it another threshold"
            )
        return self.result, check_matches(inputs, self.result, self.options)

    def find_unchanged(self, inputs: Inputs) -> Result:
        """Do the same, and refuse a result of texts that have changed since."""
        found, changed = self.find(inputs)
        if changed:
            raise InvalidResult(
                "documents must be what they were for the result, got "
                f"{str(min(changed, key=order_of))!r}, which has changed since: search again"
            )
        return found


def _write(request: _Request, inputs: Inputs, output: str, what: _Wanted) -> Cleaning:
    """Write what stays, or everything with more fields."""
    # What cannot be written is said before the search.
    targets(inputs, output, request.also_read())
    found = request.find_unchanged(inputs)
    written = write_cleaned(inputs, found, output, request.options, **asdict(what))
    return Cleaning(
        written.dropped, written.left, written.paths, found, written.n_kept, written.not_copied
    )


def _act(
    request: _Request, order: Order, note: Path, confirm: Callable[[int], object] | None
) -> Cleaning:
    """Do to files what is asked for, or finish a run that was cut off."""
    disk.clear_draft(note)
    is_resumed = os.path.lexists(note)
    inputs = request.take_stock(gone=is_resumed)
    left: tuple[Skipped, ...] = ()
    found = None
    if is_resumed:
        plan = journals.load(note)
        _check_is_same(plan.order, order, note)
    else:
        if order.folder:
            check_folder(order.folder, inputs)
        found, changed = request.find(inputs)
        plan, left = plan_steps(inputs, found, request.options, order, changed)
    gone, stay = _take_steps(plan, inputs, request.options, note, confirm)
    return Cleaning(gone, (*left, *stay), (), found)


def _check_is_same(begun: Order, asked: Order, note: Path) -> None:
    """Refuse to finish what another command has begun."""
    if begun != asked:
        said = [begun.action, begun.folder, *begun.paths]
        said += ["against", *begun.against] if begun.against else []
        said += [
            f"{name}={value}"
            for name, value in begun.settings.items()
            if asked.settings.get(name) != value
        ]
        raise CannotClean(
            f"a run that was cut off must be finished first, got {note} of "
            f"'{' '.join(filter(None, said))}': do that again, or remove the journal to search anew"
        )


def _take_steps(
    plan: Plan,
    inputs: Inputs,
    options: Options,
    note: Path,
    confirm: Callable[[int], object] | None,
) -> tuple[tuple[str, ...], tuple[Skipped, ...]]:
    """Take the steps of a plan, with a journal as long as that takes."""
    if not plan.steps:
        return (), ()
    if confirm is not None:
        confirm(sum(step.place in inputs.entries for step in plan.steps))
    if not plan.is_resumed:
        journals.save(plan, note)
    try:
        done = carry_out(plan, inputs, options)
    except KeyboardInterrupt as stopped:
        stopped.add_note("the same command finishes what it has begun")
        raise
    journals.remove(note)
    return done

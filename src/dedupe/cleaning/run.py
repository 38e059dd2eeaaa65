"""A run that moves, deletes or links files: planned, noted, carried out, finished if cut off.

How a plan survives a crash is left to `dedupe.cleaning.journal`, and what is done to one file
to `dedupe.cleaning.actions`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dedupe import disk
from dedupe.cleaning import journal as journals
from dedupe.cleaning.actions import carry_out
from dedupe.cleaning.inventory import Entry, Inputs
from dedupe.cleaning.journal import Order, Plan, Step
from dedupe.cleaning.request import Request
from dedupe.cleaning.task import Stays
from dedupe.documents.options import Options
from dedupe.errors import CannotClean, InvalidSetting, Skipped
from dedupe.ids import Id, Old, plain_id
from dedupe.results.result import Result

__all__ = ["Done", "act"]


class Done(NamedTuple):
    """What a run has done.

    Attributes
    ----------
    gone : tuple of str
        Ids of the files that are gone.
    left : tuple of Skipped
        Duplicates that had to stay.
    result : Result or None
        What was acted on; None where a run that was cut off has been finished.
    """

    gone: tuple[str, ...]
    left: tuple[Skipped, ...]
    result: Result | None


def act(
    request: Request, order: Order, note: Path, confirm: Callable[[int], object] | None
) -> Done:
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
            _check_folder(order.folder, inputs)
        found, changed = request.find(inputs)
        plan, left = _plan_steps(inputs, found, request.options, order, changed)
    gone, stay = _take_steps(plan, inputs, request.options, note, confirm)
    return Done(gone, (*left, *stay), found)


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


def _check_folder(folder: str, inputs: Inputs) -> None:
    """Refuse a folder to move to that a search of the same paths would read again.

    Raises
    ------
    InvalidSetting
    """
    if os.path.lexists(folder) and not os.path.isdir(folder):  # noqa: PTH112
        raise InvalidSetting(f"files must be moved to a folder, got the file {folder!r}")
    is_base = os.path.realpath(folder) == os.path.realpath(inputs.base)
    if is_base or inputs.holds(folder) or inputs.kept_in(is_old=True).holds(folder):
        raise InvalidSetting(
            f"files must be moved out of the folders that are read, got {folder!r} inside of one: "
            "name another, such as one beside them"
        )


def _plan_steps(
    inputs: Inputs, result: Result, options: Options, order: Order, changed: frozenset[Id]
) -> tuple[Plan, tuple[Skipped, ...]]:
    """Return what is to be done, and the duplicates for which nothing can be done."""
    files = inputs.single_documents(result, options)
    holders = inputs.holders(result, options)
    digests = {info.id: info.digest for info in result.documents}
    steps, left = [], []
    for duplicate in result.duplicates:
        try:
            entry = _unchanged(duplicate.id, files, changed)
            kept = _unchanged(duplicate.duplicate_of, holders, changed)
        except Stays as why:
            left.append(Skipped(duplicate.id, why.reason, why.remedy))
            continue
        goes = str(duplicate.id), entry.place, entry.stamp, digests[duplicate.id]
        stays = (
            str(plain_id(duplicate.duplicate_of)),
            kept.place,
            kept.stamp,
            digests[duplicate.duplicate_of],
        )
        steps.append(Step(*goes, *stays, isinstance(duplicate.duplicate_of, Old)))
    return Plan(order, disk.draft_name(os.urandom(8)), tuple(steps)), tuple(left)


def _unchanged(id_: Id, known: dict[Id, Entry], changed: frozenset[Id]) -> Entry:
    """Return the file of a document, whose text must be what the result is about."""
    if id_ in changed:
        raise Stays(f"{plain_id(id_)} has changed since it was read")
    if id_ not in known:
        raise Stays(
            f"{plain_id(id_)} is not a file of its own", "write its file anew with output= (-o)"
        )
    return known[id_]


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

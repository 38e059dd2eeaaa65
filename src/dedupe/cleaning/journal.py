"""What is going to be done to files, written down before it is begun.

A journal is there exactly while a run has work left. Each step can be taken twice,
so a run that was cut off is finished by reading the journal and taking every step
again; nothing has to be noted in between. The search is not repeated then, because
it could decide otherwise once part of the files is gone.

A journal may lie in a folder that came from elsewhere. So paths in it are relative
to what is cleaned, and `dedupe.cleaning.actions` acts only on files that the paths of
the command lead to.
"""

import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import IO, Any, Literal, NamedTuple, get_args

from dedupe import disk
from dedupe.cleaning.inventory import Stamp
from dedupe.errors import CannotClean

__all__ = [
    "NAME",
    "Action",
    "Order",
    "Plan",
    "Step",
    "load",
    "only_run",
    "remove",
    "save",
]

NAME = ".dedupe-journal.jsonl"
"""A hidden name, so that no search takes a journal for documents."""

FORMAT, FORMAT_VERSION = "dedupe-journal", 3

Action = Literal["move", "delete", "hardlink"]


@dataclass(frozen=True, slots=True)
class Step:
    """A file that is to go, and the one that is kept for it.

    Attributes
    ----------
    id, kept_id : str
        As the report shows them.
    place, kept : str
        Paths within the `Inputs.base` of what is cleaned, and of where the copy is kept.
    stamp, kept_stamp : Stamp
        As the files were when they were read.
    digest, kept_digest : str
        Of the texts, as they were read.
    kept_is_old : bool
        Whether the copy that is kept belongs to the old collection.
    """

    id: str
    place: str
    stamp: Stamp
    digest: str
    kept_id: str
    kept: str
    kept_stamp: Stamp
    kept_digest: str
    kept_is_old: bool


class Order(NamedTuple):
    """What a command asks for; another one does not finish its work.

    Attributes
    ----------
    action : str
    folder : str
        Where files are moved to, as an absolute path; "" for other actions.
    paths, against : tuple of str
        What is cleaned, and the old collection, as absolute paths in order.
    settings : dict of str to str or number
        What decided, as JSON has it.
    """

    action: Action
    folder: str
    paths: tuple[str, ...]
    against: tuple[str, ...]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a run.

    Attributes
    ----------
    order : Order
    draft : str
        The name that a file goes by until it is whole.
    steps : tuple of Step
    is_resumed : bool
        Whether some of the steps may have been taken already.
    """

    order: Order
    draft: str
    steps: tuple[Step, ...]
    is_resumed: bool = False


@contextmanager
def only_run(folders: Iterable[str]) -> Iterator[None]:
    """Keep other runs from what is in some folders.

    Raises
    ------
    CannotClean
        When one is at work there.
    """
    with disk.try_lock_folders(folders) as is_ours:
        if not is_ours:
            raise CannotClean(
                "files must be cleaned by one run at a time, got another at work in, above or "
                f"below {', '.join(folders)}: wait until it is done"
            )
        yield


def save(plan: Plan, path: Path) -> None:
    """Write a journal that outlives a crash, in one step, and over no other.

    Raises
    ------
    CannotClean
    """
    head = {"format": FORMAT, "version": FORMAT_VERSION, **plan.order._asdict()}
    rows = ({**head, "draft": plan.draft}, *map(_row, plan.steps))
    try:
        disk.create(path, "".join(json.dumps(row) + "\n" for row in rows).encode("ascii"))
    except OSError as error:
        raise CannotClean(
            f"a journal must be written before files are touched, got {error}: "
            "name a place for it with journal= (--journal)"
        ) from error


def _row(step: Step) -> dict[str, Any]:
    """Return a step as a line of a journal has it."""
    return {name: getattr(step, name) for name in Step.__slots__}


def load(path: Path) -> Plan:
    """Read the journal of a run that was cut off.

    Raises
    ------
    CannotClean
        When it is no journal.
    """
    try:
        with _open(path) as file:
            rows = list(map(json.loads, file))
        if not rows:
            raise _Unsound("an empty file")
        head, *rows = rows
        if (head["format"], head["version"]) != (FORMAT, FORMAT_VERSION):
            raise _Unsound(f"format {short(head['format'])}, version {short(head['version'])}")
        order = Order(
            head["action"],
            head["folder"],
            tuple(head["paths"]),
            tuple(head["against"]),
            dict(head["settings"]),
        )
        if order.action not in get_args(Action):
            raise _Unsound(f"action {short(order.action)}")
        if not all(isinstance(head[name], list) for name in ("paths", "against")):
            raise _Unsound("paths that are no list")
        for name in (order.folder, *order.paths, *order.against):
            _check_name(name)
        if any(isinstance(value, list | dict) for value in order.settings.values()):
            raise _Unsound("a setting that is none")
        if not disk.DRAFT_NAME.fullmatch(head["draft"]):
            raise _Unsound(f"draft {short(head['draft'])}")
        steps = tuple(map(_step, rows))
        if not steps:
            raise _Unsound("no steps")
    except (OSError, ValueError, LookupError, ArithmeticError, TypeError, RecursionError) as error:
        raise CannotClean(
            f"a journal must be one that this version has written, got {path}: {_fault(error)}; "
            "remove it to search anew"
        ) from error
    return Plan(order, head["draft"], steps, is_resumed=True)


class _Unsound(ValueError):
    """What a journal of ours would not hold."""


def _fault(error: Exception) -> str:
    """Say in a few words why a journal is none, however much of something else it holds."""
    if isinstance(error, _Unsound):
        return str(error)
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror}"
    if isinstance(error, KeyError):
        return f"a line without {short(error.args[0])}"
    if isinstance(error, UnicodeDecodeError | json.JSONDecodeError | RecursionError):
        return "a line that is not JSON"
    return "a line with a value that cannot be"


def _open(path: Path) -> IO[str]:
    """Open a regular file, and nothing that could keep one waiting for ever."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise _Unsound("not a regular file")
    return path.open(encoding="ascii")


def _step(row: dict[str, Any]) -> Step:
    """Rebuild a step."""
    stamps = {name: Stamp(*map(int, row[name])) for name in ("stamp", "kept_stamp")}
    step = Step(**{**row, **stamps})
    for name in (step.id, step.kept_id, step.digest, step.kept_digest):
        if not isinstance(name, str):
            raise _Unsound(f"a name that is none, {short(name)}")
    if not isinstance(step.kept_is_old, bool):
        raise _Unsound(f"no truth value, {short(step.kept_is_old)}")
    for place in (step.place, step.kept):
        _check_name(place)
        if os.path.isabs(place) or ".." in Path(place).parts:  # noqa: PTH117
            raise _Unsound(f"a place outside of what is cleaned, {short(place)}")
    return step


def _check_name(name: object) -> None:
    """Refuse what no file can be named."""
    if not isinstance(name, str) or "\0" in name:
        raise _Unsound(f"a path that is none, {short(name)}")
    os.fsencode(name)  # A surrogate that stands for no byte raises.


def remove(path: Path) -> None:
    """Remove the journal of a run that is done."""
    path.unlink(missing_ok=True)

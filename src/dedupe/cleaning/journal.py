"""What is going to be done to files, written down before it is begun.

A journal is there exactly while a run has work left. Each step can be taken twice,
so a run that was cut off is finished by reading the journal and taking every step
again; nothing has to be noted in between. The search is not repeated then, because
it could decide otherwise once part of the files is gone.

A journal may lie in a folder that came from elsewhere. So paths in it are relative
to what is cleaned, and `dedupe.cleaning.actions` acts only on files that the paths of
the command lead to.
"""

import errno
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
    "settle",
    "sync",
]

NAME = ".dedupe-journal.jsonl"
"""A hidden name, so that no search takes a journal for documents."""

FORMAT, FORMAT_VERSION = "dedupe-journal", 1

Action = Literal["move", "delete", "hardlink"]


@dataclass(frozen=True, slots=True)
class Step:
    """A file that is to go, and the one that is kept for it.

    Attributes
    ----------
    id, kept_id : str
        As the report shows them.
    place, kept : str
        Paths within the `Inputs.base` of what is cleaned, and of where copies are kept.
    stamp, kept_stamp : Stamp
        As the files were when they were read.
    """

    id: str
    place: str
    stamp: Stamp
    kept_id: str
    kept: str
    kept_stamp: Stamp


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
    draft = path.with_name(plan.draft)
    try:
        with draft.open("x", encoding="ascii") as file:
            for row in ({**head, "draft": plan.draft}, *map(_row, plan.steps)):
                file.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
        settle(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CannotClean(
            f"a journal must be written before files are touched, got {error}: "
            "name a place for it with journal= (--journal)"
        ) from error


def settle(draft: Path, path: Path) -> None:
    """Give a finished file its name, for good.

    Raises
    ------
    FileExistsError
        When something has taken the name meanwhile.
    """
    # A rename would replace what has come to stand there since we looked; a link cannot.
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError as error:  # A file system without links, where looking first has to do.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "is there already", str(path)) from error
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)


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
            head, *rows = map(json.loads, file)
        if (head["format"], head["version"]) != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"format {head['format']!r}, version {head['version']!r}")
        order = Order(
            head["action"],
            head["folder"],
            tuple(head["paths"]),
            tuple(head["against"]),
            dict(head["settings"]),
        )
        if order.action not in get_args(Action):
            raise ValueError(f"action {order.action!r}")
        if not all(isinstance(head[name], list) for name in ("paths", "against")):
            raise ValueError("paths that are no list")
        if not all(isinstance(name, str) for name in (order.folder, *order.paths, *order.against)):
            raise ValueError("a path that is none")
        if any(isinstance(value, list | dict) for value in order.settings.values()):
            raise ValueError("a setting that is none")
        if not re.fullmatch(r"\.dedupe-[0-9a-f]{16}\.tmp", head["draft"]):
            raise ValueError(f"draft {head['draft']!r}")
        steps = tuple(map(_step, rows))
        if not steps:
            raise ValueError("no steps")
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise CannotClean(
            f"a journal must be one that this version has written, got {path}: {error!r}; "
            "remove it to search anew"
        ) from error
    return Plan(order, head["draft"], steps, is_resumed=True)


def _open(path: Path) -> IO[str]:
    """Open a regular file, and nothing that could keep one waiting for ever."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("not a regular file")
    return path.open(encoding="ascii")


def _step(row: dict[str, Any]) -> Step:
    """Rebuild a step."""
    stamps = {name: Stamp(*row[name]) for name in ("stamp", "kept_stamp")}
    step = Step(**{**row, **stamps})
    if not all(isinstance(getattr(step, name), str) for name in ("id", "place", "kept_id", "kept")):
        raise ValueError("a name that is none")
    for place in (step.place, step.kept):
        if os.path.isabs(place) or ".." in Path(place).parts:  # noqa: PTH117
            raise ValueError(f"a place outside of what is cleaned, {place!r}")
    return step


def remove(path: Path) -> None:
    """Remove the journal of a run that is done."""
    path.unlink(missing_ok=True)


def sync(folder: str | os.PathLike[str]) -> None:
    """Wait until the names in a folder are on disk, where the system has a call for it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

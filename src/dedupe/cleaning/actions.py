"""Duplicates that are files: moved away, deleted, or replaced by links to the kept copy.

At no moment is there no copy: a file goes only once the other one has been seen, or its
content stands in its new place. Whether a file may go is left to `dedupe.cleaning.task`.

Every step may be cut off anywhere and taken again. What is to be done, and how that
survives a crash, is left to `dedupe.cleaning.journal`.
"""

import errno
import filecmp
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dedupe import disk
from dedupe.cleaning.inventory import Inputs
from dedupe.cleaning.journal import Action, Plan
from dedupe.cleaning.task import Stays, Task, Texts
from dedupe.documents.folders import is_inside
from dedupe.documents.options import Options
from dedupe.errors import Skipped

__all__ = ["carry_out"]


def carry_out(
    plan: Plan, inputs: Inputs, options: Options
) -> tuple[tuple[str, ...], tuple[Skipped, ...]]:
    """Take every step; return the ids of the files that are gone, and what stays and why."""
    gone, left = [], []
    act = ACTIONS[plan.order.action]
    texts = Texts(plan, options)
    for step in plan.steps:
        try:
            act(Task(step, plan, inputs, texts))
            gone.append(step.id)
        except Stays as why:
            left.append(Skipped(step.id, why.reason, why.remedy))
        except OSError as error:
            reason = f"cannot {plan.order.action}: {error.strerror or error}"
            left.append(Skipped(step.id, reason, "check permissions and space, and search again"))
    return tuple(gone), tuple(left)


def _delete(task: Task) -> None:
    """Delete a file."""
    if task.is_resumed and not os.path.lexists(task.named_path):
        return
    path, _ = task.read_files()
    path.unlink()


def _hardlink(task: Task) -> None:
    """Replace a file by a link to the copy that is kept, where not a byte is lost."""
    if task.is_resumed and _is_linked(task):
        return
    path, kept = task.read_files()
    if task.kept_index is not None:
        raise Stays(f"its kept copy {task.step.kept_id} is in an index", "move or delete it")
    if kept.is_symlink():
        raise Stays(f"its kept copy {task.step.kept_id} is a symbolic link", "move or delete it")
    if not _same_bytes(path, kept):
        raise Stays(
            f"not byte for byte the same as {task.step.kept_id}", "move or delete it instead"
        )
    draft = path.with_name(task.draft)
    try:
        os.link(kept, draft)
        task.files()  # Comparing has taken time.
        draft.replace(path)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise Stays(f"on another disk than {task.step.kept_id}", "move or delete it") from error
        raise
    finally:
        draft.unlink(missing_ok=True)


def _is_linked(task: Task) -> bool:
    """Return whether a run before this one has made the link already."""
    # The walk over the inputs knows two names of one file by the first of them alone.
    path, kept = task.named_path, task.named_kept
    if task.is_beside_entries:
        path.with_name(task.draft).unlink(missing_ok=True)
    with suppress(OSError):
        return os.path.samestat(path.lstat(), kept.lstat())
    return False


def _same_bytes(left: Path, right: Path) -> bool:
    """Return whether two files have the same content now, whatever was seen before."""
    filecmp.clear_cache()
    return filecmp.cmp(left, right, shallow=False)


def _move(task: Task) -> None:
    """Move a file to its place under the folder, across disks too, over nothing that is there."""
    target = task.target
    draft = target.with_name(task.draft)
    if not is_inside(target.parent, task.folder):
        raise Stays(f"{target.parent} is a link out of {task.folder}", "remove the link")
    if task.is_resumed:
        draft.unlink(missing_ok=True)
        if task.file is None and _is_file_of(target, task.step.stamp.size):
            return
    path, _ = task.read_files()
    disk.make_folders(target.parent)
    if os.path.samestat(path.parent.stat(), target.parent.stat()):
        raise Stays(f"{target} is the file itself", "name another folder")
    if os.path.lexists(target):
        if target.is_symlink() or not target.is_file() or not _same_bytes(path, target):
            raise Stays(f"{target} is there already", "name another folder")
        task.files()  # Comparing has taken time.
        path.unlink()
        return
    _place(path, target, draft)
    try:
        task.files()  # Copying has taken time.
        path.unlink()
    except (Stays, OSError):
        # Should somebody have removed the file meanwhile, this is the only copy.
        if os.path.lexists(path):
            target.unlink()
        raise


def _is_file_of(path: Path, size: int) -> bool:
    """Return whether a path is a regular file of this size."""
    try:
        info = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(info.st_mode) and info.st_size == size


def _place(path: Path, target: Path, draft: Path) -> None:
    """Give a file a second name, or where disks differ a copy, that replaces nothing."""
    try:
        try:
            os.link(path, target)
        except FileExistsError:
            raise
        except OSError:  # Another disk, or a file system without links.
            _copy(path, draft)
            disk.settle(draft, target)
    except FileExistsError as error:
        raise Stays(f"{target} is there already", "name another folder") from error


def _copy(path: Path, draft: Path) -> None:
    """Copy a file with its times, and wait until it is on disk."""
    try:
        with path.open("rb") as source, draft.open("xb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        shutil.copystat(path, draft)
    except BaseException:  # Ctrl-C as well.
        draft.unlink(missing_ok=True)
        raise


ACTIONS: dict[Action, Callable[[Task], None]] = {
    "move": _move,
    "delete": _delete,
    "hardlink": _hardlink,
}

"""Duplicates that are files: moved away, deleted, or replaced by links to the kept copy.

Just before a file is touched, it and the copy that is kept for it must still be what
was read, their texts included; otherwise it stays, with a reason. At no moment is there
no copy: a file goes only once the other one has been seen, or its content stands in its
new place.

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
from dedupe.cleaning.inventory import Entry, Inputs, Stamp, opened
from dedupe.cleaning.journal import Action, Order, Plan, Step
from dedupe.documents import Document, read_file
from dedupe.documents.options import Options
from dedupe.documents.walk import File, is_inside
from dedupe.errors import InvalidSetting, Skipped
from dedupe.ids import Id, Old, plain_id
from dedupe.index.folder import FILE
from dedupe.results.result import Result

__all__ = ["carry_out", "check_folder", "plan_steps"]


class Stays(Exception):
    """Why a file is left where it is; it ends up as a `Skipped`."""

    def __init__(self, reason: str, remedy: str = "search again") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def check_folder(folder: str, inputs: Inputs) -> None:
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


def plan_steps(
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


def carry_out(
    plan: Plan, inputs: Inputs, options: Options
) -> tuple[tuple[str, ...], tuple[Skipped, ...]]:
    """Take every step; return the ids of the files that are gone, and what stays and why."""
    gone, left = [], []
    act = ACTIONS[plan.order.action]
    texts = _Texts(plan, options)
    for step in plan.steps:
        try:
            act(_Task(step, plan, inputs, texts))
            gone.append(step.id)
        except Stays as why:
            left.append(Skipped(step.id, why.reason, why.remedy))
        except OSError as error:
            reason = f"cannot {plan.order.action}: {error.strerror or error}"
            left.append(Skipped(step.id, reason, "check permissions and space, and search again"))
    return tuple(gone), tuple(left)


class _Texts:
    """Digests of texts as they stand in files now.

    A file is not read again while nothing about it has changed: it may hold the copies
    that are kept for many. Ids are not asked for: they hold the path as it was spelled,
    and a run that was cut off may be finished under another spelling.
    """

    def __init__(self, plan: Plan, options: Options) -> None:
        self._options = options
        self._wanted = {one for step in plan.steps for one in (step.digest, step.kept_digest)}
        self._known: dict[str, tuple[tuple[int, ...], frozenset[str | None]]] = {}

    def digests_of(self, file: File) -> frozenset[str | None]:
        """Return the digests in a file that steps are about; None stands for anything else."""
        info = os.stat(file.path)  # noqa: PTH116
        state = (*Stamp.of(info), info.st_ctime_ns)
        if file.path not in self._known or self._known[file.path][0] != state:
            self._known[file.path] = state, self._read(file)
        return self._known[file.path][1]

    def stored(self, index: str, id_: str) -> str | None:
        """Return the digest of a document that is in an index now."""
        with opened(index) as there:
            return there.document(id_).digest if id_ in there else None

    def _read(self, file: File) -> frozenset[str | None]:
        """Do the same, from the disk."""
        items = (item for _, item, _ in read_file(file, self._options))
        found = (item.digest if isinstance(item, Document) else None for item in items)
        return frozenset(digest if digest in self._wanted else None for digest in found)


class _Task:
    """One step, with the files that it is about looked up among the inputs."""

    def __init__(self, step: Step, plan: Plan, inputs: Inputs, texts: _Texts) -> None:
        self.step = step
        self.texts = texts
        self.is_resumed = plan.is_resumed
        self.folder = Path(plan.order.folder)
        self.target = self.folder / step.place
        self.draft = plan.draft
        self.is_beside_entries = os.path.dirname(step.place) in inputs.parents  # noqa: PTH120
        self.named_path = Path(inputs.base, step.place)
        kept_in = inputs.kept_in(is_old=step.kept_is_old)
        self.named_kept = Path(kept_in.base, step.kept)
        # Only what the paths of the command lead to is ever touched.
        found = inputs.entries.get(step.place)
        self.file = found.file if found else None
        self.kept_index = next(
            (one for one in kept_in.indexes if Path(one).absolute() == self.named_kept), None
        )
        self.kept_file = self._find_kept(kept_in)

    def _find_kept(self, kept_in: Inputs) -> File | None:
        """Return the copy that is kept, if it is where copies are kept, under any name."""
        known = kept_in.entries.get(self.step.kept)
        if known is not None:
            return known.file
        if self.kept_index is not None:
            return File(str(Path(self.kept_index, FILE)), self.kept_index, None, (-1, -1))
        # Of names that a run before this one has linked, the inputs have the first alone.
        with suppress(OSError):
            info = self.named_kept.lstat()
            key = info.st_dev, info.st_ino
            if key in kept_in.keys:
                return File(str(self.named_kept), self.step.kept_id, None, key, named=True)
        return None

    def read_files(self) -> tuple[Path, Path]:
        """Do as `files`, and read both texts: who writes may set size and time as before."""
        path, kept = self.files()
        step = self.step
        assert self.file is not None
        assert self.kept_file is not None
        if self.texts.digests_of(self.file) != {step.digest}:
            raise Stays("it has changed since it was read")
        if self.kept_index is not None:
            is_there = step.kept_digest == self.texts.stored(self.kept_index, step.kept_id)
        else:
            is_there = step.kept_digest in self.texts.digests_of(self.kept_file)
        if not is_there:
            raise Stays(f"its kept copy {step.kept_id} has changed since it was read")
        return path, kept

    def files(self) -> tuple[Path, Path]:
        """Return the file that is to go and the copy that is kept, if it may go now."""
        step = self.step
        try:
            self.named_path.lstat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Stays("it is gone", "nothing to do, unless you miss it") from error
        if self.file is None:
            raise Stays("it is not among the files any more")
        path = Path(self.file.path)
        info = path.lstat()
        if stat.S_ISLNK(info.st_mode):
            raise Stays("it is a symbolic link", "remove the link yourself")
        if not stat.S_ISREG(info.st_mode) or Stamp.of(info) != step.stamp:
            raise Stays("it has changed since it was read")
        return path, self._kept(info)

    def _kept(self, info: os.stat_result) -> Path:
        """Return the copy that is kept, which must be there, and another file."""
        step = self.step
        if self.kept_file is None or not os.path.exists(self.kept_file.path):  # noqa: PTH110
            raise Stays(f"its kept copy {step.kept_id} is gone")
        path = Path(self.kept_file.path)
        if self.kept_index is not None:
            return path
        kept = path.stat()
        if Stamp.of(kept) != step.kept_stamp:
            raise Stays(f"its kept copy {step.kept_id} has changed since it was read")
        if os.path.samestat(info, kept) or self.named_path == self.named_kept:
            raise Stays(f"it is the same file as its kept copy {step.kept_id}", "nothing to do")
        return path


def _delete(task: _Task) -> None:
    """Delete a file."""
    if task.is_resumed and not os.path.lexists(task.named_path):
        return
    path, _ = task.read_files()
    path.unlink()


def _hardlink(task: _Task) -> None:
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


def _is_linked(task: _Task) -> bool:
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


def _move(task: _Task) -> None:
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


ACTIONS: dict[Action, Callable[[_Task], None]] = {
    "move": _move,
    "delete": _delete,
    "hardlink": _hardlink,
}

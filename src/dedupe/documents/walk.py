"""Walks from paths to files: folders, links, and what is no file.

Nothing is opened here, so that a named pipe cannot block and a device cannot
act. What callers name is made paths in `dedupe.documents.paths`; what stands in a file is left
to `dedupe.documents.formats`.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dedupe.documents.folders import Name, entries_of, is_inside
from dedupe.documents.paths import STDIN
from dedupe.errors import InvalidSetting, Skipped
from dedupe.ids import Old

__all__ = ["File", "is_missing_link", "may_hold_texts", "unreached", "walk"]


class File(NamedTuple):
    """A regular file. A tuple is made in half the time of a dataclass, for each of millions.

    Attributes
    ----------
    path : str
        What opens it.
    id : str
        The same, as a person reads it: forward slashes, no undecodable bytes.
    time : float or None
        When it was last changed, in seconds since 1970.
    key : tuple
        Device and inode: the same for every name of one file.
    named : bool
        Whether it was asked for by itself, and not come upon in a folder.
    is_old : bool
        Whether it belongs to the collection that others are held against.
    """

    path: str
    id: str
    time: float | None
    key: tuple[int, int | str]
    named: bool = False
    is_old: bool = False


def walk(paths: Iterable[str], *, old: Iterable[str] = ()) -> Iterator[File | Skipped]:
    """Yield each regular file at or under the paths once, and what else is there as skipped.

    Two names of one file (links of either kind, overlapping folders) count as
    one file, which goes by the first of them. A link in a folder to a file that is
    neither named nor in one of the folders is skipped: whoever can put a file into a
    folder must not be able to choose what else is read. What is under the `old` paths
    comes first, and is old under any name.
    """
    old, paths = list(old), list(paths)
    _check_not_old(paths, old)
    paths = [*old, *paths]
    statuses = {path: _status(path) for path in paths if path != STDIN}
    roots = {path for path, status in statuses.items() if status and stat.S_ISDIR(status.st_mode)}
    # A file that is named and also stands in a folder counts as named.
    asked_for = {
        _key(path, status)
        for path, status in statuses.items()
        if status and stat.S_ISREG(status.st_mode)
    }
    seen: set[object] = set()
    for number, path in enumerate(paths):
        is_old = number < len(old)
        for name in _under(path, is_folder=path in roots):
            if isinstance(name, Skipped):
                found: File | Skipped = name
            else:
                found = _file(name.path, asked_for, is_old=is_old)
                if name.is_link:
                    found = _linked(found, name.path, roots)
            key = found.key if isinstance(found, File) else found.id
            if key not in seen:
                seen.add(key)
                yield _as_old(found) if is_old else found


def _check_not_old(paths: Sequence[str], old: Sequence[str]) -> None:
    """Refuse new paths that are all in the old ones: nothing would be new, and nothing found."""
    roots = [root for root in old if root != STDIN]
    if paths and all(
        path != STDIN and any(_walks_to(path, root) for root in roots) for path in paths
    ):
        raise InvalidSetting(
            f"what is searched must not all be part of what is old, got {paths[0]!r} in both: name "
            "the old collection without it"
        )


def _as_old(found: File | Skipped) -> File | Skipped:
    """Mark what cannot be read as old; a file says it itself."""
    return found if isinstance(found, File) else replace(found, id=Old(found.id))


def _linked(found: File | Skipped, path: str, roots: Iterable[str]) -> File | Skipped:
    """Return what a link leads to: a file only if it is named, or in one of the folders."""
    is_folder = isinstance(found, Skipped) and found.reason == _TO_FOLDER
    if (isinstance(found, Skipped) and not is_folder) or (isinstance(found, File) and found.named):
        return found
    if isinstance(found, Skipped):
        is_read = any(_walks_to(path, root) for root in roots)
        return replace(found, reason=_TO_READ, remedy="leave it out") if is_read else found
    if any(is_inside(path, root) for root in roots):
        return found
    return Skipped(found.id, _OUT, "name the file itself")


def _walks_to(path: str, root: str) -> bool:
    """Return whether the walk through a folder comes to another: that is in it, and not hidden."""
    if not is_inside(path, root):
        return False
    parts = Path(os.path.realpath(path)).relative_to(os.path.realpath(root)).parts
    return not any(part.startswith(".") for part in parts)


_NOWHERE, _OUT = "a link that leads nowhere", "a link out of the folder, which is not followed"
_TO_FOLDER = "a link to a folder, which is not followed"
_TO_READ = "a link to a folder that is read under its own name"


def _under(path: str, *, is_folder: bool) -> Iterator[Name | Skipped]:
    """Yield a path that is no folder, or all such that a folder holds, however deep."""
    # A stack, because folders may be nested deeper than Python calls.
    waiting = [Name(path, is_folder)]
    while waiting:
        name = waiting.pop()
        if not name.is_folder:
            yield name
            continue
        try:
            waiting += reversed(entries_of(name.path))
        except OSError as error:
            reason = f"{_UNLISTED}: {error.strerror or error}"
            yield Skipped(_id(name.path), reason, "check its permissions")


def _status(path: str) -> os.stat_result | None:
    """Return what the system says of a path, or None where it cannot be reached."""
    try:
        return os.stat(path)  # noqa: PTH116  A Path takes longer than the call itself.
    except OSError:
        return None


def _key(path: str, status: os.stat_result) -> tuple[int, int | str]:
    """Return what is the same for every name of one file."""
    # Some file systems do not number their files.
    return status.st_dev, status.st_ino or os.path.realpath(path)


def _file(path: str, asked_for: Collection[object], *, is_old: bool) -> File | Skipped:
    """Return a regular file, or say what else is there.

    Parameters
    ----------
    path : str
    asked_for : collection
        The keys of the files that are named.
    is_old : bool
    """
    if path == STDIN:
        return File(STDIN, STDIN, None, key=(-1, -1), named=True, is_old=is_old)
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError as error:
        is_link = os.path.islink(path)  # noqa: PTH114
        return unreached(_id(path), error, _NOWHERE if is_link else _UNREACHED)
    if stat.S_ISREG(status.st_mode):
        key = _key(path, status)
        return File(path, _id(path), status.st_mtime, key, key in asked_for, is_old)
    if stat.S_ISDIR(status.st_mode):
        return Skipped(_id(path), _TO_FOLDER, "name the folder itself")
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")
    return Skipped(_id(path), kind, "save its content in a file, and name that")


_UNLISTED, _UNREACHED = "the folder cannot be listed", "cannot be reached"


def unreached(id_: str, error: OSError, what: str = _UNREACHED) -> Skipped:
    """Return what is there by its name alone."""
    return Skipped(id_, f"{what}: {error.strerror or error}", "repair it, or leave it out")


def may_hold_texts(skipped: Skipped) -> bool:
    """Tell whether there may be texts in what the walk has skipped: it is no link, and no pipe."""
    return skipped.reason.startswith((_UNLISTED, _UNREACHED))


def is_missing_link(skipped: Skipped) -> bool:
    """Tell whether a link was skipped whose target is not among what is read."""
    return skipped.reason.startswith((_NOWHERE, _OUT, _TO_FOLDER))


_KINDS = {
    stat.S_IFIFO: "a named pipe, not a regular file",
    stat.S_IFSOCK: "a socket, not a regular file",
    stat.S_IFCHR: "a device, not a regular file",
    stat.S_IFBLK: "a device, not a regular file",
}


def _id(path: str) -> str:
    r"""Return a path as a person reads it: forward slashes, undecodable bytes as ``\xff``.

    A backslash that belongs to a name is doubled, so that no two files have one id.
    """
    if os.sep == "/":
        path = path.replace("\\", "\\\\")
        if path.isascii():
            return path
    return os.fsencode(path).decode(errors="backslashreplace").replace(os.sep, "/")

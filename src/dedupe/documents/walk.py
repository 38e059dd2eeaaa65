"""From paths to files: existence, patterns, folders, links and what is no file.

Nothing is opened here, so that a named pipe cannot block and a device cannot
act. What stands in a file is left to `dedupe.documents.formats`.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from operator import attrgetter
from pathlib import Path
from reprlib import repr as short
from typing import NamedTuple

from dedupe.errors import InvalidInput, NoSuchPath, Skipped
from dedupe.ids import Old

__all__ = [
    "STDIN",
    "File",
    "Paths",
    "anchor",
    "is_inside",
    "is_missing_link",
    "is_path",
    "may_hold_texts",
    "named",
    "resolve",
    "unreached",
    "walk",
]

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""What callers name: files, folders and patterns, one or several."""

STDIN = "-"
"""What stands for standard input among paths; a file of this name is ``./-``."""


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


def resolve(paths: Paths) -> list[str]:
    """Return the paths that exist, with patterns replaced by what they match.

    Raises
    ------
    NoSuchPath
        When a path does not exist or a pattern matches nothing.
    InvalidInput
        When these are no paths.
    """
    return [path for name in named(paths) for path in _expand(name)]


def named(paths: Paths) -> list[str]:
    """Return paths and patterns as strings, or raise `InvalidInput` where they are none."""
    if isinstance(paths, str | os.PathLike):
        return [_named(paths)]
    # A table would yield the names of its columns, and a mapping its keys.
    is_table = any(hasattr(type(paths), name) for name in ("columns", "column_names"))
    if is_table or isinstance(paths, Mapping) or not isinstance(paths, Iterable):
        raise _no_path(paths)
    return [_named(path) for path in paths]


def _named(path: object) -> str:
    """Return a path as a string, or raise `InvalidInput` where it is none."""
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise _no_path(path)
    is_text = "\n" in name or any(len(part) > LONGEST_NAME for part in name.split("/"))
    if is_text and not os.path.lexists(name):
        raise InvalidInput(f"paths must be names of files or folders, got {short(name)}: {SISTERS}")
    return name


def _no_path(value: object) -> InvalidInput:
    """Say that something else stands where paths go."""
    return InvalidInput(
        f"paths must be strings or Path objects, got {type(value).__name__}: {SISTERS}"
    )


LONGEST_NAME = 255
"""Characters of a file name that no file system exceeds: what is longer is a text."""

SISTERS = "texts in memory are for find_duplicate_texts, or compare_texts"


def is_path(text: object) -> bool:
    """Return whether a value names a file that is there, and can hardly be a text."""
    if isinstance(text, os.PathLike):
        return True
    return isinstance(text, str) and len(text.split()) == 1 and os.path.exists(text)  # noqa: PTH110


def _expand(name: str) -> list[str]:
    """Return a path that exists, or what it matches as a pattern."""
    # A broken link exists too: that it leads nowhere is said when its turn comes.
    if name == STDIN or os.path.lexists(name):
        return [name]
    if not _is_pattern(name):
        raise NoSuchPath(
            f"paths must exist, got {name!r}: check it; this is {Path.cwd()}{_hint(name)}"
        )
    first, *parts = name.split("/") if os.sep == "/" else name.replace(os.sep, "/").split("/")
    start = f"{first}/" if first == "" or first.endswith(":") else ""
    found = sorted(set(_matches(start, parts if start else [first, *parts])))
    if not found:
        raise NoSuchPath(
            f"a pattern must match something, got {name!r}: check it, and its quotes{_hint(name)}"
        )
    return [f"./{path}" if path == STDIN else path for path in found]


def _hint(name: str) -> str:
    """Return what to say beside, where a name may have been meant as a text."""
    return f"; {SISTERS}" if len(name.split()) > 2 else ""


def anchor(name: str) -> str:
    """Return the folder that a path or a pattern starts from, be the path there or not.

    It is the same before and after files under it are moved away.

    >>> anchor("news/*/a.txt"), anchor("news/missing.txt"), anchor("missing.txt")
    ('news', 'news', '.')
    """
    if os.path.isdir(name):  # noqa: PTH112  A Path would lose a trailing slash.
        return name
    folder = os.path.dirname(name)  # noqa: PTH120
    while _is_pattern(folder) and not os.path.isdir(folder):  # noqa: PTH112
        folder = os.path.dirname(folder.rstrip("/" + os.sep))  # noqa: PTH120
    return folder or "."


def _is_pattern(name: str) -> bool:
    """Tell whether a name has a wildcard."""
    return any(mark in name for mark in "*?[")


def _matches(folder: str, parts: list[str]) -> Iterator[str]:
    """Yield what is under a folder and matches the parts of a pattern.

    `glob` would follow links under ``**`` round in circles, and with two such
    links in a folder the ways double at each turn.
    """
    if not parts:
        yield folder or "."
        return
    first, *rest = parts
    if first == "**":
        for inner in _folders(folder):
            yield from _matches(inner, rest)
    elif _is_pattern(first):
        for found in _listed(folder, first):
            yield from _matches(found.path, rest)
    elif os.path.lexists(_join(folder, first)):
        yield from _matches(_join(folder, first), rest)


def _folders(folder: str) -> Iterator[str]:
    """Yield a folder and every folder under it."""
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        yield folder
        waiting += [found.path for found in _listed(folder) if found.is_folder]


class _Name(NamedTuple):
    """What stands in a folder, as far as its list tells."""

    path: str
    is_folder: bool
    is_link: bool = False


def _listed(folder: str, pattern: str = "*") -> list[_Name]:
    """Return `_entries`, or nothing for what cannot be listed, most often a file."""
    try:
        return _entries(folder, pattern)
    except OSError:
        return []


def _entries(folder: str, pattern: str = "*") -> list[_Name]:
    """List what is in a folder by name; a link to a folder is none.

    A wildcard does not stand for the dot of a hidden name.
    """
    start, shows_hidden = _join(folder, ""), pattern.startswith(".")
    with os.scandir(folder or ".") as entries:
        found = [
            entry
            for entry in entries
            if (shows_hidden or not entry.name.startswith("."))
            and (pattern == "*" or fnmatch(entry.name, pattern))
        ]
    found.sort(key=attrgetter("name"))
    return [
        _Name(start + entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
        for entry in found
    ]


def _join(folder: str, name: str) -> str:
    """Return the path of a name in a folder, where "" is the current one."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def walk(paths: Iterable[str], *, old: Iterable[str] = ()) -> Iterator[File | Skipped]:
    """Yield each regular file at or under the paths once, and what else is there as skipped.

    Two names of one file (links of either kind, overlapping folders) count as
    one file, which goes by the first of them. A link in a folder to a file that is
    neither named nor in one of the folders is skipped: whoever can put a file into a
    folder must not be able to choose what else is read. What is under the `old` paths
    comes first, and is old under any name.
    """
    old = list(old)
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


def is_inside(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    """Return whether a path leads into a folder, or to the folder itself, by whatever links."""
    root = os.path.realpath(folder)
    try:
        return os.path.commonpath([root, os.path.realpath(path)]) == root
    except ValueError:  # Another drive.
        return False


def _under(path: str, *, is_folder: bool) -> Iterator[_Name | Skipped]:
    """Yield a path that is no folder, or all such that a folder holds, however deep."""
    # A stack, because folders may be nested deeper than Python calls.
    waiting = [_Name(path, is_folder)]
    while waiting:
        name = waiting.pop()
        if not name.is_folder:
            yield name
            continue
        try:
            waiting += reversed(_entries(name.path))
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
        return File(path, _id(path), status.st_mtime, key, named=key in asked_for, is_old=is_old)
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

"""Lists folders, and tells what lies inside of one."""

import os
from fnmatch import fnmatch
from operator import attrgetter
from typing import NamedTuple

__all__ = ["Name", "entries_of", "is_inside", "join", "listed"]


class Name(NamedTuple):
    """What stands in a folder, as far as its list tells."""

    path: str
    is_folder: bool
    is_link: bool = False


def listed(folder: str, pattern: str = "*") -> list[Name]:
    """Return `entries_of`, or nothing for what cannot be listed, most often a file."""
    try:
        return entries_of(folder, pattern)
    except OSError:
        return []


def entries_of(folder: str, pattern: str = "*") -> list[Name]:
    """List what is in a folder by name; a link to a folder is none.

    A wildcard does not stand for the dot of a hidden name.
    """
    start, shows_hidden = join(folder, ""), pattern.startswith(".")
    with os.scandir(folder or ".") as entries:
        found = [
            entry
            for entry in entries
            if (shows_hidden or not entry.name.startswith("."))
            and (pattern == "*" or fnmatch(entry.name, pattern))
        ]
    found.sort(key=attrgetter("name"))
    return [
        Name(start + entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink())
        for entry in found
    ]


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder, where "" is the current one."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def is_inside(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    """Return whether a path leads into a folder, or to the folder itself, by whatever links."""
    root = os.path.realpath(folder)
    try:
        return os.path.commonpath([root, os.path.realpath(path)]) == root
    except ValueError:  # Another drive.
        return False

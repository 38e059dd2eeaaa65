"""Makes and removes folders, nested more deeply than Python calls."""

import errno
import os
import shutil
import sys
from itertools import chain, takewhile
from pathlib import Path

__all__ = ["make_folders", "remove_tree"]

_NO_LINK, _FOLDER = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_DIRECTORY"))


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, nested more deeply than Python calls."""
    missing = takewhile(lambda one: not one.is_dir(), chain([folder], folder.parents))
    for one in reversed([*missing]):
        one.mkdir(exist_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all that is in it, nested more deeply than Python calls.

    No link is followed, not even one that is put in the place of a folder meanwhile.

    Raises
    ------
    OSError
    """
    if sys.platform == "win32":
        shutil.rmtree(folder)
        return
    handle = os.open(folder, _FOLDER | _NO_LINK)
    try:
        levels = [(os.fstat(handle), _unlinked(handle))]
        while len(levels) > 1 or levels[0][1]:
            left = levels[-1][1]
            if left:
                handle = _step(handle, left[-1])
                levels.append((os.fstat(handle), _unlinked(handle)))
                continue
            levels.pop()
            handle = _step(handle, os.pardir)
            if not os.path.samestat(os.fstat(handle), levels[-1][0]):
                raise OSError(errno.ESTALE, "a folder was moved while it was removed", str(folder))
            os.rmdir(levels[-1][1].pop(), dir_fd=handle)
    finally:
        os.close(handle)
    folder.rmdir()


def _unlinked(handle: int) -> list[str]:
    """Unlink what is in an open folder, but for folders, whose names are returned."""
    with os.scandir(handle) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            os.unlink(name, dir_fd=handle)
    return [name for name, is_folder in found if is_folder]


def _step(handle: int, name: str) -> int:
    """Open a folder beside those of another, which is closed."""
    there = os.open(name, _FOLDER | _NO_LINK, dir_fd=handle)
    os.close(handle)
    return there

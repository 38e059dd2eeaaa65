"""Locks files and folders, so that one run at a time uses them."""

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

__all__ = ["try_lock", "try_lock_folders"]


@contextmanager
def try_lock_folders(folders: Iterable[str | os.PathLike[str]]) -> Iterator[bool]:
    """Keep other runs from folders and from all that is in them, or say that one is at work there.

    Each is held for this run alone, and every folder above it together with whoever
    is at work elsewhere below. Windows opens no folder as a file, so nothing is kept
    from it there.
    """
    with ExitStack() as held:
        own = {Path(folder).resolve() for folder in folders} if sys.platform != "win32" else set()
        above = {parent for folder in own for parent in folder.parents} - own
        locks = [(folder, True) for folder in sorted(own)] + [(one, False) for one in sorted(above)]
        yield all(_try_hold(folder, held, alone=alone) for folder, alone in locks)


def _try_hold(folder: Path, held: ExitStack, *, alone: bool) -> bool:
    """Lock a folder until `held` is closed."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return True  # Nobody can be at work on what cannot be listed.
    held.callback(os.close, handle)
    # While we waited, the folder may have been removed, and made anew for another.
    return try_lock(handle, alone=alone) and os.path.samestat(os.fstat(handle), folder.stat())


def try_lock(file: Any, *, alone: bool = True) -> bool:
    """Lock a file for as long as it is open, and return whether no other program has.

    Some network disks know no locks; then nothing is locked.

    Parameters
    ----------
    file : binary file, or its descriptor (not on Windows)
    alone : bool
        Whether others that do not ask for it alone are kept out, too.
    """
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            # Windows forbids to read what is locked, so it is a byte that does not exist.
            file.seek(1 << 30)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            finally:
                file.seek(0)  # What is written next belongs at the beginning.
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in {errno.EWOULDBLOCK, errno.EACCES}
    return True

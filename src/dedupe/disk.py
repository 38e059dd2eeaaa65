"""Writes files whole or not at all, and locks folders so that one run at a time uses them.

What is written stands under another name until it is whole, and is moved then, so that
neither Ctrl-C nor a full disk leaves half a file or destroys the one before.
"""

import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["check", "draft_of", "replace", "try_lock", "try_lock_folders", "write_all"]


def check(path: Path) -> None:
    """Refuse a path that `replace` could not write to, before the work and not after it.

    Raises
    ------
    OSError
        With the reason, as writing would raise it.
    """
    place = path if _is_special(path) else path.resolve().parent
    if not stat.S_ISDIR(place.stat().st_mode) and not _is_special(path):
        raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(place))
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write there", str(place))


def replace(path: Path, data: bytes) -> None:
    """Put data into a file in one step; a device or a pipe is written to as it is.

    Raises
    ------
    OSError
    """
    if _is_special(path):
        path.write_bytes(data)
        return
    # What a symbolic link points to is replaced, and not the link.
    path = path.resolve()
    draft = draft_of(path)
    try:
        with draft.open("xb") as file:
            file.write(data)
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except BaseException:  # Ctrl-C as well.
        draft.unlink(missing_ok=True)
        raise


def draft_of(path: Path) -> Path:
    """Return a name beside a file, hidden and new, for what is to become it."""
    return path.with_name(f".dedupe-{os.urandom(8).hex()}.tmp")


def write_all(stream: IO[bytes], data: bytes | memoryview) -> None:
    """Write all of some bytes; a stream without a buffer may take but a part of them.

    >>> import io
    >>> stream = io.BytesIO()
    >>> write_all(stream, b"all of it")
    >>> stream.getvalue()
    b'all of it'
    """
    left = memoryview(data)
    while left:
        # A pipe whose reader is busy may take none, and says so with None.
        left = left[stream.write(left) or 0 :]


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
    file : binary file or its descriptor
    alone : bool
        Whether others that do not ask for it alone are kept out, too.
    """
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            # Windows forbids to read what is locked, so it is a byte that does not exist.
            file.seek(1 << 30)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in {errno.EWOULDBLOCK, errno.EACCES}
    return True


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, whose place no file must take."""
    return path.exists() and not path.is_file()

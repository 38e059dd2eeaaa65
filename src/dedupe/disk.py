"""Files that are there as a whole or not at all, and folders that one run uses at a time.

What is written stands under another name until it is whole, and is moved then, so that
neither Ctrl-C nor a full disk leaves half a file or destroys the one before.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__all__ = ["check", "draft_of", "replace", "try_lock", "try_lock_folder", "write_all"]


def check(path: Path) -> None:
    """Refuse a path that `replace` could not write to, before the work and not after it.

    Raises
    ------
    OSError
        With the reason, as writing would raise it.
    """
    place = path if _is_special(path) else path.resolve().parent
    place.stat()
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
def try_lock_folder(folder: Path) -> Iterator[bool]:
    """Keep other runs from a folder, or say that one is at work there.

    Windows opens no folder as a file, so nothing is kept from it there.
    """
    if sys.platform == "win32":
        yield True
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield try_lock(handle)
    finally:
        os.close(handle)


def try_lock(file: Any) -> bool:
    """Lock a file for as long as it is open, and return whether no other program has.

    Some network disks know no locks; then nothing is locked.

    Parameters
    ----------
    file : binary file or its descriptor
    """
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            # Windows forbids to read what is locked, so it is a byte that does not exist.
            file.seek(1 << 30)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in {errno.EWOULDBLOCK, errno.EACCES}
    return True


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, whose place no file must take."""
    return path.exists() and not path.is_file()

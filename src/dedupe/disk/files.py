"""Writes files whole or not at all.

What is written stands under another name until it is whole, and is moved then, so that
neither Ctrl-C nor a full disk leaves half a file or destroys the one before. That name
follows from the first, so that the next run clears what a killed one has left.
"""

import errno
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import xxhash

from dedupe.disk.locks import try_lock

__all__ = [
    "DRAFT_NAME",
    "check",
    "clear_draft",
    "create",
    "draft_name",
    "lacks_room",
    "replace",
    "settle",
    "sync",
    "write_all",
]

PATIENCE = 10
"""Seconds to wait for another program that is writing the same file."""


def lacks_room(error: OSError) -> bool:
    """Return whether a disk is full, or full for this user.

    >>> lacks_room(OSError(errno.ENOSPC, "No space left on device"))
    True
    """
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


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
    with _draft(path, data) as name:
        if path.exists():
            shutil.copymode(path, name)
        name.replace(path)


def create(path: Path, data: bytes) -> None:
    """Put data into a new file in one step and for good, so that it outlives a crash.

    Raises
    ------
    FileExistsError
        When something has the name already.
    OSError
    """
    with _draft(path, data) as name:
        settle(name, path)


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


def sync(folder: str | os.PathLike[str]) -> None:
    """Wait until the names in a folder are on disk, where the system has a call for it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_all(stream: IO[bytes], data: bytes | bytearray | memoryview) -> None:
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
def _draft(path: Path, data: bytes) -> Iterator[Path]:
    """Write data beside a file that it is to become, on the disk; nothing else is left there."""
    name = _draft_of(path)
    with _created(name) as file:
        try:
            write_all(file, data)
            os.fsync(file.fileno())
            if sys.platform == "win32":
                file.close()  # Windows moves no file that is open.
            yield name
        finally:
            # Once it was moved, another may bear its name.
            if sys.platform == "win32":
                file.close()
                _clear(name)
            elif _is_at(file.fileno(), name):
                name.unlink(missing_ok=True)


def clear_draft(path: Path) -> None:
    """Remove what a killed run has left beside a file, unless another is writing there now."""
    _clear(_draft_of(path))


def draft_name(key: bytes) -> str:
    """Return a name for what is not finished yet: hidden, and the same for the same key.

    >>> draft_name(b"report.csv")
    '.dedupe-5120b709d86da4c7.tmp'
    """
    return f".dedupe-{xxhash.xxh3_64_hexdigest(key)}.tmp"


DRAFT_NAME = re.compile(r"\.dedupe-[0-9a-f]{16}\.tmp")
"""What `draft_name` returns."""


def _draft_of(path: Path) -> Path:
    """Return a name beside a file that follows from its own, and is no longer than others."""
    return path.with_name(draft_name(os.fsencode(path.name)))


def _created(name: Path) -> IO[bytes]:
    """Create a file that nobody else writes to, and lock it; what is written goes to it at once.

    Raises
    ------
    FileExistsError
        When another program has been writing to it for `PATIENCE` seconds.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            file = name.open("xb", buffering=0)
        except FileExistsError:
            if _clear(name):
                continue
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
            continue
        # Before it was locked, it may have been taken for one that was left.
        if try_lock(file) and _is_at(file.fileno(), name):
            return file
        file.close()


def _clear(name: Path) -> bool:
    """Remove a draft that nobody is writing, whatever it is; return whether it is gone."""
    if sys.platform == "win32":
        with suppress(PermissionError):  # Windows removes no file that is open.
            name.unlink(missing_ok=True)
            return True
        return False
    try:
        # Neither does a link lead elsewhere, nor does a pipe keep us waiting.
        handle = os.open(name, os.O_RDONLY | _NO_LINK | _NO_WAIT)
    except FileNotFoundError:
        return True
    except OSError:
        name.unlink(missing_ok=True)
        return True
    try:
        if not (try_lock(handle) and _is_at(handle, name)):
            return False
        name.unlink(missing_ok=True)
    finally:
        os.close(handle)
    return True


def _is_at(handle: int, name: Path) -> bool:
    """Return whether an open file still bears a name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), name.lstat())
    return False


_NO_LINK, _NO_WAIT = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK"))


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, whose place no file must take."""
    return path.exists() and not path.is_file()

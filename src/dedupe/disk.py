"""Writes files whole or not at all, and locks folders so that one run at a time uses them.

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
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, takewhile
from pathlib import Path
from typing import IO, Any

import xxhash

from dedupe.errors import CannotStore

__all__ = [
    "DRAFT_NAME",
    "check",
    "clear_draft",
    "create",
    "draft_name",
    "make_folders",
    "remove_tree",
    "replace",
    "settle",
    "storing",
    "sync",
    "temporary_file",
    "try_lock",
    "try_lock_folders",
    "write_all",
]

PATIENCE = 10
"""Seconds to wait for another program that is writing the same file."""


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


_NO_LINK, _NO_WAIT, _FOLDER = (
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY")
)


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


def temporary_file(buffering: int = -1) -> IO[bytes]:
    """Open a file without a name, of which nothing is left when it is closed.

    Raises
    ------
    CannotStore
    """
    with storing():
        return tempfile.TemporaryFile(prefix="dedupe-", buffering=buffering)


@contextmanager
def storing() -> Iterator[None]:
    """Say what can be done where temporary files cannot be written."""
    try:
        yield
    except CannotStore:  # It has been said, and is an OSError too.
        raise
    except OSError as error:
        raise CannotStore(
            f"temporary files must have room{_where()}, got {error.strerror or error}: free some, "
            "set TMPDIR to another folder, or give the search more memory= (--memory)"
        ) from error


def _where() -> str:
    """Say where temporary files go, if there is a place for them."""
    try:
        return f" in {tempfile.gettempdir()}"
    except OSError:
        return ""


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


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, whose place no file must take."""
    return path.exists() and not path.is_file()

"""Keeps on disk what takes long to make, machine code and tables, for the next process.

Files lie where numba keeps what it compiled: in ``NUMBA_CACHE_DIR``, else beside the
source, else in the user's cache folder. numba unpickles what lies there; here nothing is
unpickled, a file that somebody else may write to is not read, and one that is damaged or
of another version is as good as none. Where nothing can be written, it is made again.
"""

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["digest", "folders", "has_any", "keep", "load"]


def load(source: Path, name: str, made_for: str) -> bytes | None:
    """Return what was kept under a name; None if there is none, or none that is sound.

    Parameters
    ----------
    source : Path
        The Python file that makes it.
    name : str
        A new version takes the place of the old one of this name.
    made_for : str
        What it depends on, as `digest` returns it. A file made for something else is none.
    """
    for folder in folders(source):
        with suppress(OSError, ValueError):
            return _read(folder / name, source, made_for)
    return None


def has_any(source: Path, prefix: str, made_for: str) -> bool:
    """Return whether anything is kept under a name that begins so."""
    with suppress(OSError):
        for folder in folders(source):
            for path in folder.glob(f"{prefix}*"):
                with suppress(OSError, ValueError):
                    _read(path, source, made_for)
                    return True
    return False


def keep(source: Path, name: str, made_for: str, data: bytes) -> OSError | None:
    """Write something in one step into the first folder that can be written.

    Return why the last of them could not, if none can.
    """
    body = made_for.encode() + b"\n" + data
    failed = None
    for folder in folders(source):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / name, digest(body).encode() + b"\n" + body)
        except OSError as error:
            failed = error
        else:
            return None
    return failed


def digest(*parts: bytes) -> str:
    """Return a digest of some parts, which differs if any of them does.

    >>> digest(b"ab", b"c") == digest(b"a", b"bc")
    False
    """
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()


def folders(source: Path) -> Iterator[Path]:
    """Yield the folders that numba keeps code of a source file in, in its order."""
    parent = source.absolute().parent
    name = f"{parent.name}_{hashlib.sha1(str(parent).encode(), usedforsecurity=False).hexdigest()}"
    # numba reads the variable once, and a program may set what it read.
    config = sys.modules.get("numba.core.config")
    chosen = getattr(config, "CACHE_DIR", None) or os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        yield Path(chosen, name)
    yield parent / "__pycache__"
    # On Windows and macOS the user's folder has no simple name: numba alone uses it there.
    if sys.platform == "linux":
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "numba", name)


def _read(path: Path, source: Path, made_for: str) -> bytes:
    """Return what a file holds, if it is ours, sound, and made for the same."""
    with path.open("rb") as file:
        _check_owner(os.fstat(file.fileno()), source)
        found, _, body = file.read().partition(b"\n")
    if found != digest(body).encode():
        raise ValueError(f"a file must be as it was written, got {path}")
    head, _, data = body.partition(b"\n")
    if head != made_for.encode():
        raise ValueError(f"a file must be made for {made_for}, got {path}")
    return data


def _check_owner(status: os.stat_result, source: Path) -> None:
    """Refuse what others could have written than we, or who may write the program itself."""
    if not hasattr(os, "geteuid"):
        return
    owners = (os.geteuid(), source.stat().st_uid)
    if status.st_uid not in owners or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("a file must be writable for its owner alone")


def _write(path: Path, data: bytes) -> None:
    """Write a file in one step, readable for everybody and writable for us."""
    number, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise

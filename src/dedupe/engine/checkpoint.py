"""Keeps finished work in a folder, so that an interrupted run can go on from there.

A run consists of stages, a stage of blocks that come in a fixed order, and what
comes of a block is a few arrays. These are appended to a file of their stage as
soon as they are there; how they stand in it is left to `dedupe.engine.finished`.
"""

import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn, Self, TypeVar

import xxhash

from dedupe import disk
from dedupe.engine.finished import Arrays, append, finished
from dedupe.errors import CannotStore, InvalidCheckpoint
from dedupe.threads import map_in_order

__all__ = ["Checkpoint"]

FORMAT = "dedupe-checkpoint-3"

MAX_HEADER = 1 << 16
"""Bytes of a header that are read; it has a few hundred."""

# A search passes over hidden names, should the folder lie among what it reads.
HEADER = ".dedupe-checkpoint.json"
BLOCKS = ".{stage}.blocks"

Given = TypeVar("Given")


class Checkpoint:
    """The finished blocks of one run.

    Parameters
    ----------
    folder : Path, optional
        Is made if it does not exist. It may hold nothing but an earlier checkpoint.
        Without a folder all work is done, and nothing is kept.
    identity : mapping, optional
        What decides about the result besides the input, as JSON has it: versions
        and the settings.

    Raises
    ------
    InvalidCheckpoint
        When the folder holds other files or a checkpoint of another identity, or
        when another run uses it.
    CannotStore
        When the folder cannot be made or written to.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> folder = Path(tempfile.mkdtemp())
    >>> square = lambda n: (np.array([n * n]),)
    >>> with Checkpoint(folder) as checkpoint:
    ...     [block[0].item() for block in checkpoint.map("squares", square, [1, 2], 1)]
    [1, 4]
    >>> with Checkpoint(folder) as checkpoint:
    ...     [block[0].item() for block in checkpoint.map("squares", "never called", [1, 2], 1)]
    ...     checkpoint.clear()
    [1, 4]
    >>> folder.exists()
    False
    """

    def __init__(self, folder: Path | None = None, identity: Mapping[str, Any] | None = None):
        self.folder = folder
        self._seed = 0
        self._lock: IO[bytes] | None = None
        if folder is not None:
            try:
                self._open_folder(folder, {"format": FORMAT, **(identity or {})})
            except BaseException as error:
                self.__exit__()
                if isinstance(error, OSError):
                    raise _cannot_store(folder, error) from error
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object = None, error: object = None, __: object = None) -> None:
        """Let other runs use the folder."""
        if self.folder is not None and isinstance(error, KeyboardInterrupt):
            error.add_note(f"the same command goes on from {self.folder}")
        if self._lock is not None:
            self._lock.close()

    def bind(self, key: str) -> None:
        """Say what the input is, by a digest: blocks that are of another one count as damaged."""
        self._seed = xxhash.xxh3_64_intdigest(key.encode())

    def map(
        self,
        stage: str,
        function: Callable[[Given], Arrays],
        items: Iterable[Given],
        workers: int,
        fits: Callable[[Given, Arrays], bool] | None = None,
    ) -> Iterator[Arrays]:
        """Do the work of a stage, except for the blocks that are finished.

        Parameters
        ----------
        stage : str
            Names the file.
        function : callable
            From an item to the arrays of its block.
        items : iterable
            All of them, in the order of every run.
        workers : int
        fits : callable, optional
            Whether the arrays of a finished block can be those of its item.

        Yields
        ------
        tuple of arrays
            Of each block, in the order of the items.

        Raises
        ------
        InvalidCheckpoint
            When a finished block does not fit, or has no item.
        CannotStore
            When the file cannot be written.
        """
        if self.folder is None:
            yield from map_in_order(function, items, workers)
            return
        left = iter(items)
        with self._open(stage) as file:
            n_blocks = 0
            for arrays in self._finished(file):
                given = list(_first(left))
                self._check(bool(given) and (fits is None or fits(given[0], arrays)))
                n_blocks += 1
                yield arrays
            for arrays in map_in_order(function, left, workers):
                self._append(file, arrays, n_blocks)
                n_blocks += 1
                yield arrays

    def once(
        self, stage: str, make: Callable[[], Arrays], fits: Callable[[Arrays], bool]
    ) -> Arrays:
        """Do the work of a stage that is one block in the calling thread, unless it is finished.

        Parameters and errors are those of `map`, but that there is no item.
        """
        if self.folder is None:
            return make()
        with self._open(stage) as file:
            for arrays in self._finished(file):
                self._check(fits(arrays))
                return arrays
            arrays = make()
            self._append(file, arrays, 0)
            return arrays

    def clear(self) -> None:
        """Remove the files, and the folder if nothing else is in it."""
        if self.folder is None or self._lock is None:
            return
        for path in self.folder.glob(BLOCKS.format(stage="*")):
            path.unlink()
        if sys.platform == "win32":
            self._lock.close()  # Windows removes no file that is open.
        (self.folder / HEADER).unlink(missing_ok=True)
        self._lock.close()
        with suppress(OSError):
            self.folder.rmdir()

    def _open_folder(self, folder: Path, identity: dict[str, Any]) -> None:
        """Look whose folder it is before anything in it is touched, and take it."""
        if folder.exists() and not folder.is_dir():
            self._refuse("be a folder, got a file", "name another place")
        disk.make_folders(folder)
        header = folder / HEADER
        expected = json.dumps(identity).encode()
        found = b""
        if os.path.lexists(header):
            with self._own(HEADER, os.O_RDONLY) as file:
                found = file.read(MAX_HEADER)
        # A run that was killed at its very start has noted half of it, or nothing.
        if not expected.startswith(found):
            self._compare(found, identity)
        others = [path.name for path in folder.iterdir() if not _is_ours(path.name)]
        if others:
            self._refuse(f"hold nothing else, got {min(others)!r}", "name an empty folder")
        self._lock = self._own(HEADER, os.O_RDWR | os.O_CREAT)
        if not disk.try_lock(self._lock):
            self._refuse("be used by one run at a time, got two", "wait, or name another folder")
        if found != expected:
            self._lock.truncate(0)
            self._lock.seek(0)
            disk.write_all(self._lock, expected)

    def _compare(self, found: bytes, identity: dict[str, Any]) -> None:
        """Refuse a checkpoint of another identity, and name what differs."""
        try:
            earlier = json.loads(found)
        except ValueError:
            earlier = None
        if not isinstance(earlier, dict) or "format" not in earlier:
            self._refuse("hold a checkpoint or nothing, got another file", "name an empty folder")
        if earlier != json.loads(json.dumps(identity)):
            changed = [key for key in (identity | earlier) if earlier.get(key) != identity.get(key)]
            named = ", ".join(f"{key} {earlier.get(key)!r}" for key in changed)
            self._refuse(
                f"be of the same version and settings, got {named}",
                "use those again, or name another folder",
            )

    def _open(self, stage: str) -> IO[bytes]:
        """Open the file of a stage, to be read first and then to be written on."""
        assert self.folder is not None
        try:
            return self._own(BLOCKS.format(stage=stage), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise _cannot_store(self.folder, error) from error

    def _own(self, name: str, flags: int) -> IO[bytes]:
        """Open a file of the folder, and nothing that leads out of it or keeps one waiting.

        A folder may come from elsewhere, with links and pipes under the names that are used.
        """
        assert self.folder is not None
        path = self.folder / name
        if path.is_symlink():
            self._refuse(f"hold files, got the link {name}", "name an empty folder")
        no_link, no_wait = (getattr(os, one, 0) for one in ("O_NOFOLLOW", "O_NONBLOCK"))
        binary = getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags | no_link | no_wait | binary, 0o666)
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_nlink > 1:
            os.close(handle)
            self._refuse(f"hold files of its own, got {name}", "name an empty folder")
        return os.fdopen(handle, "rb" if flags == os.O_RDONLY else "r+b", buffering=0)

    def _finished(self, file: IO[bytes]) -> Iterator[Arrays]:
        """Yield the blocks of a file, or refuse those that nobody here has written."""
        try:
            yield from finished(file, self._seed)
        except ValueError as error:
            self._refuse(f"hold blocks as they are written, got {error}", "name an empty folder")

    def _append(self, file: IO[bytes], arrays: Arrays, place: int) -> None:
        """Write the arrays of a block behind those before."""
        try:
            append(file, arrays, self._seed, place)
        except OSError as error:
            assert self.folder is not None
            raise _cannot_store(self.folder, error) from error

    def _check(self, fits: bool) -> None:
        """Refuse blocks of another input."""
        if not fits:
            self._refuse(
                "be of the same documents in the same order, got others",
                "give the same input, or name another folder",
            )

    def _refuse(self, rule: str, remedy: str) -> NoReturn:
        raise InvalidCheckpoint(f"the checkpoint in {self.folder} must {rule}: {remedy}")


def _cannot_store(folder: Path, error: OSError) -> CannotStore:
    return CannotStore(
        disk.too_many_open(error)
        or f"a checkpoint folder must have room and be writable, got {error.strerror or error} "
        f"for {folder}: free some room, or name another folder"
    )


def _is_ours(name: str) -> bool:
    """Tell whether a name in the folder is one that a checkpoint gives."""
    before, after = BLOCKS.split("{stage}")
    return name == HEADER or (name.startswith(before) and name.endswith(after))


def _first(items: Iterator[Given]) -> Iterator[Given]:
    """Yield the next item, if there is one."""
    for item in items:
        yield item
        return

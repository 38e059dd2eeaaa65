"""What a run has finished, in a folder, so that an interrupted run can go on from there.

A run consists of stages, a stage of blocks that come in a fixed order, and what
comes of a block is a few arrays. These are appended to a file of their stage as
soon as they are there. A run that was killed may have left half a block at the end
of a file; it is recognised by its digest and made again. Which settings a
checkpoint belongs to is checked here; whether it belongs to the same input is
known to `dedupe.corpus`, which reads that anew.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe.errors import InvalidCheckpoint
from dedupe.threads import map_in_order

__all__ = ["Checkpoint", "NoCheckpoint"]

FORMAT = "dedupe-checkpoint"
HEADER = "checkpoint.json"
SUFFIX = ".blocks"
PREFIX_BYTES = 16
"""In front of each block: its length and its digest, eight bytes each."""

Arrays = tuple[npt.NDArray[Any], ...]
Given = TypeVar("Given")


class NoCheckpoint:
    """Takes the place of a checkpoint where none was asked for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the folder, if there is one."""

    def map(
        self,
        stage: str,  # noqa: ARG002  A checkpoint needs it.
        function: Callable[[Given], Arrays],
        items: Iterable[Given],
        workers: int,
    ) -> Iterator[Arrays]:
        """Do the work of a stage; see `dedupe.threads.map_in_order`."""
        return map_in_order(function, items, workers)

    def once(
        self,
        stage: str,  # noqa: ARG002
        make: Callable[[], Arrays],
    ) -> Arrays:
        """Do the work of a stage that is one block, in the calling thread."""
        return make()

    def clear(self) -> None:
        """Do nothing: there is no folder."""


class Checkpoint(NoCheckpoint):
    """A folder with what is finished of one run.

    Parameters
    ----------
    folder : Path
        Is made if it does not exist. It may hold nothing but an earlier checkpoint.
    facts : mapping
        What decides about the result besides the input, as JSON has it: a version
        and the settings.

    Raises
    ------
    InvalidCheckpoint
        When the folder holds other files, or a checkpoint with other facts.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> squares = lambda n: (np.array([n * n]),)
    >>> with Checkpoint(folder, {}) as checkpoint:
    ...     [block[0].item() for block in checkpoint.map("squares", squares, [1, 2], 1)]
    [1, 4]
    >>> with Checkpoint(folder, {}) as checkpoint:
    ...     [block[0].item() for block in checkpoint.map("squares", "never called", [1, 2], 1)]
    ...     checkpoint.clear()
    [1, 4]
    >>> folder.exists()
    False
    """

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / HEADER).open("a+b")
        try:
            _lock(self._lock, folder)
            self._check({"format": FORMAT, **facts})
        except BaseException:
            self._lock.close()
            raise

    def __exit__(self, *_: object) -> None:
        """Let other runs use the folder."""
        self._lock.close()

    def map(
        self,
        stage: str,
        function: Callable[[Given], Arrays],
        items: Iterable[Given],
        workers: int,
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

        Yields
        ------
        tuple of arrays
            Of each block, in the order of the items.

        Raises
        ------
        InvalidCheckpoint
            When there are more finished blocks than items.
        """
        left = iter(items)
        with self._open(stage) as file:
            for arrays in _finished(file):
                next(left, None)
                yield arrays
            for arrays in map_in_order(function, left, workers):
                _append(file, arrays)
                yield arrays

    def once(self, stage: str, make: Callable[[], Arrays]) -> Arrays:
        """Do the work of a stage that is one block, unless it is finished.

        Parameters
        ----------
        stage : str
        make : callable
            Returns the arrays.
        """
        with self._open(stage) as file:
            for arrays in _finished(file):
                return arrays
            arrays = make()
            _append(file, arrays)
            return arrays

    def _open(self, stage: str) -> IO[bytes]:
        """Open the file of a stage, to be read first and then to be written on."""
        return (self.folder / f"{stage}{SUFFIX}").open("a+b", buffering=0)

    def clear(self) -> None:
        """Remove the files, and the folder if nothing else is in it."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            path.unlink()
        # Windows removes no file that is open.
        self._lock.close()
        (self.folder / HEADER).unlink()
        with suppress(OSError):
            self.folder.rmdir()

    def _check(self, facts: dict[str, Any]) -> None:
        """Compare what an earlier run has noted, or note it."""
        path = self.folder / HEADER
        found = path.read_text("utf-8")
        # A run that was killed at its very start has noted nothing, or half of it.
        if not any(self.folder.glob(f"*{SUFFIX}")):
            others = [other.name for other in self.folder.iterdir() if other != path]
            if others:
                self._refuse(f"hold nothing else, got {min(others)!r}", "name an empty folder")
            path.write_text(json.dumps(facts), "utf-8")
            return
        try:
            earlier = json.loads(found)
        except ValueError:
            earlier = {}
        if earlier != json.loads(json.dumps(facts)):
            named = earlier if isinstance(earlier, dict) else {}
            changed = [f"{key} {named.get(key)!r}" for key in facts if named.get(key) != facts[key]]
            self._refuse(
                f"be of the same version and settings, got {', '.join(changed)}",
                "use those again, or name another folder",
            )

    def _refuse(self, rule: str, remedy: str) -> None:
        raise InvalidCheckpoint(f"the checkpoint in {self.folder} must {rule}: {remedy}")


def _lock(file: IO[bytes], folder: Path) -> None:
    """Keep other runs from a folder for as long as its file is open, where the system can."""
    try:
        import fcntl  # noqa: PLC0415  Not on Windows.
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InvalidCheckpoint(
            f"the checkpoint in {folder} must be used by one run at a time, got two: "
            "wait for the other, or name another folder"
        ) from error


def _append(file: IO[bytes], arrays: Arrays) -> None:
    """Write the arrays of a block behind those before."""
    block = io.BytesIO()
    block.write(bytes([len(arrays)]))
    for array in arrays:
        np.lib.format.write_array(block, np.ascontiguousarray(array), allow_pickle=False)
    data = block.getvalue()
    prefix = np.array([len(data), xxhash.xxh3_64_intdigest(data)], "<u8").tobytes()
    left = memoryview(prefix + data)
    while left:
        left = left[file.write(left) :]


def _finished(file: IO[bytes]) -> Iterator[Arrays]:
    """Yield the blocks of a file, and cut off what is not whole at its end."""
    file.seek(0)
    end = 0
    while (data := _block(file)) is not None:
        end = file.tell()
        yield _arrays(data)
    file.truncate(end)
    file.seek(end)


def _block(file: IO[bytes]) -> bytes | None:
    """Return the next block of a file as bytes, or None where there is no whole one."""
    prefix = _read(file, PREFIX_BYTES)
    if len(prefix) < PREFIX_BYTES:
        return None
    n_bytes, digest = np.frombuffer(prefix, "<u8").tolist()
    data = _read(file, n_bytes)
    return data if len(data) == n_bytes and xxhash.xxh3_64_intdigest(data) == digest else None


def _read(file: IO[bytes], n_bytes: int) -> bytes:
    """Return so many bytes of a file, or what is left; one read may return less."""
    parts = []
    while n_bytes and (part := file.read(min(n_bytes, 1 << 24))):
        parts.append(part)
        n_bytes -= len(part)
    return b"".join(parts)


def _arrays(data: bytes) -> Arrays:
    """Return the arrays of a block."""
    block = io.BytesIO(data)
    (n_arrays,) = block.read(1)
    return tuple(np.lib.format.read_array(block, allow_pickle=False) for _ in range(n_arrays))

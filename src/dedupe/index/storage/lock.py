"""Lets one program at a time write to an index, and tells others who it is."""

import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from dedupe.disk import try_lock
from dedupe.errors import IndexInUse, InvalidIndex

__all__ = ["NAME", "Lock"]

NAME = "lock"
"""The file that is locked; what it says is for people alone."""

PAUSE = 0.02
"""Seconds between two tries, which nobody notices."""


class Lock:
    """Holds an index for as long as it is open.

    Parameters
    ----------
    folder : path
    timeout : float
        Seconds to wait for another.

    Raises
    ------
    IndexInUse
        When another program has it all that time.
    InvalidIndex
        When the file system cannot lock, as that of some network disks.
    """

    def __init__(self, folder: Path, timeout: float) -> None:
        path = folder / NAME
        # What a link leads to is not this program's to write to, and a pipe is no file.
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise InvalidIndex(
                f"the lock of an index must be a file, got {path}, which is none: remove it"
            )
        self._file = path.open("a+b", buffering=0)
        end = time.monotonic() + timeout
        while not try_lock(self._file):
            if time.monotonic() >= end:
                said = _said(path)
                self._file.close()
                raise IndexInUse(
                    f"one program at a time may write to an index, got {folder}, which is held "
                    f"by {said}: let it finish, wait for more seconds (timeout, --timeout), or "
                    "only read meanwhile"
                )
            time.sleep(PAUSE)
        with path.open("r+b") as other:
            # Where nothing can be locked, everybody is told to have done so.
            if try_lock(other):
                self._file.close()
                raise InvalidIndex(
                    f"an index must be on a file system that can lock files, got {folder}: put it "
                    "on a local disk, and let others ask a server there"
                )
        said = f"process {os.getpid()} on {socket.gethostname()} since {_now()}"
        self._file.truncate(0)
        self._file.write(said.encode())

    def close(self) -> None:
        """Let others write."""
        self._file.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _said(path: Path) -> str:
    """Return what the holder has said of itself."""
    said = path.read_text(encoding="utf-8", errors="replace")[:200].strip()
    return said or "another program"

"""A report on disk: there as a whole, or not at all.

It is written beside its place under another name and then moved there, so that
neither Ctrl-C nor a full disk leaves half a report or destroys the one before.
"""

import os
from pathlib import Path

__all__ = ["check", "replace"]


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
        raise PermissionError(0, "no permission to write there", str(place))


def replace(path: Path, data: bytes) -> None:
    """Put data into a file in one step; a device or a pipe is written to as it is."""
    if _is_special(path):
        path.write_bytes(data)
        return
    # What a symbolic link points to is replaced, and not the link.
    path = path.resolve()
    draft = path.with_name(f".dedupe-{os.urandom(8).hex()}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
        draft.replace(path)
    except BaseException:  # Ctrl-C as well.
        draft.unlink(missing_ok=True)
        raise


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, whose place no file must take."""
    return path.exists() and not path.is_file()

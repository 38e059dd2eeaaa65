"""Where cleaned files go, and how: under another name first, then all of them in place.

What is written is left to the modules of the formats.
"""

import bz2
import gzip
import lzma
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from dedupe.cleaning.inputs import Inputs, is_inside
from dedupe.documents.formats import FORMATS, suffixes
from dedupe.documents.streams import PACKINGS
from dedupe.errors import CannotClean, InvalidSetting, MissingExtra

__all__ = ["STDOUT", "Drafts", "packed", "targets"]

STDOUT = "-"
"""What stands for standard output; a file of this name is ``./-``."""


def targets(inputs: Inputs, output: str) -> dict[str, str]:
    """Return where each file goes, by its place among the inputs.

    Raises
    ------
    InvalidSetting
        When a file cannot go there without harm to an input, or would be of
        another format than its name says.
    """
    if inputs.is_one_file and not os.path.isdir(output):  # noqa: PTH112
        found = dict.fromkeys(inputs.entries, output)
        for place in found:
            _check_format(place, output)
    else:
        _check_is_folder(inputs, output)
        found = {place: os.path.join(output, place) for place in inputs.entries}  # noqa: PTH118
    for target in found.values():
        if target != STDOUT:
            _check_target(target, inputs.keys | inputs.kept_in.keys)
    return found


def _check_format(place: str, output: str) -> None:
    """Refuse a name that promises another format than that of the input."""
    given, wanted = suffixes(place)[0], suffixes(output)[0]
    if output != STDOUT and wanted in FORMATS and wanted and FORMATS[wanted] != FORMATS.get(given):
        raise InvalidSetting(
            f"output must be of the format of the input, {given or 'text'}, got {output!r}: "
            "only the compression may be another"
        )


def _check_is_folder(inputs: Inputs, output: str) -> None:
    """Refuse a place that cannot hold several files, or is one of those that are read."""
    suffix, packing = suffixes(output)
    is_file_name = packing or (suffix and suffix in FORMATS)
    if output == STDOUT or (
        not os.path.isdir(output) and (os.path.lexists(output) or is_file_name)  # noqa: PTH112
    ):
        raise InvalidSetting(
            f"output must be a folder where the input is a folder or several files, got {output!r}"
        )
    if inputs.holds(output):
        raise InvalidSetting(
            f"output must stand outside the folders that are cleaned, got {output!r}: "
            "name another, such as one beside it"
        )


def _check_target(target: str, keys: frozenset[tuple[int, int | str]]) -> None:
    """Refuse to write over an input, a folder, a device or a pipe."""
    try:
        info = os.stat(target)  # noqa: PTH116
    except OSError:
        return
    if (info.st_dev, info.st_ino or os.path.realpath(target)) in keys:
        raise InvalidSetting(f"output must not be one of the inputs, got {target!r}: name another")
    if not os.path.isfile(target):  # noqa: PTH113
        raise InvalidSetting(f"output must be a file or a folder, got {target!r}, which is neither")


class Drafts:
    """Files that are being written: in place together with the last one, or not at all."""

    def __init__(self, output: str) -> None:
        self.root = output
        self._drafts: list[tuple[Path, Path]] = []
        self._piped: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for draft, _place in self._drafts:
            draft.unlink(missing_ok=True)
        if self._piped is not None:
            self._piped.close()

    @contextmanager
    def open(self, target: str) -> Iterator[IO[bytes]]:
        """Open what is to become a file."""
        if target == STDOUT:
            # What is piped on cannot be taken back, so nothing is before all is well.
            self._piped = tempfile.TemporaryFile()  # noqa: SIM115  `__exit__` closes it.
            yield self._piped
            return
        path = self._place(target)
        draft = path.with_name(f".dedupe-{os.urandom(8).hex()}.tmp")
        try:
            with draft.open("xb") as stream:
                yield stream
        except BaseException:  # Ctrl-C as well.
            draft.unlink(missing_ok=True)
            raise
        self._drafts.append((draft, path))

    def _place(self, target: str) -> Path:
        """Return where a file will stand, its folder made and no link followed out of it."""
        if target == self.root:
            # What a link that was named points to is replaced, and not the link.
            return Path(target).resolve()
        path = Path(target)
        if not is_inside(path.parent, self.root):
            raise CannotClean(f"{path.parent} is a link out of {self.root}: remove the link")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def commit(self) -> tuple[Path, ...]:
        """Put everything in its place."""
        written: dict[tuple[int, int], Path] = {}
        for draft, path in self._drafts:
            info = path.stat() if path.exists() else None
            # Names may differ only for us: in capitals, say.
            if info is not None and (other := written.get((info.st_dev, info.st_ino))):
                raise CannotClean(f"{path} and {other} are one file there: clean each by itself")
            draft.replace(path)
            info = path.stat()
            written[info.st_dev, info.st_ino] = path
        self._drafts.clear()
        if self._piped is not None:
            self._piped.seek(0)
            shutil.copyfileobj(self._piped, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return tuple(written.values())


@contextmanager
def packed(stream: IO[bytes], packing: str) -> Iterator[IO[bytes]]:
    """Compress what is written to a stream; the same input gives the same bytes."""
    with _PACKERS[packing](stream) as packer:
        yield packer


@contextmanager
def _as_it_is(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Write without compression."""
    yield stream


def _zstd(stream: IO[bytes]) -> Any:
    """Compress with Zstandard."""
    try:
        import zstandard  # noqa: PLC0415  An optional dependency.
    except ImportError as error:
        raise MissingExtra("a .zst file", "zstd") from error
    return zstandard.ZstdCompressor().stream_writer(stream, closefd=False)


_PACKERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "": _as_it_is,
    # A time or a name in its head would make each run differ.
    ".gz": lambda stream: gzip.GzipFile("", "wb", 6, stream, mtime=0),
    ".xz": lambda stream: lzma.LZMAFile(stream, "wb"),  # noqa: SIM115  `packed` closes it.
    ".bz2": lambda stream: bz2.BZ2File(stream, "wb"),
    ".zst": _zstd,
}
assert _PACKERS.keys() == PACKINGS.keys()

"""Where cleaned files go, and how: under another name first, then all of them in place.

What is written is left to the modules of the formats.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from dedupe import disk
from dedupe.cleaning.inventory import Entry, Inputs
from dedupe.documents.folders import is_inside
from dedupe.documents.formats import JSON_LINES, format_of, suffixes
from dedupe.documents.streams import CHUNK
from dedupe.errors import CannotClean, InvalidSetting

__all__ = ["STDOUT", "Drafts", "is_joined", "targets"]

STDOUT = "-"
"""What stands for standard output; a file of this name is ``./-``."""

DRAFTS = "drafts"
"""Where drafts stand in their folder, so that no name of theirs is that of `MARK`."""

MARK = ".dedupe-drafts-only"
"""A file that tells a folder for drafts from any other of its name."""


def targets(
    inputs: Inputs, output: str, also_read: frozenset[tuple[int, int | str]] = frozenset()
) -> dict[str, str]:
    """Return where each file goes, by its place among the inputs.

    Parameters
    ----------
    inputs : Inputs
    output : str
    also_read : frozenset
        Device and number of other files that nothing may be written over.

    Raises
    ------
    InvalidSetting
        When a file cannot go there without harm to an input, or would be of
        another format than its name says.
    """
    is_one_file = inputs.is_one_file and not os.path.isdir(output)  # noqa: PTH112
    if is_joined(inputs, output):
        is_one_file = True
        _check_is_outside(inputs, output)
        found = dict.fromkeys(inputs.entries, output)
    elif is_one_file:
        found = dict.fromkeys(inputs.entries, output)
        for entry in inputs.entries.values():
            _check_format(entry, output)
    else:
        _check_is_folder(inputs, output)
        found = {place: os.path.join(output, place) for place in inputs.entries}  # noqa: PTH118
    if output != STDOUT:
        _check_room(output, is_one_file=is_one_file)
    read = inputs.keys | inputs.kept_in(is_old=True).keys | also_read
    for target in {*found.values()} if is_one_file else found.values():
        if target != STDOUT:
            _check_target(target, read)
    return found


def is_joined(inputs: Inputs, output: str) -> bool:
    """Return whether one file of JSON Lines is to have the documents of all inputs.

    A single file of this format is written anew as it is instead, with its bytes.
    """
    format_ = format_of(output)
    if output == STDOUT or format_ is not JSON_LINES or os.path.isdir(output):  # noqa: PTH112
        return False
    formats = [entry.format for entry in inputs.entries.values()]
    return not (inputs.is_one_file and formats == [JSON_LINES])


def _check_format(entry: Entry, output: str) -> None:
    """Refuse a name that promises another format than that of the input."""
    given = suffixes(entry.place)[0] or (entry.format.name if entry.format else "text")
    if output != STDOUT and suffixes(output)[0] and format_of(output) not in (None, entry.format):
        raise InvalidSetting(
            f"output must be of the format of the input, {given}, got {output!r}: "
            "only the compression may be another, or JSON Lines, as in all.jsonl"
        )


def _check_is_folder(inputs: Inputs, output: str) -> None:
    """Refuse a place that cannot hold several files, or is one of those that are read."""
    suffix, packing = suffixes(output)
    is_file_name = packing or (suffix and format_of(output))
    if output == STDOUT or (
        not os.path.isdir(output) and (os.path.lexists(output) or is_file_name)  # noqa: PTH112
    ):
        raise InvalidSetting(
            "output must be a folder, or a file of JSON Lines such as all.jsonl, where the input "
            f"is a folder or several files, got {output!r}"
        )
    _check_is_outside(inputs, output)


def _check_is_outside(inputs: Inputs, output: str) -> None:
    """Refuse a place in what is cleaned, which the next run would take for more of it."""
    if inputs.holds(output):
        raise InvalidSetting(
            f"output must stand outside the folders that are cleaned, got {output!r}: "
            "name another, such as one beside it"
        )


def _check_room(output: str, *, is_one_file: bool) -> None:
    """Refuse a place where nothing can be written, before the search and not after it."""
    place = Path(output).resolve()
    while not is_one_file and not place.exists():
        place = place.parent
    disk.check(place if is_one_file else place / "any")


def _check_target(target: str, keys: frozenset[tuple[int, int | str]]) -> None:
    """Refuse to write over an input, a folder, a device or a pipe."""
    # As it will be written to: a way may lead through a folder that is not there, and back.
    target = os.path.realpath(target)
    try:
        info = os.stat(target)  # noqa: PTH116
    except FileNotFoundError:
        return
    if (info.st_dev, info.st_ino or os.path.realpath(target)) in keys:
        raise InvalidSetting(f"output must not be one of the inputs, got {target!r}: name another")
    if not os.path.isfile(target):  # noqa: PTH113
        raise InvalidSetting(f"output must be a file or a folder, got {target!r}, which is neither")


class Drafts:
    """Files that are being written: in place together at the end, or not at all.

    Until then they stand in a hidden folder.

    Parameters
    ----------
    output : str
        The folder, or the one file, that is written.
    is_one_file : bool
    """

    def __init__(self, output: str, *, is_one_file: bool) -> None:
        self.output = output
        # What a link that was named points to is replaced, and not the link.
        self.root = Path(output).resolve()
        self.is_one_file = is_one_file
        name = f".dedupe-drafts-{self.root.name}"
        self._folder = self.root.with_name(name) if is_one_file else self.root / ".dedupe-drafts"
        self._drafts: dict[Path, Path] = {}
        self._piped: IO[bytes] | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        if self.output != STDOUT:
            self._held.enter_context(_alone_in(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    @contextmanager
    def open(self, target: str, like: str | None, *, is_copy: bool = False) -> Iterator[IO[bytes]]:
        """Open what is to become a file.

        Parameters
        ----------
        target : str
        like : str or None
            The file that it is made of, whose permissions it gets, if it is made of one.
        is_copy : bool
            Whether it gets its times, too.
        """
        if target == STDOUT:
            # What is piped on cannot be taken back, so nothing is before all is well.
            self._piped = self._held.enter_context(disk.temporary_file())
            yield self._piped
            return
        path, draft = self._places(target)
        disk.make_folders(draft.parent)
        try:
            stream = draft.open("xb")
        except FileExistsError as error:
            # Names may differ only for us: in capitals, say.
            raise CannotClean(f"{path} and another are one file there: clean each alone") from error
        try:
            with stream:
                yield stream
            if like is not None:
                (shutil.copystat if is_copy else shutil.copymode)(like, draft)
        except BaseException:  # It may be opened anew.
            draft.unlink(missing_ok=True)
            raise
        self._drafts[draft] = path

    def commit(self) -> tuple[Path, ...]:
        """Put everything in its place."""
        for path in self._drafts.values():
            disk.make_folders(path.parent)
        for draft, path in self._drafts.items():
            draft.replace(path)
        if self._piped is not None:
            self._piped.seek(0)
            while chunk := self._piped.read(CHUNK):
                disk.write_all(sys.stdout.buffer, chunk)
            sys.stdout.buffer.flush()
        return tuple(self._drafts.values())

    def _places(self, target: str) -> tuple[Path, Path]:
        """Return where a file will stand, no link followed out of the folder, and its draft."""
        if self.is_one_file:
            return self.root, self._folder / DRAFTS / self.root.name
        path = Path(target)
        if not is_inside(path.parent, self.root):
            raise CannotClean(f"{path.parent} is a link out of {self.root}: remove the link")
        return path, self._folder / DRAFTS / path.relative_to(self.output)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make a folder to work in, and leave nothing of it, nor of what a killed run left in it."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    disk.make_folders(folder)
    with disk.try_lock_folders([folder]) as is_ours:
        if not is_ours:
            raise CannotClean(
                f"a place must be written to by one run at a time, got another in {folder}: "
                "wait until it is done"
            )
        _clear(folder)
        try:
            yield
        finally:
            with suppress(OSError):  # What stays is hidden, and the next run clears it.
                _empty(folder)
                disk.remove_tree(folder)
            for path in made[1:]:
                with suppress(OSError):  # What has been written stands in it.
                    path.rmdir()


def _clear(folder: Path) -> None:
    """Remove what a killed run has left in its folder; nothing else may be there."""
    mark = folder / MARK
    if folder.is_symlink() or (any(folder.iterdir()) and not mark.is_file()):
        raise CannotClean(
            f"a folder for drafts must hold nothing else, got something in {folder}: move it away"
        )
    _empty(folder)
    mark.touch()


def _empty(folder: Path) -> None:
    """Remove everything but the mark: without it the next run would not know what is left."""
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            disk.remove_tree(left)
        elif left.name != MARK:
            left.unlink()

"""What is to be cleaned: each file under the paths, as it was before the search.

The look taken here comes before the search reads anything. So a file that is still
as it was here is the one that the search has read, and one that is not is left alone.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from dedupe.documents import Document, read_file
from dedupe.documents.folders import is_inside
from dedupe.documents.formats import Format, format_of_file, holds_records, id_of_single
from dedupe.documents.options import Options
from dedupe.documents.paths import STDIN, Paths, anchor, named, resolve
from dedupe.documents.walk import File, unreached, walk
from dedupe.errors import InvalidSetting, NoSuchPath, Skipped
from dedupe.ids import Id, Old, plain_id
from dedupe.index.folder import FILE, is_index
from dedupe.lazy import cached_property
from dedupe.results.result import Result

if TYPE_CHECKING:
    from dedupe.index.index import Index

__all__ = [
    "Entry",
    "Inputs",
    "Stamp",
    "base_of",
    "opened",
    "take_stock",
]


class Stamp(NamedTuple):
    """What tells that a file is still the same: size, time of change, number on its disk."""

    size: int
    time_ns: int
    inode: int

    @classmethod
    def of(cls, info: os.stat_result) -> Self:
        """Return the stamp of a file."""
        return cls(info.st_size, info.st_mtime_ns, info.st_ino)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to be cleaned.

    Attributes
    ----------
    file : File
    place : str
        Its path within `Inputs.base`.
    stamp : Stamp
    format : Format or None
        None where it is of none of ours.
    holds_records : bool
        Whether it holds many documents, and not one.
    """

    file: File
    place: str
    stamp: Stamp
    format: Format | None
    holds_records: bool

    @property
    def path(self) -> str | None:
        """What opens the file; standard input has no path."""
        return None if self.file.path == STDIN else self.file.path


@dataclass(frozen=True)
class Inputs:
    """Everything to be cleaned.

    Attributes
    ----------
    base : str
        The folder that all of it is in, as an absolute path. It follows from the
        paths alone, and is the same once files are gone.
    folders : tuple of str
        The folders that were named.
    is_one_file : bool
        Whether a single file was named.
    entries : dict of str to Entry
        By place, in the order of the search.
    others : dict of str to Skipped
        By id, what is there and is no file that can be read: links that are not
        followed, pipes, folders that cannot be listed.
    old : Inputs or None
        The collection that all of it is held against, which is never changed.
    indexes : tuple of str
        What of an old collection is an index, of which `entries` has nothing.
    """

    base: str
    folders: tuple[str, ...]
    is_one_file: bool
    entries: dict[str, Entry]
    others: dict[str, Skipped]
    old: Self | None = None
    indexes: tuple[str, ...] = ()

    def kept_in(self, *, is_old: bool) -> "Inputs":
        """Return where a copy that is kept must be: in the old collection if there, or in this."""
        return (self.old if is_old else None) or self

    @cached_property
    def keys(self) -> frozenset[tuple[int, int | str]]:
        """Device and number of each file."""
        return frozenset(entry.file.key for entry in self.entries.values())

    def all_files(self) -> list[Entry]:
        """Return every file once, old ones too: under all of its names it is the same on disk."""
        files = {entry.file.key: entry for entry in self.entries.values()}
        files |= {entry.file.key: entry for entry in self.kept_in(is_old=True).entries.values()}
        return list(files.values())

    @cached_property
    def parents(self) -> frozenset[str]:
        """The folders that hold the files, within `base`."""
        return frozenset(map(os.path.dirname, self.entries))

    def single_documents(self, result: Result, options: Options) -> dict[Id, Entry]:
        """Return the files that a result knows as one document each, by id.

        A name that also goes with something unreadable is left out: a record may
        carry the name of a file that could not be read, and stand for another text.
        """
        unclear = {plain_id(skipped.id) for skipped in result.skipped}
        found: dict[Id, Entry] = {}
        for entry in self.entries.values():
            if not entry.holds_records:
                id_ = id_of_single(entry.file, options)
                unclear |= {id_} & found.keys()
                found[id_] = entry
        return {id_: entry for id_, entry in found.items() if id_ not in unclear}

    def holders(self, result: Result, options: Options) -> dict[Id, Entry]:
        """Return the file that holds each copy which a result keeps, be it old or not."""
        kept = {duplicate.duplicate_of for duplicate in result.duplicates}
        is_old = {isinstance(one, Old) for one in kept}
        found = self._holders(kept, result, options) if False in is_old else {}
        if self.old is not None and True in is_old:
            old = {plain_id(one) for one in kept if isinstance(one, Old)}
            there = self.old._holders(old, result, options)
            found |= {Old(id_): entry for id_, entry in there.items()}
            for index in self.old.indexes:
                with opened(index) as stored:
                    entry = _entry_of_index(index, self.old.base)
                    found |= {Old(id_): entry for id_ in old if id_ in stored}
        return found

    def _holders(self, kept: set[Id], result: Result, options: Options) -> dict[Id, Entry]:
        """Return the file that holds each of some documents."""
        singles = self.single_documents(result, options)
        found = {id_: entry for id_, entry in singles.items() if id_ in kept}
        for entry in self.entries.values():
            if entry.holds_records and found.keys() != kept:
                for _, item, _ in read_file(entry.file, options):
                    if isinstance(item, Document) and item.id in kept:
                        found[item.id] = entry
        return found

    def holds(self, path: str) -> bool:
        """Return whether a path lies in one of the folders that were named."""
        return any(is_inside(path, folder) for folder in self.folders)


def base_of(paths: Paths) -> str:
    """Return the folder that all paths are in, whether they are still there or not."""
    names = [anchor(name) for name in named(paths)] or ["."]
    try:
        return os.path.commonpath([os.path.abspath(name) for name in names])  # noqa: PTH100
    except ValueError as error:
        raise InvalidSetting(
            f"paths to clean must be on one drive: {error}; clean each drive by itself"
        ) from error


def take_stock(
    paths: Paths, against: Paths | None, options: Options, *, gone: bool = False
) -> Inputs:
    """Look at every file under the paths.

    Parameters
    ----------
    paths, against
        As in `dedupe.documents.read_paths`; standard input must be kept meanwhile.
    options : Options
        How records are read, which decides whether standard input holds some.
    gone : bool
        Pass over paths that are not there: a run before this one may have moved them.
    """
    names, base = named(paths), base_of(paths)
    there = _still_there(names) if gone else resolve(names)
    entries: dict[str, Entry] = {}
    others: dict[str, Skipped] = {}
    indexes = tuple(path for path in there if is_index(path))
    for found in walk(path for path in there if path not in indexes):
        entry = _entry(found, base, options) if isinstance(found, File) else found
        if isinstance(entry, Skipped):
            others[entry.id] = entry
        else:
            entries.setdefault(entry.place, entry)
    old = None if against is None else take_stock(against, None, options, gone=gone)
    folders = tuple(path for path in there if os.path.isdir(path))  # noqa: PTH112
    is_one_file = len(there) == 1 and not folders
    return Inputs(base, folders, is_one_file, entries, others, old, indexes)


def opened(index: str) -> "Index":
    """Open an index to read in it."""
    from dedupe.index.index import Index  # noqa: PLC0415  SQLite is of no use to others.

    return Index(index, mode="r")


def _entry_of_index(index: str, base: str) -> Entry:
    """Return what stands for an index among files; its stamp says nothing."""
    path = os.path.join(index, FILE)  # noqa: PTH118
    info = os.stat(path)  # noqa: PTH116
    file = File(path, index, None, (info.st_dev, info.st_ino), named=True, is_old=True)
    place = os.path.relpath(os.path.abspath(index), base)  # noqa: PTH100
    return Entry(file, place, Stamp(0, 0, 0), None, holds_records=True)


def _still_there(names: Iterable[str]) -> list[str]:
    """Return what paths and patterns lead to, if anything."""
    there: list[str] = []
    for name in names:
        try:
            there += resolve(name)
        except NoSuchPath:
            continue
    return there


def _entry(file: File, base: str, options: Options) -> Entry | Skipped:
    """Return what there is to know of a file, unless it has vanished meanwhile."""
    format_ = format_of_file(file, options)
    if file.path == STDIN:
        return Entry(file, STDIN, Stamp(0, 0, 0), format_, holds_records(file, format_))
    try:
        info = os.stat(file.path)  # noqa: PTH116
    except OSError as error:
        return unreached(file.id, error)
    place = os.path.relpath(os.path.abspath(file.path), base)  # noqa: PTH100
    if place.startswith(os.pardir + os.sep):
        raise InvalidSetting(
            f"paths to clean must not lead out of {base!r} again, got {file.path!r}: "
            "name the folder itself"
        )
    return Entry(file, place, Stamp.of(info), format_, holds_records(file, format_))

"""Writes what stays of each file, and keeps count of what becomes of its documents.

A file that cannot be read to its end is copied as it is: what nobody has read must
not be lost. One whose bytes the disk does not give is named, and the others are written;
so is a folder that cannot be listed. Links that are not followed, pipes, sockets and
devices are not copied. A file of one document is copied, or left out as a duplicate. How
each format keeps its bytes is left to the modules of `dedupe.documents`.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from dedupe.cleaning.drafts import Drafts
from dedupe.cleaning.inventory import Entry, Inputs
from dedupe.cleaning.lines import lines_of
from dedupe.cleaning.unchanged import check_same, check_text
from dedupe.documents import Document, read_file
from dedupe.documents.document import Placed, holds_nothing
from dedupe.documents.formats import is_of_no_format, source_of, suffixes
from dedupe.documents.formats.changes import Changes
from dedupe.documents.formats.encoding import encode_like, unmarked
from dedupe.documents.options import Options
from dedupe.documents.packing import packed, unpack
from dedupe.documents.streams import Unreadable
from dedupe.documents.walk import may_hold_texts
from dedupe.errors import CannotClean, Skipped
from dedupe.ids import Id, Ids
from dedupe.results.result import Result

__all__ = ["Writer", "Written"]


class Written(NamedTuple):
    """What has been written.

    Attributes
    ----------
    paths : tuple of Path
    dropped : tuple of str
        Ids of the duplicates that are left out.
    left : tuple of Skipped
        Duplicates that are not, documents that do not bear the fields they should, and
        files and folders that could not be read.
    not_copied : tuple of Skipped
        Links, pipes, sockets and devices, which are never written.
    n_kept : int
        Documents that stand in what was written.
    """

    paths: tuple[Path, ...]
    dropped: Ids
    left: tuple[Skipped, ...]
    not_copied: tuple[Skipped, ...]
    n_kept: int


class Writer:
    """What all files have in common, and what has become of their documents."""

    def __init__(
        self, options: Options, changes: Changes, result: Result, singles: dict[str, Id]
    ) -> None:
        self.options = options
        self.unread = {skipped.id for skipped in result.skipped}
        self.digests = {info.id: info.digest for info in result.documents}
        self.changes = changes
        self.singles = singles
        in_clusters = {member for cluster in result.clusters for member in cluster}
        self.concerned = changes.dropped if changes.marks is None else in_clusters
        self.dropped: set[Id] = set()
        self.left: dict[Id, Skipped] = {}
        self.not_copied: list[Skipped] = []
        self.n_read = 0

    def written(self, paths: tuple[Path, ...], result: Result) -> Written:
        """Return what has been done."""
        gone = self.dropped if self.changes.marks is None else ()
        dropped = tuple(one.id for one in result.duplicates if one.id in gone)
        left, not_copied = tuple(self.left.values()), tuple(self.not_copied)
        return Written(paths, dropped, left, not_copied, self.n_read - len(gone))

    def pass_over(self, other: Skipped) -> None:
        """Note what is no file that can be read, and whether texts may be missing by it."""
        if may_hold_texts(other):
            self._leave(other.id, other.reason, other.remedy)
        else:
            self.not_copied.append(other)

    def _leave(self, id_: Id, reason: str, remedy: str) -> None:
        """Note that nothing is written of a file or a folder."""
        self.left[id_] = Skipped(id_, f"not written: {reason}", remedy)

    def write(self, entry: Entry, target: str, drafts: Drafts) -> None:
        """Write what stays of a file, or say why it could not be read."""
        n_read = self.n_read
        try:
            if entry.holds_records:
                self._write_or_copy(entry, target, drafts)
            else:
                self._write_single(entry, target, drafts)
        except Unreadable as why:
            self.n_read = n_read
            self._leave(entry.file.id, why.reason, why.remedy)

    def join(self, inputs: Inputs, output: str, drafts: Drafts) -> None:
        """Write the documents that stay of all files to one file, each as a line of JSON."""
        entries = [*inputs.entries.values()]
        like = entries[0].path if inputs.is_one_file else None
        with (
            drafts.open(output, like) as stream,
            packed(stream, suffixes(output)[1]) as packer,
        ):
            for entry in entries:
                for item, line in lines_of(entry.file, self.options, self.changes):
                    self._take(item)
                    packer.write(line)
                check_same(entry)

    def _take(self, item: Document | Skipped) -> None:
        """Note what becomes of a document that gets a line, or of what gets none."""
        check_text(item, self.digests.get(item.id))
        if isinstance(item, Document):
            self.n_read += item.id not in self.unread
            if item.id in self.changes.dropped:
                self.dropped.add(item.id)
        elif is_of_no_format(item):
            self.not_copied.append(item)
        elif not holds_nothing(item):
            self._leave(item.id, item.reason, item.remedy)

    def _write_or_copy(self, entry: Entry, target: str, drafts: Drafts) -> None:
        """Write the records that stay, or all of them where the file is damaged."""
        met: list[Id] = []
        placed = self._placed(entry, met)
        try:
            with drafts.open(target, entry.path) as stream:
                self._write_records(entry, placed, target, stream)
            self.dropped.update(met)
        except Unreadable as why:
            with suppress(Unreadable):
                deque(placed, maxlen=0)  # What is behind the damage is not written either.
            with drafts.open(target, entry.path, is_copy=True) as stream:
                _copy(entry, target, stream)
            reason = f"{entry.file.id} is copied as it is: {why.reason}"
            self.left |= {id_: Skipped(id_, reason, why.remedy) for id_ in met}

    def _write_single(self, entry: Entry, target: str, drafts: Drafts) -> None:
        """Copy a file of one document, unless it goes."""
        id_ = self.singles.get(entry.place)
        if id_ in self.digests:
            for _, item, _ in read_file(entry.file, self.options):
                check_text(item, self.digests.get(item.id))
        self.n_read += id_ is not None and id_ not in self.unread
        if id_ is None or id_ not in self.changes.dropped:
            self._write_text(entry, id_, target, drafts)
            return
        if os.path.lexists(target):
            raise CannotClean(
                f"a folder to write to must not hold what goes, got {target!r}: empty it first"
            )
        self.dropped.add(id_)

    def _write_text(self, entry: Entry, id_: Id | None, target: str, drafts: Drafts) -> None:
        """Copy a file of one document, or write what is left of its text where some is cut."""
        placed = [*read_file(entry.file, self.options)] if self.changes.replaces and id_ else []
        text = self.changes.made_to(placed[0].item).text if placed else None
        with drafts.open(target, entry.path, is_copy=text is None) as stream:
            if text is None:
                _copy(entry, target, stream)
            elif entry.format is not None and entry.format.rewrite is not None:
                self._write_records(entry, iter(placed), target, stream)
            else:
                mark, encoding, chunks = unmarked(source_of(entry.file).chunks)
                is_utf_8 = encoding == "utf-8"
                data = encode_like(text, b"".join(chunks)) if is_utf_8 else text.encode(encoding)
                _write([mark, data], target, stream)

    def _placed(self, entry: Entry, met: list[Id]) -> Iterator[Placed]:
        """Read the documents of a file again; note which of them go, or get fields.

        Those behind damage are noted alone: nobody can say where they stand.
        """
        damage = None
        for placed in read_file(entry.file, self.options):
            if not placed.rows and isinstance(placed.item, Skipped):
                damage = damage or placed.item
            if isinstance(placed.item, Document):
                check_text(placed.item, self.digests.get(placed.item.id))
                self.n_read += placed.item.id not in self.unread
                if placed.item.id in self.concerned:
                    met.append(placed.item.id)
            if damage is None:
                yield placed
        if damage is not None:
            raise Unreadable(damage.reason, damage.remedy)

    def _write_records(
        self, entry: Entry, placed: Iterator[Placed], target: str, stream: IO[bytes]
    ) -> None:
        """Write the records of a file that stay."""
        format_ = entry.format
        assert format_ is not None, "a file that holds records is of a format that can be written"
        assert format_.rewrite is not None
        chunks = format_.rewrite(partial(source_of, entry.file), placed, self.changes, self.options)
        _write(chunks, target, stream)


def _write(chunks: Iterable[bytes], target: str, stream: IO[bytes]) -> None:
    """Write bytes, compressed as the name of the file says."""
    with packed(stream, suffixes(target)[1]) as packer:
        for chunk in chunks:
            packer.write(chunk)


def _copy(entry: Entry, target: str, stream: IO[bytes]) -> None:
    """Copy a file as it is, if that is possible at all."""
    if entry.path is not None and suffixes(entry.path)[1] == suffixes(target)[1]:
        for chunk in unpack(entry.path, ""):
            stream.write(chunk)
        return
    try:
        _write(source_of(entry.file).chunks, target, stream)
    except Unreadable as error:
        raise CannotClean(
            f"a damaged file can only be copied under the same compression, "
            f"got {entry.file.id}: {error.reason}; {error.remedy}"
        ) from error

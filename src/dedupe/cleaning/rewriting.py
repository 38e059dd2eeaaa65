"""What is cleaned, written anew: records without duplicates, or with more fields.

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
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from dedupe.cleaning.drafts import Drafts, is_joined, packed, targets
from dedupe.cleaning.inventory import Entry, Inputs, Stamp, opened
from dedupe.cleaning.lines import lines_of
from dedupe.documents import Document, read_file
from dedupe.documents.changes import Changes, Marks
from dedupe.documents.document import Placed, holds_nothing
from dedupe.documents.encoding import encode_like, unmarked
from dedupe.documents.formats import PLAIN, is_of_no_format, source_of, suffixes
from dedupe.documents.options import Options
from dedupe.documents.streams import Unreadable, unpack
from dedupe.documents.walk import STDIN, may_hold_texts
from dedupe.errors import CannotClean, InvalidSetting, Skipped
from dedupe.ids import Id, Ids, Old, order_of
from dedupe.results.result import Result
from dedupe.results.tables import said_of

__all__ = ["Written", "write_cleaned"]


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


def write_cleaned(
    inputs: Inputs,
    result: Result,
    output: str,
    options: Options,
    *,
    annotate: bool = False,
    story: bool = False,
    cut_repeated: bool = False,
    replace_text: bool = False,
) -> Written:
    """Write the inputs without duplicates, or with more fields; all of them or none.

    `annotate` marks every record, and leaves out none; `story` adds the story without its
    page to those that stay, or puts it in place of the text, and `cut_repeated` does so with
    what other stories do not repeat.
    """
    places = targets(inputs, output)
    changes = _changes_of(result, annotate=annotate)
    if story or cut_repeated:
        from dedupe.cleaning.passages import Passages, told  # noqa: PLC0415  numba loads slowly.

        staying = _staying(inputs, options, changes) if cut_repeated else ()
        passages = Passages.of(staying, result.clusters)
        replaces = options.text_field if replace_text else None
        changes = changes._replace(tell=partial(told, result, passages, story), replaces=replaces)
    singles = inputs.single_documents(result, options)
    joins = is_joined(inputs, output)
    if not joins:
        _check_singles(singles, changes)
    work = _Work(options, changes, result, {entry.place: id_ for id_, entry in singles.items()})
    for other in inputs.others.values():
        work.pass_over(other)
    is_one_file = joins or [*places.values()] == [output]
    with Drafts(output, is_one_file=is_one_file) as drafts:
        if joins:
            work.join(inputs, output, drafts)
        for place, target in () if joins else places.items():
            entry = inputs.entries[place]
            work.write(entry, target, drafts)
            _check_same(entry)
        for entry in inputs.old.entries.values() if inputs.old else ():
            _check_same(entry)
        if inputs.old is not None and inputs.old.indexes:
            _check_stored(inputs, result, options)
        paths = drafts.commit()
    return work.written(paths, result)


def _check_singles(singles: dict[Id, Entry], changes: Changes) -> None:
    """Refuse to add fields to what is one text, or to replace that of a page."""
    if not changes.names:
        return
    if changes.replaces is not None and changes.marks is None:
        pages = [id_ for id_, one in singles.items() if _is_page(one)]
        if pages:
            raise InvalidSetting(
                "replace_text must be for texts, got "
                f"{str(min(pages, key=order_of))!r}, which is a page of HTML: {_JOIN}"
            )
    elif singles:
        what, way_out = "annotate", ""
        if changes.marks is None:
            what = "story"
            if not any(map(_is_page, singles.values())):
                way_out = ", or put it in place of the text: replace_text (--replace-text)"
        raise InvalidSetting(
            f"{what} adds fields to records, got {str(min(singles, key=order_of))!r}, which is one "
            f"text: {_JOIN}{way_out}"
        )


_JOIN = "write records, to one file such as all.jsonl"
"""The way out for what is no record."""


def _is_page(entry: Entry) -> bool:
    """Return whether the text of a file is made of what stands in it, and cannot go back."""
    return entry.format not in (None, PLAIN) and entry.format.rewrite is None


def _staying(inputs: Inputs, options: Options, changes: Changes) -> Iterator[Document]:
    """Yield what will stand in what is written, and what is old."""
    for entry in inputs.all_files():
        is_old = inputs.old is not None and entry.file.key in inputs.old.keys
        for placed in read_file(entry.file, options):
            item = (placed.as_old() if is_old else placed).item
            if isinstance(item, Document) and not changes.goes(item):
                yield item
    for index in inputs.kept_in(is_old=True).indexes:
        with opened(index) as stored:
            for document in stored.documents():
                yield replace(document, id=Old(document.id), is_old=True)


def _changes_of(result: Result, *, annotate: bool) -> Changes:
    """Return what a result asks for."""
    if not annotate:
        return Changes(frozenset(one.id for one in result.duplicates), None)
    marks: dict[Id, Marks] = {
        id_: (said.cluster, said.duplicate_of, said.score, said.relation, said.reason)
        for id_, said in said_of(result).items()
        if not isinstance(id_, Old)
    }
    return Changes(frozenset(), marks)


def _check_same(entry: Entry) -> None:
    """Refuse to go on with a file that is not the one that was searched."""
    path = _path_of(entry)
    if path is not None and Stamp.of(Path(path).stat()) != entry.stamp:
        raise _changed(entry.file.id)


def _check_stored(inputs: Inputs, result: Result, options: Options) -> None:
    """Refuse to go on where a copy that is kept is not in its index any more, or is another."""
    digests = {info.id: info.digest for info in result.documents}
    kept = {one.duplicate_of for one in result.duplicates if isinstance(one.duplicate_of, Old)}
    missing = kept - inputs.holders(result, options).keys()
    if missing:
        raise _changed(min(missing, key=order_of))
    for index in inputs.kept_in(is_old=True).indexes:
        with opened(index) as stored:
            for id_ in kept:
                if id_.id in stored and stored.document(id_.id).digest != digests[id_]:
                    raise _changed(id_)


def _changed(what: Id) -> CannotClean:
    """Say that something is not what was searched any more."""
    return CannotClean(
        f"files must not change while they are cleaned, got {what}: "
        "nothing is written, so clean again"
    )


class _Work:
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
        like = _path_of(entries[0]) if inputs.is_one_file else None
        with (
            drafts.open(output, like) as stream,
            packed(stream, suffixes(output)[1]) as packer,
        ):
            for entry in entries:
                for item, line in lines_of(entry.file, self.options, self.changes):
                    self._take(item)
                    packer.write(line)
                _check_same(entry)

    def _take(self, item: Document | Skipped) -> None:
        """Note what becomes of a document that gets a line, or of what gets none."""
        self._check(item)
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
            with drafts.open(target, _path_of(entry)) as stream:
                self._write_records(entry, placed, target, stream)
            self.dropped.update(met)
        except Unreadable as why:
            with suppress(Unreadable):
                deque(placed, maxlen=0)  # What is behind the damage is not written either.
            with drafts.open(target, _path_of(entry), is_copy=True) as stream:
                _copy(entry, target, stream)
            reason = f"{entry.file.id} is copied as it is: {why.reason}"
            self.left |= {id_: Skipped(id_, reason, why.remedy) for id_ in met}

    def _write_single(self, entry: Entry, target: str, drafts: Drafts) -> None:
        """Copy a file of one document, unless it goes."""
        id_ = self.singles.get(entry.place)
        if id_ in self.digests:
            for _, item, _ in read_file(entry.file, self.options):
                self._check(item)
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
        with drafts.open(target, _path_of(entry), is_copy=text is None) as stream:
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
                self._check(placed.item)
                self.n_read += placed.item.id not in self.unread
                if placed.item.id in self.concerned:
                    met.append(placed.item.id)
            if damage is None:
                yield placed
        if damage is not None:
            raise Unreadable(damage.reason, damage.remedy)

    def _check(self, item: Document | Skipped) -> None:
        """Refuse a text that is not what was compared, whatever its file says of its time."""
        digest = self.digests.get(item.id)
        if digest is not None and (isinstance(item, Skipped) or item.digest != digest):
            raise _changed(item.id)

    def _write_records(
        self, entry: Entry, placed: Iterator[Placed], target: str, stream: IO[bytes]
    ) -> None:
        """Write the records of a file that stay."""
        format_ = entry.format
        assert format_ is not None, "a file that holds records is of a format that can be written"
        assert format_.rewrite is not None
        chunks = format_.rewrite(partial(source_of, entry.file), placed, self.changes, self.options)
        _write(chunks, target, stream)


def _path_of(entry: Entry) -> str | None:
    """Return the path of a file; standard input has none."""
    return None if entry.file.path == STDIN else entry.file.path


def _write(chunks: Iterable[bytes], target: str, stream: IO[bytes]) -> None:
    """Write bytes, compressed as the name of the file says."""
    with packed(stream, suffixes(target)[1]) as packer:
        for chunk in chunks:
            packer.write(chunk)


def _copy(entry: Entry, target: str, stream: IO[bytes]) -> None:
    """Copy a file as it is, if that is possible at all."""
    path = _path_of(entry)
    if path is not None and suffixes(path)[1] == suffixes(target)[1]:
        for chunk in unpack(path, ""):
            stream.write(chunk)
        return
    try:
        _write(source_of(entry.file).chunks, target, stream)
    except Unreadable as error:
        raise CannotClean(
            f"a damaged file can only be copied under the same compression, "
            f"got {entry.file.id}: {error.reason}; {error.remedy}"
        ) from error

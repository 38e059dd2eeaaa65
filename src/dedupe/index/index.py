"""Keeps articles in a folder, to be asked for at any time whether a story is among them.

What is stored is for `dedupe.index.storage.store` to know, what is looked up for
`dedupe.index.layout`; here stands what one calls, and in which order the others do their part.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dedupe.documents import Document, read_paths, read_texts
from dedupe.documents.paths import Paths, named
from dedupe.errors import DedupeError, InvalidIndex, Skipped
from dedupe.ids import Id
from dedupe.index import bulk, intake
from dedupe.index.answering import LIMIT, MAX_COMPARED, Answering, as_document
from dedupe.index.folder import check_no_index
from dedupe.index.matches import Matches, Outcome
from dedupe.index.queries import Query, answer, check_query
from dedupe.index.records import Added
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.keys import checked_id, key_of
from dedupe.index.storage.rows import Row
from dedupe.index.storage.salvaging import padded
from dedupe.index.times import as_moment
from dedupe.minhash import sketch
from dedupe.progress import Progress, ProgressCallback
from dedupe.report.progress import shown
from dedupe.settings import Resources, Settings

__all__ = ["Index"]


class Index(Answering):
    """Articles in a folder, with their texts, that answers at once which tell the same story.

    Parameters
    ----------
    path : path, optional
        A folder, made if need be. Without one everything is in memory, and goes with the index.
    mode : str
        ``"a"`` adds to it, and keeps other programs from writing as long as it is open; ``"r"``
        only reads, also while another program writes.
    ngram, num_perm, seed : int, optional
        See `dedupe.Settings`. They are chosen when an index is made, and refused later if they
        are others, unless it is made anew.
    timeout : float
        Seconds to wait for another program that writes.
    rebuild : bool
        Make everything anew from the texts if another version of this library, or another
        version of Unicode, has made it, or if the settings given are others than those it was made
        with; see `rebuild`.

    Raises
    ------
    NoSuchPath
        When there is no index to read.
    InvalidIndex
        When it is damaged, of other settings or of another version, when the folder holds
        something else, or when the file system cannot lock files.
    IndexInUse
        When another program writes to it all that time.

    Notes
    -----
    What was acknowledged is on disk: it outlives a program that is killed. An index may be used by
    several threads, which take turns.

    Examples
    --------
    >>> story = "the council voted on monday to close the old bridge for repairs until spring " * 3
    >>> with Index() as index:
    ...     index.add("agency", story)
    ...     [(match.id, match.score) for match in index.add("page", "home news sport " + story)]
    Matches(matches=(), epoch=0, n_found=0, truncated=False, outcome='added')
    [('agency', 1.0)]
    """

    # Adding and removing.

    def add(
        self,
        id: Id,  # noqa: A002  As documents have it.
        text: str,
        time: float | date | str | None = None,
        *,
        on_conflict: intake.OnConflict = "error",
        limit: int | None = LIMIT,
        threshold: float = Settings.threshold,
        max_compared: int | None = MAX_COMPARED,
    ) -> Matches:
        """Add a document, and return what was there of its story before: both in one step.

        `Matches.outcome` says whether it is new.

        Parameters
        ----------
        id : str, int, ...
            See `dedupe.ids`. Reports show ids as text, so 7 and ``"7"`` are one here.
        text : str
        time : float, date, datetime or str, optional
            When it came up: in seconds since 1970, or as ISO 8601; for `expire` and windows.
        on_conflict : str
            What to do where the id is there with another text: ``"error"`` raises `DuplicateId`,
            ``"update"`` replaces it, and its time if one is given. With the same text nothing else
            changes.
        limit, threshold, max_compared
            As in `query`.

        Raises
        ------
        DuplicateId, InvalidSetting
        InvalidInput
            When the text is no string, or the id cannot be one.
        NothingToRead
            When the text has no word.
        CannotStore
            When the disk is full; then nothing was added.
        """
        check_query(limit, threshold, max_compared)
        intake.check_conflict(on_conflict)
        document = as_document(id, text, time)
        sketches = sketch([document.encoded], self.settings)
        asked = Query(
            document.encoded, sketches, limit, threshold, max_compared, key_of(document.id)
        )
        with self._writing():
            matches = self._answer_mended(asked, document)
            with self._store.transaction():
                taken = intake.take(
                    self._store,
                    self._layout.orphans,
                    [document],
                    [asked.text],
                    sketches,
                    on_conflict=on_conflict,
                )
                self._layout.keep_tail(taken.texts)
        return replace(matches, outcome=_outcome(taken.added))

    def _answer_mended(self, asked: Query, document: Document) -> Matches:
        """Answer for a document that is added; if its own text is damaged, it is mended first."""
        try:
            return answer(self._store, self._layout, self.settings, asked)
        except InvalidIndex:
            with self._store.transaction():
                known = self._store.by_keys([key_of(document.id)])
                if not intake.mend(self._store, known, [document], [asked.text], asked.sketches):
                    raise
        return answer(self._store, self._layout, self.settings, asked)

    def update(
        self,
        id: Id,  # noqa: A002
        text: str,
        time: float | date | str | None = None,
    ) -> Matches:
        """Replace the text of a document, and return what there is of its story besides.

        Its time stays where none is given.

        Raises
        ------
        UnknownDocument
            When no document has the id.
        """
        with self._lock:
            if id not in self:
                raise self._unknown(id)
            return self.add(id, text, time, on_conflict="update")

    def add_texts(
        self,
        texts: Any,
        *,
        id_field: str = "id",
        text_field: str = "text",
        html_field: str | None = None,
        time_field: str | None = None,
        on_conflict: intake.OnConflict = "error",
        workers: int | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> Added:
        """Add many documents, in any form that `dedupe.find_duplicate_texts` takes.

        Each needs an id of its own, for a search numbers the texts of a list from 0, as it did
        those of the list before. Pairs have one, so ``enumerate(texts, start)`` numbers them on.
        A frame has them in a column or an index; the index that pandas makes itself counts from 0,
        and is refused.

        They are stored 8,192 at a time, or 64 MB. Where an error ends it, the parts before are
        there, and its message says how many documents these are; the same call goes on behind
        them: what is there with the same text is left alone. A document may come twice,
        with the same text and time.

        A text that is no string, such as bytes or None, is skipped, which `add` refuses. A time
        that cannot be read is none, and `Added.n_undated` counts those without.

        Raises
        ------
        InvalidInput
            When a document has no id, or a pair has more than two members.
        DuplicateId
            When an id is there with another text, and `on_conflict` is ``"error"``; or when it
            comes twice with other texts or times.

        Examples
        --------
        >>> index = Index()
        >>> index.add_texts({"a": "one story", "b": "another", "c": ""}).n_added
        2
        """
        stream = read_texts(
            texts,
            id_field=id_field,
            text_field=text_field,
            html_field=html_field,
            time_field=time_field,
            is_part=True,
            must_name=True,
        )
        return self._add_all(stream, on_conflict, workers, progress)

    def add_paths(
        self,
        paths: Paths,
        *,
        id_field: str = "id",
        text_field: str = "text",
        html_field: str | None = None,
        time_field: str | None = None,
        time_from: str | None = None,
        delimiter: str | None = None,
        qualify_ids: bool = False,
        on_conflict: intake.OnConflict = "error",
        workers: int | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> Added:
        """Add the documents of files and folders, as `dedupe.find_duplicates` reads them.

        See `add_texts`. Records must have ids; a file that is one document goes by its path as
        given, so name it from the same folder each time. When a file was last changed is the time
        of its documents only with ``time_from="mtime"``: nothing else should expire by it.
        """
        paths = named(paths)
        check_no_index(paths, "merge() (dedupe index merge) adds what another one holds")
        stream = read_paths(
            paths,
            id_field=id_field,
            text_field=text_field,
            html_field=html_field,
            time_field=time_field,
            time_from=time_from,
            delimiter=delimiter,
            qualify_ids=qualify_ids,
            is_part=True,
            must_name=True,
        )
        return self._add_all(map(_dated, stream), on_conflict, workers, progress)

    def _add_all(
        self,
        stream: Iterable[Document | Skipped],
        on_conflict: intake.OnConflict,
        workers: int | None,
        progress: ProgressCallback | bool | None,
    ) -> Added:
        intake.check_conflict(on_conflict)
        self.check_mode()
        added = Added()
        with shown(progress) as callback:
            resources = Resources.of(workers, None, callback)
            n_done = n_bytes = 0
            try:
                for batch in bulk.batches(stream, self.settings, resources.workers):
                    if len(batch.documents):
                        with self._writing():
                            added += bulk.add_batch(self._store, self._layout, batch, on_conflict)
                    added += Added(skipped=tuple(batch.skipped))
                    n_done += len(batch.documents)
                    n_bytes += batch.n_bytes
                    resources.progress(Progress("adding", n_done, None, "documents", n_bytes))
            except DedupeError as error:
                if n_done:
                    error.args = (f"{error} (the {n_done:,} documents before are stored)",)
                raise
        return added

    def merge(
        self,
        other: "Index | str | os.PathLike[str]",
        *,
        on_conflict: intake.OnConflict = "error",
        workers: int | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> Added:
        """Add all documents of another index, whatever its settings; see `add_texts`.

        Documents that are damaged are in `Added.skipped`, so that a new index takes over all
        that is sound of a damaged one.
        """
        if not isinstance(other, Index):
            with Source(other, mode="r") as opened:
                return self.merge(
                    opened, on_conflict=on_conflict, workers=workers, progress=progress
                )
        return self._add_all(other._salvaged(), on_conflict, workers, progress)

    def remove(self, ids: Iterable[Id] | Id) -> int:
        """Remove documents, and return how many; a single id is one document.

        Raises
        ------
        UnknownDocument
            When no document has one of the ids; then none is removed.
        """
        named = [ids] if isinstance(ids, str | bytes | tuple) or not _is_iterable(ids) else [*ids]
        with self._writing():
            keys = {key_of(checked_id(one)): one for one in named}
            rows = self._store.by_keys([*keys])
            missing = keys.keys() - {row.key for row in rows}
            if missing:
                raise self._unknown(keys[min(missing)])
            return self._drop(rows)

    def expire(self, before: float | date | timedelta | str) -> int:
        """Remove the documents that came up before a time, and return how many.

        Those without a time stay; `Stats.n_undated` says how many these are.

        Parameters
        ----------
        before : float, date, datetime, timedelta or str
            A time, in seconds since 1970 or as ISO 8601; or an age, as ``"90d"`` or ``"12h"``, by
            which a document came up before now.

        Raises
        ------
        InvalidSetting
            When it is neither. So is a string such as ``"90"`` or ``"2024"``, a number of less
            than a year in seconds.
        """
        limit = as_moment("before", before)
        with self._writing():
            rows = self._store.older(limit)
            is_right = all(row.time is not None and row.time < limit for row in rows)
            if not is_right or len({row.number for row in rows}) < len(rows):
                raise damaged(self._store.path, "its times are looked up wrongly")
            return self._drop(rows)

    def _drop(self, rows: Sequence[Row]) -> int:
        with self._store.transaction():
            intake.drop(self._store, self._layout.orphans, rows)
        return len(rows)


class Source(Index):
    """An index that is read for its documents alone, however damaged the rest of it may be."""

    _loads = False
    _padded: TemporaryDirectory[str] | None = None

    def _database(self) -> Path | None:
        """Return the file that holds its documents, or a copy as long as it should be."""
        file = super()._database()
        assert file is not None
        self._padded = padded(file)
        return file if self._padded is None else Path(self._padded.name, file.name)

    def close(self) -> None:
        """Close it, and remove the copy that was read in its place."""
        super().close()
        if self._padded is not None:
            self._padded.cleanup()

    def _open(self, chosen: dict[str, Any], may_be_stale: bool) -> None:  # noqa: ARG002
        self.settings = Settings(**chosen)
        self.is_stale = False


def _outcome(added: Added) -> Outcome:
    """Return what became of a single document."""
    if added.n_added:
        return "added"
    return "updated" if added.n_updated else "unchanged"


def _dated(item: Document | Skipped) -> Document | Skipped:
    """Return a document without a time that a window would not go by either."""
    if isinstance(item, Skipped) or item.is_dated or item.time is None:
        return item
    return replace(item, time=None)


def _is_iterable(value: Any) -> bool:
    return hasattr(value, "__iter__")

"""Keeps articles in a folder, to be asked for at any time whether a story is among them.

What is stored is `dedupe.index.store`'s, what is looked up `dedupe.index.layout`'s; here stands
what one calls, and in which order the others do their part.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from dedupe.documents import Document, read_paths, read_texts
from dedupe.documents.document import from_value
from dedupe.documents.values import as_time
from dedupe.documents.walk import Paths
from dedupe.errors import (
    InvalidIndex,
    InvalidSetting,
    NoSuchPath,
    NothingToRead,
    Skipped,
    UnknownDocument,
)
from dedupe.ids import Id, in_order
from dedupe.index import bulk, health, intake
from dedupe.index.answers import Question, answer, check_question
from dedupe.index.batch import duplicates, taught
from dedupe.index.bulk import batches
from dedupe.index.layout import Layout
from dedupe.index.lock import Lock
from dedupe.index.lock import NAME as LOCK
from dedupe.index.matches import Matches
from dedupe.index.names import checked_name, key_of
from dedupe.index.records import Added, Stats, Verification
from dedupe.index.store import FILE, FORMAT, Row, Store
from dedupe.index.upkeep import Upkeep
from dedupe.minhash import sketch
from dedupe.progress import Progress, ProgressCallback
from dedupe.report.progress import shown
from dedupe.results.result import Result
from dedupe.settings import Resources, Settings, identity
from dedupe.window import as_window

__all__ = ["Index"]

LIMIT = 20
"""Matches that a query gives by default: more are hardly looked at."""

MAX_COMPARED = 200
"""Texts that a query compares by default, the likeliest first."""

PATIENCE = 20
"""Times that a reader looks again for a segment that a writer has just replaced."""


class Index:
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
        are others.
    timeout : float
        Seconds to wait for another program that writes.
    rebuild : bool
        Make everything anew from the texts if another version of this library, or another
        version of Unicode, has made it; see `rebuild`.

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
    Matches(matches=(), epoch=0, n_found=0, truncated=False)
    [('agency', 1.0)]
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        mode: Literal["a", "r"] = "a",
        ngram: int | None = None,
        num_perm: int | None = None,
        seed: int | None = None,
        timeout: float = 10.0,
        rebuild: bool = False,
    ) -> None:
        if mode not in ("a", "r"):
            raise InvalidSetting(f"mode must be 'a' or 'r', got {mode!r}")
        asked = {"ngram": ngram, "num_perm": num_perm, "seed": seed}
        asked = {name: value for name, value in asked.items() if value is not None}
        Settings(**asked)  # type: ignore[arg-type]
        self.path = None if path is None else Path(path)
        self.mode = mode
        self._lock = threading.RLock()
        self._is_closed = False
        self._held = _prepare(self.path, mode, timeout)
        try:
            self._store = Store(None if self.path is None else self.path / FILE, writes=mode == "a")
            self._open(asked, rebuild)
        except BaseException:
            self.close()
            raise

    def _open(self, asked: dict[str, int], rebuild: bool) -> None:
        """Hold what was found against what is asked for, and bring up to date what is looked up."""
        with self._store.translating():
            found = self._store.meta("identity")
            if found is None and self.mode == "a":
                found = _identity(Settings(**asked))  # type: ignore[arg-type]
                with self._store.transaction():
                    self._store.set_meta("identity", found)
            self.settings = _settings(self.path, found, asked)
            stale = found != _identity(self.settings) or self._store.meta("rebuilding") is not None
            if stale and not (rebuild and self.mode == "a"):
                raise _stale(self.path, found, _identity(self.settings))
            self._layout = Layout(self.path, self._store, self.settings)
            self._upkeep = Upkeep(self._lock, self._store, self._layout)
        if stale:
            self.rebuild()
        with self._store.translating():
            if self.mode == "a":
                self._mend()
                self._layout.clear_files()
            with self._store.reading():
                self._layout.refresh()

    def _mend(self) -> None:
        """Make segments anew that are missing or torn; what they held follows from the texts."""
        if self._layout.missing_or_torn():
            health.derive(self._store, self._layout, self.settings)

    def close(self) -> None:
        """Finish what is being written, and let others write."""
        if hasattr(self, "_upkeep"):
            self._upkeep.wait()
        with self._lock:
            self._is_closed = True
            if hasattr(self, "_store"):
                self._store.close()
            if self._held is not None:
                self._held.close()
                self._held = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Index: {self.path or 'in memory'}, documents={len(self):,}>"

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """See one state of the index, up to date."""
        with self._lock:
            self._check_open()
            for _ in range(PATIENCE):
                with self._store.reading():
                    try:
                        self._layout.refresh()
                    except FileNotFoundError:
                        # The writer has replaced a segment since what we read was committed.
                        continue
                    yield
                    return
            with self._store.reading():
                try:
                    self._layout.refresh()
                except FileNotFoundError as error:
                    raise InvalidIndex(
                        f"an index must have all its files, got {self.path} without "
                        f"{error.filename}: open it for writing once, which makes it anew"
                    ) from error
                yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Change the index, alone."""
        self._check_mode()
        with self._lock:
            self._check_open()
            self._upkeep.poke()
            with self._store.translating():
                self._layout.refresh()
                yield
                self._layout.refresh(own=True)
            self._upkeep.poke()

    def _check_mode(self) -> None:
        if self.mode == "r":
            raise InvalidSetting(
                f'an index to change must be open with mode="a", got mode="r" of {self.path}'
            )

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidIndex(f"an index must be open, got {self.path}, which is closed: open it")

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

        Parameters
        ----------
        id : str, int, ...
            See `dedupe.ids`. Reports show ids as text, so 7 and ``"7"`` are one here.
        text : str
        time : float, date, datetime or str, optional
            When it came up: in seconds since 1970, or as ISO 8601; for `expire` and windows.
        on_conflict : str
            What to do where the id is there with another text: ``"error"`` raises `DuplicateId`,
            ``"update"`` replaces it. With the same text nothing changes.
        limit, threshold, max_compared
            As in `query`.

        Raises
        ------
        DuplicateId, InvalidInput, InvalidSetting
        NothingToRead
            When the text has no word.
        CannotStore
            When the disk is full; then nothing was added.
        """
        check_question(limit, threshold, max_compared)
        intake.check_conflict(on_conflict)
        document = _document(id, text, time)
        sketches = sketch([document.encoded], self.settings)
        asked = Question(
            document.encoded, sketches, limit, threshold, max_compared, key_of(document.id)
        )
        with self._writing():
            matches = answer(self._store, self._layout, self.settings, asked)
            with self._store.transaction():
                taken = intake.take(self._store, [document], sketches, on_conflict)
                self._layout.keep_tail(taken.texts)
            return matches

    def update(
        self,
        id: Id,
        text: str,
        time: float | date | str | None = None,  # noqa: A002
    ) -> Matches:
        """Replace the text of a document, and return what there is of its story besides.

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

        They are stored some thousands at a time. Where an error ends it, those before are there,
        and the same call goes on behind them: what is there with the same text is left alone.

        Raises
        ------
        DuplicateId
            When an id is there with another text, and `on_conflict` is ``"error"``.

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

        See `add_texts`.
        """
        stream = read_paths(
            paths,
            id_field=id_field,
            text_field=text_field,
            html_field=html_field,
            time_field=time_field,
            time_from=time_from,
            delimiter=delimiter,
            qualify_ids=qualify_ids,
        )
        return self._add_all(stream, on_conflict, workers, progress)

    def _add_all(
        self,
        stream: Iterable[Document | Skipped],
        on_conflict: intake.OnConflict,
        workers: int | None,
        progress: ProgressCallback | bool | None,
    ) -> Added:
        intake.check_conflict(on_conflict)
        self._check_mode()
        added = Added()
        with shown(progress) as callback:
            resources = Resources.of(workers, None, callback)
            n_done = n_bytes = 0
            for batch in batches(stream, self.settings, resources.workers):
                if len(batch.documents):
                    with self._writing():
                        added += bulk.store(self._store, self._layout, batch, on_conflict)
                added += Added(skipped=tuple(batch.skipped))
                n_done += len(batch.documents)
                n_bytes += batch.n_bytes
                resources.progress(Progress("adding", n_done, None, "documents", n_bytes))
        return added

    def merge(
        self,
        other: "Index | str | os.PathLike[str]",
        *,
        on_conflict: intake.OnConflict = "error",
        workers: int | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> Added:
        """Add all documents of another index, whatever its settings; see `add_texts`."""
        if not isinstance(other, Index):
            with Index(other, mode="r") as opened:
                return self.merge(
                    opened, on_conflict=on_conflict, workers=workers, progress=progress
                )
        return self._add_all(other.documents(), on_conflict, workers, progress)

    def remove(self, ids: Iterable[Id] | Id) -> int:
        """Remove documents, and return how many; a single id is one document.

        Raises
        ------
        UnknownDocument
            When no document has one of the ids; then none is removed.
        """
        named = [ids] if isinstance(ids, str | bytes | tuple) or not _is_iterable(ids) else [*ids]
        with self._writing():
            keys = {key_of(checked_name(one)): one for one in named}
            rows = self._store.by_keys([*keys])
            missing = keys.keys() - {row.key for row in rows}
            if missing:
                raise self._unknown(keys[min(missing)])
            return self._drop(rows)

    def expire(self, before: float | date | str) -> int:
        """Remove the documents that came up before a time, and return how many.

        Those without a time stay.

        Parameters
        ----------
        before : float, date, datetime or str
            In seconds since 1970, or as ISO 8601.
        """
        limit = _as_seconds("before", before)
        if limit is None:
            raise InvalidSetting("before must be a time, got None: remove() takes ids")
        with self._writing():
            return self._drop(self._store.older(limit))

    def _drop(self, rows: Sequence[Row]) -> int:
        with self._store.transaction():
            intake.drop(self._store, rows)
        return len(rows)

    # Asking.

    def query(
        self,
        text: str,
        *,
        limit: int | None = LIMIT,
        threshold: float = Settings.threshold,
        max_compared: int | None = MAX_COMPARED,
    ) -> Matches:
        """Return the documents that tell the story of a text, the best first.

        Parameters
        ----------
        text : str
        limit : int, optional
            Matches at most; all for None.
        threshold : float, in [0.1, 1]
            What they score at least. Relations are those of the usual threshold, 0.45.
        max_compared : int, optional
            Texts that are compared at most, those first that are likeliest to match; all for
            None. `Matches.truncated` says whether any were left out.

        Raises
        ------
        NothingToRead
            When the text has no word.

        Notes
        -----
        An answer depends on what is stored and on what was learned last, see `learn`, and not on
        what else is asked.
        """
        check_question(limit, threshold, max_compared)
        encoded = _document(0, text, None).encoded
        sketches = sketch([encoded], self.settings)
        asked = Question(encoded, sketches, limit, threshold, max_compared)
        with self._reading():
            return answer(self._store, self._layout, self.settings, asked)

    def __len__(self) -> int:
        with self._reading():
            return self._layout.state.n_documents

    def __contains__(self, id_: object) -> bool:
        with self._reading():
            return self._store.find(checked_name(id_)) is not None

    def __iter__(self) -> Iterator[Id]:
        """Yield the ids in order."""
        with self._reading():
            ids = [id_ for _, id_ in self._store.names()]
        return iter([ids[place] for place in in_order(ids, range(len(ids)))])

    def __getitem__(self, id_: Id) -> str:
        return self.document(id_).text

    def document(self, id: Id) -> Document:  # noqa: A002
        """Return a document: its id in its own type, its text, and its time.

        Raises
        ------
        UnknownDocument
            When none has the id.
        """
        with self._reading():
            row = self._store.find(checked_name(id))
            if row is None:
                raise self._unknown(id)
            return self._store.document(row)

    def documents(self) -> Iterator[Document]:
        """Yield all documents in the order of their ids, as they are when the first is asked for."""
        with self._snapshot() as store:
            yield from store.documents()

    def _unknown(self, id_: Id) -> UnknownDocument:
        return UnknownDocument(
            f"no document {id_!r} in {self.path or 'the index'}: iterating over it yields all ids"
        )

    def find_duplicates(
        self,
        *,
        threshold: float = Settings.threshold,
        keep: str | Callable[..., Any] = Settings.keep,
        prefer: str | Sequence[str] = (),
        window: timedelta | str | None = None,
        workers: int | None = None,
        memory: int | str | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> Result:
        """Return what `dedupe.find_duplicate_texts` says of all documents in the order of their ids.

        The parameters are those of `dedupe.find_duplicates`.
        """
        settings = replace(
            self.settings, threshold=threshold, keep=keep, prefer=prefer, window=as_window(window)
        )
        with shown(progress) as callback, self._snapshot() as store:
            return duplicates(store, settings, Resources.of(workers, memory, callback))

    def learn(
        self,
        *,
        workers: int | None = None,
        memory: int | str | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> int:
        """Learn anew what is boilerplate and what is one story, and return the new epoch.

        Until it learns, a new document is compared by what was known before, and by what it and
        its candidates teach. Once a tenth is new (`Stats.growth`), it should learn again. It
        takes about as long as to find all duplicates; the index can be used meanwhile.
        """
        self._check_mode()
        with shown(progress) as callback, self._snapshot() as store:
            state, found = taught(store, self.settings, Resources.of(workers, memory, callback))
        with self._writing():
            number, last = self._layout.state.epoch + 1, state.next - 1
            epoch = self._layout.learned(number, last, found)
            with self._store.transaction():
                self._store.set_meta("epoch", epoch.name)
                self._store.save(
                    self._store.state()._replace(
                        epoch=number, n_learned=state.n_documents, last_learned=last
                    )
                )
            self._layout.clear_files()
        return number

    @contextmanager
    def _snapshot(self) -> Iterator[Store]:
        """See one state of the index for as long as it takes, while others change it."""
        self._check_open()
        if self.path is None:
            with self._lock:
                yield self._store
            return
        with self._store.snapshot() as store:
            yield store

    # Keeping it in order.

    def compact(self) -> None:
        """Write everything anew without what was removed, in as few bytes as it takes."""
        self._check_mode()
        with self._upkeep.paused(), self._writing():
            self._upkeep.step(everything=True)
            self._store.db.execute("vacuum")
            self._store.checkpoint()

    def rebuild(
        self,
        *,
        ngram: int | None = None,
        num_perm: int | None = None,
        seed: int | None = None,
    ) -> None:
        """Make everything anew from the texts: after an upgrade, or with other settings.

        When it is interrupted, the index is refused until it was rebuilt; opening it with
        ``rebuild=True`` goes on where it was.
        """
        self._check_mode()
        asked = {"ngram": ngram, "num_perm": num_perm, "seed": seed}
        settings = replace(
            self.settings, **{name: one for name, one in asked.items() if one is not None}
        )
        with self._upkeep.paused(), self._lock:
            has_learned = self._store.state().epoch > 0
            health.rebuild(self._store, _identity(settings), settings)
            self.settings = settings
            self._layout.restart(settings)
            health.derive(self._store, self._layout, settings)
            with self._store.transaction():
                self._store.drop_meta("rebuilding")
            self._layout.refresh(own=True)
            self._layout.clear_files()
        if has_learned:
            self.learn()

    def stats(self) -> Stats:
        """Return what it holds, and how much of it is new since it learned."""
        with self._reading():
            state, postings = self._layout.state, self._layout.postings
            files = [] if self.path is None else [*self.path.iterdir()]
            return Stats(
                state.n_documents,
                state.n_texts,
                int(postings.tail.is_alive.sum()),
                len(postings.segments),
                postings.n_dead,
                sum(path.stat().st_size for path in files if path.is_file()),
                state.epoch,
                state.n_learned,
            )

    def verify(self, *, repair: bool = False) -> Verification:
        """Read all of it, and return what is not as it was written.

        Parameters
        ----------
        repair : bool
            Make anew what follows from the documents, where that is damaged. Of a document that is
            damaged itself only a backup has the text.
        """
        with self._reading():
            lost = [*health.in_database(self._store)]
            derived = [*health.in_files(self._store, self._layout)]
        repaired = repair and bool(derived) and not lost
        if repaired:
            self._check_mode()
            with self._upkeep.paused(), self._lock:
                has_lost_epoch = self._layout.forget_epoch()
                self._layout.restart(self.settings)
                health.derive(self._store, self._layout, self.settings)
                self._layout.refresh(own=True)
                self._layout.clear_files()
            if has_lost_epoch:
                self.learn()
        return Verification((*lost, *derived), repaired)


def _prepare(folder: Path | None, mode: str, timeout: float) -> Lock | None:
    """Make the folder of an index and lock it, or refuse one that holds something else."""
    if folder is None:
        if mode == "r":
            raise InvalidSetting("an index to read must have a path, got none: name its folder")
        return None
    if folder.exists() and not folder.is_dir():
        raise InvalidIndex(f"an index must be a folder, got the file {folder}: name another path")
    if mode == "r":
        if not (folder / FILE).is_file():
            raise NoSuchPath(
                f"there must be an index to read, got none in {folder}: add() makes it"
            )
        return None
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FILE).exists() and {path.name for path in folder.iterdir()} - {LOCK}:
        raise InvalidIndex(
            f"an index must have a folder of its own, got {folder}, which holds something else: "
            "name a folder that is empty or not there"
        )
    return Lock(folder, timeout)


def _identity(settings: Settings) -> dict[str, Any]:
    """Return what an index must have been made with to be used."""
    return identity(settings) | {"format": FORMAT}


def _settings(path: Path | None, found: Any, asked: dict[str, int]) -> Settings:
    """Return the settings an index was made with, and refuse others."""
    if not isinstance(found, dict):
        raise InvalidIndex(
            f"an index must say what it was made with, got {path}, which does not: restore it from "
            "a backup, or make it anew"
        )
    if found.get("format") != FORMAT:
        raise InvalidIndex(
            f"an index must be of format {FORMAT}, got {found.get('format')!r} in {path}: install "
            "the version of dedupe-articles that has made it, or a newer one"
        )
    for name, value in asked.items():
        if found.get(name) != value:
            raise InvalidIndex(
                f"{name} must be that of the index, {found.get(name)!r}, got {value!r} for {path}: "
                f"leave it out, or make all of it anew with rebuild({name}={value!r})"
            )
    names = ("ngram", "num_perm", "seed")
    return Settings(**{name: found.get(name) for name in names})


def _stale(path: Path | None, found: dict[str, Any], wanted: dict[str, Any]) -> InvalidIndex:
    """Return the error of an index that another version has made."""
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    told = ", ".join(
        f"{name} {found.get(name)!r} instead of {wanted[name]!r}" for name in differing
    )
    return InvalidIndex(
        f"an index must be as this version makes it, got {path} with "
        f"{told or 'a rebuild that was interrupted'}: open it for writing with rebuild=True "
        "(dedupe index rebuild), which makes it anew from its texts"
    )


def _document(id_: Any, text: Any, time: float | date | str | None) -> Document:
    """Return a document to add or to ask for."""
    found = from_value(checked_name(id_), text, _as_seconds("time", time))
    if isinstance(found, Skipped):
        raise NothingToRead(f"a text must hold a word, got {found.reason}: {found.remedy}")
    return found


def _as_seconds(name: str, value: Any) -> float | None:
    """Return a time in seconds since 1970."""
    seconds = as_time(value)
    if seconds is None and value is not None:
        raise InvalidSetting(
            f"{name} must be seconds since 1970, a date or ISO 8601, got {value!r}"
        )
    return seconds


def _is_iterable(value: Any) -> bool:
    return hasattr(value, "__iter__")

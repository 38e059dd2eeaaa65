"""Opens an index and closes it: its folder, its lock, and what it was made with.

Threads take turns at an index, and each sees one state of it meanwhile.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NoReturn, Self

from dedupe.errors import DedupeError, InvalidIndex, InvalidInput, InvalidSetting
from dedupe.index import rebuilding
from dedupe.index.folder import FILE, check_has_documents, check_is_there, holds_what_follows
from dedupe.index.layout import Layout
from dedupe.index.merging import Merger
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.files import not_stored
from dedupe.index.storage.lock import NAME as LOCK
from dedupe.index.storage.lock import Lock
from dedupe.index.storage.schema import FORMAT
from dedupe.index.storage.store import Store
from dedupe.settings import Settings, identity

__all__ = ["Opened", "index_identity"]

TRIES = 20
"""Times that a reader looks for a segment that a writer has just replaced: far more than are
replaced within the milliseconds of one look."""

CHOSEN = ("ngram", "num_perm", "seed")
"""Settings that are chosen when an index is made."""


class Opened:
    """An index that is open; see `dedupe.Index` for what it is given."""

    # Whether all that is looked up is loaded, and must be there; to be verified it need not.
    _loads = True

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        *,
        mode: Literal["a", "r"],
        asked: dict[str, int | None],
        timeout: float,
        may_be_stale: bool,
    ) -> None:
        if mode not in ("a", "r"):
            raise InvalidSetting(f"mode must be 'a' or 'r', got {mode!r}")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout >= 0:
            raise InvalidSetting(f"timeout must be seconds, at least 0, got {timeout!r}")
        chosen = {name: value for name, value in asked.items() if value is not None}
        _as_settings(chosen)
        self.path = None if path is None else _as_path(path)
        self.mode = mode
        self._lock = threading.RLock()
        self._is_closed = False
        self._is_half_made = False
        # The version of the database in which the identity was found to be as it should.
        self._checked = -1
        self._process = os.getpid()
        self._held = _prepare(self.path, mode, timeout)
        try:
            file = self._database()
            makes = self._loads and (self.path is None or not holds_what_follows(self.path))
            self._store = Store(file, writes=mode == "a", makes=makes)
            with self._store.translating():
                self._open(chosen, may_be_stale and mode == "a")
        except BaseException:
            self.close()
            raise

    def _database(self) -> Path | None:
        """Return the file that holds its documents, None in memory."""
        return None if self.path is None else self.path / FILE

    def _open(self, chosen: dict[str, Any], may_be_stale: bool) -> None:
        """Compare what was found with what is asked for, then load what is looked up."""
        found = self._store.meta("identity")
        if found is None and self.mode == "a":
            found = index_identity(_as_settings(chosen))
            with self._store.transaction():
                self._store.set_meta("identity", found)
        # What is made anew may be made with others.
        self.settings = _found_settings(self.path, found, {} if may_be_stale else chosen)
        self._store.check_schema()
        wanted = index_identity(replace(self.settings, **chosen))
        self.is_stale = found != wanted or self._store.meta("rebuilding") is not None
        if self.is_stale and not may_be_stale:
            raise _stale(self.path, found, wanted)
        self._layout = Layout(self.path, self._store, self.settings)
        self.is_stale |= may_be_stale and not self._layout.has_epoch()
        self._merger = Merger(self._lock, self._store, self._layout)
        if self.is_stale or not self._loads:
            return
        # What segments held that are missing or torn follows from the texts.
        is_sound = self._layout.has_sound_tables()
        if self.mode == "r" and not is_sound:
            raise damaged(self._store.path, "the newest texts are not as they were written")
        if self.mode == "a" and (not is_sound or self._layout.missing_or_torn()):
            self._derive()
        with self._reading():
            pass
        if self.mode == "a":
            self._layout.clear_files()

    def _derive(self) -> None:
        """Make all that is looked up anew from the texts."""
        self._layout.restart(self.settings)
        rebuilding.derive(self._store, self._layout, self.settings)
        self._layout.refresh(own=True)
        self._layout.clear_files()

    def close(self) -> None:
        """Finish what is being written, and let others write."""
        if self._is_elsewhere():
            # Whatever a thread of the parent holds is never let go here.
            self._is_closed = True
            return
        if hasattr(self, "_merger"):
            self._merger.wait()
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

    def __reduce__(self) -> NoReturn:
        raise InvalidInput(
            f"an index cannot be copied or pickled, got {self!r}: open its path again where it is "
            "needed"
        )

    def __repr__(self) -> str:
        return f"<Index: {self.path or 'in memory'}, mode={self.mode!r}>"

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """See one state of the index, up to date."""
        self._check_open()
        with self._lock, ExitStack() as held:
            self._check_open()
            for n_left in reversed(range(TRIES)):
                held.enter_context(self._store.reading())
                try:
                    if self._loads:
                        self._layout.refresh()
                    break
                except FileNotFoundError as error:
                    # A writer may have replaced a segment since what we read was committed.
                    if not n_left:
                        raise _missing(self.path, error.filename) from error
                    held.close()
            if self._loads and self.mode == "r" and self._layout.version != self._checked:
                self._check_identity()
                self._checked = self._layout.version
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Change the index, alone."""
        self.check_mode()
        self._check_open()
        with self._lock:
            self._check_open()
            self._store.recover()
            self._merger.check()
            with self._store.translating():
                self._layout.refresh()
                try:
                    yield
                    self._layout.refresh(own=True)
                except BaseException:
                    self._layout.distrust()
                    raise
            self._merger.poke()

    def check_mode(self) -> None:
        """Raise `InvalidSetting` where the index is open for reading alone."""
        if self.mode == "r":
            raise InvalidSetting(
                f"an index must be open for writing to be changed, got {self.path} open for "
                "reading alone: leave out mode='r' (--read-only)"
            )

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidIndex(f"an index must be open, got {self._name}, which is closed: open it")
        if self._is_elsewhere():
            raise InvalidIndex(
                f"an index must be used by the process that opened it, got {self._name}, opened by "
                f"process {self._process} before a fork: open it in each process"
            )
        if self._is_half_made:
            raise InvalidIndex(
                f"an index must be whole, got {self._name}, whose rebuild was interrupted: call "
                "rebuild() again"
            )

    def _is_elsewhere(self) -> bool:
        """Return whether this is a fork, which must not use the database of its parent."""
        return self.path is not None and self._process != os.getpid()

    @property
    def _name(self) -> str:
        return str(self.path or "one in memory")

    def _check_identity(self) -> None:
        """Refuse to read on where a writer makes everything anew, or has done so."""
        rebuilding = self._store.meta("rebuilding") is not None
        if rebuilding or self._store.meta("identity") != index_identity(self.settings):
            raise InvalidIndex(
                f"an index must stay as it was when it was opened, got {self.path}, which another "
                f"program {'is making' if rebuilding else 'has made'} anew: open it again"
            )

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


def _as_path(path: str | os.PathLike[str]) -> Path:
    """Return a path that a folder can have."""
    if isinstance(path, str | os.PathLike) and isinstance(name := os.fspath(path), str) and name:
        with suppress(UnicodeEncodeError):
            if b"\0" not in os.fsencode(name):
                return Path(name)
    raise InvalidSetting(f"an index must have the path of a folder, got {path!r:.200}")


def _prepare(folder: Path | None, mode: str, timeout: float) -> Lock | None:
    """Make the folder of an index and lock it, or refuse one that holds something else."""
    if folder is None:
        if mode == "r":
            raise InvalidSetting("an index to read must have a path, got none: name its folder")
        return None
    if folder.is_symlink() and not os.path.exists(folder):  # noqa: PTH110  A loop raises in Path.
        raise InvalidIndex(
            f"an index must be a folder, got {folder}, a link that leads nowhere: make the folder "
            "it names, or name another path"
        )
    if folder.exists() and not folder.is_dir():
        raise InvalidIndex(f"an index must be a folder, got the file {folder}: name another path")
    if mode == "r":
        check_is_there(folder)
        return None
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if (folder / FILE).exists() and not (folder / FILE).is_file():
        raise InvalidIndex(
            f"an index must have its documents in a file, got {folder / FILE}, which is none: name "
            "another folder, or restore it from a backup"
        )
    check_has_documents(folder)
    if not (folder / FILE).exists() and {path.name for path in folder.iterdir()} - {LOCK}:
        raise InvalidIndex(
            f"an index must have a folder of its own, got {folder}, which holds something else: "
            "name a folder that is empty or not there"
        )
    with _writing(folder):
        return Lock(folder, timeout)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say what can be done where an index cannot be written."""
    try:
        yield
    except DedupeError:  # It has been said, and may be an OSError too.
        raise
    except OSError as error:
        raise not_stored(error, folder) from error


def _as_settings(chosen: dict[str, Any]) -> Settings:
    return Settings(**chosen)


def index_identity(settings: Settings) -> dict[str, Any]:
    """Return what an index must have been made with to be used."""
    return identity(settings) | {"format": FORMAT}


def _found_settings(path: Path | None, found: Any, asked: dict[str, int]) -> Settings:
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
                "leave it out, or make all of it anew with rebuild=True (dedupe index rebuild)"
            )
    return _as_settings({name: found.get(name) for name in CHOSEN})


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


def _missing(path: Path | None, name: str) -> InvalidIndex:
    """Return the error of an index that lacks one of its files."""
    remedy = (
        "open it for writing (dedupe index verify --repair), which makes it anew from the texts"
    )
    if name.endswith(".epoch"):
        remedy = "learn it anew, with dedupe index verify --repair or as rebuild=True does"
    return InvalidIndex(f"an index must have all its files, got {path} without {name}: {remedy}")

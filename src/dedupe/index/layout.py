"""Brings up to date what an index looks up: its segments, its tail, what is dead, its epoch.

The database says which segments and which epoch there are. A file is written before anything
refers to it, and then swapped in by a commit; `dedupe.index.merging` decides when.
"""

import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from dedupe import disk
from dedupe.errors import InvalidIndex
from dedupe.index.postings import Postings, Tail
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.epochs import Epoch, Knowledge, write_epoch
from dedupe.index.storage.rows import unsigned
from dedupe.index.storage.segments import Dead, Documents, Segment, write_segment
from dedupe.index.storage.store import State, Store
from dedupe.settings import Settings

__all__ = ["Layout"]

NAME = re.compile(r"[0-9a-f]{16}\.(segment|epoch)")
"""Names of files that are written here."""


class Layout:
    """What an index looks up, as the database says.

    Parameters
    ----------
    folder : path or None
    store : Store
    settings : Settings

    Attributes
    ----------
    state : State
        As of when it was last brought up to date.
    postings : Postings
    epoch : Epoch
    """

    def __init__(self, folder: Path | None, store: Store, settings: Settings) -> None:
        self._folder = folder
        self._store = store
        self._settings = settings
        # Files that are written by now, and that no commit refers to yet.
        self._pending: set[str] = set()
        self._segments_in_memory: dict[str, Segment] = {}
        self._epochs_in_memory: dict[str, Epoch] = {}
        self._version = -1
        self._last_dead = 0
        self._last_in_tail = 0
        # Texts that were added to the tail in the database, and are looked up once committed.
        self._kept: list[Documents] = []
        self.state = State()
        self.postings = self._empty()
        self.epoch = Epoch(0, 0)

    def _empty(self) -> Postings:
        return Postings([], Tail(self._settings.num_perm), self._settings.bucket_cap)

    @property
    def version(self) -> int:
        """The version of the database that all of it is of, -1 if that is not known."""
        return self._version

    def restart(self, settings: Settings) -> None:
        """Forget what is looked up until it is made anew, perhaps with other settings."""
        self._settings = settings
        self._version = -1
        self._last_dead = 0
        self.state = State()
        self.postings = self._empty()
        self.epoch = Epoch(0, 0)

    def refresh(self, *, own: bool = False) -> None:
        """Bring everything up to date; to be called while reading.

        Parameters
        ----------
        own : bool
            Whether this connection may have written, which SQLite does not tell it.
        """
        # What a change has kept and not committed, an interruption has left behind.
        is_known = self._version >= 0 and (own or not self._kept)
        # What this connection writes leaves the version as it is.
        version = self._version if own and is_known else self._store.version()
        if is_known and version == self._version and not own:
            return
        # Whatever interrupts this, what was begun is read anew next time.
        self._version = -1
        state = self._store.state()
        if state.layout != self.state.layout or not is_known:
            self._reload()
        elif own:
            for texts in self._kept:
                self._extend(self.postings.tail, texts)
        else:
            self._read_tail(self.postings.tail)
        self._kept.clear()
        dead, last_dead = self._read_dead(self._last_dead)
        self.postings.bury(dead)
        self._last_dead = last_dead
        # Its number comes again after a rebuild, its name does not.
        if (state.epoch, self._epoch_name(state)) != (self.epoch.number, self.epoch.name):
            self.epoch = self._read_epoch(state)
        self.state = state
        self._version = version

    def _reload(self) -> None:
        """Open the segments that are new, and read the tail anew."""
        known = {one.name: one for one in self.postings.segments} | self._segments_in_memory
        segments: list[Segment] = []
        for name, _ in self._store.db.execute("select * from segments order by n_docs desc, name"):
            segments.append(known.get(name) or self.segment(name))
        self._pending -= {one.name for one in segments}
        postings = self._empty()
        postings.segments = segments
        self._last_in_tail = 0
        self._read_tail(postings.tail)
        # In all others, the dead have been buried before.
        opened = [one for one in segments if one not in self.postings.segments]
        if opened:
            # The others have yet to hear of those that died since they were looked at.
            dead, _ = self._read_dead(0)
            for segment in opened:
                segment.bury_all(dead)
        self.postings = postings

    def segment_names(self) -> list[str]:
        """Return the names of the segments, as the database has them."""
        return [name for (name,) in self._store.db.execute("select name from segments")]

    def segment(self, name: str) -> Segment:
        """Return a segment, opened anew."""
        if self._folder is None:
            return self._segments_in_memory[name]
        self._check_name(name)
        segment = Segment.open(self._folder, name)
        if segment.documents.signatures.shape[1] != self._settings.num_perm:
            raise damaged(self._store.path, f"{name} is of other settings")
        return segment

    def _check_name(self, name: str) -> None:
        """Refuse to read what lies elsewhere, whatever a forged database says."""
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise damaged(self._store.path, f"{name!r} is no file of an index")

    def epoch_name(self) -> str:
        """Return the name of what was learned last, as the database has it."""
        return self._epoch_name(self._store.state())

    def current_epoch(self) -> Epoch:
        """Return what was learned last, opened anew."""
        return self._read_epoch(self._store.state())

    def read_anew(self) -> Postings:
        """Return what is looked up, read anew."""
        other = Layout(self._folder, self._store, self._settings)
        other._segments_in_memory = {
            name: Segment(name, one.buffer) for name, one in self._segments_in_memory.items()
        }
        other._epochs_in_memory = self._epochs_in_memory
        other.refresh()
        return other.postings

    def touch(self) -> None:
        """Make every reader look anew which segments there are; in a transaction."""
        state = self._store.state()
        self._store.save(state._replace(layout=state.layout + 1))

    def _read_tail(self, tail: Tail) -> None:
        """Add what has come to the tail."""
        said = (
            "select number, n_shingles, low, signature from tail where number > ? order by number"
        )
        rows = self._store.db.execute(said, (self._last_in_tail,)).fetchall()
        if not rows:
            return
        n_bytes = 4 * self._settings.num_perm
        if any(len(row[3]) != n_bytes for row in rows):
            raise damaged(self._store.path, "a signature is of other settings")
        numbers, sizes, lows, signatures = zip(*rows, strict=True)
        texts = Documents(
            np.array(numbers, np.uint32),
            np.array(sizes, np.int64),
            np.array(lows, np.int64).view(np.uint64),
            np.frombuffer(b"".join(signatures), "<u4").reshape(len(rows), -1),
        )
        self._extend(tail, texts)

    def _extend(self, tail: Tail, texts: Documents) -> None:
        tail.extend(texts)
        self._last_in_tail = int(texts.numbers[-1])

    def _read_dead(self, after: int) -> tuple[list[Dead], int]:
        """Return the texts that have died since one, given by its serial number, and the last's."""
        said = "select serial, number, n_shingles, low from dead where serial > ? order by serial"
        rows = self._store.db.execute(said, (after,)).fetchall()
        dead = [Dead(number, size, unsigned(low)) for _, number, size, low in rows]
        return dead, rows[-1][0] if rows else after

    def orphans(self) -> list[Dead]:
        """Return the texts that are looked up though no document has them any more."""
        living = self.postings.living()
        said = self._store.db.execute("select distinct original from documents")
        kept = np.fromiter((number for (number,) in said), np.int64)
        gone = living.take(~np.isin(living.numbers, kept))
        columns = (gone.numbers, gone.sizes, gone.contents)
        return [*map(Dead, *(column.tolist() for column in columns))]

    def _epoch_name(self, state: State) -> str:
        """Return the name of what was learned last, empty where that is nothing."""
        name = self._store.meta("epoch") if state.epoch else ""
        if not isinstance(name, str):
            raise damaged(self._store.path, "it does not say what it has learned")
        return name

    def _read_epoch(self, state: State) -> Epoch:
        name = self._epoch_name(state)
        if not name:
            return Epoch(0, 0)
        if self._folder is None:
            return self._epochs_in_memory[name]
        self._check_name(name)
        return Epoch.open(self._folder, name, state.epoch, state.last_learned)

    # What is written.

    def keep_tail(self, texts: Documents) -> None:
        """Add texts to the tail, within a transaction."""
        signatures = texts.signatures.astype("<u4")
        lows = texts.contents.view(np.int64).tolist()
        rows = zip(
            texts.numbers.tolist(),
            texts.sizes.tolist(),
            lows,
            (one.tobytes() for one in signatures),
            strict=True,
        )
        self._store.db.executemany("insert into tail values (?, ?, ?, ?)", rows)
        if len(texts.numbers):
            self._kept.append(texts)

    def write_segment(self, documents: Documents) -> Segment:
        """Write a segment, which nothing refers to until it is swapped in."""
        name = f"{secrets.token_hex(8)}.segment"
        self._pending.add(name)
        segment = write_segment(self._folder, name, documents)
        if self._folder is None:
            self._segments_in_memory[name] = segment
        return segment

    def swap(
        self, segment: Segment | None, replaced: Iterable[str], sealed: Iterable[int] = ()
    ) -> None:
        """Put a segment in the place of others and of what is sealed, within a transaction."""
        db = self._store.db
        if segment is not None:
            db.execute("insert into segments values (?, ?)", (segment.name, len(segment)))
        db.executemany("delete from segments where name = ?", ((name,) for name in replaced))
        db.executemany("delete from tail where number = ?", ((number,) for number in sealed))
        self.touch()

    def replace_all(self, segments: Iterable[Segment]) -> None:
        """Put segments in the place of all that is looked up, within a transaction."""
        for table in ("segments", "tail", "dead"):
            self._store.db.execute(f"delete from {table}")
        for segment in segments:
            self.swap(segment, [])
        self.touch()

    def forget_dead(self, numbers: Iterable[int]) -> None:
        """Forget dead texts that neither a segment nor the tail holds, within a transaction."""
        self._store.db.executemany("delete from dead where number = ?", ((n,) for n in numbers))

    @property
    def last_dead(self) -> int:
        """Serial of what died last, as far as it is known."""
        return self._last_dead

    def forget_until(self, serial: int) -> None:
        """Forget all dead texts up to one, within a transaction."""
        self._store.db.execute("delete from dead where serial <= ?", (serial,))

    def write_epoch(self, number: int, last: int, known: Knowledge) -> Epoch:
        """Write an epoch, which nothing refers to until `Store` names it."""
        name = f"{secrets.token_hex(8)}.epoch"
        self._pending.add(name)
        epoch = write_epoch(self._folder, name, number, last, known)
        if self._folder is None:
            self._epochs_in_memory[name] = epoch
        return epoch

    def clear_files(self) -> None:
        """Remove files that nothing refers to: those before a step, or after one that was cut."""
        names = self._file_names()
        self._pending -= names
        for kept in (self._segments_in_memory, self._epochs_in_memory):
            for name in kept.keys() - names - self._pending:
                del kept[name]
        if self._folder is None:
            return
        drafts = {disk.draft_name(name.encode()) for name in self._pending}
        for path in self._folder.iterdir():
            is_ours = path.suffix in (".segment", ".epoch") or disk.DRAFT_NAME.fullmatch(path.name)
            if is_ours and path.name not in names | self._pending | drafts:
                with suppress(OSError):  # Windows removes no file that is open elsewhere.
                    path.unlink()

    def _file_names(self) -> set[str]:
        """Return the names of the files that are referred to."""
        return {*self.segment_names(), self._store.meta("epoch") or ""}

    def distrust(self) -> None:
        """Read everything anew next time: what was begun may have come through or not."""
        self._version = -1
        self._kept.clear()

    def has_epoch(self) -> bool:
        """Return whether what was learned last can be read."""
        try:
            return self.current_epoch().is_sound()
        except (OSError, InvalidIndex):
            return False

    def forget_epoch(self) -> bool:
        """Forget what was learned if it cannot be read; return whether that was so."""
        if self.has_epoch():
            return False
        with self._store.transaction():
            self._store.save(self._store.state()._replace(epoch=0, n_learned=0, last_learned=0))
        return True

    def abandon(self, name: str) -> None:
        """Remove a file that nothing will refer to, unless that was committed after all."""
        self._pending.discard(name)
        if name in self._file_names():
            return
        self._segments_in_memory.pop(name, None)
        self._epochs_in_memory.pop(name, None)
        if self._folder is not None:
            (self._folder / name).unlink(missing_ok=True)

    def has_sound_tables(self) -> bool:
        """Return whether the tail and the dead hold values of the types that were written."""
        said = """
            select 1 from tail where typeof(number) <> 'integer' or number not between 1 and ?
                or typeof(n_shingles) <> 'integer' or typeof(low) <> 'integer'
                or typeof(signature) <> 'blob' or length(signature) <> ?
            union all
            select 1 from dead where typeof(number) <> 'integer' or number not between 1 and ?
                or typeof(n_shingles) <> 'integer' or typeof(low) <> 'integer'
            limit 1
        """
        most = (1 << 32) - 1
        found = self._store.db.execute(said, (most, 4 * self._settings.num_perm, most))
        return found.fetchone() is None

    def missing_or_torn(self) -> list[str]:
        """Return the names of segments that cannot be opened."""
        if self._folder is None:
            return []
        found = []
        for name in self.segment_names():
            try:
                self._check_name(name)
                Segment.open(self._folder, name)
            except (OSError, InvalidIndex):
                found.append(name)
        return found

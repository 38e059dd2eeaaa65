"""Seals and merges segments beside the work, in a thread that is there only while it has any.

A tail that has grown is *sealed* into a segment, and segments of about one size are merged, so
that a document is written a few times in all, and few files are looked at. Only the step that
puts a new segment in the place of others is taken in turn with the work.
"""

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from dedupe.errors import CannotStore
from dedupe.index.layout import Layout
from dedupe.index.postings import Postings
from dedupe.index.storage.segments import Segment, gathered
from dedupe.index.storage.store import Store

__all__ = ["Due", "Merger", "due"]

LOG = logging.getLogger("dedupe")

TAIL = 4096
"""Texts in the tail from which it is sealed: to look through them takes .2 ms."""

FANOUT = 4
"""Segments of about one size that are merged into one: of a million documents each is written
five times at most, and they lie in a dozen segments."""

DEAD_SHARE = 0.25
"""Share of dead texts above which a segment is written anew: files are never more than a third
larger than what is alive in them."""


class Due(NamedTuple):
    """What becomes one segment: some others, and the tail if it `seals`."""

    segments: list[Segment]
    seals: bool


def due(postings: Postings) -> Due | None:
    """Return what is to be done first, None if it is nothing."""
    tiers: dict[int, list[Segment]] = {}
    for segment in postings.segments:
        if segment.n_dead > DEAD_SHARE * len(segment):
            return Due([segment], seals=False)
        tier = int(math.log(max(1, len(segment) / TAIL), FANOUT))
        tiers.setdefault(tier, []).append(segment)
    if len(postings.tail) >= TAIL:
        return Due([], seals=True)
    for _, segments in sorted(tiers.items()):
        if len(segments) >= FANOUT:
            return Due(segments, seals=False)
    return None


class Merger:
    """Does what is due to the segments of an index that is open for writing.

    Parameters
    ----------
    lock : lock
        Held while the store or the layout is used.
    store : Store
    layout : Layout
    """

    def __init__(self, lock: threading.RLock, store: Store, layout: Layout) -> None:
        self._lock = lock
        self._store = store
        self._layout = layout
        self._thread: threading.Thread | None = None
        self._is_paused = False
        self._error: Exception | None = None

    def check(self) -> None:
        """Raise what went wrong since it was asked last; the lock must be held."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def poke(self) -> None:
        """Start on what is due, if anything; the lock must be held."""
        self.check()
        if self._thread is None and not self._is_paused and due(self._layout.postings):
            self._thread = threading.Thread(target=self._run, name="dedupe-index", daemon=True)
            self._thread.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause within this context; the lock must not be held when it is entered."""
        self._is_paused = True
        self.wait()
        try:
            yield
        finally:
            self._is_paused = False

    def wait(self) -> None:
        """Wait until nothing is being done; the lock must not be held."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            while not self._is_paused and self.step():
                pass
        except CannotStore as error:
            # Nothing is lost by it: the tail goes on to grow, and it is tried again.
            LOG.warning("%s", error)
        except Exception as error:
            # Whoever changes the index next is told; who closes it finds it in the log.
            LOG.warning("%s", error)
            self._error = error
        finally:
            self._thread = None

    def step(self, *, everything: bool = False) -> bool:
        """Seal the tail or merge segments, or `everything` into one; return whether it was due."""
        with self._lock:
            postings = self._layout.postings
            work = Due([*postings.segments], seals=True) if everything else due(postings)
            if work is None:
                return False
            # What dies from now on is noted in the database, and buried in what is written.
            parts = [(one.documents, one.is_alive.copy()) for one in work.segments]
            if work.seals:
                parts.append((postings.tail.documents, postings.tail.is_alive.copy()))
            serial = self._layout.last_dead
        gone = [documents.numbers[~is_alive] for documents, is_alive in parts]
        forgotten = np.concatenate(gone).tolist()
        documents = gathered(parts)
        made = self._layout.write_segment(documents) if len(documents.numbers) else None
        with self._lock:
            tail, is_alive = parts[-1]
            sealed = tail.numbers[is_alive].tolist() if work.seals else []
            try:
                with self._store.transaction():
                    self._layout.swap(made, [one.name for one in work.segments], sealed)
                    self._layout.forget_dead(forgotten)
                    if everything:
                        # Those that died in a tail of before, no part has held any more.
                        self._layout.forget_until(serial)
            except BaseException:
                # It is tried again: on a full disk each try would leave its file.
                if made is not None:
                    self._layout.abandon(made.name)
                raise
            self._layout.refresh(own=True)
            self._layout.clear_files()
        return True

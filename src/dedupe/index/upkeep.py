"""Seals and merges segments beside the work, in a thread that is there only while it has any."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from dedupe.errors import CannotStore
from dedupe.index.layout import Layout
from dedupe.index.segments import joined
from dedupe.index.store import Store

__all__ = ["Upkeep"]

LOG = logging.getLogger("dedupe")


class Upkeep:
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

    def poke(self) -> None:
        """Begin with what is due, if anything is, while the lock is held."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._thread is None and not self._is_paused and self._layout.due() is not None:
            self._thread = threading.Thread(target=self._run, name="dedupe-index", daemon=True)
            self._thread.start()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do nothing meanwhile; to be entered while the lock is not held."""
        self._is_paused = True
        self.wait()
        try:
            yield
        finally:
            self._is_paused = False

    def wait(self) -> None:
        """Wait until nothing is being done, while the lock is not held."""
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
            segments = [*self._layout.postings.segments] if everything else self._layout.due()
            if segments is None:
                return False
            tail = self._layout.postings.tail
            seals = everything or not segments
            # Who dies from now on is noted in the database, and buried in what is written.
            parts = [(one.documents, one.is_alive.copy()) for one in segments]
            if seals:
                parts.append((tail.documents, tail.is_alive.copy()))
        living = [documents.take(is_alive) for documents, is_alive in parts]
        gone = [documents.numbers[~is_alive] for documents, is_alive in parts]
        forgotten = np.concatenate(gone).tolist()
        documents = joined(living)
        made = self._layout.write(documents) if len(documents.numbers) else None
        with self._lock:
            sealed = living[-1].numbers.tolist() if seals else []
            with self._store.transaction():
                self._layout.swap(made, [one.name for one in segments], sealed)
                self._layout.forget_dead(forgotten)
            self._layout.refresh(own=True)
            self._layout.clear_files()
        return True

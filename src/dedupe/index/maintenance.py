"""Keeps an index in order: learns, finds duplicates, compacts, verifies and rebuilds it."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from dedupe.ages import as_window
from dedupe.engine.local import LocalEngine
from dedupe.errors import InvalidIndex, InvalidSetting
from dedupe.ids import Id
from dedupe.index import rebuilding, verification
from dedupe.index.opening import Opened, index_identity
from dedupe.index.records import Stats, Verification
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.epochs import Companions, Knowledge
from dedupe.index.storage.store import State, Store
from dedupe.pipeline import find, teach
from dedupe.progress import ProgressCallback
from dedupe.report.progress import shown
from dedupe.results.result import Result
from dedupe.settings import Resources, Settings

__all__ = ["Maintained"]


class Maintained(Opened):
    """An index that is open; see `dedupe.Index`."""

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
        self.was_rebuilt = False
        asked = {"ngram": ngram, "num_perm": num_perm, "seed": seed}
        super().__init__(path, mode=mode, asked=asked, timeout=timeout, may_be_stale=rebuild)
        if self.is_stale:
            try:
                self.rebuild(ngram=ngram, num_perm=num_perm, seed=seed)
            except BaseException:
                self.close()
                raise

    def find_duplicates(
        self,
        *,
        threshold: float = Settings.threshold,
        keep: str | Callable[..., Any] = Settings.keep,
        prefer: str | Sequence[str] = (),
        window: timedelta | str | None = None,
        explain: Id | None = None,
        workers: int | None = None,
        memory: int | str | None = None,
        reuse: bool = False,
        progress: ProgressCallback | bool | None = None,
    ) -> Result:
        """Return what `dedupe.find_duplicate_texts` says of all documents.

        The parameters are those of `dedupe.find_duplicates`.
        """
        settings = replace(
            self.settings, threshold=threshold, keep=keep, prefer=prefer, window=as_window(window)
        )
        with (
            shown(progress) as callback,
            self._snapshot() as store,
            LocalEngine(Resources.of(workers, memory, callback)) as engine,
        ):
            return find(store.documents(), settings, engine, explain, reuse=reuse)

    @overload
    def learn(
        self,
        *,
        if_grown: None = None,
        workers: int | None = None,
        memory: int | str | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> int: ...

    @overload
    def learn(
        self,
        *,
        if_grown: float,
        workers: int | None = None,
        memory: int | str | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> int | None: ...

    def learn(
        self,
        *,
        if_grown: float | None = None,
        workers: int | None = None,
        memory: int | str | None = None,
        progress: ProgressCallback | bool | None = None,
    ) -> int | None:
        """Learn anew what is boilerplate and what is one story, and return the new epoch.

        Until it learns, a new document is compared by what was known before, and by what it and
        its candidates teach. Once a tenth is new or gone (`Stats.growth`), it should learn again.
        It takes about as long as to find all duplicates; the index can be used meanwhile.

        Parameters
        ----------
        if_grown : float, optional
            Learn only if more than this share has come or gone since it learned last, 0.1 for a
            tenth, or has documents and never learned from any; else return None.
        workers, memory, progress
            As in `dedupe.find_duplicates`.

        Examples
        --------
        >>> from dedupe import Index
        >>> index = Index()
        >>> index.add_texts({"a": "one story", "b": "another"}).n_added
        2
        >>> index.learn(if_grown=0.1), index.learn(if_grown=0.1)
        (1, None)
        """
        self.check_mode()
        if if_grown is not None and not _has_grown(self.stats(), if_grown):
            return None
        with shown(progress) as callback, self._snapshot() as store:
            resources = Resources.of(workers, memory, callback)
            state, known = _knowledge(store, self.settings, resources)
        with self._writing():
            number, last = self._layout.state.epoch + 1, state.next - 1
            epoch = self._layout.write_epoch(number, last, known)
            try:
                with self._store.transaction():
                    self._store.set_meta("epoch", epoch.name)
                    self._store.save(
                        self._store.state()._replace(
                            epoch=number, n_learned=state.n_documents, last_learned=last
                        )
                    )
            except BaseException:
                self._layout.abandon(epoch.name)
                raise
            self._layout.clear_files()
        return number

    # Keeping it in order.

    def compact(self) -> None:
        """Write everything anew without what was removed, in as few bytes as it takes.

        Raises
        ------
        InvalidIndex
            When a document is damaged, or cannot be found; then nothing is changed.
        """
        self.check_mode()
        with self._merger.paused(), self._writing():
            rebuilding.check_documents(self._store)
            self._merger.step(everything=True)
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

        All texts are checked before anything is changed: a damaged one is an `InvalidIndex`.
        When it is interrupted, the index is refused until it was rebuilt; opening it with
        ``rebuild=True`` goes on where it was.
        """
        self.check_mode()
        with self._lock:
            self._is_half_made = False
            self._check_open()
        asked: dict[str, Any] = {"ngram": ngram, "num_perm": num_perm, "seed": seed}
        settings = replace(
            self.settings, **{name: one for name, one in asked.items() if one is not None}
        )
        try:
            self._rebuild(settings)
        except BaseException:
            with self._lock, self._store.translating():
                self._is_half_made = self._store.meta("rebuilding") is not None
            raise

    def _rebuild(self, settings: Settings) -> None:
        with self._merger.paused(), self._lock, self._store.translating():
            self._store.recover()
            learns = rebuilding.rebuild(self._store, index_identity(settings), settings)
            self.settings = settings
            self._derive()
        if learns:
            self.learn()
        # Until now an interrupted run begins with what is left to do.
        with self._writing(), self._store.transaction():
            self._store.drop_meta("rebuilding")
        self.was_rebuilt = True

    def stats(self) -> Stats:
        """Return what it holds, and how much of it is new since it learned."""
        with self._reading():
            state, postings = self._layout.state, self._layout.postings
            n_dated = self._store.n_dated()
            if n_dated > state.n_documents:
                raise damaged(self._store.path, "it has more times than documents")
            return Stats(
                state.n_documents,
                state.n_texts,
                state.n_documents - n_dated,
                int(postings.tail.is_alive.sum()),
                len(postings.segments),
                postings.n_dead,
                0 if self.path is None else _n_bytes(self.path),
                state.epoch,
                state.n_learned,
                self._store.n_after(state.last_learned),
            )

    def verify(self, *, repair: bool = False) -> Verification:
        """Read all of it, and return what is not as it was written.

        Parameters
        ----------
        repair : bool
            Make anew what follows from the documents, where that is damaged, and what SQLite
            looks them up in. A document that is damaged itself must be added again, or removed;
            while there is one, the rest is left as it is.
        """
        with self._reading():
            lost = [*verification.in_database(self._store)]
            derived = [*verification.in_files(self._store, self._layout, self.settings)]
        repaired = repair and bool(lost or derived) and self._repair()
        return Verification((*lost, *derived), repaired)

    def _repair(self) -> bool:
        """Make anew what can be; return whether all is sound then."""
        self.check_mode()
        with self._merger.paused(), self._lock:
            with suppress(InvalidIndex), self._store.transaction():
                self._store.reindex()
                self._store.restore_dictionary()
            try:
                with self._reading():
                    rebuilding.check_documents(self._store)
                with self._store.translating():
                    has_lost_epoch = self._layout.forget_epoch()
                    self._derive()
            except InvalidIndex:
                return False
            with self._reading():
                if any(verification.in_database(self._store)):
                    return False
        if has_lost_epoch:
            self.learn()
        return True


def _knowledge(store: Store, settings: Settings, resources: Resources) -> tuple[State, Knowledge]:
    """Return what all documents teach, and what was there to teach it."""
    state = store.state()
    if not state.n_documents:
        nothing = np.empty(0, np.int64)
        return state, Knowledge(b"", nothing, nothing, Companions.none())
    with LocalEngine(resources) as engine:
        corpus, blocks, learned, certain = teach(store.documents(), settings, engine)
    original_of = {id_: text for id_, *text in store.originals()}
    texts = [original_of[corpus.ids[number]] for number in blocks.numbers.tolist()]
    numbers, lows = np.array(texts, np.int64).reshape(-1, 2).T
    companions = Companions.of(numbers[certain], lows.view(np.uint64)[certain])
    return state, Knowledge(learned.boilerplate.to_bytes(), numbers, learned.stories, companions)


def _has_grown(stats: Stats, share: float) -> bool:
    """Return whether more than a share of an index has come or gone since it learned."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not share >= 0:
        raise InvalidSetting(
            f"if_grown must be a share of at least 0, such as 0.1 for a tenth, got {share!r}"
        )
    return stats.growth > share or (not stats.n_learned and stats.n_new > 0)


def _n_bytes(folder: Path) -> int:
    """Return the bytes of the files in a folder, of which a writer may remove some meanwhile."""
    n_bytes = 0
    for path in folder.iterdir():
        with suppress(OSError):
            n_bytes += path.stat().st_size if path.is_file() else 0
    return n_bytes

"""Answers what an index holds: which documents tell the story of a text, and each by its id.

What a query compares, and how, is for `dedupe.index.queries` to know.
"""

from collections.abc import Iterator
from datetime import date
from itertools import starmap
from typing import Any

from dedupe.documents import Document
from dedupe.documents.document import from_value
from dedupe.errors import InvalidInput, NothingToRead, Skipped, UnknownDocument
from dedupe.ids import Id, in_order
from dedupe.index.maintenance import Maintained
from dedupe.index.matches import Matches
from dedupe.index.queries import Query, answer, check_query
from dedupe.index.records import Entry
from dedupe.index.storage.keys import checked_id
from dedupe.index.storage.salvaging import salvaged
from dedupe.index.times import as_seconds
from dedupe.minhash import sketch
from dedupe.settings import Settings

__all__ = ["LIMIT", "MAX_COMPARED", "Answering", "as_document"]

LIMIT = 20
"""Matches that a query returns by default: hardly anybody looks at more."""

MAX_COMPARED = 200
"""Texts that a query compares by default, the likeliest first, so that it takes milliseconds
even of a story with thousands of copies."""


class Answering(Maintained):
    """An index that answers; see `dedupe.Index`."""

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
        InvalidInput
            When the text is no string.
        NothingToRead
            When the text has no word.

        Notes
        -----
        An answer depends on what is stored and on what was learned last, see `learn`, and not on
        what else is asked.
        """
        check_query(limit, threshold, max_compared)
        encoded = as_document(0, text, None).encoded
        sketches = sketch([encoded], self.settings)
        asked = Query(encoded, sketches, limit, threshold, max_compared)
        with self._reading():
            return answer(self._store, self._layout, self.settings, asked)

    def __len__(self) -> int:
        with self._reading():
            return self._layout.state.n_documents

    def __contains__(self, id_: object) -> bool:
        with self._reading():
            return self._store.find(checked_id(id_)) is not None

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
            row = self._store.find(checked_id(id))
            if row is None:
                raise self._unknown(id)
            return self._store.document(row)

    def documents(self) -> Iterator[Document]:
        """Yield all documents in the order of their ids, as they are when it begins."""
        if self.path is not None:
            with self._snapshot() as store:
                yield from store.documents()
            return
        with self._reading():
            rows = [*self._store.rows()]
        for place in in_order([row.id for row in rows], range(len(rows))):
            with self._lock:
                document = self._store.document(rows[place])
            yield document

    def _salvaged(self) -> Iterator[Document | Skipped]:
        """Yield all documents as they are when it begins; what is damaged is skipped."""
        if self.path is None:
            yield from self.documents()
            return
        with self._snapshot() as store:
            yield from salvaged(store)

    def entries(self) -> Iterator[Entry]:
        """Yield what is known of all documents but their texts, in the order of their ids.

        Examples
        --------
        >>> from dedupe import Index
        >>> index = Index()
        >>> _ = index.add("agency", "the old bridge is closed", time=60), index.add(7, "one word")
        >>> for entry in index.entries():
        ...     print(entry)
        Entry(id=7, time=None, n_words=2)
        Entry(id='agency', time=60.0, n_words=5)
        """
        if self.path is None:
            with self._reading():
                found = [*self._store.entries()]
            yield from starmap(Entry, found)
            return
        with self._snapshot() as store:
            yield from starmap(Entry, store.entries())

    def _unknown(self, id_: Id) -> UnknownDocument:
        return UnknownDocument(
            f"no document {id_!r} in {self.path or 'the index'}: check the id ('dedupe index ids' "
            "lists those of a folder)"
        )


def as_document(id_: Any, text: Any, time: float | date | str | None) -> Document:
    """Return a document to add or to ask for.

    Raises
    ------
    InvalidInput, InvalidSetting
        When the text is no string, or something else is not what it must be: a mistake of the
        caller.
    NothingToRead
        When it holds nothing, as the page of a video.
    """
    if not isinstance(text, str):
        remedy = "decode it" if isinstance(text, bytes | bytearray) else "turn it into one"
        raise InvalidInput(f"a text must be a string, got {type(text).__name__}: {remedy}")
    found = from_value(checked_id(id_), text, as_seconds("time", time))
    if isinstance(found, Skipped):
        raise NothingToRead(f"a text must hold a word, got {found.reason}: {found.remedy}")
    return found

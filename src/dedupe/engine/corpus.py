"""Holds the documents of one run, by number, once they have been read.

Documents are numbered in the order of their ids, so that the order of the input cannot change
an answer. Arrays hold what is kept of them; their texts wait in `dedupe.engine.spill` until they
are compared, and until their evidence is asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import repeat
from math import isnan
from typing import Self

import numpy as np
import numpy.typing as npt

from dedupe.arrays import AnyInts, Bools, Floats, Hashes, Ints
from dedupe.documents.document import digest_of
from dedupe.engine.spill import Texts
from dedupe.engine.texts import KeptTexts
from dedupe.errors import Skipped, UnknownDocument
from dedupe.ids import Id, Ids, find_id
from dedupe.results.records import DocumentInfo
from dedupe.scoring.stories import StoryWords
from dedupe.spans import Spans

__all__ = ["Corpus"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents in the order of their ids; a number is a place in that order.

    Attributes
    ----------
    ids : tuple of ids
    n_words : int64 [shape=(n_docs,)]
    contents : uint64 [shape=(n_docs,)]
        Half of the digest of the tokens, which breaks ties where numbers must not.
    rows : int64 [shape=(n_docs,)]
        Place of each document in the input, which is its row in what follows.
    times : float64 [shape=(n_read,)]
        NaN where a document has none.
    is_old : bool [shape=(n_read,)]
        Whether it belongs to the collection that others are held against.
    n_shingles : int64 [shape=(n_read,)]
    signatures : uint32 [shape=(n_read, num_perm)], or none once candidates are found
    stored : Texts
    first_copy : int64 [shape=(n_docs,)]
        The first document with the same tokens, an old one if there is one: itself,
        where it has no copy before it.
    skipped : tuple of Skipped
    keeps_order : bool
        Whether places in the input are to be remembered.
    is_dated : bool [shape=(n_read,)]
        Whether a window goes by its time.
    spans : Spans or None
        When each document came up, where there is a window; its identical copies are one
        document only as long as they follow each other within it.
    """

    ids: Ids
    n_words: Ints
    contents: Hashes
    rows: Ints
    times: Floats
    is_old: Bools
    n_shingles: Ints
    signatures: npt.NDArray[np.uint32]
    stored: Texts
    first_copy: Ints
    skipped: tuple[Skipped, ...]
    keeps_order: bool
    is_dated: Bools
    spans: Spans | None

    def __len__(self) -> int:
        return len(self.ids)

    def digests(self, numbers: AnyInts) -> list[str]:
        """Return the digests of some texts."""
        rows = self.rows[numbers]
        found = [""] * rows.size
        # In the order in which they were read, texts lie near each other in the file.
        order = np.argsort(rows)
        texts = self.stored.each(rows[order].tolist())
        for place, text in zip(order.tolist(), texts, strict=True):
            found[place] = digest_of(text)
        return found

    def infos(
        self, numbers: AnyInts, words: StoryWords, digests: Iterable[str]
    ) -> list[DocumentInfo]:
        """Return what a result says of some documents, with what each has of its story."""
        rows = self.rows[numbers]
        return list(
            map(
                DocumentInfo,
                map(self.ids.__getitem__, numbers.tolist()),
                self.n_words[numbers].tolist(),
                rows.tolist() if self.keeps_order else repeat(0),
                (None if isnan(time) else time for time in self.times[rows].tolist()),
                self.is_old[rows].tolist(),
                digests,
                self.is_dated[rows].tolist(),
                words.story.tolist(),
                words.boilerplate.tolist(),
            )
        )

    def encoded(self, numbers: Ints) -> list[bytes]:
        """Return the texts of some documents in UTF-8."""
        return self.stored.read(self.rows[numbers].tolist())

    def texts(self, numbers: AnyInts) -> KeptTexts:
        """Return some of the texts as a mapping from ids."""
        ids = [self.ids[number] for number in numbers.tolist()]
        return KeptTexts(ids, self.rows[numbers], self.stored)

    def without_signatures(self) -> Self:
        """Let go of the signatures, half a kilobyte a document; a slice would keep them all."""
        return replace(self, signatures=self.signatures[:0].copy())

    @property
    def n_undated(self) -> int:
        """How many documents have no time that a window goes by."""
        return int(np.count_nonzero(~self.is_dated[self.rows]))

    @property
    def are_all_comparable(self) -> bool:
        """Whether any two documents may be compared: none is old, and there is no window.

        Only then may some of them decide which others are compared.
        """
        return self.spans is None and not self.is_old.any()

    def originals(self) -> Ints:
        """Return the documents that are the first with their tokens."""
        return np.flatnonzero(self.first_copy == np.arange(len(self)))

    def named(self, document: Id) -> Id:
        """Return the id that a document or what was skipped has, be it named as text.

        Raises
        ------
        UnknownDocument
            When nothing has it.
        """
        skipped = [one.id for one in self.skipped]
        found = find_id(document, [*self.ids, *skipped])
        if found is None:
            raise UnknownDocument(
                f"no document {str(document)!r} to explain in what was read: "
                "use ids as the report prints them"
            )
        return found

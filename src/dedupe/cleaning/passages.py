"""Finds passages that several stories share, however little else their documents do.

A search learns boilerplate from documents that are like each other. A notice in two long
documents makes them no pair; so here every line of the collection is counted, as is usual
before a language model is trained.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple, Self

import numpy as np

from dedupe.arrays import Bools, Hashes, Ints
from dedupe.documents import Document
from dedupe.ids import Id, Old, in_order
from dedupe.results.records import Cluster
from dedupe.results.result import Result
from dedupe.results.stories import Lines, are_frame
from dedupe.scoring.boilerplate import load_boilerplate

__all__ = ["PASSAGE", "STORIES", "Passages", "told"]

PASSAGE = 10
"""Words of a passage: a line of fewer counts together with the lines behind it, as many as it
takes. So a short line that says the same by chance stays, and a menu goes."""

STORIES = 3
"""How many stories must have a passage: two may have it of one another."""


class Passages(NamedTuple):
    """The passages that several stories share.

    Attributes
    ----------
    keepers : dict of int to ids
        The document that each stays in, by its key: the first in the order of ids, an old
        one before all others.
    """

    keepers: dict[int, Id]

    @classmethod
    def of(cls, documents: Iterable[Document], clusters: Sequence[Cluster]) -> Self:
        """Count in how many stories each passage of a collection stands.

        Parameters
        ----------
        documents : iterable of Document
        clusters : sequence of Cluster
            Which documents are one story; others are one each.

        Examples
        --------
        >>> notice = "The views in this piece are those of its author alone."
        >>> documents = [Document(id_, notice) for id_ in "cab"]
        >>> [*Passages.of(documents, ()).keepers.values()], Passages.of(documents[:2], ()).keepers
        (['a'], {})
        """
        story_of = {
            member: number for number, cluster in enumerate(clusters) for member in cluster.members
        }
        ids: list[Id] = []
        stories: list[int] = []
        keys: list[Hashes] = []
        for number, document in enumerate(documents, start=len(clusters)):
            ids.append(document.id)
            stories.append(story_of.get(document.id, number))
            keys.append(np.unique(_passages(Lines.of(document.text)).keys))
        return cls(_keepers(ids, np.array(stories, np.int64), keys))

    def repeated(self, document: Document, lines: Lines) -> Bools:
        """Return which lines of a document stand in passages that others keep."""
        found = _passages(lines)
        goes = np.zeros(len(lines.texts), np.bool_)
        for key, start, end in zip(*(column.tolist() for column in found), strict=True):
            if self.keepers.get(key, document.id) != document.id:
                goes[start:end] = True
        return goes


def told(result: Result, passages: Passages, is_story: bool, document: Document) -> tuple[str, str]:
    """Return what is left of a text, and the spans that went, as they are written.

    Lines of repeated passages go, and those of boilerplate where the story alone is wanted.
    """
    lines = Lines.of(document.text)
    goes = passages.repeated(document, lines)
    if is_story:
        known = load_boilerplate(result.boilerplate)
        goes |= are_frame(lines, result.settings.ngram, known)
    left = lines.without(goes)
    return left.text, " ".join(f"{start}-{end}" for start, end in left.cut)


class _Found(NamedTuple):
    """The passages of a text: a key of the words of each, its first line and the one behind it."""

    keys: Hashes
    starts: Ints
    ends: Ints


def _passages(lines: Lines) -> _Found:
    """Return a passage for each line that has words, and enough of them behind it."""
    rows = np.flatnonzero(lines.n_words)
    starts, ends = lines.offsets[rows], lines.offsets[rows + 1]
    last = np.searchsorted(ends, starts + PASSAGE)
    is_long = last < rows.size
    rows, starts, last = rows[is_long], starts[is_long], last[is_long]
    data = lines.words.astype("<u8").tobytes()
    keys = [
        blake2b(data[8 * start : 8 * end], digest_size=8).digest()
        for start, end in zip(starts.tolist(), ends[last].tolist(), strict=True)
    ]
    with_words = np.flatnonzero(lines.n_words)
    return _Found(np.frombuffer(b"".join(keys), np.uint64), rows, with_words[last] + 1)


def _keepers(ids: Sequence[Id], stories: Ints, keys: Sequence[Hashes]) -> dict[int, Id]:
    """Return the document that keeps each passage that enough stories have.

    Parameters
    ----------
    ids : sequence of ids
    stories : int64 [shape=(n_docs,)]
    keys : sequence of uint64
        The passages of each document, each once.
    """
    order = sorted(
        in_order(ids, range(len(ids))), key=lambda place: not isinstance(ids[place], Old)
    )
    passages = np.concatenate([np.empty(0, np.uint64), *(keys[place] for place in order)])
    owners = np.repeat(order, [keys[place].size for place in order]).astype(np.int64)
    # The first of each is that of the first document.
    distinct, first, rows = np.unique(passages, return_index=True, return_inverse=True)
    in_stories = np.unique(np.stack([rows, stories[owners]]), axis=1)[0]
    is_repeated = np.bincount(in_stories, minlength=distinct.size) >= STORIES
    found = zip(distinct[is_repeated].tolist(), owners[first[is_repeated]].tolist(), strict=True)
    return {key: ids[owner] for key, owner in found}

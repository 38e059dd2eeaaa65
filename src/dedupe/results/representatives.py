"""Chooses the copy to keep of each cluster: by a rule, by a function, or by where it lies.

An old document is kept before all others, then one in the first place that is preferred. Among
those `keep` decides, and the first id of equals.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from functools import partial
from glob import escape
from itertools import pairwise
from typing import Any

import numpy as np

from dedupe.arrays import Floats, Ints
from dedupe.errors import InvalidSetting, UnknownDocument
from dedupe.ids import Id
from dedupe.results.records import Copy, DocumentInfo
from dedupe.settings import Settings

__all__ = ["KEYS", "as_copies", "is_in", "representatives", "starts_of"]

KEYS: dict[str, Callable[[DocumentInfo], float]] = {
    "longest": lambda document: -document.n_words,
    "shortest": lambda document: document.n_words,
    "first": lambda document: document.position,
    # A document without a time comes after all that have one.
    "newest": lambda document: float("inf") if document.time is None else -document.time,
    "oldest": lambda document: float("inf") if document.time is None else document.time,
}
"""What `keep` names but "typical": the document with the least of it is kept."""

INFO = tuple(one.name for one in fields(DocumentInfo))
"""What a copy is told of a document."""

PATTERN = re.compile(r"[*?\[]")
"""What makes a place a pattern."""

OLD_FIRST = -1
"""What comes before every place."""


def as_copies(
    documents: Sequence[DocumentInfo], scores: Floats, texts: Mapping[Id, str]
) -> list[DocumentInfo]:
    """Return documents as a function that chooses among them is given them: scored, with texts."""
    find_text = partial(_text_of, texts)
    return [
        Copy(**{name: getattr(one, name) for name in INFO}, score=score, find_text=find_text)
        for one, score in zip(documents, scores.tolist(), strict=True)
    ]


def _text_of(texts: Mapping[Id, str], document: Id) -> str:
    """Return the text of a document, which a loaded result has not."""
    try:
        return texts[document]
    except KeyError:
        raise UnknownDocument(
            f"texts must be there for keep to see them, got none of {document!r}: "
            "a result that was loaded has none"
        ) from None


def starts_of(labels: Ints) -> Ints:
    """Return where each label begins, of labels that are in order."""
    return np.flatnonzero(np.diff(labels, prepend=-1))


def representatives(
    documents: Sequence[DocumentInfo],
    starts: Ints,
    ranks: Ints,
    settings: Settings,
) -> Ints:
    """Return the place of the document to keep of each cluster: the old one if there is one.

    Parameters
    ----------
    documents : sequence of DocumentInfo
        Those of a cluster follow each other.
    starts : int64 [shape=(n_clusters,)]
        Where each cluster begins.
    ranks : int64 [shape=(n_docs,)]
        In which order their ids are; the first wins a tie.
    settings : Settings
    """
    n_clusters = starts.size
    clusters = np.repeat(np.arange(n_clusters), np.diff(np.append(starts, len(documents))))
    preference = _preference(documents, settings.prefer)
    first = np.minimum.reduceat(preference, starts) if n_clusters else preference
    places = np.flatnonzero(preference == first[clusters])
    few = [documents[place] for place in places.tolist()]
    starts = starts_of(clusters[places])
    if callable(settings.keep):
        chosen = [
            start + _chosen(few[start:end], settings.keep)
            for start, end in pairwise([*starts.tolist(), len(few)])
        ]
        return places[chosen]
    values = _values(few, settings.keep, starts, clusters[places])
    values[preference[places] == OLD_FIRST] = 0
    order: Ints = np.lexsort((ranks[places], values, clusters[places]))
    return places[order[starts]]


def _values(
    documents: Sequence[DocumentInfo],
    keep: str,
    starts: Ints,
    clusters: Ints,
) -> Floats:
    """Return by what documents are chosen, of which the least is kept."""
    if keep != "typical":
        return np.array([KEYS[keep](one) for one in documents], np.float64)
    n_words = np.array([one.n_words for one in documents])
    story = np.array([one.story_words for one in documents])
    fullest = np.maximum.reduceat(story, starts)[clusters] if starts.size else story
    # The F1 of a copy with the story, of which the fullest copy has so many words.
    likeness: Floats = 2 * story / np.maximum(1, n_words + fullest)
    return -likeness


def _chosen(group: Sequence[DocumentInfo], keep: Callable[..., Any]) -> int:
    """Return the place of the document that a function chooses; the old one is not for it."""
    if group[0].is_old:
        return 0
    chosen = keep(tuple(group))
    if chosen not in group:
        is_id = any(chosen == document.id for document in group)
        remedy = ": return the copy, not its id" if is_id else ""
        raise InvalidSetting(f"keep must return one of the documents given, got {chosen!r}{remedy}")
    return group.index(chosen)


def _preference(documents: Sequence[DocumentInfo], places: Sequence[str]) -> Ints:
    """Return the number of the first place that each document is in, or how many there are."""
    found = np.full(len(documents), len(places))
    for number, place in reversed([*enumerate(places)]):
        found[[is_in(place, one.id) for one in documents]] = number
    found[[one.is_old for one in documents]] = OLD_FIRST
    return found


def is_in(place: str, document: Id) -> bool:
    """Return whether an id lies in a place: is it, lies under it, or is as a pattern says.

    >>> is_in("wire", "wire/1.txt"), is_in("wire/", "wires/1.txt"), is_in("*.txt", "wire/1.txt")
    (True, False, True)
    >>> is_in("feed.jsonl", "feed.jsonl:7"), is_in("./wire", "wire/1.txt")
    (True, True)
    >>> is_in("wire", "feed.jsonl#wire/1")
    True
    """
    name = str(document)
    # Where a file stands before an id, as --qualify-ids puts it there, either may be meant.
    own = name.partition("#")[2]
    if _lies_in(place, name) or (own and _lies_in(place, own)):
        return True
    # The same file may be named from here or from the root. Most ids need no look at that.
    if not (_is_from_somewhere(place) or _is_from_somewhere(name)):
        return False
    here = os.getcwd()  # noqa: PTH109
    whole = _from(here, name)
    return _is_under(_from(here, place), whole) or (
        bool(PATTERN.search(place)) and fnmatchcase(whole, _from(escape(here), place))
    )


def _is_from_somewhere(path: str) -> bool:
    """Return whether a path says where it starts: at the root, or here."""
    return path.startswith(".") or os.path.isabs(path)  # noqa: PTH117


def _lies_in(place: str, name: str) -> bool:
    """Return whether a name is in a place, both as they are spelled."""
    return _is_under(place, name) or (bool(PATTERN.search(place)) and fnmatchcase(name, place))


def _is_under(place: str, name: str) -> bool:
    """Return whether a name is a place or lies under it."""
    # An id that numbers a line or a row names its file first.
    return name == place or name.startswith(
        (place if place.endswith("/") else place + "/", place + ":", place + "#")
    )


def _from(folder: str, path: str) -> str:
    """Return a path as it is from the root of the file system; a slash at its end stays."""
    whole = os.path.normpath(os.path.join(folder, path)).replace(os.sep, "/")  # noqa: PTH118
    return whole.rstrip("/") + ("/" if path.endswith("/") else "")

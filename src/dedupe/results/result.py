"""Answers the questions that people ask of what was found.

A `Result` can be saved as JSON, loaded elsewhere, given another threshold and
reported without the documents it came from. Only the evidence of a result that was
not saved yet is found when it is asked for, in texts that are kept for it. The
records a result is made of are in `dedupe.results.records`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dedupe.arrays import Bools, Ints
from dedupe.documents.document import from_value
from dedupe.errors import InvalidSetting, Skipped, UnknownDocument
from dedupe.ids import Id, Ids, order_of
from dedupe.lazy import cached_property
from dedupe.results import saved
from dedupe.results.alignments import align
from dedupe.results.clusters import cluster_labels, make_clusters, make_duplicates
from dedupe.results.lookup import Lookup, from_left
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import (
    Cluster,
    Comparison,
    DocumentInfo,
    Duplicate,
    Pair,
    Story,
)
from dedupe.results.rows import rows
from dedupe.scoring.relations import RELATIONS
from dedupe.settings import SCORE_FLOOR, Settings
from dedupe.spans import Spans

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

__all__ = ["Result"]


@dataclass(frozen=True)
class Result:
    """Everything that `dedupe.find_duplicates` found.

    Attributes
    ----------
    clusters : tuple of Cluster
        Groups of two documents or more, largest first.
    duplicates : tuple of Duplicate
        What can be dropped, in the order of `clusters`: every member that scores 0.1 or more
        with the representative. Any other member stays, because its text would be lost.
    scored : sequence of Pair
        Every candidate whose score is at least 0.1, confirmed or not, the pairs that had to be
        compared to join clusters, and each duplicate with its representative; best first. Of
        identical copies only one, and the representative, have pairs here.
    skipped : tuple of Skipped
        What could not be read, with reason and remedy.
    n_documents : int
        Documents that were read.
    n_words : int
        Words in all of them.
    settings : Settings
    documents : tuple of DocumentInfo
        The documents that occur in `scored`, ordered by id.
    boilerplate : bytes
        What `dedupe.compare` learns from this result: see
        `dedupe.scoring.boilerplate.Boilerplate.to_bytes`.
    n_old : int
        How many of the documents belong to the old collection.
    n_undated : int
        How many of the documents have no time for the window to go by; 0 without a window.
    others : tuple of ids
        All other documents but old ones, in order: nothing is like them.
    texts : mapping from ids to texts
        The texts of `documents`, kept as long as the result. Empty where it was loaded from
        JSON or unpickled.
    """

    clusters: tuple[Cluster, ...]
    duplicates: tuple[Duplicate, ...]
    scored: Sequence[Pair]
    skipped: tuple[Skipped, ...]
    n_documents: int
    n_words: int
    settings: Settings
    documents: tuple[DocumentInfo, ...]
    boilerplate: bytes = b""
    n_old: int = 0
    n_undated: int = 0
    others: Ids = field(default=(), repr=False)
    texts: Mapping[Any, str] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        old = f"old={self.n_old}, " if self.n_old else ""
        return (
            f"<Result: documents={self.n_documents}, {old}clusters={len(self.clusters)}, "
            f"duplicates={len(self.duplicates)}, skipped={len(self.skipped)}>"
        )

    def __iter__(self) -> Iterator[Cluster]:
        """Yield the clusters, largest first."""
        return iter(self.clusters)

    # --- pairs ---

    @property
    def pairs(self) -> Sequence[Pair]:
        """The confirmed pairs, whose score reaches the threshold, best first.

        Where there is a window, they also lie within it.
        """
        scored = self._scored
        is_confirmed = scored.scores >= self.settings.threshold
        if self._is_in_window is not None:
            is_confirmed &= self._is_in_window
        return scored.take(np.flatnonzero(is_confirmed))

    def pair(self, left: Id, right: Id) -> Pair:
        """Return the scored pair of two documents, in whichever order they are named.

        Raises
        ------
        UnknownDocument
            When the two were never scored together, or below 0.1.
        """
        found = self._lookup.pair(left, right)
        if found is None:
            raise _never_scored(left, right)
        return found

    def match(self, duplicate: Duplicate | Id) -> Pair:
        """Return the pair that says why a document is a duplicate.

        This is its pair with the copy to keep, if that reaches the threshold, and otherwise
        the one with its best match.

        Parameters
        ----------
        duplicate : Duplicate or id
            One of `duplicates`, or the id of one.

        Raises
        ------
        UnknownDocument
            When no duplicate has this id.
        """
        if not isinstance(duplicate, Duplicate):
            duplicate = self._duplicate(duplicate)
        direct = self._lookup.pair(duplicate.id, duplicate.duplicate_of)
        reaches = direct is not None and direct.score >= self.settings.threshold
        return direct if direct and reaches else self.pair(duplicate.id, duplicate.best_match)

    def pairs_of(self, document: Id) -> Sequence[Pair]:
        """Return every scored pair that a document is in, confirmed or not, best first."""
        scored = self._scored
        number = self._lookup.number(document)
        return scored.take(np.flatnonzero((scored.numbers == number).any(axis=1)))

    def related(self, relation: str) -> Sequence[Pair]:
        """Return the scored pairs of one relation, best first.

        Among equal scores, pairs that share more of the smaller story come first. What scores
        below 0.1, as most passages do that one text took from another, is recorded only if the
        search had ``reuse=True``.

        Parameters
        ----------
        relation : str
            See `Pair`.

        Raises
        ------
        InvalidSetting
            When there is no such relation.
        """
        if relation not in RELATIONS:
            raise InvalidSetting(
                f"a relation must be one of {', '.join(RELATIONS)}, got {relation!r:.200}"
            )
        scored = self._scored
        wanted = [place for place, pair in enumerate(scored) if pair.relation == relation]
        wanted.sort(key=lambda place: (-scored[place].score, -scored[place].story_share))
        return scored.take(np.array(wanted, np.int64))

    def borderline(self, n: int = 10) -> Sequence[Pair]:
        """Return the `n` pairs whose scores are nearest to the threshold, nearest first."""
        if n < 0:
            raise InvalidSetting(f"n must be at least 0, got {n}")
        distances = np.abs(self._scored.scores - self.settings.threshold)
        return self._scored.take(np.argsort(distances, kind="stable")[:n])

    @property
    def n_copies(self) -> int:
        """How many documents repeat the words of another one exactly."""
        first = self._scored.first_copy
        return int(np.count_nonzero(first != np.arange(first.size)))

    def in_window(self, pair: Pair) -> bool:
        """Return whether the times of a scored pair, or of identical copies, lie in the window.

        A pair outside was scored because its documents came to one cluster through others.

        Raises
        ------
        UnknownDocument
            When the two were never scored together, or below 0.1.
        """
        if self._is_in_window is None:
            return True
        place = self._lookup.place(pair.left, pair.right)
        if place < 0:
            raise _never_scored(pair.left, pair.right)
        return bool(self._is_in_window[place])

    # --- texts ---

    def aligned(
        self, left: Id, right: Id, texts: Mapping[Any, str] | None = None
    ) -> Comparison | None:
        """Return a scored pair with both texts and every passage that they share.

        Nothing is scored again; digests tell whether the texts are still those that were
        searched.

        Parameters
        ----------
        left, right : str
            Ids, in the order in which the sides are to stand.
        texts : mapping from ids to texts, optional
            What was searched, for a result that was loaded and has no `texts` itself.

        Returns
        -------
        Comparison or None
            None where either text is missing or is no longer what was searched.

        Raises
        ------
        UnknownDocument
            When the two were never scored together, or below 0.1.

        Examples
        --------
        >>> import dedupe
        >>> texts = {"a": "the council voted to close the bridge for repairs " * 5}
        >>> texts["b"] = "home news sport " + texts["a"]
        >>> found = dedupe.find_duplicate_texts(texts)
        >>> found.aligned("b", "a").pair.evidence.only_left[0].excerpt
        'home news sport'
        >>> found.aligned("b", "a", texts | {"a": "edited since"}) is None
        True
        """
        left, right = self._lookup.id(left), self._lookup.id(right)
        pair = from_left(left, self.pair(left, right))
        texts = self.texts if texts is None else texts
        known = {side: self.unchanged(side, texts) for side in (left, right)}
        found = {side: text for side, text in known.items() if text is not None}
        if len(found) < len(known):
            return None
        return align([pair], found, self.settings, self.boilerplate)[0]

    def story(self, document: Id, texts: Mapping[Any, str] | None = None) -> Story:
        r"""Return the text of a document without its boilerplate, and what was cut.

        A line is cut if nearly all its words are text that more than two stories of the
        collection carry, or that was named as boilerplate. Text that only one story has is
        never cut, nor half a sentence.

        Parameters
        ----------
        document : str, int, ...
            An id.
        texts : mapping from ids to texts, optional
            What was searched; for a result that was loaded, and for documents that are like no
            other, whose texts a result does not keep.

        Raises
        ------
        UnknownDocument
            When there is no text of this id.

        Examples
        --------
        >>> import dedupe
        >>> frame = "Read more of our stories in the morning paper or on this site\n"
        >>> words = [f"{a} {b} {c}" for a in "abcd" for b in "efgh" for c in "ijkl"]
        >>> stories = [" ".join(words[n : n + 16]) for n in (0, 16, 32, 48)]
        >>> pages = {f"page {n}": frame + story for n, story in enumerate(stories)}
        >>> found = dedupe.find_duplicate_texts(pages)
        >>> found.story("page 0", pages).cut
        (Span(start=0, end=62),)
        """
        texts = self.texts if texts is None else texts
        text = self._lookup.text(texts, document)
        if text is None:
            raise UnknownDocument(
                f"there must be a text of {document!r}: give the texts that were searched "
                "with texts="
            )
        # They load the kernels, which a result that is only looked at does without.
        from dedupe.results.stories import Lines, are_frame  # noqa: PLC0415
        from dedupe.scoring.boilerplate import load_boilerplate  # noqa: PLC0415

        known = load_boilerplate(self.boilerplate)
        lines = Lines.of(text)
        return lines.without(are_frame(lines, self.settings.ngram, known))

    def unchanged(self, document: Id, texts: Mapping[Any, str]) -> str | None:
        """Return the text of a document among `texts`, or None where it is not what was searched.

        Raises
        ------
        UnknownDocument
            When there is a text, and the document is in no scored pair.

        Examples
        --------
        >>> import dedupe
        >>> texts = {"a": "the council voted to close the bridge for repairs " * 5}
        >>> found = dedupe.find_duplicate_texts(texts | {"b": texts["a"]})
        >>> found.unchanged("a", texts) == texts["a"]
        True
        >>> found.unchanged("a", {"a": "edited since"}) is None
        True
        """
        text, number = self._lookup.text(texts, document), self._lookup.number(document)
        if texts is self.texts and number >= 0 and self.documents[number].digest:
            # What a result keeps is what was searched; digests would take a tenth of a report.
            return text
        found = from_value(document, text)
        if isinstance(found, Skipped):
            return None
        if number < 0:
            raise UnknownDocument(
                f"{str(document)!r} must be in a scored pair: of others a result knows no text"
            )
        return found.text if found.digest == self.documents[number].digest else None

    # --- another threshold ---

    def at(self, threshold: float) -> Self:
        """Return the result that another threshold gives, without reading anything again.

        At `settings.threshold` that is this result. Pairs that the search did not compare are
        left out of the averages of `dedupe.clustering`, where a new search would compare them.
        So below the threshold of the search, clusters may be larger than a new search makes
        them.

        Raises
        ------
        InvalidSetting
            When the threshold lies outside [0.1, 1], or when the result was
            loaded from JSON and its `keep` was a function.
        """
        settings = replace(self.settings, threshold=threshold)
        scored = self._scored
        clusters = make_clusters(
            self.documents,
            self._labels_at(threshold),
            settings,
            pairs=scored.numbers,
            scores=scored.scores,
            texts=self.texts,
        )
        return replace(
            self,
            settings=settings,
            clusters=clusters,
            duplicates=make_duplicates(clusters, scored, threshold),
            scored=scored.at(threshold),
        )

    # --- what programs read ---

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a flat record for each member of each cluster, representative first.

        What is no duplicate has an empty ``duplicate_of``. Ids are plain, and ``is_old`` says
        whether they belong to the old collection.
        """
        return rows(self.clusters, self.duplicates, self._lookup.pair)

    def to_json(self) -> str:
        """Return the result as JSON: one object, keys in a fixed order, no rounding."""
        return saved.as_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild a result from what `to_json` returned.

        Raises
        ------
        InvalidInput
            When it is neither text nor bytes.
        InvalidResult
            When the text is no JSON, no result, of another format version, or damaged:
            a value is of another type or outside its range, or a record names a
            document that is not there.
        """
        return cls(**saved.facts_from(text))

    # --- what people read ---

    def to_html(
        self,
        path: str | os.PathLike[str],
        texts: Any = None,
        *,
        id_field: str = "id",
        text_field: str = "text",
        html_field: str | None = None,
    ) -> None:
        """Write the result as a page: every cluster, and the closest decisions first.

        The page is one file that needs nothing else, and stays under five megabytes. Its lists
        end where there is no more room, and say how much they leave out. The same result and
        texts give the same bytes.

        Parameters
        ----------
        path : path
            The file, which is written in one step, at the end.
        texts : list, mapping, data frame, table or dataset, optional
            What was searched, for a result that was loaded and has no `texts` itself. With
            them, the page shows pairs in full; where texts are missing or have changed since,
            it shows the longest passages.
        id_field, text_field, html_field : str
            As in the search.

        Raises
        ------
        InvalidInput
            When there are texts, and none of them goes by an id of the result.
        OSError
            When the file cannot be written.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from pathlib import Path
        >>> import dedupe
        >>> texts = {"a": "the council voted to close the bridge for repairs " * 5}
        >>> texts["b"] = "home news sport " + texts["a"]
        >>> with TemporaryDirectory() as folder:
        ...     page = Path(folder, "report.html")
        ...     dedupe.find_duplicate_texts(texts).to_html(page)
        ...     "1 of 2 documents is a copy of another" in page.read_text(encoding="utf-8")
        True
        """
        # Imports that point up are named among the layers in pyproject.toml.
        from dedupe.report import html  # noqa: PLC0415

        if texts is not None:
            from dedupe.results import tables  # noqa: PLC0415  Of no use to a search.

            texts = tables.texts_of(self, texts, id_field, text_field, html_field)
        html.write(self, Path(path), texts)

    def _repr_html_(self) -> str:
        """Return a short table of the largest clusters, for a notebook."""
        from dedupe.report import notebook  # noqa: PLC0415  It points up, as `to_html` does.

        return notebook.table(self)

    # --- your own rows, and tables ---

    def kept(
        self,
        data: Any,
        *,
        id_field: str = "id",
        text_field: str = "text",
        html_field: str | None = None,
    ) -> Any:
        """Return the rows of a collection that are no duplicates, as a collection of its kind.

        A list, a tuple, a mapping and tables of a library come back as what they
        are; anything else becomes a list.

        Parameters
        ----------
        data : list, mapping, data frame, table or dataset
            What was searched by `dedupe.find_duplicate_texts`. It is not changed.
        id_field, text_field, html_field : str
            As in the search.

        Raises
        ------
        InvalidInput
            When it is not what was searched: documents are missing, there are others, or one of
            them has another text.

        Examples
        --------
        >>> import dedupe
        >>> story = "the council voted to close the bridge for repairs until spring " * 5
        >>> texts = [story, "home news sport " + story, "something else entirely"]
        >>> [text[:9] for text in dedupe.find_duplicate_texts(texts).kept(texts)]
        ['home news', 'something']
        """
        from dedupe.results import tables  # noqa: PLC0415  Of no use to a search.

        return tables.kept(self, data, id_field, text_field, html_field)

    def annotate(
        self,
        data: Any,
        *,
        id_field: str = "id",
        text_field: str = "text",
        html_field: str | None = None,
    ) -> Any:
        """Return all rows of a collection with what became of them, in their order.

        A frame, a table or a dataset gets more columns; a list or a mapping becomes a list of
        records with more fields:

        - ``cluster``, a number, also for a document that is alone; none for what was skipped
        - ``duplicate_of``, the copy to keep, or None for what stays
        - ``score`` with that copy, or 1 for what stands for itself
        - ``relation`` and ``reason``; what was skipped has a reason, too
        - ``of_old``, whether `duplicate_of` is an old document

        `duplicate_of` has the type of the index or of the column of ids, in pandas the nullable
        one (``Int64``). A lazy frame is collected, and comes back as a frame.

        Parameters
        ----------
        data, id_field, text_field, html_field
            As in `kept`.

        Raises
        ------
        InvalidInput
            As in `kept`.
        InvalidSetting
            When a column of such a name is there already.

        Examples
        --------
        >>> import dedupe
        >>> story = "the council voted to close the bridge for repairs until spring " * 5
        >>> texts = {7: story, 8: "home news sport " + story, 9: "something else entirely"}
        >>> rows = dedupe.find_duplicate_texts(texts).annotate(texts)
        >>> [(row["cluster"], row["duplicate_of"], row["relation"]) for row in rows]
        [(1, 8, 'same text'), (1, None, None), (2, None, None)]
        """
        from dedupe.results import tables  # noqa: PLC0415

        return tables.annotate(self, data, id_field, text_field, html_field)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a data frame of pandas with a row for each document.

        Its columns are ``id``, ``is_old`` (whether that is an old document) and those of
        `annotate`. Of old documents, only those that others are duplicates of have rows. `id`
        and `duplicate_of` have one type, even where one is empty.

        Raises
        ------
        MissingExtra
            When pandas is not installed.
        """
        from dedupe.results import tables  # noqa: PLC0415

        return tables.as_pandas(self)

    def to_polars(self) -> "pl.DataFrame":
        """Return the same as `to_pandas`, for Polars.

        Ids are text where they have several types, or one that few columns can hold, such as
        UUIDs and tuples.

        Raises
        ------
        MissingExtra
            When Polars is not installed.
        """
        from dedupe.results import tables  # noqa: PLC0415

        return tables.as_polars(self)

    def to_arrow(self) -> "pa.Table":
        """Return the same as `to_polars`, for Arrow.

        Raises
        ------
        MissingExtra
            When pyarrow is not installed.
        """
        from dedupe.results import tables  # noqa: PLC0415

        return tables.as_arrow(self)

    # --- what the rest is made of ---

    @cached_property
    def _scored(self) -> ScoredPairs:
        """The scored pairs as arrays, whose numbers are places in `documents`."""
        return ScoredPairs.of(self.scored, [document.id for document in self.documents])

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self._scored, self.others)

    @cached_property
    def _duplicates(self) -> dict[Id, Duplicate]:
        return {duplicate.id: duplicate for duplicate in self.duplicates}

    def _duplicate(self, document: Id) -> Duplicate:
        """Return the duplicate with an id, or say that there is none."""
        found = self._duplicates.get(self._lookup.id(document))
        if found is None:
            raise UnknownDocument(
                f"match takes one of result.duplicates or its id, got {document!r:.200}, "
                "which is no duplicate: pairs_of has all that was scored with a document"
            )
        return found

    @cached_property
    def _is_in_window(self) -> Bools | None:
        """Which of the scored pairs lie within the window, if there is one."""
        window = self.settings.window
        if window is None:
            return None
        dates = [one.time if one.is_dated else None for one in self.documents]
        spans = Spans.of(self._scored.first_copy, np.array(dates, np.float64), window)
        return spans.in_window(self._scored.numbers)

    def _labels_at(self, threshold: float) -> Ints:
        """Return the cluster of each of `documents` that another threshold gives."""
        scored = self._scored
        may_join = scored.is_candidate
        if self._is_in_window is not None:
            may_join = may_join & self._is_in_window
        return cluster_labels(
            len(scored.ids),
            scored.numbers,
            scored.scores,
            scored.is_identical,
            np.array([document.is_old for document in self.documents], np.bool_),
            threshold=threshold,
            is_near=scored.is_near,
            may_join=may_join,
        )


def _never_scored(left: Id, right: Id) -> UnknownDocument:
    """Say that two documents are no scored pair."""
    first, second = sorted((left, right), key=order_of)
    return UnknownDocument(
        f"{str(first)!r} and {str(second)!r} must have been scored together at "
        f"{SCORE_FLOOR:g} or more"
    )

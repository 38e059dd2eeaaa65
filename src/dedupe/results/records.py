"""Defines the frozen records that describe documents, pairs and clusters.

Ids tie the records together, and no record holds a text but a `Comparison`; a pair
may know where to find its evidence. What people ask of all of them together is in
`dedupe.results.result`. The types of fields are also what `dedupe.results.saved` holds JSON
against.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from dedupe.ids import Id, Ids
from dedupe.lazy import cached_property

__all__ = [
    "Cluster",
    "Comparison",
    "Copy",
    "DocumentInfo",
    "Duplicate",
    "Evidence",
    "Pair",
    "Passage",
    "Remainder",
    "Share",
    "Span",
    "Story",
    "Unlisted",
    "evidence_of",
]

Share = Annotated[float, "in [0, 1]"]


class Span(NamedTuple):
    """A half-open range of characters in the original text of a document."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of words that two documents share.

    Attributes
    ----------
    left, right : Span
        Where it stands in either original text.
    n_words : int
        How many words it has.
    excerpt : str
        Its text as the left document has it, shortened in the middle.
    boilerplate : bool
        Whether it is text that many unrelated documents carry.
    """

    left: Span
    right: Span
    n_words: int
    excerpt: str
    boilerplate: bool = False


@dataclass(frozen=True, slots=True)
class Remainder:
    """A stretch of words that only one of two documents has."""

    span: Span
    n_words: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Unlisted:
    """How many stretches a list leaves out, the shortest ones, and their words."""

    n: int
    n_words: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where two documents agree, and what only one of them says.

    Attributes
    ----------
    passages : tuple of Passage
        The shared text, in the order of the left document.
    only_left, only_right : tuple of Remainder
        The rest of either document.
    covered_left, covered_right : float, in [0, 1]
        The share of either document's words that are shared.
    more_passages, more_left, more_right : Unlisted
        What these lists leave out. `dedupe.compare` lists everything; a search keeps
        the longest eight of each.
    """

    passages: tuple[Passage, ...]
    only_left: tuple[Remainder, ...]
    only_right: tuple[Remainder, ...]
    covered_left: Share
    covered_right: Share
    more_passages: Unlisted = Unlisted(0, 0)
    more_left: Unlisted = Unlisted(0, 0)
    more_right: Unlisted = Unlisted(0, 0)


@dataclass(frozen=True)
class Pair:
    """Two documents, how alike they are, and why.

    Attributes
    ----------
    left, right : str, int, ...
        The ids, `left` before `right` in order: see `dedupe.ids`.
    score : float, in [0, 1]
        How sure it is that both hold the same story.
    jaccard : float, in [0, 1]
        Shared shingles among all shingles of both: low where one text is long.
    containment : float, in [0, 1]
        The larger of the two directions below.
    containment_left, containment_right : float, in [0, 1]
        Which share of that side's shingles the other side has.
    story_share : float, in [0, 1]
        Share of the smaller story that is in the other document; 0 where what they
        share is no story.
    share_left, share_right : float, in [0, 1]
        Which share of that side's words the other side has.
    relation : str
        ``"identical"``, ``"same text"``, ``"contained"`` or ``"version"``, which are the same
        story; ``"partial reuse"``, ``"same template"`` or ``"different"``, which are not. See
        `dedupe.scoring.relations.relation`.
    reason : str
        One line for a person.
    shared_words : int
        Words of the shared text, counted on the side that has fewer.
    story_words : int
        Words of the smaller story, of which `story_share` are in the other document: its
        prose, boilerplate at what little it weighs; of two texts under 20 words, all words of
        the longer one. 0 where what they share is no story.
    hole_words : int
        How many of them stand at one place inside the shared text, or at one end of it, and
        differ.
    boilerplate_words : int
        How many of the shared words are boilerplate.
    is_candidate : bool
        Whether the two were found to be worth comparing. Any other pair was compared because
        its documents came to one cluster through others: it counts in the averages between
        clusters, and joins nothing.

    Parameters
    ----------
    find_evidence : callable without parameters that returns Evidence, optional
        What gives the evidence when it is asked for.
    """

    left: Id
    right: Id
    score: Share
    jaccard: Share
    containment: Share
    containment_left: Share
    containment_right: Share
    story_share: Share
    share_left: Share
    share_right: Share
    relation: str
    reason: str
    shared_words: int
    story_words: int
    hole_words: int
    boilerplate_words: int
    is_candidate: bool = True
    find_evidence: InitVar[Callable[[], Evidence] | None] = None

    def __post_init__(self, find_evidence: Callable[[], Evidence] | None) -> None:
        # Not a field: what finds evidence is no part of what is known of a pair.
        object.__setattr__(self, "_find_evidence", find_evidence)

    @cached_property
    def evidence(self) -> Evidence | None:
        """The shared passages, found when they are first asked for.

        None where they cannot be: a search can tell them of each duplicate with its
        representative, and `dedupe.compare` of its pair.
        """
        find: Callable[[], Evidence] | None = self.__dict__["_find_evidence"]
        return None if find is None else find()

    def __reduce__(self) -> tuple[Any, ...]:
        # Evidence may come from files of this process, so it is found now.
        facts = (getattr(self, one.name) for one in fields(self))
        return type(self), (*facts, evidence_of(self.evidence))

    def other(self, document: Id) -> Id:
        """Return the id of the side that is not `document`."""
        return self.right if document == self.left else self.left


def evidence_of(evidence: Evidence | None) -> Callable[[], Evidence] | None:
    """Return what gives evidence that was found before, for `Pair.find_evidence`."""
    return None if evidence is None else partial(_itself, evidence)


def _itself(evidence: Evidence) -> Evidence:
    return evidence


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is remembered of a document once its text is gone.

    Attributes
    ----------
    id : str, int, ...
        In the type in which it came; `dedupe.Old` where `is_old`.
    n_words : int
        Length in words (in characters, for scripts written without spaces).
    position : int
        Its place in the input, from 0, where ``keep`` is ``"first"`` or a function;
        otherwise 0, since then the order of the input changes nothing.
    time : float or None
        Seconds since 1970: the time of its file, or of the field that was named.
    is_old : bool
        Whether it belongs to the collection that others were held against, of which
        nothing is a duplicate.
    digest : str
        Of its text, which tells whether it is still the same: 128 bits of BLAKE2b in hexadecimal.
    is_dated : bool
        Whether a window goes by its time: not by that of its file, unless that was asked for.
    story_words : int
        How many of its words tell the story of its cluster, without boilerplate; in no
        cluster, the most that it shares with another document. See
        `dedupe.scoring.stories.words_of_stories`.
    boilerplate_words : int
        How many of its words are boilerplate: text that several other stories carry.
    """

    id: Id
    n_words: int
    position: int
    time: float | None = None
    is_old: bool = False
    digest: str = ""
    is_dated: bool = False
    story_words: int = 0
    boilerplate_words: int = 0

    @property
    def story_share(self) -> float:
        """The share of its words that tell the story."""
        return self.story_words / max(1, self.n_words)

    @property
    def boilerplate_share(self) -> float:
        """The share of its words that are boilerplate."""
        return self.boilerplate_words / max(1, self.n_words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(DocumentInfo):
    """One document of a cluster, as a function that chooses the one to keep is given it.

    Attributes
    ----------
    score : float, in [0, 1]
        The mean of its scores with the others of the cluster, as far as they were compared.
    find_text : callable
        Gives the text of a document by its id; ask for `text`.
    """

    score: Share
    find_text: Callable[[Id], str] = field(repr=False, compare=False)

    @property
    def text(self) -> str:
        """Its text, read when it is asked for.

        Raises
        ------
        UnknownDocument
            When the texts are gone: a result that was loaded has none.
        """
        return self.find_text(self.id)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Documents that hold the same story; `members` includes the representative."""

    representative: Id
    members: Ids

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Id]:
        """Yield the ids of the members."""
        return iter(self.members)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document that can be dropped, and what stands in for it.

    `Result.match` returns the pair that says why, with its relation.

    Attributes
    ----------
    id : str, int, ...
        As its owner knows it.
    duplicate_of : str, int, ...
        The representative of its cluster; `dedupe.Old` for a document of the old collection.
    score : float, in [0, 1]
        Its direct score with the representative.
    best_match : str, int, ...
        The member of its cluster that it matches best.
    best_score : float, in [0, 1]
    reason : str
        One line for a person. Where the direct score is below the threshold, it says
        what the best match shares with it.
    """

    id: Id
    duplicate_of: Id
    score: Share
    best_match: Id
    best_score: Share
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """The text of a document without its boilerplate.

    Attributes
    ----------
    text : str
        What is left: the lines that stay, as they were written.
    cut : tuple of Span
        The characters of the document's text that went: whole lines, in order.
    n_words, n_cut : int
        Words of the document, and those that went.
    """

    text: str
    cut: tuple[Span, ...]
    n_words: int
    n_cut: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two texts side by side: the answer of `dedupe.compare`.

    `pair.left` and `pair.right` name the sides in the order in which they were
    given, and `left_text` and `right_text` are what the spans of its evidence
    point into. `knows_boilerplate` says whether a corpus or the caller told boilerplate from
    story; two documents alone cannot.
    """

    pair: Pair
    left_text: str
    right_text: str
    threshold: float
    knows_boilerplate: bool = False

    @property
    def same_story(self) -> bool:
        """Whether the score reaches the threshold."""
        return self.pair.score >= self.threshold

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write both texts side by side as a page, which is one file that needs nothing else.

        Parameters
        ----------
        path : path
            The file, which is written in one step.

        Raises
        ------
        OSError
            When the file cannot be written.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import dedupe
        >>> story = "the council voted to close the bridge for repairs until spring " * 5
        >>> with TemporaryDirectory() as folder:
        ...     page = Path(folder, "pair.html")
        ...     dedupe.compare_texts(story, "home news sport " + story).to_html(page)
        ...     "for repairs until spring" in page.read_text(encoding="utf-8")
        True
        """
        # An import that points up, as that of `Result.to_html`.
        from dedupe.report import html  # noqa: PLC0415

        html.write(self, Path(path))

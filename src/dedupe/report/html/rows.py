"""The rows of two texts side by side: what they share, and what lies between, in order.

Rows follow the left side; what only the right side says comes after the passage that it
follows there. Nothing here is HTML, but text is ready to be shown: control characters
are spelled out, and white space is tidied.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

from dedupe.report.lines import squeezed, visible
from dedupe.results.records import Passage, Remainder, Span

__all__ = ["Piece", "Row", "Side", "in_order", "make_rows", "tidied"]

MAX_INLINE = 20
"""The most words of a difference that is marked within a passage, as a changed clause is.

A longer one gets a row of its own: after a line and a half a reader loses the passage.
"""

FOLD_WORDS = 40
"""Words, about three lines, from which text outside the shared story is folded away."""

MAX_STRETCH = 50_000
"""Characters shown of one stretch: 10 MB on one line would freeze a browser."""

Kind = Literal["shared", "boilerplate", "only"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text within a row; `differs` if the other side has something else."""

    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of two texts side by side.

    Attributes
    ----------
    kind : str
        ``"shared"``, ``"boilerplate"`` (shared as well), or ``"only"`` for text that the
        other side does not have.
    left, right : tuple of Piece
        Empty if that side has nothing here.
    left_words, right_words : int
    moved : bool
        Whether the passage stands in another place on the right.
    folded : bool
        Whether it stays closed until the reader opens it.
    """

    kind: Kind
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    left_words: int
    right_words: int
    moved: bool = False
    folded: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether both sides say the same, so that showing one of them is enough."""
        return self.kind != "only" and not any(piece.differs for piece in self.left + self.right)

    @property
    def previews(self) -> tuple[str, ...]:
        """The beginning of each side, shown while the row is folded; one if they say the same."""
        if self.kind == "only":
            return _preview(self.left), _preview(self.right)
        return (_preview(self.left or self.right),)


def _preview(pieces: Sequence[Piece]) -> str:
    """Return the beginning of one side, cut at a word."""
    start = squeezed("".join(piece.text for piece in pieces)[:200])
    return start if len(start) <= 90 else f"{start[:90].rpartition(' ')[0] or start[:90]} …"


Gaps = dict[int, list[Remainder]]
"""What one side alone says after each passage, by number; -1 is before the first."""


def tidied(text: str) -> str:
    r"""Return text with tidy white space, and with everything that could act on a page escaped.

    Runs of white space become one space; only lines and paragraphs remain of the layout.
    A paragraph ends at an empty line or at a line that ends with punctuation, since any
    other line may just have been wrapped.

    >>> tidied("one\t two\r\n\n\n  \x1b[31mthree\u202e")
    'one two\n\n\\x1b[31mthree\\u202e'
    >>> tidied("The first\nline.\nThe second.")
    'The first\nline.\n\nThe second.'
    """
    # Most stretches are one line without layout: all white space that is printable is a space.
    if text.isprintable() and "  " not in text and len(text) <= MAX_STRETCH:
        return text
    if len(text) > MAX_STRETCH:
        half = MAX_STRETCH // 2
        left_out = f" [… {len(text) - 2 * half:,} characters are not shown …] "
        text = text[:half] + left_out + text[-half:]
    is_plain = text.replace("\n", "").isprintable()
    if not is_plain or "  " in text:
        text = SPACES.sub(" ", text)
    text = text.replace(" \n", "\n").replace("\n ", "\n")
    text = PARAGRAPH_END.sub("\n\n", text)
    return text if is_plain else "\n".join(map(visible, text.split("\n")))


SPACES = re.compile(r"[^\S\n]+")
PARAGRAPH_END = re.compile(r"\n(?:(?<=[^\w\n]\n)\n*|\n{2,})")
"""Begins with a line end, so that nothing else of a text is looked at."""


class Side:
    """One side of a pair: the text of its passages, and of what lies between them.

    Parameters
    ----------
    text : str or None
        None if only excerpts are known.
    spans : sequence of Span
        The places of the passages, in the order of the left side.
    rests : sequence of Remainder
    """

    def __init__(self, text: str | None, spans: Sequence[Span], rests: Sequence[Remainder]) -> None:
        self.text = text
        self.order = sorted(range(len(spans)), key=spans.__getitem__)
        self.follower = dict(pairwise((-1, *self.order)))
        self.gaps = self._gaps(spans, rests)
        # Each stretch extends to the next, so that no character is lost between them.
        starts = sorted({span.start for span in spans} | {rest.span.start for rest in rests})
        ends = (*starts[1:], len(text or ""))
        self.whole = {
            start: Span(start if place else 0, end)
            for place, (start, end) in enumerate(zip(starts, ends, strict=True))
        }

    def _gaps(self, spans: Sequence[Span], rests: Sequence[Remainder]) -> Gaps:
        """Return the remainders by the passage that they follow."""
        gaps: Gaps = {}
        waiting = iter(self.order)
        last, coming = -1, next(waiting, None)
        for rest in sorted(rests, key=lambda rest: rest.span):
            while coming is not None and spans[coming].start <= rest.span.start:
                last, coming = coming, next(waiting, None)
            gaps.setdefault(last, []).append(rest)
        return gaps

    def say(self, span: Span, excerpt: str) -> str:
        """Return the text of a stretch: in full if the text is known, otherwise its excerpt."""
        if self.text is None:
            return tidied(excerpt)
        start, end = self.whole[span.start]
        return tidied(self.text[start:end])

    def n_words(self, passage: int) -> int:
        """Return how many words follow a passage that the other side does not have."""
        return sum(rest.n_words for rest in self.gaps.get(passage, ()))


def make_rows(passages: Sequence[Passage], left: Side, right: Side) -> Iterator[Row]:
    """Yield the rows of two sides, in the order of the left one."""
    yield from _only(-1, left, right)
    groups = list(_groups(passages, left, right))
    stay = in_order(
        [passages[group[0]].right.start for group in groups],
        [sum(passages[number].n_words for number in group) for group in groups],
    )
    for place, group in enumerate(groups):
        yield _shared(passages, group, left, right, moved=place not in stay)
        yield from _only(group[-1], left, right)


def _groups(passages: Sequence[Passage], left: Side, right: Side) -> Iterator[list[int]]:
    """Yield groups of passages that follow each other on both sides with little between."""
    group: list[int] = []
    for number in range(len(passages)):
        if group and not (
            left.text is not None
            and right.follower.get(number - 1) == number
            and passages[number].boilerplate == passages[number - 1].boilerplate
            and max(left.n_words(number - 1), right.n_words(number - 1)) <= MAX_INLINE
        ):
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _shared(
    passages: Sequence[Passage], group: Sequence[int], left: Side, right: Side, moved: bool
) -> Row:
    """Return the row of a group of passages, with the differences between them marked."""
    first = passages[group[0]]
    n_words = sum(passages[number].n_words for number in group)
    on_left = [(n, passages[n].left, passages[n].excerpt) for n in group]
    on_right = [(n, passages[n].right, passages[n].excerpt) for n in group]
    return Row(
        "boilerplate" if first.boilerplate else "shared",
        tuple(_pieces(left, on_left)),
        # Excerpts quote the left side.
        tuple(_pieces(right, on_right)) if right.text is not None else (),
        n_words + sum(map(left.n_words, group[:-1])),
        n_words + sum(map(right.n_words, group[:-1])),
        moved=moved,
        folded=first.boilerplate and n_words >= FOLD_WORDS,
    )


def _pieces(side: Side, stretches: Sequence[tuple[int, Span, str]]) -> Iterator[Piece]:
    """Yield the passages of a group on one side, with what lies between them there."""
    last = len(stretches) - 1
    for place, (number, span, excerpt) in enumerate(stretches):
        yield Piece(side.say(span, excerpt))
        for rest in side.gaps.get(number, ()) if place < last else ():
            yield Piece(side.say(rest.span, rest.excerpt), differs=True)


def _only(passage: int, left: Side, right: Side) -> Iterator[Row]:
    """Yield rows with what either side alone says after a passage, opposite each other."""
    pairs = zip_longest(left.gaps.get(passage, ()), right.gaps.get(passage, ()))
    for on_left, on_right in pairs:
        n_left, n_right = (0 if rest is None else rest.n_words for rest in (on_left, on_right))
        yield Row(
            "only",
            _rest(left, on_left),
            _rest(right, on_right),
            n_left,
            n_right,
            folded=max(n_left, n_right) >= FOLD_WORDS,
        )


def _rest(side: Side, rest: Remainder | None) -> tuple[Piece, ...]:
    """Return the text of a remainder, or nothing if there is none."""
    return () if rest is None else (Piece(side.say(rest.span, rest.excerpt)),)


def in_order(starts: Sequence[int], weights: Sequence[int]) -> set[int]:
    """Return the heaviest set of items whose starts rise; the others have moved.

    By weight, so that it is the menu that counts as moved, and not the story.

    >>> sorted(in_order([900, 10, 20, 30], [21, 108, 5, 5]))
    [1, 2, 3]
    """
    ranks = {start: rank for rank, start in enumerate(sorted(set(starts)), start=1)}
    # A Fenwick tree: the heaviest chain that ends at a rank or below, and its last item.
    heaviest = [(0, -1)] * (len(ranks) + 1)
    before = []
    for item, start in enumerate(starts):
        weight, last = 0, -1
        rank = ranks[start] - 1
        while rank > 0:
            weight, last = max((weight, last), heaviest[rank])
            rank -= rank & -rank
        before.append(last)
        rank = ranks[start]
        while rank <= len(ranks):
            heaviest[rank] = max(heaviest[rank], (weight + weights[item], item))
            rank += rank & -rank
    chain = set()
    item = max(heaviest)[1]
    for _ in starts:
        if item < 0:
            break
        chain.add(item)
        item = before[item]
    return chain

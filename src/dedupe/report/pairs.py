"""A pair of documents put into words: its measures, the rule applied, its evidence.

Every report about documents is built of these pieces, and decides for itself which
pairs to show and in which order.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from dedupe.ids import Id
from dedupe.report.lines import Line, Part, counted, squeezed
from dedupe.results.records import Evidence, Pair, Passage, Remainder, Unlisted

__all__ = ["Measured", "evidence", "left_out", "measures", "names", "rule", "stretches"]

N_PASSAGES = 3
"""Passages of a pair that are shown, and remainders of either side.

Three carry most of a story. `dedupe compare` shows the rest.
"""


class Measured(Protocol):
    """What two documents are to each other: a pair, or a match of an index."""

    @property
    def score(self) -> float: ...  # noqa: D102
    @property
    def containment(self) -> float: ...  # noqa: D102
    @property
    def jaccard(self) -> float: ...  # noqa: D102
    @property
    def relation(self) -> str: ...  # noqa: D102


def measures(pair: Measured) -> tuple[Part, ...]:
    """Return the measures of a pair and its relation, for one line."""
    return (
        ("dim", "  score "),
        ("", f"{pair.score:.2f}"),
        ("dim", "  containment "),
        ("", f"{pair.containment:.2f}"),
        ("dim", "  Jaccard "),
        ("", f"{pair.jaccard:.2f}"),
        ("relation", f"  {pair.relation}"),
    )


def names(pair: Pair) -> tuple[Part, ...]:
    """Return the ids of both sides, joined by "and"."""
    return (("id", pair.left), ("dim", " and "), ("id", pair.right))


def rule(pair: Pair, threshold: float) -> str:
    """Return how the score decided, with enough digits to tell it from the threshold.

    >>> shares = (0.3999999, 0.5, 1.0, 1.0, 0.5, 0.9, 1.0, 0.5)
    >>> rule(Pair("a", "b", *shares, "same template", "", 40, 40, 0, 0), 0.4)
    'score 0.3999999 is below the threshold 0.4: not the same story'
    """
    is_same = pair.score >= threshold
    texts = (f"{pair.score:.{digits}g}" for digits in range(6, 18))
    score = next(text for text in texts if (float(text) >= threshold) == is_same)
    if is_same:
        return f"score {score} reaches the threshold {threshold}: the same story"
    return f"score {score} is below the threshold {threshold}: not the same story"


def evidence(pair: Pair, depth: int) -> Iterator[Line]:
    """Yield the longest shared passages, and the longest stretches that only one side has."""
    if pair.evidence is not None:
        yield from stretches(pair.evidence, pair.left, pair.right, depth)


def stretches(found: Evidence, left: Id, right: Id, depth: int) -> Iterator[Line]:
    """Yield the same of evidence by itself."""
    yield from _stretches("shared", found.passages, found.more_passages, depth)
    yield from _stretches(f"only in {left}", found.only_left, found.more_left, depth)
    yield from _stretches(f"only in {right}", found.only_right, found.more_right, depth)


def _stretches(
    what: str, stretches: Sequence[Passage] | Sequence[Remainder], more: Unlisted, depth: int
) -> Iterator[Line]:
    """Yield the longest stretches in the order of the text, story before boilerplate."""
    ranked = sorted(
        range(len(stretches)),
        key=lambda i: (_is_boilerplate(stretches[i]), -stretches[i].n_words),
    )
    for stretch in (stretches[i] for i in sorted(ranked[:N_PASSAGES])):
        label = f"{what}, {counted(stretch.n_words, 'word')}"
        mark = ", boilerplate" if _is_boilerplate(stretch) else ""
        yield Line(
            depth,
            (("dim", label), ("boilerplate", mark), ("", f": {squeezed(stretch.excerpt)}")),
        )
    rest = ranked[N_PASSAGES:]
    if n_more := len(rest) + more.n:
        n_words = counted(sum(stretches[i].n_words for i in rest) + more.n_words, "word")
        yield Line(depth, (("dim", f"{what}: and {n_more:,} more, {n_words}"),))


def _is_boilerplate(stretch: Passage | Remainder) -> bool:
    """Return whether a stretch is a passage of boilerplate."""
    return isinstance(stretch, Passage) and stretch.boilerplate


def left_out(n: int, limit: int | None, noun: str, depth: int = 0) -> Iterator[Line]:
    """Yield a line that counts what a limit hides, if it hides any of `n` things."""
    if limit is not None and n > limit:
        yield Line(depth, (("dim", f"and {counted(n - limit, f'more {noun}')}"),))

"""The report on two texts: what they share, and what only one of them says.

Unlike the report of a search, it shows the text in full and keeps its paragraphs.
"""

from collections.abc import Iterator, Sequence

from dedupe.report.lines import BLANK, Line, counted, squeezed
from dedupe.report.pairs import measures, rule
from dedupe.results.records import Comparison, Evidence, Remainder, Span

__all__ = ["describe"]


def describe(comparison: Comparison) -> Iterator[Line]:
    """Yield the answer, the shared text, and the rest of either side."""
    pair = comparison.pair
    answer = "same story" if comparison.same_story else "not the same story"
    yield Line(0, (("keep" if comparison.same_story else "drop", answer), *measures(pair)))
    yield Line(1, (("", rule(pair, comparison.threshold)),))
    yield Line(1, (("", squeezed(pair.reason)),))
    if not comparison.knows_boilerplate:
        yield Line(1, (("dim", "two documents alone do not tell which text is boilerplate"),))
    if pair.evidence is None:
        return
    yield BLANK
    yield from _shared(comparison, pair.evidence)
    yield BLANK
    yield from _only(pair.left, pair.evidence.only_left, comparison.left_text)
    yield BLANK
    yield from _only(pair.right, pair.evidence.only_right, comparison.right_text)


def _shared(comparison: Comparison, evidence: Evidence) -> Iterator[Line]:
    """Yield the shared passages as the left document has them, boilerplate marked."""
    passages = evidence.passages
    if not passages:
        yield Line(0, (("heading", "shared: nothing"),))
        return
    pair = comparison.pair
    n_words = counted(sum(passage.n_words for passage in passages), "word")
    yield Line(0, (("heading", f"shared: {n_words} in {counted(len(passages), 'passage')}"),))
    for side, share in (pair.left, evidence.covered_left), (pair.right, evidence.covered_right):
        yield Line(1, (("dim", f"{share:.0%} of "), ("id", side)))
    for passage in passages:
        mark = "boilerplate" if passage.boilerplate else ""
        yield from _stretch(passage.n_words, comparison.left_text, passage.left, mark)


def _only(name: str, remainders: Sequence[Remainder], text: str) -> Iterator[Line]:
    """Yield what only one side says."""
    n_words = sum(remainder.n_words for remainder in remainders)
    amount = (
        f"{counted(n_words, 'word')} in {counted(len(remainders), 'place')}"
        if remainders
        else "nothing"
    )
    yield Line(0, (("heading", f"only in {name}: {amount}"),))
    for remainder in remainders:
        yield from _stretch(remainder.n_words, text, remainder.span)


def _stretch(n_words: int, text: str, span: Span, mark: str = "") -> Iterator[Line]:
    """Yield a stretch of text in full, without its empty lines."""
    yield BLANK
    yield Line(1, (("dim", counted(n_words, "word")), ("boilerplate", f", {mark}" if mark else "")))
    for paragraph in text[span.start : span.end].splitlines():
        if content := squeezed(paragraph):
            yield Line(2, (("", content),))

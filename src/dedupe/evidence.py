"""Shared runs of words to passages of text that a person can read.

The only place that joins scores to text: word numbers become character spans, and
spans become excerpts. What is shown of them, and how, is left to `dedupe.report`.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from dedupe.records import Evidence, Passage, Remainder, Span

__all__ = ["excerpt", "gather"]

HEAD, TAIL = 160, 80
"""Characters that an excerpt keeps of the beginning and of the end."""

Whole = npt.NDArray[np.int64]


def gather(
    texts: tuple[str, str],
    spans: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    runs: Whole,
    furniture: npt.NDArray[np.bool_] | None = None,
) -> Evidence:
    """Return what two texts share and what only one of them says.

    Parameters
    ----------
    texts : the two originals
    spans : int32 [shape=(n_tokens, 2)] for each text
        Characters of its tokens.
    runs : int64 [shape=(n_runs, 3)]
        First word on the left, first word on the right, number of words, in the
        order of the left; no word is in two runs.
    furniture : bool [shape=(n_runs,)], optional
        Which runs are furniture.
    """
    marks = np.zeros(len(runs), np.bool_) if furniture is None else furniture
    bounds = [_Bounds(text, span) for text, span in zip(texts, spans, strict=True)]
    passages = tuple(
        Passage(
            left=(span := bounds[0].span(left, left + n_words)),
            right=bounds[1].span(right, right + n_words),
            n_words=n_words,
            excerpt=excerpt(texts[0], span),
            furniture=bool(mark),
        )
        for (left, right, n_words), mark in zip(runs.tolist(), marks, strict=True)
    )
    only_left, only_right = (
        tuple(
            Remainder(span := bounds[side].span(start, end), end - start, excerpt(text, span))
            for start, end in _gaps(runs[:, [side, 2]].tolist(), len(spans[side]))
        )
        for side, text in enumerate(texts)
    )
    covered = int(runs[:, 2].sum())
    return Evidence(
        passages,
        only_left,
        only_right,
        covered_left=covered / max(1, len(spans[0])),
        covered_right=covered / max(1, len(spans[1])),
    )


def excerpt(text: str, span: Span) -> str:
    r"""Return the text of a span on one line, shortened in the middle if it is long.

    >>> excerpt("one\n two  three", Span(0, 15))
    'one two three'
    """
    # A span may be a megabyte long; its ends are enough to make the excerpt of.
    start, end = span
    if end - start > 4 * (HEAD + TAIL):
        head = " ".join(text[start : start + 2 * HEAD].split())
        tail = " ".join(text[end - 2 * TAIL : end].split())
    else:
        head = tail = " ".join(text[start:end].split())
        if len(head) <= HEAD + TAIL + len(" … "):
            return head
    return f"{_whole_words(head, HEAD)} … {_whole_words(tail[::-1], TAIL)[::-1]}"


def _whole_words(text: str, n_chars: int) -> str:
    """Return the beginning of a text, cut before a word where it has spaces."""
    short = text[:n_chars]
    whole = short.rpartition(" ")[0] if text[n_chars : n_chars + 1].strip() else short.rstrip()
    return whole or short


class _Bounds:
    """Where words begin and end in a text, with the punctuation that clings to them."""

    def __init__(self, text: str, spans: npt.NDArray[np.int32]) -> None:
        self.text = text
        self.spans = spans

    def span(self, first: int, last: int) -> Span:
        """Return the characters of the words ``first`` to ``last - 1``."""
        return Span(self._start(first), self._end(last))

    def _start(self, word: int) -> int:
        """Return where a word begins, with what clings to it behind the last white space."""
        before = int(self.spans[word - 1, 1]) if word else 0
        start = int(self.spans[word, 0])
        gap = self.text[before:start]
        if not gap or gap[-1].isspace():
            return start
        piece = gap.split()[-1]
        # Without white space between them, what clings clings to the word before.
        return start if word and piece == gap else start - len(piece)

    def _end(self, word: int) -> int:
        """Return where the word before this one ends, with what clings to it."""
        end = int(self.spans[word - 1, 1])
        after = int(self.spans[word, 0]) if word < len(self.spans) else len(self.text)
        # Both words may be of one character, as the 1 and 2 of ½; then the gap is empty.
        gap = self.text[end:after]
        if not gap or gap[0].isspace():
            return end
        return end + len(gap.split(maxsplit=1)[0])


def _gaps(runs: Iterable[list[int]], n_words: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of words that no run covers."""
    last = 0
    for start, length in sorted(runs):
        if start > last:
            yield last, start
        last = start + length
    if n_words > last:
        yield last, n_words

"""Turns the words that two texts share into passages that a person can read.

The only place that joins scores to text: word numbers become character spans, and
spans become excerpts. It is done when somebody asks. What is shown of it, and how, is
left to `dedupe.report`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Ints, part
from dedupe.results.records import Evidence, Passage, Remainder, Span, Unlisted
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import Boilerplate, load_boilerplate
from dedupe.scoring.runs import shared_runs
from dedupe.shingling import Tokens, hash_tokens

__all__ = ["EvidenceFinder", "EvidenceOfTexts", "excerpt", "gather"]

N_LISTED = 8
"""How many passages, and remainders per side, a search lists for each duplicate."""

CHARS_TOGETHER = 1 << 20
"""Characters of the texts that are hashed together, if there are more than two of them."""

HEAD, TAIL = 160, 80
"""Characters that an excerpt keeps of the beginning and of the end."""

Stretches = Sequence[tuple[int, int]]
"""Stretches of words, each by two numbers."""


class EvidenceFinder:
    """Finds what documents of a few texts share, word by word.

    Parameters
    ----------
    texts : sequence of str
    tokens : Tokens
        Those of the texts, in detail.
    block : Block
        Made of the tokens, and weighed.
    """

    def __init__(self, texts: Sequence[str], tokens: Tokens, block: Block) -> None:
        self._texts = texts
        self._tokens = tokens
        self._block = block

    @classmethod
    def of(cls, texts: Sequence[str], ngram: int, boilerplate: Boilerplate) -> Self:
        """Return the finder for some texts."""
        tokens = hash_tokens(texts, detail=True)
        return cls(texts, tokens, Block.of(tokens, ngram).weighed(boilerplate))

    def find(self, left: int, right: int, limit: int | None = None) -> Evidence:
        """Return the passages that two of the texts share and what only one of them says."""
        return next(self.find_all([(left, right)], limit))

    def find_all(
        self, sides: Iterable[tuple[int, int]], limit: int | None = None
    ) -> Iterator[Evidence]:
        """Yield the same of several pairs."""
        # A block is for one thread at a time, and any thread may ask.
        block = self._block.another()
        for left, right in sides:
            runs, is_boilerplate = shared_runs(block, left, right)
            yield gather(
                (self._texts[left], self._texts[right]),
                (self._spans(left), self._spans(right)),
                runs,
                is_boilerplate,
                limit,
            )

    def _spans(self, number: int) -> npt.NDArray[np.int32]:
        assert self._tokens.spans is not None
        return self._tokens.spans[part(self._tokens.offsets, number)]


class EvidenceOfTexts:
    """Finds what two documents share, by their places among texts that are kept somewhere.

    Parameters
    ----------
    texts : callable
        Gives some of them by their places.
    ngram : int
    boilerplate : bytes
        As `Boilerplate.to_bytes` returns it, which takes less memory.
    """

    def __init__(
        self, texts: Callable[[Sequence[int]], list[str]], ngram: int, boilerplate: bytes
    ) -> None:
        self._texts = texts
        self._ngram = ngram
        self._boilerplate = boilerplate

    def __call__(self, left: int, right: int) -> Evidence:
        """Return the evidence of two documents."""
        return next(self.find_all([(left, right)]))

    def find_all(self, sides: Sequence[tuple[int, int]]) -> Iterator[Evidence]:
        """Yield the evidence of several pairs."""
        texts: dict[int, str] = {}
        waiting: list[tuple[int, int]] = []
        for pair in sides:
            texts.update((one, self._texts([one])[0]) for one in pair if one not in texts)
            waiting.append(pair)
            if sum(map(len, texts.values())) > CHARS_TOGETHER:
                yield from self._found(waiting, texts)
                texts, waiting = {}, []
        if waiting:
            yield from self._found(waiting, texts)

    def _found(
        self, sides: Sequence[tuple[int, int]], texts: Mapping[int, str]
    ) -> Iterator[Evidence]:
        """Yield the evidence of pairs of some texts, which are hashed together."""
        places = {document: place for place, document in enumerate(texts)}
        known = load_boilerplate(self._boilerplate)
        finder = EvidenceFinder.of(list(texts.values()), self._ngram, known)
        return finder.find_all(((places[left], places[right]) for left, right in sides), N_LISTED)


def gather(
    texts: tuple[str, str],
    spans: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]],
    runs: Ints,
    is_boilerplate: Bools | None = None,
    limit: int | None = None,
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
    is_boilerplate : bool [shape=(n_runs,)], optional
        Which runs are boilerplate.
    limit : int, optional
        How many passages, and how many remainders of either side, are listed.
    """
    rows = runs.tolist()
    marks = [False] * len(rows) if is_boilerplate is None else is_boilerplate.tolist()
    lengths = [n_words for *_, n_words in rows]
    chosen, more_passages = _longest(lengths, limit, marks)
    spans_left, spans_right = (
        [*_char_spans(text, words, [(rows[i][side], rows[i][side] + lengths[i]) for i in chosen])]
        for side, (text, words) in enumerate(zip(texts, spans, strict=True))
    )
    passages = tuple(
        Passage(on_left, on_right, lengths[i], excerpt(texts[0], on_left), marks[i])
        for i, on_left, on_right in zip(chosen, spans_left, spans_right, strict=True)
    )
    of_left, of_right = ([(row[side], row[2]) for row in rows] for side in (0, 1))
    only_left, more_left = _remainders(texts[0], spans[0], of_left, limit)
    only_right, more_right = _remainders(texts[1], spans[1], of_right, limit)
    covered = sum(lengths)
    return Evidence(
        passages,
        only_left,
        only_right,
        covered_left=covered / max(1, len(spans[0])),
        covered_right=covered / max(1, len(spans[1])),
        more_passages=more_passages,
        more_left=more_left,
        more_right=more_right,
    )


def _remainders(
    text: str, words: npt.NDArray[np.int32], covered: Stretches, limit: int | None
) -> tuple[tuple[Remainder, ...], Unlisted]:
    """Return what stands between the runs of one side, each given by start and length."""
    gaps = list(_gaps(covered, len(words)))
    chosen, more = _longest([end - start for start, end in gaps], limit)
    listed = [gaps[i] for i in chosen]
    spans = _char_spans(text, words, listed)
    return tuple(
        Remainder(span, end - start, excerpt(text, span))
        for span, (start, end) in zip(spans, listed, strict=True)
    ), more


def _longest(
    lengths: Sequence[int], limit: int | None, marks: Sequence[bool] | None = None
) -> tuple[Sequence[int], Unlisted]:
    """Choose the longest stretches, marked ones last; return them in their order, and the rest."""
    places = range(len(lengths))
    if limit is None or len(lengths) <= limit:
        return places, Unlisted(0, 0)
    ranked = sorted(places, key=lambda i: (bool(marks and marks[i]), -lengths[i]))
    n_words = sum(lengths[i] for i in ranked[limit:])
    return sorted(ranked[:limit]), Unlisted(len(lengths) - limit, n_words)


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


def _char_spans(text: str, words: npt.NDArray[np.int32], stretches: Stretches) -> Iterator[Span]:
    """Yield the characters of some stretches of words, with the punctuation that clings to them.

    Parameters
    ----------
    text : str
    words : int32 [shape=(n_tokens, 2)]
        Characters of its tokens.
    stretches : sequence of (int, int)
        The first word of each, and the one behind its last.
    """
    # Most texts share ten stretches, for which arrays would take three times as long.
    edges = words.data
    for start, end in stretches:
        before = edges[start - 1, 1] if start else 0
        after = edges[end, 0] if end < len(words) else len(text)
        yield Span(
            _start(text, before, edges[start, 0], is_first=not start),
            _end(text, edges[end - 1, 1], after),
        )


def _start(text: str, before: int, start: int, *, is_first: bool) -> int:
    """Return where a word begins, with what clings to it behind the last white space."""
    gap = text[before:start]
    if not gap or gap[-1].isspace():
        return start
    piece = gap.split()[-1]
    # Without white space between them, what clings clings to the word before.
    return start if piece == gap and not is_first else start - len(piece)


def _end(text: str, end: int, after: int) -> int:
    """Return where a word ends, with what clings to it."""
    # Both words may be of one character, as the 1 and 2 of ½; then the gap is empty.
    gap = text[end:after]
    if not gap or gap[0].isspace():
        return end
    return end + len(gap.split(maxsplit=1)[0])


def _gaps(covered: Stretches, n_words: int) -> Iterator[tuple[int, int]]:
    """Yield where the stretches of words that no run covers begin and end."""
    end = 0
    for start, length in sorted(covered):
        if start > end:
            yield end, start
        end = start + length
    if n_words > end:
        yield end, n_words

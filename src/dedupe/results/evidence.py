"""Turns the words that two texts share into passages that a person can read.

The only place that joins scores to text: word numbers become character spans, and
spans become excerpts. It is done when somebody asks. What is shown of it, and how, is
left to `dedupe.report`.
"""

from collections.abc import Callable, Iterator, Sequence
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

HEAD, TAIL = 160, 80
"""Characters that an excerpt keeps of the beginning and of the end."""


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
        # A block is for one thread at a time, and any thread may ask.
        runs, is_boilerplate = shared_runs(self._block.another(), left, right)
        return gather(
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
        texts, known = self._texts([left, right]), load_boilerplate(self._boilerplate)
        return EvidenceFinder.of(texts, self._ngram, known).find(0, 1, N_LISTED)


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
    marks = np.zeros(len(runs), np.bool_) if is_boilerplate is None else is_boilerplate
    covered = int(runs[:, 2].sum())
    chosen, more_passages = _longest(runs[:, 2], limit, marks)
    left, right, lengths = runs[chosen].T
    passages = tuple(
        Passage(on_left, on_right, n_words, excerpt(texts[0], on_left), mark)
        for on_left, on_right, n_words, mark in zip(
            _char_spans(texts[0], spans[0], left, left + lengths),
            _char_spans(texts[1], spans[1], right, right + lengths),
            lengths.tolist(),
            marks[chosen].tolist(),
            strict=True,
        )
    )
    only_left, more_left = _remainders(texts[0], spans[0], runs[:, [0, 2]], limit)
    only_right, more_right = _remainders(texts[1], spans[1], runs[:, [1, 2]], limit)
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
    text: str, words: npt.NDArray[np.int32], covered: Ints, limit: int | None
) -> tuple[tuple[Remainder, ...], Unlisted]:
    """Return what stands between the runs of one side, each given by start and length."""
    starts, ends = _gaps(covered[:, 0], covered[:, 1], len(words))
    chosen, more = _longest(ends - starts, limit)
    starts, ends = starts[chosen], ends[chosen]
    spans = _char_spans(text, words, starts, ends)
    return tuple(
        Remainder(span, n_words, excerpt(text, span))
        for span, n_words in zip(spans, (ends - starts).tolist(), strict=True)
    ), more


def _longest(lengths: Ints, limit: int | None, marks: Bools | None = None) -> tuple[Ints, Unlisted]:
    """Choose the longest stretches, marked ones last; return them in their order, and the rest."""
    if limit is None or lengths.size <= limit:
        return np.arange(lengths.size), Unlisted(0, 0)
    keys = (-lengths,) if marks is None else (-lengths, marks)
    chosen = np.sort(np.lexsort(keys)[:limit])
    n_words = int(lengths.sum() - lengths[chosen].sum())
    return chosen, Unlisted(lengths.size - limit, n_words)


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


def _char_spans(
    text: str, words: npt.NDArray[np.int32], starts: Ints, ends: Ints
) -> Iterator[Span]:
    """Yield the characters of some stretches of words, with the punctuation that clings to them.

    Parameters
    ----------
    text : str
    words : int32 [shape=(n_tokens, 2)]
        Characters of its tokens.
    starts, ends : int64 [shape=(n,)]
        The first word of each stretch, and the one behind its last.
    """
    if not starts.size:
        return
    bounds = (
        np.where(starts > 0, words[starts - 1, 1], 0),
        words[starts, 0],
        words[ends - 1, 1],
        np.append(words[:, 0], len(text))[ends],
    )
    at_top = (starts == 0).tolist()
    columns = (column.tolist() for column in bounds)
    for is_first, before, start, end, after in zip(at_top, *columns, strict=True):
        yield Span(_start(text, before, start, is_first), _end(text, end, after))


def _start(text: str, before: int, start: int, is_first: bool) -> int:
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


def _gaps(starts: Ints, lengths: Ints, n_words: int) -> tuple[Ints, Ints]:
    """Return where the stretches of words that no run covers begin and end."""
    order = np.argsort(starts)
    starts, ends = starts[order], (starts + lengths)[order]
    starts, ends = np.append(0, ends), np.append(starts, n_words)
    is_gap = ends > starts
    return starts[is_gap], ends[is_gap]

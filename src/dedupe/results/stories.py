r"""Tells the story of a page without the page: whole lines of boilerplate are cut.

A line goes if nearly all its words stand in text that more than two stories carry. What
only one story has stays, and so does half a sentence. So a page keeps the lines that no other
page of the collection shows to be its frame.
"""

from itertools import accumulate
from typing import NamedTuple, Self

import numpy as np

from dedupe.arrays import Bools, Hashes, Ints
from dedupe.kernels.measures import COMMON
from dedupe.results.records import Span, Story
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.scoring.stories import covered
from dedupe.shingling import Tokens, hash_shingles, hash_tokens

__all__ = ["NEARLY_ALL", "Lines", "are_frame"]

NEARLY_ALL = 0.9
"""Share of the words of a line that must be boilerplate, or the line stays."""


class Lines(NamedTuple):
    """The lines of a text, and the words in them.

    Attributes
    ----------
    texts : list of str
        With their ends.
    words : uint64 [shape=(n_tokens,)]
        The hash of each word.
    offsets : int64 [shape=(n_lines + 1,)]
        Line ``i`` owns ``words[offsets[i]:offsets[i + 1]]``.
    """

    texts: list[str]
    words: Hashes
    offsets: Ints

    @classmethod
    def of(cls, text: str) -> Self:
        """Cut a text into lines; a word that is divided belongs to the line where it begins."""
        tokens = hash_tokens([text], detail=True)
        assert tokens.spans is not None
        texts = text.splitlines(keepends=True)
        starts = np.array([0, *accumulate(map(len, texts))])
        return cls(texts, tokens.hashes, np.searchsorted(tokens.spans[:, 0], starts))

    @property
    def n_words(self) -> Ints:
        """How many words each line has."""
        return np.diff(self.offsets)

    def without(self, goes: Bools) -> Story:
        """Return the text without some of its lines; a blank line goes with the one before it.

        Parameters
        ----------
        goes : bool [shape=(n_lines,)]
            Not looked at where a line has no words.
        """
        n_words = self.n_words
        spans: list[Span] = []
        kept = []
        is_cutting = False
        start = 0
        for number, line in enumerate(self.texts):
            is_cutting = bool(goes[number]) if n_words[number] else is_cutting
            end = start + len(line)
            if not is_cutting:
                kept.append(line)
            elif spans and spans[-1].end == start:
                spans[-1] = Span(spans[-1].start, end)
            else:
                spans.append(Span(start, end))
            start = end
        return Story("".join(kept), tuple(spans), int(n_words.sum()), int(n_words[goes].sum()))


def are_frame(lines: Lines, ngram: int, boilerplate: Boilerplate) -> Bools:
    """Return which lines of a text are boilerplate.

    Parameters
    ----------
    lines : Lines
    ngram : int, in 1..64
    boilerplate : Boilerplate
        What is known by public hashes; see `dedupe.scoring.boilerplate.load_boilerplate`.
    """
    n_words = lines.n_words
    tokens = Tokens(lines.words, np.array([0, lines.words.size]))
    shingles = hash_shingles(tokens, ngram)
    # Of each shingle alone, not of the word that it starts with.
    weights = boilerplate.weights(shingles.hashes, shingles.offsets, shingles.offsets)
    is_common = covered(weights < COMMON, lines.words.size, ngram)
    n_common = np.diff(np.append(0, np.cumsum(is_common))[lines.offsets])
    found: Bools = (n_words > 0) & (n_common >= NEARLY_ALL * n_words)
    return found

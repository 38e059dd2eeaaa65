r"""Tells the story of a page without the page: whole lines of boilerplate are cut.

A line goes if nearly all its words stand in text that more than two other stories carry. What
only one story has stays, and so does half a sentence. So a page keeps the lines that no other
page of the collection shows to be its frame.
"""

from itertools import accumulate

import numpy as np

from dedupe.kernels.measures import COMMON
from dedupe.results.records import Span, Story
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.scoring.stories import covered
from dedupe.shingling import hash_shingles, hash_tokens

__all__ = ["NEARLY_ALL", "story_of"]

NEARLY_ALL = 0.9
"""Share of the words of a line that must be boilerplate, or the line stays."""


def story_of(text: str, ngram: int, boilerplate: Boilerplate) -> Story:
    """Return a text without the lines that are boilerplate.

    Blank lines behind a line that goes go with it. A text of which every line is
    boilerplate loses all of them.

    Parameters
    ----------
    text : str
    ngram : int, in 1..64
    boilerplate : Boilerplate
        What is known by public hashes; see `dedupe.scoring.boilerplate.load_boilerplate`.
    """
    tokens = hash_tokens([text], detail=True)
    shingles = hash_shingles(tokens, ngram)
    assert tokens.spans is not None
    # Of each shingle alone, not of the word that it starts with.
    weights = boilerplate.weights(shingles.hashes, shingles.offsets, shingles.offsets)
    is_common = covered(weights < COMMON, tokens.hashes.size, ngram)
    lines = text.splitlines(keepends=True)
    starts = np.array([0, *accumulate(map(len, lines))])
    line_of = np.searchsorted(starts, tokens.spans[:, 0], side="right") - 1
    n_words = np.bincount(line_of, minlength=len(lines))
    n_common = np.bincount(line_of[is_common], minlength=len(lines))
    goes = (n_words > 0) & (n_common >= NEARLY_ALL * n_words)
    spans: list[Span] = []
    kept = []
    is_cutting = False
    for number, line in enumerate(lines):
        # A line without a word goes with the one before it.
        is_cutting = bool(goes[number]) if n_words[number] else is_cutting
        start, end = int(starts[number]), int(starts[number + 1])
        if not is_cutting:
            kept.append(line)
        elif spans and spans[-1].end == start:
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(start, end))
    return Story("".join(kept), tuple(spans), int(n_words.sum()), int(n_words[goes].sum()))

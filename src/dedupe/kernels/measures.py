"""Measures what one document shares with another, and what else of it is its story.

Seen from another document, the *story* of a document is what both share, and whatever
else of it is *prose*: its lines are nearly as long as those of the shared text. Menus,
headlines and buttons are not, however many there are.

Shared words are those of matched shingles (`dedupe.kernels.alignment`). What stands between
them is looked at in `dedupe.kernels.pairs`; the constants of both modules are here.
"""

import numpy as np

from dedupe.kernels import compiled
from dedupe.kernels.alignment import (
    COVER_LARGER,
    COVER_SMALLER,
    FIRST,
    MATCH_LARGER,
    MATCH_LENGTH,
    MATCH_SMALLER,
    SEEN,
    end_of,
)

__all__ = [
    "BARE_SHARE",
    "BOX",
    "COMMON",
    "EDIT",
    "LIST",
    "LONG",
    "LONG_COST",
    "N_LINES",
    "N_OF_BOTH",
    "N_OF_SIDE",
    "PARAGRAPH",
    "PROSE",
    "count_shared",
    "cover_into",
    "line_of",
    "own_prose",
    "prose_into",
    "uncover",
    "weight_of",
]

U = np.uint64

PARAGRAPH = 25
"""Words from which a line is a paragraph. How much longer it is says nothing: the small
print of a press release is often one line of hundreds of words."""

N_LINES = PARAGRAPH + 1
"""Lengths of lines that are told apart, from none to a paragraph."""

PROSE = 0.6
"""Lines are prose if they are at least this long, in lines of the shared text.

Lists have lines of a fifth, other stories of about the same length.
"""

EDIT = 10
"""A gap of fewer words on both sides is an edit, and so is prose at an end."""

BARE_SHARE = 0.75
"""Share of a gap's words that must not be covered, or it is a text with many edits."""

LONG, LONG_COST = 1.5, 4.0
"""A hole whose lines are this many times as long as those of the shared text is a story
between lists, whatever else the two pages share, and counts so many times."""

LIST = 10
"""Words of shorter lines in a row that end the prose at an end of the match."""

BOX = 50
"""Words of any lines that differ in one place next to boilerplate, from which on they are the
entries of a listing, and so what the page is about. Fewer are a box."""

COMMON = 0.5
"""A word that weighs less is boilerplate to the eye: more than two clusters hold it. One
that weighs more is in one cluster alone."""

# What is measured on each side, of the larger document first.
COVERED, WEIGHT, PLAIN, BOILERPLATE, OWN, STORY, EDITED = range(7)
N_OF_SIDE = 7

# What is measured of both together.
SHARED, HOLE, HOLE_WEIGHT, END, EXCESS, GAP, ENTRIES = range(7)
N_OF_BOTH = 7


@compiled
def weight_of(weights, w):
    """Return the weight of a word."""
    return 1.0 if weights is None else np.float64(weights[w])


@compiled
def cover_into(
    starts, lengths, n_matches, ngram, cover, lines, weights, is_one_story, of_side, by_line
):
    """Mark the words of one side that stand in a match, and count what it has.

    If the two documents are of different stories, as far as is known, a word counts
    as if they were one: what both have and nobody else does is not boilerplate.

    Sums are kept in variables: what is added to in an array is stored and loaded for each word.
    """
    n_covered = 0
    n_boilerplate = 0
    n_own = 0
    total = 0.0
    plain = 0.0
    # The words of a line follow each other, and their sum is stored once; those that have no
    # weight are counted, since sums of whole numbers are faster.
    line = 0
    of_line = by_line[0]
    n_before = 0
    for m in range(n_matches):
        for w in range(U(starts[m]), U(end_of(starts[m], lengths[m], ngram, lines.size))):
            if cover[w]:
                continue
            cover[w] = 1
            if lines[w] != line:
                by_line[min(line, PARAGRAPH)] = of_line + (n_covered - n_before)
                line = lines[w]
                of_line = by_line[min(line, PARAGRAPH)]
                n_before = n_covered
            n_covered += 1
            if weights is None:
                continue
            n_before = n_covered
            weight = np.float64(weights[w])
            of_line += weight
            plain += weight
            n_boilerplate += weight < COMMON
            n_own += weight > COMMON
            total += weight if is_one_story or weight == 1 else min(1.0, weight / (1 - weight))
    by_line[min(line, PARAGRAPH)] = of_line + (n_covered - n_before)
    if weights is None:
        plain = total = np.float64(n_covered)
        n_own = n_covered
    of_side[COVERED] = n_covered
    of_side[WEIGHT] = total
    of_side[PLAIN] = plain
    of_side[BOILERPLATE] = n_boilerplate
    of_side[OWN] = n_own


@compiled
def count_shared(n_matches, scratch):
    """Return how many distinct shingles of the larger document match."""
    n_shared = 0
    for m in range(n_matches):
        start = scratch[MATCH_LARGER, m]
        for j in range(U(start), U(start + scratch[MATCH_LENGTH, m])):
            first = U(scratch[FIRST, j])
            n_shared += 1 - scratch[SEEN, first]
            scratch[SEEN, first] = 1
    return n_shared


@compiled
def uncover(words_larger, words_smaller, n_matches, ngram, scratch):
    """Take back what was marked in either document.

    Nothing goes through all of a document, of which little is shared as a rule; so
    all marks are 0 before and after.
    """
    for m in range(n_matches):
        i, j = scratch[MATCH_SMALLER, m], scratch[MATCH_LARGER, m]
        length = scratch[MATCH_LENGTH, m]
        for k in range(U(j), U(j + length)):
            scratch[SEEN, U(scratch[FIRST, k])] = 0
        scratch[COVER_LARGER, j : end_of(j, length, ngram, words_larger)] = 0
        scratch[COVER_SMALLER, i : end_of(i, length, ngram, words_smaller)] = 0


@compiled
def line_of(by_line):
    """Return the mean length of the lines of the shared words, given their weights by it."""
    total = 0.0
    weight = 0.0
    for k in range(N_LINES):
        total += k * by_line[k]
        weight += by_line[k]
    return total / weight


@compiled
def own_prose(by_line, line, prose):
    """Return what the words of a document weigh that are prose and not shared.

    `prose` holds what all its words weigh, in lines of at least so many.
    """
    shortest = min(PARAGRAPH, int(np.ceil(PROSE * line)))
    weight = np.float64(prose[shortest])
    for k in range(shortest, N_LINES):
        weight -= by_line[k]
    # What is left of a sum of thousands of words by rounding is nothing.
    return weight if weight > 1e-5 * prose[0] else 0.0


@compiled
def prose_into(documents, lines, weights, offsets, by_line, prose):
    """Write what the words of some documents weigh that stand in lines of at least so many.

    Parameters
    ----------
    documents : int64 [shape=(n,)]
    lines : uint8 [shape=(n_tokens,)]
    weights : float32 [shape=(n_tokens,)] or None
    offsets : int64 [shape=(n_docs + 1,)]
    by_line : float64 [shape=(N_LINES,)], scratch
    prose : float32 [shape=(n_docs, N_LINES)], the rows of the documents overwritten
        Column 0 has all words.
    """
    for d in documents:
        by_line[:] = 0
        # What is added to in an array is stored and loaded for each word: that is done once
        # for each line.
        line, so_far = np.int64(0), 0.0
        for w in range(offsets[d], offsets[d + 1]):
            if min(lines[w], PARAGRAPH) != line:
                by_line[line] = so_far
                line = np.int64(min(lines[w], PARAGRAPH))
                so_far = by_line[line]
            so_far += weight_of(weights, w)
        by_line[line] = so_far
        total = 0.0
        for k in range(PARAGRAPH, -1, -1):
            total += by_line[k]
            prose[d, k] = total

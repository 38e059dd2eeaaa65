"""Folds the stretches of a text in which a character depends on its neighbours.

Characters compose or reorder, a word mixes scripts, or a hyphen divides it at the end of a
line. Most texts have few of these stretches or none, and all else is left to the kernel.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Hashes, Ints
from dedupe.kernels import tokens as kernel
from dedupe.shingling.folding import fold, tables

__all__ = ["fold_stretches"]

LINE_END_HYPHEN = re.compile("[-\u2010\u00ad][ \t]?(?:\r\n|[\r\n])")
"""A hyphen that may divide a word: the sign of the keyboard, the true one, a soft one."""

LONGEST = 64
"""Characters of a stretch: no word has so many marks, and composing takes their square."""

LONGEST_WORD = 256
"""Characters of a word, or of its part in a line, that are looked at as a whole at most."""

IN_WORD = np.isin(np.arange(8), (kernel.WORD, kernel.MARK, kernel.VANISHING, kernel.EXPANSION))
"""Of each kind of character, whether a word may be made of it."""


def fold_stretches(text: str, *, detail: bool) -> tuple[str, npt.NDArray[np.int32]]:
    """Fold those stretches of a text, and say which original characters each character is from.

    The second value has a row of first and last-but-one character for each
    character of the first; it is empty unless `detail` is set.
    """
    pieces: list[str] = []
    origins: list[npt.NDArray[np.int32]] = []
    for start, end, piece in _pieces(text):
        pieces.append(piece)
        if not detail:
            continue
        origin = np.empty((len(piece), 2), np.int32)
        if end - start == len(piece) and piece == text[start:end]:
            origin[:, 0] = np.arange(start, end)
            origin[:, 1] = origin[:, 0] + 1
        else:
            origin[:] = start, end
        origins.append(origin)
    empty = np.empty((0, 2), np.int32)
    return "".join(pieces), np.concatenate(origins) if origins else empty


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Cut a text into what may stay as it is and what is folded, with the place of each."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), "<u4")
    entries = tables().entries[codes]
    words = _words(entries)
    last = 0
    for start, end in _merged(
        [*_composing(entries), *_mixed(entries, words), *_divided(text, codes, words)]
    ):
        if start > last:
            yield last, start, text[last:start]
        # What vanishes may be longer than anybody writes, and is not remembered.
        fold_piece = _fold_stretch if end - start <= LONGEST else _fold_any
        yield start, end, fold_piece(text[start:end])
        last = end
    if last < len(text):
        yield last, len(text), text[last:]


def _composing(entries: Hashes) -> Iterator[tuple[int, int]]:
    """Yield where characters may compose or reorder."""
    changes = (entries & np.uint64(kernel.UNSTABLE_MASK)) != 0
    vanishes = entries == np.uint64(kernel.VANISHING << kernel.KIND_SHIFT)
    last = 0
    for place in np.flatnonzero(changes).tolist():
        if place < last:
            continue
        # What may change is the character before, behind anything that vanishes.
        start, end = place, place + 1
        while start > last and vanishes[start - 1]:
            start -= 1
        start = max(last, start - 1)
        while end < min(len(entries), place + LONGEST) and (changes[end] or vanishes[end]):
            end += 1
        yield start, end
        last = end


def _words(entries: Hashes) -> Ints:
    """Return where each run of characters begins and ends that a word may be made of."""
    inside = np.zeros(len(entries) + 2, np.bool_)
    inside[1:-1] = IN_WORD[(entries >> np.uint64(kernel.KIND_SHIFT)) & np.uint64(7)]
    return np.flatnonzero(inside[1:] != inside[:-1]).reshape(-1, 2)


def _mixed(entries: Hashes, words: Ints) -> Iterator[tuple[int, int]]:
    """Yield the words that mix scripts."""
    if not _are_mixed(np.bitwise_or.reduce(entries, keepdims=True)):
        return
    # What stands between two words is of no script.
    mixed = _are_mixed(np.bitwise_or.reduceat(entries, words[:, 0]))
    for start, end in words[mixed].tolist():
        if end - start <= LONGEST_WORD:
            yield start, end


def _are_mixed(united: Hashes) -> Bools:
    """Say whether more than one script is in the united entries of words."""
    scripts = united >> np.uint64(kernel.SCRIPTS_SHIFT) & np.uint64((1 << kernel.N_SCRIPTS) - 1)
    are_mixed: Bools = scripts & (scripts - np.uint64(1)) != 0
    return are_mixed


def _divided(text: str, codes: npt.NDArray[np.uint32], words: Ints) -> Iterator[tuple[int, int]]:
    """Yield the words that are divided at the end of a line, both parts and what is between."""
    hyphens = np.flatnonzero((codes == 0x2D) | (codes == 0x2010) | (codes == 0xAD)).tolist()
    matches = (LINE_END_HYPHEN.match(text, hyphen) for hyphen in hyphens)
    places = [found.span() for found in matches if found and _is_division(found)]
    if not places:
        return
    starts, ends = np.array(places).T
    nearest = words[np.searchsorted(words[:, 0], starts) - 1]
    # A letter of a script without spaces is a word, and in none of these.
    is_word = (nearest[:, 0] < starts) & (nearest[:, 1] >= starts)
    before = np.maximum(np.where(is_word, nearest[:, 0], starts - 1), starts - LONGEST_WORD)
    behind = words[np.searchsorted(words[:, 0], ends), 1]
    near = behind - ends <= LONGEST_WORD
    yield from zip(before[near].tolist(), behind[near].tolist(), strict=True)


def _is_division(found: re.Match[str]) -> bool:
    """Say whether a hyphen at the end of a line divides a word.

    A letter stands before it, maybe with marks, and a small letter in the next line. What
    else begins a line is a name, a number or another item of a list.
    """
    text, start, end = found.string, found.start(), found.end()
    return (
        start > 0
        and end < len(text)
        and unicodedata.category(text[start - 1])[0] in "LM"
        and unicodedata.category(text[end]) == "Ll"
    )


def _merged(stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield stretches in order, those that overlap as one."""
    first = last = 0
    for start, end in sorted(stretches):
        if start >= last:
            if first < last:
                yield first, last
            first = start
        last = max(last, end)
    if first < last:
        yield first, last


def _fold_any(text: str) -> str:
    """Fold a stretch of text in which words may be divided; their line ends behind them."""
    joined = LINE_END_HYPHEN.sub(lambda found: "" if _is_division(found) else found[0], text)
    return fold(joined) + "\n" * (joined != text)


# A language uses few of them, so nearly every look-up is a hit.
_fold_stretch = lru_cache(maxsize=1 << 14)(_fold_any)

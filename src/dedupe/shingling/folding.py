"""Says what a character is to us and what it becomes: `unicodedata` as tables.

No language is known here, only properties of characters, lists of scripts, and which
characters are apostrophes, fillers or forms of one Arabic letter.
The tables follow the Unicode version of the running Python; texts in scripts that
were encoded before it come out the same everywhere.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dedupe import cache
from dedupe.arrays import Hashes
from dedupe.kernels import tokens as kernel
from dedupe.kernels.tokens import (
    APART,
    CHARACTER,
    EXPANSION,
    HARD,
    KIND_SHIFT,
    LENGTH_SHIFT,
    LINE_END,
    MARK,
    PLAIN,
    RANK_SHIFT,
    SCRIPTS_SHIFT,
    SEPARATOR,
    UNSTABLE_SHIFT,
    VANISHING,
    WORD,
)
from dedupe.shingling.scripts import BARRED_SHIFT, in_one_script, script_bits

__all__ = ["Tables", "fold", "kind", "tables"]

# Scripts written without spaces between words. Hangul, which has spaces, is not one.
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),  # Han iteration mark, number zero
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # Bopomofo, Katakana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAA7F),  # Myanmar
    (0xF900, 0xFAFF),  # Han
    (0x1AFF0, 0x1B16F),  # Kana
    (0x20000, 0x323AF),  # Han
)

# Characters that folding never changes, and that would take longest to ask about.
HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x2A6DF))
HANGUL = ((0xAC00, 0xD7A3),)

# Vowels and final consonants of Hangul compose with the letter before them.
COMPOSING_JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))

# Nothing is assigned between these planes and the tags of plane 14.
N_LOW = 0x33480
TAGS = slice(0xE0000, 0xE0200)
ASSIGNED = (*range(N_LOW), *range(TAGS.start, TAGS.stop))
N_CODE_POINTS = 0x110000

# People type one apostrophe for another, or leave it out, so it never counts. The last
# three are canonically equivalent to ʹ, ` and ´.
APOSTROPHES = "'`´‘’‚‛′‵ʹʻʼʽʾʿ׳\u0374\u1fbd\u1fbf\u1fef\u1ffd"

# Letters and marks that are invisible or only stretch a word; category Cf has the others.
FILLERS = (
    "\u034f\u0640\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)

# Alphabets in which points and accents may be left out, as the names of their marks begin:
# vowels, doubling, cantillation, and the hamza and madda on a letter.
POINTED = ("ARABIC ", "HEBREW ", "SYRIAC ")

# Forms of one Arabic letter that people type for each other, or that differ between the
# Arabic and the Persian keyboard. No property of characters says so.
ARABIC_FORMS = {"ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك"}

LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


@dataclass(frozen=True, slots=True)
class Tables:
    """The form in which `dedupe.kernels.tokens` reads the properties of characters.

    Attributes
    ----------
    entries : uint64 [shape=(0x110000,)]
        One entry for each code point; the kernel's module gives the bits.
    expansions : uint64 [shape=(n_expansions,)]
        Entries of the characters that fold to more than one.
    classes : uint8 [shape=(256,)]
        Which bytes separate for sure, and which are ASCII letters and digits.
    """

    entries: Hashes
    expansions: Hashes
    classes: npt.NDArray[np.uint8]


def fold(text: str) -> str:
    """Return a text with every spelling of a word made one; separators stay.

    Compatibility composition (NFKC), case folding, and the removal of what only
    typography needs or what is optional, until nothing changes: compare NFKC_Casefold in
    the Unicode Standard, section 3.13. A word that mixes scripts is written in one, if
    it can be (`dedupe.shingling.scripts`). Folding twice is folding once.

    >>> fold("Ｔhe “ﬁne” Straße isn’t")
    'the “fine” strasse isnt'
    >>> fold("أَحْمَد") == "احمد", fold("Вitcоin") == "bitcoin"
    (True, True)
    """
    spellings = _spellings()
    previous = None
    while text != previous:
        previous = text
        text = _respelled().sub(lambda found: found[0].translate(spellings), text)
        text = unicodedata.normalize("NFKC", text)
        # A word of ASCII alone mixes nothing.
        if not text.isascii():
            text = _words().sub(lambda found: in_one_script(found[0]), text)
        text = text.casefold()
    return text


def kind(character: str) -> int:
    """Return what a folded character does to a word: a constant of `dedupe.kernels.tokens`.

    >>> kind("a") == kind("7") == WORD, kind("京") == CHARACTER, kind("-") == SEPARATOR
    (True, True, True)
    """
    if character in LINE_ENDS:
        return LINE_END
    category = unicodedata.category(character)
    if category[0] == "M":
        return MARK
    if category[0] == "L" or category == "Nl":
        code = ord(character)
        return CHARACTER if any(low <= code <= high for low, high in UNSPACED) else WORD
    return WORD if category[0] == "N" else SEPARATOR


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Return the tables, which are built once for a version of Unicode and kept on disk."""
    source, name = Path(__file__), f"folding-{sys.implementation.cache_tag}.tables"
    rules = (source, source.with_name("scripts.py"), Path(kernel.__file__))
    try:
        version = unicodedata.unidata_version.encode()
        made_for = cache.digest(version, *[rule.read_bytes() for rule in rules])
    except OSError:
        # The program lies in an archive.
        return _build()
    kept = cache.load(source, name, made_for)
    if kept is None:
        built = _build()
        cache.keep(source, name, made_for, _packed(built))
        return built
    return _unpacked(kept)


def _packed(built: Tables) -> bytes:
    """Return tables as bytes, without the planes where nothing is assigned."""
    parts = (built.entries[:N_LOW], built.entries[TAGS], built.classes, built.expansions)
    return b"".join(part.tobytes() for part in parts)


def _unpacked(data: bytes) -> Tables:
    """Return the tables that were packed."""
    n_bytes = 8 * len(ASSIGNED)
    entries = np.zeros(N_CODE_POINTS, np.uint64)
    kept = np.frombuffer(data[:n_bytes], np.uint64)
    entries[:N_LOW], entries[TAGS] = kept[:N_LOW], kept[N_LOW:]
    classes = np.frombuffer(bytearray(data[n_bytes : n_bytes + 256]), np.uint8)
    return Tables(entries, np.frombuffer(bytearray(data[n_bytes + 256 :]), np.uint64), classes)


def _build() -> Tables:
    """Build the tables, which takes about 0.25 s."""
    entries = np.zeros(N_CODE_POINTS, np.uint64)
    for low, high in HAN:
        _fill_letters(entries, low, high, CHARACTER)
    for low, high in HANGUL:
        _fill_letters(entries, low, high, WORD)
    expansions: list[int] = []
    composing = _composing()
    ranks = _combining_ranks()
    for code in ASSIGNED:
        character = chr(code)
        if entries[code] or unicodedata.category(character) in ("Cn", "Co", "Cs"):
            continue
        folded = _fold_one(character)
        unstable = bool(folded) and (
            folded[0] in composing
            or (len(folded) > 1 and unicodedata.combining(folded[0]) > 0)
            # U+0345 is a mark that moves among marks, and folds to a letter.
            or (unicodedata.combining(character) > 0 and unicodedata.combining(folded[0]) == 0)
        )
        rank = ranks[unicodedata.combining(folded[-1])] if folded else 0
        if len(folded) > 1:
            entry = len(expansions) | len(folded) << LENGTH_SHIFT | EXPANSION << KIND_SHIFT
            entry |= _scripts_of(character, folded)
            expansions += [_entry(part) | _scripts_of(character, part) for part in folded]
        else:
            entry = _entry(folded) | (_scripts_of(character, folded) if folded else 0)
        entries[code] = entry | unstable << UNSTABLE_SHIFT | rank << RANK_SHIFT
    classes = np.array([_byte_class(byte) for byte in range(256)], np.uint8)
    return Tables(entries, np.array(expansions, np.uint64), classes)


def _byte_class(byte: int) -> int:
    """Say what a byte of UTF-8 is before it is decoded."""
    folded = _fold_one(chr(byte)) if byte < 0x80 else ""
    if not folded:
        return HARD
    return PLAIN if kind(folded) == WORD else APART


@lru_cache(maxsize=1)
def _spellings() -> dict[int, str]:
    """Return what folding exchanges before it composes, by code point.

    Format and control characters, fillers, apostrophes and optional marks become
    nothing, and a letter with such a mark becomes the letter below it.
    """
    spellings = dict.fromkeys(map(ord, APOSTROPHES + FILLERS), "")
    composed = []
    for code in ASSIGNED:
        character = chr(code)
        category = unicodedata.category(character)
        is_control = category == "Cf" or (category == "Cc" and not character.isspace())
        if is_control or (category == "Mn" and unicodedata.name(character, "").startswith(POINTED)):
            spellings[code] = ""
        elif unicodedata.decomposition(character):
            composed.append(code)
    for code in composed:
        parts = unicodedata.normalize("NFD", chr(code))
        if any(spellings.get(ord(part)) == "" for part in parts[1:]):
            spellings[code] = unicodedata.normalize("NFC", parts.translate(spellings))
    return spellings | {ord(form): letter for form, letter in ARABIC_FORMS.items()}


@lru_cache(maxsize=1)
def _respelled() -> re.Pattern[str]:
    """Match what folding exchanges before it composes."""
    return re.compile(f"[{_character_class(_spellings())}]+")


@lru_cache(maxsize=1)
def _words() -> re.Pattern[str]:
    """Match words: what counts as one in `kind`, and the marks that may follow."""
    unspaced = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in UNSPACED)
    marks = [code for code in ASSIGNED if unicodedata.category(chr(code))[0] == "M"]
    numbers = [
        code
        for low, high in UNSPACED
        for code in range(low, high + 1)
        if unicodedata.category(chr(code)) in ("Nd", "No")
    ]
    return re.compile(
        f"(?:(?![{unspaced}])[^\\W_]|[{_character_class(numbers)}{_character_class(marks)}])+"
    )


def _fold_one(character: str) -> str:
    """Fold a character by itself, quickly where it is folded already."""
    if unicodedata.normalize("NFKC", character).casefold() == character:
        return _spellings().get(ord(character), character)
    return fold(character)


def _entry(folded: str) -> int:
    """Encode one folded character, or none, for the kernel."""
    if not folded:
        return VANISHING << KIND_SHIFT
    encoded = folded.encode()
    return (
        int.from_bytes(encoded, "little")
        | len(encoded) << LENGTH_SHIFT
        | kind(folded) << KIND_SHIFT
    )


def _scripts_of(character: str, folded: str) -> int:
    """Encode the scripts of a character, or of a part of what it is folded to.

    Folding looks at words as they are written, and as they are folded. What may be
    exchanged in either way is not barred, so that no word is overlooked.
    """
    after = reduce(or_, map(script_bits, folded), 0)
    if after == 0:
        return 0
    before = reduce(or_, map(script_bits, unicodedata.normalize("NFKD", character)), 0)
    own = (before | after) & ((1 << BARRED_SHIFT) - 1)
    barred = (before & after) >> BARRED_SHIFT
    return (own | barred << BARRED_SHIFT) << SCRIPTS_SHIFT


def _fill_letters(entries: Hashes, low: int, high: int, what: int) -> None:
    """Write the entries of letters of three or four bytes that fold to themselves."""
    encoded = "".join(map(chr, range(low, high + 1))).encode()
    length = len(encoded) // (high + 1 - low)
    columns = np.frombuffer(encoded, np.uint8).reshape(-1, length).astype(np.uint64)
    shifts = np.arange(length, dtype=np.uint64) * np.uint64(8)
    entries[low : high + 1] = (columns << shifts).sum(axis=1, dtype=np.uint64) | np.uint64(
        length << LENGTH_SHIFT | what << KIND_SHIFT
    )


def _composing() -> set[str]:
    """Return the characters that compose with what stands before them (NFC_Quick_Check=Maybe)."""
    found = {chr(code) for code in COMPOSING_JAMO}
    for code in ASSIGNED:
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and parts[0][0] != "<" and unicodedata.is_normalized("NFC", chr(code)):
            found.add(chr(int(parts[1], 16)))
    return found


def _combining_ranks() -> dict[int, int]:
    """Return a rank for each canonical combining class, in their order; all are below 64."""
    classes = {unicodedata.combining(chr(code)) for code in ASSIGNED}
    return {value: rank for rank, value in enumerate(sorted(classes))}


def _character_class(codes: Iterable[int]) -> str:
    """Return the inside of a regular expression's brackets that matches these code points."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)

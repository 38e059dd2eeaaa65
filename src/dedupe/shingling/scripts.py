"""Writes a word in one script that mixes the look-alikes of several.

Who wants to hide a word from a search writes ``pаypal`` with a Cyrillic *а*, and programs
that read print do it unasked. A word that uses one script is left as it is, whatever it
looks like.
"""

import unicodedata
from functools import lru_cache

__all__ = ["BARRED_SHIFT", "LOOK_ALIKES", "SCRIPTS", "in_one_script", "script_bits"]

# Single letters that look like one of ASCII, each followed by it; a capital that looks like
# the small l is set beside the capital I. Of several that look like the same letter, the
# first is the one in common use. From the data of Unicode Technical Standard 39, Unicode
# Security Mechanisms (confusables.txt, as confusable_homoglyphs 3.3.1 has it): copyright
# Unicode, Inc., under the Unicode License V3, https://www.unicode.org/license.txt.
LOOK_ALIKES = {
    "CYRILLIC": "АA ВB СC ЕE ԌG НH ІI ӀI ЈJ КK МM ОO РP ЅS ТT ѴV ԜW ХX УY ҮY аa Ьb сc ԁd еe ҽe "
    "һh іi ӏl ꙇi јj оo рp ԛq гr ѕs ѵv ѡw ԝw хx уy үy",
    "GREEK": "ΑA ΒB ΕE ϜF ΗH ΙI ͿJ ΚK ΜM ϺM ΝN ΟO ΡP ΤT ΧX ΥY ΖZ αa ιi ϳj οo σo ρp ᴦr υu νv γy",
    "ARMENIAN": "ՕO ՏS ՍU քf ցg հh ոn ռn օo գq զq սu աw",
}

SCRIPTS = ("LATIN", *LOOK_ALIKES)
"""Scripts that are told apart, as the names of their letters begin."""

BARRED_SHIFT = len(SCRIPTS)
"""Bits of `script_bits` that say of which script a letter is, below those it is barred from."""

ALL = (1 << len(SCRIPTS)) - 1


def in_one_script(word: str) -> str:
    """Return a word whose letters are of several scripts in one, if each has a look-alike there.

    Latin is tried first. The decision is one for each word and before case is folded,
    because a capital may look like another letter than the small one does.

    >>> in_one_script("Вitcоin") == "Bitcoin", in_one_script("Mосквa") == "Москва"
    (True, True)
    >>> in_one_script("ТАСС") == "TACC", in_one_script("kΩ") == "kΩ"
    (False, True)
    """
    letters = unicodedata.normalize("NFD", word)
    bits = 0
    for letter in letters:
        bits |= script_bits(letter)
    own, barred = bits & ALL, bits >> BARRED_SHIFT
    if own & (own - 1) == 0:
        return word
    for number in range(len(SCRIPTS)):
        here = 1 << number
        if not barred & here and (own & here or number == 0):
            return letters.translate(_into(number))
    return word


@lru_cache(maxsize=1 << 12)
def script_bits(letter: str) -> int:
    """Say in which of `SCRIPTS` a letter is, and which it has no look-alike in.

    Bit ``n`` is set if it is of script ``n``, and bit ``BARRED_SHIFT + n`` if it cannot be
    written in it; all are 0 of what is no letter, or of another script.
    A letter with an accent is what the letter below is.

    >>> f"{script_bits('a'):08b} {script_bits('ж'):08b} {script_bits('7'):08b}"
    '10000001 11010010 00000000'
    """
    base = unicodedata.normalize("NFD", letter)[0]
    if not base.isalpha():
        return 0
    script = unicodedata.name(base, "").partition(" ")[0]
    if script not in SCRIPTS:
        return 0
    barred = sum(
        1 << number
        for number, name in enumerate(SCRIPTS)
        if name != script and ord(base) not in _into(number)
    )
    return 1 << SCRIPTS.index(script) | barred << BARRED_SHIFT


@lru_cache(maxsize=len(SCRIPTS))
def _into(number: int) -> dict[int, str]:
    """Return the letters of one script that those of others look like, by code point."""
    latin = {
        script: [(pair[0], pair[1]) for pair in pairs.split()]
        for script, pairs in LOOK_ALIKES.items()
    }
    here = SCRIPTS[number]
    others = [pair for script, pairs in latin.items() if script != here for pair in pairs]
    if number == 0:
        return {ord(letter): ascii_letter for letter, ascii_letter in others}
    # Two letters that look like the same one look like each other.
    own = {ascii_letter: letter for letter, ascii_letter in reversed(latin[here])}
    others += [(ascii_letter, ascii_letter) for ascii_letter in own]
    return {ord(letter): own[like] for letter, like in others if like in own}

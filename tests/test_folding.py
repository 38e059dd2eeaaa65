"""Characters and their tables: every code point there is."""

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from numba import config

import reference
from dedupe.kernels import tokens as kernel
from dedupe.shingling.folding import LINE_ENDS, POINTED, fold, kind, tables
from dedupe.shingling.tokens import hash_tokens
from strategies import texts

ASSIGNED = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")
][:: 997 if config.DISABLE_JIT else 1]


# --- laws ---


@given(texts)
def test_fold_equals_reference(text):
    assert fold(text) == reference.fold(text)


@given(texts)
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(texts)
def test_canonically_equivalent_texts_fold_alike(text):
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_every_character_makes_the_tokens_of_the_reference():
    tokens = hash_tokens(ASSIGNED)
    bounds = tokens.offsets.tolist()
    hashes = tokens.hashes.tolist()
    wrong = [
        character
        for character, start, end in zip(ASSIGNED, bounds, bounds[1:], strict=False)
        if hashes[start:end] != reference.token_hashes(character)
    ]
    assert wrong == []


def test_no_character_makes_more_than_two_tokens_of_a_byte():
    """Kernels do not check bounds, so the size of their buffers rests on this."""
    n_tokens = np.array([len(reference.tokens(character)) for character in ASSIGNED])
    n_bytes = np.array([len(character.encode()) for character in ASSIGNED])
    assert (n_tokens <= 2 * n_bytes).all()


def test_what_is_not_assigned_separates():
    entries = tables().entries
    categories = map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    unknown = np.array([category in ("Cn", "Co", "Cs") for category in categories])
    assert not entries[unknown].any()
    assert kernel.SEPARATOR == 0


# --- edges ---


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("a", kernel.WORD),
        ("ж", kernel.WORD),
        ("한", kernel.WORD),
        ("ٱ", kernel.WORD),
        ("7", kernel.WORD),
        ("٣", kernel.WORD),
        ("ⅷ", kernel.WORD),
        ("京", kernel.CHARACTER),
        ("〇", kernel.CHARACTER),
        ("々", kernel.CHARACTER),
        ("か", kernel.CHARACTER),
        ("ก", kernel.CHARACTER),
        ("\u0e31", kernel.MARK),
        ("\u0301", kernel.MARK),
        ("ा", kernel.MARK),
        (" ", kernel.SEPARATOR),
        ("。", kernel.SEPARATOR),
        ("_", kernel.SEPARATOR),
        ("😀", kernel.SEPARATOR),
        ("\ue000", kernel.SEPARATOR),
        ("\n", kernel.LINE_END),
    ],
)
def test_kind(character, expected):
    assert kind(character) == expected


def test_lines_end_where_python_ends_them():
    every = map(chr, range(sys.maxunicode + 1))
    assert {
        character for character in every if len(f"a{character}b".splitlines()) == 2
    } == LINE_ENDS


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁne ﬂow", "fine flow"),
        ("ＷＩＤＥ　１２３", "wide 123"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("isn’t isn't isnt", "isnt isnt isnt"),
        ("co\u00adop zero\u200bwidth \ufeff", "coop zerowidth "),
        ("كـــتاب", "كتاب"),
        ("ΣΊΣΥΦΟΣ Σίσυφος", "σίσυφοσ σίσυφοσ"),
        ("𝐁𝐨𝐥𝐝", "bold"),
        ("أحمد إلى آخر سؤال شيئًا", "احمد الي اخر سوال شييا"),
        ("مدرسة ٱلقرآن فارسی کتاب", "مدرسه القران فارسي كتاب"),
        ("ا\u0654 ا\u0655 ا\u0653 ء", "ا ا ا ء"),
        ("ٱلرَّحْمَـٰنِ قُلۡ", "الرحمن قل"),
        ("שָׁלוֹם בְּרֵאשִׁ֖ית \ufb2a", "שלום בראשית ש"),
        ("ܐܰܒܳܐ", "ܐܒܐ"),
        ("été Ångström naïve", "été ångström naïve"),
        ("कि की कु", "कि की कु"),
        ("กี่ กิ", "กี่ กิ"),
        ("τις τίς", "τισ τίσ"),
        ("не нё", "не нё"),
        ("ދިވެހި", "ދިވެހި"),
        ("1½", "11⁄2"),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


def test_no_mark_goes_but_those_of_three_scripts():
    """Marks of other scripts are the word, as in Hindi or Thai, or tell words apart."""
    gone = [
        unicodedata.name(one, "")
        for one in ASSIGNED
        if unicodedata.category(one) == "Mn" and not fold(one)
    ]
    others = [name for name in gone if not name.startswith(POINTED)]
    assert all(
        name.startswith(("VARIATION", "MONGOLIAN", "KHMER VOWEL INHERENT", "COMBINING GRAPHEME"))
        for name in others
    )
    assert any(name.startswith("HEBREW ACCENT") for name in gone)

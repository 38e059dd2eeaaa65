"""Words that mix the look-alikes of several scripts."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe.kernels import tokens as kernel
from dedupe.shingling.scripts import BARRED_SHIFT, LOOK_ALIKES, SCRIPTS, in_one_script, script_bits
from dedupe.shingling.tokens import hash_tokens, tokenize

PAIRS = [pair for pairs in LOOK_ALIKES.values() for pair in pairs.split()]
words = st.text(st.sampled_from("".join(PAIRS) + "жЖλΛnNkßéёї\u0301\u03457한京"), max_size=8)


# --- laws ---


@given(words)
def test_in_one_script_equals_reference(word):
    assert in_one_script(word) == reference.in_one_script(word)


@given(words)
def test_twice_is_once(word):
    assert in_one_script(in_one_script(word)) == in_one_script(word)


@given(st.lists(words, max_size=3).map(" ".join))
def test_hashes_equal_reference(text):
    assert hash_tokens([text]).hashes.tolist() == reference.token_hashes(text)


@given(st.sampled_from(SCRIPTS), st.data())
def test_a_word_of_one_script_stays(script, data):
    position = SCRIPTS.index(script)
    letters = [one for pair in PAIRS for one in pair if script_bits(one) >> position & 1]
    word = data.draw(st.text(st.sampled_from(letters)))
    assert in_one_script(word) == word


# --- edges ---


def test_the_table_is_of_letters_of_the_scripts_it_names():
    for script, pairs in LOOK_ALIKES.items():
        for letter, like in pairs.split():
            assert unicodedata.name(letter).startswith(script)
            assert unicodedata.normalize("NFKC", letter) == letter
            assert like.isascii()
            assert like.isalpha()
    assert len({pair[0] for pair in PAIRS}) == len(PAIRS)
    assert BARRED_SHIFT == len(SCRIPTS) == kernel.N_SCRIPTS


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pаypal", "paypal"),
        ("Вitcоin", "bitcoin"),
        ("Νovember", "november"),  # A Greek capital nu; the small one looks like v.
        ("Nέα", "νέα"),
        ("Mocквa", "москва"),
        ("зáмок", "за\u0301мок"),
        ("Вelgië", "belgië"),
        ("ѕсоre", "score"),
        ("сorоnаvirus2", "coronavirus2"),
        ("Αθήνα", "αθήνα"),
        ("ТАСС", "тасс"),
        ("ΟΤΕ", "οτε"),
        ("kΩ", "kω"),
        ("TGFβ", "tgfβ"),
        ("ИT", "ит"),
        ("Бz", "бz"),
        ("Жλ", "жλ"),
    ],
)
def test_words(word, expected):
    assert tokenize(word) == [unicodedata.normalize("NFC", expected)]


def test_scripts_of_neighbouring_words_are_not_mixed():
    assert tokenize("Apple в\u00a0Apple—на a/а") == ["apple", "в", "apple", "на", "a", "а"]

"""Texts to tokens: what makes two spellings the same word, and where each word stands."""

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe.kernels.tables import SALT
from dedupe.shingling.tokens import hash_encoded, hash_tokens, normalize, tokenize
from strategies import texts

# Neighbours that neither compose nor reorder, and no character of two tokens.
plain_texts = st.text(st.sampled_from("aZ9éßﬁжم٣京かก한ा’\u00ad\u200b .,—\n"), max_size=30)


# --- laws ---


@given(texts)
def test_hashes_equal_reference(text):
    assert hash_tokens([text]).hashes.tolist() == reference.token_hashes(text)


@given(texts)
def test_tokens_equal_reference(text):
    assert tokenize(text) == reference.tokens(text)


@given(texts)
def test_line_lengths_equal_reference(text):
    assert hash_tokens([text], detail=True).lines.tolist() == reference.line_lengths(text)


@given(texts)
def test_seals_equal_reference(text):
    assert hash_tokens([text], detail=True).seals.tolist() == seals_of(text)


def seals_of(text):
    """Return the twin's seal of each token."""
    return [reference.seal(token, int(SALT)) for token in reference.tokens(text)]


@given(texts)
def test_normalising_twice_is_normalising_once(text):
    assert normalize(normalize(text)) == normalize(text)


@given(texts)
def test_canonically_equivalent_texts_have_the_same_tokens(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalize(decomposed) == normalize(composed) == normalize(text)


@given(st.lists(texts, max_size=6))
def test_a_block_is_its_documents_one_by_one(block):
    together = hash_tokens(block, detail=True)
    alone = [hash_tokens([text], detail=True) for text in block]
    assert together.offsets.tolist() == np.cumsum([0, *(one.hashes.size for one in alone)]).tolist()
    for name in ("hashes", "spans", "lines", "seals"):
        parts = [row for one in alone for row in getattr(one, name).tolist()]
        assert getattr(together, name).tolist() == parts


@given(st.lists(texts, max_size=4))
def test_detail_changes_no_hash(block):
    assert (hash_tokens(block).hashes == hash_tokens(block, detail=True).hashes).all()


@given(st.lists(texts, max_size=5))
def test_tokens_are_the_same_where_nobody_asks_for_their_characters(block):
    encoded = [text.encode("utf-8", "replace") for text in block]
    told, untold = (hash_encoded(encoded, detail=True, spans=spans) for spans in (True, False))
    assert untold.spans is None
    for name in ("hashes", "offsets", "lines", "seals"):
        assert getattr(told, name).tolist() == getattr(untold, name).tolist(), name
    assert hash_tokens(block).spans is None


@given(plain_texts)
def test_a_span_is_the_text_of_its_token(text):
    spans = hash_tokens([text], detail=True).spans.tolist()
    assert [reference.tokens(text[start:end]) for start, end in spans] == [
        [token] for token in reference.tokens(text)
    ]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@given(texts)
def test_spans_are_in_order_and_inside_the_text(text):
    spans = hash_tokens([text], detail=True).spans
    assert (spans[:, 0] >= 0).all()
    assert (spans[:, 0] < spans[:, 1]).all()
    assert (spans[:, 1] <= len(text)).all()
    # Tokens of one expansion, or of letters folded together, have places in common.
    assert (np.diff(spans, axis=0) >= 0).all()


# --- edges ---


@pytest.mark.parametrize("character", ["a", "Z", "é", "京", "𐐨"])
@pytest.mark.parametrize("n_before", range(9))
def test_words_of_any_length_are_hashed_as_xxhash_does(character, n_before):
    """Bytes are read eight at a time, hashed in lanes of 8 and stripes of 32."""
    words = [character * n for n in range(1, 101 // len(character.encode()) + 1)]
    block = [" " * n_before + word for word in words]
    if character == "京":  # A token each; a letter before them makes no difference.
        block = ["x" * n_before + " " + word for word in words]
    found = hash_tokens(block, detail=True)
    assert found.hashes.tolist() == [
        hash_ for text in block for hash_ in reference.token_hashes(text)
    ]
    assert found.seals.tolist() == [seal for text in block for seal in seals_of(text)]


@given(st.text(st.sampled_from("aZ9éжم한𐐨"), min_size=1, max_size=70))
def test_a_mixed_word_is_hashed_as_xxhash_does(word):
    expected = xxhash.xxh64_intdigest(reference.fold(word).encode())
    assert hash_tokens([word]).hashes.tolist() == [expected]


def test_no_documents():
    tokens = hash_tokens([], detail=True)
    assert tokens.offsets.tolist() == [0]
    assert tokens.spans.shape == (0, 2)


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "…—!", "'", "\u0301", "\x00\x00", "😀", "\ud800"]
)
def test_a_text_without_a_word_has_no_tokens(text):
    assert tokenize(text) == []
    assert hash_tokens([text, "word", text]).offsets.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("June 16 (UPI) -- Xi's 3.5%", ["june", "16", "upi", "xis", "3", "5"]),
        ("U.S.-led e-mail_box", ["u", "s", "led", "e", "mail", "box"]),
        ("北京2008年奥运", ["北", "京", "2008", "年", "奥", "运"]),
        ("コーヒーを飲む", list("コーヒーを飲む")),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("서울은 도시다", ["서울은", "도시다"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("اللُّغَةُ العربيّة", ["اللغه", "العربيه"]),
        ("Αθήνα/Όσλο", ["αθήνα", "όσλο"]),
        ("½ cup", ["1", "2", "cup"]),
        ("a\u0301'b", ["áb"]),
        ("a'\u0301b", ["áb"]),
        ("- \u0301 a", ["a"]),
        ("lone\ud800surrogate", ["lone", "surrogate"]),
        ("nul\x00byte", ["nulbyte"]),
        ("Вitcоin в Москве", ["bitcoin", "в", "москве"]),
        ("«Apple»\u00a0и µm", ["apple", "и", "μm"]),
    ],
)
def test_tokenize(text, expected):
    assert tokenize(text) == expected


@pytest.mark.parametrize(
    "other",
    [
        "\"Don't\" -- she said: 'coöperate, finely'!",
        "“Don’t” — she said: ‘coöperate, ﬁnely’!",
        "«Donʼt» – she\u00a0said: ‚coo\u0308perate, finely‘!",
        "„DON`T“ \u2015 SHE SAID: ‹COÖPERATE, FINELY›!",
        "＂Ｄｏｎ＇ｔ＂　ｓｈｅ　ｓａｉｄ：coöperate，finely！",
        "Don't\r\nshe\u2028said\tco\u00adö\u200bper\u2060ate finely\ufeff",
    ],
)
def test_typography_does_not_count(other):
    assert normalize(other) == "dont she said coöperate finely"


@pytest.mark.parametrize("hyphen", ["-", "\u2010", "\u00ad"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \n", "\t\r\n"])
@pytest.mark.parametrize("word", ["exam|ple", "EXAM|ple", "кни|га", "e\u0301xa|me", "hé|té", "क|a"])
def test_a_word_divided_at_the_end_of_a_line_is_one(hyphen, end, word):
    text = f"for {word.replace('|', hyphen + end)} it"
    whole = word.replace("|", "")
    assert tokenize(text) == tokenize(f"for {whole} it")
    tokens = hash_tokens([text, text.upper()], detail=True)
    assert tokens.hashes[:3].tolist() == reference.token_hashes(f"for {whole} it")
    start, stop = tokens.spans[1].tolist()
    assert (text[:start], text[stop:]) == ("for ", " it")


@pytest.mark.parametrize(
    "text",
    [
        "exam-\n\nple",  # Another paragraph
        "exam--\nple",  # A dash
        "exam -\nple",
        "flour -\nsugar -\nmilk -\n",  # A list
        "Flour-\nSugar-\nMilk-\n",
        "Anglo-\nSaxon",
        "EXAM-\nPLE",
        "covid-\n19",
        "1990-\nies",
        "exam-\n ple",  # Set in
        "exam-\n- ple",
        "exam-  \nple",
        "exam–\nple",
        "- \nple",
        "-\nple",
        "exam-\n",
        "exam-",
        "exam-ple",
        "exam- ple",
        "क-\nख",  # A letter without case
    ],
)
def test_any_other_hyphen_separates(text):
    apart = text.replace("-", " ")
    assert tokenize(text) == tokenize(apart)
    assert hash_tokens([text, "ple"]).hashes.tolist() == hash_tokens([apart, "ple"]).hashes.tolist()


def test_a_word_may_be_divided_more_than_once():
    text = "die Donau-\ndampfschiff-\nfahrt, ja"
    assert tokenize(text) == ["die", "donaudampfschifffahrt", "ja"]
    assert [text[a:b] for a, b in hash_tokens([text], detail=True).spans.tolist()] == [
        "die",
        "Donau-\ndampfschiff-\nfahrt",
        "ja",
    ]


def test_a_divided_word_is_in_the_line_where_it_begins():
    for text in ("one two exam-\nple, four\nfive", "one two 京-\nple, four\nfive", "กิ-\nx กิ"):
        lines = hash_tokens([text], detail=True).lines.tolist()
        assert lines == reference.line_lengths(text)
    text = "one two exam-\nple, four\nfive"
    assert hash_tokens([text], detail=True).lines.tolist() == [3, 3, 3, 1, 1]


@pytest.mark.parametrize(("n_before", "n_behind", "is_one"), [
    (1, 256, True), (2000, 256, True), (1, 257, False),
])  # fmt: skip
def test_a_word_goes_on_for_as_many_letters_as_none_has(n_before, n_behind, is_one):
    before, behind = "a" * n_before, "b" * n_behind
    text = f"x {before}-\n{behind} y"
    assert tokenize(text) == ["x", *([before + behind] if is_one else [before, behind]), "y"]
    spans = hash_tokens([text], detail=True).spans.tolist()
    assert spans[1][0] == 2
    assert spans[-2][1] == len(text) - 2


def test_line_end_hyphens_anywhere_in_a_long_text_are_found():
    """Bytes are looked through in stretches, and many at a time."""
    for n in range(1015, 1035):
        assert tokenize(" " * n + "exam-\nple") == ["example"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\f", "\x85", "\u2028", "\u2029"])
def test_lines(end):
    text = f"one two{end}{end}three{end}four five six"
    assert hash_tokens([text], detail=True).lines.tolist() == [2, 2, 1, 3, 3, 3]


def test_the_last_line_of_a_document_is_not_the_first_of_the_next():
    assert hash_tokens(["one two", "three"], detail=True).lines.tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Xi’s” call", ["Xi’s", "call"]),
        ("cafe\u0301s — open", ["cafe\u0301s", "open"]),
        ("\ufeffco\u00adop", ["co\u00adop"]),
        ("😀 x 😀 y", ["x", "y"]),
        ("a½b", ["a½", "½b"]),
        ("ｶﾞ㌀", ["ｶﾞ", "㌀", "㌀", "㌀", "㌀"]),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af x", ["\u1112\u1161\u11ab\u1100\u1173\u11af", "x"]),
    ],
)
def test_spans_point_into_the_text_as_given(text, expected):
    spans = hash_tokens([text], detail=True).spans.tolist()
    assert [text[start:end] for start, end in spans] == expected


# --- regressions ---


def test_iota_below_stays_behind_an_accent():
    """U+0345 is a mark when marks are put in order, and a letter when case is folded."""
    assert normalize("α\u0345\u0301") == normalize("α\u0301\u0345") == "άι"
    assert normalize("\u0345\u064b") == normalize("\u064b\u0345")


@pytest.mark.parametrize(("one", "other"), [("\u1ffd", "´"), ("\u0374", "ʹ"), ("\u1fef", "`")])
def test_an_apostrophe_equals_its_canonical_equivalent(one, other):
    assert unicodedata.normalize("NFC", one) == other
    assert normalize(f"don{one}t") == normalize(f"don{other}t") == "dont"


def test_a_text_of_nothing_but_the_longest_expansion():
    """Its tokens once ran over the end of their buffer."""
    assert tokenize("㌖") == list("キロメートル")
    assert hash_tokens(["㌖" * 1_000], detail=True).offsets.tolist() == [0, 6_000]


@pytest.mark.parametrize(("n_marks", "is_composed"), [(64, True), (65, False)])
def test_marks_are_put_in_order_up_to_as_many_as_no_word_has(n_marks, is_composed):
    """The last mark belongs below the letter, before all the others."""
    text = "e" + "\u0301" * (n_marks - 1) + "\u0323"
    composed = unicodedata.normalize("NFC", text)
    hashes = [hash_tokens([one]).hashes.tolist() for one in (text, composed)]
    assert (hashes[0] == hashes[1]) == is_composed


@given(st.lists(texts, max_size=4), st.lists(texts, max_size=4), st.booleans())
def test_tokens_that_are_kept_are_those_that_are_borrowed(some, others, detail):
    encoded = [text.encode("utf-8", "replace") for text in some]
    kept = hash_encoded(encoded, detail=detail)
    hash_tokens([*others, "whatever overwrites what is borrowed"], detail=True)
    borrowed = hash_encoded(encoded, detail=detail, borrowed=True)
    for name in ("hashes", "offsets", "spans", "lines", "seals"):
        assert np.array_equal(getattr(kept, name), getattr(borrowed, name))

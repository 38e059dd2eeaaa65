"""What property tests draw from: difficult texts, and documents that repeat themselves."""

from random import Random

from hypothesis import strategies as st

# Each of these has caught, or could catch, a fold that looks at one character at a time.
DIFFICULT = (
    "abZ19 \n\r\x1f\x00.,-"
    "'’ʼ´\u1ffd\u0374\u1fef"  # Apostrophes, and characters that are canonically the same.
    "\u00ad\u200b\u200d\u034f\u0640\u3164\U000e0100"  # Vanish.
    "éèñ\u0301\u0300\u0315\u0323\u0327\u0338"  # Marks that compose, reorder, or do neither.
    "ιά\u0345ᾳᾴΰ\u1fbf\u0385İßẞǰŉſ"  # Change length when case is folded.
    "가\u1100\u1161\u11a8\u115f\u1160"  # Hangul and its letters.
    "か゛カｶﾊﾞﾟ\u3099京漢\uf900⺀々〇"  # Kana, Han.
    "कन\u093cि\u09c7\u09be\u0dd9\u0dcf"  # Indic vowels of two parts.
    "вВоТгѡЬОρΝβοσՏսѓї"  # Look like Latin letters, as capitals, as small letters or with accents.
    "\u2010--\n"  # Divide words.
    "אָשׁﬡأؤئآةىیک\u0654\u0655\u05b0\u0591ܐ\u0711\u0730"  # Points, hamza, forms of one letter.
    "بالله\u064b\u064e\u0651\u0653\ufe71\ufcf2ﷺ"  # Arabic with its marks in any order.
    "กำ\u0e4d\u0e33\u0eb3"  # Thai, Lao.
    "½㌀㍿⑽ⅷﬁﬃ№Ａ１𝐀\u2028😀"  # Expand, or are compatible with something plainer.
    "\ud800\udfff"  # Halves of characters.
)

PIECES = ("word", "A longer line of words", "京都市", "а-\n", "京-\nx", "o\u0301\u00ad\r\nx")

texts = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from(DIFFICULT), max_size=12),
    st.lists(
        st.sampled_from(
            [
                *DIFFICULT,
                "word",
                "A longer line of words",
                "京都市",
                "а-\n",
                "京-\nx",
                "o\u0301\u00ad\r\nx",
            ]
        )
    ).map("".join),
)
"""Texts of all of Unicode, with and without what is difficult."""


def article(name, n_words=120, *, n_in_line=12):
    """Return made-up text that has nothing in common with that of any other name."""
    random = Random(name)
    words = ["".join(random.choices("abcdefghiklmnoprstuvw", k=6)) for _ in range(n_words)]
    return "\n".join(" ".join(words[i : i + n_in_line]) for i in range(0, n_words, n_in_line))


def edited(text, share, seed=0):
    """Return a text in which a share of the words, anywhere, has been replaced."""
    random = Random(seed)
    words = text.split(" ")
    for place in random.sample(range(len(words)), round(share * len(words))):
        words[place] = "".join(random.choices("xyz", k=6))
    return " ".join(words)

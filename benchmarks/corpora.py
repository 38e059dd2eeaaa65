"""Article texts to measure on, the same in every run.

English is what ``--source`` names, else real news where
``../shared/data/distractors.jsonl.xz`` lies beside the checkout; elsewhere it is made of
the words of the two seeds. French, Greek and
Chinese are always made: no sentence of them means anything, but letters, word
lengths, accents and punctuation are those of the language, and those are what
speed depends on. Words follow Zipf's law and get longer as they get rarer.

What is made from articles stands here too: planted copies, overlapping windows, and
edited passages of a fixed length.
"""

import math
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

from collection import texts_of

__all__ = [
    "LANGUAGES",
    "Planted",
    "blocks",
    "edited",
    "english",
    "generate",
    "n_bytes",
    "pages",
    "parts",
    "passages",
    "plant_copies",
    "source",
    "windows",
]

CHECKOUT = Path(__file__).resolve().parents[1]
DATA = CHECKOUT.parent / "shared" / "data"
ARTICLES = DATA / "distractors.jsonl.xz"
PAGES = DATA / "pages.jsonl.xz"

SEED = 20220616
N_WORDS = 6000
"""Different words in a made language: what some megabytes of news use often."""

N_ARTICLE_WORDS = 380
"""Mean length of the real articles."""


@dataclass(frozen=True, slots=True)
class Language:
    """What articles are made of.

    Attributes
    ----------
    words : tuple of str
        The most frequent first.
    space, comma, stop : str
    quotes : tuple of two str
        With the space that belongs inside them.
    """

    words: tuple[str, ...]
    space: str = " "
    comma: str = ","
    stop: str = "."
    quotes: tuple[str, str] = ("“", "”")


def english(path: Path | None = None) -> list[str]:
    """Return the articles of a file or folder; else about 5 MB of real or made ones."""
    if path is None and not ARTICLES.exists():
        return generate("English", 5_000_000)
    return list(texts_of(path or ARTICLES))


def pages() -> list[str]:
    """Return web pages with their menus and links, in no order; none if they are not there.

    They have what clean articles lack: other scripts in the margin, long addresses,
    and now and then an accent in a character of its own.
    """
    texts = list(texts_of(PAGES)) if PAGES.exists() else []
    random.Random(SEED).shuffle(texts)
    return texts[:600]


def source(path: Path | None = None) -> str:
    """Say what `english` returns, for the caption of a table."""
    is_real = path or ARTICLES.exists()
    kind = "news articles" if is_real else "articles made of the words of the seeds"
    texts = english(path)
    return f"{len(texts):,} {kind}, {n_bytes(texts) / 1e6:.1f} MB"


def generate(name: str, size: int, seed: int = SEED) -> list[str]:
    """Return made articles of one of `LANGUAGES`, of `size` UTF-8 bytes or slightly more."""
    rng = random.Random(f"{name} {seed}")
    language = LANGUAGES[name](rng)
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(len(language.words))))
    texts: list[str] = []
    while size > 0:
        texts.append(_article(rng, language, weights))
        size -= n_bytes(texts[-1:])
    return texts


def n_bytes(texts: Sequence[str]) -> int:
    """Return the size of some texts in UTF-8."""
    return sum(len(text.encode()) for text in texts)


def blocks(texts: Sequence[str], n_chars: int) -> list[list[str]]:
    """Cut texts into lists of at least `n_chars` characters each, but for the last."""
    found: list[list[str]] = [[]]
    held = 0
    for text in texts:
        if held >= n_chars:
            found.append([])
            held = 0
        found[-1].append(text)
        held += len(text)
    return found


def parts(texts: Sequence[str], n_docs: int) -> list[str]:
    """Return at least so many different texts: articles, each cut in equal parts if they are few.

    An article that came twice would be an identical copy, and those are cheap.

    >>> parts(["one two three", "four five"], 4)
    ['one', 'two three', 'four', 'five']
    """
    n_parts = -(-n_docs // len(texts))
    found = []
    for text in texts:
        words = text.split(" ")  # Line breaks stay.
        ends = [len(words) * part // n_parts for part in range(n_parts + 1)]
        found += [" ".join(words[start:end]) for start, end in pairwise(ends) if start < end]
    return found


@dataclass(frozen=True, slots=True)
class Planted:
    """Articles of which some are copies, and which article each copy is of."""

    texts: list[str]
    original_of: dict[int, int]


def plant_copies(texts: Sequence[str], n_docs: int) -> Planted:
    """Return `n_docs` documents, of which each tenth is a copy of another in a new frame.

    A third of the copies also lost their last third, and a third has one word in fifty
    replaced. Frames are those of ten sites, 120 words each.
    """
    rng = random.Random(SEED)
    n_copies = n_docs // 10
    originals = [texts[d % len(texts)] for d in range(n_docs - n_copies)]
    boilerplate = " ".join(reversed(texts)).split()
    copies = []
    for copy in range(n_copies):
        body = originals[copy]
        if copy % 3 == 1:
            body = body[: len(body) * 2 // 3]
        elif copy % 3 == 2:
            body = edited(body, rng, 0.02)
        site = boilerplate[120 * (copy % 10) :]
        copies.append("\n".join([" ".join(site[:50]), body, " ".join(site[50:120])]))
    return Planted(originals + copies, {len(originals) + copy: copy for copy in range(n_copies)})


def windows(texts: Sequence[str], n_docs: int) -> list[str]:
    """Return documents cut from articles, five overlapping ones from each.

    Each shares two fifths of its words with the next, so that signatures meet in about
    as many buckets as they do among a hundred thousand news articles.
    """
    found = []
    for text in texts:
        words = text.split()
        width = len(words) * 5 // 17
        found += [" ".join(words[i * width * 3 // 5 :][:width]) for i in range(5)]
    repeats = -(-n_docs // len(found))
    return (found * repeats)[:n_docs]


def passages(texts: Sequence[str], n_words: int, n_docs: int) -> list[str]:
    """Return passages of exactly `n_words` words that do not overlap, as far as texts reach."""
    words = re.findall(r"[A-Za-z]+", " ".join(texts))
    n_free = len(words) // n_words
    starts = (n_words * (d % n_free) for d in range(n_docs))
    return [" ".join(words[start : start + n_words]) for start in starts]


def edited(text: str, rng: random.Random, share: float) -> str:
    """Return a text with a share of its words replaced by words that stand nowhere else."""
    return re.sub(r"[^\W\d_]+", lambda m: _letters(rng) if rng.random() < share else m[0], text)


def _letters(rng: random.Random) -> str:
    """Return a word that nobody uses."""
    return "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=6))


def _article(rng: random.Random, language: Language, weights: Sequence[float]) -> str:
    """Return a headline and paragraphs of one to three sentences."""
    headline = rng.choices(language.words, cum_weights=weights, k=rng.randint(5, 9))
    lines = [language.space.join(headline).capitalize()]
    n_words = max(60, round(rng.gauss(N_ARTICLE_WORDS, 150)))
    while n_words > 0:
        lengths = [rng.randint(8, 30) for _ in range(rng.randint(1, 3))]
        sentences = (_sentence(rng, language, weights, length) for length in lengths)
        lines.append(language.space.join(sentences))
        n_words -= sum(lengths)
    return "\n\n".join(lines)


def _sentence(
    rng: random.Random, language: Language, weights: Sequence[float], n_words: int
) -> str:
    """Return words with commas and a stop; one sentence in six is quoted, half have a number."""
    words = rng.choices(language.words, cum_weights=weights, k=n_words)
    words[0] = words[0].capitalize()
    for place in range(rng.randint(3, 12), n_words, 9):
        words[place - 1] += language.comma
    if rng.random() < 0.5:
        words[rng.randrange(n_words)] = str(rng.randint(2, 2030))
    before, after = language.quotes if rng.random() < 1 / 6 else ("", "")
    return before + language.space.join(words) + language.stop + after


def _vocabulary(rng: random.Random, make: Callable[[int], str]) -> Iterator[str]:
    """Yield words from `make`, which is given a length; nine in a hundred are names."""
    for rank in range(1, N_WORDS + 1):
        length = max(1, round(rng.gauss(1.6 + 1.75 * math.log10(rank), 1.2)))
        word = make(length)
        yield word.capitalize() if rng.random() < 0.09 else word


def _by_frequency(letters: str) -> Iterator[float]:
    """Yield falling weights: the n-th most frequent letter of an alphabet, roughly."""
    yield from accumulate(0.87**place for place in range(len(letters)))


def _english(rng: random.Random) -> Language:  # noqa: ARG001  its words are found, not drawn.
    seeds = "\n".join(path.read_text("utf-8") for path in sorted((CHECKOUT / "seeds").iterdir()))
    words = Counter(re.findall(r"[^\W_]+(?:[-'’.][^\W_]+)*", seeds))
    return Language(tuple(word for word, _ in words.most_common()))


def _french(rng: random.Random) -> Language:
    letters = "esaitnrulodcmpévqfbghjàxèyêzçôâîûùïœ"
    weights = list(_by_frequency(letters))

    def word(length: int) -> str:
        letters_of = "".join(rng.choices(letters, cum_weights=weights, k=length))
        elided = letters_of[0] in "aeiouéhêè" and rng.random() < 0.2
        return rng.choice(["l’", "d’", "qu’"]) + letters_of if elided else letters_of

    return Language(tuple(_vocabulary(rng, word)), quotes=("«\u00a0", "\u00a0»"))


def _greek(rng: random.Random) -> Language:
    letters = "αοιετσνηυρπκμλωδγχθφβξζψ"
    weights = list(_by_frequency(letters))

    def word(length: int) -> str:
        drawn = rng.choices(letters, cum_weights=weights, k=length)
        vowels = [place for place, letter in enumerate(drawn) if letter in "αοιεηυω"]
        if length > 1 and vowels:
            drawn[rng.choice(vowels)] += "\u0301"
        if drawn[-1] == "σ":
            drawn[-1] = "ς"
        return unicodedata.normalize("NFC", "".join(drawn))

    return Language(tuple(_vocabulary(rng, word)), quotes=("«", "»"))


def _chinese(rng: random.Random) -> Language:
    characters = [chr(code) for code in rng.sample(range(0x4E00, 0x9FA6), 2500)]
    weights = list(accumulate(1 / (rank + 20) for rank in range(len(characters))))

    def word(length: int) -> str:
        return "".join(rng.choices(characters, cum_weights=weights, k=1 + length // 4))

    return Language(tuple(_vocabulary(rng, word)), space="", comma="，", stop="。")


LANGUAGES: dict[str, Callable[[random.Random], Language]] = {
    "English": _english,
    "French": _french,
    "Greek": _greek,
    "Chinese": _chinese,
}
"""Made languages, by name."""

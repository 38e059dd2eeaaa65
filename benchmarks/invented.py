"""An invented language, so that traps need nobody's sentences.

Words are syllables put together; a word of higher rank is rarer (Zipf 1949). A few
dozen short *function* words make up nearly half of a text and are shared by all
stories, and each story has *names* of its own that come back. Whether the next word
is a function word depends on the one before. So two stories share their commonest
words and hardly any five in a row, as real articles do.
"""

import random
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

ONSETS: tuple[str, ...] = ("", *"bdfgklmnprstvz", "br", "dr", "kl", "pl", "st", "tr", "sh")
VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")
CODAS = ("", "", "", "n", "r", "s", "l", "m")

N_FUNCTION_WORDS = 60
N_CONTENT_WORDS = 8000
N_NAMES = 30
NAME_SHARE = 0.15
"""Share of a story's content words that are its own names."""

AFTER_FUNCTION, AFTER_CONTENT = 0.25, 0.6
"""Probability of a function word after either kind of word."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words of either kind, commonest first, with the sums of their Zipf weights."""

    function: tuple[str, ...]
    content: tuple[str, ...]
    function_weights: tuple[float, ...]
    content_weights: tuple[float, ...]


def make_vocabulary(seed: int = 1) -> Vocabulary:
    """Invent a language.

    >>> make_vocabulary(1) == make_vocabulary(1) != make_vocabulary(2)
    True
    """
    draw = random.Random(f"vocabulary {seed}")
    words: dict[str, None] = {}
    while len(words) < N_FUNCTION_WORDS:
        words[_syllable(draw)] = None
    while len(words) < N_FUNCTION_WORDS + N_CONTENT_WORDS:
        words["".join(_syllable(draw) for _ in range(draw.choice((2, 2, 3, 3, 4))))] = None
    ordered = list(words)
    function, content = ordered[:N_FUNCTION_WORDS], ordered[N_FUNCTION_WORDS:]
    return Vocabulary(tuple(function), tuple(content), _zipf(len(function)), _zipf(len(content)))


@cache
def vocabulary() -> Vocabulary:
    """Return the words of the one invented language that all traps use."""
    return make_vocabulary()


def write_story(vocabulary: Vocabulary, draw: random.Random, n_words: int) -> str:
    """Write an article: a headline and paragraphs of sentences, blank lines between.

    Parameters
    ----------
    vocabulary : Vocabulary
    draw : random.Random
        Decides everything; the same state gives the same story.
    n_words : int
        Words of the body at least; the last sentence is not cut.
    """
    names = draw.choices(vocabulary.content, k=N_NAMES)
    paragraphs, n_written = [write_headline(vocabulary, draw, names)], 0
    while n_written < n_words:
        sentences = [write_sentence(vocabulary, draw, names) for _ in range(draw.randint(1, 4))]
        n_written += sum(len(sentence.split()) for sentence in sentences)
        paragraphs.append(" ".join(sentences))
    return "\n\n".join(paragraphs)


def write_headline(
    vocabulary: Vocabulary, draw: random.Random, names: list[str] | None = None
) -> str:
    """Write one line of five to ten words without a full stop."""
    names = names or draw.choices(vocabulary.content, k=3)
    return write_phrase(vocabulary, draw, draw.randint(5, 10), names).capitalize()


def write_phrase(
    vocabulary: Vocabulary, draw: random.Random, n_words: int, names: list[str] | None = None
) -> str:
    """Write so many words without marks or capitals."""
    names = names or draw.choices(vocabulary.content, k=3)
    return " ".join(_words(vocabulary, draw, names, n_words))


def write_sentence(
    vocabulary: Vocabulary,
    draw: random.Random,
    names: list[str] | None = None,
    *,
    longest: int = 30,
) -> str:
    """Write 6 to `longest` words with a comma, and now and then quotation marks."""
    names = names or draw.choices(vocabulary.content, k=3)
    words = _words(vocabulary, draw, names, draw.randint(6, longest))
    comma = draw.randrange(2, len(words) - 1)
    words[comma] += ","
    sentence = " ".join(words).capitalize() + "."
    return f'"{sentence}"' if draw.random() < 0.1 else sentence


def _words(
    vocabulary: Vocabulary, draw: random.Random, names: list[str], n_words: int
) -> list[str]:
    """Draw words that follow each other."""
    words = []
    chance = AFTER_CONTENT
    for _ in range(n_words):
        if draw.random() < chance:
            words += draw.choices(vocabulary.function, cum_weights=vocabulary.function_weights)
            chance = AFTER_FUNCTION
            continue
        if draw.random() < NAME_SHARE:
            words.append(draw.choice(names))
        else:
            words += draw.choices(vocabulary.content, cum_weights=vocabulary.content_weights)
        chance = AFTER_CONTENT
    return words


def _syllable(draw: random.Random) -> str:
    return draw.choice(ONSETS) + draw.choice(VOWELS) + draw.choice(CODAS)


def _zipf(n: int) -> tuple[float, ...]:
    """Return the sums of the weights of ranks 1 to `n`."""
    return tuple(accumulate(1 / rank for rank in range(1, n + 1)))

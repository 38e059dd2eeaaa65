"""What happens to a text on its way round the web: cut, wrapped, edited.

Words are what stands between spaces; line breaks are kept wherever a text is cut,
since they tell prose from menus.
"""

import random
import re
from collections.abc import Sequence
from itertools import pairwise

from invented import vocabulary


def count_words(text: str) -> int:
    """Return how many words stand between spaces."""
    return len(text.split())


def first_words(text: str, n_words: int) -> str:
    r"""Return the beginning of a text, its line breaks kept.

    >>> first_words("one two\n\nthree four", 3)
    'one two\n\nthree'
    """
    ends = [match.end() for match in re.finditer(r"\S+", text)]
    return text[: ends[n_words - 1]] if n_words < len(ends) else text


def split_words(text: str, n_words: int) -> tuple[str, str]:
    """Return the first words of a text, and the rest."""
    top = first_words(text, n_words)
    return top, text[len(top) :].strip()


def cut(lines: Sequence[str], n_words: int) -> list[str]:
    """Return as many lines as have `n_words` words, the last one shortened."""
    kept: list[str] = []
    for line in lines:
        if n_words <= 0:
            break
        kept.append(first_words(line, n_words))
        n_words -= count_words(kept[-1])
    return kept


def sentences(text: str) -> list[str]:
    r"""Return the sentences of a text, roughly.

    >>> sentences("One. Two!\n\nThree")
    ['One.', 'Two!', 'Three']
    """
    marks = [0, *(match.end() for match in re.finditer(r"[.!?][\"”’]?\s+|\n+", text)), len(text)]
    return [piece for start, end in pairwise(marks) if (piece := text[start:end].strip())]


def paragraphs(story: str) -> list[str]:
    """Return the paragraphs of a story; of sentences, three to a paragraph, if it is one block."""
    parts = [part for part in story.split("\n\n") if part.strip()]
    if len(parts) >= 4:
        return parts
    pieces = sentences(story)
    return [" ".join(pieces[k : k + 3]) for k in range(0, len(pieces), 3)]


def wrap(story: str, lines: Sequence[str], *, n_before: float) -> str:
    r"""Put lines around a story, of which the first have `n_before` words or slightly more.

    >>> wrap("story", ["top", "end"], n_before=1)
    'top\n\nstory\n\nend'
    """
    head = n_words = 0
    while head < len(lines) and n_words < n_before:
        n_words += count_words(lines[head])
        head += 1
    parts = ("\n".join(lines[:head]), story, "\n".join(lines[head:]))
    return "\n\n".join(part for part in parts if part)


def edit(text: str, draw: random.Random, share: float) -> str:
    """Change a share of the words: half are replaced, a quarter left out, a quarter added."""
    pieces = text.split(" ")
    content = vocabulary().content
    for place in draw.sample(range(len(pieces)), round(share * len(pieces))):
        fate = draw.random()
        # A word that ends a line has its line break inside the piece, which stays.
        word, _, rest = pieces[place].partition("\n")
        new = draw.choice(content) if fate < 0.5 else "" if fate < 0.75 else None
        word = f"{word} {draw.choice(content)}" if new is None else new
        pieces[place] = f"{word}\n{rest}" if rest else word
    return " ".join(piece for piece in pieces if piece)

"""Collections that make a careless search quadratic, and an ordinary one to hold them against.

near-copies    copies of one story of 400 words, in each of which one word in fifty is another
one template   pages with 250 words before 100 of their own and 250 behind, all the same
patched        pages put together of a quarter of 400 phrases, always in the same order

The words are those of the sentences that a crawl is made of, as often as they stand
there. A collection is the same in every run.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crawl import Crawl
from material import Material

__all__ = ["KINDS", "Crowd", "make", "ordinary"]

N_STORY_WORDS, EDITED = 400, 0.02
N_FRAME_WORDS, N_OWN_WORDS = 250, 100
N_PHRASES, N_PATCHES, N_PHRASE_WORDS = 400, 100, 8

SEED = 1

Words = Callable[[int], list[str]]
"""Draws so many words."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Texts by id, and the story of each."""

    texts: dict[str, str]
    stories: dict[str, str]


def ordinary(material: Material, n_docs: int) -> Crowd:
    """Return a crawl, of which four documents in five are stories of their own."""
    items = list(Crawl(material, n_docs, SEED))
    return Crowd({item.id: item.text for item in items}, {item.id: item.story for item in items})


def make(kind: str, material: Material, n_docs: int) -> Crowd:
    """Return a collection of one of the `KINDS`."""
    draw, source = random.Random(f"{SEED} {kind}"), Crawl(material, n_docs).words
    pages = KINDS[kind](draw, lambda n: draw.choices(source, k=n))
    texts = {f"{number:06}": " ".join(next(pages)) for number in range(n_docs)}
    return Crowd(texts, {id_: kind if kind == "near-copies" else id_ for id_ in texts})


def _near_copies(draw: random.Random, words: Words) -> Iterator[list[str]]:
    story = words(N_STORY_WORDS)
    while True:
        yield [words(1)[0] if draw.random() < EDITED else word for word in story]


def _one_template(_: random.Random, words: Words) -> Iterator[list[str]]:
    before, behind = words(N_FRAME_WORDS), words(N_FRAME_WORDS)
    while True:
        yield before + words(N_OWN_WORDS) + behind


def _patched(draw: random.Random, words: Words) -> Iterator[list[str]]:
    phrases = [words(N_PHRASE_WORDS) for _ in range(N_PHRASES)]
    while True:
        chosen = sorted(draw.sample(range(N_PHRASES), N_PATCHES))
        yield [word for number in chosen for word in phrases[number]]


KINDS = {"near-copies": _near_copies, "one template": _one_template, "patched": _patched}

"""What traps are made of: stories that differ, and the boilerplate of sites.

Real articles serve where there are any, and real pages give real boilerplate: what
stands on a page beside its article. Everything that is missing is invented, so that
the traps can be built anywhere and nobody's sentences are shipped.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alterations import count_words, first_words
from collection import read_lines
from invented import Vocabulary, vocabulary, write_headline, write_story

MIN_STORY_WORDS = 60
MAX_SHARED = 0.02
"""Share of its 5-grams that a story may have in common with those before it."""

N_SITES = 80
MIN_SITE_WORDS = 150
PAGE_EXTRACTOR = "html-text"
"""An extractor of the development pages that keeps all of a page, line by line."""

Lines = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """Stories without a common text, and sites with lines of their own.

    Attributes
    ----------
    name : str
    stories : tuple of str
        Paragraphs are parted by blank lines.
    sites : tuple of tuple of str
        The boilerplate of each, line by line; at least `MIN_SITE_WORDS` words.
    """

    name: str
    stories: tuple[str, ...]
    sites: tuple[Lines, ...]

    def bodies(self, draw: random.Random, n: int, shortest: int, longest: int) -> list[str]:
        """Return `n` different stories of so many words; invented ones when they run out."""
        chosen = draw.sample(self.stories, len(self.stories))
        found = [story for story in chosen if count_words(story) >= shortest][:n]
        while len(found) < n:
            found.append(write_story(vocabulary(), draw, longest))
        return [first_words(story, draw.randint(shortest, longest)) for story in found]

    def boilerplate(self, draw: random.Random, n_words: int, site: int | None = None) -> Lines:
        """Return lines of one site, of `n_words` words; other sites' follow when they run out."""
        first = draw.randrange(len(self.sites)) if site is None else site % len(self.sites)
        others = draw.sample(range(len(self.sites)), len(self.sites))
        lines: list[str] = []
        n_left = n_words
        for number in (first, *(other for other in others if other != first)):
            for line in self.sites[number]:
                if n_left <= 0:
                    return tuple(lines)
                lines.append(first_words(line, n_left))
                n_left -= count_words(lines[-1])
        return tuple(lines)


def invented_material(seed: int = 1, n_stories: int = 400) -> Material:
    """Return stories and sites in an invented language."""
    draw = random.Random(f"material {seed}")
    words = vocabulary()
    stories = [write_story(words, draw, draw.randint(120, 700)) for _ in range(n_stories)]
    return Material("invented", tuple(stories), invented_sites(draw))


def material_from(
    articles: Iterable[str], sites: Iterable[Lines] = (), *, name: str = "articles"
) -> Material:
    """Return material made of any articles, those that repeat others left out."""
    usable = [lines for lines in sites if sum(map(count_words, lines)) >= MIN_SITE_WORDS]
    usable += invented_sites(random.Random("sites"))[: max(0, N_SITES - len(usable))]
    return Material(name, tuple(distinct(articles)), tuple(usable))


def read_material(articles: Path, pages: Path | None = None) -> Material:
    """Return material from a file of JSON Lines with ``text``, and the boilerplate of pages."""
    sites = page_boilerplate(pages) if pages else ()
    texts = (row["text"] for row in read_lines(articles))
    return material_from(texts, sites, name=articles.name)


def distinct(articles: Iterable[str]) -> Iterator[str]:
    """Yield the articles that are long enough and share hardly a 5-gram with those before."""
    seen: set[int] = set()
    for article in articles:
        grams = five_grams(article)
        if count_words(article) >= MIN_STORY_WORDS and len(grams & seen) <= MAX_SHARED * len(grams):
            yield article
        seen |= grams


def page_boilerplate(pages: Path) -> Iterator[Lines]:
    """Yield the lines of each development page that its article does not have."""
    rows = list(read_lines(pages))
    articles = {row["page"]: five_grams(row["text"]) for row in rows if row["extractor"] == "truth"}
    for row in rows:
        if row["extractor"] == PAGE_EXTRACTOR:
            lines = dict.fromkeys(line.strip() for line in row["text"].splitlines())
            yield tuple(
                line for line in lines if line and not five_grams(line) & articles[row["page"]]
            )


def invented_sites(draw: random.Random) -> tuple[Lines, ...]:
    """Return the boilerplate of sites: a menu, headlines, teasers and a footer."""
    return tuple(tuple(_site(vocabulary(), draw)) for _ in range(N_SITES))


def _site(words: Vocabulary, draw: random.Random) -> Iterator[str]:
    for _ in range(draw.randint(8, 20)):
        yield draw.choice(words.content).capitalize()
    for _ in range(draw.randint(15, 30)):
        yield write_headline(words, draw)
    yield from write_story(words, draw, 120).split("\n\n")


def five_grams(text: str) -> set[int]:
    """Return the hashes of five words in a row; of all words when there are fewer."""
    words = re.findall(r"\w+", text.casefold())
    return {hash(tuple(words[i : i + 5])) for i in range(max(1, len(words) - 4))}

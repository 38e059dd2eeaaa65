"""A crawl of any size, made anew from a seed: real sentences put together in new ways.

    python benchmarks/crawl.py crawl.jsonl -n 100000
    python benchmarks/crawl.py crawl.jsonl -n 100000 --hostile
    python benchmarks/crawl.py FOLDER -n 100000            a file for each document
    python benchmarks/crawl.py crawl.jsonl -n 100000 --source FILE_OR_FOLDER

Most documents are stories of their own; the others are copies of an earlier one, of
every kind in `KINDS`. Beside the documents stands ``*.gold.csv`` with the story of
each, its kind, and the document that it was made from; see `storage`.

Any document can be made without those before it, so a million of them need no
memory. A collection has fewer sentences than a crawl needs, and two real stories
hardly share five words in a row; so a quarter of the words of a story are exchanged
for others. ``--plain`` leaves them: then each sentence stands in hundreds of stories.
"""

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import storage
from alterations import count_words, cut, edit, first_words, sentences, wrap
from collection import texts_of
from material import Material, invented_material, material_from

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

SHORTEST, LONGEST = 120, 1800
"""Words of a story; short ones are more frequent, and the mean is near 550."""

FRAME_WORDS = 120
TEMPLATE_WORDS = 400
N_SITES = 200
N_MASS_STORIES = 5
"""Stories that thousands copy."""

MIN_SENTENCE, MAX_SENTENCE = 6, 60
"""Words of a sentence that is used."""

KINDS = {
    "own": 0.80,
    "same": 0.03,
    "edited": 0.04,
    "framed": 0.04,
    "abridged": 0.02,
    "embedded": 0.02,
    "template": 0.03,
    "mass": 0.02,
}
"""How a document was made, and the share of such documents.

``same`` has other typography, ``edited`` one word in thirty changed, ``framed`` the
boilerplate of a site, ``abridged`` the first three fifths. ``embedded`` stands in a page
of other text five times its length. ``template`` is a story of its own within 400
words that other pages have too, and ``mass`` an edited copy of one of five stories.
"""

N_HOSTILE = {"near-copy": 20_000, "one-template": 20_000, "long-page": 5_000}
"""What is added to a hostile crawl of 100,000; in proportion, if it has another size."""

DEEP = {"deep": 1.0, "deep-part": 0.6}
N_DEEP = 1000
SHALLOWEST, DEEPEST = 6, 100
"""What is added to a deep crawl: short stories, all or the first part of which stands in a page.

The pages have from 6 to 100 times the length of what they quote, so that similarities
go down to where candidates begin to be missed.
"""


@dataclass(frozen=True, slots=True)
class Item:
    """A document, its story, how it was made, and from which document, if any."""

    id: str
    text: str
    story: str
    kind: str
    made_from: str


@dataclass(frozen=True)
class Crawl:
    """Documents by number, each made from the seed and its number alone."""

    material: Material
    n_docs: int
    seed: int = 1
    hostile: bool = False
    deep: bool = False
    plain: bool = False

    def __iter__(self) -> Iterator[Item]:
        for number in range(self.n_docs):
            yield self.item(number)
        for kind, count in N_HOSTILE.items() if self.hostile else ():
            for number in range(max(2, count * self.n_docs // 100_000)):
                yield from self._hostile(kind, number)
        for kind, share in DEEP.items() if self.deep else ():
            for number in range(N_DEEP):
                draw = self._draw(f"{kind} {number}")
                times = math.exp(draw.uniform(math.log(SHALLOWEST), math.log(DEEPEST)))
                yield from self._in_page(kind, number, times, draw, share)

    @cached_property
    def pool(self) -> list[str]:
        """Every sentence of the material that has an ordinary length, once."""
        found = (sentence for story in self.material.stories for sentence in sentences(story))
        lengths = range(MIN_SENTENCE, MAX_SENTENCE + 1)
        return [one for one in dict.fromkeys(found) if len(one.split()) in lengths]

    @cached_property
    def words(self) -> list[str]:
        """Every word of the pool, as often as it stands there."""
        return [word for sentence in self.pool for word in sentence.split()]

    def item(self, number: int) -> Item:
        """Return a document of the ordinary part."""
        draw = self._draw(number)
        kind = self._kind(draw)
        name = f"{number:08d}"
        if kind == "own" or (kind != "template" and number < N_MASS_STORIES):
            return Item(name, self._story(draw), name, "own", "")
        if kind == "template":
            text = self._in_template(self._short(draw, 100, 250), draw.randrange(N_SITES // 10))
            return Item(name, text, name, kind, "")
        original = self._mass(draw) if kind == "mass" else self._before(number, draw)
        text = self._changed(kind, self.item(original).text, draw)
        return Item(name, text, f"{original:08d}", kind, f"{original:08d}")

    def _changed(self, kind: str, text: str, draw: random.Random) -> str:
        """Return a copy of a text."""
        match kind:
            case "same":
                return text.replace(". ", ".\u00a0 ").replace('"', "”").replace("'", "’")
            case "framed":
                return wrap(text, self._frame(draw.randrange(N_SITES)), n_before=FRAME_WORDS / 3)
            case "abridged":
                return first_words(text, len(text.split()) * 3 // 5)
            case "embedded":
                return self._page_around(text, draw, 5)
            case _:
                return edit(text, draw, 0.03)

    def _hostile(self, kind: str, number: int) -> Iterator[Item]:
        """Yield what makes a careless program slow: mass copies, one template, long pages."""
        draw = self._draw(f"{kind} {number}")
        name = f"{kind}-{number:06d}"
        if kind == "near-copy":
            copied = self._short(self._draw(kind), 300, 301)
            yield Item(name, edit(copied, draw, 0.02), kind, kind, f"{kind}-000000")
        elif kind == "one-template":
            page = self._in_template(self._short(draw, 100, 200), -1)
            yield Item(name, page, name, kind, "")
        else:
            yield from self._in_page(kind, number, 10, draw)

    def _in_page(
        self, kind: str, number: int, times: float, draw: random.Random, share: float = 1.0
    ) -> Iterator[Item]:
        """Yield a short story, and a page around a share of it that is so many times as long."""
        name = f"{kind}-{number:06d}"
        story = self._short(draw, 100, 150)
        yield Item(name, story, name, kind, "")
        quoted = first_words(story, int(share * count_words(story)))
        yield Item(f"{name}-page", self._page_around(quoted, draw, times), name, kind, name)

    def _draw(self, what: int | str) -> random.Random:
        """Return the chances of one document."""
        return random.Random(f"{self.seed} {what}")

    def _kind(self, draw: random.Random) -> str:
        return draw.choices(list(KINDS), cum_weights=list(accumulate(KINDS.values())))[0]

    def _before(self, number: int, draw: random.Random) -> int:
        """Return an earlier document that is a story of its own."""
        original = draw.randrange(number)
        while original >= N_MASS_STORIES and self._kind(self._draw(original)) != "own":
            original -= 1
        return original

    def _mass(self, draw: random.Random) -> int:
        return draw.randrange(N_MASS_STORIES)

    def _story(self, draw: random.Random) -> str:
        """Return a story of its own."""
        share = draw.random() ** 2
        return self._short(draw, SHORTEST, SHORTEST + 1 + int(share * (LONGEST - SHORTEST)))

    def _short(self, draw: random.Random, shortest: int, longest: int) -> str:
        """Return sentences in paragraphs, of at least so many words."""
        n_left = draw.randrange(shortest, longest) if longest > shortest + 1 else longest
        paragraphs = []
        while n_left > 0:
            words = " ".join(draw.choices(self.pool, k=draw.randint(1, 4))).split()
            if not self.plain:
                for place in draw.sample(range(len(words)), len(words) // 4):
                    words[place] = draw.choice(self.words)
            paragraphs.append(" ".join(words))
            n_left -= len(words)
        return "\n\n".join(paragraphs)

    def _page_around(self, text: str, draw: random.Random, times: float) -> str:
        """Return a page of other text around a text, so many times as long."""
        n_words = int(times * (text.count(" ") + 1))
        lines = self._short(draw, n_words, n_words + 2).split("\n\n")
        return wrap(text, lines, n_before=draw.random() * n_words)

    def _frame(self, site: int) -> Sequence[str]:
        return cut(self.material.sites[site % len(self.material.sites)], FRAME_WORDS)

    def _in_template(self, story: str, template: int) -> str:
        """Return a story within one of the templates."""
        draw = self._draw(f"template {template}")
        lines = self._short(draw, TEMPLATE_WORDS, TEMPLATE_WORDS + 2).split("\n\n")
        return wrap(story, lines, n_before=TEMPLATE_WORDS / 2)


def read_source(path: Path | None) -> Material:
    """Return what a crawl is made of: JSON Lines, a folder of texts, or what is at hand."""
    if path is None:
        path = SHARED / "distractors.jsonl.xz"
        if not path.exists():
            return invented_material(n_stories=2000)
    return material_from(texts_of(path), name=path.name)


def main() -> None:
    """Write a crawl."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("target", type=Path, help="a .jsonl file, or a folder")
    add("-n", type=int, default=10_000, dest="n_docs", help="documents, hostile ones not counted")
    add("--seed", type=int, default=1)
    add("--source", type=Path, help="JSON Lines with text, or a folder of .txt")
    add("--hostile", action="store_true", help="add mass copies, one template, and long pages")
    add("--deep", action="store_true", help="add stories in pages up to 100 times their length")
    add("--plain", action="store_true", help="leave sentences as they are")
    options = parser.parse_args()
    crawl = Crawl(
        read_source(options.source),
        options.n_docs,
        options.seed,
        hostile=options.hostile,
        deep=options.deep,
        plain=options.plain,
    )
    storage.write(crawl, options.target)


if __name__ == "__main__":
    main()

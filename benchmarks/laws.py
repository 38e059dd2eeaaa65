"""Stories and sites that grow: what is found must not get worse as documents are added.

Adding copies of a story can only make it surer which part of them is the story, and
adding pages of a site which part is the site. Each collection holds the smaller ones of
its row, word for word.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from random import Random

from collection import Collection
from kinds import Writer
from listings import KINDS, Site

COPIES = (2, 3, 6, 12, 60)
"""How many copies of a story there are."""

BOXES = ((550, 4, 25), (300, 2, 20), (1000, 3, 45), (200, 3, 15), (550, 9, 4))
"""Words of a story, and number and words of the boxes that each copy has of its own."""

VERSIONS = ((600, 60), (900, 45))
"""Words of a text, and of the passage that each of its versions has at another place."""

PAGES = (2, 3, 6, 20, 60, 150, 300)
"""How many pages of a site there are; every fourth is on a second site too."""

STORIES = (25, 80, 300)
"""Words of the stories of a site."""

FRAME = 120
"""Words of a site's terms, and twenty headlines: half of a page or more is not its story."""

LISTINGS = ("guides", "boards", "events", "jobs")
"""Listings whose site grows; every fourth page is crawled again."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A collection as it grows, smallest first."""

    name: str
    collections: tuple[Collection, ...]


def copies_added(seed: int = 1) -> Iterator[Grown]:
    """Yield stories with more and more copies, each on a site and with boxes of its own."""
    for words, n_boxes, length in BOXES:
        name = f"{words} words, {n_boxes} boxes of {length}"
        write = Writer(f"copies {words} {seed}")
        story = write.story("s", words, 60)
        texts = {}
        for k in range(max(COPIES)):
            boxes = {2 * i: write.words(f"box {k} {i}", length) for i in range(n_boxes)}
            body = ((part, boxes.get(i, "")) for i, part in enumerate(story))
            texts[f"{k}"] = write.page(f"{k}", [*filter(None, chain.from_iterable(body))])
        yield _growing(name, texts, dict.fromkeys(texts, "one"), COPIES)
    for words, own in VERSIONS:
        name = f"versions of {words} words, {own} of their own"
        write = Writer(f"versions {words} {seed}")
        story = write.story("s", words, 60)
        texts = {}
        for k in range(max(COPIES)):
            place = 1 + k % (len(story) - 1)
            own_words = write.words(f"own {k}", own)
            texts[f"{k}"] = "\n\n".join((*story[:place], own_words, *story[place:]))
        yield _growing(name, texts, dict.fromkeys(texts, "one"), COPIES)


def pages_added(seed: int = 1) -> Iterator[Grown]:
    """Yield sites with more and more pages, some of which are on another site too."""
    for words in STORIES:
        name = f"stories of {words} words"
        write = Writer(f"pages {words} {seed}")
        texts = {}
        for k in range(max(PAGES)):
            story = write.story(f"{k}", words)
            sites = ("first", "second")[: 2 if k % 4 == 0 else 1]
            for site in sites:
                texts[f"{k}/{site}"] = write.page(site, story, latest=20, terms=FRAME)
        yield _growing(name, texts, _pages_of(texts), PAGES)
    for name in LISTINGS:
        draw = Random(f"pages {name} {seed}")
        site = Site(draw)
        pages = KINDS[name](draw, site, max(PAGES))
        texts = {}
        for k, page in enumerate(pages):
            for copy in range(2 if k % 4 == 0 else 1):
                texts[f"{k}/{copy}"] = site.show(draw, page, page.items)
        yield _growing(name, texts, _pages_of(texts), PAGES)


LAWS = {
    "recall does not fall as copies of a story are added": ("recall", COPIES, copies_added),
    "precision does not fall as pages of a site are added": ("precision", PAGES, pages_added),
}
"""What must not fall, how many copies or pages there are, and what they stand in."""


def _pages_of(texts: dict[str, str]) -> dict[str, str]:
    return {document: document.split("/")[0] for document in texts}


def _growing(
    name: str, texts: dict[str, str], stories: dict[str, str], sizes: tuple[int, ...]
) -> Grown:
    """Return the first documents of a collection, more each time, a page with all its copies."""
    found = []
    for n in sizes:
        kept = {d: text for d, text in texts.items() if int(d.split("/")[0]) < n}
        found.append(Collection(f"{name}, {n}", kept, {d: stories[d] for d in kept}))
    return Grown(name, tuple(found))

"""Copies of stories among whole pages, where no clean body tells which part is the story.

Pages are made of the boilerplate of different hosts, around a story and inside it, as
news pages have it: captions, buttons and boxes between the paragraphs. Each site has
other articles in the collection too, which show what its boilerplate is.
"""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import chain

from alterations import count_words, cut, first_words, paragraphs
from collection import Collection
from material import Lines, Material

SHARES = {"a quarter or more": (0.25, 0.5), "an eighth to a quarter": (0.125, 0.25)}
"""Share of a page that is its story."""

N_SITES = 40
N_OTHERS = 5
"""Other articles of each site."""

COPIES = (2, 2, 2, 3, 3, 4, 6, 12, 20)
"""On how many sites a story is."""

SHORTEST, LONGEST = 60, 600
INSIDE = 0.1
"""Share of the boilerplate of a page that stands between paragraphs of its story."""


def make_whole_pages(material: Material, seed: int = 1) -> Iterator[Collection]:
    """Yield a collection for each share of the story in its pages."""
    for name, (least, most) in SHARES.items():
        draw = random.Random(f"whole pages {name} {seed}")
        n_sites = min(N_SITES, len(material.sites))
        stories = material.bodies(draw, len(COPIES) + n_sites * N_OTHERS, SHORTEST, LONGEST)
        told = [
            (f"{i}", story, n) for i, (story, n) in enumerate(zip(stories, COPIES, strict=False))
        ]
        told += [(f"other {i}", story, 1) for i, story in enumerate(stories[len(COPIES) :])]
        texts: dict[str, str] = {}
        for story_id, text, n_copies in told:
            story, sites = _fitting(material, text, n_sites, n_copies, most)
            for site in draw.sample(sites, n_copies):
                page = _page(draw, story, material.sites[site], draw.uniform(least, most))
                texts[f"{story_id}/{site}"] = page
        stories_of = {document: document.split("/")[0] for document in texts}
        yield Collection(f"whole pages, {name}", texts, stories_of)


def _fitting(
    material: Material, story: str, n_sites: int, n_copies: int, most: float
) -> tuple[str, list[int]]:
    """Shorten a story until enough sites have lines of their own for pages around it.

    Pages of two sites never share a line, or their boilerplate would be what they tell.
    """
    sizes = [sum(map(count_words, lines)) for lines in material.sites[:n_sites]]
    while True:
        needed = count_words(story) * (1 / most - 1)
        sites = [site for site, size in enumerate(sizes) if size >= needed]
        if len(sites) >= n_copies:
            return story, sites
        story = first_words(story, count_words(story) * 3 // 4)


def _page(draw: random.Random, story: str, site: Lines, share: float) -> str:
    """Return a story on a page of a site, of which it is a given share, as far as there is text."""
    lines = cut(site, math.ceil(count_words(story) * (1 / share - 1)))
    n_inside = round(INSIDE * len(lines))
    start = draw.randrange(len(lines) - n_inside + 1) if n_inside else 0
    inside = lines[start : start + n_inside]
    around = [*lines[:start], *lines[start + n_inside :]]
    top = len(around) // 3
    body = _mixed(draw, paragraphs(story), inside)
    return "\n".join([*around[:top], "", "\n\n".join(body), "", *around[top:]])


def _mixed(draw: random.Random, parts: Sequence[str], inside: Sequence[str]) -> list[str]:
    """Put lines of a site between paragraphs, in their order."""
    places = sorted(draw.choices(range(1, max(2, len(parts))), k=len(inside)))
    waiting = dict.fromkeys(range(len(parts)), ())
    for place, line in zip(places, inside, strict=True):
        waiting[min(place, len(parts) - 1)] += (line,)
    return [*chain.from_iterable((*waiting[i], part) for i, part in enumerate(parts))]

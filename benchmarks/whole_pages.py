"""Copies of stories among whole pages, where no clean body tells which part is the story.

Pages are made of the boilerplate of different hosts, around a story and inside it, as
news pages have it: captions, buttons and boxes between the paragraphs. Each site has
other articles in the collection too, which show what its boilerplate is.
"""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import chain

from alterations import count_words, paragraphs
from collection import Collection
from material import Lines, Material

SHARES = {"a quarter or more": (0.25, 0.5), "an eighth to a quarter": (0.125, 0.25)}
"""Share of a page that is its story."""

N_SITES = 40
N_OTHERS = 5
"""Other articles of each site."""

COPIES = (2, 2, 2, 3, 3, 4, 6, 12, 40)
"""On how many sites a story is."""

SHORTEST, LONGEST = 60, 600
INSIDE = 0.1
"""Share of the boilerplate of a page that stands between paragraphs of its story."""


def make_whole_pages(material: Material, seed: int = 1) -> Iterator[Collection]:
    """Yield a collection for each share of the story in its pages."""
    for name, (least, most) in SHARES.items():
        draw = random.Random(f"whole pages {name} {seed}")
        stories = material.bodies(draw, len(COPIES) + N_SITES * N_OTHERS, SHORTEST, LONGEST)
        texts: dict[str, str] = {}
        for number, (story, n_copies) in enumerate(zip(stories, COPIES, strict=False)):
            for site in draw.sample(range(N_SITES), n_copies):
                share = draw.uniform(least, most)
                texts[f"{number}/{site}"] = _page(material, draw, story, site, share)
        for number, story in enumerate(stories[len(COPIES) :]):
            share = draw.uniform(least, most)
            site = number % N_SITES
            texts[f"other {number}/{site}"] = _page(material, draw, story, site, share)
        told = {document: document.split("/")[0] for document in texts}
        yield Collection(f"whole pages, {name}", texts, told)


def _page(material: Material, draw: random.Random, story: str, site: int, share: float) -> str:
    """Return a story on a page of a site, of which it is a given share."""
    n_words = count_words(story)
    lines = material.boilerplate(draw, math.ceil(n_words * (1 / share - 1)), site)
    n_inside = round(INSIDE * len(lines))
    start = draw.randrange(len(lines) - n_inside + 1) if n_inside else 0
    inside = lines[start : start + n_inside]
    around = [*lines[:start], *lines[start + n_inside :]]
    cut = len(around) // 3
    body = _mixed(draw, paragraphs(story), inside)
    return "\n".join([*around[:cut], "", "\n\n".join(body), "", *around[cut:]])


def _mixed(draw: random.Random, parts: Sequence[str], inside: Lines) -> list[str]:
    """Put lines of a site between paragraphs, in their order."""
    places = sorted(draw.choices(range(1, max(2, len(parts))), k=len(inside)))
    waiting = dict.fromkeys(range(len(parts)), ())
    for place, line in zip(places, inside, strict=True):
        waiting[min(place, len(parts) - 1)] += (line,)
    return [*chain.from_iterable((*waiting[i], part) for i, part in enumerate(parts))]

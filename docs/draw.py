"""Draw the pictures of the documentation: `python docs/draw.py` writes `docs/pictures/*.svg`.

Every length is measured by the library on the two texts in `seeds`, so the same seeds
give the same bytes. How the pieces of a picture look is in `svg.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

import dedupe
from dedupe.clustering import MEAN_SHARE
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import hash_shingles, shingle
from dedupe.shingling.tokens import hash_tokens
from svg import BAR, KINDS, MARGIN, WIDTH, Bar, Stretch, bar, links, picture, rect, text

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"

FEW = 5
"""A stretch of fewer words, which is a phrase that stories share by chance, is not drawn."""


def seeds() -> tuple[str, str]:
    """Return the two seeds: an article, and a page that has it among other things."""
    article, page = (path.read_text("utf-8") for path in sorted((ROOT / "seeds").iterdir()))
    return article, page


def draw_seeds() -> str:
    """Draw the seeds as bars: the story aligned, the rest of the page beside it."""
    article, page = seeds()
    pair = dedupe.compare_texts(article, page).pair
    names = {"shared": "the story", "own": ""}
    left, right = (
        [one._replace(label=names[one.kind]) for one in side] for side in stretches(pair)
    )
    right[0] = right[0]._replace(kind="boilerplate", label="")
    right[-1] = right[-1]._replace(kind="boilerplate", label="other headlines")
    scale = (WIDTH - 2 * MARGIN) / _n_words(right)
    before = right[0].n_words * scale
    upper, lower = Bar(50, scale, left, x=MARGIN + before), Bar(150, scale, right)
    body = [
        text(f"the article, {_n_words(left):,} words", upper.x, 40),
        *bar(upper),
        *links(upper, lower),
        *bar(lower),
        text(f"the page, {_n_words(right):,} words", MARGIN, 206),
        text(
            f"containment {pair.containment:.2f}, Jaccard {pair.jaccard:.2f}",
            WIDTH - MARGIN, 206, "ink strong", "end",
        ),
    ]  # fmt: skip
    return picture("The two seeds side by side, the shared story aligned", 224, body)


def draw_measures() -> str:
    """Draw the same shared shingles over both denominators."""
    sides = [set(shingle(one).tolist()) for one in seeds()]
    shared, both, smaller = len(sides[0] & sides[1]), len(sides[0] | sides[1]), min(map(len, sides))
    scale = (WIDTH - 2 * MARGIN) / both
    rows = (("Jaccard", "in either", both), ("containment", "in the article", smaller))
    body: list[str] = []
    for number, (name, of, total) in enumerate(rows):
        y = 50 + 92 * number
        parts = [Stretch("shared", shared, f"{shared:,} shared"), Stretch("own", total - shared)]
        body += bar(Bar(y, scale, parts))
        body.append(
            text(
                f"{name}: {shared:,} shared / {total:,} {of} = {shared / total:.2f}", MARGIN, y - 10
            )
        )
    return picture("What each measure divides the shared shingles by", 196, body)


def draw_hole() -> str:
    """Draw two halves of the story in the frame of the page: a template with a hole in it."""
    article, page = seeds()
    one, other = (framed(part, page) for part in halves(article))
    pair = dedupe.compare_texts(one, other).pair
    left, right = stretches(pair)
    scale = (WIDTH - 2 * MARGIN) / max(_n_words(left), _n_words(right))
    upper, lower = Bar(50, scale, named(left)), Bar(150, scale, named(right))
    body = [
        text("one story in the frame of a site", MARGIN, 40),
        *bar(upper),
        *links(upper, lower),
        *bar(lower),
        text("another story in the same frame", MARGIN, 206),
        text(
            f"{pair.reason}: score {pair.score:.2f}",
            MARGIN, 230, "ink strong",
        ),
    ]  # fmt: skip
    return picture("Two stories in one template, with a hole where the stories stand", 246, body)


def draw_passes() -> str:
    """Draw three stories in one frame, each word as high as it counts in either pass."""
    article, page = seeds()
    parts = parts_of(article, 3)
    texts = {f"bare {n}": part for n, part in enumerate(parts)}
    texts |= {f"page {n}": framed(part, page) for n, part in enumerate(parts)}
    result = dedupe.find_duplicate_texts(texts)
    body = [
        text("first pass:", MARGIN, 28, "ink strong"),
        text("a word counts 1", MARGIN, 48),
        text("second pass:", WIDTH / 2 + 6, 28, "ink strong"),
        text("1 / stories that have it", WIDTH / 2 + 6, 48),
    ]
    for row, name in enumerate(n for n in texts if n.startswith("page")):
        weights = word_weights(texts[name], result)
        scale = (WIDTH / 2 - MARGIN - 14) / weights.size
        for column, of in enumerate((np.ones_like(weights), weights)):
            x = MARGIN + column * (WIDTH / 2 - 10)
            body += weighed(of, weights, x, 64 + 56 * row, scale)
    body.append(
        text("solid: the story, in one cluster; dotted: the frame, in three", MARGIN, 244, "dim")
    )
    return picture(
        "Words of three pages of one site before and after boilerplate is known", 262, body
    )


LABELS = {("A", "B"): (-34, -14), ("B", "C"): (34, -14), ("A", "C"): (0, 22)}
"""Pixels from the middle of each link in the picture of linkage to its score."""


def draw_linkage() -> str:
    """Draw a chain of three texts: each link holds by itself, the average does not."""
    result = dedupe.find_duplicate_texts(chain(seeds()[0]))
    places = {"A": (70.0, 120.0), "B": (260.0, 40.0), "C": (450.0, 120.0)}
    together = result.clusters[0].members
    body = []
    for (one, other), (aside, below) in LABELS.items():
        score = next((p.score for p in result.pairs_of(one) if p.other(one) == other), 0.0)
        (x, y), (to_x, to_y) = places[one], places[other]
        kind = "thick" if {one, other} <= set(together) else "line"
        dash = "" if score >= result.settings.threshold else ' stroke-dasharray="4 4"'
        body.append(f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" class="{kind}"{dash}/>')
        middle = (x + to_x) / 2 + aside, (y + to_y) / 2 + below
        body.append(text(f"{score:.2f}", *middle, "ink", "middle"))
    for name, (x, y) in places.items():
        kind = "shared" if name in together else "plain"
        body.append(f'<circle cx="{x:g}" cy="{y:g}" r="20" class="{kind}"/>')
        body.append(f'<circle cx="{x:g}" cy="{y:g}" r="20" class="edge"/>')
        body.append(
            text(name, x, y + 5, "on strong" if name in together else "ink strong", "middle")
        )
    mean = sum(pair.score for pair in result.pairs_of("C")) / len(together)
    least = MEAN_SHARE * result.settings.threshold
    said = f"C with A and B: {mean:.2f} on average, and {least:.2f} are asked for"
    body.append(text(said, WIDTH / 2, 184, "ink strong", "middle"))
    return picture("A chain of three texts, of which two become a cluster", 202, body)


PICTURES_BY_NAME: dict[str, Callable[[], str]] = {
    "seeds": draw_seeds,
    "measures": draw_measures,
    "hole": draw_hole,
    "passes": draw_passes,
    "linkage": draw_linkage,
}


def parts_of(story: str, n: int) -> list[str]:
    """Return a text in so many parts of equal length."""
    words = story.split(" ")
    edges = [len(words) * i // n for i in range(n + 1)]
    return [" ".join(words[a:b]) for a, b in pairwise(edges)]


def halves(story: str) -> list[str]:
    """Return the two halves of a text."""
    return parts_of(story, 2)


def framed(story: str, page: str) -> str:
    """Return a story in the frame of the page: below its head, above its headlines."""
    head, _, rest = page.partition("June 16 (UPI) --")
    return f"{head}{story}\n\n{rest[rest.index('Latest Headlines') :]}"


def chain(story: str) -> dict[str, str]:
    """Return three texts of which each shares a part with the next alone."""
    parts = parts_of(story, 10)
    return {
        name: " ".join(parts[slice(*of)])
        for name, of in {"A": (0, 5), "B": (2, 8), "C": (5, 10)}.items()
    }


def stretches(pair: dedupe.Pair) -> tuple[list[Stretch], list[Stretch]]:
    """Return both sides of a pair as stretches, in the order of their texts."""
    found = pair.evidence
    assert found is not None
    sides = []
    for side, rest in (("left", found.only_left), ("right", found.only_right)):
        placed = [(getattr(one, side), Stretch("shared", one.n_words)) for one in found.passages]
        placed += [(one.span, Stretch("own", one.n_words)) for one in rest]
        sides.append([stretch for _, stretch in sorted(placed)])
    return sides[0], sides[1]


def named(side: Sequence[Stretch]) -> list[Stretch]:
    """Name what stands in a template."""
    frame = [
        one._replace(label="frame") if one.kind == "shared" and one.n_words > 80 else one
        for one in side
    ]
    return [one._replace(label="its story") if one.kind == "own" else one for one in frame]


def word_weights(document: str, result: dedupe.Result) -> np.ndarray:
    """Return what each word of a document counts for, once a search knows the boilerplate."""
    tokens = hash_tokens([document])
    found = hash_shingles(tokens, result.settings.ngram)
    known = Boilerplate.from_bytes(result.boilerplate)
    return known.weights(found.hashes, found.offsets, tokens.offsets)


def weighed(
    heights: np.ndarray, weights: np.ndarray, x: float, y: float, scale: float
) -> Iterator[str]:
    """Draw words as high as they count, those that more than two stories have as boilerplate."""
    turns = np.flatnonzero(np.diff(weights)) + 1
    edges = [0]
    for turn in turns[np.diff(turns, append=weights.size) >= FEW].tolist():
        if weights[turn] != weights[edges[-1]]:
            edges.append(turn)
    for a, b in pairwise([*edges, weights.size]):
        height = BAR * float(heights[a])
        kind = KINDS["boilerplate" if weights[a] < 0.5 else "shared"]
        yield rect(x + a * scale, y + BAR - height, (b - a) * scale, height, kind)


def _n_words(side: Iterable[Stretch]) -> int:
    return sum(stretch.n_words for stretch in side)


def main() -> None:
    """Write all pictures."""
    PICTURES.mkdir(exist_ok=True)
    for name, draw in PICTURES_BY_NAME.items():
        Path(PICTURES, f"{name}.svg").write_text(draw(), "utf-8", newline="\n")


if __name__ == "__main__":
    main()

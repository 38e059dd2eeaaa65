"""Documents that deceive: each trap is a small collection, made anew from a seed.

A trap takes `Material`, a source of chance, and whether it is built at full size, and
yields one collection or, where a share is varied, one for each share. Documents of
different stories must not be joined; a document whose story is None may go with
either of two, and then `forbidden` says with whom it must not.

``python benchmarks/traps.py FOLDER`` writes them as JSON Lines for a closer look.
"""

import argparse
import json
import math
import random
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from alterations import (
    count_words,
    cut,
    edit,
    first_words,
    paragraphs,
    sentences,
    split_words,
    wrap,
)
from collection import Collection
from invented import vocabulary, write_headline
from material import Material, invented_material, read_material

Row = tuple[str, str, str | None]
Trap = Callable[[Material, random.Random, bool], Iterator[Collection]]

EDITS = (0.02, 0.05, 0.1, 0.2)
BOILERPLATE = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
FAMILIES = (2, 3, 10)
"""How many copies of a story there are."""

SLOTS = (6, 10, 16)
"""How many words of a form there are for each slot."""

QUOTE_WORDS = 40
TEMPLATE_WORDS = 500
SHORTEST, LONGEST = 200, 400
"""Words of the stories that are wrapped."""
HEAD_SHARE = 0.3
"""How much of the boilerplate stands before the story."""


def make_traps(
    material: Material, *, seed: int = 1, full: bool = False, only: Sequence[str] = ()
) -> Iterator[Collection]:
    """Yield the collections of all traps, or of those in `TRAPS` that are named.

    Each has a chance of its own, so that leaving one out changes no other, and the
    order of its documents is drawn too.
    """
    for name in only or TRAPS:
        for found in TRAPS[name](material, random.Random(f"{name} {seed}"), full):
            order = list(found.texts)
            random.Random(seed).shuffle(order)
            yield replace(found, texts={document: found.texts[document] for document in order})


def templates(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """200 different stories in one template of 500 words, each also in a second one."""
    yield collect("template", _in_templates(material, draw, 200))


def one_template(material: Material, draw: random.Random, full: bool) -> Iterator[Collection]:
    """Pages of one template, each tenth story also on its own."""
    n = 20_000 if full else 300
    frame = material.boilerplate(draw, TEMPLATE_WORDS)
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, n, 100, 200)):
        rows.append((f"{i}/page", wrap(story, frame, n_before=TEMPLATE_WORDS / 2), f"{i}"))
        if i % 10 == 0:
            rows.append((f"{i}/bare", story, f"{i}"))
    yield collect(f"{n:,} pages of one template", rows)


def near_copies(material: Material, draw: random.Random, full: bool) -> Iterator[Collection]:
    """One story many times, each time with other words edited, among a few others."""
    # Three hundred fit under every cap on the way; a thousand do not.
    n = 20_000 if full else 1000
    story, *others = material.bodies(draw, 51, 250, 400)
    rows: list[Row] = [(f"copy/{i}", edit(story, draw, 0.02), "copied") for i in range(n)]
    for i, other in enumerate(others):
        rows += [(f"{i}/{k}", edit(other, draw, 0.02), f"{i}") for k in range(2)]
    yield collect(f"{n:,} near-copies", rows)


def list_after(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories with the same list behind them; every second one also bare."""
    yield collect("list after", _with_list(material, draw, before=False, after=True))


def list_before(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories with the same list before them; every second one also bare."""
    yield collect("list before", _with_list(material, draw, before=True, after=False))


def list_either_side(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Each story once with the list behind it and once with it in front."""
    headlines = _headlines(draw, 200)
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 60, 150, 400)):
        rows.append((f"{i}/then-list", wrap(story, headlines, n_before=0), f"{i}"))
        rows.append((f"{i}/after-list", wrap(story, headlines, n_before=math.inf), f"{i}"))
    yield collect("list on either side", rows)


def latest_headlines(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """One list of headlines, longer than the stories, on the pages of two sites."""
    headlines = ("Latest headlines", *_headlines(draw, 300))
    tops = [material.boilerplate(draw, 40, site) for site in range(2)]
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 60, 100, 250)):
        page = wrap(wrap(story, headlines, n_before=0), tops[i % 2], n_before=math.inf)
        rows.append((f"{i}/page", page, f"{i}"))
        if i % 3 == 0:
            rows.append((f"{i}/bare", story, f"{i}"))
    yield collect("'Latest headlines' list", rows)


def teasers(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Pages with a story of their own that quote 40 words of another, and front pages."""
    stories = material.bodies(draw, 120, 200, 400)
    rows: list[Row] = []
    for i, (story, own) in enumerate(zip(stories[:60], stories[60:], strict=True)):
        quote = first_words(story, QUOTE_WORDS)
        top, rest = split_words(own, 100)
        rows.append((f"{i}/bare", story, f"{i}"))
        page = wrap(story, material.boilerplate(draw, 150), n_before=50)
        rows.append((f"{i}/page", page, f"{i}"))
        rows.append((f"{i}/quoting", f"{top}\n\n{quote}\n\n{rest}", f"{i}/own"))
    for k in range(0, 60, 10):
        quotes = [first_words(story, QUOTE_WORDS) for story in stories[k : k + 10]]
        rows.append((f"front/{k}", "\n\n".join(quotes), f"front {k}"))
    yield collect("teaser of 40 words", rows)


def syndication(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """One story on 40 sites, each with its own boilerplate, headline and local stories."""
    story, *local = material.bodies(draw, 81, 250, 450)
    rows: list[Row] = []
    for site in range(40):
        frame = material.boilerplate(draw, 300, site)
        headline = write_headline(vocabulary(), draw)
        rows.append(
            (f"{site}/agency", wrap(f"{headline}\n\n{story}", frame, n_before=100), "agency")
        )
        for k in range(2):
            own = 2 * site + k
            rows.append((f"{site}/local{k}", wrap(local[own], frame, n_before=100), f"local {own}"))
    yield collect("one story on 40 sites", rows)


def own_boxes(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories on 2, 3 or 10 sites, each copy with up to 45 words of its own in the middle."""
    stories = material.bodies(draw, 90, 250, 450)
    remarks = [sentence for story in stories[60:] for sentence in sentences(story)]
    rows: list[Row] = []
    for i, story in enumerate(stories[:60]):
        for k in range(FAMILIES[i % len(FAMILIES)]):
            top, rest = split_words(story, 100)
            box = first_words(" ".join(draw.sample(remarks, 10)), draw.randint(20, 45))
            rows.append((f"{i}/{k}", f"{top}\n\n{box}\n\n{rest}", f"{i}"))
    yield collect("a box of its own in each copy", rows)


def own_edits(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories on 2, 3 or 10 sites, one word in twenty changed on each, in its own boilerplate."""
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 60, 250, 450)):
        for k in range(FAMILIES[i % len(FAMILIES)]):
            page = wrap(edit(story, draw, 0.05), material.boilerplate(draw, 200, k), n_before=50)
            rows.append((f"{i}/{k}", page, f"{i}"))
    yield collect("edited anew on each site", rows)


def small_print(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories over small print longer than they are, one paragraph that all of them carry."""
    print_words = " ".join(material.bodies(draw, 1, 500, 500)[0].split())
    for n in (3, 60):
        rows: list[Row] = []
        for i, story in enumerate(material.bodies(draw, n, 100, 250)):
            rows.append((f"{i}/page", f"{story}\n\n{print_words}", f"{i}"))
            if i % 3 == 0:
                rows.append((f"{i}/bare", story, f"{i}"))
        yield collect(f"{n} stories over small print", rows)


def forms(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Notices of which names and figures differ, as a form has them; each fourth also on a page.

    In some slots there are only two things to say, in others a name or a figure.
    """
    for every in SLOTS:
        words = material.bodies(draw, 1, 150, 150)[0].split()
        fill = _form(draw, words, every)
        rows: list[Row] = []
        for i in range(60):
            notice = fill()
            rows.append((f"{i}/bare", notice, f"{i}"))
            if i % 4 == 0:
                page = wrap(notice, material.boilerplate(draw, 60, i % 8), n_before=30)
                rows.append((f"{i}/page", page, f"{i}"))
        yield collect(f"a form with a slot every {every} words", rows)


def edits(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories and their copies with some of the words replaced, left out or added."""
    for share in EDITS:
        rows: list[Row] = []
        for i, story in enumerate(material.bodies(draw, 200, 150, 500)):
            rows += [
                (f"{i}/first", story, f"{i}"),
                (f"{i}/edited", edit(story, draw, share), f"{i}"),
            ]
        yield collect(f"{share:.0%} of words edited", rows, series="words edited", at=share)


def paragraphs_dropped(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories and their copies without some of the paragraphs."""
    for share in (0.3, 0.5):
        rows: list[Row] = []
        for i, story in enumerate(material.bodies(draw, 200, 200, 500)):
            parts = paragraphs(story)
            kept = sorted(draw.sample(range(len(parts)), max(1, round(len(parts) * (1 - share)))))
            shorter = "\n\n".join(parts[k] for k in kept)
            rows += [(f"{i}/first", story, f"{i}"), (f"{i}/shorter", shorter, f"{i}")]
        yield collect(f"{share:.0%} of paragraphs dropped", rows)


def shortened_apart(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories on 2, 3 or 10 sites, each of which left out another 30 to 50 words."""
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 60, 250, 450)):
        for k in range(FAMILIES[i % len(FAMILIES)]):
            top, rest = split_words(story, draw.randint(20, 180))
            _, end = split_words(rest, draw.randint(30, 50))
            rows.append((f"{i}/{k}", f"{top}\n\n{end}", f"{i}"))
    yield collect("shortened by each site", rows)


def paragraphs_reordered(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories and their copies with the paragraphs in another order."""
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 200, 200, 500)):
        parts = paragraphs(story)
        shuffled = "\n\n".join(draw.sample(parts, len(parts)))
        rows += [(f"{i}/first", story, f"{i}"), (f"{i}/shuffled", shuffled, f"{i}")]
    yield collect("paragraphs reordered", rows)


def two_on_a_page(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Pages with two stories, both of which also stand alone: either one is a right answer."""
    n = 40
    stories = material.bodies(draw, 2 * n, 150, 350)
    rows: list[Row] = []
    for i, story in enumerate(stories):
        rows.append((f"{i}/bare", story, f"{i}"))
        page = wrap(story, material.boilerplate(draw, 150), n_before=50)
        rows.append((f"{i}/page", page, f"{i}"))
    rows += [(f"both/{k}", f"{stories[2 * k]}\n\n{stories[2 * k + 1]}", None) for k in range(n)]
    strangers = [(f"both/{k}", f"{(2 * k + 2) % (2 * n)}/bare") for k in range(n)]
    yield collect("two stories on a page", rows, forbidden=strangers)


def chains(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Texts A, B, C: A shares half of its words with B, and B its other half with C."""
    n = 40
    parts = material.bodies(draw, 4 * n, 150, 200)
    rows: list[Row] = []
    for i in range(n):
        links = [f"{a}\n\n{b}" for a, b in pairwise(parts[4 * i : 4 * i + 4])]
        rows.append((f"{i}/B", links[1], None))
        for name, text in (("A", links[0]), ("C", links[2])):
            rows += [(f"{i}/{name}", text, f"{i} {name}")]
            rows += [(f"{i}/{name}/copy", edit(text, draw, 0.02), f"{i} {name}")]
    yield collect("chain A~B~C", rows)


def long_pages(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Short stories inside pages of 3,500 other words that nobody else has: J is under .05."""
    n = 150
    stories = material.bodies(draw, n + 60, 100, 150)
    remarks = [sentence for story in stories[n:] for sentence in sentences(story)]
    rows: list[Row] = []
    for i, story in enumerate(stories[:n]):
        noise = _remarks(draw, remarks, 3500)
        page = wrap(story, noise, n_before=draw.randrange(3500))
        rows += [(f"{i}/bare", story, f"{i}"), (f"{i}/page", page, f"{i}")]
    yield collect("short story, long page", rows)


def no_newlines(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Templates, lists and wrapped stories without a line break anywhere."""
    yield flat(collect("template", _in_templates(material, draw, 100)))
    yield flat(collect("list after", _with_list(material, draw, before=False, after=True)))
    yield flat(collect("60% boilerplate", _wrapped(material, draw, 0.6)))


def wrapped(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories bare and in the boilerplate of two sites each; a site carries eight stories."""
    for share in BOILERPLATE:
        rows = _wrapped(material, draw, share)
        yield collect(f"{share:.0%} boilerplate", rows, series="boilerplate", at=share)
    for share in (0.4, 0.8):
        rows = _wrapped(material, draw, share, moved=True)
        yield collect(f"{share:.0%} boilerplate, story anywhere", rows)


def typography(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Stories and their copies with other quotes, dashes, spaces, case and composition."""
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 100, 60, 300)):
        change = VARIANTS[i % len(VARIANTS)]
        rows += [(f"{i}/first", story, f"{i}"), (f"{i}/set-anew", change(story), f"{i}")]
    yield collect("typography", rows)


def short_texts(material: Material, draw: random.Random, _: bool) -> Iterator[Collection]:
    """Texts of 1, 4, 19 and 20 words, each twice, and empty ones."""
    rows: list[Row] = [("empty", "", "empty"), ("blank", " \n", "blank"), ("rule", "---", "rule")]
    stories = material.bodies(draw, 120, 60, 60)
    words = dict.fromkeys(word for story in stories for word in story.split() if word.isalpha())
    names = [word for word in words if len(word) > 5]
    for i, story in enumerate(stories):
        n_words = (1, 4, 19, 20)[i % 4]
        text = names[i] if n_words == 1 else " ".join(story.split()[10 : 10 + n_words])
        rows += [(f"{i}/first", text, f"{n_words} {text.casefold()}")]
        rows += [(f"{i}/again", text.upper() + "!", f"{n_words} {text.casefold()}")]
    yield collect("short texts", rows)


TRAPS: dict[str, Trap] = {
    "template": templates,
    "one-template": one_template,
    "near-copies": near_copies,
    "list-after": list_after,
    "list-before": list_before,
    "list-either-side": list_either_side,
    "latest-headlines": latest_headlines,
    "teaser": teasers,
    "syndication": syndication,
    "own-boxes": own_boxes,
    "own-edits": own_edits,
    "small-print": small_print,
    "forms": forms,
    "edits": edits,
    "paragraphs-dropped": paragraphs_dropped,
    "shortened-apart": shortened_apart,
    "paragraphs-reordered": paragraphs_reordered,
    "two-on-a-page": two_on_a_page,
    "chain": chains,
    "long-page": long_pages,
    "no-newlines": no_newlines,
    "wrapped": wrapped,
    "typography": typography,
    "short": short_texts,
}
"""Every trap, by the name that the command line knows it by."""

FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)}
VARIANTS: tuple[Callable[[str], str], ...] = (
    str.upper,
    lambda text: text.replace('"', "“").replace("'", "’"),
    lambda text: text.replace(" - ", " — ").replace(", ", " – ").replace(". ", "… "),
    lambda text: unicodedata.normalize("NFD", text).replace(" ", "\u00a0"),
    lambda text: "\u200b ".join(text.split(" ")).replace("ti", "t\u00adi"),
    lambda text: text.replace("fi", "ﬁ").replace("\n", "\r\n").translate(FULL_WIDTH),
)


def collect(
    name: str,
    rows: Iterable[Row],
    *,
    forbidden: Iterable[tuple[str, str]] = (),
    series: str = "",
    at: float = 0.0,
) -> Collection:
    """Gather documents with their stories."""
    rows = list(rows)
    return Collection(
        name,
        texts={document: text for document, text, _ in rows},
        stories={document: story for document, _, story in rows},
        forbidden=tuple(forbidden),
        series=series,
        at=at,
    )


def flat(collection: Collection) -> Collection:
    """Return a collection whose texts are one line each."""
    texts = {document: " ".join(text.split()) for document, text in collection.texts.items()}
    return replace(collection, name=f"{collection.name}, no newlines", texts=texts)


def _in_templates(material: Material, draw: random.Random, n: int) -> list[Row]:
    """Return stories in two templates of two sites."""
    frames = [material.boilerplate(draw, TEMPLATE_WORDS, site) for site in range(2)]
    return [
        (f"{i}/{name}", wrap(story, frame, n_before=TEMPLATE_WORDS / 2), f"{i}")
        for i, story in enumerate(material.bodies(draw, n, 100, 300))
        for name, frame in zip(("one", "other"), frames, strict=True)
    ]


def _form(draw: random.Random, words: Sequence[str], every: int) -> Callable[[], str]:
    """Return what fills in a form anew: a text with a slot after every so many words."""
    names = vocabulary().content
    slots: list[Callable[[], str]] = []
    for _ in range(len(words) // every):
        two = draw.sample(names, 2)
        kinds = (
            lambda: " ".join(draw.choices(names, k=2)).title(),
            lambda: f"{draw.uniform(1, 1000):.1f}",
            lambda: str(draw.randint(1, 31)),
            lambda two=two: f"{draw.choice(two)} {draw.randint(1, 500)}",
        )
        slots.append(draw.choice(kinds))

    def fill() -> str:
        parts = [
            " ".join([*words[k * every : (k + 1) * every], slot()]) for k, slot in enumerate(slots)
        ]
        return " ".join([*parts, *words[len(slots) * every :]])

    return fill


def _with_list(material: Material, draw: random.Random, *, before: bool, after: bool) -> list[Row]:
    """Return stories with a list of 200 words, half of them bare as well."""
    headlines = _headlines(draw, 200)
    rows: list[Row] = []
    for i, story in enumerate(material.bodies(draw, 80, 150, 400)):
        page = wrap(story, headlines, n_before=math.inf) if before else story
        page = wrap(page, headlines, n_before=0) if after else page
        rows.append((f"{i}/page", page, f"{i}"))
        if i % 2:
            rows.append((f"{i}/bare", story, f"{i}"))
    return rows


def _wrapped(
    material: Material, draw: random.Random, share: float, *, moved: bool = False
) -> list[Row]:
    """Return stories bare and on two of ten sites, whose boilerplate makes up the share.

    The first lines of a site are the same on all its pages; how much follows depends
    on the story. If `moved`, the story stands after any number of lines instead.
    """
    rows: list[Row] = []
    ratio = share / (1 - share)
    frames = [material.boilerplate(draw, round(LONGEST * ratio), site) for site in range(10)]
    n_before = round(HEAD_SHARE * SHORTEST * ratio)
    for i, story in enumerate(material.bodies(draw, 40, SHORTEST, LONGEST)):
        rows.append((f"{i}/bare", story, f"{i}"))
        for k in range(2):
            around = cut(frames[(i + k * (1 + i // 10)) % 10], round(count_words(story) * ratio))
            place = draw.random() * count_words(" ".join(around)) if moved else n_before
            rows.append((f"{i}/site{k}", wrap(story, around, n_before=place), f"{i}"))
    return rows


def _headlines(draw: random.Random, n_words: int) -> list[str]:
    """Return invented headlines of so many words together."""
    lines = [write_headline(vocabulary(), draw) for _ in range(n_words // 5)]
    return cut(lines, n_words)


def _remarks(draw: random.Random, pool: Sequence[str], n_words: int) -> list[str]:
    """Return lines such as readers write: words of sentences, drawn anew for each page."""
    words = [word for sentence in draw.sample(pool, len(pool)) for word in sentence.split()]
    lines, n_written = [], 0
    while n_written < n_words:
        line = draw.choices(words, k=draw.randint(5, 40))
        lines.append(" ".join(line))
        n_written += len(line)
    return lines


def main() -> None:
    """Write every trap as JSON Lines into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--source", type=Path, help="articles as JSON Lines; invented without it")
    parser.add_argument("--pages", type=Path, help="the development pages, for their boilerplate")
    parser.add_argument(
        "--full", action="store_true", help="20,000 near-copies and pages of one template"
    )
    parser.add_argument("--only", nargs="+", choices=TRAPS, default=[], help="some of the traps")
    options = parser.parse_args()
    material = (
        read_material(options.source, options.pages) if options.source else invented_material()
    )
    options.folder.mkdir(parents=True, exist_ok=True)
    for trap in make_traps(material, full=options.full, only=options.only):
        name = "".join(c if c.isalnum() else "-" for c in trap.name)
        with (options.folder / f"{name}.jsonl").open("w", encoding="utf-8") as lines:
            for document, text in trap.texts.items():
                row = {"id": document, "story": trap.stories[document], "text": text}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

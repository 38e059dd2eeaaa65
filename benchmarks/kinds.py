"""Small collections, one for each kind of question that people ask of such a tool.

A kind takes a source of chance and a scale, by which every number of words is
multiplied, and yields collections of a few sizes. The right answer is the same at every
scale: a rule with a constant that fits one size shows here.

``python benchmarks/kinds.py`` prints a line for each: right, or what is wrong.
"""

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from alterations import first_words
from collection import Collection
from invented import vocabulary, write_headline, write_story

Texts = dict[str, str]
Kind = Callable[["Writer"], Iterator[Collection]]

PARAGRAPH = 55
"""Words of a paragraph, and of one in a longer story."""


class Writer:
    """Writes stories and sites in an invented language.

    Parameters
    ----------
    seed : str
    scale : float
        Multiplies every number of words.
    """

    def __init__(self, seed: str, scale: float = 1.0) -> None:
        self.seed = seed
        self.scale = scale

    def words(self, name: str, n: float) -> str:
        """Return a paragraph of exactly so many words, the same for the same name."""
        n_words = max(1, round(n * self.scale))
        draw = random.Random(f"{self.seed} {name} {n_words}")
        text = " ".join(write_story(vocabulary(), draw, n_words + 40).split("\n\n")[1:])
        return first_words(text, n_words)

    def story(self, name: str, n: float, paragraph: float = PARAGRAPH) -> list[str]:
        """Return the paragraphs of a story of so many words, the last one shorter."""
        parts = [paragraph] * int(n // paragraph)
        parts += [n % paragraph] if n % paragraph else []
        return [self.words(f"{name} {i}", part) for i, part in enumerate(parts)]

    def headlines(self, name: str, n: int) -> list[str]:
        """Return lines of five to ten words, whatever the scale."""
        draw = random.Random(f"{self.seed} headlines {name}")
        return [write_headline(vocabulary(), draw) for _ in range(n)]

    def page(self, site: str, body: Sequence[str], *, latest: int = 8, terms: float = 60) -> str:
        """Return a story on a page of a site: menu, notice, body, headlines, terms."""
        menu = [line.split()[0] for line in self.headlines(f"menu {site}", 9)]
        return _joined(
            "\n".join(menu),
            self.words(f"notice {site}", 35),
            *body,
            "\n".join(self.headlines(f"latest {site}", round(latest * self.scale) or 1)),
            self.words(f"terms {site}", terms),
        )


def _joined(*paragraphs: str) -> str:
    return "\n\n".join(paragraphs)


def _apart(name: str, texts: Texts) -> Collection:
    """Return documents of which each is a story of its own."""
    return Collection(name, texts, dict(zip(texts, texts, strict=True)))


def _together(name: str, texts: Texts) -> Collection:
    """Return documents that all tell one story."""
    return Collection(name, texts, dict.fromkeys(texts, "one"))


def _by_number(name: str, texts: Texts) -> Collection:
    """Return documents whose story is what stands before the slash in their id."""
    return Collection(name, texts, {document: document.split("/")[0] for document in texts})


def large_pages(write: Writer) -> Iterator[Collection]:
    """Put a story on two pages that have three times as many words, none of them shared."""
    for n, around in ((295, 730), (150, 400)):
        story = write.story("s", n)
        texts = {
            side: _joined(
                *write.headlines(f"a {side}", 12),
                *story,
                *write.headlines(f"b {side}", round(around * write.scale / 8)),
            )
            for side in "ab"
        }
        yield _together(f"{n} words among {around} of lists", texts)


def frames_inside(write: Writer) -> Iterator[Collection]:
    """Put captions and buttons of each site between the paragraphs of a story."""
    for n, lines in ((627, 8), (300, 5)):
        story = write.story("s", n)
        texts = {}
        for side in "ab":
            buttons = write.headlines(f"buttons {side}", round(lines * write.scale) or 1)
            body = [*story[:2], "\n".join(buttons), *story[2:]]
            texts[side] = write.page(side, body)
        yield _together(f"{n} words around {lines} lines of the site", texts)


def boxes(write: Writer) -> Iterator[Collection]:
    """Put boxes of its own between the paragraphs of each copy of a story."""
    for copies, n, n_boxes, length in (
        (2, 550, 4, 25),
        (3, 550, 4, 25),
        (6, 550, 4, 25),
        (12, 550, 4, 25),
        (6, 300, 2, 20),
        (12, 1000, 3, 45),
    ):
        story = write.story("s", n, 60)
        texts = {}
        for k in range(copies):
            box = [write.words(f"box {k} {i}", length) for i in range(n_boxes)]
            places = {2 * i + 1: box[i] for i in range(n_boxes)}
            body = chain.from_iterable(
                (part, places[i]) if i in places else (part,) for i, part in enumerate(story)
            )
            texts[f"{k}"] = write.page(f"{k}", [*body])
        yield _together(f"{copies} copies of {n} words, {n_boxes} boxes of {length}", texts)


def notes(write: Writer) -> Iterator[Collection]:
    """Put different releases above one long note, each on a site of its own."""
    for n, own, shared in ((2, 300, 350), (4, 300, 350), (15, 110, 200), (6, 350, 350)):
        note = write.story("note", shared, 60)
        texts = {f"{j}": write.page(f"{j}", [*write.story(f"r{j}", own), *note]) for j in range(n)}
        yield _apart(f"{n} releases of {own} words, a note of {shared}", texts)


def briefs(write: Writer) -> Iterator[Collection]:
    """Put short reports of a site in its long frame, and long articles, which show it."""
    for n, own, n_long in ((3, 25, 30), (12, 25, 30), (12, 15, 30), (300, 25, 0), (40, 40, 0)):
        stories = {f"b{j}": write.story(f"w{j}", own) for j in range(n)}
        stories |= {f"l{j}": write.story(f"l{j}", 400) for j in range(n_long)}
        texts = {
            name: write.page("f", story, latest=20, terms=120) for name, story in stories.items()
        }
        yield _apart(f"{n} briefs of {own} words, {n_long} articles in one frame", texts)


def stubs(write: Writer) -> Iterator[Collection]:
    """Put the lead of each article above a note that all leads have."""
    for n, lead, length in ((12, 80, 30), (12, 40, 15), (6, 250, 60)):
        note = write.words("pay", length)
        texts = {}
        for j in range(n):
            text = _joined(*write.story(f"a{j}", 500))
            texts[f"{j}/full"] = text
            texts[f"{j}/stub"] = _joined(first_words(text, round(lead * write.scale)), note)
        yield _by_number(f"{n} leads of {lead} words, a note of {length}", texts)


def intros(write: Writer) -> Iterator[Collection]:
    """Print stories in two papers, each with a paragraph of its own above all it prints."""
    for n, words, above in ((12, 400, 90), (12, 150, 90), (6, 800, 60)):
        texts = {
            f"{j}/{paper}": _joined(
                write.words(f"in {paper}", above),
                *write.story(f"b{j}", words),
                write.words("out", 120),
            )
            for j in range(n)
            for paper in "ab"
        }
        yield _by_number(f"{n} stories of {words} words, {above} of each paper above", texts)


def quotations(write: Writer) -> Iterator[Collection]:
    """Report an event in words of one's own that quote the same three messages."""
    for n, own, quoted in ((6, 90, 60), (6, 300, 90), (3, 120, 60)):
        messages = [write.words(f"q{k}", quoted / 3) for k in range(3)]
        texts = {}
        for j in range(n):
            parts = write.story(f"e{j}", own, own / 4)
            texts[f"{j}"] = _joined(
                *chain.from_iterable(zip(parts, messages, strict=False)), parts[-1]
            )
        yield _apart(f"{n} reports of {own} words that quote {quoted}", texts)


def long_frames(write: Writer) -> Iterator[Collection]:
    """Put different short stories in one very long frame."""
    for n, frame, own in ((3, 3600, 415), (12, 660, 45)):
        before, after = write.story("before", frame / 2), write.story("after", frame / 2)
        texts = {f"{j}": _joined(*before, *write.story(f"s{j}", own), *after) for j in range(n)}
        yield _apart(f"{n} stories of {own} words in a frame of {frame}", texts)


def short_forms(write: Writer) -> Iterator[Collection]:
    """Fill a short frame of one office differently, some of it on a second page too."""
    for n, copies in ((40, 0), (40, 8), (200, 20), (6, 2)):
        frame = [write.words(f"frame {i}", 12) for i in range(7)]
        texts = {}
        for j in range(n):
            slots = [write.words(f"slot {j} {i}", 2.5) for i in range(6)]
            parts = chain.from_iterable(zip(frame, [*slots, ""], strict=True))
            texts[f"{j}/n"] = " ".join(filter(None, parts))
            if j < copies:
                texts[f"{j}/page"] = write.page("mirror", [texts[f"{j}/n"]])
        yield _by_number(f"{n} notices, {copies} on a second page", texts)


def versions(write: Writer) -> Iterator[Collection]:
    """Put a passage of its own into each version of a long text, at another place."""
    for n, words, own in ((3, 600, 60), (12, 600, 60), (40, 900, 60)):
        story = write.story("v", words, 60)
        texts = {}
        for k in range(n):
            place = 1 + k * (len(story) - 2) // n
            body = (*story[:place], write.words(f"own {k}", own), *story[place:])
            texts[f"{k}"] = _joined(*body)
        yield _together(f"{n} versions of {words} words, {own} of their own", texts)


def scans(write: Writer) -> Iterator[Collection]:
    """Read a text in two poor scans: in each, other letters of some words are wrong."""
    text = _joined(*write.story("o", 600))
    for rate in (0.1, 0.15):
        yield _together(f"two scans, {rate:.0%} of the words wrong", {
            side: _misread(text, rate, random.Random(f"{write.seed} {side} {rate}"))
            for side in "ab"
        })  # fmt: skip


def columns(write: Writer) -> Iterator[Collection]:
    """Set a text in a narrow column, with words divided, beside the running text."""
    for n, width, is_page in ((600, 30, False), (600, 45, False), (300, 36, True)):
        story = write.story("c", n)
        draw = random.Random(f"{write.seed} {n} {width}")
        column = [_set_in_column(paragraph, width, draw) for paragraph in story]
        texts = {
            "running": write.page("a", story) if is_page else _joined(*story),
            "column": write.page("b", column) if is_page else _joined(*column),
        }
        where = "on two pages" if is_page else "beside running text"
        yield _together(f"{n} words in columns of {width}, {where}", texts)


def _set_in_column(text: str, width: int, draw: random.Random) -> str:
    """Break a text into lines of so many characters, of which about one in seven ends in a word."""
    lines, line = [], ""
    for word in text.split(" "):
        rest = word
        if len(line) + 1 + len(rest) > width:
            letters = rest.strip('".,')
            if len(letters) > 4 and rest.startswith(letters) and draw.random() < 0.25:
                cut = draw.randrange(2, len(letters) - 1)
                line, rest = f"{line} {rest[:cut]}-", rest[cut:]
            lines.append(line)
            line = ""
        line = f"{line} {rest}".strip()
    return "\n".join([*lines, line])


def _misread(text: str, rate: float, draw: random.Random) -> str:
    """Return a text of which some words have a wrong letter."""
    words = []
    for word in text.split(" "):
        if draw.random() < rate and len(word) > 1:
            place = draw.randrange(len(word))
            word = f"{word[:place]}{draw.choice('cqnlufihebrt')}{word[place + 1 :]}"  # noqa: PLW2901
        words.append(word)
    return " ".join(words)


KINDS: dict[str, Kind] = {
    "large pages": large_pages,
    "frames inside": frames_inside,
    "boxes": boxes,
    "notes": notes,
    "briefs": briefs,
    "stubs": stubs,
    "intros": intros,
    "quotations": quotations,
    "long frames": long_frames,
    "short forms": short_forms,
    "versions": versions,
    "scans": scans,
    "columns": columns,
}
"""Every kind, by its name."""

SCALES = (0.5, 1.0, 2.0)


def make_kinds(scale: float = 1.0, seed: int = 1) -> Iterator[tuple[str, Collection]]:
    """Yield the collections of all kinds, each with the name of its kind."""
    for name, kind in KINDS.items():
        for found in kind(Writer(f"{name} {seed}", scale)):
            yield name, found


def wrong(collection: Collection) -> str:
    """Return what is wrong with our answer to a collection, "" if it is right."""
    import dedupe  # noqa: PLC0415  It starts slowly.

    result = dedupe.find_duplicate_texts(collection.texts)
    found = sorted(sorted(cluster.members) for cluster in result.clusters)
    stories: dict[str | None, list[str]] = {}
    for document, story in collection.stories.items():
        stories.setdefault(story, []).append(document)
    if found == sorted(sorted(story) for story in stories.values() if len(story) > 1):
        return ""
    sizes = sorted((len(cluster) for cluster in found), reverse=True)[:8]
    best = result.scored[0] if len(result.scored) else None
    return f"clusters of {sizes}" + (f"; {best.score:.2f}, {best.reason}" if best else "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each collection, and how many are right at each scale."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", action="store_true", help="print only what is wrong")
    options = parser.parse_args(arguments)
    for scale in SCALES:
        n_right = n_all = 0
        for kind, found in make_kinds(scale, options.seed):
            said = wrong(found)
            n_all += 1
            n_right += not said
            if said or not options.wrong:
                print(f"x{scale:g}  {kind:14} {found.name:50} {said or 'right'}")
        print(f"x{scale:g}: {n_right} of {n_all} right\n")


if __name__ == "__main__":
    main()

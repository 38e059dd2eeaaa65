"""Web pages with slots and listings that roll on: what differs is short lines.

Guides to several towns, threads and boards of a forum, calendars, pages of events, job
adverts and what is new in town this morning, on one to three sites, from 3 to 60 pages.
Some pages are there again: crawled later with other boxes, on a mirror in another frame,
or later still, when the listing had gained a few items and kept four in five or more. That is
the same page; any other keeps less than a third. Nothing lies between, since nobody
could say what is right.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from collection import Collection
from invented import vocabulary, write_headline, write_phrase, write_sentence

SIZES = ((3, 1), (8, 2), (20, 1), (60, 3))
"""Pages of a collection, and the sites that they are on."""

SEEDS = (1, 2, 3)

COPIED = 1 / 3
"""Share of the pages that are there again."""

N_LATER = 3
NEW_SHARE = 0.2
"""A listing is crawled so often again at most, and has this share of new items by then."""

KEPT_SHARE = 0.2
"""Share of its items that a page has in common with the page before it, at most."""

LONGEST_FIELD = 9
"""Words of a field that may share a line with others."""

Item = tuple[str, ...]
"""What stands in one entry of a listing, field by field."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page has of its own.

    Attributes
    ----------
    head, tail : tuple of str
        Lines above and below its items.
    items : tuple of Item
    later : tuple of tuples of Item
        Its items when it is crawled again, each time with more that are new.
    """

    head: tuple[str, ...]
    items: tuple[Item, ...]
    tail: tuple[str, ...] = ()
    later: tuple[tuple[Item, ...], ...] = ()


class Site:
    """What all pages of a site have: its frame, its labels, and how it writes an item."""

    def __init__(self, draw: random.Random) -> None:
        self.top = (
            *(_name(draw, 1, 3) for _ in range(draw.randint(8, 30))),
            _prose(draw, draw.randint(15, 45)),
        )
        self.bottom = (
            *(_name(draw, 1, 4) for _ in range(draw.randint(6, 25))),
            _prose(draw, draw.randint(20, 70)),
        )
        self.labels = tuple(_name(draw, 1, 2) for _ in range(12))
        self.adverts = tuple(_prose(draw, draw.randint(6, 30)) for _ in range(12))
        self.joint = draw.choice(("\n", "\n", " · ", ", "))
        self.every = draw.choice((0, 0, 5, 8))
        """Items after which an advert stands; 0 if none does."""

    def show(self, draw: random.Random, page: Page, items: Sequence[Item]) -> str:
        """Return a page as it is crawled once, with the boxes that it has then."""
        body = [self._written(item) for item in items]
        if self.every:
            for place in range(self.every, len(body), self.every + 1):
                body.insert(place, draw.choice(self.adverts))
        most_read = [write_headline(vocabulary(), draw) for _ in range(draw.randint(4, 8))]
        boxes = ["\n".join((self.labels[11], *most_read)), *draw.sample(self.adverts, 2)]
        draw.shuffle(boxes)
        n_above = draw.randint(0, 1)
        parts = (
            "\n".join(self.top),
            *boxes[:n_above],
            "\n".join(page.head),
            ("\n\n" if any("\n" in item for item in body) else "\n").join(body),
            "\n".join(page.tail),
            *boxes[n_above:],
            "\n".join(self.bottom),
        )
        return "\n\n".join(filter(None, parts))

    def _written(self, item: Item) -> str:
        """Return the fields of an item: short ones may share a line, sentences never do."""
        if self.joint == "\n":
            return "\n".join(filter(None, item))
        short = [field for field in item if field and len(field.split()) <= LONGEST_FIELD]
        long = [field for field in item if len(field.split()) > LONGEST_FIELD]
        return "\n".join(filter(None, (self.joint.join(short), *long)))


Kind = Callable[[random.Random, Site, int], list[Page]]


def guides(draw: random.Random, site: Site, n: int) -> list[Page]:
    """List the hotels of a town under an introduction that only the town's name changes."""
    towns = [_name(draw, 1, 2) for _ in range(n + 12)]
    intro = _prose(draw, draw.randint(25, 60)).split()
    blurbs = draw.random() < 0.6

    def hotel(town: str) -> Item:
        return (
            _name(draw, 1, 3),
            f"{_name(draw, 1, 1)} {draw.randint(1, 200)}, {town}",
            f"{draw.randint(2, 5)} {site.labels[0]}",
            f"{draw.uniform(6, 10):.1f} ({draw.randint(3, 2500)} {site.labels[1]})",
            _prose(draw, draw.randint(8, 20)) if blurbs and draw.random() < 0.7 else "",
            f"{site.labels[2]} {draw.randint(39, 320)} €",
            site.labels[3],
        )

    pages = []
    for town in towns[:n]:
        items = tuple(hotel(town) for _ in range(draw.randint(10, 25)))
        head = (
            f"{site.labels[4]} {town}",
            " ".join([town, *intro[:12], town, *intro[12:], f"{town}."]),
            f"{len(items)} {site.labels[5]} {town}",
        )
        tail = (site.labels[6], *draw.sample(towns, 10))
        fresh = [hotel(town) for _ in items]
        pages.append(Page(head, items, tail, _later(draw, items, fresh, drop=False)))
    return pages


def threads(draw: random.Random, site: Site, n: int) -> list[Page]:
    """Show threads page by page: short posts, signatures, and quotations of posts before."""
    pages: list[Page] = []
    while len(pages) < n:
        pages += _thread(draw, site, draw.randint(3, 14))
    # The last page of a thread is the one that gains posts.
    return pages[-n:]


def _thread(draw: random.Random, site: Site, n: int) -> list[Page]:
    """Return the pages of one thread."""
    title, size = _title(draw, 3, 9), draw.choice((10, 15, 20))
    names = draw.choices(vocabulary().content, k=6)
    users = [
        (_user(draw), _phrase(draw, 5, 20) if draw.random() < 0.6 else "")
        for _ in range(draw.randint(6, 15))
    ]
    said: list[tuple[str, str]] = []
    moment = draw.randint(1, 200_000)
    posts: list[Item] = []
    for _ in range((n + 1) * size):
        moment += draw.randint(3, 900)
        user, signature = draw.choice(users)
        text = _prose(draw, min(90, max(3, round(draw.lognormvariate(3, 0.8)))), names)
        quoted = ""
        if said and draw.random() < 0.25:
            other, words = draw.choice(said[-12:])
            quoted = f"{other} {site.labels[0]}: {words}"
        said.append((user, text))
        posts.append((user, _moment(moment), quoted, text, signature, site.labels[1]))
    pages = []
    for k in range(n):
        items = tuple(posts[k * size : (k + 1) * size])
        head = (site.labels[2], title, f"{site.labels[3]} {k + 1} / {n}")
        fresh = posts[n * size :] if k == n - 1 else []
        later = _later(draw, items, fresh, drop=False, on_top=False) if fresh else ()
        pages.append(Page(head, items, head[:2], later))
    return pages


def boards(draw: random.Random, site: Site, n: int) -> list[Page]:
    """List the topics of a forum, newest first: a later crawl has moved some a page on."""
    size = draw.choice((20, 25, 30))
    pinned = [_topic(draw, site) for _ in range(draw.randint(0, 2))]
    topics = [_topic(draw, site) for _ in range((n + 1) * size)]
    pages = []
    for k in range(n):
        start = (k + 1) * size
        items = tuple(topics[start : start + size])
        later = [
            (*pinned, *(_answered(draw, topic) if draw.random() < 0.2 else topic for topic in kept))
            for kept in _later(draw, items, topics[k * size : start], drop=True)
        ]
        head = (site.labels[0], site.labels[1], f"{site.labels[2]} {k + 1} / {n}")
        pages.append(Page(head, (*pinned, *items), (site.labels[3],), tuple(later)))
    return pages


def calendars(draw: random.Random, site: Site, n: int) -> list[Page]:
    """Show a month of a town, some of it every week; places are always the same few."""
    places = [_name(draw, 1, 3) for _ in range(draw.randint(6, 15))]
    weekly = [(_title(draw, 2, 6), draw.choice(places)) for _ in range(2)]
    pages = []
    for k in range(n):

        def event(day: int) -> Item:
            return (
                f"{site.labels[day % 7]} {day}. {_clock(draw)}",
                _title(draw, 2, 7),
                draw.choice(places),
            )

        days = sorted(draw.choices(range(1, 29), k=draw.randint(32, 60)))
        items = [event(day) for day in days]
        items += [
            (f"{site.labels[day % 7]} {day}. 19:00", *what)
            for what in weekly
            for day in range(1 + draw.randrange(7), 29, 7)
        ]
        items.sort(key=_day)
        head = (site.labels[7], f"{site.labels[8 + k % 3]} {2001 + k // 12}")
        fresh = [event(draw.randint(1, 28)) for _ in items]
        later = tuple(
            tuple(sorted(added, key=_day)) for added in _later(draw, items, fresh, drop=False)
        )
        pages.append(Page(head, tuple(items), (), later))
    return pages


def events(draw: random.Random, site: Site, n: int) -> list[Page]:
    """Show one event: when, where, how much, a few sentences, and what is on next."""
    places = [(_name(draw, 1, 3), f"{_name(draw, 1, 1)} {draw.randint(1, 90)}") for _ in range(8)]
    titles = [_title(draw, 2, 7) for _ in range(n + 6)]
    days = sorted(draw.randint(1, 365) for _ in titles)
    pages = []
    for k, title in enumerate(titles[:n]):
        place, street = draw.choice(places)
        head = (
            title,
            f"{site.labels[0]} {days[k]}, {_clock(draw)}",
            f"{site.labels[1]} {place}, {street}",
            f"{site.labels[2]} {draw.randint(4, 60)} €",
            site.labels[3],
        )
        text = tuple((_prose(draw, draw.randint(15, 45)),) for _ in range(draw.randint(1, 2)))
        following = [f"{titles[j]}, {days[j]}" for j in range(k + 1, k + 6)]
        pages.append(Page(head, text, (site.labels[4], site.labels[5], *following)))
    return pages


def jobs(draw: random.Random, site: Site, n: int) -> list[Page]:
    """Advertise the jobs of an employer: who it is and what it offers never changes."""
    about = _prose(draw, draw.randint(50, 120))
    offers = [_phrase(draw, 4, 10).capitalize() for _ in range(6)]
    terms = _prose(draw, draw.randint(30, 80))
    usual = [_phrase(draw, 4, 12).capitalize() for _ in range(12)]
    towns = [_name(draw, 1, 1) for _ in range(5)]
    pages = []
    for _ in range(n):
        title = _title(draw, 2, 5)
        head = (
            title,
            f"{draw.choice(towns)} · {site.labels[0]} · {draw.randint(10, 40)} {site.labels[1]}",
            f"{site.labels[2]} {draw.randint(10_000, 99_999)}",
            about,
        )
        tasks = [_phrase(draw, 5, 14).capitalize() for _ in range(draw.randint(5, 8))]
        asked = [_phrase(draw, 5, 14).capitalize() for _ in range(draw.randint(2, 4))]
        asked += draw.sample(usual, 2)
        items = [site.labels[3], *tasks, site.labels[4], *asked]
        contact = f"{_name(draw, 2, 2)}, {draw.randint(100_000, 999_999)}"
        tail = (site.labels[5], *offers, f"{site.labels[6]} {contact}", terms)
        pages.append(Page(head, tuple((item,) for item in items), tail))
    return pages


def mornings(draw: random.Random, site: Site, n: int) -> list[Page]:
    """Tell what is new in town this morning; some of it is still new the day after."""
    welcome = _prose(draw, draw.randint(15, 35))

    def brief() -> Item:
        text = _prose(draw, draw.randint(8, 20)) if draw.random() < 0.6 else ""
        return (f"{_clock(draw)} {write_headline(vocabulary(), draw)}", text)

    pages: list[Page] = []
    for day in range(n):
        items = [brief() for _ in range(draw.randint(10, 20))]
        if pages:
            n_kept = draw.randint(0, round(len(items) * KEPT_SHARE))
            items += draw.sample([*pages[-1].items][:8], n_kept)
        head = (
            f"{site.labels[0]} {day + 1}",
            welcome,
            f"{site.labels[1]} {draw.randint(-5, 35)}°, {site.labels[2]} {draw.randint(0, 100)} %",
            f"{site.labels[3]} {_name(draw, 1, 2)}, {draw.randint(100_000, 999_999)}",
        )
        fresh = [brief() for _ in items]
        later = _later(draw, items, fresh, drop=draw.random() < 0.5)
        pages.append(Page(head, tuple(items), (site.labels[4], site.labels[5]), later))
    return pages


KINDS: dict[str, Kind] = {
    "guides": guides,
    "threads": threads,
    "boards": boards,
    "calendars": calendars,
    "events": events,
    "jobs": jobs,
    "mornings": mornings,
}
"""Every kind of page, by its name."""


def make_listings(seeds: Sequence[int] = SEEDS) -> Iterator[tuple[str, Collection]]:
    """Yield collections of each kind, size and seed, with the name of the kind."""
    for name in KINDS:
        for n_pages, n_sites in SIZES:
            for seed in seeds:
                yield name, make_collection(name, n_pages, n_sites, seed)


def make_collection(name: str, n_pages: int, n_sites: int, seed: int) -> Collection:
    """Return pages of one kind on some sites, and copies of a third of them.

    The id of a document is its site, its page and which copy of it this is.
    """
    draw = random.Random(f"listings {name} {n_pages} {n_sites} {seed}")
    mirror = Site(draw)
    texts: dict[str, str] = {}
    for number in range(n_sites):
        site = Site(draw)
        n = n_pages // n_sites + (number < n_pages % n_sites)
        pages = KINDS[name](draw, site, n)
        copied = {*draw.sample(range(n), max(1, round(n * COPIED)))}
        for k, page in enumerate(pages):
            texts[f"{number}.{k}/first"] = site.show(draw, page, page.items)
            waiting = list(page.later)
            for copy in range(draw.choice((1, 1, 1, 2, 3)) if k in copied else 0):
                way = draw.choice(("again", "mirror", "later" if waiting else "again"))
                items = waiting.pop(0) if way == "later" else page.items
                place = mirror if way == "mirror" else site
                texts[f"{number}.{k}/{copy}-{way}"] = place.show(draw, page, items)
    stories = {document: document.split("/")[0] for document in texts}
    return Collection(f"{n_pages} {name} of {n_sites} sites, {seed}", texts, dict(stories))


def _later(
    draw: random.Random,
    items: Sequence[Item],
    fresh: Sequence[Item],
    *,
    drop: bool,
    on_top: bool = True,
) -> tuple[tuple[Item, ...], ...]:
    """Return what a listing holds when it is crawled again, and again.

    The last of `fresh` comes first. What comes on top drives as many items out, if
    `drop`; at most `NEW_SHARE` of them in all.
    """
    most = max(1, int(len(items) * NEW_SHARE))
    versions = []
    for n_new in sorted(draw.randint(1, most) for _ in range(N_LATER)):
        if on_top:
            kept = items[: len(items) - n_new] if drop else items
            versions.append((*fresh[len(fresh) - n_new :], *kept))
        else:
            versions.append((*items, *fresh[:n_new]))
    return tuple(versions)


def _topic(draw: random.Random, site: Site) -> Item:
    """Return a line of a board: a title, who began, answers, views, who was last and when."""
    return (
        _title(draw, 3, 9),
        _user(draw),
        f"{draw.randint(0, 90)} {site.labels[4]}",
        f"{draw.randint(20, 9000):,} {site.labels[5]}",
        f"{_user(draw)} {_moment(draw.randint(1, 200_000))}",
    )


def _answered(draw: random.Random, topic: Item) -> Item:
    """Return a topic when somebody has answered: other figures, and another was last."""
    title, user, answers, views, _ = topic
    n, _, label = answers.partition(" ")
    _, _, seen = views.partition(" ")
    last = f"{_user(draw)} {_moment(draw.randint(200_000, 210_000))}"
    return (title, user, f"{int(n) + 1} {label}", f"{draw.randint(9000, 9999):,} {seen}", last)


def _day(item: Item) -> tuple[int, str]:
    """Return when an event of a calendar is, to sort by."""
    _, day, clock = item[0].rsplit(" ", 2)
    return int(day.rstrip(".")), clock


def _name(draw: random.Random, least: int, most: int) -> str:
    """Return so many words with capitals, such as a town, a hotel or an entry of a menu has."""
    return " ".join(draw.choices(vocabulary().content, k=draw.randint(least, most))).title()


def _user(draw: random.Random) -> str:
    return draw.choice(vocabulary().content) + draw.choice(("", "", f"{draw.randint(1, 99)}"))


def _title(draw: random.Random, least: int, most: int) -> str:
    """Return what an event, a topic or a job is called: one word at least is a name."""
    n_names = draw.randint(1, 2)
    return f"{_name(draw, n_names, n_names)} {_phrase(draw, least - 1, most - n_names)}"


def _phrase(draw: random.Random, least: int, most: int) -> str:
    return write_phrase(vocabulary(), draw, draw.randint(least, most))


def _prose(draw: random.Random, n_words: int, names: list[str] | None = None) -> str:
    """Return sentences of about so many words; a few words alone make no sentence."""
    if n_words < 6:
        return write_phrase(vocabulary(), draw, n_words, names).capitalize() + "."
    sentences: list[str] = []
    while (n_left := n_words - len(" ".join(sentences).split())) >= 6:
        longest = max(6, min(22, n_left))
        sentences.append(write_sentence(vocabulary(), draw, names, longest=longest))
    return " ".join(sentences)


def _clock(draw: random.Random) -> str:
    return f"{draw.randint(7, 22):02}:{draw.choice((0, 15, 30, 45)):02}"


def _moment(minutes: int) -> str:
    """Return a date and a time, so many minutes after some first day."""
    day, minute = divmod(minutes, 24 * 60)
    return f"{day % 28 + 1}.{day // 28 % 12 + 1}. {minute // 60:02}:{minute % 60:02}"

"""Which copy to keep: how near each value of `keep` comes to the article.

    python benchmarks/keep.py                      a table, every value and every set
    python benchmarks/keep.py --only pages --seed 2

A figure is the mean F1 of the kept text against the article, both as multisets of tokens, over
the clusters that hold a story: of each story of the gold, the cluster with most of its copies.
Under it stands that of the same text without its lines of boilerplate, as `Result.story` gives
it. *any* is the mean of all copies: so good are `first`, `newest` and `oldest` where neither order
nor times mean anything. *best* is the copy that comes nearest, which no rule knows.

pages     the development pages as some 30 extractors saw them, without the articles themselves
few       four extractors of each page, drawn
pairs     two extractors of each page, drawn
growing   articles as they grow: 2 to 6 versions, each the beginning of the next
revised   versions of encyclopaedia articles

Of the last two, the fullest version is the article.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean

import dedupe
from accuracy import ARTICLES, PAGES, SHARED
from collection import read_lines
from dedupe.settings import KEEP
from dedupe.shingling import hash_tokens

DRAWS = {"few": (4, 4), "pairs": (2, 8)}
"""Extractors that are drawn of each page, and how often."""

N_GROWING, LEAST_PARAGRAPHS, MOST_VERSIONS = 200, 8, 6

Words = Counter[int]


@dataclass(frozen=True, slots=True)
class Copies:
    """Texts, their stories, and the article that each story is."""

    texts: dict[str, str]
    stories: dict[str, str]
    articles: dict[str, Words] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=[*SETS], default=[*SETS])
    parser.add_argument("--seed", type=int, default=1, help="other draws")
    options = parser.parse_args(arguments)
    if not PAGES.exists():
        raise SystemExit(f"{PAGES} must be there: the development pages")
    columns = {
        name: figures(SETS[name](random.Random(options.seed), name)) for name in options.only
    }
    print(f"{'':18}", *(f"{name:>8}" for name in columns))
    for row in next(iter(columns.values())):
        print(f"{row:18}", *(f"{column[row]:8.3f}" for column in columns.values()), flush=True)


def figures(sets: Iterator[Copies]) -> dict[str, float]:
    """Return the mean of each row of the table over some sets of copies."""
    found: dict[str, list[float]] = {}
    for copies in sets:
        result = dedupe.find_duplicate_texts(copies.texts)
        fullest = fullest_clusters(result, copies)
        for keep in KEEP[:3]:
            settings = replace(result.settings, keep=keep)
            kept = replace(result, settings=settings).at(settings.threshold)
            chosen = {cluster.members: cluster.representative for cluster in kept.clusters}
            for story, members in fullest.items():
                article, copy = copies.articles[story], chosen[members]
                found.setdefault(keep, []).append(f1(words(copies.texts[copy]), article))
                told = words(result.story(copy).text)
                found.setdefault(f"  {keep}, its story", []).append(f1(told, article))
        for story, members in fullest.items():
            article = copies.articles[story]
            scores = [f1(words(copies.texts[member]), article) for member in members]
            found.setdefault("any", []).append(mean(scores))
            found.setdefault("best", []).append(max(scores))
    return {row: mean(values) for row, values in found.items()}


def fullest_clusters(result: dedupe.Result, copies: Copies) -> dict[str, tuple[str, ...]]:
    """Return, of each story, the members of the cluster with most of its copies."""
    found: dict[str, tuple[int, tuple[str, ...]]] = {}
    for cluster in result.clusters:
        counts = Counter(copies.stories[member] for member in cluster.members)
        story, n = min(counts.items(), key=lambda one: (-one[1], one[0]))
        if story not in found or n > found[story][0]:
            found[story] = n, cluster.members
    return {story: members for story, (_, members) in found.items()}


def f1(one: Words, other: Words) -> float:
    """Return the F1 of two multisets of words."""
    return 2 * (one & other).total() / (one.total() + other.total())


def words(text: str) -> Words:
    """Return the tokens of a text as a multiset."""
    return Counter(hash_tokens([text]).hashes.tolist())


def _pages(draw: random.Random, name: str) -> Iterator[Copies]:
    """Yield the development pages, all copies or some that are drawn."""
    rows = list(read_lines(PAGES))
    articles = {row["page"]: words(row["text"]) for row in rows if row["extractor"] == "truth"}
    copies: dict[str, list[tuple[str, str]]] = {page: [] for page in sorted(articles)}
    for row in rows:
        if row["extractor"] != "truth":
            copies[row["page"]].append((row["id"], row["text"]))
    n_copies, n_draws = DRAWS.get(name, (0, 1))
    for _ in range(n_draws):
        some = {
            page: draw.sample(sorted(found), n_copies) if n_copies else found
            for page, found in copies.items()
        }
        yield Copies(
            {id_: text for found in some.values() for id_, text in found},
            {id_: page for page, found in some.items() for id_, _ in found},
            articles,
        )


def _growing(draw: random.Random, _: str) -> Iterator[Copies]:
    """Yield articles as they grow from about a half to the whole."""
    grown = Copies({}, {})
    for row in read_lines(ARTICLES):
        paragraphs = [line for line in row["text"].splitlines() if line.strip()]
        if len(paragraphs) < LEAST_PARAGRAPHS:
            continue
        n_versions = draw.randint(2, MOST_VERSIONS)
        for number in range(1, n_versions + 1):
            n_told = len(paragraphs) * (n_versions + number) // (2 * n_versions)
            grown.texts[f"{row['id']}/{number}"] = "\n".join(paragraphs[:n_told])
            grown.stories[f"{row['id']}/{number}"] = row["id"]
        grown.articles[row["id"]] = words("\n".join(paragraphs))
        if len(grown.articles) == N_GROWING:
            break
    yield grown


def _revised(_: random.Random, __: str) -> Iterator[Copies]:
    """Yield the versions of encyclopaedia articles, the longest as the article."""
    texts = {row["id"]: row["text"] for row in read_lines(SHARED / "versions.jsonl.xz")}
    stories = {id_: id_.split("_")[0] for id_ in texts}
    articles: dict[str, Words] = {}
    for id_, text in texts.items():
        articles[stories[id_]] = max(
            articles.get(stories[id_], Counter()), words(text), key=Counter.total
        )
    yield Copies(texts, stories, articles)


SETS = {"pages": _pages, "few": _pages, "pairs": _pages, "growing": _growing, "revised": _revised}


if __name__ == "__main__":
    main()

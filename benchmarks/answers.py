"""Print a digest of the answer to each collection, so that two versions can be held together.

    python benchmarks/answers.py > before.txt
    python benchmarks/answers.py | diff before.txt -

The collections are the development pages with articles mixed in (where they are there),
every trap, and a made crawl. The digest is that of `Result.to_json`, so equal lines
mean equal bytes: every score, every reason and every passage.
"""

import argparse
import hashlib
from collections.abc import Iterator, Mapping, Sequence

import dedupe
from accuracy import ARTICLES, PAGES
from collection import read_pages
from crawl import Crawl
from material import invented_material, read_material
from traps import make_traps


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each collection: its name, documents, clusters, pairs and digest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--crawl", type=int, default=20_000, metavar="N", help="documents of it")
    options = parser.parse_args(arguments)
    for name, texts in _collections(options.crawl):
        result = dedupe.find_duplicate_texts(texts)
        digest = hashlib.sha256(result.to_json().encode()).hexdigest()
        counts = f"{len(texts)} {len(result.clusters)} {len(result.scored)}"
        print(f"{name}: {counts} {digest[:32]}", flush=True)


def _collections(n_crawled: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield names and texts."""
    if PAGES.exists():
        pages = read_pages(PAGES, ARTICLES)
        yield pages.name, pages.texts
        material = read_material(ARTICLES, PAGES)
    else:
        material = invented_material()
    for trap in make_traps(material):
        yield trap.name, trap.texts
    crawl = {item.id: item.text for item in Crawl(material, n_crawled)}
    yield f"crawl of {n_crawled}", crawl


if __name__ == "__main__":
    main()

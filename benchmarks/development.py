"""How right this library is on everything that its rule may be tuned on: one table.

    python benchmarks/development.py
    python benchmarks/development.py --only greek "whole pages" --errors 5

Natural collections come from ``../shared/data``, where they are there; made ones need
nothing. A rule is tuned on all of them together, and accepted on none of them.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dedupe
from accuracy import ARTICLES, PAGES, SHARED
from collection import Collection, read_lines, read_pages
from judging import Judged, errors
from kinds import SCALES, make_kinds, wrong
from material import invented_material, read_material
from systems import OURS, Outcome
from traps import make_traps
from whole_pages import make_whole_pages

LANGUAGES = ("greek", "polish")
"""Collections of whole pages and of their bodies, which are judged apart, too."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each collection, and how many small ones are right at each scale."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], help="names, or their beginnings")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="wrong pairs to print")
    options = parser.parse_args(arguments)
    print(f"{'':42} {'F1':>6} {'prec.':>6} {'recall':>6} {'false':>6} {'missed':>6} {'CPU s':>6}")
    for found in _collections():
        if _is_wanted(found.name, options.only):
            _judge(found, options.errors)
    if _is_wanted("kinds", options.only):
        for scale in SCALES:
            said = [wrong(found) for _, found in make_kinds(scale)]
            print(f"kinds at {scale:g} times the words: {said.count('')} of {len(said)} right")


def _is_wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(name.startswith(one) for one in only)


def _collections() -> Iterator[Collection]:
    """Yield natural collections, and made ones."""
    if SHARED.exists():
        yield from _natural()
    material = read_material(ARTICLES, PAGES) if ARTICLES.exists() else invented_material()
    yield from make_whole_pages(material)
    yield from (replace(one, name=f"trap: {one.name}") for one in make_traps(material))


def _natural() -> Iterator[Collection]:
    """Yield what was found, not made."""
    yield replace(read_pages(PAGES, ARTICLES), name="pages")
    for name in LANGUAGES:
        yield _read(name)
        yield _read(name, only="page")
    for name in ("readability", "advisories"):
        yield _read(name)
    rows = {row["id"]: row["text"] for row in read_lines(SHARED / "versions.jsonl.xz")}
    pairs = json.loads((SHARED / "versions.gold.json").read_text("utf-8"))["pairs"]
    labelled = tuple((pair["a"], pair["b"], bool(pair["same"])) for pair in pairs)
    yield Collection("versions", rows, dict.fromkeys(rows), labelled=labelled)


def _read(name: str, only: str = "") -> Collection:
    """Read a collection with its stories, and the pairs of stories that are not judged."""
    rows = [
        row for row in read_lines(SHARED / f"{name}.jsonl.xz") if not only or row["type"] == only
    ]
    gold = json.loads((SHARED / f"{name}.gold.json").read_text("utf-8"))
    return Collection(
        f"{name}, {only}s alone" if only else name,
        {row["id"]: row["text"] for row in rows},
        {row["id"]: row["story"] for row in rows},
        unjudged=frozenset(frozenset(pair) for pair in gold["ignore"]),
    )


def _judge(collection: Collection, n_errors: int) -> None:
    """Print a row for a collection, and some pairs that are wrong."""
    start = time.process_time()
    result = dedupe.find_duplicate_texts(collection.texts, workers=1)
    seconds = time.process_time() - start
    clusters = [[*cluster.members] for cluster in result.clusters]
    judged = Judged(collection, [], outcomes={OURS: Outcome(clusters, seconds, 0.0)})
    counts = judged.counts(clusters)
    n_false, n_missed = counts.n_found - counts.n_true, counts.n_gold - counts.n_true
    figures = f"{counts.f1:6.3f} {counts.precision:6.3f} {counts.recall:6.3f}"
    print(f"{collection.name:42} {figures} {n_false:6} {n_missed:6} {seconds:6.2f}", flush=True)
    shown: dict[str, int] = {}
    for kind, left, right in errors(judged) if n_errors else ():
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= n_errors:
            pair = dedupe.compare_texts(collection.texts[left], collection.texts[right]).pair
            print(f"    {kind}: {left} | {right}: {pair.score:.2f} alone, {pair.reason}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

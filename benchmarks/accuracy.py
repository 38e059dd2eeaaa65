"""How right this library and its peers are: one table, made by one command.

    python benchmarks/accuracy.py                      all that can be run here
    python benchmarks/accuracy.py --pages FILE --mix FILE --traps
    python benchmarks/accuracy.py texts.jsonl --gold page
    python benchmarks/accuracy.py FOLDER               texts beside a gold.csv

Clusters are judged by the pairs they induce; a document in no cluster stands alone.
*Hard positives* are pairs of one story with an exact word-5-gram Jaccard similarity
below 0.3; those without a 5-gram in common are counted apart. *False pairs* are
joined documents of different stories. Every system runs in a process of its own on
one thread; its peak of memory includes its libraries and the texts.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import systems
import tables
from accuracy_report import by_trap, drawn, machine, summary
from collection import Collection, read_collection, read_pages
from judging import Judged, errors, judge
from material import Material, invented_material, read_material
from systems import OURS
from traps import TRAPS, make_traps

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PAGES, ARTICLES = SHARED / "pages.jsonl.xz", SHARED / "distractors.jsonl.xz"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is asked for and write the tables."""
    options = _parse(arguments)
    names = _systems(options)
    collections = _collections(options)
    judged = judge(collections, names, curve=bool(options.html), limit=options.limit)
    main_ones = [one for one in judged if one.collection.name not in options.trap_names]
    trapped = [one for one in judged if one.collection.name in options.trap_names]
    source = options.material.name if options.material else ""
    shown = [summary(names, one, trapped if one is main_ones[0] else []) for one in main_ones]
    if trapped:
        shown += [] if main_ones else [summary(names, None, trapped)]
        shown.append(by_trap(trapped, source))
    markdown = "\n\n".join([*(table.markdown() for table in shown), machine()])
    if options.html:
        parts = [table.html() for table in shown] + list(drawn(main_ones, trapped))
        parts.append(f"<p>{machine()}</p>")
        options.html.write_text(tables.page("Accuracy", parts), "utf-8")
    if options.update:
        short = f"{shown[0].markdown()}\n\n{machine()}"
        tables.update(options.update, {"accuracy": markdown, "accuracy-summary": short})
    else:
        print(markdown)
    for one in judged if options.errors else ():
        _print_errors(one, options.errors)


def _print_errors(one: Judged, n_shown: int) -> None:
    """Print some pairs that ours has wrong, with what the two texts alone say."""
    import dedupe  # noqa: PLC0415  It starts slowly, and is needed for this alone.

    shown: dict[str, int] = {}
    for kind, left, right in errors(one):
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= n_shown:
            texts = one.collection.texts
            pair = dedupe.compare_texts(texts[left], texts[right]).pair
            print(
                f"{one.collection.name}: {kind}: {left} | {right}: "
                f"{pair.score:.2f} alone, {pair.reason}",
                file=sys.stderr,
            )


def _systems(options: argparse.Namespace) -> list[str]:
    """Return the systems to run, ours first."""
    if options.no_peers:
        return [OURS]
    from accuracy_peers import PEERS  # noqa: PLC0415  They may not be installed.

    wanted = [name for name in PEERS if not options.only or any(w in name for w in options.only)]
    return [OURS, *wanted]


def _collections(options: argparse.Namespace) -> list[Collection]:
    """Read and make what is asked for; note the names of the traps in the options."""
    found = []
    if options.path:
        names = {"id_field": options.id_field, "text_field": options.text_field}
        found.append(read_collection(options.path, options.gold, **names))
    if options.pages:
        found.append(read_pages(options.pages, options.mix))
    options.material = _material(options) if options.traps is not None else None
    options.trap_names = set()
    if options.material:
        traps = list(
            make_traps(options.material, seed=options.seed, full=options.full, only=options.traps)
        )
        options.trap_names = {trap.name for trap in traps}
        found += traps
    return found


def _material(options: argparse.Namespace) -> Material:
    """Return what traps are made of."""
    if options.source == "invented" or (options.source is None and not ARTICLES.exists()):
        return invented_material()
    return read_material(Path(options.source or ARTICLES), PAGES if PAGES.exists() else None)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; without anything to run, run all that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("path", type=Path, nargs="?", help="folder of .txt, or JSON Lines (.xz, .gz)")
    add("--gold", help="field with the story, or a file with the gold")
    add("--id-field", default="id")
    add("--text-field", default="text")
    add("--pages", type=Path, help="the development pages")
    add("--mix", type=Path, help="unrelated articles to mix in with the pages")
    add("--traps", nargs="*", choices=[*TRAPS, []], help="generated traps: all, or some")
    add("--source", help="articles that traps are made of, or 'invented'")
    add("--seed", type=int, default=1, help="traps made with other chances")
    add("--full", action="store_true", help="20,000 near-copies and pages of one template")
    add("--no-peers", action="store_true", help="run this library alone")
    add("--only", nargs="+", help="peers whose name has one of these")
    add("--limit", type=float, default=systems.LIMIT, help="seconds for one system")
    add("--errors", type=int, default=0, metavar="N", help="show N wrong pairs of each kind")
    add("--html", type=Path, help="write the tables and charts as a page")
    add("--update", type=Path, nargs="+", help="write the tables into these files")
    options = parser.parse_args(arguments)
    if not options.path and not options.pages and options.traps is None:
        options.traps = []
        if PAGES.exists():
            options.pages, options.mix = PAGES, ARTICLES
    return options


if __name__ == "__main__":
    main()

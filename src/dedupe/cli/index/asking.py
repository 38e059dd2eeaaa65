"""Asks an index what it holds: the story of a document, all duplicates, its ids, its size."""

# ruff: noqa: PLC0415

from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedupe.cli import options
from dedupe.cli.found import OF_PRINTING, Printing, printed
from dedupe.cli.index import flags
from dedupe.cli.index.answers import Answers, question, taken
from dedupe.cli.index.opening import documents, opening, tell_skipped
from dedupe.cli.output import dump
from dedupe.errors import InvalidSetting, Skipped

if TYPE_CHECKING:
    from dedupe.index.records import Entry
    from dedupe.progress import ProgressCallback
    from dedupe.results.result import Result

__all__ = ["AT_ONCE", "COMMANDS"]

AT_ONCE = 1000
"""Lines that are printed at once."""


@click.command()
@flags.name
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Ask with the text of this document of INDEX, which is not among its own matches. May be "
    "given several times.",
)
@flags.given(question, *flags.READ, flags.quiet)
def query(
    name: Path, paths: tuple[str, ...], *, ids: tuple[str, ...], quiet: bool, **asked: Any
) -> None:
    """Say which documents of INDEX tell the story of those in PATHs, and why.

    A PATH is a file, a folder, a pattern, or - for standard input. Nothing is added.
    """
    if not (paths or ids):
        raise click.UsageError("name what to ask for: a PATH, - for standard input, or --id ID")
    answers = Answers.of(asked)
    answers.check(paths, is_asked=True)
    skipped: list[Skipped] = []
    with opening(name, quiet, compiles=True, mode="r") as (opened, _):
        for id_ in ids:
            answers.stored(opened, id_)
        if paths:
            skipped += answers.answered(
                documents(paths, asked, must_name=False),
                lambda document: opened.query(document.text, **answers.question),
            )
        answers.finish()
    tell_skipped(skipped, quiet=quiet)
    answers.leave()


@click.command()
@flags.name
@printed
@flags.given(options.threshold, options.keep, options.prefer)
@flags.given(
    click.option(
        "--window",
        metavar="TIME",
        help="Documents further apart in time are never the same story: 90m, 12h, 3d, 2w.",
    )
)
@flags.given(options.workers, options.memory, flags.quiet)
def find(name: Path, **asked: Any) -> None:
    """Find the documents of INDEX that are copies of each other, as 'dedupe find' does.

    The answer is the one that 'dedupe find' gives for the same documents.
    """
    printing = Printing.of(**taken(asked, *OF_PRINTING))
    printing.check([str(name)])
    with opening(name, printing.quiet, compiles=True, mode="r") as (opened, _):

        def search(progress: "ProgressCallback") -> "Result":
            return opened.find_duplicates(
                explain=printing.explain, reuse=printing.reuse, progress=progress, **asked
            )

        printing.print(search)


@click.command("ids")
@flags.name
@options.form(
    "text", "jsonl", said="An id on each line, or a line of JSON with id, time and number of words."
)
def list_ids(name: Path, *, format_: str) -> None:
    """Print the ids of the documents in INDEX, in their order, as they are when it begins.

    What it prints, 'dedupe index remove INDEX -' takes.
    """
    with opening(name, quiet=True, mode="r") as (opened, _):
        entries = opened.entries()
        while few := [*islice(entries, AT_ONCE)]:
            dump("".join(f"{_listed(one, format_)}\n" for one in few))


@click.command()
@flags.name
@options.form("table", "json", said="Lines for people, or one object of JSON.")
def stats(name: Path, *, format_: str) -> None:
    """Say how many documents INDEX holds, and how much of it is new since it learned."""
    with opening(name, quiet=True, mode="r") as (opened, _):
        found = opened.stats()
        settings = opened.settings
    facts = {
        **asdict(found),
        "growth": found.growth,
        **{one: getattr(settings, one) for one in ("ngram", "num_perm", "seed")},
    }
    if format_ == "json":
        import json

        dump(json.dumps(facts) + "\n")
        return
    width = max(map(len, facts))
    if not found.n_learned:
        del facts["growth"]
    dump("".join(f"{fact:<{width}}  {_shown(value)}\n" for fact, value in facts.items()))


COMMANDS = (query, find, list_ids, stats)


def _listed(entry: "Entry", format_: str) -> str:
    """Return what is told of a document in a list of many."""
    if format_ == "jsonl":
        import json

        return json.dumps(entry.as_json(), ensure_ascii=False)
    if {"\r", "\n"} & {*(told := str(entry.id))}:
        raise InvalidSetting(
            f"ids must be without line breaks to stand one a line, got {told!r}: use --format jsonl"
        )
    return told


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.1%}"

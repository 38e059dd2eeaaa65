"""Adds documents to an index, from files or from other indexes."""

# ruff: noqa: PLC0415

from pathlib import Path
from typing import Any

import click

from dedupe.cli import options
from dedupe.cli.index import flags
from dedupe.cli.index.answers import Answers, question, taken
from dedupe.cli.index.opening import documents, opening, tell_added

__all__ = ["COMMANDS"]


@click.command()
@flags.name
@options.paths
@click.option(
    "--matches",
    is_flag=True,
    help="Add one document after the other, and print for each what was there of its story "
    "before, as 'dedupe index query' does.",
)
@flags.given(flags.on_conflict, question, *flags.READ, *flags.TIMES, *flags.CHOSEN)
@flags.given(options.workers, flags.timeout, flags.quiet)
def add(
    name: Path,
    paths: tuple[str, ...],
    *,
    matches: bool,
    on_conflict: Any,
    workers: int | None,
    timeout: float,
    quiet: bool,
    **asked: Any,
) -> None:
    """Add the documents in PATHs to INDEX, which is made if need be.

    A PATH is a file, a folder, a pattern, or - for standard input. What was added stays, whatever
    happens next, and the same command again goes on behind it: a document that is there with the
    same text is left alone.
    """
    answers = Answers.of(asked)
    answers.check(paths, is_asked=matches)
    made_with = taken(asked, "ngram", "num_perm", "seed")
    with opening(name, quiet, compiles=True, timeout=timeout, **made_with) as (opened, display):
        if not matches:
            done = opened.add_paths(
                [*paths],
                on_conflict=on_conflict,
                workers=workers,
                progress=display.update,
                **asked,
            )
        else:
            done = answers.added(opened, documents(paths, asked, must_name=True), on_conflict)
        answers.finish()
    tell_added(name, done, quiet=quiet)
    answers.leave()


@click.command()
@flags.name
@click.argument(
    "others", nargs=-1, required=True, metavar="OTHER...", type=click.Path(path_type=Path)
)
@flags.given(flags.on_conflict, options.workers, flags.timeout, flags.quiet)
def merge(
    name: Path,
    others: tuple[Path, ...],
    *,
    on_conflict: Any,
    workers: int | None,
    timeout: float,
    quiet: bool,
) -> None:
    """Add all documents of OTHER indexes to INDEX, whatever they were made with."""
    from dedupe.index.folder import check_is_there
    from dedupe.index.records import Added

    for other in others:
        check_is_there(other)
    done = Added()
    with opening(name, quiet, compiles=True, timeout=timeout) as (opened, display):
        for other in others:
            done += opened.merge(
                other, on_conflict=on_conflict, workers=workers, progress=display.update
            )
    tell_added(name, done, quiet=quiet)


COMMANDS = (add, merge)

"""Runs ``dedupe index``: keeps articles in an index, and asks it what was seen before.

Each command opens the index, calls one method of `dedupe.Index`, and says what was done. What is
asked for stands on standard output, everything else on standard error.
"""

# ruff: noqa: PLC0415

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedupe.cli import options
from dedupe.cli.answers import Answers, question, taken
from dedupe.cli.found import OF_PRINTING, Printing, printed
from dedupe.cli.output import dump, listed, listen
from dedupe.cli.serve import serve
from dedupe.errors import InvalidSetting, Skipped

if TYPE_CHECKING:
    from dedupe.documents import Document
    from dedupe.index.index import Index
    from dedupe.index.records import Added, Entry
    from dedupe.progress import ProgressCallback
    from dedupe.report.progress import Display
    from dedupe.results.result import Result

__all__ = ["index"]

AT_ONCE = 1000
"""Lines that are printed at once."""

name = click.argument("name", metavar="INDEX", type=click.Path(path_type=Path))

quiet = click.option("-q", "--quiet", is_flag=True, help="Show no progress and no summary.")

timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=10.0,
    metavar="SECONDS",
    help="How long to wait for another program that writes to INDEX.",
)

on_conflict = click.option(
    "--on-conflict",
    type=click.Choice(["error", "update"]),
    default="error",
    help="What to do where an id is there with another text. With the same text nothing changes.",
)


def _made_with(default: int, flag: str, what: str) -> Callable[..., Any]:
    return click.option(flag, type=int, help=f"{what}  [default: that of INDEX, {default} if new]")


CHOSEN = (
    _made_with(options.DEFAULTS.ngram, "--ngram", "Words in a shingle, chosen when INDEX is made."),
    _made_with(
        options.DEFAULTS.num_perm, "--num-perm", "Values in a signature, chosen with --ngram."
    ),
    _made_with(options.DEFAULTS.seed, "--seed", "Seed of the permutations, chosen with --ngram."),
)

READ = (
    options.id_field,
    options.qualify_ids,
    options.text_field,
    options.html_field,
    options.delimiter,
)
"""How documents are read."""

TIMES = (
    click.option("--time-field", help="Field or column that holds its time.  [default: none]"),
    click.option(
        "--time-from",
        type=click.Choice(["mtime"]),
        help="Let documents that have no time be as old as the last change of their files.",
    ),
)
"""When documents came up; see `dedupe index expire`."""


def _with(*found: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command options, in their order."""

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(found):
            command = option(command)
        return command

    return give


@click.group()
def index() -> None:
    """Keep articles in an INDEX, and ask at any time what was seen before.

    \b
    dedupe index add news.dedupe today.jsonl      keep articles; the first call makes the index
    dedupe index query news.dedupe one.html       have we seen this story, and where?
    dedupe index learn news.dedupe                learn what is boilerplate, from time to time
    dedupe index find news.dedupe                 all duplicates among what is kept
    dedupe index expire news.dedupe --before 90d  forget what is old
    dedupe index serve news.dedupe                answer other programs over HTTP

    An INDEX is a folder. One program at a time may write to it, any number may read.
    """  # noqa: D301  The backspace tells click to leave the lines as they are.


@index.command()
@name
@options.paths
@click.option(
    "--matches",
    is_flag=True,
    help="Add one document after the other, and print for each what was there of its story "
    "before, as 'dedupe index query' does.",
)
@_with(on_conflict, question, *READ, *TIMES, *CHOSEN)
@_with(options.workers, timeout, quiet)
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
    with _opened(name, quiet, compiles=True, timeout=timeout, **made_with) as (opened, display):
        if not matches:
            done = opened.add_paths(
                [*paths],
                on_conflict=on_conflict,
                workers=workers,
                progress=display.update,
                **asked,
            )
        else:
            done = answers.added(opened, _documents(paths, asked), on_conflict)
        answers.finish()
    _tell_added(name, done, quiet=quiet)
    answers.leave()


@index.command()
@name
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@click.option(
    "--id",
    "ids",
    multiple=True,
    metavar="ID",
    help="Ask with the text of this document of INDEX, which is not among its own matches. May be "
    "given several times.",
)
@_with(question, *READ, quiet)
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
    with _opened(name, quiet, compiles=True, mode="r") as (opened, _):
        for id_ in ids:
            answers.stored(opened, id_)
        for document in _documents(paths, asked) if paths else ():
            if isinstance(document, Skipped):
                skipped.append(document)
                continue
            answers.give(document.id, opened.query(document.text, **answers.question))
        answers.finish()
    _tell_skipped(skipped, quiet=quiet)
    answers.leave()


@index.command("ids")
@name
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    help="An id on each line, or a line of JSON with id, time and number of words.",
)
def list_ids(name: Path, *, format_: str) -> None:
    """Print the ids of the documents in INDEX, in their order, as they are when it begins.

    What it prints, 'dedupe index remove INDEX -' takes.
    """
    with _opened(name, quiet=True, mode="r") as (opened, _):
        entries = opened.entries()
        while few := [*islice(entries, AT_ONCE)]:
            dump("".join(f"{_listed(one, format_)}\n" for one in few))


@index.command()
@name
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--ignore-missing", is_flag=True, help="Pass over ids that no document has.")
@_with(timeout, quiet)
def remove(
    name: Path, ids: tuple[str, ...], *, ignore_missing: bool, timeout: float, quiet: bool
) -> None:
    """Remove documents from INDEX by their IDs; - reads them from standard input, one a line.

    Where no document has one of them, none is removed.
    """
    wanted = [id_ for one in ids for id_ in (_lines_of_stdin() if one == "-" else [one])]
    with _opened(name, quiet, timeout=timeout, must_exist=True) as (opened, _):
        known = [id_ for id_ in wanted if not ignore_missing or id_ in opened]
        n_removed = opened.remove(dict.fromkeys(known))
    _tell(name, f"{_counted(n_removed)} removed", quiet=quiet)


@index.command()
@name
@click.option(
    "--before",
    required=True,
    metavar="TIME",
    help="A time, as ISO 8601 (2026-01-31) or seconds since 1970, or an age: 90m, 12h, 3d, 2w.",
)
@_with(timeout, quiet)
def expire(name: Path, *, before: str, timeout: float, quiet: bool) -> None:
    """Remove the documents of INDEX that came up before a time; those without one stay."""
    with _opened(name, quiet, timeout=timeout, must_exist=True) as (opened, _):
        n_removed = opened.expire(before)
        left = opened.stats()
    told = f"{_counted(n_removed)} removed, {left.n_documents:,} left"
    if left.n_undated:
        told += f", {left.n_undated:,} of them without a time: those never expire"
    _tell(name, told, quiet=quiet)


@index.command()
@name
@click.option(
    "--if-grown",
    type=click.FloatRange(min=0),
    metavar="SHARE",
    help="Learn only if INDEX has grown by more than SHARE since it learned last, 0.1 for a tenth.",
)
@_with(options.workers, options.memory, timeout, quiet)
def learn(name: Path, *, timeout: float, quiet: bool, **how: Any) -> None:
    """Learn anew from all of INDEX what is boilerplate.

    It takes about as long as to find all duplicates. 'dedupe index stats' says how much INDEX has
    grown since; a tenth is a good time.
    """
    how_opened: dict[str, Any] = {"timeout": timeout, "must_exist": True, "compiles": True}
    with _opened(name, quiet, **how_opened) as (opened, display):
        has_learned = opened.learn(progress=display.update, **how) is not None
        now = opened.stats()
    told = f"learned from {_counted(now.n_learned)}"
    if not has_learned:
        told += f", and has grown by {now.growth:.1%} since: it stays"
    _tell(name, f"epoch {now.epoch:,}, {told}", quiet=quiet)


@index.command()
@name
@printed
@_with(options.threshold, options.keep, options.prefer)
@_with(
    click.option(
        "--window",
        metavar="TIME",
        help="Documents further apart in time are never the same story: 90m, 12h, 3d, 2w.",
    )
)
@_with(options.workers, options.memory, quiet)
def find(name: Path, **asked: Any) -> None:
    """Find the documents of INDEX that are copies of each other, as 'dedupe find' does.

    The answer is the one that 'dedupe find' gives for the same documents.
    """
    printing = Printing.of(**taken(asked, *OF_PRINTING))
    printing.check([str(name)])
    with _opened(name, printing.quiet, compiles=True, mode="r") as (opened, _):

        def search(progress: "ProgressCallback") -> "Result":
            return opened.find_duplicates(
                explain=printing.explain, reuse=printing.reuse, progress=progress, **asked
            )

        printing.print(search)


@index.command()
@name
@click.argument(
    "others", nargs=-1, required=True, metavar="OTHER...", type=click.Path(path_type=Path)
)
@_with(on_conflict, options.workers, timeout, quiet)
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
    from dedupe.index.records import Added

    done = Added()
    with _opened(name, quiet, compiles=True, timeout=timeout) as (opened, display):
        for other in others:
            done += opened.merge(
                other, on_conflict=on_conflict, workers=workers, progress=display.update
            )
    _tell_added(name, done, quiet=quiet)


@index.command()
@name
@_with(timeout, quiet)
def compact(name: Path, *, timeout: float, quiet: bool) -> None:
    """Write INDEX anew without what was removed, in as few bytes as it takes."""
    with _opened(name, quiet, timeout=timeout, must_exist=True) as (opened, _):
        before = opened.stats().n_bytes
        opened.compact()
        after = opened.stats().n_bytes
    _tell(name, f"{before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now", quiet=quiet)


@index.command()
@name
@_with(*CHOSEN, timeout, quiet)
def rebuild(name: Path, *, timeout: float, quiet: bool, **chosen: Any) -> None:
    """Make INDEX anew from its texts: after an upgrade, or with other settings.

    If it is interrupted, INDEX is refused until the same command has gone on with it.
    """
    how = {"timeout": timeout, "must_exist": True, "compiles": True, "rebuild": True, **chosen}
    with _opened(name, quiet, **how) as (opened, _):
        if not opened.was_rebuilt:
            opened.rebuild()
        n_documents = len(opened)
    _tell(name, f"{_counted(n_documents)} made anew", quiet=quiet)


@index.command()
@name
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    help="Lines for people, or one object of JSON.",
)
def stats(name: Path, *, format_: str) -> None:
    """Say how many documents INDEX holds, and how much of it is new since it learned."""
    with _opened(name, quiet=True, mode="r") as (opened, _):
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


@index.command()
@name
@click.option(
    "--repair",
    is_flag=True,
    help="Make anew what is damaged, as far as it follows from the documents.",
)
@_with(timeout, quiet)
def verify(name: Path, *, repair: bool, timeout: float, quiet: bool) -> None:
    """Read all of INDEX, and print what is not as it was written, a line each.

    The exit code is 1 where something is damaged and was not repaired.
    """
    how: dict[str, Any] = {"timeout": timeout, "must_exist": True} if repair else {"mode": "r"}
    with _opened(name, quiet, **how) as (opened, _):
        found = opened.verify(repair=repair)
    dump("".join(f"{problem}\n" for problem in found.problems))
    if not found.problems:
        _tell(name, "sound", quiet=quiet)
    elif found.repaired:
        _tell(name, "repaired", quiet=quiet)
    else:
        _tell(name, f"{len(found.problems):,} damaged", quiet=False)
        raise SystemExit(1)


index.add_command(serve)


@contextmanager
def _opened(
    name: Path, quiet: bool, *, must_exist: bool = False, compiles: bool = False, **how: Any
) -> Iterator[tuple["Index", "Display"]]:
    """Open an index, with a display of progress; one that must exist is not made.

    What compiles has all kernels compiled before, and says that it does so, once on a machine.
    """
    listen()
    from dedupe.index.index import Index
    from dedupe.report.progress import Display

    if must_exist or how.get("mode") == "r":
        from dedupe.index.folder import check_is_there

        check_is_there(name)
    with Display(quiet) as display:
        if compiles:
            from dedupe.warming import warm_up_once

            warm_up_once(display.update)
        with Index(name, **how) as opened:
            yield opened, display


def _documents(paths: tuple[str, ...], how: dict[str, Any]) -> Iterator["Document | Skipped"]:
    from dedupe.documents import read_paths

    return read_paths([*paths], **how, is_part=True)


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


def _lines_of_stdin() -> list[str]:
    """Return the lines of standard input that hold something."""
    # Unlike `splitlines`, which also breaks ids at what is no end of a line to others.
    lines = sys.stdin.buffer.read().decode("utf-8", "replace").split("\n")
    return [told for line in lines if (told := line.removesuffix("\r"))]


def _tell_added(name: Path, done: "Added", *, quiet: bool) -> None:
    told = f"{_counted(done.n_added)} added"
    for number, what in (
        (done.n_updated, "updated"),
        (done.n_unchanged, "there before"),
        (len(done.skipped), "skipped"),
    ):
        told += f", {number:,} {what}" if number else ""
    _tell_skipped(done.skipped, quiet=quiet)
    _tell(name, told, quiet=quiet)


def _tell_skipped(skipped: Iterable["Skipped"], *, quiet: bool) -> None:
    from dedupe.report.progress import tell

    for line in () if quiet else listed("skipped", [*skipped]):
        tell(line)


def _tell(name: Path, said: str, *, quiet: bool) -> None:
    from dedupe.report.progress import tell

    if not quiet:
        tell(f"{name}: {said}")


def _counted(n: int) -> str:
    from dedupe.report.lines import counted

    return counted(n, "document")


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.1%}"

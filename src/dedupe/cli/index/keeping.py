"""Keeps an index in order: forgets documents, learns, and writes it anew or repairs it."""

import sys
from pathlib import Path
from typing import Any

import click

from dedupe.cli import options
from dedupe.cli.index import flags
from dedupe.cli.index.opening import counted, opening, tell
from dedupe.cli.output import dump

__all__ = ["COMMANDS"]


@click.command()
@flags.name
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--ignore-missing", is_flag=True, help="Pass over ids that no document has.")
@flags.given(flags.timeout, flags.quiet)
def remove(
    name: Path, ids: tuple[str, ...], *, ignore_missing: bool, timeout: float, quiet: bool
) -> None:
    """Remove documents from INDEX by their IDs; - reads them from standard input, one a line.

    Where no document has one of them, none is removed.
    """
    wanted = [id_ for one in ids for id_ in (_lines_of_stdin() if one == "-" else [one])]
    with opening(name, quiet, timeout=timeout, must_exist=True) as (opened, _):
        known = [id_ for id_ in wanted if not ignore_missing or id_ in opened]
        n_removed = opened.remove(dict.fromkeys(known))
    tell(name, f"{counted(n_removed)} removed", quiet=quiet)


@click.command()
@flags.name
@click.option(
    "--before",
    required=True,
    metavar="TIME",
    help="A time, as ISO 8601 (2026-01-31) or seconds since 1970, or an age: 90m, 12h, 3d, 2w.",
)
@flags.given(flags.timeout, flags.quiet)
def expire(name: Path, *, before: str, timeout: float, quiet: bool) -> None:
    """Remove the documents of INDEX that came up before a time; those without one stay."""
    with opening(name, quiet, timeout=timeout, must_exist=True) as (opened, _):
        n_removed = opened.expire(before)
        left = opened.stats()
    told = f"{counted(n_removed)} removed, {left.n_documents:,} left"
    if left.n_undated:
        told += f", {left.n_undated:,} of them without a time: those never expire"
    tell(name, told, quiet=quiet)


@click.command()
@flags.name
@click.option(
    "--if-grown",
    type=click.FloatRange(min=0),
    metavar="SHARE",
    help="Learn only if more than SHARE of INDEX has come or gone since it learned last, 0.1 for a "
    "tenth.",
)
@flags.given(options.workers, options.memory, flags.timeout, flags.quiet)
def learn(name: Path, *, timeout: float, quiet: bool, **how: Any) -> None:
    """Learn anew from all of INDEX what is boilerplate.

    It takes about as long as to find all duplicates. 'dedupe index stats' says, as growth, how much
    has come or gone since; a tenth is a good time.
    """
    how_opened: dict[str, Any] = {"timeout": timeout, "must_exist": True, "compiles": True}
    with opening(name, quiet, **how_opened) as (opened, display):
        has_learned = opened.learn(progress=display.update, **how) is not None
        now = opened.stats()
    told = f"learned from {counted(now.n_learned)}"
    if not has_learned:
        told += f", of which {now.growth:.1%} came or went since: it stays"
    tell(name, f"epoch {now.epoch:,}, {told}", quiet=quiet)


@click.command()
@flags.name
@flags.given(flags.timeout, flags.quiet)
def compact(name: Path, *, timeout: float, quiet: bool) -> None:
    """Write INDEX anew without what was removed, in as few bytes as it takes."""
    with opening(name, quiet, timeout=timeout, must_exist=True) as (opened, _):
        before = opened.stats().n_bytes
        opened.compact()
        after = opened.stats().n_bytes
    tell(name, f"{before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB now", quiet=quiet)


@click.command()
@flags.name
@flags.given(*flags.CHOSEN, flags.timeout, flags.quiet)
def rebuild(name: Path, *, timeout: float, quiet: bool, **chosen: Any) -> None:
    """Make INDEX anew from its texts: after an upgrade, or with other settings.

    If it is interrupted, INDEX is refused until the same command has gone on with it.
    """
    how = {"timeout": timeout, "must_exist": True, "compiles": True, "rebuild": True, **chosen}
    with opening(name, quiet, **how) as (opened, _):
        if not opened.was_rebuilt:
            opened.rebuild()
        n_documents = len(opened)
    tell(name, f"{counted(n_documents)} made anew", quiet=quiet)


@click.command()
@flags.name
@click.option(
    "--repair",
    is_flag=True,
    help="Make anew what is damaged, as far as it follows from the documents.",
)
@flags.given(flags.timeout, flags.quiet)
def verify(name: Path, *, repair: bool, timeout: float, quiet: bool) -> None:
    """Read all of INDEX, and print what is not as it was written, a line each.

    The exit code is 1 where something is damaged and was not repaired, 2 where INDEX cannot be
    opened at all.
    """
    how: dict[str, Any] = {"timeout": timeout, "must_exist": True} if repair else {"mode": "r"}
    with opening(name, quiet, inspects=True, **how) as (opened, _):
        found = opened.verify(repair=repair)
    dump("".join(f"{problem}\n" for problem in found.problems))
    if not found.problems:
        tell(name, "sound", quiet=quiet)
    elif found.repaired:
        tell(name, "repaired", quiet=quiet)
    else:
        tell(name, f"{len(found.problems):,} damaged", quiet=False)
        raise SystemExit(1)


COMMANDS = (remove, expire, learn, compact, rebuild, verify)


def _lines_of_stdin() -> list[str]:
    """Return the lines of standard input that hold something."""
    from dedupe.documents.paths import check_stdin  # noqa: PLC0415  Reading loads slowly.

    check_stdin()
    # Unlike `splitlines`, which also breaks ids at what is no end of a line to others.
    lines = sys.stdin.buffer.read().decode("utf-8", "replace").split("\n")
    return [told for line in lines if (told := line.removesuffix("\r"))]

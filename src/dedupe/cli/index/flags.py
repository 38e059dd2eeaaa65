"""Holds the arguments and flags that several commands of an index have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dedupe.cli import options

__all__ = ["CHOSEN", "READ", "TIMES", "given", "name", "on_conflict", "quiet", "timeout"]


def _named(_: click.Context, __: click.Parameter, value: str) -> Path:
    """Return the path of an index; one without a name would be the folder that this is."""
    if not value:
        raise click.BadParameter("it must be the path of a folder, got ''")
    return Path(value)


name = click.argument("name", metavar="INDEX", type=click.Path(), callback=_named)

quiet = click.option(
    "-q", "--quiet", is_flag=True, help="Show no progress and no summary, only what was lost."
)

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


def given(*found: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command options, in their order."""

    def give(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(found):
            command = option(command)
        return command

    return give

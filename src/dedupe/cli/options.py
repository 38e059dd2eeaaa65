"""Defines the options that commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dedupe.settings import KEEP, Settings, n_bytes

__all__ = [
    "boilerplate",
    "delimiter",
    "form",
    "html_field",
    "id_field",
    "keep",
    "memory",
    "ngram",
    "num_perm",
    "paths",
    "prefer",
    "qualify_ids",
    "search",
    "seed",
    "several",
    "text_field",
    "threshold",
    "time_field",
    "time_from",
    "window",
    "workers",
]

DEFAULTS = Settings()

Command = Callable[..., Any]


def _delimiter(said: str | None) -> str | None:
    r"""Return a delimiter as a shell can say it: a tab has a name.

    >>> _delimiter("tab") == _delimiter(r"\t"), _delimiter(";")
    (True, ';')
    """
    return "\t" if said in {"tab", r"\t"} else said


# The type tells shells to complete the names of files.
paths = click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())

threshold = click.option(
    "--threshold",
    default=DEFAULTS.threshold,
    help="Score from which two documents are the same story, 0.1 to 1.",
)
ngram = click.option(
    "--ngram", default=DEFAULTS.ngram, help="Words in a shingle, the unit of comparison."
)

id_field = click.option(
    "--id-field", default="id", help="Field or column that holds the id of a document."
)
text_field = click.option(
    "--text-field",
    default="text",
    help="Field or column that holds its text; meta.text is a field inside another, "
    "title,body are two that are joined.",
)
html_field = click.option(
    "--html-field",
    metavar="NAME",
    help="Field or column that holds HTML: its article is the text, or a part of it where "
    "--text-field names it, too.",
)
delimiter = click.option(
    "--delimiter",
    callback=lambda _, __, said: _delimiter(said),
    metavar="CHAR",
    help="The character between the cells of CSV, or the word tab.  "
    "[default: recognised in the header]",
)


def several(flag: str, metavar: str, said: str) -> Command:
    """Return an option that takes paths, one each time it is given; None where it never is."""
    return click.option(
        flag,
        multiple=True,
        type=click.Path(),
        callback=lambda _, __, paths: list(paths) or None,
        metavar=metavar,
        help=f"{said} May be given several times.",
    )


def form(*kinds: str, said: str) -> Command:
    """Return the option that says in which form to answer: the first of some by default."""
    return click.option(
        "--format", "format_", type=click.Choice(kinds), default=kinds[0], help=said
    )


boilerplate = several(
    "--boilerplate",
    "FILE",
    "Treat the texts in FILE as boilerplate: the frame of a site, a notice.",
)

num_perm = click.option(
    "--num-perm",
    default=DEFAULTS.num_perm,
    help="Values in a signature: more find smaller overlaps, and take longer.",
)
seed = click.option("--seed", default=DEFAULTS.seed, help="Seed of the permutations.")
keep = click.option(
    "--keep",
    type=click.Choice(KEEP),
    default=DEFAULTS.keep,
    help="The copy to keep of a cluster.",
)
prefer = click.option(
    "--prefer",
    multiple=True,
    metavar="PLACE",
    help="Keep a copy whose id is PLACE, lies under it or matches it as a pattern of a shell, "
    "if there is one. May be given several times, the best first.",
)
qualify_ids = click.option(
    "--qualify-ids",
    is_flag=True,
    help="Put files before the ids of their records, file#id, so that several files may have "
    "the same ids.",
)
time_field = click.option(
    "--time-field", help="Field or column that holds its time.  [default: that of its file]"
)
window = click.option(
    "--window",
    metavar="TIME",
    help="Documents further apart in time are never the same story: 90m, 12h, 3d, 2w. Goes by "
    "--time-field or --time-from.",
)
time_from = click.option(
    "--time-from",
    type=click.Choice(["mtime"]),
    help="Make --window go by when files were last changed, too.",
)
workers = click.option(
    "--workers", type=int, help="Threads to work with.  [default: one for each core]"
)
memory = click.option(
    "--memory",
    callback=lambda _, __, size: None if size is None else n_bytes(size),
    metavar="SIZE",
    help="Bytes, or 500M, 2G, for texts and hashes; beyond it they go to temporary files.  "
    "[default: a quarter of the machine]",
)

SEARCH = (
    several(
        "--against",
        "OLD",
        "Also find copies of what is in OLD, files or an index, and drop nothing there.",
    ),
    boilerplate,
    threshold,
    ngram,
    num_perm,
    seed,
    keep,
    prefer,
    id_field,
    qualify_ids,
    text_field,
    html_field,
    delimiter,
    time_field,
    window,
    time_from,
    workers,
    memory,
    click.option(
        "--checkpoint",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Save finished work in DIR, so that the same command goes on after an "
        "interruption. DIR is removed when the search is done.",
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        help="Show no progress; find shows no summary, and clean nothing but its summary.",
    ),
)


def search(command: Command) -> Command:
    """Give a command the options of a search."""
    for option in reversed(SEARCH):
        command = option(command)
    return command

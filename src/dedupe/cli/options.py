"""Defines the options that commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dedupe.settings import KEEP, Settings, n_bytes

__all__ = [
    "boilerplate",
    "delimiter",
    "html_field",
    "id_field",
    "ngram",
    "paths",
    "search",
    "text_field",
    "threshold",
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
    help="What stands between the cells of CSV: a character, or the word tab.  "
    "[default: recognised in the header]",
)

boilerplate = click.option(
    "--boilerplate",
    multiple=True,
    type=click.Path(),
    callback=lambda _, __, paths: list(paths) or None,
    metavar="FILE",
    help="What FILE says is boilerplate: the frame of a site, a notice. May be given several "
    "times.",
)

SEARCH = (
    click.option(
        "--against",
        multiple=True,
        type=click.Path(),
        callback=lambda _, __, old: list(old) or None,
        metavar="OLD",
        help="Also find copies of what is in OLD, and drop nothing there. May be given several "
        "times.",
    ),
    boilerplate,
    threshold,
    ngram,
    click.option(
        "--num-perm",
        default=DEFAULTS.num_perm,
        help="Values in a signature: more find smaller overlaps, and take longer.",
    ),
    click.option("--seed", default=DEFAULTS.seed, help="Seed of the permutations."),
    click.option(
        "--keep",
        type=click.Choice(KEEP),
        default=DEFAULTS.keep,
        help="The copy to keep of a cluster.",
    ),
    click.option(
        "--prefer",
        multiple=True,
        metavar="PLACE",
        help="Keep a copy whose id is PLACE, lies under it or matches it as a pattern of a shell, "
        "if there is one. May be given several times, the best first.",
    ),
    id_field,
    click.option(
        "--qualify-ids",
        is_flag=True,
        help="Put files before the ids of their records, file#id, so that several files may have "
        "the same ids.",
    ),
    text_field,
    html_field,
    delimiter,
    click.option(
        "--time-field", help="Field or column that holds its time.  [default: that of its file]"
    ),
    click.option(
        "--window",
        metavar="TIME",
        help="Documents further apart in time are never the same story: 90m, 12h, 3d, 2w. Goes by "
        "--time-field or --time-from.",
    ),
    click.option(
        "--time-from",
        type=click.Choice(["mtime"]),
        help="Let --window go by when files were last changed.",
    ),
    click.option("--workers", type=int, help="Threads to work with.  [default: one for each core]"),
    click.option(
        "--memory",
        callback=lambda _, __, size: None if size is None else n_bytes(size),
        metavar="SIZE",
        help="Bytes, or 500M, 2G, for texts and hashes; beyond it they go to temporary files.  "
        "[default: a quarter of the machine]",
    ),
    click.option(
        "--checkpoint",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Keep in DIR what is finished, so that the same command goes on after an "
        "interruption. DIR is removed when the search is done.",
    ),
    click.option(
        "-q",
        "--quiet",
        is_flag=True,
        help="Show no progress, in find no summary, and in clean nothing beside it.",
    ),
)


def search(command: Command) -> Command:
    """Give a command the options of a search."""
    for option in reversed(SEARCH):
        command = option(command)
    return command

"""Runs ``dedupe clean``: acts on what was found, and says what was done.

Ids of what goes are data and stand on standard output, one on a line; what was done,
what had to stay and what could not be read stand on standard error.
"""

# ruff: noqa: PLC0415

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedupe.cli import options
from dedupe.cli.output import Unread, listed, listen, send, stop

if TYPE_CHECKING:
    from dedupe.cleaning import Cleaning

__all__ = ["clean"]


@click.command()
@options.paths
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(),
    help="Write the collection without its duplicates to OUT: a folder for several files, or "
    "one file, all.jsonl, for the documents of all.",
)
@click.option(
    "--annotate",
    is_flag=True,
    help="With -o: keep every record, and add cluster, duplicate_of, score, relation and reason.",
)
@click.option(
    "--story",
    is_flag=True,
    help="With -o: add story, the text without its lines of boilerplate, and cut, the characters "
    "that went.",
)
@click.option(
    "--cut-repeated",
    is_flag=True,
    help="With -o: cut passages that three stories or more have, all but the first, and add story "
    "and cut, as --story does.",
)
@click.option(
    "--replace-text",
    is_flag=True,
    help="With --story or --cut-repeated: write what is left in place of the text.",
)
@click.option(
    "--list", "is_list", is_flag=True, help="Print the ids of what can go.  [this is the default]"
)
@click.option(
    "--move",
    metavar="DIR",
    type=click.Path(),
    help="Move files that can go to DIR, each with its path.",
)
@click.option("--delete", is_flag=True, help="Delete files that can go, after a question.")
@click.option("--yes", is_flag=True, help="With --delete: do not ask.")
@click.option(
    "--hardlink",
    is_flag=True,
    help="Replace files with the same bytes as their kept copy by hard links to it.",
)
@click.option("-0", "--null", is_flag=True, help="End ids with a zero byte, for xargs -0.")
@click.option(
    "--journal",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Where to note what is done to files until all is done.  "
    "[default: hidden, in the folder of PATH]",
)
@click.option(
    "--result",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Act on this result of 'find --format json', without a search.",
)
@options.search
def clean(
    paths: tuple[str, ...],
    *,
    is_list: bool,
    yes: bool,
    null: bool,
    quiet: bool,
    result: Path | None,
    **settings: Any,
) -> None:
    """Drop the duplicates among the files and records in PATHs.

    By default it only prints their ids. With -o it writes a copy of JSON, CSV,
    Parquet or a folder without them, and changes nothing else. With --move, --delete
    or --hardlink it acts on files; if it is cut off, run the same command again.
    """
    _check(settings, result, is_list=is_list, yes=yes)
    listen()
    from dedupe import cleaning
    from dedupe.report.progress import Display
    from dedupe.results.result import Result

    with ExitStack() as stack:
        display = stack.enter_context(Display(quiet))
        if result is None:
            settings["progress"] = display.update
        else:
            settings = _without_search(settings)
            settings["result"] = Result.from_json(result.read_bytes())

        def confirm(n_files: int) -> None:
            stack.close()  # A bar would be drawn over the question.
            if settings["delete"] and not yes:
                _ask(n_files)

        done = cleaning.clean(list(paths), confirm=confirm, **settings)
        if done.result is not None and result is None:
            display.finish(done.result)
    if settings["output"] is None:
        _print(done.dropped, "\0" if null else "\n")
    unread = Unread.of(done.result.skipped if done.result else (), settings["against"])
    _tell(done, settings, unread, quiet=quiet)
    if done.left or unread.lost:
        raise SystemExit(1)


_TELLING = ("annotate", "story", "cut_repeated", "replace_text")
_OF_CLEAN = ("output", *_TELLING, "move", "delete", "hardlink", "journal")


def _check(settings: dict[str, Any], result: Path | None, *, is_list: bool, yes: bool) -> None:
    """Refuse flags that do not go together, before any work."""
    asked = (settings[name] for name in ("output", "move", "delete", "hardlink"))
    ways = [value for value in asked if value is not None and value is not False]
    if len(ways) + is_list > 1:
        raise click.UsageError(
            "--output, --list, --move, --delete and --hardlink exclude each other"
        )
    for name in _TELLING:
        if settings[name] and settings["output"] is None:
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{flag} needs -o, which says where to write")
    if settings["replace_text"] and not (settings["story"] or settings["cut_repeated"]):
        raise click.UsageError("--replace-text needs --story or --cut-repeated")
    if yes and not settings["delete"]:
        raise click.UsageError("--yes answers the question of --delete")
    is_asked = sys.stdin is not None and sys.stdin.isatty()
    if settings["delete"] and not yes and not is_asked:
        raise click.UsageError("--delete needs --yes where there is no terminal to ask on")
    output = settings["output"]
    if result is not None and output is not None and Path(output).resolve() == result.resolve():
        raise click.UsageError("--output must not be the result that is acted on")
    if output == "-" and sys.stdout is not None and sys.stdout.isatty():
        raise click.UsageError("records may hold what acts on a terminal: send them elsewhere")


def _without_search(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out the settings of a search that does not take place, and refuse given ones."""
    from click.core import ParameterSource

    from dedupe.documents.options import OPTIONS

    context = click.get_current_context()
    # What is read, and how, holds for a saved result too.
    kept = (*_OF_CLEAN, "against", *OPTIONS)
    given = [
        f"--{name.replace('_', '-')}"
        for name in settings
        if name not in kept and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--result has settings of its own: leave out {', '.join(given)}")
    return {name: settings[name] for name in kept}


def _ask(n_files: int) -> None:
    """Ask before files are deleted, and leave if they are to stay."""
    from dedupe.report.lines import counted

    if not click.confirm(f"Delete {counted(n_files, 'file')}?", err=True):
        stop("nothing was deleted", 1)


def _print(ids: Iterable[str], end: str) -> None:
    """Print ids: exactly before zero bytes, and so that each stays on its line before others."""
    from dedupe.report.lines import visible

    shown = ids if end == "\0" else map(visible, map(str, ids))
    send("".join(f"{id_}{end}" for id_ in shown))


def _tell(done: "Cleaning", settings: dict[str, Any], unread: Unread, *, quiet: bool) -> None:
    """Say on standard error what was done; in quiet, only what went wrong and a summary."""
    from dedupe.report.progress import tell

    others = {item.id for item in (*done.left, *done.not_copied)}
    kept = [item for item in unread.new if item.id not in others]
    for line in listed("left", done.left, limit=None):
        tell(line)
    for line in unread.lines(quiet=quiet):
        tell(line)
    if not quiet:
        for line in (
            *listed("not copied", done.not_copied),
            *listed("kept, since it could not be read", kept),
            *_undated(done),
        ):
            tell(line)
    n_old = len(unread.lost) + len(unread.old)
    tell(_summary(done, settings, len(kept)) + (f", {n_old:,} old not compared" if n_old else ""))


def _undated(done: "Cleaning") -> Iterator[str]:
    """Yield a line for the documents that the window does not hold for."""
    from dedupe.ages import spelled
    from dedupe.report.lines import counted

    if done.result is not None and (window := done.result.settings.window) is not None:
        n_undated = counted(done.result.n_undated, "document")
        yield f"without a time, so in the window of {spelled(window)} of every other: {n_undated}"


def _summary(done: "Cleaning", settings: dict[str, Any], n_unread: int) -> str:
    """Say in one line what was done."""
    from dedupe.report.lines import counted

    gone, left = len(done.dropped), f"{len(done.left):,} left"
    n_documents = done.result.n_documents - done.result.n_old if done.result else 0
    if settings["output"] is not None and done.result is not None:
        n_kept = counted(done.n_kept + n_unread, "document")
        where = "standard output" if settings["output"] == "-" else settings["output"]
        unread = f" ({n_unread:,} of them unreadable)" if n_unread else ""
        missing = f", {left}" if done.left else ""
        missing += f", {len(done.not_copied):,} not copied" if done.not_copied else ""
        if settings["annotate"]:
            marked = f"marked except for {left}" if done.left else "all of them marked"
            not_copied = f", {len(done.not_copied):,} not copied" if done.not_copied else ""
            return f"{where}: {n_kept}{unread}, {marked}{not_copied}"
        return f"{where}: {n_kept} kept{unread}, {gone:,} dropped{_copies(done)}{missing}"
    for action, did in (("move", "moved"), ("delete", "deleted"), ("hardlink", "linked")):
        if settings[action] is not None and settings[action] is not False:
            before = "" if done.result else "finished what was cut off, without a search: "
            return f"{before}{counted(gone, 'file')} {did}{_copies(done)}, {left}"
    can_go = f"{gone:,} of {counted(n_documents, 'document')} can go{_copies(done)}"
    return f"{can_go}, nothing was changed"


def _copies(done: "Cleaning") -> str:
    """Say of how many that go the copy is old, where anything is."""
    from dedupe.ids import Old

    if done.result is None or not done.result.n_old or not done.dropped:
        return ""
    gone = set(done.dropped)
    kept = [one.duplicate_of for one in done.result.duplicates if one.id in gone]
    n_old = sum(isinstance(one, Old) for one in kept)
    copies = "1 copy of an old document" if n_old == 1 else f"{n_old:,} copies of old documents"
    return f": {copies}, {len(kept) - n_old:,} of one another"

"""Runs the ``dedupe`` command: arguments, one call of the library, one report, an exit code.

Flags are the keyword names of `dedupe.find_duplicates` and `dedupe.compare` with
dashes; what they may hold is checked there. Data go to standard output or to a
file, everything else to standard error. The exit code is 0 when the work was
done, found something or not; 3 in place of it where ``--fail-on-duplicates`` finds
something; 1 when it could not be finished, which includes a duplicate that had to stay;
2 for bad use; 130 after Ctrl-C, 143 after SIGTERM and 129 after SIGHUP. Only what the
library raises on purpose is caught, and that memory ran out: a bug keeps its traceback.

Everything heavy is imported where it is used, so that ``--help`` is instant.
"""

# ruff: noqa: PLC0415

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dedupe import __version__
from dedupe.cli import options
from dedupe.cli.clean import clean
from dedupe.cli.found import OF_PRINTING, Printing, printed
from dedupe.cli.index import index
from dedupe.cli.output import check, dump, listen, send, show, stop
from dedupe.cli.spark import spark
from dedupe.errors import (
    DedupeError,
    InvalidCheckpoint,
    InvalidIndex,
    InvalidSetting,
    NoSuchPath,
    UnknownDocument,
)

if TYPE_CHECKING:
    from dedupe.progress import ProgressCallback
    from dedupe.results.result import Result

__all__ = ["cli", "main"]

_NEW_FILE = click.Path(path_type=Path, dir_okay=False)

BAD_USE = (InvalidCheckpoint, InvalidIndex, InvalidSetting, NoSuchPath, UnknownDocument)
"""What another command line would cure: exit code 2."""


class Commands(click.Group):
    """The commands, with what the library raises on purpose turned into exit codes."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Read the arguments; click would say "Aborted!" to a signal that comes meanwhile."""
        with _told():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and say in one line why it stopped if it did."""
        with _told(ctx):
            return super().invoke(ctx)


@contextmanager
def _told(ctx: click.Context | None = None) -> Iterator[None]:
    """Leave with one line and an exit code where the work cannot go on."""
    try:
        yield
    except click.ClickException as error:
        # Without any argument, click shows the help in place of an error.
        if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
            raise
        stop(f"error: {_of_click(error, ctx)}", error.exit_code)
    except DedupeError as error:
        stop(f"error: {error}", 2 if isinstance(error, BAD_USE) else 1)
    except OSError as error:
        # Whatever was being written, such as the help, did not fit.
        if said := _of_machine(error):
            stop(f"error: {said}", 1)
        raise
    except ImportError as error:
        if "failed to map" not in str(error):
            raise
        stop(f"error: {NO_MEMORY}", 1)
    except MemoryError:
        stop("error: there must be memory enough: give the search less with --memory", 1)
    except (KeyboardInterrupt, click.Abort) as stopped:
        _leave(stopped)
    except RuntimeError as error:
        # Until Python 3.12, what comes while a class is made is the cause of another error.
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        _leave(error.__cause__)


def _of_machine(error: OSError) -> str | None:
    """Say what the machine lacks, None where something else is wrong."""
    from dedupe import disk

    if disk.lacks_room(error):
        return f"there must be room where it is written to: {error}"
    if error.errno is None and "llvmlite" in str(error):  # It tells nothing more of the cause.
        return NO_MEMORY
    return disk.too_many_open(error)


NO_MEMORY = (
    "there must be memory enough to load what compiles and computes: raise its limit, as with "
    "'ulimit -v unlimited', or if there is none, install llvmlite and numpy anew"
)
"""What is said where a library cannot be loaded into what memory a process may have."""


def _leave(stopped: BaseException) -> NoReturn:
    """Leave because somebody wants it: with Ctrl-C, or by a signal."""
    word, code = "interrupted", 130
    if isinstance(stopped, Terminated):
        word, code = "terminated", 128 + stopped.number
    stop("; ".join([word, *_notes(stopped)]), code)


def _of_click(error: click.ClickException, ctx: click.Context | None) -> str:
    """Return what click says of arguments in the form that all errors have here."""
    message = error.format_message().strip().removesuffix(".")
    command = f"dedupe {ctx.invoked_subcommand}" if ctx and ctx.invoked_subcommand else "dedupe"
    of_error = getattr(error, "ctx", None)
    if of_error is not None and of_error.parent is not None:
        command = of_error.command_path
    return f"{message[:1].lower()}{message[1:]}; see '{command} --help'"


def _notes(stopped: BaseException) -> list[str]:
    """Return what the library says of work that was begun."""
    return getattr(stopped, "__notes__", [])


class Terminated(KeyboardInterrupt):
    """Another program asks to stop, and the work is left as with Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(
    __version__, "-V", "--version", prog_name="dedupe", message="%(prog)s %(version)s"
)
def cli() -> None:
    """Find articles that are the same story under different boilerplate.

    \b
    dedupe find articles/                  what is a copy of what, and why
    dedupe find articles/ --format csv     the same for a spreadsheet
    dedupe find articles/ --report r.html  the same as a page, texts side by side
    dedupe compare a.txt b.txt             what two articles share, in full
    dedupe clean articles/                 act on it
    dedupe calibrate labels.json r.json    the threshold that agrees with your labels
    dedupe index add news.dedupe today/    keep articles, and ask at any time what was seen before
    """  # noqa: D301  The backspace tells click to leave the lines as they are.


@cli.command()
@options.paths
@printed
@options.search
def find(paths: tuple[str, ...], **asked: Any) -> None:
    """Find the documents in PATHs that are copies of each other.

    A PATH is a file, a folder, a pattern, or - for standard input. A terminal is
    shown 20 clusters and 3 duplicates of each, a pipe or FILE gets them all.
    """
    printing = Printing.of(**{name: asked.pop(name) for name in OF_PRINTING})
    _check_stdin(paths, asked["against"], asked["boilerplate"])
    printing.check((*paths, *(asked["against"] or ()), *(asked["boilerplate"] or ())))
    listen()
    from dedupe.api import find_duplicates

    def search(progress: "ProgressCallback") -> "Result":
        return find_duplicates(
            list(paths),
            explain=printing.explain,
            reuse=printing.reuse,
            progress=progress,
            **asked,
        )

    printing.print(search, asked["against"])


@cli.command()
@click.argument("left", metavar="A", type=click.Path())
@click.argument("right", metavar="B", type=click.Path())
@options.form("text", "json", said="Text for people, or everything as JSON.")
@click.option(
    "--corpus",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Learn what is boilerplate from this result of 'find --format json'.",
)
@click.option("--html", type=_NEW_FILE, metavar="FILE", help="Also write a page to FILE.")
@options.several("--within", "PATH", "A and B are ids of documents in PATH, files or an index.")
@options.boilerplate
@options.id_field
@options.text_field
@options.html_field
@options.delimiter
@options.threshold
@options.ngram
def compare(
    left: str, right: str, format_: str, corpus: Path | None, html: Path | None, **settings: Any
) -> None:
    """Show what the files A and B share, and what only one of them says."""
    read = [*(settings["within"] or (left, right)), *(settings["boilerplate"] or ())]
    sides = (settings["within"],) if settings["within"] else ([left], [right])
    _check_stdin(*sides, settings["boilerplate"])
    check((html,), read if corpus is None else [*read, str(corpus)])
    listen()
    from dedupe import api
    from dedupe.report import comparison, json
    from dedupe.results.result import Result

    known = None if corpus is None else Result.from_json(corpus.read_bytes())
    found = api.compare(left, right, corpus=known, **settings)
    if html is not None:
        from dedupe.report.html import comparison_page

        send(comparison_page(found), html)
    if format_ == "text":
        show(comparison.describe(found))
    else:
        dump(json.compared(found))


@cli.command()
@click.argument("labels", metavar="LABELS")
@click.argument(
    "result", metavar="RESULT", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def calibrate(labels: str, result: Path) -> None:
    """Say which threshold agrees best with your LABELS.

    LABELS is the file that the page of 'find --report' exports, RESULT that of
    'find --format json' of the same search.
    """
    from dedupe.report.calibration import describe
    from dedupe.results import calibration
    from dedupe.results.result import Result

    show(describe(calibration.calibrate(labels, Result.from_json(result.read_bytes()))))


@cli.command()
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of how far it is.")
def warm_up(quiet: bool) -> None:
    """Compile everything now, so that no later start has to.

    Run it while the image of a container is built, as the user that it will run as.
    """
    from dedupe.report.progress import Display
    from dedupe.warming import warm_up

    with Display(quiet=quiet) as display:
        warm_up(progress=display.update)


def _check_stdin(*read: Iterable[str] | None) -> None:
    """Refuse to read standard input for two purposes: it is at its end after the first."""
    if sum("-" in (names or ()) for names in read) > 1:
        raise click.UsageError("- can be read once: save what is piped in to a file")


cli.add_command(clean)
cli.add_command(index)
cli.add_command(spark)


def main() -> None:
    """Run the ``dedupe`` command."""
    _open_closed_streams()
    _stop_in_order()
    cli(prog_name="dedupe")


def _open_closed_streams() -> None:
    """Let standard error go nowhere where it is closed, and no file take the place of a stream.

    Otherwise the next file that is opened would, and be written to by whatever writes to
    standard error. Standard input and output stay closed for us: a job whose input was never
    connected has not had an empty one, and results are not lost in silence.
    """
    # In the order of their numbers: a file that is opened takes the lowest that is free.
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        os.open(os.devnull, os.O_WRONLY)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115


def _stop_in_order() -> None:
    """Clean up when told to stop, unless somebody has arranged for something else."""

    def stop_now(number: int, _: object) -> None:
        raise Terminated(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop_now)

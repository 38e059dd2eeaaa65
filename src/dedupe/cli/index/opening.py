"""Opens an index for a command, and says on standard error what was done with it."""

# ruff: noqa: PLC0415

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedupe.cli.output import listed, listen

if TYPE_CHECKING:
    from dedupe.documents import Document
    from dedupe.errors import Skipped
    from dedupe.index.index import Index
    from dedupe.index.records import Added
    from dedupe.report.progress import Display

__all__ = ["counted", "documents", "opening", "tell", "tell_added", "tell_skipped"]


@contextmanager
def opening(
    name: Path,
    quiet: bool,
    *,
    must_exist: bool = False,
    compiles: bool = False,
    inspects: bool = False,
    **how: Any,
) -> Iterator[tuple["Index", "Display"]]:
    """Open an index, with a display of progress; one that must exist is not made.

    Nor is one left behind that is new and that an error keeps empty, as a mistyped source does.

    What compiles has all kernels compiled before, and says that it does so, once on a machine.
    One that is inspected may lack files.
    """
    listen()
    from dedupe.errors import DedupeError
    from dedupe.index.folder import check_is_there, remove_empty
    from dedupe.index.index import Index
    from dedupe.index.inspected import Inspected
    from dedupe.report.progress import Display

    if must_exist or how.get("mode") == "r":
        check_is_there(name)
    with Display(quiet) as display:
        if compiles:
            from dedupe.warming import warm_up_once

            warm_up_once(display.update)
        is_new = not os.path.lexists(name)
        with (Inspected if inspects else Index)(name, **how) as opened:
            try:
                yield opened, display
            except DedupeError:
                if is_new and not len(opened):
                    remove_empty(name)
                raise


def documents(
    paths: tuple[str, ...], how: dict[str, Any], *, must_name: bool
) -> Iterator["Document | Skipped"]:
    """Read the documents in some paths, which are a part of what an index holds."""
    from dedupe.documents import read_paths
    from dedupe.index.folder import check_no_index

    check_no_index(paths, "dedupe index merge adds what another one holds")
    return read_paths([*paths], **how, is_part=True, must_name=must_name)


def tell_added(name: Path, done: "Added", *, quiet: bool) -> None:
    """Say how many documents were added, and which were skipped."""
    told = f"{counted(done.n_added)} added"
    for number, what in (
        (done.n_updated, "updated"),
        (done.n_unchanged, "there before"),
        # Where none has a time, none was asked for, or a warning says so.
        (done.n_undated if done.n_undated < done.n_added else 0, "without a time that can be read"),
        (len(done.skipped), "skipped"),
    ):
        told += f", {number:,} {what}" if number else ""
    tell_skipped(done.skipped, quiet=quiet)
    tell(name, told, quiet=quiet)


def tell_skipped(skipped: Iterable["Skipped"], *, quiet: bool) -> None:
    """Say which documents could not be read, and why; in quiet, only of those that had a text."""
    from dedupe.documents.document import holds_nothing
    from dedupe.report import progress

    told = [one for one in skipped if not (quiet and holds_nothing(one))]
    for line in listed("skipped", told):
        progress.tell(line)


def tell(name: Path, said: str, *, quiet: bool) -> None:
    """Say something of an index."""
    from dedupe.report import progress

    if not quiet:
        progress.tell(f"{name}: {said}")


def counted(n: int) -> str:
    """Return a number of documents in words."""
    from dedupe.report import lines

    return lines.counted(n, "document")

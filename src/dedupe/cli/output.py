"""Sends reports where they go: to a terminal, to standard output, or to a file.

What a report says is left to `dedupe.report`.
"""

# ruff: noqa: PLC0415

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Self

from dedupe.errors import InvalidSetting, Skipped

if TYPE_CHECKING:
    from dedupe.report.lines import Line

__all__ = [
    "N_SHOWN",
    "Unread",
    "check",
    "dump",
    "is_terminal",
    "listed",
    "listen",
    "send",
    "show",
    "stop",
]

N_SHOWN = 20
"""What is listed of many: clusters on a terminal, documents on standard error. A few screens."""


def stop(why: str, code: int) -> NoReturn:
    """Leave with one line on standard error."""
    from dedupe.report.progress import tell

    tell(f"dedupe: {why}")
    raise SystemExit(code)


def listen() -> None:
    """Say on standard error, in one line each, what the library logs as a warning or worse."""
    import logging

    from dedupe.report.progress import tell

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(f"dedupe: {record.levelname.lower()}: {record.getMessage()}")

    log = logging.getLogger("dedupe")
    if not log.handlers:
        log.addHandler(Teller(logging.WARNING))


def check(targets: Iterable[Path | None], read: Iterable[str]) -> None:
    """Refuse places that a report cannot be written to, before the work and not after it.

    Parameters
    ----------
    targets : iterable of Path or None
        None of them may be one of the others, or something that is read.
    read : iterable of str
        Paths and patterns that are read.

    Raises
    ------
    InvalidSetting
    """
    from dedupe import disk

    taken: set[Path] = set()
    for target in filter(None, targets):
        if target == Path("-"):
            raise InvalidSetting("a page must have a file, got -: name one")
        with _writing(target):
            disk.check(target)
        _packed(b"", target)  # It may need an extra.
        # A way may lead through a folder that is not there, and back.
        place = target.resolve()
        if place in taken:
            raise InvalidSetting(f"each report must have a file of its own, got {target} twice")
        taken.add(place)
        if place.is_file() and _is_read(place, read):
            raise InvalidSetting(
                f"a report must not be written over what is read, got {target}: name another "
                "place, or remove the file if it is an earlier report"
            )


def _is_read(target: Path, read: Iterable[str]) -> bool:
    """Return whether a file is among what is read, under any name."""
    from dedupe.documents.paths import STDIN, resolve
    from dedupe.documents.walk import File, walk

    names = resolve([name for name in read if name != STDIN])
    files = (found for found in walk(names) if isinstance(found, File))
    return any(target.samefile(file.path) for file in files)


def is_terminal(output: Path | None = None) -> bool:
    """Return whether the report goes to a terminal."""
    return output is None and sys.stdout is not None and sys.stdout.isatty()


def show(lines: Iterable["Line"], output: Path | None = None) -> None:
    """Send lines to where they go: in colour to a terminal, else plain."""
    from dedupe.report.lines import plain, styled

    if not is_terminal(output):
        send(plain(lines), output)
        return
    from rich.console import Console

    console = Console()
    with console.capture() as captured:
        console.print(styled(lines))
    send(captured.get())


def dump(records: str | bytes, output: Path | None = None) -> None:
    """Send records to where they go: exactly, but for what could act on a terminal."""
    if isinstance(records, str) and is_terminal(output):
        from dedupe.report.lines import visible

        records = "\n".join(visible(line) for line in records.split("\n"))
    send(records, output)


def listed(what: str, items: Sequence[Skipped], limit: int | None = N_SHOWN) -> Iterator[str]:
    """Yield a line for each document that was left out or had to stay, up to a limit.

    >>> items = [Skipped(id_, "empty", "leave it out") for id_ in "abc"]
    >>> list(listed("skipped", items, limit=1))
    ['skipped: a: empty; leave it out', 'skipped: 2 more']
    """
    for item in items[:limit]:
        yield f"{what}: {item.id}: {item.reason}; {item.remedy}"
    if limit is not None and len(items) > limit:
        yield f"{what}: {len(items) - limit:,} more"


class Unread(NamedTuple):
    """What could not be read, by whether it is old: then copies of it may stay.

    Attributes
    ----------
    new : list of Skipped
    lost : list of Skipped
        Old files of which all, or all behind some place, is missing, and links to such;
        also the record in whose midst a file ends.
    old : list of Skipped
        What else is old: single records, what holds no text, what is no file of ours.
    """

    new: list[Skipped]
    lost: list[Skipped]
    old: list[Skipped]

    @classmethod
    def of(cls, skipped: Iterable[Skipped], against: Iterable[str] | None) -> Self:
        """Tell what is old from what is new, and whole files by the names of what is there."""
        from dedupe.documents.document import holds_nothing
        from dedupe.documents.formats import is_of_no_format
        from dedupe.documents.paths import resolve
        from dedupe.documents.streams import is_cut_off
        from dedupe.documents.walk import File, is_missing_link, may_hold_texts, walk
        from dedupe.ids import Old

        found = cls([], [], [])
        files: set[str] | None = None
        for one in skipped:
            if not isinstance(one.id, Old):
                found.new.append(one)
                continue
            if files is None:
                there = walk(resolve(list(against or ())))
                files = {file.id for file in there if isinstance(file, File)}
            plain = replace(one, id=one.id.id)
            is_file = plain.id in files and not (holds_nothing(plain) or is_of_no_format(plain))
            is_lost = is_file or may_hold_texts(plain) or is_missing_link(plain)
            is_lost = is_lost or is_cut_off(plain.reason)
            (found.lost if is_lost else found.old).append(plain)
        return found

    def lines(self, *, quiet: bool) -> Iterator[str]:
        """Yield what is to be said of what is old: of lost files even in quiet."""
        yield from listed(NOT_COMPARED, self.lost)
        if not quiet:
            yield from listed(NOT_COMPARED, self.old)


NOT_COMPARED = "old, not compared"


def send(report: str | bytes, output: Path | None = None) -> None:
    """Write a finished report to standard output or to a file: UTF-8, packed as its name says."""
    from dedupe import disk

    # Ids from file names can hold bytes that are no UTF-8. The escape that takes
    # their place, \udc80, is the one that JSON has for them.
    data = report if isinstance(report, bytes) else report.encode("utf-8", "backslashreplace")
    with _writing(output):
        if output is not None:
            disk.replace(output, _packed(data, output))
        elif sys.stdout is None:
            raise OSError(0, "it is closed")
        else:
            disk.write_all(sys.stdout.buffer, data)
            sys.stdout.flush()


def _packed(data: bytes, target: Path) -> bytes:
    """Return data compressed as the name of a file says."""
    from dedupe.documents.formats import suffixes
    from dedupe.documents.packing import packed

    stream = io.BytesIO()
    with packed(stream, suffixes(target.name)[1]) as packer:
        packer.write(data)
    return stream.getvalue()


@contextmanager
def _writing(output: Path | None) -> Iterator[None]:
    """Say where and why a report could not be written, unless its reader has left."""
    try:
        yield
    except BrokenPipeError:
        raise  # The reader has seen enough, and click leaves without a word.
    except OSError as error:
        where = "standard output" if output is None else output
        stop(f"error: cannot write to {where}: {error.strerror}", 1)

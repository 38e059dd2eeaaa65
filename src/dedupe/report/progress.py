"""Shows on standard error how far a search has come.

The search decides what to report; this module decides whether anyone sees it. The
bars vanish at the end, and one line remains that sums up what was done.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

import click

from dedupe.errors import InvalidSetting
from dedupe.progress import Progress as Step
from dedupe.progress import ProgressCallback
from dedupe.report.lines import counted, visible

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dedupe.results.result import Result

__all__ = ["Display", "shown", "tell"]

PATIENCE = 1.0
"""Seconds of work before a bar is worth the flicker."""


class Display:
    """Draws a bar for the current stage, on a terminal, once the work has taken a second.

    Parameters
    ----------
    quiet : bool
        Show nothing at all.
    in_lines : bool
        Where there is no terminal, write a line for each stage.
    """

    def __init__(self, quiet: bool = False, *, in_lines: bool = False) -> None:
        self.quiet = quiet
        self.in_lines = in_lines
        # Asked before there are bars: while they are drawn, what stands for standard error
        # says in older versions of rich that it is no terminal.
        self.on_terminal = _is_terminal()
        self.told = False
        self.is_summed_up = False
        self.started = time.monotonic()
        self.stage = ""
        self.since = (self.started, 0, 0)
        self.n_bytes = 0
        self.bars: Progress | None = None
        self.bar: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars is not None:
            self.bars.stop()

    def update(self, step: Step) -> None:
        """Show how far the work has come."""
        if self.quiet:
            return
        self.n_bytes = max(self.n_bytes, step.n_bytes)
        if step.note:
            if not self.told:
                tell(step.note)
            self.told = True
        elif self.on_terminal:
            self._draw(step)
        elif self.in_lines and step.stage != self.stage:
            self.stage = step.stage
            tell(f"dedupe: {step.stage}")

    def finish(self, result: "Result") -> None:
        """Sum up on a terminal what was done, how long it took and how much memory."""
        if self.bars is not None:
            self.bars.stop()
        if self.quiet or not self.on_terminal:
            return
        self.is_summed_up = True
        timeless = [f"{result.n_undated:,} without a time"] if result.settings.window else []
        parts = (
            f"read {counted(result.n_documents, 'document')}, {self.n_bytes / 1e6:,.0f} MB",
            f"{len(result.skipped):,} skipped",
            *timeless,
            f"{result.n_copies:,} exact {'copy' if result.n_copies == 1 else 'copies'}",
            counted(len(result.clusters), "cluster"),
            counted(len(result.duplicates), "duplicate"),
            f"{time.monotonic() - self.started:,.1f} s",
            *_peak_memory(),
        )
        tell(", ".join(parts))

    def _draw(self, step: Step) -> None:
        """Move the bar; start a new one for each stage."""
        now = time.monotonic()
        if step.stage != self.stage:
            self.stage, self.since = step.stage, (now, step.done, step.n_bytes)
            if self.bars is not None and self.bar is not None:
                self.bars.remove_task(self.bar)
            self.bar = None
        if now - self.started < PATIENCE:
            return
        if self.bars is None:
            self.bars = _bars()
            self.bars.start()
        if self.bar is None:
            self.bar = self.bars.add_task(step.stage, total=step.total, rate="")
        then, done, n_bytes = self.since
        rates = [f"{step.done:,} {step.unit}"] if step.unit else []
        if rates and now > then:
            rates.append(f"{(step.done - done) / (now - then):,.0f}/s")
        if now > then and step.n_bytes:
            rates.append(f"{(step.n_bytes - n_bytes) / 1e6 / (now - then):,.1f} MB/s")
        self.bars.update(self.bar, completed=step.done, total=step.total, rate=", ".join(rates))


@contextmanager
def shown(progress: ProgressCallback | bool | None) -> Iterator[ProgressCallback | None]:
    """Yield what is called with the progress of a search, and show it ourselves for True.

    Raises
    ------
    InvalidSetting
    """
    if progress is None or callable(progress):
        yield progress
    elif progress not in (True, False):
        raise InvalidSetting(f"progress must be a function, True or False, got {progress!r}")
    else:
        with Display(quiet=not progress, in_lines=True) as display:
            yield display.update


def tell(line: str) -> None:
    """Write a line on standard error, as far as anybody can be told there."""
    # Its disk may be full and its reader gone; the work is not in vain for that.
    with suppress(OSError):
        click.echo(visible(line), err=True)


def _is_terminal() -> bool:
    """Return whether standard error is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def _peak_memory() -> Iterator[str]:
    """Yield the peak memory of this process, where the system reports it."""
    try:
        import resource  # noqa: PLC0415  Not on Windows.
    except ImportError:
        return
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes, except on macOS.
    yield f"{peak / (1e9 if sys.platform == 'darwin' else 1e6):.1f} GB of memory at most"


def _bars() -> "Progress":
    """Return bars with the stage, the share done, the rate and the time left."""
    # rich takes a tenth of a second to import: a quick search never needs it.
    from rich import progress  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=20),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

"""How far a search has come, shown on standard error to someone who waits.

Where it is shown is decided here, what is worth telling by the search. Nothing
stays on the screen: a report is the only thing that a search leaves behind.
"""

import sys
import time
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Display"]

PATIENCE = 1.0
"""Seconds of work before a bar is worth the flicker."""


class Display:
    """A bar for the present stage, on a terminal, once the work has taken over a second.

    Parameters
    ----------
    quiet : bool
        Show nothing at all.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.told = False
        self.started = time.monotonic()
        self.stage = ""
        self.since = (self.started, 0)
        self.bars: Progress | None = None
        self.bar: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars is not None:
            self.bars.stop()

    def update(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Show that `done` of `total` units of a stage are done."""
        if self.quiet:
            return
        if stage == "compiling":
            if not self.told:
                click.echo("compiling the kernels, once; the next start is fast", err=True)
            self.told = True
        elif sys.stderr.isatty():
            self._draw(stage, done, total, unit)

    def _draw(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Move the bar, and begin a new one where a new stage begins."""
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.since = stage, (now, done)
            if self.bars is not None and self.bar is not None:
                self.bars.remove_task(self.bar)
            self.bar = None
        if now - self.started < PATIENCE:
            return
        if self.bars is None:
            self.bars = _bars()
            self.bars.start()
        if self.bar is None:
            self.bar = self.bars.add_task(stage, total=total, rate="")
        then, before = self.since
        rate = f"{(done - before) / (now - then):,.0f} {unit}/s" if now > then else ""
        self.bars.update(self.bar, completed=done, total=total, rate=rate)


def _bars() -> "Progress":
    """Return bars that say stage, share done, rate and time left."""
    # rich takes a tenth of a second to import: a quick search never needs it.
    from rich import progress  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )

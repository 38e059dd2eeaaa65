"""Runs ``dedupe index``: keeps articles in an index, and asks it what was seen before.

Each command opens the index, calls one method of `dedupe.Index`, and says what was done. What is
asked for stands on standard output, everything else on standard error.
"""

import click

from dedupe.cli.index import adding, asking, keeping
from dedupe.cli.index.serve import serve

__all__ = ["index"]


@click.group()
def index() -> None:
    """Keep articles in an INDEX, and ask at any time what was seen before.

    \b
    dedupe index add news.dedupe today.jsonl      keep articles; the first call makes the index
    dedupe index query news.dedupe one.html       have we seen this story, and where?
    dedupe index learn news.dedupe                learn what is boilerplate, from time to time
    dedupe index find news.dedupe                 all duplicates among what is kept
    dedupe index expire news.dedupe --before 90d  forget what is old
    dedupe index serve news.dedupe                answer other programs over HTTP

    An INDEX is a folder. One program at a time may write to it, any number may read.
    """  # noqa: D301  The backspace tells click to leave the lines as they are.


for command in (*adding.COMMANDS, *asking.COMMANDS, *keeping.COMMANDS, serve):
    index.add_command(command)

"""Runs `dedupe spark find` as a job of spark-submit; its arguments are those of the command."""

import sys

from dedupe.cli import cli

cli(["spark", "find", *sys.argv[1:]], standalone_mode=False)

"""Prints what a search has found, in the form that its flags ask for.

The same flags serve a search of files and one of an index; what is searched is the command's.
"""

# ruff: noqa: PLC0415

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dedupe.cli.output import N_SHOWN, Unread, check, dump, is_terminal, listed, send, show

if TYPE_CHECKING:
    from dedupe.progress import Progress, ProgressCallback
    from dedupe.report.lines import Line
    from dedupe.results.result import Result

__all__ = [
    "DUPLICATES_FOUND",
    "N_EACH",
    "OF_PRINTING",
    "Printing",
    "fails",
    "format_of",
    "output",
    "printed",
]

N_EACH = 3
"""Duplicates of each cluster that are shown on a terminal."""

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "parquet", "html")
"""What `--format` takes."""

FORMAT_OF = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".html": "html",
    ".htm": "html",
}
"""The format that the suffix of a file to write says."""

DUPLICATES_FOUND = 3
"""Exit code of `--fail-on-duplicates`: neither bad use nor work that is not finished."""

RELATIONS = {
    "identical": "identical",
    "same-text": "same text",
    "contained": "contained",
    "version": "version",
    "partial": "partial reuse",
    "template": "same template",
}
"""What `--relation` takes, and the relation of a pair that it stands for."""

NO_STORY = ("partial", "template")
"""Those of which most pairs score nothing, and are recorded only when they are asked for."""

output = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    callback=lambda _, __, name: None if name in {None, "-"} else Path(name),
    metavar="FILE",
    help="Write what is printed to FILE, in one step at the end.  [default: standard output]",
)

fails = click.option(
    "--fail-on-duplicates",
    is_flag=True,
    help=f"Exit with {DUPLICATES_FOUND} if there is a duplicate, once all is written.",
)

PRINTED = (
    click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        help="A table for people, a page, everything as JSON, or a record for each member of a "
        "cluster.  [default: what the suffix of -o says, else table]",
    ),
    output,
    click.option(
        "--borderline",
        type=click.IntRange(min=1),
        metavar="N",
        help="Show only the N pairs nearest to the threshold.",
    ),
    click.option(
        "--relation",
        type=click.Choice([*RELATIONS]),
        help="Show only the pairs of this relation.",
    ),
    click.option(
        "--report",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Also write a page to FILE, to look at clusters and texts side by side.",
    ),
    fails,
    click.option(
        "--explain", metavar="ID", help="Say only why this document is in its cluster, or in none."
    ),
)


OF_PRINTING = (
    "format_",
    "output",
    "borderline",
    "relation",
    "report",
    "fail_on_duplicates",
    "explain",
    "quiet",
)
"""The parameters that they become, and ``--quiet``."""


def printed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags of what is printed."""
    for option in reversed(PRINTED):
        command = option(command)
    return command


class Printing(NamedTuple):
    """What is asked for of a result, see the flags; `explain` is the id of a document."""

    format: str
    output: Path | None
    explain: str | None
    borderline: int | None
    relation: str | None
    report: Path | None
    fail_on_duplicates: bool
    quiet: bool

    @classmethod
    def of(
        cls, *, format_: str | None, output: Path | None, explain: str | None, **asked: Any
    ) -> "Printing":
        """Read the flags, and refuse those that do not go together."""
        found = cls(format_of(format_, output, FORMAT_OF), output, explain, **asked)
        said = [one for one in (explain, found.borderline, found.relation) if one is not None]
        if (found.format != "table") + len(said) > 1:
            raise click.UsageError(
                "--format, --explain, --borderline and --relation exclude each other; a suffix "
                "such as .json counts as --format"
            )
        if found.format == "parquet" and is_terminal(output):
            raise click.UsageError("Parquet is not for a terminal: name a file with -o")
        return found

    @property
    def reuse(self) -> bool:
        """Whether pairs are asked for that are not recorded otherwise."""
        return self.relation in NO_STORY

    def check(self, read: Iterable[str]) -> None:
        """Refuse places that cannot be written to, or that are read."""
        check((self.output, self.report), read)
        if self.format == "parquet":
            from dedupe.report import parquet

            parquet.check()

    def print(
        self,
        search: Callable[["ProgressCallback"], "Result"],
        against: Iterable[str] | None = None,
    ) -> None:
        """Search, print what was found, and leave with its exit code if that is not 0."""
        from dedupe.report.progress import Display, tell
        from dedupe.report.text import summary

        with Display(self.quiet) as display:
            result = search(display.update)
            if self.report is not None:
                from dedupe.report.html import result_page

                send(result_page(result, progress=display.update), self.report)
            is_table = self.format == "table"
            records = None if is_table else _records(result, self.format, display.update)
            display.finish(result)
        if records is None:
            show(self._lines(result), self.output)
        else:
            dump(records, self.output)
        unread = Unread.of(result.skipped, against)
        for line in unread.lines(quiet=self.quiet):
            tell(line)
        # A row is a member of a cluster, so these have no place for what could not be read.
        if self.format in {"csv", "tsv", "jsonl", "parquet"} and not self.quiet:
            for line in listed("skipped", unread.new):
                tell(line)
        # A table on standard output ends in this line, and a terminal has one with more in it.
        is_told = records is None and self.output is None
        if not (is_told or self.quiet or display.is_summed_up):
            tell(f"{self.output or 'standard output'}: {summary(result)}")
        if unread.lost:
            raise SystemExit(1)
        if self.fail_on_duplicates and result.duplicates:
            raise SystemExit(DUPLICATES_FOUND)

    def _lines(self, result: "Result") -> Iterator["Line"]:
        """Return the report for people that was asked for."""
        from dedupe.report import explanation, text

        if self.explain is not None:
            return explanation.explain(result, self.explain)
        if self.borderline is not None:
            return explanation.borderline(result, self.borderline)
        if self.relation is not None:
            return explanation.related(result, RELATIONS[self.relation])
        if is_terminal(self.output):
            return text.describe(result, N_SHOWN, N_EACH)
        return text.describe(result)


def format_of(said: str | None, output: Path | None, of_suffix: dict[str, str]) -> str:
    """Return the format that is asked for by its name, or by the name of the file."""
    if output is None:
        return said or "table"
    from dedupe.documents.formats import suffixes

    suffix = suffixes(output.name)[0]
    told = of_suffix.get(suffix)
    if said and told and said != told:
        raise click.UsageError(
            f"--format and the suffix of -o must agree, got {said} and {suffix}: "
            "leave out --format, or name another file"
        )
    return said or told or "table"


def _records(result: "Result", format_: str, progress: Callable[["Progress"], None]) -> str | bytes:
    """Return a result in one of the formats that are no table."""
    from dedupe.report import csv, json, parquet

    if format_ == "json":
        return result.to_json()
    if format_ == "html":
        from dedupe.report.html import result_page

        return result_page(result, progress=progress)
    if format_ == "parquet":
        return parquet.rows(result)
    if format_ == "jsonl":
        return json.rows(result)
    return csv.rows(result, "\t" if format_ == "tsv" else ",")

"""Prints what an index answers: for people, or as lines of JSON and rows for programs."""

# ruff: noqa: PLC0415

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedupe.cli import options
from dedupe.cli.found import DUPLICATES_FOUND, fails, format_of, output
from dedupe.cli.output import check, dump, show
from dedupe.errors import NothingToRead, Skipped
from dedupe.ids import Id, id_as_json

if TYPE_CHECKING:
    from dedupe.documents import Document
    from dedupe.index.index import Index
    from dedupe.index.matches import Match, Matches
    from dedupe.index.records import Added
    from dedupe.report.lines import Line, Part

__all__ = ["Answers", "question", "taken"]

ANSWERS = ("table", "jsonl", "csv", "tsv")
"""What `--format` takes where matches are printed."""

ANSWER_OF = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}

LIMIT, MAX_COMPARED = 20, 200

FIELDS = ("asked", "id", "score", "relation", "reason", "epoch")
"""The columns of a row for each match."""


QUESTION = (
    click.option(
        "--threshold",
        default=options.DEFAULTS.threshold,
        help="Score from which a document is a match, 0.1 to 1.",
    ),
    click.option(
        "--limit",
        type=click.IntRange(min=1),
        default=LIMIT,
        help="Matches of a document at most, the best first.",
    ),
    click.option(
        "--max-compared",
        type=click.IntRange(min=1),
        default=MAX_COMPARED,
        help="Texts that a document is compared with at most, the likeliest first; an answer that "
        "left some out says truncated.",
    ),
    click.option(
        "--format",
        "format_",
        type=click.Choice(ANSWERS),
        help="A table for people, a line of JSON for each document, or a row for each match.  "
        "[default: what the suffix of -o says, else table]",
    ),
    click.option(
        "--evidence", is_flag=True, help="With --format jsonl: also say which passages are shared."
    ),
    output,
    fails,
)
"""What is asked, and how the answer is printed."""


def question(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags of a question and its answer."""
    for option in reversed(QUESTION):
        command = option(command)
    return command


class Answers:
    """Prints what questions are answered with: at once, or to a file at the end."""

    def __init__(
        self,
        question: dict[str, Any],
        format_: str,
        output: Path | None,
        *,
        evidence: bool,
        fail_on_duplicates: bool,
    ) -> None:
        self.question = question
        self.format = format_
        self.output = output
        self.evidence = evidence
        self.fails = fail_on_duplicates
        self.n_matched = 0
        self._is_begun = False
        self._held: list[str] = []

    @classmethod
    def of(cls, asked: dict[str, Any]) -> "Answers":
        """Take from parameters those of a question and of its answer."""
        question = taken(asked, "limit", "threshold", "max_compared")
        told = format_of(asked.pop("format_"), asked["output"], ANSWER_OF)
        return cls(question, told, **taken(asked, "output", "evidence", "fail_on_duplicates"))

    def check(self, paths: Iterable[str], *, is_asked: bool) -> None:
        """Refuse flags that do not go together, and places that cannot be written to."""
        if self.evidence and self.format != "jsonl":
            raise click.UsageError("--evidence needs --format jsonl; a table always has it")
        if not is_asked and (self.output or self.fails or self.format != "table"):
            raise click.UsageError(
                "--format, -o and --fail-on-duplicates are for matches: add --matches"
            )
        check((self.output,), paths)

    def added(
        self, opened: "Index", documents: Iterable["Document | Skipped"], on_conflict: Any
    ) -> "Added":
        """Add documents one by one, and print what was there before each."""
        from dedupe.index.records import Added

        outcomes: Counter[Any] = Counter()
        n_undated = 0

        def add(document: "Document") -> "Matches":
            nonlocal n_undated
            time = document.time if document.is_dated else None
            how = {"on_conflict": on_conflict, **self.question}
            found = opened.add(document.id, document.text, time, **how)
            outcomes[found.outcome] += 1
            n_undated += found.outcome == "added" and not document.is_dated
            return found

        skipped = [*self.answered(documents, add)]
        counts = {f"n_{outcome}": n for outcome, n in outcomes.items()}
        return Added(**counts, skipped=tuple(skipped), n_undated=n_undated)

    def answered(
        self, items: Iterable["Document | Skipped"], ask: Callable[["Document"], "Matches"]
    ) -> Iterator[Skipped]:
        """Print an answer for each of some documents, in their order; yield what is skipped."""
        from dedupe.documents.document import without_word

        for item in items:
            if not isinstance(item, Skipped):
                try:
                    self.give(item.id, ask(item))
                    continue
                except NothingToRead:
                    skipped = without_word(item.id)
            else:
                skipped = item
            # A program may wait for a line for each.
            if self.format == "jsonl":
                self._put(_skipped_as_jsonl(skipped))
            yield skipped

    def stored(self, opened: "Index", id_: str) -> None:
        """Ask with the text of a document of the index, and leave out the document itself."""
        document = opened.document(id_)
        limit = self.question["limit"]
        found = opened.query(document.text, **{**self.question, "limit": limit + 1})
        others = [match for match in found if match.id != document.id]
        n_found = found.n_found - (len(others) < len(found))
        self.give(
            document.id,
            type(found)(tuple(others[:limit]), found.epoch, n_found, found.truncated),
        )

    def give(self, id_: Any, found: "Matches") -> None:
        """Print one answer."""
        self.n_matched += bool(found)
        if self.format == "table":
            lines = _lines(id_, found)
            if self.output is None:
                show(lines)
            else:
                from dedupe.report.lines import plain

                self._held.append(plain(lines))
            return
        if self.format == "jsonl":
            text = _as_jsonl(id_, found, evidence=self.evidence)
        else:
            delimiter = "\t" if self.format == "tsv" else ","
            text = _as_rows(id_, found, delimiter, header=not self._is_begun)
        self._is_begun = True
        self._put(text)

    def _put(self, text: str) -> None:
        """Print a part of what programs read, or keep it for the end."""
        if self.output is None:
            dump(text)
        else:
            self._held.append(text)

    def finish(self) -> None:
        """Write what goes to a file."""
        if self.output is not None:
            dump("".join(self._held), self.output)

    def leave(self) -> None:
        """Leave with the exit code that was asked for, if anything had a match."""
        if self.fails and self.n_matched:
            raise SystemExit(DUPLICATES_FOUND)


def taken(asked: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take some parameters out of others."""
    return {one: asked.pop(one) for one in names}


def _lines(asked: Id, found: "Matches") -> Iterator["Line"]:
    """Yield for people which documents match what was asked for, and why."""
    from dedupe.report.lines import Line, counted, squeezed
    from dedupe.report.pairs import measures, stretches

    n_found = counted(found.n_found, "match").replace("matchs", "matches")
    more = ", and maybe more: not all likely texts were compared" if found.truncated else ""
    told = f"{n_found}{more}" if found.n_found or more else "not seen before"
    outcome = "" if found.outcome is None else f"{found.outcome}, "
    yield Line(0, (("id", asked), ("heading", f": {outcome}{told}")))
    for match in found:
        yield Line(1, (("id", match.id), *measures(match), *_when(match)))
        yield Line(2, (("", squeezed(match.reason)),))
        if match.evidence is not None:
            yield from stretches(match.evidence, asked, match.id, depth=2)
    if len(found) < found.n_found:
        yield Line(1, (("dim", f"and {found.n_found - len(found):,} more: raise --limit"),))


def _when(match: "Match") -> tuple["Part", ...]:
    """Say when a document came up, where that is known."""
    if match.time is None:
        return ()
    return (("dim", f"  {datetime.fromtimestamp(match.time, UTC):%Y-%m-%d %H:%M} UTC"),)


def _as_jsonl(asked: Id, found: "Matches", *, evidence: bool) -> str:
    """Return an answer as a line of JSON."""
    facts = {"id": id_as_json(asked), **found.as_json(evidence=evidence)}
    return json.dumps(facts, ensure_ascii=False) + "\n"


def _skipped_as_jsonl(skipped: Skipped) -> str:
    """Return what is said of what could not be read, as a line of JSON like that of an answer."""
    why = {"outcome": "skipped", "reason": skipped.reason, "remedy": skipped.remedy}
    facts = {"id": id_as_json(skipped.id), "matches": [], "n_found": 0, **why}
    return json.dumps(facts, ensure_ascii=False) + "\n"


def _as_rows(asked: Id, found: "Matches", delimiter: str, *, header: bool) -> str:
    """Return an answer as a row for each match, under a header for the first."""
    from dedupe.report.csv import as_line

    rows = [[asked, *(getattr(match, name) for name in FIELDS[1:])] for match in found]
    return "".join(f"{as_line(row, delimiter)}\n" for row in ([FIELDS, *rows] if header else rows))

"""Puts the matches of an index into words and rows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from dedupe.ids import Id, id_as_json
from dedupe.index.matches import Match, Matches
from dedupe.report.csv import as_line
from dedupe.report.lines import Line, Part, counted, squeezed
from dedupe.report.pairs import measures, stretches

__all__ = ["as_jsonl", "as_rows", "lines"]

FIELDS = ("asked", "id", "score", "relation", "reason", "epoch")
"""The columns of a row for each match."""


def lines(asked: Id, found: Matches) -> Iterator[Line]:
    """Yield for people which documents match what was asked for, and why."""
    n_found = counted(found.n_found, "match").replace("matchs", "matches")
    more = ", and maybe more: not all likely texts were compared" if found.truncated else ""
    told = f"{n_found}{more}" if found.n_found or more else "not seen before"
    yield Line(0, (("id", asked), ("heading", f": {told}")))
    for match in found:
        yield Line(1, (("id", match.id), *measures(match), *_when(match)))
        yield Line(2, (("", squeezed(match.reason)),))
        if match.evidence is not None:
            yield from stretches(match.evidence, asked, match.id, depth=2)
    if len(found) < found.n_found:
        yield Line(1, (("dim", f"and {found.n_found - len(found):,} more: raise --limit"),))


def _when(match: Match) -> tuple[Part, ...]:
    """Say when a document came up, where that is known."""
    if match.time is None:
        return ()
    return (("dim", f"  {datetime.fromtimestamp(match.time, UTC):%Y-%m-%d %H:%M} UTC"),)


def as_jsonl(asked: Id, found: Matches, *, evidence: bool) -> str:
    """Return an answer as a line of JSON."""
    facts = {"id": id_as_json(asked), **found.as_json(evidence=evidence)}
    return json.dumps(facts, ensure_ascii=False) + "\n"


def as_rows(asked: Id, found: Matches, delimiter: str, *, header: bool) -> str:
    """Return an answer as a row for each match, under a header for the first."""
    rows = [[asked, *(getattr(match, name) for name in FIELDS[1:])] for match in found]
    return "".join(f"{as_line(row, delimiter)}\n" for row in ([FIELDS, *rows] if header else rows))

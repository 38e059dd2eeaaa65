"""Shows a result in a notebook: a short table of the largest clusters, with their first words."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from dedupe.ids import Id

if TYPE_CHECKING:
    from dedupe.results.result import Result

__all__ = ["table"]

N_CLUSTERS, N_MEMBERS, N_CHARS = 5, 3, 100
"""What fits a screen: clusters, documents of each, and characters of a text or an id."""


def table(result: "Result") -> str:
    """Return a table in HTML; ids and texts are escaped."""
    n_more = len(result.clusters) - N_CLUSTERS
    more = f"<p>and {n_more:,} more clusters</p>" if n_more > 0 else ""
    head = "".join(f"<th>{name}</th>" for name in ("cluster", "", "id", "score", "text"))
    return (
        f"<p>{result.n_documents:,} documents, {len(result.clusters):,} clusters, "
        f"{len(result.duplicates):,} duplicates, {len(result.skipped):,} skipped</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(_rows(result))}</tbody></table>{more}"
    )


def _rows(result: "Result") -> Iterator[str]:
    """Yield the rows of the table."""
    scores = {one.id: f"{one.score:.2f}" for one in result.duplicates}
    for number, cluster in enumerate(result.clusters[:N_CLUSTERS], start=1):
        others = [member for member in cluster if member != cluster.representative]
        for member in (cluster.representative, *others[:N_MEMBERS]):
            verdict = "drop" if member in scores else "keep"
            cells = (
                number,
                verdict,
                _cut(str(member)),
                scores.get(member, ""),
                _text(result, member),
            )
            yield f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in cells)}</tr>"
        n_more = len(others) - N_MEMBERS
        if n_more > 0:
            more = f"<td></td><td>and {n_more:,} more</td><td></td><td></td>"
            yield f"<tr><td>{number}</td>{more}</tr>"


def _text(result: "Result", document: Id) -> str:
    """Return the first words of a document; nothing where its text is not kept."""
    return _cut(" ".join(result.texts.get(document, "")[: 3 * N_CHARS].split()))


def _cut(text: str) -> str:
    """Return a text that fits into a cell, control characters made visible."""
    seen = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return seen if len(seen) <= N_CHARS else f"{seen[:N_CHARS]}…"

"""Shows a result in a notebook: a short table of the largest clusters, what each tells, and why."""

from collections.abc import Iterator
from html import escape

from dedupe.ids import Id
from dedupe.report.lines import counted, squeezed, visible
from dedupe.report.openings import first_words
from dedupe.results.records import Cluster, Duplicate
from dedupe.results.result import Result
from dedupe.results.rows import STAYS

__all__ = ["table"]

N_CLUSTERS, N_MEMBERS, N_SKIPPED, N_CHARS = 5, 3, 3, 100
"""What fits a screen: clusters, copies of each, skipped documents, and characters of a cell."""

N_GUIDES = 1_000
"""Clusters in which a menu is looked for that stands above a story of those shown.

A text is read of each, and a cell must not keep anyone waiting; a report looks at all of them.
"""

N_WORDS = 8
"""Words of the shortest passage that a story is known by; entries of a menu have fewer."""

COLUMNS = ("cluster", "", "id", "score", "story, or reason")


def table(result: Result) -> str:
    """Return a table in HTML; ids and texts are escaped."""
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells in _rows(result)
    )
    # Without a cluster there would be a head alone.
    shown = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return _headline(result) + shown + "".join(f"<p>{escape(line)}</p>" for line in _more(result))


def _headline(result: Result) -> str:
    """Return the numbers of all that was found."""
    old = f" ({result.n_old:,} of them old)" if result.n_old else ""
    return (
        f"<p>{counted(result.n_documents, 'document')}{old}, "
        f"{counted(len(result.clusters), 'cluster')}, "
        f"{counted(len(result.duplicates), 'duplicate')}, {len(result.skipped):,} skipped</p>"
    )


def _more(result: Result) -> Iterator[str]:
    """Yield lines of what the table does not show, and of what was skipped."""
    n_more = len(result.clusters) - N_CLUSTERS
    if n_more > 0:
        yield f"and {counted(n_more, 'more cluster')}"
    for skipped in result.skipped[:N_SKIPPED]:
        yield f"skipped: {_cut(str(skipped.id))}: {_cut(skipped.reason)}"
    n_more = len(result.skipped) - N_SKIPPED
    if n_more > 0:
        yield f"skipped: {n_more:,} more"


def _rows(result: Result) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row: the copy to keep with its story, others with their reasons."""
    copies = {one.id: one for one in result.duplicates}
    starts = first_words(result, result.clusters[:N_GUIDES], result.texts)
    shown = zip(result.clusters[:N_CLUSTERS], starts, strict=False)
    for number, (cluster, start) in enumerate(shown, start=1):
        kept = cluster.representative
        # A result that was loaded has no texts.
        story = start or _passage(result, cluster, copies)
        yield str(number), "keep", _cut(str(kept)), "", story
        others = [member for member in cluster if member != kept]
        # A line takes no more room than the one that would say that there is one more.
        n_shown = N_MEMBERS if len(others) > N_MEMBERS + 1 else len(others)
        for member in others[:n_shown]:
            copy = copies.get(member)
            verdict, score = ("drop", f"{copy.score:.2f}") if copy else ("keep", "")
            reason = copy.reason if copy else STAYS
            yield str(number), verdict, _cut(str(member)), score, _cut(reason)
        if len(others) > n_shown:
            yield str(number), "", f"and {len(others) - n_shown:,} more", "", ""


def _passage(result: Result, cluster: Cluster, copies: dict[Id, Duplicate]) -> str:
    """Return the beginning of what the documents of a cluster share, past menus and boilerplate.

    Nothing, where nothing tells what they share.
    """
    copy = next((copies[member] for member in cluster if member in copies), None)
    evidence = result.match(copy).evidence if copy else None
    passages = evidence.passages if evidence else ()
    own = [passage for passage in passages if not passage.boilerplate] or passages
    longest = max(own, key=lambda passage: passage.n_words, default=None)
    first = next((passage for passage in own if passage.n_words >= N_WORDS), longest)
    return _cut(first.excerpt) if first else ""


def _cut(text: str) -> str:
    """Return a text that fits into a cell, control characters made visible."""
    seen = visible(squeezed(text))
    return seen if len(seen) <= N_CHARS else f"{seen[:N_CHARS]}…"

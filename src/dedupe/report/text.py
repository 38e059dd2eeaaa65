"""The report of a search for people: clusters, what was skipped, and a summary.

For each cluster it says which copy to keep, and how each of the others was
recognised. Why a document is *not* in a cluster is left to `explanation`.
"""

from collections.abc import Iterator, Sequence

from dedupe.errors import Skipped
from dedupe.ids import Id, Old
from dedupe.report.lines import BLANK, Line, Part, counted, squeezed
from dedupe.report.pairs import evidence, left_out, measures, names
from dedupe.results.records import DocumentInfo, Duplicate, Pair
from dedupe.results.result import Result
from dedupe.results.rows import STAYS
from dedupe.settings import SCORE_FLOOR

__all__ = ["describe"]


def describe(result: Result, limit: int | None = None, each: int | None = None) -> Iterator[Line]:
    """Yield the report of a result.

    Parameters
    ----------
    result : Result
    limit : int, optional
        The most clusters to show, and skipped documents for each remedy; the rest are
        counted. By default all are shown.
    each : int, optional
        The most duplicates to show of each cluster.
    """
    duplicates = {duplicate.id: duplicate for duplicate in result.duplicates}
    documents = {document.id: document for document in result.documents}
    for number, cluster in enumerate(result.clusters[:limit], start=1):
        yield Line(0, (("heading", f"cluster {number}: {counted(len(cluster), 'document')}"),))
        yield _kept(documents[cluster.representative], result.settings.keep)
        dropped = [duplicates[member] for member in cluster.members if member in duplicates]
        for duplicate in dropped[:each]:
            yield from _dropped(duplicate, result.match(duplicate))
        yield from left_out(len(dropped), each, "duplicate", depth=1)
        others = [m for m in cluster.members if m not in {*duplicates, cluster.representative}]
        yield from map(_stays, others[:each])
        yield from left_out(len(others), each, "document that stays", depth=1)
        yield BLANK
    if not result.clusters:
        yield from _nothing(result)
    if limit is not None and len(result.clusters) > limit:
        yield from left_out(len(result.clusters), limit, "cluster")
        yield BLANK
    yield from _skipped(result.skipped, limit)
    yield Line(0, (("heading", summary(result)),))


def _kept(document: DocumentInfo, keep: object) -> Line:
    """Name the copy to keep, and the rule that chose it."""
    why = f", the {'typical copy' if keep == 'typical' else keep}" if isinstance(keep, str) else ""
    why = ", old" if document.is_old else why
    about = f"  {counted(document.n_words, 'word')}{why}"
    return Line(1, (("keep", "keep  "), ("id", document.id), ("dim", about)))


def _dropped(duplicate: Duplicate, pair: Pair) -> Iterator[Line]:
    """Say how a duplicate matches the copy to keep, or else its best match."""
    head: tuple[Part, ...] = (("drop", "drop  "), ("id", duplicate.id))
    if duplicate.duplicate_of not in (pair.left, pair.right):
        head += (("dim", "  matches "), ("id", duplicate.best_match))
    yield Line(1, head + measures(pair))
    yield Line(2, (("", squeezed(pair.reason)),))
    yield from evidence(pair, depth=2)


def _stays(member: Id) -> Line:
    """Name a member that is neither the copy to keep nor a duplicate of it."""
    return Line(1, (("keep", "keep  "), ("id", member), ("dim", f"  too: {STAYS}")))


def _nothing(result: Result) -> Iterator[Line]:
    """Say that there are no duplicates, and which pair came nearest."""
    threshold = result.settings.threshold
    yield Line(0, (("heading", f"no duplicates: no two documents score {threshold:g} or more"),))
    for pair in result.borderline(1):
        yield Line(1, (("dim", "nearest: "), *names(pair), *measures(pair)))
        yield Line(2, (("", squeezed(pair.reason)),))
    if not result.scored:
        yield Line(1, (("dim", f"nor does any pair reach {SCORE_FLOOR:g}"),))
    yield BLANK


def _skipped(skipped: Sequence[Skipped], limit: int | None) -> Iterator[Line]:
    """List the skipped documents, grouped by what can be done about them."""
    if not skipped:
        return
    groups: dict[str, list[Skipped]] = {}
    for document in skipped:
        groups.setdefault(document.remedy, []).append(document)
    yield Line(0, (("heading", f"skipped: {counted(len(skipped), 'document')}"),))
    for remedy, group in list(groups.items())[:limit]:
        yield Line(1, (("", f"to do: {squeezed(remedy)}"),))
        for document in group[:limit]:
            yield Line(2, (("id", document.id), ("", f"  {squeezed(document.reason)}")))
        yield from left_out(len(group), limit, "document", depth=2)
    yield from left_out(len(groups), limit, "kind", depth=1)
    yield BLANK


def summary(result: Result) -> str:
    """Count what was read and found, in one line."""
    n_old = sum(isinstance(one.id, Old) for one in result.skipped)
    counts = [
        counted(result.n_documents, "document"),
        counted(len(result.clusters), "cluster"),
        counted(len(result.duplicates), "duplicate"),
        f"{len(result.skipped):,} skipped" + (f" ({n_old:,} of them old)" if n_old else ""),
    ]
    if result.settings.window is not None:
        counts.append(f"{result.n_undated:,} without a time")
    return ", ".join(counts)

"""Why documents are, or are not, the same story.

`explain` answers for one document, `borderline` for the pairs on which a slightly
different threshold would decide otherwise.
"""

from collections.abc import Iterator

from dedupe.ages import spelled
from dedupe.ids import Id, find_id
from dedupe.report.lines import Line, counted, squeezed
from dedupe.report.pairs import evidence, left_out, measures, names, rule
from dedupe.results.records import Cluster, Pair
from dedupe.results.result import Result
from dedupe.results.rows import STAYS
from dedupe.settings import SCORE_FLOOR

__all__ = ["borderline", "explain", "related"]

N_CANDIDATES = 10
"""Candidates shown for a document: past these the scores say little."""

ON_AVERAGE = "clusters are joined by the average score of all pairs between them, not by one pair"


def explain(result: Result, document: Id) -> Iterator[Line]:
    """Yield where a document ended up, and how its best candidates were judged."""
    pairs = result.pairs_of(document)
    ids = [*(one.id for one in result.documents), *result.others]
    found = find_id(document, [*ids, *(one.id for one in result.skipped)])
    document = document if found is None else found
    skipped = [one for one in result.skipped if one.id == document]
    for one in skipped:
        yield Line(0, (("id", document), ("", f" was skipped: {squeezed(one.reason)}")))
        yield Line(1, (("", f"to do: {squeezed(one.remedy)}"),))
    if skipped and not pairs:
        return
    clusters = _clusters(result)
    yield _place(result, document, clusters.get(document))
    if result.settings.window is not None:
        within = f"compared within the window of {spelled(result.settings.window)} alone"
        yield Line(1, (("dim", within),))
    if not pairs:
        nobody = f"no other document scored {SCORE_FLOOR:g} or more with it"
        yield Line(1, (("", nobody),))
    for pair in pairs[:N_CANDIDATES]:
        yield Line(1, (("dim", "with "), ("id", pair.other(document)), *measures(pair)))
        yield from _judgement(pair, clusters, result)
        yield from evidence(pair, depth=2)
    yield from left_out(len(pairs), N_CANDIDATES, "candidate", depth=1)


def borderline(result: Result, n: int) -> Iterator[Line]:
    """Yield the `n` pairs whose scores are nearest to the threshold, nearest first."""
    threshold = result.settings.threshold
    pairs = result.borderline(n)
    if not pairs:
        yield Line(0, (("heading", f"no pair scored {SCORE_FLOOR:g} or more"),))
        return
    heading = f"{counted(len(pairs), 'pair')} nearest to the threshold {threshold:g}"
    yield Line(0, (("heading", heading),))
    clusters = _clusters(result)
    for pair in pairs:
        yield Line(1, (*names(pair), *measures(pair)))
        yield from _judgement(pair, clusters, result)


def related(result: Result, relation: str) -> Iterator[Line]:
    """Yield the pairs of one relation, best first."""
    pairs = result.related(relation)
    found = counted(len(pairs), "pair") if pairs else "no pair"
    yield Line(0, (("heading", f"{found}: {relation}"),))
    for pair in pairs:
        yield Line(1, (*names(pair), *measures(pair)))
        yield Line(2, (("", squeezed(pair.reason)),))


def _clusters(result: Result) -> dict[Id, Cluster]:
    """Return the cluster of each document that is in one."""
    return {member: cluster for cluster in result.clusters for member in cluster.members}


def _place(result: Result, document: Id, cluster: Cluster | None) -> Line:
    """Say which cluster a document is in, and which copy to keep."""
    if cluster is None:
        return Line(0, (("id", document), ("", " is in no cluster")))
    number = result.clusters.index(cluster) + 1
    where = f" is in cluster {number}, of {counted(len(cluster), 'document')}; keep "
    kept = cluster.representative
    goes = any(one.id == document for one in result.duplicates)
    too = "" if goes or kept == document else f", and it too: {STAYS}"
    shown = "it" if kept == document else kept
    return Line(0, (("id", document), ("", where), ("keep", shown), ("", too)))


def _judgement(pair: Pair, clusters: dict[Id, Cluster], result: Result) -> Iterator[Line]:
    """Give the reason for the relation of a pair, and the rule that decided."""
    yield Line(2, (("", squeezed(pair.reason)),))
    threshold = result.settings.threshold
    yield Line(2, (("", rule(pair, threshold)),))
    together = pair.left in clusters and pair.right in clusters[pair.left].members
    if not result.in_window(pair):
        how = "together by others between them" if together else "no story together"
        yield Line(2, (("", f"yet outside the window: {how}"),))
    elif together != (pair.score >= threshold):
        where = "in one cluster" if together else "not in one cluster"
        yield Line(2, (("", f"yet {where}: {ON_AVERAGE}"),))

"""Lists clusters as flat rows, one for each member, for CSV, Parquet and tables."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dedupe.ids import Id, Old, plain_id
from dedupe.results.records import Cluster, Duplicate, Pair
from dedupe.settings import SCORE_FLOOR

__all__ = ["ROW_FIELDS", "STAYS", "rows"]

ROW_FIELDS = ("cluster", "id", "duplicate_of", "score", "relation", "reason", "is_old")

STAYS = f"it scores under {SCORE_FLOOR:g} with the copy to keep, and stays"
"""The reason of a member that is neither that copy nor a duplicate of it."""


def rows(
    clusters: Sequence[Cluster],
    duplicates: Sequence[Duplicate],
    find_pair: Callable[[Id, Id], Pair | None],
) -> Iterator[dict[str, Any]]:
    """Yield a record for each member of each cluster; see `dedupe.Result.rows`."""
    by_id = {duplicate.id: duplicate for duplicate in duplicates}
    for number, cluster in enumerate(clusters, start=1):
        kept = cluster.representative
        yield _row(number, kept, "", 1.0, "", "")
        for member in cluster.members:
            if member == kept:
                continue
            direct = find_pair(member, kept)
            relation = direct.relation if direct else "different"
            if row := by_id.get(member):
                yield _row(number, member, plain_id(kept), row.score, relation, row.reason)
            else:
                score = direct.score if direct else 0.0
                yield _row(number, member, "", score, relation, STAYS)


def _row(  # noqa: PLR0917  A column each.
    number: int, document: Id, kept: Id, score: float, relation: str, reason: str
) -> dict[str, Any]:
    """Return the record of a member of a cluster."""
    is_old = isinstance(document, Old)
    values = number, plain_id(document), kept, score, relation, reason, is_old
    return dict(zip(ROW_FIELDS, values, strict=True))

"""The tables for readers without the script: the beginning of each list of the page.

Bounded by rows, since nobody reads many, and by bytes of HTML, in which a quote takes five.
"""

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from dedupe.ids import Id
from dedupe.report.html.payload import short
from dedupe.report.html.shown import Remedy, Shown, ShownCluster, ShownPair

__all__ = ["REASON_CHARS", "PlainTables", "plain"]

N_PLAIN = 20
"""Pairs, clusters, and duplicates of each that are listed."""

TABLE_BYTES = 100_000
"""Bytes of each of the three tables: three times what twenty ordinary clusters of twenty take."""

ROW_BYTES = 200
"""Bytes of a row besides its texts: markup and numbers."""

REASON_CHARS = 300
"""Characters of a reason or a remedy."""


@dataclass(frozen=True, slots=True)
class PlainTables:
    """The beginning of each list of a page.

    Attributes
    ----------
    borderline : tuple of ShownPair
    clusters : tuple of ShownCluster
        With some of their duplicates.
    remedies : tuple of Remedy
        All of them, with some of the documents.
    """

    borderline: tuple[ShownPair, ...]
    clusters: tuple[ShownCluster, ...]
    remedies: tuple[Remedy, ...]


def plain(shown: Shown) -> PlainTables:
    """Return the tables for readers without the script."""
    pairs = shown.borderline[:N_PLAIN]
    n_pairs = _n_fitting([_cost(one.pair.reason, *one.sides) for one in pairs], TABLE_BYTES)
    share = TABLE_BYTES // max(1, len(shown.remedies))
    return PlainTables(
        pairs[:n_pairs],
        tuple(_clusters(shown.clusters[:N_PLAIN])),
        tuple(_remedy(one, share) for one in shown.remedies),
    )


def _clusters(clusters: Iterable[ShownCluster]) -> Iterator[ShownCluster]:
    """Yield clusters, each with as many of its duplicates as there is room for."""
    room = TABLE_BYTES
    for cluster in clusters:
        listed = cluster.duplicates[:N_PLAIN]
        # The row that counts the other duplicates takes room too.
        room -= _cost(cluster.opening, cluster.representative)
        costs = [_cost(one.shown.pair.reason, one.id) for one in listed]
        n_listed = _n_fitting(costs, room)
        if not n_listed:
            return
        room -= sum(costs[:n_listed])
        yield replace(cluster, duplicates=listed[:n_listed])


def _remedy(remedy: Remedy, room: int) -> Remedy:
    """Return a remedy with as many of its documents as there is room for."""
    costs = [_cost(one.reason, one.id) for one in remedy.skipped]
    return replace(remedy, skipped=remedy.skipped[: _n_fitting(costs, room)])


def _n_fitting(costs: Sequence[int], room: int) -> int:
    """Return how many items fit into some room, the first ones first.

    >>> _n_fitting([2, 3, 4, 1], 6)
    2
    """
    return sum(total <= room for total in accumulate(costs))


def _cost(reason: str, *ids: Id) -> int:
    """Return how many bytes of HTML a row takes, or a few more."""
    texts = short(reason, REASON_CHARS), *map(short, map(str, ids))
    return ROW_BYTES + sum(len(html.escape(text).encode()) for text in texts)

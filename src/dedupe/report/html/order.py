"""Which passages of two texts stand in the same order on both sides.

The others have moved. It is the heaviest of all choices, so that a menu that stands
elsewhere moves, and not the story.
"""

from collections.abc import Sequence

__all__ = ["in_order"]


def in_order(starts: Sequence[int], weights: Sequence[int]) -> set[int]:
    """Return the heaviest choice of items whose starts rise; the others have moved.

    >>> sorted(in_order([900, 10, 20, 30], [21, 108, 5, 5]))
    [1, 2, 3]
    """
    ranks = {start: rank for rank, start in enumerate(sorted(set(starts)), start=1)}
    # A Fenwick tree: the heaviest chain that ends at a rank or below, and its last item.
    heaviest = [(0, -1)] * (len(ranks) + 1)
    before = []
    for item, start in enumerate(starts):
        weight, last = 0, -1
        rank = ranks[start] - 1
        while rank > 0:
            weight, last = max((weight, last), heaviest[rank])
            rank -= rank & -rank
        before.append(last)
        rank = ranks[start]
        while rank <= len(ranks):
            heaviest[rank] = max(heaviest[rank], (weight + weights[item], item))
            rank += rank & -rank
    chain = set()
    item = max(heaviest)[1]
    for _ in starts:
        if item < 0:
            break
        chain.add(item)
        item = before[item]
    return chain

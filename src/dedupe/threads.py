"""Runs work on several threads, and yields results in the order of the input."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

__all__ = ["map_in_order"]

Given = TypeVar("Given")
Found = TypeVar("Found")


def map_in_order(
    function: Callable[[Given], Found], items: Iterable[Given], workers: int
) -> Generator[Found, None, None]:
    """Apply a function on several threads; yield its values in the order of the items.

    Only a few items are taken ahead of the one that is waited for, so that a stream
    of any length passes through bounded memory.

    >>> list(map_in_order(str.upper, ["a", "b", "c"], workers=2))
    ['A', 'B', 'C']
    """
    remaining = iter(items)
    first = [*islice(remaining, 2)]
    if len(first) < 2:
        # Small collections make one batch of most things, for which no thread need start.
        yield from map(function, first)
        return
    # An iterator lets go of its list at the end of it; items may be large.
    ahead = chain(iter(first), remaining)
    del first
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[Future[Found]] = deque()
        try:
            for item in ahead:
                waiting.append(executor.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

"""Runs work on several threads, and yields results in the order of the input."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
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
    with ThreadPoolExecutor(workers) as executor:
        waiting: deque[Future[Found]] = deque()
        try:
            for item in items:
                waiting.append(executor.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

"""The rows of a page as data for its script: compact, compressed, and within a budget.

A page of ten thousand clusters is to stay under five megabytes, and so is any other.
Items go into *blocks*, JSON compressed with zlib and written in base64, in the order
in which they matter, until the bytes of the page are used up; what has no room is the
end of the list, and its number is told. The script unpacks a block when it needs one.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dedupe.report.html.facts import ShownCluster, ShownDuplicate, ShownPair
from dedupe.report.lines import squeezed, visible
from dedupe.report.pairs import rule

__all__ = [
    "EXCERPT_BYTES",
    "PAGE_BYTES",
    "ROW_BYTES",
    "Blocks",
    "as_script_json",
    "cluster_row",
    "name",
    "pack",
    "pair_row",
    "places",
    "short",
]

PAGE_BYTES, ROW_BYTES, EXCERPT_BYTES = 4_200_000, 2_100_000, 800_000
"""Bytes for all blocks of a page, of which rows of clusters may take the second number.

Ten thousand clusters of two or three documents take half of that. Pairs with both texts
get what rows leave, but for the third number, which is kept for pairs with excerpts.
The rest of five megabytes is for everything else.
"""

BLOCK_CHARS = 1 << 16
"""JSON in a block: twice the window of zlib, so that larger ones would hardly be smaller."""

MAX_ITEM = 1 << 20
"""Characters of one item. What compresses well may still be too much for a browser."""

MAX_ID = 500
"""Characters of an id. A longer one is shortened, and its pairs cannot be labelled."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Items in blocks.

    Attributes
    ----------
    blocks : tuple of (int, str)
        How many items each has, and its base64.
    n_items : int
        How many items there was room for, from the first on.
    n_bytes : int
    """

    blocks: tuple[tuple[int, str], ...]
    n_items: int
    n_bytes: int


def pack(items: Iterable[Any], budget: int) -> Blocks:
    """Put items into blocks until they would take more than so many bytes.

    An item that is too large by itself takes its place as null.
    """
    blocks: list[tuple[int, str]] = []
    for group in _groups(items):
        packed = base64.b64encode(zlib.compress(f"[{','.join(group)}]".encode(), 9)).decode()
        budget -= len(packed)
        if budget < 0:
            break
        blocks.append((len(group), packed))
    return Blocks(
        tuple(blocks), sum(n for n, _ in blocks), sum(len(packed) for _, packed in blocks)
    )


def _groups(items: Iterable[Any]) -> Iterator[list[str]]:
    """Yield items as JSON, as many together as make a block."""
    group: list[str] = []
    size = 0
    for item in items:
        text = _json(item)
        group.append(text if len(text) <= MAX_ITEM else "null")
        size += len(group[-1])
        if size >= BLOCK_CHARS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _json(item: Any) -> str:
    """Return an item as JSON that UTF-8 can hold: lone surrogates as the escapes of JSON."""
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def as_script_json(facts: Mapping[str, Any]) -> str:
    r"""Return facts as JSON that can stand within ``<script>``, whatever they say.

    >>> as_script_json({"id": "</script>\u2028"})
    '{"id":"\\u003c/script\\u003e\\u2028"}'
    """
    text = _json(facts)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def name(document: str) -> str | list[str | None]:
    r"""Return an id for the script: itself, or with what is shown of it, where that differs.

    Of an id that is too long only the second is known.

    >>> name("a.txt"), name("tab\t")
    ('a.txt', ['tab\t', 'tab\\t'])
    """
    if len(document) > MAX_ID:
        return [None, short(document, MAX_ID)]
    seen = visible(document)
    return document if seen == document else [document, seen]


def short(text: str, n_chars: int = 200) -> str:
    """Return text on one line, made visible, shortened in the middle if it is long."""
    seen = visible(squeezed(cut) if (cut := _cut(text, n_chars)).strip() else cut)
    # What is made visible takes more room: up to ten characters for one.
    return _cut(seen, 2 * n_chars)


def _cut(text: str, n_chars: int) -> str:
    """Return the beginning and the end of a text that is too long."""
    if len(text) <= n_chars:
        return text
    half = n_chars // 2
    return f"{text[:half]} … [{len(text) - 2 * half:,} characters] … {text[-half:]}"


def cluster_row(cluster: ShownCluster) -> list[Any]:
    """Return a cluster as the script takes it."""
    duplicates = [_duplicate_row(one, cluster.representative) for one in cluster.duplicates]
    numbers = (cluster.n_words, cluster.size, cluster.saved_words, cluster.n_more)
    return [name(cluster.representative), *numbers, duplicates]


def _duplicate_row(one: ShownDuplicate, representative: str) -> list[Any]:
    """Return a duplicate: its name and words, what is said of its pair, and what that is with."""
    row = [name(one.id), one.n_words, *_said(one.shown)]
    return row if one.shown.left == representative else [*row, name(one.shown.left)]


def pair_row(shown: ShownPair, threshold: float, number: int) -> list[Any]:
    """Return a pair near the threshold as the script takes it; `number` is that of its texts."""
    about = [name(shown.left), name(shown.right), int(shown.together), rule(shown.pair, threshold)]
    return [*about, number, *_said(shown)]


def places(
    clusters: Iterable[ShownCluster], numbers: Mapping[tuple[str, str], int]
) -> list[tuple[int, int, int]]:
    """Return which duplicates have texts: the cluster, the place in it, and their number."""
    return [
        (row, column, numbers[one.shown.left, one.shown.right])
        for row, cluster in enumerate(clusters)
        for column, one in enumerate(cluster.duplicates)
        if (one.shown.left, one.shown.right) in numbers
    ]


def _said(shown: ShownPair) -> tuple[Any, ...]:
    """Return the numbers of a pair, verdict and reason."""
    pair = shown.pair
    return (
        *(float(f"{value:.6g}") for value in (pair.score, pair.containment, pair.jaccard)),
        short(pair.verdict),
        short(pair.reason, 2 * MAX_ID),
    )

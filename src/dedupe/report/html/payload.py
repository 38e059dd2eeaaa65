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
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from dedupe.report.html.facts import Facts, ShownCluster, ShownDuplicate, ShownPair
from dedupe.report.lines import squeezed, visible
from dedupe.report.pairs import rule

__all__ = [
    "EXCERPT_BYTES",
    "MAX_ITEM",
    "PAGE_BYTES",
    "PLACE_BYTES",
    "ROW_BYTES",
    "Blocks",
    "as_json",
    "as_script_json",
    "cluster_rows",
    "name",
    "pack",
    "pair_rows",
    "places",
    "short",
]

PAGE_BYTES, ROW_BYTES, EXCERPT_BYTES, PLACE_BYTES = 4_200_000, 2_100_000, 800_000, 100_000
"""Bytes for all blocks of a page, of which rows of clusters may take the second number.

Ten thousand clusters of two or three documents take half of that. Pairs with both texts
get what rows leave, but for the third number, which is kept for pairs with excerpts, and
the fourth, for where pairs stand: 30 bytes for each of three thousand. The rest of five
megabytes is for everything else: styles, script, plots, and what is read without it.
"""

BLOCK_BYTES = 1 << 16
"""JSON in a block: twice the window of zlib, so that larger ones would hardly be smaller."""

FRAME_BYTES = 16
"""What stands around a block in the page: brackets, quotes, commas, the number of its items."""

MAX_ITEM, MAX_UNPACKED = 1 << 20, 1 << 26
"""Bytes of one item, and of all items together, as JSON.

What compresses well may still be too much for a browser.
"""

MAX_ID = 500
"""Characters of an id. A longer one is shortened, and its pairs cannot be labelled."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Blocks(Generic[Item]):
    """Items in blocks.

    Attributes
    ----------
    blocks : tuple of (int, str)
        How many items each has, and its base64.
    items : tuple
        Those that there was room for, from the first on.
    n_bytes : int
        Of the blocks in the page.
    """

    blocks: tuple[tuple[int, str], ...]
    items: tuple[Item, ...]
    n_bytes: int


def pack(rows: Iterable[tuple[Item, str]], budget: int) -> Blocks[Item]:
    """Put items into blocks until they would take more than so many bytes.

    Parameters
    ----------
    rows : iterable of (item, str)
        What is packed is the text, which is JSON of at most `MAX_ITEM` bytes.
    budget : int
    """
    blocks: list[tuple[int, str]] = []
    items: list[Item] = []
    room, unpacked = budget, MAX_UNPACKED
    for group in _groups(rows):
        json_ = f"[{','.join(text for _, text in group)}]".encode()
        packed = base64.b64encode(zlib.compress(json_, 9)).decode()
        room -= len(packed) + FRAME_BYTES
        unpacked -= len(json_)
        if room < 0 or unpacked < 0:
            break
        blocks.append((len(group), packed))
        items += (item for item, _ in group)
    n_bytes = sum(len(packed) + FRAME_BYTES for _, packed in blocks)
    return Blocks(tuple(blocks), tuple(items), n_bytes)


def _groups(rows: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
    """Yield as many items together as make a block."""
    group: list[tuple[Item, str]] = []
    size = 0
    for item, text in rows:
        group.append((item, text))
        size += len(text.encode())
        if size >= BLOCK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def as_json(item: Any) -> str:
    """Return an item as JSON that UTF-8 can hold: lone surrogates as the escapes of JSON."""
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def as_script_json(facts: Mapping[str, Any]) -> str:
    r"""Return facts as JSON that can stand within ``<script>``, whatever they say.

    >>> as_script_json({"id": "</script>\u2028"})
    '{"id":"\\u003c/script\\u003e\\u2028"}'
    """
    text = as_json(facts)
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


def cluster_rows(clusters: Iterable[ShownCluster]) -> Iterator[tuple[ShownCluster, str]]:
    """Yield clusters as the script takes them.

    One that is too large for an item is there with fewer of its duplicates.
    """
    for cluster in clusters:
        shown = cluster
        while len((text := as_json(_cluster_row(shown))).encode()) > MAX_ITEM:
            n_fewer = len(shown.duplicates) * 3 // 4
            shown = replace(shown, duplicates=shown.duplicates[:n_fewer])
        yield shown, text


def _cluster_row(cluster: ShownCluster) -> list[Any]:
    """Return a cluster as a row."""
    duplicates = [_duplicate_row(one, cluster.representative) for one in cluster.duplicates]
    numbers = (cluster.n_words, cluster.size, cluster.saved_words, cluster.n_more, cluster.n_stay)
    stays = [name(one) for one in cluster.stays]
    return [cluster.number, name(cluster.representative), *numbers, stays, duplicates]


def _duplicate_row(one: ShownDuplicate, representative: str) -> list[Any]:
    """Return a duplicate: its name and words, what is said of its pair, and what that is with."""
    row = [name(one.id), one.n_words, *_said(one.shown)]
    return row if one.shown.left == representative else [*row, name(one.shown.left)]


def pair_rows(pairs: Iterable[ShownPair], threshold: float) -> Iterator[tuple[ShownPair, str]]:
    """Yield pairs near the threshold as the script takes them."""
    for shown in pairs:
        about = name(shown.left), name(shown.right), int(shown.together)
        yield shown, as_json([*about, rule(shown.pair, threshold), *_said(shown)])


def places(
    facts: Facts, numbers: Mapping[tuple[str, str], int]
) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Yield where pairs stand that can be opened: the cluster, the place in it, their number.

    Those near the threshold stand in cluster 0.
    """
    lists = [(0, list(facts.borderline))]
    lists += ((one.number, [entry.shown for entry in one.duplicates]) for one in facts.clusters)
    for cluster, pairs in lists:
        for place, shown in enumerate(pairs):
            number = numbers.get(shown.sides)
            if number is not None:
                yield (row := (cluster, place, number)), as_json(row)


def _said(shown: ShownPair) -> tuple[Any, ...]:
    """Return the numbers of a pair, verdict and reason."""
    pair = shown.pair
    return (
        *(float(f"{value:.6g}") for value in (pair.score, pair.containment, pair.jaccard)),
        short(pair.verdict),
        short(pair.reason, 2 * MAX_ID),
    )

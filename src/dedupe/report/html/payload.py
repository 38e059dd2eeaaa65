"""The rows of a page as data for its script: compact, compressed, and within a budget.

Every page stays under five megabytes, even one of ten thousand clusters. Items go into
*chunks*, JSON compressed with zlib and written in base64, the most important first,
until the bytes of the page are used up. What has no room is the end of the list, and
the page says how much that is. The script unpacks a chunk when it needs one.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from dedupe.ids import Id
from dedupe.report.html.shown import Shown, ShownCluster, ShownDuplicate, ShownPair
from dedupe.report.lines import squeezed, visible
from dedupe.report.pairs import rule
from dedupe.threads import map_in_order

__all__ = [
    "EXCERPT_BYTES",
    "MAX_ITEM",
    "OPENING_BYTES",
    "PAGE_BYTES",
    "PLACE_BYTES",
    "ROW_BYTES",
    "Chunks",
    "as_json",
    "as_script_json",
    "cluster_rows",
    "name",
    "opening_rows",
    "pack",
    "pair_rows",
    "places",
    "short",
]

PAGE_BYTES, ROW_BYTES, EXCERPT_BYTES, PLACE_BYTES = 4_200_000, 2_100_000, 800_000, 100_000
"""Bytes for all chunks of a page, and those of them that rows of clusters may take.

Ten thousand clusters of two or three documents take half of the second number. Pairs
with both texts get what the rows leave, except for the third number, which is kept for
pairs with excerpts, and the fourth, which is for the places of pairs: 30 bytes for each
of three thousand. The rest of five megabytes is for styles, script, plots, and the
tables for readers without the script.
"""

OPENING_BYTES = 600_000
"""Bytes for the first words of stories, about 70 each; clusters beyond them show ids alone."""

CHUNK_BYTES = 1 << 16
"""Bytes of JSON in a chunk: twice the window of zlib; more would hardly compress better."""

FRAME_BYTES = 16
"""Bytes around a chunk in the page: brackets, quotes, commas, the number of its items."""

MAX_ITEM, MAX_UNPACKED = 1 << 20, 1 << 26
"""Bytes of one item, and of all items together, as JSON.

A browser has to hold them unpacked, however well they compress.
"""

MAX_ID = 500
"""Characters of an id. A longer one is shortened, and its pairs cannot be labelled."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Chunks(Generic[Item]):
    """Items packed into chunks.

    Attributes
    ----------
    chunks : tuple of (int, str)
        How many items each has, and its base64.
    items : tuple
        The first of the items, as many as there was room for.
    n_bytes : int
        What the chunks take in the page.
    """

    chunks: tuple[tuple[int, str], ...]
    items: tuple[Item, ...]
    n_bytes: int


def pack(rows: Iterable[tuple[Item, str]], budget: int) -> Chunks[Item]:
    """Pack items into chunks, the first ones first, as far as a budget of bytes reaches.

    Parameters
    ----------
    rows : iterable of (item, str)
        Each item with the JSON to pack for it, at most `MAX_ITEM` bytes.
    budget : int
        Bytes that all chunks may take in the page.
    """
    chunks: list[tuple[int, str]] = []
    items: list[Item] = []
    room, unpacked = budget, MAX_UNPACKED
    # One thread compresses while this one makes the rows of the next chunks.
    with closing(map_in_order(_packed, _groups(rows), workers=1)) as groups:
        for group, packed, n_unpacked in groups:
            room -= len(packed) + FRAME_BYTES
            unpacked -= n_unpacked
            if room < 0 or unpacked < 0:
                break
            chunks.append((len(group), packed))
            items += group
    n_bytes = sum(len(packed) + FRAME_BYTES for _, packed in chunks)
    return Chunks(tuple(chunks), tuple(items), n_bytes)


def _packed(group: Sequence[tuple[Item, str]]) -> tuple[list[Item], str, int]:
    """Return items, their JSON compressed in base64, and how many bytes it has unpacked."""
    json_ = f"[{','.join(text for _, text in group)}]".encode()
    packed = base64.b64encode(zlib.compress(json_, 9)).decode()
    return [item for item, _ in group], packed, len(json_)


def _groups(rows: Iterable[tuple[Item, str]]) -> Iterator[list[tuple[Item, str]]]:
    """Yield items in groups, each large enough for a chunk."""
    group: list[tuple[Item, str]] = []
    size = 0
    for item, text in rows:
        group.append((item, text))
        size += len(text.encode())
        if size >= CHUNK_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def as_json(item: Any) -> str:
    """Return an item as JSON that UTF-8 can hold: lone surrogates become escapes of JSON."""
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def as_script_json(data: Mapping[str, Any]) -> str:
    r"""Return data as JSON that is safe within ``<script>``, whatever it says.

    >>> as_script_json({"id": "</script>\u2028"})
    '{"id":"\\u003c/script\\u003e\\u2028"}'
    """
    text = as_json(data)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def name(document: Id) -> str | list[str | None]:
    r"""Return an id for the script: alone, or with how it is shown where that differs.

    An id that is too long is replaced by None.

    >>> name("a.txt"), name("tab\t")
    ('a.txt', ['tab\t', 'tab\\t'])
    """
    document = str(document)
    if len(document) > MAX_ID:
        return [None, short(document, MAX_ID)]
    seen = visible(document)
    return document if seen == document else [document, seen]


def short(text: Id, n_chars: int = 200) -> str:
    """Return text on one line, with control characters visible and the middle of a long one cut."""
    cut = _cut(str(text), n_chars)
    seen = visible(squeezed(cut) or cut)
    # What is made visible takes more room: up to ten characters for one.
    return _cut(seen, 2 * n_chars)


def _cut(text: str, n_chars: int) -> str:
    """Return a text, or the beginning and the end of one that is too long."""
    if len(text) <= n_chars:
        return text
    half = n_chars // 2
    return f"{text[:half]} … [{len(text) - 2 * half:,} characters] … {text[-half:]}"


def cluster_rows(clusters: Iterable[ShownCluster]) -> Iterator[tuple[ShownCluster, str]]:
    """Yield clusters as rows for the script.

    A cluster that is too large for an item loses the last of its duplicates.
    """
    for cluster in clusters:
        shown = cluster
        while len((text := as_json(_cluster_row(shown))).encode()) > MAX_ITEM:
            n_fewer = len(shown.duplicates) * 3 // 4
            shown = replace(shown, duplicates=shown.duplicates[:n_fewer])
        yield shown, text


def opening_rows(clusters: Iterable[ShownCluster]) -> Iterator[tuple[ShownCluster, str]]:
    """Yield the first words of each cluster for the script."""
    for cluster in clusters:
        yield cluster, as_json(cluster.opening)


def _cluster_row(cluster: ShownCluster) -> list[Any]:
    """Return a cluster as a row."""
    duplicates = [_duplicate_row(one, cluster.representative) for one in cluster.duplicates]
    numbers = (cluster.n_words, cluster.size, cluster.saved_words, cluster.n_more, cluster.n_stay)
    stays = [name(one) for one in cluster.stays]
    return [cluster.number, name(cluster.representative), *numbers, stays, duplicates]


def _duplicate_row(one: ShownDuplicate, representative: Id) -> list[Any]:
    """Return a duplicate as a row: id, words, its pair, and the other side if not the usual."""
    row = [name(one.id), one.n_words, *_said(one.shown)]
    return row if one.shown.left == representative else [*row, name(one.shown.left)]


def pair_rows(pairs: Iterable[ShownPair], threshold: float) -> Iterator[tuple[ShownPair, str]]:
    """Yield pairs near the threshold as rows for the script."""
    for shown in pairs:
        about = name(shown.left), name(shown.right), int(shown.together)
        yield shown, as_json([*about, rule(shown.pair, threshold), *_said(shown)])


def places(
    shown: Shown, numbers: Mapping[tuple[str, str], int]
) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Yield, for each pair that can be opened, its cluster, its place there and its number.

    Pairs near the threshold stand in cluster 0.
    """
    lists = [(0, list(shown.borderline))]
    lists += ((one.number, [entry.shown for entry in one.duplicates]) for one in shown.clusters)
    for cluster, pairs in lists:
        for place, pair in enumerate(pairs):
            number = numbers.get(pair.sides)
            if number is not None:
                yield (row := (cluster, place, number)), as_json(row)


def _said(shown: ShownPair) -> tuple[Any, ...]:
    """Return the measures of a pair, its relation and its reason."""
    pair = shown.pair
    return (
        *(float(f"{value:.6g}") for value in (pair.score, pair.containment, pair.jaccard)),
        short(pair.relation),
        short(pair.reason, 2 * MAX_ID),
    )

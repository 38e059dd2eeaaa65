"""Texts with the stories they tell: what a benchmark is run on, and how it is read.

A *collection* comes from a folder of text files beside a list of their stories, from
one file of JSON Lines, or from the development pages with unrelated articles mixed
in. Generated ones are written by `traps`.
"""

import csv
import gzip
import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Labelled = tuple[str, str, bool]

GOLD_NAMES = ("gold.csv", "gold.json")
OPENERS = {".xz": lzma.open, ".gz": gzip.open}
FALSE_WORDS = ("", "0", "false", "no", "different")

UNJUDGED = Path(__file__).with_name("unjudged.json")
"""Pairs of mixed-in articles that are one text, and how they were judged."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Texts, and which of them are the same story.

    Attributes
    ----------
    name : str
    texts : dict from id to text
    stories : dict from id to story or None
        None where more than one answer is right; see `forbidden`.
    forbidden : tuple of (id, id)
        Pairs that must not be joined, beside those of different stories.
    labelled : tuple of (id, id, bool)
        When not empty, these pairs are judged and `stories` is not.
    unjudged : frozenset of frozensets of two stories
        Stories of which it is not known whether they are one.
    mixed_in : frozenset of id
        Unrelated documents that were added.
    series, at : str, float
        The curve that a collection is a point of, and where.
    """

    name: str
    texts: dict[str, str]
    stories: dict[str, str | None]
    forbidden: tuple[tuple[str, str], ...] = ()
    labelled: tuple[Labelled, ...] = ()
    unjudged: frozenset[frozenset[str]] = frozenset()
    mixed_in: frozenset[str] = frozenset()
    series: str = ""
    at: float = 0.0


def read_collection(
    path: Path, gold: str | None = None, *, id_field: str = "id", text_field: str = "text"
) -> Collection:
    """Read a folder of ``*.txt`` or a file of JSON Lines, compressed or not.

    Parameters
    ----------
    path : Path
    gold : str, optional
        Of JSON Lines: the field with the story, ``story`` by default. Of a folder,
        or of either when it names a file: a CSV with the columns ``id,story`` or
        ``left,right,same``, or a JSON object from ids to stories or list of
        ``[left, right, same]``. In a folder ``gold.csv`` or ``gold.json`` is found.
        Ids of a folder are paths within it.
    """
    apart = Path(gold) if gold and Path(gold).is_file() else None
    if path.is_dir():
        files = sorted(path.rglob("*.txt"))
        texts = {
            file.relative_to(path).as_posix(): file.read_text("utf-8", "replace") for file in files
        }
        return _with_gold(path.name, texts, apart or _gold_of(path))
    rows = list(read_lines(path))
    texts = {row[id_field]: row[text_field] for row in rows}
    if apart:
        return _with_gold(path.name, texts, apart)
    return Collection(path.name, texts, {row[id_field]: row[gold or "story"] for row in rows})


def read_pages(pages: Path, mix: Path | None = None) -> Collection:
    """Read the development pages, the gold in their field ``page``, with articles mixed in.

    A mixed-in article is a story of its own, unless another has the very same words.
    Those known to be copies, with light edits, of each other are not judged.
    """
    rows = list(read_lines(pages))
    texts = {row["id"]: row["text"] for row in rows}
    stories: dict[str, str | None] = {row["id"]: row["page"] for row in rows}
    mixed = {row["id"]: row["text"] for row in read_lines(mix)} if mix else {}
    stories |= {name: " ".join(text.casefold().split()) for name, text in mixed.items()}
    copies = [
        pair for pair in json.loads(UNJUDGED.read_text("utf-8"))["pairs"] if mixed.keys() >= {*pair}
    ]
    unjudged = frozenset(frozenset(stories[name] or "" for name in pair) for pair in copies)
    name = f"{len(rows)} pages" + (f", {len(mixed)} articles mixed in" if mixed else "")
    return Collection(name, texts | mixed, stories, unjudged=unjudged, mixed_in=frozenset(mixed))


def texts_of(path: Path) -> Iterator[str]:
    """Yield the texts of JSON Lines with a field ``text``, or of the .txt in a folder."""
    if path.is_dir():
        yield from (file.read_text("utf-8", "replace") for file in sorted(path.rglob("*.txt")))
    else:
        yield from (row["text"] for row in read_lines(path))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON Lines, .xz or .gz or plain."""
    opener: Any = OPENERS.get(path.suffix, open)
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _gold_of(folder: Path) -> Path:
    """Return the file with the gold of a folder."""
    for name in GOLD_NAMES:
        if (folder / name).exists():
            return folder / name
    raise SystemExit(f"{folder} must hold {' or '.join(GOLD_NAMES)}, or name one with --gold")


def _with_gold(name: str, texts: dict[str, str], path: Path) -> Collection:
    """Join texts with the stories or the labelled pairs of a file of their own."""
    stories, labelled = _read_gold(path)
    unknown = (
        stories.keys() | {d for left, right, _ in labelled for d in (left, right)}
    ) - texts.keys()
    if unknown:
        raise SystemExit(f"{path} names documents that are not there, such as {min(unknown)!r}")
    return Collection(name, texts, {d: stories.get(d) for d in texts}, labelled=tuple(labelled))


def _read_gold(path: Path) -> tuple[dict[str, str], list[Labelled]]:
    """Read stories or labelled pairs."""
    if path.suffix == ".json":
        facts = json.loads(path.read_text("utf-8"))
        if isinstance(facts, dict):
            return {d: str(story) for d, story in facts.items()}, []
        return {}, [(left, right, bool(same)) for left, right, same in facts]
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if rows and "left" in rows[0]:
        return {}, [(row["left"], row["right"], _is_same(row["same"])) for row in rows]
    return {row["id"]: row["story"] for row in rows}, []


def _is_same(word: str) -> bool:
    return word.strip().casefold() not in FALSE_WORDS

"""A crawl on disk: one file of JSON Lines or a file for each document, beside its gold.

Files are a thousand to a folder. The gold says of each document which story it has,
how it was made, from which other document, and how many bytes of UTF-8 it has.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from collection import read_lines

__all__ = ["Gold", "name_of", "read_gold", "read_texts", "unpack", "write"]

CHUNK = 1000
"""Files in a folder."""


class Gold(NamedTuple):
    """What is known of a document."""

    id: str
    story: str
    kind: str
    made_from: str
    n_bytes: int

    @property
    def is_planted(self) -> bool:
        """Whether it is to be found together with the document that it was made from."""
        return self.made_from not in ("", self.id)


class Item(Protocol):
    """A document as `crawl` makes it."""

    id: str
    text: str
    story: str
    kind: str
    made_from: str


def write(items: Iterable[Item], target: Path) -> None:
    """Write documents as JSON Lines, or a file for each if the target has no suffix."""
    stored = _into_lines if target.suffix else _into_files
    with _gold_of(target).open("w", encoding="utf-8", newline="") as rows:
        table = csv.writer(rows)
        table.writerow(Gold._fields)
        for item in stored(items, target):
            n_bytes = len(item.text.encode())
            table.writerow(Gold(item.id, item.story, item.kind, item.made_from, n_bytes))


def unpack(path: Path, folder: Path) -> None:
    """Write a crawl of JSON Lines anew, with a file for each document."""
    for place, (name, text) in enumerate(read_texts(path)):
        _write_file(folder, place, name, text)
    _gold_of(folder).write_bytes(_gold_of(path).read_bytes())


def read_gold(path: Path) -> list[Gold]:
    """Return what is known of each document of a crawl, in the order of its documents."""
    with _gold_of(path).open(encoding="utf-8", newline="") as lines:
        return [Gold(**{**row, "n_bytes": int(row["n_bytes"])}) for row in csv.DictReader(lines)]


def read_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each document of a crawl, in order."""
    if path.is_dir():
        for file in sorted(path.rglob("*.txt")):
            yield file.stem, file.read_text("utf-8")
    else:
        for row in read_lines(path):
            yield row["id"], row["text"]


def name_of(document: str) -> str:
    """Return the name of a document that is known by its name or by its path.

    >>> name_of("crawl/0000/00000042.txt"), name_of("00000042")
    ('00000042', '00000042')
    """
    return Path(document).stem


def _gold_of(path: Path) -> Path:
    """Return where the gold of a crawl lies."""
    return path.with_name(f"{path.stem}.gold.csv")


def _into_lines(items: Iterable[Item], target: Path) -> Iterator[Item]:
    """Write each document as a line, and yield it."""
    with target.open("w", encoding="utf-8") as lines:
        for item in items:
            row = {"id": item.id, "text": item.text}
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            yield item


def _into_files(items: Iterable[Item], target: Path) -> Iterator[Item]:
    """Write each document as a file, and yield it."""
    for place, item in enumerate(items):
        _write_file(target, place, item.id, item.text)
        yield item


def _write_file(target: Path, place: int, name: str, text: str) -> None:
    folder = target / f"{place // CHUNK:04d}"
    if place % CHUNK == 0:
        folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(text, "utf-8", newline="\n")

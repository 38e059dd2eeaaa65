"""Reads what a person says of pairs of documents: whether they are one story.

Labels come from the report as a file, or from a program as a mapping. What they say
of thresholds is left to `dedupe.results.calibration`.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from reprlib import repr as short
from typing import Any

from dedupe.documents.document import fault_of
from dedupe.errors import InvalidLabels, NoSuchPath
from dedupe.ids import Id, checked_id, order_of, plain_id

__all__ = ["Labels", "labels_by_pair", "read_labels"]

FORMAT = "dedupe-labels"
FORMAT_VERSION = 1

Labels = Mapping[tuple[Id, Id], bool]


def read_labels(text: str | bytes) -> dict[tuple[Id, Id], bool]:
    """Read what the report exported: whether two documents are one story, by their ids.

    >>> label = '{"left": "a", "right": "b", "same_story": true}'
    >>> read_labels('{"format": "dedupe-labels", "version": 1, "labels": [%s]}' % label)
    {('a', 'b'): True}
    """
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidLabels(f"labels must be JSON, got {fault_of(error)}") from error
    found = (facts.get("format"), facts.get("version")) if isinstance(facts, dict) else None
    if found != (FORMAT, FORMAT_VERSION):
        raise InvalidLabels(
            f"labels must say format {FORMAT!r} and version {FORMAT_VERSION}, "
            f"got {short(found)}: export them from the report of this version of dedupe"
        )
    rows = facts.get("labels")
    if not isinstance(rows, list):
        raise InvalidLabels(f"labels must be a list, got {type(rows).__name__}")
    return _joined(_label(number, row) for number, row in enumerate(rows, start=1))


def labels_by_pair(labels: str | os.PathLike[str] | Labels) -> dict[tuple[Id, Id], bool]:
    """Return labels that were handed over as a file or a mapping, each pair once.

    >>> labels_by_pair({("b", "a"): True})
    {('a', 'b'): True}
    """
    if isinstance(labels, str | os.PathLike):
        labels = read_labels(_read(Path(labels)))
    return _joined(_given(labels))


def _given(labels: Any) -> Iterator[tuple[Id, Id, bool]]:
    """Yield the labels of a mapping."""
    if not isinstance(labels, Mapping):
        raise InvalidLabels(
            "labels must be a path or a mapping of (id, id) to bool, "
            f"got {type(labels).__name__}: hand over what the report exported"
        )
    for sides, same in labels.items():
        match sides, same:
            case (left, right), bool() if _is_id(left) and _is_id(right):
                yield left, right, same
            case _:
                raise InvalidLabels(
                    "labels must map pairs of ids to True or False, "
                    f"got {sides!r:.200} to {same!r:.200}: write ('a', 'b'): True"
                )


def _is_id(value: object) -> bool:
    """Return whether a value can name a document."""
    try:
        checked_id(plain_id(value))
    except TypeError:
        return False
    return True


def _read(path: Path) -> bytes:
    """Read a file of labels."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NoSuchPath(f"labels must be in a file, got {str(path)!r}: check it") from error
    except OSError as error:
        raise InvalidLabels(f"labels must be in a file that can be read: {error}") from error


def _label(number: int, row: Any) -> tuple[Id, Id, bool]:
    """Read one label."""
    match row:
        case {"left": str(left), "right": str(right), "same_story": bool(same)}:
            return left, right, same
    raise InvalidLabels(
        "a label must have strings 'left' and 'right' and a truth value 'same_story', "
        f"got {row!r:.200} at place {number}: export them again"
    )


def _joined(labels: Iterable[tuple[Id, Id, bool]]) -> dict[tuple[Id, Id], bool]:
    """Return labels by pair, in whichever order its sides were named; once where they agree."""
    joined: dict[tuple[Id, Id], bool] = {}
    for left, right, same in labels:
        low, high = sorted((left, right), key=order_of)
        sides = (low, high)
        if left == right:
            raise InvalidLabels(f"a label must name two documents, got {left!r} twice: remove it")
        if joined.setdefault(sides, same) != same:
            raise InvalidLabels(
                "a pair must have one label, "
                f"got both for {sides[0]!r} and {sides[1]!r}: remove one"
            )
    return joined

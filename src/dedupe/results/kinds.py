"""Reads values of JSON as what the types of a record's fields say they are.

Values are read column by column, the scores of all pairs at once and so on, since a result
may hold millions. Whether the records that come of them belong together is left to
`dedupe.results.soundness`.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from itertools import chain, islice, starmap
from operator import itemgetter
from reprlib import repr as short
from typing import Any, NamedTuple, NoReturn, get_args, get_origin

from dedupe.errors import InvalidResult
from dedupe.ids import Id, id_from_json
from dedupe.results.records import Evidence, Pair, Share, Span, evidence_of

__all__ = ["columns", "read", "refuse", "refuse_any"]


class Rule(NamedTuple):
    """What a plain value must be."""

    said: str
    types: frozenset[type]
    low: float | None = None
    high: float = sys.float_info.max

    def allows(self, value: Any) -> bool:
        """Return whether a value is of the type, and inside the range if there is one."""
        return type(value) in self.types and (self.low is None or self.low <= value <= self.high)


NUMBERS = frozenset((int, float))
RULES = {
    str: Rule("a string", frozenset((str,))),
    bool: Rule("true or false", frozenset((bool,))),
    dict: Rule("an object", frozenset((dict,))),
    list: Rule("a list", frozenset((list,))),
    int: Rule("a whole number from 0 to 2**63 - 1", frozenset((int,)), 0, 2**63 - 1),
    float: Rule("a finite number", NUMBERS, -sys.float_info.max),
    Share: Rule("a number in [0, 1]", NUMBERS, 0, 1),
}

AT_ONCE = 1 << 8
"""Records that are read together: columns of more would keep the garbage collector busy."""


def read(values: list[Any], kind: Any, name: str) -> list[Any]:
    """Return values of JSON, all of one kind, as what they stand for."""
    if kind is Id:
        return _ids(values, name)
    if kind in RULES:
        return _plain(values, RULES[kind], name)
    if is_dataclass(kind):
        return _records(values, kind, name)
    if kind is Span:
        return _spans(values, name)
    if get_origin(kind) is tuple:
        return _tuples(values, get_args(kind)[0], name)
    (wanted,) = (one for one in get_args(kind) if one is not type(None))
    found = iter(read([value for value in values if value is not None], wanted, name))
    return [None if value is None else next(found) for value in values]


def _ids(values: list[Any], name: str) -> list[Id]:
    """Return ids in their own types."""
    if {str}.issuperset(map(type, values)):
        return values
    try:
        return list(map(id_from_json, values))
    except (ValueError, RecursionError):
        refuse(f"{name} must be an id", short(values))


def _plain(values: list[Any], rule: Rule, name: str) -> list[Any]:
    """Return values as they are, if all of them are as a rule says."""
    suspects: Iterable[Any] = values
    if rule.types.issuperset(map(type, values)):
        # Of numbers, the least and the largest speak for all.
        suspects = () if rule.low is None or not values else (min(values), max(values))
    for value in suspects:
        if not rule.allows(value):
            refuse(f"{name} must be {rule.said}", short(value))
    return values


def columns(rows: list[Any], parts: Mapping[str, Any], name: str) -> list[list[Any]]:
    """Return the parts of objects that all have the same, each part of all of them read."""
    _plain(rows, RULES[dict], name)
    try:
        found = [list(map(itemgetter(part), rows)) for part in parts]
        is_alike = {len(parts)}.issuperset(map(len, rows))
    except KeyError:
        is_alike = False
    if not is_alike:
        differing = next(keys for row in rows if (keys := row.keys() ^ parts.keys()))
        refuse(f"{name} must have {', '.join(parts)}", f"a difference in {short(differing)}")
    return [
        read(column, kind, f"{part} of {name}")
        for column, (part, kind) in zip(found, parts.items(), strict=True)
    ]


def _records(rows: list[Any], kind: Any, name: str) -> list[Any]:
    """Return objects as records of one kind."""
    parts = {field.name: field.type for field in fields(kind)}
    if kind is Pair:
        parts["evidence"] = Evidence | None
    found: list[Any] = []
    for start in range(0, len(rows), AT_ONCE):
        values = columns(rows[start : start + AT_ONCE], parts, name)
        if kind is Pair:
            _check_evidence(values[-1])
            values[-1] = list(map(evidence_of, values[-1]))
        found += map(kind, *values)
    return found


def _tuples(values: list[Any], kind: Any, name: str) -> list[tuple[Any, ...]]:
    """Return lists of any length as tuples, what is in all of them read together."""
    items = iter(read(_joined(values, name), kind, name))
    return [tuple(islice(items, len(value))) for value in values]


def _spans(values: list[Any], name: str) -> list[Span]:
    """Return lists of two numbers, the lesser first, as spans."""
    read(_joined(values, name), int, name)
    for value in values:
        if len(value) != 2 or value[0] > value[1]:
            refuse(f"{name} must have a start and an end behind it", short(value))
    return list(starmap(Span, values))


def _joined(values: list[Any], name: str) -> list[Any]:
    """Return what is in lists."""
    _plain(values, RULES[list], name)
    return list(chain.from_iterable(values))


def _check_evidence(found: Iterable[Evidence | None]) -> None:
    """Refuse evidence that says nothing of one of two texts, each of which has words."""
    refuse_any(
        "evidence of a pair must have stretches of both texts",
        (
            [len(one.only_left), len(one.only_right)]
            for one in found
            if one and not (one.passages or (one.only_left and one.only_right))
        ),
    )


def refuse_any(rule: str, found: Iterable[Any]) -> None:
    """Refuse a result that has anything which breaks a rule."""
    for value in found:
        refuse(rule, short(value))


def refuse(rule: str, got: str) -> NoReturn:
    """Refuse a result."""
    raise InvalidResult(f"a result is damaged: {rule}, got {got}: save it again")

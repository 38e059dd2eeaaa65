"""Reads and writes a result as JSON; whatever stands in a file is checked first.

The types of the fields of `dedupe.results.records` say what a value must be. Values are read
column by column, the scores of all pairs at once and so on, since a result may hold
millions. The order of keys in a file belongs to `dedupe.results.result.Result.to_json`.
"""

import base64
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from datetime import timedelta
from itertools import chain, islice, pairwise, starmap
from operator import itemgetter
from reprlib import repr as short
from typing import Any, NamedTuple, NoReturn, get_args, get_origin

from dedupe.documents.document import fault_of
from dedupe.documents.walk import is_path
from dedupe.errors import InvalidResult, InvalidSetting, Skipped
from dedupe.ids import Id, Ids, Old, id_as_json, id_from_json, order_of
from dedupe.results.records import (
    Cluster,
    DocumentInfo,
    Duplicate,
    Evidence,
    Pair,
    Share,
    Span,
    evidence_of,
)
from dedupe.scoring.relations import RELATIONS
from dedupe.settings import Settings

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "facts_from",
    "pair_as_json",
    "record_as_json",
    "settings_as_json",
]

FORMAT = "dedupe-result"
FORMAT_VERSION = 7


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

COUNTS = ("n_documents", "n_words", "n_old", "n_undated")

PARTS = {
    "format": str,
    "version": int,
    "n_documents": int,
    "n_words": int,
    "n_old": int,
    "n_undated": int,
    "settings": dict,
    "clusters": tuple[Cluster, ...],
    "duplicates": tuple[Duplicate, ...],
    "pairs": tuple[Pair, ...],
    "skipped": tuple[Skipped, ...],
    "documents": tuple[DocumentInfo, ...],
    "others": tuple[Id, ...],
    "boilerplate": str,
}


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON has them; a function cannot be saved."""
    keep = "custom" if callable(settings.keep) else settings.keep
    seconds = None if settings.window is None else settings.window.total_seconds()
    return {**asdict(settings), "keep": keep, "window": seconds, "prefer": [*settings.prefer]}


def pair_as_json(pair: Pair) -> dict[str, Any]:
    """Return what JSON says of a pair, its evidence found."""
    evidence = pair.evidence
    return {**record_as_json(pair), "evidence": None if evidence is None else asdict(evidence)}


def record_as_json(record: Any) -> dict[str, Any]:
    """Return a record of plain values as JSON has it, its ids with their types."""
    facts = {}
    for one in fields(record):
        value = getattr(record, one.name)
        if one.type is Id:
            value = id_as_json(value)
        elif one.type == Ids:
            value = list(map(id_as_json, value))
        facts[one.name] = value
    return facts


def facts_from(text: str | bytes) -> dict[str, Any]:
    """Return the fields of a saved result, each of which is as its type says.

    Raises
    ------
    InvalidResult
        When the text is no JSON, of another format or version, when a value is of
        another type or outside its range, or when ids do not tie the records together.
    """
    columns = _columns([_parsed(text)], PARTS, "a result")
    facts = {name: column[0] for name, column in zip(PARTS, columns, strict=True)}
    del facts["format"], facts["version"]
    facts["scored"] = facts.pop("pairs")
    _check_counts(facts)
    _check_pairs(facts["documents"], facts["scored"])
    _check_others(facts["documents"], facts["others"])
    _check_clusters(facts["documents"], facts["clusters"])
    _check_duplicates(facts["documents"], facts["clusters"], facts["duplicates"], facts["scored"])
    try:
        facts["settings"] = _settings_from(facts["settings"])
        facts["boilerplate"] = _boilerplate_from(facts["boilerplate"])
    except KeyError as error:
        _refuse("settings of a result must be complete", f"none for {error}")
    except ValueError as error:
        raise InvalidResult(f"a result is damaged: {error}: save it again") from error
    return facts


def _parsed(text: str | bytes) -> dict[str, Any]:
    """Return the object that a text is, if it is of our format."""
    if isinstance(text, os.PathLike):
        raise _no_result(text)
    try:
        facts = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        # Only now, as a text may be long.
        if is_path(text):
            raise _no_result(text) from error
        raise InvalidResult(
            f"a result must be JSON, got {fault_of(error)}: save it again"
        ) from error
    found = (facts.get("format"), facts.get("version")) if isinstance(facts, dict) else None
    if found != (FORMAT, FORMAT_VERSION):
        raise InvalidResult(
            f"a result must say format {FORMAT!r} and version {FORMAT_VERSION}, "
            f"got {short(found)}: save it again with this version of dedupe"
        )
    return facts  # type: ignore[no-any-return]


def _no_result(path: Any) -> InvalidResult:
    """Say that a path stands where its text goes."""
    return InvalidResult(
        f"a result must be JSON, got {short(path)}, which is a path: give the text that is there, "
        "as Path(...).read_bytes() does"
    )


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"the number {name}")


def _settings_from(row: dict[str, Any]) -> Settings:
    """Rebuild settings, leaving out what follows from the rest."""
    names = ("threshold", "ngram", "num_perm", "seed", "bucket_cap", "boilerplate")
    given: dict[str, Any] = {key: row[key] for key in names}
    (seconds,) = _read([row["window"]], float | None, "window of a result")
    try:
        given["window"] = None if seconds is None else timedelta(seconds=seconds)
    except OverflowError:
        _refuse("window of a result must be a number of seconds that time has", short(seconds))
    (given["prefer"],) = _read([row["prefer"]], tuple[str, ...], "prefer of a result")
    if row["keep"] == "custom":
        # A function cannot be saved. This stands for it until one is given again.
        return replace(Settings(**given), keep=_lost_keep)
    return Settings(**given, keep=row["keep"])


def _lost_keep(_: Sequence[DocumentInfo]) -> DocumentInfo:
    """Stand in for the function that chose the representatives of a saved result."""
    raise InvalidSetting(
        "keep was a function, which JSON cannot hold; to give it again: from dataclasses import "
        "replace; result = replace(result, settings=replace(result.settings, keep=function))"
    )


def _boilerplate_from(text: str) -> bytes:
    """Decode what is boilerplate, and refuse what cannot be: a shingle takes ten bytes."""
    boilerplate = base64.b64decode(text, validate=True)
    if len(boilerplate) % 10:
        raise ValueError(f"boilerplate must have 10 bytes a shingle, got {len(boilerplate)} bytes")
    return boilerplate


# --- values ---


def _read(values: list[Any], kind: Any, name: str) -> list[Any]:
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
    found = iter(_read([value for value in values if value is not None], wanted, name))
    return [None if value is None else next(found) for value in values]


def _ids(values: list[Any], name: str) -> list[Id]:
    """Return ids in their own types."""
    if {str}.issuperset(map(type, values)):
        return values
    try:
        return list(map(id_from_json, values))
    except (ValueError, RecursionError):
        _refuse(f"{name} must be an id", short(values))


def _plain(values: list[Any], rule: Rule, name: str) -> list[Any]:
    """Return values as they are, if all of them are as a rule says."""
    suspects: Iterable[Any] = values
    if rule.types.issuperset(map(type, values)):
        # Of numbers, the least and the largest speak for all.
        suspects = () if rule.low is None or not values else (min(values), max(values))
    for value in suspects:
        if not rule.allows(value):
            _refuse(f"{name} must be {rule.said}", short(value))
    return values


def _columns(rows: list[Any], parts: Mapping[str, Any], name: str) -> list[list[Any]]:
    """Return the parts of objects that all have the same, each part of all of them read."""
    _plain(rows, RULES[dict], name)
    try:
        columns = [list(map(itemgetter(part), rows)) for part in parts]
        is_alike = {len(parts)}.issuperset(map(len, rows))
    except KeyError:
        is_alike = False
    if not is_alike:
        differing = next(keys for row in rows if (keys := row.keys() ^ parts.keys()))
        _refuse(f"{name} must have {', '.join(parts)}", f"a difference in {short(differing)}")
    return [
        _read(column, kind, f"{part} of {name}")
        for column, (part, kind) in zip(columns, parts.items(), strict=True)
    ]


def _records(rows: list[Any], kind: Any, name: str) -> list[Any]:
    """Return objects as records of one kind."""
    parts = {field.name: field.type for field in fields(kind)}
    if kind is Pair:
        parts["evidence"] = Evidence | None
    found: list[Any] = []
    for start in range(0, len(rows), AT_ONCE):
        columns = _columns(rows[start : start + AT_ONCE], parts, name)
        if kind is Pair:
            _check_evidence(columns[-1])
            columns[-1] = list(map(evidence_of, columns[-1]))
        found += map(kind, *columns)
    return found


def _tuples(values: list[Any], kind: Any, name: str) -> list[tuple[Any, ...]]:
    """Return lists of any length as tuples, what is in all of them read together."""
    items = iter(_read(_joined(values, name), kind, name))
    return [tuple(islice(items, len(value))) for value in values]


def _spans(values: list[Any], name: str) -> list[Span]:
    """Return lists of two numbers, the lesser first, as spans."""
    _read(_joined(values, name), int, name)
    for value in values:
        if len(value) != 2 or value[0] > value[1]:
            _refuse(f"{name} must have a start and an end behind it", short(value))
    return list(starmap(Span, values))


def _joined(values: list[Any], name: str) -> list[Any]:
    """Return what is in lists."""
    _plain(values, RULES[list], name)
    return list(chain.from_iterable(values))


def _check_evidence(found: Iterable[Evidence | None]) -> None:
    """Refuse evidence that says nothing of one of two texts, each of which has words."""
    _refuse_any(
        "evidence of a pair must have stretches of both texts",
        (
            [len(one.only_left), len(one.only_right)]
            for one in found
            if one and not (one.passages or (one.only_left and one.only_right))
        ),
    )


# --- ids ---


def _check_counts(facts: dict[str, Any]) -> None:
    """Refuse numbers of all documents that are less than those of what is listed."""
    listed = facts["documents"]
    n_old = sum(document.is_old for document in listed)
    n_words = sum(document.n_words for document in listed)
    _refuse_any(
        "words of the story and of boilerplate must be among those of their document",
        (
            [one.story_words, one.boilerplate_words, one.n_words]
            for one in listed
            if max(one.story_words, one.boilerplate_words) > one.n_words
        ),
    )
    if (
        facts["n_documents"]
        < max(len(listed) + len(facts["others"]), facts["n_old"], facts["n_undated"])
        or facts["n_old"] < n_old
        or facts["n_words"] < n_words
    ):
        numbers = {name: facts[name] for name in COUNTS}
        _refuse("the documents that are listed must be part of all", short(numbers))


def _check_pairs(documents: Sequence[DocumentInfo], pairs: Sequence[Pair]) -> None:
    """Refuse documents and pairs that are listed twice or out of order, and pairs of others."""
    ids = [document.id for document in documents]
    orders = list(map(order_of, ids))
    _refuse_any(
        "the id of an old document must be marked as old, and no other",
        (str(one.id) for one in documents if one.is_old != isinstance(one.id, Old)),
    )
    _refuse_any(
        "documents must be listed once, in the order of their ids",
        (str(ids[number + 1]) for number, _ in _disordered(orders)),
    )
    order = dict(zip(ids, orders, strict=True))
    ranks = [(-one.score, order.get(one.left, ()), order.get(one.right, ())) for one in pairs]
    _refuse_any(
        "pairs must be listed once, the best first",
        ([str(pairs[n + 1].left), str(pairs[n + 1].right)] for n, _ in _disordered(ranks)),
    )
    _refuse_any(
        "a relation must be one of those there are",
        (one.relation for one in pairs if one.relation not in RELATIONS),
    )
    _refuse_any(
        "both documents of a pair must be listed, the one whose id comes first on the left",
        (
            [str(one.left), str(one.right)]
            for one in pairs
            if one.left not in order
            or one.right not in order
            or order[one.left] >= order[one.right]
        ),
    )


def _check_others(documents: Sequence[DocumentInfo], others: Ids) -> None:
    """Refuse other documents that are listed twice, out of order, or as something else, too."""
    _refuse_any(
        "other documents must be listed once, in order",
        (str(others[number + 1]) for number, _ in _disordered(list(map(order_of, others)))),
    )
    known = {document.id for document in documents}
    _refuse_any(
        "other documents must be in no pair, and not old",
        (str(one) for one in others if one in known or isinstance(one, Old)),
    )


def _check_clusters(documents: Sequence[DocumentInfo], clusters: Sequence[Cluster]) -> None:
    """Refuse clusters that cannot be."""
    known = {document.id for document in documents}
    members = [member for cluster in clusters for member in cluster.members]
    _refuse_any("a document must be in one cluster", _repeated(members))
    _refuse_any("members of a cluster must be listed", (m for m in members if m not in known))
    _refuse_any(
        "a representative must be a member of its cluster",
        (one.representative for one in clusters if one.representative not in one.members),
    )


def _check_duplicates(
    documents: Sequence[DocumentInfo],
    clusters: Sequence[Cluster],
    duplicates: Sequence[Duplicate],
    pairs: Sequence[Pair],
) -> None:
    """Refuse duplicates that are not the members of clusters, or of which no pair tells."""
    old = {document.id for document in documents if document.is_old}
    _refuse_any(
        "an old document must not be a duplicate", (d.id for d in duplicates if d.id in old)
    )
    expected = {m: one.representative for one in clusters for m in one.members}
    for cluster in clusters:
        del expected[cluster.representative]
    _refuse_any(
        "a duplicate must be a member of the cluster of what it is a duplicate of, listed once",
        (one.id for one in duplicates if expected.pop(one.id, None) != one.duplicate_of),
    )
    best = {frozenset((d.id, d.best_match)): d.id for d in duplicates}
    for pair in pairs:
        best.pop(frozenset((pair.left, pair.right)), None)
    _refuse_any("a duplicate must have a pair with its best match", best.values())


def _disordered(values: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Yield the number of each value that the next one does not come after, and that one."""
    sides = enumerate(pairwise(values))
    return ((number, after) for number, (before, after) in sides if before >= after)


def _repeated(names: Iterable[Id]) -> list[Id]:
    return [name for name, n in Counter(names).items() if n > 1]


def _refuse_any(rule: str, found: Iterable[Any]) -> None:
    """Refuse a result that has anything which breaks a rule."""
    for value in found:
        _refuse(rule, short(value))


def _refuse(rule: str, got: str) -> NoReturn:
    """Refuse a result."""
    raise InvalidResult(f"a result is damaged: {rule}, got {got}: save it again")

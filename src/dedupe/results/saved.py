"""Writes a result as JSON, and reads it back; whatever stands in a file is checked first.

A value must be what the type of its field says (`dedupe.results.kinds`), and the records must
belong together (`dedupe.results.soundness`).
"""

import base64
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from datetime import timedelta
from reprlib import repr as short
from typing import TYPE_CHECKING, Any, NoReturn

from dedupe.documents.document import fault_of
from dedupe.documents.paths import is_path
from dedupe.errors import InvalidInput, InvalidResult, InvalidSetting, Skipped
from dedupe.ids import Id, Ids, id_as_json
from dedupe.results.alignments import find_together, together
from dedupe.results.kinds import columns, read, refuse
from dedupe.results.records import Cluster, DocumentInfo, Duplicate, Pair
from dedupe.results.soundness import check_sound
from dedupe.settings import Settings

if TYPE_CHECKING:
    from dedupe.results.result import Result

__all__ = [
    "FORMAT",
    "FORMAT_VERSION",
    "as_json",
    "facts_from",
    "pair_as_json",
    "record_as_json",
    "settings_as_json",
]

FORMAT = "dedupe-result"
FORMAT_VERSION = 7

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
"""The keys of a saved result, in their order, and what stands under each."""


def as_json(result: "Result") -> str:
    """Return a result as JSON: one object, keys in the order of `PARTS`, no rounding."""
    facts = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "n_documents": result.n_documents,
        "n_words": result.n_words,
        "n_old": result.n_old,
        "n_undated": result.n_undated,
        "settings": settings_as_json(result.settings) | _follows_from(result.settings),
        "clusters": list(map(record_as_json, result.clusters)),
        "duplicates": list(map(record_as_json, result.duplicates)),
        "pairs": list(_pairs_as_json(result.scored)),
        "skipped": list(map(record_as_json, result.skipped)),
        "documents": list(map(record_as_json, result.documents)),
        "others": list(map(id_as_json, result.others)),
        "boilerplate": base64.b64encode(result.boilerplate).decode(),
    }
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"


def _follows_from(settings: Settings) -> dict[str, Any]:
    """Return what settings imply, for a reader of JSON; nothing reads it back."""
    return {
        "bands": settings.bands,
        "rows": settings.rows,
        "expected_recall": {
            f"{jaccard:g}": settings.expected_recall(jaccard) for jaccard in (0.02, 0.05, 0.1, 0.2)
        },
    }


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON has them; a function cannot be saved."""
    keep = "custom" if callable(settings.keep) else settings.keep
    seconds = None if settings.window is None else settings.window.total_seconds()
    return {**asdict(settings), "keep": keep, "window": seconds, "prefer": [*settings.prefer]}


def _pairs_as_json(pairs: Iterable[Pair]) -> Iterator[dict[str, Any]]:
    """Yield what JSON says of each pair."""
    for some in together(pairs):
        find_together(some)
        yield from map(pair_as_json, some)


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
    read_parts = columns([_parsed(text)], PARTS, "a result")
    facts = {name: column[0] for name, column in zip(PARTS, read_parts, strict=True)}
    check_sound(facts)
    del facts["format"], facts["version"]
    facts["scored"] = facts.pop("pairs")
    try:
        facts["settings"] = _settings_from(facts["settings"])
        facts["boilerplate"] = _boilerplate_from(facts["boilerplate"])
    except KeyError as error:
        refuse("settings of a result must be complete", f"none for {error}")
    except ValueError as error:
        raise InvalidResult(f"a result is damaged: {error}: save it again") from error
    return facts


def _parsed(text: str | bytes) -> dict[str, Any]:
    """Return the object that a text is, if it is of our format."""
    if isinstance(text, os.PathLike):
        raise _no_result(text)
    if not isinstance(text, str | bytes | bytearray):
        raise InvalidInput(
            f"a result must be given as JSON, as str or bytes, got {type(text).__name__}: "
            "give what to_json() returned"
        )
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
    (seconds,) = read([row["window"]], float | None, "window of a result")
    try:
        given["window"] = None if seconds is None else timedelta(seconds=seconds)
    except OverflowError:
        refuse("window of a result must be a number of seconds that time has", short(seconds))
    (given["prefer"],) = read([row["prefer"]], tuple[str, ...], "prefer of a result")
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

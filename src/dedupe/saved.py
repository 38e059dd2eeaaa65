"""Settings and pairs as JSON has them, and back.

The form of a whole result belongs to `dedupe.results.Result.to_json`.
"""

import base64
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from dedupe.errors import InvalidSetting
from dedupe.records import (
    DocumentInfo,
    Evidence,
    Pair,
    Passage,
    Remainder,
    Span,
    Unlisted,
    evidence_of,
)
from dedupe.settings import Settings

__all__ = ["furniture_from", "pair_as_json", "pair_from", "settings_as_json", "settings_from"]


def settings_as_json(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON has them; a function cannot be saved."""
    keep = "custom" if callable(settings.keep) else settings.keep
    return {**asdict(settings), "keep": keep}


def settings_from(row: dict[str, Any]) -> Settings:
    """Rebuild settings, leaving out what follows from the rest."""
    given = {key: row[key] for key in ("threshold", "ngram", "num_perm", "seed", "bucket_cap")}
    if row["keep"] == "custom":
        # A function cannot be saved. This stands for it until one is given again.
        return replace(Settings(**given), keep=_lost_keep)
    return Settings(**given, keep=row["keep"])


def furniture_from(text: str) -> bytes:
    """Decode what is furniture, and refuse what cannot be: a shingle takes ten bytes."""
    furniture = base64.b64decode(text, validate=True)
    if len(furniture) % 10:
        raise ValueError(f"furniture must have 10 bytes a shingle, got {len(furniture)} bytes")
    return furniture


def _lost_keep(_: Sequence[DocumentInfo]) -> DocumentInfo:
    """Stand in for the function that chose the representatives of a saved result."""
    raise InvalidSetting(
        "keep was a function, which JSON cannot hold: "
        "give it again with dataclasses.replace(result, settings=...)"
    )


def pair_as_json(pair: Pair) -> dict[str, Any]:
    """Return what JSON says of a pair, its evidence found."""
    evidence = pair.evidence
    return {**asdict(pair), "evidence": None if evidence is None else asdict(evidence)}


def pair_from(row: dict[str, Any]) -> Pair:
    """Rebuild a pair with its evidence."""
    facts = dict(row)
    evidence = facts.pop("evidence")
    found = None if evidence is None else _evidence(evidence)
    return Pair(**facts, find_evidence=evidence_of(found))


def _evidence(row: dict[str, Any]) -> Evidence:
    """Rebuild the evidence of a pair."""
    passages = tuple(
        Passage(**{**passage, "left": Span(*passage["left"]), "right": Span(*passage["right"])})
        for passage in row["passages"]
    )
    only_left, only_right = (
        tuple(Remainder(**{**rest, "span": Span(*rest["span"])}) for rest in row[side])
        for side in ("only_left", "only_right")
    )
    return Evidence(
        passages,
        only_left,
        only_right,
        float(row["covered_left"]),
        float(row["covered_right"]),
        *(Unlisted(**row[name]) for name in ("more_passages", "more_left", "more_right")),
    )

"""What was found, and the questions people ask of it.

A `Result` can be saved as JSON, loaded elsewhere, given another threshold and
reported without the documents it came from. Only the evidence of a result that was
not saved yet is found when it is asked for, in texts that are kept for it. The
records a result is made of are in `dedupe.records`.
"""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from dedupe import clustering
from dedupe.errors import InvalidResult, InvalidSetting, MissingExtra, Skipped, UnknownDocument
from dedupe.records import (
    Cluster,
    DocumentInfo,
    Duplicate,
    Evidence,
    Pair,
    Passage,
    Remainder,
    Span,
    Unlisted,
    evidence_of,
)
from dedupe.scored import ScoredPairs
from dedupe.settings import SCORE_FLOOR, Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Result",
    "cluster_labels",
    "make_clusters",
    "make_duplicates",
    "pair_facts",
    "settings_facts",
]

FORMAT = "dedupe-result"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Result:
    """Everything that `dedupe.find_duplicates` found.

    Attributes
    ----------
    clusters : tuple of Cluster
        Groups of two documents or more, largest first.
    duplicates : tuple of Duplicate
        What can be dropped, in the order of `clusters`.
    scored : sequence of Pair
        Every candidate whose score is at least 0.1, confirmed or not, the pairs
        that had to be compared to join clusters, and each duplicate with its
        representative; best first. Of identical copies only the pairs with one
        of them, and with the representative, stand here.
    skipped : tuple of Skipped
        What could not be read, with reason and remedy.
    n_documents : int
        Documents that were read.
    settings : Settings
    documents : tuple of DocumentInfo
        The documents that occur in `scored`, ordered by id.
    furniture : bytes
        What `dedupe.compare` learns from this result: see
        `dedupe.furniture.Furniture.to_bytes`.
    """

    clusters: tuple[Cluster, ...]
    duplicates: tuple[Duplicate, ...]
    scored: Sequence[Pair]
    skipped: tuple[Skipped, ...]
    n_documents: int
    settings: Settings
    documents: tuple[DocumentInfo, ...]
    furniture: bytes = b""

    def __repr__(self) -> str:
        return (
            f"<Result: documents={self.n_documents}, clusters={len(self.clusters)}, "
            f"duplicates={len(self.duplicates)}, skipped={len(self.skipped)}>"
        )

    @property
    def pairs(self) -> Sequence[Pair]:
        """The confirmed pairs, those whose score reaches the threshold, best first."""
        scored = self._scored
        return scored.take(np.flatnonzero(scored.scores >= self.settings.threshold))

    @property
    def n_copies(self) -> int:
        """How many documents have exactly the words of another one, not counting that."""
        scored = self._scored
        first = clustering.components(len(scored.ids), scored.numbers[scored.is_identical])
        return int(np.count_nonzero(first != np.arange(first.size)))

    def pair(self, left: str, right: str) -> Pair:
        """Return the scored pair of two documents, in whichever order they are named.

        Raises
        ------
        UnknownDocument
            When the two were never scored together, or below 0.1.
        """
        found = self._find(left, right)
        if found is None:
            raise UnknownDocument(
                f"{min(left, right)!r} and {max(left, right)!r} must have been scored together at "
                f"{SCORE_FLOOR:g} or more: of identical copies ask for the pair with the first of "
                "them"
            )
        return found

    def match(self, duplicate: Duplicate) -> Pair:
        """Return the pair of a duplicate with what stands in for it.

        Where these two were not compared, as can happen with `at`, it is the pair
        with its best match.
        """
        direct = self._find(duplicate.id, duplicate.duplicate_of)
        return direct or self.pair(duplicate.id, duplicate.best_match)

    def pairs_of(self, document: str) -> Sequence[Pair]:
        """Return every scored pair that a document is in, confirmed or not, best first."""
        scored = self._scored
        number = self._numbers.get(document, -1)
        return scored.take(np.flatnonzero((scored.numbers == number).any(axis=1)))

    def borderline(self, n: int = 10) -> Sequence[Pair]:
        """Return the `n` pairs whose scores are nearest to the threshold, nearest first."""
        if n < 0:
            raise InvalidSetting(f"n must be at least 0, got {n}")
        distances = np.abs(self._scored.scores - self.settings.threshold)
        return self._scored.take(np.argsort(distances, kind="stable")[:n])

    def at(self, threshold: float) -> Self:
        """Return the result that another threshold gives, without reading anything again.

        What was not compared is left out of the averages of `dedupe.clustering`, where
        a new run would compare it; so clusters may differ from those of a new run
        where a story has many copies.

        Raises
        ------
        InvalidSetting
            When the threshold lies outside [0.1, 1], or when the result was
            loaded from JSON and its `keep` was a function.
        """
        settings = replace(self.settings, threshold=threshold)
        scored = self._scored
        labels = cluster_labels(
            len(scored.ids),
            scored.numbers,
            scored.scores,
            scored.is_identical,
            threshold=threshold,
        )
        clusters = make_clusters(self.documents, labels, settings.keep)
        return replace(
            self,
            settings=settings,
            clusters=clusters,
            duplicates=make_duplicates(clusters, scored),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a flat record for each member of each cluster, representative first."""
        duplicates = {duplicate.id: duplicate for duplicate in self.duplicates}
        for number, cluster in enumerate(self.clusters, start=1):
            kept = cluster.representative
            yield dict(zip(ROW_FIELDS, (number, kept, "", 1.0, "", ""), strict=True))
            for member in cluster.members:
                if member != kept:
                    row = duplicates[member]
                    direct = self._find(member, kept)
                    verdict = direct.verdict if direct else "different"
                    values = (number, member, kept, row.score, verdict, row.reason)
                    yield dict(zip(ROW_FIELDS, values, strict=True))

    def to_json(self) -> str:
        """Return the result as JSON: one object, keys in a fixed order, no rounding."""
        settings = settings_facts(self.settings) | {
            "bands": self.settings.bands,
            "rows": self.settings.rows,
            "expected_recall": {
                f"{jaccard:g}": self.settings.expected_recall(jaccard)
                for jaccard in (0.02, 0.05, 0.1, 0.2)
            },
        }
        facts = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "n_documents": self.n_documents,
            "settings": settings,
            "clusters": [asdict(cluster) for cluster in self.clusters],
            "duplicates": [asdict(duplicate) for duplicate in self.duplicates],
            "pairs": [pair_facts(pair) for pair in self.scored],
            "skipped": [asdict(skipped) for skipped in self.skipped],
            "documents": [asdict(document) for document in self.documents],
            "furniture": base64.b64encode(self.furniture).decode(),
        }
        return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Rebuild a result from what `to_json` returned.

        Raises
        ------
        InvalidResult
            When the text is no JSON, no result, or of another format version.
        """
        try:
            facts = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidResult(f"a result must be JSON, got {error}") from error
        found = (facts.get("format"), facts.get("version")) if isinstance(facts, dict) else None
        if found != (FORMAT, FORMAT_VERSION):
            raise InvalidResult(
                f"a result must say format {FORMAT!r} and version {FORMAT_VERSION}, "
                f"got {found}: save it again with this version of dedupe"
            )
        try:
            return cls(
                clusters=tuple(
                    Cluster(row["representative"], tuple(row["members"]))
                    for row in facts["clusters"]
                ),
                duplicates=tuple(Duplicate(**row) for row in facts["duplicates"]),
                scored=tuple(_pair(row) for row in facts["pairs"]),
                skipped=tuple(Skipped(**row) for row in facts["skipped"]),
                n_documents=int(facts["n_documents"]),
                settings=_settings(facts["settings"]),
                documents=tuple(DocumentInfo(**row) for row in facts["documents"]),
                furniture=_furniture(facts["furniture"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidResult(f"a result is damaged: {error!r}") from error

    def to_pandas(self) -> "pd.DataFrame":
        """Return `rows` as a data frame: a line for each member of each cluster.

        Raises
        ------
        MissingExtra
            When pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  An optional dependency.
        except ImportError as error:
            raise MissingExtra("a data frame", "pandas") from error
        return pd.DataFrame(list(self.rows()), columns=list(ROW_FIELDS))

    @cached_property
    def _scored(self) -> ScoredPairs:
        """The scored pairs as arrays, whose numbers are places in `documents`."""
        return ScoredPairs.of(self.scored, [document.id for document in self.documents])

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The places of documents in `documents`."""
        return {name: number for number, name in enumerate(self._scored.ids)}

    def _find(self, one: str, other: str) -> Pair | None:
        """Return the scored pair of two documents, if there is one."""
        numbers = self._numbers.get(one), self._numbers.get(other)
        if None in numbers:
            return None
        place = int(self._scored.places([numbers])[0])
        return None if place < 0 else self._scored[place]


ROW_FIELDS = ("cluster", "id", "duplicate_of", "score", "verdict", "reason")


def cluster_labels(
    n_docs: int,
    pairs: npt.NDArray[np.signedinteger[Any]],
    scores: npt.NDArray[np.float64],
    is_identical: npt.NDArray[np.bool_],
    *,
    threshold: float,
    ask: clustering.Ask | None = None,
) -> npt.NDArray[np.int64]:
    """Return the cluster of each document, by average linkage over the scored pairs.

    Identical copies stand for one document, so that the number of copies has no
    weight. `ask` gives the scores of pairs that are not among `pairs`; without it
    they are left out.
    """
    first_copy = clustering.components(n_docs, pairs[is_identical])
    # The pairs of copies say what those of their originals do.
    is_original = (first_copy[pairs] == pairs).all(axis=1)
    labels = clustering.average_linkage(
        n_docs,
        pairs[is_original],
        np.where(scores >= SCORE_FLOOR, scores, 0)[is_original],
        threshold=threshold,
        missing=None,
        ask=ask,
    )
    return labels[first_copy]


def make_clusters(
    documents: Sequence[DocumentInfo],
    labels: npt.NDArray[np.int64],
    keep: str | Callable[..., Any],
) -> tuple[Cluster, ...]:
    """Gather documents by label and choose the representative of each group."""
    groups: dict[int, list[DocumentInfo]] = {}
    shared = np.flatnonzero(np.bincount(labels)[labels] > 1)
    for number, label in zip(shared.tolist(), labels[shared].tolist(), strict=True):
        groups.setdefault(label, []).append(documents[number])
    clusters = [
        Cluster(_representative(group, keep).id, tuple(document.id for document in group))
        for group in groups.values()
    ]
    return tuple(sorted(clusters, key=lambda cluster: (-len(cluster), cluster.members)))


def make_duplicates(clusters: Sequence[Cluster], scored: ScoredPairs) -> tuple[Duplicate, ...]:
    """Say of each member but the representative what stands in for it, and why."""
    numbers = {name: number for number, name in enumerate(scored.ids)}
    best = _best_matches(clusters, scored, numbers)
    sides = [
        (numbers[member], numbers[cluster.representative])
        for cluster in clusters
        for member in cluster.members
        if member != cluster.representative
    ]
    direct = scored.places(sides).tolist()
    return tuple(
        _duplicate(scored.ids[member], scored.ids[kept], scored[best[member]], pair)
        for (member, kept), pair in zip(
            sides, (None if place < 0 else scored[place] for place in direct), strict=True
        )
    )


def _best_matches(
    clusters: Sequence[Cluster], scored: ScoredPairs, numbers: dict[str, int]
) -> dict[int, int]:
    """Return the place of the best pair that each member has within its cluster."""
    cluster_of = np.full(len(scored.ids), -1)
    for number, cluster in enumerate(clusters):
        cluster_of[[numbers[member] for member in cluster.members]] = number
    sides = cluster_of[scored.numbers]
    inside = np.flatnonzero((sides[:, 0] == sides[:, 1]) & (sides[:, 0] >= 0))
    members = scored.numbers[inside].T.ravel()
    others = scored.numbers[inside][:, ::-1].T.ravel()
    places = np.concatenate([inside, inside])
    order = np.lexsort((others, -scored.scores[places], members))
    found, first = np.unique(members[order], return_index=True)
    return dict(zip(found.tolist(), places[order][first].tolist(), strict=True))


def _duplicate(member: str, kept: str, best: Pair, direct: Pair | None) -> Duplicate:
    """Describe one member by its best pair and by that with the representative."""
    best_match = best.other(member)
    return Duplicate(
        id=member,
        duplicate_of=kept,
        score=direct.score if direct else 0.0,
        best_match=best_match,
        best_score=best.score,
        reason=direct.reason if direct else f"matches {best_match}: {best.reason}",
    )


def _representative(group: Sequence[DocumentInfo], keep: str | Callable[..., Any]) -> DocumentInfo:
    """Choose the document to keep; the first id wins a tie."""
    if callable(keep):
        chosen = keep(tuple(group))
        if chosen not in group:
            raise InvalidSetting(f"keep must return one of the documents given, got {chosen!r}")
        return chosen  # type: ignore[no-any-return]
    return min(group, key=lambda document: (KEYS[keep](document), document.id))


KEYS: dict[str, Callable[[DocumentInfo], float]] = {
    "longest": lambda document: -document.n_words,
    "shortest": lambda document: document.n_words,
    "first": lambda document: document.position,
    # A document without a time is older than any that has one.
    "newest": lambda document: float("inf") if document.time is None else -document.time,
}


def settings_facts(settings: Settings) -> dict[str, Any]:
    """Return settings as JSON has them; a function cannot be saved."""
    keep = "custom" if callable(settings.keep) else settings.keep
    return {**asdict(settings), "keep": keep}


def _settings(row: dict[str, Any]) -> Settings:
    """Rebuild settings, leaving out what follows from the rest."""
    given = {key: row[key] for key in ("threshold", "ngram", "num_perm", "seed", "bucket_cap")}
    if row["keep"] == "custom":
        # A function cannot be saved. This stands for it until one is given again.
        return replace(Settings(**given), keep=_lost_keep)
    return Settings(**given, keep=row["keep"])


def _furniture(text: str) -> bytes:
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


def pair_facts(pair: Pair) -> dict[str, Any]:
    """Return what JSON says of a pair, its evidence found."""
    facts = {one.name: getattr(pair, one.name) for one in fields(pair)}
    facts.pop("find_evidence")
    return {**facts, "evidence": None if pair.evidence is None else asdict(pair.evidence)}


def _pair(row: dict[str, Any]) -> Pair:
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

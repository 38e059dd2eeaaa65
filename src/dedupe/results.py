"""What was found, and the questions people ask of it.

Nothing here reads a file or holds a whole corpus. A `Result` is self-contained:
it can be saved as JSON, loaded elsewhere, given another threshold and reported
without the documents it came from. The records it is made of are in `dedupe.records`.
"""

import base64
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

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
)
from dedupe.settings import SCORE_FLOOR, Settings

if TYPE_CHECKING:
    import pandas as pd

    from dedupe.documents import Document

__all__ = ["Result", "cluster_labels", "make_clusters", "make_duplicates"]

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
    scored : tuple of Pair
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
    scored: tuple[Pair, ...]
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
    def pairs(self) -> tuple[Pair, ...]:
        """The confirmed pairs, those whose score reaches the threshold, best first."""
        return tuple(pair for pair in self.scored if pair.score >= self.settings.threshold)

    def pair(self, left: str, right: str) -> Pair:
        """Return the scored pair of two documents, in whichever order they are named.

        Raises
        ------
        UnknownDocument
            When the two were never scored together, or below 0.1.
        """
        left, right = min(left, right), max(left, right)
        for pair in self.scored:
            if pair.left == left and pair.right == right:
                return pair
        raise UnknownDocument(
            f"{left!r} and {right!r} must have been scored together at {SCORE_FLOOR:g} or more: "
            "of identical copies ask for the pair with the first of them"
        )

    def pairs_of(self, document: str) -> tuple[Pair, ...]:
        """Return every scored pair that a document is in, confirmed or not, best first."""
        return tuple(pair for pair in self.scored if document in (pair.left, pair.right))

    def borderline(self, n: int = 10) -> tuple[Pair, ...]:
        """Return the `n` pairs whose scores are nearest to the threshold, nearest first."""
        if n < 0:
            raise InvalidSetting(f"n must be at least 0, got {n}")
        threshold = self.settings.threshold
        return tuple(sorted(self.scored, key=lambda pair: abs(pair.score - threshold))[:n])

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
        scored = {(pair.left, pair.right): pair for pair in self.scored}
        labels = cluster_labels(self.documents, scored, threshold)
        clusters = make_clusters(self.documents, labels, settings.keep)
        return replace(
            self,
            settings=settings,
            clusters=clusters,
            duplicates=make_duplicates(clusters, scored),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a flat record for each member of each cluster, representative first."""
        verdicts = {(pair.left, pair.right): pair.verdict for pair in self.scored}
        duplicates = {duplicate.id: duplicate for duplicate in self.duplicates}
        for number, cluster in enumerate(self.clusters, start=1):
            kept = cluster.representative
            yield dict(zip(ROW_FIELDS, (number, kept, "", 1.0, "", ""), strict=True))
            for member in cluster.members:
                if member != kept:
                    row = duplicates[member]
                    verdict = verdicts.get((min(member, kept), max(member, kept)), "different")
                    values = (number, member, kept, row.score, verdict, row.reason)
                    yield dict(zip(ROW_FIELDS, values, strict=True))

    def to_json(self) -> str:
        """Return the result as JSON: one object, keys in a fixed order, no rounding."""
        settings = asdict(self.settings)
        if callable(self.settings.keep):
            settings["keep"] = "custom"
        settings |= {
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
            "pairs": [asdict(pair) for pair in self.scored],
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

    def to_html(
        self,
        path: str | os.PathLike[str],
        texts: "Mapping[str, str] | Iterable[Document | Skipped] | None" = None,
    ) -> None:
        """Write a page to look at the result with: every cluster, and the nearest decisions first.

        The page is one file that needs nothing else and stays under five megabytes;
        what there is no room for is the end of its lists, and it says how much that
        is. The same result and texts give the same bytes.

        Parameters
        ----------
        path : path
            Written in one step, at the end.
        texts : mapping from ids to texts, or iterable of documents, optional
            What was searched, so that the page can show pairs in full: the mapping
            that `dedupe.find_duplicate_texts` was given, or the documents from
            `dedupe.documents.read_paths`. Only the texts that are shown are held.
            Without it the page shows the longest passages of each duplicate, and
            also where a text has changed since the search.

        Raises
        ------
        OSError
            When the file cannot be written.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from pathlib import Path
        >>> import dedupe
        >>> texts = {"a": "the council voted to close the bridge for repairs " * 5}
        >>> texts["b"] = "home news sport " + texts["a"]
        >>> with TemporaryDirectory() as folder:
        ...     page = Path(folder, "report.html")
        ...     dedupe.find_duplicate_texts(texts).to_html(page, texts)
        ...     "1 of 2 documents is a copy of another" in page.read_text(encoding="utf-8")
        True
        """
        # The one import that points up; pyproject.toml names it among the layers.
        from dedupe.report import html  # noqa: PLC0415

        html.write(self, Path(path), texts)

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


ROW_FIELDS = ("cluster", "id", "duplicate_of", "score", "verdict", "reason")

Scored = Mapping[tuple[str, str], Pair]


def cluster_labels(
    documents: Sequence[DocumentInfo],
    scored: Scored,
    threshold: float,
    ask: Callable[[list[tuple[str, str]]], list[float]] | None = None,
) -> list[int]:
    """Return the cluster of each document, by average linkage over the scored pairs.

    Identical copies stand for one document, so that the number of copies has no
    weight. `ask` gives the scores of pairs that are not in `scored`; without it
    they are left out.
    """
    index = {document.id: i for i, document in enumerate(documents)}
    copy_of = np.arange(len(documents))
    for left, right in sorted(scored):
        if scored[left, right].verdict == "identical":
            copy_of[index[right]] = copy_of[index[left]]
    edges = [
        (
            index[left],
            index[right],
            pair.score if pair.score >= SCORE_FLOOR else 0.0,
        )
        for (left, right), pair in scored.items()
        # The pairs of copies say what those of their originals do.
        if copy_of[index[left]] == index[left] and copy_of[index[right]] == index[right]
    ]
    ids = [document.id for document in documents]
    labels = clustering.average_linkage(
        len(documents),
        edges,
        threshold=threshold,
        missing=None,
        ask=None if ask is None else lambda few: ask([(ids[a], ids[b]) for a, b in few]),
    )
    return [int(label) for label in labels[copy_of]]


def make_clusters(
    documents: Sequence[DocumentInfo],
    labels: Iterable[int],
    keep: str | Callable[..., Any],
) -> tuple[Cluster, ...]:
    """Gather documents by label and choose the representative of each group."""
    groups: dict[int, list[DocumentInfo]] = {}
    for document, label in zip(documents, labels, strict=True):
        groups.setdefault(label, []).append(document)
    clusters = [
        Cluster(_representative(group, keep).id, tuple(document.id for document in group))
        for group in groups.values()
        if len(group) > 1
    ]
    return tuple(sorted(clusters, key=lambda cluster: (-len(cluster), cluster.members)))


def make_duplicates(clusters: Sequence[Cluster], scored: Scored) -> tuple[Duplicate, ...]:
    """Say of each member but the representative what stands in for it, and why."""
    matches: dict[str, list[Pair]] = {}
    for pair in scored.values():
        matches.setdefault(pair.left, []).append(pair)
        matches.setdefault(pair.right, []).append(pair)
    cluster_of = {member: cluster for cluster in clusters for member in cluster.members}
    return tuple(
        _duplicate(
            member,
            cluster.representative,
            {
                other: pair
                for pair in matches[member]
                if cluster_of.get(other := pair.other(member)) is cluster
            },
        )
        for cluster in clusters
        for member in cluster.members
        if member != cluster.representative
    )


def _duplicate(member: str, kept: str, inside: Mapping[str, Pair]) -> Duplicate:
    """Describe one member by its pairs with the rest of its cluster."""
    best_match, best = min(inside.items(), key=lambda item: (-item[1].score, item[0]))
    direct = inside.get(kept)
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


def _pair(row: dict[str, Any]) -> Pair:
    """Rebuild a pair with its evidence."""
    evidence = row["evidence"]
    return Pair(**{**row, "evidence": None if evidence is None else _evidence(evidence)})


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

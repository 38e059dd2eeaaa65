"""Which planted pairs become candidates, beside what theory expects of them.

    python benchmarks/crawl.py crawl.jsonl -n 100000 --deep
    python benchmarks/recall.py crawl.jsonl

Signs a crawl of JSON Lines and looks for candidates as a search does by default, exact
copies collapsed. The similarities of planted pairs are exact. A pair may be lost in
three ways, which are told apart: its signatures agree nowhere, as the S-curve foresees;
the estimate from them lies under the floor; or all buckets that it shares are crowded,
and a crowded bucket links each document to its two largest alone. The last is meant:
copies of one story by hundreds meet at a third one. So there is also a count of pairs
that are *linked*: directly, or through one other document of their story.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crawl import DEEP
from dedupe import Settings
from dedupe.lsh import COSINE_FLOOR, Z, candidate_pairs
from dedupe.minhash import signatures
from dedupe.shingling import digests, hash_shingles
from dedupe.shingling.tokens import hash_encoded
from metrics import overlap
from recall_report import RATES, by_kind, by_similarity
from storage import Gold, read_gold

BINS = (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1)
CONTAINED = 0.5
"""Containment of the pairs that are to become candidates: nearly all of them."""

LINES_AT_ONCE, PAIRS_AT_ONCE = 500, 500

Whole = npt.NDArray[np.int64]
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sketches:
    """What a search keeps of the documents of a crawl, row by row.

    Attributes
    ----------
    row_of : dict from name to row
    places : int64 [shape=(n_docs,)]
        Where the line of each begins.
    n_shingles : int64 [shape=(n_docs,)]
    signatures : uint32 [shape=(n_docs, num_perm)]
    first_copy : int64 [shape=(n_docs,)]
        The first document with the same tokens.
    """

    row_of: dict[str, int]
    places: Whole
    n_shingles: Whole
    signatures: npt.NDArray[np.uint32]
    first_copy: Whole


@dataclass(frozen=True, slots=True)
class Planted:
    """Planted pairs that are not identical, each array with an entry for each.

    Attributes
    ----------
    gold : list of Gold
        What is known of the copy.
    rows : int64 [shape=(n_pairs, 2)]
    jaccard, containment : float64 [shape=(n_pairs,)]
        Exact; `containment` is that of the smaller set in the larger.
    equal : int64 [shape=(n_pairs,)]
        Positions where the signatures agree.
    outcome : dict from one of `RATES` to an array [shape=(n_pairs,)]
        The probability of being found, and which pairs passed each step.
    """

    gold: list[Gold]
    rows: Whole
    jaccard: npt.NDArray[np.float64]
    containment: npt.NDArray[np.float64]
    equal: Whole
    outcome: dict[str, npt.NDArray[Any]]


def measure(path: Path) -> Facts:
    """Return the share of planted pairs that pass each step, by similarity and by kind."""
    settings = Settings()
    gold = read_gold(path)
    sketches = sign(path, settings)
    candidates = find_candidates(sketches, settings)
    planted = follow(path, gold, sketches, candidates, settings)
    kinds = np.array([row.kind for row in planted.gold])
    contained = planted.containment >= CONTAINED
    ordinary = contained & ~np.isin(kinds, list(DEEP))
    edges = [*pairwise(BINS[:-1]), (BINS[-2], np.inf)]
    return {
        "n_documents": len(gold),
        "n_candidates": len(candidates),
        "n_identical": sum(row.is_planted for row in gold) - len(planted.gold),
        "bins": [
            {"low": low, "high": min(high, 1)}
            | rates(planted, (planted.jaccard >= low) & (planted.jaccard < high))
            for low, high in edges
        ],
        "kinds": [
            {"kind": kind} | rates(planted, contained & (kinds == kind))
            for kind in np.unique(kinds).tolist()
        ],
        "containment": CONTAINED,
        "ordinary": rates(planted, ordinary),
        "missed": missed(planted, ordinary, sketches),
    }


def sign(path: Path, settings: Settings) -> Sketches:
    """Hash the documents of a crawl as a search does."""
    row_of: dict[str, int] = {}
    places: list[int] = []
    columns: list[tuple[npt.NDArray[Any], ...]] = []
    for block in _blocks(path):
        places += (place for place, _ in block)
        rows = [json.loads(line) for _, line in block]
        row_of |= {row["id"]: len(row_of) + n for n, row in enumerate(rows)}
        tokens = hash_encoded([row["text"].encode() for row in rows])
        shingles = hash_shingles(tokens, settings.ngram)
        found = signatures(
            shingles.hashes, shingles.offsets, num_perm=settings.num_perm, seed=settings.seed
        )
        columns.append((np.array(digests(tokens)), np.diff(shingles.offsets), found))
    texts, n_shingles, signed = (np.concatenate(column) for column in zip(*columns, strict=True))
    _, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    return Sketches(row_of, np.array(places), n_shingles, signed, first[inverse])


def find_candidates(sketches: Sketches, settings: Settings) -> Whole:
    """Return the candidates by their rows; of identical copies only the first takes part."""
    originals = np.unique(sketches.first_copy)
    pairs = candidate_pairs(
        sketches.signatures,
        sketches.n_shingles[originals],
        rows=originals,
        bucket_cap=settings.bucket_cap,
    )
    return originals[pairs]


def follow(
    path: Path, gold: Sequence[Gold], sketches: Sketches, candidates: Whole, settings: Settings
) -> Planted:
    """Return how far each planted pair came."""
    copies = [row for row in gold if row.is_planted]
    named = [(sketches.row_of[row.id], sketches.row_of[row.made_from]) for row in copies]
    rows = np.sort(sketches.first_copy[np.array(named).reshape(-1, 2)], axis=1)
    differ = rows[:, 0] != rows[:, 1]
    copies, rows = [copies[place] for place in np.flatnonzero(differ)], rows[differ]
    equal = np.array([np.sum(sketches.signatures[a] == sketches.signatures[b]) for a, b in rows])
    jaccard, containment = np.array(list(_similarities(path, sketches.places, rows))).T
    stories = np.array([row.story for row in gold])
    outcome = {
        "expected": np.array([settings.expected_recall(one) for one in jaccard]),
        "agree": equal > 0,
        "possible": (equal > 0) & is_possible(equal, sketches.n_shingles[rows], settings.num_perm),
        "candidate": _are_among(rows, candidates),
        "linked": are_linked(rows, candidates, stories),
    }
    return Planted(copies, rows, jaccard, containment, equal, outcome)


def is_possible(equal: Whole, sizes: Whole, num_perm: int) -> npt.NDArray[np.bool_]:
    """Return which pairs may reach the floor, by the equal positions of their signatures.

    `candidate_pairs` asks the same of each pair before it keeps it, and more of those that agree
    in common values alone.

    Parameters
    ----------
    equal : int64 [shape=(n_pairs,)]
    sizes : int64 [shape=(n_pairs, 2)]
    num_perm : int
    """
    jaccard = equal / num_perm
    jaccard = jaccard + Z * np.sqrt(jaccard * (1 - jaccard) / num_perm)
    shared = jaccard / (1 + jaccard) * sizes.sum(axis=1)
    return np.asarray(shared >= COSINE_FLOOR * np.sqrt(sizes.prod(axis=1)))


def are_linked(
    rows: Whole, candidates: Whole, stories: npt.NDArray[np.str_]
) -> npt.NDArray[np.bool_]:
    """Return which pairs are candidates, or are both candidates of one document of their story.

    >>> stories = np.array(["x", "x", "x", "y"])
    >>> are_linked(np.array([[0, 1], [0, 2]]), np.array([[0, 1], [2, 1]]), stories).tolist()
    [True, True]
    >>> are_linked(np.array([[0, 2]]), np.array([[0, 3], [2, 3]]), stories).tolist()
    [False]
    """
    linked = _are_among(rows, candidates)
    neighbours: dict[int, set[int]] = {}
    for a, b in candidates[stories[candidates[:, 0]] == stories[candidates[:, 1]]].tolist():
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    for place in np.flatnonzero(~linked):
        one, other = (neighbours.get(row, set()) for row in rows[place].tolist())
        linked[place] = not one.isdisjoint(other)
    return linked


def rates(planted: Planted, chosen: npt.NDArray[np.bool_]) -> Facts:
    """Return how many pairs are chosen, and which share of them passed each step."""
    n_pairs = int(chosen.sum())
    shares = {name: float(np.mean(planted.outcome[name][chosen])) for name in RATES if n_pairs}
    return {"n": n_pairs} | shares


def missed(planted: Planted, chosen: npt.NDArray[np.bool_], sketches: Sketches) -> list[Facts]:
    """Return the chosen pairs that are not even linked, and at which step each was lost."""
    outcome = planted.outcome
    found = []
    for place in np.flatnonzero(chosen & ~outcome["linked"]).tolist():
        why = "agree nowhere" if not outcome["agree"][place] else "under the floor"
        copy = planted.gold[place]
        found.append(
            {
                "id": copy.id,
                "made_from": copy.made_from,
                "kind": copy.kind,
                "n_shingles": sketches.n_shingles[planted.rows[place]].tolist(),
                "jaccard": round(float(planted.jaccard[place]), 4),
                "containment": round(float(planted.containment[place]), 4),
                "n_equal": int(planted.equal[place]),
                "why": "in crowded buckets alone" if outcome["possible"][place] else why,
            }
        )
    return found


def _blocks(path: Path) -> Iterator[list[tuple[int, bytes]]]:
    """Yield the lines of a file, some at a time, each with the place where it begins."""
    block: list[tuple[int, bytes]] = []
    place = 0
    with path.open("rb") as lines:
        for line in lines:
            block.append((place, line))
            place += len(line)
            if len(block) == LINES_AT_ONCE:
                yield block
                block = []
    if block:
        yield block


def _similarities(path: Path, places: Whole, rows: Whole) -> Iterator[tuple[float, float]]:
    """Yield the exact similarity and containment of pairs of documents of a file."""
    ngram = Settings().ngram
    with path.open("rb") as file:

        def text(row: int) -> bytes:
            file.seek(places[row])
            return str(json.loads(file.readline())["text"]).encode()

        for first in range(0, len(rows), PAIRS_AT_ONCE):
            some = rows[first : first + PAIRS_AT_ONCE]
            documents = np.unique(some).tolist()
            shingles = hash_shingles(hash_encoded([text(row) for row in documents]), ngram)
            parts = np.split(shingles.hashes, shingles.offsets[1:-1])
            sets = dict(zip(documents, map(np.unique, parts), strict=True))
            yield from (overlap(sets[a], sets[b]) for a, b in some.tolist())


def _are_among(rows: Whole, pairs: Whole) -> npt.NDArray[np.bool_]:
    """Return which rows are among some pairs, whichever document comes first."""
    width = 1 + max(int(rows.max(initial=0)), int(pairs.max(initial=0)))
    keys = [np.sort(each, axis=1) @ np.array([width, 1]) for each in (rows, pairs)]
    return np.isin(*keys)


def main() -> None:
    """Print both tables of a crawl."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, help="a .jsonl file that crawl.py wrote")
    facts = measure(parser.parse_args().path)
    print(by_similarity(facts).markdown(), by_kind(facts).markdown(), sep="\n\n")


if __name__ == "__main__":
    main()

r"""What people run today for the same work, as fast as each library's own API allows.

The shingles are those of every tutorial: words by ``\w+``, joined five by five, as a
set. datasketch gets its fastest hash function and the batch call; rensa gets lists
of strings, and the bulk calls of its index.
"""

import re
from collections.abc import Iterable, Iterator

import xxhash
from datasketch import MinHash, MinHashLSH
from rensa import RMinHash, RMinHashLSH  # type: ignore[import-untyped]

__all__ = [
    "connected",
    "datasketch_clusters",
    "datasketch_sketches",
    "datasketch_sketches_one_by_one",
    "grouped",
    "neighbours",
    "rensa_clusters",
    "rensa_sketches",
    "shingles",
]

N_PERM = 128
NGRAM = 5
THRESHOLD = 0.5

RENSA_BANDS = 32
"""Bands of four rows, whose S-curve rises at 0.42: the division of 128 nearest to 0.5."""


def shingles(text: str) -> set[str]:
    """Return the word 5-grams of a text.

    >>> sorted(shingles("One, two -- three four; five six"))
    ['one two three four five', 'two three four five six']
    """
    words = re.findall(r"\w+", text.lower())
    n_shingles = max(1, len(words) - NGRAM + 1)
    return {" ".join(words[start : start + NGRAM]) for start in range(n_shingles)}


def datasketch_sketches(texts: Iterable[str]) -> list[MinHash]:
    """Return datasketch's signatures, each from one batch."""
    sketches = []
    for text in texts:
        sketch = MinHash(num_perm=N_PERM, hashfunc=xxhash.xxh32_intdigest)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        sketches.append(sketch)
    return sketches


def datasketch_sketches_one_by_one(texts: Iterable[str]) -> list[MinHash]:
    """Return datasketch's signatures with its default hash, as its first example has it."""
    sketches = []
    for text in texts:
        sketch = MinHash(num_perm=N_PERM)
        for shingle in shingles(text):
            sketch.update(shingle.encode())
        sketches.append(sketch)
    return sketches


def rensa_sketches(texts: Iterable[str]) -> list[RMinHash]:
    """Return rensa's signatures over all shingles."""
    sketches = []
    for text in texts:
        sketch = RMinHash(num_perm=N_PERM, seed=42)
        sketch.update(list(shingles(text)))
        sketches.append(sketch)
    return sketches


def datasketch_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: `MinHashLSH` and union-find, unverified."""
    index = MinHashLSH(threshold=THRESHOLD, num_perm=N_PERM)
    sketches = datasketch_sketches(texts)
    for document, sketch in enumerate(sketches):
        index.insert(document, sketch)
    return connected(len(sketches), neighbours(index.query(sketch) for sketch in sketches))


def rensa_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: `RMinHashLSH` and union-find, unverified."""
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=N_PERM, num_bands=RENSA_BANDS)
    sketches = rensa_sketches(texts)
    index.insert_many(sketches)
    return connected(len(sketches), neighbours(index.query_all(sketches)))


def connected(n_docs: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Return the least document that each document is connected with (union-find).

    >>> connected(4, [(3, 1), (1, 0)])
    [0, 0, 2, 0]
    """
    parents = list(range(n_docs))

    def root(document: int) -> int:
        while parents[document] != document:
            parents[document] = parents[parents[document]]
            document = parents[document]
        return document

    for link in links:
        one, other = sorted(map(root, link))
        parents[other] = one
    return [root(document) for document in range(n_docs)]


def grouped(names: Iterable[str], labels: Iterable[int]) -> list[list[str]]:
    """Return the names that have a label in common with another, label by label.

    >>> grouped("abcd", [0, 0, 2, 0])
    [['a', 'b', 'd']]
    """
    groups: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        groups.setdefault(label, []).append(name)
    return [members for members in groups.values() if len(members) > 1]


def neighbours(found: Iterable[Iterable[int]]) -> Iterator[tuple[int, int]]:
    """Return each document with each of those that a query for it gave.

    >>> list(neighbours([[0, 1], [], [1]]))
    [(0, 0), (0, 1), (2, 1)]
    """
    return ((document, other) for document, others in enumerate(found) for other in others)

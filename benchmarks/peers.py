r"""What people run today for the same work, as fast as each library's own API allows.

The shingles are those of every tutorial: words by ``\w+``, joined five by five, as a
set. datasketch gets its fastest hash function and the batch call; rensa and
FastSketchLSH get lists of strings, and the bulk calls of their indexes. gaoya, dedup-rs
and minhashlib cut texts up themselves, the last into characters. Of the other libraries
only datasketch and rensa have to be installed. All of them stop at unverified clusters.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import xxhash
from datasketch import MinHash, MinHashLSH
from rensa import RMinHash, RMinHashLSH  # type: ignore[import-untyped]

__all__ = [
    "CLUSTERS",
    "PACKAGES",
    "connected",
    "datasketch_clusters",
    "datasketch_sketches",
    "datasketch_sketches_one_by_one",
    "dedup_rs_clusters",
    "fastsketch_clusters",
    "fastsketch_sketches",
    "gaoya_clusters",
    "grouped",
    "is_installed",
    "minhashlib_clusters",
    "minhashlib_sketches",
    "neighbours",
    "rensa_clusters",
    "rensa_sketches",
    "shingles",
]

N_PERM = 128
NGRAM = 5
THRESHOLD = 0.5

BANDS, ROWS = 32, 4
"""Bands whose S-curve rises at 0.42: the division of 128 nearest to 0.5."""

N_CHARS, CHARS_THRESHOLD = 3, 0.8
"""What minhashlib's example has: three characters, at which strangers are alike by a half."""


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


def fastsketch_sketches(texts: Iterable[str]) -> npt.NDArray[np.uint32]:
    """Return FastSketchLSH's signatures, a row for each text."""
    from FastSketchLSH import FastSimilaritySketch  # noqa: PLC0415  May not be installed.

    sketch = FastSimilaritySketch(size=N_PERM, seed=42)
    return sketch.batch([list(shingles(text)) for text in texts], num_threads=1)


def minhashlib_sketches(texts: Iterable[str]) -> list[npt.NDArray[np.int64]]:
    """Return minhashlib's signatures, of characters."""
    from minhashlib import MinHash  # noqa: PLC0415  May not be installed.

    minhash = MinHash(num_perm=N_PERM, k=N_CHARS)
    return [minhash.signature(text) for text in texts]


def datasketch_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: `MinHashLSH` and union-find, unverified."""
    index = MinHashLSH(threshold=THRESHOLD, num_perm=N_PERM)
    sketches = datasketch_sketches(texts)
    for document, sketch in enumerate(sketches):
        index.insert(document, sketch)
    return connected(len(sketches), neighbours(index.query(sketch) for sketch in sketches))


def rensa_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: `RMinHashLSH` and union-find, unverified."""
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=N_PERM, num_bands=BANDS)
    sketches = rensa_sketches(texts)
    index.insert_many(sketches)
    return connected(len(sketches), neighbours(index.query_all(sketches)))


def fastsketch_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: FastSketchLSH's index and union-find."""
    from FastSketchLSH import LSH  # noqa: PLC0415  May not be installed.

    sketches = fastsketch_sketches(texts)
    index = LSH(num_perm=N_PERM, num_bands=BANDS)
    index.insert(sketches)
    return connected(len(sketches), neighbours(index.query(sketch) for sketch in sketches))


def gaoya_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: gaoya's `MinHashStringIndex` and union-find.

    It wants lower case, splits at whatever is no letter or digit and makes 5-grams in
    Rust, once for the index and once for the query.
    """
    from gaoya.minhash import MinHashStringIndex  # noqa: PLC0415  May not be installed.

    texts = list(texts)
    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=THRESHOLD,
        num_bands=BANDS,
        band_size=ROWS,
        analyzer="word",
        lowercase=True,
        ngram_range=(NGRAM, NGRAM),
        id_container="vec",
    )
    for document, text in enumerate(texts):
        index.insert_document(document, text)
    return connected(len(texts), neighbours(index.query(text) for text in texts))


def dedup_rs_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text, all of it made in Rust by dedup-rs."""
    from dedup_rs import EmbedFunc  # noqa: PLC0415  May not be installed.

    texts = list(texts)
    numbers = np.arange(len(texts), dtype=np.uint32)
    index = EmbedFunc.from_b_r(BANDS, ROWS, NGRAM, N_PERM, "text", "id", "u32", NGRAM)
    index.batch_embed_shard(texts, numbers)
    clusters = index.cluster()
    return [clusters.find(number) for number in numbers.tolist()]


def minhashlib_clusters(texts: Iterable[str]) -> list[int]:
    """Return a cluster number for each text: minhashlib's `MinHashLSH` and union-find."""
    from minhashlib import MinHashLSH  # noqa: PLC0415  May not be installed.

    index = MinHashLSH(threshold=CHARS_THRESHOLD, num_perm=N_PERM)
    sketches = minhashlib_sketches(texts)
    for document, sketch in enumerate(sketches):
        index.insert(document, sketch)
    return connected(len(sketches), neighbours(index.query(sketch) for sketch in sketches))


CLUSTERS: dict[str, Callable[[Iterable[str]], list[int]]] = {
    "datasketch": datasketch_clusters,
    "rensa": rensa_clusters,
    "gaoya": gaoya_clusters,
    "FastSketchLSH": fastsketch_clusters,
    "dedup-rs": dedup_rs_clusters,
    "minhashlib": minhashlib_clusters,
}
"""The other libraries by the names of their packages, and how each finds clusters."""

PACKAGES = tuple(CLUSTERS)


def is_installed(package: str) -> bool:
    """Return whether one of the other libraries can be imported.

    >>> is_installed("datasketch"), is_installed("no-such-library")
    (True, False)
    """
    return find_spec(package.replace("-", "_")) is not None


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

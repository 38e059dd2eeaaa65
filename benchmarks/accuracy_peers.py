"""What the peers' own pieces make of a collection, at each threshold people use.

None of them returns clusters, so what their users write is written here: an index of
all documents, each looked up in it, and everything that is linked joined. Signatures
and shingles are those of `peers`. rensa's deduplicator keeps a document or drops it
for one that it kept; the two then count as joined.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import xxhash
from datasketch import MinHashLSH
from rensa import RMinHashDeduplicator, RMinHashLSH

from metrics import jaccard
from peers import (
    N_PERM,
    connected,
    datasketch_sketches,
    grouped,
    neighbours,
    rensa_sketches,
    shingles,
)

Texts = Mapping[str, str]
Clusters = list[list[str]]
System = Callable[[Texts], Clusters]

RENSA_BANDS = {0.8: 8, 0.5: 32}
"""Bands that rensa's deduplicator picks for these thresholds; its index asks for them."""


def datasketch_lsh(texts: Texts, *, threshold: float, verify: bool = False) -> Clusters:
    """Join what `MinHashLSH` links; if `verify`, only at the exact Jaccard similarity."""
    names = list(texts)
    sketches = datasketch_sketches(texts.values())
    index = MinHashLSH(threshold=threshold, num_perm=N_PERM)
    for document, sketch in enumerate(sketches):
        index.insert(document, sketch)
    found = neighbours(index.query(sketch) for sketch in sketches)
    links = ((a, b) for a, b in found if a < b)
    if verify:
        sets = [_hashed(text) for text in texts.values()]
        links = ((a, b) for a, b in links if jaccard(sets[a], sets[b]) >= threshold)
    return grouped(names, connected(len(names), links))


def rensa_lsh(texts: Texts, *, threshold: float) -> Clusters:
    """Join what `RMinHashLSH` links; its queries are not verified."""
    sketches = rensa_sketches(texts.values())
    index = RMinHashLSH(threshold=threshold, num_perm=N_PERM, num_bands=RENSA_BANDS[threshold])
    index.insert_many(sketches)
    links = neighbours(index.query_all(sketches))
    return grouped(texts, connected(len(texts), links))


def rensa_deduplicator(texts: Texts, *, threshold: float) -> Clusters:
    """Join each document that `RMinHashDeduplicator` drops with the kept one most like it."""
    sketches = dict(zip(texts, rensa_sketches(texts.values()), strict=True))
    keeper = RMinHashDeduplicator(threshold=threshold, num_perm=N_PERM, use_lsh=True)
    clusters: dict[str, list[str]] = {}
    for name, sketch in sketches.items():
        kept = keeper.get_duplicates(sketch)
        if kept:
            clusters[max(kept, key=lambda other: sketch.jaccard(sketches[other]))].append(name)
        else:
            keeper.add(name, sketch)
            clusters[name] = [name]
    return [members for members in clusters.values() if len(members) > 1]


def _hashed(text: str) -> np.ndarray:
    """Return the shingles of a text as an array of 64-bit numbers without repeats."""
    return np.unique(np.array([xxhash.xxh64_intdigest(s.encode()) for s in shingles(text)], "u8"))


THRESHOLDS = (0.8, 0.7, 0.5, 0.3)

PEERS: dict[str, System] = {
    **{f"datasketch LSH {t}": partial(datasketch_lsh, threshold=t) for t in THRESHOLDS},
    **{
        f"datasketch LSH {t}, verified": partial(datasketch_lsh, threshold=t, verify=True)
        for t in THRESHOLDS
    },
    **{f"rensa deduplicator {t}": partial(rensa_deduplicator, threshold=t) for t in RENSA_BANDS},
    **{f"rensa LSH {t}": partial(rensa_lsh, threshold=t) for t in RENSA_BANDS},
}
"""Every peer at every setting; a family and its threshold end the part before a comma."""

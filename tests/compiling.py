"""Compiles the kernels in two processes at once, for tests that would find none compiled.

Each worker would compile all of them for itself, one after the other. Run as a script with
the name of a part; the parts need few of the same kernels, and take about as long.
"""

import subprocess
import sys

import numpy as np

from dedupe import Index, find_duplicate_texts
from dedupe.lsh import candidate_pairs
from dedupe.minhash import sketch
from dedupe.scoring.alignment import align
from dedupe.scoring.block import Block, prose_of
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.settings import Settings
from dedupe.shingling import hash_tokens

TEXTS = [" ".join(f"w{i}" for i in range(start, start + 60)) for start in (0, 0, 5, 100)]


def compile_words() -> None:
    """Compile what becomes of texts, until pairs of them are candidates."""
    tokens = hash_tokens(TEXTS, detail=True)
    sketches = sketch([text.encode() for text in TEXTS], Settings())
    candidate_pairs(sketches.signatures, sketches.n_shingles)
    block = Block.of(tokens, 5)
    boilerplate = Boilerplate()
    boilerplate.watch(block.shingles)
    boilerplate.count(block.words, np.arange(len(TEXTS)))
    weighed = block.weighed(boilerplate)
    boilerplate.count(weighed.words, np.arange(len(TEXTS)))
    with Index() as index:
        index.add_texts(enumerate(TEXTS), workers=1)
        index.compact()
        index.query(TEXTS[0])


def compile_pairs() -> None:
    """Compile what measures pairs, which knows of texts nothing but arrays; then the rest."""
    offsets = np.array([0, 60, 120])
    shingles, seals = np.arange(120, dtype=np.uint64) % 50, np.zeros(120, np.uint32)
    lines, contents = np.full(120, 10, np.uint8), np.array([1, 2], np.uint64)
    weights = np.ones(120, np.float32)
    for weight, stories in ((None, None), (weights, np.array([0, 1]))):
        prose = prose_of(lines, weight, offsets)
        arrays = (shingles, seals, offsets, offsets, lines, 5, contents, prose, weight, stories)
        align(Block(*arrays), np.array([0]), np.array([1]))
    find_duplicate_texts(TEXTS, workers=1)


PARTS = {"words": compile_words, "pairs": compile_pairs}


def start() -> list[subprocess.Popen[bytes]]:
    """Start to compile, in processes to wait for."""
    return [subprocess.Popen([sys.executable, __file__, name]) for name in PARTS]


if __name__ == "__main__":
    PARTS[sys.argv[1]]()

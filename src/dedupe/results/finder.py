"""From the texts of pairs to their evidence, when somebody asks for it.

The runs of words that two texts share are found in `dedupe.results.runs`, and made into
passages in `dedupe.results.evidence`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe.engine.blocks import short_lines
from dedupe.engine.corpus import Corpus
from dedupe.results import evidence
from dedupe.results.records import Evidence
from dedupe.results.runs import shared_runs
from dedupe.scoring.alignment import Block, contents_of, totals_of
from dedupe.scoring.boilerplate import Furniture
from dedupe.shingling import hash_shingles
from dedupe.shingling.tokens import Tokens, hash_tokens

__all__ = ["EvidenceFinder", "EvidenceOfCorpus", "KeptTexts", "make_block"]

N_LISTED = 8
"""Passages, and remainders of either side, that are listed of each duplicate of a search."""

Whole = npt.NDArray[np.signedinteger[Any]]


class EvidenceFinder:
    """Finds what documents of a few texts share, word by word."""

    def __init__(self, texts: Sequence[str], ngram: int, furniture: Furniture) -> None:
        self.texts = texts
        self.block, self.tokens = make_block(texts, ngram, furniture)

    def find(self, left: int, right: int, limit: int | None = None) -> Evidence:
        """Return the passages that two of the texts share and what only one of them says."""
        # A block is for one thread at a time, and any thread may ask.
        runs, is_furniture = shared_runs(replace(self.block), left, right)
        return evidence.gather(
            (self.texts[left], self.texts[right]),
            (self._spans(left), self._spans(right)),
            runs,
            is_furniture,
            limit,
        )

    def _spans(self, number: int) -> npt.NDArray[np.int32]:
        assert self.tokens.spans is not None
        return self.tokens.spans[self.tokens.offsets[number] : self.tokens.offsets[number + 1]]


class KeptTexts(Mapping[str, str]):
    """Texts of a corpus by id, read from where they are kept when they are asked for.

    Parameters
    ----------
    corpus : Corpus
    numbers : int64 [shape=(n,)]
        The documents that may be asked for.
    ids : sequence of str [shape=(n,)]
        Their ids.
    """

    def __init__(self, corpus: Corpus, numbers: Whole, ids: Sequence[str]) -> None:
        self._stored, self._rows, self._ids = corpus.stored, corpus.rows[numbers], ids

    def __getitem__(self, document: str) -> str:
        return self.at([self._places[document]])[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<{len(self):,} kept texts>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Texts are kept by this process, and another one does without them.
        return dict, ()

    def at(self, places: Sequence[int]) -> list[str]:
        """Return some of the texts by their places."""
        return [text.decode() for text in self._stored.read(self._rows[places].tolist())]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._ids)}


class EvidenceOfCorpus:
    """Finds what two documents share, by their places among texts that are kept.

    Parameters
    ----------
    texts : KeptTexts
    ngram : int
    furniture : bytes
        As `Furniture.to_bytes` returns it, which takes less memory.
    """

    def __init__(self, texts: KeptTexts, ngram: int, furniture: bytes) -> None:
        self._texts = texts
        self._ngram = ngram
        self._furniture = furniture

    def __call__(self, left: int, right: int) -> Evidence:
        """Return the evidence of two documents."""
        texts = self._texts.at([left, right])
        return EvidenceFinder(texts, self._ngram, self._known_furniture).find(0, 1, N_LISTED)

    @cached_property
    def _known_furniture(self) -> Furniture:
        return Furniture.from_bytes(self._furniture)


def make_block(
    texts: Sequence[str], ngram: int, furniture: Furniture | None = None
) -> tuple[Block, Tokens]:
    """Hash some texts for comparison; also return where their tokens stand."""
    tokens = hash_tokens(texts, detail=True)
    shingles = hash_shingles(tokens, ngram)
    weights = None
    if furniture is not None:
        weights = furniture.weights(shingles.hashes, shingles.offsets, tokens.offsets)
    block = Block(
        shingles.hashes,
        shingles.offsets,
        tokens.offsets,
        short_lines(tokens),
        ngram,
        contents_of(shingles.hashes, shingles.offsets),
        np.diff(tokens.offsets).astype(np.float64)
        if weights is None
        else totals_of(weights, tokens.offsets),
        weights,
    )
    return block, tokens

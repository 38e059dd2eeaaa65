"""Compares two documents alone, and says of them what a search among many would."""

import numpy as np

from dedupe.arrays import pairs_of
from dedupe.documents import Document
from dedupe.engine.memory import BlockInMemory
from dedupe.errors import InvalidSetting, NothingToRead
from dedupe.learning import learn, weigh_known
from dedupe.results.evidence import EvidenceFinder
from dedupe.results.pairs import scored_pairs
from dedupe.results.records import Comparison
from dedupe.results.result import Result
from dedupe.scoring import passes
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import NOTHING, Boilerplate, load_boilerplate
from dedupe.settings import Settings
from dedupe.shingling import Sealed, digests, hash_tokens

__all__ = ["compare_documents"]

PAIR = pairs_of([[0, 1]])
"""The only pair there is."""


def compare_documents(
    left: Document,
    right: Document,
    settings: Settings,
    corpus: Result | None = None,
    known: Sealed = NOTHING,
) -> Comparison:
    """Compare two documents, using the boilerplate of a corpus, and what else is known of it."""
    texts = [left.text, right.text]
    tokens = hash_tokens(texts, detail=True)
    block = Block.of(tokens, settings.ngram)
    for document, n_words in zip((left, right), block.n_words, strict=True):
        if n_words == 0:
            raise NothingToRead(f"a text to compare must hold a word, got none in {document.id}")
    block = _weighed(block, corpus, settings, known)
    one, other = digests(tokens)
    # Digests are public, and a text can be made that has those of another.
    sealed = np.split(block.shingles, block.shingle_offsets[1:2])
    if one == other and np.array_equal(sealed[0], sealed[1]):
        rows = passes.identical(PAIR, block.n_words[:1])
    else:
        (rows,) = passes.second(block, PAIR, floor=0.0)
    rows["has_evidence"] = True
    finder = EvidenceFinder(texts, tokens, block)
    return Comparison(
        scored_pairs(rows, [left.id, right.id], settings.threshold, finder.find)[0],
        left.text,
        right.text,
        settings.threshold,
        knows_boilerplate=corpus is not None or known.hashes.size > 0,
    )


def _weighed(block: Block, corpus: Result | None, settings: Settings, known: Sealed) -> Block:
    """Return two documents weighed by a corpus, or else as a search among them alone does."""
    if corpus is not None:
        return block.weighed(_known_to(corpus, settings, known))
    blocks = BlockInMemory(block)
    weigh_known(blocks, known)
    first = passes.first(blocks.block(), PAIR)
    learn(blocks, PAIR, first, known)
    return blocks.block()


def _known_to(corpus: Result, settings: Settings, known: Sealed) -> Boilerplate:
    """Return what a corpus knows of boilerplate, and what else is known of it."""
    if not isinstance(corpus, Result):
        raise InvalidSetting(
            f"corpus must be a Result, got {corpus!r}: load a saved one with Result.from_json"
        )
    if corpus.settings.ngram != settings.ngram:
        raise InvalidSetting(
            f"ngram must be that of the corpus, {corpus.settings.ngram}, got {settings.ngram}"
        )
    if known.hashes.size:
        return Boilerplate.from_bytes(corpus.boilerplate, known)
    return load_boilerplate(corpus.boilerplate)

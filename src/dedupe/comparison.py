"""Two documents alone: what a search among many would say of them, with all they share."""

from functools import lru_cache

import numpy as np

from dedupe.documents import Document
from dedupe.errors import InvalidSetting, NothingToRead
from dedupe.results.finder import EvidenceFinder, make_block
from dedupe.results.records import Comparison
from dedupe.results.result import Result
from dedupe.scoring import alignment
from dedupe.scoring import score as scoring
from dedupe.scoring.boilerplate import Furniture
from dedupe.scoring.passes import identical_facts, make_facts, scored_pairs
from dedupe.settings import Settings
from dedupe.shingling import digests

__all__ = ["compare_documents"]


def compare_documents(
    left: Document, right: Document, settings: Settings, corpus: Result | None = None
) -> Comparison:
    """Compare two documents, with what a corpus says of furniture if there is one."""
    texts = [left.text, right.text]
    block, tokens = make_block(texts, settings.ngram)
    for document, n_words in zip((left, right), block.n_words, strict=True):
        if n_words == 0:
            raise NothingToRead(f"a text to compare must hold a word, got none in {document.id}")
    furniture = _furniture_of_two(block) if corpus is None else _furniture_of(corpus, settings)
    finder = EvidenceFinder(texts, settings.ngram, furniture)
    one, other = digests(tokens)
    if one == other:
        facts = identical_facts(np.array([[0, 1]]), finder.block.n_words[:1])
    else:
        aligned = alignment.align(finder.block, np.array([0]), np.array([1]))
        facts = make_facts(finder.block, aligned, floor=0.0)
    facts["has_evidence"] = True
    return Comparison(
        scored_pairs(facts, [left.id, right.id], finder.find)[0],
        left.text,
        right.text,
        settings.threshold,
        knows_furniture=corpus is not None,
    )


def _furniture_of_two(block: alignment.Block) -> Furniture:
    """Return what two documents alone let one know of furniture: as much as any corpus of two.

    What they share counts half where they may be two stories.
    """
    pair = np.array([0]), np.array([1])
    strict = scoring.strict_score(alignment.align(block, *pair))
    is_one_story = strict[0] >= scoring.STRICT_CONTAINMENT
    furniture = Furniture()
    furniture.watch(alignment.shared_shingles(block, *pair))
    clusters = np.array([0, 0 if is_one_story else 1])
    furniture.count(block.shingles, block.shingle_offsets, clusters)
    return furniture


def _furniture_of(corpus: Result, settings: Settings) -> Furniture:
    """Return what a corpus knows of furniture."""
    if corpus.settings.ngram != settings.ngram:
        raise InvalidSetting(
            f"ngram must be that of the corpus, {corpus.settings.ngram}, got {settings.ngram}"
        )
    return _load(corpus.furniture)


# A caller may compare many pairs with one corpus, one after the other.
_load = lru_cache(maxsize=1)(Furniture.from_bytes)

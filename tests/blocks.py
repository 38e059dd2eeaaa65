"""Blocks of documents made of numbers for words: what tests of alignment and scores share."""

import numpy as np
from hypothesis import strategies as st

from dedupe.scoring.alignment import align
from dedupe.scoring.block import Block, contents_of, prose_of
from dedupe.shingling import hash_shingles, seal_shingles
from dedupe.shingling.tokens import Tokens

# Words are numbers. Few different ones make documents that repeat themselves.
repetitive = st.lists(st.integers(1, 3), min_size=1, max_size=80)

# Paragraphs that are moved, repeated and left out make runs, chains and holes.
PARAGRAPHS = [[100 * p + w for w in range(n)] for p, n in enumerate((3, 6, 8, 9, 12, 25))]
patchwork = st.lists(st.sampled_from([*PARAGRAPHS, [1], [2]]), min_size=1, max_size=12).map(
    lambda parts: [word for part in parts for word in part]
)
documents = repetitive | patchwork
ngrams = st.integers(1, 7)


def make_block(block, ngram=5, lines=None, weights=None, *, seals=None, stories=None):
    """Return documents, given as lists of words, as a block."""
    words = np.array([word for document in block for word in document], np.uint64)
    seals = words.astype(np.uint32) if seals is None else np.concatenate(seals).astype(np.uint32)
    tokens = Tokens(words, np.cumsum([0, *map(len, block)]), seals=seals)
    shingles = hash_shingles(tokens, ngram)
    if lines is None:
        lines = [[10] * len(document) for document in block]
    lines = np.array([n for document in lines for n in document], np.uint8)
    if weights is not None:
        weights = np.array([w for document in weights for w in document], np.float32)
    return Block(
        *seal_shingles(tokens, ngram),
        shingles.offsets,
        tokens.offsets,
        lines,
        ngram,
        contents_of(shingles.hashes, shingles.offsets),
        prose_of(lines, weights, tokens.offsets),
        weights,
        None if stories is None else np.array(stories),
    )


def align_pair(one, other, **options):
    """Align two documents that are lists of words."""
    return align(make_block([one, other], **options), np.array([0]), np.array([1]))


def story(n, first=1000):
    """Return a text of `n` words, all different."""
    return list(range(first, first + n))


EIGHTHS = st.integers(1, 8).map(lambda n: n / 8)


def per_word(data, document, values):
    """Draw a value for each word of a document: the same for words that follow each other."""
    drawn = data.draw(st.lists(values, min_size=1, max_size=4))
    return [drawn[i * len(drawn) // len(document)] for i in range(len(document))]


@st.composite
def pairs_of_documents(draw):
    """Draw two documents, which often are the same words in another order."""
    one = draw(documents)
    return one, draw(st.permutations(one) | documents)

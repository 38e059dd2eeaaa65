"""Turns article text into hashed n-grams.

`folding` makes every spelling of a word one, `tokens` cuts text into words and hashes
them, and `shingles` hashes words that follow each other. What to do with shingles is
left to `dedupe.minhash` and `dedupe.scoring`.
"""

from dedupe.shingling.shingles import (
    Sealed,
    Shingles,
    digests,
    hash_shingles,
    seal_into,
    seal_shingles,
    shingle,
    shingle_offsets,
)
from dedupe.shingling.tokens import Tokens, hash_encoded, hash_tokens, normalize, tokenize

__all__ = [
    "Sealed",
    "Shingles",
    "Tokens",
    "digests",
    "hash_encoded",
    "hash_shingles",
    "hash_tokens",
    "normalize",
    "seal_into",
    "seal_shingles",
    "shingle",
    "shingle_offsets",
    "tokenize",
]

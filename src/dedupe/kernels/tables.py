"""Says where a shingle belongs in a hash table, and what tells it from forgeries.

The hashes of shingles are public, and texts can be made whose hashes agree in any bits
that are chosen. Multiplied by a secret odd number, any two of them fall on one slot
with at most twice the probability of chance (multiplicative hashing; Dietzfelbinger,
Hagerup, Katajainen & Penttonen 1997); a second round also scatters keys at equal
distances. And texts can be made whose shingles have the hashes of others; with the *seals*
of its words (`dedupe.kernels.hashing.sealed`) a shingle has a key that only they have. What
a table answers depends on neither secret, as long as nobody has made such texts.
"""

import secrets

import numpy as np

from dedupe.kernels import compiled

__all__ = ["ODD", "SALT", "home", "sealed_key"]

U = np.uint64

ODD = U(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: what numbers are multiplied by to be put together."""

SALT = U(secrets.randbits(64) | 1)
"""The secret of this process. A kernel is told it, since compiled code outlives a process."""


@compiled
def home(key, salt, mask):
    """Return the slot where the search for a key begins, in a table of ``mask + 1``.

    Parameters
    ----------
    key, salt : uint64
    mask : int
        One less than a power of two of at most ``2 ** 32``.
    """
    h = (key ^ (key >> U(32))) * salt
    h = (h ^ (h >> U(32))) * salt
    # The upper half times the number of slots, of which again the upper half is a slot.
    return np.int64(((h >> U(32)) * U(mask + 1)) >> U(32))


@compiled
def sealed_key(shingle, seals, start, end):
    """Return a number that is the same for shingles whose hashes and words are the same.

    Parameters
    ----------
    shingle : uint64
    seals : uint16 [shape=(n_tokens,)] or None
        See `dedupe.kernels.hashing.sealed`; without them the shingle itself is returned.
    start, end : int
        Its words.
    """
    if seals is None:
        return shingle
    key = shingle
    for w in range(start, end):
        key = key * ODD + U(seals[w])
    return key

"""Says where a shingle belongs in a hash table.

The hashes of shingles are public, and texts can be made whose hashes agree in any bits
that are chosen. Multiplied by a secret odd number, any two of them fall on one slot
with at most twice the probability of chance (multiplicative hashing; Dietzfelbinger,
Hagerup, Katajainen & Penttonen 1997); a second round also scatters keys at equal
distances. What a table answers does not depend on the secret.

Most shingles are in no table, and a *sieve* tells them by one look at a few kilobytes:
it has a bit for an eighth of a slot, set for each shingle in the table (a filter of one
hash; Bloom 1970). Strangers are three times as fast to compare with it.
"""

import os
import secrets

import numpy as np

from dedupe.kernels import compiled

__all__ = ["EMPTY", "SALT", "SECRET", "SLOTS_PER_WORD", "find", "home", "is_in", "sieve_place"]

U = np.uint64

EMPTY = -1
"""Owner of a slot that holds no key."""

SECRET = "DEDUPE_SECRET"
"""The variable of the environment by which processes that work together share a secret."""

SALT = U(int(os.environ.get(SECRET) or secrets.token_hex(8), 16) | 1)
"""The secret of this process. A kernel is told it, since compiled code outlives a process."""


SLOTS_PER_WORD = 8
"""Slots of the table for each word of 64 bits in the sieve."""


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
    return ((h >> U(32)) * U(mask + 1)) >> U(32)


@compiled
def find(key, salt, mask, keys, owners):
    """Return the slot of a key, or the empty slot where it belongs.

    Parameters
    ----------
    key, salt : uint64
    mask : int, as for `home`
    keys : uint64 [shape=(mask + 1 or more,)]
    owners : int [shape=(mask + 1 or more,)]
        `EMPTY` where a slot holds no key; some must be left.
    """
    slot = home(key, salt, mask)
    # In this order, a key that is there is found by one look.
    while keys[slot] != key and owners[slot] != EMPTY:
        slot = (slot + U(1)) & U(mask)
    return slot


@compiled
def is_in(key, salt, sieve, keys, owners):
    """Return whether a table that has a sieve holds a key.

    Parameters
    ----------
    key, salt : uint64
    sieve : uint64 [shape=(n_slots // SLOTS_PER_WORD,)]
    keys : uint64, owners : int [shape=(n_slots,)]
        As for `find`, all slots of them.
    """
    word, bit = sieve_place(key, keys.size - 1)
    if not sieve[word] & bit:
        return False
    return owners[find(key, salt, keys.size - 1, keys, owners)] != EMPTY


@compiled
def sieve_place(shingle, mask):
    """Return the word of the sieve for a shingle, and its bit there.

    They come from bits of the shingle itself: a bit that is set in vain costs a look.

    Parameters
    ----------
    shingle : uint64
    mask : int
        One less than the size of the table.
    """
    word = (shingle >> U(40)) & (U(mask) // U(SLOTS_PER_WORD))
    return word, U(1) << ((shingle >> U(32)) & U(63))

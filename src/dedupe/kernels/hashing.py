"""Computes XXH64 a word at a time, for kernels that build words byte by byte.

The algorithm is that of the xxHash specification (Y. Collet,
https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) with seed 0. The
bytes of a word arrive in an integer, its *lane*, so that no word needs a buffer:
a stripe of four full lanes is folded into `state` as soon as it is complete. Since XXH64
can be inverted, a word has a *seal* as well, which is a hash with a secret key.
"""

import numpy as np

from dedupe.kernels import compiled

__all__ = ["STATE_SIZE", "avalanche", "finish_words", "push_lane", "sealed", "word_hash"]

U = np.uint64
PRIME_1 = U(0x9E3779B185EBCA87)
PRIME_2 = U(0xC2B2AE3D27D4EB4F)
PRIME_3 = U(0x165667B19E3779F9)
PRIME_4 = U(0x85EBCA77C2B2AE63)
PRIME_5 = U(0x27D4EB2F165667C5)

ALL = U(0xFFFFFFFFFFFFFFFF)

# `state` holds the four accumulators and, from here on, the lanes of the open stripe.
STRIPE = 4
STATE_SIZE = 8


@compiled
def _rotate(value, bits):
    """Rotate a uint64 to the left by 1..63 bits."""
    return (value << U(bits)) | (value >> U(64 - bits))


@compiled
def _round(accumulator, lane):
    """Fold a lane into an accumulator; products wrap around on purpose."""
    return _rotate(accumulator + lane * PRIME_2, 31) * PRIME_1


@compiled
def avalanche(h):
    """Spread every bit of a uint64 over all of its bits: the last step of XXH64."""
    h = (h ^ (h >> U(33))) * PRIME_2
    h = (h ^ (h >> U(29))) * PRIME_3
    return h ^ (h >> U(32))


@compiled
def push_lane(state, lane, n_lanes):
    """Take the full lane number `n_lanes` (from 0) of a word into `state`."""
    slot = n_lanes & 3
    state[STRIPE + slot] = lane
    if slot == 3:
        if n_lanes == 3:
            state[0] = PRIME_1 + PRIME_2
            state[1] = PRIME_2
            state[2] = U(0)
            state[3] = U(0) - PRIME_1
        for i in range(4):
            state[i] = _round(state[i], state[STRIPE + i])


@compiled
def word_hash(state, lane, length):
    """Return the XXH64 of a word of `length` bytes.

    `lane` holds the last ``length % 8`` bytes, the first of them lowest; all
    full lanes have gone through `push_lane`.
    """
    if length >= 32:
        h = _rotate(state[0], 1) + _rotate(state[1], 7)
        h += _rotate(state[2], 12) + _rotate(state[3], 18)
        for i in range(4):
            h = (h ^ _round(U(0), state[i])) * PRIME_1 + PRIME_4
    else:
        h = PRIME_5
    h += U(length)
    for i in range((length >> 3) & 3):
        h = _rotate(h ^ _round(U(0), state[STRIPE + i]), 27) * PRIME_1 + PRIME_4
    return avalanche(_tail(h, lane, U(length)))


@compiled
def sealed(seal, lane, salt):
    """Take a lane of a word, zero behind its end, into a hash that only this process can make.

    XXH64 can be inverted, and words can be made whose hashes are those of others. The
    upper 32 bits of this one, a *seal*, agree for two words that differ with a probability
    of about 2**-32, whatever they are (see `dedupe.shingling.seal_shingles`).

    Parameters
    ----------
    seal : uint64, 0 before the first lane
    lane : uint64
    salt : uint64, odd and secret
    """
    # A product hides the lower bits of a difference alone; turned round, another hides the rest.
    return _rotate((seal ^ lane) * salt, 32) * salt


@compiled
def finish_words(lanes, tails, lengths, n_words, salt, seals):
    """Turn the lanes of words of 1..15 bytes into their XXH64, in place.

    Nearly all words are this short. Apart from the loop that reads text, and
    without a branch, eight of them are hashed at a time: 1.2 ns a word, not 20.

    Parameters
    ----------
    lanes, tails : uint64 [shape=(>= n_words,)]
        The first eight bytes of each word and the next eight, first byte lowest;
        whatever stands behind the word is ignored.
    lengths : uint8 [shape=(>= n_words,)], 0 where `lanes` holds a hash already
    n_words : int
    salt : uint64
    seals : uint32 [shape=(>= n_words,)] or None
        The seal of each word, overwritten but where its length is 0.
    """
    if seals is not None:
        for i in range(n_words):
            length = U(lengths[i])
            # A shift by 64 bits or more leaves what it is given, on some machines.
            first = lanes[i] & (ALL >> (U(64) - U(8) * min(max(length, U(1)), U(8))))
            n_behind = U(8) * (max(length, U(8)) - U(8))
            second = tails[i] & ((U(1) << n_behind) - U(1))
            seal = sealed(sealed(U(0), first, salt), second, salt) >> U(32)
            seals[i] = seal if length != U(0) else seals[i]
    for i in range(n_words):
        length = U(lengths[i])
        first = lanes[i]
        h = PRIME_5 + length
        with_lane = _rotate(h ^ _round(U(0), first), 27) * PRIME_1 + PRIME_4
        h = with_lane if length >= U(8) else h
        # All ones for the second lane. To choose between two places would be to read one of
        # them, which is not done for eight words at a time, and takes five times as long.
        chooses = U(0) - (length >> U(3))
        lane = first ^ ((first ^ tails[i]) & chooses)
        h = avalanche(_tail(h, lane, length))
        lanes[i] = h if length != U(0) else first


@compiled
def _tail(h, lane, length):
    """Fold the last ``length % 8`` bytes into a hash, without a branch."""
    has_four = (length & U(4)) != U(0)
    with_four = _rotate(h ^ ((lane & U(0xFFFFFFFF)) * PRIME_1), 23) * PRIME_2 + PRIME_3
    h = with_four if has_four else h
    lane = lane >> U(32) if has_four else lane
    n_single = length & U(3)
    for i in range(3):
        with_byte = _rotate(h ^ ((lane & U(0xFF)) * PRIME_5), 11) * PRIME_1
        h = with_byte if U(i) < n_single else h
        lane >>= U(8)
    return h

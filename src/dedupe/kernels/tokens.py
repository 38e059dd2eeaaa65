"""UTF-8 to token hashes, in one pass over the bytes.

What a character becomes and what it does to the word being read stands in one
table with an entry for each code point, which `dedupe.text` builds. An entry is
a uint64:

======  ====================================================================
bits    meaning
======  ====================================================================
0-31    the UTF-8 bytes of the folded character, first byte lowest; for an
        expansion, the index of its first entry in `expansions`
32-36   how many bytes, or how many entries
37-39   kind: one of the constants below
40      the character may compose or reorder with what stands before it
41-46   rank of its canonical combining class, 0 for a starter
======  ====================================================================
"""

import numpy as np
from numba import njit

from dedupe.kernels.hashing import finish_words, push_lane, word_hash

__all__ = [
    "CHARACTER",
    "EXPANSION",
    "KIND_SHIFT",
    "LENGTH_SHIFT",
    "LINE_END",
    "MARK",
    "RANK_SHIFT",
    "SEPARATOR",
    "UNSTABLE_SHIFT",
    "VANISHING",
    "WORD",
    "tokens_into",
]

SEPARATOR = 0
WORD = 1
CHARACTER = 2
MARK = 3
VANISHING = 4
EXPANSION = 5
LINE_END = 6

U = np.uint64
LENGTH_SHIFT = 32
KIND_SHIFT = 37
UNSTABLE_SHIFT = 40
RANK_SHIFT = 41


SPACE = U(0x20)
LOW_BITS = U(0x0101010101010101)
HIGH_BITS = U(0x8080808080808080)


@njit(cache=True, nogil=True)
def _bytes_between(chunk, low, high):
    """Set the high bit of each byte of an ASCII chunk that lies in low..high."""
    return (chunk + LOW_BITS * U(0x80 - low)) & ~(chunk + LOW_BITS * U(0x7F - high)) & HIGH_BITS


@njit(cache=True, nogil=True)
def _ascii_run(chunk):
    """Return how many of the first of 8 bytes are ASCII letters and digits, and those, folded."""
    low_case = chunk | (LOW_BITS * U(0x20))
    ascii_part = chunk & ~HIGH_BITS
    inside = _bytes_between(low_case & ~HIGH_BITS, 0x61, 0x7A) | _bytes_between(
        ascii_part, 0x30, 0x39
    )
    outside = (~inside | chunk) & HIGH_BITS
    # All bits below the first byte outside, of which each whole byte is inside.
    below = ((outside & (U(0) - outside)) >> U(7)) - U(1)
    n_bytes = ((below & LOW_BITS) * LOW_BITS) >> U(56)
    return np.int64(n_bytes), low_case & below


@njit(cache=True, nogil=True)
def tokens_into(
    words,
    buffer,
    offsets,
    composed,
    table,
    expansions,
    state,
    lengths,
    hashes,
    token_offsets,
    unstable,
    spans,
    lines,
):
    """Write the hash of each token of each document, and where it stands.

    Document ``d`` owns ``buffer[offsets[d]:offsets[d + 1]]`` and its tokens end
    up in ``hashes[token_offsets[d]:token_offsets[d + 1]]``. A document that
    needs canonical composition across characters is flagged in `unstable` and
    its tokens are meaningless; the caller composes it and calls again.

    Parameters
    ----------
    words : uint64 [shape=(n_words,)], little-endian view of `buffer`
    buffer : uint8 [shape=(8 * n_words,)]
        Valid UTF-8, not checked; each document ends with a line end, and eight
        bytes or more follow the last.
    offsets : int64 [shape=(n_docs + 1,)], non-decreasing, not checked
    composed : bool [shape=(n_docs,)], documents that are composed already
    table : uint64 [shape=(0x110000,)]
    expansions : uint64 [shape=(n_expansions,)]
    state : uint64 [shape=(8,)], scratch
    lengths : uint8 [shape=(capacity,)], scratch
    hashes : uint64 [shape=(capacity,)], overwritten; 4 tokens for 3 bytes always suffice
    token_offsets : int64 [shape=(n_docs + 1,)], overwritten
    unstable : bool [shape=(n_docs,)], overwritten
    spans : int32 [shape=(capacity, 2)] or None
        Characters of the document that each token covers, overwritten.
    lines : int32 [shape=(capacity,)] or None
        Words in the line that each token stands in, overwritten.
    """
    n_tokens = 0
    token_offsets[0] = 0
    for d in range(offsets.size - 1):
        position = offsets[d]
        end = offsets[d + 1]
        flagged = False
        # The token being read: whether there is one, its kind, its open lane, its bytes.
        is_open = False
        is_word = False
        lane = U(0)
        length = 0
        last_rank = U(0)
        line_start = n_tokens
        character = 0
        next_entry = 0
        last_entry = 0
        while position < end or next_entry < last_entry:
            if next_entry < last_entry:
                # The next character of an expansion.
                entry = expansions[next_entry]
                next_entry += 1
                kind = entry >> U(KIND_SHIFT)
                n_bytes = np.int64((entry >> U(LENGTH_SHIFT)) & U(31))
                value = entry & U(0xFFFFFFFF)
                start = character - 1
            else:
                # Most text is words of ASCII letters: take up to eight of them at once.
                shift = U(8 * (position & 7))
                chunk = words[position >> 3] >> shift
                chunk |= (words[(position >> 3) + 1] << U(1)) << (U(63) - shift)
                n_bytes, value = _ascii_run(chunk)
                start = character
                if not is_open and 0 < n_bytes < 8 and (chunk >> U(8 * n_bytes)) & U(0xFF) == SPACE:
                    # The usual case, a whole short word, needs nothing of the rest.
                    hashes[n_tokens] = value
                    lengths[n_tokens] = n_bytes
                    if spans is not None:
                        spans[n_tokens, 0] = character
                        spans[n_tokens, 1] = character + n_bytes
                    n_tokens += 1
                    position += n_bytes + 1
                    character += n_bytes + 1
                    last_rank = U(0)
                    continue
                if n_bytes > 0:
                    kind = U(WORD)
                    position += n_bytes
                    character += n_bytes
                    last_rank = U(0)
                else:
                    # Decode one character and look it up.
                    code = np.int64(buffer[position])
                    position += 1
                    character += 1
                    if code >= 0x80:
                        n_more = 1 + (code >= 0xE0) + (code >= 0xF0)
                        code &= 0x3F >> n_more
                        for i in range(n_more):
                            code = (code << 6) | np.int64(buffer[position + i] & 0x3F)
                        position += n_more
                    entry = table[code]
                    kind = (entry >> U(KIND_SHIFT)) & U(7)
                    rank = entry >> U(RANK_SHIFT)
                    flagged |= ((entry >> U(UNSTABLE_SHIFT)) & U(1)) != U(0)
                    flagged |= U(0) < rank < last_rank
                    if kind != U(VANISHING):
                        last_rank = rank
                    n_bytes = np.int64((entry >> U(LENGTH_SHIFT)) & U(31))
                    value = entry & U(0xFFFFFFFF)
                    if kind == U(EXPANSION):
                        next_entry = np.int64(value)
                        last_entry = next_entry + n_bytes
                        continue

            if kind == U(VANISHING):
                continue
            # Does the open token end here?
            if is_open and kind != U(MARK) and not (is_word and kind == U(WORD)):
                hashes[n_tokens] = lane if length < 8 else word_hash(state, lane, length)
                lengths[n_tokens] = length if length < 8 else 0
                n_tokens += 1
                is_open = False
            if kind == U(LINE_END):
                if lines is not None:
                    for t in range(line_start, n_tokens):
                        lines[t] = n_tokens - line_start
                line_start = n_tokens
            if kind == U(SEPARATOR) or kind == U(LINE_END):
                continue
            if not is_open:
                if kind == U(MARK):
                    continue
                is_open = True
                is_word = kind == U(WORD)
                lane = U(0)
                length = 0
                if spans is not None:
                    spans[n_tokens, 0] = start
            if spans is not None:
                spans[n_tokens, 1] = character
            # Append the bytes to the lane, and carry what does not fit into the next.
            fill = length & 7
            lane |= value << U(8 * fill)
            length += n_bytes
            if fill + n_bytes >= 8:
                push_lane(state, lane, (length >> 3) - 1)
                lane = (value >> U(8 * (7 - fill))) >> U(8)
        token_offsets[d + 1] = n_tokens
        unstable[d] = flagged and not composed[d]
    finish_words(hashes, lengths, n_tokens)

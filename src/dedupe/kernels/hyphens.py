"""Finds the documents in which a hyphen may divide a word at the end of a line.

Their words are put together by `dedupe.shingling.stretches`. To look for them is no part of the
loop that reads words (`dedupe.kernels.tokens`), which was a tenth slower for it.
"""

import numpy as np

from dedupe.kernels import compiled

__all__ = ["divided_into", "ends_line"]

U = np.uint64

TAB, LINE_FEED, RETURN = np.uint8(9), np.uint8(10), np.uint8(13)
SPACE, HYPHEN = np.uint8(32), np.uint8(45)
STRETCH = 1024
"""Bytes that are looked through for hyphens at once."""


@compiled
def ends_line(buffer, position):
    """Say whether a line ends here, or behind a space; without a branch."""
    first, second = buffer[position], buffer[position + U(1)]
    ends = (second == LINE_FEED) | (second == RETURN)
    ends &= (first == SPACE) | (first == TAB)
    return ends | (first == LINE_FEED) | (first == RETURN)


@compiled
def _has_last_hyphen(buffer, start, end):
    """Say whether white space follows a hyphen that follows none.

    Written without a branch, so that it is done for many bytes at a time.
    """
    found = False
    # An unsigned index spares the check for a negative one.
    for position in range(U(start), U(end)):
        is_last = (buffer[position] > SPACE) & (buffer[position + U(2)] <= SPACE)
        found |= (buffer[position + U(1)] == HYPHEN) & is_last
    return found


@compiled
def _may_be_letter(byte):
    """Say whether a byte is a small letter of ASCII, or takes decoding."""
    return 0x61 <= byte <= 0x7A or byte >= 0x80


@compiled
def _divides_word(buffer, start, end):
    """Say whether a hyphen at the end of a line follows a letter, and a small one follows it."""
    for position in range(U(start), U(end)):
        behind = position + U(2)
        if buffer[position + U(1)] == HYPHEN and ends_line(buffer, behind):
            behind += U(buffer[behind] == SPACE or buffer[behind] == TAB)
            is_pair = buffer[behind] == RETURN and buffer[behind + U(1)] == LINE_FEED
            behind += U(1) + U(is_pair)
            before = buffer[position] | np.uint8(0x20)
            if _may_be_letter(before) and _may_be_letter(buffer[behind]):
                return True
    return False


@compiled
def divided_into(buffer, offsets, unstable):
    """Flag the documents in which a hyphen may divide a word at the end of a line.

    Parameters
    ----------
    buffer : uint8, offsets : int64
        As in `dedupe.kernels.tokens.tokens_into`.
    unstable : bool [shape=(n_docs,)], overwritten
    """
    for d in range(offsets.size - 1):
        unstable[d] = False
        for start in range(offsets[d], offsets[d + 1], STRETCH):
            end = min(start + STRETCH, offsets[d + 1])
            if _has_last_hyphen(buffer, start, end):
                unstable[d] |= _divides_word(buffer, start, end)

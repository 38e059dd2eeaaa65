"""Turns UTF-8 into token hashes, in one pass over the bytes.

What a character becomes and what it does to the word being read stands in one
table with an entry for each code point, which `dedupe.shingling.folding` builds. An entry is
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
47-50   the script that it is of, if look-alikes of others are known
51-54   which of these scripts it cannot be written in
======  ====================================================================
"""

from typing import Any, NamedTuple

import numpy as np

from dedupe.kernels import apart, compiled
from dedupe.kernels.hashing import finish_words, push_lane, sealed, word_hash
from dedupe.kernels.hyphens import ends_line

__all__ = [
    "APART",
    "CHARACTER",
    "EXPANSION",
    "HARD",
    "KIND_SHIFT",
    "LENGTH_SHIFT",
    "LINE_END",
    "MARK",
    "MAX_GROWTH",
    "N_SCRIPTS",
    "PADDING",
    "PLAIN",
    "RANK_SHIFT",
    "SCRIPTS_SHIFT",
    "SEPARATOR",
    "UNSTABLE_MASK",
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
UNSTABLE_MASK = 0x7F << UNSTABLE_SHIFT
"""What is set of a character that may compose or reorder."""

SCRIPTS_SHIFT = 47
N_SCRIPTS = 4
ALL_SCRIPTS = U((1 << N_SCRIPTS) - 1)

PADDING = 24
"""Bytes that must follow the last document."""

SHORT = 16
"""Bytes from which a word is too long for two lanes."""

LONG_PLAIN, LONG_SPELLED = 254, 255
"""Lengths of such words, which wait in the text or in `spelling` until all is read."""

MAX_GROWTH = 4
"""How many bytes a word of 16 bytes or more can have for one of its text, at most; shorter
words do not wait, and so need no room of their own."""

LOWER_CASE = U(0x2020202020202020)
"""Setting these bits makes ASCII letters lower case and leaves digits as they are."""

APART, PLAIN, HARD = 0, 1, 2
"""What a byte is before it is decoded: it separates for sure, it is an ASCII letter or
digit, or a closer look is needed."""

SOFT_HYPHEN, TRUE_HYPHEN = U(0xAD), U(0x2010)

LETTERS_PER_WORD = 3
"""Letters of a script without spaces that make up a word: from two in Chinese to four in Thai."""


@apart
def _edges_into(buffer, start, end, classes, edges):
    """Write where stretches of bytes of one class begin; return how many there are.

    Written without a branch: what is not an edge is overwritten by the next. Bytes
    that separate at the very start are no stretch.

    Inlined, it is slower: text without detail takes a fifth longer to read.
    """
    # An unsigned index spares the check for a negative one.
    n_edges = U(0)
    previous = np.uint8(APART)
    for position in range(U(start), U(end)):
        now = classes[buffer[position]]
        edges[n_edges] = position - U(start)
        n_edges += U(now != previous)
        previous = now
    return np.int64(n_edges)


@compiled
def _long_word(words, start, n_bytes, fold, state, salt):
    """Return the hash of a word of 16 bytes or more, and its seal."""
    n_lanes = n_bytes >> 3
    seal = U(0)
    for i in range(n_lanes):
        lane = words[start + 8 * i] | fold
        push_lane(state, lane, i)
        seal = sealed(seal, lane, salt)
    mask = (U(1) << U(8 * (n_bytes & 7))) - U(1)
    last = (words[start + 8 * n_lanes] | fold) & mask
    return word_hash(state, last, n_bytes), sealed(seal, last, salt) >> U(32)


@compiled
def _finish_long_words(words, spelling, state, hashes, tails, lengths, n_tokens, salt, seals):
    """Turn the places and lengths of long words into their hashes, in place."""
    for t in range(n_tokens):
        if lengths[t] >= LONG_PLAIN:
            start, n_bytes = np.int64(hashes[t]), np.int64(tails[t])
            if lengths[t] == LONG_PLAIN:
                found, seal = _long_word(words, start, n_bytes, LOWER_CASE, state, salt)
            else:
                found, seal = _long_word(spelling, start, n_bytes, U(0), state, salt)
            hashes[t] = found
            lengths[t] = 0
            if seals is not None:
                seals[t] = seal


@compiled
def _mixes(entry):
    """Say whether letters of several scripts may all be written in one of them."""
    own = (entry >> U(SCRIPTS_SHIFT)) & ALL_SCRIPTS
    return own & (own - U(1)) != U(0) and entry >> U(SCRIPTS_SHIFT + N_SCRIPTS) != ALL_SCRIPTS


class Text(NamedTuple):
    """Documents in UTF-8, and what their characters are; see `tokens_into`."""

    words: Any
    buffer: Any
    classes: Any
    table: Any
    expansions: Any


class Written(NamedTuple):
    """What is written of each token; see `tokens_into`."""

    hashes: Any
    tails: Any
    lengths: Any
    spans: Any
    lines: Any
    spelling: Any


@compiled
def _write_word(written, token, lanes, start, n_bytes, fold, waits):
    """Write the lanes of a short word; of a long one, where it `waits` until all is read."""
    token = U(token)
    if n_bytes < SHORT:
        # Both lanes are taken; what the word does not reach is ignored later.
        written.hashes[token] = lanes[U(start)] | fold
        written.tails[token] = lanes[U(start + 8)] | fold
        written.lengths[token] = n_bytes
    else:
        written.hashes[token] = start
        written.tails[token] = n_bytes
        written.lengths[token] = waits


@compiled
def _begin_span(spans, token, character):
    """Write the first character of a token, where somebody asks."""
    if spans is not None and spans.size > 0:
        spans[token, 0] = character


@compiled
def _end_span(spans, token, character):
    """Write the character behind a token, where somebody asks."""
    if spans is not None and spans.size > 0:
        spans[token, 1] = character


@compiled
def _end_line(lines, line_start, n_tokens, n_letters):
    """Write the length of a line to all of its tokens, of which some are single letters."""
    if lines is not None:
        n_words = n_tokens - line_start - n_letters
        n_words += (n_letters + LETTERS_PER_WORD - 1) // LETTERS_PER_WORD
        for t in range(line_start, n_tokens):
            lines[t] = n_words


@compiled
def _end_lines(lines, text, start, end, line_start, n_tokens, n_letters):
    """End the line for each line end in a stretch of bytes that separate.

    Return the first token of the line that is open then, and how many of its tokens are letters.
    """
    if lines is not None:
        for position in range(start, end):
            if text.table[text.buffer[position]] >> U(KIND_SHIFT) == U(LINE_END):
                _end_line(lines, line_start, n_tokens, n_letters)
                line_start = n_tokens
                n_letters = 0
    return line_start, n_letters


@compiled
def _decoded(buffer, position):
    """Return the code point of the character that begins here, and where the next one does."""
    lead = buffer[position]
    code = U(lead)
    position += 1
    if lead >= 0x80:
        code = ((code & U(0x1F)) << U(6)) | (U(buffer[position]) & U(0x3F))
        position += 1
    if lead >= 0xE0:
        code = ((code & U(0x3FF)) << U(6)) | (U(buffer[position]) & U(0x3F))
        position += 1
    if lead >= 0xF0:
        code = ((code & U(0x7FFF)) << U(6)) | (U(buffer[position]) & U(0x3F))
        position += 1
    return code, position


@compiled
def _rank(entry, last_rank):
    """Return the rank of a character among marks, and whether it may change with its neighbours.

    It may compose with what stands before it, or go before that. What vanishes is not seen.
    """
    # Most characters are of no rank. One branch for them is faster than none.
    if entry & U(UNSTABLE_MASK) != U(0):
        rank = (entry >> U(RANK_SHIFT)) & U(63)
        composes = (entry >> U(UNSTABLE_SHIFT)) & U(1) != U(0)
        return rank, composes | (U(0) < rank < last_rank)
    return (last_rank if entry >> U(KIND_SHIFT) == U(VANISHING) else U(0)), False


@compiled
def _read_hard_run(
    text, position, end, character, written, spelled, n_tokens, line_start, n_letters
):
    """Read a stretch of bytes that takes decoding, character by character.

    Returns
    -------
    n_tokens, line_start, n_letters, character, spelled : int
    flagged : bool
        Whether the text must be folded first, because characters depend on their neighbours.
    """
    flagged = False
    # The token being read: whether there is one, its kind, its bytes in `spelling`.
    is_open = False
    is_word = False
    length = 0
    last_rank = U(0)
    # All that is set for one of its letters, and the code point of the last character.
    united = U(0)
    code = U(0)
    next_entry = 0
    last_entry = 0
    while is_open or position < end or next_entry < last_entry:
        if next_entry < last_entry:
            entry = text.expansions[next_entry]
            next_entry += 1
        elif position == end:
            # What ends the run ends its last token.
            entry = U(SEPARATOR << KIND_SHIFT)
        else:
            code, position = _decoded(text.buffer, position)
            character += 1
            entry = text.table[code]
            last_rank, may_change = _rank(entry, last_rank)
            flagged |= may_change
        kind = (entry >> U(KIND_SHIFT)) & U(7)
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
            _write_word(written, n_tokens, written.spelling, spelled, length, U(0), LONG_SPELLED)
            spelled += length * (length >= SHORT)
            n_tokens += 1
            n_letters += not is_word
            flagged |= _mixes(united)
            is_open = False
        if kind == U(LINE_END):
            _end_line(written.lines, line_start, n_tokens, n_letters)
            line_start = n_tokens
            n_letters = 0
        if kind == U(SEPARATOR) or kind == U(LINE_END):
            continue
        if not is_open:
            if kind == U(MARK):
                continue
            is_open = True
            is_word = kind == U(WORD)
            length = 0
            united = U(0)
            _begin_span(written.spans, n_tokens, character - 1)
        _end_span(written.spans, n_tokens, character)
        united |= entry
        # Eight bytes are written; the next character overwrites those behind its own.
        written.spelling[spelled + length] = value
        length += n_bytes
    is_hyphen = (code == SOFT_HYPHEN) | (code == TRUE_HYPHEN)
    flagged |= is_hyphen & ends_line(text.buffer, U(end))
    return n_tokens, line_start, n_letters, character, spelled, flagged


@compiled
def _read_document(text, begin, stop, edges, written, spelled, n_tokens):
    """Read one document.

    Returns
    -------
    n_tokens, spelled : int
    flagged : bool
        As `_read_hard_run` says.
    """
    n_edges = _edges_into(text.buffer, begin, stop, text.classes, edges)
    edges[n_edges] = stop - begin
    flagged = False
    line_start = n_tokens
    n_letters = 0
    # Bytes read less characters read; only hard runs add to it.
    n_excess = 0
    edge = 0
    while edge < n_edges:
        start = begin + edges[edge]
        end = begin + edges[edge + 1]
        edge += 1
        is_plain = text.classes[text.buffer[U(start)]] == PLAIN
        if is_plain and text.classes[text.buffer[U(end)]] == APART:
            _write_word(written, n_tokens, text.words, start, end - start, LOWER_CASE, LONG_PLAIN)
            _begin_span(written.spans, n_tokens, start - begin - n_excess)
            _end_span(written.spans, n_tokens, end - begin - n_excess)
            n_tokens += 1
        else:
            while text.classes[text.buffer[end]] != APART:
                edge += 1
                end = begin + edges[edge]
            character = start - begin - n_excess
            n_tokens, line_start, n_letters, character, spelled, is_unstable = _read_hard_run(
                text, start, end, character, written, spelled, n_tokens, line_start, n_letters
            )
            n_excess = end - begin - character
            flagged |= is_unstable
        # Behind it comes a stretch that separates, maybe with line ends.
        edge += 1
        line_start, n_letters = _end_lines(
            written.lines, text, end, begin + edges[edge], line_start, n_tokens, n_letters
        )
    return n_tokens, spelled, flagged


@compiled
def tokens_into(
    words,
    buffer,
    offsets,
    classes,
    table,
    expansions,
    state,
    spelling,
    edges,
    lengths,
    tails,
    hashes,
    token_offsets,
    unstable,
    spans,
    lines,
    salt,
    seals,
):
    """Write the hash of each token of each document, and where it stands.

    Document ``d`` owns ``buffer[offsets[d]:offsets[d + 1]]`` and its tokens end
    up in ``hashes[token_offsets[d]:token_offsets[d + 1]]``. A document in which
    characters may compose, a word may be divided between lines, or may mix scripts, is
    flagged in `unstable` and its tokens are meaningless; the caller folds it and calls again.

    Most text is ASCII letters and digits between bytes that separate for sure, and
    those words are read eight bytes at a time. Whatever else stands between two
    such bytes is decoded. No token reaches across them.

    Parameters
    ----------
    words : uint64 [shape=(n_bytes - 7,)]
        The eight bytes from each place on, first byte lowest: a view of `buffer`.
    buffer : uint8 [shape=(n_bytes,)]
        Valid UTF-8, not checked; each document ends with a line end, and PADDING
        bytes follow the last.
    offsets : int64 [shape=(n_docs + 1,)], non-decreasing, not checked
    classes : uint8 [shape=(256,)], APART, PLAIN or HARD for each byte
    table : uint64 [shape=(0x110000,)]
    expansions : uint64 [shape=(n_expansions,)]
    state : uint64 [shape=(8,)], scratch
    spelling : uint64, scratch
        A view like `words` of MAX_GROWTH times as many bytes.
    edges : int32 [shape=(longest document + 1,)], scratch
    lengths : uint8, tails : uint64 [shape=(capacity,)], scratch
    hashes : uint64 [shape=(capacity,)], overwritten; 2 tokens a byte always suffice
    token_offsets : int64 [shape=(n_docs + 1,)], overwritten
    unstable : bool [shape=(n_docs,)], as `divided_into` leaves it; more is set
    spans : int32 [shape=(capacity, 2)] or None
        Characters of the document that each token covers, overwritten. None or no rows where
        nobody asks.
    lines : int32 [shape=(capacity,)] or None
        Words in the line that each token stands in, overwritten; of scripts without
        spaces LETTERS_PER_WORD letters count as one.
    salt : uint64
    seals : uint32 [shape=(capacity,)] or None
        Seal of each token (see `dedupe.kernels.hashing.sealed`), overwritten.
    """
    text = Text(words, buffer, classes, table, expansions)
    written = Written(hashes, tails, lengths, spans, lines, spelling)
    n_tokens = 0
    # Bytes of long words that wait in `spelling`.
    spelled = 0
    token_offsets[0] = 0
    for d in range(offsets.size - 1):
        n_tokens, spelled, flagged = _read_document(
            text, offsets[d], offsets[d + 1], edges, written, spelled, n_tokens
        )
        unstable[d] |= flagged
        token_offsets[d + 1] = n_tokens
    _finish_long_words(words, spelling, state, hashes, tails, lengths, n_tokens, salt, seals)
    finish_words(hashes, tails, lengths, n_tokens, salt, seals)

"""Reads lines of JSON that are flat records, without the interpreter's lock.

Nearly all lines of a collection are such: an object of strings, numbers and constants. Any
other line, and any that is no JSON, is left to Python, which knows what to say of it.
"""

import numpy as np

from dedupe.kernels import compiled

__all__ = ["NUMBER", "N_COLUMNS", "STRING", "records_into"]

U = np.uint64

START, END, TEXT_START, TEXT_END, ID_START, ID_END, ID_KIND, N_COLUMNS = range(8)
CONSTANT, STRING, NUMBER = range(3)
"""What an id is; a constant, or where there is no field, stands for none."""

QUOTE, BACKSLASH, COLON, COMMA, OPEN, CLOSE = np.array([*b'"\\:,{}'], np.uint8)
LINE_FEED, SPACE, TAB, RETURN = np.array([*b"\n \t\r"], np.uint8)
ZERO, NINE, MINUS, PLUS, POINT, POWER = np.array([*b"09-+.e"], np.uint8)
SMALL = np.uint8(0x20)
"""The bit that makes a letter small."""

TRUE, FALSE, NOTHING = (np.array([*word], np.uint8) for word in (b"true", b"false", b"null"))

ESCAPES = np.zeros(256, np.uint8)
ESCAPES[[*b'"\\/bfnrt']] = [*b'"\\/\b\f\n\r\t']
"""What stands for a character, by the letter behind the backslash; 0 for none."""

DIGITS = np.full(256, 16, np.uint8)
DIGITS[[*b"0123456789abcdefABCDEF"]] = [*range(16), *range(10, 16)]
"""What hexadecimal digits count, 16 for what is none."""

EACH, HIGH, LOW = U(0x0101010101010101), U(0x8080808080808080), U(0x2020202020202020)
QUOTES, BACKSLASHES, LINE_FEEDS = U(0x22) * EACH, U(0x5C) * EACH, U(0x0A) * EACH

LONGEST_NUMBER = 64
"""Bytes of a number; of longer ones Python may refuse to make an integer."""


@compiled
def records_into(lanes, buffer, id_name, text_name, ends, out_lanes, out, rows):
    r"""Write the id and the text of each line, and where they stand, as far as it is a flat record.

    Parameters
    ----------
    lanes : uint64 [shape=(max(0, n_bytes - 7),)]
        At each place the eight bytes from there on.
    buffer : uint8 [shape=(n_bytes,)]
        Lines, each with its ``\n``, which the last may lack.
    id_name, text_name : uint8
        The fields.
    ends : int64 [shape=(1,)], scratch
    out_lanes, out : as `lanes` and `buffer`, of the same shapes, overwritten
        Strings without their escapes, which are no longer than with them, and numbers.
    rows : int64 [shape=(n_lines, N_COLUMNS)], overwritten
        Where each line begins and ends in the buffer; where its text does in `out`, -1 if the
        line is left to Python; where its id does, and whether it is none, a string or a number.
    """
    start, filled = 0, 0
    for r in range(rows.shape[0]):
        row = rows[r]
        row[:] = -1
        row[ID_KIND] = CONSTANT
        end = _record_into(
            lanes, buffer, start, id_name, text_name, ends, out_lanes, out, filled, row
        )
        if end >= 0:
            filled = max(row[TEXT_END], row[ID_END])
        else:
            row[TEXT_START] = -1
            end = _line_end(lanes, buffer, start)
        row[START], row[END] = start, end
        start = end + 1


@compiled
def _line_end(lanes, buffer, start):
    """Return where a line ends."""
    end = start
    while end < lanes.size:
        line_feeds = lanes[end] ^ LINE_FEEDS
        if (line_feeds - EACH) & ~line_feeds & HIGH != U(0):
            break
        end += 8
    while _byte_at(buffer, end) != LINE_FEED:
        end += 1
    return end


@compiled
def _record_into(lanes, buffer, start, id_name, text_name, ends, out_lanes, out, filled, row):
    """Write what a record says from `filled` on; return where its line ends, -1 for no record."""
    place = _past_space(buffer, start)
    if _byte_at(buffer, place) != OPEN:
        return -1
    separator = COMMA
    while separator == COMMA:
        place = _field_into(
            lanes, buffer, place + 1, id_name, text_name, ends, out_lanes, out, filled, row
        )
        if place < 0:
            return -1
        filled = max(filled, row[TEXT_END], row[ID_END])
        place = _past_space(buffer, place)
        separator = _byte_at(buffer, place)
    place = _past_space(buffer, place + 1)
    is_over = separator == CLOSE and _byte_at(buffer, place) == LINE_FEED
    return place if is_over and row[TEXT_START] >= 0 else -1


@compiled
def _field_into(lanes, buffer, place, id_name, text_name, ends, out_lanes, out, filled, row):
    """Write what a field says from `filled` on; return where it ends, -1 for none or another."""
    place = _past_space(buffer, place)
    name_end = _string_into(lanes, buffer, place, ends, out_lanes, out, filled)
    if name_end < 0:
        return -1
    is_id = _is_name(out, filled, name_end, id_name)
    is_text = _is_name(out, filled, name_end, text_name)
    place = _past_space(buffer, ends[0])
    if _byte_at(buffer, place) != COLON:
        return -1
    place = _past_space(buffer, place + 1)
    kind, end = STRING, _string_into(lanes, buffer, place, ends, out_lanes, out, filled)
    if end < 0:
        kind, end = NUMBER, _number_into(buffer, place, ends, out, filled)
    if end < 0:
        kind, end = CONSTANT, _past_constant(buffer, place, ends, filled)
    # Other texts, and an id that is true or false, are at fault: Python says how.
    is_none = kind == CONSTANT and _byte_at(buffer, place) == NOTHING[0]
    if end < 0 or (is_text and kind != STRING) or (is_id and kind == CONSTANT and not is_none):
        return -1
    if is_text:
        row[TEXT_START], row[TEXT_END] = filled, end
    elif is_id:
        row[ID_START], row[ID_END], row[ID_KIND] = filled, end, kind
    return ends[0]


@compiled
def _byte_at(buffer, place):
    """Return a byte of a buffer; behind the last one the line ends."""
    return buffer[place] if place < buffer.size else LINE_FEED


@compiled
def _past_space(buffer, place):
    """Return where white space ends; the line does not end with it."""
    while place < buffer.size:
        byte = buffer[place]
        if byte != SPACE and byte != TAB and byte != RETURN:  # noqa: PLR1714
            break
        place += 1
    return place


@compiled
def _is_name(out, start, end, name):
    """Return whether a string that was written is the name of a field."""
    if end - start != name.size:
        return False
    n_same = 0
    while n_same < name.size and out[start + n_same] == name[n_same]:
        n_same += 1
    return n_same == name.size


@compiled
def _string_into(lanes, buffer, place, ends, out_lanes, out, filled):
    """Write what a string says from `filled` on; return where that ends, -1 for no string.

    Where the string ends in the buffer, behind its quote, is written into `ends`.
    """
    if place >= buffer.size or buffer[place] != QUOTE:
        return -1
    at, o = U(place + 1), U(filled)
    n_bytes, n_lanes = U(buffer.size), U(lanes.size)
    while at < n_bytes:
        if at < n_lanes:
            lane = lanes[at]
            out_lanes[o] = lane
            marks = _marks(lane)
            n_plain = U(8)
            if marks != U(0):
                # Of the lowest mark, the bytes below; see `_marks`.
                lowest = marks & (~marks + U(1))
                n_plain = ((((lowest - U(1)) & EACH) * EACH) >> U(56)) - U(1)
            at += n_plain
            o += n_plain
            if n_plain == U(8):
                continue
        byte = buffer[at]
        if byte == QUOTE:
            ends[0] = at + U(1)
            return np.int64(o)
        if byte < SPACE:
            return -1
        if byte == BACKSLASH:
            n_read = _escape_into(buffer, np.int64(at), out, np.int64(o), ends)
        else:
            n_read = _character_into(buffer, np.int64(at), out, np.int64(o), ends)
        if n_read < 0:
            return -1
        at += U(n_read)
        o += U(ends[0])
    return -1


@compiled
def _marks(lane):
    """Return a word with the highest bit set in each byte of a lane that is not plain.

    That are quotes, backslashes, control characters and what is not ASCII. Above the lowest
    such byte, others may be marked as well.
    """
    quotes, backslashes = lane ^ QUOTES, lane ^ BACKSLASHES
    return (
        lane
        | ((lane - LOW) & ~lane)
        | ((quotes - EACH) & ~quotes)
        | ((backslashes - EACH) & ~backslashes)
    ) & HIGH


@compiled
def _character_into(buffer, at, out, o, ends):
    """Write a character of UTF-8; return how many bytes it has, -1 where it is none.

    As many are written, and that is written into `ends`.
    """
    first = buffer[at]
    if first < np.uint8(0x80):
        n_bytes, least, most = 1, np.uint8(0x80), np.uint8(0xBF)
    elif first < np.uint8(0xC2) or first > np.uint8(0xF4):
        return -1
    else:
        n_bytes = 2 + (first >= np.uint8(0xE0)) + (first >= np.uint8(0xF0))
        # Nothing is longer than need be, no surrogate, and nothing above U+10FFFF.
        least, most = np.uint8(0x80), np.uint8(0xBF)
        if first == np.uint8(0xE0):
            least = np.uint8(0xA0)
        elif first == np.uint8(0xED):
            most = np.uint8(0x9F)
        elif first == np.uint8(0xF0):
            least = np.uint8(0x90)
        elif first == np.uint8(0xF4):
            most = np.uint8(0x8F)
    if at + n_bytes > buffer.size:
        return -1
    out[o] = first
    for i in range(1, n_bytes):
        byte = buffer[at + i]
        if byte < least or byte > most:
            return -1
        least, most = np.uint8(0x80), np.uint8(0xBF)
        out[o + i] = byte
    ends[0] = n_bytes
    return n_bytes


@compiled
def _escape_into(buffer, at, out, o, ends):
    """Write the character that an escape stands for; return how many bytes that has, or -1.

    How many are written is written into `ends`. Half of a character is left to Python.
    """
    if at + 1 >= buffer.size:
        return -1
    letter = buffer[at + 1]
    if letter != np.uint8(0x75):
        out[o] = ESCAPES[letter]
        ends[0] = 1
        return 2 if ESCAPES[letter] != np.uint8(0) else -1
    code, n_read = _code_at(buffer, at), 6
    if code < 0:
        return -1
    if 0xD800 <= code < 0xE000:
        other = _code_at(buffer, at + 6)
        if code >= 0xDC00 or not 0xDC00 <= other < 0xE000:
            return -1
        code, n_read = 0x10000 + ((code - 0xD800) << 10) + (other - 0xDC00), 12
    ends[0] = _utf8_into(code, out, o)
    return n_read


@compiled
def _code_at(buffer, at):
    r"""Return the number in ``\\uXXXX``, -1 where that does not stand there."""
    if at + 6 > buffer.size or buffer[at] != BACKSLASH or buffer[at + 1] != np.uint8(0x75):
        return -1
    code = 0
    for i in range(2, 6):
        digit = np.int64(DIGITS[buffer[at + i]])
        if digit == 16:
            return -1
        code = 16 * code + digit
    return code


@compiled
def _utf8_into(code, out, o):
    """Write a code point in UTF-8; return in how many bytes."""
    if code < 0x80:
        out[o] = code
        return 1
    n_more = 1 + (code >= 0x800) + (code >= 0x10000)
    out[o] = ((0xF00 >> (n_more + 1)) & 0xFF) | (code >> (6 * n_more))
    for i in range(1, n_more + 1):
        out[o + i] = 0x80 | ((code >> (6 * (n_more - i))) & 0x3F)
    return n_more + 1


@compiled
def _number_into(buffer, place, ends, out, filled):
    """Write a number as it stands; return where that ends, -1 for no number, or a long one."""
    at = place
    if at < buffer.size and buffer[at] == MINUS:
        at += 1
    whole = _past_digits(buffer, at)
    if whole == at or (whole > at + 1 and buffer[at] == ZERO):
        return -1
    at = whole
    if at < buffer.size and buffer[at] == POINT:
        part = _past_digits(buffer, at + 1)
        if part == at + 1:
            return -1
        at = part
    if at < buffer.size and (buffer[at] | SMALL) == POWER:
        at += 1
        if at < buffer.size and (buffer[at] == MINUS or buffer[at] == PLUS):
            at += 1
        power = _past_digits(buffer, at)
        if power == at:
            return -1
        at = power
    if at - place > LONGEST_NUMBER:
        return -1
    for i in range(at - place):
        out[filled + i] = buffer[place + i]
    ends[0] = at
    return filled + at - place


@compiled
def _past_digits(buffer, at):
    """Return where digits end."""
    while at < buffer.size and ZERO <= buffer[at] <= NINE:
        at += 1
    return at


@compiled
def _past_constant(buffer, place, ends, filled):
    """Write where true, false or null ends into `ends`; return `filled`, -1 where none stands."""
    if _says(buffer, place, TRUE) or _says(buffer, place, NOTHING):
        ends[0] = place + TRUE.size
    elif _says(buffer, place, FALSE):
        ends[0] = place + FALSE.size
    else:
        return -1
    return filled


@compiled
def _says(buffer, place, word):
    """Return whether a word stands somewhere."""
    if place + word.size > buffer.size:
        return False
    n_same = 0
    while n_same < word.size and buffer[place + n_same] == word[n_same]:
        n_same += 1
    return n_same == word.size

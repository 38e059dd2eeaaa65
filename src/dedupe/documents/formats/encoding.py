"""From bytes to text: Unicode by its byte order mark, Windows-1252, and what is no text.

`read_paths` states the rules.
"""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from dedupe.documents.streams import Source, Unreadable, read_small, read_whole

__all__ = [
    "decode",
    "decode_line",
    "decoded",
    "encode_like",
    "text_chunks",
    "transcoded",
    "unmarked",
    "whole_text",
]


def whole_text(source: Source, limit: int) -> bytes:
    """Return all of a text as UTF-8 without a byte order mark, as `text_chunks` yields it.

    Raises
    ------
    Unreadable
        When it cannot be read, or is larger than the limit.
    """
    data = None if source.path is None else read_small(source.path)
    # As most files are: nothing is to be taken off, and `decode` looks for zero bytes.
    if data is not None and len(data) <= limit and not data.startswith(_ALL_MARKS):
        return data
    return read_whole(text_chunks(source.chunks), limit)


def text_chunks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield text as UTF-8 without a byte order mark, whatever Unicode it was stored as.

    What is no Unicode passes through, for `decode` to read. A zero byte in the
    first line gives away a file that is no text at all, before anything is made
    of it.
    """
    _, encoding, rest = unmarked(chunks)
    if encoding != "utf-8":
        rest = transcoded(rest, encoding)
    rest = filter(None, rest)
    first = next(rest, b"")
    if b"\0" in first.partition(b"\n")[0]:
        raise _binary(ZERO)
    yield first
    yield from rest


def unmarked(chunks: Iterator[bytes]) -> tuple[bytes, str, Iterator[bytes]]:
    r"""Return the byte order mark, the encoding that it tells, and what follows it.

    >>> unmarked(iter([b"\xff", b"\xfe", b"a\0"]))[:2]
    (b'\xff\xfe', 'utf-16-le')
    """
    head = b""
    while len(head) < 4 and (chunk := next(chunks, b"")):
        head += chunk
    encoding, mark = next(
        ((name, mark) for mark, name in _MARKS if head.startswith(mark)), ("utf-8", b"")
    )
    return mark, encoding, chain([head[len(mark) :]], chunks)


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Those of UTF-32 first: the little-endian one begins like its UTF-16 sister.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_ALL_MARKS = tuple(mark for mark, _ in _MARKS)


def transcoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield text in another encoding as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Unreadable(f"not valid {encoding}: {error.reason}", "save it as UTF-8") from error


def decode(data: bytes, declared: str = "") -> str:
    """Return bytes as text, by the rules that `read_paths` states.

    Parameters
    ----------
    data : bytes
        Without byte order mark; see `text_chunks`.
    declared : str
        The encoding that the text itself names, as a web page does. It counts
        where the text is no UTF-8: pages that are declare all sorts of things.

    Raises
    ------
    Unreadable
        When this is no text: it has a zero byte, or more than a third of it is
        control characters (the rule of Perl's ``-B``).

    >>> decode("“café”".encode("cp1252"))
    '“café”'
    """
    return decoded(data, declared)[0]


def decoded(data: bytes, declared: str = "") -> tuple[str, bytes | None]:
    r"""Return bytes as text, as `decode` does, and the bytes where they are UTF-8.

    >>> decoded(b"text"), decoded(b"caf\xe9")
    (('text', b'text'), ('café', None))
    """
    n_control = len(data) - len(data.translate(None, _CONTROL))
    if n_control and b"\0" in data:
        raise _binary(ZERO)
    if 3 * n_control > len(data):
        raise _binary("over a third of it is control characters")
    try:
        return data.decode(), data
    except UnicodeDecodeError:
        return _decode_declared(data, declared) or decode_line(data), None


_CONTROL = bytes({*range(32), 127} - set(b"\a\b\t\n\v\f\r\x1b"))
"""What text does not hold; bells, backspaces and escapes come from terminals."""


ZERO = "it has a zero byte"


def _binary(why: str) -> Unreadable:
    """Say by what rule something is no text."""
    return Unreadable(
        f"binary, not text: {why}",
        "take that out, or leave the file out; UTF-16 must have its byte order mark, "
        "and a compressed file its suffix",
    )


def decode_line(data: bytes) -> str:
    """Decode UTF-8, and each byte that is none as Windows-1252.

    A page of Windows-1252 holds next to no UTF-8 and comes out whole, while one
    stray byte in a page of UTF-8 costs one character and not the page.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "surrogateescape").translate(_STRAY)


# `surrogateescape` makes U+DC80..U+DCFF of such bytes.
_STRAY = {0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(128, 256)}
_STRAY |= {code: chr(code - 0xDC00) for code, text in _STRAY.items() if not text}


_AS_STRAY = {ord(text): code for code, text in _STRAY.items()}


def encode_like(text: str, data: bytes) -> bytes:
    r"""Return text as it can stand beside bytes that `decode_line` reads: in their encoding.

    Where these are no UTF-8, what Windows-1252 has becomes that, unless it would be read as
    something else.

    >>> encode_like("café", "déjà".encode("cp1252")), encode_like("café", b"deja")
    (b'caf\xe9', b'caf\xc3\xa9')
    """
    try:
        data.decode()
    except UnicodeDecodeError:
        found = text.translate(_AS_STRAY).encode("utf-8", "surrogateescape")
        if decode_line(found) == text:
            return found
    return text.encode()


def _decode_declared(data: bytes, declared: str) -> str:
    """Decode by a declared encoding, or return "" when that does not work."""
    try:
        name = codecs.lookup(declared).name
        # Those who declare Latin-1 mean Windows-1252, and UTF-8 has been tried already.
        if name in ("ascii", "iso8859-1") or name.startswith("utf"):
            return ""
        # No page is in Python's own notation, which could spell lone surrogates.
        if "escape" in name:
            return ""
        return data.decode(_SUPERSETS.get(name, name))
    except (LookupError, ValueError):
        return ""


_SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
"""What people save when they declare the other; after the Encoding Standard of the WHATWG."""

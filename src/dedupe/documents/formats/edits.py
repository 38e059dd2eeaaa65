"""Passes a file on with some of its lines edited; all others keep their bytes.

What stays is not parsed and written again: its line ends, quotes and encoding are those
of the input.
"""

import sys
from collections.abc import Callable, Iterable, Iterator

from dedupe.documents.document import Placed
from dedupe.documents.formats.changes import Changes
from dedupe.documents.formats.encoding import transcoded, unmarked
from dedupe.documents.streams import Source, Unreadable

__all__ = ["Edit", "dropped", "edited", "left_out"]

Edit = Callable[[bytes], bytes]
"""What becomes of the bytes of a record."""


def dropped(placed: Iterable[Placed], changes: Changes) -> Iterator[tuple[range, Edit]]:
    """Yield the records that are left out."""
    for _, item, rows in placed:
        if changes.goes(item):
            yield rows, left_out


def left_out(_: bytes) -> bytes:
    """Take the place of a record that goes."""
    return b""


def edited(source: Source, edits: Iterator[tuple[range, Edit]]) -> Iterator[bytes]:
    """Yield a file in its own encoding, with some of its lines edited.

    Edits come in the order of the lines. Only lines that are edited are ever held as
    a whole, and these are no longer than the limit on records.
    """
    mark, encoding, chunks = unmarked(source.chunks)
    yield mark
    if encoding == "utf-8":
        yield from _edited_lines(_pieces(chunks), edits)
        return
    for line in _edited_lines(_pieces(transcoded(chunks, encoding)), edits):
        yield line.decode().encode(encoding)


def _edited_lines(
    pieces: Iterator[tuple[int, bytes]], edits: Iterator[tuple[range, Edit]]
) -> Iterator[bytes]:
    """Yield pieces of lines, those of edited lines together."""
    last = range(sys.maxsize, sys.maxsize), bytes
    rows, edit = next(edits, last)
    held: list[bytes] = []
    for number, piece in pieces:
        if number >= rows.stop:
            yield edit(b"".join(held))
            held.clear()
            rows, edit = next(edits, last)
        if number in rows:
            held.append(piece)
        else:
            yield piece
    if held:
        yield edit(b"".join(held))
        # To ask for one more reads the documents to their end, where damage shows.
        rows, edit = next(edits, last)
    if rows != last[0]:
        raise Unreadable("it has become shorter while it was read", "clean it again")


def _pieces(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    r"""Yield the lines of a file with their ends, long ones in pieces, each with its number.

    >>> list(_pieces([b"a\nb", b"b\r\n"]))
    [(1, b'a\n'), (2, b'b'), (2, b'b\r\n')]
    """
    number = 1
    for chunk in chunks:
        lines = chunk.split(b"\n")
        for line in lines[:-1]:
            yield number, line + b"\n"
            number += 1
        if lines[-1]:
            yield number, lines[-1]

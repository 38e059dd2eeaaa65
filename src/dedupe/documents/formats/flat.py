"""Finds the id and the text in lines of JSON that are flat records, many lines at a time.

The kernel does so without the interpreter's lock, and in a third of the time. All other lines,
and those with a fault, are left to `dedupe.documents.formats.jsonl`.
"""

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe.documents.options import Options, Tapped
from dedupe.documents.streams import LongLine
from dedupe.kernels.records import N_COLUMNS, NUMBER, STRING, records_into

__all__ = ["Record", "are_enough", "blocks", "records"]


class Record(NamedTuple):
    """What a flat record says.

    Attributes
    ----------
    id : str, int, float or None
        None where it has none.
    text : bytes
        In UTF-8.
    """

    id: object
    text: bytes


SHORTEST = 9
"""Bytes of the shortest record with a text; the lanes of less have another layout."""


def are_enough(options: Options) -> bool:
    """Return whether an id and a text are all that is asked of records."""
    return (
        options.html_field is None
        and options.time_field is None
        and options.id_field != options.text_field
        and not isinstance(options, Tapped)
    )


def blocks(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | LongLine]:
    r"""Yield the lines of a file, many in a block, and in place of each long one that it is so.

    No line above the limit is held, but one that is no longer than a chunk may be in a block.

    >>> list(blocks([b"one\ntw", b"o\nthree\nthirteen or so", b"\nx"], limit=9))
    [b'one\n', b'two\nthree\n', LongLine(n_quotes=0), b'x']
    """
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        start, end = 0, chunk.rfind(b"\n") + 1
        if end and size > limit:
            yield LongLine(0)
            start, size = chunk.find(b"\n") + 1, 0
        if start < end:
            yield b"".join([*held, chunk[start:end]])
            held, size = [], 0
        held.append(chunk[end:])
        size += len(held[-1])
        if size > limit:
            held.clear()
    if size:
        yield b"".join(held) if size <= limit else LongLine(0)


def records(block: bytes, options: Options) -> Iterator[Record | bytes | LongLine]:
    r"""Yield what each line of a block says, or the line itself where it is no flat record.

    In place of a line above the limit it yields that it is so.

    >>> list(records(b'{"id": 7, "text": "said \\"no\\""}\n[]', Options()))
    [Record(id=7, text=b'said "no"'), b'[]']
    """
    if len(block) < SHORTEST:
        some = block.removesuffix(b"\n").split(b"\n")
        yield from (LongLine(0) if len(line) > options.max_bytes else line for line in some)
        return
    buffer = np.frombuffer(block, np.uint8)
    out = np.empty_like(buffer)
    rows = np.empty((block.count(b"\n") + (not block.endswith(b"\n")), N_COLUMNS), np.int64)
    names = (
        np.array([*name.encode("utf-8", "surrogatepass")], np.uint8)
        for name in (options.id_field, options.text_field)
    )
    records_into(_lanes(buffer), buffer, *names, np.empty(1, np.int64), _lanes(out), out, rows)
    said = out.data
    for start, end, text_start, text_end, id_start, id_end, kind in rows.tolist():
        if end - start > options.max_bytes:
            yield LongLine(0)
            continue
        if text_start < 0:
            yield block[start:end]
            continue
        id_: object = None
        if kind == STRING:
            id_ = str(said[id_start:id_end], "utf-8")
        elif kind == NUMBER:
            id_ = json.loads(bytes(said[id_start:id_end]))
        yield Record(id_, bytes(said[text_start:text_end]))


def _lanes(buffer: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return a view of a buffer that has, at each place, the eight bytes from there on."""
    return np.ndarray((max(0, buffer.size - 7),), "<u8", buffer, strides=(1,))

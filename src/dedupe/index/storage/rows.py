"""Defines a document as it is stored, with a seal against damage."""

from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

import xxhash

from dedupe.errors import InvalidIndex
from dedupe.ids import Id
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.keys import id_from_row

__all__ = ["KINDS", "Row", "other_type", "row_of", "seal_of", "seal_of_row", "signed", "unsigned"]


class Row(NamedTuple):
    """A document as it is stored.

    Attributes
    ----------
    number : int
        Unlike that of any document before; it means nothing else.
    key : str
        What its id must be alone in; see `dedupe.index.storage.keys`.
    name : str or None
        The id as JSON, where it is not the key.
    time : float or None
    low, high : int
        Digest of its tokens, signed as SQLite has it.
    original : int
        Number of the first document with these tokens, which may have been removed since.
    n_words, n_shingles : int
    seal : int
        Digest of all of this, to find damage.
    text : bytes
        Packed.
    """

    number: int
    key: str
    name: str | None
    time: float | None
    low: int
    high: int
    original: int
    n_words: int
    n_shingles: int
    seal: int
    text: bytes

    @property
    def id(self) -> Id:
        """The id in its own type."""
        return id_from_row(self.key, self.name)

    @property
    def is_sound(self) -> bool:
        """Whether it is as it was stored."""
        return self.seal == seal_of_row(self)

    def sealed(self) -> "Row":
        """Return the row with the digest of what it says."""
        return self._replace(seal=seal_of_row(self))


SEAL, TEXT = Row._fields.index("seal"), Row._fields.index("text")


def seal_of_row(values: tuple[Any, ...]) -> int:
    """Return the digest of a document, whose values are in the order of a row."""
    said = "\0".join(map(repr, values[:SEAL])).encode("utf-8", "backslashreplace")
    return seal_of(said + values[TEXT])


# By column, since a damaged file may hold anything anywhere.
KINDS: tuple[Any, ...] = (
    int, str, (str, NoneType), (float, NoneType), int, int, int, int, int, int, bytes
)  # fmt: skip


def row_of(values: tuple[Any, ...], path: Path | None) -> Row:
    """Return values as a document; a damaged file may hold others than were written."""
    if not all(map(isinstance, values, KINDS)):
        raise other_type(path)
    return Row._make(values)


def other_type(path: Path | None) -> InvalidIndex:
    """Say that a value of a document has another type than was written."""
    return damaged(path, "a document has a value of another type")


def seal_of(data: bytes) -> int:
    """Return a digest to find damage."""
    return signed(xxhash.xxh3_64_intdigest(data))


def signed(value: int) -> int:
    """Return 64 bits as the signed number that SQLite can hold.

    >>> signed(2**64 - 1), unsigned(-1) == 2**64 - 1
    (-1, True)
    """
    return value - (1 << 64) if value >> 63 else value


def unsigned(value: int) -> int:
    """Return the 64 bits that `signed` was given."""
    return value & 0xFFFFFFFFFFFFFFFF

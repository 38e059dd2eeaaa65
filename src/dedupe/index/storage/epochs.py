"""Keeps what was learned of a collection: boilerplate, and which texts are one story.

An *epoch* is what was learned at one time. Its file is mapped into memory, and looked up for the
few texts that are compared: a collection of a million documents knows millions of shingles.
"""

import struct
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe.arrays import Hashes, Ints
from dedupe.errors import InvalidIndex
from dedupe.index.storage import files
from dedupe.index.storage.files import HEADER_BYTES, Buffer
from dedupe.kernels.postings import look_up_into, sift_into
from dedupe.kernels.tables import SALT
from dedupe.lazy import cached_property
from dedupe.scoring.boilerplate import Boilerplate
from dedupe.shingling import Sealed

__all__ = ["Companions", "Epoch", "Knowledge", "write_epoch"]

MAGIC, VERSION = b"dedupeEP", 2

HEADER = struct.Struct("<8sIIQQQQ")
"""Magic, version, companions, shingles, texts, digest of all that follows, digest of the header."""


ALONE = np.int64(1 << 33)
"""What the story of a text that is alone in it is numbered from: past all others, which have
32 bits."""


class Companions(NamedTuple):
    """Texts, and those that a search compares them with though no bucket need hold both.

    Those of crowds have their leader (`dedupe.crowds`), and clustering asks for a sample of others.

    Attributes
    ----------
    owners : int64 [shape=(n,)], in order
    numbers : int64 [shape=(n,)]
        What each owner is compared with.
    contents : uint64 [shape=(n,)]
        Half of the digest of its tokens; those of an owner are in order.
    """

    owners: Ints
    numbers: Ints
    contents: Hashes

    @classmethod
    def none(cls) -> "Companions":
        """Return what there is where nothing is a crowd."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64))

    @classmethod
    def of(cls, numbers: Ints, contents: Hashes) -> "Companions":
        """Return each side of some pairs with the other one, both of shape (n_pairs, 2).

        A pair may come more than once, and a text with itself, as of two copies; then it is none.
        """
        found = cls(numbers.ravel(), numbers[:, ::-1].ravel(), contents[:, ::-1].ravel())
        order = np.lexsort((found.numbers, found.contents, found.owners))
        owners, numbers = found.owners[order], found.numbers[order]
        is_new = np.ones(order.size, np.bool_)
        is_new[1:] = (np.diff(owners) != 0) | (np.diff(numbers) != 0)
        chosen = order[is_new & (owners != numbers)]
        return cls._make(column[chosen] for column in found)


class Knowledge(NamedTuple):
    """What a collection tells of itself, as an epoch keeps it.

    Attributes
    ----------
    boilerplate : bytes
        As `Boilerplate.to_bytes` returns it.
    numbers : int64 [shape=(n,)]
        Texts that are compared with others.
    stories : int64 [shape=(n,)], not negative
        The story of each.
    companions : Companions
    """

    boilerplate: bytes
    numbers: Ints
    stories: Ints
    companions: Companions


class Epoch:
    """What was learned at one time; the epoch 0 knows nothing.

    Parameters
    ----------
    number : int
    last : int
        The greatest number of a document that it was learned from.
    name : str
    buffer : buffer or None
        The file.

    Raises
    ------
    InvalidIndex
        When its header is not as it was written.
    """

    def __init__(
        self, number: int, last: int, name: str = "", buffer: Buffer | None = None
    ) -> None:
        self.number = number
        self.last = last
        self.name = name
        self._buffer = buffer
        *sizes, self._digest = (0, 0, 0, 0) if buffer is None else _read(name, buffer)
        if buffer is None:
            # It knows nothing, but where to look for it.
            data: Buffer = bytes(HEADER_BYTES + 4 * ((1 << _bits(0)) + 1))
        else:
            data = buffer
        start = HEADER_BYTES
        columns: list[npt.NDArray[np.unsignedinteger]] = []
        for dtype, n in _columns(*sizes):
            columns.append(np.frombuffer(data, dtype, n, start) if n else np.empty(0, dtype))
            start += n * np.dtype(dtype).itemsize
        self._shingles, self._contents, self._firsts, *columns = columns
        self._numbers, self._stories, self._owners, self._others, self._counts = columns

    @classmethod
    def open(cls, folder: Path, name: str, number: int, last: int) -> "Epoch":
        """Map the file of an epoch.

        Raises
        ------
        FileNotFoundError
        InvalidIndex
            When it is damaged.
        """
        return cls(number, last, name, files.map_file(folder, name))

    def is_sound(self) -> bool:
        """Return whether every byte is as it was written."""
        return self._buffer is None or files.is_sound(self._buffer, self._digest)

    @property
    def n_shingles(self) -> int:
        """How many shingles it knows as boilerplate."""
        return self._shingles.size

    @cached_property
    def _sieve(self) -> Hashes:
        """A sieve of 64 to 128 bits for each eight shingles, which fits into a cache."""
        sieve = np.zeros(2 << _bits(self.n_shingles), np.uint64)
        sift_into(self._shingles, sieve)
        return sieve

    def counts(self, shingles: Sealed) -> npt.NDArray[np.uint16]:
        """Return in how many stories shingles stand, with the mark of forms; 0 if it is not known.

        Parameters
        ----------
        shingles : Sealed
        """
        found = np.zeros(shingles.hashes.size, np.uint16)
        if self.n_shingles:
            known = self._shingles, self._counts, self._firsts, self._sieve
            look_up_into(*known, *shingles, SALT, found)
        return found

    def stories(self, numbers: Ints) -> Ints:
        """Return the stories of texts, by number; -1 for one that it does not know.

        Those that were compared with nothing are each a story of its own.
        """
        found = np.where(numbers <= self.last, numbers + ALONE, -1)
        if not self._numbers.size:
            return found
        # Of another type, all that is searched in would be converted first.
        places = np.searchsorted(self._numbers, numbers.astype(np.uint32))
        places[places == self._numbers.size] = 0
        is_known = self._numbers[places] == numbers
        return np.where(is_known, self._stories[places].astype(np.int64), found)

    def companions(self, number: int) -> tuple[Ints, Hashes]:
        """Return what a text of a crowd is compared with in a search: numbers and contents."""
        places = np.searchsorted(self._owners, np.array([number, number + 1], np.uint32))
        here = slice(*places.tolist())
        return self._others[here].astype(np.int64), self._contents[here].astype(np.uint64)


def write_epoch(folder: Path | None, name: str, number: int, last: int, known: Knowledge) -> Epoch:
    """Write an epoch, for good; nothing is left of one that does not become whole.

    Raises
    ------
    CannotStore
    """
    buffer = files.write_file(folder, name, partial(_write, known=known))
    return Epoch(number, last, name, buffer)


def _write(stream: IO[bytes], known: Knowledge) -> None:
    n_shingles = len(known.boilerplate) // Boilerplate.BYTES
    order = np.argsort(known.numbers)
    owners, others, contents = known.companions
    n_bytes = 8 * n_shingles
    shingles = np.frombuffer(known.boilerplate, "<u8", n_shingles)
    bits = _bits(n_shingles)
    heads = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
    firsts = np.append(np.searchsorted(shingles, heads), n_shingles)
    parts = (
        known.boilerplate[:n_bytes],
        contents.astype("<u8").tobytes(),
        firsts.astype("<u4").tobytes(),
        known.numbers[order].astype("<u4").tobytes(),
        known.stories[order].astype("<u4").tobytes(),
        owners.astype("<u4").tobytes(),
        others.astype("<u4").tobytes(),
        known.boilerplate[n_bytes:],
    )
    digest = xxhash.xxh3_64()
    for part in parts:
        digest.update(part)
    head = files.pack_header(
        HEADER, MAGIC, VERSION, owners.size, n_shingles, order.size, digest.intdigest()
    )
    for data in (head, *parts):
        stream.write(data)


def _columns(n_companions: int, n_shingles: int, n_texts: int) -> list[tuple[npt.DTypeLike, int]]:
    return [
        ("<u8", n_shingles),
        ("<u8", n_companions),
        ("<u4", (1 << _bits(n_shingles)) + 1),
        ("<u4", n_texts),
        ("<u4", n_texts),
        ("<u4", n_companions),
        ("<u4", n_companions),
        ("<u2", n_shingles),
    ]


def _bits(n_shingles: int) -> int:
    """Return by how many leading bits shingles are looked up, so that about eight share them."""
    return max(1, (n_shingles // 8).bit_length())


def _read(name: str, buffer: Buffer) -> tuple[int, int, int, int]:
    """Return the companions, the shingles, the texts, and the digest of what follows."""
    head = files.unpack_header(HEADER, MAGIC, buffer)
    if head is None:
        raise damaged(name, "its header is not as it was written")
    version, *sizes, digest = head
    if version != VERSION:
        raise damaged(name, f"it is of format {version}")
    n_bytes = sum(np.dtype(dtype).itemsize * n for dtype, n in _columns(*sizes))
    if len(buffer) != HEADER_BYTES + n_bytes:
        raise damaged(name, "its length is not that of what it knows")
    return (*sizes, digest)


def damaged(name: str, why: str) -> InvalidIndex:
    """Return the error of an epoch that cannot be used."""
    return InvalidIndex(
        f"what an index has learned must be as it was written, got {name} ({why}): "
        "learn it anew, with dedupe index verify --repair or as rebuild=True does"
    )

"""Reads and writes segments: flat files from which the candidates of a document are looked up.

A segment is never changed. It holds different texts by rank, the largest last: their numbers,
sizes, digests and signatures, and for each band their order by value (`dedupe.kernels.postings`).
All of it follows from the documents; a file that is damaged is made anew.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedupe.arrays import Bools, Hashes, Ints
from dedupe.errors import InvalidIndex
from dedupe.index.storage import files
from dedupe.index.storage.files import HEADER_BYTES, Buffer
from dedupe.kernels.buckets import DIGIT_BITS, DIGITS, LINE, columns_into, sort_into
from dedupe.kernels.postings import STEP
from dedupe.minhash import Sketches

__all__ = ["Dead", "Documents", "Segment", "damaged", "gathered", "joined", "write_segment"]

MAGIC, VERSION = b"dedupeSG", 1

HEADER = struct.Struct("<8sIIQIIQQ")
"""Magic, version, values of a signature, documents, documents a fence, 0, digest of all that
follows, digest of the header before this."""

AT_ONCE = 1 << 11
"""Signatures that are copied at once, 1 MB: all of them may not fit into memory, and NumPy lets no
other thread go on while it picks rows, which takes a tenth of a second for 100,000."""

UNSETTLED = 1 << 24
"""Bytes after which what was written goes to the disk. Where a gigabyte goes there at the end, one
of the commits beside it takes 300 ms, and one in a hundred 40; with steps like this, one in a
hundred takes 13. Steps of 4 MB and of 64 MB are worse."""

MANY = 256
"""Dead documents from which all of a segment is looked through, and not each one searched for."""


class Dead(NamedTuple):
    """A text that was removed, and what it is found by."""

    number: int
    n_shingles: int
    content: int


class Documents(NamedTuple):
    """What a segment is made of.

    Attributes
    ----------
    numbers : uint32 [shape=(n_docs,)]
    sizes : int64 [shape=(n_docs,)]
        Shingles of each.
    contents : uint64 [shape=(n_docs,)]
        Half of the digest of its tokens.
    signatures : uint32 [shape=(n_docs, num_perm)]
    """

    numbers: npt.NDArray[np.uint32]
    sizes: Ints
    contents: Hashes
    signatures: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, numbers: npt.NDArray[np.uint32], sketches: Sketches) -> "Documents":
        """Return texts that have these numbers and sketches."""
        return cls(numbers, sketches.n_shingles, sketches.digests[:, 0], sketches.signatures)

    def take(self, places: Ints | Bools) -> "Documents":
        """Return some of them."""
        return Documents._make(column[places] for column in self)


def joined(parts: Sequence[Documents]) -> Documents:
    """Return the documents of several parts."""
    return Documents._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def gathered(parts: Iterable[tuple[Documents, Bools]]) -> Documents:
    """Return the documents of several parts that are alive, while other threads go on."""
    found = []
    for documents, is_alive in parts:
        for start in range(0, max(1, is_alive.size), AT_ONCE):
            few = slice(start, start + AT_ONCE)
            some = Documents._make(column[few] for column in documents)
            found.append(some if is_alive[few].all() else some.take(is_alive[few]))
    return joined(found)


class Segment:
    """A segment that is mapped into memory, and which of its documents are alive.

    Parameters
    ----------
    name : str
    buffer : buffer
        The file.

    Raises
    ------
    InvalidIndex
        When its header is not as it was written.

    Attributes
    ----------
    documents : Documents, by rank
    orders : uint32 [shape=(num_perm, n_docs)]
    fences : uint32 [shape=(num_perm, n_docs / STEP, rounded up)]
    is_alive : bool [shape=(n_docs,)]
    """

    def __init__(self, name: str, buffer: Buffer) -> None:
        self.name = name
        self.buffer = buffer
        n_perm, n_docs, self._digest = _read_header(name, buffer)
        shapes = _shapes(n_docs, n_perm)
        if len(buffer) != HEADER_BYTES + sum(_n_bytes(*shape) for shape in shapes):
            raise damaged(name, "its length is not that of its documents")
        start, arrays = HEADER_BYTES, []
        for dtype, shape in shapes:
            count = int(np.prod(shape))
            arrays.append(np.frombuffer(buffer, dtype, count, start).reshape(shape))
            start += _n_bytes(dtype, shape)
        contents, sizes, numbers, signatures, self.orders, self.fences = arrays
        self.documents = Documents(numbers, sizes, contents, signatures)
        self.is_alive = np.ones(n_docs, np.bool_)
        self.n_dead = 0

    @classmethod
    def open(cls, folder: Path, name: str) -> "Segment":
        """Map the file of a segment.

        Raises
        ------
        FileNotFoundError
        InvalidIndex
            When it is damaged.
        """
        return cls(name, files.map_file(folder, name))

    def __len__(self) -> int:
        return self.is_alive.size

    def is_sound(self) -> bool:
        """Return whether every byte is as it was written."""
        return files.is_sound(self.buffer, self._digest)

    def bury(self, number: int, size: int, content: int) -> bool:
        """Mark a document as dead; return whether it was here and alive."""
        sizes, contents = self.documents.sizes, self.documents.contents
        first, end = np.searchsorted(sizes, [size, size + 1]).tolist()
        place = first + int(np.searchsorted(contents[first:end], np.uint64(content)))
        while place < end and contents[place] == content:
            if self.documents.numbers[place] == number:
                was_alive = bool(self.is_alive[place])
                self.n_dead += was_alive
                self.is_alive[place] = False
                return was_alive
            place += 1
        return False

    def bury_all(self, dead: Sequence[Dead]) -> None:
        """Mark as dead those of many documents that are here."""
        if len(dead) < MANY:
            for one in dead:
                self.bury(*one)
            return
        numbers = np.array([one.number for one in dead], np.uint32)
        self.is_alive &= ~np.isin(self.documents.numbers, numbers)
        self.n_dead = int(np.count_nonzero(~self.is_alive))

    def living(self) -> Documents:
        """Return the documents that are alive."""
        return self.documents.take(self.is_alive) if self.n_dead else self.documents


def write_segment(folder: Path | None, name: str, documents: Documents) -> Segment:
    """Write a segment, for good; nothing is left of one that does not become whole.

    Parameters
    ----------
    folder : path or None
        None keeps it in memory.
    name : str
    documents : Documents
        Each once, in any order.

    Raises
    ------
    CannotStore
    """
    return Segment(name, files.write_file(folder, name, partial(_write, documents=documents)))


def _write(stream: IO[bytes], documents: Documents) -> None:
    """Write a header and the arrays of a segment, of which little is in memory at a time."""
    n_docs, n_perm = documents.signatures.shape
    by_rank = np.lexsort((documents.numbers, documents.contents, documents.sizes))
    digest = xxhash.xxh3_64()
    stream.write(bytes(HEADER_BYTES))
    n_settled = 0

    def put(array: npt.NDArray[np.generic]) -> None:
        nonlocal n_settled
        data = np.ascontiguousarray(array).tobytes()
        digest.update(data)
        stream.write(data)
        if stream.tell() - n_settled >= UNSETTLED:
            files.settle(stream)
            n_settled = stream.tell()

    put(documents.contents[by_rank])
    put(documents.sizes[by_rank])
    put(documents.numbers[by_rank].astype(np.uint32))
    before = stream.tell()
    for start in range(0, n_docs, AT_ONCE):
        put(documents.signatures[by_rank[start : start + AT_ONCE]])
    # Read back from the file, so that they need not be in memory twice.
    written = np.frombuffer(files.read_back(stream), np.uint8)
    data = written[before : before + 4 * n_docs * n_perm]
    fences = []
    for order, values in _orders(data.view(np.uint32).reshape(n_docs, n_perm)):
        put(order)
        fences.append(values[::STEP].copy())
    for fence in fences:
        put(fence)
    stream.seek(0)
    stream.write(
        files.pack_header(HEADER, MAGIC, VERSION, n_perm, n_docs, STEP, 0, digest.intdigest())
    )


def _orders(
    signatures: npt.NDArray[np.uint32],
) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]]:
    """Yield, for each band, the documents by value and rank, and the values in that order."""
    n_docs, n_perm = signatures.shape
    rows = np.arange(n_docs)
    keys, scratch = np.empty((2, n_docs), np.uint64)
    counts = np.empty((DIGITS, 1 << DIGIT_BITS), np.int64)
    for first in range(0, n_perm, LINE):
        columns = np.empty((min(LINE, n_perm - first), n_docs), np.uint32)
        columns_into(signatures, rows, first, columns)
        for column in columns:
            sort_into(column, counts, scratch, keys)
            yield keys.astype(np.uint32), (keys >> np.uint64(32)).astype(np.uint32)


def _shapes(n_docs: int, n_perm: int) -> list[tuple[npt.DTypeLike, tuple[int, ...]]]:
    """Return the types and shapes of the arrays of a segment, in their order."""
    return [
        (np.uint64, (n_docs,)),
        (np.int64, (n_docs,)),
        (np.uint32, (n_docs,)),
        (np.uint32, (n_docs, n_perm)),
        (np.uint32, (n_perm, n_docs)),
        (np.uint32, (n_perm, -(-n_docs // STEP))),
    ]


def _n_bytes(dtype: npt.DTypeLike, shape: tuple[int, ...]) -> int:
    n_bytes = np.dtype(dtype).itemsize
    for length in shape:
        n_bytes *= length
    return n_bytes


def _read_header(name: str, buffer: Buffer) -> tuple[int, int, int]:
    """Return the values of a signature, the documents, and the digest of what follows."""
    head = files.unpack_header(HEADER, MAGIC, buffer)
    if head is None:
        raise damaged(name, "its header is not as it was written")
    version, n_perm, n_docs, step, _, digest = head
    if version != VERSION or step != STEP:
        raise damaged(name, f"it is of format {version}")
    return n_perm, n_docs, digest


def damaged(name: str, why: str) -> InvalidIndex:
    """Return the error of a segment that cannot be used."""
    return InvalidIndex(
        f"a segment of an index must be as it was written, got {name} ({why}): "
        "verify(repair=True) (dedupe index verify --repair) makes it anew from the documents"
    )

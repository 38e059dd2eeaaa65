"""Turns text into tokens, so that two spellings of a word are the same.

A word that is divided at the end of a line is put together, and the text is *folded*
(`dedupe.shingling.folding.fold`). Then runs of letters, marks and numbers
are *tokens*; in scripts written without spaces each letter, with the marks on it,
is a token of its own. Everything else separates, so that quotes, dashes and white
space cannot matter.

Folding a character does not depend on its neighbours, but for a few stretches of text
(`dedupe.shingling.stretches`): a document that has some is read once more, with these folded.
All other characters go through the tables of `dedupe.shingling.folding` in the kernel.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dedupe.arrays import Bools, Hashes, Ints, offsets_of
from dedupe.kernels import tokens as kernel
from dedupe.kernels.hashing import STATE_SIZE
from dedupe.kernels.hyphens import divided_into
from dedupe.kernels.tables import SALT
from dedupe.shingling.folding import fold, tables
from dedupe.shingling.stretches import fold_stretches

__all__ = ["Tokens", "fold", "hash_encoded", "hash_tokens", "normalize", "tokenize"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a block of documents.

    Document ``d`` owns the entries from ``offsets[d]`` to ``offsets[d + 1]``.

    Attributes
    ----------
    hashes : uint64 [shape=(n_tokens,)]
        XXH64, seed 0, of the UTF-8 bytes of each folded token.
    offsets : int64 [shape=(n_docs + 1,)]
    spans : int32 [shape=(n_tokens, 2)] or None
        First character and the one after the last, in the text as given.
    lines : int32 [shape=(n_tokens,)] or None
        How many words the line of each token has; a divided word is in the line where it
        begins.
    seals : uint32 [shape=(n_tokens,)] or None
        A hash of each token that only this process can make, to tell words apart whose
        public hashes were made to agree. It must not be kept for another.
    """

    hashes: Hashes
    offsets: Ints
    spans: npt.NDArray[np.int32] | None = None
    lines: npt.NDArray[np.int32] | None = None
    seals: npt.NDArray[np.uint32] | None = None


def tokenize(text: str) -> list[str]:
    r"""Return the tokens of a text.

    >>> tokenize("June 16 (UPI) -- Xi’s “security”")
    ['june', '16', 'upi', 'xis', 'security']
    >>> tokenize("北京 2008")
    ['北', '京', '2008']
    >>> tokenize("For exam-\nple, twenty-\nTwo")
    ['for', 'example', 'twenty', 'two']
    """
    folded = fold(fold_stretches(text, detail=False)[0])
    # What was a capital may look like the rest of a divided word now.
    spans = _hash_stable([folded.encode("utf-8", "replace")], detail=True)[0].spans
    assert spans is not None
    return [folded[start:end] for start, end in spans.tolist()]


def normalize(text: str) -> str:
    r"""Return the tokens of a text with a single space between them.

    Two texts are identical copies when this is the same for both. Normalising
    twice is normalising once.

    >>> normalize("“Don’t!” — she\u00a0said")
    'dont she said'
    """
    return " ".join(tokenize(text))


def hash_tokens(texts: Sequence[str], *, detail: bool = False) -> Tokens:
    """Return the token hashes of a block of documents.

    Parameters
    ----------
    texts : sequence of str
        A lone surrogate counts as a separator.
    detail : bool
        Whether to say where each token stands, and to seal it, which costs half the
        speed again.

    Examples
    --------
    >>> import xxhash
    >>> tokens = hash_tokens(["Hello, World", ""])
    >>> tokens.offsets.tolist()
    [0, 2, 2]
    >>> int(tokens.hashes[1]) == xxhash.xxh64_intdigest("world".encode())
    True
    """
    return hash_encoded([text.encode("utf-8", "replace") for text in texts], detail=detail)


def hash_encoded(
    encoded: Sequence[bytes], *, detail: bool = False, spans: bool = True, borrowed: bool = False
) -> Tokens:
    """Return the token hashes of a block of documents in UTF-8; see `hash_tokens`.

    Parameters
    ----------
    encoded : sequence of bytes
        Valid UTF-8, which is not checked.
    detail : bool
        Whether to say where each token stands, in characters, not bytes, and to seal it.
    spans : bool
        Whether these details have the characters, besides the lines: a block needs none.
    borrowed : bool
        Whether the arrays may be those that this thread works in: the next call overwrites them.

    Examples
    --------
    >>> bool((hash_encoded([b"Hello, World"]).hashes == hash_tokens(["hello world"]).hashes).all())
    True
    """
    tokens, unstable = _hash_stable(encoded, detail, spans=spans)
    if not unstable.any():
        return tokens if borrowed else _copied(tokens)
    tokens = _copied(tokens)
    numbers = np.flatnonzero(unstable).tolist()
    folded = [fold_stretches(encoded[n].decode(), detail=detail and spans) for n in numbers]
    again, _ = _hash_stable(
        [text.encode("utf-8", "replace") for text, _ in folded], detail, spans=spans
    )
    if again.spans is not None:
        for place, (_, origin) in enumerate(folded):
            _restore_spans(again.spans[again.offsets[place] : again.offsets[place + 1]], origin)
    return _replaced(tokens, numbers, again)


def _copied(tokens: Tokens) -> Tokens:
    """Return tokens in arrays of their own."""
    given = {name: getattr(tokens, name) for name in COLUMNS}
    columns: dict[str, Any] = {
        name: None if column is None else column.copy() for name, column in given.items()
    }
    return Tokens(offsets=tokens.offsets, **columns)


COLUMNS = ("hashes", "spans", "lines", "seals")
"""What there is of each token."""


def _replaced(tokens: Tokens, numbers: Sequence[int], by: Tokens) -> Tokens:
    """Return the tokens of a block with those of some documents exchanged."""
    owners = [(tokens, number) for number in range(len(tokens.offsets) - 1)]
    for place, number in enumerate(numbers):
        owners[number] = (by, place)
    slices = [(owner, slice(*owner.offsets[d : d + 2].tolist())) for owner, d in owners]
    offsets = np.zeros_like(tokens.offsets)
    np.cumsum([part.stop - part.start for _, part in slices], out=offsets[1:])
    columns: dict[str, Any] = {
        name: None
        if getattr(tokens, name) is None
        else np.concatenate([getattr(owner, name)[part] for owner, part in slices])
        for name in COLUMNS
    }
    return Tokens(offsets=offsets, **columns)


def _hash_stable(
    encoded: Sequence[bytes], detail: bool, *, spans: bool = True
) -> tuple[Tokens, Bools]:
    """Run the kernel over UTF-8 documents; also say which have stretches to fold first.

    The tokens stand in the arrays of this thread, which the next call overwrites.
    """
    properties = tables()
    n_docs = len(encoded)
    byte_offsets = offsets_of(np.fromiter(map(len, encoded), np.int64, n_docs) + 1)
    # A line end closes the last word of each document, and words are read in steps
    # of eight bytes, so some must follow the last.
    padding = bytes(kernel.PADDING)
    buffer = np.frombuffer(b"\n".join([*encoded, padding]), np.uint8)
    # The three bytes of U+3316 expand to six tokens; nothing expands to more.
    room = _room(2 * buffer.size)
    offsets = np.empty(n_docs + 1, np.int64)
    unstable = np.empty(n_docs, np.bool_)
    divided_into(buffer, byte_offsets, unstable)
    kernel.tokens_into(
        _byte_lanes(buffer),
        buffer,
        byte_offsets,
        properties.classes,
        properties.entries,
        properties.expansions,
        room.state,
        room.spelling,
        room.edges,
        room.lengths,
        room.tails,
        room.hashes,
        offsets,
        unstable,
        room.spans[: None if spans else 0] if detail else None,
        room.lines if detail else None,
        SALT,
        room.seals if detail else None,
    )
    n_tokens = int(offsets[-1])
    return Tokens(
        room.hashes[:n_tokens],
        offsets,
        room.spans[:n_tokens] if detail and spans else None,
        room.lines[:n_tokens] if detail else None,
        room.seals[:n_tokens] if detail else None,
    ), unstable


def _byte_lanes(buffer: npt.NDArray[np.uint8]) -> Hashes:
    """Return a view of a buffer that has, at each place, the eight bytes from there on."""
    return np.ndarray((buffer.size - 7,), "<u8", buffer, strides=(1,))


class _Room:
    """Arrays for the kernel to write into, larger than what comes out of it."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.state = np.empty(STATE_SIZE, np.uint64)
        spelling = np.empty(capacity // 2 * kernel.MAX_GROWTH + kernel.PADDING, np.uint8)
        self.spelling = _byte_lanes(spelling)
        self.edges = np.empty(capacity, np.int32)
        self.lengths = np.empty(capacity, np.uint8)
        self.tails = np.empty(capacity, np.uint64)
        self.hashes = np.empty(capacity, np.uint64)
        self.spans = np.empty((capacity, 2), np.int32)
        self.lines = np.empty(capacity, np.int32)
        self.seals = np.empty(capacity, np.uint32)


KEPT_ROOM = 1 << 23
"""Tokens up to which a thread keeps its arrays: fresh memory costs a tenth of the time."""

_kept = threading.local()


def _room(capacity: int) -> _Room:
    """Return arrays for so many tokens, those of this thread if they are large enough."""
    if capacity > KEPT_ROOM:
        return _Room(capacity)
    room: _Room | None = getattr(_kept, "room", None)
    if room is None or room.capacity < capacity:
        room = _kept.room = _Room(capacity)
    return room


def _restore_spans(spans: npt.NDArray[np.int32], origin: npt.NDArray[np.int32]) -> None:
    """Turn spans in a text with folded stretches into spans in the original, in place."""
    spans[:, 0] = origin[spans[:, 0], 0]
    spans[:, 1] = origin[spans[:, 1] - 1, 1]

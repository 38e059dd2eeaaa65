"""Reads documents into a corpus.

They are read one after the other and hashed in batches on several threads; the number of threads
cannot change an answer.
"""

from collections.abc import Iterable

import numpy as np

from dedupe.arrays import Hashes, Ints
from dedupe.documents import Document
from dedupe.engine.checkpoint import Checkpoint
from dedupe.engine.corpus import Corpus
from dedupe.engine.finished import Arrays
from dedupe.engine.intake import Batch, Intake
from dedupe.engine.spill import Rows, Texts
from dedupe.errors import Skipped
from dedupe.minhash import Sketches, sketch
from dedupe.progress import Progress
from dedupe.settings import Resources, Settings
from dedupe.shingling.folding import tables

__all__ = ["read_corpus"]

TEXT_SHARE, SIGNATURE_SHARE = 1 / 16, 1 / 32
"""Shares of the memory of a run for texts and for signatures, until they go to disk."""


def read_corpus(
    stream: Iterable[Document | Skipped],
    settings: Settings,
    resources: Resources,
    checkpoint: Checkpoint,
) -> Corpus:
    """Read all documents and hash them.

    Raises
    ------
    InvalidCheckpoint
        When the checkpoint is of another input.
    NothingToRead
        When no document has a word in it.
    """
    # Built here once, where each thread would build them anew.
    tables()
    intake = Intake(
        Texts(int(resources.memory * TEXT_SHARE)),
        has_key=checkpoint.folder is not None,
        has_window=settings.window is not None,
    )
    rows = Rows(int(resources.memory * SIGNATURE_SHARE))
    columns: list[tuple[Hashes, Ints, Ints]] = []
    n_done = 0
    batches = checkpoint.map(
        "signatures",
        lambda batch: (np.array([batch.key.encode()]), *sketch(batch.texts, settings)),
        intake.batches(stream),
        resources.workers,
        lambda batch, arrays: _fits(batch, arrays, settings.num_perm),
    )
    for _, digests, n_words, n_shingles, signatures in batches:
        rows.append(signatures)
        columns.append((digests, n_words, n_shingles))
        n_done += len(n_words)
        resources.progress(Progress("signatures", n_done, None, "documents", intake.texts.n_bytes))
    checkpoint.bind(intake.key)
    digests, n_words, n_shingles = (np.concatenate(column) for column in zip(*columns, strict=True))
    return intake.numbered(
        Sketches(digests, n_words, n_shingles, rows.finish()),
        keeps_order=settings.keep == "first" or callable(settings.keep),
        window=settings.window,
    )


def _fits(batch: Batch, arrays: Arrays, num_perm: int) -> bool:
    """Return whether arrays can be the sketches of a batch; they come from a file."""
    if len(arrays) != 1 + len(Sketches._fields) or arrays[0].tolist() != [batch.key.encode()]:
        return False
    found = Sketches._make(arrays[1:])
    n_docs = len(batch.texts)
    expected = (
        (found.digests, "uint64", (n_docs, 2)),
        (found.n_words, "int64", (n_docs,)),
        (found.n_shingles, "int64", (n_docs,)),
        (found.signatures, "uint32", (n_docs, num_perm)),
    )
    if any((array.dtype.name, array.shape) != (dtype, shape) for array, dtype, shape in expected):
        return False
    n_words, n_shingles = found.n_words, found.n_shingles
    in_range = (n_shingles >= 0) & (n_shingles <= n_words) & ((n_shingles == 0) == (n_words == 0))
    return bool(in_range.all())

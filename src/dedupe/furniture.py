"""What many different stories carry: menus, teasers, footers.

A shingle that occurs in many clusters of documents says little about any of them.
Counting clusters, not documents, keeps a story that was syndicated five hundred
times at its full weight: its copies are one cluster. No list of words, languages or
sites is needed, and none would know the next site.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedupe.kernels.furniture import count_clusters_into, move_into, word_weights_into

__all__ = ["Furniture"]

SAMPLE_BITS = 0
"""Low bits of a shingle that must be 0 for it to be counted."""

MIN_SLOTS = 1 << 12
MAX_LOAD = 0.5


@dataclass(slots=True)
class Furniture:
    """Counts, for shingles, the clusters that hold them.

    Attributes
    ----------
    keys : uint64 [shape=(n_slots,)]
    counts : uint16 [shape=(n_slots,)]
    last_cluster : int32 [shape=(n_slots,)], -1 where a slot is empty
    n_keys : int
    """

    keys: npt.NDArray[np.uint64]
    counts: npt.NDArray[np.uint16]
    last_cluster: npt.NDArray[np.int32]
    n_keys: int = 0

    @classmethod
    def empty(cls) -> "Furniture":
        """Return a table that knows nothing, by which every word weighs 1."""
        return cls(*_slots(MIN_SLOTS))

    def add(
        self,
        shingles: npt.NDArray[np.uint64],
        offsets: npt.NDArray[np.int64],
        clusters: npt.NDArray[np.int64],
    ) -> None:
        """Count the shingles of a block of documents.

        Parameters
        ----------
        shingles : uint64 [shape=(n_shingles,)]
        offsets : int64 [shape=(n_docs + 1,)]
        clusters : int64 [shape=(n_docs,)], not negative
            Documents of one cluster follow each other, also from call to call.
        """
        self._make_room(len(shingles) >> SAMPLE_BITS)
        self.n_keys += count_clusters_into(
            shingles, offsets, clusters, _sample(), self.keys, self.counts, self.last_cluster
        )

    def weights(
        self,
        shingles: npt.NDArray[np.uint64],
        offsets: npt.NDArray[np.int64],
        token_offsets: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float32]:
        """Return the weight of each word of a block of documents, in (0, 1].

        >>> table = Furniture.empty()
        >>> shingles, offsets = np.uint64([7, 8, 7]), np.array([0, 2, 3])
        >>> table.add(shingles, offsets, np.array([0, 1]))
        >>> table.weights(shingles, offsets, offsets).tolist()
        [0.5, 1.0, 0.5]
        """
        weights = np.empty(int(token_offsets[-1]), np.float32)
        word_weights_into(
            shingles,
            offsets,
            token_offsets,
            _sample(),
            self.keys,
            self.counts,
            self.last_cluster,
            weights,
        )
        return weights

    def _make_room(self, n_more: int) -> None:
        """Enlarge the table until `n_more` keys fit in without crowding."""
        n_slots = self.keys.size
        while n_slots * MAX_LOAD < self.n_keys + n_more:
            n_slots *= 2
        if n_slots == self.keys.size:
            return
        old = self.keys, self.counts, self.last_cluster
        self.keys, self.counts, self.last_cluster = _slots(n_slots)
        move_into(*old, self.keys, self.counts, self.last_cluster)


def _sample() -> np.uint64:
    """Return the mask of the bits that choose the sample."""
    return np.uint64((1 << SAMPLE_BITS) - 1)


def _slots(
    n_slots: int,
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Return an empty table."""
    return (
        np.zeros(n_slots, np.uint64),
        np.zeros(n_slots, np.uint16),
        np.full(n_slots, -1, np.int32),
    )

"""What the page says of a result, before anything is HTML: plain records.

How they come about is in `dedupe.report.html.gathering`.
"""

from dataclasses import dataclass

from dedupe.errors import Skipped
from dedupe.records import Pair

__all__ = ["Facts", "Overview", "Remedy", "ShownCluster", "ShownDuplicate", "ShownPair"]


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair that a reader can open and judge.

    Attributes
    ----------
    left, right : str
        Ids. The representative is on the left, where one of them is.
    pair : Pair
    together : bool
        Whether both are in one cluster: what was decided.
    """

    left: str
    right: str
    pair: Pair
    together: bool

    @property
    def is_mirrored(self) -> bool:
        """Whether the sides are not those of the pair."""
        return self.left != self.pair.left


@dataclass(frozen=True, slots=True)
class ShownDuplicate:
    """A duplicate, and a pair that says why it is one.

    Attributes
    ----------
    id : str
    n_words : int
    shown : ShownPair
        With the representative. A duplicate that is far from it has a second entry
        with its best match, which is what holds it in the cluster.
    """

    id: str
    n_words: int
    shown: ShownPair


@dataclass(frozen=True, slots=True)
class ShownCluster:
    """A cluster that a reader can open.

    Attributes
    ----------
    number : int
        Its place among the clusters, from 1.
    representative : str
    n_words : int
        Words of the representative.
    size : int
        Documents, the representative included.
    duplicates : tuple of ShownDuplicate
        Least sure first; of so many documents as a page lists.
    n_more : int
        Duplicates that are not among them.
    saved_words : int
        Words of all its duplicates.
    """

    number: int
    representative: str
    n_words: int
    size: int
    duplicates: tuple[ShownDuplicate, ...]
    n_more: int
    saved_words: int


@dataclass(frozen=True, slots=True)
class Remedy:
    """Documents that were skipped and what can be done about all of them."""

    remedy: str
    skipped: tuple[Skipped, ...]
    n_more: int

    @property
    def n_skipped(self) -> int:
        """How many there are, listed or not."""
        return len(self.skipped) + self.n_more


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers at the top.

    Attributes
    ----------
    n_new, n_old, n_clusters, n_duplicates, n_skipped : int
        All documents are new where no old collection was named.
    saved_words : int
        Words of all duplicates.
    saved_share : float, in [0, 1]
        What share of all words that is.
    keep : str
        The rule that chose the representatives; empty for a function.
    threshold : float
    settings : tuple of (name, value, meaning)
    """

    n_new: int
    n_old: int
    n_clusters: int
    n_duplicates: int
    n_skipped: int
    saved_words: int
    saved_share: float
    keep: str
    threshold: float
    settings: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a page says, but the texts of its pairs.

    Attributes
    ----------
    overview : Overview
    borderline : tuple of ShownPair
        Nearest to the threshold first.
    clusters : tuple of ShownCluster
        Largest first; fewer than `overview.n_clusters` where these are very many.
    remedies : tuple of Remedy
    scores : tuple of float
        Of every scored pair.
    similarities : tuple of (float, float)
        Jaccard similarity and containment of every confirmed pair.
    sizes : tuple of int
        Documents in every cluster.
    """

    overview: Overview
    borderline: tuple[ShownPair, ...]
    clusters: tuple[ShownCluster, ...]
    remedies: tuple[Remedy, ...]
    scores: tuple[float, ...]
    similarities: tuple[tuple[float, float], ...]
    sizes: tuple[int, ...]

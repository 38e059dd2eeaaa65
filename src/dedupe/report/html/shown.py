"""What a page shows of a result, as plain records, before anything is HTML.

They are made in `dedupe.report.html.gathering`.
"""

from dataclasses import dataclass

from dedupe.arrays import Floats
from dedupe.errors import Skipped
from dedupe.ids import Id, Ids
from dedupe.results.records import Pair

__all__ = ["Overview", "Remedy", "Shown", "ShownCluster", "ShownDuplicate", "ShownPair"]


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair that a reader can open and judge.

    Attributes
    ----------
    left, right : str
        Ids. If one of them is a representative, it is on the left.
    pair : Pair
    together : bool
        Whether both are in one cluster, which is what was decided.
    """

    left: Id
    right: Id
    pair: Pair
    together: bool

    @property
    def sides(self) -> tuple[Id, Id]:
        """Both ids, which identify the pair."""
        return self.left, self.right

    @property
    def is_mirrored(self) -> bool:
        """Whether the sides are those of `pair`, swapped."""
        return bool(self.left != self.pair.left)


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

    id: Id
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
        The least sure first, as many as there is room for.
    saved_words : int
        Words of all its duplicates.
    n_duplicates : int
        How many there are, listed or not.
    stays : tuple of str
        Some of the members that are neither the representative nor a duplicate of it.
    opening : str
        The first words of the story, with control characters visible; empty if its text
        is not known.
    """

    number: int
    representative: Id
    n_words: int
    size: int
    duplicates: tuple[ShownDuplicate, ...]
    saved_words: int
    n_duplicates: int
    stays: Ids
    opening: str = ""

    @property
    def n_more(self) -> int:
        """How many duplicates are not listed; some that are listed have two entries."""
        return self.n_duplicates - len({one.id for one in self.duplicates})

    @property
    def n_stay(self) -> int:
        """How many members like those in `stays` there are, named or not."""
        return self.size - 1 - self.n_duplicates


@dataclass(frozen=True, slots=True)
class Remedy:
    """Skipped documents, and what can be done about all of them."""

    remedy: str
    skipped: tuple[Skipped, ...]
    n_skipped: int

    @property
    def n_more(self) -> int:
        """How many are not listed."""
        return self.n_skipped - len(self.skipped)


@dataclass(frozen=True, slots=True)
class Overview:
    """The numbers at the top.

    Attributes
    ----------
    n_new, n_old, n_clusters, n_duplicates, n_skipped : int
        All documents are new if no old collection was named.
    saved_words : int
        Words of all duplicates.
    saved_share : float, in [0, 1]
        Their share of all words.
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
class Shown:
    """Everything that a page shows, except the texts of its pairs.

    Attributes
    ----------
    overview : Overview
    borderline : tuple of ShownPair
        Nearest to the threshold first.
    clusters : tuple of ShownCluster
        Largest first; fewer than `overview.n_clusters` if there are very many.
    remedies : tuple of Remedy
    scores : float64 [shape=(n_pairs,)]
        Of every scored pair.
    similarities : float64 [shape=(n_confirmed, 2)]
        Jaccard similarity and containment of every confirmed pair.
    sizes : tuple of int
        Documents in every cluster.
    """

    overview: Overview
    borderline: tuple[ShownPair, ...]
    clusters: tuple[ShownCluster, ...]
    remedies: tuple[Remedy, ...]
    scores: Floats
    similarities: Floats
    sizes: tuple[int, ...]

"""Gives the texts of documents by their ids, for as long as this process keeps them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dedupe.arrays import Ints
from dedupe.engine.spill import Texts
from dedupe.ids import Id
from dedupe.lazy import cached_property

__all__ = ["KeptTexts"]


class KeptTexts(Mapping[Id, str]):
    """Texts of a corpus by id, read from where they are kept when they are asked for.

    Parameters
    ----------
    ids : sequence of ids
        The documents that may be asked for.
    rows : int64 [shape=(n_docs,)]
        Where their texts are kept.
    stored : Texts
    """

    def __init__(self, ids: Sequence[Id], rows: Ints, stored: Texts) -> None:
        self._ids, self._rows, self._stored = ids, rows, stored

    def __getitem__(self, document: Id) -> str:
        return self.at([self._places[document]])[0]

    def __contains__(self, document: object) -> bool:
        # A mapping would read the text to tell.
        return document in self._places

    def __iter__(self) -> Iterator[Id]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<{len(self):,} kept texts>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Texts are kept by this process, and another one does without them.
        return dict, ()

    def at(self, places: Sequence[int]) -> list[str]:
        """Return some of the texts by their places."""
        return [text.decode() for text in self._stored.read(self._rows[places].tolist())]

    @cached_property
    def _places(self) -> dict[Id, int]:
        return {name: place for place, name in enumerate(self._ids)}

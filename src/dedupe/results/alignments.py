"""Finds what scored pairs share, for several pairs at once.

To hash and weigh the texts of one pair takes as long as to find what they share, those of
sixteen together hardly longer. Nothing is scored again. Which pairs are worth it is left to
whoever asks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Protocol, TypeVar, runtime_checkable

from dedupe.ids import Id
from dedupe.results.records import Comparison, Evidence, Pair, evidence_of
from dedupe.settings import Settings

__all__ = ["align", "find_together", "together"]

N_TOGETHER = 16
"""Pairs that go together; more are hardly faster, and a page may have no room for all of them."""

Item = TypeVar("Item")


@runtime_checkable
class Source(Protocol):
    """Tells the evidence of pairs, by the places of their documents."""

    def find_all(self, sides: Sequence[tuple[int, int]]) -> Iterator[Evidence]:
        """Yield the evidence of several pairs."""


def together(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield items in groups as large as is worthwhile."""
    waiting = iter(items)
    while some := list(islice(waiting, N_TOGETHER)):
        yield some


def align(
    pairs: Sequence[Pair], texts: Mapping[Id, str], settings: Settings, boilerplate: bytes
) -> list[Comparison]:
    """Return pairs with both texts and every passage that they share.

    Parameters
    ----------
    pairs : sequence of Pair
    texts : mapping from ids to texts
        Those of all sides, as they were searched.
    settings : Settings
    boilerplate : bytes
        What the result knows of it.
    """
    if not pairs:
        return []
    # They load the kernels, which a saved result does without.
    from dedupe.results.evidence import EvidenceFinder  # noqa: PLC0415
    from dedupe.scoring.boilerplate import load_boilerplate  # noqa: PLC0415

    names = list(dict.fromkeys(chain.from_iterable((pair.left, pair.right) for pair in pairs)))
    places = {name: place for place, name in enumerate(names)}
    finder = EvidenceFinder.of(
        [texts[name] for name in names], settings.ngram, load_boilerplate(boilerplate)
    )
    found = finder.find_all((places[pair.left], places[pair.right]) for pair in pairs)
    return [
        Comparison(
            replace(pair, find_evidence=evidence_of(evidence)),
            texts[pair.left],
            texts[pair.right],
            settings.threshold,
            knows_boilerplate=True,
        )
        for pair, evidence in zip(pairs, found, strict=True)
    ]


def find_together(pairs: Iterable[Pair]) -> None:
    """Find the evidence of some pairs, which each would else find when it is asked for it."""
    asked: dict[Source, list[tuple[Pair, tuple[int, int]]]] = {}
    for pair in pairs:
        find = vars(pair)["_find_evidence"]
        source: object = find.func if isinstance(find, partial) else None
        if isinstance(source, Source) and "evidence" not in vars(pair):
            asked.setdefault(source, []).append((pair, find.args))
    for source, some in asked.items():
        found = source.find_all([sides for _, sides in some])
        for (pair, _), evidence in zip(some, found, strict=True):
            vars(pair)["evidence"] = evidence

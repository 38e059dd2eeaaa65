"""The pairs that a reader can open, packed: both texts of some, excerpts of others.

Which come first is decided in `dedupe.report.html.gathering`. To align two texts takes
a millisecond or more, so the work is bounded beside the bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dedupe.progress import Progress, ProgressCallback
from dedupe.report.html import payload
from dedupe.report.html.environment import environment
from dedupe.report.html.facts import Facts, ShownPair
from dedupe.report.html.gathering import shown_pairs
from dedupe.report.html.sides import Sides, mirrored, of_excerpts, of_texts
from dedupe.report.html.texts import compared
from dedupe.results.result import Result

__all__ = ["OpenedPairs", "opened_pairs"]

N_WHOLE, N_OPENED, N_WORDS = 2_000, 3_000, 5_000_000
"""Pairs that may have both texts, all that can be opened, and words of both sides of all.

Of articles of ordinary length a page holds no more, and nobody reads as many. They take
two or three seconds.
"""

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class OpenedPairs:
    """The pairs that a reader can open: in blocks, each with its number there.

    Attributes
    ----------
    blocks : tuple
        See `payload.Blocks`.
    numbers : dict from ids to int
    n_whole, n_excerpts, n_others : int
        How many have both texts, how many excerpts, and how many neither.
    """

    blocks: tuple[tuple[int, str], ...]
    numbers: dict[tuple[str, str], int]
    n_whole: int
    n_excerpts: int
    n_others: int


def opened_pairs(
    result: Result,
    facts: Facts,
    texts: Mapping[str, str],
    budget: int,
    progress: ProgressCallback | None = None,
) -> OpenedPairs:
    """Pack pairs with both texts, then excerpts of the rest."""
    pairs = list(shown_pairs(facts))
    opened = list(islice(_affordable(pairs, result), N_OPENED))
    tell = _teller(progress, len(opened))
    views = _whole(result, opened[:N_WHOLE], texts)
    whole = payload.pack(_fragments(views, tell), budget - payload.EXCERPT_BYTES)
    seen = {shown.sides for shown in whole.items}
    rest = (shown for shown in opened if shown.sides not in seen)
    fragments = _fragments(_excerpts(rest), tell, start=len(seen))
    excerpts = payload.pack(fragments, budget - whole.n_bytes)
    tell(len(opened))
    packed = whole.items + excerpts.items
    return OpenedPairs(
        whole.blocks + excerpts.blocks,
        {shown.sides: number for number, shown in enumerate(packed)},
        len(whole.items),
        len(excerpts.items),
        len(pairs) - len(packed),
    )


def _affordable(pairs: Iterable[ShownPair], result: Result) -> Iterator[ShownPair]:
    """Yield the pairs whose texts are not too long for what is left of `N_WORDS`."""
    n_words = {document.id: document.n_words for document in result.documents}
    room = N_WORDS
    for shown in pairs:
        words = sum(n_words[side] for side in shown.sides)
        if words <= room:
            room -= words
            yield shown


def _whole(
    result: Result, pairs: Iterable[ShownPair], texts: Mapping[str, str]
) -> Iterator[tuple[ShownPair, Sides]]:
    """Yield pairs with both texts, where these are known."""
    for shown in pairs:
        comparison = compared(result, shown, texts)
        if comparison is not None:
            yield shown, of_texts(comparison)


def _excerpts(pairs: Iterable[ShownPair]) -> Iterator[tuple[ShownPair, Sides]]:
    """Yield pairs with their longest passages, where these are known."""
    for shown in pairs:
        found = shown.pair.evidence
        if found is not None:
            yield shown, of_excerpts(*shown.sides, mirrored(found) if shown.is_mirrored else found)


def _fragments(
    views: Iterable[tuple[ShownPair, Sides]], tell: Tell, start: int = 0
) -> Iterator[tuple[ShownPair, str]]:
    """Yield pairs as the script inserts them, but those that are too large."""
    template: Any = environment().get_template("sides.html").module
    for n_done, (shown, sides) in enumerate(views, start=start + 1):
        text = payload.as_json(str(template.sides(sides)))
        tell(n_done)
        if len(text.encode()) <= payload.MAX_ITEM:
            yield shown, text


def _teller(progress: ProgressCallback | None, total: int) -> Tell:
    """Return what tells how many pairs are done, and never fewer than before."""
    most = 0

    def tell(done: int) -> None:
        nonlocal most
        most = max(most, done)
        if progress is not None:
            progress(Progress("report", most, total, "pairs"))

    return tell

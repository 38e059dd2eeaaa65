"""The pairs that a reader can open, packed: both texts of some, excerpts of others.

Which come first is decided in `dedupe.report.html.gathering`, and the result aligns
their texts. Aligning two takes a millisecond or more, so work is bounded as well as bytes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dedupe.ids import Id
from dedupe.progress import Progress, ProgressCallback
from dedupe.report.html import payload
from dedupe.report.html.environment import environment
from dedupe.report.html.gathering import shown_pairs
from dedupe.report.html.shown import Shown, ShownPair
from dedupe.report.html.sides import Sides, mirrored, of_excerpts, of_texts
from dedupe.results.alignments import align, find_together, together
from dedupe.results.lookup import from_left
from dedupe.results.result import Result

__all__ = ["OpenedPairs", "opened_pairs"]

N_WHOLE, N_OPENED, N_WORDS = 2_000, 3_000, 5_000_000
"""The most pairs with both texts, pairs that can be opened at all, and words in all of these.

A page has no room for more articles of ordinary length, and nobody reads as many. They
take two or three seconds.
"""

MAX_CHARS = 200_000
"""Characters of a text that is shown in full: a short novel. Longer ones are excerpted."""

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class OpenedPairs:
    """The pairs that a reader can open, in chunks.

    Attributes
    ----------
    chunks : tuple
        See `payload.Chunks`.
    numbers : dict from ids to int
        The place of each pair in the chunks.
    n_whole, n_excerpts, n_others : int
        How many have both texts, how many excerpts, and how many neither.
    """

    chunks: tuple[tuple[int, str], ...]
    numbers: dict[tuple[Id, Id], int]
    n_whole: int
    n_excerpts: int
    n_others: int


def opened_pairs(
    result: Result,
    shown: Shown,
    texts: Mapping[Any, str],
    budget: int,
    progress: ProgressCallback | None = None,
) -> OpenedPairs:
    """Pack pairs with both texts, then excerpts of the rest."""
    pairs = list(shown_pairs(shown))
    opened = list(islice(_affordable(pairs, result), N_OPENED))
    tell = _teller(progress, len(opened))
    views = _whole(result, opened[:N_WHOLE], texts)
    whole = payload.pack(_fragments(views, tell), budget - payload.EXCERPT_BYTES)
    seen = {one.sides for one in whole.items}
    rest = (one for one in opened if one.sides not in seen)
    fragments = _fragments(_excerpts(rest), tell, start=len(seen))
    excerpts = payload.pack(fragments, budget - whole.n_bytes)
    tell(len(opened))
    packed = whole.items + excerpts.items
    return OpenedPairs(
        whole.chunks + excerpts.chunks,
        {one.sides: number for number, one in enumerate(packed)},
        len(whole.items),
        len(excerpts.items),
        len(pairs) - len(packed),
    )


def _affordable(pairs: Iterable[ShownPair], result: Result) -> Iterator[ShownPair]:
    """Yield the pairs whose texts fit into what is left of `N_WORDS`."""
    n_words = {document.id: document.n_words for document in result.documents}
    room = N_WORDS
    for one in pairs:
        words = sum(n_words[side] for side in one.sides)
        if words <= room:
            room -= words
            yield one


def _whole(
    result: Result, pairs: Iterable[ShownPair], texts: Mapping[Any, str]
) -> Iterator[tuple[ShownPair, Sides]]:
    """Yield the pairs whose texts are known and not too long, with both of them."""
    for some in together(pairs):
        sides = dict.fromkeys(side for one in some for side in one.sides)
        known = {side: result.unchanged(side, texts) for side in sides}
        whole = {
            side: text
            for side, text in known.items()
            if text is not None and len(text) <= MAX_CHARS
        }
        chosen = [one for one in some if one.left in whole and one.right in whole]
        aligned = align(
            [from_left(one.left, one.pair) for one in chosen],
            whole,
            result.settings,
            result.boilerplate,
        )
        yield from zip(chosen, map(of_texts, aligned), strict=True)


def _excerpts(pairs: Iterable[ShownPair]) -> Iterator[tuple[ShownPair, Sides]]:
    """Yield the pairs whose evidence is known, with their longest passages."""
    for some in together(pairs):
        find_together(one.pair for one in some)
        for one in some:
            found = one.pair.evidence
            if found is not None:
                yield one, of_excerpts(*one.sides, mirrored(found) if one.is_mirrored else found)


def _fragments(
    views: Iterable[tuple[ShownPair, Sides]], tell: Tell, start: int = 0
) -> Iterator[tuple[ShownPair, str]]:
    """Yield pairs as HTML for the script to insert, without those that are too large."""
    template: Any = environment().get_template("sides.html").module
    for n_done, (one, sides) in enumerate(views, start=start + 1):
        text = payload.as_json(str(template.sides(sides)))
        tell(n_done)
        if len(text.encode()) <= payload.MAX_ITEM:
            yield one, text


def _teller(progress: ProgressCallback | None, total: int) -> Tell:
    """Return a function that reports how many pairs are done, never fewer than before."""
    most = 0

    def tell(done: int) -> None:
        nonlocal most
        most = max(most, done)
        if progress is not None:
            progress(Progress("report", most, total, "pairs"))

    return tell

"""Answers a query: candidates from the postings, their texts from the store, scores, matches."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dedupe.arrays import Hashes, Ints
from dedupe.errors import InvalidSetting, NothingToRead
from dedupe.ids import in_order, order_of
from dedupe.index.intake import are_same
from dedupe.index.layout import Layout
from dedupe.index.matches import Match, Matches
from dedupe.index.postings import Candidates, Sketch
from dedupe.index.scores import evidence_of_two, score
from dedupe.index.storage.connection import damaged
from dedupe.index.storage.epochs import Epoch
from dedupe.index.storage.heads import Head
from dedupe.index.storage.store import Store
from dedupe.minhash import Sketches
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import Evidence, Pair
from dedupe.scoring.relations import reason
from dedupe.settings import Settings

__all__ = ["Query", "answer", "check_query"]


class Query(NamedTuple):
    """What is asked, and how much of an answer is wanted.

    Attributes
    ----------
    text : bytes
        In UTF-8.
    sketches : Sketches
        Of this text alone.
    limit : int or None
        Matches at most.
    threshold : float, in [0.1, 1]
        What they score at least.
    max_compared : int or None
        Texts that are compared at most.
    besides : str or None
        Key of a document that is no match.
    """

    text: bytes
    sketches: Sketches
    limit: int | None
    threshold: float
    max_compared: int | None
    besides: str | None = None


def check_query(limit: int | None, threshold: float, max_compared: int | None) -> None:
    """Raise `InvalidSetting` where a limit, a threshold or a number of texts makes no sense."""
    for name, value in (("limit", limit), ("max_compared", max_compared)):
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and (not is_number or value < 1):
            raise InvalidSetting(f"{name} must be a whole number of at least 1, got {value!r}")
    if threshold != Settings.threshold:
        Settings(threshold=threshold)


class _Text(NamedTuple):
    """A different text of the index: the first of its documents, and as many as are wanted."""

    first: Head
    heads: list[Head]


def answer(store: Store, layout: Layout, settings: Settings, asked: Query) -> Matches:
    """Return the documents that have something of a text; to be called while reading.

    Raises
    ------
    NothingToRead
        When the text has no word.
    """
    sketches = asked.sketches
    if not sketches.n_words[0]:
        raise NothingToRead(
            "a text of an index must hold a word, got none: leave it out, or look where it is from"
        )
    # One more than is wanted: one of them may be what no match is to be.
    limit = None if asked.limit is None else asked.limit + 1
    own, own_text = _own(store, asked, limit)
    number = None if own is None else own.first.original
    size, content = int(sketches.n_shingles[0]), int(sketches.digests[0, 0])
    found = layout.postings.candidates(Sketch(sketches.signatures[0], size, content, number))
    numbers, contents = _companions_first(found, layout.epoch, number)
    n_compared = asked.max_compared or numbers.size
    wanted = numbers[:n_compared].tolist()
    lows = contents[:n_compared].view(np.int64).tolist()
    texts = _texts(store, wanted, lows, limit)
    if not {*wanted} & {*found.numbers.tolist()} <= {text.first.original for text in texts}:
        raise damaged(store.path, "texts that are looked up have no documents")
    # A copy scores what its original does, though its lines may be others.
    place_of = {number: place for place, number in enumerate(wanted, start=1)}
    ranks = np.array([0, *(place_of[text.first.original] for text in texts)])
    pairs = _scored(
        store, layout, settings, asked, first=own_text, number=number, texts=texts, ranks=ranks
    )
    matches = []
    if own is not None:
        find = evidence_of_two(asked.text, own_text, settings.ngram)
        matches = [_identical(head, layout, find) for head in _others(own, asked)]
    for pair, text in _best(pairs, texts, limit):
        matches.extend(_match(pair, head, layout) for head in _others(text, asked))
    matching = [*([] if own is None else [own]), *(texts[place - 1] for place in _right(pairs))]
    n_found = sum(text.first.n_copies for text in matching)
    if matching and asked.besides is not None:
        besides = {row.original for row in store.by_keys([asked.besides])}
        n_found -= sum(text.first.original in besides for text in matching)
    matches.sort(key=_rank)
    return Matches(
        tuple(matches[: asked.limit]),
        layout.epoch.number,
        n_found,
        truncated=n_compared < numbers.size,
    )


def _companions_first(found: Candidates, epoch: Epoch, number: int | None) -> tuple[Ints, Hashes]:
    """Return the texts to compare with one, by number, and their contents, the likeliest first.

    Before all others come those that a search compares with it whether or not a bucket holds both,
    such as the copy that it follows in a crowd, and those that clustering asked for.
    """
    if number is None:
        return found.numbers, found.contents
    numbers, contents = epoch.companions(number)
    if not numbers.size:
        return found.numbers, found.contents
    is_other = ~np.isin(found.numbers, numbers)
    return (
        np.concatenate([numbers, found.numbers[is_other]]),
        np.concatenate([contents, found.contents[is_other]]),
    )


def _others(text: _Text, asked: Query) -> list[Head]:
    """Return the documents of a text that may be matches."""
    return [head for head in text.heads if head.key != asked.besides]


def _rank(match: Match) -> tuple[Any, ...]:
    """Return what matches are ordered by: identical ones stand before others that score 1."""
    return -match.score, match.relation != "identical", order_of(match.id)


def _own(store: Store, asked: Query, limit: int | None) -> tuple[_Text | None, bytes]:
    """Return the text of the index that is identical to what is asked for, if there is one.

    Its words come with it, or those that are asked for.
    """
    low, high = asked.sketches.digests.view(np.int64)[0].tolist()
    for text in _grouped([head for head in store.heads([low], limit) if head.high == high]):
        (words,) = store.texts([text.first])
        if are_same(asked.text, words):
            return text, words
    return None, asked.text


def _texts(
    store: Store, wanted: Sequence[int], lows: Sequence[int], limit: int | None
) -> list[_Text]:
    """Return some texts of the index in the order of the ids of their first documents."""
    chosen = set(wanted)
    heads = store.heads([*dict.fromkeys(lows)], limit)
    return _grouped([head for head in heads if head.original in chosen])


def _grouped(heads: Sequence[Head]) -> list[_Text]:
    """Put the documents of each text together."""
    groups: dict[int, list[Head]] = defaultdict(list)
    for head in heads:
        groups[head.original].append(head)
    texts = [
        _Text(group[0] if len(group) == 1 else min(group, key=_order), group)
        for group in groups.values()
    ]
    ids = [text.first.id for text in texts]
    return [texts[place] for place in in_order(ids, range(len(texts)))]


def _order(head: Head) -> tuple[Any, ...]:
    return order_of(head.id)


def _scored(
    store: Store,
    layout: Layout,
    settings: Settings,
    asked: Query,
    *,
    first: bytes,
    number: int | None,
    texts: Sequence[_Text],
    ranks: Ints,
) -> ScoredPairs | None:
    """Score what is asked for, by the text and the number it has in the index, with some texts.

    Of the pairs that match, the text at place ``n`` is number ``n + 1``.
    """
    if not texts:
        return None
    originals = [-1 if number is None else number]
    originals += [text.first.original for text in texts]
    # They are hashed anew each time: of 11,011 candidates of a thousand queries for different
    # stories, 459 were among the last 1,500, which would take 20 MB to remember.
    return score(
        [first, *store.texts([text.first for text in texts])],
        np.array(originals, np.int64),
        layout.epoch,
        settings,
        floor=asked.threshold,
        shown=asked.text,
        ranks=ranks,
    )


def _right(pairs: ScoredPairs | None) -> list[int]:
    """Return the other text of each pair."""
    return [] if pairs is None else pairs.numbers[:, 1].tolist()


def _best(
    pairs: ScoredPairs | None, texts: Sequence[_Text], limit: int | None
) -> Iterator[tuple[Pair, _Text]]:
    """Yield the best pairs with their texts: so many, and those that score as the last of them."""
    if pairs is None:
        return
    places = np.arange(len(pairs))
    if limit is not None and limit < len(pairs):
        places = np.flatnonzero(pairs.scores >= np.sort(pairs.scores)[-limit])
    numbers = pairs.numbers[places, 1].tolist()
    for pair, number in zip(pairs.built(places), numbers, strict=True):
        yield pair, texts[number - 1]


def _match(pair: Pair, head: Head, layout: Layout) -> Match:
    return Match(
        head.id,
        pair.score,
        pair.relation,
        pair.reason,
        layout.epoch.number,
        pair.jaccard,
        pair.containment,
        pair.shared_words,
        head.time,
        partial(getattr, pair, "evidence"),
    )


def _identical(head: Head, layout: Layout, find: Callable[[], Evidence]) -> Match:
    said = reason({"is_identical": 1, "shared_words": head.n_words})
    epoch = layout.epoch.number
    return Match(head.id, 1.0, "identical", said, epoch, 1.0, 1.0, head.n_words, head.time, find)

"""Slow, obvious twins of what `dedupe` does fast: the specification it is tested against.

Plain strings, whole numbers of any size, lists and sets; no numpy, no tables, no
tricks. The constants of a rule are imported from where the rule stands, so that a
test fails when the code no longer does what the rule says, not when the rule is tuned.
"""

import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise, takewhile
from typing import NamedTuple

import xxhash

from dedupe.kernels.alignment import (
    AHEAD,
    BARE_SHARE,
    COMMON,
    EDGE,
    MAX_OCCURRENCES,
    MIN_RUN,
    PARAGRAPH,
    PROSE,
    WINDOW,
)
from dedupe.kernels.buckets import N_ANCHORS
from dedupe.shingling.folding import APOSTROPHES, FILLERS, LINE_ENDS, UNSPACED

# --- text ---------------------------------------------------------------------------------


def vanishes(character: str) -> bool:
    """Whether a character is there for typography alone."""
    category = unicodedata.category(character)
    return (
        category == "Cf"
        or (category == "Cc" and not character.isspace())
        or character in APOSTROPHES + FILLERS
    )


def fold(text: str) -> str:
    """Remove what vanishes, compose for compatibility, fold case; until nothing changes."""
    kept = "".join(character for character in text if not vanishes(character))
    folded = unicodedata.normalize("NFKC", kept).casefold()
    return text if folded == text else fold(folded)


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    return any(low <= ord(character) <= high for low, high in UNSPACED)


def tokens(text: str) -> list[str]:
    """Return the tokens of a text: words, and single letters of unspaced scripts."""
    found: list[str] = []
    # What the last token may still take: "" when it is closed.
    takes = ""
    for character in fold(text):
        category = unicodedata.category(character)
        if category[0] == "M":
            if takes:
                found[-1] += character
        elif (category[0] == "L" or category == "Nl") and is_unspaced(character):
            found.append(character)
            takes = "M"
        elif category[0] in "LN":
            if takes == "LNM":
                found[-1] += character
            else:
                found.append(character)
            takes = "LNM"
        else:
            takes = ""
    return found


def line_lengths(text: str) -> list[int]:
    """Return, for each token of a text, how many tokens its line has."""
    marked = "".join("\n" if character in LINE_ENDS else character for character in text)
    counts = [len(tokens(line)) for line in marked.split("\n")]
    return [count for count in counts for _ in range(count)]


def token_hashes(text: str) -> list[int]:
    """Return XXH64 of the UTF-8 bytes of each token."""
    return [xxhash.xxh64_intdigest(token.encode()) for token in tokens(text)]


# --- shingles -----------------------------------------------------------------------------

PRIME_1 = 0x9E3779B185EBCA87
PRIME_2 = 0xC2B2AE3D27D4EB4F
PRIME_3 = 0x165667B19E3779F9


def avalanche(h: int) -> int:
    """Return the last step of XXH64, as its specification has it."""
    h = (h ^ (h >> 33)) * PRIME_2 % 2**64
    h = (h ^ (h >> 29)) * PRIME_3 % 2**64
    return h ^ (h >> 32)


def shingles(hashes: Sequence[int], ngram: int) -> list[int]:
    """Return the hash of each `ngram` tokens in a row; of all of them, if they are fewer."""
    windows = [hashes[i : i + ngram] for i in range(max(1, len(hashes) - ngram + 1))]
    return [
        avalanche(sum(t * PRIME_1 ** (len(window) - 1 - i) for i, t in enumerate(window)) % 2**64)
        for window in windows
        if window
    ]


def jaccard(left: Sequence[int], right: Sequence[int]) -> float:
    """Return the share of the distinct shingles of both that each of the two has."""
    return len({*left} & {*right}) / len({*left} | {*right})


# --- candidates ---------------------------------------------------------------------------


def may_reach(left: Sequence[int], right: Sequence[int], sizes: tuple[int, int], floor: float):
    """Whether the cosine similarity may reach the floor, two standard errors in favour."""
    j = sum(a == b for a, b in zip(left, right, strict=True)) / len(left)
    j += 2 * math.sqrt(j * (1 - j) / len(left))
    return j / (1 + j) * sum(sizes) >= floor * math.sqrt(math.prod(sizes))


def candidate_pairs(
    signatures: Sequence[Sequence[int]],
    sizes: Sequence[int],
    contents: Sequence[int],
    cap: int,
    floor: float,
) -> list[tuple[int, int]]:
    """Return (larger, smaller) for all pairs in a bucket, or for all with its two largest.

    Of documents of equal size that with the greater content is the larger, then the later.
    """
    documents = [d for d in range(len(sizes)) if sizes[d]]
    by_size = sorted(documents, key=lambda d: (sizes[d], contents[d]))
    found = set()
    for band in range(len(signatures[0]) if signatures else 0):
        for value in {signatures[d][band] for d in by_size}:
            bucket = [d for d in by_size if signatures[d][band] == value]
            for smaller, larger in combinations(bucket, 2):
                if len(bucket) <= cap or larger in bucket[-N_ANCHORS:]:
                    found.add((larger, smaller))
    return sorted(
        (a, b)
        for a, b in found
        if may_reach(signatures[a], signatures[b], (sizes[a], sizes[b]), floor)
    )


# --- alignment ----------------------------------------------------------------------------


class Document(NamedTuple):
    """A document as the kernel sees it: its shingles, and two values for each word."""

    shingles: Sequence[int]
    lines: Sequence[int]
    weights: Sequence[float] | None = None


class Place(NamedTuple):
    """A word in either document."""

    larger: int
    smaller: int


class Run(NamedTuple):
    """Words that follow each other in both documents."""

    larger: int
    smaller: int
    length: int

    @property
    def end(self) -> Place:
        """Where the run ends in either document."""
        return Place(self.larger + self.length, self.smaller + self.length)


class Gap(NamedTuple):
    """Words that two documents do not share, between two places."""

    larger: list[int]
    smaller: list[int]

    @property
    def lesser(self) -> int:
        """How many words the lesser side has."""
        return min(map(len, self))


class Measures(NamedTuple):
    """What `dedupe.kernels.alignment` says of a pair, in the order of its columns."""

    shared: int
    covered_larger: int
    covered_smaller: int
    weight_larger: float
    weight_smaller: float
    boilerplate: int
    hole: int
    excess_larger: int
    excess_smaller: int
    end_larger: int
    end_smaller: int
    replaced: int
    places: int
    own: int


def match(larger: Sequence[int], smaller: Sequence[int]) -> list[int]:
    """Return where each shingle of the smaller document stands in the larger, or -1."""
    places: list[int] = []
    last = before = -1
    for i, shingle in enumerate(smaller):
        occurrences = [j for j, other in enumerate(larger) if other == shingle]
        if not occurrences:
            places.append(-1)
            continue
        wanted = [last + i - before, last + 1] if last >= 0 else []
        wanted += [j for j in occurrences[:MAX_OCCURRENCES] if j > last]
        wanted += [j for j in occurrences[MAX_OCCURRENCES:] if last < j <= last + WINDOW]
        last = next((j for j in wanted if j in occurrences), occurrences[0])
        before = i
        places.append(last)
    return places


def runs(places: Sequence[int], n_larger: int, n_smaller: int, ngram: int) -> list[Run]:
    """Return the stretches of MIN_RUN words, or of all there are, that the matches make up."""
    found: list[Run] = []
    for i, j in enumerate(places):
        if j < 0 or (i and places[i - 1] >= 0 and places[i - 1] == j - 1):
            continue
        n = 1
        while i + n < len(places) and places[i + n] == j + n:
            n += 1
        found.append(Run(j, i, min(n - 1 + ngram, n_larger - j, n_smaller - i)))
    return [run for run in found if run.length >= min(MIN_RUN, n_smaller)]


def chain(found: Sequence[Run], ngram: int) -> list[Run]:
    """Return the runs with most words that keep their order in both; the first of equals."""
    best: list[list[Run]] = []
    for x, run in enumerate(found):
        before = [
            best[y]
            for y in range(max(0, x - AHEAD), x)
            # The shingles at the ends of two neighbours may have words in common.
            if found[y].larger < run.larger
            and found[y].larger + found[y].length - ngram <= run.larger
        ]
        best.append([*max(before, key=n_words, default=[]), run])
    return max(best, key=n_words, default=[])


def n_words(chained: Sequence[Run]) -> int:
    """Return how many words the runs of a chain have together."""
    return sum(run.length for run in chained)


def measures(larger: Document, smaller: Document, ngram: int) -> Measures:
    """Compare two documents, word by word."""
    n_larger, n_smaller = len(larger.lines), len(smaller.lines)
    places = match(larger.shingles, smaller.shingles)
    in_smaller = {w for i, j in enumerate(places) if j >= 0 for w in range(i, i + ngram)}
    in_larger = {w for j in places if j >= 0 for w in range(j, j + ngram)}
    in_smaller &= {*range(n_smaller)}
    in_larger &= {*range(n_larger)}
    chained = chain(runs(places, n_larger, n_smaller, ngram), ngram)

    def bare(start: Place, end: Place) -> Gap:
        """Return the words between two places that are not shared."""
        return Gap(
            [w for w in range(start.larger, end.larger) if w not in in_larger],
            [w for w in range(start.smaller, end.smaller) if w not in in_smaller],
        )

    hole = excess_larger = excess_smaller = 0
    replaced: list[int] = []
    for one, other in pairwise(chained):
        start, end = one.end, Place(other.larger, other.smaller)
        gap = bare(start, end)
        n_words = end.larger - start.larger + end.smaller - start.smaller
        if len(gap.larger) + len(gap.smaller) >= BARE_SHARE * n_words:
            hole = max(hole, gap.lesser)
        replaced += [gap.lesser] if gap.lesser else []
        excess_larger += max(0, len(gap.larger) - len(gap.smaller))
        excess_smaller += max(0, len(gap.smaller) - len(gap.larger))
    end_larger = end_smaller = 0
    if chained:
        first, last = Place(chained[0].larger, chained[0].smaller), chained[-1].end
        at_start = max(first) <= EDGE
        at_end = max(n_larger - last.larger, n_smaller - last.smaller) <= EDGE
        gap = bare(last, Place(n_larger, n_smaller)) if at_start else bare(Place(0, 0), first)
        if at_start != at_end:
            end_larger = count_prose(gap.larger, in_larger, larger.lines)
            end_smaller = count_prose(gap.smaller, in_smaller, smaller.lines)
    weighed = [smaller.weights[w] if smaller.weights else 1.0 for w in in_smaller]
    return Measures(
        shared=len({*larger.shingles} & {*smaller.shingles}),
        covered_larger=len(in_larger),
        covered_smaller=len(in_smaller),
        weight_larger=weigh(in_larger, larger.weights),
        weight_smaller=weigh(in_smaller, smaller.weights),
        boilerplate=sum(w < COMMON for w in weighed),
        hole=hole,
        excess_larger=excess_larger,
        excess_smaller=excess_smaller,
        end_larger=end_larger,
        end_smaller=end_smaller,
        replaced=sum(replaced),
        places=len(replaced),
        own=sum(w > COMMON for w in weighed),
    )


def count_prose(words: Sequence[int], shared: set[int], lines: Sequence[int]) -> int:
    """Return how many words stand in lines nearly as long as those of the shared words."""
    shortest = PROSE * mean([min(lines[w], PARAGRAPH) for w in shared])
    return sum(min(lines[w], PARAGRAPH) >= shortest for w in words)


def weigh(words: set[int], weights: Sequence[float] | None) -> float:
    """Return what some words count together."""
    return float(len(words) if weights is None else sum(weights[w] for w in words))


def mean(values: Sequence[float]) -> float:
    """Return the mean, with one rounding."""
    return sum(values) / len(values)


# --- forms --------------------------------------------------------------------------------


class Slots(NamedTuple):
    """What one document of a few looks like; see `slots`."""

    frame: int
    slots: int
    own: int
    other: int


def slots(documents: Sequence[Sequence[int]], limits: Sequence[int], ngram: int) -> list[Slots]:
    """Count the places where documents, as shingles, differ between what most of them have."""
    frame, common, few = limits
    held = Counter(shingle for document in documents for shingle in {*document})
    leads_on = {
        one
        for document in documents
        for one, other in pairwise(document)
        if min(held[one], held[other]) >= common
    }
    return [_slots(document, held, leads_on, (frame, common, few), ngram) for document in documents]


def _slots(document, held, leads_on, limits, ngram) -> Slots:
    """Walk through one document from gap to gap."""
    frame, common, few = limits
    places = [i for i, shingle in enumerate(document) if held[shingle] >= frame]
    framed = {w for i in places for w in range(i, i + ngram)}
    shared = {
        w for i, shingle in enumerate(document) if held[shingle] > few for w in range(i, i + ngram)
    }
    n_slots = own = other = 0
    for start, end in pairwise(places):
        gap = {*range(start + ngram, end)} - framed
        agreed = list(takewhile(lambda i: held[document[i]] >= common, range(start, end + 1)))
        is_slot = agreed[-1] < end and document[agreed[-1]] not in leads_on
        if gap and is_slot:
            n_slots += 1
            own += len(gap - shared)
            other += len(gap & shared)
        else:
            other += len(gap)
    return Slots(len(framed), n_slots, own, other)

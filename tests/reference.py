"""Slow, obvious twins of what `dedupe` does fast: the specification it is tested against.

Plain strings, whole numbers of any size, lists and sets; no numpy, no tables, no
tricks. The constants of a rule are imported from where the rule stands, so that a
test fails when the code no longer does what the rule says, not when the rule is tuned.
"""

import math
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, groupby, pairwise, takewhile
from typing import Any, NamedTuple

import xxhash

from dedupe.clustering import SLACK
from dedupe.kernels.alignment import AHEAD, MAX_OCCURRENCES, MIN_RUN, WINDOW
from dedupe.kernels.boilerplate import MAX_COUNT, OWN
from dedupe.kernels.buckets import N_ANCHORS
from dedupe.kernels.measures import (
    BARE_SHARE,
    BOX,
    COMMON,
    EDIT,
    LIST,
    LONG,
    LONG_COST,
    N_LINES,
    PARAGRAPH,
    PROSE,
)
from dedupe.kernels.stories import FEW_OTHERS, LOST_LINES, PASSAGE
from dedupe.kernels.tokens import LETTERS_PER_WORD
from dedupe.results.representatives import is_in
from dedupe.scoring import rule
from dedupe.shingling.folding import (
    APOSTROPHES,
    ARABIC_FORMS,
    FILLERS,
    LINE_ENDS,
    POINTED,
    UNSPACED,
)
from dedupe.shingling.scripts import LOOK_ALIKES

# --- text ---------------------------------------------------------------------------------


def vanishes(character: str) -> bool:
    """Whether a character is there for typography alone, or may be left out."""
    category = unicodedata.category(character)
    return (
        category == "Cf"
        or (category == "Cc" and not character.isspace())
        or (category == "Mn" and unicodedata.name(character, "").startswith(POINTED))
        or character in APOSTROPHES + FILLERS
    )


def respelled(character: str) -> str:
    """Return a character without what may be left out of it, and of Arabic in one form."""
    parts = unicodedata.normalize("NFD", character)
    kept = "".join(part for part in parts if not vanishes(part))
    kept = character if kept == parts else unicodedata.normalize("NFC", kept)
    return ARABIC_FORMS.get(kept, kept)


def fold(text: str) -> str:
    """Respell, compose for compatibility, give each word one script, fold case; until stable."""
    composed = unicodedata.normalize("NFKC", "".join(map(respelled, text)))
    folded = "".join(map(in_one_script, split_words(composed))).casefold()
    return text if folded == text else fold(folded)


def split_words(text: str) -> list[str]:
    """Cut a text so that each word is a part of its own, and each other character."""
    parts = [""]
    for character in text:
        category = unicodedata.category(character)
        is_letter = category[0] == "L" or category == "Nl"
        if category[0] in "LNM" and not (is_letter and is_unspaced(character)):
            parts[-1] += character
        else:
            parts += [character, ""]
    return parts


def script_of(letter: str) -> str:
    """Return the script of a letter, "" if look-alikes of it are not known."""
    script = unicodedata.name(letter, "").split(" ")[0]
    return script if letter.isalpha() and script in ("LATIN", *LOOK_ALIKES) else ""


def spelled_in(script: str, letter: str) -> str:
    """Return a letter as one of this script, "" if none looks like it."""
    own = script_of(letter)
    if own in ("", script):
        return letter
    looks = {pair[0]: pair[1] for pairs in LOOK_ALIKES.values() for pair in pairs.split()}
    latin = looks.get(letter, letter if own == "LATIN" else "")
    if script == "LATIN":
        return latin
    return next((one for one, like in LOOK_ALIKES[script].split() if like == latin), "")


def in_one_script(word: str) -> str:
    """Return a word in the first script that all its letters can be of, if they are of several."""
    letters = unicodedata.normalize("NFD", word)
    own = {script_of(letter) for letter in letters} - {""}
    for script in ("LATIN", *LOOK_ALIKES) if len(own) > 1 else ():
        spelled = [spelled_in(script, letter) for letter in letters]
        if script in {"LATIN", *own} and all(spelled):
            return "".join(spelled)
    return word


def joined(text: str) -> str:
    """Put words together that a hyphen divides at the end of a line; it ends behind them."""
    parts: list[str] = []
    place = 0
    # What ends a line that the word being read is divided between.
    end = ""
    while place < len(text):
        character = text[place]
        hyphen = re.compile("[-\u2010\u00ad][ \t]?(\r\n|\r|\n)").match(text, place)
        categories = [unicodedata.category(c) for c in (text[:place][-1:],) if c]
        rest = text[hyphen.end() :] if hyphen else ""
        if (
            hyphen
            and categories
            and categories[0][0] in "LM"
            and rest
            and unicodedata.category(rest[0]) == "Ll"
        ):
            end = "\n"
            place = hyphen.end()
            continue
        if end and not is_inside(character):
            parts.append(end)
            end = ""
        parts.append(character)
        place += 1
    return "".join(parts) + end


def is_small(character: str) -> bool:
    """Whether a character is a small letter."""
    return character != "" and unicodedata.category(character) == "Ll"


def is_inside(character: str) -> bool:
    """Whether a character may stand within a word."""
    folded = fold(character)
    return len(folded) != 1 or (
        unicodedata.category(folded)[0] in "LNM" and len(split_words(folded)) == 1
    )


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script that puts no spaces between words."""
    return any(low <= ord(character) <= high for low, high in UNSPACED)


def tokens(text: str) -> list[str]:
    """Return the tokens of a text: words, and single letters of unspaced scripts."""
    found: list[str] = []
    # What the last token may still take: "" when it is closed.
    takes = ""
    for character in fold(joined(text)):
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
    """Return, for each token of a text, how many words its line has."""
    text = joined(text)
    marked = "".join("\n" if character in LINE_ENDS else character for character in text)
    lengths = []
    for line in map(tokens, marked.split("\n")):
        n_letters = sum(is_unspaced(token[0]) for token in line)
        n_words = len(line) - n_letters + math.ceil(n_letters / LETTERS_PER_WORD)
        lengths += [n_words] * len(line)
    return lengths


def token_hashes(text: str) -> list[int]:
    """Return XXH64 of the UTF-8 bytes of each token."""
    return [xxhash.xxh64_intdigest(token.encode()) for token in tokens(text)]


def seal(token: str, salt: int) -> int:
    """Return the secret hash of a token: its bytes by eights, two of them at least."""
    word = token.encode()
    found = 0
    for i in range(max(2, len(word) // 8 + 1)):
        lane = int.from_bytes(word[8 * i : 8 * i + 8], "little")
        product = (found ^ lane) * salt % 2**64
        turned = (product << 32 | product >> 32) % 2**64
        found = turned * salt % 2**64
    return found >> 32


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


def sealed_shingles(
    hashes: Sequence[int], seals: Sequence[int], ngram: int, salt: int
) -> list[int]:
    """Return shingles that differ where the seals of their tokens do."""
    pairs = zip(shingles(hashes, ngram), shingles(seals, ngram), strict=True)
    return [public ^ (secret >> 32) * salt % 2**64 for public, secret in pairs]


def jaccard(left: Sequence[int], right: Sequence[int]) -> float:
    """Return the share of the distinct shingles of both that each of the two has."""
    return len({*left} & {*right}) / len({*left} | {*right})


def first_copies(texts: Sequence[str], is_old: Sequence[bool]) -> list[int]:
    """Return, for each text, the first with the same tokens, old ones before others."""
    found = [tokens(text) for text in texts]
    ranked = sorted(range(len(texts)), key=lambda d: not is_old[d])
    return [next(d for d in ranked if found[d] == one) for one in found]


# --- signatures ---------------------------------------------------------------------------


def signature(found: Sequence[int], factors: Sequence[int], summands: Sequence[int]) -> list[int]:
    """Return the least value of each permutation of shingles, as datasketch's affine32 has it."""
    scattered = {scatter(shingle % 2**32) for shingle in found}
    return [
        min(((a * h + b) % 2**32 for h in scattered), default=2**32 - 1)
        for a, b in zip(factors, summands, strict=True)
    ]


def scatter(h: int) -> int:
    """Return the last step of MurmurHash3 of 32 bits."""
    h = (h ^ (h >> 16)) * 0x85EBCA6B % 2**32
    h = (h ^ (h >> 13)) * 0xC2B2AE35 % 2**32
    return h ^ (h >> 16)


def columns(signatures: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the values of each band."""
    return [list(band) for band in zip(*signatures, strict=True)]


# --- candidates ---------------------------------------------------------------------------


def by_value(band: Sequence[int]) -> list[tuple[int, int]]:
    """Return the values of a band with their ranks, in order."""
    return sorted((value, rank) for rank, value in enumerate(band))


def dealt(
    pairs: Iterable[tuple[int, int]], n_docs: int, n_ranges: int
) -> list[list[tuple[int, int]]]:
    """Return pairs by ranges of their first document, of about as many documents each."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(n_ranges)]
    for pair in pairs:
        found[pair[0] * n_ranges // n_docs].append(pair)
    return found


def distinct(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return pairs in order, each once."""
    return sorted({*pairs})


def may_reach(
    left: Sequence[int],
    right: Sequence[int],
    sizes: tuple[int, int],
    floor: float,
    common: Iterable[int] = (),
):
    """Whether the cosine similarity may reach the floor, two standard errors in favour.

    Values of common bands are worth half of one, unless half of the smaller set may be shared.
    """
    equal = [band for band, value in enumerate(left) if value == right[band]]
    least = floor * math.sqrt(math.prod(sizes))

    def likely(n_equal: int, doubt: float) -> float:
        """Return how much is shared at most, so many standard errors in favour."""
        j = n_equal / len(left)
        j += doubt * math.sqrt(j * (1 - j) / len(left))
        return j / (1 + j) * sum(sizes)

    most = likely(len(equal), 2)
    return most >= least and (
        likely(len({*equal} - {*common}), 2) >= least
        or likely(len(equal), 0.5) >= least
        or most >= min(sizes) / 2
    )


class Signed(NamedTuple):
    """Documents as candidates are found among them, each with what tells equal sizes apart."""

    signatures: Sequence[Sequence[int]]
    sizes: Sequence[int]
    contents: Sequence[int]

    def by_size(self) -> list[int]:
        """Return those with a shingle, the largest last: of equal size, that of more content."""
        ranked = sorted(range(len(self.sizes)), key=lambda d: (self.sizes[d], self.contents[d]))
        return [d for d in ranked if self.sizes[d]]

    def buckets(self) -> list[list[int]]:
        """Return the documents that share a value of a band, for each value."""
        return [
            [d for d in self.by_size() if self.signatures[d][band] == value]
            for band in range(len(self.signatures[0]) if self.signatures else 0)
            for value in {signature[band] for signature in self.signatures}
        ]

    def common(self, document: int, most: float) -> set[int]:
        """Return the bands of which more than so many documents have its value."""
        bands = columns([self.signatures[d] for d in self.by_size()])
        mine = self.signatures[document]
        return {band for band, every in enumerate(bands) if every.count(mine[band]) > most}

    def possible(
        self, pairs: Iterable[tuple[int, int]], floor: float, most: float = math.inf
    ) -> list[tuple[int, int]]:
        """Return those of some pairs that may reach the floor, in order.

        Values of more than `most` documents are common.
        """
        return sorted(
            (a, b)
            for a, b in pairs
            if may_reach(
                self.signatures[a],
                self.signatures[b],
                (self.sizes[a], self.sizes[b]),
                floor,
                self.common(a, most),
            )
        )


def candidate_pairs(signed: Signed, cap: int, floor: float) -> list[tuple[int, int]]:
    """Return (larger, smaller) for all pairs in a bucket, or for all with its two largest."""
    found = {pair for bucket in signed.buckets() for pair in linked(bucket, cap)}
    return signed.possible(found, floor, 2 * cap)


def candidates_against(
    signed: Signed, is_old: Sequence[bool], n_teachers: int, cap: int, floor: float
) -> list[tuple[int, int]]:
    """Return the pairs of new documents, those of teachers, and (old, new) for all in a bucket.

    Of more than `cap` old ones each new one goes with the two largest. Teachers are the old
    documents of least content.
    """
    old = [d for d in signed.by_size() if is_old[d]]
    teachers = sorted(old, key=lambda d: signed.contents[d])[:n_teachers]
    found = set()
    for bucket in signed.buckets():
        new, known = ([d for d in bucket if is_old[d] == side] for side in (False, True))
        found |= linked(new, cap) | linked([d for d in known if d in teachers], cap)
        anchors = known if len(known) <= cap else known[-N_ANCHORS:]
        found |= {(one, other) for one in anchors for other in new}
    return signed.possible(found, floor)


def candidates_within(
    signed: Signed, times: Sequence[float | None], window: float, cap: int, floor: float
) -> list[tuple[int, int]]:
    """Return the pairs in a bucket that are within the window; of a large one more than else.

    It is cut into slices of time, in four ways, each of which links as a bucket does; and all
    are linked with the two largest that have no time.
    """
    found = set()
    for bucket in signed.buckets():
        groups = [bucket]
        if len(bucket) > cap:
            dated = [(d, time) for d in bucket if (time := times[d]) is not None]
            for length in (window, 2 * window):
                for shift in (0, 0.5):
                    slices: dict[int, list[int]] = {}
                    for d, time in dated:
                        slices.setdefault(math.floor(time / length + shift), []).append(d)
                    groups += slices.values()
            groups.append(sorted(bucket, key=lambda d: times[d] is None))
        found |= {pair for group in groups for pair in linked(group, cap)}
    ranks = {d: rank for rank, d in enumerate(signed.by_size())}
    near = {
        (a, b) if ranks[a] > ranks[b] else (b, a)
        for a, b in found
        if in_window(times[a], times[b], window)
    }
    return signed.possible(near, floor)


def in_window(one: float | None, other: float | None, window: float) -> bool:
    """Whether two times lie within the window; no time lies in that of any other."""
    return one is None or other is None or abs(one - other) <= window


def linked(bucket: Sequence[int], cap: int) -> set[tuple[int, int]]:
    """Return (larger, smaller) for all pairs of a bucket, or for all with its two largest."""
    return {
        (larger, smaller)
        for smaller, larger in combinations(bucket, 2)
        if len(bucket) <= cap or larger in bucket[-N_ANCHORS:]
    }


def content(found: Sequence[int]) -> int:
    """Return the number that tells of two documents equally long which counts as the larger."""
    return sum(place * shingle for place, shingle in enumerate(found, 1)) % 2**64


def bucket(
    signatures: Sequence[Sequence[int]], is_alive: Sequence[bool], band: int, value: int
) -> list[int]:
    """Return the living documents that have a value in a band."""
    return [d for d, alive in enumerate(is_alive) if alive and signatures[d][band] == value]


def anchors(found: Sequence[int], sizes: Sequence[int], contents: Sequence[int]) -> list[int]:
    """Return those of a bucket that all others are linked to when it is crowded, largest first."""
    return sorted(found, key=lambda d: (sizes[d], contents[d]), reverse=True)[:N_ANCHORS]


def look_up(counts: dict[int, int], wanted: Sequence[int]) -> list[int]:
    """Return what is counted of some hashes, 0 for those that nothing is said of."""
    return [counts.get(one, 0) for one in wanted]


def shared_values(
    signed: Signed,
    documents: Iterable[int],
    signature: Sequence[int],
    size: int,
    *,
    floor: float,
    common: Iterable[int],
) -> dict[int, int]:
    """Return how many values some documents share with one, if they may reach the floor with it.

    Some bands are common.
    """
    return {
        d: sum(a == b for a, b in zip(signed.signatures[d], signature, strict=True))
        for d in documents
        if may_reach(signed.signatures[d], signature, (size, signed.sizes[d]), floor, common)
    }


def raised(counts: dict[int, int], least: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return the counts of shingles, each at least what is said, with the mark of forms of both."""
    found = dict(counts)
    for one, told in least:
        known = found.get(one, told)
        found[one] = max(known & 0x7FFF, told & 0x7FFF) | ((known | told) & 0x8000)
    return found


# --- alignment ----------------------------------------------------------------------------


class Document(NamedTuple):
    """A document as the kernel sees it: its shingles, and two values for each word."""

    shingles: Sequence[int]
    lines: Sequence[int]
    weights: Sequence[float] | None = None

    def weight(self, w: int) -> float:
        """Return what a word counts."""
        return 1.0 if self.weights is None else self.weights[w]

    def line(self, w: int) -> int:
        """Return how long the line of a word is, a paragraph at most."""
        return min(self.lines[w], PARAGRAPH)

    def weigh(self, words: Iterable[int]) -> float:
        """Return what some words count together."""
        return math.fsum(map(self.weight, words))


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


class Side(NamedTuple):
    """What `dedupe.kernels.measures` says of one side, in the order of its columns."""

    covered: int
    weight: float
    plain: float
    boilerplate: int
    own: int
    story: float
    edited: float


class Both(NamedTuple):
    """What it says of both sides together, in the order of its columns."""

    shared: int
    hole: float
    hole_weight: float
    end: float
    excess: float
    gap: int
    entries: float


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


def by_size(
    pair: Sequence[int], n_words: Sequence[int], contents: Sequence[int]
) -> tuple[int, int]:
    """Return the larger document of a pair, and the smaller."""
    one, other = pair
    is_less = (n_words[one], contents[one]) < (n_words[other], contents[other])
    return (other, one) if is_less else (one, other)


def n_distinct(document: Document) -> int:
    """Return how many shingles of a document are different."""
    return len({*document.shingles})


def shared(larger: Document, smaller: Document, beside: Iterable[int] = ()) -> set[int]:
    """Return the shingles that both documents have, but for some."""
    return ({*larger.shingles} & {*smaller.shingles}) - {*beside}


def held(holder: Document, document: Document, ngram: int) -> int:
    """Return how many words of a document stand in shingles that its holder has, too."""
    known = {*holder.shingles}
    words = {
        w
        for i, shingle in enumerate(document.shingles)
        if shingle in known
        for w in range(i, i + ngram)
    }
    return len(words & {*range(len(document.lines))})


def alone(larger: Document, smaller: Document, ngram: int, heavy: float) -> float:
    """Return what the heavy words of the smaller document weigh that the larger does not have."""
    known = {*larger.shingles}
    shared = {
        w
        for i, shingle in enumerate(smaller.shingles)
        if shingle in known
        for w in range(i, i + ngram)
    }
    words = {*range(len(smaller.lines))} - shared
    return math.fsum(smaller.weight(w) for w in words if smaller.weight(w) >= heavy)


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


def trimmed(found: Sequence[Run]) -> list[Run]:
    """Return runs, the longest first, each up to where a longer one has its words already."""
    kept: list[Run] = []
    taken: tuple[set[int], set[int]] = set(), set()
    for run in sorted(found, key=lambda run: (-run.length, run.larger)):
        places = [Place(run.larger + w, run.smaller + w) for w in range(run.length)]
        is_free = [p.larger not in taken[0] and p.smaller not in taken[1] for p in places]
        first = is_free.index(True) if any(is_free) else run.length
        free = places[first : first + len([*takewhile(bool, is_free[first:])])]
        if free:
            kept.append(Run(*free[0], len(free)))
            taken[0].update(p.larger for p in free)
            taken[1].update(p.smaller for p in free)
    return sorted(kept)


def cut_where_boilerplate_turns(run: Run, is_common: Sequence[bool]) -> list[tuple[Run, bool]]:
    """Return the pieces of a run, none under MIN_RUN words, and whether most of each is common."""
    cuts = [0]
    for w in range(1, run.length):
        is_turn = is_common[run.larger + w] != is_common[run.larger + w - 1]
        if is_turn and min(w - cuts[-1], run.length - w) >= MIN_RUN:
            cuts.append(w)
    pieces = [
        Run(run.larger + start, run.smaller + start, end - start)
        for start, end in pairwise([*cuts, run.length])
    ]
    return [
        (piece, 2 * sum(is_common[piece.larger : piece.end.larger]) > piece.length)
        for piece in pieces
    ]


def measures(
    larger: Document, smaller: Document, ngram: int, min_words: float = 0, *, is_one: bool = True
) -> tuple[Side, Side, Both]:
    """Compare two documents, word by word."""
    documents = larger, smaller
    places = match(larger.shingles, smaller.shingles)
    hits = [i for i, j in enumerate(places) if j >= 0]
    covers = [
        {w for start in starts for w in range(start, start + ngram)} & {*range(len(one.lines))}
        for one, starts in zip(documents, ([places[i] for i in hits], hits), strict=True)
    ]
    sides = list(zip(documents, covers, strict=True))
    weights = [
        math.fsum(of_one_story(one.weight(w), is_one=is_one) for w in cover) for one, cover in sides
    ]
    enough = min(min_words, min(one.weigh(range(len(one.lines))) for one in documents) / 2)
    chained: list[Run] = []
    stories, edited = [0.0, 0.0], [0.0, 0.0]
    both = Both(len({*larger.shingles} & {*smaller.shingles}), 0, 0, 0, 0, 0, 0)
    if hits and min(weights) >= enough:
        own = [[w for w in range(len(one.lines)) if w not in cover] for one, cover in sides]
        stories = [
            one.weigh(prose(one, cover, words))
            for (one, cover), words in zip(sides, own, strict=True)
        ]
        found = runs(places, len(larger.lines), len(smaller.lines), ngram)
        chained = chain(found, ngram)
    if chained:
        edited, both = between(chained, sides, ngram, both)
    counts = [
        (
            len(cover),
            weight,
            one.weigh(cover),
            sum(one.weight(w) < COMMON for w in cover),
            sum(one.weight(w) > COMMON for w in cover),
        )
        for (one, cover), weight in zip(sides, weights, strict=True)
    ]
    one, other = (
        Side(*count, story, edit)
        for count, story, edit in zip(counts, stories, edited, strict=True)
    )
    return one, other, both


class Judged(NamedTuple):
    """What the rule says of a pair, in the order of the columns of `dedupe.kernels.judging`."""

    score: float
    score_without_listings: float
    strict: float
    share: float
    story_words: int
    edited_words: int
    excess_words: int
    listing_words: int
    is_phrase: bool


def judged(
    sides: tuple[Side, Side], both: Both, shorter: Side, words: tuple[int, int], total: float
) -> Judged:
    """Say how sure it is that two documents tell one story, of which one weighs `total` or less."""
    covered, matched, known = (
        min(getattr(side, name) for side in sides) for name in ("covered", "weight", "plain")
    )
    longer = max(words)
    is_short = covered < rule.MIN_WORDS
    is_all_there = known >= rule.NEARLY_ALL * total and shorter.own >= rule.MIN_OWN
    is_phrase = not is_short and known < rule.MIN_WORDS and not is_all_there
    smaller = min(sides, key=lambda side: (side.weight + side.story, side.weight + side.edited))
    whole = smaller.weight + smaller.story
    share = 0.0
    if is_short and covered / longer >= rule.SHORT_SHARE:
        share = covered / longer
    if not is_short and whole > 0 and (matched >= rule.MIN_WORDS or is_all_there):
        share = min(1.0, (smaller.weight + smaller.edited) / whole)
    replacing = max(rule.HOLE_COST * both.hole, rule.END_COST * both.end)
    cost = max(replacing, rule.EXCESS_COST * both.excess)
    entries = rule.ENTRY_COST * both.entries

    def score(costs: float) -> float:
        if is_short:
            return share
        return 0.0 if is_phrase else share * max(0.0, 1 - costs / max(matched, 1.0))

    is_told = share > 0 and not is_short
    story = longer if is_short else max(1, round(whole))
    edited = round(min(smaller.edited, whole - smaller.weight))
    return Judged(
        score(max(cost, entries)),
        score(cost),
        strict_score(sides, both, matched),
        share,
        story if share > 0 else 0,
        edited if is_told else 0,
        round(both.excess) if rule.EXCESS_COST * both.excess > replacing else 0,
        round(both.entries) if entries > cost else 0,
        is_phrase,
    )


def strict_score(sides: tuple[Side, Side], both: Both, matched: float) -> float:
    """Return how much of the smaller story is shared, 0 where anything leaves a doubt."""
    hole = max(both.hole, rule.END_COST / rule.HOLE_COST * both.end)
    most = max(EDIT, min(rule.STRICT_HOLE * matched, rule.MAX_STRICT_HOLE))
    most_excess = max(EDIT, min(rule.STRICT_EXCESS * matched, rule.MAX_STRICT_EXCESS))
    is_beyond = hole <= most and both.excess <= most_excess and both.gap <= rule.MAX_STRICT_GAP
    whole, shared = min((side.weight + side.story, side.weight) for side in sides)
    if matched < rule.MIN_WORDS or not is_beyond or whole == 0:
        return 0.0
    return min(1.0, shared / whole)


def of_one_story(weight: float, *, is_one: bool) -> float:
    """Return what a shared word counts if the documents that share it are one story."""
    return weight if is_one or weight == 1 else min(1.0, weight / (1 - weight))


def prose(document: Document, cover: set[int], words: Iterable[int]) -> list[int]:
    """Return the words that stand in lines nearly as long as those of the shared words."""
    shortest = PROSE * mean_line(document, cover)
    return [w for w in words if document.line(w) >= shortest]


def mean_line(document: Document, words: Iterable[int]) -> float:
    """Return the mean length of the lines of some words, weighted."""
    words = list(words)
    return math.fsum(document.line(w) * document.weight(w) for w in words) / document.weigh(words)


def between(
    chained: Sequence[Run], sides: Sequence[tuple[Document, set[int]]], ngram: int, both: Both
) -> tuple[list[float], Both]:
    """Look at what stands between the runs of a chain, and at its ends."""
    edited = [0.0, 0.0]
    excess = [0.0, 0.0]
    for one, other in pairwise(chained):
        ranges = [(one.end[side], (other.larger, other.smaller)[side]) for side in (0, 1)]
        bare = [
            [w for w in range(*stretch) if w not in cover]
            for stretch, (_, cover) in zip(ranges, sides, strict=True)
        ]
        told = [
            prose(document, cover, words)
            for (document, cover), words in zip(sides, bare, strict=True)
        ]
        weight = [document.weigh(words) for (document, _), words in zip(sides, told, strict=True)]
        for side in (0, 1):
            excess[side] += max(0.0, weight[side] - weight[1 - side])
        n_words = min(map(len, bare))
        if not n_words:
            continue
        n_prose = min(map(len, told))
        length = sum(end - start for start, end in ranges)
        is_bare = sum(map(len, bare)) >= BARE_SHARE * length
        around = [
            (document.weight(max(0, start - ngram)), document.weight(end))
            for (document, _), (start, end) in zip(sides, ranges, strict=True)
        ]
        if not is_bare or max(map(len, bare)) < EDIT:
            for side in (0, 1):
                edited[side] += n_prose * sum(around[side]) / 2
        if is_bare:
            both = both._replace(gap=max(both.gap, n_words))
        if is_bare and n_words >= BOX and all(min(weights) < COMMON for weights in around):
            all_words = [
                document.weigh(words) for (document, _), words in zip(sides, bare, strict=True)
            ]
            both = both._replace(entries=max(both.entries, min(all_words)))
        if is_bare and n_prose >= EDIT:
            hole = min(weight)
            longer = max(
                sum(map(document.line, words)) / len(words) / mean_line(document, cover)
                for (document, cover), words in zip(sides, told, strict=True)
            )
            hole *= LONG_COST if longer >= LONG else 1
            if hole > both.hole:
                both = both._replace(hole=hole, hole_weight=min(weight))
    return edited, both._replace(excess=min(excess), end=at_ends(chained, sides))


def at_ends(chained: Sequence[Run], sides: Sequence[tuple[Document, set[int]]]) -> float:
    """Return what the prose weighs that both documents have at one end of a chain."""
    first, last = chained[0], chained[-1].end
    starts = [range(start - 1, -1, -1) for start in (first.larger, first.smaller)]
    ends = [range(end, len(one.lines)) for (one, _), end in zip(sides, last, strict=True)]
    most = 0.0
    for stretches in (starts, ends):
        told = [
            (document, until_a_list(document, cover, stretch))
            for (document, cover), stretch in zip(sides, stretches, strict=True)
        ]
        if min(len(words) for _, words in told) >= EDIT:
            most = max(most, min(document.weigh(words) for document, words in told))
    return most


def until_a_list(document: Document, cover: set[int], stretch: Iterable[int]) -> list[int]:
    """Return the words of prose of a stretch that are not shared, until a list begins."""
    found: list[int] = []
    n_list = 0
    for w in stretch:
        if w in cover:
            continue
        if prose(document, cover, [w]):
            found.append(w)
            n_list = 0
        else:
            n_list += 1
            if n_list == LIST:
                break
    return found


def prose_by_line(document: Document) -> list[float]:
    """Return what the words of a document weigh in lines of at least so many, from 0 on."""
    return [
        document.weigh(w for w in range(len(document.lines)) if document.line(w) >= shortest)
        for shortest in range(N_LINES)
    ]


# --- boilerplate --------------------------------------------------------------------------


def tells_beside(document: Document, line: int) -> bool:
    """Whether a document tells something of its own beside words in a line of this length.

    A passage of its own is prose to them, or more is its own than others have of such prose.
    """
    words = range(len(document.lines))
    shortest = math.ceil(PROSE * min(line, PARAGRAPH))
    own = {w for w in words if document.weight(w) > OWN}
    long = {w for w in words if document.line(w) >= shortest}
    return document.weights is None or len(own & long) >= EDIT or len(own) >= len(long - own)


def clusters_of(
    documents: Sequence[Document], clusters: Sequence[int], watched: Iterable[int]
) -> dict[int, set[int]]:
    """Return the clusters that each watched shingle counts in; -1 is none."""
    found: dict[int, set[int]] = {shingle: set() for shingle in watched}
    for document, cluster in zip(documents, clusters, strict=True):
        for shingle, line in zip(document.shingles, document.lines, strict=False):
            if cluster >= 0 and shingle in found and tells_beside(document, line):
                found[shingle].add(cluster)
    return found


class Boilerplate:
    """In how many clusters shingles occur, and which of them are part of a form."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.forms: set[int] = set()

    def watch(self, found: Iterable[int], n: int = 0) -> None:
        """Take up shingles that are not known yet, to start with a count."""
        for shingle in found:
            self.counts.setdefault(shingle, n)

    def count(self, documents: Sequence[Document], clusters: Sequence[int]) -> None:
        """Count more clusters."""
        for shingle, held in clusters_of(documents, clusters, self.counts).items():
            self.counts[shingle] = min(self.counts[shingle] + len(held), MAX_COUNT)

    def mark(self, found: Iterable[int]) -> None:
        """Note which of the shingles are part of a form."""
        self.forms |= {*found} & {*self.counts}

    def raise_to(self, known: dict[int, int]) -> None:
        """Let shingles stand in so many clusters at least."""
        for shingle, n in known.items():
            self.counts[shingle] = max(self.counts.get(shingle, 0), n)

    def kept(self) -> dict[int, tuple[int, bool]]:
        """Return what is kept: the count of what is in two clusters, and whether it is a form's."""
        return {shingle: (n, shingle in self.forms) for shingle, n in self.counts.items() if n > 1}

    def changes(self, before: "Boilerplate") -> set[int]:
        """Return the shingles whose words weigh otherwise, or weigh so in other words."""
        return {shingle for shingle, _ in {*self.kept().items()} ^ {*before.kept().items()}}

    def weights(self, document: Document) -> list[float]:
        """Return 1 over the clusters of the shingle that begins with each word, or of the last.

        Of the shingles of a form that a word stands in, the commonest counts, too.
        """
        n_starts, n_words = len(document.shingles), len(document.lines)
        ngram = n_words - n_starts + 1
        found = []
        for w in range(n_words):
            over = range(max(0, w - ngram + 1), min(w + 1, n_starts))
            counting = [i for i in over if document.shingles[i] in self.forms]
            counting.append(min(w, n_starts - 1))
            found.append(
                min(1 / max(1, self.counts.get(document.shingles[i], 0)) for i in counting)
            )
        return found


# --- stories ------------------------------------------------------------------------------


def words_of_story(
    copies: Sequence[Document], n_copies: Sequence[int], ngram: int
) -> list[tuple[int, int]]:
    """Return how many words of its story each copy has, and how many of boilerplate."""
    holders = Counter(
        shingle
        for copy, n in zip(copies, n_copies, strict=True)
        for shingle in {*copy.shingles}
        for _ in range(n)
    )
    are_shared = [[2 * holders[key] > sum(n_copies) for key in copy.shingles] for copy in copies]
    again = [said_again(copy, ngram, are) for copy, are in zip(copies, are_shared, strict=True)]
    shared = [
        within(copy, ngram, are) - words
        for copy, are, words in zip(copies, are_shared, again, strict=True)
    ]
    lengths = [
        sum(copy.lines[w] for w in words) / max(1, len(words))
        for copy, words in zip(copies, shared, strict=True)
    ]
    known = [line for line, n in zip(lengths, n_copies, strict=True) for _ in range(n) if line > 0]
    usual = statistics.median(known) if known else 0
    found = []
    for copy, words, repeated, line in zip(copies, shared, again, lengths, strict=True):
        everything = {*range(len(copy.lines))}
        others = within(copy, ngram, [copy.weight(w) < COMMON for w in range(len(copy.shingles))])
        beside = everything - words - repeated
        told = {w for w in beside - others if copy.lines[w] >= min(PROSE * line, PARAGRAPH)}
        is_told = (
            0 < line <= LOST_LINES * usual
            and len(beside) - len(told) <= FEW_OTHERS * len(beside)
            and len(told) <= len(words)
        )
        found.append((len(words - others) + is_told * len(told), len(others)))
    return found


def said_again(document: Document, ngram: int, are_shared: Sequence[bool]) -> set[int]:
    """Return the words of passages that most copies have, and this one before."""
    are_first = [
        held and document.shingles.index(key) == i
        for i, (key, held) in enumerate(zip(document.shingles, are_shared, strict=True))
    ]
    words = sorted(within(document, ngram, are_shared) - within(document, ngram, are_first))
    # Words that follow each other are as far from their places in the list.
    runs = [
        [w for _, w in run] for _, run in groupby(enumerate(words), lambda one: one[1] - one[0])
    ]
    return {w for run in runs if len(run) >= PASSAGE for w in run}


def within(document: Document, ngram: int, is_held: Sequence[bool]) -> set[int]:
    """Return the words that stand in any of some shingles of a document."""
    words = {w for i, held in enumerate(is_held) if held for w in range(i, i + ngram)}
    return words & {*range(len(document.lines))}


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


def likeness(left: Sequence[int], right: Sequence[int], a: int, b: int) -> float:
    """Return the cosine similarity of sets of `a` and `b` shingles, as two signatures tell it."""
    n_equal = sum(x == y for x, y in zip(left, right, strict=True))
    return n_equal / (len(left) + n_equal) * (a + b) / math.sqrt(a * b)


def shortlisted(pairs, signatures, sizes, contents, *, weak, many, best):
    """Return the pairs that stay where the smaller document has more than `many` weak ones."""
    weak_of = {}
    for a, b in pairs:
        alike = likeness(signatures[a], signatures[b], sizes[a], sizes[b])
        if alike < weak:
            weak_of.setdefault(b, []).append((-alike, sizes[a], contents[a], a))
    left_out = {
        (a, b)
        for b, found in weak_of.items()
        if len(found) > many
        for *_, a in sorted(found)[best:]
    }
    return [pair for pair in pairs if pair not in left_out]


def most_popular(pairs, sizes, contents, least):
    """Return the most popular candidate of each document, if it has `least` candidates itself.

    See `dedupe.crowds`; nobody goes to one who is less popular.
    """
    neighbours = {}
    for a, b in pairs:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)

    def popularity(d):
        return len(neighbours[d]) / math.sqrt(sizes[d]), contents[d]

    found = {}
    for d, others in neighbours.items():
        best = max((o for o in others if len(neighbours[o]) >= least), key=popularity, default=d)
        if popularity(best) > popularity(d):
            found[d] = best
    return found


def least_edited(popular_of, shares, contents):
    """Return the leader of each document, given the most popular one of some, and their shares."""
    crowds = {}
    for d in {*popular_of, *popular_of.values()}:
        crowds.setdefault(popular_of.get(d, d), []).append(d)
    found = {}
    for popular, documents in crowds.items():
        members = (d for d in documents if d != popular)
        leader = min(members, key=lambda d: (-shares[d], contents[d]), default=popular)
        found |= {d: leader for d in documents if d != leader}
    return found


# --- clusters -----------------------------------------------------------------------------


def components(n_docs: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the least document that each can be reached from."""
    of = [{document} for document in range(n_docs)]
    for one, other in pairs:
        if of[one] is not of[other]:
            of[one] |= of[other]
            for document in of[other]:
                of[document] = of[one]
    return [*map(min, of)]


def average_linkage(
    n_docs: int,
    scores: dict[tuple[int, int], float],
    links: Iterable[tuple[int, int]],
    least_mean: float,
) -> list[int]:
    """Return the least document of the cluster of each, where links join, the best first.

    Two clusters join if their documents score enough on average, as far as is known. A link
    waits for its turn once more where that is much less than what the link was worth.
    """
    of = [{d} for d in range(n_docs)]
    waiting = [(-scores[link], *link) for link in links]
    while waiting:
        waiting.sort()
        worth, a, b = waiting.pop(0)
        if of[a] is of[b]:
            continue
        pairs = [(min(x, y), max(x, y)) for x in of[a] for y in of[b]]
        told = [scores[pair] for pair in pairs if pair in scores]
        mean = math.fsum(told) / len(told)
        if mean < least_mean:
            continue
        if mean < -worth - SLACK:
            waiting.append((-mean, a, b))
            continue
        together = of[a] | of[b]
        for d in together:
            of[d] = together
    return [min(cluster) for cluster in of]


def representative(group, keep, prefer):
    """Return the document to keep of a cluster, whose ids are strings; the first id wins a tie."""
    old = [one for one in group if one.is_old]
    if old:
        return min(old, key=lambda one: one.id)
    for place in prefer:
        if found := [one for one in group if is_in(place, one.id)]:
            group = found
            break
    fullest = max(one.story_words for one in group)
    never = float("inf")
    least = {
        "typical": lambda one: -2 * one.story_words / max(1, one.n_words + fullest),
        "longest": lambda one: -one.n_words,
        "shortest": lambda one: one.n_words,
        "first": lambda one: one.position,
        "newest": lambda one: never if one.time is None else -one.time,
        "oldest": lambda one: never if one.time is None else one.time,
    }[keep]
    return min(group, key=lambda one: (least(one), one.id))


def clusters(documents, labels, keep, prefer):
    """Return the representative and the members of each cluster, the largest first."""
    groups = {}
    for one, label in zip(documents, labels, strict=True):
        groups.setdefault(label, []).append(one)
    found = [
        (representative(group, keep, prefer).id, tuple(one.id for one in group))
        for group in groups.values()
        if len(group) > 1
    ]
    return sorted(found, key=lambda cluster: (-len(cluster[1]), cluster[1]))


# --- what is the twin of what -------------------------------------------------------------

TWINS: dict[str, Callable[..., Any]] = {
    "alignment.chain_into": chain,
    "alignment.count_distinct_into": n_distinct,
    "alignment.end_of": runs,
    "alignment.extend_into": match,
    "alignment.index_into": match,
    "alignment.mask_of": match,
    "alignment.match_pair_into": match,
    "alignment.place_behind": match,
    "alignment.place_of": match,
    "alignment.runs_into": runs,
    "alignment.runs_of_pair_into": runs,
    "alignment.slot_of": match,
    "boilerplate.count_clusters_into": Boilerplate.count,
    "boilerplate.counts_into": Boilerplate.changes,
    "boilerplate.holders_into": Boilerplate.changes,
    "boilerplate.insert_into": Boilerplate.watch,
    "boilerplate.mark_watched_into": clusters_of,
    "boilerplate.raise_into": Boilerplate.raise_to,
    "boilerplate.tells_into": tells_beside,
    "boilerplate.weigh_counted_into": Boilerplate.weights,
    "boilerplate.weigh_into": Boilerplate.weights,
    "bounds.spare_into": alone,
    "buckets.columns_into": columns,
    "buckets.count_emissions": linked,
    "buckets.count_mixed": candidates_against,
    "buckets.deal_into": dealt,
    "buckets.distinct_into": distinct,
    "buckets.emit_mixed_into": candidates_against,
    "buckets.emit_pairs_into": linked,
    "buckets.keep_possible": may_reach,
    "buckets.keep_possible_by_bytes": may_reach,
    "buckets.low_bytes_into": may_reach,
    "buckets.mark_common_into": Signed.common,
    "buckets.may_reach": may_reach,
    "buckets.sort_into": by_value,
    "components.components_into": components,
    "forms.count_slots_into": slots,
    "hashing.avalanche": avalanche,
    "hashing.finish_words": token_hashes,
    "hashing.push_lane": token_hashes,
    "hashing.sealed": seal,
    "hashing.word_hash": token_hashes,
    "hyphens.divided_into": joined,
    "hyphens.ends_line": joined,
    "judging.judge_into": judged,
    "linkage.join_into": average_linkage,
    "measures.count_shared": measures,
    "measures.cover_into": measures,
    "measures.line_of": mean_line,
    "measures.own_prose": prose,
    "measures.prose_into": prose_by_line,
    "measures.uncover": measures,
    "measures.weight_of": Document.weight,
    "pairs.by_size_into": by_size,
    "pairs.measure_pairs_into": measures,
    "postings.collect_into": shared_values,
    "postings.find_into": bucket,
    "postings.look_up_into": look_up,
    "postings.pick_into": shared_values,
    "postings.scan_into": bucket,
    "postings.sift_into": look_up,
    "shingles.contents_into": content,
    "shingles.sealed_into": sealed_shingles,
    "shingles.shingles_into": shingles,
    "signatures.signatures_into": signature,
    "stories.count_words_into": words_of_story,
    "stories.mark_words_into": words_of_story,
    "strangers.covered_by_few_into": measures,
    "strangers.held_into": held,
    "strangers.shared_into": shared,
    "tables.find": Boilerplate.watch,
    "tables.home": Boilerplate.watch,
    "tables.is_in": shared,
    "tables.sieve_place": shared,
    "tokens.tokens_into": tokens,
}
"""The twin of each kernel, by itself or as part of what it answers."""

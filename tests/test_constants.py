"""Both sides of every constant of the rule, at two sizes.

A row of `ROWS` names a constant, a question, and how far its answer is yes: for each size the
last number of words, slots or documents. Of one more it is no. The numbers are written out, not
reckoned from the constant, so that a row fails when the constant is moved; the last law
moves each by a fifth or a fourth, and says which rows would not notice.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from numba import config

from blocks import align_pair, make_block, story
from dedupe import find_duplicate_texts
from dedupe.arrays import pairs_of
from dedupe.crowds import followers
from dedupe.engine.memory import BlockInMemory
from dedupe.kernels import boilerplate as counting
from dedupe.kernels import measures
from dedupe.results.pairs import scored_pairs
from dedupe.scoring import forms, passes, rule
from dedupe.scoring.boilerplate import Boilerplate, Words
from dedupe.scoring.counting import count
from dedupe.scoring.score import score, strict_score
from test_benchmarks import sweep, systems
from test_forms import block_of
from test_passes import ending_and_beginning, words

THRESHOLD = 0.45

# --- two documents of a story ---


def parts(*sizes):
    """Return stretches of words that are in no other stretch."""
    return [story(n, 1000 + 10_000 * i) for i, n in enumerate(sizes)]


def in_template(n, size):
    """Return two stories of `n` words within a frame of `size` words."""
    head, foot, one, other = parts(size // 2, size - size // 2, n, n)
    return head + one + foot, head + other + foot


def at_one_end(n, size):
    """Return two stories of `n` words behind `size` words that both have."""
    shared, one, other = parts(size, n, n)
    return shared + one, shared + other


def at_opposite_ends(n, size):
    """Return two documents that share `n` words, and have `size` others before or behind them."""
    shared, one, other = parts(n, size, size)
    return one + shared, shared + other


def at_places_of_their_own(n, size):
    """Return two documents that share `size` words; each has `n` where the other has none."""
    third = size // 3
    first, second, last, one, other = parts(third, third, size - 2 * third, n, n)
    return first + one + second + last, first + second + other + last


def joined(pair, **options):
    return bool(score(align_pair(*pair, **options))[0] >= THRESHOLD)


def is_beyond_doubt(pair, **options):
    return bool(strict_score(align_pair(*pair, **options))[0] > 0)


def a_phrase(n, size):
    return score(align_pair(*at_opposite_ends(n, size)))[0] == 0


def a_short_copy(n, size):
    """Ask of a text of `size` words, and the same with `n` more."""
    return score(align_pair(story(size), story(size + n)))[0] > 0


def a_form_without_words_of_its_own(n, size):
    """Ask of a form of `size` words that weigh little, with `n` that no other story has."""
    own, form, page = parts(n, size, 60)
    weights = [1.0] * n + [0.125] * size
    found = align_pair(
        own + form,
        page + own + form,
        weights=[weights, [1.0] * 60 + weights],
        # Short lines, so that the open end is no prose.
        lines=[[5] * (n + size), [5] * (60 + n + size)],
    )
    return score(found)[0] == 0


def a_hole_that_is_joined(n, size):
    return joined(in_template(n, size))


def an_end_that_is_joined(n, size):
    return joined(at_one_end(n, size))


def other_places_that_are_joined(n, size):
    return joined(at_places_of_their_own(n, size))


def in_a_frame(n, size, frame=0.125):
    """Align two pages with `size` words of one story, that differ in `n` entries of a listing."""
    own, head, foot, one, other = parts(size, 30, 30, n, n)
    pages = [own + head + entries + foot for entries in (one, other)]
    weights = [1.0] * size + [frame] * 30 + [1.0] * n + [frame] * 30
    lines = [20] * size + [10] * 30 + [3] * n + [10] * 30
    return align_pair(*pages, weights=[weights] * 2, lines=[lines] * 2)


def a_listing_that_is_joined(n, size):
    return score(in_a_frame(n, size))[0] >= THRESHOLD


def a_box(n, size):
    return in_a_frame(n, size).entries[0] == 0


def a_story_for_a_frame(n, size):
    """Ask of a listing of `size` entries within words that `n` stories hold."""
    return in_a_frame(size, 60, frame=1 / n).entries[0] == 0


def a_small_hole(n, size):
    return is_beyond_doubt(in_template(n, size))


def a_small_end(n, size):
    return is_beyond_doubt(at_one_end(n, size))


def small_other_places(n, size):
    return is_beyond_doubt(at_places_of_their_own(n, size))


def a_short_list(n, size):
    """Ask of lists of `n` words in place of each other, within `size` words of prose."""
    lines = [20] * (size // 2) + [2] * n + [20] * (size - size // 2)
    return is_beyond_doubt(in_template(n, size), lines=[lines] * 2)


def nearly_all(n, size):
    """Ask of a document with `n` words of its own, and `size` that are in the other."""
    own, shared, page = parts(n, size, size)
    (rows,) = passes.second(make_block([shared + own, page + shared]), pairs_of([[0, 1]]))
    (pair,) = scored_pairs(rows, "ab", THRESHOLD)
    return pair.relation == "contained"


# --- gaps, lines and lists ---


def an_edit(n, size):
    found = align_pair(*in_template(n, size))
    return bool(found.hole[0] == 0) and bool(found.edited[0, 0] == n)


def an_edit_at_an_end(n, size):
    return align_pair(*at_one_end(n, size)).end[0] == 0


def an_edited_paragraph(n, size):
    """Ask of `n` words that differ beside `size` times seven that stay, too few for a run."""
    head, foot, *stays = parts(60, 60, *[7] * size)
    pair = []
    for first in (100_000, 200_000):
        others = np.array_split(story(n, first), size + 1)
        between = [word for own, same in zip(others, stays, strict=False) for word in (*own, *same)]
        pair.append([*head, *between, *others[-1], *foot])
    return align_pair(*pair).hole[0] == 0


def hole_in_lines(shared, own):
    """Align two stories of 40 words in lines of `own`, in a frame in lines of `shared` words."""
    lines = [shared] * 60 + [own] * 40 + [shared] * 60
    return align_pair(*in_template(40, 120), lines=[lines] * 2)


def a_list_beside_prose(n, size):
    return hole_in_lines(size, n).hole[0] == 0


def a_story_in_a_story(n, size):
    return hole_in_lines(size, n).hole[0] == 40


def stories_between_lists_that_are_joined(n, size):
    lines = [10] * (size // 2) + [15] * n + [10] * (size - size // 2)
    return joined(in_template(n, size), lines=[lines] * 2)


def an_interruption_of_prose(n, size):
    """Ask of a list of `n` words behind `size` words of prose, with other prose below it."""
    shared, *own = parts(60, *[size, n, 40] * 2)
    pair = [[*shared, *own[i], *own[i + 1], *own[i + 2]] for i in (0, 3)]
    lines = [20] * 60 + [20] * size + [2] * n + [20] * 40
    return align_pair(*pair, lines=[lines] * 2).end[0] > size


# --- crowds ---


def follows(number_of_edits, size, in_one_place):
    """Ask of a copy of a story of `size` words that 105 others have, with edits of its own."""
    every = size // (number_of_edits + 1)
    places = [
        50 + i if in_one_place else (i + 1) * every for i in range(number_of_edits)
    ]  # Of one word each, unless they are in one place.
    documents = [story(size, 0) for _ in range(107)]
    for number, document in enumerate(documents[1:], start=1):
        document[20 * number % size] = 10**6 + number
    documents[-1] = [10**7 + i if i in places else word for i, word in enumerate(story(size, 0))]
    return 106 in led(documents)


def led(documents):
    """Return which of some documents follow a leader, if all are linked with the first."""
    links = pairs_of([[0, i] for i in range(1, len(documents))])
    return followers(BlockInMemory(make_block(documents)), links)[:, 1].tolist()


def too_few_for_a_crowd(n, size):
    """Ask of `n` edited copies of a story of `size` words."""
    copies = [story(size, 0) for _ in range(n + 1)]
    for number, copy in enumerate(copies[1:], start=1):
        copy[20 * number % size] = 10**6 + number
    return not led(copies)


def a_near_copy(n, size):
    return follows(n, size, in_one_place=False)


def a_near_copy_with_another_passage(n, size):
    return follows(n, size, in_one_place=True)


# --- what is learned ---


def in_lines(name, n, line=20):
    """Return a text of `n` words that no text of another name has."""
    told = words(name, n).split(" ")
    return "\n".join(" ".join(told[i : i + line]) for i in range(0, n, line))


def beyond_doubt_by_containment(n, size):
    """Ask of two versions with `n` words of their own, and a third text that is in doubt.

    All have `size` words of a story with a list in it, and the third has another list. If the two
    are one story from the first, what all share is in two, and they are seen to be one; else
    it is in three, and weighs too little for that.
    """
    head, foot = in_lines("head", size // 2), in_lines("foot", size - size // 2)
    version = f"{head}\n{in_lines('list', 101, 2)}\n{foot}"
    third = f"{in_lines('third', size * 6 // 10)}\n{in_lines('other', 101, 2)}"
    texts = [
        f"{in_lines('one', n)}\n{version}",
        f"{version}\n{in_lines('two', n)}",
        f"{head}\n{third}\n{foot}",
    ]
    return find_duplicate_texts(texts).pair("0", "1").boilerplate_words == 0


def one_story_when_boilerplate_is_learned(n, size):
    """Ask of what two versions share with another story: it is in two stories, or in three."""
    versions = ending_and_beginning("", size, n)
    another = f"{words('shared', size)} {words('another', 4 * size)}"
    return find_duplicate_texts([*versions, another]).pair("0", "1").boilerplate_words == 0


def a_phrase_of_many(n, size):
    """Ask of a story of `size` words that ends with `n` that three others begin with."""
    body, ending = words("story", size), words("ending", n)
    others = [f"{ending} {words(name, size)}" for name in ("this", "that", "other")]
    found = find_duplicate_texts([f"{body} {ending}", f"a {body} {ending}", *others])
    return found.pair("0", "1").boilerplate_words == 0


def own_words(n, size):
    """Ask of a document with `size` words that `n` stories hold, beside 30 that it shares.

    If they are its own, it is the third story that holds the 30.
    """
    shared, *own = parts(30, size, size, size)
    shingles, offsets = np.array([w for one in own for w in shared + one], np.uint64), np.arange(4)
    offsets *= 30 + size
    weights = np.full(shingles.size, 0.2, np.float32)
    for document, weight in enumerate((1, 1, 1 / n)):
        weights[offsets[document] + 30 : offsets[document + 1]] = weight
    boilerplate = Boilerplate()
    boilerplate.watch(shingles[:30])
    lines = np.full(shingles.size, 12, np.uint8)
    count(boilerplate, Words(shingles, offsets, offsets, lines, weights), np.arange(3))
    one = np.array([0, 1])
    return boilerplate.weights(shingles[:1], one, one)[0] < 0.4


# --- forms ---

DRAW = random.Random(1)


def stretch(n):
    """Return shingles that occur nowhere else."""
    return [DRAW.getrandbits(62) for _ in range(n)]


def is_form(texts):
    samples = forms.Samples(np.arange(len(texts)), np.array([0, len(texts)]))
    return bool(forms.are_forms(block_of(texts), samples)[0])


def filled_in(n_documents, frame, n_own=3, n_groups=None):
    """Return reports of a form, with a slot of `n_own` words between parts of the frame.

    Parts are given by how many words each has. Of `n_groups` the reports of one say the same.
    """
    # A slot of n words changes n + 4 shingles, and a part of n words has n - 4.
    stretches = [stretch(n - 4) for n in frame]
    fillings = [[stretch(n_own + 4) for _ in frame[1:]] for _ in range(n_groups or n_documents)]
    texts = []
    for document in range(n_documents):
        filling = fillings[document % len(fillings)]
        between = [s for part, own in zip(stretches, filling, strict=False) for s in part + own]
        texts.append(between + stretches[-1])
    return texts


def two_slots_are_none(n, size):
    return not is_form(filled_in(8, [size] * (n + 1)))


def a_long_way_to_the_next_slot(n, size):
    """Ask of a frame of `n` words, with `size` slots of four words."""
    return is_form(filled_in(8, np.diff(np.linspace(0, n, size + 2, dtype=int)), n_own=4))


def a_frame_for_few_own_words(n, size):
    """Ask of a frame of `n` words, with `size` slots of one word."""
    return is_form(filled_in(8, np.diff(np.linspace(0, n, size + 2, dtype=int)), n_own=1))


def own_words_beside_others(n, size):
    """Ask of four words in each of `size` slots, and two versions of a gap of `n` words."""
    versions, last = [stretch(n + 4) for _ in range(2)], stretch(40)
    texts = filled_in(8, [24] * (size + 1), n_own=4)
    return is_form([text + versions[i % 2] + last for i, text in enumerate(texts)])


def long_slots_in_a_frame(n, size):
    """Ask of `n` words in each of five slots, in a frame of six parts of `size` words."""
    return is_form(filled_in(8, [size] * 6, n_own=n))


def without_a_frame(n, size):
    """Ask of `size` documents of which `n` are reports of one form."""
    others = [stretch(150) for _ in range(size - n)]
    return not is_form(filled_in(n, [20] * 6) + others)


def own_words_that_others_have(n, size):
    """Ask of `size` reports of which always `n` say the same in their slots."""
    return is_form(filled_in(size, [20] * 6, n_groups=-(-size // n)))


def sampled_whole(n, size):
    """Ask of a cluster of `n` documents, one of `size` clusters."""
    labels = np.array([0] * n + [c for c in range(1, size) for _ in range(3)])
    texts = [stretch(12) for _ in labels]
    samples = forms.draw_samples(block_of(texts), labels, labels >= 0)
    return samples.sizes[0] == n


def too_few_for_a_form(n, size):
    """Ask of a cluster of `n` documents of `size` shingles."""
    texts = [stretch(size) for _ in range(n)]
    samples = forms.draw_samples(block_of(texts), np.zeros(n, int), np.ones(n, bool))
    return samples.sizes.size == 0


def another_filling(n, size):
    """Ask of two reports of a form with `size` slots, of which `n` say the same."""
    texts = filled_in(2, [20] * (size + 1), n_own=2, n_groups=2)
    frame = [shingle for shingle in texts[0] if shingle in texts[1]]
    for i in range(n):
        # A part of 20 words has 16 shingles, and a slot of two changes six.
        first = 22 * i + 16
        texts[1][first : first + 6] = texts[0][first : first + 6]
    pairs = pairs_of([[0, 1]])
    shares = forms.fillings_shared(block_of(texts), pairs, np.unique(np.array(frame, np.uint64)))
    labels, in_form = np.zeros(2, np.int64), np.ones(2, np.bool_)
    first, second = forms.take_apart(labels, in_form, pairs, shares)
    return first != second


# --- all of them ---


@dataclass(frozen=True)
class Row:
    """A question of a number and a size, and the last number of which the answer is yes."""

    constant: str
    question: Callable[[int, int], bool]
    last: Mapping[int, int] = field(default_factory=dict)

    def __str__(self):
        return f"{self.constant}-{self.question.__name__}"

    def answers(self):
        return [
            bool(self.question(n, size))
            for size, last in self.last.items()
            for n in (last, last + 1)
        ]


ROWS = [
    Row("scoring.rule.MIN_WORDS", a_phrase, {10: 19, 400: 19}),
    Row("scoring.rule.MIN_OWN", a_form_without_words_of_its_own, {40: 2, 100: 2}),
    Row("scoring.rule.HOLE_COST", a_hole_that_is_joined, {120: 26, 1200: 269}),
    Row("scoring.rule.END_COST", an_end_that_is_joined, {100: 37, 1000: 379}),
    Row("scoring.rule.EXCESS_COST", other_places_that_are_joined, {99: 37, 900: 341}),
    Row("scoring.rule.ENTRY_COST", a_listing_that_is_joined, {120: 70, 600: 334}),
    Row("scoring.rule.NEAR", a_near_copy, {300: 24, 600: 48}),
    Row("scoring.rule.MAX_NEAR_GAP", a_near_copy_with_another_passage, {300: 20, 600: 20}),
    Row("scoring.rule.MIN_CROWD", too_few_for_a_crowd, {300: 99, 600: 99}),
    Row("scoring.rule.STRICT_CONTAINMENT", beyond_doubt_by_containment, {200: 451, 400: 751}),
    Row("scoring.rule.LEARNED_SCORE", one_story_when_boilerplate_is_learned, {100: 100, 300: 300}),
    Row("scoring.rule.LEARNED_WORDS", a_phrase_of_many, {45: 9, 90: 9}),
    Row("scoring.rule.STRICT_HOLE", a_small_hole, {100: 20, 200: 40}),
    Row("scoring.rule.STRICT_HOLE", a_small_end, {100: 40, 200: 80}),
    Row("scoring.rule.MAX_STRICT_HOLE", a_small_hole, {600: 50, 2000: 50}),
    Row("scoring.rule.MAX_STRICT_GAP", a_short_list, {600: 100, 2000: 100}),
    Row("scoring.rule.STRICT_EXCESS", small_other_places, {99: 24, 400: 100}),
    Row("scoring.rule.MAX_STRICT_EXCESS", small_other_places, {900: 150, 2400: 150}),
    Row("scoring.rule.SHORT_SHARE", a_short_copy, {7: 0, 18: 2}),
    Row("scoring.rule.NEARLY_ALL", nearly_all, {90: 10, 900: 100}),
    Row("kernels.measures.PARAGRAPH", a_list_beside_prose, {25: 14, 60: 14}),
    Row("kernels.measures.PROSE", a_list_beside_prose, {10: 5, 20: 11}),
    Row("kernels.measures.EDIT", an_edit, {120: 9, 1200: 9}),
    Row("kernels.measures.EDIT", an_edit_at_an_end, {120: 9, 1200: 9}),
    Row("kernels.measures.BARE_SHARE", an_edited_paragraph, {1: 20, 2: 41}),
    Row("kernels.measures.LONG", a_story_in_a_story, {8: 11, 12: 17}),
    Row("kernels.measures.LONG_COST", stories_between_lists_that_are_joined, {240: 15, 1200: 78}),
    Row("kernels.measures.LIST", an_interruption_of_prose, {20: 9, 200: 9}),
    Row("kernels.measures.BOX", a_box, {60: 49, 600: 49}),
    Row("kernels.measures.COMMON", a_story_for_a_frame, {60: 2, 600: 2}),
    Row("kernels.boilerplate.OWN", own_words, {20: 3, 200: 3}),
    Row("scoring.forms.SAMPLE", sampled_whole, {1: 10, 4: 10}),
    Row("scoring.forms.MIN_DOCUMENTS", too_few_for_a_form, {12: 2, 100: 2}),
    Row("scoring.forms.FRAME_SHARE", without_a_frame, {8: 6, 10: 7}),
    Row("scoring.forms.OWN_SHARE", own_words_that_others_have, {8: 2, 10: 2}),
    Row("scoring.forms.MIN_SLOTS", two_slots_are_none, {20: 2, 30: 2}),
    Row("scoring.forms.OWN_OF_FRAME", a_frame_for_few_own_words, {4: 80, 8: 160}),
    Row("scoring.forms.OWN_OF_REST", own_words_beside_others, {4: 32, 8: 64}),
    Row("scoring.forms.MIN_FRAME", long_slots_in_a_frame, {20: 19, 30: 28}),
    Row("scoring.forms.FRAME_PER_SLOT", a_long_way_to_the_next_slot, {4: 160, 8: 320}),
    Row("scoring.forms.FILLING_SHARE", another_filling, {10: 4, 20: 9}),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_constant_has_two_sides_at_two_sizes(row):
    assert len(row.last) == 2
    assert row.answers() == [True, False] * 2


# --- what the rows would not notice ---

HOMES = {
    module.__name__.removeprefix("dedupe."): module for module in (rule, forms, measures, counting)
}

# A word weighs one over the number of its stories: nothing lies between a third and a half.
MOVED = {"kernels.measures.COMMON": (0.3, 0.6)}


def moved(value):
    """Return a constant a fifth less and a fourth more, or a step of a count."""
    if isinstance(value, int):
        return min(value - 1, round(value * 0.8)), max(value + 1, round(value * 1.25))
    if 0.85 < value < 1:
        return 1 - (1 - value) * 1.25, 1 - (1 - value) * 0.8
    return value * 0.8, value * 1.25


def test_every_constant_has_a_row():
    named = {
        f"{home}.{name}" for home, module in HOMES.items() for name, _ in sweep._numbers(module)
    }
    assert named == {row.constant for row in ROWS}


def move(monkeypatch, home, name, value):
    for holder in systems.holders_of(home, name):
        monkeypatch.setattr(holder, name, value)


@pytest.mark.parametrize("constant", sorted({row.constant for row in ROWS}))
def test_rows_notice_that_a_constant_is_moved(constant, monkeypatch):
    home, _, name = constant.rpartition(".")
    if home.startswith("kernels.") and not config.DISABLE_JIT:
        pytest.skip("compiled code has its constants inside; see NUMBA_DISABLE_JIT in .ci/run")
    rows = [row for row in ROWS if row.constant == constant]
    for value in MOVED.get(constant) or moved(getattr(HOMES[home], name)):
        move(monkeypatch, HOMES[home].__name__, name, value)
        for other, follows in systems._following(HOMES[home].__name__, name):
            move(monkeypatch, HOMES[home].__name__, other, follows)
        assert any(row.answers() != [True, False] * 2 for row in rows), value

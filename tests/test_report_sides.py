"""Two texts side by side: nothing is lost, and what differs is marked."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedupe
from dedupe.report.html import rows, sides
from dedupe.report.html.rows import in_order
from dedupe.report.lines import visible
from dedupe.results.records import (
    Evidence,
    Passage,
    Remainder,
    Span,
    Unlisted,
)
from dedupe.shingling.tokens import tokenize
from paged import prose

PIECES = st.lists(st.integers(0, 5), max_size=6)


def compared(left, right):
    """Compare two texts made of the same stock of passages."""
    stock = [prose(seed, 30) for seed in range(6)]
    one, other = ("\n\n".join(["Top <b>", *(stock[i] for i in side)]) for side in (left, right))
    return dedupe.compare_texts(one, other)


@given(PIECES, PIECES)
def test_no_character_of_either_side_is_lost(left, right):
    comparison = compared(left, right)
    found = sides.of_texts(comparison).rows
    on_left = "".join(piece.text for row in found for piece in row.left)
    assert on_left.split() == comparison.left_text.split()
    on_right = "".join(piece.text + " " for row in found for piece in row.right)
    assert Counter(on_right.split()) == Counter(comparison.right_text.split())


@given(PIECES, PIECES)
def test_what_is_not_marked_is_the_same_on_both_sides(left, right):
    for row in sides.of_texts(compared(left, right)).rows:
        if row.kind != "only":
            one, other = (
                [tokenize(piece.text) for piece in side if not piece.differs]
                for side in (row.left, row.right)
            )
            assert one == other


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 9)), max_size=9, unique_by=lambda x: x[0])
)
def test_the_heaviest_order_is_found(items):
    starts, weights = [start for start, _ in items], [weight for _, weight in items]
    chain = sorted(in_order(starts, weights))
    assert all(starts[a] < starts[b] for a, b in pairwise(chain))
    best = 0
    for choice in range(1 << len(items)):
        some = [i for i in range(len(items)) if choice >> i & 1]
        if all(starts[a] < starts[b] for a, b in pairwise(some)):
            best = max(best, sum(weights[i] for i in some))
    assert sum(weights[i] for i in chain) == best


def test_a_changed_word_is_marked_within_its_passage():
    words = prose(1, 60).replace("\n", "").split()
    changed = [*words[:30], "<Tuesday>", *words[31:]]
    (row,) = sides.of_texts(dedupe.compare_texts(" ".join(words), " ".join(changed))).rows
    assert (row.kind, row.is_equal, row.left_words, row.right_words) == ("shared", False, 60, 60)
    assert [piece.text.strip() for piece in row.left if piece.differs] == [words[30]]
    assert [piece.text.strip() for piece in row.right if piece.differs] == ["<Tuesday>"]


def test_a_long_difference_has_a_folded_row_with_both_sides():
    story = prose(1, 60), prose(2, 60)
    found = dedupe.compare_texts(
        story[0] + prose(3, 50) + story[1], story[0] + prose(4, 50) + story[1]
    )
    rows = sides.of_texts(found).rows
    assert [(row.kind, row.folded) for row in rows] == [
        ("shared", False),
        ("only", True),
        ("shared", False),
    ]
    assert rows[1].left
    assert rows[1].right
    assert [preview.endswith(" …") for preview in rows[1].previews] == [True, True]
    assert rows[1].previews[0] != rows[1].previews[1]
    assert not rows[1].is_equal


@pytest.mark.parametrize(
    ("n", "kinds"),
    [
        (20, [("shared", False)]),
        (21, [("shared", False), ("only", False), ("shared", False)]),
        (39, [("shared", False), ("only", False), ("shared", False)]),
        (40, [("shared", False), ("only", True), ("shared", False)]),
    ],
)
def test_a_difference_of_a_line_or_two_stands_in_its_passage_and_a_paragraph_is_folded(n, kinds):
    story = prose(1, 60), prose(2, 60)
    texts = (story[0] + prose(aside, n) + story[1] for aside in (3, 4))
    found = sides.of_texts(dedupe.compare_texts(*texts)).rows
    assert [(row.kind, row.folded) for row in found] == kinds


def test_a_passage_in_another_order_has_moved():
    story, aside = prose(1, 80), prose(2, 30)
    rows = sides.of_texts(dedupe.compare_texts(aside + story, story + aside)).rows
    assert [row.moved for row in rows] == [True, False]


def test_boilerplate_is_told_from_story():
    menu = prose(0, 50)
    corpus = {f"d{i}": f"{menu}\n{prose(i + 10, 80)}" for i in range(8)}
    corpus |= {f"e{i}": f"{menu}\n{prose(i + 10, 80)}\n{prose(i + 90, 20)}" for i in range(8)}
    found = dedupe.find_duplicate_texts(corpus)
    comparison = dedupe.compare_texts(corpus["d0"], corpus["e0"], corpus=found)
    kinds = [(row.kind, row.folded) for row in sides.of_texts(comparison).rows]
    assert ("boilerplate", True) in kinds
    assert ("shared", False) in kinds


EVIDENCE = Evidence(
    passages=(
        Passage(Span(0, 10), Span(50, 60), 12, "first <b> shared"),
        Passage(Span(30, 40), Span(0, 10), 50, "menu", boilerplate=True),
    ),
    only_left=(Remainder(Span(12, 20), 3, "left alone"), Remainder(Span(21, 25), 2, "more left")),
    only_right=(Remainder(Span(20, 30), 45, "right alone"),),
    covered_left=0.5,
    covered_right=0.4,
    more_passages=Unlisted(3, 20),
    more_right=Unlisted(1, 2),
)


def test_excerpts_stand_in_the_order_of_the_left():
    view = sides.of_excerpts("l\x07", "r", EVIDENCE)
    assert (view.left, view.is_full) == (r"l\x07", False)
    assert [
        (row.kind, "".join(p.text for p in row.left), "".join(p.text for p in row.right))
        for row in view.rows
    ] == [
        ("shared", "first <b> shared", ""),
        ("only", "left alone", ""),
        ("only", "more left", ""),
        ("boilerplate", "menu", ""),
        ("only", "", "right alone"),
    ]
    assert [row.folded for row in view.rows] == [False, False, False, True, True]
    assert view.left_out == ("shared: 3 shorter, 20 words", "only right: 1 shorter, 2 words")


def test_mirrored_twice_is_the_same():
    turned = sides.mirrored(EVIDENCE)
    assert [passage.excerpt for passage in turned.passages] == ["menu", "first <b> shared"]
    assert (turned.covered_left, turned.more_left.n) == (0.4, 1)
    assert sides.mirrored(turned) == EVIDENCE


@given(st.text())
def test_shown_text_is_harmless_and_showing_twice_is_showing_once(text):
    once = rows.tidied(text)
    assert all(char == "\n" or visible(char) == char for char in once)
    assert rows.tidied(once) == once


@given(st.text(st.sampled_from("ab .\n\t\u00a0\u202e")))
def test_white_space_is_tidied_as_the_rule_says(text):
    lines = re.sub("[^\\S\n]+", " ", text)
    lines = re.sub(" ?\n ?", "\n", lines)
    lines = re.sub("\n{3,}|(?<=[^\\w\n])\n+", "\n\n", lines)
    assert rows.tidied(text) == "\n".join(map(visible, lines.split("\n")))


def test_a_line_of_megabytes_is_cut():
    shown = rows.tidied("word " * 2_000_000)
    assert len(shown) < 51_000
    assert " [… 9,950,000 characters are not shown …] " in shown

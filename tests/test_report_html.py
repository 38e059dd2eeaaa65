"""The page: laws of its parts, then the page as a parser sees it. Browsers come after."""

import base64
import hashlib
import json
import random
import re
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedupe
from dedupe.documents import Document
from dedupe.errors import Skipped
from dedupe.report import html
from dedupe.report.html import gathering, opened, payload, plots, rows, sides
from dedupe.report.html.rows import in_order
from dedupe.report.lines import visible
from dedupe.report.openings import HEAD_CHARS, LINE_CHARS, OPENING_CHARS, openings
from dedupe.results.pairs import ScoredPairs
from dedupe.results.records import (
    Cluster,
    DocumentInfo,
    Duplicate,
    Evidence,
    Pair,
    Passage,
    Remainder,
    Span,
    Unlisted,
    evidence_of,
)
from dedupe.results.result import Result
from dedupe.settings import Settings
from dedupe.shingling.tokens import tokenize

HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "\"'><img src=x onerror='window.hacked = 1'>",
    "a\u202efdp.exe",
    "tab\tfeed\nbell\x07\x1b[31m",
    "{{ 7 * 7 }}{% raw %}&amp;&lt;",
    "<!--",
    "javascript:window.hacked=1",
)

WORDS = [f"{a}{b}{c}" for a in "bdfglmnr" for b in "aeiou" for c in ("k", "st", "ran", "lo")]


def prose(seed, n_words, line=12):
    """Make a text that no other seed gives; lines of a few words are those of a menu."""
    chosen = random.Random(seed).choices(WORDS, k=n_words)
    lines = (" ".join(chosen[start : start + line]) for start in range(0, n_words, line))
    return "".join(f"{line}.\n" for line in lines)


def pair(left, right, score, evidence=None):
    return Pair(
        left,
        right,
        score,
        0.25,
        0.9,
        0.9,
        0.5,
        score,
        1.0,
        1.0,
        "same text",
        "9 words shared",
        9,
        9,
        0,
        0,
        find_evidence=evidence_of(evidence),
    )


def result(scored, clusters=(), skipped=(), **settings):
    """Make a result: `clusters` are lists of members, the representative first."""
    known = {(one.left, one.right): one for one in scored}
    duplicates = []
    for kept, *rest in clusters:
        for member in rest:
            inside = [p for p in scored if member in (p.left, p.right)]
            best = max(inside, key=lambda p: p.score)
            direct = known.get((min(kept, member), max(kept, member)))
            duplicates.append(
                Duplicate(
                    member,
                    kept,
                    direct.score if direct else 0.0,
                    best.other(member),
                    best.score,
                    "r",
                )
            )
    ids = sorted({side for one in scored for side in (one.left, one.right)})
    return Result(
        clusters=tuple(Cluster(members[0], tuple(sorted(members))) for members in clusters),
        duplicates=tuple(duplicates),
        scored=tuple(scored),
        skipped=tuple(skipped),
        n_documents=len(ids),
        n_words=100 * len(ids),
        settings=Settings(**settings),
        documents=tuple(DocumentInfo(name, 100 + i, 0) for i, name in enumerate(ids)),
    )


def unpacked(blocks):
    """Return the items of blocks, as the script of the page does."""
    found = []
    for n_items, block in blocks:
        items = json.loads(zlib.decompress(base64.b64decode(block)))
        assert len(items) == n_items
        found += items
    return found


def data_of(page):
    """Return what a page hands to its script."""
    text = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(text)


class Parsed(HTMLParser):
    """What a parser makes of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.said = Counter(), set(), []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Count an element, and remember its attributes."""
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        """Remember text."""
        self.said.append(data)


# --- side by side ---

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


def test_a_line_of_megabytes_is_cut():
    shown = rows.tidied("word " * 2_000_000)
    assert len(shown) < 51_000
    assert " [… 9,950,000 characters are not shown …] " in shown


# --- first words ---


def opening_of(text, guide=None, others=()):
    """Return the first words of one story, among others whose two copies are the same."""
    return next(openings([guide or text, *others], [text, *others]))


def test_a_story_begins_below_the_menu_of_its_site():
    site = "Home\nNews\nOpen from nine to five on weekdays\n"
    story = "The council closed the bridge on Monday.\nIt opens again in spring."
    assert opening_of(site + story) == "Open from nine to five on weekdays " + story.replace(
        "\n", " "
    )
    assert opening_of(site + story, others=[site + "Another story altogether."]) == (
        story.replace("\n", " ")
    )


def test_a_story_begins_where_the_shorter_copy_does():
    story = "The council closed the bridge on Monday."
    page = f"A menu of this page alone, of many words\n{story}\nFooter"
    assert opening_of(page, guide=story) == f"{story} Footer"
    long = "June 16 (UPI) — President Xi Jinping has told Kremlin leader Vladimir Putin"
    wrapped = f"Menu\n{long.replace('—', '--')}\nFooter"
    assert opening_of(wrapped, guide=long) == wrapped[5:].replace("\n", " ")
    assert opening_of(wrapped.replace("\n", " "), guide=long) == wrapped[5:].replace("\n", " ")
    assert opening_of(page, guide="Nothing of this is in the page.").startswith("A menu of this")


@pytest.mark.parametrize(("n", "is_seen"), [(LINE_CHARS - 1, False), (LINE_CHARS, True)])
def test_a_line_of_a_menu_begins_no_story(n, is_seen):
    text = f"{'M' * n}\n{'a line of the story ' * 3}"
    assert opening_of(text).startswith("M") is is_seen


def test_a_story_is_looked_for_at_the_top():
    story = "\nThe council closed the bridge."
    for n, is_seen in ((HEAD_CHARS - 100, True), (HEAD_CHARS, False)):
        text = "menu\n" * (n // 5) + story
        assert opening_of(text).startswith("The council") is is_seen


@given(st.text(), st.text())
def test_first_words_are_short_harmless_and_on_one_line(text, guide):
    opening = opening_of(text, guide)
    assert len(opening) <= OPENING_CHARS + 2
    assert opening == visible(opening)
    assert opening_of(opening) == opening or len(opening) > OPENING_CHARS


def test_first_words_end_with_a_word():
    words = [f"word{number}" for number in range(99)]
    opening = opening_of(" ".join(words))
    *whole, dots = opening.split()
    assert (whole, dots) == (words[: len(whole)], "…")
    assert len(f"{' '.join(words[: len(whole) + 1])}") > OPENING_CHARS
    assert opening_of("橋" * 200) == "橋" * OPENING_CHARS + " …"
    assert opening_of("第 " + "橋" * 200) == "第 " + "橋" * (OPENING_CHARS - 2) + " …"


def test_each_cluster_has_its_first_words_and_without_its_text_none():
    texts = benign_texts()
    found = dedupe.find_duplicate_texts(texts)
    page = html.result_page(found)
    data = data_of(page)
    starts = [texts[cluster.representative][:60] for cluster in found.clusters]
    shown = unpacked(data["openings"])
    assert [one[:60] for one in shown] == [start.replace("\n", " ") for start in starts]
    assert all(one in "".join(Parsed(page).said) for one in shown)
    kept = found.clusters[0].representative
    changed = texts | {kept: texts[kept] + "!"}
    assert unpacked(data_of(html.result_page(found, changed))["openings"])[:2] == ["", shown[1]]
    saved = Result.from_json(found.to_json())
    assert set(unpacked(data_of(html.result_page(saved))["openings"])) == {""}


def test_first_words_without_room_are_left_out(monkeypatch):
    monkeypatch.setattr(payload, "OPENING_BYTES", 100)
    page = html.result_page(dedupe.find_duplicate_texts(benign_texts()))
    assert unpacked(data_of(page)["openings"]) == []
    assert len(unpacked(data_of(page)["clusters"])) == 8


# --- facts ---


def test_the_copy_to_keep_stands_on_the_left():
    found = gathering.gather(
        result([pair("a", "b", 0.9), pair("a", "c", 0.5)], [["b", "a"], ["c"]])
    )
    (one,) = found.clusters[0].duplicates
    assert (one.shown.left, one.shown.right, one.shown.is_mirrored) == ("b", "a", True)


def test_near_pairs_come_nearest_first_and_know_the_decision():
    scored = [pair("a", "b", 1.0), pair("a", "c", 0.6), pair("a", "d", 0.35), pair("b", "c", 0.39)]
    found = gathering.gather(result(scored, [["a", "b", "c"]]))
    assert [(p.left, p.right, p.together) for p in found.borderline] == [
        ("b", "c", True),
        ("a", "d", False),
        ("a", "c", True),
    ]


def test_a_copy_far_from_the_kept_one_also_shows_its_best_match():
    scored = [pair("a", "b", 0.9), pair("b", "c", 0.8), pair("a", "c", 0.05)]
    (cluster,) = gathering.gather(result(scored, [["a", "b", "c"]])).clusters
    assert [(one.id, one.shown.left, one.shown.pair.score) for one in cluster.duplicates] == [
        ("c", "a", 0.05),
        ("c", "b", 0.8),
        ("b", "a", 0.9),
    ]
    assert (cluster.size, cluster.saved_words, cluster.n_more) == (3, 101 + 102, 0)


def test_pairs_that_are_not_shown_are_never_made(monkeypatch):
    names = [f"{i:02}" for i in range(40)]
    scored = ScoredPairs.of([pair("00", other, 0.9) for other in names[1:]], names)
    made = []
    scored._make = lambda place, make=scored._make: made.append(place) or make(place)
    found = result(list(scored), [names])
    made.clear()
    monkeypatch.setattr(gathering, "N_BORDERLINE", 2)
    monkeypatch.setattr(gathering, "N_DUPLICATES", 4)
    facts = gathering.gather(replace(found, scored=scored))
    assert set(made) == {0, 1, 2, 3}
    assert (len(facts.scores), facts.similarities.shape) == (39, (39, 2))


def test_every_cluster_has_its_turn_before_the_sixth_duplicate_of_one(monkeypatch):
    names = [f"{i:02}" for i in range(20)]
    groups = [names[:12], names[12:15]]
    scored = [pair(kept, other, 0.9) for kept, *rest in groups for other in rest]
    found = gathering.gather(result([*scored, pair("05", "13", 0.4)], groups))
    order = [shown.right for shown in gathering.shown_pairs(found)]
    assert order == ["13", *names[1:6], "13", "14", *names[6:12]]
    monkeypatch.setattr(gathering, "N_DUPLICATES", 4)
    cluster = gathering.gather(result(scored, groups)).clusters[0]
    assert (len(cluster.duplicates), cluster.n_more, cluster.saved_words) == (
        4,
        7,
        sum(range(101, 112)),
    )
    monkeypatch.setattr(gathering, "N_LISTED", 6)
    assert len(gathering.gather(result(scored, groups)).clusters) == 1


@pytest.mark.parametrize(
    ("score", "is_shown"), [(0.21, True), (0.19, False), (0.59, True), (0.61, False)]
)
def test_a_score_is_near_the_threshold_within_a_fifth(score, is_shown):
    found = gathering.gather(result([pair("a", "b", score)], threshold=0.4))
    assert len(found.borderline) == is_shown


def test_fifty_pairs_near_the_threshold_are_shown_and_the_nearest_of_more():
    scored = [pair("a", f"b{i:02}", 0.5 - i / 1000) for i in range(51)]
    for n in (49, 50, 51):
        shown = gathering.gather(result(scored[-n:])).borderline
        assert [one.pair.right for one in shown] == [f"b{i:02}" for i in range(50, 0, -1)][:n]


@pytest.mark.parametrize(("n", "n_more"), [(500, 0), (501, 1)])
def test_five_hundred_duplicates_of_a_cluster_are_listed(n, n_more):
    names = ["kept", *(f"{i:03}" for i in range(n))]
    found = result([pair(name, "kept", 0.9) for name in names[1:]], [names])
    (cluster,) = gathering.gather(found).clusters
    assert (len(cluster.duplicates), cluster.n_more) == (500, n_more)


def test_twenty_documents_are_listed_of_twenty_remedies():
    skipped = [Skipped(f"s{i}", "empty", f"remedy {i}") for i in range(21)]
    skipped += [Skipped(f"t{i}", "empty", "remedy 0") for i in range(20)]
    remedies = gathering.gather(result([], skipped=skipped)).remedies
    assert [one.remedy for one in remedies] == [f"remedy {i}" for i in range(20)]
    assert [(len(one.skipped), one.n_more) for one in remedies[:2]] == [(20, 1), (1, 0)]


def test_skipped_documents_are_gathered_by_remedy(monkeypatch):
    monkeypatch.setattr(gathering, "N_SKIPPED", 2)
    skipped = [Skipped(f"s{i}", "empty", "leave it out" if i else "repair it") for i in range(4)]
    found = result([], skipped=skipped)
    groups = gathering.gather(found).remedies
    assert [(g.remedy, [s.id for s in g.skipped], g.n_more) for g in groups] == [
        ("repair it", ["s0"], 0),
        ("leave it out", ["s1", "s2"], 1),
    ]
    monkeypatch.setattr(gathering, "N_REMEDIES", 1)
    assert "and 3 documents with other things to do" in html.result_page(found)


# --- texts ---

TEXTS = {
    "a.txt": prose(1, 120),
    "b.txt": prose(2, 30) + prose(1, 120),
    "c.txt": prose(3, 90),
}


def test_the_share_of_words_that_duplicates_have():
    overview = gathering.gather(dedupe.find_duplicate_texts(TEXTS)).overview
    assert overview.saved_share == pytest.approx(150 / (120 + 150 + 90))
    assert "42% of all text" in html.result_page(dedupe.find_duplicate_texts(TEXTS))


def test_a_fresh_result_has_its_texts_and_a_loaded_one_takes_them():
    found = dedupe.find_duplicate_texts(TEXTS)
    loaded = Result.from_json(found.to_json())
    assert html.result_page(found) == html.result_page(loaded, TEXTS)
    assert "1 pair can be read by its longest passages" in html.result_page(loaded)


def test_a_pair_that_is_too_large_is_shown_by_excerpts(monkeypatch):
    found = dedupe.find_duplicate_texts(TEXTS)
    size = max(
        len(payload.as_json(one)) for one in unpacked(data_of(html.result_page(found))["pairs"])
    )
    monkeypatch.setattr(payload, "MAX_ITEM", size - 1)
    # Excerpts are shortened, so that they are smaller.
    page = html.result_page(found, TEXTS)
    assert "can be read in full" not in page
    assert "1 pair can be read by its longest passages" in page
    (fragment,) = unpacked(data_of(page)["pairs"])
    assert "excerpts" in fragment


def texts_of_pairs(n):
    """Make so many stories of two copies."""
    return {f"{i:03}{copy}": f"{prose(i, 60)} {copy}" for i in range(n) for copy in "ab"}


def test_the_work_for_texts_is_bounded(monkeypatch):
    found = dedupe.find_duplicate_texts(texts_of_pairs(12))
    monkeypatch.setattr(opened, "N_WHOLE", 5)
    monkeypatch.setattr(opened, "N_OPENED", 8)
    page = html.result_page(found)
    assert "5 pairs can be read in full: those near the threshold and some of each" in page
    assert "3 pairs can be read by their longest passages" in page
    assert "Of 4 pairs the page holds their numbers alone" in page
    monkeypatch.setattr(opened, "N_WORDS", 3 * 2 * 61)
    page = html.result_page(found)
    assert "3 pairs can be read in full" in page
    assert "Of 9 pairs the page holds their numbers alone" in page


@pytest.mark.parametrize("with_texts", [True, False])
def test_a_page_tells_how_far_it_is(with_texts):
    found = dedupe.find_duplicate_texts(texts_of_pairs(12))
    steps = []
    html.result_page(found, None if with_texts else {}, progress=steps.append)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert set(range(1, 13)) <= set(done)
    assert {(step.stage, step.total, step.unit) for step in steps} == {("report", 12, "pairs")}
    assert done[-1] == 12


def test_a_text_that_has_changed_is_shown_by_excerpts():
    found = dedupe.find_duplicate_texts(TEXTS)
    whole = html.result_page(found, TEXTS)
    assert "1 pair can be read in full" in whole
    for change in ("another text altogether", "...", "", "long " * 50_000):
        page = html.result_page(found, TEXTS | {"a.txt": change})
        assert "can be read in full" not in page
        assert "1 pair can be read by its longest passages" in page


def test_a_text_with_equal_words_but_another_digest_is_not_shown_in_full():
    found = dedupe.find_duplicate_texts(TEXTS)
    for change in (TEXTS["a.txt"].upper(), TEXTS["a.txt"] + "\n", TEXTS["a.txt"].replace(".", "!")):
        assert dedupe.compare_texts(change, TEXTS["a.txt"]).pair.relation == "identical"
        page = html.result_page(found, TEXTS | {"a.txt": change})
        assert "can be read in full" not in page
        assert "1 pair can be read by its longest passages" in page


def test_a_document_without_a_digest_is_not_shown_in_full():
    found = dedupe.find_duplicate_texts(TEXTS)
    documents = tuple(replace(document, digest="") for document in found.documents)
    page = html.result_page(replace(found, documents=documents))
    assert "can be read in full" not in page


def test_a_text_is_shown_in_full_up_to_a_length(monkeypatch):
    found = dedupe.find_duplicate_texts(TEXTS)
    longest = max(len(TEXTS["a.txt"]), len(TEXTS["b.txt"]))
    for room, is_full in (longest, True), (longest - 1, False):
        monkeypatch.setattr(opened, "MAX_CHARS", room)
        assert ("1 pair can be read in full" in html.result_page(found)) == is_full


# --- data ---


def as_rows(items):
    """Return items as they are packed."""
    return [(item, payload.as_json(item)) for item in items]


@given(st.lists(st.text() | st.integers()), st.integers(0, 400))
def test_packing_keeps_the_first_items_within_the_budget(items, budget):
    packed = payload.pack(as_rows(items), budget)
    in_page = payload.as_script_json({"blocks": packed.chunks})
    assert len(in_page) - len('{"blocks":[]}') <= packed.n_bytes <= budget
    assert unpacked(packed.chunks) == list(packed.items) == items[: len(packed.items)]
    assert unpacked(payload.pack(as_rows(items), 10**9).chunks) == items


def test_many_items_go_into_several_chunks_as_far_as_a_browser_can_hold_them(monkeypatch):
    items = ["é" * 30_000 for _ in range(9)]
    packed = payload.pack(as_rows(items), 10**9)
    assert [n for n, _ in packed.chunks] == [2, 2, 2, 2, 1]
    monkeypatch.setattr(payload, "MAX_UNPACKED", 300_000)
    assert len(payload.pack(as_rows(items), 10**9).items) == 4


def test_a_cluster_that_is_too_large_is_listed_with_fewer_duplicates():
    names = ["\x07" * 480 + f"{i:03}" for i in range(500)]
    scored = [pair(names[0], other, 0.9) for other in names[1:]]
    (cluster,) = gathering.gather(result(scored, [names])).clusters
    ((shown, text),) = payload.cluster_rows([cluster])
    assert len(text.encode()) <= payload.MAX_ITEM < 2 * len(text.encode())
    assert shown.duplicates == cluster.duplicates[: len(shown.duplicates)]
    *_, n_more, _, _, duplicates = json.loads(text)
    assert len(duplicates) + n_more == 499
    assert n_more > 0


@given(st.recursive(st.text() | st.integers() | st.sampled_from(HOSTILE), st.lists))
def test_json_in_a_script_cannot_end_it(facts_):
    text = payload.as_script_json({"facts": facts_})
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == {"facts": facts_}
    text.encode()


def test_names_and_what_is_shown_of_them():
    assert payload.name("lone \udc80") == ["lone \udc80", r"lone \udc80"]
    name, shown = payload.name("x" * 501)
    assert name is None
    assert shown == f"{'x' * 250} … [1 characters] … {'x' * 250}"


@given(st.text(max_size=50), st.integers(1, 30))
def test_what_is_short_stays_short_and_harmless(text, repeats):
    shown = payload.short(text * repeats, 20)
    assert len(shown) <= 80
    assert visible(shown) == shown


# --- plots ---


@given(st.lists(st.floats(0, 1), max_size=50), st.floats(0.1, 1))
def test_bars_are_of_one_side_of_the_threshold(values, threshold):
    chart = plots.scores(values, threshold)
    counts = {
        style: sum(int(m.says.split(": ")[1].split()[0]) for m in chart.shapes if m.style == style)
        for style in ("yes", "no")
    }
    assert counts["yes"] == sum(value >= max(threshold, 0.1) for value in values)
    assert counts["no"] == sum(0.1 <= value < threshold for value in values)


@given(st.lists(st.sampled_from([0.1, 0.3999, 0.4, 0.95, 1.0])), st.sampled_from([0.1, 0.4, 1.0]))
def test_bars_of_scores_at_the_ends_are_of_one_side_too(values, threshold):
    shapes = plots.scores(values, threshold).shapes
    counts = dict.fromkeys(("yes", "no"), 0)
    for shape in shapes:
        counts[shape.style] += int(shape.says.split(": ")[1].split()[0])
    assert counts["yes"] == sum(value >= threshold for value in values)
    assert sum(counts.values()) == len(values)


@given(st.lists(st.integers(2, 10_000), min_size=2, max_size=30))
def test_what_is_said_of_sizes_is_true(sizes):
    said = plots.sizes(sizes).says.replace(",", "")
    largest, middle = map(int, re.findall(r"[0-9]+", said))
    assert said.endswith(f"at least half of the clusters have {middle} or fewer.")
    assert largest == max(sizes)
    assert middle in sizes
    assert 2 * sum(size <= middle for size in sizes) >= len(sizes)
    assert 2 * sum(size < middle for size in sizes) < len(sizes)


@given(st.integers(1, 10**7))
def test_the_tallest_bar_has_a_tick_and_no_two_labels_touch(tallest):
    ticks = plots._count_ticks(tallest)
    assert ticks[-1] == plots.Tick(plots.TOP, plots._count(tallest))
    places = [tick.place for tick in ticks]
    assert all(low - high >= plots.TICK_GAP for low, high in pairwise(places))
    assert all(len(tick.says) <= 6 for tick in ticks)


def test_a_tick_too_near_to_the_tallest_bar_is_left_out():
    said = {n: [tick.says for tick in plots._count_ticks(n)] for n in (1, 12, 20, 30, 12_444)}
    assert said == {
        1: ["1"],
        12: ["1", "12"],
        20: ["1", "10", "20"],
        30: ["1", "10", "30"],
        12_444: ["1", "10", "100", "1,000", "12,444"],
    }


@given(st.lists(st.integers(2, 10_000), max_size=30))
def test_bars_of_sizes_hold_every_cluster(sizes):
    chart = plots.sizes(sizes)
    assert sum(int(shape.says.split(": ")[1].split()[0]) for shape in chart.shapes) == len(sizes)


def test_plots_of_nothing_and_of_one():
    assert plots.scores([], 0.4).says == "0 pairs at or above the threshold 0.4, 0 below it."
    assert plots.sizes([]).says == "There is no cluster."
    assert plots.sizes([3]).says == "The only cluster has 3 documents."
    assert plots.similarities([]).says.endswith("misses them: 0 of 0 confirmed pairs.")
    assert plots.similarities([(0.4, 1), (1, 1)]).says.endswith("1 of 2 confirmed pairs (50%).")
    (shape,) = [shape for shape in plots.similarities([(1.0, 1.0)]).shapes if shape.path]
    assert shape.style == "level0"


# --- pages ---


def hostile_texts():
    """Return texts whose ids and texts try to be more than text."""
    return {
        name: f"{HOSTILE[-1 - i % 8]} {prose(i // 2, 100)} {name} {prose(i // 2 + 50, 100)}"
        for i, name in enumerate(f"{hostile}{copy}" for hostile in HOSTILE for copy in "12")
    }


def benign_texts():
    return {
        f"doc{i:02}": f"{prose(i // 2, 100)} plain words {prose(i // 2 + 50, 100)}"
        for i in range(16)
    }


@pytest.mark.parametrize("with_texts", [True, False])
def test_hostile_text_adds_no_element_and_no_attribute(with_texts):
    seen = []
    for texts in (benign_texts(), hostile_texts()):
        skipped = [Skipped(name, name, name) for name in texts]
        found = replace(dedupe.find_duplicate_texts(texts), skipped=tuple(skipped))
        assert len(found.clusters) == 8
        page = html.result_page(found, texts if with_texts else None)
        parts = [page, *unpacked(data_of(page)["pairs"])]
        assert not set("".join(parts)) & set("\u202e\x07\x1b\x00")
        parsed = [Parsed(part) for part in parts]
        assert len(parsed) == 9
        assert (parsed[0].tags["script"], parsed[1].tags["script"]) == (2, 0)
        seen.append({name for part in parsed for name in (*part.tags, *part.attributes)})
    benign, hostile = seen
    assert hostile <= benign
    assert not {"img", "onerror", "src", "style="} & benign


def test_hostile_ids_reach_the_script_as_they_are():
    texts = hostile_texts()
    data = data_of(html.result_page(dedupe.find_duplicate_texts(texts), texts))
    names = set()
    for _, keep, *_, duplicates in unpacked(data["clusters"]):
        for name in (keep, *(row[0] for row in duplicates)):
            names.add(name if isinstance(name, str) else name[0])
    assert names == set(texts)


def test_the_page_is_the_same_every_time_and_from_json():
    found = dedupe.find_duplicate_texts(TEXTS)
    page = html.result_page(found, TEXTS)
    assert html.result_page(found, dict(reversed(TEXTS.items()))) == page
    assert html.result_page(Result.from_json(found.to_json()), TEXTS) == page


def test_a_saved_result_gets_its_page_without_a_compiler(tmp_path):
    place = tmp_path / "result.json"
    place.write_text(dedupe.find_duplicate_texts(TEXTS).to_json(), encoding="utf-8")
    code = (
        "import sys, dedupe; from pathlib import Path; place = Path(sys.argv[1])\n"
        "dedupe.Result.from_json(place.read_bytes()).to_html(place.with_suffix('.html'))\n"
        "print('numba' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(place)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
    assert "is a copy of another" in place.with_suffix(".html").read_text(encoding="utf-8")


def test_the_policy_names_what_is_in_the_page_and_nothing_else():
    page = html.result_page(dedupe.find_duplicate_texts(TEXTS), TEXTS)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    policy = policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; ")
    for kind, pattern in ("style", "<style>(.*?)</style>"), ("script", "<script>(.*?)</script>"):
        (code,) = re.findall(pattern, page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in policy
    assert not re.findall(r"""https?://|\bsrc=|url\(|@import|\bstyle=""", page)


def test_a_page_without_duplicates():
    page = html.result_page(dedupe.find_duplicate_texts({"a": "one two", "b": "three four"}))
    said = " ".join(Parsed(page).said)
    assert "No duplicates among 2 documents" in said
    assert "No pair scored within 0.2 of the threshold 0.45" in said
    assert "There is none." in said


def test_a_page_says_what_it_says_without_its_script():
    found = dedupe.find_duplicate_texts(TEXTS)
    page = html.result_page(replace(found, skipped=(Skipped("x.pdf", "no text", "ocr it"),)))
    said = " ".join(" ".join(Parsed(page).said).split())
    assert "1 of 3 documents is a copy of another" in said
    start = next(openings([TEXTS["a.txt"]], [TEXTS["a.txt"]]))
    assert f"1 a.txt {start} b.txt 1.00 all 120 words of the smaller story shared" in said
    assert "1 document To do: ocr it x.pdf no text" in said
    assert "threshold 0.45 score from which two are the same story" in said


def test_a_comparison_has_a_page_without_a_script():
    comparison = dedupe.compare_texts(
        f"{HOSTILE[0]} {prose(1, 80)}", f"{prose(1, 80)} {HOSTILE[2]}"
    )
    parsed = Parsed(html.comparison_page(comparison))
    said = " ".join(" ".join(parsed.said).split())
    assert parsed.tags["script"] == parsed.tags["img"] == 0
    assert "The same story" in said
    assert "<script>window.hacked = 1</script>" in said
    assert "Two documents alone do not tell which text is boilerplate" in said


FACTS = (0.9, 0.25, 0.9, 0.9, 0.5, 0.9, 1.0, 1.0)


def made(groups, evidence, skipped=(), reason="9 words shared"):
    """Make a result of clusters, each duplicate paired with the first of them."""
    scored = [
        Pair(
            *sorted((group[0], other)),
            *FACTS,
            "same text",
            reason,
            9,
            9,
            0,
            0,
            find_evidence=evidence(),
        )
        for group in groups
        for other in group[1:]
    ]
    ids = sorted(name for group in groups for name in group)
    dropped = ((group[0], other) for group in groups for other in group[1:])
    return Result(
        clusters=tuple(Cluster(group[0], tuple(group)) for group in groups),
        duplicates=tuple(Duplicate(one, kept, 0.9, kept, 0.9, reason) for kept, one in dropped),
        scored=tuple(scored),
        skipped=tuple(skipped),
        n_documents=len(ids),
        n_words=300 * len(ids),
        settings=Settings(),
        documents=tuple(DocumentInfo(name, 300, 0) for name in ids),
    )


def large(n_clusters, size=3):
    """Make a result of clusters with ids that do not compress and evidence for each pair."""
    rng = random.Random(1)
    excerpts = [prose(seed, 40)[:240] for seed in range(500)]

    def evidence():
        passages = tuple(
            Passage(Span(i * 300, i * 300 + 240), Span(i * 300, i * 300 + 240), 40, text)
            for i, text in enumerate(rng.sample(excerpts, 8))
        )
        return evidence_of(Evidence(passages, (), (), 0.8, 0.9))

    return made(
        [
            sorted(f"news/{rng.randbytes(16).hex()}.html" for _ in range(size))
            for _ in range(n_clusters)
        ],
        evidence,
        [Skipped(f"s{i}", "no text", f"remedy {i % 300}") for i in range(20_000)],
    )


def with_digests(found, texts):
    """Return a result whose documents know the digests of some texts."""
    known = {name: Document(name, text).digest for name, text in texts.items()}
    documents = (replace(one, digest=known.get(one.id, "")) for one in found.documents)
    return replace(found, documents=tuple(documents))


def test_ten_thousand_clusters_fit_into_five_megabytes():
    found = large(10_000)
    named = (name for cluster in found.clusters[:1000] for name in cluster.members)
    texts_ = {name: prose(name, 300) for name in named}
    page = html.result_page(with_digests(found, texts_), texts_)
    assert re.search(r"[\d,]{3,} pairs can be read in full", page)
    assert len(page.encode()) < 5_000_000
    data = data_of(page)
    assert len(unpacked(data["clusters"])) == 10_000
    assert "largest clusters of" not in page
    assert re.search(r"Of [\d,]+ pairs the page holds their numbers alone", page)


SMALL = evidence_of(Evidence((Passage(Span(0, 9), Span(0, 9), 9, "x"),), (), (), 1.0, 1.0))

KINDS_OF_IDS = {
    "short": lambda rng: f"{rng.randrange(16**11):011x}",
    "quotes": lambda rng: f"{rng.randrange(16**11):011x}" + '"' * 480,
    "any markup": lambda rng: "".join(rng.choices("<>&\"'\\/", k=490)),
    "controls": lambda rng: "".join(map(chr, rng.choices(range(32), k=490))),
    "unassigned": lambda rng: "".join(map(chr, rng.choices(range(0xA0000, 0xDFFFF), k=490))),
    "surrogates": lambda rng: "".join(map(chr, rng.choices(range(0xD800, 0xE000), k=490))),
    "too long": lambda rng: "".join(map(chr, rng.choices(range(0x4E00, 0x9FFF), k=3000))),
}


@pytest.mark.parametrize(
    ("kind", "n_clusters", "size"),
    [("short", 390, 500), ("quotes", 25, 500), ("any markup", 60, 30)]
    + [(kind, 4, 250) for kind in KINDS_OF_IDS],
)
def test_a_page_stays_under_five_megabytes_whatever_its_ids_are(kind, n_clusters, size):
    rng = random.Random(1)
    named = KINDS_OF_IDS[kind]
    groups = [sorted({named(rng) for _ in range(size)}) for _ in range(n_clusters)]
    skipped = [Skipped(named(rng), named(rng), f"{i % 30}{named(rng)}"[:400]) for i in range(600)]
    for text in (named(rng) for _ in range(30)):
        skipped += [Skipped(named(rng), named(rng), text) for _ in range(20)]
    found = made(groups, lambda: SMALL, skipped, reason=named(rng))
    page = html.result_page(found)
    assert len(page.encode()) < 5_000_000
    data = data_of(page)
    assert all(rows_ := unpacked(data["clusters"]))
    assert [row[0] for row in rows_] == list(range(1, len(rows_) + 1))
    assert sum(row[5] + len(row[-1]) for row in rows_) == sum(
        len(group) - 1 for group in groups[: len(rows_)]
    )
    said = " ".join(" ".join(Parsed(page).said).split())
    (n_opened,) = re.findall(r"([\d,]+) pairs can be read by their longest passages", said)
    assert int(n_opened.replace(",", "")) == len(unpacked(data["pairs"])) <= 3000


def opened_heads(page):
    """Return the ids of each pair that can be opened, by its cluster and its place there."""
    data = data_of(page)
    fragments = unpacked(data["pairs"])
    heads = {}
    for cluster, place, number in unpacked(data["places"]):
        assert (cluster, place) not in heads
        heads[cluster, place] = re.findall("<bdi>(.*?)</bdi>", fragments[number])
    assert {number for *_, number in unpacked(data["places"])} == set(range(len(fragments)))
    return heads


def texts_with_a_huge_cluster():
    """Make a story of fifty copies whose ids take much room, and five others."""
    texts = {"\x07" * 480 + f"{i:03}": f"{prose(0, 60)} tail{i}" for i in range(50)}
    for n in range(1, 6):
        texts |= {f"story{n}{copy}": prose(n, 60) + f"extra {copy}" for copy in "abc"[: 2 + n % 2]}
    return texts


def test_every_pair_opens_with_its_own_texts(monkeypatch):
    monkeypatch.setattr(payload, "MAX_ITEM", 30_000)
    texts = texts_with_a_huge_cluster()
    found = dedupe.find_duplicate_texts(texts)
    page = html.result_page(found)
    rows_ = unpacked(data_of(page)["clusters"])
    assert [row[2 + 1] for row in rows_] == [50, 3, 3, 3, 2, 2]
    assert 0 < len(rows_[0][-1]) < 49 == len(rows_[0][-1]) + rows_[0][5]

    def shown_id(name):
        return payload.short(rows.tidied(name if isinstance(name, str) else name[0]))

    heads = {sides: found for sides, found in opened_heads(page).items() if sides[0]}
    assert heads == {
        (number, place): [shown_id(kept), shown_id(row[0])]
        for number, kept, *_, duplicates in rows_
        for place, row in enumerate(duplicates)
    }
    assert f"{len(heads)} pairs can be read in full" in page


def test_a_page_that_cannot_hold_everything_says_so(monkeypatch):
    monkeypatch.setattr(payload, "ROW_BYTES", 60_000)
    page = html.result_page(large(900))
    n_rows = len(unpacked(data_of(page)["clusters"]))
    assert 0 < n_rows < 900
    assert f"The page holds the {n_rows} largest clusters of 900" in page


def test_what_stays_beside_the_copy_to_keep_is_named():
    names = ["kept", "copy", *(f"other {i:02}" for i in range(30))]
    found = result([pair("copy", name, 0.9) for name in names if name != "copy"], [names])
    found = replace(found, duplicates=found.duplicates[:1])
    (row,) = unpacked(data_of(html.result_page(found))["clusters"])
    _number, kept, _words, size, _saved, n_more, n_stay, stays, duplicates = row
    assert (kept, size, n_more, n_stay) == ("kept", 32, 0, 30)
    assert stays == names[2:22]
    assert [one[0] for one in duplicates] == ["copy"]


def test_a_story_opens_with_the_same_words_whatever_the_types_of_its_ids():
    frames = {7: TEXTS["a.txt"], "b": TEXTS["a.txt"], (7,): TEXTS["a.txt"]}
    page = html.result_page(dedupe.find_duplicate_texts(frames))
    named = dedupe.find_duplicate_texts({str(n): TEXTS["a.txt"] for n in range(3)})
    shown = unpacked(data_of(page)["openings"])
    assert shown == unpacked(data_of(html.result_page(named))["openings"]) != [""]


def test_a_page_about_an_old_collection_says_so():
    found = dedupe.find_duplicate_texts({"new": TEXTS["a.txt"]}, against={"old": TEXTS["b.txt"]})
    page = html.result_page(found)
    assert "1 of 1 new document is a copy of an old one or another new one" in page
    assert "stands first, the old one if there is one, else the typical copy;" in page
    other = dedupe.find_duplicate_texts({"new": TEXTS["c.txt"]}, against={"old": TEXTS["b.txt"]})
    assert "No duplicates among 1 new document" in html.result_page(other)

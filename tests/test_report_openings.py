"""The first words of a story: where it begins, and how much of it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dedupe
from dedupe.report import html
from dedupe.report.html import payload
from dedupe.report.lines import visible
from dedupe.report.openings import HEAD_CHARS, LINE_CHARS, OPENING_CHARS, openings
from dedupe.results.result import Result
from paged import Parsed, benign_texts, data_of, unpacked


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

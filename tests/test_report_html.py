"""The page as a parser sees it, and the texts in it. Browsers come after."""

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace

import pytest

import dedupe
from dedupe.errors import Skipped
from dedupe.report import html
from dedupe.report.html import gathering, opened, payload, rows
from dedupe.report.openings import openings
from dedupe.results.result import Result
from paged import (
    HOSTILE,
    TEXTS,
    Parsed,
    benign_texts,
    data_of,
    hostile_texts,
    pair,
    prose,
    result,
    texts_with_a_huge_cluster,
    unpacked,
)

# --- texts ---


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


# --- pages ---


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

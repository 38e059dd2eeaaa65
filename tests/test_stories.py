"""Stories without their pages: which lines go, which spans are told, and what never goes."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import dedupe
import reference
from blocks import EIGHTHS, documents, make_block, ngrams, per_word
from dedupe import InvalidSetting, Old, Result, UnknownDocument, clean
from dedupe.documents.formats.changes import STORY_FIELDS
from dedupe.scoring.stories import Copies, covered, words_of_stories

FRAME = "Read more of our stories in the morning paper or on this site"
FOOT = "All rights reserved, no part may be copied without our permission"


def story(number, n_words=60):
    """Return a story of which no words stand in another one."""
    words = [f"w{number}x{place}" for place in range(n_words)]
    return "\n".join(" ".join(words[line : line + 20]) for line in range(0, n_words, 20))


PAGES = {f"page {n}": f"{FRAME}\n\n{story(n)}\n{FOOT}\n" for n in range(4)}


@pytest.fixture(scope="module")
def found():
    return dedupe.find_duplicate_texts(PAGES, workers=1)


def test_lines_that_many_stories_carry_go_and_the_spans_say_which(found):
    for name, text in PAGES.items():
        told = found.story(name, PAGES)
        assert told.text == story(int(name[-1])) + "\n"
        assert [text[start:end] for start, end in told.cut] == [f"{FRAME}\n\n", f"{FOOT}\n"]
        assert (told.n_words, told.n_cut) == (13 + 60 + 11, 24)


@pytest.mark.parametrize("n_pages", [2, 3])
def test_three_stories_must_carry_what_goes(n_pages):
    few = {name: PAGES[name] for name in sorted(PAGES)[:n_pages]}
    told = dedupe.find_duplicate_texts(few, workers=1).story("page 0", few)
    assert bool(told.cut) == (n_pages > 2)


@pytest.mark.parametrize(("n_own", "stays"), [(1, False), (2, True)])
def test_a_line_goes_whole_or_not_at_all(found, n_own, stays):
    own = " ".join(f"own{place}" for place in range(n_own))
    told = found.story("", {"": f"{FRAME} {own}\n{story(0)}"})
    assert (own in told.text) == stays
    assert (FRAME in told.text) == stays


def test_what_one_story_has_stays_however_many_copies_of_it_there_are():
    copies = {f"copy {n}": f"menu {n}\n{story(1)}" for n in range(6)}
    result = dedupe.find_duplicate_texts(copies | PAGES, workers=1)
    told = result.story("copy 0", copies)
    assert (told.text, told.cut) == (copies["copy 0"], ())


lines = st.lists(st.sampled_from([FRAME, FOOT, *story(0).splitlines(), "", "own words"]))


@given(lines, st.sampled_from(["\n", "\r\n", "\u2028"]))
def test_what_stays_and_what_went_are_the_text(found, some, end):
    text = end.join(some)
    told = found.story("", {"": text})
    kept, place = "", 0
    for start, stop in told.cut:
        assert place <= start < stop
        kept += text[place:start]
        place = stop
    assert kept + text[place:] == told.text
    again = found.story("", {"": told.text})
    assert (again.text, again.cut) == (told.text, ())


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 6))
def test_covered_is_as_its_words_say(is_held, ngram):
    n_words = len(is_held) + ngram - 1
    expected = [any(is_held[max(0, word - ngram + 1) : word + 1]) for word in range(n_words)]
    assert covered(np.array(is_held, np.bool_), n_words, ngram).tolist() == expected


@given(st.lists(st.lists(documents, min_size=1, max_size=4), max_size=4), ngrams, st.data())
def test_words_of_stories_are_those_of_the_reference(clusters, ngram, data):
    copies = [copy for cluster in clusters for copy in cluster]
    numbers = [number for number, cluster in enumerate(clusters) for _ in cluster]
    lines = [per_word(data, copy, st.integers(1, 40)) for copy in copies]
    weights = [per_word(data, copy, EIGHTHS) for copy in copies]
    n_copies = [data.draw(st.integers(1, 3)) for _ in copies]
    block = make_block(copies, ngram, lines, weights)
    told = [
        reference.Document(reference.shingles(copy, ngram), line, weight)
        for copy, line, weight in zip(copies, lines, weights, strict=True)
    ]
    expected = [
        pair
        for number in range(len(clusters))
        for pair in reference.words_of_story(
            [one for one, n in zip(told, numbers, strict=True) if n == number],
            [one for one, n in zip(n_copies, numbers, strict=True) if n == number],
            ngram,
        )
    ]
    all_of_them = Copies.of(np.arange(len(copies)), np.array(n_copies), clusters=np.array(numbers))
    found = words_of_stories(block.words, ngram, all_of_them)
    assert [*zip(found.story.tolist(), found.boilerplate.tolist(), strict=True)] == expected


@given(st.integers(2, 40), st.integers(0, 20), st.randoms(use_true_random=False))
def test_they_are_in_a_crowd_of_copies_however_much_is_edited(n_docs, n_edits, random):
    """Half of all copies is where most begins, and a shingle may stand in a copy many times."""
    words = [*range(30), *[*range(30)] * random.randint(0, 3), *range(10)]
    copies = [words[:] for _ in range(n_docs)]
    for copy in copies:
        for _ in range(n_edits):
            copy[random.randrange(len(copy))] = random.choice([random.randrange(9), 10**6])
    n_copies = [random.randint(1, 3) for _ in copies]
    lines = [[20] * len(words)] * n_docs
    block = make_block(copies, 3, lines)
    told = [
        reference.Document(reference.shingles(copy, 3), line, None)
        for copy, line in zip(copies, lines, strict=True)
    ]
    expected = reference.words_of_story(told, n_copies, 3)
    found = words_of_stories(
        block.words, 3, Copies(np.arange(n_docs), np.array(n_copies), np.array([0, n_docs]))
    )
    assert [*zip(*(column.tolist() for column in found), strict=True)] == expected


def test_copies_that_have_little_in_common_are_counted_too():
    """Their shingles do not fit in a table that has room for those of near-copies."""
    copies = [[*range(50), *range(1000 * n, 1000 * n + 400)] for n in range(1, 20)]
    found = words_of_stories(
        make_block(copies).words, 5, Copies.of(np.arange(19), np.ones(19), clusters=np.zeros(19))
    )
    twins = [reference.Document(reference.shingles(one, 5), [10] * len(one)) for one in copies]
    expected = reference.words_of_story(twins, [1] * 19, 5)
    assert [*zip(found.story.tolist(), found.boilerplate.tolist(), strict=True)] == expected


@pytest.mark.parametrize("batch", [1, 40, 1000])
def test_clusters_are_counted_in_batches_and_none_is_torn(monkeypatch, batch):
    monkeypatch.setattr("dedupe.scoring.stories.BATCH", batch)
    clusters = np.repeat([2, 5, 6, 9], [3, 1, 40, 2])
    copies = Copies.of(np.arange(46), np.ones(46), clusters=clusters)
    batches = [*copies.in_batches(np.full(46, 10))]
    assert np.concatenate([some.documents for some in batches]).tolist() == [*range(46)]
    sizes = [size for some in batches for size in np.diff(some.bounds).tolist()]
    assert sizes == [3, 1, 40, 2]
    assert all(some.bounds[0] == 0 for some in batches)
    assert len(batches) == {1: 4, 40: 3, 1000: 1}[batch]


def test_a_saved_result_tells_stories_of_texts_it_is_given(found):
    loaded = Result.from_json(found.to_json())
    assert loaded.story("page 1", PAGES) == found.story("page 1", PAGES)
    with pytest.raises(UnknownDocument, match=r"there must be a text of 'page 1': give the texts"):
        loaded.story("page 1")


def test_a_story_goes_by_ids_of_any_type_and_an_old_one_by_its_own_id():
    pages = dict(enumerate(PAGES.values()))
    old = {7: PAGES["page 0"] + "one more line\n"}
    found = dedupe.find_duplicate_texts(pages, against=old)
    assert found.duplicates[0].duplicate_of == Old(7)
    assert found.story(1, pages).text == found.story("1", pages).text == story(1) + "\n"
    assert found.story(Old(7)) == found.story(Old(7), old)
    assert found.unchanged(Old(7), old) == old[7]
    assert found.unchanged(Old(7), {7: "edited since"}) is None


# --- cleaning ---


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = {"id": "copy", "text": PAGES["page 0"] + "one more line\n"}
    return [{"id": name, "text": text} for name, text in PAGES.items()] + [copy]


def told_rows(rows):
    return {row["id"]: (row["story"], row["cut"]) for row in rows}


def test_clean_adds_the_story_to_what_stays(rows):
    lines = [json.dumps(row) for row in rows]
    Path("in.jsonl").write_text("\n".join(lines) + "\nno json\n")
    done = clean("in.jsonl", output="out.jsonl", story=True, workers=1)
    assert done.dropped == ("copy",)
    written = Path("out.jsonl").read_text().splitlines()
    assert [
        after.startswith(before[:-1] + ", ") for before, after in zip(lines, written, strict=True)
    ] == ([True] * 4 + [False])
    assert written[4] == "no json"
    found = told_rows(map(json.loads, written[:4]))
    assert found["page 2"] == (story(2) + "\n", "0-63 {}-{}".format(*_foot(PAGES["page 2"])))


def _foot(text):
    return text.index(FOOT), len(text)


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_clean_adds_it_in_every_format(rows, suffix):
    if suffix == "json":
        Path("in.json").write_text(json.dumps(rows))
    elif suffix == "csv":
        with Path("in.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "text"])
            writer.writeheader()
            writer.writerows(rows)
    else:
        parquet.write_table(pa.Table.from_pylist(rows), "in.parquet")
    clean(f"in.{suffix}", output=f"out.{suffix}", story=True, workers=1)
    if suffix == "json":
        written = json.loads(Path("out.json").read_text())
    elif suffix == "csv":
        with Path("out.csv").open(newline="") as file:
            written = list(csv.DictReader(file))
    else:
        written = parquet.read_table("out.parquet").to_pylist()
    assert [row["id"] for row in written] == [*PAGES]
    assert {row["story"] for row in written} == {story(n) + "\n" for n in range(4)}


def test_marks_and_stories_go_together(rows):
    Path("in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    clean("in.jsonl", output="out.jsonl", story=True, annotate=True, workers=1)
    written = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["duplicate_of"] for row in written] == [None] * 4 + ["page 0"]
    assert all(row["story"] for row in written)


def test_a_field_that_is_there_already_is_refused(rows):
    Path("in.jsonl").write_text("".join(json.dumps(row | {"cut": 1}) + "\n" for row in rows))
    with pytest.raises(InvalidSetting, match=r"story adds story, cut, and .* has cut already"):
        clean("in.jsonl", output="out.jsonl", story=True, workers=1)


def test_files_of_one_text_and_no_output_are_refused(rows):
    Path("in").mkdir()
    Path("in/a.txt").write_text(story(0))
    with pytest.raises(InvalidSetting, match=r"story adds .*, got 'in/a.txt'.*--replace-text"):
        clean("in", output="out", story=True)
    with pytest.raises(InvalidSetting, match="story must come with output"):
        clean("in", story=True)
    assert STORY_FIELDS == ("story", "cut")

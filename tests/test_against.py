"""New documents held against an old collection: only they can go, and only for what is old."""

import json
import random
import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedupe import Old, Result, find_duplicate_texts, find_duplicates
from dedupe.errors import InvalidSetting, NothingToRead
from dedupe.learning import learn
from dedupe.lsh import candidate_pairs
from dedupe.report.json import rows as as_lines
from strategies import edited

WORDS = [f"w{i}" for i in range(2000)]
STORIES = [" ".join(random.Random(n).choices(WORDS, k=80)) for n in range(4)]

documents = st.tuples(st.integers(0, 3), st.sampled_from(["", "menu home news sport", "the end"]))
collections = st.lists(documents, min_size=1, max_size=6)


def named(prefix, chosen):
    """Return texts by id: a story each, with something before it."""
    return {f"{prefix}{i}": f"{frame} {STORIES[n]}" for i, (n, frame) in enumerate(chosen)}


def story_of(name, old, new):
    text = old[name.id] if isinstance(name, Old) else new[name]
    return next(n for n, story in enumerate(STORIES) if story in text)


# --- laws ---


@settings(max_examples=40, deadline=None)
@given(collections, collections)
def test_new_documents_go_for_what_is_old_and_else_for_one_another(chosen_old, chosen_new):
    old, new = named("", chosen_old), named("", chosen_new)
    result = find_duplicate_texts(new, against=old)
    copied = {n for n, _ in chosen_old}
    for_old = {one.id for one in result.duplicates if isinstance(one.duplicate_of, Old)}
    assert for_old == {name for name in new if story_of(name, old, new) in copied}
    kept = [name for name in new if name not in {one.id for one in result.duplicates}]
    assert len(kept) == len({n for n, _ in chosen_new} - copied)
    for duplicate in result.duplicates:
        assert story_of(duplicate.id, old, new) == story_of(duplicate.duplicate_of, old, new)
    for cluster in result.clusters:
        olds = [name for name in cluster if isinstance(name, Old)]
        assert olds in ([], [cluster.representative])
    assert result.n_documents == len(old) + len(new)


@settings(max_examples=20, deadline=None)
@given(collections, collections, st.randoms())
def test_order_and_json_and_threshold_change_nothing(chosen_old, chosen_new, random):
    old, new = named("o", chosen_old), named("n", chosen_new)
    result = find_duplicate_texts(new, against=old)
    shuffled = [dict(random.sample([*texts.items()], len(texts))) for texts in (new, old)]
    assert find_duplicate_texts(shuffled[0], against=shuffled[1]).to_json() == result.to_json()
    loaded = Result.from_json(result.to_json())
    assert loaded == result
    assert loaded.at(0.9).at(result.settings.threshold).duplicates == result.duplicates


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), max_size=7), st.data())
def test_pairs_with_an_old_document_do_not_depend_on_other_new_ones(signatures, data):
    array = np.array(signatures, np.uint32).reshape(-1, 4)
    sizes = np.array(
        data.draw(st.lists(st.integers(1, 3), min_size=len(array), max_size=len(array)))
    ).astype(np.int64)
    is_old = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(array), max_size=len(array))), np.bool_
    )
    contents = np.arange(len(array)).astype(np.uint64)

    def found(places):
        some = candidate_pairs(
            array[places],
            sizes[places],
            contents=contents[places],
            is_old=is_old[places],
            bucket_cap=2,
            floor=0.0,
        )
        assert (is_old[places][some[:, 0]] >= is_old[places][some[:, 1]]).all()
        return {frozenset(pair) for pair in places[some].tolist() if is_old[pair].any()}

    together = found(np.arange(len(array)))
    alone = [
        found(np.flatnonzero(is_old | (np.arange(len(array)) == n))) for n in range(len(array))
    ]
    assert together == set().union(*alone)


# --- edges ---


def test_a_story_copied_by_hundreds_is_found_in_the_one_old_document():
    old = {"old": STORIES[0]}
    new = {f"n{i}": f"{STORIES[0]} {WORDS[i]} {WORDS[i + 1]}" for i in range(200)}
    result = find_duplicate_texts(new, against=old)
    assert len(result.duplicates) == 200
    assert {duplicate.duplicate_of for duplicate in result.duplicates} == {Old("old")}


def test_copies_among_the_new_are_found_and_among_the_old_are_not():
    result = find_duplicate_texts(
        {"a": STORIES[0], "b": STORIES[0]}, against={"c": STORIES[1], "d": STORIES[1]}
    )
    assert [(one.id, one.duplicate_of) for one in result.duplicates] == [("b", "a")]
    assert not any(one.is_old for one in result.documents)


def test_a_new_document_beside_one_that_goes_stays():
    """It is no copy of what is old, and what it is a copy of is not kept."""
    half = " ".join(STORIES[0].split()[:40])
    old = {"o": half}
    result = find_duplicate_texts({"a": f"{half} {STORIES[1]}", "b": STORIES[1]}, against=old)
    assert {one.id: one.duplicate_of for one in result.duplicates}.get("a") == Old("o")
    assert "b" not in {one.id for one in result.duplicates}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_asked_together_changes_no_answer(seed):
    """Notices in one frame: without what the old ones teach, several would be one story."""
    draw = random.Random(seed)
    frame = [" ".join(draw.choices(WORDS, k=12)) for _ in range(7)]

    def notice(n):
        slots = [" ".join(random.Random(f"{seed} {n} {i}").choices(WORDS, k=3)) for i in range(7)]
        return " ".join(word for pair in zip(frame, slots, strict=True) for word in pair)

    old = {n: notice(n) for n in range(30)}
    new = {n: notice(n) for n in range(20, 50)}
    together = find_duplicate_texts(new, against=old)
    verdicts = {
        one.id: (one.duplicate_of, one.score)
        for one in together.duplicates
        if isinstance(one.duplicate_of, Old)
    }
    for name, text in new.items():
        alone = find_duplicate_texts({name: text}, against=old)
        assert {one.id: (one.duplicate_of, one.score) for one in alone.duplicates} == {
            one: found for one, found in verdicts.items() if one == name
        }


def pages_with_frames(seed):
    """Return old and new pages of shared passages and stories, some with next to nothing else."""
    draw = random.Random(seed)

    def words(n_words):
        return " ".join(draw.choices(MANY_WORDS, k=n_words))

    frames = [words(draw.choice([12, 20, 40])) for _ in range(draw.randint(1, 4))]
    stories = [words(draw.choice([20, 40, 60])) for _ in range(3)]

    def page():
        parts = [frame for frame in frames if draw.random() < 0.75]
        if draw.random() < 0.5:
            parts.insert(draw.randint(0, len(parts)), draw.choice(stories))
        n_own = draw.choice([0, 3, 8, 15, 40])
        if n_own or not parts:
            parts.insert(draw.randint(0, len(parts)), words(n_own or 10))
        return draw.choice(["\n", " "]).join(parts)

    old = {f"o{n}": page() for n in range(draw.randint(2, 8))}
    return old, {f"n{n}": page() for n in range(draw.randint(2, 6))}


MANY_WORDS = [f"w{i}" for i in range(5000)]


# Seeds under which pages that the old ones leave nothing of their own would not be counted.
@pytest.mark.parametrize("seed", [77, 262, 406, 427])
def test_what_all_documents_teach_does_not_rest_on_what_the_old_ones_taught_before(seed):
    old, new = pages_with_frames(seed)
    beside_old = find_duplicate_texts(new, against=old, workers=1)
    together = find_duplicate_texts(old | new, workers=1)
    assert beside_old.boilerplate == together.boilerplate
    among_new = {
        (pair.left, pair.right): pair.score
        for pair in together.scored
        if pair.left in new and pair.right in new
    }
    assert among_new
    for pair in beside_old.scored:
        if not {type(pair.left), type(pair.right)} & {Old}:
            assert pair.score == among_new[pair.left, pair.right]


def test_what_the_old_ones_teach_is_enough_where_no_new_ones_are_alike(monkeypatch):
    """It then is what evidence goes by, too, and the same for whatever is asked."""
    frames = [" ".join(MANY_WORDS[n : n + 30]) for n in range(0, 90, 30)]

    def page(n):
        own = " ".join(MANY_WORDS[100 + 60 * n : 160 + 60 * n])
        return "\n".join([*frames[:2], own, frames[2]])

    old = {n: page(n) for n in range(8)}
    taught = []
    monkeypatch.setattr(
        "dedupe.pipeline.learn",
        lambda *given, **more: taught.append(given) or learn(*given, **more),
    )
    alone = [
        find_duplicate_texts({n: page(m)}, against=old, workers=1) for n, m in enumerate((3, 5, 60))
    ]
    assert len(taught) == 3
    assert len({result.boilerplate for result in alone}) == 1
    assert alone[0].boilerplate
    found = [{(one.id, one.duplicate_of) for one in result.duplicates} for result in alone]
    assert found == [{(0, Old(3))}, {(1, Old(5))}, set()]
    together = find_duplicate_texts(
        {0: f"{page(3)} end", 1: f"{page(5)} end", 2: page(60)}, against=old, workers=1
    )
    assert len(taught) == 5
    assert {(one.id, one.duplicate_of) for one in together.duplicates} == {(0, Old(3)), (1, Old(5))}


def test_copies_of_what_an_old_document_nearly_matches_stay():
    old, new = {"c": edited(STORIES[0], 0.1)}, {"a": STORIES[0], "b": STORIES[0]}
    result = find_duplicate_texts(new, against=old)
    (score,) = {pair.score for pair in result.scored if pair.right == Old("c")}
    assert [one.id for one in result.duplicates] == ["a", "b"]
    above = (1 + score) / 2
    for stricter in (
        result.at(above),
        find_duplicate_texts(new, against=old, threshold=above),
    ):
        assert [(one.id, one.duplicate_of) for one in stricter.duplicates] == [("b", "a")]


def test_an_exact_copy_of_an_exact_copy():
    old, new = {"c": f"menu {STORIES[0]}"}, {"a": STORIES[0], "b": STORIES[0]}
    result = find_duplicate_texts(new, against=old)
    assert [(one.id, one.duplicate_of) for one in result.duplicates] == [
        ("a", Old("c")),
        ("b", Old("c")),
    ]
    assert all(result.match(one).evidence.passages for one in result.duplicates)


def test_the_same_id_on_both_sides_is_two_documents():
    result = find_duplicate_texts({"a": f"menu {STORIES[0]}"}, against={"a": STORIES[0]})
    (duplicate,) = result.duplicates
    assert (duplicate.id, duplicate.duplicate_of) == ("a", Old("a"))
    assert (duplicate.id, duplicate.duplicate_of.id) == ("a", "a")
    assert result.texts == {"a": f"menu {STORIES[0]}", Old("a"): STORIES[0]}
    assert result.pair("a", "old a").other("a") == Old("a")
    rows = [(row["id"], row["duplicate_of"], row["is_old"]) for row in result.rows()]
    assert rows == [("a", "", True), ("a", "a", False)]
    assert Result.from_json(result.to_json()) == result


def test_json_marks_what_is_old_and_rows_have_plain_ids():
    """Both collections may have the id; a row says by `is_old` which one it is of."""
    day = date(2024, 5, 1)
    old = {"a": STORIES[0], 7: STORIES[1], day: STORIES[2]}
    new = {id_: f"menu {text}" for id_, text in old.items()}
    result = find_duplicate_texts(new, against=old)
    facts = json.loads(result.to_json())
    kept = [{"old": 7}, {"old": "a"}, {"old": {"date": "2024-05-01"}}]
    for key in ("duplicate_of", "best_match"):
        assert [one[key] for one in facts["duplicates"]] == kept
    assert [one["id"] for one in facts["duplicates"]] == [one["old"] for one in kept]
    assert [one["representative"] for one in facts["clusters"]] == kept
    rows = [json.loads(line) for line in as_lines(result).splitlines()]
    assert [row["duplicate_of"] for row in rows if not row["is_old"]] == [
        7,
        "a",
        {"date": "2024-05-01"},
    ]
    assert [row["id"] for row in rows if row["is_old"]] == [7, "a", {"date": "2024-05-01"}]


def test_texts_without_ids_are_told_apart():
    (duplicate,) = find_duplicate_texts([STORIES[0]], against=[STORIES[0]]).duplicates
    assert (duplicate.id, duplicate.duplicate_of) == (0, Old(0))


def test_a_file_in_both_collections_is_old(tmp_path):
    for folder, name, story in (("all", "new", 0), ("all/old", "one", 0), ("all/old", "two", 1)):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.txt").write_text(STORIES[story])
    result = find_duplicates(tmp_path / "all", against=tmp_path / "all" / "old")
    (duplicate,) = result.duplicates
    assert duplicate.id.endswith("new.txt")
    assert duplicate.duplicate_of.id.endswith("one.txt")
    assert [document.is_old for document in result.documents] == [False, True]


@pytest.mark.parametrize("nothing", [[], {}, pd.DataFrame({"text": []})], ids=repr)
def test_before_the_first_day_nothing_is_old_and_it_is_said(nothing, caplog):
    result = find_duplicate_texts({"x": STORIES[0], "y": STORIES[0]}, against=nothing)
    assert [one.id for one in result.duplicates] == ["y"]
    assert caplog.messages == [
        "there is nothing old in it: new documents are compared among themselves"
    ]


@pytest.mark.parametrize("old", [None, [], [STORIES[0]], [STORIES[0]] * 2])
@pytest.mark.parametrize("options", [{}, {"keep": "newest"}, {"time_field": "when"}])
def test_a_day_without_anything_new_has_an_empty_answer(old, options):
    new = pd.DataFrame({"text": []})
    if old and "time_field" in options:
        old = [{"text": text, "when": n} for n, text in enumerate(old)]
    result = find_duplicate_texts(new, against=old, **options)
    assert (result.n_documents, result.clusters) == (len(old or []), ())
    assert result.kept(new).equals(new)
    assert len(result.annotate(new)) == len(result.to_pandas()) == 0
    assert Result.from_json(result.to_json()) == result


def test_a_day_without_anything_new_needs_no_time_for_a_window():
    assert find_duplicate_texts([], window="3d").n_documents == 0


@pytest.mark.parametrize("new", ["all", "all/today", "all/today/one.txt", "all/../all/today"])
def test_what_is_all_old_is_refused_since_nothing_would_be_found(tmp_path, monkeypatch, new):
    monkeypatch.chdir(tmp_path)
    for name in ("all/before/zero.txt", "all/today/one.txt", "all/.hidden/two.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(STORIES[0])
    said = f"must not all be part of what is old, got {re.escape(repr(new))} in both: name"
    with pytest.raises(InvalidSetting, match=said):
        find_duplicates(new, against="all")
    # What more there is may be new, and so may what a walk does not come to.
    Path("more.txt").write_text(STORIES[0])
    for more in ([new, "more.txt"], "all/.hidden"):
        assert len(find_duplicates(more, against="all").duplicates) == 1
    assert len(find_duplicates("all/today", against="all/before").duplicates) == 1


NOTHING_OLD = "there is nothing old in {}: new documents are compared among themselves"


@pytest.mark.parametrize("name", ["none", "a.jsonl", "b.txt", "c.csv"])
def test_an_empty_folder_or_file_is_nothing_old(tmp_path, monkeypatch, caplog, name):
    monkeypatch.chdir(tmp_path)
    Path("new.txt").write_text(STORIES[0])
    Path("old/none").mkdir(parents=True)
    if name != "none":
        Path("old", name).write_text("id,text\n" if name == "c.csv" else "")
    assert find_duplicates("new.txt", against="old").n_documents == 1
    assert caplog.messages[0] == NOTHING_OLD.format("'old'")


@pytest.mark.parametrize("unread", [[""], {"a": None}])
def test_old_documents_that_cannot_be_read_are_no_empty_collection(unread):
    with pytest.raises(NothingToRead, match=r"or nothing at all, got 1 skipped in it; the first"):
        find_duplicate_texts({"x": STORIES[0]}, against=unread)


def test_old_records_with_another_field_are_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("new.txt").write_text(STORIES[0])
    rows = [json.dumps({"id": id_, "body": STORIES[0]}) for id_ in "ab"]
    Path("old.jsonl").write_text("\n".join(rows))
    said = (
        r"got 2 skipped in 'old.jsonl'; the first, old.jsonl: no document in it can be read; the "
        r"first, a: no field 'text'; .*; where records differ, --text-field body,text"
    )
    with pytest.raises(NothingToRead, match=said):
        find_duplicates("new.txt", against="old.jsonl")
    Path("new.jsonl").write_text(json.dumps({"id": "n", "text": STORIES[0]}))
    found = find_duplicates("new.jsonl", against="old.jsonl", text_field="body,text")
    assert found.n_old == 2


def test_what_cannot_be_read_is_marked_as_old(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("new", "old"):
        Path(folder).mkdir()
        Path(folder, "a.txt").write_text(STORIES[0])
        Path(folder, "b.txt").touch()
        Path(folder, "link").symlink_to("nowhere")
    Path("old/c.jsonl").write_text('{"id": "r"}\n{"id": "s", "text": "x y z"}')
    found = find_duplicates("new", against="old")
    assert [str(one.id) for one in found.skipped] == [
        *("new/b.txt", "new/link", "old old/b.txt", "old old/link", "old r")
    ]
    assert Result.from_json(found.to_json()) == found

"""What is known to be boilerplate from the start: texts that a caller names."""

import json
from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dedupe import (
    CannotClean,
    InvalidCheckpoint,
    InvalidInput,
    InvalidResult,
    InvalidSetting,
    NoSuchPath,
    NothingToRead,
    Result,
    Settings,
    clean,
    compare,
    compare_texts,
    find_duplicate_texts,
    find_duplicates,
)
from dedupe.cli import cli
from dedupe.documents import read_texts
from dedupe.documents.boilerplate import boilerplate_in, digest_of_boilerplate
from dedupe.engine.memory import BlockInMemory
from dedupe.learning import known_shingles, weigh_known
from dedupe.pipeline import find
from dedupe.scoring import passes
from dedupe.scoring.block import Block
from dedupe.scoring.boilerplate import NOTHING, Boilerplate, Words
from dedupe.scoring.counting import count
from dedupe.shingling import hash_tokens, shingle
from test_pipeline import PlainEngine

DRAW = Random(20)


def prose(n_words, per_line=18):
    """Return a text of words that no other text has."""
    words = ["".join(DRAW.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(n_words)]
    lines = [words[start : start + per_line] for start in range(0, n_words, per_line)]
    return "\n".join(map(" ".join, lines))


HEAD, FOOT = prose(100), prose(100)
FRAME = f"{HEAD}\n\n{FOOT}"


def framed(story):
    return f"{HEAD}\n\n{story}\n\n{FOOT}"


ONE, OTHER = prose(30), prose(30)
NOTE, STUB = prose(34), [prose(40), prose(40)]


def members(result):
    return [set(cluster.members) for cluster in result.clusters]


def known_of(result):
    return Boilerplate.from_bytes(result.boilerplate)


# --- what it decides ---


def test_two_short_stories_in_one_frame_are_two_stories_where_the_frame_is_known():
    pages = {"one": framed(ONE), "other": framed(OTHER)}
    assert members(find_duplicate_texts(pages)) == [{"one", "other"}]
    found = find_duplicate_texts(pages, boilerplate=[HEAD, FOOT])
    assert (found.clusters, len(found.scored)) == ((), 0)
    assert compare_texts(*pages.values(), boilerplate=[HEAD, FOOT]).pair.score == 0


def test_a_frame_as_one_text_is_known_too():
    """Save the shingles across the place where the story stands, which no page has."""
    pages = {"one": framed(ONE), "other": framed(OTHER)}
    assert find_duplicate_texts(pages, boilerplate=FRAME).clusters == ()


def test_copies_in_a_known_frame_are_found_by_their_story_alone():
    pages = {"one": framed(ONE), "other": framed(OTHER), "copy": f"{prose(20)}\n{ONE}"}
    found = find_duplicate_texts(pages, boilerplate=[HEAD, FOOT])
    assert members(found) == [{"copy", "one"}]
    assert found.pairs[0].score > 0.999


def test_frames_of_two_sites_are_known_in_many_pages_of_short_stories():
    frames = [prose(200), prose(150)]
    stories = [prose(40) for _ in range(6)]
    pages = {
        f"{site} {n}": f"{story}\n{frame}"
        for site, frame in enumerate(frames)
        for n, story in enumerate(stories)
    }
    found = find_duplicate_texts(pages, boilerplate=frames)
    expected = [{f"0 {n}", f"1 {n}"} for n in range(len(stories))]
    assert sorted(members(found), key=min) == expected
    assert min(duplicate.score for duplicate in found.duplicates) > 0.999


def test_a_known_note_in_the_middle_of_a_copy_costs_nothing():
    notes = [NOTE, prose(34)]
    one, other = (f"{STUB[0]}\n{note}\n{STUB[1]}" for note in notes)
    assert compare_texts(one, other).pair.score < 0.45
    for known in (notes, NOTE):
        pair = compare_texts(one, other, boilerplate=known).pair
        assert (pair.score, pair.shared_words) == (pytest.approx(1, abs=1e-3), 80)
    found = find_duplicate_texts([one, other], boilerplate=NOTE)
    assert members(found) == [{0, 1}]


def test_lines_broken_elsewhere_and_typography_hide_no_boilerplate():
    flat = " ".join(FRAME.upper().split())
    pages = {"one": framed(ONE), "other": framed(OTHER)}
    assert find_duplicate_texts(pages, boilerplate=flat).clusters == ()


def test_what_is_nothing_but_boilerplate_is_like_its_copies_alone():
    pages = {"frame": HEAD, "again": HEAD.upper(), "page": framed(prose(200)), "more": framed(ONE)}
    found = find_duplicate_texts(pages, boilerplate=HEAD)
    assert not any("frame" in group and {"page", "more"} & group for group in members(found))
    assert {"frame", "again"} in members(found)
    assert compare_texts(HEAD, HEAD, boilerplate=HEAD).pair.relation == "identical"
    assert compare_texts(HEAD, pages["page"], boilerplate=HEAD).pair.score == 0


def test_part_of_a_known_text_is_boilerplate_too():
    part = " ".join(HEAD.split()[20:70])
    assert compare_texts(part, f"{part}\n{prose(90)}").same_story
    assert not compare_texts(part, f"{part}\n{prose(90)}", boilerplate=HEAD).same_story


def test_the_words_before_a_story_are_as_much_boilerplate_as_the_others():
    """The last four words of a notice begin shingles that end in the story."""
    left, right = f"{HEAD}\n{ONE}", f"{HEAD}\n{OTHER}"
    assert compare_texts(left, right, boilerplate=HEAD).pair.boilerplate_words == 100


def test_boilerplate_that_nobody_carries_changes_nothing():
    story = prose(60)
    texts = {"a": story, "b": f"{prose(20)}\n{story}", "c": prose(80)}
    plain, known = find_duplicate_texts(texts), find_duplicate_texts(texts, boilerplate=NOTE)
    assert known.clusters == plain.clusters
    assert list(known.scored) == list(plain.scored)


def ferry_report(name):
    draw = Random(name)
    return "\n".join(
        f"On day {day} the ferry office counted {draw.randint(200, 999)} passengers on the "
        f"way to the island. The tide reached {draw.randint(100, 300)} centimetres, so that deck "
        f"{day} was closed to cars. The wind came with {draw.randint(2, 30)} knots at the harbour "
        f"and with {draw.randint(31, 90)} at sea. The last boat was {draw.randint(2, 59)} minutes "
        "late, for which the office is sorry."
        for day in range(4)
    )


def test_a_known_frame_fills_no_slot_of_a_form():
    """Few of the reports have the frame of one site, so it looks like something of their own."""
    frames = [prose(240) for _ in range(4)]
    reports = {
        f"{site} {n}": f"{ferry_report(f'{site} {n}')}\n{frame}"
        for site, frame in enumerate(frames)
        for n in range(3)
    }
    assert len(members(find_duplicate_texts(reports))) == len(frames)
    assert members(find_duplicate_texts(reports, boilerplate=frames)) == []


def first_of(left, right, known):
    """Return what the first pass says of two texts, as a search lets it."""
    blocks = BlockInMemory(Block.of(hash_tokens([left, right], detail=True), 5))
    weigh_known(blocks, known_shingles(boilerplate_in(known), 5) if known else NOTHING)
    return passes.first(blocks.block(), np.array([[0, 1]]))


def test_the_first_pass_knows_it():
    pages = framed(ONE), framed(OTHER)
    assert first_of(*pages, None).strict[0] > 0.8
    assert first_of(*pages, [HEAD, FOOT]).strict[0] < 0.01


@pytest.mark.parametrize(("n_words", "is_sure"), [(19, False), (20, True)])
def test_boilerplate_makes_nobody_sure(n_words, is_sure):
    """As many words as make a story must be shared beside it."""
    shared = " ".join(ONE.split()[:n_words])
    pages = (f"{HEAD}\n{shared}\n{prose(9)}\n{FOOT}" for _ in range(2))
    assert (first_of(*pages, [HEAD, FOOT]).strict[0] > 0) == is_sure


# --- what is known stays known ---


def test_a_result_knows_it_and_survives_json():
    found = find_duplicate_texts([ONE, OTHER], boilerplate=[HEAD, FOOT])
    again = Result.from_json(found.to_json())
    assert again.boilerplate == found.boilerplate
    assert again.settings == found.settings
    assert again.to_json() == found.to_json()
    assert HEAD.split()[0] not in found.to_json()
    for corpus in (found, again):
        pair = compare_texts(framed(ONE), framed(OTHER), corpus=corpus).pair
        assert (pair.score, pair.boilerplate_words) == (0, 200)


def test_a_corpus_and_more_boilerplate_are_both_known():
    corpus = find_duplicate_texts([ONE, OTHER], boilerplate=HEAD)
    pages = framed(ONE), framed(OTHER)
    alone = compare_texts(*pages, corpus=corpus)
    both = compare_texts(*pages, corpus=corpus, boilerplate=FOOT)
    assert (alone.pair.boilerplate_words, both.pair.boilerplate_words) == (100, 200)
    assert compare_texts(*pages, corpus=corpus).pair == alone.pair


def test_a_comparison_says_whether_boilerplate_was_named():
    assert not compare_texts(ONE, OTHER).knows_boilerplate
    assert compare_texts(ONE, OTHER, boilerplate=HEAD).knows_boilerplate


def test_evidence_calls_it_boilerplate():
    pages = {"a": framed(ONE), "b": framed(ONE)}
    pages["b"] += "\n" + prose(12)
    found = find_duplicate_texts(pages, boilerplate=[HEAD, FOOT])
    passages = found.pairs[0].evidence.passages
    assert [passage.boilerplate for passage in passages] == [True, False, True]
    assert [passage.n_words for passage in passages] == [100, 30, 100]


def test_counting_neither_adds_to_what_is_known_nor_lets_it_go():
    (document,) = boilerplate_in(HEAD)
    known = known_shingles([document], 5)
    boilerplate = Boilerplate.knowing(known)
    before = boilerplate.to_bytes()
    offsets = np.array([0, known.hashes.size])
    lines = np.full(known.hashes.size, 12, np.uint8)
    for story in range(3):
        count(boilerplate, Words(known.hashes, offsets, offsets, lines), np.array([story]))
    assert boilerplate.to_bytes() == before


@pytest.mark.parametrize("ngram", [1, 2, 5, 9])
def test_every_shingle_of_it_is_saved(ngram):
    found = find_duplicate_texts([ONE, OTHER], ngram=ngram, boilerplate=HEAD)
    shingles = shingle(HEAD, ngram)
    offsets = np.array([0, shingles.size])
    weights = known_of(found).weights(shingles, offsets, np.array([0, 100]))
    assert weights.size == 100
    assert (weights < 1e-4).all()


@given(st.permutations([HEAD, FOOT, NOTE]), st.sampled_from([HEAD, FOOT, NOTE]))
def test_order_and_repetition_change_nothing(texts, again):
    documents, same = boilerplate_in([HEAD, FOOT, NOTE]), boilerplate_in([*texts, again])
    assert digest_of_boilerplate(same) == digest_of_boilerplate(documents)
    one, other = (Boilerplate.knowing(known_shingles(some, 5)) for some in (documents, same))
    assert one.to_bytes() == other.to_bytes()


def test_settings_say_which_texts_without_holding_them():
    texts = [HEAD, FOOT, NOTE]
    some = [few for n in range(4) for few in combinations(texts, n)]
    digests = {
        find_duplicate_texts([ONE], boilerplate=[*few] or None).settings.boilerplate for few in some
    }
    assert len(digests) == len(some)
    assert "" in digests
    with pytest.raises(InvalidSetting, match="boilerplate must be a digest"):
        Settings(boilerplate="frame.txt")


def test_a_damaged_digest_is_refused():
    facts = json.loads(find_duplicate_texts([ONE], boilerplate=HEAD).to_json())
    facts["settings"]["boilerplate"] = 7
    with pytest.raises(InvalidResult, match="boilerplate must be a digest"):
        Result.from_json(json.dumps(facts))


def test_both_engines_know_it():
    pages = {f"{n} {site}": f"{site}\n{story}" for n, story in enumerate([ONE, OTHER, prose(80)])
             for site in (HEAD, FOOT, prose(7))}  # fmt: skip
    local = find_duplicate_texts(pages, boilerplate=[HEAD, FOOT])
    known = known_shingles(boilerplate_in([HEAD, FOOT]), 5)
    plain = find(read_texts(pages), local.settings, PlainEngine(7), known=known)
    assert plain.to_json() == local.to_json()
    assert len(local.clusters) == 3


# --- files ---


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("pages").mkdir()
    Path("pages/one.txt").write_text(framed(ONE))
    Path("pages/other.txt").write_text(framed(OTHER))
    Path("pages/copy.txt").write_text(f"{prose(20)}\n{ONE}")
    Path("head.txt").write_text(HEAD)
    Path("foot.jsonl").write_text(json.dumps({"id": 1, "text": FOOT}) + "\n")
    return tmp_path


KNOWN = ["head.txt", "foot.jsonl"]
COPIES = [{"pages/copy.txt", "pages/one.txt"}]


def test_boilerplate_is_read_from_files_of_any_format(here):
    found = find_duplicates("pages", boilerplate=KNOWN)
    assert members(found) == COPIES
    texts = [HEAD, FOOT]
    assert found.settings.boilerplate == digest_of_boilerplate(boilerplate_in(texts))
    assert found.n_documents == 3
    pair = compare("pages/one.txt", "pages/other.txt", boilerplate=KNOWN).pair
    assert (pair.score, pair.boilerplate_words) == (0, 200)


def test_ids_of_boilerplate_may_repeat_and_be_those_of_documents(here):
    Path("more.jsonl").write_text(json.dumps({"id": 1, "text": HEAD}) + "\n")
    found = find_duplicates("pages", boilerplate=("more.jsonl", "foot.jsonl"))
    assert found.settings == find_duplicates("pages", boilerplate=reversed(KNOWN)).settings
    assert find_duplicates(["pages", "head.txt"], boilerplate=KNOWN).n_documents == 4


def test_fields_are_those_of_documents(here):
    Path("foot.csv").write_text(f'url,body\nx,"{FOOT}"\n')
    row = {"url": "a", "body": ONE}
    Path("a.jsonl").write_text(json.dumps(row) + "\n")
    found = find_duplicates("a.jsonl", text_field="body", boilerplate="foot.csv")
    assert found.settings.boilerplate == digest_of_boilerplate(boilerplate_in(FOOT))
    with pytest.raises(NothingToRead, match=r"'foot\.csv': no field 'text'; it has"):
        find_duplicates("pages", boilerplate="foot.csv")


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ("missing.txt", NoSuchPath, "paths must exist, got 'missing.txt'"),
        ("*.md", NoSuchPath, "a pattern must match something"),
        ("empty.txt", NothingToRead, "boilerplate must be readable.*'empty.txt': empty; give it"),
        ("bad.jsonl", NothingToRead, "boilerplate must be readable.*'bad.jsonl:1'"),
        ("folder", NothingToRead, "boilerplate must hold at least one text, got none: check"),
        ("dots.txt", NothingToRead, "as a shingle, 5, got 0 in 'dots.txt': give it with"),
        ("four.txt", NothingToRead, "as a shingle, 5, got 4 in 'four.txt'"),
        ([], NothingToRead, "boilerplate must hold at least one text, got none"),
        (7, InvalidInput, "paths must be strings or Path objects"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(here, given, error, said):
    Path("empty.txt").write_text("")
    Path("bad.jsonl").write_text("{\n")
    Path("folder").mkdir()
    Path("dots.txt").write_text("... – ...")
    Path("four.txt").write_text("all rights are reserved")
    for ask in (
        lambda: find_duplicates("pages", boilerplate=given),
        lambda: compare("pages/one.txt", "pages/other.txt", boilerplate=given),
        lambda: clean("pages", boilerplate=given),
        lambda: clean("pages", boilerplate=given, move="gone"),
    ):
        with pytest.raises(error, match=said):
            ask()
    assert len(list(Path("pages").iterdir())) == 3


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ("", NothingToRead, "got 'boilerplate 0': empty"),
        ([HEAD, None], NothingToRead, "got 'boilerplate 1': no text"),
        ({"licence": " "}, NothingToRead, "got 'licence': empty"),
        ([], NothingToRead, "at least one text, got none"),
        (b"bytes", InvalidInput, "must be a collection of texts, got bytes: put"),
        (7, InvalidInput, "must be a collection of texts, got int"),
        ("four words are few", NothingToRead, "got 4 in 'boilerplate 0'"),
    ],
)
def test_texts_that_cannot_be_used_are_errors_too(given, error, said):
    for ask in (
        lambda: find_duplicate_texts([ONE], boilerplate=given),
        lambda: compare_texts(ONE, OTHER, boilerplate=given),
    ):
        with pytest.raises(error, match=said):
            ask()


def test_a_checkpoint_is_of_the_boilerplate_it_was_made_with(here):
    class Stop(Exception):
        pass

    def stop(progress):
        if progress.stage == "scoring":
            raise Stop

    options = {"boilerplate": KNOWN, "checkpoint": "half", "workers": 1}
    with pytest.raises(Stop):
        find_duplicates("pages", progress=stop, **options)
    for other in (None, "head.txt"):
        with pytest.raises(InvalidCheckpoint, match="same version and settings, got boilerplate"):
            find_duplicates("pages", **options | {"boilerplate": other})
    resumed = find_duplicates("pages", **options | {"boilerplate": KNOWN[::-1]})
    assert resumed.to_json() == find_duplicates("pages", boilerplate=KNOWN).to_json()


# --- cleaning ---


def test_cleaning_knows_it(here):
    assert clean("pages").dropped != ("pages/one.txt",)
    assert clean("pages", boilerplate=KNOWN).dropped == ("pages/one.txt",)
    done = clean("pages", boilerplate=(name for name in KNOWN), move="gone")
    assert done.dropped == ("pages/one.txt",)
    assert Path("gone/one.txt").exists()


def test_only_the_same_boilerplate_finishes_a_cleaning(here, monkeypatch):
    def cut_off(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dedupe.cleaning.run.carry_out", cut_off)
        with pytest.raises(KeyboardInterrupt):
            clean("pages", boilerplate=KNOWN, delete=True)
    journal = Path("pages/.dedupe-journal.jsonl").read_text()
    assert HEAD.split()[0] not in journal
    with pytest.raises(CannotClean, match=r"boilerplate=[0-9a-f]{32}"):
        clean("pages", delete=True)
    Path("foot.jsonl").rename("renamed.jsonl")
    assert clean("pages", boilerplate=["renamed.jsonl", "head.txt"], delete=True).dropped == (
        "pages/one.txt",
    )


def test_a_result_has_the_boilerplate_of_its_own(here):
    result = find_duplicates("pages", boilerplate=KNOWN)
    assert clean("pages", result=result, move="gone").dropped == ("pages/one.txt",)
    with pytest.raises(InvalidSetting, match="without settings of a search, got boilerplate"):
        clean("pages", result=result, boilerplate=KNOWN)


def test_standard_input_cannot_be_known_to_a_cleaning(here):
    with pytest.raises(InvalidSetting, match="boilerplate must be files or folders here, got '-'"):
        clean("pages", boilerplate="-")


def test_nothing_is_written_over_boilerplate(here):
    with pytest.raises(InvalidSetting, match="output must not be one of the inputs"):
        clean("pages/one.txt", boilerplate="head.txt", output="head.txt")
    assert Path("head.txt").read_text() == HEAD


# --- the command ---


def run(*arguments):
    return CliRunner().invoke(cli, arguments, prog_name="dedupe")


FLAGS = [part for name in KNOWN for part in ("--boilerplate", name)]


def test_the_flag_of_find_may_be_repeated(here):
    ran = run("find", "pages", "--format", "json", *FLAGS)
    assert ran.exit_code == 0
    assert members(Result.from_json(ran.stdout)) == COPIES


def test_the_flag_of_compare(here):
    ran = run("compare", "pages/one.txt", "pages/other.txt", *FLAGS)
    assert ran.stdout.startswith("not the same story")
    assert "200 words shared, all of them boilerplate: they count as fewer than" in ran.stdout
    assert "two documents alone" not in ran.stdout


def test_the_flag_of_clean(here):
    ran = run("clean", "pages", *FLAGS)
    assert (ran.exit_code, ran.stdout) == (0, "pages/one.txt\n")
    Path("found.json").write_text(run("find", "pages", "--format", "json", *FLAGS).stdout)
    ran = run("clean", "pages", "--result", "found.json")
    assert ran.stdout == "pages/one.txt\n"
    ran = run("clean", "pages", "--result", "found.json", *FLAGS)
    assert ran.exit_code == 2
    assert "leave out --boilerplate" in ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["find", "pages", "--boilerplate", "head.txt", "-o", "head.txt"],
        ["compare", "pages/one.txt", "pages/other.txt", "--boilerplate", "head.txt", "--html",
         "head.txt"],
    ],
)  # fmt: skip
def test_no_report_is_written_over_boilerplate(here, command):
    ran = run(*command)
    assert ran.exit_code == 2
    assert "a report must not be written over what is read" in ran.stderr
    assert Path("head.txt").read_text() == HEAD


@pytest.mark.parametrize(("name", "code"), [("missing.txt", 2), ("empty.txt", 1)])
def test_what_cannot_be_read_is_one_line(here, name, code):
    Path("empty.txt").write_text("")
    ran = run("find", "pages", "--boilerplate", name)
    assert (ran.exit_code, ran.stdout) == (code, "")
    assert name in ran.stderr
    assert ran.stderr.count("\n") == 1

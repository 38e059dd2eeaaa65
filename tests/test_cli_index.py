"""``dedupe index``: what its commands print, where, and how they exit."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import dedupe
from dedupe import Index
from dedupe.cli import cli
from dedupe.cli.index import answers
from dedupe.index import index as library
from dedupe.index import rebuilding
from strategies import article

ROOT = Path(__file__).parents[1]
STORY = article("story", 120)
FRAME = "home news sport weather traffic subscribe now for one pound a month and read on " * 3
PAGE = f"{FRAME}\n{STORY}"


def run(*arguments, given=None):
    """Run a command; return its exit code, standard output and standard error."""
    ran = CliRunner().invoke(cli, ["index", *arguments], input=given, prog_name="dedupe")
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran.exit_code, ran.stdout, ran.stderr


def lines(**texts):
    """Return texts as JSON Lines; one may be a record."""
    records = [
        {"id": id_, **(text if isinstance(text, dict) else {"text": text})}
        for id_, text in texts.items()
    ]
    return "".join(f"{json.dumps(one)}\n" for one in records)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("news.jsonl").write_text(
        lines(agency={"text": STORY, "date": "2024-06-11"}, other=article("other", 120))
    )
    return tmp_path


@pytest.fixture
def index(here):
    with Index("news.dedupe") as index:
        index.add("agency", STORY, time=86400)
        index.add("other", article("other", 120))
    return "news.dedupe"


# --- adding ---


@pytest.mark.parametrize("how", [(), ("--matches",)])
def test_lines_that_are_piped_in_must_say_an_id(how):
    """Line 1 of what comes next would go by the same."""
    given = f"{json.dumps({'text': STORY})}\n"
    code, _, said = run("add", "i.dedupe", "-", *how, given=given)
    assert code == 1
    assert "ids of their own, got none at -:1: give records a field 'id'" in said
    Path("named.jsonl").write_text(given)
    code, _, said = run("add", "i.dedupe", "named.jsonl", *how)
    assert (code, "got none at named.jsonl:1" in said) == (1, True)
    run("add", "i.dedupe", "news.jsonl")
    assert run("query", "i.dedupe", "-", "--format", "jsonl", given=given)[0] == 0


@pytest.mark.parametrize("more", [[], ["--matches"]])
@pytest.mark.parametrize(
    ("given", "told"),
    [("", "0 documents added"), (lines(video=""), "0 documents added, 1 skipped")],
)
def test_a_night_without_news_is_no_failure(index, given, told, more):
    Path("new.jsonl").write_text(given)
    code, out, err = run("add", index, "new.jsonl", *more)
    assert (code, out, err.splitlines()[-1]) == (0, "", f"news.dedupe: {told}")
    with Index(index, mode="r") as opened:
        assert len(opened) == 2


def test_a_nightly_job_cleans_and_adds(index):
    for night, n_new in (("1", 1), ("2", 0)):
        Path("day.jsonl").write_text(lines(fresh=article("fresh", 120), again=STORY))
        assert (
            CliRunner()
            .invoke(cli, ["clean", "day.jsonl", "--against", index, "-o", f"new{night}.jsonl"])
            .exit_code
            == 0
        )
        code, _, err = run("add", index, f"new{night}.jsonl")
        noun = "document" if n_new == 1 else "documents"
        assert (code, err) == (0, f"news.dedupe: {n_new} {noun} added\n")


@pytest.mark.parametrize("more", [[], ["--matches"]])
def test_files_have_a_time_only_if_it_is_asked_for(more):
    for name, asked, has_time in (("a", [], False), ("b", ["--time-from", "mtime"], True)):
        assert run("add", name, "news.jsonl", *asked, *more)[0] == 0
        with Index(name, mode="r") as index:
            assert (index.document("other").time is not None) == has_time


def test_an_index_that_is_in_use_or_lacks_an_id_is_told_of_in_words_of_a_shell(index):
    with Index(index):
        code, _, err = run("learn", index, "--timeout", "0")
    assert (code, "--timeout" in err, "mode=" in err) == (1, True, False)
    code, _, err = run("query", index, "--id", "nobody")
    assert (code, "dedupe index ids" in err, "iterat" in err) == (2, True, False)


def test_documents_are_added_once():
    add = ("add", "news.dedupe", "news.jsonl", "--time-field", "date")
    told = "news.dedupe: 2 documents added, 1 without a time that can be read\n"
    assert run(*add) == (0, "", told)
    assert run(*add) == (0, "", "news.dedupe: 0 documents added, 2 there before\n")
    with Index("news.dedupe", mode="r") as index:
        assert index.document("agency").time == 1718064000.0
        assert index.document("other").time is None


def test_what_cannot_be_read_is_told(index):
    code, out, err = run("add", index, "-", given=lines(empty="", new="new words"))
    assert (code, out) == (0, "")
    assert err == (
        "skipped: empty: empty; give it a text, or leave it out\n"
        "news.dedupe: 1 document added, 1 skipped\n"
    )
    assert run("add", index, "-", "-q", given=lines(empty="", new="new words")) == (0, "", "")


UNREADABLE = """\
{"id": "a", "text": "one story"}
not json
{"id": "b", "text": ""}
{"id": "c", "title": "no text"}
{"id": "d", "text": "!!!"}
{"id": "e", "text": "another"}
"""


@pytest.mark.parametrize("command", [("add", "--matches"), ("query",)])
def test_each_record_has_a_line_in_its_order_whatever_can_be_read_of_it(index, command):
    run(command[0], index, "-", *command[1:], "--format", "jsonl", given=UNREADABLE)
    code, out, err = run(*command, index, "-", "--format", "jsonl", given=UNREADABLE)
    told = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [one["id"] for one in told] == ["a", "-:2", "b", "c", "d", "e"]
    assert [one.get("outcome") == "skipped" for one in told] == [False, *[True] * 4, False]
    assert all(one["reason"] and one["remedy"] and not one["matches"] for one in told[1:-1])
    assert err.count("skipped: ") == 4


@pytest.mark.parametrize("command", [("add",), ("add", "--matches"), ("query",)])
def test_what_is_lost_is_told_even_in_quiet(index, command):
    err = run(*command, index, "-", "-q", given=UNREADABLE)[2]
    assert [line.split(": ")[1] for line in err.splitlines()] == ["-:2", "c"]


@pytest.mark.parametrize("more", [[], ["--matches"]])
def test_documents_without_a_time_are_added_with_a_warning(index, more):
    given = lines(new="new words")
    code, _, err = run("add", index, "-", "--time-field", "date", *more, given=given)
    assert (code, err.splitlines()[-1]) == (0, "news.dedupe: 1 document added")
    assert "warning: time_field (--time-field) must name a field that holds a time" in err


def test_another_text_for_an_id_must_be_meant(index):
    add = ("add", index, "-")
    code, out, err = run(*add, given=lines(agency="changed words"))
    assert (code, out) == (1, "")
    assert "--on-conflict update" in err
    done = run(*add, "--on-conflict", "update", given=lines(agency="changed words"))
    assert done == (0, "", "news.dedupe: 0 documents added, 1 updated\n")


def test_adding_one_by_one_says_what_was_there_before(index):
    given = lines(page=PAGE, new="words of its own", agency=STORY)
    add = ("add", index, "-", "--matches", "--format", "jsonl")
    code, out, err = run(*add, given=given)
    found = {one["id"]: one for one in map(json.loads, out.splitlines())}
    assert (code, err) == (0, "news.dedupe: 2 documents added, 1 there before\n")
    assert {id_: [one["id"] for one in said["matches"]] for id_, said in found.items()} == {
        "page": ["agency"],
        "new": [],
        "agency": ["page"],
    }
    outcomes = {"page": "added", "new": "added", "agency": "unchanged"}
    assert {id_: said["outcome"] for id_, said in found.items()} == outcomes
    assert run(*add, "--fail-on-duplicates", "-q", given=given)[0] == 3


def test_answers_come_as_the_documents_do(index):
    """A crawler that waits for one answer before it sends the next document gets it."""
    command = [sys.executable, "-m", "dedupe", "index", "add", index, "-", "--matches"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, "--format", "jsonl"], **pipes, text=True) as process:
        for number in range(2):
            process.stdin.write(lines(**{f"page{number}": PAGE}))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == f"page{number}"
        process.stdin.close()
    assert process.returncode == 0


def test_flags_of_answers_need_a_question(index):
    for flags in (["--format", "jsonl"], ["-o", "all.jsonl"], ["--fail-on-duplicates"]):
        code, _, err = run("add", index, "news.jsonl", *flags)
        assert code == 2
        assert "add --matches" in err
    assert "see 'dedupe index add --help'" in err


def test_settings_are_those_of_the_index(index):
    code, _, err = run("add", index, "news.jsonl", "--ngram", "3")
    assert code == 2
    assert "ngram must be that of the index, 5, got 3" in err
    assert run("rebuild", index, "--ngram", "3") == (0, "", f"{index}: 2 documents made anew\n")
    assert run("add", index, "news.jsonl", "--ngram", "3", "-q")[0] == 0


# --- asking ---


def test_the_limits_are_those_of_the_library():
    assert (answers.LIMIT, answers.MAX_COMPARED) == (library.LIMIT, library.MAX_COMPARED)


def test_a_table_says_where_and_why(index):
    code, out, err = run("query", index, "-", given=lines(page=PAGE, new="words of its own"))
    assert (code, err) == (0, "")
    told = out.splitlines()
    assert told[0] == "page: 1 match"
    assert told[1].startswith("  agency  score 1.00  containment 1.00  Jaccard 0.")
    assert told[1].endswith("  contained  1970-01-02 00:00 UTC")
    assert told[2] == "    all 120 words of the smaller story shared"
    assert told[3].startswith("    shared, 120 words: ")
    assert told[4].startswith("    only in page, 45 words: home news sport weather")
    assert told[5] == "new: not seen before"


def test_a_table_says_what_became_of_what_is_added(index):
    given = lines(page=PAGE, new="words of its own", agency=STORY)
    code, out, _ = run("add", index, "-", "--matches", given=given)
    told = [line for line in out.splitlines() if not line.startswith(" ")]
    assert (code, told) == (
        0,
        ["page: added, 1 match", "new: added, not seen before", "agency: unchanged, 1 match"],
    )


def test_an_answer_for_programs(index):
    asked = lines(page=PAGE, new="words of its own")
    _, out, _ = run("query", index, "-", "--format", "jsonl", "--evidence", given=asked)
    page, new = map(json.loads, out.splitlines())
    with Index(index, mode="r") as opened:
        known = opened.query(PAGE).as_json(evidence=True)
        assert page == {"id": "page", **json.loads(json.dumps(known))}
    assert page["matches"][0]["evidence"]["passages"][0]["n_words"] == 120
    assert new == {"id": "new", "matches": [], "n_found": 0, "truncated": False, "epoch": 0}


def test_an_answer_as_rows(index):
    _, out, _ = run("query", index, "-", "--format", "csv", given=lines(page=PAGE, new="a b"))
    assert out == (
        "asked,id,score,relation,reason,epoch\n"
        "page,agency,1.0,contained,all 120 words of the smaller story shared,0\n"
    )
    code, out, _ = run("query", index, "-", "-o", "rows.tsv", given=lines(page=PAGE))
    assert (code, out) == (0, "")
    assert Path("rows.tsv").read_text().splitlines()[1].startswith("page\tagency\t1.0\t")


def test_a_document_of_the_index_is_not_its_own_match(index):
    run("add", index, "-", "-q", given=lines(page=PAGE, copy=STORY))
    code, out, _ = run("query", index, "--id", "agency", "--limit", "1", "--format", "jsonl")
    (found,) = map(json.loads, out.splitlines())
    assert (code, [one["id"] for one in found["matches"]], found["n_found"]) == (0, ["copy"], 2)
    code, out, _ = run("query", index, "--id", "agency", "--limit", "1")
    assert out.splitlines()[-1] == "  and 1 more: raise --limit"
    code, _, err = run("query", index, "--id", "nope")
    assert (code, "no document 'nope'" in err) == (2, True)


def test_a_question_must_be_asked_of_an_index(index):
    assert run("query", index)[0] == 2
    code, _, err = run("query", "nope.dedupe", "news.jsonl")
    assert (code, "there must be an index to read" in err) == (2, True)
    for command in (["compact"], ["learn"], ["expire", "--before", "1d"], ["remove", "a"]):
        assert run(command[0], "nope.dedupe", *command[1:])[0] == 2
    assert not Path("nope.dedupe").exists()


def test_all_duplicates_are_printed_as_those_of_files(index):
    records = lines(agency=STORY, other=article("other", 120), page=PAGE)
    Path("all.jsonl").write_text(records)
    run("add", "all.dedupe", "all.jsonl", "-q")
    for format_ in ("csv", "jsonl"):
        ran = CliRunner().invoke(cli, ["find", "all.jsonl", "--format", format_])
        assert run("find", "all.dedupe", "--format", format_)[1] == ran.stdout
    code, out, _ = run("find", "all.dedupe", "--report", "page.html", "--fail-on-duplicates")
    assert (code, out.startswith("cluster 1: 2 documents\n")) == (3, True)
    assert Path("page.html").exists()
    assert run("find", "all.dedupe", "--threshold", "1", "--borderline", "3")[0] == 0


@pytest.mark.parametrize("more", [[], ["--threshold", "0.9"]])
def test_why_a_document_is_where_it_is_is_said_as_of_files(index, more):
    shared = STORY[: len(STORY) // 2] + article("ending", 60)
    records = lines(agency=STORY, other=article("other", 120), page=PAGE, shared=shared)
    Path("all.jsonl").write_text(records)
    run("add", "all.dedupe", "all.jsonl", "-q")
    for id_ in ("page", "shared", "other"):
        ran = CliRunner().invoke(cli, ["find", "all.jsonl", "--explain", id_, "-q", *more])
        assert run("find", "all.dedupe", "--explain", id_, "-q", *more) == (0, ran.stdout, "")
        assert ran.stdout.startswith(f"{id_} is in ")
    code, out, err = run("find", "all.dedupe", "--explain", "nobody", "-q")
    assert (code, out, "no document 'nobody' to explain" in err) == (2, "", True)
    assert run("find", "all.dedupe", "--explain", "page", "--format", "csv")[0] == 2


# --- keeping ---


def test_documents_are_removed_by_their_ids(index):
    assert run("remove", index, "nope", "agency")[0] == 2
    done = run("remove", index, "-", "--ignore-missing", given="nope\nagency\n")
    assert done == (0, "", "news.dedupe: 1 document removed\n")
    assert "agency" not in Index(index, mode="r")


def test_what_it_holds_is_listed_in_order(index):
    with Index(index) as opened:
        opened.add(10, "three words here", time=1.5)
        opened.add("bäh\u2028x", "words")
    assert run("ids", index) == (0, "10\nagency\nbäh\u2028x\nother\n", "")
    told = run("ids", index, "--format", "jsonl")[1].split("\n")
    assert json.loads(told[0]) == {"id": 10, "time": 1.5, "n_words": 3}
    assert [json.loads(line)["id"] for line in told[:-1]] == [10, "agency", "bäh\u2028x", "other"]
    told = run("remove", index, "-", given=run("ids", index)[1])
    assert told == (0, "", f"{index}: 4 documents removed\n")
    assert run("ids", index) == (0, "", "")


def test_a_list_of_ids_is_printed_while_it_is_read(index, monkeypatch):
    monkeypatch.setattr(sys.modules["dedupe.cli.index.asking"], "AT_ONCE", 2)
    with Index(index) as opened:
        opened.add_texts({f"d{number}": f"words {number}" for number in range(5)})
        assert run("ids", index)[1].split() == [*opened]


def test_an_id_that_takes_two_lines_is_not_listed_as_two(index):
    with Index(index) as opened:
        opened.add("a\nother", "words")
    code, out, err = run("ids", index)
    assert (code, out, "--format jsonl" in err) == (2, "", True)
    assert json.loads(run("ids", index, "--format", "jsonl")[1].split("\n")[0])["id"] == "a\nother"


@pytest.mark.parametrize(
    ("before", "n_left"), [("1970-01-02", 2), ("31536000", 1), ("90d", 1), ("1970-01-03", 1)]
)
def test_documents_expire_by_a_time_or_an_age(index, before, n_left):
    code, _, err = run("expire", index, "--before", before)
    assert code == 0
    stay = ", 1 of them without a time: those never expire"
    assert err.endswith(f" removed, {n_left} left{stay}\n")


@pytest.mark.parametrize("before", ["90", "2024", " 7 ", "31535999", "-90", "9.5"])
def test_a_bare_number_is_no_age(index, before):
    """Days were meant, or a year, and neither had been said."""
    code, _, err = run("expire", index, "--before", before)
    assert code == 2
    assert f"got {before!r}, which is {float(before):g} seconds after 1970: write 90d" in err


def test_where_all_have_a_time_nothing_is_said_of_those_that_stay(index):
    run("remove", index, "other")
    told = "news.dedupe: 0 documents removed, 1 left\n"
    assert run("expire", index, "--before", "0001-01-01")[2] == told


def test_an_age_is_counted_from_now(index):
    with Index(index) as opened:
        opened.add("fresh", "fresh words", time=time.time() - 3600)
    assert "removed, 2 left" in run("expire", index, "--before", "2h")[2]
    assert "removed, 1 left" in run("expire", index, "--before", "30m")[2]
    code, _, err = run("expire", index, "--before", "soon")
    assert (code, "before must be" in err) == (2, True)


def test_it_learns_merges_and_says_what_it_holds(index):
    assert run("learn", index) == (
        0,
        "",
        "news.dedupe: epoch 1, learned from 2 documents\n",
    )
    run("add", "more.dedupe", "-", "-q", given=lines(page=PAGE, agency=STORY))
    assert run("merge", index, "more.dedupe") == (
        0,
        "",
        "news.dedupe: 1 document added, 1 there before\n",
    )
    facts = json.loads(run("stats", index, "--format", "json")[1])
    assert facts["n_documents"] == 3
    assert (facts["epoch"], facts["growth"], facts["ngram"]) == (1, 0.5, 5)
    assert "growth       50.0%\n" in run("stats", index)[1]
    assert run("compact", index)[0] == 0


def test_it_says_why_it_does_not_learn(index):
    learn = ("learn", index, "--if-grown", "0.5")
    assert run(*learn)[2] == "news.dedupe: epoch 1, learned from 2 documents\n"
    run("add", index, "-", "-q", given=lines(page=PAGE))
    stays = "epoch 1, learned from 2 documents, of which 50.0% came or went since: it stays"
    assert run(*learn) == (0, "", f"news.dedupe: {stays}\n")
    run("add", index, "-", "-q", given=lines(late=article("late", 120)))
    assert run(*learn)[2] == "news.dedupe: epoch 2, learned from 4 documents\n"
    code, _, err = run("learn", index, "--if-grown", "-1")
    assert (code, "--if-grown" in err) == (2, True)


def test_growth_is_not_told_before_it_has_learned(index):
    assert "growth" not in run("stats", index)[1]


def test_damage_is_printed_and_repaired(index):
    run("learn", index, "-q")
    run("compact", index, "-q")
    assert run("verify", index) == (0, "", "news.dedupe: sound\n")
    (segment,) = Path(index).glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    code, out, err = run("verify", index, "-q")
    assert (code, err) == (1, "news.dedupe: 1 damaged\n")
    assert segment.name in out
    assert run("verify", index, "--repair")[::2] == (0, "news.dedupe: repaired\n")
    assert run("verify", index)[0] == 0


@pytest.mark.parametrize("suffix", [".segment", ".epoch"])
def test_a_missing_file_is_listed_and_made_anew(index, suffix):
    run("learn", index, "-q")
    run("compact", index, "-q")
    (gone,) = Path(index).glob(f"*{suffix}")
    gone.unlink()
    code, out, err = run("verify", index)
    assert (code, out, err) == (1, f"{gone.name}: it is missing\n", "news.dedupe: 1 damaged\n")
    remedy = "dedupe index verify --repair"
    code, _, err = run("query", index, "news.jsonl")
    assert (code, remedy in err) == (2, True)
    assert run("verify", index, "--repair")[::2] == (0, "news.dedupe: repaired\n")
    assert run("verify", index) == (0, "", "news.dedupe: sound\n")
    assert "without" not in run("query", index, "news.jsonl")[2]


@pytest.mark.parametrize(
    "command",
    [
        ("merge", "new", "typo"),
        ("add", "new", "typo.jsonl"),
        ("add", "new", "news.jsonl", "--text-field", "typo"),
        ("add", "new", "news.jsonl", "--id-field", "typo"),
        ("add", "new", "typo.jsonl", "--matches"),
    ],
)
def test_a_mistyped_source_leaves_no_index_behind(command):
    assert run(*command)[0] in (1, 2)
    assert not Path("new").exists()
    Path("new").mkdir()
    assert run(*command)[0] in (1, 2)
    assert Path("new").exists()


def test_what_an_error_leaves_in_a_new_index_stays():
    given = lines(a=STORY) + lines(a="another")
    code, _, said = run("add", "new", "-", "--matches", given=given)
    assert (code, "ids must be unique" in said) == (1, True)
    assert run("ids", "new")[1] == "a\n"


@pytest.mark.parametrize("command", [("add", "", "news.jsonl"), ("stats", ""), ("serve", "")])
def test_an_index_must_have_a_name(command):
    code, _, said = run(*command)
    assert (code, "it must be the path of a folder, got ''" in said) == (2, True)


@pytest.mark.parametrize("more", [(), ("--repair",)])
@pytest.mark.parametrize("size", [0, 4096])
def test_what_cannot_be_opened_to_be_verified_exits_with_2(index, size, more):
    run("learn", index, "-q")
    os.truncate(Path(index, "index.sqlite"), size)
    code, out, err = run("verify", index, *more)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert ("a backup" if not size else "index merge") in err


def test_a_second_writer_is_told_who_holds_it(index):
    with Index(index):
        code, _, err = run("add", index, "news.jsonl", "--timeout", "0")
        assert run("query", index, "news.jsonl")[0] == 0
    assert (code, "one program at a time may write" in err) == (1, True)


def test_help_is_instant():
    """It imports neither the library of indexes nor a server."""
    code = (
        "import sys; from dedupe.cli import cli\n"
        "for name in ['add', 'query', 'serve']:\n"
        "    cli(['index', name, '-h'], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "sqlite3", "uvicorn", "asyncio"} & set(done.stderr.split())


def test_what_is_compiled_first_is_told_by_what_needs_it(index, monkeypatch):
    monkeypatch.setattr("dedupe.kernels.are_compiled", lambda **_: False)
    told = "compiling the kernels, once; the next start is fast\n"
    for command in (
        ("add", index, "news.jsonl", "--on-conflict", "update"),
        ("query", index, "news.jsonl"),
        ("learn", index),
        ("find", index),
        ("merge", index, index),
        ("rebuild", index),
    ):
        assert run(*command)[2].count(told) == 1, command
    for command in (("ids", index), ("stats", index), ("expire", index, "--before", "1d")):
        assert "compiling" not in run(*command)[2], command
    code, _, err = run("query", "nowhere.dedupe", "news.jsonl")
    assert (code, "compiling" in err) == (2, False)


def test_an_index_of_another_version_is_told_what_to_do(index, monkeypatch):
    with Index(index) as opened:
        made = opened._store.meta("identity")
        with opened._store.transaction():
            opened._store.set_meta("identity", {**made, "rule": "older"})
    code, _, err = run("query", index, "news.jsonl")
    assert (code, "dedupe index rebuild" in err) == (2, True)
    rebuild, identities = rebuilding.rebuild, []
    monkeypatch.setattr(
        rebuilding, "rebuild", lambda *how: identities.append(how[1]) or rebuild(*how)
    )
    assert run("rebuild", index, "-q", "--seed", "3")[0] == 0
    assert [one["seed"] for one in identities] == [3], "it is made anew once"
    assert run("query", index, "news.jsonl")[0] == 0
    assert run("rebuild", index, "-q", "--seed", "3")[0] == 0
    assert [one["seed"] for one in identities] == [3, 3], "the same settings are no reason to stop"


def test_a_search_takes_an_index_for_what_is_old(index):
    Path("new.jsonl").write_text(lines(page=PAGE))
    found = ["find", "new.jsonl", "--against", index, "--format", "csv", "-q"]
    ran = CliRunner().invoke(cli, found)
    assert "1,page,agency,1.0,contained" in ran.stdout
    ran = CliRunner().invoke(cli, ["clean", "new.jsonl", "--against", index])
    assert ran.stdout == "page\n"


@pytest.mark.parametrize("command", ["add", "query"])
def test_an_index_is_not_read_as_a_folder_of_documents(index, command):
    dedupe.Index("other.dedupe").close()
    code, _, said = run(command, "other.dedupe", index)
    assert code == 1
    assert f"got the index '{index}': " in said
    assert "dedupe index merge" in said
    with dedupe.Index() as other, pytest.raises(dedupe.InvalidInput, match=r"merge\(\)"):
        other.add_paths(index)


def test_an_index_is_a_folder_that_can_be_copied(index):
    shutil.copytree(index, "copy.dedupe")
    assert run("verify", "copy.dedupe")[0] == 0
    assert dedupe.find_duplicates("news.jsonl", against="copy.dedupe").n_old == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of open files to set")
@pytest.mark.parametrize("command", [("stats",), ("add", "news.jsonl")])
def test_too_many_open_files_are_no_full_disk(index, command):
    name, *rest = command
    argv = [sys.executable, "-m", "dedupe", "index", name, index, *rest]
    tried = [
        subprocess.run(
            ["sh", "-c", f'ulimit -n {most}; exec "$@"', "sh", *argv],
            capture_output=True,
            text=True,
            check=False,
        )
        for most in (6, 7)
    ]
    told = [ran.stderr for ran in tried if ran.returncode and "open at once" in ran.stderr]
    assert told
    assert not any("Traceback" in one or "free some" in one for one in told)

"""Reports over results made by hand: laws, the exact text of a small one, and the edges."""

import csv as stdlib_csv
import io
import json as stdlib_json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from dedupe.api import find_duplicate_texts
from dedupe.errors import Skipped
from dedupe.progress import Progress
from dedupe.report import comparison, csv, explanation, json, progress, text
from dedupe.report.lines import BLANK, Line, counted, plain, squeezed, styled, visible
from dedupe.results.records import (
    Cluster,
    Comparison,
    DocumentInfo,
    Duplicate,
    Evidence,
    Pair,
    Passage,
    Remainder,
    Span,
    evidence_of,
)
from dedupe.results.result import Result
from dedupe.settings import Settings

NOWHERE = Span(0, 0)


def passage(n_words, excerpt, boilerplate=False):
    return Passage(NOWHERE, NOWHERE, n_words, excerpt, boilerplate)


def pair(left, right, score, relation="same text", *, reason="words shared", evidence=None):
    return Pair(
        left=left,
        right=right,
        score=score,
        jaccard=0.25,
        containment=0.875,
        containment_left=0.875,
        containment_right=0.5,
        story_share=score,
        share_left=1.0,
        share_right=1.0,
        relation=relation,
        reason=reason,
        shared_words=90,
        story_words=90,
        hole_words=0,
        boilerplate_words=4,
        find_evidence=evidence_of(evidence),
    )


def result(scored, clusters=(), skipped=(), n_documents=4, **settings):
    """Make a result: `clusters` are lists of members, the representative first."""
    ids = sorted({side for one in scored for side in (one.left, one.right)})
    duplicates = []
    for kept, *rest in clusters:
        for member in rest:
            best = max((p for p in scored if member in (p.left, p.right)), key=lambda p: p.score)
            direct = [p.score for p in scored if {p.left, p.right} == {member, kept}]
            score = direct[0] if direct else 0.0
            duplicates.append(
                Duplicate(member, kept, score, best.other(member), best.score, best.reason)
            )
    return Result(
        clusters=tuple(Cluster(members[0], tuple(sorted(members))) for members in clusters),
        duplicates=tuple(duplicates),
        scored=tuple(scored),
        skipped=tuple(skipped),
        n_documents=n_documents,
        n_words=1000 * n_documents,
        settings=Settings(**settings),
        documents=tuple(DocumentInfo(name, 100 + i, i) for i, name in enumerate(ids)),
    )


def small():
    evidence = Evidence(
        passages=(
            passage(60, "The council\n\tvoted … on Monday"),
            passage(4, "Sign up for news", boilerplate=True),
            passage(30, "The bridge closes"),
        ),
        only_left=(Remainder(NOWHERE, 12, "By our own correspondent"),),
        only_right=(),
        covered_left=0.9,
        covered_right=0.8,
    )
    return result(
        [
            pair("b.txt", "c.txt", 1.0, "same text", reason="every word is the same"),
            pair("a.txt", "b.txt", 0.75, evidence=evidence),
            pair("a.txt", "d.txt", 0.3, "same template", reason="another story stands inside"),
        ],
        clusters=[["a.txt", "b.txt", "c.txt"]],
        skipped=[
            Skipped("x.html", "no article text", "check the file"),
            Skipped("y.bin", "0 words", "leave it out"),
            Skipped("z.html", "no article text", "check the file"),
        ],
    )


SMALL = """\
cluster 1: 3 documents
  keep  a.txt  100 words, the typical copy
  drop  b.txt  score 0.75  containment 0.88  Jaccard 0.25  same text
    words shared
    shared, 60 words: The council voted … on Monday
    shared, 4 words, boilerplate: Sign up for news
    shared, 30 words: The bridge closes
    only in a.txt, 12 words: By our own correspondent
  drop  c.txt  matches b.txt  score 1.00  containment 0.88  Jaccard 0.25  same text
    every word is the same

skipped: 3 documents
  to do: check the file
    x.html  no article text
    z.html  no article text
  to do: leave it out
    y.bin  0 words

4 documents, 1 cluster, 2 duplicates, 3 skipped
"""


def on_terminal(lines, width):
    """Return what a terminal of this width receives, colour codes and all."""
    screen = io.StringIO()
    Console(file=screen, force_terminal=True, color_system="standard", width=width).print(
        styled(lines)
    )
    return screen.getvalue()


# Laws.


@given(st.text())
def test_escaping_leaves_nothing_that_acts_and_twice_is_once(said):
    shown = visible(said)
    assert all(char.isprintable() or char in "\xad\u200b\u200c\u200d" for char in shown)
    assert visible(shown) == shown


@given(st.lists(st.tuples(st.integers(0, 3), st.text(min_size=1))))
def test_plain_and_styled_say_the_same(said):
    lines = [Line(depth, (("id", word), ("", "."))) for depth, word in said]
    screen = io.StringIO()
    # A step of zero columns cannot be wrapped, so the screen is as wide as it must be.
    Console(file=screen, width=100_000).print(styled(lines))
    assert screen.getvalue() == plain(lines)


def test_csv_and_json_lines_hold_the_rows():
    rows = list(small().rows())
    assert [stdlib_json.loads(line) for line in json.rows(small()).splitlines()] == rows
    read = list(stdlib_csv.DictReader(io.StringIO(csv.rows(small()))))
    assert read == [{key: str(value) for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_bare_carriage_return_ends_no_row(delimiter):
    found = find_duplicate_texts({"a\r": "one two", "b": "one two", "c\n": "one two"})
    table = io.StringIO(csv.rows(found, delimiter), newline="")
    ids = [row["id"] for row in stdlib_csv.DictReader(table, delimiter=delimiter)]
    assert ids == ["a\r", "b", "c\n"]


def test_a_saved_result_gives_the_same_report():
    again = Result.from_json(small().to_json())
    assert plain(text.describe(again)) == SMALL


# What a report says.


def test_small_report():
    assert plain(text.describe(small())) == SMALL


def test_a_terminal_gets_colour_and_wrapped_lines_with_blank_lines_kept():
    screen = on_terminal(text.describe(small()), width=30)
    assert "\x1b[1;36mcluster 1: 3 documents\x1b[0m\n" in screen
    bare = io.StringIO()
    Console(file=bare, width=30).print(styled(text.describe(small())))
    lines = bare.getvalue().split("\n")
    assert max(map(len, lines)) <= 30
    assert "    bridge closes" in [line.rstrip() for line in lines]
    assert lines.count("") == 3  # Two between the sections, one after the end.


def test_what_stays_beside_the_copy_to_keep_is_said():
    found = result([pair("a", "b", 0.9), pair("b", "c", 0.9)], [["c", "a", "b"]])
    found = replace(found, duplicates=found.duplicates[1:])
    shown = plain(text.describe(found))
    assert "  keep  a  too: it scores under 0.1 with the copy to keep, and stays\n" in shown
    assert "drop  b" in shown
    assert "drop  a" not in shown
    first, *_ = plain(explanation.explain(found, "a")).splitlines()
    assert "; keep c, and it too: it scores under 0.1 with the copy to keep" in first


def test_nothing_found_names_the_nearest_pair():
    near = pair("a", "b", 0.32, "same template", reason="another story stands inside")
    assert plain(text.describe(result([pair("b", "c", 0.2), near]))) == (
        "no duplicates: no two documents score 0.45 or more\n"
        "  nearest: a and b  score 0.32  containment 0.88  Jaccard 0.25  same template\n"
        "    another story stands inside\n"
        "\n"
        "4 documents, 0 clusters, 0 duplicates, 0 skipped\n"
    )


def test_nothing_at_all():
    assert plain(text.describe(result([], n_documents=1))) == (
        "no duplicates: no two documents score 0.45 or more\n"
        "  nor does any pair reach 0.1\n"
        "\n"
        "1 document, 0 clusters, 0 duplicates, 0 skipped\n"
    )


def test_limits_say_what_they_leave_out():
    names = [f"{i:02}" for i in range(12)]
    scored = [pair(a, b, 0.9) for group in (names[:4], names[4:7]) for a in group for b in group]
    scored = [one for one in scored if one.left < one.right]
    scored += [pair(a, b, 0.9) for a, b in (names[7:9], names[9:11])]
    found = result(
        scored,
        clusters=[names[:4], names[4:7], names[7:9], names[9:11]],
        skipped=[Skipped(f"s{i}", "no text", f"remedy {i % 3}") for i in range(9)],
    )
    report = plain(text.describe(found, limit=2, each=2))
    assert report.count("\ncluster ") == 1  # The second; the first begins the report.
    assert "  drop  01" in report
    assert "  drop  03" not in report
    assert "\n  and 1 more duplicate\n" in report
    assert "\nand 2 more clusters\n" in report
    assert report.count("    and 1 more document\n") == 2
    assert "  and 1 more kind\n" in report
    assert "more" not in plain(text.describe(found))


def test_long_evidence_shows_the_longest_story_first_to_be_kept():
    passages = tuple(passage(n, f"text {n}") for n in (10, 50, 20, 40))
    boilerplate = (passage(99, "menu", boilerplate=True),)
    rest = tuple(Remainder(NOWHERE, n, f"rest {n}") for n in (1, 2, 3, 4, 5))
    evidence = Evidence(boilerplate + passages, rest, (), 1, 1)
    report = plain(text.describe(result([pair("a", "b", 1.0, evidence=evidence)], [["a", "b"]])))
    shared = [line.strip() for line in report.splitlines() if "shared" in line]
    assert shared == [
        "words shared",
        "shared, 50 words: text 50",
        "shared, 20 words: text 20",
        "shared, 40 words: text 40",
        "shared: and 2 more, 109 words",
    ]
    assert "    only in a: and 2 more, 3 words\n" in report


def test_a_function_that_chose_has_no_name():
    found = replace(small(), settings=Settings(keep=max))
    assert "  keep  a.txt  100 words\n" in plain(text.describe(found))


HOSTILE = "a\x1b[31m\n\x07\u202eb [bold]c[/bold] :smile: \x9b2J"


def test_hostile_text_is_shown_and_not_obeyed():
    evidence = Evidence(
        (passage(9, HOSTILE),),
        (Remainder(NOWHERE, 3, HOSTILE),),
        (),
        covered_left=1,
        covered_right=1,
    )
    one = pair(HOSTILE, "z", 0.9, relation=HOSTILE, reason=HOSTILE, evidence=evidence)
    found = result([one], [[HOSTILE, "z"]], [Skipped(HOSTILE, HOSTILE, HOSTILE)])
    for lines in (
        list(text.describe(found)),
        list(explanation.explain(found, HOSTILE)),
        list(explanation.borderline(found, 1)),
        list(comparison.describe(Comparison(one, HOSTILE, HOSTILE, 0.4))),
    ):
        screen = io.StringIO()
        Console(file=screen, force_terminal=True, color_system=None, width=1000).print(
            styled(lines)
        )
        for shown in (plain(lines), screen.getvalue()):
            assert not set(shown) & set("\x1b\x07\x9b\u202e")
            assert r"a\x1b[31m\n\x07\u202eb [bold]c[/bold] :smile: \x9b2J" in shown  # An id.
            assert r"a\x1b[31m \x07\u202eb [bold]c" in shown  # A reason or an excerpt.


# Explanations.


def test_explain_a_member_and_its_candidates():
    assert plain(explanation.explain(small(), "a.txt")) == (
        "a.txt is in cluster 1, of 3 documents; keep it\n"
        "  with b.txt  score 0.75  containment 0.88  Jaccard 0.25  same text\n"
        "    words shared\n"
        "    score 0.75 reaches the threshold 0.45: the same story\n"
        "    shared, 60 words: The council voted … on Monday\n"
        "    shared, 4 words, boilerplate: Sign up for news\n"
        "    shared, 30 words: The bridge closes\n"
        "    only in a.txt, 12 words: By our own correspondent\n"
        "  with d.txt  score 0.30  containment 0.88  Jaccard 0.25  same template\n"
        "    another story stands inside\n"
        "    score 0.3 is below the threshold 0.45: not the same story\n"
    )


def test_explain_where_the_average_overrules_a_pair():
    scored = [pair("a", "b", 0.9), pair("a", "c", 0.6), pair("b", "c", 0.39996)]
    apart = plain(explanation.explain(result(scored, [["a", "b"]]), "c"))
    assert apart.startswith("c is in no cluster\n  with a  score 0.60")
    assert "yet not in one cluster: clusters are joined by the average" in apart
    joined = plain(explanation.explain(result(scored, [["a", "b", "c"]]), "c"))
    assert "c is in cluster 1, of 3 documents; keep a\n" in joined
    assert "score 0.4 is below" not in joined
    assert "yet in one cluster: clusters are joined by the average" in joined


def test_explain_skipped_and_unknown():
    assert plain(explanation.explain(small(), "y.bin")) == (
        "y.bin was skipped: 0 words\n  to do: leave it out\n"
    )
    assert plain(explanation.explain(small(), "nobody")) == (
        "nobody is in no cluster\n  no other document scored 0.1 or more with it\n"
    )


def test_explain_shows_the_best_candidates_only():
    found = result([pair("a", f"b{i:02}", 0.3) for i in range(12)])
    report = plain(explanation.explain(found, "a"))
    assert report.count("  with ") == 10
    assert report.endswith("  and 2 more candidates\n")


@pytest.mark.parametrize(("n", "left_out"), [(3, ""), (4, "shared: and 1 more, 10 words")])
def test_three_passages_carry_most_of_a_story(n, left_out):
    passages = tuple(passage(n_words, f"passage {n_words}") for n_words in range(10, 10 + n))
    evidence = Evidence(passages, (), (), covered_left=1, covered_right=1)
    report = plain(explanation.explain(result([pair("a", "b", 0.9, evidence=evidence)]), "a"))
    assert report.count(": passage ") == 3
    assert left_out in report
    assert ("more" in report) == bool(left_out)


def test_borderline():
    assert plain(explanation.borderline(small(), 1)) == (
        "1 pair nearest to the threshold 0.45\n"
        "  a.txt and d.txt  score 0.30  containment 0.88  Jaccard 0.25  same template\n"
        "    another story stands inside\n"
        "    score 0.3 is below the threshold 0.45: not the same story\n"
    )
    assert plain(explanation.borderline(result([]), 5)) == "no pair scored 0.1 or more\n"


# Comparisons.

LEFT = "Menu\nThe council voted.\n\nThe bridge   closes.\nBy A. Writer"
RIGHT = "The council voted. The bridge closes. Menu"


def compared(score):
    menu, story, writer = Span(0, 4), Span(5, 45), Span(46, 58)
    evidence = Evidence(
        passages=(
            Passage(menu, Span(38, 42), 1, "not shown", boilerplate=True),
            Passage(story, Span(0, 37), 6, "not shown"),
        ),
        only_left=(Remainder(writer, 3, "not shown"),),
        only_right=(),
        covered_left=0.7,
        covered_right=1.0,
    )
    return Comparison(pair("l.txt", "r.txt", score, evidence=evidence), LEFT, RIGHT, 0.4)


def test_comparison_shows_everything():
    assert plain(comparison.describe(compared(0.75))) == (
        "same story  score 0.75  containment 0.88  Jaccard 0.25  same text\n"
        "  score 0.75 reaches the threshold 0.4: the same story\n"
        "  words shared\n"
        "  two documents alone do not tell which text is boilerplate\n"
        "\n"
        "shared: 7 words in 2 passages\n"
        "  70% of l.txt\n"
        "  100% of r.txt\n"
        "\n"
        "  1 word, boilerplate\n"
        "    Menu\n"
        "\n"
        "  6 words\n"
        "    The council voted.\n"
        "    The bridge closes.\n"
        "\n"
        "only in l.txt: 3 words in 1 place\n"
        "\n"
        "  3 words\n"
        "    By A. Writer\n"
        "\n"
        "only in r.txt: nothing\n"
    )


def test_comparison_of_strangers():
    nothing = Evidence((), (), (), 0, 0)
    strangers = Comparison(pair("a", "b", 0.0, "different", evidence=nothing), "", "", 0.4)
    report = plain(comparison.describe(strangers))
    assert report.startswith("not the same story  score 0.00")
    assert "\nshared: nothing\n" in report
    bare = replace(strangers, pair=pair("a", "b", 0.0, "different", reason="no words"))
    bare = replace(bare, knows_boilerplate=True)
    assert plain(comparison.describe(bare)).endswith("\n  no words\n")


def test_comparison_as_json():
    facts = stdlib_json.loads(json.compared(compared(0.75)))
    assert facts["same_story"] is True
    assert facts["pair"]["score"] == 0.75
    assert facts["pair"]["evidence"]["passages"][1]["left"] == [5, 45]
    assert (facts["left_text"], facts["right_text"]) == (LEFT, RIGHT)


# The pieces.


def test_words_for_numbers():
    assert [counted(n, "word") for n in (0, 1, 2)] == ["0 words", "1 word", "2 words"]


def test_squeezing_and_blank_lines():
    assert squeezed("\u3000a\r\n\u2028b\xa0") == "a b"
    assert plain([BLANK, Line(2, (("", "  "),))]) == "\n\n"


def test_ordinary_scripts_are_left_alone():
    for said in ("می\u200cخواهم", "Regierungs\xadkrise", "ไทย\u200bไทย", "👩\u200d🚀", "a\\b"):
        assert visible(said) == said


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


@pytest.fixture
def shown(monkeypatch):
    """Return a function that shows some progress and returns what was written."""

    def show(stream, patience=0.0, **options):
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setattr("dedupe.report.progress.PATIENCE", patience)
        monkeypatch.setenv("TERM", "xterm")
        with progress.Display(**options) as display:
            display.update(Progress("compiling", 0, None, "", note=COMPILING.strip()))
            display.update(Progress("signatures", 5, None, "documents", 3_000_000))
            display.update(Progress("signatures", 9, None, "documents", 7_000_000))
            display.update(Progress("compiling", 0, None, "", note=COMPILING.strip()))
            display.update(Progress("scoring", 1, 4, "pairs"))
            display.update(Progress("scoring", 3, 4, "pairs"))
            display.finish(small())
        return stream.getvalue()

    return show


COMPILING = "compiling the kernels, once\n"


def test_progress_on_a_terminal(shown):
    screen = shown(Terminal())
    assert screen.count("compiling") == 1
    for said in ("signatures", "scoring", "75%", "3 pairs"):
        assert said in screen


def test_progress_waits_for_long_work(shown):
    """What was done is said all the same."""
    compiling, done = shown(Terminal(), patience=1e9).splitlines()
    assert compiling + "\n" == COMPILING
    assert done.startswith("read 4 documents, 7 MB, ")
    assert done.endswith("GB of memory at most")


def test_progress_in_a_pipe_is_one_line_and_quiet_is_none(shown):
    assert shown(io.StringIO()) == COMPILING
    assert shown(Terminal(), quiet=True) == ""

"""Labelled pairs of texts, kept as data in `cases`; see its README."""

import json
import re
import unicodedata
from pathlib import Path

import pytest

from dedupe.api import compare_texts, find_duplicate_texts
from dedupe.shingling.tokens import hash_tokens

CASES = Path(__file__).parent / "cases"
SEEDS = Path(__file__).parent.parent / "seeds"
MATERIAL = json.loads((CASES / "material.json").read_text(encoding="utf-8"))
FILES = ["wild", "languages", "typography", "edits", "short", "known_failures"]


def between(separator):
    """Return a change that puts something invisible into every longer word."""
    return lambda text: re.sub(r"(?<=\w\w)(?=\w\w)", separator, text)


CHANGES = {
    "straight quotes": lambda text: re.sub("[’‘]", "'", re.sub("[“”„«»「」]", '"', text)),
    "other quotes": lambda text: re.sub("[“„«「]", "‹", re.sub("[”»」]", "›", text)),
    "hyphens for dashes": lambda text: re.sub("[–—]+", "--", text),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "full width": lambda text: text.translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)}),
    "soft hyphens": between("\u00ad"),
    "zero-width spaces": between("\u200b"),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "one line": lambda text: text.replace("\n", " "),
    "a line for each word": lambda text: text.replace(" ", "\n"),
    "byte order mark": lambda text: "\ufeff" + text,
    "capitals": str.upper,
    "without marks": lambda text: re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text)),
}


def changed(text, change):
    """Apply one change, by its name; the README lists those with a number in them."""
    numbers = [int(number) for number in re.findall(r"\d+", change)]
    match re.sub(r"[\d ]+", " ", change).strip():
        case "paragraphs":
            paragraphs = text.split("\n\n")
            return "\n\n".join(paragraphs[number - 1] for number in numbers)
        case "first tokens":
            return text[: hash_tokens([text], detail=True).spans[numbers[0] - 1][1]]
        case "last tokens":
            return text[hash_tokens([text], detail=True).spans[-numbers[0]][0] :]
        case "another word every":
            words = text.split(" ")
            words[numbers[0] // 2 :: numbers[0]] = ["etwas"] * len(
                words[numbers[0] // 2 :: numbers[0]]
            )
            return " ".join(words)
        case name:
            return CHANGES[name](text)


def part(given, language, change):
    """Return the text of one part of a side."""
    if isinstance(given, dict):
        text = given.get("text") or (SEEDS / given["file"]).read_text(encoding="utf-8")
        changes = given.get("changes", "")
    else:
        name, _, changes = given.partition(" | ")
        home, _, item = name.replace("*", language).partition("/")
        text = "\n\n".join(MATERIAL[home][item])
    for name in filter(None, changes.replace("%", change).split(" | ")):
        text = changed(text, name)
    return text


def cases():
    """Yield every case of every file, for each of its languages and changes."""
    for file in FILES:
        for case in json.loads((CASES / f"{file}.json").read_text(encoding="utf-8")):
            named = case.get("languages", [""])
            for language in MATERIAL if named == "all" else named:
                for change in case.get("changes", [""]):
                    marks = [pytest.mark.xfail(reason=case["why"])] * (file == "known_failures")
                    name = ", ".join(filter(None, [file, case["name"], language, change]))
                    yield pytest.param(case, language, change, id=name, marks=marks)


@pytest.mark.parametrize(("case", "language", "change"), [*cases()])
def test_case(case, language, change):
    left, right = (
        "\n\n".join(part(given, language, change) for given in case[side])
        for side in ("left", "right")
    )
    comparison = compare_texts(left, right)
    assert comparison.same_story == (case["kind"] == "same"), comparison.pair.reason
    clusters = find_duplicate_texts({"left": left, "right": right}).clusters
    assert len(clusters) == (case["kind"] == "same")
    assert (comparison.pair.relation == "identical") == case.get("identical", False)


def test_cases_are_well_formed():
    names = [file.stem for file in sorted(CASES.glob("*.json"))]
    assert names == sorted([*FILES, "material"])
    for file in FILES:
        for case in json.loads((CASES / f"{file}.json").read_text(encoding="utf-8")):
            allowed = {"name", "kind", "left", "right", "why", "languages", "changes", "identical"}
            assert {"name", "kind", "left", "right", "why"} <= set(case) <= allowed
            assert case["kind"] in ("same", "different")
            assert case["why"].endswith(".")

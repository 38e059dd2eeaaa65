"""Labels of pairs: what a person may hand over, as a file or a mapping."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.errors import InvalidLabels, NoSuchPath
from dedupe.results.labels import labels_by_pair, read_labels

names = st.sampled_from("abcd")


def exported(*rows, **changes):
    return json.dumps({"format": "dedupe-labels", "version": 1, "labels": rows} | changes)


@given(
    st.dictionaries(st.tuples(names, names).filter(lambda pair: pair[0] < pair[1]), st.booleans())
)
def test_a_file_and_a_mapping_say_the_same_in_any_order(known):
    rows = [{"left": b, "right": a, "same_story": same} for (a, b), same in known.items()]
    assert read_labels(exported(*rows)) == known
    assert labels_by_pair({(b, a): same for (a, b), same in reversed(known.items())}) == known


def test_a_file_is_read(tmp_path):
    place = tmp_path / "labels.json"
    place.write_text(exported({"left": "b", "right": "a", "same_story": True}), encoding="utf-8")
    assert labels_by_pair(place) == labels_by_pair(str(place)) == {("a", "b"): True}
    with pytest.raises(NoSuchPath, match=r"got '.*none.json'"):
        labels_by_pair(tmp_path / "none.json")
    with pytest.raises(InvalidLabels, match="that can be read"):
        labels_by_pair(tmp_path)


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (5, r"a path or a mapping of \(id, id\) to bool, got int"),
        (None, "got NoneType: hand over what the report exported"),
        ([("a", "b", True)], "got list"),
        (b"labels.json", "got bytes"),
        ({"ab": True}, "must map pairs of ids to True or False, got 'ab' to True"),
        ({("a", "b"): 1}, r"got \('a', 'b'\) to 1: write"),
        ({("a", None): True}, r"got \('a', None\) to True"),
        ({("a", "b", "c"): True}, "must map pairs"),
        ({("a", "b"): True, ("b", "a"): False}, "got both for 'a' and 'b'"),
        ({("a", "a"): True}, "must name two documents, got 'a' twice"),
    ],
)
def test_what_is_no_labels(labels, why):
    with pytest.raises(InvalidLabels, match=why):
        labels_by_pair(labels)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        ("[]", "must say format 'dedupe-labels' and version 1, got None"),
        (exported(version=2), r"got \('dedupe-labels', 2\): export them"),
        (exported(labels={}), "must be a list, got dict"),
        (exported({"left": "a", "right": "b"}), "a label must have .* at place 1"),
        (exported({"left": "a", "right": 1, "same_story": True}), "a label must have"),
        (exported({"left": "a", "right": "b", "same_story": 1}), "a label must have"),
        (exported("a"), "a label must have .*, got 'a' at place 1"),
        (
            exported(*({"left": "a", "right": "b", "same_story": s} for s in (True, False))),
            "got both for 'a' and 'b'",
        ),
    ],
)
def test_files_that_are_no_labels(text, why):
    with pytest.raises(InvalidLabels, match=why):
        read_labels(text)

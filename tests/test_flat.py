"""Lines of JSON that are read many at a time say what they say one by one."""

import json
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference
from dedupe.documents.formats.flat import Record, blocks, records
from dedupe.documents.formats.jsonl import read_json_lines
from dedupe.documents.options import Options, Tapped
from dedupe.documents.streams import LongLine, Source, lines
from strategies import texts

# Laws

VALUES = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**62, 10**66),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(texts, st.none(), max_size=1),
)

OBJECTS = st.dictionaries(st.sampled_from(["id", "text", "other", "te\\xt", ""]), VALUES)

SIGNS = (
    *(b'{"id": 7, "text": "a"}', b'"text"', b'"id"', b'"te\\u0078t"', b":", b",", b"{", b"}", b"["),
    *(b"\\u00e9", b"\\ud83d\\ude00", b"\\ud83d", b"\\udE00", b"\\u20", b"\\n", b"\\x", b"\\", b'"'),
    *(b"-0", b"07", b"1.", b"1.5e-3", b"2E+", b"-", b"1" * 65, b"true", b"false", b"null", b"NaN"),
    *("é€😀".encode(), b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90"),
    *(b" ", b"\t", b"\r", b"\x0b", b"\x00", b"\x1f", b"\x7f", b"\xef\xbb\xbf", b"plain words"),
)


@st.composite
def broken(draw):
    """Draw an object in JSON, of which some bytes were exchanged or left out."""
    line = json.dumps(draw(OBJECTS), ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, start + 2))
    return line[:start] + draw(st.sampled_from([b"", *SIGNS])) + line[end:]


LINES = st.one_of(
    st.builds(
        lambda said, is_ascii: json.dumps(said, ensure_ascii=is_ascii).encode("utf-8", "replace"),
        OBJECTS,
        st.booleans(),
    ),
    broken(),
    st.lists(st.sampled_from(SIGNS), max_size=8).map(b"".join),
    st.lists(st.sampled_from(SIGNS), max_size=8).map(
        lambda signs: b'{"text": "' + b"".join(signs) + b'"}'
    ),
    st.lists(st.sampled_from(SIGNS), max_size=3).map(
        lambda signs: b'{"text": "a", "id": ' + b"".join(signs) + b"}"
    ),
    st.binary(max_size=12),
).map(lambda line: line.replace(b"\n", b" "))


@given(st.lists(LINES, min_size=1))
def test_a_flat_record_is_what_python_reads(some):
    found = records(b"".join(line + b"\n" for line in some), Options())
    for line, record in zip(some, found, strict=True):
        told = reference.flat_record(line, "id", "text")
        assert record == (line if told is None else Record(*told))
        assert told is None or type(record.id) is type(told[0])


@given(
    st.lists(LINES),
    st.booleans(),
    st.lists(st.integers(0, 200)),
    st.sampled_from([1, 12, 30, 1000]),
)
def test_lines_are_read_the_same_many_at_a_time_and_one_by_one(some, is_ended, cuts, limit):
    data = b"\n".join(some) + b"\n" * is_ended
    assume(b"\0" not in data.partition(b"\n")[0] and not data.startswith((b"\xff", b"\xfe")))
    ends = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(ends)]
    options = Options(max_bytes=limit)
    at_once, one_by_one = (
        [*read_json_lines(Source("x", iter(chunks), 3.0), chosen)]
        for chosen in (options, Tapped.of(options, lambda _: None))
    )
    assert at_once == one_by_one


@given(st.lists(st.binary(max_size=9)), st.integers(1, 12))
def test_blocks_have_all_lines(chunks, limit):
    found = []
    for block in blocks(chunks, limit):
        if isinstance(block, LongLine):
            found.append(None)
        else:
            *whole, rest = block.split(b"\n")
            found += [
                None if len(line) > limit else line for line in (*whole, *[rest] * bool(rest))
            ]
    assert found == [None if isinstance(one, LongLine) else one for one in lines(chunks, limit)]


# Edges


@pytest.mark.parametrize("field", ["", "text", "a.b", "\udcff", "té"])
def test_a_field_of_any_name_is_found(field):
    line = json.dumps({field: "a", "other": 1}, ensure_ascii=True).encode()
    found = [*read_json_lines(Source("x", iter([line])), Options(id_field=field, text_field="te"))]
    slow = Tapped.of(Options(id_field=field, text_field="te"), lambda _: None)
    assert found == [*read_json_lines(Source("x", iter([line])), slow)]


def test_what_is_held_of_a_long_line_is_bounded():
    longest = 0

    def chunks():
        yield b'{"text": "'
        for _ in range(100):
            yield b"a" * 10
        yield b'"}\n{"text": "b"}\n'

    for block in blocks(chunks(), limit=50):
        longest = max(longest, 0 if isinstance(block, LongLine) else len(block))
    assert longest == len(b'{"text": "b"}\n')

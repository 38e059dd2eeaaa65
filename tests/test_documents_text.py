"""Plain text: encodings, compression, the limit on size, and what is no text."""

import bz2
import gzip
import io
import lzma
import os
import sys
import tracemalloc
import zlib
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from dedupe.documents import Document, Skipped, read_paths
from dedupe.documents.formats import read_plain, suffixes
from dedupe.documents.formats.encoding import decode, decode_line, encode_like, text_chunks
from dedupe.documents.options import Options
from dedupe.documents.packing import unpack
from dedupe.documents.streams import CHUNK, LongLine, Source, Unreadable, lines, read_small
from dedupe.errors import InvalidSetting, MissingExtra, NoSuchPath, NothingToRead

PACK = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,  # As the command does.
}
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def read_one(path: Path, **options: int) -> Document | Skipped:
    """Read a file beside a sound one, so that there is always something to read."""
    sound = path.with_name("sound")
    sound.write_text("sound")
    one, _ = read_paths([path, sound], **options)
    return one


def chunked(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut data into chunks of the given sizes, over and over."""
    chunks = []
    while data:
        for size in sizes:
            chunks.append(data[:size])
            data = data[size:]
    return [chunk for chunk in chunks if chunk]


# Laws


@given(TEXTS, st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]), st.integers(1, 9))
def test_a_byte_order_mark_tells_the_encoding_however_the_bytes_arrive(text, encoding, size):
    chunks = text_chunks(iter(chunked(text.encode(encoding), [size])))
    assert b"".join(chunks).decode() == text


@given(TEXTS)
def test_big_endian_text_is_read_by_its_mark(text):
    for encoding in ("utf-16-be", "utf-32-be"):
        chunks = text_chunks(iter([("\ufeff" + text).encode(encoding)]))
        assert b"".join(chunks).decode() == text


MARKS = [
    b"",
    b"\xef\xbb\xbf",
    b"\xef\xbb",
    b"\xff\xfe",
    b"\xff\xfe\0\0",
    b"\xfe\xff",
    b"\0\0\xfe\xff",
]


def plain(source: Source, limit: int) -> Document | Skipped | str:
    """Return what a plain text is read as, or why it is none."""
    try:
        ((_, item, _),) = read_plain(source, Options(max_bytes=limit))
    except Unreadable as error:
        return error.reason
    return item


@given(
    st.sampled_from(MARKS),
    st.binary() | TEXTS.map(str.encode) | st.sampled_from([b"a\nb\0", b"\1\2a", b" \n"]),
    st.integers(1, 40),
)
def test_a_small_file_is_read_at_once_as_it_is_piece_by_piece(mark, data, limit):
    data = mark + data
    with TemporaryDirectory() as folder:
        path = str(Path(folder, "a.txt"))
        Path(path).write_bytes(data)
        assert read_small(path) == (data or None)
        found = plain(Source("a", unpack(path, ""), 1.0, path), limit)
    assert found == plain(Source("a", iter(chunked(data, [3])), 1.0), limit)
    if isinstance(found, Document):
        assert found.encoded == found.text.encode()


@given(st.binary())
def test_any_bytes_have_a_text_that_utf_8_can_hold(data):
    assert len(decode_line(data).encode()) >= len(data)


@given(TEXTS, st.binary())
def test_what_is_put_beside_bytes_is_read_as_it_was(text, data):
    assert decode_line(encode_like(text, data)) == text
    assert encode_like(text, text.encode()) == text.encode()


@given(st.text(st.characters(codec="cp1252")))
def test_windows_1252_comes_out_whole_unless_it_happens_to_be_utf_8(text):
    data = text.encode("cp1252")
    try:
        expected = data.decode()
    except UnicodeDecodeError:
        # Where two bytes in a row happen to be UTF-8 nobody could know.
        singles = all(ord(a) < 128 or ord(b) < 128 for a, b in pairwise(text))
        expected = text if singles else decode_line(data)
    assert decode_line(data) == expected


@given(st.binary(), st.lists(st.integers(1, 7), min_size=1))
def test_lines_do_not_depend_on_the_chunks(data, sizes):
    expected = data.removesuffix(b"\n").split(b"\n") if data else []
    assert list(lines(chunked(data, sizes), limit=1000)) == expected


@given(st.lists(st.binary()), st.integers(1, 5), st.integers(0, 6))
def test_a_long_line_stands_alone(given_lines, size, limit):
    given_lines = [line.replace(b"\n", b'"') for line in given_lines]
    data = b"".join(line + b"\n" for line in given_lines)
    expected = [line if len(line) <= limit else LongLine(line.count(b'"')) for line in given_lines]
    assert list(lines(chunked(data, [size]), limit)) == expected


# Encodings


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café"),
        (b"caf\xe9 \x93quoted\x94", "café “quoted”"),
        (b"undefined \x81 \x8d", "undefined \x81 \x8d"),
        (b"mixed caf\xc3\xa9 \x93x\x94", "mixed café “x”"),
        (b"cut off \xe2\x80", "cut off â€"),
        (b"surrogate \xed\xa0\x80 bytes", "surrogate í\xa0€ bytes"),
        ("Straße".encode("utf-16"), "Straße"),
        ("Straße".encode("utf-32"), "Straße"),
        (b"lines\r\nstay\ras they are", "lines\r\nstay\ras they are"),
        (b"colour \x1b[31mred\x1b[0m", "colour \x1b[31mred\x1b[0m"),
        (b"\xff", "ÿ"),
    ],
)
def test_a_text_file_is_decoded(tmp_path, data, text):
    path = tmp_path / "story.txt"
    path.write_bytes(data)
    assert read_one(path) == Document(str(path), text, path.stat().st_mtime)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("\ufeff \u2003".encode(), "empty"),
        (b"\0" * 100, "binary, not text: it has a zero byte"),
        (b"text at first\n, then\0", "binary, not text: it has a zero byte"),
        ("UTF-16 without a mark".encode("utf-16-le"), "binary, not text: it has a zero byte"),
        (b"\x01\x02\x03\x04 noise", "binary, not text: over a third of it is control characters"),
        (b"PK\x03\x04\x14\x00\x00\x00", "binary, not text: it has a zero byte"),
        (b"\xff\xfea", "not valid utf-16-le: truncated data"),
        (b"\xff\xfe\x00\xd8a\x00", "not valid utf-16-le: illegal UTF-16 surrogate"),
    ],
)
def test_what_is_no_text_is_skipped_with_a_reason(tmp_path, data, reason):
    path = tmp_path / "story.txt"
    path.write_bytes(data)
    skipped = read_one(path)
    assert skipped == Skipped(str(path), reason, skipped.remedy)
    assert skipped.remedy


def test_a_declared_encoding_counts_where_utf_8_does_not():
    text = "Новости дня"
    assert decode(text.encode("koi8-r"), "koi8-r") == text
    assert decode(text.encode(), "koi8-r") == text


@pytest.mark.parametrize(
    "declared",
    ["", "latin-1", "utf-16", "nonsense", "hex", "idna", "unicode_escape", "raw-unicode-escape"],
)
def test_a_declared_encoding_that_cannot_be_is_no_harm(declared):
    assert decode("“é”".encode("cp1252"), declared) == "“é”"


@pytest.mark.parametrize("declared", ["unicode_escape", "raw_unicode_escape"])
def test_a_page_in_a_notation_of_python_stops_nothing(tmp_path, declared):
    """Decoded by what it declares, it would hold half of a character."""
    page = tmp_path / "page.html"
    page.write_bytes(rf"<meta charset={declared}><p>café \ud800</p>".encode("cp1252"))
    (item,) = read_paths(page)
    assert item.text == r"café \ud800"


# Compression


@pytest.mark.parametrize("suffix", PACK)
def test_compressed_text_is_read(tmp_path, suffix):
    path = tmp_path / f"Story.TXT{suffix.upper()}"
    path.write_bytes(PACK[suffix]("Brücke".encode("utf-16")))
    assert read_one(path).text == "Brücke"


@pytest.mark.parametrize("suffix", PACK)
def test_parts_that_were_joined_after_compression_are_all_read(tmp_path, suffix):
    path = tmp_path / f"story{suffix}"
    path.write_bytes(PACK[suffix](b"one ") + PACK[suffix](b"") + PACK[suffix](b"two"))
    assert read_one(path).text == "one two"


N_SOUND = {".gz": 20_000, ".xz": 10_000, ".bz2": 40_000, ".zst": 15_000}
"""Records that stand before the last thousand bytes, less some room for how well they pack."""


@cache
def packed_records(suffix: str) -> bytes:
    """Compress records: for bzip2 more than a block of its 900 kB, so that one can be sound."""
    n = 60_000 if suffix == ".bz2" else 30_000
    return PACK[suffix](b"".join(b'{"text": "%d"}\n' % i for i in range(n)))


def damaged_file(path: Path, change) -> tuple[list[str], Skipped]:
    """Write compressed records with damage; return the texts that come out, and the rest."""
    path.write_bytes(change(packed_records(path.suffix)))
    sound = path.with_name("sound")
    sound.write_text("sound")
    *items, skipped, _ = read_paths([path, sound])
    return [item.text for item in items if isinstance(item, Document)], skipped


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("n_lost", [1, 9, 1000])
def test_a_truncated_file_keeps_what_stands_before_the_end(tmp_path, suffix, n_lost):
    path = tmp_path / f"news.jsonl{suffix}"
    texts, skipped = damaged_file(path, lambda data: data[:-n_lost])
    assert texts == [str(i) for i in range(len(texts))]
    assert skipped.id == str(path)
    assert skipped.reason.startswith(f"damaged {suffix} file: ")
    assert len(texts) > N_SOUND[suffix]


@pytest.mark.parametrize("suffix", PACK)
def test_a_changed_file_keeps_what_stands_before_the_change(tmp_path, suffix):
    texts, skipped = damaged_file(
        tmp_path / f"news.jsonl{suffix}", lambda data: data[:-1000] + bytes(50) + data[-950:]
    )
    # The sum that gives it away may come at the very end, after lines that are garbled.
    n_sound = N_SOUND[suffix]
    assert texts[:n_sound] == [str(i) for i in range(n_sound)]
    assert skipped.reason.startswith(f"damaged {suffix} file: ")


@pytest.mark.parametrize("suffix", PACK)
def test_a_file_that_was_never_compressed_is_damaged(tmp_path, suffix):
    path = tmp_path / f"story{suffix}"
    path.write_bytes(b"This was never compressed.")
    assert read_one(path).reason.startswith(f"damaged {suffix} file: ")


def test_without_zstandard_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    path = tmp_path / "story.zst"
    path.write_bytes(PACK[".zst"](b"text"))
    with pytest.raises(MissingExtra, match=r"dedupe-articles\[zstd\]"):
        list(read_paths(path))


# The limit


@pytest.mark.parametrize(("size", "kind"), [(10, Document), (11, Skipped)])
@pytest.mark.parametrize("suffix", ["", *PACK])
def test_the_limit_counts_decompressed_bytes(tmp_path, suffix, size, kind):
    path = tmp_path / f"story.txt{suffix}"
    path.write_bytes(PACK.get(suffix, bytes)(b"x" * size))
    item = read_one(path, max_bytes=10)
    assert isinstance(item, kind)
    if kind is Skipped:
        assert item.reason == "larger than 10 bytes, the limit"
        assert item.remedy == "split it into articles"


@pytest.mark.parametrize(("n_more", "kind"), [(0, Document), (1, Skipped)])
def test_a_text_of_64_mib_is_read_and_a_larger_one_is_none(tmp_path, n_more, kind):
    path = tmp_path / "large.txt"
    path.write_bytes(b"x" * (64 * 2**20 + n_more))
    assert isinstance(read_one(path), kind)


@cache
def bomb(suffix: str) -> bytes:
    """Compress a text of 32 MiB, which is slow, once for all kinds of files."""
    return PACK[suffix](b"x" * 2**25)


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("name", ["bomb.txt", "bomb.jsonl", "bomb.csv", "bomb.html"])
def test_a_bomb_stops_at_the_limit(tmp_path, name, suffix):
    path = tmp_path / (name + suffix)
    path.write_bytes(bomb(suffix))
    tracemalloc.start()
    try:
        item = read_one(path, max_bytes=1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(item, Skipped)
    # The window of xz takes 8 MiB, and a step of Zstandard 4, which is held three times.
    assert peak < 2**24


@pytest.mark.parametrize("size", [1, CHUNK, CHUNK + 1])
def test_a_file_that_changes_while_it_is_read_is_read_as_it_is_then(tmp_path, monkeypatch, size):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * size)
    assert read_small(str(path)) == (b"a" * size if size <= CHUNK else None)
    fstat = os.fstat

    def grown(number):
        status = fstat(number)
        path.write_bytes(b"a" * size + b" and more")
        return status

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", grown)
        assert read_one(path).text == "a" * size + " and more"
    read = os.read
    # A file system far away may hand over less than there is.
    monkeypatch.setattr(os, "read", lambda number, n: read(number, min(n, 7)))
    assert read_one(path).text == "a" * size + " and more"


def test_a_line_of_many_chunks_costs_itself_alone(tmp_path):
    path = tmp_path / "news.jsonl"
    path.write_bytes(b'{"text": "' + b"x" * (5 * CHUNK) + b'"}\n{"text": "short"}')
    skipped, document = read_paths(path, max_bytes=CHUNK)
    assert (skipped.id, document.id) == (f"{path}:1", f"{path}:2")
    assert skipped.reason == f"larger than {CHUNK:,} bytes, the limit"


def test_options_are_checked_at_once(tmp_path):
    with pytest.raises(InvalidSetting, match="max_bytes must be at least 1, got 0"):
        read_paths(tmp_path, max_bytes=0)
    with pytest.raises(InvalidSetting, match="text_field must be a string, got None"):
        Options(text_field=None)
    with pytest.raises(InvalidSetting, match="time_field must be a string or None, got 3"):
        Options(time_field=3)


# Standard input


def pipe(monkeypatch, data: bytes) -> None:
    """Put data on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("data", "documents"),
    [
        (b"A story\nin lines", [("-", "A story\nin lines")]),
        (b'\n {"text": "one"}\n{"id": 2, "text": "two"}', [("-:2", "one"), (2, "two")]),
        (b'\xef\xbb\xbf{"text": "one"}', [("-:1", "one")]),
        ('{"text": "one"}'.encode("utf-16"), [("-:1", "one")]),
        (b' [\n {"text": "one"}]', [("-:1", "one")]),
        (b"[Music] one", [("-", "[Music] one")]),
        (
            b"\n" * CHUNK + b'{"no": "line" of JSON}',
            [("-", "\n" * CHUNK + '{"no": "line" of JSON}')],
        ),
    ],
)
def test_standard_input_is_json_where_it_begins_so(monkeypatch, data, documents):
    pipe(monkeypatch, data)
    assert [(item.id, item.text) for item in read_paths(["-", "-"])] == documents


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "-: empty;"),
        (gzip.compress(b"text", mtime=0), "-: compressed; unpack it on the way in"),
        (b"\x89PNG\r\0", "-: binary"),
        (b'{"a', "-:1: cut off: not JSON"),
    ],
)
def test_nothing_good_on_standard_input_is_told(monkeypatch, data, reason):
    pipe(monkeypatch, data)
    with pytest.raises(NothingToRead, match=reason):
        list(read_paths("-"))


def test_closed_standard_input_is_told(monkeypatch):
    for stdin in (None, io.TextIOWrapper(io.BytesIO())):
        monkeypatch.setattr(sys, "stdin", stdin)
        if stdin:
            stdin.close()
        with pytest.raises(NoSuchPath, match="standard input must be open"):
            list(read_paths("-"))


# Names


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.txt", (".txt", "")),
        ("A.JSONL.GZ", (".jsonl", ".gz")),
        ("story.gz", ("", ".gz")),
        ("dir.d/README", ("", "")),
        (".txt", ("", "")),
        ("Acme Inc.", ("", "")),
        ("St. Louis in June", ("", "")),
        ("a.tar.xz", (".tar", ".xz")),
        ("a.txt~", (".txt~", "")),
    ],
)
def test_the_suffix_tells_format_and_compression(path, expected):
    assert suffixes(path) == expected


def test_an_xz_file_that_wants_gigabytes_to_be_unpacked_is_skipped(tmp_path):
    packer = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    sound = packer.compress(b"word " * 100) + packer.flush()
    # The head of a block says how much memory it takes, and ends with a sum over itself.
    data = bytearray(sound)
    place = data.index(b"\x21\x01", 12) + 2
    data[place] = 40  # 4 GiB less one byte.
    header = data[12 : 12 + 4 * (data[12] + 1)]
    header[-4:] = zlib.crc32(bytes(header[:-4])).to_bytes(4, "little")
    data[12 : 12 + len(header)] = header
    (tmp_path / "big.txt.xz").write_bytes(bytes(data))
    (tmp_path / "good.txt.xz").write_bytes(sound)
    bad, good = read_paths([tmp_path / "big.txt.xz", tmp_path / "good.txt.xz"])
    assert bad.reason == "damaged .xz file: Memory usage limit exceeded"
    assert good.text == "word " * 100


@pytest.mark.parametrize("n_zeros", [0, 4, 400])
def test_streams_of_xz_follow_each_other_with_zeros_between_them(tmp_path, n_zeros):
    one, other = lzma.compress(b"one "), lzma.compress(b"two")
    path = tmp_path / "a.txt.xz"
    path.write_bytes(one + bytes(n_zeros) + other + bytes(n_zeros))
    (found,) = read_paths(path)
    assert found.text == "one two"

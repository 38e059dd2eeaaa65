"""Time grows with the size of the input, and not faster, on the worst input that is known.

Each test takes an input and one of four times its size, and holds the processor time of
the larger to eight times that of the smaller: what is linear takes four times as long,
what is quadratic sixteen times. Time is measured on the processor, the least of several
runs counts, and a machine that is busy with something else is asked again.
"""

import bz2
import csv
import gc
import gzip
import io
import json
import lzma
import os
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import zstandard
from numba import config
from pyarrow import parquet

from dedupe import compare_texts, find_duplicate_texts
from dedupe.cleaning.drafts import targets
from dedupe.cleaning.inventory import Entry, Inputs, Stamp
from dedupe.documents.formats import read_file
from dedupe.documents.options import Options
from dedupe.documents.walk import File
from dedupe.minhash import sketch
from dedupe.scoring.alignment import align
from dedupe.scoring.block import Block, prose_of
from dedupe.settings import Settings
from dedupe.shingling import hash_tokens

pytestmark = pytest.mark.skipif(
    bool(config.DISABLE_JIT), reason="what is not compiled is slow in its own way"
)

LONGEST = 8
"""How many times the time of an input that of four times its size may be."""

ENOUGH = 0.01
"""Seconds below which nothing is measured: what starts and ends takes its share."""

PATIENCE = 20
"""How often a busy machine is asked again."""


def assert_linear(make: Callable[[int], Any], work: Callable[[Any], object], n: int) -> None:
    """Hold the time for 2 ``n`` to eight times that for half of ``n``."""
    work(make(n // 8))  # What is compiled or loaded at first does not count.
    small, large = make(n // 2), make(2 * n)
    times: list[tuple[float, float]] = []
    for _ in range(PATIENCE):
        times.append((_time(work, small), _time(work, large)))
        least, longest = map(min, zip(*times, strict=True))
        if longest <= LONGEST * max(least, ENOUGH):
            return
    pytest.fail(f"an input took {least:.3f} s, and one of four times the size {longest:.3f} s")


def _time(work: Callable[[Any], object], given: Any) -> float:
    """Return the processor time of a run, in seconds."""
    # How often garbage is looked for depends on what other tests have left.
    gc.disable()
    start = time.process_time()
    try:
        work(given)
        return time.process_time() - start
    finally:
        gc.enable()


# Formats: name of a file, and its content by a number of bytes.

HTML = {
    "open tags": "<a ",
    "open attributes": "<a x='",
    "attributes": "<a x=1 ",
    "comments": "<!--",
    "ends of comments": "<!-- -- >",
    "templates": "<template>",
    "end tags": "</p>",
    "bold paragraphs": "<b><p>",
    "links in links": "<a href=x>y",
    "headings": "<h1>",
    "tables": "<table><tr><td>",
    "selects": "<select><option>",
    "forms": "<form><input>",
    "formatting": "<font color=x>",
    "scripts": "<script>",
    "ends of scripts": "<script></scrip",
    "textareas": "<textarea>",
    "titles": "<title>",
    "characters": "&#x41;",
    "names of characters": "&amp",
    "ampersands": "&",
    "less than": "<",
    "brackets": "<![CDATA[",
    "declarations": "<!doctype ",
    "instructions": "<?php ",
    "drawings": "<svg><foreignObject>",
    "formulas": "<math><mi>",
    "frames": "<frameset><frame>",
    "paragraphs": "<p>word",
    "lists": "<ul><li>",
    "breaks": "<br>",
    "spaces": "<pre> ",
    "plain": "x",
    "wide spaces": "\u00a0 ",
}


def _csv(cell: str, n: int) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["text"])
    writer.writerow([cell * (n // len(cell))])
    return table.getvalue().encode()


def _parquet(columns: dict[str, list[object]], **options: object) -> bytes:
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


FILES: dict[str, Callable[[int], bytes]] = {
    **{
        f"{name}.html": lambda n, part=part: (part * (n // len(part))).encode()
        for name, part in HTML.items()
    },
    "marks.txt": lambda n: ("a" + "\u0301" * (n // 2)).encode(),
    "lines.txt": lambda n: b"\n" * n,
    "no utf-8.txt": lambda n: b"caf\xe9 " * (n // 5),
    "utf-16.txt": lambda n: ("\ufeff" + "é " * (n // 4)).encode("utf-16-le"),
    "utf-32.txt": lambda n: ("\ufeff" + "é " * (n // 8)).encode("utf-32-le"),
    "brackets.jsonl": lambda n: b'{"text": ' + b"[" * n,
    "quotes.jsonl": lambda n: b'{"text": "' + b'\\"' * (n // 2) + b'"}',
    "surrogates.jsonl": lambda n: b'{"text": "' + b"\\ud800" * (n // 6) + b'"}',
    "digits.jsonl": lambda n: b'{"text": "x", "id": ' + b"1" * n + b"}",
    "lines.jsonl": lambda n: b'{"text": "x"}\n' * (n // 14),
    "bad lines.jsonl": lambda n: b"{\n" * (n // 2),
    "keys.jsonl": lambda n: json.dumps(
        {"text": "x"} | {str(i): i for i in range(n // 12)}
    ).encode(),
    "list.json": lambda n: b"[" + b'{"text": "x"},' * (n // 14) + b'{"text": "x"}]',
    "numbers.json": lambda n: b"1 " * (n // 2),
    "brackets.json": lambda n: b"[" * n,
    "objects.json": lambda n: b'{"a":' * (n // 5),
    "cut off.json": lambda n: b"[" + b'{"text": "x"},\n' * (n // 15),
    "quotes.csv": lambda n: _csv('"', n),
    "commas.csv": lambda n: b"text\n" + b"," * n,
    "columns.csv": lambda n: b"text" + b",x" * (n // 2) + b"\na",
    "open.csv": lambda n: b'text\n"' + b"x\n" * (n // 2),
    "odd quotes.csv": lambda n: b'text\n"' + b'"x"\n' * (n // 4),
    "rows.csv": lambda n: b"text\n" + b"x\n" * (n // 2),
    "wide rows.tsv": lambda n: b"text\tid\n" + b"x\ty\n" * (n // 4),
    "rows.parquet": lambda n: _parquet({"text": [f"x{i}" for i in range(n // 10)]}),
    "one.parquet": lambda n: _parquet({"text": ["x" * n]}, use_dictionary=False),
    "groups.parquet": lambda n: _parquet({"text": ["x"] * (n // 2000)}, row_group_size=1),
    "columns.parquet": lambda n: _parquet(
        {"text": ["x"]} | {str(i): [1] for i in range(n // 2000)}
    ),
    "lines.txt.gz": lambda n: gzip.compress(b"x\n" * (n // 2)),
    # Python copies what is left of its buffer, up to 128 KiB, for each member.
    "members.txt.gz": lambda n: gzip.compress(b"x\n") * (n // 4),
    "streams.txt.xz": lambda n: lzma.compress(b"x\n") * (n // 400),
    "streams.txt.bz2": lambda n: bz2.compress(b"x\n") * (n // 400),
    "frames.txt.zst": lambda n: zstandard.compress(b"x\n") * (n // 100),
}

BYTES = 1 << 17


@pytest.mark.parametrize("name", FILES)
def test_reading_takes_time_linear_in_the_bytes(tmp_path, name):
    def make(n: int) -> File:
        place = tmp_path / f"{n} {name}"
        place.write_bytes(FILES[name](n))
        return File(os.fspath(place), name, None, (0, 0), named=True)

    def read(file: File) -> None:
        assert list(read_file(file, Options()))

    assert_linear(make, read, BYTES)


# Kernels, by the text of one document, or of two.

draw = random.Random(7)
NAMES = [f"w{i}" for i in range(5000)]
PHRASES = [" ".join(draw.sample(NAMES, 9)) for _ in range(300)]

TEXTS: dict[str, Callable[[int], str]] = {
    "one word": lambda n: "word " * n,
    "two words": lambda n: "ab cd " * (n // 2),
    "new words": lambda n: " ".join(f"w{i}" for i in range(n)),
    "few words": lambda n: " ".join(random.Random(1).choices(NAMES[:7], k=n)),
    "phrases": lambda n: " ".join(random.Random(2).choices(PHRASES, k=n // 9)),
    "lines of a word": lambda n: "word\n" * n,
    "a long word": lambda n: "x" * n,
    "letters": lambda n: "北" * n,
    "marks": lambda n: "a" + "\u0301" * n,
    "marks out of order": lambda n: "a\u0315\u0300" * n,
    "expansions": lambda n: "㌖" * n,
    "vanishing": lambda n: "a\u00ad" * n,
    "combining words": lambda n: "e\u0301 " * n,
    "divided words": lambda n: "ab-\ncd " * (n // 2),
    "a word in many parts": lambda n: "a-\n" * n,
    "marks between lines": lambda n: "a" + "\u0301" * n + "-\nb" + "\u0301" * n,
    "mixed scripts": lambda n: "pа " * n,
    "a long word of mixed scripts": lambda n: "pа" * n,
    "apostrophes": lambda n: "’" * n,
}

WORDS = 100_000


@pytest.mark.parametrize("kind", TEXTS)
def test_hashing_takes_time_linear_in_the_words(kind):
    assert_linear(TEXTS[kind], lambda text: hash_tokens([text], detail=True), WORDS)
    assert_linear(
        lambda n: [TEXTS[kind](n).encode()], lambda texts: sketch(texts, Settings()), WORDS
    )


@pytest.mark.parametrize("kind", ["one word", "two words", "new words", "few words", "phrases"])
@pytest.mark.parametrize("other", ["edited", "shuffled", "reversed", "twice"])
def test_comparing_takes_time_linear_in_the_words(kind, other):
    def make(n: int) -> tuple[str, str]:
        words = TEXTS[kind](n).split()
        another = [*words]
        if other == "edited":
            for i in range(0, len(another), 50):
                another[i] = f"new{i}"
        elif other == "shuffled":
            parts = [words[i : i + 12] for i in range(0, len(words), 12)]
            random.Random(3).shuffle(parts)
            another = [word for part in parts for word in part]
        elif other == "reversed":
            another.reverse()
        else:
            another += words
        return " ".join(words), " ".join(another)

    assert_linear(make, lambda pair: compare_texts(*pair), WORDS // 2)


@pytest.mark.parametrize("shift", [0, 10, 20, 32, 40, 46])
def test_shingles_that_agree_in_chosen_bits_take_no_longer(shift):
    def make(n: int) -> Block:
        shingles = np.arange(n, dtype=np.uint64) << np.uint64(shift)
        offsets = np.array([0, n, 2 * n])
        lines = np.full(2 * n, 10, np.uint8)
        return Block(
            np.concatenate([shingles, shingles[::-1]]),
            np.zeros(2 * n, np.uint32),
            offsets,
            offsets,
            lines,
            1,
            np.array([1, 2], np.uint64),
            prose_of(lines, None, offsets),
        )

    assert_linear(make, lambda block: align(block, np.array([0]), np.array([1])), WORDS)


COLLECTIONS: dict[str, Callable[[int], list[str]]] = {
    "copies": lambda n: [PHRASES[0] * 3] * n,
    "copies in other letters": lambda n: [f"{PHRASES[0] * 3}{' ' * (i % 90)}." for i in range(n)],
    "near copies": lambda n: [f"{' '.join(PHRASES[:9])} x{i} y{i}" for i in range(n)],
    "a form": lambda n: [" ".join(f"{phrase} v{i}" for phrase in PHRASES[:9]) for i in range(n)],
    "a phrase in common": lambda n: [
        f"{PHRASES[0]} {' '.join(f'x{i}y{j}' for j in range(60))}" for i in range(n)
    ],
    "a chain": lambda n: [" ".join(f"x{j}" for j in range(20 * i, 20 * i + 60)) for i in range(n)],
    "short": lambda n: [f"w{i % 7} w{i % 11}" for i in range(n)],
}


DOCUMENTS = dict.fromkeys(COLLECTIONS, 1000) | {"a form": 400}
"""Forms take longest, so that fewer of them are enough to measure."""


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_a_search_takes_time_linear_in_the_documents(kind):
    n = DOCUMENTS[kind]
    assert_linear(COLLECTIONS[kind], lambda texts: find_duplicate_texts(texts, workers=1), n)


def _inputs(n: int) -> Inputs:
    """Return a folder of `n` files that nobody has to write."""
    places = [f"{number}.txt" for number in range(n)]
    entries = {
        place: Entry(File(place, place, None, (1, number)), place, Stamp(0, 0, number), None, False)
        for number, place in enumerate(places)
    }
    return Inputs("/news", (), False, entries, {})


def test_many_files_go_to_a_folder_in_linear_time(tmp_path):
    (tmp_path / "cleaned").mkdir()
    assert_linear(_inputs, lambda inputs: targets(inputs, str(tmp_path / "cleaned")), 4_000)

"""What tests of pages share: invented texts, results made by hand, and what a parser sees."""

import base64
import json
import random
import re
import zlib
from collections import Counter
from html.parser import HTMLParser

from dedupe.results.records import (
    Cluster,
    DocumentInfo,
    Duplicate,
    Pair,
    evidence_of,
)
from dedupe.results.result import Result
from dedupe.settings import Settings

HOSTILE = (
    "<script>window.hacked = 1</script>",
    "</script><script>window.hacked = 1</script>",
    "\"'><img src=x onerror='window.hacked = 1'>",
    "a\u202efdp.exe",
    "tab\tfeed\nbell\x07\x1b[31m",
    "{{ 7 * 7 }}{% raw %}&amp;&lt;",
    "<!--",
    "javascript:window.hacked=1",
)

WORDS = [f"{a}{b}{c}" for a in "bdfglmnr" for b in "aeiou" for c in ("k", "st", "ran", "lo")]


def prose(seed, n_words, line=12):
    """Make a text that no other seed gives; lines of a few words are those of a menu."""
    chosen = random.Random(seed).choices(WORDS, k=n_words)
    lines = (" ".join(chosen[start : start + line]) for start in range(0, n_words, line))
    return "".join(f"{line}.\n" for line in lines)


def pair(left, right, score, evidence=None):
    return Pair(
        left,
        right,
        score,
        0.25,
        0.9,
        0.9,
        0.5,
        score,
        1.0,
        1.0,
        "same text",
        "9 words shared",
        9,
        9,
        0,
        0,
        find_evidence=evidence_of(evidence),
    )


def result(scored, clusters=(), skipped=(), **settings):
    """Make a result: `clusters` are lists of members, the representative first."""
    known = {(one.left, one.right): one for one in scored}
    duplicates = []
    for kept, *rest in clusters:
        for member in rest:
            inside = [p for p in scored if member in (p.left, p.right)]
            best = max(inside, key=lambda p: p.score)
            direct = known.get((min(kept, member), max(kept, member)))
            duplicates.append(
                Duplicate(
                    member,
                    kept,
                    direct.score if direct else 0.0,
                    best.other(member),
                    best.score,
                    "r",
                )
            )
    ids = sorted({side for one in scored for side in (one.left, one.right)})
    return Result(
        clusters=tuple(Cluster(members[0], tuple(sorted(members))) for members in clusters),
        duplicates=tuple(duplicates),
        scored=tuple(scored),
        skipped=tuple(skipped),
        n_documents=len(ids),
        n_words=100 * len(ids),
        settings=Settings(**settings),
        documents=tuple(DocumentInfo(name, 100 + i, 0) for i, name in enumerate(ids)),
    )


def unpacked(blocks):
    """Return the items of blocks, as the script of the page does."""
    found = []
    for n_items, block in blocks:
        items = json.loads(zlib.decompress(base64.b64decode(block)))
        assert len(items) == n_items
        found += items
    return found


def data_of(page):
    """Return what a page hands to its script."""
    text = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1]
    return json.loads(text)


class Parsed(HTMLParser):
    """What a parser makes of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.said = Counter(), set(), []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Count an element, and remember its attributes."""
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        """Remember text."""
        self.said.append(data)


TEXTS = {
    "a.txt": prose(1, 120),
    "b.txt": prose(2, 30) + prose(1, 120),
    "c.txt": prose(3, 90),
}


def hostile_texts():
    """Return texts whose ids and texts try to be more than text."""
    return {
        name: f"{HOSTILE[-1 - i % 8]} {prose(i // 2, 100)} {name} {prose(i // 2 + 50, 100)}"
        for i, name in enumerate(f"{hostile}{copy}" for hostile in HOSTILE for copy in "12")
    }


def benign_texts():
    return {
        f"doc{i:02}": f"{prose(i // 2, 100)} plain words {prose(i // 2 + 50, 100)}"
        for i in range(16)
    }


def texts_with_a_huge_cluster():
    """Make a story of fifty copies whose ids take much room, and five others."""
    texts = {"\x07" * 480 + f"{i:03}": f"{prose(0, 60)} tail{i}" for i in range(50)}
    for n in range(1, 6):
        texts |= {f"story{n}{copy}": prose(n, 60) + f"extra {copy}" for copy in "abc"[: 2 + n % 2]}
    return texts

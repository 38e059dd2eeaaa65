"""The data of a page: harmless, in order, and within five megabytes."""

import json
import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.documents import Document
from dedupe.errors import Skipped
from dedupe.report import html
from dedupe.report.html import gathering, opened, payload, tables
from dedupe.report.lines import visible
from dedupe.results.records import (
    Cluster,
    DocumentInfo,
    Duplicate,
    Evidence,
    Pair,
    Passage,
    Span,
    evidence_of,
)
from dedupe.results.result import Result
from dedupe.settings import Settings
from paged import HOSTILE, Parsed, data_of, pair, prose, result, unpacked


def as_rows(items):
    """Return items as they are packed."""
    return [(item, payload.as_json(item)) for item in items]


@given(st.lists(st.text() | st.integers()), st.integers(0, 400))
def test_packing_keeps_the_first_items_within_the_budget(items, budget):
    packed = payload.pack(as_rows(items), budget)
    in_page = payload.as_script_json({"blocks": packed.chunks})
    assert len(in_page) - len('{"blocks":[]}') <= packed.n_bytes <= budget
    assert unpacked(packed.chunks) == list(packed.items) == items[: len(packed.items)]
    assert unpacked(payload.pack(as_rows(items), 10**9).chunks) == items


def test_many_items_go_into_several_chunks_as_far_as_a_browser_can_hold_them(monkeypatch):
    items = ["é" * 30_000 for _ in range(9)]
    packed = payload.pack(as_rows(items), 10**9)
    assert [n for n, _ in packed.chunks] == [2, 2, 2, 2, 1]
    monkeypatch.setattr(payload, "MAX_UNPACKED", 300_000)
    assert len(payload.pack(as_rows(items), 10**9).items) == 4


def test_a_cluster_that_is_too_large_is_listed_with_fewer_duplicates():
    names = ["\x07" * 480 + f"{i:03}" for i in range(500)]
    scored = [pair(names[0], other, 0.9) for other in names[1:]]
    (cluster,) = gathering.gather(result(scored, [names])).clusters
    ((shown, text),) = payload.cluster_rows([cluster])
    assert len(text.encode()) <= payload.MAX_ITEM < 2 * len(text.encode())
    assert shown.duplicates == cluster.duplicates[: len(shown.duplicates)]
    *_, n_more, _, _, duplicates = json.loads(text)
    assert len(duplicates) + n_more == 499
    assert n_more > 0


@given(st.recursive(st.text() | st.integers() | st.sampled_from(HOSTILE), st.lists))
def test_json_in_a_script_cannot_end_it(facts_):
    text = payload.as_script_json({"facts": facts_})
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == {"facts": facts_}
    text.encode()


def test_names_and_what_is_shown_of_them():
    assert payload.name("lone \udc80") == ["lone \udc80", r"lone \udc80"]
    name, shown = payload.name("x" * 501)
    assert name is None
    assert shown == f"{'x' * 250} … [1 characters] … {'x' * 250}"


@given(st.text(max_size=50), st.integers(1, 30))
def test_what_is_short_stays_short_and_harmless(text, repeats):
    shown = payload.short(text * repeats, 20)
    assert len(shown) <= 80
    assert visible(shown) == shown


FACTS = (0.9, 0.25, 0.9, 0.9, 0.5, 0.9, 1.0, 1.0)


def made(groups, evidence, skipped=(), reason="9 words shared"):
    """Make a result of clusters, each duplicate paired with the first of them."""
    scored = [
        Pair(
            *sorted((group[0], other)),
            *FACTS,
            "same text",
            reason,
            9,
            9,
            0,
            0,
            find_evidence=evidence(),
        )
        for group in groups
        for other in group[1:]
    ]
    ids = sorted(name for group in groups for name in group)
    dropped = ((group[0], other) for group in groups for other in group[1:])
    return Result(
        clusters=tuple(Cluster(group[0], tuple(group)) for group in groups),
        duplicates=tuple(Duplicate(one, kept, 0.9, kept, 0.9, reason) for kept, one in dropped),
        scored=tuple(scored),
        skipped=tuple(skipped),
        n_documents=len(ids),
        n_words=300 * len(ids),
        settings=Settings(),
        documents=tuple(DocumentInfo(name, 300, 0) for name in ids),
    )


def large(n_clusters, size=3):
    """Make a result of clusters with ids that do not compress and evidence for each pair."""
    rng = random.Random(1)
    excerpts = [prose(seed, 40)[:240] for seed in range(500)]

    def evidence():
        passages = tuple(
            Passage(Span(i * 300, i * 300 + 240), Span(i * 300, i * 300 + 240), 40, text)
            for i, text in enumerate(rng.sample(excerpts, 8))
        )
        return evidence_of(Evidence(passages, (), (), 0.8, 0.9))

    return made(
        [
            sorted(f"news/{rng.randbytes(16).hex()}.html" for _ in range(size))
            for _ in range(n_clusters)
        ],
        evidence,
        [Skipped(f"s{i}", "no text", f"remedy {i % 300}") for i in range(20_000)],
    )


def with_digests(found, texts):
    """Return a result whose documents know the digests of some texts."""
    known = {name: Document(name, text).digest for name, text in texts.items()}
    documents = (replace(one, digest=known.get(one.id, "")) for one in found.documents)
    return replace(found, documents=tuple(documents))


BUDGETS = {
    "borderline": "PAGE_BYTES",
    "clusters": "ROW_BYTES",
    "openings": "OPENING_BYTES",
    "pairs": "PAGE_BYTES",
    "places": "PLACE_BYTES",
}


def unpackable(page):
    """Hold what is packed in a page to its budgets; return the bytes of all else."""
    data, n_packed = data_of(page), 0
    for name, budget in BUDGETS.items():
        n_bytes = sum(len(block) for _, block in data[name])
        assert n_bytes <= getattr(payload, budget), name
        n_packed += n_bytes
    assert n_packed <= payload.PAGE_BYTES
    return len(page.encode()) - n_packed


def test_ten_thousand_clusters_fit_into_five_megabytes(monkeypatch):
    # More pairs that can be opened would take up the rest of the budget, which others hold.
    monkeypatch.setattr(opened, "N_WHOLE", 200)
    monkeypatch.setattr(opened, "N_OPENED", 300)
    found = large(10_000)
    named = (name for cluster in found.clusters[:100] for name in cluster.members)
    texts_ = {name: prose(name, 300) for name in named}
    page = html.result_page(with_digests(found, texts_), texts_)
    assert "200 pairs can be read in full" in page
    assert unpackable(page) + payload.PAGE_BYTES < 5_000_000
    assert len(unpacked(data_of(page)["clusters"])) == 10_000
    assert "largest clusters of" not in page
    assert re.search(r"Of [\d,]+ pairs the page holds their numbers alone", page)


SMALL = evidence_of(Evidence((Passage(Span(0, 9), Span(0, 9), 9, "x"),), (), (), 1.0, 1.0))

FULL = {name: value for name, value in vars(payload).items() if name.isupper()}

KINDS_OF_IDS = {
    "short": lambda rng: f"{rng.randrange(16**11):011x}",
    "quotes": lambda rng: f"{rng.randrange(16**11):011x}" + '"' * 480,
    "any markup": lambda rng: "".join(rng.choices("<>&\"'\\/", k=490)),
    "controls": lambda rng: "".join(map(chr, rng.choices(range(32), k=490))),
    "unassigned": lambda rng: "".join(map(chr, rng.choices(range(0xA0000, 0xDFFFF), k=490))),
    "surrogates": lambda rng: "".join(map(chr, rng.choices(range(0xD800, 0xE000), k=490))),
    "too long": lambda rng: "".join(map(chr, rng.choices(range(0x4E00, 0x9FFF), k=3000))),
}


@pytest.mark.parametrize(
    ("kind", "n_clusters", "size"),
    [("short", 39, 500), ("quotes", 5, 250), ("any markup", 12, 15)]
    + [(kind, 4, 50) for kind in KINDS_OF_IDS],
)
def test_a_page_stays_within_its_budgets_whatever_its_ids_are(kind, n_clusters, size, monkeypatch):
    # Of a twentieth, so that all are used up: what is left of five megabytes is 800,000 bytes,
    # of which three tables may take 300,000.
    for name in (*BUDGETS.values(), "EXCERPT_BYTES", "MAX_ITEM", "CHUNK_BYTES"):
        monkeypatch.setattr(payload, name, FULL[name] // 20)
    monkeypatch.setattr(tables, "TABLE_BYTES", tables.TABLE_BYTES // 20)
    rng = random.Random(1)
    named = KINDS_OF_IDS[kind]
    groups = [sorted({named(rng) for _ in range(size)}) for _ in range(n_clusters)]
    skipped = [Skipped(named(rng), named(rng), f"{i % 30}{named(rng)}"[:400]) for i in range(200)]
    for text in (named(rng) for _ in range(20)):
        skipped += [Skipped(named(rng), named(rng), text) for _ in range(10)]
    found = made(groups, lambda: SMALL, skipped, reason=named(rng))
    page = html.result_page(found)
    assert unpackable(page) < 100_000
    data = data_of(page)
    assert all(rows_ := unpacked(data["clusters"]))
    assert [row[0] for row in rows_] == list(range(1, len(rows_) + 1))
    assert sum(row[5] + len(row[-1]) for row in rows_) == sum(
        len(group) - 1 for group in groups[: len(rows_)]
    )
    said = " ".join(" ".join(Parsed(page).said).split())
    (n_opened,) = re.findall(r"([\d,]+) pairs can be read by their longest passages", said)
    assert int(n_opened.replace(",", "")) == len(unpacked(data["pairs"])) <= 3000


def test_a_page_that_cannot_hold_everything_says_so(monkeypatch):
    monkeypatch.setattr(payload, "ROW_BYTES", 60_000)
    page = html.result_page(large(900))
    n_rows = len(unpacked(data_of(page)["clusters"]))
    assert 0 < n_rows < 900
    assert f"The page holds the {n_rows} largest clusters of 900" in page

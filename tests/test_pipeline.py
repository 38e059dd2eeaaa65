"""One search over two engines: what decides knows nothing of how documents are moved.

The second engine is the smallest there is: arrays in a loop, no threads and no files. It
gives the answers of the library bit for bit, so any other may be built like it. It knows no
old collection, and not the order of its input.
"""

import sys

import numpy as np
import pytest

from accuracy import PAGES
from collection import read_pages
from dedupe import find_duplicate_texts
from dedupe.documents import Document, read_texts
from dedupe.engine.intake import Intake
from dedupe.engine.spill import Texts
from dedupe.errors import Skipped
from dedupe.lsh import candidate_pairs
from dedupe.minhash import sketch
from dedupe.pipeline import find
from dedupe.scoring.block import Block
from dedupe.scoring.counting import count
from dedupe.settings import Settings
from dedupe.shingling import hash_tokens
from material import invented_material
from test_forms import notices
from traps import TRAPS, make_traps


class PlainEngine:
    """Holds documents in lists, and goes through pairs one block after the other."""

    def __init__(self, n_at_once):
        self.n_at_once = n_at_once

    def read(self, stream, settings):
        items = sorted(stream, key=lambda item: item.id)
        self.documents = [item for item in items if isinstance(item, Document)]
        skipped = [item for item in items if isinstance(item, Skipped)]
        sketches = sketch([document.text.encode() for document in self.documents], settings)
        intake = Intake(Texts(sys.maxsize))
        intake.skipped.extend(skipped)
        for _ in intake.batches(self.documents):
            pass
        return intake.numbered(sketches, keeps_order=False, window=settings.window)

    def candidates(self, corpus, settings):
        originals = corpus.originals()
        rows = corpus.rows[originals]
        signatures, sizes = corpus.signatures[rows], corpus.n_shingles[rows]
        options = {"contents": corpus.contents[originals], "bucket_cap": settings.bucket_cap}
        spans = corpus.spans and corpus.spans.take(originals)
        return originals[candidate_pairs(signatures, sizes, spans=spans, **options)]

    def hash(self, corpus, candidates, ngram):
        self.numbers = np.unique(candidates)
        texts = [self.documents[row].text for row in corpus.rows[self.numbers]]
        self.hashed = Block.of(hash_tokens(texts, detail=True), ngram)
        return self

    def progress(self, stage, done, total, unit):
        pass

    def block(self):
        return self.hashed

    def places(self, numbers):
        place_of = {number: place for place, number in enumerate(self.numbers.tolist())}
        return np.vectorize(lambda number: place_of.get(number, -1), otypes=[np.int64])(numbers)

    def in_order(self, pairs):
        return pairs

    def map(self, stage, rule, pairs):
        found = [rule(self.hashed, pairs[:0]), *self.each(rule, pairs)]
        return tuple(map(np.concatenate, zip(*found, strict=True)))

    def each(self, rule, pairs, stage=""):
        for start in range(0, len(pairs), self.n_at_once):
            yield rule(self.hashed, pairs[start : start + self.n_at_once])

    def over(self, rule, items):
        return (rule(self.hashed, item) for item in items)

    def among(self, rule, items):
        for documents, item in items:
            alone = self.hashed.words.of(documents)
            yield rule(alone, np.arange(documents.size), item)

    def once(self, make, n_pairs, of=""):
        return make()

    def count(self, boilerplate, stories):
        count(boilerplate, self.hashed.words, stories)

    def weigh(self, boilerplate, stories):
        before, self.hashed = self.hashed, self.hashed.weighed(boilerplate, stories)
        return self.hashed.weighs_otherwise(before)

    def few(self, rule, pairs):
        return rule(self.hashed, pairs)


def answers(texts, n_at_once=1000):
    """Return what the library says of texts, and what the second engine does."""
    return find_duplicate_texts(texts), find(read_texts(texts), Settings(), PlainEngine(n_at_once))


def check(texts, **options):
    check_same(*answers(texts, **options))


def check_same(local, plain):
    for name in ("clusters", "duplicates", "documents", "boilerplate", "skipped"):
        assert getattr(plain, name) == getattr(local, name), name
    for name in ("numbers", "scores", "jaccards", "containments", "is_identical"):
        assert (getattr(plain.scored, name) == getattr(local.scored, name)).all(), name
    for pair, its in zip(plain.scored[:50], local.scored[:50], strict=True):
        assert (pair, pair.evidence) == (its, its.evidence)


@pytest.fixture(scope="module")
def material():
    return invented_material()


@pytest.mark.parametrize("trap", [*TRAPS])
def test_both_engines_say_the_same_of_a_trap(trap, material):
    collections = [*make_traps(material, only=[trap])]
    # Many are one trap by degrees, of which the least and the greatest are enough.
    for collection in collections if len(collections) < 4 else (collections[0], collections[-1]):
        check(collection.texts)


@pytest.mark.parametrize(("n_at_once", "n"), [(1, 12), (7, 40), (1 << 20, 40)])
def test_both_engines_say_the_same_of_forms(n_at_once, n):
    copies = {f"{name} copy": f"Home News\n\n{text}" for name, text in notices(n).items()}
    check(notices(n) | copies, n_at_once=n_at_once)


@pytest.mark.skipif(not PAGES.exists(), reason="the development pages are not here")
def test_both_engines_say_the_same_of_the_development_pages():
    check(read_pages(PAGES).texts)


def test_both_engines_say_the_same_of_strangers():
    check({"a": "one two three", "b": "nothing of this is in any other text"})


def test_both_engines_say_the_same_where_documents_have_no_word():
    """Rows are places in the input, and numbers are not: the first document has no number."""
    story = "the council voted on monday to close the old bridge until next spring " * 3
    check({"0": "…", "a": story, "b": f"home news {story}", "c": "something else entirely"})


def test_both_engines_say_the_same_with_a_window():
    story = "the council voted on monday to close the old bridge until next spring " * 3
    days = ("2024-01-01", "2024-01-03", "2024-01-05", "2025-01-01", None)
    texts = [
        {"text": f"home news {story}" if i == 1 else story, "day": day}
        for i, day in enumerate(days)
    ]
    for some in (texts, texts[:4]):
        local = find_duplicate_texts(some, time_field="day", window="2d")
        settings = Settings(window="2d")
        check_same(local, find(read_texts(some, time_field="day"), settings, PlainEngine(1000)))
        assert len(local.clusters[0]) == (5 if len(some) == 5 else 3)


def test_both_engines_record_the_same_passages():
    taken = " ".join(f"taken{i}" for i in range(60))
    texts = {
        who: "\n".join([" ".join(f"{who}{i}" for i in range(n)), taken, f"{who} " * 40])
        for who, n in (("a", 90), ("b", 120))
    }
    local = find_duplicate_texts(texts, reuse=True)
    plain = find(read_texts(texts), Settings(), PlainEngine(1000), reuse=True)
    assert plain.to_json() == local.to_json()
    assert len(local.scored) == 1


@pytest.mark.parametrize("explain", ["a", "b", "d", "0"])
def test_both_engines_explain_a_document_alike(explain):
    """Also one without candidates, and one that was skipped."""
    story = "the council voted on monday to close the old bridge until next spring " * 3
    texts = {"0": "…", "a": story, "b": f"home news {story}", "d": "nothing that others have"}
    local = find_duplicate_texts(texts, explain=explain)
    plain = find(read_texts(texts), Settings(), PlainEngine(1000), explain)
    assert plain.to_json() == local.to_json()

"""Texts that are kept with a result, and read where they are kept."""

import pickle
from collections.abc import Mapping

import numpy as np
import pytest

from dedupe import find_duplicate_texts
from dedupe.documents import Document
from dedupe.engine.texts import KeptTexts
from strategies import article

STORIES = [article(name, 40) for name in "abc"]


@pytest.mark.parametrize("memory", [None, 1])
def test_kept_texts_are_a_mapping(memory):
    given_texts = {"b": STORIES[0], "a": f"menu {STORIES[0]}", "alone": STORIES[2]}
    kept = find_duplicate_texts(given_texts, memory=memory).texts
    expected = {name: given_texts[name] for name in ("a", "b")}
    assert isinstance(kept, Mapping)
    assert (len(kept), list(kept), dict(kept)) == (2, ["a", "b"], expected)
    assert kept == expected
    assert kept.at([1, 0]) == [expected["b"], expected["a"]]
    assert "alone" not in kept
    assert kept.get("alone") is None
    with pytest.raises(KeyError):
        kept["alone"]
    assert repr(kept) == "<2 kept texts>"
    assert pickle.loads(pickle.dumps(kept)) == {}


def test_to_ask_for_a_text_is_not_to_read_it():
    kept = KeptTexts(["a", "b"], np.array([1, 0]), None)
    assert "a" in kept
    assert "c" not in kept


@pytest.mark.parametrize("memory", [None, 1])
def test_each_document_has_the_digest_of_its_text_in_whatever_order_texts_were_read(memory):
    given_texts = {name: f"{name} {STORIES[0]}" for name in "cadb"}
    documents = find_duplicate_texts(given_texts, memory=memory).documents
    expected = {name: Document(name, text).digest for name, text in given_texts.items()}
    assert {one.id: one.digest for one in documents} == expected

"""Many documents that are added at once: in which parts, and what is said of them."""

import pytest

from dedupe import Index
from dedupe.errors import DuplicateId
from dedupe.index import bulk


def test_an_error_says_how_many_documents_were_stored_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 10)
    monkeypatch.setattr(bulk, "PART", 5)
    pairs = [(f"d{i:02d}", f"story number {i}") for i in range(60)]
    with Index(tmp_path / "i") as index:
        index.add("d59", "quite another text")
        with pytest.raises(DuplicateId, match=r"\(the 50 documents before are stored\)"):
            index.add_texts(pairs)
        assert len(index) == 51
    with Index() as index:
        with pytest.raises(DuplicateId, match=r"\(--on-conflict update\)$|rename one, or"):
            index.add_texts([*pairs[:3], ("d00", "quite another text")])
        assert not len(index)


@pytest.mark.parametrize("most", [2, 100])
@pytest.mark.parametrize("on_conflict", ["error", "update"])
def test_a_document_may_come_twice_in_a_batch(monkeypatch, most, on_conflict):
    monkeypatch.setattr(bulk, "MOST", most)
    monkeypatch.setattr(bulk, "PART", 1)
    one = {"id": "a", "text": "one story", "t": 60}
    with Index() as index:
        records = [one, {"id": "b", "text": "another", "t": 60}, one]
        added = index.add_texts(records, time_field="t", on_conflict=on_conflict)
        assert (added.n_added, added.n_unchanged) == (2, 1)
        for other in (one | {"text": "two"}, one | {"t": 61}, one | {"id": "c"}):
            again = [other, {**other, "text": "three"}]
            with pytest.raises(DuplicateId):
                index.add_texts(again, time_field="t", on_conflict=on_conflict)
    with Index() as index, pytest.raises(DuplicateId):
        index.add_texts([(1, "one story"), ("1", "one story")])


def test_documents_without_a_time_that_can_be_read_are_counted():
    texts = [("a", "2026-01-01"), ("b", "31.12.2025"), ("c", None)]
    records = [{"id": id_, "text": f"story {id_}", "t": time} for id_, time in texts]
    with Index() as index:
        assert index.add_texts(records, time_field="t").n_undated == 2
        assert index.add_texts(records, time_field="t").n_undated == 0
        assert index.stats().n_undated == 2

"""Many documents that are added at once: in which parts, and what is said of them."""

import pytest

from dedupe import Index
from dedupe.errors import DuplicateId
from dedupe.index import bulk


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

"""Runs the batch over what an index holds: to find all duplicates, and to learn from them."""

import numpy as np

from dedupe.engine.local import LocalEngine
from dedupe.index.epochs import Knowledge
from dedupe.index.store import State, Store
from dedupe.pipeline import find, teach
from dedupe.results.result import Result
from dedupe.settings import Resources, Settings

__all__ = ["duplicates", "knowledge"]


def duplicates(store: Store, settings: Settings, resources: Resources, *, reuse: bool) -> Result:
    """Return what `dedupe.find_duplicate_texts` says of all documents."""
    with LocalEngine(resources) as engine:
        return find(store.documents(), settings, engine, reuse=reuse)


def knowledge(store: Store, settings: Settings, resources: Resources) -> tuple[State, Knowledge]:
    """Return what all documents teach, and what was there to teach it."""
    state = store.state()
    if not state.n_documents:
        nothing = np.empty(0, np.int64)
        return state, Knowledge(b"", nothing, nothing)
    with LocalEngine(resources) as engine:
        corpus, blocks, learned = teach(store.documents(), settings, engine)
    original_of = dict(store.originals())
    ids = [corpus.ids[number] for number in blocks.numbers.tolist()]
    numbers = np.array([original_of[id_] for id_ in ids], np.int64)
    return state, Knowledge(learned.boilerplate.to_bytes(), numbers, learned.stories)

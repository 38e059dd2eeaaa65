"""Identical copies: those with the same tokens, whatever digests say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from dedupe.engine import copies
from dedupe.engine.spill import Texts
from dedupe.shingling import digests, hash_tokens

documents = st.lists(
    st.tuples(
        st.sampled_from(["menu one", "Menu ONE", "menu - one", "one menu", "京", "", "!"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(documents, st.booleans(), st.sampled_from([1, 20, 1 << 20]), st.sampled_from([0, 1 << 20]))
def test_first_copies_equal_reference(found, are_forged, batch, memory):
    """Texts can be made that differ and have one digest."""
    texts, is_old = [text for text, _ in found], [one for _, one in found]
    encoded = [text.encode() for text in texts]
    kept = Texts(memory)
    kept.extend([b"another", *encoded])
    of_tokens = np.frombuffer(b"".join(digests(hash_tokens(texts))), np.uint64).reshape(-1, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "SEALED_AT_ONCE", batch)
        first = copies.first_copies(
            np.zeros_like(of_tokens) if are_forged else of_tokens,
            np.arange(1, len(texts) + 1),
            kept,
            np.array(is_old, np.bool_),
            dates=np.full(len(texts), np.nan),
            window=None,
        )
    assert first.tolist() == reference.first_copies(texts, is_old)

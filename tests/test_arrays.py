"""Offsets, parts and pairs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedupe.arrays import keys_of, offsets_of, pairs_of, part


@given(st.lists(st.integers(0, 9), max_size=9))
def test_parts_are_one_after_the_other(lengths):
    offsets = offsets_of(np.array(lengths, np.int64))
    joined = [place for d in range(len(lengths)) for place in range(sum(lengths))[part(offsets, d)]]
    assert joined == [*range(sum(lengths))]
    assert part(offsets, slice(0, len(lengths))) == slice(0, sum(lengths))


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), max_size=9))
def test_keys_tell_pairs_apart_and_not_their_directions(pairs):
    keys = keys_of(pairs_of(pairs)).tolist()
    assert keys == keys_of(pairs_of([pair[::-1] for pair in pairs])).tolist()
    assert len({*keys}) == len({tuple(sorted(pair)) for pair in pairs})

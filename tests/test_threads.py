"""Work on several threads: its values come in the order of the items, whoever is done first."""

import threading
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.threads import map_in_order


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_values_come_in_the_order_of_the_items(items, workers):
    assert list(map_in_order(str, iter(items), workers)) == [*map(str, items)]


@pytest.mark.parametrize(("n", "is_here"), [(1, True), (2, False)])
def test_for_one_item_no_thread_is_started(n, is_here):
    found = [*map_in_order(lambda _: threading.get_ident(), range(n), 2)]
    assert [thread == threading.get_ident() for thread in found] == [is_here] * n


def test_items_are_let_go_of_when_they_are_done():
    given = []

    def items():
        for _ in range(12):
            given.append(weakref.ref(one := threading.Event()))
            yield one
            del one

    values = map_in_order(lambda one: one.is_set(), items(), 1)
    for _ in range(6):
        next(values)
    # The thread has the next one, if not that of the last value still.
    assert [one() for one in given[:5]] == [None] * 5
    assert [*values] == [False] * 6


@pytest.mark.parametrize("n", [1, 2])
def test_an_error_reaches_whoever_asks_for_the_value(n):
    with pytest.raises(ZeroDivisionError):
        list(map_in_order(lambda item: 1 // item, [0] * n, 2))

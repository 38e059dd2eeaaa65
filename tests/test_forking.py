"""Processes that fork while a thread of theirs is searching."""

import os
import signal
import threading

import pytest

from dedupe import find_duplicate_texts
from dedupe.lazy import cached_property

TEXTS = {str(i): " ".join(f"word{(i // 2 * 7 + j) % 5000}" for j in range(100)) for i in range(300)}
N_CHILDREN = 4
SECONDS = 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_busy_process_can_search():
    def search():
        found = find_duplicate_texts(TEXTS)
        return [cluster.members for cluster in found.clusters], len(found.pairs)

    expected = search()
    is_done = threading.Event()

    def keep_searching():
        while not is_done.is_set():
            search()

    busy = [threading.Thread(target=keep_searching) for _ in range(2)]
    for thread in busy:
        thread.start()
    try:
        for _ in range(N_CHILDREN):
            child = os.fork()
            if child == 0:
                signal.alarm(SECONDS)  # A child that waits for ever is ended.
                os._exit(search() != expected)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        is_done.set()
        for thread in busy:
            thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_no_lock_is_held_while_a_property_is_computed():
    begun, may_end = threading.Event(), threading.Event()

    class Slow:
        @cached_property
        def value(self):
            """Wait in the first instance, and count how often it is computed."""
            self.n = getattr(self, "n", 0) + 1
            if self is first:
                begun.set()
                may_end.wait()
            return 7

    first, second = Slow(), Slow()
    thread = threading.Thread(target=lambda: first.value)
    thread.start()
    begun.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        os._exit(second.value != 7)
    may_end.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (first.value, first.value, first.n) == (7, 7, 1)

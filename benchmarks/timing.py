"""One timed function: its row in the table, its amount of work, and the noise around it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["measure", "stage", "with_threads"]


def stage(name: str) -> pytest.MarkDecorator:
    """Put a benchmark into a group of the table."""
    return pytest.mark.benchmark(group=name)


def with_threads(workers: int) -> str:
    """Say how many threads worked.

    >>> with_threads(1), with_threads(2)
    ('one thread', '2 threads')
    """
    return "one thread" if workers == 1 else f"{workers} threads"


def measure(
    benchmark: BenchmarkFixture,
    label: str,
    function: Callable[..., Any],
    *arguments: Any,
    rounds: int = 15,
    warmup_rounds: int = 1,
    reference: str = "",
    **amount: int,
) -> Any:
    """Time a function, and write down beside its times what the summary needs.

    Parameters
    ----------
    benchmark : BenchmarkFixture
    label : str
        The name of the row.
    function, arguments
        What to time. Many short rounds give a better median than few long ones where
        others share the machine.
    rounds, warmup_rounds : int
    reference : str
        The name under which the other rows of the group are compared with this one.
    amount
        ``n_bytes``, ``n_shingles``, ``n_pairs`` or ``n_documents`` that one call works
        through.
    """
    benchmark.extra_info.update(label=label, reference=reference, **amount)
    start, busy = time.perf_counter(), busy_elsewhere()
    value = benchmark.pedantic(  # type: ignore[no-untyped-call]
        function, arguments, rounds=rounds, warmup_rounds=warmup_rounds, iterations=1
    )
    busy = busy_elsewhere() - busy
    benchmark.extra_info["others"] = max(0.0, busy / (time.perf_counter() - start))
    return value


def busy_elsewhere() -> float:
    """Return the seconds of processor time that other programs have used, where Linux tells."""
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, statistics.read_text().split()[1:9])
    ticks = user + nice + system + sum(interrupts)
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])

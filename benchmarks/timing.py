"""Timed functions: their rows in the table, their amounts of work, and the noise around them."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

__all__ = ["Turn", "cpu_time", "measure", "measure_in_turn", "stage", "with_threads"]


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
    spent: list[float] = []

    def with_cpu(*given: Any) -> Any:
        began = cpu_time()
        value = function(*given)
        spent.append(cpu_time() - began)
        return value

    benchmark.extra_info.update(label=label, reference=reference, **amount)
    start, busy = time.perf_counter(), busy_elsewhere()
    value = benchmark.pedantic(  # type: ignore[no-untyped-call]
        with_cpu, arguments, rounds=rounds, warmup_rounds=warmup_rounds, iterations=1
    )
    busy = busy_elsewhere() - busy
    benchmark.extra_info["others"] = max(0.0, busy / (time.perf_counter() - start))
    benchmark.extra_info["cpu"] = median(spent[-rounds:])
    return value


@dataclass(frozen=True, slots=True)
class Turn:
    """One of several functions that are timed in turn.

    Attributes
    ----------
    label, reference : str
        As of `measure`.
    function : callable
    amount : dict from str to int
        How much work one call gets through, by its unit, as of `measure`.
    judge : callable, optional
        Returns facts to write down about what the function returned, such as a ``note``.
    """

    label: str
    function: Callable[[], Any]
    amount: Mapping[str, int]
    reference: str = ""
    judge: Callable[[Any], Mapping[str, Any]] = field(default=lambda _: {})


def measure_in_turn(
    benchmark: BenchmarkFixture, turns: Sequence[Turn], *, rounds: int, warmup_rounds: int = 1
) -> None:
    """Time some functions one after the other, round by round, and write down a row for each.

    What disturbs the machine for a while then disturbs all of them alike, so that the
    ratios of their medians hold where the medians do not.
    """
    times: dict[str, list[tuple[float, float]]] = {turn.label: [] for turn in turns}
    values: dict[str, Any] = {}

    def one_round() -> None:
        for turn in turns:
            start, cpu = time.perf_counter(), cpu_time()
            values[turn.label] = turn.function()
            times[turn.label].append((time.perf_counter() - start, cpu_time() - cpu))

    label = "one round of all"
    measure(benchmark, label, one_round, rounds=rounds, warmup_rounds=warmup_rounds)
    benchmark.extra_info["turns"] = [
        {
            "label": turn.label,
            "reference": turn.reference,
            "seconds": [seconds for seconds, _ in times[turn.label][-rounds:]],
            "cpu": median(cpu for _, cpu in times[turn.label][-rounds:]),
        }
        | turn.amount
        | turn.judge(values[turn.label])
        for turn in turns
    ]


def cpu_time() -> float:
    """Return the seconds of processor time of this process and of those it has waited for."""
    return time.process_time() + sum(os.times()[2:4])


def busy_elsewhere() -> float:
    """Return the seconds of processor time that other programs have used, where Linux tells."""
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, statistics.read_text().split()[1:9])
    ticks = user + nice + system + sum(interrupts)
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])

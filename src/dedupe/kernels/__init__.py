"""The loops that must be fast: numba functions, arrays in and arrays out.

A kernel does not allocate, validate or see a string; the module that calls it
does. Those that decide have an obvious twin in ``tests/reference.py`` that it is
compared with. Compiled code is cached on disk beside the source, or in the
user's cache directory where that is read-only.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["are_compiled", "compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel when it is first called, without the interpreter's lock.

    Where nothing can be written, neither beside the source nor in a home directory,
    it is compiled anew by every process.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return njit(nogil=True)(function)


def are_compiled() -> bool:
    """Whether the kernels are in the cache on disk, so that the first call is quick."""
    from dedupe.kernels import alignment  # noqa: PLC0415  It needs `compiled` from here.

    stats = getattr(alignment.align_pairs_into, "stats", None)
    # Without compilation (NUMBA_DISABLE_JIT) a kernel is a plain function.
    if stats is None or not stats.cache_path:
        return stats is None
    cached = Path(stats.cache_path).glob("alignment.align_pairs_into-*.nbi")
    # After an upgrade what is there is older than the source, and of no use.
    source = Path(alignment.__file__).stat().st_mtime
    return any(index.stat().st_mtime >= source for index in cached)

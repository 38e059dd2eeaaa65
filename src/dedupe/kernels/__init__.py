"""Compiles the loops that must be fast: numba functions, arrays in and arrays out.

A kernel does not allocate, validate or see a string; the module that calls it
does. Those that decide have an obvious twin in ``tests/reference.py`` that it is
compared with. Compiled code is cached on disk beside the source, or in the
user's cache directory where that is read-only.
"""

from collections.abc import Callable
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

    kernel: Any = alignment.align_pairs_into
    # Without compilation (NUMBA_DISABLE_JIT) a kernel is a plain function.
    if not hasattr(kernel, "stats"):
        return True
    if not kernel.stats.cache_path:
        return False
    # Only numba knows whether what is there is of this source, and it has no public word for it.
    index: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    return not hasattr(index, "_load_index") or bool(index._load_index())

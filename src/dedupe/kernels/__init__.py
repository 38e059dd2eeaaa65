"""Compiles the loops that must be fast: numba functions, arrays in and arrays out.

A kernel does not allocate, validate or see a string; the module that calls it
does. Those that decide have an obvious twin in ``tests/reference.py`` that it is
compared with. Compiled code is cached on disk beside the source, or in the
user's cache directory where that is read-only.
"""

import logging
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache

__all__ = ["are_compiled", "are_kept", "compiled"]


LOG = logging.getLogger("dedupe")


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel when it is first called, without the interpreter's lock.

    Where nothing can be written, neither beside the source nor in a home directory,
    it is compiled anew by every process.
    """
    kernel: Any = njit(nogil=True)(function)
    # Without compilation (NUMBA_DISABLE_JIT) a kernel is a plain function.
    if hasattr(kernel, "enable_caching"):
        try:
            kernel._cache = _Cache(function)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
    return kernel


class _Cache(FunctionCache):
    """numba's cache on disk; where it cannot be read or written, the work goes on without it."""

    has_failed = False
    """Whether a kernel of this process could not be kept; then no other is tried."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled earlier, or None if there is nothing sound."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except OSError:
            return None
        except _DAMAGE:
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, or say once that it could not be kept.

        It is the machine that has to change and not the program that calls us, so it is
        logged; `warnings.warn` is for the latter.
        """
        if _Cache.has_failed:
            return
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except (OSError, *_DAMAGE) as error:
            _Cache.has_failed = True
            LOG.warning(
                "compiled kernels cannot be kept in %s (%s), so each start takes some ten seconds "
                "longer: make room, or set NUMBA_CACHE_DIR to another folder",
                self.cache_path,
                getattr(error, "strerror", None) or error,
            )


_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)
"""What loading a damaged pickle may raise, as its documentation lists."""


def are_compiled() -> bool:
    """Whether the kernels are in the cache on disk, so that the first call is quick."""
    kernel = _some_kernel()
    if not hasattr(kernel, "stats"):
        return True
    if not kernel.stats.cache_path:
        return False
    # Only numba knows whether what is there is of this source, and it has no public word for it.
    index: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if not hasattr(index, "_load_index"):
        return True
    try:
        return bool(index._load_index())
    except (OSError, *_DAMAGE):
        return False


def are_kept() -> bool:
    """Whether there is a folder that compiled kernels can be kept in."""
    kernel = _some_kernel()
    return not hasattr(kernel, "stats") or bool(kernel.stats.cache_path)


def _some_kernel() -> Any:
    """Return a kernel that every search needs."""
    from dedupe.kernels import measures  # noqa: PLC0415  It needs `compiled` from here.

    return measures.measure_pairs_into

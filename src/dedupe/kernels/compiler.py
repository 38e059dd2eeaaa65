"""Lets numba compile kernels, and keeps what it made on disk.

numba takes a while to load, so this module is imported only where there is no machine
code yet (`dedupe.kernels.machine`). What makes that code is `dedupe.kernels.parts`.
"""

import logging
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba

try:
    from numba.core.caching import FunctionCache
    from numba.core.compiler_lock import global_compiler_lock
except ImportError as error:
    # These are numba's own names, and nothing is compiled without them.
    raise ImportError(
        f"numba {numba.__version__} cannot compile what dedupe needs ({error}): "
        "install an older numba, or a newer dedupe-articles"
    ) from error

__all__ = ["LOCK", "dispatcher", "folder", "is_cached", "tell_lost", "tell_unknown"]

LOG = logging.getLogger("dedupe")

LOCK: Any = global_compiler_lock
"""Guards all that LLVM makes; who has it may take it again."""


def dispatcher(function: Callable[..., Any]) -> Any:
    """Return what compiles a kernel when it is first called, with a cache on disk."""
    kernel: Any = numba.njit(nogil=True)(function)
    # Without compilation (NUMBA_DISABLE_JIT) a kernel is a plain function.
    if hasattr(kernel, "enable_caching"):
        try:
            kernel._cache = Cache(function)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
    return kernel


def is_cached(kernel: Any) -> bool:
    """Return whether a kernel has been compiled before, so that its first call is quick."""
    if not folder(kernel):
        return not hasattr(kernel, "stats")
    # Only numba knows whether what is there is of this source, and it has no public word for it.
    index: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if not hasattr(index, "_load_index"):
        return True
    try:
        return bool(index._load_index())
    except (OSError, *DAMAGE):
        return False


def folder(kernel: Any) -> str | None:
    """Return where a kernel is kept, if there is such a folder."""
    return kernel.stats.cache_path if hasattr(kernel, "stats") else None


class Cache(FunctionCache):
    """numba's cache on disk; where it cannot be read or written, the work goes on without it."""

    has_failed = False
    """Whether a kernel of this process could not be kept; then no other is tried."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was compiled earlier, or None if there is nothing sound."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except OSError:
            return None
        except DAMAGE:
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, or say once that it could not be kept."""
        if Cache.has_failed:
            return
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except (OSError, *DAMAGE) as error:
            tell_lost(self.cache_path, error)


def tell_lost(path: str | None, why: Exception) -> None:
    """Say once that what was compiled could not be kept in a folder; no word if there is none.

    It is the machine that has to change and not the program that calls us, so it is
    logged; `warnings.warn` is for the latter.
    """
    if path and not Cache.has_failed:
        Cache.has_failed = True
        LOG.warning(
            "compiled kernels cannot be kept in %s (%s), so each start takes some fifteen seconds "
            "longer: make room, or set NUMBA_CACHE_DIR to another folder",
            path,
            getattr(why, "strerror", None) or why,
        )


def tell_unknown(why: Exception) -> None:
    """Say that this numba cannot compile a kernel and its callees together."""
    LOG.warning(
        "numba %s compiles kernels otherwise than dedupe knows (%s: %s): answers are the same, but "
        "compiling takes longer, and each start loads numba",
        numba.__version__,
        type(why).__name__,
        why,
    )


DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    AttributeError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)
"""What loading a damaged pickle may raise, as its documentation lists."""

"""Lets numba compile kernels, and keeps what it made on disk.

numba takes a while to load, so this module is imported only where there is no machine
code yet (`dedupe.kernels.machine`).

numba would optimise each function that a kernel calls for itself, make machine code of it, and
two ways into it from Python, and then do most of it again for whoever calls it: three quarters
of the time. So it is asked for a kernel and all that it calls as they are (`Part`), and they
are optimised together, once. Whatever that cannot be done with, `dispatcher` can.
"""

import logging
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.types import unliteral

from dedupe.kernels import machine

__all__ = ["LOCK", "Part", "dispatcher", "folder", "is_cached", "machine_code", "tell_lost"]

LOG = logging.getLogger("dedupe")

LOCK: Any = global_compiler_lock
"""Guards all that LLVM makes; who has it may take it again."""


def dispatcher(function: Callable[..., Any]) -> Any:
    """Return what compiles a kernel when it is first called, with a cache on disk."""
    kernel: Any = njit(nogil=True)(function)
    # Without compilation (NUMBA_DISABLE_JIT) a kernel is a plain function.
    if hasattr(kernel, "enable_caching"):
        try:
            kernel._cache = Cache(function)  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
    return kernel


def machine_code(
    part: "Part", kinds: tuple[machine.Kind, ...], arguments: tuple[Any, ...]
) -> bytes | None:
    """Return the machine code of a kernel for such arguments; None if it is left to numba.

    Whoever calls it holds the LOCK.
    """
    types = tuple(map(part.typeof_pyval, arguments))
    # These are numba's own names, which a later version may lack.
    with suppress(AttributeError):
        part.compile(types)
        made: Any = part.overloads[types]
        symbol, returns = made.fndesc.llvm_func_name, str(made.fndesc.restype)
        return machine.make(made.library.copied(), symbol, kinds, returns, optimise)
    return None


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


class Part(CPUDispatcher):
    """A kernel as those see it that call it: in LLVM's language, and not optimised with them yet.

    Parameters
    ----------
    is_apart : bool
        Whether it stays a function of its own there.
    """

    def __init__(self, function: Callable[..., Any], *, is_apart: bool) -> None:
        options = {"nopython": True, "nogil": True}
        options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        pipeline = Apart if is_apart else Pipeline
        super().__init__(function, targetoptions=options, pipeline_class=pipeline)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Compile it once for a number, and not for each one that is written out in a call."""
        return super().get_call_template([*map(unliteral, args)], kws)


class Library(JITCodeLibrary):
    """A function and all that it calls, in LLVM's language."""

    def copied(self) -> Any:
        """Return it as a module of LLVM's that is the caller's own."""
        return self._final_module.clone()

    @property
    def codegen(self) -> "Library":
        """What is told of the addresses of Python's objects: nobody, since nothing is run."""
        return self

    def set_env(self, *_: Any) -> None:
        """Take no address."""

    def _optimize_final_module(self) -> None:
        """Leave it to `optimise`."""

    def _finalize_final_module(self) -> None:
        """Make no machine code."""
        self._finalized = True


class LibraryApart(Library):
    """The same of a function that is not inlined where it is called."""

    def add_ir_module(self, ir_module: Any) -> None:
        """Take the function that numba has written, and mark it."""
        # Up to llvmlite 0.47 a function of LLVM's does not take the mark; its text always does.
        for function in ir_module.functions:
            if not function.is_declaration:
                function.attributes.add("noinline")
        super().add_ir_module(ir_module)  # type: ignore[no-untyped-call]


class Pipeline(Compiler):
    """numba's compiler, which goes as far as LLVM's language."""

    library = Library

    def __init__(self, typing: Any, target: Any, library: Any, *arguments: Any) -> None:
        library = library or self.library(target.codegen(), "dedupe")  # type: ignore[no-untyped-call]
        super().__init__(typing, target, library, *arguments)  # type: ignore[no-untyped-call]


class Apart(Pipeline):
    """The same for a function that is not inlined."""

    library = LibraryApart


def optimise(module: Any) -> None:
    """Optimise a module of LLVM's as numba does, with all that it calls in it."""
    codegen = cpu_target.target_context.codegen()
    library = Library(codegen, module.name)  # type: ignore[no-untyped-call]
    library._final_module = module
    JITCodeLibrary._optimize_final_module(library)  # type: ignore[no-untyped-call]


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

"""Compiles a kernel together with all that it calls, optimised once.

Left to itself, numba optimises each function that a kernel calls, makes machine code of it and
two ways into it from Python, and then does most of that again for whoever calls it: three
quarters of the time. So it is asked for a kernel and its callees as they are (`Part`), and
they are optimised together.

The names that this takes are numba's own, and another version may lack them or give them
another meaning. `dedupe.kernels` then has numba compile by itself: the answers are the same,
and only the time to compile and to start is lost.
"""

from collections.abc import Callable
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.types import unliteral

from dedupe.kernels import machine

__all__ = ["Part", "machine_code"]


def machine_code(
    part: "Part", kinds: tuple[machine.Kind, ...], arguments: tuple[Any, ...]
) -> bytes | None:
    """Return the machine code of a kernel for such arguments; None if it is left to numba.

    Whoever calls it holds the LOCK of `dedupe.kernels.compiler`.
    """
    types = tuple(map(part.typeof_pyval, arguments))
    part.compile(types)
    made: Any = part.overloads[types]
    symbol, returns = made.fndesc.llvm_func_name, str(made.fndesc.restype)
    return machine.make(made.library.copied(), symbol, kinds, returns, optimise)


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

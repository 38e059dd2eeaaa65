"""Compiles the loops that must be fast: numba functions, arrays in and arrays out.

A kernel does not allocate, validate or see a string; the module that calls it
does. Those that decide have an obvious twin in ``tests/reference.py`` that it is
compared with. Compiled code is cached on disk beside the source, or in the
user's cache directory where that is read-only.

An index that is a signed integer may be negative and count from the end, as in Python, and
numba tests each for that, unless LLVM can prove that it is not. Where a loop is hot, its
index is unsigned (``for i in range(U(start), U(end))``, ``a[U(i)]``, with U for np.uint64),
which spares a fifth of the time that pairs take to be measured. Add ``U(1)`` to it, not 1,
and mask it with ``U(mask)``: mixed with a signed integer, it becomes signed again.
"""

import functools
from collections.abc import Callable
from typing import Any

from dedupe.kernels import machine

__all__ = ["apart", "are_compiled", "are_kept", "compiled"]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a kernel when it is first called, without the interpreter's lock.

    Where nothing can be written, neither beside the source nor in a home directory,
    it is compiled anew by every process.
    """
    return Kernel(function) if machine.is_possible() else _by_numba(function)


def apart(function: Callable[..., Any]) -> Any:
    """Compile a kernel that stays a function of its own in those that call it.

    LLVM inlines whatever is called from one place, and a hot loop may be the slower for what is
    done with it there. Measure it.
    """
    return Kernel(function, is_apart=True) if machine.is_possible() else _by_numba(function)


def _by_numba(function: Callable[..., Any]) -> Any:
    """Return what numba makes of a function."""
    from dedupe.kernels.compiler import dispatcher  # noqa: PLC0415  numba loads slowly.

    return dispatcher(function)


MOST_READY = 8
"""Kinds of arguments that are tried one after the other, which takes 2 us each, before it is
looked what they are, which takes 5: hardly a kernel has more than two."""


class Kernel:
    """A function in machine code: what was kept of it, and numba for all else.

    Other kernels that call it see what numba makes of it; `is_apart` is for `apart`.
    """

    has_parts = True
    """Whether `dedupe.kernels.parts` works with this numba, as it does until a kernel fails."""

    def __init__(self, function: Callable[..., Any], *, is_apart: bool = False) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.is_apart = is_apart
        self._by_numba: Any = None
        self._part: Any = None
        self._ready: tuple[machine.Code, ...] = ()
        self._codes: dict[tuple[machine.Kind | None, ...], Callable[..., Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Run it. Threads that come at once to new arguments may all load the same code."""
        for ready in self._ready:
            result = ready(*arguments)
            if result is not NotImplemented:
                return result
        kinds = tuple(map(machine.kind, arguments))
        code = self._codes.get(kinds)
        if code is None:
            code = self._codes[kinds] = self._code(kinds)
        result = code(*arguments)
        # It raised, and numba will say what.
        return self.by_numba(*arguments) if result is NotImplemented else result

    @property
    def by_numba(self) -> Any:
        """What numba makes of the function: slow to get, and of any arguments."""
        if self._by_numba is None:
            made = _by_numba(self.function)
            # Threads that come at once take the same, or each would compile for itself. A
            # lock could be inherited by a child process while it is held.
            self._by_numba = vars(self).setdefault("_first", made)
        return self._by_numba

    @property
    def part(self) -> Any:
        """What goes into the machine code of this kernel, and of those that call it."""
        if self._part is None:
            from dedupe.kernels.parts import Part  # noqa: PLC0415  numba loads slowly.

            made = Part(self.function, is_apart=self.is_apart)
            self._part = vars(self).setdefault("_first_part", made)
        return self._part

    @property
    def _numba_type_(self) -> Any:
        """Tell numba what a kernel is that others call."""
        return (self.part if Kernel.has_parts else self.by_numba)._numba_type_

    def _code(self, kinds: tuple[machine.Kind | None, ...]) -> Callable[..., Any]:
        """Return what to call for arguments of some kinds."""
        known = tuple(one for one in kinds if one is not None)
        if len(known) < len(kinds):
            by_numba: Callable[..., Any] = self.by_numba
            return by_numba
        code = machine.load(self.function, known)
        return functools.partial(self._compile, known) if code is None else self._ready_with(code)

    def _ready_with(self, code: machine.Code) -> Callable[..., Any]:
        """Take machine code, and return what to call from now on."""
        if len(self._ready) < MOST_READY:
            self._ready += (code,)
        return code.again

    def _compile(self, kinds: tuple[machine.Kind, ...], *arguments: Any) -> Any:
        """Compile it for such arguments, and run it."""
        from dedupe.kernels import compiler  # noqa: PLC0415  numba loads slowly.

        # Of threads that come at once, the first compiles.
        with compiler.LOCK:
            if isinstance(self._codes[kinds], functools.partial):
                self._codes[kinds] = self._made(kinds, arguments)
        return self._codes[kinds](*arguments)

    def _made(self, kinds: tuple[machine.Kind, ...], arguments: Any) -> Callable[..., Any]:
        """Compile it for such arguments, and keep that for the next process."""
        from dedupe.kernels import compiler  # noqa: PLC0415  numba loads slowly.

        data = self._machine_code(kinds, arguments)
        if data is None:
            by_numba: Callable[..., Any] = self.by_numba
            return by_numba
        if failed := machine.keep(self.function, kinds, data):
            compiler.tell_lost(compiler.folder(self.by_numba), failed)
        return self._ready_with(machine.Code(data, kinds))

    def _machine_code(self, kinds: tuple[machine.Kind, ...], arguments: Any) -> bytes | None:
        """Return machine code for such arguments; None where numba compiles by itself."""
        if not Kernel.has_parts:
            return None
        from dedupe.kernels import compiler  # noqa: PLC0415  numba loads slowly.

        # Of a numba that nobody has tried, anything may be expected.
        try:
            from dedupe.kernels import parts  # noqa: PLC0415

            return parts.machine_code(self.part, kinds, arguments)
        except Exception as error:
            Kernel.has_parts = False
            compiler.tell_unknown(error)
            return None


def are_compiled(*, of_index: bool = False) -> bool:
    """Whether the kernels of a search (or an index) are kept, so that the first call is quick."""
    kernel = _some_kernel(of_index=of_index)
    if isinstance(kernel, Kernel) and machine.has_any(kernel.function):
        return True
    from dedupe.kernels import compiler  # noqa: PLC0415  numba loads slowly.

    return compiler.is_cached(getattr(kernel, "by_numba", kernel))


def are_kept() -> bool:
    """Whether there is a folder that compiled kernels can be kept in."""
    kernel = _some_kernel()
    kernel = getattr(kernel, "by_numba", kernel)
    return not hasattr(kernel, "stats") or bool(kernel.stats.cache_path)


def _some_kernel(*, of_index: bool = False) -> Any:
    """Return a kernel that every search needs, or every index."""
    from dedupe.kernels import pairs, postings  # noqa: PLC0415  They need what is here.

    return postings.find_into if of_index else pairs.measure_pairs_into

"""Keeps the machine code of kernels, and calls it without numba.

Importing numba and what it imports at its first call takes a second, longer than a
search of a hundred articles. What numba compiled is therefore kept a second time, as an
object file that llvmlite alone can load: only the kernel, what it calls inlined or
beside it, and nothing that would be looked for in numba or in Python.

A file is used only where numba would compile the same: for the same sources, versions
of numba and llvmlite, and processor. Whatever is missing, damaged, of another kind or
not understood is left to numba, which is never wrong, only slower. Who may write such
files is told in `dedupe.cache`.
"""

import ctypes
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np

from dedupe import cache
from dedupe.kernels import entry

__all__ = ["Code", "Kind", "has_any", "is_possible", "keep", "kind", "load", "make"]

Kind = tuple[Any, int, int]
"""What machine code depends on in an argument: the type, the number of dimensions, and
the `LAYOUT` of an array."""

C_ORDER, F_ORDER, ALIGNED, WRITEABLE = 0x1, 0x2, 0x100, 0x400
LAYOUT = C_ORDER | ALIGNED | WRITEABLE
"""Bits of `numpy.ndarray.flags.num` that numba compiles for, as NumPy's C API numbers them."""

HARMLESS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
"""Settings of numba that change no machine code; any other is left to numba."""

LIBRARY = frozenset({"memcpy", "memmove", "memset", "sqrt"})
"""Functions of the C library that a kernel may call."""

NO_OWNER = """
define void @NRT_MemInfo_call_dtor(ptr %0) {
  call void @llvm.trap()
  ret void
}
declare void @llvm.trap()
"""
"""What would free an array of numba's. Ours are all lent by Python, so it is never called."""

SCALARS = {
    int: ("i8", ctypes.c_int64),
    float: ("f8", ctypes.c_double),
    NoneType: ("none", ctypes.c_void_p),
    np.int64: ("i8", ctypes.c_int64),
    np.uint64: ("u8", ctypes.c_uint64),
    np.float64: ("f8", ctypes.c_double),
}
C_TYPES = dict(SCALARS.values())
LLVM_TYPES = {
    ctypes.c_int64: "i64",
    ctypes.c_uint64: "i64",
    ctypes.c_double: "double",
    ctypes.c_void_p: "ptr",
}
RETURNS = ("int64", "none")

DAMAGE = (OSError, RuntimeError, ValueError, LookupError, TypeError)
"""What a damaged file, or one of another time, may raise."""


@lru_cache(maxsize=1)
def is_possible() -> bool:
    """Whether this process may use machine code that was kept: nobody has tuned numba.

    Where arrays are laid out otherwise than `dedupe.kernels.entry` reads them, it may not.
    """
    tuned = {name for name in os.environ if name.startswith("NUMBA_")} - {*HARMLESS}
    return entry.is_possible() and not (tuned or Path(".numba_config.yaml").exists())


def kind(argument: Any) -> Kind | None:
    """Return what machine code depends on in an argument; None if it is left to numba."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags.num
        if flags & (C_ORDER | F_ORDER) == F_ORDER:
            return None
        return argument.dtype, argument.ndim, flags & LAYOUT
    kept = SCALARS.get(type(argument))
    # numba has another type for integers that do not fit.
    if kept is None or (type(argument) is int and not fits(argument)):
        return None
    return kept[0], -1, 0


def fits(number: int) -> bool:
    """Return whether a number has 64 bits with its sign."""
    return -(1 << 63) <= number < 1 << 63


def load(function: Callable[..., Any], kinds: tuple[Kind, ...]) -> "Code | None":
    """Return the machine code of a kernel for these arguments; None if there is none sound.

    What is returned is called with the kernel's arguments, runs without the interpreter's lock,
    and returns NotImplemented where they are of another kind, or where the kernel raised.
    """
    with suppress(*DAMAGE):
        data = cache.load(_source(function), _name(function, kinds), _made_for(function))
        if data is not None:
            return Code(data, kinds)
    return None


def has_any(function: Callable[..., Any]) -> bool:
    """Return whether there is machine code of a kernel, for arguments of any kind."""
    with suppress(*DAMAGE):
        return cache.has_any(_source(function), _stem(function), _made_for(function))
    return False


def make(
    module: Any,
    symbol: str,
    kinds: tuple[Kind, ...],
    returns: str,
    optimise: Callable[[Any], None],
) -> bytes | None:
    """Return the machine code of a kernel; None if it needs more than itself.

    Parameters
    ----------
    module
        The kernel and all that it calls, in LLVM's language as numba wrote it; overwritten.
    symbol, returns : str
        The kernel's name there, and numba's for the type that it returns.
    optimise : callable
    """
    with suppress(*DAMAGE):
        needs, code = _object(module, symbol, kinds, optimise)
        if returns in RETURNS and LIBRARY.issuperset(needs):
            return json.dumps({"returns": returns, "needs": needs}).encode() + b"\n" + code
    return None


def keep(function: Callable[..., Any], kinds: tuple[Kind, ...], data: bytes) -> OSError | None:
    """Keep the machine code of a kernel for the next process, as `make` returns it.

    Return why it could not be written, if so.
    """
    with suppress(LookupError):
        return cache.keep(_source(function), _name(function, kinds), _made_for(function), data)
    return None


class Code:
    """Machine code in memory, as `make` returns it, to be called with arguments of one kind."""

    def __init__(self, data: bytes, kinds: tuple[Kind, ...]) -> None:
        told, _, code = data.partition(b"\n")
        head, llvm = json.loads(told), _llvm()
        if not all(llvm.address_of_symbol(name) for name in head["needs"]):
            raise LookupError(f"there must be {head['needs']} in the C library")
        self._returns_number = head["returns"] == "int64"
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(""))
        self.engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()
        address = self.engine.get_function_address(entry.ENTRY)
        if not address:
            raise LookupError(f"there must be a symbol {entry.ENTRY}")
        given: list[Any] = [ctypes.py_object if n >= 0 else C_TYPES[name] for name, n, _ in kinds]
        self._function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, *given)(address)
        self._expected = entry.expected_of(kinds)
        self._kinds = kinds
        self._scalars = [(place, name) for place, (name, n, _) in enumerate(kinds) if n < 0]

    def __call__(self, *arguments: Any) -> Any:
        """Call it with arguments of this kind; NotImplemented for others, or where it raised."""
        if len(arguments) != len(self._kinds):
            return NotImplemented
        given: Sequence[Any] = arguments
        for place, name in self._scalars:
            one = arguments[place]
            kept = SCALARS.get(type(one))
            if kept is None or kept[0] != name or (type(one) is int and not fits(one)):
                return NotImplemented
            if isinstance(one, np.generic):
                given = [*given]
                given[place] = one.item()
        result = self._function(self._expected, *given)
        if result == entry.REFUSED:
            return NotImplemented
        return result if self._returns_number else None

    def again(self, *arguments: Any) -> Any:
        """Call it with arguments whose kind was looked at, in arrays of any Python class."""
        plain = (
            one.view(np.ndarray).view(kind[0]) if isinstance(one, np.ndarray) else one
            for one, kind in zip(arguments, self._kinds, strict=True)
        )
        return self(*plain)


def _parameters(kinds: tuple[Kind, ...]) -> Iterator[Any]:
    """Yield the C types of a kernel's parameters, as numba lays them out."""
    yield from (ctypes.c_void_p, ctypes.c_void_p)
    for name, n_dimensions, *_ in kinds:
        if n_dimensions < 0:
            yield C_TYPES[name]
        else:
            # Who owns it, twice; items, bytes of an item, address, shape and strides.
            yield from (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
            yield from (ctypes.c_void_p, *[ctypes.c_int64] * 2 * n_dimensions)


def _object(
    module: Any, symbol: str, kinds: tuple[Kind, ...], optimise: Callable[[Any], None]
) -> tuple[list[str], bytes]:
    """Return the functions that a kernel calls in the C library, and its object file."""
    llvm = _llvm()
    if "NRT_MemInfo_call_dtor" in {function.name for function in module.functions}:
        module.link_in(llvm.parse_assembly(NO_OWNER))
    told = [str(argument.type) for argument in module.get_function(symbol).arguments]
    if told != [LLVM_TYPES[one] for one in _parameters(kinds)]:
        raise TypeError(f"parameters must be as numba laid them out, got {told}")
    types = {name: LLVM_TYPES[one] for name, one in C_TYPES.items()}
    module.link_in(llvm.parse_assembly(entry.code_of(symbol, kinds, LAYOUT, types)))
    # What is called from here alone is inlined, and what is not called goes.
    for one in (*module.functions, *module.global_variables):
        if not one.is_declaration:
            one.linkage = "external" if one.name == entry.ENTRY else "internal"
    machine = _machine(llvm.get_host_cpu_features().flatten())
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    options = llvm.create_pipeline_tuning_options(speed_level=0)
    passes.run(module, llvm.create_pass_builder(machine, options))
    optimise(module)
    outside = [
        one.name for one in (*module.functions, *module.global_variables) if one.is_declaration
    ]
    needs = sorted(name for name in outside if not name.startswith("llvm."))
    return needs, machine.emit_object(module)


@lru_cache(maxsize=1)
def _llvm() -> Any:
    """Return LLVM, ready to make and to load code for this processor."""
    from llvmlite import binding  # noqa: PLC0415  It takes a while to load.

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


def _machine(features: str) -> Any:
    """Return the processor that code is made for, as numba describes it to LLVM."""
    llvm = _llvm()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=features,
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _source(function: Callable[..., Any]) -> Path:
    """Return the file that a kernel stands in."""
    return Path(function.__code__.co_filename)


def _stem(function: Callable[..., Any]) -> str:
    """Return how the names of a kernel's files begin."""
    return f"{_source(function).stem}.{function.__name__}-"


def _name(function: Callable[..., Any], kinds: tuple[Kind, ...]) -> str:
    """Return the name of the file for arguments of some kinds, on this processor."""
    host = _llvm().get_host_cpu_name()
    differs = cache.digest(repr((kinds, sys.implementation.cache_tag, entry.HEAD, host)).encode())
    return f"{_stem(function)}{differs[:16]}.machine"


def _made_for(function: Callable[..., Any]) -> str:
    """Return a digest of all that decides which machine code numba makes of a kernel."""
    return cache.digest(_surroundings().encode(), _source(function).read_bytes())


@lru_cache(maxsize=1)
def _surroundings() -> str:
    """Return a digest of what decides it for all kernels: sources, versions, processor."""
    import llvmlite  # noqa: PLC0415  It takes a while to load.

    found = find_spec("numba")
    if found is None or found.origin is None:
        raise LookupError("numba must be installed as files")
    llvm = _llvm()
    told = (
        llvmlite.__version__,
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        sys.implementation.cache_tag,
    )
    # numba says its version there, and kernels hold constants of each other.
    version = Path(found.origin).with_name("_version.py")
    files = [version, *sorted(Path(__file__).parent.glob("*.py"))]
    return cache.digest(repr(told).encode(), *[path.read_bytes() for path in files])

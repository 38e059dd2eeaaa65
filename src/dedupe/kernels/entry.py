"""Makes the entry of a kernel: machine code that takes NumPy's arrays as they are.

numba passes an array as seven numbers and more, which takes Python two microseconds to collect: of
a kernel with nine arrays that is longer than many of them run. An entry is given the objects. It
checks in them what the kernel was compiled for, reads what it is to be called with, and refuses
all that it was not made for. It relies on `PyArrayObject` of NumPy's C API, which no version has
changed, and on how large the head of an object is; `is_possible` tries both out.
"""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["ENTRY", "HEAD", "REFUSED", "code_of", "expected_of", "is_possible"]

ENTRY = "dedupe_entry"
"""Name of the function."""

REFUSED = -(1 << 63)
"""What it returns where the kernel raised, or where it was not called."""

HEAD = object.__basicsize__
"""Bytes of an object before the fields of an array; the last eight are the address of its type."""

TYPE, DATA, N_DIMENSIONS, SHAPE, STRIDES, DTYPE, FLAGS = (
    HEAD + offset for offset in (-8, 0, 8, 16, 24, 40, 48)
)
"""Where the fields stand."""

C_ORDER, F_ORDER = 0x1, 0x2


@lru_cache(maxsize=1)
def is_possible() -> bool:
    """Return whether arrays of this interpreter are laid out as entries read them."""
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    array = np.zeros((3, 4), np.uint16)[:, ::2]

    def read(offset: int, address: int = id(array)) -> int:
        return int(ctypes.c_int64.from_address(address + offset).value)

    found = [read(offset) for offset in (TYPE, DATA, DTYPE)]
    if found != [id(np.ndarray), array.ctypes.data, id(array.dtype)]:
        return False
    # What follows is read from memory that the array has, once all of the above is right.
    numbers = [read(offset) & 0xFFFFFFFF for offset in (N_DIMENSIONS, FLAGS)]
    sides = [read(8 * i, read(part)) for part in (SHAPE, STRIDES) for i in range(2)]
    return numbers == [2, array.flags.num] and sides == [*array.shape, *array.strides]


def expected_of(kinds: Sequence[Any]) -> "ctypes.Array[ctypes.c_int64]":
    """Return what an entry compares with: the address of the type of arrays, and of each dtype."""
    dtypes = [id(dtype) for dtype, n_dimensions, *_ in kinds if n_dimensions >= 0]
    return (ctypes.c_int64 * (1 + len(dtypes)))(id(np.ndarray), *dtypes)


def code_of(symbol: str, kinds: Sequence[Any], layout: int, types: dict[str, str]) -> str:
    """Return the entry of a kernel in LLVM's language.

    Parameters
    ----------
    symbol : str
        What numba calls the kernel.
    kinds : sequence of `dedupe.kernels.machine.Kind`
    layout : int
        The flags of arrays that must be those it was compiled for.
    types : dict
        LLVM's name for the type of each scalar.
    """
    given, passed = ["ptr %expected"], ["ptr %result", "ptr %error"]
    lines: list[str] = []
    n_arrays = 0
    for place, (dtype, n_dimensions, flags) in enumerate(kinds):
        if n_dimensions < 0:
            given.append(f"{types[dtype]} %a{place}")
            passed.append(f"{types[dtype]} %a{place}")
            continue
        n_arrays += 1
        given.append(f"ptr %a{place}")
        # One that is laid out as Fortran does is left to numba.
        mask = layout | (0 if flags & C_ORDER else F_ORDER)
        lines += _checked(place, n_arrays, n_dimensions, mask, flags)
        lines += _read(place, n_dimensions)
        sides = [f"i64 %{side}{place}.{i}" for side in ("n", "s") for i in range(n_dimensions)]
        passed += ["ptr null", "ptr null", f"i64 %m{place}.{n_dimensions}"]
        passed += [f"i64 {dtype.itemsize}", f"ptr %d{place}", *sides]
    called = ", ".join(passed)
    declared = ", ".join(one.split(" ")[0] for one in passed)
    return CODE.format(
        symbol=symbol.replace("\\", "\\5C"),
        declared=declared,
        entry=ENTRY,
        given=", ".join(given),
        lines="\n  ".join(lines),
        called=called,
        refused=REFUSED,
    )


CODE = """
declare i32 @"{symbol}"({declared})

define i64 @{entry}({given}) {{
  %result = alloca i64
  %error = alloca ptr
  store i64 0, ptr %result
  {lines}
  %status = call i32 @"{symbol}"({called})
  %value = load i64, ptr %result
  %is_number = icmp eq i32 %status, 0
  %is_none = icmp eq i32 %status, -2
  %is_done = or i1 %is_number, %is_none
  %found = select i1 %is_done, i64 %value, i64 {refused}
  ret i64 %found
refused:
  ret i64 {refused}
}}
"""
"""Status -2 is None, and any other but 0 an exception, which only numba can make."""


def _checked(place: int, number: int, n_dimensions: int, mask: int, flags: int) -> Iterator[str]:
    """Yield what goes on only with an array as the kernel was compiled for."""
    yield from _equal(f"t{place}", "i64", f"%a{place}", TYPE, _wanted(f"t{place}", 0))
    yield from _equal(f"p{place}", "i64", f"%a{place}", DTYPE, _wanted(f"p{place}", number))
    yield from _equal(f"k{place}", "i32", f"%a{place}", N_DIMENSIONS, [str(n_dimensions)])
    yield from _equal(f"f{place}", "i32", f"%a{place}", FLAGS, [str(flags)], mask)


def _wanted(name: str, number: int) -> list[str]:
    """Return how a number of the table is read, and its name."""
    return [
        f"%{name}.x = getelementptr i64, ptr %expected, i64 {number}",
        f"%{name}.w = load i64, ptr %{name}.x",
        f"%{name}.w",
    ]


def _equal(
    name: str, kind: str, array: str, offset: int, wanted: list[str], mask: int = -1
) -> Iterator[str]:
    """Yield what goes on only if a field of an array is what is wanted."""
    yield from wanted[:-1]
    yield from _loaded(f"{name}.v", kind, array, offset)
    yield f"%{name}.m = and {kind} %{name}.v, {mask}"
    yield f"%{name}.e = icmp eq {kind} %{name}.m, {wanted[-1]}"
    yield f"br i1 %{name}.e, label %{name}, label %refused"
    yield f"{name}:"


def _read(place: int, n_dimensions: int) -> Iterator[str]:
    """Yield how the address, the shape, the strides and the number of items are read."""
    yield from _loaded(f"d{place}", "ptr", f"%a{place}", DATA)
    yield f"%m{place}.0 = add i64 1, 0"
    for side, part in (("n", SHAPE), ("s", STRIDES)):
        yield from _loaded(f"{side}{place}", "ptr", f"%a{place}", part)
        for i in range(n_dimensions):
            yield from _loaded(f"{side}{place}.{i}", "i64", f"%{side}{place}", 8 * i)
    for i in range(n_dimensions):
        yield f"%m{place}.{i + 1} = mul i64 %m{place}.{i}, %n{place}.{i}"


def _loaded(name: str, kind: str, base: str, offset: int) -> Iterator[str]:
    yield f"%{name}.p = getelementptr i8, ptr {base}, i64 {offset}"
    yield f"%{name} = load {kind}, ptr %{name}.p"

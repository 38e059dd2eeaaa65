"""The loops that must be fast: numba functions, arrays in and arrays out.

A kernel does not allocate, validate or see a string; the module that calls it
does. Every kernel has an obvious twin in ``tests/reference.py`` that it is
compared with. Compiled code is cached on disk beside the source, or in the
user's cache directory where that is read-only.
"""

from pathlib import Path


def are_compiled() -> bool:
    """Whether the kernels are in the cache on disk, so that the first call is quick."""
    from dedupe.kernels.alignment import align_pairs_into  # noqa: PLC0415  numba is slow to load.

    stats = getattr(align_pairs_into, "stats", None)
    # Without compilation (NUMBA_DISABLE_JIT) a kernel is a plain function.
    return stats is None or any(Path(stats.cache_path).glob("alignment.align_pairs_into-*.nbi"))

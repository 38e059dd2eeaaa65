"""Says to which part Spark sends a row that is cut by a number."""

__all__ = ["part_of"]

SEED = 42
LOW = 0xFFFFFFFF


def part_of(number: int, n_parts: int) -> int:
    """Return the part of so many to which `DataFrame.repartition` sends a long.

    That is the hash of Spark SQL, Murmur3 of 32 bits over both halves of the number, as
    ``org.apache.spark.unsafe.hash.Murmur3_x86_32.hashLong`` has it.

    >>> [part_of(number, 4) for number in range(8)]
    [1, 1, 0, 3, 0, 0, 1, 3]
    """
    found = SEED
    for half in (number & LOW, (number >> 32) & LOW):
        found = _mixed(found, half)
    found ^= 8
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        found = (found ^ (found >> shift)) * factor & LOW
    found ^= found >> 16
    return (found - (found >> 31 << 32)) % n_parts


def _mixed(found: int, half: int) -> int:
    """Return a hash with four more bytes in it."""
    half = half * 0xCC9E2D51 & LOW
    half = (half << 15 | half >> 17) & LOW
    found ^= half * 0x1B873593 & LOW
    found = (found << 13 | found >> 19) & LOW
    return (found * 5 + 0xE6546B64) & LOW

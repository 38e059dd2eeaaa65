"""Finds near-duplicates on Spark, with the answers of one machine.

Needs ``pip install 'dedupe-articles[spark]'`` and Java. The rules are those of
`dedupe.find_duplicates`, applied to parts of a frame; nothing but the place of the work differs.
"""

from dedupe.errors import MissingExtra

try:
    import pyspark  # noqa: F401  An optional dependency.
except ImportError as error:
    raise MissingExtra("a search on Spark", "spark") from error

from dedupe.spark.search import Answer, find_duplicates

__all__ = ["Answer", "find_duplicates"]

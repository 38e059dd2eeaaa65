"""Parquet files: reads one document a row, and writes a table anew without some of them."""

from dedupe.documents.formats.parquet.reading import read_parquet
from dedupe.documents.formats.parquet.rewriting import rewrite_parquet

__all__ = ["read_parquet", "rewrite_parquet"]

"""Web pages: reads a file as one document."""

import re
from collections.abc import Iterator

from dedupe.documents.document import Options, Placed, from_value
from dedupe.documents.encoding import decode, text_chunks
from dedupe.documents.markup import text_of_page
from dedupe.documents.streams import Source, read_whole

__all__ = ["read_html"]


def read_html(source: Source, options: Options) -> Iterator[Placed]:
    """Read a page as one document."""
    data = read_whole(text_chunks(source.chunks), options.max_bytes)
    declared = _CHARSET.search(data, 0, 1024)
    page = decode(data, declared[1].decode("ascii") if declared else "")
    yield Placed(source.id, from_value(source.id, text_of_page(page), source.time))


_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.ASCII | re.IGNORECASE)

"""Web pages: reads a file as one document."""

import re

from dedupe.documents.document import Placed, from_value
from dedupe.documents.formats.encoding import decode, whole_text
from dedupe.documents.markup import text_of_page
from dedupe.documents.options import Options
from dedupe.documents.streams import Source

__all__ = ["read_html"]


def read_html(source: Source, options: Options) -> list[Placed]:
    """Read a page as one document."""
    data = whole_text(source, options.max_bytes)
    declared = _CHARSET.search(data, 0, 1024)
    page = decode(data, declared[1].decode("ascii") if declared else "")
    return [Placed(source.id, from_value(source.id, text_of_page(page), source.time))]


_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.ASCII | re.IGNORECASE)

"""Reads texts that are known to be boilerplate: frames of sites, licences, notices.

They are read as documents are, but decide what is said of others. So one that cannot be read
is an error and not skipped; and since nobody asks for one by its id, ids need not be unique.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dedupe.documents.document import Document, digest_of
from dedupe.documents.formats import read_file
from dedupe.documents.memory import placed
from dedupe.documents.options import Options
from dedupe.documents.paths import Paths, resolve
from dedupe.documents.walk import walk
from dedupe.errors import NothingToRead, Skipped

__all__ = ["boilerplate_in", "digest_of_boilerplate", "read_boilerplate"]


def read_boilerplate(
    paths: Paths | None,
    *,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    delimiter: str | None = None,
) -> tuple[Document, ...]:
    """Read every text of files and folders, each once, in an order that follows from the texts.

    Parameters
    ----------
    paths, id_field, text_field, html_field, delimiter
        As in `dedupe.documents.read_paths`; None where nothing is known.

    Raises
    ------
    NoSuchPath
        When a path does not exist or a pattern matches nothing.
    NothingToRead
        When a text cannot be read, or there is none.
    """
    if paths is None:
        return ()
    options = Options(id_field, text_field, html_field=html_field, delimiter=delimiter)
    items: list[Document | Skipped] = []
    for found in walk(resolve(paths)):
        if isinstance(found, Skipped):
            items.append(found)
        else:
            items += [one.item for one in read_file(found, options)]
    return _all_of(items)


def boilerplate_in(
    texts: Any,
    *,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
) -> tuple[Document, ...]:
    """Return the texts of a collection in memory, or a single text: the twin of `read_boilerplate`.

    None stands for no texts.

    Raises
    ------
    InvalidInput
        When this cannot hold texts.
    NothingToRead
        When an item is no text, or there is none.

    Examples
    --------
    >>> [one.text for one in boilerplate_in(["all rights reserved", "all rights reserved"])]
    ['all rights reserved']
    """
    if texts is None:
        return ()
    options = Options(id_field, text_field, html_field=html_field)
    given = [texts] if isinstance(texts, str) else texts
    return _all_of(_named(one.item) for one in placed(given, options, "boilerplate"))


def _named(item: Document | Skipped) -> Document | Skipped:
    """Say of a text that goes by its position what it is: a message would have the number alone."""
    return replace(item, id=f"boilerplate {item.id}") if isinstance(item.id, int) else item


def digest_of_boilerplate(documents: Iterable[Document]) -> str:
    """Return a digest that tells whether the same texts were known, empty where none was.

    >>> digest_of_boilerplate([])
    ''
    """
    digests = "".join(one.digest for one in documents)
    return digest_of(digests.encode()) if digests else ""


def _all_of(items: Iterable[Document | Skipped]) -> tuple[Document, ...]:
    """Return the documents, each text once, or refuse what could not be read."""
    found: dict[str, Document] = {}
    for item in items:
        if isinstance(item, Skipped):
            raise NothingToRead(
                f"boilerplate must be readable, since it decides the answer, got {item.id!r}: "
                f"{item.reason}; {item.remedy}"
            )
        found.setdefault(item.digest, item)
    if not found:
        raise NothingToRead(
            "boilerplate must hold at least one text, got none: check what boilerplate= "
            "(--boilerplate) names, or leave it out"
        )
    return tuple(found[digest] for digest in sorted(found))

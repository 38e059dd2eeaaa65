"""From what is in memory to documents: the twin of `read_paths`.

Columns and frames of other libraries are known by what they can do, so that
none of them is imported here.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from os import PathLike
from reprlib import repr as short
from typing import Any

from dedupe.documents.document import (
    Document,
    Options,
    Placed,
    as_id,
    checked,
    from_record,
    from_value,
)
from dedupe.documents.walk import is_path
from dedupe.errors import InvalidInput, Skipped

__all__ = ["placed", "read_texts"]


def read_texts(
    texts: Any,
    *,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    time_field: str | None = None,
    against: Any = None,
) -> Iterator[Document | Skipped]:
    """Read the documents in a collection, one after the other.

    Parameters
    ----------
    texts : mapping or iterable
        A mapping from id to text; pairs ``(id, text)``; records, which are
        mappings with fields; or texts alone, whose ids are ``"0"``, ``"1"`` and
        so on. That includes columns and frames of pandas, Polars, Arrow and
        Hugging Face datasets; a lazy frame is collected, a reader of Arrow read.
    id_field, text_field, html_field, time_field : str
        The fields of a record, as in `read_paths`. A record without an id goes
        by its position.
    against : mapping or iterable
        An old collection, which is read first; its documents are marked so, and
        those without an id go by ``"old 0"``, ``"old 1"`` and so on.

    Yields
    ------
    Document or Skipped
        In the order of `texts`.

    Raises
    ------
    InvalidInput
        At once, when `texts` cannot hold texts; a single string is not taken
        for the collection of its characters.
    DuplicateId
        When two documents carry the same id.
    NothingToRead
        At the end, when there was not one document, or not one old one where an old
        collection was given.

    Examples
    --------
    >>> [document.id for document in read_texts(["Bridge closed", "Road open"])]
    ['0', '1']
    >>> list(read_texts({"a": "Bridge closed", "b": None}))
    [Document(id='a', text='Bridge closed', time=None),
     Skipped(id='b', reason='no text', remedy='give it a text, or leave it out')]
    """
    options = Options(id_field, text_field, html_field, time_field)
    new = placed(texts, "", options)
    if against is None:
        return checked(new, "the collection", time_field=time_field)
    old = map(Placed.as_old, placed(against, "old ", options))
    return checked(chain(old, new), "the collection", old="it", time_field=time_field)


def placed(texts: Any, prefix: str, options: Options, what: str = "texts") -> Iterable[Placed]:
    """Return the documents of a collection, with their positions; errors name `what` it is."""
    if is_path(texts) or _are_paths(texts):
        raise _no_texts(what, short(texts), "files are for find_duplicates")
    try:
        items = enumerate(_items(texts))
    except TypeError as error:
        raise _no_texts(what, type(texts).__name__, "put a single text in a list") from error
    return (
        Placed(f"position {prefix}{i}", _item(item, f"{prefix}{i}", options)) for i, item in items
    )


def _are_paths(texts: Any) -> bool:
    """Return whether all of a list are names of what is there; one that is may be a text."""
    return isinstance(texts, list | tuple) and bool(texts) and all(map(is_path, texts))


def _no_texts(what: str, got: str, remedy: str) -> InvalidInput:
    """Say that something else stands where texts go."""
    return InvalidInput(f"{what} must be a collection of texts, got {got}: {remedy}")


def _items(texts: Any) -> Iterable[Any]:
    """Return what a collection holds, one item a document."""
    if isinstance(texts, str | bytes):
        raise TypeError("a single text")
    if isinstance(texts, Mapping):
        return texts.items()
    if hasattr(texts, "collect_schema") and hasattr(texts, "collect"):  # Polars, not read yet
        texts = texts.collect()
    # A frame would yield its columns, or their names.
    if hasattr(texts, "iter_rows"):  # Polars
        return texts.iter_rows(named=True)  # type: ignore[no-any-return]
    if hasattr(texts, "itertuples"):  # pandas
        return texts.to_dict("records")  # type: ignore[no-any-return]
    if hasattr(texts, "to_pylist") and hasattr(texts, "schema"):  # Arrow
        blocks = (texts.slice(i, BLOCK) for i in range(0, texts.num_rows, BLOCK))
        return chain.from_iterable(block.to_pylist() for block in blocks)
    if hasattr(texts, "read_next_batch"):  # A reader of Arrow
        return chain.from_iterable(batch.to_pylist() for batch in texts)
    return texts  # type: ignore[no-any-return]


BLOCK = 1000
"""Rows of an Arrow table that are turned into Python objects at once."""


def _item(item: Any, position: str, options: Options) -> Document | Skipped:
    """Make a document of one item, whatever its shape."""
    if hasattr(item, "as_py"):  # A value of Arrow
        item = item.as_py()
    if isinstance(item, PathLike):
        raise _no_texts("texts", short(item), "files are for find_duplicates")
    if isinstance(item, Mapping):
        return from_record(item, position, None, options)
    if isinstance(item, tuple | list) and len(item) == 2:
        return from_value(as_id(item[0], position), item[1])
    return from_value(position, item)

"""From what is in memory to documents: the twin of `read_paths`.

How lists, mappings and frames are taken apart is left to `dedupe.documents.rows`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from os import PathLike
from reprlib import repr as short
from typing import Any

from dedupe.documents.acceptance import RENAME, Remedies, accepted
from dedupe.documents.arrow import value_of
from dedupe.documents.document import Document, Placed, from_record, from_value, shown
from dedupe.documents.fields import ABSENT, value_at
from dedupe.documents.options import ID_FIELD, Options
from dedupe.documents.paths import is_path
from dedupe.documents.rows import Row, rows_of
from dedupe.documents.streams import Unreadable
from dedupe.documents.values import as_id, is_missing
from dedupe.errors import InvalidInput, InvalidSetting, Skipped
from dedupe.ids import Id, Old

__all__ = ["placed", "read_texts"]


def read_texts(
    texts: Any,
    *,
    id_field: str = "id",
    text_field: str = "text",
    html_field: str | None = None,
    time_field: str | None = None,
    against: Any = None,
    is_part: bool = False,
    must_name: bool = False,
) -> Iterator[Document | Skipped]:
    """Read the documents in a collection, one after the other.

    Parameters
    ----------
    texts : mapping or iterable
        A mapping from id to text; pairs ``(id, text)``; records, which are
        mappings with fields; or texts alone. That includes columns and frames of pandas,
        Polars, Arrow and Hugging Face datasets; a lazy frame is collected, a reader of
        Arrow read.
    id_field, text_field, html_field, time_field : str
        The fields of a record, as in `read_paths`.
    against : mapping or iterable
        An old collection, which is read first; its documents are marked so, and their ids
        with `dedupe.Old`: they may be the same as those of others.
    is_part : bool
        The rest is kept elsewhere, as in an index: then nothing in it need be readable or have a
        time.
    must_name : bool
        Each must have an id of its own, since others follow that are numbered from 0 again.

    Yields
    ------
    Document or Skipped
        In the order of `texts`.

    Raises
    ------
    InvalidInput
        At once, when `texts` cannot hold texts; a single string is not taken
        for the collection of its characters. Also when something cannot be an id, such as
        NaN, or is missing in a column of ids or where each must have one.
    InvalidSetting
        When no record has a field that is named for ids, or none holds a time.
    DuplicateId
        When two documents carry the same id.
    NothingToRead
        At the end, when there was something, and not one document in it; so for an old collection.
        An empty one is none that is wrong: on some days nothing is new, and on the first, nothing
        is old.

    Notes
    -----
    Ids keep their type: see `dedupe.ids`. They are the keys of a mapping; the column
    `id_field` of a frame, or where pandas has none, its index; otherwise positions, as
    integers from 0. Of records in a list, those without an id go by their position.

    Examples
    --------
    >>> [document.id for document in read_texts(["Bridge closed", "Road open"])]
    [0, 1]
    >>> list(read_texts({"a": "Bridge closed", "b": None}))
    [Document(id='a', text='Bridge closed', time=None),
     Skipped(id='b', reason='no text', remedy='give it a text, or leave it out')]
    """
    options = Options(id_field, text_field, html_field, time_field)
    has_old = against is not None
    remedies = Remedies(
        any=_remedy(texts, options, "data") or RENAME,
        old=(_remedy(against, options, "old") or RENAME) if has_old else "",
    )
    new = placed(texts, options, must_name=must_name)
    old = map(_as_old, placed(against, options)) if has_old else ()
    return accepted(
        chain(old, new),
        "the collection",
        old="it" if has_old else None,
        time_field=time_field,
        remedies=remedies,
        may_be_empty=True,
        is_part=is_part,
    )


def _remedy(texts: Any, options: Options, name: str) -> str:
    """Return what to do about labels that are no ids; nothing for what goes by no index."""
    if not hasattr(texts, "iloc") or options.id_field in getattr(texts, "columns", ()):
        return ""
    # In a column of that name the labels would be ids again.
    renamed = ".rename_axis('label')" if list(texts.index.names) == [options.id_field] else ""
    column = "" if hasattr(texts, "columns") else f"name={options.text_field!r}"
    return (
        f"{name} = {name}{renamed}.reset_index({column}) makes positions the ids, and a column of "
        "the index"
    )


def _as_old(one: Placed) -> Placed:
    """Mark what is old, be it a document or none."""
    place = f"old {one.place}"
    if isinstance(one.item, Skipped):
        return Placed(place, replace(one.item, id=Old(one.item.id)))
    return one.as_old()._replace(place=place)


def placed(
    texts: Any, options: Options, what: str = "texts", *, must_name: bool = False
) -> Iterator[Placed]:
    """Return the documents of a collection, with their places; errors name `what` it is."""
    if is_path(texts) or _are_paths(texts):
        raise _no_texts(what, short(texts), "files are for find_duplicates")
    if isinstance(texts, set | frozenset):
        raise _no_texts(
            what, type(texts).__name__, "its order is another in each run: put it in a list"
        )
    if isinstance(texts, Mapping) and hasattr(texts, "column_names"):  # Hugging Face
        raise _no_texts(
            what, type(texts).__name__, f"name a split, such as {next(iter(texts), '')!r}"
        )
    _check_columns(texts, options)
    try:
        rows = rows_of(texts, options)
    except TypeError as error:
        raise _no_texts(what, type(texts).__name__, "put a single text in a list") from error
    remedy = _remedy(texts, options, "data") or FILL
    return _placed(rows, options, remedy, must_name=must_name)


def _placed(
    rows: Iterable[Row], options: Options, remedy: str, *, must_name: bool = False
) -> Iterator[Placed]:
    """Yield the documents of rows; hold the field of ids to be in one of them at least."""
    has_id = options.id_field == ID_FIELD
    names: list[Any] = []
    for number, row in enumerate(rows):
        place = f"position {number}"
        id_ = _named(row.id, place, remedy)
        try:
            value = value_of(row.value) if hasattr(row.value, "as_py") else row.value  # Of Arrow.
            if isinstance(value, Mapping) and not row.is_text:
                names = names or list(value)
                has_id = has_id or not row.is_numbered or _has(value, options.id_field)
                _check_id(value_at(value, options.id_field), place, row)
            item = _item(value, id_, place, options, is_text=row.is_text)
            if must_name and row.is_numbered and not _names_itself(value, options):
                raise _unnamed(place, value, is_of_frame=row.is_of_frame)
        except Unreadable as error:
            item = Skipped(id_, error.reason, error.remedy)
        yield Placed(place, item)
    if names and not has_id:
        raise InvalidSetting(
            f"id_field must name a field that some record has, got {options.id_field!r}, and they "
            f"have {shown(map(short, names))}: leave it out to go by {ID_FIELD!r}, and by index or "
            "position where there is none"
        )


def _has(record: Mapping[str, object], name: str) -> bool:
    """Return whether a record has a field, whatever it holds."""
    try:
        return value_at(record, name) is not ABSENT
    except Unreadable:
        return True


def _unnamed(place: str, value: Any, *, is_of_frame: bool) -> InvalidInput:
    """Say that a document goes by a number which one of the next list has, too."""
    if isinstance(value, tuple | list) and len(value) > 2:
        return InvalidInput(
            f"a pair must be (id, text), got {len(value)} members at {place}: for more than these "
            "two give records, as {'id': ..., 'text': ..., 'time': ...} with time_field='time'"
        )
    if is_of_frame:
        return InvalidInput(
            f"a frame that an index keeps must have ids, got only numbers from 0, as of {place}, "
            "which the next frame has, too: name their column with id_field, or make them the "
            "index, as frame.set_index(...) of pandas does"
        )
    return InvalidInput(
        f"documents that an index keeps must have ids of their own, got none at {place}: give a "
        "mapping from id to text, pairs or records with an id, or enumerate(texts, start), which "
        "numbers them"
    )


def _names_itself(value: Any, options: Options) -> bool:
    """Return whether an item says by which id it goes: a record or a pair."""
    if isinstance(value, Mapping):
        named = value_at(value, options.id_field)
        return named is not ABSENT and named is not None and bool(str(named).strip())
    return isinstance(value, tuple | list) and len(value) == 2 and value[0] is not None


def _check_id(value: object, place: str, row: Row) -> None:
    """Refuse a column of ids with a hole or a blank in it, and NaN anywhere."""
    is_blank = isinstance(value, str) and not value.strip()
    if value is ABSENT or not (is_missing(value) or is_blank):
        return
    if not row.is_of_frame and (value is None or is_blank):
        return
    raise InvalidInput(
        f"a column of ids must have one for each document, got {short(value)} at {place}: "
        "fill it in, or name another field with id_field="
    )


FILL = "fill it in"
"""What to do where an id is missing."""


def _named(value: object, place: str, remedy: str = FILL) -> Id:
    """Return a key, a label or a position as an id; nothing and blanks are none."""
    named = _id(value, place, remedy)
    if named is None:
        raise _nameless(value, place, remedy)
    return named


def _nameless(value: object, place: str, remedy: str) -> InvalidInput:
    """Say that a document goes by nothing."""
    return InvalidInput(
        f"keys and labels must name each document, got {short(value)} at {place}: {remedy}"
    )


def _id(value: object, place: str, remedy: str = FILL) -> Id | None:
    """Return a key, a label or a position as an id, None where it is nothing or a blank."""
    if type(value) is int:
        return value
    if is_missing(value) and value is not None:
        raise _nameless(value, place, remedy)
    try:
        return as_id(value, None)
    except Unreadable as error:
        raise InvalidInput(
            f"ids must be strings, numbers, dates, UUIDs or tuples of these, got {short(value)} at "
            f"{place}: {error.reason}; {error.remedy}"
        ) from error


def _are_paths(texts: Any) -> bool:
    """Return whether all of a list are names of what is there; one that is may be a text."""
    return isinstance(texts, list | tuple) and bool(texts) and all(map(is_path, texts))


def _no_texts(what: str, got: str, remedy: str) -> InvalidInput:
    """Say that something else stands where texts go."""
    return InvalidInput(f"{what} must be a collection of texts, got {got}: {remedy}")


def _check_columns(texts: Any, options: Options) -> None:
    """Refuse a table that has a field twice which is asked for; one of Polars cannot."""
    names: list[Any] = []
    if hasattr(texts, "itertuples"):  # pandas
        names = [*texts.columns]
    elif hasattr(texts, "to_pylist") or hasattr(texts, "read_next_batch"):  # Arrow
        names = getattr(getattr(texts, "schema", None), "names", names)
    if (name := options.asked_twice(names)) is not None:
        raise InvalidInput(
            f"a column that is asked for must be there once, got {short(name)} twice: give one of "
            "them another name"
        )


def _item(item: Any, id_: Id, place: str, options: Options, *, is_text: bool) -> Document | Skipped:
    """Make a document of one item, whatever its shape."""
    if isinstance(item, PathLike):
        raise _no_texts("texts", short(item), "files are for find_duplicates")
    if is_text:
        return from_value(id_, item)
    if isinstance(item, Mapping):
        return from_record(item, id_, None, options)
    if isinstance(item, tuple | list) and len(item) == 2:
        named = _id(item[0], place)
        return from_value(id_ if named is None else named, item[1])
    return from_value(id_, item)

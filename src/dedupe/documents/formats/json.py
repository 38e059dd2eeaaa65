"""JSON that is not JSON Lines: an object, a list of objects, or objects one after the other.

A file is read as a whole, and no larger than one text may be. Written anew without some
of its values, what stands around the others keeps its bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from dedupe.documents.document import EMPTY, Document, Placed, fault_of, from_record
from dedupe.documents.formats.changes import Changes
from dedupe.documents.formats.edits import dropped
from dedupe.documents.formats.encoding import text_chunks, transcoded, unmarked
from dedupe.documents.formats.jsonl import past_space, with_marks
from dedupe.documents.options import Options
from dedupe.documents.streams import Source, Unreadable, read_whole
from dedupe.documents.values import kind_of
from dedupe.errors import Skipped

__all__ = ["json_values", "read_json", "rewrite_json"]

REPAIR = "repair it, or leave it out"
SAVE_AS_LINES = "save it as JSON Lines, which is read line by line"


class Value(NamedTuple):
    """A value of a file.

    Attributes
    ----------
    number : int
        Its place, from 1; 0 where it is all that the file holds, and no list.
    start, end : int
        Where it stands in the text.
    content : object
    """

    number: int
    start: int
    end: int
    content: object


def read_json(source: Source, options: Options) -> Iterator[Placed]:
    """Read the objects of a file; one that stands alone is the file as a whole."""
    text = _decode(read_whole(text_chunks(source.chunks), options.max_bytes, SAVE_AS_LINES))
    if past_space(text, 0) == len(text):  # An empty list holds no document; this is no JSON.
        raise Unreadable(EMPTY, "leave it out")
    for value in json_values(text):
        place = f"{source.id}:{value.number}" if value.number else source.id
        item: Document | Skipped
        if isinstance(value.content, dict):
            item = from_record(value.content, place, source.time, options)
        else:
            item = Skipped(place, f"{kind_of(value.content)}, not an object", "leave it out")
        rows = range(value.number, value.number + 1) if value.number else range(0)
        yield Placed(place, item, rows)


def rewrite_json(
    reopen: Callable[[], Source],
    placed: Iterable[Placed],
    changes: Changes,
    options: Options,
) -> Iterator[bytes]:
    """Yield a JSON file with the values that stay, and what stood before each."""
    mark, encoding, chunks = unmarked(reopen().chunks)
    text = _decode(read_whole(transcoded(chunks, encoding), options.max_bytes, SAVE_AS_LINES))
    edits = dropped(placed, changes) if not changes.names else with_marks(placed, changes)
    edit_of = {rows.start: edit for rows, edit in edits}
    head, end = "", 0
    pieces: list[str] = []
    for value in json_values(text):
        between = text[end : value.start]
        if value.number == 1:
            head, between = between, ""
        stays = edit_of.get(value.number, bytes)(text[value.start : value.end].encode()).decode()
        if stays:
            # What stood before a value goes with it, but for the first that stays.
            pieces += [between, stays] if pieces else [stays]
        end = value.end
    yield mark + "".join([head, *pieces, text[end:]]).encode(encoding)


def _decode(data: bytes) -> str:
    """Return bytes as text, which JSON has in UTF-8 alone."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: {error.reason} at byte {error.start}", REPAIR) from error


def json_values(text: str) -> Iterator[Value]:
    """Yield the values of a file, or of the list that it is.

    Raises
    ------
    Unreadable
        When what follows is no JSON.

    Examples
    --------
    >>> for text in ("[10, 20]", "30", "40 50"):
    ...     print([(value.number, text[value.start : value.end]) for value in json_values(text)])
    [(1, '10'), (2, '20')]
    [(0, '30')]
    [(1, '40'), (2, '50')]
    """
    start = past_space(text, 0)
    is_list = text.startswith("[", start)
    if is_list:
        start = past_space(text, start + 1)
    number = 0
    while start < len(text) and not (is_list and text[start] == "]"):
        number += 1
        content, end = _value_at(text, start)
        following = past_space(text, end)
        is_alone = not is_list and number == 1 and following == len(text)
        yield Value(0 if is_alone else number, start, end, content)
        start = _past_comma(text, following) if is_list else following
    if is_list and past_space(text, start + 1) < len(text):
        raise _broken("more behind the list", text, start + 1)
    if is_list and start == len(text):
        raise _broken("the list does not end", text, start)


def _value_at(text: str, start: int) -> tuple[object, int]:
    """Return the value that begins somewhere, and where it ends."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise _broken(error.msg, text, error.pos) from error
    except (ValueError, RecursionError) as error:
        raise _broken(fault_of(error), text, start) from error


_DECODER = json.JSONDecoder()


def _past_comma(text: str, start: int) -> int:
    """Return where the next value of a list begins, or the list ends."""
    if text.startswith(",", start):
        start = past_space(text, start + 1)
        if not text.startswith("]", start):
            return start
    elif text.startswith("]", start) or start == len(text):
        return start
    raise _broken("no comma between values, or one too many", text, start)


def _broken(problem: str, text: str, start: int) -> Unreadable:
    """Say where something is no JSON."""
    line = text.count("\n", 0, start) + 1
    return Unreadable(f"not JSON: {problem}, in line {line}", REPAIR)

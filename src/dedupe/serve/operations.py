"""Says what can be asked of a server: the methods of an index, what they take and what they give.

One table serves to check requests, to answer them and to describe them. Nothing here knows HTTP.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dedupe.errors import DedupeError
from dedupe.ids import id_as_json
from dedupe.index.answering import LIMIT, MAX_COMPARED
from dedupe.index.index import Index
from dedupe.index.matches import Matches
from dedupe.index.times import check_unit
from dedupe.settings import Settings

__all__ = ["OPERATIONS", "Field", "InvalidRequest", "Operation", "checked"]

Json = dict[str, Any]

_MISSING: Any = object()

_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
"""The types of JSON, and what they are in Python."""


class InvalidRequest(DedupeError, ValueError):
    """A request is not as the description of the server says."""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of the object that is sent.

    Attributes
    ----------
    name, about : str
    kinds : tuple of str
        Types of JSON that it may have.
    default : optional
        It may be left out where there is one.
    items : str, optional
        The type of the members of an array.
    choices : tuple of str, optional
    """

    name: str
    kinds: tuple[str, ...]
    about: str
    default: Any = _MISSING
    items: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether it must be there."""
        return self.default is _MISSING

    def check(self, value: Any) -> None:
        """Refuse a value of another type."""
        if not any(_is_of(value, kind) for kind in self.kinds):
            raise InvalidRequest(
                f"{self.name} must be {' or '.join(self.kinds)}, got {value!r:.80}"
            )
        if self.items and isinstance(value, list):
            for one in value:
                if not _is_of(one, self.items):
                    raise InvalidRequest(
                        f"{self.name} must hold {self.items}s alone, got {one!r:.80}"
                    )
        if self.choices and value not in self.choices:
            raise InvalidRequest(f"{self.name} must be {' or '.join(self.choices)}, got {value!r}")


def _is_of(value: Any, kind: str) -> bool:
    """Return whether a value has a type of JSON; true and false are no numbers."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _KINDS[kind])


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked.

    Attributes
    ----------
    name : str
        The method of `dedupe.Index`, which is the path, too.
    about : str
    call : callable
        Is given the index and the fields, and returns what is answered.
    gives : str
        The schema of the answer, in `dedupe.serve.openapi`.
    fields : tuple of Field
    reads : bool
        Whether it changes nothing and is asked with GET, its fields in the address.
    is_long : bool
        Whether it reads the whole index; then it has no time limit.
    errors : tuple of int
        Codes of HTTP that it may be refused with, beside those of every operation.
    """

    name: str
    about: str
    call: Callable[..., Any]
    gives: str
    fields: tuple[Field, ...] = ()
    reads: bool = False
    is_long: bool = False
    errors: tuple[int, ...] = field(default=(400,))


def checked(fields: tuple[Field, ...], said: Any) -> Json:
    """Return the fields of a request, those that were left out by their defaults.

    Raises
    ------
    InvalidRequest
    """
    if not isinstance(said, Mapping):
        raise InvalidRequest(f"a request must be an object of JSON, got {type(said).__name__}")
    known = {one.name: one for one in fields}
    for name in said:
        if name not in known:
            raise InvalidRequest(
                f"fields must be among {', '.join(known) or 'none at all'}, got {name!r:.80}"
            )
    for one in fields:
        if one.name in said:
            one.check(said[one.name])
        elif one.is_required:
            raise InvalidRequest(f"{one.name} must be there, got {', '.join(said) or 'nothing'}")
    return {one.name: said.get(one.name, one.default) for one in fields}


def _query(index: Index, *, evidence: bool, **question: Any) -> Json:
    return index.query(**question).as_json(evidence=evidence)


def _add(index: Index, *, evidence: bool, **document: Any) -> Json:
    return index.add(**document).as_json(evidence=evidence)


def _update(index: Index, **document: Any) -> Json:
    found: Matches = index.update(**document)
    return found.as_json()


def _add_texts(index: Index, *, documents: list[Json], on_conflict: Any) -> Json:
    for number, document in enumerate(documents):
        try:
            checked(DOCUMENT, document)
        except InvalidRequest as error:
            raise InvalidRequest(f"documents[{number}]: {error}") from None
    done = index.add_texts(
        documents, time_field="time" if _have_times(documents) else None, on_conflict=on_conflict
    )
    skipped = [{**asdict(one), "id": id_as_json(one.id)} for one in done.skipped]
    return {
        "n_added": done.n_added,
        "n_updated": done.n_updated,
        "n_unchanged": done.n_unchanged,
        "n_undated": done.n_undated,
        "skipped": skipped,
    }


def _have_times(documents: list[Json]) -> bool:
    return any(one.get("time") is not None for one in documents)


def _remove(index: Index, *, ids: list[Any], ignore_missing: bool) -> Json:
    return {"n_removed": index.remove([one for one in ids if not ignore_missing or one in index])}


def _expire(index: Index, *, before: Any) -> Json:
    # What sends a number may have read it somewhere, as a number of days.
    if not isinstance(before, str):
        check_unit("before", before, before)
    return {"n_removed": index.expire(before)}


def _learn(index: Index, *, if_grown: float | None) -> Json:
    epoch = index.learn(if_grown=if_grown)
    return {"epoch": index.stats().epoch if epoch is None else epoch, "learned": epoch is not None}


def _document(index: Index, *, id: Any) -> Json:  # noqa: A002  As the library calls it.
    found = index.document(id)
    return {"id": id_as_json(found.id), "text": found.text, "time": found.time}


def _stats(index: Index) -> Json:
    found = index.stats()
    return {**asdict(found), "growth": found.growth}


def _health(index: Index) -> Json:
    return {"status": "ok", "n_documents": len(index)}


ID = Field("id", ("string", "integer", "number"), "What the document is called.")
TEXT = Field("text", ("string",), "The article.")
TIME = Field(
    "time", ("number", "string", "null"), "When it came up: seconds since 1970, or ISO 8601.", None
)
DOCUMENT = (ID, TEXT, TIME)

QUESTION = (
    Field("limit", ("integer", "null"), "Matches at most; null for all.", LIMIT),
    Field("threshold", ("number",), "What they score at least, 0.1 to 1.", Settings.threshold),
    Field(
        "max_compared",
        ("integer", "null"),
        "Texts that are compared at most, the likeliest first; null for all.",
        MAX_COMPARED,
    ),
    Field("evidence", ("boolean",), "Whether to say which passages are shared.", False),
)

ON_CONFLICT = Field(
    "on_conflict",
    ("string",),
    "What to do where the id is there with another text.",
    "error",
    choices=("error", "update"),
)

OPERATIONS = (
    Operation(
        "query",
        "Return the documents that tell the story of a text, the best first.",
        _query,
        "Matches",
        (TEXT, *QUESTION),
    ),
    Operation(
        "add",
        "Add a document, and return what was there of its story before: both in one step.",
        _add,
        "Matches",
        (*DOCUMENT, ON_CONFLICT, *QUESTION),
        errors=(400, 409, 507),
    ),
    Operation(
        "add_texts",
        "Add many documents, without asking what was there before.",
        _add_texts,
        "Added",
        (Field("documents", ("array",), "What add takes, each.", items="object"), ON_CONFLICT),
        errors=(400, 409, 507),
    ),
    Operation(
        "update",
        "Replace the text of a document, and return what there is of its story besides.",
        _update,
        "Matches",
        DOCUMENT,
        errors=(400, 404, 507),
    ),
    Operation(
        "remove",
        "Remove documents; where no document has one of the ids, none is removed.",
        _remove,
        "Removed",
        (
            Field("ids", ("array",), "Their ids."),
            Field("ignore_missing", ("boolean",), "Pass over ids that no document has.", False),
        ),
        errors=(400, 404, 507),
    ),
    Operation(
        "expire",
        "Remove the documents that came up before a time; those without one stay.",
        _expire,
        "Removed",
        (
            Field(
                "before",
                ("number", "string"),
                "A time, in seconds since 1970 or as ISO 8601, or an age: 90m, 12h, 3d, 2w. "
                "A number of less than a year is refused: it is hardly a time of 1970.",
            ),
        ),
        errors=(400, 507),
    ),
    Operation(
        "learn",
        "Learn anew what is boilerplate, and answer when that is done; others are answered "
        "meanwhile.",
        _learn,
        "Learned",
        (
            Field(
                "if_grown",
                ("number", "null"),
                "Learn only if more than this share has come or gone since it learned last; null "
                "for always.",
                None,
            ),
        ),
        is_long=True,
        errors=(400, 507),
    ),
    Operation(
        "document",
        "Return a document by its id.",
        _document,
        "Document",
        (Field("id", ("string",), "Its id, as text."),),
        reads=True,
        errors=(400, 404),
    ),
    Operation("stats", "Say what the index holds.", _stats, "Stats", reads=True),
    Operation(
        "health",
        "Say that the server answers; it asks for no token.",
        _health,
        "Health",
        reads=True,
    ),
)
"""What can be asked, by the names of the library."""

"""Describes the server in OpenAPI 3.1, from the table of its operations."""

from dataclasses import fields
from typing import Any, get_args

from dedupe.index.matches import Match, Outcome
from dedupe.index.records import Stats
from dedupe.serve.operations import OPERATIONS, Field, Operation

__all__ = ["describe"]

Json = dict[str, Any]

REASONS = {
    400: "the request is not as described, or a value is out of range",
    401: "the token is missing or another one",
    403: "the request names another host, as pages of other sites make browsers do",
    404: "no document has the id",
    405: "it must be asked with the other method",
    408: "the request did not arrive in time",
    409: "the id is there with another text",
    413: "the request is larger than allowed",
    415: "what is sent is not said to be JSON",
    500: "a bug, or an index that is damaged",
    503: "too much is asked at once; ask again",
    504: "there was no answer in time; to ask again is safe, as the same text changes nothing",
    507: "the disk is full; nothing was changed",
}
"""What codes of HTTP mean."""

ALWAYS = (401, 403, 405, 500, 503, 504)
OF_BODIES = (408, 413, 415)


def describe(version: str) -> Json:
    """Return the description of the server."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dedupe index",
            "version": version,
            "description": "Have we seen this story, where, and which text of it?",
        },
        "paths": {
            f"/{one.name}": {"get" if one.reads else "post": _operation(one)} for one in OPERATIONS
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(one: Operation) -> Json:
    codes = (*one.errors, *ALWAYS, *(() if one.reads else OF_BODIES))
    found: Json = {
        "operationId": one.name,
        "summary": one.about,
        "responses": {
            "200": _content("the answer", one.gives),
            **{str(code): _content(REASONS[code], "Error") for code in sorted(codes)},
        },
    }
    if one.name == "health":
        found["security"] = []
    if one.reads:
        found["parameters"] = [
            {"name": it.name, "in": "query", "required": it.is_required, "schema": _schema(it)}
            for it in one.fields
        ]
    else:
        body = {"application/json": {"schema": _object(one.fields)}}
        found["requestBody"] = {"required": True, "content": body}
    return found


def _content(about: str, schema: str) -> Json:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": about, "content": {"application/json": {"schema": reference}}}


def _object(members: tuple[Field, ...]) -> Json:
    return {
        "type": "object",
        "properties": {one.name: _schema(one) for one in members},
        "required": [one.name for one in members if one.is_required],
        "additionalProperties": False,
    }


def _schema(one: Field) -> Json:
    found: Json = {"type": _type(one.kinds), "description": one.about}
    if not one.is_required:
        found["default"] = one.default
    if one.items:
        found["items"] = {"type": one.items}
    if one.choices:
        found["enum"] = list(one.choices)
    return found


def _type(kinds: tuple[str, ...]) -> Any:
    return kinds[0] if len(kinds) == 1 else list(kinds)


def _schemas() -> Json:
    """Return what is answered."""
    number: Json = {"type": "number"}
    integer: Json = {"type": "integer"}
    string: Json = {"type": "string"}
    time = {"type": ["number", "null"]}
    match: Json = {
        "id": {},
        "score": number,
        "relation": string,
        "reason": string,
        "epoch": integer,
        "jaccard": number,
        "containment": number,
        "shared_words": integer,
        "time": time,
    }
    assert set(match) == {one.name for one in fields(Match)} - {"find_evidence"}
    return {
        "Matches": _closed(
            {"outcome": {**string, "enum": [*get_args(Outcome)]}},
            matches={"type": "array", "items": _closed({"evidence": {"type": "object"}}, **match)},
            n_found=integer,
            truncated={"type": "boolean"},
            epoch=integer,
        ),
        "Added": _closed(
            n_added=integer,
            n_updated=integer,
            n_unchanged=integer,
            n_undated=integer,
            skipped={"type": "array", "items": _closed(id={}, reason=string, remedy=string)},
        ),
        "Removed": _closed(n_removed=integer),
        "Learned": _closed(epoch=integer, learned={"type": "boolean"}),
        "Document": _closed(id={}, text=string, time=time),
        "Stats": _closed(**{one.name: integer for one in fields(Stats)}, growth=number),
        "Health": _closed(status=string, n_documents=integer),
        "Error": _closed(error=_closed(kind=string, message=string)),
    }


def _closed(optional: Json | None = None, /, **members: Json) -> Json:
    """Return the schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": {**members, **(optional or {})},
        "required": list(members),
        "additionalProperties": False,
    }

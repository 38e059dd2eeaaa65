"""Fields of a record: which one a name means, and which of them make its text.

What becomes of their values is decided in `dedupe.documents.document`.
"""

from collections.abc import Container, Iterator, Mapping

__all__ = ["ABSENT", "splits", "text_names", "value_at"]

ABSENT = object()
"""What stands for the value of a field that a record does not have."""


def value_at(record: Mapping[str, object], name: str) -> object:
    """Return the value of a field, or of one inside a field, or `ABSENT`.

    A field that is called by the whole name wins over one that is reached through its dots.

    >>> value_at({"meta": {"text": "Bridge closed"}}, "meta.text")
    'Bridge closed'
    >>> value_at({"meta": {"text": "Bridge closed"}, "meta.text": "Road open"}, "meta.text")
    'Road open'
    """
    if name in record:
        return record[name]
    for head, rest in splits(name):
        inner = record.get(head)
        if isinstance(inner, Mapping) and (value := value_at(inner, rest)) is not ABSENT:
            return value
    return ABSENT


def splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield what stands before and behind each dot of a name, the last dot first.

    >>> list(splits("a.b.c"))
    [('a.b', 'c'), ('a', 'b.c')]
    """
    dot = name.rfind(".")
    while dot >= 0:
        yield name[:dot], name[dot + 1 :]
        dot = name.rfind(".", 0, dot)


def text_names(text_field: str, html_field: str | None, there: Container[str]) -> tuple[str, ...]:
    """Return the names of the fields that make the text of a record with these fields.

    A field that is called ``title,body`` wins over two. A field of HTML that is not among
    those of the text takes their place.

    >>> text_names("title, body", None, {"title", "body"})
    ('title', 'body')
    >>> text_names("title,body", None, {"title,body"}), text_names("text", "page", {"page"})
    (('title,body',), ('page',))
    """
    names: tuple[str, ...] = (text_field,)
    if "," in text_field and text_field not in there:
        names = tuple(name.strip() for name in text_field.split(",") if name.strip())
    return names if html_field is None or html_field in names else (html_field,)

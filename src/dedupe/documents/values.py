"""Says what single values of a record stand for: ids, texts and times.

What becomes of a value that is none of these is left to `dedupe.documents.document`.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from numbers import Number, Real
from typing import Any

from dedupe.documents.streams import Unreadable
from dedupe.ids import Id, checked_id

__all__ = ["Ticks", "as_id", "as_time", "encoded", "is_missing", "kind_of"]

YEAR_10000 = 253_402_300_800
"""In seconds since 1970. A number past it is no time in seconds (milliseconds, say)."""


class Ticks:
    """The number of a date or time that Python has none for.

    It lies past 9999, in nanoseconds, or in a time zone that is unknown here. It makes an
    id, and no time: it would be taken for seconds, and it may count days.
    """

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return str(self.number)


def as_id(value: object, default: Id) -> Id:
    """Return an id in its own type, or the default where there is none, or a blank one.

    Raises
    ------
    Unreadable
        When the value cannot be an id.
    """
    if isinstance(value, str):
        id_ = value if type(value) is str and value.isascii() else _joined(value)
        return default if not id_ or id_.isspace() else id_
    if is_missing(value):
        return default
    if isinstance(value, Ticks):
        return str(value)
    try:
        return checked_id(value)
    except TypeError as error:
        raise Unreadable(f"the id is {_told(value, error)}", "turn it into a string") from error


def _joined(value: str) -> str:
    r"""Return an id with its pairs of surrogates joined.

    Of two that differ in lone ones alone, U+FFFD in their place would make one id.

    >>> _joined("an id \ud83d\ude00")
    'an id 😀'
    """
    id_ = encoded(value)[0]
    if id_.count("\ufffd") > value.count("\ufffd"):
        raise Unreadable("the id has a lone surrogate, which UTF-8 cannot hold", "give it another")
    return id_


def _told(value: object, error: TypeError) -> str:
    """Say what is no id: by its kind where the type alone says it."""
    return kind_of(value) if str(error).startswith("of type") else str(error)


def encoded(text: str) -> tuple[str, bytes | None]:
    r"""Return a text that UTF-8 can hold, and its bytes where it took those to tell.

    Pairs of surrogates are joined, and lone ones are U+FFFD.

    >>> encoded("plain"), encoded("café"), encoded("lone \ud800")
    (('plain', None), ('café', b'caf\xc3\xa9'), ('lone �', None))
    """
    # A plain one also of a subclass, such as numpy's or an enumeration.
    text = str.__str__(text)
    if text.isascii():
        return text, None
    try:
        return text, text.encode()
    except UnicodeEncodeError:
        # UTF-16 is where surrogates come from, so it knows which belong together.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), None


def is_missing(value: object) -> bool:
    """Tell whether a value stands for "nothing": None, NaN, or what pandas has for them."""
    # NA refuses to be compared, and only pandas could give the types themselves.
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, Real) and bool(value != value))  # noqa: PLR0124  Only NaN is.
    )


def as_time(value: object) -> float | None:
    """Return seconds since 1970, or None for what is no time.

    >>> as_time("2022-06-16T10:00:00Z"), as_time(60), as_time("60"), as_time("June")
    (1655373600.0, 60.0, 60.0, None)
    """
    if isinstance(value, bool) or is_missing(value):
        return None
    try:
        seconds = _seconds(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if abs(seconds) < YEAR_10000 else None


def _seconds(value: Any) -> float:
    """Read a time, or raise one of the errors that Python has for what is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())  # Of a number, "20220616" is a day.
        except ValueError:
            return float(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return float(value)


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "a string"),
    (bool, "true or false"),
    (Number, "a number"),
    ((list, tuple), "a list"),
    (Mapping, "an object"),
    ((bytes, bytearray), "bytes"),
    ((date, time, timedelta, Ticks), "a date or time"),
)
"""The first that fits: a bool is a number, too."""


def kind_of(value: object) -> str:
    """Say what a value is, in words that hold for JSON and Parquet as well.

    >>> kind_of([1]), kind_of(None), kind_of(0.5)
    ('a list', 'null', 'a number')
    """
    if value is None:
        return "null"
    return next((kind for types, kind in _KINDS if isinstance(value, types)), _type_of(value))


def _type_of(value: object) -> str:
    """Name the type of a value that only Python or pyarrow could have made."""
    return f"of type {type(value).__name__}"
